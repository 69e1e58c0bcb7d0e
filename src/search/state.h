/* Incremental evaluation of the staged model: a set of pairs, and under adding and removing one pair the retention
 * intervals, the memory of every stage and the duration.
 *
 * An instance lives from its event to the last event that reads it. What a stage needs is
 *     total[k] = (bytes of instances that enter stage k alive) + local[k],
 * where local[k] is the highest rise over that within the stage. A toggle changes the ends of few instances: each
 * is a range of stages whose totals move by the tensor's size, and only stages where an instance now begins or ends
 * need their local peak again. So a toggle costs about (2 + reads) stages and the lengths of the ranges moved.
 *
 * Ties to formulation.md: the latest instance at or before stage k is the one that events of stage k read, because
 * a producer's place is below its reader's and a stage runs in ascending places. */
#ifndef MOC_SEARCH_STATE_H
#define MOC_SEARCH_STATE_H

#include "model/staged.h"

typedef struct moc__toggle {
  int32_t place;
  int32_t stage;
  bool added;
} moc__toggle;

/* One rematerialised computation in the list of its stage. */
typedef struct moc__node {
  int32_t place;
  int32_t next; /* node of the next higher place in the stage, or -1 */
} moc__node;

/* A stage and the local peak it had. */
typedef struct moc__local {
  int32_t stage;
  int64_t local;
} moc__local;

typedef struct moc__state {
  const moc__staged *staged;
  moc_allocator allocator;
  int64_t budget;
  int32_t max_computes;
  int shift; /* excess bytes are summed in units of 2^shift, so that the sum cannot overflow */

  /* Instances: place p has count[p] of them, in stages instance_stage[p * max_computes + i], ascending; the first
   * is stage p. Tensor t of it ends at event end[t * max_computes + i], an event being stage * 2^32 + place. */
  int32_t *count;          /* [n] */
  int32_t *instance_stage; /* [n * max_computes] */
  int64_t *end;            /* [n_tensors * max_computes] */
  int32_t *pair_index;     /* [n * max_computes] where the pair is in pairs[], for instances but the first */

  moc__pair *pairs; /* [n_pairs] in no order */
  int64_t n_pairs;
  int64_t pairs_capacity;

  int32_t *first_node; /* [n] of each stage's list, or -1 */
  moc__node *nodes;    /* [nodes_capacity] */
  int64_t nodes_capacity;
  int32_t free_node; /* list of unused nodes */

  int64_t *total;         /* [n] peak bytes of each stage */
  int64_t *local;         /* [n] its rise over what enters it */
  int64_t excess;         /* sum over stages of bytes above the budget, in units of 2^shift, rounded up each */
  int64_t extra_duration; /* of all pairs */

  int32_t *dirty; /* [n_dirty] stages whose local peak is to be computed again, each once */
  int64_t n_dirty;
  bool *marked; /* [n] the stage is in dirty[] */

  bool logging;     /* between begin and commit or undo */
  moc__toggle *log; /* [n_log] toggles since begin */
  int64_t n_log;
  int64_t log_capacity;
  moc__local *local_log; /* [n_local_log] local peaks that were replaced since begin */
  int64_t n_local_log;
  int64_t local_log_capacity;
  int64_t most_dirty; /* most stages that one toggle marks */

  bool out_of_memory; /* a toggle was refused for it; the state stays valid */
} moc__state;

/* A state of the empty set. `staged` is borrowed. OUT_OF_MEMORY. O(n + m). */
moc_status moc__state_init(moc__state *state, const moc__staged *staged, int64_t budget, int32_t max_computes,
                           const moc_allocator *allocator, moc_error *error);
void moc__state_release(moc__state *state);

/* Add the pair (place, stage). False, changing nothing, when it may not be added: not place < stage, there already,
 * compute-once, as many computations as allowed, a duration beyond MOC_MAX_TOTAL, or no memory.
 * total, local and excess are right only after moc__state_settle: several toggles share its work. */
bool moc__state_add(moc__state *state, int32_t place, int32_t stage);
/* Remove it. False when it is not there, or no memory. Settle afterwards. */
bool moc__state_remove(moc__state *state, int32_t place, int32_t stage);
/* Bring total, local and excess up to date. */
void moc__state_settle(moc__state *state);

/* A move: begin, toggles, then commit to keep them or undo to take all of them back. Both settle. */
void moc__state_begin(moc__state *state);
void moc__state_commit(moc__state *state);
void moc__state_undo(moc__state *state);
/* Make the set equal to `pairs`, and settle. Not within a move. False when memory is out. */
bool moc__state_assign(moc__state *state, const moc__pair *pairs, int64_t n_pairs);

/* Exactly: no stage is over budget. */
bool moc__state_feasible(const moc__state *state);
/* The highest stage total. O(n). */
int64_t moc__state_peak(const moc__state *state);

#define MOC__EVENT(stage, place) ((int64_t)(stage) * (INT64_C(1) << 32) + (place))

static inline int32_t moc__event_stage(int64_t event) {
  return (int32_t)(event >> 32);
}
static inline int32_t moc__event_place(int64_t event) {
  return (int32_t)(event & 0xffffffff);
}

/* The index of p's latest instance at or before stage k; k >= p. */
static inline int32_t moc__latest(const moc__state *state, int32_t p, int32_t k) {
  const int32_t *stages = state->instance_stage + (int64_t)p * state->max_computes;
  int32_t i = state->count[p] - 1;
  while (stages[i] > k) i--;
  return i;
}

/* The end of instance i of tensor t. */
static inline int64_t *moc__end(const moc__state *state, int32_t t, int32_t i) {
  return &state->end[(int64_t)t * state->max_computes + i];
}

static inline bool moc__has_pair(const moc__state *state, int32_t p, int32_t k) {
  return k > p && state->instance_stage[(int64_t)p * state->max_computes + moc__latest(state, p, k)] == k;
}

#endif
