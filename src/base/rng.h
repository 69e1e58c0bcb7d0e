/* Seeded pseudo-random numbers: xoshiro256** of Blackman and Vigna (2018), seeded by splitmix64. The same seed
 * gives the same numbers on every machine. Not for cryptography. */
#ifndef MOC_BASE_RNG_H
#define MOC_BASE_RNG_H

#include <stdint.h>

typedef struct moc__rng {
  uint64_t s[4];
} moc__rng;

static inline uint64_t moc__splitmix64(uint64_t *state) {
  uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

/* Streams of one seed are independent of one another. */
static inline void moc__rng_init(moc__rng *rng, uint64_t seed, uint64_t stream) {
  uint64_t state = seed ^ (stream * UINT64_C(0xd1342543de82ef95));
  for (int i = 0; i < 4; i++) rng->s[i] = moc__splitmix64(&state);
}

static inline uint64_t moc__rotate_left(uint64_t x, int k) {
  return (x << k) | (x >> (64 - k));
}

static inline uint64_t moc__rng_next(moc__rng *rng) {
  uint64_t *s = rng->s;
  uint64_t result = moc__rotate_left(s[1] * 5, 7) * 9;
  uint64_t t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = moc__rotate_left(s[3], 45);
  return result;
}

/* Uniform in [0, n), n > 0 and below 2^32 (Lemire's multiplication; the bias, below n / 2^32, is harmless here). */
static inline uint32_t moc__rng_below(moc__rng *rng, uint32_t n) {
  return (uint32_t)(((moc__rng_next(rng) >> 32) * n) >> 32);
}

/* Uniform in [0, 1). */
static inline double moc__rng_unit(moc__rng *rng) {
  return (double)(moc__rng_next(rng) >> 11) * 0x1.0p-53;
}

#endif
