/* The conflict-driven search; see engine.h. Variables are kept by activity in a binary heap (VSIDS); restarts follow
 * Luby's sequence; learned clauses of large glue and little use are thrown away. */
#include "cp/engine.h"

#include "cp/propagate.h"

#include <stdlib.h>

enum { RESTART_UNIT = 100, FIRST_LEARNED = 4000, CONFLICTS_A_CHECK = 16 };

/* --- Growing --- */

moc_status moc__engine_init(moc__engine *engine, const moc_allocator *allocator, moc_error *error) {
  *engine = (moc__engine){.allocator = *allocator, .increment = 1, .most_learned = FIRST_LEARNED, .objective = -1};
  engine->levels_capacity = 16;
  engine->level_start = MOC__NEW(allocator, engine->levels_capacity, int32_t);
  if (engine->level_start == NULL) return moc__out_of_memory(error);
  return MOC_OK;
}

void moc__engine_release(moc__engine *e) {
  for (int64_t l = 0; l < 2 * (int64_t)e->n_vars; l++) {
    moc__release(&e->allocator, e->watches[l].items);
    moc__release(&e->allocator, e->uses[l].items);
  }
  for (int64_t r = 0; r < e->n_rows; r++) moc__release(&e->allocator, e->rows[r].terms);
  void *blocks[] = {e->value,     e->phase,  e->decides,     e->seen,       e->fixed_taint, e->level,
                    e->position,  e->reason, e->activity,    e->heap_place, e->heap,        e->watches,
                    e->uses,      e->arena,  e->learned,     e->given,      e->units,       e->rows,
                    e->row_queue, e->trail,  e->level_start, e->conflict,   e->lemma};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(&e->allocator, blocks[i]);
  *e = (moc__engine){.allocator = e->allocator};
}

/* Resize one array of the variables; false, nothing lost, when memory is out. */
static bool widen(moc__engine *e, void *array, int64_t count, size_t size) {
  void *block;
  memcpy(&block, array, sizeof block);
  block = moc__resize(&e->allocator, block, count, size);
  if (block == NULL) return false;
  memcpy(array, &block, sizeof block);
  return true;
}

static bool more_variables(moc__engine *e) {
  int64_t room = e->vars_capacity < 256 ? 256 : 2 * (int64_t)e->vars_capacity;
  if (room > INT32_MAX / 2) return false;
  bool ok = widen(e, &e->value, room, sizeof *e->value) && widen(e, &e->phase, room, sizeof *e->phase) &&
            widen(e, &e->decides, room, sizeof *e->decides) && widen(e, &e->seen, room, sizeof *e->seen) &&
            widen(e, &e->fixed_taint, room, sizeof *e->fixed_taint) &&
            widen(e, &e->level, room, sizeof *e->level) && widen(e, &e->position, room, sizeof *e->position) &&
            widen(e, &e->reason, room, sizeof *e->reason) && widen(e, &e->activity, room, sizeof *e->activity) &&
            widen(e, &e->heap_place, room, sizeof *e->heap_place) && widen(e, &e->heap, room, sizeof *e->heap) &&
            widen(e, &e->watches, 2 * room, sizeof *e->watches) && widen(e, &e->uses, 2 * room, sizeof *e->uses) &&
            widen(e, &e->trail, room, sizeof *e->trail);
  if (ok) e->vars_capacity = (int32_t)room;
  return ok;
}

/* --- The heap of variables --- */

static bool before(const moc__engine *e, int32_t a, int32_t b) {
  return e->activity[a] > e->activity[b] || (e->activity[a] == e->activity[b] && a < b);
}

static void sift_up(moc__engine *e, int32_t i) {
  int32_t v = e->heap[i];
  while (i > 0 && before(e, v, e->heap[(i - 1) / 2])) {
    e->heap[i] = e->heap[(i - 1) / 2];
    e->heap_place[e->heap[i]] = i;
    i = (i - 1) / 2;
  }
  e->heap[i] = v;
  e->heap_place[v] = i;
}

static void sift_down(moc__engine *e, int32_t i) {
  int32_t v = e->heap[i];
  for (;;) {
    int32_t child = 2 * i + 1;
    if (child >= e->heap_count) break;
    if (child + 1 < e->heap_count && before(e, e->heap[child + 1], e->heap[child])) child++;
    if (!before(e, e->heap[child], v)) break;
    e->heap[i] = e->heap[child];
    e->heap_place[e->heap[i]] = i;
    i = child;
  }
  e->heap[i] = v;
  e->heap_place[v] = i;
}

static void heap_insert(moc__engine *e, int32_t v) {
  if (e->heap_place[v] >= 0 || !e->decides[v]) return;
  e->heap[e->heap_count] = v;
  e->heap_place[v] = e->heap_count;
  sift_up(e, e->heap_count++);
}

static int32_t heap_pop(moc__engine *e) {
  int32_t v = e->heap[0];
  e->heap_place[v] = -1;
  if (--e->heap_count > 0) {
    e->heap[0] = e->heap[e->heap_count];
    e->heap_place[e->heap[0]] = 0;
    sift_down(e, 0);
  }
  return v;
}

static void bump(moc__engine *e, int32_t v) {
  if ((e->activity[v] += e->increment) > 1e100) {
    for (int32_t i = 0; i < e->n_vars; i++) e->activity[i] *= 1e-100;
    e->increment *= 1e-100;
  }
  if (e->heap_place[v] >= 0) sift_up(e, e->heap_place[v]);
}

int32_t moc__engine_variable(moc__engine *e, bool decides, bool phase) {
  if (e->n_vars == e->vars_capacity && !more_variables(e)) {
    e->out_of_memory = true;
    return -1;
  }
  int32_t v = e->n_vars++;
  e->value[v] = 0;
  e->phase[v] = phase ? 1 : -1;
  e->decides[v] = decides;
  e->seen[v] = e->fixed_taint[v] = false;
  e->level[v] = e->position[v] = 0;
  e->reason[v] = MOC__DECISION;
  e->activity[v] = 0;
  e->heap_place[v] = -1;
  for (int s = 0; s < 2; s++) {
    e->watches[2 * v + s] = (moc__watches){0};
    e->uses[2 * v + s] = (moc__uses){0};
  }
  heap_insert(e, v);
  return v;
}

/* --- The trail --- */

void moc__engine_backtrack(moc__engine *e, int32_t level) {
  if (e->n_levels <= level) return;
  int32_t keep = e->level_start[level];
  moc__rows_forget(e, keep);
  for (int32_t i = e->n_trail - 1; i >= keep; i--) {
    int32_t v = moc__var(e->trail[i]);
    e->phase[v] = e->value[v];
    e->value[v] = 0;
    heap_insert(e, v);
  }
  e->n_trail = e->processed = keep;
  e->n_levels = level;
}

static bool push_level(moc__engine *e) {
  if (e->n_levels == e->levels_capacity) {
    if (!widen(e, &e->level_start, 2 * (int64_t)e->levels_capacity, sizeof *e->level_start)) return false;
    e->levels_capacity *= 2;
  }
  e->level_start[e->n_levels++] = e->n_trail;
  return true;
}

/* Facts with their taint, so that they survive the target's changes as far as they are true. */
static void add_unit(moc__engine *e, moc__lit l, bool tainted) {
  if (!moc__grow(&e->allocator, &e->units, e->n_units, &e->units_capacity, sizeof *e->units)) {
    e->out_of_memory = true;
    return;
  }
  e->units[e->n_units++] = (moc__term){tainted, l};
  int value = moc__value(e, l);
  if (value < 0) {
    e->refuted = true;
    e->refuted_taint = tainted || e->fixed_taint[moc__var(l)];
  } else if (value == 0) {
    moc__enqueue(e, l, MOC__DECISION);
    e->fixed_taint[moc__var(l)] = tainted;
  }
}

void moc__engine_clause(moc__engine *e, const moc__lit *literals, int64_t count) {
  assert(e->n_levels == 0);
  if (e->refuted) {
    if (!e->refuted_taint) return;
  }
  /* Literals fixed by the objective may come back: only untainted facts shorten a clause. */
  e->n_lemma = 0;
  int64_t open = 0;
  for (int64_t i = 0; i < count; i++) {
    moc__lit l = literals[i];
    int value = moc__value(e, l);
    bool sure = value != 0 && !e->fixed_taint[moc__var(l)];
    if (value > 0 && sure) return;
    if (value < 0 && sure) continue;
    bool repeated = false;
    for (int64_t k = 0; k < e->n_lemma; k++) repeated |= e->lemma[k] == l;
    if (repeated) continue;
    if (!moc__grow(&e->allocator, &e->lemma, e->n_lemma, &e->lemma_capacity, sizeof *e->lemma)) {
      e->out_of_memory = true;
      return;
    }
    e->lemma[e->n_lemma++] = l;
    if (value >= 0) { /* not false: to the front */
      e->lemma[e->n_lemma - 1] = e->lemma[open];
      e->lemma[open++] = l;
    }
  }
  if (e->n_lemma == 0) {
    e->refuted = true;
    e->refuted_taint = false;
    return;
  }
  if (e->n_lemma == 1) {
    add_unit(e, e->lemma[0], false);
    return;
  }
  int64_t clause = moc__store_clause(e, e->lemma, e->n_lemma, 0, false);
  if (clause < 0) return;
  if (open == 0) {
    e->refuted = e->refuted_taint = true;
  } else if (open == 1 && moc__value(e, e->lemma[0]) == 0) {
    moc__enqueue(e, e->lemma[0], MOC__REASON(MOC__CLAUSE, clause));
  }
}

void moc__engine_suppose(moc__engine *e, moc__lit literal) {
  assert(e->n_levels == 0);
  if (!e->refuted && moc__value(e, literal) <= 0) add_unit(e, literal, true);
}

void moc__engine_imply(moc__engine *e, const moc__lit *literals, int64_t count, bool tainted) {
  if (moc__value(e, literals[0]) != 0) return;
  if (e->n_levels == 0 || count == 1) {
    bool taint = tainted;
    for (int64_t i = 1; i < count; i++) taint |= e->fixed_taint[moc__var(literals[i])];
    if (e->n_levels == 0) add_unit(e, literals[0], taint);
    return;
  }
  e->n_lemma = 0;
  for (int64_t i = 0; i < count; i++) {
    if (!moc__grow(&e->allocator, &e->lemma, e->n_lemma, &e->lemma_capacity, sizeof *e->lemma)) {
      e->out_of_memory = true;
      return;
    }
    e->lemma[e->n_lemma++] = literals[i];
    if (i > 1 &&
        e->level[moc__var(literals[i])] > e->level[moc__var(e->lemma[1])]) { /* watch the latest false one */
      e->lemma[i] = e->lemma[1];
      e->lemma[1] = literals[i];
    }
  }
  int64_t clause = moc__store_clause(e, e->lemma, count, 3, tainted);
  if (clause < 0) return;
  moc__enqueue(e, literals[0], MOC__REASON(MOC__CLAUSE, clause));
}

void moc__engine_conflict_literal(moc__engine *e, moc__lit literal) {
  if (!moc__grow(&e->allocator, &e->conflict, e->n_conflict, &e->conflict_capacity, sizeof *e->conflict)) {
    e->out_of_memory = true;
    return;
  }
  e->conflict[e->n_conflict++] = literal;
}

void moc__engine_raise_target(moc__engine *e, int64_t bound) {
  moc__engine_backtrack(e, 0);
  moc__rows_forget(e, 0);
  for (int32_t i = e->n_trail - 1; i >= 0; i--) {
    int32_t v = moc__var(e->trail[i]);
    e->value[v] = 0;
    e->fixed_taint[v] = false;
    heap_insert(e, v);
  }
  e->n_trail = e->processed = 0;
  if (e->refuted_taint) e->refuted = e->refuted_taint = false;
  int64_t kept = 0;
  for (int64_t i = 0; i < e->n_learned; i++) {
    moc__clause *c = moc__clause_at(e, e->learned[i]);
    if (c->tainted)
      c->dead = true;
    else
      e->learned[kept++] = e->learned[i];
  }
  e->n_learned = kept;
  moc__collect_clauses(e);
  moc__engine_bound(e, e->objective, bound);
  int64_t n_units = e->n_units;
  e->n_units = 0;
  for (int64_t i = 0; i < n_units && !e->refuted; i++) {
    if (e->units[i].coefficient == 0) add_unit(e, e->units[i].literal, false);
  }
  moc__queue_all_rows(e);
}

/* --- Analysis --- */

static void see(moc__engine *e, moc__lit l, int32_t *open, bool *tainted) {
  int32_t v = moc__var(l);
  if (e->seen[v]) return;
  if (e->level[v] == 0) {
    *tainted |= e->fixed_taint[v];
    return;
  }
  e->seen[v] = true;
  bump(e, v);
  if (e->level[v] == e->n_levels) {
    (*open)++;
  } else if (moc__grow(&e->allocator, &e->lemma, e->n_lemma, &e->lemma_capacity, sizeof *e->lemma)) {
    e->lemma[e->n_lemma++] = l;
  } else {
    e->out_of_memory = true;
  }
}

/* The literals that made l true go to conflict[], negated. */
static bool explain(moc__engine *e, moc__lit l) {
  moc__reason reason = e->reason[moc__var(l)];
  e->n_conflict = 0;
  if ((reason & 3) == MOC__CLAUSE) {
    moc__clause *c = moc__clause_at(e, reason >> 2);
    moc__lit *literals = (moc__lit *)(c + 1);
    for (int32_t i = 0; i < c->size; i++) {
      if (literals[i] != l) moc__engine_conflict_literal(e, literals[i]);
    }
    if (c->glue > 0) c->activity += 1;
    return c->tainted;
  }
  moc__row_explain(e, (int32_t)(reason >> 2), l);
  return (int32_t)(reason >> 2) == e->objective;
}

/* The debug build looks at every explanation: its literals were false before l became true. */
#ifndef NDEBUG
static bool explained(const moc__engine *e, moc__lit l) {
  for (int64_t i = 0; i < e->n_conflict; i++) {
    if (moc__value(e, e->conflict[i]) >= 0) return false;
    if (e->position[moc__var(e->conflict[i])] >= e->position[moc__var(l)]) return false;
  }
  return true;
}
#endif

/* Is a literal of the lemma implied by others of it? One step deep. */
static bool redundant(moc__engine *e, moc__lit l, bool *tainted) {
  moc__reason reason = e->reason[moc__var(l)];
  if ((reason & 3) != MOC__CLAUSE) return false;
  moc__clause *c = moc__clause_at(e, reason >> 2);
  moc__lit *literals = (moc__lit *)(c + 1);
  bool taint = c->tainted;
  for (int32_t i = 0; i < c->size; i++) {
    int32_t v = moc__var(literals[i]);
    if (v == moc__var(l)) continue;
    if (e->level[v] == 0)
      taint |= e->fixed_taint[v];
    else if (!e->seen[v])
      return false;
  }
  *tainted |= taint;
  return true;
}

/* Learn from conflict[] and go back. False when that refutes everything. */
static bool learn(moc__engine *e) {
  /* The conflict may lie below the present level (a propagator of its own). */
  int32_t top = 0;
  for (int64_t i = 0; i < e->n_conflict; i++) {
    int32_t level = e->level[moc__var(e->conflict[i])];
    if (level > top) top = level;
  }
  moc__engine_backtrack(e, top);
  bool tainted = e->conflict_taint;
  if (!moc__grow(&e->allocator, &e->lemma, 0, &e->lemma_capacity, sizeof *e->lemma)) e->out_of_memory = true;
  if (e->out_of_memory) return true;
  e->n_lemma = 1; /* its first place is for the implication point */
  int32_t open = 0, i = e->n_trail - 1;
  for (int64_t k = 0; k < e->n_conflict; k++) see(e, e->conflict[k], &open, &tainted);
  if (top == 0) {
    e->refuted = true;
    e->refuted_taint = tainted;
    return false;
  }
  moc__lit uip;
  for (;;) {
    while (!e->seen[moc__var(e->trail[i])]) i--;
    uip = e->trail[i--];
    if (--open == 0) break;
    e->seen[moc__var(uip)] = false;
    tainted |= explain(e, uip);
    assert(e->out_of_memory || explained(e, uip));
    for (int64_t k = 0; k < e->n_conflict; k++) see(e, e->conflict[k], &open, &tainted);
    if (e->out_of_memory) return true;
  }
  e->lemma[0] = moc__not(uip);
  int64_t all = e->n_lemma, kept = 1;
  for (int64_t k = 1; k < all; k++) { /* seen[] stays for all of them meanwhile */
    if (!redundant(e, e->lemma[k], &tainted)) {
      moc__lit l = e->lemma[k];
      e->lemma[k] = e->lemma[kept];
      e->lemma[kept++] = l;
    }
  }
  for (int64_t k = 0; k < all; k++) e->seen[moc__var(e->lemma[k])] = false;
  e->n_lemma = kept;
  int32_t back = 0, glue = 1;
  for (int64_t k = 1; k < kept; k++) {
    int32_t level = e->level[moc__var(e->lemma[k])];
    if (level > back) {
      back = level;
      moc__lit l = e->lemma[1];
      e->lemma[1] = e->lemma[k];
      e->lemma[k] = l;
    }
    bool first = true;
    for (int64_t j = 1; j < k && first && k < 64; j++) first = e->level[moc__var(e->lemma[j])] != level;
    glue += first;
  }
  moc__engine_backtrack(e, back);
  if (kept == 1) {
    add_unit(e, e->lemma[0], tainted);
    return !e->refuted;
  }
  int64_t clause = moc__store_clause(e, e->lemma, kept, glue, tainted);
  if (clause >= 0) {
    moc__clause_at(e, clause)->activity = (float)e->conflicts / 1000;
    moc__enqueue(e, e->lemma[0], MOC__REASON(MOC__CLAUSE, clause));
  }
  e->increment /= 0.95;
  return true;
}

/* --- Search --- */

static int64_t luby(int64_t i) {
  int64_t size = 1, power = 0;
  while (size < i + 1) {
    size = 2 * size + 1;
    power++;
  }
  while (size - 1 != i) {
    size /= 2; /* odd */
    power--;
    assert(size > 0);
    i %= size;
  }
  return INT64_C(1) << power;
}

static bool decide(moc__engine *e) {
  while (e->heap_count > 0) {
    int32_t v = heap_pop(e);
    if (e->value[v] != 0 || !e->decides[v]) continue;
    if (!push_level(e)) {
      e->out_of_memory = true;
      return false;
    }
    e->decisions++;
    moc__enqueue(e, 2 * v + (e->phase[v] < 0), MOC__DECISION);
    return true;
  }
  return false;
}

moc__search_end moc__engine_search(moc__engine *e, int64_t conflicts, bool (*stop)(void *), void *context) {
  int64_t end = e->conflicts + conflicts, restart = e->conflicts + RESTART_UNIT * luby(e->restarts);
  int64_t steps = 0;
  for (;;) {
    if (e->out_of_memory) return MOC__SEARCH_LIMIT;
    if (e->refuted) return MOC__SEARCH_REFUTED;
    bool fine = moc__propagate(e);
    if (fine && e->more != NULL && !e->out_of_memory) {
      int32_t before_more = e->n_trail;
      e->n_conflict = 0;
      e->conflict_taint = false;
      fine = e->more(e->more_context, e);
      if (fine && e->refuted) return MOC__SEARCH_REFUTED;
      if (fine && e->n_trail > before_more) continue;
    }
    if (++steps % CONFLICTS_A_CHECK == 0 && stop != NULL && stop(context)) return MOC__SEARCH_LIMIT;
    if (!fine) {
      e->conflicts++;
      if (!learn(e)) return MOC__SEARCH_REFUTED;
      if (e->n_learned > e->most_learned) {
        moc__engine_backtrack(e, 0);
        moc__reduce_clauses(e);
        e->most_learned += e->most_learned / 20;
      }
      continue;
    }
    if (e->conflicts >= end) return MOC__SEARCH_LIMIT;
    if (e->conflicts >= restart) {
      e->restarts++;
      restart = e->conflicts + RESTART_UNIT * luby(e->restarts);
      moc__engine_backtrack(e, 0);
      continue;
    }
    if (!decide(e)) return e->out_of_memory ? MOC__SEARCH_LIMIT : MOC__SEARCH_COMPLETE;
  }
}
