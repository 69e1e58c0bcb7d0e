/* A program of somebody else: builds a graph, plans it, prints the plan. Prints "OK" at the end when all is well. */
#include <moccasin/moccasin.h>
#include <stdio.h>

#define TRY(call)                                                                                                  \
  do {                                                                                                             \
    if ((call) != MOC_OK) {                                                                                        \
      fprintf(stderr, "%s: %s\n", moc_status_text(error.status), error.message);                                   \
      return 1;                                                                                                    \
    }                                                                                                              \
  } while (0)

int main(void) {
  moc_error error;
  moc_builder *builder = moc_builder_create(NULL);
  const char *names[] = {"a", "b", "c", "d", "e"};
  int64_t durations[] = {1, 4, 1, 1, 1}, sizes[] = {5, 3, 3, 1, 1};
  int reads[][2] = {{1, 0}, {2, 1}, {3, 2}, {4, 0}, {4, 3}}; /* b reads a's output, ... */
  if (builder == NULL) return 1;
  for (int i = 0; i < 5; i++) {
    moc_operation operation = {.name = names[i], .duration = durations[i]};
    moc_tensor_spec output = {.size = sizes[i], .producer = i, .base = MOC_NONE};
    TRY(moc_builder_add_operation(builder, &operation, NULL, &error));
    TRY(moc_builder_add_tensor(builder, &output, NULL, &error));
  }
  for (int i = 0; i < 5; i++) TRY(moc_builder_add_read(builder, reads[i][0], reads[i][1], &error));
  moc_graph *graph;
  TRY(moc_builder_build(builder, &graph, &error));
  moc_builder_destroy(builder);

  moc_solve_options options;
  moc_solve_options_init(&options);
  options.budget = 10;
  options.time_limit = 5.0;
  options.moves = 20000;
  moc_plan *plan;
  TRY(moc_solve(graph, &options, NULL, &plan, &error));
  for (int64_t step = 0; step < plan->length; step++)
    printf("%s%s", step > 0 ? " " : "", moc_graph_op_name(graph, plan->sequence[step]));
  printf(": duration %lld, peak %lld\n", (long long)plan->total_duration, (long long)plan->peak_memory);
  int good = plan->length > 0 && plan->total_duration == 9 && plan->peak_memory <= 10;
  moc_plan_destroy(plan);
  moc_graph_destroy(graph);
  puts(good ? "OK" : "not the plan that was expected");
  return good ? 0 : 1;
}
