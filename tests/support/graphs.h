/* Graphs for tests: written by hand, and random ones. Whatever fails here fails the running test. */
#ifndef TEST_GRAPHS_H
#define TEST_GRAPHS_H

#include "base/rng.h"

#include <moccasin/moccasin.h>

/* A graph of one-output operations named "a", "b", ... (at most 26) in the order added. `edges` [n_edges] are pairs
 * such as "ab": b reads a's output. */
moc_graph *test_plain_graph(int32_t n, const int64_t *durations, const int64_t *sizes, const char *const *edges,
                            int32_t n_edges, const moc_allocator *allocator);

/* The worked example of docs/memory.md: a to e, a feeding b and, much later, e. */
moc_graph *test_worked_example(const moc_allocator *allocator);

/* What a random graph may look like. */
typedef struct test_shape {
  int32_t n_ops;         /* at least 1 */
  bool full_model;       /* several or no outputs, workspace, keep, views, compute-once, graph inputs; else one
                            output each and nothing but sizes and durations */
  uint32_t edge_percent; /* chance that an operation reads a given earlier tensor */
  uint32_t most_size;    /* sizes and workspaces are 0..most_size */
  uint32_t most_duration;
} test_shape;

/* The same generator state gives the same graph. At most 3 outputs for an operation, 3 tensors without producer. */
moc_graph *test_random_graph(moc__rng *rng, const test_shape *shape, const moc_allocator *allocator);

/* The same graph with the same numbers in another input order `order` [operations]. */
moc_graph *test_reordered_graph(const moc_graph *graph, const moc_op *order, const moc_allocator *allocator);

/* A random sequence that can be run: every operation once, `extra` random recomputations among them where the graph
 * allows any. Writes to sequence [operations + extra] and returns the length. */
int64_t test_random_sequence(moc__rng *rng, const moc_graph *graph, int64_t extra, moc_op *sequence);

#endif
