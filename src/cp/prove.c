/* Targets and what becomes of them; see prove.h. */
#include "cp/prove.h"

#include "bounds/cover.h"
#include "cp/dual.h"

enum {
  SLICE = 25,          /* conflicts between two looks at incumbent and effort */
  FIRST_PATIENCE = 10, /* slices spent on a target at first; a quarter more each time that is not enough */
  COVER_ROUNDS = 3000,
  RETAIN_ROUNDS = 300, /* of the retention bound's ascent between two looks for what is violated */
  MOST_IDLE = 4,       /* so many times without a rise end it */
  MOST_PLACES = 20000  /* for larger graphs the covering bound is all that is tried */
};
#define MOST_LIVES INT64_C(20000000)
#define COVER_WORK INT64_C(300000000) /* rounds of the covering bound times its size, at most */

typedef struct prover {
  const moc__prove_options *options;
  moc__incumbent *incumbent;
  moc__model model;
  moc__retain retain;
  moc__dual *dual;
  int64_t bound; /* proven extra duration */
  bool broken;   /* a plan contradicts the bound */
} prover;

static bool stop(void *context) {
  return moc__stopped(context);
}

static void raise_bound(prover *p, int64_t extra) {
  if (extra <= p->bound) return;
  p->bound = extra;
  if (!moc__incumbent_raise(p->incumbent, extra)) p->broken = true;
  assert(!p->broken);
}

/* What the covering bound rests on. */
static void certify(const moc__cover *cover, const moc__staged *staged, moc_certificate *certificate) {
  moc_bound_weight *weights = MOC__NEW(&cover->allocator, cover->n_rows, moc_bound_weight);
  if (weights == NULL) return;
  if (cover->extra > MOC_MAX_TOTAL - staged->total_duration) { /* no schedule at all; nothing to certify */
    moc__release(&cover->allocator, weights);
    return;
  }
  *certificate = (moc_certificate){
      .bound = staged->total_duration + cover->extra, .shift = cover->shift, .weights = weights};
  for (int32_t r = 0; r < cover->n_rows; r++) {
    if (cover->weight[r] > 0)
      weights[certificate->n_weights++] = (moc_bound_weight){.op = staged->order[cover->step[r]], .weight = cover->weight[r]};
  }
}

static void prove_cover(prover *p, const moc__staged *staged, moc_certificate *certificate) {
  moc__cover cover;
  const moc_allocator *allocator = &p->incumbent->allocator;
  if (moc__cover_init(&cover, staged, p->options->budget, allocator, NULL) != MOC_OK) return;
  int64_t size = 1 + cover.n_rows + (cover.n_items > 0 ? cover.first_part[cover.n_items] : 0);
  int64_t rounds = moc__min(COVER_ROUNDS, 50 + COVER_WORK / size);
  if (moc__cover_ascend(&cover, INT64_MAX, (int32_t)rounds, stop, p->incumbent, NULL) == MOC_OK) {
    raise_bound(p, cover.extra);
    if (cover.extra > 0) certify(&cover, staged, certificate);
  }
  moc__cover_release(&cover);
}

/* Whether memory at every event can be looked at within reason: that takes time for each step of each tensor's life. */
static bool small_enough(const moc__staged *staged) {
  int64_t lives = 0;
  for (int32_t t = 0; t < staged->n_tensors; t++) {
    int64_t end = staged->readers.start[t + 1];
    int32_t last = staged->keep[t] ? staged->n - 1 : staged->producer[t];
    if (end > staged->readers.start[t]) last = (int32_t)moc__max(last, staged->readers.items[end - 1]);
    lives += last - staged->producer[t];
  }
  return lives < MOST_LIVES;
}

/* The retention bound, until it rises no more. */
static void prove_retention(prover *p, moc_certificate *certificate) {
  moc__retain *r = &p->retain;
  int32_t idle = 0;
  while (idle < MOST_IDLE && !r->out_of_memory && !moc__stopped(p->incumbent)) {
    int64_t before = r->extra, best = moc__incumbent_extra(p->incumbent);
    (void)moc__retain_improve(r, best, RETAIN_ROUNDS, stop, p->incumbent);
    raise_bound(p, r->extra);
    idle = r->extra > before + before / 2000 ? 0 : idle + 1;
    if (p->options->effort > 0 && r->work > p->options->effort / 4) break;
  }
  if (r->extra > 0 && p->incumbent->total_duration + r->extra > certificate->bound) moc__retain_certify(r, certificate);
}

static int64_t extra_of(const moc__model *m) {
  int64_t extra = 0;
  for (int64_t i = 0; i < m->n_pairs; i++) extra += m->staged->duration[m->pairs[i].place];
  return extra;
}

/* One slice on a target. False when there is nothing more to do with it. */
static bool pursue(prover *p, moc__model_end *end) {
  moc__model *m = &p->model;
  *end = moc__model_solve(m, SLICE, stop, p->incumbent);
  if (*end == MOC__MODEL_SOLVED) {
    moc__incumbent_offer_pairs(p->incumbent, m->pairs, m->n_pairs, extra_of(m), moc__model_peak(m),
                               m->max_computes);
    return false;
  }
  if (*end == MOC__MODEL_REFUTED) {
    if (m->target < MOC_MAX_TOTAL) raise_bound(p, m->target);
    return false;
  }
  return !m->stuck && !m->engine.out_of_memory && !moc__stopped(p->incumbent);
}

static int64_t work_done(const prover *p) {
  return p->model.engine.propagations + moc__dual_work(p->dual) + p->retain.work + p->model.work;
}

static void settle(prover *p) {
  moc__model *m = &p->model;
  moc__pair *pairs = NULL;
  int64_t capacity = 0, patience = FIRST_PATIENCE;
  int32_t *order = MOC__NEW(&m->allocator, m->staged->n, int32_t);
  int64_t known = moc__incumbent_extra(p->incumbent);
  double share = known != INT64_MAX && known - p->bound > known / 10 ? 0.25 : 1;
  while (order != NULL && !p->broken && !moc__stopped(p->incumbent)) {
    int64_t best = moc__incumbent_extra(p->incumbent);
    if (best == p->bound) break;
    int64_t target = MOC_MAX_TOTAL;
    if (best != INT64_MAX) {
      target = best;
      if (share < 1) target = p->bound + moc__max(1, (int64_t)((double)(best - p->bound) * share));
      if (target > best) target = best;
      int64_t count = moc__incumbent_copy(p->incumbent, order, &pairs, &capacity);
      if (count >= 0) moc__model_suggest(m, pairs, count);
    }
    moc__model_set_target(m, target);
    moc__model_end end = MOC__MODEL_LIMIT;
    bool more = true, news = false; /* a better plan came from elsewhere */
    for (int64_t slice = 0; more && !news && slice < patience; slice++) {
      more = pursue(p, &end);
      if (p->options->effort > 0 && work_done(p) > p->options->effort) goto done;
      news = moc__incumbent_extra(p->incumbent) < target;
    }
    if (end == MOC__MODEL_LIMIT && !more) break; /* stopped, or no memory */
    if (end == MOC__MODEL_REFUTED) {
      if (target == MOC_MAX_TOTAL) break; /* this order has no schedule at all; there is no status to say so */
      share = share >= 0.5 ? 1 : 2 * share;
    } else if (end == MOC__MODEL_LIMIT && !news) {
      share = share < 0.02 ? 0.25 : share / 2;
      patience += 1 + patience / 4;
    }
  }
done:
  moc__release(&m->allocator, pairs);
  moc__release(&m->allocator, order);
}

void moc__prove(const moc__staged *staged, const moc__prove_options *options, moc__incumbent *incumbent,
                moc_certificate *certificate) {
  prover p = {.options = options, .incumbent = incumbent};
  prove_cover(&p, staged, certificate);
  if (moc__stopped(incumbent) || staged->n > MOST_PLACES || !small_enough(staged)) return;
  const moc_allocator *allocator = &incumbent->allocator;
  int64_t budget = options->budget;
  if (moc__retain_init(&p.retain, staged, budget, options->max_computes, allocator, NULL) != MOC_OK) return;
  prove_retention(&p, certificate);
  if (!moc__stopped(incumbent) &&
      moc__model_init(&p.model, staged, budget, options->max_computes, allocator, NULL) == MOC_OK) {
    p.dual = moc__dual_create(&p.model, &p.retain);
    if (p.dual != NULL) {
      moc__dual_install(p.dual);
      settle(&p);
    }
    moc__dual_destroy(p.dual);
    moc__model_release(&p.model);
  }
  moc__retain_release(&p.retain);
}
