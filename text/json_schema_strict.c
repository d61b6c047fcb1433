/* A walk over all parts of a schema that are schemas themselves. */
#include "text/json_schema_strict.h"

#include <stdio.h>
#include <string.h>

#include "text/json_schema.h"

struct walk {
    char path[160];
    unsigned depth;
    struct error *error;
    enum status status;
};

static void visit(struct walk *w, json_t *schema);

static void fault(struct walk *w, enum status status, const char *what, const char *name)
{
    char quoted[ERROR_QUOTE_BYTES];
    if (!w->status)
        w->status = error_set_path(w->error, status, "invalid_json_schema", w->path, "%s%s", what,
                                   *name ? error_quote(quoted, name, strlen(name)) : "");
}

static void step(struct walk *w, const char *keyword, const char *name, json_t *schema)
{
    size_t mark = strlen(w->path);
    snprintf(w->path + mark, sizeof w->path - mark, "/%s%s%s", keyword, *name ? "/" : "", name);
    visit(w, schema);
    w->path[mark] = 0;
}

static bool names(const json_t *list, const char *name)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        if (json_is_string(item) && strcmp(json_string_value(item), name) == 0)
            return true;
    }
    return false;
}

static bool is_object(const json_t *schema)
{
    const json_t *type = json_object_get(schema, "type");
    return json_object_get(schema, "properties") || names(type, "object") ||
           (json_is_string(type) && !strcmp(json_string_value(type), "object"));
}

static void check_object(struct walk *w, json_t *schema)
{
    const json_t *required = json_object_get(schema, "required"), *others = json_object_get(schema, "additionalProperties");
    const char *name;
    json_t *member;
    json_object_foreach(json_object_get(schema, "properties"), name, member)
    {
        if (!names(required, name))
            fault(w, STATUS_INVALID, "strict schemas require every property; this one is not in required: ", name);
    }
    if (others && !json_is_false(others))
        fault(w, STATUS_INVALID, "strict schemas set additionalProperties to false", "");
    if (!others && json_object_set_new(schema, "additionalProperties", json_false()))
        fault(w, STATUS_NO_MEMORY, "out of memory", "");
}

static void visit_parts(struct walk *w, json_t *schema)
{
    static const char *const maps[] = {"properties", "patternProperties", "$defs", "definitions"};
    static const char *const lists[] = {"anyOf", "oneOf", "allOf", "prefixItems", "items"};
    const char *name;
    json_t *part;
    size_t at;
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++) {
        json_object_foreach(json_object_get(schema, maps[i]), name, part)
        {
            step(w, maps[i], name, part);
        }
    }
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        json_array_foreach(json_object_get(schema, lists[i]), at, part)
        {
            char number[24];
            snprintf(number, sizeof number, "%zu", at);
            step(w, lists[i], number, part);
        }
    }
    if (json_is_object(json_object_get(schema, "items")))
        step(w, "items", "", json_object_get(schema, "items"));
}

static void visit(struct walk *w, json_t *schema)
{
    if (!json_is_object(schema) || w->status)
        return;
    if (++w->depth > JSON_SCHEMA_DEPTH_MAX)
        fault(w, STATUS_LIMIT, "the schema is nested too deeply", "");
    if (!w->status && is_object(schema))
        check_object(w, schema);
    if (!w->status)
        visit_parts(w, schema);
    w->depth--;
}

enum status json_schema_make_strict(json_t *schema, struct error *error)
{
    struct walk w = {.error = error};
    visit(&w, schema);
    return w.status;
}
