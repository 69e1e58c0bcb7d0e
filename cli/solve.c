/* moccasin solve: the shortest plan within a budget. */
#include "cli/cli.h"

#include "report/report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

typedef struct arguments {
  const char *graph;
  const char *budget_text;
  cli_budget budget;
  const char *output; /* NULL: the plan is only summarised */
  const char *report; /* NULL: none */
  bool json;
  bool quiet;
  moc_solve_options options;
} arguments;

static const struct argp_option OPTIONS[] = {
    {.name = "budget",
     .key = 'b',
     .arg = "B",
     .doc =
         "memory to stay within (required): bytes (13484795520), bytes with a unit (12.5GiB, 800MB; powers of 1024 "
         "and of 1000), or a share of the input order's peak (80%), which is rounded up"},
    {.name = "output", .key = 'o', .arg = "FILE", .doc = "write the plan to this file; \"-\": standard output"},
    {.name = "report",
     .key = CLI_KEY_REPORT,
     .arg = "FILE.svg",
     .doc =
         "draw memory over the schedule, before and after, against the budget; FILE.html: with the plan's figures "
         "and what is computed again"},
    {.name = "json", .key = CLI_KEY_JSON, .doc = "print the plan as JSON instead of a summary"},
    {.name = "quiet", .key = 'q', .doc = "show no progress"},
    {0}};

static void check(const arguments *a, struct argp_state *state) {
  cli_need_graph(a->graph, state);
  if (a->budget_text == NULL) argp_error(state, "expected --budget B: %s", CLI_BUDGET_FORMS);
  if (a->report == NULL) return;
  if (!cli_ends_in(a->report, ".svg") && !cli_ends_in(a->report, ".html"))
    argp_error(state, "--report: expected the name of a file that ends in .svg or .html, not \"%s\"", a->report);
  if (a->output != NULL && (strcmp(a->output, a->report) == 0 || cli_same_file(a->output, a->report)))
    argp_error(state, "--output and --report name the same file, \"%s\"", a->report);
}

static error_t accept(int key, char *argument, struct argp_state *state, void *values) {
  arguments *a = values;
  if (key >= CLI_KEY_SOLVER && key < CLI_KEY_GENERATOR) {
    cli_set_solver_option(key, argument, &a->options, state);
    return 0;
  }
  switch (key) {
  case 'b': {
    char problem[160];
    a->budget_text = argument;
    if (!cli_budget_read(argument, &a->budget, problem, sizeof problem))
      argp_error(state, "--budget: \"%s\": %s; expected %s", argument, problem, CLI_BUDGET_FORMS);
    return 0;
  }
  case 'o':
    a->output = argument;
    return 0;
  case 'q':
    a->quiet = true;
    return 0;
  case CLI_KEY_REPORT:
    a->report = argument;
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

/* "1 operation", "2 operations". */
static const char *plural(int64_t count) {
  return count == 1 ? "" : "s";
}

static void print_row(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void print_row(const char *name, const char *format, ...) {
  va_list list;
  va_start(list, format);
  printf("%-12s", name);
  vprintf(format, list);
  putchar('\n');
  va_end(list);
}

static void print_status(const moc_plan *plan) {
  if (plan->status == MOC_PLAN_OPTIMAL && plan->total_duration == plan->baseline_duration)
    print_row("Status", "optimal: nothing has to be recomputed");
  else if (plan->status == MOC_PLAN_OPTIMAL && plan->bound_scope == MOC_SCOPE_ANY)
    print_row("Status", "optimal: no shorter plan exists");
  else if (plan->status == MOC_PLAN_OPTIMAL)
    print_row("Status",
              "optimal: no shorter plan exists in the input order with at most %" PRId32
              " computations of an operation",
              plan->max_computes);
  else
    print_row("Status", "feasible: within budget%s; a shorter plan may exist",
              cli_signals_stop(NULL) ? ", stopped by a signal" : "");
}

static void print_summary(const arguments *a, const moc_graph *graph, const moc_plan *plan) {
  cli_text x;
  cli_text y;
  int64_t n = moc_graph_operations(graph);
  int64_t again = plan->length - n;
  int64_t added = plan->total_duration - plan->baseline_duration;
  char shown[200];
  print_row("Graph", "%s: %" PRId64 " operation%s, %" PRId64 " edge%s",
            cli_graph_text(graph, a->graph, shown, sizeof shown), n, plural(n), moc_graph_edges(graph),
            plural(moc_graph_edges(graph)));
  print_row("Budget", "%s, %.4g %% of the input order's peak", cli_exact_bytes(plan->budget, &x),
            moc__percent(plan->budget, plan->baseline_peak_memory));
  print_row("Peak", "%s -> %s (%.4g %% less)", cli_bytes(plan->baseline_peak_memory, &x),
            cli_bytes(plan->peak_memory, &y),
            moc__percent(plan->baseline_peak_memory - plan->peak_memory, plan->baseline_peak_memory));
  print_row("Duration", "%" PRId64 " -> %" PRId64 " (TDI %.4g %%)", plan->baseline_duration, plan->total_duration,
            moc__percent(added, plan->baseline_duration));
  print_row("Recomputed", "%" PRId64 " time%s, %" PRId64 " steps in all", again, plural(again), plan->length);
  print_row("Lower bound", "%" PRId64 " (TDI %.4g %%), gap %.3g %%", plan->lower_bound,
            moc__percent(plan->lower_bound - plan->baseline_duration, plan->baseline_duration),
            moc__percent(plan->total_duration - plan->lower_bound, plan->total_duration));
  if (plan->order == MOC_ORDER_INPUT) {
    int64_t repeatable = 0;
    for (moc_op op = 0; op < n; op++) repeatable += !moc_graph_op_compute_once(graph, op);
    print_row("Program", "%" PRId64 " integer variables (%" PRId64 " operations, %d computations of each at most)",
              (plan->max_computes - 1) * repeatable, n, (int)plan->max_computes);
  }
  print_status(plan);
  print_row("Time", "%.2f s, %" PRId32 " thread%s, seed %" PRIu64, plan->solve_seconds, plan->threads,
            plural(plan->threads), plan->seed);
  if (a->output != NULL) print_row("Plan", "%s", a->output);
  if (a->report != NULL) print_row("Report", "%s", a->report);
}

static int write_plan(const moc_graph *graph, const moc_plan *plan, bool with_times, const char *path) {
  moc_error error = {0};
  char *text;
  size_t length;
  if (moc_plan_write_json(graph, plan, with_times, NULL, &text, &length, &error) != MOC_OK)
    return cli_report_error(NULL, &error);
  int exit_status = cli_write_output(path, text, length);
  free(text);
  return exit_status;
}

static int write_report(const moc_graph *graph, const moc_plan *plan, const char *path) {
  moc_error error = {0};
  char *text;
  size_t length;
  moc_status status = cli_ends_in(path, ".html") ? moc__plan_html(graph, plan, NULL, &text, &length, &error)
                                                 : moc__plan_svg(graph, plan, NULL, &text, &length, &error);
  if (status != MOC_OK) return cli_report_error(NULL, &error);
  int exit_status = cli_write_output(path, text, length);
  free(text);
  return exit_status;
}

static int deliver(const arguments *a, const moc_graph *graph, const moc_plan *plan) {
  bool plan_on_output = a->output != NULL && strcmp(a->output, "-") == 0;
  int exit_status = CLI_DONE;
  if (a->output != NULL && !(plan_on_output && a->json)) exit_status = write_plan(graph, plan, false, a->output);
  if (exit_status == CLI_DONE && a->report != NULL) exit_status = write_report(graph, plan, a->report);
  if (exit_status != CLI_DONE) return exit_status;
  if (a->json) return write_plan(graph, plan, true, "-");
  if (!plan_on_output) print_summary(a, graph, plan);
  return CLI_DONE;
}

/* The plan's JSON with what is known about budgets that could work. */
static int print_no_plan(const moc_graph *graph, const moc_plan *plan, const moc_graph_facts *facts) {
  moc_error error = {0};
  char *text;
  size_t length;
  if (moc_plan_write_json(graph, plan, true, NULL, &text, &length, &error) != MOC_OK)
    return cli_report_error(NULL, &error);
  json_t *document = json_loadb(text, length, 0, NULL);
  free(text);
  if (document == NULL) return cli_print_json(NULL);
  json_t *op = facts->working_set_op == MOC_NONE ? json_null() : cli_json_op(graph, facts->working_set_op);
  bool hindered =
      plan->status == MOC_PLAN_INFEASIBLE && plan->bound_scope == MOC_SCOPE_ANY && plan->obstacle != MOC_NONE;
  json_t *obstacle = hindered ? cli_json_op(graph, plan->obstacle) : json_null();
  json_t *least = plan->status == MOC_PLAN_UNKNOWN ? json_integer(plan->peak_memory) : json_null();
  if (json_object_set_new(document, "working_set_bound", json_integer(facts->working_set_bound)) != 0 ||
      json_object_set_new(document, "working_set_node", op) != 0 ||
      json_object_set_new(document, "smallest_budget", json_integer(facts->working_set_bound)) != 0 ||
      json_object_set_new(document, "obstacle", obstacle) != 0 ||
      json_object_set_new(document, "least_peak_seen", least) != 0) {
    json_decref(document);
    return cli_print_json(NULL);
  }
  return cli_print_json(document);
}

static void explain_infeasible(const moc_graph *graph, const moc_plan *plan, const moc_graph_facts *facts) {
  cli_text x;
  char op[400];
  double share = moc__percent(plan->budget, facts->baseline_peak);
  if (plan->bound_scope == MOC_SCOPE_ORDER) {
    cli_message("no plan in the input order with at most %" PRId32
                " computations of an operation exists within a budget "
                "of %s, %.4g %% of that order's peak",
                plan->max_computes, cli_exact_bytes(plan->budget, &x), share);
    cli_hint("try a larger --max-computes, --order auto or a larger --budget; the input order itself needs %" PRId64
             " bytes",
             facts->baseline_peak);
    return;
  }
  cli_message("no plan exists within a budget of %s, %.4g %% of the input order's peak",
              cli_exact_bytes(plan->budget, &x), share);
  int64_t bound = facts->working_set_bound;
  if (plan->budget >= bound) {
    if (plan->obstacle == MOC_NONE)
      fprintf(stderr, "  What is kept to the end cannot be had together within it, whatever is computed again.\n");
    else
      fprintf(stderr, "  Operation %s cannot be computed within it, in any order and whatever is computed again.\n",
              cli_op_text(graph, plan->obstacle, op, sizeof op));
    cli_hint("try a larger --budget; the input order itself needs %" PRId64 " bytes", facts->baseline_peak);
    return;
  }
  if (facts->working_set_op == MOC_NONE)
    fprintf(stderr, "  The tensors kept to the end need %s together.\n", cli_exact_bytes(bound, &x));
  else
    fprintf(stderr, "  While operation %s runs, what it reads and writes and what has to stay need %s.\n",
            cli_op_text(graph, facts->working_set_op, op, sizeof op), cli_exact_bytes(bound, &x));
  fprintf(stderr, "  The smallest budget that could work: --budget %" PRId64 "\n", bound);
}

static void explain_unknown(const arguments *a, const moc_plan *plan) {
  cli_text x;
  cli_text y;
  cli_message("no plan within %s was found in %.1f s, and none was excluded%s", cli_exact_bytes(plan->budget, &x),
              plan->solve_seconds, cli_signals_stop(NULL) ? "; a signal stopped the search" : "");
  /* Without a plan, its peak is the least one seen. */
  fprintf(stderr, "  The least peak seen: %s.\n", cli_exact_bytes(plan->peak_memory, &y));
  cli_hint("try a longer --time-limit%s, a larger --max-computes%s, or --budget %" PRId64,
           a->options.moves == 0 ? "" : ", more --moves",
           a->options.order == MOC_ORDER_AUTO ? "" : ", --order auto", plan->peak_memory);
}

static int finish(const arguments *a, const moc_graph *graph, const moc_plan *plan, const moc_graph_facts *facts) {
  switch (plan->status) {
  case MOC_PLAN_OPTIMAL:
  case MOC_PLAN_FEASIBLE:
    return deliver(a, graph, plan);
  case MOC_PLAN_INFEASIBLE:
    explain_infeasible(graph, plan, facts);
    break;
  case MOC_PLAN_UNKNOWN:
    explain_unknown(a, plan);
    break;
  }
  if (a->json && print_no_plan(graph, plan, facts) != CLI_DONE) return CLI_FAILED;
  return plan->status == MOC_PLAN_INFEASIBLE ? CLI_INFEASIBLE : CLI_NONE_FOUND;
}

/* Nothing is worse than to learn after a minute that the plan has no place to go. */
static int check_outputs(const arguments *a) {
  const char *paths[] = {a->output, a->report};
  for (int i = 0; i < 2; i++) {
    int exit_status = cli_check_result(paths[i], a->graph);
    if (exit_status != CLI_DONE) return exit_status;
  }
  return CLI_DONE;
}

static int solve(arguments *a, const moc_graph *graph) {
  moc_error error = {0};
  moc_graph_facts facts;
  if (moc_graph_get_facts(graph, &facts, &error) != MOC_OK)
    return cli_report_error(cli_input_name(a->graph), &error);
  if (!cli_budget_bytes(&a->budget, facts.baseline_peak, &a->options.budget)) {
    cli_message("--budget: \"%s\" is more bytes than can be counted", a->budget_text);
    return CLI_MISUSED;
  }
  cli_progress progress;
  cli_progress_init(&progress, a->options.budget, facts.baseline_duration, a->quiet);
  a->options.on_progress = cli_progress_show;
  a->options.should_stop = cli_signals_stop;
  a->options.user = &progress;
  moc_plan *plan;
  cli_signals_catch();
  moc_status status = moc_solve(graph, &a->options, NULL, &plan, &error);
  cli_progress_end(&progress);
  if (status != MOC_OK) return cli_report_error(NULL, &error);
  int exit_status = finish(a, graph, plan, &facts);
  moc_plan_destroy(plan);
  return exit_status;
}

static int run(int argc, char **argv) {
  arguments a = {0};
  moc_solve_options_init(&a.options);
  cli_parse(&cli_solve, NULL, argc, argv, accept, &a);
  int exit_status = check_outputs(&a);
  if (exit_status != CLI_DONE) return exit_status;
  moc_graph *graph;
  exit_status = cli_read_graph(a.graph, &graph, NULL);
  if (exit_status != CLI_DONE) return exit_status;
  exit_status = solve(&a, graph);
  moc_graph_destroy(graph);
  return exit_status;
}

static const cli_example EXAMPLES[] = {
    {CLI_PROGRAM " solve graph.json --budget 80% -o plan.json",
     "a plan within 80 % of the memory the graph needs now"},
    {CLI_PROGRAM " solve graph.json -b 12.5GiB --time-limit 600 --report plan.svg",
     "search for ten minutes at most, and draw the plan"},
    {CLI_PROGRAM " solve graph.json -b 60% --threads 1 --moves 100000 -o plan.json", "the same plan on every run"},
    {CLI_PROGRAM " generate chain | " CLI_PROGRAM " solve - -b 60% --json", "read a pipe, print JSON"},
    {0}};

const cli_command cli_solve = {
    .name = "solve",
    .arguments = "GRAPH --budget B",
    .summary = "find the shortest plan within a memory budget",
    .description = "Find the sequence of computations of least total duration whose peak memory stays within a "
                   "budget. Tensors "
                   "that are cheap to compute again are dropped and recomputed.\n"
                   "\n"
                   "The search ends when the plan is proved shortest, at the time limit, or on SIGINT or SIGTERM; "
                   "the best plan so "
                   "far is then written. Progress goes to standard error.",
    .examples = EXAMPLES,
    .options = OPTIONS,
    .solves = true,
    .run = run,
};
