/* What the constraint program does as a neighbourhood (src/cp/windows.h):
 *
 *   bench_windows GRAPH BUDGET% [COMPUTES [MOVES [SECONDS [SEED]]]]
 *
 * From the plan that annealing finds in MOVES (1,000,000), the TDI that is reached within a quarter, half and all of SECONDS (10) of
 * processor time by annealing that goes on, and by windows, with one thing after the other left out. One thread. */
#include "cp/windows.h"
#include "base/clock.h"
#include "instance.h"
#include "search/anneal.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct bench {
  bench_instance on;
  int32_t computes;
  int64_t moves;
  uint64_t seed;
  double seconds;
} bench;

/* Of this thread: others on the machine do not count. */
static double used(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void anneal(bench *b, int64_t moves, uint64_t stream, moc__pool *pool, moc__incumbent *incumbent) {
  moc__anneal_options options = {.budget = b->on.budget,
                                 .max_computes = b->computes,
                                 .most_computes = b->computes,
                                 .moves = moves,
                                 .seed = b->seed,
                                 .stream = stream};
  moc__guide guide; /* nobody posts */
  moc_error error;
  bench_check(moc__guide_init(&guide, &b->on.allocator, &error), &error);
  moc__anneal(&b->on.staged, &options, pool, &guide, incumbent);
  moc__guide_release(&guide);
}

/* Prints what is reached when a quarter, half and all of the time is over. */
typedef struct course {
  double started;
  int printed;
} course;

static bool go_on(const bench *b, course *c, const moc__incumbent *incumbent) {
  static const double share[] = {0.25, 0.5, 1};
  while (c->printed < 3 && used() - c->started >= share[c->printed] * b->seconds) {
    printf("  %.4f", bench_tdi(&b->on, moc__incumbent_extra(incumbent)));
    fflush(stdout);
    c->printed++;
  }
  return c->printed < 3 && !moc__stopped(incumbent);
}

/* A plan to start from, and the pool that led to it. */
static void start(bench *b, moc__incumbent *incumbent, moc__pool *pool) {
  moc_error error;
  bench_check(moc__incumbent_init(incumbent, &b->on.allocator, moc__seconds(), &b->on.staged, INT64_MAX, &error),
              &error);
  bench_check(moc__pool_init(pool, b->on.staged.n, &b->on.allocator, &error), &error);
  anneal(b, b->moves, 0, pool, incumbent);
}

static void end(moc__incumbent *incumbent, moc__pool *pool) {
  moc__pool_release(pool);
  moc__incumbent_release(incumbent);
}

static void go_on_annealing(bench *b) {
  moc__incumbent incumbent;
  moc__pool pool;
  start(b, &incumbent, &pool);
  printf("%-42s  %.4f", "annealing", bench_tdi(&b->on, moc__incumbent_extra(&incumbent)));
  course c = {.started = used()};
  for (uint64_t stream = 1; go_on(b, &c, &incumbent); stream++) anneal(b, 100000, stream, &pool, &incumbent);
  printf("\n");
  end(&incumbent, &pool);
}

/* kinds: a bit for each. */
static void try_windows(bench *b, const char *what, moc__retain *retain, unsigned kinds, int64_t helpers) {
  moc__incumbent incumbent;
  moc__pool pool;
  moc__model model;
  moc__windows windows;
  moc_error error;
  start(b, &incumbent, &pool);
  bench_check(moc__model_init(&model, &b->on.staged, b->on.budget, b->computes, &b->on.allocator, &error), &error);
  moc__dual *dual = retain != NULL ? moc__dual_create(&model, retain) : NULL;
  if (dual != NULL) moc__dual_install(dual);
  bench_check(moc__windows_init(&windows, &model, dual, retain, &incumbent, &pool, b->seed), &error);
  windows.kinds = kinds;
  windows.helpers_each = helpers;
  printf("%-42s  %.4f", what, bench_tdi(&b->on, moc__incumbent_extra(&incumbent)));
  course c = {.started = used()};
  while (go_on(b, &c, &incumbent) && !windows.complete && moc__windows_try(&windows)) continue;
  printf("  %lld windows, %lld shorter plans, %lld to the end%s\n", (long long)windows.tried,
         (long long)windows.improved, (long long)windows.exhausted, windows.complete ? ", all searched" : "");
  moc__windows_release(&windows);
  moc__dual_destroy(dual);
  moc__model_release(&model);
  end(&incumbent, &pool);
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: bench_windows GRAPH BUDGET%% [COMPUTES [MOVES [SECONDS [SEED]]]]\n");
    return 2;
  }
  bench b = {.computes = argc > 3 ? (int32_t)strtol(argv[3], NULL, 10) : 2,
             .moves = argc > 4 ? strtoll(argv[4], NULL, 10) : 1000000,
             .seconds = argc > 5 ? strtod(argv[5], NULL) : 10,
             .seed = argc > 6 ? strtoull(argv[6], NULL, 10) : 1};
  bench_open(&b.on, argv[1], argv[2]);
  moc_error error;
  moc__retain retain;
  bench_check(moc__retain_init(&retain, &b.on.staged, b.on.budget, b.computes, &b.on.allocator, &error), &error);
  double begun = used();
  for (int phase = 0; phase < 12; phase++) (void)moc__retain_improve(&retain, INT64_MAX, 300, NULL, NULL);
  printf("the bound %.4f took %.1f s, %lld supports\n", bench_tdi(&b.on, retain.extra), used() - begun,
         (long long)retain.n_supports);
  go_on_annealing(&b);
  enum { ALL = (1 << MOC__WINDOW_KINDS) - 1 };
  try_windows(&b, "windows", &retain, ALL, MOC__WINDOW_HELPERS);
  try_windows(&b, "all that may help is free", &retain, ALL, INT32_MAX);
  try_windows(&b, "without bound", NULL, ALL, MOC__WINDOW_HELPERS);
  try_windows(&b, "stages alone", &retain, 1U << MOC__STAGES, MOC__WINDOW_HELPERS);
  try_windows(&b, "peak alone", &retain, 1U << MOC__PEAK, MOC__WINDOW_HELPERS);
  try_windows(&b, "chain alone", &retain, 1U << MOC__CHAIN, MOC__WINDOW_HELPERS);
  try_windows(&b, "random alone", &retain, 1U << MOC__RANDOM, MOC__WINDOW_HELPERS);
  moc__retain_release(&retain);
  bench_close(&b.on);
  return 0;
}
