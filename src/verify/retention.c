/* Verification of a retention certificate.
 *
 * Apart from the solver on purpose, like verify.c: only what anybody can ask of a graph, and 128-bit integers. What is
 * proved, for every sequence whose first computations follow the input order, whose recomputations between two of them
 * follow it too, and whose memory stays within the budget M:
 *
 * Number operations by their place in the input order; stage k is what follows the first computation of place k - 1, up to
 * and with that of place k. Let X(q, I) be 1 when q runs again in a stage of the set I, else 0. Take an event (k, p), p <= k:
 * the moment in stage k at which p runs, or would if it ran again (p = k: its first computation). Call a tensor held there
 * if it was computed before and is read at or after that moment before its producer runs anew, or if it is an output of p
 * and p runs. The tensors held, and p's workspace if it runs, are together in memory at the event, or, if p does not run,
 * at the next step: at most M bytes. A tensor t of operation q that was first computed before is held at least
 *
 *   1           if the event is a first computation that reads or writes t, or t is read by a later first computation (or
 *               kept) and q cannot run again in time;
 *   1 - X(q, J) else, if the first computation u is the next to read t (or t is kept and u is the last place): J are the
 *               stages up to u in which q would run after the event: from k if q > p, else from k + 1;
 *   X(v, I) - X(q, J)  for any reader v of t and stage b: I are the stages up to b in which v would run at or after the
 *               event (from k if v >= p, else from k + 1), J as above with b for u. For if v runs in a stage of I, it reads
 *               t, and unless q ran after the event and before it, what it reads was there at the event;
 *   X(p, {k})   if t is an output of p.
 *
 * A weight l >= 0 on the event and shares of it, for each tensor together at most 1, multiply these inequalities; with
 * m = l * size * share, and what is left of a tensor's share given to the second kind (which is never negative):
 *
 *   extra duration >= sum of -l (M - bytes held for certain) + sum of m (their right sides) + sum_q duration_q |runs of q again|.
 *
 * The right side is a constant plus, for each operation, what its runs cost less what they earn: X(q, J) earns, X(v, I)
 * costs. The least of it is found for each operation on its own: over one further run, or none, if the certificate is for
 * at most two computations; over any set of runs otherwise. The extra duration is an integer, so the sum is rounded up. */
#include "base/wide.h"
#include "verify/certificates.h"

#include <stdlib.h>

enum { SHARE_SHIFT = 20 };

/* What runs of an operation in stages first..last earn together, once. */
typedef struct reward {
  int64_t op, first, last;
  moc__wide earns;
} reward;

typedef struct retention_check {
  const moc_graph *graph;
  const moc_certificate *certificate;
  const moc_allocator *allocator;
  moc_error *error;
  int64_t n, budget;
  int64_t *place;  /* [n] of each operation */
  int32_t *given;  /* [tensors + 1] shares given away at the event at hand; the last is the workspace's */
  reward *rewards; /* [n_rewards] */
  int64_t n_rewards, capacity;
  moc__wide sum; /* what is proved, times 2^shift */
} retention_check;

static moc_status refuse(const retention_check *c, const char *message) {
  return moc__fail(c->error, MOC_INVALID_PLAN, "certificate", "%s", message);
}

static bool add(moc__wide *sum, moc__wide value) {
  return !__builtin_add_overflow(*sum, value, sum);
}

/* Runs of `op` in stages first..last, none before it was computed first, earn so much. */
static moc_status reward_runs(retention_check *c, moc_op op, int64_t first, int64_t last, moc__wide earns) {
  first = moc__max(first, c->place[op] + 1);
  if (first > last || moc_graph_op_compute_once(c->graph, op)) return MOC_OK;
  if (!moc__grow(c->allocator, &c->rewards, c->n_rewards, &c->capacity, sizeof *c->rewards))
    return moc__out_of_memory(c->error);
  c->rewards[c->n_rewards++] = (reward){op, first, last, earns};
  return MOC_OK;
}

typedef struct event {
  int64_t stage, place; /* k and p */
  moc_op op;            /* of place p */
  int64_t weight;
} event;

static bool reads(const moc_graph *graph, moc_op op, moc_tensor t) {
  moc_tensor_list list = moc_graph_op_reads(graph, op);
  for (int64_t i = 0; i < list.count; i++) {
    if (list.items[i] == t) return true;
  }
  return false;
}

typedef struct held {
  bool made;    /* it can be held at all */
  bool certain; /* it is, whatever runs again */
  int64_t next; /* the next first computation that needs it; -1: none */
  int64_t from; /* first stage in which its producer would run after the event */
  bool renewed; /* its producer may run again */
} held;

static held look_at(const retention_check *c, event e, moc_tensor t) {
  moc_op producer = moc_graph_tensor_producer(c->graph, t);
  int64_t q = producer == MOC_NONE ? -1 : c->place[producer];
  held h = {.next = -1, .from = q > e.place ? e.stage : e.stage + 1};
  bool first_run = e.place == e.stage;
  if (first_run && (producer == e.op || reads(c->graph, e.op, t))) {
    h.made = h.certain = true;
    return h;
  }
  if (q >= e.stage) return h;
  h.made = true;
  h.renewed = producer != MOC_NONE && !moc_graph_op_compute_once(c->graph, producer);
  moc_op_list readers = moc_graph_tensor_readers(c->graph, t);
  for (int64_t i = 0; i < readers.count; i++) {
    int64_t u = c->place[readers.items[i]];
    if (u >= e.stage + first_run && (h.next < 0 || u < h.next)) h.next = u;
  }
  if (h.next < 0 && moc_graph_tensor_keep(c->graph, t)) h.next = c->n - 1;
  h.certain = h.next >= 0 && (!h.renewed || h.from > h.next);
  return h;
}

/* l * size * share, rounded down: weights are less than 2^45, so 128 bits hold it. */
static moc__wide multiplied(int64_t weight, int64_t size, int64_t share) {
  return ((moc__wide)weight * size * share) >> SHARE_SHIFT;
}

static moc_status apply_share(retention_check *c, event e, const moc_bound_share *s) {
  const int32_t all = INT32_C(1) << SHARE_SHIFT;
  int64_t tensors = moc_graph_tensors(c->graph);
  if (s->tensor < MOC_NONE || s->tensor >= tensors || s->reader < 0 || s->reader >= c->n || s->last < 0 ||
      s->last >= c->n)
    return refuse(c, "a share names what the graph does not have");
  if (s->share <= 0 || s->share > all - c->given[s->tensor == MOC_NONE ? tensors : s->tensor])
    return refuse(c, "shares of a tensor are not positive, or more than a whole");
  c->given[s->tensor == MOC_NONE ? tensors : s->tensor] += s->share;
  int64_t last = c->place[s->last], v = c->place[s->reader];
  if (s->tensor == MOC_NONE) { /* the workspace */
    if (s->reader != e.op || e.place == e.stage || last != e.stage)
      return refuse(c, "a share of workspace is not for a run at the event");
    return reward_runs(c, e.op, last, last,
                       -multiplied(e.weight, moc_graph_op_workspace(c->graph, e.op), s->share));
  }
  held h = look_at(c, e, s->tensor);
  if (!h.made || h.certain) return refuse(c, "a share is for a tensor that is not there, or there for certain");
  moc__wide m = multiplied(e.weight, moc_graph_tensor_size(c->graph, s->tensor), s->share);
  moc_op producer = moc_graph_tensor_producer(c->graph, s->tensor);
  bool output = s->reader == producer;
  int64_t first = v >= e.place ? e.stage : e.stage + 1;
  if (output ? producer != e.op || last != e.stage : !reads(c->graph, s->reader, s->tensor))
    return refuse(c, "a share is for an operation that does not read the tensor");
  if (moc__max(first, v + 1) > last || moc_graph_op_compute_once(c->graph, s->reader))
    return refuse(c, "a share is for an operation that does not run again in time");
  moc_status status = reward_runs(c, s->reader, first, last, -m);
  if (status == MOC_OK && !output && h.renewed) status = reward_runs(c, producer, h.from, last, m);
  return status;
}

/* One event: its shares, which are those from *next on, then what is certain and what is left. */
static moc_status apply_event(retention_check *c, int64_t index, int64_t *next) {
  const int32_t all = INT32_C(1) << SHARE_SHIFT;
  const moc_bound_weight *w = &c->certificate->weights[index];
  int64_t tensors = moc_graph_tensors(c->graph);
  if (w->op < 0 || w->op >= c->n || w->stage < 0 || w->stage >= c->n || c->place[w->op] > c->place[w->stage])
    return refuse(c, "it has a weight for an event that is none");
  if (w->weight <= 0 || w->weight > INT64_C(1) << 44)
    return refuse(c, "it has a weight that is not from 1 to 2^44");
  event e = {c->place[w->stage], c->place[w->op], w->op, w->weight};
  for (int64_t t = 0; t <= tensors; t++) c->given[t] = 0;
  moc_status status = MOC_OK;
  for (; *next < c->certificate->n_shares && c->certificate->shares[*next].weight == index; (*next)++) {
    status = apply_share(c, e, &c->certificate->shares[*next]);
    if (status != MOC_OK) return status;
  }
  int64_t room = c->budget;
  if (e.place == e.stage) room -= moc_graph_op_workspace(c->graph, e.op);
  for (moc_tensor t = 0; t < tensors; t++) {
    int64_t size = moc_graph_tensor_size(c->graph, t);
    held h = look_at(c, e, t);
    if (h.certain) room -= size;
    if (!h.made || h.certain || h.next < 0) continue;
    moc__wide m = multiplied(e.weight, size, all - c->given[t]);
    if (!add(&c->sum, m)) return refuse(c, "its sums are beyond 128 bits");
    status = reward_runs(c, moc_graph_tensor_producer(c->graph, t), h.from, h.next, m);
    if (status != MOC_OK) return status;
  }
  if (!add(&c->sum, -(moc__wide)e.weight * room)) return refuse(c, "its sums are beyond 128 bits");
  return MOC_OK;
}

static int by_op(const void *a, const void *b) {
  const reward *x = a, *y = b;
  if (x->op != y->op) return x->op < y->op ? -1 : 1;
  return (x->first > y->first) - (x->first < y->first);
}

static int ascending(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* The most that runs of one operation can earn, less their cost; its rewards by ascending first stage. `stages` [count]
 * and `best` [count] are work space. A run is best in the first stage of some reward that is not negative, or where one
 * that is negative has ended: both are among `stages`. */
static moc__wide most_earned(const reward *rewards, int64_t count, moc__wide cost, bool single, int64_t *stages,
                             moc__wide *best) {
  int64_t n = 0;
  for (int64_t i = 0; i < count; i++) {
    stages[n++] = rewards[i].first;
    stages[n++] = rewards[i].last + 1;
  }
  qsort(stages, (size_t)n, sizeof *stages, ascending);
  moc__wide most = 0;
  int64_t kept = 0;
  for (int64_t i = 0; i < n; i++) {
    if (i == 0 || stages[i] != stages[kept - 1]) stages[kept++] = stages[i];
  }
  /* best[i]: with the last run in stages[i]. What that adds to runs up to stages[k] are the rewards that contain it and
   * begin later; so go back over k, and rewards of falling first stage join. */
  for (int64_t i = 0; i < kept; i++) {
    moc__wide joined = 0, found = 0;
    bool any = false;
    int64_t r = count - 1;
    for (int64_t k = single ? -1 : i - 1;; k--) {
      int64_t after = k < 0 ? -1 : stages[k];
      if (k < -1) break;
      for (; r >= 0 && rewards[r].first > after; r--) {
        if (rewards[r].first <= stages[i] && stages[i] <= rewards[r].last) joined += rewards[r].earns;
      }
      moc__wide now = joined - cost + (k < 0 ? 0 : best[k]);
      if (!any || now > found) found = now;
      any = true;
    }
    best[i] = found;
    if (found > most) most = found;
  }
  return most;
}

static moc_status subtract_earnings(retention_check *c) {
  const moc__wide limit = (moc__wide)1 << 120;
  if (c->n_rewards > 0) qsort(c->rewards, (size_t)c->n_rewards, sizeof *c->rewards, by_op);
  int64_t *stages = MOC__NEW(c->allocator, 2 * c->n_rewards, int64_t);
  moc__wide *best = MOC__NEW(c->allocator, 2 * c->n_rewards, moc__wide);
  moc_status status = stages != NULL && best != NULL ? MOC_OK : moc__out_of_memory(c->error);
  for (int64_t i = 0, end; i < c->n_rewards && status == MOC_OK; i = end) {
    moc__wide size = 0;
    for (end = i; end < c->n_rewards && c->rewards[end].op == c->rewards[i].op; end++) {
      moc__wide earns = c->rewards[end].earns;
      if (!add(&size, earns < 0 ? -earns : earns) || size > limit) break;
    }
    if (size > limit) {
      status = refuse(c, "its sums are beyond 128 bits");
      break;
    }
    moc__wide cost = (moc__wide)moc_graph_op_duration(c->graph, (moc_op)c->rewards[i].op) << c->certificate->shift;
    bool single = c->certificate->max_computes == 2;
    moc__wide most = most_earned(c->rewards + i, end - i, cost, single, stages, best);
    if (!add(&c->sum, -most)) status = refuse(c, "its sums are beyond 128 bits");
  }
  moc__release(c->allocator, stages);
  moc__release(c->allocator, best);
  return status;
}

static moc_status check(retention_check *c, const moc_plan *plan, int64_t *bound) {
  const moc_certificate *certificate = c->certificate;
  if (certificate->max_computes != 0 && certificate->max_computes != 2)
    return refuse(c, "its number of computations is neither 0 nor 2");
  if (certificate->max_computes == 2 && plan->max_computes > 2)
    return refuse(c, "it holds for at most 2 computations of an operation, and the plan allows more");
  moc_op_list order = moc_graph_input_order(c->graph);
  int64_t baseline = 0, next = 0;
  for (int64_t j = 0; j < c->n; j++) {
    c->place[order.items[j]] = j;
    baseline += moc_graph_op_duration(c->graph, order.items[j]);
  }
  moc_status status = MOC_OK;
  for (int64_t i = 0; i < certificate->n_weights && status == MOC_OK; i++) status = apply_event(c, i, &next);
  if (status == MOC_OK && next < certificate->n_shares)
    status = refuse(c, "its shares are not in the order of its weights");
  if (status == MOC_OK) status = subtract_earnings(c);
  if (status != MOC_OK) return status;
  moc__wide unit = (moc__wide)1 << certificate->shift, extra = 0;
  if (c->sum > 0) extra = c->sum / unit + (c->sum % unit != 0);
  if (extra > MOC_MAX_TOTAL - baseline)
    return refuse(c, "it proves a bound beyond 2^62: there is no schedule at all");
  *bound = baseline + (int64_t)extra;
  return MOC_OK;
}

moc_status moc__verify_retention(const moc_graph *graph, const moc_plan *plan, const moc_allocator *allocator,
                                 int64_t *bound, moc_error *error) {
  retention_check c = {.graph = graph,
                       .certificate = &plan->certificate,
                       .allocator = allocator,
                       .error = error,
                       .n = moc_graph_operations(graph),
                       .budget = plan->budget};
  if (c.certificate->n_shares < 0 || (c.certificate->n_shares > 0 && c.certificate->shares == NULL))
    return refuse(&c, "its shares are missing");
  c.place = MOC__NEW(allocator, c.n, int64_t);
  c.given = MOC__NEW(allocator, (int64_t)moc_graph_tensors(graph) + 1, int32_t);
  moc_status status = c.place != NULL && c.given != NULL ? check(&c, plan, bound) : moc__out_of_memory(error);
  void *blocks[] = {c.place, c.given, c.rewards};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(allocator, blocks[i]);
  return status;
}
