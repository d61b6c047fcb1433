/* Between flattening a schema and building its language. */
#ifndef TEXT_JSON_SCHEMA_PARTS_H
#define TEXT_JSON_SCHEMA_PARTS_H

#include "base/arena.h"
#include "base/table.h"
#include "text/json_language.h"
#include "text/json_schema.h"

struct schemas {
    struct json_language j;
    json_t *root;        /* owned */
    json_t *made;        /* array that owns schemas made on the way */
    struct arena keys;   /* of the tables */
    struct table flat;   /* a schema's address to that of its flat form */
    struct table pairs;  /* two addresses to a schema that asks for both */
    struct table built;  /* a schema's address to its place in `languages` */
    uint32_t *languages; /* AUTOMATON_NOTHING while it is being built and nobody asked yet */
    uint8_t *states;
    uint32_t n_languages, capacity;
    bool strict;
    struct buf *unenforced;
    struct error *error;
    enum status status;
    unsigned depth;
    char path[160]; /* of the schema at hand, a JSON pointer */
};

/* Records the first failure. `keyword` may be empty. */
void json_schema_fail(struct schemas *s, enum status status, const char *keyword, const char *format, ...) printf_like(4, 5);

/* A keyword that a language cannot hold to. */
void json_schema_leave_out(struct schemas *s, const char *keyword);

/* Steps into a part; the result is given back to json_schema_leave. */
size_t json_schema_enter(struct schemas *s, const char *keyword, const char *name);
void json_schema_leave(struct schemas *s, size_t mark);

/* A table keyed by addresses: *value, or false. */
bool json_schema_find(const struct table *table, const void *x, const void *y, uint64_t *value);
void json_schema_add(struct schemas *s, struct table *table, const void *x, const void *y, uint64_t value);

/* The same schema without $ref and allOf, in words that the builder knows: `enum` for const, `pattern` and `format` as arrays,
 * `prefixItems` for items in an array, `choices` (an array of {"of": [...], "one": bool}) for anyOf and oneOf. Lent; a boolean, an
 * object, or null after a failure. */
json_t *json_schema_flatten(struct schemas *s, json_t *schema);

/* A schema that asks for both; the same one each time. Lent. */
json_t *json_schema_both(struct schemas *s, json_t *x, json_t *y);

/* A schema that is kept until the end. Takes the reference. */
json_t *json_schema_keep(struct schemas *s, json_t *made);

/* The schema of a member that is not named in `properties`. */
json_t *json_schema_of_others(json_t *flat);

/* Whether an array of strings holds a name; whether a schema has any of the keywords, a list ended by null. */
bool json_schema_has_name(const json_t *array, const char *name);
bool json_schema_has_any(const json_t *schema, const char *const *keywords);

/* Whether a name matches a pattern of patternProperties. */
bool json_schema_name_matches(struct schemas *s, const char *pattern, const char *name);

#endif
