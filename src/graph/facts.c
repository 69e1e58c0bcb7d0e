/* What a graph says without solving: the input order's figures and the working-set bound. O(n + m). */
#include "graph/graph.h"

/* The bytes that must be resident while `op` runs, in any schedule: its reads, its outputs, its workspace and the
 * tensors that are resident throughout. */
static int64_t working_set(const moc_graph *graph, moc_op op, int64_t throughout) {
  int64_t bytes = throughout + graph->workspace[op];
  for (int64_t i = graph->reads.start[op]; i < graph->reads.start[op + 1]; i++) {
    moc_tensor t = graph->reads.items[i];
    if (!(graph->keep[t] && graph->producer[t] == MOC_NONE)) bytes += graph->size[t];
  }
  for (int64_t i = graph->outputs.start[op]; i < graph->outputs.start[op + 1]; i++)
    bytes += graph->size[graph->outputs.items[i]];
  return bytes;
}

moc_status moc_graph_get_facts(const moc_graph *graph, moc_graph_facts *facts, moc_error *error) {
  if (graph == NULL || facts == NULL)
    return moc__fail(error, MOC_INVALID_ARGUMENT, "", "the graph or the place for its facts is NULL");
  moc_evaluation baseline;
  moc_status status = moc_evaluate(graph, graph->order, graph->n_ops, &graph->allocator, &baseline, error);
  if (status != MOC_OK) return status;
  moc_graph_facts result = {
      .baseline_peak = baseline.peak_memory, .baseline_duration = baseline.duration, .working_set_op = MOC_NONE};
  while (baseline.memory[result.baseline_peak_step] < baseline.peak_memory) result.baseline_peak_step++;
  moc_evaluation_release(&baseline);

  int64_t throughout = 0, at_the_end = 0;
  for (moc_tensor t = 0; t < graph->n_tensors; t++) {
    if (!graph->keep[t]) continue;
    at_the_end += graph->size[t];
    if (graph->producer[t] == MOC_NONE) throughout += graph->size[t];
  }
  result.working_set_bound = at_the_end;
  for (moc_op op = 0; op < graph->n_ops; op++) {
    int64_t bytes = working_set(graph, op, throughout);
    if (bytes > result.working_set_bound ||
        (bytes == result.working_set_bound && result.working_set_op == MOC_NONE)) {
      result.working_set_bound = bytes;
      result.working_set_op = op;
    }
  }
  *facts = result;
  return MOC_OK;
}
