/* moccasin sweep: the trade-off between budget and duration, a solve for each of several budgets. */
#include "cli/cli.h"

#include "report/report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

typedef struct arguments {
  const char *graph;
  const char *budgets_text;
  cli_budgets budgets;
  const char *output; /* NULL: only the table */
  bool json;
  bool quiet;
  moc_solve_options options;
} arguments;

static const struct argp_option OPTIONS[] = {
    {.name = "budgets",
     .key = CLI_KEY_BUDGETS,
     .arg = "LIST",
     .doc = "the budgets (required): with commas between them, each as `" CLI_PROGRAM
            " solve' takes it, or from one to another by steps, as in 50%..100%:5%"},
    {.name = "output",
     .key = 'o',
     .arg = "FILE",
     .doc = "write the results to this file; by its name .csv or .json: the figures, .svg: a picture, .html: both"},
    {.name = "json", .key = CLI_KEY_JSON, .doc = "print the results as JSON instead of a table"},
    {.name = "quiet", .key = 'q', .doc = "show no progress"},
    {0}};

static void check(const arguments *a, struct argp_state *state) {
  static const char *const ENDS[] = {".csv", ".json", ".svg", ".html"};
  cli_need_graph(a->graph, state);
  if (a->budgets_text == NULL) argp_error(state, "expected --budgets LIST: %s", CLI_BUDGETS_FORMS);
  if (a->output == NULL) return;
  for (size_t i = 0; i < sizeof ENDS / sizeof *ENDS; i++) {
    if (cli_ends_in(a->output, ENDS[i])) return;
  }
  argp_error(state, "--output: expected the name of a file that ends in .csv, .json, .svg or .html, not \"%s\"",
             a->output);
}

static error_t accept(int key, char *argument, struct argp_state *state, void *values) {
  arguments *a = values;
  if (key >= CLI_KEY_SOLVER && key < CLI_KEY_GENERATOR) {
    cli_set_solver_option(key, argument, &a->options, state);
    return 0;
  }
  switch (key) {
  case CLI_KEY_BUDGETS: {
    char problem[400];
    a->budgets_text = argument;
    if (!cli_budgets_read(argument, &a->budgets, problem, sizeof problem))
      argp_error(state, "--budgets: %s; expected %s", problem, CLI_BUDGETS_FORMS);
    return 0;
  }
  case 'o':
    a->output = argument;
    return 0;
  case 'q':
    a->quiet = true;
    return 0;
  case CLI_KEY_JSON:
    a->json = true;
    return 0;
  case ARGP_KEY_ARG:
    cli_take_graph(&a->graph, argument, state);
    return 0;
  case ARGP_KEY_END:
    check(a, state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

/* --- Results --- */

static void print_table(const arguments *a, const moc__sweep *sweep) {
  cli_text x;
  cli_text y;
  char name[200];
  int64_t base = sweep->facts.baseline_duration, n = moc_graph_operations(sweep->graph);
  int64_t edges = moc_graph_edges(sweep->graph);
  printf("Graph    %s: %" PRId64 " operation%s, %" PRId64 " edge%s, duration %" PRId64 "\n",
         cli_graph_text(sweep->graph, a->graph, name, sizeof name), n, n == 1 ? "" : "s", edges,
         edges == 1 ? "" : "s", base);
  printf("Peak     %s in the input order; no plan exists below %s, %.4g %%\n\n",
         cli_bytes(sweep->facts.baseline_peak, &x), cli_bytes(sweep->facts.working_set_bound, &y),
         moc__percent(sweep->facts.working_set_bound, sweep->facts.baseline_peak));
  printf("%8s  %10s  %10s  %9s  %9s  %10s  %s\n", "of peak", "budget", "peak", "TDI %", "at least", "recomputed",
         "status");
  for (int64_t i = 0; i < sweep->count; i++) {
    const moc__sweep_point *p = &sweep->points[i];
    printf("%6.4g %%  %10s  ", moc__percent(p->budget, sweep->facts.baseline_peak), cli_bytes(p->budget, &x));
    if (moc__sweep_has_plan(p))
      printf("%10s  %9.4f  ", cli_bytes(p->peak_memory, &y), moc__percent(p->total_duration - base, base));
    else
      printf("%10s  %9s  ", "-", "-");
    if (p->status != MOC_PLAN_INFEASIBLE)
      printf("%9.4f  ", moc__percent(moc__max(p->lower_bound - base, 0), base));
    else
      printf("%9s  ", "-");
    if (moc__sweep_has_plan(p))
      printf("%10" PRId64 "  ", p->steps - n);
    else
      printf("%10s  ", "-");
    printf("%s\n", p->status == MOC_PLAN_UNKNOWN ? "none found" : moc_plan_status_word(p->status));
  }
  char scope[120];
  if (moc__sweep_scope(sweep, scope, sizeof scope)) printf("\n%s\n", scope);
  if (a->output != NULL) printf("\nWritten to %s\n", a->output);
}

static json_t *percent_or_null(bool known, int64_t part, int64_t whole) {
  return known ? json_real(moc__percent(part, whole)) : json_null();
}

static json_t *integer_or_null(bool known, int64_t value) {
  return known ? json_integer(value) : json_null();
}

static json_t *point_as_json(const moc__sweep *sweep, const moc__sweep_point *p) {
  int64_t base = sweep->facts.baseline_duration;
  bool plan = moc__sweep_has_plan(p), bounded = p->status != MOC_PLAN_INFEASIBLE;
  return json_pack("{s:I, s:f, s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:i, s:o, s:o, s:f}", "budget",
                   (json_int_t)p->budget, "budget_percent", moc__percent(p->budget, sweep->facts.baseline_peak),
                   "status", moc_plan_status_word(p->status), "peak_memory", integer_or_null(plan, p->peak_memory),
                   "total_duration", integer_or_null(plan, p->total_duration), "tdi_percent",
                   percent_or_null(plan, p->total_duration - base, base), "lower_bound",
                   integer_or_null(bounded, p->lower_bound), "bound_tdi_percent",
                   percent_or_null(bounded, moc__max(p->lower_bound - base, 0), base), "bound_scope",
                   moc_bound_scope_word(p->bound_scope), "max_computes", (int)p->max_computes, "steps",
                   integer_or_null(plan, p->steps), "recomputed",
                   integer_or_null(plan, p->steps - moc_graph_operations(sweep->graph)), "solve_seconds",
                   p->seconds);
}

/* NULL when memory is out. */
static json_t *as_json(const arguments *a, const moc__sweep *sweep) {
  json_t *points = json_array();
  for (int64_t i = 0; i < sweep->count && points != NULL; i++) {
    if (json_array_append_new(points, point_as_json(sweep, &sweep->points[i])) == 0) continue;
    json_decref(points);
    points = NULL;
  }
  if (points == NULL) return NULL;
  char seed[32]; /* one beyond 63 bits is more than JSON readers take for an integer */
  snprintf(seed, sizeof seed, "%" PRIu64, a->options.seed);
  json_t *spelt = a->options.seed > INT64_MAX ? json_string(seed) : json_integer((json_int_t)a->options.seed);
  return json_pack("{s:s, s:i, s:s, s:I, s:I, s:I, s:I, s:s, s:o, s:o}", "format", "moccasin-sweep", "version", 1,
                   "graph", moc_graph_name(sweep->graph), "nodes", (json_int_t)moc_graph_operations(sweep->graph),
                   "baseline_peak_memory", (json_int_t)sweep->facts.baseline_peak, "baseline_duration",
                   (json_int_t)sweep->facts.baseline_duration, "working_set_bound",
                   (json_int_t)sweep->facts.working_set_bound, "order", moc_order_word(a->options.order), "seed",
                   spelt, "points", points);
}

static int write_results(const arguments *a, const moc__sweep *sweep) {
  if (cli_ends_in(a->output, ".json")) return cli_write_json(a->output, as_json(a, sweep));
  moc_error error = {0};
  char *text;
  size_t length;
  moc_status status = cli_ends_in(a->output, ".csv")   ? moc__sweep_csv(sweep, NULL, &text, &length, &error)
                      : cli_ends_in(a->output, ".svg") ? moc__sweep_svg(sweep, NULL, &text, &length, &error)
                                                       : moc__sweep_html(sweep, NULL, &text, &length, &error);
  if (status != MOC_OK) return cli_report_error(NULL, &error);
  int exit_status = cli_write_output(a->output, text, length);
  free(text);
  return exit_status;
}

/* --- The solves --- */

/* A line for each budget that is done. */
static void tell(const arguments *a, const moc__sweep *sweep, int total) {
  if (a->quiet) return;
  const moc__sweep_point *p = &sweep->points[sweep->count - 1];
  int64_t base = sweep->facts.baseline_duration;
  cli_text x;
  fprintf(stderr, "[%" PRId64 "/%d] %s, %.4g %%: ", sweep->count, total, cli_bytes(p->budget, &x),
          moc__percent(p->budget, sweep->facts.baseline_peak));
  if (moc__sweep_has_plan(p))
    fprintf(stderr, "TDI %.4f %%, at least %.4f %%, ", moc__percent(p->total_duration - base, base),
            moc__percent(moc__max(p->lower_bound - base, 0), base));
  fprintf(stderr, "%s, %.2f s\n", p->status == MOC_PLAN_UNKNOWN ? "none found" : moc_plan_status_word(p->status),
          p->seconds);
}

static int solve_one(const arguments *a, moc__sweep *sweep, int64_t budget) {
  moc_error error = {0};
  moc_solve_options options = a->options;
  cli_progress progress;
  cli_progress_init(&progress, budget, sweep->facts.baseline_duration, a->quiet);
  if (!progress.terminal) progress.quiet = true; /* a line for each improvement would be too many */
  options.budget = budget;
  options.on_progress = cli_progress_show;
  options.should_stop = cli_signals_stop;
  options.user = &progress;
  moc_plan *plan;
  moc_status status = moc_solve(sweep->graph, &options, NULL, &plan, &error);
  cli_progress_end(&progress);
  if (status != MOC_OK) return cli_report_error(NULL, &error);
  sweep->points[sweep->count++] = moc__sweep_point_of(plan);
  moc_plan_destroy(plan);
  return CLI_DONE;
}

/* From the largest budget down. A budget that the one before excludes is not solved, unless that takes no search. */
static int solve_all(const arguments *a, moc__sweep *sweep, const int64_t *budgets, int count) {
  cli_signals_catch();
  for (int i = 0; i < count && !cli_signals_stop(NULL); i++) {
    if (budgets[i] >= sweep->facts.working_set_bound &&
        moc__sweep_excludes(sweep->points, sweep->count, a->options.max_computes)) {
      sweep->points[sweep->count] = sweep->points[sweep->count - 1];
      sweep->points[sweep->count].budget = budgets[i];
      sweep->points[sweep->count++].seconds = 0;
    } else {
      int exit_status = solve_one(a, sweep, budgets[i]);
      if (exit_status != CLI_DONE) return exit_status;
    }
    tell(a, sweep, count);
  }
  cli_text x;
  if (sweep->count > 0 && cli_signals_stop(NULL))
    cli_message("stopped by a signal at a budget of %s; %" PRId64 " of %d budgets were done before",
                cli_bytes(sweep->points[sweep->count - 1].budget, &x), sweep->count - 1, count);
  moc__sweep_settle(sweep);
  return CLI_DONE;
}

static int deliver(const arguments *a, const moc__sweep *sweep) {
  int64_t plans = 0, excluded = 0;
  if (a->output != NULL) {
    int exit_status = write_results(a, sweep);
    if (exit_status != CLI_DONE) return exit_status;
  }
  if (!a->json)
    print_table(a, sweep);
  else if (cli_print_json(as_json(a, sweep)) != CLI_DONE)
    return CLI_FAILED;
  for (int64_t i = 0; i < sweep->count; i++) {
    plans += moc__sweep_has_plan(&sweep->points[i]);
    excluded += sweep->points[i].status == MOC_PLAN_INFEASIBLE;
  }
  return plans > 0 ? CLI_DONE : excluded == sweep->count && excluded > 0 ? CLI_INFEASIBLE : CLI_NONE_FOUND;
}

static int sweep_graph(const arguments *a, const moc_graph *graph) {
  moc_error error = {0};
  moc__sweep sweep = {.graph = graph};
  int64_t budgets[CLI_MOST_BUDGETS];
  if (moc_graph_get_facts(graph, &sweep.facts, &error) != MOC_OK)
    return cli_report_error(cli_input_name(a->graph), &error);
  int count = cli_budgets_bytes(&a->budgets, sweep.facts.baseline_peak, budgets);
  if (count < 0) {
    cli_message("--budgets: \"%s\": one of them is more bytes than can be counted", a->budgets_text);
    return CLI_MISUSED;
  }
  sweep.points = cli_allocate((size_t)count * sizeof *sweep.points);
  int exit_status = solve_all(a, &sweep, budgets, count);
  if (exit_status == CLI_DONE) exit_status = deliver(a, &sweep);
  free(sweep.points);
  return exit_status;
}

static int run(int argc, char **argv) {
  arguments *a = cli_allocate(sizeof *a);
  moc_solve_options_init(&a->options);
  cli_parse(&cli_sweep, NULL, argc, argv, accept, a);
  moc_graph *graph = NULL;
  int exit_status = cli_check_result(a->output, a->graph);
  if (exit_status == CLI_DONE) exit_status = cli_read_graph(a->graph, &graph, NULL);
  if (exit_status == CLI_DONE) exit_status = sweep_graph(a, graph);
  moc_graph_destroy(graph);
  free(a);
  return exit_status;
}

static const cli_example EXAMPLES[] = {{CLI_PROGRAM " sweep graph.json --budgets 50%..100%:5% -o sweep.svg",
                                        "what each twentieth of the memory saves"},
                                       {CLI_PROGRAM
                                        " sweep graph.json --budgets 16GiB,12GiB --time-limit 20 -o s.csv",
                                        "the sizes of two machines, 20 seconds each"},
                                       {0}};

const cli_command cli_sweep = {
    .name = "sweep",
    .arguments = "GRAPH --budgets LIST",
    .summary = "plan for several budgets: how much time each costs",
    .description =
        "Solve one graph for several budgets, the largest first, and show what duration each of them costs. The "
        "time "
        "limit is for each budget. A plan holds at every larger budget and a lower bound at every smaller one, so "
        "that the results improve one another.\n"
        "\n"
        "On SIGINT or SIGTERM what is there so far is written. The exit status is 0 where some budget has a plan, "
        "3 "
        "where it is proved that none has, else 4.",
    .examples = EXAMPLES,
    .options = OPTIONS,
    .solves = true,
    .run = run,
};
