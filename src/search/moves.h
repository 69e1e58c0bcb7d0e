/* Moves of the local search over orders and sets of pairs. A move is a few changes of the state, journalled there, so
 * that the search can judge the outcome and take it back. */
#ifndef MOC_SEARCH_MOVES_H
#define MOC_SEARCH_MOVES_H

#include "search/gaps.h"
#include "search/state.h"

typedef struct moc__mover {
  moc__state *state;
  const moc__gaps *gaps;
  const moc__gaps *hinted; /* those at the end of which the relaxation recomputes, looked at first; NULL */
  uint32_t hinted_percent; /* of draws, from those */
  moc__rng *rng;
  double price;       /* of a unit of excess, in durations */
  double temperature; /* in durations: how far estimates are blurred */

  /* Of the move under way, set before it is made. What cannot be accepted any more is not tried. */
  double allowance; /* durations that may still be added if the move takes all excess away */
  double limit;     /* most change of the price of the state; INFINITY: the move has several parts */
  int32_t toggles_left;
} moc__mover;

/* Where tensor t is read around place `at`: the last place before it that computes or reads it, and the first after it
 * that reads it (the last of all for a kept tensor that is not read). False when the operation at `at` itself reads
 * it: then it cannot be gone when that stage ends. (A recomputation within the stage that reads it is no hindrance:
 * the tensor can go right after that.) */
bool moc__gap_around(const moc__state *state, int32_t t, int32_t at, int32_t *before, int32_t *next);

/* Open a gap around the stage at place `at`: of a few tensors held across it, the one with which most is gained by an
 * estimate is dropped and computed again at its next use, with those of its inputs that are gone by then and not held
 * instead. False when nothing was changed. */
bool moc__move_evict(moc__mover *mover, int32_t at);

/* Remove pairs[index], and what was recomputed for it alone. */
bool moc__move_drop(moc__mover *mover, int64_t index);

/* Remove all recomputations of the operation of pairs[index], and what was recomputed for them alone: its tensors are held
 * throughout, as where another place in a chain becomes the one that is kept. */
bool moc__move_hold(moc__mover *mover, int64_t index);

/* Move pairs[index] to another stage of its gap. */
bool moc__move_shift(moc__mover *mover, int64_t index);

/* Move pairs[index] to another stage, mostly near, with all that is recomputed for it in the stage where it is. False when nothing was
 * changed. */
bool moc__move_carry(moc__mover *mover, int64_t index);

/* Move an operation near place `at` to another place of the order, now and then with what it reads or what reads it.
 * False when nothing was changed. */
bool moc__move_reorder(moc__mover *mover, int32_t at);

/* Take a tensor away from place `at` by order alone: of one held across it, the next reader comes before that place, with
 * what it reads, or the producer after it, with what reads it. False when nothing was changed. */
bool moc__move_clear(moc__mover *mover, int32_t at);

#endif
