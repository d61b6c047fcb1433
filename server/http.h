/* The HTTP side of the front: one libmicrohttpd thread that owns connections, the framing gate in front of it, the watcher
 * of clients that leave, and the exchanges between connections and handlers. */
#ifndef SERVER_HTTP_H
#define SERVER_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "server/exchange.h"

struct http;
struct server;
struct loop;

/* Takes over the listening sockets (already bound and listening). TLS when the settings name a certificate. */
enum status http_start(struct http **out, struct server *server, struct loop *loop, const int *listen_fds,
                       unsigned n_listen_fds, struct error *error) must_check;

/* Ends all connections: wakes what sleeps, stops the library. Main thread. Exchanges whose work goes on elsewhere live on until
 * that ends. */
void http_stop(struct http *http);

/* After the last exchange ended. */
void http_free(struct http *http);

/* False when the HTTP thread has owed a reply that was ready for more than a second. Any thread. */
bool http_is_live(const struct http *http);

#endif
