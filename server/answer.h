/* One streamed answer, from the request to the terminal. */
#ifndef SERVER_ANSWER_H
#define SERVER_ANSWER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/status.h"
#include "server/client.h"

enum { ANSWER_BYTES_MAX = 16 << 20 };

struct answer {
    bool terminal; /* standard output is one: control characters of the model are not passed on, reasoning is shown */
    bool colours;
    /* filled by answer_stream */
    struct buf text;            /* without the reasoning */
    uint64_t prompt_tokens, generated_tokens;
    double first_seconds, generation_seconds; /* until the first token; from there to the last */
};

void answer_init(struct answer *answer, bool terminal, bool colours);
void answer_release(struct answer *answer);

/* Sends the body of a chat request and prints the answer as it comes. STATUS_CANCELLED when the client's stop flag ended it: the
 * text so far is kept. */
enum status answer_stream(struct answer *answer, const struct client *client, struct str body, struct error *error) must_check;

/* Takes the message out of a reply that is an error object, or says what the status was. */
enum status answer_refusal(struct str body, unsigned http_status, struct error *error);

#endif
