/* Allocation, errors, growing text and checked sums. */
#include "base/base.h"
#include "base/rng.h"
#include "support/allocator.h"
#include "support/test.h"

#include <stdio.h>

static void allocation_checks_sizes(void **state) {
  (void)state;
  test_allocator it;
  test_allocator_init(&it);
  assert_null(moc__allocate(&it.allocator, INT64_MAX, 8));
  assert_null(moc__allocate(&it.allocator, -1, 8));
  assert_null(moc__resize(&it.allocator, NULL, INT64_MAX / 2, 8));
  assert_int_equal(it.calls, 0);
  void *empty = moc__allocate(&it.allocator, 0, 8);
  assert_non_null(empty);
  moc__release(&it.allocator, empty);
  int64_t *zeros = MOC__NEW_ZEROED(&it.allocator, 5, int64_t);
  assert_non_null(zeros);
  for (int i = 0; i < 5; i++) assert_int_equal(zeros[i], 0);
  moc__release(&it.allocator, zeros);
  moc__release(&it.allocator, NULL);
  test_allocator_check_empty(&it);
}

static void default_allocator_works(void **state) {
  (void)state;
  moc_allocator a = moc__allocator_or_default(NULL);
  char *block = moc__allocate(&a, 3, 1);
  assert_non_null(block);
  memcpy(block, "ab", 3);
  block = moc__resize(&a, block, 300, 1);
  assert_non_null(block);
  assert_string_equal(block, "ab");
  moc__release(&a, block);
}

static void arrays_grow(void **state) {
  (void)state;
  test_allocator it;
  test_allocator_init(&it);
  int32_t *items = NULL;
  int64_t capacity = 0;
  for (int32_t i = 0; i < 1000; i++) {
    assert_true(moc__grow(&it.allocator, &items, i, &capacity, sizeof *items));
    assert_true(capacity > i);
    items[i] = i;
  }
  for (int32_t i = 0; i < 1000; i++) assert_int_equal(items[i], i);
  assert_true(it.calls < 30); /* amortised */
  moc__release(&it.allocator, items);
  test_allocator_check_empty(&it);
}

static void a_failed_growth_leaves_the_array(void **state) {
  (void)state;
  test_allocator it;
  test_allocator_init_failing(&it, 2, INT64_MAX);
  int32_t *items = NULL;
  int64_t capacity = 0;
  assert_true(moc__grow(&it.allocator, &items, 0, &capacity, sizeof *items));
  int32_t *before = items;
  int64_t room = capacity;
  items[0] = 42;
  assert_false(moc__grow(&it.allocator, &items, room, &capacity, sizeof *items));
  assert_ptr_equal(items, before);
  assert_int_equal(capacity, room);
  assert_int_equal(items[0], 42);
  moc__release(&it.allocator, items);
  test_allocator_check_empty(&it);
}

static void errors_are_filled(void **state) {
  (void)state;
  moc_error error = {.line = 7, .column = 8};
  assert_int_equal(moc__fail(&error, MOC_PARSE, "here", "number %d", 5), MOC_PARSE);
  assert_int_equal(error.status, MOC_PARSE);
  assert_int_equal(error.line, 0);
  assert_int_equal(error.column, 0);
  assert_string_equal(error.place, "here");
  assert_string_equal(error.message, "number 5");
  moc__error_place(&error, "links[%d]", 3);
  assert_string_equal(error.place, "links[3]");
  assert_string_equal(error.message, "number 5");
  assert_int_equal(moc__fail(NULL, MOC_IO, "", "nothing to fill"), MOC_IO);
  assert_int_equal(moc__out_of_memory(&error), MOC_OUT_OF_MEMORY);
  assert_int_equal(error.status, MOC_OUT_OF_MEMORY);
  moc__error_place(NULL, "nowhere");
}

static void long_errors_are_cut_between_characters(void **state) {
  (void)state;
  for (size_t shift = 0; shift < 3;
       shift++) { /* three-byte characters, so that a cut falls at each of their bytes */
    char text[1000];
    memset(text, 'x', shift);
    size_t end = shift;
    for (; end + 4 < sizeof text; end += 3) memcpy(text + end, "\xE2\x82\xAC", 3);
    text[end] = '\0';
    moc_error error;
    (void)moc__fail(&error, MOC_PARSE, text, "%s", text);
    const char *cut[] = {error.place, error.message};
    size_t sizes[] = {sizeof error.place, sizeof error.message};
    for (int i = 0; i < 2; i++) {
      size_t length = strlen(cut[i]);
      assert_true(length < sizes[i] && length > sizes[i] - 8);
      assert_string_equal(cut[i] + length - 3, "...");
      assert_int_equal((length - 3 - shift) % 3, 0);
    }
  }
}

static void every_status_has_a_text(void **state) {
  (void)state;
  for (int i = 0; i <= MOC_INTERNAL; i++) {
    const char *text = moc_status_text((moc_status)i);
    assert_non_null(text);
    assert_true(text[0] != '\0');
    assert_string_not_equal(text, moc_status_text((moc_status)999));
    for (int k = 0; k < i; k++) assert_string_not_equal(text, moc_status_text((moc_status)k));
  }
  assert_non_null(moc_status_text((moc_status)-1));
}

static void version_is_that_of_the_header(void **state) {
  (void)state;
  char expected[40];
  (void)snprintf(expected, sizeof expected, "%d.%d.%d", MOC_VERSION_MAJOR, MOC_VERSION_MINOR, MOC_VERSION_PATCH);
  assert_string_equal(moc_version(), expected);
}

static void text_grows(void **state) {
  (void)state;
  test_allocator it;
  test_allocator_init(&it);
  moc__text text;
  moc__text_init(&text, &it.allocator);
  moc__text_add(&text, "abcdef", 3);
  for (int i = 0; i < 500; i++) moc__text_printf(&text, "-%d", i % 10);
  char longer[300];
  memset(longer, 'y', sizeof longer);
  longer[299] = '\0';
  moc__text_printf(&text, "%s", longer);
  char *data = NULL;
  size_t length = 0;
  moc_error error;
  CHECK_OK(moc__text_take(&text, &data, &length, &error), error);
  assert_int_equal(length, 3 + 1000 + 299);
  assert_int_equal(strlen(data), length);
  assert_memory_equal(data, "abc-0-1-2", 9);
  assert_string_equal(data + 3 + 1000, longer);
  moc__release(&it.allocator, data);
  moc__text_release(&text);
  test_allocator_check_empty(&it);
}

static void empty_text_is_an_empty_string(void **state) {
  (void)state;
  test_allocator it;
  test_allocator_init(&it);
  moc__text text;
  moc__text_init(&text, &it.allocator);
  char *data = NULL;
  size_t length = 99;
  moc_error error;
  CHECK_OK(moc__text_take(&text, &data, &length, &error), error);
  assert_int_equal(length, 0);
  assert_string_equal(data, "");
  moc__release(&it.allocator, data);
  test_allocator_check_empty(&it);
}

static void text_remembers_a_failure(void **state) {
  (void)state;
  for (int64_t k = 1;; k++) {
    test_allocator it;
    test_allocator_init_failing(&it, k, 1);
    moc__text text;
    moc__text_init(&text, &it.allocator);
    for (int i = 0; i < 300; i++) moc__text_printf(&text, "line %d\n", i);
    char *data = NULL;
    size_t length = 0;
    moc_error error = {0};
    moc_status status = moc__text_take(&text, &data, &length, &error);
    if (it.failed) {
      assert_int_equal(status, MOC_OUT_OF_MEMORY);
      assert_int_equal(error.status, MOC_OUT_OF_MEMORY);
      assert_null(data);
    } else {
      assert_int_equal(status, MOC_OK);
      moc__release(&it.allocator, data);
    }
    test_allocator_check_empty(&it);
    if (!it.failed) {
      assert_true(k > 2);
      return;
    }
  }
}

static void sums_are_checked(void **state) {
  (void)state;
  int64_t sum = 0;
  assert_true(moc__add(&sum, MOC_MAX_TOTAL - 1));
  assert_true(moc__add(&sum, 1));
  assert_int_equal(sum, MOC_MAX_TOTAL);
  assert_true(moc__add(&sum, 0));
  assert_false(moc__add(&sum, 1));
  assert_false(moc__add(&sum, INT64_MAX));
  assert_int_equal(sum, MOC_MAX_TOTAL);
  assert_int_equal(moc__max(-3, 2), 2);
  assert_int_equal(moc__min(-3, 2), -3);
}

static void random_numbers_repeat_and_stay_in_range(void **state) {
  (void)state;
  moc__rng a, b, other;
  moc__rng_init(&a, 1, 0);
  moc__rng_init(&b, 1, 0);
  moc__rng_init(&other, 1, 1);
  int same = 0;
  uint32_t seen = 0;
  for (int i = 0; i < 1000; i++) {
    uint64_t x = moc__rng_next(&a);
    assert_true(x == moc__rng_next(&b));
    same += x == moc__rng_next(&other);
  }
  assert_int_equal(same, 0);
  for (int i = 0; i < 1000; i++) {
    uint32_t below = moc__rng_below(&a, 7);
    double unit = moc__rng_unit(&a);
    assert_true(below < 7);
    assert_true(unit >= 0.0 && unit < 1.0);
    seen |= UINT32_C(1) << below;
  }
  assert_int_equal(seen, 0x7f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(allocation_checks_sizes),
      cmocka_unit_test(default_allocator_works),
      cmocka_unit_test(arrays_grow),
      cmocka_unit_test(a_failed_growth_leaves_the_array),
      cmocka_unit_test(errors_are_filled),
      cmocka_unit_test(long_errors_are_cut_between_characters),
      cmocka_unit_test(every_status_has_a_text),
      cmocka_unit_test(version_is_that_of_the_header),
      cmocka_unit_test(text_grows),
      cmocka_unit_test(empty_text_is_an_empty_string),
      cmocka_unit_test(text_remembers_a_failure),
      cmocka_unit_test(sums_are_checked),
      cmocka_unit_test(random_numbers_repeat_and_stay_in_range),
  };
  return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
