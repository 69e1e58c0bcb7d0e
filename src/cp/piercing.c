/* The starts of one operation, chosen from what the candidate says of intervals: X true for some, false for others.
 *
 * The greedy choice goes through the true intervals by their last stage and, where one holds no start yet, puts one at
 * its latest stage that no false interval covers. It needs the fewest starts. If it fails, the intervals that stood in
 * its way are a clause that every schedule satisfies:
 *  - interval I is covered by false J1..Jk:  X(I) -> X(J1) or ... or X(Jk);
 *  - it put starts at p1 < ... < pc, for I1..Ic; what lies in Ii behind pi is covered by false intervals, and Ii+1 begins
 *    behind pi. Then in every schedule the start in Ii is at most pi and that in Ii+1 later: X(I1), ..., X(Ic), none of
 *    the covering ones, imply N(p, c). */
#include "cp/internal.h"

#include <stdlib.h>

static int by_last(const void *a, const void *b) {
  const moc__span *x = a, *y = b;
  if (x->last != y->last) return x->last < y->last ? -1 : 1;
  return (x->first > y->first) - (x->first < y->first);
}

/* The false interval around stage x that reaches back furthest, or NULL. */
static const moc__span *false_around(const moc__model *m, const moc__starts *s, int32_t x) {
  const moc__span *best = NULL;
  for (int64_t i = 0; i < s->n_spans; i++) {
    const moc__span *j = &s->spans[i];
    if (j->first <= x && x <= j->last && moc__leaf(m, j->variable) < 0 && (best == NULL || j->first < best->first))
      best = j;
  }
  return best;
}

/* The greedy choice for the true intervals order[]. False when a clause was added. */
static bool choose_starts(moc__model *m, moc__starts *s, int32_t place, const moc__span *order, int64_t n_order) {
  moc__model_begin(m);
  for (int64_t i = 0; i < n_order; i++) {
    moc__span span = order[i];
    if (s->n_points > 0 && s->points[s->n_points - 1] >= span.first) continue;
    int64_t begun = m->n_clause;
    moc__model_add(m, moc__not(2 * span.variable));
    int32_t x = span.last;
    for (const moc__span *j; x >= span.first && (j = false_around(m, s, x)) != NULL; x = j->first - 1)
      moc__model_add(m, 2 * j->variable);
    if (x < span.first) { /* nothing left of it: the clause is that of this interval alone */
      m->n_clause -= begun;
      memmove(m->clause, m->clause + begun, (size_t)m->n_clause * sizeof *m->clause);
      moc__model_end_clause(m);
      return false;
    }
    if (!moc__grow(&m->allocator, &s->points, s->n_points, &s->points_capacity, sizeof *s->points)) {
      m->engine.out_of_memory = true;
      return false;
    }
    s->points[s->n_points++] = x;
  }
  if (s->n_points == 0) return true;
  bool paid = s->n_points <= s->n_times && moc__leaf(m, s->times[s->n_points - 1]) > 0;
  if (paid) return true;
  moc__lit *literals = m->clause; /* moc__model_times may build clauses of its own */
  int64_t size = m->n_clause, capacity = m->clause_capacity;
  m->clause = NULL;
  m->n_clause = m->clause_capacity = 0;
  moc__lit times = moc__model_times(m, place, (int32_t)s->n_points);
  moc__release(&m->allocator, m->clause);
  m->clause = literals;
  m->n_clause = size;
  m->clause_capacity = capacity;
  moc__model_add(m, times);
  moc__model_end_clause(m);
  return false;
}

/* False when a clause was added. */
static bool pierce_place(moc__model *m, int32_t place) {
  moc__starts *s = &m->starts[place];
  s->n_points = 0;
  if (s->n_spans == 0) return true;
  moc__span *order = MOC__NEW(&m->allocator, s->n_spans, moc__span);
  if (order == NULL) {
    m->engine.out_of_memory = true;
    return false;
  }
  int64_t count = 0; /* of true intervals */
  for (int64_t i = 0; i < s->n_spans; i++) {
    if (moc__leaf(m, s->spans[i].variable) > 0) order[count++] = s->spans[i];
  }
  qsort(order, (size_t)count, sizeof *order, by_last);
  bool fine = choose_starts(m, s, place, order, count);
  moc__release(&m->allocator, order);
  return fine;
}

bool moc__pierce(moc__model *m) {
  bool fine = true;
  m->n_pairs = 0;
  for (int32_t p = 0; p < m->staged->n && !m->engine.out_of_memory; p++) {
    if (!pierce_place(m, p)) fine = false;
    for (int64_t i = 0; fine && i < m->starts[p].n_points; i++) {
      if (!moc__grow(&m->allocator, &m->pairs, m->n_pairs, &m->pairs_capacity, sizeof *m->pairs)) {
        m->engine.out_of_memory = true;
        return false;
      }
      m->pairs[m->n_pairs++] = (moc__pair){p, m->starts[p].points[i]};
    }
  }
  return fine && !m->engine.out_of_memory;
}
