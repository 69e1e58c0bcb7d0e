/* Clauses with two watched literals in an arena. A clause that is a reason at level 0 may go: the analysis never asks
 * for the reasons of level 0. */
#include "cp/propagate.h"

static bool watch(moc__engine *e, moc__lit l, int64_t clause, moc__lit other) {
  moc__watches *w = &e->watches[moc__not(l)];
  if (!moc__grow(&e->allocator, &w->items, w->count, &w->capacity, sizeof *w->items)) return false;
  w->items[w->count++] = (moc__watch){clause, other};
  return true;
}

int64_t moc__store_clause(moc__engine *e, const moc__lit *literals, int64_t count, int32_t glue, bool tainted) {
  assert(count >= 2);
  int64_t needed = e->arena_count + MOC__CLAUSE_WORDS + count;
  bool ok = moc__reserve(&e->allocator, &e->arena, needed, &e->arena_capacity, sizeof *e->arena);
  if (glue > 0)
    ok = ok && moc__grow(&e->allocator, &e->learned, e->n_learned, &e->learned_capacity, sizeof *e->learned);
  else
    ok = ok && moc__grow(&e->allocator, &e->given, e->n_given, &e->given_capacity, sizeof *e->given);
  int64_t clause = e->arena_count;
  if (ok) {
    *moc__clause_at(e, clause) = (moc__clause){.size = (int32_t)count, .glue = glue, .tainted = tainted};
    memcpy(e->arena + clause + MOC__CLAUSE_WORDS, literals, (size_t)count * sizeof *literals);
    e->arena_count = needed;
    if (glue > 0)
      e->learned[e->n_learned++] = clause;
    else
      e->given[e->n_given++] = clause;
    ok = watch(e, literals[0], clause, literals[1]) && watch(e, literals[1], clause, literals[0]);
  }
  if (ok) return clause;
  e->out_of_memory = true;
  return -1;
}

bool moc__propagate_clauses(moc__engine *e, moc__lit literal) {
  moc__watches *w = &e->watches[literal];
  moc__lit falsified = moc__not(literal);
  int64_t kept = 0, i = 0;
  bool fine = true;
  for (; i < w->count; i++) {
    moc__watch watched = w->items[i];
    if (moc__value(e, watched.other) > 0) {
      w->items[kept++] = watched;
      continue;
    }
    moc__clause *c = moc__clause_at(e, watched.clause);
    moc__lit *l = (moc__lit *)(c + 1);
    if (l[0] == falsified) {
      l[0] = l[1];
      l[1] = falsified;
    }
    if (moc__value(e, l[0]) > 0) {
      w->items[kept++] = (moc__watch){watched.clause, l[0]};
      continue;
    }
    int32_t k = 2;
    while (k < c->size && moc__value(e, l[k]) < 0) k++;
    if (k < c->size) {
      l[1] = l[k];
      l[k] = falsified;
      if (!watch(e, l[1], watched.clause, l[0])) {
        e->out_of_memory = true; /* the watch is lost; the engine is not used any more */
        break;
      }
      continue;
    }
    w->items[kept++] = (moc__watch){watched.clause, l[0]};
    if (moc__value(e, l[0]) < 0) {
      e->n_conflict = 0;
      for (int32_t j = 0; j < c->size; j++) moc__engine_conflict_literal(e, l[j]);
      e->conflict_taint = c->tainted;
      if (c->glue > 0) c->activity += 1;
      fine = false;
      i++;
      break;
    }
    moc__enqueue(e, l[0], MOC__REASON(MOC__CLAUSE, watched.clause));
  }
  for (; i < w->count; i++) w->items[kept++] = w->items[i];
  w->count = kept;
  return fine;
}

void moc__collect_clauses(moc__engine *e) {
  int64_t to = 0;
  for (int64_t l = 0; l < 2 * (int64_t)e->n_vars; l++) e->watches[l].count = 0;
  int64_t *lists[] = {e->given, e->learned}, counts[] = {e->n_given, e->n_learned};
  /* Both lists are in the order of the arena: merge them, moving each clause down. */
  for (int64_t next[2] = {0, 0}; next[0] < counts[0] || next[1] < counts[1];) {
    int which = next[0] == counts[0] || (next[1] < counts[1] && lists[1][next[1]] < lists[0][next[0]]);
    int64_t *clause = &lists[which][next[which]++];
    int64_t words = MOC__CLAUSE_WORDS + moc__clause_at(e, *clause)->size;
    memmove(e->arena + to, e->arena + *clause, (size_t)words * sizeof *e->arena);
    *clause = to;
    to += words;
    moc__lit *l = (moc__lit *)(moc__clause_at(e, *clause) + 1);
    /* Watches must not be false while another literal is not. */
    int32_t size = moc__clause_at(e, *clause)->size;
    for (int32_t i = 0, front = 0; i < size && front < 2; i++) {
      if (moc__value(e, l[i]) < 0) continue;
      moc__lit swap = l[i];
      l[i] = l[front];
      l[front++] = swap;
    }
    if (!watch(e, l[0], *clause, l[1]) || !watch(e, l[1], *clause, l[0])) e->out_of_memory = true;
  }
  e->arena_count = to;
}

void moc__reduce_clauses(moc__engine *e) {
  assert(e->n_levels == 0);
  /* The threshold: the middle activity of the clauses that may go. */
  int64_t candidates = 0;
  double sum = 0;
  for (int64_t i = 0; i < e->n_learned; i++) {
    moc__clause *c = moc__clause_at(e, e->learned[i]);
    if (c->glue <= 2) continue;
    candidates++;
    sum += (double)c->activity;
  }
  double middle = candidates == 0 ? 0 : sum / (double)candidates;
  int64_t kept = 0;
  for (int64_t i = 0; i < e->n_learned; i++) {
    moc__clause *c = moc__clause_at(e, e->learned[i]);
    if (c->glue <= 2 || (double)c->activity > middle) e->learned[kept++] = e->learned[i];
  }
  e->n_learned = kept;
  moc__collect_clauses(e);
}
