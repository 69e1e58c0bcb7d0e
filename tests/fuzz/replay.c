/* Runs a fuzz target over files, for builds without libFuzzer: replay_NAME FILE-OR-FOLDER... */
#include "fuzz.h"

#include <dirent.h>
#include <sys/stat.h>

static int replay_file(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    perror(path);
    return 1;
  }
  uint8_t *data = NULL;
  size_t size = 0, got = 0;
  do { /* one block of exactly the size read, so that sanitizers see a step past the end */
    uint8_t part[4096];
    got = fread(part, 1, sizeof part, file);
    uint8_t *grown = realloc(data, size + got + (size + got == 0));
    if (grown == NULL) abort();
    data = grown;
    for (size_t i = 0; i < got; i++) data[size + i] = part[i];
    size += got;
  } while (got > 0);
  (void)fclose(file);
  (void)LLVMFuzzerTestOneInput(data, size);
  free(data);
  return 0;
}

static int replay(const char *path, int *count) {
  struct stat about;
  if (stat(path, &about) != 0) {
    perror(path);
    return 1;
  }
  if (!S_ISDIR(about.st_mode)) {
    ++*count;
    return replay_file(path);
  }
  DIR *folder = opendir(path);
  if (folder == NULL) {
    perror(path);
    return 1;
  }
  int failures = 0;
  for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
    char inner[4096];
    if (entry->d_name[0] == '.') continue;
    int length = snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
    if (length > 0 && length < (int)sizeof inner) failures += replay(inner, count);
  }
  (void)closedir(folder);
  return failures;
}

int main(int argc, char **argv) {
  int failures = 0, count = 0;
  for (int i = 1; i < argc; i++) failures += replay(argv[i], &count);
  printf("%d inputs\n", count);
  return failures != 0 || count == 0;
}
