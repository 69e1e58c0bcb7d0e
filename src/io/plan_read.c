/* Reading a plan from JSON. Strict about the form of what it reads, indifferent to other members; whether the plan
 * is true is for moc_verify to say. Only "rematerialized", which moc_plan has no room for, is compared here with
 * the sequence. Cost: O(size of the text), and one evaluation when something is missing. */
#include "io/id_map.h"
#include "io/io.h"

#include <inttypes.h>

typedef struct plan_reader {
  moc__reader reader;
  const moc_graph *graph;
  const json_t *root;
  moc_plan *plan;
  moc__id_map tensor_ids; /* of the tensors with a name, made when the first interval names one */
  moc_tensor *named;      /* [count of tensor_ids] */
  moc__tensor_ids ids;
} plan_reader;

/* --- Members --- */

static const json_t *get(const plan_reader *r, const char *key) {
  return json_object_get(r->root, key);
}

/* A number from 0 to `most`; *found tells whether it was there. null counts as missing where it may stand. */
static moc_status read_number(const plan_reader *r, const char *key, bool may_be_null, int64_t most,
                              int64_t *number, bool *found) {
  const json_t *value = get(r, key);
  moc__place at = moc__member(NULL, key);
  *found = value != NULL && !(may_be_null && json_is_null(value));
  if (!*found) return MOC_OK;
  moc_status status = moc__read_natural(&r->reader, &at, value, key, number);
  if (status == MOC_OK && *number > most) {
    status = moc__fail_at(&r->reader, MOC_INVALID_PLAN, &at, "found %" PRId64 "; expected at most %" PRId64,
                          *number, most);
  }
  return status;
}

/* One of a few words; its index in `words`, or -1 when the member is missing. */
static moc_status read_word(const plan_reader *r, const char *key, const char *const *words, int *index) {
  const json_t *value = get(r, key);
  *index = -1;
  if (value == NULL) return MOC_OK;
  char list[80]; /* the lists below are short */
  size_t length = 0;
  for (int i = 0; words[i] != NULL; i++) {
    if (json_is_string(value) && strcmp(json_string_value(value), words[i]) == 0) {
      *index = i;
      return MOC_OK;
    }
    if (length < sizeof list)
      length += (size_t)snprintf(list + length, sizeof list - length, "%s%s", i > 0 ? ", " : "", words[i]);
  }
  moc__place at = moc__member(NULL, key);
  moc__quoted found = moc__describe(value);
  return moc__fail_at(&r->reader, MOC_INVALID_PLAN, &at, "found %s; expected one of %s", found.text, list);
}

static moc_status read_op(const plan_reader *r, const moc__place *at, const json_t *value, moc_op *op) {
  moc_status status = moc__check_id(&r->reader, at, value, "a node's id");
  if (status != MOC_OK) return status;
  moc__id_text id;
  moc__id_text_of(value, &id);
  *op = moc_graph_find_op(r->graph, id.text, id.is_integer);
  if (*op != MOC_NONE) return MOC_OK;
  moc__quoted found = moc__describe_id(value);
  bool respelt = moc_graph_find_op(r->graph, id.text, !id.is_integer) != MOC_NONE;
  return moc__fail_at(&r->reader, MOC_INVALID_PLAN, at, "unknown node %s; %s", found.text,
                      respelt ? "the graph has it in the other spelling: integers and strings differ"
                              : "expected the id of a node of the graph");
}

/* --- Lists --- */

/* The array of a member and room for its items. *items stays NULL when the member is missing. */
static moc_status begin_list(const plan_reader *r, const char *key, size_t size, const json_t **array,
                             void **items) {
  moc__place at = moc__member(NULL, key);
  *items = NULL;
  *array = get(r, key);
  if (*array == NULL) return MOC_OK;
  moc_status status = moc__check_array(&r->reader, &at, *array, key);
  if (status != MOC_OK) return status;
  *items = moc__allocate(&r->plan->allocator, (int64_t)json_array_size(*array), size);
  return *items == NULL ? moc__out_of_memory(r->reader.error) : MOC_OK;
}

static moc_status read_sequence(plan_reader *r) {
  moc__place list_at = moc__member(NULL, "sequence");
  const json_t *array;
  void *items;
  const moc__reader form = {r->reader.error, MOC_PARSE};
  moc_status status = moc__check_array(&form, &list_at, get(r, "sequence"), "sequence");
  if (status == MOC_OK) status = begin_list(r, "sequence", sizeof(moc_op), &array, &items);
  if (status != MOC_OK || items == NULL) return status;
  r->plan->sequence = items;
  r->plan->length = (int64_t)json_array_size(array);
  for (size_t i = 0; i < json_array_size(array) && status == MOC_OK; i++) {
    moc__place at = moc__item(&list_at, i);
    status = read_op(r, &at, json_array_get(array, i), &r->plan->sequence[i]);
  }
  return status;
}

static moc_status read_memory(plan_reader *r) {
  moc__place list_at = moc__member(NULL, "memory");
  const json_t *array;
  void *items;
  moc_status status = begin_list(r, "memory", sizeof(int64_t), &array, &items);
  r->plan->memory = items;
  if (status != MOC_OK || array == NULL) return status;
  if ((int64_t)json_array_size(array) != r->plan->length) {
    return moc__fail_at(&r->reader, MOC_INVALID_PLAN, &list_at,
                        "found %zu entries; expected %" PRId64 ", one for each step of the sequence",
                        json_array_size(array), r->plan->length);
  }
  for (size_t i = 0; i < json_array_size(array) && status == MOC_OK; i++) {
    moc__place at = moc__item(&list_at, i);
    status = moc__read_natural(&r->reader, &at, json_array_get(array, i), "memory at a step", &r->plan->memory[i]);
  }
  return status;
}

/* Members of an entry of a list. */
static moc_status read_entry_number(const plan_reader *r, const moc__place *entry, const json_t *object,
                                    const char *key, int64_t *number) {
  moc__place at = moc__member(entry, key);
  return moc__read_natural(&r->reader, &at, json_object_get(object, key), key, number);
}

/* Enter the names of all tensors into the map, once. */
static moc_status enter_tensors(plan_reader *r) {
  int64_t count = moc_graph_tensors(r->graph);
  if (r->named != NULL) return MOC_OK;
  r->named = MOC__NEW(&r->plan->allocator, count, moc_tensor);
  if (r->named == NULL || !moc__id_map_init(&r->tensor_ids, &r->plan->allocator, count)) {
    return moc__out_of_memory(r->reader.error);
  }
  moc__tensor_ids_init(&r->ids, r->graph);
  for (moc_tensor t = 0; t < count; t++) {
    moc__id id;
    const char *name = moc_graph_tensor_name(r->graph, t);
    if (name[0] == '\0' || !moc__id_of_name(name, moc_graph_tensor_name_is_integer(r->graph, t), &id)) continue;
    r->named[r->tensor_ids.count] = t;
    (void)moc__id_map_add(&r->tensor_ids, id);
  }
  return MOC_OK;
}

/* The tensor that "tensor" names. */
static moc_status read_tensor(plan_reader *r, const moc__place *at, const json_t *value, moc_tensor *tensor) {
  moc_status status = moc__check_id(&r->reader, at, value, "a tensor's id");
  if (status == MOC_OK) status = enter_tensors(r);
  if (status != MOC_OK) return status;
  moc__id id = moc__id_of_json(value);
  int32_t number = moc__id_map_find(&r->tensor_ids, id);
  *tensor = number != MOC_NONE ? r->named[number]
            : id.text != NULL  ? moc__tensor_of_id(&r->ids, id.text)
                               : MOC_NONE;
  if (*tensor != MOC_NONE) return MOC_OK;
  moc__quoted found = moc__describe_id(value);
  return moc__fail_at(&r->reader, MOC_INVALID_PLAN, at,
                      "unknown tensor %s; expected the id of a tensor of the graph", found.text);
}

/* The tensor that an interval is about: "tensor" names it, or "node" when that has exactly one output. */
static moc_status read_interval_tensor(plan_reader *r, const moc__place *entry, const json_t *object,
                                       moc_tensor *tensor) {
  moc__place node_at = moc__member(entry, "node"), tensor_at = moc__member(entry, "tensor");
  const json_t *node = json_object_get(object, "node"), *named = json_object_get(object, "tensor");
  moc_op op = MOC_NONE;
  moc_status status = MOC_OK;
  if (node == NULL && named == NULL) {
    return moc__fail_at(&r->reader, MOC_INVALID_PLAN, entry, "the interval has neither \"node\" nor \"tensor\"");
  }
  if (node != NULL) status = read_op(r, &node_at, node, &op);
  if (status != MOC_OK) return status;
  if (named != NULL) {
    status = read_tensor(r, &tensor_at, named, tensor);
    if (status == MOC_OK && op != MOC_NONE && moc_graph_tensor_producer(r->graph, *tensor) != op) {
      moc__quoted found = moc__describe_id(named), by = moc__describe_id(node);
      status = moc__fail_at(&r->reader, MOC_INVALID_PLAN, &tensor_at, "tensor %s is not an output of node %s",
                            found.text, by.text);
    }
    return status;
  }
  moc_tensor_list outputs = moc_graph_op_outputs(r->graph, op);
  if (outputs.count != 1) {
    moc__quoted found = moc__describe_id(node);
    return moc__fail_at(&r->reader, MOC_INVALID_PLAN, entry,
                        "node %s has %" PRId64 " outputs; expected \"tensor\" to say which", found.text,
                        outputs.count);
  }
  *tensor = outputs.items[0];
  return MOC_OK;
}

static moc_status read_intervals(plan_reader *r) {
  moc__place list_at = moc__member(NULL, "intervals");
  const json_t *array;
  void *items;
  moc_status status = begin_list(r, "intervals", sizeof(moc_interval), &array, &items);
  r->plan->intervals = items;
  if (status != MOC_OK || array == NULL) return status;
  r->plan->n_intervals = (int64_t)json_array_size(array);
  for (size_t i = 0; i < json_array_size(array) && status == MOC_OK; i++) {
    moc__place at = moc__item(&list_at, i);
    const json_t *object = json_array_get(array, i);
    moc_interval *interval = &r->plan->intervals[i];
    status = moc__check_object(&r->reader, &at, object, "an interval");
    if (status == MOC_OK) status = read_interval_tensor(r, &at, object, &interval->tensor);
    if (status == MOC_OK) status = read_entry_number(r, &at, object, "start", &interval->start);
    if (status == MOC_OK) status = read_entry_number(r, &at, object, "end", &interval->end);
  }
  return status;
}

static moc_status read_trace(plan_reader *r) {
  moc__place list_at = moc__member(NULL, "trace");
  const json_t *array;
  void *items;
  moc_status status = begin_list(r, "trace", sizeof(moc_trace_point), &array, &items);
  r->plan->trace = items;
  if (status != MOC_OK || array == NULL) return status;
  r->plan->n_trace = (int64_t)json_array_size(array);
  for (size_t i = 0; i < json_array_size(array) && status == MOC_OK; i++) {
    moc__place at = moc__item(&list_at, i), seconds_at = moc__member(&at, "seconds");
    const json_t *object = json_array_get(array, i);
    moc_trace_point *point = &r->plan->trace[i];
    status = moc__check_object(&r->reader, &at, object, "an entry of the trace");
    if (status != MOC_OK) break;
    status =
        moc__read_seconds(&r->reader, &seconds_at, json_object_get(object, "seconds"), "seconds", &point->seconds);
    if (status == MOC_OK) status = read_entry_number(r, &at, object, "total_duration", &point->total_duration);
    if (status == MOC_OK) status = read_entry_number(r, &at, object, "lower_bound", &point->lower_bound);
  }
  return status;
}

static moc_status read_weights(plan_reader *r, const moc__place *list_at, const json_t *array) {
  moc_certificate *c = &r->plan->certificate;
  moc_status status = MOC_OK;
  for (size_t i = 0; i < json_array_size(array) && status == MOC_OK; i++) {
    moc__place item_at = moc__item(list_at, i), node_at = moc__member(&item_at, "node");
    moc__place stage_at = moc__member(&item_at, "stage");
    const json_t *item = json_array_get(array, i);
    moc_bound_weight *weight = &c->weights[i];
    status = moc__check_object(&r->reader, &item_at, item, "a weight");
    if (status == MOC_OK) status = read_op(r, &node_at, json_object_get(item, "node"), &weight->op);
    weight->stage = weight->op;
    if (status == MOC_OK && c->kind == MOC_CERTIFICATE_RETENTION)
      status = read_op(r, &stage_at, json_object_get(item, "stage"), &weight->stage);
    if (status == MOC_OK) status = read_entry_number(r, &item_at, item, "weight", &weight->weight);
  }
  return status;
}

static moc_status read_shares(plan_reader *r, const moc__place *list_at, const json_t *array) {
  moc_certificate *c = &r->plan->certificate;
  moc_status status = moc__check_array(&r->reader, list_at, array, "shares");
  if (status != MOC_OK) return status;
  c->shares = MOC__NEW(&r->plan->allocator, json_array_size(array), moc_bound_share);
  if (c->shares == NULL) return moc__out_of_memory(r->reader.error);
  c->n_shares = (int64_t)json_array_size(array);
  for (size_t i = 0; i < json_array_size(array) && status == MOC_OK; i++) {
    moc__place at = moc__item(list_at, i), reader_at = moc__member(&at, "reader"),
               last_at = moc__member(&at, "last");
    const json_t *item = json_array_get(array, i);
    moc_bound_share *share = &c->shares[i];
    int64_t part = 0;
    status = moc__check_object(&r->reader, &at, item, "a share");
    if (status == MOC_OK) status = read_entry_number(r, &at, item, "weight", &share->weight);
    share->tensor = MOC_NONE; /* the workspace */
    if (status == MOC_OK && (json_object_get(item, "node") != NULL || json_object_get(item, "tensor") != NULL))
      status = read_interval_tensor(r, &at, item, &share->tensor);
    if (status == MOC_OK) status = read_op(r, &reader_at, json_object_get(item, "reader"), &share->reader);
    if (status == MOC_OK) status = read_op(r, &last_at, json_object_get(item, "last"), &share->last);
    if (status == MOC_OK) status = read_entry_number(r, &at, item, "share", &part);
    share->share = (int32_t)moc__min(part, INT32_MAX);
  }
  return status;
}

static moc_status read_certificate(plan_reader *r) {
  moc__place at = moc__member(NULL, "certificate"), weights_at = moc__member(&at, "weights");
  moc__place shares_at = moc__member(&at, "shares"), kind_at = moc__member(&at, "kind");
  const json_t *object = get(r, "certificate");
  if (object == NULL) return MOC_OK;
  moc_certificate *certificate = &r->plan->certificate;
  int64_t shift = 0, computes = 0;
  moc_status status = moc__check_object(&r->reader, &at, object, "a certificate");
  if (status != MOC_OK) return status;
  const json_t *kind = json_object_get(object, "kind");
  const char *name = kind == NULL ? "covering" : json_string_value(kind);
  static const char *const names[] = {"covering", "retention", "any-order", "branching",
                                      "cut"}; /* as moc_certificate_kind has them */
  enum { KINDS = sizeof names / sizeof *names };
  int found = 0;
  while (name != NULL && found < KINDS && strcmp(name, names[found]) != 0) found++;
  if (name == NULL || found == KINDS)
    return moc__fail_at(&r->reader, MOC_INVALID_PLAN, &kind_at,
                        "expected \"covering\", \"retention\", \"any-order\", \"branching\" or \"cut\"");
  certificate->kind = (moc_certificate_kind)found;
  bool branching = certificate->kind == MOC_CERTIFICATE_BRANCHING;
  bool retention = certificate->kind == MOC_CERTIFICATE_RETENTION;
  status = read_entry_number(r, &at, object, "bound", &certificate->bound);
  if (status == MOC_OK) status = read_entry_number(r, &at, object, "shift", &shift);
  if (status == MOC_OK && (retention || branching))
    status = read_entry_number(r, &at, object, "max_computes", &computes);
  if (status != MOC_OK) return status;
  certificate->shift = (int32_t)moc__min(shift, INT32_MAX);
  certificate->max_computes = (int32_t)moc__min(computes, INT32_MAX);
  if (branching) return moc__read_branching(&r->reader, &at, object, r->graph, &r->plan->allocator, certificate);
  const json_t *array = json_object_get(object, "weights");
  status = moc__check_array(&r->reader, &weights_at, array, "weights");
  if (status != MOC_OK) return status;
  certificate->weights = MOC__NEW(&r->plan->allocator, json_array_size(array), moc_bound_weight);
  if (certificate->weights == NULL) return moc__out_of_memory(r->reader.error);
  certificate->n_weights = (int64_t)json_array_size(array);
  status = read_weights(r, &weights_at, array);
  if (status == MOC_OK && retention) status = read_shares(r, &shares_at, json_object_get(object, "shares"));
  return status;
}

/* Compare "rematerialized", when it is there, with what the sequence says. */
static moc_status check_rematerialized(const plan_reader *r) {
  moc__place list_at = moc__member(NULL, "rematerialized");
  const json_t *array = get(r, "rematerialized");
  if (array == NULL) return MOC_OK;
  moc_status status = moc__check_array(&r->reader, &list_at, array, "rematerialized");
  if (status != MOC_OK) return status;
  bool *seen = MOC__NEW_ZEROED(&r->plan->allocator, moc_graph_operations(r->graph), bool);
  if (seen == NULL) return moc__out_of_memory(r->reader.error);
  size_t next = 0; /* how many there are so far */
  for (int64_t step = 0; step < r->plan->length && status == MOC_OK; step++) {
    moc_op op = r->plan->sequence[step], said_op = MOC_NONE;
    if (!seen[op]) {
      seen[op] = true;
      continue;
    }
    moc__place at = moc__item(&list_at, next), node_at = moc__member(&at, "node");
    const json_t *object = json_array_get(array, next);
    int64_t said_step = 0;
    next++;
    if (object == NULL) continue; /* too few, as is said below */
    status = moc__check_object(&r->reader, &at, object, "a rematerialisation");
    if (status == MOC_OK) status = read_op(r, &node_at, json_object_get(object, "node"), &said_op);
    if (status == MOC_OK) status = read_entry_number(r, &at, object, "step", &said_step);
    if (status == MOC_OK && (said_op != op || said_step != step)) {
      moc__quoted said = moc__quote(moc_graph_op_name(r->graph, said_op)),
                  is = moc__quote(moc_graph_op_name(r->graph, op));
      status =
          moc__fail_at(&r->reader, MOC_INVALID_PLAN, &at,
                       "found node %s at step %" PRId64 "; in the sequence node %s at step %" PRId64 " comes next",
                       said.text, said_step, is.text, step);
    }
  }
  if (status == MOC_OK && json_array_size(array) != next) {
    status =
        moc__fail_at(&r->reader, MOC_INVALID_PLAN, &list_at,
                     "found %zu entries; the sequence has %zu rematerialisations", json_array_size(array), next);
  }
  moc__release(&r->plan->allocator, seen);
  return status;
}

/* --- The whole --- */

static moc_status check_head(const plan_reader *r) {
  moc__place at = moc__member(NULL, "format");
  const json_t *value = get(r, "format");
  if (!json_is_string(value) || strcmp(json_string_value(value), MOC__PLAN_FORMAT) != 0) {
    moc__quoted found = moc__describe(value);
    bool graph = get(r, "operations") != NULL || get(r, "links") != NULL || get(r, "edges") != NULL;
    return moc__fail_at(&r->reader, MOC_PARSE, &at, "found %s; expected \"" MOC__PLAN_FORMAT "\"%s", found.text,
                        graph ? " (is this the graph?)" : "");
  }
  at = moc__member(NULL, "version");
  value = get(r, "version");
  if (!json_is_integer(value) || json_integer_value(value) != MOC__VERSION) {
    moc__quoted found = moc__describe(value);
    return moc__fail_at(&r->reader, MOC_PARSE, &at, "found %s; this program reads version %d", found.text,
                        MOC__VERSION);
  }
  int64_t nodes = 0;
  bool found = false;
  moc_status status = read_number(r, "nodes", false, MOC_MAX_TOTAL, &nodes, &found);
  if (status == MOC_OK && found && nodes != moc_graph_operations(r->graph)) {
    at = moc__member(NULL, "nodes");
    status = moc__fail_at(&r->reader, MOC_INVALID_PLAN, &at,
                          "the plan is for a graph of %" PRId64 " nodes; this graph has %" PRId64, nodes,
                          moc_graph_operations(r->graph));
  }
  return status;
}

static moc_status read_seed(const plan_reader *r) {
  moc__place at = moc__member(NULL, "seed");
  const json_t *value = get(r, "seed");
  if (value == NULL) return MOC_OK;
  uint64_t seed = 0;
  bool valid = json_is_integer(value) && json_integer_value(value) >= 0;
  if (valid) seed = (uint64_t)json_integer_value(value);
  if (json_is_string(value) && json_string_length(value) > 0) { /* as large seeds are written */
    valid = true;
    for (const char *digit = json_string_value(value); *digit != '\0' && valid; digit++) {
      uint64_t next = (uint64_t)(unsigned char)*digit - '0';
      valid = next <= 9 && seed <= (UINT64_MAX - next) / 10;
      seed = seed * 10 + next;
    }
  }
  if (!valid) {
    moc__quoted found = moc__describe(value);
    return moc__fail_at(&r->reader, MOC_INVALID_PLAN, &at,
                        "found %s; expected an integer from 0 to 2^64 - 1, beyond 2^63 - 1 as a string",
                        found.text);
  }
  r->plan->seed = seed;
  return MOC_OK;
}

/* Which figures a plan file did not give. */
typedef struct missing {
  bool budget, peak, duration, lower_bound, max_computes, baseline;
  bool status, scope, order;
} missing;

static moc_status read_figures(plan_reader *r, missing *lacks) {
  /* The words, and NULL. */
  const char *statuses[MOC_PLAN_INFEASIBLE + 2] = {NULL};
  const char *scopes[MOC_SCOPE_ANY + 2] = {NULL};
  const char *orders[MOC_ORDER_AUTO + 2] = {NULL};
  for (int i = 0; i <= MOC_PLAN_INFEASIBLE; i++) statuses[i] = moc_plan_status_word((moc_plan_status)i);
  for (int i = 0; i <= MOC_SCOPE_ANY; i++) scopes[i] = moc_bound_scope_word((moc_bound_scope)i);
  for (int i = 0; i <= MOC_ORDER_AUTO; i++) orders[i] = moc_order_word((moc_order)i);
  moc_plan *plan = r->plan;
  int64_t max_computes = 0, threads = 1;
  struct {
    const char *key;
    int64_t *number;
    int64_t most;
    bool may_be_null;
    bool found;
  } numbers[] = {
      {"budget", &plan->budget, MOC_MAX_TOTAL, false, false},
      {"peak_memory", &plan->peak_memory, MOC_MAX_TOTAL, plan->length == 0, false},
      {"baseline_peak_memory", &plan->baseline_peak_memory, MOC_MAX_TOTAL, false, false},
      {"total_duration", &plan->total_duration, MOC_MAX_TOTAL, plan->length == 0, false},
      {"baseline_duration", &plan->baseline_duration, MOC_MAX_TOTAL, false, false},
      {"lower_bound", &plan->lower_bound, MOC_MAX_TOTAL, false, false},
      {"max_computes", &max_computes, INT32_MAX, false, false},
      {"threads", &threads, INT32_MAX, false, false},
      {"moves", &plan->moves, MOC_MAX_TOTAL, false, false},
  };
  enum { BUDGET, PEAK, BASE_PEAK, DURATION, BASE_DURATION, LOWER_BOUND, MAX_COMPUTES, THREADS, MOVES, COUNT };
  for (int i = 0; i < COUNT; i++) {
    moc_status status = read_number(r, numbers[i].key, numbers[i].may_be_null, numbers[i].most, numbers[i].number,
                                    &numbers[i].found);
    if (status != MOC_OK) return status;
  }
  plan->max_computes = (int32_t)max_computes;
  plan->threads = (int32_t)threads;

  int status_word, scope, order;
  moc_status status = read_word(r, "status", statuses, &status_word);
  if (status == MOC_OK) status = read_word(r, "bound_scope", scopes, &scope);
  if (status == MOC_OK) status = read_word(r, "order", orders, &order);
  if (status == MOC_OK) status = read_seed(r);
  moc__place at = moc__member(NULL, "solve_seconds");
  const json_t *seconds = get(r, "solve_seconds");
  if (status == MOC_OK && seconds != NULL) {
    status = moc__read_seconds(&r->reader, &at, seconds, "solve_seconds", &plan->solve_seconds);
  }
  at = moc__member(NULL, "reproducible");
  const json_t *reproducible = get(r, "reproducible");
  if (status == MOC_OK && reproducible != NULL) {
    status = moc__read_bool(&r->reader, &at, reproducible, "reproducible", &plan->reproducible);
  }
  if (status != MOC_OK) return status;
  if (status_word >= 0) plan->status = (moc_plan_status)status_word;
  plan->bound_scope = scope == 1 ? MOC_SCOPE_ANY : MOC_SCOPE_ORDER;
  plan->order = order == 1 ? MOC_ORDER_AUTO : MOC_ORDER_INPUT;
  *lacks = (missing){.budget = !numbers[BUDGET].found,
                     .peak = !numbers[PEAK].found,
                     .duration = !numbers[DURATION].found,
                     .lower_bound = !numbers[LOWER_BOUND].found,
                     .max_computes = !numbers[MAX_COMPUTES].found,
                     .baseline =
                         !numbers[BASE_PEAK].found || !numbers[BASE_DURATION].found || !numbers[LOWER_BOUND].found,
                     .status = status_word < 0,
                     .scope = scope < 0,
                     .order = order < 0};
  return MOC_OK;
}

/* Fill in from an evaluation what the file lacks. The arrays change hands when they are needed. */
static moc_status fill_from_evaluation(plan_reader *r, const missing *lacks) {
  moc_plan *plan = r->plan;
  bool needed = lacks->peak || lacks->duration || plan->memory == NULL || plan->intervals == NULL;
  if (!needed || plan->length == 0) return MOC_OK;
  moc_evaluation found;
  moc_status status =
      moc_evaluate(r->graph, plan->sequence, plan->length, &plan->allocator, &found, r->reader.error);
  if (status != MOC_OK) return status;
  if (lacks->peak) plan->peak_memory = found.peak_memory;
  if (lacks->duration) plan->total_duration = found.duration;
  if (plan->memory == NULL) {
    plan->memory = found.memory;
    found.memory = NULL;
  }
  if (plan->intervals == NULL) {
    plan->intervals = found.intervals;
    plan->n_intervals = found.n_intervals;
    found.intervals = NULL;
    found.n_intervals = 0;
  }
  moc_evaluation_release(&found);
  return MOC_OK;
}

static moc_status fill_baseline(plan_reader *r, const missing *lacks) {
  moc_plan *plan = r->plan;
  if (!lacks->baseline) return MOC_OK;
  moc_graph_facts facts;
  moc_status status = moc_graph_get_facts(r->graph, &facts, r->reader.error);
  if (status != MOC_OK) return status;
  if (get(r, "baseline_peak_memory") == NULL) plan->baseline_peak_memory = facts.baseline_peak;
  if (get(r, "baseline_duration") == NULL) plan->baseline_duration = facts.baseline_duration;
  if (lacks->lower_bound) {
    plan->lower_bound = facts.baseline_duration; /* every operation runs at least once, in any schedule */
    if (lacks->scope) plan->bound_scope = MOC_SCOPE_ANY;
  }
  return MOC_OK;
}

/* What the sequence itself tells: the most computations of one operation, and whose order it follows. */
static moc_status fill_from_sequence(plan_reader *r, const missing *lacks) {
  moc_plan *plan = r->plan;
  if (!lacks->max_computes && !lacks->order) return MOC_OK;
  int32_t *computes = MOC__NEW_ZEROED(&plan->allocator, moc_graph_operations(r->graph), int32_t);
  if (computes == NULL) return moc__out_of_memory(r->reader.error);
  moc_op_list order = moc_graph_input_order(r->graph);
  int64_t firsts = 0;
  int32_t most = 1;
  bool follows = true;
  for (int64_t i = 0; i < plan->length; i++) {
    moc_op op = plan->sequence[i];
    if (computes[op] == 0) follows = order.items[firsts++] == op && follows;
    if (computes[op] < INT32_MAX) computes[op]++;
    most = (int32_t)moc__max(most, computes[op]);
  }
  if (lacks->max_computes) plan->max_computes = most;
  if (lacks->order) plan->order = follows ? MOC_ORDER_INPUT : MOC_ORDER_AUTO;
  moc__release(&plan->allocator, computes);
  return MOC_OK;
}

static moc_status read_document(plan_reader *r) {
  if (!json_is_object(r->root)) {
    return moc__fail_at(&r->reader, MOC_PARSE, NULL, "the document is an array; expected a plan, an object");
  }
  missing lacks = {0};
  moc_status status = check_head(r);
  if (status == MOC_OK) status = read_sequence(r);
  if (status == MOC_OK) status = read_figures(r, &lacks);
  if (status != MOC_OK) return status;
  moc_plan *plan = r->plan;
  if (lacks.status) plan->status = MOC_PLAN_FEASIBLE;
  bool has_plan = plan->status == MOC_PLAN_FEASIBLE || plan->status == MOC_PLAN_OPTIMAL;
  if (has_plan != (plan->length > 0)) {
    moc__place at = moc__member(NULL, "sequence");
    return moc__fail_at(&r->reader, MOC_INVALID_PLAN, &at,
                        has_plan ? "the sequence is empty; expected every node in it"
                                 : "found a sequence where the status says that there is none");
  }
  status = read_memory(r);
  if (status == MOC_OK) status = read_intervals(r);
  if (status == MOC_OK) status = read_trace(r);
  if (status == MOC_OK) status = read_certificate(r);
  if (status == MOC_OK) status = check_rematerialized(r);
  if (status == MOC_OK) status = fill_from_evaluation(r, &lacks);
  if (status == MOC_OK) status = fill_baseline(r, &lacks);
  if (status == MOC_OK) status = fill_from_sequence(r, &lacks);
  if (lacks.budget) plan->budget = plan->peak_memory;
  return status;
}

/* A plan without sequence has no lists. */
static void drop_empty_lists(moc_plan *plan) {
  if (plan->length > 0) return;
  moc__release(&plan->allocator, plan->sequence);
  moc__release(&plan->allocator, plan->memory);
  moc__release(&plan->allocator, plan->intervals);
  plan->sequence = NULL;
  plan->memory = NULL;
  plan->intervals = NULL;
  plan->n_intervals = 0;
}

moc_status moc_plan_read_json(const moc_graph *graph, const char *text, size_t length,
                              const moc_allocator *allocator, moc_plan **plan, moc_error *error) {
  if (graph == NULL || plan == NULL) {
    return moc__fail(error, MOC_INVALID_ARGUMENT, "", "graph and the place for the plan must not be NULL");
  }
  json_t *root = NULL;
  moc_status status = moc__json_parse(text, length, "plan", &root, error);
  if (status != MOC_OK) return status;
  moc_allocator own = moc__allocator_or_default(allocator);
  plan_reader r = {.reader = {error, MOC_INVALID_PLAN}, .graph = graph, .root = root};
  r.plan = MOC__NEW_ZEROED(&own, 1, moc_plan);
  if (r.plan == NULL) {
    status = moc__out_of_memory(error);
  } else {
    r.plan->allocator = own;
    status = read_document(&r);
  }
  moc__id_map_release(&r.tensor_ids);
  if (r.named != NULL) moc__release(&own, r.named);
  json_decref(root);
  if (status != MOC_OK) {
    moc_plan_destroy(r.plan);
    return status;
  }
  drop_empty_lists(r.plan);
  *plan = r.plan;
  return MOC_OK;
}
