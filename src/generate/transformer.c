/* A GPT-style language model: Radford et al., "Language Models are Unsupervised Multitask Learners" (2019), that is
 * GPT-2: learned positions, normalisation before each half of a block, GELU, the output layer shares the table of
 * the token embedding. Attention is spelled out, so that its tokens x tokens matrices are tensors of the graph. */
#include "base/base.h"
#include "generate/generators.h"
#include "generate/layers.h"

#include <inttypes.h>
#include <stdio.h>

typedef struct context {
  moc__network *net;
  int64_t hidden, heads;
  bool dropout;
  char name[64]; /* of the layer being added */
} context;

static const char *named(context *model, int64_t block, const char *layer) {
  snprintf(model->name, sizeof model->name, "h.%" PRId64 ".%s", block, layer);
  return model->name;
}

static moc__value maybe_dropout(context *model, int64_t block, const char *layer, moc__value x) {
  return model->dropout ? moc__dropout(model->net, named(model, block, layer), x) : x;
}

static moc__value attention(context *model, int64_t block, moc__value x) {
  moc__network *net = model->net;
  moc__value parts[3];
  x = moc__linear(net, named(model, block, "attn.qkv"), x, 3 * model->hidden, true, MOC__NO_VALUE);
  moc__split_heads(net, named(model, block, "attn.split"), x, model->heads, parts);
  x = moc__attention_scores(net, named(model, block, "attn.scores"), parts[0], parts[1]);
  x = moc__causal_softmax(net, named(model, block, "attn.softmax"), x);
  x = maybe_dropout(model, block, "attn.dropout", x);
  x = moc__attention_apply(net, named(model, block, "attn.apply"), x, parts[2]);
  x = moc__merge_heads(net, named(model, block, "attn.merge"), x);
  x = moc__linear(net, named(model, block, "attn.proj"), x, model->hidden, true, MOC__NO_VALUE);
  return maybe_dropout(model, block, "attn.proj_dropout", x);
}

static moc__value feed_forward(context *model, int64_t block, moc__value x) {
  moc__network *net = model->net;
  x = moc__linear(net, named(model, block, "mlp.up"), x, 4 * model->hidden, true, MOC__NO_VALUE);
  x = moc__gelu(net, named(model, block, "mlp.gelu"), x);
  x = moc__linear(net, named(model, block, "mlp.down"), x, model->hidden, true, MOC__NO_VALUE);
  return maybe_dropout(model, block, "mlp.dropout", x);
}

moc_status moc__fill_transformer(const int64_t *values, uint64_t seed, const moc_allocator *allocator,
                                 moc_builder *builder, moc_error *error) {
  (void)seed;
  int64_t hidden = values[TRANSFORMER_HIDDEN], heads = values[TRANSFORMER_HEADS];
  int64_t vocabulary = values[TRANSFORMER_VOCABULARY], sequence = values[TRANSFORMER_SEQUENCE];
  if (hidden % heads)
    return moc__fail(error, MOC_INVALID_ARGUMENT, "hidden",
                     "expected a multiple of the heads, %" PRId64 ", got %" PRId64, heads, hidden);
  moc__network network, *net = &network;
  moc__network_init(net, allocator, builder, values[TRANSFORMER_ELEMENT_BYTES], values[TRANSFORMER_PLAIN]);
  context model = {.net = net, .hidden = hidden, .heads = heads, .dropout = values[TRANSFORMER_DROPOUT]};

  moc__shape batch_shape = {{values[TRANSFORMER_BATCH], sequence, 1, 1}};
  moc__value tokens = moc__network_input(net, "tokens", batch_shape, 8), table, unused;
  moc__value places = moc__network_input(net, "positions", (moc__shape){{1, sequence, 1, 1}}, 8);
  moc__value x = moc__embedding(net, "token_embedding", tokens, vocabulary, hidden, &table);
  moc__value position = moc__embedding(net, "position_embedding", places, sequence, hidden, &unused);
  x = moc__add_to_each(net, "embedding", x, position);
  if (model.dropout) x = moc__dropout(net, "embedding.dropout", x);
  for (int64_t block = 0; block < values[TRANSFORMER_LAYERS]; block++) {
    moc__value y = moc__layer_norm(net, named(&model, block, "ln1"), x);
    y = attention(&model, block, y);
    x = moc__add_values(net, named(&model, block, "add1"), x, y);
    y = moc__layer_norm(net, named(&model, block, "ln2"), x);
    y = feed_forward(&model, block, y);
    x = moc__add_values(net, named(&model, block, "add2"), x, y);
  }
  x = moc__layer_norm(net, "final_ln", x);
  x = moc__linear(net, "head", x, vocabulary, false, table);
  moc__cross_entropy(net, x, vocabulary);
  return moc__network_finish(net, error);
}
