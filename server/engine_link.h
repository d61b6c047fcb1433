/* One engine child process and the socket to it. Main thread only.
 *
 * The child is this same program (`seekd engine --fd 3`) with an environment that carries no settings and no keys, no other
 * descriptor of ours, and a session of its own, so that a terminal's interrupt reaches the front alone. */
#ifndef SERVER_ENGINE_LINK_H
#define SERVER_ENGINE_LINK_H

#include <uv.h>

#include "base/buf.h"
#include "engine/protocol.h"

struct engine_link;

struct engine_link_events {
    void *arg;
    /* One whole frame; `body` is 16-byte aligned and lends until the call returns. */
    void (*frame)(void *arg, const struct protocol_head *head, struct str body);
    /* The child is over, all its frames were delivered: once, last. `how` says so for a person; exit_code is -1 where a signal
     * ended it. The link frees itself after this. */
    void (*gone)(void *arg, const char *how, int exit_code);
};

enum status engine_link_start(struct engine_link **out, uv_loop_t *loop, char **environment,
                              const struct engine_link_events *events, struct error *error) must_check;

/* Frames are appended here, then sent by engine_link_flush as the socket takes them. */
struct buf *engine_link_out(struct engine_link *link);
void engine_link_flush(struct engine_link *link);

void engine_link_kill(struct engine_link *link); /* SIGKILL; gone follows */

int engine_link_pid(const struct engine_link *link);

#endif
