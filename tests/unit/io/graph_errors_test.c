/* What the graph readers refuse: the status, the place, and a part of the message for each. */
#include "support/allocator.h"
#include "support/test.h"

#include <moccasin/moccasin_io.h>

#include <stdlib.h>

typedef struct refusal {
  const char *text;
  moc_status status;
  const char *place;
  const char *message; /* a part of it */
} refusal;

static void check(const refusal *refusals, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const refusal *r = &refusals[i];
    test_allocator allocator;
    test_allocator_init(&allocator);
    moc_graph *graph = NULL;
    moc_graph_format format = MOC_FORMAT_DOT;
    moc_error error;
    memset(&error, 0, sizeof error);
    moc_status status =
        moc_graph_read_json(r->text, strlen(r->text), &allocator.allocator, &graph, &format, &error);
    if (status != r->status || error.status != status || strcmp(error.place, r->place) != 0 ||
        strstr(error.message, r->message) == NULL) {
      fail_msg("%s\n  expected '%s' at '%s': ...%s...\n  got      '%s' at '%s': %s", r->text,
               moc_status_text(r->status), r->place, r->message, moc_status_text(status), error.place,
               error.message);
    }
    assert_null(graph);
    assert_int_equal(format, MOC_FORMAT_DOT); /* untouched */
    if (status == MOC_PARSE) assert_true(error.line >= 1 && error.column >= 1);
    test_allocator_check_empty(&allocator);
    /* without an error to fill it fails just so */
    assert_int_equal(moc_graph_read_json(r->text, strlen(r->text), &allocator.allocator, &graph, NULL, NULL),
                     status);
  }
}
#define CHECK(refusals) check(refusals, sizeof(refusals) / sizeof *(refusals))

static void not_json(void **state) {
  (void)state;
  const refusal refusals[] = {
      {"", MOC_PARSE, "", "the text is empty; expected a graph"},
      {" \n\t", MOC_PARSE, "", "the text is empty"},
      {"\xEF\xBB\xBF", MOC_PARSE, "", "the text is empty"},
      {"graph", MOC_PARSE, "", "not JSON"},
      {"12", MOC_PARSE, "", "not JSON"},
      {"{\"nodes\": [}", MOC_PARSE, "", "not JSON"},
      {"{\"nodes\": []} []", MOC_PARSE, "", "not JSON"},
      {"{\"nodes\": [", MOC_PARSE, "", "ends too soon, after 11 bytes"},
      {"{\"nodes\": \"\xC3\x28\"}", MOC_PARSE, "", "not valid UTF-8 after byte"},
      {"{\"nodes\": \"\xED\xA0\x80\"}", MOC_PARSE, "", "not valid UTF-8"},
      {"{\"nodes\": \"\\u0000\"}", MOC_PARSE, "", "\\u0000"},
      {"{\"a\\u0000\": 1}", MOC_PARSE, "", "\\u0000"},
      {"{\"nodes\": 1, \"nodes\": 2}", MOC_PARSE, "", "duplicate object key"},
      {"{\"nodes\": 9223372036854775808}", MOC_OVERFLOW, "", "too big integer"},
      {"{\"nodes\": -9223372036854775809}", MOC_OVERFLOW, "", "too big negative integer"},
      {"{\"nodes\": 1e999}", MOC_OVERFLOW, "", "real number overflow"},
      {"{\"nodes\": NaN}", MOC_PARSE, "", "not JSON"},
  };
  CHECK(refusals);
}

static void places_in_text(void **state) {
  (void)state;
  moc_graph *graph = NULL;
  moc_error error;
  const char broken[] = "{\"directed\": true,\n \"nodes\": [,]}";
  CHECK_FAILS(moc_graph_read_json(broken, sizeof broken - 1, NULL, &graph, NULL, &error), MOC_PARSE, error);
  assert_int_equal(error.line, 2);
  assert_true(error.column >= 11 && error.column <= 12);
  const char nul[] = "{\"directed\":\n tr\0e}";
  CHECK_FAILS(moc_graph_read_json(nul, sizeof nul - 1, NULL, &graph, NULL, &error), MOC_PARSE, error);
  CHECK_CONTAINS(error.message, "byte 17 is NUL");
  assert_int_equal(error.line, 2);
  assert_int_equal(error.column, 4);
}

static void deep_nesting(void **state) {
  (void)state;
  enum { DEPTH = 200000 };
  char *text = malloc(DEPTH * 6 + 1);
  assert_non_null(text);
  const char *const openings[] = {"[", "{\"a\":"};
  for (int kind = 0; kind < 2; kind++) {
    text[0] = '\0';
    size_t step = strlen(openings[kind]);
    for (int i = 0; i < DEPTH; i++) memcpy(text + (size_t)i * step, openings[kind], step);
    moc_graph *graph = NULL;
    moc_error error;
    CHECK_FAILS(moc_graph_read_json(text, DEPTH * step, NULL, &graph, NULL, &error), MOC_PARSE, error);
    CHECK_CONTAINS(error.message, "nested more than 2048 deep");
  }
  free(text);
}

static void neither_format(void **state) {
  (void)state;
  const refusal refusals[] = {
      {"[]", MOC_INVALID_GRAPH, "", "is an array; expected a graph"},
      {"{}", MOC_INVALID_GRAPH, "", "no graph found; expected a graph: an object with \"format\""},
      {"{\"links\": []}", MOC_INVALID_GRAPH, "", "no graph found"},
      {"{\"format\": \"moccasin-plan\", \"nodes\": 3}", MOC_INVALID_GRAPH, "format", "this is a plan"},
      {"{\"format\": \"moccasin\", \"operations\": []}", MOC_INVALID_GRAPH, "format",
       "expected \"moccasin-graph\""},
      {"{\"operations\": []}", MOC_INVALID_GRAPH, "format", "found nothing"},
      {"{\"adjacency\": []}", MOC_INVALID_GRAPH, "", "node_link_data"},
  };
  CHECK(refusals);
}

#define NODE(id)    "{\"id\":" id ",\"duration\":1,\"out_cost\":1}"
#define ABC         NODE("\"a\"") "," NODE("\"b\"") "," NODE("3")
#define LINK(s, t)  "{\"source\":" s ",\"target\":" t "}"
#define NODES(list) "{\"nodes\":[" list "],\"links\":[]}"
#define LINKS(list) "{\"nodes\":[" ABC "],\"links\":[" list "]}"
#define ORDER(list)                                                                                                \
  "{\"graph\":{\"order\":" list "},\"nodes\":[" ABC                                                                \
  "],\"edges\":[" LINK("\"a\"", "\"b\"") "," LINK("\"b\"", "3") "]}"

static void node_link_document(void **state) {
  (void)state;
  const refusal refusals[] = {
      {"{\"nodes\": 3, \"links\": []}", MOC_INVALID_GRAPH, "nodes", "found 3; nodes must be an array"},
      {"{\"nodes\": []}", MOC_INVALID_GRAPH, "", "neither \"links\" nor \"edges\""},
      {"{\"nodes\": [], \"links\": null}", MOC_INVALID_GRAPH, "links", "found null"},
      {"{\"nodes\": [], \"edges\": {}}", MOC_INVALID_GRAPH, "edges", "found an object"},
      {"{\"nodes\": [], \"links\": []}", MOC_INVALID_GRAPH, "nodes", "no nodes; expected at least one"},
      {"{\"directed\": false, \"nodes\": [], \"links\": []}", MOC_INVALID_GRAPH, "directed", "undirected"},
      {"{\"directed\": 1, \"nodes\": [], \"links\": []}", MOC_INVALID_GRAPH, "directed", "must be true or false"},
      {"{\"graph\": [], \"nodes\": [" NODE("1") "], \"links\": []}", MOC_INVALID_GRAPH, "graph", "found an array"},
  };
  CHECK(refusals);
}

static void node_link_nodes(void **state) {
  (void)state;
  const refusal refusals[] = {
      {NODES("7"), MOC_INVALID_GRAPH, "nodes[0]", "found 7; a node must be an object"},
      {NODES("{}"), MOC_INVALID_GRAPH, "nodes[0]", "neither \"id\" nor \"name\""},
      {NODES(NODE("null")), MOC_INVALID_GRAPH, "nodes[0].id", "found null"},
      {NODES(NODE("true")), MOC_INVALID_GRAPH, "nodes[0].id", "found true"},
      {NODES(NODE("1.0")), MOC_INVALID_GRAPH, "nodes[0].id", "fractional number 1"},
      {NODES(NODE("\"\"")), MOC_INVALID_GRAPH, "nodes[0].id", "not empty"},
      {NODES("{\"name\":[]}"), MOC_INVALID_GRAPH, "nodes[0].name", "found an array"},
      {NODES(NODE("1") "," NODE("\"1\"") "," NODE("1")), MOC_INVALID_GRAPH, "nodes[2].id",
       "nodes[0] has the same id, 1"},
      {NODES("{\"id\":1,\"cost_ram\":1}"), MOC_INVALID_GRAPH, "nodes[0]", "neither \"cost_cpu\" nor \"duration\""},
      {NODES("{\"id\":1,\"duration\":1}"), MOC_INVALID_GRAPH, "nodes[0]", "neither \"cost_ram\" nor \"out_cost\""},
      {NODES("{\"id\":1,\"duration\":-1,\"out_cost\":1}"), MOC_INVALID_GRAPH, "nodes[0].duration", "found -1"},
      {NODES("{\"id\":1,\"cost_cpu\":1.5,\"cost_ram\":1}"), MOC_INVALID_GRAPH, "nodes[0].cost_cpu", "number 1.5"},
      {NODES("{\"id\":1,\"cost_cpu\":2.0,\"cost_ram\":1}"), MOC_INVALID_GRAPH, "nodes[0].cost_cpu",
       "must be an integer"},
      {NODES("{\"id\":1,\"cost_cpu\":null,\"duration\":1,\"cost_ram\":1}"), MOC_INVALID_GRAPH, "nodes[0].cost_cpu",
       "found null"},
      {NODES("{\"id\":1,\"duration\":1,\"out_cost\":false}"), MOC_INVALID_GRAPH, "nodes[0].out_cost",
       "found false"},
      {NODES("{\"id\":1,\"duration\":1,\"out_cost\":\"1\"}"), MOC_INVALID_GRAPH, "nodes[0].out_cost",
       "the string \"1\""},
      {NODES("{\"id\":1,\"duration\":1,\"out_cost\":-9223372036854775808}"), MOC_INVALID_GRAPH, "nodes[0].out_cost",
       "found -9223372036854775808"},
      {NODES("{\"id\":1,\"duration\":4611686018427387905,\"out_cost\":1}"), MOC_OVERFLOW, "nodes[0].duration",
       "at most 2^62"},
      {NODES("{\"id\":1,\"duration\":1,\"out_cost\":9223372036854775807}"), MOC_OVERFLOW, "nodes[0].out_cost",
       "at most 2^62"},
      {NODES("{\"id\":1,\"duration\":4611686018427387904,\"out_cost\":1}," NODE("2")), MOC_OVERFLOW,
       "nodes[1].duration", "the sum exceeds 2^62"},
      {NODES("{\"id\":1,\"duration\":0,\"out_cost\":4611686018427387904}," NODE("2")), MOC_OVERFLOW,
       "nodes[1].out_cost", "the sum exceeds 2^62"},
  };
  CHECK(refusals);
}

static void node_link_links(void **state) {
  (void)state;
  const refusal refusals[] = {
      {LINKS("[]"), MOC_INVALID_GRAPH, "links[0]", "a link must be an object"},
      {LINKS("{}"), MOC_INVALID_GRAPH, "links[0]", "has no \"source\""},
      {LINKS(LINK("\"a\"", "\"b\"") ",{\"0\":\"a\",\"1\":\"b\"}"), MOC_INVALID_GRAPH, "links[1]",
       "as in the first"},
      {LINKS("{\"0\":\"a\"}"), MOC_INVALID_GRAPH, "links[0]", "has no \"1\""},
      {LINKS("{\"0\":\"a\",\"1\":8}"), MOC_INVALID_GRAPH, "links[0][\"1\"]", "unknown node 8"},
      {LINKS(LINK("\"a\"", "\"x\\n\\\"\"")), MOC_INVALID_GRAPH, "links[0].target", "unknown node \"x\\u000a\\\"\""},
      {LINKS(LINK("\"3\"", "\"a\"")), MOC_INVALID_GRAPH, "links[0].source", "the same as an integer"},
      {LINKS(LINK("null", "\"a\"")), MOC_INVALID_GRAPH, "links[0].source", "found null"},
      {LINKS(LINK("1.5", "\"a\"")), MOC_INVALID_GRAPH, "links[0].source", "number 1.5"},
      {LINKS(LINK("\"a\"", "\"b\"") "," LINK("3", "3")), MOC_INVALID_GRAPH, "links[1]", "to itself"},
      {LINKS(LINK("\"a\"", "\"b\"") "," LINK("\"b\"", "3") "," LINK("3", "\"a\"")), MOC_INVALID_GRAPH, "links",
       "cycle"},
  };
  CHECK(refusals);
}

static void node_link_order(void **state) {
  (void)state;
  const refusal refusals[] = {
      {ORDER("3"), MOC_INVALID_GRAPH, "graph.order", "must be an array"},
      {ORDER("[\"a\",\"b\"]"), MOC_INVALID_GRAPH, "graph.order[2]", "ends after 2 of 3 nodes, without node 3"},
      {ORDER("[]"), MOC_INVALID_GRAPH, "graph.order[0]", "without node \"a\""},
      {ORDER("[\"a\",\"b\",\"a\"]"), MOC_INVALID_GRAPH, "graph.order[2]", "already in graph.order[0]"},
      {ORDER("[\"a\",\"b\",3,3]"), MOC_INVALID_GRAPH, "graph.order[3]", "already in graph.order[2]"},
      {ORDER("[\"a\",4,3]"), MOC_INVALID_GRAPH, "graph.order[1]", "unknown node 4"},
      {ORDER("[\"a\",null,3]"), MOC_INVALID_GRAPH, "graph.order[1]", "found null"},
      {ORDER("[\"a\",3,\"b\"]"), MOC_INVALID_GRAPH, "graph.order[1]", "edges[1]"},
      {"{\"graph\":{\"order\":[1,2]},\"nodes\":[" NODE("1") "," NODE("2") "],\"links\":[" LINK("1", "2") "," LINK(
           "2", "1") "]}",
       MOC_INVALID_GRAPH, "links", "cycle"},
  };
  CHECK(refusals);
}

#define NATIVE(operations, tensors)                                                                                \
  "{\"format\":\"moccasin-graph\",\"version\":1,\"operations\":[" operations "],\"tensors\":[" tensors "]}"
#define OP(id, in, out) "{\"id\":" id ",\"duration\":1,\"inputs\":[" in "],\"outputs\":[" out "]}"
#define T(id)           "{\"id\":" id ",\"size\":1}"

static void native_document(void **state) {
  (void)state;
  const refusal refusals[] = {
      {"{\"format\":\"moccasin-graph\"}", MOC_INVALID_GRAPH, "version",
       "found nothing; this program reads version 1"},
      {"{\"format\":\"moccasin-graph\",\"version\":2}", MOC_INVALID_GRAPH, "version", "found 2"},
      {"{\"format\":\"moccasin-graph\",\"version\":\"1\"}", MOC_INVALID_GRAPH, "version", "the string"},
      {"{\"format\":\"moccasin-graph\",\"version\":1,\"tensors\":[]}", MOC_INVALID_GRAPH, "operations",
       "found nothing"},
      {"{\"format\":\"moccasin-graph\",\"version\":1,\"operations\":[]}", MOC_INVALID_GRAPH, "tensors",
       "found nothing"},
      {"{\"format\":\"moccasin-graph\",\"version\":1,\"name\":1}", MOC_INVALID_GRAPH, "name", "must be a string"},
      {"{\"format\":\"moccasin-graph\",\"version\":1,\"operation\":[]}", MOC_INVALID_GRAPH, "operation",
       "did you mean \"operations\"?"},
      {"{\"format\":\"moccasin-graph\",\"version\":1,\"zebra\":[]}", MOC_INVALID_GRAPH, "zebra",
       "its members are format"},
      {NATIVE("", ""), MOC_INVALID_GRAPH, "operations", "no operations; expected at least one"},
  };
  CHECK(refusals);
}

static void native_operations(void **state) {
  (void)state;
  const refusal refusals[] = {
      {NATIVE("1", ""), MOC_INVALID_GRAPH, "operations[0]", "must be an object"},
      {NATIVE("{\"duration\":1}", ""), MOC_INVALID_GRAPH, "operations[0].id", "found nothing"},
      {NATIVE("{\"id\":1}", ""), MOC_INVALID_GRAPH, "operations[0].duration", "found nothing"},
      {NATIVE("{\"id\":1,\"duration\":0.5}", ""), MOC_INVALID_GRAPH, "operations[0].duration", "number 0.5"},
      {NATIVE("{\"id\":1,\"duration\":1,\"workspace\":-4}", ""), MOC_INVALID_GRAPH, "operations[0].workspace",
       "found -4"},
      {NATIVE("{\"id\":1,\"duration\":1,\"recomputable\":0}", ""), MOC_INVALID_GRAPH, "operations[0].recomputable",
       "must be true or false"},
      {NATIVE("{\"id\":1,\"duration\":1,\"label\":2}", ""), MOC_INVALID_GRAPH, "operations[0].label",
       "must be a string"},
      {NATIVE("{\"id\":1,\"duration\":1,\"recomputible\":true}", ""), MOC_INVALID_GRAPH,
       "operations[0].recomputible", "did you mean \"recomputable\"?"},
      {NATIVE("{\"id\":1,\"duration\":1,\"inputs\":{}}", ""), MOC_INVALID_GRAPH, "operations[0].inputs",
       "an array"},
      {NATIVE("{\"id\":1,\"duration\":1,\"outputs\":null}", ""), MOC_INVALID_GRAPH, "operations[0].outputs",
       "found null"},
      {NATIVE(OP("1", "", "") "," OP("1", "", ""), ""), MOC_INVALID_GRAPH, "operations[1].id",
       "operations[0] has the same"},
      {NATIVE(OP("1", "\"x\"", ""), T("\"y\"")), MOC_INVALID_GRAPH, "operations[0].inputs[0]",
       "unknown tensor \"x\""},
      {NATIVE(OP("1", "", "5"), T("\"5\"")), MOC_INVALID_GRAPH, "operations[0].outputs[0]", "other spelling"},
      {NATIVE(OP("1", "", "[]"), T("\"5\"")), MOC_INVALID_GRAPH, "operations[0].outputs[0]", "found an array"},
      {NATIVE(OP("1", "", "5") "," OP("2", "", "6,5"), T("5") "," T("6")), MOC_INVALID_GRAPH,
       "operations[1].outputs[1]", "already, by operations[0]"},
      {NATIVE(OP("1", "", "5,5"), T("5")), MOC_INVALID_GRAPH, "operations[0].outputs[1]", "already"},
      {NATIVE(OP("1", "5", "5"), T("5")), MOC_INVALID_GRAPH, "operations[0].inputs[0]", "reads its own output"},
      {NATIVE(OP("1", "6", "5"), T("5") ",{\"id\":6,\"view_of\":5}"), MOC_INVALID_GRAPH, "operations[0].inputs[0]",
       "through the view 6"},
      {NATIVE(OP("1", "6,5", "") "," OP("2", "", "5"), T("5") "," T("6")), MOC_INVALID_GRAPH,
       "operations[0].inputs[1]", "tensor 5 needs operations[1] (2), which comes later"},
      {NATIVE(OP("1", "6", "") "," OP("2", "", "5"), T("5") ",{\"id\":6,\"view_of\":5}"), MOC_INVALID_GRAPH,
       "operations[0].inputs[0]", "which comes later"},
      {NATIVE(OP("1", "6", "5") "," OP("2", "5", "6"), T("5") "," T("6")), MOC_INVALID_GRAPH, "operations",
       "cycle"},
      {NATIVE("{\"id\":1,\"duration\":1,\"workspace\":4611686018427387904}", T("5")), MOC_OVERFLOW,
       "operations[0].workspace", "sizes and workspaces exceed 2^62"},
      {NATIVE("{\"id\":1,\"duration\":4611686018427387904}," OP("2", "", ""), ""), MOC_OVERFLOW,
       "operations[1].duration", "durations exceed 2^62"},
  };
  CHECK(refusals);
}

static void native_tensors(void **state) {
  (void)state;
  const refusal refusals[] = {
      {NATIVE(OP("1", "", ""), "[]"), MOC_INVALID_GRAPH, "tensors[0]", "must be an object"},
      {NATIVE(OP("1", "", ""), "{\"size\":1}"), MOC_INVALID_GRAPH, "tensors[0].id", "found nothing"},
      {NATIVE(OP("1", "", ""), T("5") "," T("5")), MOC_INVALID_GRAPH, "tensors[1].id",
       "tensors[0] has the same id, 5"},
      {NATIVE(OP("1", "", ""), "{\"id\":5}"), MOC_INVALID_GRAPH, "tensors[0]", "neither \"size\" nor \"view_of\""},
      {NATIVE(OP("1", "", ""), "{\"id\":5,\"size\":\"1\"}"), MOC_INVALID_GRAPH, "tensors[0].size",
       "the string \"1\""},
      {NATIVE(OP("1", "", ""), "{\"id\":5,\"size\":1,\"keep\":1}"), MOC_INVALID_GRAPH, "tensors[0].keep",
       "found 1"},
      {NATIVE(OP("1", "", ""), "{\"id\":5,\"size\":1,\"keeep\":true}"), MOC_INVALID_GRAPH, "tensors[0].keeep",
       "did you mean \"keep\"?"},
      {NATIVE(OP("1", "", ""), "{\"id\":5,\"size\":1,\"view_of\":6}," T("6")), MOC_INVALID_GRAPH, "tensors[0].size",
       "its own size is 0"},
      {NATIVE(OP("1", "", ""), "{\"id\":5,\"view_of\":7}"), MOC_INVALID_GRAPH, "tensors[0].view_of",
       "unknown tensor 7"},
      {NATIVE(OP("1", "", ""), "{\"id\":5,\"view_of\":5}"), MOC_INVALID_GRAPH, "tensors[0].view_of", "in a circle"},
      {NATIVE(OP("1", "", ""), "{\"id\":4,\"view_of\":5},{\"id\":5,\"view_of\":6},{\"id\":6,\"view_of\":5}"),
       MOC_INVALID_GRAPH, "tensors[0].view_of", "in a circle"},
      {NATIVE(OP("1", "", ""), "{\"id\":4,\"size\":4611686018427387904}," T("5")), MOC_OVERFLOW, "tensors[1].size",
       "exceed 2^62"},
  };
  CHECK(refusals);
}

static void contract(void **state) {
  (void)state;
  moc_error error;
  moc_graph *graph = NULL;
  CHECK_FAILS(moc_graph_read_json("{}", 2, NULL, NULL, NULL, &error), MOC_INVALID_ARGUMENT, error);
  CHECK_FAILS(moc_graph_read_json(NULL, 2, NULL, &graph, NULL, &error), MOC_INVALID_ARGUMENT, error);
  CHECK_FAILS(moc_graph_read_json(NULL, 0, NULL, &graph, NULL, &error), MOC_PARSE, error);
  assert_null(graph);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(not_json),          cmocka_unit_test(places_in_text),     cmocka_unit_test(deep_nesting),
      cmocka_unit_test(neither_format),    cmocka_unit_test(node_link_document), cmocka_unit_test(node_link_nodes),
      cmocka_unit_test(node_link_links),   cmocka_unit_test(node_link_order),    cmocka_unit_test(native_document),
      cmocka_unit_test(native_operations), cmocka_unit_test(native_tensors),     cmocka_unit_test(contract),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
