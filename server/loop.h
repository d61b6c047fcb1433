/* The main loop, libuv's, as the rest of the front uses it: jobs from other threads, work for the pool, timers, descriptors.
 * Main thread, except loop_post and loop_pool. */
#ifndef SERVER_LOOP_H
#define SERVER_LOOP_H

#include <pthread.h>
#include <stdint.h>
#include <uv.h>

#include "base/status.h"

/* A job's memory is its owner's and may go as soon as it runs. */
struct loop_job {
    void (*run)(struct loop_job *job);
    struct loop_job *next; /* private */
};

struct loop_pool_job {
    void (*work)(struct loop_pool_job *job); /* on a pool thread */
    void (*done)(struct loop_pool_job *job); /* then on the main thread */
    struct loop_job job; /* private, as is this: */
    struct loop *loop;
};

enum { LOOP_TIMERS = 4096 };

struct loop {
    uv_loop_t uv;
    uv_async_t wake;
    pthread_mutex_t lock; /* guards the list of posted jobs */
    struct loop_job *first, *last;
    unsigned n_pool;      /* jobs on the pool */
    struct loop_timer *timers[LOOP_TIMERS];
    uint64_t last_timer;
    struct loop_watch *watches;
};

void loop_open(struct loop *loop);

/* Finishes posted and pooled jobs, drops timers, closes every handle of the loop. */
void loop_close(struct loop *loop);

/* Runs the job on the main thread soon. Any thread; never fails. */
void loop_post(struct loop *loop, struct loop_job *job);

/* Any thread; never fails: out of memory, the work is done on the main thread. */
void loop_pool(struct loop *loop, struct loop_pool_job *job);

/* Calls fire(arg) once after `ms`. The handle for loop_timer_stop is never 0. */
uint64_t loop_timer_start(struct loop *loop, uint64_t ms, void (*fire)(void *arg), void *arg);
void loop_timer_stop(struct loop *loop, uint64_t handle);

/* Calls ready(arg) whenever the descriptor is readable, until the loop closes. The descriptor stays the caller's. */
enum status loop_watch(struct loop *loop, int fd, void (*ready)(void *arg), void *arg) must_check;

#endif
