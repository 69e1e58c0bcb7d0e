/* The prover: raises the lower bound until it meets the best plan, and finds plans on the way.
 *
 * First the covering bound (bounds/cover.h), at once. Then the constraint program is asked for a schedule below a target:
 * a refusal proves the target a lower bound, an answer is a better plan. The target is the best plan's duration, which
 * would settle everything, for a while; then places between bound and plan, nearer to the bound after a failure and
 * further after a success (a destructive lower bound). */
#ifndef MOC_CP_PROVE_H
#define MOC_CP_PROVE_H

#include "search/incumbent.h"

typedef struct moc__prove_options {
  int64_t budget;
  int32_t max_computes; /* that schedules may have; the bound holds for those */
  int64_t effort;       /* most units of work, each about a microsecond; 0: no limit */
} moc__prove_options;

/* Run until the incumbent says stop, everything is proved, or the effort is spent. When memory is out the proof ends;
 * the incumbent is not told: the search needs no bound. *certificate, zeroed, gets that of the covering bound if that is
 * more than nothing; its weights belong to the caller. Deterministic but for what the incumbent holds. */
void moc__prove(const moc__staged *staged, const moc__prove_options *options, moc__incumbent *incumbent,
                moc_certificate *certificate);

#endif
