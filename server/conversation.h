/* What was said in `seekd run`, and how to ask for more: turns, system text, sampling settings; and the request made of them. */
#ifndef SERVER_CONVERSATION_H
#define SERVER_CONVERSATION_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/status.h"

enum { CONVERSATION_TURNS_MAX = 10000, CONVERSATION_VALUE_BYTES = 32, CONVERSATION_REQUEST_MAX = 32 << 20 };

struct conversation_turn {
    bool from_user; /* else the model's */
    char *text;     /* owned */
};

struct conversation {
    char *system; /* owned; null: none */
    struct conversation_turn *turns; /* owned */
    uint32_t n_turns, capacity;
    char (*values)[CONVERSATION_VALUE_BYTES]; /* owned; by row of the settings' table, empty: left to the server */
};

enum status conversation_init(struct conversation *conversation) must_check;
void conversation_release(struct conversation *conversation);

enum status conversation_add(struct conversation *conversation, bool from_user, struct str text) must_check;
void conversation_drop_last(struct conversation *conversation);
void conversation_clear(struct conversation *conversation);
enum status conversation_set_system(struct conversation *conversation, const char *text) must_check; /* empty: none */

/* Settings by name (temperature, max_tokens, thinking, ...); an empty value or "default" leaves it to the server. */
enum status conversation_set(struct conversation *conversation, const char *name, const char *value, struct error *error) must_check;
void conversation_print_settings(const struct conversation *conversation, FILE *out);

/* Appends the JSON body of a streaming chat request. */
void conversation_write_request(const struct conversation *conversation, const char *model, struct buf *out);

/* Appends {"messages": [...]}. */
void conversation_write_messages(const struct conversation *conversation, struct buf *out);

#endif
