/* The cost model: see the header, and examples/graphs/README.md for its table. */
#include "generate/cost_model.h"

#include "base/base.h"

int64_t moc__cost_times(int64_t a, int64_t b) {
  return b != 0 && a > MOC_MAX_TOTAL / b ? MOC_MAX_TOTAL : a * b;
}

int64_t moc__cost_plus(int64_t a, int64_t b) {
  return a > MOC_MAX_TOTAL - b ? MOC_MAX_TOTAL : a + b;
}

static int64_t divide_up(int64_t a, int64_t b) {
  return a / b + (a % b != 0);
}

int64_t moc__cost_duration(int64_t element_bytes, int64_t flops, int64_t bytes_moved) {
  int64_t rate = element_bytes == 2 ? MOC__FLOPS_PER_NS_2_BYTES : MOC__FLOPS_PER_NS_4_BYTES;
  int64_t arithmetic = divide_up(flops, rate), traffic = divide_up(bytes_moved, MOC__BYTES_PER_NS);
  return moc__max(1, moc__max(arithmetic, traffic));
}

int64_t moc__cost_lowering(int64_t element_bytes, int64_t taps, int64_t positions) {
  return moc__min(MOC__MAX_LOWERING_BYTES, moc__cost_times(element_bytes, moc__cost_times(taps, positions)));
}
