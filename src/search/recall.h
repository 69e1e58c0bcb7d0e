/* How to bring tensors back that are gone, within a budget: a search backwards in time.
 *
 * A state is the set of tensors that must be resident at some moment. Of their instances one was computed last, by an
 * operation x: at that moment the rest of the set, x's reads and all its outputs were resident, so that much memory
 * was needed; just before it, the rest and x's reads had to be. Going from set to set like this, each within the
 * budget, until all of a set is resident at present, yields the recomputations in reverse. Every schedule whatever goes
 * through such sets, so if none is left before the search has been cut short, there is no way: from nothing resident
 * but the tensors without producer that is a proof about all schedules, in any order and with any number of computations.
 *
 * Best first by what the sets still lack. A set from which an operation's outputs can be taken without adding anything
 * leads there only: a smaller set never needs more. Space and time are bounded by the states allowed. */
#ifndef MOC_SEARCH_RECALL_H
#define MOC_SEARCH_RECALL_H

#include "model/staged.h"

typedef enum moc__recall_outcome {
  MOC__RECALL_FOUND,
  MOC__RECALL_IMPOSSIBLE,
  MOC__RECALL_GAVE_UP,
  MOC__RECALL_OUT_OF_MEMORY
} moc__recall_outcome;

typedef struct moc__recall_set {
  int32_t parent; /* the set it leads to, later in time, or -1 */
  int32_t op;     /* by running this */
  int32_t count;
  int64_t start; /* of its tensors in items[], ascending */
  int64_t bytes;
  double spent; /* durations of operations on the way to the targets */
} moc__recall_set;

typedef struct moc__recall_open {
  double key;
  int32_t set;
} moc__recall_open;

typedef struct moc__recall {
  const moc__staged *staged;
  moc_allocator allocator;
  double duration; /* mean, of operations that take any; a share of it is added to each */
  double small;    /* that */

  moc__recall_set *sets; /* [n_sets] */
  int64_t n_sets, sets_capacity;
  int32_t *items; /* [n_items] */
  int64_t n_items, items_capacity;
  moc__recall_open *open; /* [n_open] heap, least key first */
  int64_t n_open, open_capacity;
  int32_t *table; /* [table_size] sets by hash, -1: none; a power of two */
  int64_t table_size, table_capacity;
  int64_t *in_set;  /* [tensors] stamps */
  int64_t *visited; /* [n] */
  int64_t stamp;
  int32_t *stack;   /* [n] */
  int32_t *scratch; /* [tensors] */

  int64_t effort; /* operations looked at since init: the measure of work */

  int32_t first; /* after MOC__RECALL_FOUND: the set that is resident; follow `parent` from there */
} moc__recall;

typedef struct moc__recall_query {
  const int32_t *targets; /* [n_targets] tensors, ascending */
  int64_t n_targets;
  const bool *resident;  /* [tensors] at present; others without producer cannot be had */
  const bool *fixed;     /* [tensors] resident all the time, so no members of sets */
  const int32_t *counts; /* [n] computations of each operation so far; NULL: any may be computed ever again */
  int32_t max_computes;
  int64_t budget; /* bytes, less those of `fixed` */
  int64_t most_sets;
  int64_t most_effort;  /* gives up when recall's effort reaches that; 0: no limit */
  bool (*stop)(void *); /* gives up when it returns true for `context`; may be NULL */
  void *context;
  /* What a full budget weighs against what a set lacks, in durations of an operation: with much, small sets come
   * first, with little those that are nearly there. */
  double thrift;
} moc__recall_query;

/* OUT_OF_MEMORY. O(n + m). */
moc_status moc__recall_init(moc__recall *recall, const moc__staged *staged, const moc_allocator *allocator,
                            moc_error *error);
void moc__recall_release(moc__recall *recall);

moc__recall_outcome moc__recall_find(moc__recall *recall, const moc__recall_query *query);

static inline const int32_t *moc__recall_items(const moc__recall *recall, int32_t set) {
  return recall->items + recall->sets[set].start;
}

#endif
