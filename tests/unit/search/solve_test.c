/* moc_solve as its callers see it. */
#include "support/allocator.h"
#include "support/graphs.h"
#include "support/plans.h"
#include "support/test.h"

#include <stdlib.h>

static moc_solve_options options_for(int64_t budget) {
  moc_solve_options options;
  moc_solve_options_init(&options);
  options.budget = budget;
  options.threads = 1;
  options.moves = 3000;
  return options;
}

static void worked_example(void **unused) {
  (void)unused;
  moc_graph *graph = test_worked_example(NULL);
  moc_error error;
  for (int64_t budget = 8; budget <= 12; budget++) {
    moc_solve_options options = options_for(budget);
    moc_plan *plan = NULL;
    CHECK_OK(moc_solve(graph, &options, NULL, &plan, &error), error);
    assert_int_equal(plan->budget, budget);
    assert_int_equal(plan->baseline_peak_memory, 11);
    assert_int_equal(plan->baseline_duration, 8);
    if (budget >= 11) {
      assert_int_equal(plan->status, MOC_PLAN_OPTIMAL);
      assert_int_equal(plan->total_duration, 8);
    } else if (budget >= 9) {
      assert_int_equal(plan->status, MOC_PLAN_OPTIMAL);
      assert_int_equal(plan->total_duration, 9);
      assert_true(plan->n_trace > 0);
      assert_int_equal(plan->trace[plan->n_trace - 1].total_duration, 9);
    }
    if (plan->length > 0) (void)test_verify(graph, plan);
    moc_plan_destroy(plan);
  }
  moc_graph_destroy(graph);
}

static void below_the_working_set_is_infeasible(void **unused) {
  (void)unused;
  moc_graph *graph = test_worked_example(NULL);
  moc_graph_facts facts;
  moc_error error;
  CHECK_OK(moc_graph_get_facts(graph, &facts, &error), error);
  moc_solve_options options = options_for(facts.working_set_bound - 1);
  options.moves = 0;
  options.time_limit = 1e9; /* it must answer at once */
  moc_plan *plan = NULL;
  CHECK_OK(moc_solve(graph, &options, NULL, &plan, &error), error);
  assert_int_equal(plan->status, MOC_PLAN_INFEASIBLE);
  assert_int_equal(plan->length, 0);
  assert_null(plan->sequence);
  assert_int_equal(plan->lower_bound, 8);
  moc_plan_destroy(plan);
  moc_graph_destroy(graph);
}

/* Three sources of 5 bytes that may not be computed again are each read in two far places: whatever the order, more is
 * held than any one operation needs. Nothing proves that here, so the answer is that none was found. */
static void no_plan_is_unknown(void **unused) {
  (void)unused;
  moc_builder *builder = moc_builder_create(NULL);
  moc_error error;
  const char *names[] = {"a", "b", "c", "x", "y", "z"};
  for (moc_op i = 0; i < 6; i++) {
    moc_operation operation = {.name = names[i], .duration = 1, .compute_once = true};
    moc_tensor_spec tensor = {.size = 5, .producer = i, .base = MOC_NONE};
    CHECK_OK(moc_builder_add_operation(builder, &operation, NULL, &error), error);
    CHECK_OK(moc_builder_add_tensor(builder, &tensor, NULL, &error), error);
  }
  const moc_op reads[][2] = {{1, 0}, {2, 1}, {3, 2}, {4, 3}, {4, 1}, {5, 4}, {5, 0}};
  for (size_t i = 0; i < sizeof reads / sizeof *reads; i++)
    CHECK_OK(moc_builder_add_read(builder, reads[i][0], reads[i][1], &error), error);
  moc_graph *graph = NULL;
  CHECK_OK(moc_builder_build(builder, &graph, &error), error);
  moc_builder_destroy(builder);
  moc_graph_facts facts;
  CHECK_OK(moc_graph_get_facts(graph, &facts, &error), error);
  assert_true(facts.working_set_bound < facts.baseline_peak);
  moc_solve_options options = options_for(facts.baseline_peak - 1);
  moc_plan *plan = NULL;
  CHECK_OK(moc_solve(graph, &options, NULL, &plan, &error), error);
  assert_int_equal(plan->status, MOC_PLAN_INFEASIBLE);
  assert_int_equal(plan->bound_scope, MOC_SCOPE_ORDER); /* another order may do */
  assert_int_equal(plan->length, 0);
  assert_int_equal(plan->peak_memory, facts.baseline_peak); /* the least peak seen */
  moc_plan_destroy(plan);
  moc_graph_destroy(graph);
}

static bool always(void *user) {
  (void)user;
  return true;
}

static void a_caller_can_stop(void **unused) {
  (void)unused;
  moc__rng rng;
  moc__rng_init(&rng, 4, 0);
  test_shape shape = {.n_ops = 40, .edge_percent = 10, .most_size = 50, .most_duration = 9};
  moc_graph *graph = test_random_graph(&rng, &shape, NULL);
  moc_graph_facts facts;
  moc_error error;
  CHECK_OK(moc_graph_get_facts(graph, &facts, &error), error);
  moc_solve_options options = options_for(facts.baseline_peak - 1);
  options.moves = 0;
  options.time_limit = 1e6;
  options.should_stop = always;
  options.threads = 3;
  for (int order = 0; order < 2; order++) {
    options.order = order == 0 ? MOC_ORDER_INPUT : MOC_ORDER_AUTO;
    moc_plan *plan = NULL;
    CHECK_OK(moc_solve(graph, &options, NULL, &plan, &error), error);
    if (plan->length > 0) (void)test_verify(graph, plan);
    assert_int_equal(plan->threads, 3);
    moc_plan_destroy(plan);
  }
  moc_graph_destroy(graph);
}

typedef struct watch {
  int64_t calls, improvements, last;
} watch;

static void see(void *user, const moc_progress *progress) {
  watch *w = user;
  w->calls++;
  if (!progress->improved) return;
  assert_true(progress->has_plan);
  assert_true(progress->total_duration < w->last);
  assert_true(progress->lower_bound <= progress->total_duration);
  w->improvements++;
  w->last = progress->total_duration;
}

static void progress_and_reproducibility(void **unused) {
  (void)unused;
  moc__rng rng;
  moc__rng_init(&rng, 9, 0);
  test_shape shape = {.n_ops = 60, .edge_percent = 6, .most_size = 50, .most_duration = 20};
  moc_graph *graph = test_random_graph(&rng, &shape, NULL);
  moc_graph_facts facts;
  moc_error error;
  CHECK_OK(moc_graph_get_facts(graph, &facts, &error), error);
  moc_solve_options options = options_for(facts.baseline_peak * 9 / 10);
  options.moves = 20000;
  watch w = {.last = INT64_MAX};
  options.on_progress = see;
  options.user = &w;
  moc_plan *first = NULL, *second = NULL;
  CHECK_OK(moc_solve(graph, &options, NULL, &first, &error), error);
  CHECK_OK(moc_solve(graph,
                     &(moc_solve_options){.budget = options.budget,
                                          .time_limit = 60,
                                          .moves = 20000,
                                          .threads = 1,
                                          .prove = options.prove,
                                          .seed = options.seed},
                     NULL, &second, &error),
           error);
  assert_true(first->length > 0);
  assert_true(w.improvements > 0);
  assert_int_equal(w.last, first->total_duration);
  assert_true(first->reproducible && second->reproducible);
  assert_int_equal(first->length, second->length);
  assert_memory_equal(first->sequence, second->sequence, (size_t)first->length * sizeof *first->sequence);
  assert_int_equal(first->moves, second->moves);
  (void)test_verify(graph, first);
  moc_plan_destroy(first);
  moc_plan_destroy(second);
  moc_graph_destroy(graph);
}

static void options_out_of_range(void **unused) {
  (void)unused;
  moc_graph *graph = test_worked_example(NULL);
  moc_error error;
  moc_plan *plan = NULL;
  struct {
    const char *place;
    moc_solve_options options;
  } cases[] = {{"budget", options_for(-1)},      {"time_limit", options_for(9)}, {"threads", options_for(9)},
               {"max_computes", options_for(9)}, {"moves", options_for(9)},      {"order", options_for(9)}};
  cases[1].options.time_limit = -1;
  cases[2].options.threads = MOC_MAX_THREADS + 1;
  cases[3].options.max_computes = MOC_MAX_COMPUTES + 1;
  cases[4].options.moves = -1;
  cases[5].options.order = (moc_order)7;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    CHECK_FAILS(moc_solve(graph, &cases[i].options, NULL, &plan, &error), MOC_INVALID_ARGUMENT, error);
    assert_string_equal(error.place, cases[i].place);
    assert_null(plan);
  }
  moc_solve_options fine = options_for(9);
  CHECK_FAILS(moc_solve(NULL, &fine, NULL, &plan, &error), MOC_INVALID_ARGUMENT, error);
  CHECK_FAILS(moc_solve(graph, NULL, NULL, &plan, &error), MOC_INVALID_ARGUMENT, error);
  CHECK_FAILS(moc_solve(graph, &fine, NULL, NULL, &error), MOC_INVALID_ARGUMENT, error);
  moc_graph_destroy(graph);
}

/* Whatever call for memory fails, the solve says so or comes through, and gives all back. */
static void memory_runs_out(void **unused) {
  (void)unused;
  moc_graph *graph = test_worked_example(NULL);
  int64_t refused = 0;
  for (int order = 0; order < 2; order++) {
    for (int64_t k = 1;; k++) {
      test_allocator memory;
      test_allocator_init_failing(&memory, k, 1);
      moc_solve_options options = options_for(9);
      options.moves = 500;
      options.order = order == 0 ? MOC_ORDER_INPUT : MOC_ORDER_AUTO;
      moc_plan *plan = NULL;
      moc_error error;
      moc_status status = moc_solve(graph, &options, &memory.allocator, &plan, &error);
      if (status != MOC_OK) {
        assert_int_equal(status, MOC_OUT_OF_MEMORY);
        refused++;
      } else if (plan->length > 0) {
        (void)test_verify(graph, plan);
      }
      moc_plan_destroy(plan);
      test_allocator_check_empty(&memory);
      if (!memory.failed) break;
    }
  }
  assert_true(refused > 20);
  moc_graph_destroy(graph);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(worked_example),       cmocka_unit_test(below_the_working_set_is_infeasible),
      cmocka_unit_test(no_plan_is_unknown),   cmocka_unit_test(a_caller_can_stop),
      cmocka_unit_test(options_out_of_range), cmocka_unit_test(progress_and_reproducibility),
      cmocka_unit_test(memory_runs_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
