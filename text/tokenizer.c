/* The tokenizer's public face: encoding spans, decoding, and looking tokens up. */
#include "text/tokenizer.h"

#include <string.h>
#include <utf8proc.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "text/tokenizer_parts.h"

enum { CANCEL_EVERY_BYTES = 64 * 1024, MEMORY_MAX = 1 << 30 };

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
    piece_table_release(&t->pieces);
    mem_free(t->byte_pairs);
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

static int64_t find_first(const struct tokenizer *t, const char *const *literals, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t id;
        if (tokenizer_find(t, literals[i], &id) && tokenizer_is_control(t, id))
            return id;
    }
    return -1;
}

/* The begin and end tokens of the families we know, where the file does not name them. */
static void find_ends(struct tokenizer *t)
{
    static const char *const begins[] = {"<\357\275\234begin\342\226\201of\342\226\201sentence\357\275\234>", "<|begin_of_text|>", "<s>"};
    static const char *const ends[] = {"<\357\275\234end\342\226\201of\342\226\201sentence\357\275\234>", "<|end_of_text|>", "</s>",
                                       "<|endoftext|>"};
    if (t->bos < 0)
        t->bos = find_first(t, begins, sizeof begins / sizeof begins[0]);
    if (t->eos < 0)
        t->eos = find_first(t, ends, sizeof ends / sizeof ends[0]);
}

static enum status fill_byte_pairs(struct tokenizer *t)
{
    t->byte_pairs = mem_zalloc_array(256 * 256, sizeof *t->byte_pairs);
    if (!t->byte_pairs)
        return STATUS_NO_MEMORY;
    for (unsigned i = 0; i < 256 * 256; i++)
        if (!pair_table_find(&t->pairs, t->byte_ids[i >> 8], t->byte_ids[i & 255], &t->byte_pairs[i]))
            t->byte_pairs[i] = UINT64_MAX;
    return STATUS_OK;
}

/* Most pieces of ordinary text are tokens as they stand: finds out once which. An added token is never one, so that only a
 * literal in scaffold gives its id. */
static enum status mark_whole_pieces(struct tokenizer *t)
{
    struct token_list list;
    token_list_init(&list, TOKENIZER_ENTRY_BYTES_MAX);
    enum status status = piece_table_create(&t->pieces, t->vocabulary.n_entries);
    for (uint32_t i = 0; i < t->vocabulary.n_entries && !status; i++) {
        uint32_t id = (uint32_t)t->vocabulary.entries[i].value;
        if (t->flags[id] & TOKENIZER_ADDED)
            continue;
        list.n = 0;
        if (!t->ignore_merges)
            status = tokenizer_merge(t, t->entries[id], &list);
        if (!t->ignore_merges && (list.n != 1 || list.ids[0] != id))
            continue;
        t->flags[id] |= TOKENIZER_WHOLE;
        if (t->entries[id].len && t->entries[id].len <= PIECE_TABLE_BYTES)
            piece_table_add(&t->pieces, t->entries[id], id);
    }
    token_list_release(&list);
    return status;
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
    find_ends(t);
    enum status status = t->symbols == SYMBOLS_BYTES ? fill_byte_pairs(t) : STATUS_OK;
    if (!status)
        status = mark_whole_pieces(t);
    return status ? error_set(error, status, "out of memory for the vocabulary") : STATUS_OK;
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
    struct buf run;                 /* text since the last matched token */
    struct piece_cache_slot *cache; /* owned; null for short texts */
    size_t since_check;
    struct error *error;
    bool swallow_space; /* the last token strips what follows */
    size_t n_before;    /* tokens in the list at the start */
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
    if (!e->cache && text.len >= PIECE_CACHE_FROM_BYTES)
        e->cache = mem_zalloc_array(PIECE_CACHE_SLOTS, sizeof *e->cache); /* without one the ids are the same */
    if (e->t->pretokenize)
        status = pretokenize_run(e->t->pretokenize, text, &pieces, &n, e->error);
    for (size_t i = 0; i < n && !status; i++) {
        struct piece p = pieces ? pieces[i] : whole;
        status = out_of_room(e, tokenizer_merge_cached(e->t, str_from(text.at + p.start, p.len), e->cache, e->list));
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

static bool gets_space_prefix(const struct encoding *e, struct str text)
{
    bool has_space = text.at[0] == ' ' || str_starts(text, str_of("\xE2\x96\x81"));
    switch (e->t->space_prefix) {
    case SPACE_PREFIX_EVERY_RUN:
        return true;
    case SPACE_PREFIX_MISSING:
        return !has_space;
    case SPACE_PREFIX_MISSING_FIRST:
        return !has_space && e->list->n == e->n_before;
    default:
        return false;
    }
}

/* Spaces as U+2581, perhaps with one in front. */
static enum status mark_spaces(struct encoding *e, struct str text, struct buf *out)
{
    if (gets_space_prefix(e, text))
        buf_add(out, "\xE2\x96\x81", 3);
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] == ' ')
            buf_add(out, "\xE2\x96\x81", 3);
        else
            buf_add_char(out, text.at[i]);
    return buf_status(out);
}

/* *text in the tokenizer's normal form, in fresh memory *owned where that may differ. */
static enum status normalise(struct encoding *e, struct str *text, utf8proc_int32_t **owned)
{
    static const utf8proc_option_t forms[] = {
        [NORMAL_FORM_NFC] = UTF8PROC_STABLE | UTF8PROC_COMPOSE,
        [NORMAL_FORM_NFD] = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE,
        [NORMAL_FORM_NFKC] = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT,
        [NORMAL_FORM_NFKD] = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT,
    };
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text->at;
    utf8proc_option_t form = forms[e->t->normal_form];
    if (e->t->normal_form == NORMAL_FORM_NONE || str_is_ascii(*text))
        return STATUS_OK;
    utf8proc_ssize_t n = utf8proc_decompose(at, (utf8proc_ssize_t)text->len, NULL, 0, form);
    *owned = n < 0 ? NULL : mem_zalloc_array((size_t)n + 1, sizeof **owned); /* reencoding adds a terminator */
    if (!*owned)
        return error_set(e->error, STATUS_NO_MEMORY, "out of memory while normalising text");
    n = utf8proc_decompose(at, (utf8proc_ssize_t)text->len, *owned, n, form);
    if (n >= 0)
        n = utf8proc_reencode(*owned, n, form);
    if (n < 0)
        return error_set(e->error, STATUS_INVALID, "the text has no normal form (code %d)", (int)n);
    *text = str_from((const char *)*owned, (size_t)n);
    return STATUS_OK;
}

static enum status encode_run(struct encoding *e)
{
    struct str text = buf_str(&e->run);
    utf8proc_int32_t *normal = NULL;
    struct buf marked;
    if (!text.len)
        return STATUS_OK;
    buf_init(&marked, SIZE_MAX / 2);
    enum status status = normalise(e, &text, &normal);
    if (!status && e->t->space_marks) {
        status = out_of_room(e, mark_spaces(e, text, &marked));
        text = buf_str(&marked);
    }
    if (!status)
        status = encode_pieces(e, text);
    buf_release(&marked);
    mem_free(normal);
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

/* Unicode White_Space. */
static bool is_space(uint32_t c)
{
    return (c >= '\t' && c <= '\r') || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
           c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/* Bytes of white space that begin valid text. */
static size_t leading_space(struct str text)
{
    uint32_t c;
    size_t at = 0, n;
    while ((n = utf8_decode(text.at + at, text.len - at, &c)) && is_space(c))
        at += n;
    return at;
}

static void drop_trailing_space(struct buf *run)
{
    while (run->len) {
        size_t at = run->len - 1;
        uint32_t c;
        while (at > 0 && (run->at[at] & 0xC0) == 0x80)
            at--;
        if (!utf8_decode(run->at + at, run->len - at, &c) || !is_space(c))
            break;
        run->at[run->len = at] = 0;
    }
}

static enum status emit_literal(struct encoding *e, uint32_t id)
{
    if (e->t->flags[id] & TOKENIZER_LSTRIP)
        drop_trailing_space(&e->run);
    enum status status = encode_run(e);
    if (!status)
        status = out_of_room(e, token_list_add(e->list, id));
    e->swallow_space = e->t->flags[id] & TOKENIZER_RSTRIP;
    return status;
}

/* Skips white space after a token that strips it, on into the next span if need be. */
static void swallow(struct encoding *e, struct str text, size_t *at)
{
    if (e->swallow_space)
        *at += leading_space(str_skip(text, *at));
    if (*at < text.len)
        e->swallow_space = false;
}

static enum status encode_span(struct encoding *e, const struct span *span)
{
    struct str s = span->text;
    size_t plain, i = 0;
    bool first[256] = {false};
    if (span->kind == SPAN_SCAFFOLD)
        for (uint32_t c = e->t->literals[0].child; c; c = e->t->literals[c].sibling)
            first[e->t->literals[c].byte] = true;
    swallow(e, s, &i);
    plain = i;
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
        i += n;
        swallow(e, s, &i);
        plain = i;
    }
    return buf_add(&e->run, s.at + plain, s.len - plain) ? out_of_room(e, STATUS_NO_MEMORY) : STATUS_OK;
}

enum status tokenizer_encode(const struct tokenizer *tokenizer, const struct span *spans, size_t n_spans, struct token_list *list,
                             const _Atomic bool *cancel, struct error *error)
{
    struct encoding e = {.t = tokenizer, .list = list, .cancel = cancel, .error = error, .n_before = list->n};
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
    mem_free(e.cache);
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

const char *tokenizer_kind(const struct tokenizer *t)
{
    return t->symbols == SYMBOLS_BYTES ? "byte-level BPE" : "SentencePiece-style BPE with byte fallback";
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

enum status tokenizer_decode(const struct tokenizer *tokenizer, const uint32_t *ids, size_t n, bool skip_special, struct buf *out)
{
    struct detokenizer d;
    enum status status = STATUS_OK;
    detokenizer_init(&d, tokenizer, skip_special);
    for (size_t i = 0; i < n && !status; i++)
        status = detokenizer_push(&d, ids[i], out);
    return status ? status : detokenizer_end(&d, out);
}
