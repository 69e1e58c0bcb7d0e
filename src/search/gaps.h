/* The gaps of an order: maximal runs of stages through which a tensor is held without being read (from one read, or
 * its computation, to the next; a kept tensor's last gap reaches to the last stage). Recomputing a tensor pays by
 * opening such a gap. Tensors that cannot be recomputed have none.
 *
 * Places are those of the order under search at the time the gaps were listed; a drawn gap has to be looked at again.
 *
 * Gaps around a given stage are found through a segment tree: a gap is listed at the O(log n) tree nodes that make up
 * its inner stages, so the gaps around stage j are those listed on the path from leaf j to the root, each once.
 * Space O(gaps log n), a draw O(log n). */
#ifndef MOC_SEARCH_GAPS_H
#define MOC_SEARCH_GAPS_H

#include "base/rng.h"
#include "model/staged.h"

/* Whether to list the gaps of what number p computes that begin after place `from` and end before a read at place `to`,
 * where each number is at place[number]. */
typedef bool moc__lists_gap(const void *context, const int32_t *place, int32_t p, int32_t from, int32_t to);

typedef struct moc__gaps {
  moc_allocator allocator;
  int32_t leaves;   /* a power of two, at least n */
  int64_t *start;   /* [2 * leaves + 1] each tree node's part of tensors[] */
  int32_t *tensors; /* [capacity] the tensor of each listing */
  int64_t capacity;
  moc__lists_gap *lists; /* these alone; NULL: all */
  const void *context;   /* for that; borrowed */
  int32_t *reads;        /* [most readers of a tensor] scratch */
} moc__gaps;

/* The gaps when each number is at place[number], those that `lists` says yes to, or all if it is NULL. OUT_OF_MEMORY.
 * O(gaps log n). */
moc_status moc__gaps_init(moc__gaps *gaps, const moc__staged *staged, const int32_t *place, moc__lists_gap *lists,
                          const void *context, const moc_allocator *allocator, moc_error *error);
/* The same for another order. False, leaving no gaps, when memory is out. */
bool moc__gaps_rebuild(moc__gaps *gaps, const moc__staged *staged, const int32_t *place);
void moc__gaps_release(moc__gaps *gaps);

/* A tensor with a gap around stage j, each such tensor equally likely; -1 when there is none. */
int32_t moc__gaps_draw(const moc__gaps *gaps, int32_t j, moc__rng *rng);

#endif
