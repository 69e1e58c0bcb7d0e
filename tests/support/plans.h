/* Plans for tests, made from sequences, and the check that every plan of a test goes through. */
#ifndef TEST_PLANS_H
#define TEST_PLANS_H

#include <moccasin/moccasin.h>

/* A plan that says what moc_evaluate says of a sequence: feasible at a budget of its own peak, lower bound 0, order
 * auto, as many computations as there are. It borrows `sequence` and the evaluation's arrays; there is nothing to give
 * back. */
moc_plan test_plan_of(const moc_graph *graph, const moc_op *sequence, const moc_evaluation *evaluation);

/* The plan must pass moc_verify; returns what that found. */
moc_verdict test_verify(const moc_graph *graph, const moc_plan *plan);

/* How often to repeat a randomised check: `times`, scaled by the environment's MOCCASIN_TEST_SCALE (a number such as
 * 0.1), at least 1. */
int64_t test_scaled(int64_t times);

#endif
