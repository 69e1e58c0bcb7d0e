/* Proofs against enumeration of all staged schedules of tiny graphs, operations with several outputs, workspace, kept
 * tensors, views and compute-once operations included:
 *  - the constraint program's optimum is that of exhaustive search, for 1 to 4 computations of an operation;
 *  - every constraint that it made, and every clause that it learned, holds in every schedule within budget (a tainted
 *    one in those below the target), whatever explanation it came from;
 *  - the covering bound and the retention bound are never above the optimum, whatever the number of computations. */
#include "bounds/cover.h"
#include "bounds/retain.h"
#include "cp/dual.h"
#include "cp/propagate.h"
#include "support/exhaustive.h"
#include "support/graphs.h"
#include "support/plans.h"
#include "support/test.h"

#include <stdlib.h>

enum { GRAPHS = 2000, MOST_STARTS = 8 };

typedef struct schedule {
  const moc__staged *staged;
  uint64_t starts[64]; /* of places: the stages in which it is computed again */
} schedule;

static bool runs_at(const schedule *s, int32_t place, int32_t stage) {
  return place == stage || (s->starts[place] >> stage & 1) != 0;
}

/* Is tensor t read after event (k, p), its producer not running between? By going through all events after it. */
static bool resident(const schedule *s, int32_t t, int32_t k, int32_t p) {
  const moc__staged *g = s->staged;
  int32_t q = g->producer[t];
  for (int32_t stage = k; stage < g->n; stage++) {
    for (int32_t place = stage == k ? p + 1 : 0; place <= stage; place++) {
      if (!runs_at(s, place, stage)) continue;
      for (int64_t i = g->reads.start[place]; i < g->reads.start[place + 1]; i++)
        if (g->reads.items[i] == t) return true;
      if (place == q) return false;
    }
  }
  return g->keep[t];
}

static bool touches(const moc__staged *g, int32_t place, int32_t t) {
  if (g->producer[t] == place) return true;
  for (int64_t i = g->reads.start[place]; i < g->reads.start[place + 1]; i++)
    if (g->reads.items[i] == t) return true;
  return false;
}

static int64_t peak_of(const schedule *s) {
  const moc__staged *g = s->staged;
  int64_t peak = 0;
  for (int32_t k = 0; k < g->n; k++) {
    for (int32_t p = 0; p <= k; p++) {
      if (!runs_at(s, p, k)) continue;
      int64_t bytes = g->workspace[p];
      for (int32_t t = 0; t < g->n_tensors; t++) {
        int32_t q = g->producer[t];
        bool exists = q < k; /* first computed before */
        if (touches(g, p, t) || (exists && resident(s, t, k, p))) bytes += g->size[t];
      }
      if (bytes > peak) peak = bytes;
    }
  }
  return peak;
}

/* The values that a schedule gives to the model's variables. */
static void assign(const moc__model *m, const schedule *s, bool *value) {
  for (int32_t p = 0; p < s->staged->n; p++) {
    const moc__starts *starts = &m->starts[p];
    for (int64_t i = 0; i < starts->n_spans; i++) {
      bool any = false;
      for (int32_t k = starts->spans[i].first; k <= starts->spans[i].last; k++) any |= (s->starts[p] >> k & 1) != 0;
      value[starts->spans[i].variable] = any;
    }
    for (int64_t c = 0; c < starts->n_times; c++) value[starts->times[c]] = __builtin_popcountll(s->starts[p]) > c;
  }
  for (int64_t i = 0; i < m->residency_slots; i++) {
    const moc__residency *r = &m->residencies[i];
    if (r->key < 0) continue;
    const moc__event_row *event = &m->events[r->key / s->staged->n_tensors];
    value[r->variable] = resident(s, (int32_t)(r->key % s->staged->n_tensors), event->stage, event->place);
  }
}

static void check_clause(moc__engine *e, int64_t clause, const bool *value, bool below) {
  const moc__clause *c = moc__clause_at(e, clause);
  const moc__lit *l = (const moc__lit *)(c + 1);
  if (c->tainted && !below) return;
  bool any = false;
  for (int32_t k = 0; k < c->size; k++) any |= value[moc__var(l[k])] != (bool)(l[k] & 1);
  if (!any) fail_msg("a clause (learned: %d) does not hold in a schedule within budget", c->glue);
}

static void check_constraints(moc__model *m, const schedule *s, int64_t extra) {
  moc__engine *e = &m->engine;
  bool *value = calloc((size_t)e->n_vars + 1, sizeof *value);
  assert_non_null(value);
  assign(m, s, value);
  bool below = extra < m->target;
  for (int64_t i = 0; i < e->n_given; i++) check_clause(e, e->given[i], value, below);
  for (int64_t i = 0; i < e->n_learned; i++) check_clause(e, e->learned[i], value, below);
  for (int64_t i = 0; i < e->n_units; i++) {
    moc__lit l = e->units[i].literal;
    if (e->units[i].coefficient == 0 || below) assert_true(value[moc__var(l)] != (bool)(l & 1));
  }
  for (int32_t r = 0; r < e->n_rows; r++) {
    if (r == e->objective && !below) continue;
    int64_t sum = 0;
    for (int32_t i = 0; i < e->rows[r].count; i++) {
      moc__lit l = e->rows[r].terms[i].literal;
      if (value[moc__var(l)] != (bool)(l & 1)) sum += e->rows[r].terms[i].coefficient;
    }
    if (sum > e->rows[r].bound) fail_msg("a memory constraint does not hold in a schedule within budget");
  }
  free(value);
}

/* All schedules within budget. */
static void check_all(moc__model *m, schedule *s, int32_t place, int64_t extra, int64_t *checked) {
  const moc__staged *g = s->staged;
  if (place == g->n) {
    if (peak_of(s) > m->budget) return;
    check_constraints(m, s, extra);
    (*checked)++;
    return;
  }
  int stages = g->compute_once[place] ? 0 : g->n - 1 - place;
  for (uint32_t choice = 0; choice < UINT32_C(1) << stages; choice++) {
    int times = __builtin_popcount(choice);
    if (times > m->max_computes - 1) continue;
    s->starts[place] = (uint64_t)choice << (place + 1);
    check_all(m, s, place + 1, extra + times * g->duration[place], checked);
  }
  s->starts[place] = 0;
}

typedef struct tally {
  int64_t solves, recompute, infeasible, checked, conflicts, learned, bounds, retained, retained_exactly;
} tally;

/* The optimum by the program alone: targets fall to it, or from below rise to it. */
static void prove(const moc__staged *staged, int64_t budget, int max_computes, int64_t best, bool with_dual,
                  bool from_below, tally *count) {
  moc_error error;
  moc_allocator allocator = moc__allocator_or_default(NULL);
  moc__model m;
  CHECK_OK(moc__model_init(&m, staged, budget, max_computes, &allocator, &error), error);
  moc__retain retain;
  CHECK_OK(moc__retain_init(&retain, staged, budget, max_computes, &allocator, &error), error);
  if (best % 2 == 0) (void)moc__retain_improve(&retain, INT64_MAX, 50, NULL, NULL);
  moc__dual *dual = with_dual ? moc__dual_create(&m, &retain) : NULL;
  if (dual != NULL) moc__dual_install(dual);
  int64_t extra = -1;
  if (from_below) moc__model_set_target(&m, 1);
  for (;;) {
    moc__model_end end = moc__model_solve(&m, INT64_MAX / 4, NULL, NULL);
    if (m.stuck || end == MOC__MODEL_LIMIT)
      fail_msg("stuck %d end %d n %d C %d budget %lld best %lld target %lld dual %d below %d", m.stuck, (int)end,
               (int)staged->n, max_computes, (long long)budget, (long long)best, (long long)m.target, with_dual,
               from_below);
    assert_int_not_equal(end, MOC__MODEL_LIMIT);
    if (end == MOC__MODEL_SOLVED) {
      int64_t found = 0;
      for (int64_t i = 0; i < m.n_pairs; i++) found += staged->duration[m.pairs[i].place];
      assert_true(found < m.target);
      assert_true(best >= 0 && found >= best);
      extra = found;
      if (from_below) break;
      moc__model_set_target(&m, found);
    } else {
      if (!from_below || m.target > 400) break;
      assert_true(best < 0 || m.target <= best);
      moc__model_set_target(&m, m.target + 1);
    }
  }
  if (extra != best)
    fail_msg("optimum %lld by the program, %lld by exhaustive search", (long long)extra, (long long)best);
  schedule s = {.staged = staged};
  check_all(&m, &s, 0, 0, &count->checked);
  count->learned += m.engine.n_learned;
  count->conflicts += m.engine.conflicts;
  count->solves++;
  count->recompute += best > 0;
  count->infeasible += best < 0;
  moc__dual_destroy(dual);
  moc__retain_release(&retain);
  moc__model_release(&m);
}

static void check_cover(const moc__staged *staged, int64_t budget, int64_t best, tally *count) {
  moc_error error;
  moc_allocator allocator = moc__allocator_or_default(NULL);
  moc__cover cover;
  CHECK_OK(moc__cover_init(&cover, staged, budget, &allocator, &error), error);
  CHECK_OK(moc__cover_ascend(&cover, INT64_MAX, 300, NULL, NULL, &error), error);
  assert_true(cover.extra >= 0);
  if (best >= 0 && cover.extra > best)
    fail_msg("covering bound %lld, optimum %lld", (long long)cover.extra, (long long)best);
  count->bounds += cover.extra > 0;
  moc__cover_release(&cover);
}

static void check_retain(const moc__staged *staged, int64_t budget, int max_computes, int64_t best, tally *count) {
  moc_error error;
  moc_allocator allocator = moc__allocator_or_default(NULL);
  moc__retain retain;
  CHECK_OK(moc__retain_init(&retain, staged, budget, max_computes, &allocator, &error), error);
  for (int phase = 0; phase < 6; phase++) {
    (void)moc__retain_improve(&retain, phase % 2 == 0 || best < 0 ? INT64_MAX : best + 1, 60, NULL, NULL);
    assert_false(retain.out_of_memory);
    if (best >= 0 && retain.extra > best)
      fail_msg("retention bound %lld, optimum %lld", (long long)retain.extra, (long long)best);
  }
  count->retained += retain.extra > 0;
  count->retained_exactly += best > 0 && retain.extra == best;
  moc__retain_release(&retain);
}

/* A training step: `half` operations forward, each read by its neighbour and by one of those that go back. */
static moc_graph *training_graph(moc__rng *rng, int32_t half) {
  int64_t durations[TEST_MOST_OPS], sizes[TEST_MOST_OPS];
  char texts[2 * TEST_MOST_OPS][3];
  const char *edges[2 * TEST_MOST_OPS];
  int32_t n = 2 * half, n_edges = 0;
  for (int32_t v = 0; v < n; v++) {
    durations[v] = 1 + (int64_t)moc__rng_below(rng, 9);
    sizes[v] = (v < half ? 4 : 1) + (int64_t)moc__rng_below(rng, 8);
  }
  for (int32_t v = 1; v < n; v++) {
    for (int which = 0; which < 2; which++) {
      int32_t u = which == 0 ? v - 1 : n - 1 - v;
      if (which == 1 && (v <= half || u == v - 1)) continue;
      texts[n_edges][0] = (char)('a' + u);
      texts[n_edges][1] = (char)('a' + v);
      texts[n_edges][2] = '\0';
      edges[n_edges] = texts[n_edges];
      n_edges++;
    }
  }
  return test_plain_graph(n, durations, sizes, edges, n_edges, NULL);
}

/* A budget, if there is one, within which the optimum recomputes something. */
static int64_t one_that_recomputes(moc__rng *rng, const test_frontier *frontier) {
  int64_t least = frontier->least_peak[0], found = least;
  uint32_t seen = 0;
  for (int64_t i = 1; i <= frontier->span; i++) {
    if (frontier->least_peak[i] >= least) continue;
    least = frontier->least_peak[i];
    if (moc__rng_below(rng, ++seen) == 0) found = least;
  }
  return found;
}

static void compare(void **state) {
  (void)state;
  moc__rng rng;
  moc__rng_init(&rng, 23, 0);
  tally count = {0};
  int64_t graphs = test_scaled(GRAPHS);
  for (int64_t i = 0; i < graphs; i++) {
    int max_computes = 1 + (int)(i % 4);
    test_shape shape = {.n_ops = max_computes == 2 ? 5 + (int32_t)moc__rng_below(&rng, 3)
                                                   : 4 + (int32_t)moc__rng_below(&rng, 2),
                        .full_model = i % 8 >= 4,
                        .edge_percent = 12 + moc__rng_below(&rng, 30),
                        .most_size = 3 + moc__rng_below(&rng, 30),
                        .most_duration = 1 + moc__rng_below(&rng, 9)};
    bool training = i % 3 == 0;
    moc_graph *graph = training ? training_graph(&rng, i % 16 == 1        ? 4
                                                       : max_computes > 3 ? 2
                                                                          : 3)
                                : test_random_graph(&rng, &shape, NULL);
    const moc_op *order = moc_graph_input_order(graph).items;
    test_frontier frontier;
    test_frontier_init(&frontier, graph, order, max_computes);
    moc_allocator allocator = moc__allocator_or_default(NULL);
    moc__staged staged;
    moc_error error;
    CHECK_OK(moc__staged_init(&staged, graph, order, &allocator, &error), error);
    int64_t budgets[4] = {test_frontier_least_peak(&frontier), test_frontier_least_peak(&frontier) - 1};
    budgets[2] = one_that_recomputes(&rng, &frontier);
    budgets[3] = budgets[2] - 1;
    for (int b = 0; b < 4; b++) {
      if (budgets[b] < 0) continue;
      int64_t best = test_frontier_best(&frontier, budgets[b]);
      if (best >= 0) best -= frontier.baseline_duration;
      prove(&staged, budgets[b], max_computes, best, (i + b) % 3 != 0, (i + b) % 5 == 0, &count);
      check_cover(&staged, budgets[b], best, &count);
      check_retain(&staged, budgets[b], max_computes, best, &count);
    }
    moc__staged_release(&staged);
    test_frontier_release(&frontier);
    moc_graph_destroy(graph);
  }
  print_message(
      "# %lld graphs, %lld proofs (%lld recompute, %lld without schedule), %lld schedules checked against all "
      "constraints, %lld conflicts, %lld learned clauses kept, %lld covering bounds above 0, %lld retention "
      "bounds, %lld of "
      "them the optimum\n",
      (long long)graphs, (long long)count.solves, (long long)count.recompute, (long long)count.infeasible,
      (long long)count.checked, (long long)count.conflicts, (long long)count.learned, (long long)count.bounds,
      (long long)count.retained, (long long)count.retained_exactly);
  if (graphs < GRAPHS / 10) return; /* of so few, shares are chance */
  assert_true(count.recompute > graphs / 4 && count.conflicts > graphs && count.bounds > graphs / 10);
  assert_true(count.retained > count.bounds && count.retained_exactly > graphs / 4);
}

/* Larger graphs, more conflicts: a plan of the whole solver must satisfy whatever is derived with a target just above its
 * duration, and whatever is derived without the target at any time. */
static void plans_satisfy_what_is_learned(void **state) {
  (void)state;
  moc__rng rng;
  moc__rng_init(&rng, 29, 0);
  tally count = {0};
  int64_t graphs = test_scaled(30);
  for (int64_t i = 0; i < graphs; i++) {
    test_shape shape = {.n_ops = 24 + (int32_t)moc__rng_below(&rng, 36),
                        .full_model = i % 2 == 1,
                        .edge_percent = 4 + moc__rng_below(&rng, 4),
                        .most_size = 1000,
                        .most_duration = 50};
    moc_graph *graph = test_random_graph(&rng, &shape, NULL);
    moc_graph_facts facts;
    moc_error error;
    CHECK_OK(moc_graph_get_facts(graph, &facts, &error), error);
    moc_solve_options options;
    moc_solve_options_init(&options);
    options.budget =
        facts.working_set_bound + (facts.baseline_peak - facts.working_set_bound) * (int64_t)(3 + i % 6) / 10;
    options.threads = 1;
    options.moves = 20000;
    options.max_computes = i % 3 == 0 ? 3 : 2;
    moc_plan *plan;
    CHECK_OK(moc_solve(graph, &options, NULL, &plan, &error), error);
    moc_allocator allocator = moc__allocator_or_default(NULL);
    moc__staged staged;
    CHECK_OK(moc__staged_init(&staged, graph, moc_graph_input_order(graph).items, &allocator, &error), error);
    if (plan->length > 0 && plan->total_duration > plan->baseline_duration) {
      schedule s = {.staged = &staged};
      int32_t stage = 0;
      for (int64_t step = 0; step < plan->length; step++) { /* the stage ends with the next first computation */
        int32_t place = 0;
        while (staged.order[place] != plan->sequence[step]) place++;
        if (place == stage)
          stage++;
        else
          s.starts[place] |= UINT64_C(1) << stage;
      }
      assert_true(peak_of(&s) <= options.budget);
      int64_t extra = plan->total_duration - plan->baseline_duration;
      moc__model m;
      CHECK_OK(moc__model_init(&m, &staged, options.budget, options.max_computes, &allocator, &error), error);
      moc__retain retain;
      CHECK_OK(moc__retain_init(&retain, &staged, options.budget, options.max_computes, &allocator, &error), error);
      for (int phase = 0; phase < 3; phase++) (void)moc__retain_improve(&retain, extra, 100, NULL, NULL);
      if (retain.extra > extra)
        fail_msg("retention bound %lld, plan %lld", (long long)retain.extra, (long long)extra);
      moc__dual *dual = moc__dual_create(&m, &retain);
      moc__dual_install(dual);
      moc__model_set_target(&m, extra + 1);
      for (int round = 0; round < 40; round++) {
        moc__model_end end = moc__model_solve(&m, 20, NULL, NULL);
        assert_false(m.stuck);
        check_constraints(&m, &s, extra);
        count.checked++;
        if (end == MOC__MODEL_REFUTED) {
          if (m.target > extra) fail_msg("refuted, but there is a plan");
          break;
        }
        if (end == MOC__MODEL_SOLVED) moc__model_set_target(&m, round % 4 == 3 ? extra + 1 : m.target - 1);
      }
      count.conflicts += m.engine.conflicts;
      count.learned += m.engine.n_learned;
      count.recompute++;
      moc__dual_destroy(dual);
      moc__retain_release(&retain);
      moc__model_release(&m);
    }
    moc__staged_release(&staged);
    moc_plan_destroy(plan);
    moc_graph_destroy(graph);
  }
  print_message("# %lld plans of %lld graphs, checked %lld times: %lld conflicts, %lld learned clauses kept\n",
                (long long)count.recompute, (long long)graphs, (long long)count.checked, (long long)count.conflicts,
                (long long)count.learned);
  assert_true(count.recompute > graphs / 4 && count.conflicts > graphs);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(compare),
      cmocka_unit_test(plans_satisfy_what_is_learned),
  };
  return cmocka_run_group_tests_name("proof", tests, NULL, NULL);
}
