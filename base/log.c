/* Log lines on stderr through a bounded queue and one writer thread, so that a slow terminal or pipe never
 * holds up the caller. The mutex guards the queue's indexes and bytes. */
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/emit_json.h"
#include "base/mem.h"

enum { LINE_MAX_BYTES = 4096, QUEUE_BYTES = 4 * 1024 * 1024 };

static const char *const level_names[] = {"debug", "info", "warn", "error"};

static _Atomic int min_level = LOG_LEVEL_INFO;
static _Atomic bool as_json;
static const char *component_name = "seekd";
static _Atomic uint64_t n_dropped;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t more;
    pthread_t writer;
    char *ring; /* [QUEUE_BYTES]; null: lines are written at once */
    size_t head, used;
    bool running, stopping;
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER};

void log_set(enum log_level level, bool json, const char *component)
{
    atomic_store(&min_level, (int)level);
    atomic_store(&as_json, json);
    component_name = component;
}

bool log_level_parse(const char *text, enum log_level *out)
{
    for (int i = 0; i <= LOG_LEVEL_ERROR; i++)
        if (strcmp(text, level_names[i]) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    return false;
}

static void write_all(const char *at, size_t len)
{
    while (len) {
        ssize_t n = write(STDERR_FILENO, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* nobody reads the log: there is nothing to tell and nobody to tell it to */
        at += n;
        len -= (size_t)n;
    }
}

static void *run_writer(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&queue.lock);
    for (;;) {
        while (!queue.used && !queue.stopping)
            pthread_cond_wait(&queue.more, &queue.lock);
        if (!queue.used)
            break;
        size_t head = queue.head, n = queue.used;
        if (n > QUEUE_BYTES - head)
            n = QUEUE_BYTES - head;
        pthread_mutex_unlock(&queue.lock);
        write_all(queue.ring + head, n);
        pthread_mutex_lock(&queue.lock);
        queue.head = (head + n) % QUEUE_BYTES;
        queue.used -= n;
    }
    pthread_mutex_unlock(&queue.lock);
    return NULL;
}

enum status log_start(struct error *error)
{
    if (queue.running)
        return STATUS_OK;
    queue.ring = mem_alloc(QUEUE_BYTES);
    if (!queue.ring)
        return error_set(error, STATUS_NO_MEMORY, "log: out of memory");
    queue.stopping = false;
    if (pthread_create(&queue.writer, NULL, run_writer, NULL) != 0) {
        mem_free(queue.ring);
        queue.ring = NULL;
        return error_set(error, STATUS_IO, "log: cannot start the writer thread");
    }
    queue.running = true;
    return STATUS_OK;
}

void log_stop(void)
{
    if (!queue.running)
        return;
    pthread_mutex_lock(&queue.lock);
    queue.stopping = true;
    pthread_cond_signal(&queue.more);
    pthread_mutex_unlock(&queue.lock);
    pthread_join(queue.writer, NULL);
    queue.running = false;
    mem_free(queue.ring);
    queue.ring = NULL;
}

uint64_t log_dropped(void)
{
    return atomic_load(&n_dropped);
}

static void put(const char *line, size_t len)
{
    pthread_mutex_lock(&queue.lock);
    if (!queue.running) {
        pthread_mutex_unlock(&queue.lock);
        write_all(line, len);
        return;
    }
    if (len > QUEUE_BYTES - queue.used) {
        atomic_fetch_add(&n_dropped, 1);
    } else {
        size_t tail = (queue.head + queue.used) % QUEUE_BYTES, first = QUEUE_BYTES - tail;
        if (first > len)
            first = len;
        memcpy(queue.ring + tail, line, first);
        memcpy(queue.ring, line + first, len - first);
        queue.used += len;
        pthread_cond_signal(&queue.more);
    }
    pthread_mutex_unlock(&queue.lock);
}

static void timestamp(char out[40])
{
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t n = strftime(out, 40, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out + n, 40 - n, ".%03ldZ", now.tv_nsec / 1000000);
}

void log_write(enum log_level level, const char *event, const char *format, ...)
{
    if ((int)level < atomic_load_explicit(&min_level, memory_order_relaxed))
        return;
    char details[LINE_MAX_BYTES - 256], line[LINE_MAX_BYTES], when[40];
    va_list args;
    va_start(args, format);
    int wanted = vsnprintf(details, sizeof details, format, args);
    va_end(args);
    bool cut = wanted >= (int)sizeof details;
    if (wanted < 0)
        details[0] = 0;
    for (char *c = details; *c; c++) /* one event, one line */
        if (*c == '\n' || *c == '\r')
            *c = ' ';
    timestamp(when);
    if (atomic_load_explicit(&as_json, memory_order_relaxed)) {
        struct buf text;
        buf_init(&text, LINE_MAX_BYTES * 7);
        struct emit_json json = emit_json_to(&text);
        emit_object_begin(&json);
        emit_key_text(&json, "time", when);
        emit_key_text(&json, "level", level_names[level]);
        emit_key_text(&json, "component", component_name);
        emit_key_text(&json, "event", event);
        emit_key_text(&json, "details", details);
        if (cut)
            emit_key_bool(&json, "cut", true);
        emit_object_end(&json);
        buf_add_char(&text, '\n');
        if (buf_status(&text) == STATUS_OK)
            put(text.at, text.len);
        buf_release(&text);
        return;
    }
    int n = snprintf(line, sizeof line, "%s %-5s %s: %s%s%s%s\n", when, level_names[level], component_name, event,
                     details[0] ? " " : "", details, cut ? "...(cut)" : "");
    if (n > 0)
        put(line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}
