/* Documents cut off at every byte or damaged at every byte, and every allocation failing once. */
#include "support/allocator.h"
#include "support/test.h"

#include <moccasin/moccasin_io.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const GRAPHS[] = {"tests/data/example.json", "tests/data/node-link.json",
                                     "tests/data/node-link-layered.json", "tests/data/node-link-edges.json"};
enum { N_GRAPHS = 4 };

static char *read_text(const char *path, size_t *length) {
  moc_error error = {0};
  char *text = NULL;
  CHECK_OK(moc_read_file(path, NULL, &text, length, &error), error);
  return text;
}

static moc_graph *read_graph(const char *path) {
  moc_error error = {0};
  size_t length = 0;
  char *text = read_text(path, &length);
  moc_graph *graph = NULL;
  CHECK_OK(moc_graph_read_json(text, length, NULL, &graph, NULL, &error), error);
  free(text);
  return graph;
}

/* Read a graph, or a plan of `of`, from exactly `length` bytes in a block of their own; sanitizers see any step
 * past it. */
static moc_status read_bytes(const moc_graph *of, const char *text, size_t length, const moc_allocator *allocator,
                             moc_error *error) {
  char *exact = malloc(length + (length == 0));
  assert_non_null(exact);
  memcpy(exact, text, length);
  memset(error, 0, sizeof *error);
  moc_graph *graph = NULL;
  moc_plan *plan = NULL;
  moc_status status = of == NULL ? moc_graph_read_json(exact, length, allocator, &graph, NULL, error)
                                 : moc_plan_read_json(of, exact, length, allocator, &plan, error);
  assert_int_equal(status == MOC_OK, graph != NULL || plan != NULL);
  if (status != MOC_OK) assert_true(error->status == status && error->message[0] != '\0');
  moc_graph_destroy(graph);
  moc_plan_destroy(plan);
  free(exact);
  return status;
}

static void cut_everywhere(const moc_graph *of, const char *path) {
  size_t length = 0;
  char *text = read_text(path, &length);
  size_t end = length;
  moc_error error;
  while (end > 0 && isspace((unsigned char)text[end - 1])) end--;
  for (size_t cut = 0; cut <= length; cut++) {
    moc_status status = read_bytes(of, text, cut, NULL, &error);
    if ((status == MOC_OK) != (cut >= end)) fail_msg("%s cut at byte %zu: %s", path, cut, error.message);
    if (cut < end && status != MOC_PARSE) fail_msg("%s cut at byte %zu: %s", path, cut, moc_status_text(status));
  }
  free(text);
}

static void cut_documents(void **state) {
  (void)state;
  for (int i = 0; i < N_GRAPHS; i++) cut_everywhere(NULL, GRAPHS[i]);
  moc_graph *graph = read_graph(GRAPHS[0]);
  cut_everywhere(graph, "tests/data/example-plan.json");
  moc_graph_destroy(graph);
}

/* Each byte in turn replaced by others: whatever comes out, no crash, no leak, and a message when it is refused. */
static void damage_everywhere(const moc_graph *of, const char *path) {
  static const char REPLACEMENTS[] = {'\0', '9', '-', '"', '{', ']', ',', '.', '\xFF', ' '};
  size_t length = 0, refused = 0;
  char *text = read_text(path, &length);
  moc_error error;
  for (size_t i = 0; i < length; i++) {
    char before = text[i];
    for (size_t k = 0; k < sizeof REPLACEMENTS; k++) {
      test_allocator allocator;
      test_allocator_init(&allocator);
      text[i] = REPLACEMENTS[k];
      if (read_bytes(of, text, length, &allocator.allocator, &error) != MOC_OK) refused++;
      test_allocator_check_empty(&allocator);
    }
    text[i] = before;
  }
  assert_true(refused > length); /* most of it: white space and digits of metadata may change */
  free(text);
}

static void damaged_documents(void **state) {
  (void)state;
  for (int i = 0; i < N_GRAPHS; i++) damage_everywhere(NULL, GRAPHS[i]);
  moc_graph *graph = read_graph(GRAPHS[0]);
  damage_everywhere(graph, "tests/data/example-plan.json");
  moc_graph_destroy(graph);
}

/* What a call does under an allocator: its status; whatever it made is given back. */
typedef moc_status (*attempt)(const moc_allocator *allocator, const void *input, moc_error *error);

/* Fail each allocation in turn until there is none left to fail. */
static void fail_each_allocation(attempt run, const void *input) {
  for (int64_t k = 1;; k++) {
    assert_true(k < 100000);
    test_allocator allocator;
    test_allocator_init_failing(&allocator, k, 1);
    moc_error error = {0};
    moc_status status = run(&allocator.allocator, input, &error);
    test_allocator_check_empty(&allocator);
    if (!allocator.failed) {
      assert_int_equal(status, MOC_OK);
      assert_true(k > 3); /* the call does allocate */
      return;
    }
    if (status != MOC_OUT_OF_MEMORY) fail_msg("allocation %lld failed: %s", (long long)k, moc_status_text(status));
    assert_int_equal(error.status, MOC_OUT_OF_MEMORY);
  }
}

typedef struct document {
  const moc_graph *graph; /* of a plan */
  const moc_plan *plan;
  const char *text;
  size_t length;
  moc_graph_format format;
} document;

static moc_status try_read(const moc_allocator *allocator, const void *input, moc_error *error) {
  const document *from = input;
  return read_bytes(from->graph, from->text, from->length, allocator, error);
}

static moc_status try_write(const moc_allocator *allocator, const void *input, moc_error *error) {
  const document *from = input;
  char *text = NULL;
  size_t length = 0;
  moc_status status = from->plan != NULL
                          ? moc_plan_write_json(from->graph, from->plan, true, allocator, &text, &length, error)
                          : moc_graph_write(from->graph, from->format, allocator, &text, &length, error);
  assert_int_equal(status == MOC_OK, text != NULL);
  if (text != NULL) allocator->release(allocator->context, text);
  return status;
}

static void failing_readers(void **state) {
  (void)state;
  for (int i = 0; i < N_GRAPHS; i++) {
    document from = {0};
    char *text = read_text(GRAPHS[i], &from.length);
    from.text = text;
    fail_each_allocation(try_read, &from);
    free(text);
  }
}

static void failing_plan_readers(void **state) {
  (void)state;
  moc_graph *graph = read_graph(GRAPHS[0]);
  document from = {.graph = graph};
  char *text = read_text("tests/data/example-plan.json", &from.length);
  from.text = text;
  fail_each_allocation(try_read, &from);
  free(text);
  from.text = "{\"format\":\"moccasin-plan\",\"version\":1,\"sequence\":"
              "[\"shuffle\",\"conv1\",\"flatten\",\"head\",\"loss\",\"conv1.grad\",5]}";
  from.length = strlen(from.text);
  fail_each_allocation(try_read, &from);
  moc_graph_destroy(graph);
}

static void failing_writers(void **state) {
  (void)state;
  /* the first allocation of a text is enough for short ones, so these are not: names of some length, many of them
   * */
  enum { N = 40 };
  moc_error error = {0};
  moc_builder *builder = moc_builder_create(NULL);
  assert_non_null(builder);
  for (int i = 0; i < N; i++) {
    char name[64];
    snprintf(name, sizeof name, "an operation with a name of some length, number %d", i);
    moc_operation op = {.name = name, .duration = 1};
    moc_tensor_spec tensor = {.name = name, .size = 1, .base = MOC_NONE, .producer = i};
    CHECK_OK(moc_builder_add_operation(builder, &op, NULL, &error), error);
    CHECK_OK(moc_builder_add_tensor(builder, &tensor, NULL, &error), error);
    if (i > 0) CHECK_OK(moc_builder_add_read(builder, i, i - 1, &error), error);
  }
  moc_graph *graph = NULL;
  CHECK_OK(moc_builder_build(builder, &graph, &error), error);
  moc_builder_destroy(builder);
  const moc_graph_format formats[] = {MOC_FORMAT_MOCCASIN, MOC_FORMAT_NODE_LINK, MOC_FORMAT_DOT};
  for (int i = 0; i < 3; i++) {
    document to = {.graph = graph, .format = formats[i]};
    fail_each_allocation(try_write, &to);
  }
  moc_op sequence[N];
  moc_evaluation evaluation;
  for (int i = 0; i < N; i++) sequence[i] = i;
  CHECK_OK(moc_evaluate(graph, sequence, N, NULL, &evaluation, &error), error);
  moc_plan plan = {.status = MOC_PLAN_FEASIBLE,
                   .budget = 2,
                   .peak_memory = 2,
                   .baseline_peak_memory = 2,
                   .total_duration = N,
                   .baseline_duration = N,
                   .lower_bound = N,
                   .max_computes = 1,
                   .length = N,
                   .sequence = sequence,
                   .memory = evaluation.memory,
                   .intervals = evaluation.intervals,
                   .n_intervals = evaluation.n_intervals};
  CHECK_OK(moc_verify(graph, &plan, NULL, NULL, &error), error);
  document to = {.graph = graph, .plan = &plan};
  fail_each_allocation(try_write, &to);
  moc_evaluation_release(&evaluation);
  moc_graph_destroy(graph);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cut_documents),   cmocka_unit_test(damaged_documents),
      cmocka_unit_test(failing_readers), cmocka_unit_test(failing_plan_readers),
      cmocka_unit_test(failing_writers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
