/* The recorder of networks. Values live in one growing array, backward operations on a tape; both are walked once,
 * so a network of n operations costs O(n). */
#include "generate/network.h"

#include "base/base.h"
#include "generate/cost_model.h"

#include <inttypes.h>
#include <stdio.h>

void moc__network_init(moc__network *network, const moc_allocator *allocator, moc_builder *builder,
                       int64_t element_bytes, bool plain) {
  *network =
      (moc__network){.builder = builder, .allocator = allocator, .element_bytes = element_bytes, .plain = plain};
}

int64_t moc__shape_elements(moc__shape shape) {
  int64_t elements = 1;
  for (int i = 0; i < 4; i++) elements = moc__cost_times(elements, shape.dim[i]);
  return elements;
}

moc__shape moc__network_shape(const moc__network *network, moc__value value) {
  if (network->status) return (moc__shape){{1, 1, 1, 1}};
  return network->values[value].shape;
}

/* --- Adding to the builder --- */

static moc_op add_operation(moc__network *network, const char *name, const char *label, int64_t duration,
                            int64_t workspace, bool compute_once) {
  moc_operation operation = {.name = name, .label = label, .duration = duration};
  operation.workspace = network->plain ? 0 : workspace;
  operation.compute_once = !network->plain && compute_once;
  moc_op op = MOC_NONE;
  if (!network->status)
    network->status = moc_builder_add_operation(network->builder, &operation, &op, &network->error);
  return op;
}

static moc_tensor add_tensor(moc__network *network, const char *name, int64_t size, moc_op producer,
                             moc_tensor base, bool keep) {
  moc_tensor_spec spec = {.name = name, .size = size, .producer = producer, .base = base};
  spec.keep = !network->plain && keep;
  if (network->plain) spec.name = NULL; /* it is the operation's only one */
  moc_tensor tensor = MOC_NONE;
  if (!network->status) network->status = moc_builder_add_tensor(network->builder, &spec, &tensor, &network->error);
  return tensor;
}

static void add_read(moc__network *network, moc_op op, moc_tensor tensor) {
  if (tensor != MOC_NONE && !network->status)
    network->status = moc_builder_add_read(network->builder, op, tensor, &network->error);
}

static moc__value add_value(moc__network *network, const char *name, const char *suffix, moc__shape shape,
                            int64_t element_bytes) {
  if (network->status) return MOC__NO_VALUE;
  if (!moc__grow(network->allocator, &network->values, network->n_values, &network->values_capacity,
                 sizeof *network->values)) {
    network->status = moc__out_of_memory(&network->error);
    return MOC__NO_VALUE;
  }
  moc__network_value *value = &network->values[network->n_values];
  *value = (moc__network_value){.shape = shape, .tensor = MOC_NONE, .gradient = MOC_NONE};
  value->bytes =
      moc__cost_times(element_bytes ? element_bytes : network->element_bytes, moc__shape_elements(shape));
  int length = snprintf(value->name, sizeof value->name, "%s%s%s", name, suffix ? "." : "", suffix ? suffix : "");
  assert(length < (int)sizeof value->name);
  (void)length;
  return (moc__value)network->n_values++;
}

/* --- Forward --- */

moc__value moc__network_input(moc__network *network, const char *name, moc__shape shape, int64_t element_bytes) {
  moc__value value = add_value(network, name, NULL, shape, element_bytes);
  if (!network->status && !network->plain) {
    moc__network_value *v = &network->values[value];
    v->tensor = add_tensor(network, v->name, v->bytes, MOC_NONE, MOC_NONE, false);
  }
  return value;
}

moc__value moc__network_parameter(moc__network *network, const char *layer, const char *suffix, moc__shape shape) {
  moc__value value = add_value(network, layer, suffix, shape, 0);
  if (!network->status) {
    moc__network_value *v = &network->values[value];
    v->parameter = v->differentiable = true;
    if (!network->plain) v->tensor = add_tensor(network, v->name, v->bytes, MOC_NONE, MOC_NONE, true);
  }
  return value;
}

/* A view shares its base's storage; in the plain form it is the base. */
static void add_views(moc__network *network, const moc__forward *forward, const moc__value *outputs) {
  const moc__network_value *base = &network->values[forward->reads[0]];
  moc_op op = MOC_NONE;
  if (!network->plain) op = add_operation(network, forward->name, forward->label, 0, 0, false);
  for (int i = 0; i < forward->n_outputs; i++) {
    moc__network_value *output = &network->values[outputs[i]];
    output->tensor = network->plain ? base->tensor : add_tensor(network, output->name, 0, op, base->tensor, false);
  }
  if (!network->plain) add_read(network, op, base->tensor);
}

static void add_outputs(moc__network *network, const moc__forward *forward, const moc__value *outputs) {
  int64_t moved = 0;
  for (int i = 0; i < forward->n_reads; i++)
    moved = moc__cost_plus(moved, network->values[forward->reads[i]].bytes);
  for (int i = 0; i < forward->n_outputs; i++) moved = moc__cost_plus(moved, network->values[outputs[i]].bytes);
  if (forward->bytes_moved) moved = forward->bytes_moved;
  int64_t duration = moc__cost_duration(network->element_bytes, forward->flops, moved);
  moc_op op =
      add_operation(network, forward->name, forward->label, duration, forward->workspace, forward->compute_once);
  for (int i = 0; i < forward->n_outputs; i++) {
    moc__network_value *output = &network->values[outputs[i]];
    if (network->plain && i > 0)
      output->tensor = network->values[forward->reads[0]].tensor;
    else
      output->tensor = add_tensor(network, output->name, output->bytes, op, MOC_NONE, forward->outputs[i].keep);
  }
  for (int i = 0; i < forward->n_reads; i++) add_read(network, op, network->values[forward->reads[i]].tensor);
}

void moc__network_forward(moc__network *network, const moc__forward *forward, moc__value *outputs) {
  bool differentiable = false;
  for (int i = 0; i < forward->n_reads && !network->status; i++)
    differentiable = differentiable || network->values[forward->reads[i]].differentiable;
  for (int i = 0; i < forward->n_outputs; i++) {
    const moc__output *output = &forward->outputs[i];
    outputs[i] = add_value(network, forward->name, output->suffix, output->shape, output->element_bytes);
    if (!network->status) network->values[outputs[i]].differentiable = differentiable && !output->constant;
  }
  if (network->status) return;
  if (forward->view)
    add_views(network, forward, outputs);
  else
    add_outputs(network, forward, outputs);
}

/* --- Backward --- */

void moc__network_backward(moc__network *network, const char *name, const moc__backward *rule) {
  if (network->status) return;
  moc__network_record record = {.rule = *rule};
  snprintf(record.name, sizeof record.name, "%s", name);
  record.rule.n_gives = 0;
  for (int i = 0; i < rule->n_gives; i++) {
    if (!network->values[rule->gives[i]].differentiable) continue;
    record.rule.gives[record.rule.n_gives++] = rule->gives[i];
    network->values[rule->gives[i]].uses++;
  }
  if (record.rule.n_gives == 0) return;
  if (!moc__grow(network->allocator, &network->tape, network->n_tape, &network->tape_capacity,
                 sizeof *network->tape)) {
    network->status = moc__out_of_memory(&network->error);
    return;
  }
  network->tape[network->n_tape++] = record;
}

/* The name of the next gradient of a value: its only one, or one of those that are added up. */
static void gradient_name(const moc__network_value *value, char *name, size_t size) {
  if (value->uses + value->parts > 1)
    snprintf(name, size, "%s.grad.part%d", value->name, (int)value->parts);
  else
    snprintf(name, size, "%s.grad", value->name);
}

/* Add a gradient to what the value has already got. A sum is kept when it is a parameter's last. */
static void take_gradient(moc__network *network, moc__network_value *value, moc_tensor gradient) {
  value->uses--;
  value->parts++;
  if (!value->has_gradient) {
    value->has_gradient = true;
    value->gradient = gradient;
    return;
  }
  char name[96], tensor[96];
  if (value->uses > 0)
    snprintf(name, sizeof name, "%s.grad.sum%d", value->name, (int)value->parts);
  else
    snprintf(name, sizeof name, "%s.grad.sum", value->name);
  snprintf(tensor, sizeof tensor, "%s", name);
  if (value->uses == 0) snprintf(tensor, sizeof tensor, "%s.grad", value->name);
  int64_t duration = moc__cost_duration(network->element_bytes, moc__shape_elements(value->shape),
                                        moc__cost_times(3, value->bytes));
  moc_op op = add_operation(network, name, NULL, duration, 0, false);
  moc_tensor sum = add_tensor(network, tensor, value->bytes, op, MOC_NONE, value->parameter && value->uses == 0);
  add_read(network, op, value->gradient);
  add_read(network, op, gradient);
  value->gradient = sum;
}

static int64_t bytes_moved(const moc__network *network, const moc__backward *rule) {
  int64_t moved = 0;
  for (int i = 0; i < rule->n_of; i++) moved = moc__cost_plus(moved, network->values[rule->of[i]].bytes);
  for (int i = 0; i < rule->n_saved; i++) moved = moc__cost_plus(moved, network->values[rule->saved[i]].bytes);
  for (int i = 0; i < rule->n_gives; i++) moved = moc__cost_plus(moved, network->values[rule->gives[i]].bytes);
  return moved;
}

static void run_backward(moc__network *network, const moc__network_record *record) {
  const moc__backward *rule = &record->rule;
  for (int i = 0; i < rule->n_of; i++) {
    const moc__network_value *of = &network->values[rule->of[i]];
    if (of->has_gradient && of->uses == 0) continue;
    network->status = moc__fail(&network->error, MOC_INTERNAL, record->name,
                                "the gradient of %s is not complete where it is read", of->name);
    return;
  }
  moc_tensor base = rule->n_of > 0 ? network->values[rule->of[0]].gradient : MOC_NONE;
  bool operates = rule->kind == MOC__COMPUTES || (rule->kind == MOC__VIEWS && !network->plain);
  moc_tensor given[MOC__MAX_OUTPUTS]; /* if it operates */
  if (operates) {
    bool view = rule->kind == MOC__VIEWS;
    char name[128];
    snprintf(name, sizeof name, "%s.%s", record->name, rule->suffix);
    int64_t duration =
        view ? 0 : moc__cost_duration(network->element_bytes, rule->flops, bytes_moved(network, rule));
    moc_op op = add_operation(network, name, NULL, duration, rule->workspace, false);
    int64_t written = 0;
    for (int i = 0; i < rule->n_gives; i++)
      written = moc__cost_plus(written, network->values[rule->gives[i]].bytes);
    moc_tensor all = network->plain ? add_tensor(network, NULL, written, op, MOC_NONE, false) : MOC_NONE;
    for (int i = 0; i < rule->n_gives; i++) {
      const moc__network_value *gives = &network->values[rule->gives[i]];
      char tensor[96];
      gradient_name(gives, tensor, sizeof tensor);
      bool keep = gives->parameter && gives->uses == 1 && !gives->has_gradient;
      given[i] = network->plain
                     ? all
                     : add_tensor(network, tensor, view ? 0 : gives->bytes, op, view ? base : MOC_NONE, keep);
    }
    for (int i = 0; i < rule->n_of; i++) add_read(network, op, network->values[rule->of[i]].gradient);
    for (int i = 0; i < rule->n_saved; i++) add_read(network, op, network->values[rule->saved[i]].tensor);
  }
  for (int i = 0; i < rule->n_gives; i++)
    take_gradient(network, &network->values[rule->gives[i]], operates ? given[i] : base);
}

moc_status moc__network_finish(moc__network *network, moc_error *error) {
  for (int64_t i = network->n_tape - 1; i >= 0 && !network->status; i--) run_backward(network, &network->tape[i]);
  moc__release(network->allocator, network->values);
  moc__release(network->allocator, network->tape);
  network->values = NULL;
  network->tape = NULL;
  if (network->status && error) *error = network->error;
  return network->status;
}
