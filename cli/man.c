/* The manual page, in mdoc(7), from the tables that the parser uses. */
#include "cli/cli.h"

#define RELEASE_DATE "November 24, 2026"

/* Text as roff takes it literally, one sentence a line; an empty line becomes a paragraph break. */
static void print_text(const char *text) {
  bool line_begins = true;
  for (const char *at = text; *at != '\0'; at++) {
    if (*at == '\n' && at[1] == '\n') {
      fputs("\n.Pp\n", stdout);
      at++;
      line_begins = true;
      continue;
    }
    if (line_begins && (*at == '.' || *at == '\'')) fputs("\\&", stdout);
    line_begins = false;
    switch (*at) {
    case '\\':
      fputs("\\e", stdout);
      break;
    case '-':
      fputs("\\-", stdout);
      break;
    case '\n':
      putchar(' ');
      break;
    default:
      putchar(*at);
    }
    if (at[0] == '.' && at[1] == ' ') {
      putchar('\n');
      at++;
      line_begins = true;
    }
  }
  putchar('\n');
}

static void print_options(const cli_options *options) {
  printf(".Bl -tag -width Ds\n");
  for (int i = 0; i < options->count; i++) {
    const struct argp_option *o = &options->items[i];
    if (o->flags & OPTION_HIDDEN) continue;
    printf(".It ");
    if (o->key < 0x100) printf("Fl %c , ", o->key);
    printf("Fl Fl %s", o->name);
    if (o->arg != NULL) printf(" Ns = Ns Ar %s", o->arg);
    printf("\n");
    print_text(o->doc);
  }
  printf(".El\n");
}

/* "GRAPH --budget B" becomes macros: a word after an option is its value. */
static void print_synopsis(const cli_command *command) {
  printf(".Nm\n.Cm %s\n.Op Ar option ...\n", command->name);
  bool value = false;
  for (const char *at = command->arguments; *at != '\0';) {
    int n = (int)strcspn(at, " ");
    if (strncmp(at, "--", 2) == 0) {
      printf(".Fl Fl %.*s", n - 2, at + 2);
      value = true;
    } else {
      printf(value ? " Ar %.*s\n" : ".Ar %.*s\n", n, at);
      value = false;
    }
    at += n;
    while (*at == ' ') at++;
  }
}

static void print_kinds(void) {
  int count;
  const moc__generator *kinds = moc__generators(&count);
  for (int i = 0; i < count; i++) {
    char text[400];
    snprintf(text, sizeof text, "The kind %s: %s.", kinds[i].name, kinds[i].help);
    printf(".Pp\n");
    print_text(text);
    static const struct argp_option NO_OPTIONS[] = {{0}};
    const cli_command bare = {.options = NO_OPTIONS};
    cli_options options;
    cli_options_init(&options, &bare, &kinds[i]);
    options.count -= 2; /* --help and --usage */
    if (options.count > 0) print_options(&options);
    cli_options_release(&options);
  }
}

static void print_command(const cli_command *command) {
  printf(".Ss %s\n", command->name);
  print_text(command->description);
  cli_options options;
  cli_options_init(&options, command, NULL);
  print_options(&options);
  cli_options_release(&options);
  if (command == &cli_generate) print_kinds();
}

static void print_examples(const cli_command *command, bool first) {
  for (const cli_example *e = command->examples; e->command != NULL; e++) {
    char what[200];
    snprintf(what, sizeof what, "%c%s:", e->what[0] & ~0x20, e->what + 1);
    if (!first) printf(".Pp\n");
    first = false;
    print_text(what);
    printf(".Bd -literal -offset indent\n");
    print_text(e->command);
    printf(".Ed\n");
  }
}

static void print_status(int status, const char *what) {
  printf(".It %d\n%s\n", status, what);
}

void cli_print_man(void) {
  printf(".Dd " RELEASE_DATE "\n.Dt MOCCASIN 1\n.Os\n"
         ".Sh NAME\n.Nm " CLI_PROGRAM "\n.Nd plan tensor rematerialisation under a memory budget\n"
         ".Sh SYNOPSIS\n");
  for (int i = 0; i < CLI_COMMANDS; i++) print_synopsis(cli_commands[i]);
  printf(".Nm\n.Cm help\n.Op Ar command\n"
         ".Nm\n.Fl Fl help | Fl Fl version | Fl Fl generate Ns = Ns Ar man|complete\\-bash\n");
  printf(".Sh DESCRIPTION\n");
  print_text(
      "A compute graph consists of operations, which take time, and of the tensors they read and write, which "
      "take memory. Where memory is short, a tensor can be dropped and computed again when it is needed. This "
      "program decides which tensors to drop and when to compute them again, so that the peak memory stays "
      "within a budget and the total duration grows as little as possible.\n\n"
      "GRAPH and PLAN are names of files, or \"-\" for standard input. The format of a graph is told from its "
      "content. Standard output holds the answer and nothing else; progress and messages go to standard error. "
      "Long options may be abbreviated where that is unambiguous. These are the commands:");
  for (int i = 0; i < CLI_COMMANDS; i++) print_command(cli_commands[i]);
  printf(".Sh BUDGETS\n");
  print_text(
      "A budget is a whole number of bytes, such as 13484795520; a number with a unit, such as 12.5GiB or 800MB; "
      "or a share of the input order's peak memory, such as 80% or 72.5%. KiB, MiB, GiB, TiB and PiB are powers "
      "of 1024, kB, MB, GB, TB and PB powers of 1000; upper and lower case do not matter. A fraction of a unit is "
      "rounded down to whole bytes, a share is rounded up. All of this is computed exactly.");
  printf(".Sh SIGNALS\n");
  print_text(
      "SIGINT, SIGTERM and SIGHUP end a search as the time limit does: the best plan so far is written, with the "
      "status feasible. A second such signal ends the program at once; a plan that is being written is written "
      "whole or not at all.");
  printf(".Sh EXIT STATUS\n.Bl -tag -width Ds\n");
  print_status(CLI_DONE, "A plan within the budget was found, or the command did what it was asked.");
  print_status(CLI_FAILED, "Input or output failed, memory is out, or a verified plan is not valid.");
  print_status(CLI_MISUSED, "Bad usage or bad input; the message names the file, the place and what was expected.");
  print_status(
      CLI_INFEASIBLE,
      "It is proved that no plan exists within the budget, or none in the input order with so many computations.");
  print_status(CLI_NONE_FOUND, "No plan was found in time, and none was excluded.");
  printf(".El\n.Sh EXAMPLES\n");
  for (int i = 0; i < CLI_COMMANDS; i++) print_examples(cli_commands[i], i == 0);
  printf(".Sh SEE ALSO\n");
  print_text("Bartan, Li, Teague, Lott, Dilkina: Moccasin: Efficient Tensor Rematerialization for Neural Networks, "
             "ICML 2023, whose model of retention intervals this program uses.");
}
