/* Reading our own graph format (docs/formats.md), which has the full model: operations apart from tensors.
 *
 * Ids may be used before they are declared: a tensor's producer and base may follow it in the file. Operations keep
 * their order; tensors keep theirs too, except that a base moves before its views and the outputs of an operation
 * follow the order in which it lists them. Unknown members are refused: a misspelt "keep" would otherwise change
 * the plan without a word. Cost: O(operations + tensors + reads) expected. */
#include "io/id_map.h"
#include "io/io.h"

typedef struct native_tensor {
  int64_t size;
  moc_op producer;   /* MOC_NONE: none */
  int32_t base;      /* a file number; MOC_NONE: no view */
  int32_t before;    /* the output listed before it by its producer, a file number; MOC_NONE: none */
  moc_op needs;      /* the last operation that must have run before it can be read, its bases' included */
  moc_tensor number; /* the builder's; MOC_NONE: not added yet */
  bool keep;
  bool open; /* on the path of the walk that orders tensors */
} native_tensor;

typedef struct native {
  moc__reader reader;
  moc_allocator allocator;
  const json_t *json_operations;
  const json_t *json_tensors;
  moc__id_map op_ids;     /* number: the operation's */
  moc__id_map tensor_ids; /* number: the place in the file */
  native_tensor *tensors; /* [n_tensors] by place in the file */
  int32_t n_tensors;
  moc_builder *builder;
  int64_t bytes;     /* sizes and workspaces so far */
  moc_op late_op;    /* the first operation with an input that a later one computes; MOC_NONE: none */
  size_t late_input; /* which of its inputs */
  int32_t late_tensor;
} native;

static const char *const GRAPH_MEMBERS[] = {"format", "version", "name", "operations", "tensors", "metadata", NULL};
static const char *const OPERATION_MEMBERS[] = {"id",     "label",   "duration", "workspace", "recomputable",
                                                "inputs", "outputs", "metadata", NULL};
static const char *const TENSOR_MEMBERS[] = {"id", "size", "keep", "view_of", "metadata", NULL};

/* --- Helpers --- */

/* A tensor's number in the file. `what` is what uses it. */
static moc_status find_tensor(const native *r, const moc__place *place, const json_t *value, const char *what,
                              int32_t *tensor) {
  moc_status status = moc__check_id(&r->reader, place, value, what);
  if (status != MOC_OK) return status;
  moc__id id = moc__id_of_json(value), other;
  *tensor = moc__id_map_find(&r->tensor_ids, id);
  if (*tensor != MOC_NONE) return MOC_OK;
  moc__quoted found = moc__describe_id(value);
  char digits[24];
  bool respelt = moc__id_other_spelling(id, digits, &other) && moc__id_map_find(&r->tensor_ids, other) != MOC_NONE;
  return moc__fail_at(&r->reader, MOC_INVALID_GRAPH, place, "unknown tensor %s; %s", found.text,
                      respelt ? "there is one of that id in the other spelling: integers and strings differ"
                              : "expected the id of an entry of \"tensors\"");
}

/* Read the member "id" and enter it into a map. */
static moc_status read_id(const native *r, const moc__place *place, const json_t *object, const char *list,
                          const char *what, moc__id_map *ids, moc__id_text *id) {
  moc__place at = moc__member(place, "id");
  const json_t *value = json_object_get(object, "id");
  moc_status status = moc__check_id(&r->reader, &at, value, what);
  if (status != MOC_OK) return status;
  int32_t first = moc__id_map_add(ids, moc__id_of_json(value));
  if (first != MOC_NONE) {
    moc__quoted found = moc__describe_id(value);
    return moc__fail_at(&r->reader, MOC_INVALID_GRAPH, &at, "%s[%d] has the same id, %s; ids must be unique", list,
                        first, found.text);
  }
  moc__id_text_of(value, id);
  return MOC_OK;
}

/* An optional natural number, 0 when missing. */
static moc_status read_optional(const native *r, const moc__place *place, const json_t *object, const char *key,
                                const char *what, int64_t *number) {
  moc__place at = moc__member(place, key);
  const json_t *value = json_object_get(object, key);
  *number = 0;
  return value == NULL ? MOC_OK : moc__read_natural(&r->reader, &at, value, what, number);
}

static moc_status read_flag(const native *r, const moc__place *place, const json_t *object, const char *key,
                            bool missing, bool *flag) {
  moc__place at = moc__member(place, key);
  const json_t *value = json_object_get(object, key);
  *flag = missing;
  return value == NULL ? MOC_OK : moc__read_bool(&r->reader, &at, value, key, flag);
}

static moc_status add_to_sum(const native *r, const moc__place *place, const char *key, int64_t *sum,
                             int64_t number, const char *what) {
  if (moc__add(sum, number)) return MOC_OK;
  moc__place at = moc__member(place, key);
  return moc__fail_at(&r->reader, MOC_OVERFLOW, &at, "up to here the %s exceed 2^62 = 4611686018427387904 in sum",
                      what);
}

/* --- Tensors --- */

static moc_status read_tensors(native *r) {
  moc__place tensors_at = moc__member(NULL, "tensors");
  for (int32_t i = 0; i < r->n_tensors; i++) {
    moc__place at = moc__item(&tensors_at, (size_t)i);
    const json_t *object = json_array_get(r->json_tensors, (size_t)i);
    native_tensor *tensor = &r->tensors[i];
    *tensor = (native_tensor){
        .producer = MOC_NONE, .base = MOC_NONE, .before = MOC_NONE, .needs = MOC_NONE, .number = MOC_NONE};
    moc__id_text id;
    moc_status status = moc__check_object(&r->reader, &at, object, "a tensor");
    if (status == MOC_OK) status = moc__check_members(&r->reader, &at, object, "a tensor", TENSOR_MEMBERS);
    if (status == MOC_OK) status = read_id(r, &at, object, "tensors", "a tensor's id", &r->tensor_ids, &id);
    if (status == MOC_OK) status = read_flag(r, &at, object, "keep", false, &tensor->keep);
    if (status == MOC_OK) status = read_optional(r, &at, object, "size", "a size in bytes", &tensor->size);
    if (status == MOC_OK) status = add_to_sum(r, &at, "size", &r->bytes, tensor->size, "sizes and workspaces");
    if (status != MOC_OK) return status;
    bool view = json_object_get(object, "view_of") != NULL, sized = json_object_get(object, "size") != NULL;
    if (!view && !sized) {
      return moc__fail_at(&r->reader, MOC_INVALID_GRAPH, &at,
                          "the tensor has neither \"size\" nor \"view_of\"; its size in bytes is needed");
    }
    if (view && tensor->size != 0) {
      moc__place size_at = moc__member(&at, "size");
      return moc__fail_at(
          &r->reader, MOC_INVALID_GRAPH, &size_at,
          "found %lld for a view; a view shares its base's storage, so its own size is 0 or missing",
          (long long)tensor->size);
    }
  }
  return MOC_OK;
}

/* Find the bases of views, and refuse views that go in circles or too deep. Depths are found along chains of bases,
 * each walked once. */
static moc_status read_views(native *r) {
  moc__place tensors_at = moc__member(NULL, "tensors");
  for (int32_t i = 0; i < r->n_tensors; i++) {
    const json_t *base = json_object_get(json_array_get(r->json_tensors, (size_t)i), "view_of");
    if (base == NULL) continue;
    moc__place at = moc__item(&tensors_at, (size_t)i), base_at = moc__member(&at, "view_of");
    moc_status status = find_tensor(r, &base_at, base, "the base of a view", &r->tensors[i].base);
    if (status != MOC_OK) return status;
  }
  int32_t *depth = MOC__NEW(&r->allocator, r->n_tensors, int32_t); /* MOC_NONE: not known yet */
  if (depth == NULL) return moc__out_of_memory(r->reader.error);
  moc_status status = MOC_OK;
  for (int32_t i = 0; i < r->n_tensors; i++) depth[i] = r->tensors[i].base == MOC_NONE ? 0 : MOC_NONE;
  for (int32_t i = 0; i < r->n_tensors && status == MOC_OK; i++) {
    int32_t steps = 0, top = i;
    while (depth[top] == MOC_NONE && steps <= MOC_MAX_VIEW_DEPTH) {
      top = r->tensors[top].base;
      steps++;
    }
    moc__place at = moc__item(&tensors_at, (size_t)i), base_at = moc__member(&at, "view_of");
    if (depth[top] == MOC_NONE || depth[top] + steps > MOC_MAX_VIEW_DEPTH) {
      /* a chain this long that comes back to a tensor on it is a circle */
      int32_t slow = i, fast = i;
      do {
        slow = r->tensors[slow].base;
        fast = r->tensors[fast].base;
        if (fast != MOC_NONE) fast = r->tensors[fast].base;
      } while (fast != MOC_NONE && slow != fast);
      if (fast != MOC_NONE) {
        status = moc__fail_at(&r->reader, MOC_INVALID_GRAPH, &base_at,
                              "views go in a circle from here; expected a chain that ends at a tensor with a size");
      } else {
        status = moc__fail_at(&r->reader, MOC_LIMIT, &base_at, "a view on more than %d views", MOC_MAX_VIEW_DEPTH);
      }
      break;
    }
    int32_t value = depth[top] + steps;
    for (int32_t walk = i; depth[walk] == MOC_NONE; walk = r->tensors[walk].base) depth[walk] = value--;
  }
  moc__release(&r->allocator, depth);
  return status;
}

/* --- Operations --- */

/* The outputs of operation `op`: they make it their producer. */
static moc_status read_outputs(native *r, const moc__place *at, const json_t *object, moc_op op) {
  moc__place outputs_at = moc__member(at, "outputs");
  const json_t *outputs = json_object_get(object, "outputs");
  if (outputs == NULL) return MOC_OK;
  moc_status status = moc__check_array(&r->reader, &outputs_at, outputs, "outputs");
  int32_t before = MOC_NONE;
  for (size_t i = 0; i < json_array_size(outputs) && status == MOC_OK; i++) {
    moc__place output_at = moc__item(&outputs_at, i);
    const json_t *value = json_array_get(outputs, i);
    int32_t tensor = MOC_NONE;
    status = find_tensor(r, &output_at, value, "an output", &tensor);
    if (status != MOC_OK) break;
    native_tensor *output = &r->tensors[tensor];
    if (output->producer != MOC_NONE) {
      moc__quoted found = moc__describe_id(value);
      return moc__fail_at(&r->reader, MOC_INVALID_GRAPH, &output_at,
                          "tensor %s is listed as an output already, by operations[%d]; expected one producer",
                          found.text, output->producer);
    }
    output->producer = op;
    output->before = before;
    before = tensor;
  }
  return status;
}

static moc_status read_operations(native *r) {
  moc__place operations_at = moc__member(NULL, "operations");
  size_t count = json_array_size(r->json_operations);
  int64_t durations = 0;
  for (size_t i = 0; i < count; i++) {
    moc__place at = moc__item(&operations_at, i);
    const json_t *object = json_array_get(r->json_operations, i);
    moc_operation op = {0};
    moc__id_text id = {0};
    moc__place duration_at = moc__member(&at, "duration"), label_at = moc__member(&at, "label");
    bool recomputable = true;
    moc_status status = moc__check_object(&r->reader, &at, object, "an operation");
    if (status == MOC_OK) status = moc__check_members(&r->reader, &at, object, "an operation", OPERATION_MEMBERS);
    if (status == MOC_OK) status = read_id(r, &at, object, "operations", "an operation's id", &r->op_ids, &id);
    if (status != MOC_OK) return status;
    op.name = id.text;
    op.name_is_integer = id.is_integer;
    const json_t *label = json_object_get(object, "label");
    if (label != NULL) status = moc__read_string(&r->reader, &label_at, label, "a label", &op.label);
    if (op.label != NULL && op.label[0] == '\0') op.label = NULL;
    const json_t *duration = json_object_get(object, "duration");
    if (status == MOC_OK) {
      status = moc__read_natural(&r->reader, &duration_at, duration, "a duration", &op.duration);
    }
    if (status == MOC_OK) status = add_to_sum(r, &at, "duration", &durations, op.duration, "durations");
    if (status == MOC_OK)
      status = read_optional(r, &at, object, "workspace", "a workspace in bytes", &op.workspace);
    if (status == MOC_OK) status = add_to_sum(r, &at, "workspace", &r->bytes, op.workspace, "sizes and workspaces");
    if (status == MOC_OK) status = read_flag(r, &at, object, "recomputable", true, &recomputable);
    if (status == MOC_OK) status = read_outputs(r, &at, object, (moc_op)i);
    if (status != MOC_OK) return status;
    op.compute_once = !recomputable;
    status = moc_builder_add_operation(r->builder, &op, NULL, r->reader.error);
    if (status != MOC_OK) return status;
  }
  return MOC_OK;
}

/* --- Into the builder --- */

static moc_status add_tensor(native *r, int32_t place) {
  native_tensor *tensor = &r->tensors[place];
  const native_tensor *base = tensor->base == MOC_NONE ? NULL : &r->tensors[tensor->base];
  moc__id_text id;
  moc__id_text_of(json_object_get(json_array_get(r->json_tensors, (size_t)place), "id"), &id);
  moc_tensor_spec spec = {.name = id.text,
                          .name_is_integer = id.is_integer,
                          .size = tensor->size,
                          .producer = tensor->producer,
                          .base = base == NULL ? MOC_NONE : base->number,
                          .keep = tensor->keep};
  tensor->needs = tensor->producer;
  if (base != NULL && base->needs > tensor->needs) tensor->needs = base->needs;
  return moc_builder_add_tensor(r->builder, &spec, &tensor->number, r->reader.error);
}

static bool is_added(const native *r, int32_t place) {
  return place == MOC_NONE || r->tensors[place].number != MOC_NONE;
}

/* Add all tensors: in file order, but each after its base and after the output listed before it. Where the two are
 * at odds (an operation lists a view before its base) the base goes first. */
static moc_status add_tensors(native *r) {
  int32_t *path = MOC__NEW(&r->allocator, r->n_tensors, int32_t); /* each waits for the next one */
  if (path == NULL) return moc__out_of_memory(r->reader.error);
  moc_status status = MOC_OK;
  for (int32_t i = 0; i < r->n_tensors && status == MOC_OK; i++) {
    if (is_added(r, i)) continue;
    int32_t depth = 0, wait = i;
    while (status == MOC_OK) {
      if (wait != MOC_NONE) {
        path[depth++] = wait;
        r->tensors[wait].open = true;
      }
      const native_tensor *top = &r->tensors[path[depth - 1]];
      wait = MOC_NONE;
      if (!is_added(r, top->base)) {
        wait = top->base;
        if (!r->tensors[wait].open) continue;
        /* the base itself waits for this one: add the nearest that waits for no base, whatever its place among the
         * outputs; views do not go in circles, so there is one */
        while (!is_added(r, r->tensors[path[depth - 1]].base)) r->tensors[path[--depth]].open = false;
        wait = MOC_NONE;
      } else if (!is_added(r, top->before) && !r->tensors[top->before].open) {
        wait = top->before;
        continue;
      }
      status = add_tensor(r, path[--depth]);
      if (depth == 0) break;
    }
    if (status == MOC_OK && !is_added(r, i)) i--; /* dropped from the path by an unwinding */
  }
  moc__release(&r->allocator, path);
  return status;
}

/* --- Reads --- */

/* Let operation `op` read its inputs. Notes the first input that a later operation computes. */
static moc_status add_reads(native *r, moc_op op) {
  moc__place operations_at = moc__member(NULL, "operations"), at = moc__item(&operations_at, (size_t)op);
  moc__place inputs_at = moc__member(&at, "inputs");
  const json_t *inputs = json_object_get(json_array_get(r->json_operations, (size_t)op), "inputs");
  if (inputs == NULL) return MOC_OK;
  moc_status status = moc__check_array(&r->reader, &inputs_at, inputs, "inputs");
  for (size_t i = 0; i < json_array_size(inputs) && status == MOC_OK; i++) {
    moc__place input_at = moc__item(&inputs_at, i);
    const json_t *value = json_array_get(inputs, i);
    int32_t tensor = MOC_NONE;
    status = find_tensor(r, &input_at, value, "an input", &tensor);
    if (status != MOC_OK) break;
    if (r->tensors[tensor].needs >= op && r->late_op == MOC_NONE) {
      for (int32_t t = tensor; t != MOC_NONE; t = r->tensors[t].base) {
        if (r->tensors[t].producer != op) continue;
        moc__quoted found = moc__describe_id(value);
        return moc__fail_at(&r->reader, MOC_INVALID_GRAPH, &input_at,
                            "the operation reads its own output, %s%s; expected outputs of operations above it",
                            t == tensor ? "" : "through the view ", found.text);
      }
      r->late_op = op;
      r->late_input = i;
      r->late_tensor = tensor;
    }
    status = moc_builder_add_read(r->builder, op, r->tensors[tensor].number, r->reader.error);
  }
  return status;
}

static moc_status finish(native *r, moc_graph **graph) {
  moc__place operations_at = moc__member(NULL, "operations");
  moc_status status;
  if (r->late_op == MOC_NONE) {
    status = moc_builder_build(r->builder, graph, r->reader.error);
    if (status == MOC_INVALID_GRAPH) moc__set_place(&r->reader, &operations_at);
    return status;
  }
  /* The order is wrong. The builder knows whether a cycle is to blame; else we know the place. */
  moc_graph *reordered = NULL;
  status = moc_builder_set_order(r->builder, MOC_ORDER_GENERATIONS, NULL, 0, r->reader.error);
  if (status == MOC_OK) status = moc_builder_build(r->builder, &reordered, r->reader.error);
  if (status == MOC_INVALID_GRAPH) moc__set_place(&r->reader, &operations_at);
  if (status != MOC_OK) return status;
  moc_graph_destroy(reordered);
  moc__place op_at = moc__item(&operations_at, (size_t)r->late_op), inputs_at = moc__member(&op_at, "inputs");
  moc__place input_at = moc__item(&inputs_at, r->late_input);
  moc_op producer = r->tensors[r->late_tensor].needs;
  moc__quoted tensor =
      moc__describe_id(json_object_get(json_array_get(r->json_tensors, (size_t)r->late_tensor), "id"));
  moc__quoted by = moc__describe_id(json_object_get(json_array_get(r->json_operations, (size_t)producer), "id"));
  return moc__fail_at(
      &r->reader, MOC_INVALID_GRAPH, &input_at,
      "tensor %s needs operations[%d] (%s), which comes later; expected operations after those whose "
      "outputs they read",
      tensor.text, producer, by.text);
}

/* --- The whole --- */

static moc_status check_head(native *r, const json_t *root) {
  moc_status status = moc__check_members(&r->reader, NULL, root, "a graph", GRAPH_MEMBERS);
  if (status != MOC_OK) return status;
  moc__place at = moc__member(NULL, "version");
  const json_t *version = json_object_get(root, "version");
  if (!json_is_integer(version) || json_integer_value(version) != MOC__VERSION) {
    moc__quoted found = moc__describe(version);
    return moc__fail_at(&r->reader, MOC_INVALID_GRAPH, &at, "found %s; this program reads version %d", found.text,
                        MOC__VERSION);
  }
  at = moc__member(NULL, "name");
  const json_t *name = json_object_get(root, "name");
  const char *text = NULL;
  if (name != NULL) status = moc__read_string(&r->reader, &at, name, "the name", &text);
  if (status == MOC_OK && text != NULL) status = moc_builder_set_name(r->builder, text, r->reader.error);
  return status;
}

static moc_status read_document(native *r, const json_t *root, moc_graph **graph) {
  moc_status status = check_head(r, root);
  moc__place operations_at = moc__member(NULL, "operations"), tensors_at = moc__member(NULL, "tensors");
  r->json_operations = json_object_get(root, "operations");
  r->json_tensors = json_object_get(root, "tensors");
  if (status == MOC_OK) status = moc__check_array(&r->reader, &operations_at, r->json_operations, "operations");
  if (status == MOC_OK) status = moc__check_array(&r->reader, &tensors_at, r->json_tensors, "tensors");
  if (status != MOC_OK) return status;
  size_t operations = json_array_size(r->json_operations), tensors = json_array_size(r->json_tensors);
  if (operations == 0) {
    return moc__fail_at(&r->reader, MOC_INVALID_GRAPH, &operations_at,
                        "the graph has no operations; expected at least one");
  }
  if (operations > MOC_MAX_OPERATIONS) {
    return moc__fail_at(&r->reader, MOC_LIMIT, &operations_at, "found %zu operations; expected at most %d",
                        operations, MOC_MAX_OPERATIONS);
  }
  if (tensors > MOC_MAX_TENSORS) {
    return moc__fail_at(&r->reader, MOC_LIMIT, &tensors_at, "found %zu tensors; expected at most %d", tensors,
                        MOC_MAX_TENSORS);
  }
  r->n_tensors = (int32_t)tensors;
  r->tensors = MOC__NEW(&r->allocator, tensors, native_tensor);
  if (r->tensors == NULL || !moc__id_map_init(&r->op_ids, &r->allocator, (int64_t)operations) ||
      !moc__id_map_init(&r->tensor_ids, &r->allocator, (int64_t)tensors)) {
    return moc__out_of_memory(r->reader.error);
  }
  status = read_tensors(r);
  if (status == MOC_OK) status = read_views(r);
  if (status == MOC_OK) status = read_operations(r);
  if (status == MOC_OK) status = add_tensors(r);
  for (size_t i = 0; i < operations && status == MOC_OK; i++) status = add_reads(r, (moc_op)i);
  if (status == MOC_OK) status = finish(r, graph);
  return status;
}

moc_status moc__read_native(const json_t *root, const moc_allocator *allocator, moc_graph **graph,
                            moc_error *error) {
  native r = {
      .reader = {error, MOC_INVALID_GRAPH}, .allocator = moc__allocator_or_default(allocator), .late_op = MOC_NONE};
  r.builder = moc_builder_create(&r.allocator);
  moc_status status = r.builder == NULL ? moc__out_of_memory(error) : read_document(&r, root, graph);
  moc__id_map_release(&r.op_ids);
  moc__id_map_release(&r.tensor_ids);
  if (r.tensors != NULL) moc__release(&r.allocator, r.tensors);
  moc_builder_destroy(r.builder);
  return status;
}
