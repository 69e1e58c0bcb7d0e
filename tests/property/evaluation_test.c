/* Evaluation against verification, which shares no code with it, over random sequences of random graphs: what one says
 * the other confirms, what one refuses the other refuses, and no small lie gets through. */
#include "support/allocator.h"
#include "support/graphs.h"
#include "support/plans.h"
#include "support/test.h"

#include <stdlib.h>

enum { MOST_OPS = 24, MOST_EXTRA = 16, SEQUENCES = 12000, PER_GRAPH = 8 };

/* Change one thing that the plan says; false when there is nothing of that kind. */
static bool falsify(moc__rng *rng, const moc_graph *graph, moc_plan *plan) {
  int64_t wrong = moc__rng_below(rng, 2) == 0 ? -1 : 1;
  uint32_t length = (uint32_t)plan->length;
  switch (moc__rng_below(rng, 9)) {
  case 0:
    plan->peak_memory += wrong;
    return true;
  case 1:
    plan->total_duration += wrong;
    return true;
  case 2:
    plan->memory[moc__rng_below(rng, length)] += wrong;
    return true;
  case 3:
    plan->budget--;
    return true; /* it was the peak */
  case 4:
    plan->lower_bound = plan->total_duration + 1;
    return true;
  case 5:
    plan->baseline_peak_memory += wrong;
    return true;
  case 6:
    if (plan->n_intervals == 0) return false;
    plan->intervals[moc__rng_below(rng, (uint32_t)plan->n_intervals)].end += wrong;
    return true;
  case 7:
    if (plan->n_intervals == 0) return false;
    plan->n_intervals--;
    return true;
  default: { /* another operation at some step: the figures are no longer those of the sequence, or all are the same */
    if (moc_graph_operations(graph) < 2) return false;
    uint32_t step = moc__rng_below(rng, length);
    moc_op other = (moc_op)moc__rng_below(rng, (uint32_t)moc_graph_operations(graph));
    bool differs = moc_graph_op_duration(graph, other) != moc_graph_op_duration(graph, plan->sequence[step]);
    plan->sequence[step] = other;
    return differs;
  }
  }
}

static void evaluation_and_verification_agree(void **state) {
  (void)state;
  moc__rng rng;
  moc__rng_init(&rng, 2023, 1);
  test_allocator memory;
  test_allocator_init(&memory);
  const moc_allocator *a = &memory.allocator;
  int64_t sequences = test_scaled(SEQUENCES), accepted = 0, lies = 0;
  moc_graph *graph = NULL;
  for (int64_t i = 0; i < sequences; i++) {
    if (i % PER_GRAPH == 0) {
      moc_graph_destroy(graph);
      test_shape shape = {.n_ops = 1 + (int32_t)moc__rng_below(&rng, MOST_OPS),
                          .full_model = moc__rng_below(&rng, 4) > 0,
                          .edge_percent = 3 + moc__rng_below(&rng, 30),
                          .most_size = 1 + moc__rng_below(&rng, 100),
                          .most_duration = 1 + moc__rng_below(&rng, 20)};
      graph = test_random_graph(&rng, &shape, a);
    }
    moc_op sequence[MOST_OPS + MOST_EXTRA];
    int64_t length = test_random_sequence(&rng, graph, moc__rng_below(&rng, MOST_EXTRA + 1), sequence);
    moc_evaluation evaluation;
    moc_error error;
    CHECK_OK(moc_evaluate(graph, sequence, length, a, &evaluation, &error), error);
    moc_plan plan = test_plan_of(graph, sequence, &evaluation);
    moc_verdict verdict = test_verify(graph, &plan);
    assert_int_equal(verdict.duration, evaluation.duration);
    assert_int_equal(verdict.peak_memory, evaluation.peak_memory);
    assert_int_equal(evaluation.memory[verdict.peak_step], evaluation.peak_memory);
    accepted++;
    if (falsify(&rng, graph, &plan)) {
      CHECK_FAILS(moc_verify(graph, &plan, a, &verdict, &error), MOC_INVALID_PLAN, error);
      lies++;
    }
    moc_evaluation_release(&evaluation);
  }
  moc_graph_destroy(graph);
  test_allocator_check_empty(&memory);
  print_message("# %lld sequences accepted, %lld of %lld falsified plans refused\n", (long long)accepted,
                (long long)lies, (long long)lies);
  assert_true(lies > sequences / 3);
}

/* Any list of numbers: both accept it or both refuse it, at the same step. */
static void both_refuse_the_same_sequences(void **state) {
  (void)state;
  moc__rng rng;
  moc__rng_init(&rng, 2023, 2);
  int64_t rounds = test_scaled(20000), refused = 0;
  for (int64_t i = 0; i < rounds; i++) {
    test_shape shape = {.n_ops = 1 + (int32_t)moc__rng_below(&rng, 5),
                        .full_model = true,
                        .edge_percent = 20,
                        .most_size = 5,
                        .most_duration = 5};
    moc_graph *graph = test_random_graph(&rng, &shape, NULL);
    moc_op sequence[12];
    int64_t length = test_random_sequence(&rng, graph, moc__rng_below(&rng, 4), sequence);
    for (uint32_t lies = moc__rng_below(&rng, 3); lies > 0; lies--) {
      moc_op any = (moc_op)moc__rng_below(&rng, (uint32_t)shape.n_ops + 1);
      sequence[moc__rng_below(&rng, (uint32_t)length)] =
          any == shape.n_ops && moc__rng_below(&rng, 2) == 0 ? -1 : any;
    }
    moc_evaluation evaluation;
    moc_error first, second;
    moc_status status = moc_evaluate(graph, sequence, length, NULL, &evaluation, &first);
    if (status == MOC_OK) {
      moc_plan plan = test_plan_of(graph, sequence, &evaluation);
      test_verify(graph, &plan);
      moc_evaluation_release(&evaluation);
    } else {
      moc_graph_facts facts;
      CHECK_OK(moc_graph_get_facts(graph, &facts, &first), first);
      moc_plan plan = {.status = MOC_PLAN_FEASIBLE,
                       .budget = MOC_MAX_TOTAL,
                       .baseline_peak_memory = facts.baseline_peak,
                       .baseline_duration = facts.baseline_duration,
                       .order = MOC_ORDER_AUTO,
                       .length = length,
                       .sequence = sequence};
      moc_status evaluated = moc_evaluate(graph, sequence, length, NULL, &evaluation, &first);
      assert_int_equal(evaluated, MOC_INVALID_PLAN);
      CHECK_FAILS(moc_verify(graph, &plan, NULL, NULL, &second), MOC_INVALID_PLAN, second);
      if (strstr(first.message, "no operation") == NULL) assert_string_equal(first.place, second.place);
      refused++;
    }
    moc_graph_destroy(graph);
  }
  print_message("# %lld of %lld sequences refused by both\n", (long long)refused, (long long)rounds);
  assert_true(refused > rounds / 10 && refused < rounds);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(evaluation_and_verification_agree),
      cmocka_unit_test(both_refuse_the_same_sequences),
  };
  return cmocka_run_group_tests_name("evaluation", tests, NULL, NULL);
}
