/* The retention bound: memory at every event, and what recomputing needs, in one linear relaxation.
 *
 * Events, stages and places as in model/staged.h; x(q, k) is 1 when q is computed again in stage k, and X(q, I), for an
 * interval I of stages, when some such k is in I. At event e = (k, p) - whether p runs there or not - let H(t, e) be 1
 * when tensor t of place q is in memory: it was made before e and is read at or after e before q runs again, or p runs
 * at e and t is one of its outputs. Two neighbouring events of a schedule have at least what is held across in memory,
 * so for every schedule within budget M, with z the workspace of p,
 *
 *     memory    sum_t size_t H(t, e) + z X(p, k..k) <= M                                        for every event e
 *     support   H(t, e) >= V - X(q, from..b),    from = k if q > p, else k + 1                  for every read V of t
 *
 * where V is 1 and b = u for the next first computation u after e that reads t (the last place, for a kept t), and
 * V = X(v, a..b) for a reader v of t that is computed again, a = k if v >= p, else k + 1, and any b >= a: a start of v in
 * a stage s of a..b reads t after e, and then t is held at e unless q runs after e and before it, in a stage from..s. For
 * the outputs t of p itself, V = X(p, k..k) and no X is subtracted. (Where from..b is empty nothing is.)
 * One interval for all stages a..b at once is what makes the relaxation strong: with fractions of x spread over stages, a
 * bound by single stages would let a fraction of an input serve one after the other.
 *
 * With weights l_e >= 0 and fractions f_s >= 0 of the supports s of each H(t, e), sum of f_s <= 1, m_s = l_e size_t f_s:
 *
 *     extra >= sum_e -l_e M + sum_s m_s (V_s - X_s) + sum_q duration_q |starts of q|
 *
 * which falls apart by operation: each chooses its starts to earn most. So the bound is computed exactly, in integers
 * (retain_exact.c); the multipliers come from an ascent in floating point (retain_ascent.c), and events and supports are
 * added as the ascent's average solution violates them (retain_rows.c).
 *
 * Where at most one more computation is allowed an operation chooses one start; else any number: the bound then holds for
 * any number of computations. */
#ifndef MOC_BOUNDS_RETAIN_H
#define MOC_BOUNDS_RETAIN_H

#include "base/wide.h"
#include "model/staged.h"

enum { MOC__FRACTION_SHIFT = 20 }; /* fractions are multiples of 2^-20 */

/* Stages first..last of starts of one operation: X(place, first..last). */
enum { MOC__CELLS_A_UNIT = 1000 }; /* of work, for choices of many: pairs of cells that are looked at */

typedef struct moc__interval {
  int32_t first, last;
  int32_t low, high; /* cells, both included */
} moc__interval;

/* An operation that may be computed again. Its stages fall into cells within which all starts are alike. */
typedef struct moc__retain_op {
  moc__interval *intervals; /* [n_intervals] */
  int64_t n_intervals, capacity;
  int64_t flat;  /* of its first interval in earns[], taken[] */
  int32_t *cell; /* [n_cells + 1] first stage of each cell, and where the last one ends */
  int32_t n_cells;
  int32_t *first_low, *first_high; /* [n_cells] an interval that begins, that ends with the cell; -1: none */
  int32_t *next_low, *next_high;   /* [n_intervals] the next one; in the block of first_low */
  int32_t n_picked;
  int32_t *picked; /* [n_picked] cells of the best choice */
  /* The average solution: stages, ascending, and how much of a start each has. */
  int32_t *stage;
  double *mass;
  int64_t n_masses, mass_capacity;
  int64_t first_case, n_cases; /* what is assumed of it */
} moc__retain_op;

/* An assumption: some start of `place` is in its interval of that index, or none is. */
typedef struct moc__retain_case {
  int32_t place, interval;
  bool runs;
} moc__retain_case;

typedef struct moc__retain_event {
  int32_t stage, place;
  int64_t room;        /* the budget less what is in memory for certain */
  int64_t first_hold;  /* the list of its holds; -1: none */
  double weight, best; /* of a byte: now, and where the ascent was highest */
  double slope;        /* bytes over budget in the last choice */
  int64_t proves;      /* in the best bound, times 2^-shift */
} moc__retain_event;

/* H(tensor, event); tensor -1 is the workspace of the event's place. */
typedef struct moc__retain_hold {
  int32_t event, tensor;
  int64_t size;
  int64_t first_support; /* a list */
  int64_t next;          /* of the same event; -1: none */
} moc__retain_hold;

typedef struct moc__retain_support {
  int64_t hold;
  int32_t reader, read;    /* place and interval of V; -1: V = 1 */
  int32_t ender, end;      /* place and interval of X; -1: none */
  int32_t read_at, end_at; /* in earns[], taken[], once laid out; -1 */
  double fraction, best;
  int32_t proves; /* the fraction in the best bound, times 2^-20 */
  int32_t number; /* in the order in which they were added */
  int64_t next;   /* of the same hold; -1: none */
} moc__retain_support;

/* An interval that earns something, in groups of cells. */
typedef struct moc__earning {
  int32_t low, high;
  double earns;
} moc__earning;

typedef struct moc__retain {
  moc_allocator allocator;
  const moc__staged *staged;
  int64_t budget;
  bool single;                        /* at most one start for each operation */
  bool no_recomputations, no_readers; /* for ablations: events (k, k) alone; reads of first computations alone */
  moc__retain_op *ops;                /* [n] */
  moc__retain_event *events;
  int64_t n_events, events_capacity;
  moc__retain_hold *holds;
  int64_t n_holds, holds_capacity;
  moc__retain_support *supports;
  int64_t n_supports, supports_capacity;
  bool out_of_memory;
  int64_t n_flat;
  moc__retain_case *cases; /* by operation; what holds in a part of a proof by cases; NULL: nothing is assumed */
  double *earns;           /* [n_flat] of each interval: what a start in it earns */
  bool *taken;             /* [n_flat] the choice has one */
  double *room;            /* [3 * most cells + 3] work space of a choice */
  moc__earning *earning;   /* [most intervals] likewise */
  int32_t *group;          /* [2 * most cells + 2] likewise */
  double cost_unit, byte_unit;
  double value;      /* of the present multipliers, in cost_unit */
  double reached;    /* the highest of the ascent */
  double mass_scale; /* of all masses */
  int64_t extra;     /* proven */
  int shift;         /* of the integers that prove it */
  int64_t work;      /* about microseconds */
  int64_t cells;     /* pairs of them looked at for choices of many, not yet in `work` */
} moc__retain;

/* Whether a graph is small enough for it: looking at memory at every event takes time for each step of each tensor's life. */
bool moc__retain_suits(const moc__staged *staged);
/* A relaxation without events: proves 0. OUT_OF_MEMORY. */
moc_status moc__retain_init(moc__retain *retain, const moc__staged *staged, int64_t budget, int32_t max_computes,
                            const moc_allocator *allocator, moc_error *error);
void moc__retain_release(moc__retain *retain);

/* Add what is violated and improve the multipliers, `rounds` at most; false when nothing was violated (rounds are spent all
 * the same), memory is out, or it was stopped. `target`: an upper bound on the extra duration, INT64_MAX for none. */
bool moc__retain_improve(moc__retain *retain, int64_t target, int32_t rounds, bool (*stop)(void *), void *context);

/* What the proven bound rests on. *certificate keeps what it has when memory is out, or when the bound passes all
 * durations; else its arrays are released and made anew, from the relaxation's allocator. */
void moc__retain_certify(const moc__retain *retain, moc_certificate *certificate);

/* What weights [n_events] in units of 2^-shift and fractions [n_supports] of 2^-20 prove under the assumptions, to *extra;
 * INT64_MAX: no choice satisfies them. Sets the fractions of first computations. False when memory is out, or 128 bits do
 * not hold it. */
bool moc__retain_prove(moc__retain *retain, int shift, int64_t *weight, int32_t *fraction, int64_t *extra);
/* The best multipliers of the ascent in these units; fractions below `least` are left out. */
void moc__retain_round(const moc__retain *retain, int shift, double least, int64_t *weight, int32_t *fraction);

/* Evaluate the best multipliers of the ascent: value (INFINITY where nothing can be chosen), earns[], picked[]. */
void moc__retain_look(moc__retain *retain);
/* After that: what one operation adds to the value, as its assumptions are now. Spoils its picked[]. */
double moc__retain_value_of(moc__retain *retain, int32_t place);

/* Whether a start of `op` in `cell`, the next after one in `before` (-1: the first one), is within what is assumed: it is in
 * no interval that has none, and passes by no interval that has one. */
static inline bool moc__retain_may_follow(const moc__retain *retain, const moc__retain_op *op, int32_t before,
                                          int32_t cell) {
  for (int64_t i = op->first_case; i < op->first_case + op->n_cases; i++) {
    const moc__interval *x = &op->intervals[retain->cases[i].interval];
    if (retain->cases[i].runs ? before < x->low && x->high < cell : x->low <= cell && cell <= x->high) return false;
  }
  return true;
}
/* Whether that may be the last start (-1: there is none). */
static inline bool moc__retain_may_end(const moc__retain *retain, const moc__retain_op *op, int32_t last) {
  for (int64_t i = op->first_case; i < op->first_case + op->n_cases; i++) {
    if (retain->cases[i].runs && last < op->intervals[retain->cases[i].interval].low) return false;
  }
  return true;
}

/* --- Shared by its files --- */

/* The interval first..last of a place, cut to the stages after the place; -1 when that is empty. */
int32_t moc__retain_interval(moc__retain *retain, int32_t place, int32_t first, int32_t last);
/* The interval of `from` that a place has under that index there (-1: none), here. */
int32_t moc__retain_interval_of(moc__retain *retain, const moc__retain *from, int32_t place, int32_t index);
/* Add a copy of `event` without holds; -1 when memory is out. */
int64_t moc__retain_event_add(moc__retain *retain, moc__retain_event event);
/* A hold without supports; -1 when memory is out. */
int64_t moc__retain_hold_add(moc__retain *retain, int64_t event, int32_t tensor, int64_t size);
/* Add a copy of `support` to a hold. */
void moc__retain_support_add(moc__retain *retain, int64_t hold, moc__retain_support support);
/* Lay out cells and supports after additions: lists become neighbours in memory. False when memory is or was out: there
 * is no layout from then on. */
bool moc__retain_lay_out(moc__retain *retain);
/* Add events and supports that the average solution violates; their number. */
int64_t moc__retain_separate(moc__retain *retain, bool (*stop)(void *), void *context);
/* Improve the multipliers from the best ones, and end at the best. `choose`, called with `chooser`, evaluates the present
 * ones: value, picked[] and taken[] of the choices; NULL: as retain.h says, without limits. */
void moc__retain_ascend(moc__retain *retain, int64_t target, int32_t rounds, void (*choose)(void *), void *chooser,
                        bool (*stop)(void *), void *context);
/* One step of it from the choices made, towards `aim` (in cost_unit). */
void moc__retain_step(moc__retain *retain, double aim, double factor);
/* What the best multipliers of the ascent prove, rounded to integers; keeps it if it is better than before. */
void moc__retain_publish(moc__retain *retain);

#endif
