/* Search for an order that needs little memory; see order.h. */
#include "search/order.h"

#include <math.h>

/* Work spent on moves: moves * (operations + reads) stays about this, within the limits below. */
static const int64_t MOST_WORK = 40000000, MOST_MOVES = 200000;
static const double FIRST_TEMPERATURE = 0.02, LAST_TEMPERATURE = 0.0002; /* in shares of the input order's excess */

typedef struct orders {
  const moc_graph *graph;
  int64_t budget;
  moc_op *order;   /* [n] */
  int32_t *place;  /* [n] of each operation */
  int64_t *memory; /* [n + 1] scratch */
  moc_op *best;    /* [n] */
  double best_excess;
} orders;

/* Bytes above the budget, summed over the steps of the order. A double: it only guides. */
static double excess_of(orders *o) {
  const moc_graph *graph = o->graph;
  int32_t n = graph->n_ops;
  memset(o->memory, 0, ((size_t)n + 1) * sizeof *o->memory);
  for (moc_tensor t = 0; t < graph->n_tensors; t++) {
    int64_t size = graph->size[t];
    if (size == 0) continue;
    int32_t start = graph->producer[t] == MOC_NONE ? 0 : o->place[graph->producer[t]];
    int32_t end = graph->producer[t] == MOC_NONE ? -1 : start;
    for (int64_t i = graph->readers.start[t]; i < graph->readers.start[t + 1]; i++) {
      int32_t reader = o->place[graph->readers.items[i]];
      if (reader > end) end = reader;
    }
    if (graph->keep[t]) end = n - 1;
    if (end < 0) continue;
    o->memory[start] += size;
    o->memory[end + 1] -= size;
  }
  double excess = 0;
  int64_t resident = 0;
  for (int32_t i = 0; i < n; i++) {
    resident += o->memory[i];
    int64_t over = resident + graph->workspace[o->order[i]] - o->budget;
    if (over > 0) excess += (double)over;
  }
  return excess;
}

static void set_places(orders *o) {
  for (int32_t i = 0; i < o->graph->n_ops; i++) o->place[o->order[i]] = i;
}

static void keep_if_best(orders *o, double excess) {
  if (excess >= o->best_excess) return;
  o->best_excess = excess;
  memcpy(o->best, o->order, (size_t)o->graph->n_ops * sizeof *o->best);
}

/* --- Greedy: of the operations that are ready, the one after which least memory is resident. --- */

typedef struct greedy {
  int32_t *open_reads;   /* [n] reads of the operation whose producer has not run */
  int32_t *open_readers; /* [tensors] readers that have not run */
  moc_op *ready;
  int32_t n_ready;
} greedy;

static int64_t growth(const orders *o, const greedy *g, moc_op op) {
  const moc_graph *graph = o->graph;
  int64_t bytes = 0;
  for (int64_t i = graph->outputs.start[op]; i < graph->outputs.start[op + 1]; i++) {
    moc_tensor t = graph->outputs.items[i];
    if (g->open_readers[t] > 0 || graph->keep[t]) bytes += graph->size[t];
  }
  for (int64_t i = graph->reads.start[op]; i < graph->reads.start[op + 1]; i++) {
    moc_tensor t = graph->reads.items[i];
    if (g->open_readers[t] == 1 && !graph->keep[t]) bytes -= graph->size[t];
  }
  return bytes;
}

static void finish(const orders *o, greedy *g, moc_op op) {
  const moc_graph *graph = o->graph;
  for (int64_t i = graph->reads.start[op]; i < graph->reads.start[op + 1]; i++)
    g->open_readers[graph->reads.items[i]]--;
  for (int64_t i = graph->outputs.start[op]; i < graph->outputs.start[op + 1]; i++) {
    moc_tensor t = graph->outputs.items[i];
    for (int64_t r = graph->readers.start[t]; r < graph->readers.start[t + 1]; r++) {
      moc_op reader = graph->readers.items[r];
      if (--g->open_reads[reader] == 0) g->ready[g->n_ready++] = reader;
    }
  }
}

/* At most this many of the operations that are ready are compared at each step, the latest to become so. */
enum { MOST_COMPARED = 256 };

static bool greedy_order(orders *o, const moc_allocator *allocator) {
  const moc_graph *graph = o->graph;
  int32_t n = graph->n_ops;
  greedy g = {.open_reads = MOC__NEW_ZEROED(allocator, n, int32_t),
              .open_readers = MOC__NEW_ZEROED(allocator, graph->n_tensors, int32_t),
              .ready = MOC__NEW(allocator, n, moc_op)};
  bool ok = g.open_reads && g.open_readers && g.ready;
  if (ok) {
    for (moc_tensor t = 0; t < graph->n_tensors; t++)
      g.open_readers[t] = (int32_t)(graph->readers.start[t + 1] - graph->readers.start[t]);
    for (int32_t i = n - 1; i >= 0; i--) {
      moc_op op = graph->order[i];
      for (int64_t r = graph->reads.start[op]; r < graph->reads.start[op + 1]; r++)
        g.open_reads[op] += graph->producer[graph->reads.items[r]] != MOC_NONE;
      if (g.open_reads[op] == 0) g.ready[g.n_ready++] = op;
    }
    for (int32_t step = 0; step < n; step++) {
      int32_t chosen = g.n_ready - 1;
      int64_t least = INT64_MAX;
      for (int32_t i = g.n_ready - 1; i >= 0 && i >= g.n_ready - MOST_COMPARED; i--) {
        int64_t bytes = growth(o, &g, g.ready[i]);
        if (bytes < least) {
          least = bytes;
          chosen = i;
        }
      }
      moc_op op = g.ready[chosen];
      g.n_ready--;
      memmove(&g.ready[chosen], &g.ready[chosen + 1], (size_t)(g.n_ready - chosen) * sizeof *g.ready);
      o->order[step] = op;
      finish(o, &g, op);
    }
  }
  moc__release(allocator, g.open_reads);
  moc__release(allocator, g.open_readers);
  moc__release(allocator, g.ready);
  return ok;
}

/* --- Moving single operations --- */

/* The places to which an operation may move while all others keep their order. */
static void legal_window(const orders *o, moc_op op, int32_t *low, int32_t *high) {
  const moc_graph *graph = o->graph;
  *low = 0;
  *high = graph->n_ops - 1;
  for (int64_t i = graph->reads.start[op]; i < graph->reads.start[op + 1]; i++) {
    moc_op producer = graph->producer[graph->reads.items[i]];
    if (producer != MOC_NONE && o->place[producer] + 1 > *low) *low = o->place[producer] + 1;
  }
  for (int64_t i = graph->outputs.start[op]; i < graph->outputs.start[op + 1]; i++) {
    moc_tensor t = graph->outputs.items[i];
    for (int64_t r = graph->readers.start[t]; r < graph->readers.start[t + 1]; r++) {
      int32_t reader = o->place[graph->readers.items[r]];
      if (reader - 1 < *high) *high = reader - 1;
    }
  }
}

static void move_to(orders *o, moc_op op, int32_t to) {
  int32_t from = o->place[op], step = to > from ? 1 : -1;
  for (int32_t i = from; i != to; i += step) {
    o->order[i] = o->order[i + step];
    o->place[o->order[i]] = i;
  }
  o->order[to] = op;
  o->place[op] = to;
}

/* Move one operation within its window, or not, by Metropolis' rule. The excess then, which was `excess`. */
static double try_move(orders *o, moc__rng *rng, double excess, double temperature) {
  int32_t n = o->graph->n_ops;
  moc_op op = (moc_op)moc__rng_below(rng, (uint32_t)n);
  int32_t low, high, from = o->place[op];
  legal_window(o, op, &low, &high);
  if (low >= high) return excess;
  int32_t to = low + (int32_t)moc__rng_below(rng, (uint32_t)(high - low + 1));
  if (to == from) return excess;
  move_to(o, op, to);
  double moved = excess_of(o);
  if (moved <= excess || moc__rng_unit(rng) < exp((excess - moved) / temperature)) {
    keep_if_best(o, moved);
    return moved;
  }
  move_to(o, op, from);
  return excess;
}

static void improve(orders *o, uint64_t seed, bool (*stop)(void *), void *context) {
  int32_t n = o->graph->n_ops;
  int64_t work = (int64_t)n + o->graph->n_tensors + o->graph->reads.start[n];
  int64_t moves = moc__min(MOST_WORK / work + 1, MOST_MOVES);
  moc__rng rng;
  moc__rng_init(&rng, seed, UINT64_MAX);
  memcpy(o->order, o->best, (size_t)n * sizeof *o->order);
  set_places(o);
  double excess = o->best_excess, temperature = FIRST_TEMPERATURE * excess;
  double cooling = pow(LAST_TEMPERATURE / FIRST_TEMPERATURE, 1 / (double)moves);
  for (int64_t i = 0; i < moves && o->best_excess > 0; i++) {
    if (i % 16 == 0 && stop != NULL && stop(context)) return;
    excess = try_move(o, &rng, excess, temperature);
    temperature *= cooling;
  }
}

moc_status moc__search_order(const moc_graph *graph, int64_t budget, uint64_t seed, bool (*stop)(void *),
                             void *context, const moc_allocator *allocator, moc_op *order, moc_error *error) {
  int32_t n = graph->n_ops;
  orders o = {.graph = graph,
              .budget = budget,
              .order = MOC__NEW(allocator, n, moc_op),
              .place = MOC__NEW(allocator, n, int32_t),
              .memory = MOC__NEW(allocator, (int64_t)n + 1, int64_t),
              .best = order,
              .best_excess = INFINITY};
  bool ok = o.order && o.place && o.memory;
  if (ok) {
    memcpy(o.order, graph->order, (size_t)n * sizeof *order);
    set_places(&o);
    keep_if_best(&o, excess_of(&o));
    ok = greedy_order(&o, allocator);
  }
  if (ok) {
    set_places(&o);
    keep_if_best(&o, excess_of(&o));
    improve(&o, seed, stop, context);
  }
  moc__release(allocator, o.order);
  moc__release(allocator, o.place);
  moc__release(allocator, o.memory);
  return ok ? MOC_OK : moc__out_of_memory(error);
}
