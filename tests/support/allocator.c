/* See allocator.h. Every block starts with a header that holds its size and a mark, so that a block of another
 * allocator, or one released twice, ends the test. */
#include "support/allocator.h"

#include "support/test.h"

#include <stdlib.h>

#define MARK UINT64_C(0x6d6f636361736e21)

typedef union header {
  struct {
    uint64_t mark;
    size_t size;
  } is;
  max_align_t align;
} header;

static bool must_fail(test_allocator *it) {
  int64_t call = atomic_fetch_add(&it->calls, 1) + 1;
  if (it->fail_from == 0 || call < it->fail_from || call - it->fail_from >= it->fail_count) return false;
  atomic_store(&it->failed, true);
  return true;
}

static void count_bytes(test_allocator *it, int64_t more) {
  int64_t now = atomic_fetch_add(&it->live_bytes, more) + more;
  int64_t most = atomic_load(&it->most_bytes);
  while (now > most && !atomic_compare_exchange_weak(&it->most_bytes, &most, now)) continue;
}

static header *header_of(void *block) {
  header *h = (header *)block - 1;
  if (h->is.mark != MARK) {
    print_error("a block that this allocator did not hand out, or has taken back, was passed to it\n");
    abort();
  }
  return h;
}

static void *test_resize(void *context, void *block, size_t size) {
  test_allocator *it = context;
  if (must_fail(it)) return NULL;
  header *old = block == NULL ? NULL : header_of(block);
  size_t old_size = old == NULL ? 0 : old->is.size;
  if (size > SIZE_MAX - sizeof(header)) return NULL;
  header *h = malloc(sizeof *h + size); /* always moves, so that stale pointers show under ASan */
  if (h == NULL) return NULL;
  h->is.mark = MARK;
  h->is.size = size;
  unsigned char *content = (unsigned char *)(h + 1);
  size_t kept = old_size < size ? old_size : size;
  if (old != NULL) memcpy(content, block, kept);
  memset(content + kept, 0xA5, size - kept);
  if (old == NULL) {
    atomic_fetch_add(&it->live_blocks, 1);
  } else {
    old->is.mark = 0;
    free(old);
  }
  count_bytes(it, (int64_t)size - (int64_t)old_size);
  return h + 1;
}

static void *test_allocate(void *context, size_t size) {
  return test_resize(context, NULL, size);
}

static void test_release(void *context, void *block) {
  test_allocator *it = context;
  if (block == NULL) return;
  header *h = header_of(block);
  atomic_fetch_sub(&it->live_blocks, 1);
  atomic_fetch_sub(&it->live_bytes, (int64_t)h->is.size);
  h->is.mark = 0;
  free(h);
}

void test_allocator_init_failing(test_allocator *it, int64_t k, int64_t count) {
  memset(it, 0, sizeof *it);
  it->allocator = (moc_allocator){test_allocate, test_resize, test_release, it};
  it->fail_from = k;
  it->fail_count = count;
}

void test_allocator_init(test_allocator *it) {
  test_allocator_init_failing(it, 0, 0);
}

void test_allocator_check_empty(const test_allocator *it) {
  int64_t blocks = atomic_load(&it->live_blocks);
  if (blocks != 0)
    fail_msg("%lld blocks, %lld bytes, were not given back", (long long)blocks,
             (long long)atomic_load(&it->live_bytes));
}
