/* Layers for batches of sequences [batch, tokens, features, 1] and for attention heads
 * [batch, heads, tokens, features]. */
#include "base/base.h"
#include "generate/cost_model.h"
#include "generate/layers.h"

static int64_t times(int64_t factor, moc__shape shape) {
  return moc__cost_times(factor, moc__shape_elements(shape));
}

moc__value moc__embedding(moc__network *network, const char *name, moc__value tokens, int64_t vocabulary,
                          int64_t features, moc__value *table) {
  moc__shape in = moc__network_shape(network, tokens), out = {{in.dim[0], in.dim[1], features, 1}};
  *table = moc__network_parameter(network, name, "weight", (moc__shape){{vocabulary, features, 1, 1}});
  moc__value y;
  /* Only the rows that are looked up are read. */
  int64_t moved = moc__cost_plus(times(2 * network->element_bytes, out), times(8, in));
  moc__network_forward(network,
                       &(moc__forward){.name = name,
                                       .label = "embedding",
                                       .bytes_moved = moved,
                                       .reads = {tokens, *table},
                                       .n_reads = 2,
                                       .outputs = {{.shape = out}},
                                       .n_outputs = 1},
                       &y);
  moc__network_backward(network, name,
                        &(moc__backward){.suffix = "grad_weight",
                                         .flops = moc__shape_elements(out),
                                         .of = {y},
                                         .n_of = 1,
                                         .saved = {tokens},
                                         .n_saved = 1,
                                         .gives = {*table},
                                         .n_gives = 1});
  return y;
}

moc__value moc__add_to_each(moc__network *network, const char *name, moc__value a, moc__value b) {
  moc__shape shape = moc__network_shape(network, a);
  moc__value y;
  moc__network_forward(network,
                       &(moc__forward){.name = name,
                                       .label = "sum",
                                       .flops = moc__shape_elements(shape),
                                       .reads = {a, b},
                                       .n_reads = 2,
                                       .outputs = {{.shape = shape}},
                                       .n_outputs = 1},
                       &y);
  moc__network_backward(network, name,
                        &(moc__backward){.kind = MOC__PASSES, .of = {y}, .n_of = 1, .gives = {a}, .n_gives = 1});
  moc__network_backward(network, name,
                        &(moc__backward){.suffix = "backward",
                                         .flops = moc__shape_elements(shape),
                                         .of = {y},
                                         .n_of = 1,
                                         .gives = {b},
                                         .n_gives = 1});
  return y;
}

moc__value moc__layer_norm(moc__network *network, const char *name, moc__value x) {
  moc__shape shape = moc__network_shape(network, x), features = {{shape.dim[2], 1, 1, 1}};
  moc__shape rows = {{shape.dim[0], shape.dim[1], 1, 1}};
  moc__value weight = moc__network_parameter(network, name, "weight", features);
  moc__value bias = moc__network_parameter(network, name, "bias", features);
  moc__value outputs[3];
  moc__network_forward(
      network,
      &(moc__forward){.name = name,
                      .label = "layer normalisation",
                      .flops = times(8, shape),
                      .reads = {x, weight, bias},
                      .n_reads = 3,
                      .outputs = {{.shape = shape},
                                  {.suffix = "mean", .shape = rows, .element_bytes = 4, .constant = true},
                                  {.suffix = "rstd", .shape = rows, .element_bytes = 4, .constant = true}},
                      .n_outputs = 3},
      outputs);
  moc__network_backward(network, name,
                        &(moc__backward){.suffix = "backward",
                                         .flops = times(12, shape),
                                         .of = {outputs[0]},
                                         .n_of = 1,
                                         .saved = {x, weight, outputs[1], outputs[2]},
                                         .n_saved = 4,
                                         .gives = {x, weight, bias},
                                         .n_gives = 3});
  return outputs[0];
}

void moc__split_heads(moc__network *network, const char *name, moc__value x, int64_t heads, moc__value parts[3]) {
  moc__shape in = moc__network_shape(network, x);
  moc__shape out = {{in.dim[0], heads, in.dim[1], in.dim[2] / 3 / heads}};
  moc__network_forward(network,
                       &(moc__forward){.name = name,
                                       .label = "queries, keys and values by heads",
                                       .view = true,
                                       .reads = {x},
                                       .n_reads = 1,
                                       .outputs = {{.suffix = "queries", .shape = out},
                                                   {.suffix = "keys", .shape = out},
                                                   {.suffix = "values", .shape = out}},
                                       .n_outputs = 3},
                       parts);
  /* The three gradients are put side by side: a copy. */
  moc__network_backward(
      network, name,
      &(moc__backward){
          .suffix = "backward", .of = {parts[0], parts[1], parts[2]}, .n_of = 3, .gives = {x}, .n_gives = 1});
}

/* A matrix product for each head of each sequence. */
static moc__value product(moc__network *network, const char *name, const char *label, moc__value a, moc__value b,
                          moc__shape out, int64_t inner) {
  int64_t flops = times(2 * inner, out);
  moc__value y;
  moc__network_forward(network,
                       &(moc__forward){.name = name,
                                       .label = label,
                                       .flops = flops,
                                       .reads = {a, b},
                                       .n_reads = 2,
                                       .outputs = {{.shape = out}},
                                       .n_outputs = 1},
                       &y);
  moc__network_backward(network, name,
                        &(moc__backward){.suffix = "grad_first",
                                         .flops = flops,
                                         .of = {y},
                                         .n_of = 1,
                                         .saved = {b},
                                         .n_saved = 1,
                                         .gives = {a},
                                         .n_gives = 1});
  moc__network_backward(network, name,
                        &(moc__backward){.suffix = "grad_second",
                                         .flops = flops,
                                         .of = {y},
                                         .n_of = 1,
                                         .saved = {a},
                                         .n_saved = 1,
                                         .gives = {b},
                                         .n_gives = 1});
  return y;
}

moc__value moc__attention_scores(moc__network *network, const char *name, moc__value queries, moc__value keys) {
  moc__shape in = moc__network_shape(network, queries);
  moc__shape out = {{in.dim[0], in.dim[1], in.dim[2], in.dim[2]}};
  return product(network, name, "queries times keys", queries, keys, out, in.dim[3]);
}

moc__value moc__attention_apply(moc__network *network, const char *name, moc__value weights, moc__value values) {
  moc__shape out = moc__network_shape(network, values);
  return product(network, name, "attention times values", weights, values, out, out.dim[2]);
}

moc__value moc__causal_softmax(moc__network *network, const char *name, moc__value x) {
  moc__shape shape = moc__network_shape(network, x);
  moc__value y;
  moc__network_forward(network,
                       &(moc__forward){.name = name,
                                       .label = "scale, causal mask, softmax",
                                       .flops = times(6, shape),
                                       .reads = {x},
                                       .n_reads = 1,
                                       .outputs = {{.shape = shape}},
                                       .n_outputs = 1},
                       &y);
  moc__network_backward(network, name,
                        &(moc__backward){.suffix = "backward",
                                         .flops = times(5, shape),
                                         .of = {y},
                                         .n_of = 1,
                                         .saved = {y},
                                         .n_saved = 1,
                                         .gives = {x},
                                         .n_gives = 1});
  return y;
}

moc__value moc__merge_heads(moc__network *network, const char *name, moc__value x) {
  moc__shape in = moc__network_shape(network, x);
  moc__shape out = {{in.dim[0], in.dim[2], moc__cost_times(in.dim[1], in.dim[3]), 1}};
  moc__value y;
  moc__network_forward(network,
                       &(moc__forward){.name = name,
                                       .label = "heads side by side",
                                       .reads = {x},
                                       .n_reads = 1,
                                       .outputs = {{.shape = out}},
                                       .n_outputs = 1},
                       &y);
  moc__network_backward(
      network, name,
      &(moc__backward){.kind = MOC__VIEWS, .suffix = "backward", .of = {y}, .n_of = 1, .gives = {x}, .n_gives = 1});
  return y;
}
