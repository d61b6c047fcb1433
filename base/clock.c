/* The machine's clocks. */
#include "base/clock.h"

#include <stddef.h>
#include <time.h>

static uint64_t real_now_ns(void *self)
{
    (void)self;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

const struct clock *clock_real(void)
{
    static const struct clock real = {real_now_ns, NULL};
    return &real;
}

int64_t clock_unix_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec;
}
