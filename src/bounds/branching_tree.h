/* What the files of the proofs by cases share; see branching.h.
 *
 * Nodes are in the order in which they were made, the two below a branch next to each other; leaves are the cases. Each leaf,
 * once bounded, is a user of its part. One case at a time is assumed: layout, work space and the relaxation's cases are of
 * that one. */
#ifndef MOC_BOUNDS_BRANCHING_TREE_H
#define MOC_BOUNDS_BRANCHING_TREE_H

#include "bounds/branching.h"

enum { MOC__MOST_REFUTED = 64 }; /* answers fixed at a time */

/* Multipliers. */
typedef struct moc__branch_weight {
  int32_t event;
  int64_t weight;
} moc__branch_weight;

typedef struct moc__branch_share {
  int32_t support; /* its number */
  int32_t share;
} moc__branch_share;

typedef struct moc__branch_part {
  moc__branch_weight *weights; /* [n_weights] */
  moc__branch_share *shares;   /* [n_shares] */
  int64_t n_weights, n_shares;
  int64_t users; /* leaves */
} moc__branch_part;

/* X(place, first..last). */
typedef struct moc__branch_literal {
  int32_t place, first, last;
} moc__branch_literal;

typedef struct moc__branch_node {
  int64_t above, below; /* below: where some start is; below + 1: where none is; -1: a leaf */
  moc__branch_literal branch;
  bool runs; /* its answer to the branch above */
  bool done; /* cannot be divided */
  int32_t depth;
  int64_t part;
  int64_t extra; /* proved; INT64_MAX: there is no such schedule */
} moc__branch_node;

struct moc__branching {
  moc_allocator allocator;
  moc__retain retain;
  int shift;
  moc__branch_node *nodes; /* [n_nodes] */
  int64_t n_nodes, nodes_capacity;
  moc__branch_part *parts; /* [n_parts] parts[0] has no weights */
  int64_t n_parts, parts_capacity;
  int64_t bytes;                                        /* of parts in use */
  int64_t *weight;                                      /* [retain.n_events] work space */
  int32_t *fraction;                                    /* [retain.n_supports] */
  int32_t *index_of;                                    /* [retain.n_supports] supports by number */
  moc__retain_case cases[2 * MOC_MAX_BRANCH_DEPTH + 2]; /* the second half is work space */
  int64_t n_cases;
  bool laid_out;
  bool failed; /* memory is out */
};

/* --- branching_case.c: one case --- */

/* Lay out the relaxation and the work space, if something was added since. */
void moc__branching_lay_out(moc__branching *b);
/* Assume what leads to a node, and `more` (may be NULL). */
void moc__branching_assume(moc__branching *b, int64_t index, const moc__branch_literal *more, bool runs);
/* The ascent under what is assumed, from the relaxation's best multipliers on. */
void moc__branching_ascend(moc__branching *b, int64_t target, int32_t rounds, bool (*stop)(void *), void *context);
/* Better multipliers for a node, from those of a part; for the second time with events and supports of its own. */
void moc__branching_improve(moc__branching *b, int64_t index, int64_t from, int64_t target, bool (*stop)(void *),
                            void *context);
/* The bound of a new leaf, from the parts of the case above and of one like it. */
void moc__branching_bound(moc__branching *b, int64_t index, int64_t above, int64_t near, int64_t target,
                          bool (*stop)(void *), void *context);

/* --- branching_part.c: multipliers --- */

/* More or fewer users of a part. Without any it is released. */
void moc__branching_use(moc__branching *b, int64_t index, int64_t users);
/* What a part proves under what is assumed; -1: nothing. */
int64_t moc__branching_prove(moc__branching *b, int64_t index);
/* The multipliers of a part become the best ones of the ascent. */
void moc__branching_load(moc__branching *b, int64_t index);
/* What the ascent found for a node: kept if it proves more, without the shares that it can do without. */
void moc__branching_take(moc__branching *b, int64_t index, int64_t target);

/* --- branching_choose.c: what to branch on --- */

/* The literal whose answers both raise the bound most. False: there is nothing to tell apart. */
bool moc__branching_choose(moc__branching *b, int64_t index, int64_t target, moc__branch_literal *found,
                           bool (*stop)(void *), void *context);
/* Answers that the best multipliers seem to refute, to found[], runs[MOC__MOST_REFUTED]; their number. */
int moc__branching_refuted(moc__branching *b, int64_t target, moc__branch_literal *found, bool *runs);

#endif
