/* JSON texts (RFC 8259) as languages: any value, given values, and what schemas build theirs from. White space stands where
 * writers of JSON put it: one blank, or a line feed and what indents the next line. */
#ifndef TEXT_JSON_LANGUAGE_H
#define TEXT_JSON_LANGUAGE_H

#include <jansson.h>

#include "text/code_points.h"

struct json_language {
    struct automaton *a; /* lent */
    uint32_t space, comma, colon;
    uint32_t characters; /* of a string, any number of them, inside the quotes */
    uint32_t value;      /* any value: a call of a rule */
    uint32_t object, array;
};

void json_language_init(struct json_language *j, struct automaton *a);

uint32_t json_language_quoted(const struct json_language *j, uint32_t inner);
uint32_t json_language_pair(const struct json_language *j, uint32_t key, uint32_t value); /* key: inside the quotes */
uint32_t json_language_braced(const struct json_language *j, char open, uint32_t inner, char close);

/* Exactly this value; members in this order. Numbers as they are usually written. */
uint32_t json_language_literal(const struct json_language *j, const json_t *value);

#endif
