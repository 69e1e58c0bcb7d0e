/* Greatest flows, and so least cuts, between sets of nodes.
 *
 * Dinic's method: paths of ever greater length to the sinks, as many as there are of one length at a time. Every source begins at its own
 * distance. Capacities are integers; MOC__ENDLESS stands for more than any flow, which the caller sees to. */
#ifndef MOC_BOUNDS_FLOW_H
#define MOC_BOUNDS_FLOW_H

#include "base/base.h"

#define MOC__ENDLESS (INT64_C(1) << 61)

typedef enum moc__terminal { MOC__INNER, MOC__SOURCE, MOC__SINK } moc__terminal;

/* Arcs come in twins: one that was added and one back, without capacity of its own. */
typedef struct moc__flow_arc {
  int32_t head;
  int32_t twin; /* its number */
  int64_t room; /* what may still flow */
} moc__flow_arc;

typedef struct moc__flow_added {
  int32_t tail, head;
  int32_t number; /* in arcs[] */
} moc__flow_added;

typedef struct moc__flow {
  moc_allocator allocator;
  int32_t n_nodes;
  int64_t n_added, capacity;
  moc__flow_added *added; /* [n_added] */
  int32_t *start;         /* [n_nodes + 1] arcs of each node */
  moc__flow_arc *arcs;    /* [2 n_added] */
  uint8_t *terminal;      /* [n_nodes] moc__terminal, for the caller to set */
  int32_t *distance;      /* [n_nodes] to the sinks; after a flow it is MOC_NONE on the side of the sources */
  int32_t *next;          /* [n_nodes] the arc to try next */
  int32_t *queue;         /* [n_nodes] */
  int64_t work;           /* arcs looked at so far */
} moc__flow;

/* A network without arcs. False when memory is out; release it in any case. */
bool moc__flow_init(moc__flow *network, int32_t n_nodes, const moc_allocator *allocator);
void moc__flow_release(moc__flow *network);
/* Add an arc, before the network is closed: its index to *index. False when memory is out or there are 2^30. */
bool moc__flow_add(moc__flow *network, int32_t tail, int32_t head, int64_t *index);
/* No more arcs. False when memory is out. */
bool moc__flow_close(moc__flow *network);
/* Capacity of an added arc for the next flow. Each flow uses capacities up. */
void moc__flow_set(moc__flow *network, int64_t index, int64_t capacity);
/* The greatest flow from sources to sinks, to *flow. False when it was stopped. */
bool moc__flow_greatest(moc__flow *network, bool (*stop)(void *), void *context, int64_t *flow);

#endif
