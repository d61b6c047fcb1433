/* The route table's rules, and which row a path finds. Handlers are stand-ins: rows are told apart by them. */
#include <stdio.h>
#include <string.h>

#include "server/api.h"
#include "server/routes.h"
#include "tests/support.h"

#define STAND_IN(name)                    \
    void name(struct exchange *exchange)  \
    {                                     \
        (void)exchange;                   \
        fail_msg(#name " was called");    \
    }
STAND_IN(api_chat)
STAND_IN(api_completions)
STAND_IN(api_responses)
STAND_IN(api_input_tokens)
STAND_IN(api_messages)
STAND_IN(api_count_tokens)
STAND_IN(api_ollama_chat)
STAND_IN(api_ollama_generate)
STAND_IN(api_balance)
STAND_IN(api_embeddings)
STAND_IN(api_ollama_embed)
STAND_IN(api_predict)
STAND_IN(api_completion)
STAND_IN(api_infill)
STAND_IN(api_props)
STAND_IN(api_slots)
STAND_IN(api_tokenize)
STAND_IN(api_detokenize)
STAND_IN(api_apply_template)
STAND_IN(api_models)
STAND_IN(api_model)
STAND_IN(api_health)
STAND_IN(api_live)
STAND_IN(api_ready)
STAND_IN(api_ping)
STAND_IN(api_metrics)
STAND_IN(api_openapi)
STAND_IN(api_version)
STAND_IN(api_banner)

static void every_row_is_complete(void **state)
{
    (void)state;
    assert_true(routes_count > 0);
    for (size_t i = 0; i < routes_count; i++) {
        const struct route *row = &routes_table[i];
        assert_true(row->method == HTTP_GET || row->method == HTTP_POST);
        assert_true(row->path && row->path[0] == '/');
        assert_true(row->scope > ROUTE_SCOPE_NONE && row->scope <= ROUTE_SCOPE_USE);
        assert_non_null(row->handler);
        assert_true(row->help && *row->help);
        assert_true(strlen(row->path) == 1 || row->path[strlen(row->path) - 1] != '/');
        assert_int_equal(row->has_body, row->method == HTTP_POST);
        assert_false(row->is_inline && row->has_body); /* a body is parsed on the pool */
        /* What generates or tokenizes needs a key; what never does is a probe or the banner. */
        if (row->method == HTTP_POST)
            assert_int_equal(row->scope, ROUTE_SCOPE_USE);
    }
}

static void no_two_rows_answer_the_same_request(void **state)
{
    (void)state;
    for (size_t i = 0; i < routes_count; i++)
        for (size_t k = i + 1; k < routes_count; k++)
            assert_false(routes_table[i].method == routes_table[k].method && strcmp(routes_table[i].path, routes_table[k].path) == 0);
}

static route_handler *find(enum http_method method, const char *path)
{
    struct route_match match;
    routes_find(&match, method, str_of(path));
    return match.route ? match.route->handler : NULL;
}

static void prefixes_lead_to_the_same_row(void **state)
{
    static const char *const four[] = {"", "/v1", "/beta", "/beta/v1"};
    static const char *const others[] = {"/v2", "/v1/v1", "/v1/beta", "/beta/beta", "/V1", "/v", "/v1beta", "//v1", "/anthropic/v1"};
    static const struct {
        enum http_method method;
        const char *path;
        route_handler *handler;
        unsigned n; /* of the four prefixes */
    } rows[] = {
        {HTTP_POST, "/chat/completions", api_chat, 4}, {HTTP_POST, "/completions", api_completions, 4},
        {HTTP_POST, "/responses", api_responses, 4},   {HTTP_GET, "/user/balance", api_balance, 4},
        {HTTP_GET, "/models", api_models, 4},          {HTTP_GET, "/models/a/b", api_model, 4},
        {HTTP_HEAD, "/models", api_models, 4},         {HTTP_POST, "/tokenize", api_tokenize, 2},
        {HTTP_POST, "/detokenize", api_detokenize, 2}, {HTTP_POST, "/apply-template", api_apply_template, 2},
        {HTTP_GET, "/health", api_health, 2},          {HTTP_GET, "/healthz", api_health, 1},
        {HTTP_GET, "/livez", api_live, 1},             {HTTP_GET, "/ready", api_ready, 1},
        {HTTP_GET, "/readyz", api_ready, 1},           {HTTP_GET, "/ping", api_ping, 1},
        {HTTP_GET, "/metrics", api_metrics, 1},        {HTTP_GET, "/version", api_version, 1},
        {HTTP_HEAD, "/version", api_version, 1},
    };
    char path[128];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (unsigned k = 0; k < 4; k++) {
            snprintf(path, sizeof path, "%s%s", four[k], rows[i].path);
            assert_ptr_equal(find(rows[i].method, path), k < rows[i].n ? rows[i].handler : NULL);
        }
        for (unsigned k = 0; k < sizeof others / sizeof others[0]; k++) {
            snprintf(path, sizeof path, "%s%s", others[k], rows[i].path);
            assert_null(find(rows[i].method, path));
        }
        snprintf(path, sizeof path, "%s/", rows[i].path);
        if (rows[i].handler != api_model)
            assert_null(find(rows[i].method, path)); /* one trailing slash is gone before */
        snprintf(path, sizeof path, "%sx", rows[i].path);
        if (rows[i].handler != api_model)
            assert_null(find(rows[i].method, path));
    }
    assert_ptr_equal(find(HTTP_GET, "/"), api_banner);
    assert_null(find(HTTP_GET, ""));
    assert_null(find(HTTP_GET, "/v1"));
}

static void a_model_id_takes_the_rest_of_the_path(void **state)
{
    struct route_match match;
    (void)state;
    routes_find(&match, HTTP_GET, str_of("/v1/models/org/name:tag"));
    assert_ptr_equal(match.route->handler, api_model);
    assert_true(str_is(match.tail, "org/name:tag"));
    routes_find(&match, HTTP_GET, str_of("/v1/models"));
    assert_ptr_equal(match.route->handler, api_models);
    assert_int_equal(match.tail.len, 0);
    routes_find(&match, HTTP_GET, str_of("/models/"));
    assert_null(match.route);
}

static void a_known_path_says_its_methods(void **state)
{
    struct route_match match;
    (void)state;
    routes_find(&match, HTTP_GET, str_of("/v1/chat/completions"));
    assert_null(match.route);
    assert_true(match.path_known && match.methods[HTTP_POST]);
    assert_false(match.methods[HTTP_GET] || match.methods[HTTP_HEAD]);
    routes_find(&match, HTTP_DELETE, str_of("/models/x"));
    assert_null(match.route);
    assert_true(match.path_known && match.methods[HTTP_GET] && match.methods[HTTP_HEAD]);
    assert_false(match.methods[HTTP_POST]);
    for (enum http_method m = HTTP_GET; m <= HTTP_OTHER; m++)
        if (m != HTTP_GET && m != HTTP_HEAD)
            assert_null(find(m, "/ready"));
}

static void an_id_in_the_middle_of_a_path_is_one_part(void **state)
{
    struct route_match match;
    (void)state;
    routes_find(&match, HTTP_POST, str_of("/v1/chat/completions/chatcmpl-1/answer_now"));
    assert_true(match.route && str_is(match.tail, "chatcmpl-1"));
    static const char *const none[] = {"/v1/chat/completions//answer_now", "/v1/chat/completions/a/b/answer_now",
                                       "/v1/chat/completions/answer_now", "/v1/chat/completions/a/answer_now/x"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        routes_find(&match, HTTP_POST, str_of(none[i]));
        assert_false(match.path_known);
    }
}

static void messages_answer_under_two_prefixes(void **state)
{
    (void)state;
    assert_ptr_equal(find(HTTP_POST, "/v1/messages"), api_messages);
    assert_ptr_equal(find(HTTP_POST, "/anthropic/v1/messages"), api_messages);
    assert_ptr_equal(find(HTTP_POST, "/anthropic/v1/messages/count_tokens"), api_count_tokens);
    assert_null(find(HTTP_POST, "/anthropic/messages"));
    assert_null(find(HTTP_POST, "/beta/v1/messages"));
    assert_null(find(HTTP_POST, "/anthropic/v1/chat/completions"));
}

static void routes_of_other_servers_are_unknown(void **state)
{
    static const char *const paths[] = {
        "/v1/responses/x", "/messages",     "/v1/embeddings/x", "/embedding", "/v1/audio/speech", "/v1/files",    "/v1/batches",
        "/v1/assistants",  "/v1/moderations", "/v1/completion", "/v1/infill", "/props/x",       "/slots/1",       "/invocations/x",
        "/predict/x",      "/score/x",      "/v1/api/chat",   "/api/pull",   "/api/delete",      "/v1/nope",     "/v1/chat",
        "/chat",           "/v1/metrics",   "/v1/ready",      "/metrics/x",  "/Health",          "/health;a=b",  "/v1/chat/completions/x",
    };
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct route_match match;
        routes_find(&match, HTTP_POST, str_of(paths[i]));
        if (match.path_known)
            print_message("%s\n", paths[i]);
        assert_false(match.path_known);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_complete),
        cmocka_unit_test(no_two_rows_answer_the_same_request),
        cmocka_unit_test(prefixes_lead_to_the_same_row),
        cmocka_unit_test(a_model_id_takes_the_rest_of_the_path),
        cmocka_unit_test(messages_answer_under_two_prefixes),
        cmocka_unit_test(a_known_path_says_its_methods),
        cmocka_unit_test(an_id_in_the_middle_of_a_path_is_one_part),
        cmocka_unit_test(routes_of_other_servers_are_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
