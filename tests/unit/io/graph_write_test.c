/* Graphs as text: what is written reads back the same; what a format cannot say is refused. */
#include "support/allocator.h"
#include "support/graphs.h"
#include "support/plans.h"
#include "support/test.h"
#include "unit/io/graph_compare.h"

#include <moccasin/moccasin_io.h>

#include <stdlib.h>

/* Write, read back, compare; and writing what was read gives the same text. */
static void check_round_trip(const moc_graph *graph, moc_graph_format format, bool tensor_names) {
  test_allocator allocator;
  test_allocator_init(&allocator);
  moc_error error = {0};
  char *text = NULL, *again = NULL;
  size_t length = 0, length_again = 0;
  moc_graph *copy = NULL;
  moc_graph_format found;
  CHECK_OK(moc_graph_write(graph, format, &allocator.allocator, &text, &length, &error), error);
  assert_int_equal(strlen(text), length);
  CHECK_OK(moc_graph_read_json(text, length, &allocator.allocator, &copy, &found, &error), error);
  assert_int_equal(found, format);
  const char *difference = graph_difference(graph, copy, tensor_names);
  if (difference != NULL) fail_msg("%s after writing\n%s", difference, text);
  CHECK_OK(moc_graph_write(copy, format, &allocator.allocator, &again, &length_again, &error), error);
  assert_string_equal(again, text);
  moc_graph_destroy(copy);
  allocator.allocator.release(allocator.allocator.context, text);
  allocator.allocator.release(allocator.allocator.context, again);
  test_allocator_check_empty(&allocator);
}

static moc_graph *read_path(const char *path) {
  moc_error error = {0};
  char *text = NULL;
  size_t length = 0;
  moc_graph *graph = NULL;
  CHECK_OK(moc_read_file(path, NULL, &text, &length, &error), error);
  CHECK_OK(moc_graph_read_json(text, length, NULL, &graph, NULL, &error), error);
  free(text);
  return graph;
}

static void files_round_trip(void **state) {
  (void)state;
  const char *const paths[] = {"tests/data/node-link.json", "tests/data/node-link-layered.json",
                               "tests/data/node-link-edges.json"};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
    moc_graph *graph = read_path(paths[i]);
    check_round_trip(graph, MOC_FORMAT_NODE_LINK, true);
    check_round_trip(graph, MOC_FORMAT_MOCCASIN, true);
    moc_graph_destroy(graph);
  }
  moc_graph *graph = read_path("tests/data/example.json");
  check_round_trip(graph, MOC_FORMAT_MOCCASIN, true);
  moc_graph_destroy(graph);
}

/* The example of docs/formats.md is spelt as we write it, but for the members that stand for a default. */
static void example_as_written(void **state) {
  (void)state;
  moc_error error = {0};
  char *text = NULL, *file = NULL;
  size_t length = 0, file_length = 0;
  moc_graph *graph = read_path("tests/data/example.json");
  CHECK_OK(moc_graph_write(graph, MOC_FORMAT_MOCCASIN, NULL, &text, &length, &error), error);
  CHECK_OK(moc_read_file("tests/data/example.json", NULL, &file, &file_length, &error), error);
  assert_string_equal(text, file);
  free(text);
  free(file);
  moc_graph_destroy(graph);
}

static void random_graphs_round_trip(void **state) {
  (void)state;
  moc__rng rng;
  moc__rng_init(&rng, 7, 0);
  int64_t times = test_scaled(300);
  for (int64_t i = 0; i < times; i++) {
    test_shape shape = {.n_ops = 1 + (int32_t)moc__rng_below(&rng, 20),
                        .full_model = moc__rng_below(&rng, 2) == 0,
                        .edge_percent = moc__rng_below(&rng, 60),
                        .most_size = 100,
                        .most_duration = 100};
    moc_graph *graph = test_random_graph(&rng, &shape, NULL);
    check_round_trip(graph, MOC_FORMAT_MOCCASIN, true);
    if (!shape.full_model) check_round_trip(graph, MOC_FORMAT_NODE_LINK, false);
    moc_graph_destroy(graph);
  }
}

/* An input order that is not the order of the numbers survives in both formats. */
static void order_round_trips(void **state) {
  (void)state;
  const int64_t ones[] = {1, 1, 1};
  const char *const edges[] = {"ac"};
  const moc_op order[] = {1, 0, 2};
  moc_graph *plain = test_plain_graph(3, ones, ones, edges, 1, NULL);
  moc_graph *graph = test_reordered_graph(plain, order, NULL);
  assert_int_equal(moc_graph_input_order(graph).items[0], 1);
  check_round_trip(graph, MOC_FORMAT_NODE_LINK, false);
  check_round_trip(graph, MOC_FORMAT_MOCCASIN, true);
  moc_graph_destroy(graph);
  moc_graph_destroy(plain);
}

/* One operation and one or two tensors, made by hand. */
typedef struct small {
  moc_operation op;
  moc_tensor_spec tensors[3];
  int n_tensors;
  int reads; /* how many of the tensors a second operation reads */
  const char *name;
} small;

static moc_graph *build(const small *from) {
  moc_error error = {0};
  moc_builder *builder = moc_builder_create(NULL);
  moc_operation reader = {.name = "reader", .duration = 1};
  moc_tensor_spec result = {.producer = 1, .base = MOC_NONE, .name = "result"};
  moc_graph *graph = NULL;
  assert_non_null(builder);
  CHECK_OK(moc_builder_set_name(builder, from->name, &error), error);
  CHECK_OK(moc_builder_add_operation(builder, &from->op, NULL, &error), error);
  CHECK_OK(moc_builder_add_operation(builder, &reader, NULL, &error), error);
  for (int i = 0; i < from->n_tensors; i++) {
    CHECK_OK(moc_builder_add_tensor(builder, &from->tensors[i], NULL, &error), error);
    if (i < from->reads) CHECK_OK(moc_builder_add_read(builder, 1, i, &error), error);
  }
  CHECK_OK(moc_builder_add_tensor(builder, &result, NULL, &error), error);
  CHECK_OK(moc_builder_build(builder, &graph, &error), error);
  moc_builder_destroy(builder);
  return graph;
}

/* Strings that need care: quotes, control characters, all lengths of UTF-8. */
static void strange_names(void **state) {
  (void)state;
  small s = {.op = {.name = "a \"quoted\\\" \n\t\x01\x7F name/", .label = "\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x90\x8D"},
             .tensors = {{.name = "-12", .name_is_integer = true, .base = MOC_NONE, .size = 3},
                         {.name = "-12", .base = MOC_NONE, .size = 4, .producer = MOC_NONE}},
             .n_tensors = 2,
             .reads = 2,
             .name = "\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF"};
  moc_graph *graph = build(&s);
  check_round_trip(graph, MOC_FORMAT_MOCCASIN, true);
  moc_graph_destroy(graph);
}

/* Tensors without names get ids that clash with no name. */
static void unnamed_tensors(void **state) {
  (void)state;
  small s = {.op = {.name = "f"},
             .tensors = {{.name = NULL, .base = MOC_NONE, .size = 3},
                         {.name = "t0", .base = MOC_NONE, .size = 4},
                         {.name = "t_2x", .base = MOC_NONE, .size = 5}},
             .n_tensors = 3,
             .reads = 3};
  moc_graph *graph = build(&s), *copy = NULL;
  moc_error error = {0};
  char *text = NULL;
  size_t length = 0;
  CHECK_OK(moc_graph_write(graph, MOC_FORMAT_MOCCASIN, NULL, &text, &length, &error), error);
  CHECK_OK(moc_graph_read_json(text, length, NULL, &copy, NULL, &error), error);
  assert_null(graph_difference(graph, copy, true));
  assert_string_equal(moc_graph_tensor_name(copy, 0), "t__0");
  free(text);
  moc_graph_destroy(copy);
  moc_graph_destroy(graph);
}

static void check_refused(const small *from, moc_graph_format format, const char *message) {
  moc_graph *graph = build(from);
  moc_error error = {0};
  char *text = NULL;
  size_t length = 77;
  test_allocator allocator;
  test_allocator_init(&allocator);
  CHECK_FAILS(moc_graph_write(graph, format, &allocator.allocator, &text, &length, &error), MOC_INVALID_ARGUMENT,
              error);
  CHECK_CONTAINS(error.message, message);
  assert_null(text);
  assert_int_equal(length, 77);
  test_allocator_check_empty(&allocator);
  moc_graph_destroy(graph);
}

static void not_in_node_link(void **state) {
  (void)state;
  const struct {
    small graph;
    const char *message;
  } cases[] = {
      {{.op = {.name = "f", .workspace = 1}}, "operation \"f\" has a workspace"},
      {{.op = {.name = "f", .compute_once = true}}, "operation \"f\" is not recomputable"},
      {{.op = {.name = "f"},
        .tensors = {{.name = "x", .base = MOC_NONE}, {.name = "y", .base = MOC_NONE}},
        .n_tensors = 2},
       "operation \"f\" has several outputs"},
      {{.op = {.name = "f"}, .tensors = {{.name = "x", .base = MOC_NONE, .producer = MOC_NONE}}, .n_tensors = 1},
       "tensor \"x\" has no producer"},
      {{.op = {.name = "f"}, .tensors = {{.name = "x", .base = MOC_NONE, .keep = true}}, .n_tensors = 1},
       "tensor \"x\" is kept"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    check_refused(&cases[i].graph, MOC_FORMAT_NODE_LINK, cases[i].message);
  }
}

/* A view that is its operation's only output. */
static void view_not_in_node_link(void **state) {
  (void)state;
  moc_error error = {0};
  moc_builder *builder = moc_builder_create(NULL);
  moc_operation f = {.name = "f"}, g = {.name = "g"};
  moc_tensor_spec x = {.name = "x", .base = MOC_NONE, .producer = 0}, v = {.name = "v", .base = 0, .producer = 1};
  moc_graph *graph = NULL;
  char *text = NULL;
  size_t length = 0;
  CHECK_OK(moc_builder_add_operation(builder, &f, NULL, &error), error);
  CHECK_OK(moc_builder_add_operation(builder, &g, NULL, &error), error);
  CHECK_OK(moc_builder_add_tensor(builder, &x, NULL, &error), error);
  CHECK_OK(moc_builder_add_tensor(builder, &v, NULL, &error), error);
  CHECK_OK(moc_builder_add_read(builder, 1, 0, &error), error);
  CHECK_OK(moc_builder_build(builder, &graph, &error), error);
  moc_builder_destroy(builder);
  CHECK_FAILS(moc_graph_write(graph, MOC_FORMAT_NODE_LINK, NULL, &text, &length, &error), MOC_INVALID_ARGUMENT,
              error);
  CHECK_CONTAINS(error.message, "tensor \"v\" is a view");
  check_round_trip(graph, MOC_FORMAT_MOCCASIN, true);
  moc_graph_destroy(graph);
}

static void not_in_json(void **state) {
  (void)state;
  const char *const broken[] = {"\xFF",         "\xC0\x80",         "\xE2\x82", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                                "\xE0\x80\x80", "\xF0\x80\x80\x80", "\x80"};
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
    small s = {.op = {.name = broken[i]}};
    check_refused(&s, MOC_FORMAT_MOCCASIN, "the name of operation 0 is not UTF-8");
    check_refused(&s, MOC_FORMAT_NODE_LINK, "the name of operation 0 is not UTF-8");
  }
  const char *const no_integers[] = {
      "x", "01", "-0", "+1", "1.0", "9223372036854775808", "-9223372036854775809", "-", "99999999999999999999999"};
  for (size_t i = 0; i < sizeof no_integers / sizeof *no_integers; i++) {
    small s = {.op = {.name = no_integers[i], .name_is_integer = true}};
    check_refused(&s, MOC_FORMAT_MOCCASIN, "the name of operation 0 is said to be an integer");
  }
  small label = {.op = {.name = "f", .label = "\xFE"}};
  check_refused(&label, MOC_FORMAT_MOCCASIN, "a label is not UTF-8");
  small name = {.op = {.name = "f"}, .name = "\xFE"};
  check_refused(&name, MOC_FORMAT_MOCCASIN, "the graph's name is not UTF-8");
  check_refused(&name, (moc_graph_format)99, "unknown graph format 99");
}

static void dot(void **state) {
  (void)state;
  moc_error error = {0};
  char *text = NULL;
  size_t length = 0;
  small s = {
      .op = {.name = "say \"hi\"\n\\N", .duration = 1500000, .workspace = 2048, .compute_once = true},
      .tensors = {{.name = "x", .base = MOC_NONE, .size = 1536}, {.name = "y", .base = MOC_NONE, .keep = true}},
      .n_tensors = 2,
      .reads = 1};
  moc_graph *graph = build(&s);
  CHECK_OK(moc_graph_write(graph, MOC_FORMAT_DOT, NULL, &text, &length, &error), error);
  CHECK_CONTAINS(
      text, "label=\"say \\\"hi\\\"\\n\\\\N\\nduration 1.5 million\\n1.5 KiB in 2 tensors\\nworkspace 2.0 KiB");
  CHECK_CONTAINS(text, "n0 -> n1 [label=\"x\\n1.5 KiB\"];");
  CHECK_CONTAINS(text, "kept in part\\ncomputed once");
  free(text);
  moc_graph_destroy(graph);
  graph = read_path("tests/data/example.json");
  CHECK_OK(moc_graph_write(graph, MOC_FORMAT_DOT, NULL, &text, &length, &error), error);
  CHECK_CONTAINS(text, "digraph \"one training step\" {");
  CHECK_CONTAINS(text, "t0 [shape=ellipse, label=\"x\\n100 B\"];");
  CHECK_CONTAINS(text, "t0 -> n1;");
  CHECK_CONTAINS(text, "n1 -> n3 [label=\"y1\\n80 B\", style=dashed];"); /* through the view */
  free(text);
  moc_graph_destroy(graph);
}

static void contract(void **state) {
  (void)state;
  moc_error error;
  moc_graph *graph = read_path("tests/data/node-link.json");
  char *text = NULL;
  size_t length = 0;
  CHECK_FAILS(moc_graph_write(NULL, MOC_FORMAT_DOT, NULL, &text, &length, &error), MOC_INVALID_ARGUMENT, error);
  CHECK_FAILS(moc_graph_write(graph, MOC_FORMAT_DOT, NULL, NULL, &length, &error), MOC_INVALID_ARGUMENT, error);
  CHECK_FAILS(moc_graph_write(graph, MOC_FORMAT_DOT, NULL, &text, NULL, &error), MOC_INVALID_ARGUMENT, error);
  moc_graph_destroy(graph);
}

/* The documents of docs/formats.md are the files that the tests read. */
static void documented_examples(void **state) {
  (void)state;
  const char *const paths[] = {"tests/data/example.json", "tests/data/example-plan.json",
                               "tests/data/node-link-layered.json"};
  moc_error error = {0};
  char *document = NULL, *file = NULL;
  size_t length = 0;
  CHECK_OK(moc_read_file("docs/formats.md", NULL, &document, &length, &error), error);
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
    CHECK_OK(moc_read_file(paths[i], NULL, &file, &length, &error), error);
    if (strstr(document, file) == NULL) fail_msg("docs/formats.md does not have %s as it is", paths[i]);
    free(file);
  }
  free(document);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(files_round_trip),
      cmocka_unit_test(example_as_written),
      cmocka_unit_test(random_graphs_round_trip),
      cmocka_unit_test(order_round_trips),
      cmocka_unit_test(strange_names),
      cmocka_unit_test(unnamed_tensors),
      cmocka_unit_test(not_in_node_link),
      cmocka_unit_test(view_not_in_node_link),
      cmocka_unit_test(not_in_json),
      cmocka_unit_test(dot),
      cmocka_unit_test(contract),
      cmocka_unit_test(documented_examples),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
