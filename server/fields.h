/* Typed readers of request fields over a JSON tree: kind, range and size are checked, and the first fault is kept with the field's
 * path and the code of docs/api.md. Null counts as absent. After a fault every reader does nothing. */
#ifndef SERVER_FIELDS_H
#define SERVER_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

struct fields {
    struct error *error;
    enum status status; /* of the first fault */
    char prefix[96];    /* "messages[3]." before each key, or empty */
};

void fields_init(struct fields *fields, struct error *error);

/* Faults of the caller's own finding; key may be null for the prefix itself. */
void fields_fault(struct fields *fields, const char *code, const char *key, const char *format, ...) printf_like(4, 5);

/* The member, or null where it is absent, null, or a fault was found before. */
const json_t *fields_get(const struct fields *fields, const json_t *object, const char *key);

/* Each: true when the field is there and good; *out is left alone otherwise. */
bool fields_bool(struct fields *fields, const json_t *object, const char *key, bool *out);
bool fields_int(struct fields *fields, const json_t *object, const char *key, int64_t min, int64_t max, int64_t *out);
bool fields_double(struct fields *fields, const json_t *object, const char *key, double min, double max, double *out);
/* Lends from the tree. */
bool fields_str(struct fields *fields, const json_t *object, const char *key, size_t max_bytes, struct str *out);
/* Objects and arrays, lent. */
const json_t *fields_object(struct fields *fields, const json_t *object, const char *key);
const json_t *fields_array(struct fields *fields, const json_t *object, const char *key, size_t max_items);

/* The integer of a JSON value: whole numbers, also written as floats. False for anything else. */
bool fields_as_int(const json_t *value, int64_t *out);

/* One of a list of names ended by null: its index, or -1 with a fault. */
int fields_choice(struct fields *fields, const json_t *object, const char *key, const char *const *names);

const char *fields_kind(const json_t *value); /* "a string", ... for messages */

#endif
