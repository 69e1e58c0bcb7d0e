/* Reading a graph: parse the JSON, tell the format from its content, hand over to the format's reader. */
#include "io/io.h"

/* Tell the format, or say what the document is instead. */
static moc_status detect(const json_t *root, moc_graph_format *format, moc_error *error) {
  static const char EXPECTED[] = "expected a graph: an object with \"format\": \"" MOC__GRAPH_FORMAT
                                 "\", or node-link data with \"nodes\" and \"links\"";
  moc__reader reader = {error, MOC_INVALID_GRAPH};
  if (!json_is_object(root)) {
    return moc__fail_at(&reader, MOC_INVALID_GRAPH, NULL, "the document is an array; %s", EXPECTED);
  }
  const json_t *member = json_object_get(root, "format");
  const char *name = json_is_string(member) ? json_string_value(member) : "";
  if (strcmp(name, MOC__GRAPH_FORMAT) == 0) {
    *format = MOC_FORMAT_MOCCASIN;
    return MOC_OK;
  }
  moc__place at = moc__member(NULL, "format");
  if (strcmp(name, MOC__PLAN_FORMAT) == 0) {
    return moc__fail_at(&reader, MOC_INVALID_GRAPH, &at, "this is a plan; %s", EXPECTED);
  }
  if (json_object_get(root, "nodes") != NULL) {
    *format = MOC_FORMAT_NODE_LINK;
    return MOC_OK;
  }
  if (json_object_get(root, "operations") != NULL) {
    moc__quoted found = moc__describe(member);
    return moc__fail_at(&reader, MOC_INVALID_GRAPH, &at, "found %s; expected \"" MOC__GRAPH_FORMAT "\"",
                        found.text);
  }
  if (json_object_get(root, "adjacency") != NULL) {
    return moc__fail_at(&reader, MOC_INVALID_GRAPH, NULL,
                        "this is networkx's adjacency data; write the graph with node_link_data instead");
  }
  return moc__fail_at(&reader, MOC_INVALID_GRAPH, NULL, "no graph found; %s", EXPECTED);
}

moc_status moc_graph_read_json(const char *text, size_t length, const moc_allocator *allocator, moc_graph **graph,
                               moc_graph_format *format, moc_error *error) {
  if (graph == NULL) return moc__fail(error, MOC_INVALID_ARGUMENT, "", "the place for the graph is NULL");
  json_t *root = NULL;
  moc_status status = moc__json_parse(text, length, "graph", &root, error);
  if (status != MOC_OK) return status;
  moc_graph_format found = MOC_FORMAT_NODE_LINK;
  status = detect(root, &found, error);
  if (status == MOC_OK) {
    status = found == MOC_FORMAT_MOCCASIN ? moc__read_native(root, allocator, graph, error)
                                          : moc__read_node_link(root, allocator, graph, error);
  }
  if (status == MOC_OK && format != NULL) *format = found;
  json_decref(root);
  return status;
}
