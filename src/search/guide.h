/* What the relaxation of the retention bound (bounds/retain.h) says about good plans: how much of a recomputation each pair
 * of an operation and a stage has in the average of its solutions, the pair's *mass*. Nearly all pairs of good plans have
 * some and few others do, so the search starts from samples of the masses and looks first at gaps that have any.
 * (As an LP's solution guides the rounding and the neighbourhoods of a MIP solver.)
 *
 * One thread posts masses, better ones as the relaxation gets on; the others take the last. */
#ifndef MOC_SEARCH_GUIDE_H
#define MOC_SEARCH_GUIDE_H

#include "base/rng.h"
#include "bounds/retain.h"

#include <pthread.h>
#include <stdatomic.h>

/* A pair of the staged model and its mass, more than 0. */
typedef struct moc__mass {
  moc__pair pair;
  double mass;
} moc__mass;

/* What threads share. */
typedef struct moc__guide {
  moc_allocator allocator;
  pthread_mutex_t lock; /* guards what follows */
  moc__mass *masses;    /* [count] by place, then by stage */
  int64_t count, capacity;
  _Atomic int64_t posts; /* so far; to be read without the lock, too */
} moc__guide;

/* Solves the relaxation where no prover does. */
typedef struct moc__relaxer {
  moc__retain retain;
  bool active;  /* there is more to do */
  int32_t idle; /* phases in a row without a rise of the bound */
} moc__relaxer;

/* A thread's copy. */
typedef struct moc__hints {
  moc_allocator allocator;
  int64_t post;      /* the one that this is of; 0: none */
  moc__mass *masses; /* [count] by place, then by stage */
  int64_t count, capacity;
  int32_t n;
  int64_t *first;    /* [n + 1] of each place in masses[] */
  moc__pair *sample; /* [n_sample] the last one drawn */
  int64_t n_sample, sample_capacity;
} moc__hints;

/* INTERNAL when the system gives no lock. */
moc_status moc__guide_init(moc__guide *guide, const moc_allocator *allocator, moc_error *error);
void moc__guide_release(moc__guide *guide);
/* Post the average solution of a relaxation. Nothing is posted, and nothing lost, when memory is out. */
void moc__guide_post(moc__guide *guide, const moc__retain *retain);

/* Not active where the graph is too large for the relaxation, or memory is out. */
void moc__relaxer_init(moc__relaxer *relaxer, const moc__staged *staged, int64_t budget, int32_t max_computes,
                       const moc_allocator *allocator);
void moc__relaxer_release(moc__relaxer *relaxer);
/* Go on, and post, until it has done about so much work in all, each unit about a microsecond. Deterministic but for
 * `stop`, which may be NULL. */
void moc__relaxer_run(moc__relaxer *relaxer, int64_t work, moc__guide *guide, bool (*stop)(void *), void *context);

/* Of a model of n places. OUT_OF_MEMORY. */
moc_status moc__hints_init(moc__hints *hints, int32_t n, const moc_allocator *allocator, moc_error *error);
void moc__hints_release(moc__hints *hints);
/* Take the last post if it is newer than what is there. True when it was taken. O(masses). */
bool moc__hints_take(moc__hints *hints, moc__guide *guide);
/* A moc__lists_gap of hints: of gaps at the end of which the relaxation recomputes. */
bool moc__hints_list(const void *hints, const int32_t *place, int32_t p, int32_t from, int32_t to);
/* Draw pairs to hints->sample, each with the probability of its mass. */
void moc__hints_sample(moc__hints *hints, moc__rng *rng);

#endif
