/* An allocator for tests: counts blocks and bytes, and can be told to fail. Safe to use from several threads. */
#ifndef TEST_ALLOCATOR_H
#define TEST_ALLOCATOR_H

#include <moccasin/moccasin.h>
#include <stdatomic.h>

/* Zero-initialised by test_allocator_init; not to be moved while in use. */
typedef struct test_allocator {
  moc_allocator allocator; /* hand &it.allocator to the library */
  _Atomic int64_t live_blocks;
  _Atomic int64_t live_bytes;
  _Atomic int64_t most_bytes;
  _Atomic int64_t calls; /* allocations and resizes asked for */
  int64_t fail_from;     /* the first call that fails, from 1; 0: none does */
  int64_t fail_count;    /* how many calls fail from there on */
  _Atomic bool failed;   /* a call was made to fail */
} test_allocator;

/* An allocator that never fails. */
void test_allocator_init(test_allocator *it);
/* One whose k-th call fails, k from 1, and so do those that follow, `count` in all. */
void test_allocator_init_failing(test_allocator *it, int64_t k, int64_t count);
/* Fail the running test unless every block was given back. */
void test_allocator_check_empty(const test_allocator *it);

#endif
