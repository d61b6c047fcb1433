/* Status names, error records, and the end of the process on a broken invariant. */
#include "base/status.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_INVARIANT = 70 };

static void (*failure_hook)(void *arg, const char *line);
static void *failure_arg;

const char *status_name(enum status status)
{
    static const char *const names[] = {
#define X(name, text) [STATUS_##name] = text,
        STATUS_LIST(X)
#undef X
    };
    return (size_t)status < sizeof names / sizeof names[0] ? names[status] : "unknown status";
}

void error_clear(struct error *error)
{
    if (error) {
        memset(error, 0, sizeof *error);
        error->offset = -1;
    }
}

/* Drops a UTF-8 sequence that the end of the buffer cut short. */
static void trim_partial_utf8(char *text, size_t len)
{
    size_t at = len;
    while (at > 0 && len - at < 3 && ((unsigned char)text[at - 1] & 0xC0) == 0x80)
        at--;
    if (at == 0)
        return;
    unsigned char lead = (unsigned char)text[at - 1];
    size_t need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (len - at + 1 < need)
        text[at - 1] = 0;
}

static void format_into(char *out, size_t size, const char *format, va_list args)
{
    int n = vsnprintf(out, size, format, args);
    if (n < 0)
        out[0] = 0;
    else if ((size_t)n >= size)
        trim_partial_utf8(out, size - 1);
}

enum status error_set(struct error *error, enum status status, const char *format, ...)
{
    if (!error)
        return status;
    error_clear(error);
    error->status = status;
    va_list args;
    va_start(args, format);
    format_into(error->message, sizeof error->message, format, args);
    va_end(args);
    return status;
}

enum status error_set_path(struct error *error, enum status status, const char *code, const char *path,
                           const char *format, ...)
{
    if (!error)
        return status;
    error_clear(error);
    error->status = status;
    error->code = code;
    snprintf(error->path, sizeof error->path, "%s", path ? path : "");
    va_list args;
    va_start(args, format);
    format_into(error->message, sizeof error->message, format, args);
    va_end(args);
    return status;
}

const char *error_quote(char out[ERROR_QUOTE_BYTES], const char *text, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    enum { QUOTE_MAX = 64 };
    size_t n = len < QUOTE_MAX ? len : QUOTE_MAX, at = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c < 0x7F && c != '\\') {
            out[at++] = (char)c;
        } else {
            out[at++] = '\\';
            out[at++] = 'x';
            out[at++] = hex[c >> 4];
            out[at++] = hex[c & 15];
        }
    }
    if (len > n) {
        memcpy(out + at, "...", 3);
        at += 3;
    }
    out[at] = 0;
    return out;
}

void check_on_failure(void (*hook)(void *arg, const char *line), void *arg)
{
    failure_hook = hook;
    failure_arg = arg;
}

void check_failed(const char *condition, const char *file, int line)
{
    char text[512];
    int n = snprintf(text, sizeof text, "fatal: check failed: %s (%s:%d)\n", condition, file, line);
    if (n > 0) {
        size_t len = (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
        ssize_t ignored = write(STDERR_FILENO, text, len);
        (void)ignored;
    }
    void (*hook)(void *, const char *) = failure_hook;
    failure_hook = NULL;
    if (hook)
        hook(failure_arg, text);
    _exit(EXIT_INVARIANT);
}
