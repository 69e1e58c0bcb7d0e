/* ResNet-50: He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition" (2015), with the stride in the
 * 3x3 convolution of a block ("version 1.5", what today's libraries ship). */
#include "generate/generators.h"
#include "generate/layers.h"

#include <stdio.h>

/* The stages: bottleneck blocks, their inner width (they give four times that), the stride of the first block. */
static const struct {
  int blocks;
  int64_t width, stride;
} stages[] = {{3, 64, 1}, {4, 128, 2}, {6, 256, 2}, {3, 512, 2}};

typedef struct place {
  moc__network *net;
  char prefix[24];
} place;

static moc__value convolution_and_norm(const place *block, const char *convolution, const char *norm, moc__value x,
                                       int64_t channels, int64_t kernel, int64_t stride) {
  char name[64];
  snprintf(name, sizeof name, "%s.%s", block->prefix, convolution);
  x = moc__convolution(block->net, name, x, channels, kernel, stride, kernel / 2, false);
  snprintf(name, sizeof name, "%s.%s", block->prefix, norm);
  return moc__batch_norm(block->net, name, x);
}

static moc__value relu(const place *block, const char *which, moc__value x) {
  char name[64];
  snprintf(name, sizeof name, "%s.%s", block->prefix, which);
  return moc__relu(block->net, name, x);
}

/* 1x1 down, 3x3, 1x1 up, beside the identity or, where shapes change, a 1x1 projection. */
static moc__value bottleneck(const place *block, moc__value input, int64_t width, int64_t stride, bool project) {
  moc__value x = convolution_and_norm(block, "conv1", "bn1", input, width, 1, 1);
  x = relu(block, "relu1", x);
  x = convolution_and_norm(block, "conv2", "bn2", x, width, 3, stride);
  x = relu(block, "relu2", x);
  x = convolution_and_norm(block, "conv3", "bn3", x, 4 * width, 1, 1);
  if (project) input = convolution_and_norm(block, "projection", "projection_bn", input, 4 * width, 1, stride);
  char name[64];
  snprintf(name, sizeof name, "%s.add", block->prefix);
  x = moc__add_values(block->net, name, x, input);
  return relu(block, "relu3", x);
}

moc_status moc__fill_resnet50(const int64_t *values, uint64_t seed, const moc_allocator *allocator,
                              moc_builder *builder, moc_error *error) {
  (void)seed;
  moc__network net;
  moc__network_init(&net, allocator, builder, values[RESNET_ELEMENT_BYTES], values[RESNET_PLAIN]);
  moc__shape images = {{values[RESNET_BATCH], 3, values[RESNET_SIDE], values[RESNET_SIDE]}};
  moc__value x = moc__network_input(&net, "images", images, 0);
  x = moc__convolution(&net, "conv1", x, 64, 7, 2, 3, false);
  x = moc__batch_norm(&net, "bn1", x);
  x = moc__relu(&net, "relu", x);
  x = moc__max_pool(&net, "maxpool", x, 3, 2, 1);
  for (int stage = 0; stage < 4; stage++)
    for (int i = 0; i < stages[stage].blocks; i++) {
      place block = {.net = &net};
      snprintf(block.prefix, sizeof block.prefix, "layer%d.%d", stage + 1, i);
      x = bottleneck(&block, x, stages[stage].width, i == 0 ? stages[stage].stride : 1, i == 0);
    }
  x = moc__average_pool(&net, "avgpool", x, 1);
  x = moc__flatten(&net, "flatten", x);
  x = moc__linear(&net, "fc", x, values[RESNET_CLASSES], true, MOC__NO_VALUE);
  moc__cross_entropy(&net, x, values[RESNET_CLASSES]);
  return moc__network_finish(&net, error);
}
