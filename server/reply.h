/* Error replies, in the shape of the surface that was asked: {"error": {message, type, param, code}} for most of them. */
#ifndef SERVER_REPLY_H
#define SERVER_REPLY_H

#include "base/buf.h"
#include "base/status.h"
#include "server/exchange.h"

/* Every code that an error reply may carry, with its HTTP status and type. */
#define REPLY_CODES(X)                                                                                   \
    X(INVALID_JSON, 400, "invalid_request_error", "invalid_json")                                        \
    X(MISSING_PARAMETER, 400, "invalid_request_error", "missing_required_parameter")                     \
    X(INVALID_TYPE, 400, "invalid_request_error", "invalid_type")                                        \
    X(INVALID_VALUE, 400, "invalid_request_error", "invalid_value")                                      \
    X(INTEGER_BELOW, 400, "invalid_request_error", "integer_below_min_value")                            \
    X(INTEGER_ABOVE, 400, "invalid_request_error", "integer_above_max_value")                            \
    X(DECIMAL_BELOW, 400, "invalid_request_error", "decimal_below_min_value")                            \
    X(DECIMAL_ABOVE, 400, "invalid_request_error", "decimal_above_max_value")                            \
    X(EMPTY_ARRAY, 400, "invalid_request_error", "empty_array")                                          \
    X(ARRAY_LENGTH, 400, "invalid_request_error", "array_above_max_length")                              \
    X(STRING_LENGTH, 400, "invalid_request_error", "string_above_max_length")                            \
    X(UNKNOWN_PARAMETER, 400, "invalid_request_error", "unknown_parameter")                              \
    X(UNSUPPORTED_PARAMETER, 400, "invalid_request_error", "unsupported_parameter")                      \
    X(UNSUPPORTED_VALUE, 400, "invalid_request_error", "unsupported_value")                              \
    X(CONTEXT_LENGTH, 400, "invalid_request_error", "context_length_exceeded")                           \
    X(INVALID_JSON_SCHEMA, 400, "invalid_request_error", "invalid_json_schema")                          \
    X(INVALID_GRAMMAR, 400, "invalid_request_error", "invalid_grammar")                                  \
    X(INVALID_REGEX, 400, "invalid_request_error", "invalid_regex")                                      \
    X(BAD_REQUEST, 400, "invalid_request_error", NULL)                                                   \
    X(PREVIOUS_RESPONSE, 400, "invalid_request_error", "previous_response_not_found")                    \
    X(INVALID_API_KEY, 401, "authentication_error", "invalid_api_key")                                   \
    X(MODEL_FORBIDDEN, 403, "permission_error", "model_forbidden")                                       \
    X(ORIGIN_FORBIDDEN, 403, "permission_error", "origin_forbidden")                                     \
    X(HOST_FORBIDDEN, 403, "permission_error", "host_forbidden")                                         \
    X(MODEL_NOT_FOUND, 404, "invalid_request_error", "model_not_found")                                  \
    X(NOT_FOUND, 404, "invalid_request_error", "not_found")                                              \
    X(UNKNOWN_URL, 404, "invalid_request_error", "unknown_url")                                          \
    X(METHOD_NOT_ALLOWED, 405, "invalid_request_error", "method_not_allowed")                            \
    X(REQUEST_TIMEOUT, 408, "invalid_request_error", "request_timeout")                                  \
    X(REQUEST_TOO_LARGE, 413, "invalid_request_error", "request_too_large")                              \
    X(URI_TOO_LONG, 414, "invalid_request_error", NULL)                                                  \
    X(MEDIA_TYPE, 415, "invalid_request_error", "unsupported_media_type")                                \
    X(EXPECTATION_FAILED, 417, "invalid_request_error", NULL)                                            \
    X(RATE_LIMIT, 429, "rate_limit_error", "rate_limit_exceeded")                                        \
    X(HEAD_TOO_LARGE, 431, "invalid_request_error", NULL)                                                \
    X(INTERNAL, 500, "server_error", "internal_error")                                                   \
    X(NOT_IMPLEMENTED, 501, "invalid_request_error", NULL)                                               \
    X(OVERLOADED, 503, "server_error", "server_overloaded")                                              \
    X(MODEL_LOADING, 503, "server_error", "model_loading")                                               \
    X(DRAINING, 503, "server_error", "draining")                                                         \
    X(QUEUE_TIMEOUT, 504, "server_error", "queue_timeout")                                               \
    X(HTTP_VERSION, 505, "invalid_request_error", NULL)

enum reply_code {
#define X(name, status, type, code) REPLY_##name,
    REPLY_CODES(X)
#undef X
    REPLY_CODES_N
};

unsigned reply_status(enum reply_code code);
const char *reply_code_text(enum reply_code code); /* may be null */

/* The row whose code text is `code` (a struct error's), else INVALID_VALUE. */
enum reply_code reply_code_find(const char *code);

/* Appends the whole error object of the OpenAI shape. `param` null or empty: null. */
void reply_error_body(struct buf *out, enum reply_code code, const char *param, const char *message);

/* The same in the shape of the exchange's surface. */
void reply_write_error(struct buf *out, const struct exchange *exchange, enum reply_code code, const char *param, const char *message);

/* {"type": "error", "error": {type, message}}, with "request_id" where that is not empty: the shape of the Anthropic surface. */
void reply_anthropic_body(struct buf *out, enum reply_code code, const char *message, struct str request_id);

/* Ends the exchange with an error. 429 and 503 carry Retry-After; 401 WWW-Authenticate. */
void reply_error(struct exchange *exchange, enum reply_code code, const char *param, const char *format, ...)
    printf_like(4, 5);

/* From an error record whose `code` is a code text of the table and whose `path` is the param. Without a code:
 * INTERNAL for STATUS_INTERNAL, STATUS_IO; OVERLOADED for STATUS_BUSY, STATUS_NO_MEMORY; else INVALID_VALUE. */
void reply_from_error(struct exchange *exchange, const struct error *error);
enum reply_code reply_code_of(const struct error *error);

#endif
