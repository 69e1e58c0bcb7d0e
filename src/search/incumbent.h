/* What the threads of a solve share: the best plan so far, as a set of pairs, the improvements that led to it, and
 * the word to stop. All functions may be called by all threads at once. */
#ifndef MOC_SEARCH_INCUMBENT_H
#define MOC_SEARCH_INCUMBENT_H

#include "search/state.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct moc__incumbent {
  moc_allocator allocator;
  double started; /* on moc__seconds' clock */
  const moc__staged *staged;
  int64_t total_duration; /* of every operation once */
  int64_t lower_bound;
  atomic_bool stop;            /* all threads are to end soon */
  _Atomic int64_t extra;       /* of the best plan; INT64_MAX: none yet */
  _Atomic int64_t least_peak;  /* least peak of any schedule that was looked at; meant for who finds no plan */
  _Atomic int64_t moves;       /* made by all threads */
  atomic_bool built;           /* there is a sequence within budget */
  _Atomic int32_t refutations; /* rounds of refutation, with those of searches before */
  _Atomic int64_t nearest;     /* the peak of the sequence; INT64_MAX: there is none */
  _Atomic int32_t refuted; /* a number that no schedule can compute within the budget (n: nor end with what is to be
                                 kept); -1: none known */
  atomic_bool excluded;    /* the order has no staged schedule within budget; others may exist */

  pthread_mutex_t lock; /* guards what follows */
  pthread_cond_t news;  /* a better plan, or a thread has ended */
  moc__pair *pairs;     /* [n_pairs] the best plan */
  int64_t n_pairs, pairs_capacity;
  int32_t *order; /* [n] and its order, in numbers of the staged model */
  int64_t peak;
  int32_t *sequence; /* [n_sequence] a schedule that is not staged, in numbers: within budget, or the nearest to it;
                      * n_sequence 0: none */
  int64_t n_sequence;
  int32_t max_computes;   /* of the state that the best plan came from; without a plan, the most tried */
  moc_trace_point *trace; /* [n_trace] */
  int64_t n_trace, trace_capacity;
  int64_t n_plans; /* improvements of the plan; the trace has those of the bound too */
  int32_t running; /* threads that have not ended */
  int32_t tries;   /* to come nearer to the budget, that have ended */
  int32_t level;   /* of the last that did; -1: none yet */
  bool failed;     /* memory was out somewhere */
} moc__incumbent;

/* `started` is on moc__seconds' clock. INTERNAL when the system gives no lock. */
moc_status moc__incumbent_init(moc__incumbent *incumbent, const moc_allocator *allocator, double started,
                               const moc__staged *staged, int64_t baseline_peak, moc_error *error);
void moc__incumbent_release(moc__incumbent *incumbent);

/* Offer a feasible state. Cheap when it is not better. */
void moc__incumbent_offer(moc__incumbent *incumbent, const moc__state *state);
/* Offer pairs over the order in which `staged` is laid out, known to be within budget, with their extra duration, their
 * peak and the computations that were allowed. */
void moc__incumbent_offer_pairs(moc__incumbent *incumbent, const moc__pair *pairs, int64_t n_pairs, int64_t extra,
                                int64_t peak, int32_t max_computes);
/* Offer a sequence of numbers that is no staged schedule, `within` budget or not, allocated with the incumbent's allocator. It
 * is taken if there is no plan, and no other that is within budget or of as low a peak; false otherwise. */
bool moc__incumbent_offer_sequence(moc__incumbent *incumbent, int32_t *sequence, int64_t length, int64_t peak,
                                   bool within);
/* Tell that number `op` (n: the end) is out of reach of all schedules, and stop everybody. */
void moc__incumbent_refute(moc__incumbent *incumbent, int32_t op);
/* Tell that it is proved that the order has no staged schedule within budget. False when a plan contradicts it. */
bool moc__incumbent_exclude(moc__incumbent *incumbent);
/* Tell a proven lower bound on the extra duration. False when a plan contradicts it: then it was not proven. */
bool moc__incumbent_raise(moc__incumbent *incumbent, int64_t extra);
/* Tell the peak of a state or a sequence. */
void moc__incumbent_offer_peak(moc__incumbent *incumbent, int64_t peak);
/* Tell how many computations of one operation are about to be tried. */
void moc__incumbent_allow(moc__incumbent *incumbent, int32_t max_computes);
/* Copy the best order to order [n] and the best pairs to *pairs (an array that grows). Their number; -1 when there is no plan or no memory. */
int64_t moc__incumbent_copy(moc__incumbent *incumbent, int32_t *order, moc__pair **pairs, int64_t *capacity);
/* Note that memory is out, and stop everybody. */
void moc__incumbent_fail(moc__incumbent *incumbent);
/* A try of a level to come nearer to the budget has ended. Once one got within it, or did come nearer and as
 * many have ended as there are threads, so that others are not lost that are about as long, that ends the search. */
void moc__incumbent_tried(moc__incumbent *incumbent, int32_t level, bool nearer);
/* A thread has ended. */
void moc__incumbent_leave(moc__incumbent *incumbent);

static inline bool moc__stopped(const moc__incumbent *incumbent) {
  return atomic_load_explicit(&incumbent->stop, memory_order_relaxed);
}

static inline bool moc__excluded(const moc__incumbent *incumbent) {
  return atomic_load_explicit(&incumbent->excluded, memory_order_relaxed);
}

static inline void moc__incumbent_stop(moc__incumbent *incumbent) {
  atomic_store(&incumbent->stop, true);
}

static inline bool moc__built(const moc__incumbent *incumbent) {
  return atomic_load_explicit(&incumbent->built, memory_order_relaxed);
}

static inline int64_t moc__nearest(const moc__incumbent *incumbent) {
  return atomic_load_explicit(&incumbent->nearest, memory_order_relaxed);
}

static inline int64_t moc__incumbent_extra(const moc__incumbent *incumbent) {
  return atomic_load_explicit(&incumbent->extra, memory_order_relaxed);
}

#endif
