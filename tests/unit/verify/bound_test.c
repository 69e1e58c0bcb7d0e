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

static void every_operation_once_needs_no_certificate(void **state) {
  (void)state;
  moc_graph *graph = test_worked_example(NULL);
  moc_plan *plan = solve_example(graph, 10);
  moc_certificate own = plan->certificate;
  moc_error error;
  int64_t bound = 0;
  plan->certificate = (moc_certificate){0};
  CHECK_FAILS(moc_verify_bound(graph, plan, NULL, &bound, &error), MOC_INVALID_PLAN, error);
  CHECK_CONTAINS(error.message, "the plan has none, and its lower bound is above the 8");
  assert_int_equal(bound, 0);
  plan->lower_bound = 8;
  CHECK_OK(moc_verify_bound(graph, plan, NULL, &bound, &error), error);
  assert_int_equal(bound, 8);
  plan->certificate = own;
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

static void check_proves(const moc_graph *graph, moc_plan *plan, int64_t proves) {
  moc_error error;
  int64_t bound = 0;
  plan->certificate.bound = proves;
  CHECK_OK(moc_verify_bound(graph, plan, NULL, &bound, &error), error);
  assert_int_equal(bound, proves);
}

/* A certificate for two computations does not hold for a plan that allows three; one for any number does. */
static void check_more_computations(const moc_graph *graph, moc_plan *plan, int64_t proves) {
  int32_t computes = plan->certificate.max_computes;
  plan->max_computes = 3;
  check_refused(graph, plan, "at most 2 computations");
  plan->certificate.max_computes = 0;
  check_proves(graph, plan, proves);
  plan->max_computes = 2;
  plan->certificate.max_computes = computes;
}

/* The worked example once more: 1 byte too much at c, where only a (5 bytes, computed in 1) can be absent. With a whole
 * duration on that byte a run of a costs 1 and saves 5. And then: what is wrong with a certificate is told. */
static void retention_certificates(void **state) {
  (void)state;
  moc_graph *graph = test_worked_example(NULL);
  moc_bound_weight weights[2] = {{.op = 2, .stage = 2, .weight = 52}, {.op = 1, .stage = 3, .weight = 1}};
  moc_bound_share shares[2] = {{.weight = 0, .tensor = 0, .reader = 4, .last = 4, .share = 1 << 20}};
  moc_plan plan = {.budget = 10, .max_computes = 2, .order = MOC_ORDER_INPUT};
  plan.certificate = (moc_certificate){
      .kind = MOC_CERTIFICATE_RETENTION, .max_computes = 2, .shift = 8, .n_weights = 1, .weights = weights};
  moc_certificate good = plan.certificate;
  good.bound = 9;
  check_proves(graph, &plan, 9); /* 52 / 256 a byte: 260 for a's 5 bytes, 4 of them earned */
  weights[0].weight = 256;
  check_proves(graph, &plan, 8);
  weights[0].weight = 52;
  plan.certificate = good;
  plan.certificate.bound = 10;
  check_refused(graph, &plan, "it says that it proves 10; it proves 9");
  plan.certificate = good;
  plan.certificate.max_computes = 3;
  check_refused(graph, &plan, "neither 0 nor 2");
  plan.certificate = good;
  check_more_computations(graph, &plan, 9);
  weights[0].weight = 0;
  check_refused(graph, &plan, "from 1 to 2^44");
  weights[0].weight = (INT64_C(1) << 44) + 1;
  check_refused(graph, &plan, "from 1 to 2^44");
  weights[0].weight = 52;
  weights[0].op = 3; /* d runs after c's stage */
  check_refused(graph, &plan, "an event that is none");
  weights[0].op = 2;
  plan.certificate.kind = (moc_certificate_kind)(MOC_CERTIFICATE_CUT + 1);
  check_refused(graph, &plan, "no known kind");
  plan.certificate = good;
  plan.certificate.n_shares = 1;
  check_refused(graph, &plan, "shares are missing");
  plan.certificate.shares = shares;
  check_refused(graph, &plan, "does not run again in time"); /* e is the last of all */
  shares[0].reader = 1;
  shares[0].last = 4;
  check_proves(graph, &plan, 8); /* all of it for runs of b, of which none is needed: proves nothing */
  shares[0].share = (1 << 20) + 1;
  check_refused(graph, &plan, "more than a whole");
  shares[0].share = 0;
  check_refused(graph, &plan, "not positive");
  shares[0].share = 5;
  shares[0].reader = 3;
  check_refused(graph, &plan, "does not read the tensor");
  shares[0].reader = 1;
  shares[0].tensor = 1;
  check_refused(graph, &plan, "there for certain"); /* c reads b */
  shares[0].tensor = 3;
  check_refused(graph, &plan, "not there"); /* d is not computed yet */
  shares[0].tensor = 5;
  check_refused(graph, &plan, "does not have");
  shares[0] = (moc_bound_share){.weight = 0, .tensor = MOC_NONE, .reader = 2, .last = 2, .share = 5};
  check_refused(graph, &plan, "workspace");
  shares[0].weight = 1;
  check_refused(graph, &plan, "not in the order");
  moc_graph_destroy(graph);
}

/* In every order c comes between b and d, and a is needed by e: with all of them a is there at c, or runs again. */
static void certificates_for_all_orders(void **state) {
  (void)state;
  moc_graph *graph = test_worked_example(NULL);
  moc_bound_weight weights[2] = {{.op = 2, .weight = 52}, {.op = 2, .weight = 1}};
  moc_plan plan = {.budget = 10, .max_computes = 6, .order = MOC_ORDER_AUTO};
  plan.certificate =
      (moc_certificate){.kind = MOC_CERTIFICATE_ANY_ORDER, .shift = 8, .n_weights = 1, .weights = weights};
  check_proves(graph, &plan, 9);
  weights[0].op = 3;
  check_proves(graph, &plan, 8);
  weights[0].op = 5;
  check_refused(graph, &plan, "none");
  weights[0].op = 2;
  weights[0].weight = 0;
  check_refused(graph, &plan, "not positive");
  weights[0].weight = 52;
  plan.certificate.n_weights = 2;
  check_refused(graph, &plan, "two weights");
  moc_graph_destroy(graph);
}

/* The same by what must have been computed before c: a is there, or runs again. At a fifth of a duration a byte a's five bytes are worth as
 * much as its run. Where nothing is missing, nothing is proved. */
static void certificates_of_least_cuts(void **state) {
  (void)state;
  moc_graph *graph = test_worked_example(NULL);
  moc_bound_weight weights[2] = {{.op = 2, .weight = 52}, {.op = 1, .weight = 1}};
  moc_plan plan = {.budget = 10, .max_computes = 6, .order = MOC_ORDER_AUTO};
  plan.certificate = (moc_certificate){.kind = MOC_CERTIFICATE_CUT, .shift = 8, .n_weights = 1, .weights = weights};
  check_proves(graph, &plan, 9);
  plan.budget = 11;
  check_proves(graph, &plan, 8);
  plan.budget = 10;
  weights[0].op = 4;
  check_proves(graph, &plan, 8);
  weights[0].op = 5;
  check_refused(graph, &plan, "none");
  weights[0].op = 2;
  weights[0].weight = 0;
  check_refused(graph, &plan, "not positive");
  weights[0].weight = INT64_C(1) << 58;
  check_refused(graph, &plan, "beyond 2^61");
  weights[0].weight = 52;
  plan.certificate.n_weights = 2;
  check_refused(graph, &plan, "more or less than one");
  plan.certificate.n_weights = 0;
  check_refused(graph, &plan, "more or less than one");
  moc_graph_destroy(graph);
}

/* The worked example by cases: with a run of a (in d's stage or e's) it is one longer, without any there is an eighth byte
 * too many, which a weight makes as dear as one likes. And then: what is wrong with a tree is told. */
static void branching_certificates(void **state) {
  (void)state;
  moc_graph *graph = test_worked_example(NULL);
  moc_bound_weight weights[1] = {{.op = 2, .stage = 2, .weight = 2048}};
  moc_bound_share shares[1] = {{.weight = 0, .tensor = 0, .reader = 1, .last = 4, .share = 1}};
  int64_t parts[2] = {0, 0};
  moc_bound_branch branches[5] = {
      {0, 3, 4, 0}, {MOC_NONE, MOC_NONE, MOC_NONE, 0}, {MOC_NONE, MOC_NONE, MOC_NONE, 1}};
  const moc_bound_branch split = branches[0], leaf = branches[1];
  moc_plan plan = {.budget = 10, .max_computes = 2, .order = MOC_ORDER_INPUT};
  plan.certificate = (moc_certificate){.kind = MOC_CERTIFICATE_BRANCHING,
                                       .max_computes = 2,
                                       .shift = 8,
                                       .n_weights = 1,
                                       .weights = weights,
                                       .n_parts = 2,
                                       .parts = parts,
                                       .n_branches = 3,
                                       .branches = branches};
  moc_certificate good = plan.certificate;
  parts[1] = 0; /* the first part has no weights, the second one all: 8 a byte too many */
  check_proves(graph, &plan, 9);
  branches[0].first = 4; /* in d's stage a may run, too, and saves the byte: but only in one case */
  check_proves(graph, &plan, 8);
  branches[0] = split;
  branches[1].part = 1; /* a run costs 1 and saves 5 bytes: not a whole duration is proved */
  check_proves(graph, &plan, 8);
  branches[1].part = 0;
  branches[2].part = 0;
  check_proves(graph, &plan, 8);
  branches[2].part = 1;
  check_more_computations(graph, &plan, 9);
  plan.certificate.bound = 10;
  check_refused(graph, &plan, "it says that it proves 10; it proves 9");
  plan.certificate.n_branches = 0;
  check_refused(graph, &plan, "parts or branches are missing");
  plan.certificate.n_branches = MOC_MAX_BRANCHES + 1;
  check_refused(graph, &plan, "more than 2^20");
  plan.certificate.n_branches = 2;
  check_refused(graph, &plan, "only one of its answers");
  plan.certificate.n_branches = 4;
  branches[3] = leaf;
  check_refused(graph, &plan, "belong to none");
  plan.certificate.n_branches = 3;
  branches[2].part = 2;
  check_refused(graph, &plan, "a part that it does not have");
  branches[2].part = -1;
  check_refused(graph, &plan, "a part that it does not have");
  branches[2].part = 1;
  branches[0].op = 5;
  check_refused(graph, &plan, "what the graph does not have");
  branches[0].op = 3; /* d is not computed before its own stage */
  check_refused(graph, &plan, "does not run again");
  branches[0] = (moc_bound_branch){0, 4, 3, 0};
  check_refused(graph, &plan, "stages that are none");
  branches[0] = split;
  parts[1] = 2;
  check_refused(graph, &plan, "do not divide");
  parts[1] = 0;
  parts[0] = 1;
  check_refused(graph, &plan, "do not divide");
  parts[0] = 0;
  plan.certificate.n_shares = 1;
  check_refused(graph, &plan, "shares are missing");
  plan.certificate.shares = shares;
  shares[0].weight = 1;
  check_refused(graph, &plan, "not in the order");
  plan.certificate = good;
  /* Not again, and yet again: no such schedule, so only the other cases count. */
  branches[1] = split;
  branches[2] = leaf;
  branches[3] = leaf;
  branches[4] = leaf;
  branches[4].part = 1;
  plan.certificate.n_branches = 5;
  check_proves(graph, &plan, 9);
  branches[1] = (moc_bound_branch){0, 4, 4, 0};
  check_proves(graph, &plan, 9);
  moc_graph_destroy(graph);
}

static void a_tree_may_not_be_too_deep(void **state) {
  (void)state;
  moc_graph *graph = test_worked_example(NULL);
  static moc_bound_branch branches[2 * MOC_MAX_BRANCH_DEPTH + 3];
  int64_t part = 0;
  moc_plan plan = {.budget = 10, .max_computes = 2, .order = MOC_ORDER_INPUT};
  plan.certificate = (moc_certificate){
      .kind = MOC_CERTIFICATE_BRANCHING, .max_computes = 2, .n_parts = 1, .parts = &part, .branches = branches};
  for (int64_t depth = MOC_MAX_BRANCH_DEPTH; depth <= MOC_MAX_BRANCH_DEPTH + 1; depth++) {
    int64_t n = plan.certificate.n_branches = 2 * depth + 1;
    for (int64_t i = 0; i < n; i++)
      branches[i] =
          i < depth ? (moc_bound_branch){0, 3, 4, 0} : (moc_bound_branch){MOC_NONE, MOC_NONE, MOC_NONE, 0};
    plan.certificate.n_weights = 0;
    plan.certificate.weights = &(moc_bound_weight){0};
    if (depth == MOC_MAX_BRANCH_DEPTH)
      check_proves(graph, &plan, 8);
    else
      check_refused(graph, &plan, "too deep");
  }
  moc_graph_destroy(graph);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(retention_certificates),
      cmocka_unit_test(branching_certificates),
      cmocka_unit_test(a_tree_may_not_be_too_deep),
      cmocka_unit_test(certificates_for_all_orders),
      cmocka_unit_test(certificates_of_least_cuts),
      cmocka_unit_test(a_solve_certifies_its_bound),
      cmocka_unit_test(every_operation_once_needs_no_certificate),
      cmocka_unit_test(what_proves_less_is_refused),
  };
  return cmocka_run_group_tests_name("bound", tests, NULL, NULL);
}
