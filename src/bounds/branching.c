/* Proofs by cases: the tree; see branching.h. */
#include "bounds/branching.h"

#include <math.h>
#include <stdlib.h>

enum {
  FIRST_ROUNDS = 60,  /* of the ascent in a new case */
  MORE_ROUNDS = 100,  /* after events and supports were added for it */
  LOOK_ROUNDS = 100,  /* before a case is divided, for its average solution */
  STRONG_ROUNDS = 12, /* for each answer of a candidate */
  CANDIDATES = 8,
  MOST_REFUTED = 64, /* answers fixed at a time */
  MOST_NODES = 8192,
  MOST_BYTES = 2 << 20, /* of the certificate in a plan file, about */
  SHARE_BYTES = 32,
  WEIGHT_BYTES = 36,
  WEIGHT_BITS = 28 /* of the largest weight of the first case; later ones may be larger */
};

typedef struct part_weight {
  int32_t event;
  int64_t weight;
} part_weight;
typedef struct part_share {
  int32_t support; /* its number */
  int32_t share;
} part_share;
/* Multipliers. */
typedef struct part {
  part_weight *weights;
  part_share *shares;
  int64_t n_weights, n_shares;
  int64_t users; /* leaves */
} part;

typedef struct literal {
  int32_t place, first, last;
} literal;

typedef struct node {
  int64_t above, below; /* below: where some start is; below + 1: where none is; -1: a leaf */
  literal branch;
  bool runs; /* its answer to the branch above */
  bool done; /* cannot be divided */
  int32_t depth;
  int64_t part;
  int64_t extra; /* proved; INT64_MAX: there is no such schedule */
} node;

typedef struct candidate {
  literal l;
  double score;
} candidate;

struct moc__branching {
  moc_allocator allocator;
  moc__retain retain;
  int shift;
  node *nodes;
  int64_t n_nodes, nodes_capacity;
  part *parts; /* parts[0] has no weights */
  int64_t n_parts, parts_capacity;
  int64_t bytes;                                        /* of parts in use */
  int64_t *weight;                                      /* [retain.n_events] work space */
  int32_t *fraction;                                    /* [retain.n_supports] */
  int32_t *index_of;                                    /* [retain.n_supports] supports by number */
  moc__retain_case cases[2 * MOC_MAX_BRANCH_DEPTH + 2]; /* the second half is work space */
  int64_t n_cases;
  bool laid_out;
  bool failed; /* memory is out */
};

/* --- Layout and assumptions --- */

static void lay_out(moc__branching *b) {
  moc__retain *r = &b->retain;
  if (b->laid_out || b->failed) return;
  int64_t *weight = moc__resize(&b->allocator, b->weight, r->n_events, sizeof *weight);
  if (weight != NULL) b->weight = weight;
  int32_t *fraction = moc__resize(&b->allocator, b->fraction, r->n_supports, sizeof *fraction);
  if (fraction != NULL) b->fraction = fraction;
  int32_t *index_of = moc__resize(&b->allocator, b->index_of, r->n_supports, sizeof *index_of);
  if (index_of != NULL) b->index_of = index_of;
  b->failed = weight == NULL || fraction == NULL || index_of == NULL || r->out_of_memory || !moc__retain_lay_out(r);
  if (b->failed) return;
  for (int32_t k = 0; k < r->n_supports; k++) b->index_of[r->supports[k].number] = k;
  r->work += (r->n_supports + r->n_flat) / 20;
  b->laid_out = true;
}

static int by_place(const void *a, const void *b) {
  const moc__retain_case *x = a, *y = b;
  if (x->place != y->place) return x->place < y->place ? -1 : 1;
  return (x->interval > y->interval) - (x->interval < y->interval);
}

static void assume_one(moc__branching *b, literal l, bool runs) {
  int64_t before = b->retain.ops[l.place].n_intervals;
  int32_t interval = moc__retain_interval(&b->retain, l.place, l.first, l.last);
  if (interval < 0) {
    b->failed = true;
    return;
  }
  if (b->retain.ops[l.place].n_intervals != before) b->laid_out = false;
  b->cases[b->n_cases++] = (moc__retain_case){l.place, interval, runs};
}

/* Assume what leads to a node, and `more` (may be NULL). */
static void assume(moc__branching *b, int64_t index, const literal *more, bool runs) {
  moc__retain *r = &b->retain;
  for (int64_t i = 0; i < b->n_cases; i++) r->ops[b->cases[i].place].n_cases = 0;
  b->n_cases = 0;
  for (int64_t i = index; b->nodes[i].above >= 0; i = b->nodes[i].above)
    assume_one(b, b->nodes[b->nodes[i].above].branch, b->nodes[i].runs);
  if (more != NULL) assume_one(b, *more, runs);
  if (b->n_cases > 0) qsort(b->cases, (size_t)b->n_cases, sizeof *b->cases, by_place);
  r->cases = b->cases;
  for (int64_t i = b->n_cases - 1; i >= 0; i--) {
    r->ops[b->cases[i].place].first_case = i;
    r->ops[b->cases[i].place].n_cases++;
  }
  lay_out(b);
}

/* --- Parts --- */

static int64_t bytes_of(const part *p) {
  return p->n_weights * WEIGHT_BYTES + p->n_shares * SHARE_BYTES;
}

static void use(moc__branching *b, int64_t index, int64_t users) {
  part *p = &b->parts[index];
  if (p->users == 0) b->bytes += bytes_of(p);
  p->users += users;
  if (p->users > 0) return;
  b->bytes -= bytes_of(p);
  if (index == 0) return;
  moc__release(&b->allocator, p->weights);
  moc__release(&b->allocator, p->shares);
  *p = (part){0};
}

/* Weights and fractions of a part, to weight[] and fraction[]. */
static void spread(moc__branching *b, const part *p) {
  memset(b->weight, 0, (size_t)b->retain.n_events * sizeof *b->weight);
  memset(b->fraction, 0, (size_t)b->retain.n_supports * sizeof *b->fraction);
  for (int64_t i = 0; i < p->n_weights; i++) b->weight[p->weights[i].event] = p->weights[i].weight;
  for (int64_t i = 0; i < p->n_shares; i++) b->fraction[b->index_of[p->shares[i].support]] = p->shares[i].share;
}

/* What weight[] and fraction[] prove under what is assumed; -1: nothing. */
static int64_t prove(moc__branching *b) {
  int64_t extra;
  return moc__retain_prove(&b->retain, b->shift, b->weight, b->fraction, &extra) ? extra : -1;
}

static int64_t prove_part(moc__branching *b, int64_t index) {
  spread(b, &b->parts[index]);
  return prove(b);
}

/* Its multipliers become the best ones of the ascent. */
static void load(moc__branching *b, int64_t index) {
  moc__retain *r = &b->retain;
  int64_t extra;
  spread(b, &b->parts[index]);
  (void)moc__retain_prove(r, b->shift, b->weight, b->fraction, &extra); /* shares the rest out */
  double scale = r->cost_unit / r->byte_unit;
  for (int64_t i = 0; i < r->n_events; i++) r->events[i].best = ldexp((double)b->weight[i], -b->shift) / scale;
  for (int64_t k = 0; k < r->n_supports; k++) {
    if (b->weight[r->holds[r->supports[k].hold].event] == 0) continue; /* as some ascent left them */
    r->supports[k].best = ldexp((double)b->fraction[k], -MOC__FRACTION_SHIFT);
  }
}

/* The part that weight[] and fraction[] are; its index, or -1 when memory is out. */
static int64_t keep(moc__branching *b) {
  moc__retain *r = &b->retain;
  part p = {0};
  for (int64_t i = 0; i < r->n_events; i++) p.n_weights += b->weight[i] > 0;
  for (int64_t k = 0; k < r->n_supports; k++)
    p.n_shares +=
        r->supports[k].read >= 0 && b->fraction[k] > 0 && b->weight[r->holds[r->supports[k].hold].event] > 0;
  p.weights = MOC__NEW(&b->allocator, p.n_weights, part_weight);
  p.shares = MOC__NEW(&b->allocator, p.n_shares, part_share);
  if (p.weights == NULL || p.shares == NULL ||
      !moc__grow(&b->allocator, &b->parts, b->n_parts, &b->parts_capacity, sizeof *b->parts)) {
    moc__release(&b->allocator, p.weights);
    moc__release(&b->allocator, p.shares);
    b->failed = true;
    return -1;
  }
  p.n_weights = p.n_shares = 0;
  for (int32_t i = 0; i < r->n_events; i++) {
    if (b->weight[i] > 0) p.weights[p.n_weights++] = (part_weight){i, b->weight[i]};
  }
  for (int64_t k = 0; k < r->n_supports; k++) { /* laid out: by event */
    const moc__retain_support *s = &r->supports[k];
    if (s->read >= 0 && b->fraction[k] > 0 && b->weight[r->holds[s->hold].event] > 0)
      p.shares[p.n_shares++] = (part_share){s->number, b->fraction[k]};
  }
  b->parts[b->n_parts] = p;
  return b->n_parts++;
}

/* What the ascent found for a node: kept if it proves more, without the shares that it can do without. */
static void take(moc__branching *b, int64_t index, int64_t target) {
  static const double leasts[] = {0.25, 0.06, 0.015, 0.004, 0};
  node *x = &b->nodes[index];
  moc__retain_round(&b->retain, b->shift, 0, b->weight, b->fraction);
  int64_t all = prove(b);
  if (all <= x->extra) return;
  /* A leaf that is not closed may lose a little: it will be divided, or is not the last. */
  int64_t need = all >= target ? target : all - (target - all) / 256;
  if (need <= x->extra) need = all;
  for (size_t i = 0; i < sizeof leasts / sizeof *leasts; i++) {
    moc__retain_round(&b->retain, b->shift, leasts[i], b->weight, b->fraction);
    all = prove(b);
    if (all >= need) break;
  }
  int64_t made = keep(b);
  if (made < 0) return;
  use(b, made, 1);
  use(b, x->part, -1);
  x->part = made;
  x->extra = all;
}

/* --- The bound of a case --- */

static void try_part(moc__branching *b, int64_t index, int64_t p) {
  if (p == b->nodes[index].part) return;
  int64_t extra = prove_part(b, p);
  if (extra <= b->nodes[index].extra) return;
  use(b, p, 1);
  use(b, b->nodes[index].part, -1);
  b->nodes[index].part = p;
  b->nodes[index].extra = extra;
}

static void ascend(moc__branching *b, int64_t target, int32_t rounds, bool (*stop)(void *), void *context) {
  int64_t aim = target + target / 100000 + 1;
  moc__retain_ascend(&b->retain, aim, rounds, NULL, NULL, stop, context);
}

/* The average never quite reaches a whole start, and a few bytes over budget are lost in what is missing. */
static void snap(moc__branching *b) {
  for (int32_t p = 0; p < b->retain.staged->n; p++) {
    moc__retain_op *op = &b->retain.ops[p];
    for (int64_t i = 0; i < op->n_masses; i++) {
      if (op->mass[i] > 0.9) op->mass[i] = 1;
    }
  }
}

/* Better multipliers for a node, from those of a part; for the second time with events and supports of its own. */
static void improve(moc__branching *b, int64_t index, int64_t from, int64_t target, bool (*stop)(void *),
                    void *context) {
  node *x = &b->nodes[index];
  for (int round = 0; round < 2 && x->extra < target && !b->failed; round++) {
    if (stop != NULL && stop(context)) return;
    if (round == 1) {
      snap(b);
      if (moc__retain_separate(&b->retain, stop, context) > 0) b->laid_out = false;
      lay_out(b);
      if (b->failed) return;
    }
    load(b, round == 1 ? x->part : from);
    ascend(b, target, round == 0 ? FIRST_ROUNDS : MORE_ROUNDS, stop, context);
    take(b, index, target);
  }
}

/* `near`: the part of a case like it. */
static void bound_node(moc__branching *b, int64_t index, int64_t above, int64_t near, int64_t target,
                       bool (*stop)(void *), void *context) {
  node *x = &b->nodes[index];
  assume(b, index, NULL, false);
  if (b->failed) return;
  x->part = 0;
  use(b, 0, 1);
  x->extra = prove_part(b, 0);
  if (x->extra < target) try_part(b, index, above);
  if (x->extra < target) try_part(b, index, near);
  improve(b, index, x->part == 0 ? above : x->part, target, stop, context);
}

/* --- What to branch on --- */

/* What the value would be with one more assumption. After moc__retain_look. */
static double value_with(moc__branching *b, literal l, bool runs) {
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
static bool answered(const moc__branching *b, literal l) {
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

static void propose(const moc__branching *b, candidate *list, int *count, literal l, double mass) {
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
    propose(b, list, count, (literal){p, p + 1, staged->n - 1}, 0);
    for (int64_t i = op->first_case; i < op->first_case + op->n_cases; i++) {
      moc__interval x = op->intervals[b->cases[i].interval];
      if (b->cases[i].runs) propose(b, list, count, (literal){p, x.first, x.first + (x.last - x.first) / 2}, 0);
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
    literal any = {p, p + 1, staged->n - 1}, half = {p, 0, -1}, interval = {p, 0, -1};
    for (int64_t i = 0; i < op->n_masses; i++) {
      sum += op->mass[i];
      if (i + 1 == op->n_masses || fabs(sum - 0.5) >= fabs(best - 0.5)) continue;
      best = sum;
      half = (literal){p, p + 1, op->stage[i]};
    }
    if (sum < 0.02) continue;
    for (int64_t i = 0; i < op->n_intervals; i++) {
      literal l = {p, op->intervals[i].first, op->intervals[i].last};
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
      propose(b, list, &count, (literal){p, p + 1, op->stage[op->n_masses - 1]}, 0.99);
      propose(b, list, &count, (literal){p, op->stage[0], staged->n - 1}, 0.99);
    }
  }
  if (count == 0) propose_open(b, list, &count);
  return count;
}

/* The literal whose answers both raise the bound most. False: there is nothing to tell apart. */
static bool choose(moc__branching *b, int64_t index, int64_t target, literal *found, bool (*stop)(void *),
                   void *context) {
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
      assume(b, index, &list[i].l, side == 0);
      if (b->failed) return false;
      load(b, p);
      ascend(b, target, STRONG_ROUNDS, stop, context);
      gain[side] = fmax(r->reached - now, 0) + 1e-6;
    }
    if (gain[0] * gain[1] <= best) continue;
    best = gain[0] * gain[1];
    *found = list[i].l;
  }
  return best >= 0 && !b->failed;
}

/* --- The whole --- */

static bool copy_relaxation(moc__branching *b, const moc__retain *root) {
  moc__retain *r = &b->retain;
  for (int32_t p = 0; p < root->staged->n; p++) { /* the program's literals are among them */
    for (int64_t i = 0; i < root->ops[p].n_intervals; i++)
      (void)moc__retain_interval(r, p, root->ops[p].intervals[i].first, root->ops[p].intervals[i].last);
  }
  for (int64_t e = 0; e < root->n_events; e++) {
    moc__retain_event event = root->events[e];
    if (event.best <= 0 && event.proves <= 0) continue;
    if (!moc__grow(&b->allocator, &r->events, r->n_events, &r->events_capacity, sizeof *r->events)) return false;
    int64_t first = event.first_hold;
    event.first_hold = -1;
    r->events[r->n_events++] = event;
    for (int64_t h = first; h >= 0; h = root->holds[h].next) {
      int64_t hold = moc__retain_hold_add(r, r->n_events - 1, root->holds[h].tensor, root->holds[h].size);
      if (hold < 0) return false;
      for (int64_t k = root->holds[h].first_support; k >= 0; k = root->supports[k].next) {
        moc__retain_support s = root->supports[k];
        if (s.read >= 0) {
          moc__interval x = root->ops[s.reader].intervals[s.read];
          s.read = moc__retain_interval(r, s.reader, x.first, x.last);
        }
        if (s.end >= 0) {
          moc__interval x = root->ops[s.ender].intervals[s.end];
          s.end = moc__retain_interval(r, s.ender, x.first, x.last);
        }
        moc__retain_support_add(r, hold, s);
      }
    }
  }
  return !r->out_of_memory;
}

/* The multipliers of the best bound so far, which the search may have left far behind. */
static void load_proven(moc__branching *b, int shift) {
  moc__retain *r = &b->retain;
  double scale = r->cost_unit / r->byte_unit;
  for (int64_t i = 0; i < r->n_events; i++) r->events[i].best = ldexp((double)r->events[i].proves, -shift) / scale;
  for (int64_t k = 0; k < r->n_supports; k++)
    r->supports[k].best = ldexp((double)r->supports[k].proves, -MOC__FRACTION_SHIFT);
}

/* The largest weight of the first case has so many bits; where it has none, what pays a typical operation for a typical
 * tensor. */
static int choose_shift(const moc__retain *r, int proven_shift) {
  double largest = 0, scale = r->cost_unit / r->byte_unit;
  for (int64_t i = 0; i < r->n_events; i++) {
    largest = fmax(largest, r->events[i].best * scale);
    largest = fmax(largest, ldexp((double)r->events[i].proves, -proven_shift));
  }
  if (!(largest > 0) || !isfinite(largest)) largest = scale;
  int shift = WEIGHT_BITS - ilogb(fmin(largest, scale));
  return shift < 0 ? 0 : shift > 50 ? 50 : shift;
}

moc__branching *moc__branching_create(const moc__retain *root, int32_t max_computes) {
  moc__branching *b = moc__allocate_zeroed(&root->allocator, 1, sizeof *b);
  if (b == NULL) return NULL;
  b->allocator = root->allocator;
  bool room =
      moc__retain_init(&b->retain, root->staged, root->budget, max_computes, &b->allocator, NULL) == MOC_OK &&
      moc__grow(&b->allocator, &b->nodes, 0, &b->nodes_capacity, sizeof *b->nodes) &&
      moc__grow(&b->allocator, &b->parts, 0, &b->parts_capacity, sizeof *b->parts) && copy_relaxation(b, root);
  if (room) {
    b->parts[b->n_parts++] = (part){0};
    b->nodes[b->n_nodes++] = (node){.above = -1, .below = -1};
    b->shift = choose_shift(&b->retain, root->shift);
    use(b, 0, 1);
    lay_out(b);
  }
  if (room && !b->failed) {
    take(b, 0, INT64_MAX);
    load_proven(b, root->shift);
    take(b, 0, INT64_MAX);
    return b;
  }
  moc__branching_destroy(b);
  return NULL;
}

void moc__branching_destroy(moc__branching *b) {
  if (b == NULL) return;
  moc_allocator allocator = b->allocator;
  for (int64_t i = 0; i < b->n_parts; i++) {
    moc__release(&allocator, b->parts[i].weights);
    moc__release(&allocator, b->parts[i].shares);
  }
  b->retain.cases = NULL;
  if (b->retain.ops != NULL) moc__retain_release(&b->retain);
  void *blocks[] = {b->nodes, b->parts, b->weight, b->fraction, b->index_of, b};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(&allocator, blocks[i]);
}

/* The leaf that proves least; -1: none proves less than `target`. */
static int64_t weakest(const moc__branching *b, int64_t target) {
  int64_t found = -1;
  for (int64_t i = 0; i < b->n_nodes; i++) {
    if (b->nodes[i].below >= 0 || b->nodes[i].extra >= target) continue;
    if (found < 0 || b->nodes[i].extra < b->nodes[found].extra) found = i;
  }
  return found;
}

/* Two leaves below a leaf. False when memory is out. */
static bool add_branch(moc__branching *b, int64_t index, literal l) {
  for (int side = 0; side < 2; side++) {
    if (!moc__grow(&b->allocator, &b->nodes, b->n_nodes, &b->nodes_capacity, sizeof *b->nodes)) {
      b->failed = true;
      b->n_nodes -= side;
      return false;
    }
    b->nodes[b->n_nodes++] = (node){.above = index,
                                    .below = -1,
                                    .runs = side == 0,
                                    .depth = b->nodes[index].depth + 1,
                                    .part = b->nodes[index].part,
                                    .extra = -1};
  }
  b->nodes[index].branch = l;
  b->nodes[index].below = b->n_nodes - 2;
  return true;
}

static void remove_branch(moc__branching *b, int64_t index) {
  b->nodes[index].below = -1;
  b->n_nodes -= 2;
}

/* An answer that the leaf's own multipliers refute: a branch whose other leaf takes its place. That one, or -1 if exact
 * integers do not refute it. */
static int64_t fix(moc__branching *b, int64_t index, literal l, bool runs, int64_t target) {
  int64_t own = b->nodes[index].part;
  if (!add_branch(b, index, l)) return -1;
  int64_t closed = b->nodes[index].below + !runs, open = b->nodes[index].below + runs;
  assume(b, closed, NULL, false);
  b->nodes[closed].extra = b->failed ? -1 : prove_part(b, own);
  if (b->nodes[closed].extra < target) {
    remove_branch(b, index);
    return -1;
  }
  b->nodes[open].extra = b->nodes[index].extra;
  use(b, own, 1);
  return open;
}

/* For every operation of the average solution the widest interval that it cannot start in, and the narrowest that it must
 * start in: *count literals and the refuted answers. */
static void find_refuted(moc__branching *b, int64_t target, literal *found, bool *runs, int *count) {
  moc__retain *r = &b->retain;
  double cap = (double)target / r->cost_unit * (1 + 1e-9);
  moc__retain_look(r);
  for (int32_t p = 0; p < r->staged->n && *count + 2 <= MOST_REFUTED; p++) {
    moc__retain_op *op = &r->ops[p];
    literal never = {p, 0, -1}, always = {p, 0, -1};
    if (mass_in(op, p + 1, r->staged->n - 1) < 0.02) continue;
    for (int64_t i = 0; i < op->n_intervals; i++) {
      literal l = {p, op->intervals[i].first, op->intervals[i].last};
      double mass = mass_in(op, l.first, l.last);
      if (answered(b, l)) continue;
      if (mass > 0.02 && l.last - l.first > never.last - never.first && value_with(b, l, true) >= cap) never = l;
      if (mass < 0.98 && (always.last < 0 || l.last - l.first < always.last - always.first) &&
          value_with(b, l, false) >= cap)
        always = l;
    }
    if (never.last >= 0) {
      found[*count] = never;
      runs[(*count)++] = true;
    }
    if (always.last >= 0) {
      found[*count] = always;
      runs[(*count)++] = false;
    }
  }
}

/* Fix what can be, from a leaf on. The leaf that takes its place; itself if nothing can be fixed. */
static int64_t fix_all(moc__branching *b, int64_t index, int64_t target) {
  literal found[MOST_REFUTED];
  bool runs[MOST_REFUTED];
  int count = 0;
  load(b, b->nodes[index].part);
  find_refuted(b, target, found, runs, &count);
  for (int i = 0; i < count && !b->failed && b->nodes[index].depth < MOC_MAX_BRANCH_DEPTH; i++) {
    int64_t next = fix(b, index, found[i], runs[i], target);
    if (next >= 0) index = next;
  }
  return index;
}

/* Look closely at a leaf, then fix what can be fixed, or divide it. False when nothing came of it, or it was stopped. */
static bool divide(moc__branching *b, int64_t index, int64_t target, bool (*stop)(void *), void *context) {
  moc__retain *r = &b->retain;
  literal l;
  int64_t before = b->nodes[index].extra;
  assume(b, index, NULL, false);
  if (b->failed || b->nodes[index].depth >= MOC_MAX_BRANCH_DEPTH) return false;
  for (int32_t q = 0; q < r->staged->n; q++) r->ops[q].n_masses = 0;
  load(b, b->nodes[index].part);
  ascend(b, target, LOOK_ROUNDS, stop, context);
  take(b, index, target);
  if (b->failed || b->nodes[index].extra >= target) return !b->failed;
  int64_t fixed = fix_all(b, index, target);
  if (fixed != index && !b->failed) {
    assume(b, fixed, NULL, false);
    if (!b->failed) improve(b, fixed, b->nodes[fixed].part, target, stop, context);
    return !b->failed;
  }
  assume(b, index, NULL, false);
  if (b->failed) return false;
  if (!choose(b, index, target, &l, stop, context)) {
    if (b->failed || (stop != NULL && stop(context))) return false;
    assume(b, index, NULL, false);
    int64_t known = r->n_supports;
    if (!b->failed) improve(b, index, b->nodes[index].part, target, stop, context);
    return b->nodes[index].extra > before || r->n_supports > known;
  }
  int64_t above = b->nodes[index].part;
  if (!add_branch(b, index, l)) return false;
  int64_t first = b->nodes[index].below;
  for (int side = 0; side < 2; side++) {
    bound_node(b, first + side, above, b->nodes[first].part, target, stop, context);
    if (b->failed || (stop != NULL && stop(context))) { /* as it was before */
      for (int done = 0; done < 2; done++) {
        if (b->nodes[first + done].extra >= 0) use(b, b->nodes[first + done].part, -1);
      }
      remove_branch(b, index);
      return false;
    }
  }
  use(b, above, -1);
  return true;
}

bool moc__branching_run(moc__branching *b, int64_t target, int64_t effort, bool (*stop)(void *), void *context) {
  int64_t end = b->retain.work + effort;
  if (b->n_nodes == 1 && !b->failed) improve(b, 0, b->nodes[0].part, target, stop, context);
  while (!b->failed && b->n_nodes + 2 <= MOST_NODES && b->bytes < MOST_BYTES) {
    int64_t index = weakest(b, target);
    if (index < 0 || b->nodes[index].done) return false;
    if (b->retain.work >= end || (stop != NULL && stop(context))) return true;
    if (!divide(b, index, target, stop, context)) b->nodes[index].done = stop == NULL || !stop(context);
  }
  return false;
}

int64_t moc__branching_work(const moc__branching *b) {
  return b->retain.work;
}

int64_t moc__branching_extra(const moc__branching *b) {
  int64_t index = weakest(b, INT64_MAX);
  return index < 0 ? 0 : b->nodes[index].extra;
}

/* --- The certificate --- */

static void write_part(const moc__branching *b, const part *p, moc_certificate *c) {
  const moc__retain *r = &b->retain;
  const moc__staged *staged = r->staged;
  int64_t k = 0;
  c->parts[c->n_parts++] = c->n_weights;
  for (int64_t i = 0; i < p->n_weights; i++) {
    const moc__retain_event *event = &r->events[p->weights[i].event];
    for (; k < p->n_shares; k++) {
      const moc__retain_support *s = &r->supports[b->index_of[p->shares[k].support]];
      const moc__retain_hold *h = &r->holds[s->hold];
      if (h->event != p->weights[i].event) break;
      int32_t last = r->ops[s->reader].intervals[s->read].last;
      c->shares[c->n_shares++] = (moc_bound_share){.weight = c->n_weights,
                                                   .tensor = h->tensor < 0 ? MOC_NONE : staged->tensor[h->tensor],
                                                   .reader = staged->order[s->reader],
                                                   .last = staged->order[last],
                                                   .share = p->shares[k].share};
    }
    c->weights[c->n_weights++] =
        (moc_bound_weight){staged->order[event->place], staged->order[event->stage], p->weights[i].weight};
  }
}

/* Depth first, where some start is first. number[]: of each part in the certificate. */
static void write_branches(const moc__branching *b, const int64_t *number, moc_certificate *c) {
  const moc__staged *staged = b->retain.staged;
  for (int64_t i = 0; i >= 0;) {
    const node *x = &b->nodes[i];
    moc_bound_branch *to = &c->branches[c->n_branches++];
    if (x->below >= 0) {
      *to = (moc_bound_branch){staged->order[x->branch.place], staged->order[x->branch.first],
                               staged->order[x->branch.last], 0};
      i = x->below;
      continue;
    }
    *to = (moc_bound_branch){MOC_NONE, MOC_NONE, MOC_NONE, number[x->part]};
    while (i >= 0 && (b->nodes[i].above < 0 || !b->nodes[i].runs)) i = b->nodes[i].above;
    if (i >= 0) i++; /* the other answer */
  }
}

void moc__branching_certify(const moc__branching *b, moc_certificate *certificate) {
  const moc__staged *staged = b->retain.staged;
  int64_t extra = moc__branching_extra(b), weights = 0, shares = 0, parts = 0;
  if (b->failed || !b->laid_out || extra > MOC_MAX_TOTAL - staged->total_duration ||
      staged->total_duration + extra <= certificate->bound)
    return;
  for (int64_t i = 0; i < b->n_parts; i++) {
    if (b->parts[i].users <= 0) continue;
    parts++;
    weights += b->parts[i].n_weights;
    shares += b->parts[i].n_shares;
  }
  moc_certificate c = {.bound = staged->total_duration + extra,
                       .kind = MOC_CERTIFICATE_BRANCHING,
                       .max_computes = b->retain.single ? 2 : 0,
                       .shift = b->shift,
                       .weights = MOC__NEW(&b->allocator, weights, moc_bound_weight),
                       .shares = MOC__NEW(&b->allocator, shares, moc_bound_share),
                       .parts = MOC__NEW(&b->allocator, parts, int64_t),
                       .branches = MOC__NEW(&b->allocator, b->n_nodes, moc_bound_branch)};
  int64_t *number = MOC__NEW(&b->allocator, b->n_parts, int64_t);
  bool room = c.weights != NULL && c.shares != NULL && c.parts != NULL && c.branches != NULL && number != NULL;
  for (int64_t i = 0; i < b->n_parts && room; i++) {
    number[i] = c.n_parts;
    if (b->parts[i].users > 0) write_part(b, &b->parts[i], &c);
  }
  if (room) write_branches(b, number, &c);
  moc__release(&b->allocator, number);
  if (room) {
    moc__certificate_release(certificate, &b->allocator);
    *certificate = c;
  } else {
    moc__certificate_release(&c, &b->allocator);
  }
}
