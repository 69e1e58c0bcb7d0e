/* Memory by place under range additions; see profile.h. */
#include "search/profile.h"

/* Compiled for wider vectors too, to be chosen when the program starts. */
#if defined(__x86_64__) && defined(__ELF__) && defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) &&             \
    !defined(__SANITIZE_THREAD__) && !defined(__clang__)
#define VECTORISED __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define VECTORISED
#endif

static inline int32_t over(int32_t level, int32_t budget) {
  return level > budget ? level - budget : 0;
}

/* How many terms of at most that many units, times their weights, a sum of 32 bits holds. */
static int64_t most_terms(int32_t units) {
  int32_t size = units < 0 ? -units : units;
  return size == 0 ? INT32_MAX : INT32_MAX / MOC__MOST_WEIGHT / size;
}

enum { FEW_TERMS = 16 }; /* with fewer, sums are 64 bits wide from the start */

VECTORISED
static int64_t add_wide(int32_t *restrict level, const uint16_t *restrict weight, int64_t count, int32_t units,
                        int32_t budget) {
  int64_t change = 0;
  for (int64_t k = 0; k < count; k++) {
    int32_t before = level[k] - budget, after = before + units;
    change += (int64_t)((after > 0 ? after : 0) - (before > 0 ? before : 0)) * weight[k];
    level[k] = after + budget;
  }
  return change;
}

/* Add `units` to level[0..count) and return how the excess over the budget changes. The sums are 32 bits wide for
 * speed, so they are taken over so few levels that they cannot overflow. */
VECTORISED
static int64_t add_flat(int32_t *restrict level, const uint16_t *restrict weight, int64_t count, int32_t units,
                        int32_t budget) {
  int64_t change = 0, most = most_terms(units);
  if (most < FEW_TERMS) return add_wide(level, weight, count, units, budget);
  for (int64_t i = 0; i < count;) {
    int64_t stop = count - i < most ? count : i + most;
    int32_t part = 0;
    for (int64_t k = i; k < stop; k++) {
      int32_t before = level[k] - budget, after = before + units;
      part += ((after > 0 ? after : 0) - (before > 0 ? before : 0)) * weight[k];
      level[k] = after + budget;
    }
    change += part;
    i = stop;
  }
  return change;
}

VECTORISED
static int64_t sum_wide(const int32_t *level, const uint16_t *weight, int64_t count, int32_t units, int32_t floor) {
  int64_t sum = 0;
  for (int64_t k = 0; k < count; k++) {
    int32_t above = level[k] - floor;
    above = above < 0 ? 0 : above;
    sum += (int64_t)(above < units ? above : units) * weight[k];
  }
  return sum;
}

/* The weighted sum of clamp(level - floor, 0, units), `units` > 0: how much of a change by so many units lies above a budget. */
VECTORISED
static int64_t sum_above(const int32_t *level, const uint16_t *weight, int64_t count, int32_t units,
                         int32_t floor) {
  int64_t sum = 0, most = most_terms(units);
  if (most < FEW_TERMS) return sum_wide(level, weight, count, units, floor);
  for (int64_t i = 0; i < count;) {
    int64_t stop = count - i < most ? count : i + most;
    int32_t part = 0;
    for (int64_t k = i; k < stop; k++) {
      int32_t above = level[k] - floor;
      above = above < 0 ? 0 : above;
      part += (above < units ? above : units) * weight[k];
    }
    sum += part;
    i = stop;
  }
  return sum;
}

int64_t moc__profile_relief(const moc__profile *profile, int32_t first, int32_t last, int32_t units) {
  if (first > last || units == 0) return 0;
  int32_t low = first >> profile->shift, high = last >> profile->shift;
  return sum_above(profile->peak + low, profile->weight + low, high - low + 1, units, profile->budget);
}

int64_t moc__profile_burden(const moc__profile *profile, int32_t first, int32_t last, int32_t units) {
  if (first > last || units == 0) return 0;
  int32_t low = first >> profile->shift, high = last >> profile->shift;
  return sum_above(profile->peak + low, profile->weight + low, high - low + 1, units, profile->budget - units);
}

VECTORISED
static int32_t highest(const int32_t *level, int64_t count) {
  int32_t high = INT32_MIN;
  for (int64_t i = 0; i < count; i++) high = level[i] > high ? level[i] : high;
  return high;
}

static void refresh_block(moc__profile *profile, int32_t block) {
  int64_t first = (int64_t)block << profile->shift;
  int64_t count = moc__min(INT64_C(1) << profile->shift, profile->n - first);
  int32_t peak = highest(profile->level + first, count) + profile->offset[block];
  int32_t change = over(peak, profile->budget) - over(profile->peak[block], profile->budget);
  profile->excess += (int64_t)change * profile->weight[block];
  profile->peak[block] = peak;
}

static void add_part(moc__profile *profile, int32_t first, int32_t last, int32_t units) {
  for (int32_t k = first; k <= last; k++) profile->level[k] += units;
  refresh_block(profile, first >> profile->shift);
}

void moc__profile_add(moc__profile *profile, int32_t first, int32_t last, int32_t units) {
  if (first > last) return;
  if (profile->shift == 0) {
    profile->excess +=
        add_flat(profile->peak + first, profile->weight + first, last - first + 1, units, profile->budget);
    return;
  }
  int shift = profile->shift;
  int32_t low = first >> shift, high = last >> shift, inner = (1 << shift) - 1;
  if (low == high) {
    add_part(profile, first, last, units);
    return;
  }
  if ((first & inner) != 0) {
    add_part(profile, first, (low << shift) + inner, units);
    low++;
  }
  if ((last & inner) != inner) {
    add_part(profile, high << shift, last, units);
    high--;
  }
  if (low > high) return;
  for (int32_t b = low; b <= high; b++) profile->offset[b] += units;
  profile->excess += add_flat(profile->peak + low, profile->weight + low, high - low + 1, units, profile->budget);
}

void moc__profile_move(moc__profile *profile, int32_t from, int32_t to) {
  int32_t level = moc__profile_level(profile, from), step = to > from ? 1 : -1;
  if (profile->shift == 0) {
    int32_t *at = profile->peak;
    uint16_t *weights = profile->weight, weight = weights[from];
    size_t count = (size_t)(to > from ? to - from : from - to);
    if (to > from) {
      memmove(at + from, at + from + 1, count * sizeof *at);
      memmove(weights + from, weights + from + 1, count * sizeof *weights);
    } else {
      memmove(at + to + 1, at + to, count * sizeof *at);
      memmove(weights + to + 1, weights + to, count * sizeof *weights);
    }
    at[to] = level;
    weights[to] = weight;
    return;
  }
  int shift = profile->shift;
  for (int32_t k = from; k != to; k += step)
    profile->level[k] = moc__profile_level(profile, k + step) - profile->offset[k >> shift];
  profile->level[to] = level - profile->offset[to >> shift];
  int32_t first = from < to ? from : to, last = from < to ? to : from;
  for (int32_t b = first >> shift; b <= last >> shift; b++) refresh_block(profile, b);
}

int32_t moc__profile_peak(const moc__profile *profile) {
  return highest(profile->peak, profile->blocks);
}

/* The first of items[0..count) above `limit`, or -1. By strides, because a loop that may end anywhere is not
 * vectorised. */
VECTORISED
static int64_t first_above(const int32_t *items, int64_t count, int32_t limit) {
  enum { STRIDE = 32 };
  int64_t i = 0;
  for (; i + STRIDE <= count; i += STRIDE) {
    int any = 0;
    for (int k = 0; k < STRIDE; k++) any |= items[i + k] > limit;
    if (any) break;
  }
  for (; i < count; i++) {
    if (items[i] > limit) return i;
  }
  return -1;
}

int32_t moc__profile_next_over(const moc__profile *profile, int32_t place) {
  if (profile->excess == 0) return -1;
  int64_t from = place >> profile->shift;
  int64_t block = first_above(profile->peak + from, profile->blocks - from, profile->budget);
  block = block >= 0 ? from + block : first_above(profile->peak, from, profile->budget);
  if (block < 0 || profile->shift == 0) return (int32_t)block;
  int64_t first = block << profile->shift, count = moc__min(INT64_C(1) << profile->shift, profile->n - first);
  int32_t limit = profile->budget - profile->offset[block];
  int64_t start = block == from ? place - first : 0;
  int64_t found = first_above(profile->level + first + start, count - start, limit);
  if (found >= 0) return (int32_t)(first + start + found);
  return (int32_t)(first + first_above(profile->level + first, start, limit));
}

VECTORISED
static int64_t sum_excess(const moc__profile *profile) {
  const int32_t *peak = profile->peak;
  const uint16_t *weight = profile->weight;
  int32_t blocks = profile->blocks, budget = profile->budget;
  int64_t excess = 0;
  for (int32_t b = 0; b < blocks; b++) excess += (int64_t)over(peak[b], budget) * weight[b];
  return excess;
}

bool moc__profile_init(moc__profile *profile, int32_t n, int32_t budget, const moc_allocator *allocator) {
  int shift = 0;
  int32_t most = n > 2 * MOC__FLAT_PLACES ? MOC__FEW_BLOCKS : MOC__FLAT_PLACES;
  while (((n - 1) >> shift) + 1 > most) shift++;
  int32_t blocks = ((n - 1) >> shift) + 1;
  *profile = (moc__profile){.allocator = *allocator, .n = n, .shift = shift, .blocks = blocks, .budget = budget};
  profile->peak = MOC__NEW_ZEROED(allocator, blocks, int32_t);
  profile->weight = MOC__NEW(allocator, blocks, uint16_t);
  if (shift > 0) {
    profile->level = MOC__NEW_ZEROED(allocator, n, int32_t);
    profile->offset = MOC__NEW_ZEROED(allocator, blocks, int32_t);
  }
  if (profile->peak == NULL || profile->weight == NULL ||
      (shift > 0 && (profile->level == NULL || profile->offset == NULL))) {
    moc__profile_release(profile);
    return false;
  }
  for (int32_t b = 0; b < blocks; b++) profile->weight[b] = MOC__WEIGHT;
  profile->excess = sum_excess(profile);
  return true;
}

void moc__profile_set_budget(moc__profile *profile, int32_t budget) {
  profile->budget = budget;
  profile->excess = sum_excess(profile);
}

VECTORISED
static void weigh(uint16_t *restrict weight, const int32_t *restrict peak, int32_t blocks, int32_t budget, int up,
                  int down) {
  int32_t rest_up = (1 << up) - 1, rest_down = (1 << down) - 1;
  for (int32_t b = 0; b < blocks; b++) {
    int32_t old = weight[b], more = old + ((old + rest_up) >> up), less = old - ((old + rest_down) >> down);
    int32_t next = peak[b] > budget ? more : less;
    next = next < MOC__LEAST_WEIGHT ? MOC__LEAST_WEIGHT : next;
    weight[b] = (uint16_t)(next > MOC__MOST_WEIGHT ? MOC__MOST_WEIGHT : next);
  }
}

void moc__profile_weigh(moc__profile *profile, int up, int down) {
  weigh(profile->weight, profile->peak, profile->blocks, profile->budget, up, down);
  profile->excess = sum_excess(profile);
}

double moc__profile_even(moc__profile *profile) {
  int64_t sum = 0;
  for (int32_t b = 0; b < profile->blocks; b++) {
    sum += profile->weight[b];
    profile->weight[b] = MOC__WEIGHT;
  }
  profile->excess = sum_excess(profile);
  return (double)sum / ((double)MOC__WEIGHT * profile->blocks);
}

void moc__profile_release(moc__profile *profile) {
  moc__release(&profile->allocator, profile->peak);
  moc__release(&profile->allocator, profile->weight);
  moc__release(&profile->allocator, profile->level);
  moc__release(&profile->allocator, profile->offset);
  *profile = (moc__profile){.allocator = profile->allocator};
}
