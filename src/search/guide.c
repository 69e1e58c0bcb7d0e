/* Masses of the relaxation, posted and taken; see guide.h. */
#include "search/guide.h"

static const double LEAST_MASS = 0.1; /* of recomputations that close a gap, to list it */

moc_status moc__guide_init(moc__guide *guide, const moc_allocator *allocator, moc_error *error) {
  *guide = (moc__guide){.allocator = *allocator};
  if (pthread_mutex_init(&guide->lock, NULL) != 0)
    return moc__fail(error, MOC_INTERNAL, "", "the system gives no mutex");
  return MOC_OK;
}

void moc__guide_release(moc__guide *guide) {
  moc__release(&guide->allocator, guide->masses);
  pthread_mutex_destroy(&guide->lock);
}

void moc__guide_post(moc__guide *guide, const moc__retain *retain) {
  int64_t count = 0;
  for (int32_t p = 0; p < retain->staged->n; p++) count += retain->ops[p].n_masses;
  pthread_mutex_lock(&guide->lock);
  if (moc__reserve(&guide->allocator, &guide->masses, count, &guide->capacity, sizeof *guide->masses)) {
    guide->count = 0;
    for (int32_t p = 0; p < retain->staged->n; p++) {
      const moc__retain_op *op = &retain->ops[p];
      for (int64_t i = 0; i < op->n_masses; i++)
        guide->masses[guide->count++] = (moc__mass){{p, op->stage[i]}, op->mass[i]};
    }
    atomic_fetch_add(&guide->posts, 1);
  }
  pthread_mutex_unlock(&guide->lock);
}

void moc__relaxer_init(moc__relaxer *relaxer, const moc__staged *staged, int64_t budget, int32_t max_computes,
                       const moc_allocator *allocator) {
  *relaxer = (moc__relaxer){.retain = {.allocator = *allocator}};
  relaxer->active = moc__retain_suits(staged) &&
                    moc__retain_init(&relaxer->retain, staged, budget, max_computes, allocator, NULL) == MOC_OK;
}

void moc__relaxer_release(moc__relaxer *relaxer) {
  moc__retain_release(&relaxer->retain);
}

/* Masses go on getting better where the bound does not rise. */
void moc__relaxer_run(moc__relaxer *relaxer, int64_t work, moc__guide *guide, bool (*stop)(void *), void *context) {
  enum { ROUNDS = 300, MOST_IDLE = 8 };
  moc__retain *r = &relaxer->retain;
  while (relaxer->active && r->work <= work && !(stop != NULL && stop(context))) {
    int64_t before = r->extra;
    (void)moc__retain_improve(r, INT64_MAX, ROUNDS, stop, context);
    relaxer->idle = r->extra > before + before / 2000 ? 0 : relaxer->idle + 1;
    relaxer->active = relaxer->idle < MOST_IDLE && !r->out_of_memory;
    moc__guide_post(guide, r);
  }
}

moc_status moc__hints_init(moc__hints *hints, int32_t n, const moc_allocator *allocator, moc_error *error) {
  *hints =
      (moc__hints){.allocator = *allocator, .n = n, .first = MOC__NEW_ZEROED(allocator, (int64_t)n + 1, int64_t)};
  return hints->first != NULL ? MOC_OK : moc__out_of_memory(error);
}

void moc__hints_release(moc__hints *hints) {
  void *blocks[] = {hints->masses, hints->first, hints->sample};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(&hints->allocator, blocks[i]);
  *hints = (moc__hints){.allocator = hints->allocator};
}

bool moc__hints_take(moc__hints *hints, moc__guide *guide) {
  if (atomic_load(&guide->posts) == hints->post) return false;
  pthread_mutex_lock(&guide->lock);
  bool ok =
      moc__reserve(&hints->allocator, &hints->masses, guide->count, &hints->capacity, sizeof *hints->masses) &&
      moc__reserve(&hints->allocator, &hints->sample, guide->count, &hints->sample_capacity, sizeof *hints->sample);
  if (ok) {
    hints->count = guide->count;
    if (guide->count > 0) memcpy(hints->masses, guide->masses, (size_t)guide->count * sizeof *hints->masses);
    hints->post = atomic_load(&guide->posts);
  }
  pthread_mutex_unlock(&guide->lock);
  if (!ok) return false;
  for (int64_t i = 0, p = 0; p <= hints->n; p++) {
    while (i < hints->count && hints->masses[i].pair.place < p) i++;
    hints->first[p] = i;
  }
  return true;
}

bool moc__hints_list(const void *context, const int32_t *place, int32_t p, int32_t from, int32_t to) {
  const moc__hints *hints = context;
  double sum = 0;
  for (int64_t i = hints->first[p]; i < hints->first[p + 1]; i++) {
    int32_t at = place[hints->masses[i].pair.stage];
    if (at > from && at <= to) sum += hints->masses[i].mass;
  }
  return sum >= LEAST_MASS;
}

/* Systematic sampling: of masses that sum up to one at most a pair of a place is drawn. */
void moc__hints_sample(moc__hints *hints, moc__rng *rng) {
  hints->n_sample = 0;
  for (int64_t i = 0; i < hints->count;) {
    int32_t place = hints->masses[i].pair.place;
    double sum = 0, next = moc__rng_unit(rng);
    for (; i < hints->count && hints->masses[i].pair.place == place; i++) {
      sum += hints->masses[i].mass;
      if (next >= sum) continue;
      hints->sample[hints->n_sample++] = hints->masses[i].pair;
      next += 1;
    }
  }
}
