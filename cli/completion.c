/* The completion script for bash, from the tables that the parser uses. It needs nothing but bash itself.
 *
 * How a value is completed follows from its placeholder: words with "|" between them are the choices, FILE stands for
 * a file name, and anything else is left alone. */
#include "cli/cli.h"

static void print_names(const cli_options *options) {
  for (int i = 0; i < options->count; i++) {
    const struct argp_option *o = &options->items[i];
    if (o->flags & OPTION_HIDDEN) continue;
    printf("%s--%s", i == 0 ? "" : " ", o->name);
  }
}

/* The pattern of a case: "--output|-o)". */
static void print_pattern(const struct argp_option *o) {
  printf("      --%s", o->name);
  if (o->key < 0x100) printf("|-%c", o->key);
  printf(") ");
}

static void print_values(const cli_options *options, bool files_as_arguments) {
  printf("    case $prev in\n");
  for (int i = 0; i < options->count; i++) {
    const struct argp_option *o = &options->items[i];
    if (o->arg == NULL) continue;
    print_pattern(o);
    if (strchr(o->arg, '|') != NULL) {
      printf("words=\"");
      for (const char *at = o->arg; *at != '\0'; at++) putchar(*at == '|' ? ' ' : *at);
      printf("\" ;;\n");
    } else {
      printf(strncmp(o->arg, "FILE", 4) == 0 ? "files=1 ;;\n" : "return ;;\n");
    }
  }
  printf("      *) words=\"");
  print_names(options);
  printf("\"%s ;;\n    esac\n", files_as_arguments ? " files=1" : "");
}

static void print_command(const cli_command *command, const moc__generator *generator) {
  cli_options options;
  cli_options_init(&options, command, generator);
  print_values(&options, generator == NULL);
  cli_options_release(&options);
}

static void print_generate(void) {
  int count;
  const moc__generator *kinds = moc__generators(&count);
  printf("    if (( COMP_CWORD == 2 )); then\n      words=\"");
  for (int i = 0; i < count; i++) printf("%s ", kinds[i].name);
  printf("--help\"\n    else\n    case ${COMP_WORDS[2]} in\n");
  for (int i = 0; i < count; i++) {
    printf("    %s)\n", kinds[i].name);
    print_command(&cli_generate, &kinds[i]);
    printf("    ;;\n");
  }
  printf("    esac\n    fi\n");
}

void cli_print_bash_completion(void) {
  printf("# Completion of " CLI_PROGRAM "(1) for bash.\n"
         "_moccasin() {\n"
         "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words= files=\n"
         "  COMPREPLY=()\n"
         "  # --option=value comes as three words\n"
         "  if [[ $cur == = ]]; then\n    cur=\n"
         "  elif [[ $prev == = ]]; then\n    prev=${COMP_WORDS[COMP_CWORD-2]}\n  fi\n"
         "  if (( COMP_CWORD == 1 )); then\n    COMPREPLY=($(compgen -W \"");
  for (int i = 0; i < CLI_COMMANDS; i++) printf("%s ", cli_commands[i]->name);
  printf("help --help --version --generate\" -- \"$cur\"))\n    return\n  fi\n  case ${COMP_WORDS[1]} in\n");
  for (int i = 0; i < CLI_COMMANDS; i++) {
    printf("  %s)\n", cli_commands[i]->name);
    if (cli_commands[i] == &cli_generate)
      print_generate();
    else
      print_command(cli_commands[i], NULL);
    printf("    ;;\n");
  }
  printf("  help)\n    words=\"");
  for (int i = 0; i < CLI_COMMANDS; i++) printf("%s%s", i == 0 ? "" : " ", cli_commands[i]->name);
  printf("\" ;;\n  --generate)\n    words=\"man complete-bash\" ;;\n  esac\n"
         "  if [[ $cur == -* || -z $files ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
         "  else\n    compopt -o default 2> /dev/null\n  fi\n"
         "}\n"
         "complete -F _moccasin " CLI_PROGRAM "\n");
}
