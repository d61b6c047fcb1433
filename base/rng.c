/* Philox-4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; SC 2011). */
#include "base/rng.h"

#include <string.h>

void rng_philox(uint64_t key, const uint32_t counter[4], uint32_t out[4])
{
    const uint32_t mul0 = 0xD2511F53u, mul1 = 0xCD9E8D57u, weyl0 = 0x9E3779B9u, weyl1 = 0xBB67AE85u;
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32), c[4];
    memcpy(c, counter, sizeof c);
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)mul0 * c[0], p1 = (uint64_t)mul1 * c[2];
        uint32_t next[4] = {(uint32_t)(p1 >> 32) ^ c[1] ^ k0, (uint32_t)p1, (uint32_t)(p0 >> 32) ^ c[3] ^ k1,
                            (uint32_t)p0};
        memcpy(c, next, sizeof c);
        k0 += weyl0;
        k1 += weyl1;
    }
    memcpy(out, c, sizeof c);
}

uint64_t rng_next_u64(struct rng *rng)
{
    uint32_t counter[4] = {(uint32_t)rng->count, (uint32_t)(rng->count >> 32), 0, 0}, out[4];
    rng->count++;
    rng_philox(rng->key, counter, out);
    return (uint64_t)out[0] << 32 | out[1];
}

uint32_t rng_next_u32(struct rng *rng)
{
    return (uint32_t)(rng_next_u64(rng) >> 32);
}

uint32_t rng_below(struct rng *rng, uint32_t bound)
{
    return (uint32_t)(((rng_next_u64(rng) >> 32) * bound) >> 32);
}

double rng_next_unit(struct rng *rng)
{
    return (double)(rng_next_u64(rng) >> 11) * (1.0 / 9007199254740992.0);
}
