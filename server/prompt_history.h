/* The prompts of late, so that a reply can say why the cache did not hold more of its own. Any thread. */
#ifndef SERVER_PROMPT_HISTORY_H
#define SERVER_PROMPT_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { PROMPT_HISTORY_GROUP_BYTES = 32 };

struct prompt_history;

enum status prompt_history_create(struct prompt_history **out, size_t bytes_max, struct error *error) must_check;
void prompt_history_free(struct prompt_history *history);

/* Tokens that a prompt has in common with the beginning of an earlier one: the most, of the same partition, and of others of the same
 * key. Other keys are not looked at: what they asked is nobody's business. */
struct prompt_history_match {
    uint32_t same, other;
};

/* Compares with what was seen, then remembers this one. Without memory it is forgotten. */
void prompt_history_visit(struct prompt_history *history, uint32_t key_index, const uint8_t partition[PROMPT_HISTORY_GROUP_BYTES],
                          const uint32_t *ids, uint32_t n_ids, struct prompt_history_match *out);

#endif
