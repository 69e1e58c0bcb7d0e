/* Writing a plan as JSON: one member a line, every list on one line, so that plans compare well with diff.
 * Cost: O(size of the text). */
#include "io/io.h"

#include <inttypes.h>

/* Add a time without asking the locale for its decimal point. Microseconds; what is no time becomes 0. */
static void add_seconds(moc__text *text, double seconds) {
  int64_t micros = 0;
  if (seconds > 0 && seconds < 1e12) micros = (int64_t)(seconds * 1e6 + 0.5);
  if (micros == 0)
    moc__text_literal(text, "0");
  else
    moc__text_printf(text, "%" PRId64 ".%06" PRId64, micros / 1000000, micros % 1000000);
}

static void add_number(moc__text *text, const char *key, int64_t number) {
  moc__text_printf(text, "  \"%s\": %" PRId64 ",\n", key, number);
}

static void begin_list(moc__text *text, const char *key) {
  moc__text_printf(text, "  \"%s\": [", key);
}

static void comma(moc__text *text, bool first) {
  if (!first) moc__text_literal(text, ", ");
}

/* The contract of what is read here; moc_verify judges the rest. */
static moc_status check_plan(const moc_graph *graph, const moc_plan *plan, moc_error *error) {
  if (moc_plan_status_word(plan->status) == NULL || moc_bound_scope_word(plan->bound_scope) == NULL ||
      moc_order_word(plan->order) == NULL) {
    return moc__fail(error, MOC_INVALID_ARGUMENT, "",
                     "the plan's status, bound_scope or order is none that there is");
  }
  if (plan->length < 0 || plan->n_intervals < 0 || plan->n_trace < 0 ||
      (plan->length > 0 && plan->sequence == NULL) || (plan->n_trace > 0 && plan->trace == NULL)) {
    return moc__fail(error, MOC_INVALID_ARGUMENT, "", "the plan has a list without items or a negative count");
  }
  for (int64_t i = 0; i < plan->length; i++) {
    if (plan->sequence[i] >= 0 && plan->sequence[i] < moc_graph_operations(graph)) continue;
    return moc__fail(error, MOC_INVALID_ARGUMENT, "", "step %" PRId64 " of the plan is %d, which is no operation",
                     i, plan->sequence[i]);
  }
  for (int64_t i = 0; plan->intervals != NULL && i < plan->n_intervals; i++) {
    if (plan->intervals[i].tensor >= 0 && plan->intervals[i].tensor < moc_graph_tensors(graph)) continue;
    return moc__fail(error, MOC_INVALID_ARGUMENT, "",
                     "interval %" PRId64 " of the plan is of %d, which is no tensor", i, plan->intervals[i].tensor);
  }
  return MOC_OK;
}

static moc_status add_figures(moc__text *text, const moc_graph *graph, const moc_plan *plan, bool times,
                              moc_error *error) {
  moc__text_printf(text, "{\n  \"format\": \"%s\",\n  \"version\": %d,\n  \"graph\": ", MOC__PLAN_FORMAT,
                   MOC__VERSION);
  if (!moc__text_string(text, moc_graph_name(graph))) {
    return moc__fail(error, MOC_INVALID_ARGUMENT, "", "the graph's name is not UTF-8, which JSON needs");
  }
  moc__text_literal(text, ",\n");
  add_number(text, "nodes", moc_graph_operations(graph));
  moc__text_printf(text, "  \"status\": \"%s\",\n", moc_plan_status_word(plan->status));
  add_number(text, "budget", plan->budget);
  if (plan->length > 0)
    add_number(text, "peak_memory", plan->peak_memory);
  else
    moc__text_literal(text, "  \"peak_memory\": null,\n");
  add_number(text, "baseline_peak_memory", plan->baseline_peak_memory);
  if (plan->length > 0)
    add_number(text, "total_duration", plan->total_duration);
  else
    moc__text_literal(text, "  \"total_duration\": null,\n");
  add_number(text, "baseline_duration", plan->baseline_duration);
  add_number(text, "lower_bound", plan->lower_bound);
  moc__text_printf(text, "  \"bound_scope\": \"%s\",\n", moc_bound_scope_word(plan->bound_scope));
  add_number(text, "max_computes", plan->max_computes);
  moc__text_printf(text, "  \"order\": \"%s\",\n", moc_order_word(plan->order));
  /* a seed beyond 63 bits is more than JSON readers take for an integer */
  const char *quote = plan->seed > INT64_MAX ? "\"" : "";
  moc__text_printf(text, "  \"seed\": %s%" PRIu64 "%s,\n", quote, plan->seed, quote);
  add_number(text, "threads", plan->threads);
  moc__text_literal(text, "  \"solve_seconds\": ");
  add_seconds(text, times ? plan->solve_seconds : 0);
  moc__text_literal(text, ",\n");
  add_number(text, "moves", plan->moves);
  moc__text_printf(text, "  \"reproducible\": %s,\n", plan->reproducible ? "true" : "false");
  return MOC_OK;
}

/* The sequence, and which of its steps compute something again. */
static moc_status add_steps(moc__text *text, const moc_graph *graph, const moc_plan *plan, moc_error *error) {
  moc_status status = MOC_OK;
  begin_list(text, "sequence");
  for (int64_t i = 0; i < plan->length && status == MOC_OK; i++) {
    comma(text, i == 0);
    status = moc__text_op_id(text, graph, plan->sequence[i], error);
  }
  moc__text_literal(text, "],\n");
  if (status != MOC_OK) return status;
  bool *seen = MOC__NEW_ZEROED(&text->allocator, moc_graph_operations(graph), bool);
  if (seen == NULL) return moc__out_of_memory(error);
  begin_list(text, "rematerialized");
  bool first = true;
  for (int64_t i = 0; i < plan->length && status == MOC_OK; i++) {
    moc_op op = plan->sequence[i];
    if (!seen[op]) {
      seen[op] = true;
      continue;
    }
    comma(text, first);
    first = false;
    moc__text_literal(text, "{\"node\": ");
    status = moc__text_op_id(text, graph, op, error);
    moc__text_printf(text, ", \"step\": %" PRId64 "}", i);
  }
  moc__text_literal(text, "],\n");
  moc__release(&text->allocator, seen);
  return status;
}

/* Which tensor an entry is about: its producer, and its name where that does not say it. */
static moc_status add_tensor(moc__text *text, const moc_graph *graph, moc__tensor_ids *ids, moc_tensor t,
                             moc_error *error) {
  moc_op producer = moc_graph_tensor_producer(graph, t);
  moc_status status = MOC_OK;
  if (producer != MOC_NONE) {
    moc__text_literal(text, "\"node\": ");
    status = moc__text_op_id(text, graph, producer, error);
    moc__text_literal(text, ", ");
  }
  if (status == MOC_OK && (producer == MOC_NONE || moc_graph_op_outputs(graph, producer).count != 1)) {
    moc__text_literal(text, "\"tensor\": ");
    status = moc__text_tensor_id(text, ids, t, error);
    moc__text_literal(text, ", ");
  }
  return status;
}

static moc_status add_intervals(moc__text *text, const moc_graph *graph, const moc_plan *plan, moc_error *error) {
  moc__tensor_ids ids;
  moc__tensor_ids_init(&ids, graph);
  moc_status status = MOC_OK;
  begin_list(text, "intervals");
  for (int64_t i = 0; i < plan->n_intervals && status == MOC_OK; i++) {
    moc_interval interval = plan->intervals[i];
    comma(text, i == 0);
    moc__text_literal(text, "{");
    status = add_tensor(text, graph, &ids, interval.tensor, error);
    moc__text_printf(text, "\"start\": %" PRId64 ", \"end\": %" PRId64 "}", interval.start, interval.end);
  }
  moc__text_literal(text, "],\n");
  return status;
}

static moc_status check_certificate(const moc_graph *graph, const moc_certificate *c, moc_error *error) {
  int64_t n = moc_graph_operations(graph), tensors = moc_graph_tensors(graph);
  for (int64_t i = 0; i < c->n_weights; i++) {
    moc_bound_weight w = c->weights[i];
    bool staged = c->kind == MOC_CERTIFICATE_RETENTION || c->kind == MOC_CERTIFICATE_BRANCHING;
    bool stage = !staged || (w.stage >= 0 && w.stage < n);
    if (w.op < 0 || w.op >= n || !stage)
      return moc__fail(error, MOC_INVALID_ARGUMENT, "",
                       "weight %" PRId64 " of the certificate is for what is no operation", i);
  }
  for (int64_t i = 0; i < c->n_shares; i++) {
    moc_bound_share s = c->shares[i];
    if (s.reader < 0 || s.reader >= n || s.last < 0 || s.last >= n || s.tensor < MOC_NONE || s.tensor >= tensors)
      return moc__fail(error, MOC_INVALID_ARGUMENT, "",
                       "share %" PRId64 " of the certificate names what the graph does not have", i);
  }
  return MOC_OK;
}

static moc_status add_shares(moc__text *text, const moc_graph *graph, const moc_certificate *c, moc_error *error) {
  moc__tensor_ids ids;
  moc__tensor_ids_init(&ids, graph);
  moc_status status = MOC_OK;
  moc__text_literal(text, ", \"shares\": [");
  for (int64_t i = 0; i < c->n_shares && status == MOC_OK; i++) {
    moc_bound_share s = c->shares[i];
    comma(text, i == 0);
    moc__text_printf(text, "{\"weight\": %" PRId64 ", ", s.weight);
    if (s.tensor != MOC_NONE) status = add_tensor(text, graph, &ids, s.tensor, error);
    moc__text_literal(text, "\"reader\": ");
    if (status == MOC_OK) status = moc__text_op_id(text, graph, s.reader, error);
    moc__text_literal(text, ", \"last\": ");
    if (status == MOC_OK) status = moc__text_op_id(text, graph, s.last, error);
    moc__text_printf(text, ", \"share\": %d}", (int)s.share);
  }
  moc__text_literal(text, "]");
  return status;
}

/* The certificate of the lower bound, if there is one. */
static moc_status add_certificate(moc__text *text, const moc_graph *graph, const moc_plan *plan, moc_error *error) {
  const moc_certificate *certificate = &plan->certificate;
  if (certificate->bound <= 0 || certificate->weights == NULL) return MOC_OK;
  moc_status status = check_certificate(graph, certificate, error);
  bool retention = certificate->kind == MOC_CERTIFICATE_RETENTION;
  bool branching = certificate->kind == MOC_CERTIFICATE_BRANCHING;
  const char *kind = retention                                        ? "retention"
                     : branching                                      ? "branching"
                     : certificate->kind == MOC_CERTIFICATE_ANY_ORDER ? "any-order"
                     : certificate->kind == MOC_CERTIFICATE_CUT       ? "cut"
                                                                      : "covering";
  moc__text_printf(text, "  \"certificate\": {\"kind\": \"%s\", \"bound\": %" PRId64 ", \"shift\": %d, ", kind,
                   certificate->bound, (int)certificate->shift);
  if (retention || branching) moc__text_printf(text, "\"max_computes\": %d, ", (int)certificate->max_computes);
  if (branching) {
    if (status == MOC_OK) status = moc__write_branching(graph, certificate, text, error);
    moc__text_literal(text, "},\n");
    return status;
  }
  moc__text_literal(text, "\"weights\": [");
  for (int64_t i = 0; i < certificate->n_weights && status == MOC_OK; i++) {
    moc_bound_weight w = certificate->weights[i];
    comma(text, i == 0);
    moc__text_literal(text, "{\"node\": ");
    status = moc__text_op_id(text, graph, w.op, error);
    if (retention && status == MOC_OK) {
      moc__text_literal(text, ", \"stage\": ");
      status = moc__text_op_id(text, graph, w.stage, error);
    }
    moc__text_printf(text, ", \"weight\": %" PRId64 "}", w.weight);
  }
  moc__text_literal(text, "]");
  if (status == MOC_OK && retention) status = add_shares(text, graph, certificate, error);
  moc__text_literal(text, "},\n");
  return status;
}

moc_status moc_plan_write_json(const moc_graph *graph, const moc_plan *plan, bool with_times,
                               const moc_allocator *allocator, char **text, size_t *length, moc_error *error) {
  if (graph == NULL || plan == NULL || text == NULL || length == NULL) {
    return moc__fail(error, MOC_INVALID_ARGUMENT, "", "graph, plan, text and length must not be NULL");
  }
  moc_status status = check_plan(graph, plan, error);
  if (status != MOC_OK) return status;
  bool times = with_times || !plan->reproducible;
  moc__text out;
  moc__text_init(&out, allocator);
  status = add_figures(&out, graph, plan, times, error);
  if (status == MOC_OK) status = add_steps(&out, graph, plan, error);
  /* what the caller left out is left out here too; readers work it out */
  if (status == MOC_OK && (plan->intervals != NULL || plan->length == 0)) {
    status = add_intervals(&out, graph, plan, error);
  }
  if (plan->memory != NULL || plan->length == 0) {
    begin_list(&out, "memory");
    for (int64_t i = 0; i < plan->length; i++) {
      comma(&out, i == 0);
      moc__text_integer(&out, plan->memory[i]);
    }
    moc__text_literal(&out, "],\n");
  }
  if (status == MOC_OK) status = add_certificate(&out, graph, plan, error);
  begin_list(&out, "trace");
  for (int64_t i = 0; i < plan->n_trace; i++) {
    comma(&out, i == 0);
    moc__text_literal(&out, "{\"seconds\": ");
    add_seconds(&out, times ? plan->trace[i].seconds : 0);
    moc__text_printf(&out, ", \"total_duration\": %" PRId64 ", \"lower_bound\": %" PRId64 "}",
                     plan->trace[i].total_duration, plan->trace[i].lower_bound);
  }
  moc__text_literal(&out, "]\n}\n");
  if (status == MOC_OK) return moc__text_take(&out, text, length, error);
  moc__text_release(&out);
  return status;
}
