/* The pre-scan of request bodies. The grammar itself is the parser's affair: here is only what must be known before it runs. */
#include "server/json_scan.h"

#include "base/utf8.h"

enum { NODE_BYTES = 96 }; /* of one value in the parser's tree, with its key's entry */

static enum status refuse(struct error *error, size_t at, const char *what)
{
    enum status status = error_set_path(error, STATUS_INVALID, "invalid_json", "", "the body is not valid JSON: %s at byte %zu", what, at);
    if (error)
        error->offset = (int64_t)at;
    return status;
}

/* The end of a string that begins at `at` (its opening quote), or 0 where it has none. */
static size_t string_end(struct str text, size_t at)
{
    for (at++; at < text.len; at++) {
        if (text.at[at] == '\\')
            at++;
        else if (text.at[at] == '"')
            return at;
    }
    return 0;
}

enum status json_scan_run(struct json_scan *out, struct str text, size_t depth_max, struct error *error)
{
    size_t depth = 0;
    if (str_starts(text, str_of("\xEF\xBB\xBF")))
        text = str_skip(text, 3);
    *out = (struct json_scan){.text = text};
    size_t valid = utf8_valid_prefix(text.at, text.len);
    if (valid < text.len)
        return refuse(error, valid, "ill-formed UTF-8");
    for (size_t at = 0; at < text.len; at++) {
        char c = text.at[at];
        if (c == '"') {
            size_t end = string_end(text, at);
            if (!end)
                return refuse(error, at, "a string without an end");
            at = end;
            out->n_values++;
        } else if (c == '{' || c == '[') {
            out->n_values++;
            if (++out->n_containers > JSON_SCAN_CONTAINERS_MAX)
                return refuse(error, at, "too many objects and arrays");
            if (++depth > depth_max)
                return refuse(error, at, "nested too deeply (max_json_depth)");
        } else if (c == '}' || c == ']') {
            depth -= depth > 0;
        } else if (c == ',') {
            out->n_values++;
        }
        if (out->n_values > JSON_SCAN_VALUES_MAX)
            return refuse(error, at, "too many values");
    }
    out->memory_bytes = text.len + (out->n_values + out->n_containers) * NODE_BYTES;
    return STATUS_OK;
}
