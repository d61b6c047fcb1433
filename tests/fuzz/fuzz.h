/* What the fuzz targets share. A target must hold for every input: no crash, no leak, an error with a message. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/status.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An invariant of the target: the input that breaks it is the report. */
#define fuzz_expect(condition)                                                                                    \
    do {                                                                                                          \
        if (!(condition)) {                                                                                       \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                          \
            abort();                                                                                              \
        }                                                                                                         \
    } while (0)

/* A refusal says why, in one line. */
static inline void fuzz_expect_refusal(enum status status, const struct error *error)
{
    fuzz_expect(status != STATUS_OK && status != STATUS_INTERNAL);
    fuzz_expect(error->message[0] && !strchr(error->message, '\n'));
}

/* Reads the first and the last of n bytes: outside of a mapping that ends the run. */
static inline void fuzz_touch(const void *at, uint64_t n)
{
    const volatile unsigned char *bytes = at;
    if (n) {
        (void)bytes[0];
        (void)bytes[n - 1];
    }
}

/* A file in memory with these bytes; its path works while the descriptor is open. */
static inline int fuzz_file(const uint8_t *data, size_t size, char path[64])
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    fuzz_expect(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

#endif
