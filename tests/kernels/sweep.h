/* What the kernel sweeps share: a table per instruction set of this machine, launches with a poisoned workspace, random numbers. */
#ifndef TESTS_KERNELS_SWEEP_H
#define TESTS_KERNELS_SWEEP_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "kernels/ops.h"
#include "kernels/thread_pool.h"
#include "tests/support.h"

/* The tables of this machine under exact numerics; ref is the last. Returns how many. */
static inline unsigned sweep_tables(const struct ops *out[8])
{
    const char *names[8];
    struct error e;
    unsigned n = ops_cpu_list(names);
    for (unsigned i = 0; i < n; i++)
        support_ok(ops_cpu(names[i], NUMERICS_EXACT, &out[i], &e), &e);
    return n;
}

static inline float sweep_noise(struct rng *rng)
{
    return (float)(rng_next_unit(rng) * 2 - 1);
}

static inline float *sweep_floats(struct rng *rng, size_t n)
{
    float *x = malloc((n + 1) * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++)
        x[i] = sweep_noise(rng);
    return x;
}

/* A launch whose workspace holds rubbish. */
static inline struct launch sweep_launch(const struct ops *ops, struct thread_pool *pool, const struct ops_limits *limits)
{
    struct launch launch = {.pool = pool, .workspace_bytes = ops->workspace_bytes(limits, thread_pool_size(pool))};
    launch.workspace = mem_alloc_aligned(64, launch.workspace_bytes + 64);
    assert_non_null(launch.workspace);
    memset(launch.workspace, 0xFF, launch.workspace_bytes);
    return launch;
}

/* Fails unless |found - expected| <= limit, NaN included. */
static inline void sweep_close(double found, double expected, double limit, const char *op, const char *table, const char *shape)
{
    if (!(fabs(found - expected) <= limit))
        fail_msg("%s of %s, %s: found %.9g, expected %.9g, allowed %.3g", op, table, shape, found, expected, limit);
}

#endif
