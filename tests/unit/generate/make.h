/* Making graphs in the tests of the generators. */
#ifndef TEST_GENERATE_MAKE_H
#define TEST_GENERATE_MAKE_H

#include "generate/generate.h"
#include "support/test.h"

#include <stdlib.h>

/* A graph of a kind; `options` is "name=value name=value ...". */
static inline moc_graph *make_graph(const char *kind, const char *options, uint64_t seed) {
  const moc__generator *generator = moc__find_generator(kind);
  assert_non_null(generator);
  int64_t values[MOC__MAX_GENERATOR_OPTIONS];
  moc__generator_defaults(generator, values);
  for (const char *at = options; *at != '\0';) {
    char name[32];
    size_t length = strcspn(at, "=");
    assert_true(length < sizeof name && at[length] == '=');
    memcpy(name, at, length);
    name[length] = '\0';
    int place = moc__find_generator_option(generator, name);
    if (place < 0) fail_msg("%s has no option %s", kind, name);
    char *end;
    values[place] = strtoll(at + length + 1, &end, 10);
    at = end + (*end == ' ');
  }
  moc_graph *graph;
  moc_error error;
  CHECK_OK(moc__generate(generator, values, seed, NULL, &graph, &error), error);
  return graph;
}

#endif
