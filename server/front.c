/* The engine and what it owes to whom, its watchdog and restarts, readiness, and the way down. Everything here runs on the main
 * thread, except front_read_state: `state_lock` guards the snapshot that other threads read. */
#include "server/front.h"

#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "server/engine_link.h"
#include "server/golden.h"
#include "server/http.h"
#include "server/loop.h"
#include "server/metrics.h"
#include "server/notify.h"
#include "server/server.h"
#include "server/version.h"
#include "text/vocabulary.h"

enum {
    BUCKETS = 4096,
    TICK_MS = 100,
    SUSPECT_MS = 3000,        /* busy without a sign for this long: not ready */
    LIVE_MS = 1000,
    RESTART_FIRST_MS = 1000,
    RESTART_MAX_MS = 60000,
    DEATHS_KEPT = 5,          /* that many within DEATHS_WINDOW_MS: /health says error */
    DEATHS_WINDOW_MS = 600000,
    ATTEMPTS_MAX = 3,         /* of one submission, over engine restarts */
    POISON_ROWS = 64,
    POISON_MS = 600000,
    STOP_MS = 5000,           /* an engine that does not stop by itself is killed */
    LINGER_MS = 500,          /* for last bytes to leave after a drain */
    EXIT_FAULT = 70,
    EXIT_MODEL_FILE = 74,
};

struct submission {
    struct submission *next; /* in its bucket */
    uint64_t id;
    struct engine_listener listener;
    void *arg;
    struct buf frame;        /* kept until the first token, to be sent again to a new engine */
    bool has_token, needs_vocabulary;
    unsigned attempts;
    uint64_t digest;         /* keyed: names a poison request without keeping its text */
};

struct poison {
    uint64_t digest, at_ms;
    unsigned deaths;
};

struct front {
    struct server *server;
    char **environment;
    struct loop loop;
    uv_timer_t tick, restart, stop_deadline;
    uv_signal_t on_term, on_int, on_hup;
    void (*reload)(void *arg);
    void *reload_arg;

    pthread_mutex_t state_lock;
    struct front_state state;
    _Atomic uint64_t turned_ms; /* when the loop last turned */

    struct engine_link *engine; /* null between engines */
    uint32_t epoch;
    bool engine_ready, golden_ok;
    bool knows_vocabulary; /* the engine does */
    struct golden *golden; /* the check that runs */
    uint64_t last_frame_ms, started_ms;
    uint64_t deaths_ms[DEATHS_KEPT];
    unsigned n_deaths, restart_wait_ms;
    char last_cause[256];
    struct poison poison[POISON_ROWS];

    struct submission *submissions[BUCKETS];
    unsigned n_submissions;
    uint64_t last_id;
    struct hash_secret {
        unsigned char bytes[crypto_shorthash_KEYBYTES];
    } digest_key;

    bool stopping;     /* the loop is on its way out */
    int exit_code;
};

static uint64_t now_ms(void)
{
    return clock_now_ns(clock_real()) / 1000000;
}

static const struct config *settings(const struct front *f)
{
    return f->server->config;
}

/* ---- State ------------------------------------------------------------------------------------------------- */

static bool busy(const struct front *f)
{
    return f->n_submissions > 0;
}

/* Ready is what is true now: loaded, checked, moving, and not on the way down. */
static void publish_state(struct front *f)
{
    bool moving = !busy(f) || now_ms() - f->last_frame_ms < SUSPECT_MS;
    uint64_t now = now_ms();
    unsigned recent = 0;
    for (unsigned i = 0; i < DEATHS_KEPT; i++)
        recent += f->deaths_ms[i] && now - f->deaths_ms[i] < DEATHS_WINDOW_MS;
    pthread_mutex_lock(&f->state_lock);
    f->state.loading = !f->engine_ready || !f->golden_ok;
    f->state.engine_failed = recent >= DEATHS_KEPT;
    f->state.ready = f->engine && f->engine_ready && f->golden_ok && moving && !f->state.draining;
    pthread_mutex_unlock(&f->state_lock);
}

void front_read_state(struct front *f, struct front_state *out)
{
    pthread_mutex_lock(&f->state_lock);
    *out = f->state;
    pthread_mutex_unlock(&f->state_lock);
    out->live = now_ms() - f->turned_ms < LIVE_MS && (!f->server->http || http_is_live(f->server->http));
}

static bool draining(const struct front *f)
{
    return f->state.draining; /* written on this thread alone */
}

/* ---- Submissions ------------------------------------------------------------------------------------------- */

static struct submission **submission_slot(struct front *f, uint64_t id)
{
    struct submission **slot = &f->submissions[id % BUCKETS];
    while (*slot && (*slot)->id != id)
        slot = &(*slot)->next;
    return slot;
}

static void submission_free(struct submission *s)
{
    buf_release(&s->frame);
    mem_free(s);
}

static struct submission *submission_take(struct front *f, struct submission **slot)
{
    struct submission *s = *slot;
    *slot = s->next;
    f->n_submissions--;
    return s;
}

static uint64_t digest_of(const struct front *f, const struct protocol_submit *submit)
{
    uint64_t digest;
    crypto_shorthash((unsigned char *)&digest, (const unsigned char *)submit->prompt, submit->n_prompt * sizeof *submit->prompt,
                     f->digest_key.bytes);
    return digest;
}

/* A prompt that was in the plan of two engine deaths within ten minutes is refused for ten minutes. */
static bool is_poison(const struct front *f, uint64_t digest)
{
    uint64_t now = now_ms();
    for (unsigned i = 0; i < POISON_ROWS; i++)
        if (f->poison[i].digest == digest && f->poison[i].deaths >= 2 && now - f->poison[i].at_ms < POISON_MS)
            return true;
    return false;
}

static void note_poison(struct front *f, uint64_t digest)
{
    struct poison *row = &f->poison[0];
    uint64_t now = now_ms();
    for (unsigned i = 0; i < POISON_ROWS; i++) {
        if (f->poison[i].digest == digest && f->poison[i].deaths) {
            row = &f->poison[i];
            break;
        }
        if (f->poison[i].at_ms < row->at_ms)
            row = &f->poison[i];
    }
    bool again = row->digest == digest && now - row->at_ms < POISON_MS;
    *row = (struct poison){digest, now, again ? row->deaths + 1 : 1};
}

static enum status refuse_now(struct front *f, uint64_t digest, struct error *error)
{
    if (draining(f))
        return error_set_path(error, STATUS_BUSY, "draining", "", "the server is shutting down");
    if (!f->engine || !f->engine_ready || !f->golden_ok)
        return error_set_path(error, STATUS_BUSY, "model_loading", "", "the model is being loaded");
    if (is_poison(f, digest))
        return error_set_path(error, STATUS_INTERNAL, "internal_error", "",
                              "this request ended the engine twice and is refused for a while");
    return STATUS_OK;
}

/* Before the first submission that needs it. */
static enum status send_vocabulary(struct front *f, struct error *error)
{
    struct vocabulary vocabulary;
    if (f->knows_vocabulary)
        return STATUS_OK;
    enum status status = vocabulary_init(&vocabulary, f->server->text.tokenizer, error);
    if (status)
        return status;
    protocol_write_vocabulary(engine_link_out(f->engine), f->epoch, vocabulary.tokens, vocabulary.n);
    vocabulary_release(&vocabulary);
    f->knows_vocabulary = buf_status(engine_link_out(f->engine)) == STATUS_OK;
    return f->knows_vocabulary ? STATUS_OK : error_set(error, STATUS_NO_MEMORY, "out of memory for the vocabulary");
}

uint64_t front_submit_unchecked(struct front *f, const struct protocol_submit *message, const struct engine_listener *listener,
                                void *arg, struct error *error)
{
    struct submission *s = mem_zalloc(sizeof *s);
    if (!s) {
        error_set(error, STATUS_NO_MEMORY, "out of memory");
        return 0;
    }
    bool needs_vocabulary = message->language.len || (message->thought.governed && message->thought.pull > 0);
    if (needs_vocabulary && send_vocabulary(f, error)) {
        mem_free(s);
        return 0;
    }
    *s = (struct submission){.id = ++f->last_id, .listener = *listener, .arg = arg, .attempts = 1, .needs_vocabulary = needs_vocabulary};
    s->digest = digest_of(f, message);
    buf_init(&s->frame, PROTOCOL_FRAME_BYTES_MAX + PROTOCOL_HEAD_BYTES);
    protocol_write_submit(&s->frame, f->epoch, s->id, message);
    if (buf_status(&s->frame) != STATUS_OK ||
        buf_add(engine_link_out(f->engine), s->frame.at, s->frame.len) != STATUS_OK) {
        submission_free(s);
        error_set(error, STATUS_NO_MEMORY, "out of memory for the request");
        return 0;
    }
    if (!busy(f))
        f->last_frame_ms = now_ms(); /* the engine owes a sign from now on */
    s->next = f->submissions[s->id % BUCKETS];
    f->submissions[s->id % BUCKETS] = s;
    f->n_submissions++;
    engine_link_flush(f->engine);
    return s->id;
}

uint64_t front_submit(struct front *f, const struct protocol_submit *message, const struct engine_listener *listener, void *arg,
                      struct error *error)
{
    return refuse_now(f, digest_of(f, message), error) == STATUS_OK ? front_submit_unchecked(f, message, listener, arg, error) : 0;
}

static void send_cancel(struct front *f, uint64_t id, uint32_t choice)
{
    if (!f->engine || !f->engine_ready)
        return;
    protocol_write_cancel(engine_link_out(f->engine), f->epoch, id, choice);
    engine_link_flush(f->engine);
}

void front_cancel(struct front *f, uint64_t id)
{
    struct submission **slot = submission_slot(f, id);
    if (!*slot)
        return;
    submission_free(submission_take(f, slot));
    send_cancel(f, id, PROTOCOL_EVERY_CHOICE);
}

void front_cancel_choice(struct front *f, uint64_t id, uint32_t choice)
{
    if (*submission_slot(f, id))
        send_cancel(f, id, choice);
}

void front_control(struct front *f, uint64_t id, enum protocol_control control)
{
    if (!*submission_slot(f, id) || !f->engine || !f->engine_ready)
        return;
    protocol_write_control(engine_link_out(f->engine), f->epoch, id, control);
    engine_link_flush(f->engine);
}

/* Ends every submission that `pick` names, telling its listener why. Listeners may submit and cancel meanwhile. */
static void fail_where(struct front *f, bool (*pick)(const struct submission *s), const char *cause)
{
    for (unsigned i = 0; i < BUCKETS; i++)
        for (struct submission **slot = &f->submissions[i]; *slot;) {
            if (!pick(*slot)) {
                slot = &(*slot)->next;
                continue;
            }
            struct submission *s = submission_take(f, slot);
            s->listener.failed(s->arg, cause);
            submission_free(s);
            slot = &f->submissions[i];
        }
}

static bool pick_all(const struct submission *s)
{
    (void)s;
    return true;
}

static bool pick_lost(const struct submission *s)
{
    return s->has_token || s->attempts >= ATTEMPTS_MAX;
}

/* ---- News from the engine ---------------------------------------------------------------------------------- */

static void set_fingerprint(struct front *f, const struct protocol_ready *ready)
{
    unsigned char hash[8];
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, crypto_generichash_BYTES_MIN);
    crypto_generichash_update(&state, (const unsigned char *)version_number(), strlen(version_number()));
    crypto_generichash_update(&state, (const unsigned char *)version_build(), strlen(version_build()));
    crypto_generichash_update(&state, ready->model_digest, sizeof ready->model_digest);
    crypto_generichash_update(&state, (const unsigned char *)ready->numerics_version, strlen(ready->numerics_version));
    unsigned char full[crypto_generichash_BYTES_MIN];
    crypto_generichash_final(&state, full, sizeof full);
    memcpy(hash, full, sizeof hash);
    char text[40] = "fp_";
    sodium_bin2hex(text + 3, sizeof text - 3, hash, sizeof hash);
    memcpy(f->server->fingerprint, text, sizeof text);
}

/* Work that had no token when the last engine died goes to the new one, oldest first. */
static void resubmit(struct front *f)
{
    struct buf *out = engine_link_out(f->engine);
    for (uint64_t first = f->last_id > BUCKETS ? f->last_id - BUCKETS : 0, pass = 0; pass < 2; pass++)
        for (unsigned i = 1; i <= BUCKETS; i++)
            for (struct submission *s = f->submissions[(first + i) % BUCKETS]; s; s = s->next) {
                if ((s->id > first) != (pass == 1))
                    continue;
                struct error error;
                check(!s->needs_vocabulary || send_vocabulary(f, &error) == STATUS_OK);
                s->attempts++;
                protocol_set_epoch(s->frame.at, f->epoch);
                buf_add(out, s->frame.at, s->frame.len);
            }
    check(buf_status(out) == STATUS_OK);
    engine_link_flush(f->engine);
}

static void golden_ended(void *arg, const char *failure)
{
    struct front *f = arg;
    if (failure) {
        f->golden = NULL;
        log_error("self-check failed", "cause=\"%s\"", failure);
        snprintf(f->last_cause, sizeof f->last_cause, "self-check: %s", failure);
        if (f->engine)
            engine_link_kill(f->engine);
        return;
    }
    f->golden = NULL;
    f->golden_ok = true;
    resubmit(f);
    publish_state(f);
    log_info("ready", "model=%s load_ms=%llu", f->server->model_id, (unsigned long long)(now_ms() - f->started_ms));
    notify_service_manager(f->environment, "READY=1\nSTATUS=serving");
}

static enum status on_ready(struct front *f, struct str body, struct error *error)
{
    static struct protocol_ready ready; /* large; main thread only */
    enum status status = protocol_read_ready(&ready, body, error);
    if (status)
        return status;
    f->engine_ready = true;
    f->restart_wait_ms = RESTART_FIRST_MS;
    set_fingerprint(f, &ready);
    pthread_mutex_lock(&f->state_lock);
    f->state.engine = ready;
    f->state.engine_known = true;
    pthread_mutex_unlock(&f->state_lock);
    for (const char *line = ready.summary; *line;) {
        size_t n = strcspn(line, "\n");
        log_info("memory", "%.*s", (int)n, line);
        line += n + (line[n] == '\n');
    }
    return golden_start(&f->golden, f->server, &ready, golden_ended, f, error);
}

static void on_tokens(struct front *f, struct submission *s, struct str body, struct error *error, enum status *status)
{
    struct protocol_tokens_reader reader;
    *status = protocol_read_tokens(&reader, body, error);
    if (*status)
        return;
    if (!s->has_token) {
        s->has_token = true;
        buf_release(&s->frame);
    }
    (void)f;
    s->listener.tokens(s->arg, &reader);
}

static enum status on_request_frame(struct front *f, const struct protocol_head *head, struct str body, struct error *error)
{
    struct submission **slot = submission_slot(f, head->id), *s = *slot;
    enum status status = STATUS_OK;
    if (!s) {
        metrics_add(f->server->metrics, METRICS_STALE_FRAMES, 1);
        return STATUS_OK;
    }
    if (head->type == PROTOCOL_ACCEPTED) {
        uint32_t n_cached;
        status = protocol_read_accepted(&n_cached, body, error);
        if (!status)
            s->listener.accepted(s->arg, n_cached);
    } else if (head->type == PROTOCOL_TOKENS) {
        on_tokens(f, s, body, error, &status);
    } else if (head->type == PROTOCOL_EMBEDDING) {
        struct protocol_embedding embedding;
        status = protocol_read_embedding(&embedding, body, error);
        if (!status && s->listener.embedding)
            s->listener.embedding(s->arg, &embedding);
    } else if (head->type == PROTOCOL_DONE) {
        struct protocol_done done;
        status = protocol_read_done(&done, body, error);
        if (status)
            return status;
        struct submission gone = *s;
        if (done.last)
            submission_free(submission_take(f, slot));
        gone.listener.done(gone.arg, &done);
    } else {
        struct protocol_refused refused;
        status = protocol_read_refused(&refused, body, error);
        if (status)
            return status;
        s = submission_take(f, slot);
        s->listener.refused(s->arg, &refused);
        submission_free(s);
    }
    return status;
}

static enum status on_stats(struct front *f, struct str body, struct error *error)
{
    struct protocol_stats stats;
    enum status status = protocol_read_stats(&stats, body, error);
    if (status)
        return status;
    pthread_mutex_lock(&f->state_lock);
    f->state.stats = stats;
    pthread_mutex_unlock(&f->state_lock);
    return STATUS_OK;
}

static enum status on_progress(struct front *f, struct str body, struct error *error)
{
    struct protocol_progress p;
    enum status status = protocol_read_progress(&p, body, error);
    if (!status && p.total_bytes)
        log_info("loading", "percent=%u", (unsigned)(p.done_bytes * 100 / p.total_bytes));
    (void)f;
    return status;
}

static enum status on_fatal(struct front *f, struct str body, struct error *error)
{
    static struct protocol_fatal fatal;
    enum status status = protocol_read_fatal(&fatal, body, error);
    if (status)
        return status;
    snprintf(f->last_cause, sizeof f->last_cause, "%s", fatal.cause);
    log_error("engine fault", "step=%llu requests=%u cause=\"%s\"", (unsigned long long)fatal.step, fatal.n_requests, fatal.cause);
    for (uint32_t i = 0; i < fatal.n_requests && i < sizeof fatal.requests / sizeof fatal.requests[0]; i++) {
        struct submission *s = *submission_slot(f, fatal.requests[i]);
        if (!s)
            continue;
        note_poison(f, s->digest);
        s->has_token = true; /* it was in the plan: it is not tried again */
    }
    return STATUS_OK;
}

static void on_frame(void *arg, const struct protocol_head *head, struct str body)
{
    struct front *f = arg;
    struct error error;
    enum status status = STATUS_OK;
    error_clear(&error);
    if (head->epoch != f->epoch) {
        metrics_add(f->server->metrics, METRICS_STALE_FRAMES, 1);
        return;
    }
    f->last_frame_ms = now_ms();
    switch (head->type) {
    case PROTOCOL_READY:
        status = on_ready(f, body, &error);
        break;
    case PROTOCOL_ACCEPTED:
    case PROTOCOL_TOKENS:
    case PROTOCOL_DONE:
    case PROTOCOL_REFUSED:
    case PROTOCOL_EMBEDDING:
        status = on_request_frame(f, head, body, &error);
        break;
    case PROTOCOL_STATS:
        status = on_stats(f, body, &error);
        break;
    case PROTOCOL_PROGRESS:
        status = on_progress(f, body, &error);
        break;
    case PROTOCOL_FATAL:
        status = on_fatal(f, body, &error);
        break;
    default:
        status = error_set(&error, STATUS_INVALID, "a frame of type %u is not for the front", head->type);
    }
    if (status) {
        log_error("engine sent a bad frame", "type=%u cause=\"%s\"", head->type, error.message);
        engine_link_kill(f->engine);
    }
}

/* ---- The engine's life ------------------------------------------------------------------------------------- */

static void on_gone(void *arg, const char *how, int exit_code);

static void write_configure(struct front *f)
{
    static struct protocol_configure c;
    const struct config *s = settings(f);
    _Static_assert(sizeof c.model_path > CONFIG_TEXT_MAX && sizeof c.mock_script > CONFIG_TEXT_MAX, "a text option would be cut");
    c = (struct protocol_configure){.threads = (uint32_t)s->threads, .context = (uint32_t)s->context,
                                    .kv_memory_bytes = s->kv_memory, .max_running = (uint32_t)s->max_running,
                                    .max_queue = (uint32_t)s->max_queue, .step_tokens = (uint32_t)s->step_tokens,
                                    .max_queue_tokens = s->max_queue_tokens, .prefix_cache = s->prefix_cache};
    snprintf(c.model_path, sizeof c.model_path, "%s", s->model);
    snprintf(c.device, sizeof c.device, "%s", s->device);
    snprintf(c.numerics, sizeof c.numerics, "%s", s->numerics);
    snprintf(c.isa, sizeof c.isa, "%s", s->cpu_isa);
    snprintf(c.kv_dtype, sizeof c.kv_dtype, "%s", s->kv_dtype);
    snprintf(c.mock_script, sizeof c.mock_script, "%s", s->mock_script);
    protocol_write_configure(engine_link_out(f->engine), f->epoch, &c);
    engine_link_flush(f->engine);
}

static void end_loop(struct front *f, int code)
{
    f->exit_code = code;
    f->stopping = true;
    uv_stop(&f->loop.uv);
}

static void start_engine(uv_timer_t *timer)
{
    struct front *f = timer->data;
    struct engine_link_events events = {f, on_frame, on_gone};
    struct error error;
    f->epoch++;
    f->engine_ready = f->golden_ok = f->knows_vocabulary = false;
    f->started_ms = f->last_frame_ms = now_ms();
    f->last_cause[0] = 0;
    if (engine_link_start(&f->engine, &f->loop.uv, f->environment, &events, &error) != STATUS_OK) {
        f->engine = NULL;
        log_error("engine did not start", "cause=\"%s\"", error.message);
        uv_timer_start(&f->restart, start_engine, f->restart_wait_ms, 0);
        return;
    }
    log_info("engine started", "pid=%d epoch=%u", engine_link_pid(f->engine), f->epoch);
    write_configure(f);
}

static void note_death(struct front *f)
{
    f->deaths_ms[f->n_deaths++ % DEATHS_KEPT] = now_ms();
    metrics_add(f->server->metrics, METRICS_ENGINE_DEATHS, 1);
    pthread_mutex_lock(&f->state_lock);
    f->state.engine_restarts++;
    f->state.stats = (struct protocol_stats){0};
    pthread_mutex_unlock(&f->state_lock);
}

static void on_gone(void *arg, const char *how, int exit_code)
{
    struct front *f = arg;
    bool was_known = f->state.engine_known;
    f->engine = NULL;
    f->engine_ready = f->golden_ok = false;
    golden_stop(f->golden);
    f->golden = NULL;
    if (draining(f)) {
        fail_where(f, pick_all, "the server is shutting down");
        publish_state(f);
        return;
    }
    if (!was_known && exit_code == EXIT_MODEL_FILE) {
        fprintf(stderr, "seekd: %s\n", f->last_cause[0] ? f->last_cause : "the model could not be loaded");
        end_loop(f, EXIT_MODEL_FILE);
        return;
    }
    log_error("engine ended", "how=\"%s\"%s%s%s", how, f->last_cause[0] ? " cause=\"" : "", f->last_cause,
              f->last_cause[0] ? "\"" : "");
    note_death(f);
    publish_state(f);
    if (exit_code == EXIT_MODEL_FILE || f->state.engine_failed) /* what waits would wait in vain */
        fail_where(f, pick_all, "the engine stopped and could not be started again");
    else
        fail_where(f, pick_lost, "the engine stopped unexpectedly; it is being restarted");
    log_info("engine restarts", "in_ms=%u", f->restart_wait_ms);
    uv_timer_start(&f->restart, start_engine, f->restart_wait_ms, 0);
    f->restart_wait_ms = f->restart_wait_ms * 2 < RESTART_MAX_MS ? f->restart_wait_ms * 2 : RESTART_MAX_MS;
}

/* A busy engine gives a sign at least every second; a loading one reports progress or is ready in start_timeout. */
static void watchdog(struct front *f)
{
    uint64_t now = now_ms(), silence_ms = settings(f)->step_timeout_ms;
    if (!f->engine)
        return;
    if (draining(f) && silence_ms > SUSPECT_MS)
        silence_ms = SUSPECT_MS; /* a wedged engine does not hold up the end */
    bool overdue = f->engine_ready ? busy(f) && now - f->last_frame_ms > silence_ms
                                   : now - f->started_ms > settings(f)->start_timeout_ms;
    if (!overdue)
        return;
    snprintf(f->last_cause, sizeof f->last_cause, f->engine_ready ? "no progress for %llu ms" : "not loaded after %llu ms",
             (unsigned long long)(now - (f->engine_ready ? f->last_frame_ms : f->started_ms)));
    engine_link_kill(f->engine);
}

/* ---- The way down ------------------------------------------------------------------------------------------ */

static bool all_quiet(const struct front *f)
{
    return !busy(f) && metrics_exchanges_now(f->server->metrics) == 0;
}

static void on_linger_over(uv_timer_t *timer)
{
    end_loop(timer->data, 0);
}

static void on_drain_over(uv_timer_t *timer)
{
    struct front *f = timer->data;
    log_warn("drain time is over", "requests=%u", f->n_submissions);
    fail_where(f, pick_all, "the server is shutting down");
    uv_timer_start(&f->stop_deadline, on_linger_over, LINGER_MS, 0);
}

static void on_stop_signal(uv_signal_t *handle, int number)
{
    struct front *f = handle->data;
    if (draining(f)) {
        log_warn("second signal: ending at once", "signal=%d", number);
        end_loop(f, 0);
        return;
    }
    log_info("draining", "signal=%d requests=%u", number, f->n_submissions);
    notify_service_manager(f->environment, "STOPPING=1\nSTATUS=draining");
    pthread_mutex_lock(&f->state_lock);
    f->state.draining = true;
    f->state.ready = false;
    pthread_mutex_unlock(&f->state_lock);
    uv_timer_stop(&f->restart);
    uv_timer_start(&f->stop_deadline, on_drain_over, settings(f)->drain_timeout_ms, 0);
}

static void on_reload_signal(uv_signal_t *handle, int number)
{
    struct front *f = handle->data;
    (void)number;
    if (f->reload)
        f->reload(f->reload_arg);
}

static void on_tick(uv_timer_t *timer)
{
    struct front *f = timer->data;
    f->turned_ms = now_ms();
    watchdog(f);
    publish_state(f);
    if (!f->server->http || http_is_live(f->server->http))
        notify_watchdog(f->environment);
    if (draining(f) && all_quiet(f))
        end_loop(f, 0);
}

struct loop *front_loop(struct front *f)
{
    return &f->loop;
}

void front_on_reload(struct front *f, void (*reload)(void *arg), void *arg)
{
    f->reload = reload;
    f->reload_arg = arg;
}

/* Stops the engine: asks, waits a little, kills. Frames that come meanwhile find nobody. */
static void stop_engine(struct front *f)
{
    if (!f->engine)
        return;
    if (!f->engine_ready)
        engine_link_kill(f->engine); /* a loading engine reads no messages, and nothing of it is worth keeping */
    protocol_write_stop(engine_link_out(f->engine), f->epoch);
    engine_link_flush(f->engine);
    uint64_t until = now_ms() + STOP_MS;
    while (f->engine && uv_run(&f->loop.uv, UV_RUN_ONCE))
        if (f->engine && now_ms() > until)
            engine_link_kill(f->engine);
}

/* ---- Life -------------------------------------------------------------------------------------------------- */

enum status front_create(struct front **out, struct server *server, char **environment, struct error *error)
{
    struct front *f = mem_zalloc(sizeof *f);
    if (!f)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    f->server = server;
    f->environment = environment;
    f->restart_wait_ms = RESTART_FIRST_MS;
    f->state.loading = true;
    f->turned_ms = now_ms();
    crypto_shorthash_keygen(f->digest_key.bytes);
    pthread_mutex_init(&f->state_lock, NULL);
    loop_open(&f->loop);
    uv_timer_t *timers[] = {&f->tick, &f->restart, &f->stop_deadline};
    for (unsigned i = 0; i < sizeof timers / sizeof timers[0]; i++) {
        check(uv_timer_init(&f->loop.uv, timers[i]) == 0);
        timers[i]->data = f;
    }
    uv_signal_t *signals[] = {&f->on_term, &f->on_int, &f->on_hup};
    for (unsigned i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        check(uv_signal_init(&f->loop.uv, signals[i]) == 0);
        signals[i]->data = f;
    }
    /* From here on, a signal waits for the loop to run. */
    check(uv_signal_start(&f->on_term, on_stop_signal, SIGTERM) == 0);
    check(uv_signal_start(&f->on_int, on_stop_signal, SIGINT) == 0);
    check(uv_signal_start(&f->on_hup, on_reload_signal, SIGHUP) == 0);
    *out = f;
    return STATUS_OK;
}

int front_run(struct front *f)
{
    check(uv_timer_start(&f->tick, on_tick, TICK_MS, TICK_MS) == 0);
    start_engine(&f->restart);
    uv_run(&f->loop.uv, UV_RUN_DEFAULT);
    fail_where(f, pick_all, "the server is shutting down");
    pthread_mutex_lock(&f->state_lock);
    f->state.draining = true; /* however it came to stop: no engine is started any more */
    f->state.ready = false;
    pthread_mutex_unlock(&f->state_lock);
    uv_timer_stop(&f->restart);
    uv_timer_stop(&f->stop_deadline);
    golden_stop(f->golden);
    f->golden = NULL;
    stop_engine(f);
    return f->exit_code;
}

void front_free(struct front *f)
{
    if (!f)
        return;
    loop_close(&f->loop);
    pthread_mutex_destroy(&f->state_lock);
    mem_free(f);
}
