/* Incremental evaluation of the staged model: an order of the first computations, a set of pairs, and under adding and
 * removing a pair, and under moving an operation within the order, the retention intervals, the memory of every stage
 * and the duration.
 *
 * Operations are called by their place in the order in which `staged` is laid out (their *number* here); the order
 * under search is `order`, numbers by place, at first the same. Stage k is the one that ends with the first
 * computation of number k; it is at place[k]. Pairs (p, k) need place[p] < place[k]; within a stage, recomputations
 * run in ascending numbers, which is topological whatever the order under search is.
 *
 * An instance lives from its event to the last event that reads it. What a stage needs is
 *     level = (bytes of instances that enter it alive) + local[k],
 * where local[k] is the highest rise over that within the stage. A toggle changes the ends of few instances: each
 * is a range of places whose levels move by the tensor's size, and only stages with recomputations where an instance
 * now begins or ends need their local rise again. So a toggle costs about (2 + reads) range additions (profile.h).
 *
 * Every change is journalled within a move; taking the move back replays the journal from its end.
 *
 * Bytes are counted in units, so that 32 bits do: the greatest common divisor of all sizes where that is enough,
 * else a coarser unit, sizes rounded up and the budget down. So a state that is within budget here always is, and
 * with sizes up to 2^30 units in all the converse holds too. */
#ifndef MOC_SEARCH_STATE_H
#define MOC_SEARCH_STATE_H

#include "base/rng.h"
#include "model/staged.h"
#include "search/profile.h"

/* An event is stage * 2^32 + rank: the rank of a recomputation is its number, that of a first computation
 * MOC__FIRST. Events of one stage compare as integers; others by the places of their stages. */
#define MOC__FIRST              INT32_MAX
#define MOC__EVENT(stage, rank) ((int64_t)(stage) * (INT64_C(1) << 32) + (rank))

/* One rematerialised computation in the list of its stage. */
typedef struct moc__node {
  int32_t number;
  int32_t next; /* node of the next higher number in the stage, or -1 */
} moc__node;

/* What one journal entry takes back; see state.c. */
typedef struct moc__entry {
  int32_t kind;
  int32_t a, b;
  int32_t units;
  int64_t where, value;
} moc__entry;

typedef struct moc__state {
  const moc__staged *staged;
  moc_allocator allocator;
  int32_t max_computes;

  /* Units */
  int64_t unit;       /* bytes of one */
  int64_t throughout; /* bytes of what is resident at every step; not counted in levels */
  int32_t *size;      /* [n_tensors] units */
  int32_t *own;       /* [n] outputs and workspace of each operation, units */
  int32_t *workspace; /* [n] units */

  /* The order under search */
  int32_t *order;       /* [n] the number at each place */
  int32_t *place_block; /* [n + 2] */
  int32_t *place;       /* place_block + 1: [-1] is -1 and [n] is n, for events before and after all stages */

  /* Instances: number p has count[p] of them, in stages instance_stage[p * max_computes + i], ascending by place; the
   * first is stage p. Tensor t of it ends at event end[t * max_computes + i]; kept ones at MOC__EVENT(n, 0). */
  int32_t *count;          /* [n] */
  int32_t *instance_stage; /* [n * max_computes] */
  int64_t *end;            /* [n_tensors * max_computes] */
  int32_t *pair_index;     /* [n * max_computes] where the pair is in pairs[], for instances but the first */

  moc__pair *pairs; /* [n_pairs] in no order; their places are numbers */
  int64_t n_pairs;
  int64_t pairs_capacity;

  int32_t *first_node; /* [n] of each stage's list, or -1 */
  moc__node *nodes;    /* [nodes_capacity] */
  int64_t nodes_capacity;
  int32_t free_node; /* list of unused nodes */

  moc__profile profile;   /* levels by place, and the excess */
  int32_t *local;         /* [n] of each stage */
  int32_t at_end;         /* units resident after the last stage: what is kept */
  int64_t extra_duration; /* of all pairs */

  int32_t *dirty; /* [n_dirty] stages whose local rise is to be computed again, each once */
  int64_t n_dirty;
  bool *marked; /* [n] the stage is in dirty[] */

  bool journalling;    /* between begin and commit or undo */
  moc__entry *journal; /* [n_journal] since begin */
  int64_t n_journal, journal_capacity;
  int64_t toggles; /* made since init: the measure of work */

  /* Scratch of moc__state_reorder */
  int32_t *touched; /* [n_touched] tensors */
  int64_t touched_capacity;
  bool *is_touched; /* [n_tensors] */
  int64_t *fresh;   /* [max_computes] ends of one tensor */

  bool out_of_memory; /* a change was refused for it; the state stays valid */
} moc__state;

/* A state of the empty set in the order of `staged`, which is borrowed. OUT_OF_MEMORY. O(n + m). */
moc_status moc__state_init(moc__state *state, const moc__staged *staged, int64_t budget, int32_t max_computes,
                           const moc_allocator *allocator, moc_error *error);
void moc__state_release(moc__state *state);

/* Add the pair (p, k). False, changing nothing, when it may not be added: p not before k, there already,
 * compute-once, as many computations as allowed, a duration beyond MOC_MAX_TOTAL, or no memory.
 * Levels and excess are right only after moc__state_settle: several changes share its work. */
bool moc__state_add(moc__state *state, int32_t p, int32_t k);
/* Remove it. False when it is not there, or no memory. Settle afterwards. */
bool moc__state_remove(moc__state *state, int32_t p, int32_t k);
/* The places, from *low to *high, to which number v may move, its own between them: after what it reads, before its
 * readers' first computations and its own second one, and such that what is recomputed in its stage stays between
 * its other instances. O(reads + readers). */
void moc__state_window(const moc__state *state, int32_t v, int32_t *low, int32_t *high);
/* Move number v, with the recomputations of its stage, to the place `to` within its window. False when memory is out.
 * Settle afterwards. Costs about the reads of the stage's computations, and the distance. */
bool moc__state_reorder(moc__state *state, int32_t v, int32_t to);
/* Bring levels and excess up to date. */
void moc__state_settle(moc__state *state);

/* A move: begin, changes, then commit to keep them or undo to take all of them back. Both settle. */
void moc__state_begin(moc__state *state);
void moc__state_commit(moc__state *state);
void moc__state_undo(moc__state *state);
/* Make the order equal to `order` [n] (NULL: that of `staged`) and the set equal to those of `pairs` that may be added one
 * after the other, and settle. Not within a move. False when memory is out. O(n + m) and the additions. */
bool moc__state_assign(moc__state *state, const int32_t *order, const moc__pair *pairs, int64_t n_pairs);

/* No stage is over budget. */
static inline bool moc__state_feasible(const moc__state *state) {
  return state->profile.excess == 0;
}
/* The peak in bytes, rounded up to units. O(blocks of the profile). */
int64_t moc__state_peak(const moc__state *state);

static inline int32_t moc__event_stage(int64_t event) {
  return (int32_t)(event >> 32);
}

/* Events in their order in time, as integers. */
static inline int64_t moc__when(const moc__state *state, int64_t event) {
  return MOC__EVENT(state->place[moc__event_stage(event)], event & 0xffffffff);
}

static inline int64_t moc__instance_event(const moc__state *state, int32_t p, int32_t i) {
  return i == 0 ? MOC__EVENT(p, MOC__FIRST)
                : MOC__EVENT(state->instance_stage[(int64_t)p * state->max_computes + i], p);
}

/* The index of p's latest instance at or before stage k, which is not before stage p. */
static inline int32_t moc__latest(const moc__state *state, int32_t p, int32_t k) {
  const int32_t *stages = state->instance_stage + (int64_t)p * state->max_computes;
  int32_t i = state->count[p] - 1, at = state->place[k];
  while (i > 0 && state->place[stages[i]] > at) i--;
  return i;
}

/* The end of instance i of tensor t. */
static inline int64_t *moc__end(const moc__state *state, int32_t t, int32_t i) {
  return &state->end[(int64_t)t * state->max_computes + i];
}

static inline bool moc__has_pair(const moc__state *state, int32_t p, int32_t k) {
  if (state->place[k] <= state->place[p]) return false;
  return state->instance_stage[(int64_t)p * state->max_computes + moc__latest(state, p, k)] == k;
}

#endif
