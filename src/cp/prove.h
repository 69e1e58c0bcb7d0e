/* The prover: raises the lower bound until it meets the best plan, and finds plans on the way.
 *
 * First the covering bound (bounds/cover.h), at once; then the retention bound (bounds/retain.h), until it rises no more; for a graph
 * that is too large for it, and so for the rest, the bound over all orders (bounds/any_order.h) instead, at once, too. Then
 * the constraint program is asked for a schedule below a target: a refusal proves the target a lower bound, an answer is a
 * better plan. Targets lie between bound and plan, nearer to the bound after a failure and further after a success (a
 * destructive lower bound); the plan's own duration is the last. While there is no plan, it is more than any schedule takes:
 * where that is refused there is none, and the incumbent is told. Between targets a part of the work goes to windows
 * (cp/windows.h), which look for better plans and prove nothing. */
#ifndef MOC_CP_PROVE_H
#define MOC_CP_PROVE_H

#include "search/guide.h"
#include "search/incumbent.h"
#include "search/pool.h"

typedef struct moc__prover moc__prover;

/* A prover for schedules of `staged` within `budget` with at most `max_computes` computations of an operation. Solutions of
 * its relaxation are posted to `guide`. All must outlive it. NULL when memory is out. */
moc__prover *moc__prover_create(const moc__staged *staged, int64_t budget, int32_t max_computes,
                                moc__incumbent *incumbent, moc__pool *pool, moc__guide *guide, uint64_t seed);

/* Go on for about `effort` units of work, each about a microsecond. False when there is nothing more to do: everything is
 * proved, the graph is too large for more, or memory is out; the incumbent is not told, for the search needs no bound.
 * Deterministic but for what the incumbent holds; it is asked for a stop often. */
bool moc__prover_run(moc__prover *prover, int64_t effort);

/* The extra duration proved so far. */
int64_t moc__prover_bound(const moc__prover *prover);

/* How often it found a shorter plan. */
int64_t moc__prover_found(const moc__prover *prover);

/* Write down what the program proved so far as a proof by cases (bounds/branching.h), or go on with that, as far as it goes
 * in a share of the work that the proof took: the certificate then proves more than the relaxation alone. `done`: the proof
 * has ended; the share is larger then. `stop` is asked often. Deterministic. */
void moc__prover_write_down(moc__prover *prover, bool done, bool (*stop)(void *), void *context);

/* *certificate, zeroed, gets that of the best bound that has one, if there is more than nothing; its arrays belong to the
 * caller. */
void moc__prover_destroy(moc__prover *prover, moc_certificate *certificate);

#endif
