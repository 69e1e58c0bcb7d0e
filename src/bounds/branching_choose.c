/* What to branch on: literals that the average solution leaves open, and answers that need no case; see branching.h.
 *
 * All here is floating point, and only picks: what follows from an answer is proved afterwards. To choose takes two short
 * ascents for each of a few candidates. For each interval of an operation, to find those takes O(stages of its average
 * solution, and cells times cases), and to find what is refuted its best choice a few times. */
#include "bounds/branching_tree.h"

#include <math.h>

enum {
  STRONG_ROUNDS = 12, /* for each answer of a candidate */
  CANDIDATES = 8
};

typedef struct candidate {
  moc__branch_literal l;
  double score;
} candidate;

/* What the value would be with one more assumption. After moc__retain_look. */
static double value_with(moc__branching *b, moc__branch_literal l, bool runs) {
  moc__retain *r = &b->retain;
  moc__retain_op *op = &r->ops[l.place];
  int64_t first = op->first_case, count = op->n_cases;
  double now = moc__retain_value_of(r, l.place);
  memcpy(b->cases + b->n_cases, b->cases + first, (size_t)count * sizeof *b->cases);
  b->cases[b->n_cases + count] =
      (moc__retain_case){l.place, moc__retain_interval(r, l.place, l.first, l.last), runs};
  op->first_case = b->n_cases;
  op->n_cases = count + 1;
  double then = moc__retain_value_of(r, l.place);
  op->first_case = first;
  op->n_cases = count;
  return r->value + (then - now);
}

/* Whether an answer follows from what is assumed of the operation, as far as that is easy to see. */
static bool answered(const moc__branching *b, moc__branch_literal l) {
  const moc__retain *r = &b->retain;
  const moc__retain_op *op = &r->ops[l.place];
  if (op->n_cases == 0) return false;
  for (int64_t i = op->first_case; i < op->first_case + op->n_cases; i++) {
    moc__interval x = op->intervals[b->cases[i].interval];
    if (b->cases[i].runs ? l.first <= x.first && x.last <= l.last : x.first <= l.first && l.last <= x.last)
      return true;
  }
  if (!r->single) return false;
  bool yes = false, no = moc__retain_may_end(r, op, -1);
  for (int32_t i = 0; i < op->n_cells; i++) {
    if (!moc__retain_may_follow(r, op, -1, i) || !moc__retain_may_end(r, op, i)) continue;
    yes |= op->cell[i] <= l.last && op->cell[i + 1] > l.first;
    no |= op->cell[i] < l.first || op->cell[i + 1] - 1 > l.last;
  }
  return !yes || !no;
}

static void propose(const moc__branching *b, candidate *list, int *count, moc__branch_literal l, double mass) {
  if (l.first > l.last || answered(b, l)) return;
  double half = fmin(mass, 1 - mass);
  candidate c = {l, fmax(half, 1e-4) * ((double)b->retain.staged->duration[l.place] + 1)};
  int i = *count < CANDIDATES ? (*count)++ : CANDIDATES - 1;
  if (i == CANDIDATES - 1 && *count == CANDIDATES && list[i].score >= c.score && list[i].l.last != 0) return;
  for (; i > 0 && list[i - 1].score < c.score; i--) list[i] = list[i - 1];
  list[i] = c;
}

static double mass_in(const moc__retain_op *op, int32_t first, int32_t last) {
  double sum = 0;
  for (int64_t i = 0; i < op->n_masses && op->stage[i] <= last; i++) {
    if (op->stage[i] >= first) sum += op->mass[i];
  }
  return sum;
}

/* Where the average solution has no fraction and is none all the same: whatever is not settled yet. */
static void propose_open(const moc__branching *b, candidate *list, int *count) {
  const moc__staged *staged = b->retain.staged;
  for (int32_t p = 0; p < staged->n; p++) {
    const moc__retain_op *op = &b->retain.ops[p];
    if (staged->compute_once[p] || p + 1 >= staged->n) continue;
    propose(b, list, count, (moc__branch_literal){p, p + 1, staged->n - 1}, 0);
    for (int64_t i = op->first_case; i < op->first_case + op->n_cases; i++) {
      moc__interval x = op->intervals[b->cases[i].interval];
      if (b->cases[i].runs)
        propose(b, list, count, (moc__branch_literal){p, x.first, x.first + (x.last - x.first) / 2}, 0);
    }
  }
}

/* Fractions of the average solution: is there a start at all; is it in the interval of some support; in the first half of
 * where it may be. */
static int find_candidates(const moc__branching *b, candidate *list) {
  const moc__staged *staged = b->retain.staged;
  int count = 0;
  memset(list, 0, CANDIDATES * sizeof *list);
  for (int32_t p = 0; p < staged->n; p++) {
    const moc__retain_op *op = &b->retain.ops[p];
    double sum = 0, best = 2, inside = 2;
    if (staged->compute_once[p]) continue;
    moc__branch_literal any = {p, p + 1, staged->n - 1}, half = {p, 0, -1}, interval = {p, 0, -1};
    for (int64_t i = 0; i < op->n_masses; i++) {
      sum += op->mass[i];
      if (i + 1 == op->n_masses || fabs(sum - 0.5) >= fabs(best - 0.5)) continue;
      best = sum;
      half = (moc__branch_literal){p, p + 1, op->stage[i]};
    }
    if (sum < 0.02) continue;
    for (int64_t i = 0; i < op->n_intervals; i++) {
      moc__branch_literal l = {p, op->intervals[i].first, op->intervals[i].last};
      double mass = mass_in(op, l.first, l.last);
      double worse = fabs(mass - 0.5) - fabs(inside - 0.5);
      if (worse > 0.01 || (worse > -0.01 && l.last - l.first <= interval.last - interval.first)) continue;
      if (answered(b, l)) continue;
      inside = mass;
      interval = l;
    }
    if (inside > 0.02 && inside < 0.98) propose(b, list, &count, interval, inside);
    if (!answered(b, any) && (interval.first != any.first || interval.last != any.last)) {
      propose(b, list, &count, any, fmin(sum, 1));
    } else if (best < 0.98 && (inside > 0.9 || inside < 0.1)) {
      propose(b, list, &count, half, best);
    } else if (op->n_masses > 0) { /* one stage has it all: or does it not? */
      propose(b, list, &count, (moc__branch_literal){p, p + 1, op->stage[op->n_masses - 1]}, 0.99);
      propose(b, list, &count, (moc__branch_literal){p, op->stage[0], staged->n - 1}, 0.99);
    }
  }
  if (count == 0) propose_open(b, list, &count);
  return count;
}

bool moc__branching_choose(moc__branching *b, int64_t index, int64_t target, moc__branch_literal *found,
                           bool (*stop)(void *), void *context) {
  moc__retain *r = &b->retain;
  candidate list[CANDIDATES];
  int64_t p = b->nodes[index].part;
  double now = r->reached, best = -1;
  int count = find_candidates(b, list);
  for (int i = 0; i < count && !b->failed; i++) {
    double gain[2];
    if (count == 1) {
      *found = list[0].l;
      return true;
    }
    for (int side = 0; side < 2; side++) {
      if (stop != NULL && stop(context)) return false;
      moc__branching_assume(b, index, &list[i].l, side == 0);
      if (b->failed) return false;
      moc__branching_load(b, p);
      moc__branching_ascend(b, target, STRONG_ROUNDS, stop, context);
      gain[side] = fmax(r->reached - now, 0) + 1e-6;
    }
    if (gain[0] * gain[1] <= best) continue;
    best = gain[0] * gain[1];
    *found = list[i].l;
  }
  return best >= 0 && !b->failed;
}

/* For every operation of the average solution the widest interval that it cannot start in, and the narrowest that it must
 * start in. */
int moc__branching_refuted(moc__branching *b, int64_t target, moc__branch_literal *found, bool *runs) {
  moc__retain *r = &b->retain;
  double cap = (double)target / r->cost_unit * (1 + 1e-9);
  int count = 0;
  moc__retain_look(r);
  for (int32_t p = 0; p < r->staged->n && count + 2 <= MOC__MOST_REFUTED; p++) {
    moc__retain_op *op = &r->ops[p];
    moc__branch_literal never = {p, 0, -1}, always = {p, 0, -1};
    if (mass_in(op, p + 1, r->staged->n - 1) < 0.02) continue;
    for (int64_t i = 0; i < op->n_intervals; i++) {
      moc__branch_literal l = {p, op->intervals[i].first, op->intervals[i].last};
      double mass = mass_in(op, l.first, l.last);
      if (answered(b, l)) continue;
      if (mass > 0.02 && l.last - l.first > never.last - never.first && value_with(b, l, true) >= cap) never = l;
      if (mass < 0.98 && (always.last < 0 || l.last - l.first < always.last - always.first) &&
          value_with(b, l, false) >= cap)
        always = l;
    }
    if (never.last >= 0) {
      found[count] = never;
      runs[count++] = true;
    }
    if (always.last >= 0) {
      found[count] = always;
      runs[count++] = false;
    }
  }
  return count;
}
