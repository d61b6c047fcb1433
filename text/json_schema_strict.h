/* The rules of strict tool schemas (OpenAI, "Structured outputs", supported schemas): objects name all their members as required and have
 * no others. */
#ifndef TEXT_JSON_SCHEMA_STRICT_H
#define TEXT_JSON_SCHEMA_STRICT_H

#include <jansson.h>

#include "base/status.h"

/* Sets `additionalProperties` to false in objects that do not say. STATUS_INVALID: a member is not required, or others are allowed;
 * error->path is a JSON pointer to the object. STATUS_LIMIT: nested too deeply. */
enum status json_schema_make_strict(json_t *schema, struct error *error) must_check;

#endif
