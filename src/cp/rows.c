/* Linear rows sum a_i l_i <= b. Each row's slack is kept up to date as literals become true; a row with less slack than
 * its largest coefficient is queued, and makes false every open literal that no longer fits. An explanation takes the
 * largest true coefficients first, until they suffice: few literals explain most. */
#include "cp/propagate.h"

void moc__enqueue(moc__engine *e, moc__lit l, moc__reason reason) {
  int32_t v = moc__var(l);
  assert(e->value[v] == 0);
  e->value[v] = l & 1 ? -1 : 1;
  e->level[v] = e->n_levels;
  e->position[v] = e->n_trail;
  e->reason[v] = reason;
  e->trail[e->n_trail++] = l;
  if (e->n_levels > 0) return;
  bool taint = false;
  if ((reason & 3) == MOC__CLAUSE) {
    moc__clause *c = moc__clause_at(e, reason >> 2);
    moc__lit *literals = (moc__lit *)(c + 1);
    taint = c->tainted;
    for (int32_t i = 0; i < c->size; i++) {
      if (literals[i] != l) taint |= e->fixed_taint[moc__var(literals[i])];
    }
  } else if ((reason & 3) == MOC__ROW) {
    int32_t row = (int32_t)(reason >> 2);
    taint = row == e->objective;
    for (int32_t i = 0; i < e->rows[row].count; i++) {
      moc__lit other = e->rows[row].terms[i].literal;
      if (moc__value(e, other) > 0) taint |= e->fixed_taint[moc__var(other)];
    }
  }
  e->fixed_taint[v] = taint;
}

bool moc__propagate(moc__engine *e) {
  for (;;) {
    while (e->processed < e->n_trail) {
      moc__lit l = e->trail[e->processed++];
      e->propagations++;
      moc__rows_count(e, l); /* first: every processed literal is counted */
      if (!moc__propagate_clauses(e, l)) return false;
    }
    if (e->n_row_queue == 0 || e->out_of_memory) return true;
    if (!moc__propagate_rows(e)) return false;
  }
}

static void queue_row(moc__engine *e, int32_t row) {
  if (e->rows[row].queued) return;
  if (!moc__grow(&e->allocator, &e->row_queue, e->n_row_queue, &e->row_queue_capacity, sizeof *e->row_queue)) {
    e->out_of_memory = true;
    return;
  }
  e->rows[row].queued = true;
  e->row_queue[e->n_row_queue++] = row;
}

void moc__queue_all_rows(moc__engine *e) {
  for (int32_t r = 0; r < e->n_rows; r++) queue_row(e, r);
}

void moc__rows_count(moc__engine *e, moc__lit l) {
  const moc__uses *uses = &e->uses[l];
  for (int64_t i = 0; i < uses->count; i++) {
    moc__row *row = &e->rows[uses->items[i].row];
    row->slack -= uses->items[i].coefficient;
    if (row->slack < row->trigger) queue_row(e, uses->items[i].row);
  }
}

void moc__rows_forget(moc__engine *e, int32_t keep) {
  for (int32_t i = keep; i < e->processed; i++) {
    const moc__uses *uses = &e->uses[e->trail[i]];
    for (int64_t k = 0; k < uses->count; k++) e->rows[uses->items[k].row].slack += uses->items[k].coefficient;
  }
}

/* Literals of a row that are true, before place `until` of the trail, with coefficients of more than `enough` in sum. */
static void explain_row(moc__engine *e, const moc__row *row, int64_t enough, int32_t until) {
  e->n_conflict = 0;
  int64_t sum = 0;
  for (int32_t i = 0; i < row->count && sum <= enough; i++) {
    moc__lit l = row->terms[i].literal;
    if (moc__value(e, l) <= 0 || e->position[moc__var(l)] >= until) continue;
    sum += row->terms[i].coefficient;
    moc__engine_conflict_literal(e, moc__not(l));
  }
  assert(sum > enough || e->out_of_memory);
}

void moc__row_explain(moc__engine *e, int32_t index, moc__lit l) {
  const moc__row *row = &e->rows[index];
  int32_t i = 0;
  while (row->terms[i].literal != moc__not(l)) i++;
  explain_row(e, row, row->bound - row->terms[i].coefficient, e->position[moc__var(l)]);
}

bool moc__propagate_rows(moc__engine *e) {
  while (e->n_row_queue > 0) {
    int32_t index = e->row_queue[--e->n_row_queue];
    moc__row *row = &e->rows[index];
    row->queued = false;
    if (row->slack < 0) {
      explain_row(e, row, row->bound, INT32_MAX);
      e->conflict_taint = index == e->objective;
      return false;
    }
    int32_t begun = e->n_trail;
    for (int32_t i = 0; i < row->count && row->terms[i].coefficient > row->slack; i++) {
      if (moc__value(e, row->terms[i].literal) == 0)
        moc__enqueue(e, moc__not(row->terms[i].literal), MOC__REASON(MOC__ROW, index));
    }
    if (e->n_trail > begun) return true; /* clauses first */
  }
  return true;
}

int32_t moc__engine_row(moc__engine *e, int64_t bound) {
  if (!moc__grow(&e->allocator, &e->rows, e->n_rows, &e->rows_capacity, sizeof *e->rows)) {
    e->out_of_memory = true;
    return -1;
  }
  e->rows[e->n_rows] = (moc__row){.bound = bound, .slack = bound};
  queue_row(e, (int32_t)e->n_rows);
  return (int32_t)e->n_rows++;
}

/* Is the literal true, and counted by the rows? */
static bool counted(const moc__engine *e, moc__lit l) {
  return moc__value(e, l) > 0 && e->position[moc__var(l)] < e->processed;
}

void moc__engine_term(moc__engine *e, int32_t index, int64_t coefficient, moc__lit l) {
  assert(e->n_levels == 0 && coefficient > 0);
  moc__row *row = &e->rows[index];
  moc__uses *uses = &e->uses[l];
  int32_t at = 0;
  while (at < row->count && row->terms[at].literal != l) at++;
  int64_t old = at < row->count ? row->terms[at].coefficient : 0;
  if (at == row->count) {
    int64_t capacity = row->capacity;
    if (!moc__grow(&e->allocator, &row->terms, row->count, &capacity, sizeof *row->terms) ||
        !moc__grow(&e->allocator, &uses->items, uses->count, &uses->capacity, sizeof *uses->items)) {
      e->out_of_memory = true;
      return;
    }
    row->capacity = (int32_t)capacity;
    row->count++;
    uses->items[uses->count++] = (moc__use){coefficient, index};
  } else {
    for (int64_t i = 0; i < uses->count; i++) {
      if (uses->items[i].row == index) uses->items[i].coefficient = coefficient;
    }
  }
  while (at > 0 && row->terms[at - 1].coefficient < coefficient) {
    row->terms[at] = row->terms[at - 1];
    at--;
  }
  row->terms[at] = (moc__term){coefficient, l};
  if (counted(e, l)) row->slack -= coefficient - old;
  row->trigger = row->terms[0].coefficient;
  queue_row(e, index);
}

void moc__engine_bound(moc__engine *e, int32_t index, int64_t bound) {
  e->rows[index].slack += bound - e->rows[index].bound;
  e->rows[index].bound = bound;
  queue_row(e, index);
}
