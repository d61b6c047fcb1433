/* Heap memory over libc's allocator, with a counter that tests use to make allocations fail. */
#include "base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static _Atomic uint64_t n_allocations;
static _Atomic uint64_t fail_at; /* 0: never */
static _Atomic bool fail_onward;

static bool must_fail(void)
{
    uint64_t n = atomic_fetch_add_explicit(&n_allocations, 1, memory_order_relaxed) + 1;
    uint64_t at = atomic_load_explicit(&fail_at, memory_order_relaxed);
    return at && (n == at || (n > at && atomic_load_explicit(&fail_onward, memory_order_relaxed)));
}

uint64_t mem_fail_after(uint64_t n, bool onward)
{
    uint64_t count = atomic_exchange(&n_allocations, 0);
    atomic_store(&fail_onward, onward);
    atomic_store(&fail_at, n);
    return count;
}

void *mem_alloc(size_t bytes)
{
    return must_fail() ? NULL : malloc(bytes ? bytes : 1);
}

void *mem_zalloc(size_t bytes)
{
    return must_fail() ? NULL : calloc(1, bytes ? bytes : 1);
}

void *mem_zalloc_array(size_t count, size_t each)
{
    size_t bytes;
    return size_mul(count, each, &bytes) ? mem_zalloc(bytes) : NULL;
}

void *mem_realloc(void *pointer, size_t bytes)
{
    return must_fail() ? NULL : realloc(pointer, bytes ? bytes : 1);
}

void *mem_alloc_aligned(size_t alignment, size_t bytes)
{
    void *pointer;
    if (must_fail() || posix_memalign(&pointer, alignment, bytes ? bytes : 1) != 0)
        return NULL;
    return pointer;
}

void mem_free(void *pointer)
{
    free(pointer);
}

char *mem_strdup(const char *text)
{
    return mem_dup(text, strlen(text) + 1);
}

void *mem_dup(const void *data, size_t bytes)
{
    void *copy = mem_alloc(bytes);
    if (copy && bytes)
        memcpy(copy, data, bytes);
    return copy;
}

void *mem_map(size_t bytes)
{
    if (must_fail())
        return NULL;
    void *p = mmap(NULL, bytes ? bytes : 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    madvise(p, bytes, MADV_HUGEPAGE); /* advice only: where it is refused, small pages serve */
    return p;
}

void mem_unmap(void *pointer, size_t bytes)
{
    if (pointer)
        munmap(pointer, bytes ? bytes : 1);
}
