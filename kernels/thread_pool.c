/* A parallel-for over a fixed set of threads. Workers wait for a new generation number: they spin for about the time
 * between two ops of a decode step, then sleep on a futex, so that an idle server burns nothing. */
#include "kernels/thread_pool.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define pause_once() _mm_pause()
#else
#define pause_once() ((void)0)
#endif

#include "base/mem.h"

enum { THREADS_MAX = 1024, SPINS = 4000 }; /* about 50 us of pauses on current cores */

struct thread_pool {
    unsigned n_threads; /* the caller included */
    pthread_t *workers; /* [n_threads - 1] */
    unsigned n_started;
    void (*task)(void *arg, unsigned index, unsigned thread);
    void *arg;
    unsigned n_tasks;
    _Alignas(64) _Atomic unsigned next;
    _Alignas(64) _Atomic unsigned generation; /* futex word: a new job, or the end */
    _Alignas(64) _Atomic unsigned n_busy;     /* futex word: workers still in the job */
    _Atomic unsigned n_sleeping;
    _Atomic bool caller_sleeps;
    _Atomic uint64_t n_runs;
    bool stopping;
};

struct worker_start {
    struct thread_pool *pool;
    unsigned index;
};

static void futex_wait(_Atomic unsigned *word, unsigned value)
{
    syscall(SYS_futex, (unsigned *)word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(_Atomic unsigned *word, int n)
{
    syscall(SYS_futex, (unsigned *)word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}

static void work(struct thread_pool *pool, unsigned thread)
{
    for (;;) {
        unsigned i = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (i >= pool->n_tasks)
            return;
        pool->task(pool->arg, i, thread);
    }
}

static unsigned wait_for_job(struct thread_pool *pool, unsigned seen)
{
    for (int i = 0; i < SPINS; i++) {
        unsigned now = atomic_load_explicit(&pool->generation, memory_order_acquire);
        if (now != seen)
            return now;
        pause_once();
    }
    atomic_fetch_add(&pool->n_sleeping, 1);
    unsigned now;
    while ((now = atomic_load(&pool->generation)) == seen)
        futex_wait(&pool->generation, seen);
    atomic_fetch_sub(&pool->n_sleeping, 1);
    return now;
}

static void *run_worker(void *arg)
{
    struct worker_start start = *(struct worker_start *)arg;
    mem_free(arg);
    struct thread_pool *pool = start.pool;
    unsigned seen = 0;
    for (;;) {
        seen = wait_for_job(pool, seen);
        if (pool->stopping)
            return NULL;
        work(pool, start.index);
        if (atomic_fetch_sub(&pool->n_busy, 1) == 1 && atomic_load(&pool->caller_sleeps))
            futex_wake(&pool->n_busy, 1);
    }
}

void thread_pool_run(struct thread_pool *pool, void (*task)(void *arg, unsigned index, unsigned thread), void *arg,
                     unsigned n_tasks)
{
    atomic_fetch_add_explicit(&pool->n_runs, 1, memory_order_relaxed);
    if (pool->n_threads == 1 || n_tasks <= 1) {
        for (unsigned i = 0; i < n_tasks; i++)
            task(arg, i, 0);
        return;
    }
    pool->task = task;
    pool->arg = arg;
    pool->n_tasks = n_tasks;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    atomic_store_explicit(&pool->n_busy, pool->n_threads - 1, memory_order_relaxed);
    atomic_fetch_add(&pool->generation, 1);
    if (atomic_load(&pool->n_sleeping))
        futex_wake(&pool->generation, INT_MAX);
    work(pool, 0);
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load_explicit(&pool->n_busy, memory_order_acquire) == 0)
            return;
        pause_once();
    }
    atomic_store(&pool->caller_sleeps, true);
    unsigned left;
    while ((left = atomic_load(&pool->n_busy)) != 0)
        futex_wait(&pool->n_busy, left);
    atomic_store(&pool->caller_sleeps, false);
}

static unsigned quota_of(const char *path, bool v2)
{
    char text[64] = "";
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = 0;
    long long quota = strtoll(text, NULL, 10), period = 100000;
    if (quota <= 0) /* "max", or -1: none */
        return 0;
    const char *space = strchr(text, ' ');
    if (v2 && space)
        period = strtoll(space, NULL, 10);
    return period > 0 ? (unsigned)((quota + period - 1) / period) : 0;
}

unsigned thread_pool_cpus(void)
{
    cpu_set_t set;
    unsigned n = sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
    unsigned quota = quota_of("/sys/fs/cgroup/cpu.max", true);
    if (!quota)
        quota = quota_of("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", false);
    if (quota && quota < n)
        n = quota;
    return n ? n : 1;
}

static enum status start_workers(struct thread_pool *pool, struct error *error)
{
    for (unsigned i = 1; i < pool->n_threads; i++) {
        struct worker_start *start = mem_alloc(sizeof *start);
        if (!start)
            return error_set(error, STATUS_NO_MEMORY, "thread pool: out of memory");
        *start = (struct worker_start){pool, i};
        if (pthread_create(&pool->workers[i - 1], NULL, run_worker, start) != 0) {
            mem_free(start);
            return error_set(error, STATUS_IO, "thread pool: cannot start thread %u of %u", i + 1, pool->n_threads);
        }
        pool->n_started++;
    }
    return STATUS_OK;
}

enum status thread_pool_create(unsigned n_threads, struct thread_pool **out, struct error *error)
{
    if (n_threads > THREADS_MAX)
        return error_set(error, STATUS_LIMIT, "thread pool: %u threads, at most %d", n_threads, THREADS_MAX);
    struct thread_pool *pool = mem_alloc_aligned(64, sizeof *pool);
    if (!pool)
        return error_set(error, STATUS_NO_MEMORY, "thread pool: out of memory");
    memset(pool, 0, sizeof *pool);
    pool->n_threads = n_threads ? n_threads : thread_pool_cpus();
    pool->workers = mem_zalloc_array(pool->n_threads, sizeof *pool->workers);
    enum status status = pool->workers ? start_workers(pool, error)
                                       : error_set(error, STATUS_NO_MEMORY, "thread pool: out of memory");
    if (status) {
        thread_pool_free(pool);
        return status;
    }
    *out = pool;
    return STATUS_OK;
}

void thread_pool_free(struct thread_pool *pool)
{
    if (!pool)
        return;
    pool->stopping = true;
    atomic_fetch_add(&pool->generation, 1);
    futex_wake(&pool->generation, INT_MAX);
    for (unsigned i = 0; i < pool->n_started; i++)
        pthread_join(pool->workers[i], NULL);
    mem_free(pool->workers);
    mem_free(pool);
}

uint64_t thread_pool_runs(const struct thread_pool *pool)
{
    return atomic_load_explicit(&pool->n_runs, memory_order_relaxed);
}

unsigned thread_pool_size(const struct thread_pool *pool)
{
    return pool->n_threads;
}
