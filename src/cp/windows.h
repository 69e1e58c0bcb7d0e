/* The constraint program as an exact neighbourhood of the best plan (large-neighbourhood search).
 *
 * A window releases some of the operations that the best plan computes again. Those that it computes once are free if they may
 * help where memory is short without what was released: they have an output that is held there between two uses, or are
 * inputs, gone by then, of one that has. All others keep their starts. The program is asked for a strictly shorter plan within
 * the window, with limited work; what it finds becomes the best plan, and the search goes on from there until there is
 * nothing shorter. What is released together:
 *
 *     stages   operations that start again in neighbouring stages
 *     peak     those whose starts close a gap around a step of much memory
 *     chain    those near one another in the graph: producers, consumers, consumers of one tensor
 *     random   any
 *
 * Kinds and efforts are drawn by what they found lately for their cost. How many operations are released then grows when a window was searched to its end
 * and shrinks when the work ran out. The bound of the search (dual.h) makes windows large: it is computed for what a
 * window leaves of the relaxation, and with the other starts fixed it comes close to the best plan.
 *
 * A refuted window proves nothing but itself: no bound is told to anybody, and what was derived within it is forgotten.
 * Constraints and what follows from them alone stay, for other windows and for proofs.
 *
 * Sources: Shaw (large-neighbourhood search); Laborie and Godard (self-adapting neighbourhoods). */
#ifndef MOC_CP_WINDOWS_H
#define MOC_CP_WINDOWS_H

#include "cp/dual.h"
#include "search/incumbent.h"
#include "search/pool.h"

typedef enum moc__window_kind {
  MOC__STAGES,
  MOC__PEAK,
  MOC__CHAIN,
  MOC__RANDOM,
  MOC__WINDOW_KINDS
} moc__window_kind;

enum { MOC__WINDOW_EFFORT = 300000, MOC__WINDOW_HELPERS = 12 };

/* A kind with all the effort (level 0) or a third of it: small windows suit some graphs, large ones others; and with a third, but
 * without the bound, which costs most of the time where many computations are allowed. */
enum { MOC__WINDOW_LEVELS = 3, MOC__WINDOW_WAYS = MOC__WINDOW_LEVELS * MOC__WINDOW_KINDS };

typedef struct moc__window_way {
  double size;  /* operations to release */
  double yield; /* shorter plans a window, smoothed */
} moc__window_way;

/* An operation that is computed once, and how much it may help. */
typedef struct moc__helper {
  double score;
  int32_t place;
} moc__helper;

typedef struct moc__windows {
  moc_allocator allocator;
  moc__model *model;
  moc__dual *dual;     /* of the whole model; NULL: windows are searched without a bound */
  moc__retain *retain; /* with it */
  moc__incumbent *incumbent;
  moc__pool *pool; /* or NULL */
  moc__rng rng;
  moc__window_way ways[MOC__WINDOW_WAYS]; /* kind + MOC__WINDOW_KINDS * level */
  int64_t effort;                         /* most work on a window, in about microseconds: MOC__WINDOW_EFFORT */
  unsigned kinds;                         /* a bit for each that is used: all of them */
  int64_t helpers_each; /* operations computed once that are free, for each one released: MOC__WINDOW_HELPERS */
  int64_t work;         /* on bounds of windows so far */
  int64_t tried, improved, exhausted; /* windows so far */
  bool complete;                      /* the last window was everything, and was exhausted */

  /* The best plan, and the window around it. */
  int32_t *order;   /* [n] */
  moc__pair *pairs; /* [n_pairs] by place */
  int64_t n_pairs, capacity;
  int64_t extra;
  int32_t *place; /* [n_places] what is computed again */
  int32_t n_places;
  moc__window window;
  moc__pair *rest; /* [rest_capacity] pairs that are not released */
  int64_t rest_capacity;
  int32_t *over;             /* [n + 1] how many stages before each are over budget with those alone */
  moc__helper *helpers;      /* [n] scratch */
  double *score;             /* [n] of places: the least are released */
  int32_t *distance, *queue; /* [n] scratch */
} moc__windows;

/* Windows of plans in the order in which `model` is laid out; the incumbent must have no other ones. `dual` is installed
 * in the model, or both it and `retain` are NULL. All must outlive the windows. OUT_OF_MEMORY. */
moc_status moc__windows_init(moc__windows *windows, moc__model *model, moc__dual *dual, moc__retain *retain,
                             moc__incumbent *incumbent, moc__pool *pool, uint64_t seed);
void moc__windows_release(moc__windows *windows);

/* Search one window. False when that makes no sense: there is no plan, or nothing to release in it, or memory is out. The
 * model's target is another one afterwards. */
bool moc__windows_try(moc__windows *windows);

#endif
