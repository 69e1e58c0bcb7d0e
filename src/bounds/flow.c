/* Greatest flows; see flow.h. */
#include "bounds/flow.h"

enum { MOST_ARCS = 1 << 30, PATHS_A_CHECK = 4096 };

bool moc__flow_init(moc__flow *net, int32_t n_nodes, const moc_allocator *allocator) {
  *net = (moc__flow){.allocator = *allocator,
                     .n_nodes = n_nodes,
                     .start = MOC__NEW_ZEROED(allocator, (int64_t)n_nodes + 1, int32_t),
                     .terminal = MOC__NEW_ZEROED(allocator, n_nodes, uint8_t),
                     .distance = MOC__NEW(allocator, n_nodes, int32_t),
                     .next = MOC__NEW(allocator, n_nodes, int32_t),
                     .queue = MOC__NEW(allocator, n_nodes, int32_t)};
  return net->start && net->terminal && net->distance && net->next && net->queue;
}

void moc__flow_release(moc__flow *net) {
  void *blocks[] = {net->added, net->start, net->arcs, net->terminal, net->distance, net->next, net->queue};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(&net->allocator, blocks[i]);
  *net = (moc__flow){.allocator = net->allocator};
}

bool moc__flow_add(moc__flow *net, int32_t tail, int32_t head, int64_t *index) {
  if (net->n_added >= MOST_ARCS / 2 ||
      !moc__grow(&net->allocator, &net->added, net->n_added, &net->capacity, sizeof *net->added))
    return false;
  net->added[net->n_added] = (moc__flow_added){.tail = tail, .head = head};
  if (index != NULL) *index = net->n_added;
  net->n_added++;
  return true;
}

bool moc__flow_close(moc__flow *net) {
  net->arcs = MOC__NEW_ZEROED(&net->allocator, 2 * net->n_added, moc__flow_arc);
  if (net->arcs == NULL) return false;
  for (int64_t i = 0; i < net->n_added; i++) {
    net->start[net->added[i].tail + 1]++;
    net->start[net->added[i].head + 1]++;
  }
  for (int32_t x = 0; x < net->n_nodes; x++) {
    net->start[x + 1] += net->start[x];
    net->next[x] = net->start[x];
  }
  for (int64_t i = 0; i < net->n_added; i++) {
    moc__flow_added *added = &net->added[i];
    int32_t arc = net->next[added->tail]++, back = net->next[added->head]++;
    net->arcs[arc] = (moc__flow_arc){.head = added->head, .twin = back};
    net->arcs[back] = (moc__flow_arc){.head = added->tail, .twin = arc};
    added->number = arc;
  }
  return true;
}

void moc__flow_set(moc__flow *net, int64_t index, int64_t capacity) {
  moc__flow_arc *arc = &net->arcs[net->added[index].number];
  arc->room = capacity;
  net->arcs[arc->twin].room = 0;
}

/* Distances to the sinks. Whether some source has one. */
static bool measure(moc__flow *net) {
  int32_t count = 0;
  bool reached = false;
  for (int32_t x = 0; x < net->n_nodes; x++) {
    net->next[x] = net->start[x];
    net->distance[x] = net->terminal[x] == MOC__SINK ? 0 : MOC_NONE;
    if (net->terminal[x] == MOC__SINK) net->queue[count++] = x;
  }
  for (int32_t i = 0; i < count; i++) {
    int32_t y = net->queue[i];
    if (net->terminal[y] == MOC__SOURCE) {
      reached = true;
      continue; /* a path that passes through a source may begin there */
    }
    net->work += net->start[y + 1] - net->start[y];
    for (int32_t a = net->start[y]; a < net->start[y + 1]; a++) {
      int32_t x = net->arcs[a].head;
      if (net->distance[x] != MOC_NONE || net->arcs[net->arcs[a].twin].room == 0) continue;
      net->distance[x] = net->distance[y] + 1;
      net->queue[count++] = x;
    }
  }
  return reached;
}

/* Flow along the path of arcs that is in queue[0..length); how much of it is left: up to the first arc without room. */
static int32_t augment(moc__flow *net, int32_t length, int64_t *flow) {
  int64_t most = INT64_MAX;
  for (int32_t i = 0; i < length; i++) most = moc__min(most, net->arcs[net->queue[i]].room);
  int32_t left = length;
  for (int32_t i = length - 1; i >= 0; i--) {
    moc__flow_arc *arc = &net->arcs[net->queue[i]];
    arc->room -= most;
    net->arcs[arc->twin].room += most;
    if (arc->room == 0) left = i;
  }
  *flow += most;
  return left;
}

/* All paths from a source along which distances fall by one. */
static void fill_from(moc__flow *net, int32_t source, int64_t *flow) {
  int32_t x = source, length = 0;
  for (;;) {
    if (net->terminal[x] == MOC__SINK) {
      length = augment(net, length, flow);
      x = net->arcs[net->arcs[net->queue[length]].twin].head;
    }
    int32_t a = net->next[x], end = net->start[x + 1];
    net->work += end - a;
    while (a < end && (net->arcs[a].room == 0 || net->distance[net->arcs[a].head] != net->distance[x] - 1)) a++;
    net->work -= end - a;
    net->next[x] = a;
    if (a < end) {
      net->queue[length++] = a;
      x = net->arcs[a].head;
      continue;
    }
    if (length == 0) return;
    net->distance[x] = MOC_NONE; /* a dead end */
    a = net->queue[--length];
    x = net->arcs[net->arcs[a].twin].head;
    net->next[x]++;
  }
}

bool moc__flow_greatest(moc__flow *net, bool (*stop)(void *), void *context, int64_t *flow) {
  *flow = 0;
  while (measure(net)) {
    for (int32_t x = 0; x < net->n_nodes; x++) {
      if (x % PATHS_A_CHECK == 0 && stop != NULL && stop(context)) return false;
      if (net->terminal[x] == MOC__SOURCE && net->distance[x] > 0) fill_from(net, x, flow);
    }
  }
  return true;
}
