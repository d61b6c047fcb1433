/* Tokens to text as they come: bytes are joined, an unfinished character is held back. */
#include "base/utf8.h"
#include "text/tokenizer_parts.h"

void detokenizer_init(struct detokenizer *d, const struct tokenizer *tokenizer, bool skip_special)
{
    *d = (struct detokenizer){.tokenizer = tokenizer, .skip_special = skip_special, .at_start = true};
}

/* Bytes of a token as text: U+2581 becomes a space where the tokenizer marks spaces, the very first of which was added. */
static void add_bytes(struct detokenizer *d, uint32_t id, struct buf *out)
{
    const struct tokenizer *t = d->tokenizer;
    struct str s = tokenizer_bytes(t, id);
    if (!t->space_marks || tokenizer_is_control(t, id)) {
        buf_add_str(out, s);
        return;
    }
    for (size_t i = 0; i < s.len; i++) {
        bool mark = s.len - i >= 3 && memcmp(s.at + i, "\xE2\x96\x81", 3) == 0;
        if (mark && !(d->at_start && i == 0 && t->space_prefix != SPACE_PREFIX_NONE))
            buf_add_char(out, ' ');
        else if (!mark)
            buf_add_char(out, s.at[i]);
        i += mark ? 2 : 0;
    }
    d->at_start = false;
}

enum status detokenizer_push(struct detokenizer *d, uint32_t id, struct buf *out)
{
    struct buf text;
    if (d->skip_special && tokenizer_is_special(d->tokenizer, id))
        return buf_status(out);
    buf_init(&text, SIZE_MAX / 2);
    buf_add(&text, d->held, d->n_held);
    add_bytes(d, id, &text);
    d->n_held = 0;
    if (buf_status(&text) == STATUS_OK && text.len) {
        size_t tail = utf8_incomplete_tail(text.at, text.len);
        utf8_repair(out, text.at, text.len - tail);
        memcpy(d->held, text.at + text.len - tail, tail);
        d->n_held = (uint8_t)tail;
    }
    enum status status = buf_status(&text) ? STATUS_NO_MEMORY : buf_status(out);
    buf_release(&text);
    return status;
}

enum status detokenizer_end(struct detokenizer *d, struct buf *out)
{
    utf8_repair(out, (const char *)d->held, d->n_held);
    d->n_held = 0;
    return buf_status(out);
}
