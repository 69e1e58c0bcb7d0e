/* See exhaustive.h. A schedule is a set of stages for each place of the order; the sets are listed place by place, and
 * each complete choice is evaluated backwards with the live tensors in one word. */
#include "support/exhaustive.h"

#include "support/test.h"

#include <stdlib.h>

typedef struct search {
  test_frontier *frontier;
  int n, n_tensors, max_computes;
  int64_t size[TEST_MOST_TENSORS];
  uint64_t kept;
  uint64_t outputs[TEST_MOST_OPS], reads[TEST_MOST_OPS]; /* of places */
  int64_t duration[TEST_MOST_OPS], workspace[TEST_MOST_OPS];
  bool compute_once[TEST_MOST_OPS];
  uint32_t again[TEST_MOST_OPS]; /* of stages: the places computed again in it */
} search;

static int64_t bytes_of(const search *s, uint64_t tensors) {
  int64_t bytes = 0;
  for (; tensors != 0; tensors &= tensors - 1) bytes += s->size[__builtin_ctzll(tensors)];
  return bytes;
}

/* One step, backwards. */
static void step_back(const search *s, int place, uint64_t *live, int64_t *live_bytes, int64_t *peak) {
  uint64_t touched = s->outputs[place] | s->reads[place];
  *live_bytes += bytes_of(s, touched & ~*live);
  if (*live_bytes + s->workspace[place] > *peak) *peak = *live_bytes + s->workspace[place];
  *live = (*live | touched) & ~s->outputs[place];
  *live_bytes -= bytes_of(s, s->outputs[place]);
}

static void try_schedule(search *s, int64_t extra) {
  int64_t *least = &s->frontier->least_peak[extra];
  uint64_t live = s->kept;
  int64_t live_bytes = bytes_of(s, live), peak = 0;
  s->frontier->schedules++;
  for (int stage = s->n - 1; stage >= 0; stage--) {
    step_back(s, stage, &live, &live_bytes, &peak);
    for (uint32_t left = s->again[stage]; left != 0;) {
      int place = 31 - __builtin_clz(left);
      left &= ~(UINT32_C(1) << place);
      step_back(s, place, &live, &live_bytes, &peak);
    }
    if (peak >= *least) return;
  }
  *least = peak;
}

/* Choose the stages of the places from `place` on. */
static void choose(search *s, int place, int64_t extra) {
  if (place == s->n) {
    try_schedule(s, extra);
    return;
  }
  int stages = s->compute_once[place] ? 0 : s->n - 1 - place;
  for (uint32_t choice = 0; choice < UINT32_C(1) << stages; choice++) {
    int times = __builtin_popcount(choice);
    if (times > s->max_computes - 1) continue;
    uint32_t set = choice << (place + 1);
    for (uint32_t left = set; left != 0; left &= left - 1) s->again[__builtin_ctz(left)] |= UINT32_C(1) << place;
    choose(s, place + 1, extra + times * s->duration[place]);
    for (uint32_t left = set; left != 0; left &= left - 1) s->again[__builtin_ctz(left)] &= ~(UINT32_C(1) << place);
  }
}

static uint64_t set_of(moc_tensor_list list) {
  uint64_t set = 0;
  for (int64_t i = 0; i < list.count; i++) set |= UINT64_C(1) << list.items[i];
  return set;
}

static void try_order(test_frontier *frontier, const moc_graph *graph, const moc_op *order, int max_computes) {
  search s = {.frontier = frontier,
              .n = (int)moc_graph_operations(graph),
              .n_tensors = (int)moc_graph_tensors(graph),
              .max_computes = max_computes};
  for (moc_tensor t = 0; t < s.n_tensors; t++) {
    s.size[t] = moc_graph_tensor_size(graph, t);
    if (moc_graph_tensor_keep(graph, t)) s.kept |= UINT64_C(1) << t;
  }
  for (int place = 0; place < s.n; place++) {
    moc_op op = order[place];
    s.outputs[place] = set_of(moc_graph_op_outputs(graph, op));
    s.reads[place] = set_of(moc_graph_op_reads(graph, op));
    s.duration[place] = moc_graph_op_duration(graph, op);
    s.workspace[place] = moc_graph_op_workspace(graph, op);
    s.compute_once[place] = moc_graph_op_compute_once(graph, op);
  }
  choose(&s, 0, 0);
}

static void init(test_frontier *frontier, const moc_graph *graph, int max_computes) {
  *frontier = (test_frontier){0};
  assert_true(moc_graph_operations(graph) <= TEST_MOST_OPS && moc_graph_tensors(graph) <= TEST_MOST_TENSORS);
  for (moc_op op = 0; op < moc_graph_operations(graph); op++)
    frontier->baseline_duration += moc_graph_op_duration(graph, op);
  frontier->span = frontier->baseline_duration * (max_computes - 1);
  assert_true(frontier->span < 1000000);
  frontier->least_peak = malloc((size_t)(frontier->span + 1) * sizeof *frontier->least_peak);
  assert_non_null(frontier->least_peak);
  for (int64_t i = 0; i <= frontier->span; i++) frontier->least_peak[i] = INT64_MAX;
}

void test_frontier_init(test_frontier *frontier, const moc_graph *graph, const moc_op *order, int max_computes) {
  init(frontier, graph, max_computes);
  try_order(frontier, graph, order, max_computes);
}

/* Extend an order of `count` operations, those in `placed`, in every way. */
static void extend_order(test_frontier *frontier, const moc_graph *graph, int max_computes, moc_op *order,
                         int count, uint32_t placed) {
  int n = (int)moc_graph_operations(graph);
  if (count == n) {
    try_order(frontier, graph, order, max_computes);
    return;
  }
  for (moc_op op = 0; op < n; op++) {
    if (placed >> op & 1) continue;
    bool ready = true;
    moc_tensor_list reads = moc_graph_op_reads(graph, op);
    for (int64_t i = 0; i < reads.count; i++) {
      moc_op producer = moc_graph_tensor_producer(graph, reads.items[i]);
      if (producer != MOC_NONE && !(placed >> producer & 1)) ready = false;
    }
    if (!ready) continue;
    order[count] = op;
    extend_order(frontier, graph, max_computes, order, count + 1, placed | UINT32_C(1) << op);
  }
}

void test_frontier_init_any_order(test_frontier *frontier, const moc_graph *graph, int max_computes) {
  init(frontier, graph, max_computes);
  moc_op order[TEST_MOST_OPS];
  extend_order(frontier, graph, max_computes, order, 0, 0);
}

void test_frontier_release(test_frontier *frontier) {
  free(frontier->least_peak);
  frontier->least_peak = NULL;
}

int64_t test_frontier_best(const test_frontier *frontier, int64_t budget) {
  for (int64_t i = 0; i <= frontier->span; i++) {
    if (frontier->least_peak[i] <= budget) return frontier->baseline_duration + i;
  }
  return -1;
}

int64_t test_frontier_least_peak(const test_frontier *frontier) {
  int64_t least = INT64_MAX;
  for (int64_t i = 0; i <= frontier->span; i++) {
    if (frontier->least_peak[i] < least) least = frontier->least_peak[i];
  }
  return least;
}
