/* A sweep as a picture: total duration increase over the budget, one self-contained SVG without scripts or fonts of its own.
 *
 * Plans are joined by a stair: between two budgets the plan of the smaller one holds. So are lower bounds, the other way: the
 * bound of the larger budget holds for all smaller ones. The truth lies between the stairs. O(points). */
#include "report/drawing.h"
#include "report/report.h"

#include <inttypes.h>
#include <math.h>

enum { MOST_MARKS = 200 }; /* points from which on plans are not marked singly */
#define NONE_AT_ALL   "#dcdcdc"
#define NONE_IN_ORDER "#f0f0f0"

typedef struct drawing {
  moc__text text;
  const moc__sweep *sweep;
  double left, right; /* budgets at the edges, in percent of the peak */
  double top;         /* TDI at the upper edge, > 0 */
} drawing;

static double share_of(const drawing *d, int64_t bytes) {
  return moc__percent(bytes, d->sweep->facts.baseline_peak);
}

static double x_of(const drawing *d, double share) {
  double width = MOC__SVG_RIGHT - MOC__SVG_LEFT;
  return MOC__SVG_LEFT + width * (share - d->left) / (d->right - d->left);
}

static double tdi_of(const drawing *d, int64_t duration) {
  int64_t base = d->sweep->facts.baseline_duration;
  return moc__percent(moc__max(duration - base, 0), base);
}

static double y_of(const drawing *d, int64_t duration) {
  double height = MOC__SVG_BOTTOM - MOC__SVG_TOP;
  return MOC__SVG_BOTTOM - height * tdi_of(d, duration) / d->top;
}

static void add_point(moc__text *t, const char *command, double x, double y) {
  moc__text_printf(t, "%s", command);
  moc__svg_number(t, x, 1);
  moc__text_printf(t, " ");
  moc__svg_number(t, y, 1);
}

static void set_scales(drawing *d) {
  const moc__sweep *s = d->sweep;
  double least = INFINITY, most = 0;
  d->top = 0;
  for (int64_t i = 0; i < s->count; i++) {
    const moc__sweep_point *p = &s->points[i];
    least = fmin(least, share_of(d, p->budget));
    most = fmax(most, share_of(d, p->budget));
    if (moc__sweep_has_plan(p)) d->top = fmax(d->top, tdi_of(d, p->total_duration));
    if (p->status == MOC_PLAN_UNKNOWN) d->top = fmax(d->top, tdi_of(d, p->lower_bound));
  }
  double margin = fmax(0.03 * (most - least), fmax(0.01 * most, 1)); /* so wide that ticks can be told apart */
  d->left = fmax(least - margin, 0);
  d->right = most + margin;
  if (!(d->top > 0)) d->top = 1;
  d->top *= 1.06;
}

static void shade(drawing *d, int64_t budget, const char *colour) {
  double share = share_of(d, budget);
  if (share <= d->left) return;
  moc__text_printf(&d->text, "<path fill=\"%s\" d=\"M%d %dV%dH", colour, MOC__SVG_LEFT, MOC__SVG_TOP,
                   MOC__SVG_BOTTOM);
  moc__svg_number(&d->text, x_of(d, fmin(share, d->right)), 1);
  moc__text_printf(&d->text, "V%dZ\"/>\n", MOC__SVG_TOP);
}

/* The largest budget for which it is proved that there is no plan, in the sense of a scope; -1. */
static int64_t most_excluded(const moc__sweep *sweep, moc_bound_scope scope) {
  for (int64_t i = 0; i < sweep->count; i++) {
    const moc__sweep_point *p = &sweep->points[i];
    if (p->status == MOC_PLAN_INFEASIBLE && p->bound_scope == scope) return p->budget;
  }
  return -1;
}

static void draw_excluded(drawing *d) {
  shade(d, most_excluded(d->sweep, MOC_SCOPE_ORDER), NONE_IN_ORDER);
  shade(d, moc__max(d->sweep->facts.working_set_bound - 1, most_excluded(d->sweep, MOC_SCOPE_ANY)), NONE_AT_ALL);
}

static void draw_subtitle(drawing *d) {
  moc__text *t = &d->text;
  const moc__sweep *s = d->sweep;
  int64_t plans = 0, proved = 0;
  for (int64_t i = 0; i < s->count; i++) {
    plans += moc__sweep_has_plan(&s->points[i]);
    proved += s->points[i].status == MOC_PLAN_OPTIMAL;
  }
  moc__text_printf(t, "<text x=\"%d\" y=\"60\">Peak before ", MOC__SVG_LEFT);
  moc__svg_bytes(t, s->facts.baseline_peak);
  moc__text_printf(t, "; no plan exists below ");
  moc__svg_bytes(t, s->facts.working_set_bound);
  moc__text_printf(t, ". %" PRId64 " budget%s, %" PRId64 " with a plan, %" PRId64 " proved least</text>\n",
                   s->count, s->count == 1 ? "" : "s", plans, proved);
}

static void draw_legend(moc__text *t, bool order) {
  moc__text_printf(
      t,
      "<path d=\"M92 86h22\" stroke=\"" MOC__SVG_AFTER "\" stroke-width=\"2\"/><circle cx=\"103\" cy=\"86\" "
      "r=\"4\" fill=\"" MOC__SVG_AFTER "\"/><text x=\"122\" y=\"90\">plan, proved least</text>\n"
      "<circle cx=\"262\" cy=\"86\" r=\"4\" fill=\"#fff\" stroke=\"" MOC__SVG_AFTER
      "\" stroke-width=\"2\"/><text x=\"274\" y=\"90\">plan</text>\n"
      "<path d=\"M328 86h22\" stroke=\"" MOC__SVG_BUDGET
      "\" stroke-width=\"2\" stroke-dasharray=\"6 4\"/><text x=\"358\" y=\"90\">lower bound</text>\n"
      "<path d=\"M458 82l8 8m0 -8l-8 8\" stroke=\"" MOC__SVG_RECOMPUTED
      "\" stroke-width=\"2\"/><text x=\"474\" y=\"90\">none found</text>\n"
      "<path d=\"M568 80h22v11h-22Z\" fill=\"" NONE_AT_ALL "\"/><text x=\"598\" y=\"90\">proved: no plan</text>\n");
  if (order)
    moc__text_printf(t, "<path d=\"M712 80h22v11h-22Z\" fill=\"" NONE_IN_ORDER
                        "\"/><text x=\"742\" y=\"90\">none in the input order</text>\n");
}

static void draw_axes(drawing *d) {
  moc__text *t = &d->text;
  double step = moc__svg_step(d->top, 10, 1e-6);
  moc__svg_levels(t, d->top, step, 6, "%");
  moc__text_printf(t, "<g text-anchor=\"middle\">\n");
  step = moc__svg_step(d->right - d->left, 9, 0.001);
  double first = step * ceil(d->left / step);
  for (int i = 0; first + i * step <= d->right; i++) {
    double v = first + i * step, x = x_of(d, v);
    add_point(t, "<path d=\"M", x, MOC__SVG_BOTTOM);
    moc__text_printf(t, "v5\" stroke=\"#333\"/><text x=\"");
    moc__svg_number(t, x, 1);
    moc__text_printf(t, "\" y=\"%d\">", MOC__SVG_BOTTOM + 20);
    moc__svg_number(t, v, 3);
    moc__text_printf(t, " %%</text><text font-size=\"11\" fill=\"#777\" x=\"");
    moc__svg_number(t, x, 1);
    moc__text_printf(t, "\" y=\"%d\">", MOC__SVG_BOTTOM + 36);
    moc__svg_bytes(t, llround(fmin(v / 100 * (double)d->sweep->facts.baseline_peak, 9e18)));
    moc__text_printf(t, "</text>\n");
  }
  moc__text_printf(t,
                   "<text x=\"%d\" y=\"%d\">budget, of the peak before</text>\n"
                   "<text transform=\"translate(22 %d) rotate(-90)\">total duration increase</text>\n</g>\n",
                   (MOC__SVG_LEFT + MOC__SVG_RIGHT) / 2, MOC__SVG_BOTTOM + 60,
                   (MOC__SVG_TOP + MOC__SVG_BOTTOM) / 2);
}

/* From the largest budget down: at each the line goes up at that of the point before, which the plan there still needs. */
static void draw_plans(drawing *d) {
  moc__text *t = &d->text;
  bool begun = false;
  moc__text_printf(t, "<path fill=\"none\" stroke=\"" MOC__SVG_AFTER "\" stroke-width=\"2\" d=\"");
  for (int64_t i = 0; i < d->sweep->count; i++) {
    const moc__sweep_point *p = &d->sweep->points[i];
    if (!moc__sweep_has_plan(p)) continue;
    if (begun)
      moc__text_printf(t, "V");
    else
      moc__text_printf(t, "M%d ", MOC__SVG_RIGHT);
    moc__svg_number(t, y_of(d, p->total_duration), 1);
    begun = true;
    moc__text_printf(t, "H");
    moc__svg_number(t, x_of(d, share_of(d, p->budget)), 1);
  }
  moc__text_printf(t, "\"/>\n");
}

static void draw_bounds(drawing *d) {
  moc__text *t = &d->text;
  bool begun = false;
  moc__text_printf(t, "<path fill=\"none\" stroke=\"" MOC__SVG_BUDGET
                      "\" stroke-width=\"2\" stroke-dasharray=\"6 4\" d=\"");
  for (int64_t i = 0; i < d->sweep->count; i++) {
    const moc__sweep_point *p = &d->sweep->points[i];
    if (p->status == MOC_PLAN_INFEASIBLE) break;
    double x = x_of(d, share_of(d, p->budget)), y = y_of(d, p->lower_bound);
    if (!begun) {
      add_point(t, "M", x, y);
    } else {
      moc__text_printf(t, "H");
      moc__svg_number(t, x, 1);
      moc__text_printf(t, "V");
      moc__svg_number(t, y, 1);
    }
    begun = true;
  }
  moc__text_printf(t, "\"/>\n");
}

static void draw_marks(drawing *d) {
  moc__text *t = &d->text;
  for (int64_t i = 0; i < d->sweep->count; i++) {
    const moc__sweep_point *p = &d->sweep->points[i];
    double x = x_of(d, share_of(d, p->budget));
    if (p->status == MOC_PLAN_UNKNOWN) {
      add_point(t, "<path stroke=\"" MOC__SVG_RECOMPUTED "\" stroke-width=\"2\" d=\"M", x - 4, MOC__SVG_TOP + 6);
      moc__text_printf(t, "l8 8m0 -8l-8 8\"/>\n");
    }
    if (!moc__sweep_has_plan(p) || d->sweep->count > MOST_MARKS) continue;
    moc__text_printf(t, "<circle r=\"4\" stroke=\"" MOC__SVG_AFTER "\" stroke-width=\"2\" fill=\"%s\" cx=\"",
                     p->status == MOC_PLAN_OPTIMAL ? MOC__SVG_AFTER : "#fff");
    moc__svg_number(t, x, 1);
    moc__text_printf(t, "\" cy=\"");
    moc__svg_number(t, y_of(d, p->total_duration), 1);
    moc__text_printf(t, "\"/>\n");
  }
}

moc_status moc__sweep_svg(const moc__sweep *sweep, const moc_allocator *given, char **text, size_t *length,
                          moc_error *error) {
  moc_allocator allocator = moc__allocator_or_default(given);
  drawing d = {.sweep = sweep};
  moc__text_init(&d.text, &allocator);
  set_scales(&d);
  moc__svg_open(&d.text, moc_graph_name(sweep->graph), "total duration increase over the budget");
  draw_subtitle(&d);
  draw_legend(&d.text, most_excluded(sweep, MOC_SCOPE_ORDER) >= 0);
  draw_excluded(&d);
  draw_axes(&d);
  draw_bounds(&d);
  draw_plans(&d);
  draw_marks(&d);
  char scope[120];
  if (moc__sweep_scope(sweep, scope, sizeof scope))
    moc__text_printf(&d.text, "<text font-size=\"11\" fill=\"#777\" x=\"%d\" y=\"%d\">%s</text>\n", MOC__SVG_LEFT,
                     MOC__SVG_BOTTOM + 78, scope);
  moc__text_printf(&d.text, "<path fill=\"none\" stroke=\"#333\" d=\"M%d %dV%dH%d\"/>\n</svg>\n", MOC__SVG_LEFT,
                   MOC__SVG_TOP, MOC__SVG_BOTTOM, MOC__SVG_RIGHT);
  return moc__text_take(&d.text, text, length, error);
}
