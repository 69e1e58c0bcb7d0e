/* Plans and sweeps as pictures and pages. Each makes one self-contained document, without scripts, to *text [*length],
 * NUL-terminated besides, from `allocator`; release it there (free() for NULL). OUT_OF_MEMORY, and what is said below. */
#ifndef MOC_REPORT_REPORT_H
#define MOC_REPORT_REPORT_H

#include "report/sweep.h"

/* SVG: memory over the schedule, before (the input order) and after (the plan), against the budget.
 * INVALID_ARGUMENT: a plan without sequence. */
MOC_MUST_CHECK moc_status moc__plan_svg(const moc_graph *graph, const moc_plan *plan,
                                        const moc_allocator *allocator, char **text, size_t *length,
                                        moc_error *error);
/* HTML: that picture, the plan's figures, and what it computes again. INVALID_ARGUMENT: a plan without sequence. */
MOC_MUST_CHECK moc_status moc__plan_html(const moc_graph *graph, const moc_plan *plan,
                                         const moc_allocator *allocator, char **text, size_t *length,
                                         moc_error *error);

/* SVG: total duration increase and its lower bound over the budget. */
MOC_MUST_CHECK moc_status moc__sweep_svg(const moc__sweep *sweep, const moc_allocator *allocator, char **text,
                                         size_t *length, moc_error *error);
/* HTML: that picture, and a table of the points. */
MOC_MUST_CHECK moc_status moc__sweep_html(const moc__sweep *sweep, const moc_allocator *allocator, char **text,
                                          size_t *length, moc_error *error);
/* Comma-separated values, a line for each point, with a header (docs/formats.md). */
MOC_MUST_CHECK moc_status moc__sweep_csv(const moc__sweep *sweep, const moc_allocator *allocator, char **text,
                                         size_t *length, moc_error *error);

#endif
