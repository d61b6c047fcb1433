/* What the answer is asked to be: response_format and the fields of other servers that ask for the same. One of them at most. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "server/request.h"
#include "text/gbnf.h"
#include "text/regex.h"

static const struct {
    const char *field; /* at the top of the request, */
    const char *entry; /* and in structured_outputs */
    enum request_form form;
} sources[] = {
    {"guided_json", "json", REQUEST_FORM_SCHEMA},
    {"guided_regex", "regex", REQUEST_FORM_REGEX},
    {"guided_choice", "choice", REQUEST_FORM_CHOICE},
    {"guided_grammar", "grammar", REQUEST_FORM_GRAMMAR},
    {"json_schema", NULL, REQUEST_FORM_SCHEMA},
    {"regex", NULL, REQUEST_FORM_REGEX},
    {"ebnf", NULL, REQUEST_FORM_GRAMMAR},
    {"grammar", NULL, REQUEST_FORM_GRAMMAR},
    {NULL, "json_object", REQUEST_FORM_OBJECT},
};
enum { N_SOURCES = sizeof sources / sizeof sources[0] };

static bool begin(struct fields *f, struct request *r, enum request_form form, const char *field)
{
    if (r->form)
        fields_fault(f, "invalid_value", field, "%s asks for a form of the answer too: only one of them can be held to", r->form_field);
    r->form = form;
    r->form_field = field;
    return !f->status;
}

static void keep_text(struct fields *f, struct arena *arena, struct request *r, struct str text)
{
    r->form_text = arena_str(arena, text);
    if (!r->form_text.at && !f->status)
        f->status = error_set(f->error, STATUS_NO_MEMORY, "out of memory");
}

static void keep_json(struct fields *f, struct arena *arena, struct request *r, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    if (text && strlen(text) <= REQUEST_SCHEMA_BYTES_MAX)
        keep_text(f, arena, r, str_of(text));
    else if (text)
        fields_fault(f, "invalid_json_schema", r->form_field, "%zu bytes, at most %d", strlen(text), REQUEST_SCHEMA_BYTES_MAX);
    else if (!f->status)
        f->status = error_set(f->error, STATUS_NO_MEMORY, "out of memory");
    mem_free(text);
}

/* A schema, or its text. */
static void read_schema(struct fields *f, struct arena *arena, struct request *r, const json_t *value)
{
    json_t *parsed = NULL;
    if (json_is_string(value)) {
        parsed = json_loadb(json_string_value(value), json_string_length(value), JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        if (!parsed)
            fields_fault(f, "invalid_json_schema", r->form_field, "the text is not JSON");
        value = parsed;
    }
    if (value && !json_is_object(value) && !json_is_boolean(value))
        fields_fault(f, "invalid_json_schema", r->form_field, "expected an object or a boolean, found %s", fields_kind(value));
    else if (value)
        keep_json(f, arena, r, value);
    json_decref(parsed);
}

static void read_text(struct fields *f, struct arena *arena, struct request *r, const json_t *value)
{
    bool grammar = r->form == REQUEST_FORM_GRAMMAR;
    const char *code = grammar ? "invalid_grammar" : "invalid_regex";
    size_t max = grammar ? GBNF_BYTES_MAX : REGEX_BYTES_MAX;
    if (!json_is_string(value))
        fields_fault(f, "invalid_type", r->form_field, "expected a string, found %s", fields_kind(value));
    else if (json_string_length(value) > max)
        fields_fault(f, code, r->form_field, "%zu bytes, at most %zu", json_string_length(value), max);
    else if (grammar && !strstr(json_string_value(value), "::="))
        fields_fault(f, code, r->form_field, "expected rules in GBNF, as in root ::= \"yes\" | \"no\"");
    else
        keep_text(f, arena, r, str_from(json_string_value(value), json_string_length(value)));
}

static void read_choices(struct fields *f, struct arena *arena, struct request *r, const json_t *value)
{
    size_t n = json_array_size(value);
    if (!json_is_array(value))
        fields_fault(f, "invalid_type", r->form_field, "expected an array of strings, found %s", fields_kind(value));
    else if (n == 0)
        fields_fault(f, "empty_array", r->form_field, "there is nothing to choose from");
    else if (n > REQUEST_CHOICES_MAX)
        fields_fault(f, "array_above_max_length", r->form_field, "%zu choices, at most %d", n, REQUEST_CHOICES_MAX);
    json_t *seen = f->status ? NULL : json_object();
    for (size_t i = 0; i < n && !f->status; i++) {
        const json_t *choice = json_array_get(value, i);
        if (!json_is_string(choice))
            fields_fault(f, "invalid_type", r->form_field, "item %zu is %s, expected a string", i, fields_kind(choice));
        else if (json_object_getn(seen, json_string_value(choice), json_string_length(choice)))
            fields_fault(f, "invalid_value", r->form_field, "item %zu stands twice", i);
        else
            json_object_setn_new(seen, json_string_value(choice), json_string_length(choice), json_true());
    }
    json_decref(seen);
    if (!f->status)
        keep_json(f, arena, r, value);
}

static void read_value(struct fields *f, struct arena *arena, struct request *r, const json_t *value)
{
    switch (r->form) {
    case REQUEST_FORM_SCHEMA:
        read_schema(f, arena, r, value);
        break;
    case REQUEST_FORM_CHOICE:
        read_choices(f, arena, r, value);
        break;
    case REQUEST_FORM_REGEX:
    case REQUEST_FORM_GRAMMAR:
        read_text(f, arena, r, value);
        break;
    case REQUEST_FORM_OBJECT:
    case REQUEST_FORM_NONE:
        break;
    }
}

/* ---- response_format ------------------------------------------------------------------------------------------- */

static void check_name(struct fields *f, const json_t *object)
{
    struct str name;
    if (!fields_str(f, object, "name", (size_t)-1, &name))
        return;
    if (!request_has_name_letters(name) || name.len == 0 || name.len > REQUEST_TOOL_NAME_BYTES_MAX)
        fields_fault(f, "invalid_value", "name", "expected 1 to %d letters, digits, _ and -", REQUEST_TOOL_NAME_BYTES_MAX);
}

static void read_format_schema(struct fields *f, struct arena *arena, const json_t *format, struct request *r)
{
    const json_t *object = fields_object(f, format, "json_schema");
    struct str description;
    if (!object) {
        fields_fault(f, "missing_required_parameter", "json_schema", "expected an object with name and schema");
        return;
    }
    snprintf(f->prefix, sizeof f->prefix, "response_format.json_schema.");
    check_name(f, object);
    fields_str(f, object, "description", REQUEST_TOOL_BYTES_MAX, &description);
    fields_bool(f, object, "strict", &r->form_strict);
    const json_t *schema = fields_get(f, object, "schema");
    f->prefix[0] = 0;
    if (begin(f, r, schema ? REQUEST_FORM_SCHEMA : REQUEST_FORM_OBJECT, "response_format.json_schema.schema") && schema)
        read_schema(f, arena, r, schema);
}

static void read_format(struct fields *f, struct arena *arena, const json_t *root, struct request *r)
{
    static const char *const types[] = {"text", "json_object", "json_schema", NULL};
    const json_t *format = fields_object(f, root, "response_format");
    if (!format)
        return;
    snprintf(f->prefix, sizeof f->prefix, "response_format.");
    int type = fields_choice(f, format, "type", types);
    if (type < 0)
        fields_fault(f, "missing_required_parameter", "type", "expected text, json_object or json_schema");
    if (type == 2)
        read_format_schema(f, arena, format, r);
    f->prefix[0] = 0;
    const json_t *schema = type == 1 ? fields_get(f, format, "schema") : NULL;
    if (type == 1 &&
        begin(f, r, schema ? REQUEST_FORM_SCHEMA : REQUEST_FORM_OBJECT, schema ? "response_format.schema" : "response_format") && schema)
        read_schema(f, arena, r, schema);
}

/* ---- The others ------------------------------------------------------------------------------------------------ */

static const char *const entry_names[N_SOURCES] = {"structured_outputs.json",
                                                   "structured_outputs.regex",
                                                   "structured_outputs.choice",
                                                   "structured_outputs.grammar",
                                                   NULL,
                                                   NULL,
                                                   NULL,
                                                   NULL,
                                                   "structured_outputs.json_object"};

static void read_structured(struct fields *f, struct arena *arena, const json_t *root, struct request *r)
{
    const json_t *object = fields_object(f, root, "structured_outputs");
    bool any = false, on = true;
    if (!object)
        return;
    if (fields_get(f, object, "structural_tag"))
        fields_fault(f, "unsupported_parameter", "structured_outputs.structural_tag", "not offered by this server");
    for (unsigned i = 0; i < N_SOURCES && !f->status; i++) {
        const json_t *value = sources[i].entry ? fields_get(f, object, sources[i].entry) : NULL;
        if (!value)
            continue;
        if (sources[i].form == REQUEST_FORM_OBJECT) {
            snprintf(f->prefix, sizeof f->prefix, "structured_outputs.");
            fields_bool(f, object, "json_object", &on);
            f->prefix[0] = 0;
            if (!on)
                continue;
        }
        any = true;
        if (begin(f, r, sources[i].form, entry_names[i]))
            read_value(f, arena, r, value);
    }
    if (!any)
        fields_fault(f, "invalid_value", "structured_outputs", "expected one of json, regex, choice, grammar, json_object");
}

void request_read_form(struct fields *f, struct arena *arena, const json_t *root, struct request *r)
{
    read_format(f, arena, root, r);
    read_structured(f, arena, root, r);
    for (unsigned i = 0; i < N_SOURCES && !f->status; i++) {
        const json_t *value = sources[i].field ? fields_get(f, root, sources[i].field) : NULL;
        if (value && begin(f, r, sources[i].form, sources[i].field))
            read_value(f, arena, r, value);
    }
}
