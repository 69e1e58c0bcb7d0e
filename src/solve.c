/* The story of a solve: check the options, settle the easy cases, let the threads search, verify, hand out. */
#define _GNU_SOURCE /* sched_getaffinity */ // NOLINT
#include "base/clock.h"
#include "bounds/any_order.h"
#include "bounds/cut.h"
#include "cp/prove.h"
#include "plan/plan.h"
#include "search/anneal.h"
#include "search/order.h"
#include "search/split.h"

#include <math.h>
#include <sched.h>
#include <unistd.h>

/* --- Options --- */

void moc_solve_options_init(moc_solve_options *options) {
  *options = (moc_solve_options){0};
#define MOC_OPTION(kind, name, metavar, initial, low, high, help) options->name = initial;
#include "options.def"
#undef MOC_OPTION
}

static moc_status check_options(const moc_solve_options *options, moc_error *error) {
  if (options->budget < 0)
    return moc__fail(error, MOC_INVALID_ARGUMENT, "budget", "the budget is negative; it is a number of bytes");
#define CHECK_INT(name, low, high)                                                                                 \
  if (options->name < (low) || options->name > (high))                                                             \
    return moc__fail(error, MOC_INVALID_ARGUMENT, #name, "%s must be from %lld to %lld, not %lld", #name,          \
                     (long long)(low), (long long)(high), (long long)options->name);
#define CHECK_REAL(name, low, high)                                                                                \
  if (!(options->name >= (low) && options->name <= (high)))                                                        \
    return moc__fail(error, MOC_INVALID_ARGUMENT, #name, "%s must be from %g to %g, not %g", #name, (double)(low), \
                     (double)(high), options->name);
#define CHECK_ORDER(name, low, high)                              CHECK_INT(name, MOC_ORDER_INPUT, MOC_ORDER_AUTO)
#define CHECK_UINT64(name, low, high)                             /* every seed is fine */
#define MOC_OPTION(kind, name, metavar, initial, low, high, help) CHECK_##kind(name, low, high)
#include "options.def"
#undef MOC_OPTION
  return MOC_OK;
}

/* The processors this process may use. */
static int32_t usable_processors(void) {
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return (int32_t)moc__max(1, CPU_COUNT(&set));
#endif
  return (int32_t)moc__max(1, sysconf(_SC_NPROCESSORS_ONLN));
}

/* Computations of one operation that are tried first when the caller leaves the number to us: more than the paper's 2,
 * because layered graphs and tight budgets gain from them and nothing measured loses. */
enum { DEFAULT_COMPUTES = 6 };
/* To this they are raised where no plan is found: at least, and as far as the search's tables have no more entries. */
enum { LEAST_COMPUTES = 64, MOST_SLOTS = 1 << 24 };

/* --- Threads --- */

typedef struct solve {
  const moc_graph *graph;
  moc_solve_options options;
  int32_t most_computes; /* to which max_computes may be raised */
  double started;
  moc_allocator allocator;
  moc_graph_facts facts;
  moc__staged staged;
  int32_t *input_order; /* [n] in places of the order found beforehand; NULL where that is the input order itself */
  bool improves;        /* the search starts from a plan that was built */
  moc__split built;     /* that, or what comes nearest to the budget */
  int64_t moves_before; /* made before that */
  int32_t searches;     /* before it; */
  int32_t restarts;     /* of them, so many that ended where nothing was to go on from */
  int64_t bound;        /* on the extra duration over all orders; 0: none, and no certificate */
  int32_t level;        /* of the next tries to come nearer to the budget */
  int32_t refutations;  /* rounds of that in them */
  bool excluded;        /* one of them proved that the order has no staged schedule */
  moc__incumbent incumbent;
  moc__pool pool;
  moc__guide guide;
  moc_certificate certificate; /* one thread fills it */
  _Atomic int32_t searching;   /* threads that only search and have moves left */
  atomic_bool interrupted;     /* the clock or the caller ended it */
} solve;

/* What a thread does. */
typedef enum role {
  SEARCHES,
  PROVES, /* raises the lower bound; searches by turns, the longer the less that succeeds, and once it is done */
  BOTH,   /* the same, but searches first: the only thread of an order that is given */
  BOUNDS  /* finds the bound for all orders, then searches */
} role;

typedef struct worker {
  solve *solve;
  role role;
  moc__anneal_options options;
  pthread_t thread;
} worker;

/* Turns of a thread that proves and searches. After a turn of proving the search has one if the bound rose no more, or if
 * the others' plan got shorter by more than the bound rose: what closes more of the gap is gone on with. Each turn of
 * either is twice as long as the one before. A single thread searches after every turn of proving, unless that found a plan. */
enum {
  FIRST_TURN = 200000,   /* moves */
  FIRST_EFFORT = 500000, /* of proving while others search, in about microseconds; then twice as much each time; */
  ALONE_SHARE = 2,       /* of a single thread, this part of the moves it made, which takes about as long, */
  LEAST_ALONE = 20000    /* but no less */
};

/* Operations, up to which the bound over all orders has a second try that takes up to half a second; up to which a single
 * thread finds it before there is a plan. */
enum { MOST_RELATED = 1500, MOST_BEFORE_A_PLAN = 12000 };
/* Operations, up to which least cuts of all are found at once, in about a tenth of a second; what those of all, and of a sample, may take, in
 * arcs looked at: about 10 s and 1 s. */
enum { MOST_CUT_AT_ONCE = 300 };
#define ALL_EFFORT    INT64_C(4000000000)
#define SAMPLE_EFFORT INT64_C(300000000)

/* The clock or the caller ends the solve. */
static bool out_of_time(void *context) {
  solve *s = context;
  bool out = moc__seconds() - s->started >= s->options.time_limit ||
             (s->options.should_stop != NULL && s->options.should_stop(s->options.user));
  if (out) atomic_store(&s->interrupted, true);
  return out;
}

static bool stopped(void *incumbent) {
  return moc__stopped(incumbent);
}

static void prove_by_turns(worker *w) {
  solve *s = w->solve;
  moc__incumbent *incumbent = &s->incumbent;
  moc__anneal_options turn = w->options;
  int64_t left = w->options.moves, next = FIRST_TURN, effort = FIRST_EFFORT;
  moc__prover *prover = NULL;
  bool search = w->role == BOTH, more = true;
  while (more && !moc__stopped(incumbent)) {
    if (search) {
      turn.moves = w->options.moves == 0 ? next : moc__min(left, next);
      moc__anneal(&s->staged, &turn, &s->pool, &s->guide, incumbent);
      turn.stream += (uint64_t)s->options.threads;
      turn.relaxes = false; /* the prover posts from now on */
      left -= turn.moves;
      next = moc__min(2 * next, INT64_MAX / 4);
      effort =
          w->role == BOTH ? moc__max(LEAST_ALONE, turn.moves / ALONE_SHARE) : moc__min(2 * effort, INT64_MAX / 4);
      if (moc__stopped(incumbent)) break;
    }
    if (prover == NULL)
      prover = moc__prover_create(&s->staged, s->options.budget, s->most_computes, incumbent, &s->pool, &s->guide,
                                  s->options.seed);
    if (prover == NULL) break;
    int64_t bound = moc__prover_bound(prover), found = moc__prover_found(prover);
    int64_t plan = moc__incumbent_extra(incumbent);
    more = moc__prover_run(prover, effort);
    int64_t rise = moc__prover_bound(prover) - bound, fall = plan - moc__incumbent_extra(incumbent);
    bool stalls = rise <= bound / 1000, finds = moc__prover_found(prover) != found;
    search = !finds && (stalls || fall >= rise || w->role == BOTH);
    if (more) moc__prover_write_down(prover, false, stopped, incumbent);
    if (w->options.moves == 0 || left > 0) continue;
    if (stalls && !finds && w->role == BOTH) break;
    search = false; /* no moves are left: it proves as long as others search */
  }
  /* Without a plan the solve goes on from elsewhere, where nothing of it holds. */
  bool ends = moc__incumbent_extra(incumbent) != INT64_MAX || moc__excluded(incumbent) || s->interrupted;
  if (prover != NULL && ends) moc__prover_write_down(prover, true, out_of_time, s);
  moc__prover_destroy(prover, &s->certificate);
  w->options.stream = turn.stream;
  w->options.relaxes = turn.relaxes;
  if (w->options.moves == 0 || left > 0) {
    w->options.moves = left;
    if (!moc__stopped(incumbent)) moc__anneal(&s->staged, &w->options, &s->pool, &s->guide, incumbent);
  }
  if (w->role == BOTH) atomic_store(&incumbent->stop, true); /* its moves are all there are */
}

/* Raise the bound to one over all orders. When memory is out for it there is none, and no harm done. */
static void bound_orders(solve *s, bool sample) {
  int64_t extra;
  moc_status status = moc__bound_any_order(&s->staged, s->options.budget, s->input_order, sample, stopped,
                                           &s->incumbent, &s->allocator, &extra, &s->certificate);
  if (status == MOC_OK && extra > 0) (void)moc__incumbent_raise(&s->incumbent, extra);
}

/* Likewise by least cuts. */
static void bound_cuts(solve *s, bool all) {
  int64_t extra;
  moc_status status = moc__bound_cut(&s->staged, s->options.budget, all, all ? ALL_EFFORT : SAMPLE_EFFORT, stopped,
                                     &s->incumbent, &s->allocator, &extra, &s->certificate);
  if (status == MOC_OK && extra > 0) (void)moc__incumbent_raise(&s->incumbent, extra);
}

static void bound_all_cuts(void *context) {
  bound_cuts(context, true);
}

/* The bounds over all orders, then the search, and once there is a plan the cuts of all operations. A single thread has a turn of
 * the search first where the bounds take long. */
static void bound_and_search(worker *w) {
  solve *s = w->solve;
  int64_t moves = w->options.moves, turn = 0;
  if (s->options.threads == 1 && s->staged.n > MOST_BEFORE_A_PLAN) {
    turn = w->options.moves = moves == 0 ? FIRST_TURN : moc__min(moves, FIRST_TURN);
    moc__anneal(&s->staged, &w->options, &s->pool, &s->guide, &s->incumbent);
    w->options.stream++;
  }
  if (!moc__stopped(&s->incumbent)) bound_orders(s, true);
  if (!moc__stopped(&s->incumbent)) bound_cuts(s, s->staged.n <= MOST_CUT_AT_ONCE);
  if (!moc__stopped(&s->incumbent) && s->staged.n <= MOST_RELATED) bound_orders(s, false);
  if (moc__stopped(&s->incumbent) || (moves > 0 && turn == moves)) return;
  w->options.moves = moves == 0 ? 0 : moves - turn;
  if (s->staged.n > MOST_CUT_AT_ONCE) w->options.aside = bound_all_cuts;
  w->options.context = s;
  moc__anneal(&s->staged, &w->options, &s->pool, &s->guide, &s->incumbent);
}

static void *work(void *argument) {
  worker *w = argument;
  solve *s = w->solve;
  if (w->role == BOUNDS)
    bound_and_search(w);
  else if (w->role == SEARCHES)
    moc__anneal(&s->staged, &w->options, &s->pool, &s->guide, &s->incumbent);
  else
    prove_by_turns(w);
  /* Who proves does not go on when those who search have used up their moves. */
  if ((w->role == SEARCHES || w->role == BOUNDS) && atomic_fetch_sub(&s->searching, 1) == 1)
    atomic_store(&s->incumbent.stop, true);
  moc__incumbent_leave(&w->solve->incumbent);
  return NULL;
}

/* Tell the caller how it is going. Called without the lock. */
static void report(solve *s, bool improved) {
  if (s->options.on_progress == NULL) return;
  moc__incumbent *incumbent = &s->incumbent;
  moc_progress progress = {.improved = improved, .least_peak = atomic_load(&incumbent->least_peak)};
  pthread_mutex_lock(&incumbent->lock);
  progress.seconds = moc__seconds() - incumbent->started;
  progress.has_plan = moc__incumbent_extra(incumbent) != INT64_MAX;
  if (progress.has_plan) {
    progress.total_duration = incumbent->total_duration + moc__incumbent_extra(incumbent);
    progress.peak_memory = incumbent->peak;
  }
  progress.lower_bound = incumbent->lower_bound;
  pthread_mutex_unlock(&incumbent->lock);
  progress.moves = s->moves_before + atomic_load(&incumbent->moves);
  s->options.on_progress(s->options.user, &progress);
}

/* Wait for the threads, watching the clock and the caller, and reporting what they find. */
static void supervise(solve *s) {
  const double wake_seconds = 0.02, report_seconds = 0.1;
  moc__incumbent *incumbent = &s->incumbent;
  int64_t plans = 0, reported = 0;
  double last_report = 0;
  pthread_mutex_lock(&incumbent->lock);
  for (;;) {
    bool done = incumbent->running == 0;
    bool improved = incumbent->n_plans > plans, news = incumbent->n_trace > reported;
    plans = incumbent->n_plans;
    reported = incumbent->n_trace;
    pthread_mutex_unlock(&incumbent->lock);

    double seconds = moc__seconds() - incumbent->started;
    if (improved || news || (!done && seconds - last_report > report_seconds)) {
      last_report = seconds;
      report(s, improved);
    }
    if (done) return;
    if (!moc__stopped(incumbent) && out_of_time(s)) atomic_store(&incumbent->stop, true);

    double wait = fmin(wake_seconds, fmax(s->options.time_limit - seconds, 1e-3));
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(1e9 * wait);
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&incumbent->lock);
    if (incumbent->running > 0 && incumbent->n_trace == reported)
      (void)pthread_cond_timedwait(&incumbent->news, &incumbent->lock, &until);
  }
}

static moc_status run_threads(solve *s, moc_error *error) {
  int32_t threads = s->options.threads;
  worker *workers = MOC__NEW_ZEROED(&s->allocator, threads, worker);
  if (workers == NULL) return moc__out_of_memory(error);
  moc_status status = moc__pool_init(&s->pool, s->staged.n, &s->allocator, error);
  if (status == MOC_OK) {
    status = moc__guide_init(&s->guide, &s->allocator, error);
    if (status != MOC_OK) moc__pool_release(&s->pool);
  }
  if (status != MOC_OK) {
    moc__release(&s->allocator, workers);
    return status;
  }
  int32_t started = 0;
  s->incumbent.running = threads;
  bool proves =
      s->options.order == MOC_ORDER_INPUT && s->options.prove == 1 && s->built.places == 0 && !s->excluded;
  atomic_store(&s->searching, threads - proves);
  int64_t moves = s->options.moves == 0 ? 0 : moc__max(1, s->options.moves - s->moves_before / threads);
  int32_t computes = (int32_t)moc__max(s->options.max_computes, s->built.max_computes);
  for (; started < threads; started++) {
    worker *w = &workers[started];
    w->solve = s;
    if (proves && started == threads - 1) w->role = threads == 1 ? BOTH : PROVES;
    if (s->options.order == MOC_ORDER_AUTO && s->options.prove == 1 && s->built.places == 0 && s->bound == 0 &&
        started == threads - 1)
      w->role = BOUNDS;
    w->options = (moc__anneal_options){.budget = s->options.budget,
                                       .max_computes = computes,
                                       .most_computes = s->most_computes,
                                       .input_order = s->built.places == 0 ? s->input_order : NULL,
                                       .limited = s->most_computes == s->options.max_computes,
                                       .reorders = s->options.order == MOC_ORDER_AUTO,
                                       .improves = s->improves,
                                       .start = s->built.pairs,
                                       .n_start = s->improves ? 0 : s->built.n_pairs,
                                       .relaxes = (!proves || threads == 1) && started == threads - 1,
                                       .restarts = s->restarts,
                                       .refutations = s->refutations,
                                       .refutes = started == 0,
                                       .level = s->level,
                                       .moves_before = s->moves_before / threads,
                                       .moves = moves,
                                       .seed = s->options.seed,
                                       .stream = (uint64_t)(started + threads * (int64_t)s->searches)};
    if (pthread_create(&w->thread, NULL, work, w) != 0) break;
  }
  for (int32_t missing = started; missing < threads; missing++) moc__incumbent_leave(&s->incumbent);
  if (started > 0) supervise(s);
  for (int32_t i = 0; i < started; i++) pthread_join(workers[i].thread, NULL);
  moc__release(&s->allocator, workers);
  moc__pool_release(&s->pool);
  moc__guide_release(&s->guide);
  if (started == 0) return moc__fail(error, MOC_INTERNAL, "", "the system lets no thread be started");
  return s->incumbent.failed ? moc__out_of_memory(error) : MOC_OK;
}

/* --- The answer --- */

static moc_status fill_plan(solve *s, moc_plan *plan, moc_error *error) {
  moc__incumbent *incumbent = &s->incumbent;
  plan->lower_bound = incumbent->lower_bound;
  bool order = s->options.order == MOC_ORDER_INPUT && plan->lower_bound > plan->baseline_duration;
  if (order) plan->bound_scope = MOC_SCOPE_ORDER;
  plan->moves = s->moves_before + atomic_load(&incumbent->moves);
  plan->trace = incumbent->trace;
  plan->n_trace = incumbent->n_trace;
  plan->certificate = s->certificate;
  s->certificate = (moc_certificate){0};
  incumbent->trace = NULL;
  plan->max_computes = (int32_t)moc__max(plan->max_computes, incumbent->max_computes);
  int32_t refuted = atomic_load(&incumbent->refuted);
  plan->peak_memory = atomic_load(&incumbent->least_peak);
  if (moc__incumbent_extra(incumbent) == INT64_MAX) {
    plan->status = MOC_PLAN_UNKNOWN;
    if (refuted >= 0) {
      plan->status = MOC_PLAN_INFEASIBLE;
      plan->bound_scope = MOC_SCOPE_ANY;
      if (refuted < s->staged.n) plan->obstacle = s->staged.order[refuted];
    } else if (s->excluded) {
      plan->status = MOC_PLAN_INFEASIBLE;
      plan->bound_scope = MOC_SCOPE_ORDER;
      plan->max_computes = s->most_computes;
    }
    return MOC_OK;
  }

  int64_t length = s->staged.n + incumbent->n_pairs;
  moc_op *sequence = MOC__NEW(&s->allocator, length, moc_op);
  if (sequence == NULL) return moc__out_of_memory(error);
  length = moc__staged_sequence(&s->staged, incumbent->order, incumbent->pairs, incumbent->n_pairs, sequence);
  moc_status status = moc__plan_set_sequence(plan, s->graph, sequence, length, error);
  moc__release(&s->allocator, sequence);
  if (status == MOC_OK)
    plan->status = plan->total_duration == plan->lower_bound ? MOC_PLAN_OPTIMAL : MOC_PLAN_FEASIBLE;
  return status;
}

/* Whether the search goes on, there being no plan: from what was built, where that is within budget, always; anew, when it got nowhere
 * from there. */
static bool goes_on(const solve *s) {
  const moc__incumbent *incumbent = &s->incumbent;
  if (moc__incumbent_extra(incumbent) != INT64_MAX) return false;
  if (moc__built(incumbent)) return true;
  if (incumbent->n_sequence == 0 && s->built.places == 0) return false;
  int64_t moves = (s->moves_before + atomic_load(&incumbent->moves)) / s->options.threads; /* of each thread */
  if (s->excluded && s->most_computes == s->options.max_computes) return false;
  return atomic_load(&incumbent->refuted) < 0 && !s->interrupted &&
         (s->options.moves == 0 || moves < s->options.moves);
}

/* One search, from `s->built` if there is something. Then `s->built` is what to go on from, of peak *peak, or *done. Of the lower
 * bounds so far only one over all orders holds for what is not staged. */
static moc_status search_once(solve *s, int64_t *peak, int64_t *least_peak, bool *done, moc_plan *plan,
                              moc_error *error) {
  moc__split built = s->built;
  moc_status status = moc__incumbent_init(&s->incumbent, &s->allocator, s->started, &s->staged, *least_peak, error);
  if (status != MOC_OK) return status;
  if (s->improves) {
    int64_t extra = 0;
    for (int64_t i = 0; i < built.n_pairs; i++) extra += s->staged.duration[built.pairs[i].place];
    moc__incumbent_offer_pairs(&s->incumbent, built.pairs, built.n_pairs, extra, *peak,
                               (int32_t)moc__max(s->options.max_computes, built.max_computes));
  }
  if (built.places > 0 && !s->improves) atomic_store(&s->incumbent.nearest, *peak);
  if (s->bound > 0) (void)moc__incumbent_raise(&s->incumbent, s->bound);
  status = run_threads(s, error);
  *least_peak = atomic_load(&s->incumbent.least_peak);
  s->refutations = (int32_t)moc__max(s->refutations, atomic_load(&s->incumbent.refutations));
  s->excluded = s->excluded || moc__excluded(&s->incumbent);
  *done = status != MOC_OK || !goes_on(s);
  if (status == MOC_OK && *done) {
    status = fill_plan(s, plan, error);
  } else if (status == MOC_OK) {
    s->moves_before += atomic_load(&s->incumbent.moves);
    *peak = moc__nearest(&s->incumbent);
    s->improves = moc__built(&s->incumbent);
    if (s->options.order == MOC_ORDER_AUTO) s->bound = s->incumbent.lower_bound - s->staged.total_duration;
    moc__split_release(&s->built, &s->allocator);
    s->searches++;
    s->level = (int32_t)moc__max(s->incumbent.level - 1, 0);
    if (s->incumbent.n_sequence == 0)
      s->restarts++;
    else
      status = moc__split_init(&s->built, &s->staged, s->incumbent.sequence, s->incumbent.n_sequence, &s->allocator,
                               error);
  }
  moc__incumbent_release(&s->incumbent);
  if (s->bound == 0) moc__certificate_release(&s->certificate, &s->allocator);
  return status;
}

/* Search with the first computations in `order`; `plan` has its figures but no sequence yet. While there is no plan, what was
 * built may be gone on from, with as many pauses as it takes. */
static moc_status search_plan(solve *s, const moc_op *order, moc_plan *plan, moc_error *error) {
  int64_t peak = 0, least_peak = s->facts.baseline_peak;
  moc_status status = MOC_OK;
  for (bool done = false; status == MOC_OK && !done;) {
    status = s->built.places == 0 ? moc__staged_init(&s->staged, s->graph, order, &s->allocator, error)
                                  : moc__staged_init_paused(&s->staged, s->graph, s->built.order, s->built.places,
                                                            &s->allocator, error);
    if (status != MOC_OK) break;
    status = search_once(s, &peak, &least_peak, &done, plan, error);
    moc__staged_release(&s->staged);
  }
  moc__certificate_release(&s->certificate, &s->allocator);
  moc__split_release(&s->built, &s->allocator);
  return status;
}

/* The input order in places of `order`. False when memory is out. */
static bool place_input_order(solve *s, const moc_op *order) {
  int64_t n = moc_graph_operations(s->graph);
  int32_t *place = MOC__NEW(&s->allocator, n, int32_t);
  s->input_order = MOC__NEW(&s->allocator, n, int32_t);
  if (place != NULL && s->input_order != NULL) {
    for (int32_t i = 0; i < n; i++) place[order[i]] = i;
    for (int64_t i = 0; i < n; i++) s->input_order[i] = place[moc_graph_input_order(s->graph).items[i]];
  }
  moc__release(&s->allocator, place);
  return place != NULL && s->input_order != NULL;
}

/* Pick the order, then search. */
static moc_status order_and_search(solve *s, moc_plan *plan, moc_error *error) {
  if (s->options.order == MOC_ORDER_INPUT)
    return search_plan(s, moc_graph_input_order(s->graph).items, plan, error);
  moc_op *order = MOC__NEW(&s->allocator, moc_graph_operations(s->graph), moc_op);
  if (order == NULL) return moc__out_of_memory(error);
  moc_status status =
      moc__search_order(s->graph, s->options.budget, s->options.seed, out_of_time, s, &s->allocator, order, error);
  if (status == MOC_OK && !place_input_order(s, order)) status = moc__out_of_memory(error);
  if (status == MOC_OK) status = search_plan(s, order, plan, error);
  moc__release(&s->allocator, s->input_order);
  moc__release(&s->allocator, order);
  return status;
}

moc_status moc_solve(const moc_graph *graph, const moc_solve_options *options, const moc_allocator *allocator,
                     moc_plan **plan, moc_error *error) {
  if (graph == NULL || options == NULL || plan == NULL)
    return moc__fail(error, MOC_INVALID_ARGUMENT, "", "the graph, the options or the place for the plan is NULL");
  moc_status status = check_options(options, error);
  if (status != MOC_OK) return status;
  solve s = {.graph = graph,
             .options = *options,
             .most_computes = options->max_computes,
             .started = moc__seconds(),
             .allocator = moc__allocator_or_default(allocator)};
  if (s.options.threads == 0) s.options.threads = usable_processors();
  if (s.options.max_computes == 0) { /* ours to choose: more where these yield no plan */
    s.options.max_computes = DEFAULT_COMPUTES;
    int64_t room = MOST_SLOTS / moc_graph_operations(graph);
    s.most_computes = (int32_t)moc__max(LEAST_COMPUTES, moc__min(room, MOC_MAX_COMPUTES));
  }
  status = moc_graph_get_facts(graph, &s.facts, error);
  if (status != MOC_OK) return status;
  moc_plan *result = moc__plan_create(&s.allocator);
  if (result == NULL) return moc__out_of_memory(error);
  result->budget = s.options.budget;
  result->baseline_peak_memory = s.facts.baseline_peak;
  result->baseline_duration = s.facts.baseline_duration;
  result->lower_bound = s.facts.baseline_duration; /* every operation runs at least once, in any schedule */
  result->bound_scope = MOC_SCOPE_ANY;
  result->max_computes = s.options.max_computes;
  result->order = s.options.order;
  result->seed = s.options.seed;
  result->threads = s.options.threads;

  if (s.options.budget < s.facts.working_set_bound) {
    result->status = MOC_PLAN_INFEASIBLE;
    result->obstacle = s.facts.working_set_op;
  } else if (s.options.budget >= s.facts.baseline_peak) {
    status = moc__plan_set_sequence(result, graph, moc_graph_input_order(graph).items, moc_graph_operations(graph),
                                    error);
    result->status = MOC_PLAN_OPTIMAL;
  } else {
    status = order_and_search(&s, result, error);
  }
  result->reproducible = s.options.threads == 1 && !s.interrupted;
  result->solve_seconds = moc__seconds() - s.started;
  /* A plan that our own check refuses is never handed out. */
  if (status == MOC_OK && result->length > 0) {
    moc_error refusal;
    moc_status verified = moc_verify(graph, result, &s.allocator, NULL, &refusal);
    if (verified == MOC_OUT_OF_MEMORY)
      status = moc__out_of_memory(error);
    else if (verified != MOC_OK)
      status = moc__fail(error, MOC_INTERNAL, refusal.place, "the plan found does not verify: %s", refusal.message);
  }
  if (status != MOC_OK) {
    moc_plan_destroy(result);
    return status;
  }
  *plan = result;
  return MOC_OK;
}
