/* Worker threads for one engine: a parallel-for with one barrier, spin then sleep.
 *
 * The pool is created at start and used by one caller at a time (the engine thread, which works too). */
#ifndef KERNELS_THREAD_POOL_H
#define KERNELS_THREAD_POOL_H

#include "base/status.h"

struct thread_pool;

/* n_threads counts the caller. 0: as many as the process's affinity mask and cgroup CPU quota allow. */
enum status thread_pool_create(unsigned n_threads, struct thread_pool **out, struct error *error) must_check;
void thread_pool_free(struct thread_pool *pool);
unsigned thread_pool_size(const struct thread_pool *pool);

/* CPUs this process may use: the smaller of affinity mask and cgroup quota (rounded up), at least 1. */
unsigned thread_pool_cpus(void);

/* Calls task(arg, i, thread) for each i in [0, n_tasks), spread over the threads by an atomic counter;
 * returns when all are done. Which thread runs a task must not change any result. n_tasks 1 runs inline. */
void thread_pool_run(struct thread_pool *pool, void (*task)(void *arg, unsigned index, unsigned thread), void *arg,
                     unsigned n_tasks);

/* Calls of thread_pool_run so far: a sign of life. Any thread may ask. */
uint64_t thread_pool_runs(const struct thread_pool *pool);

#endif
