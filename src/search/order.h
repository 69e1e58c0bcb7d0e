/* Search for an order of first computations that needs little memory above a budget, nothing recomputed. */
#ifndef MOC_SEARCH_ORDER_H
#define MOC_SEARCH_ORDER_H

#include "base/rng.h"
#include "graph/graph.h"

/* Write a topological order to order[operations]: the best found among the input order, a greedy order by memory, and
 * what moving single operations makes of the better of the two, judged by the bytes above `budget` summed over steps.
 * Never worse than the input order by that measure. `stop` (may be NULL) is asked now and then with `context`; a true
 * answer ends the search early. The same seed gives the same order unless stopped. OUT_OF_MEMORY.
 * Cost: O(n + m) for each of a number of moves that shrinks as the graph grows. */
moc_status moc__search_order(const moc_graph *graph, int64_t budget, uint64_t seed, bool (*stop)(void *),
                             void *context, const moc_allocator *allocator, moc_op *order, moc_error *error);

#endif
