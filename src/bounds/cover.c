/* The covering bound; see cover.h. The ascent is a projected subgradient method with Polyak's step length. */
#include "bounds/cover.h"

#include "base/wide.h"

#include <math.h>
#include <stdlib.h>

/* --- The relaxation --- */

/* A gap of one output of the operation at hand. */
typedef struct gap {
  int32_t from, to;    /* stages in which a computation could end it, both included */
  int32_t first, last; /* rows */
  int64_t bytes;
} gap;

static int by_start(const void *a, const void *b) {
  const gap *x = a, *y = b;
  if (x->from != y->from) return x->from < y->from ? -1 : 1;
  return (x->to > y->to) - (x->to < y->to);
}

/* Append the gap of stages (l, u] if it contains a row. `row` [n + 1]: the number of rows before each step. */
static void add_gap(gap *gaps, int64_t *count, const int32_t *row, int32_t l, int32_t u, int64_t bytes) {
  if (u <= l + 1 || row[u] == row[l + 1]) return;
  gaps[(*count)++] = (gap){l + 1, u, row[l + 1], row[u] - 1, bytes};
}

/* The gaps of all outputs of place q. */
static int64_t collect_gaps(const moc__staged *staged, const int32_t *row, int32_t q, gap *gaps) {
  int64_t count = 0;
  for (int32_t t = staged->first_output[q]; t < staged->first_output[q + 1]; t++) {
    int32_t l = q;
    if (staged->size[t] == 0) continue;
    for (int64_t i = staged->readers.start[t]; i < staged->readers.start[t + 1]; i++) {
      int32_t u = staged->readers.items[i];
      add_gap(gaps, &count, row, l, u, staged->size[t]);
      l = u;
    }
    if (staged->keep[t]) add_gap(gaps, &count, row, l, staged->n - 1, staged->size[t]);
  }
  qsort(gaps, (size_t)count, sizeof *gaps, by_start);
  return count;
}

static void add_items(moc__cover *cover, const moc__staged *staged, const int32_t *row, gap *gaps) {
  int64_t n_parts = 0;
  for (int32_t q = 0; q < staged->n; q++) {
    if (staged->compute_once[q]) continue;
    int64_t count = collect_gaps(staged, row, q, gaps);
    int32_t reach = -1; /* the last stage of the item so far */
    for (int64_t i = 0; i < count; i++) {
      if (gaps[i].from > reach) {
        cover->first_part[cover->n_items] = n_parts;
        cover->cost[cover->n_items++] = staged->duration[q];
      }
      if (gaps[i].to > reach) reach = gaps[i].to;
      cover->parts[n_parts++] = (moc__cover_part){gaps[i].first, gaps[i].last, gaps[i].bytes};
    }
  }
  cover->first_part[cover->n_items] = n_parts;
}

moc_status moc__cover_init(moc__cover *cover, const moc__staged *staged, int64_t budget,
                           const moc_allocator *allocator, moc_error *error) {
  int32_t n = staged->n;
  int64_t most = staged->readers.start[staged->n_tensors] + staged->n_tensors; /* gaps */
  *cover = (moc__cover){.allocator = *allocator};
  int64_t *profile = MOC__NEW(allocator, n, int64_t);
  int32_t *row = MOC__NEW(allocator, (int64_t)n + 1, int32_t);
  gap *gaps = MOC__NEW(allocator, most, gap);
  cover->step = MOC__NEW(allocator, n, int32_t);
  cover->excess = MOC__NEW(allocator, n, int64_t);
  cover->weight = MOC__NEW_ZEROED(allocator, n, int64_t);
  cover->cost = MOC__NEW(allocator, most, int64_t);
  cover->first_part = MOC__NEW(allocator, most + 1, int64_t);
  cover->parts = MOC__NEW(allocator, most, moc__cover_part);
  bool ok = profile && row && gaps && cover->step && cover->excess && cover->weight && cover->cost &&
            cover->first_part && cover->parts;
  if (ok) {
    moc__staged_levels(staged, NULL, profile);
    for (int32_t j = 0; j < n; j++) {
      row[j] = cover->n_rows;
      if (profile[j] <= budget) continue;
      cover->step[cover->n_rows] = j;
      cover->excess[cover->n_rows++] = profile[j] - budget;
    }
    row[n] = cover->n_rows;
    add_items(cover, staged, row, gaps);
  }
  moc__release(allocator, profile);
  moc__release(allocator, row);
  moc__release(allocator, gaps);
  if (ok) return MOC_OK;
  moc__cover_release(cover);
  return moc__out_of_memory(error);
}

void moc__cover_release(moc__cover *cover) {
  void *blocks[] = {cover->step, cover->excess, cover->weight, cover->cost, cover->first_part, cover->parts};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(&cover->allocator, blocks[i]);
  *cover = (moc__cover){.allocator = cover->allocator};
}

/* --- What weights prove, exactly --- */

/* *sum += factor * value; false when 128 bits do not hold it. */
static bool add_product(moc__wide *sum, moc__wide factor, moc__wide value) {
  moc__wide product;
  return !__builtin_mul_overflow(factor, value, &product) && !__builtin_add_overflow(*sum, product, sum);
}

/* The extra duration that weight[] * 2^-shift proves, rounded up; -1 when the sums do not fit. `prefix` [n_rows + 1] is
 * work space. */
static int64_t proven(const moc__cover *cover, const int64_t *weight, int shift, moc__wide *prefix) {
  moc__wide sum = 0, unit = (moc__wide)1 << shift;
  prefix[0] = 0;
  for (int32_t r = 0; r < cover->n_rows; r++) {
    prefix[r + 1] = prefix[r] + weight[r];
    if (!add_product(&sum, weight[r], cover->excess[r])) return -1;
  }
  for (int32_t i = 0; i < cover->n_items; i++) {
    moc__wide gain = 0;
    for (int64_t k = cover->first_part[i]; k < cover->first_part[i + 1]; k++) {
      const moc__cover_part *part = &cover->parts[k];
      if (!add_product(&gain, prefix[part->last + 1] - prefix[part->first], part->bytes)) return -1;
    }
    if (!add_product(&gain, unit, -(moc__wide)cover->cost[i])) return -1;
    if (gain > 0 && __builtin_sub_overflow(sum, gain, &sum)) return -1;
  }
  if (sum <= 0) return 0;
  moc__wide extra = sum / unit + (sum % unit != 0);
  return extra > MOC_MAX_TOTAL ? -1 : (int64_t)extra;
}

/* Round, prove, and keep what is better than before. */
static void publish(moc__cover *cover, const double *value, double scale, int64_t *rounded, moc__wide *prefix) {
  double largest = 0;
  for (int32_t r = 0; r < cover->n_rows; r++) largest = fmax(largest, value[r] * scale);
  if (!(largest > 0) || !isfinite(largest)) return;
  int exponent = 44 - ilogb(largest), shift = exponent < 0 ? 0 : exponent > 60 ? 60 : exponent;
  if (largest >= 0x1p60) return;
  for (int32_t r = 0; r < cover->n_rows; r++) rounded[r] = (int64_t)ldexp(value[r] * scale, shift);
  int64_t extra = proven(cover, rounded, shift, prefix);
  if (extra <= cover->extra) return;
  cover->extra = extra;
  cover->shift = shift;
  memcpy(cover->weight, rounded, (size_t)cover->n_rows * sizeof *rounded);
}

/* --- The ascent, in floating point --- */

typedef struct ascent {
  const moc__cover *cover;
  double byte_unit, cost_unit; /* values are costs in cost_unit for a byte_unit */
  double *value;               /* [n_rows] */
  double *best;                /* [n_rows] */
  double *slope;               /* [n_rows + 1] */
  double *prefix;              /* [n_rows + 1] */
} ascent;

/* The dual function and a supergradient at value[]. */
static double evaluate(ascent *a) {
  const moc__cover *cover = a->cover;
  double sum = 0, bytes = 1 / a->byte_unit, cost = 1 / a->cost_unit;
  a->prefix[0] = 0;
  for (int32_t r = 0; r <= cover->n_rows; r++) a->slope[r] = 0;
  for (int32_t r = 0; r < cover->n_rows; r++) {
    a->prefix[r + 1] = a->prefix[r] + a->value[r];
    sum += a->value[r] * (double)cover->excess[r] * bytes;
  }
  for (int32_t i = 0; i < cover->n_items; i++) {
    double gain = -(double)cover->cost[i] * cost;
    for (int64_t k = cover->first_part[i]; k < cover->first_part[i + 1]; k++) {
      const moc__cover_part *part = &cover->parts[k];
      gain += (a->prefix[part->last + 1] - a->prefix[part->first]) * (double)part->bytes * bytes;
    }
    if (gain <= 0) continue;
    sum -= gain;
    for (int64_t k = cover->first_part[i]; k < cover->first_part[i + 1]; k++) {
      const moc__cover_part *part = &cover->parts[k];
      a->slope[part->first] -= (double)part->bytes * bytes; /* differences, summed below */
      a->slope[part->last + 1] += (double)part->bytes * bytes;
    }
  }
  double running = 0;
  for (int32_t r = 0; r < cover->n_rows; r++) {
    running += a->slope[r];
    a->slope[r] = running + (double)cover->excess[r] * bytes;
    if (a->value[r] <= 0 && a->slope[r] < 0) a->slope[r] = 0; /* projected */
  }
  return sum;
}

static void ascend(ascent *a, double target, int32_t rounds, bool (*stop)(void *), void *context) {
  enum { PATIENCE = 25 };
  int32_t n = a->cover->n_rows, since = 0;
  double best = -1, factor = 1.5;
  for (int32_t round = 0; round < rounds && factor > 1e-4; round++) {
    if (stop != NULL && stop(context)) return;
    double now = evaluate(a), norm = 0;
    if (now > best) {
      if (now > best + 1e-4 * fabs(best)) since = 0;
      best = now;
      memcpy(a->best, a->value, (size_t)n * sizeof *a->best);
    }
    if (++since > PATIENCE) {
      factor *= 0.6;
      since = 0;
      memcpy(a->value, a->best, (size_t)n * sizeof *a->best);
      now = evaluate(a);
    }
    for (int32_t r = 0; r < n; r++) norm += a->slope[r] * a->slope[r];
    if (!(norm > 0) || best >= target) return;
    double aim = fmin(target, 1.2 * best + 1e-3), step = factor * fmax(aim - now, 1e-6 * aim) / norm;
    for (int32_t r = 0; r < n; r++) a->value[r] = fmax(0, a->value[r] + step * a->slope[r]);
  }
}

moc_status moc__cover_ascend(moc__cover *cover, int64_t target, int32_t rounds, bool (*stop)(void *), void *context,
                             moc_error *error) {
  int32_t n = cover->n_rows;
  if (n == 0 || cover->n_items == 0) return MOC_OK;
  ascent a = {.cover = cover, .byte_unit = 1, .cost_unit = 1};
  const moc_allocator *allocator = &cover->allocator;
  a.value = MOC__NEW_ZEROED(allocator, n, double);
  a.best = MOC__NEW_ZEROED(allocator, n, double);
  a.slope = MOC__NEW(allocator, (int64_t)n + 1, double);
  a.prefix = MOC__NEW(allocator, (int64_t)n + 1, double);
  int64_t *rounded = MOC__NEW(allocator, n, int64_t);
  moc__wide *prefix = MOC__NEW(allocator, (int64_t)n + 1, moc__wide);
  bool ok = a.value && a.best && a.slope && a.prefix && rounded && prefix;
  if (ok) {
    double cost = 0;
    for (int32_t r = 0; r < n; r++) a.byte_unit = fmax(a.byte_unit, (double)cover->excess[r]);
    for (int32_t i = 0; i < cover->n_items; i++) cost += (double)cover->cost[i];
    a.cost_unit = fmax(cost / cover->n_items, 1);
    for (int32_t r = 0; r < n; r++)
      a.best[r] = a.value[r] = ldexp((double)cover->weight[r], -cover->shift) * a.byte_unit / a.cost_unit;
    double aim = target == INT64_MAX ? INFINITY : (double)target / a.cost_unit;
    ascend(&a, aim, rounds, stop, context);
    publish(cover, a.best, a.cost_unit / a.byte_unit, rounded, prefix);
  }
  void *blocks[] = {a.value, a.best, a.slope, a.prefix, rounded, prefix};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(allocator, blocks[i]);
  return ok ? MOC_OK : moc__out_of_memory(error);
}
