/* UTF-8 validation by table 3-7 of the Unicode standard. */
#include "base/utf8.h"

/* How many bytes at `at` form a well-formed character (0: none do). *partial is the length of the longest
 * prefix that is a prefix of some well-formed character; *cut is true when only the end of input stopped it. */
static size_t scan(const unsigned char *at, size_t len, size_t *partial, bool *cut)
{
    unsigned char lead = at[0], low = 0x80, high = 0xBF;
    size_t need;
    *partial = 1;
    *cut = false;
    if (lead < 0x80)
        return 1;
    if (lead < 0xC2 || lead > 0xF4)
        return 0;
    need = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (lead == 0xE0)
        low = 0xA0;
    else if (lead == 0xED)
        high = 0x9F;
    else if (lead == 0xF0)
        low = 0x90;
    else if (lead == 0xF4)
        high = 0x8F;
    for (size_t i = 1; i < need; i++) {
        if (i >= len) {
            *cut = true;
            return 0;
        }
        if (at[i] < low || at[i] > high)
            return 0;
        low = 0x80;
        high = 0xBF;
        *partial = i + 1;
    }
    return need;
}

size_t utf8_valid_prefix(const char *text, size_t len)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t i = 0;
    while (i < len) {
        uint64_t word;
        if (len - i >= 8) { /* eight ASCII bytes at a time */
            memcpy(&word, at + i, 8);
            if (!(word & 0x8080808080808080u)) {
                i += 8;
                continue;
            }
        }
        size_t partial;
        bool cut;
        size_t n = scan(at + i, len - i, &partial, &cut);
        if (n == 0)
            return i;
        i += n;
    }
    return len;
}

size_t utf8_decode(const char *text, size_t len, uint32_t *code_point)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t partial;
    bool cut;
    size_t n = len ? scan(at, len, &partial, &cut) : 0;
    switch (n) {
    case 1:
        *code_point = at[0];
        break;
    case 2:
        *code_point = (uint32_t)(at[0] & 0x1F) << 6 | (at[1] & 0x3F);
        break;
    case 3:
        *code_point = (uint32_t)(at[0] & 0x0F) << 12 | (uint32_t)(at[1] & 0x3F) << 6 | (at[2] & 0x3F);
        break;
    case 4:
        *code_point = (uint32_t)(at[0] & 0x07) << 18 | (uint32_t)(at[1] & 0x3F) << 12 |
                      (uint32_t)(at[2] & 0x3F) << 6 | (at[3] & 0x3F);
        break;
    default:
        break;
    }
    return n;
}

size_t utf8_encode(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

size_t utf8_length(const char *at, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)at[i] & 0xC0) != 0x80;
    return n;
}

size_t utf8_incomplete_tail(const char *text, size_t len)
{
    const unsigned char *at = (const unsigned char *)text;
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        unsigned char c = at[len - back];
        if ((c & 0xC0) == 0x80)
            continue;
        size_t partial;
        bool cut;
        return scan(at + len - back, back, &partial, &cut) == 0 && cut ? back : 0;
    }
    return 0;
}

enum status utf8_repair(struct buf *out, const char *at, size_t len)
{
    while (len) {
        size_t good = utf8_valid_prefix(at, len);
        buf_add(out, at, good);
        at += good;
        len -= good;
        if (!len)
            break;
        size_t partial;
        bool cut;
        scan((const unsigned char *)at, len, &partial, &cut);
        buf_add(out, "\xEF\xBF\xBD", 3);
        at += partial;
        len -= partial;
    }
    return buf_status(out);
}
