/* Input orders: as added, given, and generation by generation. */
#include "support/graphs.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>

/* A builder with `n` one-output operations and the edges in the order given. */
static moc_builder *builder_with(int32_t n, const int32_t (*edges)[2], int32_t n_edges) {
  moc_error error;
  moc_builder *builder = moc_builder_create(NULL);
  assert_non_null(builder);
  for (moc_op i = 0; i < n; i++) {
    char name[16];
    (void)snprintf(name, sizeof name, "%d", (int)i);
    moc_operation operation = {.name = name};
    moc_tensor_spec tensor = {.producer = i, .base = MOC_NONE};
    CHECK_OK(moc_builder_add_operation(builder, &operation, NULL, &error), error);
    CHECK_OK(moc_builder_add_tensor(builder, &tensor, NULL, &error), error);
  }
  for (int32_t i = 0; i < n_edges; i++)
    CHECK_OK(moc_builder_add_read(builder, edges[i][1], edges[i][0], &error), error);
  return builder;
}

static void check_order(moc_builder *builder, moc_input_order kind, const moc_op *given, const moc_op *expected) {
  moc_error error;
  moc_graph *graph = NULL;
  int64_t length = given == NULL ? 0 : 6; /* the given ones here have six */
  CHECK_OK(moc_builder_set_order(builder, kind, given, length, &error), error);
  CHECK_OK(moc_builder_build(builder, &graph, &error), error);
  moc_op_list order = moc_graph_input_order(graph);
  assert_int_equal(order.count, moc_graph_operations(graph));
  for (int64_t i = 0; i < order.count; i++) assert_int_equal(order.items[i], expected[i]);
  moc_graph_destroy(graph);
}

/* Generations {4, 5}, then {0, 2}: 5 is looked at after 4 and frees 0 and 2 in the order of its reads. */
static void generations_by_hand(void **state) {
  (void)state;
  const int32_t edges[][2] = {{5, 0}, {5, 2}, {4, 0}, {4, 1}, {2, 3}, {3, 1}};
  const moc_op expected[] = {4, 5, 0, 2, 3, 1};
  moc_builder *builder = builder_with(6, edges, 6);
  check_order(builder, MOC_ORDER_GENERATIONS, NULL, expected);
  moc_builder_destroy(builder);
}

/* The same with 5's first two reads exchanged. */
static void generations_follow_the_order_of_reads(void **state) {
  (void)state;
  const int32_t edges[][2] = {{5, 2}, {5, 0}, {4, 0}, {4, 1}, {2, 3}, {3, 1}};
  const moc_op expected[] = {4, 5, 2, 0, 3, 1};
  moc_builder *builder = builder_with(6, edges, 6);
  check_order(builder, MOC_ORDER_GENERATIONS, NULL, expected);
  moc_builder_destroy(builder);
}

/* 1 waits for both 0 and 6; 3 and 1 come after what 0 frees alone: 5 and 4. */
static void generations_put_an_operation_after_its_last_predecessor(void **state) {
  (void)state;
  const int32_t edges[][2] = {{6, 3}, {0, 5}, {6, 1}, {0, 4}, {5, 2}, {3, 2}, {0, 1}};
  const moc_op expected[] = {0, 6, 5, 4, 3, 1, 2};
  moc_builder *builder = builder_with(7, edges, 7);
  check_order(builder, MOC_ORDER_GENERATIONS, NULL, expected);
  moc_builder_destroy(builder);
}

static void given_and_added_orders_are_kept(void **state) {
  (void)state;
  const int32_t edges[][2] = {{0, 1}, {0, 2}, {1, 3}, {2, 3}, {3, 5}};
  const moc_op added[] = {0, 1, 2, 3, 4, 5}, given[] = {4, 0, 2, 1, 3, 5};
  moc_builder *builder = builder_with(6, edges, 5);
  check_order(builder, MOC_ORDER_AS_ADDED, NULL, added);
  check_order(builder, MOC_ORDER_GIVEN, given, given);
  check_order(builder, MOC_ORDER_AS_ADDED, NULL, added); /* set again */
  moc_builder_destroy(builder);
}

/* Kahn's algorithm as its definition reads: whole generations, each found by scanning the one before and its edges. */
static void naive_generations(int32_t n, const int32_t (*edges)[2], int32_t n_edges, moc_op *order) {
  int32_t *open = calloc((size_t)n, sizeof *open);
  assert_non_null(open);
  for (int32_t e = 0; e < n_edges; e++) open[edges[e][1]]++;
  int32_t count = 0;
  for (moc_op op = 0; op < n; op++) {
    if (open[op] == 0) order[count++] = op;
  }
  for (int32_t begin = 0, end = count; begin < end; begin = end, end = count) {
    for (int32_t i = begin; i < end; i++) {
      for (int32_t e = 0; e < n_edges; e++) {
        if (edges[e][0] == order[i] && --open[edges[e][1]] == 0) order[count++] = edges[e][1];
      }
    }
  }
  assert_int_equal(count, n);
  free(open);
}

static void generations_of_random_graphs(void **state) {
  (void)state;
  moc__rng rng;
  moc__rng_init(&rng, 11, 0);
  for (int round = 0; round < 300; round++) {
    enum { MOST = 15 };
    int32_t n = 1 + (int32_t)moc__rng_below(&rng, MOST), n_edges = 0;
    int32_t edges[MOST * MOST][2], rank[MOST];
    for (int32_t i = 0; i < n; i++) rank[i] = (int32_t)moc__rng_below(&rng, 1000);
    for (int32_t i = 0; i < n * n; i++) { /* pairs in random order, none twice; ranks keep them free of cycles */
      int32_t from = (int32_t)moc__rng_below(&rng, (uint32_t)n), to = (int32_t)moc__rng_below(&rng, (uint32_t)n);
      bool fresh = rank[from] < rank[to];
      for (int32_t e = 0; e < n_edges; e++) fresh = fresh && (edges[e][0] != from || edges[e][1] != to);
      if (!fresh || moc__rng_below(&rng, 3) > 0) continue;
      edges[n_edges][0] = from;
      edges[n_edges++][1] = to;
    }
    moc_op expected[MOST];
    naive_generations(n, (const int32_t(*)[2])edges, n_edges, expected);
    moc_builder *builder = builder_with(n, (const int32_t(*)[2])edges, n_edges);
    check_order(builder, MOC_ORDER_GENERATIONS, NULL, expected);
    moc_builder_destroy(builder);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(generations_by_hand),
      cmocka_unit_test(generations_follow_the_order_of_reads),
      cmocka_unit_test(generations_put_an_operation_after_its_last_predecessor),
      cmocka_unit_test(given_and_added_orders_are_kept),
      cmocka_unit_test(generations_of_random_graphs),
  };
  return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
