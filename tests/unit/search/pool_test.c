/* The pool of plans: crosses of plans are plans again, in orders that respect every read; better plans stay. */
#include "search/pool.h"

#include "support/allocator.h"
#include "support/graphs.h"
#include "support/test.h"

enum { N = 24 };

/* A random order of `staged` with random pairs that it allows. */
static void random_candidate(moc__rng *rng, const moc_graph *graph, moc__state *state, moc__candidate *candidate) {
  moc_op sequence[N];
  int32_t order[N], number[N];
  assert_int_equal(test_random_sequence(rng, graph, 0, sequence), N);
  for (int32_t p = 0; p < N; p++) number[state->staged->order[p]] = p;
  for (int32_t i = 0; i < N; i++) order[i] = number[sequence[i]];
  assert_true(moc__state_assign(state, order, NULL, 0));
  for (int i = 0; i < N; i++)
    (void)moc__state_add(state, (int32_t)moc__rng_below(rng, N), (int32_t)moc__rng_below(rng, N));
  moc__state_settle(state);
  assert_true(moc__candidate_take(candidate, state, 0));
}

static void crosses_are_plans(void **unused) {
  (void)unused;
  test_allocator memory;
  test_allocator_init(&memory);
  const moc_allocator *a = &memory.allocator;
  moc__rng rng;
  moc__rng_init(&rng, 5, 0);
  int64_t of_both = 0;
  for (int round = 0; round < 50; round++) {
    moc_error error;
    moc_graph *graph = test_random_graph(&rng, &(test_shape){N, true, 12, 9, 9}, a);
    moc__staged staged;
    CHECK_OK(moc__staged_init(&staged, graph, moc_graph_input_order(graph).items, a, &error), error);
    moc__state state;
    CHECK_OK(moc__state_init(&state, &staged, 100, 3, a, &error), error);
    moc__pool pool;
    CHECK_OK(moc__pool_init(&pool, N, a, &error), error);
    moc__candidate plans[2] = {{0}}, child = {0};
    bool taken[N];
    assert_false(moc__pool_cross(&pool, &rng, taken, &child));
    for (int i = 0; i < 2; i++) {
      random_candidate(&rng, graph, &state, &plans[i]);
      plans[i].extra = i; /* told apart by it */
      assert_true(moc__pool_offer(&pool, &plans[i]));
    }
    for (int i = 0; i < 20; i++) {
      assert_true(moc__pool_cross(&pool, &rng, taken, &child));
      int32_t place[N + 1];
      memset(place, -1, sizeof place);
      for (int32_t k = 0; k < N; k++) {
        assert_int_equal(place[child.order[k]], -1);
        place[child.order[k]] = k;
      }
      for (int32_t v = 0; v < N; v++) {
        for (int64_t r = staged.reads.start[v]; r < staged.reads.start[v + 1]; r++) {
          int32_t q = staged.producer[staged.reads.items[r]];
          assert_true(q < 0 || place[q] < place[v]);
        }
      }
      bool from[2] = {false, false};
      for (int64_t k = 0; k < child.n_pairs; k++) {
        bool known = false;
        for (int parent = 0; parent < 2; parent++) {
          bool has = false, other = false;
          for (int64_t j = 0; j < plans[0].n_pairs; j++)
            has |=
                plans[0].pairs[j].place == child.pairs[k].place && plans[0].pairs[j].stage == child.pairs[k].stage;
          for (int64_t j = 0; j < plans[1].n_pairs; j++)
            other |=
                plans[1].pairs[j].place == child.pairs[k].place && plans[1].pairs[j].stage == child.pairs[k].stage;
          known = has || other;
          from[0] |= has && !other;
          from[1] |= other && !has;
        }
        assert_true(known);
      }
      of_both += from[0] && from[1];
      assert_true(moc__state_assign(&state, child.order, child.pairs, child.n_pairs));
    }
    for (int i = 0; i < 2; i++) moc__candidate_release(&plans[i], a);
    moc__candidate_release(&child, a);
    moc__pool_release(&pool);
    moc__state_release(&state);
    moc__staged_release(&staged);
    moc_graph_destroy(graph);
  }
  assert_true(of_both > 500); /* of 1000 */
  test_allocator_check_empty(&memory);
}

static void the_best_stay(void **unused) {
  (void)unused;
  test_allocator memory;
  test_allocator_init(&memory);
  const moc_allocator *a = &memory.allocator;
  moc_error error;
  moc__pool pool;
  CHECK_OK(moc__pool_init(&pool, 1, a, &error), error);
  int32_t order = 0;
  moc__candidate plan = {.order = &order, .extra = INT64_MAX};
  assert_true(moc__pool_offer(&pool, &plan));
  assert_int_equal(pool.count, 0); /* no plan */
  for (int64_t extra = 100; extra > 60; extra--) {
    plan.extra = extra;
    for (int twice = 0; twice < 2; twice++) assert_true(moc__pool_offer(&pool, &plan));
  }
  plan.extra = 1000;
  assert_true(moc__pool_offer(&pool, &plan));
  assert_int_equal(pool.count, MOC__POOL_SIZE);
  int64_t sum = 0;
  for (int i = 0; i < MOC__POOL_SIZE; i++) sum += pool.plans[i].extra;
  assert_int_equal(sum, MOC__POOL_SIZE * (61 + 60 + MOC__POOL_SIZE) / 2); /* 61 to 60 + the size, each once */

  /* A set over budget is worse than any plan, and better than one that is further over. */
  moc__candidate over = {.order = &order, .extra = 1, .over = 5},
                 further = {.order = &order, .extra = 0, .over = 6};
  assert_true(moc__pool_offer(&pool, &over));
  for (int i = 0; i < MOC__POOL_SIZE; i++) assert_int_equal(pool.plans[i].over, 0);
  assert_true(moc__candidate_better(&plan, &over) && moc__candidate_better(&over, &further));
  assert_false(moc__candidate_better(&further, &over));

  int32_t generation = 0, starts = 0, turns = 0;
  for (; generation == 0; turns++) starts += moc__pool_next(&pool, &generation) == MOC__START && generation == 0;
  assert_int_equal(starts, MOC__POOL_SIZE);
  assert_true(turns > 2 * starts);
  assert_int_equal(pool.count, 1);
  assert_int_equal(pool.plans[0].extra, 61);
  moc__pool_release(&pool);
  test_allocator_check_empty(&memory);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(crosses_are_plans), cmocka_unit_test(the_best_stay)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
