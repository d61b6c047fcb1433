/* A counter-based random stream: the value is a pure function of key and counter (Salmon et al. 2011,
 * Philox-4x32-10), so that a draw never depends on what was drawn before it or beside it. */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

/* Four independent 32-bit words for this key and counter. */
void rng_philox(uint64_t key, const uint32_t counter[4], uint32_t out[4]);

/* Uniform in (0, 1): never 0, never 1. From 23 bits, so that the half added is exact in a float. */
static inline float rng_unit_open(uint32_t word)
{
    return ((float)(word >> 9) + 0.5f) * (1.0f / 8388608.0f);
}

/* A sequential stream for tests, simulation and jitter. */
struct rng {
    uint64_t key;
    uint64_t count;
};

static inline struct rng rng_seeded(uint64_t seed)
{
    return (struct rng){seed, 0};
}
uint32_t rng_next_u32(struct rng *rng);
uint64_t rng_next_u64(struct rng *rng);
uint32_t rng_below(struct rng *rng, uint32_t bound); /* uniform in [0, bound); bound > 0 */
double rng_next_unit(struct rng *rng);               /* [0, 1) */

#endif
