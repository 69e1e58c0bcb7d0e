/* Results at several budgets, together; see sweep.h. */
#include "report/sweep.h"

#include "report/drawing.h"
#include "report/report.h"

#include <inttypes.h>
#include <stdio.h>

moc__sweep_point moc__sweep_point_of(const moc_plan *plan) {
  moc__sweep_point point = {.budget = plan->budget,
                            .status = plan->status,
                            .lower_bound = plan->lower_bound,
                            .bound_scope = plan->bound_scope,
                            .max_computes = plan->max_computes,
                            .seconds = plan->reproducible ? 0 : plan->solve_seconds};
  if (!moc__sweep_has_plan(&point)) return point;
  point.peak_memory = plan->peak_memory;
  point.total_duration = plan->total_duration;
  point.steps = plan->length;
  return point;
}

/* --- What one point tells about another --- */

/* Whatever is true of all schedules that `larger` speaks of is true of all that `smaller` does, or may: those of any order
 * include those of the input order, and more computations include fewer. */
static bool covers(const moc__sweep_point *larger, const moc__sweep_point *smaller, int64_t baseline) {
  if (larger->bound_scope == MOC_SCOPE_ANY) return true;
  return larger->max_computes >= smaller->max_computes &&
         (smaller->bound_scope == MOC_SCOPE_ORDER || smaller->lower_bound <= baseline);
}

/* Take over the plan of a smaller budget if it is shorter. */
static void take_plan(moc__sweep_point *to, const moc__sweep_point *from, int64_t baseline) {
  if (!moc__sweep_has_plan(from) || (moc__sweep_has_plan(to) && to->total_duration <= from->total_duration)) return;
  bool more = from->max_computes > to->max_computes;
  to->peak_memory = from->peak_memory;
  to->total_duration = from->total_duration;
  to->steps = from->steps;
  to->status = MOC_PLAN_FEASIBLE;
  if (more) to->max_computes = from->max_computes;
  /* What was proved of fewer computations does not hold for more, nor that of staged schedules for others. */
  if (to->bound_scope == MOC_SCOPE_ORDER && (more || to->total_duration < to->lower_bound)) {
    to->lower_bound = baseline;
    to->bound_scope = MOC_SCOPE_ANY;
  }
}

static void take_bound(moc__sweep_point *to, const moc__sweep_point *from, int64_t baseline) {
  bool excluded = from->status == MOC_PLAN_INFEASIBLE;
  if (to->status == MOC_PLAN_INFEASIBLE || !covers(from, to, baseline) ||
      (!excluded && from->lower_bound <= to->lower_bound))
    return;
  if (moc__sweep_has_plan(to) && (excluded || to->total_duration < from->lower_bound))
    return; /* it is not staged */
  if (excluded || from->bound_scope == MOC_SCOPE_ORDER) to->bound_scope = from->bound_scope;
  to->lower_bound = moc__max(to->lower_bound, from->lower_bound);
  if (excluded) to->status = MOC_PLAN_INFEASIBLE;
}

void moc__sweep_settle(moc__sweep *sweep) {
  moc__sweep_point *p = sweep->points;
  int64_t baseline = sweep->facts.baseline_duration;
  for (int64_t i = sweep->count - 2; i >= 0; i--) take_plan(&p[i], &p[i + 1], baseline);
  for (int64_t i = 1; i < sweep->count; i++) take_bound(&p[i], &p[i - 1], baseline);
  for (int64_t i = 0; i < sweep->count; i++) {
    if (moc__sweep_has_plan(&p[i]) && p[i].total_duration == p[i].lower_bound) p[i].status = MOC_PLAN_OPTIMAL;
  }
}

bool moc__sweep_excludes(const moc__sweep_point *points, int64_t count, int32_t max_computes) {
  if (count == 0 || points[count - 1].status != MOC_PLAN_INFEASIBLE) return false;
  return points[count - 1].bound_scope == MOC_SCOPE_ANY || max_computes > 0;
}

bool moc__sweep_scope(const moc__sweep *sweep, char *text, size_t size) {
  int32_t least = INT32_MAX, most = 0;
  for (int64_t i = 0; i < sweep->count; i++) {
    const moc__sweep_point *p = &sweep->points[i];
    if (p->bound_scope != MOC_SCOPE_ORDER) continue;
    if (p->max_computes < least) least = p->max_computes;
    if (p->max_computes > most) most = p->max_computes;
  }
  if (most == 0) return false;
  if (least == most)
    snprintf(text, size, "Proofs are for the input order and at most %d computation%s of an operation.", (int)most,
             most == 1 ? "" : "s");
  else
    snprintf(text, size, "Proofs are for the input order and at most %d to %d computations of an operation.",
             (int)least, (int)most);
  return true;
}

/* --- As values --- */

static void add_percent(moc__text *text, int64_t part, int64_t whole) {
  moc__text_printf(text, ",");
  moc__svg_number(text, moc__percent(part, whole), 6);
}

moc_status moc__sweep_csv(const moc__sweep *sweep, const moc_allocator *given, char **text, size_t *length,
                          moc_error *error) {
  moc_allocator allocator = moc__allocator_or_default(given);
  moc__text t;
  moc__text_init(&t, &allocator);
  int64_t base = sweep->facts.baseline_duration, n = moc_graph_operations(sweep->graph);
  moc__text_printf(
      &t, "budget,budget_percent,status,peak_memory,total_duration,tdi_percent,lower_bound,bound_tdi_percent,"
          "bound_scope,max_computes,steps,recomputed,solve_seconds\n");
  for (int64_t i = 0; i < sweep->count; i++) {
    const moc__sweep_point *p = &sweep->points[i];
    moc__text_printf(&t, "%" PRId64, p->budget);
    add_percent(&t, p->budget, sweep->facts.baseline_peak);
    moc__text_printf(&t, ",%s,", moc_plan_status_word(p->status));
    if (moc__sweep_has_plan(p)) {
      moc__text_printf(&t, "%" PRId64 ",%" PRId64, p->peak_memory, p->total_duration);
      add_percent(&t, p->total_duration - base, base);
    } else {
      moc__text_printf(&t, ",,");
    }
    if (p->status == MOC_PLAN_INFEASIBLE) {
      moc__text_printf(&t, ",,");
    } else {
      moc__text_printf(&t, ",%" PRId64, p->lower_bound);
      add_percent(&t, moc__max(p->lower_bound - base, 0), base);
    }
    moc__text_printf(&t, ",%s,%d,", moc_bound_scope_word(p->bound_scope), (int)p->max_computes);
    if (moc__sweep_has_plan(p))
      moc__text_printf(&t, "%" PRId64 ",%" PRId64 ",", p->steps, p->steps - n);
    else
      moc__text_printf(&t, ",,");
    moc__svg_number(&t, p->seconds, 3);
    moc__text_printf(&t, "\n");
  }
  return moc__text_take(&t, text, length, error);
}
