/* Incremental evaluation of the staged model; see state.h. */
#include "search/state.h"

/* Excess of one stage's total over the budget, in units, rounded up. */
static inline int64_t excess_of(int64_t total, int64_t budget, int shift) {
  int64_t over = total - budget;
  return over > 0 ? (over + ((INT64_C(1) << shift) - 1)) >> shift : 0;
}

/* Compiled for wider vectors too, to be chosen when the program starts. */
#if defined(__x86_64__) && defined(__ELF__) && defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) &&             \
    !defined(__SANITIZE_THREAD__) && !defined(__clang__)
#define VECTORISED __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define VECTORISED
#endif

/* The totals of stages first..last move by `bytes`. The inner loop of the whole search: simple enough for the
 * compiler to vectorise. */
VECTORISED
static void move_range(moc__state *state, int32_t first, int32_t last, int64_t bytes) {
  int64_t *restrict total = state->total;
  int64_t budget = state->budget, change = 0;
  if (state->shift == 0) {
    for (int32_t k = first; k <= last; k++) {
      int64_t before = total[k] - budget, after = before + bytes;
      change += (after > 0 ? after : 0) - (before > 0 ? before : 0);
      total[k] = after + budget;
    }
  } else {
    for (int32_t k = first; k <= last; k++) {
      change += excess_of(total[k] + bytes, budget, state->shift) - excess_of(total[k], budget, state->shift);
      total[k] += bytes;
    }
  }
  state->excess += change;
}

/* An instance of tensor t, whose producer is place q, ends at `event` of stage k. No two of its instances end at the
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
static int64_t local_peak(const moc__state *state, int32_t k) {
  const moc__staged *staged = state->staged;
  int64_t rise = 0, peak = 0;
  int32_t node = state->first_node[k];
  for (;;) {
    int32_t p = node >= 0 ? state->nodes[node].place : k;
    int64_t event = MOC__EVENT(k, p);
    int64_t dead = 0;
    for (int32_t t = staged->first_output[p]; t < staged->first_output[p + 1]; t++) {
      rise += staged->size[t];
      if (ends_at(state, t, event, k)) dead += staged->size[t];
    }
    int64_t running = rise + staged->workspace[p];
    if (running > peak) peak = running;
    for (int64_t i = staged->reads.start[p]; i < staged->reads.start[p + 1]; i++) {
      int32_t t = staged->reads.items[i];
      if (ends_at(state, t, event, k)) dead += staged->size[t];
    }
    rise -= dead;
    if (node < 0) return peak;
    node = state->nodes[node].next;
  }
}

static void set_local(moc__state *state, int32_t k, int64_t local) {
  int64_t change = local - state->local[k];
  state->local[k] = local;
  int64_t before = excess_of(state->total[k], state->budget, state->shift);
  state->total[k] += change;
  state->excess += excess_of(state->total[k], state->budget, state->shift) - before;
}

void moc__state_settle(moc__state *state) {
  for (int64_t i = 0; i < state->n_dirty; i++) {
    int32_t k = state->dirty[i];
    state->marked[k] = false;
    int64_t local = local_peak(state, k);
    if (local == state->local[k]) continue;
    if (state->logging) state->local_log[state->n_local_log++] = (moc__local){k, state->local[k]};
    set_local(state, k, local);
  }
  state->n_dirty = 0;
}

static void mark_dirty(moc__state *state, int32_t stage) {
  if (stage < 0 || state->marked[stage]) return; /* -1: a tensor without producer before anyone reads it */
  state->marked[stage] = true;
  state->dirty[state->n_dirty++] = stage;
}

/* The latest event before (stage, place) that reads tensor t of an instance begun in stage `begin`, or `fallback`.
 * A reader's latest instance before that event reads this instance if it is not before `begin`. */
static int64_t last_read_before(const moc__state *state, int32_t t, int32_t begin, int32_t stage, int32_t place,
                                int64_t fallback) {
  const moc__rows *readers = &state->staged->readers;
  int64_t last = fallback;
  for (int64_t i = readers->start[t]; i < readers->start[t + 1]; i++) {
    int32_t v = readers->items[i];
    int32_t latest = v < place ? stage : stage - 1; /* the latest stage in which v runs before the event */
    if (latest < v || latest < moc__event_stage(last)) continue;
    int32_t k = state->instance_stage[(int64_t)v * state->max_computes + moc__latest(state, v, latest)];
    int64_t event = MOC__EVENT(k, v);
    if (k >= begin && event > last) last = event;
  }
  return last;
}

/* --- Stage lists --- */

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

static int32_t *link_to(moc__state *state, int32_t place, int32_t stage) {
  int32_t *link = &state->first_node[stage];
  while (*link >= 0 && state->nodes[*link].place < place) link = &state->nodes[*link].next;
  return link;
}

static void insert_node(moc__state *state, int32_t place, int32_t stage) {
  int32_t *link = link_to(state, place, stage), node = state->free_node;
  state->free_node = state->nodes[node].next;
  state->nodes[node] = (moc__node){place, *link};
  *link = node;
}

static void remove_node(moc__state *state, int32_t place, int32_t stage) {
  int32_t *link = link_to(state, place, stage), node = *link;
  *link = state->nodes[node].next;
  state->nodes[node].next = state->free_node;
  state->free_node = node;
}

/* --- Toggles --- */

/* Tensor t, read at `event` of stage k, stays at least so long. */
static void extend_read(moc__state *state, int32_t t, int64_t event, int32_t k) {
  int32_t q = state->staged->producer[t];
  int64_t *end = moc__end(state, t, q < 0 ? 0 : moc__latest(state, q, k));
  if (*end >= event) return;
  int32_t old = moc__event_stage(*end);
  *end = event;
  move_range(state, old + 1, k, state->staged->size[t]);
  mark_dirty(state, old);
}

/* Tensor t, no longer read at `event` of stage k, may leave earlier. */
static void shorten_read(moc__state *state, int32_t t, int64_t event, int32_t k) {
  int32_t q = state->staged->producer[t];
  int32_t i = q < 0 ? 0 : moc__latest(state, q, k);
  int64_t *end = moc__end(state, t, i);
  if (*end != event) return; /* read later too, or kept */
  int32_t begin = q < 0 ? -1 : state->instance_stage[(int64_t)q * state->max_computes + i];
  *end = last_read_before(state, t, begin, k, moc__event_place(event),
                          q < 0 ? -MOC__EVENT(1, 0) : MOC__EVENT(begin, q));
  int32_t stage = moc__event_stage(*end);
  move_range(state, stage + 1, k, -state->staged->size[t]);
  mark_dirty(state, stage);
}

static void record(moc__state *state, int32_t place, int32_t stage, bool added) {
  if (state->logging) state->log[state->n_log++] = (moc__toggle){place, stage, added};
}

/* Room in the logs for one more toggle and for the stages that settling may refresh. */
static bool reserve_log(moc__state *state) {
  if (!state->logging) return true;
  if (!moc__grow(&state->allocator, &state->log, state->n_log, &state->log_capacity, sizeof *state->log))
    return false;
  int64_t most = state->n_local_log + state->n_dirty + state->most_dirty;
  if (most <= state->local_log_capacity) return true;
  moc__local *grown = moc__resize(&state->allocator, state->local_log, 2 * most, sizeof *grown);
  if (grown == NULL) return false;
  state->local_log = grown;
  state->local_log_capacity = 2 * most;
  return true;
}

bool moc__state_add(moc__state *state, int32_t p, int32_t k) {
  const moc__staged *staged = state->staged;
  if (p < 0 || p >= k || k >= staged->n || staged->compute_once[p] || state->count[p] >= state->max_computes)
    return false;
  int32_t before = moc__latest(state, p, k), i = before + 1, last = state->count[p];
  int32_t *stages = state->instance_stage + (int64_t)p * state->max_computes;
  int32_t *pair_index = state->pair_index + (int64_t)p * state->max_computes;
  if (stages[before] == k) return false;
  if (staged->duration[p] > MOC_MAX_TOTAL - staged->total_duration - state->extra_duration) return false;
  if (!reserve_node(state) || !reserve_log(state) ||
      !moc__grow(&state->allocator, &state->pairs, state->n_pairs, &state->pairs_capacity, sizeof *state->pairs)) {
    state->out_of_memory = true;
    return false;
  }

  for (int32_t j = last; j > i; j--) {
    stages[j] = stages[j - 1];
    pair_index[j] = pair_index[j - 1];
  }
  stages[i] = k;
  pair_index[i] = (int32_t)state->n_pairs;
  state->pairs[state->n_pairs++] = (moc__pair){p, k};
  state->count[p]++;
  state->extra_duration += staged->duration[p];
  insert_node(state, p, k);
  record(state, p, k, true);

  int64_t event = MOC__EVENT(k, p);
  for (int32_t t = staged->first_output[p]; t < staged->first_output[p + 1]; t++) {
    int64_t *end = moc__end(state, t, 0);
    for (int32_t j = last; j > i; j--) end[j] = end[j - 1];
    end[i] = event;
    if (end[before] <= event) continue;
    end[i] = end[before]; /* the later readers come over to the new instance */
    int64_t begin = MOC__EVENT(stages[before], p);
    end[before] = last_read_before(state, t, stages[before], k, p, begin);
    int32_t gap = moc__event_stage(end[before]);
    move_range(state, gap + 1, k, -staged->size[t]);
    mark_dirty(state, gap);
  }
  for (int64_t r = staged->reads.start[p]; r < staged->reads.start[p + 1]; r++)
    extend_read(state, staged->reads.items[r], event, k);
  mark_dirty(state, k);
  return true;
}

bool moc__state_remove(moc__state *state, int32_t p, int32_t k) {
  const moc__staged *staged = state->staged;
  if (p < 0 || p >= k || k >= staged->n) return false;
  int32_t i = moc__latest(state, p, k), last = state->count[p] - 1;
  int32_t *stages = state->instance_stage + (int64_t)p * state->max_computes;
  int32_t *pair_index = state->pair_index + (int64_t)p * state->max_computes;
  if (stages[i] != k) return false;
  if (!reserve_log(state)) {
    state->out_of_memory = true;
    return false;
  }

  int32_t hole = pair_index[i];
  moc__pair moved = state->pairs[--state->n_pairs];
  state->pairs[hole] = moved;
  state->pair_index[(int64_t)moved.place * state->max_computes + moc__latest(state, moved.place, moved.stage)] =
      hole;
  int64_t event = MOC__EVENT(k, p);
  for (int32_t t = staged->first_output[p]; t < staged->first_output[p + 1]; t++) {
    int64_t *end = moc__end(state, t, 0);
    if (end[i] > event) { /* its readers go back to the instance before */
      int32_t gap = moc__event_stage(end[i - 1]);
      end[i - 1] = end[i];
      move_range(state, gap + 1, k, staged->size[t]);
      mark_dirty(state, gap);
    }
    for (int32_t j = i; j < last; j++) end[j] = end[j + 1];
    end[last] = -1;
  }
  for (int32_t j = i; j < last; j++) {
    stages[j] = stages[j + 1];
    pair_index[j] = pair_index[j + 1];
  }
  state->count[p]--;
  state->extra_duration -= staged->duration[p];
  remove_node(state, p, k);
  record(state, p, k, false);
  for (int64_t r = staged->reads.start[p]; r < staged->reads.start[p + 1]; r++)
    shorten_read(state, staged->reads.items[r], event, k);
  mark_dirty(state, k);
  return true;
}

void moc__state_begin(moc__state *state) {
  moc__state_settle(state);
  state->logging = true;
  state->n_log = state->n_local_log = 0;
}

void moc__state_commit(moc__state *state) {
  moc__state_settle(state);
  state->logging = false;
}

void moc__state_undo(moc__state *state) {
  state->logging = false;
  while (state->n_log > 0) {
    moc__toggle toggle = state->log[--state->n_log];
    /* Undoing an addition cannot fail; undoing a removal finds room where the pair was. */
    bool undone = toggle.added ? moc__state_remove(state, toggle.place, toggle.stage)
                               : moc__state_add(state, toggle.place, toggle.stage);
    assert(undone);
    (void)undone;
  }
  /* The set is what it was, so the local peaks are what they were. */
  for (int64_t i = 0; i < state->n_dirty; i++) state->marked[state->dirty[i]] = false;
  state->n_dirty = 0;
  while (state->n_local_log > 0) {
    moc__local old = state->local_log[--state->n_local_log];
    set_local(state, old.stage, old.local);
  }
}

bool moc__state_assign(moc__state *state, const moc__pair *pairs, int64_t n_pairs) {
  while (state->n_pairs > 0) {
    moc__pair pair = state->pairs[state->n_pairs - 1];
    (void)moc__state_remove(state, pair.place, pair.stage);
  }
  for (int64_t i = 0; i < n_pairs; i++) {
    if (!moc__state_add(state, pairs[i].place, pairs[i].stage)) return false;
  }
  moc__state_settle(state);
  return true;
}

bool moc__state_feasible(const moc__state *state) {
  return state->excess == 0;
}

int64_t moc__state_peak(const moc__state *state) {
  int64_t peak = 0;
  for (int32_t k = 0; k < state->staged->n; k++) peak = moc__max(peak, state->total[k]);
  return peak;
}

/* --- The empty set --- */

static void fill_empty(moc__state *state) {
  const moc__staged *staged = state->staged;
  int32_t n = staged->n;
  for (int32_t p = 0; p < n; p++) {
    state->count[p] = 1;
    state->instance_stage[(int64_t)p * state->max_computes] = p;
    state->first_node[p] = -1;
    state->total[p] = 0;
  }
  for (int32_t t = 0; t < staged->n_tensors; t++) {
    int32_t p = staged->producer[t];
    int64_t end = p < 0 ? -MOC__EVENT(1, 0) : MOC__EVENT(p, p);
    if (staged->readers.start[t] < staged->readers.start[t + 1]) {
      int32_t reader = staged->readers.items[staged->readers.start[t + 1] - 1];
      end = MOC__EVENT(reader, reader);
    }
    if (staged->keep[t]) end = MOC__EVENT(n - 1, n - 1);
    for (int32_t i = 1; i < state->max_computes; i++) *moc__end(state, t, i) = -1;
    *moc__end(state, t, 0) = end;
    /* As a difference array for now: what enters the stages after the producer's, up to the end's. */
    int32_t last = moc__event_stage(end);
    if (last <= p) continue;
    state->total[p + 1] += staged->size[t];
    if (last + 1 < n) state->total[last + 1] -= staged->size[t];
  }
  int64_t entering = 0;
  for (int32_t k = 0; k < n; k++) {
    entering += state->total[k];
    state->local[k] = local_peak(state, k);
    state->total[k] = entering + state->local[k];
    state->excess += excess_of(state->total[k], state->budget, state->shift);
  }
}

/* The most stages that one toggle can touch: its own, and one for every output and read. */
static int64_t most_dirty(const moc__staged *staged) {
  int64_t most = 0;
  for (int32_t p = 0; p < staged->n; p++)
    most = moc__max(most, staged->first_output[p + 1] - staged->first_output[p] + staged->reads.start[p + 1] -
                              staged->reads.start[p]);
  return moc__min(most + 1, staged->n);
}

/* The least shift for which `stages` times `most` bytes stay below 2^62. */
static int shift_for(int64_t most, int64_t stages) {
  int shift = 0;
  while ((most >> shift) + 1 > (INT64_C(1) << 62) / stages) shift++;
  return shift;
}

moc_status moc__state_init(moc__state *state, const moc__staged *staged, int64_t budget, int32_t max_computes,
                           const moc_allocator *allocator, moc_error *error) {
  int64_t n = staged->n, slots = n * max_computes, all_bytes = 0;
  for (int32_t t = 0; t < staged->n_tensors; t++) all_bytes += staged->size[t];
  for (int32_t p = 0; p < staged->n; p++) all_bytes += staged->workspace[p];
  *state = (moc__state){.staged = staged,
                        .allocator = *allocator,
                        .budget = budget,
                        .max_computes = max_computes,
                        .shift = shift_for(all_bytes, n),
                        .free_node = -1};
  state->count = MOC__NEW(allocator, n, int32_t);
  state->instance_stage = MOC__NEW(allocator, slots, int32_t);
  state->pair_index = MOC__NEW(allocator, slots, int32_t);
  state->end = MOC__NEW(allocator, (int64_t)staged->n_tensors * max_computes, int64_t);
  state->first_node = MOC__NEW(allocator, n, int32_t);
  state->total = MOC__NEW(allocator, n, int64_t);
  state->local = MOC__NEW(allocator, n, int64_t);
  state->most_dirty = most_dirty(staged);
  state->dirty = MOC__NEW(allocator, n, int32_t);
  state->marked = MOC__NEW_ZEROED(allocator, n, bool);
  if (!state->dirty || !state->marked || !state->count || !state->instance_stage || !state->pair_index ||
      !state->end || !state->first_node || !state->total || !state->local) {
    moc__state_release(state);
    return moc__out_of_memory(error);
  }
  fill_empty(state);
  return MOC_OK;
}

void moc__state_release(moc__state *state) {
  void *blocks[] = {state->count, state->instance_stage, state->pair_index, state->end,   state->first_node,
                    state->total, state->local,          state->pairs,      state->nodes, state->log,
                    state->dirty, state->marked,         state->local_log};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(&state->allocator, blocks[i]);
  *state = (moc__state){.allocator = state->allocator};
}
