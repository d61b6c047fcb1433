/* The thread pool: each task once, whatever the threads do. Meant for the thread sanitizer too. */
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "kernels/thread_pool.h"
#include "tests/support.h"

enum { TASKS_MAX = 1000 };

struct job {
    unsigned n_calls[TASKS_MAX]; /* plain: a task has one thread, and the pool's end of a run orders it before the caller */
    unsigned input;              /* plain: written before a run, read in it */
    unsigned sum[TASKS_MAX];
    unsigned n_threads;
    _Atomic unsigned bad_threads;
};

static void count(void *arg, unsigned index, unsigned thread)
{
    struct job *job = arg;
    job->n_calls[index]++;
    job->sum[index] = job->input + index;
    if (thread >= job->n_threads)
        job->bad_threads++;
}

static struct thread_pool *make(unsigned n_threads)
{
    struct thread_pool *pool;
    struct error error;
    support_ok(thread_pool_create(n_threads, &pool, &error), &error);
    return pool;
}

static void run_once(struct thread_pool *pool, struct job *job, unsigned n_tasks, unsigned input)
{
    memset(job->n_calls, 0, sizeof job->n_calls);
    job->input = input;
    job->n_threads = thread_pool_size(pool);
    thread_pool_run(pool, count, job, n_tasks);
    for (unsigned i = 0; i < TASKS_MAX; i++) {
        assert_int_equal(job->n_calls[i], i < n_tasks);
        if (i < n_tasks)
            assert_int_equal(job->sum[i], input + i);
    }
    assert_int_equal(job->bad_threads, 0);
}

static void every_task_runs_once_before_the_run_returns(void **state)
{
    const unsigned threads[] = {1, 2, 3, 8}, tasks[] = {0, 1, 2, 3, 7, 64, 999, TASKS_MAX};
    static struct job job;
    (void)state;
    for (unsigned t = 0; t < sizeof threads / sizeof threads[0]; t++) {
        struct thread_pool *pool = make(threads[t]);
        assert_int_equal(thread_pool_size(pool), threads[t]);
        for (unsigned i = 0; i < sizeof tasks / sizeof tasks[0]; i++)
            run_once(pool, &job, tasks[i], i);
        assert_int_equal(thread_pool_runs(pool), sizeof tasks / sizeof tasks[0]);
        thread_pool_free(pool);
    }
}

static void runs_follow_each_other_with_and_without_sleep(void **state)
{
    static struct job job;
    struct thread_pool *pool = make(4);
    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        run_once(pool, &job, 2 + i % 30, i);
        if (i % 50 == 49)
            usleep(3000); /* the workers fall asleep */
    }
    thread_pool_free(pool);
}

static void wait_a_little(void *arg, unsigned index, unsigned thread)
{
    _Atomic unsigned *n = arg;
    (void)thread;
    usleep(index == 0 ? 5000 : 100);
    (*n)++;
}

static void the_caller_waits_for_the_slowest_task(void **state)
{
    _Atomic unsigned n = 0;
    struct thread_pool *pool = make(3);
    (void)state;
    for (unsigned i = 1; i <= 10; i++) {
        thread_pool_run(pool, wait_a_little, &n, 3);
        assert_int_equal(n, 3 * i);
    }
    thread_pool_free(pool);
}

static void a_pool_that_was_never_used_ends(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++)
        thread_pool_free(make(1 + i % 6));
    thread_pool_free(NULL);
}

static void zero_threads_means_what_the_machine_allows(void **state)
{
    struct thread_pool *pool = make(0);
    (void)state;
    assert_true(thread_pool_cpus() >= 1);
    assert_int_equal(thread_pool_size(pool), thread_pool_cpus());
    thread_pool_free(pool);
}

static void too_many_threads_and_failing_memory_are_errors(void **state)
{
    struct thread_pool *pool = NULL;
    struct error error;
    (void)state;
    assert_int_equal(thread_pool_create(100000, &pool, &error), STATUS_LIMIT);
    assert_non_null(strstr(error.message, "100000 threads"));
    enum status status = STATUS_NO_MEMORY;
    for (uint64_t k = 1; status; k++) {
        assert_true(k < 10);
        mem_fail_after(k, false);
        status = thread_pool_create(4, &pool, &error);
        mem_fail_after(0, false);
        assert_true(status == STATUS_OK || status == STATUS_NO_MEMORY);
    }
    thread_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_runs_once_before_the_run_returns),
        cmocka_unit_test(runs_follow_each_other_with_and_without_sleep),
        cmocka_unit_test(the_caller_waits_for_the_slowest_task),
        cmocka_unit_test(a_pool_that_was_never_used_ends),
        cmocka_unit_test(zero_threads_means_what_the_machine_allows),
        cmocka_unit_test(too_many_threads_and_failing_memory_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
