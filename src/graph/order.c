/* Topological orders and cycles. Each pass is O(n + m); nothing recurses. */
#include "graph/graph.h"

bool moc__generation_order(const moc_allocator *allocator, int32_t n, const moc__rows *successors, moc_op *order,
                           int32_t *ordered) {
  int64_t *open = MOC__NEW_ZEROED(allocator, n, int64_t); /* predecessors not yet placed, repeats counted */
  if (open == NULL) return false;
  for (int64_t i = 0; i < successors->start[n]; i++) open[successors->items[i]]++;
  int32_t count = 0;
  for (moc_op op = 0; op < n; op++) {
    if (open[op] == 0) order[count++] = op;
  }
  for (int32_t i = 0; i < count; i++) {
    moc_op op = order[i];
    for (int64_t k = successors->start[op]; k < successors->start[op + 1]; k++) {
      if (--open[successors->items[k]] == 0) order[count++] = successors->items[k];
    }
  }
  moc__release(allocator, open);
  *ordered = count;
  return true;
}

int32_t moc__find_cycle(const moc_allocator *allocator, int32_t n, const moc__rows *successors, moc_op *cycle,
                        int32_t most, int64_t *length) {
  int64_t *next = MOC__NEW(allocator, n, int64_t); /* the next successor to try; -1: not yet seen */
  moc_op *path = MOC__NEW(allocator, n, moc_op);   /* of the depth-first search */
  bool *on_path = MOC__NEW_ZEROED(allocator, n, bool);
  int32_t found = 0;
  if (next == NULL || path == NULL || on_path == NULL) goto done;
  for (moc_op op = 0; op < n; op++) next[op] = -1;
  for (moc_op root = 0; root < n && found == 0; root++) {
    if (next[root] != -1) continue;
    int32_t depth = 0;
    path[depth++] = root;
    next[root] = successors->start[root];
    on_path[root] = true;
    while (depth > 0) {
      moc_op op = path[depth - 1];
      if (next[op] == successors->start[op + 1]) {
        on_path[op] = false;
        depth--;
        continue;
      }
      moc_op reader = successors->items[next[op]++];
      if (on_path[reader]) {
        int32_t first = depth - 1;
        while (path[first] != reader) first--;
        *length = depth - first;
        for (int32_t i = first; i < depth && found < most; i++) cycle[found++] = path[i];
        break;
      }
      if (next[reader] == -1) {
        next[reader] = successors->start[reader];
        on_path[reader] = true;
        path[depth++] = reader;
      }
    }
  }
done:
  moc__release(allocator, next);
  moc__release(allocator, path);
  moc__release(allocator, on_path);
  return found;
}
