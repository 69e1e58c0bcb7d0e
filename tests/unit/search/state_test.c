/* The incremental state against plain evaluation, over random toggles of random graphs: after every toggle the
 * duration, the memory of every stage and the excess are those of the sequence. */
#include "search/state.h"
#include "support/allocator.h"
#include "support/graphs.h"
#include "support/plans.h"
#include "support/test.h"

#include <stdlib.h>

enum { STEPS = 30000, PER_GRAPH = 200, MOST_OPS = 20 };

/* The level that `bytes` at a step amount to, when nothing is resident throughout. */
static int64_t units_of(const moc__state *state, int64_t bytes) {
  assert_int_equal((bytes - state->throughout) % state->unit, 0);
  return (bytes - state->throughout) / state->unit;
}

/* What plain evaluation says of the state's order and set of pairs must be what the state says. */
static void check_against_evaluation(const moc__state *state, const moc_graph *graph, const moc_allocator *a) {
  const moc__staged *staged = state->staged;
  moc__pair *pairs = MOC__NEW(a, state->n_pairs, moc__pair);
  int64_t length = staged->n + state->n_pairs;
  moc_op *sequence = MOC__NEW(a, length, moc_op);
  assert_non_null(pairs);
  assert_non_null(sequence);
  if (state->n_pairs > 0) memcpy(pairs, state->pairs, (size_t)state->n_pairs * sizeof *pairs);
  moc__staged_sequence(staged, state->order, pairs, state->n_pairs, sequence);
  moc_evaluation evaluation;
  moc_error error;
  CHECK_OK(moc_evaluate(graph, sequence, length, a, &evaluation, &error), error);
  moc_plan plan = test_plan_of(graph, sequence, &evaluation);
  (void)test_verify(graph, &plan);

  assert_int_equal(evaluation.duration, staged->total_duration + state->extra_duration);
  assert_int_equal(evaluation.peak_memory, moc__state_peak(state));
  int64_t step = 0, excess = 0;
  for (int32_t place = 0; place < staged->n; place++) {
    int32_t k = state->order[place];
    assert_int_equal(state->place[k], place);
    int64_t peak = 0;
    for (int64_t i = 0; i < state->n_pairs; i++) {
      if (pairs[i].stage == k) peak = moc__max(peak, evaluation.memory[step++]);
    }
    peak = moc__max(peak, evaluation.memory[step++]);
    assert_int_equal(units_of(state, peak), moc__profile_level(&state->profile, place));
    excess += state->profile.weight[place] * moc__max(units_of(state, peak) - state->profile.budget, 0);
  }
  assert_int_equal(excess, state->profile.excess);
  moc_evaluation_release(&evaluation);
  moc__release(a, pairs);
  moc__release(a, sequence);
}

/* A random pair to add, or one of the set to remove; whether that was done. */
static bool random_toggle(moc__state *state, moc__rng *rng) {
  if (state->n_pairs > 0 && moc__rng_below(rng, 5) < 2) {
    moc__pair pair = state->pairs[moc__rng_below(rng, (uint32_t)state->n_pairs)];
    assert_true(moc__has_pair(state, pair.place, pair.stage));
    assert_true(moc__state_remove(state, pair.place, pair.stage));
    assert_false(moc__state_remove(state, pair.place, pair.stage));
    return true;
  }
  if (state->staged->n < 2) return false;
  int32_t stage_at = 1 + (int32_t)moc__rng_below(rng, (uint32_t)(state->staged->n - 1));
  int32_t stage = state->order[stage_at], place = state->order[moc__rng_below(rng, (uint32_t)stage_at)];
  bool there = moc__has_pair(state, place, stage);
  bool allowed = !there && !state->staged->compute_once[place] && state->count[place] < state->max_computes;
  assert_int_equal(moc__state_add(state, place, stage), allowed);
  return allowed;
}

/* A random operation to a random place of its window. */
static bool random_reorder(moc__state *state, moc__rng *rng) {
  int32_t v = (int32_t)moc__rng_below(rng, (uint32_t)state->staged->n), low, high;
  moc__state_window(state, v, &low, &high);
  assert_in_range(state->place[v], low, high);
  int32_t to = low + (int32_t)moc__rng_below(rng, (uint32_t)(high - low + 1));
  bool moves = to != state->place[v];
  assert_true(moc__state_reorder(state, v, to));
  assert_int_equal(state->place[v], to);
  return moves;
}

static void toggles_match_evaluation(void **unused) {
  (void)unused;
  moc__rng rng;
  moc__rng_init(&rng, 7, 0);
  test_allocator memory;
  test_allocator_init(&memory);
  const moc_allocator *a = &memory.allocator;
  int64_t steps = test_scaled(STEPS), toggled = 0, reordered = 0;
  for (int64_t step = 0; step < steps;) {
    test_shape shape = {.n_ops = 1 + (int32_t)moc__rng_below(&rng, MOST_OPS),
                        .full_model = moc__rng_below(&rng, 2) == 0,
                        .edge_percent = 5 + moc__rng_below(&rng, 50),
                        .most_size = 30,
                        .most_duration = 9};
    moc_graph *graph = test_random_graph(&rng, &shape, a);
    moc_error error;
    moc__staged staged;
    moc__state state;
    CHECK_OK(moc__staged_init(&staged, graph, moc_graph_input_order(graph).items, a, &error), error);
    moc_graph_facts facts;
    CHECK_OK(moc_graph_get_facts(graph, &facts, &error), error);
    int64_t budget = facts.baseline_peak * (int64_t)(50 + moc__rng_below(&rng, 60)) / 100;
    int32_t computes = 1 + (int32_t)moc__rng_below(&rng, 6);
    CHECK_OK(moc__state_init(&state, &staged, budget, computes, a, &error), error);
    check_against_evaluation(&state, graph, a);
    bool ordered = moc__rng_below(&rng, 2) == 0;
    for (int i = 0; i < PER_GRAPH; i++, step++) {
      if (ordered || moc__rng_below(&rng, 3) > 0)
        toggled += random_toggle(&state, &rng);
      else
        reordered += random_reorder(&state, &rng);
      moc__state_settle(&state);
      if (i % 5 == 4) moc__profile_weigh(&state.profile, 4, 3);
      if (i % 10 == 9) { /* as phase 1 does */
        uint32_t peak = (uint32_t)moc__max(moc__profile_peak(&state.profile), 0);
        moc__profile_set_budget(&state.profile, (int32_t)moc__rng_below(&rng, peak + 3));
      }
      check_against_evaluation(&state, graph, a);
    }
    moc__state_release(&state);
    moc__staged_release(&staged);
    moc_graph_destroy(graph);
  }
  if (steps == STEPS) {
    assert_true(toggled >= 10000);
    assert_true(reordered >= 1000);
  }
  test_allocator_check_empty(&memory);
}

/* The state's figures, to be compared after an undo. */
typedef struct snapshot {
  int64_t extra, excess, n_pairs;
  int32_t level[MOST_OPS], local[MOST_OPS], order[MOST_OPS];
  int64_t end[3 * MOST_OPS + 8];
} snapshot;

static snapshot take(const moc__state *state) {
  snapshot s = {.extra = state->extra_duration, .excess = state->profile.excess, .n_pairs = state->n_pairs};
  for (int32_t i = 0; i < state->staged->n; i++) s.level[i] = moc__profile_level(&state->profile, i);
  memcpy(s.order, state->order, (size_t)state->staged->n * sizeof *s.order);
  assert_true(state->staged->n_tensors <= 3 * MOST_OPS + 8);
  for (int32_t t = 0; t < state->staged->n_tensors; t++) s.end[t] = *moc__end(state, t, 0);
  memcpy(s.local, state->local, (size_t)state->staged->n * sizeof *s.local);
  return s;
}

static void moves_are_undone(void **unused) {
  (void)unused;
  moc__rng rng;
  moc__rng_init(&rng, 11, 0);
  test_allocator memory;
  test_allocator_init(&memory);
  const moc_allocator *a = &memory.allocator;
  for (int64_t graphs = 0; graphs < test_scaled(60); graphs++) {
    test_shape shape = {
        .n_ops = MOST_OPS, .full_model = true, .edge_percent = 20, .most_size = 50, .most_duration = 5};
    moc_graph *graph = test_random_graph(&rng, &shape, a);
    moc_error error;
    moc__staged staged;
    moc__state state;
    CHECK_OK(moc__staged_init(&staged, graph, moc_graph_input_order(graph).items, a, &error), error);
    CHECK_OK(moc__state_init(&state, &staged, 100, 4, a, &error), error);
    for (int move = 0; move < 60; move++) {
      if (moc__rng_below(&rng, 4) == 0) moc__profile_weigh(&state.profile, 4, 3);
      snapshot before = take(&state);
      moc__state_begin(&state);
      int toggles = (int)moc__rng_below(&rng, 8);
      for (int i = 0; i < toggles; i++) {
        if (moc__rng_below(&rng, 3) > 0)
          (void)random_toggle(&state, &rng);
        else
          (void)random_reorder(&state, &rng);
        if (moc__rng_below(&rng, 2) == 0) moc__state_settle(&state); /* undo must cope with both */
      }
      if (moc__rng_below(&rng, 3) == 0) {
        moc__state_commit(&state);
        check_against_evaluation(&state, graph, a);
        continue;
      }
      moc__state_undo(&state);
      snapshot after = take(&state);
      assert_memory_equal(&before.level, &after.level, (size_t)staged.n * sizeof *before.level);
      assert_memory_equal(&before.order, &after.order, (size_t)staged.n * sizeof *before.order);
      assert_memory_equal(&before.end, &after.end, (size_t)staged.n_tensors * sizeof *before.end);
      assert_memory_equal(&before.local, &after.local, (size_t)staged.n * sizeof *before.local);
      assert_int_equal(before.extra, after.extra);
      assert_int_equal(before.excess, after.excess);
      assert_int_equal(before.n_pairs, after.n_pairs);
      check_against_evaluation(&state, graph, a);
    }
    moc__state_release(&state);
    moc__staged_release(&staged);
    moc_graph_destroy(graph);
  }
  test_allocator_check_empty(&memory);
}

static void huge_sizes_do_not_overflow(void **unused) {
  (void)unused;
  enum { N = 6 };
  const int64_t durations[N] = {1, 1, 1, 1, 1, 1};
  const int64_t big = MOC_MAX_TOTAL / N;
  const int64_t sizes[N] = {big, big, big, big, big, big};
  const char *edges[] = {"ab", "bc", "cd", "de", "ef", "af", "bf", "cf"};
  moc_graph *graph = test_plain_graph(N, durations, sizes, edges, 8, NULL);
  moc_allocator a = moc__allocator_or_default(NULL);
  moc_error error;
  moc__staged staged;
  moc__state state;
  CHECK_OK(moc__staged_init(&staged, graph, moc_graph_input_order(graph).items, &a, &error), error);
  CHECK_OK(moc__state_init(&state, &staged, 0, 3, &a, &error), error);
  assert_int_equal(state.unit, big);
  assert_true(state.profile.excess > 0);
  moc__rng rng;
  moc__rng_init(&rng, 3, 0);
  for (int i = 0; i < 200; i++) {
    (void)random_toggle(&state, &rng);
    moc__state_settle(&state);
    check_against_evaluation(&state, graph, &a);
  }
  moc__state_release(&state);
  moc__staged_release(&staged);
  moc_graph_destroy(graph);
}

static void durations_stay_within_the_limit(void **unused) {
  (void)unused;
  const int64_t durations[3] = {MOC_MAX_TOTAL / 2, 1, 1}, sizes[3] = {1, 1, 1};
  const char *edges[] = {"ab", "bc"};
  moc_graph *graph = test_plain_graph(3, durations, sizes, edges, 2, NULL);
  moc_allocator a = moc__allocator_or_default(NULL);
  moc_error error;
  moc__staged staged;
  moc__state state;
  CHECK_OK(moc__staged_init(&staged, graph, moc_graph_input_order(graph).items, &a, &error), error);
  CHECK_OK(moc__state_init(&state, &staged, 3, 5, &a, &error), error);
  assert_false(moc__state_add(&state, 0, 2)); /* twice half of the limit, and two more */
  assert_true(moc__state_add(&state, 1, 2));
  moc__state_release(&state);
  moc__staged_release(&staged);
  moc_graph_destroy(graph);
}

static void refused_pairs(void **unused) {
  (void)unused;
  moc_graph *graph = test_worked_example(NULL);
  moc_allocator a = moc__allocator_or_default(NULL);
  moc_error error;
  moc__staged staged;
  moc__state state;
  CHECK_OK(moc__staged_init(&staged, graph, moc_graph_input_order(graph).items, &a, &error), error);
  CHECK_OK(moc__state_init(&state, &staged, 10, 2, &a, &error), error);
  assert_false(moc__state_add(&state, 3, 3));
  assert_false(moc__state_add(&state, 4, 3));
  assert_false(moc__state_add(&state, -1, 3));
  assert_false(moc__state_add(&state, 0, 5));
  assert_false(moc__state_remove(&state, 0, 3));
  assert_false(moc__state_feasible(&state));
  assert_true(moc__state_add(&state, 0, 3));  /* the worked example's plan: a again before d */
  assert_false(moc__state_add(&state, 0, 4)); /* as often as allowed */
  moc__state_settle(&state);
  assert_true(moc__state_feasible(&state));
  assert_int_equal(state.extra_duration, 1);
  assert_int_equal(moc__state_peak(&state), 9);
  moc__state_release(&state);
  moc__staged_release(&staged);
  moc_graph_destroy(graph);
}

/* Whatever call for memory fails, the state stays valid, and all is given back. */
static void memory_runs_out(void **unused) {
  (void)unused;
  moc_graph *graph = test_worked_example(NULL);
  int64_t k = 1;
  for (;; k++) {
    test_allocator memory;
    test_allocator_init_failing(&memory, k, 1);
    moc_error error;
    moc__staged staged;
    moc__state state;
    moc_status status =
        moc__staged_init(&staged, graph, moc_graph_input_order(graph).items, &memory.allocator, &error);
    if (status == MOC_OK) {
      status = moc__state_init(&state, &staged, 10, 3, &memory.allocator, &error);
      if (status == MOC_OK) {
        moc__state_begin(&state);
        bool added = moc__state_add(&state, 0, 3);
        assert_int_equal(added, !state.out_of_memory);
        moc__state_commit(&state);
        moc_allocator plain = moc__allocator_or_default(NULL);
        check_against_evaluation(&state, graph, &plain);
        moc__state_release(&state);
      }
      moc__staged_release(&staged);
    }
    if (status != MOC_OK) assert_int_equal(status, MOC_OUT_OF_MEMORY);
    test_allocator_check_empty(&memory);
    if (!memory.failed) break;
  }
  assert_true(k > 10);
  moc_graph_destroy(graph);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(toggles_match_evaluation),
      cmocka_unit_test(moves_are_undone),
      cmocka_unit_test(huge_sizes_do_not_overflow),
      cmocka_unit_test(durations_stay_within_the_limit),
      cmocka_unit_test(refused_pairs),
      cmocka_unit_test(memory_runs_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
