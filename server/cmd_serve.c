/* seekd serve: settings, model text, keys, sockets, front, HTTP, in that order, and back. */
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file_map.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/config.h"
#include "server/auth.h"
#include "server/commands.h"
#include "server/default_model.h"
#include "server/front.h"
#include "server/http.h"
#include "server/language_cache.h"
#include "server/prompt_history.h"
#include "server/report.h"
#include "server/listen.h"
#include "server/metrics.h"
#include "server/model_sums.h"
#include "server/notify.h"
#include "server/server.h"
#include "server/version.h"
#include "text/script_sets.h"

extern char **environ;

enum {
    SNAPSHOTS_MAX = 4096,
    DESCRIPTORS_SPARE = 512,
    KEY_BYTES = 24,
    FIELD_MAX = 1024,
    LANGUAGES_BYTES_MAX = 64 << 20,
    PROMPTS_BYTES_MAX = 16 << 20,
};

struct serve {
    struct server server;
    struct listen_set listen;
    const char *file; /* of settings, or null */
    int argc;
    char **argv;      /* flags */
    struct config *snapshots[SNAPSHOTS_MAX]; /* owned; the last one is in use */
    unsigned n_snapshots;
    bool built_in; /* the model that comes with the program is served */
};

static int complain(int code, const struct error *error)
{
    fprintf(stderr, "seekd: %s\n", error->message);
    return code;
}

/* ---- Settings ---------------------------------------------------------------------------------------------- */

static void set_log(const struct config *config)
{
    enum log_level level = LOG_LEVEL_INFO;
    log_level_parse(config->log_level, &level);
    log_set(level, strcmp(config->log_format, "json") == 0, "front");
}

static void on_differs(const char *name)
{
    log_warn("setting changed", "name=%s effect=\"after a restart\"", name);
}

/* SIGHUP: what can change does; a bad file or key leaves everything as it was. */
static void reload(void *arg)
{
    struct serve *s = arg;
    struct config *fresh = NULL, *running = s->snapshots[s->n_snapshots - 1];
    struct error error;
    error_clear(&error);
    enum status status = s->n_snapshots < SNAPSHOTS_MAX
                             ? config_load(&fresh, s->file, environ, s->argc, s->argv, &error)
                             : error_set(&error, STATUS_LIMIT, "reloaded %d times: restart to reload again", SNAPSHOTS_MAX);
    if (!status)
        status = config_keep_fixed(fresh, running, on_differs, &error);
    if (!status)
        status = auth_reload(s->server.auth, fresh, &error);
    if (status) {
        log_error("reload refused", "cause=\"%s\"", error.message);
        config_free(fresh);
        return;
    }
    s->snapshots[s->n_snapshots++] = fresh;
    s->server.config = fresh;
    set_log(fresh);
    log_info("reloaded", "file=%s", s->file ? s->file : "-");
}

/* Takes --config FILE out of the flags; the variable SEEKD_CONFIG names one too. */
static bool take_config_flag(struct serve *s)
{
    s->file = config_environment(environ, "SEEKD_CONFIG");
    for (int i = 0; i < s->argc; i++) {
        int used = 0;
        if (strncmp(s->argv[i], "--config=", 9) == 0) {
            s->file = s->argv[i] + 9;
            used = 1;
        } else if (strcmp(s->argv[i], "--config") == 0) {
            if (i + 1 == s->argc)
                return false;
            s->file = s->argv[i + 1];
            used = 2;
        }
        if (used) {
            memmove(&s->argv[i], &s->argv[i + used], (size_t)(s->argc - i - used) * sizeof *s->argv);
            s->argc -= used;
            i--;
        }
    }
    return true;
}

static enum status load_settings(struct serve *s, struct error *error)
{
    enum status status = config_load(&s->snapshots[0], s->file, environ, s->argc, s->argv, error);
    if (status)
        return status;
    s->n_snapshots = 1;
    set_log(s->snapshots[0]);
    struct config *config = s->snapshots[0];
    if (!*config->model)
        status = default_model_find(&config->model, &s->built_in, error);
    s->server.config = config;
    return status;
}

/* ---- Parts ------------------------------------------------------------------------------------------------- */

/* Descriptors for every connection allowed, raised where the system lets us. */
static void raise_descriptor_limit(uint64_t connections)
{
    struct rlimit limit;
    rlim_t want = (rlim_t)connections + DESCRIPTORS_SPARE;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= want)
        return;
    limit.rlim_cur = want < limit.rlim_max ? want : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < want)
        log_warn("descriptors limited", "allowed=%llu wanted=%llu", (unsigned long long)limit.rlim_cur, (unsigned long long)want);
}

static enum status load_text(struct serve *s, struct error *error)
{
    struct server *server = &s->server;
    const struct config *config = server->config;
    enum status status = model_sums_check(config->model, error);
    if (!status)
        status = model_text_load(&server->text, config->model, error);
    if (!status)
        status = chat_format_choose(&server->format, &server->text, config->chat_format, server->format_reason, error);
    if (status)
        return status;
    snprintf(server->model_id, sizeof server->model_id, "%s", *config->model_name ? config->model_name : server->text.name);
    log_info("model", "id=%s chat_format=%s", server->model_id, chat_format_name(server->format));
    log_info("chat format", "why=\"%s\"", server->format_reason);
    return STATUS_OK;
}

static enum status open_sockets(struct serve *s, struct error *error)
{
    const struct config *config = s->server.config;
    bool tls = *config->tls_cert != 0;
    unsigned given = notify_listen_fds(environ);
    return given ? listen_adopt(&s->listen, NOTIFY_FIRST_FD, given, tls, error)
                 : listen_open(&s->listen, config->host, (unsigned)config->port, tls, error);
}

/* A key for a container that was given none: printed once, kept nowhere. */
static enum status make_key(struct config *config, struct error *error)
{
    unsigned char bytes[KEY_BYTES];
    char key[8 + KEY_BYTES * 2] = "sk-";
    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2hex(key + 3, sizeof key - 3, bytes, sizeof bytes);
    enum status status = config_set(config, config_find("api_keys"), key, "generate_key", error);
    if (!status)
        printf("seekd: no key was configured; this run's key is %s\n", key);
    sodium_memzero(bytes, sizeof bytes);
    sodium_memzero(key, sizeof key);
    return status;
}

/* A wider address than the loopback without keys is refused, unless somebody said that it is meant. */
static enum status check_exposure(struct serve *s, struct error *error)
{
    struct config *config = s->snapshots[0];
    bool open = config->api_keys.n == 0 && !*config->api_key_file;
    bool platform = config_environment(environ, "AIP_HTTP_PORT") || config_environment(environ, "SAGEMAKER_BIND_TO_PORT");
    if (!open || s->listen.is_loopback || config->allow_open_bind || platform)
        return STATUS_OK;
    if (config->generate_key)
        return make_key(config, error);
    return error_set_path(error, STATUS_INVALID, NULL, "host",
                          "host %s can be reached from other machines, and no key is configured: set --api-key KEY, listen on "
                          "127.0.0.1, or say --allow-open-bind if everyone who reaches the port may use the server",
                          config->host);
}

static enum status check_prices(const struct config *config, struct error *error)
{
    const char *const names[] = {"price_input", "price_cached_input", "price_output"};
    const char *const values[] = {config->price_input, config->price_cached_input, config->price_output};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!report_is_price(values[i]))
            return error_set_path(error, STATUS_INVALID, NULL, names[i], "%s: expected a number that is not negative", names[i]);
    return STATUS_OK;
}

static enum status check_tls(const struct config *config, struct error *error)
{
    if ((*config->tls_cert == 0) == (*config->tls_key == 0))
        return STATUS_OK;
    return error_set_path(error, STATUS_INVALID, NULL, "tls_cert", "tls_cert and tls_key are given together or not at all");
}

/* Settings of parts that this build does not have are refused, never ignored. */
static enum status check_offered(const struct config *config, struct error *error)
{
    const char *name = config->require_gpu ? "require_gpu" : NULL;
    return name ? error_set_path(error, STATUS_UNSUPPORTED, NULL, name, "%s is not offered by this build", name) : STATUS_OK;
}

/* A request to try. The body is quoted for a shell, so it holds no apostrophe. */
static void print_try(const struct serve *s, const char *what, const char *stream, const char *rest)
{
    bool open = auth_is_open(s->server.auth);
    printf("%s\n  curl %s%s/v1/chat/completions%s -H 'Content-Type: application/json' -d '{\"model\":\"%s\",\"temperature\":0,%s}'\n", what,
           stream, s->listen.url, open ? "" : " -H 'Authorization: Bearer KEY'", s->server.model_id, rest);
}

static void greet(const struct serve *s)
{
    const struct server *server = &s->server;
    printf("seekd %s serves %s on %s (loading; GET /ready is 200 when it answers)\n", version_number(), server->model_id, s->listen.url);
    if (!s->built_in) {
        print_try(s, "try:", "-N ",
                  "\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"What is the capital of France?\"}]");
    } else {
        puts("This is the built-in demonstration model, trained from scratch on a few kinds of tasks: it shows what the server does, and\n"
             "knows little. seekd serve --model PATH serves one of your own.");
        print_try(s, "a sum, with its thought:", "-N ",
                  "\"stream\":true,\"chat_template_kwargs\":{\"thinking\":true},"
                  "\"messages\":[{\"role\":\"user\",\"content\":\"What is 257 + 48?\"}]");
        print_try(s, "a tool call:", "",
                  "\"messages\":[{\"role\":\"user\",\"content\":\"What is the weather in Paris?\"}],"
                  "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"get_weather\","
                  "\"description\":\"Get the weather of a city.\","
                  "\"parameters\":{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}},\"required\":[\"city\"]}}}]");
        print_try(s, "a question in French:", "",
                  "\"messages\":[{\"role\":\"user\",\"content\":\"Quelle est la capitale de la France ?\"}]");
    }
    fflush(stdout);
}

static void release(struct serve *s)
{
    struct server *server = &s->server;
    http_stop(server->http);
    front_free(server->front);
    http_free(server->http);
    listen_close(&s->listen);
    auth_free(server->auth);
    metrics_free(server->metrics);
    language_cache_free(server->languages);
    prompt_history_free(server->prompts);
    script_sets_free(server->scripts);
    chat_format_free(server->format);
    model_text_release(&server->text);
    log_stop();
    for (unsigned i = 0; i < s->n_snapshots; i++)
        config_free(s->snapshots[i]);
    mem_free(s);
}

/* ---- The command ------------------------------------------------------------------------------------------- */

static enum status prepare(struct serve *s, int *code, struct error *error)
{
    struct server *server = &s->server;
    *code = COMMANDS_EXIT_CONFIG;
    enum status status = load_settings(s, error);
    if (!status)
        status = check_tls(server->config, error);
    if (!status)
        status = check_prices(server->config, error);
    if (!status)
        status = check_offered(server->config, error);
    if (!status)
        status = open_sockets(s, error);
    server->loopback = s->listen.is_loopback;
    if (!status)
        status = check_exposure(s, error);
    if (!status)
        status = auth_create(&server->auth, server->config, error);
    if (!status)
        status = log_start(error);
    if (status)
        return status;
    raise_descriptor_limit(((const struct config *)server->config)->max_connections);
    *code = COMMANDS_EXIT_MODEL;
    status = load_text(s, error);
    if (status)
        return status;
    *code = COMMANDS_EXIT_FAULT;
    server->created = clock_unix_seconds();
    server->metrics = metrics_create();
    if (!server->metrics)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    status = language_cache_create(&server->languages, LANGUAGES_BYTES_MAX, error);
    if (!status)
        status = prompt_history_create(&server->prompts, PROMPTS_BYTES_MAX, error);
    if (!status)
        status = script_sets_create(&server->scripts, error);
    if (!status)
        status = front_create(&server->front, server, environ, error);
    if (!status)
        status = http_start(&server->http, server, front_loop(server->front), s->listen.fds, s->listen.n, error);
    return status;
}

int cmd_serve(int argc, char **argv)
{
    struct error error;
    int code;
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        puts("usage: seekd serve [--config PATH] [options]\n");
        config_write(stdout, CONFIG_FORM_HELP);
        return 0;
    }
    struct serve *s = mem_zalloc(sizeof *s);
    error_clear(&error);
    if (!s || sodium_init() < 0)
        return COMMANDS_EXIT_FAULT;
    s->argc = argc - 1;
    s->argv = argv + 1;
    file_map_catch_faults();
    if (!take_config_flag(s)) {
        fputs("seekd: --config needs a path\n", stderr);
        code = COMMANDS_EXIT_USAGE;
    } else if (prepare(s, &code, &error) != STATUS_OK) {
        complain(code, &error);
    } else {
        front_on_reload(s->server.front, reload, s);
        greet(s);
        code = front_run(s->server.front);
        log_info("stopped", "code=%d", code);
    }
    release(s);
    return code;
}
