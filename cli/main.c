/* moccasin: the program. Picks the command; each has a file of its own. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

const cli_command *const cli_commands[CLI_COMMANDS] = {&cli_solve, &cli_sweep,    &cli_verify,
                                                       &cli_info,  &cli_generate, &cli_convert};

static void print_help(FILE *to) {
  fprintf(to, "Usage: " CLI_PROGRAM " COMMAND [OPTION...] ...\n"
              "Plan which tensors of a compute graph to drop and compute again, so that it runs within a memory\n"
              "budget in the least time.\n\nCommands:\n");
  for (int i = 0; i < CLI_COMMANDS; i++)
    fprintf(to, "  %-9s %-17s %s\n", cli_commands[i]->name, cli_commands[i]->arguments, cli_commands[i]->summary);
  fprintf(to,
          "\nOptions:\n"
          "  -h, --help                          show this help\n"
          "  -V, --version                       show the version\n"
          "      --generate=man|complete-bash    print the manual page or a completion script for bash\n"
          "\n`" CLI_PROGRAM
          " COMMAND --help' tells about a command, with examples. \"-\" as GRAPH is standard input.\n"
          "Exit status: 0 a plan was found, or all went well; 1 input or output failed; 2 bad usage or bad input;\n"
          "3 no plan exists; 4 none was found in time.\n");
}

static const cli_command *find_command(const char *name) {
  for (int i = 0; i < CLI_COMMANDS; i++)
    if (strcmp(name, cli_commands[i]->name) == 0) return cli_commands[i];
  return NULL;
}

static int unknown_command(const char *name) {
  const char *names[CLI_COMMANDS];
  for (int i = 0; i < CLI_COMMANDS; i++) names[i] = cli_commands[i]->name;
  const char *close_one = name[0] == '-' ? NULL : cli_suggest(name, names, CLI_COMMANDS);
  cli_message("there is no %s \"%s\"", name[0] == '-' ? "option" : "command", name);
  if (close_one != NULL)
    cli_hint("did you mean \"%s\"?", close_one);
  else
    cli_hint("`" CLI_PROGRAM " --help' lists the commands and options");
  return CLI_MISUSED;
}

static int print_generated(const char *what) {
  if (what != NULL && strcmp(what, "man") == 0) {
    cli_print_man();
  } else if (what != NULL && strcmp(what, "complete-bash") == 0) {
    cli_print_bash_completion();
  } else {
    cli_message("--generate: expected man or complete-bash, not \"%s\"", what == NULL ? "" : what);
    return CLI_MISUSED;
  }
  return CLI_DONE;
}

static int help(int argc, char **argv) {
  if (argc < 3) {
    print_help(stdout);
    return CLI_DONE;
  }
  const cli_command *command = find_command(argv[2]);
  if (command == NULL) return unknown_command(argv[2]);
  char option[] = "--help";
  char *arguments[] = {argv[2], option, NULL};
  return command->run(2, arguments);
}

static int run(int argc, char **argv) {
  if (argc < 2) {
    print_help(stderr);
    return CLI_MISUSED;
  }
  const char *word = argv[1];
  const cli_command *command = find_command(word);
  if (command != NULL) return command->run(argc - 1, argv + 1);
  if (strcmp(word, "help") == 0) return help(argc, argv);
  if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
    print_help(stdout);
    return CLI_DONE;
  }
  if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
    printf(CLI_PROGRAM " %s\n", moc_version());
    return CLI_DONE;
  }
  if (strcmp(word, "--generate") == 0) return print_generated(argv[2]);
  if (strncmp(word, "--generate=", 11) == 0) return print_generated(word + 11);
  return unknown_command(word);
}

/* Without this a program started with a standard stream closed would get a file of its own under its number. The
 * wrong direction makes every use of the stream fail, as if it were closed. */
static void occupy_standard_streams(void) {
  for (int fd = 0; fd <= 2; fd++)
    if (fcntl(fd, F_GETFD) == -1 && errno == EBADF && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
      abort();
}

int main(int argc, char **argv) {
  occupy_standard_streams();
  /* A reader that goes away must not cost a solve its plan; the failing write is noticed below. */
  signal(SIGPIPE, SIG_IGN);
  int exit_status = run(argc, argv);
  errno = 0;
  if ((fflush(stdout) != 0 || ferror(stdout)) && exit_status == CLI_DONE) {
    if (errno != EPIPE && errno != 0) cli_message("cannot write to standard output: %s", strerror(errno));
    exit_status = CLI_FAILED;
  }
  return exit_status;
}
