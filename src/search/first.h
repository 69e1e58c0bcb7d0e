/* The first plan where annealing finds none: by construction, or the proof that there is none.
 *
 * In rounds of growing effort, between schedules of the annealing: each builds one schedule (construct.h), and looks for
 * operations that no schedule at all can compute within the budget (recall.h). A schedule that is not staged is
 * offered to the incumbent as a sequence. If the annealing finds no plan within a few more schedules, that ends the search:
 * it goes on from there with pauses (staged.h). */
#ifndef MOC_SEARCH_FIRST_H
#define MOC_SEARCH_FIRST_H

#include "search/construct.h"
#include "search/incumbent.h"
#include "search/recall.h"

typedef struct moc__first_options {
  int64_t budget;
  int32_t max_computes;       /* most that may be tried */
  const int32_t *input_order; /* [n] numbers, as another order to build in; NULL: none */
  uint64_t seed, stream;
  int64_t moves_before; /* of the thread's annealing, in searches before */
  int32_t restarts;     /* searches before that came to nothing: rounds begin later */
  int32_t rounds;       /* of refutation that there were before */
  bool builder;         /* of every other thread, that builds more */
  bool refutes;         /* looks for operations that cannot be computed, too */
} moc__first_options;

typedef struct moc__first {
  const moc__staged *staged;
  const moc__first_options *options;
  moc__recall recall;
  int64_t budget; /* less what is resident throughout */
  bool *nothing;  /* [tensors] resident from the start: those without producer */
  bool *fixed;    /* [tensors] resident throughout */
  bool *possible; /* [n + 1] a schedule that computes the operation is known; the last: the end */
  int32_t *kept;  /* [n_kept] */
  int64_t n_kept;
  int32_t turn;        /* the operation to be looked at next */
  int32_t operations;  /* places that are no pauses */
  int32_t rounds;      /* of construction so far */
  int64_t building;    /* effort of them */
  int32_t refutations; /* rounds of that, with those of searches before */
  int32_t alongs;      /* constructions along a schedule so far */
} moc__first;

moc_status moc__first_init(moc__first *first, const moc__staged *staged, const moc__first_options *options,
                           const moc_allocator *allocator, moc_error *error);
void moc__first_release(moc__first *first);

/* One more round. What it finds, and memory that is out, goes to the incumbent. After the first rounds, each of the two takes no more than
 * a share of the work that the thread's `moves` of this search are. */
void moc__first_round(moc__first *first, int64_t moves, moc__incumbent *incumbent);
/* The same without construction: refutation only, if that is asked for. */
void moc__first_refute(moc__first *first, int64_t moves, moc__incumbent *incumbent);

/* Build along a schedule of that peak, over budget: guide [length], numbers without pauses, borrowed. Where that gets stuck, with a
 * budget between the two, and on from there. False when nothing was built; else *built is
 * what came last, of a lower peak, and the caller releases its sequence. */
bool moc__first_along(moc__first *first, const int32_t *guide, int64_t length, int64_t peak,
                      moc__incumbent *incumbent, moc__constructed *built);

#endif
