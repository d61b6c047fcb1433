/* One HTTP exchange, as routes see it: a request that is already whole and admitted, and the reply to make.
 *
 * Life: reading (HTTP thread) -> preparing (the route's handler, on a pool thread, or inline for routes marked so)
 * -> either one whole reply, or generating (main thread) -> ended. An exchange is referred to by pointer
 * only by whoever holds it at that moment; the HTTP layer keeps it alive until `ended` on both sides. */
#ifndef SERVER_EXCHANGE_H
#define SERVER_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

struct exchange;
struct server;
struct route;

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_OPTIONS, HTTP_DELETE, HTTP_PUT, HTTP_OTHER };

/* What the client sent: lends until the exchange ends. */
struct http_request {
    enum http_method method;
    bool http_1_0;
    struct str path;       /* decoded once, trailing slash removed */
    struct str path_tail;  /* the {id} part of routes that have one */
    struct str body;
    struct str request_id; /* req_...: ours */
    struct str client_request_id;
    struct str traceparent;
    uint32_t key_index;    /* which API key row admitted it; UINT32_MAX: no keys configured */
    uint64_t received_ns;  /* monotonic, when the head was complete */
};

struct server *exchange_server(const struct exchange *exchange);
const struct http_request *exchange_request(const struct exchange *exchange);
const struct route *exchange_route(const struct exchange *exchange);
struct arena *exchange_arena(struct exchange *exchange); /* for the handler's own memory; freed when the exchange ends */

/* The handler's object for the rest of the exchange (a generation). `release` runs once, on the main thread or the
 * pool thread that owns it, when the exchange ended on the server's side. */
void exchange_set_data(struct exchange *exchange, void *data, void (*release)(void *data));
void *exchange_data(const struct exchange *exchange);

/* Keeps the exchange's memory over calls that may end it. */
void exchange_ref(struct exchange *exchange);
void exchange_unref(struct exchange *exchange);

/* Memory that grows with the request, charged to what all requests in preparation may hold (intake_bytes_max): false when that is spent.
 * What is not given back is at the exchange's end. */
bool exchange_charge(struct exchange *exchange, size_t bytes);
void exchange_give_back(struct exchange *exchange, size_t bytes);

/* ---- Whole replies: exactly one of these, from whichever thread holds the exchange -------------------------- */

/* Moves the contents of body out. content_type null: application/json. Extra headers: "Name: value\r\n" lines or
 * null. */
void exchange_reply(struct exchange *exchange, unsigned status, const char *content_type, struct buf *body,
                    const char *extra_headers);

/* Any number of "Name: value\r\n" lines for the reply, whole or streamed, before it begins. Lost when there is no memory. */
void exchange_add_headers(struct exchange *exchange, const char *lines);

/* ---- Streams ------------------------------------------------------------------------------------------------ */

/* Sends status 200 and headers. May be called once, in place of exchange_reply. */
void exchange_stream_begin(struct exchange *exchange, const char *content_type);
/* Queues bytes for the client; false when the client is gone or too slow (the stream is then cancelled: stop
 * producing). Wakes the HTTP thread. */
bool exchange_stream_write(struct exchange *exchange, struct str bytes);
void exchange_stream_end(struct exchange *exchange); /* body ends properly (last chunk) */

/* ---- Threads ------------------------------------------------------------------------------------------------ */

/* Runs step(exchange) on the main thread soon. The usual way from prepare to submit. */
void exchange_to_main(struct exchange *exchange, void (*step)(struct exchange *exchange));

/* Says whether the reply will be whole or a stream, as soon as that is known: a client that shuts its sending side has left a whole
 * reply, but may still read a stream. */
enum exchange_form { EXCHANGE_UNDECIDED, EXCHANGE_WHOLE, EXCHANGE_STREAMED };
void exchange_set_form(struct exchange *exchange, enum exchange_form form);

/* Main thread: called once when the client has left or was dropped before the reply was complete, never from inside this call. The
 * handler must cancel its work and then call exchange_abandon. */
void exchange_on_gone(struct exchange *exchange, void (*gone)(struct exchange *exchange));
bool exchange_is_gone(const struct exchange *exchange); /* any thread; for long jobs to look at */
void exchange_abandon(struct exchange *exchange);       /* ends without a reply, after the client left */

/* The pool's cancel flag for this exchange: true once the client is gone. For tokenizer_encode. */
const _Atomic bool *exchange_cancel_flag(const struct exchange *exchange);

#endif
