/* Verification of a certificate for all orders.
 *
 * Apart from the solver on purpose, like verify.c. What is proved, for every sequence within the budget M: look at the first
 * run of an operation v. What v depends on ran before, what depends on v runs first later. So a tensor t of an operation
 * u, on which v depends, is in memory there if it must be at the end or somebody who depends on v reads it, or u runs
 * again: after the first run of v, and before that of such a reader. Tensors without producer and those of operations that
 * run once are there in any case; so is what v reads and writes, and its workspace. So, with need_v the sum of all these,
 * tensors of at least need_v - M bytes are absent, each with a further run of its producer.
 *
 * Which runs can be the same? List readers of u's outputs, each depending on the one before (w_1, w_2, ..., w_k; w_0 = u).
 * A run between the first runs of w_i and w_(i+1) is of class i, one after w_k of class k; runs of different classes
 * differ. If v is w_i or depends on it, i the last such, then the run is of class i if i = k, or if a reader of t that
 * depends on v is w_(i+1), or w_(i+1) depends on it. Else it is of some class. With weights l_v >= 0, runs of class i can
 * spare at most E_i = sum of l_v size_t over the pairs (t, v) of that class, and if u runs again at all, E' for the rest:
 *
 *     extra duration >= sum_v l_v (need_v - M) - sum_u max(0, over sets C of classes, not empty:
 *                                                         E' + sum over C of E_i - duration_u)
 *
 * and the extra duration is an integer. The readers w_i are taken greedily in the input order.
 *
 * On a graph for which the table of who depends on whom is too large none are taken: all runs of u are of class 0. */
#include "base/wide.h"
#include "verify/certificates.h"

#include <stdlib.h>

typedef struct order_check {
  const moc_graph *graph;
  const moc_certificate *certificate;
  const moc_allocator *allocator;
  moc_error *error;
  int64_t n, words, budget;
  uint64_t *depend;  /* [n * words] of each operation: those that depend on it */
  int64_t *weight;   /* [n] of each operation */
  moc_op *chain;     /* [n + 1] */
  moc__wide *spared; /* [n + 2] E', then E_0, E_1, ...; without the table [n] E_0 of each operation */
  bool *before;      /* [n] the operation at hand depends on it; */
  bool *after;       /* [n] it depends on that */
  moc__wide sum;
} order_check;

static moc_status refuse(const order_check *c, const char *message) {
  return moc__fail(c->error, MOC_INVALID_PLAN, "certificate", "%s", message);
}

/* Does `later` depend on `earlier`? */
static bool depends(const order_check *c, moc_op later, moc_op earlier) {
  return (c->depend[earlier * c->words + later / 64] >> (later % 64) & 1) != 0;
}

static void find_dependents(order_check *c) {
  moc_op_list order = moc_graph_input_order(c->graph);
  for (int64_t i = c->n - 1; i >= 0; i--) {
    moc_op op = order.items[i];
    moc_tensor_list outputs = moc_graph_op_outputs(c->graph, op);
    for (int64_t o = 0; o < outputs.count; o++) {
      moc_op_list readers = moc_graph_tensor_readers(c->graph, outputs.items[o]);
      for (int64_t r = 0; r < readers.count; r++) {
        moc_op w = readers.items[r];
        c->depend[op * c->words + w / 64] |= UINT64_C(1) << (w % 64);
        for (int64_t k = 0; k < c->words; k++) c->depend[op * c->words + k] |= c->depend[w * c->words + k];
      }
    }
  }
}

static bool add_product(moc__wide *sum, moc__wide factor, moc__wide value) {
  moc__wide product;
  return !__builtin_mul_overflow(factor, value, &product) && !__builtin_add_overflow(*sum, product, sum);
}

void moc__find_related(const moc_graph *graph, moc_op v, bool *before, bool *after) {
  int64_t n = moc_graph_operations(graph);
  moc_op_list order = moc_graph_input_order(graph);
  memset(before, 0, (size_t)n * sizeof *before);
  memset(after, 0, (size_t)n * sizeof *after);
  before[v] = after[v] = true;
  for (int64_t i = n - 1; i >= 0; i--) { /* those before it, from the last */
    if (!before[order.items[i]]) continue;
    moc_tensor_list read = moc_graph_op_reads(graph, order.items[i]);
    for (int64_t k = 0; k < read.count; k++) {
      moc_op u = moc_graph_tensor_producer(graph, read.items[k]);
      if (u != MOC_NONE) before[u] = true;
    }
  }
  for (int64_t i = 0; i < n; i++) {
    moc_tensor_list read = moc_graph_op_reads(graph, order.items[i]);
    for (int64_t k = 0; k < read.count; k++) {
      moc_op u = moc_graph_tensor_producer(graph, read.items[k]);
      if (u != MOC_NONE && after[u]) after[order.items[i]] = true;
    }
  }
}

/* What weight l_v adds to the sum and, without the table, to what each operation can spare. */
static moc_status apply_weight(order_check *c, moc_op v) {
  moc__wide excess = moc_graph_op_workspace(c->graph, v) - (moc__wide)c->budget;
  moc__find_related(c->graph, v, c->before, c->after);
  for (moc_tensor t = 0; t < moc_graph_tensors(c->graph); t++) {
    moc_op u = moc_graph_tensor_producer(c->graph, t);
    moc_op_list readers = moc_graph_tensor_readers(c->graph, t);
    bool touched = u == v, later = moc_graph_tensor_keep(c->graph, t);
    for (int64_t i = 0; i < readers.count; i++) {
      touched = touched || readers.items[i] == v;
      later = later || c->after[readers.items[i]];
    }
    bool held = !touched && later && (u == MOC_NONE || c->before[u]);
    if (touched || held) excess += moc_graph_tensor_size(c->graph, t);
    if (c->depend == NULL && held && u != MOC_NONE && !moc_graph_op_compute_once(c->graph, u) &&
        !add_product(&c->spared[u], c->weight[v], moc_graph_tensor_size(c->graph, t)))
      return refuse(c, "its sums are beyond 128 bits");
  }
  return add_product(&c->sum, c->weight[v], excess) ? MOC_OK : refuse(c, "its sums are beyond 128 bits");
}

static bool touches(const order_check *c, moc_op v, moc_tensor t) {
  if (moc_graph_tensor_producer(c->graph, t) == v) return true;
  moc_op_list readers = moc_graph_tensor_readers(c->graph, t);
  for (int64_t i = 0; i < readers.count; i++) {
    if (readers.items[i] == v) return true;
  }
  return false;
}

/* Whether t, not touched by v, is needed after v's first run. */
static bool needed_after(const order_check *c, moc_tensor t, moc_op v) {
  if (moc_graph_tensor_keep(c->graph, t)) return true;
  moc_op_list readers = moc_graph_tensor_readers(c->graph, t);
  for (int64_t i = 0; i < readers.count; i++) {
    if (depends(c, readers.items[i], v)) return true;
  }
  return false;
}

/* u, and the readers of its outputs, in the input order, that depend on one another. Their number. */
static int64_t find_chain(order_check *c, moc_op u) {
  moc_op_list order = moc_graph_input_order(c->graph);
  moc_tensor_list outputs = moc_graph_op_outputs(c->graph, u);
  int64_t count = 0;
  c->chain[count++] = u;
  for (int64_t i = 0; i < c->n; i++) {
    moc_op w = order.items[i];
    if (!depends(c, w, c->chain[count - 1])) continue;
    bool is_reader = false;
    for (int64_t o = 0; o < outputs.count && !is_reader; o++) {
      moc_tensor_list read = moc_graph_op_reads(c->graph, w);
      for (int64_t k = 0; k < read.count && !is_reader; k++) is_reader = read.items[k] == outputs.items[o];
    }
    if (is_reader) c->chain[count++] = w;
  }
  return count;
}

/* In spared[]: 1 + the class, or 0. */
static int64_t class_of(const order_check *c, int64_t count, moc_tensor t, moc_op v) {
  int64_t i = count - 1;
  while (c->chain[i] != v && !depends(c, v, c->chain[i])) i--;
  if (i == count - 1) return i + 1;
  moc_op_list readers = moc_graph_tensor_readers(c->graph, t);
  for (int64_t r = 0; r < readers.count; r++) {
    moc_op w = readers.items[r];
    if (depends(c, w, v) && (w == c->chain[i + 1] || depends(c, c->chain[i + 1], w))) return i + 1;
  }
  return 0;
}

static moc_status subtract_spared(order_check *c, moc_op u) {
  moc_tensor_list outputs = moc_graph_op_outputs(c->graph, u);
  int64_t count = find_chain(c, u);
  for (int64_t i = 0; i <= count; i++) c->spared[i] = 0;
  for (int64_t o = 0; o < outputs.count; o++) {
    moc_tensor t = outputs.items[o];
    for (moc_op v = 0; v < c->n; v++) {
      if (c->weight[v] == 0 || !depends(c, v, u) || touches(c, v, t) || !needed_after(c, t, v)) continue;
      if (!add_product(&c->spared[class_of(c, count, t, v)], c->weight[v], moc_graph_tensor_size(c->graph, t)))
        return refuse(c, "its sums are beyond 128 bits");
    }
  }
  moc__wide duration = (moc__wide)moc_graph_op_duration(c->graph, u) << c->certificate->shift;
  moc__wide several = 0, one = -duration; /* classes that pay, and the best single one */
  for (int64_t i = 1; i <= count; i++) {
    moc__wide now = c->spared[i] - duration;
    if (now > 0 && __builtin_add_overflow(several, now, &several)) return refuse(c, "its sums are beyond 128 bits");
    if (now > one) one = now;
  }
  moc__wide spared = one > 0 ? several : one;
  if (__builtin_add_overflow(spared, c->spared[0], &spared) ||
      (spared > 0 && __builtin_sub_overflow(c->sum, spared, &c->sum)))
    return refuse(c, "its sums are beyond 128 bits");
  return MOC_OK;
}

/* Without the table. */
static moc_status subtract_spared_alone(order_check *c, moc_op u) {
  moc__wide spared = c->spared[u] - ((moc__wide)moc_graph_op_duration(c->graph, u) << c->certificate->shift);
  if (spared > 0 && __builtin_sub_overflow(c->sum, spared, &c->sum))
    return refuse(c, "its sums are beyond 128 bits");
  return MOC_OK;
}

static moc_status check(order_check *c, int64_t *bound) {
  const moc_certificate *certificate = c->certificate;
  moc_status status = MOC_OK;
  int64_t baseline = 0;
  for (int64_t i = 0; i < certificate->n_weights; i++) {
    moc_bound_weight w = certificate->weights[i];
    if (w.op < 0 || w.op >= c->n) return refuse(c, "it has a weight for an operation that is none");
    if (w.weight <= 0) return refuse(c, "it has a weight that is not positive");
    if (c->weight[w.op] != 0) return refuse(c, "it has two weights for one operation");
    c->weight[w.op] = w.weight;
  }
  bool table = c->depend != NULL;
  if (table) find_dependents(c);
  for (moc_op op = 0; op < c->n && status == MOC_OK; op++) {
    baseline += moc_graph_op_duration(c->graph, op);
    if (c->weight[op] > 0) status = apply_weight(c, op);
  }
  for (moc_op op = 0; op < c->n && status == MOC_OK; op++) {
    if (moc_graph_op_compute_once(c->graph, op)) continue;
    status = table ? subtract_spared(c, op) : subtract_spared_alone(c, op);
  }
  if (status != MOC_OK) return status;
  moc__wide unit = (moc__wide)1 << certificate->shift, extra = 0;
  if (c->sum > 0) extra = c->sum / unit + (c->sum % unit != 0);
  if (extra > MOC_MAX_TOTAL - baseline)
    return refuse(c, "it proves a bound beyond 2^62: there is no schedule at all");
  *bound = baseline + (int64_t)extra;
  return MOC_OK;
}

moc_status moc__verify_any_order(const moc_graph *graph, const moc_plan *plan, int64_t most_related,
                                 const moc_allocator *allocator, int64_t *bound, moc_error *error) {
  order_check c = {.graph = graph,
                   .certificate = &plan->certificate,
                   .allocator = allocator,
                   .error = error,
                   .n = moc_graph_operations(graph),
                   .budget = plan->budget};
  c.words = (c.n + 63) / 64;
  bool table = c.n <= most_related;
  if (table) {
    c.depend = MOC__NEW_ZEROED(allocator, c.n * c.words, uint64_t);
    c.chain = MOC__NEW(allocator, c.n + 1, moc_op);
  }
  c.before = MOC__NEW(allocator, c.n, bool);
  c.after = MOC__NEW(allocator, c.n, bool);
  c.weight = MOC__NEW_ZEROED(allocator, c.n, int64_t);
  c.spared = MOC__NEW_ZEROED(allocator, c.n + 2, moc__wide);
  bool ok = c.weight && c.spared && c.before && c.after && (!table || (c.depend && c.chain));
  moc_status status = ok ? check(&c, bound) : moc__out_of_memory(error);
  void *blocks[] = {c.depend, c.weight, c.chain, c.spared, c.before, c.after};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(allocator, blocks[i]);
  return status;
}
