/* A conflict-driven search over 0/1 variables: the engine under the constraint program.
 *
 * Constraints are clauses and linear rows sum a_i l_i <= b over literals with positive integer coefficients; one of the
 * rows is the objective, whose bound is the target. Everything that propagates can explain itself by a clause over
 * literals that were true before; a conflict is analysed to its first unique implication point and the clause learned.
 * Variables, clauses and rows are added between decisions only, at level 0, and on demand (see model.h).
 *
 * A clause that was derived from the objective row is *tainted*: it is true of solutions below the target only, stays
 * when the target falls and goes when it rises.
 *
 * Sources: Marques-Silva and Sakallah (GRASP), Moskewicz et al. (Chaff), Een and Sorensson (MiniSat), Ohrimenko,
 * Stuckey and Codish (lazy clause generation). */
#ifndef MOC_CP_ENGINE_H
#define MOC_CP_ENGINE_H

#include "base/base.h"

typedef int32_t moc__lit; /* 2 * variable, + 1 when negated */
#define MOC__NO_LIT (-1)

static inline moc__lit moc__not(moc__lit l) {
  return l ^ 1;
}
static inline int32_t moc__var(moc__lit l) {
  return l >> 1;
}

/* What made a literal true: a kind in the low two bits, an index above. */
typedef int64_t moc__reason;
enum { MOC__DECISION = 0, MOC__CLAUSE = 1, MOC__ROW = 2 };
#define MOC__REASON(kind, index) ((moc__reason)(((int64_t)(index) << 2) | (kind)))

/* Words of the clause arena: a clause is a header and its literals, the first two watched. */
typedef struct moc__clause {
  int32_t size;
  int32_t glue; /* levels when learned; 0: not learned */
  bool tainted;
  bool dead;
  float activity;
} moc__clause;
enum { MOC__CLAUSE_WORDS = sizeof(moc__clause) / sizeof(int32_t) };

typedef struct moc__watch {
  int64_t clause;
  moc__lit other; /* if true, the clause need not be looked at */
} moc__watch;

typedef struct moc__watches {
  moc__watch *items;
  int64_t count, capacity;
} moc__watches;

typedef struct moc__term {
  int64_t coefficient; /* positive */
  moc__lit literal;
} moc__term;

typedef struct moc__row {
  moc__term *terms; /* [count] by falling coefficient */
  int32_t count, capacity;
  int64_t bound;
  int64_t slack;   /* bound - coefficients of literals that are true and processed */
  int64_t trigger; /* the row may propagate once its slack is below this: its largest coefficient */
  bool queued;
} moc__row;

typedef struct moc__use {
  int64_t coefficient;
  int32_t row;
} moc__use;

typedef struct moc__uses {
  moc__use *items;
  int64_t count, capacity;
} moc__uses;

typedef struct moc__engine {
  moc_allocator allocator;
  bool out_of_memory;

  int32_t n_vars, vars_capacity;
  int8_t *value;       /* [n_vars] 1 true, -1 false, 0 open */
  int8_t *phase;       /* [n_vars] the value to try first */
  bool *decides;       /* [n_vars] the search may branch on it */
  bool *seen;          /* [n_vars] work space of the analysis */
  bool *fixed_taint;   /* [n_vars] fixed at level 0 by way of the objective */
  int32_t *level;      /* [n_vars] */
  int32_t *position;   /* [n_vars] in the trail */
  moc__reason *reason; /* [n_vars] */
  double *activity;    /* [n_vars] */
  int32_t *heap_place; /* [n_vars] or -1 */
  int32_t *heap;       /* [heap_count] variables by activity */
  int32_t heap_count;
  double increment;

  moc__watches *watches; /* [2 * vars_capacity] clauses in which the literal's negation is watched */
  moc__uses *uses;       /* [2 * vars_capacity] rows in which the literal occurs */

  int32_t *arena;
  int64_t arena_count, arena_capacity;
  int64_t *learned; /* [n_learned] clauses */
  int64_t n_learned, learned_capacity;
  int64_t *given; /* [n_given] clauses */
  int64_t n_given, given_capacity;
  moc__term *units; /* [n_units] facts; the coefficient tells the taint */
  int64_t n_units, units_capacity;
  int64_t most_learned;

  moc__row *rows;
  int64_t n_rows, rows_capacity;
  int32_t *row_queue; /* [n_row_queue] */
  int64_t n_row_queue, row_queue_capacity;
  int32_t objective; /* a row */

  moc__lit *trail; /* [n_trail] */
  int32_t n_trail, processed;
  int32_t *level_start; /* [n_levels + 1 at least] */
  int32_t n_levels, levels_capacity;

  moc__lit *conflict; /* [n_conflict] literals, all false: what went wrong */
  int64_t n_conflict, conflict_capacity;
  bool conflict_taint;
  moc__lit *lemma; /* [n_lemma] */
  int64_t n_lemma, lemma_capacity;
  bool refuted; /* there is no solution below the target */
  bool refuted_taint;

  int64_t conflicts, decisions, propagations, restarts;

  /* An extra propagator, called when clauses and rows have nothing more to say: false on a conflict, which it has
   * put in conflict[]. It may enqueue literals with moc__engine_imply. */
  bool (*more)(void *context, struct moc__engine *engine);
  void *more_context;
} moc__engine;

moc_status moc__engine_init(moc__engine *engine, const moc_allocator *allocator, moc_error *error);
void moc__engine_release(moc__engine *engine);

/* A new variable; -1 when memory is out. */
int32_t moc__engine_variable(moc__engine *engine, bool decides, bool phase);
/* Add a clause, at level 0. */
void moc__engine_clause(moc__engine *engine, const moc__lit *literals, int64_t count);
/* Suppose a literal, at level 0, until the objective's bound is raised: it counts as derived from it. */
void moc__engine_suppose(moc__engine *engine, moc__lit literal);
/* Add an empty row; its number, -1 when memory is out. */
int32_t moc__engine_row(moc__engine *engine, int64_t bound);
/* Add a term to a row, or raise its coefficient (never lower it), at level 0. */
void moc__engine_term(moc__engine *engine, int32_t index, int64_t coefficient, moc__lit literal);
/* Change a row's bound, at level 0. */
void moc__engine_bound(moc__engine *engine, int32_t index, int64_t bound);
/* Raise the objective's bound: forget what was derived from it. */
void moc__engine_raise_target(moc__engine *engine, int64_t bound);

/* Return to `level`. */
void moc__engine_backtrack(moc__engine *engine, int32_t level);
/* For propagators: make a literal true for the reason that the others of literals[1..count) are false; the clause is
 * kept as a learned one. */
void moc__engine_imply(moc__engine *engine, const moc__lit *literals, int64_t count, bool tainted);
/* For propagators: add a literal, false now, to the conflict under construction. */
void moc__engine_conflict_literal(moc__engine *engine, moc__lit literal);

typedef enum moc__search_end {
  MOC__SEARCH_COMPLETE, /* every variable that decides has a value, and nothing is violated */
  MOC__SEARCH_REFUTED,  /* no solution */
  MOC__SEARCH_LIMIT     /* that many conflicts, or stopped, or memory is out */
} moc__search_end;

/* Search until one of the ends; `conflicts` more at most. `stop` is asked now and then. */
moc__search_end moc__engine_search(moc__engine *engine, int64_t conflicts, bool (*stop)(void *), void *context);

static inline int moc__value(const moc__engine *engine, moc__lit l) {
  int8_t value = engine->value[l >> 1];
  return (l & 1) != 0 ? -(int)value : (int)value;
}

#endif
