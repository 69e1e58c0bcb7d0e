/* moccasin.h - plan the rematerialisation of a compute graph under a memory budget.
 *
 * Given a graph of operations (durations, workspaces) and the tensors they read and write (sizes in
 * bytes), find the sequence of computations of least total duration whose peak memory stays within a
 * budget; tensors that are cheap to recompute are dropped and computed again.
 *
 * The model is the retention-interval model of Bartan, Li, Teague, Lott and Dilkina, "Moccasin:
 * Efficient Tensor Rematerialization for Neural Networks", ICML 2023 (section numbers below are its).
 *
 * Conventions of this header
 *  - Bytes and durations are int64_t, non-negative; the unit of a duration is the caller's own. Sums over
 *    a whole graph must not exceed MOC_MAX_TOTAL.
 *  - Operations and tensors are numbered from 0 in the order in which they were added.
 *  - A *step* is a place in a sequence of computations, from 0.
 *  - A function that can fail returns a moc_status and takes a `moc_error *`, which may be NULL; it is
 *    filled only on failure. On failure, output parameters are left as they were.
 *  - Inputs are borrowed for the call. What a function hands out belongs to the caller, who gives it back
 *    to the matching `..._destroy`; destroying NULL does nothing.
 *  - There is no global state. A moc_graph is immutable: any number of threads may read one at once.
 *    Every other object is for one thread at a time. The library never prints, exits or raises signals.
 */
#ifndef MOCCASIN_H
#define MOCCASIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MOC_VERSION_MAJOR 0
#define MOC_VERSION_MINOR 1
#define MOC_VERSION_PATCH 0

#if defined(MOC_STATIC) || !defined(__GNUC__)
#define MOC_API
#else
#define MOC_API __attribute__((visibility("default")))
#endif
#if defined(__GNUC__)
#define MOC_MUST_CHECK __attribute__((warn_unused_result))
#else
#define MOC_MUST_CHECK
#endif

/* --- Limits ------------------------------------------------------------------------------------- */

/* The sum of all sizes, of all workspaces and of all durations of a graph, each: at most 2^62. */
#define MOC_MAX_TOTAL (INT64_C(1) << 62)
/* Most operations, and most tensors, of one graph. */
#define MOC_MAX_OPERATIONS 10000000
#define MOC_MAX_TENSORS    40000000
/* Most reads (operation, tensor) of one graph, those through views included. */
#define MOC_MAX_READS 1000000000
/* Most views on top of one another. */
#define MOC_MAX_VIEW_DEPTH 1000
/* Most computations of one operation that a solve may be allowed. */
#define MOC_MAX_COMPUTES 1024
/* Most threads of one solve. */
#define MOC_MAX_THREADS 256

/* --- Status and errors -------------------------------------------------------------------------- */

typedef enum moc_status {
  MOC_OK = 0,
  MOC_INVALID_ARGUMENT, /* the call breaks this header's contract */
  MOC_OUT_OF_MEMORY,
  MOC_OVERFLOW,      /* a sum exceeds MOC_MAX_TOTAL */
  MOC_LIMIT,         /* a count exceeds a limit above */
  MOC_PARSE,         /* text that is not of its format */
  MOC_INVALID_GRAPH, /* cycle, duplicate name, unknown reference, ... */
  MOC_INVALID_PLAN,  /* a sequence that cannot be run */
  MOC_IO,            /* reading or writing a file failed */
  MOC_INTERNAL       /* a bug of this library: please report it */
} moc_status;

/* What went wrong. `message` is one English sentence without a full stop that names what was expected;
 * `place` says where: a path into a document such as "nodes[3].duration", or "" when there is none. */
typedef struct moc_error {
  moc_status status;
  int64_t line;   /* from 1; 0: not known */
  int64_t column; /* from 1; 0: not known */
  char place[160];
  char message[400];
} moc_error;

/* A short text for a status; never NULL, not to be freed. */
MOC_API const char *moc_status_text(moc_status status);

/* "MAJOR.MINOR.PATCH" of the library that is running; static. */
MOC_API const char *moc_version(void);

/* --- Memory of the library itself --------------------------------------------------------------- */

/* Where the library gets its memory. All three functions are needed; `allocate` and `resize` return NULL
 * on failure. resize(context, NULL, size) allocates; release(context, NULL) does nothing. They are called
 * from all threads of a solve at once. A `const moc_allocator *` that is NULL stands for malloc, realloc
 * and free. The struct is copied; `context` must outlive every object made with it. */
typedef struct moc_allocator {
  void *(*allocate)(void *context, size_t size);
  void *(*resize)(void *context, void *block, size_t size);
  void (*release)(void *context, void *block);
  void *context;
} moc_allocator;

/* --- Graphs ------------------------------------------------------------------------------------- */

typedef int32_t moc_op;     /* an operation's number */
typedef int32_t moc_tensor; /* a tensor's number */
#define MOC_NONE (-1)       /* no operation, no tensor */

/* A compute graph: operations, and apart from them the tensors they read and write. Immutable. */
typedef struct moc_graph moc_graph;
/* A graph under construction. */
typedef struct moc_builder moc_builder;

/* An operation to add. Zero-initialise, then set what differs. */
typedef struct moc_operation {
  const char *name;     /* its identity, unique among operations; UTF-8, not empty; copied */
  bool name_is_integer; /* the name is a number that files spell without quotes; 1 and "1" differ */
  const char *label;    /* a name for people; NULL: none; copied */
  int64_t duration;     /* of one computation */
  int64_t workspace;    /* bytes held only while it runs */
  bool compute_once;    /* not recomputable: random numbers, I/O, collectives */
} moc_operation;

/* A tensor to add. Zero-initialise, then set what differs; `producer` and `base` have to be set. */
typedef struct moc_tensor_spec {
  const char *name;     /* unique among tensors; NULL: none. UTF-8; copied */
  bool name_is_integer; /* as for operations */
  int64_t size;         /* bytes; 0 for a view */
  moc_op producer;      /* the operation that computes it; MOC_NONE: a graph input or parameter, resident
                           from the start to its last use (never, when nothing reads it) */
  moc_tensor base;      /* the tensor whose storage it shares, making it a view: whoever reads the view
                           reads the base too, and a kept view keeps its base; MOC_NONE: its own storage */
  bool keep;            /* resident when the schedule ends (graph outputs, gradients); a tensor without
                           producer: resident throughout */
} moc_tensor_spec;

/* How the graph's input order comes about. */
typedef enum moc_input_order {
  MOC_ORDER_AS_ADDED,    /* the order in which operations were added; it must be topological */
  MOC_ORDER_GENERATIONS, /* Kahn's algorithm generation by generation, the order in which
                            networkx.topological_sort visits nodes; reads count in the order added */
  MOC_ORDER_GIVEN        /* the order passed to moc_builder_set_order */
} moc_input_order;

/* A new builder, NULL when memory is out. `allocator` (or NULL) also serves the graph built from it. */
MOC_API moc_builder *moc_builder_create(const moc_allocator *allocator);
MOC_API void moc_builder_destroy(moc_builder *builder);

/* Name the graph (copied; NULL: no name). */
MOC_API MOC_MUST_CHECK moc_status moc_builder_set_name(moc_builder *builder, const char *name, moc_error *error);

/* Add an operation; its number, counted from 0, goes to *op (which may be NULL). Names are compared in
 * moc_builder_build. INVALID_ARGUMENT: a negative number, a missing or empty name. LIMIT: too many. */
MOC_API MOC_MUST_CHECK moc_status moc_builder_add_operation(moc_builder *builder, const moc_operation *operation,
                                                            moc_op *op, moc_error *error);

/* Add a tensor. Its producer must have been added before, and so must its base. An operation's outputs are
 * in the order in which they are added. INVALID_ARGUMENT: a negative size, an unknown producer or base,
 * a view with a size. */
MOC_API MOC_MUST_CHECK moc_status moc_builder_add_tensor(moc_builder *builder, const moc_tensor_spec *spec,
                                                         moc_tensor *tensor, moc_error *error);

/* Let `op` read `tensor`. A read stated twice counts once. INVALID_ARGUMENT: unknown numbers. */
MOC_API MOC_MUST_CHECK moc_status moc_builder_add_read(moc_builder *builder, moc_op op, moc_tensor tensor,
                                                       moc_error *error);

/* Give the input order: `order` [length] lists every operation once. Without this call it is
 * MOC_ORDER_AS_ADDED. For MOC_ORDER_GIVEN only; the other kinds take NULL and 0. The order is judged in
 * moc_builder_build. */
MOC_API MOC_MUST_CHECK moc_status moc_builder_set_order(moc_builder *builder, moc_input_order kind,
                                                        const moc_op *order, int64_t length, moc_error *error);

/* Build the graph. The builder keeps its content and is still to be destroyed. INVALID_GRAPH: no operation,
 * a duplicate name, an operation that reads what it writes, a cycle, an order that is not topological or
 * not complete. OVERFLOW, LIMIT, OUT_OF_MEMORY. Cost: O(n + m) expected. */
MOC_API MOC_MUST_CHECK moc_status moc_builder_build(moc_builder *builder, moc_graph **graph, moc_error *error);

MOC_API void moc_graph_destroy(moc_graph *graph);

/* Looking at a graph. Numbers out of range are contract violations: these accessors do not check them.
 * Pointers point into the graph and live as long as it does. */

typedef struct moc_op_list {
  const moc_op *items; /* [count] */
  int64_t count;
} moc_op_list;
typedef struct moc_tensor_list {
  const moc_tensor *items; /* [count] */
  int64_t count;
} moc_tensor_list;

MOC_API const char *moc_graph_name(const moc_graph *graph); /* "" when it has none */
MOC_API int64_t moc_graph_operations(const moc_graph *graph);
MOC_API int64_t moc_graph_tensors(const moc_graph *graph);
/* Distinct pairs (operation, operation) in which the second reads a tensor of the first. */
MOC_API int64_t moc_graph_edges(const moc_graph *graph);

MOC_API const char *moc_graph_op_name(const moc_graph *graph, moc_op op);
MOC_API bool moc_graph_op_name_is_integer(const moc_graph *graph, moc_op op);
MOC_API const char *moc_graph_op_label(const moc_graph *graph, moc_op op); /* its name where it has none */
MOC_API int64_t moc_graph_op_duration(const moc_graph *graph, moc_op op);
MOC_API int64_t moc_graph_op_workspace(const moc_graph *graph, moc_op op);
MOC_API bool moc_graph_op_compute_once(const moc_graph *graph, moc_op op);
/* Its outputs in the order added; the inputs it was given, in the order added; and its reads: the inputs
 * with the bases of views, ascending, each once. Evaluation goes by the reads. */
MOC_API moc_tensor_list moc_graph_op_outputs(const moc_graph *graph, moc_op op);
MOC_API moc_tensor_list moc_graph_op_inputs(const moc_graph *graph, moc_op op);
MOC_API moc_tensor_list moc_graph_op_reads(const moc_graph *graph, moc_op op);

MOC_API const char *moc_graph_tensor_name(const moc_graph *graph, moc_tensor tensor); /* "" for none */
MOC_API bool moc_graph_tensor_name_is_integer(const moc_graph *graph, moc_tensor tensor);
MOC_API int64_t moc_graph_tensor_size(const moc_graph *graph, moc_tensor tensor);
MOC_API moc_op moc_graph_tensor_producer(const moc_graph *graph, moc_tensor tensor);
MOC_API moc_tensor moc_graph_tensor_base(const moc_graph *graph, moc_tensor tensor);
/* Kept to the end, because it or a view of it was marked so. */
MOC_API bool moc_graph_tensor_keep(const moc_graph *graph, moc_tensor tensor);
/* The operations whose reads include the tensor, ascending. */
MOC_API moc_op_list moc_graph_tensor_readers(const moc_graph *graph, moc_tensor tensor);

/* The input order: a topological order of all operations. */
MOC_API moc_op_list moc_graph_input_order(const moc_graph *graph);
/* The operation of that name, or MOC_NONE. Expected O(1). */
MOC_API moc_op moc_graph_find_op(const moc_graph *graph, const char *name, bool name_is_integer);

/* What is known of a graph without solving anything. */
typedef struct moc_graph_facts {
  int64_t baseline_peak;      /* peak memory of the input order, nothing recomputed, bytes */
  int64_t baseline_peak_step; /* the first step that reaches it */
  int64_t baseline_duration;  /* sum of all durations */
  int64_t working_set_bound;  /* bytes below which no schedule exists, whatever the order */
  moc_op working_set_op;      /* an operation that sets it, MOC_NONE: the kept tensors at the end do */
} moc_graph_facts;
/* Cost: O(n + m). */
MOC_API MOC_MUST_CHECK moc_status moc_graph_get_facts(const moc_graph *graph, moc_graph_facts *facts,
                                                      moc_error *error);

/* --- Evaluation --------------------------------------------------------------------------------- */

/* How long one instance of a tensor stays in memory: from the step that computes it to the last step that
 * reads it, both included (its own step when nothing reads it; the last step of all when it is kept). */
typedef struct moc_interval {
  moc_tensor tensor;
  int64_t start; /* step; 0 for a tensor without producer */
  int64_t end;   /* step, included */
} moc_interval;

/* What a sequence costs. */
typedef struct moc_evaluation {
  int64_t duration;
  int64_t peak_memory; /* bytes */
  int64_t length;      /* steps */
  int64_t *memory;     /* [length] bytes resident at each step */
  int64_t n_intervals;
  moc_interval *intervals; /* [n_intervals] by start, then by order of output */
  moc_allocator allocator; /* the library's own */
} moc_evaluation;

/* Evaluate `sequence` [length]: every operation at least once, each after what it reads. A step reads the
 * latest earlier instance of each tensor. Memory at a step is the sum of the sizes of the retained tensors,
 * the running operation's inputs and outputs included, and of its workspace (section 2.1).
 * INVALID_PLAN, with the step as `place`: a read before its computation, a missing operation, a second
 * computation of a compute-once operation. Cost: O(reads of all steps).
 * Give back what it filled with moc_evaluation_release. */
MOC_API MOC_MUST_CHECK moc_status moc_evaluate(const moc_graph *graph, const moc_op *sequence, int64_t length,
                                               const moc_allocator *allocator, moc_evaluation *evaluation,
                                               moc_error *error);
MOC_API void moc_evaluation_release(moc_evaluation *evaluation);

/* --- Plans -------------------------------------------------------------------------------------- */

typedef enum moc_plan_status {
  MOC_PLAN_UNKNOWN = 0, /* no plan found, none excluded */
  MOC_PLAN_FEASIBLE,    /* a plan within budget */
  MOC_PLAN_OPTIMAL,     /* a plan within budget, proved shortest in the sense of its bound_scope */
  MOC_PLAN_INFEASIBLE   /* proved: no schedule exists at this budget in the sense of bound_scope; where that is ANY,
                            `obstacle` tells why */
} moc_plan_status;

typedef enum moc_bound_scope {
  MOC_SCOPE_ORDER, /* the bound holds for staged schedules of the input order with the given max_computes */
  MOC_SCOPE_ANY    /* the bound holds for every schedule */
} moc_bound_scope;

typedef enum moc_order {
  MOC_ORDER_INPUT, /* the first computations follow the input order */
  MOC_ORDER_AUTO   /* the solver picks the order */
} moc_order;

/* The words for them in plan files: "unknown", "feasible", "optimal", "infeasible"; "order", "any"; "input", "auto".
 * NULL for a value that is none of the enumeration's; values are consecutive from 0. */
MOC_API const char *moc_plan_status_word(moc_plan_status status);
MOC_API const char *moc_bound_scope_word(moc_bound_scope scope);
MOC_API const char *moc_order_word(moc_order order);

/* An improvement during a solve. */
typedef struct moc_trace_point {
  double seconds;
  int64_t total_duration;
  int64_t lower_bound;
} moc_trace_point;

/* A certificate of a lower bound, for the graph's input order or for all; moc_verify_bound tells what it proves, and why.
 * COVERING: memory at the first computation of each operation listed counts for `weight` * 2^-shift durations a byte;
 * whatever the number of computations, and the order of recomputations between two first computations.
 * RETENTION: memory when `op` runs, or would, in the stage that ends with the first computation of `stage` does. What a
 * tensor's bytes count for there is shared among those who may need it: `share` * 2^-20 of it goes to runs of `reader`
 * after that, up to the stage of `last` (to runs at the event, where `reader` makes the tensor), the rest to the next first
 * computation that reads it.
 * ANY_ORDER: as COVERING, for every schedule of any order: what must be in memory whatever the order counts.
 * CUT: one weight, for every schedule of any order: the least that what is held at the first computation of `op` and what runs again
 * after it come to, at that price for a byte, over all sets of operations that can have been computed before.
 * BRANCHING: a proof by cases. The weights fall into parts, each of which is a retention certificate of its own. A binary
 * tree of branches, told depth first, distinguishes whether an operation runs again in some interval of stages; each leaf
 * names the part that proves the bound in its case. */
typedef enum moc_certificate_kind {
  MOC_CERTIFICATE_COVERING,
  MOC_CERTIFICATE_RETENTION,
  MOC_CERTIFICATE_ANY_ORDER,
  MOC_CERTIFICATE_BRANCHING,
  MOC_CERTIFICATE_CUT
} moc_certificate_kind;
typedef struct moc_bound_weight {
  moc_op op;
  moc_op stage;   /* retention and branching only */
  int64_t weight; /* positive; of the retention and branching kinds at most 2^44 */
} moc_bound_weight;
typedef struct moc_bound_share {
  int64_t weight;    /* in weights[]; shares ascend by it */
  moc_tensor tensor; /* MOC_NONE: the workspace of the operation */
  moc_op reader, last;
  int32_t share; /* positive; those of one tensor and weight together at most 2^20 */
} moc_bound_share;
/* Most branches of a certificate, and how many may lie above one another. */
#define MOC_MAX_BRANCHES     (INT64_C(1) << 20)
#define MOC_MAX_BRANCH_DEPTH 512
typedef struct moc_bound_branch {
  moc_op op; /* MOC_NONE: a leaf */
  moc_op first,
      last;     /* `op` runs again in a stage from that which ends with the first computation of `first` to that of
                         `last`: the branches of that case follow, then those of its contrary */
  int64_t part; /* of a leaf */
} moc_bound_branch;
typedef struct moc_certificate {
  int64_t bound; /* the total duration that it proves to be a lower bound; 0: there is no certificate */
  moc_certificate_kind kind;
  int32_t
      max_computes; /* retention, branching: 2: holds for that many computations of an operation at most; 0: for any number */
  int32_t shift; /* 0 to 60 */
  int64_t n_weights;
  moc_bound_weight *weights; /* [n_weights] of the covering and any-order kinds each operation at most once */
  int64_t n_shares;
  moc_bound_share *shares; /* [n_shares] */
  int64_t n_parts;         /* branching only */
  int64_t *parts;          /* [n_parts] the first of each part's weights, ascending; parts[0] is 0 */
  int64_t n_branches;
  moc_bound_branch *branches; /* [n_branches] */
} moc_certificate;

/* What a solve found. Read-only for callers. Without a plan (UNKNOWN, INFEASIBLE) `length` is 0 and the
 * arrays are NULL; every other number is set. */
typedef struct moc_plan {
  moc_plan_status status;
  int64_t budget;               /* bytes */
  int64_t peak_memory;          /* bytes */
  int64_t baseline_peak_memory; /* of the input order, bytes */
  int64_t total_duration;
  int64_t baseline_duration; /* every operation once */
  int64_t lower_bound;       /* proven, a total duration */
  moc_bound_scope bound_scope;
  int32_t max_computes; /* the most computations of one operation that were allowed */
  moc_order order;
  uint64_t seed;
  int32_t threads;
  int64_t moves; /* search moves made, all threads */
  double solve_seconds;
  bool reproducible; /* one thread, and neither the clock nor a caller ended the solve: the same
                                   input gives the same plan */
  int64_t length;    /* steps */
  moc_op *sequence;  /* [length] */
  int64_t *memory;   /* [length] bytes at each step */
  int64_t n_intervals;
  moc_interval *intervals; /* [n_intervals] */
  int64_t n_trace;
  moc_trace_point *trace; /* [n_trace] */
  moc_certificate certificate;
  moc_op
      obstacle; /* INFEASIBLE in scope ANY: an operation that no schedule can compute within the budget; MOC_NONE: the kept
                              tensors cannot be had together at the end */
  moc_allocator allocator; /* the library's own */
} moc_plan;

MOC_API void moc_plan_destroy(moc_plan *plan);

/* --- Solving ------------------------------------------------------------------------------------ */

/* How a solve is going; passed to moc_solve_options.on_progress. */
typedef struct moc_progress {
  double seconds; /* since the solve began */
  bool improved;  /* this call reports a new best plan; else it is a sign of life */
  bool has_plan;  /* a plan within budget is known: the next two are its */
  int64_t total_duration;
  int64_t peak_memory;
  int64_t lower_bound;
  int64_t least_peak; /* without a plan: the least peak seen so far, bytes */
  int64_t moves;      /* search moves made */
} moc_progress;

/* What to solve and within which limits. Start from moc_solve_options_init. */
typedef struct moc_solve_options {
  int64_t budget;       /* bytes; must be set */
  double time_limit;    /* seconds */
  int64_t moves;        /* most search moves of each thread; 0: no limit */
  int32_t threads;      /* 0: as many as the processors this process may use */
  int32_t max_computes; /* most computations of one operation; 0: chosen by the solver */
  uint64_t seed;
  moc_order order;
  int32_t prove; /* 1: one of the threads proves lower bounds (for MOC_ORDER_INPUT); 0: all search */

  /* Called now and then, at least at every new best plan found since the last call, never by two threads
   * at once. May be NULL. */
  void (*on_progress)(void *user, const moc_progress *progress);
  /* Asked often, by all threads: a true answer ends the solve with the best plan so far. May be NULL. */
  bool (*should_stop)(void *user);
  void *user; /* handed to both */
} moc_solve_options;

/* Fill in the defaults (those of options.def, which `moccasin solve --help` prints). */
MOC_API void moc_solve_options_init(moc_solve_options *options);

/* Find the shortest schedule within options->budget.
 * Phase 1 looks for any plan within the budget, phase 2 for a shorter one (section 2.4); a solution is a set of
 * (operation, stage) pairs over the input order (section 2.3). Not finding a plan is a result, not an error.
 * A plan that is handed out has been checked by moc_verify.
 * INVALID_ARGUMENT: an option out of its range. OUT_OF_MEMORY. */
MOC_API MOC_MUST_CHECK moc_status moc_solve(const moc_graph *graph, const moc_solve_options *options,
                                            const moc_allocator *allocator, moc_plan **plan, moc_error *error);

/* --- Verification ------------------------------------------------------------------------------- */

/* The true figures of a sequence, found by code that shares nothing with evaluation or solver. */
typedef struct moc_verdict {
  int64_t duration;
  int64_t peak_memory;          /* bytes */
  int64_t peak_step;            /* the first step that reaches it */
  int64_t baseline_peak_memory; /* of the input order */
  int64_t baseline_duration;
} moc_verdict;

/* Check that a plan can be run and that everything it says is true: budget, peak, duration, memory at each
 * step, intervals, baselines, bound not above its own duration, status not claiming more than that. A NULL
 * `memory` or `intervals` is not checked. That there is no plan is not checked where that holds for the input order only.
 * INVALID_PLAN: the first thing that is wrong, `place` naming the
 * member. *verdict (may be NULL) is filled on MOC_OK only. Naive on purpose; O(length + reads of all steps). */
MOC_API MOC_MUST_CHECK moc_status moc_verify(const moc_graph *graph, const moc_plan *plan,
                                             const moc_allocator *allocator, moc_verdict *verdict,
                                             moc_error *error);

/* What a certificate's kind holds for: MOC_SCOPE_ANY where it is every schedule of any order. */
MOC_API moc_bound_scope moc_certificate_scope(const moc_certificate *certificate);

/* Check a plan's certificate with exact integers and by code that shares nothing with the solver: recompute, from the
 * graph, its input order, plan->budget and the weights, the total duration that they prove to be a lower bound for every
 * schedule whose first computations follow the input order (of any order, where moc_certificate_scope says so).
 * It goes to *bound (may be NULL). A plan without a certificate whose lower bound is not above the duration of every operation once needs none: that goes to *bound. INVALID_PLAN:
 * the plan has no certificate but needs one, it is malformed, or proves less than its own `bound`, or more than the plan's duration. Cost, covering:
 * O(n + m) and a sort of each operation's reads;
 * cut: a greatest flow through two nodes for each operation and tensor; retention: O(weights * reads + shares) and sorts. */
MOC_API MOC_MUST_CHECK moc_status moc_verify_bound(const moc_graph *graph, const moc_plan *plan,
                                                   const moc_allocator *allocator, int64_t *bound,
                                                   moc_error *error);

#ifdef __cplusplus
}
#endif

#endif /* MOCCASIN_H */
