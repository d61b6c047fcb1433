/* The part of JSON Schema (draft 2020-12) that suites use: type, properties, required, additionalProperties (true or false), items,
 * enum, minimum, maximum, minItems, maxItems, minLength, maxLength. */
#ifndef SERVER_EVAL_SCHEMA_H
#define SERVER_EVAL_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* Refuses keywords that would be passed over in silence. */
enum status eval_schema_check(const json_t *schema, struct error *error) must_check;

/* Whether a value fits a checked schema; if not, `why` (of `size` bytes) names the keyword. */
bool eval_schema_holds(const json_t *schema, const json_t *value, char *why, size_t size);

#endif
