/* What threads share: offers made by many threads at once leave one best plan and a trace in order. */
#include "search/incumbent.h"

#include "base/clock.h"
#include "support/allocator.h"
#include "support/graphs.h"
#include "support/test.h"

enum { THREADS = 4, ROUNDS = 20, FIRST_EXTRA = 20000 };

typedef struct offers {
  moc__incumbent *incumbent;
  const moc__staged *staged;
  int number; /* of the thread */
  pthread_barrier_t *start;
  pthread_t thread;
} offers;

static void *offer_many(void *argument) {
  offers *o = argument;
  moc__state state = {.staged = o->staged};
  int32_t level[5] = {0}, order[5] = {0, 1, 2, 3, 4};
  state.profile = (moc__profile){.n = 5, .blocks = 5, .peak = level};
  state.order = order;
  pthread_barrier_wait(o->start);
  for (int64_t best = FIRST_EXTRA; best > 1; best = moc__incumbent_extra(o->incumbent)) {
    int64_t step = 1 + o->number; /* different ones, so that an offer made late can still be the best */
    state.extra_duration = moc__max(best - step, 1);
    moc__incumbent_offer(o->incumbent, &state);
  }
  return NULL;
}

typedef struct example {
  test_allocator memory;
  moc_graph *graph;
  moc__staged staged;
} example;

static void example_init(example *x) {
  moc_error error;
  test_allocator_init(&x->memory);
  x->graph = test_worked_example(&x->memory.allocator);
  CHECK_OK(
      moc__staged_init(&x->staged, x->graph, moc_graph_input_order(x->graph).items, &x->memory.allocator, &error),
      error);
}

static void example_release(example *x) {
  moc__staged_release(&x->staged);
  moc_graph_destroy(x->graph);
  test_allocator_check_empty(&x->memory);
}

static void trace_of_many_threads_is_in_order(void **unused) {
  (void)unused;
  example x;
  example_init(&x);
  const moc_allocator *a = &x.memory.allocator;
  moc_error error;
  for (int round = 0; round < ROUNDS; round++) {
    moc__incumbent incumbent;
    CHECK_OK(moc__incumbent_init(&incumbent, a, moc__seconds(), &x.staged, 11, &error), error);
    pthread_barrier_t start;
    assert_int_equal(pthread_barrier_init(&start, NULL, THREADS), 0);
    offers all[THREADS];
    for (int i = 0; i < THREADS; i++) {
      all[i] = (offers){.incumbent = &incumbent, .staged = &x.staged, .number = i, .start = &start};
      assert_int_equal(pthread_create(&all[i].thread, NULL, offer_many, &all[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_join(all[i].thread, NULL), 0);
    pthread_barrier_destroy(&start);
    assert_int_equal(moc__incumbent_extra(&incumbent), 1);
    assert_true(incumbent.n_trace > 0);
    for (int64_t i = 1; i < incumbent.n_trace; i++) {
      assert_true(incumbent.trace[i].seconds >= incumbent.trace[i - 1].seconds);
      assert_true(incumbent.trace[i].total_duration < incumbent.trace[i - 1].total_duration);
    }
    moc__incumbent_release(&incumbent);
  }
  example_release(&x);
}

/* Of sequences the one of the lowest peak is kept, the first within budget for good, and none once there is a plan. */
static void the_nearest_sequence_is_kept(void **unused) {
  (void)unused;
  example x;
  example_init(&x);
  const moc_allocator *a = &x.memory.allocator;
  moc_error error;
  moc__incumbent incumbent;
  CHECK_OK(moc__incumbent_init(&incumbent, a, moc__seconds(), &x.staged, 100, &error), error);
  const struct {
    int64_t peak;
    bool within, taken;
  } sequences[] = {{30, false, true}, {30, false, false}, {31, false, false}, {20, false, true},
                   {10, true, true},  {9, true, false},   {5, false, false}};
  assert_true(moc__nearest(&incumbent) == INT64_MAX && !moc__built(&incumbent));
  for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++) {
    int32_t *sequence = MOC__NEW(a, 1, int32_t);
    bool taken = moc__incumbent_offer_sequence(&incumbent, sequence, 1, sequences[i].peak, sequences[i].within);
    assert_int_equal(taken, sequences[i].taken);
    if (!taken) moc__release(a, sequence);
  }
  assert_true(moc__built(&incumbent));
  assert_int_equal(moc__nearest(&incumbent), 10);
  assert_int_equal(atomic_load(&incumbent.least_peak), 10);
  moc__incumbent_release(&incumbent);

  CHECK_OK(moc__incumbent_init(&incumbent, a, moc__seconds(), &x.staged, 100, &error), error);
  moc__incumbent_offer_pairs(&incumbent, NULL, 0, 0, 8, 2);
  int32_t *late = MOC__NEW(a, 1, int32_t);
  assert_false(moc__incumbent_offer_sequence(&incumbent, late, 1, 7, true));
  moc__release(a, late);
  moc__incumbent_release(&incumbent);
  example_release(&x);
}

/* A search that comes nearer to the budget ends when there were as many tries as threads, not at the first one that did. */
static void other_tries_are_waited_for(void **unused) {
  (void)unused;
  example x;
  example_init(&x);
  const moc_allocator *a = &x.memory.allocator;
  moc_error error;
  moc__incumbent incumbent;
  const struct {
    int32_t level;
    bool nearer, ends;
  } tries[] = {{0, false, false}, {3, true, false}, {4, false, true}};
  CHECK_OK(moc__incumbent_init(&incumbent, a, moc__seconds(), &x.staged, 100, &error), error);
  incumbent.running = 3;
  for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
    moc__incumbent_tried(&incumbent, tries[i].level, tries[i].nearer);
    assert_int_equal(moc__stopped(&incumbent), tries[i].ends);
  }
  assert_int_equal(incumbent.level, 3);
  moc__incumbent_release(&incumbent);

  CHECK_OK(moc__incumbent_init(&incumbent, a, moc__seconds(), &x.staged, 100, &error), error);
  incumbent.running = 1;
  for (int i = 0; i < 5; i++) moc__incumbent_tried(&incumbent, i, false);
  assert_false(moc__stopped(&incumbent));
  moc__incumbent_tried(&incumbent, 5, true);
  assert_true(moc__stopped(&incumbent));
  moc__incumbent_release(&incumbent);
  example_release(&x);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(trace_of_many_threads_is_in_order),
                                     cmocka_unit_test(the_nearest_sequence_is_kept),
                                     cmocka_unit_test(other_tries_are_waited_for)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
