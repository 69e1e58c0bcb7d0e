/* Messages, figures for people, and files in and out. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- Messages --- */

/* Names come from files: control characters in them must not reach a terminal. */
static void blank_controls(char *text) {
  for (char *at = text; *at != '\0'; at++)
    if ((unsigned char)*at < 0x20 || *at == 0x7f) *at = '?';
}

static void print_line(const char *prefix, const char *format, va_list arguments) {
  char text[2048];
  vsnprintf(text, sizeof text, format, arguments);
  blank_controls(text);
  fprintf(stderr, "%s%s\n", prefix, text);
}

void cli_message(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print_line(CLI_PROGRAM ": ", format, arguments);
  va_end(arguments);
}

void cli_hint(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print_line("  hint: ", format, arguments);
  va_end(arguments);
}

const char *cli_input_name(const char *path) {
  return strcmp(path, "-") == 0 ? "standard input" : path;
}

int cli_report_error(const char *file, const moc_error *error) {
  char where[240] = "";
  if (error->line > 0 && error->column > 0)
    snprintf(where, sizeof where, ":%" PRId64 ":%" PRId64, error->line, error->column);
  else if (error->line > 0)
    snprintf(where, sizeof where, ":%" PRId64, error->line);
  const char *message = error->message[0] != '\0' ? error->message : moc_status_text(error->status);
  cli_message("%s%s%s%s%s%s", file == NULL ? "" : file, file == NULL ? "" : where, file == NULL ? "" : ": ",
              error->place, error->place[0] == '\0' ? "" : ": ", message);
  switch (error->status) {
  case MOC_IO:
  case MOC_OUT_OF_MEMORY:
    return CLI_FAILED;
  case MOC_INTERNAL:
    cli_hint("this is a bug in " CLI_PROGRAM "; please report it with the graph and the command line");
    return CLI_FAILED;
  default:
    return CLI_MISUSED;
  }
}

/* --- Figures for people --- */

void *cli_allocate(size_t size) {
  void *block = calloc(1, size);
  if (block == NULL) {
    cli_message("out of memory");
    exit(CLI_FAILED);
  }
  return block;
}

const char *cli_bytes(int64_t bytes, cli_text *buffer) {
  static const char *const NAMES[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) {
    snprintf(buffer->data, sizeof buffer->data, "%" PRId64 " byte%s", bytes, bytes == 1 ? "" : "s");
    return buffer->data;
  }
  double value = (double)bytes / 1024;
  size_t unit = 0;
  while (value >= 1023.95 && unit + 1 < sizeof NAMES / sizeof *NAMES) {
    value /= 1024;
    unit++;
  }
  snprintf(buffer->data, sizeof buffer->data, "%.*f %s", value < 100 ? 2 : 1, value, NAMES[unit]);
  return buffer->data;
}

const char *cli_exact_bytes(int64_t bytes, cli_text *buffer) {
  cli_bytes(bytes, buffer);
  size_t length = strlen(buffer->data);
  if (bytes >= 1024) snprintf(buffer->data + length, sizeof buffer->data - length, " (%" PRId64 " bytes)", bytes);
  return buffer->data;
}

const char *cli_printable(const char *name, char *buffer, size_t size) {
  snprintf(buffer, size, "%s", name);
  blank_controls(buffer);
  return buffer;
}

const char *cli_graph_text(const moc_graph *graph, const char *file, char *buffer, size_t size) {
  const char *name = moc_graph_name(graph);
  return cli_printable(name[0] == '\0' ? cli_input_name(file) : name, buffer, size);
}

const char *cli_op_text(const moc_graph *graph, moc_op op, char *buffer, size_t size) {
  const char *name = moc_graph_op_name(graph, op);
  const char *label = moc_graph_op_label(graph, op);
  if (strcmp(name, label) == 0)
    snprintf(buffer, size, "\"%s\"", name);
  else
    snprintf(buffer, size, "\"%s\" (%s)", name, label);
  blank_controls(buffer);
  return buffer;
}

/* --- Graphs --- */

int cli_read_graph(const char *path, moc_graph **graph, moc_graph_format *format) {
  const char *name = cli_input_name(path);
  moc_error error = {0};
  char *text;
  size_t length;
  if (moc_read_file(path, NULL, &text, &length, &error) != MOC_OK) return cli_report_error(name, &error);
  moc_status status = moc_graph_read_json(text, length, NULL, graph, format, &error);
  free(text);
  if (status == MOC_OK) return CLI_DONE;
  int exit_status = cli_report_error(name, &error);
  if (length > 0 && status == MOC_PARSE)
    cli_hint("a graph is JSON, in " CLI_PROGRAM
             "'s own form or in networkx's node-link form; is the file complete?");
  return exit_status;
}

int cli_write_graph(const moc_graph *graph, moc_graph_format format, const char *path) {
  moc_error error = {0};
  char *text;
  size_t length;
  moc_status status = moc_graph_write(graph, format, NULL, &text, &length, &error);
  if (status != MOC_OK) {
    int exit_status = cli_report_error(NULL, &error);
    if (status == MOC_INVALID_ARGUMENT) cli_hint("the format \"moccasin\" can express every graph");
    return exit_status;
  }
  int exit_status = cli_write_output(path, text, length);
  free(text);
  return exit_status;
}

/* --- Files --- */

static int print_text(const char *text, size_t length) {
  if (fwrite(text, 1, length, stdout) == length && fflush(stdout) == 0) return CLI_DONE;
  if (errno != EPIPE) cli_message("cannot write to standard output: %s", strerror(errno));
  return CLI_FAILED;
}

static int no_output(const char *path, const char *why) {
  cli_message("%s: cannot write here: %s", path, why);
  return CLI_FAILED;
}

/* The folder of a path, without a slash at its end; "." for none. */
static void folder_of(const char *path, char *folder, size_t size) {
  const char *slash = strrchr(path, '/');
  if (slash == NULL)
    snprintf(folder, size, ".");
  else if (slash == path)
    snprintf(folder, size, "/");
  else
    snprintf(folder, size, "%.*s", (int)(slash - path), path);
}

/* The result takes its place by a rename, so the folder has to be writable; nothing tells this better than a trial
 * file. It is gone again at once, and signals wait for that. */
int cli_check_output(const char *path) {
  if (strcmp(path, "-") == 0) return CLI_DONE;
  size_t length = strlen(path);
  if (length == 0) {
    cli_message("the name of an output file is empty");
    return CLI_MISUSED;
  }
  struct stat file;
  if (stat(path, &file) == 0) {
    if (S_ISDIR(file.st_mode)) return no_output(path, "it is a directory; expected the name of a file");
    if (access(path, W_OK) != 0) return no_output(path, strerror(errno));
    if (!S_ISREG(file.st_mode)) return CLI_DONE;
  } else if (errno != ENOENT) {
    return no_output(path, strerror(errno));
  } else if (path[length - 1] == '/') {
    return no_output(path, "it names a directory; expected the name of a file");
  }
  char *name = cli_allocate(length + 40);
  folder_of(path, name, length + 40);
  if (stat(name, &file) != 0) {
    cli_message("%s: cannot write here: the directory \"%s\": %s", path, name, strerror(errno));
    free(name);
    return CLI_FAILED;
  }
  snprintf(name + strlen(name), 40, "/.moccasin-trial-XXXXXX");
  cli_signals_hold();
  int trial = mkstemp(name);
  int problem = trial < 0 ? errno : 0;
  if (trial >= 0) {
    close(trial);
    unlink(name);
  }
  cli_signals_release();
  free(name);
  return trial < 0 ? no_output(path, strerror(problem)) : CLI_DONE;
}

int cli_write_output(const char *path, const char *text, size_t length) {
  if (strcmp(path, "-") == 0) return print_text(text, length);
  /* A signal between the temporary file and its rename would leave the former behind. A pipe can block for long and
   * has no temporary file. */
  struct stat file;
  bool hold = stat(path, &file) != 0 || S_ISREG(file.st_mode);
  if (hold) cli_signals_hold();
  moc_error error = {0};
  moc_status status = moc_write_file(path, text, length, &error);
  if (hold) cli_signals_release();
  return status == MOC_OK ? CLI_DONE : cli_report_error(path, &error);
}

bool cli_same_file(const char *a, const char *b) {
  struct stat first;
  struct stat second;
  if (strcmp(a, "-") == 0 || strcmp(b, "-") == 0) return false;
  if (stat(a, &first) != 0 || stat(b, &second) != 0) return strcmp(a, b) == 0;
  return S_ISREG(first.st_mode) && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

int cli_check_result(const char *path, const char *graph) {
  if (path == NULL) return CLI_DONE;
  if (!cli_same_file(graph, path)) return cli_check_output(path);
  cli_message("%s: writing here would overwrite the graph; name another file", path);
  return CLI_MISUSED;
}

bool cli_ends_in(const char *name, const char *end) {
  size_t n = strlen(name);
  size_t m = strlen(end);
  return n >= m && strcasecmp(name + n - m, end) == 0;
}

/* --- JSON --- */

int cli_write_json(const char *path, json_t *document) {
  char *text = document == NULL ? NULL : json_dumps(document, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
  json_decref(document);
  if (text == NULL) {
    cli_message("out of memory");
    return CLI_FAILED;
  }
  size_t length = strlen(text);
  text[length] = '\n'; /* a line break in place of the end */
  int exit_status = cli_write_output(path, text, length + 1);
  free(text);
  return exit_status;
}

int cli_print_json(json_t *document) {
  return cli_write_json("-", document);
}

json_t *cli_json_op(const moc_graph *graph, moc_op op) {
  const char *name = moc_graph_op_name(graph, op);
  int64_t number;
  if (moc_graph_op_name_is_integer(graph, op) && cli_read_integer(name, INT64_MIN, INT64_MAX, &number))
    return json_integer(number);
  return json_string(name);
}
