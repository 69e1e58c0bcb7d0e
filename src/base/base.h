/* What every part of the library stands on: allocation, errors, checked sums. Depends on nothing. */
#ifndef MOC_BASE_BASE_H
#define MOC_BASE_BASE_H

#include <moccasin/moccasin.h>

#include <assert.h>
#include <stdarg.h>
#include <string.h>

/* --- Allocation --- */

/* `allocator`, or malloc and its kin when it is NULL. */
moc_allocator moc__allocator_or_default(const moc_allocator *allocator);

/* count * size bytes, or NULL when that overflows or memory is out. Never NULL for a count of 0. */
void *moc__allocate(const moc_allocator *allocator, int64_t count, size_t size);
/* The same, zeroed. */
void *moc__allocate_zeroed(const moc_allocator *allocator, int64_t count, size_t size);
/* As moc__allocate, keeping the content of `block`, which stays valid on failure. */
void *moc__resize(const moc_allocator *allocator, void *block, int64_t count, size_t size);
void moc__release(const moc_allocator *allocator, void *block);

#define MOC__NEW(allocator, count, type) ((type *)moc__allocate((allocator), (int64_t)(count), sizeof(type)))
#define MOC__NEW_ZEROED(allocator, count, type)                                                                    \
  ((type *)moc__allocate_zeroed((allocator), (int64_t)(count), sizeof(type)))

/* Make room for one more element in a growing array. `items` is the address of the array pointer, `capacity`
 * of its capacity. False when memory is out; the array is unchanged then. Amortised O(1). */
bool moc__grow(const moc_allocator *allocator, void *items, int64_t count, int64_t *capacity, size_t size);
/* The same for `count` entries in all. */
bool moc__reserve(const moc_allocator *allocator, void *items, int64_t count, int64_t *capacity, size_t size);

/* Release the arrays of a certificate, and zero it. */
void moc__certificate_release(moc_certificate *certificate, const moc_allocator *allocator);

/* --- Errors --- */

/* Fill *error (may be NULL) and return `status`. The place is a format of its own, so that both can be printf-like:
 * moc__fail(error, MOC_IO, "", "cannot read %s", path). */
moc_status moc__fail(moc_error *error, moc_status status, const char *place, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* moc__fail for memory that is out. */
moc_status moc__out_of_memory(moc_error *error);
/* Set the place of an error already filled, printf-like. */
void moc__error_place(moc_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- Growing text --- */

/* Text under construction. After an allocation has failed it stays `failed` and ignores what is added. */
typedef struct moc__text {
  moc_allocator allocator;
  char *data; /* [capacity], NUL-terminated once anything was added */
  int64_t length;
  int64_t capacity;
  bool failed;
} moc__text;

void moc__text_init(moc__text *text, const moc_allocator *allocator);
void moc__text_release(moc__text *text);
void moc__text_add(moc__text *text, const char *data, int64_t length);
void moc__text_printf(moc__text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Hand the content over, or fail with OUT_OF_MEMORY; `text` is released either way. */
moc_status moc__text_take(moc__text *text, char **data, size_t *length, moc_error *error);

/* --- Checked sums --- */

/* *sum += value unless that passes MOC_MAX_TOTAL; both non-negative. */
static inline bool moc__add(int64_t *sum, int64_t value) {
  if (value > MOC_MAX_TOTAL - *sum) return false;
  *sum += value;
  return true;
}

static inline int64_t moc__max(int64_t a, int64_t b) {
  return a > b ? a : b;
}
static inline int64_t moc__min(int64_t a, int64_t b) {
  return a < b ? a : b;
}

/* 100 * part / whole, or 0 for a whole of 0. */
static inline double moc__percent(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : 100 * (double)part / (double)whole;
}

/* The greatest common divisor of two numbers that are not negative; of 0 and a, a. */
static inline int64_t moc__gcd(int64_t a, int64_t b) {
  while (b != 0) {
    int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

#endif
