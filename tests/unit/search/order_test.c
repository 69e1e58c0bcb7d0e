/* The search for an order. */
#include "search/order.h"
#include "support/allocator.h"
#include "support/graphs.h"
#include "support/test.h"

static bool at_once(void *context) {
  (*(int *)context)++;
  return true;
}

/* Bytes above the budget, summed over the steps of a sequence without recomputation. */
static int64_t excess_of(const moc_graph *graph, const moc_op *order, int64_t budget) {
  moc_evaluation evaluation;
  moc_error error;
  CHECK_OK(moc_evaluate(graph, order, moc_graph_operations(graph), NULL, &evaluation, &error), error);
  int64_t excess = 0;
  for (int64_t i = 0; i < evaluation.length; i++) {
    if (evaluation.memory[i] > budget) excess += evaluation.memory[i] - budget;
  }
  moc_evaluation_release(&evaluation);
  return excess;
}

/* The order can be run (moc_evaluate would refuse it otherwise), is never worse than the input order, is the same for
 * the same seed, and an early stop leaves a valid one. */
static void orders_are_topological_and_not_worse(void **unused) {
  (void)unused;
  enum { N = 30 };
  test_allocator memory;
  test_allocator_init(&memory);
  moc__rng rng;
  moc__rng_init(&rng, 8, 0);
  int better = 0;
  for (int graphs = 0; graphs < 12; graphs++) {
    test_shape shape = {
        .n_ops = N, .full_model = graphs % 2 == 1, .edge_percent = 10, .most_size = 40, .most_duration = 9};
    moc_graph *graph = test_random_graph(&rng, &shape, &memory.allocator);
    moc_graph_facts facts;
    moc_error error;
    CHECK_OK(moc_graph_get_facts(graph, &facts, &error), error);
    int64_t budget = facts.baseline_peak * 8 / 10;
    moc_op first[N], second[N], stopped[N];
    int asked = 0;
    CHECK_OK(moc__search_order(graph, budget, 1, NULL, NULL, &memory.allocator, first, &error), error);
    CHECK_OK(moc__search_order(graph, budget, 1, NULL, NULL, &memory.allocator, second, &error), error);
    CHECK_OK(moc__search_order(graph, budget, 1, at_once, &asked, &memory.allocator, stopped, &error), error);
    assert_memory_equal(first, second, sizeof first);
    assert_true(asked <= 1);
    int64_t input = excess_of(graph, moc_graph_input_order(graph).items, budget);
    assert_true(excess_of(graph, first, budget) <= input);
    assert_true(excess_of(graph, stopped, budget) <= input);
    better += excess_of(graph, first, budget) < input;
    moc_graph_destroy(graph);
  }
  assert_true(better > 0);
  test_allocator_check_empty(&memory);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(orders_are_topological_and_not_worse)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
