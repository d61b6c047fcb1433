/* Binding and adopting listening sockets. */
#include "server/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return (ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24) == 127;
    if (address->sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
    return address->sa_family == AF_UNIX;
}

/* Adds a listening socket to the set and, when it is the first, says where it is. */
static enum status add(struct listen_set *set, int fd, bool tls, struct error *error)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    char host[64] = "localhost", port[16] = "0";
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return error_set(error, STATUS_IO, "getsockname: %s", strerror(errno));
    set->is_loopback = (set->n == 0 || set->is_loopback) && is_loopback((struct sockaddr *)&address);
    if (set->n == 0) {
        getnameinfo((struct sockaddr *)&address, len, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
        bool v6 = strchr(host, ':') != NULL;
        snprintf(set->url, sizeof set->url, "%s://%s%s%s:%s", tls ? "https" : "http", v6 ? "[" : "", host, v6 ? "]" : "", port);
    }
    set->fds[set->n++] = fd;
    return STATUS_OK;
}

static enum status open_one(struct listen_set *set, const struct addrinfo *at, const char *host, unsigned port, bool tls,
                            struct error *error)
{
    int on = 1, fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, at->ai_protocol);
    if (fd < 0)
        return error_set(error, STATUS_IO, "a socket for %s: %s", host, strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (at->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, at->ai_addr, at->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        const char *hint = errno == EADDRINUSE ? " (another program listens there: choose another --port, or --port 0 for a free one)"
                           : errno == EACCES   ? " (ports below 1024 need a privilege)"
                                               : "";
        error_set_path(error, STATUS_IO, NULL, "port", "cannot listen on %s port %u: %s%s", host, port, strerror(errno), hint);
        close(fd);
        return STATUS_IO;
    }
    return add(set, fd, tls, error);
}

enum status listen_open(struct listen_set *out, const char *host, unsigned port, bool tls, struct error *error)
{
    struct addrinfo want = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list = NULL;
    char bare[256], service[16];
    size_t n = strlen(host);
    bool bracketed = n > 2 && host[0] == '[' && host[n - 1] == ']';
    *out = (struct listen_set){0};
    snprintf(bare, sizeof bare, "%.*s", (int)(bracketed ? n - 2 : n), bracketed ? host + 1 : host);
    snprintf(service, sizeof service, "%u", port);
    int failed = getaddrinfo(bare, service, &want, &list);
    if (failed)
        return error_set_path(error, STATUS_INVALID, NULL, "host", "host %s: %s", host, gai_strerror(failed));
    enum status status = STATUS_OK;
    for (struct addrinfo *at = list; at && out->n < LISTEN_MAX && !status; at = at->ai_next) {
        if (port == 0 && out->n)
            break; /* a free port is one port: the first address has it */
        status = open_one(out, at, bare, port, tls, error);
    }
    freeaddrinfo(list);
    if (status)
        listen_close(out);
    return status;
}

enum status listen_adopt(struct listen_set *out, int first, unsigned n, bool tls, struct error *error)
{
    *out = (struct listen_set){0};
    for (unsigned i = 0; i < n && i < LISTEN_MAX; i++) {
        int listening = 0;
        socklen_t len = sizeof listening;
        if (getsockopt(first + (int)i, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) != 0 || !listening)
            return error_set(error, STATUS_INVALID, "the service manager's descriptor %d is not a listening socket", first + (int)i);
        enum status status = add(out, first + (int)i, tls, error);
        if (status)
            return status;
    }
    return STATUS_OK;
}

void listen_close(struct listen_set *set)
{
    for (unsigned i = 0; i < set->n; i++)
        close(set->fds[i]);
    set->n = 0;
}
