/* How a command finds the server that it talks to: one that runs already, or a private one started for the command. */
#ifndef SERVER_REACH_H
#define SERVER_REACH_H

#include <signal.h>

#include "base/status.h"
#include "server/client.h"
#include "server/private_server.h"

struct reach {
    struct client client;
    struct private_server server;
    const char *url;   /* borrowed; null: a private server */
    char **serve_argv; /* owned list of borrowed texts: options of the private server */
    int serve_argc;
    char model[256]; /* id of the served model, once open */
};

/* Room for n options of serve. */
enum status reach_init(struct reach *reach, int n, struct error *error) must_check;
void reach_add_option(struct reach *reach, char *option);
/* In front of those added so far, so that they win. */
void reach_add_first_options(struct reach *reach, const char *flag, const char *value);

/* --url and --api-key. False: the flag is another's. */
bool reach_take_flag(struct reach *reach, const char *flag, const char *value);

/* Whether what was given goes together; STATUS_INVALID names the option. */
enum status reach_check(const struct reach *reach, struct error *error) must_check;

/* Connects, or starts the private server and waits until it is ready; then asks for the model. client.stop ends it early. */
enum status reach_open(struct reach *reach, char **environment, struct error *error) must_check;

/* Stops the private server, forgets the key. */
void reach_close(struct reach *reach);

#endif
