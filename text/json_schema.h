/* JSON Schema (draft 2020-12, and the older words that are still met) as a language of JSON texts.
 *
 * Members come in the order of `properties`, those that are not named there last. What a language cannot hold (if, not, contains, ...) is
 * an error when strict; otherwise the schema applies without it and it is named in `unenforced`, a line "POINTER KEYWORD" each.
 * docs/schema.md lists the keywords. */
#ifndef TEXT_JSON_SCHEMA_H
#define TEXT_JSON_SCHEMA_H

#include <jansson.h>

#include "base/buf.h"
#include "text/automaton.h"

enum { JSON_SCHEMA_DEPTH_MAX = 64 };

/* An expression that is still to be sealed. STATUS_INVALID: the schema is wrong, error->path points to where; STATUS_UNSUPPORTED: strict,
 * and a keyword cannot be held to; STATUS_LIMIT, STATUS_NO_MEMORY. */
enum status json_schema_language(struct automaton *a, const json_t *schema, bool strict, struct buf *unenforced, uint32_t *out,
                                 struct error *error) must_check;

#endif
