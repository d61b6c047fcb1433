/* Streams and whole replies of the dialects: for random outputs of a model, in frames of random size, they are the same reply. */
#include "tests/support.h"

#include <jansson.h>

#include "base/rng.h"
#include "server/api.h"
#include "server/routes.h"
#include "tests/server_stand_in.h"

enum { OUTPUTS = 400, TOKENS_MAX = 48 };

static struct error error;
static struct buf frame;

static int setup(void **state)
{
    (void)state;
    support_ok(stand_in_open("deepseek-v3.1", &error), &error);
    stand_in.config.map_claude = true;
    buf_init(&frame, PROTOCOL_FRAME_BYTES_MAX);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    buf_release(&frame);
    stand_in_close();
    return 0;
}

/* ---- The model's part --------------------------------------------------------------------------------------- */

struct output {
    uint32_t ids[TOKENS_MAX], n;
    uint32_t finish;
    bool thinks;
};

/* Mostly the marks of thoughts and calls, so that blocks begin, break and end in every order. */
static struct output make_output(struct rng *rng)
{
    static const char *const texts[] = {"a", "\xC3\xA9", " ", "\n", "{\"a\":1}", "f", "{", "\"", "\xF0\x9F\x8C\x8D"};
    static const uint32_t marks[] = {STAND_IN_THINK_END, STAND_IN_CALLS_BEGIN, STAND_IN_CALL_BEGIN,
                                     STAND_IN_SEPARATOR, STAND_IN_CALL_END,    STAND_IN_CALLS_END};
    struct output o = {.finish = rng_below(rng, 3) ? PROTOCOL_FINISH_STOP : PROTOCOL_FINISH_LENGTH, .thinks = rng_below(rng, 2)};
    bool orderly = rng_below(rng, 2);
    for (uint32_t i = 0; o.n + 8 < TOKENS_MAX && i < 20 && rng_below(rng, 16); i++) {
        if (rng_below(rng, 2)) {
            const char *text = texts[rng_below(rng, sizeof texts / sizeof texts[0])];
            for (; *text; text++)
                o.ids[o.n++] = (unsigned char)*text;
        } else {
            uint32_t at = orderly ? i % 6 : (uint32_t)rng_below(rng, 6);
            o.ids[o.n++] = marks[at];
        }
    }
    return o;
}

static void send_ids(const uint32_t *ids, uint32_t n)
{
    struct stand_in_submission *s = &stand_in.submissions[0];
    struct protocol_token tokens[TOKENS_MAX] = {0};
    struct protocol_tokens_reader reader;
    struct protocol_tokens head = {.n_tokens = n};
    for (uint32_t i = 0; i < n; i++)
        tokens[i].token = ids[i];
    buf_clear(&frame);
    protocol_write_tokens(&frame, 1, 1, &head, tokens);
    support_ok(protocol_read_tokens(&reader, str_skip(buf_str(&frame), PROTOCOL_HEAD_BYTES), &error), &error);
    s->listener->tokens(s->arg, &reader);
}

static void play(struct rng *rng, const struct output *o)
{
    struct stand_in_submission *s = &stand_in.submissions[0];
    for (uint32_t at = 0; at < o->n && s->open;) {
        uint32_t part = 1 + (uint32_t)rng_below(rng, 4);
        part = part < o->n - at ? part : o->n - at;
        send_ids(o->ids + at, part);
        at += part;
    }
    if (!s->open)
        return;
    struct protocol_done done = {
        .finish = o->finish, .stop_token = STAND_IN_END, .last = true, .n_generated = o->n, .n_prompt = s->n_prompt};
    s->open = false;
    s->listener->done(s->arg, &done);
}

static struct exchange *run(struct rng *rng, void (*handler)(struct exchange *), const char *body, const struct output *o)
{
    struct exchange *e = stand_in_begin(str_of(body));
    handler(e);
    assert_non_null(e->step);
    e->step(e);
    play(rng, o);
    return e;
}

/* ---- What the client got ------------------------------------------------------------------------------------ */

/* Takes out what no two replies share. */
static void strip(json_t *value)
{
    static const char *const own[] = {"id", "call_id", "created_at", "completed_at", "total_duration", "usage", "item_id"};
    json_t *child;
    const char *key;
    size_t i;
    for (size_t k = 0; k < sizeof own / sizeof own[0]; k++)
        json_object_del(value, own[k]);
    json_object_foreach(value, key, child) strip(child);
    json_array_foreach(value, i, child) strip(child);
}

static json_t *whole_of(const struct exchange *e)
{
    json_t *root = json_loadb(e->out, e->n_out, JSON_REJECT_DUPLICATES, NULL);
    assert_int_equal(e->status, 200);
    assert_non_null(root);
    strip(root);
    return root;
}

/* The next event's JSON; null at the end. */
static json_t *next_event(const struct exchange *e, size_t *at, const char *end)
{
    if (*at == e->n_out)
        return NULL;
    const char *from = e->out + *at, *stop = memmem(from, e->n_out - *at, end, strlen(end));
    assert_non_null(stop);
    *at = (size_t)(stop - e->out) + strlen(end);
    const char *data = end[1] ? memmem(from, (size_t)(stop - from), "data: ", 6) : from;
    assert_non_null(data);
    data += end[1] ? 6 : 0;
    json_t *root = json_loadb(data, (size_t)(stop - data), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    return root;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static void join_text(json_t *object, const char *key, const char *more)
{
    char joined[1024];
    snprintf(joined, sizeof joined, "%s%s", text_of(object, key), more);
    json_object_set_new(object, key, json_string(joined));
}

static void close_block(json_t *block)
{
    json_t *pieces = json_object_get(block, "pieces");
    if (!pieces)
        return;
    json_t *input = json_loads(json_string_value(pieces), 0, NULL);
    json_object_set_new(block, "input",
                        json_is_object(input) ? json_incref(input) : json_pack("{s:s}", "raw_arguments", json_string_value(pieces)));
    json_decref(input);
    json_object_del(block, "pieces");
}

/* Applies one event of a message's stream to the message; `index`: the block that comes next or is open. */
static void apply_to_message(json_t **message, const json_t *event, size_t *index)
{
    const char *type = text_of(event, "type");
    json_t *content = json_object_get(*message, "content"), *delta = json_object_get(event, "delta");
    json_t *block = json_array_get(content, *index);
    if (strcmp(type, "message_start") == 0) {
        *message = json_deep_copy(json_object_get(event, "message"));
    } else if (strcmp(type, "content_block_start") == 0) {
        assert_int_equal(json_integer_value(json_object_get(event, "index")), *index);
        json_array_append_new(content, json_deep_copy(json_object_get(event, "content_block")));
    } else if (strcmp(type, "content_block_delta") == 0) {
        static const char *const keys[] = {"partial_json", "signature", "thinking", "text"};
        size_t k = 0;
        while (!json_object_get(delta, keys[k]))
            k++;
        assert_int_equal(json_integer_value(json_object_get(event, "index")), *index);
        join_text(block, k ? keys[k] : "pieces", text_of(delta, keys[k]));
    } else if (strcmp(type, "content_block_stop") == 0) {
        close_block(block);
        ++*index;
    } else if (strcmp(type, "message_delta") == 0) {
        json_object_update(*message, delta);
    } else {
        assert_string_equal(type, "message_stop");
    }
}

static json_t *message_of(const struct exchange *e)
{
    json_t *message = NULL, *event;
    size_t at = 0, index = 0;
    while ((event = next_event(e, &at, "\n\n"))) {
        apply_to_message(&message, event, &index);
        json_decref(event);
    }
    assert_int_equal(index, json_array_size(json_object_get(message, "content")));
    strip(message);
    return message;
}

/* The response that the last event carries; the texts of its items are what the deltas before amount to. */
static json_t *response_of(const struct exchange *e)
{
    json_t *response = NULL, *texts = json_array(), *event;
    size_t at = 0, n = 0;
    for (; (event = next_event(e, &at, "\n\n")); n++) {
        const char *type = text_of(event, "type");
        assert_int_equal(json_integer_value(json_object_get(event, "sequence_number")), n);
        if (strcmp(type, "response.output_item.added") == 0)
            json_array_append_new(texts, json_pack("{s:s}", "text", ""));
        else if (str_ends(str_of(type), str_of(".delta")))
            join_text(json_array_get(texts, (size_t)json_integer_value(json_object_get(event, "output_index"))), "text",
                      text_of(event, "delta"));
        json_decref(response);
        response = json_incref(json_object_get(event, "response"));
        json_decref(event);
    }
    json_t *output = json_object_get(response, "output");
    assert_int_equal(json_array_size(output), json_array_size(texts));
    for (size_t i = 0; i < json_array_size(output); i++) {
        const json_t *item = json_array_get(output, i), *part = json_array_get(json_object_get(item, "content"), 0);
        const char *wanted = part ? text_of(part, "text") : text_of(item, "arguments");
        assert_string_equal(text_of(json_array_get(texts, i), "text"), wanted);
    }
    json_decref(texts);
    strip(response);
    return response;
}

static void apply_to_chat(json_t *whole, const json_t *event)
{
    json_t *message = json_object_get(whole, "message"), *piece = json_object_get(event, "message");
    json_t *calls = json_object_get(piece, "tool_calls");
    join_text(message, "content", text_of(piece, "content"));
    if (json_object_get(piece, "thinking"))
        join_text(message, "thinking", text_of(piece, "thinking"));
    if (calls && !json_object_get(message, "tool_calls"))
        json_object_set_new(message, "tool_calls", json_array());
    if (calls)
        json_array_extend(json_object_get(message, "tool_calls"), calls);
    json_object_set_new(whole, "done_reason", json_string(text_of(event, "done_reason")));
}

static json_t *chat_of(const struct exchange *e)
{
    json_t *whole = json_pack("{s:{s:s}}", "message", "role", "assistant"), *event;
    size_t at = 0;
    while ((event = next_event(e, &at, "\n"))) {
        apply_to_chat(whole, event);
        json_decref(event);
    }
    return whole;
}

/* ---- Tests -------------------------------------------------------------------------------------------------- */

static void expect_same(json_t *streamed, json_t *whole)
{
    char *a = json_dumps(streamed, JSON_SORT_KEYS), *b = json_dumps(whole, JSON_SORT_KEYS);
    assert_string_equal(a, b);
    mem_free(a);
    mem_free(b);
    json_decref(streamed);
    json_decref(whole);
}

/* Takes out of an Ollama reply what its stream does not join: only the message and why it ended stay. */
static void keep_message(json_t *whole)
{
    void *next;
    const char *key;
    json_t *value;
    json_object_foreach_safe(whole, next, key, value)
    {
        if (strcmp(key, "message") != 0 && strcmp(key, "done_reason") != 0)
            json_object_del(whole, key);
    }
}

static void compare(void (*handler)(struct exchange *), const char *form, const char *stream, const char *thinking[2],
                    json_t *(*join)(const struct exchange *), bool only_message)
{
    struct rng rng = rng_seeded(11);
    for (unsigned i = 0; i < OUTPUTS; i++) {
        struct output o = make_output(&rng);
        char body[1024];
        snprintf(body, sizeof body, form, stream, thinking[o.thinks]);
        struct exchange *e = run(&rng, handler, body, &o);
        json_t *streamed = join(e);
        stand_in_end();
        snprintf(body, sizeof body, form, "\"stream\":false,", thinking[o.thinks]);
        e = run(&rng, handler, body, &o);
        json_t *whole = whole_of(e);
        stand_in_end();
        if (only_message)
            keep_message(whole);
        expect_same(streamed, whole);
    }
}

static void test_messages(void **state)
{
    static const char *thinking[] = {"{\"type\":\"disabled\"}", "{\"type\":\"enabled\"}"};
    (void)state;
    compare(
        api_messages,
        "{\"model\":\"claude-x\",%s\"max_tokens\":50,\"thinking\":%s,\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}],"
        "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}",
        "\"stream\":true,", thinking, message_of, false);
}

static void test_responses(void **state)
{
    static const char *thinking[] = {"\"none\"", "\"high\""};
    (void)state;
    compare(api_responses,
            "{\"model\":\"m\",%s\"reasoning\":{\"effort\":%s},\"tools\":[{\"type\":\"function\",\"name\":\"f\"}],\"input\":\"hi\"}",
            "\"stream\":true,", thinking, response_of, false);
}

static void test_ollama(void **state)
{
    static const char *thinking[] = {"false", "true"};
    (void)state;
    compare(api_ollama_chat,
            "{\"model\":\"m\",%s\"think\":%s,\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}],"
            "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}",
            "", thinking, chat_of, true);
}

/* A fault in the middle of a stream ends it in the surface's own way. */
static void test_faults_end_streams(void **state)
{
    static const struct route ollama = {.surface = ROUTE_SURFACE_OLLAMA};
    static const struct {
        void (*handler)(struct exchange *);
        const char *body, *last;
    } rows[] = {
        {api_messages, "{\"model\":\"claude-x\",\"stream\":true,\"max_tokens\":50,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}",
         "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"the engine ended\"}}\n\n"},
        {api_ollama_chat, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}",
         "{\"error\":\"the engine ended\"}\n"},
        {api_responses, "{\"model\":\"m\",\"stream\":true,\"input\":\"hi\"}", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static const uint32_t ids[] = {'a', 'b'};
        struct exchange *e = stand_in_begin(str_of(rows[i].body));
        struct stand_in_submission *s = &stand_in.submissions[0];
        e->route = &ollama; /* the others write their own shape */
        rows[i].handler(e);
        e->step(e);
        send_ids(ids, 2);
        s->open = false;
        s->listener->failed(s->arg, "the engine ended");
        struct str out = str_from(e->out, e->n_out);
        if (rows[i].last) {
            assert_true(str_ends(out, str_of(rows[i].last)));
        } else {
            assert_true(str_find(out, str_of("event: response.failed\n")) > 0 && str_find(out, str_of("\"status\":\"failed\"")) > 0);
            assert_true(str_find(out, str_of("\"error\":{\"code\":\"internal_error\",\"message\":\"the engine ended\"}")) > 0);
        }
        assert_int_equal(e->n_ended, 1);
        stand_in_end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_messages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_responses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ollama, setup, teardown),
        cmocka_unit_test_setup_teardown(test_faults_end_streams, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
