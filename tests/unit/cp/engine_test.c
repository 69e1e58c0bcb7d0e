/* The engine on small random programs of clauses, rows and an objective, against enumeration: the optimum it finds by
 * lowering the target, its answers for targets that fall and rise, and everything that it learned. */
#include "base/rng.h"
#include "cp/engine.h"
#include "cp/propagate.h"
#include "support/allocator.h"
#include "support/plans.h"
#include "support/test.h"

enum { PROGRAMS = 3000, MOST_VARS = 9, MOST_CLAUSES = 24, MOST_ROWS = 4 };

typedef struct program {
  int n_vars, n_clauses, n_rows;
  int clause_size[MOST_CLAUSES];
  moc__lit clause[MOST_CLAUSES][4];
  int64_t coefficient[MOST_ROWS][MOST_VARS], bound[MOST_ROWS]; /* of literal 2v + sign[r][v] */
  int sign[MOST_ROWS][MOST_VARS];
  int64_t cost[MOST_VARS];
} program;

static bool holds(moc__lit l, uint32_t assignment) {
  return ((assignment >> moc__var(l) & 1) ^ ((uint32_t)l & 1)) != 0;
}

static int64_t cost_of(const program *p, uint32_t assignment) {
  int64_t cost = 0;
  for (int v = 0; v < p->n_vars; v++) cost += (assignment >> v & 1) != 0 ? p->cost[v] : 0;
  return cost;
}

static bool satisfies(const program *p, uint32_t assignment) {
  for (int i = 0; i < p->n_clauses; i++) {
    bool any = false;
    for (int k = 0; k < p->clause_size[i]; k++) any |= holds(p->clause[i][k], assignment);
    if (!any) return false;
  }
  for (int r = 0; r < p->n_rows; r++) {
    int64_t sum = 0;
    for (int v = 0; v < p->n_vars; v++)
      if (holds(2 * v + p->sign[r][v], assignment)) sum += p->coefficient[r][v];
    if (sum > p->bound[r]) return false;
  }
  return true;
}

/* The least cost, -1: no solution. */
static int64_t optimum(const program *p) {
  int64_t best = -1;
  for (uint32_t a = 0; a < UINT32_C(1) << p->n_vars; a++) {
    if (satisfies(p, a) && (best < 0 || cost_of(p, a) < best)) best = cost_of(p, a);
  }
  return best;
}

static void make_program(moc__rng *rng, program *p) {
  *p = (program){0};
  p->n_vars = 3 + (int)moc__rng_below(rng, MOST_VARS - 2);
  p->n_clauses = (int)moc__rng_below(rng, MOST_CLAUSES);
  p->n_rows = (int)moc__rng_below(rng, MOST_ROWS + 1);
  for (int i = 0; i < p->n_clauses; i++) {
    p->clause_size[i] = 1 + (int)moc__rng_below(rng, 4);
    if (p->clause_size[i] == 1) p->clause_size[i] = 1 + (int)moc__rng_below(rng, 4);
    for (int k = 0; k < p->clause_size[i]; k++)
      p->clause[i][k] = (moc__lit)moc__rng_below(rng, (uint32_t)(2 * p->n_vars));
  }
  for (int r = 0; r < p->n_rows; r++) {
    for (int v = 0; v < p->n_vars; v++) {
      p->coefficient[r][v] = moc__rng_below(rng, 3) == 0 ? 0 : 1 + (int64_t)moc__rng_below(rng, 9);
      p->sign[r][v] = (int)moc__rng_below(rng, 2);
      p->bound[r] += p->coefficient[r][v];
    }
    p->bound[r] = (int64_t)moc__rng_below(rng, (uint32_t)p->bound[r] + 1);
  }
  for (int v = 0; v < p->n_vars; v++) p->cost[v] = (int64_t)moc__rng_below(rng, 6);
}

static void load(moc__engine *e, const program *p, const moc_allocator *allocator) {
  moc_error error;
  CHECK_OK(moc__engine_init(e, allocator, &error), error);
  e->objective = moc__engine_row(e, 1000);
  for (int v = 0; v < p->n_vars; v++) {
    assert_int_equal(moc__engine_variable(e, true, v % 2 == 0), v);
    if (p->cost[v] > 0) moc__engine_term(e, e->objective, p->cost[v], 2 * v);
  }
  for (int r = 0; r < p->n_rows; r++) {
    int32_t row = moc__engine_row(e, p->bound[r]);
    for (int v = 0; v < p->n_vars; v++)
      if (p->coefficient[r][v] > 0) moc__engine_term(e, row, p->coefficient[r][v], 2 * v + p->sign[r][v]);
  }
  for (int i = 0; i < p->n_clauses; i++) moc__engine_clause(e, p->clause[i], p->clause_size[i]);
}

/* Every learned clause follows from the program; a tainted one, from it and the target. */
static void check_learned(moc__engine *e, const program *p, int64_t target) {
  for (int64_t i = 0; i < e->n_learned; i++) {
    moc__clause *c = moc__clause_at(e, e->learned[i]);
    const moc__lit *l = (const moc__lit *)(c + 1);
    for (uint32_t a = 0; a < UINT32_C(1) << p->n_vars; a++) {
      if (!satisfies(p, a) || (c->tainted && cost_of(p, a) >= target)) continue;
      bool any = false;
      for (int32_t k = 0; k < c->size; k++) any |= holds(l[k], a);
      assert_true(any);
    }
  }
}

static uint32_t assignment_of(const moc__engine *e) {
  uint32_t a = 0;
  for (int v = 0; v < e->n_vars; v++) a |= (uint32_t)(e->value[v] > 0) << v;
  return a;
}

/* Is there a solution of less than `target`? The engine's answer must be right. */
static moc__search_end ask(moc__engine *e, const program *p, int64_t target, int64_t best) {
  moc__search_end end = moc__engine_search(e, INT64_MAX / 4, NULL, NULL);
  if (best >= 0 && best < target) {
    assert_int_equal(end, MOC__SEARCH_COMPLETE);
    uint32_t a = assignment_of(e);
    assert_true(satisfies(p, a));
    assert_true(cost_of(p, a) < target);
  } else {
    assert_int_equal(end, MOC__SEARCH_REFUTED);
  }
  check_learned(e, p, target);
  return end;
}

static void targets_fall_and_rise(void **state) {
  (void)state;
  moc__rng rng;
  moc__rng_init(&rng, 5, 0);
  int64_t conflicts = 0, refuted = 0, programs = test_scaled(PROGRAMS);
  for (int64_t i = 0; i < programs; i++) {
    program p;
    make_program(&rng, &p);
    int64_t best = optimum(&p);
    test_allocator memory;
    test_allocator_init(&memory);
    moc__engine e;
    load(&e, &p, &memory.allocator);
    int64_t target = 1000;
    for (int step = 0; step < 8; step++) {
      moc__search_end end = ask(&e, &p, target, best);
      refuted += end == MOC__SEARCH_REFUTED;
      int64_t next = (int64_t)moc__rng_below(&rng, 20) + 1;
      if (next > target) {
        moc__engine_raise_target(&e, next - 1);
      } else {
        moc__engine_backtrack(&e, 0);
        moc__engine_bound(&e, e.objective, next - 1);
      }
      target = next;
    }
    conflicts += e.conflicts;
    moc__engine_release(&e);
    test_allocator_check_empty(&memory);
  }
  print_message("# %lld programs, %lld conflicts, %lld refutations\n", (long long)programs, (long long)conflicts,
                (long long)refuted);
  assert_true(conflicts > programs && refuted > programs / 2);
}

/* Row propagation alone: whatever one row makes false would overfill it, and nothing else would. */
static void a_row_propagates_what_enumeration_says(void **state) {
  (void)state;
  moc__rng rng;
  moc__rng_init(&rng, 6, 0);
  moc_allocator allocator = moc__allocator_or_default(NULL);
  for (int64_t i = 0; i < test_scaled(PROGRAMS); i++) {
    moc__engine e;
    moc_error error;
    CHECK_OK(moc__engine_init(&e, &allocator, &error), error);
    int64_t coefficient[MOST_VARS], total = 0;
    for (int v = 0; v < MOST_VARS; v++) total += coefficient[v] = 1 + (int64_t)moc__rng_below(&rng, 20);
    int64_t bound = (int64_t)moc__rng_below(&rng, (uint32_t)total);
    int32_t row = moc__engine_row(&e, bound);
    for (int v = 0; v < MOST_VARS; v++) {
      (void)moc__engine_variable(&e, true, false);
      moc__engine_term(&e, row, coefficient[v], 2 * v);
    }
    int64_t filled = 0;
    for (int v = 0; v < MOST_VARS; v++) {
      if (moc__rng_below(&rng, 4) != 0 || e.value[v] != 0) continue;
      moc__enqueue(&e, 2 * v, MOC__DECISION);
      filled += coefficient[v];
    }
    bool fine = moc__propagate(&e);
    assert_int_equal(fine, filled <= bound);
    for (int v = 0; fine && v < MOST_VARS; v++) {
      if (e.value[v] > 0) continue;
      assert_int_equal(e.value[v], filled + coefficient[v] > bound ? -1 : 0);
    }
    moc__engine_release(&e);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(targets_fall_and_rise),
      cmocka_unit_test(a_row_propagates_what_enumeration_says),
  };
  return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
