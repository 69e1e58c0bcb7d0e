/* moccasin convert: a graph in another format. */
#include "cli/cli.h"

#include <inttypes.h>
#include <strings.h>

typedef struct arguments {
  const char *input;
  const char *output;
  bool format_given;
  moc_graph_format format;
} arguments;

static const struct argp_option OPTIONS[] = {
    {.name = "to",
     .key = CLI_KEY_TO,
     .arg = "moccasin|node-link|dot",
     .doc = "format to write (default: dot for a name that ends in .dot or .gv, else moccasin)"},
    {0}};

static error_t accept(int key, char *argument, struct argp_state *state, void *values) {
  arguments *a = values;
  switch (key) {
  case CLI_KEY_TO:
    a->format = cli_read_format("--to", argument, state);
    a->format_given = true;
    return 0;
  case ARGP_KEY_ARG:
    if (a->output != NULL) argp_error(state, "expected IN and OUT, but \"%s\" follows", argument);
    *(a->input == NULL ? &a->input : &a->output) = argument;
    return 0;
  case ARGP_KEY_END:
    if (a->output == NULL) argp_error(state, "expected IN and OUT: files, or \"-\" for standard input and output");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static moc_graph_format format_of_name(const char *path) {
  const char *dot = strrchr(path, '.');
  bool graphviz = dot != NULL && (strcasecmp(dot, ".dot") == 0 || strcasecmp(dot, ".gv") == 0);
  return graphviz ? MOC_FORMAT_DOT : MOC_FORMAT_MOCCASIN;
}

static int run(int argc, char **argv) {
  arguments a = {0};
  cli_parse(&cli_convert, NULL, argc, argv, accept, &a);
  moc_graph_format format = a.format_given ? a.format : format_of_name(a.output);
  int exit_status = cli_check_output(a.output);
  if (exit_status != CLI_DONE) return exit_status;
  moc_graph *graph;
  exit_status = cli_read_graph(a.input, &graph, NULL);
  if (exit_status != CLI_DONE) return exit_status;
  exit_status = cli_write_graph(graph, format, a.output);
  moc_graph_destroy(graph);
  return exit_status;
}

static const cli_example EXAMPLES[] = {
    {CLI_PROGRAM " convert checkmate.json graph.json", "from node-link JSON to " CLI_PROGRAM "'s own format"},
    {CLI_PROGRAM " convert graph.json - --to dot | dot -Tsvg > graph.svg", "look at a graph"},
    {0}};

const cli_command cli_convert = {
    .name = "convert",
    .arguments = "IN OUT",
    .summary = "write a graph in another format",
    .description =
        "Read a graph and write it in another format. The input's format is told from its content. The format "
        "node-link has no workspace, several outputs, kept tensors, views, inputs or operations that are computed "
        "once: graphs with any of these are refused for it. The format dot is for a look with Graphviz and cannot "
        "be "
        "read back.",
    .examples = EXAMPLES,
    .options = OPTIONS,
    .run = run,
};
