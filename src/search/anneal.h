/* Simulated annealing over sets of pairs: both phases of the paper's solve (section 2.4) in one search.
 *
 * A set is judged by its extra duration plus a price for every byte above the budget at every stage. The price
 * adapts so that a good share of the sets visited is feasible: while none is, it rises until feasibility is all that
 * counts (phase 1); after that the search moves along the border of the feasible sets (phase 2). The search never ends
 * by itself: it starts over, by turns from the empty set, from a cross of two plans (pool.h) and from the best, with longer
 * and longer schedules.
 *
 * Where no plan is found soon, the budget comes down by little from one for which there is (a squeeze), and sets that nearly
 * reach it are crossed as plans are. And along such sets schedules are built (first.h) that need less memory than they do. As those
 * are not staged, the search then ends, to be started again with such a schedule laid out in places and pauses: from there
 * squeezes get farther, and so on. */
#ifndef MOC_SEARCH_ANNEAL_H
#define MOC_SEARCH_ANNEAL_H

#include "search/guide.h"
#include "search/incumbent.h"
#include "search/moves.h"
#include "search/pool.h"

typedef struct moc__anneal_options {
  int64_t budget;
  int32_t max_computes;  /* most computations of one operation, to start with */
  int32_t most_computes; /* to this they are raised while no plan is found; at least max_computes */
  bool limited;          /* where the order is proved to have no staged schedule, soon give up */
  bool reorders;         /* search the order too */
  bool improves;         /* the incumbent has a plan, which is all there is to start from: nothing is built */
  const moc__pair
      *start; /* [n_start] a set over budget to come nearer from, in the order as it is; none: n_start 0 */
  int64_t n_start;
  bool relaxes;         /* solve the relaxation now and then and post what it says: no prover does yet */
  int32_t restarts;     /* searches that came to nothing before this one, so that it makes more effort */
  int32_t level;        /* tries to come nearer to the budget from `start` begin at this: the longer the higher */
  int64_t moves_before; /* of a thread, in searches before this one */
  int32_t refutations;  /* rounds of that which there were before */
  bool refutes;         /* where no plan is found, see whether there is none */
  const int32_t
      *input_order; /* [n] the input order in places of the staged model, to start from too; NULL: it is that */
  void (*aside)(void *context); /* called once between two schedules, some time after there is a plan; NULL: not */
  void *context;
  int64_t moves; /* most moves; 0: no limit */
  uint64_t seed;
  uint64_t stream; /* the thread's number: its own random numbers */
} moc__anneal_options;

/* Search until the incumbent says stop or the moves are used up. `staged` is borrowed and shared by threads, as are the pool,
 * the guide and the incumbent. When memory is out the incumbent is told. */
void moc__anneal(const moc__staged *staged, const moc__anneal_options *options, moc__pool *pool, moc__guide *guide,
                 moc__incumbent *incumbent);

#endif
