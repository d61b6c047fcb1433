/* Growing bytes with a maximum. */
#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

void buf_init(struct buf *buf, size_t max_bytes)
{
    *buf = (struct buf){.max = max_bytes};
}

void buf_release(struct buf *buf)
{
    mem_free(buf->at);
    *buf = (struct buf){.max = buf->max};
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->failed = STATUS_OK;
    if (buf->at)
        buf->at[0] = 0;
}

enum status buf_status(const struct buf *buf)
{
    return buf->failed;
}

static enum status fail(struct buf *buf, enum status status)
{
    buf_release(buf);
    buf->failed = status;
    return status;
}

enum status buf_reserve(struct buf *buf, size_t more)
{
    if (buf->failed)
        return buf->failed;
    size_t need;
    if (!size_add(buf->len, more, &need) || need > buf->max)
        return fail(buf, STATUS_LIMIT);
    if (need < buf->capacity) /* strictly: one byte is kept for the terminator */
        return STATUS_OK;
    size_t capacity = buf->capacity ? buf->capacity : 64;
    while (capacity <= need)
        capacity *= 2;
    if (capacity > buf->max && buf->max >= need)
        capacity = buf->max + 1;
    char *at = mem_realloc(buf->at, capacity);
    if (!at)
        return fail(buf, STATUS_NO_MEMORY);
    buf->at = at;
    buf->capacity = capacity;
    return STATUS_OK;
}

enum status buf_add(struct buf *buf, const void *data, size_t len)
{
    enum status status = buf_reserve(buf, len);
    if (status)
        return status;
    if (len)
        memcpy(buf->at + buf->len, data, len);
    buf->len += len;
    buf->at[buf->len] = 0;
    return STATUS_OK;
}

enum status buf_add_str(struct buf *buf, struct str text)
{
    return buf_add(buf, text.at, text.len);
}

enum status buf_add_text(struct buf *buf, const char *text)
{
    return buf_add(buf, text, strlen(text));
}

enum status buf_add_char(struct buf *buf, char c)
{
    return buf_add(buf, &c, 1);
}

enum status buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    enum status status = n < 0 ? fail(buf, STATUS_INVALID) : buf_reserve(buf, (size_t)n);
    if (!status) {
        vsnprintf(buf->at + buf->len, (size_t)n + 1, format, again);
        buf->len += (size_t)n;
    }
    va_end(again);
    return status;
}

void buf_drop_front(struct buf *buf, size_t n)
{
    check(n <= buf->len);
    if (n == 0)
        return;
    memmove(buf->at, buf->at + n, buf->len - n + 1);
    buf->len -= n;
}

void buf_truncate(struct buf *buf, size_t len)
{
    check(len <= buf->len);
    buf->len = len;
    if (buf->at)
        buf->at[len] = 0;
}

char *buf_take(struct buf *buf, size_t *len)
{
    if (buf->failed || buf_reserve(buf, 0) != STATUS_OK)
        return NULL;
    char *at = buf->at;
    at[buf->len] = 0;
    if (len)
        *len = buf->len;
    *buf = (struct buf){.max = buf->max};
    return at;
}
