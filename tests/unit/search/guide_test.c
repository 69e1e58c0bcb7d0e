/* Masses of the relaxation as they are posted, taken and sampled; and gaps that they list. */
#include "search/gaps.h"
#include "search/guide.h"

#include "support/allocator.h"
#include "support/graphs.h"
#include "support/test.h"

enum { N = 24, MOST = 3 };

/* A relaxation of which only the average solution is there. */
typedef struct average {
  moc__staged staged;
  moc__retain retain;
  moc__retain_op ops[N];
  int32_t stages[N][MOST];
  double masses[N][MOST];
} average;

static void clear(average *a) {
  *a = (average){.staged = {.n = N}};
  a->retain = (moc__retain){.staged = &a->staged, .ops = a->ops};
  for (int p = 0; p < N; p++) a->ops[p] = (moc__retain_op){.stage = a->stages[p], .mass = a->masses[p]};
}

static void put(average *a, int32_t place, int32_t stage, double mass) {
  moc__retain_op *op = &a->ops[place];
  op->stage[op->n_masses] = stage;
  op->mass[op->n_masses++] = mass;
}

/* A guide and a thread that takes from it. */
typedef struct board {
  test_allocator memory;
  moc__guide guide;
  moc__hints hints;
} board;

static void set_up(board *b) {
  moc_error error;
  test_allocator_init(&b->memory);
  CHECK_OK(moc__guide_init(&b->guide, &b->memory.allocator, &error), error);
  CHECK_OK(moc__hints_init(&b->hints, N, &b->memory.allocator, &error), error);
}

static void tear_down(board *b) {
  moc__hints_release(&b->hints);
  moc__guide_release(&b->guide);
  test_allocator_check_empty(&b->memory);
}

static void posts_are_taken_once(void **unused) {
  (void)unused;
  board b;
  average a;
  set_up(&b);
  assert_false(moc__hints_take(&b.hints, &b.guide));

  clear(&a);
  put(&a, 2, 5, 0.25);
  put(&a, 2, 9, 0.5);
  put(&a, 7, 8, 0.01);
  moc__guide_post(&b.guide, &a.retain);
  assert_true(moc__hints_take(&b.hints, &b.guide));
  assert_false(moc__hints_take(&b.hints, &b.guide));
  assert_int_equal(b.hints.count, 3);
  assert_int_equal(b.hints.masses[1].pair.place, 2);
  assert_int_equal(b.hints.masses[1].pair.stage, 9);
  assert_true(b.hints.masses[1].mass == 0.5);
  for (int p = 0; p <= N; p++) assert_int_equal(b.hints.first[p], p <= 2 ? 0 : p <= 7 ? 2 : 3);

  clear(&a);
  put(&a, 4, 6, 1);
  moc__guide_post(&b.guide, &a.retain);
  assert_true(moc__hints_take(&b.hints, &b.guide));
  assert_int_equal(b.hints.count, 1);
  for (int p = 0; p <= N; p++) assert_int_equal(b.hints.first[p], p > 4);

  clear(&a);
  moc__guide_post(&b.guide, &a.retain);
  assert_true(moc__hints_take(&b.hints, &b.guide));
  assert_int_equal(b.hints.count, 0);
  moc__rng rng;
  moc__rng_init(&rng, 1, 0);
  moc__hints_sample(&b.hints, &rng);
  assert_int_equal(b.hints.n_sample, 0);
  tear_down(&b);
}

static void samples_follow_masses(void **unused) {
  (void)unused;
  enum { SAMPLES = 20000 };
  board b;
  average a;
  set_up(&b);
  clear(&a);
  put(&a, 0, 3, 0.25);
  put(&a, 1, 4, 0.5); /* together one: one of them each time */
  put(&a, 1, 6, 0.25);
  put(&a, 1, 9, 0.25);
  put(&a, 2, 5, 1);
  put(&a, 3, 7, 0.75); /* together 1.5: one or two */
  put(&a, 3, 11, 0.75);
  moc__guide_post(&b.guide, &a.retain);
  assert_true(moc__hints_take(&b.hints, &b.guide));
  moc__rng rng;
  moc__rng_init(&rng, 11, 0);
  int drawn[7] = {0};
  for (int i = 0; i < SAMPLES; i++) {
    moc__hints_sample(&b.hints, &rng);
    int of_place[4] = {0};
    for (int64_t k = 0; k < b.hints.n_sample; k++) {
      of_place[b.hints.sample[k].place]++;
      for (int64_t j = 0; j < b.hints.count; j++) {
        if (b.hints.masses[j].pair.place == b.hints.sample[k].place &&
            b.hints.masses[j].pair.stage == b.hints.sample[k].stage)
          drawn[j]++;
      }
    }
    assert_int_equal(of_place[1], 1);
    assert_int_equal(of_place[2], 1);
    assert_true(of_place[3] == 1 || of_place[3] == 2);
  }
  for (int j = 0; j < 7; j++) {
    double share = (double)drawn[j] / (double)SAMPLES;
    assert_true(share > b.hints.masses[j].mass - 0.02 && share < b.hints.masses[j].mass + 0.02);
  }
  tear_down(&b);
}

/* How much the hints recompute at the end of the gap of tensor t around stage `at`; -1 where it has none. */
static double mass_around(const moc__staged *staged, const moc__hints *hints, int32_t t, int32_t at) {
  int32_t p = staged->producer[t], from = p, to = staged->keep[t] ? N - 1 : -1;
  if (p < 0 || p >= at || staged->compute_once[p]) return -1;
  for (int64_t r = staged->readers.start[t + 1] - 1; r >= staged->readers.start[t]; r--) {
    int32_t reader = staged->readers.items[r];
    if (reader >= at) to = reader;
    if (reader < at && reader > from) from = reader;
  }
  if (to <= at) return -1;
  double sum = 0;
  for (int64_t i = 0; i < hints->count; i++) {
    const moc__mass *m = &hints->masses[i];
    if (m->pair.place == p && m->pair.stage > from && m->pair.stage <= to) sum += m->mass;
  }
  return sum;
}

/* On random graphs: pairs are pairs of the model, the same each time; and gaps that are listed by them end with one. */
static void relaxers_post_pairs(void **unused) {
  (void)unused;
  test_allocator memory;
  test_allocator_init(&memory);
  const moc_allocator *allocator = &memory.allocator;
  moc_error error;
  moc__rng rng;
  moc__rng_init(&rng, 3, 0);
  int64_t posted = 0, drawn = 0;
  for (int round = 0; round < 40; round++) {
    moc_graph *graph = test_random_graph(&rng, &(test_shape){N, true, 12, 9, 9}, allocator);
    moc_graph_facts facts;
    CHECK_OK(moc_graph_get_facts(graph, &facts, &error), error);
    moc__staged staged;
    CHECK_OK(moc__staged_init(&staged, graph, moc_graph_input_order(graph).items, allocator, &error), error);
    moc__guide guide;
    moc__hints hints, again;
    CHECK_OK(moc__guide_init(&guide, allocator, &error), error);
    CHECK_OK(moc__hints_init(&hints, N, allocator, &error), error);
    CHECK_OK(moc__hints_init(&again, N, allocator, &error), error);
    int64_t budget = (facts.baseline_peak * 9 + 9) / 10;
    for (int time = 0; time < 2; time++) {
      moc__relaxer relaxer;
      moc__relaxer_init(&relaxer, &staged, budget, 2 + round % 2, allocator);
      assert_true(relaxer.active);
      moc__relaxer_run(&relaxer, 20000, &guide, NULL, NULL);
      moc__relaxer_release(&relaxer);
      (void)moc__hints_take(time == 0 ? &hints : &again, &guide);
    }
    assert_int_equal(hints.count, again.count);
    for (int64_t i = 0; i < hints.count; i++) {
      const moc__mass *m = &hints.masses[i];
      assert_true(m->pair.place >= 0 && m->pair.place < m->pair.stage && m->pair.stage < N);
      assert_true(m->mass > 0 && !staged.compute_once[m->pair.place]);
      assert_true(m->pair.place == again.masses[i].pair.place && m->mass == again.masses[i].mass);
    }
    posted += hints.count;

    int32_t place[N];
    for (int32_t p = 0; p < N; p++) place[p] = p;
    moc__gaps gaps;
    CHECK_OK(moc__gaps_init(&gaps, &staged, place, moc__hints_list, &hints, allocator, &error), error);
    for (int i = 0; i < 200; i++) {
      int32_t at = (int32_t)moc__rng_below(&rng, N), t = moc__gaps_draw(&gaps, at, &rng);
      if (t < 0) continue;
      drawn++;
      assert_true(mass_around(&staged, &hints, t, at) >= 0.0999);
    }
    for (int32_t t = 0; t < staged.n_tensors; t++) { /* what has much is drawn */
      for (int32_t at = 0; at < N; at++) {
        if (staged.size[t] == 0 || mass_around(&staged, &hints, t, at) < 0.1001) continue;
        bool found = false;
        for (int i = 0; i < 2000 && !found; i++) found = moc__gaps_draw(&gaps, at, &rng) == t;
        assert_true(found);
      }
    }
    moc__gaps_release(&gaps);
    moc__hints_release(&hints);
    moc__hints_release(&again);
    moc__guide_release(&guide);
    moc__staged_release(&staged);
    moc_graph_destroy(graph);
  }
  assert_true(posted > 100 && drawn > 100);
  test_allocator_check_empty(&memory);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(posts_are_taken_once),
      cmocka_unit_test(samples_follow_masses),
      cmocka_unit_test(relaxers_post_pairs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
