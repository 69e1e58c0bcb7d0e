/* Parts: the multipliers of cases, kept in integers and without zeros; see branching.h.
 *
 * The multipliers of a part never change, so leaves may share it; it is released with its last user, and those in use make
 * up the certificate. Supports go by number, events by index: neither changes when the relaxation grows. What a part proves
 * is the sum of retain_exact.c, and every function but moc__branching_use costs that, moc__branching_take up to six times. */
#include "bounds/branching_tree.h"

#include <math.h>

enum {
  SHARE_BYTES = 32, /* in a plan file, about */
  WEIGHT_BYTES = 36
};

static int64_t bytes_of(const moc__branch_part *p) {
  return p->n_weights * WEIGHT_BYTES + p->n_shares * SHARE_BYTES;
}

void moc__branching_use(moc__branching *b, int64_t index, int64_t users) {
  moc__branch_part *p = &b->parts[index];
  if (p->users == 0) b->bytes += bytes_of(p);
  p->users += users;
  if (p->users > 0) return;
  b->bytes -= bytes_of(p);
  if (index == 0) return;
  moc__release(&b->allocator, p->weights);
  moc__release(&b->allocator, p->shares);
  *p = (moc__branch_part){0};
}

/* Weights and fractions of a part, to weight[] and fraction[]. */
static void spread(moc__branching *b, const moc__branch_part *p) {
  memset(b->weight, 0, (size_t)b->retain.n_events * sizeof *b->weight);
  memset(b->fraction, 0, (size_t)b->retain.n_supports * sizeof *b->fraction);
  for (int64_t i = 0; i < p->n_weights; i++) b->weight[p->weights[i].event] = p->weights[i].weight;
  for (int64_t i = 0; i < p->n_shares; i++) b->fraction[b->index_of[p->shares[i].support]] = p->shares[i].share;
}

/* What weight[] and fraction[] prove under what is assumed; -1: nothing. */
static int64_t prove(moc__branching *b) {
  int64_t extra;
  return moc__retain_prove(&b->retain, b->shift, b->weight, b->fraction, &extra) ? extra : -1;
}

int64_t moc__branching_prove(moc__branching *b, int64_t index) {
  spread(b, &b->parts[index]);
  return prove(b);
}

void moc__branching_load(moc__branching *b, int64_t index) {
  moc__retain *r = &b->retain;
  int64_t extra;
  spread(b, &b->parts[index]);
  (void)moc__retain_prove(r, b->shift, b->weight, b->fraction, &extra); /* shares the rest out */
  double scale = r->cost_unit / r->byte_unit;
  for (int64_t i = 0; i < r->n_events; i++) r->events[i].best = ldexp((double)b->weight[i], -b->shift) / scale;
  for (int64_t k = 0; k < r->n_supports; k++) {
    if (b->weight[r->holds[r->supports[k].hold].event] == 0) continue; /* as some ascent left them */
    r->supports[k].best = ldexp((double)b->fraction[k], -MOC__FRACTION_SHIFT);
  }
}

/* The part that weight[] and fraction[] are; its index, or -1 when memory is out. */
static int64_t keep(moc__branching *b) {
  moc__retain *r = &b->retain;
  moc__branch_part p = {0};
  for (int64_t i = 0; i < r->n_events; i++) p.n_weights += b->weight[i] > 0;
  for (int64_t k = 0; k < r->n_supports; k++)
    p.n_shares +=
        r->supports[k].read >= 0 && b->fraction[k] > 0 && b->weight[r->holds[r->supports[k].hold].event] > 0;
  p.weights = MOC__NEW(&b->allocator, p.n_weights, moc__branch_weight);
  p.shares = MOC__NEW(&b->allocator, p.n_shares, moc__branch_share);
  if (p.weights == NULL || p.shares == NULL ||
      !moc__grow(&b->allocator, &b->parts, b->n_parts, &b->parts_capacity, sizeof *b->parts)) {
    moc__release(&b->allocator, p.weights);
    moc__release(&b->allocator, p.shares);
    b->failed = true;
    return -1;
  }
  p.n_weights = p.n_shares = 0;
  for (int32_t i = 0; i < r->n_events; i++) {
    if (b->weight[i] > 0) p.weights[p.n_weights++] = (moc__branch_weight){i, b->weight[i]};
  }
  for (int64_t k = 0; k < r->n_supports; k++) { /* laid out: by event */
    const moc__retain_support *s = &r->supports[k];
    if (s->read >= 0 && b->fraction[k] > 0 && b->weight[r->holds[s->hold].event] > 0)
      p.shares[p.n_shares++] = (moc__branch_share){s->number, b->fraction[k]};
  }
  b->parts[b->n_parts] = p;
  return b->n_parts++;
}

void moc__branching_take(moc__branching *b, int64_t index, int64_t target) {
  static const double leasts[] = {0.25, 0.06, 0.015, 0.004, 0};
  moc__branch_node *x = &b->nodes[index];
  moc__retain_round(&b->retain, b->shift, 0, b->weight, b->fraction);
  int64_t all = prove(b);
  if (all <= x->extra) return;
  /* A leaf that is not closed may lose a little: it will be divided, or is not the last. */
  int64_t need = all >= target ? target : all - (target - all) / 256;
  if (need <= x->extra) need = all;
  for (size_t i = 0; i < sizeof leasts / sizeof *leasts; i++) {
    moc__retain_round(&b->retain, b->shift, leasts[i], b->weight, b->fraction);
    all = prove(b);
    if (all >= need) break;
  }
  int64_t made = keep(b);
  if (made < 0) return;
  moc__branching_use(b, made, 1);
  moc__branching_use(b, x->part, -1);
  x->part = made;
  x->extra = all;
}
