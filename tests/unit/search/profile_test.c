/* The memory of places under range additions against an array of levels, for profiles that are flat and that have blocks: every level,
 * the excess, the peak, places over budget and what a range would add or take, after every change. */
#include "search/profile.h"

#include "base/rng.h"
#include "support/test.h"

enum { CHANGES = 300, MOST_UNITS = 50 };

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
static int64_t excess_with(const int32_t *level, const moc__profile *profile, int32_t first, int32_t last,
                           int32_t units) {
  int64_t excess = 0;
  for (int32_t b = 0; b < profile->blocks; b++) {
    bool covered = first >> profile->shift <= b && b <= last >> profile->shift;
    excess += above(highest(level, profile, b) + (covered ? units : 0), profile->budget);
  }
  return excess;
}

static void check(const int32_t *level, const moc__profile *profile, moc__rng *rng) {
  int32_t peak = INT32_MIN, n = profile->n;
  bool over = false;
  for (int32_t k = 0; k < n; k++) {
    assert_int_equal(level[k], moc__profile_level(profile, k));
    peak = level[k] > peak ? level[k] : peak;
    over = over || level[k] > profile->budget;
  }
  assert_int_equal(peak, moc__profile_peak(profile));
  assert_int_equal(excess_with(level, profile, 0, -1, 0), profile->excess);
  assert_int_equal(over, profile->excess > 0);

  int32_t from = (int32_t)moc__rng_below(rng, (uint32_t)n), next = moc__profile_next_over(profile, from);
  assert_int_equal(over, next >= 0);
  if (next >= 0) assert_true(level[next] > profile->budget);

  int32_t last = from + (int32_t)moc__rng_below(rng, (uint32_t)(n - from)),
          units = (int32_t)moc__rng_below(rng, MOST_UNITS);
  assert_int_equal(profile->excess - excess_with(level, profile, from, last, -units),
                   moc__profile_relief(profile, from, last, units));
  assert_int_equal(excess_with(level, profile, from, last, units) - profile->excess,
                   moc__profile_burden(profile, from, last, units));
}

static void change(int32_t *level, moc__profile *profile, moc__rng *rng) {
  int32_t n = profile->n, first = (int32_t)moc__rng_below(rng, (uint32_t)n),
          last = (int32_t)moc__rng_below(rng, (uint32_t)n);
  uint32_t die = moc__rng_below(rng, 10);
  if (die == 0) {
    moc__profile_set_budget(profile, (int32_t)moc__rng_below(rng, 4 * MOST_UNITS));
  } else if (die < 4) { /* the level at `first` comes to `last` */
    int32_t moved = level[first];
    if (first < last) memmove(level + first, level + first + 1, (size_t)(last - first) * sizeof *level);
    if (first > last) memmove(level + last + 1, level + last, (size_t)(first - last) * sizeof *level);
    level[last] = moved;
    moc__profile_move(profile, first, last);
  } else { /* first > last: nothing */
    int32_t units = (int32_t)moc__rng_below(rng, 2 * MOST_UNITS) - MOST_UNITS;
    for (int32_t k = first; k <= last; k++) level[k] += units;
    moc__profile_add(profile, first, last, units);
  }
}

static void matches_an_array(void **unused) {
  (void)unused;
  static const struct {
    int32_t n, blocks;
  } CASES[] = {{1, 1},
               {2, 2},
               {100, 100},
               {MOC__FLAT_PLACES, MOC__FLAT_PLACES},
               {MOC__FLAT_PLACES + 1, MOC__FLAT_PLACES / 2 + 1},
               {2 * MOC__FLAT_PLACES, MOC__FLAT_PLACES},
               {2 * MOC__FLAT_PLACES + 1, MOC__FEW_BLOCKS / 2 + 1},
               {30001, 938}};
  const moc_allocator a = moc__allocator_or_default(NULL);
  moc__rng rng;
  moc__rng_init(&rng, 7, 1);
  for (size_t c = 0; c < sizeof CASES / sizeof *CASES; c++) {
    moc__profile profile;
    int32_t *level = MOC__NEW_ZEROED(&a, CASES[c].n, int32_t);
    assert_non_null(level);
    assert_true(moc__profile_init(&profile, CASES[c].n, MOST_UNITS, &a));
    assert_int_equal(CASES[c].blocks, profile.blocks);
    for (int i = 0; i < CHANGES; i++) {
      change(level, &profile, &rng);
      check(level, &profile, &rng);
    }
    moc__profile_release(&profile);
    moc__release(&a, level);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(matches_an_array)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
