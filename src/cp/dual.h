/* A bound on the objective for the search: the retention bound (bounds/retain.h) at the present assignment.
 *
 * With multipliers given, the relaxation falls apart into one choice for each operation: its starts. What the search has
 * decided limits that choice - X(p, a, b) true: some start lies in a..b; false: none does; N(p, 1) true: there is one; false:
 * there is none - so the bound at a node is
 *
 *   bound = constants - sum_p earnings_p,
 *
 * each operation's best found by going through its cells. When it passes the target, the literals of the operations that
 * matter are a conflict; an operation whose literals make little difference is left out of it. A literal that would push
 * the bound past the target is false.
 *
 * Multipliers are integers in units of 2^-shift, sums have 128 bits: no rounding takes part in a deduction. They are
 * improved in floating point, thoroughly at level 0 (with what is fixed there, and new events and supports), by a few
 * steps below. Lagrangean relaxation in a conflict-driven search, with explanations, follows the idea of reduced-cost
 * explanations (Davies, Gange and Stuckey for linear relaxations). */
#ifndef MOC_CP_DUAL_H
#define MOC_CP_DUAL_H

#include "bounds/retain.h"
#include "cp/model.h"

typedef struct moc__dual moc__dual;

/* A dual of `model` over `retain` (of the same staged model, budget and computations); both must outlive it. NULL when
 * memory is out. */
moc__dual *moc__dual_create(moc__model *model, moc__retain *retain);
/* Let the search of its model use it. */
void moc__dual_install(moc__dual *dual);
/* Ask `stop` (may be NULL) with `context` now and then during what takes long. */
void moc__dual_watch(moc__dual *dual, bool (*stop)(void *), void *context);
/* For ablations: whether literals are fixed, and how many steps improve the multipliers below level 0. */
void moc__dual_tune(moc__dual *dual, bool fixes, int32_t node_rounds);
/* What the model has fixed at level 0 leaves of the relaxation `whole`: *part is initialised with it. OUT_OF_MEMORY. */
moc_status moc__dual_restrict(const moc__model *model, const moc__retain *whole, moc__retain *part);
void moc__dual_destroy(moc__dual *dual);

/* Work done, in about microseconds. */
int64_t moc__dual_work(const moc__dual *dual);

#endif
