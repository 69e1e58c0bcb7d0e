/* Greedy descent to feasibility; see sweep.h. */
#include "search/sweep.h"

#include <math.h>

enum {
  DRAWN = 8, /* gaps around a place that are compared */
  DEPTH = 3, /* of recomputations for a recomputation */
  TRIES_A_CHECK = 64,
  ROUND = 16384 /* tries after which the descent is judged */
};
/* In one round the excess falls by this share, or the descent ends. */
static const double PROGRESS = 0.01;

typedef struct gap {
  int32_t tensor, p, k, before, next;
} gap;

/* A tensor held across the place, and its next use. */
static bool draw(const moc__mover *mover, int32_t at, gap *g) {
  const moc__state *state = mover->state;
  int32_t t = moc__gaps_draw(mover->gaps, at, mover->rng);
  if (t < 0) return false;
  int32_t p = state->staged->producer[t];
  if (state->place[p] >= at || state->count[p] == state->max_computes) return false;
  int64_t end = *moc__end(state, t, moc__latest(state, p, state->order[at]));
  if (state->place[moc__event_stage(end)] <= at || !moc__gap_around(state, t, at, &g->before, &g->next) ||
      g->next <= at)
    return false;
  g->tensor = t;
  g->p = p;
  g->k = state->order[g->next];
  return !moc__has_pair(state, p, g->k);
}

/* What computing p in stage k costs: durations, and excess, at the mover's price, of holding on to inputs; those for which
 * it is cheaper are computed again too. Done if `apply`, else INFINITY when it is more than `limit`. */
static double compute(moc__mover *mover, int32_t p, int32_t k, int32_t depth, double limit, bool apply) {
  moc__state *state = mover->state;
  const moc__staged *staged = state->staged;
  int64_t now = moc__when(state, MOC__EVENT(k, p));
  double cost = (double)staged->duration[p];
  for (int64_t i = staged->reads.start[p]; i < staged->reads.start[p + 1]; i++) {
    int32_t u = staged->reads.items[i], q = staged->producer[u];
    if (q < 0) continue;
    int64_t end = *moc__end(state, u, moc__latest(state, q, k));
    if (moc__when(state, end) >= now || moc__has_pair(state, q, k)) continue;
    if (cost > limit) return INFINITY;
    double hold =
        mover->price * (double)moc__profile_burden(&state->profile, state->place[moc__event_stage(end)] + 1,
                                                   state->place[k], state->size[u]);
    double again = INFINITY;
    if (depth > 0 && (double)staged->duration[q] < hold && !staged->compute_once[q] &&
        state->count[q] < state->max_computes)
      again = compute(mover, q, k, depth - 1, fmin(hold, limit - cost), false);
    if (again < hold && apply) (void)compute(mover, q, k, depth - 1, INFINITY, true);
    cost += fmin(hold, again);
  }
  if (apply) (void)moc__state_add(state, p, k);
  return cost > limit ? INFINITY : cost;
}

bool moc__move_open(moc__mover *mover, int32_t at) {
  moc__state *state = mover->state;
  gap best = {.p = -1}, g;
  double most = 0;
  for (int32_t i = 0; i < DRAWN; i++) {
    if (!draw(mover, at, &g)) continue;
    double relief = mover->price *
                    (double)moc__profile_relief(&state->profile, g.before + 1, g.next - 1, state->size[g.tensor]);
    double cost = compute(mover, g.p, g.k, DEPTH, relief - most, false);
    if (relief - cost <= most) continue;
    most = relief - cost;
    best = g;
  }
  if (best.p < 0) return false;
  (void)compute(mover, best.p, best.k, DEPTH, INFINITY, true);
  return true;
}

bool moc__sweep(moc__mover *mover, bool (*stop)(void *), void *context) {
  moc__state *state = mover->state;
  uint32_t n = (uint32_t)state->staged->n;
  int64_t last = state->profile.excess;
  for (int64_t tries = 1; !moc__state_feasible(state) && !state->out_of_memory; tries++) {
    if (tries % TRIES_A_CHECK == 0 && stop(context)) break;
    if (tries % ROUND == 0) {
      if ((double)state->profile.excess > (1 - PROGRESS) * (double)last) break;
      last = state->profile.excess;
    }
    int64_t excess = state->profile.excess;
    moc__state_begin(state);
    (void)moc__move_open(mover, moc__profile_next_over(&state->profile, (int32_t)moc__rng_below(mover->rng, n)));
    moc__state_settle(state);
    if (state->profile.excess < excess)
      moc__state_commit(state);
    else
      moc__state_undo(state);
  }
  return !state->out_of_memory;
}
