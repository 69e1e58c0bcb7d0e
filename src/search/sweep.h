/* Much of phase 1 in one pass, for large graphs: walk over the places over budget and open, at each, the gaps with which most
 * excess goes for a duration, by recomputations whose inputs are held. Nothing is taken back, so each costs one change,
 * where annealing tries dozens; what remains is left to annealing. */
#ifndef MOC_SEARCH_SWEEP_H
#define MOC_SEARCH_SWEEP_H

#include "search/moves.h"

/* Sweep until the state is feasible, passes do not help any more or `stop` is true for `context`. Changes of more than
 * the excess they take are not made. False when memory is out. */
bool moc__sweep(moc__mover *mover, bool (*stop)(void *), void *context);

#endif
