/* Random layered graphs, after the synthetic graphs of Gagrani et al., "Neural Topological Ordering for Computation
 * Graphs" (NeurIPS 2022), which the Moccasin paper plans as G1 to G4; the steps are our own:
 *  1. Widths. The mean width is `width`/1000 times the square root of the number of operations. The first layer has
 *     one operation; each other one a width uniform in mean * (1 +- variation/1000), at least 1; the last layer but
 *     one takes what is left over, the last has one operation.
 *  2. Neighbours. An operation reads on average density/1000 of the layer before it, at least one operation: a
 *     number from a triangular distribution between none and twice that (or all), drawn uniformly without repetition.
 *  3. Nothing is lost. An operation that nobody in the next layer reads is read by one at random there.
 *  4. Skips. With a chance of skip/1000 an operation also reads one of all operations before the previous layer.
 *  5. Durations are uniform from 1 to the maximum. Sizes are uniform from 1 to a number that is itself uniform from 1
 *     to the maximum, so that many are small and few are large, as in real graphs.
 * One tensor for each operation; names are 0, 1, ... in the input order, layer by layer. O(operations + reads)
 * expected for densities up to about one half, with a logarithmic factor above. */
#include "base/base.h"
#include "base/rng.h"
#include "generate/generators.h"

#include <inttypes.h>
#include <stdio.h>

enum { STREAM_WIDTHS, STREAM_READS, STREAM_SKIPS, STREAM_COSTS };

/* The largest r with r * r <= x. */
static int64_t square_root(int64_t x) {
  int64_t low = 0, high = INT64_C(3037000499);
  while (low < high) {
    int64_t middle = high - (high - low) / 2;
    if (middle * middle <= x)
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}

/* Uniform from 1 to `most`, which may exceed 32 bits. */
static int64_t uniform(moc__rng *rng, int64_t most) {
  return 1 + (int64_t)(moc__rng_next(rng) % (uint64_t)most);
}

/* Cut the operations into layers: layer l is first[l] .. first[l + 1] - 1. `first` has room for n + 1. */
static int64_t cut_layers(const int64_t *values, uint64_t seed, int64_t *first) {
  int64_t n = values[LAYERED_NODES];
  int64_t mean = moc__max(1000, values[LAYERED_WIDTH] * square_root(n * 1000000) / 1000); /* in thousandths */
  int64_t swing = mean * values[LAYERED_VARIATION] / 1000;
  moc__rng rng;
  moc__rng_init(&rng, seed, STREAM_WIDTHS);
  first[0] = 0;
  first[1] = 1;
  int64_t layers = 1;
  while (first[layers] < n - 1) {
    int64_t width = (mean - swing + uniform(&rng, 2 * swing + 1) - 1 + 500) / 1000;
    width = moc__min(moc__max(1, width), n - 1 - first[layers]);
    first[layers + 1] = first[layers] + width;
    layers++;
  }
  first[++layers] = n;
  return layers;
}

static moc_status add_nodes(const int64_t *values, uint64_t seed, moc_builder *builder, moc_error *error) {
  moc__rng rng;
  moc__rng_init(&rng, seed, STREAM_COSTS);
  for (int64_t v = 0; v < values[LAYERED_NODES]; v++) {
    char name[32];
    snprintf(name, sizeof name, "%" PRId64, v);
    moc_operation operation = {.name = name, .name_is_integer = true};
    operation.duration = uniform(&rng, values[LAYERED_DURATION]);
    moc_status status = moc_builder_add_operation(builder, &operation, NULL, error);
    if (status) return status;
    moc_tensor_spec tensor = {.producer = (moc_op)v, .base = MOC_NONE};
    tensor.size = uniform(&rng, uniform(&rng, values[LAYERED_SIZE]));
    status = moc_builder_add_tensor(builder, &tensor, NULL, error);
    if (status) return status;
  }
  return MOC_OK;
}

/* Let the operations of a layer read the layer before it and, by chance, one operation further back. Tensor v is
 * the output of operation v. `stamp` [n]: who drew an operation last; `used` [n]: whether the next layer reads it. */
static moc_status add_reads(const int64_t *values, moc__rng *rng, moc__rng *skips, const int64_t *first,
                            int64_t layer, int64_t *stamp, bool *used, moc_builder *builder, moc_error *error) {
  int64_t before = first[layer - 1], width = first[layer] - before;
  for (int64_t v = first[layer]; v < first[layer + 1]; v++) {
    int64_t mean = values[LAYERED_DENSITY] * width; /* in thousandths, like the swing */
    int64_t swing = moc__min(mean, 1000 * width - mean);
    int64_t count = (mean - swing + uniform(rng, swing + 1) + uniform(rng, swing + 1) - 2 + 500) / 1000;
    count = moc__max(1, count);
    while (count > 0) {
      int64_t u = before + moc__rng_below(rng, (uint32_t)width);
      if (stamp[u] == v) continue;
      stamp[u] = v;
      used[u] = true;
      count--;
      moc_status status = moc_builder_add_read(builder, (moc_op)v, (moc_tensor)u, error);
      if (status) return status;
    }
    if (layer >= 2 && moc__rng_below(skips, 1000) < values[LAYERED_SKIP]) {
      int64_t u = moc__rng_below(skips, (uint32_t)before);
      moc_status status = moc_builder_add_read(builder, (moc_op)v, (moc_tensor)u, error);
      if (status) return status;
    }
  }
  for (int64_t u = before; u < first[layer]; u++) {
    if (used[u]) continue;
    int64_t v = first[layer] + moc__rng_below(rng, (uint32_t)(first[layer + 1] - first[layer]));
    moc_status status = moc_builder_add_read(builder, (moc_op)v, (moc_tensor)u, error);
    if (status) return status;
  }
  return MOC_OK;
}

moc_status moc__fill_layered(const int64_t *values, uint64_t seed, const moc_allocator *allocator,
                             moc_builder *builder, moc_error *error) {
  int64_t n = values[LAYERED_NODES];
  int64_t *first = MOC__NEW(allocator, n + 1, int64_t);
  int64_t *stamp = MOC__NEW_ZEROED(allocator, n, int64_t); /* operation 0 draws nothing: 0 stands for nobody */
  bool *used = MOC__NEW_ZEROED(allocator, n, bool);
  moc_status status = MOC_OK;
  if (!first || !stamp || !used) status = moc__out_of_memory(error);
  if (!status) status = add_nodes(values, seed, builder, error);
  if (!status) {
    moc__rng rng, skips;
    moc__rng_init(&rng, seed, STREAM_READS);
    moc__rng_init(&skips, seed, STREAM_SKIPS);
    int64_t layers = cut_layers(values, seed, first);
    for (int64_t layer = 1; layer < layers && !status; layer++)
      status = add_reads(values, &rng, &skips, first, layer, stamp, used, builder, error);
  }
  moc__release(allocator, first);
  moc__release(allocator, stamp);
  moc__release(allocator, used);
  return status;
}
