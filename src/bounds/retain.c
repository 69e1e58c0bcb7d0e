/* The retention bound's relaxation: intervals, supports, layout; see retain.h. */
#include "bounds/retain.h"

#include <math.h>
#include <stdlib.h>

bool moc__retain_suits(const moc__staged *staged) {
  enum { MOST_PLACES = 20000, MOST_LIVES = 150000000 };
  int64_t lives = 0;
  for (int32_t t = 0; t < staged->n_tensors; t++) {
    int64_t end = staged->readers.start[t + 1];
    int32_t last = staged->keep[t] ? staged->n - 1 : staged->producer[t];
    if (end > staged->readers.start[t]) last = (int32_t)moc__max(last, staged->readers.items[end - 1]);
    lives += last - staged->producer[t];
  }
  return staged->n <= MOST_PLACES && lives < MOST_LIVES;
}

moc_status moc__retain_init(moc__retain *r, const moc__staged *staged, int64_t budget, int32_t max_computes,
                            const moc_allocator *allocator, moc_error *error) {
  *r = (moc__retain){
      .allocator = *allocator, .staged = staged, .budget = budget, .single = max_computes <= 2, .mass_scale = 1};
  double cost = 0, bytes = 0;
  for (int32_t p = 0; p < staged->n; p++) cost += (double)staged->duration[p];
  for (int32_t t = 0; t < staged->n_tensors; t++) bytes += (double)staged->size[t];
  r->cost_unit = fmax(1, cost / staged->n);
  r->byte_unit = fmax(1, bytes / fmax(1, staged->n_tensors));
  r->ops = MOC__NEW_ZEROED(allocator, staged->n, moc__retain_op);
  return r->ops != NULL ? MOC_OK : moc__out_of_memory(error);
}

void moc__retain_release(moc__retain *r) {
  for (int32_t p = 0; r->ops != NULL && p < r->staged->n; p++) {
    moc__retain_op *op = &r->ops[p];
    void *blocks[] = {op->intervals, op->cell, op->first_low, op->picked, op->stage, op->mass};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(&r->allocator, blocks[i]);
  }
  void *blocks[] = {r->ops, r->events, r->holds, r->supports, r->earns, r->taken, r->room, r->earning, r->group};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(&r->allocator, blocks[i]);
  *r = (moc__retain){.allocator = r->allocator};
}

int32_t moc__retain_interval(moc__retain *r, int32_t place, int32_t first, int32_t last) {
  moc__retain_op *op = &r->ops[place];
  if (first <= place) first = place + 1;
  if (first > last || r->staged->compute_once[place]) return -1;
  for (int64_t i = 0; i < op->n_intervals; i++) {
    if (op->intervals[i].first == first && op->intervals[i].last == last) return (int32_t)i;
  }
  if (!moc__grow(&r->allocator, &op->intervals, op->n_intervals, &op->capacity, sizeof *op->intervals)) {
    r->out_of_memory = true;
    return -1;
  }
  op->intervals[op->n_intervals] = (moc__interval){.first = first, .last = last};
  return (int32_t)op->n_intervals++;
}

int32_t moc__retain_interval_of(moc__retain *r, const moc__retain *from, int32_t place, int32_t index) {
  if (index < 0) return -1;
  const moc__interval *x = &from->ops[place].intervals[index];
  return moc__retain_interval(r, place, x->first, x->last);
}

int64_t moc__retain_event_add(moc__retain *r, moc__retain_event event) {
  if (!moc__grow(&r->allocator, &r->events, r->n_events, &r->events_capacity, sizeof *r->events)) {
    r->out_of_memory = true;
    return -1;
  }
  event.first_hold = -1;
  r->events[r->n_events] = event;
  return r->n_events++;
}

int64_t moc__retain_hold_add(moc__retain *r, int64_t event, int32_t tensor, int64_t size) {
  if (!moc__grow(&r->allocator, &r->holds, r->n_holds, &r->holds_capacity, sizeof *r->holds)) {
    r->out_of_memory = true;
    return -1;
  }
  r->holds[r->n_holds] = (moc__retain_hold){(int32_t)event, tensor, size, -1, r->events[event].first_hold};
  r->events[event].first_hold = r->n_holds;
  return r->n_holds++;
}

void moc__retain_support_add(moc__retain *r, int64_t hold, moc__retain_support support) {
  if (!moc__grow(&r->allocator, &r->supports, r->n_supports, &r->supports_capacity, sizeof *r->supports)) {
    r->out_of_memory = true;
    return;
  }
  support.hold = hold;
  support.read_at = support.end_at = -1;
  support.number = (int32_t)r->n_supports;
  support.next = r->holds[hold].first_support;
  r->holds[hold].first_support = r->n_supports;
  r->supports[r->n_supports++] = support;
}

static int by_value(const void *a, const void *b) {
  int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

static int32_t find(const int32_t *items, int32_t count, int32_t value) {
  int32_t low = 0, high = count;
  while (low < high) {
    int32_t middle = low + (high - low) / 2;
    if (items[middle] < value)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* Lists of the intervals by their first cell and by their last one. */
static void list_intervals(moc__retain_op *op) {
  for (int32_t i = 0; i < op->n_cells; i++) op->first_low[i] = op->first_high[i] = -1;
  for (int32_t s = (int32_t)op->n_intervals - 1; s >= 0; s--) {
    moc__interval x = op->intervals[s];
    op->next_low[s] = op->first_low[x.low];
    op->first_low[x.low] = s;
    op->next_high[s] = op->first_high[x.high];
    op->first_high[x.high] = s;
  }
}

static bool lay_out_cells(moc__retain *r, moc__retain_op *op) {
  int32_t *cell = moc__resize(&r->allocator, op->cell, 2 * op->n_intervals, sizeof *cell);
  if (cell == NULL) return false;
  op->cell = cell;
  int32_t *picked = moc__resize(&r->allocator, op->picked, 2 * op->n_intervals, sizeof *picked);
  if (picked == NULL) return false;
  op->picked = picked;
  int32_t *lists = moc__resize(&r->allocator, op->first_low, 6 * op->n_intervals, sizeof *lists);
  if (lists == NULL) return false;
  op->first_low = lists; /* there are fewer cells than ends of intervals */
  op->first_high = lists + 2 * op->n_intervals;
  op->next_low = lists + 4 * op->n_intervals;
  op->next_high = lists + 5 * op->n_intervals;
  int32_t count = 0, kept = 0;
  for (int64_t i = 0; i < op->n_intervals; i++) {
    cell[count++] = op->intervals[i].first;
    cell[count++] = op->intervals[i].last + 1;
  }
  qsort(cell, (size_t)count, sizeof *cell, by_value);
  for (int32_t i = 0; i < count; i++) {
    if (i == 0 || cell[i] != cell[i - 1]) cell[kept++] = cell[i];
  }
  op->n_cells = kept - 1;
  op->n_picked = 0;
  for (int64_t i = 0; i < op->n_intervals; i++) {
    op->intervals[i].low = find(cell, kept, op->intervals[i].first);
    op->intervals[i].high = find(cell, kept, op->intervals[i].last + 1) - 1;
  }
  list_intervals(op);
  return true;
}

/* Holds by event, supports by hold, so that lists are read from front to back. */
static bool sort_lists(moc__retain *r) {
  moc__retain_hold *holds = MOC__NEW(&r->allocator, r->holds_capacity, moc__retain_hold);
  moc__retain_support *supports = MOC__NEW(&r->allocator, r->supports_capacity, moc__retain_support);
  if (holds == NULL || supports == NULL) {
    moc__release(&r->allocator, holds);
    moc__release(&r->allocator, supports);
    return false;
  }
  int64_t n_holds = 0, n_supports = 0;
  for (int64_t i = 0; i < r->n_events; i++) {
    int64_t *hold = &r->events[i].first_hold;
    for (int64_t h = *hold; h >= 0; h = r->holds[h].next) {
      *hold = n_holds;
      holds[n_holds] = r->holds[h];
      int64_t *support = &holds[n_holds].first_support;
      for (int64_t k = *support; k >= 0; k = r->supports[k].next) {
        moc__retain_support s = r->supports[k];
        s.hold = n_holds;
        s.read_at = s.read < 0 ? -1 : (int32_t)r->ops[s.reader].flat + s.read;
        s.end_at = s.end < 0 ? -1 : (int32_t)r->ops[s.ender].flat + s.end;
        *support = n_supports;
        supports[n_supports] = s;
        support = &supports[n_supports++].next;
      }
      hold = &holds[n_holds++].next;
    }
  }
  moc__release(&r->allocator, r->holds);
  moc__release(&r->allocator, r->supports);
  r->holds = holds;
  r->supports = supports;
  return true;
}

static bool lay_out(moc__retain *r) {
  int64_t flat = 0, most = 0, most_intervals = 0;
  for (int32_t p = 0; p < r->staged->n; p++) {
    moc__retain_op *op = &r->ops[p];
    op->flat = flat;
    flat += op->n_intervals;
    if (op->n_intervals > 0 && !lay_out_cells(r, op)) return false;
    most = moc__max(most, op->n_cells);
    most_intervals = moc__max(most_intervals, op->n_intervals);
  }
  double *earns = moc__resize(&r->allocator, r->earns, flat, sizeof *earns);
  if (earns != NULL) r->earns = earns;
  bool *taken = moc__resize(&r->allocator, r->taken, flat, sizeof *taken);
  if (taken != NULL) r->taken = taken;
  double *room = moc__resize(&r->allocator, r->room, 3 * most + 3, sizeof *room);
  if (room != NULL) r->room = room;
  moc__earning *earning = moc__resize(&r->allocator, r->earning, most_intervals, sizeof *earning);
  if (earning != NULL) r->earning = earning;
  int32_t *group = moc__resize(&r->allocator, r->group, 2 * most + 2, sizeof *group);
  if (group != NULL) r->group = group;
  r->n_flat = flat;
  return earns != NULL && taken != NULL && room != NULL && earning != NULL && group != NULL && sort_lists(r);
}

bool moc__retain_lay_out(moc__retain *r) {
  if (!r->out_of_memory && !lay_out(r)) r->out_of_memory = true;
  return !r->out_of_memory;
}

bool moc__retain_improve(moc__retain *r, int64_t target, int32_t rounds, bool (*stop)(void *), void *context) {
  int64_t added = moc__retain_separate(r, stop, context);
  if (r->out_of_memory || (added > 0 && !moc__retain_lay_out(r))) return false;
  if (r->n_events == 0) return false;
  moc__retain_ascend(r, target, rounds, NULL, NULL, stop, context);
  moc__retain_publish(r);
  return added > 0;
}
