/* Verification of a lower bound's certificate: of the covering kind here, of others in retention.c, branching.c, any_order.c
 * and cut.c.
 *
 * Apart from the solver on purpose, like verify.c: only what anybody can ask of a graph, and 128-bit integers. What is
 * proved, for every sequence whose first computations follow the input order and whose memory stays within the budget M:
 *
 * Number operations by their place in the input order, and look at the step of each first computation j only. There the
 * memory is that of the input order with nothing recomputed, memory_j, less the sizes of tensors that are absent, or more.
 * A tensor t of operation q, in that memory but not touched by j, is needed after j by the first computation of its next
 * reader u (or at the end, if kept: u is the last place). If it is absent at j, then q runs again after j and before u's
 * first computation. Call the stretch of places between two consecutive uses of t a gap. Group the gaps of all outputs of
 * q that overlap, directly or through others: what runs of q end gaps of different groups are different, as the
 * groups' stretches are disjoint. So each group g of which some tensor is ever absent costs duration_q of its own; let y_g
 * be 1 for those and else 0. At every j, with weights v_j >= 0:
 *
 *     sum_g bytes_gj y_g >= memory_j - M,       extra = sum_g duration_g y_g
 *                                                     >= sum_j v_j (memory_j - M) - sum_g max(0, sum_j v_j bytes_gj - duration_g)
 *
 * and the extra duration is an integer, so that it may be rounded up. */
#include "base/base.h"
#include "base/wide.h"
#include "verify/certificates.h"

#include <stdlib.h>

typedef struct stretch {
  int64_t after, before; /* places: the gap is strictly between them */
  int64_t size;
} stretch;

typedef struct certificate_check {
  const moc_graph *graph;
  const moc_certificate *certificate;
  moc_error *error;
  int64_t n;
  int64_t *place;    /* [n] of each operation */
  int64_t *memory;   /* [n + 1] of the input order, at each place */
  moc__wide *weight; /* [n + 1] sum of weights of earlier places */
  moc__wide sum;     /* what is proved, times 2^shift */
} certificate_check;

static moc_status refuse(const certificate_check *c, const char *message) {
  return moc__fail(c->error, MOC_INVALID_PLAN, "certificate", "%s", message);
}

static bool add_product(moc__wide *sum, moc__wide factor, moc__wide value) {
  moc__wide product;
  return !__builtin_mul_overflow(factor, value, &product) && !__builtin_add_overflow(*sum, product, sum);
}

static int ascending(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static int by_begin(const void *a, const void *b) {
  const stretch *x = a, *y = b;
  if (x->after != y->after) return x->after < y->after ? -1 : 1;
  return (x->before > y->before) - (x->before < y->before);
}

/* The memory of the input order, from when each tensor is resident. */
static void fill_memory(certificate_check *c) {
  moc_op_list order = moc_graph_input_order(c->graph);
  for (int64_t j = 0; j <= c->n; j++) c->memory[j] = 0;
  for (moc_tensor t = 0; t < moc_graph_tensors(c->graph); t++) {
    moc_op producer = moc_graph_tensor_producer(c->graph, t);
    moc_op_list readers = moc_graph_tensor_readers(c->graph, t);
    bool keep = moc_graph_tensor_keep(c->graph, t);
    if (producer == MOC_NONE && readers.count == 0 && !keep) continue;
    int64_t first = producer == MOC_NONE ? 0 : c->place[producer], last = keep ? c->n - 1 : first;
    for (int64_t i = 0; i < readers.count; i++) last = moc__max(last, c->place[readers.items[i]]);
    c->memory[first] += moc_graph_tensor_size(c->graph, t);
    c->memory[last + 1] -= moc_graph_tensor_size(c->graph, t);
  }
  int64_t resident = 0;
  for (int64_t j = 0; j < c->n; j++) {
    resident += c->memory[j];
    c->memory[j] = resident + moc_graph_op_workspace(c->graph, order.items[j]);
  }
}

/* Weights into place, each operation once, and the first sum. */
static moc_status read_weights(certificate_check *c, int64_t budget) {
  const moc_certificate *certificate = c->certificate;
  for (int64_t j = 0; j <= c->n; j++) c->weight[j] = 0;
  for (int64_t i = 0; i < certificate->n_weights; i++) {
    moc_bound_weight w = certificate->weights[i];
    if (w.op < 0 || w.op >= c->n) return refuse(c, "it has a weight for an operation that is none");
    if (w.weight <= 0) return refuse(c, "it has a weight that is not positive");
    int64_t j = c->place[w.op];
    if (c->weight[j + 1] != 0) return refuse(c, "it has two weights for one operation");
    c->weight[j + 1] = w.weight;
    if (!add_product(&c->sum, w.weight, (moc__wide)c->memory[j] - budget))
      return refuse(c, "its sums are beyond 128 bits");
  }
  for (int64_t j = 0; j < c->n; j++) c->weight[j + 1] += c->weight[j];
  return MOC_OK;
}

/* Subtract what the groups of one operation's gaps could save. `gaps` and `uses` are work space. */
static moc_status subtract_groups(certificate_check *c, moc_op op, stretch *gaps, int64_t *uses) {
  moc_tensor_list outputs = moc_graph_op_outputs(c->graph, op);
  int64_t count = 0;
  for (int64_t i = 0; i < outputs.count; i++) {
    moc_tensor t = outputs.items[i];
    moc_op_list readers = moc_graph_tensor_readers(c->graph, t);
    for (int64_t k = 0; k < readers.count; k++) uses[k] = c->place[readers.items[k]];
    qsort(uses, (size_t)readers.count, sizeof *uses, ascending);
    int64_t last = c->place[op];
    for (int64_t k = 0; k < readers.count; k++) {
      gaps[count++] = (stretch){last, uses[k], moc_graph_tensor_size(c->graph, t)};
      last = uses[k];
    }
    if (moc_graph_tensor_keep(c->graph, t) && last < c->n - 1)
      gaps[count++] = (stretch){last, c->n - 1, moc_graph_tensor_size(c->graph, t)};
  }
  int64_t weighed = 0; /* gaps without weight inside matter to nobody */
  for (int64_t i = 0; i < count; i++) {
    if (c->weight[gaps[i].before] > c->weight[gaps[i].after + 1]) gaps[weighed++] = gaps[i];
  }
  count = weighed;
  qsort(gaps, (size_t)count, sizeof *gaps, by_begin);
  moc__wide duration = (moc__wide)moc_graph_op_duration(c->graph, op) << c->certificate->shift;
  for (int64_t i = 0; i < count;) { /* one group: runs that end these gaps are in stages after..before */
    moc__wide saved = -duration;
    int64_t reach = gaps[i].before;
    for (; i < count && gaps[i].after < reach; i++) {
      reach = moc__max(reach, gaps[i].before);
      /* Strictly between: places after + 1 to before - 1. */
      if (!add_product(&saved, c->weight[gaps[i].before] - c->weight[gaps[i].after + 1], gaps[i].size))
        return refuse(c, "its sums are beyond 128 bits");
    }
    if (saved > 0 && __builtin_sub_overflow(c->sum, saved, &c->sum))
      return refuse(c, "its sums are beyond 128 bits");
  }
  return MOC_OK;
}

static moc_status prove(certificate_check *c, int64_t budget, stretch *gaps, int64_t *uses, int64_t *bound) {
  moc_op_list order = moc_graph_input_order(c->graph);
  int64_t baseline = 0;
  for (int64_t j = 0; j < c->n; j++) {
    c->place[order.items[j]] = j;
    baseline += moc_graph_op_duration(c->graph, order.items[j]);
  }
  fill_memory(c);
  moc_status status = read_weights(c, budget);
  for (moc_op op = 0; op < c->n && status == MOC_OK; op++) {
    if (!moc_graph_op_compute_once(c->graph, op)) status = subtract_groups(c, op, gaps, uses);
  }
  if (status != MOC_OK) return status;
  moc__wide unit = (moc__wide)1 << c->certificate->shift, extra = 0;
  if (c->sum > 0) extra = c->sum / unit + (c->sum % unit != 0);
  if (extra > MOC_MAX_TOTAL - baseline)
    return refuse(c, "it proves a bound beyond 2^62: there is no schedule at all");
  *bound = baseline + (int64_t)extra;
  return MOC_OK;
}

/* What was found against what the certificate says and the plan shows. */
static moc_status judge(const moc_plan *plan, int64_t found, int64_t *bound, moc_error *error) {
  if (found < plan->certificate.bound)
    return moc__fail(error, MOC_INVALID_PLAN, "certificate", "it says that it proves %lld; it proves %lld",
                     (long long)plan->certificate.bound, (long long)found);
  bool order = plan->order == MOC_ORDER_INPUT || moc_certificate_scope(&plan->certificate) == MOC_SCOPE_ANY;
  if (plan->length > 0 && order && found > plan->total_duration)
    return moc__fail(error, MOC_INVALID_PLAN, "certificate", "it proves %lld, but the plan lasts %lld",
                     (long long)found, (long long)plan->total_duration);
  if (bound != NULL) *bound = found;
  return MOC_OK;
}

/* Without a certificate: the duration of every operation once, if the plan claims no more. */
static moc_status trivial(const certificate_check *c, const moc_plan *plan, int64_t *bound) {
  int64_t once = 0;
  for (moc_op op = 0; op < c->n; op++) once += moc_graph_op_duration(c->graph, op);
  if (plan->lower_bound > once)
    return moc__fail(c->error, MOC_INVALID_PLAN, "certificate",
                     "the plan has none, and its lower bound is above the %lld that every operation once takes",
                     (long long)once);
  if (bound != NULL) *bound = once;
  return MOC_OK;
}

moc_status moc_verify_bound(const moc_graph *graph, const moc_plan *plan, const moc_allocator *allocator,
                            int64_t *bound, moc_error *error) {
  if (graph == NULL || plan == NULL)
    return moc__fail(error, MOC_INVALID_ARGUMENT, "", "the graph or the plan is NULL");
  const moc_certificate *certificate = &plan->certificate;
  certificate_check c = {
      .graph = graph, .certificate = certificate, .error = error, .n = moc_graph_operations(graph)};
  if (certificate->bound <= 0) return trivial(&c, plan, bound);
  if (certificate->shift < 0 || certificate->shift > 60) return refuse(&c, "its shift is not from 0 to 60");
  if (certificate->n_weights < 0 || (certificate->n_weights > 0 && certificate->weights == NULL))
    return refuse(&c, "its weights are missing");
  if (plan->budget < 0) return refuse(&c, "the plan's budget is negative");
  int64_t most = 0; /* gaps of one operation, and uses of one tensor */
  for (moc_op op = 0; op < c.n; op++) {
    moc_tensor_list outputs = moc_graph_op_outputs(graph, op);
    int64_t gaps = outputs.count;
    for (int64_t i = 0; i < outputs.count; i++) gaps += moc_graph_tensor_readers(graph, outputs.items[i]).count;
    most = moc__max(most, gaps);
  }
  moc_allocator own = moc__allocator_or_default(allocator);
  int64_t found = 0;
  moc_status status = MOC_OK;
  if (certificate->kind != MOC_CERTIFICATE_COVERING) {
    if (certificate->kind == MOC_CERTIFICATE_RETENTION)
      status = moc__verify_retention(graph, plan, &own, &found, error);
    else if (certificate->kind == MOC_CERTIFICATE_BRANCHING)
      status = moc__verify_branching(graph, plan, &own, &found, error);
    else if (certificate->kind == MOC_CERTIFICATE_ANY_ORDER)
      status = moc__verify_any_order(graph, plan, MOC__TABLED, &own, &found, error);
    else if (certificate->kind == MOC_CERTIFICATE_CUT)
      status = moc__verify_cut(graph, plan, &own, &found, error);
    else
      status = refuse(&c, "it is of no known kind");
    return status == MOC_OK ? judge(plan, found, bound, error) : status;
  }
  c.place = MOC__NEW(&own, c.n, int64_t);
  c.memory = MOC__NEW(&own, c.n + 1, int64_t);
  c.weight = MOC__NEW(&own, c.n + 1, moc__wide);
  stretch *gaps = MOC__NEW(&own, most, stretch);
  int64_t *uses = MOC__NEW(&own, most, int64_t);
  if (c.place == NULL || c.memory == NULL || c.weight == NULL || gaps == NULL || uses == NULL)
    status = moc__out_of_memory(error);
  if (status == MOC_OK) status = prove(&c, plan->budget, gaps, uses, &found);
  void *blocks[] = {c.place, c.memory, c.weight, gaps, uses};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(&own, blocks[i]);
  return status == MOC_OK ? judge(plan, found, bound, error) : status;
}
