/* Greatest flows against all cuts of small random networks. */
#include "base/rng.h"
#include "bounds/flow.h"
#include "support/plans.h"
#include "support/test.h"

enum { NETWORKS = 60000, MOST_NODES = 9, MOST_ARCS = 30 };

typedef struct sample {
  int32_t n_nodes, n_arcs;
  int32_t tail[MOST_ARCS], head[MOST_ARCS];
  int64_t capacity[MOST_ARCS];
} sample;

/* What arcs from the set to the rest can carry. */
static int64_t cut(const sample *s, uint32_t set) {
  int64_t sum = 0;
  for (int32_t i = 0; i < s->n_arcs; i++) {
    if ((set >> s->tail[i] & 1) != 0 && (set >> s->head[i] & 1) == 0) sum += s->capacity[i];
  }
  return sum;
}

static void draw(moc__rng *rng, sample *s, moc__flow *net) {
  s->n_nodes = 2 + (int32_t)moc__rng_below(rng, MOST_NODES - 1);
  s->n_arcs = (int32_t)moc__rng_below(rng, MOST_ARCS + 1);
  moc_allocator allocator = moc__allocator_or_default(NULL);
  assert_true(moc__flow_init(net, s->n_nodes, &allocator));
  for (int32_t i = 0; i < s->n_arcs; i++) {
    int64_t index;
    s->tail[i] = (int32_t)moc__rng_below(rng, (uint32_t)s->n_nodes);
    s->head[i] = (int32_t)moc__rng_below(rng, (uint32_t)s->n_nodes);
    assert_true(moc__flow_add(net, s->tail[i], s->head[i], &index));
    assert_int_equal(index, i);
  }
  assert_true(moc__flow_close(net));
}

static void as_great_as_the_least_cut(void **state) {
  (void)state;
  moc__rng rng;
  moc__rng_init(&rng, 7, 0);
  int64_t positive = 0, networks = test_scaled(NETWORKS);
  for (int64_t k = 0; k < networks; k++) {
    sample s;
    moc__flow net;
    draw(&rng, &s, &net);
    for (int again = 0; again < 2; again++) { /* capacities and terminals change, the network does not */
      uint32_t sources = 0, sinks = 0;
      for (int32_t x = 0; x < s.n_nodes; x++) {
        uint32_t kind = moc__rng_below(&rng, 4);
        net.terminal[x] = x == 0 || kind == 1 ? MOC__SOURCE : x == 1 || kind == 2 ? MOC__SINK : MOC__INNER;
        sources |= (uint32_t)(net.terminal[x] == MOC__SOURCE) << x;
        sinks |= (uint32_t)(net.terminal[x] == MOC__SINK) << x;
      }
      for (int32_t i = 0; i < s.n_arcs; i++) {
        s.capacity[i] = moc__rng_below(&rng, 3) == 0 ? 0 : (int64_t)moc__rng_below(&rng, 20);
        moc__flow_set(&net, i, s.capacity[i]);
      }
      int64_t least = INT64_MAX, flow;
      for (uint32_t set = 0; set < UINT32_C(1) << s.n_nodes; set++) {
        if ((set & sources) == sources && (set & sinks) == 0 && cut(&s, set) < least) least = cut(&s, set);
      }
      assert_true(moc__flow_greatest(&net, NULL, NULL, &flow));
      assert_int_equal(flow, least);
      uint32_t side = 0;
      for (int32_t x = 0; x < s.n_nodes; x++) side |= (uint32_t)(net.distance[x] == MOC_NONE) << x;
      assert_int_equal(cut(&s, side), least);
      positive += least > 0;
    }
    moc__flow_release(&net);
  }
  print_message("# %lld networks, %lld flows above 0\n", (long long)networks, (long long)positive);
  assert_true(positive > networks / 4);
}

static bool at_once(void *context) {
  (void)context;
  return true;
}

static void may_be_stopped(void **state) {
  (void)state;
  moc_allocator allocator = moc__allocator_or_default(NULL);
  moc__flow net;
  int64_t flow;
  assert_true(moc__flow_init(&net, 2, &allocator) && moc__flow_add(&net, 0, 1, NULL) && moc__flow_close(&net));
  net.terminal[0] = MOC__SOURCE;
  net.terminal[1] = MOC__SINK;
  moc__flow_set(&net, 0, 5);
  assert_false(moc__flow_greatest(&net, at_once, NULL, &flow));
  moc__flow_release(&net);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(as_great_as_the_least_cut), cmocka_unit_test(may_be_stopped)};
  return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}
