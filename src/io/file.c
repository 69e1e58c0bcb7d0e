/* Whole files: reading one within a limit; writing one so that the target is either as before or complete.
 *
 * A file is written beside its target and renamed onto it. Links are followed first, so that what a link points to
 * is replaced and not the link. What is no regular file (a pipe, a terminal), and whatever is reached through a
 * file descriptor's name (/dev/stdout, /proc/self/fd/1), cannot be replaced and is written in place. */
#include "io/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif

/* --- Errors --- */

static moc_status fail_io(moc_error *error, const char *verb, const char *path, int number) {
  char reason[128];
  if (strerror_r(number, reason, sizeof reason) != 0) snprintf(reason, sizeof reason, "error %d", number);
  return moc__fail(error, MOC_IO, "", "cannot %s %s: %s", verb, path, reason);
}

/* --- Reading --- */

typedef struct buffer {
  moc_allocator allocator;
  char *data; /* [capacity] */
  int64_t length;
  int64_t capacity;
} buffer;

static bool reserve(buffer *to, int64_t capacity) {
  char *grown = moc__resize(&to->allocator, to->data, capacity, 1);
  if (grown == NULL) return false;
  to->data = grown;
  to->capacity = capacity;
  return true;
}

static moc_status fail_size(moc_error *error, const char *name) {
  return moc__fail(error, MOC_LIMIT, "", "%s is larger than %lld bytes, the most that is read", name,
                   (long long)MOC_MAX_FILE_BYTES);
}

static moc_status read_all(int file, const char *name, buffer *to, moc_error *error) {
  struct stat about;
  if (fstat(file, &about) != 0) return fail_io(error, "read", name, errno);
  if (S_ISDIR(about.st_mode))
    return moc__fail(error, MOC_IO, "", "cannot read %s: it is a directory, not a file", name);
  int64_t expected = 0;
  if (S_ISREG(about.st_mode)) expected = (int64_t)about.st_size;
  if (expected > MOC_MAX_FILE_BYTES) return fail_size(error, name);
  /* two more: one for the NUL, one so that the end of the file shows without growing */
  if (!reserve(to, moc__max(expected, 65534) + 2)) return moc__out_of_memory(error);
  for (;;) {
    if (to->length == to->capacity - 1) {
      if (to->length > MOC_MAX_FILE_BYTES) return fail_size(error, name);
      if (!reserve(to, moc__min(to->capacity * 2, MOC_MAX_FILE_BYTES + 2))) return moc__out_of_memory(error);
    }
    ssize_t got = read(file, to->data + to->length, (size_t)(to->capacity - 1 - to->length));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_io(error, "read", name, errno);
    if (got == 0) break;
    to->length += got;
  }
  if (to->length > MOC_MAX_FILE_BYTES) return fail_size(error, name);
  to->data[to->length] = '\0';
  return MOC_OK;
}

moc_status moc_read_file(const char *path, const moc_allocator *allocator, char **text, size_t *length,
                         moc_error *error) {
  if (path == NULL || text == NULL || length == NULL) {
    return moc__fail(error, MOC_INVALID_ARGUMENT, "", "path, text and length must not be NULL");
  }
  bool standard_input = strcmp(path, "-") == 0;
  const char *name = standard_input ? "standard input" : path;
  int file = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return fail_io(error, "read", name, errno);
  buffer content = {.allocator = moc__allocator_or_default(allocator)};
  moc_status status = read_all(file, name, &content, error);
  if (!standard_input) (void)close(file);
  if (status != MOC_OK) {
    moc__release(&content.allocator, content.data);
    return status;
  }
  *text = content.data;
  *length = (size_t)content.length;
  return MOC_OK;
}

/* --- Writing --- */

/* Write all of it; 0 or an errno. */
static int write_all(int file, const char *text, size_t length) {
  while (length > 0) {
    ssize_t put = write(file, text, length);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno;
    text += put;
    length -= (size_t)put;
  }
  return 0;
}

static bool starts_with(const char *text, const char *start) {
  return strncmp(text, start, strlen(start)) == 0;
}

static bool names_descriptor(const char *path) {
  return starts_with(path, "/proc/") || starts_with(path, "/dev/fd/");
}

/* Follow links from `path` to what they point to in the end, which need not exist. *in_place: it is reached through
 * the name of a file descriptor. 0 or an errno. */
static int follow_links(const char *path, char target[PATH_MAX], bool *in_place) {
  *in_place = false;
  size_t given = strlen(path);
  if (given >= PATH_MAX) return ENAMETOOLONG;
  memcpy(target, path, given + 1);
  for (int links = 0; links < 40; links++) {
    struct stat about;
    if (names_descriptor(target)) *in_place = true;
    if (*in_place || lstat(target, &about) != 0 || !S_ISLNK(about.st_mode)) return 0; /* errors show when writing */
    char next[PATH_MAX];
    ssize_t length = readlink(target, next, sizeof next - 1);
    if (length < 0) return errno;
    next[length] = '\0';
    const char *slash = strrchr(target, '/');
    size_t folder = next[0] == '/' || slash == NULL ? 0 : (size_t)(slash - target) + 1;
    if (folder + (size_t)length >= PATH_MAX) return ENAMETOOLONG;
    memcpy(target + folder, next, (size_t)length + 1);
  }
  return ELOOP;
}

static moc_status write_in_place(const char *path, const char *text, size_t length, moc_error *error) {
  int file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);
  if (file < 0) return fail_io(error, "write", path, errno);
  int failure = write_all(file, text, length);
  if (close(file) != 0 && failure == 0) failure = errno;
  return failure == 0 ? MOC_OK : fail_io(error, "write", path, failure);
}

/* Make a new file beside `target`, its name in `name`. The file descriptor, or -1 with errno set. */
static int open_beside(const char *target, char name[PATH_MAX + 40]) {
  const char *slash = strrchr(target, '/');
  int folder = slash == NULL ? 0 : (int)(slash - target) + 1;
  for (unsigned attempt = 0; attempt < 100; attempt++) {
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    unsigned long salt = (unsigned long)now.tv_nsec * 100 + attempt;
    snprintf(name, PATH_MAX + 40, "%.*s.moccasin-%lx-%lx", folder, target, (unsigned long)getpid(), salt);
    int file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file >= 0 || errno != EEXIST) return file;
  }
  return -1;
}

/* Make a rename last through a power failure, as far as the system lets us. */
static void sync_folder(const char *target) {
  char folder[PATH_MAX + 1];
  const char *slash = strrchr(target, '/');
  size_t length = slash == NULL ? 0 : (size_t)(slash - target) + 1;
  memcpy(folder, target, length);
  memcpy(folder + length, ".", 2);
  int file = open(folder, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  (void)fsync(file);
  (void)close(file);
}

/* Write a file beside `target` and rename it. `before`: the target as it is, NULL when there is none. */
static moc_status replace(const char *path, const char *target, const struct stat *before, const char *text,
                          size_t length, moc_error *error) {
  char beside[PATH_MAX + 40];
  if (strlen(target) >= PATH_MAX - 2) return fail_io(error, "write", path, ENAMETOOLONG);
  if (before != NULL && access(target, W_OK) != 0) return fail_io(error, "write", path, errno);
  int file = open_beside(target, beside);
  if (file < 0) return fail_io(error, "write", path, errno);
  int failure = write_all(file, text, length);
  if (failure == 0 && before != NULL && fchmod(file, before->st_mode & 0777) != 0) failure = errno;
  if (failure == 0 && fsync(file) != 0 && errno != EINVAL && errno != ENOTSUP) failure = errno;
  if (close(file) != 0 && failure == 0) failure = errno;
  if (failure == 0 && rename(beside, target) != 0) failure = errno;
  if (failure != 0) {
    (void)unlink(beside);
    return fail_io(error, "write", path, failure);
  }
  sync_folder(target);
  return MOC_OK;
}

moc_status moc_write_file(const char *path, const char *text, size_t length, moc_error *error) {
  if (path == NULL || (text == NULL && length > 0)) {
    return moc__fail(error, MOC_INVALID_ARGUMENT, "", "path and text must not be NULL");
  }
  char target[PATH_MAX];
  struct stat about;
  bool in_place, exists = stat(path, &about) == 0;
  if (exists && S_ISDIR(about.st_mode)) {
    return moc__fail(error, MOC_IO, "", "cannot write %s: it is a directory; expected the name of a file", path);
  }
  if (exists && !S_ISREG(about.st_mode)) return write_in_place(path, text, length, error);
  int failure = follow_links(path, target, &in_place);
  if (failure != 0) return fail_io(error, "write", path, failure);
  if (in_place) return write_in_place(path, text, length, error);
  return replace(path, target, exists ? &about : NULL, text, length, error);
}
