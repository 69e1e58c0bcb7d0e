/* The best staged schedules of tiny graphs, by trying all of them. Shares nothing with the library's evaluation,
 * verification and search. */
#ifndef TEST_EXHAUSTIVE_H
#define TEST_EXHAUSTIVE_H

#include <moccasin/moccasin.h>

#define TEST_MOST_OPS     8
#define TEST_MOST_TENSORS 64

/* The least peak for every duration that some schedule has. */
typedef struct test_frontier {
  int64_t baseline_duration;
  int64_t span;        /* the durations are baseline_duration up to baseline_duration + span */
  int64_t *least_peak; /* [span + 1] INT64_MAX where no schedule has that duration */
  int64_t schedules;   /* how many were tried */
} test_frontier;

/* Try every staged schedule of `graph` for `order` [operations] with at most `max_computes` computations of an
 * operation. The graph has at most TEST_MOST_OPS operations, TEST_MOST_TENSORS tensors and short durations. */
void test_frontier_init(test_frontier *frontier, const moc_graph *graph, const moc_op *order, int max_computes);
/* The same over all topological orders of the graph. */
void test_frontier_init_any_order(test_frontier *frontier, const moc_graph *graph, int max_computes);
void test_frontier_release(test_frontier *frontier);

/* The least duration within `budget`, or -1 when there is none. */
int64_t test_frontier_best(const test_frontier *frontier, int64_t budget);
/* The least peak of all. */
int64_t test_frontier_least_peak(const test_frontier *frontier);

#endif
