/* Simulated annealing over sets of pairs; see anneal.h. */
#include "search/anneal.h"

#include "search/first.h"
#include "search/sweep.h"

#include <float.h>
#include <math.h>

enum {
  MOVES_A_CHECK = 64,      /* between two looks at the stop flag, the temperature and the price */
  HEAVIER_SHIFT = 4,       /* at each of those, a place over budget gains one part in 2^so many of its weight, */
  LIGHTER_SHIFT = 5,       /* others lose one */
  PHASE1_SHIFT = 5,        /* in phase 1 both */
  EVEN_PERCENT = 30,       /* of schedules of phase 2, in which all weigh the same */
  MOVES_A_REFRESH = 16384, /* between two looks at hints, or two listings of the gaps of an order that changes; */
  REFRESH_A_PLACE = 2,     /* of those about so many for each place if that is more */
  FIRST_MOVES = 20000,     /* of the first schedule, plus FIRST_MOVES_A_PLACE for every place */
  FIRST_MOVES_A_PLACE = 100,
  LONG_SCHEDULE = 2000000,      /* moves from which on it does not pay to start over from nothing */
  MOST_MOVES = 1000000000,      /* of any schedule */
  MOVES_BEFORE_ASIDE = 2000000, /* of a thread that has something else to do, too */
  EVICT_PERCENT = 50,           /* of moves made over budget */
  SHIFT_PERCENT = 12,
  CARRY_PERCENT = 4,
  HOLD_PERCENT = 25,     /* of what is exchanged, of operations that have several recomputations */
  CARE_PERCENT = 25,     /* of gaps opened in phase 1, in every other schedule of it */
  CLEAR_PERCENT = 30,    /* of moves of the order made over budget, in schedules that clear: */
  CLEARING_PERCENT = 50, /* half of them, because clearing gets far soon, but to one and the same order */
  MIDDLE = 2000,         /* operations from which on phase 1 begins with care throughout */
  CAREFUL_TURNS = 2,     /* of phase 1 on such a graph */
  SHORT_SCHEDULES = 6,   /* from the first plan of such a graph or a larger one, SHORTER than others; */
  DOUBLED_SCHEDULES = 4, /* of a larger one the first are shorter still, each half as long as the next */
  LATE_SCHEDULES = 2,    /* from a first plan that took squeezes or more */
  MOST_OWED = 4,         /* from the best plan, after turns that came to none */
  LAST_ROUNDS = 2,       /* of construction, where no staged schedule exists */
  SHORTER = 4,           /* so much shorter than the others */
  WINDOW = 4096,         /* places */
  MOVES_A_WINDOW = 2048,
  FARTHEST_PAIR = 256,   /* places to look for a pair */
  HEEDING_PERCENT = 90,  /* of schedules, that draw gaps by hints, but for those from nothing: */
  BETTER_PERCENT = 90,   /* of them, that start from a sample of hints or not, whichever comes to better plans */
  RELAXING_A_PLACE = 50, /* work on the relaxation, and so many hundredths for each move */
  RELAXING_A_MOVE = 50
};

/* Of the price: what removing all of the input order's excess is worth at first, as a share of its duration; the most, in mean
 * durations for a unit over budget at a place of the first weight: there no temperature lets any more of it in; how fast it adapts at
 * each check, and the share of feasible sets that it aims at. */
static const double FIRST_PRICE = 0.05, MOST_PRICE = 10000, PRICE_STEP = 0.05, SHARE_STEP = 0.05,
                    FEASIBLE_SHARE = 0.35, FEASIBLE_SHARE_OF_ORDERS = 0.15; /* where the order is searched too */
/* Of the temperature, in mean durations of a recomputation: the start from the empty set, and the end. */
static const double FIRST_TEMPERATURE = 1, LAST_TEMPERATURE = 0.03;
/* Of schedules that start from a sample (one of the four each), a cross, the best or what was built, in shares of the first
 * temperature; of those of large graphs, and how much cooler those end. */
static const double SAMPLED_HEAT[] = {0.1, 0.1, 0.3, 1}, CROSS_HEAT[] = {0.1, 0.2}, HEAT[] = {0.1, 0.3},
                    BUILT_HEAT[] = {0.03, 0.1, 0.3, 1}, SHORT_HEAT = 0.2, GRADUAL_HEAT[] = {0.03, 0.1, 0.3},
                    COOLER = 0.1;

/* Of the gaps that a schedule draws, if it heeds hints, from what those name. */
static const uint32_t HINTED_PERCENT[] = {95, 90, 80, 60};

/* Phase 1 values a mean tensor over budget for one stage at so many mean durations; its temperatures are shares of
 * that. */
static const double DURATION_WORTH = 30, FEASIBILITY_TEMPERATURES[] = {1, 0.02, 5, 0.2},
                    LAST_FEASIBILITY_TEMPERATURE = 0.002, QUICK_TEMPERATURE = 0.02, CAREFUL_TEMPERATURE = 0.1;

/* Of the mean of what starts came to, the share of the newest. */
static const double NEWEST_START = 0.3;

/* Of places: with no more pauses a schedule from nothing may do as well as what was built. */
static const double FEW_PAUSES = 0.05;

/* Of a squeeze: the temperature, in mean durations; the part of its moves in which the budget would fall to the end, or by
 * this factor, if each check lowered it, so that there is time to wait for feasible sets; when the price has risen so far above
 * that at the last one, or to the most, it is stuck, and given back up to this share of the budget; what counts as getting
 * on, also as a share of the excess; and as near to the budget. */
static const double SQUEEZE_TEMPERATURE = 0.3, SQUEEZE_PART = 0.3, LEAST_WAY = 1.5, STUCK = 30, GIVEN_BACK = 0.02,
                    GETS_ON = 0.002, GETS_ON_PART = 0.1, NEAR = 0.01;
enum {
  DESCENT_LENGTH = 4,    /* of the schedule after a descent, in shortest schedules */
  MOST_DOUBLINGS = 20,   /* of it */
  SQUEEZE_LENGTH = 4,    /* likewise, of a cross; from nothing it is the shortest */
  OTHER_PERCENT = 25,    /* of tries at phase 1, by that of the two which has not come as near */
  SQUEEZED_STARTS = 4,   /* of a thread, before nearly all squeezes are of crosses */
  SQUEEZE_COMPUTES = 24, /* of an operation, at least, where they may be as many */
  LATE_SQUEEZES = 4,     /* after a plan that was built along a set: theirs are better */
  PATIENCE = 2,       /* buildings of a thread along sets over budget, before the solve goes on from the nearest, */
  PATIENCE_NEAR = 3,  /* or so many where that is near */
  MOST_APPROACHES = 8 /* squeezes from there that get nowhere, before it starts anew */
};

typedef struct search {
  const moc__anneal_options *options;
  moc__guide *guide;
  moc__incumbent *incumbent;
  moc__pool *pool;
  moc__state state;
  moc__rng rng;
  moc__mover mover;
  double price;          /* of excess, in durations */
  double fair_price;     /* the first */
  double most_price;     /* the most */
  double aim;            /* at this share of feasible sets */
  double feasible_share; /* of the sets visited, smoothed */
  double feasible_price; /* the price when a feasible set was last seen */
  double scale;          /* the mean duration of an operation that takes any */
  double mean_size;      /* of a tensor, as excess of a place with the weight that all have at first */
  int64_t moves;         /* made so far */
  int64_t told;          /* of them, added to the incumbent's count */
  moc__pair *best;       /* [best_capacity] room for a copy of the incumbent */
  int64_t best_capacity;
  int32_t *best_order;  /* [n] its order */
  moc__candidate found; /* the best plan of the present schedule */
  moc__candidate child; /* room for a cross */
  moc__candidate built; /* the plan to improve, where there is one from the start */
  bool *taken;          /* [n] scratch for it */
  int32_t *computes;    /* [n] scratch, to count computations */
  moc__gaps gaps;       /* of the order under search, now and then */
  bool reorders;        /* the order is searched too */
  bool clears;          /* in this schedule with moves that clear a place */
  bool pooled;          /* plans are kept for crosses */
  moc__hints hints;
  moc__gaps hinted;     /* gaps at the end of which those recompute */
  bool heeds;           /* this schedule heeds them */
  double came_to[2];    /* extra durations of starts that did not, and that did: moving means; 0: none yet */
  bool hurries;         /* it does not wait for the relaxation */
  moc__relaxer relaxer; /* idle where another thread does it */
  moc__first first;
  int64_t searches;   /* schedules of phase 1 so far */
  int64_t descents;   /* of them, so many began with a descent from nothing after the first */
  uint32_t care;      /* in this one so many gaps of a hundred are opened with care */
  int64_t starts;     /* from nothing, so far */
  int32_t barren;     /* turns in a row, but for those from the best, that came to no plan */
  int32_t owed;       /* turns from the best that come next */
  int32_t squeezes;   /* that come next, by turns with others */
  int32_t squeezed;   /* the least peak that squeezes have come to; 0: not tried yet */
  int32_t descended;  /* descents, likewise */
  int32_t generation; /* of the last turn that the pool gave */
  int32_t level;      /* of the present try to come nearer to it */
  int32_t alongs;     /* buildings along a set over budget, so far */
  bool approaches;    /* all starts from a set over budget that was built */
  bool has_built;     /* from that, or a plan */
  bool went_aside;
  int32_t window; /* moves are made in places window..window + WINDOW - 1, so that caches help */
} search;

/* A random place of the window in which moves are made at present. */
static int32_t draw_place(search *s) {
  return s->window + (int32_t)moc__rng_below(&s->rng, (uint32_t)moc__min(WINDOW, s->state.staged->n - s->window));
}

static int32_t draw_over(search *s) {
  return moc__profile_next_over(&s->state.profile, draw_place(s));
}

/* The index of a pair of the window, or near it; of any pair where the window is everything or has none. */
static int64_t draw_pair(search *s) {
  const moc__state *state = &s->state;
  int32_t n = state->staged->n;
  if (n > WINDOW) {
    int32_t from = draw_place(s);
    for (int32_t at = from; at < n && at < from + FARTHEST_PAIR; at++) {
      int32_t k = state->order[at], node = state->first_node[k];
      if (node < 0) continue;
      while (state->nodes[node].next >= 0 && moc__rng_below(&s->rng, 2) == 0) node = state->nodes[node].next;
      int32_t p = state->nodes[node].number;
      return state->pair_index[(int64_t)p * state->max_computes + moc__latest(state, p, k)];
    }
  }
  return moc__rng_below(&s->rng, (uint32_t)state->n_pairs);
}

/* Remove a pair or all of its operation, and what was recomputed for it; half of the time close what opens, judged as one move. */
static void exchange(search *s, int64_t index) {
  moc__state *state = &s->state;
  s->mover.limit = INFINITY;
  if (state->count[state->pairs[index].place] > 2 && moc__rng_below(&s->rng, 100) < HOLD_PERCENT)
    (void)moc__move_hold(&s->mover, index);
  else
    (void)moc__move_drop(&s->mover, index);
  if (moc__rng_below(&s->rng, 2) == 0) return;
  int refills = 1 + (int)moc__rng_below(&s->rng, 3);
  for (int i = 0; i < refills; i++) {
    moc__state_settle(state);
    int32_t at = draw_over(s);
    if (at < 0 || !moc__move_evict(&s->mover, at)) break;
  }
}

/* Make one move, whichever suits the state. */
static void make_move(search *s) {
  moc__state *state = &s->state;
  bool over = !moc__state_feasible(state);
  if (s->reorders && moc__rng_below(&s->rng, 2) == 0) {
    if (s->clears && over && moc__rng_below(&s->rng, 100) < CLEAR_PERCENT)
      (void)moc__move_clear(&s->mover, draw_over(s));
    else
      (void)moc__move_reorder(&s->mover, over && moc__rng_below(&s->rng, 2) == 0 ? draw_over(s) : draw_place(s));
    return;
  }
  uint32_t die = moc__rng_below(&s->rng, 100);
  if (over && (state->n_pairs == 0 || die < EVICT_PERCENT)) {
    if (s->care > 0 && moc__rng_below(&s->rng, 100) < s->care)
      (void)moc__move_open(&s->mover, draw_over(s));
    else
      (void)moc__move_evict(&s->mover, draw_over(s));
  } else if (state->n_pairs > 0) {
    int64_t index = draw_pair(s);
    if (die >= 100 - SHIFT_PERCENT)
      (void)moc__move_shift(&s->mover, index);
    else if (die >= 100 - SHIFT_PERCENT - CARRY_PERCENT)
      (void)moc__move_carry(&s->mover, index);
    else
      exchange(s, index);
  }
}

/* The price follows the share of feasible sets, of which `share` of the last sets were: with a smoothed share, because
 * single figures are mostly 0 or 1. */
static void adapt_price(search *s, double share) {
  s->feasible_share += SHARE_STEP * (share - s->feasible_share);
  s->price = fmin(s->price * exp(PRICE_STEP * (s->aim - s->feasible_share)), s->most_price);
  if (share > 0) s->feasible_price = s->price;
}

/* List the gaps of the order as it is now. False, having told the incumbent, when memory is out. */
static bool list_gaps(search *s) {
  const moc__state *state = &s->state;
  bool ok = moc__gaps_rebuild(&s->gaps, state->staged, state->place) &&
            (s->mover.hinted == NULL || moc__gaps_rebuild(&s->hinted, state->staged, state->place));
  if (!ok) moc__incumbent_fail(s->incumbent);
  return ok;
}

/* Between two listings of the gaps, which take as long as some moves of each place. */
static int64_t moves_a_refresh(const search *s) {
  return MOVES_A_REFRESH * moc__max(1, (int64_t)REFRESH_A_PLACE * s->state.staged->n / MOVES_A_REFRESH);
}

static bool has_plan(const search *s) {
  return moc__incumbent_extra(s->incumbent) != INT64_MAX;
}

static bool stopped(void *incumbent) {
  return moc__stopped(incumbent);
}

/* Get on with the relaxation, if that is for this thread to do, and take what was posted since the last time. */
static void take_hints(search *s) {
  const moc__state *state = &s->state;
  int64_t work = (int64_t)RELAXING_A_PLACE * state->staged->n + s->moves / 100 * RELAXING_A_MOVE;
  moc__relaxer_run(&s->relaxer, work, s->guide, stopped, s->incumbent);
  if (!moc__hints_take(&s->hints, s->guide)) return;
  bool ok = true;
  if (s->mover.hinted == NULL)
    ok = moc__gaps_init(&s->hinted, state->staged, state->place, moc__hints_list, &s->hints,
                        &s->incumbent->allocator, NULL) == MOC_OK;
  else
    ok = moc__gaps_rebuild(&s->hinted, state->staged, state->place);
  if (ok)
    s->mover.hinted = &s->hinted;
  else
    moc__incumbent_fail(s->incumbent);
}

static bool finished(search *s) {
  atomic_fetch_add_explicit(&s->incumbent->moves, s->moves - s->told, memory_order_relaxed);
  s->told = s->moves;
  if (s->state.out_of_memory) moc__incumbent_fail(s->incumbent);
  return moc__stopped(s->incumbent) || (s->options->moves > 0 && s->moves >= s->options->moves);
}

/* Make one move and keep it or take it back. */
static void try_move(search *s, double temperature) {
  moc__state *state = &s->state;
  s->moves++;
  moc__state_begin(state);
  int64_t extra = state->extra_duration, excess = state->profile.excess;
  /* The most change to accept, drawn first so that moves can give up early: Metropolis' rule. */
  double limit = -temperature * log(moc__rng_unit(&s->rng) + DBL_MIN);
  s->mover.price = s->price;
  s->mover.temperature = temperature;
  s->mover.limit = limit;
  s->mover.allowance = limit + s->price * (double)excess;
  make_move(s);
  moc__state_settle(state);
  double change = (double)(state->extra_duration - extra) + s->price * (double)(state->profile.excess - excess);
  if (change <= limit)
    moc__state_commit(state);
  else
    moc__state_undo(state);
}

/* Whether the schedule of a turn heeds hints. Starts from samples of them lead to better plans where budgets are not tight, and
 * far away from any where they are. */
static bool draw_heeds(search *s, moc__turn turn) {
  if (s->mover.hinted == NULL) return false;
  if (turn != MOC__START) return moc__rng_below(&s->rng, 100) < HEEDING_PERCENT;
  bool better = s->came_to[true] <= s->came_to[false];
  return moc__rng_below(&s->rng, 100) < BETTER_PERCENT ? better : !better;
}

/* Note what a start came to, up to twice the best plan's extra duration, which no plan counts as, too. */
static void rate_start(search *s) {
  double *mean = &s->came_to[s->heeds];
  double extra = fmin((double)s->found.extra, 2 * (double)moc__incumbent_extra(s->incumbent));
  *mean = *mean == 0 ? extra : *mean + NEWEST_START * (extra - *mean);
}

/* Of a schedule that begins. */
static void choose_moves(search *s) {
  s->mover.hinted_percent = s->heeds ? HINTED_PERCENT[moc__rng_below(&s->rng, 4)] : 0;
  s->clears = s->reorders && moc__rng_below(&s->rng, 100) < CLEARING_PERCENT;
}

static void move_window(search *s) {
  s->window = (int32_t)moc__rng_below(&s->rng, (uint32_t)(moc__max(s->state.staged->n - WINDOW, 0) + 1));
}

/* Keep what was found if it is the best of this schedule. False when memory is out. */
static bool note(search *s) {
  moc__incumbent_offer(s->incumbent, &s->state);
  moc__candidate now = {.extra = s->state.extra_duration};
  return !s->pooled || !moc__candidate_better(&now, &s->found) || moc__candidate_take(&s->found, &s->state, 0);
}

/* One schedule: `length` moves while the temperature falls from `first` to `last`. In phase 1 the price stays as it is
 * and the first plan of any thread ends the schedule. */
static void run_schedule(search *s, int64_t length, double first, double last, bool phase1) {
  moc__state *state = &s->state;
  double temperature = first, cooling = pow(last / first, (double)MOVES_A_CHECK / (double)length);
  int64_t feasible = 0, refresh = moves_a_refresh(s);
  choose_moves(s);
  int up = phase1 ? PHASE1_SHIFT : HEAVIER_SHIFT, down = phase1 ? PHASE1_SHIFT : LIGHTER_SHIFT;
  bool even = !phase1 && moc__rng_below(&s->rng, 100) < EVEN_PERCENT;
  if (even) s->price *= moc__profile_even(&state->profile);
  for (int64_t done = 0; done < length; done++) {
    if (done % MOVES_A_CHECK == 0) {
      if (done > 0) {
        if (!even) moc__profile_weigh(&state->profile, up, down);
        if (!phase1)
          adapt_price(s, (double)feasible / MOVES_A_CHECK);
        else if (has_plan(s) || moc__excluded(s->incumbent))
          return;
        temperature *= cooling;
        feasible = 0;
      }
      if (finished(s)) return;
      if (done % MOVES_A_WINDOW == 0) move_window(s);
      if (done % MOVES_A_REFRESH == 0 && !has_plan(s))
        moc__incumbent_offer_peak(s->incumbent, moc__state_peak(state));
      if (!phase1 && !s->hurries && done % MOVES_A_REFRESH == 0) take_hints(s);
      if (s->reorders && done % refresh == 0 && !list_gaps(s)) return;
    }
    if (s->options->moves > 0 && s->moves >= s->options->moves) return;
    try_move(s, temperature);
    if (!moc__state_feasible(state)) continue;
    feasible++;
    if (!note(s)) {
      moc__incumbent_fail(s->incumbent);
      return;
    }
  }
}

/* The moves of the shortest schedules. */
static double shortest_schedule(const moc__staged *staged) {
  return FIRST_MOVES + FIRST_MOVES_A_PLACE * (double)staged->n;
}

/* Phase 1: a schedule for which only memory counts, and duration just enough to break ties. Of a hundred gaps `care` are opened with
 * what their recomputations need chosen by what it costs (sweep.h). */
static void find_with_care(search *s, int64_t length, double first, uint32_t care) {
  double price = s->price, worth = DURATION_WORTH * s->scale;
  s->price = worth / s->mean_size;
  s->care = care;
  run_schedule(s, length, first * worth, LAST_FEASIBILITY_TEMPERATURE * first * worth, true);
  s->care = 0;
  s->price = price;
}

/* The same by turns without and with some care. */
static void find_feasible(search *s, int64_t length, double first) {
  find_with_care(s, length, first, s->searches++ % 2 == 1 ? CARE_PERCENT : 0);
}

/* A new state of the empty set that allows `max_computes`. False, having told the incumbent, when memory is out. */
static bool allow_computes(search *s, const moc__staged *staged, int32_t max_computes) {
  moc__state_release(&s->state);
  if (moc__state_init(&s->state, staged, s->options->budget, max_computes, &s->incumbent->allocator, NULL) !=
      MOC_OK) {
    moc__incumbent_fail(s->incumbent);
    return false;
  }
  moc__incumbent_allow(s->incumbent, max_computes);
  return true;
}

/* Allow twice as many, but at least `least`, or as many as can be. */
static bool raise_computes(search *s, int64_t least) {
  int32_t allowed = s->state.max_computes, most = s->options->most_computes;
  if (allowed >= most) return true;
  return allow_computes(s, s->state.staged, (int32_t)moc__min(moc__max(2 * (int64_t)allowed, least), most));
}

/* Make the state this schedule: first computations in `order` (NULL: that of the staged model) and pairs, with room for as many
 * computations of an operation as it has, where so many may be: plans of constructions and of other threads may have more than were
 * allowed here. False when memory is out. */
static bool assign(search *s, const int32_t *order, const moc__pair *pairs, int64_t n_pairs) {
  int32_t most = 1;
  memset(s->computes, 0, (size_t)s->state.staged->n * sizeof *s->computes);
  for (int64_t i = 0; i < n_pairs; i++) {
    int32_t computes = 1 + ++s->computes[pairs[i].place];
    if (computes > most) most = computes;
  }
  if (most > s->state.max_computes && !raise_computes(s, most)) return false;
  return moc__state_assign(&s->state, order, pairs, n_pairs);
}

/* Make the state the staged schedule that is most like a sequence: pauses left out, so it may be over budget. False when memory is
 * out. */
static bool fold(search *s, const int32_t *sequence, int64_t length) {
  int32_t n = s->state.staged->n;
  int64_t pending = 0, n_pairs = 0, k = 0;
  if (!moc__candidate_reserve(&s->child, &s->incumbent->allocator, n, length)) return false;
  memset(s->taken, 0, (size_t)n * sizeof *s->taken);
  for (int64_t i = 0; i < length; i++) {
    int32_t p = sequence[i];
    if (s->taken[p]) {
      s->child.pairs[n_pairs + pending++].place = p;
      continue;
    }
    s->taken[p] = true;
    s->child.order[k++] = p;
    for (; pending > 0; pending--) s->child.pairs[n_pairs++].stage = p;
  }
  return assign(s, s->child.order, s->child.pairs, n_pairs) && list_gaps(s);
}

/* A staged plan from a sequence within budget, at once or by a short schedule. */
static bool stage(search *s, const moc__constructed *built) {
  if (!fold(s, built->sequence, built->length)) {
    moc__incumbent_fail(s->incumbent);
    return false;
  }
  moc__incumbent_offer(s->incumbent, &s->state);
  if (!has_plan(s)) find_feasible(s, (int64_t)shortest_schedule(s->state.staged), QUICK_TEMPERATURE);
  return has_plan(s);
}

/* Whether a peak over budget is so much nearer to it than what was built before that it is worth going on from there. */
static bool gets_on(const moc__incumbent *incumbent, int64_t peak, int64_t budget) {
  int64_t nearest = moc__nearest(incumbent);
  if (nearest == INT64_MAX) return true;
  return (double)(nearest - peak) > fmin(GETS_ON * (double)nearest, GETS_ON_PART * (double)(nearest - budget));
}

/* Build along a set over budget, of that peak, as near to the budget as may be. Sorts its pairs. Where the search started over
 * budget, it ends if that comes nearer: the solve goes on from there. */
static void build_along(search *s, moc__candidate *set, int64_t peak) {
  moc__incumbent *incumbent = s->incumbent;
  if (has_plan(s) || finished(s)) return;
  const moc__staged *staged = s->state.staged;
  int32_t *numbers = MOC__NEW(&incumbent->allocator, staged->n + set->n_pairs, int32_t);
  if (numbers == NULL) {
    moc__incumbent_fail(incumbent);
    return;
  }
  moc__constructed built;
  int64_t length = moc__staged_numbers(staged, set->order, set->pairs, set->n_pairs, numbers);
  if (moc__first_along(&s->first, numbers, length, peak, incumbent, &built)) {
    moc__release(&incumbent->allocator, numbers);
  } else {
    built = (moc__constructed){.sequence = numbers, .length = length, .peak = peak};
  }
  bool within = built.peak <= s->options->budget, taken = false;
  if (within && !s->approaches && stage(s, &built)) {
    s->squeezes = LATE_SQUEEZES;
  } else {
    taken = (within || gets_on(incumbent, built.peak, s->options->budget)) &&
            moc__incumbent_offer_sequence(incumbent, built.sequence, built.length, built.peak, within);
  }
  if (!taken) moc__release(&incumbent->allocator, built.sequence);
  s->alongs++;
  if (s->approaches) moc__incumbent_tried(incumbent, s->level, taken);
}

/* Along what a squeeze came to. */
static void build_along_found(search *s) {
  if (s->found.extra == INT64_MAX || s->found.over == 0) return;
  int64_t over = s->state.profile.budget + s->found.over;
  build_along(s, &s->found, over * s->state.unit + s->state.throughout);
}

/* Along the set where a descent ended. */
static void build_along_state(search *s) {
  const moc__state *state = &s->state;
  if (moc__state_feasible(state)) return;
  if (moc__candidate_take(&s->child, state, moc__profile_peak(&state->profile) - state->profile.budget))
    build_along(s, &s->child, moc__state_peak(state));
  else
    moc__incumbent_fail(s->incumbent);
}

/* Phase 1 by a greedy descent from where the search is. False when memory is out. */
static bool descend(search *s) {
  s->mover.price = DURATION_WORTH * s->scale / s->mean_size;
  if (!moc__sweep(&s->mover, stopped, s->incumbent)) return false;
  moc__incumbent_offer(s->incumbent, &s->state);
  return true;
}

/* Phase 1 once more from nothing, by turns in the order found beforehand and the input order: a greedy descent and a longer
 * schedule from where it ends, which comes nearer to a small budget than a squeeze of as many moves. Each second one takes
 * twice as long. False when memory is out. */
static bool descend_again(search *s, double length) {
  const int32_t *order = s->starts++ % 2 == 1 ? s->options->input_order : NULL;
  if (!moc__state_assign(&s->state, order, NULL, 0) || (s->reorders && !list_gaps(s)) || !descend(s)) return false;
  length = ldexp(DESCENT_LENGTH * length, (int)moc__min(s->descents++ / 2, MOST_DOUBLINGS));
  find_feasible(s, (int64_t)fmin(length, MOST_MOVES), QUICK_TEMPERATURE);
  build_along_state(s);
  return true;
}

/* Phase 1 by continuation: from where the search is, which is feasible for some larger budget, that falls by little to the
 * one asked for as long as feasible sets are met. So the set is good for every budget on the way, where a search that starts with
 * the least budget fills up with recomputations at random. True when it got there; else about `length` moves are used
 * up, or many more as long as it gets on. */
static bool squeeze(search *s, int64_t length) {
  moc__state *state = &s->state;
  int32_t target = state->profile.budget, start = moc__profile_peak(&state->profile);
  double most = fmax(start, fmax(target, 1)), budget = most, least = most,
         way = fmax(most / fmax(target, 1), LEAST_WAY);
  double falls = pow(way, -MOVES_A_CHECK / (SQUEEZE_PART * (double)length));
  int64_t feasible = 0, until = length, refresh = moves_a_refresh(s);
  bool there = false;
  choose_moves(s);
  moc__profile_set_budget(&state->profile, (int32_t)budget);
  for (int64_t done = 0; done < until && !there; done++) {
    if (done % MOVES_A_CHECK == 0) {
      if (done > 0) {
        moc__profile_weigh(&state->profile, HEAVIER_SHIFT, LIGHTER_SHIFT);
        adapt_price(s, (double)feasible / MOVES_A_CHECK);
        if (feasible > 0) {
          if (budget < (1 - GETS_ON) * least) {
            least = budget;
            until = moc__max(until, done + length / 2);
          }
          budget = fmax(target, budget * falls);
          moc__profile_set_budget(&state->profile, (int32_t)budget);
        } else if (s->price > STUCK * s->feasible_price || s->price >= s->most_price) {
          s->price = fmin(s->feasible_price, s->most_price / STUCK);
          budget = fmin(most, budget * (1 + GIVEN_BACK * moc__rng_unit(&s->rng)));
          moc__profile_set_budget(&state->profile, (int32_t)budget);
        }
        feasible = 0;
      }
      if (finished(s) || moc__excluded(s->incumbent)) break;
      if (done % MOVES_A_WINDOW == 0) move_window(s);
      if (s->reorders && done % refresh == 0 && !list_gaps(s)) break;
    }
    if (s->options->moves > 0 && s->moves >= s->options->moves) break;
    try_move(s, SQUEEZE_TEMPERATURE * s->scale);
    if (!moc__state_feasible(state)) continue;
    feasible++;
    there = state->profile.budget == target;
    int64_t over = state->profile.budget - target;
    bool nearer = (double)over < (1 - GETS_ON) * (double)s->found.over;
    bool shorter = over <= s->found.over && state->extra_duration < s->found.extra;
    if (there || !s->pooled || !(nearer || shorter)) continue;
    if (!moc__candidate_take(&s->found, state, over)) moc__incumbent_fail(s->incumbent);
  }
  if (!has_plan(s)) moc__incumbent_offer_peak(s->incumbent, moc__state_peak(state));
  moc__profile_set_budget(&state->profile, target);
  if (there && !note(s)) moc__incumbent_fail(s->incumbent);
  return there;
}

/* Phase 1 of middle-sized graphs: all gaps are opened with care, what comes of it is gone on from with a longer schedule, since little
 * may be left to do, and a schedule is built along that. */
static void find_carefully(search *s, double length) {
  for (int turn = 0; turn < CAREFUL_TURNS && !has_plan(s) && !finished(s); turn++)
    find_with_care(s, (int64_t)ldexp(length / 2, turn), CAREFUL_TEMPERATURE, 100);
  s->searches++; /* so that the next one, from nothing, has some care too */
  build_along_state(s);
}

static bool restart_from_best(search *s) {
  int64_t count = moc__incumbent_copy(s->incumbent, s->best_order, &s->best, &s->best_capacity);
  if (count < 0 || !assign(s, s->best_order, s->best, count)) return false;
  return list_gaps(s);
}

static double mean_size(const moc__staged *staged) {
  double sum = 0;
  for (int32_t t = 0; t < staged->n_tensors; t++) sum += (double)staged->size[t];
  return fmax(sum / fmax(staged->n_tensors, 1), 1);
}

static double mean_duration(const moc__staged *staged) {
  int64_t count = 0;
  for (int32_t p = 0; p < staged->n; p++) count += staged->duration[p] > 0;
  return count == 0 ? 1 : (double)staged->total_duration / (double)count;
}

/* A sample of the hints or the empty set, where the order is searched too by turns in the order found beforehand and the
 * input order: they lead to different plans. */
static void start_from_nothing(search *s) {
  const int32_t *order = s->starts++ % 2 == 1 ? s->options->input_order : NULL;
  if (s->heeds) moc__hints_sample(&s->hints, &s->rng);
  (void)moc__state_assign(&s->state, order, s->hints.sample, s->heeds ? s->hints.n_sample : 0);
  if (s->reorders) (void)list_gaps(s);
  s->price = s->feasible_price;
}

/* Start from the plan that was built, each time anew: where a schedule settles depends on chance. */
static void start_from_built(search *s) {
  if (assign(s, s->built.order, s->built.pairs, s->built.n_pairs)) (void)list_gaps(s);
  s->price = s->feasible_price = s->fair_price;
}

/* Build a plan, or see that there is none, if there is none yet, with what effort `moves` allow. */
static void try_first(search *s, int64_t moves) {
  if (!s->options->improves && !has_plan(s)) moc__first_round(&s->first, moves, s->incumbent);
}

/* False when there is nothing to cross. */
static bool start_from_cross(search *s) {
  if (!moc__pool_cross(s->pool, &s->rng, s->taken, &s->child)) return false;
  return assign(s, s->child.order, s->child.pairs, s->child.n_pairs) && list_gaps(s);
}

/* The next turn. After one that came to no plan, as most do at a tight budget, the best plan has some, the more the longer
 * that goes on: which makes it better, and plans to cross. */
static moc__turn next_turn(search *s) {
  if (s->owed > 0) {
    s->owed--;
    return MOC__REHEAT;
  }
  return moc__pool_next(s->pool, &s->generation);
}

static void count_barren(search *s, moc__turn turn) {
  if (turn == MOC__REHEAT) return;
  s->barren = s->found.extra == INT64_MAX ? (int32_t)moc__min(s->barren + 1, MOST_OWED) : 0;
  s->owed = s->barren;
}

/* Where there is a plan that was built, all starts are from that, or half of them where it has few pauses. */
static bool starts_from_built(search *s) {
  if (!s->has_built) return false;
  const moc__staged *staged = s->state.staged;
  int32_t pauses = 0;
  for (int32_t p = 0; p < staged->n; p++) pauses += staged->order[p] == MOC_NONE;
  return pauses > FEW_PAUSES * (double)staged->n || moc__rng_below(&s->rng, 2) == 0;
}

/* One turn of a generation of plans; see pool.h. Turns of the first generation take about `length` moves. */
static void take_turn(search *s, double length, double first, double last) {
  moc__turn turn = next_turn(s);
  length = fmin(ldexp(length, s->generation), MOST_MOVES);
  s->pooled = true;
  s->found.extra = s->found.over = INT64_MAX;
  take_hints(s);
  s->heeds = draw_heeds(s, turn);
  if (turn == MOC__START && starts_from_built(s)) {
    start_from_built(s);
    run_schedule(s, (int64_t)length, BUILT_HEAT[moc__rng_below(&s->rng, 4)] * first, last, false);
  } else if (turn == MOC__START) {
    start_from_nothing(s);
    run_schedule(s, (int64_t)length, s->heeds ? SAMPLED_HEAT[moc__rng_below(&s->rng, 4)] * first : first, last,
                 false);
  } else if (turn == MOC__CROSS && start_from_cross(s)) {
    run_schedule(s, (int64_t)length, CROSS_HEAT[moc__rng_below(&s->rng, 2)] * first, last, false);
  } else if (restart_from_best(s)) {
    run_schedule(s, (int64_t)length, HEAT[moc__rng_below(&s->rng, 2)] * first, last, false);
  }
  if (turn == MOC__START) rate_start(s);
  count_barren(s, turn);
  if (!moc__pool_offer(s->pool, &s->found)) moc__incumbent_fail(s->incumbent);
}

/* A squeeze from where the search is; what it comes to is for crosses, and is built along. */
static void squeeze_and_build(search *s, int64_t length, double last) {
  if (squeeze(s, length)) run_schedule(s, length, SQUEEZE_TEMPERATURE * s->scale, last, false);
  if (!moc__pool_offer(s->pool, &s->found)) moc__incumbent_fail(s->incumbent);
  build_along_found(s);
}

/* A squeeze, from nothing or of a cross of the sets that came nearest to the budget. From nothing the first ones take about `length` moves.
 * False when memory is out. */
static bool squeeze_turn(search *s, double length, double last) {
  moc__turn turn = moc__pool_next(s->pool, &s->generation);
  length = fmin(ldexp(length, s->generation), MOST_MOVES);
  s->pooled = true;
  s->found.extra = s->found.over = INT64_MAX;
  take_hints(s);
  bool crosses = turn != MOC__START || s->starts >= SQUEEZED_STARTS;
  double longer = SQUEEZE_LENGTH;
  if (!crosses || moc__rng_below(&s->rng, 8) == 0 || !start_from_cross(s)) {
    if (!raise_computes(s, SQUEEZE_COMPUTES)) return false;
    start_from_nothing(s);
    s->price = s->feasible_price = s->fair_price;
    longer = 1;
  }
  squeeze_and_build(s, (int64_t)fmin(longer * length, MOST_MOVES), last);
  return true;
}

/* Try phase 1 again: by a squeeze, by a descent, then mostly by whichever came nearer to the budget, which depends on the graph. False
 * when memory is out. */
static bool try_again(search *s, double length, double last) {
  const moc__profile *profile = &s->state.profile;
  bool descends = s->descended == 0 ? s->squeezed > 0 : s->descended < s->squeezed;
  if (s->descended > 0 && moc__rng_below(&s->rng, 100) < OTHER_PERCENT) descends = !descends;
  if (descends) {
    if (!descend_again(s, length)) return false;
    int32_t peak = moc__profile_peak(profile);
    if (s->descended == 0 || peak < s->descended) s->descended = peak;
  } else {
    if (!squeeze_turn(s, length, last)) return false;
    int64_t peak = s->found.over == INT64_MAX ? INT32_MAX : profile->budget + s->found.over;
    if (s->squeezed == 0 || peak < s->squeezed) s->squeezed = (int32_t)peak;
  }
  return true;
}

/* Nearer to the budget from a set over it that was built: by squeezes from that or from crosses of what those come to, along
 * which is built. That ends the search as soon as it gets somewhere. */
static void approach(search *s, double shortest, double last) {
  s->pooled = true;
  for (int32_t run = 0; !finished(s) && !has_plan(s); run++) {
    if (run == MOST_APPROACHES) {
      moc__incumbent_stop(s->incumbent);
      return;
    }
    s->level = s->options->level + run;
    double length =
        fmin(ldexp(shortest, s->level / 2 + (int)moc__min(s->options->restarts, MOST_DOUBLINGS)), MOST_MOVES);
    moc__first_refute(&s->first, s->moves, s->incumbent);
    s->found.extra = s->found.over = INT64_MAX;
    if (run % 3 != 2 || !start_from_cross(s)) start_from_built(s);
    squeeze_and_build(s, (int64_t)length, last);
  }
}

/* Take out of the best plan, one by one, the recomputations without which it is within budget too: half of what a greedy descent
 * leaves, in a time in which annealing gets nowhere yet. */
static void prune(search *s) {
  moc__state *state = &s->state;
  if (!restart_from_best(s)) return;
  for (int64_t i = state->n_pairs - 1; i >= 0; i--) {
    if (s->options->moves > 0 && s->moves >= s->options->moves) break;
    if (s->moves % MOVES_A_CHECK == 0 && finished(s)) break;
    if (i >= state->n_pairs) continue; /* others went along */
    s->moves++;
    moc__state_begin(state);
    (void)moc__move_drop(&s->mover, i);
    moc__state_settle(state);
    if (moc__state_feasible(state))
      moc__state_commit(state);
    else
      moc__state_undo(state);
  }
  moc__incumbent_offer(s->incumbent, state);
}

/* What comes first after a plan of a graph that is not small: it is pruned, and some schedules are short and cool, so that it gets
 * better soon. The relaxation's first look, which takes seconds on some graphs, comes after them. */
static void improve_soon(search *s, int32_t turn, double length, double first, double last) {
  if (turn == 0) prune(s);
  s->hurries = true;
  if (restart_from_best(s)) run_schedule(s, (int64_t)length, first, last, false);
  s->hurries = false;
}

/* On large graphs a schedule from nothing would take long: all start from the best, the first ones short and cool, so that
 * the plan gets better soon. */
static void improve_gradually(search *s, int64_t run, double length, double first, double last) {
  if (restart_from_best(s)) run_schedule(s, (int64_t)length, GRADUAL_HEAT[run % 3] * first, last, false);
}

/* Take the set that was built. False, having told the incumbent, when memory is out. */
static bool start_over_budget(search *s) {
  moc__state *state = &s->state;
  const moc__anneal_options *options = s->options;
  bool ok = (state->max_computes >= SQUEEZE_COMPUTES || raise_computes(s, SQUEEZE_COMPUTES)) &&
            assign(s, NULL, options->start, options->n_start) && list_gaps(s) &&
            moc__candidate_take(&s->built, state, 1);
  if (!ok) moc__incumbent_fail(s->incumbent);
  return ok;
}

/* Where no staged schedule exists: what is left are others, which can only be built. */
static void build_only(search *s) {
  bool limited = s->options->limited || s->options->moves > 0;
  for (int64_t round = 0; !finished(s) && !(limited && round == LAST_ROUNDS); round++) {
    try_first(s, INT64_MAX);
    if (moc__built(s->incumbent) || (!limited && moc__nearest(s->incumbent) < INT64_MAX))
      moc__incumbent_stop(s->incumbent);
  }
}

/* Whether what was built is as near to the budget as the search gets, while there is no plan: the sooner the farther it is. */
static bool is_nearest(const search *s) {
  int64_t nearest = moc__nearest(s->incumbent), budget = s->options->budget;
  if (nearest == INT64_MAX || (s->options->limited && !s->options->reorders))
    return false; /* it may be proved that there is none */
  bool near = (double)nearest < (1 + NEAR) * (double)budget;
  return s->alongs >= (near ? PATIENCE_NEAR : PATIENCE);
}

/* Before all else a short search for any plan, for which only memory counts; on middle-sized graphs with care, on large ones after a
 * greedy descent: plans that are poor, so that they are pruned and some short schedules improve them first. Until there is one,
 * schedules that start from the empty set by turns with others that look for feasibility alone. After that plans are crossed with one
 * another. */
static void run_schedules(search *s, const moc__staged *staged) {
  double shortest = shortest_schedule(staged), length = shortest;
  double first = FIRST_TEMPERATURE * s->scale, last = LAST_TEMPERATURE * s->scale;
  bool gradual = length > LONG_SCHEDULE;
  int64_t attempts = 0;
  int32_t shorts = 0;
  bool waited = moc__built(s->incumbent); /* what was built waits for a try at phase 1, whose plans are better */
  bool middle = !gradual && staged->n >= MIDDLE;
  bool builds = !gradual && s->first.options->builder;
  if (s->approaches) {
    if (!start_over_budget(s)) return;
    approach(s, shortest, last);
  }
  if (s->has_built && !finished(s) && !(restart_from_best(s) && moc__candidate_take(&s->built, &s->state, 0))) {
    moc__incumbent_fail(s->incumbent);
    return;
  }
  if (moc__excluded(s->incumbent)) {
    build_only(s);
    return;
  }
  if (middle && !s->has_built) {
    find_carefully(s, length);
  } else {
    if (gradual && !s->has_built && !descend(s)) return;
    find_feasible(s, (int64_t)length, QUICK_TEMPERATURE);
  }
  if (!gradual && !has_plan(s) && !finished(s)) { /* once more, with care */
    (void)moc__state_assign(&s->state, NULL, NULL, 0);
    find_feasible(s, (int64_t)length, QUICK_TEMPERATURE);
  }
  if (gradual) {
    length = fmin(length, LONG_SCHEDULE);
    last *= COOLER;
  }
  for (int64_t run = 0; !finished(s); run++) {
    if (moc__excluded(s->incumbent)) {
      build_only(s);
      return;
    }
    try_first(s, s->moves);
    bool planned = has_plan(s);
    if (planned && s->options->aside != NULL && !s->went_aside && s->moves >= MOVES_BEFORE_ASIDE) {
      s->went_aside = true;
      s->options->aside(s->options->context);
    }
    if (planned && (middle || gradual) && shorts < SHORT_SCHEDULES) {
      int doublings = gradual && shorts < DOUBLED_SCHEDULES ? shorts - DOUBLED_SCHEDULES : 0;
      improve_soon(s, shorts++, ldexp((gradual ? length : shortest) / SHORTER, doublings),
                   (gradual ? GRADUAL_HEAT[0] : SHORT_HEAT) * first, gradual ? last : COOLER * last);
      continue;
    }
    if (planned && !gradual && s->squeezes > 0 && run % 2 == 0) {
      s->squeezes--;
      if (!squeeze_turn(s, shortest, last)) return;
      continue;
    }
    if (planned && !gradual) {
      take_turn(s, shortest, first, last);
      continue;
    }
    if (planned) {
      improve_gradually(s, run, length, first, last);
    } else if (((gradual || waited) && moc__built(s->incumbent)) || is_nearest(s)) {
      moc__incumbent_stop(s->incumbent); /* the solve goes on with what was built */
    } else if (run % 3 == 0 && gradual) {
      start_from_nothing(s);
      run_schedule(s, (int64_t)length, first, last, false);
    } else if (builds && run % 2 == 0 && !moc__built(s->incumbent)) {
      continue;
    } else if (!gradual || run % 4 != 3) {
      s->owed = LATE_SCHEDULES; /* once there is a plan */
      if (!(gradual ? squeeze_turn(s, shortest, last) : try_again(s, shortest, last))) return;
      waited = true;
    } else {
      find_feasible(s, (int64_t)length, FEASIBILITY_TEMPERATURES[attempts++ % 4]);
    }
    if (!planned) moc__incumbent_offer_peak(s->incumbent, moc__state_peak(&s->state));
    if (run % 3 == 2) length = fmin(length * (planned ? 2 : 1.5), MOST_MOVES);
    if (gradual && !planned && attempts > 0 && attempts % 4 == 0 && !raise_computes(s, 0)) return;
  }
}

void moc__anneal(const moc__staged *staged, const moc__anneal_options *options, moc__pool *pool, moc__guide *guide,
                 moc__incumbent *incumbent) {
  search s = {.options = options,
              .incumbent = incumbent,
              .pool = pool,
              .guide = guide,
              .state = {.allocator = incumbent->allocator},
              .gaps = {.allocator = incumbent->allocator},
              .hints = {.allocator = incumbent->allocator},
              .hinted = {.allocator = incumbent->allocator},
              .relaxer = {.retain = {.allocator = incumbent->allocator}},
              .first = {.recall = {.allocator = incumbent->allocator}},
              .reorders = options->reorders,
              .approaches = options->n_start > 0,
              .has_built = options->improves || options->n_start > 0,
              .aim = options->reorders ? FEASIBLE_SHARE_OF_ORDERS : FEASIBLE_SHARE,
              .feasible_share = FEASIBLE_SHARE,
              .best_order = MOC__NEW(&incumbent->allocator, staged->n, int32_t),
              .taken = MOC__NEW(&incumbent->allocator, staged->n, bool),
              .computes = MOC__NEW(&incumbent->allocator, staged->n, int32_t)};
  moc__first_options first = {.budget = options->budget,
                              .max_computes = options->most_computes,
                              .input_order = options->input_order,
                              .seed = options->seed,
                              .stream = options->stream,
                              .rounds =
                                  (int32_t)moc__max(options->refutations, atomic_load(&incumbent->refutations)),
                              .moves_before = options->moves_before,
                              .restarts = options->restarts,
                              .builder = options->stream % 2 == 1,
                              .refutes = options->refutes};
  moc__rng_init(&s.rng, options->seed, options->stream);
  if (s.best_order != NULL && s.taken != NULL && s.computes != NULL &&
      allow_computes(&s, staged, options->max_computes) &&
      moc__gaps_init(&s.gaps, staged, s.state.place, NULL, NULL, &incumbent->allocator, NULL) == MOC_OK &&
      moc__hints_init(&s.hints, staged->n, &incumbent->allocator, NULL) == MOC_OK &&
      moc__first_init(&s.first, staged, &first, &incumbent->allocator, NULL) == MOC_OK) {
    s.mover = (moc__mover){.state = &s.state, .gaps = &s.gaps, .rng = &s.rng};
    s.scale = mean_duration(staged);
    s.mean_size = MOC__WEIGHT * mean_size(staged) / (double)s.state.unit;
    s.feasible_price =
        FIRST_PRICE * (double)moc__max(staged->total_duration, 1) / (double)moc__max(s.state.profile.excess, 1);
    if (s.has_built) s.feasible_price = DURATION_WORTH * s.scale / s.mean_size;
    s.most_price = fmax(MOST_PRICE / MOC__WEIGHT * s.scale, s.feasible_price);
    s.price = s.fair_price = s.feasible_price;
    if (options->relaxes)
      moc__relaxer_init(&s.relaxer, staged, options->budget, options->most_computes, &incumbent->allocator);
    moc__incumbent_offer(incumbent, &s.state);
    run_schedules(&s, staged);
  } else {
    moc__incumbent_fail(incumbent);
  }
  moc__candidate_release(&s.found, &incumbent->allocator);
  moc__candidate_release(&s.built, &incumbent->allocator);
  moc__candidate_release(&s.child, &incumbent->allocator);
  moc__release(&incumbent->allocator, s.taken);
  moc__release(&incumbent->allocator, s.computes);
  moc__release(&incumbent->allocator, s.best);
  moc__release(&incumbent->allocator, s.best_order);
  moc__gaps_release(&s.gaps);
  moc__gaps_release(&s.hinted);
  moc__hints_release(&s.hints);
  moc__relaxer_release(&s.relaxer);
  moc__first_release(&s.first);
  moc__state_release(&s.state);
}
