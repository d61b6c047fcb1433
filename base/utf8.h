/* UTF-8: validate, step, repair. Follows Unicode 15, table 3-7 (no overlong forms, no surrogates). */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/* Offset of the first byte that is not part of well-formed UTF-8, or len. */
size_t utf8_valid_prefix(const char *at, size_t len);

static inline bool utf8_is_valid(const char *at, size_t len)
{
    return utf8_valid_prefix(at, len) == len;
}

/* Decodes the code point at `at`; returns its length, or 0 where the bytes are ill-formed or cut short. */
size_t utf8_decode(const char *at, size_t len, uint32_t *code_point);

/* Writes 1 to 4 bytes; returns how many. The code point must be a Unicode scalar value. */
size_t utf8_encode(uint32_t code_point, char out[4]);

/* Number of code points of well-formed text. */
size_t utf8_length(const char *at, size_t len);

/* Length of the tail (0 to 3 bytes) that could still become well-formed with more bytes. */
size_t utf8_incomplete_tail(const char *at, size_t len);

/* Appends text with each maximal ill-formed run replaced by one U+FFFD (maximal subpart practice). */
enum status utf8_repair(struct buf *out, const char *at, size_t len);

#endif
