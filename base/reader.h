/* A bounds-checked cursor over outside bytes. The only place that does pointer arithmetic on them.
 *
 * Little endian. Every call checks that enough bytes are left before touching one, and on failure sets
 * the error with the reader's name, the offset, what was expected and what was found; the cursor then
 * stays where it was. Values are copied out with memcpy, so no alignment is assumed. */
#ifndef BASE_READER_H
#define BASE_READER_H

#include "base/status.h"
#include "base/str.h"

struct reader {
    const unsigned char *start, *at, *end;
    const char *name; /* borrowed: the file or stream, for messages */
};

void reader_init(struct reader *reader, const void *data, size_t len, const char *name);
size_t reader_left(const struct reader *reader);
size_t reader_offset(const struct reader *reader);

enum status reader_u8(struct reader *reader, uint8_t *out, struct error *error) must_check;
enum status reader_u16(struct reader *reader, uint16_t *out, struct error *error) must_check;
enum status reader_u32(struct reader *reader, uint32_t *out, struct error *error) must_check;
enum status reader_u64(struct reader *reader, uint64_t *out, struct error *error) must_check;
enum status reader_f32(struct reader *reader, float *out, struct error *error) must_check;
enum status reader_f64(struct reader *reader, double *out, struct error *error) must_check;

/* A slice of n bytes that stays inside the input (lends until the input goes). */
enum status reader_bytes(struct reader *reader, size_t n, struct str *out, struct error *error) must_check;

/* u64 length, then that many bytes; refused above `max`. */
enum status reader_string(struct reader *reader, size_t max, struct str *out, struct error *error) must_check;

/* A u64 count, refused above `max` or when count * min_bytes_each exceeds the bytes left. */
enum status reader_count(struct reader *reader, uint64_t max, size_t min_bytes_each, const char *what,
                         uint64_t *out, struct error *error) must_check;

/* Skips to the next multiple of `alignment` (a power of two) from the start. */
enum status reader_align(struct reader *reader, size_t alignment, struct error *error) must_check;

#endif
