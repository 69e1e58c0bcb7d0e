/* Building a graph: collects operations, tensors and reads, then checks them and lays them out in compressed rows.
 * The build is O(n + m) expected: names by hashing, everything else by counting sorts. */
#include "graph/graph.h"

#include <stdio.h>

/* What was added, in growing arrays. */
struct moc_builder {
  moc_allocator allocator;
  char *strings;
  int64_t n_strings, strings_capacity;
  int64_t name; /* of the graph; offset or -1 */

  struct added_op {
    int64_t name, label; /* offsets into strings; -1: none */
    int64_t duration, workspace;
    bool name_is_integer, compute_once;
  } *ops;
  int64_t n_ops, ops_capacity;

  struct added_tensor {
    int64_t name; /* offset or -1 */
    int64_t size;
    moc_op producer;
    moc_tensor base;
    int32_t depth; /* of views on views */
    bool name_is_integer, keep;
  } *tensors;
  int64_t n_tensors, tensors_capacity;

  struct added_read {
    moc_op op;
    moc_tensor tensor;
  } *reads;
  int64_t n_reads, reads_capacity;

  moc_input_order order_kind;
  moc_op *order; /* [n_order] for MOC_ORDER_GIVEN */
  int64_t n_order;
};

moc_builder *moc_builder_create(const moc_allocator *allocator) {
  moc_allocator own = moc__allocator_or_default(allocator);
  moc_builder *builder = MOC__NEW_ZEROED(&own, 1, moc_builder);
  if (builder == NULL) return NULL;
  builder->allocator = own;
  builder->name = -1;
  builder->order_kind = MOC_ORDER_AS_ADDED;
  return builder;
}

void moc_builder_destroy(moc_builder *builder) {
  if (builder == NULL) return;
  moc_allocator allocator = builder->allocator;
  moc__release(&allocator, builder->strings);
  moc__release(&allocator, builder->ops);
  moc__release(&allocator, builder->tensors);
  moc__release(&allocator, builder->reads);
  moc__release(&allocator, builder->order);
  moc__release(&allocator, builder);
}

/* --- Adding --- */

/* Copy a text (NULL: none) and tell its offset. False when memory is out. */
static bool add_string(moc_builder *builder, const char *text, int64_t *offset) {
  *offset = -1;
  if (text == NULL) return true;
  int64_t length = (int64_t)strlen(text) + 1;
  if (length > builder->strings_capacity - builder->n_strings) {
    int64_t room = moc__max(2 * builder->strings_capacity, builder->n_strings + length);
    char *grown = moc__resize(&builder->allocator, builder->strings, moc__max(room, 256), 1);
    if (grown == NULL) return false;
    builder->strings = grown;
    builder->strings_capacity = moc__max(room, 256);
  }
  *offset = builder->n_strings;
  memcpy(builder->strings + builder->n_strings, text, (size_t)length);
  builder->n_strings += length;
  return true;
}

moc_status moc_builder_set_name(moc_builder *builder, const char *name, moc_error *error) {
  if (builder == NULL) return moc__fail(error, MOC_INVALID_ARGUMENT, "", "the builder is NULL");
  int64_t offset;
  if (!add_string(builder, name, &offset)) return moc__out_of_memory(error);
  builder->name = offset;
  return MOC_OK;
}

moc_status moc_builder_add_operation(moc_builder *builder, const moc_operation *operation, moc_op *op,
                                     moc_error *error) {
  if (builder == NULL || operation == NULL || operation->name == NULL || operation->name[0] == '\0')
    return moc__fail(error, MOC_INVALID_ARGUMENT, "", "an operation needs a name that is not empty");
  if (operation->duration < 0 || operation->workspace < 0)
    return moc__fail(error, MOC_INVALID_ARGUMENT, "",
                     "operation %s has a negative %s; durations and workspaces are 0 or more", operation->name,
                     operation->duration < 0 ? "duration" : "workspace");
  if (builder->n_ops == MOC_MAX_OPERATIONS)
    return moc__fail(error, MOC_LIMIT, "", "more than %d operations", MOC_MAX_OPERATIONS);
  struct added_op added = {.duration = operation->duration,
                           .workspace = operation->workspace,
                           .name_is_integer = operation->name_is_integer,
                           .compute_once = operation->compute_once};
  if (!add_string(builder, operation->name, &added.name) || !add_string(builder, operation->label, &added.label) ||
      !moc__grow(&builder->allocator, &builder->ops, builder->n_ops, &builder->ops_capacity, sizeof added))
    return moc__out_of_memory(error);
  if (op != NULL) *op = (moc_op)builder->n_ops;
  builder->ops[builder->n_ops++] = added;
  return MOC_OK;
}

moc_status moc_builder_add_tensor(moc_builder *builder, const moc_tensor_spec *spec, moc_tensor *tensor,
                                  moc_error *error) {
  if (builder == NULL || spec == NULL)
    return moc__fail(error, MOC_INVALID_ARGUMENT, "", "the builder or the tensor is NULL");
  const char *name = spec->name == NULL ? "without name" : spec->name;
  if (spec->name != NULL && spec->name[0] == '\0')
    return moc__fail(error, MOC_INVALID_ARGUMENT, "", "a tensor's name is empty; NULL stands for no name");
  if (spec->size < 0)
    return moc__fail(error, MOC_INVALID_ARGUMENT, "", "tensor %s has a negative size; sizes are 0 or more", name);
  if (spec->producer < MOC_NONE || spec->producer >= builder->n_ops)
    return moc__fail(error, MOC_INVALID_ARGUMENT, "",
                     "tensor %s is produced by operation %d, which has not been added", name, spec->producer);
  if (spec->base < MOC_NONE || spec->base >= builder->n_tensors)
    return moc__fail(error, MOC_INVALID_ARGUMENT, "", "tensor %s is a view of tensor %d, which has not been added",
                     name, spec->base);
  if (spec->base != MOC_NONE && spec->size != 0)
    return moc__fail(error, MOC_INVALID_ARGUMENT, "",
                     "tensor %s is a view and has size %lld; a view shares its base's storage, its own size is 0",
                     name, (long long)spec->size);
  if (builder->n_tensors == MOC_MAX_TENSORS)
    return moc__fail(error, MOC_LIMIT, "", "more than %d tensors", MOC_MAX_TENSORS);
  struct added_tensor added = {.size = spec->size,
                               .producer = spec->producer,
                               .base = spec->base,
                               .name_is_integer = spec->name_is_integer,
                               .keep = spec->keep};
  if (spec->base != MOC_NONE) added.depth = builder->tensors[spec->base].depth + 1;
  if (added.depth > MOC_MAX_VIEW_DEPTH)
    return moc__fail(error, MOC_LIMIT, "", "tensor %s is a view on more than %d views", name, MOC_MAX_VIEW_DEPTH);
  if (!add_string(builder, spec->name, &added.name) ||
      !moc__grow(&builder->allocator, &builder->tensors, builder->n_tensors, &builder->tensors_capacity,
                 sizeof added))
    return moc__out_of_memory(error);
  if (tensor != NULL) *tensor = (moc_tensor)builder->n_tensors;
  builder->tensors[builder->n_tensors++] = added;
  return MOC_OK;
}

moc_status moc_builder_add_read(moc_builder *builder, moc_op op, moc_tensor tensor, moc_error *error) {
  if (builder == NULL || op < 0 || op >= builder->n_ops || tensor < 0 || tensor >= builder->n_tensors)
    return moc__fail(error, MOC_INVALID_ARGUMENT, "", "operation %d or tensor %d has not been added", op, tensor);
  if (builder->n_reads == MOC_MAX_READS)
    return moc__fail(error, MOC_LIMIT, "", "more than %d reads", MOC_MAX_READS);
  if (!moc__grow(&builder->allocator, &builder->reads, builder->n_reads, &builder->reads_capacity,
                 sizeof *builder->reads))
    return moc__out_of_memory(error);
  builder->reads[builder->n_reads++] = (struct added_read){op, tensor};
  return MOC_OK;
}

moc_status moc_builder_set_order(moc_builder *builder, moc_input_order kind, const moc_op *order, int64_t length,
                                 moc_error *error) {
  bool given = kind == MOC_ORDER_GIVEN;
  if (builder == NULL || length < 0 || (length > 0 && order == NULL) || (!given && length != 0) ||
      (kind != MOC_ORDER_AS_ADDED && kind != MOC_ORDER_GENERATIONS && !given))
    return moc__fail(error, MOC_INVALID_ARGUMENT, "", "an order is passed with MOC_ORDER_GIVEN and only then");
  moc_op *copy = NULL;
  if (given) {
    copy = MOC__NEW(&builder->allocator, length, moc_op);
    if (copy == NULL) return moc__out_of_memory(error);
    if (length > 0) memcpy(copy, order, (size_t)length * sizeof *copy);
  }
  moc__release(&builder->allocator, builder->order);
  builder->order_kind = kind;
  builder->order = copy;
  builder->n_order = length;
  return MOC_OK;
}

/* --- Building --- */

/* Scratch space of one build. */
typedef struct build {
  const moc_builder *from;
  moc_graph *graph;
  moc_allocator allocator;
  moc_error *error;
  moc__rows successors; /* of operations: operations, each once, in the order of the reads */
} build;

static const char *op_text(const build *b, moc_op op) {
  return b->graph->strings + b->from->ops[op].name;
}

static const char *tensor_text(const build *b, moc_tensor tensor) {
  int64_t name = b->from->tensors[tensor].name;
  return name < 0 ? "(no name)" : b->graph->strings + name;
}

/* Prefix sums: counts in start[1..n], already counted, become the rows' starts. */
static void counts_to_starts(int64_t *start, int64_t n) {
  for (int64_t i = 0; i < n; i++) start[i + 1] += start[i];
}

/* to = the transpose of `from`, its items ascending in every row. */
static bool transpose(const moc_allocator *allocator, const moc__rows *from, int32_t n_from, int32_t n_to,
                      moc__rows *to) {
  int64_t count = from->start[n_from];
  to->start = MOC__NEW_ZEROED(allocator, (int64_t)n_to + 1, int64_t);
  to->items = MOC__NEW(allocator, count, int32_t);
  int64_t *next = MOC__NEW(allocator, n_to, int64_t);
  bool ok = to->start != NULL && to->items != NULL && next != NULL;
  if (ok) {
    for (int64_t i = 0; i < count; i++) to->start[from->items[i] + 1]++;
    counts_to_starts(to->start, n_to);
    memcpy(next, to->start, (size_t)n_to * sizeof *next);
    for (int32_t row = 0; row < n_from; row++) {
      for (int64_t i = from->start[row]; i < from->start[row + 1]; i++) to->items[next[from->items[i]]++] = row;
    }
  }
  moc__release(allocator, next);
  return ok;
}

static moc_status copy_columns(build *b) {
  const moc_builder *from = b->from;
  moc_graph *graph = b->graph;
  const moc_allocator *a = &b->allocator;
  int64_t n = from->n_ops, t = from->n_tensors;
  graph->n_ops = (int32_t)n;
  graph->n_tensors = (int32_t)t;
  graph->name = from->name;
  graph->strings = MOC__NEW(a, from->n_strings, char);
  graph->op_name = MOC__NEW(a, n, int64_t);
  graph->op_label = MOC__NEW(a, n, int64_t);
  graph->op_name_is_integer = MOC__NEW(a, n, bool);
  graph->duration = MOC__NEW(a, n, int64_t);
  graph->workspace = MOC__NEW(a, n, int64_t);
  graph->compute_once = MOC__NEW(a, n, bool);
  graph->tensor_name = MOC__NEW(a, t, int64_t);
  graph->tensor_name_is_integer = MOC__NEW(a, t, bool);
  graph->size = MOC__NEW(a, t, int64_t);
  graph->producer = MOC__NEW(a, t, moc_op);
  graph->base = MOC__NEW(a, t, moc_tensor);
  graph->keep = MOC__NEW(a, t, bool);
  graph->order = MOC__NEW(a, n, moc_op);
  graph->place = MOC__NEW(a, n, int32_t);
  if (!graph->strings || !graph->op_name || !graph->op_label || !graph->op_name_is_integer || !graph->duration ||
      !graph->workspace || !graph->compute_once || !graph->tensor_name || !graph->tensor_name_is_integer ||
      !graph->size || !graph->producer || !graph->base || !graph->keep || !graph->order || !graph->place)
    return moc__out_of_memory(b->error);

  if (from->n_strings > 0) memcpy(graph->strings, from->strings, (size_t)from->n_strings);
  int64_t bytes = 0, duration = 0;
  for (int64_t i = 0; i < n; i++) {
    const struct added_op *op = &from->ops[i];
    graph->op_name[i] = op->name;
    graph->op_label[i] = op->label;
    graph->op_name_is_integer[i] = op->name_is_integer;
    graph->duration[i] = op->duration;
    graph->workspace[i] = op->workspace;
    graph->compute_once[i] = op->compute_once;
    if (!moc__add(&duration, op->duration))
      return moc__fail(b->error, MOC_OVERFLOW, "", "the durations up to operation %s exceed 2^62 in sum",
                       op_text(b, (moc_op)i));
    if (!moc__add(&bytes, op->workspace))
      return moc__fail(b->error, MOC_OVERFLOW, "", "the workspaces up to operation %s exceed 2^62 bytes in sum",
                       op_text(b, (moc_op)i));
  }
  for (int64_t i = 0; i < t; i++) {
    const struct added_tensor *tensor = &from->tensors[i];
    graph->tensor_name[i] = tensor->name;
    graph->tensor_name_is_integer[i] = tensor->name_is_integer;
    graph->size[i] = tensor->size;
    graph->producer[i] = tensor->producer;
    graph->base[i] = tensor->base;
    graph->keep[i] = tensor->keep;
    if (!moc__add(&bytes, tensor->size)) {
      bool named = tensor->name >= 0 || tensor->producer == MOC_NONE;
      return moc__fail(b->error, MOC_OVERFLOW, "", "the sizes up to %s %s exceed 2^62 bytes in sum",
                       named ? "tensor" : "the output of operation",
                       named ? tensor_text(b, (moc_tensor)i) : op_text(b, tensor->producer));
    }
  }
  for (int64_t i = t - 1; i >= 0; i--) { /* a base is numbered below its views */
    if (graph->keep[i] && graph->base[i] != MOC_NONE) graph->keep[graph->base[i]] = true;
  }
  return MOC_OK;
}

static moc_status check_names(build *b) {
  moc_graph *graph = b->graph;
  if (!moc__names_init(&graph->op_names, &b->allocator, graph->n_ops)) return moc__out_of_memory(b->error);
  for (moc_op op = 0; op < graph->n_ops; op++) {
    int32_t first = moc__names_enter(&graph->op_names, op_text(b, op), graph->op_name_is_integer[op], op);
    if (first >= 0)
      return moc__fail(b->error, MOC_INVALID_GRAPH, "", "operations %d and %d have the same name, %s", first, op,
                       op_text(b, op));
  }
  moc__names tensors;
  if (!moc__names_init(&tensors, &b->allocator, graph->n_tensors)) return moc__out_of_memory(b->error);
  moc_status status = MOC_OK;
  for (moc_tensor t = 0; t < graph->n_tensors && status == MOC_OK; t++) {
    if (graph->tensor_name[t] < 0) continue;
    int32_t first = moc__names_enter(&tensors, tensor_text(b, t), graph->tensor_name_is_integer[t], t);
    if (first >= 0)
      status = moc__fail(b->error, MOC_INVALID_GRAPH, "", "tensors %d and %d have the same name, %s", first, t,
                         tensor_text(b, t));
  }
  moc__names_release(&tensors);
  return status;
}

/* The outputs of every operation, in the order added. */
static moc_status lay_out_outputs(build *b) {
  moc_graph *graph = b->graph;
  moc__rows *rows = &graph->outputs;
  rows->start = MOC__NEW_ZEROED(&b->allocator, (int64_t)graph->n_ops + 1, int64_t);
  rows->items = MOC__NEW(&b->allocator, graph->n_tensors, int32_t);
  int64_t *next = MOC__NEW(&b->allocator, graph->n_ops, int64_t);
  bool ok = rows->start != NULL && rows->items != NULL && next != NULL;
  if (ok) {
    for (moc_tensor t = 0; t < graph->n_tensors; t++) {
      if (graph->producer[t] != MOC_NONE) rows->start[graph->producer[t] + 1]++;
    }
    counts_to_starts(rows->start, graph->n_ops);
    memcpy(next, rows->start, (size_t)graph->n_ops * sizeof *next);
    for (moc_tensor t = 0; t < graph->n_tensors; t++) {
      if (graph->producer[t] != MOC_NONE) rows->items[next[graph->producer[t]]++] = t;
    }
  }
  moc__release(&b->allocator, next);
  return ok ? MOC_OK : moc__out_of_memory(b->error);
}

/* The inputs of every operation, in the order added, each once. */
static moc_status lay_out_inputs(build *b) {
  const moc_builder *from = b->from;
  moc_graph *graph = b->graph;
  moc__rows *rows = &graph->inputs;
  rows->start = MOC__NEW_ZEROED(&b->allocator, (int64_t)graph->n_ops + 1, int64_t);
  rows->items = MOC__NEW(&b->allocator, from->n_reads, int32_t);
  int64_t *next = MOC__NEW(&b->allocator, (int64_t)graph->n_ops + 1, int64_t);
  moc_op *reader = MOC__NEW(&b->allocator, graph->n_tensors, moc_op); /* the last row a tensor was put into */
  bool ok = rows->start != NULL && rows->items != NULL && next != NULL && reader != NULL;
  if (ok) {
    for (int64_t i = 0; i < from->n_reads; i++) rows->start[from->reads[i].op + 1]++;
    counts_to_starts(rows->start, graph->n_ops);
    memcpy(next, rows->start, ((size_t)graph->n_ops + 1) * sizeof *next);
    for (int64_t i = 0; i < from->n_reads; i++) rows->items[next[from->reads[i].op]++] = from->reads[i].tensor;
    for (moc_tensor t = 0; t < graph->n_tensors; t++) reader[t] = MOC_NONE;
    int64_t kept = 0, i = 0;
    for (moc_op op = 0; op < graph->n_ops; op++) { /* drop repeats, moving what remains up */
      int64_t end = rows->start[op + 1];
      rows->start[op] = kept;
      for (; i < end; i++) {
        moc_tensor t = rows->items[i];
        if (reader[t] == op) continue;
        reader[t] = op;
        rows->items[kept++] = t;
      }
    }
    rows->start[graph->n_ops] = kept;
  }
  moc__release(&b->allocator, next);
  moc__release(&b->allocator, reader);
  return ok ? MOC_OK : moc__out_of_memory(b->error);
}

/* The reads of every operation (its inputs and the bases of views) and the readers of every tensor. */
static moc_status lay_out_reads(build *b) {
  moc_graph *graph = b->graph;
  const moc_allocator *a = &b->allocator;
  moc__rows raw = {NULL, NULL};
  moc_op *reader = MOC__NEW(a, graph->n_tensors, moc_op);
  raw.start = MOC__NEW(a, (int64_t)graph->n_ops + 1, int64_t);
  moc_status status = MOC_OK;
  if (reader == NULL || raw.start == NULL) status = moc__out_of_memory(b->error);
  for (int pass = 0; pass < 2 && status == MOC_OK; pass++) { /* count, then fill */
    int64_t count = 0;
    for (moc_tensor t = 0; t < graph->n_tensors; t++) reader[t] = MOC_NONE;
    for (moc_op op = 0; op < graph->n_ops && status == MOC_OK; op++) {
      raw.start[op] = count;
      for (int64_t i = graph->inputs.start[op]; i < graph->inputs.start[op + 1] && status == MOC_OK; i++) {
        for (moc_tensor t = graph->inputs.items[i]; t != MOC_NONE && reader[t] != op; t = graph->base[t]) {
          reader[t] = op;
          if (graph->producer[t] == op) {
            status =
                moc__fail(b->error, MOC_INVALID_GRAPH, "", "operation %s reads its own output", op_text(b, op));
            break;
          }
          if (pass == 1) raw.items[count] = t;
          count++;
        }
      }
      if (count > MOC_MAX_READS)
        status = moc__fail(b->error, MOC_LIMIT, "", "more than %d reads, those of bases of views included",
                           MOC_MAX_READS);
    }
    raw.start[graph->n_ops] = count;
    if (pass == 0 && status == MOC_OK) {
      raw.items = MOC__NEW(a, count, int32_t);
      if (raw.items == NULL) status = moc__out_of_memory(b->error);
    }
  }
  /* Transposed twice, every row comes out ascending. */
  if (status == MOC_OK && (!transpose(a, &raw, graph->n_ops, graph->n_tensors, &graph->readers) ||
                           !transpose(a, &graph->readers, graph->n_tensors, graph->n_ops, &graph->reads)))
    status = moc__out_of_memory(b->error);
  moc__release(a, raw.start);
  moc__release(a, raw.items);
  moc__release(a, reader);
  return status;
}

/* Who reads whom, each pair once, a row in the order in which the reads were added; counts the edges. */
static moc_status lay_out_successors(build *b) {
  const moc_builder *from = b->from;
  moc_graph *graph = b->graph;
  moc__rows *rows = &b->successors;
  rows->start = MOC__NEW_ZEROED(&b->allocator, (int64_t)graph->n_ops + 1, int64_t);
  int64_t *next = MOC__NEW(&b->allocator, (int64_t)graph->n_ops + 1, int64_t);
  moc_op *seen = MOC__NEW(&b->allocator, graph->n_ops, moc_op);
  bool ok = rows->start != NULL && next != NULL && seen != NULL;
  for (int pass = 0; pass < 2 && ok; pass++) {
    for (int64_t i = 0; i < from->n_reads; i++) {
      for (moc_tensor t = from->reads[i].tensor; t != MOC_NONE; t = graph->base[t]) {
        moc_op producer = graph->producer[t];
        if (producer == MOC_NONE) continue;
        if (pass == 0)
          rows->start[producer + 1]++;
        else
          rows->items[next[producer]++] = from->reads[i].op;
      }
    }
    if (pass == 1) break;
    counts_to_starts(rows->start, graph->n_ops);
    memcpy(next, rows->start, ((size_t)graph->n_ops + 1) * sizeof *next);
    rows->items = MOC__NEW(&b->allocator, rows->start[graph->n_ops], int32_t);
    ok = rows->items != NULL;
  }
  if (ok) {
    for (moc_op op = 0; op < graph->n_ops; op++) seen[op] = MOC_NONE;
    int64_t kept = 0, i = 0;
    for (moc_op op = 0; op < graph->n_ops; op++) {
      int64_t end = rows->start[op + 1];
      rows->start[op] = kept;
      for (; i < end; i++) {
        if (seen[rows->items[i]] == op) continue;
        seen[rows->items[i]] = op;
        rows->items[kept++] = rows->items[i];
      }
    }
    rows->start[graph->n_ops] = kept;
    graph->n_edges = kept;
  }
  moc__release(&b->allocator, next);
  moc__release(&b->allocator, seen);
  return ok ? MOC_OK : moc__out_of_memory(b->error);
}

/* Refuse a cycle, naming (some of) the operations on it. */
static moc_status fail_with_cycle(build *b) {
  enum { SHOWN = 6 };
  moc_op cycle[SHOWN];
  int64_t length = 0;
  int32_t shown = moc__find_cycle(&b->allocator, b->graph->n_ops, &b->successors, cycle, SHOWN, &length);
  if (shown == 0) return moc__out_of_memory(b->error);
  char text[SHOWN * 44 + 1] = "";
  size_t end = 0;
  for (int32_t i = 0; i < shown; i++) {
    int added = snprintf(text + end, sizeof text - end, "%.38s -> ", op_text(b, cycle[i]));
    if (added > 0) end += (size_t)added;
  }
  return moc__fail(b->error, MOC_INVALID_GRAPH, "", "the graph has a cycle of %lld operations: %s%s%.38s",
                   (long long)length, text, length > shown ? "... -> " : "", op_text(b, cycle[0]));
}

/* Refuse an order in which an operation comes before one that it depends on. */
static moc_status check_topological(build *b) {
  moc_graph *graph = b->graph;
  for (moc_op op = 0; op < graph->n_ops; op++) {
    for (int64_t i = b->successors.start[op]; i < b->successors.start[op + 1]; i++) {
      moc_op reader = b->successors.items[i];
      if (graph->place[op] < graph->place[reader]) continue;
      moc_op *scratch = MOC__NEW(&b->allocator, graph->n_ops, moc_op);
      int32_t ordered = 0;
      if (scratch == NULL ||
          !moc__generation_order(&b->allocator, graph->n_ops, &b->successors, scratch, &ordered)) {
        moc__release(&b->allocator, scratch);
        return moc__out_of_memory(b->error);
      }
      moc__release(&b->allocator, scratch);
      if (ordered < graph->n_ops) return fail_with_cycle(b);
      return moc__fail(b->error, MOC_INVALID_GRAPH, "",
                       "the order is not topological: operation %s comes at place %d, before operation %s at "
                       "place %d, whose output it reads",
                       op_text(b, reader), graph->place[reader], op_text(b, op), graph->place[op]);
    }
  }
  return MOC_OK;
}

static moc_status lay_out_order(build *b) {
  const moc_builder *from = b->from;
  moc_graph *graph = b->graph;
  int32_t n = graph->n_ops;
  if (from->order_kind == MOC_ORDER_GENERATIONS) {
    int32_t ordered = 0;
    if (!moc__generation_order(&b->allocator, n, &b->successors, graph->order, &ordered))
      return moc__out_of_memory(b->error);
    if (ordered < n) return fail_with_cycle(b);
  } else if (from->order_kind == MOC_ORDER_AS_ADDED) {
    for (moc_op op = 0; op < n; op++) graph->order[op] = op;
  } else {
    if (from->n_order != n)
      return moc__fail(b->error, MOC_INVALID_GRAPH, "", "the order lists %lld operations, the graph has %d",
                       (long long)from->n_order, n);
    memcpy(graph->order, from->order, (size_t)n * sizeof *graph->order);
  }
  for (moc_op op = 0; op < n; op++) graph->place[op] = -1;
  for (int32_t i = 0; i < n; i++) {
    moc_op op = graph->order[i];
    if (op < 0 || op >= n)
      return moc__fail(b->error, MOC_INVALID_GRAPH, "", "place %d of the order holds %d, which is no operation", i,
                       op);
    if (graph->place[op] >= 0)
      return moc__fail(b->error, MOC_INVALID_GRAPH, "", "the order lists operation %s twice, at places %d and %d",
                       op_text(b, op), graph->place[op], i);
    graph->place[op] = i;
  }
  return from->order_kind == MOC_ORDER_GENERATIONS ? MOC_OK : check_topological(b);
}

moc_status moc_builder_build(moc_builder *builder, moc_graph **graph, moc_error *error) {
  if (builder == NULL || graph == NULL)
    return moc__fail(error, MOC_INVALID_ARGUMENT, "", "the builder or the place for the graph is NULL");
  if (builder->n_ops == 0)
    return moc__fail(error, MOC_INVALID_GRAPH, "", "the graph has no operation; it needs at least one");
  build b = {.from = builder, .allocator = builder->allocator, .error = error};
  b.graph = MOC__NEW_ZEROED(&b.allocator, 1, moc_graph);
  if (b.graph == NULL) return moc__out_of_memory(error);
  b.graph->allocator = builder->allocator;
  b.graph->op_names.allocator = builder->allocator;

  moc_status (*const steps[])(build *) = {copy_columns,  check_names,        lay_out_outputs, lay_out_inputs,
                                          lay_out_reads, lay_out_successors, lay_out_order};
  moc_status status = MOC_OK;
  for (size_t i = 0; i < sizeof steps / sizeof *steps && status == MOC_OK; i++) status = steps[i](&b);

  moc__release(&b.allocator, b.successors.start);
  moc__release(&b.allocator, b.successors.items);
  if (status == MOC_OK)
    *graph = b.graph;
  else
    moc_graph_destroy(b.graph);
  return status;
}
