/* What the parts of the incremental state share among themselves: journalled elementary changes; see state.c. */
#ifndef MOC_SEARCH_STATE_CHANGE_H
#define MOC_SEARCH_STATE_CHANGE_H

#include "search/state.h"

enum { MOC__RANGE, MOC__LOCAL, MOC__END, MOC__ADDED, MOC__REMOVED, MOC__REORDERED };

/* Room for that many more journal entries, those that settling will need included. */
bool moc__reserve_journal(moc__state *state, int64_t entries);

static inline void moc__journal(moc__state *state, moc__entry entry) {
  if (state->journalling) state->journal[state->n_journal++] = entry;
}

/* The levels of places first..last move by `units`; place n stands for the end. */
static inline void moc__move_range(moc__state *state, int32_t first, int32_t last, int32_t units) {
  if (first > last || units == 0) return;
  moc__journal(state, (moc__entry){.kind = MOC__RANGE, .a = first, .b = last, .units = units});
  int32_t n = state->staged->n;
  if (last == n) {
    state->at_end += units;
    last = n - 1;
  }
  moc__profile_add(&state->profile, first, last, units);
}

static inline void moc__set_end(moc__state *state, int64_t slot, int64_t event) {
  moc__journal(state, (moc__entry){.kind = MOC__END, .where = slot, .value = state->end[slot]});
  state->end[slot] = event;
}

/* The local rise of a stage may have changed. Stages without recomputations need the same whatever ends there. */
static inline void moc__mark_dirty(moc__state *state, int32_t stage) {
  if (stage < 0 || stage >= state->staged->n || state->first_node[stage] < 0 || state->marked[stage]) return;
  state->marked[stage] = true;
  state->dirty[state->n_dirty++] = stage;
}

/* Move number v from its place to `to` in order, place and profile, and nothing else. */
void moc__shift_order(moc__state *state, int32_t from, int32_t to);

#endif
