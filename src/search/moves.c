/* Moves of the local search; see moves.h. */
#include "search/moves.h"

#include <float.h>
#include <math.h>

/* Most toggles of one move, and so most depth of the recursion to inputs: mostly few, because short moves are fast
 * and longer chains are built by several; now and then many, to cross what short moves cannot. */
static int32_t draw_toggles(moc__rng *rng) {
  static const int32_t MOST_TOGGLES[] = {4, 4, 4, 4, 8, 8, 8, 24};
  return MOST_TOGGLES[moc__rng_below(rng, 8)];
}

/* --- Evict --- */

bool moc__gap_around(const moc__state *state, int32_t t, int32_t at, int32_t *before, int32_t *next) {
  const moc__staged *staged = state->staged;
  const int32_t *place = state->place;
  int32_t p = staged->producer[t], first = staged->n - 1;
  const int32_t *stages = state->instance_stage + (int64_t)p * state->max_computes;
  int32_t last = place[stages[moc__latest(state, p, state->order[at])]];
  for (int64_t i = staged->readers.start[t]; i < staged->readers.start[t + 1]; i++) {
    int32_t v = staged->readers.items[i], where = place[v];
    if (where == at) return false;
    if (where > at) {
      if (where < first) first = where;
      continue;
    }
    if (where > last) last = where;
    stages = state->instance_stage + (int64_t)v * state->max_computes;
    for (int32_t j = 1; j < state->count[v]; j++) {
      int32_t again = place[stages[j]];
      if (again > at) {
        if (again < first) first = again;
        break;
      }
      if (again > last) last = again;
    }
  }
  *before = last;
  *next = first;
  return true;
}

/* Input u of a computation of stage k at `now` is gone by then, having ended at *ended. */
static bool is_gone(const moc__state *state, int32_t u, int32_t k, int64_t now, int64_t *ended) {
  int32_t q = state->staged->producer[u];
  if (q < 0) return false;
  *ended = *moc__end(state, u, moc__latest(state, q, k));
  return moc__when(state, *ended) < now && !moc__has_pair(state, q, k);
}

/* Whether input u, whose instance ends at place `ended` before it is needed, is to be computed again rather than held
 * on to. Holding costs its bytes at the places in between, above all at `at`, which is over budget. By chance, because
 * a choice by estimated costs was measured to trap the search. */
static bool recompute_input(moc__mover *mover, int32_t u, int32_t ended, int32_t at, int32_t evicted) {
  double hold = (double)mover->state->size[u] * (ended < at ? 3 : 0.5);
  return moc__rng_unit(mover->rng) * (hold + (double)evicted) < hold;
}

/* Compute p in stage k, after those of its inputs that are gone and not to be held. */
static void compute_again(moc__mover *mover, int32_t p, int32_t k, int32_t at, int32_t evicted) {
  moc__state *state = mover->state;
  const moc__staged *staged = state->staged;
  int64_t now = moc__when(state, MOC__EVENT(k, p)), ended;
  mover->allowance -= (double)staged->duration[p];
  for (int64_t i = staged->reads.start[p]; i < staged->reads.start[p + 1]; i++) {
    int32_t u = staged->reads.items[i], q = staged->producer[u];
    if (!is_gone(state, u, k, now, &ended) || staged->compute_once[q] || state->count[q] == state->max_computes ||
        (double)staged->duration[q] > mover->allowance || mover->toggles_left <= 1)
      continue;
    mover->toggles_left--;
    if (recompute_input(mover, u, state->place[moc__event_stage(ended)], at, evicted))
      compute_again(mover, q, k, at, evicted);
  }
  (void)moc__state_add(state, p, k);
}

/* An estimate of what computing p again in stage k costs: it, and for those of its inputs that are gone by then either
 * their own computation or holding them. */
static double cost_again(const moc__mover *mover, int32_t p, int32_t k) {
  const moc__state *state = mover->state;
  const moc__staged *staged = state->staged;
  int64_t now = moc__when(state, MOC__EVENT(k, p)), ended;
  double cost = (double)staged->duration[p];
  for (int64_t i = staged->reads.start[p]; i < staged->reads.start[p + 1]; i++) {
    int32_t u = staged->reads.items[i];
    if (!is_gone(state, u, k, now, &ended)) continue;
    int64_t burden = moc__profile_burden(&state->profile, state->place[moc__event_stage(ended)] + 1,
                                         state->place[k], state->size[u]);
    cost += fmin(mover->price * (double)burden, (double)staged->duration[staged->producer[u]]);
  }
  return cost;
}

/* A choice by highest score plus this draws each with the probability that its score has at the temperature (the
 * Gumbel distribution). */
static double noise(const moc__mover *mover) {
  return -mover->temperature * log(-log(moc__rng_unit(mover->rng) + DBL_MIN) + DBL_MIN);
}

/* A pair that may be added, and what speaks for it. */
typedef struct candidate {
  int32_t tensor;
  int32_t p, k;
  double score;
} candidate;

/* Then what is gained by opening a gap of one tensor is all there is to gain. */
static bool single_output(const moc__state *state, int32_t p) {
  return state->staged->first_output[p + 1] - state->staged->first_output[p] == 1;
}

/* A tensor with a gap around place `at`; mostly one that the relaxation recomputes. */
static int32_t draw_gap(const moc__mover *mover, int32_t at) {
  int32_t t = -1;
  if (mover->hinted != NULL && moc__rng_below(mover->rng, 100) < mover->hinted_percent)
    t = moc__gaps_draw(mover->hinted, at, mover->rng);
  return t >= 0 ? t : moc__gaps_draw(mover->gaps, at, mover->rng);
}

/* A tensor held across the stage at place `at`, and the stage of its next use. */
static bool draw_across(const moc__mover *mover, int32_t at, candidate *c) {
  const moc__state *state = mover->state;
  int32_t t = draw_gap(mover, at);
  if (t < 0) return false;
  int32_t p = state->staged->producer[t], before, next;
  double duration = (double)state->staged->duration[p];
  if (state->place[p] >= at || state->count[p] == state->max_computes || duration > mover->allowance) return false;
  int64_t end = *moc__end(state, t, moc__latest(state, p, state->order[at]));
  if (state->place[moc__event_stage(end)] <= at || !moc__gap_around(state, t, at, &before, &next) || next <= at)
    return false;
  if (moc__rng_below(mover->rng, 8) == 0)
    next = at + 1 + (int32_t)moc__rng_below(mover->rng, (uint32_t)(next - at));
  double relief = mover->price * (double)moc__profile_relief(&state->profile, before + 1, next - 1, state->size[t]);
  if (duration - relief > mover->limit && single_output(state, p)) return false;
  int32_t k = state->order[next];
  if (moc__has_pair(state, p, k)) return false;
  *c = (candidate){t, p, k, relief - cost_again(mover, p, k) + noise(mover)};
  return true;
}

/* A tensor that some computation of stage k reads: where others are computed again before it in the stage, it may be
 * dropped during those and computed again after them. */
static bool draw_within(const moc__mover *mover, int32_t k, candidate *c) {
  const moc__state *state = mover->state;
  const moc__staged *staged = state->staged;
  int32_t reader = k;
  for (int32_t node = state->first_node[k]; node >= 0; node = state->nodes[node].next) {
    if (moc__rng_below(mover->rng, 4) == 0) {
      reader = state->nodes[node].number;
      break;
    }
  }
  int64_t count = staged->reads.start[reader + 1] - staged->reads.start[reader];
  if (count == 0) return false;
  int32_t t = staged->reads.items[staged->reads.start[reader] + moc__rng_below(mover->rng, (uint32_t)count)];
  int32_t p = staged->producer[t];
  *c = (candidate){t, p, k, 0};
  return p >= 0 && !staged->compute_once[p] && state->count[p] < state->max_computes &&
         !moc__has_pair(state, p, k) && (double)staged->duration[p] <= mover->allowance;
}

bool moc__move_evict(moc__mover *mover, int32_t at) {
  enum { MOST_COMPARED = 8 };
  moc__state *state = mover->state;
  candidate best = {.p = -1, .score = -INFINITY}, c;
  int32_t k = state->order[at];
  if (state->first_node[k] >= 0 && moc__rng_below(mover->rng, 8) == 0) {
    if (draw_within(mover, k, &c)) best = c;
  } else {
    for (int i = 0; i < MOST_COMPARED; i++) {
      if (draw_across(mover, at, &c) && c.score > best.score) best = c;
    }
  }
  if (best.p < 0) return false;
  int64_t before = state->n_journal;
  mover->toggles_left = draw_toggles(mover->rng);
  compute_again(mover, best.p, best.k, at, state->size[best.tensor]);
  return state->n_journal > before;
}

/* --- Drop --- */

enum { MOST_DROPS = 96 }; /* of one move, and so most depth of its recursion */

/* The recomputation of p in stage k serves nobody. */
static bool is_idle(const moc__state *state, int32_t p, int32_t k) {
  const moc__staged *staged = state->staged;
  int32_t i = moc__latest(state, p, k);
  for (int32_t t = staged->first_output[p]; t < staged->first_output[p + 1]; t++) {
    if (*moc__end(state, t, i) != MOC__EVENT(k, p)) return false;
  }
  return true;
}

static void drop(moc__mover *mover, int32_t p, int32_t k) {
  moc__state *state = mover->state;
  const moc__staged *staged = state->staged;
  if (!moc__state_remove(state, p, k)) return;
  mover->allowance += (double)staged->duration[p];
  mover->toggles_left--;
  for (int64_t i = staged->reads.start[p]; i < staged->reads.start[p + 1]; i++) {
    int32_t q = staged->producer[staged->reads.items[i]];
    if (q < 0 || mover->toggles_left <= 0) continue;
    int32_t stage = state->instance_stage[(int64_t)q * state->max_computes + moc__latest(state, q, k)];
    if (stage != q && is_idle(state, q, stage)) drop(mover, q, stage);
  }
}

bool moc__move_drop(moc__mover *mover, int64_t index) {
  moc__pair pair = mover->state->pairs[index];
  mover->toggles_left = MOST_DROPS;
  drop(mover, pair.place, pair.stage);
  return true;
}

bool moc__move_hold(moc__mover *mover, int64_t index) {
  const moc__state *state = mover->state;
  int32_t p = state->pairs[index].place;
  const int32_t *stages = state->instance_stage + (int64_t)p * state->max_computes;
  mover->toggles_left = MOST_DROPS;
  for (int32_t left = state->count[p] - 1; left > 0 && mover->toggles_left > 0; left--) drop(mover, p, stages[1]);
  return true;
}

/* --- Shift --- */

/* The first place, from stage k's on, at which an output of p computed there is read. */
static int32_t first_use(const moc__state *state, int32_t p, int32_t k) {
  const moc__staged *staged = state->staged;
  int32_t first = staged->n - 1;
  for (int32_t t = staged->first_output[p]; t < staged->first_output[p + 1]; t++) {
    for (int64_t r = staged->readers.start[t]; r < staged->readers.start[t + 1]; r++) {
      int32_t v = staged->readers.items[r];
      const int32_t *stages = state->instance_stage + (int64_t)v * state->max_computes;
      for (int32_t i = 0; i < state->count[v]; i++) {
        int32_t where = state->place[stages[i]];
        if (where < state->place[k]) continue;
        if (where < first) first = where;
        break;
      }
    }
  }
  return first;
}

bool moc__move_shift(moc__mover *mover, int64_t index) {
  moc__state *state = mover->state;
  int32_t p = state->pairs[index].place, k = state->pairs[index].stage, at = state->place[k];
  const int32_t *stages = state->instance_stage + (int64_t)p * state->max_computes;
  int32_t i = moc__latest(state, p, k);
  int32_t low = state->place[stages[i - 1]] + 1;
  int32_t high = i + 1 < state->count[p] ? state->place[stages[i + 1]] - 1 : state->staged->n - 1;
  if (low >= high) return false;
  int32_t to, die = (int32_t)moc__rng_below(mover->rng, 3);
  if (die == 0) { /* as late as its readers allow */
    to = first_use(state, p, k);
  } else if (die == 1) { /* near */
    int32_t reach = 1 + (int32_t)moc__rng_below(mover->rng, 8);
    to = at + (moc__rng_below(mover->rng, 2) == 0 ? -reach : reach);
  } else {
    to = low + (int32_t)moc__rng_below(mover->rng, (uint32_t)(high - low + 1));
  }
  if (to < low || to > high || to == at) return false;
  (void)moc__state_remove(state, p, k);
  return moc__state_add(state, p, state->order[to]);
}

/* --- Carry --- */

enum { MOST_PAIRS_CARRIED = 96 }; /* by one move, and so most depth of its recursion */

/* Move the recomputation of p in stage k to stage `to`, after those of what it reads. */
static void carry(moc__mover *mover, int32_t p, int32_t k, int32_t to) {
  moc__state *state = mover->state;
  const moc__staged *staged = state->staged;
  if (mover->toggles_left-- <= 0 || !moc__state_remove(state, p, k)) return;
  for (int64_t i = staged->reads.start[p]; i < staged->reads.start[p + 1]; i++) {
    int32_t q = staged->producer[staged->reads.items[i]];
    if (q >= 0 && moc__has_pair(state, q, k)) carry(mover, q, k, to);
  }
  (void)moc__state_add(state, p, to);
}

bool moc__move_carry(moc__mover *mover, int64_t index) {
  enum { FARTHEST = 8 };
  const moc__state *state = mover->state;
  int32_t p = state->pairs[index].place, k = state->pairs[index].stage, at = state->place[k], to;
  uint32_t die = moc__rng_below(mover->rng, 4);
  if (die == 0) { /* as late as its readers allow */
    to = first_use(state, p, k);
  } else {
    int32_t reach = die < 3 ? 1 : 1 + (int32_t)moc__rng_below(mover->rng, FARTHEST);
    to = at + (moc__rng_below(mover->rng, 2) == 0 ? -reach : reach);
  }
  if (to <= state->place[p] || to >= state->staged->n || to == at) return false;
  mover->toggles_left = MOST_PAIRS_CARRIED;
  carry(mover, p, k, state->order[to]);
  return true;
}

/* --- Reorder --- */

enum { NEAR = 8, FAR = 64, MOST_CARRIED = 12 };

/* Move v to place `to`, further back than its window allows: what it reads goes before it, and what that reads. */
static bool pull(moc__mover *mover, int32_t v, int32_t to) {
  moc__state *state = mover->state;
  const moc__staged *staged = state->staged;
  if (mover->toggles_left-- <= 0) return false;
  for (int64_t i = staged->reads.start[v]; i < staged->reads.start[v + 1]; i++) {
    int32_t q = staged->producer[staged->reads.items[i]];
    if (state->place[q] < to) continue; /* no producer: place[-1] is -1 */
    if (!pull(mover, q, to)) return false;
    if (state->place[q] + 1 > to) to = state->place[q] + 1;
  }
  int32_t low, high;
  moc__state_window(state, v, &low, &high);
  if (to < low) to = low;
  return to >= state->place[v] || moc__state_reorder(state, v, to);
}

/* Move v to place `to`, further on than its window allows: its readers go behind it, and theirs. */
static bool push(moc__mover *mover, int32_t v, int32_t to) {
  moc__state *state = mover->state;
  const moc__staged *staged = state->staged;
  if (mover->toggles_left-- <= 0) return false;
  for (int32_t t = staged->first_output[v]; t < staged->first_output[v + 1]; t++) {
    for (int64_t r = staged->readers.start[t]; r < staged->readers.start[t + 1]; r++) {
      int32_t reader = staged->readers.items[r];
      if (state->place[reader] > to) continue;
      if (!push(mover, reader, to)) return false;
      if (state->place[reader] - 1 < to) to = state->place[reader] - 1;
    }
  }
  int32_t low, high;
  moc__state_window(state, v, &low, &high);
  if (to > high) to = high;
  return to <= state->place[v] || moc__state_reorder(state, v, to);
}

bool moc__move_reorder(moc__mover *mover, int32_t at) {
  moc__state *state = mover->state;
  moc__rng *rng = mover->rng;
  int32_t n = state->staged->n, low, high;
  int64_t before = state->n_journal;
  int32_t near = at + (int32_t)moc__rng_below(rng, 2 * NEAR + 1) - NEAR;
  if (near >= 0 && near < n) at = near;
  int32_t v = state->order[at], reach = 1 + (int32_t)moc__rng_below(rng, moc__rng_below(rng, 2) == 0 ? NEAR : FAR);
  moc__state_window(state, v, &low, &high);
  uint32_t die = moc__rng_below(rng, 8);
  if (die < 2) { /* with what is in the way */
    mover->toggles_left = MOST_CARRIED;
    int32_t to = die == 0 ? at - reach : at + reach;
    to = to < 0 ? 0 : to >= n ? n - 1 : to;
    (void)(die == 0 ? pull(mover, v, to) : push(mover, v, to));
    return state->n_journal > before;
  }
  if (low >= high) return false;
  int32_t to;
  if (die == 2) {
    to = moc__rng_below(rng, 2) == 0 ? low : high;
  } else if (die < 6) {
    to = moc__rng_below(rng, 2) == 0 ? at - reach : at + reach;
    to = to < low ? low : to > high ? high : to;
  } else {
    to = low + (int32_t)moc__rng_below(rng, (uint32_t)(high - low + 1));
  }
  return to != at && moc__state_reorder(state, v, to);
}

/* --- Clear --- */

static bool reads(const moc__staged *staged, int32_t v, int32_t t) {
  for (int64_t i = staged->reads.start[v]; i < staged->reads.start[v + 1]; i++) {
    if (staged->reads.items[i] == t) return true;
  }
  return false;
}

bool moc__move_clear(moc__mover *mover, int32_t at) {
  moc__state *state = mover->state;
  const moc__staged *staged = state->staged;
  int64_t journal = state->n_journal;
  int32_t before, next, t = moc__gaps_draw(mover->gaps, at, mover->rng);
  if (t < 0 || !moc__gap_around(state, t, at, &before, &next) || next <= at || before >= at) return false;
  int32_t p = staged->producer[t], v = state->order[next];
  bool pulls = reads(staged, v, t), pushes = before == state->place[p]; /* else a recomputation reads or makes it */
  mover->toggles_left = MOST_CARRIED;
  if (pushes && (!pulls || moc__rng_below(mover->rng, 2) == 0))
    (void)push(mover, p, next - 1);
  else if (pulls)
    (void)pull(mover, v, before + 1 + (int32_t)moc__rng_below(mover->rng, (uint32_t)(at - before)));
  return state->n_journal > journal;
}
