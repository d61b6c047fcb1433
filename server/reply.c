/* Error replies: the table of codes, the body, the headers that go with some. */
#include "server/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/emit_json.h"
#include "server/server.h"

enum { BODY_BYTES_MAX = 8192, MESSAGE_BYTES = 768 };

static const struct row {
    unsigned status;
    const char *type, *code;
} rows[REPLY_CODES_N] = {
#define X(name, status, type, code) [REPLY_##name] = {status, type, code},
    REPLY_CODES(X)
#undef X
};

unsigned reply_status(enum reply_code code)
{
    return rows[code].status;
}

const char *reply_code_text(enum reply_code code)
{
    return rows[code].code;
}

enum reply_code reply_code_find(const char *code)
{
    for (unsigned i = 0; code && i < REPLY_CODES_N; i++)
        if (rows[i].code && strcmp(rows[i].code, code) == 0)
            return (enum reply_code)i;
    return REPLY_INVALID_VALUE;
}

void reply_error_body(struct buf *out, enum reply_code code, const char *param, const char *message)
{
    struct emit_json json = emit_json_to(out);
    emit_object_begin(&json);
    emit_key(&json, "error");
    emit_object_begin(&json);
    emit_key_text(&json, "message", message);
    emit_key_text(&json, "type", rows[code].type);
    emit_key_text(&json, "param", param && *param ? param : NULL);
    emit_key_text(&json, "code", rows[code].code);
    emit_object_end(&json);
    emit_object_end(&json);
}

/* Whole seconds for Retry-After, at least one, and the exact time beside it. */
static void headers_of(struct exchange *exchange, enum reply_code code, char *out, size_t size)
{
    unsigned status = rows[code].status;
    const struct config *config = exchange_server(exchange)->config;
    out[0] = 0;
    if (status == 401)
        snprintf(out, size, "WWW-Authenticate: Bearer\r\n");
    else if (status == 429 || status == 503)
        snprintf(out, size, "Retry-After: %llu\r\nretry-after-ms: %llu\r\n%s", (unsigned long long)((config->retry_after_ms + 999) / 1000),
                 (unsigned long long)config->retry_after_ms, code == REPLY_DRAINING ? "Connection: close\r\n" : "");
    else if (status == 400)
        snprintf(out, size, "x-should-retry: false\r\n");
}

static void send_error(struct exchange *exchange, enum reply_code code, const char *param, const char *message)
{
    char headers[160];
    struct buf body;
    buf_init(&body, BODY_BYTES_MAX);
    reply_error_body(&body, code, param, message);
    headers_of(exchange, code, headers, sizeof headers);
    exchange_reply(exchange, rows[code].status, NULL, &body, headers);
}

void reply_error(struct exchange *exchange, enum reply_code code, const char *param, const char *format, ...)
{
    char message[MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    send_error(exchange, code, param, message);
}

enum reply_code reply_code_of(const struct error *error)
{
    if (error->code)
        return reply_code_find(error->code);
    switch (error->status) {
    case STATUS_INTERNAL:
    case STATUS_IO:
        return REPLY_INTERNAL;
    case STATUS_BUSY:
    case STATUS_NO_MEMORY:
        return REPLY_OVERLOADED;
    default:
        return REPLY_INVALID_VALUE;
    }
}

void reply_from_error(struct exchange *exchange, const struct error *error)
{
    send_error(exchange, reply_code_of(error), error->path, error->message);
}
