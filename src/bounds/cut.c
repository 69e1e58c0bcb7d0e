/* The bound of least cuts; see cut.h.
 *
 * Nodes are thresholds: on the side of the sources one is reached. Of an operation: it is in D; it is and does not run again. Of a tensor: it
 * is in memory or not needed; it is not needed. Where an operation has one output, "does not run again" and "in memory or not needed" are
 * one node, for nothing else would make it run. */
#include "bounds/cut.h"

#include "base/wide.h"
#include "bounds/flow.h"

#include <math.h>
#include <stdlib.h>

enum {
  SAMPLE = 64,        /* operations looked at, where not all are */
  TRIED = 16,         /* of these, whose price is searched for */
  MOST_STEPS = 12,    /* of a search for a price */
  MOST_DOUBLINGS = 60 /* of a price that is too low */
};
#define PROMISING 0.5  /* of the best bound, at its price: then the price is searched for */
#define CLOSE     1e-4 /* a search for a price ends when so little is left to gain */

/* What cut_v is at a price: extra duration and bytes beyond what there is room for. */
typedef struct line {
  double duration, bytes;
} line;

typedef struct moment {
  int32_t v;
  double missing; /* bytes, when nothing runs again */
} moment;

typedef struct cut {
  moc_allocator allocator;
  const moc__staged *staged;
  int64_t budget;
  int64_t effort;
  moc__flow network;
  int64_t *runs;  /* [n] the arc of its running again */
  int64_t *holds; /* [n_tensors] the arc of its being in memory */
  int32_t *held;  /* [n_tensors] nodes: in memory or not needed; MOC_NONE: no producer */
  int32_t *gone;  /* [n_tensors] nodes: not needed */
  int32_t *calm;  /* [n] nodes: in D and does not run again */
  int32_t source; /* a node that is one */
  double total_size;
  bool (*stop)(void *);
  void *context;
  /* the best so far */
  int32_t best_v;
  double best, best_price;
  int64_t weight; /* of that */
  int32_t shift;
  int64_t extra;
} cut;

static bool done(const cut *c) {
  return c->network.work > c->effort || (c->stop != NULL && c->stop(c->context));
}

/* --- The network --- */

/* If the one is reached, so is the other. */
static bool add(cut *c, int32_t one, int32_t other) {
  return moc__flow_add(&c->network, one, other, NULL);
}

/* Number the nodes; how many there are. */
static int32_t number_nodes(cut *c) {
  const moc__staged *staged = c->staged;
  int32_t count = staged->n;
  for (int32_t u = 0; u < staged->n; u++) c->calm[u] = count++;
  for (int32_t t = 0; t < staged->n_tensors; t++) {
    int32_t u = staged->producer[t];
    bool single = u >= 0 && staged->first_output[u + 1] - staged->first_output[u] == 1;
    c->held[t] = u < 0 ? MOC_NONE : single ? c->calm[u] : count++;
    c->gone[t] = count++;
  }
  c->source = count++;
  return count;
}

static bool add_arcs(cut *c) {
  const moc__staged *staged = c->staged;
  bool ok = true;
  for (int32_t u = 0; u < staged->n && ok; u++) {
    ok = moc__flow_add(&c->network, u, c->calm[u], &c->runs[u]) && add(c, c->calm[u], u);
    for (int32_t t = staged->first_output[u]; t < staged->first_output[u + 1] && ok; t++) {
      if (c->held[t] != c->calm[u]) ok = add(c, c->calm[u], c->held[t]) && add(c, c->held[t], u);
      ok = ok && add(c, c->gone[t], c->held[t]);
    }
    for (int64_t i = staged->reads.start[u]; i < staged->reads.start[u + 1] && ok; i++) {
      int32_t t = staged->reads.items[i];
      ok = add(c, c->gone[t], c->calm[u]);
      if (staged->producer[t] >= 0) ok = ok && add(c, u, staged->producer[t]);
    }
  }
  for (int32_t t = 0; t < staged->n_tensors && ok; t++)
    ok = moc__flow_add(&c->network, c->held[t] == MOC_NONE ? c->source : c->held[t], c->gone[t], &c->holds[t]);
  return ok && moc__flow_close(&c->network);
}

/* Sources and sinks of v, and what is left of the budget beside what v writes. */
static int64_t mark(cut *c, int32_t v) {
  const moc__staged *staged = c->staged;
  uint8_t *terminal = c->network.terminal;
  memset(terminal, MOC__INNER, (size_t)c->network.n_nodes);
  terminal[c->source] = MOC__SOURCE;
  terminal[v] = MOC__SOURCE; /* for the moment */
  for (int32_t u = v; u >= 0; u--) {
    if (terminal[u] != MOC__SOURCE) continue;
    for (int64_t i = staged->reads.start[u]; i < staged->reads.start[u + 1]; i++) {
      int32_t by = staged->producer[staged->reads.items[i]];
      if (by >= 0) terminal[by] = MOC__SOURCE;
    }
  }
  terminal[v] = MOC__SINK;
  for (int32_t u = v + 1; u < staged->n; u++) {
    for (int64_t i = staged->reads.start[u]; i < staged->reads.start[u + 1]; i++) {
      int32_t by = staged->producer[staged->reads.items[i]];
      if (by >= 0 && terminal[by] == MOC__SINK) terminal[u] = MOC__SINK;
    }
  }
  for (int64_t i = staged->reads.start[v]; i < staged->reads.start[v + 1]; i++) {
    int32_t t = staged->reads.items[i];
    if (c->held[t] != MOC_NONE) terminal[c->held[t]] = MOC__SOURCE;
    terminal[c->gone[t]] = MOC__SINK;
  }
  for (int32_t t = 0; t < staged->n_tensors; t++) {
    if (staged->keep[t]) terminal[c->gone[t]] = MOC__SINK;
  }
  int64_t room = c->budget - staged->workspace[v];
  for (int32_t t = staged->first_output[v]; t < staged->first_output[v + 1]; t++) room -= staged->size[t];
  return room;
}

/* Capacities with a byte at `weight`, a duration at 2^shift; shift < 0: nothing runs again. */
static void set_capacities(cut *c, int64_t weight, int32_t shift) {
  const moc__staged *staged = c->staged;
  for (int64_t i = 0; i < c->network.n_added; i++) moc__flow_set(&c->network, i, MOC__ENDLESS);
  for (int32_t t = 0; t < staged->n_tensors; t++) moc__flow_set(&c->network, c->holds[t], weight * staged->size[t]);
  for (int32_t u = 0; u < staged->n && shift >= 0; u++) {
    if (staged->compute_once[u] || staged->duration[u] >= MOC__ENDLESS >> shift) continue;
    moc__flow_set(&c->network, c->runs[u], staged->duration[u] << shift);
  }
}

/* --- Prices --- */

/* What is missing at v when nothing runs again. False when stopped. */
static bool find_missing(cut *c, int32_t v, double *missing) {
  int64_t room = mark(c, v), flow;
  set_capacities(c, 1, -1);
  if (!moc__flow_greatest(&c->network, c->stop, c->context, &flow)) return false;
  *missing = (double)flow - (double)room;
  return true;
}

/* The bound of v at a price, taken if it is the best, and the line that the cut is. False when stopped. */
static bool try_price(cut *c, int32_t v, double price, double *bound, line *at) {
  const moc__staged *staged = c->staged;
  *bound = 0;
  *at = (line){0, 0};
  int exponent = 60 - (int)ceil(log2(fmax(price * c->total_size, 1)));
  int32_t shift = exponent < 0 ? 0 : exponent > 40 ? 40 : exponent;
  double rounded = nearbyint(ldexp(price, shift));
  if (!(rounded >= 1) || rounded > 0x1p44 || rounded * c->total_size > 0x1p61) return true;
  int64_t weight = (int64_t)rounded, room = mark(c, v), flow;
  set_capacities(c, weight, shift);
  if (!moc__flow_greatest(&c->network, c->stop, c->context, &flow)) return false;
  moc__wide value = flow - (moc__wide)weight * room, unit = (moc__wide)1 << shift;
  *bound = ldexp((double)value, -shift);
  const int32_t *distance = c->network.distance;
  for (int32_t u = 0; u < staged->n; u++) {
    if (distance[u] == MOC_NONE && distance[c->calm[u]] != MOC_NONE) at->duration += (double)staged->duration[u];
  }
  for (int32_t t = 0; t < staged->n_tensors; t++) {
    bool held = c->held[t] == MOC_NONE || distance[c->held[t]] == MOC_NONE;
    if (held && distance[c->gone[t]] != MOC_NONE) at->bytes += (double)staged->size[t];
  }
  at->bytes -= (double)room;
  if (value <= 0 || *bound <= c->best) return true;
  moc__wide extra = value / unit + (value % unit != 0);
  if (extra > MOC_MAX_TOTAL - staged->total_duration) return true; /* no schedule at all; no status says so */
  c->best = *bound;
  c->best_v = v;
  c->best_price = price;
  c->weight = weight;
  c->shift = shift;
  c->extra = (int64_t)extra;
  return true;
}

/* The price at which the bound of v is greatest: where two lines meet, one that rises and one that falls, until the cut there is one of
 * them. `missing` > 0 is what is missing when nothing runs again. False when stopped. */
static bool find_price(cut *c, int32_t v, double missing, double price) {
  line rising = {0, missing}, falling = {0, 0}, at;
  double bound;
  bool falls = false;
  for (int step = 0; step < MOST_DOUBLINGS && !falls && !done(c); step++) {
    if (!try_price(c, v, price, &bound, &at)) return false;
    if (step == 0 && c->best > 0 && bound < PROMISING * c->best) return true; /* hardly at another price either */
    falls = at.bytes <= 0;
    *(falls ? &falling : &rising) = at;
    price *= 2;
  }
  for (int step = 0; step < MOST_STEPS && falls && !done(c); step++) {
    price = (falling.duration - rising.duration) / (rising.bytes - falling.bytes);
    double most = rising.duration + price * rising.bytes;
    if (!(price > 0) || !isfinite(price)) return true;
    if (!try_price(c, v, price, &bound, &at)) return false;
    if (bound > (1 - CLOSE) * most) return true;
    *(at.bytes <= 0 ? &falling : &rising) = at;
  }
  return true;
}

/* --- Moments --- */

static int by_missing(const void *a, const void *b) {
  const moment *x = a, *y = b;
  if (x->missing != y->missing) return x->missing > y->missing ? -1 : 1;
  return x->v - y->v;
}

static bool look_at(cut *c, int32_t v) {
  double missing, bound;
  line at;
  if (c->best > 0) {
    if (!try_price(c, v, c->best_price, &bound, &at)) return false;
    if (bound < PROMISING * c->best) return true;
  }
  if (!find_missing(c, v, &missing)) return false;
  return missing <= 0 || find_price(c, v, missing, c->best_price);
}

/* In each of as many parts of the order the operation where it holds most; those first. How many. */
static int32_t sample(const cut *c, const int64_t *level, moment *moments) {
  int32_t n = c->staged->n, count = n < SAMPLE ? n : SAMPLE;
  for (int32_t i = 0; i < count; i++) {
    int32_t from = (int32_t)((int64_t)i * n / count), to = (int32_t)((int64_t)(i + 1) * n / count), most = from;
    for (int32_t v = from; v < to; v++) {
      if (level[v] > level[most]) most = v;
    }
    moments[i] = (moment){.v = most, .missing = (double)level[most]};
  }
  qsort(moments, (size_t)count, sizeof *moments, by_missing);
  return count;
}

/* Of a sample those first where most is missing whatever the order; then about the best one. False when stopped. */
static bool search_sample(cut *c, const int64_t *level) {
  const moc__staged *staged = c->staged;
  moment moments[SAMPLE];
  int32_t count = sample(c, level, moments), seen = 0;
  for (; seen < count && c->network.work < c->effort / 2; seen++) {
    if (!find_missing(c, moments[seen].v, &moments[seen].missing)) return false;
  }
  qsort(moments, (size_t)seen, sizeof *moments, by_missing);
  for (int32_t i = 0; i < seen && i < TRIED && moments[i].missing > 0 && !done(c); i++) {
    if (!find_price(c, moments[i].v, moments[i].missing, c->best_price)) return false;
  }
  for (int32_t step = staged->n / SAMPLE; step > 0 && c->best > 0 && !done(c); step /= 2) {
    int32_t about = c->best_v;
    if (about >= step && !look_at(c, about - step)) return false;
    if (about < staged->n - step && !look_at(c, about + step)) return false;
  }
  return true;
}

/* All others, in an order that soon has some from everywhere. False when stopped. */
static bool search_all(cut *c) {
  for (int32_t step = 1 << 30; step > 0; step /= 2) {
    for (int64_t v = step - 1; v < c->staged->n; v += 2 * (int64_t)step) {
      if (done(c)) return true;
      if (!look_at(c, (int32_t)v)) return false;
    }
  }
  return true;
}

static bool allocate(cut *c) {
  const moc_allocator *a = &c->allocator;
  int64_t n = c->staged->n, tensors = c->staged->n_tensors;
  c->runs = MOC__NEW(a, n, int64_t);
  c->holds = MOC__NEW(a, tensors, int64_t);
  c->held = MOC__NEW(a, tensors, int32_t);
  c->gone = MOC__NEW(a, tensors, int32_t);
  c->calm = MOC__NEW(a, n, int32_t);
  return c->runs && c->holds && c->held && c->gone && c->calm && moc__flow_init(&c->network, number_nodes(c), a) &&
         add_arcs(c);
}

static bool publish(cut *c, int64_t *extra, moc_certificate *certificate) {
  int64_t bound = c->staged->total_duration + c->extra;
  if (c->extra > 0 && bound > certificate->bound) {
    moc_bound_weight *weights = MOC__NEW(&c->allocator, 1, moc_bound_weight);
    if (weights == NULL) return false;
    *weights = (moc_bound_weight){.op = c->staged->order[c->best_v], .weight = c->weight};
    moc__certificate_release(certificate, &c->allocator);
    *certificate = (moc_certificate){
        .bound = bound, .kind = MOC_CERTIFICATE_CUT, .shift = c->shift, .n_weights = 1, .weights = weights};
  }
  *extra = c->extra;
  return true;
}

moc_status moc__bound_cut(const moc__staged *staged, int64_t budget, bool all, int64_t effort, bool (*stop)(void *),
                          void *context, const moc_allocator *allocator, int64_t *extra,
                          moc_certificate *certificate) {
  *extra = 0;
  cut c = {.allocator = *allocator,
           .staged = staged,
           .budget = budget,
           .effort = effort,
           .network = {.allocator = *allocator},
           .stop = stop,
           .context = context};
  for (int32_t t = 0; t < staged->n_tensors; t++) c.total_size += (double)staged->size[t];
  c.best_price = (double)moc__max(staged->total_duration, 1) / fmax(c.total_size, 1);
  if (c.total_size > 0x1p60) return MOC_OK; /* flows would be beyond 64 bits */
  int64_t *level = MOC__NEW(allocator, staged->n, int64_t);
  bool ok = level != NULL && allocate(&c);
  if (ok) {
    moc__staged_levels(staged, NULL, level);
    (void)(search_sample(&c, level) && all && search_all(&c));
    ok = publish(&c, extra, certificate);
  }
  void *blocks[] = {level, c.runs, c.holds, c.held, c.gone, c.calm};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(allocator, blocks[i]);
  moc__flow_release(&c.network);
  return ok ? MOC_OK : moc__out_of_memory(NULL);
}
