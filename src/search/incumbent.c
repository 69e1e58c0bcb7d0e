/* The best plan so far, shared by threads; see incumbent.h. */
#include "search/incumbent.h"

#include "base/clock.h"

moc_status moc__incumbent_init(moc__incumbent *incumbent, const moc_allocator *allocator, double started,
                               const moc__staged *staged, int64_t baseline_peak, moc_error *error) {
  *incumbent = (moc__incumbent){.allocator = *allocator,
                                .started = started,
                                .staged = staged,
                                .total_duration = staged->total_duration,
                                .lower_bound = staged->total_duration,
                                .level = -1,
                                .order = MOC__NEW(allocator, staged->n, int32_t)};
  if (incumbent->order == NULL) return moc__out_of_memory(error);
  atomic_init(&incumbent->stop, false);
  atomic_init(&incumbent->extra, INT64_MAX);
  atomic_init(&incumbent->least_peak, baseline_peak);
  atomic_init(&incumbent->moves, 0);
  atomic_init(&incumbent->refuted, -1);
  atomic_init(&incumbent->built, false);
  atomic_init(&incumbent->nearest, INT64_MAX);
  atomic_init(&incumbent->refutations, 0);
  atomic_init(&incumbent->excluded, false);
  if (pthread_mutex_init(&incumbent->lock, NULL) != 0) {
    moc__release(allocator, incumbent->order);
    return moc__fail(error, MOC_INTERNAL, "", "the system gives no mutex");
  }
  pthread_condattr_t attributes;
  bool ok = pthread_condattr_init(&attributes) == 0;
  if (ok) {
    ok = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
         pthread_cond_init(&incumbent->news, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
  }
  if (ok) return MOC_OK;
  pthread_mutex_destroy(&incumbent->lock);
  moc__release(allocator, incumbent->order);
  return moc__fail(error, MOC_INTERNAL, "", "the system gives no condition variable");
}

void moc__incumbent_release(moc__incumbent *incumbent) {
  pthread_cond_destroy(&incumbent->news);
  pthread_mutex_destroy(&incumbent->lock);
  moc__release(&incumbent->allocator, incumbent->pairs);
  moc__release(&incumbent->allocator, incumbent->order);
  moc__release(&incumbent->allocator, incumbent->trace);
  moc__release(&incumbent->allocator, incumbent->sequence);
}

static bool copy_pairs(const moc_allocator *allocator, const moc__pair *from, int64_t count, moc__pair **to,
                       int64_t *capacity) {
  if (!moc__reserve(allocator, to, count, capacity, sizeof **to)) return false;
  if (count > 0) memcpy(*to, from, (size_t)count * sizeof *from);
  return true;
}

/* One more point of the trace, as things are now; under the lock, so that times never fall. */
static bool trace(moc__incumbent *incumbent, int64_t extra) {
  if (!moc__grow(&incumbent->allocator, &incumbent->trace, incumbent->n_trace, &incumbent->trace_capacity,
                 sizeof *incumbent->trace))
    return false;
  double seconds = moc__seconds() - incumbent->started;
  incumbent->trace[incumbent->n_trace++] =
      (moc_trace_point){seconds, incumbent->total_duration + extra, incumbent->lower_bound};
  return true;
}

/* `order` [n]: NULL for the staged model's own. */
static void offer(moc__incumbent *incumbent, const int32_t *order, const moc__pair *pairs, int64_t n_pairs,
                  int64_t extra, int64_t peak, int32_t max_computes) {
  bool failed = false;
  pthread_mutex_lock(&incumbent->lock);
  if (extra < moc__incumbent_extra(incumbent)) {
    failed = !copy_pairs(&incumbent->allocator, pairs, n_pairs, &incumbent->pairs, &incumbent->pairs_capacity) ||
             !trace(incumbent, extra);
    if (!failed) {
      incumbent->n_plans++;
      incumbent->n_pairs = n_pairs;
      for (int32_t i = 0; i < incumbent->staged->n; i++) incumbent->order[i] = order == NULL ? i : order[i];
      incumbent->peak = peak;
      incumbent->max_computes = max_computes;
      atomic_store(&incumbent->extra, extra);
      if (extra == incumbent->lower_bound - incumbent->total_duration) atomic_store(&incumbent->stop, true);
      pthread_cond_broadcast(&incumbent->news);
    }
  }
  pthread_mutex_unlock(&incumbent->lock);
  if (failed) moc__incumbent_fail(incumbent);
}

void moc__incumbent_offer(moc__incumbent *incumbent, const moc__state *state) {
  int64_t extra = state->extra_duration;
  if (!moc__state_feasible(state) || extra >= moc__incumbent_extra(incumbent)) return;
  offer(incumbent, state->order, state->pairs, state->n_pairs, extra, moc__state_peak(state), state->max_computes);
}

void moc__incumbent_offer_pairs(moc__incumbent *incumbent, const moc__pair *pairs, int64_t n_pairs, int64_t extra,
                                int64_t peak, int32_t max_computes) {
  offer(incumbent, NULL, pairs, n_pairs, extra, peak, max_computes);
}

bool moc__incumbent_offer_sequence(moc__incumbent *incumbent, int32_t *sequence, int64_t length, int64_t peak,
                                   bool within) {
  pthread_mutex_lock(&incumbent->lock);
  bool taken =
      moc__incumbent_extra(incumbent) == INT64_MAX && !moc__built(incumbent) && peak < moc__nearest(incumbent);
  if (taken) {
    moc__release(&incumbent->allocator, incumbent->sequence);
    incumbent->sequence = sequence;
    incumbent->n_sequence = length;
    atomic_store(&incumbent->nearest, peak);
    atomic_store(&incumbent->built, within);
  }
  pthread_mutex_unlock(&incumbent->lock);
  if (taken) moc__incumbent_offer_peak(incumbent, peak);
  return taken;
}

void moc__incumbent_refute(moc__incumbent *incumbent, int32_t op) {
  atomic_store(&incumbent->refuted, op);
  atomic_store(&incumbent->stop, true);
}

bool moc__incumbent_exclude(moc__incumbent *incumbent) {
  atomic_store(&incumbent->excluded, true);
  return moc__incumbent_extra(incumbent) == INT64_MAX;
}

bool moc__incumbent_raise(moc__incumbent *incumbent, int64_t extra) {
  bool failed = false, fine = true;
  pthread_mutex_lock(&incumbent->lock);
  extra = moc__min(extra, MOC_MAX_TOTAL - incumbent->total_duration); /* no plan lasts longer */
  int64_t known = moc__incumbent_extra(incumbent), bound = incumbent->total_duration + extra;
  if (extra > known) {
    fine = false;
  } else if (bound > incumbent->lower_bound) {
    incumbent->lower_bound = bound;
    if (known != INT64_MAX) failed = !trace(incumbent, known);
    if (extra == known) atomic_store(&incumbent->stop, true);
    pthread_cond_broadcast(&incumbent->news);
  }
  pthread_mutex_unlock(&incumbent->lock);
  if (failed) moc__incumbent_fail(incumbent);
  return fine;
}

void moc__incumbent_offer_peak(moc__incumbent *incumbent, int64_t peak) {
  int64_t least = atomic_load(&incumbent->least_peak);
  while (peak < least && !atomic_compare_exchange_weak(&incumbent->least_peak, &least, peak)) continue;
}

void moc__incumbent_allow(moc__incumbent *incumbent, int32_t max_computes) {
  pthread_mutex_lock(&incumbent->lock);
  if (moc__incumbent_extra(incumbent) == INT64_MAX && max_computes > incumbent->max_computes)
    incumbent->max_computes = max_computes;
  pthread_mutex_unlock(&incumbent->lock);
}

int64_t moc__incumbent_copy(moc__incumbent *incumbent, int32_t *order, moc__pair **pairs, int64_t *capacity) {
  int64_t count = -1;
  pthread_mutex_lock(&incumbent->lock);
  if (moc__incumbent_extra(incumbent) != INT64_MAX &&
      copy_pairs(&incumbent->allocator, incumbent->pairs, incumbent->n_pairs, pairs, capacity)) {
    count = incumbent->n_pairs;
    memcpy(order, incumbent->order, (size_t)incumbent->staged->n * sizeof *order);
  }
  pthread_mutex_unlock(&incumbent->lock);
  return count;
}

void moc__incumbent_fail(moc__incumbent *incumbent) {
  pthread_mutex_lock(&incumbent->lock);
  incumbent->failed = true;
  pthread_mutex_unlock(&incumbent->lock);
  atomic_store(&incumbent->stop, true);
}

void moc__incumbent_tried(moc__incumbent *incumbent, int32_t level, bool nearer) {
  pthread_mutex_lock(&incumbent->lock);
  incumbent->tries++;
  if (nearer) incumbent->level = level;
  bool ends = incumbent->level >= 0 && (moc__built(incumbent) || incumbent->tries >= incumbent->running);
  pthread_mutex_unlock(&incumbent->lock);
  if (ends) moc__incumbent_stop(incumbent);
}

void moc__incumbent_leave(moc__incumbent *incumbent) {
  pthread_mutex_lock(&incumbent->lock);
  incumbent->running--;
  pthread_cond_broadcast(&incumbent->news);
  pthread_mutex_unlock(&incumbent->lock);
}
