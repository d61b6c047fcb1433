/* A small HTTP/1.1 client for `seekd run` and `seekd eval`: one request per connection, plain text, bodies handed on as they come. A
 * client is read only while requests run, so threads may share one. */
#ifndef SERVER_CLIENT_H
#define SERVER_CLIENT_H

#include <signal.h>

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

enum { CLIENT_HOST_BYTES = 256, CLIENT_PREFIX_BYTES = 256, CLIENT_KEY_BYTES = 512 };

struct client {
    char host[CLIENT_HOST_BYTES], port[8];
    char prefix[CLIENT_PREFIX_BYTES]; /* in front of every path, without a slash at its end */
    char key[CLIENT_KEY_BYTES];       /* sent as a bearer token; empty: none */
    const volatile sig_atomic_t *stop; /* looked at ten times a second: true ends an exchange with STATUS_CANCELLED */
};

/* Takes host, port and prefix from http://HOST[:PORT][/PREFIX]. A prefix of /v1 is dropped: paths bring it. */
enum status client_set_url(struct client *client, const char *url, struct error *error) must_check;

struct client_exchange {
    const char *method, *path;
    struct str body;          /* JSON, or empty */
    unsigned idle_ms_max;     /* longest silence */
    void (*on_body)(void *arg, struct str part);
    void *arg;
    unsigned http_status;     /* set before the first part of the body arrives */
    unsigned retry_after_s;   /* of the reply; 0: it names none */
};

/* Runs to the end of the reply. STATUS_BUSY when nobody listens or the silence was too long, STATUS_IO when the reply is broken. */
enum status client_run(const struct client *client, struct client_exchange *exchange, struct error *error) must_check;

/* Cuts a stream of events into their data lines. */
struct client_events {
    struct buf line;
    void (*on_data)(void *arg, struct str data);
    void *arg;
};
void client_events_init(struct client_events *events, void (*on_data)(void *arg, struct str data), void *arg);
void client_events_release(struct client_events *events);
void client_events_add(struct client_events *events, struct str part);

#endif
