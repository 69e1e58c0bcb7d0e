/* The covering bound: what evicting must free, at the least cost, at every step that is over budget.
 *
 * Take the first computations alone, events (j, j) of the staged model, and the input order's profile. A tensor t of
 * producer q that is in the profile at j, and neither read nor written by j, has a next use u > j: the first place after
 * j that reads t, or the last place when t is kept. It is absent at (j, j) only if q is computed again in a stage of
 * (j, u]: otherwise the instance that u reads began before j. The stages (l, u], l the use before j, belong to this gap
 * of t. Gaps of one producer (several outputs) may overlap: those that hang together form an *item*. The stage
 * intervals of different items of one producer are disjoint, so each item of which some gap is evicted costs a
 * computation of its own. Hence, for every staged schedule of the order within budget M, whatever the number of
 * computations allowed,
 *
 *     extra duration >= min sum_i cost_i y_i,   sum_i bytes_ij y_i >= profile_j - M at each step j over budget,  0 <= y <= 1,
 *
 * with bytes_ij the sizes of the gaps of item i around j. Operations that are computed once have no items, tensors
 * without producer no gaps. Memory at recomputations, and what recomputing itself needs, is left out.
 *
 * By weak duality every choice of weights v_j >= 0 proves
 *     extra >= sum_j v_j (profile_j - M) - sum_i max(0, sum_j v_j bytes_ij - cost_i).
 * The weights are found in floating point, rounded to multiples of 2^-shift, and the bound is then computed from them
 * in 128-bit integers: only that is published, and the weights are its certificate (see verify/bound.c). */
#ifndef MOC_BOUNDS_COVER_H
#define MOC_BOUNDS_COVER_H

#include "model/staged.h"

/* Consecutive rows at which evicting an item frees `bytes`. */
typedef struct moc__cover_part {
  int32_t first, last; /* rows, both included */
  int64_t bytes;
} moc__cover_part;

typedef struct moc__cover {
  moc_allocator allocator;
  int32_t n_rows;
  int32_t *step;   /* [n_rows] places over budget, ascending */
  int64_t *excess; /* [n_rows] profile - M */
  int32_t n_items;
  int64_t *cost;       /* [n_items] */
  int64_t *first_part; /* [n_items + 1] */
  moc__cover_part *parts;
  int shift;
  int64_t *weight; /* [n_rows] times 2^-shift: the best found */
  int64_t extra;   /* the bound that they prove, at least 0 */
} moc__cover;

/* Lay out the relaxation; weights 0, extra 0. OUT_OF_MEMORY. O(n + m). */
moc_status moc__cover_init(moc__cover *cover, const moc__staged *staged, int64_t budget,
                           const moc_allocator *allocator, moc_error *error);
void moc__cover_release(moc__cover *cover);

/* Improve weights and bound by at most `rounds` steps of a subgradient ascent. `target` is an upper bound on the extra
 * duration, INT64_MAX for none: reaching it ends the ascent. `stop` (may be NULL) is asked each round with `context`.
 * Deterministic unless stopped. OUT_OF_MEMORY. O(rows + parts) a round. */
moc_status moc__cover_ascend(moc__cover *cover, int64_t target, int32_t rounds, bool (*stop)(void *), void *context,
                             moc_error *error);

#endif
