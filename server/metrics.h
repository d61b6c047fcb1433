/* Counters, gauges and histograms of the front, written as Prometheus text. One row each; labels come from fixed sets.
 * Adding: a row below, `make docs`. Any thread may add; nothing locks. */
#ifndef SERVER_METRICS_H
#define SERVER_METRICS_H

#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"

struct metrics;
struct front_state;

enum metrics_counter {
    METRICS_PROMPT_TOKENS,
    METRICS_GENERATION_TOKENS,
    METRICS_CACHED_PROMPT_TOKENS,
    METRICS_ABORTED,            /* clients that left before their reply was complete */
    METRICS_SLOW_READERS,       /* streams dropped because their client did not read */
    METRICS_REFUSED_QUEUE,
    METRICS_REFUSED_KEY,
    METRICS_ENGINE_DEATHS,
    METRICS_FRAMING_REFUSALS,
    METRICS_STALE_FRAMES,       /* engine messages of requests that are over */
    METRICS_COUNTERS
};

enum metrics_histogram {
    METRICS_TIME_TO_FIRST_TOKEN,
    METRICS_INTER_TOKEN,
    METRICS_REQUEST_TIME,
    METRICS_QUEUE_TIME,
    METRICS_PREFILL_TIME,
    METRICS_HISTOGRAMS
};

struct metrics *metrics_create(void); /* null when out of memory */
void metrics_free(struct metrics *metrics);

void metrics_add(struct metrics *metrics, enum metrics_counter counter, uint64_t n);
void metrics_observe(struct metrics *metrics, enum metrics_histogram histogram, double seconds);

/* One finished request: route row (index into routes_table, or -1 for none) and status. */
void metrics_request(struct metrics *metrics, int route, unsigned status);

/* Connections and exchanges now. */
void metrics_connections(struct metrics *metrics, int64_t delta);
void metrics_exchanges(struct metrics *metrics, int64_t delta);
int64_t metrics_exchanges_now(const struct metrics *metrics);

/* The whole page, with the engine's gauges from `state`. */
void metrics_write(const struct metrics *metrics, const struct front_state *state, struct buf *out);

/* Writes docs/metrics.md. */
void metrics_write_markdown(FILE *out);

#endif
