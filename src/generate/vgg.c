/* VGG16: configuration D of Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
 * Recognition" (2014), optionally with batch normalisation after each convolution. */
#include "base/base.h"
#include "generate/generators.h"
#include "generate/layers.h"

#include <stdio.h>

/* The convolutions of each block, all 3x3, and their channels; a maximum pooling of 2x2 ends a block. */
static const struct {
  int convolutions;
  int64_t channels;
} blocks[] = {{2, 64}, {2, 128}, {3, 256}, {3, 512}, {3, 512}};

moc_status moc__fill_vgg16(const int64_t *values, uint64_t seed, const moc_allocator *allocator,
                           moc_builder *builder, moc_error *error) {
  (void)seed;
  if (values[VGG_SIDE] % 32)
    return moc__fail(error, MOC_INVALID_ARGUMENT, "side", "expected a multiple of 32, got %lld",
                     (long long)values[VGG_SIDE]);
  moc__network net;
  moc__network_init(&net, allocator, builder, values[VGG_ELEMENT_BYTES], values[VGG_PLAIN]);
  moc__value x = moc__network_input(&net, "images",
                                    (moc__shape){{values[VGG_BATCH], 3, values[VGG_SIDE], values[VGG_SIDE]}}, 0);

  char name[64];
  for (int block = 0; block < 5; block++) {
    for (int i = 0; i < blocks[block].convolutions; i++) {
      snprintf(name, sizeof name, "conv%d_%d", block + 1, i + 1);
      x = moc__convolution(&net, name, x, blocks[block].channels, 3, 1, 1, true);
      snprintf(name, sizeof name, "bn%d_%d", block + 1, i + 1);
      if (values[VGG_BATCH_NORM]) x = moc__batch_norm(&net, name, x);
      snprintf(name, sizeof name, "relu%d_%d", block + 1, i + 1);
      x = moc__relu(&net, name, x);
    }
    snprintf(name, sizeof name, "pool%d", block + 1);
    x = moc__max_pool(&net, name, x, 2, 2, 0);
  }
  if (values[VGG_SIDE] != 224) x = moc__average_pool(&net, "average_pool", x, 7);
  x = moc__flatten(&net, "flatten", x);
  for (int i = 6; i <= 7; i++) {
    snprintf(name, sizeof name, "fc%d", i);
    x = moc__linear(&net, name, x, 4096, true, MOC__NO_VALUE);
    snprintf(name, sizeof name, "relu%d", i);
    x = moc__relu(&net, name, x);
    snprintf(name, sizeof name, "dropout%d", i);
    if (values[VGG_DROPOUT]) x = moc__dropout(&net, name, x);
  }
  x = moc__linear(&net, "fc8", x, values[VGG_CLASSES], true, MOC__NO_VALUE);
  moc__cross_entropy(&net, x, values[VGG_CLASSES]);
  return moc__network_finish(&net, error);
}
