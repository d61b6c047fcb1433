/* A growing byte buffer with a maximum, fixed when it is made.
 *
 * A failed append frees the contents and marks the buffer failed: later appends do nothing and report
 * the same status, so a long run of appends may be checked once at the end through buf_status(). */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/status.h"
#include "base/str.h"

struct buf {
    char *at; /* owned; always followed by a NUL once anything was appended */
    size_t len;
    size_t capacity;
    size_t max;
    enum status failed;
};

void buf_init(struct buf *buf, size_t max_bytes);
void buf_release(struct buf *buf);
void buf_clear(struct buf *buf); /* empties, keeps the memory, forgets a failure */

enum status buf_status(const struct buf *buf) must_check; /* OK, NO_MEMORY or LIMIT */
enum status buf_reserve(struct buf *buf, size_t more) must_check;

/* These may be called unchecked when buf_status is looked at afterwards. */
enum status buf_add(struct buf *buf, const void *data, size_t len);
enum status buf_add_str(struct buf *buf, struct str text);
enum status buf_add_text(struct buf *buf, const char *text);
enum status buf_add_char(struct buf *buf, char c);
enum status buf_printf(struct buf *buf, const char *format, ...) printf_like(2, 3);

/* Removes the first n bytes; all but the first `len` bytes. */
void buf_drop_front(struct buf *buf, size_t n);
void buf_truncate(struct buf *buf, size_t len);

static inline struct str buf_str(const struct buf *buf)
{
    return (struct str){buf->at ? buf->at : "", buf->len};
}

/* Moves the terminated contents out (caller frees with mem_free) and resets; null when it failed. */
char *buf_take(struct buf *buf, size_t *len) must_check;

#endif
