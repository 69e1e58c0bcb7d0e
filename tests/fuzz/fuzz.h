/* What fuzz targets share. A target defines LLVMFuzzerTestOneInput; libFuzzer or replay.c has the main function. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* End the run when a property does not hold. */
#define REQUIRE(condition, message)                                                                                \
  do {                                                                                                             \
    if (!(condition)) {                                                                                            \
      fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition, (message));                               \
      abort();                                                                                                     \
    }                                                                                                              \
  } while (0)

#endif
