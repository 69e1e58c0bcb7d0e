/* A program of somebody else that reads and writes files: JSON in, Graphviz out. Prints "OK" when all is well. */
#include <moccasin/moccasin_io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
  const char *json = "{\"directed\": true, \"multigraph\": false, \"graph\": {}, \"nodes\": ["
                     "{\"id\": 0, \"name\": \"a\", \"cost_cpu\": 1, \"cost_ram\": 5},"
                     "{\"id\": 1, \"name\": \"b\", \"cost_cpu\": 4, \"cost_ram\": 3}],"
                     "\"links\": [{\"source\": 0, \"target\": 1}]}";
  moc_error error;
  moc_graph *graph;
  moc_graph_format format;
  if (moc_graph_read_json(json, strlen(json), NULL, &graph, &format, &error) != MOC_OK) {
    printf("%s: %s\n", error.place, error.message);
    return 1;
  }
  char *text;
  size_t length;
  if (moc_graph_write(graph, MOC_FORMAT_DOT, NULL, &text, &length, &error) != MOC_OK) {
    printf("%s\n", error.message);
    return 1;
  }
  int good = moc_graph_operations(graph) == 2 && moc_graph_edges(graph) == 1 && strlen(text) == length &&
             strncmp(text, "digraph", 7) == 0;
  moc_graph_destroy(graph);
  puts(text);
  free(text);
  puts(good ? "OK" : "not the graph that was expected");
  return good ? 0 : 1;
}
