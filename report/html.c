/* Reports as pages: the picture, and the figures in tables. One file each, without scripts, fonts or pictures of others, so
 * that it can be mailed and kept. Names of graphs and operations are text of others and are escaped. O(length). */
#include "report/drawing.h"
#include "report/report.h"

#include <inttypes.h>

enum { MOST_ROWS = 1000, LONGEST_TEXT = 200 };

static void add_percent(moc__text *t, int64_t part, int64_t whole) {
  moc__svg_number(t, moc__percent(part, whole), 4);
  moc__text_printf(t, " %%");
}

static void add_exact_bytes(moc__text *t, int64_t bytes) {
  moc__svg_bytes(t, bytes);
  if (bytes >= 1024) moc__text_printf(t, " <small>(%" PRId64 " bytes)</small>", bytes);
}

static void open_page(moc__text *t, const moc_graph *graph, const char *what) {
  const char *name = moc_graph_name(graph);
  moc__text_printf(t, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>");
  moc__svg_escaped(t, name[0] == '\0' ? "A graph without name" : name, LONGEST_TEXT);
  moc__text_printf(
      t,
      ": %s</title>\n<style>\n"
      "body { font: 15px/1.5 'Helvetica Neue', Helvetica, Arial, sans-serif; color: #333; max-width: 60rem; "
      "margin: 2rem auto; padding: 0 1rem; }\n"
      "svg { max-width: 100%%; height: auto; }\n"
      "table { border-collapse: collapse; margin: 1rem 0; }\n"
      "th, td { padding: .2rem .8rem; border-bottom: 1px solid #e6e6e6; text-align: left; "
      "vertical-align: top; }\n"
      ".n { text-align: right; font-variant-numeric: tabular-nums; }\nsmall { color: #777; }\n"
      "</style>\n</head>\n<body>\n",
      what);
}

static moc_status close_page(moc__text *t, char **text, size_t *length, moc_error *error) {
  moc__text_printf(t, "</body>\n</html>\n");
  return moc__text_take(t, text, length, error);
}

/* --- A plan --- */

static void add_plan_facts(moc__text *t, const moc_graph *graph, const moc_plan *plan) {
  int64_t base = plan->baseline_duration, n = moc_graph_operations(graph);
  moc__text_printf(t, "<table>\n<tr><th>Graph<td>%" PRId64 " operations, %" PRId64 " edges\n<tr><th>Budget<td>", n,
                   moc_graph_edges(graph));
  add_exact_bytes(t, plan->budget);
  moc__text_printf(t, "\n<tr><th>Peak<td>");
  add_exact_bytes(t, plan->peak_memory);
  moc__text_printf(t, ", was ");
  add_exact_bytes(t, plan->baseline_peak_memory);
  moc__text_printf(t, "\n<tr><th>Duration<td>%" PRId64 ", was %" PRId64 " (TDI ", plan->total_duration, base);
  add_percent(t, plan->total_duration - base, base);
  moc__text_printf(t, ")\n<tr><th>Lower bound<td>%" PRId64 " (TDI ", plan->lower_bound);
  add_percent(t, moc__max(plan->lower_bound - base, 0), base);
  moc__text_printf(t, ")\n<tr><th>Status<td>");
  if (plan->status != MOC_PLAN_OPTIMAL)
    moc__text_printf(t, "feasible: a shorter plan may exist\n");
  else if (plan->bound_scope == MOC_SCOPE_ANY)
    moc__text_printf(t, "optimal: no shorter plan exists\n");
  else
    moc__text_printf(
        t, "optimal: no shorter plan exists in the input order with at most %d computations of an operation\n",
        (int)plan->max_computes);
  moc__text_printf(t, "<tr><th>Order<td>%s, at most %d computations of an operation\n",
                   plan->order == MOC_ORDER_INPUT ? "as in the graph" : "chosen", (int)plan->max_computes);
  moc__text_printf(t, "<tr><th>Steps<td>%" PRId64 ", %" PRId64 " of them compute something again\n</table>\n",
                   plan->length, plan->length - n);
}

static void add_recomputed(moc__text *t, const moc_graph *graph, const moc_plan *plan, bool *seen) {
  int64_t rows = 0;
  if (plan->length == moc_graph_operations(graph)) return;
  moc__text_printf(
      t, "<h2>What is computed again</h2>\n<table>\n<tr><th class=\"n\">step<th>operation<th class=\"n\">duration"
         "<th class=\"n\">outputs<th class=\"n\">memory then\n");
  for (int64_t step = 0; step < plan->length; step++) {
    moc_op op = plan->sequence[step];
    bool again = seen[op];
    seen[op] = true;
    if (!again || ++rows > MOST_ROWS) continue;
    const char *name = moc_graph_op_name(graph, op), *label = moc_graph_op_label(graph, op);
    moc_tensor_list outputs = moc_graph_op_outputs(graph, op);
    int64_t bytes = 0;
    for (int64_t i = 0; i < outputs.count; i++) bytes += moc_graph_tensor_size(graph, outputs.items[i]);
    moc__text_printf(t, "<tr><td class=\"n\">%" PRId64 "<td>", step);
    moc__svg_escaped(t, name, LONGEST_TEXT);
    if (strcmp(name, label) != 0) {
      moc__text_printf(t, " <small>");
      moc__svg_escaped(t, label, LONGEST_TEXT);
      moc__text_printf(t, "</small>");
    }
    moc__text_printf(t, "<td class=\"n\">%" PRId64 "<td class=\"n\">", moc_graph_op_duration(graph, op));
    moc__svg_bytes(t, bytes);
    moc__text_printf(t, "<td class=\"n\">");
    moc__svg_bytes(t, plan->memory[step]);
    moc__text_printf(t, "\n");
  }
  moc__text_printf(t, "</table>\n");
  if (rows > MOST_ROWS) moc__text_printf(t, "<p>and %" PRId64 " more; the plan file has all.\n", rows - MOST_ROWS);
}

moc_status moc__plan_html(const moc_graph *graph, const moc_plan *plan, const moc_allocator *given, char **text,
                          size_t *length, moc_error *error) {
  moc_allocator allocator = moc__allocator_or_default(given);
  char *picture;
  size_t size;
  moc_status status = moc__plan_svg(graph, plan, &allocator, &picture, &size, error);
  if (status != MOC_OK) return status;
  bool *seen = MOC__NEW_ZEROED(&allocator, moc_graph_operations(graph), bool);
  if (seen == NULL) {
    moc__release(&allocator, picture);
    return moc__out_of_memory(error);
  }
  moc__text t;
  moc__text_init(&t, &allocator);
  open_page(&t, graph, "memory over the schedule");
  moc__text_add(&t, picture, (int64_t)size);
  add_plan_facts(&t, graph, plan);
  add_recomputed(&t, graph, plan, seen);
  moc__release(&allocator, picture);
  moc__release(&allocator, seen);
  return close_page(&t, text, length, error);
}

/* --- A sweep --- */

static void add_row(moc__text *t, const moc__sweep *sweep, const moc__sweep_point *p) {
  int64_t base = sweep->facts.baseline_duration;
  moc__text_printf(t, "<tr><td class=\"n\">");
  add_percent(t, p->budget, sweep->facts.baseline_peak);
  moc__text_printf(t, "<td class=\"n\">");
  add_exact_bytes(t, p->budget);
  if (moc__sweep_has_plan(p)) {
    moc__text_printf(t, "<td class=\"n\">");
    moc__svg_bytes(t, p->peak_memory);
    moc__text_printf(t, "<td class=\"n\">%" PRId64 "<td class=\"n\">", p->total_duration);
    add_percent(t, p->total_duration - base, base);
    moc__text_printf(t, "<td class=\"n\">");
    add_percent(t, moc__max(p->lower_bound - base, 0), base);
    moc__text_printf(t, "<td class=\"n\">%" PRId64, p->steps - moc_graph_operations(sweep->graph));
  } else {
    moc__text_printf(t, "<td><td><td><td><td>");
  }
  moc__text_printf(t, "<td>%s\n", moc_plan_status_word(p->status));
}

moc_status moc__sweep_html(const moc__sweep *sweep, const moc_allocator *given, char **text, size_t *length,
                           moc_error *error) {
  moc_allocator allocator = moc__allocator_or_default(given);
  char *picture;
  size_t size;
  moc_status status = moc__sweep_svg(sweep, &allocator, &picture, &size, error);
  if (status != MOC_OK) return status;
  moc__text t;
  moc__text_init(&t, &allocator);
  open_page(&t, sweep->graph, "total duration increase over the budget");
  moc__text_add(&t, picture, (int64_t)size);
  moc__release(&allocator, picture);
  moc__text_printf(&t, "<p>%" PRId64 " operations, %" PRId64 " edges; duration %" PRId64 ", nothing recomputed.\n",
                   moc_graph_operations(sweep->graph), moc_graph_edges(sweep->graph),
                   sweep->facts.baseline_duration);
  moc__text_printf(&t,
                   "<table>\n<tr><th class=\"n\">of the peak<th class=\"n\">budget<th class=\"n\">peak"
                   "<th class=\"n\">duration<th class=\"n\">TDI<th class=\"n\">at least<th class=\"n\">recomputed"
                   "<th>status\n");
  for (int64_t i = 0; i < sweep->count; i++) add_row(&t, sweep, &sweep->points[i]);
  moc__text_printf(&t, "</table>\n");
  char scope[120];
  if (moc__sweep_scope(sweep, scope, sizeof scope)) moc__text_printf(&t, "<p>%s\n", scope);
  return close_page(&t, text, length, error);
}
