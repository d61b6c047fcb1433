/* The framing gate's state machine, a byte at a time. */
#include "server/gate.h"

#include <string.h>

enum part { PART_START, PART_METHOD, PART_TARGET, PART_VERSION, PART_LINE_START, PART_NAME, PART_VALUE, PART_LAST_LINE };
enum host_part { HOST_START, HOST_NAME, HOST_BRACKETS, HOST_BRACKETS_END, HOST_PORT };

static bool refuse(struct gate *g, enum reply_code code, const char *reason)
{
    g->state = GATE_REFUSED;
    g->code = code;
    g->reason = reason;
    return false;
}

static bool bad(struct gate *g, const char *reason)
{
    return refuse(g, REPLY_BAD_REQUEST, reason);
}

static void begin_head(struct gate *g)
{
    struct gate fresh = {.max_head_bytes = g->max_head_bytes, .max_body_bytes = g->max_body_bytes, .n_heads = g->n_heads,
                         .n_ended = g->n_ended, .state = GATE_HEAD, .part = PART_START};
    *g = fresh;
}

void gate_init(struct gate *g, size_t max_head_bytes, uint64_t max_body_bytes)
{
    *g = (struct gate){.max_head_bytes = max_head_bytes, .max_body_bytes = max_body_bytes};
    begin_head(g);
}

bool gate_is_idle(const struct gate *g)
{
    return g->state == GATE_HEAD && g->part == PART_START;
}

/* RFC 9110 section 5.6.2. */
static bool is_token(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static char lower(unsigned char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

static void word_add(struct gate *g, char c)
{
    if (g->word_len < sizeof g->word - 1)
        g->word[g->word_len] = c;
    g->word_len++;
}

static bool word_is(const struct gate *g, const char *text)
{
    size_t n = strlen(text);
    return g->word_len == n && memcmp(g->word, text, n) == 0;
}

/* ---- Bodies ------------------------------------------------------------------------------------------------ */

static void end_request(struct gate *g)
{
    g->n_ended++;
    begin_head(g);
}

static bool begin_body(struct gate *g)
{
    g->n_heads++;
    if (g->has_coding) {
        g->state = GATE_CHUNK_LINE;
        g->digits = 0;
        g->left = 0;
        g->in_extension = g->after_cr = false;
        g->part_bytes = 0;
    } else if (g->length) {
        g->state = GATE_BODY;
        g->left = g->length;
    } else {
        end_request(g);
    }
    return true;
}

static int hex_value(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "SIZE[;extension]CRLF"; extensions are read over. */
static bool chunk_line(struct gate *g, unsigned char c)
{
    if (++g->part_bytes > GATE_CHUNK_LINE_MAX)
        return bad(g, "a chunk's size line is too long");
    if (g->after_cr) {
        if (c != '\n' || !g->digits)
            return bad(g, "malformed chunk size");
        if (++g->n_chunks > GATE_CHUNKS_MAX)
            return refuse(g, REPLY_REQUEST_TOO_LARGE, "the body comes in too many pieces");
        g->body_bytes += g->left;
        if (g->body_bytes > g->max_body_bytes)
            return refuse(g, REPLY_REQUEST_TOO_LARGE, "the body is larger than max_body_bytes");
        g->state = g->left ? GATE_CHUNK_DATA : GATE_TRAILERS;
        g->part = PART_LINE_START;
        g->after_cr = false;
        return true;
    }
    if (c == '\r') {
        g->after_cr = true;
        return true;
    }
    if (g->in_extension) {
        if (++g->extension_bytes > GATE_EXTENSIONS_MAX)
            return bad(g, "chunk extensions are too long");
        return (c >= ' ' && c != 127) || c == '\t' ? true : bad(g, "a control byte in a chunk extension");
    }
    if (c == ';' && g->digits) {
        g->in_extension = true;
        return true;
    }
    int value = hex_value(c);
    if (value < 0 || ++g->digits > 15)
        return bad(g, "malformed chunk size");
    g->left = g->left * 16 + (unsigned)value;
    return true;
}

/* Trailer lines, read and dropped; the same line rules as a head's, its bytes counted with it. */
static bool trailer(struct gate *g, unsigned char c)
{
    if (++g->head_bytes > g->max_head_bytes)
        return refuse(g, REPLY_HEAD_TOO_LARGE, "head and trailers are larger than max_header_bytes");
    if (g->after_cr) {
        if (c != '\n')
            return bad(g, "a bare carriage return");
        g->after_cr = false;
        if (g->part == PART_LAST_LINE)
            end_request(g);
        else
            g->part = PART_LINE_START;
        return true;
    }
    if (c == '\r') {
        g->after_cr = true;
        if (g->part == PART_LINE_START)
            g->part = PART_LAST_LINE;
        else if (g->part == PART_NAME)
            return bad(g, "a trailer line without a colon");
        return true;
    }
    if (g->part == PART_LINE_START) {
        g->part = PART_NAME;
        g->part_bytes = 0;
        if (++g->n_fields > GATE_FIELDS_MAX)
            return refuse(g, REPLY_HEAD_TOO_LARGE, "more than 100 fields");
    }
    if (g->part == PART_NAME) {
        if (c == ':' && g->part_bytes) {
            g->part = PART_VALUE;
            return true;
        }
        g->part_bytes++;
        return is_token(c) ? true : bad(g, "a field name holds a byte that is not allowed");
    }
    return (c >= ' ' && c != 127) || c == '\t' ? true : bad(g, "a control byte in a field value");
}

/* ---- Heads ------------------------------------------------------------------------------------------------- */

static bool end_first_line(struct gate *g)
{
    bool numbered = g->word_len == 8 && memcmp(g->word, "HTTP/", 5) == 0 && g->word[5] >= '0' && g->word[5] <= '9' &&
                    g->word[6] == '.' && g->word[7] >= '0' && g->word[7] <= '9';
    g->http_1_0 = word_is(g, "HTTP/1.0");
    if (g->http_1_0 || word_is(g, "HTTP/1.1"))
        return true;
    return numbered ? refuse(g, REPLY_HTTP_VERSION, "only HTTP/1.0 and HTTP/1.1 are spoken") : bad(g, "malformed request line");
}

static bool begin_value(struct gate *g)
{
    g->is_length = word_is(g, "content-length");
    g->is_coding = word_is(g, "transfer-encoding");
    g->is_host = word_is(g, "host");
    if (g->is_length && g->has_length)
        return bad(g, "two Content-Length fields");
    if (g->is_coding && g->has_coding)
        return bad(g, "two Transfer-Encoding fields");
    if (g->is_host && ++g->n_hosts > 1)
        return bad(g, "two Host fields");
    g->has_length |= g->is_length;
    g->has_coding |= g->is_coding;
    g->word_len = g->digits = 0;
    g->value_started = g->value_space = false;
    g->host_part = HOST_START;
    return true;
}

/* A name or an address, and a port: RFC 9110 section 7.2, RFC 3986 section 3.2.2. */
static bool host_byte(struct gate *g, unsigned char c)
{
    bool digit = c >= '0' && c <= '9', letter = (c | 32) >= 'a' && (c | 32) <= 'z';
    switch ((enum host_part)g->host_part) {
    case HOST_START:
        if (c == '[') {
            g->host_part = HOST_BRACKETS;
            return true;
        }
        g->host_part = HOST_NAME;
        return digit || letter || (c && strchr("-._~!$&'()*+,;=%", c));
    case HOST_NAME:
        g->host_part = c == ':' ? HOST_PORT : HOST_NAME;
        return digit || letter || (c && strchr("-._~!$&'()*+,;=%:", c));
    case HOST_BRACKETS:
        g->host_part = c == ']' ? HOST_BRACKETS_END : HOST_BRACKETS;
        return digit || hex_value(c) >= 0 || c == ':' || c == '.' || c == ']';
    case HOST_BRACKETS_END:
        g->host_part = HOST_PORT;
        return c == ':';
    case HOST_PORT:
        return digit && ++g->digits <= 5;
    }
    return false;
}

/* Spaces are left out of a list of codings where they stand beside a comma; one within a coding spoils it. */
static void coding_byte(struct gate *g, unsigned char c)
{
    char last = g->word_len && g->word_len < sizeof g->word ? g->word[g->word_len - 1] : ',';
    if (g->value_space && c != ',' && last != ',')
        word_add(g, ' ');
    g->value_space = false;
    word_add(g, lower(c));
}

static bool value_byte(struct gate *g, unsigned char c)
{
    if ((c < ' ' && c != '\t') || c == 127)
        return bad(g, "a control byte in a field value");
    bool space = c == ' ' || c == '\t';
    if (space) {
        g->value_space |= g->value_started;
        return true;
    }
    if (g->value_space && (g->is_length || g->is_host))
        return bad(g, g->is_length ? "malformed Content-Length" : "malformed Host");
    g->value_started = true;
    if (g->is_length) {
        if (c < '0' || c > '9' || ++g->digits > 18)
            return bad(g, "malformed Content-Length");
        g->length = g->length * 10 + (unsigned)(c - '0');
    } else if (g->is_coding) {
        coding_byte(g, c);
    } else if (g->is_host && !host_byte(g, c)) {
        return bad(g, "malformed Host");
    }
    return true;
}

static bool end_value(struct gate *g)
{
    if (g->is_length && !g->value_started)
        return bad(g, "an empty Content-Length");
    if (g->is_host && (!g->value_started || g->host_part == HOST_BRACKETS))
        return bad(g, "malformed Host");
    if (g->is_coding) {
        size_t n = g->word_len < sizeof g->word - 1 ? g->word_len : sizeof g->word - 1;
        g->coding_is_chunked = word_is(g, "chunked");
        g->coding_has_chunked_last = n >= 8 && g->word_len < sizeof g->word && memcmp(g->word + n - 8, ",chunked", 8) == 0;
    }
    return true;
}

static bool end_head(struct gate *g)
{
    if (!g->http_1_0 && g->n_hosts == 0)
        return bad(g, "no Host field");
    if (g->has_coding && g->has_length)
        return bad(g, "Content-Length together with Transfer-Encoding");
    if (g->has_coding && g->http_1_0)
        return bad(g, "Transfer-Encoding in HTTP/1.0");
    if (g->has_coding && g->coding_has_chunked_last)
        return refuse(g, REPLY_NOT_IMPLEMENTED, "of transfer codings only chunked is spoken");
    if (g->has_coding && !g->coding_is_chunked)
        return bad(g, "the last transfer coding is not chunked");
    return begin_body(g);
}

static bool request_line(struct gate *g, unsigned char c)
{
    switch ((enum part)g->part) {
    case PART_START:
        g->part = PART_METHOD;
        g->part_bytes = 0;
        /* fall through */
    case PART_METHOD:
        if (c == ' ' && g->part_bytes) {
            g->part = PART_TARGET;
            g->part_bytes = 0;
            return true;
        }
        if (!is_token(c) || ++g->part_bytes > 32)
            return bad(g, "malformed method");
        return true;
    case PART_TARGET:
        if (c == ' ' && g->part_bytes) {
            g->part = PART_VERSION;
            g->word_len = 0;
            return true;
        }
        if (c <= ' ' || c >= 127)
            return bad(g, "malformed request target");
        return ++g->part_bytes <= GATE_TARGET_MAX ? true : refuse(g, REPLY_URI_TOO_LONG, "the request target is longer than 8192 bytes");
    default:
        word_add(g, (char)c);
        return c > ' ' && c < 127 && g->word_len <= 16 ? true : bad(g, "malformed request line");
    }
}

static bool line_end(struct gate *g)
{
    switch ((enum part)g->part) {
    case PART_START: /* one empty line before a request is read over, as RFC 9112 section 2.2 asks */
        return true;
    case PART_VERSION:
        if (!end_first_line(g))
            return false;
        break;
    case PART_VALUE:
        if (!end_value(g))
            return false;
        break;
    case PART_LAST_LINE:
        return end_head(g);
    default:
        return bad(g, "malformed line");
    }
    g->part = PART_LINE_START;
    return true;
}

static bool field_byte(struct gate *g, unsigned char c)
{
    if (g->part == PART_LINE_START) {
        if (c == ' ' || c == '\t')
            return bad(g, "a folded header line");
        if (++g->n_fields > GATE_FIELDS_MAX)
            return refuse(g, REPLY_HEAD_TOO_LARGE, "more than 100 fields");
        g->part = PART_NAME;
        g->word_len = 0;
    }
    if (g->part == PART_VALUE)
        return value_byte(g, c);
    if (c == ':') {
        if (!g->word_len)
            return bad(g, "an empty field name");
        g->part = PART_VALUE;
        return begin_value(g);
    }
    word_add(g, lower(c));
    return is_token(c) ? true : bad(g, "a field name holds a byte that is not allowed");
}

static bool head_byte(struct gate *g, unsigned char c)
{
    if (++g->head_bytes > g->max_head_bytes)
        return refuse(g, REPLY_HEAD_TOO_LARGE, "the head is larger than max_header_bytes");
    if (g->after_cr) {
        g->after_cr = false;
        return c == '\n' ? line_end(g) : bad(g, "a bare carriage return");
    }
    if (c == '\n')
        return bad(g, "a bare line feed");
    if (c == '\r') {
        if (g->part == PART_LINE_START)
            g->part = PART_LAST_LINE;
        else if (g->part == PART_START ? g->head_bytes != 1 : g->part != PART_VERSION && g->part != PART_VALUE)
            return bad(g, "malformed line");
        g->after_cr = true;
        return true;
    }
    return g->part <= PART_VERSION ? request_line(g, c) : field_byte(g, c);
}

bool gate_feed(struct gate *g, const char *bytes, size_t n)
{
    for (size_t at = 0; at < n;) {
        bool ok = true;
        unsigned char c = (unsigned char)bytes[at];
        switch (g->state) {
        case GATE_REFUSED:
            return false;
        case GATE_BODY:
        case GATE_CHUNK_DATA: {
            size_t take = n - at < g->left ? n - at : (size_t)g->left;
            g->left -= take;
            at += take;
            if (g->left)
                continue;
            if (g->state == GATE_BODY)
                end_request(g);
            else
                g->state = GATE_CHUNK_END;
            g->after_cr = false;
            continue;
        }
        case GATE_CHUNK_END:
            if (c != (g->after_cr ? '\n' : '\r'))
                return bad(g, "a chunk is longer than its size says");
            if (g->after_cr) {
                g->state = GATE_CHUNK_LINE;
                g->digits = 0;
                g->left = 0;
                g->part_bytes = 0;
                g->in_extension = false;
            }
            g->after_cr = !g->after_cr;
            break;
        case GATE_CHUNK_LINE:
            ok = chunk_line(g, c);
            break;
        case GATE_TRAILERS:
            ok = trailer(g, c);
            break;
        case GATE_HEAD:
            ok = head_byte(g, c);
            break;
        }
        if (!ok)
            return false;
        at++;
    }
    return g->state != GATE_REFUSED;
}
