/* A plan as a picture. */
#ifndef MOC_REPORT_SVG_H
#define MOC_REPORT_SVG_H

#include <moccasin/moccasin.h>

/* Draw memory over the schedule, before (the input order) and after (the plan), against the budget, as one
 * self-contained SVG to *text [*length], NUL-terminated besides, from `allocator`; release it there (free() for NULL).
 * INVALID_ARGUMENT: a plan without sequence. */
MOC_MUST_CHECK moc_status moc__report_svg(const moc_graph *graph, const moc_plan *plan,
                                          const moc_allocator *allocator, char **text, size_t *length,
                                          moc_error *error);

#endif
