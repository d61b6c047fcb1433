/* Generations against an engine that the test plays: texts, ends, faults, departures; every reply ends exactly once. */
#include "tests/support.h"

#include <jansson.h>

#include "base/rng.h"
#include "server/api.h"
#include "tests/server_stand_in.h"

#define THOUGHT "Hm, \xC3\xA9"
#define ANSWER "It is \xF0\x9F\x8C\x8D, 4."
#define STREAM "\"stream\":true,"
#define STOPS "\"stop\":[\"\xF0\x9F\x8C\x8D,\",\"Hm\"],"
#define CHAT(fields) "{\"model\":\"m\"," fields "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"

static struct error error;
static struct buf frame;

static int setup(void **state)
{
    (void)state;
    support_ok(stand_in_open("deepseek-r1-distill", &error), &error);
    buf_init(&frame, PROTOCOL_FRAME_BYTES_MAX);
    return 0;
}

static int setup_tools(void **state)
{
    (void)state;
    support_ok(stand_in_open("deepseek-v3.1", &error), &error);
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

#define CALLS_BEGIN "<｜tool▁calls▁begin｜>"
#define CALL_BEGIN "<｜tool▁call▁begin｜>"
#define TOOLS "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"look_up\"}}],"

/* ---- The engine's part -------------------------------------------------------------------------------------- */

static void send_ids(uint32_t submission, uint32_t choice, const uint32_t *ids, uint32_t n)
{
    struct protocol_token tokens[64] = {0};
    struct protocol_tokens_reader reader;
    struct stand_in_submission *s = &stand_in.submissions[submission];
    struct protocol_tokens head = {.choice = choice, .n_tokens = n, .has_logprobs = s->logprobs >= 0};
    for (uint32_t i = 0; i < n; i++)
        tokens[i] = (struct protocol_token){.token = ids[i], .logprob = -0.5f, .rank = 1};
    buf_clear(&frame);
    protocol_write_tokens(&frame, 1, 1, &head, tokens);
    support_ok(protocol_read_tokens(&reader, str_skip(buf_str(&frame), PROTOCOL_HEAD_BYTES), &error), &error);
    assert_true(s->open);
    s->listener->tokens(s->arg, &reader);
}

static void send_done(uint32_t submission, uint32_t choice, uint32_t finish, uint32_t n, bool last)
{
    struct stand_in_submission *s = &stand_in.submissions[submission];
    struct protocol_done done = {.choice = choice, .finish = finish, .stop_token = STAND_IN_END, .last = last, .n_generated = n,
                                 .n_prompt = s->n_prompt};
    assert_true(s->open);
    s->open = !last;
    s->listener->done(s->arg, &done);
}

static uint32_t ids_of(const char *text, uint32_t *ids)
{
    uint32_t n = 0;
    for (; *text; text++)
        ids[n++] = (unsigned char)*text;
    return n;
}

/* The thought and the answer, in frames of random size, until the choice is cancelled or over. */
static void play(struct rng *rng, uint32_t submission, uint32_t choice, bool last)
{
    uint32_t ids[128], n = ids_of(THOUGHT, ids);
    ids[n++] = STAND_IN_THINK_END;
    n += ids_of("\n\n" ANSWER, ids + n);
    for (uint32_t at = 0; at < n && stand_in.submissions[submission].open;) {
        uint32_t part = 1 + (uint32_t)rng_below(rng, 5);
        part = part < n - at ? part : n - at;
        send_ids(submission, choice, ids + at, part);
        at += part;
    }
    if (stand_in.submissions[submission].open)
        send_done(submission, choice, PROTOCOL_FINISH_STOP, n + 1, last);
}

static struct exchange *begin(const char *body)
{
    struct exchange *e = stand_in_begin(str_of(body));
    api_chat(e);
    if (e->step)
        e->step(e);
    return e;
}

/* ---- What the client got ------------------------------------------------------------------------------------ */

struct got {
    char reasoning[256], content[256], finish[16], error_code[32];
    char calls[256]; /* "0:name(arguments)1:..." */
    unsigned n_events, n_keepalives, n_finishes, n_done;
};

static void append(char *out, size_t size, const json_t *text)
{
    if (json_is_string(text))
        snprintf(out + strlen(out), size - strlen(out), "%s", json_string_value(text));
}

static void append_call(char *out, size_t size, const json_t *call, json_int_t index)
{
    const json_t *function = json_object_get(call, "function"), *name = json_object_get(function, "name");
    const char *id = json_string_value(json_object_get(call, "id"));
    assert_int_equal(name != NULL, id && strncmp(id, "call_", 5) == 0 && strlen(id) == 29);
    if (name)
        snprintf(out + strlen(out), size - strlen(out), "%d:%s=", (int)index, json_string_value(name));
    append(out, size, json_object_get(function, "arguments"));
}

static void take_event(struct got *got, const char *at, size_t n)
{
    json_t *root = json_loadb(at, n, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    const json_t *choice = json_array_get(json_object_get(root, "choices"), 0), *delta = json_object_get(choice, "delta");
    append(got->reasoning, sizeof got->reasoning, json_object_get(delta, "reasoning_content"));
    append(got->content, sizeof got->content, json_object_get(delta, "content"));
    append(got->finish, sizeof got->finish, json_object_get(choice, "finish_reason"));
    const json_t *call = json_array_get(json_object_get(delta, "tool_calls"), 0);
    if (call)
        append_call(got->calls, sizeof got->calls, call, json_integer_value(json_object_get(call, "index")));
    append(got->error_code, sizeof got->error_code, json_object_get(json_object_get(root, "error"), "code"));
    got->n_finishes += json_is_string(json_object_get(choice, "finish_reason"));
    got->n_events++;
    json_decref(root);
}

static struct got read_stream(const struct exchange *e)
{
    struct got got = {0};
    assert_int_equal(e->n_begun, 1);
    assert_int_equal(e->n_replies, 0);
    for (const char *at = e->out, *end = e->out + e->n_out; at < end;) {
        const char *stop = memmem(at, (size_t)(end - at), "\n\n", 2);
        assert_non_null(stop);
        assert_int_equal(got.n_done, 0);
        if (*at == ':')
            got.n_keepalives++;
        else if (memcmp(at, "data: [DONE]", 12) == 0)
            got.n_done++;
        else
            take_event(&got, at + 6, (size_t)(stop - at) - 6);
        at = stop + 2;
    }
    return got;
}

/* The message of a whole reply, or an error's code. */
static struct got read_whole(const struct exchange *e)
{
    struct got got = {0};
    json_t *root = json_loadb(e->out, e->n_out, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    const json_t *choice = json_array_get(json_object_get(root, "choices"), 0), *message = json_object_get(choice, "message");
    append(got.reasoning, sizeof got.reasoning, json_object_get(message, "reasoning_content"));
    append(got.content, sizeof got.content, json_object_get(message, "content"));
    append(got.finish, sizeof got.finish, json_object_get(choice, "finish_reason"));
    const json_t *calls = json_object_get(message, "tool_calls");
    assert_int_equal(calls != NULL, json_array_size(calls) > 0);
    for (size_t i = 0; i < json_array_size(calls); i++)
        append_call(got.calls, sizeof got.calls, json_array_get(calls, i), (json_int_t)i);
    append(got.error_code, sizeof got.error_code, json_object_get(json_object_get(root, "error"), "code"));
    json_decref(root);
    return got;
}

static void expect_ended(const struct exchange *e)
{
    assert_int_equal(e->n_replies + e->n_ended + e->n_abandoned, 1);
    for (uint32_t i = 0; i < stand_in.n_submissions; i++)
        assert_false(stand_in.submissions[i].open);
    assert_null(stand_in.tick);
    stand_in_end();
}

/* ---- Tests -------------------------------------------------------------------------------------------------- */

static void test_however_tokens_come_the_text_is_the_same(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct rng rng = rng_seeded(seed);
        struct exchange *e = begin(seed % 2 ? CHAT(STREAM) : CHAT(""));
        play(&rng, 0, 0, true);
        struct got got = seed % 2 ? read_stream(e) : read_whole(e);
        assert_string_equal(got.reasoning, THOUGHT);
        assert_string_equal(got.content, ANSWER);
        assert_string_equal(got.finish, "stop");
        if (seed % 2)
            assert_true(got.n_done == 1 && got.n_finishes == 1);
        expect_ended(e);
    }
}

/* A text in which a letter after $ stands for a control token: B C S c b of a block of calls, t the thought's end. */
static uint32_t tool_ids_of(const char *text, uint32_t *ids)
{
    static const char letters[] = "BCScb";
    uint32_t n = 0;
    for (; *text; text++)
        if (*text != '$')
            ids[n++] = (unsigned char)*text;
        else if (*++text == 't')
            ids[n++] = STAND_IN_THINK_END;
        else
            ids[n++] = STAND_IN_CALLS_BEGIN + (uint32_t)(strchr(letters, *text) - letters);
    return n;
}

/* The reply to `body` when the model writes `text` and then ends in this way. */
static struct got reply_of(const char *body, const char *text, uint32_t finish, uint64_t seed)
{
    struct rng rng = rng_seeded(seed);
    uint32_t ids[256], n = tool_ids_of(text, ids);
    struct exchange *e = begin(body);
    for (uint32_t at = 0; at < n && stand_in.submissions[0].open;) {
        uint32_t part = 1 + (uint32_t)rng_below(&rng, 9);
        part = part < n - at ? part : n - at;
        send_ids(0, 0, ids + at, part);
        at += part;
    }
    if (stand_in.submissions[0].open)
        send_done(0, 0, finish, n, true);
    struct got got = e->n_begun ? read_stream(e) : read_whole(e);
    expect_ended(e);
    return got;
}

#define WITH_THOUGHT "\"chat_template_kwargs\":{\"thinking\":true},"

static void test_tool_calls_are_the_same_streamed_and_whole(void **state)
{
    static const struct {
        const char *fields, *text;
        uint32_t finish;
        const char *reasoning, *content, *calls, *reason;
    } rows[] = {
        {"", "Let me see.$B$Clook_up$S{\"a\": 1}$c$Cg$S{}$c$b", PROTOCOL_FINISH_STOP, "", "Let me see.",
         "0:look_up={\"a\": 1}1:g={}", "tool_calls"},
        {"", "$B$Clook_up$S{\"a\": \"\xC3\xA9\"}", PROTOCOL_FINISH_STOP, "", "", "0:look_up={\"a\": \"\xC3\xA9\"}", "tool_calls"},
        {"", "$B$Clook_up$S{\"a\": ", PROTOCOL_FINISH_LENGTH, "", "", "0:look_up={\"a\":", "length"},
        {"", "$B$Clook_up", PROTOCOL_FINISH_LENGTH, "", CALLS_BEGIN CALL_BEGIN "look_up", "", "length"},
        {"\"parallel_tool_calls\":false,", "$B$Clook_up$S{}$c$Cg$S{}$c$b", PROTOCOL_FINISH_STOP, "", "", "0:look_up={}", "tool_calls"},
        {"\"stop\":[\"look\",\"see\"],", "I lo$B$Clook_up$S{\"see\":1}$c$b", PROTOCOL_FINISH_STOP, "", "I lo",
         "0:look_up={\"see\":1}", "tool_calls"},
        {"\"stop\":[\"e.\"],", "Let me see.$B$Clook_up$S{}$c$b", PROTOCOL_FINISH_STOP, "", "Let me se", "", "stop"},
        {WITH_THOUGHT, "Hm$B?$t$B$Clook_up$S{}$c$b", PROTOCOL_FINISH_STOP, "Hm" CALLS_BEGIN "?", "", "0:look_up={}",
         "tool_calls"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (uint64_t seed = 0; seed < 30; seed++) {
            char body[1024];
            snprintf(body, sizeof body, "{\"model\":\"m\",%s%s%s\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}", rows[i].fields,
                     TOOLS, seed % 2 ? STREAM : "");
            struct got got = reply_of(body, rows[i].text, rows[i].finish, seed);
            assert_string_equal(got.reasoning, rows[i].reasoning);
            assert_string_equal(got.content, rows[i].content);
            assert_string_equal(got.calls, rows[i].calls);
            assert_string_equal(got.finish, rows[i].reason);
        }
}

/* With the n-th allocation failing a reply is whole or a fault, and ends once. */
static void test_without_memory_calls_are_whole_or_the_reply_says_so(void **state)
{
    static const char *const bodies[] = {CHAT(TOOLS), CHAT(STREAM TOOLS)};
    uint32_t ids[64], n_ids = tool_ids_of("A$B$Clook_up$S{\"a\":1}$c$b", ids);
    (void)state;
    buf_clear(&frame);
    support_ok(buf_reserve(&frame, 65536), &error);
    for (size_t i = 0; i < 2; i++)
        for (uint64_t n = 1, failed = 1; failed; n++) {
            mem_fail_after(n, n % 2);
            struct exchange *e = begin(bodies[i]);
            if (stand_in.n_submissions && stand_in.submissions[0].open)
                send_ids(0, 0, ids, n_ids);
            failed = mem_fail_after(0, false) >= n;
            struct got got = e->n_begun ? read_stream(e) : e->n_out ? read_whole(e) : (struct got){0};
            bool fault = *got.error_code || e->n_out == 0;
            assert_true(fault ? failed : strcmp(got.calls, "0:look_up={\"a\":1}") == 0);
            expect_ended(e);
        }
}

static void test_without_tools_the_marks_are_text(void **state)
{
    (void)state;
    struct got got = reply_of(CHAT(TOOLS "\"tool_choice\":\"none\","), "$B", PROTOCOL_FINISH_STOP, 1);
    assert_string_equal(got.content, CALLS_BEGIN);
    assert_string_equal(got.finish, "stop");
}

static void test_the_end_of_the_calls_cancels_what_still_runs(void **state)
{
    uint32_t ids[64], n = tool_ids_of("$B$Clook_up$S{}$c$b", ids);
    (void)state;
    struct exchange *e = begin(CHAT(STREAM TOOLS "\"n\":2,"));
    send_ids(0, 1, ids, n);
    assert_int_equal(stand_in.submissions[0].choices_cancelled, 2);
    send_ids(0, 0, ids, n);
    assert_false(stand_in.submissions[0].open);
    expect_ended(e);
}

static void test_arguments_cost_no_allocation_once_buffers_have_grown(void **state)
{
    uint32_t ids[64], n = tool_ids_of("$B$Clook_up$S{\"a\":\"", ids);
    (void)state;
    struct exchange *e = begin(CHAT(STREAM TOOLS "\"max_tokens\":400,"));
    send_ids(0, 0, ids, n);
    for (unsigned i = 0; i < 40; i++)
        send_ids(0, 0, (const uint32_t[]){'a', 'b', 'c', 'd'}, 4);
    mem_fail_after(0, false);
    for (unsigned i = 0; i < 20; i++)
        send_ids(0, 0, (const uint32_t[]){'a', 'b', 'c', 'd'}, 4);
    assert_int_equal(mem_fail_after(0, false), 0);
    e->on_gone(e);
    expect_ended(e);
}

static void test_a_stop_string_cancels_what_still_runs(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct rng rng = rng_seeded(seed);
        struct exchange *e = begin(seed % 2 ? CHAT(STREAM STOPS) : CHAT(STOPS));
        play(&rng, 0, 0, true);
        struct got got = seed % 2 ? read_stream(e) : read_whole(e);
        assert_string_equal(got.content, "It is ");
        assert_string_equal(got.reasoning, THOUGHT);
        assert_string_equal(got.finish, "stop");
        expect_ended(e);
    }
}

static void test_a_stop_string_cancels_its_choice_alone(void **state)
{
    struct rng rng = rng_seeded(2);
    (void)state;
    struct exchange *e = begin(CHAT(STREAM STOPS "\"n\":3,"));
    const struct stand_in_submission *s = &stand_in.submissions[0];
    play(&rng, 0, 1, false);
    assert_true(s->open && s->choices_cancelled == 2);
    play(&rng, 0, 0, false);
    assert_true(s->open && s->choices_cancelled == 3);
    play(&rng, 0, 2, true);
    assert_true(!s->open && s->choices_cancelled == 3); /* the last one ends the whole submission */
    expect_ended(e);
}

static void test_choices_end_one_by_one(void **state)
{
    struct rng rng = rng_seeded(1);
    (void)state;
    struct exchange *e = begin(CHAT(STREAM "\"n\":3,"));
    assert_int_equal(stand_in.n_submissions, 1);
    assert_int_equal(stand_in.submissions[0].n_choices, 3);
    for (uint32_t choice = 0; choice < 3; choice++) {
        assert_int_equal(e->n_ended, 0);
        play(&rng, 0, choice, choice == 2);
    }
    struct got got = read_stream(e);
    assert_true(got.n_finishes == 3 && got.n_done == 1);
    expect_ended(e);
}

static void test_refusals_have_their_status_and_code(void **state)
{
    static const struct {
        enum protocol_refusal reason;
        unsigned status;
        const char *code;
    } rows[] = {{PROTOCOL_REFUSED_TOO_LONG, 400, "context_length_exceeded"}, {PROTOCOL_REFUSED_QUEUE_FULL, 503, "server_overloaded"},
                {PROTOCOL_REFUSED_TIMEOUT, 504, "queue_timeout"}, {PROTOCOL_REFUSED_STOPPING, 503, "draining"},
                {PROTOCOL_REFUSED_INVALID, 400, "invalid_value"}};
    (void)state;
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        struct exchange *e = begin(i % 2 ? CHAT(STREAM) : CHAT(""));
        struct protocol_refused refused = {.reason = rows[i / 2].reason, .message = "no"};
        stand_in.submissions[0].open = false;
        stand_in.submissions[0].listener->refused(stand_in.submissions[0].arg, &refused);
        assert_int_equal(e->status, rows[i / 2].status);
        assert_string_equal(read_whole(e).error_code, rows[i / 2].code);
        expect_ended(e);
    }
}

static void test_after_a_keep_alive_a_fault_is_an_event(void **state)
{
    (void)state;
    struct exchange *e = begin(CHAT(STREAM));
    for (unsigned i = 0; i < 3; i++) {
        void (*tick)(void *) = stand_in.tick;
        stand_in.tick = NULL;
        tick(stand_in.tick_arg);
    }
    stand_in.submissions[0].open = false;
    stand_in.submissions[0].listener->failed(stand_in.submissions[0].arg, "the engine ended");
    struct got got = read_stream(e);
    assert_int_equal(got.n_keepalives, 3);
    assert_int_equal(got.n_done, 1);
    assert_string_equal(got.error_code, "internal_error");
    assert_string_equal(got.finish, "");
    expect_ended(e);
}

static void test_a_fault_of_a_whole_reply_has_its_status(void **state)
{
    (void)state;
    struct exchange *e = begin(CHAT(""));
    uint32_t id = 'H';
    send_ids(0, 0, &id, 1);
    stand_in.submissions[0].open = false;
    stand_in.submissions[0].listener->failed(stand_in.submissions[0].arg, "the engine ended");
    assert_int_equal(e->status, 500);
    assert_string_equal(read_whole(e).error_code, "internal_error");
    expect_ended(e);
}

static void test_a_front_that_takes_nothing_is_answered_at_once(void **state)
{
    (void)state;
    stand_in.front_refuses = true;
    struct exchange *e = begin(CHAT(STREAM));
    assert_int_equal(e->status, 503);
    assert_string_equal(read_whole(e).error_code, "draining");
    expect_ended(e);
    stand_in.front_refuses = false;
    stand_in.loading = true;
    e = begin(CHAT(""));
    assert_string_equal(read_whole(e).error_code, "model_loading");
    expect_ended(e);
    stand_in.loading = false;
}

static void test_a_client_that_leaves_cancels_its_work(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct exchange *e = begin(i % 2 ? CHAT(STREAM) : CHAT(""));
        uint32_t ids[2] = {'H', 'm'};
        if (i >= 2)
            send_ids(0, 0, ids, 2);
        e->on_gone(e);
        assert_int_equal(e->n_abandoned, 1);
        assert_int_equal(e->n_replies + e->n_ended, 0);
        expect_ended(e);
    }
}

static void test_a_stream_that_takes_no_more_cancels_its_work(void **state)
{
    (void)state;
    struct exchange *e = begin(CHAT(STREAM));
    uint32_t id = 'H';
    send_ids(0, 0, &id, 1);
    e->refuses_writes = true;
    send_ids(0, 0, &id, 1);
    assert_false(stand_in.submissions[0].open);
    assert_int_equal(e->n_ended + e->n_abandoned, 0);
    e->on_gone(e);
    expect_ended(e);
}

static void test_an_ended_prompt_is_not_cancelled(void **state)
{
    struct rng rng = rng_seeded(4);
    (void)state;
    struct exchange *e = stand_in_begin(str_of("{\"model\":\"m\",\"prompt\":[\"a\",\"b\"],\"stop\":\"4\"}"));
    api_completions(e);
    e->step(e);
    assert_int_equal(stand_in.n_submissions, 2);
    uint32_t id = 'x';
    send_ids(0, 0, &id, 1);
    send_done(0, 0, PROTOCOL_FINISH_LENGTH, 1, true);
    play(&rng, 1, 0, true);
    assert_int_equal(e->status, 200);
    expect_ended(e);
}

static void test_tokens_cost_no_allocation_once_buffers_have_grown(void **state)
{
    (void)state;
    struct exchange *e = begin(CHAT(STREAM "\"max_tokens\":400,"));
    uint32_t ids[4] = {'a', 0xC3, 0xA9, ' '};
    for (unsigned i = 0; i < 20; i++)
        send_ids(0, 0, ids, 4);
    mem_fail_after(0, false);
    for (unsigned i = 0; i < 50; i++)
        send_ids(0, 0, ids, 4);
    assert_int_equal(mem_fail_after(0, false), 0);
    e->on_gone(e);
    expect_ended(e);
}

/* Either all of the answer came, or a fault was reported. */
static void expect_all_or_fault(const struct exchange *e)
{
    struct got got = e->n_begun ? read_stream(e) : e->n_out ? read_whole(e) : (struct got){0};
    if (e->n_begun)
        assert_int_equal(got.n_done, 1);
    if (e->status == 200 && !got.error_code[0]) {
        assert_string_equal(got.reasoning, THOUGHT);
        assert_string_equal(got.content, ANSWER);
        assert_string_equal(got.finish, "stop");
    } else if (e->n_begun) {
        assert_string_equal(got.error_code, "internal_error");
    } else {
        assert_true(e->status == 500 || e->status == 503);
    }
}

static bool run_short_of_memory(const char *body, uint64_t n)
{
    struct rng rng = rng_seeded(n);
    mem_fail_after(n, n % 2);
    struct exchange *e = stand_in_begin(str_of(body));
    api_chat(e);
    if (e->step)
        e->step(e);
    if (stand_in.n_submissions && stand_in.submissions[0].open)
        play(&rng, 0, 0, true);
    bool failed = mem_fail_after(0, false) >= n;
    expect_all_or_fault(e);
    expect_ended(e);
    return failed;
}

static void test_without_memory_a_reply_is_whole_or_says_so(void **state)
{
    static const char *const bodies[] = {CHAT(""), CHAT(STREAM), CHAT(STREAM "\"logprobs\":true,\"return_token_ids\":true,"),
                                         CHAT("\"logprobs\":true,\"stop\":[\"zz\",\"5\"],")};
    (void)state;
    buf_clear(&frame);
    support_ok(buf_reserve(&frame, 65536), &error);
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        uint64_t n = 1;
        while (run_short_of_memory(bodies[i], n))
            n++;
        assert_true(n > 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_however_tokens_come_the_text_is_the_same),
        cmocka_unit_test(test_a_stop_string_cancels_what_still_runs),
        cmocka_unit_test(test_a_stop_string_cancels_its_choice_alone),
        cmocka_unit_test(test_choices_end_one_by_one),
        cmocka_unit_test(test_refusals_have_their_status_and_code),
        cmocka_unit_test(test_after_a_keep_alive_a_fault_is_an_event),
        cmocka_unit_test(test_a_fault_of_a_whole_reply_has_its_status),
        cmocka_unit_test(test_a_front_that_takes_nothing_is_answered_at_once),
        cmocka_unit_test(test_a_client_that_leaves_cancels_its_work),
        cmocka_unit_test(test_a_stream_that_takes_no_more_cancels_its_work),
        cmocka_unit_test(test_an_ended_prompt_is_not_cancelled),
        cmocka_unit_test(test_tokens_cost_no_allocation_once_buffers_have_grown),
        cmocka_unit_test(test_without_memory_a_reply_is_whole_or_says_so),
    };
    const struct CMUnitTest tool_tests[] = {
        cmocka_unit_test(test_tool_calls_are_the_same_streamed_and_whole),
        cmocka_unit_test(test_without_memory_calls_are_whole_or_the_reply_says_so),
        cmocka_unit_test(test_without_tools_the_marks_are_text),
        cmocka_unit_test(test_the_end_of_the_calls_cancels_what_still_runs),
        cmocka_unit_test(test_arguments_cost_no_allocation_once_buffers_have_grown),
    };
    int failed = cmocka_run_group_tests_name("generation", tests, setup, teardown);
    return failed + cmocka_run_group_tests_name("generation with tools", tool_tests, setup_tools, teardown);
}
