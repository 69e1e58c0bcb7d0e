/* See graphs.h. Random graphs are small; nothing here minds a square. */
#include "support/graphs.h"

#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>

static moc_graph *finish(moc_builder *builder) {
  moc_graph *graph = NULL;
  moc_error error;
  CHECK_OK(moc_builder_build(builder, &graph, &error), error);
  moc_builder_destroy(builder);
  return graph;
}

moc_graph *test_plain_graph(int32_t n, const int64_t *durations, const int64_t *sizes, const char *const *edges,
                            int32_t n_edges, const moc_allocator *allocator) {
  moc_error error;
  moc_builder *builder = moc_builder_create(allocator);
  assert_non_null(builder);
  assert_true(n <= 26);
  for (int32_t i = 0; i < n; i++) {
    char name[2] = {(char)('a' + i), '\0'};
    moc_operation operation = {.name = name, .duration = durations[i]};
    moc_tensor_spec tensor = {.size = sizes[i], .producer = i, .base = MOC_NONE};
    CHECK_OK(moc_builder_add_operation(builder, &operation, NULL, &error), error);
    CHECK_OK(moc_builder_add_tensor(builder, &tensor, NULL, &error), error);
  }
  for (int32_t i = 0; i < n_edges; i++)
    CHECK_OK(moc_builder_add_read(builder, edges[i][1] - 'a', edges[i][0] - 'a', &error), error);
  return finish(builder);
}

moc_graph *test_worked_example(const moc_allocator *allocator) {
  static const int64_t durations[] = {1, 4, 1, 1, 1}, sizes[] = {5, 3, 3, 1, 1};
  static const char *const edges[] = {"ab", "bc", "cd", "ae", "de"};
  return test_plain_graph(5, durations, sizes, edges, 5, allocator);
}

static bool chance(moc__rng *rng, uint32_t percent) {
  return moc__rng_below(rng, 100) < percent;
}

static int64_t number(moc__rng *rng, uint32_t most) {
  return (int64_t)moc__rng_below(rng, most + 1);
}

moc_graph *test_random_graph(moc__rng *rng, const test_shape *shape, const moc_allocator *allocator) {
  moc_error error;
  moc_builder *builder = moc_builder_create(allocator);
  assert_non_null(builder);
  int32_t most_tensors = 3 * shape->n_ops + 3;
  moc_op *producer = malloc((size_t)most_tensors * sizeof *producer);
  assert_non_null(producer);
  int32_t n_tensors = 0;
  bool full = shape->full_model;

  int32_t n_inputs = full ? (int32_t)moc__rng_below(rng, 4) : 0;
  for (int32_t i = 0; i < n_inputs; i++) {
    moc_tensor_spec tensor = {
        .size = number(rng, shape->most_size), .producer = MOC_NONE, .base = MOC_NONE, .keep = chance(rng, 25)};
    CHECK_OK(moc_builder_add_tensor(builder, &tensor, NULL, &error), error);
    producer[n_tensors++] = MOC_NONE;
  }
  for (moc_op op = 0; op < shape->n_ops; op++) {
    char name[16];
    (void)snprintf(name, sizeof name, "%d", (int)op);
    moc_operation operation = {
        .name = name, .name_is_integer = true, .duration = number(rng, shape->most_duration)};
    if (full && chance(rng, 30)) operation.workspace = number(rng, shape->most_size);
    if (full) operation.compute_once = chance(rng, 15);
    CHECK_OK(moc_builder_add_operation(builder, &operation, NULL, &error), error);

    int32_t earlier = n_tensors;
    int32_t outputs = 1;
    if (full && chance(rng, 30)) outputs = (int32_t)moc__rng_below(rng, 4);
    for (int32_t i = 0; i < outputs; i++) {
      moc_tensor_spec tensor = {.size = number(rng, shape->most_size), .producer = op, .base = MOC_NONE};
      if (full) tensor.keep = chance(rng, 12);
      if (full && earlier > 0 && chance(rng, 15)) {
        tensor.base = (moc_tensor)moc__rng_below(rng, (uint32_t)earlier);
        tensor.size = 0;
      }
      CHECK_OK(moc_builder_add_tensor(builder, &tensor, NULL, &error), error);
      producer[n_tensors++] = op;
      if (tensor.base != MOC_NONE) CHECK_OK(moc_builder_add_read(builder, op, tensor.base, &error), error);
    }
    for (moc_tensor t = 0; t < earlier; t++) {
      if (chance(rng, shape->edge_percent)) CHECK_OK(moc_builder_add_read(builder, op, t, &error), error);
    }
    /* Most operations of a real graph hang together: read something of the one before. */
    if (earlier > 0 && chance(rng, 60)) CHECK_OK(moc_builder_add_read(builder, op, earlier - 1, &error), error);
  }
  free(producer);
  return finish(builder);
}

moc_graph *test_reordered_graph(const moc_graph *graph, const moc_op *order, const moc_allocator *allocator) {
  moc_error error;
  moc_builder *builder = moc_builder_create(allocator);
  assert_non_null(builder);
  for (moc_op op = 0; op < moc_graph_operations(graph); op++) {
    moc_operation operation = {.name = moc_graph_op_name(graph, op),
                               .name_is_integer = moc_graph_op_name_is_integer(graph, op),
                               .duration = moc_graph_op_duration(graph, op),
                               .workspace = moc_graph_op_workspace(graph, op),
                               .compute_once = moc_graph_op_compute_once(graph, op)};
    CHECK_OK(moc_builder_add_operation(builder, &operation, NULL, &error), error);
  }
  for (moc_tensor t = 0; t < moc_graph_tensors(graph); t++) {
    moc_tensor_spec tensor = {.size = moc_graph_tensor_size(graph, t),
                              .producer = moc_graph_tensor_producer(graph, t),
                              .base = moc_graph_tensor_base(graph, t),
                              .keep = moc_graph_tensor_keep(graph, t)};
    CHECK_OK(moc_builder_add_tensor(builder, &tensor, NULL, &error), error);
  }
  for (moc_op op = 0; op < moc_graph_operations(graph); op++) {
    moc_tensor_list inputs = moc_graph_op_inputs(graph, op);
    for (int64_t i = 0; i < inputs.count; i++)
      CHECK_OK(moc_builder_add_read(builder, op, inputs.items[i], &error), error);
  }
  CHECK_OK(moc_builder_set_order(builder, MOC_ORDER_GIVEN, order, moc_graph_operations(graph), &error), error);
  return finish(builder);
}

static bool ready(const moc_graph *graph, moc_op op, const bool *computed) {
  moc_tensor_list reads = moc_graph_op_reads(graph, op);
  for (int64_t i = 0; i < reads.count; i++) {
    moc_op producer = moc_graph_tensor_producer(graph, reads.items[i]);
    if (producer != MOC_NONE && !computed[producer]) return false;
  }
  return true;
}

int64_t test_random_sequence(moc__rng *rng, const moc_graph *graph, int64_t extra, moc_op *sequence) {
  int32_t n = (int32_t)moc_graph_operations(graph);
  bool *computed = calloc((size_t)n, sizeof *computed);
  moc_op *choices = malloc((size_t)n * sizeof *choices);
  assert_true(computed != NULL && choices != NULL);
  int64_t length = 0;
  int32_t left = n;
  while (left > 0 || extra > 0) {
    bool again = extra > 0 && moc__rng_below(rng, (uint32_t)(left + extra)) >= (uint32_t)left;
    uint32_t count = 0;
    for (moc_op op = 0; op < n; op++) {
      bool fits = again ? computed[op] && !moc_graph_op_compute_once(graph, op)
                        : !computed[op] && ready(graph, op, computed);
      if (fits) choices[count++] = op;
    }
    if (again) extra--;
    if (count == 0) continue; /* nothing may be computed again yet */
    moc_op op = choices[moc__rng_below(rng, count)];
    left -= !computed[op];
    computed[op] = true;
    sequence[length++] = op;
  }
  free(computed);
  free(choices);
  return length;
}
