/* Layers for values of any shape: linear, activations, dropout, sums, the loss. */
#include "base/base.h"
#include "generate/cost_model.h"
#include "generate/layers.h"

#include <inttypes.h>
#include <stdio.h>

static int64_t times(int64_t factor, moc__shape shape) {
  return moc__cost_times(factor, moc__shape_elements(shape));
}

moc__value moc__linear(moc__network *network, const char *name, moc__value x, int64_t features, bool bias,
                       moc__value weight) {
  moc__shape in = moc__network_shape(network, x), out = in;
  out.dim[2] = features;
  moc__value w = weight, b = MOC__NO_VALUE, y;
  if (weight == MOC__NO_VALUE)
    w = moc__network_parameter(network, name, "weight", (moc__shape){{features, in.dim[2], 1, 1}});
  if (bias) b = moc__network_parameter(network, name, "bias", (moc__shape){{features, 1, 1, 1}});

  char label[64];
  snprintf(label, sizeof label, "linear %" PRId64 " -> %" PRId64, in.dim[2], features);
  int64_t flops = moc__cost_times(2 * in.dim[2], moc__shape_elements(out));
  moc__forward forward = {.name = name, .label = label, .flops = flops};
  forward.reads[forward.n_reads++] = x;
  forward.reads[forward.n_reads++] = w;
  if (bias) forward.reads[forward.n_reads++] = b;
  forward.outputs[forward.n_outputs++] = (moc__output){.shape = out};
  moc__network_forward(network, &forward, &y);

  moc__network_backward(network, name,
                        &(moc__backward){.suffix = "grad_input",
                                         .flops = flops,
                                         .of = {y},
                                         .n_of = 1,
                                         .saved = {w},
                                         .n_saved = 1,
                                         .gives = {x},
                                         .n_gives = 1});
  moc__network_backward(network, name,
                        &(moc__backward){.suffix = "grad_weight",
                                         .flops = flops,
                                         .of = {y},
                                         .n_of = 1,
                                         .saved = {x},
                                         .n_saved = 1,
                                         .gives = {w, b},
                                         .n_gives = bias ? 2 : 1});
  return y;
}

/* An element-wise function whose backward operation reads `saved`: its input or its output. */
static moc__value activation(moc__network *network, const char *name, const char *label, moc__value x,
                             int64_t flops, bool saves_output) {
  moc__shape shape = moc__network_shape(network, x);
  moc__value y;
  moc__network_forward(network,
                       &(moc__forward){.name = name,
                                       .label = label,
                                       .flops = times(flops, shape),
                                       .reads = {x},
                                       .n_reads = 1,
                                       .outputs = {{.shape = shape}},
                                       .n_outputs = 1},
                       &y);
  moc__network_backward(network, name,
                        &(moc__backward){.suffix = "backward",
                                         .flops = times(flops, shape),
                                         .of = {y},
                                         .n_of = 1,
                                         .saved = {saves_output ? y : x},
                                         .n_saved = 1,
                                         .gives = {x},
                                         .n_gives = 1});
  return y;
}

moc__value moc__relu(moc__network *network, const char *name, moc__value x) {
  return activation(network, name, "ReLU", x, 1, true);
}

moc__value moc__gelu(moc__network *network, const char *name, moc__value x) {
  return activation(network, name, "GELU", x, 10, false);
}

moc__value moc__dropout(moc__network *network, const char *name, moc__value x) {
  moc__shape shape = moc__network_shape(network, x);
  moc__value mask, y;
  char mask_name[64];
  snprintf(mask_name, sizeof mask_name, "%s.mask", name);
  moc__network_forward(network,
                       &(moc__forward){.name = mask_name,
                                       .label = "random mask",
                                       .flops = times(10, shape),
                                       .compute_once = true,
                                       .outputs = {{.shape = shape, .element_bytes = 1, .constant = true}},
                                       .n_outputs = 1},
                       &mask);
  moc__network_forward(network,
                       &(moc__forward){.name = name,
                                       .label = "dropout",
                                       .flops = times(2, shape),
                                       .reads = {x, mask},
                                       .n_reads = 2,
                                       .outputs = {{.shape = shape}},
                                       .n_outputs = 1},
                       &y);
  moc__network_backward(network, name,
                        &(moc__backward){.suffix = "backward",
                                         .flops = times(2, shape),
                                         .of = {y},
                                         .n_of = 1,
                                         .saved = {mask},
                                         .n_saved = 1,
                                         .gives = {x},
                                         .n_gives = 1});
  return y;
}

moc__value moc__add_values(moc__network *network, const char *name, moc__value a, moc__value b) {
  moc__shape shape = moc__network_shape(network, a);
  moc__value y;
  moc__network_forward(network,
                       &(moc__forward){.name = name,
                                       .label = "sum",
                                       .flops = times(1, shape),
                                       .reads = {a, b},
                                       .n_reads = 2,
                                       .outputs = {{.shape = shape}},
                                       .n_outputs = 1},
                       &y);
  moc__network_backward(network, name,
                        &(moc__backward){.kind = MOC__PASSES, .of = {y}, .n_of = 1, .gives = {a, b}, .n_gives = 2});
  return y;
}

void moc__cross_entropy(moc__network *network, moc__value logits, int64_t classes) {
  moc__shape shape = moc__network_shape(network, logits), scalar = {{1, 1, 1, 1}};
  moc__shape rows = {{moc__shape_elements(shape) / classes, 1, 1, 1}};
  moc__value targets = moc__network_input(network, "targets", rows, 8), outputs[2];
  moc__network_forward(
      network,
      &(moc__forward){
          .name = "loss",
          .label = "cross-entropy",
          .flops = times(5, shape),
          .reads = {logits, targets},
          .n_reads = 2,
          .outputs = {{.shape = scalar, .element_bytes = 4, .keep = true},
                      {.suffix = "log_probabilities", .shape = shape, .element_bytes = 4, .constant = true}},
          .n_outputs = 2},
      outputs);
  moc__network_backward(network, "loss",
                        &(moc__backward){.suffix = "backward",
                                         .flops = times(3, shape),
                                         .saved = {outputs[1], targets},
                                         .n_saved = 2,
                                         .gives = {logits},
                                         .n_gives = 1});
}
