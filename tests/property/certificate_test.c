/* Retention and branching certificates against exhaustive search: whatever certificate moc_verify_bound accepts, it proves
 * no more than the optimum. Certificates are made up at random and improved by chance, half of them from what the solver
 * hands out, so that they come close. */
#include "base/base.h"
#include "support/exhaustive.h"
#include "support/graphs.h"
#include "support/plans.h"
#include "support/test.h"

#include <stdlib.h>

enum {
  GRAPHS = 2000,
  TRIES = 1000,
  MOST_WEIGHTS = 8,
  MOST_SHARES = 24,
  MOST_PARTS = 3,
  MOST_BRANCHES = 9,
  ALL = 1 << 20,
  SHIFT = 8
};

typedef struct draft {
  moc_bound_weight weights[MOST_WEIGHTS];
  moc_bound_share shares[MOST_SHARES];
  int64_t n_weights, n_shares;
  int64_t parts[MOST_PARTS]; /* of a tree: none where n_branches is 0 */
  moc_bound_branch branches[MOST_BRANCHES];
  int64_t n_branches;
} draft;

typedef struct tally {
  int64_t accepted, with_shares, recomputing, tight, positive, branching;
} tally;

static moc_bound_weight random_weight(moc__rng *rng, const moc_graph *graph) {
  moc_op_list order = moc_graph_input_order(graph);
  uint32_t stage = moc__rng_below(rng, (uint32_t)order.count);
  uint32_t place = moc__rng_below(rng, 3) > 0 ? stage : moc__rng_below(rng, stage + 1);
  return (moc_bound_weight){order.items[place], order.items[stage], 1 + (int64_t)moc__rng_below(rng, 400)};
}

static moc_bound_share random_share(moc__rng *rng, const moc_graph *graph, int64_t n_weights) {
  moc_bound_share s = {.weight = moc__rng_below(rng, (uint32_t)n_weights),
                       .tensor = (moc_tensor)moc__rng_below(rng, (uint32_t)moc_graph_tensors(graph)),
                       .last = (moc_op)moc__rng_below(rng, (uint32_t)moc_graph_operations(graph)),
                       .share = 1 + (int32_t)moc__rng_below(rng, ALL)};
  moc_op_list readers = moc_graph_tensor_readers(graph, s.tensor);
  moc_op producer = moc_graph_tensor_producer(graph, s.tensor);
  if (readers.count > 0 && (producer == MOC_NONE || moc__rng_below(rng, 4) > 0)) {
    s.reader = readers.items[moc__rng_below(rng, (uint32_t)readers.count)];
  } else {
    s.reader = producer == MOC_NONE ? 0 : producer;
    if (moc__rng_below(rng, 4) == 0) s.tensor = MOC_NONE;
  }
  return s;
}

static int by_weight(const void *a, const void *b) {
  const moc_bound_share *x = a, *y = b;
  return (x->weight > y->weight) - (x->weight < y->weight);
}

/* A random tree: `open` places for branches are left when i of them are there. */
static void grow_tree(moc__rng *rng, const moc_graph *graph, draft *d) {
  moc_op_list order = moc_graph_input_order(graph);
  int64_t open = 1;
  d->n_branches = 0;
  while (open > 0) {
    moc_bound_branch *b = &d->branches[d->n_branches];
    uint32_t n = (uint32_t)order.count, place = moc__rng_below(rng, n - 1);
    uint32_t first = place + 1 + moc__rng_below(rng, n - 1 - place);
    *b = (moc_bound_branch){MOC_NONE, MOC_NONE, MOC_NONE, moc__rng_below(rng, MOST_PARTS)};
    if (d->n_branches + open + 2 <= MOST_BRANCHES && moc__rng_below(rng, 4) > 0) {
      b->op = order.items[place];
      b->first = order.items[first];
      b->last = order.items[first + moc__rng_below(rng, n - first)];
      open += 2;
    }
    d->n_branches++;
    open--;
  }
}

/* Parts of a tree begin at ascending weights. */
static void divide(moc__rng *rng, draft *d) {
  d->parts[0] = 0;
  for (int i = 1; i < MOST_PARTS; i++)
    d->parts[i] = moc__max(d->parts[i - 1], moc__rng_below(rng, (uint32_t)d->n_weights + 1));
}

static void change_tree(moc__rng *rng, const moc_graph *graph, draft *d) {
  uint32_t what = moc__rng_below(rng, 4);
  if (d->n_branches == 0 || what == 0) grow_tree(rng, graph, d);
  if (what == 1) divide(rng, d);
  for (int i = 1; i < MOST_PARTS; i++) d->parts[i] = moc__min(d->parts[i], d->n_weights);
  moc_bound_branch *b = &d->branches[moc__rng_below(rng, (uint32_t)d->n_branches)];
  if (what == 2 && b->op == MOC_NONE) b->part = moc__rng_below(rng, MOST_PARTS);
}

static void change(moc__rng *rng, const moc_graph *graph, draft *d) {
  uint32_t what = moc__rng_below(rng, 8);
  if (what == 0 || d->n_weights == 0) {
    if (d->n_weights < MOST_WEIGHTS) d->weights[d->n_weights++] = random_weight(rng, graph);
  } else if (what <= 2) {
    d->weights[moc__rng_below(rng, (uint32_t)d->n_weights)] = random_weight(rng, graph);
  } else if (what <= 4) {
    int64_t *weight = &d->weights[moc__rng_below(rng, (uint32_t)d->n_weights)].weight;
    *weight = 1 + *weight * (1 + moc__rng_below(rng, 8)) / 4;
  } else if (what <= 6 && d->n_weights > 0) {
    int64_t i = d->n_shares < MOST_SHARES ? d->n_shares++ : (int64_t)moc__rng_below(rng, MOST_SHARES);
    d->shares[i] = random_share(rng, graph, d->n_weights);
  } else if (d->n_shares > 0) {
    int64_t i = moc__rng_below(rng, (uint32_t)d->n_shares);
    d->shares[i] = d->shares[--d->n_shares];
  }
  if (d->n_shares > 0) qsort(d->shares, (size_t)d->n_shares, sizeof *d->shares, by_weight);
}

/* What the solver hands out, if that is of the kind and fits. */
static draft solved(const moc_graph *graph, int64_t budget, int max_computes) {
  draft d = {0};
  moc_solve_options options;
  moc_error error;
  moc_plan *plan;
  moc_solve_options_init(&options);
  options.budget = budget;
  options.max_computes = max_computes;
  options.threads = 1;
  options.moves = 300;
  CHECK_OK(moc_solve(graph, &options, NULL, &plan, &error), error);
  const moc_certificate *c = &plan->certificate;
  if (c->bound > 0 && c->kind == MOC_CERTIFICATE_RETENTION && c->n_weights <= MOST_WEIGHTS &&
      c->n_shares <= MOST_SHARES) {
    d.n_weights = c->n_weights;
    d.n_shares = c->n_shares;
    for (int64_t i = 0; i < c->n_weights; i++) {
      d.weights[i] = c->weights[i];
      d.weights[i].weight = (c->weights[i].weight >> moc__max(0, c->shift - SHIFT)) + 1;
    }
    for (int64_t i = 0; i < c->n_shares; i++) d.shares[i] = c->shares[i];
  }
  moc_plan_destroy(plan);
  return d;
}

static void try_certificates(moc__rng *rng, const moc_graph *graph, int64_t budget, int max_computes, int64_t best,
                             int64_t baseline, bool trees, tally *count) {
  draft good = {0};
  if (moc__rng_below(rng, 2) == 0 && best > baseline) good = solved(graph, budget, max_computes);
  int64_t reached = baseline;
  bool shares = false;
  for (int i = 0; i < TRIES; i++) {
    draft d = good;
    for (uint32_t k = i == 0 ? 0 : 1 + moc__rng_below(rng, 3); k > 0; k--) change(rng, graph, &d);
    if (trees) change_tree(rng, graph, &d);
    moc_plan plan = {.budget = budget, .max_computes = max_computes, .order = MOC_ORDER_INPUT};
    plan.certificate = (moc_certificate){.bound = 1,
                                         .kind = trees ? MOC_CERTIFICATE_BRANCHING : MOC_CERTIFICATE_RETENTION,
                                         .n_parts = trees ? MOST_PARTS : 0,
                                         .parts = d.parts,
                                         .n_branches = d.n_branches,
                                         .branches = d.branches,
                                         .max_computes = max_computes == 2 ? 2 : 0,
                                         .shift = SHIFT,
                                         .n_weights = d.n_weights,
                                         .weights = d.weights,
                                         .n_shares = d.n_shares,
                                         .shares = d.shares};
    moc_error error;
    int64_t bound = 0;
    if (moc_verify_bound(graph, &plan, NULL, &bound, &error) != MOC_OK) {
      assert_string_equal(error.place, "certificate");
      continue;
    }
    count->accepted++;
    count->with_shares += d.n_shares > 0;
    count->branching += d.n_branches > 1;
    if (best >= 0 && bound > best)
      fail_msg("a certificate proves %lld, the optimum is %lld", (long long)bound, (long long)best);
    if (bound < reached) continue;
    reached = bound;
    good = d;
    shares = d.n_shares > 0;
  }
  count->recomputing += best > baseline;
  count->positive += reached > baseline && shares;
  count->tight += best > baseline && reached == best;
}

static void check_random(bool trees) {
  moc__rng rng;
  moc__rng_init(&rng, 41, trees);
  tally count = {0};
  int64_t graphs = test_scaled(GRAPHS);
  for (int64_t i = 0; i < graphs; i++) {
    int max_computes = i % 3 == 0 ? 3 : 2;
    test_shape shape = {.n_ops = max_computes == 2 ? 5 + (int32_t)moc__rng_below(&rng, 3) : 5,
                        .full_model = i % 2 == 1,
                        .edge_percent = 15 + moc__rng_below(&rng, 30),
                        .most_size = 3 + moc__rng_below(&rng, 20),
                        .most_duration = 1 + moc__rng_below(&rng, 12)};
    moc_graph *graph = test_random_graph(&rng, &shape, NULL);
    test_frontier frontier;
    test_frontier_init(&frontier, graph, moc_graph_input_order(graph).items, max_computes);
    int64_t reached = INT64_MAX;
    for (int64_t k = 0; k <= frontier.span; k++) {
      int64_t peak = frontier.least_peak[k];
      if (peak >= reached) continue;
      reached = peak;
      try_certificates(&rng, graph, peak, max_computes, frontier.baseline_duration + k, frontier.baseline_duration,
                       trees, &count);
    }
    test_frontier_release(&frontier);
    moc_graph_destroy(graph);
  }
  print_message("# %lld graphs: %lld certificates accepted, %lld of them with shares, %lld with branches; of %lld "
                "budgets that cost something "
                "%lld had the optimum proved by one; %lld times the best one had shares\n",
                (long long)graphs, (long long)count.accepted, (long long)count.with_shares,
                (long long)count.branching, (long long)count.recomputing, (long long)count.tight,
                (long long)count.positive);
  assert_true(count.accepted > graphs);
  assert_true(!trees || count.branching > graphs);
  if (graphs < GRAPHS / 10) return; /* too few to say more */
  assert_true(count.with_shares > graphs && count.tight * 8 > count.recomputing &&
              count.positive * 100 > count.recomputing);
}

static void no_retention_certificate_proves_too_much(void **state) {
  (void)state;
  check_random(false);
}

static void no_branching_certificate_proves_too_much(void **state) {
  (void)state;
  check_random(true);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(no_retention_certificate_proves_too_much),
                                     cmocka_unit_test(no_branching_certificate_proves_too_much)};
  return cmocka_run_group_tests_name("certificate", tests, NULL, NULL);
}
