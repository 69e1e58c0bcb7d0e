/* The arrays of a branching certificate as JSON: "parts" and "branches". Such certificates are large, so everything is a
 * number: an operation is its place in the input order, a stage the place whose first computation ends it, a tensor its
 * producer and its index among that one's outputs (null and its index among the tensors without producer).
 *
 *     parts     [part, ...]          part   [event, ...]
 *     event     [stage, place, weight, [share, ...]]
 *     share     [producer, output, reader, last stage, share]; output null: the workspace of the place
 *     branches  depth first: [place, first stage, last stage] of a branch, the number of its part for a leaf
 *
 * Cost: O(size of the text). Neither side recurses: depth is a matter of the check (moc_verify_bound). */
#include "io/io.h"

#include <inttypes.h>

/* --- Writing --- */

typedef struct tables {
  int64_t *place;    /* [operations] in the input order */
  int64_t *output;   /* [tensors] index of each among its producer's outputs, or among the tensors without one */
  moc_tensor *input; /* [n_inputs] tensors without producer */
  int64_t n_inputs;
} tables;

static void release_tables(tables *t, const moc_allocator *allocator) {
  moc__release(allocator, t->place);
  moc__release(allocator, t->output);
  moc__release(allocator, t->input);
}

static bool make_tables(tables *t, const moc_graph *graph, const moc_allocator *allocator) {
  int64_t n = moc_graph_operations(graph), tensors = moc_graph_tensors(graph);
  *t = (tables){.place = MOC__NEW(allocator, n, int64_t),
                .output = MOC__NEW(allocator, tensors, int64_t),
                .input = MOC__NEW(allocator, tensors, moc_tensor)};
  if (t->place == NULL || t->output == NULL || t->input == NULL) {
    release_tables(t, allocator);
    return false;
  }
  moc_op_list order = moc_graph_input_order(graph);
  for (int64_t i = 0; i < n; i++) {
    moc_tensor_list outputs = moc_graph_op_outputs(graph, order.items[i]);
    t->place[order.items[i]] = i;
    for (int64_t k = 0; k < outputs.count; k++) t->output[outputs.items[k]] = k;
  }
  for (moc_tensor i = 0; i < tensors; i++) {
    if (moc_graph_tensor_producer(graph, i) != MOC_NONE) continue;
    t->output[i] = t->n_inputs;
    t->input[t->n_inputs++] = i;
  }
  return true;
}

static bool is_op(const moc_graph *graph, moc_op op) {
  return op >= 0 && op < moc_graph_operations(graph);
}

/* What the writer relies on; operations of weights and shares have been looked at. */
static moc_status check_arrays(const moc_graph *graph, const moc_certificate *c, moc_error *error) {
  bool good = c->n_parts >= 0 && c->n_branches >= 0 && (c->n_parts == 0 || c->parts != NULL) &&
              (c->n_branches == 0 || c->branches != NULL);
  for (int64_t i = 0; good && i < c->n_parts; i++)
    good = c->parts[i] >= (i == 0 ? 0 : c->parts[i - 1]) && c->parts[i] <= (i == 0 ? 0 : c->n_weights);
  for (int64_t i = 0; good && i < c->n_branches; i++) {
    moc_bound_branch b = c->branches[i];
    good = b.op == MOC_NONE ? b.part >= 0 : is_op(graph, b.op) && is_op(graph, b.first) && is_op(graph, b.last);
  }
  if (good && (c->n_parts > 0 || c->n_weights == 0)) return MOC_OK;
  return moc__fail(error, MOC_INVALID_ARGUMENT, "",
                   "the certificate's parts do not divide its weights, or its branches name what is none");
}

static void add_share(moc__text *text, const moc_graph *graph, const tables *t, moc_bound_share s) {
  if (s.tensor == MOC_NONE) {
    moc__text_printf(text, "[%" PRId64 ", null, ", t->place[s.reader]);
  } else {
    moc_op producer = moc_graph_tensor_producer(graph, s.tensor);
    if (producer == MOC_NONE)
      moc__text_literal(text, "[null, ");
    else
      moc__text_printf(text, "[%" PRId64 ", ", t->place[producer]);
    moc__text_printf(text, "%" PRId64 ", ", t->output[s.tensor]);
  }
  moc__text_printf(text, "%" PRId64 ", %" PRId64 ", %d]", t->place[s.reader], t->place[s.last], (int)s.share);
}

moc_status moc__write_branching(const moc_graph *graph, const moc_certificate *c, moc__text *text,
                                moc_error *error) {
  tables t;
  moc_status status = check_arrays(graph, c, error);
  if (status != MOC_OK) return status;
  if (!make_tables(&t, graph, &text->allocator)) return moc__out_of_memory(error);
  int64_t share = 0;
  moc__text_literal(text, "\"parts\": [");
  for (int64_t i = 0; i < c->n_parts; i++) {
    int64_t to = i + 1 < c->n_parts ? c->parts[i + 1] : c->n_weights;
    moc__text_printf(text, i == 0 ? "[" : ", [");
    for (int64_t w = c->parts[i]; w < to; w++) {
      moc_bound_weight weight = c->weights[w];
      moc__text_printf(text, "%s[%" PRId64 ", %" PRId64 ", %" PRId64 ", [", w == c->parts[i] ? "" : ", ",
                       t.place[weight.stage], t.place[weight.op], weight.weight);
      for (bool first = true; share < c->n_shares && c->shares[share].weight == w; share++, first = false) {
        if (!first) moc__text_literal(text, ", ");
        add_share(text, graph, &t, c->shares[share]);
      }
      moc__text_literal(text, "]]");
    }
    moc__text_literal(text, "]");
  }
  moc__text_literal(text, "], \"branches\": [");
  for (int64_t i = 0; i < c->n_branches; i++) {
    moc_bound_branch b = c->branches[i];
    if (i > 0) moc__text_literal(text, ", ");
    if (b.op == MOC_NONE)
      moc__text_integer(text, b.part);
    else
      moc__text_printf(text, "[%" PRId64 ", %" PRId64 ", %" PRId64 "]", t.place[b.op], t.place[b.first],
                       t.place[b.last]);
  }
  moc__text_literal(text, "]");
  release_tables(&t, &text->allocator);
  if (share == c->n_shares) return MOC_OK;
  return moc__fail(error, MOC_INVALID_ARGUMENT, "", "the certificate's shares are not in the order of its weights");
}

/* --- Reading --- */

typedef struct branching_reader {
  const moc__reader *reader;
  const moc_graph *graph;
  const moc_allocator *allocator;
  moc_certificate *certificate;
  tables tables;
} branching_reader;

static moc_status refuse(const branching_reader *r, const moc__place *at, const char *expected) {
  return moc__fail_at(r->reader, MOC_INVALID_PLAN, at, "expected %s", expected);
}

/* Item `index` of an array, a natural number below `end`. */
static moc_status read_below(const branching_reader *r, const moc__place *at, const json_t *array, size_t index,
                             const char *what, int64_t end, int64_t *number) {
  moc__place item_at = moc__item(at, index);
  moc_status status = moc__read_natural(r->reader, &item_at, json_array_get(array, index), what, number);
  if (status == MOC_OK && *number >= end)
    status = moc__fail_at(r->reader, MOC_INVALID_PLAN, &item_at, "%s is %" PRId64 "; expected less than %" PRId64,
                          what, *number, end);
  return status;
}

static moc_status read_place(const branching_reader *r, const moc__place *at, const json_t *array, size_t index,
                             const char *what, moc_op *op) {
  int64_t place = 0;
  moc_status status = read_below(r, at, array, index, what, moc_graph_operations(r->graph), &place);
  if (status == MOC_OK) *op = moc_graph_input_order(r->graph).items[place];
  return status;
}

static moc_status read_share(branching_reader *r, const moc__place *at, const json_t *array, moc_bound_share *s) {
  if (!json_is_array(array) || json_array_size(array) != 5)
    return refuse(r, at, "a share: an array of producer, output, reader, last stage and share");
  moc_op producer = MOC_NONE;
  int64_t output = 0, part = 0;
  moc_status status = MOC_OK;
  bool made = !json_is_null(json_array_get(array, 0)), workspace = json_is_null(json_array_get(array, 1));
  if (made) status = read_place(r, at, array, 0, "the producer", &producer);
  s->tensor = MOC_NONE;
  if (status == MOC_OK && !workspace) {
    moc_tensor_list outputs = {r->tables.input, r->tables.n_inputs};
    if (made) outputs = moc_graph_op_outputs(r->graph, producer);
    status = read_below(r, at, array, 1, "the output", outputs.count, &output);
    if (status == MOC_OK) s->tensor = outputs.items[output];
  }
  if (status == MOC_OK) status = read_place(r, at, array, 2, "the reader", &s->reader);
  if (status == MOC_OK && workspace && s->reader != producer)
    status = refuse(r, at, "a share of workspace to name its place twice");
  if (status == MOC_OK) status = read_place(r, at, array, 3, "the last stage", &s->last);
  if (status == MOC_OK) status = read_below(r, at, array, 4, "the share", INT32_MAX, &part);
  s->share = (int32_t)part;
  return status;
}

/* The number of events and shares, as far as they have the form. */
static moc_status count(branching_reader *r, const moc__place *parts_at, const json_t *parts, int64_t *weights,
                        int64_t *shares) {
  *weights = *shares = 0;
  for (size_t i = 0; i < json_array_size(parts); i++) {
    moc__place at = moc__item(parts_at, i);
    const json_t *part = json_array_get(parts, i);
    moc_status status = moc__check_array(r->reader, &at, part, "a part");
    if (status != MOC_OK) return status;
    for (size_t k = 0; k < json_array_size(part); k++) {
      moc__place event_at = moc__item(&at, k);
      const json_t *event = json_array_get(part, k), *list = json_array_get(event, 3);
      if (!json_is_array(event) || json_array_size(event) != 4 || !json_is_array(list))
        return refuse(r, &event_at, "an event: an array of stage, place, weight and shares");
      *shares += (int64_t)json_array_size(list);
    }
    *weights += (int64_t)json_array_size(part);
  }
  return MOC_OK;
}

static moc_status read_event(branching_reader *r, const moc__place *at, const json_t *event) {
  moc_certificate *c = r->certificate;
  moc_bound_weight *w = &c->weights[c->n_weights];
  moc__place list_at = moc__item(at, 3);
  const json_t *list = json_array_get(event, 3);
  moc_status status = read_place(r, at, event, 0, "the stage", &w->stage);
  if (status == MOC_OK) status = read_place(r, at, event, 1, "the place", &w->op);
  if (status == MOC_OK) status = read_below(r, at, event, 2, "the weight", INT64_MAX, &w->weight);
  for (size_t k = 0; k < json_array_size(list) && status == MOC_OK; k++) {
    moc__place share_at = moc__item(&list_at, k);
    c->shares[c->n_shares] = (moc_bound_share){.weight = c->n_weights};
    status = read_share(r, &share_at, json_array_get(list, k), &c->shares[c->n_shares]);
    if (status == MOC_OK) c->n_shares++;
  }
  if (status == MOC_OK) c->n_weights++;
  return status;
}

static moc_status read_branch(branching_reader *r, const moc__place *at, const json_t *value) {
  moc_certificate *c = r->certificate;
  moc_bound_branch *b = &c->branches[c->n_branches++];
  *b = (moc_bound_branch){MOC_NONE, MOC_NONE, MOC_NONE, 0};
  if (json_is_integer(value)) return moc__read_natural(r->reader, at, value, "a leaf's part", &b->part);
  if (!json_is_array(value) || json_array_size(value) != 3)
    return refuse(r, at, "a branch, an array of place, first stage and last stage, or the number of a part");
  moc_status status = read_place(r, at, value, 0, "the place", &b->op);
  if (status == MOC_OK) status = read_place(r, at, value, 1, "the first stage", &b->first);
  return status == MOC_OK ? read_place(r, at, value, 2, "the last stage", &b->last) : status;
}

static moc_status read_arrays(branching_reader *r, const moc__place *parts_at, const json_t *parts,
                              const moc__place *branches_at, const json_t *branches) {
  moc_certificate *c = r->certificate;
  int64_t weights, shares;
  moc_status status = count(r, parts_at, parts, &weights, &shares);
  if (status != MOC_OK) return status;
  c->weights = MOC__NEW_ZEROED(r->allocator, weights, moc_bound_weight);
  c->shares = MOC__NEW_ZEROED(r->allocator, shares, moc_bound_share);
  c->parts = MOC__NEW_ZEROED(r->allocator, json_array_size(parts), int64_t);
  c->branches = MOC__NEW_ZEROED(r->allocator, json_array_size(branches), moc_bound_branch);
  if (c->weights == NULL || c->shares == NULL || c->parts == NULL || c->branches == NULL)
    return moc__out_of_memory(r->reader->error);
  for (size_t i = 0; i < json_array_size(parts) && status == MOC_OK; i++) {
    moc__place at = moc__item(parts_at, i);
    const json_t *part = json_array_get(parts, i);
    c->parts[c->n_parts++] = c->n_weights;
    for (size_t k = 0; k < json_array_size(part) && status == MOC_OK; k++) {
      moc__place event_at = moc__item(&at, k);
      status = read_event(r, &event_at, json_array_get(part, k));
    }
  }
  for (size_t i = 0; i < json_array_size(branches) && status == MOC_OK; i++) {
    moc__place at = moc__item(branches_at, i);
    status = read_branch(r, &at, json_array_get(branches, i));
  }
  return status;
}

moc_status moc__read_branching(const moc__reader *reader, const moc__place *at, const json_t *object,
                               const moc_graph *graph, const moc_allocator *allocator,
                               moc_certificate *certificate) {
  branching_reader r = {reader, graph, allocator, certificate, {0}};
  moc__place parts_at = moc__member(at, "parts"), branches_at = moc__member(at, "branches");
  const json_t *parts = json_object_get(object, "parts"), *branches = json_object_get(object, "branches");
  moc_status status = moc__check_array(reader, &parts_at, parts, "parts");
  if (status == MOC_OK) status = moc__check_array(reader, &branches_at, branches, "branches");
  if (status == MOC_OK && json_array_size(branches) > (size_t)MOC_MAX_BRANCHES)
    status = refuse(&r, &branches_at, "at most 2^20 branches");
  if (status != MOC_OK) return status;
  if (!make_tables(&r.tables, graph, allocator)) return moc__out_of_memory(reader->error);
  status = read_arrays(&r, &parts_at, parts, &branches_at, branches);
  release_tables(&r.tables, allocator);
  return status;
}
