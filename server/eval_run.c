/* Worker threads take the next item until none is left. Each result is written by the one that took its item. */
#include "server/eval_run.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/emit_json.h"
#include "base/mem.h"
#include "server/answer.h"

enum { REPLY_BYTES_MAX = 64 << 20, IDLE_MS_MAX = 600000, TRIES_MAX = 8, RETRY_SECONDS_MAX = 30, SLICE_NS = 100000000, BAR_WIDTH = 30 };

struct shared {
    struct eval_run *run;
    atomic_size_t next, n_done, n_right;
    atomic_bool ends;     /* the server is gone */
    pthread_mutex_t lock; /* of error */
    struct error *error;
    enum status status;
};

static bool is_stopped(const struct shared *s)
{
    const volatile sig_atomic_t *stop = s->run->reach->client.stop;
    return (stop && *stop) || atomic_load(&s->ends);
}

/* ---- The request --------------------------------------------------------------------------------------------- */

static void add_tree(struct emit_json *out, const char *key, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT);
    emit_key(out, key);
    emit_raw(out, str_of(text ? text : "null"));
    mem_free(text);
}

static void write_request(const struct eval_run *run, const struct eval_item *item, struct buf *body)
{
    struct emit_json out = emit_json_to(body);
    emit_object_begin(&out);
    emit_key_text(&out, "model", run->reach->model);
    if (item->messages)
        add_tree(&out, "messages", item->messages);
    else
        emit_key_text(&out, "prompt", item->prompt);
    if (item->suffix)
        emit_key_text(&out, "suffix", item->suffix);
    if (item->tools)
        add_tree(&out, "tools", item->tools);
    if (item->max_tokens)
        emit_key_int(&out, "max_tokens", item->max_tokens);
    emit_key(&out, "temperature");
    emit_double(&out, run->temperature);
    if (run->seed >= 0)
        emit_key_int(&out, "seed", run->seed);
    if (item->thinking) {
        emit_key(&out, "chat_template_kwargs");
        emit_object_begin(&out);
        emit_key_bool(&out, "thinking", json_is_true(item->thinking));
        emit_object_end(&out);
    }
    emit_object_end(&out);
}

/* ---- The reply ----------------------------------------------------------------------------------------------- */

static void collect(void *arg, struct str part)
{
    buf_add_str(arg, part);
}

/* Sleeps in slices, so that an interrupt is seen. */
static void wait_seconds(const struct shared *s, unsigned seconds)
{
    const struct timespec slice = {.tv_nsec = SLICE_NS};
    for (unsigned i = 0; i < seconds * 10 && !is_stopped(s); i++)
        nanosleep(&slice, NULL);
}

/* Sends it until the server has room for it. */
static enum status exchange(const struct shared *s, const struct eval_item *item, struct str body, struct buf *reply,
                            unsigned *http_status, struct error *error)
{
    struct client_exchange x = {.method = "POST",
                                .path = item->messages ? "/v1/chat/completions" : "/v1/completions",
                                .body = body,
                                .idle_ms_max = IDLE_MS_MAX,
                                .on_body = collect,
                                .arg = reply};
    enum status status = STATUS_BUSY;
    for (unsigned i = 0; i < TRIES_MAX && !is_stopped(s); i++) {
        buf_clear(reply);
        status = client_run(&s->run->reach->client, &x, error);
        bool again = status ? status == STATUS_BUSY || status == STATUS_IO : x.http_status == 429 || x.http_status == 503;
        if (!again || i + 1 == TRIES_MAX)
            break;
        unsigned wait = x.retry_after_s ? x.retry_after_s : 1u << (i < 4 ? i : 4);
        wait_seconds(s, wait < RETRY_SECONDS_MAX ? wait : RETRY_SECONDS_MAX);
    }
    *http_status = x.http_status;
    if (!status && buf_status(reply) != STATUS_OK)
        return error_set(error, STATUS_LIMIT, "the reply is longer than %d MB", REPLY_BYTES_MAX >> 20);
    return status;
}

static void check_answer(const struct eval_item *item, const struct eval_answer *answer, struct eval_result *result)
{
    result->outcome = EVAL_RIGHT;
    for (unsigned i = 0; i < item->n_checks && result->outcome == EVAL_RIGHT; i++)
        if (!eval_check_holds(&item->checks[i], answer, result->why))
            result->outcome = EVAL_WRONG;
}

static bool fail(struct eval_result *result, const char *why)
{
    result->outcome = EVAL_FAILED;
    snprintf(result->why, sizeof result->why, "%.240s", why);
    return false;
}

static void take_reply(const struct eval_item *item, const json_t *root, struct eval_result *result)
{
    const json_t *choice = json_array_get(json_object_get(root, "choices"), 0), *usage = json_object_get(root, "usage");
    const json_t *message = item->messages ? json_object_get(choice, "message") : choice;
    const json_t *content = json_object_get(message, item->messages ? "content" : "text");
    const char *finish = json_string_value(json_object_get(choice, "finish_reason"));
    if (!json_is_object(message)) {
        fail(result, "the reply has no choice");
        return;
    }
    struct eval_answer answer = {.tool_calls = json_object_get(message, "tool_calls")};
    if (json_is_string(content))
        answer.content = str_from(json_string_value(content), json_string_length(content));
    else
        answer.content = str_of("");
    result->thought = json_string_length(json_object_get(message, "reasoning_content")) > 0;
    result->cut = finish && strcmp(finish, "length") == 0;
    result->tokens = (uint32_t)json_integer_value(json_object_get(usage, "completion_tokens"));
    result->accepted =
        (uint32_t)json_integer_value(json_object_get(json_object_get(usage, "completion_tokens_details"), "accepted_prediction_tokens"));
    check_answer(item, &answer, result);
}

/* False when the server is out of reach. */
static bool ask(const struct shared *s, const struct eval_item *item, struct eval_result *result, struct error *error)
{
    struct buf body, reply;
    unsigned http_status = 0;
    buf_init(&body, REPLY_BYTES_MAX);
    buf_init(&reply, REPLY_BYTES_MAX);
    write_request(s->run, item, &body);
    uint64_t begin = clock_now_ns(clock_real());
    enum status status = buf_status(&body);
    if (status)
        error_set(error, status, "the request cannot be written");
    else
        status = exchange(s, item, buf_str(&body), &reply, &http_status, error);
    result->seconds = (double)(clock_now_ns(clock_real()) - begin) * 1e-9;
    bool reached = status == STATUS_OK || status == STATUS_LIMIT;
    json_t *root = status ? NULL : json_loadb(buf_str(&reply).at, reply.len, 0, NULL);
    if (!status && http_status != 200)
        status = answer_refusal(buf_str(&reply), http_status, error);
    if (status && reached)
        fail(result, error->message);
    else if (!status && root)
        take_reply(item, root, result);
    else if (!status)
        fail(result, "the reply is not JSON");
    if (root)
        result->reply = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    buf_release(&body);
    buf_release(&reply);
    return reached;
}

/* ---- Workers ------------------------------------------------------------------------------------------------- */

static void give_up(struct shared *s, const struct error *error)
{
    pthread_mutex_lock(&s->lock);
    if (!atomic_exchange(&s->ends, true)) {
        *s->error = *error;
        s->status = error->status;
    }
    pthread_mutex_unlock(&s->lock);
}

static void *work(void *arg)
{
    struct shared *s = arg;
    struct error error;
    while (!is_stopped(s)) {
        size_t i = atomic_fetch_add(&s->next, 1);
        if (i >= s->run->n)
            break;
        struct eval_result *result = &s->run->results[i];
        error_clear(&error);
        if (!ask(s, &s->run->suite->items[i], result, &error)) {
            give_up(s, &error);
            break;
        }
        if (result->outcome == EVAL_RIGHT)
            atomic_fetch_add(&s->n_right, 1);
        atomic_fetch_add(&s->n_done, 1);
    }
    return NULL;
}

static void show_progress(const struct shared *s, uint64_t begin)
{
    size_t done = atomic_load(&s->n_done), n = s->run->n, filled = n ? done * BAR_WIDTH / n : 0;
    double seconds = (double)(clock_now_ns(clock_real()) - begin) * 1e-9;
    char bar[BAR_WIDTH + 1] = "";
    memset(bar, '-', BAR_WIDTH);
    memset(bar, '#', filled);
    fprintf(stderr, "\r[%s] %zu of %zu, %.1f %% right, %.0f s left \033[K", bar, done, n,
            done ? 100.0 * (double)atomic_load(&s->n_right) / (double)done : 0, done ? seconds / (double)done * (double)(n - done) : 0);
    fflush(stderr);
}

static void watch(const struct shared *s, uint64_t begin)
{
    const struct timespec slice = {.tv_nsec = SLICE_NS};
    while (atomic_load(&s->n_done) < s->run->n && !is_stopped(s)) {
        show_progress(s, begin);
        nanosleep(&slice, NULL);
    }
    fputs("\r\033[K", stderr);
}

enum status eval_run_all(struct eval_run *run, struct error *error)
{
    struct shared s = {.run = run, .error = error, .lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t threads[EVAL_CONCURRENCY_MAX];
    unsigned n_threads = 0;
    uint64_t begin = clock_now_ns(clock_real());
    run->results = mem_zalloc_array(run->n, sizeof *run->results);
    if (!run->results)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    while (n_threads < run->concurrency && pthread_create(&threads[n_threads], NULL, work, &s) == 0)
        n_threads++;
    if (!n_threads)
        return error_set(error, STATUS_NO_MEMORY, "no thread can be started");
    if (run->shows_progress)
        watch(&s, begin);
    for (unsigned i = 0; i < n_threads; i++)
        pthread_join(threads[i], NULL);
    run->seconds = (double)(clock_now_ns(clock_real()) - begin) * 1e-9;
    if (run->reach->client.stop && *run->reach->client.stop)
        return error_set(error, STATUS_CANCELLED, "stopped");
    return s.status;
}

void eval_run_release(struct eval_run *run)
{
    for (size_t i = 0; run->results && i < run->n; i++)
        mem_free(run->results[i].reply);
    mem_free(run->results);
}
