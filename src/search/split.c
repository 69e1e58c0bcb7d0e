/* Splitting sequences into stages; see split.h. */
#include "search/split.h"

moc_status moc__split_init(moc__split *split, const moc__staged *staged, const int32_t *sequence, int64_t length,
                           const moc_allocator *allocator, moc_error *error) {
  *split = (moc__split){0};
  int32_t n = staged->n;
  int64_t most = length + 1; /* places */
  if (most > INT32_MAX) return moc__out_of_memory(error);
  int32_t *place = MOC__NEW(allocator, n, int32_t), *count = MOC__NEW_ZEROED(allocator, n, int32_t);
  split->order = MOC__NEW(allocator, most, moc_op);
  split->pairs = MOC__NEW(allocator, length, moc__pair);
  bool ok = place != NULL && count != NULL && split->order != NULL && split->pairs != NULL;
  /* Pairs wait for the place of their stage, which is the next that is given out. */
  int32_t places = 0, last = -1;
  int64_t n_pairs = 0;
  for (int64_t i = 0; ok && i < length; i++) {
    int32_t number = sequence[i];
    if (++count[number] > split->max_computes) split->max_computes = count[number];
    if (count[number] == 1) {
      place[number] = places;
      split->order[places++] = staged->order[number];
      last = -1;
      continue;
    }
    if (place[number] <= last) {
      split->order[places++] = MOC_NONE;
      split->pauses++;
    }
    last = place[number];
    split->pairs[n_pairs++] = (moc__pair){place[number], places};
  }
  if (ok && last >= 0) { /* recomputations after everything else */
    split->order[places++] = MOC_NONE;
    split->pauses++;
  }
  split->places = places;
  split->n_pairs = n_pairs;
  moc__release(allocator, place);
  moc__release(allocator, count);
  if (ok) return MOC_OK;
  moc__split_release(split, allocator);
  return moc__out_of_memory(error);
}

void moc__split_release(moc__split *split, const moc_allocator *allocator) {
  moc__release(allocator, split->order);
  moc__release(allocator, split->pairs);
  *split = (moc__split){0};
}
