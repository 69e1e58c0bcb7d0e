/* The bound of the search: layout and evaluation; see dual.h. */
#include "cp/dual_choice.h"
#include "cp/propagate.h"

#include <math.h>

enum {
  GROWN_ROUNDS = 300,  /* of ascent when events or supports were added */
  FIXED_ROUNDS = 100,  /* when more is fixed at level 0 */
  RESTART_ROUNDS = 20, /* when the search is at level 0 */
  WINDOW_ROUNDS = 60,  /* in a window, at first */
  WINDOW_RESTART = 6,  /* and whenever the search is at level 0 there */
  NODE_ROUNDS = 4,     /* below */
  MOST_SUPPORTS = 2000000
};
#define LARGEST_WEIGHT (INT64_C(1) << 42)
#define MOST_EARNINGS  (INT64_C(1) << 60) /* more than this in sum: the multipliers are useless */
#define USELESS        (-((moc__wide)1 << 100))

/* --- Layout --- */

moc__dual *moc__dual_create(moc__model *model, moc__retain *retain) {
  moc__dual *d = moc__allocate_zeroed(&model->allocator, 1, sizeof *d);
  if (d == NULL) return NULL;
  d->model = model;
  d->retain = retain;
  d->allocator = model->allocator;
  d->built_for = d->built_supports = -1;
  d->fixes = true;
  d->node_rounds = NODE_ROUNDS;
  double cost = 0;
  for (int32_t p = 0; p < model->staged->n; p++) {
    cost += (double)model->staged->duration[p];
    d->unit = moc__gcd(d->unit, model->staged->duration[p]);
  }
  if (d->unit == 0) d->unit = 1;
  int shift = 54 - ilogb(fmax(cost, 1)), weight_shift = 34 - ilogb(retain->cost_unit / retain->byte_unit);
  d->shift = shift < 0 ? 0 : shift > 30 ? 30 : shift;
  d->weight_shift = weight_shift < d->shift ? 0 : (weight_shift > 60 ? 60 : weight_shift) - d->shift;
  return d;
}

static void release_layout(moc__dual *d) {
  void *blocks[] = {d->choices, d->value, d->spans, d->earning, d->from, d->step, d->seen, d->before, d->losses};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(&d->allocator, blocks[i]);
  d->choices = NULL;
  d->value = d->earning = d->from = d->step = NULL;
  d->spans = d->seen = NULL;
  d->before = NULL;
  d->losses = NULL;
}

void moc__dual_destroy(moc__dual *d) {
  if (d == NULL) return;
  moc_allocator allocator = d->allocator;
  release_layout(d);
  moc__release(&allocator, d);
}

/* In a window, nothing is left to choose for an operation without intervals. Its starts go to d->base. */
static bool skips(moc__dual *d, int32_t place) {
  const moc__model *m = d->model;
  const moc__window *w = m->window;
  if (w == NULL || d->retain->ops[place].n_intervals > 0) return false;
  const moc__starts *s = &m->starts[place];
  if (w->frozen[place])
    d->base += (moc__wide)(w->first[place + 1] - w->first[place]) * m->staged->duration[place] << d->shift;
  else if (s->n_times == 0 || moc__value(&m->engine, 2 * s->times[0]) >= 0)
    return false;
  return true;
}

/* The model's spans become intervals, so that they are made of whole cells; then everything is laid out. */
static bool rebuild(moc__dual *d) {
  const moc__model *m = d->model;
  moc__retain *r = d->retain;
  release_layout(d);
  d->base = 0;
  for (int32_t p = 0; p < m->staged->n; p++) {
    if (skips(d, p)) continue;
    for (int64_t i = 0; i < moc__min(m->starts[p].n_spans, MOC__MOST_SPANS); i++)
      (void)moc__retain_interval(r, p, m->starts[p].spans[i].first, m->starts[p].spans[i].last);
  }
  if (!moc__retain_lay_out(r)) return false;
  int64_t places = 0, cells = 0, most = 0;
  for (int32_t p = 0; p < m->staged->n; p++) {
    if (r->ops[p].n_intervals == 0) continue;
    places++;
    cells += r->ops[p].n_cells;
    most = moc__max(most, r->ops[p].n_cells);
  }
  d->choices = MOC__NEW_ZEROED(&d->allocator, places, moc__choice);
  d->losses = MOC__NEW(&d->allocator, places, moc__loss);
  d->value = MOC__NEW(&d->allocator, cells, int64_t);
  d->spans = MOC__NEW_ZEROED(&d->allocator, cells, uint64_t);
  d->earning = MOC__NEW(&d->allocator, r->n_flat, int64_t);
  d->from = MOC__NEW(&d->allocator, most, int64_t);
  d->step = MOC__NEW(&d->allocator, most, int64_t);
  d->seen = MOC__NEW(&d->allocator, most, uint64_t);
  d->before = MOC__NEW(&d->allocator, most, int32_t);
  if (!d->choices || !d->losses || !d->value || !d->spans || !d->earning || !d->from || !d->step || !d->seen ||
      !d->before)
    return false;
  d->n_choices = cells = 0;
  for (int32_t p = 0; p < m->staged->n; p++) {
    const moc__retain_op *op = &r->ops[p];
    if (op->n_intervals == 0) continue;
    moc__choice *c = &d->choices[d->n_choices++];
    c->place = p;
    c->cells = cells;
    c->n_spans = (int32_t)moc__min(m->starts[p].n_spans, MOC__MOST_SPANS);
    for (int32_t i = 0; i < c->n_spans; i++) {
      moc__interval x =
          op->intervals[moc__retain_interval(r, p, m->starts[p].spans[i].first, m->starts[p].spans[i].last)];
      for (int32_t cell = x.low; cell <= x.high; cell++) d->spans[cells + cell] |= UINT64_C(1) << i;
    }
    cells += op->n_cells;
  }
  d->built_for = m->refinements;
  d->built_window = m->crossings;
  d->built_supports = r->n_supports;
  return true;
}

/* --- One operation's best choice --- */

/* With at most one start. */
static int64_t earn_single(const moc__dual *d, const moc__choice *c, moc__limits l, int32_t *found) {
  const int64_t *value = d->value + c->cells;
  const uint64_t *spans = d->spans + c->cells;
  int32_t n = d->retain->ops[c->place].n_cells;
  int64_t cost = d->model->staged->duration[c->place] << d->shift;
  int64_t best = l.some || l.hit != 0 ? -MOC__IMPOSSIBLE : 0;
  *found = -1;
  for (int32_t i = 0; i < n; i++) {
    if (value[i] - cost <= best || (spans[i] & l.missed) != 0 || (l.hit & ~spans[i]) != 0) continue;
    best = value[i] - cost;
    *found = i;
  }
  if (l.some && l.hit == 0 && -cost > best) { /* a start outside all cells */
    best = -cost;
    *found = -1;
  }
  return best;
}

/* With any number of starts: from[i] is the best whose last start is in cell i. step[k] is what the intervals that begin in
 * cell k and contain cell i earn. */
static int64_t earn_many(moc__dual *d, const moc__choice *c, moc__limits l, int32_t *found) {
  const moc__retain_op *op = &d->retain->ops[c->place];
  const uint64_t *spans = d->spans + c->cells;
  const int64_t *earning = d->earning + op->flat;
  int64_t cost = d->model->staged->duration[c->place] << d->shift;
  int64_t best = l.some || l.hit != 0 ? -MOC__IMPOSSIBLE : 0;
  *found = -1;
  d->cells += op->n_intervals + (int64_t)op->n_cells * op->n_cells / 2;
  for (int32_t i = 0; i < op->n_cells; i++) {
    d->step[i] = 0;
    for (int32_t s = op->first_low[i]; s >= 0; s = op->next_low[s]) d->step[i] += earning[s];
    for (int32_t s = i > 0 ? op->first_high[i - 1] : -1; s >= 0; s = op->next_high[s])
      d->step[op->intervals[s].low] -= earning[s];
    d->seen[i] = (i > 0 ? d->seen[i - 1] : 0) | spans[i]; /* spans that began */
    d->from[i] = -MOC__IMPOSSIBLE;
    d->before[i] = -1;
    if ((spans[i] & l.missed) != 0) continue;
    /* Over before cell i: began, and not there. All that must be hit among those was hit by earlier starts. */
    uint64_t over = d->seen[i] & ~spans[i];
    int64_t gain = 0;
    for (int32_t k = i - 1; k >= 0; k--) {
      gain += d->step[k + 1];
      if (d->from[k] <= -MOC__IMPOSSIBLE || (l.hit & over & ~d->seen[k]) != 0) continue;
      if (d->from[k] + gain - cost <= d->from[i]) continue;
      d->from[i] = d->from[k] + gain - cost;
      d->before[i] = k;
    }
    gain += d->step[0];
    if ((l.hit & over) == 0 && gain - cost > d->from[i]) {
      d->from[i] = gain - cost;
      d->before[i] = -1;
    }
    if (d->from[i] <= best || (l.hit & ~d->seen[i]) != 0) continue;
    best = d->from[i];
    *found = i;
  }
  if (l.some && l.hit == 0 && -cost > best) {
    best = -cost;
    *found = -1;
  }
  return best;
}

int64_t moc__choice_earns(moc__dual *d, moc__choice *c, moc__limits l, bool pick) {
  moc__retain_op *op = &d->retain->ops[c->place];
  if (pick) op->n_picked = 0;
  if (l.none) return l.some || l.hit != 0 ? -MOC__IMPOSSIBLE : 0;
  if (l.hit == 0 && !l.some && c->gain <= d->model->staged->duration[c->place] << d->shift) return 0;
  int32_t found = -1;
  int64_t best = d->retain->single ? earn_single(d, c, l, &found) : earn_many(d, c, l, &found);
  if (!pick) return best;
  for (; found >= 0; found = d->retain->single ? -1 : d->before[found]) op->picked[op->n_picked++] = found;
  for (int32_t k = 0; k < op->n_picked; k++) {
    for (int64_t i = 0; i < op->n_intervals; i++) {
      if (op->intervals[i].low <= op->picked[k] && op->picked[k] <= op->intervals[i].high)
        d->retain->taken[op->flat + i] = true;
    }
  }
  return best;
}

/* --- The bound at the present assignment --- */

static void read_literals(moc__dual *d) {
  const moc__engine *e = &d->model->engine;
  for (int64_t i = 0; i < d->n_choices; i++) {
    moc__choice *c = &d->choices[i];
    const moc__starts *s = &d->model->starts[c->place];
    c->now = c->fixed = (moc__limits){0};
    for (int32_t k = 0; k < c->n_spans; k++) {
      int32_t v = s->spans[k].variable;
      uint64_t bit = UINT64_C(1) << k;
      if (e->value[v] == 0) continue;
      *(e->value[v] > 0 ? &c->now.hit : &c->now.missed) |= bit;
      if (e->level[v] == 0) *(e->value[v] > 0 ? &c->fixed.hit : &c->fixed.missed) |= bit;
    }
    if (s->n_times == 0 || e->value[s->times[0]] == 0) continue;
    bool some = e->value[s->times[0]] > 0, fixed = e->level[s->times[0]] == 0;
    c->now.some = some;
    c->now.none = !some;
    c->fixed.some = some && fixed;
    c->fixed.none = !some && fixed;
  }
}

static int64_t to_integer(const moc__dual *d, double weight) {
  double value = ldexp(weight * d->retain->cost_unit / d->retain->byte_unit, d->shift + d->weight_shift);
  return value >= (double)LARGEST_WEIGHT ? LARGEST_WEIGHT : value <= 0 ? 0 : (int64_t)value;
}

/* The bound for the weights and fractions as they are, to bound, in units of 2^-shift. What a hold's supports get never
 * passes its weight; products are rounded down, what is subtracted is rounded up. */
static void evaluate(moc__dual *d) {
  moc__retain *r = d->retain;
  moc__wide bound = d->base, sum = 0;
  d->work += 1 + (r->n_supports + r->n_flat) / 150;
  memset(d->earning, 0, (size_t)r->n_flat * sizeof *d->earning);
  memset(r->taken, 0, (size_t)r->n_flat * sizeof *r->taken);
  d->bound = USELESS;
  for (int64_t i = 0; i < r->n_events; i++) {
    const moc__retain_event *event = &r->events[i];
    int64_t weight = to_integer(d, event->weight);
    if (weight == 0) continue;
    bound += -((moc__wide)weight * event->room) >> d->weight_shift;
    for (int64_t h = event->first_hold; h >= 0; h = r->holds[h].next) {
      moc__wide all = ((moc__wide)weight * r->holds[h].size) >> d->weight_shift;
      sum += all;
      if (sum > MOST_EARNINGS) return;
      int64_t left = (int64_t)all;
      double weighed = (double)left;
      for (int64_t k = r->holds[h].first_support; k >= 0; k = r->supports[k].next) {
        const moc__retain_support *s = &r->supports[k];
        int64_t m = moc__min(left, (int64_t)(weighed * s->fraction));
        if (m <= 0) continue;
        left -= m;
        if (s->read_at < 0)
          bound += m;
        else
          d->earning[s->read_at] -= m;
        if (s->end_at >= 0) d->earning[s->end_at] += m;
      }
    }
  }
  for (int64_t i = 0; i < d->n_choices; i++) {
    moc__choice *c = &d->choices[i];
    const moc__retain_op *op = &r->ops[c->place];
    int64_t *value = d->value + c->cells, running = 0;
    c->gain = 0;
    for (int32_t k = 0; k < op->n_cells; k++) value[k] = 0;
    for (int64_t k = 0; k < op->n_intervals; k++) {
      int64_t earns = d->earning[op->flat + k];
      if (earns > 0) c->gain += earns;
      value[op->intervals[k].low] += earns;
      if (op->intervals[k].high + 1 < op->n_cells) value[op->intervals[k].high + 1] -= earns;
    }
    for (int32_t k = 0; k < op->n_cells; k++) {
      running += value[k];
      value[k] = running;
    }
    c->earns = moc__choice_earns(d, c, c->now, true);
    bound -= c->earns;
  }
  d->bound = bound;
  r->value = ldexp((double)bound, -d->shift) / r->cost_unit;
}

static void evaluate_for_ascent(void *context) {
  evaluate(context);
}

/* --- Propagation --- */

/* At level 0: with what is fixed there, towards the target. False when memory is out. */
static bool improve(moc__dual *d) {
  moc__model *m = d->model;
  moc__retain *r = d->retain;
  bool changed = d->built_for != m->refinements || d->built_window != m->crossings,
       fixed = m->engine.n_trail > d->fixed_at, grown = false;
  d->fixed_at = m->engine.n_trail;
  if (m->window == NULL && d->calls > 1 && (fixed || d->calls - d->last_separation > 200) &&
      r->n_supports < MOST_SUPPORTS) {
    d->last_separation = d->calls;
    d->work += moc__retain_separate(r, d->stop, d->stop_context) / 10;
    grown = r->n_supports != d->built_supports;
  }
  if ((changed || d->built_supports != r->n_supports) && !rebuild(d)) return false;
  if (d->n_choices == 0) return true;
  read_literals(d);
  int32_t rounds = grown || d->calls == 1 ? GROWN_ROUNDS : fixed ? FIXED_ROUNDS : RESTART_ROUNDS;
  if (m->window != NULL) rounds = d->calls == 1 ? WINDOW_ROUNDS : WINDOW_RESTART;
  int64_t most = m->target - 1 + d->unit;
  moc__retain_ascend(r, most, rounds, evaluate_for_ascent, d, d->stop, d->stop_context);
  evaluate(d);
  return true;
}

static bool propagate(void *context, moc__engine *e) {
  moc__dual *d = context;
  moc__model *m = d->model;
  if (m->target >= MOC_MAX_TOTAL) return true;
  moc__wide cap = (moc__wide)((m->target - 1) / d->unit * d->unit) << d->shift;
  if (e->n_levels > 0 && d->built_for != m->refinements) return true;
  d->calls++;
  if (e->n_levels == 0) {
    if (!improve(d)) {
      e->out_of_memory = true;
      return true;
    }
    if (d->n_choices == 0) return true;
  } else {
    if (d->n_choices == 0) return true;
    read_literals(d);
    evaluate(d);
    double aim = ldexp((double)cap, -d->shift) / d->retain->cost_unit * 1.01 + 1e-6;
    for (int round = 0; round < d->node_rounds && d->bound <= cap; round++) {
      moc__retain_step(d->retain, aim, 0.7);
      evaluate(d);
    }
  }
  if (d->bound > cap) {
    e->n_conflict = 0;
    moc__dual_explain(d, cap);
    e->conflict_taint = true;
    return false;
  }
  if (d->fixes) moc__dual_fix(d, cap);
  return true;
}

void moc__dual_install(moc__dual *d) {
  d->model->engine.more = propagate;
  d->model->engine.more_context = d;
}

void moc__dual_watch(moc__dual *d, bool (*stop)(void *), void *context) {
  d->stop = stop;
  d->stop_context = context;
}

void moc__dual_tune(moc__dual *d, bool fixes, int32_t node_rounds) {
  d->fixes = fixes;
  d->node_rounds = node_rounds;
}

int64_t moc__dual_work(const moc__dual *d) {
  return d->work + d->cells / MOC__CELLS_A_UNIT;
}
