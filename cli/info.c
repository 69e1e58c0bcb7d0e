/* moccasin info: what is known of a graph without solving anything. */
#include "cli/cli.h"

#include <inttypes.h>
#include <jansson.h>

typedef struct arguments {
  const char *graph;
  bool json;
} arguments;

/* What a look at every operation and tensor counts. */
typedef struct counts {
  int64_t reads;        /* pairs of an operation and a tensor, bases of views included */
  int64_t compute_once; /* operations */
  int64_t inputs;       /* tensors without producer */
  int64_t views;
  int64_t kept;
  int64_t most_workspace; /* bytes */
  int64_t zero_durations;
} counts;

static const struct argp_option OPTIONS[] = {{.name = "json", .key = CLI_KEY_JSON, .doc = "print JSON"}, {0}};

static error_t accept(int key, char *argument, struct argp_state *state, void *values) {
  arguments *a = values;
  switch (key) {
  case CLI_KEY_JSON:
    a->json = true;
    return 0;
  case ARGP_KEY_ARG:
    cli_take_graph(&a->graph, argument, state);
    return 0;
  case ARGP_KEY_END:
    cli_need_graph(a->graph, state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static counts count(const moc_graph *graph) {
  counts c = {0};
  for (int64_t i = 0; i < moc_graph_operations(graph); i++) {
    moc_op op = (moc_op)i;
    c.reads += moc_graph_op_reads(graph, op).count;
    c.compute_once += moc_graph_op_compute_once(graph, op);
    c.most_workspace = moc__max(c.most_workspace, moc_graph_op_workspace(graph, op));
    c.zero_durations += moc_graph_op_duration(graph, op) == 0;
  }
  for (int64_t i = 0; i < moc_graph_tensors(graph); i++) {
    moc_tensor tensor = (moc_tensor)i;
    c.inputs += moc_graph_tensor_producer(graph, tensor) == MOC_NONE;
    c.views += moc_graph_tensor_base(graph, tensor) != MOC_NONE;
    c.kept += moc_graph_tensor_keep(graph, tensor);
  }
  return c;
}

static int print_as_json(const moc_graph *graph, moc_graph_format format, const moc_graph_facts *f,
                         const counts *c) {
  moc_op at_peak = moc_graph_input_order(graph).items[f->baseline_peak_step];
  json_t *sets_bound = f->working_set_op == MOC_NONE ? json_null() : cli_json_op(graph, f->working_set_op);
  return cli_print_json(json_pack(
      "{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:I}", "graph",
      moc_graph_name(graph), "format", cli_format_name(format), "nodes", (json_int_t)moc_graph_operations(graph),
      "edges", (json_int_t)moc_graph_edges(graph), "tensors", (json_int_t)moc_graph_tensors(graph), "reads",
      (json_int_t)c->reads, "baseline_peak_memory", (json_int_t)f->baseline_peak, "baseline_peak_step",
      (json_int_t)f->baseline_peak_step, "baseline_peak_node", cli_json_op(graph, at_peak), "baseline_duration",
      (json_int_t)f->baseline_duration, "working_set_bound", (json_int_t)f->working_set_bound, "working_set_node",
      sets_bound, "inputs", (json_int_t)c->inputs, "kept", (json_int_t)c->kept, "views", (json_int_t)c->views,
      "compute_once", (json_int_t)c->compute_once, "largest_workspace", (json_int_t)c->most_workspace,
      "zero_durations", (json_int_t)c->zero_durations));
}

/* A row that is of interest only where the graph has such a thing. */
static void print_count(const char *name, int64_t number, const char *what) {
  if (number > 0) printf("%-18s %" PRId64 "  %s\n", name, number, what);
}

static void print_for_people(const char *file, const moc_graph *graph, moc_graph_format format,
                             const moc_graph_facts *f, const counts *c) {
  cli_text x;
  char op[400];
  printf("%-18s %s\n", "Graph", cli_graph_text(graph, file, op, sizeof op));
  printf("%-18s %s\n", "Format", cli_format_name(format));
  printf("%-18s %" PRId64 "\n", "Operations", moc_graph_operations(graph));
  printf("%-18s %" PRId64 "\n", "Edges", moc_graph_edges(graph));
  printf("%-18s %" PRId64 "\n", "Tensors", moc_graph_tensors(graph));
  printf("%-18s %" PRId64 "\n", "Reads", c->reads);
  print_count("Inputs", c->inputs, "tensors without producer");
  print_count("Kept", c->kept, "tensors that must be in memory at the end");
  print_count("Views", c->views, "tensors that share another one's storage");
  print_count("Compute once", c->compute_once, "operations that cannot be recomputed");
  print_count("No duration", c->zero_durations, "operations that take no time");
  if (c->most_workspace > 0) printf("%-18s %s\n", "Largest workspace", cli_exact_bytes(c->most_workspace, &x));
  printf("%-18s %" PRId64 "\n", "Duration", f->baseline_duration);
  moc_op at_peak = moc_graph_input_order(graph).items[f->baseline_peak_step];
  printf("%-18s %s, in the input order, at step %" PRId64 ", operation %s\n", "Peak",
         cli_exact_bytes(f->baseline_peak, &x), f->baseline_peak_step, cli_op_text(graph, at_peak, op, sizeof op));
  printf("%-18s %s, %.4g %% of the peak, ", "Working-set bound", cli_exact_bytes(f->working_set_bound, &x),
         moc__percent(f->working_set_bound, f->baseline_peak));
  if (f->working_set_op == MOC_NONE)
    printf("set by the tensors kept to the end\n");
  else
    printf("set by operation %s\n", cli_op_text(graph, f->working_set_op, op, sizeof op));
  printf("%-18s no plan exists below the working-set bound, and none is needed from the peak on\n", "Budgets");
}

static int run(int argc, char **argv) {
  arguments a = {0};
  cli_parse(&cli_info, NULL, argc, argv, accept, &a);
  moc_graph *graph;
  moc_graph_format format;
  int exit_status = cli_read_graph(a.graph, &graph, &format);
  if (exit_status != CLI_DONE) return exit_status;
  moc_graph_facts facts;
  moc_error error = {0};
  if (moc_graph_get_facts(graph, &facts, &error) != MOC_OK) {
    exit_status = cli_report_error(cli_input_name(a.graph), &error);
  } else {
    counts c = count(graph);
    if (a.json)
      exit_status = print_as_json(graph, format, &facts, &c);
    else
      print_for_people(a.graph, graph, format, &facts, &c);
  }
  moc_graph_destroy(graph);
  return exit_status;
}

static const cli_example EXAMPLES[] = {
    {CLI_PROGRAM " info graph.json", "sizes, peak and the least budget that could work"},
    {CLI_PROGRAM " generate layered --seed 3 | " CLI_PROGRAM " info - --json", "the same of a pipe, as JSON"},
    {0}};

const cli_command cli_info = {
    .name = "info",
    .arguments = "GRAPH",
    .summary = "tell what is known of a graph",
    .description =
        "Tell a graph's size, its duration, the peak memory of its input order with nothing recomputed, and the "
        "working-set bound: the bytes that some operation needs for its inputs and outputs together with whatever "
        "has to be there anyway, below which no plan exists.",
    .examples = EXAMPLES,
    .options = OPTIONS,
    .run = run,
};
