/* The staged model's layout; see staged.h. */
#include "model/staged.h"

#include <stdlib.h>

/* New numbers of tensors: those of place 0 first, then place 1, ...; those without producer last. */
static int32_t *number_tensors(moc__staged *staged, const moc_graph *graph) {
  int32_t *number = MOC__NEW(&staged->allocator, graph->n_tensors, int32_t);
  if (number == NULL) return NULL;
  int32_t next = 0;
  for (int32_t p = 0; p < staged->n; p++) {
    staged->first_output[p] = next;
    if (staged->order[p] == MOC_NONE) continue;
    moc_tensor_list outputs = moc_graph_op_outputs(graph, staged->order[p]);
    for (int64_t i = 0; i < outputs.count; i++) number[outputs.items[i]] = next++;
  }
  staged->first_output[staged->n] = next;
  for (moc_tensor t = 0; t < graph->n_tensors; t++) {
    if (graph->producer[t] == MOC_NONE) number[t] = next++;
  }
  return number;
}

/* Readers of renumbered tensors as ascending places, and reads of places as ascending tensors: each is filled by
 * going through the other's rows in ascending order. */
static void lay_out_reads(moc__staged *staged, const moc_graph *graph, const int32_t *number, int64_t *next) {
  int32_t n = staged->n, tensors = staged->n_tensors;
  for (moc_tensor t = 0; t < tensors; t++)
    staged->readers.start[number[t] + 1] = moc_graph_tensor_readers(graph, t).count;
  staged->readers.start[0] = 0;
  for (int32_t t = 0; t < tensors; t++) staged->readers.start[t + 1] += staged->readers.start[t];
  memcpy(next, staged->readers.start, (size_t)tensors * sizeof *next);
  int64_t count = 0;
  for (int32_t p = 0; p < n; p++) {
    staged->reads.start[p] = count;
    if (staged->order[p] == MOC_NONE) continue;
    moc_tensor_list reads = moc_graph_op_reads(graph, staged->order[p]);
    count += reads.count;
    for (int64_t i = 0; i < reads.count; i++) staged->readers.items[next[number[reads.items[i]]]++] = p;
  }
  staged->reads.start[n] = count;
  memcpy(next, staged->reads.start, (size_t)n * sizeof *next);
  for (int32_t t = 0; t < tensors; t++) {
    for (int64_t i = staged->readers.start[t]; i < staged->readers.start[t + 1]; i++)
      staged->reads.items[next[staged->readers.items[i]]++] = t;
  }
}

moc_status moc__staged_init(moc__staged *staged, const moc_graph *graph, const moc_op *order,
                            const moc_allocator *allocator, moc_error *error) {
  return moc__staged_init_paused(staged, graph, order, graph->n_ops, allocator, error);
}

moc_status moc__staged_init_paused(moc__staged *staged, const moc_graph *graph, const moc_op *order, int32_t places,
                                   const moc_allocator *allocator, moc_error *error) {
  int32_t n = places, tensors = graph->n_tensors;
  int64_t n_reads = graph->reads.start[graph->n_ops];
  *staged = (moc__staged){.allocator = *allocator, .n = n, .n_tensors = tensors};
  staged->order = MOC__NEW(allocator, n, moc_op);
  staged->duration = MOC__NEW_ZEROED(allocator, n, int64_t);
  staged->workspace = MOC__NEW_ZEROED(allocator, n, int64_t);
  staged->compute_once = MOC__NEW(allocator, n, bool);
  staged->first_output = MOC__NEW(allocator, (int64_t)n + 1, int32_t);
  staged->tensor = MOC__NEW(allocator, tensors, moc_tensor);
  staged->size = MOC__NEW(allocator, tensors, int64_t);
  staged->producer = MOC__NEW(allocator, tensors, int32_t);
  staged->keep = MOC__NEW(allocator, tensors, bool);
  staged->reads = (moc__rows){MOC__NEW(allocator, (int64_t)n + 1, int64_t), MOC__NEW(allocator, n_reads, int32_t)};
  staged->readers =
      (moc__rows){MOC__NEW(allocator, (int64_t)tensors + 1, int64_t), MOC__NEW(allocator, n_reads, int32_t)};
  int64_t *next = MOC__NEW(allocator, moc__max(n, tensors), int64_t);
  int32_t *number = NULL;
  bool ok = staged->order && staged->duration && staged->workspace && staged->compute_once &&
            staged->first_output && staged->tensor && staged->size && staged->producer && staged->keep &&
            staged->reads.start && staged->reads.items && staged->readers.start && staged->readers.items && next;
  if (ok) {
    memcpy(staged->order, order, (size_t)n * sizeof *order);
    number = number_tensors(staged, graph);
    ok = number != NULL;
  }
  if (ok) {
    for (int32_t p = 0; p < n; p++) {
      moc_op op = order[p];
      staged->compute_once[p] = true;
      if (op == MOC_NONE) continue;
      staged->duration[p] = graph->duration[op];
      staged->workspace[p] = graph->workspace[op];
      staged->compute_once[p] = graph->compute_once[op];
      staged->total_duration += graph->duration[op];
      for (int32_t t = staged->first_output[p]; t < staged->first_output[p + 1]; t++) staged->producer[t] = p;
    }
    for (moc_tensor t = 0; t < tensors; t++) {
      staged->tensor[number[t]] = t;
      staged->size[number[t]] = graph->size[t];
      staged->keep[number[t]] = graph->keep[t];
      if (graph->producer[t] == MOC_NONE) staged->producer[number[t]] = -1;
    }
    lay_out_reads(staged, graph, number, next);
  }
  moc__release(allocator, next);
  moc__release(allocator, number);
  if (ok) return MOC_OK;
  moc__staged_release(staged);
  return moc__out_of_memory(error);
}

void moc__staged_release(moc__staged *staged) {
  void *blocks[] = {staged->tensor,       staged->order,        staged->duration,    staged->workspace,
                    staged->compute_once, staged->first_output, staged->size,        staged->producer,
                    staged->keep,         staged->reads.start,  staged->reads.items, staged->readers.start,
                    staged->readers.items};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(&staged->allocator, blocks[i]);
  *staged = (moc__staged){.allocator = staged->allocator};
}

static int by_event(const void *a, const void *b) {
  const moc__pair *x = a, *y = b;
  if (x->stage != y->stage) return x->stage < y->stage ? -1 : 1;
  return (x->place > y->place) - (x->place < y->place);
}

int64_t moc__staged_numbers(const moc__staged *staged, const int32_t *order, moc__pair *pairs, int64_t n_pairs,
                            int32_t *numbers) {
  /* Sorted by stage number; then each stage's run is where a search by halves finds it. */
  if (n_pairs > 0) qsort(pairs, (size_t)n_pairs, sizeof *pairs, by_event);
  int64_t step = 0;
  for (int32_t i = 0; i < staged->n; i++) {
    int32_t k = order == NULL ? i : order[i];
    int64_t low = 0, high = n_pairs;
    while (low < high) {
      int64_t middle = low + (high - low) / 2;
      if (pairs[middle].stage < k)
        low = middle + 1;
      else
        high = middle;
    }
    for (; low < n_pairs && pairs[low].stage == k; low++) numbers[step++] = pairs[low].place;
    if (staged->order[k] != MOC_NONE) numbers[step++] = k;
  }
  return step;
}

int64_t moc__staged_sequence(const moc__staged *staged, const int32_t *order, moc__pair *pairs, int64_t n_pairs,
                             moc_op *sequence) {
  int64_t length = moc__staged_numbers(staged, order, pairs, n_pairs, sequence);
  for (int64_t i = 0; i < length; i++) sequence[i] = staged->order[sequence[i]];
  return length;
}

void moc__staged_levels(const moc__staged *staged, const int32_t *place, int64_t *level) {
  int32_t n = staged->n;
  memset(level, 0, (size_t)n * sizeof *level);
  for (int32_t t = 0; t < staged->n_tensors; t++) {
    int64_t begin = staged->readers.start[t], end = staged->readers.start[t + 1];
    int32_t q = staged->producer[t], first = q < 0 ? 0 : place == NULL ? q : place[q], last = first;
    if (q < 0 && begin == end && !staged->keep[t]) continue; /* never resident */
    for (int64_t i = begin; i < end; i++) {
      int32_t reader = staged->readers.items[i], at = place == NULL ? reader : place[reader];
      if (at > last) last = at;
    }
    if (staged->keep[t]) last = n - 1;
    level[first] += staged->size[t];
    if (last + 1 < n) level[last + 1] -= staged->size[t];
  }
  for (int32_t i = 1; i < n; i++) level[i] += level[i - 1];
  for (int32_t p = 0; p < n; p++) level[place == NULL ? p : place[p]] += staged->workspace[p];
}
