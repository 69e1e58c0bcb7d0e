/* Verification of a certificate of a least cut.
 *
 * Apart from the solver on purpose, like verify.c. What is proved, for every sequence within the budget M: look at the first run of
 * v. Let D be the operations that ran before it: all that v depends on, and with each what it depends on, but not v nor what depends on
 * v. Say of each operation u of D whether it runs again after that, and of each tensor t that is there by then whether it is in memory
 * at v, or not needed any more: nobody reads it from then on, v included, and it is not kept to the end. Then
 *
 *   (1) u in D and not running again: its tensors are in memory or not needed, for what is needed and not there must be made again;
 *   (2) t not needed: its readers are in D and none runs again; and if t has a producer, what (1) says holds of it;
 *   (3) what v reads is in memory; what is kept is needed; what runs once does not run again.
 *
 * For any states that obey these rules let cost = sum of durations of what runs again + l * bytes in memory, l >= 0 the weight. The
 * states of the sequence obey them, with cost <= extra duration + l (M - what v writes - its workspace). So the extra duration is at least
 *
 *   least cost of all states that obey the rules - l (M - what v writes - its workspace).
 *
 * As rules only say "if this, then that", the least cost is that of a cut, and every flow through a network is below it: with
 * arcs of endless capacity for rules, "in D" and "runs not again" an arc of duration_u apart, "in memory or not needed" and "not needed" one of
 * l size_t. A flow is found by shortest paths and then looked over: within capacities, nothing lost on the way. So its search need
 * not be trusted. All times 2^shift, in integers. */
#include "base/wide.h"
#include "verify/certificates.h"

#define ENDLESS (INT64_C(1) << 61)

typedef struct pipe {
  int64_t to;
  int64_t flow; /* of a pipe and the one after it, or before it, the same with another sign */
  int64_t most;
  int64_t next; /* pipe of the same node, -1 */
} pipe;

typedef struct cut_check {
  const moc_graph *graph;
  moc_error *error;
  int64_t n, tensors;
  int64_t source, sink, nodes;
  pipe *pipes;
  int64_t n_pipes;
  int64_t *first;  /* [nodes] */
  int64_t *level;  /* [nodes] from the source, -1 */
  int64_t *open;   /* [nodes] the pipe to try next */
  int64_t *queue;  /* [nodes] */
  moc__wide *lost; /* [nodes] */
  bool *before;    /* [n] v depends on it */
  bool *after;     /* [n] it is v or depends on it */
} cut_check;

static moc_status refuse(const cut_check *c, const char *message) {
  return moc__fail(c->error, MOC_INVALID_PLAN, "certificate", "%s", message);
}

/* Nodes. */
static int64_t runs_not_again(const cut_check *c, moc_op op) {
  return c->n + op;
}

static int64_t there_or_not_needed(const cut_check *c, moc_tensor t) {
  return 2 * c->n + t;
}

static int64_t not_needed(const cut_check *c, moc_tensor t) {
  return 2 * c->n + c->tensors + t;
}

/* A pipe and its contrary. */
static void lay(cut_check *c, int64_t from, int64_t to, int64_t most) {
  c->pipes[c->n_pipes] = (pipe){.to = to, .most = most, .next = c->first[from]};
  c->first[from] = c->n_pipes++;
  c->pipes[c->n_pipes] = (pipe){.to = from, .most = 0, .next = c->first[to]};
  c->first[to] = c->n_pipes++;
}

static int64_t room(const pipe *p) {
  return p->most - p->flow;
}

/* The rules, for the first run of v. */
static void lay_all(cut_check *c, moc_op v, int64_t weight, int shift) {
  for (moc_op op = 0; op < c->n; op++) {
    int64_t duration = moc_graph_op_duration(c->graph, op);
    bool dear = moc_graph_op_compute_once(c->graph, op) || duration >= ENDLESS >> shift;
    lay(c, op, runs_not_again(c, op), dear ? ENDLESS : duration << shift);
    lay(c, runs_not_again(c, op), op, ENDLESS);
    if (c->before[op]) lay(c, c->source, op, ENDLESS);
    if (c->after[op]) lay(c, op, c->sink, ENDLESS);
    moc_tensor_list read = moc_graph_op_reads(c->graph, op);
    for (int64_t k = 0; k < read.count; k++) {
      moc_op u = moc_graph_tensor_producer(c->graph, read.items[k]);
      lay(c, not_needed(c, read.items[k]), runs_not_again(c, op), ENDLESS);
      if (u != MOC_NONE) lay(c, op, u, ENDLESS);
    }
  }
  for (moc_tensor t = 0; t < c->tensors; t++) {
    moc_op u = moc_graph_tensor_producer(c->graph, t);
    lay(c, there_or_not_needed(c, t), not_needed(c, t), weight * moc_graph_tensor_size(c->graph, t));
    lay(c, not_needed(c, t), there_or_not_needed(c, t), ENDLESS);
    if (u == MOC_NONE) {
      lay(c, c->source, there_or_not_needed(c, t), ENDLESS);
    } else {
      lay(c, runs_not_again(c, u), there_or_not_needed(c, t), ENDLESS);
      lay(c, there_or_not_needed(c, t), u, ENDLESS);
    }
    if (moc_graph_tensor_keep(c->graph, t)) lay(c, not_needed(c, t), c->sink, ENDLESS);
  }
  moc_tensor_list read = moc_graph_op_reads(c->graph, v);
  for (int64_t k = 0; k < read.count; k++) {
    lay(c, c->source, there_or_not_needed(c, read.items[k]), ENDLESS);
    lay(c, not_needed(c, read.items[k]), c->sink, ENDLESS);
  }
}

/* Levels from the source; whether the sink has one. */
static bool level(cut_check *c) {
  for (int64_t x = 0; x < c->nodes; x++) {
    c->level[x] = -1;
    c->open[x] = c->first[x];
  }
  int64_t count = 0;
  c->level[c->source] = 0;
  c->queue[count++] = c->source;
  for (int64_t i = 0; i < count; i++) {
    for (int64_t k = c->first[c->queue[i]]; k >= 0; k = c->pipes[k].next) {
      int64_t to = c->pipes[k].to;
      if (c->level[to] >= 0 || room(&c->pipes[k]) == 0) continue;
      c->level[to] = c->level[c->queue[i]] + 1;
      c->queue[count++] = to;
    }
  }
  return c->level[c->sink] >= 0;
}

/* One more path of the present levels from the source to the sink, into queue[]; its length, 0: none. */
static int64_t find_path(cut_check *c) {
  int64_t length = 0, x = c->source;
  while (x != c->sink) {
    int64_t k = c->open[x];
    while (k >= 0 && (room(&c->pipes[k]) == 0 || c->level[c->pipes[k].to] != c->level[x] + 1)) k = c->pipes[k].next;
    c->open[x] = k;
    if (k >= 0) {
      c->queue[length++] = k;
      x = c->pipes[k].to;
    } else if (length == 0) {
      return 0;
    } else { /* back by one pipe, which leads nowhere */
      k = c->queue[--length];
      x = c->pipes[k ^ 1].to;
      c->open[x] = c->pipes[k].next;
    }
  }
  return length;
}

static void find_flow(cut_check *c) {
  while (level(c)) {
    for (int64_t length = find_path(c); length > 0; length = find_path(c)) {
      int64_t more = INT64_MAX;
      for (int64_t i = 0; i < length; i++) more = moc__min(more, room(&c->pipes[c->queue[i]]));
      for (int64_t i = 0; i < length; i++) {
        c->pipes[c->queue[i]].flow += more;
        c->pipes[c->queue[i] ^ 1].flow -= more;
      }
    }
  }
}

/* Whether it is a flow, and how much of it: whatever a flow is, no cut is less. */
static bool look_over(cut_check *c, moc__wide *flow) {
  for (int64_t x = 0; x < c->nodes; x++) c->lost[x] = 0;
  for (int64_t k = 0; k < c->n_pipes; k += 2) {
    const pipe *p = &c->pipes[k], *contrary = p + 1;
    if (p->flow < 0 || p->flow > p->most || contrary->flow != -p->flow) return false;
    c->lost[contrary->to] += p->flow;
    c->lost[p->to] -= p->flow;
  }
  for (int64_t x = 0; x < c->nodes; x++) {
    if (x != c->source && x != c->sink && c->lost[x] != 0) return false;
  }
  *flow = c->lost[c->source];
  return true;
}

static moc_status check(cut_check *c, moc_op v, int64_t weight, int shift, int64_t budget, int64_t *bound) {
  int64_t baseline = 0, rest = budget - moc_graph_op_workspace(c->graph, v);
  for (moc_op op = 0; op < c->n; op++) baseline += moc_graph_op_duration(c->graph, op);
  moc_tensor_list written = moc_graph_op_outputs(c->graph, v);
  for (int64_t i = 0; i < written.count; i++) rest -= moc_graph_tensor_size(c->graph, written.items[i]);
  moc__find_related(c->graph, v, c->before, c->after);
  c->before[v] = false;
  for (int64_t x = 0; x < c->nodes; x++) c->first[x] = -1;
  lay_all(c, v, weight, shift);
  find_flow(c);
  moc__wide flow;
  if (!look_over(c, &flow)) return refuse(c, "no flow was found that proves anything");
  moc__wide sum = flow - (moc__wide)weight * rest, unit = (moc__wide)1 << shift, extra = 0;
  if (sum > 0) extra = sum / unit + (sum % unit != 0);
  if (extra > MOC_MAX_TOTAL - baseline)
    return refuse(c, "it proves a bound beyond 2^62: there is no schedule at all");
  *bound = baseline + (int64_t)extra;
  return MOC_OK;
}

moc_status moc__verify_cut(const moc_graph *graph, const moc_plan *plan, const moc_allocator *allocator,
                           int64_t *bound, moc_error *error) {
  cut_check c = {
      .graph = graph, .error = error, .n = moc_graph_operations(graph), .tensors = moc_graph_tensors(graph)};
  const moc_certificate *certificate = &plan->certificate;
  if (certificate->n_weights != 1) return refuse(&c, "it has more or less than one weight");
  moc_bound_weight w = certificate->weights[0];
  if (w.op < 0 || w.op >= c.n) return refuse(&c, "it has a weight for an operation that is none");
  if (w.weight <= 0) return refuse(&c, "it has a weight that is not positive");
  moc__wide bytes = 0;
  int64_t pipes = 2 * c.n; /* and their contraries below */
  for (moc_tensor t = 0; t < c.tensors; t++) bytes += moc_graph_tensor_size(graph, t);
  if (bytes > 0 && w.weight > ENDLESS / bytes) return refuse(&c, "its weight times all bytes is beyond 2^61");
  for (moc_op op = 0; op < c.n; op++) pipes += 1 + 2 * moc_graph_op_reads(graph, op).count;
  pipes = 2 * (pipes + 5 * c.tensors + 2 * moc_graph_op_reads(graph, w.op).count);
  c.source = 2 * (c.n + c.tensors);
  c.sink = c.source + 1;
  c.nodes = c.sink + 1;
  c.pipes = MOC__NEW(allocator, pipes, pipe);
  c.first = MOC__NEW(allocator, c.nodes, int64_t);
  c.level = MOC__NEW(allocator, c.nodes, int64_t);
  c.open = MOC__NEW(allocator, c.nodes, int64_t);
  c.queue = MOC__NEW(allocator, c.nodes, int64_t);
  c.lost = MOC__NEW(allocator, c.nodes, moc__wide);
  c.before = MOC__NEW(allocator, c.n, bool);
  c.after = MOC__NEW(allocator, c.n, bool);
  bool ok = c.pipes && c.first && c.level && c.open && c.queue && c.lost && c.before && c.after;
  moc_status status =
      ok ? check(&c, w.op, w.weight, certificate->shift, plan->budget, bound) : moc__out_of_memory(error);
  void *blocks[] = {c.pipes, c.first, c.level, c.open, c.queue, c.lost, c.before, c.after};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(allocator, blocks[i]);
  return status;
}
