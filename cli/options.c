/* Options: the rows of options.def, of a generator and of a command as one table for argp, and reading their values. */
#include "cli/cli.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* --- The rows of options.def --- */

typedef enum row_kind { KIND_INT, KIND_REAL, KIND_UINT64, KIND_ORDER } row_kind;

typedef struct row {
  row_kind kind;
  const char *name;
  const char *metavar;
  const char *help;
  size_t offset; /* into moc_solve_options */
  size_t size;   /* of the member */
  union {        /* default, low and high */
    int64_t integer[3];
    uint64_t natural[3];
    double real[3];
  } values;
} row;

#define VALUES_INT(...)                                                                                            \
  {                                                                                                                \
    .integer = { __VA_ARGS__ }                                                                                     \
  }
#define VALUES_ORDER(...)                                                                                          \
  {                                                                                                                \
    .integer = { __VA_ARGS__ }                                                                                     \
  }
#define VALUES_UINT64(...)                                                                                         \
  {                                                                                                                \
    .natural = { __VA_ARGS__ }                                                                                     \
  }
#define VALUES_REAL(...)                                                                                           \
  {                                                                                                                \
    .real = { __VA_ARGS__ }                                                                                        \
  }
#define MOC_OPTION(kind, name, metavar, value, low, high, help)                                                    \
  {KIND_##kind,                                                                                                    \
   #name,                                                                                                          \
   metavar,                                                                                                        \
   help,                                                                                                           \
   offsetof(moc_solve_options, name),                                                                              \
   sizeof(((moc_solve_options *)0)->name),                                                                         \
   VALUES_##kind(value, low, high)},
static const row ROWS[] = {
#include "options.def"
};
#undef MOC_OPTION
#define N_ROWS ((int)(sizeof ROWS / sizeof *ROWS))

/* --- Tables for argp --- */

static char *copy_text(cli_options *options, const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = cli_allocate(size);
  memcpy(copy, text, size);
  options->texts[options->n_texts++] = copy;
  return copy;
}

/* "time_limit" is --time-limit. */
static void spell_with_dashes(char *name) {
  for (; *name != '\0'; name++)
    if (*name == '_') *name = '-';
}

static char *option_name(cli_options *options, const char *member) {
  char *name = copy_text(options, member);
  spell_with_dashes(name);
  return name;
}

static void add_solver_row(cli_options *options, int index) {
  const row *r = &ROWS[index];
  char help[300];
  switch (r->kind) {
  case KIND_INT:
    snprintf(help, sizeof help, "%s (default %" PRId64 ")", r->help, r->values.integer[0]);
    break;
  case KIND_UINT64:
    snprintf(help, sizeof help, "%s (default %" PRIu64 ")", r->help, r->values.natural[0]);
    break;
  case KIND_REAL:
    snprintf(help, sizeof help, "%s (default %g)", r->help, r->values.real[0]);
    break;
  case KIND_ORDER:
    snprintf(help, sizeof help, "%s (default %s)", r->help, moc_order_word((moc_order)r->values.integer[0]));
    break;
  }
  options->items[options->count++] = (struct argp_option){.name = option_name(options, r->name),
                                                          .key = CLI_KEY_SOLVER + index,
                                                          .arg = r->metavar,
                                                          .doc = copy_text(options, help),
                                                          .group = 2};
}

static void add_generator_option(cli_options *options, const moc__generator *generator, int index) {
  const moc__generator_option *o = &generator->options[index];
  char help[400];
  snprintf(help, sizeof help, "%s (default %" PRId64 ", from %" PRId64 " to %" PRId64 ")", o->help,
           o->value_default, o->low, o->high);
  options->items[options->count++] = (struct argp_option){.name = option_name(options, o->name),
                                                          .key = CLI_KEY_GENERATOR + index,
                                                          .arg = "N",
                                                          .doc = copy_text(options, help),
                                                          .group = 2};
}

void cli_options_init(cli_options *options, const cli_command *command, const moc__generator *generator) {
  int n_own = 0;
  while (command->options[n_own].name != NULL) n_own++;
  int n_generator = generator == NULL ? 0 : generator->n_options;
  int most = n_own + N_ROWS + n_generator + 3;
  *options = (cli_options){.items = cli_allocate((size_t)most * sizeof(struct argp_option)),
                           .texts = cli_allocate((size_t)most * 2 * sizeof(char *))};
  for (int i = 0; i < n_own; i++) {
    options->items[options->count] = command->options[i];
    options->items[options->count++].group = 1;
  }
  if (command->solves)
    for (int i = 0; i < N_ROWS; i++) add_solver_row(options, i);
  for (int i = 0; i < n_generator; i++) add_generator_option(options, generator, i);
  options->items[options->count++] =
      (struct argp_option){.name = "help", .key = 'h', .doc = "show this help", .group = -1};
  /* argp's own hint after a mistake names --usage, so it has to exist. */
  options->items[options->count++] = (struct argp_option){.name = "usage",
                                                          .key = CLI_KEY_USAGE,
                                                          .flags = OPTION_HIDDEN,
                                                          .doc = "show the options in short",
                                                          .group = -1};
  options->items[options->count] = (struct argp_option){0};
}

void cli_options_release(cli_options *options) {
  for (int i = 0; i < options->n_texts; i++) free(options->texts[i]);
  free(options->texts);
  free(options->items);
  *options = (cli_options){0};
}

/* --- Parsing --- */

typedef struct parsing {
  cli_accept accept;
  void *values;
} parsing;

static error_t parse_option(int key, char *argument, struct argp_state *state) {
  const parsing *p = state->input;
  switch (key) {
  case 'h':
    argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
    return 0;
  case CLI_KEY_USAGE:
    argp_state_help(state, stdout, ARGP_HELP_USAGE | ARGP_HELP_EXIT_OK);
    return 0;
  default:
    return p->accept(key, argument, state, p->values);
  }
}

/* Description, then what argp prints after the options ("\v"): the examples. */
static char *help_text(const cli_command *command, const moc__generator *generator) {
  moc_allocator allocator = moc__allocator_or_default(NULL);
  moc__text text;
  moc__text_init(&text, &allocator);
  if (generator != NULL)
    moc__text_printf(&text, "%s: %s.\v", generator->name, generator->help);
  else
    moc__text_printf(&text, "%s\v", command->description);
  if (command->options == cli_generate.options && generator == NULL) {
    int count;
    const moc__generator *kinds = moc__generators(&count);
    moc__text_printf(&text, "Kinds (`" CLI_PROGRAM " generate KIND --help' lists a kind's options):\n");
    for (int i = 0; i < count; i++) moc__text_printf(&text, "  %s\n      %s\n", kinds[i].name, kinds[i].help);
    moc__text_printf(&text, "\n");
  }
  if (generator == NULL && command->examples[0].command != NULL) {
    moc__text_printf(&text, "Examples:\n");
    for (const cli_example *e = command->examples; e->command != NULL; e++)
      moc__text_printf(&text, "  %s\n      %s\n", e->command, e->what);
  }
  char *result;
  size_t length;
  if (moc__text_take(&text, &result, &length, NULL) != MOC_OK) {
    cli_message("out of memory");
    exit(CLI_FAILED);
  }
  return result;
}

/* Leave out argp's note about arguments of short options, which puzzles more than it tells. */
static char *filter_help(int key, const char *text, void *input) {
  (void)input;
  if (key == ARGP_KEY_HELP_DUP_ARGS_NOTE) return NULL;
  char *same; /* argp takes back what it passed as const */
  memcpy(&same, &text, sizeof same);
  return same;
}

void cli_parse(const cli_command *command, const moc__generator *generator, int argc, char **argv,
               cli_accept accept, void *values) {
  cli_options options;
  cli_options_init(&options, command, generator);
  char *doc = help_text(command, generator);
  struct argp argp = {.options = options.items,
                      .parser = parse_option,
                      .args_doc = generator != NULL ? NULL : command->arguments,
                      .doc = doc,
                      .help_filter = filter_help};
  char name[120];
  snprintf(name, sizeof name, CLI_PROGRAM " %s%s%s", command->name, generator == NULL ? "" : " ",
           generator == NULL ? "" : generator->name);
  argv[0] = name;
  argp_err_exit_status = CLI_MISUSED;
  parsing p = {.accept = accept, .values = values};
  error_t failed = argp_parse(&argp, argc, argv, ARGP_NO_HELP, NULL, &p);
  argv[0] = NULL;
  free(doc);
  cli_options_release(&options);
  if (failed != 0) { /* argp ends the program itself where the user is at fault */
    cli_message("cannot read the arguments: %s", strerror(failed));
    exit(failed == ENOMEM ? CLI_FAILED : CLI_MISUSED);
  }
}

/* --- Values --- */

bool cli_read_integer(const char *text, int64_t low, int64_t high, int64_t *value) {
  const char *digits = text[0] == '-' ? text + 1 : text;
  if (digits[0] == '\0' || digits[strspn(digits, "0123456789")] != '\0') return false;
  errno = 0;
  long long number = strtoll(text, NULL, 10);
  if (errno != 0 || number < low || number > high) return false;
  *value = number;
  return true;
}

bool cli_read_natural(const char *text, uint64_t high, uint64_t *value) {
  if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0') return false;
  errno = 0;
  unsigned long long number = strtoull(text, NULL, 10);
  if (errno != 0 || number > high) return false;
  *value = number;
  return true;
}

/* A decimal number; no "nan", no "inf", no hexadecimal digits. */
static bool read_real(const char *text, double low, double high, double *value) {
  if (text[0] == '\0' || text[strspn(text, "0123456789.eE+-")] != '\0') return false;
  char *end;
  double number = strtod(text, &end);
  if (*end != '\0' || !isfinite(number) || number < low || number > high) return false;
  *value = number;
  return true;
}

void cli_take_graph(const char **graph, const char *argument, struct argp_state *state) {
  if (*graph != NULL) argp_error(state, "expected one GRAPH, but \"%s\" follows \"%s\"", argument, *graph);
  *graph = argument;
}

void cli_need_graph(const char *graph, struct argp_state *state) {
  if (graph == NULL) argp_error(state, "expected a GRAPH: a file, or \"-\" for standard input");
}

static bool read_order(const char *text, moc_order *order) {
  for (moc_order o = MOC_ORDER_INPUT; moc_order_word(o) != NULL; o++)
    if (strcmp(text, moc_order_word(o)) == 0) {
      *order = o;
      return true;
    }
  return false;
}

static void set_member(const row *r, moc_solve_options *options, const void *value) {
  memcpy((char *)options + r->offset, value, r->size);
}

void cli_set_solver_option(int key, const char *argument, moc_solve_options *options, struct argp_state *state) {
  const row *r = &ROWS[key - CLI_KEY_SOLVER];
  char name[60];
  snprintf(name, sizeof name, "--%s", r->name);
  spell_with_dashes(name);
  switch (r->kind) {
  case KIND_INT: {
    int64_t value = 0;
    const int64_t *allowed = r->values.integer;
    if (!cli_read_integer(argument, allowed[1], allowed[2], &value))
      argp_error(state, "%s: expected a whole number from %" PRId64 " to %" PRId64 ", not \"%s\"", name, allowed[1],
                 allowed[2], argument);
    int32_t narrow = (int32_t)value;
    set_member(r, options, r->size == sizeof narrow ? (const void *)&narrow : &value);
    break;
  }
  case KIND_UINT64: {
    uint64_t value = 0;
    if (!cli_read_natural(argument, r->values.natural[2], &value))
      argp_error(state, "%s: expected a whole number from %" PRIu64 " to %" PRIu64 ", not \"%s\"", name,
                 r->values.natural[1], r->values.natural[2], argument);
    set_member(r, options, &value);
    break;
  }
  case KIND_REAL: {
    double value = 0;
    if (!read_real(argument, r->values.real[1], r->values.real[2], &value))
      argp_error(state, "%s: expected a number from %g to %g, not \"%s\"", name, r->values.real[1],
                 r->values.real[2], argument);
    set_member(r, options, &value);
    break;
  }
  case KIND_ORDER: {
    moc_order value = MOC_ORDER_INPUT;
    if (!read_order(argument, &value))
      argp_error(state, "%s: expected \"input\" or \"auto\", not \"%s\"", name, argument);
    set_member(r, options, &value);
    break;
  }
  }
}

static const char *const FORMATS[] = {
    [MOC_FORMAT_MOCCASIN] = "moccasin", [MOC_FORMAT_NODE_LINK] = "node-link", [MOC_FORMAT_DOT] = "dot"};

moc_graph_format cli_read_format(const char *option, const char *text, struct argp_state *state) {
  for (size_t i = 0; i < sizeof FORMATS / sizeof *FORMATS; i++)
    if (strcmp(text, FORMATS[i]) == 0) return (moc_graph_format)i;
  argp_error(state, "%s: expected moccasin, node-link or dot, not \"%s\"", option, text);
  return MOC_FORMAT_MOCCASIN; /* not reached: argp_error ends the program */
}

const char *cli_format_name(moc_graph_format format) {
  return FORMATS[format];
}
