/* The figures at the end of a reply: usage, timings. */
#ifndef SERVER_USAGE_H
#define SERVER_USAGE_H

#include "server/generation.h"

/* Sums over prompts and choices. */
struct usage_totals {
    uint64_t prompt, cached, completion, reasoning;
    uint64_t queue_ns, prefill_ns, decode_ns; /* of the prompt that took longest */
};
struct usage_totals usage_totals_of(const struct generation *g);

/* Each appends its key and object to the one that is open. */
void usage_emit(struct emit_json *json, const struct generation *g);
void usage_emit_timings(struct emit_json *json, const struct generation *g);
/* What was asked for beside usage: timings, report, the prompt's ids and log-probabilities. */
void usage_emit_extras(struct emit_json *json, const struct generation *g);

#endif
