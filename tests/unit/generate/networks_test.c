/* Training graphs of networks: known counts of parameters and arithmetic, what the backward pass reads, the cost
 * model, and that a budget well below the peak makes sense. */
#include "generate/cost_model.h"
#include "make.h"

#include <stdio.h>

static moc_op find(const moc_graph *graph, const char *name) {
  moc_op op = moc_graph_find_op(graph, name, false);
  if (op == MOC_NONE) fail_msg("there is no operation %s", name);
  return op;
}

static moc_tensor find_tensor(const moc_graph *graph, const char *name) {
  for (moc_tensor tensor = 0; tensor < moc_graph_tensors(graph); tensor++)
    if (strcmp(moc_graph_tensor_name(graph, tensor), name) == 0) return tensor;
  fail_msg("there is no tensor %s", name);
  return MOC_NONE;
}

static int64_t size_of(const moc_graph *graph, const char *name) {
  return moc_graph_tensor_size(graph, find_tensor(graph, name));
}

static bool ends_with(const char *text, const char *end) {
  size_t a = strlen(text), b = strlen(end);
  return a >= b && strcmp(text + a - b, end) == 0;
}

static bool is_parameter(const moc_graph *graph, moc_tensor tensor) {
  return moc_graph_tensor_producer(graph, tensor) == MOC_NONE && moc_graph_tensor_keep(graph, tensor);
}

static int64_t parameters(const moc_graph *graph, int64_t element_bytes) {
  int64_t bytes = 0;
  for (moc_tensor tensor = 0; tensor < moc_graph_tensors(graph); tensor++)
    if (is_parameter(graph, tensor)) bytes += moc_graph_tensor_size(graph, tensor);
  return bytes / element_bytes;
}

/* The inputs of an operation must be exactly `names`, in any order; NULL ends them. */
static void reads_exactly(const moc_graph *graph, const char *op_name, const char *const *names) {
  moc_tensor_list inputs = moc_graph_op_inputs(graph, find(graph, op_name));
  int64_t count = 0;
  for (; names[count]; count++) {
    moc_tensor wanted = find_tensor(graph, names[count]);
    bool found = false;
    for (int64_t i = 0; i < inputs.count; i++) found = found || inputs.items[i] == wanted;
    if (!found) fail_msg("%s does not read %s", op_name, names[count]);
  }
  assert_int_equal(inputs.count, count);
}
#define READS(graph, op, ...) reads_exactly(graph, op, (const char *const[]){__VA_ARGS__, NULL})

static void parameters_are_as_published(void **state) {
  (void)state;
  static const struct {
    const char *kind, *options;
    int64_t element_bytes, parameters;
  } cases[] = {
      {"vgg16", "batch-norm=0", 4, 138357544},
      {"vgg16", "batch-norm=1 side=64", 4, 138357544 + 2 * 4224}, /* 4224 channels in all */
      {"resnet50", "", 4, 25557032},
      {"resnet50", "element-bytes=2 batch=1", 2, 25557032},
      {"transformer", "", 4, 124439808},
      {"transformer", "layers=24 hidden=1024 heads=16 batch=1", 4, 354823168}, /* GPT-2 medium */
      {"unet", "", 4, 31030658},
      {"unet", "padded=0 side=572", 4, 31030658},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    moc_graph *graph = make_graph(cases[i].kind, cases[i].options, 1);
    assert_int_equal(parameters(graph, cases[i].element_bytes), cases[i].parameters);
    moc_graph_destroy(graph);
  }
}

/* U-Net's count again, from the layer table of the paper. */
static void parameters_of_unet_follow_from_its_table(void **state) {
  (void)state;
  int64_t sum = 0, in = 1;
  for (int64_t out = 64; out <= 1024; in = out, out *= 2) sum += 9 * in * out + out + 9 * out * out + out;
  for (int64_t out = 512; out >= 64; out /= 2)
    sum += 4 * 2 * out * out + out + 9 * 2 * out * out + out + 9 * out * out + out;
  sum += 64 * 2 + 2;
  assert_int_equal(sum, 31030658);
}

/* Multiplications with additions of the forward convolutions and linear layers, for one image, from the sizes of their
 * tensors: output numbers times weights, divided by output channels, which the layer's bias or, where it has none, the
 * normalisation that reads its output tells. */
static int64_t forward_products(const moc_graph *graph, int64_t batch) {
  int64_t sum = 0;
  for (moc_op op = 0; op < moc_graph_operations(graph); op++) {
    const char *label = moc_graph_op_label(graph, op);
    if (strncmp(label, "convolution", 11) != 0 && strncmp(label, "linear", 6) != 0) continue;
    moc_tensor_list inputs = moc_graph_op_inputs(graph, op);
    moc_tensor output = moc_graph_op_outputs(graph, op).items[0], channels;
    if (inputs.count == 3)
      channels = inputs.items[2];
    else
      channels = moc_graph_op_inputs(graph, moc_graph_tensor_readers(graph, output).items[0]).items[1];
    int64_t out = moc_graph_tensor_size(graph, output) / 4 / batch;
    sum += out * (moc_graph_tensor_size(graph, inputs.items[1]) / moc_graph_tensor_size(graph, channels));
  }
  return sum;
}

static void arithmetic_is_as_published(void **state) {
  (void)state;
  moc_graph *graph = make_graph("vgg16", "batch-norm=0", 1);
  assert_int_equal(forward_products(graph, 64), 15470264320); /* 15.5 G */
  moc_graph_destroy(graph);
  graph = make_graph("vgg16", "batch=8", 1);
  assert_int_equal(forward_products(graph, 8), 15470264320);
  moc_graph_destroy(graph);
  graph = make_graph("resnet50", "", 1);
  assert_int_equal(forward_products(graph, 64), 4089184256); /* 4.1 G */
  moc_graph_destroy(graph);
}

static int64_t ceiling(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

static void durations_follow_the_cost_model(void **state) {
  (void)state;
  moc_graph *graph = make_graph("vgg16", "batch-norm=0 batch=16", 1);
  /* conv1_2: bound by arithmetic. 2 * 16 * 64 * 224 * 224 * 64 * 9 operations at 50,000 a nanosecond. */
  int64_t flops = INT64_C(2) * 16 * 64 * 224 * 224 * 64 * 9;
  assert_int_equal(moc_graph_op_duration(graph, find(graph, "conv1_2")), ceiling(flops, 50000));
  assert_int_equal(moc_graph_op_duration(graph, find(graph, "conv1_2.grad_input")), ceiling(flops, 50000));
  assert_int_equal(moc_graph_op_duration(graph, find(graph, "conv1_2.grad_weight")), ceiling(flops, 50000));
  /* relu1_1: bound by traffic, one tensor in and one out, at 2,000 bytes a nanosecond. */
  int64_t tensor = INT64_C(16) * 64 * 224 * 224 * 4;
  assert_int_equal(moc_graph_op_duration(graph, find(graph, "relu1_1")), ceiling(2 * tensor, 2000));
  assert_int_equal(moc_graph_op_duration(graph, find(graph, "relu1_1.backward")), ceiling(3 * tensor, 2000));
  /* Lowering one image of conv5_1: 512 * 9 numbers for each of 14 * 14 places. conv1_2 would need more than 64 MiB. */
  assert_int_equal(moc_graph_op_workspace(graph, find(graph, "conv5_1")), 512 * 9 * 14 * 14 * 4);
  assert_int_equal(moc_graph_op_workspace(graph, find(graph, "conv1_2")), 64 << 20);
  moc_graph_destroy(graph);

  graph = make_graph("resnet50", "element-bytes=2 batch=1", 1);
  assert_int_equal(moc_graph_op_workspace(graph, find(graph, "layer1.0.conv1")), 0); /* 1x1: nothing to lower */
  moc_graph_destroy(graph);

  assert_int_equal(moc__cost_duration(4, 0, 0), 1);
  assert_int_equal(moc__cost_duration(2, 100001, 0), 2);
  assert_int_equal(moc__cost_duration(4, 100001, 0), 3);
  assert_int_equal(moc__cost_duration(4, 1, 4001), 3);
  assert_int_equal(moc__cost_times(MOC_MAX_TOTAL, 2), MOC_MAX_TOTAL);
  assert_int_equal(moc__cost_times(0, 5), 0);
  assert_int_equal(moc__cost_plus(MOC_MAX_TOTAL, MOC_MAX_TOTAL), MOC_MAX_TOTAL);
  assert_int_equal(moc__cost_plus(2, 3), 5);
}

static void backward_of_images_reads_what_it_needs(void **state) {
  (void)state;
  moc_graph *graph = make_graph("vgg16", "side=64 batch=2", 1);
  READS(graph, "conv1_2.grad_input", "conv1_2.grad", "conv1_2.weight");
  READS(graph, "conv1_2.grad_weight", "conv1_2.grad", "relu1_1");
  READS(graph, "bn1_2.backward", "bn1_2.grad", "conv1_2", "bn1_2.weight", "bn1_2.mean", "bn1_2.rstd");
  READS(graph, "relu1_2.backward", "relu1_2.grad", "relu1_2");
  READS(graph, "pool1.backward", "pool1.grad", "pool1.indices");
  READS(graph, "average_pool.backward", "average_pool.grad");
  READS(graph, "fc6.grad_weight", "fc6.grad", "flatten");
  READS(graph, "dropout6.backward", "dropout6.grad", "dropout6.mask");
  READS(graph, "loss.backward", "loss.log_probabilities", "targets");
  /* The images themselves need no gradient. */
  assert_int_equal(moc_graph_find_op(graph, "conv1_1.grad_input", false), MOC_NONE);
  assert_int_equal(size_of(graph, "pool1.indices"), 2 * size_of(graph, "pool1"));
  assert_int_equal(size_of(graph, "bn1_2.mean"), 64 * 4);
  moc_graph_destroy(graph);
}

static void backward_of_sums_reads_nothing(void **state) {
  (void)state;
  moc_graph *graph = make_graph("resnet50", "batch=1", 1);
  /* The gradient of the sum serves both its parts. */
  READS(graph, "layer1.1.bn3.backward", "layer1.1.add.grad", "layer1.1.conv3", "layer1.1.bn3.weight",
        "layer1.1.bn3.mean", "layer1.1.bn3.rstd");
  READS(graph, "layer1.0.relu3.grad.sum", "layer1.1.add.grad", "layer1.0.relu3.grad.part1");
  READS(graph, "layer1.0.relu3.backward", "layer1.0.relu3.grad", "layer1.0.relu3");
  READS(graph, "layer1.0.projection_bn.backward", "layer1.0.add.grad", "layer1.0.projection",
        "layer1.0.projection_bn.weight", "layer1.0.projection_bn.mean", "layer1.0.projection_bn.rstd");
  READS(graph, "maxpool.grad.sum", "maxpool.grad.part0", "maxpool.grad.part1");
  moc_graph_destroy(graph);
}

static void views_of_unet(void **state) {
  (void)state;
  moc_graph *graph = make_graph("unet", "padded=0 side=572 batch=1", 1);
  moc_tensor crop = find_tensor(graph, "up1.crop");
  assert_int_equal(moc_graph_tensor_base(graph, crop), find_tensor(graph, "down1.relu2"));
  assert_int_equal(size_of(graph, "down1.relu2"), INT64_C(64) * 568 * 568 * 4);
  assert_int_equal(size_of(graph, "up1.concatenate"), INT64_C(128) * 392 * 392 * 4);
  assert_int_equal(size_of(graph, "classify"), INT64_C(2) * 388 * 388 * 4); /* as in the paper's figure */
  /* The halves of the gradient are views of it; the cropped half is padded again, and read beside pooling's. */
  assert_int_equal(moc_graph_tensor_base(graph, find_tensor(graph, "up1.up.grad")),
                   find_tensor(graph, "up1.concatenate.grad"));
  READS(graph, "up1.crop.backward", "up1.crop.grad");
  READS(graph, "down1.relu2.grad.sum", "down1.relu2.grad.part0", "down1.relu2.grad.part1");
  moc_graph_destroy(graph);
  graph = make_graph("unet", "", 1);
  assert_int_equal(moc_graph_find_op(graph, "up1.crop", false), MOC_NONE);
  assert_int_equal(size_of(graph, "classify"), INT64_C(16) * 2 * 256 * 256 * 4);
  moc_graph_destroy(graph);
}

static void backward_of_the_transformer_reads_what_it_needs(void **state) {
  (void)state;
  moc_graph *graph = make_graph("transformer", "", 1);
  READS(graph, "h.3.mlp.gelu.backward", "h.3.mlp.gelu.grad", "h.3.mlp.up");
  READS(graph, "h.3.attn.softmax.backward", "h.3.attn.softmax.grad", "h.3.attn.softmax");
  READS(graph, "h.3.attn.apply.grad_first", "h.3.attn.apply.grad", "h.3.attn.split.values");
  READS(graph, "h.3.attn.apply.grad_second", "h.3.attn.apply.grad", "h.3.attn.dropout");
  READS(graph, "h.3.attn.scores.grad_first", "h.3.attn.scores.grad", "h.3.attn.split.keys");
  READS(graph, "h.3.attn.dropout.backward", "h.3.attn.dropout.grad", "h.3.attn.dropout.mask");
  READS(graph, "h.3.ln1.backward", "h.3.ln1.grad", "h.2.add2", "h.3.ln1.weight", "h.3.ln1.mean", "h.3.ln1.rstd");
  READS(graph, "token_embedding.grad_weight", "embedding.grad", "tokens");
  /* The table serves twice; its gradient is the sum of both parts, and only the sum is kept. */
  READS(graph, "head", "final_ln", "token_embedding.weight");
  READS(graph, "token_embedding.weight.grad.sum", "token_embedding.weight.grad.part0",
        "token_embedding.weight.grad.part1");
  assert_true(moc_graph_tensor_keep(graph, find_tensor(graph, "token_embedding.weight.grad")));
  assert_false(moc_graph_tensor_keep(graph, find_tensor(graph, "token_embedding.weight.grad.part0")));
  assert_int_equal(size_of(graph, "h.0.attn.scores"), INT64_C(8) * 12 * 1024 * 1024 * 4);
  assert_int_equal(size_of(graph, "h.0.attn.dropout.mask"), INT64_C(8) * 12 * 1024 * 1024);
  assert_int_equal(moc_graph_tensor_base(graph, find_tensor(graph, "h.0.attn.split.keys")),
                   find_tensor(graph, "h.0.attn.qkv"));
  assert_true(moc_graph_op_compute_once(graph, find(graph, "h.0.attn.dropout.mask")));
  assert_false(moc_graph_op_compute_once(graph, find(graph, "h.0.attn.dropout")));
  moc_graph_destroy(graph);

  graph = make_graph("transformer", "dropout=0 layers=2", 1);
  for (moc_op op = 0; op < moc_graph_operations(graph); op++) assert_false(moc_graph_op_compute_once(graph, op));
  moc_graph_destroy(graph);
}

static const char *const network_kinds[] = {"vgg16", "resnet50", "unet", "transformer"};

/* Each parameter has a gradient of its size, kept; besides them and the parameters only the loss is kept. */
static void every_parameter_has_a_kept_gradient(void **state) {
  (void)state;
  for (int kind = 0; kind < 4; kind++) {
    moc_graph *graph = make_graph(network_kinds[kind], "", 1);
    int64_t n_parameters = 0, n_kept = 0;
    for (moc_tensor tensor = 0; tensor < moc_graph_tensors(graph); tensor++) {
      if (moc_graph_tensor_keep(graph, tensor)) n_kept++;
      if (moc_graph_tensor_base(graph, tensor) != MOC_NONE)
        assert_int_equal(moc_graph_tensor_size(graph, tensor), 0);
      else
        assert_true(moc_graph_tensor_size(graph, tensor) > 0);
      if (!is_parameter(graph, tensor)) continue;
      char name[96];
      snprintf(name, sizeof name, "%s.grad", moc_graph_tensor_name(graph, tensor));
      moc_tensor gradient = find_tensor(graph, name);
      assert_true(moc_graph_tensor_keep(graph, gradient));
      assert_int_equal(moc_graph_tensor_size(graph, gradient), moc_graph_tensor_size(graph, tensor));
      n_parameters++;
    }
    assert_true(moc_graph_tensor_keep(graph, find_tensor(graph, "loss")));
    assert_int_equal(n_kept, 2 * n_parameters + 1);
    moc_graph_destroy(graph);
  }
}

/* What is computed is read, or is kept: no operation is for nothing. Masks, statistics and indices included. */
static void nothing_is_computed_for_nothing(void **state) {
  (void)state;
  for (int kind = 0; kind < 4; kind++) {
    moc_graph *graph = make_graph(network_kinds[kind], "", 1);
    for (moc_tensor tensor = 0; tensor < moc_graph_tensors(graph); tensor++)
      if (moc_graph_tensor_readers(graph, tensor).count == 0 && !moc_graph_tensor_keep(graph, tensor))
        fail_msg("%s: nobody reads %s", network_kinds[kind], moc_graph_tensor_name(graph, tensor));
    moc_graph_destroy(graph);
  }
}

static void a_budget_of_half_the_peak_makes_sense(void **state) {
  (void)state;
  for (int kind = 0; kind < 4; kind++)
    for (int plain = 0; plain < 2; plain++) {
      moc_graph *graph = make_graph(network_kinds[kind], plain ? "plain=1" : "", 1);
      moc_graph_facts facts;
      moc_error error;
      CHECK_OK(moc_graph_get_facts(graph, &facts, &error), error);
      if (facts.working_set_bound > facts.baseline_peak / 5 * 2)
        fail_msg("%s: working-set bound %lld, peak %lld", network_kinds[kind], (long long)facts.working_set_bound,
                 (long long)facts.baseline_peak);
      moc_graph_destroy(graph);
    }
}

static void the_plain_form_is_plain(void **state) {
  (void)state;
  for (int kind = 0; kind < 4; kind++) {
    moc_graph *full = make_graph(network_kinds[kind], "", 1),
              *plain = make_graph(network_kinds[kind], "plain=1", 1);
    int64_t full_duration = 0, plain_duration = 0, views = 0;
    for (moc_op op = 0; op < moc_graph_operations(full); op++) {
      moc_tensor first = moc_graph_op_outputs(full, op).items[0];
      if (moc_graph_tensor_base(full, first) != MOC_NONE) views++;
      full_duration += moc_graph_op_duration(full, op);
    }
    assert_true(views > 0);
    assert_int_equal(moc_graph_operations(plain), moc_graph_operations(full) - views);
    assert_int_equal(moc_graph_operations(plain), moc_graph_tensors(plain));
    for (moc_op op = 0; op < moc_graph_operations(plain); op++) {
      assert_int_equal(moc_graph_op_outputs(plain, op).count, 1);
      assert_int_equal(moc_graph_op_workspace(plain, op), 0);
      assert_false(moc_graph_op_compute_once(plain, op));
      moc_tensor output = moc_graph_op_outputs(plain, op).items[0];
      assert_int_equal(moc_graph_tensor_base(plain, output), MOC_NONE);
      assert_false(moc_graph_tensor_keep(plain, output));
      moc_op same = find(full, moc_graph_op_name(plain, op));
      int64_t size = 0;
      moc_tensor_list outputs = moc_graph_op_outputs(full, same);
      bool backward = op > find(plain, "loss");
      for (int64_t i = 0; i < (backward ? outputs.count : 1); i++)
        size += moc_graph_tensor_size(full, outputs.items[i]);
      assert_int_equal(moc_graph_tensor_size(plain, output), size);
      assert_int_equal(moc_graph_op_duration(plain, op), moc_graph_op_duration(full, same));
      plain_duration += moc_graph_op_duration(plain, op);
    }
    assert_int_equal(plain_duration, full_duration); /* views take no time */
    moc_graph_destroy(full);
    moc_graph_destroy(plain);
  }
}

/* Workspaces exist and are those of convolutions; masks are what is computed once. */
static void special_properties_are_where_they_belong(void **state) {
  (void)state;
  int64_t workspaces = 0, once = 0, several = 0;
  for (int kind = 0; kind < 4; kind++) {
    moc_graph *graph = make_graph(network_kinds[kind], "", 1);
    for (moc_op op = 0; op < moc_graph_operations(graph); op++) {
      const char *name = moc_graph_op_name(graph, op);
      if (moc_graph_op_workspace(graph, op) > 0) workspaces++;
      if (moc_graph_op_outputs(graph, op).count > 1) several++;
      if (moc_graph_op_compute_once(graph, op)) once++;
      assert_int_equal(moc_graph_op_compute_once(graph, op), ends_with(name, ".mask"));
      if (kind == 3) assert_int_equal(moc_graph_op_workspace(graph, op), 0);
    }
    moc_graph_destroy(graph);
  }
  /* 3x3 convolutions of VGG16: 13 forward, 12 + 13 backward; ResNet-50: 7x7, 16 of 3x3, 3 strided 1x1, likewise; U-Net:
   * 18 of 3x3 and 4 transposed, likewise. */
  assert_int_equal(workspaces, (13 * 3 - 1) + (20 * 3 - 1) + (22 * 3 - 1));
  assert_int_equal(once, 2 + 1 + 12 * 3);
  assert_true(several > 100);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parameters_are_as_published),
      cmocka_unit_test(parameters_of_unet_follow_from_its_table),
      cmocka_unit_test(arithmetic_is_as_published),
      cmocka_unit_test(durations_follow_the_cost_model),
      cmocka_unit_test(backward_of_images_reads_what_it_needs),
      cmocka_unit_test(backward_of_sums_reads_nothing),
      cmocka_unit_test(views_of_unet),
      cmocka_unit_test(backward_of_the_transformer_reads_what_it_needs),
      cmocka_unit_test(every_parameter_has_a_kept_gradient),
      cmocka_unit_test(nothing_is_computed_for_nothing),
      cmocka_unit_test(a_budget_of_half_the_peak_makes_sense),
      cmocka_unit_test(the_plain_form_is_plain),
      cmocka_unit_test(special_properties_are_where_they_belong),
  };
  return cmocka_run_group_tests_name("networks", tests, NULL, NULL);
}
