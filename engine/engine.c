/* The engine's main loop. It waits in poll when there is nothing to do, looks for messages between steps, and never blocks on a
 * front that does not read: what does not fit the socket waits in a bounded buffer.
 *
 * A second thread beats while the device computes: a step that takes long but moves still gives the front a sign. Its mutex guards
 * the whole struct engine; the main thread holds it except while the device computes. */
#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/file_map.h"
#include "base/mem.h"
#include "engine/device/device_cpu.h"
#include "engine/device/device_mock.h"
#include "engine/protocol.h"
#include "engine/scheduler.h"

enum {
    EXIT_MODEL_FILE = 74,
    EXIT_FAULT = 70,
    OUT_BYTES_MAX = 64 << 20,
    OUT_BYTES_PAUSE = OUT_BYTES_MAX / 2, /* no steps while the front leaves this much unread */
    FATAL_BYTES = 4096,
    FATAL_WAIT_MS = 200,
    STATS_EVERY_NS = 200000000,
    BEAT_NS = 250000000,
    MASK_WAIT_NS = 5000000, /* with nothing to do but wait for masks; then messages are looked for */
    MOCK_STEP_TOKENS = 512,
    MOCK_LOGIT_ROWS_MIN = 64,
};

struct engine {
    int fd;
    uint32_t epoch;
    struct buf in, out, fatal; /* fatal: taken beforehand, for when there may be no memory */
    struct device_cpu *cpu;    /* one of the two */
    struct device_mock *mock;
    const struct device *device;
    struct device unlocked;    /* the same, letting go of the lock while it computes */
    struct constraints *constraints;
    struct scheduler *scheduler;
    uint64_t last_stats_ns;
    bool stats_idle; /* the last stats sent showed nothing to do */
    bool stopping;
    pthread_mutex_t lock;
    pthread_cond_t end; /* of the beating thread */
    bool computing, ending;
    uint64_t ticks_seen;
    _Atomic uint64_t mock_ticks;
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

static void on_embedding(void *arg, uint64_t id, const struct protocol_embedding *embedding)
{
    struct engine *e = arg;
    protocol_write_embedding(&e->out, e->epoch, id, embedding);
}

static void on_refused(void *arg, uint64_t id, const struct protocol_refused *refused)
{
    struct engine *e = arg;
    protocol_write_refused(&e->out, e->epoch, id, refused);
}

static uint64_t resident_bytes(void)
{
    unsigned long long total, resident = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f && fscanf(f, "%llu %llu", &total, &resident) != 2)
        resident = 0;
    if (f)
        fclose(f);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void send_stats(struct engine *e)
{
    struct protocol_stats stats;
    scheduler_stats(e->scheduler, &stats);
    stats.rss_bytes = resident_bytes();
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

/* Sends what is left of the last frame, then the bytes given, waiting a moment for a front that is slow to read. */
static void write_last(struct engine *e, const struct buf *last)
{
    struct str parts[2] = {buf_str(&e->out), buf_str(last)};
    struct pollfd p = {.fd = e->fd, .events = POLLOUT};
    for (int i = 0; i < 2; i++)
        while (parts[i].len) {
            ssize_t n = write(e->fd, parts[i].at, parts[i].len);
            if (n > 0)
                parts[i] = str_skip(parts[i], (size_t)n);
            else if (n == 0 || (errno != EINTR && errno != EAGAIN) || (errno == EAGAIN && poll(&p, 1, FATAL_WAIT_MS) <= 0))
                return;
        }
}

/* Anything may be broken: no memory is taken, and the frame goes out by write alone. */
static void on_broken_invariant(void *arg, const char *line)
{
    struct engine *e = arg;
    static struct protocol_fatal fatal;
    static struct protocol_stats stats;
    for (int i = 0; e->computing && pthread_mutex_trylock(&e->lock) != 0 && i < FATAL_WAIT_MS; i++)
        usleep(1000); /* the beating thread ends its frame first */
    snprintf(fatal.cause, sizeof fatal.cause, "%.*s", (int)strcspn(line, "\n"), line);
    if (e->scheduler) {
        scheduler_stats(e->scheduler, &stats);
        fatal.step = stats.n_steps;
        fatal.n_requests = scheduler_plan_ids(e->scheduler, fatal.requests, sizeof fatal.requests / sizeof fatal.requests[0]);
    }
    protocol_write_fatal(&e->fatal, e->epoch, &fatal);
    if (buf_status(&e->fatal) == STATUS_OK)
        write_last(e, &e->fatal);
}

static void send_fatal(struct engine *e, const char *cause)
{
    struct protocol_fatal fatal = {0};
    snprintf(fatal.cause, sizeof fatal.cause, "%.255s", cause);
    protocol_write_fatal(&e->fatal, e->epoch, &fatal);
    write_last(e, &e->fatal);
}

/* ---- Computing, and beating meanwhile ------------------------------------------------------------------------------------ */

static void forward(void *arg, const struct model_batch *batch, float *logits)
{
    struct engine *e = arg;
    e->computing = true;
    pthread_mutex_unlock(&e->lock);
    e->device->forward(e->device->self, batch, logits);
    pthread_mutex_lock(&e->lock);
    e->computing = false;
}

static void copy_page(void *arg, uint32_t from, uint32_t to)
{
    struct engine *e = arg;
    e->device->copy_page(e->device->self, from, to);
}

static void clear_page(void *arg, uint32_t page)
{
    struct engine *e = arg;
    e->device->clear_page(e->device->self, page);
}

static const float *hidden_rows(void *arg)
{
    struct engine *e = arg;
    return e->device->hidden_rows(e->device->self);
}

static void describe(void *arg, const struct device_sequence *sequences)
{
    struct engine *e = arg;
    if (e->device->describe)
        e->device->describe(e->device->self, sequences);
}

static uint64_t ticks(const struct engine *e)
{
    return e->mock ? e->mock_ticks : device_cpu_ticks(e->cpu);
}

static struct timespec later(uint64_t ns)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    ns += (uint64_t)t.tv_nsec;
    return (struct timespec){t.tv_sec + (time_t)(ns / 1000000000), (long)(ns % 1000000000)};
}

/* A sign for the front when the step that runs has moved since the last beat. A step that hangs gives none. */
static void *beat(void *arg)
{
    struct engine *e = arg;
    pthread_mutex_lock(&e->lock);
    while (!e->ending) {
        struct timespec until = later(BEAT_NS);
        pthread_cond_timedwait(&e->end, &e->lock, &until);
        if (!e->computing || ticks(e) == e->ticks_seen)
            continue;
        e->ticks_seen = ticks(e);
        if (e->out.len < OUT_BYTES_PAUSE) {
            send_stats(e);
            flush(e);
        }
    }
    pthread_mutex_unlock(&e->lock);
    return NULL;
}

/* The mock's steps take time in small pieces, each a tick. */
static void wait_ticking(void *arg, uint64_t ns)
{
    struct engine *e = arg;
    const uint64_t piece = 50000000;
    for (; ns; ns -= ns < piece ? ns : piece) {
        struct timespec t = {0, (long)(ns < piece ? ns : piece)};
        nanosleep(&t, NULL);
        e->mock_ticks++;
    }
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

static void describe_cpu(const struct engine *e, const struct protocol_configure *c, struct protocol_ready *ready)
{
    struct device_cpu_report report;
    const struct model *model = device_cpu_model(e->cpu);
    const struct model_config *config = model_config_of(model);
    crypto_generichash_state state;
    device_cpu_report(e->cpu, &report);
    ready->model_context = config->context;
    ready->weights_bytes = report.memory.weights_packed_bytes + report.memory.weights_mapped_bytes;
    ready->pages_bytes = report.pages_bytes;
    crypto_generichash_init(&state, NULL, 0, sizeof ready->model_digest);
    model_identify(model, digest_add, &state);
    crypto_generichash_final(&state, ready->model_digest, sizeof ready->model_digest);
    snprintf(ready->numerics_version, sizeof ready->numerics_version, "cpu-%s-%s-%s", model_isa(model), c->numerics,
             dtype_info(report.kv_dtype)->name);
    snprintf(ready->family, sizeof ready->family, "%s", config->family);
    snprintf(ready->architecture, sizeof ready->architecture, "%s", config->architecture);
    snprintf(ready->summary, sizeof ready->summary, "%s", report.table);
}

static void describe_mock(const struct engine *e, const struct protocol_configure *c, struct protocol_ready *ready)
{
    ready->model_context = e->device->context;
    crypto_generichash(ready->model_digest, sizeof ready->model_digest, (const unsigned char *)c->mock_script, strlen(c->mock_script),
                       NULL, 0);
    snprintf(ready->numerics_version, sizeof ready->numerics_version, "mock");
    snprintf(ready->family, sizeof ready->family, "mock");
    snprintf(ready->architecture, sizeof ready->architecture, "mock");
}

static void send_ready(struct engine *e, const struct protocol_configure *c, uint32_t context)
{
    static struct protocol_ready ready;
    ready = (struct protocol_ready){.vocabulary = e->device->vocabulary, .context_max = context, .n_pages = e->device->n_pages,
                                    .page_tokens = KV_PAGES_TOKENS, .max_running = c->max_running, .hidden = e->device->hidden};
    if (e->mock)
        describe_mock(e, c, &ready);
    else
        describe_cpu(e, c, &ready);
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

static enum status open_cpu(struct engine *e, const struct protocol_configure *c, struct error *error)
{
    struct device_cpu_options o = {.model_path = c->model_path, .isa = c->isa, .threads = c->threads, .context = c->context,
                                   .max_running = c->max_running, .step_tokens = c->step_tokens,
                                   .kv_memory_bytes = c->kv_memory_bytes, .progress = on_progress, .progress_arg = e};
    o.numerics = strcmp(c->numerics, "exact") == 0 ? NUMERICS_EXACT : NUMERICS_FAST;
    if (!parse_kv_dtype(c->kv_dtype, &o))
        return error_set_path(error, STATUS_INVALID, NULL, "kv_dtype", "kv_dtype: %s is not known", c->kv_dtype);
    enum status status = device_cpu_open(&e->cpu, &o, error);
    if (!status)
        e->device = device_cpu_device(e->cpu);
    return status;
}

static enum status open_mock(struct engine *e, const struct protocol_configure *c, struct error *error)
{
    struct device_mock_options o = {.n_rows_max = c->step_tokens ? c->step_tokens : MOCK_STEP_TOKENS, .wait = wait_ticking,
                                    .wait_arg = e};
    enum status status = device_mock_parse(&o.script, c->mock_script, error);
    if (c->context)
        o.script.context = c->context;
    if (o.n_rows_max < c->max_running)
        o.n_rows_max = c->max_running;
    o.n_logit_rows_max = c->max_running > MOCK_LOGIT_ROWS_MIN ? c->max_running : MOCK_LOGIT_ROWS_MIN;
    if (!status)
        status = device_mock_open(&e->mock, &o, error);
    if (!status)
        e->device = device_mock_device(e->mock);
    return status;
}

static enum status open_device(struct engine *e, const struct protocol_configure *c, struct error *error)
{
    if (strcmp(c->device, "mock") == 0)
        return open_mock(e, c, error);
    if (strcmp(c->device, "auto") == 0 || strcmp(c->device, "cpu") == 0)
        return open_cpu(e, c, error);
    return error_set_path(error, STATUS_UNSUPPORTED, NULL, "device", "device %s is not part of this build; it offers auto, cpu, mock",
                          c->device);
}

static enum status configure(struct engine *e, const struct protocol_configure *c, struct error *error)
{
    if (e->device)
        return error_set(error, STATUS_INVALID, "the engine is configured already");
    if (!c->max_running)
        return error_set_path(error, STATUS_INVALID, NULL, "max_running", "max_running: 0 is out of range");
    enum status status = open_device(e, c, error);
    if (status)
        return status;
    status = constraints_create(&e->constraints, &constraints_defaults, error);
    if (status)
        return status;
    const struct device *d = e->device;
    uint64_t capacity = (uint64_t)d->n_pages * KV_PAGES_TOKENS;
    uint32_t context = d->context < capacity ? d->context : (uint32_t)capacity;
    e->unlocked = *d;
    e->unlocked.self = e;
    e->unlocked.forward = forward;
    e->unlocked.hidden_rows = hidden_rows;
    e->unlocked.copy_page = copy_page;
    e->unlocked.clear_page = clear_page;
    e->unlocked.describe = describe;
    struct scheduler_options s = {.device = &e->unlocked, .clock = clock_real(),
                                  .events = {e, on_accepted, on_tokens, on_done, on_refused, on_embedding}, .hash = hash_page,
                                  .constraints = e->constraints, .max_running = c->max_running, .max_queue = c->max_queue,
                                  .step_tokens = d->n_rows_max, .context = context, .prefix_cache = c->prefix_cache};
    s.max_queue_tokens = c->max_queue_tokens ? c->max_queue_tokens : capacity * 4 > 1u << 20 ? capacity * 4 : 1u << 20;
    status = scheduler_create(&e->scheduler, &s, error);
    if (!status)
        send_ready(e, c, context);
    return status;
}

/* ---- Frames in ------------------------------------------------------------------------------------------------------------- */

/* Which frames are legal when: configure comes first and once; ids are new; messages without a body have none. */
static enum status check_frame(const struct engine *e, const struct protocol_head *head, struct error *error)
{
    bool early = head->type == PROTOCOL_CONFIGURE || head->type == PROTOCOL_STOP || head->type == PROTOCOL_HELLO;
    bool bare = head->type == PROTOCOL_STOP;
    if (!e->scheduler && !early)
        return error_set(error, STATUS_INVALID, "a frame of type %u before configure", head->type);
    if (bare && head->body_bytes)
        return error_set(error, STATUS_INVALID, "a frame of type %u with a body of %u bytes", head->type, head->body_bytes);
    if (head->type == PROTOCOL_SUBMIT && (!head->id || scheduler_is_open(e->scheduler, head->id)))
        return error_set(error, STATUS_INVALID, "submit frame: id %llu is taken", (unsigned long long)head->id);
    return STATUS_OK;
}

static enum status take_vocabulary(struct engine *e, struct str body, struct error *error)
{
    uint32_t n;
    enum status status = protocol_read_vocabulary_size(&n, body, error);
    if (status)
        return status;
    struct str *tokens = mem_zalloc_array((size_t)n + 1, sizeof *tokens);
    if (!tokens)
        return error_set(error, STATUS_NO_MEMORY, "out of memory for the vocabulary");
    status = protocol_read_vocabulary(tokens, body, error);
    if (!status)
        status = constraints_set_vocabulary(e->constraints, tokens, n, error);
    mem_free(tokens);
    return status;
}

static enum status handle(struct engine *e, const struct protocol_head *head, struct str body, struct error *error)
{
    static struct protocol_configure c;
    struct protocol_submit submit;
    uint32_t choice, control;
    e->epoch = head->epoch;
    enum status status = check_frame(e, head, error);
    if (status)
        return status;
    switch (head->type) {
    case PROTOCOL_HELLO:
        return STATUS_OK;
    case PROTOCOL_CONFIGURE:
        status = protocol_read_configure(&c, body, error);
        return status ? status : configure(e, &c, error);
    case PROTOCOL_VOCABULARY:
        return take_vocabulary(e, body, error);
    case PROTOCOL_SUBMIT:
        status = protocol_read_submit(&submit, body, error);
        if (!status)
            scheduler_submit(e->scheduler, head->id, &submit);
        return status;
    case PROTOCOL_CANCEL:
        status = protocol_read_cancel(&choice, body, error);
        if (!status)
            scheduler_cancel(e->scheduler, head->id, choice);
        return status;
    case PROTOCOL_CONTROL:
        status = protocol_read_control(&control, body, error);
        if (!status)
            scheduler_control(e->scheduler, head->id, (enum protocol_control)control);
        return status;
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

/* Reads what is there, but no more than a frame ahead. False when the front has closed. */
static bool receive(struct engine *e)
{
    char chunk[65536];
    while (e->in.len < PROTOCOL_FRAME_BYTES_MAX + PROTOCOL_HEAD_BYTES) {
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
    return true;
}

/* ---- The loop ---------------------------------------------------------------------------------------------------------------- */

/* One step when there is work and the front keeps up. True when there may be more to do at once. */
static bool work(struct engine *e)
{
    if (!e->scheduler || e->out.len >= OUT_BYTES_PAUSE)
        return false;
    bool worked = scheduler_step(e->scheduler);
    if (!worked && scheduler_awaits_masks(e->scheduler)) {
        constraints_wait(e->constraints, MASK_WAIT_NS);
        worked = true;
    }
    e->stats_idle &= !worked;
    if (clock_now_ns(clock_real()) - e->last_stats_ns >= STATS_EVERY_NS || (!worked && !e->stats_idle))
        send_stats(e);
    return worked;
}

/* How long to wait for a message: not at all after work, the last of which is followed by stats that show nothing to do; a moment with
 * work that cannot go on (a deadline may pass). */
static int patience_ms(const struct engine *e, bool worked)
{
    bool busy = e->scheduler && !scheduler_is_idle(e->scheduler);
    return worked ? 0 : busy ? 10 : -1;
}

static int loop(struct engine *e)
{
    struct error error;
    for (bool worked = true; !e->stopping;) {
        struct pollfd p = {.fd = e->fd, .events = (short)(POLLIN | (e->out.len ? POLLOUT : 0))};
        if (poll(&p, 1, patience_ms(e, worked)) < 0 && errno != EINTR)
            return EXIT_FAULT;
        if ((p.revents & (POLLIN | POLLHUP | POLLERR)) && !receive(e))
            return 0;
        enum status status = drain(e, &error);
        if (status) {
            fprintf(stderr, "engine: %s\n", error.message);
            send_fatal(e, error.message);
            return e->scheduler ? EXIT_FAULT : EXIT_MODEL_FILE;
        }
        worked = work(e) || p.revents & POLLIN;
        if (buf_status(&e->out) != STATUS_OK)
            return EXIT_FAULT;
        if (!flush(e))
            return 0;
    }
    return 0;
}

static int serve(struct engine *e)
{
    pthread_t beating;
    pthread_mutex_lock(&e->lock);
    if (pthread_create(&beating, NULL, beat, e) != 0) {
        pthread_mutex_unlock(&e->lock);
        return EXIT_FAULT;
    }
    int code = loop(e);
    e->ending = true;
    pthread_cond_signal(&e->end);
    pthread_mutex_unlock(&e->lock);
    pthread_join(beating, NULL);
    return code;
}

int engine_run(int fd)
{
    static struct engine e;
    pthread_condattr_t monotonic;
    e = (struct engine){.fd = fd};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN); /* the front decides when to stop */
    buf_init(&e.in, PROTOCOL_FRAME_BYTES_MAX * 2);
    buf_init(&e.out, OUT_BYTES_MAX);
    buf_init(&e.fatal, FATAL_BYTES);
    if (sodium_init() < 0 || fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0 ||
        buf_reserve(&e.fatal, FATAL_BYTES - 1) != STATUS_OK)
        return EXIT_FAULT;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&e.lock, NULL);
    pthread_cond_init(&e.end, &monotonic);
    check_on_failure(on_broken_invariant, &e);
    file_map_catch_faults();
    int code = serve(&e);
    scheduler_free(e.scheduler);
    constraints_free(e.constraints);
    device_cpu_close(e.cpu);
    device_mock_close(e.mock);
    buf_release(&e.in);
    buf_release(&e.out);
    buf_release(&e.fatal);
    return code;
}
