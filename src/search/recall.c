/* The search backwards; see recall.h. The game is black pebbling with repebbling, played in reverse. */
#include "search/recall.h"

#include <math.h>

/* What has been spent on the way weighs so much against what a set lacks: less finds a way sooner, more a shorter one. */
static const double PATIENCE = 0.1;

enum { MOST_VISITS = 4096 }; /* operations looked at for what a set lacks */

moc_status moc__recall_init(moc__recall *recall, const moc__staged *staged, const moc_allocator *allocator,
                            moc_error *error) {
  int64_t n = staged->n, tensors = staged->n_tensors, timed = 0;
  *recall = (moc__recall){.staged = staged,
                          .allocator = *allocator,
                          .in_set = MOC__NEW_ZEROED(allocator, tensors, int64_t),
                          .visited = MOC__NEW_ZEROED(allocator, n, int64_t),
                          .stack = MOC__NEW(allocator, n, int32_t),
                          .scratch = MOC__NEW(allocator, tensors, int32_t)};
  for (int32_t p = 0; p < staged->n; p++) timed += staged->duration[p] > 0;
  recall->duration = timed == 0 ? 1 : (double)staged->total_duration / (double)timed;
  recall->small = 0.01 * recall->duration;
  if (recall->in_set && recall->visited && recall->stack && recall->scratch) return MOC_OK;
  moc__recall_release(recall);
  return moc__out_of_memory(error);
}

void moc__recall_release(moc__recall *recall) {
  void *blocks[] = {recall->sets,   recall->items,   recall->open,  recall->table,
                    recall->in_set, recall->visited, recall->stack, recall->scratch};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(&recall->allocator, blocks[i]);
  *recall = (moc__recall){.allocator = recall->allocator};
}

/* --- The heap --- */

static bool push_open(moc__recall *r, double key, int32_t set) {
  if (!moc__grow(&r->allocator, &r->open, r->n_open, &r->open_capacity, sizeof *r->open)) return false;
  int64_t at = r->n_open++;
  for (int64_t up = (at - 1) / 2; at > 0 && r->open[up].key > key; at = up, up = (at - 1) / 2)
    r->open[at] = r->open[up];
  r->open[at] = (moc__recall_open){key, set};
  return true;
}

static int32_t pop_open(moc__recall *r) {
  int32_t set = r->open[0].set;
  moc__recall_open last = r->open[--r->n_open];
  int64_t at = 0;
  for (;;) {
    int64_t child = 2 * at + 1;
    if (child >= r->n_open) break;
    if (child + 1 < r->n_open && r->open[child + 1].key < r->open[child].key) child++;
    if (r->open[child].key >= last.key) break;
    r->open[at] = r->open[child];
    at = child;
  }
  r->open[at] = last;
  return set;
}

/* --- Sets seen --- */

static uint64_t hash_of(const int32_t *items, int64_t count) {
  uint64_t hash = (uint64_t)count;
  for (int64_t i = 0; i < count; i++) {
    hash = (hash ^ (uint64_t)(uint32_t)items[i]) * UINT64_C(0x9e3779b97f4a7c15);
    hash ^= hash >> 29;
  }
  return hash;
}

/* Where the set with these items is in the table, or is to go. */
static int64_t find_slot(const moc__recall *r, const int32_t *items, int64_t count) {
  int64_t slot = (int64_t)(hash_of(items, count) & (uint64_t)(r->table_size - 1));
  for (;; slot = (slot + 1) & (r->table_size - 1)) {
    int32_t set = r->table[slot];
    if (set < 0) return slot;
    if (r->sets[set].count == count &&
        (count == 0 || memcmp(moc__recall_items(r, set), items, (size_t)count * sizeof *items) == 0))
      return slot;
  }
}

static bool reserve_table(moc__recall *r) {
  if (2 * (r->n_sets + 1) <= r->table_size) return true;
  int64_t size = r->table_size == 0 ? 256 : 2 * r->table_size;
  if (size > r->table_capacity) {
    int32_t *grown = MOC__NEW(&r->allocator, size, int32_t);
    if (grown == NULL) return false;
    moc__release(&r->allocator, r->table);
    r->table = grown;
    r->table_capacity = size;
  }
  r->table_size = size;
  for (int64_t i = 0; i < size; i++) r->table[i] = -1;
  for (int64_t i = 0; i < r->n_sets; i++)
    r->table[find_slot(r, moc__recall_items(r, (int32_t)i), r->sets[i].count)] = (int32_t)i;
  return true;
}

/* --- What a set lacks --- */

static bool may_compute(const moc__recall_query *q, const moc__staged *staged, int32_t p) {
  return q->counts == NULL || q->counts[p] == 0 || (!staged->compute_once[p] && q->counts[p] < q->max_computes);
}

/* The durations of what is gone and needed for the set, each once; INFINITY when some of it cannot be had. */
static double lack(moc__recall *r, const moc__recall_query *q, const int32_t *items, int64_t count) {
  const moc__staged *staged = r->staged;
  double sum = 0;
  int32_t open = 0, visits = 0;
  int64_t stamp = ++r->stamp;
  const int32_t *reads = items;
  int64_t n_reads = count;
  for (;;) {
    for (int64_t i = 0; i < n_reads; i++) {
      if (q->resident[reads[i]] || q->fixed[reads[i]]) continue;
      int32_t p = staged->producer[reads[i]];
      if (p < 0) return INFINITY;
      if (r->visited[p] == stamp) continue;
      if (!may_compute(q, staged, p)) return INFINITY;
      r->visited[p] = stamp;
      sum += (double)staged->duration[p] + r->small;
      if (++visits < MOST_VISITS) r->stack[open++] = p;
    }
    if (open == 0) {
      r->effort += visits + count;
      return sum;
    }
    int32_t p = r->stack[--open];
    reads = staged->reads.items + staged->reads.start[p];
    n_reads = staged->reads.start[p + 1] - staged->reads.start[p];
  }
}

/* --- From set to set --- */

static bool is_output(const moc__staged *staged, int32_t t, int32_t p) {
  return t >= staged->first_output[p] && t < staged->first_output[p + 1];
}

typedef enum added { ADDED, SEEN, NO_MEMORY } added;

/* Note the set in r->scratch [count]. Its items are ascending. */
static added add_set(moc__recall *r, const moc__recall_query *q, int64_t count, int32_t parent, int32_t op,
                     bool only) {
  const moc__staged *staged = r->staged;
  if (!reserve_table(r)) return NO_MEMORY;
  int64_t slot = find_slot(r, r->scratch, count);
  if (r->table[slot] >= 0) return SEEN;
  double lacks = lack(r, q, r->scratch, count), spent = 0;
  if (isinf(lacks)) return SEEN;
  if (!moc__reserve(&r->allocator, &r->items, r->n_items + count, &r->items_capacity, sizeof *r->items))
    return NO_MEMORY;
  if (!moc__grow(&r->allocator, &r->sets, r->n_sets, &r->sets_capacity, sizeof *r->sets)) return NO_MEMORY;
  if (op >= 0) spent = r->sets[parent].spent + (double)staged->duration[op] + r->small;
  int64_t bytes = 0;
  for (int64_t i = 0; i < count; i++) bytes += staged->size[r->scratch[i]];
  double weight = q->thrift * r->duration * (double)bytes / (double)moc__max(q->budget, 1);
  if (!push_open(r, only ? -INFINITY : PATIENCE * spent + lacks + weight, (int32_t)r->n_sets)) return NO_MEMORY;
  moc__recall_set *set = &r->sets[r->n_sets];
  *set = (moc__recall_set){
      .parent = parent, .op = op, .count = (int32_t)count, .start = r->n_items, .bytes = bytes, .spent = spent};
  if (count > 0) memcpy(r->items + r->n_items, r->scratch, (size_t)count * sizeof *r->items);
  r->n_items += count;
  r->table[slot] = (int32_t)r->n_sets++;
  return ADDED;
}

/* The set before operation p ran last, with the given set after it: to scratch. Its count; -1 when that passes the budget. `stamp` marks the set
 * in in_set. *adds: it has items that the set has not. */
static int64_t set_before(moc__recall *r, const moc__recall_query *q, const moc__recall_set *set, int32_t p,
                          int64_t stamp, bool *adds) {
  const moc__staged *staged = r->staged;
  int64_t bytes = set->bytes + staged->workspace[p], count = 0;
  for (int32_t t = staged->first_output[p]; t < staged->first_output[p + 1]; t++)
    bytes += r->in_set[t] == stamp || q->fixed[t] ? 0 : staged->size[t];
  const int32_t *items = r->items + set->start;
  int64_t i = 0, j = staged->reads.start[p], end = staged->reads.start[p + 1];
  *adds = false;
  while (i < set->count || j < end) {
    int32_t read = j < end ? staged->reads.items[j] : INT32_MAX;
    if (i < set->count && items[i] <= read) {
      j += items[i] == read;
      if (!is_output(staged, items[i], p)) r->scratch[count++] = items[i];
      i++;
      continue;
    }
    j++;
    if (q->fixed[read]) continue;
    bytes += staged->size[read];
    *adds = true;
    r->scratch[count++] = read;
  }
  return bytes > q->budget ? -1 : count;
}

/* All of the set is resident. */
static bool is_resident(const moc__recall *r, const moc__recall_query *q, const moc__recall_set *set) {
  for (int64_t i = 0; i < set->count; i++) {
    if (!q->resident[r->items[set->start + i]]) return false;
  }
  return true;
}

/* Add the sets that lead to set `index`. */
static bool expand(moc__recall *r, const moc__recall_query *q, int32_t index) {
  const moc__staged *staged = r->staged;
  int64_t stamp = ++r->stamp;
  moc__recall_set set = r->sets[index];
  for (int64_t i = 0; i < set.count; i++) r->in_set[r->items[set.start + i]] = stamp;
  /* First whether one needs nothing in addition. */
  for (int64_t pass = 0; pass < 2; pass++) {
    int32_t previous = -1;
    for (int64_t i = 0; i < set.count; i++) {
      int32_t t = r->items[set.start + i], p = staged->producer[t];
      if (p < 0 || p == previous || !may_compute(q, staged, p)) continue;
      bool adds;
      if (pass == 0 && q->resident[t]) continue;
      previous = p;
      int64_t count = set_before(r, q, &set, p, stamp, &adds);
      if (count < 0 || (pass == 0 && adds)) continue;
      if (add_set(r, q, count, index, p, pass == 0) == NO_MEMORY) return false;
      if (pass == 0) return true;
    }
  }
  return true;
}

moc__recall_outcome moc__recall_find(moc__recall *recall, const moc__recall_query *query) {
  moc__recall *r = recall;
  int64_t count = 0, bytes = 0;
  r->n_sets = r->n_items = r->n_open = r->table_size = 0;
  for (int64_t i = 0; i < query->n_targets; i++) {
    int32_t t = query->targets[i];
    if (query->fixed[t]) continue;
    r->scratch[count++] = t;
    bytes += r->staged->size[t];
  }
  if (bytes > query->budget) return MOC__RECALL_IMPOSSIBLE;
  if (add_set(r, query, count, -1, -1, false) == NO_MEMORY) return MOC__RECALL_OUT_OF_MEMORY;
  while (r->n_open > 0) {
    int32_t set = pop_open(r);
    if (is_resident(r, query, &r->sets[set])) {
      r->first = set;
      return MOC__RECALL_FOUND;
    }
    if (r->n_sets >= query->most_sets || (query->most_effort > 0 && r->effort >= query->most_effort))
      return MOC__RECALL_GAVE_UP;
    if (query->stop != NULL && query->stop(query->context)) return MOC__RECALL_GAVE_UP;
    if (!expand(r, query, set)) return MOC__RECALL_OUT_OF_MEMORY;
  }
  return MOC__RECALL_IMPOSSIBLE;
}
