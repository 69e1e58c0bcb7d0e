/* Writing a graph for Graphviz, for a look: operations as boxes with duration and output size, graph inputs as
 * ellipses, an edge for every input. Dashed edges lead from the base of a view to those who read it through the
 * view. */
#include "io/io.h"

#include <inttypes.h>
#include <stdio.h>

/* A number with a unit to people's liking. */
typedef struct amount {
  char text[32];
} amount;

static amount scaled(int64_t number, int64_t thousand, const char *const *units) {
  amount result;
  int64_t unit = 1;
  int step = 0;
  while (number / unit >= thousand && units[step + 1] != NULL) {
    unit *= thousand;
    step++;
  }
  int64_t whole = number / unit;
  int64_t tenth = (int64_t)((uint64_t)(number % unit) * 10 / (uint64_t)unit); /* units are at most 2^60 */
  const char *gap = units[step][0] == '\0' ? "" : " ";
  if (step == 0)
    snprintf(result.text, sizeof result.text, "%" PRId64 "%s%s", whole, gap, units[step]);
  else
    snprintf(result.text, sizeof result.text, "%" PRId64 ".%" PRId64 "%s%s", whole, tenth, gap, units[step]);
  return result;
}

static amount bytes_text(int64_t bytes) {
  static const char *const UNITS[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", NULL};
  return scaled(bytes, 1024, UNITS);
}

static amount duration_text(int64_t duration) {
  static const char *const UNITS[] = {"", "thousand", "million", "billion", "trillion", NULL};
  return scaled(duration, 1000, UNITS);
}

/* Add text inside a quoted DOT string. */
static void add_escaped(moc__text *text, const char *string) {
  for (; *string != '\0'; string++) {
    if (*string == '"' || *string == '\\') moc__text_literal(text, "\\");
    if (*string == '\n')
      moc__text_literal(text, "\\n");
    else if ((unsigned char)*string < 0x20 || *string == 0x7F)
      moc__text_literal(text, " ");
    else
      moc__text_add(text, string, 1);
  }
}

static void add_operation(moc__text *text, const moc_graph *graph, moc_op op) {
  moc_tensor_list outputs = moc_graph_op_outputs(graph, op);
  int64_t size = 0, kept = 0;
  for (int64_t i = 0; i < outputs.count; i++) {
    size += moc_graph_tensor_size(graph, outputs.items[i]);
    kept += moc_graph_tensor_keep(graph, outputs.items[i]) ? 1 : 0;
  }
  amount duration = duration_text(moc_graph_op_duration(graph, op)), bytes = bytes_text(size);
  moc__text_printf(text, "  n%d [label=\"", op);
  add_escaped(text, moc_graph_op_label(graph, op));
  moc__text_printf(text, "\\nduration %s\\n%s", duration.text, bytes.text);
  if (outputs.count != 1) moc__text_printf(text, " in %" PRId64 " tensors", outputs.count);
  if (moc_graph_op_workspace(graph, op) != 0) {
    amount workspace = bytes_text(moc_graph_op_workspace(graph, op));
    moc__text_printf(text, "\\nworkspace %s", workspace.text);
  }
  if (kept > 0) moc__text_printf(text, "\\n%s", kept == outputs.count ? "kept" : "kept in part");
  if (moc_graph_op_compute_once(graph, op))
    moc__text_literal(text, "\\ncomputed once\", style=bold];\n");
  else
    moc__text_literal(text, "\"];\n");
}

static void add_input(moc__text *text, const moc_graph *graph, moc_tensor tensor) {
  amount bytes = bytes_text(moc_graph_tensor_size(graph, tensor));
  moc__text_printf(text, "  t%d [shape=ellipse, label=\"", tensor);
  if (moc_graph_tensor_name(graph, tensor)[0] != '\0') {
    add_escaped(text, moc_graph_tensor_name(graph, tensor));
    moc__text_literal(text, "\\n");
  }
  moc__text_printf(text, "%s%s\"];\n", bytes.text, moc_graph_tensor_keep(graph, tensor) ? "\\nkept" : "");
}

static void add_edge(moc__text *text, const moc_graph *graph, moc_tensor tensor, moc_op reader, bool through_view) {
  moc_op producer = moc_graph_tensor_producer(graph, tensor);
  if (producer == MOC_NONE) {
    moc__text_printf(text, "  t%d -> n%d", tensor, reader);
  } else {
    moc__text_printf(text, "  n%d -> n%d", producer, reader);
  }
  bool one_of_several = producer != MOC_NONE && moc_graph_op_outputs(graph, producer).count > 1;
  if (one_of_several || through_view) {
    amount bytes = bytes_text(moc_graph_tensor_size(graph, tensor));
    moc__text_literal(text, " [label=\"");
    if (moc_graph_tensor_name(graph, tensor)[0] != '\0') {
      add_escaped(text, moc_graph_tensor_name(graph, tensor));
      moc__text_literal(text, "\\n");
    }
    moc__text_printf(text, "%s\"%s]", bytes.text, through_view ? ", style=dashed" : "");
  }
  moc__text_literal(text, ";\n");
}

moc_status moc__write_dot(const moc_graph *graph, moc__text *text, moc_error *error) {
  (void)error; /* DOT takes every graph */
  moc__text_literal(text, "digraph \"");
  add_escaped(text, moc_graph_name(graph));
  moc__text_literal(text, "\" {\n  node [shape=box];\n");
  moc_op_list order = moc_graph_input_order(graph);
  for (moc_tensor t = 0; t < moc_graph_tensors(graph); t++) {
    if (moc_graph_tensor_producer(graph, t) == MOC_NONE) add_input(text, graph, t);
  }
  for (int64_t i = 0; i < order.count; i++) add_operation(text, graph, order.items[i]);
  for (int64_t i = 0; i < order.count; i++) {
    moc_op op = order.items[i];
    moc_tensor_list inputs = moc_graph_op_inputs(graph, op), reads = moc_graph_op_reads(graph, op);
    for (int64_t k = 0; k < inputs.count; k++) add_edge(text, graph, inputs.items[k], op, false);
    if (reads.count == inputs.count) continue; /* no bases of views among them */
    for (int64_t k = 0; k < reads.count; k++) {
      bool given = false;
      for (int64_t j = 0; j < inputs.count && !given; j++) given = inputs.items[j] == reads.items[k];
      if (!given) add_edge(text, graph, reads.items[k], op, true);
    }
  }
  moc__text_literal(text, "}\n");
  return MOC_OK;
}
