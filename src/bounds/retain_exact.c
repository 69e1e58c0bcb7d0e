/* What the multipliers of the retention bound prove, in integers; see retain.h.
 *
 * Weights are rounded to multiples of 2^-shift, fractions down to multiples of 2^-20. The read of a first computation, if a
 * tensor has one, gets what the other supports of its hold leave: 1 - X is never negative, so more of it is never worse. */
#include "bounds/retain.h"

#include <math.h>

/* *sum += value; false when 128 bits do not hold it. */
static bool add(moc__wide *sum, moc__wide value) {
  return !__builtin_add_overflow(*sum, value, sum);
}

typedef struct proof {
  moc__retain *r;
  int shift;
  int64_t *weight;   /* [n_events] */
  int32_t *fraction; /* [n_supports] */
  moc__wide *earns;  /* [n_flat] */
  moc__wide *room;   /* [2 * most cells + 2] */
  moc__wide total;
  bool impossible; /* nothing satisfies what is assumed */
} proof;

void moc__retain_round(const moc__retain *r, int shift, double least, int64_t *weight, int32_t *fraction) {
  const double scale = r->cost_unit / r->byte_unit;
  for (int64_t i = 0; i < r->n_events; i++) {
    double value = ldexp(r->events[i].best * scale, shift);
    weight[i] = value >= 0x1p44 ? INT64_C(1) << 44 : (int64_t)value;
  }
  for (int64_t k = 0; k < r->n_supports; k++) {
    double value = floor(ldexp(r->supports[k].best, MOC__FRACTION_SHIFT));
    bool out = r->supports[k].best < least || value <= 0;
    fraction[k] = out ? 0 : value >= 0x1p20 ? INT32_C(1) << 20 : (int32_t)value;
  }
}

/* No more than a whole to each hold; what is left to its first computation. */
static void share_out(const moc__retain *r, int32_t *fraction) {
  for (int64_t h = 0; h < r->n_holds; h++) {
    int32_t left = INT32_C(1) << MOC__FRACTION_SHIFT;
    int64_t certain = -1;
    for (int64_t k = r->holds[h].first_support; k >= 0; k = r->supports[k].next) {
      if (r->supports[k].read < 0) {
        certain = k;
        continue;
      }
      if (fraction[k] > left) fraction[k] = left;
      left -= fraction[k];
    }
    if (certain >= 0) fraction[certain] = left;
  }
}

/* What nothing that is allowed earns, and what 128 bits do not hold. */
#define IMPOSSIBLE (-((moc__wide)1 << 126))
#define TOO_MUCH   (IMPOSSIBLE - 1)

/* What an operation earns with its best start, or none. */
static moc__wide earn_one(const proof *p, const moc__retain_op *op, moc__wide cost) {
  moc__wide *sum = p->room, running = 0, best = moc__retain_may_end(p->r, op, -1) ? 0 : IMPOSSIBLE;
  for (int32_t i = 0; i <= op->n_cells; i++) sum[i] = 0;
  for (int64_t i = 0; i < op->n_intervals; i++) {
    if (!add(&sum[op->intervals[i].low], p->earns[op->flat + i]) ||
        !add(&sum[op->intervals[i].high + 1], -p->earns[op->flat + i]))
      return TOO_MUCH;
  }
  for (int32_t i = 0; i < op->n_cells; i++) {
    if (!add(&running, sum[i])) return TOO_MUCH;
    if (running - cost <= best) continue;
    if (op->n_cases > 0 && !(moc__retain_may_follow(p->r, op, -1, i) && moc__retain_may_end(p->r, op, i))) continue;
    best = running - cost;
  }
  return best;
}

/* With any number of starts. */
static moc__wide earn_many(const proof *p, const moc__retain_op *op, moc__wide cost) {
  int32_t n = op->n_cells;
  moc__wide *from = p->room, *step = from + n + 1, best = moc__retain_may_end(p->r, op, -1) ? 0 : IMPOSSIBLE;
  for (int32_t i = 0; i < n; i++) {
    moc__wide gain = 0, most;
    step[i] = 0;
    for (int32_t s = op->first_low[i]; s >= 0; s = op->next_low[s]) {
      if (!add(&step[i], p->earns[op->flat + s])) return TOO_MUCH;
    }
    for (int32_t s = i > 0 ? op->first_high[i - 1] : -1; s >= 0; s = op->next_high[s]) {
      if (!add(&step[op->intervals[s].low], -p->earns[op->flat + s])) return TOO_MUCH;
    }
    bool any = false;
    most = 0;
    for (int32_t k = i - 1; k >= 0; k--) {
      if (!add(&gain, step[k + 1])) return TOO_MUCH;
      if (from[k] == IMPOSSIBLE || (any && from[k] + gain <= most)) continue;
      if (!moc__retain_may_follow(p->r, op, k, i)) continue;
      most = from[k] + gain;
      any = true;
    }
    if (!add(&gain, step[0])) return TOO_MUCH;
    if ((!any || gain > most) && moc__retain_may_follow(p->r, op, -1, i)) {
      most = gain;
      any = true;
    }
    from[i] = any ? most - cost : IMPOSSIBLE;
    if (from[i] > best && moc__retain_may_end(p->r, op, i)) best = from[i];
  }
  return best;
}

/* The sum of retain.h, times 2^shift, to total. False when it does not fit. */
static bool prove(proof *p) {
  const moc__retain *r = p->r;
  const moc__wide most = (moc__wide)1 << 120; /* of earnings: sums of a few stay within 128 bits */
  for (int64_t i = 0; i < r->n_flat; i++) p->earns[i] = 0;
  p->total = 0;
  for (int64_t i = 0; i < r->n_events; i++) {
    moc__wide product;
    if (__builtin_mul_overflow((moc__wide)p->weight[i], -(moc__wide)r->events[i].room, &product) ||
        !add(&p->total, product))
      return false;
  }
  for (int64_t i = 0; i < r->n_supports; i++) {
    const moc__retain_support *s = &r->supports[i];
    const moc__retain_hold *h = &r->holds[s->hold];
    if (p->fraction[i] == 0 || p->weight[h->event] == 0) continue;
    moc__wide m; /* at most 2^44 2^62 2^20 */
    m = ((moc__wide)p->weight[h->event] * h->size * p->fraction[i]) >> MOC__FRACTION_SHIFT;
    if (s->read_at < 0 ? !add(&p->total, m) : !add(&p->earns[s->read_at], -m)) return false;
    if (s->end_at >= 0 && !add(&p->earns[s->end_at], m)) return false;
  }
  for (int32_t q = 0; q < r->staged->n; q++) {
    const moc__retain_op *op = &r->ops[q];
    if (op->n_intervals == 0) continue;
    moc__wide cost = (moc__wide)r->staged->duration[q] << p->shift, sum = 0;
    for (int64_t i = 0; i < op->n_intervals; i++) {
      moc__wide e = p->earns[op->flat + i];
      if (!add(&sum, e < 0 ? -e : e) || sum > most) return false;
    }
    moc__wide earns = r->single ? earn_one(p, op, cost) : earn_many(p, op, cost);
    if (earns == IMPOSSIBLE) p->impossible = true;
    if (earns == TOO_MUCH || (earns != IMPOSSIBLE && !add(&p->total, -earns))) return false;
  }
  return true;
}

static void publish(proof *p) {
  moc__retain *r = p->r;
  double largest = 0, scale = r->cost_unit / r->byte_unit;
  for (int64_t i = 0; i < r->n_events; i++) largest = fmax(largest, r->events[i].best * scale);
  if (!(largest > 0) || !isfinite(largest) || largest >= 0x1p60) return;
  int exponent = 43 - ilogb(largest);
  p->shift = exponent < 0 ? 0 : exponent > 50 ? 50 : exponent;
  moc__retain_round(r, p->shift, 0, p->weight, p->fraction);
  share_out(r, p->fraction);
  if (!prove(p) || p->total <= 0) return;
  moc__wide unit = (moc__wide)1 << p->shift, extra = p->total / unit + (p->total % unit != 0);
  if (extra > MOC_MAX_TOTAL || extra <= r->extra) return;
  r->extra = (int64_t)extra;
  r->shift = p->shift;
  for (int64_t i = 0; i < r->n_events; i++) r->events[i].proves = p->weight[i];
  for (int64_t i = 0; i < r->n_supports; i++) r->supports[i].proves = p->fraction[i];
}

/* Work space for a proof. */
static bool begin(proof *p) {
  moc__retain *r = p->r;
  int64_t most = 0;
  for (int32_t q = 0; q < r->staged->n; q++) most = moc__max(most, r->ops[q].n_cells);
  p->earns = MOC__NEW(&r->allocator, r->n_flat, moc__wide);
  p->room = MOC__NEW(&r->allocator, 2 * most + 2, moc__wide);
  return p->earns != NULL && p->room != NULL;
}

static void end(const proof *p) {
  moc__release(&p->r->allocator, p->earns);
  moc__release(&p->r->allocator, p->room);
}

void moc__retain_publish(moc__retain *r) {
  proof p = {.r = r};
  p.weight = MOC__NEW(&r->allocator, r->n_events, int64_t);
  p.fraction = MOC__NEW(&r->allocator, r->n_supports, int32_t);
  if (begin(&p) && p.weight != NULL && p.fraction != NULL)
    publish(&p);
  else
    r->out_of_memory = true;
  end(&p);
  moc__release(&r->allocator, p.weight);
  moc__release(&r->allocator, p.fraction);
}

bool moc__retain_prove(moc__retain *r, int shift, int64_t *weight, int32_t *fraction, int64_t *extra) {
  proof p = {.r = r, .shift = shift, .weight = weight, .fraction = fraction};
  share_out(r, fraction);
  bool done = begin(&p) && prove(&p);
  end(&p);
  r->work += 1 + (r->n_supports + r->n_flat) / 75;
  if (!done) return false;
  moc__wide unit = (moc__wide)1 << shift, sum = p.total > 0 ? p.total / unit + (p.total % unit != 0) : 0;
  *extra = p.impossible ? INT64_MAX : sum > MOC_MAX_TOTAL ? MOC_MAX_TOTAL : (int64_t)sum;
  return true;
}

static int64_t count_shares(const moc__retain *r, const moc__retain_event *event) {
  int64_t count = 0;
  for (int64_t h = event->first_hold; h >= 0; h = r->holds[h].next) {
    for (int64_t k = r->holds[h].first_support; k >= 0; k = r->supports[k].next)
      count += r->supports[k].read >= 0 && r->supports[k].proves > 0;
  }
  return count;
}

static void write_shares(const moc__retain *r, const moc__retain_event *event, moc_certificate *c) {
  const moc__staged *staged = r->staged;
  for (int64_t h = event->first_hold; h >= 0; h = r->holds[h].next) {
    for (int64_t k = r->holds[h].first_support; k >= 0; k = r->supports[k].next) {
      const moc__retain_support *s = &r->supports[k];
      if (s->read < 0 || s->proves <= 0) continue;
      int32_t t = r->holds[h].tensor, last = r->ops[s->reader].intervals[s->read].last;
      c->shares[c->n_shares++] = (moc_bound_share){.weight = c->n_weights,
                                                   .tensor = t < 0 ? MOC_NONE : staged->tensor[t],
                                                   .reader = staged->order[s->reader],
                                                   .last = staged->order[last],
                                                   .share = s->proves};
    }
  }
}

void moc__retain_certify(const moc__retain *r, moc_certificate *certificate) {
  if (r->extra > MOC_MAX_TOTAL - r->staged->total_duration) return;
  int64_t weights = 0, shares = 0;
  for (int64_t i = 0; i < r->n_events; i++) {
    if (r->events[i].proves <= 0) continue;
    weights++;
    shares += count_shares(r, &r->events[i]);
  }
  moc_certificate c = {.bound = r->staged->total_duration + r->extra,
                       .kind = MOC_CERTIFICATE_RETENTION,
                       .max_computes = r->single ? 2 : 0,
                       .shift = r->shift,
                       .weights = MOC__NEW(&r->allocator, weights, moc_bound_weight),
                       .shares = MOC__NEW(&r->allocator, shares, moc_bound_share)};
  if (c.weights == NULL || c.shares == NULL) {
    moc__release(&r->allocator, c.weights);
    moc__release(&r->allocator, c.shares);
    return;
  }
  for (int64_t i = 0; i < r->n_events; i++) {
    const moc__retain_event *event = &r->events[i];
    if (event->proves <= 0) continue;
    write_shares(r, event, &c);
    c.weights[c.n_weights++] =
        (moc_bound_weight){r->staged->order[event->place], r->staged->order[event->stage], event->proves};
  }
  moc__certificate_release(certificate, &r->allocator);
  *certificate = c;
}
