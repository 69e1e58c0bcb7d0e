/* moccasin generate: make a graph. */
#include "cli/cli.h"

#include <inttypes.h>
#include <stdlib.h>

typedef struct arguments {
  const moc__generator *generator; /* NULL while the kind is not known */
  int64_t values[MOC__MAX_GENERATOR_OPTIONS];
  const char *output;
  uint64_t seed;
  moc_graph_format format;
} arguments;

static const struct argp_option OPTIONS[] = {
    {.name = "output", .key = 'o', .arg = "FILE", .doc = "write the graph to this file (default: standard output)"},
    {.name = "seed",
     .key = 's',
     .arg = "S",
     .doc = "seed of the random choices; the same seed gives the same graph (default 1)"},
    {.name = "format",
     .key = 'f',
     .arg = "moccasin|node-link|dot",
     .doc = "format to write; dot is Graphviz's, for a look, and cannot be read back (default moccasin)"},
    {0}};

static error_t accept(int key, char *argument, struct argp_state *state, void *values) {
  arguments *a = values;
  if (key >= CLI_KEY_GENERATOR && key < CLI_KEY_GENERATOR + MOC__MAX_GENERATOR_OPTIONS) {
    const moc__generator_option *o = &a->generator->options[key - CLI_KEY_GENERATOR];
    if (!cli_read_integer(argument, o->low, o->high, &a->values[key - CLI_KEY_GENERATOR]))
      argp_error(state, "--%s: expected a whole number from %" PRId64 " to %" PRId64 ", not \"%s\"", o->name,
                 o->low, o->high, argument);
    return 0;
  }
  switch (key) {
  case 'o':
    a->output = argument;
    return 0;
  case 's':
    if (!cli_read_natural(argument, UINT64_MAX, &a->seed))
      argp_error(state, "--seed: expected a whole number from 0 to %" PRIu64 ", not \"%s\"", UINT64_MAX, argument);
    return 0;
  case 'f':
    a->format = cli_read_format("--format", argument, state);
    return 0;
  case ARGP_KEY_ARG:
    if (a->generator == NULL)
      argp_error(state, "the KIND comes before the options; `" CLI_PROGRAM " generate --help' lists the kinds");
    argp_error(state, "there is nothing to do with \"%s\"", argument);
    return 0;
  case ARGP_KEY_END:
    if (a->generator == NULL)
      argp_error(state, "expected a KIND of graph right after \"generate\"; `" CLI_PROGRAM
                        " generate --help' lists the kinds");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static int unknown_kind(const char *name) {
  int count;
  const moc__generator *kinds = moc__generators(&count);
  const char **names = cli_allocate((size_t)count * sizeof *names);
  for (int i = 0; i < count; i++) names[i] = kinds[i].name;
  const char *close_one = cli_suggest(name, names, count);
  free(names);
  cli_message("there is no kind of graph \"%s\"", name);
  if (close_one != NULL)
    cli_hint("did you mean \"%s\"?", close_one);
  else
    cli_hint("`" CLI_PROGRAM " generate --help' lists the kinds");
  return CLI_MISUSED;
}

static int make(const arguments *a) {
  moc_error error = {0};
  moc_graph *graph;
  if (moc__generate(a->generator, a->values, a->seed, NULL, &graph, &error) != MOC_OK)
    return cli_report_error(a->generator->name, &error);
  int exit_status = cli_write_graph(graph, a->format, a->output);
  if (exit_status == CLI_DONE && strcmp(a->output, "-") != 0)
    printf("%s: %" PRId64 " operations, %" PRId64 " edges, written to %s\n", moc_graph_name(graph),
           moc_graph_operations(graph), moc_graph_edges(graph), a->output);
  moc_graph_destroy(graph);
  return exit_status;
}

static int run(int argc, char **argv) {
  arguments a = {.output = "-", .seed = 1, .format = MOC_FORMAT_MOCCASIN};
  if (argc > 1 && argv[1][0] != '-') {
    a.generator = moc__find_generator(argv[1]);
    if (a.generator == NULL) return unknown_kind(argv[1]);
    moc__generator_defaults(a.generator, a.values);
    argc--;
    argv++;
  }
  cli_parse(&cli_generate, a.generator, argc, argv, accept, &a);
  int exit_status = cli_check_output(a.output);
  return exit_status == CLI_DONE ? make(&a) : exit_status;
}

static const cli_example EXAMPLES[] = {
    {CLI_PROGRAM " generate layered --seed 7 -o graph.json", "a random layered graph"},
    {CLI_PROGRAM " generate chain --format dot | dot -Tsvg > chain.svg", "look at a graph"},
    {0}};

const cli_command cli_generate = {
    .name = "generate",
    .arguments = "KIND",
    .summary = "make a graph: random layered ones, training graphs",
    .description =
        "Make a compute graph of a kind. The kind comes first; each has options of its own. The same kind, "
        "options and seed give the same graph on every machine.",
    .examples = EXAMPLES,
    .options = OPTIONS,
    .run = run,
};
