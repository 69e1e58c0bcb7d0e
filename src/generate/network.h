/* A recorder of neural networks: the forward pass is stated layer by layer, the backward pass follows.
 *
 * Each forward operation says what it reads and writes, and which backward operations it calls for: what they read
 * besides gradients, and whose gradients they give. moc__network_finish then walks these records from the last to
 * the first, the way automatic differentiation does, and adds up the gradients of a value that was used more than
 * once. So the input order is the forward pass, then the backward pass in reverse.
 *
 * Errors stick: after a failure every call does nothing, and moc__network_finish returns what went wrong.
 *
 * In the plain form every operation has one tensor: a forward operation its first output, a backward operation all
 * gradients together. Who would read another output (statistics, indices) reads what it was computed from, the first
 * read of its operation. Views are no operations of their own but their base. Inputs, parameters, workspace, `keep`
 * and `compute_once` are left out.
 */
#ifndef MOC_GENERATE_NETWORK_H
#define MOC_GENERATE_NETWORK_H

#include <moccasin/moccasin.h>

/* A value of the forward pass: an input, a parameter, or an output of an operation. */
typedef int32_t moc__value;
#define MOC__NO_VALUE (-1)

#define MOC__MAX_READS   4
#define MOC__MAX_OUTPUTS 3

/* Images are batch, channels, height, width; sequences batch, tokens, features, 1; rows of features 1, rows,
 * features, 1. */
typedef struct moc__shape {
  int64_t dim[4];
} moc__shape;

typedef struct moc__network_value {
  char name[64];
  moc__shape shape;
  int64_t bytes;     /* of its content, also for a view */
  moc_tensor tensor; /* MOC_NONE: not in the graph (plain form) */
  bool parameter;
  bool differentiable;
  int32_t uses;  /* gradients still to be added up */
  int32_t parts; /* gradients given so far */
  bool has_gradient;
  moc_tensor gradient; /* the sum so far */
} moc__network_value;

/* An output of a forward operation. */
typedef struct moc__output {
  const char *suffix; /* of its name, after that of the operation; NULL: none */
  moc__shape shape;
  int64_t element_bytes; /* 0: the network's */
  bool constant;         /* has no gradient: statistics, masks, indices */
  bool keep;             /* an output of the network */
} moc__output;

/* A forward operation. */
typedef struct moc__forward {
  const char *name;
  const char *label;
  int64_t flops;
  int64_t bytes_moved; /* 0: all that is read and written */
  int64_t workspace;
  bool compute_once;
  bool view; /* the outputs share the storage of the first read; takes no time */
  moc__value reads[MOC__MAX_READS];
  int n_reads;
  moc__output outputs[MOC__MAX_OUTPUTS];
  int n_outputs;
} moc__forward;

typedef enum moc__backward_kind {
  MOC__COMPUTES, /* an operation with an output for every gradient */
  MOC__VIEWS,    /* the gradients are views of the output's gradient */
  MOC__PASSES    /* the gradients are the output's gradient: no operation */
} moc__backward_kind;

/* A backward operation. Gradients of values that need none are left out, and the operation with the last. */
typedef struct moc__backward {
  moc__backward_kind kind;
  const char *suffix; /* of its name, after that of the forward operation; static */
  int64_t flops;
  int64_t workspace;
  moc__value of[MOC__MAX_OUTPUTS]; /* the values whose gradients it reads */
  int n_of;
  moc__value saved[MOC__MAX_READS]; /* the values that it reads */
  int n_saved;
  moc__value gives[MOC__MAX_OUTPUTS]; /* the values whose gradients it gives */
  int n_gives;
} moc__backward;

typedef struct moc__network_record {
  char name[64];
  moc__backward rule;
} moc__network_record;

typedef struct moc__network {
  moc_builder *builder;
  const moc_allocator *allocator;
  int64_t element_bytes;
  bool plain;
  moc__network_value *values; /* [n_values] */
  int64_t n_values, values_capacity;
  moc__network_record *tape; /* [n_tape] */
  int64_t n_tape, tape_capacity;
  moc_status status;
  moc_error error;
} moc__network;

void moc__network_init(moc__network *network, const moc_allocator *allocator, moc_builder *builder,
                       int64_t element_bytes, bool plain);
/* Add the backward pass, release the network, and return the first error of all. */
moc_status moc__network_finish(moc__network *network, moc_error *error);

/* A batch of data, resident until its last use. */
moc__value moc__network_input(moc__network *network, const char *name, moc__shape shape, int64_t element_bytes);
/* A parameter: resident throughout, and so is its gradient once computed. The name is `layer`.`suffix`. */
moc__value moc__network_parameter(moc__network *network, const char *layer, const char *suffix, moc__shape shape);

/* Add a forward operation; its outputs go to `outputs` [forward->n_outputs]. */
void moc__network_forward(moc__network *network, const moc__forward *forward, moc__value *outputs);
/* Record a backward operation of the forward operation `name`. What is recorded last runs first. */
void moc__network_backward(moc__network *network, const char *name, const moc__backward *rule);

/* The shape of a value; all ones after a failure. */
moc__shape moc__network_shape(const moc__network *network, moc__value value);
/* Numbers in a shape; MOC_MAX_TOTAL stands for more than a graph may hold. */
int64_t moc__shape_elements(moc__shape shape);

#endif
