/* Status codes, error records and invariants.
 *
 * Three kinds of trouble, three answers: a caller's mistake returns STATUS_INVALID and its kin with a
 * message; "not now" returns STATUS_BUSY; what cannot be true fails check(), which ends the process. */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#define must_check __attribute__((warn_unused_result))
#define printf_like(fmt, args) __attribute__((format(printf, fmt, args)))

#define STATUS_LIST(X)                                                                             \
    X(OK, "ok")                                                                                    \
    X(INVALID, "invalid")         /* the caller's input is wrong */                                \
    X(NOT_FOUND, "not found")     /* a file, key, id or name that is not there */                  \
    X(UNSUPPORTED, "unsupported") /* understood, not offered */                                    \
    X(LIMIT, "limit exceeded")    /* larger than a documented bound */                             \
    X(BUSY, "busy")               /* not now: try again later */                                   \
    X(NO_MEMORY, "out of memory")                                                                  \
    X(IO, "input/output error")   /* the operating system refused */                               \
    X(CANCELLED, "cancelled")                                                                      \
    X(INTERNAL, "internal error")

enum status {
#define X(name, text) STATUS_##name,
    STATUS_LIST(X)
#undef X
};

const char *status_name(enum status status);

/* What went wrong, for a person. `path` is the field, key or tensor it is about (may be empty); `code`
 * is a static machine-readable word or null; `offset` is a byte offset into the input, or -1. */
struct error {
    enum status status;
    const char *code;
    int64_t offset;
    char path[160];
    char message[512];
};

void error_clear(struct error *error);

/* Fills *error (which may be null) and returns `status`, so that callers write `return error_set(...)`.
 * The message is cut to fit, never at the middle of a UTF-8 character. */
enum status error_set(struct error *error, enum status status, const char *format, ...) printf_like(3, 4);
enum status error_set_path(struct error *error, enum status status, const char *code, const char *path,
                           const char *format, ...) printf_like(5, 6);

/* Copies text from outside into an error message safely: base printable ASCII kept, the rest escaped,
 * at most 64 input bytes. Writes to out (at least 272 bytes) and returns it. */
enum { ERROR_QUOTE_BYTES = 272 };
const char *error_quote(char out[ERROR_QUOTE_BYTES], const char *text, size_t len);

/* An invariant. Stays on in release builds; writes one line to stderr and aborts the process with exit
 * code 70 through check_failed_hook (replaceable: the engine sends its fatal frame there). */
#define check(condition)                                                                           \
    do {                                                                                           \
        if (__builtin_expect(!(condition), 0))                                                     \
            check_failed(#condition, __FILE__, __LINE__);                                          \
    } while (0)

void check_failed(const char *condition, const char *file, int line) __attribute__((noreturn));

/* Called once by check_failed before the process ends; must only use async-signal-safe functions. */
void check_on_failure(void (*hook)(void *arg, const char *line), void *arg);

#endif
