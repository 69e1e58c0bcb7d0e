/* The layers that networks are made of. Each states its forward operation and what automatic differentiation needs
 * for its backward operations; examples/graphs/README.md has the table. Figures of arithmetic count a multiplication
 * and an addition as two operations. */
#ifndef MOC_GENERATE_LAYERS_H
#define MOC_GENERATE_LAYERS_H

#include "generate/network.h"

/* --- Any values (layers_common.c) --- */

/* Rows of features times a matrix, plus a bias. `weight`: a matrix [features_out, features_in] to share, or
 * MOC__NO_VALUE for one of its own. */
moc__value moc__linear(moc__network *network, const char *name, moc__value x, int64_t features, bool bias,
                       moc__value weight);
moc__value moc__relu(moc__network *network, const char *name, moc__value x);
moc__value moc__gelu(moc__network *network, const char *name, moc__value x);
/* Drawing the mask is computed once; applying it may be repeated. */
moc__value moc__dropout(moc__network *network, const char *name, moc__value x);
moc__value moc__add_values(moc__network *network, const char *name, moc__value a, moc__value b);
/* Mean cross-entropy of logits against targets, which are an input made here. The backward pass starts here. */
void moc__cross_entropy(moc__network *network, moc__value logits, int64_t classes);

/* --- Images (layers_image.c) --- */

moc__value moc__convolution(moc__network *network, const char *name, moc__value x, int64_t channels, int64_t kernel,
                            int64_t stride, int64_t padding, bool bias);
/* Transposed convolution with a kernel of 2 and a stride of 2: twice the height and width. */
moc__value moc__up_convolution(moc__network *network, const char *name, moc__value x, int64_t channels);
moc__value moc__batch_norm(moc__network *network, const char *name, moc__value x);
moc__value moc__max_pool(moc__network *network, const char *name, moc__value x, int64_t kernel, int64_t stride,
                         int64_t padding);
/* The mean of each of side x side tiles. */
moc__value moc__average_pool(moc__network *network, const char *name, moc__value x, int64_t side);
/* The middle of an image: a view. */
moc__value moc__crop(moc__network *network, const char *name, moc__value x, int64_t height, int64_t width);
/* The channels of `a`, then those of `b`. */
moc__value moc__concatenate(moc__network *network, const char *name, moc__value a, moc__value b);
/* Images as rows of features: a view. */
moc__value moc__flatten(moc__network *network, const char *name, moc__value x);

/* --- Sequences (layers_sequence.c) --- */

/* Rows of a table [vocabulary, features], which goes to *table, for each of `tokens`. */
moc__value moc__embedding(moc__network *network, const char *name, moc__value tokens, int64_t vocabulary,
                          int64_t features, moc__value *table);
/* a + b, b being one sequence that is added to each of the batch. */
moc__value moc__add_to_each(moc__network *network, const char *name, moc__value a, moc__value b);
moc__value moc__layer_norm(moc__network *network, const char *name, moc__value x);
/* Queries, keys and values side by side, cut apart and into heads: three views [batch, heads, tokens, features]. */
void moc__split_heads(moc__network *network, const char *name, moc__value x, int64_t heads, moc__value parts[3]);
/* queries * keys' for each head. */
moc__value moc__attention_scores(moc__network *network, const char *name, moc__value queries, moc__value keys);
/* Scaling, causal mask and softmax in one. */
moc__value moc__causal_softmax(moc__network *network, const char *name, moc__value x);
/* weights * values for each head. */
moc__value moc__attention_apply(moc__network *network, const char *name, moc__value weights, moc__value values);
/* [batch, heads, tokens, features] to [batch, tokens, heads * features]: a copy, since it changes the layout. */
moc__value moc__merge_heads(moc__network *network, const char *name, moc__value x);

#endif
