/* Making a plan from a sequence. */
#ifndef MOC_PLAN_PLAN_H
#define MOC_PLAN_PLAN_H

#include "base/base.h"

/* A new plan without sequence, zeroed, or NULL when memory is out. */
moc_plan *moc__plan_create(const moc_allocator *allocator);

/* Set the plan's sequence (copied) and all that follows from it: length, memory, intervals, peak, duration. */
moc_status moc__plan_set_sequence(moc_plan *plan, const moc_graph *graph, const moc_op *sequence, int64_t length,
                                  moc_error *error);

#endif
