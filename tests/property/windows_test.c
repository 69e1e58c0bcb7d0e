/* Windows of the constraint program against enumeration of all staged schedules of tiny graphs:
 *  - confined to a random window, the program finds the best schedule that starts what is frozen as the given one does, with and
 *    without the bound of what the window leaves of the relaxation; a window that is everything yields the optimum;
 *  - nothing of it is left afterwards: windows follow one another in one model, which then proves the optimum;
 *  - the neighbourhood's plans are within budget, and shorter than the one that they start from; when everything was
 *    searched to its end the plan is optimal. It never raises the lower bound. */
#include "base/clock.h"
#include "cp/windows.h"
#include "support/graphs.h"
#include "support/plans.h"
#include "support/test.h"

#include <stdlib.h>

enum { GRAPHS = 1500, MOST_OPS = 8, MOST_PAIRS = 64, WINDOWS = 6, TRIES = 60 };

typedef struct tally {
  int64_t schedules, windows, shorter, refuted, tries, improved, complete;
} tally;

/* A schedule within the budget: stages of starts, by place. */
typedef struct schedule {
  uint32_t starts[MOST_OPS];
  int64_t extra;
} schedule;

typedef struct schedules {
  const moc_graph *graph;
  const moc__staged *staged;
  int64_t budget;
  int32_t most_starts;
  schedule *items;
  int64_t count, capacity;
} schedules;

static int64_t list_pairs(const moc__staged *staged, const schedule *s, moc__pair *pairs) {
  int64_t count = 0;
  for (int32_t p = 0; p < staged->n; p++) {
    for (int32_t k = p + 1; k < staged->n; k++)
      if ((s->starts[p] >> k & 1) != 0) pairs[count++] = (moc__pair){p, k};
  }
  return count;
}

/* The peak of pairs, by plain evaluation of the sequence. */
static int64_t peak_of(const moc_graph *graph, const moc__staged *staged, moc__pair *pairs, int64_t n_pairs) {
  moc_op sequence[MOST_OPS + MOST_PAIRS];
  moc_error error;
  moc_evaluation evaluation;
  int64_t length = moc__staged_sequence(staged, NULL, pairs, n_pairs, sequence);
  CHECK_OK(moc_evaluate(graph, sequence, length, NULL, &evaluation, &error), error);
  int64_t peak = evaluation.peak_memory;
  moc_evaluation_release(&evaluation);
  return peak;
}

static void enumerate(schedules *all, schedule *s, int32_t place) {
  const moc__staged *staged = all->staged;
  if (place == staged->n) {
    moc__pair pairs[MOST_PAIRS];
    if (peak_of(all->graph, staged, pairs, list_pairs(staged, s, pairs)) > all->budget) return;
    if (all->count == all->capacity) {
      all->capacity = 2 * all->capacity + 64;
      schedule *grown = realloc(all->items, (size_t)all->capacity * sizeof *grown);
      assert_non_null(grown);
      all->items = grown;
    }
    all->items[all->count++] = *s;
    return;
  }
  int stages = staged->compute_once[place] ? 0 : staged->n - 1 - place;
  for (uint32_t choice = 0; choice < UINT32_C(1) << stages; choice++) {
    int times = __builtin_popcount(choice);
    if (times > all->most_starts) continue;
    schedule next = *s;
    next.starts[place] = choice << (place + 1);
    next.extra += times * staged->duration[place];
    enumerate(all, &next, place + 1);
  }
}

static bool agrees(const schedule *a, const schedule *b, const bool *frozen, int32_t n) {
  for (int32_t p = 0; p < n; p++)
    if (frozen[p] && a->starts[p] != b->starts[p]) return false;
  return true;
}

static int64_t best_of(const schedules *all, const schedule *from, const bool *frozen) {
  int64_t best = INT64_MAX;
  for (int64_t i = 0; i < all->count; i++) {
    const schedule *s = &all->items[i];
    if (s->extra < best && agrees(s, from, frozen, all->staged->n)) best = s->extra;
  }
  return best;
}

static schedule read_pairs(const moc__staged *staged, const moc__pair *pairs, int64_t n_pairs) {
  schedule s = {0};
  for (int64_t i = 0; i < n_pairs; i++) {
    s.starts[pairs[i].place] |= UINT32_C(1) << pairs[i].stage;
    s.extra += staged->duration[pairs[i].place];
  }
  return s;
}

/* One window of a model; the best of it is left in *found. */
static void search_window(const schedules *all, moc__model *m, const schedule *from, const bool *frozen,
                          tally *count) {
  const moc__staged *staged = all->staged;
  moc__pair pairs[MOST_PAIRS];
  int64_t first[MOST_OPS + 1], n_pairs = list_pairs(staged, from, pairs), i = 0;
  bool held[MOST_OPS];
  memcpy(held, frozen, (size_t)staged->n * sizeof *held);
  for (int32_t p = 0; p < staged->n; p++) {
    first[p] = i;
    while (i < n_pairs && pairs[i].place == p) i++;
  }
  first[staged->n] = i;
  moc__window window = {held, pairs, first};
  int64_t extra = from->extra;
  assert_true(moc__model_enter(m, &window, extra));
  moc__model_end end;
  while ((end = moc__model_solve(m, INT64_MAX / 4, NULL, NULL)) == MOC__MODEL_SOLVED) {
    schedule s = read_pairs(staged, m->pairs, m->n_pairs);
    assert_true(s.extra < extra);
    if (!agrees(&s, from, frozen, staged->n)) fail_msg("a plan starts a frozen operation elsewhere");
    assert_true(peak_of(all->graph, staged, m->pairs, m->n_pairs) <= all->budget);
    extra = s.extra;
    moc__model_set_target(m, extra);
  }
  assert_int_equal(end, MOC__MODEL_REFUTED);
  assert_false(m->stuck);
  moc__model_leave(m);
  int64_t best = best_of(all, from, frozen);
  if (extra != best) fail_msg("%lld in the window, %lld by enumeration", (long long)extra, (long long)best);
  count->windows++;
  count->shorter += extra < from->extra;
  count->refuted += extra == from->extra;
}

static void confine(const schedules *all, moc__rng *rng, bool with_dual, int64_t optimum, tally *count) {
  moc_allocator allocator = moc__allocator_or_default(NULL);
  moc_error error;
  moc__model m;
  moc__retain retain;
  CHECK_OK(moc__model_init(&m, all->staged, all->budget, all->most_starts + 1, &allocator, &error), error);
  CHECK_OK(moc__retain_init(&retain, all->staged, all->budget, all->most_starts + 1, &allocator, &error), error);
  (void)moc__retain_improve(&retain, INT64_MAX, 50, NULL, NULL);
  moc__dual *dual = moc__dual_create(&m, &retain);
  assert_non_null(dual);
  if (with_dual) moc__dual_install(dual);
  for (int i = 0; i < WINDOWS; i++) {
    const schedule *from = &all->items[moc__rng_below(rng, (uint32_t)all->count)];
    bool frozen[MOST_OPS];
    for (int32_t p = 0; p < all->staged->n; p++) frozen[p] = i > 0 && moc__rng_below(rng, 2) == 0;
    search_window(all, &m, from, frozen, count);
    if (i % 3 != 1) continue;
    /* A target between windows. */
    moc__model_set_target(&m, optimum);
    assert_int_equal(moc__model_solve(&m, INT64_MAX / 4, NULL, NULL), MOC__MODEL_REFUTED);
    moc__model_set_target(&m, optimum + 1);
    moc__model_end end = moc__model_solve(&m, INT64_MAX / 4, NULL, NULL);
    if (end != MOC__MODEL_SOLVED)
      fail_msg("%d instead of a schedule of the optimum, %lld, bound: %d", (int)end, (long long)optimum, with_dual);
  }
  moc__dual_destroy(dual);
  moc__retain_release(&retain);
  moc__model_release(&m);
}

/* The neighbourhood, from a schedule to where it gets. Its extra duration. */
static int64_t improve(const schedules *all, const schedule *from, bool with_dual, uint64_t seed, int64_t optimum,
                       tally *count) {
  moc_allocator allocator = moc__allocator_or_default(NULL);
  moc_error error;
  moc__incumbent incumbent;
  moc__pool pool;
  moc__model m;
  moc__retain retain;
  moc__windows windows;
  moc__pair pairs[MOST_PAIRS];
  int64_t n_pairs = list_pairs(all->staged, from, pairs);
  CHECK_OK(moc__incumbent_init(&incumbent, &allocator, moc__seconds(), all->staged, all->budget, &error), error);
  CHECK_OK(moc__pool_init(&pool, all->staged->n, &allocator, &error), error);
  CHECK_OK(moc__model_init(&m, all->staged, all->budget, all->most_starts + 1, &allocator, &error), error);
  CHECK_OK(moc__retain_init(&retain, all->staged, all->budget, all->most_starts + 1, &allocator, &error), error);
  (void)moc__retain_improve(&retain, INT64_MAX, 50, NULL, NULL);
  moc__dual *dual = with_dual ? moc__dual_create(&m, &retain) : NULL;
  if (dual != NULL) moc__dual_install(dual);
  CHECK_OK(moc__windows_init(&windows, &m, dual, dual != NULL ? &retain : NULL, &incumbent, &pool, seed), error);
  for (int i = 0; i < MOC__WINDOW_WAYS; i++) windows.ways[i].size = 1;
  moc__incumbent_offer_pairs(&incumbent, pairs, n_pairs, from->extra, all->budget, all->most_starts + 1);
  int64_t extra = from->extra;
  for (int i = 0; i < TRIES && !windows.complete && !moc__stopped(&incumbent) && moc__windows_try(&windows); i++) {
    int64_t now = moc__incumbent_extra(&incumbent);
    assert_true(now <= extra && now >= optimum);
    assert_true(peak_of(all->graph, all->staged, incumbent.pairs, incumbent.n_pairs) <= all->budget);
    assert_true(read_pairs(all->staged, incumbent.pairs, incumbent.n_pairs).extra == now);
    extra = now;
    count->tries++;
  }
  assert_false(m.engine.out_of_memory || m.stuck);
  assert_true(incumbent.lower_bound == all->staged->total_duration);
  if (windows.complete && extra != optimum)
    fail_msg("everything was searched at %lld, the optimum is %lld", (long long)extra, (long long)optimum);
  count->complete += windows.complete;
  count->improved += windows.improved;
  moc__windows_release(&windows);
  moc__dual_destroy(dual);
  moc__retain_release(&retain);
  moc__model_release(&m);
  moc__pool_release(&pool);
  moc__incumbent_release(&incumbent);
  return extra;
}

static void compare(void **state) {
  (void)state;
  moc__rng rng;
  moc__rng_init(&rng, 31, 0);
  tally count = {0};
  int64_t graphs = test_scaled(GRAPHS);
  for (int64_t i = 0; i < graphs; i++) {
    int32_t most_starts = 1 + (int32_t)(i % 3);
    test_shape shape = {.n_ops = most_starts == 1 ? 6 : 5,
                        .full_model = i % 4 == 3,
                        .edge_percent = 20 + moc__rng_below(&rng, 30),
                        .most_size = 3 + moc__rng_below(&rng, 30),
                        .most_duration = 1 + moc__rng_below(&rng, 9)};
    moc_graph *graph = test_random_graph(&rng, &shape, NULL);
    moc_graph_facts facts;
    moc_error error;
    moc_allocator allocator = moc__allocator_or_default(NULL);
    moc__staged staged;
    CHECK_OK(moc_graph_get_facts(graph, &facts, &error), error);
    CHECK_OK(moc__staged_init(&staged, graph, moc_graph_input_order(graph).items, &allocator, &error), error);
    int64_t room = facts.baseline_peak - facts.working_set_bound;
    schedules all = {.graph = graph,
                     .staged = &staged,
                     .budget =
                         facts.working_set_bound + (room > 0 ? (int64_t)moc__rng_below(&rng, (uint32_t)room) : 0),
                     .most_starts = most_starts};
    enumerate(&all, &(schedule){0}, 0);
    if (all.count > 0) {
      bool everything[MOST_OPS] = {false};
      int64_t optimum = best_of(&all, &all.items[0], everything);
      count.schedules += all.count;
      confine(&all, &rng, i % 2 == 0, optimum, &count);
      const schedule *from = &all.items[moc__rng_below(&rng, (uint32_t)all.count)];
      uint64_t seed = (uint64_t)i;
      int64_t extra = improve(&all, from, i % 2 == 1, seed, optimum, &count);
      if (i % 10 == 0) assert_true(improve(&all, from, i % 2 == 1, seed, optimum, &count) == extra);
    }
    free(all.items);
    moc__staged_release(&staged);
    moc_graph_destroy(graph);
  }
  print_message("# %lld graphs, %lld schedules, %lld windows (%lld with a shorter plan), %lld tries of the "
                "neighbourhood (%lld "
                "with a shorter plan), %lld of which searched everything\n",
                (long long)graphs, (long long)count.schedules, (long long)count.windows, (long long)count.shorter,
                (long long)count.tries, (long long)count.improved, (long long)count.complete);
  assert_true(count.shorter > graphs && count.refuted > graphs / 2);
  assert_true(count.improved > graphs / 4 && count.complete > graphs / 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(compare)};
  return cmocka_run_group_tests_name("property/windows", tests, NULL, NULL);
}
