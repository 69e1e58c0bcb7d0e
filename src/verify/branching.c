/* Verification of a branching certificate.
 *
 * Apart from the solver on purpose, like verify.c. What retention.c states holds for any weights and shares, and for every
 * schedule on its own:
 *
 *   extra duration >= a constant + sum_q (duration_q |runs of q again| - what these runs earn),        a part's inequality
 *
 * so it may be used with other weights for other schedules. The branches tell schedules apart: by whether q runs again in
 * some stage of an interval, X(q, I), or in none of it. A leaf is the case in which all the answers on the way to it are
 * given; every schedule is in exactly one of them, as each branch has both answers below it. In a leaf's case the choice of
 * each operation's runs is limited to those that give these answers: the least of its part's right side over such choices
 * bounds every schedule of the case. Where an operation has no such choice there is no schedule of that case at all. The
 * least of all leaves is what is proved.
 *
 * The tree is read without recursion; its size and depth are limited (moccasin.h), so that no certificate takes for ever. */
#include "verify/certificates.h"

#include <stdlib.h>

typedef struct tree_node {
  int64_t above; /* the branch above; -1 */
  bool runs;     /* the answer there */
  int64_t next;  /* of a leaf: another one of the same part; -1 */
} tree_node;

typedef struct tree_check {
  moc__retention part; /* the one at hand */
  const moc_certificate *certificate;
  tree_node *nodes; /* [n_branches] */
  int64_t *first;   /* [n_parts] a leaf of each part; -1 */
  int64_t *begin;   /* [n + 1] of each operation in the part's rewards */
  moc__wide *most;  /* [n] what its runs earn at most, whatever the case */
  moc__case cases[MOC_MAX_BRANCH_DEPTH];
  bool any;        /* some case is possible */
  moc__wide least; /* of the cases so far */
} tree_check;

static moc_status refuse(const tree_check *c, const char *message) {
  return moc__fail(c->part.error, MOC_INVALID_PLAN, "certificate", "%s", message);
}

static moc_status check_parts(const tree_check *c) {
  const moc_certificate *x = c->certificate;
  if (x->n_parts <= 0 || x->parts == NULL || x->n_branches <= 0 || x->branches == NULL)
    return refuse(c, "its parts or branches are missing");
  if (x->n_branches > MOC_MAX_BRANCHES || x->n_parts > MOC_MAX_BRANCHES)
    return refuse(c, "it has more than 2^20 parts or branches");
  for (int64_t i = 0; i < x->n_parts; i++) {
    if (x->parts[i] < (i == 0 ? 0 : x->parts[i - 1]) || x->parts[i] > (i == 0 ? 0 : x->n_weights))
      return refuse(c, "its parts do not divide its weights");
  }
  return MOC_OK;
}

static moc_status check_branch(const tree_check *c, const moc_bound_branch *b) {
  const moc__retention *r = &c->part;
  if (b->op < 0 || b->op >= r->n || b->first < 0 || b->first >= r->n || b->last < 0 || b->last >= r->n)
    return refuse(c, "a branch names what the graph does not have");
  if (r->place[b->first] <= r->place[b->op] || r->place[b->last] < r->place[b->first])
    return refuse(c, "a branch is for stages that are none, or in which the operation does not run again");
  return MOC_OK;
}

/* Which branch is above each, and that both answers of each are there, and nothing else. */
static moc_status link_branches(tree_check *c) {
  const moc_certificate *x = c->certificate;
  int64_t open = -1,
          depth = 0; /* the branch that is not complete, the innermost; nodes[].next of an open one: answers */
  for (int64_t i = 0; i < x->n_branches; i++) {
    if (i > 0 && open < 0) return refuse(c, "it has branches that belong to none");
    c->nodes[i] = (tree_node){open, open >= 0 && c->nodes[open].next == 0, 0};
    if (x->branches[i].op != MOC_NONE) {
      moc_status status = check_branch(c, &x->branches[i]);
      if (status != MOC_OK) return status;
      if (++depth > MOC_MAX_BRANCH_DEPTH) return refuse(c, "its branches are too deep");
      open = i;
      continue;
    }
    int64_t part = x->branches[i].part;
    if (part < 0 || part >= x->n_parts) return refuse(c, "a branch names a part that it does not have");
    c->nodes[i].next = c->first[part];
    c->first[part] = i;
    while (open >= 0 && ++c->nodes[open].next == 2) {
      open = c->nodes[open].above;
      depth--;
    }
  }
  return open < 0 ? MOC_OK : refuse(c, "a branch has only one of its answers");
}

static int by_op(const void *a, const void *b) {
  const moc__case *x = a, *y = b;
  if (x->op != y->op) return x->op < y->op ? -1 : 1;
  return (x->first > y->first) - (x->first < y->first);
}

/* The rewards of each operation, and what they earn when all choices are open. */
static moc_status open_part(tree_check *c) {
  moc__retention *r = &c->part;
  moc_status status = MOC_OK;
  int64_t i = 0;
  for (int64_t op = 0; op < r->n && status == MOC_OK; op++) {
    c->begin[op] = i;
    while (i < r->n_rewards && r->rewards[i].op == op) i++;
    bool possible;
    status = moc__retention_most(r, op, c->begin[op], i, NULL, 0, &c->most[op], &possible);
    if (status == MOC_OK && __builtin_sub_overflow(r->sum, c->most[op], &r->sum))
      status = refuse(c, "its sums are beyond 128 bits");
  }
  c->begin[r->n] = i;
  return status;
}

/* What the part at hand proves in the case of a leaf. */
static moc_status close_leaf(tree_check *c, int64_t leaf) {
  moc__retention *r = &c->part;
  int64_t n_cases = 0;
  for (int64_t i = leaf; c->nodes[i].above >= 0; i = c->nodes[i].above) {
    const moc_bound_branch *b = &c->certificate->branches[c->nodes[i].above];
    c->cases[n_cases++] = (moc__case){b->op, r->place[b->first], r->place[b->last], c->nodes[i].runs};
  }
  qsort(c->cases, (size_t)n_cases, sizeof *c->cases, by_op);
  moc__wide sum = r->sum;
  for (int64_t i = 0, end; i < n_cases; i = end) {
    int64_t op = c->cases[i].op;
    for (end = i; end < n_cases && c->cases[end].op == op;) end++;
    moc__wide most;
    bool possible;
    moc_status status =
        moc__retention_most(r, op, c->begin[op], c->begin[op + 1], c->cases + i, end - i, &most, &possible);
    if (status != MOC_OK) return status;
    if (!possible) return MOC_OK;
    if (__builtin_add_overflow(sum, c->most[op] - most, &sum)) return refuse(c, "its sums are beyond 128 bits");
  }
  if (!c->any || sum < c->least) c->least = sum;
  c->any = true;
  return MOC_OK;
}

static moc_status check(tree_check *c, int64_t *bound) {
  const moc_certificate *x = c->certificate;
  for (int64_t i = 0; i < x->n_parts; i++) c->first[i] = -1;
  moc_status status = link_branches(c);
  int64_t next = 0;
  for (int64_t i = 0; i < x->n_parts && status == MOC_OK; i++) {
    int64_t to = i + 1 < x->n_parts ? x->parts[i + 1] : x->n_weights;
    status = moc__retention_weigh(&c->part, x->parts[i], to, &next);
    if (status == MOC_OK && c->first[i] >= 0) status = open_part(c);
    for (int64_t leaf = c->first[i]; leaf >= 0 && status == MOC_OK; leaf = c->nodes[leaf].next)
      status = close_leaf(c, leaf);
  }
  if (status == MOC_OK && next < x->n_shares) status = refuse(c, "its shares are not in the order of its weights");
  if (status == MOC_OK && !c->any) status = refuse(c, "it proves that there is no schedule at all");
  return status == MOC_OK ? moc__retention_bound(&c->part, c->least, bound) : status;
}

moc_status moc__verify_branching(const moc_graph *graph, const moc_plan *plan, const moc_allocator *allocator,
                                 int64_t *bound, moc_error *error) {
  tree_check *c = MOC__NEW_ZEROED(allocator, 1, tree_check);
  if (c == NULL) return moc__out_of_memory(error);
  c->certificate = &plan->certificate;
  moc_status status = moc__retention_begin(&c->part, graph, plan, allocator, error);
  if (status == MOC_OK) status = check_parts(c);
  if (status == MOC_OK) {
    c->nodes = MOC__NEW(allocator, c->certificate->n_branches, tree_node);
    c->first = MOC__NEW(allocator, c->certificate->n_parts, int64_t);
    c->begin = MOC__NEW(allocator, c->part.n + 1, int64_t);
    c->most = MOC__NEW(allocator, c->part.n, moc__wide);
    bool room = c->nodes != NULL && c->first != NULL && c->begin != NULL && c->most != NULL;
    status = room ? check(c, bound) : moc__out_of_memory(error);
  }
  moc__retention_end(&c->part);
  void *blocks[] = {c->nodes, c->first, c->begin, c->most, c};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(allocator, blocks[i]);
  return status;
}
