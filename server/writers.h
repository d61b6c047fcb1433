/* What chat and completion replies look like. */
#ifndef SERVER_WRITERS_H
#define SERVER_WRITERS_H

#include "server/generation.h"

extern const struct generation_writer writers_chat;
extern const struct generation_writer writers_completion;

/* A token as a log-probability entry names it: its text with U+FFFD for bad bytes, or "token_id:N". */
void writers_emit_token(struct emit_json *json, const struct generation *g, uint32_t token);

/* Never positive, and -9999 for minus infinity. */
double writers_logprob(float logprob);

#endif
