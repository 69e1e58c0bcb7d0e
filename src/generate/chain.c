/* A feed-forward chain f0 -> f1 -> ..., for training with the backward chain after it. The backward operation
 * b(i) reads the output of f(i-1), its operation's input, and the gradient from b(i+1); b of the last operation
 * reads that operation's output instead, which stands for the loss. It takes twice as long as f(i) and gives the
 * gradient of f(i)'s input, as large as that. One tensor for each operation. O(length). */
#include "base/base.h"
#include "base/rng.h"
#include "generate/generators.h"

#include <inttypes.h>
#include <stdio.h>

typedef struct target {
  moc_builder *builder;
  moc_error *error;
} target;

/* Add an operation that reads up to two tensors; its output is as large as `size`. */
static moc_status add(const target *chain, char letter, int64_t index, int64_t duration, int64_t size,
                      moc_tensor first, moc_tensor second, moc_tensor *output) {
  char name[32];
  snprintf(name, sizeof name, "%c%" PRId64, letter, index);
  moc_operation operation = {.name = name, .duration = duration};
  moc_op op;
  moc_status status = moc_builder_add_operation(chain->builder, &operation, &op, chain->error);
  if (status) return status;
  moc_tensor_spec tensor = {.size = size, .producer = op, .base = MOC_NONE};
  status = moc_builder_add_tensor(chain->builder, &tensor, output, chain->error);
  if (!status && first != MOC_NONE) status = moc_builder_add_read(chain->builder, op, first, chain->error);
  if (!status && second != MOC_NONE) status = moc_builder_add_read(chain->builder, op, second, chain->error);
  return status;
}

moc_status moc__fill_chain(const int64_t *values, uint64_t seed, const moc_allocator *allocator,
                           moc_builder *builder, moc_error *error) {
  target chain = {builder, error};
  int64_t length = values[CHAIN_LENGTH], batch = values[CHAIN_BATCH];
  int64_t *sizes = MOC__NEW(allocator, length, int64_t);
  int64_t *durations = MOC__NEW(allocator, length, int64_t);
  moc_tensor *outputs = MOC__NEW(allocator, length, moc_tensor);
  moc_status status = MOC_OK;
  if (!sizes || !durations || !outputs) status = moc__out_of_memory(error);

  moc__rng rng;
  moc__rng_init(&rng, seed, 0);
  for (int64_t i = 0; !status && i < length; i++) {
    sizes[i] = values[CHAIN_SIZE] * batch;
    durations[i] = values[CHAIN_DURATION] * batch;
    if (values[CHAIN_RANDOM]) {
      sizes[i] = (1 + moc__rng_below(&rng, (uint32_t)values[CHAIN_SIZE])) * batch;
      durations[i] = (1 + moc__rng_below(&rng, (uint32_t)values[CHAIN_DURATION])) * batch;
    }
    status = add(&chain, 'f', i, durations[i], sizes[i], i > 0 ? outputs[i - 1] : MOC_NONE, MOC_NONE, &outputs[i]);
  }
  if (values[CHAIN_TRAINING] && !status) {
    moc_tensor gradient = outputs[length - 1];
    for (int64_t i = length - 1; i >= 0 && !status; i--) {
      moc_tensor input = i > 0 ? outputs[i - 1] : MOC_NONE;
      /* The chain's own input needs no gradient: b0 gives that of its weights, taken to be as large as f0's output. */
      int64_t size = i > 0 ? sizes[i - 1] : sizes[0];
      status = add(&chain, 'b', i, 2 * durations[i], size, gradient, input, &gradient);
    }
  }
  moc__release(allocator, sizes);
  moc__release(allocator, durations);
  moc__release(allocator, outputs);
  return status;
}
