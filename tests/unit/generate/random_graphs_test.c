/* Layered graphs and chains have the shape that their files promise. */
#include "make.h"

#include <time.h>

static int64_t count_reads(const moc_graph *graph) {
  int64_t reads = 0;
  for (moc_op op = 0; op < moc_graph_operations(graph); op++) reads += moc_graph_op_inputs(graph, op).count;
  return reads;
}

/* The layer of each operation is the length of the longest path to it, since everybody reads the layer before. */
static int64_t find_layers(const moc_graph *graph, int64_t *layers) {
  int64_t most = 0;
  for (moc_op op = 0; op < moc_graph_operations(graph); op++) {
    layers[op] = 0;
    moc_tensor_list reads = moc_graph_op_reads(graph, op);
    for (int64_t i = 0; i < reads.count; i++) {
      int64_t layer = layers[moc_graph_tensor_producer(graph, reads.items[i])] + 1;
      if (layer > layers[op]) layers[op] = layer;
    }
    if (layers[op] > most) most = layers[op];
  }
  return most + 1;
}

static void layered_graphs_are_in_layers(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 50; seed++) {
    moc_graph *graph = make_graph("layered", "nodes=250 size=40 duration=7", seed);
    int64_t layers[250], n_layers = find_layers(graph, layers), skips = 0, within = 0;
    int64_t widths[250] = {0};
    for (moc_op op = 0; op < 250; op++) {
      widths[layers[op]]++;
      if (op > 0) assert_true(layers[op] >= layers[op - 1]); /* the input order goes layer by layer */
      assert_true(moc_graph_op_name_is_integer(graph, op));
      assert_int_equal(atoi(moc_graph_op_name(graph, op)), op);
      assert_in_range(moc_graph_op_duration(graph, op), 1, 7);
      assert_int_equal(moc_graph_op_outputs(graph, op).count, 1);
      moc_tensor output = moc_graph_op_outputs(graph, op).items[0];
      assert_in_range(moc_graph_tensor_size(graph, output), 1, 40);
      /* Nothing is lost but the last, nothing is for free but the first. */
      assert_int_equal(moc_graph_tensor_readers(graph, output).count == 0, op == 249);
      moc_tensor_list reads = moc_graph_op_reads(graph, op);
      assert_int_equal(reads.count == 0, op == 0);
      for (int64_t i = 0; i < reads.count; i++) {
        if (layers[op] - layers[moc_graph_tensor_producer(graph, reads.items[i])] > 1)
          skips++;
        else
          within++;
      }
    }
    assert_int_equal(widths[0], 1);
    assert_int_equal(widths[n_layers - 1], 1);
    for (int64_t i = 1; i < n_layers - 2; i++)
      assert_in_range(widths[i], 2, 20); /* 0.7 * sqrt(250) = 11.07, +- 75 % */
    assert_in_range(skips, 80, 165);     /* a half of 250 are 125 */
    assert_in_range(within, 400, 900);
    moc_graph_destroy(graph);
  }
}

static void density_and_skip_say_how_many_reads(void **state) {
  (void)state;
  moc_graph *graph = make_graph("layered", "nodes=400 width=1000 variation=0 density=1000 skip=0", 1);
  /* 1, then 19 layers of 20 (the last of 18), then 1: every pair of neighbouring layers is complete. */
  assert_int_equal(count_reads(graph), 20 + 18 * 400 + 20 * 18 + 18);
  moc_graph_destroy(graph);
  graph = make_graph("layered", "nodes=400 width=1000 variation=0 density=0 skip=0", 1);
  /* Everybody reads one; whoever was not read is read besides. */
  int64_t sparse = count_reads(graph);
  assert_in_range(sparse, 399, 2 * 399);
  moc_graph_destroy(graph);
  graph = make_graph("layered", "nodes=400 width=1000 variation=0 density=0 skip=1000", 1);
  assert_int_equal(count_reads(graph), sparse + 400 - 21);
  moc_graph_destroy(graph);
}

static void large_layered_graphs_are_quick(void **state) {
  (void)state;
  clock_t start = clock();
  moc_graph *graph = make_graph("layered", "nodes=100000 density=22", 1);
  double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
  assert_in_range(count_reads(graph), 450000, 550000);
  /* About 0.05 s; the limit leaves room for slow machines and sanitizers. */
  if (seconds > 5) fail_msg("took %.1f s", seconds);
  moc_graph_destroy(graph);
}

static void chains_are_as_told(void **state) {
  (void)state;
  moc_graph *graph = make_graph("chain", "length=3 batch=2 size=10 duration=4", 1);
  moc_graph_facts facts;
  moc_error error;
  CHECK_OK(moc_graph_get_facts(graph, &facts, &error), error);
  assert_int_equal(moc_graph_operations(graph), 6);
  assert_int_equal(facts.baseline_duration, 3 * (8 + 16));
  /* f0 f1 f2 and the gradient while b2 runs. */
  assert_int_equal(facts.baseline_peak, 4 * 20);
  assert_string_equal(moc_graph_op_name(graph, 3), "b2");
  assert_int_equal(moc_graph_op_reads(graph, 3).count, 2);
  moc_graph_destroy(graph);

  graph = make_graph("chain", "length=1 training=0", 1);
  assert_int_equal(moc_graph_operations(graph), 1);
  moc_graph_destroy(graph);

  graph = make_graph("chain", "length=1000 random=1 size=50 duration=9 training=0 batch=3", 4);
  int64_t least = INT64_MAX, most = 0;
  for (moc_tensor tensor = 0; tensor < 1000; tensor++) {
    int64_t size = moc_graph_tensor_size(graph, tensor);
    if (size < least) least = size;
    if (size > most) most = size;
    assert_in_range(moc_graph_op_duration(graph, tensor), 3, 27);
  }
  assert_int_equal(least, 3);
  assert_int_equal(most, 150);
  moc_graph_destroy(graph);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(layered_graphs_are_in_layers),
      cmocka_unit_test(density_and_skip_say_how_many_reads),
      cmocka_unit_test(large_layered_graphs_are_quick),
      cmocka_unit_test(chains_are_as_told),
  };
  return cmocka_run_group_tests_name("random graphs", tests, NULL, NULL);
}
