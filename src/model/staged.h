/* The staged Moccasin model (section 2.3), laid out for search.
 *
 * Operations are called by their *place* in an order, 0..n-1. Stage k ends with the first computation of place k;
 * before it, in the same stage, any place p < k may be computed again, in ascending order. A solution is a set of
 * pairs (p, k), "rematerialise p in stage k"; everything else follows from it.
 * An *event* (stage, place) is one computation; events are totally ordered, so all starts differ by construction.
 *
 * A place may be a *pause*: without an operation, it only gives the schedule one more stage, so that operations can be
 * computed again more than once, or in another order, between two first computations. With pauses enough every sequence
 * is a staged schedule.
 *
 * Tensors are renumbered: the outputs of place p are first_output[p] up to first_output[p + 1], and the tensors
 * without producer follow. Reads of an earlier place only: the order is topological. */
#ifndef MOC_MODEL_STAGED_H
#define MOC_MODEL_STAGED_H

#include "graph/graph.h"

typedef struct moc__pair {
  int32_t place;
  int32_t stage;
} moc__pair;

typedef struct moc__staged {
  moc_allocator allocator;
  int32_t n; /* places, and stages */
  int32_t n_tensors;
  moc_op *order;          /* [n] the operation at each place; MOC_NONE: a pause */
  int64_t *duration;      /* [n] */
  int64_t *workspace;     /* [n] */
  bool *compute_once;     /* [n] so are pauses */
  int32_t *first_output;  /* [n + 1] */
  moc_tensor *tensor;     /* [n_tensors] the graph's number of each */
  int64_t *size;          /* [n_tensors] */
  int32_t *producer;      /* [n_tensors] place, or -1 */
  bool *keep;             /* [n_tensors] */
  moc__rows reads;        /* of places: tensors, ascending */
  moc__rows readers;      /* of tensors: places, ascending */
  int64_t total_duration; /* of every operation once */
} moc__staged;

/* Lay out `graph` for the topological order `order` [operations]. OUT_OF_MEMORY. O(n + m). */
moc_status moc__staged_init(moc__staged *staged, const moc_graph *graph, const moc_op *order,
                            const moc_allocator *allocator, moc_error *error);
/* The same with pauses: order [places] has MOC_NONE for those. */
moc_status moc__staged_init_paused(moc__staged *staged, const moc_graph *graph, const moc_op *order, int32_t places,
                                   const moc_allocator *allocator, moc_error *error);
void moc__staged_release(moc__staged *staged);

/* The sequence of a set of pairs when the stages follow one another in `order` [n] (places of `staged`; NULL: as they
 * are): sorts `pairs` by stage and place, writes the operations, at most n + n_pairs, and returns their number. */
int64_t moc__staged_sequence(const moc__staged *staged, const int32_t *order, moc__pair *pairs, int64_t n_pairs,
                             moc_op *sequence);
/* The same as numbers of the model, without its pauses: at most n + n_pairs. */
int64_t moc__staged_numbers(const moc__staged *staged, const int32_t *order, moc__pair *pairs, int64_t n_pairs,
                            int32_t *numbers);
/* Bytes in memory at each place of an order, to level [n], when nothing is computed again. `place` [n]: of each in that order; NULL: as
 * they are. O(n + m). */
void moc__staged_levels(const moc__staged *staged, const int32_t *place, int64_t *level);

#endif
