/* A server of one's own for the length of a chat: `seekd serve` as a child, on a free loopback port, with a key nobody else has. */
#ifndef SERVER_PRIVATE_SERVER_H
#define SERVER_PRIVATE_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/status.h"

enum { PRIVATE_SERVER_KEY_BYTES = 68 };

struct private_server {
    pid_t pid; /* 0: none */
    unsigned port;
    char key[PRIVATE_SERVER_KEY_BYTES];
};

/* Starts it with the given options of serve; it ends when this process does. It is ready later: ask its /ready. */
enum status private_server_start(struct private_server *out, char **environment, int argc, char **argv, struct error *error) must_check;

/* True, and *code its exit code, once it has ended. */
bool private_server_ended(struct private_server *server, int *code);

/* Asks it to end, and waits. */
void private_server_stop(struct private_server *server);

#endif
