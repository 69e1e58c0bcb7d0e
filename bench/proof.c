/* What each technique of the proofs does:
 *
 *   bench_proof GRAPH BUDGET% [COMPUTES [SECONDS]]
 *
 * prints the bounds of the relaxations in turn, and then, with the duration of the plan that a search of ten seconds finds as the
 * target, how many conflicts refute it (or find a shorter one) with one technique after the other left out. */
#include "base/clock.h"
#include "bounds/cover.h"
#include "cp/dual.h"
#include "instance.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct bench {
  bench_instance on;
  int32_t computes;
  double seconds, end;
} bench;

static bool out_of_time(void *context) {
  return moc__seconds() > ((bench *)context)->end;
}

static void relax(bench *b, const char *what, bool no_recomputations, bool no_readers) {
  moc__retain r;
  moc_error error;
  bench_check(moc__retain_init(&r, &b->on.staged, b->on.budget, b->computes, &b->on.allocator, &error), &error);
  r.no_recomputations = no_recomputations;
  r.no_readers = no_readers;
  double start = moc__seconds();
  for (int phase = 0; phase < 25; phase++) (void)moc__retain_improve(&r, INT64_MAX, 300, NULL, NULL);
  printf("%-52s TDI %.4f  %.2f s  %lld events, %lld supports\n", what, bench_tdi(&b->on, r.extra),
         moc__seconds() - start, (long long)r.n_events, (long long)r.n_supports);
  moc__retain_release(&r);
}

static void cover(bench *b) {
  moc__cover c;
  moc_error error;
  double start = moc__seconds();
  bench_check(moc__cover_init(&c, &b->on.staged, b->on.budget, &b->on.allocator, &error), &error);
  bench_check(moc__cover_ascend(&c, INT64_MAX, 3000, NULL, NULL, &error), &error);
  printf("%-52s TDI %.4f  %.2f s  %d rows\n", "covering", bench_tdi(&b->on, c.extra), moc__seconds() - start,
         (int)c.n_rows);
  moc__cover_release(&c);
}

static void refute(bench *b, int64_t target, const char *what, bool with_dual, bool fixes, int32_t rounds,
                   bool events) {
  moc__retain r;
  moc__model m;
  moc_error error;
  bench_check(moc__retain_init(&r, &b->on.staged, b->on.budget, b->computes, &b->on.allocator, &error), &error);
  bench_check(moc__model_init(&m, &b->on.staged, b->on.budget, b->computes, &b->on.allocator, &error), &error);
  r.no_recomputations = !events;
  double start = moc__seconds();
  b->end = start + b->seconds;
  for (int phase = 0; phase < 12 && with_dual; phase++) (void)moc__retain_improve(&r, target, 300, out_of_time, b);
  moc__dual *dual = moc__dual_create(&m, &r);
  if (dual == NULL) exit(1);
  moc__dual_tune(dual, fixes, rounds);
  if (with_dual) moc__dual_install(dual);
  moc__model_set_target(&m, target);
  moc__model_end end = moc__model_solve(&m, INT64_MAX / 4, out_of_time, b);
  static const char *const ends[] = {"found one", "refuted", "not settled"};
  printf("%-52s %-11s %8lld conflicts  %.2f s\n", what, ends[end], (long long)m.engine.conflicts,
         moc__seconds() - start);
  fflush(stdout);
  moc__dual_destroy(dual);
  moc__model_release(&m);
  moc__retain_release(&r);
}

static int64_t find_plan(bench *b) {
  moc_solve_options options;
  moc_error error;
  moc_plan *plan;
  moc_solve_options_init(&options);
  options.budget = b->on.budget;
  options.max_computes = b->computes;
  options.time_limit = 10;
  options.prove = 0;
  bench_check(moc_solve(b->on.graph, &options, NULL, &plan, &error), &error);
  int64_t extra = plan->length > 0 ? plan->total_duration - plan->baseline_duration : -1;
  moc_plan_destroy(plan);
  return extra;
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: bench_proof GRAPH BUDGET%% [COMPUTES [SECONDS]]\n");
    return 2;
  }
  bench b = {.computes = argc > 3 ? (int32_t)strtol(argv[3], NULL, 10) : 2,
             .seconds = argc > 4 ? strtod(argv[4], NULL) : 60};
  bench_open(&b.on, argv[1], argv[2]);
  cover(&b);
  relax(&b, "retention, reads of first computations alone", true, true);
  relax(&b, "retention, at first computations alone", true, false);
  relax(&b, "retention", false, false);
  int64_t extra = find_plan(&b);
  if (extra > 0) {
    printf("A plan has TDI %.4f; a shorter one:\n", bench_tdi(&b.on, extra));
    refute(&b, extra, "everything", true, true, 4, true);
    refute(&b, extra, "no literals fixed by the bound", true, false, 4, true);
    refute(&b, extra, "multipliers improved at level 0 only", true, true, 0, true);
    refute(&b, extra, "no memory at recomputations in the bound", true, true, 4, false);
    refute(&b, extra, "no bound, clause learning alone", false, false, 0, true);
  }
  bench_close(&b.on);
  return 0;
}
