/* Plans that threads cross with one another; see pool.h. */
#include "search/pool.h"

enum { TURNS = 48, REHEAT_EVERY = 8 };

moc_status moc__pool_init(moc__pool *pool, int32_t n, const moc_allocator *allocator, moc_error *error) {
  *pool = (moc__pool){.allocator = *allocator, .n = n};
  if (pthread_mutex_init(&pool->lock, NULL) != 0)
    return moc__fail(error, MOC_INTERNAL, "", "the system gives no mutex");
  return MOC_OK;
}

void moc__candidate_release(moc__candidate *candidate, const moc_allocator *allocator) {
  moc__release(allocator, candidate->order);
  moc__release(allocator, candidate->pairs);
  *candidate = (moc__candidate){.extra = INT64_MAX};
}

void moc__pool_release(moc__pool *pool) {
  for (int i = 0; i < MOC__POOL_SIZE; i++) moc__candidate_release(&pool->plans[i], &pool->allocator);
  pthread_mutex_destroy(&pool->lock);
}

bool moc__candidate_reserve(moc__candidate *candidate, const moc_allocator *allocator, int32_t n, int64_t n_pairs) {
  if (candidate->order == NULL) candidate->order = MOC__NEW(allocator, n, int32_t);
  return candidate->order != NULL &&
         moc__reserve(allocator, &candidate->pairs, n_pairs, &candidate->capacity, sizeof *candidate->pairs);
}

static bool copy(moc__candidate *to, const moc_allocator *allocator, int32_t n, const int32_t *order,
                 const moc__pair *pairs, int64_t n_pairs, int64_t extra, int64_t over) {
  if (!moc__candidate_reserve(to, allocator, n, n_pairs)) return false;
  memcpy(to->order, order, (size_t)n * sizeof *order);
  if (n_pairs > 0) memcpy(to->pairs, pairs, (size_t)n_pairs * sizeof *pairs);
  to->n_pairs = n_pairs;
  to->extra = extra;
  to->over = over;
  return true;
}

bool moc__candidate_take(moc__candidate *candidate, const moc__state *state, int64_t over) {
  return copy(candidate, &state->allocator, state->staged->n, state->order, state->pairs, state->n_pairs,
              state->extra_duration, over);
}

static int32_t find(const moc__pool *pool, bool worst) {
  int32_t found = 0;
  for (int32_t i = 1; i < pool->count; i++) {
    const moc__candidate *plan = &pool->plans[i], *known = &pool->plans[found];
    if (worst ? moc__candidate_better(known, plan) : moc__candidate_better(plan, known)) found = i;
  }
  return found;
}

moc__turn moc__pool_next(moc__pool *pool, int32_t *generation) {
  pthread_mutex_lock(&pool->lock);
  if (pool->turn == TURNS) {
    pool->turn = 0;
    pool->generation++;
    if (pool->count > 0) {
      int32_t best = find(pool, false);
      moc__candidate kept = pool->plans[best];
      pool->plans[best] = pool->plans[0];
      pool->plans[0] = kept;
      pool->count = 1;
    }
  }
  int32_t turn = pool->turn++;
  *generation = pool->generation;
  pthread_mutex_unlock(&pool->lock);
  if (turn < 2 * MOC__POOL_SIZE) return turn % 2 == 0 ? MOC__START : MOC__CROSS;
  return turn % REHEAT_EVERY == 0 ? MOC__REHEAT : MOC__CROSS;
}

bool moc__pool_offer(moc__pool *pool, const moc__candidate *plan) {
  bool ok = true;
  pthread_mutex_lock(&pool->lock);
  bool wanted = plan->extra != INT64_MAX;
  for (int32_t i = 0; i < pool->count; i++)
    wanted = wanted && (pool->plans[i].extra != plan->extra || pool->plans[i].over != plan->over);
  int32_t slot = pool->count;
  if (wanted && pool->count == MOC__POOL_SIZE) {
    slot = find(pool, true);
    wanted = moc__candidate_better(plan, &pool->plans[slot]);
  }
  if (wanted) {
    ok = copy(&pool->plans[slot], &pool->allocator, pool->n, plan->order, plan->pairs, plan->n_pairs, plan->extra,
              plan->over);
    if (ok && slot == pool->count) pool->count++;
  }
  pthread_mutex_unlock(&pool->lock);
  return ok;
}

/* --- Crosses --- */

/* Append to the child the first `count` operations of `parent` that it does not have yet. */
static int32_t append(moc__candidate *child, int32_t length, const moc__candidate *parent, int32_t count,
                      bool *taken) {
  for (int32_t i = 0; count > 0; i++) {
    int32_t v = parent->order[i];
    if (taken[v]) continue;
    taken[v] = true;
    child->order[length++] = v;
    count--;
  }
  return length;
}

/* Places low..high - 1 of the child follow `inner`, the others `outer`. */
static void cross(const moc__candidate *outer, const moc__candidate *inner, int32_t n, int32_t low, int32_t high,
                  bool *taken, moc__candidate *child) {
  memset(taken, 0, (size_t)n * sizeof *taken);
  (void)append(child, 0, outer, low, taken);
  (void)append(child, low, inner, high - low, taken);
  (void)append(child, high, outer, n - high, taken);
  memset(taken, 0, (size_t)n * sizeof *taken);
  for (int32_t i = low; i < high; i++) taken[child->order[i]] = true;
  child->n_pairs = 0;
  for (int64_t i = 0; i < inner->n_pairs; i++) {
    if (taken[inner->pairs[i].stage]) child->pairs[child->n_pairs++] = inner->pairs[i];
  }
  for (int64_t i = 0; i < outer->n_pairs; i++) {
    if (!taken[outer->pairs[i].stage]) child->pairs[child->n_pairs++] = outer->pairs[i];
  }
}

bool moc__pool_cross(moc__pool *pool, moc__rng *rng, bool *taken, moc__candidate *child) {
  pthread_mutex_lock(&pool->lock);
  bool ok = pool->count >= 2;
  if (ok) {
    uint32_t count = (uint32_t)pool->count;
    int32_t a = (int32_t)moc__rng_below(rng, count), rival = (int32_t)moc__rng_below(rng, count);
    if (moc__candidate_better(&pool->plans[rival], &pool->plans[a])) a = rival;
    int32_t b = (a + 1 + (int32_t)moc__rng_below(rng, count - 1)) % pool->count;
    if (moc__rng_below(rng, 2) == 0) {
      int32_t other = a;
      a = b;
      b = other;
    }
    /* From anywhere to the end, or to anywhere. */
    int32_t low = (int32_t)moc__rng_below(rng, (uint32_t)pool->n), high = pool->n;
    if (moc__rng_below(rng, 2) == 0) high = low + (int32_t)moc__rng_below(rng, (uint32_t)(pool->n - low)) + 1;
    const moc__candidate *outer = &pool->plans[a], *inner = &pool->plans[b];
    ok = moc__candidate_reserve(child, &pool->allocator, pool->n, outer->n_pairs + inner->n_pairs);
    if (ok) cross(outer, inner, pool->n, low, high, taken, child);
  }
  pthread_mutex_unlock(&pool->lock);
  return ok;
}
