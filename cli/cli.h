/* What the files of the command line program share: the table of commands, options, messages, budgets, output.
 *
 * Everything a user can type is stated once, in a cli_command (and, for the options of a solve and of the
 * generators, in options.def and generate.h); the parser, --help, the manual page and the completion script are
 * made from it. Standard output holds the answer and nothing else; everything else goes to standard error. */
#ifndef MOC_CLI_CLI_H
#define MOC_CLI_CLI_H

#include "base/base.h"
#include "generate/generate.h"

#include <argp.h>
#include <moccasin/moccasin_io.h>
#include <stdio.h>

#define CLI_PROGRAM "moccasin"

/* Exit statuses. */
enum {
  CLI_DONE = 0,       /* a plan within budget was found, or the command did what it was asked */
  CLI_FAILED = 1,     /* input or output failed, memory is out, a plan is not valid, a bug of ours */
  CLI_MISUSED = 2,    /* bad usage or bad input */
  CLI_INFEASIBLE = 3, /* proved: no plan exists */
  CLI_NONE_FOUND = 4  /* no plan found in time */
};

/* --- Commands (each in the file of its name) --- */

typedef struct cli_example {
  const char *command;
  const char *what; /* a phrase without a full stop */
} cli_example;

typedef struct cli_command {
  const char *name;
  const char *arguments;             /* as in "Usage: moccasin NAME [OPTION...] ARGUMENTS" */
  const char *summary;               /* a phrase without a full stop */
  const char *description;           /* paragraphs with an empty line between two */
  const cli_example *examples;       /* ends with a NULL command */
  const struct argp_option *options; /* its own, ends with a zeroed one */
  bool solves;                       /* takes the options of options.def, too */
  int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns the exit status */
} cli_command;

extern const cli_command cli_solve, cli_sweep, cli_verify, cli_info, cli_generate, cli_convert;

/* All commands in the order of the help, [CLI_COMMANDS]. */
#define CLI_COMMANDS 6
extern const cli_command *const cli_commands[CLI_COMMANDS];

/* Print the manual page or the completion script for bash to standard output (man.c, completion.c). */
void cli_print_man(void);
void cli_print_bash_completion(void);

/* The candidate that `word` is most likely a slip of, or NULL. */
const char *cli_suggest(const char *word, const char *const *candidates, int count);

/* --- Options (options.c) --- */

/* Keys of options that have no letter. */
enum {
  CLI_KEY_USAGE = 0x100,
  CLI_KEY_REPORT = 0x101,
  CLI_KEY_BUDGETS = 0x102,
  CLI_KEY_JSON = 0x103,
  CLI_KEY_TO = 0x104,
  CLI_KEY_SOLVER = 0x1000,   /* + the row of options.def */
  CLI_KEY_GENERATOR = 0x2000 /* + the place among the generator's options */
};

/* Options ready for argp. */
typedef struct cli_options {
  struct argp_option *items; /* [count], ends with a zeroed one that is not counted */
  int count;
  char **texts; /* [n_texts] what `items` points to, where it is not static */
  int n_texts;
} cli_options;

/* All options of a command: its own, those of a solve where it takes them, those of `generator` (may be NULL), and
 * --help. Ends the program when memory is out. */
void cli_options_init(cli_options *options, const cli_command *command, const moc__generator *generator);
void cli_options_release(cli_options *options);

/* What a command does with an option or argument: as argp's parser, with the command's own `values`. */
typedef error_t (*cli_accept)(int key, char *argument, struct argp_state *state, void *values);

/* Parse a command's arguments; ends the program on --help (status 0) and on bad usage (status 2). `generator` may
 * be NULL. */
void cli_parse(const cli_command *command, const moc__generator *generator, int argc, char **argv,
               cli_accept accept, void *values);

/* Take an argument as the one GRAPH of a command; see at the end that there was one. Both end the program as bad usage
 * otherwise. */
void cli_take_graph(const char **graph, const char *argument, struct argp_state *state);
void cli_need_graph(const char *graph, struct argp_state *state);

/* Set the option of row key - CLI_KEY_SOLVER; ends the program as bad usage when the value is not allowed. */
void cli_set_solver_option(int key, const char *argument, moc_solve_options *options, struct argp_state *state);

/* The whole number that `text` spells, if it lies within low..high. */
bool cli_read_integer(const char *text, int64_t low, int64_t high, int64_t *value);
bool cli_read_natural(const char *text, uint64_t high, uint64_t *value);
/* Read a format's name for `option` ("--to"); ends the program as bad usage when there is none of that name. */
moc_graph_format cli_read_format(const char *option, const char *text, struct argp_state *state);
const char *cli_format_name(moc_graph_format format);

/* --- Budgets (budget.c) --- */

/* A budget as it was written, before the graph is known. */
typedef struct cli_budget {
  bool share;       /* of the input order's peak, in percent; else bytes */
  uint64_t digits;  /* the number without its decimal point */
  uint64_t divisor; /* 10 to the number of decimals */
  uint64_t unit;    /* bytes */
} cli_budget;

/* What a budget may look like, for messages. */
#define CLI_BUDGET_FORMS                                                                                           \
  "bytes (13484795520), bytes with a unit (12.5GiB, 800MB), or a share of the input order's peak (80%)"

/* Read a budget; on failure `problem` [size] says what is wrong with it. */
bool cli_budget_read(const char *text, cli_budget *budget, char *problem, size_t size);
/* In bytes: a share is rounded up, a fraction of a unit down. False: more than an int64_t holds. Exact. */
bool cli_budget_bytes(const cli_budget *budget, int64_t baseline_peak, int64_t *bytes);

/* --- Lists of budgets (budgets.c) --- */

#define CLI_MOST_BUDGETS 1000

/* At least one. */
typedef struct cli_budgets {
  int count;
  cli_budget items[CLI_MOST_BUDGETS]; /* as written */
} cli_budgets;

/* What a list may look like, for messages. */
#define CLI_BUDGETS_FORMS                                                                                          \
  "budgets with commas between them (12GiB,10GiB), or from one to another by steps (50%..100%:5%)"

/* Read a list; on failure `problem` [size] says which of them is wrong, and how. */
bool cli_budgets_read(const char *text, cli_budgets *list, char *problem, size_t size);
/* In bytes, falling, each once, to bytes [count]; their number. -1: some are more than an int64_t holds. */
int cli_budgets_bytes(const cli_budgets *list, int64_t baseline_peak, int64_t *bytes);

/* --- Messages and output (output.c) --- */

/* Print "moccasin: MESSAGE" to standard error. */
void cli_message(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Print "  hint: MESSAGE" to standard error. */
void cli_hint(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Print an error that concerns `file` (NULL: none) and return the exit status it calls for. */
int cli_report_error(const char *file, const moc_error *error);
/* The name of a file for people: "-" becomes "standard input". */
const char *cli_input_name(const char *path);

/* Memory for the program itself; ends it when there is none. */
void *cli_allocate(size_t size);

/* Bytes for people: "312 bytes", "12.56 GiB". Durations: digits. The text lies in `buffer` and is returned. */
typedef struct cli_text {
  char data[64];
} cli_text;
const char *cli_bytes(int64_t bytes, cli_text *buffer);
/* The same with all digits: "12.56 GiB (13484795520 bytes)". */
const char *cli_exact_bytes(int64_t bytes, cli_text *buffer);

/* Read a graph; on failure prints why and returns an exit status other than 0. `format` may be NULL. */
int cli_read_graph(const char *path, moc_graph **graph, moc_graph_format *format);

/* Find out whether `path` can be written, before long work. Prints why not; returns an exit status. "-" can. */
int cli_check_output(const char *path);
/* The same, and that it would not overwrite the graph that is read from `graph`. NULL can. */
int cli_check_result(const char *path, const char *graph);
/* Write a whole file or nothing, "-" being standard output. Prints why not; returns an exit status. */
int cli_write_output(const char *path, const char *text, size_t length);
/* Write a graph as a file. Prints why not; returns an exit status. */
int cli_write_graph(const moc_graph *graph, moc_graph_format format, const char *path);
/* Whether both paths lead to one file that exists. */
bool cli_same_file(const char *a, const char *b);
/* Whether a name ends so, in whatever case. */
bool cli_ends_in(const char *name, const char *end);

/* Print a document to standard output, or fail with OUT_OF_MEMORY for NULL; takes over the reference. */
struct json_t;
int cli_print_json(struct json_t *document);
/* The same into a file, as cli_write_output writes. */
int cli_write_json(const char *path, struct json_t *document);
/* An operation's name as files spell it: a string or a number. */
struct json_t *cli_json_op(const moc_graph *graph, moc_op op);
/* `name`, cut to `size` and without control characters, in `buffer`, for people. */
const char *cli_printable(const char *name, char *buffer, size_t size);
/* The graph's name for people, or that of its file, likewise. */
const char *cli_graph_text(const moc_graph *graph, const char *file, char *buffer, size_t size);
/* The name of an operation for people, with its label where that differs. */
const char *cli_op_text(const moc_graph *graph, moc_op op, char *buffer, size_t size);

/* --- Signals (signals.c) --- */

/* From now on SIGINT, SIGTERM and SIGHUP ask for a stop; the second one ends the program at once. */
void cli_signals_catch(void);
/* Whether a stop was asked for. Fits moc_solve_options.should_stop. */
bool cli_signals_stop(void *user);
/* Hold these signals back while a file is written, and let them through again. */
void cli_signals_hold(void);
void cli_signals_release(void);

/* --- Progress (progress.c) --- */

typedef struct cli_progress {
  int64_t budget;
  int64_t baseline_duration;
  bool quiet;
  bool terminal;     /* standard error is one: rewrite one line */
  bool drawn;        /* such a line is there */
  double last_drawn; /* seconds */
} cli_progress;

void cli_progress_init(cli_progress *progress, int64_t budget, int64_t baseline_duration, bool quiet);
/* Show a sign of life. Fits moc_solve_options.on_progress, with the cli_progress as `user`. */
void cli_progress_show(void *user, const moc_progress *now);
/* Remove the rewritten line. */
void cli_progress_end(cli_progress *progress);

#endif
