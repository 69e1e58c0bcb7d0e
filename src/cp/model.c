/* Literals and constraints of the model, and its loop of search and refinement; see model.h. */
#include "cp/internal.h"

#include <stdlib.h>

moc_status moc__model_init(moc__model *m, const moc__staged *staged, int64_t budget, int32_t max_computes,
                           const moc_allocator *allocator, moc_error *error) {
  *m = (moc__model){.allocator = *allocator, .staged = staged, .budget = budget, .max_computes = max_computes};
  moc_status status = moc__engine_init(&m->engine, allocator, error);
  if (status != MOC_OK) return status;
  m->starts = MOC__NEW_ZEROED(allocator, staged->n, moc__starts);
  m->latest = MOC__NEW(allocator, staged->n_tensors, int64_t);
  m->target = MOC_MAX_TOTAL;
  m->engine.objective = moc__engine_row(&m->engine, m->target - 1);
  if (m->starts != NULL && m->latest != NULL && m->engine.objective >= 0) return MOC_OK;
  moc__model_release(m);
  return moc__out_of_memory(error);
}

void moc__model_release(moc__model *m) {
  for (int32_t p = 0; m->starts != NULL && p < m->staged->n; p++) {
    moc__release(&m->allocator, m->starts[p].spans);
    moc__release(&m->allocator, m->starts[p].times);
    moc__release(&m->allocator, m->starts[p].points);
  }
  moc__engine_release(&m->engine);
  void *blocks[] = {m->starts, m->events, m->residencies, m->leaf,    m->pairs,
                    m->memory, m->latest, m->clause,      m->supports};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(&m->allocator, blocks[i]);
  *m = (moc__model){.allocator = m->allocator};
}

void moc__model_set_target(moc__model *m, int64_t target) {
  if (target > m->target) {
    moc__engine_raise_target(&m->engine, target - 1);
  } else {
    moc__engine_backtrack(&m->engine, 0);
    moc__engine_bound(&m->engine, m->engine.objective, target - 1);
  }
  m->target = target;
}

/* --- Clauses --- */

void moc__model_begin(moc__model *m) {
  m->n_clause = 0;
}

void moc__model_add(moc__model *m, moc__lit literal) {
  if (literal == MOC__NO_LIT) return;
  if (!moc__grow(&m->allocator, &m->clause, m->n_clause, &m->clause_capacity, sizeof *m->clause)) {
    m->engine.out_of_memory = true;
    return;
  }
  m->clause[m->n_clause++] = literal;
}

void moc__model_end_clause(moc__model *m) {
  if (m->engine.out_of_memory) return;
  m->refinements++;
  moc__engine_clause(&m->engine, m->clause, m->n_clause);
}

static void add_clause(moc__model *m, moc__lit a, moc__lit b, moc__lit c) {
  moc__model_begin(m);
  moc__model_add(m, a);
  moc__model_add(m, b);
  moc__model_add(m, c);
  moc__model_end_clause(m);
}

/* --- Windows --- */

/* How many starts of a frozen place lie in stages first..last. */
static int64_t held_starts(const moc__window *w, int32_t place, int32_t first, int32_t last) {
  int64_t count = 0;
  for (int64_t i = w->first[place]; i < w->first[place + 1]; i++)
    count += first <= w->pairs[i].stage && w->pairs[i].stage <= last;
  return count;
}

/* A new literal X of a frozen place has the value that its starts give it. */
static void hold_span(moc__model *m, int32_t place, moc__span span) {
  if (m->window == NULL || !m->window->frozen[place]) return;
  bool held = held_starts(m->window, place, span.first, span.last) > 0;
  moc__engine_suppose(&m->engine, 2 * span.variable + !held);
}

/* The same for N(place, times). */
static void hold_times(moc__model *m, int32_t place, int64_t times) {
  if (m->window == NULL || !m->window->frozen[place]) return;
  bool held = m->window->first[place + 1] - m->window->first[place] >= times;
  moc__engine_suppose(&m->engine, 2 * m->starts[place].times[times - 1] + !held);
}

static void forget_target(moc__model *m, int64_t target) {
  m->target = target;
  moc__engine_raise_target(&m->engine, target - 1);
}

bool moc__model_enter(moc__model *m, const moc__window *window, int64_t target) {
  int32_t n = m->staged->n;
  for (int32_t p = 0; p < n; p++) {
    if (window->first[p + 1] - window->first[p] > m->max_computes - 1) return false;
  }
  m->window = NULL;
  forget_target(m, target);
  m->window = window;
  m->crossings++;
  for (int32_t p = 0; p < n; p++) {
    moc__starts *s = &m->starts[p];
    if (!window->frozen[p] || m->staged->compute_once[p]) continue;
    for (int64_t c = 0; c < s->n_times; c++) hold_times(m, p, c + 1);
    for (int64_t i = 0; i < s->n_spans; i++) hold_span(m, p, s->spans[i]);
    int64_t held = window->first[p + 1] - window->first[p];
    (void)moc__model_times(m, p, (int32_t)moc__min(held + 1, m->max_computes - 1));
    for (int64_t i = window->first[p]; i < window->first[p + 1]; i++)
      (void)moc__model_span(m, p, window->pairs[i].stage, window->pairs[i].stage);
  }
  return true;
}

void moc__model_leave(moc__model *m) {
  m->window = NULL;
  m->crossings++;
  forget_target(m, m->target);
}

/* --- Literals --- */

moc__lit moc__model_times(moc__model *m, int32_t place, int32_t times) {
  moc__starts *s = &m->starts[place];
  if (times > m->max_computes - 1) return MOC__NO_LIT;
  while (s->n_times < times) {
    int32_t v = moc__engine_variable(&m->engine, true, false);
    if (v < 0 || !moc__grow(&m->allocator, &s->times, s->n_times, &s->times_capacity, sizeof *s->times)) {
      m->engine.out_of_memory = true;
      return MOC__NO_LIT;
    }
    s->times[s->n_times++] = v;
    if (m->staged->duration[place] > 0)
      moc__engine_term(&m->engine, m->engine.objective, m->staged->duration[place], 2 * v);
    if (s->n_times > 1) add_clause(m, moc__not(2 * v), 2 * s->times[s->n_times - 2], MOC__NO_LIT);
    hold_times(m, place, s->n_times);
  }
  return 2 * s->times[times - 1];
}

moc__lit moc__model_span(moc__model *m, int32_t place, int32_t first, int32_t last) {
  moc__starts *s = &m->starts[place];
  if (first <= place) first = place + 1;
  if (first > last) return MOC__NO_LIT;
  for (int64_t i = 0; i < s->n_spans; i++) {
    if (s->spans[i].first == first && s->spans[i].last == last) return 2 * s->spans[i].variable;
  }
  int32_t v = moc__engine_variable(&m->engine, true, false);
  if (v < 0 || !moc__grow(&m->allocator, &s->spans, s->n_spans, &s->spans_capacity, sizeof *s->spans)) {
    m->engine.out_of_memory = true;
    return MOC__NO_LIT;
  }
  s->spans[s->n_spans++] = (moc__span){first, last, v};
  moc__lit x = 2 * v;
  hold_span(m, place, s->spans[s->n_spans - 1]);
  add_clause(m, moc__not(x), moc__model_times(m, place, 1), MOC__NO_LIT);
  for (int64_t i = 0; i < s->n_spans - 1; i++) {
    moc__span other = s->spans[i];
    moc__lit y = 2 * other.variable;
    if (other.first <= first && last <= other.last)
      add_clause(m, moc__not(x), y, MOC__NO_LIT);
    else if (first <= other.first && other.last <= last)
      add_clause(m, moc__not(y), x, MOC__NO_LIT);
    else if (other.last < first || last < other.first)
      add_clause(m, moc__not(x), moc__not(y), moc__model_times(m, place, 2));
  }
  return x;
}

static uint64_t scatter(int64_t key) {
  uint64_t x = (uint64_t)key * UINT64_C(0x9e3779b97f4a7c15);
  return x ^ (x >> 29);
}

static moc__residency *find_slot(moc__residency *slots, int64_t n_slots, int64_t key) {
  int64_t i = (int64_t)(scatter(key) & (uint64_t)(n_slots - 1));
  while (slots[i].key != -1 && slots[i].key != key) i = (i + 1) & (n_slots - 1);
  return &slots[i];
}

static bool reserve_residency(moc__model *m) {
  if (2 * (m->n_residencies + 1) <= m->residency_slots) return true;
  int64_t room = m->residency_slots < 512 ? 1024 : 2 * m->residency_slots;
  moc__residency *grown = MOC__NEW(&m->allocator, room, moc__residency);
  if (grown == NULL) return false;
  for (int64_t i = 0; i < room; i++) grown[i].key = -1;
  for (int64_t i = 0; i < m->residency_slots; i++) {
    if (m->residencies[i].key != -1) *find_slot(grown, room, m->residencies[i].key) = m->residencies[i];
  }
  moc__release(&m->allocator, m->residencies);
  m->residencies = grown;
  m->residency_slots = room;
  return true;
}

moc__lit moc__model_residency(moc__model *m, int64_t event, int32_t tensor) {
  int64_t key = event * m->staged->n_tensors + tensor;
  if (!reserve_residency(m)) {
    m->engine.out_of_memory = true;
    return MOC__NO_LIT;
  }
  moc__residency *slot = find_slot(m->residencies, m->residency_slots, key);
  if (slot->key == key) return 2 * slot->variable;
  int32_t v = moc__engine_variable(&m->engine, false, false);
  if (v < 0) return MOC__NO_LIT;
  *slot = (moc__residency){key, v};
  m->n_residencies++;
  moc__event_row *row = &m->events[event];
  int64_t size = m->staged->size[tensor];
  moc__engine_term(&m->engine, row->row, size, 2 * v);
  row->load += size;
  if (row->condition < 0 || row->load <= row->room) return 2 * v;
  /* The condition's coefficient makes the row hold whatever is resident while the event does not take place. */
  moc__engine_term(&m->engine, row->row, row->load - row->room, 2 * row->condition);
  moc__engine_bound(&m->engine, row->row, row->load);
  return 2 * v;
}

int32_t moc__certain_before(const moc__staged *staged, int32_t t, int32_t k) {
  int32_t last = staged->producer[t];
  for (int64_t i = staged->readers.start[t]; i < staged->readers.start[t + 1] && staged->readers.items[i] < k; i++)
    last = staged->readers.items[i];
  return last;
}

int32_t moc__certain_from(const moc__staged *staged, int32_t t, int32_t k) {
  for (int64_t i = staged->readers.start[t]; i < staged->readers.start[t + 1]; i++) {
    if (staged->readers.items[i] >= k) return staged->readers.items[i];
  }
  return staged->keep[t] ? staged->n - 1 : -1;
}

static bool touches(const moc__staged *staged, int32_t place, int32_t t) {
  if (staged->producer[t] == place) return true;
  for (int64_t i = staged->reads.start[place]; i < staged->reads.start[place + 1]; i++) {
    if (staged->reads.items[i] == t) return true;
  }
  return false;
}

/* Bytes at an event that no choice changes: what it reads and writes, and tensors that are still to be read for certain
 * and whose producer cannot run between. */
static int64_t fixed_bytes(const moc__staged *staged, int32_t stage, int32_t place) {
  int64_t bytes = staged->workspace[place];
  for (int32_t t = 0; t < staged->n_tensors; t++) {
    int32_t q = staged->producer[t];
    if (touches(staged, place, t)) {
      bytes += staged->size[t];
      continue;
    }
    if (q >= stage) continue;
    int32_t next = moc__certain_from(staged, t, place == stage ? stage + 1 : stage);
    if (next < 0) continue;
    bool may_run = q >= 0 && !staged->compute_once[q] && (q > place ? stage : stage + 1) <= next;
    if (!may_run) bytes += staged->size[t];
  }
  return bytes;
}

int64_t moc__model_event(moc__model *m, int32_t stage, int32_t place) {
  for (int64_t i = 0; i < m->n_events; i++) {
    if (m->events[i].stage == stage && m->events[i].place == place) return i;
  }
  if (!moc__grow(&m->allocator, &m->events, m->n_events, &m->events_capacity, sizeof *m->events)) {
    m->engine.out_of_memory = true;
    return -1;
  }
  moc__event_row event = {.stage = stage, .place = place, .condition = -1};
  event.room = m->budget - fixed_bytes(m->staged, stage, place);
  if (place != stage) {
    moc__lit x = moc__model_span(m, place, stage, stage);
    if (x == MOC__NO_LIT) return -1;
    event.condition = moc__var(x);
  }
  event.row = moc__engine_row(&m->engine, event.condition < 0 || event.room >= 0 ? event.room : 0);
  if (event.row < 0) return -1;
  if (event.condition >= 0 && event.room < 0)
    moc__engine_term(&m->engine, event.row, -event.room, 2 * event.condition);
  m->events[m->n_events] = event;
  return m->n_events++;
}

/* --- Search and refinement --- */

static bool copy_leaf(moc__model *m) {
  if (!moc__reserve(&m->allocator, &m->leaf, m->engine.n_vars, &m->leaf_capacity, sizeof *m->leaf)) return false;
  m->leaf_vars = m->engine.n_vars;
  if (m->leaf_vars > 0) memcpy(m->leaf, m->engine.value, (size_t)m->leaf_vars);
  return true;
}

moc__model_end moc__model_solve(moc__model *m, int64_t conflicts, bool (*stop)(void *), void *context) {
  moc__engine *engine = &m->engine;
  int64_t end = engine->conflicts + conflicts;
  while (!m->stuck && !engine->out_of_memory) {
    moc__search_end found = moc__engine_search(engine, end - engine->conflicts, stop, context);
    if (found == MOC__SEARCH_REFUTED) return MOC__MODEL_REFUTED;
    if (found == MOC__SEARCH_LIMIT || (stop != NULL && stop(context))) return MOC__MODEL_LIMIT;
    if (!copy_leaf(m)) {
      engine->out_of_memory = true;
      break;
    }
    moc__engine_backtrack(engine, 0);
    if (moc__pierce(m) && moc__model_evaluate(m)) return MOC__MODEL_SOLVED;
  }
  return MOC__MODEL_LIMIT;
}

bool moc__model_load(moc__model *m, const moc__pair *pairs, int64_t n_pairs) {
  m->n_pairs = 0;
  for (int64_t i = 0; i < n_pairs; i++) {
    if (!moc__grow(&m->allocator, &m->pairs, m->n_pairs, &m->pairs_capacity, sizeof *m->pairs)) {
      m->engine.out_of_memory = true;
      return false;
    }
    m->pairs[m->n_pairs++] = pairs[i];
  }
  return moc__model_measure(m);
}

void moc__model_suggest(moc__model *m, const moc__pair *pairs, int64_t n_pairs) {
  for (int32_t p = 0; p < m->staged->n; p++) {
    moc__starts *s = &m->starts[p];
    int64_t times = 0;
    for (int64_t i = 0; i < s->n_spans; i++) m->engine.phase[s->spans[i].variable] = -1;
    for (int64_t k = 0; k < n_pairs; k++) {
      if (pairs[k].place != p) continue;
      times++;
      for (int64_t i = 0; i < s->n_spans; i++) {
        if (s->spans[i].first <= pairs[k].stage && pairs[k].stage <= s->spans[i].last)
          m->engine.phase[s->spans[i].variable] = 1;
      }
    }
    for (int64_t c = 0; c < s->n_times; c++) m->engine.phase[s->times[c]] = c < times ? 1 : -1;
  }
}

int64_t moc__model_extra(const moc__model *m) {
  int64_t extra = 0;
  for (int64_t i = 0; i < m->n_pairs; i++) extra += m->staged->duration[m->pairs[i].place];
  return extra;
}
