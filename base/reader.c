/* Bounds-checked reading of outside bytes. */
#include "base/reader.h"

#include <inttypes.h>

#include "base/mem.h"

void reader_init(struct reader *reader, const void *data, size_t len, const char *name)
{
    const unsigned char *start = data ? data : (const void *)""; /* an empty file has no address to add to */
    *reader = (struct reader){start, start, start + len, name};
}

size_t reader_left(const struct reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

size_t reader_offset(const struct reader *reader)
{
    return (size_t)(reader->at - reader->start);
}

static enum status fixed(struct reader *reader, void *out, size_t n, struct error *error)
{
    if (reader_left(reader) < n) {
        enum status status = error_set(error, STATUS_INVALID, "%s: expected %zu more bytes at offset %zu, found %zu",
                                       reader->name, n, reader_offset(reader), reader_left(reader));
        if (error)
            error->offset = (int64_t)reader_offset(reader);
        return status;
    }
    if (n)
        memcpy(out, reader->at, n);
    reader->at += n;
    return STATUS_OK;
}

enum status reader_u8(struct reader *reader, uint8_t *out, struct error *error)
{
    return fixed(reader, out, sizeof *out, error);
}
enum status reader_u16(struct reader *reader, uint16_t *out, struct error *error)
{
    return fixed(reader, out, sizeof *out, error);
}
enum status reader_u32(struct reader *reader, uint32_t *out, struct error *error)
{
    return fixed(reader, out, sizeof *out, error);
}
enum status reader_u64(struct reader *reader, uint64_t *out, struct error *error)
{
    return fixed(reader, out, sizeof *out, error);
}
enum status reader_f32(struct reader *reader, float *out, struct error *error)
{
    return fixed(reader, out, sizeof *out, error);
}
enum status reader_f64(struct reader *reader, double *out, struct error *error)
{
    return fixed(reader, out, sizeof *out, error);
}

enum status reader_bytes(struct reader *reader, size_t n, struct str *out, struct error *error)
{
    const unsigned char *at = reader->at;
    if (reader_left(reader) < n)
        return fixed(reader, NULL, n, error);
    reader->at += n;
    *out = str_from((const char *)at, n);
    return STATUS_OK;
}

enum status reader_string(struct reader *reader, size_t max, struct str *out, struct error *error)
{
    struct reader saved = *reader;
    uint64_t len = 0;
    enum status status = reader_u64(reader, &len, error);
    if (status)
        return status;
    if (len > max) {
        *reader = saved;
        status = error_set(error, STATUS_INVALID,
                           "%s: a string at offset %zu claims %" PRIu64 " bytes, at most %zu allowed", reader->name,
                           reader_offset(reader), len, max);
        if (error)
            error->offset = (int64_t)reader_offset(reader);
        return status;
    }
    status = reader_bytes(reader, (size_t)len, out, error);
    if (status)
        *reader = saved;
    return status;
}

enum status reader_count(struct reader *reader, uint64_t max, size_t min_bytes_each, const char *what, uint64_t *out,
                         struct error *error)
{
    struct reader saved = *reader;
    uint64_t count = 0, bytes;
    enum status status = reader_u64(reader, &count, error);
    if (status)
        return status;
    if (count > max || !u64_mul(count, min_bytes_each, &bytes) || bytes > reader_left(reader)) {
        *reader = saved;
        status = error_set(error, STATUS_INVALID,
                           "%s: %s at offset %zu is %" PRIu64 ", at most %" PRIu64 " allowed and %zu bytes left",
                           reader->name, what, reader_offset(reader), count, max, reader_left(reader));
        if (error)
            error->offset = (int64_t)reader_offset(reader);
        return status;
    }
    *out = count;
    return STATUS_OK;
}

enum status reader_align(struct reader *reader, size_t alignment, struct error *error)
{
    size_t skip = (alignment - reader_offset(reader) % alignment) % alignment;
    struct str ignored;
    return reader_bytes(reader, skip, &ignored, error);
}
