/* The immutable compute graph, in compressed rows: the items of row i are items[start[i]] up to items[start[i + 1]].
 *
 * Invariants of a built graph: at least one operation; names unique; `order` is topological with respect to the
 * reads; reads, and readers, ascend without repetition and include the bases of views; views have size 0; `keep`
 * holds for the base of a kept view; all sizes and workspaces together, and all durations together, are at most
 * MOC_MAX_TOTAL. */
#ifndef MOC_GRAPH_GRAPH_H
#define MOC_GRAPH_GRAPH_H

#include "base/base.h"
#include "base/names.h"

typedef struct moc__rows {
  int64_t *start; /* [rows + 1] */
  int32_t *items; /* [start[rows]] */
} moc__rows;

struct moc_graph {
  moc_allocator allocator;
  int32_t n_ops;
  int32_t n_tensors;
  int64_t n_edges;
  char *strings;    /* all names and labels, each NUL-terminated */
  int64_t name;     /* offsets into strings; -1: none */
  int64_t *op_name; /* [n_ops] */
  int64_t *op_label;
  bool *op_name_is_integer;
  int64_t *duration;
  int64_t *workspace;
  bool *compute_once;
  moc__rows outputs;    /* of operations: tensors */
  moc__rows inputs;     /* of operations: tensors, as given */
  moc__rows reads;      /* of operations: tensors */
  int64_t *tensor_name; /* [n_tensors] */
  bool *tensor_name_is_integer;
  int64_t *size;
  moc_op *producer;
  moc_tensor *base;
  bool *keep;
  moc__rows readers; /* of tensors: operations */
  moc_op *order;     /* [n_ops] the operation at each place of the input order */
  int32_t *place;    /* [n_ops] the place of each operation in it */
  moc__names op_names;
};

/* Compute the generation order (MOC_ORDER_GENERATIONS) of `n` operations whose successors are given as rows, repeats
 * allowed, in the order in which they count. Writes how many operations were ordered: fewer than n when there is a
 * cycle. False when memory is out. */
bool moc__generation_order(const moc_allocator *allocator, int32_t n, const moc__rows *successors, moc_op *order,
                           int32_t *ordered);

/* Find a cycle among n operations with the given successors, knowing there is one: at most `most` of its operations
 * in order to cycle[], their number returned; the cycle's true length goes to *length. 0 when memory is out. */
int32_t moc__find_cycle(const moc_allocator *allocator, int32_t n, const moc__rows *successors, moc_op *cycle,
                        int32_t most, int64_t *length);

#endif
