/* Reading networkx node-link JSON, in both spellings that occur:
 *   nodes {"id", "name", "cost_cpu", "cost_ram"}, links {"source", "target"} (Checkmate's training graphs);
 *   nodes {"name", "duration", "out_cost"}, links {"0", "1"}, "graph": {"order"} (random layered graphs).
 * Every node becomes one operation with one output tensor of the same number and name. Members that mean nothing
 * here are metadata and ignored. docs/formats.md has the rules. Cost: O(nodes + links) expected. */
#include "io/id_map.h"
#include "io/io.h"

typedef struct node_link {
  moc__reader reader;
  moc_allocator allocator;
  const json_t *nodes;
  const json_t *links;
  const char *links_key;  /* "links" or "edges" */
  const char *source_key; /* "source" or "0" */
  const char *target_key; /* "target" or "1" */
  moc__id_map ids;        /* number: the operation's */
  moc_builder *builder;
  moc_op *order; /* [count of nodes], NULL without graph.order */
} node_link;

/* --- Ids --- */

/* The node that `value` names, MOC_NONE when it names none. */
static moc_op find_node(const node_link *r, const json_t *value) {
  if (!json_is_integer(value) && !json_is_string(value)) return MOC_NONE;
  return moc__id_map_find(&r->ids, moc__id_of_json(value));
}

/* As find_node, for a value that has to name a node. */
static moc_status read_node_id(const node_link *r, const moc__place *place, const json_t *value, const char *what,
                               moc_op *op) {
  moc_status status = moc__check_id(&r->reader, place, value, what);
  if (status != MOC_OK) return status;
  moc__id id = moc__id_of_json(value);
  *op = moc__id_map_find(&r->ids, id);
  if (*op != MOC_NONE) return MOC_OK;
  moc__quoted found = moc__describe_id(value);
  char digits[24];
  moc__id other;
  if (moc__id_other_spelling(id, digits, &other) && moc__id_map_find(&r->ids, other) != MOC_NONE) {
    return moc__fail_at(&r->reader, MOC_INVALID_GRAPH, place,
                        "unknown node %s; there is a node whose id is %s, and ids have to agree in that too",
                        found.text, other.text == NULL ? "the same as an integer" : "the same as a string");
  }
  return moc__fail_at(&r->reader, MOC_INVALID_GRAPH, place, "unknown node %s; expected the id of one of the nodes",
                      found.text);
}

/* --- Nodes --- */

/* The first present of two members, as a place and a value. */
static const json_t *first_of(const json_t *object, const moc__place *parent, const char *first, const char *second,
                              moc__place *place) {
  const json_t *value = json_object_get(object, first);
  *place = moc__member(parent, value != NULL ? first : second);
  return value != NULL ? value : json_object_get(object, second);
}

/* Read one of a node's numbers and add it to their sum. */
static moc_status read_cost(const node_link *r, const moc__place *at, const json_t *node, const char *first,
                            const char *second, const char *what, int64_t *sum, int64_t *number) {
  moc__place place;
  const json_t *value = first_of(node, at, first, second, &place);
  if (value == NULL) {
    return moc__fail_at(&r->reader, MOC_INVALID_GRAPH, at, "the node has neither \"%s\" nor \"%s\"; %s is needed",
                        first, second, what);
  }
  moc_status status = moc__read_natural(&r->reader, &place, value, what, number);
  if (status == MOC_OK && !moc__add(sum, *number)) {
    status = moc__fail_at(&r->reader, MOC_OVERFLOW, &place,
                          "up to here the sum exceeds 2^62 = 4611686018427387904; %s is too large", what);
  }
  return status;
}

/* What to call a node for people: its name, when it has an id besides. */
static const char *node_label(const json_t *node, moc__id_text *scratch) {
  const json_t *name = json_object_get(node, "name");
  if (json_object_get(node, "id") == NULL) return NULL;
  if (json_is_string(name) && json_string_length(name) > 0) return json_string_value(name);
  if (!json_is_integer(name)) return NULL;
  moc__id_text_of(name, scratch);
  return scratch->text;
}

static moc_status read_nodes(node_link *r) {
  moc__place nodes = moc__member(NULL, "nodes");
  size_t count = json_array_size(r->nodes);
  if (count == 0) {
    return moc__fail_at(&r->reader, MOC_INVALID_GRAPH, &nodes, "the graph has no nodes; expected at least one");
  }
  if (count > MOC_MAX_OPERATIONS) {
    return moc__fail_at(&r->reader, MOC_LIMIT, &nodes, "found %zu nodes; expected at most %d", count,
                        MOC_MAX_OPERATIONS);
  }
  if (!moc__id_map_init(&r->ids, &r->allocator, (int64_t)count)) return moc__out_of_memory(r->reader.error);
  int64_t durations = 0, sizes = 0;
  for (size_t i = 0; i < count; i++) {
    moc__place at = moc__item(&nodes, i), id_at;
    const json_t *node = json_array_get(r->nodes, i);
    moc_status status = moc__check_object(&r->reader, &at, node, "a node");
    if (status != MOC_OK) return status;
    const json_t *id = first_of(node, &at, "id", "name", &id_at);
    if (id == NULL) {
      return moc__fail_at(&r->reader, MOC_INVALID_GRAPH, &at,
                          "the node has neither \"id\" nor \"name\"; its id is needed");
    }
    status = moc__check_id(&r->reader, &id_at, id, "a node's id");
    if (status != MOC_OK) return status;
    int32_t first = moc__id_map_add(&r->ids, moc__id_of_json(id));
    if (first != MOC_NONE) {
      moc__quoted found = moc__describe_id(id);
      return moc__fail_at(&r->reader, MOC_INVALID_GRAPH, &id_at,
                          "nodes[%d] has the same id, %s; ids must be unique", first, found.text);
    }
    moc__id_text name, label;
    moc__id_text_of(id, &name);
    moc_operation op = {.name = name.text, .name_is_integer = name.is_integer, .label = node_label(node, &label)};
    moc_tensor_spec tensor = {.name = name.text, .name_is_integer = name.is_integer, .base = MOC_NONE};
    status = read_cost(r, &at, node, "cost_cpu", "duration", "a duration", &durations, &op.duration);
    if (status == MOC_OK) {
      status = read_cost(r, &at, node, "cost_ram", "out_cost", "a size in bytes", &sizes, &tensor.size);
    }
    if (status == MOC_OK) status = moc_builder_add_operation(r->builder, &op, &tensor.producer, r->reader.error);
    if (status == MOC_OK) status = moc_builder_add_tensor(r->builder, &tensor, NULL, r->reader.error);
    if (status != MOC_OK) return status;
  }
  return MOC_OK;
}

/* --- Links --- */

static moc_status read_links(node_link *r) {
  moc__place links = moc__member(NULL, r->links_key);
  size_t count = json_array_size(r->links);
  /* the first link tells the spelling for all */
  bool named = count == 0 || json_object_get(json_array_get(r->links, 0), "source") != NULL ||
               json_object_get(json_array_get(r->links, 0), "0") == NULL;
  r->source_key = named ? "source" : "0";
  r->target_key = named ? "target" : "1";
  for (size_t i = 0; i < count; i++) {
    moc__place at = moc__item(&links, i);
    const json_t *link = json_array_get(r->links, i);
    moc_status status = moc__check_object(&r->reader, &at, link, "a link");
    if (status != MOC_OK) return status;
    const char *const keys[2] = {r->source_key, r->target_key};
    moc_op ends[2];
    for (int k = 0; k < 2; k++) {
      moc__place end_at = moc__member(&at, keys[k]);
      const json_t *end = json_object_get(link, keys[k]);
      if (end == NULL) {
        return moc__fail_at(&r->reader, MOC_INVALID_GRAPH, &at,
                            "the link has no \"%s\"; expected \"%s\" and \"%s\"%s", keys[k], keys[0], keys[1],
                            i == 0 ? "" : " in every link, as in the first");
      }
      status = read_node_id(r, &end_at, end, "an end of a link", &ends[k]);
      if (status != MOC_OK) return status;
    }
    if (ends[0] == ends[1]) {
      moc__quoted found = moc__describe_id(json_object_get(link, keys[0]));
      return moc__fail_at(&r->reader, MOC_INVALID_GRAPH, &at,
                          "the link goes from node %s to itself; an operation cannot read its own output",
                          found.text);
    }
    status = moc_builder_add_read(r->builder, ends[1], ends[0], r->reader.error);
    if (status != MOC_OK) return status;
  }
  return MOC_OK;
}

/* --- Order --- */

static moc_status read_order(node_link *r, const json_t *order, const moc__place *place) {
  moc_status status = moc__check_array(&r->reader, place, order, "the order");
  if (status != MOC_OK) return status;
  size_t count = json_array_size(order), nodes = json_array_size(r->nodes);
  size_t *seen = MOC__NEW_ZEROED(&r->allocator, nodes, size_t); /* place in the order, from 1 */
  r->order = MOC__NEW(&r->allocator, nodes, moc_op);
  if (seen == NULL || r->order == NULL) status = moc__out_of_memory(r->reader.error);
  for (size_t i = 0; i < count && status == MOC_OK; i++) {
    moc__place at = moc__item(place, i);
    const json_t *value = json_array_get(order, i);
    moc_op op = MOC_NONE;
    status = read_node_id(r, &at, value, "an entry of the order", &op);
    if (status != MOC_OK) break;
    if (seen[op] != 0) {
      moc__quoted found = moc__describe_id(value);
      status = moc__fail_at(&r->reader, MOC_INVALID_GRAPH, &at,
                            "node %s is listed already in graph.order[%zu]; expected every node once", found.text,
                            seen[op] - 1);
      break;
    }
    seen[op] = i + 1;
    r->order[i] = op; /* no repeats so far, so i < nodes */
  }
  if (status == MOC_OK && count < nodes) {
    size_t missing = 0;
    while (seen[missing] != 0) missing++;
    moc__place at = moc__item(place, count), id_at;
    const json_t *node = json_array_get(r->nodes, missing);
    moc__quoted id = moc__describe_id(first_of(node, NULL, "id", "name", &id_at));
    status = moc__fail_at(&r->reader, MOC_INVALID_GRAPH, &at,
                          "the order ends after %zu of %zu nodes, without node %s; expected every node once", count,
                          nodes, id.text);
  }
  moc__release(&r->allocator, seen);
  if (status == MOC_OK) {
    status = moc_builder_set_order(r->builder, MOC_ORDER_GIVEN, r->order, (int64_t)nodes, r->reader.error);
  }
  return status;
}

/* After a failed build with a given order: if the order is to blame, name the first entry that comes too early.
 * Keeps the builder's error when that was about something else. */
static moc_status blame_order(node_link *r, const moc__place *order_at, moc_status status) {
  int64_t nodes = (int64_t)json_array_size(r->nodes);
  moc_graph *graph = NULL;
  moc__place links = moc__member(NULL, r->links_key);
  moc_status other = moc_builder_set_order(r->builder, MOC_ORDER_GENERATIONS, NULL, 0, NULL);
  if (other == MOC_OK) other = moc_builder_build(r->builder, &graph, NULL);
  if (other == MOC_OUT_OF_MEMORY) return moc__out_of_memory(r->reader.error);
  if (other != MOC_OK) {
    moc__set_place(&r->reader, &links); /* a cycle: no order could be right */
    return status;
  }
  moc_graph_destroy(graph);
  int64_t *place = MOC__NEW(&r->allocator, nodes, int64_t);
  if (place == NULL) return moc__out_of_memory(r->reader.error);
  for (int64_t i = 0; i < nodes; i++) place[r->order[i]] = i;
  int64_t early = nodes;
  size_t blamed = 0;
  for (size_t i = 0; i < json_array_size(r->links); i++) {
    const json_t *link = json_array_get(r->links, i);
    moc_op source = find_node(r, json_object_get(link, r->source_key));
    moc_op target = find_node(r, json_object_get(link, r->target_key));
    if (source < 0 || target < 0 || place[source] < place[target] || place[target] >= early) continue;
    early = place[target];
    blamed = i;
  }
  if (early < nodes) {
    moc__place at = moc__item(order_at, (size_t)early);
    const json_t *link = json_array_get(r->links, blamed);
    moc__quoted source = moc__describe_id(json_object_get(link, r->source_key));
    moc__quoted target = moc__describe_id(json_object_get(link, r->target_key));
    status = moc__fail_at(&r->reader, MOC_INVALID_GRAPH, &at,
                          "node %s comes before node %s, which it reads (%s[%zu]); expected a topological order",
                          target.text, source.text, r->links_key, blamed);
  }
  moc__release(&r->allocator, place);
  return status;
}

/* --- The whole --- */

static moc_status read_document(node_link *r, const json_t *root, moc_graph **graph) {
  moc__place at = moc__member(NULL, "directed");
  const json_t *directed = json_object_get(root, "directed");
  bool is_directed = true;
  moc_status status = MOC_OK;
  if (directed != NULL) status = moc__read_bool(&r->reader, &at, directed, "directed", &is_directed);
  if (status != MOC_OK) return status;
  if (!is_directed) {
    return moc__fail_at(&r->reader, MOC_INVALID_GRAPH, &at,
                        "the graph is undirected; expected a directed one, with links from producer to reader");
  }

  at = moc__member(NULL, "nodes");
  r->nodes = json_object_get(root, "nodes");
  status = moc__check_array(&r->reader, &at, r->nodes, "nodes");
  if (status != MOC_OK) return status;
  r->links = json_object_get(root, "links");
  r->links_key = r->links != NULL ? "links" : "edges";
  if (r->links == NULL) r->links = json_object_get(root, "edges");
  if (r->links == NULL) {
    return moc__fail_at(&r->reader, MOC_INVALID_GRAPH, NULL,
                        "the graph has \"nodes\" but neither \"links\" nor \"edges\"; one of them is needed");
  }
  at = moc__member(NULL, r->links_key);
  status = moc__check_array(&r->reader, &at, r->links, r->links_key);
  if (status != MOC_OK) return status;

  moc__place graph_at = moc__member(NULL, "graph"), order_at = moc__member(&graph_at, "order");
  const json_t *about = json_object_get(root, "graph");
  if (about != NULL) {
    status = moc__check_object(&r->reader, &graph_at, about, "graph");
    if (status != MOC_OK) return status;
    const json_t *name = json_object_get(about, "name"); /* metadata: of no matter when it is something else */
    if (json_is_string(name)) status = moc_builder_set_name(r->builder, json_string_value(name), r->reader.error);
  }

  if (status == MOC_OK) status = read_nodes(r);
  if (status == MOC_OK) status = read_links(r);
  if (status != MOC_OK) return status;
  const json_t *order = json_object_get(about, "order");
  if (order != NULL && !json_is_null(order)) {
    status = read_order(r, order, &order_at);
  } else {
    status = moc_builder_set_order(r->builder, MOC_ORDER_GENERATIONS, NULL, 0, r->reader.error);
  }
  if (status != MOC_OK) return status;
  status = moc_builder_build(r->builder, graph, r->reader.error);
  if (status == MOC_INVALID_GRAPH && r->order != NULL)
    status = blame_order(r, &order_at, status);
  else if (status == MOC_INVALID_GRAPH)
    moc__set_place(&r->reader, &at); /* a cycle of links */
  return status;
}

moc_status moc__read_node_link(const json_t *root, const moc_allocator *allocator, moc_graph **graph,
                               moc_error *error) {
  node_link r = {.reader = {error, MOC_INVALID_GRAPH}, .allocator = moc__allocator_or_default(allocator)};
  r.builder = moc_builder_create(&r.allocator);
  moc_status status = r.builder == NULL ? moc__out_of_memory(error) : read_document(&r, root, graph);
  moc__id_map_release(&r.ids);
  if (r.order != NULL) moc__release(&r.allocator, r.order);
  moc_builder_destroy(r.builder);
  return status;
}
