/* A borrowed slice of bytes, usually UTF-8 text; not terminated, may hold NUL bytes. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct str {
    const char *at;
    size_t len;
};

/* For printf("%.*s", STR_ARG(s)). */
#define STR_ARG(s) (int)(s).len, (s).at

static inline struct str str_from(const char *at, size_t len)
{
    return (struct str){at, len};
}
static inline struct str str_of(const char *text) /* null-terminated; null gives an empty slice */
{
    return (struct str){text, text ? strlen(text) : 0};
}
static inline bool str_equal(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}
static inline bool str_is(struct str a, const char *text)
{
    return str_equal(a, str_of(text));
}
static inline bool str_starts(struct str a, struct str prefix)
{
    return a.len >= prefix.len && (prefix.len == 0 || memcmp(a.at, prefix.at, prefix.len) == 0);
}
static inline bool str_ends(struct str a, struct str suffix)
{
    return a.len >= suffix.len &&
           (suffix.len == 0 || memcmp(a.at + a.len - suffix.len, suffix.at, suffix.len) == 0);
}
static inline struct str str_skip(struct str a, size_t n)
{
    return n < a.len ? (struct str){a.at + n, a.len - n} : (struct str){a.at + a.len, 0};
}

static inline bool str_is_ascii(struct str a)
{
    unsigned char bits = 0;
    for (size_t i = 0; i < a.len; i++) /* without an early end it is done sixteen bytes at a time */
        bits |= (unsigned char)a.at[i];
    return bits < 0x80;
}

/* Offset of the first occurrence of needle, or -1. An empty needle is found at 0. */
static inline ptrdiff_t str_find(struct str a, struct str needle)
{
    if (needle.len == 0)
        return 0;
    if (a.len < needle.len)
        return -1;
    const void *hit = memmem(a.at, a.len, needle.at, needle.len);
    return hit ? (const char *)hit - a.at : -1;
}

#endif
