/* What the files of moccasin-io share. */
#ifndef MOC_IO_IO_H
#define MOC_IO_IO_H

#include "base/base.h"
#include "io/json_value.h"

#include <moccasin/moccasin_io.h>

/* The values of the member "format" of our own documents, and the one version there is. */
#define MOC__GRAPH_FORMAT "moccasin-graph"
#define MOC__PLAN_FORMAT  "moccasin-plan"
#define MOC__VERSION      1

/* Graph readers, one per format; `root` is an object. */
moc_status moc__read_node_link(const json_t *root, const moc_allocator *allocator, moc_graph **graph,
                               moc_error *error);
moc_status moc__read_native(const json_t *root, const moc_allocator *allocator, moc_graph **graph,
                            moc_error *error);

/* Graph writers, one per format. They add to `text`; INVALID_ARGUMENT. */
moc_status moc__write_node_link(const moc_graph *graph, moc__text *text, moc_error *error);
moc_status moc__write_native(const moc_graph *graph, moc__text *text, moc_error *error);
moc_status moc__write_dot(const moc_graph *graph, moc__text *text, moc_error *error);

/* The members "parts" and "branches" of a plan's branching certificate, read from `object` into *certificate, whose arrays
 * are released with the plan, and written. */
moc_status moc__read_branching(const moc__reader *reader, const moc__place *at, const json_t *object,
                               const moc_graph *graph, const moc_allocator *allocator,
                               moc_certificate *certificate);
moc_status moc__write_branching(const moc_graph *graph, const moc_certificate *certificate, moc__text *text,
                                moc_error *error);

/* --- Writing JSON --- */

/* Add a string in quotes, escaped. False when it is not UTF-8; `text` is of no use then. */
bool moc__text_string(moc__text *text, const char *string);
/* Add an integer. */
void moc__text_integer(moc__text *text, int64_t number);
/* Add a literal. */
#define moc__text_literal(text, literal) moc__text_add((text), (literal), (int64_t)sizeof(literal) - 1)
/* Add the id of an operation. INVALID_ARGUMENT: a name that is not UTF-8, or an integer not spelt like one. */
moc_status moc__text_op_id(moc__text *text, const moc_graph *graph, moc_op op, moc_error *error);

/* Ids of tensors in files. A tensor without name gets one: "t" and its number, with as many underscores between as
 * keep all such names apart from the names that tensors have. */
typedef struct moc__tensor_ids {
  const moc_graph *graph;
  int32_t underscores;
} moc__tensor_ids;

/* Cost: O(total length of the names). */
void moc__tensor_ids_init(moc__tensor_ids *ids, const moc_graph *graph);
/* The tensor without name that goes by this id, or MOC_NONE. */
moc_tensor moc__tensor_of_id(const moc__tensor_ids *ids, const char *text);
/* Add the id of a tensor; fails as moc__text_op_id does. */
moc_status moc__text_tensor_id(moc__text *text, const moc__tensor_ids *ids, moc_tensor tensor, moc_error *error);

#endif
