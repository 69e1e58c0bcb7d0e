/* A plan as a picture: one self-contained SVG without scripts or fonts of its own.
 *
 * The horizontal axis counts steps, not elapsed time: memory is a function of the step, plan files speak of steps, and
 * durations within one graph span so many orders of magnitude that most steps would have no visible width. What time
 * the plan costs is a single figure, and the subtitle gives it.
 *
 * Above MOST_COLUMNS steps, neighbours share a column, which shows the most of them: a peak never disappears, and the
 * file stays small whatever the length. Colours are told apart by colour-blind readers, and each series differs from
 * the others in more than its colour. Coordinates are printed from integers, so that no locale interferes.
 * O(reads of all steps). */
#include "report/drawing.h"
#include "report/report.h"

#include <inttypes.h>
#include <math.h>

enum { MOST_COLUMNS = 2000 };

/* A drawing in the making. */
typedef struct drawing {
  moc__text text;
  int64_t steps;   /* along the axis */
  int64_t columns; /* at most MOST_COLUMNS */
  double top;      /* bytes at the upper edge, > 0 */
} drawing;

/* --- Scales --- */

static double y_of(const drawing *d, int64_t bytes) {
  return MOC__SVG_BOTTOM - (double)(MOC__SVG_BOTTOM - MOC__SVG_TOP) * (double)bytes / d->top;
}
static double x_of_column(const drawing *d, int64_t column) {
  return MOC__SVG_LEFT + (double)(MOC__SVG_RIGHT - MOC__SVG_LEFT) * (double)column / (double)d->columns;
}
static int64_t column_of(const drawing *d, int64_t step) {
  return (int64_t)((double)step / (double)d->steps * (double)d->columns);
}

/* --- Parts of the picture --- */

static void draw_head(drawing *d, const moc_graph *graph, const moc_plan *plan) {
  moc__text *t = &d->text;
  moc__svg_open(t, moc_graph_name(graph), "memory over the schedule, before and after");
  int64_t added = plan->total_duration - plan->baseline_duration;
  double tdi = moc__percent(added, plan->baseline_duration);
  moc__text_printf(t, "<text x=\"%d\" y=\"60\">Budget ", MOC__SVG_LEFT);
  moc__svg_bytes(t, plan->budget);
  if (plan->baseline_peak_memory > 0) {
    moc__text_printf(t, ", ");
    moc__svg_number(t, moc__percent(plan->budget, plan->baseline_peak_memory), 1);
    moc__text_printf(t, " %% of the peak before; total duration increased by ");
  } else {
    moc__text_printf(t, "; total duration increased by ");
  }
  moc__svg_number(t, tdi, 3);
  moc__text_printf(t, " %% (TDI)%s</text>\n", plan->status == MOC_PLAN_OPTIMAL ? ", proved least" : "");
}

/* One entry of the legend; `x` moves on by its estimated width. */
static void add_label(moc__text *t, double *x, const char *what, int64_t bytes) {
  moc__text_printf(t, "<text x=\"");
  moc__svg_number(t, *x + 30, 1);
  moc__text_printf(t, "\" y=\"90\">%s ", what);
  int64_t from = t->length;
  moc__svg_bytes(t, bytes);
  *x += 30 + 7.0 * (double)((int64_t)strlen(what) + 1 + t->length - from) + 20;
  moc__text_printf(t, "</text>\n");
}

static void draw_legend(drawing *d, const moc_plan *plan, int64_t recomputed) {
  moc__text *t = &d->text;
  double x = MOC__SVG_LEFT;
  moc__text_printf(t,
                   "<path d=\"M%d 91V80H%dV91Z\" fill=\"#dcdcdc\"/><path d=\"M%d 80H%d\" stroke=\"" MOC__SVG_BEFORE
                   "\" stroke-width=\"1.2\"/>\n",
                   MOC__SVG_LEFT, MOC__SVG_LEFT + 22, MOC__SVG_LEFT, MOC__SVG_LEFT + 22);
  add_label(t, &x, "before: peak", plan->baseline_peak_memory);
  moc__text_printf(t,
                   "<path d=\"M%d 91V80h22V91Z\" fill=\"" MOC__SVG_AFTER
                   "\" fill-opacity=\"0.22\"/><path d=\"M%d 80h22\" "
                   "stroke=\"" MOC__SVG_AFTER "\" stroke-width=\"2\"/>\n",
                   (int)x, (int)x);
  add_label(t, &x, "after: peak", plan->peak_memory);
  moc__text_printf(
      t, "<path d=\"M%d 86h22\" stroke=\"" MOC__SVG_BUDGET "\" stroke-width=\"2\" stroke-dasharray=\"6 4\"/>\n",
      (int)x);
  add_label(t, &x, (double)plan->budget > d->top ? "budget, above the drawing:" : "budget", plan->budget);
  if (recomputed == 0) return;
  moc__text_printf(t,
                   "<path d=\"M%d 80v11m6 -11v11m6 -11v11\" stroke=\"" MOC__SVG_RECOMPUTED
                   "\" stroke-width=\"1.6\"/>"
                   "<text x=\"%d\" y=\"90\">recomputed: %" PRId64 " step%s</text>\n",
                   (int)x + 4, (int)x + 26, recomputed, recomputed == 1 ? "" : "s");
}

static void draw_axes(drawing *d) {
  moc__text *t = &d->text;
  int unit = moc__svg_unit(d->top);
  double range = ldexp(d->top, -10 * unit);
  double step = moc__svg_step(range, 10, unit > 0 ? 0.1 : 1);
  moc__svg_levels(t, range, step, 1, unit == 0 ? "B" : moc__svg_unit_name(unit));
  moc__text_printf(t, "<g text-anchor=\"middle\">\n");
  step = moc__svg_step((double)d->steps, 12, 1);
  double width = (double)(MOC__SVG_RIGHT - MOC__SVG_LEFT) / (double)d->steps;
  for (int i = 0; i * step < (double)d->steps; i++) {
    double v = i * step;
    double x = MOC__SVG_LEFT + (v + 0.5) * width;
    moc__text_printf(t, "<path d=\"M");
    moc__svg_number(t, x, 1);
    moc__text_printf(t, " %dv5\" stroke=\"#333\"/><text x=\"", MOC__SVG_BOTTOM + 16);
    moc__svg_number(t, x, 1);
    moc__text_printf(t, "\" y=\"%d\">", MOC__SVG_BOTTOM + 35);
    moc__svg_number(t, v, 0);
    moc__text_printf(t, "</text>\n");
  }
  moc__text_printf(t, "<text x=\"%d\" y=\"%d\">step of the schedule", (MOC__SVG_LEFT + MOC__SVG_RIGHT) / 2,
                   MOC__SVG_BOTTOM + 60);
  if (d->columns < d->steps)
    moc__text_printf(t, " (of about %" PRId64 " neighbouring steps, the highest is drawn)",
                     (d->steps + d->columns - 1) / d->columns);
  moc__text_printf(t, "</text>\n<text transform=\"translate(22 %d) rotate(-90)\">memory</text>\n</g>\n",
                   (MOC__SVG_TOP + MOC__SVG_BOTTOM) / 2);
}

/* The outline of a profile over the columns; `closed` down to the axis, as an area. */
static void add_outline(drawing *d, const int64_t *memory, int64_t length, bool closed) {
  moc__text *t = &d->text;
  int64_t drawn = -1; /* tenths of a unit, of the line so far */
  int64_t last = column_of(d, length - 1);
  int64_t step = 0;
  for (int64_t column = 0; column <= last; column++) {
    int64_t most = 0;
    bool any = false;
    for (; step < length && column_of(d, step) <= column; step++) {
      most = moc__max(most, memory[step]);
      any = true;
    }
    if (!any) continue; /* never with columns <= steps, but for rounding */
    int64_t y = llround(10 * y_of(d, most));
    if (y == drawn) continue;
    if (drawn < 0) {
      moc__text_printf(t, closed ? "M%d %dV" : "M%d ", MOC__SVG_LEFT, MOC__SVG_BOTTOM);
    } else {
      moc__text_printf(t, "H");
      moc__svg_number(t, x_of_column(d, column), 1);
      moc__text_printf(t, "V");
    }
    moc__svg_number(t, (double)y / 10, 1);
    drawn = y;
  }
  moc__text_printf(t, "H");
  moc__svg_number(t, x_of_column(d, last + 1), 1);
  if (closed) moc__text_printf(t, "V%dZ", MOC__SVG_BOTTOM);
}

static void draw_profile(drawing *d, const moc_evaluation *e, const char *fill, const char *line) {
  moc__text_printf(&d->text, "<path %s d=\"", fill);
  add_outline(d, e->memory, e->length, true);
  moc__text_printf(&d->text, "\"/>\n<path fill=\"none\" %s d=\"", line);
  add_outline(d, e->memory, e->length, false);
  moc__text_printf(&d->text, "\"/>\n");
}

/* A mark below the axis for each recomputed step. */
static void draw_recomputed(drawing *d, const bool *recomputed, int64_t length) {
  moc__text *t = &d->text;
  moc__text_printf(t, "<path stroke=\"" MOC__SVG_RECOMPUTED "\" stroke-width=\"%s\" d=\"",
                   d->columns > 600 ? "1.2" : "1.8");
  int64_t marked = -1;
  for (int64_t step = 0; step < length; step++) {
    int64_t column = column_of(d, step);
    if (!recomputed[step] || column == marked) continue;
    marked = column;
    moc__text_printf(t, "M");
    moc__svg_number(t, (x_of_column(d, column) + x_of_column(d, column + 1)) / 2, 1);
    moc__text_printf(t, " %dv11", MOC__SVG_BOTTOM + 3);
  }
  moc__text_printf(t, "\"/>\n");
}

static void draw(drawing *d, const moc_graph *graph, const moc_plan *plan, const moc_evaluation *before,
                 const moc_evaluation *after, const bool *recomputed) {
  moc__text *t = &d->text;
  d->steps = moc__max(before->length, after->length);
  d->columns = moc__min(d->steps, MOST_COLUMNS);
  d->top = (double)moc__max(1, moc__max(before->peak_memory, after->peak_memory));
  /* A budget far above both peaks would flatten them. */
  if ((double)plan->budget <= 1.25 * d->top) d->top = fmax(d->top, (double)plan->budget);
  d->top *= 1.04;
  draw_head(d, graph, plan);
  draw_legend(d, plan, after->length - moc_graph_operations(graph));
  draw_axes(d);
  draw_profile(d, before, "fill=\"#dcdcdc\"", "stroke=\"" MOC__SVG_BEFORE "\" stroke-width=\"1.2\"");
  draw_profile(d, after, "fill=\"" MOC__SVG_AFTER "\" fill-opacity=\"0.22\"",
               "stroke=\"" MOC__SVG_AFTER "\" stroke-width=\"1.6\" stroke-linejoin=\"round\"");
  if ((double)plan->budget <= d->top) {
    moc__text_printf(t, "<path stroke=\"" MOC__SVG_BUDGET "\" stroke-width=\"2\" stroke-dasharray=\"6 4\" d=\"M%d ",
                     MOC__SVG_LEFT);
    moc__svg_number(t, y_of(d, plan->budget), 1);
    moc__text_printf(t, "H%d\"/>\n", MOC__SVG_RIGHT);
  }
  moc__text_printf(t, "<path fill=\"none\" stroke=\"#333\" d=\"M%d %dV%dH%d\"/>\n", MOC__SVG_LEFT, MOC__SVG_TOP,
                   MOC__SVG_BOTTOM, MOC__SVG_RIGHT);
  if (after->length > moc_graph_operations(graph)) draw_recomputed(d, recomputed, after->length);
  moc__text_printf(t, "</svg>\n");
}

/* Which steps compute an operation again: a new array [plan->length], or NULL when memory is out. */
static bool *find_recomputed(const moc_graph *graph, const moc_plan *plan, const moc_allocator *allocator) {
  bool *seen = MOC__NEW_ZEROED(allocator, moc_graph_operations(graph), bool);
  bool *recomputed = MOC__NEW(allocator, plan->length, bool);
  if (seen != NULL && recomputed != NULL)
    for (int64_t step = 0; step < plan->length; step++) {
      recomputed[step] = seen[plan->sequence[step]];
      seen[plan->sequence[step]] = true;
    }
  if (seen == NULL) {
    moc__release(allocator, recomputed);
    recomputed = NULL;
  }
  moc__release(allocator, seen);
  return recomputed;
}

moc_status moc__plan_svg(const moc_graph *graph, const moc_plan *plan, const moc_allocator *given, char **text,
                         size_t *length, moc_error *error) {
  if (plan->length == 0)
    return moc__fail(error, MOC_INVALID_ARGUMENT, "", "expected a plan with a sequence to draw");
  moc_allocator allocator = moc__allocator_or_default(given);
  moc_op_list order = moc_graph_input_order(graph);
  moc_evaluation before;
  moc_evaluation after;
  moc_status status = moc_evaluate(graph, order.items, order.count, &allocator, &before, error);
  if (status != MOC_OK) return status;
  status = moc_evaluate(graph, plan->sequence, plan->length, &allocator, &after, error);
  if (status == MOC_OK) {
    bool *recomputed = find_recomputed(graph, plan, &allocator);
    if (recomputed == NULL) {
      status = moc__out_of_memory(error);
    } else {
      drawing d = {0};
      moc__text_init(&d.text, &allocator);
      draw(&d, graph, plan, &before, &after, recomputed);
      status = moc__text_take(&d.text, text, length, error);
    }
    moc__release(&allocator, recomputed);
    moc_evaluation_release(&after);
  }
  moc_evaluation_release(&before);
  return status;
}
