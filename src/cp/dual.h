/* A bound on the objective for the search: the linear relaxation of memory and support, by Lagrange multipliers.
 *
 * With multipliers l_e >= 0 for the memory constraint of each event e, room_e its bound, and 0 <= v_s for each support s
 * (R_s >= V_s - X_s) of a tensor of size_t at e, those of one R together at most l_e size_t, every solution has
 *
 *   extra >= sum_e -l_e room_e + sum_s v_s V_s - v_s X_s + sum_p duration_p |starts of p|.
 *
 * V and X speak of the starts of one operation each, so for given multipliers the right side falls apart: operation p
 * chooses its starts to earn most, sum of b over the spans that are hit, less its duration for each start; b of a span is
 * the sum of v_s over the supports that it ends less the sum over those that it demands. Literals that the search has
 * fixed (spans that must be hit, or must not; at least one start) limit that choice: each operation's best is found by
 * going through the segments between ends of spans. Then
 *
 *   bound = constants - sum_p earnings_p,
 *
 * and when it passes the target, the literals of the operations that matter are a conflict; an operation whose literals
 * make little difference is left out of it. A literal that would push the bound past the target is false.
 *
 * Multipliers are integers in units of 2^-shift, sums have 128 bits: no rounding takes part in a deduction. They are
 * improved by subgradient steps in floating point, thoroughly at level 0, by a few steps below. Lagrangean relaxation in
 * a conflict-driven search, with explanations, follows the idea of reduced-cost explanations (Davies, Gange and Stuckey
 * for linear relaxations). */
#ifndef MOC_CP_DUAL_H
#define MOC_CP_DUAL_H

#include "cp/model.h"

typedef struct moc__dual moc__dual;

/* A dual of `model`, which must outlive it. NULL when memory is out. */
moc__dual *moc__dual_create(moc__model *model);
/* Let the search of its model use it. */
void moc__dual_install(moc__dual *dual);
void moc__dual_destroy(moc__dual *dual);

/* Work done, in about microseconds. */
int64_t moc__dual_work(const moc__dual *dual);

#endif
