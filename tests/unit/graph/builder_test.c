/* Building graphs: what is kept, and every way in which it is refused. */
#include "support/allocator.h"
#include "support/graphs.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct fixture {
  test_allocator memory;
  moc_builder *builder;
  moc_error error;
} fixture;

static int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  assert_non_null(f);
  test_allocator_init(&f->memory);
  f->builder = moc_builder_create(&f->memory.allocator);
  assert_non_null(f->builder);
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  moc_builder_destroy(f->builder);
  test_allocator_check_empty(&f->memory);
  free(f);
  return 0;
}

/* An operation with one output of `size` bytes; returns the tensor's number. */
static moc_tensor add(fixture *f, const char *name, int64_t size) {
  moc_op op = MOC_NONE;
  moc_tensor tensor = MOC_NONE;
  moc_operation operation = {.name = name, .duration = 1};
  CHECK_OK(moc_builder_add_operation(f->builder, &operation, &op, &f->error), f->error);
  moc_tensor_spec spec = {.size = size, .producer = op, .base = MOC_NONE};
  CHECK_OK(moc_builder_add_tensor(f->builder, &spec, &tensor, &f->error), f->error);
  return tensor;
}

static void link_up(fixture *f, moc_tensor from, moc_op to) {
  CHECK_OK(moc_builder_add_read(f->builder, to, from, &f->error), f->error);
}

static moc_graph *build(fixture *f) {
  moc_graph *graph = NULL;
  CHECK_OK(moc_builder_build(f->builder, &graph, &f->error), f->error);
  assert_non_null(graph);
  return graph;
}

static void refuse(fixture *f, moc_status expected, const char *part) {
  moc_graph *graph = NULL;
  CHECK_FAILS(moc_builder_build(f->builder, &graph, &f->error), expected, f->error);
  assert_null(graph);
  CHECK_CONTAINS(f->error.message, part);
}

/* --- What a graph keeps --- */

static void a_graph_tells_what_was_added(void **state) {
  fixture *f = *state;
  CHECK_OK(moc_builder_set_name(f->builder, "old", &f->error), f->error);
  CHECK_OK(moc_builder_set_name(f->builder, "net", &f->error), f->error);
  moc_tensor_spec weights = {.name = "weights", .size = 100, .producer = MOC_NONE, .base = MOC_NONE, .keep = true};
  moc_tensor w = MOC_NONE;
  CHECK_OK(moc_builder_add_tensor(f->builder, &weights, &w, &f->error), f->error);
  moc_operation conv = {
      .name = "1", .name_is_integer = true, .label = "conv", .duration = 7, .workspace = 3, .compute_once = true};
  moc_operation relu = {.name = "1", .duration = 2}; /* another name: "1", not 1 */
  moc_op ops[2] = {MOC_NONE, MOC_NONE};
  CHECK_OK(moc_builder_add_operation(f->builder, &conv, &ops[0], &f->error), f->error);
  CHECK_OK(moc_builder_add_operation(f->builder, &relu, &ops[1], &f->error), f->error);
  moc_tensor_spec out = {.name = "7", .name_is_integer = true, .size = 50, .producer = 0, .base = MOC_NONE};
  moc_tensor_spec view = {.producer = 0, .base = 1};
  moc_tensor_spec result = {.name = "result", .size = 20, .producer = 1, .base = MOC_NONE, .keep = true};
  moc_tensor t[3];
  CHECK_OK(moc_builder_add_tensor(f->builder, &out, &t[0], &f->error), f->error);
  CHECK_OK(moc_builder_add_tensor(f->builder, &view, &t[1], &f->error), f->error);
  CHECK_OK(moc_builder_add_tensor(f->builder, &result, &t[2], &f->error), f->error);
  link_up(f, w, 0);
  link_up(f, t[1], 1);
  link_up(f, w, 1);
  link_up(f, t[1], 1); /* stated twice */
  moc_graph *graph = build(f);

  assert_string_equal(moc_graph_name(graph), "net");
  assert_int_equal(moc_graph_operations(graph), 2);
  assert_int_equal(moc_graph_tensors(graph), 4);
  assert_int_equal(moc_graph_edges(graph), 1);
  assert_string_equal(moc_graph_op_name(graph, 0), "1");
  assert_true(moc_graph_op_name_is_integer(graph, 0));
  assert_false(moc_graph_op_name_is_integer(graph, 1));
  assert_string_equal(moc_graph_op_label(graph, 0), "conv");
  assert_string_equal(moc_graph_op_label(graph, 1), "1");
  assert_int_equal(moc_graph_op_duration(graph, 0), 7);
  assert_int_equal(moc_graph_op_workspace(graph, 0), 3);
  assert_true(moc_graph_op_compute_once(graph, 0));
  assert_false(moc_graph_op_compute_once(graph, 1));
  assert_int_equal(moc_graph_find_op(graph, "1", true), 0);
  assert_int_equal(moc_graph_find_op(graph, "1", false), 1);
  assert_int_equal(moc_graph_find_op(graph, "2", true), MOC_NONE);

  moc_tensor_list outputs = moc_graph_op_outputs(graph, 0);
  assert_int_equal(outputs.count, 2);
  assert_int_equal(outputs.items[0], t[0]);
  assert_int_equal(outputs.items[1], t[1]);
  moc_tensor_list inputs = moc_graph_op_inputs(graph, 1);
  assert_int_equal(inputs.count, 2); /* in the order added */
  assert_int_equal(inputs.items[0], t[1]);
  assert_int_equal(inputs.items[1], w);
  moc_tensor_list reads = moc_graph_op_reads(graph, 1);
  assert_int_equal(reads.count, 3); /* ascending, with the view's base */
  assert_int_equal(reads.items[0], w);
  assert_int_equal(reads.items[1], t[0]);
  assert_int_equal(reads.items[2], t[1]);
  moc_op_list readers = moc_graph_tensor_readers(graph, w);
  assert_int_equal(readers.count, 2);
  assert_int_equal(readers.items[0], 0);
  assert_int_equal(readers.items[1], 1);
  assert_int_equal(moc_graph_tensor_readers(graph, t[2]).count, 0);

  assert_string_equal(moc_graph_tensor_name(graph, w), "weights");
  assert_string_equal(moc_graph_tensor_name(graph, t[1]), "");
  assert_true(moc_graph_tensor_name_is_integer(graph, t[0]));
  assert_int_equal(moc_graph_tensor_size(graph, t[0]), 50);
  assert_int_equal(moc_graph_tensor_producer(graph, w), MOC_NONE);
  assert_int_equal(moc_graph_tensor_producer(graph, t[2]), 1);
  assert_int_equal(moc_graph_tensor_base(graph, t[1]), t[0]);
  assert_int_equal(moc_graph_tensor_base(graph, t[0]), MOC_NONE);
  assert_true(moc_graph_tensor_keep(graph, w));
  assert_false(moc_graph_tensor_keep(graph, t[0]));
  moc_graph_destroy(graph);
}

static void the_smallest_graph_is_one_operation(void **state) {
  fixture *f = *state;
  moc_operation operation = {.name = "only"};
  CHECK_OK(moc_builder_add_operation(f->builder, &operation, NULL, &f->error), f->error);
  moc_graph *graph = build(f);
  assert_int_equal(moc_graph_operations(graph), 1);
  assert_int_equal(moc_graph_tensors(graph), 0);
  assert_int_equal(moc_graph_edges(graph), 0);
  assert_string_equal(moc_graph_name(graph), "");
  assert_int_equal(moc_graph_input_order(graph).items[0], 0);
  moc_graph_destroy(graph);
}

static void a_builder_builds_more_than_once(void **state) {
  fixture *f = *state;
  add(f, "a", 1);
  moc_graph *first = build(f);
  link_up(f, add(f, "b", 2), 0); /* a now reads b, which comes later */
  refuse(f, MOC_INVALID_GRAPH, "topological");
  CHECK_OK(moc_builder_set_order(f->builder, MOC_ORDER_GENERATIONS, NULL, 0, &f->error), f->error);
  moc_graph *second = build(f);
  assert_int_equal(moc_graph_operations(first), 1);
  assert_int_equal(moc_graph_operations(second), 2);
  moc_graph_destroy(first);
  moc_graph_destroy(second);
}

static void a_kept_view_keeps_its_base(void **state) {
  fixture *f = *state;
  moc_tensor base = add(f, "a", 8);
  moc_tensor_spec view = {.producer = 0, .base = base};
  moc_tensor middle = MOC_NONE;
  CHECK_OK(moc_builder_add_tensor(f->builder, &view, &middle, &f->error), f->error);
  moc_tensor_spec top = {.producer = 0, .base = middle, .keep = true};
  CHECK_OK(moc_builder_add_tensor(f->builder, &top, NULL, &f->error), f->error);
  moc_graph *graph = build(f);
  for (moc_tensor t = 0; t < 3; t++) assert_true(moc_graph_tensor_keep(graph, t));
  moc_graph_destroy(graph);
}

static void edges_count_pairs_of_operations_once(void **state) {
  fixture *f = *state;
  moc_tensor first = add(f, "a", 1);
  moc_tensor_spec more = {.size = 2, .producer = 0, .base = MOC_NONE};
  moc_tensor second = MOC_NONE;
  CHECK_OK(moc_builder_add_tensor(f->builder, &more, &second, &f->error), f->error);
  add(f, "b", 1);
  link_up(f, first, 1);
  link_up(f, second, 1);
  moc_graph *graph = build(f);
  assert_int_equal(moc_graph_edges(graph), 1);
  assert_int_equal(moc_graph_op_reads(graph, 1).count, 2);
  moc_graph_destroy(graph);
}

/* --- INVALID_ARGUMENT --- */

static void bad_operations_are_refused(void **state) {
  fixture *f = *state;
  moc_operation bad[] = {
      {.name = NULL}, {.name = ""}, {.name = "a", .duration = -1}, {.name = "a", .workspace = -1}};
  const char *const parts[] = {"name", "name", "duration", "workspace"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    moc_op op = 77;
    CHECK_FAILS(moc_builder_add_operation(f->builder, &bad[i], &op, &f->error), MOC_INVALID_ARGUMENT, f->error);
    CHECK_CONTAINS(f->error.message, parts[i]);
    assert_int_equal(op, 77); /* as it was */
  }
  CHECK_FAILS(moc_builder_add_operation(f->builder, NULL, NULL, &f->error), MOC_INVALID_ARGUMENT, f->error);
  CHECK_FAILS(moc_builder_add_operation(NULL, &bad[0], NULL, &f->error), MOC_INVALID_ARGUMENT, f->error);
  assert_int_equal(moc_builder_add_operation(f->builder, NULL, NULL, NULL), MOC_INVALID_ARGUMENT);
}

static void bad_tensors_are_refused(void **state) {
  fixture *f = *state;
  add(f, "a", 4);
  moc_tensor_spec bad[] = {
      {.size = -1, .producer = 0, .base = MOC_NONE},
      {.producer = 1, .base = MOC_NONE},
      {.producer = -2, .base = MOC_NONE},
      {.producer = 0, .base = 1},
      {.producer = 0, .base = -2},
      {.size = 1, .producer = 0, .base = 0},
      {.name = "", .producer = 0, .base = MOC_NONE},
  };
  const char *const parts[] = {"negative", "operation 1", "operation -2", "tensor 1", "tensor -2", "view", "empty"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    moc_tensor tensor = 77;
    CHECK_FAILS(moc_builder_add_tensor(f->builder, &bad[i], &tensor, &f->error), MOC_INVALID_ARGUMENT, f->error);
    CHECK_CONTAINS(f->error.message, parts[i]);
    assert_int_equal(tensor, 77);
  }
  CHECK_FAILS(moc_builder_add_tensor(f->builder, NULL, NULL, &f->error), MOC_INVALID_ARGUMENT, f->error);
}

static void bad_reads_are_refused(void **state) {
  fixture *f = *state;
  add(f, "a", 4);
  const int32_t bad[][2] = {{1, 0}, {-1, 0}, {0, 1}, {0, -1}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    CHECK_FAILS(moc_builder_add_read(f->builder, bad[i][0], bad[i][1], &f->error), MOC_INVALID_ARGUMENT, f->error);
  CHECK_FAILS(moc_builder_add_read(NULL, 0, 0, &f->error), MOC_INVALID_ARGUMENT, f->error);
}

static void bad_calls_are_refused(void **state) {
  fixture *f = *state;
  moc_op order[] = {0};
  moc_graph *graph = NULL;
  CHECK_FAILS(moc_builder_set_order(f->builder, MOC_ORDER_AS_ADDED, order, 1, &f->error), MOC_INVALID_ARGUMENT,
              f->error);
  CHECK_FAILS(moc_builder_set_order(f->builder, MOC_ORDER_GIVEN, NULL, 1, &f->error), MOC_INVALID_ARGUMENT,
              f->error);
  CHECK_FAILS(moc_builder_set_order(f->builder, MOC_ORDER_GIVEN, order, -1, &f->error), MOC_INVALID_ARGUMENT,
              f->error);
  CHECK_FAILS(moc_builder_set_order(f->builder, (moc_input_order)9, NULL, 0, &f->error), MOC_INVALID_ARGUMENT,
              f->error);
  CHECK_FAILS(moc_builder_set_name(NULL, "x", &f->error), MOC_INVALID_ARGUMENT, f->error);
  CHECK_FAILS(moc_builder_build(NULL, &graph, &f->error), MOC_INVALID_ARGUMENT, f->error);
  CHECK_FAILS(moc_builder_build(f->builder, NULL, &f->error), MOC_INVALID_ARGUMENT, f->error);
  moc_builder_destroy(NULL);
  moc_graph_destroy(NULL);
}

/* --- INVALID_GRAPH --- */

static void an_empty_graph_is_refused(void **state) {
  refuse(*state, MOC_INVALID_GRAPH, "no operation");
}

static void duplicate_operation_names_are_refused(void **state) {
  fixture *f = *state;
  add(f, "a", 1);
  add(f, "twin", 1);
  add(f, "twin", 1);
  refuse(f, MOC_INVALID_GRAPH, "twin");
}

static void duplicate_tensor_names_are_refused(void **state) {
  fixture *f = *state;
  add(f, "a", 1);
  moc_tensor_spec spec = {.name = "twin", .producer = 0, .base = MOC_NONE};
  CHECK_OK(moc_builder_add_tensor(f->builder, &spec, NULL, &f->error), f->error);
  spec.name_is_integer = true; /* another name */
  CHECK_OK(moc_builder_add_tensor(f->builder, &spec, NULL, &f->error), f->error);
  moc_graph *graph = build(f);
  moc_graph_destroy(graph);
  CHECK_OK(moc_builder_add_tensor(f->builder, &spec, NULL, &f->error), f->error);
  refuse(f, MOC_INVALID_GRAPH, "twin");
}

static void reading_ones_own_output_is_refused(void **state) {
  fixture *f = *state;
  link_up(f, add(f, "selfish", 1), 0);
  refuse(f, MOC_INVALID_GRAPH, "selfish");
}

static void reading_a_view_of_ones_own_output_is_refused(void **state) {
  fixture *f = *state;
  moc_tensor base = add(f, "a", 1);
  add(f, "b", 1);
  moc_tensor_spec view = {.producer = 1, .base = base};
  moc_tensor tensor = MOC_NONE;
  CHECK_OK(moc_builder_add_tensor(f->builder, &view, &tensor, &f->error), f->error);
  link_up(f, tensor, 0); /* b's view of a's output */
  refuse(f, MOC_INVALID_GRAPH, "operation a reads its own output");
}

static void a_cycle_is_named(void **state) {
  fixture *f = *state;
  moc_tensor outside = add(f, "outside", 1), x = add(f, "x", 1), y = add(f, "y", 1), z = add(f, "z", 1);
  moc_tensor after = add(f, "after", 1);
  (void)after;
  link_up(f, outside, 1);
  link_up(f, x, 2);
  link_up(f, y, 3);
  link_up(f, z, 1);
  link_up(f, z, 4);
  for (int kind = 0; kind < 2; kind++) {
    moc_input_order order = kind == 0 ? MOC_ORDER_AS_ADDED : MOC_ORDER_GENERATIONS;
    CHECK_OK(moc_builder_set_order(f->builder, order, NULL, 0, &f->error), f->error);
    refuse(f, MOC_INVALID_GRAPH, "cycle of 3 operations");
    CHECK_CONTAINS(f->error.message, "x -> y -> z -> x");
    assert_null(strstr(f->error.message, "outside"));
    assert_null(strstr(f->error.message, "after"));
  }
}

static void a_long_cycle_is_shortened(void **state) {
  fixture *f = *state;
  enum { LENGTH = 1000 };
  for (int i = 0; i < LENGTH; i++) {
    char name[220];
    (void)snprintf(name, sizeof name, "operation_with_a_rather_long_name_indeed_%0150d", i);
    add(f, name, 1);
  }
  for (int i = 0; i < LENGTH; i++) link_up(f, i, (i + 1) % LENGTH);
  refuse(f, MOC_INVALID_GRAPH, "cycle of 1000 operations");
}

static void an_order_that_is_not_topological_is_refused(void **state) {
  fixture *f = *state;
  moc_tensor a = add(f, "first", 1);
  add(f, "second", 1);
  link_up(f, a, 1);
  const moc_op order[] = {1, 0};
  CHECK_OK(moc_builder_set_order(f->builder, MOC_ORDER_GIVEN, order, 2, &f->error), f->error);
  refuse(f, MOC_INVALID_GRAPH, "not topological");
  CHECK_CONTAINS(f->error.message, "first");
  CHECK_CONTAINS(f->error.message, "second");
}

static void an_order_that_is_not_complete_is_refused(void **state) {
  fixture *f = *state;
  for (int i = 0; i < 3; i++) {
    char name[2] = {(char)('a' + i), '\0'};
    add(f, name, 1);
  }
  const moc_op orders[][4] = {{0, 1, 2, 2}, {0, 1, 0, 0}, {0, 1, 3, 0}, {0, 1, -1, 0}, {0, 1, 0, 0}};
  const int64_t lengths[] = {4, 3, 3, 3, 2};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    CHECK_OK(moc_builder_set_order(f->builder, MOC_ORDER_GIVEN, orders[i], lengths[i], &f->error), f->error);
    refuse(f, MOC_INVALID_GRAPH, "order");
  }
}

/* --- OVERFLOW and LIMIT --- */

static void sums_over_the_limit_are_refused(void **state) {
  fixture *f = *state;
  moc_operation long_one = {.name = "long", .duration = MOC_MAX_TOTAL};
  CHECK_OK(moc_builder_add_operation(f->builder, &long_one, NULL, &f->error), f->error);
  moc_graph *graph = build(f);
  assert_int_equal(moc_graph_op_duration(graph, 0), MOC_MAX_TOTAL);
  moc_graph_destroy(graph);
  moc_operation more = {.name = "more", .duration = 1};
  CHECK_OK(moc_builder_add_operation(f->builder, &more, NULL, &f->error), f->error);
  refuse(f, MOC_OVERFLOW, "duration");
}

static void sizes_over_the_limit_are_refused(void **state) {
  fixture *f = *state;
  add(f, "a", MOC_MAX_TOTAL);
  moc_graph *graph = build(f);
  moc_graph_destroy(graph);
  add(f, "b", 1);
  refuse(f, MOC_OVERFLOW, "size");
}

static void workspaces_over_the_limit_are_refused(void **state) {
  fixture *f = *state;
  moc_operation big = {.name = "big", .workspace = INT64_MAX};
  CHECK_OK(moc_builder_add_operation(f->builder, &big, NULL, &f->error), f->error);
  refuse(f, MOC_OVERFLOW, "workspace");
}

static void views_stack_up_to_the_limit(void **state) {
  fixture *f = *state;
  moc_tensor top = add(f, "a", 5);
  for (int depth = 1; depth <= MOC_MAX_VIEW_DEPTH; depth++) {
    moc_tensor_spec view = {.producer = 0, .base = top};
    CHECK_OK(moc_builder_add_tensor(f->builder, &view, &top, &f->error), f->error);
  }
  moc_tensor_spec one_more = {.producer = 0, .base = top};
  CHECK_FAILS(moc_builder_add_tensor(f->builder, &one_more, NULL, &f->error), MOC_LIMIT, f->error);
  add(f, "b", 1);
  link_up(f, top, 1);
  moc_graph *graph = build(f);
  assert_int_equal(moc_graph_op_reads(graph, 1).count, MOC_MAX_VIEW_DEPTH + 1);
  moc_graph_destroy(graph);
}

/* --- OUT_OF_MEMORY --- */

/* A full-model graph through an allocator; false when some call said that memory is out. */
static bool build_with(const moc_allocator *allocator) {
  moc_error error;
  moc_builder *builder = moc_builder_create(allocator);
  if (builder == NULL) return false;
  moc_status status = moc_builder_set_name(builder, "net", &error);
  for (int i = 0; i < 12 && status == MOC_OK; i++) {
    char name[8];
    (void)snprintf(name, sizeof name, "op%d", i);
    moc_operation operation = {.name = name, .label = "a label", .duration = i};
    status = moc_builder_add_operation(builder, &operation, NULL, &error);
    moc_tensor_spec tensor = {.name = name, .size = i, .producer = i, .base = MOC_NONE};
    if (status == MOC_OK) status = moc_builder_add_tensor(builder, &tensor, NULL, &error);
    moc_tensor_spec view = {.producer = i, .base = 2 * i};
    if (status == MOC_OK) status = moc_builder_add_tensor(builder, &view, NULL, &error);
    if (status == MOC_OK && i > 0) status = moc_builder_add_read(builder, i, 2 * i - 1, &error);
  }
  const moc_op order[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  if (status == MOC_OK) status = moc_builder_set_order(builder, MOC_ORDER_GIVEN, order, 12, &error);
  for (int kind = 0; kind < 2 && status == MOC_OK; kind++) {
    moc_graph *graph = NULL;
    status = moc_builder_build(builder, &graph, &error);
    moc_graph_facts facts;
    if (status == MOC_OK) status = moc_graph_get_facts(graph, &facts, &error);
    moc_graph_destroy(graph);
    if (status == MOC_OK && kind == 0)
      status = moc_builder_set_order(builder, MOC_ORDER_GENERATIONS, NULL, 0, &error);
  }
  moc_builder_destroy(builder);
  if (status == MOC_OK) return true;
  assert_int_equal(status, MOC_OUT_OF_MEMORY);
  assert_int_equal(error.status, MOC_OUT_OF_MEMORY);
  return false;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  for (int forever = 0; forever < 2; forever++) {
    int64_t k = 1;
    for (;; k++) {
      test_allocator it;
      test_allocator_init_failing(&it, k, forever ? INT64_MAX : 1);
      bool built = build_with(&it.allocator);
      assert_int_equal(built, !it.failed);
      test_allocator_check_empty(&it);
      if (built) break;
    }
    assert_true(k > 60); /* there were that many to fail */
  }
}

/* Memory that runs out while a cycle is looked for is reported as such. */
static void every_allocation_on_the_way_to_an_error_may_fail(void **state) {
  (void)state;
  for (int64_t k = 1;; k++) {
    test_allocator it;
    test_allocator_init_failing(&it, k, 1);
    moc_builder *builder = moc_builder_create(&it.allocator);
    moc_status status = builder == NULL ? MOC_OUT_OF_MEMORY : MOC_OK;
    moc_error error;
    for (moc_op i = 0; i < 2 && status == MOC_OK; i++) {
      moc_operation operation = {.name = i == 0 ? "a" : "b"};
      moc_tensor_spec tensor = {.producer = i, .base = MOC_NONE};
      status = moc_builder_add_operation(builder, &operation, NULL, &error);
      if (status == MOC_OK) status = moc_builder_add_tensor(builder, &tensor, NULL, &error);
    }
    if (status == MOC_OK) status = moc_builder_add_read(builder, 0, 1, &error);
    if (status == MOC_OK) status = moc_builder_add_read(builder, 1, 0, &error);
    moc_graph *graph = NULL;
    if (status == MOC_OK) status = moc_builder_build(builder, &graph, &error);
    moc_builder_destroy(builder);
    assert_null(graph);
    assert_int_equal(status, it.failed ? MOC_OUT_OF_MEMORY : MOC_INVALID_GRAPH);
    test_allocator_check_empty(&it);
    if (!it.failed) break;
  }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_graph_tells_what_was_added),
      TEST(the_smallest_graph_is_one_operation),
      TEST(a_builder_builds_more_than_once),
      TEST(a_kept_view_keeps_its_base),
      TEST(edges_count_pairs_of_operations_once),
      TEST(bad_operations_are_refused),
      TEST(bad_tensors_are_refused),
      TEST(bad_reads_are_refused),
      TEST(bad_calls_are_refused),
      TEST(an_empty_graph_is_refused),
      TEST(duplicate_operation_names_are_refused),
      TEST(duplicate_tensor_names_are_refused),
      TEST(reading_ones_own_output_is_refused),
      TEST(reading_a_view_of_ones_own_output_is_refused),
      TEST(a_cycle_is_named),
      TEST(a_long_cycle_is_shortened),
      TEST(an_order_that_is_not_topological_is_refused),
      TEST(an_order_that_is_not_complete_is_refused),
      TEST(sums_over_the_limit_are_refused),
      TEST(sizes_over_the_limit_are_refused),
      TEST(workspaces_over_the_limit_are_refused),
      TEST(views_stack_up_to_the_limit),
      cmocka_unit_test(every_allocation_may_fail),
      cmocka_unit_test(every_allocation_on_the_way_to_an_error_may_fail),
  };
  return cmocka_run_group_tests_name("builder", tests, NULL, NULL);
}
