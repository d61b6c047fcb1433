/* The engine's main loop. It waits in poll when there is nothing to do, looks for messages between steps, and never blocks on a
 * front that does not read: what does not fit the socket waits in a bounded buffer. */
#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/file_map.h"
#include "base/mem.h"
#include "engine/device/device_cpu.h"
#include "engine/protocol.h"
#include "engine/scheduler.h"

enum { EXIT_MODEL_FILE = 74, EXIT_FAULT = 70, OUT_BYTES_MAX = 64 << 20, STATS_EVERY_NS = 200000000 };

struct engine {
    int fd;
    uint32_t epoch;
    struct buf in, out;
    struct device_cpu *device;
    struct scheduler *scheduler;
    uint64_t last_stats_ns;
    bool stats_idle; /* the last stats sent showed nothing to do */
    bool stopping;
};


/* ---- Frames out -------------------------------------------------------------------------------------------------------- */

static bool flush(struct engine *e)
{
    while (e->out.len) {
        ssize_t n = write(e->fd, e->out.at, e->out.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return true;
        if (n <= 0)
            return false;
        buf_drop_front(&e->out, (size_t)n);
    }
    return true;
}

static void on_accepted(void *arg, uint64_t id, uint32_t n_cached)
{
    struct engine *e = arg;
    protocol_write_accepted(&e->out, e->epoch, id, n_cached);
}

static void on_tokens(void *arg, uint64_t id, const struct protocol_tokens *head, const struct protocol_token *tokens)
{
    struct engine *e = arg;
    protocol_write_tokens(&e->out, e->epoch, id, head, tokens);
}

static void on_done(void *arg, uint64_t id, const struct protocol_done *done)
{
    struct engine *e = arg;
    protocol_write_done(&e->out, e->epoch, id, done);
}

static void on_refused(void *arg, uint64_t id, const struct protocol_refused *refused)
{
    struct engine *e = arg;
    protocol_write_refused(&e->out, e->epoch, id, refused);
}

static void send_stats(struct engine *e)
{
    struct protocol_stats stats;
    scheduler_stats(e->scheduler, &stats);
    protocol_write_stats(&e->out, e->epoch, &stats);
    e->last_stats_ns = clock_now_ns(clock_real());
    e->stats_idle = scheduler_is_idle(e->scheduler);
}

static void on_progress(void *arg, uint64_t done, uint64_t total)
{
    struct engine *e = arg;
    uint64_t now = clock_now_ns(clock_real());
    if (now - e->last_stats_ns < STATS_EVERY_NS)
        return;
    e->last_stats_ns = now;
    protocol_write_progress(&e->out, e->epoch, &(struct protocol_progress){done, total});
    if (!flush(e))
        _exit(0); /* the front is gone: nobody waits for this model */
}

/* Only calls that are safe when anything may be broken: the frame is formatted on the stack. */
static void on_broken_invariant(void *arg, const char *line)
{
    struct engine *e = arg;
    struct protocol_fatal fatal = {0};
    snprintf(fatal.cause, sizeof fatal.cause, "%.*s", (int)strcspn(line, "\n"), line);
    if (e->scheduler)
        fatal.n_requests = scheduler_plan_ids(e->scheduler, fatal.requests, 64);
    struct buf out;
    buf_init(&out, 4096);
    protocol_write_fatal(&out, e->epoch, &fatal);
    if (buf_status(&out) == STATUS_OK) {
        ssize_t ignored = write(e->fd, out.at, out.len);
        (void)ignored;
    }
}

static void send_fatal(struct engine *e, const char *cause)
{
    struct protocol_fatal fatal = {0};
    snprintf(fatal.cause, sizeof fatal.cause, "%s", cause);
    protocol_write_fatal(&e->out, e->epoch, &fatal);
    flush(e);
}

/* ---- Loading ------------------------------------------------------------------------------------------------------------- */

static void hash_page(struct page_hash *out, const struct page_hash *parent, const uint32_t tokens[KV_PAGES_TOKENS])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof out->bytes);
    crypto_generichash_update(&state, parent->bytes, sizeof parent->bytes);
    crypto_generichash_update(&state, (const unsigned char *)tokens, KV_PAGES_TOKENS * sizeof *tokens);
    crypto_generichash_final(&state, out->bytes, sizeof out->bytes);
}

static void digest_add(void *arg, const void *data, size_t len)
{
    crypto_generichash_update(arg, data, len);
}

static void send_ready(struct engine *e, const struct protocol_configure *c)
{
    struct device_cpu_report report;
    const struct model *model = device_cpu_model(e->device);
    const struct model_config *config = model_config_of(model);
    crypto_generichash_state state;
    static struct protocol_ready ready;
    device_cpu_report(e->device, &report);
    ready = (struct protocol_ready){.vocabulary = config->vocabulary, .context_max = report.context, .model_context = config->context,
                                    .n_pages = report.n_pages, .page_tokens = KV_PAGES_TOKENS, .max_running = c->max_running,
                                    .weights_bytes = report.memory.weights_packed_bytes + report.memory.weights_mapped_bytes,
                                    .pages_bytes = report.pages_bytes};
    crypto_generichash_init(&state, NULL, 0, sizeof ready.model_digest);
    model_identify(model, digest_add, &state);
    crypto_generichash_final(&state, ready.model_digest, sizeof ready.model_digest);
    snprintf(ready.numerics_version, sizeof ready.numerics_version, "cpu-%s-%s-%s", model_isa(model), c->numerics,
             dtype_info(report.kv_dtype)->name);
    snprintf(ready.family, sizeof ready.family, "%s", config->family);
    snprintf(ready.architecture, sizeof ready.architecture, "%s", config->architecture);
    snprintf(ready.summary, sizeof ready.summary, "%s", report.table);
    protocol_write_ready(&e->out, e->epoch, &ready);
}

static bool parse_kv_dtype(const char *text, struct device_cpu_options *o)
{
    static const struct {
        const char *name;
        enum dtype dtype;
    } known[] = {{"f32", DTYPE_F32}, {"f16", DTYPE_F16}, {"bf16", DTYPE_BF16}};
    o->kv_dtype_auto = strcmp(text, "auto") == 0;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(text, known[i].name) == 0) {
            o->kv_dtype = known[i].dtype;
            return true;
        }
    return o->kv_dtype_auto;
}

static enum status configure(struct engine *e, const struct protocol_configure *c, struct error *error)
{
    struct device_cpu_options o = {.model_path = c->model_path, .isa = c->isa, .threads = c->threads, .context = c->context,
                                   .max_running = c->max_running, .step_tokens = c->step_tokens,
                                   .kv_memory_bytes = c->kv_memory_bytes, .progress = on_progress, .progress_arg = e};
    o.numerics = strcmp(c->numerics, "exact") == 0 ? NUMERICS_EXACT : NUMERICS_FAST;
    if (e->device)
        return error_set(error, STATUS_INVALID, "the engine is configured already");
    if (!parse_kv_dtype(c->kv_dtype, &o) || !c->max_running)
        return error_set(error, STATUS_INVALID, "configure frame: kv_dtype or max_running out of range");
    if (strcmp(c->device, "auto") != 0 && strcmp(c->device, "cpu") != 0)
        return error_set_path(error, STATUS_UNSUPPORTED, NULL, "device", "device %s is not part of this build; it offers auto, cpu",
                              c->device);
    enum status status = device_cpu_open(&e->device, &o, error);
    if (status)
        return status;
    struct device_cpu_report report;
    device_cpu_report(e->device, &report);
    uint64_t capacity = (uint64_t)report.n_pages * KV_PAGES_TOKENS * 4;
    struct scheduler_options s = {.device = device_cpu_device(e->device), .clock = clock_real(),
                                  .events = {e, on_accepted, on_tokens, on_done, on_refused}, .hash = hash_page,
                                  .max_running = c->max_running, .max_queue = c->max_queue, .step_tokens = report.step_tokens,
                                  .context = report.context, .prefix_cache = c->prefix_cache};
    s.max_queue_tokens = c->max_queue_tokens ? c->max_queue_tokens : capacity > 1u << 20 ? capacity : 1u << 20;
    status = scheduler_create(&e->scheduler, &s, error);
    if (!status)
        send_ready(e, c);
    return status;
}

/* ---- Frames in ------------------------------------------------------------------------------------------------------------- */

static enum status handle(struct engine *e, const struct protocol_head *head, struct str body, struct error *error)
{
    static struct protocol_configure c;
    struct protocol_submit submit;
    enum status status;
    e->epoch = head->epoch;
    if (!e->scheduler && head->type != PROTOCOL_CONFIGURE && head->type != PROTOCOL_STOP && head->type != PROTOCOL_HELLO)
        return error_set(error, STATUS_INVALID, "a frame of type %u before configure", head->type);
    switch (head->type) {
    case PROTOCOL_HELLO:
        return STATUS_OK;
    case PROTOCOL_CONFIGURE:
        status = protocol_read_configure(&c, body, error);
        return status ? status : configure(e, &c, error);
    case PROTOCOL_SUBMIT:
        status = protocol_read_submit(&submit, body, error);
        if (!status)
            scheduler_submit(e->scheduler, head->id, &submit);
        return status;
    case PROTOCOL_CANCEL:
        scheduler_cancel(e->scheduler, head->id);
        return STATUS_OK;
    case PROTOCOL_STOP:
        e->stopping = true;
        return STATUS_OK;
    default:
        return error_set(error, STATUS_INVALID, "a frame of type %u is not for an engine", head->type);
    }
}

/* Takes all whole frames off the buffer. The body of a frame is copied to be aligned. */
static enum status drain(struct engine *e, struct error *error)
{
    size_t at = 0;
    enum status status = STATUS_OK;
    while (!status && !e->stopping && e->in.len - at >= PROTOCOL_HEAD_BYTES) {
        struct protocol_head head;
        status = protocol_read_head(&head, e->in.at + at, error);
        if (status || e->in.len - at - PROTOCOL_HEAD_BYTES < head.body_bytes)
            break;
        void *body = mem_alloc_aligned(16, head.body_bytes);
        if (!body)
            return error_set(error, STATUS_NO_MEMORY, "out of memory for a frame");
        memcpy(body, e->in.at + at + PROTOCOL_HEAD_BYTES, head.body_bytes);
        at += PROTOCOL_HEAD_BYTES + head.body_bytes;
        status = handle(e, &head, str_from(body, head.body_bytes), error);
        mem_free(body);
    }
    if (e->in.at)
        buf_drop_front(&e->in, at);
    return status;
}

/* False when the front has closed. */
static bool receive(struct engine *e)
{
    char chunk[65536];
    for (;;) {
        ssize_t n = read(e->fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK;
        if (n == 0 || buf_add(&e->in, chunk, (size_t)n) != STATUS_OK)
            return false;
        if ((size_t)n < sizeof chunk)
            return true;
    }
}

/* ---- The loop ---------------------------------------------------------------------------------------------------------------- */

static int loop(struct engine *e)
{
    struct error error;
    while (!e->stopping) {
        bool busy = e->scheduler && !scheduler_is_idle(e->scheduler);
        struct pollfd p = {.fd = e->fd, .events = (short)(POLLIN | (e->out.len ? POLLOUT : 0))};
        if (poll(&p, 1, busy ? 0 : -1) < 0 && errno != EINTR)
            return EXIT_FAULT;
        if ((p.revents & (POLLIN | POLLHUP | POLLERR)) && !receive(e))
            return 0;
        enum status status = drain(e, &error);
        if (status) {
            fprintf(stderr, "engine: %s\n", error.message);
            send_fatal(e, error.message);
            return e->scheduler ? EXIT_FAULT : EXIT_MODEL_FILE;
        }
        if (e->scheduler && e->out.len < OUT_BYTES_MAX / 2) {
            bool worked = scheduler_step(e->scheduler);
            if (clock_now_ns(clock_real()) - e->last_stats_ns >= STATS_EVERY_NS || (!worked && !e->stats_idle))
                send_stats(e);
        }
        if (buf_status(&e->out) != STATUS_OK || !flush(e))
            return buf_status(&e->out) != STATUS_OK ? EXIT_FAULT : 0;
    }
    return 0;
}

int engine_run(int fd)
{
    static struct engine e;
    e = (struct engine){.fd = fd};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN); /* the front decides when to stop */
    if (sodium_init() < 0 || fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
        return EXIT_FAULT;
    check_on_failure(on_broken_invariant, &e);
    file_map_catch_faults();
    buf_init(&e.in, PROTOCOL_FRAME_BYTES_MAX * 2);
    buf_init(&e.out, OUT_BYTES_MAX);
    int code = loop(&e);
    scheduler_free(e.scheduler);
    device_cpu_close(e.device);
    buf_release(&e.in);
    buf_release(&e.out);
    return code;
}
