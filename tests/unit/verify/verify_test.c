/* Verification: a true plan passes, and each claim falsified alone is refused under its name. Nothing here calls
 * evaluation or solver; the true figures are worked out by hand. */
#include "support/allocator.h"
#include "support/graphs.h"
#include "support/test.h"

#include <math.h>
#include <stdlib.h>

/* Tensors: p (4, parameter, kept), in (6, graph input), unused (9); a: x (5), y (2) from in, workspace 1;
 * b: z (3) from x and p, compute once; c: out (1, kept) from y and z. The plan computes a twice:
 *   step 0 a: p 4, in 6, x 5, y 2 (not read), workspace 1       = 18
 *   step 1 b: p 4, in 6, x 5, z 3                               = 18
 *   step 2 a: p 4, in 6, x 5 (not read), y 2, z 3, workspace 1  = 21
 *   step 3 c: p 4, y 2, z 3, out 1                              = 10
 * Input order a b c: 18, then p 4, x 5, y 2, z 3 = 14, then 10. */
typedef struct fixture {
  test_allocator memory;
  moc_graph *graph;
  moc_plan plan;
  moc_op sequence[4];
  int64_t bytes[4];
  moc_interval intervals[8];
  moc_trace_point trace[2];
  moc_error error;
} fixture;

static moc_graph *make_graph(const moc_allocator *allocator) {
  moc_error error;
  moc_builder *builder = moc_builder_create(allocator);
  assert_non_null(builder);
  const moc_tensor_spec inputs[] = {{.name = "p", .size = 4, .producer = MOC_NONE, .base = MOC_NONE, .keep = true},
                                    {.size = 6, .producer = MOC_NONE, .base = MOC_NONE},
                                    {.size = 9, .producer = MOC_NONE, .base = MOC_NONE}};
  const moc_operation operations[] = {{.name = "a", .duration = 2, .workspace = 1},
                                      {.name = "b", .duration = 3, .compute_once = true},
                                      {.name = "c", .duration = 4}};
  const moc_tensor_spec outputs[] = {{.size = 5, .producer = 0, .base = MOC_NONE},
                                     {.size = 2, .producer = 0, .base = MOC_NONE},
                                     {.size = 3, .producer = 1, .base = MOC_NONE},
                                     {.size = 1, .producer = 2, .base = MOC_NONE, .keep = true}};
  const int32_t reads[][2] = {{0, 1}, {1, 3}, {1, 0}, {2, 4}, {2, 5}};
  for (int i = 0; i < 3; i++) CHECK_OK(moc_builder_add_tensor(builder, &inputs[i], NULL, &error), error);
  for (int i = 0; i < 3; i++) CHECK_OK(moc_builder_add_operation(builder, &operations[i], NULL, &error), error);
  for (int i = 0; i < 4; i++) CHECK_OK(moc_builder_add_tensor(builder, &outputs[i], NULL, &error), error);
  for (int i = 0; i < 5; i++) CHECK_OK(moc_builder_add_read(builder, reads[i][0], reads[i][1], &error), error);
  moc_graph *graph = NULL;
  CHECK_OK(moc_builder_build(builder, &graph, &error), error);
  moc_builder_destroy(builder);
  return graph;
}

static void make_plan(fixture *f) {
  static const moc_op sequence[] = {0, 1, 0, 2};
  static const int64_t bytes[] = {18, 18, 21, 10};
  static const moc_interval intervals[] = {{0, 0, 3}, {1, 0, 2}, {3, 0, 1}, {4, 0, 0},
                                           {5, 1, 3}, {3, 2, 2}, {4, 2, 3}, {6, 3, 3}};
  memcpy(f->sequence, sequence, sizeof sequence);
  memcpy(f->bytes, bytes, sizeof bytes);
  memcpy(f->intervals, intervals, sizeof intervals);
  f->trace[0] = (moc_trace_point){.seconds = 0.5, .total_duration = 13, .lower_bound = 9};
  f->trace[1] = (moc_trace_point){.seconds = 0.75, .total_duration = 11, .lower_bound = 9};
  f->plan = (moc_plan){.status = MOC_PLAN_FEASIBLE,
                       .budget = 22,
                       .peak_memory = 21,
                       .baseline_peak_memory = 18,
                       .total_duration = 11,
                       .baseline_duration = 9,
                       .lower_bound = 9,
                       .max_computes = 2,
                       .order = MOC_ORDER_INPUT,
                       .threads = 1,
                       .moves = 10,
                       .solve_seconds = 1.5,
                       .reproducible = true,
                       .length = 4,
                       .sequence = f->sequence,
                       .memory = f->bytes,
                       .n_intervals = 8,
                       .intervals = f->intervals,
                       .n_trace = 2,
                       .trace = f->trace};
}

static int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  assert_non_null(f);
  test_allocator_init(&f->memory);
  f->graph = make_graph(NULL);
  make_plan(f);
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  moc_graph_destroy(f->graph);
  test_allocator_check_empty(&f->memory);
  free(f);
  return 0;
}

static moc_verdict accept(fixture *f) {
  moc_verdict verdict = {.duration = -1};
  CHECK_OK(moc_verify(f->graph, &f->plan, &f->memory.allocator, &verdict, &f->error), f->error);
  test_allocator_check_empty(&f->memory);
  return verdict;
}

/* The plan must be refused at `place` with a message that contains `part`; then it is made true again. */
static void refuse_as(fixture *f, moc_status expected, const char *place, const char *part) {
  moc_verdict verdict = {.duration = -77};
  CHECK_FAILS(moc_verify(f->graph, &f->plan, &f->memory.allocator, &verdict, &f->error), expected, f->error);
  assert_string_equal(f->error.place, place);
  CHECK_CONTAINS(f->error.message, part);
  assert_int_equal(verdict.duration, -77); /* as it was */
  test_allocator_check_empty(&f->memory);
  make_plan(f);
}

static void refuse(fixture *f, const char *place, const char *part) {
  refuse_as(f, MOC_INVALID_PLAN, place, part);
}

static void a_true_plan_passes(void **state) {
  fixture *f = *state;
  moc_verdict verdict = accept(f);
  assert_int_equal(verdict.duration, 11);
  assert_int_equal(verdict.peak_memory, 21);
  assert_int_equal(verdict.peak_step, 2);
  assert_int_equal(verdict.baseline_peak_memory, 18);
  assert_int_equal(verdict.baseline_duration, 9);
  assert_int_equal(moc_verify(f->graph, &f->plan, NULL, NULL, NULL), MOC_OK);
}

static void members_without_content_are_not_checked(void **state) {
  fixture *f = *state;
  f->plan.memory = NULL;
  f->plan.intervals = NULL;
  f->plan.n_intervals = 0;
  f->plan.trace = NULL;
  f->plan.n_trace = 0;
  accept(f);
}

static void the_peak_step_is_the_first_one(void **state) {
  fixture *f = *state;
  f->sequence[2] = 2; /* a b c: 18 14 10 */
  f->plan.length = 3;
  f->plan.total_duration = 9;
  f->plan.peak_memory = 18;
  f->plan.memory = NULL;
  f->plan.intervals = NULL;
  f->plan.n_trace = 0;
  moc_verdict verdict = accept(f);
  assert_int_equal(verdict.peak_step, 0);
  assert_int_equal(verdict.peak_memory, 18);
}

static void intervals_may_come_in_any_order(void **state) {
  fixture *f = *state;
  for (int i = 0; i < 4; i++) {
    moc_interval kept = f->intervals[i];
    f->intervals[i] = f->intervals[7 - i];
    f->intervals[7 - i] = kept;
  }
  accept(f);
}

static void bad_calls_are_refused(void **state) {
  fixture *f = *state;
  CHECK_FAILS(moc_verify(NULL, &f->plan, NULL, NULL, &f->error), MOC_INVALID_ARGUMENT, f->error);
  CHECK_FAILS(moc_verify(f->graph, NULL, NULL, NULL, &f->error), MOC_INVALID_ARGUMENT, f->error);
}

static void false_sequences_are_refused(void **state) {
  fixture *f = *state;
  f->sequence[1] = 2; /* c before b */
  refuse(f, "sequence[1]", "operation c reads what operation b computes");
  f->sequence[0] = 1;
  refuse(f, "sequence[0]", "operation b reads what operation a computes");
  f->sequence[2] = 1;
  refuse(f, "sequence[2]", "operation b is computed again");
  f->sequence[3] = 3;
  refuse(f, "sequence[3]", "no operation 3");
  f->sequence[3] = -1;
  refuse(f, "sequence[3]", "no operation -1");
  f->plan.length = 3;
  refuse(f, "sequence", "operation c is never computed");
  f->plan.length = 0;
  refuse(f, "sequence", "empty");
  f->plan.length = -1;
  refuse(f, "sequence", "empty");
  f->plan.sequence = NULL;
  refuse(f, "sequence", "empty");
}

static void false_figures_are_refused(void **state) {
  fixture *f = *state;
  for (int64_t wrong = -1; wrong <= 1; wrong += 2) {
    f->plan.total_duration += wrong;
    refuse(f, "total_duration", "it is 11");
    f->plan.peak_memory += wrong;
    refuse(f, "peak_memory", "it is 21");
    f->plan.baseline_duration += wrong;
    refuse(f, "baseline_duration", "it is 9");
    f->plan.baseline_peak_memory += wrong;
    refuse(f, "baseline_peak_memory", "it is 18");
    for (int step = 0; step < 4; step++) {
      const char *const places[] = {"memory[0]", "memory[1]", "memory[2]", "memory[3]"};
      f->bytes[step] += wrong;
      refuse(f, places[step], "it is");
    }
  }
}

static void false_budgets_are_refused(void **state) {
  fixture *f = *state;
  f->plan.budget = 21;
  accept(f);
  f->plan.budget = 20;
  refuse(f, "budget", "at step 2");
  f->plan.budget = -1;
  refuse(f, "budget", "negative");
}

static void false_intervals_are_refused(void **state) {
  fixture *f = *state;
  const char *const places[] = {"intervals[0]", "intervals[1]", "intervals[2]", "intervals[3]",
                                "intervals[4]", "intervals[5]", "intervals[6]", "intervals[7]"};
  for (int i = 0; i < 8; i++) {
    for (int wrong = -1; wrong <= 1; wrong += 2) {
      f->intervals[i].end += wrong;
      refuse(f, places[i], "retained to step");
    }
    f->intervals[i].start = 1;
    if (i == 4) f->intervals[i].start = 2; /* b's only computation is at step 1 */
    refuse(f, places[i], "begins at step");
    f->intervals[i].start = 4;
    refuse(f, places[i], "begins at step 4");
    f->intervals[i].start = -1;
    refuse(f, places[i], "begins at step -1");
    f->intervals[i].tensor = 7;
    refuse(f, places[i], "no tensor 7");
    f->intervals[i].tensor = -1;
    refuse(f, places[i], "no tensor -1");
  }
  f->intervals[3] = (moc_interval){2, 0, 0}; /* the input that nobody reads is never resident */
  refuse(f, "intervals[3]", "graph input number 2");
  for (int i = 1; i < 8; i++) {
    f->intervals[i] = f->intervals[0];
    refuse(f, places[i], "listed twice");
  }
  for (int i = 0; i < 8; i++) { /* one left out */
    f->intervals[i] = f->intervals[7];
    f->plan.n_intervals = 7;
    refuse(f, "intervals", "missing");
  }
  f->plan.n_intervals = 0;
  refuse(f, "intervals", "tensor p, from step 0, is missing");
  f->plan.n_intervals = -1;
  refuse(f, "intervals", "negative");
}

static void false_limits_are_refused(void **state) {
  fixture *f = *state;
  f->plan.max_computes = 3;
  accept(f);
  f->plan.max_computes = 0; /* not known */
  accept(f);
  f->plan.max_computes = 1;
  refuse(f, "max_computes", "operation a is 2 times");
  f->plan.max_computes = -1;
  refuse(f, "max_computes", "negative");
  f->plan.reproducible = true;
  f->plan.threads = 2;
  refuse(f, "reproducible", "thread");
  f->plan.threads = -1;
  refuse(f, "threads", "negative");
  f->plan.moves = -1;
  refuse(f, "moves", "negative");
  f->plan.solve_seconds = -1.0;
  refuse(f, "solve_seconds", "seconds");
  f->plan.solve_seconds = NAN;
  refuse(f, "solve_seconds", "seconds");
  f->plan.solve_seconds = INFINITY;
  refuse(f, "solve_seconds", "seconds");
}

static void false_orders_are_refused(void **state) {
  (void)state;
  static const int64_t durations[] = {1, 1, 1}, sizes[] = {1, 1, 1};
  moc_graph *graph = test_plain_graph(3, durations, sizes, NULL, 0, NULL);
  moc_op sequence[] = {0, 0, 2, 1};
  moc_plan plan = {.status = MOC_PLAN_FEASIBLE,
                   .budget = 1,
                   .peak_memory = 1,
                   .baseline_peak_memory = 1,
                   .total_duration = 4,
                   .baseline_duration = 3,
                   .order = MOC_ORDER_INPUT,
                   .length = 4,
                   .sequence = sequence};
  moc_error error;
  CHECK_FAILS(moc_verify(graph, &plan, NULL, NULL, &error), MOC_INVALID_PLAN, error);
  assert_string_equal(error.place, "order");
  CHECK_CONTAINS(error.message, "at step 2 operation b should come first, not c");
  plan.order = MOC_ORDER_AUTO;
  CHECK_OK(moc_verify(graph, &plan, NULL, NULL, &error), error);
  moc_graph_destroy(graph);
}

static void false_bounds_and_statuses_are_refused(void **state) {
  fixture *f = *state;
  f->plan.lower_bound = 11;
  accept(f);
  f->plan.lower_bound = 12;
  refuse(f, "lower_bound", "shorter than 12");
  f->plan.lower_bound = -1;
  refuse(f, "lower_bound", "negative");
  f->plan.status = MOC_PLAN_OPTIMAL;
  refuse(f, "status", "optimal");
  f->plan.status = MOC_PLAN_OPTIMAL;
  f->plan.lower_bound = 11;
  accept(f);
  make_plan(f);
  f->plan.status = (moc_plan_status)4;
  refuse(f, "status", "none of");
  f->plan.bound_scope = (moc_bound_scope)2;
  refuse(f, "bound_scope", "neither");
  f->plan.order = (moc_order)2;
  refuse(f, "order", "neither");
}

static void false_traces_are_refused(void **state) {
  fixture *f = *state;
  f->trace[1].seconds = 0.25;
  refuse(f, "trace[1]", "earlier");
  f->trace[0].seconds = -0.5;
  refuse(f, "trace[0]", "seconds");
  f->trace[1].seconds = NAN;
  refuse(f, "trace[1]", "seconds");
  f->trace[0].total_duration = 10;
  refuse(f, "trace[0]", "shorter than the plan's");
  f->trace[1].total_duration = 14;
  refuse(f, "trace[1]", "longer than the one before");
  f->trace[1].lower_bound = 8;
  refuse(f, "trace[1]", "below the one before");
  f->trace[1].lower_bound = 10;
  refuse(f, "trace[1]", "above the plan's");
  f->plan.trace = NULL;
  refuse(f, "trace", "length");
  f->plan.n_trace = -1;
  refuse(f, "trace", "length");
}

/* Turn the plan into one that says there is none. */
static void clear_plan(fixture *f, moc_plan_status status, int64_t budget) {
  make_plan(f);
  f->plan.status = status;
  f->plan.bound_scope = MOC_SCOPE_ANY;
  f->plan.budget = budget;
  f->plan.length = f->plan.n_intervals = f->plan.n_trace = 0;
  f->plan.peak_memory = f->plan.total_duration = 0;
  f->plan.sequence = NULL;
  f->plan.memory = NULL;
  f->plan.intervals = NULL;
  f->plan.trace = NULL;
}

static void plans_without_a_sequence_are_checked(void **state) {
  fixture *f = *state;
  /* Every schedule needs 18 bytes: p, in, x, y and the workspace when a runs. */
  clear_plan(f, MOC_PLAN_INFEASIBLE, 17);
  moc_verdict verdict = accept(f);
  assert_int_equal(verdict.duration, 0);
  assert_int_equal(verdict.peak_memory, 0);
  assert_int_equal(verdict.baseline_peak_memory, 18);
  clear_plan(f, MOC_PLAN_INFEASIBLE, 18);
  refuse(f, "status", "no schedule exists at 18 bytes");
  clear_plan(f, MOC_PLAN_INFEASIBLE, 18);
  f->plan.bound_scope = MOC_SCOPE_ORDER;
  refuse(f, "status", "no schedule exists at 18 bytes"); /* the order itself needs no more */
  clear_plan(f, MOC_PLAN_UNKNOWN, 18);
  accept(f);
  for (int i = 0; i < 2; i++) {
    moc_plan_status none = i == 0 ? MOC_PLAN_UNKNOWN : MOC_PLAN_INFEASIBLE;
    make_plan(f);
    f->plan.status = none;
    refuse(f, "status", "no plan");
    clear_plan(f, none, 17);
    f->plan.baseline_duration = 10;
    refuse(f, "baseline_duration", "it is 9");
    clear_plan(f, none, 17);
    f->plan.memory = f->bytes;
    refuse(f, "status", "no plan");
    clear_plan(f, none, 17);
    f->plan.lower_bound = -1;
    refuse(f, "lower_bound", "negative");
  }
}

/* A budget may be impossible for what is resident at the start or at the end alone. */
static void infeasibility_may_come_from_both_ends(void **state) {
  fixture *f = *state;
  moc_error error;
  for (int end = 0; end < 2; end++) {
    moc_builder *builder = moc_builder_create(NULL);
    assert_non_null(builder);
    for (moc_op op = 0; op < 3; op++) { /* three inputs of 10 for an operation each, or three kept outputs of 10 */
      const char *const names[] = {"a", "b", "c"};
      moc_operation operation = {.name = names[op]};
      moc_tensor_spec tensor = {
          .size = 10, .producer = end == 1 ? op : MOC_NONE, .base = MOC_NONE, .keep = end == 1};
      CHECK_OK(moc_builder_add_operation(builder, &operation, NULL, &error), error);
      CHECK_OK(moc_builder_add_tensor(builder, &tensor, NULL, &error), error);
      if (end == 0) CHECK_OK(moc_builder_add_read(builder, op, op, &error), error);
    }
    moc_graph *graph = NULL;
    CHECK_OK(moc_builder_build(builder, &graph, &error), error);
    moc_builder_destroy(builder);
    clear_plan(f, MOC_PLAN_INFEASIBLE, 29);
    f->plan.baseline_peak_memory = 30;
    f->plan.baseline_duration = 0;
    f->plan.lower_bound = 0;
    CHECK_OK(moc_verify(graph, &f->plan, NULL, NULL, &error), error);
    f->plan.budget = 30;
    CHECK_FAILS(moc_verify(graph, &f->plan, NULL, NULL, &error), MOC_INVALID_PLAN, error);
    assert_string_equal(error.place, "status");
    moc_graph_destroy(graph);
  }
}

static void durations_over_the_limit_are_refused(void **state) {
  fixture *f = *state;
  const int64_t durations[] = {MOC_MAX_TOTAL}, sizes[] = {1};
  moc_graph_destroy(f->graph);
  f->graph = test_plain_graph(1, durations, sizes, NULL, 0, NULL);
  f->sequence[0] = f->sequence[1] = 0;
  f->plan.length = 2;
  f->plan.baseline_duration = MOC_MAX_TOTAL;
  f->plan.baseline_peak_memory = 1;
  refuse_as(f, MOC_OVERFLOW, "sequence", "2^62");
}

static void every_allocation_may_fail(void **state) {
  fixture *f = *state;
  for (int64_t k = 1;; k++) {
    test_allocator it;
    test_allocator_init_failing(&it, k, 1);
    moc_status status = moc_verify(f->graph, &f->plan, &it.allocator, NULL, &f->error);
    assert_int_equal(status, it.failed ? MOC_OUT_OF_MEMORY : MOC_OK);
    test_allocator_check_empty(&it);
    if (status == MOC_OK) break;
  }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_true_plan_passes),
      TEST(members_without_content_are_not_checked),
      TEST(the_peak_step_is_the_first_one),
      TEST(intervals_may_come_in_any_order),
      TEST(bad_calls_are_refused),
      TEST(false_sequences_are_refused),
      TEST(false_figures_are_refused),
      TEST(false_budgets_are_refused),
      TEST(false_intervals_are_refused),
      TEST(false_limits_are_refused),
      cmocka_unit_test(false_orders_are_refused),
      TEST(false_bounds_and_statuses_are_refused),
      TEST(false_traces_are_refused),
      TEST(plans_without_a_sequence_are_checked),
      TEST(infeasibility_may_come_from_both_ends),
      TEST(durations_over_the_limit_are_refused),
      TEST(every_allocation_may_fail),
  };
  return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
