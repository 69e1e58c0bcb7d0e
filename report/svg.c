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
#include "report/svg.h"

#include "base/base.h"

#include <inttypes.h>
#include <math.h>

#define WIDTH        960
#define HEIGHT       520
#define LEFT         92
#define RIGHT        934
#define TOP          112
#define BOTTOM       436
#define MOST_COLUMNS 2000
#define LONGEST_NAME 70 /* characters of the graph's name that are shown */

#define COLOUR_BEFORE     "#7f7f7f"
#define COLOUR_AFTER      "#0072b2"
#define COLOUR_BUDGET     "#d55e00"
#define COLOUR_RECOMPUTED "#882255"

/* A drawing in the making. */
typedef struct drawing {
  moc__text text;
  int64_t steps;   /* along the axis */
  int64_t columns; /* at most MOST_COLUMNS */
  double top;      /* bytes at the upper edge, > 0 */
} drawing;

/* --- Numbers and text --- */

/* `value` >= 0 with at most `decimals` decimals, zeros at the end left out. */
static void add_number(moc__text *text, double value, int decimals) {
  int64_t scale = 1;
  for (int i = 0; i < decimals; i++) scale *= 10;
  int64_t scaled = llround(value * (double)scale);
  moc__text_printf(text, "%" PRId64, scaled / scale);
  int64_t rest = scaled % scale;
  if (rest == 0) return;
  while (rest % 10 == 0) {
    rest /= 10;
    decimals--;
  }
  moc__text_printf(text, ".%0*" PRId64, decimals, rest);
}

static const char *const UNITS[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

/* The power of 1024 in which `bytes` are best read. */
static int unit_of(double bytes) {
  int unit = 0;
  for (; bytes >= 1024; bytes /= 1024) unit++;
  return unit;
}

static void add_bytes(moc__text *text, int64_t bytes) {
  int unit = unit_of((double)bytes);
  double value = ldexp((double)bytes, -10 * unit);
  add_number(text, value, unit == 0 ? 0 : value < 100 ? 2 : 1);
  moc__text_printf(text, " %s", UNITS[unit]);
}

/* Text of others, at most `most` characters of it. What XML does not allow becomes a question mark. */
static void add_escaped(moc__text *text, const char *other, int most) {
  int characters = 0;
  for (const char *at = other; *at != '\0'; at++) {
    unsigned char c = (unsigned char)*at;
    if ((c & 0xc0) != 0x80 && ++characters > most) {
      moc__text_printf(text, "\xe2\x80\xa6");
      return;
    }
    if (c == '<')
      moc__text_printf(text, "&lt;");
    else if (c == '>')
      moc__text_printf(text, "&gt;");
    else if (c == '&')
      moc__text_printf(text, "&amp;");
    else if (c == '"')
      moc__text_printf(text, "&quot;");
    else if (c < 0x20 || c == 0x7f)
      moc__text_printf(text, "?");
    else if (c == 0xef && (unsigned char)at[1] == 0xbf && (unsigned char)at[2] >= 0xbe) {
      moc__text_printf(text, "?"); /* U+FFFE, U+FFFF */
      at += 2;
    } else
      moc__text_add(text, at, 1);
  }
}

/* --- Scales --- */

static double y_of(const drawing *d, int64_t bytes) {
  return BOTTOM - (double)(BOTTOM - TOP) * (double)bytes / d->top;
}
static double x_of_column(const drawing *d, int64_t column) {
  return LEFT + (double)(RIGHT - LEFT) * (double)column / (double)d->columns;
}
static int64_t column_of(const drawing *d, int64_t step) {
  return (int64_t)((double)step / (double)d->steps * (double)d->columns);
}

/* The least of 1, 2, 5, 10, 20, ... (with 0.1, 0.2, 0.5 where `fractions`) that cuts `range` into at most `most`. */
static double nice_step(double range, int most, bool fractions) {
  static const double FACTORS[] = {1, 2, 5};
  double power = fractions ? 0.1 : 1;
  for (;;) {
    for (int i = 0; i < 3; i++)
      if (range / (FACTORS[i] * power) <= most) return FACTORS[i] * power;
    power *= 10;
  }
}

/* --- Parts of the picture --- */

static void draw_head(drawing *d, const moc_graph *graph, const moc_plan *plan) {
  moc__text *t = &d->text;
  const char *name = moc_graph_name(graph);
  moc__text_printf(
      t,
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" "
      "font-family=\"'Helvetica Neue', Helvetica, Arial, 'DejaVu Sans', sans-serif\" font-size=\"13\" "
      "fill=\"#333\">\n<title>",
      WIDTH, HEIGHT, WIDTH, HEIGHT);
  add_escaped(t, name[0] == '\0' ? "A graph without name" : name, LONGEST_NAME);
  moc__text_printf(t,
                   ": memory over the schedule, before and after</title>\n"
                   "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n<text x=\"%d\" y=\"36\" font-size=\"19\" "
                   "font-weight=\"bold\" fill=\"#111\">",
                   WIDTH, HEIGHT, LEFT);
  add_escaped(t, name[0] == '\0' ? "Memory over the schedule" : name, LONGEST_NAME);
  int64_t added = plan->total_duration - plan->baseline_duration;
  double tdi = plan->baseline_duration == 0 ? 0 : 100 * (double)added / (double)plan->baseline_duration;
  moc__text_printf(t, "</text>\n<text x=\"%d\" y=\"60\">Budget ", LEFT);
  add_bytes(t, plan->budget);
  if (plan->baseline_peak_memory > 0) {
    moc__text_printf(t, ", ");
    add_number(t, 100 * (double)plan->budget / (double)plan->baseline_peak_memory, 1);
    moc__text_printf(t, " %% of the peak before; total duration increased by ");
  } else {
    moc__text_printf(t, "; total duration increased by ");
  }
  add_number(t, tdi, 3);
  moc__text_printf(t, " %% (TDI)%s</text>\n", plan->status == MOC_PLAN_OPTIMAL ? ", proved least" : "");
}

/* One entry of the legend; `x` moves on by its estimated width. */
static void add_label(moc__text *t, double *x, const char *what, int64_t bytes) {
  moc__text_printf(t, "<text x=\"");
  add_number(t, *x + 30, 1);
  moc__text_printf(t, "\" y=\"90\">%s ", what);
  int64_t from = t->length;
  add_bytes(t, bytes);
  *x += 30 + 7.0 * (double)((int64_t)strlen(what) + 1 + t->length - from) + 20;
  moc__text_printf(t, "</text>\n");
}

static void draw_legend(drawing *d, const moc_plan *plan, int64_t recomputed) {
  moc__text *t = &d->text;
  double x = LEFT;
  moc__text_printf(t,
                   "<path d=\"M%d 91V80H%dV91Z\" fill=\"#dcdcdc\"/><path d=\"M%d 80H%d\" stroke=\"" COLOUR_BEFORE
                   "\" stroke-width=\"1.2\"/>\n",
                   LEFT, LEFT + 22, LEFT, LEFT + 22);
  add_label(t, &x, "before: peak", plan->baseline_peak_memory);
  moc__text_printf(t,
                   "<path d=\"M%d 91V80h22V91Z\" fill=\"" COLOUR_AFTER
                   "\" fill-opacity=\"0.22\"/><path d=\"M%d 80h22\" "
                   "stroke=\"" COLOUR_AFTER "\" stroke-width=\"2\"/>\n",
                   (int)x, (int)x);
  add_label(t, &x, "after: peak", plan->peak_memory);
  moc__text_printf(
      t, "<path d=\"M%d 86h22\" stroke=\"" COLOUR_BUDGET "\" stroke-width=\"2\" stroke-dasharray=\"6 4\"/>\n",
      (int)x);
  add_label(t, &x, (double)plan->budget > d->top ? "budget, above the drawing:" : "budget", plan->budget);
  if (recomputed == 0) return;
  moc__text_printf(t,
                   "<path d=\"M%d 80v11m6 -11v11m6 -11v11\" stroke=\"" COLOUR_RECOMPUTED "\" stroke-width=\"1.6\"/>"
                   "<text x=\"%d\" y=\"90\">recomputed: %" PRId64 " step%s</text>\n",
                   (int)x + 4, (int)x + 26, recomputed, recomputed == 1 ? "" : "s");
}

static void draw_axes(drawing *d) {
  moc__text *t = &d->text;
  int unit = unit_of(d->top);
  double range = ldexp(d->top, -10 * unit);
  double step = nice_step(range, 10, unit > 0);
  moc__text_printf(t, "<g stroke=\"#e6e6e6\">\n");
  for (double v = step; v <= range * 1.000001; v += step) {
    moc__text_printf(t, "<path d=\"M%d ", LEFT);
    add_number(t, BOTTOM - (BOTTOM - TOP) * v / range, 1);
    moc__text_printf(t, "H%d\"/>\n", RIGHT);
  }
  moc__text_printf(t, "</g>\n<g text-anchor=\"end\">\n");
  for (double v = 0; v <= range * 1.000001; v += step) {
    moc__text_printf(t, "<text x=\"%d\" y=\"", LEFT - 8);
    add_number(t, BOTTOM - (BOTTOM - TOP) * v / range + 4.5, 1);
    moc__text_printf(t, "\">");
    add_number(t, v, 1);
    moc__text_printf(t, v > 0 ? " %s</text>\n" : "</text>\n", unit == 0 ? "B" : UNITS[unit]);
  }
  moc__text_printf(t, "</g>\n<g text-anchor=\"middle\">\n");
  step = nice_step((double)d->steps, 12, false);
  double width = (double)(RIGHT - LEFT) / (double)d->steps;
  for (double v = 0; v < (double)d->steps; v += step) {
    double x = LEFT + (v + 0.5) * width;
    moc__text_printf(t, "<path d=\"M");
    add_number(t, x, 1);
    moc__text_printf(t, " %dv5\" stroke=\"#333\"/><text x=\"", BOTTOM + 16);
    add_number(t, x, 1);
    moc__text_printf(t, "\" y=\"%d\">", BOTTOM + 35);
    add_number(t, v, 0);
    moc__text_printf(t, "</text>\n");
  }
  moc__text_printf(t, "<text x=\"%d\" y=\"%d\">step of the schedule", (LEFT + RIGHT) / 2, BOTTOM + 60);
  if (d->columns < d->steps)
    moc__text_printf(t, " (of about %" PRId64 " neighbouring steps, the highest is drawn)",
                     (d->steps + d->columns - 1) / d->columns);
  moc__text_printf(t, "</text>\n<text transform=\"translate(22 %d) rotate(-90)\">memory</text>\n</g>\n",
                   (TOP + BOTTOM) / 2);
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
      moc__text_printf(t, closed ? "M%d %dV" : "M%d ", LEFT, BOTTOM);
    } else {
      moc__text_printf(t, "H");
      add_number(t, x_of_column(d, column), 1);
      moc__text_printf(t, "V");
    }
    add_number(t, (double)y / 10, 1);
    drawn = y;
  }
  moc__text_printf(t, "H");
  add_number(t, x_of_column(d, last + 1), 1);
  if (closed) moc__text_printf(t, "V%dZ", BOTTOM);
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
  moc__text_printf(t, "<path stroke=\"" COLOUR_RECOMPUTED "\" stroke-width=\"%s\" d=\"",
                   d->columns > 600 ? "1.2" : "1.8");
  int64_t marked = -1;
  for (int64_t step = 0; step < length; step++) {
    int64_t column = column_of(d, step);
    if (!recomputed[step] || column == marked) continue;
    marked = column;
    moc__text_printf(t, "M");
    add_number(t, (x_of_column(d, column) + x_of_column(d, column + 1)) / 2, 1);
    moc__text_printf(t, " %dv11", BOTTOM + 3);
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
  draw_profile(d, before, "fill=\"#dcdcdc\"", "stroke=\"" COLOUR_BEFORE "\" stroke-width=\"1.2\"");
  draw_profile(d, after, "fill=\"" COLOUR_AFTER "\" fill-opacity=\"0.22\"",
               "stroke=\"" COLOUR_AFTER "\" stroke-width=\"1.6\" stroke-linejoin=\"round\"");
  if ((double)plan->budget <= d->top) {
    moc__text_printf(t, "<path stroke=\"" COLOUR_BUDGET "\" stroke-width=\"2\" stroke-dasharray=\"6 4\" d=\"M%d ",
                     LEFT);
    add_number(t, y_of(d, plan->budget), 1);
    moc__text_printf(t, "H%d\"/>\n", RIGHT);
  }
  moc__text_printf(t, "<path fill=\"none\" stroke=\"#333\" d=\"M%d %dV%dH%d\"/>\n", LEFT, TOP, BOTTOM, RIGHT);
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

moc_status moc__report_svg(const moc_graph *graph, const moc_plan *plan, const moc_allocator *given, char **text,
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
