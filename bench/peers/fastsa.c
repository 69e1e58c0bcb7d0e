/* FastSA: annealing over schedules whose memory is kept in an add-max segment tree.
 *
 * Source: Imanishi, Xu, Takagi, Wang, Castillo, "A fast heuristic to optimize time-space tradeoff for large models", NeurIPS
 * 2023; written from its description alone. From the paper: two annealings, the first over topological orders with
 * nothing recomputed, the second over recomputations in that order; schedules embedded in the n (n + 1) / 2 events of the
 * unfolded order (a; a b; a b c; ...); a segment tree over the events that adds to a range and knows the maximum, so that
 * a change costs O(log n) a lifetime that it touches; moves that add, remove or shift one computation; a geometric
 * temperature; the excess of the peak over the budget as a penalty.
 * Not in the description, and chosen here: temperatures and penalty below, half of the additions right before a read, the first
 * annealing's measure (memory over budget, summed over steps), repeated annealings of growing length while there is time.
 *
 * Input (standard input): n m budget microseconds seed, then n lines "duration size", then m lines "from to", places of a topological
 * order. Output: "plan SECONDS LENGTH place..." for every better schedule within budget; "end MOVES". O(n^2) memory. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
  int32_t *at;  /* [length] events, ascending; the first computation comes first */
  int32_t *end; /* [length] last event at which the instance is read, or its own */
  int32_t length, room;
} instances;

typedef struct {
  int32_t node, event;
} computation;

typedef struct {
  int32_t n, m;
  int64_t budget;
  double seconds;
  uint64_t random;
  int64_t *duration, *size;                       /* [n], by place in the order */
  int32_t *pred_first, *pred, *succ_first, *succ; /* [n + 1], [m] */
  int32_t *original;                              /* [n] place in the input order */
  int64_t *tree, *pending;                        /* [2 leaves], [leaves] */
  size_t leaves;
  instances *of;      /* [n] */
  computation *again; /* [agains] what is computed again */
  int32_t agains, again_room;
  int64_t total, best;
  computation *best_again; /* [best_agains] */
  int32_t best_agains;
  bool unsaid; /* there is a best schedule that has not been printed */
  double last_said;
  struct timespec start;
} annealer;

_Noreturn static void refuse(const char *why) {
  fprintf(stderr, "fastsa: %s\n", why);
  exit(2);
}

static void *grab(size_t count, size_t size) {
  void *memory =
      calloc(count ? count : 1, size); /* NOLINT(*TaintedAlloc): counts are checked where they are read */
  if (memory == NULL) refuse("out of memory");
  return memory;
}

static void *enlarge(void *old, size_t count, size_t size) {
  void *memory = realloc(old, count * size);
  if (memory == NULL) refuse("out of memory");
  return memory;
}

/* The next number of the input. */
static int64_t number(int64_t low, int64_t high) {
  char text[32];
  size_t length = 0;
  int c = getchar();
  while (c == ' ' || c == '\n') c = getchar();
  for (; c != ' ' && c != '\n' && c != EOF && length + 1 < sizeof text; c = getchar()) text[length++] = (char)c;
  text[length] = '\0';
  char *rest;
  errno = 0;
  const long long value = strtoll(text, &rest, 10);
  if (length == 0 || *rest != '\0' || errno != 0 || value < low || value > high)
    refuse("expected \"n m budget microseconds seed\", n lines \"duration size\", m lines \"from to\", from < to < "
           "n <= 30000");
  return value;
}

static double elapsed(const annealer *a) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)(now.tv_sec - a->start.tv_sec) + 1e-9 * (double)(now.tv_nsec - a->start.tv_nsec);
}

static uint64_t draw(annealer *a) { /* xorshift64* */
  a->random ^= a->random >> 12;
  a->random ^= a->random << 25;
  a->random ^= a->random >> 27;
  return a->random * UINT64_C(0x2545F4914F6CDD1D);
}

static int32_t below(annealer *a, int32_t limit) {
  return (int32_t)((draw(a) >> 32) * (uint64_t)limit >> 32);
}

static double uniform(annealer *a) {
  return ((double)(draw(a) >> 11) + 0.5) / 9007199254740992.0;
}

/* The order, first annealing. */

static void index_edges(annealer *a, const int32_t *from, const int32_t *to) {
  memset(a->pred_first, 0, ((size_t)a->n + 1) * sizeof *a->pred_first);
  memset(a->succ_first, 0, ((size_t)a->n + 1) * sizeof *a->succ_first);
  for (int32_t i = 0; i < a->m; i++) {
    a->pred_first[to[i] + 1]++;
    a->succ_first[from[i] + 1]++;
  }
  for (int32_t v = 0; v < a->n; v++) {
    a->pred_first[v + 1] += a->pred_first[v];
    a->succ_first[v + 1] += a->succ_first[v];
  }
  int32_t *next_pred = grab((size_t)a->n, sizeof *next_pred), *next_succ = grab((size_t)a->n, sizeof *next_succ);
  for (int32_t i = 0; i < a->m; i++) {
    a->pred[a->pred_first[to[i]] + next_pred[to[i]]++] = from[i];
    a->succ[a->succ_first[from[i]] + next_succ[from[i]]++] = to[i];
  }
  free(next_pred);
  free(next_succ);
}

/* Memory over budget, summed over the steps of an order without recomputation. */
static double excess(const annealer *a, const int32_t *place, int64_t *change) {
  memset(change, 0, ((size_t)a->n + 1) * sizeof *change);
  for (int32_t v = 0; v < a->n; v++) {
    int32_t last = place[v];
    for (int32_t i = a->succ_first[v]; i < a->succ_first[v + 1]; i++)
      if (place[a->succ[i]] > last) last = place[a->succ[i]];
    change[place[v]] += a->size[v];
    change[last + 1] -= a->size[v];
  }
  double sum = 0;
  int64_t level = 0;
  for (int32_t step = 0; step < a->n; step++) {
    level += change[step];
    if (level > a->budget) sum += (double)(level - a->budget);
  }
  return sum;
}

static void move_in_order(int32_t *order, int32_t *place, int32_t from, int32_t to) {
  const int32_t v = order[from];
  for (int32_t i = from; i < to; i++) place[order[i] = order[i + 1]] = i;
  for (int32_t i = from; i > to; i--) place[order[i] = order[i - 1]] = i;
  order[to] = v;
  place[v] = to;
}

static void anneal_order(annealer *a, int32_t *order, double until) {
  int32_t *place = grab((size_t)a->n, sizeof *place), *best = grab((size_t)a->n, sizeof *best);
  int64_t *change = grab((size_t)a->n + 1, sizeof *change);
  for (int32_t v = 0; v < a->n; v++) place[order[v] = v] = v;
  memcpy(best, order, (size_t)a->n * sizeof *best);
  double now = excess(a, place, change), least = now;
  const double begin = elapsed(a), hot = now / 100 + 1e-9, cold = hot / 1000;
  double heat = hot;
  for (int64_t move = 0; least > 0; move++) {
    if (move % 16 == 0) {
      const double share = (elapsed(a) - begin) / (until - begin);
      if (share >= 1) break;
      heat = hot * pow(cold / hot, share);
    }
    const int32_t v = below(a, a->n);
    int32_t low = 0, high = a->n - 1;
    for (int32_t i = a->pred_first[v]; i < a->pred_first[v + 1]; i++)
      if (place[a->pred[i]] >= low) low = place[a->pred[i]] + 1;
    for (int32_t i = a->succ_first[v]; i < a->succ_first[v + 1]; i++)
      if (place[a->succ[i]] <= high) high = place[a->succ[i]] - 1;
    const int32_t from = place[v], to = low + below(a, high - low + 1);
    if (to == from) continue;
    move_in_order(order, place, from, to);
    const double then = excess(a, place, change);
    if (then - now > -heat * log(uniform(a))) {
      move_in_order(order, place, to, from);
      continue;
    }
    now = then;
    if (now < least) {
      least = now;
      memcpy(best, order, (size_t)a->n * sizeof *best);
    }
  }
  memcpy(order, best, (size_t)a->n * sizeof *best);
  free(place);
  free(best);
  free(change);
}

/* The segment tree: tree[x] is the maximum below x, what is pending at x included. */

static void add_range(annealer *a, int32_t first, int32_t last, int64_t value) {
  size_t l = (size_t)first + a->leaves, r = (size_t)last + 1 + a->leaves;
  const size_t left = l, right = r - 1;
  for (; l < r; l >>= 1, r >>= 1) {
    if (l & 1) {
      a->tree[l] += value;
      if (l < a->leaves) a->pending[l] += value;
      l++;
    }
    if (r & 1) {
      r--;
      a->tree[r] += value;
      if (r < a->leaves) a->pending[r] += value;
    }
  }
  for (size_t side = 0; side < 2; side++)
    for (size_t x = (side ? right : left) >> 1; x >= 1; x >>= 1)
      a->tree[x] = (a->tree[2 * x] > a->tree[2 * x + 1] ? a->tree[2 * x] : a->tree[2 * x + 1]) + a->pending[x];
}

static int32_t event(int32_t stage, int32_t p) {
  return stage * (stage + 1) / 2 + p;
}

/* The place in x of the last event before `when`, or -1. */
static int32_t last_before(const instances *x, int32_t when) {
  int32_t low = 0, high = x->length;
  while (low < high) {
    const int32_t middle = (low + high) / 2;
    if (x->at[middle] < when)
      low = middle + 1;
    else
      high = middle;
  }
  return low - 1;
}

/* Work out anew how long instance i of v is read, and tell the tree. */
static void refresh(annealer *a, int32_t v, int32_t i) {
  instances *x = &a->of[v];
  const int32_t next = i + 1 < x->length ? x->at[i + 1] : INT32_MAX;
  int32_t end = x->at[i];
  for (int32_t s = a->succ_first[v]; s < a->succ_first[v + 1]; s++) {
    const instances *reader = &a->of[a->succ[s]];
    const int32_t j = last_before(reader, next);
    if (j >= 0 && reader->at[j] > end) end = reader->at[j];
  }
  if (end > x->end[i]) add_range(a, x->end[i] + 1, end, a->size[v]);
  if (end < x->end[i]) add_range(a, end + 1, x->end[i], -a->size[v]);
  x->end[i] = end;
}

static void refresh_inputs(annealer *a, int32_t v, int32_t when) {
  for (int32_t i = a->pred_first[v]; i < a->pred_first[v + 1]; i++)
    refresh(a, a->pred[i], last_before(&a->of[a->pred[i]], when));
}

/* Compute v at an event of a later stage, too; false if it is already. */
static bool insert(annealer *a, int32_t v, int32_t when) {
  instances *x = &a->of[v];
  const int32_t i = last_before(x, when) + 1;
  if (i < x->length && x->at[i] == when) return false;
  if (x->length == x->room) {
    x->room = 2 * x->room + 2;
    x->at = enlarge(x->at, (size_t)x->room, sizeof *x->at);
    x->end = enlarge(x->end, (size_t)x->room, sizeof *x->end);
  }
  memmove(x->at + i + 1, x->at + i, (size_t)(x->length - i) * sizeof *x->at);
  memmove(x->end + i + 1, x->end + i, (size_t)(x->length - i) * sizeof *x->end);
  x->length++;
  x->at[i] = x->end[i] = when;
  add_range(a, when, when, a->size[v]);
  if (i > 0) refresh(a, v, i - 1);
  refresh(a, v, i);
  refresh_inputs(a, v, when);
  a->total += a->duration[v];
  return true;
}

static void delete(annealer *a, int32_t v, int32_t when) {
  instances *x = &a->of[v];
  const int32_t i = last_before(x, when) + 1;
  /* NOLINTNEXTLINE(*NullDereference): begin_schedule gives every node an instance */
  add_range(a, x->at[i], x->end[i], -a->size[v]);
  x->length--;
  memmove(x->at + i, x->at + i + 1, (size_t)(x->length - i) * sizeof *x->at);
  memmove(x->end + i, x->end + i + 1, (size_t)(x->length - i) * sizeof *x->end);
  refresh(a, v, i - 1);
  refresh_inputs(a, v, when);
  a->total -= a->duration[v];
}

static void note(annealer *a, int32_t v, int32_t when) {
  if (a->agains == a->again_room) {
    a->again_room = 2 * a->again_room + 64;
    a->again = enlarge(a->again, (size_t)a->again_room, sizeof *a->again);
    a->best_again = enlarge(a->best_again, (size_t)a->again_room, sizeof *a->best_again);
  }
  a->again[a->agains++] = (computation){v, when};
}

static void forget(annealer *a, int32_t which) {
  a->again[which] = a->again[--a->agains];
}

/* Compares by event: no two computations share one. */
static int by_event(const void *x, const void *y) {
  const int32_t a = ((const computation *)x)->event, b = ((const computation *)y)->event;
  return (a > b) - (a < b);
}

static void say(annealer *a) {
  const size_t first = (size_t)a->n, length = first + (size_t)a->best_agains;
  computation *steps = grab(length, sizeof *steps);
  for (int32_t v = 0; v < a->n; v++) steps[v] = (computation){v, event(v, v)};
  if (a->best_agains) memcpy(steps + first, a->best_again, (length - first) * sizeof *steps);
  qsort(steps, length, sizeof *steps, by_event);
  printf("plan %.6f %zu", elapsed(a), length);
  for (size_t i = 0; i < length; i++) printf(" %" PRId32, a->original[steps[i].node]);
  printf("\n");
  fflush(stdout);
  free(steps);
  a->unsaid = false;
  a->last_said = elapsed(a);
}

static double energy(const annealer *a, double penalty) {
  const int64_t over = a->tree[1] - a->budget;
  return (double)a->total + (over > 0 ? penalty * (double)over : 0);
}

/* The stage of an event. */
static int32_t stage_of(int32_t when) {
  int32_t k = (int32_t)((sqrt(8.0 * (double)when + 1) - 1) / 2);
  while (event(k, 0) > when) k--;
  while (event(k + 1, 0) <= when) k++;
  return k;
}

/* A place and an event to compute it again at; false if the draw led nowhere. */
static bool propose(annealer *a, int32_t *v, int32_t *when) {
  *v = below(a, a->n);
  const int32_t readers = a->succ_first[*v + 1] - a->succ_first[*v];
  if (readers == 0) return false;
  int32_t stage;
  if (draw(a) >> 63) {
    const int32_t reader = a->succ[a->succ_first[*v] + below(a, readers)];
    /* NOLINTNEXTLINE(*NullDereference): as above */
    stage = stage_of(a->of[reader].at[below(a, a->of[reader].length)]);
  } else {
    stage = *v + 1 + below(a, a->n - *v - 1 > 0 ? a->n - *v - 1 : 1);
  }
  if (stage <= *v || stage >= a->n) return false;
  *when = event(stage, *v);
  return true;
}

static int64_t anneal(annealer *a, double until) {
  while (a->agains) { /* from nothing recomputed */
    a->agains--;
    delete (a, a->again[a->agains].node, a->again[a->agains].event);
  }
  double mean = 0, mass = 0;
  for (int32_t v = 0; v < a->n; v++) {
    mean += (double)a->duration[v] / a->n;
    mass += (double)a->size[v] / a->n;
  }
  const double penalty = 30 * (mean + 1e-9) / (mass + 1e-9);
  const double hot = mean + 1e-9, cold = hot / 1000, begin = elapsed(a);
  double heat = hot, now = energy(a, penalty);
  int64_t moves = 0;
  for (;; moves++) {
    if (moves % 16 == 0) {
      const double when = elapsed(a), share = (when - begin) / (until - begin);
      if (share >= 1) break;
      heat = hot * pow(cold / hot, share);
      if (a->unsaid && when - a->last_said > 0.02) say(a);
    }
    const double allowed = -heat * log(uniform(a));
    const int32_t kind = a->agains ? below(a, 3) : 0;
    int32_t v = 0, when = 0, old = 0, which = -1;
    if (kind == 0) {
      if (!propose(a, &v, &when) || (double)a->duration[v] > allowed + (now - (double)a->total)) continue;
      if (!insert(a, v, when)) continue;
    } else {
      which = below(a, a->agains);
      v = a->again[which].node;
      old = a->again[which].event;
      if (kind == 2) {
        const int32_t k = stage_of(old), far = 1 + below(a, a->n / 16 + 1), to = draw(a) >> 63 ? k + far : k - far;
        if (to <= v || to >= a->n) continue;
        when = event(to, v);
        if (!insert(a, v, when)) continue;
      }
      delete (a, v, old);
    }
    const double then = energy(a, penalty);
    if (then - now > allowed) { /* take it back */
      if (kind > 0) insert(a, v, old);
      if (kind != 1) delete (a, v, when);
      continue;
    }
    now = then;
    if (kind > 0) forget(a, which);
    if (kind != 1) note(a, v, when);
    if (a->total < a->best && a->tree[1] <= a->budget) {
      const bool first = a->best == INT64_MAX;
      a->best = a->total;
      a->best_agains = a->agains;
      if (a->agains) memcpy(a->best_again, a->again, (size_t)a->agains * sizeof *a->again);
      a->unsaid = true;
      if (first) say(a);
    }
  }
  if (a->unsaid) say(a);
  return moves;
}

/* The order found becomes the numbering. */
static void renumber(annealer *a, const int32_t *order, int32_t *from, int32_t *to) {
  int32_t *place = grab((size_t)a->n, sizeof *place);
  int64_t *duration = grab((size_t)a->n, sizeof *duration), *size = grab((size_t)a->n, sizeof *size);
  for (int32_t v = 0; v < a->n; v++) {
    place[order[v]] = v;
    duration[v] = a->duration[order[v]];
    size[v] = a->size[order[v]];
    a->original[v] = order[v];
  }
  for (int32_t i = 0; i < a->m; i++) {
    from[i] = place[from[i]];
    to[i] = place[to[i]];
  }
  memcpy(a->duration, duration, (size_t)a->n * sizeof *duration);
  memcpy(a->size, size, (size_t)a->n * sizeof *size);
  index_edges(a, from, to);
  free(place);
  free(duration);
  free(size);
}

static void begin_schedule(annealer *a) {
  const size_t events = (size_t)a->n * ((size_t)a->n + 1) / 2;
  for (a->leaves = 1; a->leaves < events; a->leaves *= 2) continue;
  a->tree = grab(2 * a->leaves, sizeof *a->tree);
  a->pending = grab(a->leaves, sizeof *a->pending);
  a->of = grab((size_t)a->n, sizeof *a->of);
  for (int32_t v = 0; v < a->n; v++) {
    instances *x = &a->of[v];
    x->room = 2;
    x->at = grab(2, sizeof *x->at);
    x->end = grab(2, sizeof *x->end);
    x->length = 1;
    x->at[0] = x->end[0] = event(v, v);
    a->total += a->duration[v];
  }
  for (int32_t v = 0; v < a->n; v++) {
    add_range(a, a->of[v].at[0], a->of[v].end[0], a->size[v]);
    refresh(a, v, 0);
  }
}

int main(void) {
  annealer a = {.best = INT64_MAX};
  clock_gettime(CLOCK_MONOTONIC, &a.start);
  const int64_t most = INT64_C(1) << 62;
  a.n = (int32_t)number(1, 30000);
  a.m = (int32_t)number(0, 100000000);
  a.budget = number(0, most);
  a.seconds = 1e-6 * (double)number(0, most);
  a.random = ((uint64_t)number(0, most) + 1) * UINT64_C(0x9E3779B97F4A7C15) | 1;
  const size_t n = (size_t)a.n, m = (size_t)a.m;
  a.duration = grab(n, sizeof *a.duration);
  a.size = grab(n, sizeof *a.size);
  a.original = grab(n, sizeof *a.original);
  a.pred_first = grab(n + 1, sizeof *a.pred_first);
  a.succ_first = grab(n + 1, sizeof *a.succ_first);
  a.pred = grab(m, sizeof *a.pred);
  a.succ = grab(m, sizeof *a.succ);
  int32_t *from = grab(m, sizeof *from), *to = grab(m, sizeof *to), *order = grab(n, sizeof *order);
  for (size_t v = 0; v < n; v++) {
    a.duration[v] = number(0, most);
    a.size[v] = number(0, most);
  }
  for (size_t i = 0; i < m; i++) {
    from[i] = (int32_t)number(0, a.n - 1);
    to[i] = (int32_t)number(from[i] + 1, a.n - 1);
  }
  index_edges(&a, from, to);
  anneal_order(&a, order, a.seconds * 0.1);
  renumber(&a, order, from, to);
  begin_schedule(&a);
  int64_t moves = 0;
  if (a.tree[1] <= a.budget) { /* nothing needs recomputing */
    a.best = a.total;
    say(&a);
  } else {
    double length = a.seconds * 0.1;
    while (elapsed(&a) < a.seconds) {
      double until = elapsed(&a) + length;
      if (until + length > a.seconds) until = a.seconds; /* what would be left is too short for the next */
      moves += anneal(&a, until);
      length *= 2;
    }
  }
  printf("end %" PRId64 "\n", moves);
  for (int32_t v = 0; v < a.n; v++) {
    free(a.of[v].at);
    free(a.of[v].end);
  }
  void *all[] = {a.duration, a.size, a.original, a.pred_first, a.succ_first, a.pred, a.succ, a.tree,
                 a.pending,  a.of,   a.again,    a.best_again, from,         to,     order};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
  return 0;
}
