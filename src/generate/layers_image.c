/* Layers for batches of images [batch, channels, height, width]. */
#include "base/base.h"
#include "generate/cost_model.h"
#include "generate/layers.h"

#include <inttypes.h>
#include <stdio.h>

enum { N, C, H, W };

static int64_t times(int64_t factor, moc__shape shape) {
  return moc__cost_times(factor, moc__shape_elements(shape));
}

/* The operations that all convolutions have: y from x, weight and bias; then the gradients of each. */
static moc__value convolve(moc__network *network, const char *name, const char *label, moc__value x, moc__shape out,
                           moc__shape kernel, bool bias, int64_t flops, int64_t workspace) {
  moc__value w = moc__network_parameter(network, name, "weight", kernel), b = MOC__NO_VALUE, y;
  if (bias) b = moc__network_parameter(network, name, "bias", (moc__shape){{out.dim[C], 1, 1, 1}});
  moc__network_forward(network,
                       &(moc__forward){.name = name,
                                       .label = label,
                                       .flops = flops,
                                       .workspace = workspace,
                                       .reads = {x, w, b},
                                       .n_reads = bias ? 3 : 2,
                                       .outputs = {{.shape = out}},
                                       .n_outputs = 1},
                       &y);
  moc__network_backward(network, name,
                        &(moc__backward){.suffix = "grad_input",
                                         .flops = flops,
                                         .workspace = workspace,
                                         .of = {y},
                                         .n_of = 1,
                                         .saved = {w},
                                         .n_saved = 1,
                                         .gives = {x},
                                         .n_gives = 1});
  moc__network_backward(network, name,
                        &(moc__backward){.suffix = "grad_weight",
                                         .flops = flops,
                                         .workspace = workspace,
                                         .of = {y},
                                         .n_of = 1,
                                         .saved = {x},
                                         .n_saved = 1,
                                         .gives = {w, b},
                                         .n_gives = bias ? 2 : 1});
  return y;
}

moc__value moc__convolution(moc__network *network, const char *name, moc__value x, int64_t channels, int64_t kernel,
                            int64_t stride, int64_t padding, bool bias) {
  moc__shape in = moc__network_shape(network, x), out = in;
  out.dim[C] = channels;
  for (int i = H; i <= W; i++) out.dim[i] = (in.dim[i] + 2 * padding - kernel) / stride + 1;
  int64_t taps = moc__cost_times(in.dim[C], kernel * kernel);
  int64_t flops = times(2 * taps, out);
  /* A product of matrices as they are needs no lowering. */
  bool direct = kernel == 1 && stride == 1;
  int64_t workspace = direct ? 0 : moc__cost_lowering(network->element_bytes, taps, out.dim[H] * out.dim[W]);
  char label[96];
  snprintf(label, sizeof label,
           "convolution %" PRId64 "x%" PRId64 " %" PRId64 " -> %" PRId64 ", %" PRId64 "x%" PRId64, kernel, kernel,
           in.dim[C], channels, out.dim[H], out.dim[W]);
  moc__shape weight = {{channels, in.dim[C], kernel, kernel}};
  return convolve(network, name, label, x, out, weight, bias, flops, workspace);
}

moc__value moc__up_convolution(moc__network *network, const char *name, moc__value x, int64_t channels) {
  moc__shape in = moc__network_shape(network, x), out = in;
  out.dim[C] = channels;
  for (int i = H; i <= W; i++) out.dim[i] = 2 * in.dim[i];
  int64_t flops = times(2 * in.dim[C], out); /* every output number has one tap in each input channel */
  int64_t workspace = moc__cost_lowering(network->element_bytes, 4 * channels, in.dim[H] * in.dim[W]);
  char label[96];
  snprintf(label, sizeof label, "transposed convolution 2x2 %" PRId64 " -> %" PRId64 ", %" PRId64 "x%" PRId64,
           in.dim[C], channels, out.dim[H], out.dim[W]);
  moc__shape weight = {{in.dim[C], channels, 2, 2}};
  return convolve(network, name, label, x, out, weight, true, flops, workspace);
}

moc__value moc__batch_norm(moc__network *network, const char *name, moc__value x) {
  moc__shape shape = moc__network_shape(network, x), channels = {{shape.dim[C], 1, 1, 1}};
  moc__value weight = moc__network_parameter(network, name, "weight", channels);
  moc__value bias = moc__network_parameter(network, name, "bias", channels);
  moc__value outputs[3];
  moc__network_forward(
      network,
      &(moc__forward){.name = name,
                      .label = "batch normalisation",
                      .flops = times(8, shape),
                      .reads = {x, weight, bias},
                      .n_reads = 3,
                      .outputs = {{.shape = shape},
                                  {.suffix = "mean", .shape = channels, .element_bytes = 4, .constant = true},
                                  {.suffix = "rstd", .shape = channels, .element_bytes = 4, .constant = true}},
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

moc__value moc__max_pool(moc__network *network, const char *name, moc__value x, int64_t kernel, int64_t stride,
                         int64_t padding) {
  moc__shape in = moc__network_shape(network, x), out = in;
  for (int i = H; i <= W; i++) out.dim[i] = (in.dim[i] + 2 * padding - kernel) / stride + 1;
  moc__value outputs[2];
  moc__network_forward(
      network,
      &(moc__forward){
          .name = name,
          .label = "maximum pooling",
          .flops = times(kernel * kernel, out),
          .reads = {x},
          .n_reads = 1,
          .outputs = {{.shape = out}, {.suffix = "indices", .shape = out, .element_bytes = 8, .constant = true}},
          .n_outputs = 2},
      outputs);
  moc__network_backward(network, name,
                        &(moc__backward){.suffix = "backward",
                                         .flops = moc__shape_elements(in),
                                         .of = {outputs[0]},
                                         .n_of = 1,
                                         .saved = {outputs[1]},
                                         .n_saved = 1,
                                         .gives = {x},
                                         .n_gives = 1});
  return outputs[0];
}

/* A layer of one input and one output whose backward operation reads nothing but the gradient. */
static moc__value simple(moc__network *network, const moc__forward *forward, const moc__backward *backward) {
  moc__value y;
  moc__network_forward(network, forward, &y);
  moc__backward rule = *backward;
  rule.of[0] = y;
  rule.n_of = 1;
  for (int i = 0; i < forward->n_reads; i++) rule.gives[i] = forward->reads[i];
  rule.n_gives = forward->n_reads;
  moc__network_backward(network, forward->name, &rule);
  return y;
}

moc__value moc__average_pool(moc__network *network, const char *name, moc__value x, int64_t side) {
  moc__shape in = moc__network_shape(network, x), out = in;
  out.dim[H] = out.dim[W] = side;
  return simple(network,
                &(moc__forward){.name = name,
                                .label = "average pooling",
                                .flops = moc__shape_elements(in),
                                .reads = {x},
                                .n_reads = 1,
                                .outputs = {{.shape = out}},
                                .n_outputs = 1},
                &(moc__backward){.suffix = "backward", .flops = moc__shape_elements(in)});
}

moc__value moc__crop(moc__network *network, const char *name, moc__value x, int64_t height, int64_t width) {
  moc__shape in = moc__network_shape(network, x), out = {{in.dim[N], in.dim[C], height, width}};
  /* The gradient is a copy into the middle of zeros. */
  return simple(network,
                &(moc__forward){.name = name,
                                .label = "crop",
                                .view = true,
                                .reads = {x},
                                .n_reads = 1,
                                .outputs = {{.shape = out}},
                                .n_outputs = 1},
                &(moc__backward){.suffix = "backward"});
}

moc__value moc__concatenate(moc__network *network, const char *name, moc__value a, moc__value b) {
  moc__shape out = moc__network_shape(network, a);
  out.dim[C] += moc__network_shape(network, b).dim[C];
  return simple(network,
                &(moc__forward){.name = name,
                                .label = "concatenation",
                                .reads = {a, b},
                                .n_reads = 2,
                                .outputs = {{.shape = out}},
                                .n_outputs = 1},
                &(moc__backward){.kind = MOC__VIEWS, .suffix = "backward"});
}

moc__value moc__flatten(moc__network *network, const char *name, moc__value x) {
  moc__shape in = moc__network_shape(network, x);
  moc__shape out = {{1, in.dim[N], in.dim[C] * in.dim[H] * in.dim[W], 1}};
  return simple(network,
                &(moc__forward){.name = name,
                                .label = "reshape",
                                .view = true,
                                .reads = {x},
                                .n_reads = 1,
                                .outputs = {{.shape = out}},
                                .n_outputs = 1},
                &(moc__backward){.kind = MOC__VIEWS, .suffix = "backward"});
}
