/* Opening what is measured on; see instance.h. */
#define _GNU_SOURCE /* program_invocation_short_name */ // NOLINT
#include "instance.h"

#include <errno.h>
#include <moccasin/moccasin_io.h>
#include <stdio.h>
#include <stdlib.h>

void bench_check(moc_status status, const moc_error *error) {
  if (status == MOC_OK) return;
  fprintf(stderr, "%s: %s\n", program_invocation_short_name, error->message);
  exit(1);
}

void bench_open(bench_instance *instance, const char *path, const char *percent) {
  char *text;
  size_t length;
  moc_error error;
  moc_graph_facts facts;
  *instance = (bench_instance){.allocator = moc__allocator_or_default(NULL)};
  bench_check(moc_read_file(path, NULL, &text, &length, &error), &error);
  bench_check(moc_graph_read_json(text, length, NULL, &instance->graph, NULL, &error), &error);
  free(text);
  bench_check(moc_graph_get_facts(instance->graph, &facts, &error), &error);
  instance->budget = (int64_t)((double)facts.baseline_peak * strtod(percent, NULL) / 100 + 0.999);
  instance->baseline = facts.baseline_duration;
  bench_check(moc__staged_init(&instance->staged, instance->graph, moc_graph_input_order(instance->graph).items,
                               &instance->allocator, &error),
              &error);
}

void bench_close(bench_instance *instance) {
  moc__staged_release(&instance->staged);
  moc_graph_destroy(instance->graph);
}

double bench_tdi(const bench_instance *instance, int64_t extra) {
  return 100 * (double)extra / (double)moc__max(instance->baseline, 1);
}
