/* The framing gate: follows the raw bytes of one connection through heads, bodies and chunks, and refuses every shape that two
 * readers could understand differently, before the HTTP library sees it. A pure state machine: bytes in, verdict out.
 *
 * Rules: RFC 9112 sections 2, 3, 5, 6, 7 in their strictest reading. */
#ifndef SERVER_GATE_H
#define SERVER_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/limits.h"
#include "server/reply.h"

enum { GATE_WORD = 64 };

enum gate_state {
    GATE_HEAD,         /* from a request's first byte to its blank line */
    GATE_BODY,         /* a body by Content-Length */
    GATE_CHUNK_LINE,
    GATE_CHUNK_DATA,
    GATE_CHUNK_END,    /* the line end after a chunk's data */
    GATE_TRAILERS,
    GATE_REFUSED,
};

struct gate {
    enum gate_state state;
    size_t max_head_bytes;
    uint64_t max_body_bytes;
    /* within a head */
    int part, host_part;  /* private */
    size_t head_bytes, part_bytes;
    unsigned n_fields, n_hosts, n_spaces;
    bool http_1_0, after_cr, is_first_line;
    bool has_length, has_coding, coding_is_chunked, coding_has_chunked_last, is_length, is_coding, is_host;
    bool value_started, value_space;
    uint64_t length;
    char word[GATE_WORD]; /* a field name, a coding, or a version, lowered */
    unsigned word_len;
    /* within a body */
    uint64_t left, body_bytes;
    unsigned n_chunks, digits, extension_bytes;
    bool in_extension;
    /* requests whose head was seen, and whose last byte was */
    uint64_t n_heads, n_ended;
    enum reply_code code; /* why it was refused */
    const char *reason;
};

void gate_init(struct gate *gate, size_t max_head_bytes, uint64_t max_body_bytes);

/* True while all bytes were acceptable; false from the first refused one on, with code and reason set. */
bool gate_feed(struct gate *gate, const char *bytes, size_t n);

/* True between requests: nothing of a next one has come. */
bool gate_is_idle(const struct gate *gate);

#endif
