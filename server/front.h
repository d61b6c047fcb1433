/* The front's main loop: engine children, submissions, deadlines, signals, reload. Main thread only, except
 * where said. */
#ifndef SERVER_FRONT_H
#define SERVER_FRONT_H

#include "engine/protocol.h"
#include "server/loop.h"

struct front;
struct server;

/* News of one submission, on the main thread. After done(last), refused or failed no more comes. */
struct engine_listener {
    void (*accepted)(void *arg, uint32_t n_cached);
    void (*tokens)(void *arg, struct protocol_tokens_reader *reader);
    void (*done)(void *arg, const struct protocol_done *done);
    void (*refused)(void *arg, const struct protocol_refused *refused);
    /* The engine died or was restarted while this was running. (Work that had no token yet is resubmitted by the
     * front and does not hear of it.) */
    void (*failed)(void *arg, const char *cause);
    void (*embedding)(void *arg, const struct protocol_embedding *embedding); /* where one was asked for; before its done */
};

/* Sends a submission; returns its id (never 0), or 0 with *error when no engine can take it now (loading, draining). */
uint64_t front_submit(struct front *front, const struct protocol_submit *submit, const struct engine_listener *listener,
                      void *arg, struct error *error);

/* The same for the server's own checks, before it is ready. */
uint64_t front_submit_unchecked(struct front *front, const struct protocol_submit *submit, const struct engine_listener *listener,
                                void *arg, struct error *error);

/* The listener hears nothing more; pages come back at the next step border. */
void front_cancel(struct front *front, uint64_t id);

/* One choice needs no more tokens; the submission stays until all its choices are done or it is cancelled. */
void front_cancel_choice(struct front *front, uint64_t id, uint32_t choice);

/* Asks something of a submission that runs; what is over is ignored. */
void front_control(struct front *front, uint64_t id, enum protocol_control control);

/* What the front knows of its engine; readable on any thread. */
struct front_state {
    bool live;      /* main loop and HTTP thread turned within 1 s */
    bool ready;     /* a request would be answered */
    bool loading, draining, engine_failed; /* failed: restarts do not help, /health says error */
    struct protocol_ready engine;  /* valid once the first engine was ready */
    bool engine_known;
    struct protocol_stats stats;   /* latest */
    uint64_t engine_restarts;
};
void front_read_state(struct front *front, struct front_state *out);

/* ---- Its life, for the serve command ------------------------------------------------------------------------ */

/* The process's environment, for the engine's child and the service manager's variables; lends for ever. */
enum status front_create(struct front **out, struct server *server, char **environment, struct error *error) must_check;

/* Called on SIGHUP, on the main thread. */
void front_on_reload(struct front *front, void (*reload)(void *arg), void *arg);

struct loop *front_loop(struct front *front);

/* Starts the engine and runs until asked to stop; returns the process's exit code. */
int front_run(struct front *front);
void front_free(struct front *front);

#endif
