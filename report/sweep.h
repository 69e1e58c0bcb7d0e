/* What one graph costs at several budgets, and what each of those results tells about the others. */
#ifndef MOC_REPORT_SWEEP_H
#define MOC_REPORT_SWEEP_H

#include <moccasin/moccasin.h>

/* What is known at one budget. With a plan (FEASIBLE, OPTIMAL) its figures; else those are 0. */
typedef struct moc__sweep_point {
  int64_t budget;         /* bytes */
  moc_plan_status status; /* as in moc_plan */
  int64_t peak_memory;    /* bytes */
  int64_t total_duration;
  int64_t steps;
  int64_t lower_bound; /* proven, a total duration, in the sense of the next two */
  moc_bound_scope bound_scope;
  int32_t max_computes;
  double seconds; /* that its solve took */
} moc__sweep_point;

typedef struct moc__sweep {
  const moc_graph *graph;
  moc_graph_facts facts;
  int64_t count;
  moc__sweep_point *points; /* [count] of falling budget */
} moc__sweep;

/* What a solve of the sweep's graph found. */
moc__sweep_point moc__sweep_point_of(const moc_plan *plan);
static inline bool moc__sweep_has_plan(const moc__sweep_point *point) {
  return point->status == MOC_PLAN_FEASIBLE || point->status == MOC_PLAN_OPTIMAL;
}

/* For what the proofs among the points hold where that is not every schedule, as a sentence in `text` [size]. False: for
 * every schedule. */
bool moc__sweep_scope(const moc__sweep *sweep, char *text, size_t size);

/* Let the points learn from one another: a plan holds at every larger budget, a lower bound and a proof that there is no
 * plan at every smaller one, if it is of a scope and of a number of computations that cover it. Afterwards durations never
 * rise with the budget. O(count). */
void moc__sweep_settle(moc__sweep *sweep);
/* Whether what is known of the points so far excludes a plan at a smaller budget, solved with at most so many computations
 * (0: the solver picks). */
bool moc__sweep_excludes(const moc__sweep_point *points, int64_t count, int32_t max_computes);

#endif
