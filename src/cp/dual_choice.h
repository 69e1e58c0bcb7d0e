/* What the files of the search's bound share; see dual.h. */
#ifndef MOC_CP_DUAL_CHOICE_H
#define MOC_CP_DUAL_CHOICE_H

#include "cp/dual.h"

enum { MOC__MOST_SPANS = 64 };             /* of one operation whose literals limit its choice */
#define MOC__IMPOSSIBLE (INT64_C(1) << 61) /* what an operation without any choice loses */

/* What literals say of an operation's starts; spans by index. */
typedef struct moc__limits {
  uint64_t hit, missed; /* spans with a start, without */
  bool some, none;      /* there is a start, there is none */
} moc__limits;

/* An operation with intervals. */
typedef struct moc__choice {
  int32_t place;
  int32_t n_spans;
  int64_t cells;          /* its first cell in value[], spans[] */
  moc__limits now, fixed; /* by the literals as they are; by those of level 0 */
  moc__limits needed;     /* what the earnings rest on, if `needed_in` is this call */
  int64_t needed_in;
  int64_t earns; /* at present, less the durations */
  int64_t gain;  /* sum of what its intervals earn, as far as that is positive */
} moc__choice;

/* What an operation's literals are worth to the bound. */
typedef struct moc__loss {
  int64_t loses;
  int64_t choice;
} moc__loss;

struct moc__dual {
  moc__model *model;
  moc__retain *retain;
  moc_allocator allocator;
  /* Refinements and crossings of the model, supports of the relaxation when the arrays were made */
  int64_t built_for, built_window, built_supports;
  moc__choice *choices; /* [n_choices] */
  int64_t n_choices;
  int64_t *value;   /* of each cell: what a start there earns, in units of 2^-shift */
  uint64_t *spans;  /* of each cell: the spans that contain it */
  int64_t *earning; /* [retain->n_flat] of each interval */
  int64_t *from;    /* [most cells] work space of a choice of many */
  int64_t *step;
  uint64_t *seen;
  int32_t *before;
  moc__loss *losses; /* [n_losses] ascending */
  int64_t n_losses;
  bool (*stop)(void *);
  void *stop_context;
  bool fixes;
  int32_t node_rounds;
  int64_t calls, work, last_separation;
  int64_t cells;    /* looked at for choices of many */
  int64_t fixed_at; /* literals at level 0 then */
  int shift;        /* of bound and earnings: small enough for 64 bits */
  int weight_shift; /* of multipliers, on top of that */
  int64_t unit;     /* all durations are multiples of it */
  moc__wide bound;
  moc__wide base; /* durations of starts that are no choice's; the layout is made at level 0 */
};

/* The best earnings within limits; `pick`: leave the cells in the operation's picked[]. */
int64_t moc__choice_earns(moc__dual *dual, moc__choice *choice, moc__limits limits, bool pick);

/* With bound > cap: put the literals it rests on into the engine's conflict. */
void moc__dual_explain(moc__dual *dual, moc__wide cap);
/* Imply literals whose contrary would push the bound past the cap. */
void moc__dual_fix(moc__dual *dual, moc__wide cap);

#endif
