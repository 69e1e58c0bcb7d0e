/* A bound for all orders from least cuts: what must be in memory at one moment, or be made again with all that takes.
 *
 * Take the first computation of v in any schedule. Before it some operations D have been computed: all ancestors of v, no
 * descendant, and of each what it reads from. An operation u of D *runs again* if it is computed once more after that. What is
 * needed of a tensor t of u then (some operation reads it then, or it is kept) is in memory at v, or u runs again. If it is not needed, all that
 * read it are in D, and none of them runs again. So every operation and every tensor has a state,
 *
 *   u: not in D | runs again (duration_u) | in D and does not;      t: made again | in memory (size_t) | not needed any more,
 *
 * and the rules between states are of the form: if x is at least so far, y is at least so far. With a price for each byte
 * the cheapest states that obey the rules are a least cut, which a greatest flow finds, in all orders and with all choices of what to
 * compute again at once:
 *
 *   extra >= cut_v(price) - price (M - what v writes, and its workspace).
 *
 * That is so for each v and each price >= 0. On layered graphs, whose order is open, it is a half to nine tenths of the best plans' extra
 * duration at moderate budgets, where counting only what descendants of v read of ancestors (any_order.h) has next to nothing; on training graphs,
 * which hold most at one moment, it is nearly tight. It counts no run before v, and each run once. */
#ifndef MOC_BOUNDS_CUT_H
#define MOC_BOUNDS_CUT_H

#include "model/staged.h"

/* The extra duration that is proved, to *extra, 0 if none. Its certificate takes the place of *certificate, which moc__certificate_release
 * releases, if it proves more. Without `all` it looks at a sample of operations. `effort`: arcs to look at, about; after as many it makes do with what it has. Deterministic unless stopped.
 * OUT_OF_MEMORY. O(n + m) memory. */
moc_status moc__bound_cut(const moc__staged *staged, int64_t budget, bool all, int64_t effort, bool (*stop)(void *),
                          void *context, const moc_allocator *allocator, int64_t *extra,
                          moc_certificate *certificate);

#endif
