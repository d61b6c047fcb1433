/* The report that a request may ask for: where its tokens and its time went, and what acted on it. */
#ifndef SERVER_REPORT_H
#define SERVER_REPORT_H

#include "server/generation.h"

/* Before a chat's prompt is sent: remembers it, and where it parts from those before it. */
void report_note_prompt(struct exchange *exchange, struct request *request, const struct chat_input *input, const struct chat_prompt *chat,
                        const struct request_prompt *prompt);

/* Appends the key and the object. */
void report_emit(struct emit_json *json, const struct generation *g);

/* Whether a text is a price: empty, or a number that is not negative. */
bool report_is_price(const char *text);

#endif
