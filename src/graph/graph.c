/* Looking at a graph, and giving it back; see moccasin.h. */
#include "graph/graph.h"

static void release_rows(const moc_allocator *allocator, moc__rows *rows) {
  moc__release(allocator, rows->start);
  moc__release(allocator, rows->items);
}

void moc_graph_destroy(moc_graph *graph) {
  if (graph == NULL) return;
  moc_allocator allocator = graph->allocator;
  void *blocks[] = {graph->strings,  graph->op_name,   graph->op_label,     graph->op_name_is_integer,
                    graph->duration, graph->workspace, graph->compute_once, graph->tensor_name,
                    graph->size,     graph->producer,  graph->base,         graph->tensor_name_is_integer,
                    graph->keep,     graph->order,     graph->place};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(&allocator, blocks[i]);
  release_rows(&allocator, &graph->outputs);
  release_rows(&allocator, &graph->inputs);
  release_rows(&allocator, &graph->reads);
  release_rows(&allocator, &graph->readers);
  moc__names_release(&graph->op_names);
  moc__release(&allocator, graph);
}

static const char *string_at(const moc_graph *graph, int64_t offset) {
  return offset < 0 ? "" : graph->strings + offset;
}

static moc_tensor_list tensors_of(const moc__rows *rows, moc_op op) {
  return (moc_tensor_list){rows->items + rows->start[op], rows->start[op + 1] - rows->start[op]};
}

const char *moc_graph_name(const moc_graph *graph) {
  return string_at(graph, graph->name);
}
int64_t moc_graph_operations(const moc_graph *graph) {
  return graph->n_ops;
}
int64_t moc_graph_tensors(const moc_graph *graph) {
  return graph->n_tensors;
}
int64_t moc_graph_edges(const moc_graph *graph) {
  return graph->n_edges;
}

const char *moc_graph_op_name(const moc_graph *graph, moc_op op) {
  return string_at(graph, graph->op_name[op]);
}
bool moc_graph_op_name_is_integer(const moc_graph *graph, moc_op op) {
  return graph->op_name_is_integer[op];
}
const char *moc_graph_op_label(const moc_graph *graph, moc_op op) {
  return string_at(graph, graph->op_label[op] < 0 ? graph->op_name[op] : graph->op_label[op]);
}
int64_t moc_graph_op_duration(const moc_graph *graph, moc_op op) {
  return graph->duration[op];
}
int64_t moc_graph_op_workspace(const moc_graph *graph, moc_op op) {
  return graph->workspace[op];
}
bool moc_graph_op_compute_once(const moc_graph *graph, moc_op op) {
  return graph->compute_once[op];
}
moc_tensor_list moc_graph_op_outputs(const moc_graph *graph, moc_op op) {
  return tensors_of(&graph->outputs, op);
}
moc_tensor_list moc_graph_op_inputs(const moc_graph *graph, moc_op op) {
  return tensors_of(&graph->inputs, op);
}
moc_tensor_list moc_graph_op_reads(const moc_graph *graph, moc_op op) {
  return tensors_of(&graph->reads, op);
}

const char *moc_graph_tensor_name(const moc_graph *graph, moc_tensor tensor) {
  return string_at(graph, graph->tensor_name[tensor]);
}
bool moc_graph_tensor_name_is_integer(const moc_graph *graph, moc_tensor tensor) {
  return graph->tensor_name_is_integer[tensor];
}
int64_t moc_graph_tensor_size(const moc_graph *graph, moc_tensor tensor) {
  return graph->size[tensor];
}
moc_op moc_graph_tensor_producer(const moc_graph *graph, moc_tensor tensor) {
  return graph->producer[tensor];
}
moc_tensor moc_graph_tensor_base(const moc_graph *graph, moc_tensor tensor) {
  return graph->base[tensor];
}
bool moc_graph_tensor_keep(const moc_graph *graph, moc_tensor tensor) {
  return graph->keep[tensor];
}
moc_op_list moc_graph_tensor_readers(const moc_graph *graph, moc_tensor tensor) {
  const moc__rows *rows = &graph->readers;
  return (moc_op_list){rows->items + rows->start[tensor], rows->start[tensor + 1] - rows->start[tensor]};
}

moc_op_list moc_graph_input_order(const moc_graph *graph) {
  return (moc_op_list){graph->order, graph->n_ops};
}

moc_op moc_graph_find_op(const moc_graph *graph, const char *name, bool name_is_integer) {
  return moc__names_find(&graph->op_names, name, name_is_integer);
}
