/* The options of each kind, in the order of its table, and the functions that fill a builder. */
#ifndef MOC_GENERATE_GENERATORS_H
#define MOC_GENERATE_GENERATORS_H

#include "generate/generate.h"

enum {
  LAYERED_NODES,
  LAYERED_WIDTH,
  LAYERED_VARIATION,
  LAYERED_DENSITY,
  LAYERED_SKIP,
  LAYERED_SIZE,
  LAYERED_DURATION,
  LAYERED_OPTIONS
};
enum { CHAIN_LENGTH, CHAIN_TRAINING, CHAIN_RANDOM, CHAIN_BATCH, CHAIN_SIZE, CHAIN_DURATION, CHAIN_OPTIONS };
enum { VGG_BATCH, VGG_SIDE, VGG_CLASSES, VGG_BATCH_NORM, VGG_DROPOUT, VGG_ELEMENT_BYTES, VGG_PLAIN, VGG_OPTIONS };
enum { RESNET_BATCH, RESNET_SIDE, RESNET_CLASSES, RESNET_ELEMENT_BYTES, RESNET_PLAIN, RESNET_OPTIONS };
enum {
  UNET_BATCH,
  UNET_SIDE,
  UNET_CHANNELS,
  UNET_CLASSES,
  UNET_WIDTH,
  UNET_PADDED,
  UNET_ELEMENT_BYTES,
  UNET_PLAIN,
  UNET_OPTIONS
};
enum {
  TRANSFORMER_LAYERS,
  TRANSFORMER_HIDDEN,
  TRANSFORMER_HEADS,
  TRANSFORMER_SEQUENCE,
  TRANSFORMER_BATCH,
  TRANSFORMER_VOCABULARY,
  TRANSFORMER_DROPOUT,
  TRANSFORMER_ELEMENT_BYTES,
  TRANSFORMER_PLAIN,
  TRANSFORMER_OPTIONS
};

#define MOC__FILL(name)                                                                                            \
  moc_status name(const int64_t *values, uint64_t seed, const moc_allocator *allocator, moc_builder *builder,      \
                  moc_error *error)

MOC__FILL(moc__fill_layered);
MOC__FILL(moc__fill_chain);
MOC__FILL(moc__fill_vgg16);
MOC__FILL(moc__fill_resnet50);
MOC__FILL(moc__fill_unet);
MOC__FILL(moc__fill_transformer);

#endif
