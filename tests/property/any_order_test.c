/* The bounds over all orders against exhaustive search over all topological orders of tiny graphs: never above the optimum,
 * whatever order the solver works in; their certificates prove the same; and one made up at random proves no more. */
#include "bounds/any_order.h"
#include "bounds/cut.h"
#include "support/exhaustive.h"
#include "support/graphs.h"
#include "support/plans.h"
#include "support/test.h"
#include "verify/certificates.h"

enum { GRAPHS = 12000, TRIES = 60, MOST_WEIGHTS = 3 };

typedef struct tally {
  int64_t budgets, recomputing, positive, tight, sampled, accepted, cut, tight_cuts, accepted_cuts;
} tally;

/* A random topological order of the graph, and the input order in its places. */
static void random_order(moc__rng *rng, const moc_graph *graph, moc_op *order, int32_t *input_order) {
  int64_t n = moc_graph_operations(graph);
  int32_t place[TEST_MOST_OPS];
  (void)test_random_sequence(rng, graph, 0, order);
  for (int32_t i = 0; i < n; i++) place[order[i]] = i;
  for (int64_t i = 0; i < n; i++) input_order[i] = place[moc_graph_input_order(graph).items[i]];
}

/* The bound of the solver, of a sample or not. Its certificate proves as much to who verifies likewise, and no less to who has the
 * table. */
static int64_t check_bound(const moc_graph *graph, const moc__staged *staged, int64_t budget,
                           const int32_t *input_order, bool sample, int64_t best) {
  moc_allocator allocator = moc__allocator_or_default(NULL);
  moc_plan plan = {.budget = budget, .max_computes = 2, .order = MOC_ORDER_AUTO};
  int64_t extra, bound = 0, baseline = staged->total_duration;
  moc_error error;
  assert_int_equal(
      moc__bound_any_order(staged, budget, input_order, sample, NULL, NULL, &allocator, &extra, &plan.certificate),
      MOC_OK);
  if (baseline + extra > best) fail_msg("bound %lld, optimum %lld", (long long)(baseline + extra), (long long)best);
  if (extra > 0) {
    assert_int_equal(plan.certificate.bound, baseline + extra);
    CHECK_OK(moc__verify_any_order(graph, &plan, sample ? 0 : MOC__TABLED, &allocator, &bound, &error), error);
    assert_int_equal(bound, baseline + extra);
    CHECK_OK(moc_verify_bound(graph, &plan, NULL, &bound, &error), error);
    assert_true(bound >= baseline + extra && bound <= best);
  }
  moc__release(&allocator, plan.certificate.weights);
  return extra;
}

/* The same for least cuts, of which who verifies finds exactly as much. */
static int64_t check_cut(const moc_graph *graph, const moc__staged *staged, int64_t budget, int64_t best) {
  moc_allocator allocator = moc__allocator_or_default(NULL);
  moc_plan plan = {.budget = budget, .max_computes = 2, .order = MOC_ORDER_AUTO};
  int64_t extra, bound = 0, baseline = staged->total_duration;
  moc_error error;
  assert_int_equal(
      moc__bound_cut(staged, budget, true, INT64_MAX, NULL, NULL, &allocator, &extra, &plan.certificate), MOC_OK);
  if (baseline + extra > best) fail_msg("cut %lld, optimum %lld", (long long)(baseline + extra), (long long)best);
  if (extra > 0) {
    assert_int_equal(plan.certificate.bound, baseline + extra);
    CHECK_OK(moc_verify_bound(graph, &plan, NULL, &bound, &error), error);
    assert_int_equal(bound, baseline + extra);
  }
  moc__release(&allocator, plan.certificate.weights);
  return extra;
}

static void check_solver(moc__rng *rng, const moc_graph *graph, int64_t budget, int64_t best, tally *count) {
  moc_allocator allocator = moc__allocator_or_default(NULL);
  moc_op order[TEST_MOST_OPS];
  int32_t input_order[TEST_MOST_OPS];
  random_order(rng, graph, order, input_order);
  moc__staged staged;
  moc_error error;
  CHECK_OK(moc__staged_init(&staged, graph, order, &allocator, &error), error);
  int64_t extra = check_bound(graph, &staged, budget, input_order, false, best);
  count->positive += extra > 0;
  count->tight += extra > 0 && staged.total_duration + extra == best;
  count->sampled += check_bound(graph, &staged, budget, input_order, true, best) > 0;
  int64_t cut = check_cut(graph, &staged, budget, best);
  count->cut += cut > 0;
  count->tight_cuts += cut > 0 && staged.total_duration + cut == best;
  moc__staged_release(&staged);
}

static void try_certificates(moc__rng *rng, const moc_graph *graph, int64_t budget, int64_t best, tally *count) {
  for (int i = 0; i < TRIES; i++) {
    moc_bound_weight weights[MOST_WEIGHTS];
    moc_plan plan = {.budget = budget, .max_computes = 2, .order = MOC_ORDER_AUTO};
    int64_t n = 1 + moc__rng_below(rng, MOST_WEIGHTS), bound;
    for (int64_t k = 0; k < n; k++)
      weights[k] = (moc_bound_weight){.op = (moc_op)moc__rng_below(rng, (uint32_t)moc_graph_operations(graph)),
                                      .weight = 1 + (int64_t)moc__rng_below(rng, 600)};
    plan.certificate = (moc_certificate){
        .bound = 1, .kind = MOC_CERTIFICATE_ANY_ORDER, .shift = 7, .n_weights = n, .weights = weights};
    moc_error error;
    if (moc_verify_bound(graph, &plan, NULL, &bound, &error) != MOC_OK) continue;
    count->accepted++;
    if (bound > best) fail_msg("a certificate proves %lld, the optimum is %lld", (long long)bound, (long long)best);
    moc_allocator allocator = moc__allocator_or_default(NULL);
    int64_t alone;
    CHECK_OK(moc__verify_any_order(graph, &plan, 0, &allocator, &alone, &error), error);
    assert_true(alone <= bound);
  }
}

static void try_cuts(moc__rng *rng, const moc_graph *graph, int64_t budget, int64_t best, tally *count) {
  for (int i = 0; i < TRIES; i++) {
    moc_bound_weight weight = {.op = (moc_op)moc__rng_below(rng, (uint32_t)moc_graph_operations(graph)),
                               .weight = 1 + (int64_t)moc__rng_below(rng, 600)};
    moc_plan plan = {.budget = budget, .max_computes = 2, .order = MOC_ORDER_AUTO};
    plan.certificate =
        (moc_certificate){.bound = 1, .kind = MOC_CERTIFICATE_CUT, .shift = 7, .n_weights = 1, .weights = &weight};
    int64_t bound;
    moc_error error;
    if (moc_verify_bound(graph, &plan, NULL, &bound, &error) != MOC_OK) continue;
    count->accepted_cuts++;
    if (bound > best) fail_msg("a cut proves %lld, the optimum is %lld", (long long)bound, (long long)best);
  }
}

static void never_above_the_optimum(void **state) {
  (void)state;
  moc__rng rng;
  moc__rng_init(&rng, 43, 0);
  tally count = {0};
  int64_t graphs = test_scaled(GRAPHS);
  for (int64_t i = 0; i < graphs; i++) {
    test_shape shape = {.n_ops = 4 + (int32_t)(i % 3),
                        .full_model = i % 4 >= 2,
                        .edge_percent = 25 + moc__rng_below(&rng, 40),
                        .most_size = 3 + moc__rng_below(&rng, 20),
                        .most_duration = 1 + moc__rng_below(&rng, 12)};
    moc_graph *graph = test_random_graph(&rng, &shape, NULL);
    test_frontier frontier;
    test_frontier_init_any_order(&frontier, graph, shape.n_ops < 5 ? 3 : 2);
    int64_t reached = INT64_MAX;
    for (int64_t k = 0; k <= frontier.span; k++) {
      if (frontier.least_peak[k] >= reached) continue;
      reached = frontier.least_peak[k];
      int64_t best = frontier.baseline_duration + k;
      count.budgets++;
      count.recomputing += k > 0;
      check_solver(&rng, graph, reached, best, &count);
      try_certificates(&rng, graph, reached, best, &count);
      try_cuts(&rng, graph, reached, best, &count);
    }
    test_frontier_release(&frontier);
    moc_graph_destroy(graph);
  }
  print_message(
      "# %lld graphs, %lld budgets (%lld cost something): %lld bounds above 0, %lld of them the optimum, %lld "
      "by samples; %lld made up certificates accepted\n",
      (long long)graphs, (long long)count.budgets, (long long)count.recomputing, (long long)count.positive,
      (long long)count.tight, (long long)count.sampled, (long long)count.accepted);
  print_message("# least cuts: %lld bounds above 0, %lld of them the optimum; %lld made up certificates accepted\n",
                (long long)count.cut, (long long)count.tight_cuts, (long long)count.accepted_cuts);
  assert_true(count.accepted > graphs && count.accepted_cuts > graphs);
  if (graphs < GRAPHS / 10) return; /* too few to say more */
  assert_true(count.positive > count.recomputing / 3 && count.tight > 0 && count.sampled > count.positive / 2);
  assert_true(count.cut > count.recomputing / 2 && count.tight_cuts > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(never_above_the_optimum)};
  return cmocka_run_group_tests_name("any_order", tests, NULL, NULL);
}
