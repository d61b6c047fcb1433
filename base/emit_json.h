/* Writes JSON straight into a buf, for replies and events: no tree, no library, no allocation beyond the
 * buffer's own growth. Commas are placed automatically. Check buf_status at the end. */
#ifndef BASE_EMIT_JSON_H
#define BASE_EMIT_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct emit_json {
    struct buf *out; /* borrowed */
    bool need_comma;
};

static inline struct emit_json emit_json_to(struct buf *out)
{
    return (struct emit_json){out, false};
}

void emit_object_begin(struct emit_json *json);
void emit_object_end(struct emit_json *json);
void emit_array_begin(struct emit_json *json);
void emit_array_end(struct emit_json *json);
void emit_key(struct emit_json *json, const char *key);

void emit_null(struct emit_json *json);
void emit_bool(struct emit_json *json, bool value);
void emit_int(struct emit_json *json, int64_t value);
void emit_uint(struct emit_json *json, uint64_t value);
void emit_double(struct emit_json *json, double value); /* must be finite; shortest form that reads back */
void emit_str(struct emit_json *json, struct str value); /* ill-formed UTF-8 becomes U+FFFD */
void emit_text(struct emit_json *json, const char *value); /* null writes null */
void emit_raw(struct emit_json *json, struct str value); /* already JSON */

/* key: value in one call. */
void emit_key_text(struct emit_json *json, const char *key, const char *value);
void emit_key_str(struct emit_json *json, const char *key, struct str value);
void emit_key_int(struct emit_json *json, const char *key, int64_t value);
void emit_key_bool(struct emit_json *json, const char *key, bool value);
void emit_key_null(struct emit_json *json, const char *key);

/* Only the escaped characters, without quotes: the inside of a JSON string. U+2028/9 and controls escaped. */
void emit_escaped(struct buf *out, struct str text);

#endif
