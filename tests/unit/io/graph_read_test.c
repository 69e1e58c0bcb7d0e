/* What the graph readers make of valid documents. */
#include "support/allocator.h"
#include "support/test.h"

#include <moccasin/moccasin_io.h>

#include <stdio.h>
#include <stdlib.h>

static moc_graph *read_text(const char *text, moc_graph_format *format) {
  moc_error error = {0};
  moc_graph *graph = NULL;
  CHECK_OK(moc_graph_read_json(text, strlen(text), NULL, &graph, format, &error), error);
  return graph;
}

static moc_graph *read_path(const char *path, moc_graph_format *format) {
  moc_error error = {0};
  char *text = NULL;
  size_t length = 0;
  moc_graph *graph = NULL;
  CHECK_OK(moc_read_file(path, NULL, &text, &length, &error), error);
  CHECK_OK(moc_graph_read_json(text, length, NULL, &graph, format, &error), error);
  free(text);
  return graph;
}

static void check_order(const moc_graph *graph, const char *const *names) {
  moc_op_list order = moc_graph_input_order(graph);
  for (int64_t i = 0; i < order.count; i++) assert_string_equal(moc_graph_op_name(graph, order.items[i]), names[i]);
}

static void checkmate_spelling(void **state) {
  (void)state;
  moc_graph_format format = MOC_FORMAT_DOT;
  moc_graph *graph = read_path("tests/data/node-link.json", &format);
  assert_int_equal(format, MOC_FORMAT_NODE_LINK);
  assert_string_equal(moc_graph_name(graph), "five");
  assert_int_equal(moc_graph_operations(graph), 5);
  assert_int_equal(moc_graph_tensors(graph), 5);
  assert_int_equal(moc_graph_edges(graph), 5);
  assert_string_equal(moc_graph_op_name(graph, 1), "1");
  assert_true(moc_graph_op_name_is_integer(graph, 1));
  assert_string_equal(moc_graph_op_label(graph, 1), "b");
  assert_int_equal(moc_graph_op_duration(graph, 1), 4);
  assert_int_equal(moc_graph_tensor_size(graph, 0), 5);
  assert_int_equal(moc_graph_tensor_producer(graph, 3), 3);
  assert_int_equal(moc_graph_op_workspace(graph, 3), 0);
  assert_false(moc_graph_op_compute_once(graph, 3));
  assert_false(moc_graph_tensor_keep(graph, 3));
  moc_graph_facts facts;
  moc_error error = {0};
  CHECK_OK(moc_graph_get_facts(graph, &facts, &error), error);
  assert_int_equal(facts.baseline_peak, 11); /* the worked example of docs/memory.md */
  assert_int_equal(facts.baseline_duration, 8);
  moc_graph_destroy(graph);
}

static void layered_spelling(void **state) {
  (void)state;
  moc_graph_format format;
  moc_graph *graph = read_path("tests/data/node-link-layered.json", &format);
  assert_int_equal(format, MOC_FORMAT_NODE_LINK);
  assert_int_equal(moc_graph_edges(graph), 4); /* of five links, one stated twice */
  const char *const order[] = {"0", "top", "2", "1"};
  check_order(graph, order);
  assert_false(moc_graph_op_name_is_integer(graph, 3));
  assert_string_equal(moc_graph_op_label(graph, 3), "top");
  assert_int_equal(moc_graph_op_duration(graph, 3), 7);
  assert_int_equal(moc_graph_tensor_size(graph, 3), 40);
  moc_graph_destroy(graph);
}

static void edges_spelling(void **state) {
  (void)state;
  moc_graph *graph = read_path("tests/data/node-link-edges.json", NULL);
  assert_int_equal(moc_graph_edges(graph), 1);
  assert_string_equal(moc_graph_name(graph), "");
  moc_graph_destroy(graph);
}

/* The order that networkx.topological_sort gives: generation by generation, links in file order. */
static void generation_order(void **state) {
  (void)state;
  moc_graph *graph =
      read_text("{\"nodes\":[{\"id\":\"d\",\"duration\":1,\"out_cost\":1},"
                "{\"id\":\"c\",\"duration\":1,\"out_cost\":1},{\"id\":\"b\",\"duration\":1,\"out_cost\":1},"
                "{\"id\":\"a\",\"duration\":1,\"out_cost\":1},{\"id\":\"z\",\"duration\":1,\"out_cost\":1}],"
                "\"links\":[{\"source\":\"a\",\"target\":\"c\"},{\"source\":\"a\",\"target\":\"b\"},"
                "{\"source\":\"b\",\"target\":\"d\"},{\"source\":\"a\",\"target\":\"c\"}]}",
                NULL);
  const char *const order[] = {"a", "z", "c", "b", "d"};
  check_order(graph, order);
  moc_graph_destroy(graph);
}

/* The first present member of each pair counts, and 1 and "1" are two ids. */
static void choices(void **state) {
  (void)state;
  moc_graph *graph =
      read_text("{\"graph\":{\"name\":7,\"order\":null},\"nodes\":["
                "{\"id\":1,\"name\":9,\"cost_cpu\":10,\"duration\":\"x\",\"cost_ram\":20,\"out_cost\":null},"
                "{\"id\":\"1\",\"cost_cpu\":3,\"out_cost\":4}],"
                "\"links\":[{\"source\":1,\"target\":\"1\",\"key\":0}],\"edges\":\"ignored\"}",
                NULL);
  assert_int_equal(moc_graph_op_duration(graph, 0), 10);
  assert_int_equal(moc_graph_tensor_size(graph, 0), 20);
  assert_string_equal(moc_graph_op_label(graph, 0), "9");
  assert_int_equal(moc_graph_edges(graph), 1);
  assert_int_equal(moc_graph_find_op(graph, "1", true), 0);
  assert_int_equal(moc_graph_find_op(graph, "1", false), 1);
  moc_graph_destroy(graph);
}

static void one_node_and_byte_order_mark(void **state) {
  (void)state;
  moc_graph *graph =
      read_text("\xEF\xBB\xBF \n{\"nodes\":[{\"name\":-5,\"duration\":0,\"out_cost\":0}],\"links\":[]}\n", NULL);
  assert_int_equal(moc_graph_operations(graph), 1);
  assert_string_equal(moc_graph_op_name(graph, 0), "-5");
  moc_graph_destroy(graph);
}

static void largest_numbers(void **state) {
  (void)state;
  moc_graph *graph = read_text("{\"nodes\":[{\"name\":9223372036854775807,\"duration\":4611686018427387904,"
                               "\"out_cost\":4611686018427387904},"
                               "{\"name\":-9223372036854775808,\"duration\":0,\"out_cost\":0}],\"links\":[]}",
                               NULL);
  assert_int_equal(moc_graph_op_duration(graph, 0), MOC_MAX_TOTAL);
  assert_string_equal(moc_graph_op_name(graph, 1), "-9223372036854775808");
  moc_graph_destroy(graph);
}

static void native_format(void **state) {
  (void)state;
  moc_graph_format format;
  moc_graph *graph = read_path("tests/data/example.json", &format);
  assert_int_equal(format, MOC_FORMAT_MOCCASIN);
  assert_string_equal(moc_graph_name(graph), "one training step");
  assert_int_equal(moc_graph_operations(graph), 7);
  assert_int_equal(moc_graph_tensors(graph), 9);
  assert_true(moc_graph_op_compute_once(graph, 0));
  assert_string_equal(moc_graph_op_label(graph, 0), "Random permutation");
  assert_int_equal(moc_graph_op_workspace(graph, 1), 30);
  assert_int_equal(moc_graph_op_outputs(graph, 1).count, 2);
  assert_int_equal(moc_graph_op_outputs(graph, 6).count, 0);
  assert_true(moc_graph_op_name_is_integer(graph, 6));
  assert_int_equal(moc_graph_tensor_producer(graph, 0), MOC_NONE);
  assert_true(moc_graph_tensor_keep(graph, 1));
  assert_int_equal(moc_graph_tensor_base(graph, 5), 3);
  assert_int_equal(moc_graph_tensor_size(graph, 5), 0);
  assert_int_equal(moc_graph_op_reads(graph, 3).count, 2); /* the view and its base */
  moc_graph_destroy(graph);
}

/* Views may stand before their bases, and outputs in an order of their own; the graph has them in a fitting order.
 * */
static void native_out_of_order(void **state) {
  (void)state;
  moc_graph *graph =
      read_text("{\"format\":\"moccasin-graph\",\"version\":1,\"metadata\":[1,{}],\"operations\":["
                "{\"id\":\"f\",\"duration\":1,\"outputs\":[\"c\",\"a\",\"b\"],\"metadata\":null},"
                "{\"id\":\"g\",\"duration\":1,\"inputs\":[\"v2\",\"v2\"]}],\"tensors\":["
                "{\"id\":\"v2\",\"view_of\":\"v1\"},{\"id\":\"a\",\"size\":1},"
                "{\"id\":\"v1\",\"view_of\":\"b\",\"size\":0},{\"id\":\"b\",\"size\":2,\"metadata\":3},"
                "{\"id\":\"c\",\"size\":3}]}",
                NULL);
  moc_tensor_list outputs = moc_graph_op_outputs(graph, 0), inputs = moc_graph_op_inputs(graph, 1);
  const char *const names[] = {"c", "a", "b"};
  assert_int_equal(outputs.count, 3);
  for (int i = 0; i < 3; i++) assert_string_equal(moc_graph_tensor_name(graph, outputs.items[i]), names[i]);
  assert_int_equal(inputs.count, 1);
  assert_string_equal(moc_graph_tensor_name(graph, inputs.items[0]), "v2");
  assert_int_equal(moc_graph_op_reads(graph, 1).count, 3);
  moc_graph_destroy(graph);
}

/* An operation lists a view before its base, through a longer chain too: the bases go first, and all are there. */
static void native_views_before_bases(void **state) {
  (void)state;
  moc_graph *graph = read_text("{\"format\":\"moccasin-graph\",\"version\":1,\"operations\":["
                               "{\"id\":\"f\",\"duration\":1,\"outputs\":[\"v\",\"u\",\"z\",\"k\"]},"
                               "{\"id\":\"g\",\"duration\":1,\"outputs\":[\"p\",\"q\"]}],\"tensors\":["
                               "{\"id\":\"k\",\"view_of\":\"z\",\"keep\":true},{\"id\":\"u\",\"view_of\":\"z\"},"
                               "{\"id\":\"z\",\"size\":8},{\"id\":\"v\",\"view_of\":\"u\"},"
                               "{\"id\":\"p\",\"view_of\":\"q\"},{\"id\":\"q\",\"size\":1}]}",
                               NULL);
  assert_int_equal(moc_graph_tensors(graph), 6);
  for (moc_tensor t = 0; t < 6; t++) {
    const char *name = moc_graph_tensor_name(graph, t);
    moc_tensor base = moc_graph_tensor_base(graph, t);
    const char *expected = *name == 'k' || *name == 'u' ? "z" : *name == 'v' ? "u" : *name == 'p' ? "q" : NULL;
    if (expected == NULL)
      assert_int_equal(base, MOC_NONE);
    else
      assert_string_equal(moc_graph_tensor_name(graph, base), expected);
    assert_int_equal(moc_graph_tensor_keep(graph, t), *name == 'k' || *name == 'z');
    assert_int_equal(moc_graph_tensor_producer(graph, t), *name == 'p' || *name == 'q');
  }
  moc_graph_destroy(graph);
}

/* A chain of views as long as it may be, each declared before its base. */
static void deepest_views(void **state) {
  (void)state;
  static char text[200000];
  for (int extra = 0; extra < 2; extra++) {
    int views = MOC_MAX_VIEW_DEPTH + extra, end = 0;
    end += snprintf(text, sizeof text,
                    "{\"format\":\"moccasin-graph\",\"version\":1,\"operations\":["
                    "{\"id\":0,\"duration\":1,\"inputs\":[0]}],\"tensors\":[");
    for (int i = 0; i < views; i++) {
      end += snprintf(text + end, sizeof text - (size_t)end, "{\"id\":%d,\"view_of\":%d},", i, i + 1);
    }
    snprintf(text + end, sizeof text - (size_t)end, "{\"id\":%d,\"size\":5}]}", views);
    moc_error error = {0};
    moc_graph *graph = NULL;
    if (extra == 0) {
      CHECK_OK(moc_graph_read_json(text, strlen(text), NULL, &graph, NULL, &error), error);
      assert_int_equal(moc_graph_op_reads(graph, 0).count, MOC_MAX_VIEW_DEPTH + 1);
      moc_graph_destroy(graph);
    } else {
      CHECK_FAILS(moc_graph_read_json(text, strlen(text), NULL, &graph, NULL, &error), MOC_LIMIT, error);
      assert_string_equal(error.place, "tensors[0].view_of");
    }
  }
}

/* Ids that hash tables of a simple kind would put in one place. */
static void many_like_ids(void **state) {
  (void)state;
  enum { N = 20000 };
  char *text = malloc(N * 64);
  assert_non_null(text);
  size_t end = (size_t)sprintf(text, "{\"links\":[],\"nodes\":[");
  for (int64_t i = 0; i < N; i++) {
    end += (size_t)sprintf(text + end, "%s{\"id\":%lld,\"duration\":1,\"out_cost\":1}", i == 0 ? "" : ",",
                           (long long)i << 32);
  }
  strcpy(text + end, "]}");
  test_allocator allocator;
  test_allocator_init(&allocator);
  moc_graph *graph = NULL;
  moc_error error = {0};
  CHECK_OK(moc_graph_read_json(text, strlen(text), &allocator.allocator, &graph, NULL, &error), error);
  assert_int_equal(moc_graph_operations(graph), N);
  moc_graph_destroy(graph);
  test_allocator_check_empty(&allocator);
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(checkmate_spelling),
      cmocka_unit_test(layered_spelling),
      cmocka_unit_test(edges_spelling),
      cmocka_unit_test(generation_order),
      cmocka_unit_test(choices),
      cmocka_unit_test(one_node_and_byte_order_mark),
      cmocka_unit_test(largest_numbers),
      cmocka_unit_test(native_format),
      cmocka_unit_test(native_out_of_order),
      cmocka_unit_test(native_views_before_bases),
      cmocka_unit_test(deepest_views),
      cmocka_unit_test(many_like_ids),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
