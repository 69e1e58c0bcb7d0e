/* What the programs here measure on: a graph from a file, its input order, and a budget. They end with a message when something
 * fails. */
#ifndef BENCH_INSTANCE_H
#define BENCH_INSTANCE_H

#include "model/staged.h"

typedef struct bench_instance {
  moc_allocator allocator;
  moc_graph *graph;
  moc__staged staged;
  int64_t budget, baseline; /* bytes; the duration of every operation once */
} bench_instance;

/* Print the error and exit if there is one. */
void bench_check(moc_status status, const moc_error *error);

/* A graph file and a budget in percent of the input order's peak, rounded up. */
void bench_open(bench_instance *instance, const char *path, const char *percent);
void bench_close(bench_instance *instance);

/* An extra duration as TDI. */
double bench_tdi(const bench_instance *instance, int64_t extra);

#endif
