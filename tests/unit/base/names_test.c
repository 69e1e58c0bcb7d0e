/* The hash table from names to numbers. */
#include "base/names.h"
#include "support/allocator.h"
#include "support/test.h"

#include <stdio.h>

enum { COUNT = 5000 };

static void finds_what_was_entered(void **state) {
  (void)state;
  test_allocator it;
  test_allocator_init(&it);
  static char texts[COUNT][12];
  moc__names names;
  assert_true(moc__names_init(&names, &it.allocator, 2 * COUNT));
  for (int32_t i = 0; i < COUNT; i++) {
    (void)snprintf(texts[i], sizeof texts[i], "%d", (int)i);
    assert_int_equal(moc__names_enter(&names, texts[i], true, i), -1);
    assert_int_equal(moc__names_enter(&names, texts[i], false, COUNT + i), -1);
  }
  for (int32_t i = 0; i < COUNT; i++) {
    char copy[12];
    memcpy(copy, texts[i], sizeof copy);
    assert_int_equal(moc__names_find(&names, copy, true), i);
    assert_int_equal(moc__names_find(&names, copy, false), COUNT + i);
    assert_int_equal(moc__names_enter(&names, copy, true, 77), i); /* it was there */
  }
  assert_int_equal(moc__names_find(&names, "x", true), -1);
  assert_int_equal(moc__names_find(&names, "", false), -1);
  moc__names_release(&names);
  test_allocator_check_empty(&it);
}

static void an_empty_table_finds_nothing(void **state) {
  (void)state;
  test_allocator it;
  test_allocator_init(&it);
  moc__names names;
  assert_true(moc__names_init(&names, &it.allocator, 0));
  assert_int_equal(moc__names_find(&names, "a", false), -1);
  moc__names_release(&names);
  test_allocator_check_empty(&it);
}

static void tells_when_memory_is_out(void **state) {
  (void)state;
  test_allocator it;
  test_allocator_init_failing(&it, 1, 1);
  moc__names names = {0};
  assert_false(moc__names_init(&names, &it.allocator, 100));
  test_allocator_check_empty(&it);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(finds_what_was_entered),
      cmocka_unit_test(an_empty_table_finds_nothing),
      cmocka_unit_test(tells_when_memory_is_out),
  };
  return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
