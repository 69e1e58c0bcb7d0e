/* The other kinds of certificate that moc_verify_bound checks. */
#ifndef MOC_VERIFY_CERTIFICATES_H
#define MOC_VERIFY_CERTIFICATES_H

#include "base/base.h"

/* What the certificate of a plan, of kind MOC_CERTIFICATE_RETENTION, proves the total duration to be at least, to *bound.
 * INVALID_PLAN when it is malformed; OUT_OF_MEMORY. O(weights * tensors + shares), and sorting. */
moc_status moc__verify_retention(const moc_graph *graph, const moc_plan *plan, const moc_allocator *allocator,
                                 int64_t *bound, moc_error *error);

/* The same for the kind MOC_CERTIFICATE_ANY_ORDER. O(n (n + m) / 64 + weights * reads). */
moc_status moc__verify_any_order(const moc_graph *graph, const moc_plan *plan, const moc_allocator *allocator,
                                 int64_t *bound, moc_error *error);

#endif
