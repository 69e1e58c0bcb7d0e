/* The moves and the gaps they draw from. */
#include "search/sweep.h"
#include "support/allocator.h"
#include "support/graphs.h"
#include "support/plans.h"
#include "support/test.h"

#include <math.h>

/* Whether tensor t is held across stage j, in the input order, between two neighbouring reads. */
static bool has_gap_around(const moc__staged *staged, int32_t t, int32_t j) {
  int32_t p = staged->producer[t];
  if (p < 0 || p >= j || staged->compute_once[p] || staged->size[t] == 0) return false;
  bool later = staged->keep[t] && staged->n - 1 > j;
  for (int64_t i = staged->readers.start[t]; i < staged->readers.start[t + 1]; i++) {
    if (staged->readers.items[i] == j) return false;
    later |= staged->readers.items[i] > j;
  }
  return later;
}

/* Around every stage, exactly the tensors with a gap there are drawn, all of them sooner or later. */
static void gaps_are_those_of_the_order(void **unused) {
  (void)unused;
  enum { N = 18, DRAWS = 2000, MOST_TENSORS = 3 * N + 8 };
  test_allocator memory;
  test_allocator_init(&memory);
  moc__rng rng;
  moc__rng_init(&rng, 5, 0);
  for (int graphs = 0; graphs < 20; graphs++) {
    test_shape shape = {
        .n_ops = N, .full_model = graphs % 2 == 1, .edge_percent = 20, .most_size = 9, .most_duration = 9};
    moc_graph *graph = test_random_graph(&rng, &shape, &memory.allocator);
    moc__staged staged;
    moc__gaps gaps;
    moc_error error;
    CHECK_OK(moc__staged_init(&staged, graph, moc_graph_input_order(graph).items, &memory.allocator, &error),
             error);
    int32_t place[N];
    for (int32_t i = 0; i < N; i++) place[i] = i;
    CHECK_OK(moc__gaps_init(&gaps, &staged, place, NULL, NULL, &memory.allocator, &error), error);
    assert_true(staged.n_tensors <= MOST_TENSORS);
    for (int32_t j = 0; j < staged.n; j++) {
      bool drawn[MOST_TENSORS] = {false}, any = false;
      for (int i = 0; i < DRAWS; i++) {
        int32_t t = moc__gaps_draw(&gaps, j, &rng);
        if (t < 0) break;
        drawn[t] = any = true;
      }
      for (int32_t t = 0; t < staged.n_tensors; t++) assert_int_equal(drawn[t], has_gap_around(&staged, t, j));
      if (!any) assert_int_equal(moc__gaps_draw(&gaps, j, &rng), -1);
    }
    moc__gaps_release(&gaps);
    moc__staged_release(&staged);
    moc_graph_destroy(graph);
  }
  test_allocator_check_empty(&memory);
}

/* Any moves in any order leave a set that evaluates to what the state says, never computes a compute-once operation
 * again and never exceeds the computations allowed. */
static void moves_keep_the_state_right(void **unused) {
  (void)unused;
  test_allocator memory;
  test_allocator_init(&memory);
  moc__rng rng;
  moc__rng_init(&rng, 6, 0);
  int64_t evictions = 0, shifts = 0, drops = 0, reorders = 0, clears = 0, carries = 0, holds = 0;
  for (int64_t graphs = 0; graphs < test_scaled(100); graphs++) {
    test_shape shape = {
        .n_ops = 24, .full_model = graphs % 2 == 1, .edge_percent = 12, .most_size = 40, .most_duration = 9};
    moc_graph *graph = test_random_graph(&rng, &shape, &memory.allocator);
    moc_graph_facts facts;
    moc__staged staged;
    moc__gaps gaps;
    moc__state state;
    moc_error error;
    CHECK_OK(moc_graph_get_facts(graph, &facts, &error), error);
    CHECK_OK(moc__staged_init(&staged, graph, moc_graph_input_order(graph).items, &memory.allocator, &error),
             error);
    CHECK_OK(moc__state_init(&state, &staged, facts.baseline_peak * 7 / 10, 3, &memory.allocator, &error), error);
    CHECK_OK(moc__gaps_init(&gaps, &staged, state.place, NULL, NULL, &memory.allocator, &error), error);
    moc__mover mover = {.state = &state, .gaps = &gaps, .rng = &rng, .price = 1, .temperature = 1};
    for (int move = 0; move < 50; move++) {
      moc__state_begin(&state);
      mover.allowance = mover.limit = INFINITY;
      int32_t j = moc__profile_next_over(&state.profile, (int32_t)moc__rng_below(&rng, (uint32_t)staged.n));
      if (j >= 0)
        assert_true(moc__profile_level(&state.profile, j) > state.profile.budget);
      else
        assert_true(moc__state_feasible(&state));
      uint32_t kind = moc__rng_below(&rng, 9);
      if (kind == 8 && state.n_pairs > 0)
        carries += moc__move_carry(&mover, moc__rng_below(&rng, (uint32_t)state.n_pairs));
      else if (kind == 7 && state.n_pairs > 0)
        holds += moc__move_hold(&mover, moc__rng_below(&rng, (uint32_t)state.n_pairs));
      else if (kind == 6)
        clears += moc__move_clear(&mover, (int32_t)moc__rng_below(&rng, (uint32_t)staged.n));
      else if (kind == 5 && j >= 0)
        evictions += moc__move_open(&mover, j);
      else if (kind == 4)
        reorders += moc__move_reorder(&mover, (int32_t)moc__rng_below(&rng, (uint32_t)staged.n));
      else if (kind < 2 && j >= 0)
        evictions += moc__move_evict(&mover, j);
      else if (state.n_pairs > 0 && kind == 2)
        shifts += moc__move_shift(&mover, moc__rng_below(&rng, (uint32_t)state.n_pairs));
      else if (state.n_pairs > 0)
        drops += moc__move_drop(&mover, moc__rng_below(&rng, (uint32_t)state.n_pairs));
      moc__state_commit(&state);
    }
    moc__pair *pairs = MOC__NEW(&memory.allocator, state.n_pairs, moc__pair);
    moc_op *sequence = MOC__NEW(&memory.allocator, staged.n + state.n_pairs, moc_op);
    if (state.n_pairs > 0) memcpy(pairs, state.pairs, (size_t)state.n_pairs * sizeof *pairs);
    moc__staged_sequence(&staged, state.order, pairs, state.n_pairs, sequence);
    moc_evaluation evaluation;
    CHECK_OK(moc_evaluate(graph, sequence, staged.n + state.n_pairs, &memory.allocator, &evaluation, &error),
             error);
    assert_int_equal(evaluation.peak_memory, moc__state_peak(&state));
    assert_int_equal(evaluation.duration, staged.total_duration + state.extra_duration);
    moc_plan plan = test_plan_of(graph, sequence, &evaluation);
    plan.max_computes = 3;
    (void)test_verify(graph, &plan);
    moc_evaluation_release(&evaluation);
    moc__release(&memory.allocator, pairs);
    moc__release(&memory.allocator, sequence);
    moc__state_release(&state);
    moc__gaps_release(&gaps);
    moc__staged_release(&staged);
    moc_graph_destroy(graph);
  }
  assert_true(evictions > 0 && shifts > 0 && drops > 0 && reorders > 0 && clears > 0 && carries > 0 && holds > 0);
  test_allocator_check_empty(&memory);
}

/* A chain a to d and back, e to h. Computing b and c again before f is carried to the stage before as a whole, and b, which is
 * computed again twice, is held throughout. */
static void pairs_move_together(void **unused) {
  (void)unused;
  enum { N = 8, B = 1, C = 2, E = 4, F = 5, G = 6, COMPUTES = 4 };
  static const int64_t ones[N] = {1, 1, 1, 1, 1, 1, 1, 1};
  static const char *const edges[] = {"ab", "bc", "cd", "de", "ef", "fg", "gh", "cf", "bg", "ah"};
  static const moc__pair pairs[] = {{B, F}, {C, F}, {B, G}};
  test_allocator memory;
  test_allocator_init(&memory);
  moc_graph *graph = test_plain_graph(N, ones, ones, edges, 10, &memory.allocator);
  moc__staged staged;
  moc__state state;
  moc_error error;
  CHECK_OK(moc__staged_init(&staged, graph, moc_graph_input_order(graph).items, &memory.allocator, &error), error);
  CHECK_OK(moc__state_init(&state, &staged, 4, COMPUTES, &memory.allocator, &error), error);
  moc__rng rng;
  moc__rng_init(&rng, 1, 0);
  moc__mover mover = {.state = &state, .rng = &rng, .price = 1, .temperature = 1};
  bool carried = false;
  for (int tries = 0; tries < 200 && !carried; tries++) { /* the stage to go to is drawn */
    assert_true(moc__state_assign(&state, NULL, pairs, 3));
    (void)moc__move_carry(&mover, state.pair_index[C * COMPUTES + 1]);
    carried = moc__has_pair(&state, B, E) && moc__has_pair(&state, C, E);
  }
  assert_true(carried);
  assert_int_equal(state.n_pairs, 3);
  assert_true(moc__has_pair(&state, B, G));
  assert_true(moc__state_assign(&state, NULL, pairs, 3));
  assert_true(moc__move_hold(&mover, state.pair_index[B * COMPUTES + 1]));
  moc__state_settle(&state);
  assert_int_equal(state.n_pairs, 1);
  assert_true(moc__has_pair(&state, C, F));
  moc__state_release(&state);
  moc__staged_release(&staged);
  moc_graph_destroy(graph);
  test_allocator_check_empty(&memory);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gaps_are_those_of_the_order),
      cmocka_unit_test(moves_keep_the_state_right),
      cmocka_unit_test(pairs_move_together),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
