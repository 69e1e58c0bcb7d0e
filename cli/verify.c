/* moccasin verify: check a plan with code that shares nothing with the solver but the graph. */
#include "cli/cli.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

typedef struct arguments {
  const char *graph;
  const char *plan;
  const char *budget_text; /* NULL: the plan's own */
  cli_budget budget;
  bool json;
  bool bound;
} arguments;

enum { KEY_BOUND = 0x700 };

static const struct argp_option OPTIONS[] = {
    {.name = "budget",
     .key = 'b',
     .arg = "B",
     .doc =
         "the plan must stay within this budget, too: bytes, bytes with a unit (12.5GiB), or a share of the input "
         "order's peak (80%), which is rounded up"},
    {.name = "bound",
     .key = KEY_BOUND,
     .doc = "check the certificate of the lower bound, too: recompute in exact integers what it proves"},
    {.name = "json", .key = CLI_KEY_JSON, .doc = "print the verdict as JSON"},
    {0}};

static error_t accept(int key, char *argument, struct argp_state *state, void *values) {
  arguments *a = values;
  char problem[160];
  switch (key) {
  case 'b':
    a->budget_text = argument;
    if (!cli_budget_read(argument, &a->budget, problem, sizeof problem))
      argp_error(state, "--budget: \"%s\": %s; expected %s", argument, problem, CLI_BUDGET_FORMS);
    return 0;
  case CLI_KEY_JSON:
    a->json = true;
    return 0;
  case KEY_BOUND:
    a->bound = true;
    return 0;
  case ARGP_KEY_ARG:
    if (a->plan != NULL) argp_error(state, "expected a GRAPH and a PLAN, but \"%s\" follows", argument);
    *(a->graph == NULL ? &a->graph : &a->plan) = argument;
    return 0;
  case ARGP_KEY_END:
    if (a->plan == NULL)
      argp_error(state, "expected a GRAPH and a PLAN; one of them may be \"-\" for standard input");
    else if (strcmp(a->graph, "-") == 0 && strcmp(a->plan, "-") == 0)
      argp_error(state, "standard input cannot be both the GRAPH and the PLAN");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

/* What is wrong with a plan, on standard error and, for --json, on standard output. */
static int reject(const arguments *a, const moc_error *error) {
  (void)cli_report_error(cli_input_name(a->plan), error);
  if (a->json)
    (void)cli_print_json(json_pack("{s:b, s:s, s:s}", "valid", 0, "place", error->place, "reason", error->message));
  return CLI_FAILED;
}

/* What a solve tells where it has no plan is true, but nothing to run. */
static int reject_empty(const arguments *a, const moc_plan *plan) {
  moc_error error = {.status = MOC_INVALID_PLAN, .place = "sequence"};
  snprintf(error.message, sizeof error.message, "the file holds no plan: its status is %s, and no step is in it",
           moc_plan_status_word(plan->status));
  (void)reject(a, &error);
  return CLI_MISUSED;
}

/* Whether the lower bound takes no certificate: every operation once. */
static bool is_trivial(const moc_plan *plan) {
  return plan->certificate.bound <= 0;
}

/* Whether the certificate proves that no shorter plan exists, in the sense of its kind. */
static bool proves_optimal(const moc_plan *plan, const moc_verdict *v, int64_t certified) {
  bool holds = plan->order == MOC_ORDER_INPUT || moc_certificate_scope(&plan->certificate) == MOC_SCOPE_ANY ||
               is_trivial(plan);
  return holds && certified == v->duration;
}

static int approve(const arguments *a, const moc_graph *graph, const moc_plan *plan, const moc_verdict *v,
                   int64_t budget, int64_t certified) {
  int64_t again = plan->length - moc_graph_operations(graph);
  double tdi = moc__percent(v->duration - v->baseline_duration, v->baseline_duration);
  if (a->json)
    return cli_print_json(json_pack(
        "{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:I, s:I, s:I, s:o, s:b}", "valid", 1, "steps",
        (json_int_t)plan->length, "recomputed", (json_int_t)again, "peak_memory", (json_int_t)v->peak_memory,
        "peak_step", (json_int_t)v->peak_step, "baseline_peak_memory", (json_int_t)v->baseline_peak_memory,
        "budget", (json_int_t)budget, "tdi_percent", tdi, "total_duration", (json_int_t)v->duration,
        "baseline_duration", (json_int_t)v->baseline_duration, "lower_bound", (json_int_t)plan->lower_bound,
        "certified_bound", certified < 0 ? json_null() : json_integer(certified), "certified_optimal",
        proves_optimal(plan, v, certified)));
  cli_text x;
  printf("%s: the plan is valid\n", cli_input_name(a->plan));
  printf("Steps       %" PRId64 ", %" PRId64 " of them recomputed; each reads only what is in memory\n",
         plan->length, again);
  printf("Peak        %s at step %" PRId64 "\n", cli_exact_bytes(v->peak_memory, &x), v->peak_step);
  printf("Budget      %s\n", cli_exact_bytes(budget, &x));
  printf("Before      %s\n", cli_exact_bytes(v->baseline_peak_memory, &x));
  printf("Duration    %" PRId64 ", was %" PRId64 " (TDI %.4g %%)\n", v->duration, v->baseline_duration, tdi);
  printf("Lower bound %" PRId64 ", as the plan says; not above its duration\n", plan->lower_bound);
  if (certified >= 0)
    printf("Certified   %" PRId64 " (TDI %.4g %%), %s\n", certified,
           moc__percent(certified - v->baseline_duration, v->baseline_duration),
           is_trivial(plan) ? "as every operation runs at least once"
                            : "recomputed from the certificate in exact integers");
  if (!proves_optimal(plan, v, certified)) return CLI_DONE;
  const moc_certificate *c = &plan->certificate;
  printf("Optimal     that proves that no shorter plan exists%s%s\n",
         moc_certificate_scope(c) == MOC_SCOPE_ANY || is_trivial(plan) ? ", in any order" : " in the input order",
         c->max_computes == 2 ? " with at most 2 computations of an operation" : "");
  return CLI_DONE;
}

static int check_budget(const arguments *a, const moc_plan *plan, const moc_verdict *v, int64_t *budget) {
  *budget = plan->budget;
  if (a->budget_text == NULL) return CLI_DONE;
  if (!cli_budget_bytes(&a->budget, v->baseline_peak_memory, budget)) {
    cli_message("--budget: \"%s\" is more bytes than can be counted", a->budget_text);
    return CLI_MISUSED;
  }
  if (v->peak_memory <= *budget) return CLI_DONE;
  moc_error error = {.status = MOC_INVALID_PLAN, .place = "peak_memory"};
  snprintf(error.message, sizeof error.message,
           "the peak is %" PRId64 " bytes at step %" PRId64 ", above the --budget of %" PRId64 " bytes",
           v->peak_memory, v->peak_step, *budget);
  return reject(a, &error);
}

static int verify(const arguments *a, const moc_graph *graph) {
  const char *name = cli_input_name(a->plan);
  moc_error error = {0};
  char *text;
  size_t length;
  if (moc_read_file(a->plan, NULL, &text, &length, &error) != MOC_OK) return cli_report_error(name, &error);
  moc_plan *plan;
  moc_status status = moc_plan_read_json(graph, text, length, NULL, &plan, &error);
  free(text);
  if (status == MOC_INVALID_PLAN) {
    int exit_status = reject(a, &error);
    cli_hint("was this plan made for %s?", cli_input_name(a->graph));
    return exit_status;
  }
  if (status != MOC_OK) return cli_report_error(name, &error);
  moc_verdict verdict;
  int64_t certified = -1;
  status = moc_verify(graph, plan, NULL, &verdict, &error);
  if (status == MOC_OK && a->bound) status = moc_verify_bound(graph, plan, NULL, &certified, &error);
  int exit_status;
  int64_t budget;
  if (status == MOC_INVALID_PLAN)
    exit_status = reject(a, &error);
  else if (status != MOC_OK)
    exit_status = cli_report_error(name, &error);
  else if (plan->length == 0)
    exit_status = reject_empty(a, plan);
  else if ((exit_status = check_budget(a, plan, &verdict, &budget)) == CLI_DONE)
    exit_status = approve(a, graph, plan, &verdict, budget, certified);
  moc_plan_destroy(plan);
  return exit_status;
}

static int run(int argc, char **argv) {
  arguments a = {0};
  cli_parse(&cli_verify, NULL, argc, argv, accept, &a);
  moc_graph *graph;
  int exit_status = cli_read_graph(a.graph, &graph, NULL);
  if (exit_status != CLI_DONE) return exit_status;
  exit_status = verify(&a, graph);
  moc_graph_destroy(graph);
  return exit_status;
}

static const cli_example EXAMPLES[] = {
    {CLI_PROGRAM " verify graph.json plan.json", "check everything the plan says about itself"},
    {CLI_PROGRAM " verify graph.json plan.json --budget 12.5GiB", "and that it stays within another budget"},
    {CLI_PROGRAM " verify graph.json plan.json --bound", "and what the certificate of its lower bound proves"},
    {0}};

const cli_command cli_verify = {
    .name = "verify",
    .arguments = "GRAPH PLAN",
    .summary = "check a plan against its graph",
    .description =
        "Check that a plan can be run and that everything it says is true: its budget, peak, duration, memory at "
        "each "
        "step, retention intervals, baselines and lower bound. The check shares no code with the solver.\n"
        "\n"
        "Exit status: 0 the plan is valid, 1 it is not, 2 a file cannot be understood. Only the sequence has to be "
        "there; whatever else the plan says is checked.",
    .examples = EXAMPLES,
    .options = OPTIONS,
    .run = run,
};
