/* Greedy descent to feasibility, for large graphs: at places over budget open gaps one after another, each with what its
 * recomputation needs chosen by what it costs in excess, which annealing leaves to chance. So few changes have to be
 * taken back, where annealing tries dozens for each that it keeps. */
#ifndef MOC_SEARCH_SWEEP_H
#define MOC_SEARCH_SWEEP_H

#include "search/moves.h"

/* Open a gap around the place at `at`, the best of a few by an estimate of the excess that goes for what comes; each
 * input that is gone is held or computed again, whichever costs less. False when none seems to pay. Settle afterwards. */
bool moc__move_open(moc__mover *mover, int32_t at);

/* Open gaps until the state is feasible, that does not help any more, or `stop` is true for `context`. Not within a
 * move. False when memory is out. */
bool moc__sweep(moc__mover *mover, bool (*stop)(void *), void *context);

#endif
