/* Jobs, pool, timers and watched descriptors on libuv's loop. */
#include "server/loop.h"

#include <stddef.h>
#include <unistd.h>

#include "base/mem.h"

struct loop_timer {
    struct loop_timer *next; /* in its bucket */
    uint64_t handle;
    uv_timer_t uv;
    void (*fire)(void *arg);
    void *arg;
    struct loop *loop;
};

struct loop_watch {
    struct loop_watch *next;
    uv_poll_t uv;
    void (*ready)(void *arg);
    void *arg;
};

struct pool_task {
    uv_work_t uv;
    struct loop_pool_job *job;
};

/* ---- Jobs -------------------------------------------------------------------------------------------------- */

void loop_post(struct loop *loop, struct loop_job *job)
{
    job->next = NULL;
    pthread_mutex_lock(&loop->lock);
    if (loop->last)
        loop->last->next = job;
    else
        loop->first = job;
    loop->last = job;
    pthread_mutex_unlock(&loop->lock);
    uv_async_send(&loop->wake);
}

static void run_jobs(uv_async_t *wake)
{
    struct loop *loop = wake->data;
    pthread_mutex_lock(&loop->lock);
    struct loop_job *job = loop->first;
    loop->first = loop->last = NULL;
    pthread_mutex_unlock(&loop->lock);
    while (job) {
        struct loop_job *next = job->next; /* running a job may free it */
        job->run(job);
        job = next;
    }
}

/* ---- Pool -------------------------------------------------------------------------------------------------- */

static void pool_work(uv_work_t *work)
{
    struct loop_pool_job *job = ((struct pool_task *)work->data)->job;
    job->work(job);
}

static void pool_done(uv_work_t *work, int status)
{
    struct pool_task *task = work->data;
    struct loop_pool_job *job = task->job;
    (void)status;
    job->loop->n_pool--;
    mem_free(task);
    job->done(job);
}

/* libuv's pool takes work from the loop's own thread only. */
static void pool_start(struct loop_job *inner)
{
    struct loop_pool_job *job = (struct loop_pool_job *)((char *)inner - offsetof(struct loop_pool_job, job));
    struct pool_task *task = mem_zalloc(sizeof *task);
    if (task) {
        task->uv.data = task;
        task->job = job;
    }
    if (task && uv_queue_work(&job->loop->uv, &task->uv, pool_work, pool_done) == 0) {
        job->loop->n_pool++;
    } else {
        mem_free(task);
        job->work(job);
        job->done(job);
    }
}

void loop_pool(struct loop *loop, struct loop_pool_job *job)
{
    job->loop = loop;
    job->job.run = pool_start;
    loop_post(loop, &job->job);
}

/* ---- Timers ------------------------------------------------------------------------------------------------ */

static void timer_closed(uv_handle_t *handle)
{
    mem_free(handle->data);
}

static struct loop_timer *timer_unlink(struct loop *loop, uint64_t handle)
{
    struct loop_timer **slot = &loop->timers[handle % LOOP_TIMERS];
    while (*slot && (*slot)->handle != handle)
        slot = &(*slot)->next;
    struct loop_timer *timer = *slot;
    if (timer)
        *slot = timer->next;
    return timer;
}

static void on_timer(uv_timer_t *uv)
{
    struct loop_timer *timer = uv->data;
    void (*fire)(void *arg) = timer->fire;
    void *arg = timer->arg;
    timer_unlink(timer->loop, timer->handle);
    uv_close((uv_handle_t *)uv, timer_closed);
    fire(arg);
}

uint64_t loop_timer_start(struct loop *loop, uint64_t ms, void (*fire)(void *arg), void *arg)
{
    struct loop_timer *timer = mem_zalloc(sizeof *timer);
    check(timer != NULL);
    *timer = (struct loop_timer){.handle = ++loop->last_timer, .fire = fire, .arg = arg, .loop = loop};
    timer->uv.data = timer;
    timer->next = loop->timers[timer->handle % LOOP_TIMERS];
    loop->timers[timer->handle % LOOP_TIMERS] = timer;
    check(uv_timer_init(&loop->uv, &timer->uv) == 0);
    check(uv_timer_start(&timer->uv, on_timer, ms, 0) == 0);
    return timer->handle;
}

void loop_timer_stop(struct loop *loop, uint64_t handle)
{
    struct loop_timer *timer = timer_unlink(loop, handle);
    if (timer)
        uv_close((uv_handle_t *)&timer->uv, timer_closed);
}

/* ---- Descriptors ------------------------------------------------------------------------------------------- */

static void on_watch(uv_poll_t *uv, int status, int events)
{
    struct loop_watch *watch = uv->data;
    (void)status;
    (void)events;
    watch->ready(watch->arg);
}

enum status loop_watch(struct loop *loop, int fd, void (*ready)(void *arg), void *arg)
{
    struct loop_watch *watch = mem_zalloc(sizeof *watch);
    if (!watch)
        return STATUS_NO_MEMORY;
    if (uv_poll_init(&loop->uv, &watch->uv, fd) != 0) {
        mem_free(watch);
        return STATUS_IO;
    }
    watch->uv.data = watch;
    watch->ready = ready;
    watch->arg = arg;
    watch->next = loop->watches;
    loop->watches = watch;
    return uv_poll_start(&watch->uv, UV_READABLE, on_watch) == 0 ? STATUS_OK : STATUS_IO;
}

/* ---- Life -------------------------------------------------------------------------------------------------- */

void loop_open(struct loop *loop)
{
    *loop = (struct loop){0};
    pthread_mutex_init(&loop->lock, NULL);
    check(uv_loop_init(&loop->uv) == 0);
    check(uv_async_init(&loop->uv, &loop->wake, run_jobs) == 0);
    loop->wake.data = loop;
}

/* Jobs that were under way: what they belong to is answered or abandoned before anything is freed. */
static void finish_jobs(struct loop *loop)
{
    do {
        run_jobs(&loop->wake);
        uv_run(&loop->uv, UV_RUN_NOWAIT);
        if (loop->n_pool)
            usleep(1000);
    } while (loop->n_pool || loop->first);
}

static void close_each(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void loop_close(struct loop *loop)
{
    finish_jobs(loop);
    for (unsigned i = 0; i < LOOP_TIMERS; i++)
        while (loop->timers[i])
            loop_timer_stop(loop, loop->timers[i]->handle);
    uv_walk(&loop->uv, close_each, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    check(uv_loop_close(&loop->uv) == 0);
    while (loop->watches) {
        struct loop_watch *next = loop->watches->next;
        mem_free(loop->watches);
        loop->watches = next;
    }
    pthread_mutex_destroy(&loop->lock);
}
