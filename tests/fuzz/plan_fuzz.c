/* Any bytes as a plan of a small graph of the full model: refused with a message, or read; then it writes and reads
 * back the same, and verification accepts or refuses it without harm. */
#include "fuzz.h"

#include <moccasin/moccasin_io.h>

#include <string.h>

static const char GRAPH[] =
    "{\"format\":\"moccasin-graph\",\"version\":1,\"name\":\"g\",\"operations\":["
    "{\"id\":\"a\",\"duration\":3,\"inputs\":[\"x\"],\"outputs\":[\"s\",\"t\"]},"
    "{\"id\":1,\"duration\":2,\"workspace\":4,\"inputs\":[\"v\"],\"outputs\":[\"u\"]},"
    "{\"id\":\"b\",\"duration\":5,\"recomputable\":false,\"inputs\":[\"u\",\"t\"],\"outputs\":[\"w\"]},"
    "{\"id\":2,\"duration\":0,\"inputs\":[\"w\",\"s\"]}],\"tensors\":["
    "{\"id\":\"x\",\"size\":9},{\"id\":\"s\",\"size\":7},{\"id\":\"t\",\"size\":2},{\"id\":\"v\",\"view_of\":\"s\"}"
    ","
    "{\"id\":\"u\",\"size\":1},{\"id\":\"w\",\"size\":6,\"keep\":true}]}";

static char *write_plan(const moc_graph *graph, const moc_plan *plan, size_t *length) {
  moc_error error = {0};
  char *text = NULL;
  REQUIRE(moc_plan_write_json(graph, plan, true, NULL, &text, length, &error) == MOC_OK, error.message);
  return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  moc_error error = {0};
  moc_graph *graph = NULL;
  moc_plan *plan = NULL, *copy = NULL;
  REQUIRE(moc_graph_read_json(GRAPH, sizeof GRAPH - 1, NULL, &graph, NULL, &error) == MOC_OK, error.message);
  moc_status status = moc_plan_read_json(graph, (const char *)data, size, NULL, &plan, &error);
  if (status != MOC_OK) {
    REQUIRE(plan == NULL && error.status == status && error.message[0] != '\0', "refused without saying why");
    REQUIRE(status != MOC_INTERNAL && status != MOC_INVALID_ARGUMENT && status != MOC_IO, error.message);
    moc_graph_destroy(graph);
    return 0;
  }
  size_t length = 0, length_again = 0;
  char *text = write_plan(graph, plan, &length);
  REQUIRE(moc_plan_read_json(graph, text, length, NULL, &copy, &error) == MOC_OK, error.message);
  char *again = write_plan(graph, copy, &length_again);
  REQUIRE(strcmp(text, again) == 0, "a plan read back differs from what was written");
  moc_verdict verdict;
  status = moc_verify(graph, plan, NULL, &verdict, &error);
  REQUIRE(status == MOC_OK || status == MOC_INVALID_PLAN || status == MOC_OVERFLOW, error.message);
  if (status == MOC_OK && plan->length > 0) {
    REQUIRE(verdict.peak_memory <= plan->budget && verdict.peak_memory == plan->peak_memory,
            "an untrue plan passed");
  }
  /* A bound may be refused, or hold for a plan that is none; it ends, and without harm. */
  status = moc_verify_bound(graph, plan, NULL, NULL, &error);
  REQUIRE(status == MOC_OK || status == MOC_INVALID_PLAN, error.message);
  free(text);
  free(again);
  moc_plan_destroy(plan);
  moc_plan_destroy(copy);
  moc_graph_destroy(graph);
  return 0;
}
