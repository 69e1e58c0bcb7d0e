/* What the inner loop of the search costs: nanoseconds for adding or removing a pair, settled and taken back as the
 * search does it, and for moving an operation within its window, on layered graphs and training graphs of 100 to
 * 100,000 operations. Usage: bench_toggle [SECONDS A ROW]. */
#include "base/clock.h"
#include "generate/generate.h"
#include "search/moves.h"

#include <stdio.h>
#include <stdlib.h>

static double nanoseconds(double seconds, int64_t count) {
  return count == 0 ? 0 : seconds * 1e9 / (double)count;
}

/* Random pairs near random places: added, settled, taken back. */
static double time_toggles(moc__state *state, moc__rng *rng, double seconds) {
  int32_t n = state->staged->n;
  int64_t before = state->toggles;
  double start = moc__seconds(), now = start;
  for (int64_t i = 0; now - start < seconds; i++) {
    moc__state_begin(state);
    for (int j = 0; j < 3; j++) {
      int32_t p = (int32_t)moc__rng_below(rng, (uint32_t)n - 1);
      int32_t reach = n - 1 - p < 200 ? n - 1 - p : 200;
      (void)moc__state_add(state, state->order[p],
                           state->order[p + 1 + (int32_t)moc__rng_below(rng, (uint32_t)reach)]);
    }
    moc__state_settle(state);
    moc__state_undo(state);
    if (i % 64 == 0) now = moc__seconds();
  }
  return nanoseconds(now - start, 2 * (state->toggles - before)); /* done and undone */
}

static double time_reorders(moc__state *state, moc__rng *rng, double seconds) {
  int32_t n = state->staged->n;
  int64_t before = state->toggles;
  double start = moc__seconds(), now = start;
  for (int64_t i = 0; now - start < seconds; i++) {
    int32_t v = (int32_t)moc__rng_below(rng, (uint32_t)n), low, high;
    moc__state_window(state, v, &low, &high);
    if (high - low > 64) high = low + 64;
    if (state->place[v] > high) continue;
    moc__state_begin(state);
    (void)moc__state_reorder(state, v, low + (int32_t)moc__rng_below(rng, (uint32_t)(high - low + 1)));
    moc__state_settle(state);
    moc__state_undo(state);
    if (i % 64 == 0) now = moc__seconds();
  }
  return nanoseconds(now - start, 2 * (state->toggles - before));
}

static moc_graph *make(const char *kind, const char *option, int64_t value, int64_t density) {
  const moc__generator *generator = moc__find_generator(kind);
  int64_t values[MOC__MAX_GENERATOR_OPTIONS];
  moc__generator_defaults(generator, values);
  values[moc__find_generator_option(generator, option)] = value;
  if (density > 0) values[moc__find_generator_option(generator, "density")] = density;
  moc_graph *graph = NULL;
  moc_error error;
  if (moc__generate(generator, values, 1, NULL, &graph, &error) != MOC_OK)
    fprintf(stderr, "%s: %s\n", kind, error.message);
  return graph;
}

/* One row. Consumes the graph. */
static int run(const char *kind, moc_graph *graph, double seconds) {
  if (graph == NULL) return 1;
  moc_error error;
  moc_graph_facts facts;
  moc__staged staged;
  moc__state state;
  moc_allocator allocator = moc__allocator_or_default(NULL);
  if (moc_graph_get_facts(graph, &facts, &error) != MOC_OK ||
      moc__staged_init(&staged, graph, moc_graph_input_order(graph).items, &allocator, &error) != MOC_OK ||
      moc__state_init(&state, &staged, facts.baseline_peak * 8 / 10, 4, &allocator, &error) != MOC_OK) {
    fprintf(stderr, "%s: %s\n", kind, error.message);
    return 1;
  }
  moc__rng rng;
  moc__rng_init(&rng, 1, 0);
  double toggle = time_toggles(&state, &rng, seconds), reorder = time_reorders(&state, &rng, seconds);
  printf("%-12s %9d %10lld %12.0f %12.0f\n", kind, staged.n, (long long)moc_graph_edges(graph), toggle, reorder);
  moc__state_release(&state);
  moc__staged_release(&staged);
  moc_graph_destroy(graph);
  return 0;
}

int main(int argc, char **argv) {
  double seconds = argc > 1 ? strtod(argv[1], NULL) : 1;
  printf("%-12s %9s %10s %12s %12s\n", "graph", "n", "edges", "ns a toggle", "ns a reorder");
  int failed = 0;
  for (int64_t n = 100; n <= 100000; n *= 10) /* densities that keep about five reads an operation */
    failed |= run("layered", make("layered", "nodes", n, n <= 1000 ? 200 : n == 10000 ? 63 : 20), seconds);
  for (int64_t layers = 2; layers <= 2300; layers = layers == 2 ? 23 : layers * 10)
    failed |= run("transformer", make("transformer", "layers", layers, 0), seconds);
  return failed;
}
