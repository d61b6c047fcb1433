/* The OpenAI Responses API: what its reader keeps for its writer. */
#ifndef SERVER_DIALECT_RESPONSES_H
#define SERVER_DIALECT_RESPONSES_H

#include "server/dialect.h"

enum { RESPONSES_ECHOES_MAX = 16 };

/* A field that the reply repeats as it was asked, or with its default: JSON text. */
struct responses_echo {
    const char *key;
    struct str json;
};

struct responses_asked {
    struct responses_echo echoes[RESPONSES_ECHOES_MAX];
    uint32_t n_echoes;
    bool wants_logprobs, wants_encrypted; /* of "include" */
    const struct str *custom;             /* names of custom tools, whose one argument is text */
    uint32_t n_custom;
};

enum status dialect_responses_read(struct dialect *d, const json_t *root);

#endif
