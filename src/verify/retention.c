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
#include "verify/certificates.h"

#include <stdlib.h>

enum { SHARE_SHIFT = 20 };

static moc_status refuse(const moc__retention *c, const char *message) {
  return moc__fail(c->error, MOC_INVALID_PLAN, "certificate", "%s", message);
}

static bool add(moc__wide *sum, moc__wide value) {
  return !__builtin_add_overflow(*sum, value, sum);
}

/* Runs of `op` in stages first..last, none before it was computed first, earn so much. */
static moc_status reward_runs(moc__retention *c, moc_op op, int64_t first, int64_t last, moc__wide earns) {
  first = moc__max(first, c->place[op] + 1);
  if (first > last || moc_graph_op_compute_once(c->graph, op)) return MOC_OK;
  if (!moc__grow(c->allocator, &c->rewards, c->n_rewards, &c->capacity, sizeof *c->rewards))
    return moc__out_of_memory(c->error);
  c->rewards[c->n_rewards++] = (moc__reward){op, first, last, earns};
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

static held look_at(const moc__retention *c, event e, moc_tensor t) {
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

static moc_status apply_share(moc__retention *c, event e, const moc_bound_share *s) {
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
static moc_status apply_event(moc__retention *c, int64_t index, int64_t *next) {
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
  const moc__reward *x = a, *y = b;
  if (x->op != y->op) return x->op < y->op ? -1 : 1;
  return (x->first > y->first) - (x->first < y->first);
}

static int ascending(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* Work space of that size. */
static bool reserve(moc__retention *c, int64_t size) {
  if (size <= c->work_size) return true;
  int64_t *stages = moc__resize(c->allocator, c->stages, 2 * size, sizeof *stages);
  if (stages != NULL) c->stages = stages;
  moc__wide *best = moc__resize(c->allocator, c->best, 2 * size, sizeof *best);
  if (best != NULL) c->best = best;
  if (stages == NULL || best == NULL) return false;
  c->work_size = 2 * size;
  return true;
}

/* The stages that differ in what a run there earns or which cases it makes true, to stages[]; their number. A run in any
 * other stage is worth as much as in the last of these before it, or is in no reward and no case. */
static int64_t list_stages(moc__retention *c, const moc__reward *rewards, int64_t count, const moc__case *cases,
                           int64_t n_cases) {
  int64_t n = 0, kept = 0;
  for (int64_t i = 0; i < count; i++) {
    c->stages[n++] = rewards[i].first;
    c->stages[n++] = rewards[i].last + 1;
  }
  for (int64_t i = 0; i < n_cases; i++) {
    c->stages[n++] = cases[i].first;
    c->stages[n++] = cases[i].last + 1;
  }
  if (n > 0) qsort(c->stages, (size_t)n, sizeof *c->stages, ascending);
  for (int64_t i = 0; i < n && c->stages[i] < c->n; i++) {
    if (i == 0 || c->stages[i] != c->stages[kept - 1]) c->stages[kept++] = c->stages[i];
  }
  return kept;
}

/* best[i]: with the last run in stages[i]. What that adds to runs up to stages[k] are the rewards that contain it and
 * begin later; so go back over k, and rewards of falling first stage join. So do cases that ask for a run: one that ends
 * before stages[i] must have been satisfied by stages[k]. -1: no such runs. */
static bool extend(moc__retention *c, const moc__reward *rewards, int64_t count, const moc__case *cases,
                   int64_t n_cases, moc__wide cost, bool single, int64_t i) {
  const moc__wide none = -((moc__wide)1 << 126);
  int64_t r = count - 1, a = n_cases - 1, at = c->stages[i];
  moc__wide joined = 0;
  c->best[i] = none;
  for (int64_t k = 0; k < n_cases; k++) {
    if (!cases[k].runs && cases[k].first <= at && at <= cases[k].last) return false;
  }
  for (int64_t k = single ? -1 : i - 1; k >= -1; k--) {
    int64_t after = k < 0 ? -1 : c->stages[k];
    for (; r >= 0 && rewards[r].first > after; r--) {
      if (rewards[r].first <= at && at <= rewards[r].last) joined += rewards[r].earns;
    }
    for (; a >= 0 && cases[a].first > after; a--) {
      if (cases[a].runs && cases[a].last < at) return c->best[i] != none;
    }
    if (k >= 0 && c->best[k] == none) continue;
    moc__wide now = joined - cost + (k < 0 ? 0 : c->best[k]);
    if (now > c->best[i]) c->best[i] = now;
  }
  return true;
}

moc_status moc__retention_most(moc__retention *c, int64_t op, int64_t from, int64_t to, const moc__case *cases,
                               int64_t n_cases, moc__wide *most, bool *possible) {
  int64_t count = to - from;
  const moc__reward *rewards = count > 0 ? c->rewards + from : NULL;
  if (!reserve(c, 2 * (count + n_cases))) return moc__out_of_memory(c->error);
  int64_t last_begin = -1; /* of the cases that ask for a run */
  for (int64_t i = 0; i < n_cases; i++) {
    if (cases[i].runs) last_begin = cases[i].first;
  }
  moc__wide cost = (moc__wide)moc_graph_op_duration(c->graph, (moc_op)op) << c->certificate->shift;
  *possible = last_begin < 0; /* without any run */
  *most = 0;
  if (moc_graph_op_compute_once(c->graph, (moc_op)op)) return MOC_OK;
  int64_t kept = list_stages(c, rewards, count, cases, n_cases);
  for (int64_t i = 0; i < kept; i++) {
    if (!extend(c, rewards, count, cases, n_cases, cost, c->certificate->max_computes == 2, i)) continue;
    if (last_begin > c->stages[i]) continue;
    if (!*possible || c->best[i] > *most) *most = c->best[i];
    *possible = true;
  }
  return MOC_OK;
}

moc_status moc__retention_weigh(moc__retention *c, int64_t from, int64_t to, int64_t *next_share) {
  const moc__wide limit = (moc__wide)1 << 120;
  moc_status status = MOC_OK;
  c->sum = 0;
  c->n_rewards = 0;
  for (int64_t i = from; i < to && status == MOC_OK; i++) status = apply_event(c, i, next_share);
  if (status != MOC_OK) return status;
  if (c->n_rewards > 0) qsort(c->rewards, (size_t)c->n_rewards, sizeof *c->rewards, by_op);
  moc__wide size = 0;
  for (int64_t i = 0; i < c->n_rewards; i++) {
    if (i > 0 && c->rewards[i].op != c->rewards[i - 1].op) size = 0;
    moc__wide earns = c->rewards[i].earns;
    if (!add(&size, earns < 0 ? -earns : earns) || size > limit) return refuse(c, "its sums are beyond 128 bits");
  }
  return MOC_OK;
}

moc_status moc__retention_bound(const moc__retention *c, moc__wide sum, int64_t *bound) {
  moc__wide unit = (moc__wide)1 << c->certificate->shift, extra = 0;
  if (sum > 0) extra = sum / unit + (sum % unit != 0);
  if (extra > MOC_MAX_TOTAL - c->baseline)
    return refuse(c, "it proves a bound beyond 2^62: there is no schedule at all");
  *bound = c->baseline + (int64_t)extra;
  return MOC_OK;
}

moc_status moc__retention_begin(moc__retention *c, const moc_graph *graph, const moc_plan *plan,
                                const moc_allocator *allocator, moc_error *error) {
  const moc_certificate *certificate = &plan->certificate;
  *c = (moc__retention){.graph = graph,
                        .certificate = certificate,
                        .allocator = allocator,
                        .error = error,
                        .n = moc_graph_operations(graph),
                        .budget = plan->budget};
  if (certificate->n_shares < 0 || (certificate->n_shares > 0 && certificate->shares == NULL))
    return refuse(c, "its shares are missing");
  if (certificate->max_computes != 0 && certificate->max_computes != 2)
    return refuse(c, "its number of computations is neither 0 nor 2");
  if (certificate->max_computes == 2 && plan->max_computes > 2)
    return refuse(c, "it holds for at most 2 computations of an operation, and the plan allows more");
  c->place = MOC__NEW(allocator, c->n, int64_t);
  c->given = MOC__NEW(allocator, (int64_t)moc_graph_tensors(graph) + 1, int32_t);
  if (c->place == NULL || c->given == NULL) return moc__out_of_memory(error);
  moc_op_list order = moc_graph_input_order(graph);
  for (int64_t j = 0; j < c->n; j++) {
    c->place[order.items[j]] = j;
    c->baseline += moc_graph_op_duration(graph, order.items[j]);
  }
  return MOC_OK;
}

void moc__retention_end(moc__retention *c) {
  void *blocks[] = {c->place, c->given, c->rewards, c->stages, c->best};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(c->allocator, blocks[i]);
}

static moc_status check(moc__retention *c, int64_t *bound) {
  int64_t next = 0;
  moc_status status = moc__retention_weigh(c, 0, c->certificate->n_weights, &next);
  if (status == MOC_OK && next < c->certificate->n_shares)
    status = refuse(c, "its shares are not in the order of its weights");
  for (int64_t i = 0, end; i < c->n_rewards && status == MOC_OK; i = end) {
    for (end = i; end < c->n_rewards && c->rewards[end].op == c->rewards[i].op;) end++;
    moc__wide most = 0;
    bool possible;
    status = moc__retention_most(c, c->rewards[i].op, i, end, NULL, 0, &most, &possible);
    if (status == MOC_OK && !add(&c->sum, -most)) status = refuse(c, "its sums are beyond 128 bits");
  }
  return status == MOC_OK ? moc__retention_bound(c, c->sum, bound) : status;
}

moc_status moc__verify_retention(const moc_graph *graph, const moc_plan *plan, const moc_allocator *allocator,
                                 int64_t *bound, moc_error *error) {
  moc__retention c;
  moc_status status = moc__retention_begin(&c, graph, plan, allocator, error);
  if (status == MOC_OK) status = check(&c, bound);
  moc__retention_end(&c);
  return status;
}
