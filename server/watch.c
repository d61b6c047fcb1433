/* The library does not poll a connection that sleeps, so a client that leaves would not be noticed: its socket is also in an epoll
 * set of ours, which the main loop watches. Entries are named by slot and generation, so that late news finds nobody. The mutex
 * guards the slots. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/mem.h"
#include "server/http_parts.h"

enum { EVENTS_AT_ONCE = 64 };

struct watch_slot {
    struct exchange *exchange; /* null: free */
    uint32_t generation, next_free;
};

struct watch {
    int fd;
    pthread_mutex_t lock;
    struct watch_slot *slots; /* [capacity]; slot 0 is never used */
    uint32_t n, capacity, first_free;
};

/* An exchange that left is told on the main thread; a reference keeps it while it is. */
static struct exchange *find(struct watch *w, uint64_t id)
{
    uint32_t slot = (uint32_t)id, generation = (uint32_t)(id >> 32);
    struct exchange *exchange = NULL;
    pthread_mutex_lock(&w->lock);
    if (slot < w->n && w->slots[slot].generation == generation)
        exchange = w->slots[slot].exchange;
    if (exchange)
        exchange_ref(exchange);
    pthread_mutex_unlock(&w->lock);
    return exchange;
}

/* Only a write tells a client that left from one that only shut its sending side: a stream gets a comment, once, and the reset
 * that answers it is the departure. A whole reply has nothing to write yet: its client is taken to have left. */
static void half_closed(struct watch *w, struct exchange *e, uint64_t id)
{
    const struct config *config = e->http->server->config;
    struct epoll_event event = {.data.u64 = id}; /* errors and resets are always told */
    pthread_mutex_lock(&e->lock);
    bool left = e->form == EXCHANGE_WHOLE && !config->keepalive_nonstream;
    e->half_closed = true;
    if (e->phase == EXCHANGE_STREAM && !e->stream_ended)
        exchange_probe(e);
    if (e->connection)
        epoll_ctl(w->fd, EPOLL_CTL_MOD, e->fd, &event);
    pthread_mutex_unlock(&e->lock);
    if (left)
        exchange_departed(e);
}

/* A connection that broke sleeps in the library: it is woken to find out by itself. Errors cannot be masked, so it leaves the set. */
static void broken(struct watch *w, struct exchange *e)
{
    exchange_departed(e);
    pthread_mutex_lock(&e->lock);
    if (e->connection)
        epoll_ctl(w->fd, EPOLL_CTL_DEL, e->fd, NULL);
    e->dropped |= e->phase == EXCHANGE_STREAM;
    exchange_wake(e);
    pthread_mutex_unlock(&e->lock);
}

static void on_ready(void *arg)
{
    struct watch *w = arg;
    struct epoll_event events[EVENTS_AT_ONCE];
    int n = epoll_wait(w->fd, events, EVENTS_AT_ONCE, 0);
    for (int i = 0; i < n; i++) {
        struct exchange *e = find(w, events[i].data.u64);
        if (!e)
            continue;
        if (events[i].events & (EPOLLHUP | EPOLLERR))
            broken(w, e);
        else
            half_closed(w, e, events[i].data.u64);
        exchange_unref(e);
    }
}

enum status watch_open(struct watch **out, struct loop *loop, struct error *error)
{
    struct watch *w = mem_zalloc(sizeof *w);
    if (!w)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    pthread_mutex_init(&w->lock, NULL);
    w->n = 1;
    w->fd = epoll_create1(EPOLL_CLOEXEC);
    if (w->fd < 0 || loop_watch(loop, w->fd, on_ready, w) != STATUS_OK) {
        error_set(error, STATUS_IO, "the watcher of clients that leave: %s", strerror(errno));
        watch_close(w);
        return STATUS_IO;
    }
    *out = w;
    return STATUS_OK;
}

void watch_close(struct watch *w)
{
    if (!w)
        return;
    if (w->fd >= 0)
        close(w->fd);
    pthread_mutex_destroy(&w->lock);
    mem_free(w->slots);
    mem_free(w);
}

static bool grow(struct watch *w)
{
    uint32_t capacity = w->capacity ? w->capacity * 2 : 256;
    struct watch_slot *slots = mem_realloc(w->slots, capacity * sizeof *slots);
    if (!slots)
        return false;
    memset(slots + w->capacity, 0, (capacity - w->capacity) * sizeof *slots);
    w->slots = slots;
    w->capacity = capacity;
    return true;
}

uint64_t watch_add(struct watch *w, struct exchange *exchange, int fd)
{
    uint64_t id = 0;
    pthread_mutex_lock(&w->lock);
    uint32_t slot = w->first_free;
    if (slot)
        w->first_free = w->slots[slot].next_free;
    else if (w->n < w->capacity || grow(w))
        slot = w->n++;
    if (slot) {
        w->slots[slot].exchange = exchange;
        id = (uint64_t)++w->slots[slot].generation << 32 | slot;
    }
    pthread_mutex_unlock(&w->lock);
    struct epoll_event event = {.events = EPOLLRDHUP, .data.u64 = id};
    if (id && epoll_ctl(w->fd, EPOLL_CTL_ADD, fd, &event) != 0 && epoll_ctl(w->fd, EPOLL_CTL_MOD, fd, &event) != 0) {
        watch_remove(w, id, -1);
        return 0;
    }
    return id;
}

void watch_remove(struct watch *w, uint64_t id, int fd)
{
    uint32_t slot = (uint32_t)id;
    if (!id)
        return;
    pthread_mutex_lock(&w->lock);
    if (w->slots[slot].exchange && w->slots[slot].generation == (uint32_t)(id >> 32)) {
        w->slots[slot].exchange = NULL;
        w->slots[slot].next_free = w->first_free;
        w->first_free = slot;
    }
    pthread_mutex_unlock(&w->lock);
    if (fd >= 0)
        epoll_ctl(w->fd, EPOLL_CTL_DEL, fd, NULL);
}
