/* The retention-interval program of the staged model, made on demand (section 2 of the paper; docs/proofs.md).
 *
 * Integer variables. Operation p may start again in up to C - 1 stages k > p: starts s_p^2 < ... < s_p^C, and the ends of
 * its C retention intervals are the last reads they serve. The starts are interchangeable, so literals speak of them
 * together, and are made when somebody needs them:
 *     X(p, a, b)  some start of p lies in a..b (an order literal on a set of starts)
 *     N(p, c)     p starts again at least c times (activity; pays p's duration once more)
 *     R(t, e)     tensor t is resident at event e = (stage, place)
 * Constraints, each added when a candidate violates it under the real semantics:
 *     piercing    what X and N of one operation say together: intervals that hold starts need so many starts
 *     memory      at event (k, p), if it takes place: sum of size_t R(t, e) <= M - what must be there
 *     support     a read after e by (k', v), k' in a..b if X(v, a, b), of tensor t of place q: R(t, e), unless q starts
 *                 again between: X(q, after e, b). For first computations of v: a = b = v, and no condition.
 *     objective   sum of duration_p N(p, c) < target
 * Support is what precedence becomes here: every read is served, since the first computation precedes it; the question
 * is by which instance, and that decides how long an instance stays.
 *
 * Literals of intervals are chosen as wide as they can be and still be violated: a gap between two certain reads has one
 * literal until finer ones are needed. There are finitely many intervals, events and clauses: the search ends. */
#ifndef MOC_CP_MODEL_H
#define MOC_CP_MODEL_H

#include "cp/engine.h"
#include "model/staged.h"

/* X(place, first, last). */
typedef struct moc__span {
  int32_t first, last; /* stages */
  int32_t variable;
} moc__span;

/* One way in which a tensor is resident at an event: R or X, if V (see below; -1: no such literal). Spans are told by
 * place and index in moc__starts. */
typedef struct moc__support {
  int32_t event;     /* in events[] */
  int32_t residency; /* the variable R */
  int64_t size;
  int32_t reader_place, reader_span; /* V */
  int32_t place, span;               /* X */
} moc__support;

/* The literals of one operation. */
typedef struct moc__starts {
  moc__span *spans;
  int64_t n_spans, spans_capacity;
  int32_t *times; /* [n_times] the variables N(p, 1), N(p, 2), ... */
  int64_t n_times, times_capacity;
  int32_t *points; /* [n_points] the candidate's starts, ascending */
  int64_t n_points, points_capacity;
} moc__starts;

/* The memory constraint of one event. */
typedef struct moc__event_row {
  int32_t stage, place;
  int32_t row;
  int32_t condition; /* the variable of X(place, stage, stage); -1: the event always takes place */
  int64_t room;      /* the budget less what must be there */
  int64_t load;      /* sizes of all R in the row */
} moc__event_row;

typedef struct moc__residency {
  int64_t key; /* event row and tensor; -1: a free slot */
  int32_t variable;
} moc__residency;

/* A part of the schedules: those that start frozen operations again exactly as one schedule does. */
typedef struct moc__window {
  bool *frozen;     /* [n] */
  moc__pair *pairs; /* of the schedule, by place and then by stage */
  int64_t *first;   /* [n + 1] of each place's pairs */
} moc__window;

typedef struct moc__model {
  moc_allocator allocator;
  const moc__staged *staged;
  int64_t budget;
  int32_t max_computes;
  moc__engine engine;
  moc__starts *starts; /* [n] */
  moc__event_row *events;
  int64_t n_events, events_capacity;
  moc__residency *residencies; /* [residency_slots] a hash table */
  int64_t residency_slots, n_residencies;
  moc__support *supports; /* [n_supports] those of one R need not be neighbours */
  int64_t n_supports, supports_capacity;
  int64_t target;
  const moc__window *window; /* to which the search is confined; NULL: to nothing */
  int64_t crossings;         /* of windows' borders, so far */

  /* The candidate under evaluation. */
  int8_t *leaf; /* [leaf_vars] values of the variables */
  int32_t leaf_vars;
  int64_t leaf_capacity;
  moc__pair *pairs; /* [n_pairs] */
  int64_t n_pairs, pairs_capacity;
  int64_t *memory; /* [memory_capacity] bytes at each step */
  int64_t memory_capacity;
  int64_t *latest;  /* [n_tensors] work space of the evaluation */
  moc__lit *clause; /* [n_clause] under construction */
  int64_t n_clause, clause_capacity;
  int64_t peak;
  int64_t work;        /* done outside the search, in about microseconds */
  int64_t refinements; /* constraints added so far */
  bool stuck;          /* a candidate was refused without a reason: a bug; the model proves nothing any more */
} moc__model;

/* A model without constraints. OUT_OF_MEMORY. */
moc_status moc__model_init(moc__model *model, const moc__staged *staged, int64_t budget, int32_t max_computes,
                           const moc_allocator *allocator, moc_error *error);
void moc__model_release(moc__model *model);

/* Look for solutions of extra duration below `target` from now on. */
void moc__model_set_target(moc__model *model, int64_t target);

/* Confine the search to a window, and to extra durations below `target`, until it leaves. What is derived meanwhile counts as
 * derived from the target, and goes. False when an operation has more starts in the window's schedule than are allowed. */
bool moc__model_enter(moc__model *model, const moc__window *window, int64_t target);
void moc__model_leave(moc__model *model);

typedef enum moc__model_end {
  MOC__MODEL_SOLVED,  /* pairs[] is a schedule within budget and below the target */
  MOC__MODEL_REFUTED, /* there is none below the target (and in the window) */
  MOC__MODEL_LIMIT    /* that many conflicts, stopped, or memory is out */
} moc__model_end;

/* Search, evaluate, refine, until one of the ends. */
moc__model_end moc__model_solve(moc__model *model, int64_t conflicts, bool (*stop)(void *), void *context);

/* The extra duration of pairs[] after MOC__MODEL_SOLVED. */
int64_t moc__model_extra(const moc__model *model);

/* The peak memory of pairs[] after MOC__MODEL_SOLVED. */
static inline int64_t moc__model_peak(const moc__model *model) {
  return model->peak;
}

/* Let pairs[] be a schedule, whether within budget or not, and fill memory[]. False when memory is out. */
bool moc__model_load(moc__model *model, const moc__pair *pairs, int64_t n_pairs);

/* Let the search try what a schedule has first. */
void moc__model_suggest(moc__model *model, const moc__pair *pairs, int64_t n_pairs);

#endif
