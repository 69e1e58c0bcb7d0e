/* One case of a proof: what is assumed in it, and its bound; see branching.h.
 *
 * Assumptions are sorted by operation, those of one are neighbours in cases[]. A case first tries the parts that are there;
 * an ascent, and then a separation and another, follow only where these do not reach the target. To assume costs a layout,
 * O(events and supports), only where something is new to it; a bound costs at most FIRST_ROUNDS + MORE_ROUNDS of the ascent
 * and one separation. */
#include "bounds/branching_tree.h"

#include <stdlib.h>

enum {
  FIRST_ROUNDS = 60, /* of the ascent in a new case */
  MORE_ROUNDS = 100  /* after events and supports were added for it */
};

/* --- Layout and assumptions --- */

void moc__branching_lay_out(moc__branching *b) {
  moc__retain *r = &b->retain;
  if (b->laid_out || b->failed) return;
  int64_t *weight = moc__resize(&b->allocator, b->weight, r->n_events, sizeof *weight);
  if (weight != NULL) b->weight = weight;
  int32_t *fraction = moc__resize(&b->allocator, b->fraction, r->n_supports, sizeof *fraction);
  if (fraction != NULL) b->fraction = fraction;
  int32_t *index_of = moc__resize(&b->allocator, b->index_of, r->n_supports, sizeof *index_of);
  if (index_of != NULL) b->index_of = index_of;
  b->failed = weight == NULL || fraction == NULL || index_of == NULL || !moc__retain_lay_out(r);
  if (b->failed) return;
  for (int32_t k = 0; k < r->n_supports; k++) b->index_of[r->supports[k].number] = k;
  r->work += (r->n_supports + r->n_flat) / 20;
  b->laid_out = true;
}

static int by_place(const void *a, const void *b) {
  const moc__retain_case *x = a, *y = b;
  if (x->place != y->place) return x->place < y->place ? -1 : 1;
  return (x->interval > y->interval) - (x->interval < y->interval);
}

static void assume_one(moc__branching *b, moc__branch_literal l, bool runs) {
  int64_t before = b->retain.ops[l.place].n_intervals;
  int32_t interval = moc__retain_interval(&b->retain, l.place, l.first, l.last);
  if (interval < 0) {
    b->failed = true;
    return;
  }
  if (b->retain.ops[l.place].n_intervals != before) b->laid_out = false;
  b->cases[b->n_cases++] = (moc__retain_case){l.place, interval, runs};
}

void moc__branching_assume(moc__branching *b, int64_t index, const moc__branch_literal *more, bool runs) {
  moc__retain *r = &b->retain;
  for (int64_t i = 0; i < b->n_cases; i++) r->ops[b->cases[i].place].n_cases = 0;
  b->n_cases = 0;
  for (int64_t i = index; b->nodes[i].above >= 0; i = b->nodes[i].above)
    assume_one(b, b->nodes[b->nodes[i].above].branch, b->nodes[i].runs);
  if (more != NULL) assume_one(b, *more, runs);
  if (b->n_cases > 0) qsort(b->cases, (size_t)b->n_cases, sizeof *b->cases, by_place);
  r->cases = b->cases;
  for (int64_t i = b->n_cases - 1; i >= 0; i--) {
    r->ops[b->cases[i].place].first_case = i;
    r->ops[b->cases[i].place].n_cases++;
  }
  moc__branching_lay_out(b);
}

/* --- The bound of a case --- */

static void try_part(moc__branching *b, int64_t index, int64_t p) {
  if (p == b->nodes[index].part) return;
  int64_t extra = moc__branching_prove(b, p);
  if (extra <= b->nodes[index].extra) return;
  moc__branching_use(b, p, 1);
  moc__branching_use(b, b->nodes[index].part, -1);
  b->nodes[index].part = p;
  b->nodes[index].extra = extra;
}

void moc__branching_ascend(moc__branching *b, int64_t target, int32_t rounds, bool (*stop)(void *), void *context) {
  int64_t aim = target + target / 100000 + 1;
  moc__retain_ascend(&b->retain, aim, rounds, NULL, NULL, stop, context);
}

/* The average never quite reaches a whole start, and a few bytes over budget are lost in what is missing. */
static void snap(moc__branching *b) {
  for (int32_t p = 0; p < b->retain.staged->n; p++) {
    moc__retain_op *op = &b->retain.ops[p];
    for (int64_t i = 0; i < op->n_masses; i++) {
      if (op->mass[i] > 0.9) op->mass[i] = 1;
    }
  }
}

void moc__branching_improve(moc__branching *b, int64_t index, int64_t from, int64_t target, bool (*stop)(void *),
                            void *context) {
  moc__branch_node *x = &b->nodes[index];
  for (int round = 0; round < 2 && x->extra < target && !b->failed; round++) {
    if (stop != NULL && stop(context)) return;
    if (round == 1) {
      snap(b);
      if (moc__retain_separate(&b->retain, stop, context) > 0) b->laid_out = false;
      moc__branching_lay_out(b);
      if (b->failed) return;
    }
    moc__branching_load(b, round == 1 ? x->part : from);
    moc__branching_ascend(b, target, round == 0 ? FIRST_ROUNDS : MORE_ROUNDS, stop, context);
    moc__branching_take(b, index, target);
  }
}

void moc__branching_bound(moc__branching *b, int64_t index, int64_t above, int64_t near, int64_t target,
                          bool (*stop)(void *), void *context) {
  moc__branch_node *x = &b->nodes[index];
  moc__branching_assume(b, index, NULL, false);
  if (b->failed) return;
  x->part = 0;
  moc__branching_use(b, 0, 1);
  x->extra = moc__branching_prove(b, 0);
  if (x->extra < target) try_part(b, index, above);
  if (x->extra < target) try_part(b, index, near);
  moc__branching_improve(b, index, x->part == 0 ? above : x->part, target, stop, context);
}
