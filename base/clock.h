/* Monotonic time as a value that can be handed in, so that tests run on a fake clock. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct clock {
    uint64_t (*now_ns)(void *self);
    void *self;
};

static inline uint64_t clock_now_ns(const struct clock *clock)
{
    return clock->now_ns(clock->self);
}

/* The machine's monotonic clock (lives for ever). */
const struct clock *clock_real(void);

/* Unix time in seconds: for `created` fields and dates only, never for deadlines. */
int64_t clock_unix_seconds(void);

#endif
