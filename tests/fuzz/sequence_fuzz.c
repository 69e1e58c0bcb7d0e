/* Bytes as a small graph and a sequence: evaluation and verification, which share nothing, must agree on whether it
 * can be run and on every figure. */
#include "fuzz.h"

#include <moccasin/moccasin.h>

typedef struct input {
  const uint8_t *data;
  size_t left;
} input;

/* The next byte, reduced below `limit`; 0 when there are no more. */
static int next(input *from, int limit) {
  if (from->left == 0) return 0;
  from->left--;
  return *from->data++ % limit;
}

#define MUST(call) REQUIRE((call) == MOC_OK, error.message)

static moc_graph *build(input *from) {
  moc_error error = {0};
  moc_builder *builder = moc_builder_create(NULL);
  REQUIRE(builder != NULL, "out of memory");
  int tensors = 0, inputs = next(from, 3), ops = 1 + next(from, 6);
  for (int i = 0; i < inputs; i++, tensors++) {
    moc_tensor_spec spec = {
        .producer = MOC_NONE, .base = MOC_NONE, .size = next(from, 16), .keep = next(from, 4) == 0};
    MUST(moc_builder_add_tensor(builder, &spec, NULL, &error));
  }
  for (int op = 0; op < ops; op++) {
    char name[2] = {(char)('a' + op), '\0'};
    moc_operation operation = {
        .name = name, .duration = next(from, 16), .workspace = next(from, 16), .compute_once = next(from, 4) == 1};
    MUST(moc_builder_add_operation(builder, &operation, NULL, &error));
    int reads = next(from, 4), before = tensors;
    for (int i = 0; i < reads && before > 0; i++) {
      MUST(moc_builder_add_read(builder, op, next(from, before), &error));
    }
    for (int outputs = next(from, 4); outputs > 0; outputs--, tensors++) {
      moc_tensor_spec spec = {.producer = op, .base = MOC_NONE, .size = next(from, 16), .keep = next(from, 8) == 1};
      if (tensors > before && next(from, 4) == 1) { /* a view of an output of its own */
        spec.base = before + next(from, tensors - before);
        spec.size = 0;
      }
      MUST(moc_builder_add_tensor(builder, &spec, NULL, &error));
    }
  }
  moc_graph *graph = NULL;
  MUST(moc_builder_build(builder, &graph, &error));
  moc_builder_destroy(builder);
  return graph;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  enum { MOST_STEPS = 40 };
  input from = {data, size};
  moc_error error = {0};
  moc_graph *graph = build(&from);
  moc_op sequence[MOST_STEPS];
  int64_t length = 0;
  while (from.left > 0 && length < MOST_STEPS) sequence[length++] = next(&from, (int)moc_graph_operations(graph));
  moc_graph_facts facts;
  MUST(moc_graph_get_facts(graph, &facts, &error));
  moc_plan plan = {.status = MOC_PLAN_FEASIBLE,
                   .budget = MOC_MAX_TOTAL,
                   .baseline_peak_memory = facts.baseline_peak,
                   .baseline_duration = facts.baseline_duration,
                   .max_computes = MOST_STEPS,
                   .order = MOC_ORDER_AUTO,
                   .threads = 1,
                   .length = length,
                   .sequence = sequence};
  moc_evaluation evaluation;
  moc_status status = moc_evaluate(graph, sequence, length, NULL, &evaluation, &error);
  if (status == MOC_OK) {
    plan.peak_memory = evaluation.peak_memory;
    plan.total_duration = evaluation.duration;
    plan.memory = evaluation.memory;
    plan.intervals = evaluation.intervals;
    plan.n_intervals = evaluation.n_intervals;
    MUST(moc_verify(graph, &plan, NULL, NULL, &error));
    plan.peak_memory++;
    REQUIRE(moc_verify(graph, &plan, NULL, NULL, &error) == MOC_INVALID_PLAN, "a wrong peak passed");
    moc_evaluation_release(&evaluation);
  } else {
    REQUIRE(status == MOC_INVALID_PLAN, error.message);
    REQUIRE(moc_verify(graph, &plan, NULL, NULL, &error) == MOC_INVALID_PLAN, "what cannot be run passed");
  }
  moc_graph_destroy(graph);
  return 0;
}
