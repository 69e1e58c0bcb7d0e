/* How a solve is going, on standard error: on a terminal one line that is rewritten, else a line for each improvement.
 *
 * Signs of life come often; on a terminal at most ten a second are drawn, improvements included. */
#include "cli/cli.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SECONDS_BETWEEN_DRAWINGS 0.1

void cli_progress_init(cli_progress *progress, int64_t budget, int64_t baseline_duration, bool quiet) {
  const char *kind = getenv("TERM");
  *progress =
      (cli_progress){.budget = budget, .baseline_duration = baseline_duration, .quiet = quiet, .last_drawn = -1};
  progress->terminal = isatty(STDERR_FILENO) && (kind == NULL || strcmp(kind, "dumb") != 0);
}

/* Columns of the terminal. */
static int terminal_width(void) {
  struct winsize window;
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0) return window.ws_col;
  return 80;
}

static void describe(const cli_progress *progress, const moc_progress *now, char *line, size_t size) {
  cli_text a;
  cli_text b;
  int64_t base = progress->baseline_duration;
  int64_t bound = now->lower_bound;
  if (!now->has_plan) {
    cli_bytes(progress->budget, &b);
    if (now->least_peak > 0)
      snprintf(line, size, "%7.2f s  no plan yet  least peak %s  budget %s", now->seconds,
               cli_bytes(now->least_peak, &a), b.data);
    else
      snprintf(line, size, "%7.2f s  no plan yet  budget %s", now->seconds, b.data);
    return;
  }
  snprintf(line, size,
           "%7.2f s  duration %" PRId64 " (TDI %.3f %%)  bound %" PRId64 "  gap %.2f %%  peak %s  budget %s",
           now->seconds, now->total_duration, moc__percent(now->total_duration - base, base), bound,
           moc__percent(now->total_duration - bound, now->total_duration), cli_bytes(now->peak_memory, &a),
           cli_bytes(progress->budget, &b));
}

void cli_progress_show(void *user, const moc_progress *now) {
  cli_progress *progress = user;
  if (progress->quiet) return;
  char line[256];
  if (!progress->terminal) {
    if (!now->improved) return;
    describe(progress, now, line, sizeof line);
    fprintf(stderr, "%s\n", line);
    return;
  }
  if (progress->last_drawn >= 0 && now->seconds - progress->last_drawn < SECONDS_BETWEEN_DRAWINGS) return;
  progress->last_drawn = now->seconds;
  describe(progress, now, line, sizeof line);
  int width = terminal_width() - 1; /* a full last column would wrap the line */
  fprintf(stderr, "\r%.*s\033[K", width, line);
  fflush(stderr);
  progress->drawn = true;
}

void cli_progress_end(cli_progress *progress) {
  if (!progress->drawn) return;
  fputs("\r\033[K", stderr);
  fflush(stderr);
  progress->drawn = false;
}
