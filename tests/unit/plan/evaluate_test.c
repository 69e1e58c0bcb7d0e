/* Evaluation against figures worked out by hand; docs/memory.md has the rules. */
#include "support/allocator.h"
#include "support/graphs.h"
#include "support/plans.h"
#include "support/test.h"

/* Evaluate, compare the profile, and let verification confirm all of it. */
static moc_evaluation evaluate(const moc_graph *graph, const moc_op *sequence, int64_t length,
                               const int64_t *expected) {
  moc_error error;
  moc_evaluation evaluation;
  CHECK_OK(moc_evaluate(graph, sequence, length, NULL, &evaluation, &error), error);
  assert_int_equal(evaluation.length, length);
  int64_t peak = 0;
  for (int64_t step = 0; step < length; step++) {
    assert_int_equal(evaluation.memory[step], expected[step]);
    if (expected[step] > peak) peak = expected[step];
  }
  assert_int_equal(evaluation.peak_memory, peak);
  moc_plan plan = test_plan_of(graph, sequence, &evaluation);
  moc_verdict verdict = test_verify(graph, &plan);
  assert_int_equal(verdict.peak_memory, peak);
  assert_int_equal(verdict.duration, evaluation.duration);
  return evaluation;
}

static void check_interval(const moc_evaluation *evaluation, int64_t index, moc_tensor tensor, int64_t start,
                           int64_t end) {
  assert_true(index < evaluation->n_intervals);
  assert_int_equal(evaluation->intervals[index].tensor, tensor);
  assert_int_equal(evaluation->intervals[index].start, start);
  assert_int_equal(evaluation->intervals[index].end, end);
}

static void the_worked_example_in_input_order(void **state) {
  (void)state;
  moc_graph *graph = test_worked_example(NULL);
  const moc_op sequence[] = {0, 1, 2, 3, 4};
  const int64_t memory[] = {5, 8, 11, 9, 7};
  moc_evaluation evaluation = evaluate(graph, sequence, 5, memory);
  assert_int_equal(evaluation.duration, 8);
  assert_int_equal(evaluation.n_intervals, 5);
  check_interval(&evaluation, 0, 0, 0, 4);
  check_interval(&evaluation, 1, 1, 1, 2);
  check_interval(&evaluation, 2, 2, 2, 3);
  check_interval(&evaluation, 3, 3, 3, 4);
  check_interval(&evaluation, 4, 4, 4, 4);
  moc_evaluation_release(&evaluation);
  moc_graph_destroy(graph);
}

static void the_worked_example_with_a_again(void **state) {
  (void)state;
  moc_graph *graph = test_worked_example(NULL);
  const moc_op sequence[] = {0, 1, 2, 0, 3, 4};
  const int64_t memory[] = {5, 8, 6, 8, 9, 7};
  moc_evaluation evaluation = evaluate(graph, sequence, 6, memory);
  assert_int_equal(evaluation.duration, 9);
  assert_int_equal(evaluation.n_intervals, 6);
  check_interval(&evaluation, 0, 0, 0, 1);
  check_interval(&evaluation, 3, 0, 3, 5);
  moc_evaluation_release(&evaluation);
  const moc_op later[] = {0, 1, 2, 3, 0, 4};
  const int64_t memory_later[] = {5, 8, 6, 4, 6, 7};
  evaluation = evaluate(graph, later, 6, memory_later);
  assert_int_equal(evaluation.peak_memory, 8);
  moc_evaluation_release(&evaluation);
  moc_graph_destroy(graph);
}

/* An instance nobody reads is there for its own step only. */
static void an_instance_nobody_reads_lasts_one_step(void **state) {
  (void)state;
  moc_graph *graph = test_worked_example(NULL);
  const moc_op sequence[] = {0, 0, 1, 2, 3, 0, 0, 4, 4};
  const int64_t memory[] = {5, 5, 8, 6, 4, 6, 6, 7, 7};
  moc_evaluation evaluation = evaluate(graph, sequence, 9, memory);
  assert_int_equal(evaluation.n_intervals, 9);
  check_interval(&evaluation, 0, 0, 0, 0);
  check_interval(&evaluation, 1, 0, 1, 2);
  check_interval(&evaluation, 5, 0, 5, 5);
  check_interval(&evaluation, 6, 0, 6, 8);
  moc_evaluation_release(&evaluation);
  moc_graph_destroy(graph);
}

/* Tensors, in order: w (3, parameter, kept), in (7, graph input), unused (50, graph input nobody reads).
 * Operations: split (workspace 2) reads in, writes l (4), r (5); flip writes v, a view of l, reads l;
 * use (workspace 6) reads v and w, writes u (1); end reads u and r, writes out (2, kept). */
static moc_graph *full_model(const moc_allocator *allocator) {
  moc_error error;
  moc_builder *builder = moc_builder_create(allocator);
  assert_non_null(builder);
  const moc_tensor_spec inputs[] = {{.name = "w", .size = 3, .producer = MOC_NONE, .base = MOC_NONE, .keep = true},
                                    {.name = "in", .size = 7, .producer = MOC_NONE, .base = MOC_NONE},
                                    {.name = "unused", .size = 50, .producer = MOC_NONE, .base = MOC_NONE}};
  const moc_operation operations[] = {{.name = "split", .duration = 2, .workspace = 2},
                                      {.name = "flip", .duration = 1},
                                      {.name = "use", .duration = 5, .workspace = 6},
                                      {.name = "end", .duration = 1, .compute_once = true}};
  const moc_tensor_spec outputs[] = {{.name = "l", .size = 4, .producer = 0, .base = MOC_NONE},
                                     {.name = "r", .size = 5, .producer = 0, .base = MOC_NONE},
                                     {.name = "v", .producer = 1, .base = 3},
                                     {.name = "u", .size = 1, .producer = 2, .base = MOC_NONE},
                                     {.name = "out", .size = 2, .producer = 3, .base = MOC_NONE, .keep = true}};
  const int32_t reads[][2] = {{0, 1}, {1, 3}, {2, 5}, {2, 0}, {3, 6}, {3, 4}};
  for (int i = 0; i < 3; i++) CHECK_OK(moc_builder_add_tensor(builder, &inputs[i], NULL, &error), error);
  for (int i = 0; i < 4; i++) CHECK_OK(moc_builder_add_operation(builder, &operations[i], NULL, &error), error);
  for (int i = 0; i < 5; i++) CHECK_OK(moc_builder_add_tensor(builder, &outputs[i], NULL, &error), error);
  for (int i = 0; i < 6; i++) CHECK_OK(moc_builder_add_read(builder, reads[i][0], reads[i][1], &error), error);
  moc_graph *graph = NULL;
  CHECK_OK(moc_builder_build(builder, &graph, &error), error);
  moc_builder_destroy(builder);
  return graph;
}

static void the_full_model_by_hand(void **state) {
  (void)state;
  moc_graph *graph = full_model(NULL);
  const moc_op sequence[] = {0, 1, 2, 3};
  const int64_t memory[] = {
      3 + 7 + 4 + 5 + 2, /* w, in, l, r, workspace; `unused` is nowhere */
      3 + 4 + 5,         /* w, l, r (v is a view) */
      3 + 4 + 5 + 1 + 6, /* reading v reads l; u, workspace */
      3 + 5 + 1 + 2,     /* w, r, u, out */
  };
  moc_evaluation evaluation = evaluate(graph, sequence, 4, memory);
  assert_int_equal(evaluation.duration, 9);
  assert_int_equal(evaluation.n_intervals, 7);
  check_interval(&evaluation, 0, 0, 0, 3); /* w: throughout */
  check_interval(&evaluation, 1, 1, 0, 0); /* in: to its only use */
  check_interval(&evaluation, 2, 3, 0, 2); /* l: to the last read of its view */
  check_interval(&evaluation, 3, 4, 0, 3);
  check_interval(&evaluation, 4, 5, 1, 2);
  check_interval(&evaluation, 5, 6, 2, 3);
  check_interval(&evaluation, 6, 7, 3, 3);
  moc_evaluation_release(&evaluation);
  moc_graph_destroy(graph);
}

/* Recomputing split makes both of its outputs anew and needs `in` until then; r of the first time is not read. */
static void all_outputs_come_again(void **state) {
  (void)state;
  moc_graph *graph = full_model(NULL);
  const moc_op sequence[] = {0, 1, 2, 0, 3};
  const int64_t memory[] = {
      3 + 7 + 4 + 5 + 2,     /* r for its own step only */
      3 + 7 + 4,             /* w, in, l */
      3 + 7 + 4 + 1 + 6,     /* w, in, l, u, workspace */
      3 + 7 + 4 + 5 + 1 + 2, /* w, in, the new l and r, u, workspace */
      3 + 5 + 1 + 2,
  };
  moc_evaluation evaluation = evaluate(graph, sequence, 5, memory);
  assert_int_equal(evaluation.duration, 11);
  moc_evaluation_release(&evaluation);
  moc_graph_destroy(graph);
}

/* Of a kept tensor only the last instance stays. */
static void the_last_instance_of_a_kept_tensor_stays(void **state) {
  (void)state;
  moc_error error;
  moc_builder *builder = moc_builder_create(NULL);
  assert_non_null(builder);
  moc_operation operations[] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};
  for (int i = 0; i < 3; i++) {
    moc_tensor_spec output = {.size = i == 0 ? 10 : 1, .producer = i, .base = MOC_NONE, .keep = i == 0};
    CHECK_OK(moc_builder_add_operation(builder, &operations[i], NULL, &error), error);
    CHECK_OK(moc_builder_add_tensor(builder, &output, NULL, &error), error);
  }
  moc_graph *graph = NULL;
  CHECK_OK(moc_builder_build(builder, &graph, &error), error);
  moc_builder_destroy(builder);
  const moc_op once[] = {0, 1, 2}, twice[] = {0, 1, 0, 2};
  const int64_t memory_once[] = {10, 11, 11}, memory_twice[] = {10, 1, 10, 11};
  moc_evaluation evaluation = evaluate(graph, once, 3, memory_once);
  moc_evaluation_release(&evaluation);
  evaluation = evaluate(graph, twice, 4, memory_twice);
  check_interval(&evaluation, 0, 0, 0, 0);
  check_interval(&evaluation, 2, 0, 2, 3);
  moc_evaluation_release(&evaluation);
  moc_graph_destroy(graph);
}

static void refuse(const moc_graph *graph, const moc_op *sequence, int64_t length, const char *place,
                   const char *part) {
  moc_error error;
  moc_evaluation evaluation = {.length = 77};
  CHECK_FAILS(moc_evaluate(graph, sequence, length, NULL, &evaluation, &error), MOC_INVALID_PLAN, error);
  assert_string_equal(error.place, place);
  CHECK_CONTAINS(error.message, part);
  assert_int_equal(evaluation.length, 77); /* as it was */
}

static void sequences_that_cannot_be_run_are_refused(void **state) {
  (void)state;
  moc_graph *graph = full_model(NULL);
  refuse(graph, (const moc_op[]){0, 2, 1, 3}, 4, "sequence[1]", "use");
  refuse(graph, (const moc_op[]){0, 1, 2}, 3, "sequence", "end");
  refuse(graph, (const moc_op[]){0, 1, 2, 3, 3}, 5, "sequence[4]", "end");
  refuse(graph, (const moc_op[]){0, 1, 2, 4}, 4, "sequence[3]", "4");
  refuse(graph, (const moc_op[]){0, -1, 2, 3}, 4, "sequence[1]", "-1");
  refuse(graph, NULL, 0, "sequence", "split");
  moc_graph_destroy(graph);
}

static void bad_calls_are_refused(void **state) {
  (void)state;
  moc_graph *graph = full_model(NULL);
  const moc_op sequence[] = {0, 1, 2, 3};
  moc_evaluation evaluation;
  moc_error error;
  CHECK_FAILS(moc_evaluate(NULL, sequence, 4, NULL, &evaluation, &error), MOC_INVALID_ARGUMENT, error);
  CHECK_FAILS(moc_evaluate(graph, NULL, 4, NULL, &evaluation, &error), MOC_INVALID_ARGUMENT, error);
  CHECK_FAILS(moc_evaluate(graph, sequence, -1, NULL, &evaluation, &error), MOC_INVALID_ARGUMENT, error);
  CHECK_FAILS(moc_evaluate(graph, sequence, 4, NULL, NULL, &error), MOC_INVALID_ARGUMENT, error);
  moc_evaluation_release(NULL);
  moc_graph_destroy(graph);
}

static void durations_over_the_limit_are_refused(void **state) {
  (void)state;
  const int64_t durations[] = {MOC_MAX_TOTAL}, sizes[] = {1};
  moc_graph *graph = test_plain_graph(1, durations, sizes, NULL, 0, NULL);
  const moc_op sequence[] = {0, 0};
  moc_evaluation evaluation;
  moc_error error;
  CHECK_OK(moc_evaluate(graph, sequence, 1, NULL, &evaluation, &error), error);
  assert_int_equal(evaluation.duration, MOC_MAX_TOTAL);
  moc_evaluation_release(&evaluation);
  CHECK_FAILS(moc_evaluate(graph, sequence, 2, NULL, &evaluation, &error), MOC_OVERFLOW, error);
  moc_graph_destroy(graph);
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  moc_graph *graph = full_model(NULL);
  const moc_op sequence[] = {0, 1, 2, 0, 3};
  for (int64_t k = 1;; k++) {
    test_allocator it;
    test_allocator_init_failing(&it, k, 1);
    moc_evaluation evaluation;
    moc_error error;
    moc_status status = moc_evaluate(graph, sequence, 5, &it.allocator, &evaluation, &error);
    assert_int_equal(status, it.failed ? MOC_OUT_OF_MEMORY : MOC_OK);
    if (status == MOC_OK) moc_evaluation_release(&evaluation);
    test_allocator_check_empty(&it);
    if (status == MOC_OK) break;
  }
  moc_graph_destroy(graph);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_worked_example_in_input_order),
      cmocka_unit_test(the_worked_example_with_a_again),
      cmocka_unit_test(an_instance_nobody_reads_lasts_one_step),
      cmocka_unit_test(the_full_model_by_hand),
      cmocka_unit_test(all_outputs_come_again),
      cmocka_unit_test(the_last_instance_of_a_kept_tensor_stays),
      cmocka_unit_test(sequences_that_cannot_be_run_are_refused),
      cmocka_unit_test(bad_calls_are_refused),
      cmocka_unit_test(durations_over_the_limit_are_refused),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests_name("evaluate", tests, NULL, NULL);
}
