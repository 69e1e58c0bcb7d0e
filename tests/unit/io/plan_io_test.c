/* Plans as JSON: round trips, what is filled in, what is refused and where. */
#include "support/allocator.h"
#include "support/graphs.h"
#include "support/plans.h"
#include "support/test.h"

#include <moccasin/moccasin_io.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static moc_graph *read_graph(const char *path) {
  moc_error error = {0};
  char *text = NULL;
  size_t length = 0;
  moc_graph *graph = NULL;
  CHECK_OK(moc_read_file(path, NULL, &text, &length, &error), error);
  CHECK_OK(moc_graph_read_json(text, length, NULL, &graph, NULL, &error), error);
  free(text);
  return graph;
}

static void check_same(const moc_plan *a, const moc_plan *b) {
  assert_int_equal(a->status, b->status);
  assert_int_equal(a->budget, b->budget);
  assert_int_equal(a->peak_memory, b->peak_memory);
  assert_int_equal(a->baseline_peak_memory, b->baseline_peak_memory);
  assert_int_equal(a->total_duration, b->total_duration);
  assert_int_equal(a->baseline_duration, b->baseline_duration);
  assert_int_equal(a->lower_bound, b->lower_bound);
  assert_int_equal(a->bound_scope, b->bound_scope);
  assert_int_equal(a->max_computes, b->max_computes);
  assert_int_equal(a->order, b->order);
  assert_true(a->seed == b->seed);
  assert_int_equal(a->threads, b->threads);
  assert_int_equal(a->moves, b->moves);
  assert_true(fabs(a->solve_seconds - b->solve_seconds) < 1e-6);
  assert_int_equal(a->reproducible, b->reproducible);
  assert_int_equal(a->length, b->length);
  assert_int_equal(a->n_intervals, b->n_intervals);
  assert_int_equal(a->n_trace, b->n_trace);
  for (int64_t i = 0; i < a->length; i++) {
    assert_int_equal(a->sequence[i], b->sequence[i]);
    assert_int_equal(a->memory[i], b->memory[i]);
  }
  for (int64_t i = 0; i < a->n_intervals; i++) {
    assert_int_equal(a->intervals[i].tensor, b->intervals[i].tensor);
    assert_int_equal(a->intervals[i].start, b->intervals[i].start);
    assert_int_equal(a->intervals[i].end, b->intervals[i].end);
  }
  for (int64_t i = 0; i < a->n_trace; i++) {
    assert_true(fabs(a->trace[i].seconds - b->trace[i].seconds) < 1e-6);
    assert_int_equal(a->trace[i].total_duration, b->trace[i].total_duration);
    assert_int_equal(a->trace[i].lower_bound, b->trace[i].lower_bound);
  }
}

/* Random plans of random graphs of the full model: written, read back equal, accepted by moc_verify. */
static void random_plans_round_trip(void **state) {
  (void)state;
  moc__rng rng;
  moc__rng_init(&rng, 11, 0);
  int64_t times = test_scaled(300);
  for (int64_t i = 0; i < times; i++) {
    test_shape shape = {.n_ops = 1 + (int32_t)moc__rng_below(&rng, 12),
                        .full_model = moc__rng_below(&rng, 4) != 0,
                        .edge_percent = moc__rng_below(&rng, 60),
                        .most_size = 100,
                        .most_duration = 100};
    moc_graph *graph = test_random_graph(&rng, &shape, NULL);
    moc_op sequence[32];
    int64_t length = test_random_sequence(&rng, graph, moc__rng_below(&rng, 10), sequence);
    moc_evaluation evaluation;
    moc_error error = {0};
    CHECK_OK(moc_evaluate(graph, sequence, length, NULL, &evaluation, &error), error);
    moc_plan plan = test_plan_of(graph, sequence, &evaluation);
    moc_trace_point trace[2] = {{0.5, plan.total_duration + 5, 0}, {12.000001, plan.total_duration, 0}};
    plan.trace = trace;
    plan.n_trace = 2;
    plan.seed = moc__rng_next(&rng);
    plan.solve_seconds = moc__rng_unit(&rng) * 100;
    plan.moves = 123456789012;
    plan.threads = 3;
    (void)test_verify(graph, &plan);

    test_allocator allocator;
    test_allocator_init(&allocator);
    char *text = NULL;
    size_t size = 0;
    moc_plan *copy = NULL;
    CHECK_OK(moc_plan_write_json(graph, &plan, true, &allocator.allocator, &text, &size, &error), error);
    assert_int_equal(strlen(text), size);
    CHECK_OK(moc_plan_read_json(graph, text, size, &allocator.allocator, &copy, &error), error);
    check_same(&plan, copy);
    (void)test_verify(graph, copy);
    moc_plan_destroy(copy);
    allocator.allocator.release(allocator.allocator.context, text);
    test_allocator_check_empty(&allocator);
    moc_evaluation_release(&evaluation);
    moc_graph_destroy(graph);
  }
}

/* The worked example of docs/memory.md as a plan, character for character. */
static void plan_text(void **state) {
  (void)state;
  moc_graph *graph = read_graph("tests/data/node-link.json");
  const moc_op sequence[] = {0, 1, 2, 0, 3, 4};
  moc_evaluation evaluation;
  moc_error error = {0};
  CHECK_OK(moc_evaluate(graph, sequence, 6, NULL, &evaluation, &error), error);
  moc_plan plan = test_plan_of(graph, sequence, &evaluation);
  moc_trace_point trace = {1.25, 9, 8};
  plan.status = MOC_PLAN_OPTIMAL;
  plan.budget = 10;
  plan.baseline_peak_memory = 11;
  plan.baseline_duration = 8;
  plan.lower_bound = 9;
  plan.bound_scope = MOC_SCOPE_ORDER;
  plan.max_computes = 2;
  plan.order = MOC_ORDER_INPUT;
  plan.seed = 4;
  plan.threads = 1;
  plan.moves = 17;
  plan.reproducible = true;
  plan.solve_seconds = 1.5;
  plan.trace = &trace;
  plan.n_trace = 1;
  (void)test_verify(graph, &plan);
  static const char HEAD[] = "{\n"
                             "  \"format\": \"moccasin-plan\",\n"
                             "  \"version\": 1,\n"
                             "  \"graph\": \"five\",\n"
                             "  \"nodes\": 5,\n"
                             "  \"status\": \"optimal\",\n"
                             "  \"budget\": 10,\n"
                             "  \"peak_memory\": 9,\n"
                             "  \"baseline_peak_memory\": 11,\n"
                             "  \"total_duration\": 9,\n"
                             "  \"baseline_duration\": 8,\n"
                             "  \"lower_bound\": 9,\n"
                             "  \"bound_scope\": \"order\",\n"
                             "  \"max_computes\": 2,\n"
                             "  \"order\": \"input\",\n"
                             "  \"seed\": 4,\n"
                             "  \"threads\": 1,\n";
  static const char TAIL[] = "  \"moves\": 17,\n"
                             "  \"reproducible\": true,\n"
                             "  \"sequence\": [0, 1, 2, 0, 3, 4],\n"
                             "  \"rematerialized\": [{\"node\": 0, \"step\": 3}],\n"
                             "  \"intervals\": [{\"node\": 0, \"start\": 0, \"end\": 1}, "
                             "{\"node\": 1, \"start\": 1, \"end\": 2}, {\"node\": 2, \"start\": 2, \"end\": 4}, "
                             "{\"node\": 0, \"start\": 3, \"end\": 5}, {\"node\": 3, \"start\": 4, \"end\": 5}, "
                             "{\"node\": 4, \"start\": 5, \"end\": 5}],\n"
                             "  \"memory\": [5, 8, 6, 8, 9, 7],\n";
  char expected[2000], *text = NULL;
  size_t length = 0;
  for (int times = 0; times < 2; times++) {
    snprintf(expected, sizeof expected,
             "%s  \"solve_seconds\": %s,\n%s  \"trace\": [{\"seconds\": %s, \"total_duration\": 9, "
             "\"lower_bound\": 8}]\n}\n",
             HEAD, times == 1 ? "1.500000" : "0", TAIL, times == 1 ? "1.250000" : "0");
    CHECK_OK(moc_plan_write_json(graph, &plan, times == 1, NULL, &text, &length, &error), error);
    assert_string_equal(text, expected);
    free(text);
  }
  plan.reproducible = false; /* then times say something, always */
  CHECK_OK(moc_plan_write_json(graph, &plan, false, NULL, &text, &length, &error), error);
  CHECK_CONTAINS(text, "\"solve_seconds\": 1.500000");
  free(text);
  moc_evaluation_release(&evaluation);
  moc_graph_destroy(graph);
}

static void documented_plan(void **state) {
  (void)state;
  moc_graph *graph = read_graph("tests/data/example.json");
  moc_error error = {0};
  char *text = NULL, *again = NULL;
  size_t length = 0;
  moc_plan *plan = NULL;
  CHECK_OK(moc_read_file("tests/data/example-plan.json", NULL, &text, &length, &error), error);
  CHECK_OK(moc_plan_read_json(graph, text, length, NULL, &plan, &error), error);
  (void)test_verify(graph, plan);
  CHECK_OK(moc_plan_write_json(graph, plan, false, NULL, &again, &length, &error), error);
  assert_string_equal(again, text);
  free(text);
  free(again);
  moc_plan_destroy(plan);
  moc_graph_destroy(graph);
}

static void no_plan_round_trips(void **state) {
  (void)state;
  moc_graph *graph = read_graph("tests/data/node-link.json");
  moc_error error = {0};
  moc_plan plan = {.status = MOC_PLAN_INFEASIBLE,
                   .budget = 3,
                   .baseline_peak_memory = 11,
                   .baseline_duration = 8,
                   .lower_bound = 8,
                   .bound_scope = MOC_SCOPE_ANY,
                   .max_computes = 2,
                   .threads = 1};
  char *text = NULL;
  size_t length = 0;
  moc_plan *copy = NULL;
  CHECK_OK(moc_plan_write_json(graph, &plan, true, NULL, &text, &length, &error), error);
  CHECK_CONTAINS(text, "\"peak_memory\": null");
  CHECK_CONTAINS(text, "\"total_duration\": null");
  CHECK_CONTAINS(text, "\"sequence\": []");
  CHECK_CONTAINS(text, "\"memory\": []");
  CHECK_OK(moc_plan_read_json(graph, text, length, NULL, &copy, &error), error);
  check_same(&plan, copy);
  assert_null(copy->sequence);
  assert_null(copy->memory);
  assert_null(copy->intervals);
  free(text);
  moc_plan_destroy(copy);
  moc_graph_destroy(graph);
}

#define HEAD(rest) "{\"format\":\"moccasin-plan\",\"version\":1," rest "}"
#define SEQ        "\"sequence\":[0,1,2,0,3,4]"

static moc_plan *read_plan(const moc_graph *graph, const char *text) {
  moc_error error = {0};
  moc_plan *plan = NULL;
  CHECK_OK(moc_plan_read_json(graph, text, strlen(text), NULL, &plan, &error), error);
  return plan;
}

/* Only format, version and sequence are needed; an evaluation gives the rest. */
static void filled_in(void **state) {
  (void)state;
  moc_graph *graph = read_graph("tests/data/node-link.json");
  moc_plan *plan = read_plan(graph, HEAD("\"sequence\":[0,1,2,0,3,4],\"unknown\":{\"a\":[]}"));
  assert_int_equal(plan->status, MOC_PLAN_FEASIBLE);
  assert_int_equal(plan->peak_memory, 9);
  assert_int_equal(plan->budget, 9);
  assert_int_equal(plan->total_duration, 9);
  assert_int_equal(plan->baseline_peak_memory, 11);
  assert_int_equal(plan->baseline_duration, 8);
  assert_int_equal(plan->lower_bound, 8);
  assert_int_equal(plan->bound_scope, MOC_SCOPE_ANY);
  assert_int_equal(plan->max_computes, 2);
  assert_int_equal(plan->order, MOC_ORDER_INPUT);
  assert_int_equal(plan->n_intervals, 6);
  assert_int_equal(plan->memory[4], 9);
  assert_int_equal(plan->n_trace, 0);
  (void)test_verify(graph, plan);
  moc_plan_destroy(plan);
  plan = read_plan(graph, HEAD(SEQ ",\"peak_memory\":7,\"seed\":\"18446744073709551615\",\"budget\":12"));
  assert_int_equal(plan->peak_memory, 7); /* untrue, and not for the reader to judge */
  assert_int_equal(plan->budget, 12);
  assert_true(plan->seed == UINT64_MAX);
  moc_error error;
  CHECK_FAILS(moc_verify(graph, plan, NULL, NULL, &error), MOC_INVALID_PLAN, error);
  moc_plan_destroy(plan);
  moc_graph_destroy(graph);
}

static void order_is_told(void **state) {
  (void)state;
  const int64_t ones[] = {1, 1};
  moc_graph *graph = test_plain_graph(2, ones, ones, NULL, 0, NULL);
  moc_plan *plan = read_plan(graph, HEAD("\"sequence\":[\"b\",\"a\"]"));
  assert_int_equal(plan->order, MOC_ORDER_AUTO);
  assert_int_equal(plan->max_computes, 1);
  moc_plan_destroy(plan);
  moc_graph_destroy(graph);
}

typedef struct refusal {
  const char *text;
  moc_status status;
  const char *place;
  const char *message; /* a part of it */
} refusal;

static void check(const char *path, const refusal *refusals, size_t count) {
  moc_graph *graph = read_graph(path);
  for (size_t i = 0; i < count; i++) {
    const refusal *r = &refusals[i];
    test_allocator allocator;
    test_allocator_init(&allocator);
    moc_plan *plan = NULL;
    moc_error error;
    memset(&error, 0, sizeof error);
    moc_status status = moc_plan_read_json(graph, r->text, strlen(r->text), &allocator.allocator, &plan, &error);
    if (status != r->status || error.status != status || strcmp(error.place, r->place) != 0 ||
        strstr(error.message, r->message) == NULL) {
      fail_msg("%s\n  expected '%s' at '%s': ...%s...\n  got      '%s' at '%s': %s", r->text,
               moc_status_text(r->status), r->place, r->message, moc_status_text(status), error.place,
               error.message);
    }
    assert_null(plan);
    test_allocator_check_empty(&allocator);
  }
  moc_graph_destroy(graph);
}

static void refused(void **state) {
  (void)state;
  const refusal refusals[] = {
      {"", MOC_PARSE, "", "the text is empty; expected a plan"},
      {"{", MOC_PARSE, "", "ends too soon"},
      {"[]", MOC_PARSE, "", "is an array; expected a plan"},
      {"{}", MOC_PARSE, "format", "found nothing; expected \"moccasin-plan\""},
      {"{\"nodes\":[],\"links\":[]}", MOC_PARSE, "format", "is this the graph?"},
      {"{\"format\":\"moccasin-plan\"}", MOC_PARSE, "version", "found nothing"},
      {"{\"format\":\"moccasin-plan\",\"version\":2}", MOC_PARSE, "version", "this program reads version 1"},
      {HEAD("\"nodes\":5"), MOC_PARSE, "sequence", "found nothing; sequence must be an array"},
      {HEAD("\"nodes\":6," SEQ), MOC_INVALID_PLAN, "nodes", "a graph of 6 nodes; this graph has 5"},
      {HEAD("\"nodes\":null," SEQ), MOC_INVALID_PLAN, "nodes", "found null"},
      {HEAD("\"sequence\":{}"), MOC_PARSE, "sequence", "found an object"},
      {HEAD("\"sequence\":[]"), MOC_INVALID_PLAN, "sequence", "is empty; expected every node"},
      {HEAD("\"sequence\":[],\"status\":\"optimal\""), MOC_INVALID_PLAN, "sequence", "is empty"},
      {HEAD(SEQ ",\"status\":\"unknown\""), MOC_INVALID_PLAN, "sequence", "the status says that there is none"},
      {HEAD("\"sequence\":[0,1,99]"), MOC_INVALID_PLAN, "sequence[2]", "unknown node 99"},
      {HEAD("\"sequence\":[0,\"1\"]"), MOC_INVALID_PLAN, "sequence[1]", "unknown node \"1\"; the graph has it"},
      {HEAD("\"sequence\":[0,1.5]"), MOC_INVALID_PLAN, "sequence[1]", "fractional"},
      {HEAD("\"sequence\":[0,null]"), MOC_INVALID_PLAN, "sequence[1]", "found null"},
      {HEAD("\"sequence\":[0,2]"), MOC_INVALID_PLAN, "sequence[1]", "reads"},
      {HEAD("\"sequence\":[0,1]"), MOC_INVALID_PLAN, "sequence", "never computed"},
      {HEAD(SEQ ",\"status\":\"fine\""), MOC_INVALID_PLAN, "status",
       "one of unknown, feasible, optimal, infeasible"},
      {HEAD(SEQ ",\"status\":0"), MOC_INVALID_PLAN, "status", "found 0"},
      {HEAD(SEQ ",\"bound_scope\":\"all\""), MOC_INVALID_PLAN, "bound_scope", "one of order, any"},
      {HEAD(SEQ ",\"order\":\"given\""), MOC_INVALID_PLAN, "order", "one of input, auto"},
      {HEAD(SEQ ",\"budget\":-1"), MOC_INVALID_PLAN, "budget", "found -1"},
      {HEAD(SEQ ",\"budget\":null"), MOC_INVALID_PLAN, "budget", "found null"},
      {HEAD(SEQ ",\"budget\":9223372036854775807"), MOC_OVERFLOW, "budget", "at most 2^62"},
      {HEAD(SEQ ",\"budget\":9223372036854775808"), MOC_OVERFLOW, "", "too big integer"},
      {HEAD(SEQ ",\"peak_memory\":null"), MOC_INVALID_PLAN, "peak_memory", "found null"},
      {HEAD(SEQ ",\"total_duration\":1.0"), MOC_INVALID_PLAN, "total_duration", "must be an integer"},
      {HEAD(SEQ ",\"lower_bound\":\"8\""), MOC_INVALID_PLAN, "lower_bound", "the string \"8\""},
      {HEAD(SEQ ",\"max_computes\":2147483648"), MOC_INVALID_PLAN, "max_computes", "at most 2147483647"},
      {HEAD(SEQ ",\"seed\":-1"), MOC_INVALID_PLAN, "seed", "found -1"},
      {HEAD(SEQ ",\"seed\":\"18446744073709551616\""), MOC_INVALID_PLAN, "seed", "2^64"},
      {HEAD(SEQ ",\"seed\":\"\""), MOC_INVALID_PLAN, "seed", "2^64"},
      {HEAD(SEQ ",\"seed\":\"1e3\""), MOC_INVALID_PLAN, "seed", "2^64"},
      {HEAD(SEQ ",\"solve_seconds\":-0.5"), MOC_INVALID_PLAN, "solve_seconds", "0 or more"},
      {HEAD(SEQ ",\"solve_seconds\":\"1\""), MOC_INVALID_PLAN, "solve_seconds", "must be a number"},
      {HEAD(SEQ ",\"reproducible\":1"), MOC_INVALID_PLAN, "reproducible", "true or false"},
      {HEAD(SEQ ",\"memory\":[1,2]"), MOC_INVALID_PLAN, "memory", "found 2 entries; expected 6"},
      {HEAD(SEQ ",\"memory\":[1,2,3,4,5,-6]"), MOC_INVALID_PLAN, "memory[5]", "found -6"},
      {HEAD(SEQ ",\"memory\":5"), MOC_INVALID_PLAN, "memory", "must be an array"},
      {HEAD(SEQ ",\"intervals\":[1]"), MOC_INVALID_PLAN, "intervals[0]", "must be an object"},
      {HEAD(SEQ ",\"intervals\":[{}]"), MOC_INVALID_PLAN, "intervals[0]", "neither \"node\" nor \"tensor\""},
      {HEAD(SEQ ",\"intervals\":[{\"node\":7}]"), MOC_INVALID_PLAN, "intervals[0].node", "unknown node 7"},
      {HEAD(SEQ ",\"intervals\":[{\"node\":0}]"), MOC_INVALID_PLAN, "intervals[0].start", "found nothing"},
      {HEAD(SEQ ",\"intervals\":[{\"node\":0,\"start\":0,\"end\":0.5}]"), MOC_INVALID_PLAN, "intervals[0].end",
       "0.5"},
      {HEAD(SEQ ",\"intervals\":[{\"tensor\":9,\"start\":0,\"end\":0}]"), MOC_INVALID_PLAN, "intervals[0].tensor",
       "unknown tensor 9"},
      {HEAD(SEQ ",\"intervals\":[{\"tensor\":1,\"node\":0,\"start\":0,\"end\":0}]"), MOC_INVALID_PLAN,
       "intervals[0].tensor", "not an output of node 0"},
      {HEAD(SEQ ",\"trace\":[[]]"), MOC_INVALID_PLAN, "trace[0]", "must be an object"},
      {HEAD(SEQ ",\"trace\":[{\"seconds\":true}]"), MOC_INVALID_PLAN, "trace[0].seconds", "found true"},
      {HEAD(SEQ ",\"trace\":[{\"seconds\":1}]"), MOC_INVALID_PLAN, "trace[0].total_duration", "found nothing"},
      {HEAD(SEQ ",\"rematerialized\":0"), MOC_INVALID_PLAN, "rematerialized", "must be an array"},
      {HEAD(SEQ ",\"rematerialized\":[]"), MOC_INVALID_PLAN, "rematerialized",
       "found 0 entries; the sequence has 1"},
      {HEAD(SEQ ",\"rematerialized\":[{\"node\":1,\"step\":3}]"), MOC_INVALID_PLAN, "rematerialized[0]",
       "node \"0\" at step 3"},
      {HEAD(SEQ ",\"rematerialized\":[{\"node\":0,\"step\":2}]"), MOC_INVALID_PLAN, "rematerialized[0]",
       "at step 3"},
      {HEAD(SEQ ",\"rematerialized\":[{\"node\":0,\"step\":3},{}]"), MOC_INVALID_PLAN, "rematerialized", "found 2"},
      {HEAD(SEQ ",\"rematerialized\":[{\"step\":3}]"), MOC_INVALID_PLAN, "rematerialized[0].node", "found nothing"},
  };
  check("tests/data/node-link.json", refusals, sizeof refusals / sizeof *refusals);
}

static void refused_in_full_model(void **state) {
  (void)state;
#define FULL "\"sequence\":[\"shuffle\",\"conv1\",\"flatten\",\"head\",\"loss\",\"conv1.grad\",5]"
  const refusal refusals[] = {
      {HEAD(FULL ",\"intervals\":[{\"node\":\"conv1\",\"start\":0,\"end\":0}]"), MOC_INVALID_PLAN, "intervals[0]",
       "node \"conv1\" has 2 outputs; expected \"tensor\""},
      {HEAD(FULL ",\"intervals\":[{\"node\":5,\"start\":0,\"end\":0}]"), MOC_INVALID_PLAN, "intervals[0]",
       "node 5 has 0 outputs"},
      {HEAD(FULL ",\"intervals\":[{\"tensor\":\"x\",\"start\":0}]"), MOC_INVALID_PLAN, "intervals[0].end",
       "found nothing"},
      {HEAD("\"sequence\":[\"shuffle\",\"conv1\",\"flatten\",\"head\",\"loss\",\"conv1.grad\",5,5]"),
       MOC_INVALID_PLAN, "sequence[7]", "recomputable"},
  };
  check("tests/data/example.json", refusals, sizeof refusals / sizeof *refusals);
}

static void writer_contract(void **state) {
  (void)state;
  moc_graph *graph = read_graph("tests/data/node-link.json");
  moc_op sequence[] = {0, 9};
  moc_interval interval = {-1, 0, 0};
  moc_plan plan = {.status = MOC_PLAN_FEASIBLE, .sequence = sequence, .length = 2};
  moc_error error;
  char *text = NULL;
  size_t length = 0;
  CHECK_FAILS(moc_plan_write_json(graph, &plan, true, NULL, &text, &length, &error), MOC_INVALID_ARGUMENT, error);
  CHECK_CONTAINS(error.message, "step 1 of the plan is 9");
  plan.length = 1;
  plan.intervals = &interval;
  plan.n_intervals = 1;
  CHECK_FAILS(moc_plan_write_json(graph, &plan, true, NULL, &text, &length, &error), MOC_INVALID_ARGUMENT, error);
  CHECK_CONTAINS(error.message, "interval 0");
  plan.status = (moc_plan_status)9;
  CHECK_FAILS(moc_plan_write_json(graph, &plan, true, NULL, &text, &length, &error), MOC_INVALID_ARGUMENT, error);
  plan = (moc_plan){.length = 1};
  CHECK_FAILS(moc_plan_write_json(graph, &plan, true, NULL, &text, &length, &error), MOC_INVALID_ARGUMENT, error);
  CHECK_FAILS(moc_plan_write_json(graph, NULL, true, NULL, &text, &length, &error), MOC_INVALID_ARGUMENT, error);
  CHECK_FAILS(moc_plan_read_json(graph, "{}", 2, NULL, NULL, &error), MOC_INVALID_ARGUMENT, error);
  moc_graph_destroy(graph);
}

static void words(void **state) {
  (void)state;
  static const char *const STATUSES[] = {"unknown", "feasible", "optimal", "infeasible"};
  for (int i = 0; i < 4; i++) assert_string_equal(moc_plan_status_word((moc_plan_status)i), STATUSES[i]);
  assert_null(moc_plan_status_word((moc_plan_status)4));
  assert_string_equal(moc_bound_scope_word(MOC_SCOPE_ORDER), "order");
  assert_string_equal(moc_bound_scope_word(MOC_SCOPE_ANY), "any");
  assert_null(moc_bound_scope_word((moc_bound_scope)2));
  assert_string_equal(moc_order_word(MOC_ORDER_INPUT), "input");
  assert_string_equal(moc_order_word(MOC_ORDER_AUTO), "auto");
  assert_null(moc_order_word((moc_order)2));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_plans_round_trip),
      cmocka_unit_test(plan_text),
      cmocka_unit_test(documented_plan),
      cmocka_unit_test(no_plan_round_trips),
      cmocka_unit_test(filled_in),
      cmocka_unit_test(order_is_told),
      cmocka_unit_test(refused),
      cmocka_unit_test(refused_in_full_model),
      cmocka_unit_test(writer_contract),
      cmocka_unit_test(words),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
