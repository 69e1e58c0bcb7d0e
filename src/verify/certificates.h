/* The other kinds of certificate that moc_verify_bound checks. */
#ifndef MOC_VERIFY_CERTIFICATES_H
#define MOC_VERIFY_CERTIFICATES_H

#include "base/base.h"
#include "base/wide.h"

/* What the certificate of a plan, of kind MOC_CERTIFICATE_RETENTION, proves the total duration to be at least, to *bound.
 * INVALID_PLAN when it is malformed; OUT_OF_MEMORY. O(weights * tensors + shares), and sorting. */
moc_status moc__verify_retention(const moc_graph *graph, const moc_plan *plan, const moc_allocator *allocator,
                                 int64_t *bound, moc_error *error);

/* Of operations, up to which there is a table of who depends on whom. */
enum { MOC__TABLED = 12000 };

/* The same for the kind MOC_CERTIFICATE_ANY_ORDER. `most_related`: MOC__TABLED, but for tests. O(n (n + m) / 64 + weights * reads) with
 * the table, O(weights * (n + m)) without. */
moc_status moc__verify_any_order(const moc_graph *graph, const moc_plan *plan, int64_t most_related,
                                 const moc_allocator *allocator, int64_t *bound, moc_error *error);

/* The same for the kind MOC_CERTIFICATE_CUT. O(n + m) memory, and the time of a greatest flow. */
moc_status moc__verify_cut(const moc_graph *graph, const moc_plan *plan, const moc_allocator *allocator,
                           int64_t *bound, moc_error *error);

/* The same for the kind MOC_CERTIFICATE_BRANCHING. As each of its parts on its own, and for each leaf the branches above it
 * times the rewards of their operations. */
moc_status moc__verify_branching(const moc_graph *graph, const moc_plan *plan, const moc_allocator *allocator,
                                 int64_t *bound, moc_error *error);

/* --- Shared by any_order.c and cut.c --- */

/* What v depends on, to before [n], and what depends on v, to after [n]; itself in both. O(n + m). */
void moc__find_related(const moc_graph *graph, moc_op v, bool *before, bool *after);

/* --- Shared by retention.c and branching.c --- */

/* What runs of an operation in stages first..last earn together, once. */
typedef struct moc__reward {
  int64_t op, first, last;
  moc__wide earns;
} moc__reward;

/* The operation runs again in some stage of first..last, or in none of them. */
typedef struct moc__case {
  int64_t op, first, last;
  bool runs;
} moc__case;

typedef struct moc__retention {
  const moc_graph *graph;
  const moc_certificate *certificate;
  const moc_allocator *allocator;
  moc_error *error;
  int64_t n, budget, baseline;
  int64_t *place;       /* [n] of each operation */
  int32_t *given;       /* [tensors + 1] shares given away at the event at hand; the last is the workspace's */
  moc__reward *rewards; /* [n_rewards] of the weights at hand, by operation and ascending first stage */
  int64_t n_rewards, capacity;
  moc__wide sum;   /* of the weights at hand: what is proved before runs earn anything, times 2^shift */
  int64_t *stages; /* [work_size] work space */
  moc__wide *best; /* [work_size] */
  int64_t work_size;
} moc__retention;

/* Room and places. INVALID_PLAN: what the certificate says of computations or shares is wrong. */
moc_status moc__retention_begin(moc__retention *check, const moc_graph *graph, const moc_plan *plan,
                                const moc_allocator *allocator, moc_error *error);
void moc__retention_end(moc__retention *check);
/* The inequalities of weights from..to - 1 and of their shares, which are those from *next_share on. */
moc_status moc__retention_weigh(moc__retention *check, int64_t from, int64_t to, int64_t *next_share);
/* The most that runs of `op` earn, less what they cost, in all `cases` [n_cases] (of that operation, by ascending first
 * stage), to *most; *possible: whether there are such runs, or none is one of them. Its rewards
 * are from..to - 1. */
moc_status moc__retention_most(moc__retention *check, int64_t op, int64_t from, int64_t to, const moc__case *cases,
                               int64_t n_cases, moc__wide *most, bool *possible);
/* The total duration that a sum proves, rounded up. */
moc_status moc__retention_bound(const moc__retention *check, moc__wide sum, int64_t *bound);

#endif
