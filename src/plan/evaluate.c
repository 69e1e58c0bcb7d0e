/* What a sequence costs: retention intervals, memory profile, peak and duration (section 2.1 of the paper, and
 * docs/memory.md). One sweep forward; an instance's interval ends at its last reader so far. */
#include "base/base.h"

/* The interval of the latest instance of each tensor, or -1. */
typedef struct sweep {
  const moc_graph *graph;
  moc_evaluation *result;
  int64_t *latest; /* [tensors] */
  bool *computed;  /* [operations] */
  moc_error *error;
} sweep;

static moc_status count_intervals(const moc_graph *graph, const moc_op *sequence, int64_t length, int64_t *count,
                                  moc_error *error) {
  int64_t operations = moc_graph_operations(graph);
  *count = moc_graph_tensors(graph); /* at most all of them have no producer */
  for (int64_t step = 0; step < length; step++) {
    moc_op op = sequence[step];
    if (op < 0 || op >= operations) {
      moc_status status =
          moc__fail(error, MOC_INVALID_PLAN, "", "%d is no operation; they are numbered from 0 to %lld", op,
                    (long long)operations - 1);
      moc__error_place(error, "sequence[%lld]", (long long)step);
      return status;
    }
    *count += moc_graph_op_outputs(graph, op).count;
  }
  return MOC_OK;
}

/* Tensors without producer: there from the start, if anybody needs them. */
static void enter_sources(sweep *s) {
  for (moc_tensor t = 0; t < moc_graph_tensors(s->graph); t++) {
    s->latest[t] = -1;
    if (moc_graph_tensor_producer(s->graph, t) != MOC_NONE) continue;
    if (moc_graph_tensor_readers(s->graph, t).count == 0 && !moc_graph_tensor_keep(s->graph, t)) continue;
    s->latest[t] = s->result->n_intervals;
    s->result->intervals[s->result->n_intervals++] = (moc_interval){t, 0, 0};
  }
}

static moc_status run_step(sweep *s, moc_op op, int64_t step) {
  moc_tensor_list reads = moc_graph_op_reads(s->graph, op);
  for (int64_t i = 0; i < reads.count; i++) {
    moc_tensor t = reads.items[i];
    if (s->latest[t] < 0) {
      moc_status status = moc__fail(
          s->error, MOC_INVALID_PLAN, "", "operation %s reads an output of %s before it is computed",
          moc_graph_op_name(s->graph, op), moc_graph_op_name(s->graph, moc_graph_tensor_producer(s->graph, t)));
      moc__error_place(s->error, "sequence[%lld]", (long long)step);
      return status;
    }
    s->result->intervals[s->latest[t]].end = step;
  }
  if (s->computed[op] && moc_graph_op_compute_once(s->graph, op)) {
    moc_status status =
        moc__fail(s->error, MOC_INVALID_PLAN, "", "operation %s is computed again but is not recomputable",
                  moc_graph_op_name(s->graph, op));
    moc__error_place(s->error, "sequence[%lld]", (long long)step);
    return status;
  }
  s->computed[op] = true;
  moc_tensor_list outputs = moc_graph_op_outputs(s->graph, op);
  for (int64_t i = 0; i < outputs.count; i++) {
    s->latest[outputs.items[i]] = s->result->n_intervals;
    s->result->intervals[s->result->n_intervals++] = (moc_interval){outputs.items[i], step, step};
  }
  if (!moc__add(&s->result->duration, moc_graph_op_duration(s->graph, op)))
    return moc__fail(s->error, MOC_OVERFLOW, "sequence", "the durations of all steps exceed 2^62 in sum");
  return MOC_OK;
}

static moc_status check_complete(const sweep *s) {
  for (moc_op op = 0; op < moc_graph_operations(s->graph); op++) {
    if (!s->computed[op])
      return moc__fail(s->error, MOC_INVALID_PLAN, "sequence",
                       "operation %s is never computed; every operation occurs at least once",
                       moc_graph_op_name(s->graph, op));
  }
  return MOC_OK;
}

/* From intervals to the bytes resident at each step. */
static void fill_memory(const sweep *s, const moc_op *sequence) {
  moc_evaluation *result = s->result;
  int64_t last = result->length - 1;
  for (moc_tensor t = 0; t < moc_graph_tensors(s->graph); t++) {
    if (moc_graph_tensor_keep(s->graph, t)) result->intervals[s->latest[t]].end = last;
  }
  memset(result->memory, 0, (size_t)result->length * sizeof *result->memory);
  for (int64_t i = 0; i < result->n_intervals; i++) {
    const moc_interval *interval = &result->intervals[i];
    int64_t size = moc_graph_tensor_size(s->graph, interval->tensor);
    result->memory[interval->start] += size;
    if (interval->end < last) result->memory[interval->end + 1] -= size;
  }
  int64_t resident = 0;
  for (int64_t step = 0; step < result->length; step++) {
    resident += result->memory[step];
    result->memory[step] = resident + moc_graph_op_workspace(s->graph, sequence[step]);
    result->peak_memory = moc__max(result->peak_memory, result->memory[step]);
  }
}

moc_status moc_evaluate(const moc_graph *graph, const moc_op *sequence, int64_t length,
                        const moc_allocator *allocator, moc_evaluation *evaluation, moc_error *error) {
  if (graph == NULL || evaluation == NULL || length < 0 || (sequence == NULL && length > 0))
    return moc__fail(error, MOC_INVALID_ARGUMENT, "",
                     "the graph, the sequence or the place for the result is NULL");
  moc_evaluation result = {.length = length, .allocator = moc__allocator_or_default(allocator)};
  sweep s = {.graph = graph, .result = &result, .error = error};
  int64_t count = 0;
  moc_status status = count_intervals(graph, sequence, length, &count, error);
  if (status != MOC_OK) return status;

  const moc_allocator *a = &result.allocator;
  result.memory = MOC__NEW(a, length, int64_t);
  result.intervals = MOC__NEW(a, count, moc_interval);
  s.latest = MOC__NEW(a, moc_graph_tensors(graph), int64_t);
  s.computed = MOC__NEW_ZEROED(a, moc_graph_operations(graph), bool);
  if (result.memory == NULL || result.intervals == NULL || s.latest == NULL || s.computed == NULL)
    status = moc__out_of_memory(error);
  else
    enter_sources(&s);
  for (int64_t step = 0; step < length && status == MOC_OK; step++) status = run_step(&s, sequence[step], step);
  if (status == MOC_OK) status = check_complete(&s);
  if (status == MOC_OK) fill_memory(&s, sequence);

  moc__release(a, s.latest);
  moc__release(a, s.computed);
  if (status == MOC_OK)
    *evaluation = result;
  else
    moc_evaluation_release(&result);
  return status;
}

void moc_evaluation_release(moc_evaluation *evaluation) {
  if (evaluation == NULL) return;
  moc__release(&evaluation->allocator, evaluation->memory);
  moc__release(&evaluation->allocator, evaluation->intervals);
  evaluation->memory = NULL;
  evaluation->intervals = NULL;
  evaluation->length = evaluation->n_intervals = 0;
}
