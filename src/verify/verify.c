/* Verification: is everything true that a plan says?
 *
 * Naive on purpose, and apart from evaluation and solver on purpose: nothing of src/plan, src/model or src/search is
 * used, only what anybody can ask of a graph. Where moc_evaluate goes forward and lets every read prolong an interval,
 * this goes backwards, as a compiler finds live variables: a tensor is live after a step when a later step reads it
 * before it is computed anew. The bytes at a step are then those of the tensors live after it, of its own reads and
 * outputs, each once, and of its workspace (docs/memory.md). A graph's sizes and workspaces are at most MOC_MAX_TOTAL
 * in sum, so that bytes need no checked addition here.
 *
 * Cost: O(length + reads of all steps), and the same for the input order. */
#include "base/base.h"

#include <math.h>
#include <stdio.h>

/* What a check works with. */
typedef struct check {
  const moc_graph *graph;
  const moc_plan *plan;
  moc_error *error;
  moc_allocator allocator;
  int64_t operations, tensors;
  int64_t *times;      /* [operations] computations met so far */
  int64_t *live_until; /* [tensors] in a backward sweep, the last step that needs the tensor; -1: it is not live */
  int64_t *place;      /* [tensors] its place among its producer's outputs */
  int64_t *first;      /* [length + 1] the number of the first instance that each step makes */
  int64_t *end;    /* [first[length]] the last step of each instance, LISTED once the plan was seen to list it */
  int64_t *memory; /* [length] */
} check;

enum { LISTED = -2 };

/* A tensor as messages name it. */
typedef struct tensor_text {
  char data[120];
} tensor_text;

static const char *name_tensor(const check *c, moc_tensor t, tensor_text *text) {
  const char *name = moc_graph_tensor_name(c->graph, t);
  moc_op producer = moc_graph_tensor_producer(c->graph, t);
  if (name[0] != '\0')
    (void)snprintf(text->data, sizeof text->data, "tensor %.100s", name);
  else if (producer == MOC_NONE)
    (void)snprintf(text->data, sizeof text->data, "graph input number %lld", (long long)t);
  else
    (void)snprintf(text->data, sizeof text->data, "output %lld of operation %.80s", (long long)c->place[t],
                   moc_graph_op_name(c->graph, producer));
  return text->data;
}

/* A member that does not hold the number it should. */
static moc_status wrong_number(const check *c, const char *place, int64_t said, int64_t found) {
  return moc__fail(c->error, MOC_INVALID_PLAN, place, "the plan says %lld; it is %lld", (long long)said,
                   (long long)found);
}

/* Point an error that was just filled at one item of a member. */
static moc_status at(const check *c, const char *member, int64_t index, moc_status status) {
  moc__error_place(c->error, "%s[%lld]", member, (long long)index);
  return status;
}

/* --- Can the sequence be run? --- */

/* Every step an operation that may be computed there, every operation computed. Fills c->times. */
static moc_status check_sequence(check *c, const moc_op *sequence, int64_t length) {
  for (int64_t op = 0; op < c->operations; op++) c->times[op] = 0;
  for (int64_t step = 0; step < length; step++) {
    moc_op op = sequence[step];
    if (op < 0 || op >= c->operations)
      return at(c, "sequence", step,
                moc__fail(c->error, MOC_INVALID_PLAN, "",
                          "there is no operation %lld; operations are numbered from 0 to %lld", (long long)op,
                          (long long)c->operations - 1));
    if (c->times[op] > 0 && moc_graph_op_compute_once(c->graph, op))
      return at(c, "sequence", step,
                moc__fail(c->error, MOC_INVALID_PLAN, "",
                          "operation %s is computed again, but it may be computed only once",
                          moc_graph_op_name(c->graph, op)));
    moc_tensor_list reads = moc_graph_op_reads(c->graph, op);
    for (int64_t i = 0; i < reads.count; i++) {
      moc_op producer = moc_graph_tensor_producer(c->graph, reads.items[i]);
      if (producer != MOC_NONE && c->times[producer] == 0)
        return at(c, "sequence", step,
                  moc__fail(c->error, MOC_INVALID_PLAN, "",
                            "operation %s reads what operation %s computes, which has not been computed before",
                            moc_graph_op_name(c->graph, op), moc_graph_op_name(c->graph, producer)));
    }
    c->times[op]++;
  }
  for (int64_t op = 0; op < c->operations; op++) {
    if (c->times[op] == 0)
      return moc__fail(c->error, MOC_INVALID_PLAN, "sequence",
                       "operation %s is never computed; every operation has to be, at least once",
                       moc_graph_op_name(c->graph, (moc_op)op));
  }
  return MOC_OK;
}

/* --- What does it cost? --- */

/* Let a tensor be needed at `step` and count its bytes, unless it is live already. */
static void make_live(check *c, moc_tensor t, int64_t step, int64_t *live_bytes) {
  if (c->live_until[t] >= 0) return;
  c->live_until[t] = step;
  *live_bytes += moc_graph_tensor_size(c->graph, t);
}

/* Backwards over a sequence that can be run: the peak, its first step, and unless they are NULL the bytes at each step
 * (memory [length]) and the end of each instance, as numbered by c->first. Leaves in c->live_until the last step
 * of the tensors without producer, -1 for those that are never resident. */
static void sweep_back(check *c, const moc_op *sequence, int64_t length, int64_t *memory, int64_t *end,
                       int64_t *peak, int64_t *peak_step) {
  int64_t live_bytes = 0;
  for (int64_t t = 0; t < c->tensors; t++) {
    c->live_until[t] = -1;
    if (moc_graph_tensor_keep(c->graph, (moc_tensor)t)) make_live(c, (moc_tensor)t, length - 1, &live_bytes);
  }
  *peak = -1;
  *peak_step = 0;
  for (int64_t step = length - 1; step >= 0; step--) {
    moc_op op = sequence[step];
    moc_tensor_list outputs = moc_graph_op_outputs(c->graph, op), reads = moc_graph_op_reads(c->graph, op);
    for (int64_t i = 0; i < outputs.count; i++) make_live(c, outputs.items[i], step, &live_bytes);
    for (int64_t i = 0; i < reads.count; i++) make_live(c, reads.items[i], step, &live_bytes);
    int64_t bytes = live_bytes + moc_graph_op_workspace(c->graph, op);
    if (bytes >= *peak) {
      *peak = bytes;
      *peak_step = step;
    }
    if (memory != NULL) memory[step] = bytes;
    for (int64_t i = 0; i < outputs.count; i++) { /* before this step there is no such instance */
      moc_tensor t = outputs.items[i];
      if (end != NULL) end[c->first[step] + i] = c->live_until[t];
      c->live_until[t] = -1;
      live_bytes -= moc_graph_tensor_size(c->graph, t);
    }
  }
  /* A graph input is resident from the start. Being live there, it was counted at every step before its last use. */
}

static moc_status sum_durations(const check *c, const moc_op *sequence, int64_t length, int64_t *sum) {
  *sum = 0;
  for (int64_t step = 0; step < length; step++) {
    if (!moc__add(sum, moc_graph_op_duration(c->graph, sequence[step])))
      return moc__fail(c->error, MOC_OVERFLOW, "sequence", "the durations of all steps exceed 2^62 in sum");
  }
  return MOC_OK;
}

/* Bytes below which there is no schedule: what the fullest operation needs around it, what is there at the first step,
 * what must be there after the last. */
static int64_t least_budget(check *c) {
  int64_t always = 0, at_start = 0, at_end = 0;
  for (moc_tensor t = 0; t < c->tensors; t++) {
    int64_t size = moc_graph_tensor_size(c->graph, t);
    bool keep = moc_graph_tensor_keep(c->graph, t), input = moc_graph_tensor_producer(c->graph, t) == MOC_NONE;
    if (keep) at_end += size;
    if (keep && input) always += size;
    if (input && (keep || moc_graph_tensor_readers(c->graph, t).count > 0)) at_start += size;
  }
  int64_t least = moc__max(at_start, at_end);
  for (moc_op op = 0; op < c->operations; op++) {
    int64_t bytes = always + moc_graph_op_workspace(c->graph, op);
    moc_tensor_list lists[] = {moc_graph_op_reads(c->graph, op), moc_graph_op_outputs(c->graph, op)};
    for (int which = 0; which < 2; which++) {
      for (int64_t i = 0; i < lists[which].count; i++) {
        moc_tensor t = lists[which].items[i];
        bool counted = moc_graph_tensor_keep(c->graph, t) && moc_graph_tensor_producer(c->graph, t) == MOC_NONE;
        if (!counted) bytes += moc_graph_tensor_size(c->graph, t);
      }
    }
    least = moc__max(least, bytes);
  }
  return least;
}

/* --- The plan's own claims --- */

/* Members whose value must make sense before anything is looked at. */
static moc_status check_form(const check *c) {
  const moc_plan *plan = c->plan;
  const char *place = NULL, *expected = "";
  bool has_plan = plan->status == MOC_PLAN_FEASIBLE || plan->status == MOC_PLAN_OPTIMAL;
  if (!has_plan && plan->status != MOC_PLAN_UNKNOWN && plan->status != MOC_PLAN_INFEASIBLE) {
    place = "status";
    expected = "it is none of unknown, feasible, optimal and infeasible";
  } else if (plan->bound_scope != MOC_SCOPE_ORDER && plan->bound_scope != MOC_SCOPE_ANY) {
    place = "bound_scope";
    expected = "it is neither order nor any";
  } else if (plan->order != MOC_ORDER_INPUT && plan->order != MOC_ORDER_AUTO) {
    place = "order";
    expected = "it is neither input nor auto";
  } else if (plan->budget < 0) {
    place = "budget";
    expected = "it is negative; a budget is 0 bytes or more";
  } else if (plan->max_computes < 0) {
    place = "max_computes";
    expected = "it is negative; it is 1 or more, or 0 when it is not known";
  } else if (plan->lower_bound < 0) {
    place = "lower_bound";
    expected = "it is negative; no schedule is shorter than 0";
  } else if (plan->threads < 0) {
    place = "threads";
    expected = "it is negative";
  } else if (plan->moves < 0) {
    place = "moves";
    expected = "it is negative";
  } else if (!isfinite(plan->solve_seconds) || plan->solve_seconds < 0) {
    place = "solve_seconds";
    expected = "it is not a number of seconds, 0 or more";
  } else if (plan->reproducible && plan->threads > 1) {
    place = "reproducible";
    expected = "it says yes, but the plan was made by more than one thread";
  } else if (plan->n_trace < 0 || (plan->n_trace > 0 && plan->trace == NULL)) {
    place = "trace";
    expected = "its length does not fit it";
  } else if (has_plan && (plan->length <= 0 || plan->sequence == NULL)) {
    place = "sequence";
    expected = "it is empty, but the status says that there is a plan";
  } else if (!has_plan && (plan->length != 0 || plan->sequence != NULL || plan->memory != NULL ||
                           plan->intervals != NULL || plan->n_intervals != 0)) {
    place = "status";
    expected = "it says that there is no plan, but there is a sequence, memory or intervals";
  } else if (plan->intervals != NULL && plan->n_intervals < 0) {
    place = "intervals";
    expected = "their number is negative";
  }
  return place == NULL ? MOC_OK : moc__fail(c->error, MOC_INVALID_PLAN, place, "%s", expected);
}

/* What holds with and without a sequence: the input order's figures. */
static moc_status check_baseline(check *c, moc_verdict *verdict) {
  moc_op_list order = moc_graph_input_order(c->graph);
  moc_status status = sum_durations(c, order.items, order.count, &verdict->baseline_duration);
  if (status != MOC_OK) return status;
  int64_t peak_step = 0;
  sweep_back(c, order.items, order.count, NULL, NULL, &verdict->baseline_peak_memory, &peak_step);
  if (c->plan->baseline_duration != verdict->baseline_duration)
    return wrong_number(c, "baseline_duration", c->plan->baseline_duration, verdict->baseline_duration);
  if (c->plan->baseline_peak_memory != verdict->baseline_peak_memory)
    return wrong_number(c, "baseline_peak_memory", c->plan->baseline_peak_memory, verdict->baseline_peak_memory);
  return MOC_OK;
}

static moc_status check_memory(const check *c, const moc_verdict *verdict) {
  const moc_plan *plan = c->plan;
  for (int64_t step = 0; plan->memory != NULL && step < plan->length; step++) {
    if (plan->memory[step] != c->memory[step])
      return at(c, "memory", step, wrong_number(c, "", plan->memory[step], c->memory[step]));
  }
  if (plan->peak_memory != verdict->peak_memory)
    return wrong_number(c, "peak_memory", plan->peak_memory, verdict->peak_memory);
  if (verdict->peak_memory > plan->budget)
    return moc__fail(c->error, MOC_INVALID_PLAN, "budget",
                     "it is %lld bytes, but the plan needs %lld, at step %lld", (long long)plan->budget,
                     (long long)verdict->peak_memory, (long long)verdict->peak_step);
  return MOC_OK;
}

/* An interval is told by its tensor and its start: there must be such an instance, not listed before, and its end
 * must be right. */
static moc_status check_interval(check *c, int64_t index) {
  const moc_interval *said = &c->plan->intervals[index];
  const moc_op *sequence = c->plan->sequence;
  if (said->tensor < 0 || said->tensor >= c->tensors)
    return moc__fail(c->error, MOC_INVALID_PLAN, "", "there is no tensor %lld", (long long)said->tensor);
  tensor_text text;
  const char *name = name_tensor(c, said->tensor, &text);
  moc_op producer = moc_graph_tensor_producer(c->graph, said->tensor);
  int64_t *end = NULL;
  if (producer == MOC_NONE) {
    if (said->start == 0 && c->live_until[said->tensor] != -1) end = &c->live_until[said->tensor];
  } else if (said->start >= 0 && said->start < c->plan->length && sequence[said->start] == producer) {
    end = &c->end[c->first[said->start] + c->place[said->tensor]];
  }
  if (end == NULL)
    return moc__fail(c->error, MOC_INVALID_PLAN, "", "no instance of %s begins at step %lld", name,
                     (long long)said->start);
  if (*end == LISTED)
    return moc__fail(c->error, MOC_INVALID_PLAN, "", "the instance of %s from step %lld is listed twice", name,
                     (long long)said->start);
  if (said->end != *end)
    return moc__fail(c->error, MOC_INVALID_PLAN, "",
                     "the plan says that %s, from step %lld, is retained to step %lld; it is to step %lld", name,
                     (long long)said->start, (long long)said->end, (long long)*end);
  *end = LISTED;
  return MOC_OK;
}

/* The intervals as a set, in whatever order; none left out. */
static moc_status check_intervals(check *c) {
  const moc_plan *plan = c->plan;
  if (plan->intervals == NULL) return MOC_OK;
  for (int64_t i = 0; i < plan->n_intervals; i++) {
    moc_status status = check_interval(c, i);
    if (status != MOC_OK) return at(c, "intervals", i, status);
  }
  tensor_text text;
  for (moc_tensor t = 0; t < c->tensors; t++) {
    if (moc_graph_tensor_producer(c->graph, t) == MOC_NONE && c->live_until[t] >= 0)
      return moc__fail(c->error, MOC_INVALID_PLAN, "intervals", "%s, from step 0, is missing",
                       name_tensor(c, t, &text));
  }
  for (int64_t step = 0; step < plan->length; step++) {
    moc_tensor_list outputs = moc_graph_op_outputs(c->graph, plan->sequence[step]);
    for (int64_t i = 0; i < outputs.count; i++) {
      if (c->end[c->first[step] + i] != LISTED)
        return moc__fail(c->error, MOC_INVALID_PLAN, "intervals", "%s, from step %lld, is missing",
                         name_tensor(c, outputs.items[i], &text), (long long)step);
    }
  }
  return MOC_OK;
}

/* The limits that the plan says it was made under. Undoes c->times. */
static moc_status check_limits(check *c) {
  const moc_plan *plan = c->plan;
  for (moc_op op = 0; op < c->operations; op++) {
    if (plan->max_computes > 0 && c->times[op] > plan->max_computes)
      return moc__fail(c->error, MOC_INVALID_PLAN, "max_computes",
                       "the plan says that no operation is computed more than %d times; operation %s is %lld times",
                       (int)plan->max_computes, moc_graph_op_name(c->graph, op), (long long)c->times[op]);
  }
  if (plan->order != MOC_ORDER_INPUT) return MOC_OK;
  moc_op_list order = moc_graph_input_order(c->graph);
  for (int64_t op = 0; op < c->operations; op++) c->times[op] = 0;
  int64_t next = 0;
  for (int64_t step = 0; step < plan->length; step++) {
    moc_op op = plan->sequence[step];
    if (c->times[op]++ > 0) continue;
    if (op != order.items[next])
      return moc__fail(
          c->error, MOC_INVALID_PLAN, "order",
          "the plan says that first computations follow the graph's input order; at step %lld operation "
          "%s should come first, not %s",
          (long long)step, moc_graph_op_name(c->graph, order.items[next]), moc_graph_op_name(c->graph, op));
    next++;
  }
  return MOC_OK;
}

static moc_status check_bound(const check *c, const moc_verdict *verdict) {
  if (c->plan->lower_bound > verdict->duration)
    return moc__fail(c->error, MOC_INVALID_PLAN, "lower_bound",
                     "the plan says that no schedule is shorter than %lld; its own lasts %lld",
                     (long long)c->plan->lower_bound, (long long)verdict->duration);
  if (c->plan->status == MOC_PLAN_OPTIMAL && c->plan->lower_bound != verdict->duration)
    return moc__fail(c->error, MOC_INVALID_PLAN, "status",
                     "the plan says that it is optimal; it lasts %lld and its lower bound is %lld",
                     (long long)verdict->duration, (long long)c->plan->lower_bound);
  return MOC_OK;
}

/* Improvements follow one another: time and bound never fall, durations never rise, and none beats the plan. */
static moc_status check_trace(const check *c) {
  const moc_plan *plan = c->plan;
  for (int64_t i = 0; i < plan->n_trace; i++) {
    const moc_trace_point *now = &plan->trace[i], *before = i > 0 ? now - 1 : NULL;
    const char *problem = NULL;
    if (!isfinite(now->seconds) || now->seconds < 0)
      problem = "its time is not a number of seconds, 0 or more";
    else if (before != NULL && now->seconds < before->seconds)
      problem = "it is earlier than the one before";
    else if (before != NULL && now->total_duration > before->total_duration)
      problem = "its duration is longer than the one before; a trace lists improvements";
    else if (before != NULL && now->lower_bound < before->lower_bound)
      problem = "its lower bound is below the one before; a proven bound stays proven";
    else if (now->lower_bound > plan->lower_bound)
      problem = "its lower bound is above the plan's";
    else if (plan->length > 0 && now->total_duration < plan->total_duration)
      problem = "its duration is shorter than the plan's";
    if (problem != NULL) return at(c, "trace", i, moc__fail(c->error, MOC_INVALID_PLAN, "", "%s", problem));
  }
  return MOC_OK;
}

/* --- All together --- */

/* That the input order has no plan cannot be told here, only that it needs something else than itself. */
static moc_status check_without_sequence(check *c) {
  int64_t least = c->plan->bound_scope == MOC_SCOPE_ORDER ? c->plan->baseline_peak_memory : least_budget(c);
  if (c->plan->status == MOC_PLAN_INFEASIBLE && c->plan->budget >= least)
    return moc__fail(
        c->error, MOC_INVALID_PLAN, "status",
        "the plan says that no schedule exists at %lld bytes; what every schedule needs is no more than "
        "%lld, as far as it can be told here",
        (long long)c->plan->budget, (long long)least);
  return MOC_OK;
}

static moc_status check_with_sequence(check *c, moc_verdict *verdict) {
  const moc_plan *plan = c->plan;
  moc_status status = check_sequence(c, plan->sequence, plan->length);
  if (status != MOC_OK) return status;

  c->first = MOC__NEW(&c->allocator, plan->length + 1, int64_t);
  c->memory = MOC__NEW(&c->allocator, plan->length, int64_t);
  if (c->first == NULL || c->memory == NULL) return moc__out_of_memory(c->error);
  c->first[0] = 0;
  for (int64_t step = 0; step < plan->length; step++)
    c->first[step + 1] = c->first[step] + moc_graph_op_outputs(c->graph, plan->sequence[step]).count;
  c->end = MOC__NEW(&c->allocator, c->first[plan->length], int64_t);
  if (c->end == NULL) return moc__out_of_memory(c->error);

  status = sum_durations(c, plan->sequence, plan->length, &verdict->duration);
  if (status != MOC_OK) return status;
  if (plan->total_duration != verdict->duration)
    return wrong_number(c, "total_duration", plan->total_duration, verdict->duration);
  sweep_back(c, plan->sequence, plan->length, c->memory, c->end, &verdict->peak_memory, &verdict->peak_step);
  status = check_memory(c, verdict);
  if (status == MOC_OK) status = check_intervals(c);
  if (status == MOC_OK) status = check_limits(c);
  if (status == MOC_OK) status = check_bound(c, verdict);
  return status;
}

moc_status moc_verify(const moc_graph *graph, const moc_plan *plan, const moc_allocator *allocator,
                      moc_verdict *verdict, moc_error *error) {
  if (graph == NULL || plan == NULL)
    return moc__fail(error, MOC_INVALID_ARGUMENT, "", "the graph or the plan is NULL");
  check c = {.graph = graph,
             .plan = plan,
             .error = error,
             .allocator = moc__allocator_or_default(allocator),
             .operations = moc_graph_operations(graph),
             .tensors = moc_graph_tensors(graph)};
  moc_verdict found = {0};
  c.times = MOC__NEW(&c.allocator, c.operations, int64_t);
  c.live_until = MOC__NEW(&c.allocator, c.tensors, int64_t);
  c.place = MOC__NEW_ZEROED(&c.allocator, c.tensors, int64_t);
  moc_status status = MOC_OK;
  if (c.times == NULL || c.live_until == NULL || c.place == NULL) status = moc__out_of_memory(error);
  for (moc_op op = 0; op < c.operations && status == MOC_OK; op++) {
    moc_tensor_list outputs = moc_graph_op_outputs(graph, op);
    for (int64_t i = 0; i < outputs.count; i++) c.place[outputs.items[i]] = i;
  }

  if (status == MOC_OK) status = check_form(&c);
  if (status == MOC_OK) status = check_baseline(&c, &found);
  if (status == MOC_OK) status = plan->length > 0 ? check_with_sequence(&c, &found) : check_without_sequence(&c);
  if (status == MOC_OK) status = check_trace(&c);
  if (status == MOC_OK && verdict != NULL) *verdict = found;

  void *blocks[] = {c.times, c.live_until, c.place, c.first, c.end, c.memory};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(&c.allocator, blocks[i]);
  return status;
}
