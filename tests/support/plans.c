/* See plans.h. */
#include "support/plans.h"

#include "support/test.h"

#include <stdlib.h>

moc_plan test_plan_of(const moc_graph *graph, const moc_op *sequence, const moc_evaluation *evaluation) {
  moc_graph_facts facts;
  moc_error error;
  CHECK_OK(moc_graph_get_facts(graph, &facts, &error), error);
  int64_t *times = calloc((size_t)moc_graph_operations(graph), sizeof *times);
  assert_non_null(times);
  int64_t most = 0;
  for (int64_t step = 0; step < evaluation->length; step++) {
    if (++times[sequence[step]] > most) most = times[sequence[step]];
  }
  free(times);
  return (moc_plan){.status = MOC_PLAN_FEASIBLE,
                    .budget = evaluation->peak_memory,
                    .peak_memory = evaluation->peak_memory,
                    .baseline_peak_memory = facts.baseline_peak,
                    .total_duration = evaluation->duration,
                    .baseline_duration = facts.baseline_duration,
                    .max_computes = (int32_t)most,
                    .order = MOC_ORDER_AUTO,
                    .threads = 1,
                    .length = evaluation->length,
                    .sequence = (moc_op *)(uintptr_t)sequence, /* read-only, as all of it */
                    .memory = evaluation->memory,
                    .n_intervals = evaluation->n_intervals,
                    .intervals = evaluation->intervals};
}

moc_verdict test_verify(const moc_graph *graph, const moc_plan *plan) {
  moc_verdict verdict;
  moc_error error;
  CHECK_OK(moc_verify(graph, plan, NULL, &verdict, &error), error);
  return verdict;
}

int64_t test_scaled(int64_t times) {
  const char *text = getenv("MOCCASIN_TEST_SCALE");
  double scale = text == NULL ? 1.0 : strtod(text, NULL);
  if (!(scale > 0.0 && scale <= 1e6)) scale = 1.0;
  int64_t scaled = (int64_t)((double)times * scale);
  return scaled < 1 ? 1 : scaled;
}
