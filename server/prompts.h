/* Prompts that are no chat: a text, a list of ids, or a list of either. */
#ifndef SERVER_PROMPTS_H
#define SERVER_PROMPTS_H

#include "server/request.h"

struct prompts_source {
    struct str text;   /* of the arena */
    const json_t *ids; /* or these, lent by the tree */
};

struct prompts {
    struct prompts_source *items; /* of the arena */
    uint32_t n;
};

/* The field `key`, which must be there. */
void prompts_read(struct fields *fields, struct arena *arena, const json_t *root, const char *key, struct prompts *out);

/* Ids as they were sent, each below the vocabulary, fewer than the context. Errors name `key`. */
enum status prompts_ids(struct exchange *exchange, const json_t *list, const char *key, const struct request_limits *limits,
                        struct request_prompt *out, struct error *error) must_check;

#endif
