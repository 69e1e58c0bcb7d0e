/* Allocation, errors and growing text; see base.h. */
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>

/* --- Allocation --- */

static void *default_allocate(void *context, size_t size) {
  (void)context;
  return malloc(size);
}

static void *default_resize(void *context, void *block, size_t size) {
  (void)context;
  return realloc(block, size);
}

static void default_release(void *context, void *block) {
  (void)context;
  free(block);
}

moc_allocator moc__allocator_or_default(const moc_allocator *allocator) {
  if (allocator != NULL) return *allocator;
  return (moc_allocator){default_allocate, default_resize, default_release, NULL};
}

static bool byte_count(int64_t count, size_t size, size_t *bytes) {
  if (count < 0 || (uint64_t)count > (uint64_t)PTRDIFF_MAX / size) return false;
  *bytes = count == 0 ? size : (size_t)count * size;
  return true;
}

void *moc__allocate(const moc_allocator *allocator, int64_t count, size_t size) {
  size_t bytes;
  return byte_count(count, size, &bytes) ? allocator->allocate(allocator->context, bytes) : NULL;
}

void *moc__allocate_zeroed(const moc_allocator *allocator, int64_t count, size_t size) {
  void *block = moc__allocate(allocator, count, size);
  if (block != NULL) memset(block, 0, (size_t)count * size);
  return block;
}

void *moc__resize(const moc_allocator *allocator, void *block, int64_t count, size_t size) {
  size_t bytes;
  return byte_count(count, size, &bytes) ? allocator->resize(allocator->context, block, bytes) : NULL;
}

void moc__release(const moc_allocator *allocator, void *block) {
  if (block != NULL) allocator->release(allocator->context, block);
}

void moc__certificate_release(moc_certificate *certificate, const moc_allocator *allocator) {
  void *blocks[] = {certificate->weights, certificate->shares, certificate->parts, certificate->branches};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(allocator, blocks[i]);
  *certificate = (moc_certificate){0};
}

bool moc__grow(const moc_allocator *allocator, void *items, int64_t count, int64_t *capacity, size_t size) {
  return moc__reserve(allocator, items, count + 1, capacity, size);
}

bool moc__reserve(const moc_allocator *allocator, void *items, int64_t count, int64_t *capacity, size_t size) {
  if (count <= *capacity) return true;
  void *old;
  memcpy(&old, items, sizeof old); /* the caller's pointer has another type */
  int64_t room = moc__max(count, *capacity < 8 ? 8 : *capacity + *capacity / 2);
  void *grown = moc__resize(allocator, old, room, size);
  if (grown == NULL) return false;
  memcpy(items, &grown, sizeof grown);
  *capacity = room;
  return true;
}

/* --- Errors --- */

static const char *const STATUS_TEXTS[] = {
#define MOC_STATUS(name, text) [MOC_##name] = text,
#include "base/status.def"
#undef MOC_STATUS
};

const char *moc_status_text(moc_status status) {
  int count = (int)(sizeof STATUS_TEXTS / sizeof *STATUS_TEXTS);
  return (int)status < 0 || (int)status >= count ? "unknown status" : STATUS_TEXTS[status];
}

#define TEXT_OF(number)                   #number
#define VERSION_TEXT(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

const char *moc_version(void) {
  return VERSION_TEXT(MOC_VERSION_MAJOR, MOC_VERSION_MINOR, MOC_VERSION_PATCH);
}

/* printf into a fixed array, marking a cut with "..." and never cutting a UTF-8 character in two. */
static void print_cut(char *to, size_t size, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));
static void print_cut(char *to, size_t size, const char *format, va_list arguments) {
  int length = vsnprintf(to, size, format, arguments);
  if (length < 0) to[0] = '\0';
  if (length < (int)size) return;
  size_t end = size - 4;
  while (end > 0 && ((unsigned char)to[end] & 0xC0) == 0x80) end--;
  memcpy(to + end, "...", 4);
}

moc_status moc__fail(moc_error *error, moc_status status, const char *place, const char *format, ...) {
  if (error == NULL) return status;
  error->status = status;
  error->line = 0;
  error->column = 0;
  moc__error_place(error, "%s", place);
  va_list arguments;
  va_start(arguments, format);
  print_cut(error->message, sizeof error->message, format, arguments);
  va_end(arguments);
  return status;
}

moc_status moc__out_of_memory(moc_error *error) {
  return moc__fail(error, MOC_OUT_OF_MEMORY, "", "out of memory");
}

void moc__error_place(moc_error *error, const char *format, ...) {
  if (error == NULL) return;
  va_list arguments;
  va_start(arguments, format);
  print_cut(error->place, sizeof error->place, format, arguments);
  va_end(arguments);
}

/* --- Growing text --- */

void moc__text_init(moc__text *text, const moc_allocator *allocator) {
  *text = (moc__text){.allocator = moc__allocator_or_default(allocator)};
}

void moc__text_release(moc__text *text) {
  moc__release(&text->allocator, text->data);
  text->data = NULL;
  text->length = text->capacity = 0;
}

static bool text_room(moc__text *text, int64_t more) {
  if (text->failed) return false;
  if (more <= text->capacity - text->length - 1) return true;
  int64_t need = text->length + more + 1;
  int64_t room = moc__max(need, text->capacity + text->capacity / 2);
  char *grown = moc__resize(&text->allocator, text->data, moc__max(room, 256), 1);
  if (grown == NULL) {
    text->failed = true;
    return false;
  }
  text->data = grown;
  text->capacity = moc__max(room, 256);
  return true;
}

void moc__text_add(moc__text *text, const char *data, int64_t length) {
  if (!text_room(text, length)) return;
  memcpy(text->data + text->length, data, (size_t)length);
  text->length += length;
  text->data[text->length] = '\0';
}

void moc__text_printf(moc__text *text, const char *format, ...) {
  if (!text_room(text, 128)) return;
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(text->data + text->length, 128, format, arguments);
  va_end(arguments);
  if (length >= 128 && text_room(text, length)) {
    va_start(arguments, format);
    (void)vsnprintf(text->data + text->length, (size_t)length + 1, format, arguments);
    va_end(arguments);
  }
  if (length < 0) text->failed = true;
  if (!text->failed) text->length += length;
}

moc_status moc__text_take(moc__text *text, char **data, size_t *length, moc_error *error) {
  moc__text_add(text, "", 0);
  if (text->failed) {
    moc__text_release(text);
    return moc__out_of_memory(error);
  }
  *data = text->data;
  *length = (size_t)text->length;
  text->data = NULL;
  return MOC_OK;
}
