/* The service manager's side (systemd, sd_notify and socket activation), by its documented variables: nothing is linked. */
#ifndef SERVER_NOTIFY_H
#define SERVER_NOTIFY_H

#include <stdint.h>

/* Sends a state ("READY=1\n...") to NOTIFY_SOCKET, where the environment names one. */
void notify_service_manager(char **environment, const char *state);

/* Feeds the watchdog, where the environment asks for one (WATCHDOG_USEC), at most twice in its interval. Main thread. */
void notify_watchdog(char **environment);

/* Listening sockets handed over (LISTEN_PID, LISTEN_FDS): their number; the first is descriptor 3. Made close-on-exec. */
unsigned notify_listen_fds(char **environment);
enum { NOTIFY_FIRST_FD = 3 };

#endif
