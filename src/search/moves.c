/* Moves of the local search; see moves.h. */
#include "search/moves.h"

/* Most toggles of one move, and so most depth of the recursion to inputs: mostly few, because short moves are fast
 * and longer chains are built by several; now and then many, to cross what short moves cannot. */
static int32_t draw_toggles(moc__rng *rng) {
  static const int32_t MOST_TOGGLES[] = {4, 4, 4, 4, 8, 8, 8, 24};
  return MOST_TOGGLES[moc__rng_below(rng, 8)];
}

int32_t moc__draw_overfull(const moc__state *state, moc__rng *rng) {
  if (state->excess == 0) return -1;
  int32_t n = state->staged->n, from = (int32_t)moc__rng_below(rng, (uint32_t)n);
  for (int32_t k = from; k < n; k++) {
    if (state->total[k] > state->budget) return k;
  }
  for (int32_t k = 0; k < from; k++) {
    if (state->total[k] > state->budget) return k;
  }
  return -1;
}

/* --- Evict --- */

/* The first stage after j in which tensor t is read; n - 1 for a kept tensor that is not. -1 when stage j's own
 * operation reads it: then it cannot be gone when stage j ends. (A recomputation within stage j that reads it is no
 * hindrance: the tensor can go right after that.) */
static int32_t next_use(const moc__state *state, int32_t t, int32_t j) {
  const moc__staged *staged = state->staged;
  int32_t next = staged->n;
  for (int64_t i = staged->readers.start[t]; i < staged->readers.start[t + 1]; i++) {
    int32_t v = staged->readers.items[i];
    if (v >= next) break; /* readers ascend, and none runs before its own place */
    if (v == j) return -1;
    if (v > j) {
      next = v;
      continue;
    }
    int32_t latest = moc__latest(state, v, j);
    const int32_t *stages = state->instance_stage + (int64_t)v * state->max_computes;
    if (latest + 1 < state->count[v] && stages[latest + 1] < next) next = stages[latest + 1];
  }
  return next == staged->n ? staged->n - 1 : next;
}

/* Whether input u, whose instance ends in stage `ended` before stage k, is to be computed again rather than held on
 * to k. Holding costs its bytes across the stages in between, above all across stage j, which is over budget. */
static bool recompute_input(moc__mover *mover, int32_t u, int32_t ended, int32_t j, int64_t evicted_bytes) {
  const moc__state *state = mover->state;
  double hold = (double)state->staged->size[u] * (ended < j ? 3 : 0.5);
  return moc__rng_unit(mover->rng) * (hold + (double)evicted_bytes) < hold;
}

/* Compute place p in stage k, after those of its inputs that are gone and not to be held. */
static void compute_again(moc__mover *mover, int32_t p, int32_t k, int32_t j, int64_t evicted_bytes) {
  moc__state *state = mover->state;
  const moc__staged *staged = state->staged;
  for (int64_t i = staged->reads.start[p]; i < staged->reads.start[p + 1]; i++) {
    int32_t u = staged->reads.items[i], q = staged->producer[u];
    if (q < 0 || staged->compute_once[q] || state->count[q] == state->max_computes) continue;
    int64_t end = *moc__end(state, u, moc__latest(state, q, k));
    if (end >= MOC__EVENT(k, p) || moc__has_pair(state, q, k) || mover->toggles_left <= 1) continue;
    mover->toggles_left--;
    if (recompute_input(mover, u, moc__event_stage(end), j, evicted_bytes))
      compute_again(mover, q, k, j, evicted_bytes);
  }
  (void)moc__state_add(state, p, k);
}

/* A tensor held across stage j, and the stage of its next use: the pair to add. */
static bool draw_across(const moc__mover *mover, int32_t j, int32_t *tensor, int32_t *stage) {
  const moc__state *state = mover->state;
  int32_t t = moc__gaps_draw(mover->gaps, j, mover->rng);
  if (t < 0) return false;
  int32_t p = state->staged->producer[t];
  if (p >= j || moc__event_stage(*moc__end(state, t, moc__latest(state, p, j))) <= j) return false;
  int32_t k = next_use(state, t, j);
  if (k <= j) return false;
  if (moc__rng_below(mover->rng, 8) == 0) k = j + 1 + (int32_t)moc__rng_below(mover->rng, (uint32_t)(k - j));
  *tensor = t;
  *stage = k;
  return true;
}

/* A tensor that some computation of stage j reads: where others are computed again before it in the stage, it may be
 * dropped during those and computed again after them. */
static bool draw_within(const moc__mover *mover, int32_t j, int32_t *tensor, int32_t *stage) {
  const moc__state *state = mover->state;
  const moc__staged *staged = state->staged;
  int32_t reader = j;
  for (int32_t node = state->first_node[j]; node >= 0; node = state->nodes[node].next) {
    if (moc__rng_below(mover->rng, 4) == 0) {
      reader = state->nodes[node].place;
      break;
    }
  }
  int64_t count = staged->reads.start[reader + 1] - staged->reads.start[reader];
  if (count == 0) return false;
  *tensor = staged->reads.items[staged->reads.start[reader] + moc__rng_below(mover->rng, (uint32_t)count)];
  *stage = j;
  int32_t p = staged->producer[*tensor];
  return p >= 0 && !staged->compute_once[p];
}

bool moc__move_evict(moc__mover *mover, int32_t j) {
  moc__state *state = mover->state;
  int64_t log_before = state->n_log;
  for (int tries = 0; tries < 8; tries++) {
    int32_t t, k;
    bool within = state->first_node[j] >= 0 && moc__rng_below(mover->rng, 8) == 0;
    if (!(within ? draw_within(mover, j, &t, &k) : draw_across(mover, j, &t, &k))) continue;
    int32_t p = state->staged->producer[t];
    if (state->count[p] == state->max_computes || moc__has_pair(state, p, k)) continue;
    mover->toggles_left = draw_toggles(mover->rng);
    compute_again(mover, p, k, j, state->staged->size[t]);
    return state->n_log > log_before;
  }
  return false;
}

/* --- Drop --- */

enum { MOST_DROPS = 96 }; /* of one move, and so most depth of its recursion */

/* The computation of place p in stage k serves nobody. */
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

/* --- Shift --- */

/* The first stage, from `stage` on, in which an output of place p computed in `stage` is read. */
static int32_t first_use(const moc__state *state, int32_t p, int32_t stage) {
  const moc__staged *staged = state->staged;
  int32_t first = staged->n - 1;
  for (int32_t t = staged->first_output[p]; t < staged->first_output[p + 1]; t++) {
    int32_t next = next_use(state, t, stage - 1);
    if (next >= 0 && next < first) first = next;
  }
  return first;
}

bool moc__move_shift(moc__mover *mover, int64_t index) {
  moc__state *state = mover->state;
  moc__pair pair = state->pairs[index];
  const int32_t *stages = state->instance_stage + (int64_t)pair.place * state->max_computes;
  int32_t i = moc__latest(state, pair.place, pair.stage);
  int32_t low = stages[i - 1] + 1;
  int32_t high = i + 1 < state->count[pair.place] ? stages[i + 1] - 1 : state->staged->n - 1;
  if (low >= high) return false;
  int32_t to, die = (int32_t)moc__rng_below(mover->rng, 3);
  if (die == 0) { /* as late as its readers allow */
    to = first_use(state, pair.place, pair.stage);
  } else if (die == 1) { /* near */
    int32_t reach = 1 + (int32_t)moc__rng_below(mover->rng, 8);
    to = pair.stage + (moc__rng_below(mover->rng, 2) == 0 ? -reach : reach);
  } else {
    to = low + (int32_t)moc__rng_below(mover->rng, (uint32_t)(high - low + 1));
  }
  if (to < low || to > high || to == pair.stage) return false;
  (void)moc__state_remove(state, pair.place, pair.stage);
  return moc__state_add(state, pair.place, to);
}
