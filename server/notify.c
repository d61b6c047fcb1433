/* Datagrams to the service manager, and the sockets it hands over. */
#include "server/notify.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/config.h"

enum { LISTEN_FDS_MAX = 16 };

void notify_service_manager(char **environment, const char *state)
{
    const char *path = config_environment(environment, "NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t n = path ? strlen(path) : 0;
    if (n < 2 || n >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(address.sun_path, path, n);
    if (path[0] == '@')
        address.sun_path[0] = 0; /* the abstract namespace */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    /* A manager that does not listen is no reason to stop serving. */
    ssize_t ignored = sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&address,
                             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
    (void)ignored;
    close(fd);
}

void notify_watchdog(char **environment)
{
    static uint64_t last_ns; /* main thread only */
    const char *text = config_environment(environment, "WATCHDOG_USEC");
    unsigned long long interval_us = text ? strtoull(text, NULL, 10) : 0;
    uint64_t now = clock_now_ns(clock_real());
    if (!interval_us || now - last_ns < interval_us * 1000 / 2)
        return;
    last_ns = now;
    notify_service_manager(environment, "WATCHDOG=1");
}

unsigned notify_listen_fds(char **environment)
{
    const char *pid = config_environment(environment, "LISTEN_PID"), *fds = config_environment(environment, "LISTEN_FDS");
    if (!pid || !fds || strtol(pid, NULL, 10) != (long)getpid())
        return 0;
    unsigned long n = strtoul(fds, NULL, 10);
    if (n > LISTEN_FDS_MAX)
        n = LISTEN_FDS_MAX;
    for (unsigned i = 0; i < n; i++)
        fcntl(NOTIFY_FIRST_FD + (int)i, F_SETFD, FD_CLOEXEC);
    return (unsigned)n;
}
