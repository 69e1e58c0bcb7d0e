/* Plan a graph of four operations within 12 bytes: a is needed by b and, much later, by d. */
#include <moccasin/moccasin.h>
#include <stdio.h>

#define TRY(call) if ((call) != MOC_OK) return fprintf(stderr, "%s\n", error.message), 1

int main(void) {
  const char *names[] = {"a", "b", "c", "d"};
  const int64_t durations[] = {1, 4, 4, 2}, sizes[] = {6, 4, 4, 1};
  const int reads[][2] = {{1, 0}, {2, 1}, {3, 2}, {3, 0}}; /* b reads a's output, c reads b's, d reads c's and a's */
  moc_error error;
  moc_builder *builder = moc_builder_create(NULL);
  for (int i = 0; i < 4; i++) {
    TRY(moc_builder_add_operation(builder, &(moc_operation){.name = names[i], .duration = durations[i]}, NULL, &error));
    TRY(moc_builder_add_tensor(builder, &(moc_tensor_spec){.size = sizes[i], .producer = i, .base = MOC_NONE}, NULL, &error));
  }
  for (int i = 0; i < 4; i++) TRY(moc_builder_add_read(builder, reads[i][0], reads[i][1], &error));
  moc_graph *graph;
  TRY(moc_builder_build(builder, &graph, &error));

  moc_solve_options options;
  moc_solve_options_init(&options);
  options.budget = 12;
  options.time_limit = 0.5;
  moc_plan *plan;
  TRY(moc_solve(graph, &options, NULL, &plan, &error));
  for (int64_t i = 0; i < plan->length; i++)
    printf("%s uses %lld bytes\n", moc_graph_op_name(graph, plan->sequence[i]), (long long)plan->memory[i]);
  printf("duration %lld instead of %lld\n", (long long)plan->total_duration, (long long)plan->baseline_duration);
  moc_plan_destroy(plan);
  moc_graph_destroy(graph);
  moc_builder_destroy(builder);
  return 0;
}
