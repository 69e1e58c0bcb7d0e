/* The ascent of the retention bound's multipliers, in floating point; see retain.h.
 *
 * Weights take projected subgradient steps of Polyak's length. The fractions of a hold are a distribution over its
 * supports and "not held": they follow multiplicative weights. The average of the choices made on the way tends to a
 * solution of the linear relaxation (the volume algorithm of Barahona and Anbil): separation looks at it. */
#include "bounds/retain.h"

#include <math.h>

#define LEAST_FRACTION 1e-3 /* so that a support can come back */

/* --- One operation's best choice --- */

static void pick_one(moc__retain *r, moc__retain_op *op, double cost) {
  double *sum = r->room, running = 0, best = moc__retain_may_end(r, op, -1) ? cost : -INFINITY;
  int32_t found = -1;
  for (int32_t i = 0; i <= op->n_cells; i++) sum[i] = 0;
  for (int64_t i = 0; i < op->n_intervals; i++) {
    sum[op->intervals[i].low] += r->earns[op->flat + i];
    sum[op->intervals[i].high + 1] -= r->earns[op->flat + i];
  }
  for (int32_t i = 0; i < op->n_cells; i++) {
    running += sum[i];
    if (running < best || (running == best && found < 0)) continue;
    if (op->n_cases > 0 && !(moc__retain_may_follow(r, op, -1, i) && moc__retain_may_end(r, op, i))) continue;
    best = running;
    found = i;
  }
  if (best == -INFINITY) r->value = INFINITY; /* nothing can be chosen */
  if (found < 0) return;
  r->value -= best - cost;
  op->picked[op->n_picked++] = found;
}

/* The intervals that earn or cost anything now, to r->earning[], their cells as groups: cells that lie in the same ones are alike.
 * The first cell of each group goes to r->group[0..*groups], where the last ends the cells. Assumptions tell all cells apart. */
static int64_t group_cells(moc__retain *r, const moc__retain_op *op, int32_t *groups) {
  int32_t *group = r->group, *of = group + op->n_cells + 1, n = 0;
  int64_t count = 0;
  for (int32_t i = 0; i <= op->n_cells; i++) of[i] = op->n_cases > 0;
  of[0] = 1;
  for (int64_t s = 0; s < op->n_intervals; s++) {
    double earns = r->earns[op->flat + s];
    if (earns == 0) continue;
    int32_t low = op->intervals[s].low, high = op->intervals[s].high;
    r->earning[count++] = (moc__earning){low, high, earns};
    of[low] = of[high + 1] = 1;
  }
  for (int32_t i = 0; i < op->n_cells; i++) {
    if (of[i] == 1) group[n++] = i;
    of[i] = n - 1;
  }
  group[n] = op->n_cells;
  for (int64_t s = 0; s < count; s++) {
    r->earning[s].low = of[r->earning[s].low];
    r->earning[s].high = of[r->earning[s].high];
  }
  r->cells += op->n_cells + op->n_intervals + n * (n + count);
  *groups = n;
  return count;
}

/* Any number of starts: from[i] is the best whose last start is in group i. */
static void pick_many(moc__retain *r, moc__retain_op *op, double cost) {
  int32_t n, found = -1;
  int64_t count = group_cells(r, op, &n);
  const int32_t *first = r->group;
  double *from = r->room, *before = from + n + 1, *add = before + n + 1;
  double best = moc__retain_may_end(r, op, -1) ? 0 : -INFINITY;
  for (int32_t i = 0; i < n; i++) {
    double gain = 0;
    for (int32_t k = 0; k <= i; k++) add[k] = 0; /* anew: what is subtracted leaves something in floating point */
    for (int64_t s = 0; s < count; s++) {
      if (r->earning[s].low <= i && i <= r->earning[s].high) add[r->earning[s].low] += r->earning[s].earns;
    }
    from[i] = -INFINITY;
    before[i] = -1;
    for (int32_t k = i - 1; k >= 0; k--) {
      gain += add[k + 1];
      if (from[k] + gain <= from[i] || !moc__retain_may_follow(r, op, first[k], first[i])) continue;
      from[i] = from[k] + gain;
      before[i] = k;
    }
    gain += add[0];
    if (gain > from[i] && moc__retain_may_follow(r, op, -1, first[i])) {
      from[i] = gain;
      before[i] = -1;
    }
    from[i] -= cost;
    if (from[i] <= best || !moc__retain_may_end(r, op, first[i])) continue;
    best = from[i];
    found = i;
  }
  if (best == -INFINITY) { /* nothing can be chosen */
    r->value = INFINITY;
    return;
  }
  r->value -= best;
  if (found < 0) return;
  /* The last start as early as its group allows, each other one as near to the next. */
  op->picked[op->n_picked++] = first[found];
  for (int32_t i = (int32_t)before[found]; i >= 0; i = (int32_t)before[i])
    op->picked[op->n_picked++] = first[i + 1] - 1;
}

static void pick(moc__retain *r, int32_t place) {
  moc__retain_op *op = &r->ops[place];
  double cost = (double)r->staged->duration[place] / r->cost_unit, most = -cost;
  op->n_picked = 0;
  for (int64_t i = 0; i < op->n_intervals; i++) most += fmax(0, r->earns[op->flat + i]);
  if (most <= 0 && op->n_cases == 0) return;
  if (r->single)
    pick_one(r, op, cost);
  else
    pick_many(r, op, cost);
  for (int32_t k = 0; k < op->n_picked; k++) {
    for (int64_t i = 0; i < op->n_intervals; i++) {
      if (op->intervals[i].low <= op->picked[k] && op->picked[k] <= op->intervals[i].high)
        r->taken[op->flat + i] = true;
    }
  }
}

/* --- The dual function --- */

static void evaluate(void *context) {
  moc__retain *r = context;
  r->value = 0;
  memset(r->taken, 0, (size_t)r->n_flat * sizeof *r->taken);
  for (int64_t i = 0; i < r->n_flat; i++) r->earns[i] = 0;
  for (int64_t i = 0; i < r->n_events; i++)
    r->value -= r->events[i].weight * (double)r->events[i].room / r->byte_unit;
  for (int64_t i = 0; i < r->n_supports; i++) {
    const moc__retain_support *s = &r->supports[i];
    const moc__retain_hold *h = &r->holds[s->hold];
    double m = r->events[h->event].weight * (double)h->size / r->byte_unit * s->fraction;
    if (m <= 0) continue;
    if (s->read_at < 0)
      r->value += m;
    else
      r->earns[s->read_at] -= m;
    if (s->end_at >= 0) r->earns[s->end_at] += m;
  }
  for (int32_t p = 0; p < r->staged->n; p++) {
    if (r->ops[p].n_intervals > 0) pick(r, p);
  }
  r->work += 1 + (r->n_supports + r->n_flat) / 150 + r->cells / MOC__CELLS_A_UNIT;
  r->cells %= MOC__CELLS_A_UNIT;
}

/* What the choice gives a support: V - X. */
static int gives(const moc__retain *r, const moc__retain_support *s) {
  int reads = s->read_at < 0 || r->taken[s->read_at];
  int ends = s->end_at >= 0 && r->taken[s->end_at];
  return reads - ends;
}

/* Fractions follow what supports give; slopes of events. */
static double look_at_choice(moc__retain *r, double rate) {
  double norm = 0;
  for (int64_t i = 0; i < r->n_events; i++) r->events[i].slope = -(double)r->events[i].room / r->byte_unit;
  for (int64_t i = 0; i < r->n_holds; i++) {
    const moc__retain_hold *h = &r->holds[i];
    double given = 0, sum = 0, all = 0;
    if (h->first_support >= 0 && r->supports[h->first_support].next < 0 &&
        r->supports[h->first_support].read_at < 0) {
      r->events[h->event].slope += gives(r, &r->supports[h->first_support]) * (double)h->size / r->byte_unit;
      continue; /* a first computation alone: it has all */
    }
    for (int64_t k = h->first_support; k >= 0; k = r->supports[k].next) {
      moc__retain_support *s = &r->supports[k];
      int now = gives(r, s);
      given += now * s->fraction;
      sum += s->fraction;
      s->fraction *= 1 + rate * now;
      if (s->fraction < LEAST_FRACTION) s->fraction = LEAST_FRACTION;
      all += s->fraction;
    }
    r->events[h->event].slope += given * (double)h->size / r->byte_unit;
    if (sum < 1) all += 1 - sum;
    if (all <= 1) continue;
    for (int64_t k = h->first_support; k >= 0; k = r->supports[k].next) r->supports[k].fraction /= all;
  }
  for (int64_t i = 0; i < r->n_events; i++) {
    moc__retain_event *e = &r->events[i];
    if (e->weight <= 0 && e->slope < 0) e->slope = 0;
    norm += e->slope * e->slope;
  }
  return norm;
}

/* --- The average of the choices --- */

static void add_mass(moc__retain *r, moc__retain_op *op, int32_t stage, double mass) {
  int64_t i = 0;
  while (i < op->n_masses && op->stage[i] < stage) i++;
  if (i < op->n_masses && op->stage[i] == stage) {
    op->mass[i] += mass;
    return;
  }
  if (op->n_masses == op->mass_capacity) {
    int64_t room = 2 * op->mass_capacity + 4;
    int32_t *stages = moc__resize(&r->allocator, op->stage, room, sizeof *stages);
    if (stages != NULL) op->stage = stages;
    double *masses = moc__resize(&r->allocator, op->mass, room, sizeof *masses);
    if (masses != NULL) op->mass = masses;
    if (stages == NULL || masses == NULL) return; /* an average that is a little off */
    op->mass_capacity = room;
  }
  memmove(op->stage + i + 1, op->stage + i, (size_t)(op->n_masses - i) * sizeof *op->stage);
  memmove(op->mass + i + 1, op->mass + i, (size_t)(op->n_masses - i) * sizeof *op->mass);
  op->stage[i] = stage;
  op->mass[i] = mass;
  op->n_masses++;
}

static void average(moc__retain *r, double share) {
  r->mass_scale *= 1 - share;
  for (int32_t p = 0; p < r->staged->n; p++) {
    moc__retain_op *op = &r->ops[p];
    for (int32_t k = 0; k < op->n_picked; k++)
      add_mass(r, op, op->cell[op->picked[k] + 1] - 1, share / r->mass_scale);
  }
}

/* Scale to 1 and drop what is next to nothing. */
static void settle_average(moc__retain *r) {
  for (int32_t p = 0; p < r->staged->n; p++) {
    moc__retain_op *op = &r->ops[p];
    int64_t kept = 0;
    for (int64_t i = 0; i < op->n_masses; i++) {
      double mass = op->mass[i] * r->mass_scale;
      if (mass < 1e-3) continue;
      op->stage[kept] = op->stage[i];
      op->mass[kept++] = mass;
    }
    op->n_masses = kept;
  }
  r->mass_scale = 1;
}

/* --- The ascent --- */

static void save(moc__retain *r) {
  for (int64_t i = 0; i < r->n_events; i++) r->events[i].best = r->events[i].weight;
  for (int64_t i = 0; i < r->n_supports; i++) r->supports[i].best = r->supports[i].fraction;
}

static void load(moc__retain *r) {
  for (int64_t i = 0; i < r->n_events; i++) r->events[i].weight = r->events[i].best;
  for (int64_t i = 0; i < r->n_supports; i++) r->supports[i].fraction = r->supports[i].best;
}

void moc__retain_look(moc__retain *r) {
  load(r);
  evaluate(r);
}

double moc__retain_value_of(moc__retain *r, int32_t place) {
  double all = r->value;
  r->value = 0;
  pick(r, place);
  double found = r->value;
  r->value = all;
  return found;
}

void moc__retain_step(moc__retain *r, double aim, double factor) {
  double norm = look_at_choice(r, 0.15 * factor);
  if (!(norm > 0)) return;
  double step = factor * fmax(aim - r->value, 1e-6) / norm;
  for (int64_t i = 0; i < r->n_events; i++)
    r->events[i].weight = fmax(0, r->events[i].weight + step * r->events[i].slope);
}

void moc__retain_ascend(moc__retain *r, int64_t target, int32_t rounds, void (*choose)(void *), void *chooser,
                        bool (*stop)(void *), void *context) {
  enum { PATIENCE = 20 };
  if (choose == NULL) {
    choose = evaluate;
    chooser = r;
  }
  double most = target == INT64_MAX ? INFINITY : (double)target / r->cost_unit, factor = 1.0;
  int32_t since = 0;
  load(r);
  r->reached = -INFINITY;
  for (int32_t round = 0; round < rounds && factor > 1e-3; round++) {
    if (stop != NULL && stop(context)) break;
    choose(chooser);
    if (r->value > r->reached) {
      if (r->value > r->reached + 1e-4 * fabs(r->reached)) since = 0;
      r->reached = r->value;
      save(r);
    }
    if (r->reached >= most) break;
    average(r, 0.03 * factor);
    if (++since > PATIENCE) {
      factor *= 0.7;
      since = 0;
      load(r);
      choose(chooser);
    }
    moc__retain_step(r, fmin(most, 1.1 * fmax(r->reached, 0) + 0.05), factor);
  }
  load(r);
  settle_average(r);
}
