/* The Anthropic Messages API: what its reader keeps for its writer. */
#ifndef SERVER_DIALECT_MESSAGES_H
#define SERVER_DIALECT_MESSAGES_H

#include "server/dialect.h"

struct messages_asked {
    bool omits_thinking; /* thinking.display "omitted": blocks are there, and empty */
};

enum status dialect_messages_read(struct dialect *d, const json_t *root);

#endif
