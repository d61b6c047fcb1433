/* The figures at the end of a reply: usage, timings. */
#ifndef SERVER_USAGE_H
#define SERVER_USAGE_H

#include "server/generation.h"

/* Each appends its key and object to the one that is open. */
void usage_emit(struct emit_json *json, const struct generation *g);
void usage_emit_timings(struct emit_json *json, const struct generation *g);
void usage_emit_report(struct emit_json *json, const struct generation *g);
/* What was asked for beside usage: timings, report, the prompt's ids and log-probabilities. */
void usage_emit_extras(struct emit_json *json, const struct generation *g);

#endif
