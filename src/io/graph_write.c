/* Writing graphs as JSON: our own format, which says everything, and node-link, which says what it can.
 * One operation, tensor, node or link a line. Cost: O(size of the text). */
#include "io/io.h"

/* --- Helpers --- */

static moc_status add_text(moc__text *text, const char *string, const char *what, moc_error *error) {
  if (moc__text_string(text, string)) return MOC_OK;
  return moc__fail(error, MOC_INVALID_ARGUMENT, "", "%s is not UTF-8, which JSON needs", what);
}

static bool has_label(const moc_graph *graph, moc_op op) {
  return strcmp(moc_graph_op_label(graph, op), moc_graph_op_name(graph, op)) != 0;
}

/* --- Our own format --- */

static moc_status add_tensor_list(moc__text *text, const moc__tensor_ids *ids, const char *key,
                                  moc_tensor_list list, moc_error *error) {
  moc__text_printf(text, ", \"%s\": [", key);
  for (int64_t i = 0; i < list.count; i++) {
    if (i > 0) moc__text_literal(text, ", ");
    moc_status status = moc__text_tensor_id(text, ids, list.items[i], error);
    if (status != MOC_OK) return status;
  }
  moc__text_literal(text, "]");
  return MOC_OK;
}

static moc_status add_operation(moc__text *text, const moc__tensor_ids *ids, moc_op op, moc_error *error) {
  const moc_graph *graph = ids->graph;
  moc__text_literal(text, "    {\"id\": ");
  moc_status status = moc__text_op_id(text, graph, op, error);
  if (status == MOC_OK && has_label(graph, op)) {
    moc__text_literal(text, ", \"label\": ");
    status = add_text(text, moc_graph_op_label(graph, op), "a label", error);
  }
  if (status != MOC_OK) return status;
  moc__text_literal(text, ", \"duration\": ");
  moc__text_integer(text, moc_graph_op_duration(graph, op));
  if (moc_graph_op_workspace(graph, op) != 0) {
    moc__text_literal(text, ", \"workspace\": ");
    moc__text_integer(text, moc_graph_op_workspace(graph, op));
  }
  if (moc_graph_op_compute_once(graph, op)) moc__text_literal(text, ", \"recomputable\": false");
  status = add_tensor_list(text, ids, "inputs", moc_graph_op_inputs(graph, op), error);
  if (status == MOC_OK) status = add_tensor_list(text, ids, "outputs", moc_graph_op_outputs(graph, op), error);
  moc__text_literal(text, "}");
  return status;
}

static moc_status add_tensor(moc__text *text, const moc__tensor_ids *ids, moc_tensor tensor, moc_error *error) {
  const moc_graph *graph = ids->graph;
  moc__text_literal(text, "    {\"id\": ");
  moc_status status = moc__text_tensor_id(text, ids, tensor, error);
  if (status != MOC_OK) return status;
  moc_tensor base = moc_graph_tensor_base(graph, tensor);
  if (base == MOC_NONE) {
    moc__text_literal(text, ", \"size\": ");
    moc__text_integer(text, moc_graph_tensor_size(graph, tensor));
  } else {
    moc__text_literal(text, ", \"view_of\": ");
    status = moc__text_tensor_id(text, ids, base, error);
  }
  if (moc_graph_tensor_keep(graph, tensor)) moc__text_literal(text, ", \"keep\": true");
  moc__text_literal(text, "}");
  return status;
}

moc_status moc__write_native(const moc_graph *graph, moc__text *text, moc_error *error) {
  moc__tensor_ids ids;
  moc__tensor_ids_init(&ids, graph);
  moc__text_printf(text, "{\n  \"format\": \"%s\",\n  \"version\": %d,\n", MOC__GRAPH_FORMAT, MOC__VERSION);
  moc_status status = MOC_OK;
  if (moc_graph_name(graph)[0] != '\0') {
    moc__text_literal(text, "  \"name\": ");
    status = add_text(text, moc_graph_name(graph), "the graph's name", error);
    moc__text_literal(text, ",\n");
  }
  moc__text_literal(text, "  \"operations\": [\n");
  moc_op_list order = moc_graph_input_order(graph); /* the file's order of operations is the input order */
  for (int64_t i = 0; i < order.count && status == MOC_OK; i++) {
    if (i > 0) moc__text_literal(text, ",\n");
    status = add_operation(text, &ids, order.items[i], error);
  }
  moc__text_literal(text, "\n  ],\n  \"tensors\": [");
  for (moc_tensor t = 0; t < moc_graph_tensors(graph) && status == MOC_OK; t++) {
    if (t > 0)
      moc__text_literal(text, ",\n");
    else
      moc__text_literal(text, "\n");
    status = add_tensor(text, &ids, t, error);
  }
  moc__text_literal(text, "\n  ]\n}\n");
  return status;
}

/* --- Node-link --- */

static moc_status refuse(moc_error *error, const char *what, const char *name, const char *why) {
  moc__quoted quoted = moc__quote(name);
  return moc__fail(error, MOC_INVALID_ARGUMENT, "",
                   "node-link data cannot express this graph: %s %s %s; write it as a %s instead", what,
                   quoted.text, why, MOC__GRAPH_FORMAT);
}

/* Refuse what node-link data has no words for. An operation without output becomes a node of size 0. */
static moc_status check_expressible(const moc_graph *graph, moc_error *error) {
  for (moc_op op = 0; op < moc_graph_operations(graph); op++) {
    const char *name = moc_graph_op_name(graph, op);
    if (moc_graph_op_workspace(graph, op) != 0) return refuse(error, "operation", name, "has a workspace");
    if (moc_graph_op_compute_once(graph, op)) return refuse(error, "operation", name, "is not recomputable");
    if (moc_graph_op_outputs(graph, op).count > 1) return refuse(error, "operation", name, "has several outputs");
  }
  for (moc_tensor t = 0; t < moc_graph_tensors(graph); t++) {
    const char *name = moc_graph_tensor_name(graph, t);
    if (moc_graph_tensor_producer(graph, t) == MOC_NONE) return refuse(error, "tensor", name, "has no producer");
    if (moc_graph_tensor_keep(graph, t)) return refuse(error, "tensor", name, "is kept to the end");
    if (moc_graph_tensor_base(graph, t) != MOC_NONE) return refuse(error, "tensor", name, "is a view");
  }
  return MOC_OK;
}

static moc_status add_node(moc__text *text, const moc_graph *graph, moc_op op, moc_error *error) {
  moc_tensor_list outputs = moc_graph_op_outputs(graph, op);
  moc__text_literal(text, "    {\"id\": ");
  moc_status status = moc__text_op_id(text, graph, op, error);
  moc__text_literal(text, ", \"name\": ");
  if (status == MOC_OK) status = add_text(text, moc_graph_op_label(graph, op), "a label", error);
  moc__text_literal(text, ", \"cost_cpu\": ");
  moc__text_integer(text, moc_graph_op_duration(graph, op));
  moc__text_literal(text, ", \"cost_ram\": ");
  moc__text_integer(text, outputs.count == 0 ? 0 : moc_graph_tensor_size(graph, outputs.items[0]));
  moc__text_literal(text, "}");
  return status;
}

static moc_status add_links(moc__text *text, const moc_graph *graph, moc_error *error) {
  bool first = true;
  for (moc_op op = 0; op < moc_graph_operations(graph); op++) {
    moc_tensor_list inputs = moc_graph_op_inputs(graph, op);
    for (int64_t i = 0; i < inputs.count; i++) {
      if (first)
        moc__text_literal(text, "\n    {\"source\": ");
      else
        moc__text_literal(text, ",\n    {\"source\": ");
      first = false;
      moc_status status = moc__text_op_id(text, graph, moc_graph_tensor_producer(graph, inputs.items[i]), error);
      moc__text_literal(text, ", \"target\": ");
      if (status == MOC_OK) status = moc__text_op_id(text, graph, op, error);
      if (status != MOC_OK) return status;
      moc__text_literal(text, "}");
    }
  }
  return MOC_OK;
}

moc_status moc__write_node_link(const moc_graph *graph, moc__text *text, moc_error *error) {
  moc_status status = check_expressible(graph, error);
  if (status != MOC_OK) return status;
  moc__text_literal(text, "{\n  \"directed\": true,\n  \"multigraph\": false,\n  \"graph\": {");
  if (moc_graph_name(graph)[0] != '\0') {
    moc__text_literal(text, "\"name\": ");
    status = add_text(text, moc_graph_name(graph), "the graph's name", error);
    moc__text_literal(text, ", ");
  }
  moc__text_literal(text, "\"order\": [");
  moc_op_list order = moc_graph_input_order(graph);
  for (int64_t i = 0; i < order.count && status == MOC_OK; i++) {
    if (i > 0) moc__text_literal(text, ", ");
    status = moc__text_op_id(text, graph, order.items[i], error);
  }
  moc__text_literal(text, "]},\n  \"nodes\": [\n");
  for (moc_op op = 0; op < moc_graph_operations(graph) && status == MOC_OK; op++) {
    if (op > 0) moc__text_literal(text, ",\n");
    status = add_node(text, graph, op, error);
  }
  moc__text_literal(text, "\n  ],\n  \"links\": [");
  if (status == MOC_OK) status = add_links(text, graph, error);
  moc__text_literal(text, "\n  ]\n}\n");
  return status;
}

/* --- Any format --- */

moc_status moc_graph_write(const moc_graph *graph, moc_graph_format format, const moc_allocator *allocator,
                           char **text, size_t *length, moc_error *error) {
  if (graph == NULL || text == NULL || length == NULL) {
    return moc__fail(error, MOC_INVALID_ARGUMENT, "", "graph, text and length must not be NULL");
  }
  moc__text out;
  moc__text_init(&out, allocator);
  moc_status status = MOC_INVALID_ARGUMENT;
  switch (format) {
  case MOC_FORMAT_MOCCASIN:
    status = moc__write_native(graph, &out, error);
    break;
  case MOC_FORMAT_NODE_LINK:
    status = moc__write_node_link(graph, &out, error);
    break;
  case MOC_FORMAT_DOT:
    status = moc__write_dot(graph, &out, error);
    break;
  default:
    status = moc__fail(error, status, "", "unknown graph format %d", (int)format);
    break;
  }
  if (status == MOC_OK) return moc__text_take(&out, text, length, error);
  moc__text_release(&out);
  return status;
}
