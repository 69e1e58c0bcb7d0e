/* Making and giving back plans; see plan.h. */
#include "plan/plan.h"

moc_plan *moc__plan_create(const moc_allocator *allocator) {
  moc_allocator own = moc__allocator_or_default(allocator);
  moc_plan *plan = MOC__NEW_ZEROED(&own, 1, moc_plan);
  if (plan == NULL) return NULL;
  plan->allocator = own;
  plan->obstacle = MOC_NONE;
  return plan;
}

moc_status moc__plan_set_sequence(moc_plan *plan, const moc_graph *graph, const moc_op *sequence, int64_t length,
                                  moc_error *error) {
  moc_op *copy = MOC__NEW(&plan->allocator, length, moc_op);
  if (copy == NULL) return moc__out_of_memory(error);
  moc_evaluation evaluation;
  moc_status status = moc_evaluate(graph, sequence, length, &plan->allocator, &evaluation, error);
  if (status != MOC_OK) {
    moc__release(&plan->allocator, copy);
    return status;
  }
  memcpy(copy, sequence, (size_t)length * sizeof *copy);
  moc__release(&plan->allocator, plan->sequence);
  moc__release(&plan->allocator, plan->memory);
  moc__release(&plan->allocator, plan->intervals);
  plan->sequence = copy;
  plan->length = length;
  plan->memory = evaluation.memory;
  plan->intervals = evaluation.intervals;
  plan->n_intervals = evaluation.n_intervals;
  plan->peak_memory = evaluation.peak_memory;
  plan->total_duration = evaluation.duration;
  return MOC_OK;
}

void moc_plan_destroy(moc_plan *plan) {
  if (plan == NULL) return;
  moc_allocator allocator = plan->allocator;
  moc__release(&allocator, plan->sequence);
  moc__release(&allocator, plan->memory);
  moc__release(&allocator, plan->intervals);
  moc__release(&allocator, plan->trace);
  moc__certificate_release(&plan->certificate, &allocator);
  moc__release(&allocator, plan);
}
