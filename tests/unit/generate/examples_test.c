/* The bundled graphs are what the commands in examples/graphs/README.md make, byte for byte, and the plain forms can
 * be written as node-link files. Runs in the root of the sources. */
#include "make.h"

#include <moccasin/moccasin_io.h>
#include <stdio.h>

#define README "examples/graphs/README.md"

/* "--name 12" pairs to "name=12" pairs; a seed is taken out. */
static void read_options(const char *text, char *options, size_t size, uint64_t *seed) {
  options[0] = '\0';
  char name[32];
  long long value;
  int used;
  for (; sscanf(text, " --%31s %lld%n", name, &value, &used) == 2; text += used) {
    if (strcmp(name, "seed") == 0) {
      *seed = (uint64_t)value;
      continue;
    }
    size_t length = strlen(options);
    snprintf(options + length, size - length, "%s%s=%lld", length ? " " : "", name, value);
  }
  CHECK_CONTAINS(text, " -o ");
}

/* A number as the README writes it: 1,234,567. */
static void with_commas(int64_t number, char *text, size_t size) {
  char digits[24];
  int length = snprintf(digits, sizeof digits, "%lld", (long long)number);
  size_t at = 0;
  for (int i = 0; i < length && at + 2 < size; i++) {
    if (i > 0 && (length - i) % 3 == 0) text[at++] = ',';
    text[at++] = digits[i];
  }
  text[at] = '\0';
}

/* The README's row about a file must tell the graph's figures. */
static void check_row(const char *readme, const char *path, const moc_graph *graph) {
  char start[128], row[512], number[40];
  snprintf(start, sizeof start, "| `%s` |", strrchr(path, '/') + 1);
  const char *at = strstr(readme, start);
  if (!at) fail_msg("no row starts with %s", start);
  snprintf(row, sizeof row, "%.*s", (int)strcspn(at, "\n"), at);
  moc_graph_facts facts;
  moc_error error;
  CHECK_OK(moc_graph_get_facts(graph, &facts, &error), error);
  int64_t reads = 0;
  for (moc_op op = 0; op < moc_graph_operations(graph); op++) reads += moc_graph_op_inputs(graph, op).count;
  int64_t figures[] = {moc_graph_operations(graph), moc_graph_tensors(graph), reads,
                       facts.baseline_peak,         facts.working_set_bound,  facts.baseline_duration};
  for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
    with_commas(figures[i], number, sizeof number);
    char cell[48];
    snprintf(cell, sizeof cell, "| %s |", number);
    CHECK_CONTAINS(row, cell);
  }
}

/* One command: "moccasin generate KIND [--option value ...] -o FILE". */
static void check_command(const char *command, const char *readme) {
  char kind[32], options[256], path[128];
  uint64_t seed = 1;
  int used;
  assert_int_equal(sscanf(command, "moccasin generate %31s%n", kind, &used), 1);
  read_options(command + used, options, sizeof options, &seed);
  assert_int_equal(sscanf(strstr(command, " -o "), " -o %127s", path), 1);

  moc_graph *graph = make_graph(kind, options, seed);
  char *text, *bundled;
  size_t length, bundled_length;
  moc_error error;
  CHECK_OK(moc_graph_write(graph, MOC_FORMAT_MOCCASIN, NULL, &text, &length, &error), error);
  CHECK_OK(moc_read_file(path, NULL, &bundled, &bundled_length, &error), error);
  if (length != bundled_length || memcmp(text, bundled, length) != 0)
    fail_msg("%s is not what its command makes: make it again", path);

  check_row(readme, path, graph);

  /* And it reads back as the same graph. */
  moc_graph *back;
  char *again;
  CHECK_OK(moc_graph_read_json(bundled, bundled_length, NULL, &back, NULL, &error), error);
  CHECK_OK(moc_graph_write(back, MOC_FORMAT_MOCCASIN, NULL, &again, &length, &error), error);
  assert_int_equal(length, bundled_length);
  assert_memory_equal(again, bundled, length);
  free(text);
  free(bundled);
  free(again);
  moc_graph_destroy(graph);
  moc_graph_destroy(back);
}

static void bundled_graphs_are_what_their_commands_make(void **state) {
  (void)state;
  char *text;
  size_t length;
  moc_error error;
  CHECK_OK(moc_read_file(README, NULL, &text, &length, &error), error);
  const char *table = strchr(text, '|'); /* before the commands, which are cut below */
  assert_non_null(table);
  int commands = 0;
  for (char *at = text; (at = strstr(at, "\nmoccasin generate ")) != NULL; commands++) {
    at++;
    char *end = strchr(at, '\n');
    if (end) *end = '\0';
    check_command(at, table);
    if (!end) break;
    *end = '\n';
  }
  free(text);
  assert_int_equal(commands, 7);
}

static void plain_graphs_can_be_node_link_files(void **state) {
  (void)state;
  static const char *const kinds[][2] = {{"vgg16", "plain=1"},    {"resnet50", "plain=1"},
                                         {"unet", "plain=1"},     {"transformer", "plain=1"},
                                         {"layered", "nodes=50"}, {"chain", "length=9"}};
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    moc_graph *graph = make_graph(kinds[i][0], kinds[i][1], 5), *back;
    char *text;
    size_t length;
    moc_error error;
    moc_graph_facts facts, facts_back;
    moc_graph_format format;
    CHECK_OK(moc_graph_write(graph, MOC_FORMAT_NODE_LINK, NULL, &text, &length, &error), error);
    CHECK_OK(moc_graph_read_json(text, length, NULL, &back, &format, &error), error);
    assert_int_equal(format, MOC_FORMAT_NODE_LINK);
    CHECK_OK(moc_graph_get_facts(graph, &facts, &error), error);
    CHECK_OK(moc_graph_get_facts(back, &facts_back, &error), error);
    assert_int_equal(facts.baseline_peak, facts_back.baseline_peak);
    assert_int_equal(facts.baseline_duration, facts_back.baseline_duration);
    assert_int_equal(facts.working_set_bound, facts_back.working_set_bound);
    free(text);
    moc_graph_destroy(graph);
    moc_graph_destroy(back);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bundled_graphs_are_what_their_commands_make),
      cmocka_unit_test(plain_graphs_can_be_node_link_files),
  };
  return cmocka_run_group_tests_name("examples", tests, NULL, NULL);
}
