/* Tokens to text as they come: bytes are joined, an unfinished character is held back. */
#include "base/utf8.h"
#include "text/tokenizer_parts.h"

void detokenizer_init(struct detokenizer *d, const struct tokenizer *tokenizer, bool skip_special)
{
    *d = (struct detokenizer){.tokenizer = tokenizer, .skip_special = skip_special, .at_start = true};
}

/* The bytes of a token as text: U+2581 becomes a space where the tokenizer marks spaces, and the very first, which was added, goes.
 * Returns how many, never more than the entry has. */
static size_t token_text(struct detokenizer *d, uint32_t id, char *out)
{
    const struct tokenizer *t = d->tokenizer;
    struct str s = tokenizer_bytes(t, id);
    size_t n = 0;
    if (!t->space_marks || tokenizer_is_control(t, id)) {
        memcpy(out, s.at, s.len);
        return s.len;
    }
    for (size_t i = 0; i < s.len; i++) {
        bool mark = s.len - i >= 3 && memcmp(s.at + i, "\xE2\x96\x81", 3) == 0;
        if (mark && !(d->at_start && i == 0 && t->space_prefix != SPACE_PREFIX_NONE))
            out[n++] = ' ';
        else if (!mark)
            out[n++] = s.at[i];
        i += mark ? 2 : 0;
    }
    d->at_start = false;
    return n;
}

enum status detokenizer_push(struct detokenizer *d, uint32_t id, struct buf *out)
{
    char text[sizeof d->held + TOKENIZER_ENTRY_BYTES_MAX];
    if (d->skip_special && tokenizer_is_special(d->tokenizer, id))
        return buf_status(out);
    memcpy(text, d->held, d->n_held);
    size_t n = d->n_held + token_text(d, id, text + d->n_held), tail = utf8_incomplete_tail(text, n);
    utf8_repair(out, text, n - tail);
    memcpy(d->held, text + n - tail, tail);
    d->n_held = (uint8_t)tail;
    return buf_status(out);
}

enum status detokenizer_end(struct detokenizer *d, struct buf *out)
{
    utf8_repair(out, (const char *)d->held, d->n_held);
    d->n_held = 0;
    return buf_status(out);
}
