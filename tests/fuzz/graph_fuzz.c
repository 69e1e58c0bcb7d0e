/* Any bytes as a graph: refused with a message, or read; then it writes, reads back equal, and evaluates. */
#include "fuzz.h"
#include "unit/io/graph_compare.h"

#include <moccasin/moccasin_io.h>

static void check_round_trip(const moc_graph *graph, moc_graph_format format) {
  moc_error error = {0};
  char *text = NULL;
  size_t length = 0;
  moc_graph *copy = NULL;
  moc_graph_format found;
  REQUIRE(moc_graph_write(graph, format, NULL, &text, &length, &error) == MOC_OK, error.message);
  REQUIRE(moc_graph_read_json(text, length, NULL, &copy, &found, &error) == MOC_OK, error.message);
  REQUIRE(found == format, text);
  const char *difference = graph_difference(graph, copy, true);
  REQUIRE(difference == NULL, difference);
  moc_graph_destroy(copy);
  free(text);
}

static void check_input_order(const moc_graph *graph) {
  moc_op_list order = moc_graph_input_order(graph);
  moc_evaluation evaluation;
  moc_graph_facts facts;
  moc_error error = {0};
  REQUIRE(moc_graph_get_facts(graph, &facts, &error) == MOC_OK, error.message);
  REQUIRE(moc_evaluate(graph, order.items, order.count, NULL, &evaluation, &error) == MOC_OK, error.message);
  REQUIRE(evaluation.peak_memory == facts.baseline_peak, "the facts and the evaluation of the input order differ");
  REQUIRE(facts.working_set_bound <= facts.baseline_peak, "the bound is above a schedule's peak");
  moc_evaluation_release(&evaluation);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  moc_error error = {0};
  moc_graph *graph = NULL;
  moc_graph_format format = MOC_FORMAT_DOT;
  moc_status status = moc_graph_read_json((const char *)data, size, NULL, &graph, &format, &error);
  if (status != MOC_OK) {
    REQUIRE(graph == NULL && error.status == status && error.message[0] != '\0', "refused without saying why");
    REQUIRE(status != MOC_INTERNAL && status != MOC_INVALID_ARGUMENT && status != MOC_IO, error.message);
    return 0;
  }
  check_round_trip(graph, MOC_FORMAT_MOCCASIN);
  if (format == MOC_FORMAT_NODE_LINK) check_round_trip(graph, MOC_FORMAT_NODE_LINK);
  char *text = NULL;
  size_t length = 0;
  REQUIRE(moc_graph_write(graph, MOC_FORMAT_DOT, NULL, &text, &length, &error) == MOC_OK, error.message);
  free(text);
  check_input_order(graph);
  moc_graph_destroy(graph);
  return 0;
}
