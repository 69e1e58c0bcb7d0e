/* Events and supports that the average solution of the retention bound violates; see retain.h.
 *
 * For fractions of starts, H(t, e) is the most that any support asks for. Of a reader v only the ends of its fractions
 * can be the best b. Along every stretch of events over budget the worst is added. */
#include "bounds/retain.h"

#include <math.h>
#include <stdlib.h>

/* What asks for a tensor at an event. */
typedef struct demand {
  double most;
  int32_t next;              /* the next first computation that does, or -1 */
  int32_t reader, low, last; /* who asks most, in stages low..last; -1: the first computation */
  bool fixed;                /* it is there, whatever is chosen */
} demand;

/* An event to be looked at closely. */
typedef struct target {
  int32_t stage, place;
  int64_t event; /* -1: to be added */
} target;

typedef struct separation {
  moc__retain *r;
  int32_t stage;   /* at hand: what follows is as of that */
  int64_t *ahead;  /* [n_tensors] in readers: the first that is not before the stage */
  int32_t *until;  /* [n_tensors] the last stage in which it can be asked for */
  int32_t *active; /* [n_active] tensors made by then that can still be asked for */
  int32_t n_active;
  int64_t *first_run; /* [n + 1] of each stage in runs[] */
  int32_t *runs;      /* places with a fraction of a start in a stage, ascending */
  int64_t *hold_of;   /* [n_tensors] of the event at hand; -1 */
  target *targets;    /* [n_targets] */
  int64_t n_targets, targets_capacity;
  int64_t added;
  int64_t looks; /* at tensors at events */
} separation;

enum {
  LEAST = 20,       /* thousandths of a start that count */
  LOOKS_A_UNIT = 75 /* of work */
};

/* How much of a start of `place` is in stages first..last. */
static double mass_in(const moc__retain *r, int32_t place, int32_t first, int32_t last) {
  const moc__retain_op *op = &r->ops[place];
  double sum = 0;
  for (int64_t i = 0; i < op->n_masses && op->stage[i] <= last; i++) {
    if (op->stage[i] >= first) sum += op->mass[i];
  }
  return sum;
}

static bool touches(const moc__staged *staged, int32_t place, int32_t t) {
  if (staged->producer[t] == place) return true;
  for (int64_t i = staged->reads.start[place]; i < staged->reads.start[place + 1]; i++) {
    if (staged->reads.items[i] == t) return true;
  }
  return false;
}

/* The next first computation after event (k, p) that reads t, k the stage at hand; the last place for a kept one; -1. */
static int32_t next_read(const separation *s, int32_t t, int32_t k, int32_t p) {
  const moc__staged *staged = s->r->staged;
  int64_t i = s->ahead[t], end = staged->readers.start[t + 1];
  if (i < end && p == k && staged->readers.items[i] == k) i++;
  if (i < end) return staged->readers.items[i];
  return staged->keep[t] ? staged->n - 1 : -1;
}

static demand look_at(separation *s, int32_t t, int32_t k, int32_t p) {
  const moc__retain *r = s->r;
  const moc__staged *staged = r->staged;
  demand d = {.next = -1, .reader = -1};
  s->looks++;
  int32_t q = staged->producer[t];
  if (p == k && touches(staged, k, t)) {
    d.fixed = true;
    d.most = 1;
    return d;
  }
  if (q >= k) return d;
  int32_t from = q > p ? k : k + 1;
  bool ends = q >= 0 && !staged->compute_once[q];
  d.next = next_read(s, t, k, p);
  if (d.next >= 0) {
    d.fixed = !ends || from > d.next;
    d.most = d.fixed ? 1 : fmax(0, 1 - mass_in(r, q, from, d.next));
    if (d.fixed || d.most >= 1) return d; /* nobody asks for more */
  }
  if (q == p) {
    double runs = mass_in(r, p, k, k);
    if (runs > d.most) {
      d.most = runs;
      d.reader = p;
      d.low = d.last = k;
    }
  }
  for (int64_t i = staged->readers.start[t]; i < staged->readers.start[t + 1] && !r->no_readers; i++) {
    int32_t v = staged->readers.items[i], low = v >= p ? k : k + 1;
    const moc__retain_op *op = &r->ops[v];
    if (op->n_masses == 0 || op->stage[op->n_masses - 1] < low) continue;
    double read = 0;
    s->looks += op->n_masses;
    for (int64_t j = 0; j < op->n_masses; j++) {
      if (op->stage[j] < low) continue;
      read += op->mass[j];
      if (read <= d.most) continue;
      double now = read - (ends ? mass_in(r, q, from, op->stage[j]) : 0);
      if (now <= d.most) continue;
      d.most = now;
      d.reader = v;
      d.low = low;
      d.last = op->stage[j];
    }
  }
  return d;
}

/* Bytes at an event less the budget. */
static double overload(separation *s, int32_t k, int32_t p) {
  const moc__staged *staged = s->r->staged;
  double bytes = (double)staged->workspace[p] * (p == k ? 1 : mass_in(s->r, p, k, k)) - (double)s->r->budget;
  for (int32_t i = 0; i < s->n_active; i++)
    bytes += (double)staged->size[s->active[i]] * look_at(s, s->active[i], k, p).most;
  return bytes;
}

static int64_t add_event(separation *s, int32_t k, int32_t p) {
  moc__retain *r = s->r;
  const moc__staged *staged = r->staged;
  moc__retain_event event = {.stage = k, .place = p, .room = r->budget};
  if (p == k) event.room -= staged->workspace[k];
  for (int32_t i = 0; i < s->n_active; i++) {
    if (look_at(s, s->active[i], k, p).fixed) event.room -= staged->size[s->active[i]];
  }
  int64_t index = moc__retain_event_add(r, event);
  if (index < 0) return -1;
  s->added++;
  if (p != k && staged->workspace[p] > 0) {
    int64_t hold = moc__retain_hold_add(r, index, -1, staged->workspace[p]);
    int32_t read = moc__retain_interval(r, p, k, k);
    if (hold >= 0 && read >= 0)
      moc__retain_support_add(
          r, hold,
          (moc__retain_support){.reader = p, .read = read, .ender = -1, .end = -1, .fraction = 1, .best = 1});
  }
  return index;
}

/* Add to a hold the support V - X(q, from..last). False if it is there. */
static bool add_support(moc__retain *r, int64_t hold, int32_t reader, int32_t low, int32_t q, int32_t from,
                        int32_t last, double fraction) {
  moc__retain_support new = {
      .reader = -1, .read = -1, .ender = -1, .end = -1, .fraction = fraction, .best = fraction};
  if (reader >= 0) {
    new.reader = reader;
    new.read = moc__retain_interval(r, reader, low, last);
    if (new.read < 0) return false;
  }
  if (q >= 0 && from <= last) {
    new.end = moc__retain_interval(r, q, from, last);
    if (new.end >= 0) new.ender = q;
  }
  if (r->out_of_memory) return false;
  for (int64_t k = r->holds[hold].first_support; k >= 0; k = r->supports[k].next) {
    const moc__retain_support *s = &r->supports[k];
    if (s->reader == new.reader && s->read == new.read && s->ender == new.ender && s->end == new.end) return false;
  }
  for (int64_t k = r->holds[hold].first_support; k >= 0; k = r->supports[k].next) {
    r->supports[k].fraction *= 1 - fraction;
    r->supports[k].best *= 1 - fraction;
  }
  moc__retain_support_add(r, hold, new);
  return true;
}

/* What the supports of a hold ask for now. */
static double held(const moc__retain *r, int64_t hold) {
  double most = 0;
  for (int64_t k = r->holds[hold].first_support; k >= 0; k = r->supports[k].next) {
    const moc__retain_support *s = &r->supports[k];
    double now = 1;
    if (s->read >= 0) {
      moc__interval i = r->ops[s->reader].intervals[s->read];
      now = mass_in(r, s->reader, i.first, i.last);
    }
    if (s->end >= 0) {
      moc__interval i = r->ops[s->ender].intervals[s->end];
      now -= mass_in(r, s->ender, i.first, i.last);
    }
    most = fmax(most, now);
  }
  return most;
}

/* Add what the holds of an event do not know. */
static void complete(separation *s, int64_t event) {
  moc__retain *r = s->r;
  const moc__staged *staged = r->staged;
  const double least = LEAST / 1000.0;
  int32_t k = r->events[event].stage, p = r->events[event].place;
  for (int64_t h = r->events[event].first_hold; h >= 0; h = r->holds[h].next) {
    if (r->holds[h].tensor >= 0) s->hold_of[r->holds[h].tensor] = h;
  }
  for (int32_t i = 0; i < s->n_active && !r->out_of_memory; i++) {
    int32_t t = s->active[i], q = staged->producer[t];
    int64_t hold = s->hold_of[t];
    demand d = look_at(s, t, k, p);
    if (d.fixed || (d.next < 0 && d.most < least)) continue;
    int32_t from = q > p ? k : k + 1, ender = q >= 0 && !staged->compute_once[q] ? q : -1;
    if (hold < 0) {
      hold = moc__retain_hold_add(r, event, t, staged->size[t]);
      if (hold < 0) break;
      if (d.next >= 0) s->added += add_support(r, hold, -1, 0, ender, from, d.next, 1);
    }
    if (d.reader < 0 || d.most < held(r, hold) + least) continue;
    double fraction = r->holds[hold].first_support < 0 ? 0.5 : 0.2;
    s->added += add_support(r, hold, d.reader, d.low, d.reader == q ? -1 : ender, from, d.last, fraction);
  }
  for (int64_t h = r->events[event].first_hold; h >= 0; h = r->holds[h].next) {
    if (r->holds[h].tensor >= 0) s->hold_of[r->holds[h].tensor] = -1;
  }
}

/* --- The sweep over stages --- */

/* The last stage in which each tensor can be asked for. */
static void find_ends(separation *s) {
  const moc__staged *staged = s->r->staged;
  for (int32_t t = 0; t < staged->n_tensors; t++) {
    int64_t begin = staged->readers.start[t], end = staged->readers.start[t + 1];
    s->until[t] = staged->producer[t];
    for (int64_t i = begin; i < end; i++) {
      const moc__retain_op *op = &s->r->ops[staged->readers.items[i]];
      int32_t last = op->n_masses > 0 ? op->stage[op->n_masses - 1] : staged->readers.items[i];
      if (last > s->until[t]) s->until[t] = last;
    }
    if (staged->producer[t] >= 0) { /* its producer may run after its last read */
      const moc__retain_op *op = &s->r->ops[staged->producer[t]];
      if (op->n_masses > 0 && op->stage[op->n_masses - 1] > s->until[t]) s->until[t] = op->stage[op->n_masses - 1];
    }
    if (staged->keep[t]) s->until[t] = staged->n - 1;
  }
}

static void enter(separation *s, int32_t k) {
  const moc__staged *staged = s->r->staged;
  s->stage = k;
  if (k == 0) {
    s->n_active = 0;
    for (int32_t t = 0; t < staged->n_tensors; t++) {
      s->ahead[t] = staged->readers.start[t];
      if (staged->producer[t] < 0 && s->until[t] >= 0 && staged->size[t] > 0) s->active[s->n_active++] = t;
    }
  }
  for (int32_t t = staged->first_output[k]; t < staged->first_output[k + 1]; t++) {
    if (staged->size[t] > 0) s->active[s->n_active++] = t;
  }
  int32_t kept = 0;
  for (int32_t i = 0; i < s->n_active; i++) {
    int32_t t = s->active[i];
    if (s->until[t] < k) continue;
    s->active[kept++] = t;
    while (s->ahead[t] < staged->readers.start[t + 1] && staged->readers.items[s->ahead[t]] < k) s->ahead[t]++;
  }
  s->n_active = kept;
}

static bool lay_out_runs(separation *s) {
  moc__retain *r = s->r;
  int32_t n = r->staged->n;
  int64_t count = 0;
  for (int32_t k = 0; k <= n; k++) s->first_run[k] = 0;
  for (int32_t p = 0; p < n; p++) {
    for (int64_t i = 0; i < r->ops[p].n_masses; i++) {
      if (r->ops[p].mass[i] * 1000 < LEAST) continue;
      s->first_run[r->ops[p].stage[i] + 1]++;
      count++;
    }
  }
  for (int32_t k = 0; k < n; k++) s->first_run[k + 1] += s->first_run[k];
  s->runs = MOC__NEW(&r->allocator, count, int32_t);
  if (s->runs == NULL) return false;
  for (int32_t p = 0; p < n; p++) {
    for (int64_t i = 0; i < r->ops[p].n_masses; i++) {
      if (r->ops[p].mass[i] * 1000 >= LEAST) s->runs[s->first_run[r->ops[p].stage[i]]++] = p;
    }
  }
  for (int32_t k = n; k > 0; k--) s->first_run[k] = s->first_run[k - 1];
  s->first_run[0] = 0;
  return true;
}

static void add_target(separation *s, target t) {
  if (moc__grow(&s->r->allocator, &s->targets, s->n_targets, &s->targets_capacity, sizeof *s->targets))
    s->targets[s->n_targets++] = t;
  else
    s->r->out_of_memory = true;
}

/* The worst event of each stretch over budget becomes a target. */
static void find_targets(separation *s, bool (*stop)(void *), void *context) {
  const moc__retain *r = s->r;
  double worst = 0;
  target found = {0, 0, -1};
  for (int32_t k = 0; k < r->staged->n; k++) {
    if (k % 64 == 0 && stop != NULL && stop(context)) return;
    enter(s, k);
    for (int64_t i = s->first_run[r->no_recomputations ? k + 1 : k]; i <= s->first_run[k + 1]; i++) {
      int32_t p = i < s->first_run[k + 1] ? s->runs[i] : k;
      double now = overload(s, k, p);
      if (now > worst && now > 1e-3 * r->byte_unit) {
        worst = now;
        found = (target){k, p, -1};
      } else if (now <= 1e-3 * r->byte_unit && worst > 0) {
        add_target(s, found);
        worst = 0;
      }
    }
  }
  if (worst > 0) add_target(s, found);
}

static int by_event(const void *a, const void *b) {
  const target *x = a, *y = b;
  if (x->stage != y->stage) return x->stage < y->stage ? -1 : 1;
  if (x->place != y->place) return x->place < y->place ? -1 : 1;
  return (x->event < y->event) - (x->event > y->event); /* one that is known comes first */
}

static void separate(separation *s, bool (*stop)(void *), void *context) {
  moc__retain *r = s->r;
  for (int32_t t = 0; t < r->staged->n_tensors; t++) s->hold_of[t] = -1;
  find_ends(s);
  if (!lay_out_runs(s)) r->out_of_memory = true;
  if (r->out_of_memory) return;
  find_targets(s, stop, context);
  for (int64_t i = 0; i < r->n_events; i++) add_target(s, (target){r->events[i].stage, r->events[i].place, i});
  if (s->n_targets == 0 || r->out_of_memory) return;
  qsort(s->targets, (size_t)s->n_targets, sizeof *s->targets, by_event);
  int64_t next = 0;
  for (int32_t k = 0; k < r->staged->n && !r->out_of_memory; k++) {
    if (k % 64 == 0 && stop != NULL && stop(context)) return;
    enter(s, k);
    for (; next < s->n_targets && s->targets[next].stage == k && !r->out_of_memory; next++) {
      target t = s->targets[next];
      if (next > 0 && t.event < 0 && by_event(&t, &(target){k, s->targets[next - 1].place, -1}) == 0) continue;
      if (t.event < 0) t.event = add_event(s, k, t.place);
      if (t.event >= 0) complete(s, t.event);
    }
  }
}

int64_t moc__retain_separate(moc__retain *r, bool (*stop)(void *), void *context) {
  const moc_allocator *allocator = &r->allocator;
  int64_t tensors = r->staged->n_tensors;
  separation s = {.r = r};
  s.ahead = MOC__NEW(allocator, tensors, int64_t);
  s.until = MOC__NEW(allocator, tensors, int32_t);
  s.active = MOC__NEW(allocator, tensors, int32_t);
  s.hold_of = MOC__NEW(allocator, tensors, int64_t);
  s.first_run = MOC__NEW(allocator, (int64_t)r->staged->n + 1, int64_t);
  if (s.ahead && s.until && s.active && s.hold_of && s.first_run)
    separate(&s, stop, context);
  else
    r->out_of_memory = true;
  r->work += 1 + s.looks / LOOKS_A_UNIT;
  void *blocks[] = {s.ahead, s.until, s.active, s.hold_of, s.first_run, s.runs, s.targets};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(allocator, blocks[i]);
  return s.added;
}
