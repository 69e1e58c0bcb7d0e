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
} proof;

static void round_fractions(proof *p) {
  const moc__retain *r = p->r;
  const int32_t all = INT32_C(1) << MOC__FRACTION_SHIFT;
  for (int64_t h = 0; h < r->n_holds; h++) {
    int32_t left = all;
    int64_t certain = -1;
    for (int64_t k = r->holds[h].first_support; k >= 0; k = r->supports[k].next) {
      if (r->supports[k].read < 0) {
        certain = k;
        continue;
      }
      double value = floor(ldexp(r->supports[k].best, MOC__FRACTION_SHIFT));
      p->fraction[k] = value <= 0 ? 0 : value >= left ? left : (int32_t)value;
      left -= p->fraction[k];
    }
    if (certain >= 0) p->fraction[certain] = left;
  }
}

/* What an operation earns with its best start, or none; negative when 128 bits do not hold it. */
static moc__wide earn_one(const proof *p, const moc__retain_op *op, moc__wide cost) {
  moc__wide *sum = p->room, running = 0, best = 0;
  for (int32_t i = 0; i <= op->n_cells; i++) sum[i] = 0;
  for (int64_t i = 0; i < op->n_intervals; i++) {
    if (!add(&sum[op->intervals[i].low], p->earns[op->flat + i]) ||
        !add(&sum[op->intervals[i].high + 1], -p->earns[op->flat + i]))
      return -1;
  }
  for (int32_t i = 0; i < op->n_cells; i++) {
    if (!add(&running, sum[i])) return -1;
    if (running - cost > best) best = running - cost;
  }
  return best;
}

/* With any number of starts. */
static moc__wide earn_many(const proof *p, const moc__retain_op *op, moc__wide cost) {
  int32_t n = op->n_cells;
  moc__wide *from = p->room, *step = from + n + 1, best = 0;
  for (int32_t i = 0; i < n; i++) {
    moc__wide gain = 0, most;
    for (int32_t k = 0; k <= i; k++) step[k] = 0;
    for (int64_t s = 0; s < op->n_intervals; s++) {
      moc__interval x = op->intervals[s];
      if (x.low <= i && i <= x.high && !add(&step[x.low], p->earns[op->flat + s])) return -1;
    }
    bool any = false;
    most = 0;
    for (int32_t k = i - 1; k >= 0; k--) {
      if (!add(&gain, step[k + 1])) return -1;
      if (any && from[k] + gain <= most) continue;
      most = from[k] + gain;
      any = true;
    }
    if (!add(&gain, step[0])) return -1;
    if (!any || gain > most) most = gain;
    from[i] = most - cost;
    if (from[i] > best) best = from[i];
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
    if (earns < 0 || !add(&p->total, -earns)) return false;
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
  for (int64_t i = 0; i < r->n_events; i++) {
    double value = ldexp(r->events[i].best * scale, p->shift);
    p->weight[i] = value >= 0x1p44 ? INT64_C(1) << 44 : (int64_t)value;
  }
  round_fractions(p);
  if (!prove(p) || p->total <= 0) return;
  moc__wide unit = (moc__wide)1 << p->shift, extra = p->total / unit + (p->total % unit != 0);
  if (extra > MOC_MAX_TOTAL || extra <= r->extra) return;
  r->extra = (int64_t)extra;
  r->shift = p->shift;
  for (int64_t i = 0; i < r->n_events; i++) r->events[i].proves = p->weight[i];
  for (int64_t i = 0; i < r->n_supports; i++) r->supports[i].proves = p->fraction[i];
}

void moc__retain_publish(moc__retain *r) {
  const moc_allocator *allocator = &r->allocator;
  int64_t most = 0;
  for (int32_t q = 0; q < r->staged->n; q++) most = moc__max(most, r->ops[q].n_cells);
  proof p = {.r = r};
  p.weight = MOC__NEW(allocator, r->n_events, int64_t);
  p.fraction = MOC__NEW_ZEROED(allocator, r->n_supports, int32_t);
  p.earns = MOC__NEW(allocator, r->n_flat, moc__wide);
  p.room = MOC__NEW(allocator, 2 * most + 2, moc__wide);
  if (p.weight && p.fraction && p.earns && p.room)
    publish(&p);
  else
    r->out_of_memory = true;
  void *blocks[] = {p.weight, p.fraction, p.earns, p.room};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(allocator, blocks[i]);
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
