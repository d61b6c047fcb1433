/* seekd health: asks a server whether it is ready, for health checks of images without a shell or curl. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "config/config.h"
#include "server/client.h"
#include "server/commands.h"

extern char **environ;

static const char usage[] = "usage: seekd health [--url http://HOST:PORT] [--path /ready]\n"
                            "  exit code 0 when the answer's status is 200; the port is that of the settings (SEEKD_PORT, SEEKD_CONFIG)\n";

enum { WAIT_MS = 2500, BODY_BYTES_MAX = 64 << 10 };

struct settings {
    const char *url, *path;
};

static bool parse(int argc, char **argv, struct settings *s)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--url") == 0)
            s->url = argv[i + 1];
        else if (strcmp(argv[i], "--path") == 0 && argv[i + 1][0] == '/')
            s->path = argv[i + 1];
        else
            return false;
    }
    return argc % 2 == 1;
}

/* The address that `seekd serve` with these settings can be reached at from here. */
static enum status find_server(struct client *client, struct error *error)
{
    struct config *config;
    enum status status = config_load(&config, config_environment(environ, "SEEKD_CONFIG"), environ, 0, NULL, error);
    if (status)
        return status;
    if (*config->tls_cert)
        status = error_set(error, STATUS_UNSUPPORTED, "the server speaks TLS, which this check does not: use another probe");
    snprintf(client->host, sizeof client->host, "127.0.0.1");
    snprintf(client->port, sizeof client->port, "%u", (unsigned)config->port);
    config_free(config);
    return status;
}

static void collect(void *arg, struct str part)
{
    buf_add_str(arg, part);
}

int cmd_health(int argc, char **argv)
{
    struct settings s = {.path = "/ready"};
    struct client client = {.port = ""};
    struct error error;
    struct buf body;
    error_clear(&error);
    if (!parse(argc, argv, &s)) {
        fputs(usage, stderr);
        return COMMANDS_EXIT_USAGE;
    }
    enum status status = s.url ? client_set_url(&client, s.url, &error) : find_server(&client, &error);
    struct client_exchange x = {.method = "GET", .path = s.path, .idle_ms_max = WAIT_MS, .on_body = collect, .arg = &body};
    buf_init(&body, BODY_BYTES_MAX);
    if (!status)
        status = client_run(&client, &x, &error);
    if (status)
        fprintf(stderr, "seekd health: %s\n", error.message);
    else
        printf("%u %s\n", x.http_status, buf_status(&body) == STATUS_OK ? buf_str(&body).at : "");
    buf_release(&body);
    return !status && x.http_status == 200 ? 0 : 1;
}
