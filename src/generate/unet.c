/* U-Net: Ronneberger, Fischer and Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation" (2015).
 * Four levels down and up again, two 3x3 convolutions with ReLU on each level, twice the channels on each level
 * down. As published, convolutions are not padded and the skip connections are cropped; padded is what most use. */
#include "base/base.h"
#include "generate/generators.h"
#include "generate/layers.h"

#include <inttypes.h>
#include <stdio.h>

#define LEVELS 4

static moc__value two_convolutions(moc__network *net, const char *prefix, moc__value x, int64_t channels,
                                   int64_t padding) {
  char name[64];
  for (int i = 1; i <= 2; i++) {
    snprintf(name, sizeof name, "%s.conv%d", prefix, i);
    x = moc__convolution(net, name, x, channels, 3, 1, padding, true);
    snprintf(name, sizeof name, "%s.relu%d", prefix, i);
    x = moc__relu(net, name, x);
  }
  return x;
}

/* Bring x up a level and let it join what left that level on the way down. */
static moc__value join(moc__network *net, const char *prefix, moc__value x, moc__value skip, int64_t channels) {
  char name[80];
  snprintf(name, sizeof name, "%s.up", prefix);
  x = moc__up_convolution(net, name, x, channels);
  moc__shape wanted = moc__network_shape(net, x), have = moc__network_shape(net, skip);
  if (have.dim[2] != wanted.dim[2]) {
    snprintf(name, sizeof name, "%s.crop", prefix);
    skip = moc__crop(net, name, skip, wanted.dim[2], wanted.dim[3]);
  }
  snprintf(name, sizeof name, "%s.concatenate", prefix);
  return moc__concatenate(net, name, skip, x);
}

static moc_status check_side(int64_t side, bool padded, moc_error *error) {
  if (padded && side % 16)
    return moc__fail(error, MOC_INVALID_ARGUMENT, "side", "expected a multiple of 16, got %" PRId64, side);
  if (!padded && (side % 16 != 12 || side < 188))
    return moc__fail(error, MOC_INVALID_ARGUMENT, "side",
                     "without padding, expected one of 188, 204, 220, ... (572 as published), got %" PRId64, side);
  return MOC_OK;
}

moc_status moc__fill_unet(const int64_t *values, uint64_t seed, const moc_allocator *allocator,
                          moc_builder *builder, moc_error *error) {
  (void)seed;
  int64_t side = values[UNET_SIDE], padding = values[UNET_PADDED];
  moc_status status = check_side(side, padding, error);
  if (status) return status;
  moc__network net;
  moc__network_init(&net, allocator, builder, values[UNET_ELEMENT_BYTES], values[UNET_PLAIN]);
  moc__shape images = {{values[UNET_BATCH], values[UNET_CHANNELS], side, side}};
  moc__value x = moc__network_input(&net, "images", images, 0), skips[LEVELS];

  char name[32];
  for (int level = 0; level < LEVELS; level++) {
    snprintf(name, sizeof name, "down%d", level + 1);
    skips[level] = two_convolutions(&net, name, x, values[UNET_WIDTH] << level, padding);
    snprintf(name, sizeof name, "down%d.pool", level + 1);
    x = moc__max_pool(&net, name, skips[level], 2, 2, 0);
  }
  x = two_convolutions(&net, "bottom", x, values[UNET_WIDTH] << LEVELS, padding);
  for (int level = LEVELS - 1; level >= 0; level--) {
    snprintf(name, sizeof name, "up%d", level + 1);
    x = join(&net, name, x, skips[level], values[UNET_WIDTH] << level);
    x = two_convolutions(&net, name, x, values[UNET_WIDTH] << level, padding);
  }
  x = moc__convolution(&net, "classify", x, values[UNET_CLASSES], 1, 1, 0, true);
  moc__cross_entropy(&net, x, values[UNET_CLASSES]);
  return moc__network_finish(&net, error);
}
