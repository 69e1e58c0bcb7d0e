/* The executor; see construct.h. Scores follow dynamic tensor rematerialisation (Kirisame and others, 2021), but the time
 * of the next use is known here, as in Belady's rule. */
#include "search/construct.h"

#include "search/recall.h"

#include <float.h>
#include <math.h>

enum {
  MOST_COMPARED = 512, /* tensors held up to which all are compared */
  SAMPLE = 32,         /* of more, so many */
  MOST_VISITS = 256,   /* of the look around a tensor */
  SPARE_ROUNDS = 6,    /* an operation looks for its inputs so many times more often than it has any */
};

typedef struct frame {
  int32_t op; /* n: the end, which reads what is kept */
  int32_t rounds;
} frame;

typedef struct executor {
  const moc__staged *staged;
  const moc__construct_options *options;
  int32_t length; /* of the guide */
  moc_allocator allocator;
  moc__rng rng;
  double small; /* duration added to costs */
  int32_t now;  /* the step of the guide that is next */
  int64_t used, peak, throughout;
  int64_t effort; /* operations looked at, but for those of recall */

  moc__rows uses;  /* of tensors: steps of the guide that read it, ascending */
  int64_t *next;   /* [tensors] index in them of the next */
  moc__rows runs;  /* of operations: steps of the guide, ascending */
  int64_t *run;    /* [n] index in them of the next */
  bool *resident;  /* [tensors] */
  int32_t *pins;   /* [tensors] operations on the stack that read it */
  int64_t *locked; /* [tensors] == locks: must stay while the next operation runs */
  int64_t locks;
  bool *fixed;        /* [tensors] for recall */
  bool *nothing;      /* [tensors] resident and of no producer */
  int32_t *needed_by; /* [tensors] pending operations that read it */
  int32_t *missing;   /* [n] outputs that are needed and not resident; pending: any */
  int32_t *count;     /* [n] computations */
  int32_t *held;      /* [n_held] resident tensors that can be dropped */
  int32_t *held_at;   /* [tensors] index in it, or -1 */
  int32_t n_held;
  frame *stack; /* [n + 1] */
  int32_t depth;
  int32_t *visit; /* [n] scratch: operations to look at */
  int64_t *stamp; /* [n] */
  int64_t stamps;

  int32_t *kept; /* [n_kept] tensors that must be there at the end, of a producer */
  int64_t n_kept;
  moc__recall recall;
  moc__constructed *built;
  int64_t capacity;
  bool out_of_memory, stopped;
} executor;

/* --- What is needed --- */

/* The step at which the guide computes operation p next; INT32_MAX: never. */
static int32_t next_run(const executor *x, int32_t p) {
  return p >= 0 && x->run[p] < x->runs.start[p + 1] ? x->runs.items[x->run[p]] : INT32_MAX;
}

/* The step of the guide that reads tensor t next, before which t is not computed again there; INT32_MAX: none. */
static int32_t next_use(const executor *x, int32_t t) {
  int32_t use = x->next[t] < x->uses.start[t + 1] ? x->uses.items[x->next[t]]
                : x->staged->keep[t]              ? x->length
                                                  : INT32_MAX;
  return use < next_run(x, x->staged->producer[t]) ? use : INT32_MAX;
}

static bool is_needed(const executor *x, int32_t t) {
  return x->needed_by[t] > 0 || next_use(x, t) < INT32_MAX;
}

/* Operation p has become pending, or (`by` -1) is not any more: so may be those whose outputs it reads. */
static void change_pending(executor *x, int32_t p, int32_t by) {
  const moc__staged *staged = x->staged;
  int32_t open = 0;
  x->visit[open++] = p;
  while (open > 0) {
    p = x->visit[--open];
    for (int64_t i = staged->reads.start[p]; i < staged->reads.start[p + 1]; i++) {
      int32_t u = staged->reads.items[i], q = staged->producer[u];
      bool before = is_needed(x, u);
      x->needed_by[u] += by;
      if (x->resident[u] || q < 0 || is_needed(x, u) == before) continue;
      x->missing[q] += by;
      if (x->missing[q] == (by > 0 ? 1 : 0)) x->visit[open++] = q;
    }
  }
}

/* --- Residence --- */

static void hold(executor *x, int32_t t) {
  x->resident[t] = true;
  x->used += x->staged->size[t];
  if (x->staged->size[t] == 0) return;
  x->held_at[t] = x->n_held;
  x->held[x->n_held++] = t;
}

static void drop(executor *x, int32_t t) {
  int32_t last = x->held[--x->n_held], p = x->staged->producer[t];
  x->held[x->held_at[t]] = last;
  x->held_at[last] = x->held_at[t];
  x->held_at[t] = -1;
  x->resident[t] = false;
  x->nothing[t] = false;
  x->used -= x->staged->size[t];
  if (p >= 0 && is_needed(x, t) && ++x->missing[p] == 1) change_pending(x, p, 1);
}

/* --- Whom to drop --- */

/* When tensor t is needed next, for itself or to compute what is. */
static int32_t needed_at(executor *x, int32_t t) {
  const moc__staged *staged = x->staged;
  int32_t at = INT32_MAX, open = 0, visits = 0;
  x->stamps++;
  for (;;) {
    int32_t use = next_use(x, t);
    if (use < at) at = use;
    if (x->needed_by[t] > 0 && at > x->now) {
      for (int64_t i = staged->readers.start[t]; i < staged->readers.start[t + 1] && visits < MOST_VISITS; i++) {
        int32_t r = staged->readers.items[i];
        if (x->missing[r] == 0 || x->stamp[r] == x->stamps) continue;
        x->stamp[r] = x->stamps;
        visits++;
        for (int32_t out = staged->first_output[r]; out < staged->first_output[r + 1]; out++) {
          if (!x->resident[out] && is_needed(x, out) && open < staged->n) x->visit[open++] = out;
        }
      }
    }
    if (open == 0 || at <= x->now) {
      x->effort += 1 + visits;
      return at;
    }
    t = x->visit[--open];
  }
}

/* Tensor u is in memory anyway around step `at`. */
static bool is_there(const executor *x, int32_t u, int32_t at) {
  int64_t low = x->next[u], end = x->uses.start[u + 1], high = end;
  int32_t p = x->staged->producer[u];
  bool before = x->resident[u] || next_run(x, p) <= at || (low < end && x->uses.items[low] <= at);
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (x->uses.items[middle] < at)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == end) return x->staged->keep[u] && (before || at >= x->length);
  if (!before || p < 0) return before;
  for (int64_t i = x->run[p]; i < x->runs.start[p + 1] && x->runs.items[i] < x->uses.items[low]; i++) {
    if (x->runs.items[i] >= at) return false;
  }
  return true;
}

/* What computing tensor t again takes at step `at`, of what is not there then; at the present step (-1), of what is
 * gone. INFINITY when it cannot be. *n_ops counts the operations. */
static double cost_again(executor *x, int32_t t, int32_t at, double most, int32_t *n_ops) {
  const moc__staged *staged = x->staged;
  int32_t p = staged->producer[t], open = 0;
  double cost = 0;
  *n_ops = 0;
  if (p < 0) return INFINITY;
  x->stamps++;
  x->stamp[p] = x->stamps;
  x->visit[open++] = p;
  while (open > 0) {
    p = x->visit[--open];
    if (staged->compute_once[p] || x->count[p] >= x->options->max_computes) return INFINITY;
    cost += (double)staged->duration[p] + x->small;
    ++*n_ops;
    x->effort++;
    if (cost > most) return cost;
    for (int64_t i = staged->reads.start[p]; i < staged->reads.start[p + 1]; i++) {
      int32_t u = staged->reads.items[i], q = staged->producer[u];
      if (u == t || (at < 0 ? x->resident[u] : is_there(x, u, at))) continue;
      if (x->resident[u] && (q < 0 || staged->compute_once[q] || x->count[q] >= x->options->max_computes))
        continue; /* it will be held */
      if (q < 0) return INFINITY;
      if (x->stamp[q] == x->stamps || x->count[q] == 0) continue;
      x->stamp[q] = x->stamps;
      if (*n_ops + open < MOST_VISITS) x->visit[open++] = q;
    }
  }
  return cost;
}

/* Drop what the guide does not need again, if there is any: rather what could be computed again. */
static bool drop_unneeded(executor *x, int32_t op) {
  const moc__staged *staged = x->staged;
  int32_t best = -1;
  bool best_again = false;
  for (int32_t i = 0; i < x->n_held; i++) {
    int32_t t = x->held[i], p = staged->producer[t];
    if (p == op || x->locked[t] == x->locks || x->pins[t] > 0 || is_needed(x, t)) continue;
    bool again = p >= 0 && !staged->compute_once[p] && x->count[p] < x->options->max_computes;
    if (best >= 0 && (again == best_again ? staged->size[t] <= staged->size[best] : best_again)) continue;
    best = t;
    best_again = again;
  }
  x->effort += x->n_held / 8;
  if (best >= 0) drop(x, best);
  return best >= 0;
}

/* Drop one tensor, none that is locked or an output of the operation that is to run. False when nothing can be dropped. */
static bool drop_one(executor *x, int32_t op) {
  const moc__staged *staged = x->staged;
  int32_t best = -1, best_class = 3, compared = x->n_held <= MOST_COMPARED ? x->n_held : SAMPLE;
  double best_score = -1;
  if (x->options->replays && drop_unneeded(x, op)) return true;
  for (int32_t round = 0; round < 2 && best < 0; round++) {
    if (round == 1) {
      if (compared == x->n_held) break;
      compared = x->n_held; /* none of the sample can go */
    }
    for (int32_t i = 0; i < compared; i++) {
      int32_t t = compared == x->n_held ? x->held[i] : x->held[moc__rng_below(&x->rng, (uint32_t)x->n_held)];
      int32_t p = staged->producer[t], n_ops;
      if (p == op || x->locked[t] == x->locks || (x->pins[t] > 0 && best_class < 2)) continue;
      bool needed = is_needed(x, t);
      int32_t at = needed ? needed_at(x, t) : INT32_MAX;
      double distance = needed ? (double)(at - x->now) + 0.1 : 1.5 * (double)(x->length - x->now) + 1;
      double worth = (double)staged->size[t] * distance, most = INFINITY;
      if (x->options->noise > 0) worth *= exp(x->options->noise * (moc__rng_unit(&x->rng) - 0.5));
      if (best_class == 0 && needed) most = worth / best_score; /* what costs more loses */
      double cost = cost_again(x, t, needed && x->options->foresees ? at : -1, most, &n_ops);
      if ((isinf(cost) && needed) || cost > most) continue;
      int32_t class = x->pins[t] > 0 ? 2 : isinf(cost) ? 1 : 0;
      if (class > best_class) continue;
      if (isinf(cost)) cost = x->small;
      if (!needed) cost = x->options->foresees ? x->small : 0.3 * cost;
      double score = worth / cost;
      if (class < best_class || score > best_score) {
        best_class = class;
        best_score = score;
        best = t;
      }
    }
  }
  if (best < 0) return false;
  drop(x, best);
  return true;
}

/* --- Running --- */

static const int32_t *reads_of(const executor *x, int32_t op, int64_t *count) {
  const moc__staged *staged = x->staged;
  if (op == staged->n) {
    *count = x->n_kept;
    return x->kept;
  }
  *count = staged->reads.start[op + 1] - staged->reads.start[op];
  return staged->reads.items + staged->reads.start[op];
}

static bool is_exhausted(const executor *x) {
  return x->options->most_effort > 0 && x->effort + x->recall.effort > x->options->most_effort;
}

static bool is_stopped(executor *x) {
  if (x->options->stop != NULL && x->options->stop(x->options->context)) x->stopped = true;
  return x->stopped;
}

static void lock(executor *x, const int32_t *tensors, int64_t count) {
  for (int64_t i = 0; i < count; i++) x->locked[tensors[i]] = x->locks;
}

/* Run `op`, dropping what is in the way and not locked. */
static bool run(executor *x, int32_t op) {
  const moc__staged *staged = x->staged;
  if (x->count[op] >= x->options->max_computes || (staged->compute_once[op] && x->count[op] > 0)) return false;
  int64_t need = staged->workspace[op];
  for (int32_t t = staged->first_output[op]; t < staged->first_output[op + 1]; t++)
    need += x->resident[t] ? 0 : staged->size[t];
  while (x->used > x->options->budget - need) {
    if (!drop_one(x, op) || is_exhausted(x)) return false;
  }
  moc__constructed *built = x->built;
  if (built->length >= x->options->most_steps || is_exhausted(x)) return false;
  if (!moc__grow(&x->allocator, &built->sequence, built->length, &x->capacity, sizeof *built->sequence)) {
    x->out_of_memory = true;
    return false;
  }
  built->sequence[built->length++] = op;
  x->peak = moc__max(x->peak, x->used + need);
  if (x->count[op]++ > 0) built->extra += staged->duration[op];
  if (x->missing[op] > 0) {
    x->missing[op] = 0;
    change_pending(x, op, -1);
  }
  for (int32_t t = staged->first_output[op]; t < staged->first_output[op + 1]; t++) {
    if (!x->resident[t]) hold(x, t);
  }
  return !is_stopped(x);
}

static void push(executor *x, int32_t op) {
  int64_t count;
  const int32_t *reads = reads_of(x, op, &count);
  for (int64_t i = 0; i < count; i++) x->pins[reads[i]]++;
  x->stack[x->depth++] = (frame){op, 0};
}

/* Bring back all that `op` reads, and run it. What takes most comes first, while least is held for others. */
static bool run_with_inputs(executor *x, int32_t op) {
  const moc__staged *staged = x->staged;
  push(x, op);
  while (x->depth > 0) {
    frame *top = &x->stack[x->depth - 1];
    int64_t count;
    const int32_t *reads = reads_of(x, top->op, &count);
    int32_t chosen = -1, most = -1;
    for (int64_t i = 0; i < count; i++) {
      int32_t n_ops;
      if (x->resident[reads[i]]) continue;
      if (isinf(cost_again(x, reads[i], -1, INFINITY, &n_ops))) return false;
      if (n_ops > most) {
        most = n_ops;
        chosen = staged->producer[reads[i]];
      }
    }
    if (chosen >= 0) {
      if (top->rounds++ >= count + SPARE_ROUNDS || x->depth > staged->n) return false;
      push(x, chosen);
      continue;
    }
    x->locks++;
    lock(x, reads, count);
    if (top->op < staged->n && !run(x, top->op)) return false;
    for (int64_t i = 0; i < count; i++) x->pins[reads[i]]--;
    x->depth--;
  }
  return true;
}

/* --- By search --- */

enum { N_THRIFT = 4, MORE_SETS = 16 };
/* No one value of it is best everywhere. */
static const double THRIFT[N_THRIFT] = {10, 30, 3, 1};

/* What is resident, needed and cannot be computed again stays: the bytes of it, *fixed being brought up to date. */
static int64_t fix(executor *x) {
  const moc__staged *staged = x->staged;
  int64_t bytes = 0;
  for (int32_t i = 0; i < x->n_held; i++) {
    int32_t t = x->held[i], p = staged->producer[t];
    bool again = p >= 0 && !staged->compute_once[p] && x->count[p] < x->options->max_computes;
    x->fixed[t] = !again && is_needed(x, t);
    if (x->fixed[t]) bytes += staged->size[t];
  }
  return bytes;
}

static void unfix(executor *x) {
  for (int32_t i = 0; i < x->n_held; i++) x->fixed[x->held[i]] = false;
}

/* Bring back all that `op` reads, by the way found: recompute along it, holding on to the sets it goes through. */
static bool bring_back(executor *x, int32_t op) {
  int64_t count;
  const int32_t *reads = reads_of(x, op, &count);
  moc__recall_query query = {.targets = reads,
                             .n_targets = count,
                             .fixed = x->fixed,
                             .counts = x->count,
                             .max_computes = x->options->max_computes,
                             .budget = x->options->budget - x->throughout - fix(x)};
  moc__recall_outcome outcome = MOC__RECALL_GAVE_UP;
  for (int32_t attempt = 0; attempt < 4 * N_THRIFT && outcome != MOC__RECALL_FOUND; attempt++) {
    query.resident = attempt / N_THRIFT % 2 == 0 ? x->resident : x->nothing;
    query.most_sets = attempt < 2 * N_THRIFT ? x->options->most_sets / MORE_SETS : x->options->most_sets;
    query.most_effort = x->options->most_effort;
    query.stop = x->options->stop;
    query.context = x->options->context;
    query.thrift = THRIFT[(attempt + (int32_t)(x->options->stream % N_THRIFT)) % N_THRIFT];
    outcome = moc__recall_find(&x->recall, &query);
    if (outcome == MOC__RECALL_OUT_OF_MEMORY || is_exhausted(x) || is_stopped(x)) break;
  }
  unfix(x);
  if (outcome == MOC__RECALL_OUT_OF_MEMORY) x->out_of_memory = true;
  if (outcome != MOC__RECALL_FOUND) return false;
  for (int32_t set = x->recall.first; x->recall.sets[set].parent >= 0; set = x->recall.sets[set].parent) {
    int32_t parent = x->recall.sets[set].parent;
    x->locks++;
    lock(x, moc__recall_items(&x->recall, set), x->recall.sets[set].count);
    lock(x, moc__recall_items(&x->recall, parent), x->recall.sets[parent].count);
    if (!run(x, x->recall.sets[set].op)) return false;
  }
  return true;
}

static bool lacks_input(const executor *x, int32_t op) {
  int64_t count;
  const int32_t *reads = reads_of(x, op, &count);
  for (int64_t i = 0; i < count; i++) {
    if (!x->resident[reads[i]]) return true;
  }
  return false;
}

/* Run the operation of a step of the guide, or the end. */
static bool step(executor *x, int32_t op) {
  if (x->options->most_sets > 0 && lacks_input(x, op)) {
    if (!bring_back(x, op) && (x->out_of_memory || x->stopped || is_exhausted(x))) return false;
  }
  return run_with_inputs(x, op);
}

static bool is_there_already(const executor *x, int32_t op) {
  if (x->count[op] == 0) return false;
  for (int32_t t = x->staged->first_output[op]; t < x->staged->first_output[op + 1]; t++) {
    if (!x->resident[t]) return false;
  }
  return true;
}

/* The guide has passed a step that computes op. */
static void pass(executor *x, int32_t op) {
  const moc__staged *staged = x->staged;
  for (int64_t i = staged->reads.start[op]; i < staged->reads.start[op + 1]; i++) {
    int32_t u = staged->reads.items[i], q = staged->producer[u];
    bool lacked = q >= 0 && !x->resident[u] && is_needed(x, u);
    x->next[u]++;
    if (lacked && !is_needed(x, u) && --x->missing[q] == 0) change_pending(x, q, -1);
  }
  x->run[op]++;
}

static bool walk(executor *x) {
  for (x->now = 0; x->now < x->length; x->now++) {
    int32_t op = x->options->guide == NULL ? x->now : x->options->guide[x->now];
    if (!is_there_already(x, op) && !step(x, op)) return false;
    pass(x, op);
  }
  return step(x, x->staged->n);
}

/* Lay out what the guide reads and computes, and when. False when memory is out. */
static bool lay_out(executor *x) {
  const moc__staged *staged = x->staged;
  int64_t n = staged->n, tensors = staged->n_tensors, n_uses = 0;
  for (int32_t i = 0; i < x->length; i++) {
    int32_t op = x->options->guide == NULL ? i : x->options->guide[i];
    x->runs.start[op + 1]++;
    for (int64_t j = staged->reads.start[op]; j < staged->reads.start[op + 1]; j++, n_uses++)
      x->uses.start[staged->reads.items[j] + 1]++;
  }
  for (int64_t p = 0; p < n; p++) x->run[p] = x->runs.start[p + 1] += x->runs.start[p];
  for (int64_t t = 0; t < tensors; t++) x->next[t] = x->uses.start[t + 1] += x->uses.start[t];
  x->uses.items = MOC__NEW(&x->allocator, n_uses, int32_t);
  if (x->uses.items == NULL) return false;
  for (int32_t i = x->length - 1; i >= 0; i--) { /* backwards, so that indices end where rows begin */
    int32_t op = x->options->guide == NULL ? i : x->options->guide[i];
    x->runs.items[--x->run[op]] = i;
    for (int64_t j = staged->reads.start[op]; j < staged->reads.start[op + 1]; j++)
      x->uses.items[--x->next[staged->reads.items[j]]] = i;
  }
  return true;
}

static void prepare(executor *x) {
  const moc__staged *staged = x->staged;
  int64_t timed = 0;
  for (int32_t p = 0; p < staged->n; p++) timed += staged->duration[p] > 0;
  x->small = timed == 0 ? 1 : 0.01 * (double)staged->total_duration / (double)timed;
  for (int32_t t = 0; t < staged->n_tensors; t++) {
    x->held_at[t] = -1;
    if (staged->producer[t] >= 0) {
      if (staged->keep[t]) x->kept[x->n_kept++] = t;
    } else if (staged->keep[t]) {
      x->resident[t] = true; /* throughout */
      x->fixed[t] = true;
      x->throughout += staged->size[t];
      x->used += staged->size[t];
    } else {
      x->nothing[t] = true;
      hold(x, t);
    }
  }
}

moc_status moc__construct(const moc__staged *staged, const moc__construct_options *options,
                          const moc_allocator *allocator, moc__constructed *built, moc_error *error) {
  int64_t n = staged->n, tensors = staged->n_tensors;
  int32_t length = options->guide == NULL ? staged->n : options->length;
  *built = (moc__constructed){.stuck_at = staged->n};
  executor x = {.staged = staged,
                .options = options,
                .allocator = *allocator,
                .length = length,
                .uses = {.start = MOC__NEW_ZEROED(allocator, tensors + 1, int64_t)},
                .next = MOC__NEW(allocator, tensors, int64_t),
                .runs = {MOC__NEW_ZEROED(allocator, n + 1, int64_t), MOC__NEW(allocator, length, int32_t)},
                .run = MOC__NEW(allocator, n, int64_t),
                .resident = MOC__NEW_ZEROED(allocator, tensors, bool),
                .pins = MOC__NEW_ZEROED(allocator, tensors, int32_t),
                .locked = MOC__NEW_ZEROED(allocator, tensors, int64_t),
                .fixed = MOC__NEW_ZEROED(allocator, tensors, bool),
                .nothing = MOC__NEW_ZEROED(allocator, tensors, bool),
                .needed_by = MOC__NEW_ZEROED(allocator, tensors, int32_t),
                .missing = MOC__NEW_ZEROED(allocator, n, int32_t),
                .count = MOC__NEW_ZEROED(allocator, n, int32_t),
                .held = MOC__NEW(allocator, tensors, int32_t),
                .held_at = MOC__NEW(allocator, tensors, int32_t),
                .stack = MOC__NEW(allocator, n + 2, frame),
                .visit = MOC__NEW(allocator, moc__max(n, tensors) + 1, int32_t),
                .stamp = MOC__NEW_ZEROED(allocator, n, int64_t),
                .kept = MOC__NEW(allocator, tensors, int32_t),
                .recall = {.allocator = *allocator},
                .built = built};
  moc__rng_init(&x.rng, options->seed, options->stream);
  bool ok = x.uses.start && x.next && x.runs.start && x.runs.items && x.run && x.resident && x.pins && x.locked &&
            x.fixed && x.nothing && x.needed_by && x.missing && x.count && x.held && x.held_at && x.stack &&
            x.visit && x.stamp && x.kept && lay_out(&x) &&
            moc__recall_init(&x.recall, staged, allocator, NULL) == MOC_OK;
  if (ok) {
    prepare(&x);
    if (walk(&x)) {
      built->peak = x.peak;
    } else {
      built->stuck_at = x.now;
      built->length = 0;
      ok = !x.out_of_memory;
    }
  }
  built->effort = x.effort + x.recall.effort;
  if (built->length == 0) {
    moc__release(allocator, built->sequence);
    built->sequence = NULL;
  }
  moc__recall_release(&x.recall);
  void *blocks[] = {x.locked,     x.nothing, x.fixed,    x.uses.start, x.uses.items, x.next,    x.runs.start,
                    x.runs.items, x.run,     x.resident, x.pins,       x.needed_by,  x.missing, x.count,
                    x.held,       x.held_at, x.stack,    x.visit,      x.stamp,      x.kept};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(allocator, blocks[i]);
  return ok ? MOC_OK : moc__out_of_memory(error);
}
