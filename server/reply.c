/* Error replies: the table of codes, the body, the headers that go with some. */
#include "server/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/emit_json.h"
#include "server/routes.h"
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

static const char *anthropic_type(unsigned status)
{
    switch (status) {
    case 401:
        return "authentication_error";
    case 402:
        return "billing_error";
    case 403:
        return "permission_error";
    case 404:
        return "not_found_error";
    case 413:
        return "request_too_large";
    case 429:
        return "rate_limit_error";
    case 503:
        return "overloaded_error";
    case 504:
        return "timeout_error";
    default:
        return status < 500 ? "invalid_request_error" : "api_error";
    }
}

void reply_anthropic_body(struct buf *out, enum reply_code code, const char *message, struct str request_id)
{
    struct emit_json json = emit_json_to(out);
    emit_object_begin(&json);
    emit_key_text(&json, "type", "error");
    emit_key(&json, "error");
    emit_object_begin(&json);
    emit_key_text(&json, "type", anthropic_type(rows[code].status));
    emit_key_text(&json, "message", message);
    emit_object_end(&json);
    if (request_id.len)
        emit_key_str(&json, "request_id", request_id);
    emit_object_end(&json);
}

static void write_ollama(struct buf *out, const char *message)
{
    struct emit_json json = emit_json_to(out);
    emit_object_begin(&json);
    emit_key_text(&json, "error", message);
    emit_object_end(&json);
}

static enum route_surface surface_of(const struct exchange *exchange)
{
    const struct route *route = exchange_route(exchange);
    return route ? route->surface : ROUTE_SURFACE_OPENAI;
}

void reply_write_error(struct buf *out, const struct exchange *exchange, enum reply_code code, const char *param, const char *message)
{
    switch (surface_of(exchange)) {
    case ROUTE_SURFACE_ANTHROPIC:
        reply_anthropic_body(out, code, message, exchange_request(exchange)->request_id);
        break;
    case ROUTE_SURFACE_OLLAMA:
        write_ollama(out, message);
        break;
    case ROUTE_SURFACE_OPENAI:
    case ROUTE_SURFACE_NATIVE:
    case ROUTE_SURFACE_OPS:
        reply_error_body(out, code, param, message);
        break;
    }
}

/* On the Anthropic surface a full queue is 529. */
static unsigned status_for(const struct exchange *exchange, enum reply_code code)
{
    return code == REPLY_OVERLOADED && surface_of(exchange) == ROUTE_SURFACE_ANTHROPIC ? 529 : rows[code].status;
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
    reply_write_error(&body, exchange, code, param, message);
    headers_of(exchange, code, headers, sizeof headers);
    exchange_reply(exchange, status_for(exchange, code), NULL, &body, headers);
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
