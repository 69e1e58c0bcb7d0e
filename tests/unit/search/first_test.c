/* First plans: what the executor builds, how it is split into stages, what is refuted, and the descent. */
#include "search/first.h"

#include "base/clock.h"
#include "search/construct.h"
#include "search/split.h"
#include "search/sweep.h"
#include "support/allocator.h"
#include "support/exhaustive.h"
#include "support/graphs.h"
#include "support/plans.h"
#include "support/test.h"

/* What was found when the test was written, less a little: none of it may get lost. */
enum { LEAST_PLAIN = 180, LEAST_FULL = 130, LEAST_TIGHT = 19, LEAST_DESCENTS = 11, LEAST_NEARER = 30 };

/* A random graph, its facts, and its model in the input order. */
static moc_graph *random_staged(moc__rng *rng, const test_shape *shape, const moc_allocator *a,
                                moc_graph_facts *facts, moc__staged *staged) {
  moc_error error;
  moc_graph *graph = test_random_graph(rng, shape, a);
  CHECK_OK(moc_graph_get_facts(graph, facts, &error), error);
  CHECK_OK(moc__staged_init(staged, graph, moc_graph_input_order(graph).items, a, &error), error);
  return graph;
}

/* The sequence does what it claims, and so does its split into stages. */
static void check_built(const moc_graph *graph, const moc__staged *staged, const moc__construct_options *options,
                        const moc__constructed *built, const moc_allocator *a) {
  moc_error error;
  moc_op *sequence = MOC__NEW(a, built->length, moc_op), *again = MOC__NEW(a, 2 * built->length, moc_op);
  for (int64_t i = 0; i < built->length; i++) sequence[i] = staged->order[built->sequence[i]];
  moc_evaluation evaluation;
  CHECK_OK(moc_evaluate(graph, sequence, built->length, a, &evaluation, &error), error);
  assert_true(evaluation.peak_memory <= built->peak && built->peak <= options->budget);
  assert_int_equal(evaluation.duration, staged->total_duration + built->extra);
  moc_plan plan = test_plan_of(graph, sequence, &evaluation);
  plan.max_computes = options->max_computes;
  (void)test_verify(graph, &plan);

  moc__split split;
  CHECK_OK(moc__split_init(&split, staged, built->sequence, built->length, a, &error), error);
  assert_true(split.max_computes <= options->max_computes);
  moc__staged paused;
  CHECK_OK(moc__staged_init_paused(&paused, graph, split.order, split.places, a, &error), error);
  assert_int_equal(split.places, staged->n + split.pauses);
  moc__state state;
  CHECK_OK(moc__state_init(&state, &paused, options->budget, split.max_computes, a, &error), error);
  assert_true(moc__state_assign(&state, NULL, split.pairs, split.n_pairs));
  assert_true(moc__state_feasible(&state));
  assert_int_equal(moc__state_peak(&state), evaluation.peak_memory);
  assert_int_equal(state.extra_duration, built->extra);
  assert_int_equal(moc__staged_sequence(&paused, NULL, split.pairs, split.n_pairs, again), built->length);
  assert_memory_equal(sequence, again, (size_t)built->length * sizeof *sequence);
  moc__state_release(&state);
  moc__staged_release(&paused);
  moc__split_release(&split, a);
  moc_evaluation_release(&evaluation);
  moc__release(a, sequence);
  moc__release(a, again);
}

/* On random graphs, at budgets from near the working-set bound to near the peak. */
static void constructions_hold_what_they_claim(void **unused) {
  (void)unused;
  test_allocator memory;
  test_allocator_init(&memory);
  const moc_allocator *a = &memory.allocator;
  moc__rng rng;
  moc__rng_init(&rng, 31, 0);
  int64_t tried = 0, plain = 0, full = 0, paused = 0;
  for (int round = 0; round < 60; round++) {
    test_shape shape = {.n_ops = 10 + round % 30,
                        .full_model = round % 2 == 1,
                        .edge_percent = 12,
                        .most_size = 30,
                        .most_duration = 9};
    moc_error error;
    moc_graph_facts facts;
    moc__staged staged;
    moc_graph *graph = random_staged(&rng, &shape, a, &facts, &staged);
    for (int64_t part = 1; part < 8; part++) {
      moc__construct_options options = {.budget = facts.working_set_bound +
                                                  part * (facts.baseline_peak - facts.working_set_bound) / 8,
                                        .max_computes = part % 3 == 0 ? 3 : 100,
                                        .most_steps = 5000,
                                        .most_sets = part % 2 == 0 ? 4000 : 0,
                                        .foresees = part % 4 < 2,
                                        .noise = (double)(part % 5),
                                        .seed = 1,
                                        .stream = (uint64_t)part};
      moc__constructed built, same;
      CHECK_OK(moc__construct(&staged, &options, a, &built, &error), error);
      CHECK_OK(moc__construct(&staged, &options, a, &same, &error), error);
      assert_int_equal(built.length, same.length);
      tried++;
      if (built.length > 0) {
        assert_memory_equal(built.sequence, same.sequence, (size_t)built.length * sizeof *built.sequence);
        check_built(graph, &staged, &options, &built, a);
        plain += !shape.full_model;
        full += shape.full_model;
        moc__split split;
        CHECK_OK(moc__split_init(&split, &staged, built.sequence, built.length, a, &error), error);
        paused += split.pauses > 0;
        moc__split_release(&split, a);
      }
      moc__release(a, built.sequence);
      moc__release(a, same.sequence);
    }
    moc__staged_release(&staged);
    moc_graph_destroy(graph);
  }
  print_message("%d constructions: %d of plain graphs, %d of others, %d with pauses\n", (int)tried, (int)plain,
                (int)full, (int)paused);
  assert_true(plain >= LEAST_PLAIN && full >= LEAST_FULL && paused > 0);
  test_allocator_check_empty(&memory);
}

/* A schedule can be replayed in the memory that it takes, in no more time; and along the input order, and then along what comes of
 * that, others are built that need less and less memory. */
static void schedules_are_followed(void **unused) {
  (void)unused;
  test_allocator memory;
  test_allocator_init(&memory);
  const moc_allocator *a = &memory.allocator;
  moc__rng rng;
  moc__rng_init(&rng, 41, 0);
  int nearer = 0, within = 0, recomputed = 0;
  for (int round = 0; round < 40; round++) {
    test_shape shape = {
        .n_ops = 20 + round, .full_model = round % 2 == 1, .edge_percent = 10, .most_size = 30, .most_duration = 9};
    moc_error error;
    moc_graph_facts facts;
    moc__staged staged;
    moc_graph *graph = random_staged(&rng, &shape, a, &facts, &staged);
    int64_t budget = (facts.working_set_bound + 2 * facts.baseline_peak) / 3, peak = facts.baseline_peak;
    moc__incumbent incumbent;
    moc__first first;
    moc__first_options options = {.budget = budget, .max_computes = 20};
    CHECK_OK(moc__incumbent_init(&incumbent, a, moc__seconds(), &staged, peak, &error), error);
    CHECK_OK(moc__first_init(&first, &staged, &options, a, &error), error);
    int32_t *guide = MOC__NEW(a, staged.n, int32_t);
    int64_t length = moc__staged_numbers(&staged, NULL, NULL, 0, guide);
    assert_int_equal(length, staged.n);
    moc__constructed built;
    while (moc__first_along(&first, guide, length, peak, &incumbent, &built)) {
      assert_true(built.peak < peak);
      moc__construct_options replay = {.budget = built.peak, .max_computes = 20, .most_steps = built.length};
      check_built(graph, &staged, &replay, &built, a);
      replay.guide = built.sequence;
      replay.length = (int32_t)built.length;
      replay.replays = true;
      moc__constructed again;
      CHECK_OK(moc__construct(&staged, &replay, a, &again, &error), error);
      assert_true(again.length > 0 && again.length <= built.length && again.extra <= built.extra);
      check_built(graph, &staged, &replay, &again, a);
      moc__release(a, again.sequence);
      nearer++;
      recomputed += built.extra > 0;
      moc__release(a, guide);
      guide = built.sequence;
      length = built.length;
      peak = built.peak;
    }
    within += peak <= budget;
    moc__release(a, guide);
    moc__first_release(&first);
    moc__incumbent_release(&incumbent);
    moc__staged_release(&staged);
    moc_graph_destroy(graph);
  }
  print_message("%d schedules that need less memory, %d of 40 within budget, %d recompute\n", nearer, within,
                recomputed);
  assert_true(nearer >= LEAST_NEARER && within > 0 && recomputed > 0);
  test_allocator_check_empty(&memory);
}

static moc_plan *solve(const moc_graph *graph, int64_t budget, moc_order order, int64_t moves) {
  moc_solve_options options;
  moc_error error;
  moc_solve_options_init(&options);
  options.budget = budget;
  options.order = order;
  options.moves = moves;
  options.threads = 1;
  options.time_limit = 60;
  moc_plan *plan = NULL;
  CHECK_OK(moc_solve(graph, &options, NULL, &plan, &error), error);
  return plan;
}

/* Tiny graphs, every budget below the peak: what is refuted has no schedule of any order with up to three computations of an
 * operation, and both answers come up. */
static void refutations_are_true(void **unused) {
  (void)unused;
  test_allocator memory;
  test_allocator_init(&memory);
  const moc_allocator *a = &memory.allocator;
  moc__rng rng;
  moc__rng_init(&rng, 77, 0);
  int64_t refuted = 0, planned = 0, unknown = 0;
  for (int64_t round = 0; round < test_scaled(200); round++) {
    test_shape shape = {
        .n_ops = 5, .full_model = round % 3 == 2, .edge_percent = 45, .most_size = 9, .most_duration = 3};
    moc_graph *graph = test_random_graph(&rng, &shape, a);
    moc_graph_facts facts;
    moc_error error;
    CHECK_OK(moc_graph_get_facts(graph, &facts, &error), error);
    test_frontier any = {0};
    if (facts.working_set_bound < facts.baseline_peak) test_frontier_init_any_order(&any, graph, 3);
    moc__staged staged;
    CHECK_OK(moc__staged_init(&staged, graph, moc_graph_input_order(graph).items, a, &error), error);
    for (int64_t budget = facts.working_set_bound; budget < facts.baseline_peak; budget++) {
      moc__incumbent incumbent;
      moc__first first;
      moc__first_options options = {.budget = budget, .max_computes = 50, .refutes = true};
      CHECK_OK(moc__incumbent_init(&incumbent, a, moc__seconds(), &staged, facts.baseline_peak, &error), error);
      CHECK_OK(moc__first_init(&first, &staged, &options, a, &error), error);
      for (int i = 0; i < 4 && !moc__stopped(&incumbent); i++) moc__first_round(&first, INT64_MAX, &incumbent);
      if (atomic_load(&incumbent.refuted) >= 0) {
        assert_true(test_frontier_least_peak(&any) > budget);
        refuted++;
      } else if (incumbent.n_sequence > 0 || moc__incumbent_extra(&incumbent) != INT64_MAX) {
        planned++;
      } else {
        unknown++;
      }
      moc__first_release(&first);
      moc__incumbent_release(&incumbent);
    }
    if (facts.working_set_bound < facts.baseline_peak) test_frontier_release(&any);
    moc__staged_release(&staged);
    moc_graph_destroy(graph);
  }
  print_message("%d refuted, %d planned, %d unknown\n", (int)refuted, (int)planned, (int)unknown);
  assert_true(refuted > 0 && planned > 0);
  test_allocator_check_empty(&memory);
}

/* Solves find plans an eighth of the way from the working-set bound to the peak. */
static void tight_budgets_have_plans(void **unused) {
  (void)unused;
  moc__rng rng;
  moc__rng_init(&rng, 5, 0);
  int64_t found = 0, none = 0;
  for (int64_t round = 0; round < 20; round++) {
    test_shape shape = {.n_ops = 30, .edge_percent = 12, .most_size = 30, .most_duration = 9};
    moc_graph *graph = test_random_graph(&rng, &shape, NULL);
    moc_graph_facts facts;
    moc_error error;
    CHECK_OK(moc_graph_get_facts(graph, &facts, &error), error);
    int64_t budget = facts.working_set_bound + (facts.baseline_peak - facts.working_set_bound) / 8;
    moc_plan *plan = solve(graph, budget, round % 2 == 0 ? MOC_ORDER_INPUT : MOC_ORDER_AUTO, 60000);
    if (plan->length > 0) {
      assert_true(test_verify(graph, plan).peak_memory <= budget);
      found++;
    } else {
      none++;
    }
    moc_plan_destroy(plan);
    moc_graph_destroy(graph);
  }
  print_message("%d of %d tight budgets with a plan\n", (int)found, (int)(found + none));
  assert_true(found >= LEAST_TIGHT);
}

static bool never(void *unused) {
  (void)unused;
  return false;
}

/* The descent leaves a state that evaluates to what it says, with less excess than before. */
static void descent_is_downhill(void **unused) {
  (void)unused;
  test_allocator memory;
  test_allocator_init(&memory);
  const moc_allocator *a = &memory.allocator;
  moc__rng rng;
  moc__rng_init(&rng, 12, 0);
  int feasible = 0;
  for (int round = 0; round < 12; round++) {
    test_shape shape = {
        .n_ops = 120, .full_model = round % 2 == 1, .edge_percent = 3, .most_size = 30, .most_duration = 9};
    moc_error error;
    moc_graph_facts facts;
    moc__staged staged;
    moc_graph *graph = random_staged(&rng, &shape, a, &facts, &staged);
    moc__state state;
    moc__gaps gaps;
    CHECK_OK(moc__state_init(&state, &staged, facts.baseline_peak * 9 / 10, 6, a, &error), error);
    CHECK_OK(moc__gaps_init(&gaps, &staged, state.place, NULL, NULL, a, &error), error);
    moc__mover mover = {.state = &state, .gaps = &gaps, .rng = &rng, .price = 10};
    int64_t before = state.profile.excess;
    assert_true(before > 0);
    assert_true(moc__sweep(&mover, never, NULL));
    assert_true(state.profile.excess < before || state.n_pairs == 0);
    feasible += moc__state_feasible(&state);
    moc_op *sequence = MOC__NEW(a, staged.n + state.n_pairs, moc_op);
    int64_t length = moc__staged_sequence(&staged, NULL, state.pairs, state.n_pairs, sequence);
    moc_evaluation evaluation;
    CHECK_OK(moc_evaluate(graph, sequence, length, a, &evaluation, &error), error);
    assert_int_equal(evaluation.peak_memory, moc__state_peak(&state));
    moc_evaluation_release(&evaluation);
    moc__release(a, sequence);
    moc__gaps_release(&gaps);
    moc__state_release(&state);
    moc__staged_release(&staged);
    moc_graph_destroy(graph);
  }
  print_message("%d of 12 descents end within the budget\n", feasible);
  assert_true(feasible >= LEAST_DESCENTS);
  test_allocator_check_empty(&memory);
}

/* Whatever call for memory fails, all is given back and the incumbent knows. */
static void memory_runs_out(void **unused) {
  (void)unused;
  moc__rng rng;
  moc__rng_init(&rng, 3, 0);
  test_shape shape = {.n_ops = 14, .edge_percent = 25, .most_size = 30, .most_duration = 9};
  moc_graph *graph = test_random_graph(&rng, &shape, NULL);
  moc_graph_facts facts;
  moc_error error;
  CHECK_OK(moc_graph_get_facts(graph, &facts, &error), error);
  int64_t k = 1;
  for (;; k++) {
    test_allocator memory;
    test_allocator_init_failing(&memory, k, 1);
    const moc_allocator *a = &memory.allocator;
    moc__staged staged;
    moc__incumbent incumbent;
    moc__first first;
    moc__first_options options = {
        .budget = (facts.working_set_bound + facts.baseline_peak) / 2, .max_computes = 50, .refutes = true};
    moc_status status = moc__staged_init(&staged, graph, moc_graph_input_order(graph).items, a, &error);
    if (status == MOC_OK) {
      status = moc__incumbent_init(&incumbent, a, moc__seconds(), &staged, facts.baseline_peak, &error);
      if (status == MOC_OK) {
        status = moc__first_init(&first, &staged, &options, a, &error);
        if (status == MOC_OK) {
          for (int i = 0; i < 3; i++) moc__first_round(&first, INT64_MAX, &incumbent);
          int32_t guide[14];
          moc__constructed built;
          assert_int_equal(moc__staged_numbers(&staged, NULL, NULL, 0, guide), 14);
          if (moc__first_along(&first, guide, 14, facts.baseline_peak, &incumbent, &built))
            moc__release(a, built.sequence);
          assert_int_equal(incumbent.failed, memory.failed);
          moc__first_release(&first);
        }
        moc__incumbent_release(&incumbent);
      }
      moc__staged_release(&staged);
    }
    if (status != MOC_OK) assert_int_equal(status, MOC_OUT_OF_MEMORY);
    test_allocator_check_empty(&memory);
    if (!memory.failed) break;
  }
  assert_true(k > 20);
  moc_graph_destroy(graph);
}

/* After the first rounds refutation waits for moves to have been made. */
static void refutation_keeps_to_its_share(void **unused) {
  (void)unused;
  moc__rng rng;
  moc__rng_init(&rng, 78, 0);
  test_shape shape = {.n_ops = 40, .edge_percent = 20, .most_size = 30, .most_duration = 9};
  moc_graph *graph = test_random_graph(&rng, &shape, NULL);
  moc_graph_facts facts;
  moc_error error;
  moc__staged staged;
  moc__incumbent incumbent;
  moc__first first;
  CHECK_OK(moc_graph_get_facts(graph, &facts, &error), error);
  test_allocator memory;
  test_allocator_init(&memory);
  const moc_allocator *a = &memory.allocator;
  CHECK_OK(moc__staged_init(&staged, graph, moc_graph_input_order(graph).items, a, &error), error);
  CHECK_OK(moc__incumbent_init(&incumbent, a, moc__seconds(), &staged, facts.baseline_peak, &error), error);
  moc__first_options options = {.budget = facts.working_set_bound, .max_computes = 50, .refutes = true};
  CHECK_OK(moc__first_init(&first, &staged, &options, a, &error), error);
  for (int i = 0; i < 20 && !moc__stopped(&incumbent); i++) moc__first_refute(&first, 0, &incumbent);
  assert_true(first.refutations > 0 && first.refutations < 20);
  int32_t rounds = first.refutations;
  int64_t effort = first.recall.effort;
  moc__first_refute(&first, 0, &incumbent);
  assert_int_equal(first.recall.effort, effort);
  moc__first_refute(&first, 1000000000, &incumbent);
  assert_int_equal(first.refutations, rounds + 1);
  moc__first_release(&first);
  moc__incumbent_release(&incumbent);
  moc__staged_release(&staged);
  moc_graph_destroy(graph);
  test_allocator_check_empty(&memory);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(constructions_hold_what_they_claim),
                                     cmocka_unit_test(schedules_are_followed),
                                     cmocka_unit_test(refutations_are_true),
                                     cmocka_unit_test(refutation_keeps_to_its_share),
                                     cmocka_unit_test(tight_budgets_have_plans),
                                     cmocka_unit_test(descent_is_downhill),
                                     cmocka_unit_test(memory_runs_out)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
