/* Writes small GGUF files for tests, right ones and wrong ones: every part can be set to what no writer would say. */
#ifndef TESTS_GGUF_WRITER_H
#define TESTS_GGUF_WRITER_H

#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/gguf.h"

static inline void gguf_put_u32(struct buf *b, uint32_t v)
{
    buf_add(b, &v, sizeof v); /* the tests run on little-endian machines only, as the format is */
}
static inline void gguf_put_u64(struct buf *b, uint64_t v)
{
    buf_add(b, &v, sizeof v);
}
static inline void gguf_put_text(struct buf *b, const char *text)
{
    gguf_put_u64(b, strlen(text));
    buf_add_text(b, text);
}
static inline void gguf_put_head(struct buf *b, uint32_t version, uint64_t n_tensors, uint64_t n_values)
{
    buf_add_text(b, "GGUF");
    gguf_put_u32(b, version);
    gguf_put_u64(b, n_tensors);
    gguf_put_u64(b, n_values);
}
static inline void gguf_put_key(struct buf *b, const char *key, uint32_t type)
{
    gguf_put_text(b, key);
    gguf_put_u32(b, type);
}
static inline void gguf_put_string_value(struct buf *b, const char *key, const char *value)
{
    gguf_put_key(b, key, GGUF_STRING);
    gguf_put_text(b, value);
}
static inline void gguf_put_u32_value(struct buf *b, const char *key, uint32_t value)
{
    gguf_put_key(b, key, GGUF_U32);
    gguf_put_u32(b, value);
}
static inline void gguf_put_f32_value(struct buf *b, const char *key, float value)
{
    gguf_put_key(b, key, GGUF_F32);
    buf_add(b, &value, sizeof value);
}
static inline void gguf_put_bool_value(struct buf *b, const char *key, unsigned char value)
{
    gguf_put_key(b, key, GGUF_BOOL);
    buf_add(b, &value, 1);
}
static inline void gguf_put_array_head(struct buf *b, const char *key, uint32_t element, uint64_t count)
{
    gguf_put_key(b, key, GGUF_ARRAY);
    gguf_put_u32(b, element);
    gguf_put_u64(b, count);
}
static inline void gguf_put_strings(struct buf *b, const char *key, const char *const *texts, uint64_t n)
{
    gguf_put_array_head(b, key, GGUF_STRING, n);
    for (uint64_t i = 0; i < n; i++)
        gguf_put_text(b, texts[i]);
}
static inline void gguf_put_i32s(struct buf *b, const char *key, const int32_t *values, uint64_t n)
{
    gguf_put_array_head(b, key, GGUF_I32, n);
    buf_add(b, values, n * sizeof *values);
}
static inline void gguf_put_f32s(struct buf *b, const char *key, const float *values, uint64_t n)
{
    gguf_put_array_head(b, key, GGUF_F32, n);
    buf_add(b, values, n * sizeof *values);
}
static inline void gguf_put_tensor(struct buf *b, const char *name, uint32_t n_dims, const uint64_t *ne, uint32_t type, uint64_t offset)
{
    gguf_put_text(b, name);
    gguf_put_u32(b, n_dims);
    for (uint32_t i = 0; i < n_dims; i++)
        gguf_put_u64(b, ne[i]);
    gguf_put_u32(b, type);
    gguf_put_u64(b, offset);
}
static inline void gguf_put_padding(struct buf *b, size_t alignment)
{
    while (b->len % alignment)
        buf_add_char(b, 0);
}

/* A mapping over memory, as if a file had been opened. */
static inline struct file_map gguf_in_memory(const struct buf *b, char *name)
{
    return (struct file_map){.data = (const unsigned char *)b->at, .bytes = b->len, .path = name};
}

#endif
