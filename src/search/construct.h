/* A schedule within a budget, built in one pass: an executor that follows an order, or another schedule, with only so much memory.
 *
 * Before each operation it brings back what that reads and is gone, by a search (recall.h) or recursively, and whenever memory is short drops
 * the tensor that is large, needed late and cheap to compute again. Its schedule is any sequence, not a staged one: see
 * split.h for what makes it one. It is a start, far from short. */
#ifndef MOC_SEARCH_CONSTRUCT_H
#define MOC_SEARCH_CONSTRUCT_H

#include "base/rng.h"
#include "model/staged.h"

typedef struct moc__construct_options {
  int64_t budget;       /* bytes */
  int32_t max_computes; /* of one operation */
  int64_t most_steps;   /* of the sequence; more is a failure */
  const int32_t *guide; /* [length] numbers to compute in turn; NULL: all, ascending */
  int32_t length;
  int64_t most_effort; /* operations looked at; more is a failure; 0: no limit */
  int64_t most_sets;   /* of a search for a way to bring back what an operation reads (recall.h); 0: none */
  bool replays;        /* the guide is a schedule: what it does not need again goes first */
  bool foresees; /* what it takes to compute a tensor again is judged as things will be then, else as they are */
  double noise;  /* how far choices are blurred, 0: not at all */
  uint64_t seed, stream;
  bool (*stop)(void *); /* asked now and then with `context`; may be NULL */
  void *context;
} moc__construct_options;

typedef struct moc__constructed {
  int32_t *sequence; /* [length] numbers of the staged model, every one at least once; the caller releases it */
  int64_t length;    /* 0: the executor got stuck */
  int64_t peak;      /* bytes it never passed, at most the budget */
  int64_t extra;     /* duration of the recomputations */
  int64_t effort;    /* operations looked at for it */
  int32_t stuck_at;  /* the step of the guide at which it did, or its length */
} moc__constructed;

/* Build one. The guide has every number but pauses, each after what it reads. OUT_OF_MEMORY. Getting stuck is no error. Each step
 * costs about the tensors compared for an eviction times a bounded look around them. */
moc_status moc__construct(const moc__staged *staged, const moc__construct_options *options,
                          const moc_allocator *allocator, moc__constructed *built, moc_error *error);

#endif
