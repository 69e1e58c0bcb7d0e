/* Windows: what they release, and how they are searched; see windows.h. */
#include "cp/windows.h"

#include "cp/internal.h"

#include <math.h>
#include <stdlib.h>

enum {
  FIRST_SIZE = 6, /* operations released at first */
  LEAST_SIZE = 2,
  UNBOUNDED = 2 * MOC__WINDOW_KINDS, /* ways from here on do without the bound */
  PEAK_DRAWS = 8                     /* steps, of which the one of most memory is taken */
};
#define STREAM (UINT64_MAX - 1) /* of random numbers: no thread's */
static const double GROWTH = 1.15, QUICK_GROWTH = 1.5, QUICK = 0.25 /* of the effort */, SHRINKAGE = 0.85,
                    SMOOTHING = 0.1, LEAST_YIELD = 0.05, LESS_EFFORT = 1.0 / 3;

moc_status moc__windows_init(moc__windows *w, moc__model *model, moc__dual *dual, moc__retain *retain,
                             moc__incumbent *incumbent, moc__pool *pool, uint64_t seed) {
  const moc_allocator *a = &model->allocator;
  int64_t n = model->staged->n;
  *w = (moc__windows){.allocator = *a,
                      .model = model,
                      .dual = dual,
                      .retain = retain,
                      .incumbent = incumbent,
                      .pool = pool,
                      .effort = MOC__WINDOW_EFFORT,
                      .kinds = (1U << MOC__WINDOW_KINDS) - 1,
                      .order = MOC__NEW(a, n, int32_t),
                      .place = MOC__NEW(a, n, int32_t),
                      .window = {.frozen = MOC__NEW(a, n, bool), .first = MOC__NEW(a, n + 1, int64_t)},
                      .over = MOC__NEW(a, n + 1, int32_t),
                      .helpers = MOC__NEW(a, n, moc__helper),
                      .helpers_each = MOC__WINDOW_HELPERS,
                      .score = MOC__NEW(a, n, double),
                      .distance = MOC__NEW(a, n, int32_t),
                      .queue = MOC__NEW(a, n, int32_t)};
  moc__rng_init(&w->rng, seed, STREAM);
  for (int i = 0; i < MOC__WINDOW_WAYS; i++) w->ways[i].size = FIRST_SIZE;
  if (w->order && w->place && w->window.frozen && w->window.first && w->over && w->score && w->helpers &&
      w->distance && w->queue)
    return MOC_OK;
  moc__windows_release(w);
  return moc__out_of_memory(NULL);
}

void moc__windows_release(moc__windows *w) {
  void *blocks[] = {w->order, w->pairs, w->place,    w->window.frozen, w->window.first, w->rest,
                    w->over,  w->score, w->distance, w->queue,         w->helpers};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(&w->allocator, blocks[i]);
  *w = (moc__windows){.allocator = w->allocator};
}

static bool stop(void *incumbent) {
  return moc__stopped(incumbent);
}

static bool computed_again(const moc__windows *w, int32_t place) {
  return w->window.first[place + 1] > w->window.first[place];
}

/* --- The best plan --- */

static int by_place(const void *a, const void *b) {
  const moc__pair *x = a, *y = b;
  if (x->place != y->place) return x->place < y->place ? -1 : 1;
  return (x->stage > y->stage) - (x->stage < y->stage);
}

static bool take_plan(moc__windows *w) {
  const moc__staged *staged = w->model->staged;
  w->n_pairs = moc__incumbent_copy(w->incumbent, w->order, &w->pairs, &w->capacity);
  if (w->n_pairs <= 0) return false;
  if (!moc__reserve(&w->allocator, &w->rest, w->n_pairs, &w->rest_capacity, sizeof *w->rest)) return false;
  qsort(w->pairs, (size_t)w->n_pairs, sizeof *w->pairs, by_place);
  w->window.pairs = w->pairs;
  w->n_places = 0;
  w->extra = 0;
  int64_t i = 0;
  for (int32_t p = 0; p < staged->n; p++) {
    w->window.first[p] = i;
    for (; i < w->n_pairs && w->pairs[i].place == p; i++) w->extra += staged->duration[p];
    if (i > w->window.first[p]) w->place[w->n_places++] = p;
  }
  w->window.first[staged->n] = i;
  return true;
}

/* --- What is released --- */

static double stage_distance(const moc__windows *w, int32_t place, int32_t stage) {
  int32_t least = INT32_MAX;
  for (int64_t i = w->window.first[place]; i < w->window.first[place + 1]; i++)
    least = (int32_t)moc__min(least, abs(w->pairs[i].stage - stage));
  return least;
}

/* How far a stage is from the gaps that the starts of a place close: from the last certain use before a start, or the start
 * before it, on. */
static double gap_distance(const moc__windows *w, int32_t place, int32_t stage) {
  const moc__staged *staged = w->model->staged;
  int32_t least = INT32_MAX;
  for (int64_t i = w->window.first[place]; i < w->window.first[place + 1]; i++) {
    int32_t end = w->pairs[i].stage, begin = i > w->window.first[place] ? w->pairs[i - 1].stage : place;
    for (int32_t t = staged->first_output[place]; t < staged->first_output[place + 1]; t++)
      begin = (int32_t)moc__max(begin, moc__certain_before(staged, t, end));
    int32_t distance = stage < begin ? begin - stage : stage > end ? stage - end : 0;
    least = (int32_t)moc__min(least, distance);
  }
  return least;
}

/* The stage of a step of much memory. */
static int32_t draw_peak(moc__windows *w) {
  moc__model *m = w->model;
  int32_t stage = 0;
  if (!moc__model_load(m, w->pairs, w->n_pairs)) return stage;
  uint32_t length = (uint32_t)(m->staged->n + m->n_pairs);
  int64_t best = moc__rng_below(&w->rng, length), step = 0;
  for (int i = 1; i < PEAK_DRAWS; i++) {
    int64_t drawn = moc__rng_below(&w->rng, length);
    if (m->memory[drawn] > m->memory[best]) best = drawn;
  }
  for (int64_t i = 0;; stage++, step++) { /* step: the first of its stage */
    for (; i < m->n_pairs && m->pairs[i].stage == stage; i++) step++;
    if (step >= best) return stage;
  }
}

/* Distances in the graph from one place, edges taken both ways. */
static void measure(moc__windows *w, int32_t from) {
  const moc__staged *staged = w->model->staged;
  for (int32_t p = 0; p < staged->n; p++) w->distance[p] = INT32_MAX;
  int32_t head = 0, tail = 0;
  w->distance[from] = 0;
  w->queue[tail++] = from;
  while (head < tail) {
    int32_t p = w->queue[head++], next = w->distance[p] + 1;
    for (int64_t i = staged->reads.start[p]; i < staged->reads.start[p + 1]; i++) {
      int32_t q = staged->producer[staged->reads.items[i]];
      if (q < 0 || w->distance[q] != INT32_MAX) continue;
      w->distance[q] = next;
      w->queue[tail++] = q;
    }
    for (int32_t t = staged->first_output[p]; t < staged->first_output[p + 1]; t++) {
      for (int64_t i = staged->readers.start[t]; i < staged->readers.start[t + 1]; i++) {
        int32_t q = staged->readers.items[i];
        if (w->distance[q] != INT32_MAX) continue;
        w->distance[q] = next;
        w->queue[tail++] = q;
      }
    }
  }
}

/* Release so many places, those of least score; what is alike is drawn. */
static void release(moc__windows *w, moc__window_kind kind, int32_t size) {
  int32_t n = w->model->staged->n;
  moc__pair anchor = w->pairs[moc__rng_below(&w->rng, (uint32_t)w->n_pairs)];
  int32_t peak = kind == MOC__PEAK ? draw_peak(w) : 0;
  if (kind == MOC__CHAIN) measure(w, anchor.place);
  memset(w->window.frozen, true, (size_t)n * sizeof *w->window.frozen);
  for (int32_t i = 0; i < w->n_places; i++) {
    int32_t p = w->place[i];
    double score = 0;
    if (kind == MOC__STAGES) score = stage_distance(w, p, anchor.stage);
    if (kind == MOC__PEAK) score = gap_distance(w, p, peak);
    if (kind == MOC__CHAIN) score = w->distance[p];
    w->score[p] = score + moc__rng_unit(&w->rng);
  }
  for (int32_t k = 0; k < size; k++) { /* plans are small */
    int32_t least = -1;
    for (int32_t i = 0; i < w->n_places; i++) {
      int32_t p = w->place[i];
      if (w->window.frozen[p] && (least < 0 || w->score[p] < w->score[least])) least = p;
    }
    if (least >= 0) w->window.frozen[least] = false;
  }
}

/* --- What else is free --- */

/* Fill over[]. False when memory is out. */
static bool count_over(moc__windows *w) {
  moc__model *m = w->model;
  int64_t kept = 0, step = 0, pair = 0;
  for (int64_t i = 0; i < w->n_pairs; i++) {
    if (w->window.frozen[w->pairs[i].place]) w->rest[kept++] = w->pairs[i];
  }
  if (!moc__model_load(m, w->rest, kept)) return false;
  w->over[0] = 0;
  for (int32_t k = 0; k < m->staged->n; k++) {
    bool over = false;
    for (; pair < m->n_pairs && m->pairs[pair].stage == k; pair++) over = m->memory[step++] > m->budget || over;
    over = m->memory[step++] > m->budget || over;
    w->over[k + 1] = w->over[k] + over;
  }
  return true;
}

/* Free an operation, and those of its inputs that are gone at stage k, theirs and so on. */
static void free_with_inputs(moc__windows *w, int32_t place, int32_t k) {
  const moc__staged *staged = w->model->staged;
  int32_t top = 0;
  if (!w->window.frozen[place]) return;
  w->window.frozen[place] = false;
  w->queue[top++] = place;
  while (top > 0) {
    int32_t p = w->queue[--top];
    for (int64_t i = staged->reads.start[p]; i < staged->reads.start[p + 1]; i++) {
      int32_t t = staged->reads.items[i], q = staged->producer[t];
      if (q < 0 || staged->compute_once[q] || !w->window.frozen[q] || computed_again(w, q) ||
          moc__certain_from(staged, t, k) >= 0)
        continue;
      w->window.frozen[q] = false;
      w->queue[top++] = q;
    }
  }
}

/* How much memory an operation that is computed once could give back where it is short, for each unit of its duration; and
 * free_with_inputs for all its gaps there, if `frees`. */
static double help(moc__windows *w, int32_t p, bool frees) {
  const moc__staged *staged = w->model->staged;
  double bytes = 0;
  for (int32_t t = staged->first_output[p]; t < staged->first_output[p + 1]; t++) {
    int32_t before = p;
    int64_t end = staged->readers.start[t + 1];
    for (int64_t r = staged->readers.start[t]; r < end + staged->keep[t] && staged->size[t] > 0; r++) {
      int32_t next = r < end ? staged->readers.items[r] : staged->n - 1;
      int32_t over = next > before ? w->over[next] - w->over[before + 1] : 0;
      bytes += (double)staged->size[t] * over;
      if (over > 0 && frees) free_with_inputs(w, p, next);
      before = next;
    }
  }
  return bytes / (double)(staged->duration[p] + 1);
}

static int by_score(const void *a, const void *b) {
  const moc__helper *x = a, *y = b;
  if (x->score != y->score) return x->score > y->score ? -1 : 1;
  return (x->place > y->place) - (x->place < y->place);
}

/* Of the operations that the plan computes once, free those that may help most, by an estimate that is blurred. */
static void free_helpers(moc__windows *w, int64_t most) {
  const moc__staged *staged = w->model->staged;
  int64_t count = 0;
  for (int32_t p = 0; p < staged->n; p++) {
    if (computed_again(w, p) || staged->compute_once[p]) continue;
    double score = help(w, p, false);
    if (score > 0) w->helpers[count++] = (moc__helper){score * exp(2 * moc__rng_unit(&w->rng)), p};
  }
  qsort(w->helpers, (size_t)count, sizeof *w->helpers, by_score);
  for (int64_t i = 0; i < moc__min(count, most); i++) (void)help(w, w->helpers[i].place, true);
}

/* --- The bound --- */

/* What a window leaves of the relaxation. */
typedef struct part {
  moc__retain retain;
  bool has_retain;
  moc__dual *dual;
} part;

static int64_t work_done(const moc__windows *w, const part *p) {
  int64_t work = w->model->engine.propagations + w->model->work + w->work;
  return p->dual != NULL ? work + moc__dual_work(p->dual) : work;
}

/* Somebody says stop, or the work on the window is done. */
typedef struct limit {
  const moc__windows *windows;
  const part *bound;
  int64_t end;
} limit;

static bool enough(void *context) {
  const limit *l = context;
  return moc__stopped(l->windows->incumbent) || work_done(l->windows, l->bound) >= l->end;
}

/* The search's bound is that of what `whole` leaves open. False when memory is out. */
static bool begin_part(moc__windows *w, part *p, const moc__retain *whole) {
  *p = (part){0};
  p->has_retain = moc__dual_restrict(w->model, whole, &p->retain) == MOC_OK;
  if (p->has_retain) p->dual = moc__dual_create(w->model, &p->retain);
  if (p->dual == NULL) {
    w->model->engine.out_of_memory = true;
    return false;
  }
  moc__dual_watch(p->dual, stop, w->incumbent);
  moc__dual_install(p->dual);
  return true;
}

static void end_part(moc__windows *w, part *p) {
  if (p->dual != NULL) w->work += moc__dual_work(p->dual);
  moc__dual_destroy(p->dual);
  if (p->has_retain) moc__retain_release(&p->retain);
}

/* The relaxation of a window, in two steps: what is frozen leaves part of the whole, and what the bound of that fixes at once
 * leaves less. */
static void begin_bound(moc__windows *w, part *p, bool wanted) {
  moc__engine *e = &w->model->engine;
  *p = (part){0};
  if (w->dual == NULL) return;
  if (!wanted) {
    e->more = NULL;
    return;
  }
  part first;
  if (begin_part(w, &first, w->retain)) {
    (void)moc__engine_search(e, 0, stop, w->incumbent);
    moc__engine_backtrack(e, 0);
    if (!e->refuted && !e->out_of_memory) (void)begin_part(w, p, &first.retain);
  }
  end_part(w, &first);
  if (p->dual == NULL) moc__dual_install(w->dual);
}

static void end_bound(moc__windows *w, part *p) {
  if (w->dual == NULL) return;
  end_part(w, p);
  moc__dual_install(w->dual);
}

/* --- The search of a window --- */

/* A shorter plan, of the model's pairs, for everybody. */
static void tell(moc__windows *w) {
  moc__model *m = w->model;
  w->extra = moc__model_extra(m);
  moc__incumbent_offer_pairs(w->incumbent, m->pairs, m->n_pairs, w->extra, moc__model_peak(m), m->max_computes);
  moc__candidate plan = {.order = w->order,
                         .pairs = m->pairs,
                         .n_pairs = m->n_pairs,
                         .capacity = m->pairs_capacity,
                         .extra = w->extra};
  if (w->pool != NULL && !moc__pool_offer(w->pool, &plan)) m->engine.out_of_memory = true;
}

typedef struct outcome {
  bool found, exhausted;
  int64_t spent;
} outcome;

static outcome search(moc__windows *w, int64_t effort, bool bounded) {
  moc__model *m = w->model;
  outcome o = {0};
  part bound = {0};
  int64_t begun = work_done(w, &bound);
  limit most = {w, &bound, begun + effort};
  begin_bound(w, &bound, bounded);
  while (!o.exhausted && !enough(&most)) {
    moc__model_end end = moc__model_solve(m, INT64_MAX / 4, enough, &most);
    if (m->stuck || m->engine.out_of_memory) break;
    o.exhausted = end == MOC__MODEL_REFUTED;
    if (end != MOC__MODEL_SOLVED) continue;
    o.found = true;
    tell(w);
    moc__model_set_target(m, w->extra);
  }
  o.spent = work_done(w, &bound) - begun;
  end_bound(w, &bound);
  return o;
}

static double cost_of(int way) {
  return way < MOC__WINDOW_KINDS ? 1 : LESS_EFFORT;
}

static int draw_way(moc__windows *w) {
  double sum = 0;
  int drawn = 0;
  for (int i = 0; i < MOC__WINDOW_WAYS; i++) {
    if ((w->kinds >> (i % MOC__WINDOW_KINDS) & 1) == 0) continue;
    double weight = LEAST_YIELD + w->ways[i].yield / cost_of(i);
    sum += weight;
    if (moc__rng_unit(&w->rng) * sum < weight) drawn = i; /* in the end with a chance in proportion to its weight */
  }
  return drawn;
}

static void learn(moc__windows *w, int drawn, int64_t effort, outcome o) {
  moc__window_way *way = &w->ways[drawn];
  w->tried++;
  w->improved += o.found;
  w->exhausted += o.exhausted;
  way->yield += SMOOTHING * (o.found - way->yield);
  bool quick = (double)o.spent < QUICK * (double)effort;
  if (o.exhausted)
    way->size = fmin(way->size * (quick ? QUICK_GROWTH : GROWTH), fmax(w->n_places, LEAST_SIZE));
  else if (!o.found)
    way->size = fmax(way->size * SHRINKAGE, LEAST_SIZE);
}

bool moc__windows_try(moc__windows *w) {
  moc__model *m = w->model;
  if (m->stuck || m->engine.out_of_memory || !take_plan(w)) return false;
  int way = draw_way(w);
  int64_t effort = (int64_t)((double)w->effort * cost_of(way));
  int32_t size = (int32_t)moc__min((int64_t)w->ways[way].size, w->n_places);
  release(w, (moc__window_kind)(way % MOC__WINDOW_KINDS), size);
  if (size == w->n_places) {
    memset(w->window.frozen, false, (size_t)m->staged->n * sizeof *w->window.frozen);
  } else {
    if (!count_over(w)) return false;
    free_helpers(w, w->helpers_each * size);
  }
  if (!moc__model_enter(m, &w->window, w->extra)) return false;
  moc__model_suggest(m, w->pairs, w->n_pairs);
  outcome o = search(w, effort, way < UNBOUNDED);
  moc__model_leave(m);
  learn(w, way, effort, o);
  w->complete = o.exhausted && size == w->n_places;
  return !m->stuck && !m->engine.out_of_memory;
}
