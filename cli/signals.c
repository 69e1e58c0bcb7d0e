/* SIGINT, SIGTERM and SIGHUP end a solve in good order: the search sees the wish, stops, and the best plan so far is
 * written. The second such signal ends the program at once, as if it were not caught.
 *
 * The handler touches nothing but a lock-free atomic, signal() and raise(). It is installed for SIGINT even where the
 * parent ignores it, as shells do for background jobs of scripts, so that `kill -INT` works there too. A SIGHUP that
 * is ignored (nohup) stays so. */
#include "cli/cli.h"

#include <signal.h>
#include <stdatomic.h>

static const int CAUGHT[] = {SIGINT, SIGTERM, SIGHUP};
#define N_CAUGHT (sizeof CAUGHT / sizeof *CAUGHT)

/* A handler can reach nothing but globals. Other threads read it, which volatile sig_atomic_t does not allow for. */
static atomic_int stop_wanted;
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "a handler may use lock-free atomics only");

static void on_signal(int number) {
  if (atomic_exchange(&stop_wanted, 1) != 0) {
    signal(number, SIG_DFL);
    raise(number); /* takes effect when the handler returns */
  }
}

void cli_signals_catch(void) {
  for (size_t i = 0; i < N_CAUGHT; i++) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    struct sigaction old;
    if (CAUGHT[i] == SIGHUP && sigaction(SIGHUP, NULL, &old) == 0 && old.sa_handler == SIG_IGN) continue;
    sigaction(CAUGHT[i], &action, NULL);
  }
}

bool cli_signals_stop(void *user) {
  (void)user;
  return atomic_load_explicit(&stop_wanted, memory_order_relaxed) != 0;
}

static void change_mask(int how) {
  sigset_t set;
  sigemptyset(&set);
  for (size_t i = 0; i < N_CAUGHT; i++) sigaddset(&set, CAUGHT[i]);
  sigprocmask(how, &set, NULL);
}

void cli_signals_hold(void) {
  change_mask(SIG_BLOCK);
}
void cli_signals_release(void) {
  change_mask(SIG_UNBLOCK);
}
