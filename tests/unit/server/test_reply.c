/* Error replies. The exchange is a stand-in that keeps what was replied. */
#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "server/reply.h"
#include "server/routes.h"
#include "server/server.h"
#include "tests/support.h"

struct exchange {
    struct server server;
    struct http_request request;
    const struct route *route;
    unsigned status, n_replies;
    char *body, *headers;
};

struct server *exchange_server(const struct exchange *exchange)
{
    return (struct server *)&exchange->server;
}

const struct http_request *exchange_request(const struct exchange *e)
{
    return &e->request;
}

const struct route *exchange_route(const struct exchange *e)
{
    return e->route;
}

void exchange_reply(struct exchange *e, unsigned status, const char *content_type, struct buf *body, const char *extra_headers)
{
    assert_null(content_type);
    mem_free(e->body);
    mem_free(e->headers);
    e->n_replies++;
    e->status = status;
    e->body = buf_take(body, NULL);
    e->headers = mem_strdup(extra_headers ? extra_headers : "");
    assert_non_null(e->body);
}

static struct config config = {.retry_after_ms = 1500};
static struct exchange exchange;

static int setup(void **state)
{
    (void)state;
    exchange = (struct exchange){.server = {.config = &config}};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mem_free(exchange.body);
    mem_free(exchange.headers);
    return 0;
}

/* The reply's error object; all four keys are there and nothing else. */
static json_t *error_object(json_t **root)
{
    *root = json_loads(exchange.body, JSON_REJECT_DUPLICATES, NULL);
    json_t *error = json_object_get(*root, "error");
    assert_int_equal(json_object_size(*root), 1);
    assert_int_equal(json_object_size(error), 4);
    assert_true(json_is_string(json_object_get(error, "message")));
    assert_true(json_is_string(json_object_get(error, "type")));
    json_t *param = json_object_get(error, "param"), *code = json_object_get(error, "code");
    assert_true(json_is_string(param) || json_is_null(param));
    assert_true(json_is_string(code) || json_is_null(code));
    return error;
}

static void every_code_has_its_shape_and_headers(void **state)
{
    (void)state;
    for (unsigned code = 0; code < REPLY_CODES_N; code++) {
        json_t *root;
        reply_error(&exchange, code, "messages[2].content", "value %d", 7);
        json_t *error = error_object(&root);
        unsigned status = reply_status(code);
        assert_int_equal(exchange.status, status);
        assert_true(status >= 400 && status != 422 && status != 499 && status < 600);
        assert_string_equal(json_string_value(json_object_get(error, "message")), "value 7");
        assert_string_equal(json_string_value(json_object_get(error, "param")), "messages[2].content");
        if (reply_code_text(code))
            assert_string_equal(json_string_value(json_object_get(error, "code")), reply_code_text(code));
        bool retry = strstr(exchange.headers, "Retry-After: 2\r\n") && strstr(exchange.headers, "retry-after-ms: 1500\r\n");
        assert_int_equal(retry, status == 429 || status == 503);
        assert_int_equal(strstr(exchange.headers, "WWW-Authenticate: Bearer\r\n") != NULL, status == 401);
        /* A request that can never succeed must not look as if trying again helped. */
        if (strcmp(json_string_value(json_object_get(error, "type")), "invalid_request_error") == 0 && status != 408)
            assert_true(status < 500 ? status != 409 && status != 429 : status == 501 || status == 505);
        json_decref(root);
    }
    assert_int_equal(exchange.n_replies, REPLY_CODES_N);
}

static void an_absent_param_is_null(void **state)
{
    static const char *const none[] = {NULL, ""};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        json_t *root;
        reply_error(&exchange, REPLY_UNKNOWN_URL, none[i], "no");
        json_t *answer = error_object(&root);
        assert_true(json_is_null(json_object_get(answer, "param")));
        json_decref(root);
    }
}

static void hostile_text_stays_within_its_string(void **state)
{
    char big[4096];
    json_t *root;
    (void)state;
    reply_error(&exchange, REPLY_INVALID_VALUE, "a\"b\\\n", "%s", "quote \" back \\ line \n tab \t \x01 caf\xc3\xa9 bad \xff\xc3 end");
    json_t *error = error_object(&root);
    assert_non_null(strstr(json_string_value(json_object_get(error, "message")), "caf\xc3\xa9"));
    assert_string_equal(json_string_value(json_object_get(error, "param")), "a\"b\\\n");
    json_decref(root);
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = 0;
    reply_error(&exchange, REPLY_INVALID_VALUE, NULL, "%s", big);
    error_object(&root); /* cut, but whole JSON */
    json_decref(root);
    /* a multi-byte character across the cut */
    for (size_t i = 0; i + 2 < sizeof big; i += 2)
        memcpy(big + i, "\xc3\xa9", 2);
    reply_error(&exchange, REPLY_INVALID_VALUE, NULL, "x%s", big);
    error_object(&root);
    json_decref(root);
}

static void error_records_map_to_codes(void **state)
{
    static const struct {
        enum status status;
        const char *code;
        enum reply_code want;
    } rows[] = {
        {STATUS_INVALID, NULL, REPLY_INVALID_VALUE},   {STATUS_INVALID, "invalid_json", REPLY_INVALID_JSON},
        {STATUS_INVALID, "nonsense", REPLY_INVALID_VALUE}, {STATUS_BUSY, NULL, REPLY_OVERLOADED},
        {STATUS_BUSY, "queue_timeout", REPLY_QUEUE_TIMEOUT}, {STATUS_NO_MEMORY, NULL, REPLY_OVERLOADED},
        {STATUS_INTERNAL, NULL, REPLY_INTERNAL},       {STATUS_IO, NULL, REPLY_INTERNAL},
        {STATUS_LIMIT, "context_length_exceeded", REPLY_CONTEXT_LENGTH}, {STATUS_NOT_FOUND, "model_not_found", REPLY_MODEL_NOT_FOUND},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct error error;
        json_t *root;
        error_clear(&error);
        error_set_path(&error, rows[i].status, rows[i].code, "max_tokens", "why");
        assert_int_equal(reply_code_of(&error), rows[i].want);
        reply_from_error(&exchange, &error);
        assert_int_equal(exchange.status, reply_status(rows[i].want));
        json_t *answer = error_object(&root); /* cmocka evaluates its arguments twice */
        assert_string_equal(json_string_value(json_object_get(answer, "param")), "max_tokens");
        json_decref(root);
    }
}

static void code_texts_are_found(void **state)
{
    (void)state;
    for (unsigned code = 0; code < REPLY_CODES_N; code++)
        if (reply_code_text(code))
            assert_int_equal(reply_code_find(reply_code_text(code)), code);
    assert_int_equal(reply_code_find(NULL), REPLY_INVALID_VALUE);
    assert_int_equal(reply_code_find("no such code"), REPLY_INVALID_VALUE);
}

static void surfaces_have_shapes_of_their_own(void **state)
{
    static const struct route messages = {.surface = ROUTE_SURFACE_ANTHROPIC}, ollama = {.surface = ROUTE_SURFACE_OLLAMA};
    static const struct {
        enum reply_code code;
        unsigned status;
        const char *type;
    } rows[] = {{REPLY_INVALID_VALUE, 400, "invalid_request_error"}, {REPLY_INVALID_API_KEY, 401, "authentication_error"},
                {REPLY_MODEL_FORBIDDEN, 403, "permission_error"},    {REPLY_MODEL_NOT_FOUND, 404, "not_found_error"},
                {REPLY_REQUEST_TOO_LARGE, 413, "request_too_large"}, {REPLY_RATE_LIMIT, 429, "rate_limit_error"},
                {REPLY_INTERNAL, 500, "api_error"},                  {REPLY_OVERLOADED, 529, "overloaded_error"},
                {REPLY_MODEL_LOADING, 503, "overloaded_error"},      {REPLY_QUEUE_TIMEOUT, 504, "timeout_error"}};
    (void)state;
    exchange.route = &messages;
    exchange.request.request_id = str_of("req_1");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        reply_error(&exchange, rows[i].code, "a", "why");
        json_t *root = json_loads(exchange.body, JSON_REJECT_DUPLICATES, NULL), *error = json_object_get(root, "error");
        assert_int_equal(exchange.status, rows[i].status);
        assert_string_equal(json_string_value(json_object_get(root, "type")), "error");
        assert_string_equal(json_string_value(json_object_get(root, "request_id")), "req_1");
        assert_string_equal(json_string_value(json_object_get(error, "type")), rows[i].type);
        assert_string_equal(json_string_value(json_object_get(error, "message")), "why");
        json_decref(root);
    }
    exchange.route = &ollama;
    reply_error(&exchange, REPLY_INVALID_VALUE, "a", "why");
    assert_string_equal(exchange.body, "{\"error\":\"why\"}");
}

static void draining_ends_the_connection(void **state)
{
    (void)state;
    reply_error(&exchange, REPLY_DRAINING, NULL, "going");
    assert_non_null(strstr(exchange.headers, "Connection: close\r\n"));
    reply_error(&exchange, REPLY_OVERLOADED, NULL, "full");
    assert_null(strstr(exchange.headers, "Connection: close\r\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_code_has_its_shape_and_headers, setup, teardown),
        cmocka_unit_test_setup_teardown(an_absent_param_is_null, setup, teardown),
        cmocka_unit_test_setup_teardown(hostile_text_stays_within_its_string, setup, teardown),
        cmocka_unit_test_setup_teardown(error_records_map_to_codes, setup, teardown),
        cmocka_unit_test(code_texts_are_found),
        cmocka_unit_test_setup_teardown(surfaces_have_shapes_of_their_own, setup, teardown),
        cmocka_unit_test_setup_teardown(draining_ends_the_connection, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
