/* Heap memory with checked sizes, alignment, and a failing mode for tests.
 *
 * Every allocation of the program goes through here (third-party libraries take the same functions where
 * they offer a hook). Functions return null on failure; sizes of zero return a valid pointer. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

void *mem_alloc(size_t bytes) must_check;
void *mem_zalloc(size_t bytes) must_check;                  /* zeroed */
void *mem_zalloc_array(size_t count, size_t each) must_check; /* zeroed; null when count*each overflows */
void *mem_realloc(void *pointer, size_t bytes) must_check;  /* null leaves the old block as it was */
void *mem_alloc_aligned(size_t alignment, size_t bytes) must_check; /* freed by mem_free too */
void mem_free(void *pointer);                               /* null is fine */
char *mem_strdup(const char *text) must_check;
void *mem_dup(const void *data, size_t bytes) must_check;

/* Large zero-filled regions from the operating system (huge pages are asked for). Released by mem_unmap. */
void *mem_map(size_t bytes) must_check;
void mem_unmap(void *pointer, size_t bytes);

/* True and *out set when the sum or product fits; false on overflow. */
static inline bool size_add(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}
static inline bool size_mul(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}
static inline bool u64_add(uint64_t a, uint64_t b, uint64_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}
static inline bool u64_mul(uint64_t a, uint64_t b, uint64_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}
static inline size_t size_round_up(size_t value, size_t multiple)
{
    return (value + multiple - 1) / multiple * multiple;
}

/* Tests: make the n-th allocation from now fail (0 = never); with `onward`, all after it too. Returns the
 * number of allocations made since the last call. */
uint64_t mem_fail_after(uint64_t n, bool onward);

#endif
