/* Seconds on a clock that never goes back. */
#ifndef MOC_BASE_CLOCK_H
#define MOC_BASE_CLOCK_H

#include <time.h>

static inline double moc__seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#endif
