/* The fields of chats and completions, a row each: kind, range, what they do. The reader, the check for unknown names, the generated page
 * docs/api-fields.md and the OpenAPI document are made of the same table. */
#ifndef SERVER_REQUEST_FIELDS_H
#define SERVER_REQUEST_FIELDS_H

#include <stdio.h>

#include "base/buf.h"
#include "server/request.h"

enum request_field_kind {
    REQUEST_FIELD_BOOL,
    REQUEST_FIELD_INT,
    REQUEST_FIELD_NUMBER,
    REQUEST_FIELD_TEXT,  /* max: bytes */
    REQUEST_FIELD_OTHER, /* schema: what it may be, as JSON Schema */
};

/* Whether it does something, is taken without effect, or refused. */
enum request_field_use { REQUEST_FIELD_ACTS, REQUEST_FIELD_IGNORED, REQUEST_FIELD_REFUSED };

enum { REQUEST_FIELD_OF_CHATS = 1, REQUEST_FIELD_OF_COMPLETIONS = 2, REQUEST_FIELD_OF_BOTH = 3 };

struct request_field {
    const char *name;
    unsigned of; /* REQUEST_FIELD_OF_... */
    enum request_field_kind kind;
    enum request_field_use use;
    double min, max;
    const char *schema;
    size_t at; /* of struct request; REQUEST_FIELD_ELSEWHERE: read by code of its own */
    const char *help;
};
enum { REQUEST_FIELD_ELSEWHERE = 0xFFFFFFFF };

extern const struct request_field request_fields_table[];
extern const size_t request_fields_count;

/* Reads the rows that have a place in the request, in their order, and checks the kinds of those without effect. */
void request_fields_read(struct fields *fields, const json_t *root, struct request *request);

/* Refused fields that are there; with `unknown` also names that no row has. */
void request_fields_check_names(struct fields *fields, const json_t *root, enum request_kind kind, bool unknown);

/* Writes docs/api-fields.md. */
void request_fields_write_markdown(FILE *out);

/* The members of a JSON Schema's "properties" for one kind of request, without braces. */
void request_fields_write_schema(struct buf *out, enum request_kind kind);

#endif
