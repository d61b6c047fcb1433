/* Starting an engine process, its socket, and noticing its end. */
#include "server/engine_link.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

enum {
    CHILD_FD = 3,
    ENVIRONMENT_MAX = 512,
    OUT_BYTES_MAX = 1 << 30,       /* submissions are bounded by the queue limits before they come here */
    ABANDON_AFTER_MS = 5000,       /* a killed child that does not die is stuck in the kernel */
};

struct engine_link {
    uv_process_t process;
    uv_poll_t poll;
    uv_timer_t abandon;
    unsigned n_open; /* handles not closed yet */
    int fd;
    bool exited, ended;
    int64_t exit_status;
    int exit_signal;
    struct buf in, out, body;
    struct engine_link_events events;
};

/* ---- The end ----------------------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct engine_link *link = handle->data;
    if (--link->n_open)
        return;
    close(link->fd);
    buf_release(&link->in);
    buf_release(&link->out);
    buf_release(&link->body);
    mem_free(link);
}

/* Reports the end once, then closes everything; memory goes when the handles are closed. */
static void end(struct engine_link *link)
{
    char how[96];
    if (link->ended)
        return;
    link->ended = true;
    if (!link->exited)
        snprintf(how, sizeof how, "does not end after SIGKILL and was abandoned");
    else if (link->exit_signal)
        snprintf(how, sizeof how, "was ended by signal %d (%s)", link->exit_signal, strsignal(link->exit_signal));
    else
        snprintf(how, sizeof how, "exited with code %d", (int)link->exit_status);
    int code = link->exited && !link->exit_signal ? (int)link->exit_status : -1;
    uv_close((uv_handle_t *)&link->poll, on_closed);
    uv_close((uv_handle_t *)&link->process, on_closed);
    uv_close((uv_handle_t *)&link->abandon, on_closed);
    link->events.gone(link->events.arg, how, code);
}

static void on_abandon(uv_timer_t *timer)
{
    end(timer->data);
}

void engine_link_kill(struct engine_link *link)
{
    if (link->exited || uv_is_active((uv_handle_t *)&link->abandon))
        return;
    uv_process_kill(&link->process, SIGKILL);
    uv_timer_start(&link->abandon, on_abandon, ABANDON_AFTER_MS, 0);
}

/* ---- Frames in --------------------------------------------------------------------------------------------- */

static enum status deliver(struct engine_link *link, struct error *error)
{
    size_t at = 0;
    enum status status = STATUS_OK;
    while (link->in.len - at >= PROTOCOL_HEAD_BYTES && !link->ended) {
        struct protocol_head head;
        status = protocol_read_head(&head, link->in.at + at, error);
        if (status || link->in.len - at - PROTOCOL_HEAD_BYTES < head.body_bytes)
            break;
        /* Copied so that the body is aligned wherever it lay in the stream. */
        buf_clear(&link->body);
        status = buf_add(&link->body, link->in.at + at + PROTOCOL_HEAD_BYTES, head.body_bytes);
        if (status)
            break;
        at += PROTOCOL_HEAD_BYTES + head.body_bytes;
        link->events.frame(link->events.arg, &head, buf_str(&link->body));
    }
    if (at)
        buf_drop_front(&link->in, at);
    return status;
}

/* False at the end of the stream. */
static bool receive(struct engine_link *link)
{
    char chunk[65536];
    struct error error;
    for (;;) {
        ssize_t n = read(link->fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK;
        if (n == 0)
            return false;
        error_clear(&error);
        if (buf_add(&link->in, chunk, (size_t)n) != STATUS_OK || deliver(link, &error) != STATUS_OK) {
            log_error("engine sent a bad frame", "cause=\"%s\"", error.message);
            return false;
        }
    }
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct engine_link *link = poll->data;
    if (events & UV_WRITABLE)
        engine_link_flush(link);
    if (status == 0 && !(events & (UV_READABLE | UV_DISCONNECT)))
        return;
    if (!receive(link) && !link->ended) {
        uv_poll_stop(&link->poll);
        engine_link_kill(link);
    }
}

static void on_exit(uv_process_t *process, int64_t exit_status, int signal)
{
    struct engine_link *link = process->data;
    link->exited = true;
    link->exit_status = exit_status;
    link->exit_signal = signal;
    if (!link->ended)
        receive(link);
    end(link);
}

/* ---- Frames out -------------------------------------------------------------------------------------------- */

struct buf *engine_link_out(struct engine_link *link)
{
    return &link->out;
}

void engine_link_flush(struct engine_link *link)
{
    size_t sent = 0;
    while (sent < link->out.len) {
        ssize_t n = send(link->fd, link->out.at + sent, link->out.len - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break; /* full, or gone: its end shows on the reading side */
        sent += (size_t)n;
    }
    if (sent)
        buf_drop_front(&link->out, sent);
    if (!link->ended && uv_is_active((uv_handle_t *)&link->poll))
        uv_poll_start(&link->poll, UV_READABLE | UV_DISCONNECT | (link->out.len ? UV_WRITABLE : 0), on_poll);
}

/* ---- The start --------------------------------------------------------------------------------------------- */

/* Settings may hold keys, and the engine reads none of them: it is configured by a frame. */
static void child_environment(char **environment, char *out[ENVIRONMENT_MAX])
{
    unsigned n = 0;
    for (char **e = environment; e && *e && n < ENVIRONMENT_MAX - 1; e++)
        if (strncmp(*e, "SEEKD_", 6) != 0 && strncmp(*e, "NOTIFY_SOCKET=", 14) != 0 && strncmp(*e, "LISTEN_", 7) != 0 &&
            !strstr(*e, "_KEY=") && !strstr(*e, "TOKEN=") && !strstr(*e, "SECRET") && !strstr(*e, "PASSWORD"))
            out[n++] = *e;
    out[n] = NULL;
}

static int spawn(struct engine_link *link, uv_loop_t *loop, char **environment, int child_fd)
{
    char *child_env[ENVIRONMENT_MAX], fd_text[] = "3", name[] = "seekd", command[] = "engine", flag[] = "--fd";
    char *args[] = {name, command, flag, fd_text, NULL};
    uv_stdio_container_t stdio[CHILD_FD + 1] = {
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
        {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
        {.flags = UV_INHERIT_FD, .data.fd = child_fd},
    };
    uv_process_options_t options = {.exit_cb = on_exit, .file = "/proc/self/exe", .args = args, .env = child_env,
                                    .flags = UV_PROCESS_DETACHED, .stdio = stdio, .stdio_count = CHILD_FD + 1};
    child_environment(environment, child_env);
    return uv_spawn(loop, &link->process, &options);
}

enum status engine_link_start(struct engine_link **out, uv_loop_t *loop, char **environment,
                              const struct engine_link_events *events, struct error *error)
{
    int pair[2];
    struct engine_link *link = mem_zalloc(sizeof *link);
    if (!link)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
        mem_free(link);
        return error_set(error, STATUS_IO, "socketpair: %s", strerror(errno));
    }
    link->fd = pair[0];
    link->events = *events;
    buf_init(&link->in, 2 * PROTOCOL_FRAME_BYTES_MAX);
    buf_init(&link->out, OUT_BYTES_MAX);
    buf_init(&link->body, PROTOCOL_FRAME_BYTES_MAX);
    link->process.data = link->poll.data = link->abandon.data = link;
    check(uv_timer_init(loop, &link->abandon) == 0);
    check(uv_poll_init(loop, &link->poll, link->fd) == 0);
    link->n_open = 3;
    int failed = spawn(link, loop, environment, pair[1]);
    close(pair[1]);
    if (failed) {
        link->ended = true;
        uv_close((uv_handle_t *)&link->poll, on_closed);
        uv_close((uv_handle_t *)&link->process, on_closed);
        uv_close((uv_handle_t *)&link->abandon, on_closed);
        return error_set(error, STATUS_IO, "the engine process could not be started: %s", uv_strerror(failed));
    }
    check(uv_poll_start(&link->poll, UV_READABLE | UV_DISCONNECT, on_poll) == 0);
    *out = link;
    return STATUS_OK;
}

int engine_link_pid(const struct engine_link *link)
{
    return link->process.pid;
}
