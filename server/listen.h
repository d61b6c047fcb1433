/* The listening sockets: made here, before anything else may fail, or handed over by the service manager. */
#ifndef SERVER_LISTEN_H
#define SERVER_LISTEN_H

#include <stdbool.h>

#include "base/status.h"

enum { LISTEN_MAX = 16, LISTEN_URL_BYTES = 128 };

struct listen_set {
    int fds[LISTEN_MAX];
    unsigned n;
    bool is_loopback;           /* every address is of this machine alone */
    char url[LISTEN_URL_BYTES]; /* "http://127.0.0.1:8000", of the first one */
};

/* Binds every address that `host` means. Errors name the address and what is the matter, with what to do where known. */
enum status listen_open(struct listen_set *out, const char *host, unsigned port, bool tls, struct error *error) must_check;

/* Takes over n descriptors from `first` on. */
enum status listen_adopt(struct listen_set *out, int first, unsigned n, bool tls, struct error *error) must_check;

void listen_close(struct listen_set *set);

#endif
