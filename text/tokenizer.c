/* The tokenizer's public face: encoding spans, decoding, and looking tokens up. */
#include "text/tokenizer.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "text/tokenizer_parts.h"

enum { CANCEL_EVERY_BYTES = 64 * 1024, MEMORY_MAX = 1 << 30 };

/* ---- Token lists ---------------------------------------------------------------------------------------------------- */

void token_list_init(struct token_list *list, size_t max_tokens)
{
    *list = (struct token_list){.max = max_tokens};
}

void token_list_release(struct token_list *list)
{
    mem_free(list->ids);
    *list = (struct token_list){.max = list->max};
}

enum status token_list_add(struct token_list *list, uint32_t id)
{
    if (list->n >= list->max)
        return STATUS_LIMIT;
    if (list->n == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 64;
        uint32_t *more = mem_realloc(list->ids, capacity * sizeof *more);
        if (!more)
            return STATUS_NO_MEMORY;
        list->ids = more;
        list->capacity = capacity;
    }
    list->ids[list->n++] = id;
    return STATUS_OK;
}

/* ---- Making ---------------------------------------------------------------------------------------------------------- */

enum status tokenizer_create(struct tokenizer **out, uint32_t n_ids, struct error *error)
{
    struct tokenizer *t = mem_zalloc(sizeof *t);
    if (!t)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    arena_init(&t->memory, MEMORY_MAX);
    table_init(&t->vocabulary);
    t->n_ids = n_ids;
    t->bos = t->eos = -1;
    t->unknown_id = TOKENIZER_NO_ID;
    memset(t->byte_ids, 0xFF, sizeof t->byte_ids);
    t->entries = mem_zalloc_array(n_ids, sizeof *t->entries);
    t->flags = mem_zalloc_array(n_ids, sizeof *t->flags);
    t->literals = mem_zalloc_array(64, sizeof *t->literals);
    t->literals_capacity = 64;
    t->n_literals = 1; /* node 0 is the root */
    if (!t->entries || !t->flags || !t->literals || table_reserve(&t->vocabulary, n_ids) != STATUS_OK) {
        tokenizer_free(t);
        return error_set(error, STATUS_NO_MEMORY, "out of memory for a vocabulary of %u", n_ids);
    }
    t->literals[0].id = TOKENIZER_NO_ID;
    *out = t;
    return STATUS_OK;
}

void tokenizer_free(struct tokenizer *t)
{
    if (!t)
        return;
    arena_release(&t->memory);
    mem_free(t->entries);
    mem_free(t->flags);
    mem_free(t->literals);
    table_release(&t->vocabulary);
    pair_table_release(&t->pairs);
    pretokenize_free(t->pretokenize);
    mem_free(t);
}

enum status tokenizer_set(struct tokenizer *t, uint32_t id, struct str bytes, unsigned flags, struct error *error)
{
    char quoted[ERROR_QUOTE_BYTES];
    if (id >= t->n_ids || bytes.len > TOKENIZER_ENTRY_BYTES_MAX)
        return error_set(error, STATUS_INVALID, "vocabulary entry %u (%s): id or length out of range", id,
                         error_quote(quoted, bytes.at, bytes.len));
    if (t->flags[id] & TOKENIZER_PRESENT && !(flags & TOKENIZER_ADDED))
        return error_set(error, STATUS_INVALID, "vocabulary id %u stands twice", id);
    struct str copy = arena_str(&t->memory, bytes);
    if (!copy.at)
        return error_set(error, STATUS_NO_MEMORY, "out of memory for the vocabulary");
    t->entries[id] = copy;
    t->flags[id] = (uint8_t)(flags | TOKENIZER_PRESENT);
    if (flags & TOKENIZER_ADDED)
        return STATUS_OK;
    enum status status = table_add(&t->vocabulary, copy, id, NULL);
    if (status == STATUS_INVALID) /* two ids of the same bytes: the first is the one text gets */
        return STATUS_OK;
    return status ? error_set(error, status, "out of memory for the vocabulary") : STATUS_OK;
}

/* Adds a literal to the trie. */
static enum status add_literal(struct tokenizer *t, uint32_t id)
{
    uint32_t node = 0;
    struct str s = t->entries[id];
    for (size_t i = 0; i < s.len; i++) {
        unsigned char byte = (unsigned char)s.at[i];
        uint32_t child = t->literals[node].child;
        while (child && t->literals[child].byte != byte)
            child = t->literals[child].sibling;
        if (!child) {
            if (t->n_literals == t->literals_capacity) {
                uint32_t capacity = t->literals_capacity * 2;
                struct literal_node *more = mem_realloc(t->literals, capacity * sizeof *more);
                if (!more)
                    return STATUS_NO_MEMORY;
                t->literals = more;
                t->literals_capacity = capacity;
            }
            child = t->n_literals++;
            t->literals[child] = (struct literal_node){.sibling = t->literals[node].child, .id = TOKENIZER_NO_ID, .byte = byte};
            t->literals[node].child = child;
        }
        node = child;
    }
    if (node && t->literals[node].id == TOKENIZER_NO_ID)
        t->literals[node].id = id;
    return STATUS_OK;
}

static void find_fim(struct tokenizer *t)
{
    static const char *const names[][3] = {
        {"<\xEF\xBD\x9C" "fim\xE2\x96\x81" "begin\xEF\xBD\x9C>", "<\xEF\xBD\x9C" "fim\xE2\x96\x81hole\xEF\xBD\x9C>",
         "<\xEF\xBD\x9C" "fim\xE2\x96\x81" "end\xEF\xBD\x9C>"},
        {"<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"},
        {"<fim_prefix>", "<fim_suffix>", "<fim_middle>"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0] && !t->has_fim; i++)
        t->has_fim = tokenizer_find(t, names[i][0], &t->fim[0]) && tokenizer_find(t, names[i][1], &t->fim[1]) &&
                     tokenizer_find(t, names[i][2], &t->fim[2]);
}

enum status tokenizer_finish(struct tokenizer *t, struct error *error)
{
    for (uint32_t id = 0; id < t->n_ids; id++)
        if ((t->flags[id] & TOKENIZER_ADDED) && t->entries[id].len && add_literal(t, id) != STATUS_OK)
            return error_set(error, STATUS_NO_MEMORY, "out of memory for added tokens");
    for (unsigned b = 0; b < 256 && t->symbols == SYMBOLS_BYTES; b++) {
        char byte = (char)b;
        uint64_t id;
        if (table_find(&t->vocabulary, str_from(&byte, 1), &id))
            t->byte_ids[b] = (uint32_t)id;
    }
    if (!t->has_fim)
        find_fim(t);
    return STATUS_OK;
}

bool tokenizer_from_alphabet(struct str text, char *out, size_t *len)
{
    *len = 0;
    for (size_t i = 0; i < text.len;) {
        uint32_t c;
        size_t n = utf8_decode(text.at + i, text.len - i, &c);
        if (!n)
            return false;
        i += n;
        bool itself = (c >= 33 && c <= 126) || (c >= 161 && c <= 172) || (c >= 174 && c <= 255);
        if (itself) {
            out[(*len)++] = (char)c;
        } else if (c >= 256 && c < 256 + 68) { /* the other 68 bytes in order: 0-32, 127-160, 173 */
            uint32_t k = c - 256;
            out[(*len)++] = (char)(k < 33 ? k : k < 67 ? k + 94 : 173);
        } else {
            return false;
        }
    }
    return true;
}

/* ---- Encoding --------------------------------------------------------------------------------------------------------- */

struct encoding {
    const struct tokenizer *t;
    struct token_list *list;
    const _Atomic bool *cancel;
    struct buf run; /* text since the last matched token */
    size_t since_check;
    struct error *error;
    bool swallow_space; /* the last token strips what follows */
    bool at_start;
};

static enum status out_of_room(struct encoding *e, enum status status)
{
    if (status == STATUS_LIMIT)
        return error_set(e->error, STATUS_LIMIT, "the text is longer than %zu tokens", e->list->max);
    return status ? error_set(e->error, status, "out of memory while tokenizing") : STATUS_OK;
}

static enum status encode_pieces(struct encoding *e, struct str text)
{
    struct piece *pieces = NULL, whole = {0, (uint32_t)text.len};
    size_t n = 1;
    enum status status = STATUS_OK;
    if (e->t->pretokenize)
        status = pretokenize_run(e->t->pretokenize, text, &pieces, &n, e->error);
    for (size_t i = 0; i < n && !status; i++) {
        struct piece p = pieces ? pieces[i] : whole;
        status = out_of_room(e, tokenizer_merge(e->t, str_from(text.at + p.start, p.len), e->list));
        e->since_check += p.len;
        if (e->since_check >= CANCEL_EVERY_BYTES) {
            e->since_check = 0;
            if (!status && e->cancel && *e->cancel)
                status = error_set(e->error, STATUS_CANCELLED, "cancelled");
        }
    }
    mem_free(pieces);
    return status;
}

/* Spaces as U+2581, with one in front. */
static enum status mark_spaces(struct encoding *e, struct str text, struct buf *out)
{
    if (e->t->add_space_prefix && e->at_start && text.len)
        buf_add(out, "\xE2\x96\x81", 3);
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] == ' ')
            buf_add(out, "\xE2\x96\x81", 3);
        else
            buf_add_char(out, text.at[i]);
    return buf_status(out);
}

static bool is_ascii(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] & 0x80)
            return false;
    return true;
}

static enum status encode_run(struct encoding *e)
{
    struct str text = buf_str(&e->run);
    utf8proc_uint8_t *normal = NULL;
    struct buf marked;
    if (!text.len)
        return STATUS_OK;
    buf_init(&marked, SIZE_MAX / 2);
    enum status status = STATUS_OK;
    if (e->t->normal_form != NORMAL_FORM_NONE && !is_ascii(text)) {
        static const utf8proc_option_t forms[] = {
            [NORMAL_FORM_NFC] = UTF8PROC_STABLE | UTF8PROC_COMPOSE,
            [NORMAL_FORM_NFD] = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE,
            [NORMAL_FORM_NFKC] = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT,
            [NORMAL_FORM_NFKD] = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT,
        };
        utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)text.at, (utf8proc_ssize_t)text.len, &normal,
                                          forms[e->t->normal_form]);
        if (n < 0)
            status = error_set(e->error, STATUS_NO_MEMORY, "out of memory while normalising text");
        else
            text = str_from((const char *)normal, (size_t)n);
    }
    if (!status && e->t->space_marks) {
        status = out_of_room(e, mark_spaces(e, text, &marked));
        text = buf_str(&marked);
    }
    if (!status)
        status = encode_pieces(e, text);
    e->at_start = false;
    buf_release(&marked);
    free(normal); /* utf8proc's own allocation */
    buf_clear(&e->run);
    return status;
}

/* The longest added token that begins at `at`; 0 when none does. */
static size_t match_literal(const struct tokenizer *t, struct str text, size_t at, uint32_t *id)
{
    size_t best = 0;
    uint32_t node = 0;
    for (size_t i = at; i < text.len; i++) {
        uint32_t child = t->literals[node].child;
        while (child && t->literals[child].byte != (unsigned char)text.at[i])
            child = t->literals[child].sibling;
        if (!child)
            break;
        node = child;
        if (t->literals[node].id != TOKENIZER_NO_ID) {
            best = i + 1 - at;
            *id = t->literals[node].id;
        }
    }
    return best;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static enum status emit_literal(struct encoding *e, uint32_t id)
{
    if (e->t->flags[id] & TOKENIZER_LSTRIP)
        while (e->run.len && is_space(e->run.at[e->run.len - 1]))
            e->run.at[--e->run.len] = 0;
    enum status status = encode_run(e);
    if (!status)
        status = out_of_room(e, token_list_add(e->list, id));
    e->swallow_space = e->t->flags[id] & TOKENIZER_RSTRIP;
    return status;
}

static enum status encode_span(struct encoding *e, const struct span *span)
{
    struct str s = span->text;
    size_t plain = 0, i = 0;
    bool first[256] = {false};
    if (span->kind == SPAN_SCAFFOLD)
        for (uint32_t c = e->t->literals[0].child; c; c = e->t->literals[c].sibling)
            first[e->t->literals[c].byte] = true;
    while (e->swallow_space && i < s.len && is_space(s.at[i]))
        plain = ++i;
    if (s.len > i)
        e->swallow_space = false;
    while (i < s.len) {
        uint32_t id;
        size_t n = first[(unsigned char)s.at[i]] ? match_literal(e->t, s, i, &id) : 0;
        if (!n) {
            i++;
            continue;
        }
        if (buf_add(&e->run, s.at + plain, i - plain) != STATUS_OK)
            return out_of_room(e, STATUS_NO_MEMORY);
        enum status status = emit_literal(e, id);
        if (status)
            return status;
        plain = i += n;
        while (e->swallow_space && i < s.len && is_space(s.at[i]))
            plain = ++i;
        if (s.len > i)
            e->swallow_space = false;
    }
    return buf_add(&e->run, s.at + plain, s.len - plain) ? out_of_room(e, STATUS_NO_MEMORY) : STATUS_OK;
}

enum status tokenizer_encode(const struct tokenizer *tokenizer, const struct span *spans, size_t n_spans, struct token_list *list,
                             const _Atomic bool *cancel, struct error *error)
{
    struct encoding e = {.t = tokenizer, .list = list, .cancel = cancel, .error = error, .at_start = true};
    enum status status = STATUS_OK;
    buf_init(&e.run, SIZE_MAX / 2);
    for (size_t i = 0; i < n_spans && !status; i++) {
        size_t good = utf8_valid_prefix(spans[i].text.at, spans[i].text.len);
        if (good != spans[i].text.len) {
            status = error_set(error, STATUS_INVALID, "the text is not valid UTF-8 at byte %zu", good);
            if (error)
                error->offset = (int64_t)good;
        } else {
            status = encode_span(&e, &spans[i]);
        }
    }
    if (!status)
        status = encode_run(&e);
    buf_release(&e.run);
    return status;
}

enum status tokenizer_encode_text(const struct tokenizer *tokenizer, struct str text, enum span_kind kind,
                                  struct token_list *list, struct error *error)
{
    return tokenizer_encode(tokenizer, &(struct span){text, kind}, 1, list, NULL, error);
}

/* ---- Looking up --------------------------------------------------------------------------------------------------------- */

uint32_t tokenizer_size(const struct tokenizer *t)
{
    return t->n_ids;
}

bool tokenizer_find(const struct tokenizer *t, const char *literal, uint32_t *id)
{
    uint64_t found;
    struct str s = str_of(literal);
    if (match_literal(t, s, 0, id) == s.len && s.len)
        return true;
    if (!table_find(&t->vocabulary, s, &found))
        return false;
    *id = (uint32_t)found;
    return true;
}

int64_t tokenizer_bos(const struct tokenizer *t)
{
    return t->bos;
}

int64_t tokenizer_eos(const struct tokenizer *t)
{
    return t->eos;
}

bool tokenizer_adds_bos(const struct tokenizer *t)
{
    return t->add_bos && t->bos >= 0;
}

bool tokenizer_adds_eos(const struct tokenizer *t)
{
    return t->add_eos && t->eos >= 0;
}

bool tokenizer_fim(const struct tokenizer *t, uint32_t *prefix, uint32_t *suffix, uint32_t *middle)
{
    *prefix = t->fim[0];
    *suffix = t->fim[1];
    *middle = t->fim[2];
    return t->has_fim;
}

struct str tokenizer_bytes(const struct tokenizer *t, uint32_t id)
{
    return id < t->n_ids ? t->entries[id] : str_from("", 0);
}

bool tokenizer_is_special(const struct tokenizer *t, uint32_t id)
{
    return id < t->n_ids && (t->flags[id] & TOKENIZER_SPECIAL);
}

bool tokenizer_is_control(const struct tokenizer *t, uint32_t id)
{
    return id < t->n_ids && (t->flags[id] & TOKENIZER_ADDED);
}

/* ---- Decoding ------------------------------------------------------------------------------------------------------------ */

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
        if (mark && !(d->at_start && i == 0 && t->add_space_prefix))
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

enum status tokenizer_decode(const struct tokenizer *tokenizer, const uint32_t *ids, size_t n, bool skip_special, struct buf *out)
{
    struct detokenizer d;
    enum status status = STATUS_OK;
    detokenizer_init(&d, tokenizer, skip_special);
    for (size_t i = 0; i < n && !status; i++)
        status = detokenizer_push(&d, ids[i], out);
    return status ? status : detokenizer_end(&d, out);
}
