/* Targets and what becomes of them; see prove.h. */
#include "cp/prove.h"

#include "bounds/any_order.h"
#include "bounds/branching.h"
#include "bounds/cover.h"
#include "bounds/cut.h"
#include "cp/dual.h"
#include "cp/windows.h"

#include <math.h>

enum {
  SLICE = 25,          /* conflicts between two looks at incumbent and effort */
  FIRST_PATIENCE = 10, /* slices spent on a target at first; a quarter more each time that is not enough */
  COVER_ROUNDS = 3000,
  RETAIN_ROUNDS = 300, /* of the retention bound's ascent between two looks for what is violated */
  MOST_IDLE = 4,       /* so many times without a rise end it, */
  IDLE_SHARE = 3       /* and this part of its work: while rows are few a round costs next to nothing */
};
#define LEAST_IDLE    INT64_C(100000)    /* of that work */
#define COVER_WORK    INT64_C(300000000) /* rounds of the covering bound times its size, at most */
#define CUT_EFFORT    INT64_C(500000000) /* arcs looked at for least cuts */
#define LEAST_WRITING INT64_C(1000000)   /* work for a proof by cases; or this share of the proof's */

enum { WRITING_SHARE = 8, DONE_SHARE = 4 }; /* while the proof goes on; when it has ended */

/* Of the work, for windows: at first, after one that found a plan, at least, and how fast it falls with each that did not. */
static const double FIRST_SHARE = 0.3, MOST_SHARE = 0.6, LEAST_SHARE = 0.08, SHARE_DECAY = 0.95;

typedef enum part { RETENTION, PROGRAM, DONE } part;

struct moc__prover {
  const moc__staged *staged;
  moc__incumbent *incumbent;
  moc_allocator allocator;
  int64_t budget;
  int32_t max_computes;
  part part;
  moc_certificate certificate;
  int64_t bound; /* proven extra duration */
  int64_t most;  /* extra duration of any schedule there is; at most MOC_MAX_TOTAL */
  int64_t found; /* shorter plans */
  bool broken;   /* a plan contradicts the bound */
  moc__retain retain;
  int32_t idle;  /* improvements without a rise */
  int64_t risen; /* the relaxation's work at the last one with a rise */
  bool has_model;
  moc__model model;
  moc__dual *dual;
  moc__pool *pool;
  moc__guide *guide;
  uint64_t seed;
  bool has_windows;
  moc__windows windows;
  int64_t windows_work;      /* of all the work */
  double windows_share;      /* they are to have of it */
  moc__branching *branching; /* the proof as it is written down; NULL */
  /* The target at hand. */
  int64_t target; /* 0: none */
  double share;   /* of the way from bound to plan */
  int64_t patience, slices;
  int32_t *order; /* [n] work space */
  moc__pair *pairs;
  int64_t pairs_capacity;
};

static bool stop(void *context) {
  return moc__stopped(context);
}

static void raise_bound(moc__prover *p, int64_t extra) {
  if (extra <= p->bound) return;
  p->bound = extra;
  if (!moc__incumbent_raise(p->incumbent, extra)) p->broken = true;
  assert(!p->broken);
}

/* There is no schedule. */
static void exclude(moc__prover *p) {
  if (!moc__incumbent_exclude(p->incumbent)) p->broken = true;
  assert(!p->broken);
}

/* --- Bounds of relaxations --- */

/* What the covering bound rests on. */
static void certify(const moc__cover *cover, const moc__staged *staged, moc_certificate *certificate) {
  moc_bound_weight *weights = MOC__NEW(&cover->allocator, cover->n_rows, moc_bound_weight);
  if (weights == NULL) return;
  if (cover->extra > MOC_MAX_TOTAL - staged->total_duration) { /* no schedule at all; nothing to certify */
    moc__release(&cover->allocator, weights);
    return;
  }
  *certificate =
      (moc_certificate){.bound = staged->total_duration + cover->extra, .shift = cover->shift, .weights = weights};
  for (int32_t r = 0; r < cover->n_rows; r++) {
    if (cover->weight[r] > 0)
      weights[certificate->n_weights++] =
          (moc_bound_weight){.op = staged->order[cover->step[r]], .weight = cover->weight[r]};
  }
}

static void prove_cover(moc__prover *p) {
  moc__cover cover;
  if (moc__cover_init(&cover, p->staged, p->budget, &p->allocator, NULL) != MOC_OK) return;
  int64_t size = 1 + cover.n_rows + (cover.n_items > 0 ? cover.first_part[cover.n_items] : 0);
  int64_t rounds = moc__min(COVER_ROUNDS, 50 + COVER_WORK / size);
  if (moc__cover_ascend(&cover, INT64_MAX, (int32_t)rounds, stop, p->incumbent, NULL) == MOC_OK) {
    raise_bound(p, cover.extra);
    if (cover.extra > 0) certify(&cover, p->staged, &p->certificate);
  }
  moc__cover_release(&cover);
}

/* A bound over all orders holds for this one, too, and may be higher. */
static void prove_any_order(moc__prover *p) {
  int64_t extra;
  if (moc__bound_any_order(p->staged, p->budget, NULL, true, stop, p->incumbent, &p->allocator, &extra,
                           &p->certificate) == MOC_OK)
    raise_bound(p, extra);
  if (moc__bound_cut(p->staged, p->budget, false, CUT_EFFORT, stop, p->incumbent, &p->allocator, &extra,
                     &p->certificate) == MOC_OK)
    raise_bound(p, extra);
}

/* One improvement of the retention bound; false when it rises no more. */
static bool improve_retention(moc__prover *p) {
  moc__retain *r = &p->retain;
  int64_t before = r->extra;
  bool adds = moc__retain_improve(r, moc__incumbent_extra(p->incumbent), RETAIN_ROUNDS, stop, p->incumbent);
  raise_bound(p, r->extra);
  moc__guide_post(p->guide, r);
  p->idle++;
  if (r->extra > before + before / 2000) {
    p->idle = 0;
    p->risen = r->work;
  }
  bool hopes = p->idle < MOST_IDLE || (adds && r->work - p->risen < moc__max(LEAST_IDLE, r->work / IDLE_SHARE));
  return hopes && !r->out_of_memory;
}

/* The program, for proofs and for windows. */
static bool make_model(moc__prover *p) {
  if (p->has_model) return true;
  if (moc__model_init(&p->model, p->staged, p->budget, p->max_computes, &p->allocator, NULL) != MOC_OK)
    return false;
  p->has_model = true;
  p->dual = moc__dual_create(&p->model, &p->retain);
  p->order = MOC__NEW(&p->allocator, p->staged->n, int32_t);
  if (p->dual == NULL || p->order == NULL) return false;
  moc__dual_install(p->dual);
  moc__dual_watch(p->dual, stop, p->incumbent);
  p->has_windows =
      moc__windows_init(&p->windows, &p->model, p->dual, &p->retain, p->incumbent, p->pool, p->seed) == MOC_OK;
  return p->has_windows;
}

static bool begin_program(moc__prover *p) {
  if (p->retain.extra > 0 && p->staged->total_duration + p->retain.extra > p->certificate.bound)
    moc__retain_certify(&p->retain, &p->certificate);
  if (p->retain.out_of_memory || !make_model(p)) return false;
  int64_t known = moc__incumbent_extra(p->incumbent);
  p->share = known == INT64_MAX || known - p->bound > known / 10 ? 0.25 : 1;
  p->patience = FIRST_PATIENCE;
  return true;
}

/* --- Targets for the constraint program --- */

static void choose_target(moc__prover *p, int64_t best) {
  int64_t last = best == INT64_MAX ? p->most + 1 : best;
  p->target = last;
  p->slices = 0;
  if (p->share < 1) p->target = p->bound + moc__max(1, (int64_t)((double)(last - p->bound) * p->share));
  if (p->target > last) p->target = last;
  if (best != INT64_MAX) {
    int64_t count = moc__incumbent_copy(p->incumbent, p->order, &p->pairs, &p->pairs_capacity);
    if (count >= 0) moc__model_suggest(&p->model, p->pairs, count);
  }
  moc__model_set_target(&p->model, p->target);
}

/* One slice on the target. False when there is nothing more to do. */
static bool pursue(moc__prover *p) {
  moc__model *m = &p->model;
  int64_t best = moc__incumbent_extra(p->incumbent);
  if (p->broken || best == p->bound) return false;
  if (p->target == 0 || p->target > best) choose_target(p, best);
  moc__model_end end = moc__model_solve(m, SLICE, stop, p->incumbent);
  if (m->stuck || m->engine.out_of_memory) return false;
  if (end == MOC__MODEL_SOLVED) {
    moc__incumbent_offer_pairs(p->incumbent, m->pairs, m->n_pairs, moc__model_extra(m), moc__model_peak(m),
                               m->max_computes);
    p->found++;
    p->target = 0;
  } else if (end == MOC__MODEL_REFUTED) {
    if (p->target > p->most) {
      exclude(p);
      return false;
    }
    raise_bound(p, p->target);
    p->target = 0;
    p->share = p->share >= 0.5 ? 1 : 2 * p->share;
  } else if (++p->slices >= p->patience) {
    p->target = 0;
    p->share = p->share < 0.02 ? 0.25 : p->share / 2;
    p->patience += 1 + p->patience / 4;
  }
  return true;
}

/* --- Windows --- */

static int64_t work_done(const moc__prover *p) {
  int64_t work = p->retain.work;
  if (p->dual != NULL) work += p->model.engine.propagations + moc__dual_work(p->dual) + p->model.work;
  if (p->has_windows) work += p->windows.work;
  return work;
}

/* Is it their turn? Not in the middle of a target, for which what was learned would be lost. */
static bool windows_turn(const moc__prover *p) {
  if (moc__incumbent_extra(p->incumbent) == INT64_MAX || p->target != 0) return false;
  if (p->has_windows && p->windows.complete) return false;
  return (double)p->windows_work < p->windows_share * (double)work_done(p);
}

/* Windows have a greater share of the work the more they find. False when memory is out. */
static bool try_windows(moc__prover *p) {
  if (!make_model(p)) return false;
  int64_t begun = work_done(p), found = p->windows.improved;
  bool fine = moc__windows_try(&p->windows);
  p->windows_work += work_done(p) - begun;
  bool better = p->windows.improved > found;
  p->found += better;
  p->windows_share = better ? MOST_SHARE : fmax(LEAST_SHARE, p->windows_share * SHARE_DECAY);
  return fine;
}

/* --- The whole --- */

/* Of every operation computed as often as it may be; at most MOC_MAX_TOTAL. */
static int64_t most_extra(const moc__staged *staged, int32_t max_computes) {
  int64_t most = 0, times = max_computes - 1;
  for (int32_t q = 0; q < staged->n && times > 0; q++) {
    if (staged->compute_once[q]) continue;
    if (staged->duration[q] > (MOC_MAX_TOTAL - most) / times) return MOC_MAX_TOTAL;
    most += staged->duration[q] * times;
  }
  return most;
}

moc__prover *moc__prover_create(const moc__staged *staged, int64_t budget, int32_t max_computes,
                                moc__incumbent *incumbent, moc__pool *pool, moc__guide *guide, uint64_t seed) {
  moc__prover *p = moc__allocate_zeroed(&incumbent->allocator, 1, sizeof *p);
  if (p == NULL) return NULL;
  p->staged = staged;
  p->incumbent = incumbent;
  p->pool = pool;
  p->guide = guide;
  p->seed = seed;
  p->windows_share = FIRST_SHARE;
  p->allocator = incumbent->allocator;
  p->budget = budget;
  p->max_computes = max_computes;
  p->most = most_extra(staged, max_computes);
  prove_cover(p);
  bool suits = moc__retain_suits(staged);
  if (!suits) prove_any_order(p);
  bool goes_on = suits && moc__retain_init(&p->retain, staged, budget, max_computes, &p->allocator, NULL) == MOC_OK;
  p->part = goes_on ? RETENTION : DONE;
  return p;
}

void moc__prover_destroy(moc__prover *p, moc_certificate *certificate) {
  if (p == NULL) return;
  if (p->part == RETENTION && p->retain.extra > 0 &&
      p->staged->total_duration + p->retain.extra > p->certificate.bound)
    moc__retain_certify(&p->retain, &p->certificate);
  if (p->branching != NULL) moc__branching_certify(p->branching, &p->certificate);
  moc__branching_destroy(p->branching);
  *certificate = p->certificate;
  moc_allocator allocator = p->allocator;
  if (p->has_windows) moc__windows_release(&p->windows);
  moc__dual_destroy(p->dual);
  if (p->has_model) moc__model_release(&p->model);
  if (p->retain.ops != NULL) moc__retain_release(&p->retain);
  moc__release(&allocator, p->pairs);
  moc__release(&allocator, p->order);
  moc__release(&allocator, p);
}

bool moc__prover_run(moc__prover *p, int64_t effort) {
  int64_t end = work_done(p) + effort;
  while (p->part != DONE && !moc__stopped(p->incumbent)) {
    if (p->bound > p->most) {
      exclude(p);
      p->part = DONE;
    } else if ((p->part == PROGRAM || p->idle > 0) && windows_turn(p)) {
      if (!try_windows(p)) p->part = DONE;
    } else if (p->part == RETENTION) {
      if (!improve_retention(p)) p->part = begin_program(p) ? PROGRAM : DONE;
    } else if (!pursue(p)) {
      p->part = DONE;
    }
    if (work_done(p) >= end) break;
  }
  return p->part != DONE;
}

void moc__prover_write_down(moc__prover *p, bool done, bool (*stop_writing)(void *), void *context) {
  if (p->dual == NULL || p->broken || p->retain.out_of_memory || moc__excluded(p->incumbent) ||
      stop_writing(context) || p->bound <= p->certificate.bound - p->staged->total_duration)
    return;
  int64_t effort = done ? moc__max(LEAST_WRITING, work_done(p) / DONE_SHARE) : work_done(p) / WRITING_SHARE;
  if (p->branching == NULL) p->branching = moc__branching_create(&p->retain, p->max_computes);
  if (p->branching == NULL) return;
  effort -= moc__branching_work(p->branching);
  if (effort > 0) (void)moc__branching_run(p->branching, p->bound, effort, stop_writing, context);
}

int64_t moc__prover_bound(const moc__prover *p) {
  return p->bound;
}

int64_t moc__prover_found(const moc__prover *p) {
  return p->found;
}
