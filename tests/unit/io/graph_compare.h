/* Are two graphs the same but for the numbers of their operations? Used by tests and fuzz targets. */
#ifndef TEST_GRAPH_COMPARE_H
#define TEST_GRAPH_COMPARE_H

#include <moccasin/moccasin.h>

#include <stddef.h>
#include <string.h>

static inline const char *graph_tensor_lists_differ(moc_tensor_list a, moc_tensor_list b) {
  if (a.count != b.count) return "the lengths of tensor lists differ";
  for (int64_t i = 0; i < a.count; i++) {
    if (a.items[i] != b.items[i]) return "the tensors of lists differ";
  }
  return NULL;
}

/* What differs, or NULL. Operations are told by their names, tensors by their numbers; names that tensors have in
 * `a` are compared with `tensor_names` only. */
static inline const char *graph_difference(const moc_graph *a, const moc_graph *b, bool tensor_names) {
  if (strcmp(moc_graph_name(a), moc_graph_name(b)) != 0) return "the names of the graphs differ";
  if (moc_graph_operations(a) != moc_graph_operations(b)) return "the numbers of operations differ";
  if (moc_graph_tensors(a) != moc_graph_tensors(b)) return "the numbers of tensors differ";
  if (moc_graph_edges(a) != moc_graph_edges(b)) return "the numbers of edges differ";
  for (moc_op op = 0; op < moc_graph_operations(a); op++) {
    moc_op other = moc_graph_find_op(b, moc_graph_op_name(a, op), moc_graph_op_name_is_integer(a, op));
    if (other == MOC_NONE) return "an operation's name is missing";
    if (strcmp(moc_graph_op_label(a, op), moc_graph_op_label(b, other)) != 0) return "labels differ";
    if (moc_graph_op_duration(a, op) != moc_graph_op_duration(b, other)) return "durations differ";
    if (moc_graph_op_workspace(a, op) != moc_graph_op_workspace(b, other)) return "workspaces differ";
    if (moc_graph_op_compute_once(a, op) != moc_graph_op_compute_once(b, other)) return "compute_once differs";
    const char *difference = graph_tensor_lists_differ(moc_graph_op_inputs(a, op), moc_graph_op_inputs(b, other));
    if (difference == NULL) {
      difference = graph_tensor_lists_differ(moc_graph_op_outputs(a, op), moc_graph_op_outputs(b, other));
    }
    if (difference == NULL) {
      difference = graph_tensor_lists_differ(moc_graph_op_reads(a, op), moc_graph_op_reads(b, other));
    }
    if (difference != NULL) return difference;
  }
  for (moc_tensor t = 0; t < moc_graph_tensors(a); t++) {
    if (moc_graph_tensor_size(a, t) != moc_graph_tensor_size(b, t)) return "sizes differ";
    if (moc_graph_tensor_base(a, t) != moc_graph_tensor_base(b, t)) return "bases of views differ";
    if (moc_graph_tensor_keep(a, t) != moc_graph_tensor_keep(b, t)) return "keep differs";
    if (!tensor_names || moc_graph_tensor_name(a, t)[0] == '\0') continue;
    if (strcmp(moc_graph_tensor_name(a, t), moc_graph_tensor_name(b, t)) != 0) return "names of tensors differ";
    if (moc_graph_tensor_name_is_integer(a, t) != moc_graph_tensor_name_is_integer(b, t)) {
      return "spellings of tensors' names differ";
    }
  }
  moc_op_list order_a = moc_graph_input_order(a), order_b = moc_graph_input_order(b);
  for (int64_t i = 0; i < order_a.count; i++) {
    if (strcmp(moc_graph_op_name(a, order_a.items[i]), moc_graph_op_name(b, order_b.items[i])) != 0) {
      return "the input orders differ";
    }
  }
  return NULL;
}

#endif
