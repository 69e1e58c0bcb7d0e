/* Plans that threads cross with one another: schedules that start afresh settle in plans that differ in many places, each
 * good in other parts of the order. A cross takes a part of the order, with what is recomputed there, from one plan and
 * the rest from another; a short annealing then mends the seams. (Order crossover of a genetic algorithm; orders stay
 * topological because what a part takes over first is closed under reads.)
 *
 * Work goes by turns, counted over all threads, in generations: plans that start afresh, each followed by a cross; then
 * crosses alone, now and then a plan that is heated up. The next generation takes along the best plan only, and its
 * schedules are twice as long. Until there is a plan, sets over budget by little stand in for plans, and are crossed likewise.
 * All functions may be called by all threads at once. */
#ifndef MOC_SEARCH_POOL_H
#define MOC_SEARCH_POOL_H

#include "search/state.h"

#include <pthread.h>

/* A set of pairs in an order. */
typedef struct moc__candidate {
  int32_t *order;   /* [n] */
  moc__pair *pairs; /* [n_pairs] */
  int64_t n_pairs, capacity;
  int64_t extra; /* its duration beyond every operation once; INT64_MAX: there is nothing here */
  int64_t over;  /* the units by which it passes the budget; 0: a plan */
} moc__candidate;

enum { MOC__POOL_SIZE = 12 };

typedef struct moc__pool {
  moc_allocator allocator;
  int32_t n;
  pthread_mutex_t lock; /* guards what follows */
  moc__candidate plans[MOC__POOL_SIZE];
  int32_t count;      /* of them in use */
  int32_t turn;       /* the next of this generation */
  int32_t generation; /* from 0 */
} moc__pool;

/* What a thread is to do next. */
typedef enum moc__turn { MOC__START, MOC__CROSS, MOC__REHEAT } moc__turn;

/* INTERNAL when the system gives no lock. */
moc_status moc__pool_init(moc__pool *pool, int32_t n, const moc_allocator *allocator, moc_error *error);
void moc__pool_release(moc__pool *pool);

/* Take the next turn; *generation is the one that it belongs to. */
moc__turn moc__pool_next(moc__pool *pool, int32_t *generation);

/* Offer a plan, which the pool takes when it is short of plans, or this one is better than its worst and not as good as any
 * that is there: over budget by less, or as much and shorter. False when memory is out. */
bool moc__pool_offer(moc__pool *pool, const moc__candidate *plan);

/* Cross two plans that are there into *child, whose arrays grow; extra is left as it is, and it may be over budget. `taken` is
 * scratch [n]. False when there are fewer than two, or memory is out. O(n). */
bool moc__pool_cross(moc__pool *pool, moc__rng *rng, bool *taken, moc__candidate *child);

/* Room for an order of n and so many pairs. False when memory is out. */
bool moc__candidate_reserve(moc__candidate *candidate, const moc_allocator *allocator, int32_t n, int64_t n_pairs);
/* Copy order and pairs of a state, `over` budget by so many units. False when memory is out. */
bool moc__candidate_take(moc__candidate *candidate, const moc__state *state, int64_t over);
static inline bool moc__candidate_better(const moc__candidate *a, const moc__candidate *b) {
  return a->over < b->over || (a->over == b->over && a->extra < b->extra);
}
void moc__candidate_release(moc__candidate *candidate, const moc_allocator *allocator);

#endif
