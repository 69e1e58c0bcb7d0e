/* What all generators have in common: the table, ranges, names, seeds, allocation. */
#include "generate/generate.h"
#include "make.h"
#include "support/allocator.h"

#include <stdio.h>

/* True when the graphs agree in everything that they say, their names apart. */
static bool same_graph(const moc_graph *a, const moc_graph *b) {
  if (moc_graph_operations(a) != moc_graph_operations(b) || moc_graph_tensors(a) != moc_graph_tensors(b))
    return false;
  for (moc_op op = 0; op < moc_graph_operations(a); op++) {
    moc_tensor_list x = moc_graph_op_inputs(a, op), y = moc_graph_op_inputs(b, op);
    if (strcmp(moc_graph_op_name(a, op), moc_graph_op_name(b, op)) != 0 ||
        strcmp(moc_graph_op_label(a, op), moc_graph_op_label(b, op)) != 0 ||
        moc_graph_op_duration(a, op) != moc_graph_op_duration(b, op) ||
        moc_graph_op_workspace(a, op) != moc_graph_op_workspace(b, op) ||
        moc_graph_op_compute_once(a, op) != moc_graph_op_compute_once(b, op) || x.count != y.count ||
        (x.count > 0 && memcmp(x.items, y.items, (size_t)x.count * sizeof *x.items) != 0))
      return false;
  }
  for (moc_tensor tensor = 0; tensor < moc_graph_tensors(a); tensor++)
    if (moc_graph_tensor_size(a, tensor) != moc_graph_tensor_size(b, tensor) ||
        moc_graph_tensor_producer(a, tensor) != moc_graph_tensor_producer(b, tensor) ||
        moc_graph_tensor_base(a, tensor) != moc_graph_tensor_base(b, tensor) ||
        moc_graph_tensor_keep(a, tensor) != moc_graph_tensor_keep(b, tensor))
      return false;
  return true;
}

static void the_table_is_sound(void **state) {
  (void)state;
  int count;
  const moc__generator *all = moc__generators(&count);
  assert_int_equal(count, 6);
  for (int i = 0; i < count; i++) {
    assert_ptr_equal(moc__find_generator(all[i].name), &all[i]);
    assert_true(all[i].n_options > 0 && all[i].n_options <= MOC__MAX_GENERATOR_OPTIONS);
    assert_true(strlen(all[i].help) > 10);
    for (int j = 0; j < all[i].n_options; j++) {
      const moc__generator_option *option = &all[i].options[j];
      assert_int_equal(moc__find_generator_option(&all[i], option->name), j);
      assert_true(strlen(option->help) > 5);
      assert_true(option->low <= option->value_default && option->value_default <= option->high);
    }
  }
  assert_null(moc__find_generator("vgg"));
  assert_int_equal(moc__find_generator_option(&all[0], "node"), -1);
}

static void values_out_of_range_are_refused(void **state) {
  (void)state;
  int count;
  const moc__generator *all = moc__generators(&count);
  for (int i = 0; i < count; i++)
    for (int j = 0; j < all[i].n_options; j++)
      for (int high = 0; high < 2; high++) {
        int64_t values[MOC__MAX_GENERATOR_OPTIONS];
        moc__generator_defaults(&all[i], values);
        values[j] = high ? all[i].options[j].high + 1 : all[i].options[j].low - 1;
        moc_graph *graph = NULL;
        moc_error error;
        CHECK_FAILS(moc__generate(&all[i], values, 1, NULL, &graph, &error), MOC_INVALID_ARGUMENT, error);
        assert_string_equal(error.place, all[i].options[j].name);
        assert_null(graph);
      }
}

static void refuse(const char *kind, const char *first, int64_t first_value, const char *second,
                   int64_t second_value, const char *place) {
  const moc__generator *generator = moc__find_generator(kind);
  int64_t values[MOC__MAX_GENERATOR_OPTIONS];
  moc__generator_defaults(generator, values);
  values[moc__find_generator_option(generator, first)] = first_value;
  values[moc__find_generator_option(generator, second)] = second_value;
  test_allocator allocator;
  test_allocator_init(&allocator);
  moc_graph *graph = NULL;
  moc_error error;
  CHECK_FAILS(moc__generate(generator, values, 1, &allocator.allocator, &graph, &error), MOC_INVALID_ARGUMENT,
              error);
  assert_string_equal(error.place, place);
  assert_null(graph);
  test_allocator_check_empty(&allocator);
}

static void options_that_do_not_fit_together_are_refused(void **state) {
  (void)state;
  refuse("transformer", "hidden", 770, "heads", 12, "hidden");
  refuse("vgg16", "side", 225, "batch", 1, "side");
  refuse("unet", "side", 250, "padded", 1, "side");
  refuse("unet", "side", 256, "padded", 0, "side");
  refuse("unet", "side", 172, "padded", 0, "side");
  refuse("resnet50", "element-bytes", 3, "batch", 1, "element-bytes");
}

static void graphs_that_are_too_large_are_refused(void **state) {
  (void)state;
  const moc__generator *generator = moc__find_generator("transformer");
  int64_t values[MOC__MAX_GENERATOR_OPTIONS];
  for (int i = 0; i < generator->n_options; i++) values[i] = generator->options[i].high;
  values[moc__find_generator_option(generator, "plain")] = 0;
  test_allocator allocator;
  test_allocator_init(&allocator);
  moc_graph *graph = NULL;
  moc_error error;
  CHECK_FAILS(moc__generate(generator, values, 1, &allocator.allocator, &graph, &error), MOC_OVERFLOW, error);
  assert_null(graph);
  test_allocator_check_empty(&allocator);
}

static void equal_seeds_give_equal_graphs(void **state) {
  (void)state;
  int count;
  const moc__generator *all = moc__generators(&count);
  for (int i = 0; i < count; i++) {
    int64_t values[MOC__MAX_GENERATOR_OPTIONS];
    moc__generator_defaults(&all[i], values);
    int random = moc__find_generator_option(&all[i], "random");
    if (random >= 0) values[random] = 1;
    moc_graph *graph[3];
    moc_error error;
    for (int j = 0; j < 3; j++)
      CHECK_OK(moc__generate(&all[i], values, j == 2 ? 8 : 7, NULL, &graph[j], &error), error);
    assert_true(same_graph(graph[0], graph[1]));
    assert_string_equal(moc_graph_name(graph[0]), moc_graph_name(graph[1]));
    assert_int_equal(same_graph(graph[0], graph[2]), !all[i].seeded);
    assert_int_equal(strcmp(moc_graph_name(graph[0]), moc_graph_name(graph[2])) == 0, !all[i].seeded);
    for (int j = 0; j < 3; j++) moc_graph_destroy(graph[j]);
  }
}

static void names_tell_what_differs_from_the_defaults(void **state) {
  (void)state;
  moc_graph *graph = make_graph("unet", "batch=4 plain=1", 9);
  assert_string_equal(moc_graph_name(graph), "unet batch=4 plain=1");
  moc_graph_destroy(graph);
  graph = make_graph("layered", "nodes=25", 9);
  assert_string_equal(moc_graph_name(graph), "layered nodes=25 seed=9");
  moc_graph_destroy(graph);
}

/* The values near an option's bounds that are quick to try with all else at its default. */
static void every_option_works_at_its_bounds(void **state) {
  (void)state;
  int count;
  const moc__generator *all = moc__generators(&count);
  for (int i = 0; i < count; i++)
    for (int j = 0; j < all[i].n_options; j++)
      for (int high = 0; high < 2; high++) {
        const moc__generator_option *option = &all[i].options[j];
        int64_t values[MOC__MAX_GENERATOR_OPTIONS];
        moc__generator_defaults(&all[i], values);
        values[j] = high ? option->high : option->low;
        bool many = strcmp(option->name, "nodes") == 0 || strcmp(option->name, "length") == 0;
        if (high && many) values[j] = 20000;
        /* What has to fit together. */
        if (high && strcmp(option->name, "heads") == 0)
          values[moc__find_generator_option(&all[i], "hidden")] = 1024;
        if (strcmp(option->name, "hidden") == 0) values[moc__find_generator_option(&all[i], "heads")] = 1;
        if (strcmp(option->name, "padded") == 0 && !high) values[moc__find_generator_option(&all[i], "side")] = 572;
        test_allocator allocator;
        test_allocator_init(&allocator);
        moc_graph *graph;
        moc_graph_facts facts;
        moc_error error;
        CHECK_OK(moc__generate(&all[i], values, 3, &allocator.allocator, &graph, &error), error);
        CHECK_OK(moc_graph_get_facts(graph, &facts, &error), error);
        assert_true(facts.working_set_bound > 0 && facts.working_set_bound <= facts.baseline_peak);
        assert_true(facts.baseline_duration > 0);
        for (moc_op op = 0; op < moc_graph_operations(graph); op++)
          assert_int_equal(moc_graph_input_order(graph).items[op], op);
        moc_graph_destroy(graph);
        test_allocator_check_empty(&allocator);
      }
}

static void memory_may_run_out_anywhere(void **state) {
  (void)state;
  static const struct {
    const char *kind, *option;
    int64_t value;
  } cases[] = {{"layered", "nodes", 20},
               {"chain", "length", 5},
               {"vgg16", "plain", 0},
               {"unet", "plain", 1},
               {"transformer", "layers", 1}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const moc__generator *generator = moc__find_generator(cases[i].kind);
    int64_t values[MOC__MAX_GENERATOR_OPTIONS];
    moc__generator_defaults(generator, values);
    values[moc__find_generator_option(generator, cases[i].option)] = cases[i].value;
    bool done = false;
    for (int64_t k = 1; !done; k++) {
      test_allocator allocator;
      test_allocator_init_failing(&allocator, k, 1);
      moc_graph *graph = NULL;
      moc_error error;
      if (moc__generate(generator, values, 1, &allocator.allocator, &graph, &error) == MOC_OK) {
        assert_non_null(graph);
        done = !allocator.failed;
        moc_graph_destroy(graph);
      } else {
        assert_int_equal(error.status, MOC_OUT_OF_MEMORY);
        assert_null(graph);
      }
      test_allocator_check_empty(&allocator);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_table_is_sound),
      cmocka_unit_test(values_out_of_range_are_refused),
      cmocka_unit_test(options_that_do_not_fit_together_are_refused),
      cmocka_unit_test(graphs_that_are_too_large_are_refused),
      cmocka_unit_test(equal_seeds_give_equal_graphs),
      cmocka_unit_test(names_tell_what_differs_from_the_defaults),
      cmocka_unit_test(every_option_works_at_its_bounds),
      cmocka_unit_test(memory_may_run_out_anywhere),
  };
  return cmocka_run_group_tests_name("generators", tests, NULL, NULL);
}
