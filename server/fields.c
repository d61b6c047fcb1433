/* Readers of single request fields. */
#include "server/fields.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define EXACT_MAX 9007199254740992.0 /* 2^53: above it a float is no exact integer */

void fields_init(struct fields *f, struct error *error)
{
    *f = (struct fields){.error = error};
    error_clear(error);
}

void fields_fault(struct fields *f, const char *code, const char *key, const char *format, ...)
{
    char path[160], message[400];
    va_list args;
    if (f->status)
        return;
    snprintf(path, sizeof path, "%s%s", f->prefix, key ? key : "");
    size_t n = strlen(path);
    if (n && path[n - 1] == '.')
        path[n - 1] = 0;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    f->status = error_set_path(f->error, STATUS_INVALID, code, path, "%s%s%s", path, *path ? ": " : "", message);
}

const json_t *fields_get(const struct fields *f, const json_t *object, const char *key)
{
    const json_t *value = f->status ? NULL : json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

const char *fields_kind(const json_t *value)
{
    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "an integer";
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    default:
        return "null";
    }
}

static void wrong_kind(struct fields *f, const char *key, const char *wanted, const json_t *value)
{
    fields_fault(f, "invalid_type", key, "expected %s, found %s", wanted, fields_kind(value));
}

bool fields_bool(struct fields *f, const json_t *object, const char *key, bool *out)
{
    const json_t *value = fields_get(f, object, key);
    if (!value)
        return false;
    if (!json_is_boolean(value)) {
        wrong_kind(f, key, "a boolean", value);
        return false;
    }
    *out = json_is_true(value);
    return true;
}

bool fields_as_int(const json_t *value, int64_t *out)
{
    if (json_is_integer(value)) {
        *out = json_integer_value(value);
        return true;
    }
    double d = json_is_real(value) ? json_real_value(value) : 0.5;
    if (d != floor(d) || fabs(d) > EXACT_MAX)
        return false;
    *out = (int64_t)d;
    return true;
}

bool fields_int(struct fields *f, const json_t *object, const char *key, int64_t min, int64_t max, int64_t *out)
{
    const json_t *value = fields_get(f, object, key);
    int64_t n;
    if (!value)
        return false;
    if (!fields_as_int(value, &n)) {
        fields_fault(f, "invalid_type", key, "expected an integer, found %s", json_is_real(value) ? "a fraction" : fields_kind(value));
        return false;
    }
    if (n < min || n > max) {
        fields_fault(f, n < min ? "integer_below_min_value" : "integer_above_max_value", key, "%lld is not in %lld to %lld", (long long)n,
                     (long long)min, (long long)max);
        return false;
    }
    *out = n;
    return true;
}

bool fields_double(struct fields *f, const json_t *object, const char *key, double min, double max, double *out)
{
    const json_t *value = fields_get(f, object, key);
    if (!value)
        return false;
    if (!json_is_number(value)) {
        wrong_kind(f, key, "a number", value);
        return false;
    }
    double d = json_number_value(value);
    if (!(d >= min && d <= max)) {
        fields_fault(f, d < min ? "decimal_below_min_value" : "decimal_above_max_value", key, "%g is not in %g to %g", d, min, max);
        return false;
    }
    *out = d;
    return true;
}

bool fields_str(struct fields *f, const json_t *object, const char *key, size_t max_bytes, struct str *out)
{
    const json_t *value = fields_get(f, object, key);
    if (!value)
        return false;
    if (!json_is_string(value)) {
        wrong_kind(f, key, "a string", value);
        return false;
    }
    struct str text = str_from(json_string_value(value), json_string_length(value));
    if (text.len > max_bytes) {
        fields_fault(f, "string_above_max_length", key, "%zu bytes, at most %zu", text.len, max_bytes);
        return false;
    }
    *out = text;
    return true;
}

const json_t *fields_object(struct fields *f, const json_t *object, const char *key)
{
    const json_t *value = fields_get(f, object, key);
    if (value && !json_is_object(value)) {
        wrong_kind(f, key, "an object", value);
        return NULL;
    }
    return value;
}

const json_t *fields_array(struct fields *f, const json_t *object, const char *key, size_t max_items)
{
    const json_t *value = fields_get(f, object, key);
    if (!value)
        return NULL;
    if (!json_is_array(value)) {
        wrong_kind(f, key, "an array", value);
        return NULL;
    }
    if (json_array_size(value) > max_items) {
        fields_fault(f, "array_above_max_length", key, "%zu items, at most %zu", json_array_size(value), max_items);
        return NULL;
    }
    return value;
}

int fields_choice(struct fields *f, const json_t *object, const char *key, const char *const *names)
{
    char list[200] = "";
    struct str text;
    if (!fields_str(f, object, key, 4096, &text))
        return -1;
    for (int i = 0; names[i]; i++) {
        if (str_is(text, names[i]))
            return i;
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", names[i]);
    }
    fields_fault(f, "invalid_value", key, "expected one of %s", list);
    return -1;
}
