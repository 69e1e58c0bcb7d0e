/* What results at several budgets tell about one another. */
#include "report/sweep.h"

#include "support/test.h"

enum { BASELINE = 100 };

static moc__sweep_point planned(int64_t budget, int64_t duration, int64_t bound, int32_t max_computes) {
  return (moc__sweep_point){.budget = budget,
                            .status = duration == bound ? MOC_PLAN_OPTIMAL : MOC_PLAN_FEASIBLE,
                            .peak_memory = budget - 1,
                            .total_duration = duration,
                            .steps = duration,
                            .lower_bound = bound,
                            .bound_scope = MOC_SCOPE_ORDER,
                            .max_computes = max_computes};
}

static moc__sweep_point without(int64_t budget, moc_plan_status status, moc_bound_scope scope,
                                int32_t max_computes) {
  return (moc__sweep_point){.budget = budget,
                            .status = status,
                            .lower_bound = BASELINE,
                            .bound_scope = scope,
                            .max_computes = max_computes};
}

static void settle(moc__sweep_point *points, int64_t count) {
  moc__sweep sweep = {.facts = {.baseline_duration = BASELINE}, .count = count, .points = points};
  moc__sweep_settle(&sweep);
}

static void plans_hold_at_larger_budgets(void **state) {
  (void)state;
  moc__sweep_point p[] = {planned(90, 120, 101, 6), without(80, MOC_PLAN_UNKNOWN, MOC_SCOPE_ORDER, 6),
                          planned(70, 115, 104, 6)};
  settle(p, 3);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(p[i].total_duration, 115);
    assert_int_equal(p[i].peak_memory, 69);
    assert_int_equal(p[i].status, MOC_PLAN_FEASIBLE);
  }
  assert_int_equal(p[0].lower_bound, 101);
  assert_int_equal(p[1].lower_bound, 101);
  assert_int_equal(p[2].lower_bound, 104);
}

static void bounds_hold_at_smaller_budgets(void **state) {
  (void)state;
  moc__sweep_point p[] = {planned(90, 110, 110, 6), planned(80, 110, 103, 6), planned(70, 125, 109, 2)};
  settle(p, 3);
  assert_int_equal(p[1].status, MOC_PLAN_OPTIMAL);
  assert_int_equal(p[2].status, MOC_PLAN_FEASIBLE);
  assert_int_equal(p[2].lower_bound, 110);
}

static void a_bound_for_fewer_computations_says_nothing_of_more(void **state) {
  (void)state;
  moc__sweep_point p[] = {planned(90, 120, 120, 2), planned(80, 112, 105, 6), planned(70, 140, 106, 6)};
  settle(p, 3);
  assert_int_equal(p[0].total_duration, 112); /* which 2 computations do not reach */
  assert_int_equal(p[0].max_computes, 6);
  assert_int_equal(p[0].status, MOC_PLAN_FEASIBLE);
  assert_int_equal(p[0].lower_bound, BASELINE);
  assert_int_equal(p[1].lower_bound, 105);
  assert_int_equal(p[2].lower_bound, 106);
  moc__sweep_point q[] = {planned(90, 120, 120, 2), planned(80, 130, 105, 6)};
  settle(q, 2);
  assert_int_equal(q[0].status, MOC_PLAN_OPTIMAL);
  assert_int_equal(q[1].lower_bound, 105);
}

static void a_bound_over_all_orders_holds_in_one(void **state) {
  (void)state;
  moc__sweep_point p[] = {planned(90, 110, 108, 2), planned(80, 112, 105, 6)};
  p[0].bound_scope = MOC_SCOPE_ANY;
  settle(p, 2);
  assert_int_equal(p[1].lower_bound, 108);
  moc__sweep_point q[] = {planned(90, 110, 108, 6), planned(80, 112, 105, 6)};
  q[1].bound_scope = MOC_SCOPE_ANY;
  settle(q, 2);
  assert_int_equal(q[1].lower_bound, 105);
}

static void a_bound_of_staged_schedules_says_nothing_of_others(void **state) {
  (void)state;
  moc__sweep_point p[] = {planned(90, 120, 118, 6), planned(80, 115, BASELINE, 6)};
  p[1].bound_scope = MOC_SCOPE_ANY; /* its plan is not staged */
  settle(p, 2);
  assert_int_equal(p[0].total_duration, 115);
  assert_int_equal(p[0].lower_bound, BASELINE);
  assert_int_equal(p[1].lower_bound, BASELINE);
  moc__sweep_point q[] = {planned(90, 120, 112, 6), planned(80, 130, BASELINE, 6)};
  q[1].bound_scope = MOC_SCOPE_ANY;
  settle(q, 2);
  assert_int_equal(q[1].lower_bound, 112);
  assert_int_equal(q[1].bound_scope, MOC_SCOPE_ORDER);
}

static void what_is_excluded_stays_so(void **state) {
  (void)state;
  moc__sweep_point p[] = {planned(90, 110, 108, 6), without(80, MOC_PLAN_INFEASIBLE, MOC_SCOPE_ANY, 6),
                          without(70, MOC_PLAN_UNKNOWN, MOC_SCOPE_ORDER, 64)};
  settle(p, 3);
  assert_int_equal(p[0].status, MOC_PLAN_FEASIBLE);
  assert_int_equal(p[2].status, MOC_PLAN_INFEASIBLE);
  moc__sweep_point q[] = {without(80, MOC_PLAN_INFEASIBLE, MOC_SCOPE_ORDER, 2),
                          without(70, MOC_PLAN_UNKNOWN, MOC_SCOPE_ORDER, 6)};
  settle(q, 2);
  assert_int_equal(q[1].status, MOC_PLAN_UNKNOWN);
  moc__sweep_point r[] = {without(80, MOC_PLAN_INFEASIBLE, MOC_SCOPE_ORDER, 2), planned(70, 130, 120, 6)};
  settle(r, 2);
  assert_int_equal(r[0].status, MOC_PLAN_FEASIBLE);
  assert_int_equal(r[0].total_duration, 130);
  assert_int_equal(r[0].lower_bound, BASELINE);
}

static void whether_to_go_on(void **state) {
  (void)state;
  moc__sweep_point any = without(80, MOC_PLAN_INFEASIBLE, MOC_SCOPE_ANY, 6),
                   order = without(80, MOC_PLAN_INFEASIBLE, MOC_SCOPE_ORDER, 2),
                   unknown = without(80, MOC_PLAN_UNKNOWN, MOC_SCOPE_ORDER, 2);
  assert_false(moc__sweep_excludes(NULL, 0, 0));
  assert_true(moc__sweep_excludes(&any, 1, 0));
  assert_false(moc__sweep_excludes(&order, 1, 0)); /* the solver may allow more */
  assert_true(moc__sweep_excludes(&order, 1, 2));
  assert_false(moc__sweep_excludes(&unknown, 1, 2));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(plans_hold_at_larger_budgets),
      cmocka_unit_test(bounds_hold_at_smaller_budgets),
      cmocka_unit_test(a_bound_for_fewer_computations_says_nothing_of_more),
      cmocka_unit_test(a_bound_over_all_orders_holds_in_one),
      cmocka_unit_test(a_bound_of_staged_schedules_says_nothing_of_others),
      cmocka_unit_test(what_is_excluded_stays_so),
      cmocka_unit_test(whether_to_go_on),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
