/* Incremental evaluation of the staged model; see state.h. */
#include "search/state_change.h"

/* An instance of tensor t, whose producer is q, ends at `event` of stage k. No two of its instances end at the
 * same event and unused slots hold -1, so with few slots it is cheaper to try them all than to find the one. */
static inline bool ends_at(const moc__state *state, int32_t t, int64_t event, int32_t k) {
  int32_t slots = state->max_computes;
  const int64_t *end = moc__end(state, t, 0);
  if (slots <= 4) {
    bool found = end[0] == event;
    for (int32_t i = 1; i < slots; i++) found |= end[i] == event;
    return found;
  }
  int32_t q = state->staged->producer[t];
  return end[q < 0 ? 0 : moc__latest(state, q, k)] == event;
}

/* The highest rise of memory in stage k over what enters it. */
static int32_t local_rise(const moc__state *state, int32_t k) {
  const moc__staged *staged = state->staged;
  int32_t rise = 0, peak = 0, node = state->first_node[k];
  while (node >= 0) {
    int32_t p = state->nodes[node].number;
    int64_t event = MOC__EVENT(k, p);
    int32_t dead = 0;
    for (int32_t t = staged->first_output[p]; t < staged->first_output[p + 1]; t++) {
      rise += state->size[t];
      if (ends_at(state, t, event, k)) dead += state->size[t];
    }
    int32_t running = rise + state->workspace[p];
    if (running > peak) peak = running;
    for (int64_t i = staged->reads.start[p]; i < staged->reads.start[p + 1]; i++) {
      int32_t t = staged->reads.items[i];
      if (ends_at(state, t, event, k)) dead += state->size[t];
    }
    rise -= dead;
    node = state->nodes[node].next;
  }
  return rise + state->own[k] > peak ? rise + state->own[k] : peak;
}

void moc__state_settle(moc__state *state) {
  for (int64_t i = 0; i < state->n_dirty; i++) {
    int32_t k = state->dirty[i], local = local_rise(state, k), change = local - state->local[k];
    state->marked[k] = false;
    if (change == 0) continue;
    moc__journal(state, (moc__entry){.kind = MOC__LOCAL, .a = k, .units = state->local[k]});
    state->local[k] = local;
    moc__move_range(state, state->place[k], state->place[k], change);
  }
  state->n_dirty = 0;
}

/* The latest event before `limit` (in time) that reads tensor t of an instance begun in the stage at place `begin`,
 * or `fallback`. A reader's latest instance before the limit reads this instance if it is not before `begin`. */
static int64_t last_read_before(const moc__state *state, int32_t t, int32_t begin, int64_t limit,
                                int64_t fallback) {
  const moc__rows *readers = &state->staged->readers;
  int64_t last = fallback, last_when = moc__when(state, fallback);
  for (int64_t r = readers->start[t]; r < readers->start[t + 1]; r++) {
    int32_t v = readers->items[r];
    for (int32_t i = state->count[v] - 1; i >= 0; i--) {
      int64_t event = moc__instance_event(state, v, i), when = moc__when(state, event);
      if (when >= limit) continue;
      if (when > last_when && (int32_t)(when >> 32) >= begin) {
        last = event;
        last_when = when;
      }
      break;
    }
  }
  return last;
}

/* --- Room --- */

/* One more node on the free list, if it is empty. */
static bool reserve_node(moc__state *state) {
  if (state->free_node >= 0) return true;
  int64_t old = state->nodes_capacity, room = old < 64 ? 64 : 2 * old;
  if (room > INT32_MAX) return false;
  moc__node *grown = moc__resize(&state->allocator, state->nodes, room, sizeof *grown);
  if (grown == NULL) return false;
  state->nodes = grown;
  state->nodes_capacity = room;
  for (int64_t i = old; i < room; i++) grown[i].next = i + 1 < room ? (int32_t)(i + 1) : -1;
  state->free_node = (int32_t)old;
  return true;
}

bool moc__reserve_journal(moc__state *state, int64_t entries) {
  if (!state->journalling) return true;
  /* Settling writes two entries for each dirty stage, and each entry reserved may mark one. */
  int64_t most = state->n_journal + 2 * state->n_dirty + 3 * entries;
  if (most <= state->journal_capacity) return true;
  moc__entry *grown = moc__resize(&state->allocator, state->journal, 2 * most, sizeof *grown);
  if (grown == NULL) return false;
  state->journal = grown;
  state->journal_capacity = 2 * most;
  return true;
}

static bool reserve_toggle(moc__state *state, int32_t p) {
  const moc__staged *staged = state->staged;
  int64_t touched =
      staged->first_output[p + 1] - staged->first_output[p] + staged->reads.start[p + 1] - staged->reads.start[p];
  if (reserve_node(state) && moc__reserve_journal(state, 4 + 3 * touched) &&
      moc__grow(&state->allocator, &state->pairs, state->n_pairs, &state->pairs_capacity, sizeof *state->pairs))
    return true;
  state->out_of_memory = true;
  return false;
}

/* --- Stage lists --- */

static int32_t *link_to(moc__state *state, int32_t p, int32_t stage) {
  int32_t *link = &state->first_node[stage];
  while (*link >= 0 && state->nodes[*link].number < p) link = &state->nodes[*link].next;
  return link;
}

static void insert_node(moc__state *state, int32_t p, int32_t stage) {
  int32_t *link = link_to(state, p, stage), node = state->free_node;
  state->free_node = state->nodes[node].next;
  state->nodes[node] = (moc__node){p, *link};
  *link = node;
}

static void remove_node(moc__state *state, int32_t p, int32_t stage) {
  int32_t *link = link_to(state, p, stage), node = *link;
  *link = state->nodes[node].next;
  state->nodes[node].next = state->free_node;
  state->free_node = node;
}

/* --- Instances: the lists only, no memory --- */

/* Make room for instance i of p in stage k; the ends of its outputs are set to its own event. */
static void insert_instance(moc__state *state, int32_t p, int32_t k, int32_t i) {
  const moc__staged *staged = state->staged;
  int32_t last = state->count[p]++;
  int32_t *stages = state->instance_stage + (int64_t)p * state->max_computes;
  int32_t *pair_index = state->pair_index + (int64_t)p * state->max_computes;
  for (int32_t j = last; j > i; j--) {
    stages[j] = stages[j - 1];
    pair_index[j] = pair_index[j - 1];
  }
  stages[i] = k;
  pair_index[i] = (int32_t)state->n_pairs;
  state->pairs[state->n_pairs++] = (moc__pair){p, k};
  state->extra_duration += staged->duration[p];
  insert_node(state, p, k);
  for (int32_t t = staged->first_output[p]; t < staged->first_output[p + 1]; t++) {
    int64_t *end = moc__end(state, t, 0);
    for (int32_t j = last; j > i; j--) end[j] = end[j - 1];
    end[i] = MOC__EVENT(k, p);
  }
}

static void remove_instance(moc__state *state, int32_t p, int32_t k, int32_t i) {
  const moc__staged *staged = state->staged;
  int32_t last = --state->count[p];
  int32_t *stages = state->instance_stage + (int64_t)p * state->max_computes;
  int32_t *pair_index = state->pair_index + (int64_t)p * state->max_computes;
  int32_t hole = pair_index[i];
  for (int32_t j = i; j < last; j++) {
    stages[j] = stages[j + 1];
    pair_index[j] = pair_index[j + 1];
  }
  moc__pair moved = state->pairs[--state->n_pairs];
  if (hole < state->n_pairs) {
    state->pairs[hole] = moved;
    state->pair_index[(int64_t)moved.place * state->max_computes + moc__latest(state, moved.place, moved.stage)] =
        hole;
  }
  state->extra_duration -= staged->duration[p];
  remove_node(state, p, k);
  for (int32_t t = staged->first_output[p]; t < staged->first_output[p + 1]; t++) {
    int64_t *end = moc__end(state, t, 0);
    for (int32_t j = i; j < last; j++) end[j] = end[j + 1];
    end[last] = -1;
  }
}

/* --- Toggles --- */

static int64_t slot_at(const moc__state *state, int32_t t, int32_t k) {
  int32_t q = state->staged->producer[t];
  return (int64_t)t * state->max_computes + (q < 0 ? 0 : moc__latest(state, q, k));
}

/* Tensor t, read at `event` of stage k, stays at least so long. */
static void extend_read(moc__state *state, int32_t t, int64_t event, int32_t k) {
  int64_t slot = slot_at(state, t, k), end = state->end[slot];
  if (moc__when(state, end) >= moc__when(state, event)) return;
  moc__set_end(state, slot, event);
  int32_t old = moc__event_stage(end);
  moc__move_range(state, state->place[old] + 1, state->place[k], state->size[t]);
  moc__mark_dirty(state, old);
}

/* Tensor t, no longer read at `event` of stage k, may leave earlier. */
static void shorten_read(moc__state *state, int32_t t, int64_t event, int32_t k) {
  int64_t slot = slot_at(state, t, k);
  if (state->end[slot] != event) return; /* read later too, or kept */
  int32_t q = state->staged->producer[t];
  int32_t i = (int32_t)(slot - (int64_t)t * state->max_computes);
  int64_t begin = q < 0 ? -MOC__EVENT(1, 0) : moc__instance_event(state, q, i);
  int64_t end = last_read_before(state, t, state->place[moc__event_stage(begin)], moc__when(state, event), begin);
  moc__set_end(state, slot, end);
  int32_t stage = moc__event_stage(end);
  moc__move_range(state, state->place[stage] + 1, state->place[k], -state->size[t]);
  moc__mark_dirty(state, stage);
}

bool moc__state_add(moc__state *state, int32_t p, int32_t k) {
  const moc__staged *staged = state->staged;
  if (p < 0 || k < 0 || p >= staged->n || k >= staged->n || state->place[p] >= state->place[k] ||
      staged->compute_once[p] || state->count[p] >= state->max_computes)
    return false;
  int32_t before = moc__latest(state, p, k), i = before + 1;
  if (state->instance_stage[(int64_t)p * state->max_computes + before] == k) return false;
  if (staged->duration[p] > MOC_MAX_TOTAL - staged->total_duration - state->extra_duration) return false;
  if (!reserve_toggle(state, p)) return false;
  state->toggles++;

  moc__journal(state, (moc__entry){.kind = MOC__ADDED, .a = p, .b = k, .where = i});
  insert_instance(state, p, k, i);
  int64_t event = MOC__EVENT(k, p), when = moc__when(state, event);
  int64_t begin = moc__instance_event(state, p, before);
  for (int32_t t = staged->first_output[p]; t < staged->first_output[p + 1]; t++) {
    int64_t slot = (int64_t)t * state->max_computes + before, end = state->end[slot];
    if (moc__when(state, end) <= when) continue;
    state->end[slot + 1] = end; /* the later readers come over to the new instance */
    end = last_read_before(state, t, state->place[moc__event_stage(begin)], when, begin);
    moc__set_end(state, slot, end);
    int32_t gap = moc__event_stage(end);
    moc__move_range(state, state->place[gap] + 1, state->place[k], -state->size[t]);
    moc__mark_dirty(state, gap);
  }
  for (int64_t r = staged->reads.start[p]; r < staged->reads.start[p + 1]; r++)
    extend_read(state, staged->reads.items[r], event, k);
  moc__mark_dirty(state, k);
  return true;
}

bool moc__state_remove(moc__state *state, int32_t p, int32_t k) {
  const moc__staged *staged = state->staged;
  if (p < 0 || k < 0 || p >= staged->n || k >= staged->n || !moc__has_pair(state, p, k)) return false;
  int32_t i = moc__latest(state, p, k);
  if (!reserve_toggle(state, p)) return false;
  state->toggles++;

  int64_t event = MOC__EVENT(k, p), when = moc__when(state, event);
  for (int32_t t = staged->first_output[p]; t < staged->first_output[p + 1]; t++) {
    int64_t slot = (int64_t)t * state->max_computes + i, end = state->end[slot];
    /* Its end goes with it: written down for who takes the removal back. */
    moc__journal(state, (moc__entry){.kind = MOC__END, .where = slot, .value = end});
    if (moc__when(state, end) <= when) continue;
    int32_t gap = moc__event_stage(state->end[slot - 1]);
    moc__set_end(state, slot - 1, end); /* its readers go back to the instance before */
    moc__move_range(state, state->place[gap] + 1, state->place[k], state->size[t]);
    moc__mark_dirty(state, gap);
  }
  moc__mark_dirty(state, k);
  moc__journal(state, (moc__entry){.kind = MOC__REMOVED, .a = p, .b = k, .where = i});
  remove_instance(state, p, k, i);
  for (int64_t r = staged->reads.start[p]; r < staged->reads.start[p + 1]; r++)
    shorten_read(state, staged->reads.items[r], event, k);
  return true;
}

/* --- Moves --- */

void moc__state_begin(moc__state *state) {
  moc__state_settle(state);
  state->journalling = true;
  state->n_journal = 0;
}

void moc__state_commit(moc__state *state) {
  moc__state_settle(state);
  state->journalling = false;
}

void moc__state_undo(moc__state *state) {
  state->journalling = false;
  for (int64_t i = 0; i < state->n_dirty; i++) state->marked[state->dirty[i]] = false;
  state->n_dirty = 0;
  while (state->n_journal > 0) {
    const moc__entry *e = &state->journal[--state->n_journal];
    switch (e->kind) {
    case MOC__RANGE:
      moc__move_range(state, e->a, e->b, -e->units);
      break;
    case MOC__LOCAL:
      state->local[e->a] = e->units;
      break;
    case MOC__END:
      state->end[e->where] = e->value;
      break;
    case MOC__ADDED:
      remove_instance(state, e->a, e->b, (int32_t)e->where);
      break;
    case MOC__REMOVED:
      insert_instance(state, e->a, e->b, (int32_t)e->where);
      break;
    default:
      moc__shift_order(state, e->b, e->a);
      break;
    }
  }
}

int64_t moc__state_peak(const moc__state *state) {
  return moc__profile_peak(&state->profile) * state->unit + state->throughout;
}

/* --- The empty set --- */

/* The order and the empty set: O(n + m). The levels of the profile must be 0. */
static void fill_empty(moc__state *state, const int32_t *order) {
  const moc__staged *staged = state->staged;
  int32_t n = staged->n;
  state->place[-1] = -1;
  state->place[n] = n;
  for (int32_t i = 0; i < n; i++) {
    state->order[i] = order == NULL ? i : order[i];
    state->place[state->order[i]] = i;
  }
  for (int32_t p = 0; p < n; p++) {
    state->count[p] = 1;
    state->instance_stage[(int64_t)p * state->max_computes] = p;
    state->first_node[p] = -1;
    state->local[p] = state->own[p];
  }
  /* What enters each place, as a difference array in the scratch of marks: dirty[] is [n + 1] for this. */
  int32_t *change = state->dirty;
  memset(change, 0, ((size_t)n + 1) * sizeof *change);
  state->at_end = 0;
  for (int32_t t = 0; t < staged->n_tensors; t++) {
    int32_t p = staged->producer[t];
    int64_t end = p < 0 ? -MOC__EVENT(1, 0) : MOC__EVENT(p, MOC__FIRST);
    for (int64_t r = staged->readers.start[t]; r < staged->readers.start[t + 1]; r++) {
      int64_t event = MOC__EVENT(staged->readers.items[r], MOC__FIRST);
      if (moc__when(state, event) > moc__when(state, end)) end = event;
    }
    if (staged->keep[t]) end = MOC__EVENT(n, 0);
    for (int32_t i = 1; i < state->max_computes; i++) *moc__end(state, t, i) = -1;
    *moc__end(state, t, 0) = end;
    int32_t first = (p < 0 ? -1 : state->place[p]) + 1, last = state->place[moc__event_stage(end)];
    if (last == n) state->at_end += state->size[t];
    if (last < first) continue;
    change[first] += state->size[t];
    if (last < n) change[last + 1] -= state->size[t];
  }
  int32_t entering = 0;
  for (int32_t i = 0; i < n; i++) {
    entering += change[i];
    moc__profile_add(&state->profile, i, i, entering + state->local[state->order[i]]);
  }
}

/* Take every pair out, leaving lists and the profile as fill_empty wants them. */
static void clear(moc__state *state) {
  int32_t n = state->staged->n;
  for (int64_t i = 0; i < state->nodes_capacity; i++)
    state->nodes[i].next = i + 1 < state->nodes_capacity ? (int32_t)(i + 1) : -1;
  state->free_node = state->nodes_capacity > 0 ? 0 : -1;
  state->n_pairs = 0;
  state->extra_duration = 0;
  for (int32_t i = 0; i < n; i++) moc__profile_add(&state->profile, i, i, -moc__profile_level(&state->profile, i));
}

bool moc__state_assign(moc__state *state, const int32_t *order, const moc__pair *pairs, int64_t n_pairs) {
  moc__state_settle(state);
  clear(state);
  fill_empty(state, order);
  for (int64_t i = 0; i < n_pairs; i++) {
    if (!moc__state_add(state, pairs[i].place, pairs[i].stage) && state->out_of_memory) return false;
  }
  moc__state_settle(state);
  return true;
}

/* --- Units --- */

/* Choose the unit and convert sizes, workspaces and the budget. */
static int32_t set_units(moc__state *state, int64_t budget) {
  enum { MOST_UNITS = 1 << 30 };
  const moc__staged *staged = state->staged;
  int64_t unit = 0, sum = 0, throughout = 0, most_workspace = 0;
  for (int32_t t = 0; t < staged->n_tensors; t++) {
    if (staged->producer[t] < 0 && staged->keep[t]) {
      throughout += staged->size[t];
      continue;
    }
    unit = moc__gcd(unit, staged->size[t]);
    sum += staged->size[t];
  }
  for (int32_t p = 0; p < staged->n; p++) {
    unit = moc__gcd(unit, staged->workspace[p]);
    most_workspace = moc__max(most_workspace, staged->workspace[p]);
  }
  if (unit == 0) unit = 1;
  sum += most_workspace;
  if (sum / unit > MOST_UNITS) { /* then each may be rounded up */
    while (sum / unit + staged->n_tensors + 1 > MOST_UNITS) unit *= 2;
  }
  state->unit = unit;
  state->throughout = throughout;
  for (int32_t t = 0; t < staged->n_tensors; t++) {
    bool counted = staged->producer[t] >= 0 || !staged->keep[t];
    state->size[t] = counted ? (int32_t)(staged->size[t] / unit + (staged->size[t] % unit != 0)) : 0;
  }
  for (int32_t p = 0; p < staged->n; p++) {
    state->workspace[p] = (int32_t)(staged->workspace[p] / unit + (staged->workspace[p] % unit != 0));
    state->own[p] = state->workspace[p];
    for (int32_t t = staged->first_output[p]; t < staged->first_output[p + 1]; t++) state->own[p] += state->size[t];
  }
  if (budget < throughout) return -1;
  return (int32_t)moc__min((budget - throughout) / unit, MOST_UNITS);
}

moc_status moc__state_init(moc__state *state, const moc__staged *staged, int64_t budget, int32_t max_computes,
                           const moc_allocator *allocator, moc_error *error) {
  int64_t n = staged->n, slots = n * max_computes;
  *state = (moc__state){.staged = staged, .allocator = *allocator, .max_computes = max_computes, .free_node = -1};
  state->size = MOC__NEW(allocator, staged->n_tensors, int32_t);
  state->own = MOC__NEW(allocator, n, int32_t);
  state->workspace = MOC__NEW(allocator, n, int32_t);
  state->order = MOC__NEW(allocator, n, int32_t);
  state->place_block = MOC__NEW(allocator, n + 2, int32_t);
  state->count = MOC__NEW(allocator, n, int32_t);
  state->instance_stage = MOC__NEW(allocator, slots, int32_t);
  state->pair_index = MOC__NEW(allocator, slots, int32_t);
  state->end = MOC__NEW(allocator, (int64_t)staged->n_tensors * max_computes, int64_t);
  state->first_node = MOC__NEW(allocator, n, int32_t);
  state->local = MOC__NEW(allocator, n, int32_t);
  state->dirty = MOC__NEW(allocator, n + 1, int32_t);
  state->marked = MOC__NEW_ZEROED(allocator, n, bool);
  state->is_touched = MOC__NEW_ZEROED(allocator, staged->n_tensors, bool);
  state->fresh = MOC__NEW(allocator, max_computes, int64_t);
  bool ok = state->size && state->own && state->workspace && state->order && state->place_block && state->count &&
            state->instance_stage && state->pair_index && state->end && state->first_node && state->local &&
            state->dirty && state->marked && state->is_touched && state->fresh;
  if (ok) ok = moc__profile_init(&state->profile, staged->n, set_units(state, budget), allocator);
  if (!ok) {
    moc__state_release(state);
    return moc__out_of_memory(error);
  }
  state->place = state->place_block + 1;
  fill_empty(state, NULL);
  return MOC_OK;
}

void moc__state_release(moc__state *state) {
  void *blocks[] = {state->size,       state->own,        state->workspace,  state->order, state->place_block,
                    state->count,      state->pair_index, state->end,        state->pairs, state->instance_stage,
                    state->first_node, state->nodes,      state->local,      state->dirty, state->marked,
                    state->journal,    state->touched,    state->is_touched, state->fresh};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(&state->allocator, blocks[i]);
  if (state->profile.allocator.release != NULL) moc__profile_release(&state->profile);
  *state = (moc__state){.allocator = state->allocator};
}
