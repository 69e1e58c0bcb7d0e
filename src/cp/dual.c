/* The Lagrangian bound of the search; see dual.h. */
#include "cp/dual.h"

#include "base/wide.h"
#include "cp/propagate.h"

#include <math.h>
#include <stdlib.h>

enum {
  MOST_SPANS = 64,      /* of one operation that are looked at; more would earn what they can */
  FRACTION = 1 << 16,   /* a support's multiplier is a fraction of its memory constraint's */
  FIRST_ROUNDS = 400,   /* of ascent from nothing */
  GROWN_ROUNDS = 300,   /* when the model has grown a good deal */
  CHANGED_ROUNDS = 20,  /* when it has changed */
  RESTART_ROUNDS = 100, /* when the search is at level 0 */
  NODE_ROUNDS = 4,      /* below */
  ALL_EVENTS = 8,       /* one call in so many looks at events without multiplier, too */
  MOST_FIXED = 20       /* literals fixed by one call below level 0 */
};
#define LARGEST_WEIGHT (INT64_C(1) << 42)
#define IMPOSSIBLE     (INT64_C(1) << 61) /* what an operation without any choice loses */
#define MOST_EARNINGS  (INT64_C(1) << 60) /* more than this in sum: the multipliers are useless */

/* A place where spans begin or end: stages up to the next segment are alike. */
typedef struct segment {
  int32_t first;
  uint64_t spans; /* those that contain it */
} segment;

/* An operation with spans, and its literals as the search has them now. */
typedef struct choice {
  int32_t place;
  int32_t n_spans;
  int64_t first;         /* of its spans in the flat arrays */
  int64_t first_segment; /* in segments[] */
  int32_t n_segments;
  uint64_t hit, missed;             /* spans whose literal is true, false */
  uint64_t hit_fixed, missed_fixed; /* of them, at level 0 */
  bool some, some_fixed;            /* N(place, 1) is true */
  int64_t earns;                    /* at present, less the durations */
  uint64_t chosen;                  /* spans hit by the best choice */
  uint64_t need_hit, need_missed;   /* literals that the earnings rest on, if `needed_in` is this call */
  bool need_some;
  int64_t needed_in;
} choice;

/* A support with its spans as places in the flat arrays; -1: no such literal. */
typedef struct link {
  int64_t size;
  double bytes; /* size in byte_unit */
  int32_t event;
  int32_t reads, ends;
  int32_t support;
} link;

/* The supports of one R. */
typedef struct group {
  int32_t first, last; /* in links[], last not included */
} group;

/* The link that an R goes by now. */
typedef struct active {
  int64_t size;
  double bytes;
  int32_t event, reads, ends, support;
  bool pinned; /* its multiplier is all that its R allows */
} active;

/* What an operation's literals are worth to the bound. */
typedef struct loss {
  int64_t loses;
  int64_t choice;
} loss;

struct moc__dual {
  moc__model *model;
  moc_allocator allocator;
  int64_t built_for; /* refinements of the model when the arrays below were made */
  bool stale;

  choice *choices; /* [n_choices] */
  int64_t n_choices;
  int64_t *choice_of; /* [n] or -1 */
  int32_t *variable;  /* [flat] of each span */
  int64_t *earning;   /* [flat] b, in units of 2^-shift */
  segment *segments;
  int8_t *value; /* [flat] of each span's literal */
  bool *taken;   /* [flat] hit by the best choice */
  link *links;   /* [n_supports] by event and R */
  group *groups; /* [n_groups] */
  int64_t n_groups;
  int64_t *first_group; /* [n_events + 1] */
  active *actives;      /* [n_actives] */
  int64_t n_actives;
  int32_t *readers, *next_reads; /* [flat], [n_actives] lists of the actives that read a span */
  int32_t *enders, *next_ends;   /* and of those that it ends */
  bool *counts;                  /* [n_events] the event takes part now */
  loss *losses;                  /* [n_losses] ascending */
  int64_t n_losses;
  int64_t n_flat;
  int64_t calls, work;
  int64_t thorough_for; /* supports at the last thorough ascent */

  int64_t n_events, n_supports;
  double *weight, *best_weight;     /* [n_events] multipliers in cost_unit for a byte_unit */
  double *fraction, *best_fraction; /* [n_supports] 0..1 */
  int64_t *integer;                 /* [n_events] of the multipliers in use */
  double *slope, *least_slope;      /* [n_events] with the choices made, without any */
  int64_t capacity_events, capacity_supports;
  double byte_unit, cost_unit;
  int shift;        /* of bound and earnings: small enough for 64 bits */
  int weight_shift; /* of multipliers, on top of that */
  int64_t step;     /* all durations are multiples of it */
  moc__wide bound;
};

/* --- Layout --- */

moc__dual *moc__dual_create(moc__model *model) {
  moc__dual *d = moc__allocate_zeroed(&model->allocator, 1, sizeof *d);
  if (d == NULL) return NULL;
  d->model = model;
  d->allocator = model->allocator;
  d->built_for = -1;
  d->choice_of = MOC__NEW(&d->allocator, model->staged->n, int64_t);
  if (d->choice_of == NULL) {
    moc__dual_destroy(d);
    return NULL;
  }
  double cost = 0, bytes = 0;
  for (int32_t p = 0; p < model->staged->n; p++) {
    cost += (double)model->staged->duration[p];
    d->step = moc__gcd(d->step, model->staged->duration[p]);
  }
  for (int32_t t = 0; t < model->staged->n_tensors; t++) bytes += (double)model->staged->size[t];
  if (d->step == 0) d->step = 1;
  d->cost_unit = fmax(1, cost / model->staged->n);
  d->byte_unit = fmax(1, 4 * bytes / fmax(1, model->staged->n_tensors));
  int shift = 54 - ilogb(fmax(cost, 1)), weight_shift = 34 - ilogb(d->cost_unit / d->byte_unit);
  d->shift = shift < 0 ? 0 : shift > 30 ? 30 : shift;
  d->weight_shift = weight_shift < d->shift ? 0 : (weight_shift > 60 ? 60 : weight_shift) - d->shift;
  return d;
}

static void release_layout(moc__dual *d) {
  void *blocks[] = {d->choices, d->variable,   d->earning,   d->segments,    d->groups, d->links,
                    d->value,   d->taken,      d->actives,   d->first_group, d->counts, d->readers,
                    d->enders,  d->next_reads, d->next_ends, d->losses};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(&d->allocator, blocks[i]);
  d->choices = NULL;
  d->variable = NULL;
  d->earning = NULL;
  d->segments = NULL;
  d->groups = NULL;
  d->links = NULL;
  d->value = NULL;
  d->taken = NULL;
  d->actives = NULL;
  d->first_group = NULL;
  d->counts = NULL;
  d->losses = NULL;
  d->readers = d->enders = d->next_reads = d->next_ends = NULL;
}

void moc__dual_destroy(moc__dual *d) {
  if (d == NULL) return;
  moc_allocator allocator = d->allocator;
  release_layout(d);
  void *blocks[] = {d->choice_of,   d->weight, d->best_weight, d->fraction, d->best_fraction, d->integer, d->slope,
                    d->least_slope, d};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(&allocator, blocks[i]);
}

static int by_value(const void *a, const void *b) {
  int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

/* The segments of one operation; `ends` [2 * MOST_SPANS] is work space. Their number. */
static int32_t lay_out_segments(const moc__starts *s, int32_t n_spans, int32_t *ends, segment *segments) {
  int32_t n_ends = 0, count = 0;
  for (int32_t i = 0; i < n_spans; i++) {
    ends[n_ends++] = s->spans[i].first;
    ends[n_ends++] = s->spans[i].last + 1;
  }
  qsort(ends, (size_t)n_ends, sizeof *ends, by_value);
  for (int32_t i = 0; i < n_ends; i++) {
    if (i > 0 && ends[i] == ends[i - 1]) continue;
    segment here = {.first = ends[i]};
    for (int32_t k = 0; k < n_spans; k++) {
      if (s->spans[k].first <= ends[i] && ends[i] <= s->spans[k].last) here.spans |= UINT64_C(1) << k;
    }
    if (here.spans != 0) segments[count++] = here;
  }
  return count;
}

static int by_group(const void *a, const void *b) {
  const int32_t *x = a, *y = b;
  for (int i = 0; i < 3; i++) {
    if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;
  }
  return 0;
}

static int32_t flat_index(const moc__dual *d, int32_t place, int32_t span) {
  return place < 0 ? -1 : (int32_t)d->choices[d->choice_of[place]].first + span;
}

/* Supports by event and R. */
static bool lay_out_links(moc__dual *d) {
  const moc__model *m = d->model;
  int32_t *keys = MOC__NEW(&d->allocator, 3 * m->n_supports, int32_t);
  if (keys == NULL) return false;
  for (int64_t i = 0; i < m->n_supports; i++) {
    keys[3 * i] = m->supports[i].event;
    keys[3 * i + 1] = m->supports[i].residency;
    keys[3 * i + 2] = (int32_t)i;
  }
  qsort(keys, (size_t)m->n_supports, 3 * sizeof *keys, by_group);
  d->n_groups = 0;
  int32_t event = 0;
  for (int32_t i = 0; i < m->n_supports; i++) {
    const moc__support *s = &m->supports[keys[3 * i + 2]];
    d->links[i] = (link){.size = s->size,
                         .bytes = (double)s->size / d->byte_unit,
                         .event = s->event,
                         .reads = flat_index(d, s->reader_place, s->reader_span),
                         .ends = flat_index(d, s->place, s->span),
                         .support = keys[3 * i + 2]};
    for (; event <= s->event; event++) d->first_group[event] = d->n_groups;
    if (i == 0 || keys[3 * i + 1] != keys[3 * i - 2]) d->groups[d->n_groups++] = (group){.first = i};
    d->groups[d->n_groups - 1].last = i + 1;
  }
  for (; event <= m->n_events; event++) d->first_group[event] = d->n_groups;
  moc__release(&d->allocator, keys);
  return true;
}

/* Room for multipliers of new events and supports; what is there stays. */
static bool extend_multipliers(moc__dual *d) {
  const moc__model *m = d->model;
  if (m->n_events > d->capacity_events) {
    int64_t room = 2 * m->n_events;
    double **doubles[] = {&d->weight, &d->best_weight, &d->slope, &d->least_slope};
    for (int i = 0; i < 4; i++) {
      double *grown = moc__resize(&d->allocator, *doubles[i], room, sizeof *grown);
      if (grown == NULL) return false;
      *doubles[i] = grown;
    }
    int64_t *grown = moc__resize(&d->allocator, d->integer, room, sizeof *grown);
    if (grown == NULL) return false;
    d->integer = grown;
    d->capacity_events = room;
  }
  if (m->n_supports > d->capacity_supports) {
    int64_t room = 2 * m->n_supports;
    double **doubles[] = {&d->fraction, &d->best_fraction};
    for (int i = 0; i < 2; i++) {
      double *grown = moc__resize(&d->allocator, *doubles[i], room, sizeof *grown);
      if (grown == NULL) return false;
      *doubles[i] = grown;
    }
    d->capacity_supports = room;
  }
  for (; d->n_events < m->n_events; d->n_events++) d->weight[d->n_events] = d->best_weight[d->n_events] = 0;
  for (; d->n_supports < m->n_supports; d->n_supports++)
    d->fraction[d->n_supports] = d->best_fraction[d->n_supports] = 0.5;
  return true;
}

static bool rebuild(moc__dual *d) {
  const moc__model *m = d->model;
  release_layout(d);
  int64_t flat = 0, places = 0;
  for (int32_t p = 0; p < m->staged->n; p++) {
    flat += m->starts[p].n_spans;
    places += m->starts[p].n_spans > 0;
  }
  d->choices = MOC__NEW_ZEROED(&d->allocator, places, choice);
  d->losses = MOC__NEW(&d->allocator, places, loss);
  d->variable = MOC__NEW(&d->allocator, flat, int32_t);
  d->earning = MOC__NEW(&d->allocator, flat, int64_t);
  d->segments = MOC__NEW(&d->allocator, 2 * flat, segment);
  d->groups = MOC__NEW(&d->allocator, m->n_supports, group);
  d->links = MOC__NEW(&d->allocator, m->n_supports, link);
  d->actives = MOC__NEW(&d->allocator, m->n_supports, active);
  d->value = MOC__NEW(&d->allocator, flat, int8_t);
  d->taken = MOC__NEW(&d->allocator, flat, bool);
  d->readers = MOC__NEW(&d->allocator, flat, int32_t);
  d->enders = MOC__NEW(&d->allocator, flat, int32_t);
  d->next_reads = MOC__NEW(&d->allocator, m->n_supports, int32_t);
  d->next_ends = MOC__NEW(&d->allocator, m->n_supports, int32_t);
  d->first_group = MOC__NEW(&d->allocator, m->n_events + 1, int64_t);
  d->counts = MOC__NEW(&d->allocator, m->n_events, bool);
  if (!d->choices || !d->losses || !d->variable || !d->earning || !d->segments || !d->groups || !d->links ||
      !d->actives || !d->value || !d->taken || !d->readers || !d->enders || !d->next_reads || !d->next_ends ||
      !d->first_group || !d->counts || !extend_multipliers(d))
    return false;
  int32_t ends[2 * MOST_SPANS];
  int64_t n_segments = 0;
  d->n_choices = d->n_flat = 0;
  for (int32_t p = 0; p < m->staged->n; p++) {
    const moc__starts *s = &m->starts[p];
    d->choice_of[p] = -1;
    if (s->n_spans == 0) continue;
    choice *c = &d->choices[d->n_choices];
    d->choice_of[p] = d->n_choices++;
    c->place = p;
    c->n_spans = (int32_t)moc__min(s->n_spans, MOST_SPANS);
    c->first = d->n_flat;
    c->first_segment = n_segments;
    for (int64_t i = 0; i < s->n_spans; i++) d->variable[d->n_flat++] = s->spans[i].variable;
    c->n_segments = lay_out_segments(s, c->n_spans, ends, d->segments + n_segments);
    n_segments += c->n_segments;
  }
  if (!lay_out_links(d)) return false;
  d->built_for = m->refinements;
  return true;
}

/* --- One operation's best choice --- */

static inline int64_t sum_of(const int64_t *b, uint64_t spans) {
  int64_t sum = 0;
  for (; spans != 0; spans &= spans - 1) sum += b[__builtin_ctzll(spans)];
  return sum;
}

/* Earnings with at most one start. */
static int64_t earn_single(const moc__dual *d, const choice *c, uint64_t hit, uint64_t missed, bool some,
                           uint64_t *chosen) {
  const int64_t *b = d->earning + c->first;
  const segment *segments = d->segments + c->first_segment;
  int64_t cost = d->model->staged->duration[c->place] << d->shift;
  int64_t best = some || hit != 0 ? -IMPOSSIBLE : 0;
  *chosen = 0;
  for (int32_t i = 0; i < c->n_segments; i++) {
    uint64_t spans = segments[i].spans;
    if ((spans & missed) != 0 || (hit & ~spans) != 0) continue;
    int64_t now = sum_of(b, spans) - cost;
    if (now <= best) continue;
    best = now;
    *chosen = spans;
  }
  if (some && hit == 0 && -cost > best) { /* a start outside all spans */
    best = -cost;
    *chosen = 0;
  }
  return best;
}

/* Earnings with any number of starts: from[i] is the best whose last start is in segment i. */
static int64_t earn_many(const moc__dual *d, const choice *c, uint64_t hit, uint64_t missed, bool some,
                         uint64_t *chosen) {
  const int64_t *b = d->earning + c->first;
  const segment *segments = d->segments + c->first_segment;
  int64_t cost = d->model->staged->duration[c->place] << d->shift;
  int64_t from[2 * MOST_SPANS];
  uint64_t sets[2 * MOST_SPANS], seen[2 * MOST_SPANS]; /* spans that began up to a segment */
  int64_t best = some || hit != 0 ? -IMPOSSIBLE : 0;
  *chosen = 0;
  for (int32_t i = 0; i < c->n_segments; i++) {
    uint64_t spans = segments[i].spans;
    seen[i] = (i > 0 ? seen[i - 1] : 0) | spans;
    from[i] = -IMPOSSIBLE;
    sets[i] = 0;
    if ((spans & missed) != 0) continue;
    /* Over before segment i: began, and not there. All that must be hit among those was hit by earlier starts. */
    uint64_t over = seen[i] & ~spans;
    if ((hit & over) == 0) {
      from[i] = sum_of(b, spans) - cost;
      sets[i] = spans;
    }
    for (int32_t k = 0; k < i; k++) {
      if (from[k] <= -IMPOSSIBLE || (hit & over & ~seen[k]) != 0) continue;
      int64_t now = from[k] + sum_of(b, spans & ~segments[k].spans) - cost;
      if (now <= from[i]) continue;
      from[i] = now;
      sets[i] = sets[k] | spans;
    }
    if (from[i] > best && (hit & ~seen[i]) == 0) {
      best = from[i];
      *chosen = sets[i];
    }
  }
  if (some && hit == 0 && -cost > best) {
    best = -cost;
    *chosen = 0;
  }
  return best;
}

static int64_t earn(const moc__dual *d, const choice *c, uint64_t hit, uint64_t missed, bool some,
                    uint64_t *chosen) {
  if (hit == 0 && !some && c->n_spans == d->model->starts[c->place].n_spans) { /* most have too little to gain */
    const int64_t *b = d->earning + c->first;
    int64_t gain = -(d->model->staged->duration[c->place] << d->shift);
    for (int32_t k = 0; k < c->n_spans; k++) gain += b[k] > 0 ? b[k] : 0;
    if (gain <= 0) {
      *chosen = 0;
      return 0;
    }
  }
  int64_t best = d->model->max_computes == 2 ? earn_single(d, c, hit, missed, some, chosen)
                                             : earn_many(d, c, hit, missed, some, chosen);
  int64_t all = d->model->starts[c->place].n_spans;
  if (all == c->n_spans) return best;
  for (int64_t i = c->n_spans; i < all; i++) { /* too many spans: these earn what they can */
    if (d->earning[c->first + i] > 0) best += d->earning[c->first + i];
  }
  return best;
}

/* --- The bound at the present assignment --- */

static void read_literals(moc__dual *d) {
  const moc__engine *e = &d->model->engine;
  for (int64_t i = 0; i < d->n_choices; i++) {
    choice *c = &d->choices[i];
    c->hit = c->missed = c->hit_fixed = c->missed_fixed = 0;
    for (int32_t k = 0; k < c->n_spans; k++) {
      int32_t v = d->variable[c->first + k];
      uint64_t bit = UINT64_C(1) << k;
      d->value[c->first + k] = e->value[v];
      if (e->value[v] == 0) continue;
      *(e->value[v] > 0 ? &c->hit : &c->missed) |= bit;
      if (e->level[v] == 0) *(e->value[v] > 0 ? &c->hit_fixed : &c->missed_fixed) |= bit;
    }
    const moc__starts *s = &d->model->starts[c->place];
    for (int64_t k = c->n_spans; k < s->n_spans; k++) d->value[c->first + k] = e->value[d->variable[c->first + k]];
    c->some = s->n_times > 0 && e->value[s->times[0]] > 0;
    c->some_fixed = c->some && e->level[s->times[0]] == 0;
  }
}

static bool takes_place(const moc__dual *d, const moc__event_row *event) {
  return event->condition < 0 || d->model->engine.value[event->condition] > 0;
}

/* Which support each R goes by: one that binds now, if there is one. Events without multiplier are left out unless
 * `all`. */
static void choose_supports(moc__dual *d, bool all) {
  const moc__model *m = d->model;
  d->n_actives = 0;
  for (int64_t i = 0; i < d->n_flat; i++) d->readers[i] = d->enders[i] = -1;
  for (int64_t r = 0; r < m->n_events; r++) {
    d->counts[r] = takes_place(d, &m->events[r]) && (all || d->weight[r] > 0);
    if (!d->counts[r]) continue;
    d->least_slope[r] = -(double)m->events[r].room / d->byte_unit;
    for (int64_t i = d->first_group[r]; i < d->first_group[r + 1]; i++) {
      int best = 1;
      const link *found = NULL;
      for (int32_t k = d->groups[i].first; k < d->groups[i].last; k++) {
        const link *l = &d->links[k];
        int reads = l->reads < 0 ? 1 : d->value[l->reads], ends = l->ends < 0 ? -1 : d->value[l->ends];
        int score = reads < 0 || ends > 0 ? 0 : reads > 0 ? (ends < 0 ? 5 : 4) : ends < 0 ? 3 : 2;
        if (score <= best) continue;
        best = score;
        found = l;
      }
      if (found == NULL) continue;
      int32_t index = (int32_t)d->n_actives++;
      d->actives[index] =
          (active){found->size, found->bytes, found->event, found->reads, found->ends, found->support, best >= 4};
      if (found->reads < 0) {
        d->least_slope[r] += found->bytes;
      } else {
        d->next_reads[index] = d->readers[found->reads];
        d->readers[found->reads] = index;
      }
      if (found->ends >= 0) {
        d->next_ends[index] = d->enders[found->ends];
        d->enders[found->ends] = index;
      }
    }
  }
}

static int64_t to_integer(const moc__dual *d, double weight) {
  double value = ldexp(weight * d->cost_unit / d->byte_unit, d->shift + d->weight_shift);
  return value >= (double)LARGEST_WEIGHT ? LARGEST_WEIGHT : value <= 0 ? 0 : (int64_t)value;
}

/* The bound for weight[] and fraction[], in units of 2^-shift. Products of multipliers are rounded down, what is
 * subtracted is rounded up. */
static moc__wide evaluate(moc__dual *d) {
  const moc__model *m = d->model;
  moc__wide bound = 0, sum = 0;
  int down = d->weight_shift;
  d->work += 1 + (d->n_choices + d->n_actives / 8) / 20;
  memset(d->earning, 0, (size_t)d->n_flat * sizeof *d->earning);
  memset(d->taken, 0, (size_t)d->n_flat * sizeof *d->taken);
  for (int64_t r = 0; r < m->n_events; r++) {
    const moc__event_row *event = &m->events[r];
    d->integer[r] = d->counts[r] ? to_integer(d, d->weight[r]) : 0;
    if (d->integer[r] == 0) continue;
    bound += -((moc__wide)d->integer[r] * event->room) >> down;
    if (event->condition < 0) continue;
    /* The constraint as it stands: load - room for the condition, load at the right. */
    moc__wide slack = -(-((moc__wide)d->integer[r] * (event->load - event->room)) >> down);
    if (slack <= 0) continue;
    if (slack > MOST_EARNINGS) return d->bound = -((moc__wide)1 << 100);
    bound -= slack;
    sum += slack;
    int32_t span = 0;
    while (m->starts[event->place].spans[span].variable != event->condition) span++;
    d->earning[flat_index(d, event->place, span)] -= (int64_t)slack;
  }
  for (int64_t i = 0; i < d->n_actives; i++) {
    const active *a = &d->actives[i];
    if (d->integer[a->event] == 0) continue;
    moc__wide product = (moc__wide)d->integer[a->event] * a->size;
    if (!a->pinned) product = product / FRACTION * (int64_t)(d->fraction[a->support] * FRACTION);
    product >>= down;
    sum += product;
    if (sum > MOST_EARNINGS) return d->bound = -((moc__wide)1 << 100);
    int64_t v = (int64_t)product;
    if (a->reads < 0)
      bound += v;
    else
      d->earning[a->reads] -= v;
    if (a->ends >= 0) d->earning[a->ends] += v;
  }
  for (int64_t i = 0; i < d->n_choices; i++) {
    choice *c = &d->choices[i];
    c->earns = earn(d, c, c->hit, c->missed, c->some, &c->chosen);
    bound -= c->earns;
    for (uint64_t left = c->chosen; left != 0; left &= left - 1) d->taken[c->first + __builtin_ctzll(left)] = true;
  }
  d->bound = bound;
  return bound;
}

/* Slopes of the supports that read (gain 1) or end with (-1) a span that is hit: lists by span. */
static void add_slopes(moc__dual *d, const int32_t *heads, const int32_t *next, int gain, double *norm) {
  for (int64_t i = 0; i < d->n_choices; i++) {
    const choice *c = &d->choices[i];
    for (uint64_t left = c->chosen; left != 0; left &= left - 1) {
      for (int32_t k = heads[c->first + __builtin_ctzll(left)]; k >= 0; k = next[k]) {
        const active *a = &d->actives[k];
        d->slope[a->event] += gain * a->bytes * (a->pinned ? 1 : d->fraction[a->support]);
        if (!a->pinned) *norm += 1;
      }
    }
  }
}

static void move_fractions(moc__dual *d, const int32_t *heads, const int32_t *next, double step) {
  for (int64_t i = 0; i < d->n_choices; i++) {
    const choice *c = &d->choices[i];
    for (uint64_t left = c->chosen; left != 0; left &= left - 1) {
      for (int32_t k = heads[c->first + __builtin_ctzll(left)]; k >= 0; k = next[k]) {
        const active *a = &d->actives[k];
        double most = d->weight[a->event] * a->bytes;
        if (a->pinned || !(most > 0)) continue;
        d->fraction[a->support] = fmin(1, fmax(0, d->fraction[a->support] + step / most));
      }
    }
  }
}

/* A subgradient step towards `aim`, from the choices that evaluate made. */
static void step_towards(moc__dual *d, double aim, double factor) {
  const moc__model *m = d->model;
  double norm = 0, now = ldexp((double)d->bound, -d->shift) / d->cost_unit;
  for (int64_t r = 0; r < m->n_events; r++) d->slope[r] = d->counts[r] ? d->least_slope[r] : 0;
  add_slopes(d, d->readers, d->next_reads, 1, &norm);
  add_slopes(d, d->enders, d->next_ends, -1, &norm);
  for (int64_t r = 0; r < m->n_events; r++) {
    if (d->weight[r] <= 0 && d->slope[r] < 0) d->slope[r] = 0;
    norm += d->slope[r] * d->slope[r];
  }
  if (!(norm > 0)) return;
  double step = factor * fmax(aim - now, 1e-4 * fabs(aim)) / norm;
  move_fractions(d, d->readers, d->next_reads, step);
  move_fractions(d, d->enders, d->next_ends, -step);
  for (int64_t r = 0; r < m->n_events; r++) d->weight[r] = fmax(0, d->weight[r] + step * d->slope[r]);
}

static void save_best(moc__dual *d) {
  memcpy(d->best_weight, d->weight, (size_t)d->n_events * sizeof *d->weight);
  memcpy(d->best_fraction, d->fraction, (size_t)d->n_supports * sizeof *d->fraction);
}

static void load_best(moc__dual *d) {
  memcpy(d->weight, d->best_weight, (size_t)d->n_events * sizeof *d->weight);
  memcpy(d->fraction, d->best_fraction, (size_t)d->n_supports * sizeof *d->fraction);
}

/* Ascend at level 0 from the best multipliers known; ends at them, evaluated. `cap`: no need to pass it. */
static moc__wide ascend(moc__dual *d, int32_t rounds, moc__wide cap) {
  enum { PATIENCE = 12 };
  load_best(d);
  moc__wide best = evaluate(d);
  double factor = 1.2, scaled = ldexp((double)cap, -d->shift) / d->cost_unit;
  int32_t since = 0;
  for (int32_t round = 0; round < rounds && best <= cap && factor > 1e-3; round++) {
    double reached = ldexp((double)best, -d->shift) / d->cost_unit;
    step_towards(d, fmin(scaled * 1.01 + 1e-6, 1.3 * fmax(reached, 0) + 1), factor);
    moc__wide now = evaluate(d);
    if (now > best) {
      if (now - best > best / 2000) since = 0;
      best = now;
      save_best(d);
    }
    if (++since > PATIENCE) {
      factor *= 0.6;
      since = 0;
      load_best(d);
      (void)evaluate(d);
    }
  }
  load_best(d);
  return evaluate(d);
}

/* --- Deductions --- */

/* The false literals of one operation that its earnings rest on, those of the highest level tried first, as far as
 * `slack` (> what may be lost) does not let them go, to the conflict. `except`: a span that is left out. */
static void explain_choice(moc__dual *d, const choice *c, uint64_t hit, uint64_t missed, int64_t earns,
                           moc__wide *slack, int except) {
  moc__engine *e = &d->model->engine;
  uint64_t open = (hit | missed) & ~(c->hit_fixed | c->missed_fixed);
  if (except >= 0) open &= ~(UINT64_C(1) << except);
  bool some = c->some;
  uint64_t ignored;
  if (some && !c->some_fixed) {
    int64_t now = earn(d, c, hit, missed, false, &ignored);
    if (now - earns < *slack) {
      *slack -= now - earns;
      earns = now;
      some = false;
    } else {
      moc__engine_conflict_literal(e, moc__not(2 * d->model->starts[c->place].times[0]));
    }
  }
  for (; open != 0; open &= open - 1) {
    int k = __builtin_ctzll(open);
    uint64_t bit = UINT64_C(1) << k;
    int64_t now = earn(d, c, hit & ~bit, missed & ~bit, some, &ignored);
    if (now - earns < *slack) {
      *slack -= now - earns;
      earns = now;
      hit &= ~bit;
      missed &= ~bit;
      continue;
    }
    int32_t v = d->variable[c->first + k];
    moc__engine_conflict_literal(e, hit & bit ? moc__not(2 * v) : 2 * v);
  }
}

static int by_loss(const void *a, const void *b) {
  const loss *x = a, *y = b;
  if (x->loses != y->loses) return x->loses < y->loses ? -1 : 1;
  return (x->choice > y->choice) - (x->choice < y->choice);
}

/* What each operation's literals are worth to the bound, ascending, to losses[]. */
static void weigh_choices(moc__dual *d) {
  loss *losses = d->losses;
  int64_t count = 0;
  uint64_t ignored;
  for (int64_t i = 0; i < d->n_choices; i++) {
    const choice *c = &d->choices[i];
    if (c->hit == c->hit_fixed && c->missed == c->missed_fixed && c->some == c->some_fixed) continue;
    int64_t loses = earn(d, c, c->hit_fixed, c->missed_fixed, c->some_fixed, &ignored) - c->earns;
    if (loses > 0) losses[count++] = (loss){loses, i};
  }
  qsort(losses, (size_t)count, sizeof *losses, by_loss);
  d->n_losses = count;
}

/* Literals that keep the bound, `slack` above the cap now, above it. */
static void explain_bound(moc__dual *d, moc__wide slack) {
  weigh_choices(d);
  int64_t i = 0;
  for (; i < d->n_losses && d->losses[i].loses < slack; i++) slack -= d->losses[i].loses;
  for (; i < d->n_losses; i++) {
    const choice *c = &d->choices[d->losses[i].choice];
    explain_choice(d, c, c->hit, c->missed, c->earns, &slack, -1);
  }
}

/* The literals without which an operation would earn more, once for all explanations of a call. */
static void find_needed(moc__dual *d, choice *c) {
  if (c->needed_in == d->calls) return;
  c->needed_in = d->calls;
  uint64_t open = (c->hit | c->missed) & ~(c->hit_fixed | c->missed_fixed), ignored;
  c->need_hit = c->hit;
  c->need_missed = c->missed;
  c->need_some = c->some;
  if (c->some && !c->some_fixed && earn(d, c, c->hit, c->missed, false, &ignored) == c->earns) c->need_some = false;
  for (; open != 0; open &= open - 1) {
    uint64_t bit = open & ~(open - 1);
    if (earn(d, c, c->need_hit & ~bit, c->need_missed & ~bit, c->need_some, &ignored) != c->earns) continue;
    c->need_hit &= ~bit;
    c->need_missed &= ~bit;
  }
  c->need_hit &= ~c->hit_fixed;
  c->need_missed &= ~c->missed_fixed;
  c->need_some &= !c->some_fixed;
}

/* As explain_bound, for one of many: coarser, and without operation `except`. weigh_choices was called. */
static void explain_fixing(moc__dual *d, moc__wide slack, const choice *except) {
  moc__engine *e = &d->model->engine;
  int64_t i = 0;
  for (; i < d->n_losses; i++) {
    if (&d->choices[d->losses[i].choice] == except) continue;
    if (d->losses[i].loses >= slack) break;
    slack -= d->losses[i].loses;
  }
  for (; i < d->n_losses; i++) {
    choice *c = &d->choices[d->losses[i].choice];
    if (c == except) continue;
    find_needed(d, c);
    for (uint64_t left = c->need_hit; left != 0; left &= left - 1)
      moc__engine_conflict_literal(e, 2 * d->variable[c->first + __builtin_ctzll(left)] + 1);
    for (uint64_t left = c->need_missed; left != 0; left &= left - 1)
      moc__engine_conflict_literal(e, 2 * d->variable[c->first + __builtin_ctzll(left)]);
    if (c->need_some) moc__engine_conflict_literal(e, 2 * d->model->starts[c->place].times[0] + 1);
  }
}

/* The debug build looks at every explanation: the bound under the literals of conflict[] alone, all others open, passes
 * the cap. */
#ifndef NDEBUG
static bool bound_follows(moc__dual *d, moc__wide cap) {
  const moc__engine *e = &d->model->engine;
  moc__wide bound = d->bound;
  uint64_t ignored;
  for (int64_t i = 0; i < d->n_choices; i++) {
    const choice *c = &d->choices[i];
    uint64_t hit = c->hit_fixed, missed = c->missed_fixed;
    bool some = c->some_fixed;
    const moc__starts *s = &d->model->starts[c->place];
    for (int64_t k = 0; k < e->n_conflict; k++) {
      moc__lit l = e->conflict[k];
      for (int32_t i2 = 0; i2 < c->n_spans; i2++) {
        if (d->variable[c->first + i2] != moc__var(l)) continue;
        *((l & 1) != 0 ? &hit : &missed) |= UINT64_C(1) << i2;
      }
      some |= s->n_times > 0 && l == moc__not(2 * s->times[0]);
    }
    bound += c->earns - earn(d, c, hit, missed, some, &ignored);
  }
  return bound > cap;
}
#endif

/* with[k]: what the operation earns when span k must be hit, too, for each open span. */
static void earn_each(const moc__dual *d, const choice *c, int64_t *with) {
  uint64_t ignored;
  if (d->model->max_computes != 2 || c->n_spans != d->model->starts[c->place].n_spans) {
    for (int32_t k = 0; k < c->n_spans; k++)
      if (d->value[c->first + k] == 0)
        with[k] = earn(d, c, c->hit | UINT64_C(1) << k, c->missed, c->some, &ignored);
    return;
  }
  const segment *segments = d->segments + c->first_segment;
  for (int32_t k = 0; k < c->n_spans; k++) with[k] = -IMPOSSIBLE;
  for (int32_t i = 0; i < c->n_segments; i++) {
    uint64_t spans = segments[i].spans;
    if ((spans & c->missed) != 0 || (c->hit & ~spans) != 0) continue;
    int64_t now = sum_of(d->earning + c->first, spans) - (d->model->staged->duration[c->place] << d->shift);
    for (uint64_t left = spans; left != 0; left &= left - 1) {
      int k = __builtin_ctzll(left);
      if (now > with[k]) with[k] = now;
    }
  }
}

/* A literal that would push the bound above the cap is false. */
static void fix_literal(moc__dual *d, const choice *c, int32_t k, int64_t with, moc__wide cap) {
  moc__engine *e = &d->model->engine;
  e->n_conflict = 0;
  moc__engine_conflict_literal(e, 2 * d->variable[c->first + k] + 1);
  moc__wide slack = d->bound + c->earns - with - cap;
  explain_choice(d, c, c->hit | UINT64_C(1) << k, c->missed, with, &slack, k);
  explain_fixing(d, slack, c);
  assert(e->out_of_memory || bound_follows(d, cap));
  if (!e->out_of_memory) moc__engine_imply(e, e->conflict, e->n_conflict, true);
}

static void fix_literals(moc__dual *d, moc__wide cap) {
  const moc__engine *e = &d->model->engine;
  int fixed = 0;
  int64_t with[MOST_SPANS] = {0};
  bool weighed = e->n_levels == 0;
  if (weighed) d->n_losses = 0; /* all literals are fixed: nothing to explain */
  for (int64_t i = 0; i < d->n_choices; i++) {
    const choice *c = &d->choices[i];
    if (c->earns <= -IMPOSSIBLE / 2) continue;
    /* What one more start can lose at most. */
    int64_t most = c->earns + (d->model->staged->duration[c->place] << d->shift);
    for (int32_t k = 0; k < c->n_spans; k++) {
      if (d->earning[c->first + k] < 0) most -= d->earning[c->first + k];
    }
    if (d->bound + most <= cap) continue;
    earn_each(d, c, with);
    for (int32_t k = 0; k < c->n_spans; k++) {
      if (e->value[d->variable[c->first + k]] != 0 || (c->chosen >> k & 1) != 0) continue;
      if (d->bound + c->earns - with[k] <= cap) continue;
      if (!weighed) weigh_choices(d);
      weighed = true;
      fix_literal(d, c, k, with[k], cap);
      if (e->out_of_memory || (e->n_levels > 0 && ++fixed >= MOST_FIXED)) return;
    }
  }
}

static bool propagate(void *context, moc__engine *e) {
  moc__dual *d = context;
  moc__model *m = d->model;
  bool changed = d->built_for != m->refinements;
  if (changed && (e->n_levels > 0 || !rebuild(d))) {
    if (e->n_levels == 0) e->out_of_memory = true;
    return true;
  }
  if (d->n_choices == 0 || m->target >= MOC_MAX_TOTAL) return true;
  moc__wide cap = (moc__wide)((m->target - 1) / d->step * d->step) << d->shift;
  d->calls++;
  read_literals(d);
  choose_supports(d, e->n_levels == 0 || d->calls % ALL_EVENTS == 0);
  if (e->n_levels == 0) {
    bool grown = d->n_supports > d->thorough_for + d->thorough_for / 20; /* enough to start anew */
    int32_t rounds = d->calls == 1 ? FIRST_ROUNDS
                     : grown       ? GROWN_ROUNDS
                     : changed     ? CHANGED_ROUNDS
                                   : RESTART_ROUNDS;
    if (grown) d->thorough_for = d->n_supports;
    (void)ascend(d, rounds, cap);
  } else {
    (void)evaluate(d);
    double aim = ldexp((double)cap, -d->shift) / d->cost_unit * 1.01 + 1e-6;
    for (int round = 0; round < NODE_ROUNDS && d->bound <= cap; round++) {
      step_towards(d, aim, 0.7);
      (void)evaluate(d);
    }
  }
  if (d->bound > cap) {
    moc__wide slack = d->bound - cap;
    e->n_conflict = 0;
    explain_bound(d, slack);
    assert(e->out_of_memory || bound_follows(d, cap));
    e->conflict_taint = true;
    return false;
  }
  fix_literals(d, cap);
  return true;
}

void moc__dual_install(moc__dual *d) {
  d->model->engine.more = propagate;
  d->model->engine.more_context = d;
}

int64_t moc__dual_work(const moc__dual *d) {
  return d->work;
}
