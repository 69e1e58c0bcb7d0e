/* What follows from the bound of the search, and why; see dual.h. */
#include "cp/dual_choice.h"

#include <stdlib.h>

enum { MOST_FIXED = 20 }; /* literals fixed by one call below level 0 */

static moc__lit count_literal(const moc__dual *d, const moc__choice *c) {
  return 2 * d->model->starts[c->place].times[0];
}

static moc__lit span_literal(const moc__dual *d, const moc__choice *c, int k) {
  return 2 * d->model->starts[c->place].spans[k].variable;
}

/* What `l` asks for beyond `fixed`. */
static moc__limits beyond(moc__limits l, moc__limits fixed) {
  return (moc__limits){l.hit & ~fixed.hit, l.missed & ~fixed.missed, l.some && !fixed.some, l.none && !fixed.none};
}

static bool any(moc__limits l) {
  return (l.hit | l.missed) != 0 || l.some || l.none;
}

/* Take one limit out of *open and *from. Its literal, which is false. */
static moc__lit take_one(const moc__dual *d, const moc__choice *c, moc__limits *open, moc__limits *from) {
  if (open->some) {
    open->some = from->some = false;
    return moc__not(count_literal(d, c));
  }
  if (open->none) {
    open->none = from->none = false;
    return count_literal(d, c);
  }
  int k = __builtin_ctzll(open->hit | open->missed);
  uint64_t bit = UINT64_C(1) << k;
  bool hit = (open->hit & bit) != 0;
  open->hit &= ~bit;
  open->missed &= ~bit;
  from->hit &= ~bit;
  from->missed &= ~bit;
  moc__lit l = span_literal(d, c, k);
  return hit ? moc__not(l) : l;
}

/* The literals of one operation that its earnings rest on, as far as `slack` (> what may be lost) does not let them go, to
 * the conflict. `kept`: limits that are not told. */
static void explain_choice(moc__dual *d, moc__choice *c, moc__limits l, moc__limits kept, int64_t earns,
                           moc__wide *slack) {
  moc__limits open = beyond(l, kept);
  while (any(open)) {
    moc__limits without = l;
    moc__lit literal = take_one(d, c, &open, &without);
    int64_t now = moc__choice_earns(d, c, without, false);
    if (now - earns < *slack) {
      *slack -= now - earns;
      earns = now;
      l = without;
    } else {
      moc__engine_conflict_literal(&d->model->engine, literal);
    }
  }
}

static int by_loss(const void *a, const void *b) {
  const moc__loss *x = a, *y = b;
  if (x->loses != y->loses) return x->loses < y->loses ? -1 : 1;
  return (x->choice > y->choice) - (x->choice < y->choice);
}

/* What each operation's literals are worth to the bound, ascending, to losses[]. */
static void weigh_choices(moc__dual *d) {
  int64_t count = 0;
  for (int64_t i = 0; i < d->n_choices; i++) {
    moc__choice *c = &d->choices[i];
    if (!any(beyond(c->now, c->fixed))) continue;
    int64_t loses = moc__choice_earns(d, c, c->fixed, false) - c->earns;
    if (loses > 0) d->losses[count++] = (moc__loss){loses, i};
  }
  qsort(d->losses, (size_t)count, sizeof *d->losses, by_loss);
  d->n_losses = count;
}

/* The debug build looks at every explanation: the bound under the literals of conflict[] alone, all others open, passes
 * the cap. */
#ifndef NDEBUG
static bool bound_follows(moc__dual *d, moc__wide cap) {
  const moc__engine *e = &d->model->engine;
  moc__wide bound = d->bound;
  for (int64_t i = 0; i < d->n_choices; i++) {
    moc__choice *c = &d->choices[i];
    moc__limits l = c->fixed;
    for (int64_t k = 0; k < e->n_conflict; k++) {
      moc__lit literal = moc__not(e->conflict[k]);
      for (int32_t s = 0; s < c->n_spans; s++) {
        if (moc__var(span_literal(d, c, s)) != moc__var(literal)) continue;
        *((literal & 1) == 0 ? &l.hit : &l.missed) |= UINT64_C(1) << s;
      }
      if (d->model->starts[c->place].n_times == 0) continue;
      l.some |= literal == count_literal(d, c);
      l.none |= literal == moc__not(count_literal(d, c));
    }
    bound += c->earns - moc__choice_earns(d, c, l, false);
  }
  return bound > cap;
}
#endif

void moc__dual_explain(moc__dual *d, moc__wide cap) {
  moc__wide slack = d->bound - cap;
  weigh_choices(d);
  int64_t i = 0;
  for (; i < d->n_losses && d->losses[i].loses < slack; i++) slack -= d->losses[i].loses;
  for (; i < d->n_losses; i++) {
    moc__choice *c = &d->choices[d->losses[i].choice];
    explain_choice(d, c, c->now, c->fixed, c->earns, &slack);
  }
  assert(d->model->engine.out_of_memory || bound_follows(d, cap));
}

/* --- Literals that would push the bound past the cap --- */

/* The limits without which an operation would earn more, once for all explanations of a call. */
static void find_needed(moc__dual *d, moc__choice *c) {
  if (c->needed_in == d->calls) return;
  c->needed_in = d->calls;
  moc__limits open = beyond(c->now, c->fixed);
  c->needed = c->now;
  while (any(open)) {
    moc__limits without = c->needed;
    (void)take_one(d, c, &open, &without);
    if (moc__choice_earns(d, c, without, false) == c->earns) c->needed = without;
  }
}

/* As moc__dual_explain, for one of many: coarser, and without operation `except`. weigh_choices was called. */
static void explain_fixing(moc__dual *d, moc__wide slack, const moc__choice *except) {
  int64_t i = 0;
  for (; i < d->n_losses; i++) {
    if (&d->choices[d->losses[i].choice] == except) continue;
    if (d->losses[i].loses >= slack) break;
    slack -= d->losses[i].loses;
  }
  for (; i < d->n_losses; i++) {
    moc__choice *c = &d->choices[d->losses[i].choice];
    if (c == except) continue;
    find_needed(d, c);
    moc__limits open = beyond(c->needed, c->fixed), rest = c->needed;
    while (any(open)) moc__engine_conflict_literal(&d->model->engine, take_one(d, c, &open, &rest));
  }
}

/* `literal` made true would leave the operation `with`, by limits `l`: it is false. */
static void fix_literal(moc__dual *d, moc__choice *c, moc__lit literal, moc__limits l, int64_t with,
                        moc__wide cap) {
  moc__engine *e = &d->model->engine;
  e->n_conflict = 0;
  moc__engine_conflict_literal(e, moc__not(literal));
  moc__limits kept = c->fixed; /* what makes `literal` true is not told */
  kept.hit |= l.hit & ~c->now.hit;
  kept.some |= l.some && !c->now.some;
  moc__wide slack = d->bound + c->earns - with - cap;
  explain_choice(d, c, l, kept, with, &slack);
  explain_fixing(d, slack, c);
  assert(e->out_of_memory || bound_follows(d, cap));
  if (!e->out_of_memory) moc__engine_imply(e, e->conflict, e->n_conflict, true);
}

/* with[k]: what the operation earns when span k must be hit, too. */
static void earn_each(moc__dual *d, moc__choice *c, int64_t *with) {
  if (!d->retain->single) {
    for (int32_t k = 0; k < c->n_spans; k++) {
      moc__limits l = c->now;
      l.hit |= UINT64_C(1) << k;
      with[k] = moc__choice_earns(d, c, l, false);
    }
    return;
  }
  int64_t cost = d->model->staged->duration[c->place] << d->shift;
  for (int32_t k = 0; k < c->n_spans; k++) with[k] = -MOC__IMPOSSIBLE;
  for (int32_t i = 0; i < d->retain->ops[c->place].n_cells; i++) {
    uint64_t spans = d->spans[c->cells + i];
    if ((spans & c->now.missed) != 0 || (c->now.hit & ~spans) != 0) continue;
    for (uint64_t left = spans; left != 0; left &= left - 1) {
      int k = __builtin_ctzll(left);
      if (d->value[c->cells + i] - cost > with[k]) with[k] = d->value[c->cells + i] - cost;
    }
  }
}

void moc__dual_fix(moc__dual *d, moc__wide cap) {
  const moc__engine *e = &d->model->engine;
  int fixed = 0;
  int64_t with[MOC__MOST_SPANS] = {0};
  bool weighed = e->n_levels == 0;
  if (weighed) d->n_losses = 0; /* all literals are fixed: nothing to explain */
  for (int64_t i = 0; i < d->n_choices; i++) {
    moc__choice *c = &d->choices[i];
    const moc__starts *s = &d->model->starts[c->place];
    if (c->now.none || s->n_times == 0 || c->earns <= -MOC__IMPOSSIBLE / 2) continue;
    if (e->value[s->times[0]] == 0 && d->retain->ops[c->place].n_picked == 0) { /* is any start too much? */
      moc__limits l = c->now;
      l.some = true;
      int64_t some = moc__choice_earns(d, c, l, false);
      if (d->bound + c->earns - some > cap) {
        if (!weighed) weigh_choices(d);
        weighed = true;
        fix_literal(d, c, count_literal(d, c), l, some, cap);
        if (e->out_of_memory || (e->n_levels > 0 && ++fixed >= MOST_FIXED)) return;
        continue;
      }
    }
    earn_each(d, c, with);
    for (int32_t k = 0; k < c->n_spans; k++) {
      uint64_t bit = UINT64_C(1) << k;
      if (e->value[s->spans[k].variable] != 0 || ((c->now.hit | c->now.missed) & bit) != 0) continue;
      if (d->bound + c->earns - with[k] <= cap) continue;
      if (!weighed) weigh_choices(d);
      weighed = true;
      moc__limits l = c->now;
      l.hit |= bit;
      fix_literal(d, c, span_literal(d, c, k), l, with[k], cap);
      if (e->out_of_memory || (e->n_levels > 0 && ++fixed >= MOST_FIXED)) return;
    }
  }
}
