/* The test helpers themselves: an allocator that miscounted would prove nothing. */
#include "support/allocator.h"
#include "support/exhaustive.h"
#include "support/graphs.h"
#include "support/test.h"

static void counts_blocks_and_bytes(void **state) {
  (void)state;
  test_allocator it;
  test_allocator_init(&it);
  moc_allocator *a = &it.allocator;
  void *x = a->allocate(a->context, 10), *y = a->resize(a->context, NULL, 20);
  assert_non_null(x);
  assert_non_null(y);
  assert_int_equal(it.live_blocks, 2);
  assert_int_equal(it.live_bytes, 30);
  memset(x, 7, 10);
  x = a->resize(a->context, x, 100);
  assert_non_null(x);
  assert_int_equal(((unsigned char *)x)[9], 7);
  assert_int_equal(it.live_blocks, 2);
  assert_int_equal(it.live_bytes, 120);
  a->release(a->context, x);
  a->release(a->context, y);
  a->release(a->context, NULL);
  assert_int_equal(it.live_bytes, 0);
  assert_int_equal(it.most_bytes, 120);
  assert_int_equal(it.calls, 3);
  test_allocator_check_empty(&it);
}

static void fails_when_told(void **state) {
  (void)state;
  test_allocator it;
  test_allocator_init_failing(&it, 2, 1);
  moc_allocator *a = &it.allocator;
  void *x = a->allocate(a->context, 8);
  assert_non_null(x);
  assert_false(it.failed);
  assert_null(a->resize(a->context, x, 16)); /* x stays as it is */
  assert_true(it.failed);
  x = a->resize(a->context, x, 16);
  assert_non_null(x);
  a->release(a->context, x);
  test_allocator_check_empty(&it);
}

/* The worked example of docs/memory.md, by hand: a computed again in the stage of d peaks at 9, in that of e at 8. */
static void exhaustive_search_finds_the_worked_example(void **state) {
  (void)state;
  moc_graph *graph = test_worked_example(NULL);
  test_frontier frontier;
  test_frontier_init(&frontier, graph, moc_graph_input_order(graph).items, 2);
  /* 1 + the later places, for every place: 5 * 4 * 3 * 2 * 1. */
  assert_int_equal(frontier.schedules, 120);
  assert_int_equal(test_frontier_best(&frontier, 11), 8);
  assert_int_equal(test_frontier_best(&frontier, 10), 9);
  assert_int_equal(test_frontier_best(&frontier, 9), 9);
  assert_int_equal(test_frontier_best(&frontier, 8), 9);
  assert_int_equal(test_frontier_best(&frontier, 7), -1); /* b reads a: 5 + 3 */
  assert_int_equal(test_frontier_least_peak(&frontier), 8);
  test_frontier_release(&frontier);
  moc_graph_destroy(graph);
}

static void random_graphs_repeat(void **state) {
  (void)state;
  test_shape shape = {.n_ops = 12, .full_model = true, .edge_percent = 20, .most_size = 9, .most_duration = 9};
  moc_graph *graphs[2];
  for (int i = 0; i < 2; i++) {
    moc__rng rng;
    moc__rng_init(&rng, 5, 0);
    graphs[i] = test_random_graph(&rng, &shape, NULL);
  }
  assert_int_equal(moc_graph_tensors(graphs[0]), moc_graph_tensors(graphs[1]));
  assert_int_equal(moc_graph_edges(graphs[0]), moc_graph_edges(graphs[1]));
  for (moc_tensor t = 0; t < moc_graph_tensors(graphs[0]); t++)
    assert_int_equal(moc_graph_tensor_size(graphs[0], t), moc_graph_tensor_size(graphs[1], t));
  moc_graph_destroy(graphs[0]);
  moc_graph_destroy(graphs[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counts_blocks_and_bytes),
      cmocka_unit_test(fails_when_told),
      cmocka_unit_test(exhaustive_search_finds_the_worked_example),
      cmocka_unit_test(random_graphs_repeat),
  };
  return cmocka_run_group_tests_name("support", tests, NULL, NULL);
}
