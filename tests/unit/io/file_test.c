/* Whole files: read within limits, written completely or not at all. */
#include "support/allocator.h"
#include "support/test.h"

#include <moccasin/moccasin_io.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[200];

static int make_folder(void **state) {
  (void)state;
  const char *parent = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%.150s/moccasin-file-test-XXXXXX", parent == NULL ? "/tmp" : parent);
  return mkdtemp(folder) == NULL;
}

/* Empties the folder and counts what was in it. */
static int empty_folder(void) {
  int count = 0;
  DIR *stream = opendir(folder);
  assert_non_null(stream);
  for (const struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream)) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    char path[600];
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    assert_int_equal(remove(path), 0);
    count++;
  }
  closedir(stream);
  return count;
}

static int remove_folder(void **state) {
  (void)state;
  empty_folder();
  return rmdir(folder);
}

static const char *in_folder(const char *name) {
  static char paths[4][400];
  static int next;
  char *path = paths[next++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

static void write_text(const char *path, const char *text) {
  moc_error error = {0};
  CHECK_OK(moc_write_file(path, text, strlen(text), &error), error);
}

static void check_content(const char *path, const char *expected) {
  moc_error error = {0};
  char *text = NULL;
  size_t length = 0;
  test_allocator allocator;
  test_allocator_init(&allocator);
  CHECK_OK(moc_read_file(path, &allocator.allocator, &text, &length, &error), error);
  assert_int_equal(length, strlen(expected));
  assert_string_equal(text, expected);
  allocator.allocator.release(allocator.allocator.context, text);
  test_allocator_check_empty(&allocator);
}

static void write_and_read(void **state) {
  (void)state;
  const char *path = in_folder("plan.json");
  write_text(path, "first\n");
  check_content(path, "first\n");
  write_text(path, "second, longer\n");
  check_content(path, "second, longer\n");
  write_text(path, "");
  check_content(path, "");
  assert_int_equal(empty_folder(), 1); /* nothing but the file is left */
}

static void large_and_binary(void **state) {
  (void)state;
  enum { SIZE = 300000 };
  char *data = malloc(SIZE), *text = NULL;
  assert_non_null(data);
  for (int i = 0; i < SIZE; i++) data[i] = (char)(i * 7);
  moc_error error = {0};
  size_t length = 0;
  CHECK_OK(moc_write_file(in_folder("large"), data, SIZE, &error), error);
  CHECK_OK(moc_read_file(in_folder("large"), NULL, &text, &length, &error), error);
  assert_int_equal(length, SIZE);
  assert_memory_equal(text, data, SIZE);
  assert_int_equal(text[SIZE], '\0');
  free(text);
  free(data);
  assert_int_equal(empty_folder(), 1);
}

static void permissions(void **state) {
  (void)state;
  struct stat about;
  mode_t before = umask(027);
  write_text(in_folder("new"), "x");
  umask(before);
  assert_int_equal(stat(in_folder("new"), &about), 0);
  assert_int_equal(about.st_mode & 0777, 0640);
  assert_int_equal(chmod(in_folder("new"), 0604), 0);
  write_text(in_folder("new"), "y"); /* what is there keeps its own */
  assert_int_equal(stat(in_folder("new"), &about), 0);
  assert_int_equal(about.st_mode & 0777, 0604);
  assert_int_equal(empty_folder(), 1);
}

static void unreadable(void **state) {
  (void)state;
  moc_error error;
  char *text = NULL;
  size_t length = 55;
  CHECK_FAILS(moc_read_file(in_folder("missing"), NULL, &text, &length, &error), MOC_IO, error);
  CHECK_CONTAINS(error.message, "missing: No such file");
  CHECK_FAILS(moc_read_file(folder, NULL, &text, &length, &error), MOC_IO, error);
  CHECK_CONTAINS(error.message, "it is a directory");
  assert_null(text);
  assert_int_equal(length, 55);
  CHECK_FAILS(moc_read_file(NULL, NULL, &text, &length, &error), MOC_INVALID_ARGUMENT, error);
}

/* A file with a hole, larger than may be read, is refused without reading it. */
static void too_large(void **state) {
  (void)state;
  int file = open(in_folder("hole"), O_WRONLY | O_CREAT, 0600);
  assert_true(file >= 0);
  int failed = ftruncate(file, (off_t)(MOC_MAX_FILE_BYTES + 1));
  close(file);
  if (failed == 0) {
    moc_error error;
    char *text = NULL;
    size_t length = 0;
    CHECK_FAILS(moc_read_file(in_folder("hole"), NULL, &text, &length, &error), MOC_LIMIT, error);
    CHECK_CONTAINS(error.message, "larger than 2147483648 bytes");
  }
  empty_folder();
  if (failed != 0) skip();
}

static void unwritable(void **state) {
  (void)state;
  moc_error error;
  CHECK_FAILS(moc_write_file(folder, "x", 1, &error), MOC_IO, error);
  CHECK_CONTAINS(error.message, "it is a directory");
  CHECK_FAILS(moc_write_file(in_folder("no/file"), "x", 1, &error), MOC_IO, error);
  CHECK_CONTAINS(error.message, "No such file");
  CHECK_FAILS(moc_write_file("", "x", 1, &error), MOC_IO, error);
  CHECK_FAILS(moc_write_file(NULL, "x", 1, &error), MOC_INVALID_ARGUMENT, error);
  static char longer[5000];
  memset(longer, 'a', sizeof longer - 1);
  CHECK_FAILS(moc_write_file(longer, "x", 1, &error), MOC_IO, error);
  assert_int_equal(symlink("loop", in_folder("loop")), 0);
  CHECK_FAILS(moc_write_file(in_folder("loop"), "x", 1, &error), MOC_IO, error);
  assert_int_equal(empty_folder(), 1);
}

static void read_only(void **state) {
  (void)state;
  if (geteuid() == 0) skip(); /* root may write everything */
  moc_error error;
  write_text(in_folder("locked"), "old");
  assert_int_equal(chmod(in_folder("locked"), 0444), 0);
  CHECK_FAILS(moc_write_file(in_folder("locked"), "new", 3, &error), MOC_IO, error);
  check_content(in_folder("locked"), "old");
  assert_int_equal(chmod(folder, 0555), 0);
  CHECK_FAILS(moc_write_file(in_folder("fresh"), "new", 3, &error), MOC_IO, error);
  assert_int_equal(chmod(folder, 0755), 0);
  assert_int_equal(empty_folder(), 1);
}

/* A disk that runs full in the middle: the target stays as it was and nothing else is left. */
static void cut_short(void **state) {
  (void)state;
  write_text(in_folder("plan"), "old");
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    char data[8192] = {0};
    struct rlimit limit = {4096, 4096};
    moc_error error = {0};
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(9);
    moc_status status = moc_write_file(in_folder("plan"), data, sizeof data, &error);
    _exit(status == MOC_IO && strstr(error.message, "plan: File too large") != NULL ? 0 : 1);
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
  check_content(in_folder("plan"), "old");
  assert_int_equal(empty_folder(), 1);
}

static bool is_link(const char *path) {
  struct stat about;
  assert_int_equal(lstat(path, &about), 0);
  return S_ISLNK(about.st_mode);
}

static void through_links(void **state) {
  (void)state;
  write_text(in_folder("target"), "old");
  assert_int_equal(symlink("target", in_folder("inner")), 0);
  assert_int_equal(symlink(in_folder("inner"), in_folder("outer")), 0);
  write_text(in_folder("outer"), "new");
  check_content(in_folder("target"), "new");
  assert_true(is_link(in_folder("inner")));
  assert_true(is_link(in_folder("outer")));
  assert_int_equal(empty_folder(), 3);
  assert_int_equal(symlink("nowhere yet", in_folder("dangling")), 0);
  write_text(in_folder("dangling"), "made");
  check_content(in_folder("nowhere yet"), "made");
  assert_true(is_link(in_folder("dangling")));
  assert_int_equal(empty_folder(), 2);
}

static void pipes(void **state) {
  (void)state;
  moc_error error = {0};
  write_text("/dev/null", "gone");
  struct stat about;
  assert_int_equal(stat("/dev/null", &about), 0);
  assert_true(S_ISCHR(about.st_mode)); /* still the device */
  assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
  int reader = open(in_folder("fifo"), O_RDONLY | O_NONBLOCK);
  assert_true(reader >= 0);
  write_text(in_folder("fifo"), "through the pipe");
  char got[40] = "";
  assert_int_equal(read(reader, got, sizeof got - 1), 16);
  assert_string_equal(got, "through the pipe");
  close(reader);
  assert_int_equal(empty_folder(), 1);
  (void)error;
}

/* A descriptor's name is written in place, at the end, though it leads to a regular file. */
static void descriptors(void **state) {
  (void)state;
  int file = open(in_folder("out"), O_RDWR | O_CREAT, 0600);
  assert_true(file >= 0);
  assert_int_equal(write(file, "first ", 6), 6);
  char name[40];
  snprintf(name, sizeof name, "/dev/fd/%d", file);
  struct stat about;
  bool known = stat(name, &about) == 0;
  if (known) {
    write_text(name, "second");
    char got[40] = "";
    assert_int_equal(lseek(file, 0, SEEK_SET), 0);
    assert_int_equal(read(file, got, sizeof got - 1), 12);
    assert_string_equal(got, "first second");
  }
  close(file);
  empty_folder();
  if (!known) skip();
}

static void standard_input(void **state) {
  (void)state;
  int ends[2], saved = dup(STDIN_FILENO);
  assert_int_equal(pipe(ends), 0);
  assert_int_equal(write(ends[1], "from the pipe", 13), 13);
  close(ends[1]);
  assert_true(dup2(ends[0], STDIN_FILENO) >= 0);
  close(ends[0]);
  check_content("-", "from the pipe");
  if (saved >= 0) {
    assert_true(dup2(saved, STDIN_FILENO) >= 0);
    close(saved);
  }
}

static void failing_allocations(void **state) {
  (void)state;
  write_text(in_folder("file"), "content");
  test_allocator allocator;
  test_allocator_init_failing(&allocator, 1, 1);
  moc_error error;
  char *text = NULL;
  size_t length = 0;
  CHECK_FAILS(moc_read_file(in_folder("file"), &allocator.allocator, &text, &length, &error), MOC_OUT_OF_MEMORY,
              error);
  test_allocator_check_empty(&allocator);
  assert_int_equal(empty_folder(), 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(write_and_read),      cmocka_unit_test(large_and_binary),
      cmocka_unit_test(permissions),         cmocka_unit_test(unreadable),
      cmocka_unit_test(too_large),           cmocka_unit_test(unwritable),
      cmocka_unit_test(read_only),           cmocka_unit_test(cut_short),
      cmocka_unit_test(through_links),       cmocka_unit_test(pipes),
      cmocka_unit_test(descriptors),         cmocka_unit_test(standard_input),
      cmocka_unit_test(failing_allocations),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
