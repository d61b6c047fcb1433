/* Vocabularies in GGUF metadata: byte-level ("gpt2") and SentencePiece style ("llama"). */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/gguf.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "text/tokenizer_parts.h"

enum { TYPE_UNKNOWN = 2, TYPE_CONTROL = 3, TYPE_USER = 4, TYPE_UNUSED = 5, TYPE_BYTE = 6 };

struct source {
    const struct gguf *gguf;
    struct tokenizer *t;
    struct error *error;
    struct str *texts;             /* [n_ids] as stored */
    const struct gguf_value *types, *scores;
    bool bytes;                    /* byte-level alphabet */
};

static enum status bad(struct source *s, const char *key, const char *what)
{
    return error_set_path(s->error, STATUS_INVALID, NULL, key, "%s: key %s: %s", s->gguf->file->path, key, what);
}

static bool is_number_array(const struct gguf_value *v, uint64_t n)
{
    return v->type == GGUF_ARRAY && v->element != GGUF_STRING && v->element != GGUF_BOOL && v->count == n;
}

/* "<0xAB>" exactly. */
static bool byte_of(struct str text, unsigned char *out)
{
    static const char hex[] = "0123456789ABCDEF";
    if (text.len != 6 || memcmp(text.at, "<0x", 3) != 0 || text.at[5] != '>')
        return false;
    const char *high = memchr(hex, text.at[3], 16), *low = memchr(hex, text.at[4], 16);
    if (!high || !low)
        return false;
    *out = (unsigned char)((high - hex) << 4 | (low - hex));
    return true;
}

static enum status set_entry(struct source *s, uint32_t id)
{
    struct str text = s->texts[id];
    int type = s->types ? (int)gguf_array_number(s->types, id) : 1;
    char bytes[TOKENIZER_ENTRY_BYTES_MAX];
    unsigned char byte;
    size_t len;
    if (text.len > TOKENIZER_ENTRY_BYTES_MAX)
        return bad(s, "tokenizer.ggml.tokens", "an entry is longer than 1,024 bytes");
    if (type == TYPE_CONTROL || type == TYPE_UNKNOWN)
        return tokenizer_set(s->t, id, text, TOKENIZER_ADDED | TOKENIZER_SPECIAL, s->error);
    if (type == TYPE_USER)
        return tokenizer_set(s->t, id, text, TOKENIZER_ADDED, s->error);
    if (type == TYPE_UNUSED)
        return STATUS_OK; /* a row without a token */
    if (type == TYPE_BYTE && !s->bytes && byte_of(text, &byte)) {
        s->t->byte_ids[byte] = id;
        bytes[0] = (char)byte;
        s->t->entries[id] = arena_str(&s->t->memory, str_from(bytes, 1));
        s->t->flags[id] = TOKENIZER_PRESENT;
        return s->t->entries[id].at ? STATUS_OK : error_set(s->error, STATUS_NO_MEMORY, "out of memory");
    }
    if (s->bytes && tokenizer_from_alphabet(text, bytes, &len))
        text = str_from(bytes, len);
    return tokenizer_set(s->t, id, text, 0, s->error);
}

static enum status read_entries(struct source *s)
{
    struct gguf_strings strings;
    enum status status = gguf_get_strings(s->gguf, "tokenizer.ggml.tokens", &strings, s->error);
    if (status)
        return status == STATUS_NOT_FOUND ? bad(s, "tokenizer.ggml.tokens", "it is absent") : status;
    if (strings.left == 0 || strings.left > TOKENIZER_IDS_MAX)
        return bad(s, "tokenizer.ggml.tokens", "expected 1 to 1,000,000 entries");
    uint32_t n = (uint32_t)strings.left;
    s->types = gguf_find(s->gguf, "tokenizer.ggml.token_type");
    if (s->types && !is_number_array(s->types, n))
        return bad(s, "tokenizer.ggml.token_type", "expected as many numbers as there are tokens");
    s->texts = mem_zalloc_array(n, sizeof *s->texts);
    status = s->texts ? tokenizer_create(&s->t, n, s->error) : error_set(s->error, STATUS_NO_MEMORY, "out of memory");
    if (status)
        return status;
    for (uint32_t id = 0; id < n && !status; id++) {
        gguf_strings_next(&strings, &s->texts[id]);
        status = set_entry(s, id);
    }
    return status;
}

static enum status find_symbol(struct source *s, struct str text, uint32_t *id)
{
    char bytes[TOKENIZER_ENTRY_BYTES_MAX];
    size_t len;
    uint64_t found;
    if (text.len <= TOKENIZER_ENTRY_BYTES_MAX && tokenizer_from_alphabet(text, bytes, &len))
        text = str_from(bytes, len);
    if (!table_find(&s->t->vocabulary, text, &found))
        return STATUS_NOT_FOUND;
    *id = (uint32_t)found;
    return STATUS_OK;
}

/* "left right": the space after the first character divides. A merge whose parts or result have no token is skipped. */
static enum status read_merges(struct source *s)
{
    struct gguf_strings strings;
    struct str text;
    uint32_t rank = 0;
    enum status status = gguf_get_strings(s->gguf, "tokenizer.ggml.merges", &strings, s->error);
    if (status)
        return status == STATUS_NOT_FOUND ? bad(s, "tokenizer.ggml.merges", "it is absent") : status;
    if (strings.left > 4 * TOKENIZER_IDS_MAX)
        return bad(s, "tokenizer.ggml.merges", "more than 4,000,000 merges");
    status = pair_table_reserve(&s->t->pairs, strings.left);
    for (; !status && gguf_strings_next(&strings, &text); rank++) {
        const char *space = text.len > 1 ? memchr(text.at + 1, ' ', text.len - 1) : NULL;
        if (!space)
            return bad(s, "tokenizer.ggml.merges", "a merge is not two symbols");
        struct str left = str_from(text.at, (size_t)(space - text.at)), right = str_skip(text, left.len + 1);
        char joined[2 * TOKENIZER_ENTRY_BYTES_MAX];
        uint32_t a, b, result;
        if (text.len > sizeof joined)
            return bad(s, "tokenizer.ggml.merges", "a merge is too long");
        memcpy(joined, left.at, left.len);
        memcpy(joined + left.len, right.at, right.len);
        if (find_symbol(s, left, &a) || find_symbol(s, right, &b) ||
            find_symbol(s, str_from(joined, left.len + right.len), &result))
            continue;
        status = pair_table_add(&s->t->pairs, a, b, rank, result);
    }
    return status ? error_set(s->error, status, "out of memory for merges") : STATUS_OK;
}

struct scored {
    float score;
    uint32_t id;
};

static int by_score(const void *a, const void *b)
{
    const struct scored *x = a, *y = b;
    return x->score > y->score ? -1 : x->score < y->score;
}

/* Every way to cut a token's text into two tokens is a pair that merges into it; better scores merge first. */
static enum status add_cuts(struct tokenizer *t, uint32_t id, uint32_t rank)
{
    struct str text = t->entries[id];
    for (size_t cut = 1; cut < text.len; cut++) {
        uint64_t left, right;
        if (((unsigned char)text.at[cut] & 0xC0) == 0x80)
            continue;
        if (table_find(&t->vocabulary, str_from(text.at, cut), &left) && table_find(&t->vocabulary, str_skip(text, cut), &right)) {
            enum status status = pair_table_add(&t->pairs, (uint32_t)left, (uint32_t)right, rank, id);
            if (status)
                return status;
        }
    }
    return STATUS_OK;
}

static enum status merges_from_scores(struct source *s)
{
    uint32_t n = s->t->n_ids, rank = 0, count = 0;
    s->scores = gguf_find(s->gguf, "tokenizer.ggml.scores");
    if (!s->scores || !is_number_array(s->scores, n))
        return bad(s, "tokenizer.ggml.scores", "expected as many numbers as there are tokens");
    struct scored *order = mem_zalloc_array(n, sizeof *order);
    if (!order)
        return error_set(s->error, STATUS_NO_MEMORY, "out of memory");
    for (uint32_t id = 0; id < n; id++)
        if ((s->t->flags[id] & (TOKENIZER_PRESENT | TOKENIZER_ADDED)) == TOKENIZER_PRESENT)
            order[count++] = (struct scored){(float)gguf_array_number(s->scores, id), id};
    qsort(order, count, sizeof *order, by_score);
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < count && !status; i++) {
        if (i && order[i].score < order[i - 1].score)
            rank++;
        status = add_cuts(s->t, order[i].id, rank);
    }
    mem_free(order);
    return status ? error_set(s->error, status, "out of memory for merges") : STATUS_OK;
}

static enum status get_id(struct source *s, const char *key, int64_t *out)
{
    uint64_t id;
    enum status status = gguf_get_u64(s->gguf, key, 0, s->t->n_ids - 1, &id, s->error);
    if (!status)
        *out = (int64_t)id;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status read_specials(struct source *s, bool bos_default)
{
    int64_t unknown = -1, fim[3] = {-1, -1, -1};
    struct tokenizer *t = s->t;
    enum status status = get_id(s, "tokenizer.ggml.bos_token_id", &t->bos);
    if (!status)
        status = get_id(s, "tokenizer.ggml.eos_token_id", &t->eos);
    if (!status)
        status = get_id(s, "tokenizer.ggml.unknown_token_id", &unknown);
    if (!status)
        status = get_id(s, "tokenizer.ggml.fim_pre_token_id", &fim[0]);
    if (!status)
        status = get_id(s, "tokenizer.ggml.fim_suf_token_id", &fim[1]);
    if (!status)
        status = get_id(s, "tokenizer.ggml.fim_mid_token_id", &fim[2]);
    if (status)
        return status;
    /* A byte-level vocabulary without some byte leaves it out: its "unknown" is often the end token. */
    t->unknown_id = unknown >= 0 && !s->bytes ? (uint32_t)unknown : TOKENIZER_NO_ID;
    t->has_fim = fim[0] >= 0 && fim[1] >= 0 && fim[2] >= 0;
    for (int i = 0; i < 3 && t->has_fim; i++)
        t->fim[i] = (uint32_t)fim[i];
    t->add_bos = bos_default;
    status = gguf_get_bool(s->gguf, "tokenizer.ggml.add_bos_token", &t->add_bos, s->error);
    if (!status || status == STATUS_NOT_FOUND)
        status = gguf_get_bool(s->gguf, "tokenizer.ggml.add_eos_token", &t->add_eos, s->error);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status read_bytes_model(struct source *s)
{
    struct str pre = str_of("default");
    enum status status = gguf_get_str(s->gguf, "tokenizer.ggml.pre", &pre, s->error);
    if (status && status != STATUS_NOT_FOUND)
        return status;
    s->t->symbols = SYMBOLS_BYTES;
    bool llama3 = str_is(pre, "llama-bpe") || str_is(pre, "llama3") || str_is(pre, "llama-v3");
    bool qwen = str_is(pre, "qwen2");
    s->t->ignore_merges = llama3;
    s->t->normal_form = qwen || str_is(pre, "deepseek-r1-qwen") ? NORMAL_FORM_NFC : NORMAL_FORM_NONE;
    status = pretokenize_create(&s->t->pretokenize, s->error);
    if (!status)
        status = pretokenize_add_named(s->t->pretokenize, pre, s->error);
    if (!status)
        status = read_merges(s);
    return status ? status : read_specials(s, llama3 || str_starts(pre, str_of("deepseek-llm")));
}

static enum status read_characters_model(struct source *s)
{
    s->t->symbols = SYMBOLS_CHARACTERS;
    s->t->space_marks = true;
    bool prefix = true;
    enum status status = gguf_get_bool(s->gguf, "tokenizer.ggml.add_space_prefix", &prefix, s->error);
    if (status && status != STATUS_NOT_FOUND)
        return status;
    s->t->space_prefix = prefix ? SPACE_PREFIX_EVERY_RUN : SPACE_PREFIX_NONE;
    status = merges_from_scores(s);
    return status ? status : read_specials(s, true);
}

enum status tokenizer_from_gguf(struct tokenizer **out, const struct gguf *gguf, struct error *error)
{
    struct source s = {.gguf = gguf, .error = error};
    struct str model;
    char quoted[ERROR_QUOTE_BYTES];
    enum status status = gguf_get_str(gguf, "tokenizer.ggml.model", &model, error);
    if (status)
        return status == STATUS_NOT_FOUND ? bad(&s, "tokenizer.ggml.model", "it is absent") : status;
    s.bytes = str_is(model, "gpt2");
    if (!s.bytes && !str_is(model, "llama"))
        return error_set_path(error, STATUS_UNSUPPORTED, NULL, "tokenizer.ggml.model",
                              "%s: key tokenizer.ggml.model: %s is not known; known are gpt2, llama", gguf->file->path,
                              error_quote(quoted, model.at, model.len));
    status = read_entries(&s);
    if (!status)
        status = s.bytes ? read_bytes_model(&s) : read_characters_model(&s);
    if (!status)
        status = tokenizer_finish(s.t, error);
    mem_free(s.texts);
    if (status) {
        tokenizer_free(s.t);
        return status;
    }
    *out = s.t;
    return STATUS_OK;
}
