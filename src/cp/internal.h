/* What the files of the model share. */
#ifndef MOC_CP_INTERNAL_H
#define MOC_CP_INTERNAL_H

#include "cp/model.h"

/* --- model.c: literals --- */

/* X(place, first, last), cut to stages after `place`; MOC__NO_LIT when that leaves nothing, or memory is out. */
moc__lit moc__model_span(moc__model *model, int32_t place, int32_t first, int32_t last);
/* N(place, times), MOC__NO_LIT when so many are not allowed: the literal is false. */
moc__lit moc__model_times(moc__model *model, int32_t place, int32_t times);
/* R(tensor, event). */
moc__lit moc__model_residency(moc__model *model, int64_t event, int32_t tensor);
/* The memory constraint of an event; -1 when memory is out. */
int64_t moc__model_event(moc__model *model, int32_t stage, int32_t place);

/* A clause under construction; MOC__NO_LIT is left out. */
void moc__model_begin(moc__model *model);
void moc__model_add(moc__model *model, moc__lit literal);
void moc__model_end_clause(moc__model *model);

/* The candidate's value of a variable; 0 for one made since. */
static inline int moc__leaf(const moc__model *model, int32_t variable) {
  return variable < model->leaf_vars ? model->leaf[variable] : 0;
}

/* Certain reads of a tensor by first computations: the last one before stage k, or its producer's place; the first one at
 * or after stage k, with the end of the schedule for a kept one; -1: none. */
int32_t moc__certain_before(const moc__staged *staged, int32_t tensor, int32_t k);
int32_t moc__certain_from(const moc__staged *staged, int32_t tensor, int32_t k);

/* --- piercing.c --- */

/* Choose the candidate's starts of every operation. False when a clause had to be added. */
bool moc__pierce(moc__model *model);

/* --- memory.c --- */

/* Sort pairs[] by event, fill memory[] and the peak. False when memory is out. */
bool moc__model_measure(moc__model *model);
/* Evaluate the candidate; true when it is within budget, else constraints were added (or model->stuck set). */
bool moc__model_evaluate(moc__model *model);

#endif
