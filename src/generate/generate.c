/* The table of all kinds and the one way to make a graph of any of them: check the values, name the graph, let the
 * kind fill the builder, build. */
#include "generate/generate.h"

#include "base/base.h"
#include "generate/generators.h"

#include <inttypes.h>

#define ELEMENT_BYTES {"element-bytes", "bytes of a number: 4 (float32) or 2 (bfloat16)", 4, 2, 4}
#define PLAIN                                                                                                      \
  {"plain",                                                                                                        \
   "1: the paper's simple form, one output per operation and nothing else, for node-link files; 0: the "           \
   "full model",                                                                                                   \
   0, 0, 1}

static const moc__generator_option layered_options[] = {
    [LAYERED_NODES] = {"nodes", "operations", 100, 2, 1000000},
    [LAYERED_WIDTH] = {"width", "mean width of a layer, in thousandths of the square root of the operations", 700,
                       1, 100000},
    [LAYERED_VARIATION] = {"variation", "how far widths vary around their mean, in thousandths of it", 750, 0,
                           1000},
    [LAYERED_DENSITY] = {"density", "reads between neighbouring layers, in thousandths of all possible ones", 200,
                         0, 1000},
    [LAYERED_SKIP] = {"skip", "operations with a read across layers, in thousandths", 500, 0, 1000},
    [LAYERED_SIZE] = {"size", "largest output, bytes; many are much smaller", 8000, 1, 1000000000000},
    [LAYERED_DURATION] = {"duration", "longest duration; durations are uniform from 1", 1000, 1, 1000000000000},
};

static const moc__generator_option chain_options[] = {
    [CHAIN_LENGTH] = {"length", "forward operations", 50, 1, 1000000},
    [CHAIN_TRAINING] = {"training", "1: forward and backward pass; 0: forward pass only", 1, 0, 1},
    [CHAIN_RANDOM] = {"random", "1: sizes and durations drawn uniformly from 1; 0: all equal", 0, 0, 1},
    [CHAIN_BATCH] = {"batch", "factor on all sizes and durations", 1, 1, 1000000},
    [CHAIN_SIZE] = {"size", "output of one operation for a batch of 1, bytes; with --random 1 the largest", 1000, 1,
                    1000000000},
    [CHAIN_DURATION] = {"duration", "duration of a forward operation for a batch of 1; with --random 1 the longest",
                        100, 1, 1000000000},
};

static const moc__generator_option vgg_options[] = {
    [VGG_BATCH] = {"batch", "images in a batch", 64, 1, 65536},
    [VGG_SIDE] = {"side", "height and width of an image, a multiple of 32", 224, 32, 8192},
    [VGG_CLASSES] = {"classes", "classes to tell apart", 1000, 2, 1000000},
    [VGG_BATCH_NORM] = {"batch-norm", "1: batch normalisation after each convolution; 0: as published in 2014", 1,
                        0, 1},
    [VGG_DROPOUT] = {"dropout", "1: dropout in the classifier; 0: none", 1, 0, 1},
    [VGG_ELEMENT_BYTES] = ELEMENT_BYTES,
    [VGG_PLAIN] = PLAIN,
};

static const moc__generator_option resnet_options[] = {
    [RESNET_BATCH] = {"batch", "images in a batch", 64, 1, 65536},
    [RESNET_SIDE] = {"side", "height and width of an image", 224, 32, 8192},
    [RESNET_CLASSES] = {"classes", "classes to tell apart", 1000, 2, 1000000},
    [RESNET_ELEMENT_BYTES] = ELEMENT_BYTES,
    [RESNET_PLAIN] = PLAIN,
};

static const moc__generator_option unet_options[] = {
    [UNET_BATCH] = {"batch", "images in a batch", 16, 1, 65536},
    [UNET_SIDE] = {"side", "height and width of an image, a multiple of 16 (with --padded 0: 16 k + 12, from 188)",
                   256, 16, 8192},
    [UNET_CHANNELS] = {"channels", "channels of an image", 1, 1, 1024},
    [UNET_CLASSES] = {"classes", "classes of a pixel", 2, 2, 1024},
    [UNET_WIDTH] = {"width", "channels of the topmost level", 64, 1, 1024},
    [UNET_PADDED] = {"padded",
                     "1: convolutions keep the image's size; 0: they do not and skips are cropped, as "
                     "published in 2015",
                     1, 0, 1},
    [UNET_ELEMENT_BYTES] = ELEMENT_BYTES,
    [UNET_PLAIN] = PLAIN,
};

static const moc__generator_option transformer_options[] = {
    [TRANSFORMER_LAYERS] = {"layers", "transformer blocks", 12, 1, 10000},
    [TRANSFORMER_HIDDEN] = {"hidden", "width of the residual stream, a multiple of the heads", 768, 1, 65536},
    [TRANSFORMER_HEADS] = {"heads", "attention heads of a block", 12, 1, 1024},
    [TRANSFORMER_SEQUENCE] = {"sequence", "tokens in a sequence", 1024, 1, 131072},
    [TRANSFORMER_BATCH] = {"batch", "sequences in a batch", 8, 1, 65536},
    [TRANSFORMER_VOCABULARY] = {"vocabulary", "distinct tokens", 50257, 2, 1000000},
    [TRANSFORMER_DROPOUT] = {"dropout", "1: dropout, whose random masks are drawn once; 0: none", 1, 0, 1},
    [TRANSFORMER_ELEMENT_BYTES] = ELEMENT_BYTES,
    [TRANSFORMER_PLAIN] = PLAIN,
};

#define OPTIONS(array) (array), (int)(sizeof(array) / sizeof((array)[0]))

static const moc__generator generators[] = {
    {"layered", "a random graph in layers, like the graphs G1 to G4 of the Moccasin paper",
     OPTIONS(layered_options), true, moc__fill_layered},
    {"chain", "a chain of operations, with its backward pass or without", OPTIONS(chain_options), true,
     moc__fill_chain},
    {"vgg16", "a training step of the image classifier VGG16", OPTIONS(vgg_options), false, moc__fill_vgg16},
    {"resnet50", "a training step of the image classifier ResNet-50", OPTIONS(resnet_options), false,
     moc__fill_resnet50},
    {"unet", "a training step of the image segmenter U-Net", OPTIONS(unet_options), false, moc__fill_unet},
    {"transformer", "a training step of a GPT-style language model; the defaults are GPT-2 small",
     OPTIONS(transformer_options), false, moc__fill_transformer},
};

_Static_assert(LAYERED_OPTIONS <= MOC__MAX_GENERATOR_OPTIONS && CHAIN_OPTIONS <= MOC__MAX_GENERATOR_OPTIONS &&
                   VGG_OPTIONS <= MOC__MAX_GENERATOR_OPTIONS && RESNET_OPTIONS <= MOC__MAX_GENERATOR_OPTIONS &&
                   UNET_OPTIONS <= MOC__MAX_GENERATOR_OPTIONS && TRANSFORMER_OPTIONS <= MOC__MAX_GENERATOR_OPTIONS,
               "MOC__MAX_GENERATOR_OPTIONS is too small");

const moc__generator *moc__generators(int *count) {
  *count = (int)(sizeof(generators) / sizeof(generators[0]));
  return generators;
}

const moc__generator *moc__find_generator(const char *name) {
  int count;
  const moc__generator *all = moc__generators(&count);
  for (int i = 0; i < count; i++)
    if (strcmp(all[i].name, name) == 0) return &all[i];
  return NULL;
}

int moc__find_generator_option(const moc__generator *generator, const char *name) {
  for (int i = 0; i < generator->n_options; i++)
    if (strcmp(generator->options[i].name, name) == 0) return i;
  return -1;
}

void moc__generator_defaults(const moc__generator *generator, int64_t *values) {
  for (int i = 0; i < generator->n_options; i++) values[i] = generator->options[i].value_default;
}

static moc_status check_values(const moc__generator *generator, const int64_t *values, moc_error *error) {
  for (int i = 0; i < generator->n_options; i++) {
    const moc__generator_option *option = &generator->options[i];
    if (values[i] < option->low || values[i] > option->high)
      return moc__fail(error, MOC_INVALID_ARGUMENT, option->name,
                       "expected a whole number from %" PRId64 " to %" PRId64 " (%s), got %" PRId64, option->low,
                       option->high, option->help, values[i]);
    if (strcmp(option->name, "element-bytes") == 0 && values[i] == 3)
      return moc__fail(error, MOC_INVALID_ARGUMENT, option->name, "expected 4 (float32) or 2 (bfloat16), got 3");
  }
  return MOC_OK;
}

static moc_status set_name(const moc__generator *generator, const int64_t *values, uint64_t seed,
                           const moc_allocator *allocator, moc_builder *builder, moc_error *error) {
  moc__text name;
  moc__text_init(&name, allocator);
  moc__text_printf(&name, "%s", generator->name);
  for (int i = 0; i < generator->n_options; i++)
    if (values[i] != generator->options[i].value_default)
      moc__text_printf(&name, " %s=%" PRId64, generator->options[i].name, values[i]);
  if (generator->seeded) moc__text_printf(&name, " seed=%" PRIu64, seed);
  moc_status status = name.failed ? moc__out_of_memory(error) : moc_builder_set_name(builder, name.data, error);
  moc__text_release(&name);
  return status;
}

moc_status moc__generate(const moc__generator *generator, const int64_t *values, uint64_t seed,
                         const moc_allocator *allocator, moc_graph **graph, moc_error *error) {
  int64_t defaults[MOC__MAX_GENERATOR_OPTIONS];
  if (!values) {
    moc__generator_defaults(generator, defaults);
    values = defaults;
  }
  moc_status status = check_values(generator, values, error);
  if (status) return status;
  moc_allocator own = moc__allocator_or_default(allocator);
  moc_builder *builder = moc_builder_create(&own);
  if (!builder) return moc__out_of_memory(error);
  status = set_name(generator, values, seed, &own, builder, error);
  if (!status) status = generator->fill(values, seed, &own, builder, error);
  if (!status) status = moc_builder_build(builder, graph, error);
  moc_builder_destroy(builder);
  return status;
}
