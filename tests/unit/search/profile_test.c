/* The memory of places under range additions against arrays of levels and weights, for profiles that are flat and that have blocks: every
 * level, the excess, the peak, places over budget and what a range would add or take, after every change. */
#include "search/profile.h"

#include <math.h>

#include "base/rng.h"
#include "support/test.h"

/* What sums of 32 bits hold whole, in parts, and not. */
enum { CHANGES = 300, UNITS = 50, MORE_UNITS = 30000, MOST_UNITS = 3000000 };

typedef struct model {
  int32_t *level;  /* [n] */
  int32_t *weight; /* [blocks] */
} model;

static int64_t above(int64_t level, int64_t budget) {
  return moc__max(level - budget, 0);
}

/* The highest level of a block. */
static int32_t highest(const int32_t *level, const moc__profile *profile, int32_t block) {
  int32_t from = block << profile->shift, high = level[from];
  for (int32_t k = from; k < profile->n && k >> profile->shift == block; k++) {
    if (level[k] > high) high = level[k];
  }
  return high;
}

/* What the excess would be if the blocks of first..last held `units` more. */
static int64_t excess_with(const model *m, const moc__profile *profile, int32_t first, int32_t last,
                           int32_t units) {
  int64_t excess = 0;
  for (int32_t b = 0; b < profile->blocks; b++) {
    bool covered = first >> profile->shift <= b && b <= last >> profile->shift;
    excess += m->weight[b] * above(highest(m->level, profile, b) + (covered ? (int64_t)units : 0), profile->budget);
  }
  return excess;
}

static void check(const model *m, const moc__profile *profile, moc__rng *rng, int32_t most) {
  const int32_t *level = m->level;
  int32_t peak = INT32_MIN, n = profile->n;
  bool over = false;
  for (int32_t k = 0; k < n; k++) {
    assert_int_equal(level[k], moc__profile_level(profile, k));
    peak = level[k] > peak ? level[k] : peak;
    over = over || level[k] > profile->budget;
  }
  assert_int_equal(peak, moc__profile_peak(profile));
  assert_int_equal(excess_with(m, profile, 0, -1, 0), profile->excess);
  assert_int_equal(over, profile->excess > 0);

  int32_t from = (int32_t)moc__rng_below(rng, (uint32_t)n), next = moc__profile_next_over(profile, from);
  assert_int_equal(over, next >= 0);
  if (next >= 0) assert_true(level[next] > profile->budget);

  int32_t last = from + (int32_t)moc__rng_below(rng, (uint32_t)(n - from)),
          units = (int32_t)moc__rng_below(rng, (uint32_t)most);
  assert_int_equal(profile->excess - excess_with(m, profile, from, last, -units),
                   moc__profile_relief(profile, from, last, units));
  assert_int_equal(excess_with(m, profile, from, last, units) - profile->excess,
                   moc__profile_burden(profile, from, last, units));
}

/* Take items[first] out and put it in again at `last`. */
static void move(int32_t *items, int32_t first, int32_t last) {
  int32_t moved = items[first];
  if (first < last) memmove(items + first, items + first + 1, (size_t)(last - first) * sizeof *items);
  if (first > last) memmove(items + last + 1, items + last, (size_t)(first - last) * sizeof *items);
  items[last] = moved;
}

/* One part in 2^up more or in 2^down less, rounded up. */
static void weigh(model *m, const moc__profile *profile, int up, int down) {
  for (int32_t b = 0; b < profile->blocks; b++) {
    bool over = highest(m->level, profile, b) > profile->budget;
    int32_t w = m->weight[b], part = 1 << (over ? up : down), step = w / part + (w % part > 0);
    w = over ? w + step : w - step;
    m->weight[b] = w < MOC__LEAST_WEIGHT ? MOC__LEAST_WEIGHT : w > MOC__MOST_WEIGHT ? MOC__MOST_WEIGHT : w;
  }
}

/* The first weight everywhere; the mean before that, in parts of it. */
static double even(model *m, int32_t blocks) {
  double sum = 0;
  for (int32_t b = 0; b < blocks; b++) {
    sum += m->weight[b];
    m->weight[b] = MOC__WEIGHT;
  }
  return sum / blocks / (double)MOC__WEIGHT;
}

static void change(model *m, moc__profile *profile, moc__rng *rng, int32_t most) {
  int32_t *level = m->level;
  int32_t n = profile->n, first = (int32_t)moc__rng_below(rng, (uint32_t)n),
          last = (int32_t)moc__rng_below(rng, (uint32_t)n);
  uint32_t die = moc__rng_below(rng, 13);
  if (die == 0) {
    moc__profile_set_budget(profile, (int32_t)moc__rng_below(rng, 4 * (uint32_t)most));
  } else if (die < 4) { /* the level at `first` comes to `last` */
    move(level, first, last);
    if (profile->shift == 0) move(m->weight, first, last);
    moc__profile_move(profile, first, last);
  } else if (die < 6) {
    int up = (int)moc__rng_below(rng, 8), down = (int)moc__rng_below(rng, 8);
    weigh(m, profile, up, down);
    moc__profile_weigh(profile, up, down);
  } else if (die == 6) {
    double mean = even(m, profile->blocks);
    assert_true(fabs(mean - moc__profile_even(profile)) < 1e-9);
  } else { /* first > last: nothing */
    int32_t units = (int32_t)moc__rng_below(rng, 2 * (uint32_t)most) - most;
    for (int32_t k = first; k <= last; k++) level[k] += units;
    moc__profile_add(profile, first, last, units);
  }
}

static void matches_an_array(void **unused) {
  (void)unused;
  static const struct {
    int32_t n, blocks, units; /* of most changes, so that levels stay below 2^30 */
  } CASES[] = {{1, 1, UNITS},
               {2, 2, UNITS},
               {100, 100, UNITS},
               {100, 100, MORE_UNITS},
               {100, 100, MOST_UNITS},
               {MOC__FLAT_PLACES, MOC__FLAT_PLACES, UNITS},
               {MOC__FLAT_PLACES, MOC__FLAT_PLACES, MORE_UNITS},
               {MOC__FLAT_PLACES + 1, MOC__FLAT_PLACES / 2 + 1, MOST_UNITS},
               {2 * MOC__FLAT_PLACES, MOC__FLAT_PLACES, UNITS},
               {2 * MOC__FLAT_PLACES + 1, MOC__FEW_BLOCKS / 2 + 1, MORE_UNITS},
               {30001, 938, UNITS}};
  const moc_allocator a = moc__allocator_or_default(NULL);
  moc__rng rng;
  moc__rng_init(&rng, 7, 1);
  for (size_t c = 0; c < sizeof CASES / sizeof *CASES; c++) {
    moc__profile profile;
    int32_t n = CASES[c].n, units = CASES[c].units;
    model m = {MOC__NEW_ZEROED(&a, n, int32_t), MOC__NEW(&a, n, int32_t)};
    assert_non_null(m.level);
    assert_non_null(m.weight);
    for (int32_t b = 0; b < n; b++) m.weight[b] = MOC__WEIGHT;
    assert_true(moc__profile_init(&profile, n, units, &a));
    assert_int_equal(CASES[c].blocks, profile.blocks);
    for (int i = 0; i < CHANGES; i++) {
      change(&m, &profile, &rng, units);
      check(&m, &profile, &rng, units);
    }
    moc__profile_release(&profile);
    moc__release(&a, m.level);
    moc__release(&a, m.weight);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(matches_an_array)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
