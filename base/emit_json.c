/* JSON writing. */
#include "base/emit_json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"

static void value(struct emit_json *json)
{
    if (json->need_comma)
        buf_add_char(json->out, ',');
    json->need_comma = true;
}

void emit_object_begin(struct emit_json *json)
{
    value(json);
    buf_add_char(json->out, '{');
    json->need_comma = false;
}

void emit_object_end(struct emit_json *json)
{
    buf_add_char(json->out, '}');
    json->need_comma = true;
}

void emit_array_begin(struct emit_json *json)
{
    value(json);
    buf_add_char(json->out, '[');
    json->need_comma = false;
}

void emit_array_end(struct emit_json *json)
{
    buf_add_char(json->out, ']');
    json->need_comma = true;
}

void emit_key(struct emit_json *json, const char *key)
{
    value(json);
    buf_add_char(json->out, '"');
    emit_escaped(json->out, str_of(key));
    buf_add(json->out, "\":", 2);
    json->need_comma = false;
}

void emit_null(struct emit_json *json)
{
    value(json);
    buf_add(json->out, "null", 4);
}

void emit_bool(struct emit_json *json, bool v)
{
    value(json);
    buf_add_text(json->out, v ? "true" : "false");
}

void emit_uint(struct emit_json *json, uint64_t v)
{
    char text[24];
    size_t at = sizeof text;
    value(json);
    do {
        text[--at] = (char)('0' + v % 10);
    } while (v /= 10);
    buf_add(json->out, text + at, sizeof text - at);
}

void emit_int(struct emit_json *json, int64_t v)
{
    if (v >= 0) {
        emit_uint(json, (uint64_t)v);
        return;
    }
    value(json);
    json->need_comma = false;
    buf_add_char(json->out, '-');
    emit_uint(json, 0 - (uint64_t)v);
}

void emit_double(struct emit_json *json, double v)
{
    check(isfinite(v));
    char text[40];
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    for (char *c = text; *c; c++) /* a locale may write the point as a comma */
        if (*c == ',')
            *c = '.';
    value(json);
    buf_add_text(json->out, text);
}

void emit_str(struct emit_json *json, struct str v)
{
    value(json);
    buf_add_char(json->out, '"');
    emit_escaped(json->out, v);
    buf_add_char(json->out, '"');
}

void emit_text(struct emit_json *json, const char *v)
{
    if (v)
        emit_str(json, str_of(v));
    else
        emit_null(json);
}

void emit_raw(struct emit_json *json, struct str v)
{
    value(json);
    buf_add_str(json->out, v);
}

void emit_key_text(struct emit_json *json, const char *key, const char *v)
{
    emit_key(json, key);
    emit_text(json, v);
}

void emit_key_str(struct emit_json *json, const char *key, struct str v)
{
    emit_key(json, key);
    emit_str(json, v);
}

void emit_key_int(struct emit_json *json, const char *key, int64_t v)
{
    emit_key(json, key);
    emit_int(json, v);
}

void emit_key_bool(struct emit_json *json, const char *key, bool v)
{
    emit_key(json, key);
    emit_bool(json, v);
}

void emit_key_null(struct emit_json *json, const char *key)
{
    emit_key(json, key);
    emit_null(json);
}

static const char *short_escape(unsigned char c)
{
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    case '\b':
        return "\\b";
    case '\f':
        return "\\f";
    default:
        return NULL;
    }
}

static void escape_valid(struct buf *out, const char *at, size_t len)
{
    size_t from = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)at[i];
        bool separator = c == 0xE2 && i + 2 < len && (unsigned char)at[i + 1] == 0x80 &&
                         ((unsigned char)at[i + 2] & 0xFE) == 0xA8; /* U+2028, U+2029 */
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7F && !separator)
            continue;
        buf_add(out, at + from, i - from);
        const char *named = short_escape(c);
        if (named) {
            buf_add_text(out, named);
        } else if (separator) {
            buf_add_text(out, (unsigned char)at[i + 2] == 0xA8 ? "\\u2028" : "\\u2029");
            i += 2;
        } else {
            buf_printf(out, "\\u%04x", c);
        }
        from = i + 1;
    }
    buf_add(out, at + from, len - from);
}

void emit_escaped(struct buf *out, struct str text)
{
    if (utf8_is_valid(text.at, text.len)) {
        escape_valid(out, text.at, text.len);
        return;
    }
    struct buf repaired;
    buf_init(&repaired, SIZE_MAX / 2);
    if (utf8_repair(&repaired, text.at, text.len) == STATUS_OK)
        escape_valid(out, repaired.at, repaired.len);
    else
        out->failed = STATUS_NO_MEMORY;
    buf_release(&repaired);
}
