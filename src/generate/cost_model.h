/* How long an operation takes on the accelerator that the generated graphs assume: a roofline.
 *
 * 100 TFLOP/s on 2-byte numbers, 50 TFLOP/s on 4-byte numbers, 2 TB/s of memory bandwidth: round figures near to
 * data-centre accelerators of the early 2020s. An operation takes the longer of its arithmetic and its memory
 * traffic, in whole nanoseconds rounded up, at least one. */
#ifndef MOC_GENERATE_COST_MODEL_H
#define MOC_GENERATE_COST_MODEL_H

#include <stdint.h>

#define MOC__FLOPS_PER_NS_2_BYTES 100000
#define MOC__FLOPS_PER_NS_4_BYTES 50000
#define MOC__BYTES_PER_NS         2000
/* Most workspace of a lowered convolution: beyond it an implementation cuts the image into strips. */
#define MOC__MAX_LOWERING_BYTES (INT64_C(64) << 20)

/* Nanoseconds. `bytes_moved`: everything read and everything written. */
int64_t moc__cost_duration(int64_t element_bytes, int64_t flops, int64_t bytes_moved);

/* Workspace of a convolution that is lowered to a matrix product one image at a time: the matrix of all
 * `positions`, each with the `taps` numbers that it reads (im2col), at most MOC__MAX_LOWERING_BYTES. */
int64_t moc__cost_lowering(int64_t element_bytes, int64_t taps, int64_t positions);

/* a * b and a + b, both at most MOC_MAX_TOTAL: a figure that reaches it is more than a graph may hold, so that
 * the builder refuses the graph as an overflow. Arguments from 0 to MOC_MAX_TOTAL. */
int64_t moc__cost_times(int64_t a, int64_t b);
int64_t moc__cost_plus(int64_t a, int64_t b);

#endif
