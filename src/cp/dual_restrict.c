/* What is left of a relaxation in a window: where literals are fixed at level 0 most supports give nothing, or hold for certain.
 * O(supports and intervals). */
#include "cp/dual.h"

typedef enum state { OPEN, NONE, SOME } state; /* of starts in an interval */

/* Whether there are starts of a place in first..last, by the literals of level 0. */
static state look(const moc__model *m, int32_t place, int32_t first, int32_t last) {
  const moc__starts *s = &m->starts[place];
  const int8_t *value = m->engine.value;
  const moc__window *w = m->window;
  if (w != NULL && w->frozen[place]) {
    for (int64_t i = w->first[place]; i < w->first[place + 1]; i++)
      if (first <= w->pairs[i].stage && w->pairs[i].stage <= last) return SOME;
    return NONE;
  }
  if (s->n_times > 0 && value[s->times[0]] < 0) return NONE;
  bool one = m->max_computes <= 2 || (s->n_times > 1 && value[s->times[1]] < 0);
  for (int64_t i = 0; i < s->n_spans; i++) {
    moc__span span = s->spans[i];
    if (value[span.variable] > 0 && first <= span.first && span.last <= last) return SOME;
    if (value[span.variable] < 0 && span.first <= first && last <= span.last) return NONE;
    if (value[span.variable] > 0 && one && (span.last < first || last < span.first)) return NONE;
  }
  return OPEN;
}

static state state_of(const moc__retain *r, const state *states, int32_t place, int32_t interval) {
  return states[r->ops[place].flat + interval];
}

/* A support as it is in `part`, for the hold there. */
static void add(const moc__retain *whole, const state *states, const moc__retain_support *s, moc__retain *part,
                int64_t hold) {
  moc__retain_support copy = *s;
  copy.read = copy.end = -1;
  if (s->read >= 0 && state_of(whole, states, s->reader, s->read) == OPEN)
    copy.read = moc__retain_interval_of(part, whole, s->reader, s->read);
  if (s->end >= 0 && state_of(whole, states, s->ender, s->end) == OPEN)
    copy.end = moc__retain_interval_of(part, whole, s->ender, s->end);
  copy.fraction = copy.best;
  moc__retain_support_add(part, hold, copy);
}

/* The hold h of event e goes to event `to` of `part`. */
static void restrict_hold(const moc__retain *whole, const state *states, const moc__retain_hold *h,
                          moc__retain *part, int64_t to) {
  bool open = false;
  for (int64_t k = h->first_support; k >= 0; k = whole->supports[k].next) {
    const moc__retain_support *s = &whole->supports[k];
    state v = s->read < 0 ? SOME : state_of(whole, states, s->reader, s->read);
    state x = s->end < 0 ? NONE : state_of(whole, states, s->ender, s->end);
    if (v == SOME && x == NONE) { /* held for certain */
      part->events[to].room -= h->size;
      return;
    }
    open = open || (v != NONE && x != SOME);
  }
  if (!open) return;
  int64_t hold = moc__retain_hold_add(part, to, h->tensor, h->size);
  for (int64_t k = h->first_support; k >= 0 && hold >= 0; k = whole->supports[k].next) {
    const moc__retain_support *s = &whole->supports[k];
    state v = s->read < 0 ? SOME : state_of(whole, states, s->reader, s->read);
    state x = s->end < 0 ? NONE : state_of(whole, states, s->ender, s->end);
    if (v != NONE && x != SOME) add(whole, states, s, part, hold);
  }
}

moc_status moc__dual_restrict(const moc__model *model, const moc__retain *whole, moc__retain *part) {
  moc_status status =
      moc__retain_init(part, whole->staged, whole->budget, model->max_computes, &whole->allocator, NULL);
  if (status != MOC_OK) return status;
  state *states = MOC__NEW(&whole->allocator, whole->n_flat, state);
  if (states == NULL) part->out_of_memory = true;
  for (int32_t p = 0; p < whole->staged->n && states != NULL; p++) {
    const moc__retain_op *op = &whole->ops[p];
    for (int64_t i = 0; i < op->n_intervals; i++)
      states[op->flat + i] = look(model, p, op->intervals[i].first, op->intervals[i].last);
  }
  for (int64_t i = 0; i < whole->n_events && !part->out_of_memory; i++) {
    int64_t to = moc__retain_event_add(part, whole->events[i]);
    if (to < 0) break;
    moc__retain_event *event = &part->events[to];
    event->weight = event->best;
    for (int64_t h = whole->events[i].first_hold; h >= 0; h = whole->holds[h].next)
      restrict_hold(whole, states, &whole->holds[h], part, to);
    /* Nothing open, and nothing wrong: no need to look at it. */
    if (event->first_hold < 0 && event->room >= 0) part->n_events--;
  }
  moc__release(&whole->allocator, states);
  if (!part->out_of_memory) return MOC_OK;
  moc__retain_release(part);
  return moc__out_of_memory(NULL);
}
