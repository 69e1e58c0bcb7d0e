/* The bound over all orders; see any_order.h. The ascent is a projected subgradient method with Polyak's step length. */
#include "bounds/any_order.h"

#include "base/wide.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_ROUNDS = 2000, SAMPLED_ROWS = 32 };
#define MOST_ENTRIES INT64_C(20000000)
#define MOST_WORK    INT64_C(500000000)

/* Bytes of one class of one operation that may be absent at a row. */
typedef struct entry {
  int32_t class; /* of all, in classes[] */
  int32_t row;
  int64_t bytes;
} entry;

typedef struct cover_all {
  moc_allocator allocator;
  const moc__staged *staged;
  int64_t budget;
  int64_t words;         /* of a bitset */
  uint64_t *descendants; /* [n * words] */
  uint64_t *ancestors;   /* [n * words] */
  uint64_t *set;         /* [words] work space */
  int64_t *need;         /* [n] */
  int32_t *row;          /* [n] of each place over budget; -1 */
  int32_t *step;         /* [n_rows] the places */
  int32_t n_rows;
  int32_t *rank;  /* [n] of places in the input order */
  int32_t *chain; /* [n_chain] of the operation at hand, itself first */
  int64_t n_chain;
  int32_t *first; /* [n + 1] classes of each place: the others first, then those of its chain */
  entry *entries; /* ascending by class */
  int64_t n_entries, capacity;
  double *value, *best, *slope; /* [n_rows] */
  int64_t *weight;              /* [n_rows] rounded */
  double *earns;                /* [classes] */
  moc__wide *exact;             /* [classes] */
  bool *runs;                   /* [classes] chosen */
  double byte_unit, cost_unit;
  bool *before, *after; /* [n] ancestors and descendants of a place, where there are no bitsets */
} cover_all;

static bool has(const uint64_t *set, int32_t v) {
  return (set[v / 64] >> (v % 64) & 1) != 0;
}

static void include(uint64_t *set, int32_t v) {
  set[v / 64] |= UINT64_C(1) << (v % 64);
}

/* --- Relations --- */

static void relate(cover_all *c) {
  const moc__staged *staged = c->staged;
  for (int32_t v = staged->n - 1; v >= 0; v--) {
    uint64_t *set = c->descendants + v * c->words;
    for (int32_t t = staged->first_output[v]; t < staged->first_output[v + 1]; t++) {
      for (int64_t i = staged->readers.start[t]; i < staged->readers.start[t + 1]; i++) {
        int32_t w = staged->readers.items[i];
        include(set, w);
        for (int64_t k = 0; k < c->words; k++) set[k] |= c->descendants[w * c->words + k];
      }
    }
  }
  for (int32_t v = 0; v < staged->n; v++) {
    uint64_t *set = c->ancestors + v * c->words;
    for (int64_t i = staged->reads.start[v]; i < staged->reads.start[v + 1]; i++) {
      int32_t u = staged->producer[staged->reads.items[i]];
      if (u < 0) continue;
      include(set, u);
      for (int64_t k = 0; k < c->words; k++) set[k] |= c->ancestors[u * c->words + k];
    }
  }
}

/* The places at which t is needed later, of those that come after its producer, to set[]; they do not touch it. */
static void find_holders(cover_all *c, int32_t t) {
  const moc__staged *staged = c->staged;
  int32_t u = staged->producer[t];
  for (int64_t k = 0; k < c->words; k++) {
    uint64_t later = staged->keep[t] ? ~UINT64_C(0) : 0;
    for (int64_t i = staged->readers.start[t]; i < staged->readers.start[t + 1]; i++)
      later |= c->ancestors[staged->readers.items[i] * c->words + k];
    c->set[k] = later & (u < 0 ? ~UINT64_C(0) : c->descendants[u * c->words + k]);
  }
  for (int64_t i = staged->readers.start[t]; i < staged->readers.start[t + 1]; i++)
    c->set[staged->readers.items[i] / 64] &= ~(UINT64_C(1) << (staged->readers.items[i] % 64));
  if (staged->n % 64 != 0) c->set[c->words - 1] &= (UINT64_C(1) << (staged->n % 64)) - 1;
}

/* What v holds itself. */
static int64_t own_need(const moc__staged *staged, int32_t v) {
  int64_t need = staged->workspace[v];
  for (int64_t i = staged->reads.start[v]; i < staged->reads.start[v + 1]; i++)
    need += staged->size[staged->reads.items[i]];
  for (int32_t t = staged->first_output[v]; t < staged->first_output[v + 1]; t++) need += staged->size[t];
  return need;
}

/* Make v a row if it is over budget. */
static void add_row(cover_all *c, int32_t v) {
  if (c->need[v] <= c->budget) return;
  c->step[c->n_rows] = v;
  c->row[v] = c->n_rows++;
}

static void fill_needs(cover_all *c) {
  const moc__staged *staged = c->staged;
  for (int32_t v = 0; v < staged->n; v++) c->need[v] = own_need(staged, v);
  for (int32_t t = 0; t < staged->n_tensors; t++) {
    if (staged->size[t] == 0) continue;
    find_holders(c, t);
    for (int64_t k = 0; k < c->words; k++) {
      for (uint64_t left = c->set[k]; left != 0; left &= left - 1)
        c->need[64 * k + __builtin_ctzll(left)] += staged->size[t];
    }
  }
  for (int32_t v = 0; v < staged->n; v++) add_row(c, v);
}

/* --- Classes --- */

typedef struct ranked {
  int32_t rank, place;
} ranked;

static int by_rank(const void *a, const void *b) {
  const ranked *x = a, *y = b;
  return (x->rank > y->rank) - (x->rank < y->rank);
}

/* u, and greedily along the input order readers of its outputs that descend from one another. */
static bool find_chain(cover_all *c, int32_t u) {
  const moc__staged *staged = c->staged;
  int64_t most =
      staged->readers.start[staged->first_output[u + 1]] - staged->readers.start[staged->first_output[u]];
  ranked *readers = MOC__NEW(&c->allocator, most, ranked);
  if (readers == NULL) return false;
  int64_t count = 0;
  for (int32_t t = staged->first_output[u]; t < staged->first_output[u + 1]; t++) {
    for (int64_t i = staged->readers.start[t]; i < staged->readers.start[t + 1]; i++)
      readers[count++] = (ranked){c->rank[staged->readers.items[i]], staged->readers.items[i]};
  }
  if (count > 0) qsort(readers, (size_t)count, sizeof *readers, by_rank);
  c->n_chain = 0;
  c->chain[c->n_chain++] = u;
  for (int64_t i = 0; i < count; i++) {
    int32_t last = c->chain[c->n_chain - 1];
    if (has(c->descendants + last * c->words, readers[i].place)) c->chain[c->n_chain++] = readers[i].place;
  }
  moc__release(&c->allocator, readers);
  return true;
}

/* The class, 1 + i, of a run that makes t present again after v; 0: any. */
static int32_t class_of(const cover_all *c, int32_t t, int32_t v) {
  const moc__staged *staged = c->staged;
  int64_t i = c->n_chain - 1;
  while (c->chain[i] != v && !has(c->descendants + c->chain[i] * c->words, v)) i--;
  if (i == c->n_chain - 1) return (int32_t)i + 1;
  int32_t next = c->chain[i + 1];
  for (int64_t r = staged->readers.start[t]; r < staged->readers.start[t + 1]; r++) {
    int32_t w = staged->readers.items[r];
    if (has(c->descendants + v * c->words, w) && (w == next || has(c->ancestors + next * c->words, w)))
      return (int32_t)i + 1;
  }
  return 0;
}

static int by_class(const void *a, const void *b) {
  const entry *x = a, *y = b;
  if (x->class != y->class) return x->class < y->class ? -1 : 1;
  return (x->row > y->row) - (x->row < y->row);
}

static bool add_entry(cover_all *c, int32_t class, int32_t row, int64_t bytes) {
  if (c->n_entries >= MOST_ENTRIES ||
      !moc__grow(&c->allocator, &c->entries, c->n_entries, &c->capacity, sizeof *c->entries))
    return false;
  c->entries[c->n_entries++] = (entry){class, row, bytes};
  return true;
}

static void sort_entries(cover_all *c) {
  if (c->n_entries > 0) qsort(c->entries, (size_t)c->n_entries, sizeof *c->entries, by_class);
}

static bool fill_entries(cover_all *c, bool (*stop)(void *), void *context) {
  const moc__staged *staged = c->staged;
  for (int32_t u = 0; u < staged->n; u++) {
    c->first[u + 1] = c->first[u];
    if (staged->compute_once[u]) continue;
    if (stop != NULL && stop(context)) return false;
    if (!find_chain(c, u)) return false;
    c->first[u + 1] += 1 + (int32_t)c->n_chain;
    for (int32_t t = staged->first_output[u]; t < staged->first_output[u + 1]; t++) {
      if (staged->size[t] == 0) continue;
      find_holders(c, t);
      for (int64_t k = 0; k < c->words; k++) {
        for (uint64_t left = c->set[k]; left != 0; left &= left - 1) {
          int32_t v = (int32_t)(64 * k) + __builtin_ctzll(left);
          if (c->row[v] >= 0 && !add_entry(c, c->first[u] + class_of(c, t, v), c->row[v], staged->size[t]))
            return false;
        }
      }
    }
  }
  sort_entries(c);
  return true;
}

/* --- A sample of rows, without bitsets --- */

/* Those places of which the input order has more than the budget, in equal parts: the one of most bytes of each part. Its levels are
 * by rank. */
static int32_t sample_places(const cover_all *c, const int64_t *level, int32_t sample[SAMPLED_ROWS]) {
  int32_t n = c->staged->n, over = 0, seen = 0, count = 0, last = -1;
  for (int32_t v = 0; v < n; v++) over += level[c->rank[v]] > c->budget;
  for (int32_t v = 0; v < n; v++) {
    if (level[c->rank[v]] <= c->budget) continue;
    int32_t part = (int32_t)((int64_t)SAMPLED_ROWS * seen++ / over);
    if (part != last)
      sample[count++] = v;
    else if (level[c->rank[v]] > level[c->rank[sample[count - 1]]])
      sample[count - 1] = v;
    last = part;
  }
  return count;
}

/* Ancestors and descendants of v, to before[] and after[]. O(n + m). */
static void relate_place(cover_all *c, int32_t v) {
  const moc__staged *staged = c->staged;
  memset(c->before, 0, (size_t)staged->n * sizeof *c->before);
  memset(c->after, 0, (size_t)staged->n * sizeof *c->after);
  for (int32_t w = v; w >= 0; w--) {
    if (w != v && !c->before[w]) continue;
    for (int64_t i = staged->reads.start[w]; i < staged->reads.start[w + 1]; i++) {
      int32_t u = staged->producer[staged->reads.items[i]];
      if (u >= 0) c->before[u] = true;
    }
  }
  for (int32_t w = v + 1; w < staged->n; w++) {
    for (int64_t i = staged->reads.start[w]; i < staged->reads.start[w + 1] && !c->after[w]; i++) {
      int32_t u = staged->producer[staged->reads.items[i]];
      c->after[w] = u == v || (u > v && c->after[u]);
    }
  }
}

/* Whether t is needed later than v, which does not touch it, but was there before. */
static bool is_held(const cover_all *c, int32_t t, int32_t v) {
  const moc__staged *staged = c->staged;
  int32_t u = staged->producer[t];
  if (u == v || (u >= 0 && !c->before[u])) return false;
  bool later = staged->keep[t];
  for (int64_t i = staged->readers.start[t]; i < staged->readers.start[t + 1]; i++) {
    if (staged->readers.items[i] == v) return false;
    later = later || c->after[staged->readers.items[i]];
  }
  return later;
}

/* Rows, and entries of one class for each operation: its chain is itself. */
static bool fill_sampled(cover_all *c, bool (*stop)(void *), void *context) {
  const moc__staged *staged = c->staged;
  int32_t sample[SAMPLED_ROWS];
  int64_t *level = MOC__NEW(&c->allocator, staged->n, int64_t);
  if (level == NULL) return false;
  moc__staged_levels(staged, c->rank, level);
  int32_t count = sample_places(c, level, sample);
  moc__release(&c->allocator, level);
  for (int32_t u = 0; u < staged->n; u++) c->first[u + 1] = c->first[u] + (staged->compute_once[u] ? 0 : 2);
  for (int32_t i = 0; i < count; i++) {
    int32_t v = sample[i];
    int64_t begun = c->n_entries;
    bool all = true;
    if (stop != NULL && stop(context)) return false;
    relate_place(c, v);
    c->need[v] = own_need(staged, v);
    for (int32_t t = 0; all && t < staged->n_tensors; t++) {
      if (staged->size[t] == 0 || !is_held(c, t, v)) continue;
      int32_t u = staged->producer[t];
      c->need[v] += staged->size[t];
      if (u >= 0 && !staged->compute_once[u]) all = add_entry(c, c->first[u] + 1, c->n_rows, staged->size[t]);
    }
    if (!all || c->need[v] <= c->budget) c->n_entries = begun;
    if (!all) break; /* the rows before will do */
    add_row(c, v);
  }
  sort_entries(c);
  return true;
}

/* --- The ascent --- */

/* The dual function at value[] and a supergradient. */
static double evaluate(cover_all *c) {
  const moc__staged *staged = c->staged;
  double sum = 0;
  for (int32_t r = 0; r < c->n_rows; r++) {
    c->slope[r] = (double)(c->need[c->step[r]] - c->budget) / c->byte_unit;
    sum += c->value[r] * c->slope[r];
  }
  for (int32_t i = 0; i < c->first[staged->n]; i++) c->earns[i] = 0;
  for (int64_t i = 0; i < c->n_entries; i++)
    c->earns[c->entries[i].class] += c->value[c->entries[i].row] * (double)c->entries[i].bytes / c->byte_unit;
  for (int32_t u = 0; u < staged->n; u++) {
    if (c->first[u] == c->first[u + 1]) continue;
    double cost = (double)staged->duration[u] / c->cost_unit, gain = 0, most = -INFINITY;
    int32_t found = 0;
    for (int32_t i = c->first[u] + 1; i < c->first[u + 1]; i++) {
      double now = c->earns[i] - cost;
      c->runs[i] = now > 0;
      if (now > 0) gain += now;
      if (now <= most) continue;
      most = now;
      found = i;
    }
    gain = c->earns[c->first[u]] + (most > 0 ? gain : most);
    c->runs[c->first[u]] = gain > 0;
    for (int32_t i = c->first[u] + 1; i < c->first[u + 1]; i++) c->runs[i] &= gain > 0;
    if (gain <= 0) continue;
    c->runs[found] = true;
    sum -= gain;
  }
  for (int64_t i = 0; i < c->n_entries; i++) {
    if (c->runs[c->entries[i].class]) c->slope[c->entries[i].row] -= (double)c->entries[i].bytes / c->byte_unit;
  }
  for (int32_t r = 0; r < c->n_rows; r++) {
    if (c->value[r] <= 0 && c->slope[r] < 0) c->slope[r] = 0;
  }
  return sum;
}

static void ascend(cover_all *c, bool (*stop)(void *), void *context) {
  enum { PATIENCE = 25 };
  double best = -1, factor = 1.5;
  int64_t rounds = moc__min(MOST_ROUNDS, 50 + MOST_WORK / (1 + c->staged->n + c->n_entries));
  int32_t since = 0;
  for (int64_t round = 0; round < rounds && factor > 1e-4; round++) {
    if (stop != NULL && stop(context)) return;
    double now = evaluate(c), norm = 0;
    if (now > best) {
      if (now > best + 1e-4 * fabs(best)) since = 0;
      best = now;
      memcpy(c->best, c->value, (size_t)c->n_rows * sizeof *c->best);
    }
    if (++since > PATIENCE) {
      factor *= 0.6;
      since = 0;
      memcpy(c->value, c->best, (size_t)c->n_rows * sizeof *c->value);
      now = evaluate(c);
    }
    for (int32_t r = 0; r < c->n_rows; r++) norm += c->slope[r] * c->slope[r];
    if (!(norm > 0)) return;
    double aim = 1.2 * fmax(best, 0) + 1e-3, step = factor * fmax(aim - now, 1e-6 * aim) / norm;
    for (int32_t r = 0; r < c->n_rows; r++) c->value[r] = fmax(0, c->value[r] + step * c->slope[r]);
  }
}

/* --- What rounded weights prove --- */

static bool add_product(moc__wide *sum, moc__wide factor, moc__wide value) {
  moc__wide product;
  return !__builtin_mul_overflow(factor, value, &product) && !__builtin_add_overflow(*sum, product, sum);
}

/* Times 2^shift; false when it does not fit. */
static bool prove(const cover_all *c, int shift, moc__wide *total) {
  const moc__staged *staged = c->staged;
  const moc__wide most = (moc__wide)1 << 120;
  moc__wide all = 0;
  *total = 0;
  for (int32_t r = 0; r < c->n_rows; r++) {
    if (!add_product(total, c->weight[r], (moc__wide)c->need[c->step[r]] - c->budget)) return false;
  }
  for (int32_t i = 0; i < c->first[staged->n]; i++) c->exact[i] = 0;
  for (int64_t i = 0; i < c->n_entries; i++) {
    entry e = c->entries[i];
    if (!add_product(&c->exact[e.class], c->weight[e.row], e.bytes) ||
        !add_product(&all, c->weight[e.row], e.bytes) || all > most)
      return false;
  }
  for (int32_t u = 0; u < staged->n; u++) {
    if (c->first[u] == c->first[u + 1]) continue;
    moc__wide cost = (moc__wide)staged->duration[u] << shift, gain = 0, best = -cost;
    for (int32_t i = c->first[u] + 1; i < c->first[u + 1]; i++) {
      moc__wide now = c->exact[i] - cost;
      if (now > 0) gain += now;
      if (now > best) best = now;
    }
    gain = c->exact[c->first[u]] + (best > 0 ? gain : best);
    if (gain > 0 && __builtin_sub_overflow(*total, gain, total)) return false;
  }
  return true;
}

static void publish(cover_all *c, int64_t *extra, moc_certificate *certificate) {
  double largest = 0, scale = c->cost_unit / c->byte_unit;
  for (int32_t r = 0; r < c->n_rows; r++) largest = fmax(largest, c->best[r] * scale);
  if (!(largest > 0) || !isfinite(largest) || largest >= 0x1p60) return;
  int exponent = 43 - ilogb(largest), shift = exponent < 0 ? 0 : exponent > 50 ? 50 : exponent;
  for (int32_t r = 0; r < c->n_rows; r++) c->weight[r] = (int64_t)ldexp(c->best[r] * scale, shift);
  moc__wide total, unit = (moc__wide)1 << shift;
  if (!prove(c, shift, &total) || total <= 0) return;
  moc__wide proved = total / unit + (total % unit != 0);
  if (proved > MOC_MAX_TOTAL - c->staged->total_duration) return; /* no schedule at all; no status says so */
  *extra = (int64_t)proved;
  if (c->staged->total_duration + *extra <= certificate->bound) return;
  moc_bound_weight *weights = MOC__NEW(&c->allocator, c->n_rows, moc_bound_weight);
  if (weights == NULL) {
    *extra = 0;
    return;
  }
  moc__certificate_release(certificate, &c->allocator);
  *certificate = (moc_certificate){.bound = c->staged->total_duration + *extra,
                                   .kind = MOC_CERTIFICATE_ANY_ORDER,
                                   .shift = shift,
                                   .weights = weights};
  for (int32_t r = 0; r < c->n_rows; r++) {
    if (c->weight[r] > 0)
      weights[certificate->n_weights++] =
          (moc_bound_weight){.op = c->staged->order[c->step[r]], .weight = c->weight[r]};
  }
}

/* Bitsets and chains, or for a sample sets of one place. */
static bool allocate(cover_all *c, bool sample) {
  const moc_allocator *a = &c->allocator;
  int64_t n = c->staged->n;
  if (sample) {
    c->before = MOC__NEW(a, n, bool);
    c->after = MOC__NEW(a, n, bool);
  } else {
    c->descendants = MOC__NEW_ZEROED(a, n * c->words, uint64_t);
    c->ancestors = MOC__NEW_ZEROED(a, n * c->words, uint64_t);
    c->set = MOC__NEW(a, c->words, uint64_t);
    c->chain = MOC__NEW(a, n, int32_t);
  }
  c->need = MOC__NEW(a, n, int64_t);
  c->row = MOC__NEW(a, n, int32_t);
  c->step = MOC__NEW(a, n, int32_t);
  c->rank = MOC__NEW(a, n, int32_t);
  c->first = MOC__NEW_ZEROED(a, n + 1, int32_t);
  bool sets = sample ? c->before && c->after : c->descendants && c->ancestors && c->set && c->chain;
  return sets && c->need && c->row && c->step && c->rank && c->first;
}

static bool allocate_rows(cover_all *c) {
  const moc_allocator *a = &c->allocator;
  int64_t classes = c->first[c->staged->n];
  c->value = MOC__NEW_ZEROED(a, c->n_rows, double);
  c->best = MOC__NEW_ZEROED(a, c->n_rows, double);
  c->slope = MOC__NEW(a, c->n_rows, double);
  c->weight = MOC__NEW(a, c->n_rows, int64_t);
  c->earns = MOC__NEW(a, classes, double);
  c->exact = MOC__NEW(a, classes, moc__wide);
  c->runs = MOC__NEW_ZEROED(a, classes, bool);
  return c->value && c->best && c->slope && c->weight && c->earns && c->exact && c->runs;
}

/* Rows and entries. False when memory is out, there are too many or it is stopped. */
static bool fill(cover_all *c, bool sample, bool (*stop)(void *), void *context) {
  for (int32_t v = 0; v < c->staged->n; v++) c->row[v] = -1;
  if (sample) return fill_sampled(c, stop, context);
  relate(c);
  fill_needs(c);
  return c->n_rows > 0 && fill_entries(c, stop, context);
}

moc_status moc__bound_any_order(const moc__staged *staged, int64_t budget, const int32_t *input_order, bool sample,
                                bool (*stop)(void *), void *context, const moc_allocator *allocator, int64_t *extra,
                                moc_certificate *certificate) {
  *extra = 0;
  cover_all c = {.allocator = *allocator, .staged = staged, .budget = budget, .words = (staged->n + 63) / 64};
  bool ok = allocate(&c, sample);
  if (ok) {
    for (int32_t i = 0; i < staged->n; i++) c.rank[input_order == NULL ? i : input_order[i]] = i;
    if (fill(&c, sample, stop, context) && c.n_rows > 0) {
      double cost = 0;
      for (int32_t u = 0; u < staged->n; u++) cost += (double)staged->duration[u];
      c.cost_unit = fmax(cost / staged->n, 1);
      c.byte_unit = 1;
      for (int32_t r = 0; r < c.n_rows; r++) c.byte_unit = fmax(c.byte_unit, (double)(c.need[c.step[r]] - budget));
      ok = allocate_rows(&c);
      if (ok) ascend(&c, stop, context);
      if (ok) publish(&c, extra, certificate);
    }
  }
  void *blocks[] = {c.descendants, c.ancestors, c.set,     c.need,   c.row,  c.step,  c.rank,
                    c.chain,       c.first,     c.entries, c.value,  c.best, c.slope, c.weight,
                    c.earns,       c.exact,     c.runs,    c.before, c.after};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(allocator, blocks[i]);
  return ok ? MOC_OK : moc__out_of_memory(NULL);
}
