/* How much memory every place of an order needs, under range additions, with the excess over a budget kept up to date.
 *
 * The inner loop of the search. Up to MOC__FLAT_PLACES places are one flat array of 32-bit levels; longer profiles are
 * cut into blocks of a power of two places, of which only the highest level is in that array: a range costs at most
 * that many vector lanes plus two partly covered blocks, whatever n is. Beyond 2 * MOC__FLAT_PLACES places there are at most
 * MOC__FEW_BLOCKS: ranges are faster, and what counts of stages close to one another is the worst of them alone, which was
 * measured to lead to shorter plans there. The excess is the sum over blocks (places, in
 * a flat profile) of their highest level's units above the budget, times a weight of each: 0 exactly when no place is over it.
 * Weights follow where it is hard to be within budget. */
#ifndef MOC_SEARCH_PROFILE_H
#define MOC_SEARCH_PROFILE_H

#include "base/base.h"

enum {
  MOC__FLAT_PLACES = 4096,
  MOC__FEW_BLOCKS = 1024,
  MOC__WEIGHT = 64, /* of a block at first, the least and the most */
  MOC__LEAST_WEIGHT = 4,
  MOC__MOST_WEIGHT = 512
};

typedef struct moc__profile {
  moc_allocator allocator;
  int32_t n;      /* places */
  int shift;      /* a block has 2^shift places */
  int32_t blocks; /* the last may be shorter */
  int32_t budget;
  int64_t excess;
  int32_t *peak;    /* [blocks] highest level of each */
  uint16_t *weight; /* [blocks] of a unit over budget */
  int32_t *level;   /* [n] less the block's offset; NULL in a flat profile, where peak is the level */
  int32_t *offset;  /* [blocks] NULL in a flat profile */
} moc__profile;

/* Levels of 0 everywhere. `n` >= 1. False when memory is out. */
bool moc__profile_init(moc__profile *profile, int32_t n, int32_t budget, const moc_allocator *allocator);
void moc__profile_release(moc__profile *profile);

/* Add `units` to the levels of places first..last; nothing when first > last. Levels must stay within +-2^30. */
void moc__profile_add(moc__profile *profile, int32_t first, int32_t last, int32_t units);

/* How the excess would fall if places first..last held `units` less, and rise if they held as much more. Blocks that
 * the range covers in part count whole: an estimate, exact in a flat profile. */
int64_t moc__profile_relief(const moc__profile *profile, int32_t first, int32_t last, int32_t units);
int64_t moc__profile_burden(const moc__profile *profile, int32_t first, int32_t last, int32_t units);

/* Take the level at place `from` out and put it in again at place `to`; those between close up. In a flat profile weights go with
 * levels. */
void moc__profile_move(moc__profile *profile, int32_t from, int32_t to);

static inline int32_t moc__profile_level(const moc__profile *profile, int32_t place) {
  if (profile->shift == 0) return profile->peak[place];
  return profile->level[place] + profile->offset[place >> profile->shift];
}

/* Change the budget. O(blocks). */
void moc__profile_set_budget(moc__profile *profile, int32_t budget);

/* Weigh what is over budget now by one part in 2^up more, all else by one in 2^down less, rounded up. So what is over budget often comes to
 * weigh much, and what seldom is little. O(blocks). */
void moc__profile_weigh(moc__profile *profile, int up, int down);

/* Give all blocks the first weight again. What the mean of them was, in parts of it. O(blocks). */
double moc__profile_even(moc__profile *profile);

/* The highest level. */
int32_t moc__profile_peak(const moc__profile *profile);

/* A place over budget: about the first from `place` on, or from the first of all when there is none up to the last. -1
 * when there is none at all. */
int32_t moc__profile_next_over(const moc__profile *profile, int32_t place);

#endif
