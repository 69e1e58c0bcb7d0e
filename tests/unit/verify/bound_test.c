/* Certificates of lower bounds: what a solve hands out proves what it says; what was tampered with is refused. */
#include "support/graphs.h"
#include "support/plans.h"
#include "support/test.h"

/* a (5 bytes) is needed by b and, after c and d, by e: at c all of a, b and c is there. */
static moc_plan *solve_example(moc_graph *graph, int64_t budget) {
  moc_solve_options options;
  moc_solve_options_init(&options);
  options.budget = budget;
  options.threads = 1;
  options.moves = 2000;
  options.max_computes = 2;
  moc_plan *plan = NULL;
  moc_error error;
  CHECK_OK(moc_solve(graph, &options, NULL, &plan, &error), error);
  return plan;
}

static void a_solve_certifies_its_bound(void **state) {
  (void)state;
  moc_graph *graph = test_worked_example(NULL);
  moc_plan *plan = solve_example(graph, 10);
  moc_error error;
  int64_t bound = 0;
  assert_int_equal(plan->status, MOC_PLAN_OPTIMAL);
  assert_int_equal(plan->lower_bound, 9);
  assert_int_equal(plan->bound_scope, MOC_SCOPE_ORDER);
  CHECK_OK(moc_verify_bound(graph, plan, NULL, &bound, &error), error);
  assert_int_equal(bound, 9);
  CHECK_OK(moc_verify_bound(graph, plan, NULL, NULL, &error), error);
  moc_plan_destroy(plan);
  moc_graph_destroy(graph);
}

static void check_refused(const moc_graph *graph, const moc_plan *plan, const char *part) {
  moc_error error;
  int64_t bound = 77;
  CHECK_FAILS(moc_verify_bound(graph, plan, NULL, &bound, &error), MOC_INVALID_PLAN, error);
  assert_string_equal(error.place, "certificate");
  CHECK_CONTAINS(error.message, part);
  assert_int_equal(bound, 77);
}

static void what_proves_less_is_refused(void **state) {
  (void)state;
  moc_graph *graph = test_worked_example(NULL);
  moc_plan *plan = solve_example(graph, 10);
  moc_certificate good = plan->certificate;
  moc_bound_weight weights[2] = {good.weights[0], good.weights[0]};

  plan->certificate.bound = 10;
  check_refused(graph, plan, "it says that it proves 10; it proves 9");
  plan->certificate = good;
  plan->certificate.weights = weights;
  weights[0].weight = -1;
  check_refused(graph, plan, "not positive");
  weights[0] = good.weights[0];
  weights[0].op = 5;
  check_refused(graph, plan, "none");
  weights[0] = good.weights[0];
  plan->certificate.n_weights = 2;
  check_refused(graph, plan, "two weights");
  plan->certificate.n_weights = 1;
  weights[0].op = (good.weights[0].op + 3) % 5;
  check_refused(graph, plan, "it proves 8");
  weights[0] = good.weights[0];
  weights[0].weight = INT64_MAX;
  plan->certificate.shift = 0;
  check_refused(graph, plan, "it proves 8");
  plan->certificate.shift = 61;
  check_refused(graph, plan, "shift");
  plan->certificate = good;
  plan->budget = 11; /* with more room the weights prove less */
  check_refused(graph, plan, "it proves 8");
  plan->budget = 10;
  plan->certificate.bound = 0;
  check_refused(graph, plan, "none");
  plan->certificate = good;
  moc_plan_destroy(plan);
  moc_graph_destroy(graph);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_solve_certifies_its_bound),
      cmocka_unit_test(what_proves_less_is_refused),
  };
  return cmocka_run_group_tests_name("bound", tests, NULL, NULL);
}
