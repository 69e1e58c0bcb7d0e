/* Any sequence as a staged schedule: pauses cut it where recomputations between two first computations do not ascend. */
#ifndef MOC_SEARCH_SPLIT_H
#define MOC_SEARCH_SPLIT_H

#include "model/staged.h"

typedef struct moc__split {
  int32_t places; /* operations and pauses */
  int32_t pauses;
  int32_t max_computes; /* most computations of one operation */
  int64_t n_pairs;
  moc_op *order;    /* [places] operations in the order of their first computations; MOC_NONE: a pause */
  moc__pair *pairs; /* [n_pairs] in places of `order`, ascending by event */
} moc__split;

/* Split sequence [length] of numbers of `staged`: every number at least once, but for pauses, of which there are none. The
 * split schedule is the same sequence. OUT_OF_MEMORY. O(n + length). */
moc_status moc__split_init(moc__split *split, const moc__staged *staged, const int32_t *sequence, int64_t length,
                           const moc_allocator *allocator, moc_error *error);
void moc__split_release(moc__split *split, const moc_allocator *allocator);

#endif
