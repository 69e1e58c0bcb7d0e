/* What a graph says of itself: baseline and working-set bound. */
#include "support/graphs.h"
#include "support/test.h"

static void facts_of_the_worked_example(void **state) {
  (void)state;
  moc_graph *graph = test_worked_example(NULL);
  moc_graph_facts facts;
  moc_error error;
  CHECK_OK(moc_graph_get_facts(graph, &facts, &error), error);
  assert_int_equal(facts.baseline_peak, 11);
  assert_int_equal(facts.baseline_peak_step, 2);
  assert_int_equal(facts.baseline_duration, 8);
  assert_int_equal(facts.working_set_bound, 8); /* b and its input a */
  assert_int_equal(facts.working_set_op, 1);
  moc_graph_destroy(graph);
}

/* Tensors: parameters p (4, kept) and q (6); a writes x (10, kept) with a workspace of 3; b reads x and q, writes y (1);
 * `big` is the kept output of an operation without reads. */
static moc_graph *full_model(int64_t big) {
  moc_error error;
  moc_builder *builder = moc_builder_create(NULL);
  assert_non_null(builder);
  moc_tensor_spec p = {.size = 4, .producer = MOC_NONE, .base = MOC_NONE, .keep = true};
  moc_tensor_spec q = {.size = 6, .producer = MOC_NONE, .base = MOC_NONE};
  moc_operation a = {.name = "a", .workspace = 3}, b = {.name = "b"}, c = {.name = "c"};
  moc_tensor_spec x = {.size = 10, .producer = 0, .base = MOC_NONE, .keep = true};
  moc_tensor_spec y = {.size = 1, .producer = 1, .base = MOC_NONE};
  moc_tensor_spec z = {.size = big, .producer = 2, .base = MOC_NONE, .keep = true};
  CHECK_OK(moc_builder_add_tensor(builder, &p, NULL, &error), error);
  CHECK_OK(moc_builder_add_tensor(builder, &q, NULL, &error), error);
  CHECK_OK(moc_builder_add_operation(builder, &a, NULL, &error), error);
  CHECK_OK(moc_builder_add_operation(builder, &b, NULL, &error), error);
  CHECK_OK(moc_builder_add_operation(builder, &c, NULL, &error), error);
  CHECK_OK(moc_builder_add_tensor(builder, &x, NULL, &error), error);
  CHECK_OK(moc_builder_add_tensor(builder, &y, NULL, &error), error);
  CHECK_OK(moc_builder_add_tensor(builder, &z, NULL, &error), error);
  CHECK_OK(moc_builder_add_read(builder, 0, 0, &error), error); /* a reads p: counted once */
  CHECK_OK(moc_builder_add_read(builder, 1, 1, &error), error);
  CHECK_OK(moc_builder_add_read(builder, 1, 2, &error), error);
  moc_graph *graph = NULL;
  CHECK_OK(moc_builder_build(builder, &graph, &error), error);
  moc_builder_destroy(builder);
  return graph;
}

static void the_bound_counts_what_is_resident_throughout(void **state) {
  (void)state;
  moc_graph *graph = full_model(0);
  moc_graph_facts facts;
  moc_error error;
  CHECK_OK(moc_graph_get_facts(graph, &facts, &error), error);
  assert_int_equal(facts.working_set_bound, 21); /* b: p 4 + q 6 + x 10 + y 1; a: p 4 + x 10 + workspace 3 */
  assert_int_equal(facts.working_set_op, 1);
  assert_int_equal(facts.baseline_peak, 23); /* a, while q waits */
  assert_int_equal(facts.baseline_peak_step, 0);
  moc_graph_destroy(graph);
}

static void kept_tensors_may_set_the_bound(void **state) {
  (void)state;
  moc_graph *graph = full_model(100);
  moc_graph_facts facts;
  moc_error error;
  CHECK_OK(moc_graph_get_facts(graph, &facts, &error), error);
  assert_int_equal(facts.working_set_bound, 114); /* p, x and z at the end */
  assert_int_equal(facts.working_set_op, MOC_NONE);
  assert_int_equal(facts.baseline_peak, 114);
  moc_graph_destroy(graph);
}

static void bad_calls_are_refused(void **state) {
  (void)state;
  moc_graph *graph = test_worked_example(NULL);
  moc_graph_facts facts;
  moc_error error;
  CHECK_FAILS(moc_graph_get_facts(NULL, &facts, &error), MOC_INVALID_ARGUMENT, error);
  CHECK_FAILS(moc_graph_get_facts(graph, NULL, &error), MOC_INVALID_ARGUMENT, error);
  moc_graph_destroy(graph);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(facts_of_the_worked_example),
      cmocka_unit_test(the_bound_counts_what_is_resident_throughout),
      cmocka_unit_test(kept_tensors_may_set_the_bound),
      cmocka_unit_test(bad_calls_are_refused),
  };
  return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}
