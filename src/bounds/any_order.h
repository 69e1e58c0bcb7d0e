/* A covering bound for all orders: what must be in memory, or come back, whatever order is chosen.
 *
 * Take the first computation of v in any schedule. Every ancestor u of v was computed before it, every descendant w is computed
 * first after it. So a tensor t of u that such a w reads is in memory there, or u runs again after the first computation
 * of v and before that of w; a kept t is there or u runs again later. Tensors without producer are there, and so are those
 * of operations that run once; what v itself reads and writes, and its workspace, too. With need_v the sum of all these,
 * every v for which need_v > M must have tensors of need_v - M bytes absent.
 *
 * Runs of u for different v can be one and the same. But let w_1 < ... < w_k be readers of u's outputs, each an ancestor
 * of the next, w_0 = u. If t is absent at v, a descendant of w_i, and one of its readers that come after v is w_{i+1} or an
 * ancestor of it, then u runs between the first computations of w_i and w_{i+1}: call it a run of *class* i. With i = k
 * any reader will do. Runs of different classes differ. For other v some run of u, of whatever class. With weights v >= 0
 *
 *   extra >= sum_v weight_v (need_v - M) - sum_u max(0, most that runs of u earn less duration_u for each),
 *
 * a run of class i earning the weights times sizes of what may be absent with it, and runs of u together, once, those of the
 * others. The chain of each u is chosen greedily along a given order of operations, so that who verifies finds the same.
 *
 * Bitsets of ancestors and descendants: O(n^2) bits, O(n m / 64) time, O(pairs of a tensor and a v over budget) a round. A sample
 * does without: only some v have a weight, in equal parts of those over budget in the input order the one of most bytes, and the
 * chain of each u is u alone. O(n + m) for each v, and so few weights that the ascent mostly gets farther, but where chains matter. */
#ifndef MOC_BOUNDS_ANY_ORDER_H
#define MOC_BOUNDS_ANY_ORDER_H

#include "model/staged.h"

/* The extra duration that is proved, to *extra, 0 if none. Its certificate takes the place of *certificate, which moc__certificate_release
 * releases, if it proves more. `input_order` [n]: the graph's input order in places of `staged`, NULL where these are the same.
 * Without `sample` it is for graphs of which who verifies has the table, too (MOC__TABLED). Deterministic unless
 * stopped. OUT_OF_MEMORY, or no bound where little is missing. */
moc_status moc__bound_any_order(const moc__staged *staged, int64_t budget, const int32_t *input_order, bool sample,
                                bool (*stop)(void *), void *context, const moc_allocator *allocator, int64_t *extra,
                                moc_certificate *certificate);

#endif
