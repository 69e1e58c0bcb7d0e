/* A candidate under the real semantics, and the memory and support constraints that it violates.
 *
 * Event (k, p) precedes event (k', v) when k < k', or k = k' and p < v. Tensor t of place q is resident at e = (k, p) if
 * it is read after e and q does not run between: the stages in which q would run between e and a read in stage b are
 * `from`..b, from = k if q > p, else k + 1 (q runs before its readers in every stage). */
#include "cp/internal.h"

#include <stdlib.h>

enum { MOST_EVENTS = 24 }; /* for which constraints are made from one candidate */

typedef struct step {
  int32_t stage, place;
} step;

static int by_event(const void *a, const void *b) {
  const moc__pair *x = a, *y = b;
  if (x->stage != y->stage) return x->stage < y->stage ? -1 : 1;
  return (x->place > y->place) - (x->place < y->place);
}

/* Let a tensor's present instance be resident from `start` to `end`. */
static void hold(moc__model *m, int32_t t, int64_t start, int64_t end, int64_t length) {
  m->memory[start] += m->staged->size[t];
  if (end + 1 < length) m->memory[end + 1] -= m->staged->size[t];
}

/* Fill memory[] for the sorted pairs[], steps[] for the steps. Instances are followed in latest[]: start of the present
 * one in the low half, its last read in the high. */
static void fill_memory(moc__model *m, step *steps, int64_t length) {
  const moc__staged *staged = m->staged;
  int64_t at = 0, i = 0;
  for (int32_t k = 0; k < staged->n; k++) {
    for (; i < m->n_pairs && m->pairs[i].stage == k; i++) steps[at++] = (step){k, m->pairs[i].place};
    steps[at++] = (step){k, k};
  }
  memset(m->memory, 0, (size_t)length * sizeof *m->memory);
  const int64_t half = INT64_C(1) << 31;
  for (int32_t t = 0; t < staged->n_tensors; t++) m->latest[t] = staged->producer[t] < 0 ? 0 : -1;
  for (int64_t s = 0; s < length; s++) {
    int32_t p = steps[s].place;
    for (int64_t r = staged->reads.start[p]; r < staged->reads.start[p + 1]; r++) {
      int64_t *latest = &m->latest[staged->reads.items[r]];
      *latest = *latest % half + s * half;
    }
    for (int32_t t = staged->first_output[p]; t < staged->first_output[p + 1]; t++) {
      if (m->latest[t] >= 0) hold(m, t, m->latest[t] % half, m->latest[t] / half, length);
      m->latest[t] = s + s * half;
    }
  }
  for (int32_t t = 0; t < staged->n_tensors; t++) {
    bool unused = staged->producer[t] < 0 && staged->readers.start[t] == staged->readers.start[t + 1];
    if (unused && !staged->keep[t]) continue;
    hold(m, t, m->latest[t] % half, staged->keep[t] ? length - 1 : m->latest[t] / half, length);
  }
  int64_t resident = 0;
  for (int64_t s = 0; s < length; s++) {
    resident += m->memory[s];
    m->memory[s] = resident + staged->workspace[steps[s].place];
  }
}

/* The candidate's first start of q in stage `from` or later; INT32_MAX: none. */
static int32_t next_start(const moc__model *m, int32_t q, int32_t from) {
  const moc__starts *s = &m->starts[q];
  for (int64_t i = 0; i < s->n_points; i++) {
    if (s->points[i] >= from) return s->points[i];
  }
  return INT32_MAX;
}

/* A literal X(v, I), true of the candidate, for the start of v in stage k': I within low..high. */
static moc__lit reader_span(moc__model *m, int32_t v, int32_t stage, int32_t low, int32_t high) {
  const moc__starts *s = &m->starts[v];
  moc__span best = {0, -1, -1}, around = {stage, stage, -1};
  for (int64_t i = 0; i < s->n_spans; i++) {
    moc__span span = s->spans[i];
    if (moc__leaf(m, span.variable) <= 0 || span.first > stage || span.last < stage) continue;
    if (span.first >= low && span.last <= high) {
      if (best.variable < 0 || span.last - span.first > best.last - best.first) best = span;
    } else if (around.variable < 0 || span.last - span.first > around.last - around.first) {
      around = span;
    }
  }
  if (best.variable >= 0) return 2 * best.variable;
  return moc__model_span(m, v, around.first > low ? around.first : low, around.last < high ? around.last : high);
}

/* Which span of place v a literal is. */
static int32_t span_index(const moc__model *m, int32_t v, moc__lit l) {
  const moc__starts *s = &m->starts[v];
  int32_t i = 0;
  while (s->spans[i].variable != moc__var(l)) i++;
  return i;
}

/* The clause: R or X, if V. */
static void add_support(moc__model *m, int64_t event, int32_t t, moc__lit r, int32_t v, moc__lit reads,
                        moc__lit x) {
  moc__model_begin(m);
  if (reads != MOC__NO_LIT) moc__model_add(m, moc__not(reads));
  moc__model_add(m, r);
  moc__model_add(m, x);
  moc__model_end_clause(m);
  if (!moc__grow(&m->allocator, &m->supports, m->n_supports, &m->supports_capacity, sizeof *m->supports)) {
    m->engine.out_of_memory = true;
    return;
  }
  moc__support *s = &m->supports[m->n_supports];
  *s = (moc__support){(int32_t)event, moc__var(r), m->staged->size[t], -1, -1, -1, -1};
  if (reads != MOC__NO_LIT) {
    s->reader_place = v;
    s->reader_span = span_index(m, v, reads);
  }
  if (x != MOC__NO_LIT) {
    s->place = m->staged->producer[t];
    s->span = span_index(m, s->place, x);
  }
  m->n_supports++;
}

/* Support of a new R by the other spans that read the tensor after the event, `except` apart: they will be tried next. */
static void support_other_readers(moc__model *m, int64_t event, int32_t t, moc__lit r, moc__lit except,
                                  int32_t wide) {
  const moc__staged *staged = m->staged;
  int32_t k = m->events[event].stage, p = m->events[event].place, q = staged->producer[t];
  bool recomputes = q >= 0 && !staged->compute_once[q];
  for (int64_t i = staged->readers.start[t]; i < staged->readers.start[t + 1]; i++) {
    int32_t v = staged->readers.items[i], low = v > p ? k : k + 1;
    for (int64_t j = 0; j < m->starts[v].n_spans && !m->engine.out_of_memory; j++) {
      moc__span span = m->starts[v].spans[j];
      if (span.first < low || 2 * span.variable == except) continue;
      moc__lit x = recomputes ? moc__model_span(m, q, wide, span.last) : MOC__NO_LIT;
      if (!m->engine.out_of_memory) add_support(m, event, t, r, v, 2 * span.variable, x);
    }
  }
}

/* The first computation of a reader, or a start of one in pairs[], that keeps tensor t resident at (k, p): adds R and the
 * clause. False when t is not resident there by choice. */
static bool support(moc__model *m, int64_t event, int32_t t) {
  const moc__staged *staged = m->staged;
  int32_t k = m->events[event].stage, p = m->events[event].place, q = staged->producer[t];
  if (q >= k || q == p) return false;
  bool recomputes = q >= 0 && !staged->compute_once[q];
  int32_t from = q > p ? k : k + 1;
  int32_t next = recomputes ? next_start(m, q, from) : INT32_MAX;
  int32_t before = moc__certain_before(staged, t, k);
  int32_t wide = from; /* the gap's first stage, unless the candidate starts q between there and e */
  if (recomputes && before + 1 < from && next_start(m, q, before + 1) >= from) wide = before + 1;

  int32_t certain = moc__certain_from(staged, t, p == k ? k + 1 : k);
  if (certain >= 0 && (!recomputes || from > certain)) return false; /* counted as fixed */
  if (certain >= 0 && next > certain) {
    moc__lit r = moc__model_residency(m, event, t);
    if (r == MOC__NO_LIT || moc__leaf(m, moc__var(r)) > 0) return true;
    moc__lit x = moc__model_span(m, q, wide, certain);
    if (x != MOC__NO_LIT) add_support(m, event, t, r, -1, MOC__NO_LIT, x);
    return true;
  }
  for (int64_t i = staged->readers.start[t]; i < staged->readers.start[t + 1]; i++) {
    int32_t v = staged->readers.items[i], low = v > p ? k : k + 1;
    int32_t stage = next_start(m, v, low);
    if (stage >= next || stage == INT32_MAX) continue;
    int64_t residencies = m->n_residencies;
    moc__lit r = moc__model_residency(m, event, t);
    bool created = m->n_residencies > residencies;
    if (r == MOC__NO_LIT || moc__leaf(m, moc__var(r)) > 0) return true;
    moc__lit reads = reader_span(m, v, stage, low, next == INT32_MAX ? staged->n - 1 : next - 1);
    if (reads == MOC__NO_LIT) return true;
    int32_t last = m->starts[v].spans[span_index(m, v, reads)].last;
    moc__lit x = recomputes ? moc__model_span(m, q, wide, last) : MOC__NO_LIT;
    if (!m->engine.out_of_memory) add_support(m, event, t, r, v, reads, x);
    if (created) support_other_readers(m, event, t, r, reads, wide);
    return true;
  }
  return false;
}

static bool touched(const moc__staged *staged, int32_t place, int32_t t) {
  if (staged->producer[t] == place) return true;
  for (int64_t i = staged->reads.start[place]; i < staged->reads.start[place + 1]; i++) {
    if (staged->reads.items[i] == t) return true;
  }
  return false;
}

/* The constraints of one event over budget. */
static void refine(moc__model *m, step s) {
  int64_t event = moc__model_event(m, s.stage, s.place);
  if (event < 0) return;
  m->work += m->staged->n_tensors / 10;
  for (int32_t t = 0; t < m->staged->n_tensors && !m->engine.out_of_memory; t++) {
    if (m->staged->size[t] > 0 && !touched(m->staged, s.place, t)) (void)support(m, event, t);
  }
}

/* Sort pairs[], and fill memory[] and the peak; the steps, to be released, or NULL when memory is out. */
static step *measure(moc__model *m) {
  if (m->n_pairs > 0) qsort(m->pairs, (size_t)m->n_pairs, sizeof *m->pairs, by_event);
  int64_t length = m->staged->n + m->n_pairs;
  if (!moc__reserve(&m->allocator, &m->memory, length, &m->memory_capacity, sizeof *m->memory)) return NULL;
  step *steps = MOC__NEW(&m->allocator, length, step);
  if (steps == NULL) return NULL;
  fill_memory(m, steps, length);
  m->work += length / 20;
  m->peak = 0;
  for (int64_t s = 0; s < length; s++) m->peak = moc__max(m->peak, m->memory[s]);
  return steps;
}

bool moc__model_measure(moc__model *m) {
  step *steps = measure(m);
  if (steps == NULL) m->engine.out_of_memory = true;
  moc__release(&m->allocator, steps);
  return steps != NULL;
}

bool moc__model_evaluate(moc__model *m) {
  step *steps = measure(m);
  if (steps == NULL) {
    m->engine.out_of_memory = true;
    return false;
  }
  int64_t length = m->staged->n + m->n_pairs;
  int64_t events = 0, before = m->refinements, before_events = m->n_events;
  bool feasible = true;
  for (int64_t s = 0; s < length && !m->engine.out_of_memory;) {
    if (m->memory[s] <= m->budget) {
      s++;
      continue;
    }
    feasible = false;
    int64_t worst = s;
    for (; s < length && m->memory[s] > m->budget; s++) {
      if (m->memory[s] > m->memory[worst]) worst = s;
    }
    if (events++ < MOST_EVENTS) refine(m, steps[worst]);
  }
  moc__release(&m->allocator, steps);
  if (!feasible && m->refinements == before && m->n_events == before_events && !m->engine.out_of_memory)
    m->stuck = true;
  return feasible && !m->engine.out_of_memory;
}
