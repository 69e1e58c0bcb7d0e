/* Moving an operation within the order under search; see state.h.
 *
 * Only tensors written or read in the stage that moves (*touched*) begin or end elsewhere. After the shift, the places
 * that such an instance covers differ from the *image* of those it covered before by a run at either end, so the cost
 * of an instance is about the distance moved, not its length. The level of the moved stage itself is garbage until it
 * is set anew from the stage that now follows. */
#include "search/state_change.h"

void moc__state_window(const moc__state *state, int32_t v, int32_t *low, int32_t *high) {
  const moc__staged *staged = state->staged;
  const int32_t *place = state->place;
  int32_t first = 0, last = staged->n - 1;
  for (int64_t i = staged->reads.start[v]; i < staged->reads.start[v + 1]; i++) {
    int32_t q = staged->producer[staged->reads.items[i]];
    if (place[q] + 1 > first) first = place[q] + 1; /* place[-1] is -1 */
  }
  for (int32_t node = state->first_node[v]; node >= 0; node = state->nodes[node].next) {
    int32_t p = state->nodes[node].number, i = moc__latest(state, p, v);
    const int32_t *stages = state->instance_stage + (int64_t)p * state->max_computes;
    if (place[stages[i - 1]] + 1 > first) first = place[stages[i - 1]] + 1;
    if (i + 1 < state->count[p] && place[stages[i + 1]] - 1 < last) last = place[stages[i + 1]] - 1;
  }
  for (int32_t t = staged->first_output[v]; t < staged->first_output[v + 1]; t++) {
    for (int64_t r = staged->readers.start[t]; r < staged->readers.start[t + 1]; r++) {
      int32_t reader = place[staged->readers.items[r]];
      if (reader - 1 < last) last = reader - 1;
    }
  }
  if (state->count[v] > 1) {
    int32_t second = place[state->instance_stage[(int64_t)v * state->max_computes + 1]];
    if (second - 1 < last) last = second - 1;
  }
  *low = first;
  *high = last;
}

void moc__shift_order(moc__state *state, int32_t from, int32_t to) {
  int32_t *order = state->order, v = order[from];
  if (to > from) {
    for (int32_t i = from; i < to; i++) state->place[order[i] = order[i + 1]] = i;
  } else {
    for (int32_t i = from; i > to; i--) state->place[order[i] = order[i - 1]] = i;
  }
  order[to] = v;
  state->place[v] = to;
  moc__profile_move(&state->profile, from, to);
}

/* --- The tensors whose instances begin or end in the stage --- */

static bool touch(moc__state *state, int64_t *count, int32_t t) {
  if (state->is_touched[t]) return true;
  if (!moc__grow(&state->allocator, &state->touched, *count, &state->touched_capacity, sizeof *state->touched))
    return false;
  state->is_touched[t] = true;
  state->touched[(*count)++] = t;
  return true;
}

static bool touch_computation(moc__state *state, int64_t *count, int32_t p) {
  const moc__staged *staged = state->staged;
  for (int32_t t = staged->first_output[p]; t < staged->first_output[p + 1]; t++) {
    if (!touch(state, count, t)) return false;
  }
  for (int64_t i = staged->reads.start[p]; i < staged->reads.start[p + 1]; i++) {
    if (!touch(state, count, staged->reads.items[i])) return false;
  }
  return true;
}

/* Their number; -1 when memory is out. */
static int64_t touch_stage(moc__state *state, int32_t v) {
  int64_t count = 0;
  bool ok = touch_computation(state, &count, v);
  for (int32_t node = state->first_node[v]; ok && node >= 0; node = state->nodes[node].next)
    ok = touch_computation(state, &count, state->nodes[node].number);
  for (int64_t i = 0; i < count; i++) state->is_touched[state->touched[i]] = false;
  return ok ? count : -1;
}

/* --- Their instances, after the shift --- */

/* The ends of all instances of tensor t, from scratch, to state->fresh. */
static void find_ends(moc__state *state, int32_t t) {
  const moc__staged *staged = state->staged;
  int32_t q = staged->producer[t], instances = q < 0 ? 1 : state->count[q];
  for (int32_t i = 0; i < instances; i++)
    state->fresh[i] = q < 0 ? -MOC__EVENT(1, 0) : moc__instance_event(state, q, i);
  for (int64_t r = staged->readers.start[t]; r < staged->readers.start[t + 1]; r++) {
    int32_t v = staged->readers.items[r];
    for (int32_t i = 0; i < state->count[v]; i++) {
      int64_t event = moc__instance_event(state, v, i);
      int32_t read = q < 0 ? 0 : moc__latest(state, q, moc__event_stage(event));
      if (moc__when(state, event) > moc__when(state, state->fresh[read])) state->fresh[read] = event;
    }
  }
  if (staged->keep[t]) state->fresh[instances - 1] = MOC__EVENT(staged->n, 0);
}

typedef struct shift {
  int32_t v, from, to;
} shift;

/* Where runs that began or ended in a stage before the shift do so after it. The moved stage's own place does not count,
 * so for it that is the place of the stage that came before. */
static int32_t image(const moc__state *state, const shift *s, int32_t stage) {
  return stage == s->v ? s->from - (s->to > s->from) : state->place[stage];
}

/* Instances that covered places old_low + 1 .. old_high cover low + 1 .. high. */
static void recover(moc__state *state, int32_t old_low, int32_t old_high, int32_t low, int32_t high,
                    int32_t units) {
  if (old_high <= old_low || high <= low || old_high <= low || high <= old_low) { /* nothing in common */
    moc__move_range(state, old_low + 1, old_high, -units);
    moc__move_range(state, low + 1, high, units);
    return;
  }
  moc__move_range(state, low + 1, old_low, units);
  moc__move_range(state, old_low + 1, low, -units);
  moc__move_range(state, old_high + 1, high, units);
  moc__move_range(state, high + 1, old_high, -units);
}

/* Whether the shift may have changed which instance a read of tensor t is of, or which read is an instance's last. Not where the moved
 * stage passes none in which an instance begins or ends, no instance that begins in it begins later, and none that ends in it ends
 * earlier. */
static bool may_end_elsewhere(const moc__state *state, const shift *s, int32_t t, int32_t q, int32_t instances) {
  const int32_t *stages = q < 0 ? NULL : state->instance_stage + (int64_t)q * state->max_computes;
  const int64_t *ends = moc__end(state, t, 0);
  int32_t low = s->from < s->to ? s->from : s->to, high = s->from < s->to ? s->to : s->from;
  for (int32_t i = 0; i < instances; i++) {
    int32_t end = moc__event_stage(ends[i]), ended = state->place[end];
    if (end == s->v ? s->to < s->from : low <= ended && ended <= high) return true;
    if (i == 0) continue; /* no read passes that */
    int32_t began = state->place[stages[i]];
    if (stages[i] == s->v ? s->to > s->from : low <= began && began <= high) return true;
  }
  return false;
}

/* Bring the instances of tensor t up to date; what of them is born less what dies in the moved stage, on balance. */
static int32_t update_tensor(moc__state *state, const shift *s, int32_t t) {
  int32_t q = state->staged->producer[t], instances = q < 0 ? 1 : state->count[q], balance = 0;
  bool anew = may_end_elsewhere(state, s, t, q, instances);
  if (anew) find_ends(state, t);
  for (int32_t i = 0; i < instances; i++) {
    int64_t slot = (int64_t)t * state->max_computes + i, old = state->end[slot], now = anew ? state->fresh[i] : old;
    int32_t begin = q < 0 ? -1 : state->instance_stage[(int64_t)q * state->max_computes + i];
    int32_t old_end = moc__event_stage(old), end = moc__event_stage(now);
    recover(state, image(state, s, begin), image(state, s, old_end), state->place[begin], state->place[end],
            state->size[t]);
    if (begin == s->v && end != s->v) balance += state->size[t];
    if (begin != s->v && end == s->v) balance -= state->size[t];
    if (old == now) continue;
    moc__set_end(state, slot, now);
    moc__mark_dirty(state, old_end);
    moc__mark_dirty(state, end);
  }
  return balance;
}

bool moc__state_reorder(moc__state *state, int32_t v, int32_t to) {
  shift s = {.v = v, .from = state->place[v], .to = to};
  if (to == s.from) return true;
  int64_t touched = touch_stage(state, v);
  int64_t most = state->max_computes < 8 ? state->max_computes : 8;
  for (int64_t i = 0; i < touched; i++) {
    int32_t q = state->staged->producer[state->touched[i]];
    most = moc__max(most, q < 0 ? 1 : state->count[q]);
  }
  if (touched < 0 || !moc__reserve_journal(state, 4 + 5 * touched * most)) {
    state->out_of_memory = true;
    return false;
  }
  state->toggles++;
  moc__journal(state, (moc__entry){.kind = MOC__REORDERED, .a = s.from, .b = to});
  moc__shift_order(state, s.from, to);
  int32_t balance = 0;
  for (int64_t i = 0; i < touched; i++) balance += update_tensor(state, &s, state->touched[i]);
  int32_t n = state->staged->n;
  int32_t entering_next = to == n - 1
                              ? state->at_end
                              : moc__profile_level(&state->profile, to + 1) - state->local[state->order[to + 1]];
  int32_t level = entering_next - balance + state->local[v];
  moc__move_range(state, to, to, level - moc__profile_level(&state->profile, to));
  moc__mark_dirty(state, v);
  return true;
}
