/* Waiting for a private server goes by its /ready, so a command may send its first request as soon as reach_open returns. */
#include "server/reach.h"

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "server/answer.h"

enum { REPLY_BYTES_MAX = 16 << 20, READY_MS_MAX = 2000, SHORT_MS_MAX = 10000, SLICE_NS = 100000000 };

enum status reach_init(struct reach *reach, int n, struct error *error)
{
    *reach = (struct reach){.serve_argv = mem_zalloc_array((size_t)n + 1, sizeof *reach->serve_argv)};
    return reach->serve_argv ? STATUS_OK : error_set(error, STATUS_NO_MEMORY, "out of memory");
}

void reach_add_option(struct reach *reach, char *option)
{
    reach->serve_argv[reach->serve_argc++] = option;
}

void reach_add_first_options(struct reach *reach, const char *flag, const char *value)
{
    memmove(reach->serve_argv + 2, reach->serve_argv, (size_t)reach->serve_argc * sizeof *reach->serve_argv);
    reach->serve_argv[0] = (char *)flag;
    reach->serve_argv[1] = (char *)value;
    reach->serve_argc += 2;
}

bool reach_take_flag(struct reach *reach, const char *flag, const char *value)
{
    if (strcmp(flag, "--url") == 0)
        reach->url = value;
    else if (strcmp(flag, "--api-key") == 0)
        snprintf(reach->client.key, sizeof reach->client.key, "%s", value);
    else
        return false;
    return true;
}

enum status reach_check(const struct reach *reach, struct error *error)
{
    if (reach->url && reach->serve_argc)
        return error_set(error, STATUS_INVALID, "%s: with --url no server is started that could take it", reach->serve_argv[0]);
    if (!reach->url && *reach->client.key)
        return error_set(error, STATUS_INVALID, "--api-key: only with --url; a server of one's own makes its own key");
    for (int i = 0; i < reach->serve_argc; i++)
        if (strncmp(reach->serve_argv[i], "--host", 6) == 0 || strncmp(reach->serve_argv[i], "--port", 6) == 0)
            return error_set(error, STATUS_INVALID, "%s: the command's own server takes a free port of this machine",
                             reach->serve_argv[i]);
    return STATUS_OK;
}

static void collect(void *arg, struct str part)
{
    buf_add_str(arg, part);
}

/* A short GET: its body, and the HTTP status in *http_status. */
static enum status get(const struct reach *reach, const char *path, struct buf *body, unsigned *http_status, unsigned ms_max,
                       struct error *error)
{
    struct client_exchange x = {.method = "GET", .path = path, .idle_ms_max = ms_max, .on_body = collect, .arg = body};
    enum status status = client_run(&reach->client, &x, error);
    *http_status = x.http_status;
    return status;
}

static bool is_ready(const struct reach *reach)
{
    struct buf body;
    struct error ignored;
    unsigned http_status;
    buf_init(&body, REPLY_BYTES_MAX);
    enum status status = get(reach, "/ready", &body, &http_status, READY_MS_MAX, &ignored);
    buf_release(&body);
    return !status && http_status == 200;
}

static void show_waiting(double seconds, bool visible)
{
    if (visible) {
        fprintf(stderr, "\rloading the model ... %.0f s ", seconds);
        fflush(stderr);
    }
}

static enum status wait_until_ready(struct reach *reach, struct error *error)
{
    const struct timespec slice = {.tv_nsec = SLICE_NS};
    uint64_t begin = clock_now_ns(clock_real());
    bool visible = isatty(STDERR_FILENO);
    enum status status = STATUS_OK;
    int code;
    while (!status && !is_ready(reach)) {
        show_waiting((double)(clock_now_ns(clock_real()) - begin) * 1e-9, visible);
        if (private_server_ended(&reach->server, &code))
            status = error_set(error, STATUS_IO, "the model could not be served (exit code %d); the reason stands above", code);
        else if (reach->client.stop && *reach->client.stop)
            status = error_set(error, STATUS_CANCELLED, "stopped");
        else
            nanosleep(&slice, NULL);
    }
    if (visible)
        fputs("\r\033[K", stderr);
    return status;
}

static enum status ask_model(struct reach *reach, struct error *error)
{
    struct buf body;
    unsigned http_status;
    buf_init(&body, REPLY_BYTES_MAX);
    enum status status = get(reach, "/v1/models", &body, &http_status, SHORT_MS_MAX, error);
    if (!status && http_status != 200)
        status = answer_refusal(buf_str(&body), http_status, error);
    if (!status) {
        json_t *root = json_loadb(buf_str(&body).at, body.len, 0, NULL);
        const char *id = json_string_value(json_object_get(json_array_get(json_object_get(root, "data"), 0), "id"));
        if (id)
            snprintf(reach->model, sizeof reach->model, "%s", id);
        else
            status = error_set(error, STATUS_INVALID, "%s:%s lists no model", reach->client.host, reach->client.port);
        json_decref(root);
    }
    buf_release(&body);
    return status;
}

enum status reach_open(struct reach *reach, char **environment, struct error *error)
{
    enum status status = STATUS_OK;
    if (reach->url)
        status = client_set_url(&reach->client, reach->url, error);
    else
        status = private_server_start(&reach->server, environment, reach->serve_argc, reach->serve_argv, error);
    if (!status && !reach->url) {
        snprintf(reach->client.host, sizeof reach->client.host, "127.0.0.1");
        snprintf(reach->client.port, sizeof reach->client.port, "%u", reach->server.port);
        snprintf(reach->client.key, sizeof reach->client.key, "%s", reach->server.key);
        status = wait_until_ready(reach, error);
    }
    return status ? status : ask_model(reach, error);
}

void reach_close(struct reach *reach)
{
    private_server_stop(&reach->server);
    mem_free(reach->serve_argv);
    sodium_memzero(reach->client.key, sizeof reach->client.key);
}
