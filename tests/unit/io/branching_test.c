/* Branching certificates as JSON: round trips, and what is refused and where. */
#include "base/base.h"
#include "support/allocator.h"
#include "support/graphs.h"
#include "support/plans.h"
#include "support/test.h"

#include <moccasin/moccasin_io.h>

#include <stdio.h>
#include <stdlib.h>

enum { MOST = 12 };

typedef struct arrays {
  moc_bound_weight weights[MOST];
  moc_bound_share shares[MOST];
  int64_t parts[MOST];
  moc_bound_branch branches[MOST];
} arrays;

static moc_op random_op(moc__rng *rng, const moc_graph *graph) {
  return (moc_op)moc__rng_below(rng, (uint32_t)moc_graph_operations(graph));
}

/* Of the right form; what it proves is nobody's business here. */
static moc_certificate random_certificate(moc__rng *rng, const moc_graph *graph, arrays *a) {
  moc_certificate c = {.bound = 1 + moc__rng_below(rng, 1000),
                       .kind = MOC_CERTIFICATE_BRANCHING,
                       .max_computes = 2 * (int32_t)moc__rng_below(rng, 2),
                       .shift = (int32_t)moc__rng_below(rng, 61),
                       .n_weights = moc__rng_below(rng, MOST),
                       .weights = a->weights,
                       .shares = a->shares,
                       .n_parts = 1 + moc__rng_below(rng, MOST - 1),
                       .parts = a->parts,
                       .n_branches = moc__rng_below(rng, MOST),
                       .branches = a->branches};
  for (int64_t i = 0; i < c.n_weights; i++) {
    a->weights[i] = (moc_bound_weight){random_op(rng, graph), random_op(rng, graph), moc__rng_below(rng, 99)};
    while (c.n_shares < MOST && moc__rng_below(rng, 2) == 0) {
      moc_tensor t = (moc_tensor)moc__rng_below(rng, (uint32_t)moc_graph_tensors(graph) + 1) - 1;
      a->shares[c.n_shares++] = (moc_bound_share){i, t, random_op(rng, graph), random_op(rng, graph),
                                                  (int32_t)moc__rng_below(rng, 1 << 20)};
    }
  }
  a->parts[0] = 0;
  for (int64_t i = 1; i < c.n_parts; i++)
    a->parts[i] = moc__max(a->parts[i - 1], moc__rng_below(rng, (uint32_t)c.n_weights + 1));
  for (int64_t i = 0; i < c.n_branches; i++) {
    a->branches[i] = (moc_bound_branch){random_op(rng, graph), random_op(rng, graph), random_op(rng, graph), 0};
    if (moc__rng_below(rng, 2) == 0)
      a->branches[i] = (moc_bound_branch){MOC_NONE, MOC_NONE, MOC_NONE, moc__rng_below(rng, 99)};
  }
  return c;
}

static void check_same(const moc_certificate *a, const moc_certificate *b) {
  assert_int_equal(a->kind, b->kind);
  assert_int_equal(a->bound, b->bound);
  assert_int_equal(a->shift, b->shift);
  assert_int_equal(a->max_computes, b->max_computes);
  assert_int_equal(a->n_weights, b->n_weights);
  assert_int_equal(a->n_shares, b->n_shares);
  assert_int_equal(a->n_parts, b->n_parts);
  assert_int_equal(a->n_branches, b->n_branches);
  for (int64_t i = 0; i < a->n_weights; i++) {
    assert_int_equal(a->weights[i].op, b->weights[i].op);
    assert_int_equal(a->weights[i].stage, b->weights[i].stage);
    assert_int_equal(a->weights[i].weight, b->weights[i].weight);
  }
  for (int64_t i = 0; i < a->n_shares; i++) {
    assert_int_equal(a->shares[i].weight, b->shares[i].weight);
    assert_int_equal(a->shares[i].tensor, b->shares[i].tensor);
    assert_int_equal(a->shares[i].reader, b->shares[i].reader);
    assert_int_equal(a->shares[i].last, b->shares[i].last);
    assert_int_equal(a->shares[i].share, b->shares[i].share);
  }
  for (int64_t i = 0; i < a->n_parts; i++) assert_int_equal(a->parts[i], b->parts[i]);
  for (int64_t i = 0; i < a->n_branches; i++) {
    assert_int_equal(a->branches[i].op, b->branches[i].op);
    assert_int_equal(a->branches[i].first, b->branches[i].first);
    assert_int_equal(a->branches[i].last, b->branches[i].last);
    assert_int_equal(a->branches[i].part, b->branches[i].part);
  }
}

static void random_certificates_round_trip(void **state) {
  (void)state;
  moc__rng rng;
  moc__rng_init(&rng, 12, 0);
  int64_t times = test_scaled(2000);
  for (int64_t i = 0; i < times; i++) {
    test_shape shape = {.n_ops = 1 + (int32_t)moc__rng_below(&rng, 9),
                        .full_model = i % 2 == 0,
                        .edge_percent = 30,
                        .most_size = 9,
                        .most_duration = 9};
    moc_graph *graph = test_random_graph(&rng, &shape, NULL);
    moc_error error;
    moc_plan *copy = NULL;
    arrays a;
    test_allocator allocator;
    test_allocator_init(&allocator);
    char *text = NULL;
    size_t size = 0;
    /* A plan that is read has steps. */
    moc_op_list order = moc_graph_input_order(graph);
    moc_evaluation evaluation;
    CHECK_OK(moc_evaluate(graph, order.items, order.count, NULL, &evaluation, &error), error);
    moc_op sequence[32];
    for (int64_t k = 0; k < order.count; k++) sequence[k] = order.items[k];
    moc_plan plan = test_plan_of(graph, sequence, &evaluation);
    plan.certificate = random_certificate(&rng, graph, &a);
    CHECK_OK(moc_plan_write_json(graph, &plan, true, &allocator.allocator, &text, &size, &error), error);
    CHECK_OK(moc_plan_read_json(graph, text, size, &allocator.allocator, &copy, &error), error);
    check_same(&plan.certificate, &copy->certificate);
    moc_plan_destroy(copy);
    allocator.allocator.release(allocator.allocator.context, text);
    test_allocator_check_empty(&allocator);
    moc_evaluation_release(&evaluation);
    moc_graph_destroy(graph);
  }
}

typedef struct refusal {
  const char *parts, *branches;
  const char *place;   /* within the certificate */
  const char *message; /* a part of it */
} refusal;

static void refused(void **state) {
  (void)state;
  const refusal refusals[] = {
      {"0", "[0]", "parts", "must be an array"},
      {"[]", "{}", "branches", "must be an array"},
      {"[0]", "[0]", "parts[0]", "must be an array"},
      {"[[0]]", "[0]", "parts[0][0]", "stage, place, weight and shares"},
      {"[[[1, 0, 5]]]", "[0]", "parts[0][0]", "stage, place, weight and shares"},
      {"[[[1, 0, 5, 0]]]", "[0]", "parts[0][0]", "stage, place, weight and shares"},
      {"[[[5, 0, 5, []]]]", "[0]", "parts[0][0][0]", "the stage is 5; expected less than 5"},
      {"[[[4, -1, 5, []]]]", "[0]", "parts[0][0][1]", "found -1"},
      {"[[[4, 0, 0.5, []]]]", "[0]", "parts[0][0][2]", "0.5"},
      {"[[[4, 0, 5, [0]]]]", "[0]", "parts[0][0][3][0]", "producer, output, reader, last stage and share"},
      {"[[[4, 0, 5, [[0, 0, 1, 2]]]]]", "[0]", "parts[0][0][3][0]", "producer, output, reader"},
      {"[[[4, 0, 5, [[5, 0, 1, 2, 3]]]]]", "[0]", "parts[0][0][3][0][0]", "the producer is 5"},
      {"[[[4, 0, 5, [[0, 1, 1, 2, 3]]]]]", "[0]", "parts[0][0][3][0][1]", "the output is 1; expected less than 1"},
      {"[[[4, 0, 5, [[null, 0, 1, 2, 3]]]]]", "[0]", "parts[0][0][3][0][1]",
       "the output is 0; expected less than 0"},
      {"[[[4, 0, 5, [[0, 0, 9, 2, 3]]]]]", "[0]", "parts[0][0][3][0][2]", "the reader is 9"},
      {"[[[4, 0, 5, [[0, 0, 1, 9, 3]]]]]", "[0]", "parts[0][0][3][0][3]", "the last stage is 9"},
      {"[[[4, 0, 5, [[0, 0, 1, 2, 4294967296]]]]]", "[0]", "parts[0][0][3][0][4]", "the share is 4294967296"},
      {"[[[4, 0, 5, [[0, null, 1, 2, 3]]]]]", "[0]", "parts[0][0][3][0]", "its place twice"},
      {"[[]]", "[null]", "branches[0]", "a branch, an array of place, first stage and last stage"},
      {"[[]]", "[[0, 1]]", "branches[0]", "a branch, an array"},
      {"[[]]", "[[0, 1, 5]]", "branches[0][2]", "the last stage is 5"},
      {"[[]]", "[[\"a\", 1, 2]]", "branches[0][0]", "the string \"a\""},
      {"[[]]", "[-1]", "branches[0]", "found -1"},
  };
  moc_graph *graph = test_worked_example(NULL);
  for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
    const refusal *r = &refusals[i];
    char text[600], place[120];
    snprintf(
        text, sizeof text,
        "{\"format\":\"moccasin-plan\",\"version\":1,\"sequence\":[\"a\",\"b\",\"c\",\"d\",\"e\"],\"certificate\":"
        "{\"kind\":\"branching\",\"bound\":9,\"shift\":3,\"max_computes\":2,\"parts\":%s,\"branches\":%s}}",
        r->parts, r->branches);
    snprintf(place, sizeof place, "certificate.%s", r->place);
    test_allocator allocator;
    test_allocator_init(&allocator);
    moc_plan *plan = NULL;
    moc_error error = {0};
    moc_status status = moc_plan_read_json(graph, text, strlen(text), &allocator.allocator, &plan, &error);
    if (status != MOC_INVALID_PLAN || strcmp(error.place, place) != 0 || strstr(error.message, r->message) == NULL)
      fail_msg("%s\n  expected '%s': ...%s...\n  got      '%s': %s", text, place, r->message, error.place,
               error.message);
    assert_null(plan);
    test_allocator_check_empty(&allocator);
  }
  moc_graph_destroy(graph);
}

static void check_unwritten(const moc_graph *graph, const moc_plan *plan, const char *part) {
  moc_error error;
  char *text = NULL;
  size_t size = 0;
  CHECK_FAILS(moc_plan_write_json(graph, plan, true, NULL, &text, &size, &error), MOC_INVALID_ARGUMENT, error);
  CHECK_CONTAINS(error.message, part);
}

static void writer_contract(void **state) {
  (void)state;
  moc_graph *graph = test_worked_example(NULL);
  moc_bound_weight weight = {0, 0, 1};
  moc_bound_share share = {1, 0, 1, 1, 1};
  moc_bound_branch branch = {MOC_NONE, MOC_NONE, MOC_NONE, 0};
  int64_t part = 0;
  moc_plan plan = {.status = MOC_PLAN_UNKNOWN};
  plan.certificate = (moc_certificate){.bound = 1,
                                       .kind = MOC_CERTIFICATE_BRANCHING,
                                       .n_weights = 1,
                                       .weights = &weight,
                                       .n_parts = 1,
                                       .parts = &part,
                                       .n_branches = 1,
                                       .branches = &branch};
  part = 1;
  check_unwritten(graph, &plan, "divide its weights");
  part = 0;
  branch.op = 0;
  branch.first = 9;
  check_unwritten(graph, &plan, "name what is none");
  branch.op = MOC_NONE;
  plan.certificate.n_parts = 0;
  check_unwritten(graph, &plan, "divide its weights");
  plan.certificate.n_parts = 1;
  plan.certificate.n_shares = 1;
  plan.certificate.shares = &share;
  check_unwritten(graph, &plan, "not in the order of its weights");
  moc_graph_destroy(graph);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_certificates_round_trip),
      cmocka_unit_test(refused),
      cmocka_unit_test(writer_contract),
  };
  return cmocka_run_group_tests_name("branching", tests, NULL, NULL);
}
