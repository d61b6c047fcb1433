/* The child is handed a listening socket that is made here, so its port is known before it runs and nobody can take it. */
#include "server/private_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/config.h"
#include "server/notify.h"

enum { BACKLOG = 16, SECRET_BYTES = 24, OWN_ARGUMENTS = 8, OWN_VARIABLES = 5, STOP_SLICES = 50, SLICE_NS = 100000000 };

static enum status listen_on_loopback(int *out, unsigned *port, struct error *error)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, n) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &n) != 0) {
        enum status status = error_set(error, STATUS_IO, "no loopback port can be opened: %s", strerror(errno));
        if (fd >= 0)
            close(fd);
        return status;
    }
    *out = fd;
    *port = ntohs(address.sin_port);
    return STATUS_OK;
}

static void make_key(char key[PRIVATE_SERVER_KEY_BYTES])
{
    unsigned char bytes[SECRET_BYTES];
    randombytes_buf(bytes, sizeof bytes);
    memcpy(key, "sk-", 4);
    sodium_bin2hex(key + 3, PRIVATE_SERVER_KEY_BYTES - 3, bytes, sizeof bytes);
}

/* Options of the person stand between ours that they may change and ours that they may not. */
static char **arguments_of(int argc, char **argv)
{
    static const char *const before[] = {"seekd", "serve", "--max-running", "4"}, *const after[] = {"--tls-cert=", "--tls-key="};
    size_t n = 0;
    char **out = mem_zalloc_array((size_t)argc + OWN_ARGUMENTS, sizeof *out);
    for (size_t i = 0; out && i < sizeof before / sizeof before[0]; i++)
        out[n++] = (char *)before[i];
    for (int i = 0; out && i < argc; i++)
        out[n++] = argv[i];
    for (size_t i = 0; out && i < sizeof after / sizeof after[0]; i++)
        out[n++] = (char *)after[i];
    return out;
}

static bool is_ours(const char *variable)
{
    static const char *const names[] = {"SEEKD_API_KEYS=", "SEEKD_API_KEY=", "LISTEN_", "NOTIFY_SOCKET=", "WATCHDOG_"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strncmp(variable, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

struct variables {
    char **all;
    char key[32 + PRIVATE_SERVER_KEY_BYTES], pid[32];
};

static bool variables_init(struct variables *v, char **environment, const char *key)
{
    size_t n = 0, kept = 0;
    while (environment[n])
        n++;
    v->all = mem_zalloc_array(n + OWN_VARIABLES, sizeof *v->all);
    if (!v->all)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!is_ours(environment[i]))
            v->all[kept++] = environment[i];
    snprintf(v->key, sizeof v->key, "SEEKD_API_KEYS=%s", key);
    v->all[kept++] = v->key;
    v->all[kept++] = v->pid; /* written by the child, who knows its number */
    v->all[kept++] = (char *)"LISTEN_FDS=1";
    if (!config_environment(environment, "SEEKD_LOG_LEVEL"))
        v->all[kept++] = (char *)"SEEKD_LOG_LEVEL=error";
    return true;
}

/* In the child: the socket where service managers put it, no terminal input, no greeting; then the server. */
static void become_server(int listener, pid_t parent, char **arguments, struct variables *v)
{
    int null = open("/dev/null", O_RDWR);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent || null < 0)
        _exit(EXIT_FAILURE);
    setpgid(0, 0); /* an interrupt from the terminal is for the chat alone */
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    if (listener != NOTIFY_FIRST_FD)
        dup2(listener, NOTIFY_FIRST_FD);
    fcntl(NOTIFY_FIRST_FD, F_SETFD, 0);
    snprintf(v->pid, sizeof v->pid, "LISTEN_PID=%ld", (long)getpid());
    execve("/proc/self/exe", arguments, v->all);
    _exit(EXIT_FAILURE);
}

enum status private_server_start(struct private_server *out, char **environment, int argc, char **argv, struct error *error)
{
    struct variables v = {0};
    char **arguments = arguments_of(argc, argv);
    int listener = -1;
    memset(out, 0, sizeof *out);
    enum status status = listen_on_loopback(&listener, &out->port, error);
    if (!status) {
        make_key(out->key);
        if (!arguments || !variables_init(&v, environment, out->key))
            status = error_set(error, STATUS_NO_MEMORY, "out of memory");
    }
    if (!status) {
        pid_t parent = getpid(), pid = fork();
        if (pid == 0)
            become_server(listener, parent, arguments, &v);
        if (pid < 0)
            status = error_set(error, STATUS_IO, "fork: %s", strerror(errno));
        else
            out->pid = pid;
    }
    if (listener >= 0)
        close(listener);
    mem_free(arguments);
    mem_free(v.all);
    return status;
}

bool private_server_ended(struct private_server *server, int *code)
{
    int state;
    if (!server->pid || waitpid(server->pid, &state, WNOHANG) != server->pid)
        return false;
    server->pid = 0;
    *code = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
    return true;
}

void private_server_stop(struct private_server *server)
{
    const struct timespec slice = {.tv_nsec = SLICE_NS};
    int code;
    if (!server->pid)
        return;
    kill(server->pid, SIGTERM);
    for (int i = 0; i < STOP_SLICES; i++) {
        if (private_server_ended(server, &code))
            return;
        nanosleep(&slice, NULL);
    }
    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
    server->pid = 0;
}
