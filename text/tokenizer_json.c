/* tokenizer.json as the Hugging Face library writes it: a pipeline of parts, each known by its type or refused by name. */
#include <jansson.h>
#include <stdio.h>

#include "base/mem.h"
#include "text/tokenizer_parts.h"

enum { FILE_BYTES_MAX = 256 << 20, MERGES_MAX = 4 * TOKENIZER_IDS_MAX, NESTING_MAX = 8 };

struct source {
    struct tokenizer *t;
    const char *name;
    struct error *error;
    bool bytes; /* a ByteLevel part: entries are in the printable alphabet */
    bool byte_fallback;
};

static enum status bad(struct source *s, const char *path, const char *what)
{
    return error_set_path(s->error, STATUS_INVALID, NULL, path, "%s: %s: %s", s->name, path, what);
}

static enum status unknown(struct source *s, const char *path, const json_t *type)
{
    char quoted[ERROR_QUOTE_BYTES];
    const char *text = json_is_string(type) ? json_string_value(type) : "(no type)";
    return error_set_path(s->error, STATUS_UNSUPPORTED, NULL, path, "%s: %s of type %s is not read", s->name, path,
                          error_quote(quoted, text, strlen(text)));
}

static bool type_is(const json_t *part, const char *type)
{
    const json_t *v = json_object_get(part, "type");
    return json_is_string(v) && strcmp(json_string_value(v), type) == 0;
}

static struct str text_of(const json_t *v)
{
    return str_from(json_string_value(v), json_string_length(v));
}

/* Calls each(part) for the part itself or, where it is a Sequence, for its members; lists nest at most a few deep. */
static enum status walk(struct source *s, const json_t *part, const char *members, const char *path, unsigned depth,
                        enum status (*each)(struct source *, const json_t *, const char *))
{
    if (!part || json_is_null(part))
        return STATUS_OK;
    if (!type_is(part, "Sequence"))
        return each(s, part, path);
    const json_t *list = json_object_get(part, members);
    if (!json_is_array(list) || depth == NESTING_MAX)
        return bad(s, path, "a Sequence without its list, or nested too deep");
    enum status status = STATUS_OK;
    for (size_t i = 0; i < json_array_size(list) && !status; i++)
        status = walk(s, json_array_get(list, i), members, path, depth + 1, each);
    return status;
}

/* ---- Normalizer, pre-tokenizer, decoder, post-processor -------------------------------------------------------------------- */

static enum status add_normalizer(struct source *s, const json_t *part, const char *path)
{
    static const struct {
        const char *type;
        enum tokenizer_normal_form form;
    } forms[] = {{"NFC", NORMAL_FORM_NFC}, {"NFD", NORMAL_FORM_NFD}, {"NFKC", NORMAL_FORM_NFKC}, {"NFKD", NORMAL_FORM_NFKD}};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (type_is(part, forms[i].type)) {
            s->t->normal_form = forms[i].form;
            return STATUS_OK;
        }
    if (type_is(part, "Prepend") && str_is(text_of(json_object_get(part, "prepend")), "\xE2\x96\x81")) {
        s->t->space_prefix = SPACE_PREFIX_EVERY_RUN;
        return STATUS_OK;
    }
    const json_t *pattern = json_object_get(json_object_get(part, "pattern"), "String");
    if (type_is(part, "Replace") && json_is_string(pattern) && str_is(text_of(pattern), " ") &&
        str_is(text_of(json_object_get(part, "content")), "\xE2\x96\x81")) {
        s->t->space_marks = true;
        return STATUS_OK;
    }
    return unknown(s, path, json_object_get(part, "type"));
}

/* A literal as a pattern: every character that means something is escaped. */
static enum status add_split(struct source *s, const json_t *part, const char *path)
{
    const json_t *pattern = json_object_get(part, "pattern"), *regex = json_object_get(pattern, "Regex");
    const json_t *literal = json_object_get(pattern, "String"), *behaviour = json_object_get(part, "behavior");
    bool isolated = json_is_string(behaviour) && strcmp(json_string_value(behaviour), "Isolated") == 0;
    if (!isolated || json_is_true(json_object_get(part, "invert")))
        return bad(s, path, "a Split that is not Isolated is not read");
    if (json_is_string(regex))
        return pretokenize_add(s->t->pretokenize, PRETOKENIZE_ISOLATE, text_of(regex), s->error);
    if (!json_is_string(literal))
        return bad(s, path, "a Split without a pattern");
    struct buf escaped;
    struct str text = text_of(literal);
    buf_init(&escaped, 64 * 1024);
    for (size_t i = 0; i < text.len; i++) {
        if (strchr("\\^$.[]|()?*+{}-#", text.at[i]) && text.at[i])
            buf_add_char(&escaped, '\\');
        buf_add_char(&escaped, text.at[i]);
    }
    enum status status = buf_status(&escaped) ? error_set(s->error, STATUS_LIMIT, "%s: a Split literal is too long", s->name)
                                              : pretokenize_add(s->t->pretokenize, PRETOKENIZE_ISOLATE, buf_str(&escaped), s->error);
    buf_release(&escaped);
    return status;
}

static enum status add_metaspace(struct source *s, const json_t *part, const char *path)
{
    const json_t *scheme = json_object_get(part, "prepend_scheme"), *mark = json_object_get(part, "replacement");
    struct str name = json_is_string(scheme) ? text_of(scheme) : str_of("always");
    if (json_is_string(mark) && !str_is(text_of(mark), "\xE2\x96\x81"))
        return bad(s, path, "a Metaspace whose replacement is not U+2581 is not read");
    s->t->space_marks = true;
    s->t->space_prefix = str_is(name, "first") ? SPACE_PREFIX_MISSING_FIRST : SPACE_PREFIX_MISSING;
    if (str_is(name, "never") || json_is_false(json_object_get(part, "add_prefix_space")))
        s->t->space_prefix = SPACE_PREFIX_NONE;
    if (json_is_false(json_object_get(part, "split")))
        return STATUS_OK;
    return pretokenize_add(s->t->pretokenize, PRETOKENIZE_ISOLATE, str_of("\xE2\x96\x81[^\xE2\x96\x81]*"), s->error);
}

static enum status add_pretokenizer(struct source *s, const json_t *part, const char *path)
{
    if (type_is(part, "Split"))
        return add_split(s, part, path);
    if (type_is(part, "Digits"))
        return pretokenize_add(s->t->pretokenize,
                               json_is_true(json_object_get(part, "individual_digits")) ? PRETOKENIZE_DIGITS : PRETOKENIZE_DIGIT_RUNS,
                               str_of(""), s->error);
    if (type_is(part, "ByteLevel")) {
        s->bytes = true;
        if (json_is_true(json_object_get(part, "add_prefix_space")))
            return bad(s, path, "ByteLevel with add_prefix_space is not read");
        return json_is_false(json_object_get(part, "use_regex"))
                   ? STATUS_OK
                   : pretokenize_add_named(s->t->pretokenize, str_of("gpt-2"), s->error);
    }
    if (type_is(part, "Metaspace"))
        return add_metaspace(s, part, path);
    return unknown(s, path, json_object_get(part, "type"));
}

static enum status check_decoder(struct source *s, const json_t *part, const char *path)
{
    static const char *const known[] = {"ByteLevel", "Replace", "ByteFallback", "Fuse", "Strip", "Metaspace"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (type_is(part, known[i]))
            return STATUS_OK; /* they undo what the encoder does, which the tables here already do */
    return unknown(s, path, json_object_get(part, "type"));
}

static enum status add_post_processor(struct source *s, const json_t *part, const char *path)
{
    if (type_is(part, "ByteLevel"))
        return STATUS_OK;
    if (!type_is(part, "TemplateProcessing"))
        return unknown(s, path, json_object_get(part, "type"));
    const json_t *single = json_object_get(part, "single");
    size_t n = json_array_size(single), text_at = n;
    for (size_t i = 0; i < n; i++)
        if (json_object_get(json_array_get(single, i), "Sequence"))
            text_at = i;
    for (size_t i = 0; i < n; i++) {
        const json_t *id = json_object_get(json_object_get(json_array_get(single, i), "SpecialToken"), "id");
        uint32_t token;
        if (!json_is_string(id) || !tokenizer_find(s->t, json_string_value(id), &token))
            continue;
        if (i < text_at) {
            s->t->bos = token;
            s->t->add_bos = true;
        } else {
            s->t->eos = token;
            s->t->add_eos = true;
        }
    }
    return STATUS_OK;
}

/* ---- Vocabulary, merges, added tokens ---------------------------------------------------------------------------------------- */

static enum status set_entry(struct source *s, struct str text, uint32_t id)
{
    char bytes[2 * TOKENIZER_ENTRY_BYTES_MAX];
    size_t len;
    static const char hex[] = "0123456789ABCDEF";
    if (text.len > TOKENIZER_ENTRY_BYTES_MAX)
        return bad(s, "model.vocab", "an entry is longer than 1,024 bytes");
    if (s->byte_fallback && text.len == 6 && memcmp(text.at, "<0x", 3) == 0 && text.at[5] == '>') {
        const char *high = memchr(hex, text.at[3], 16), *low = memchr(hex, text.at[4], 16);
        if (high && low) {
            unsigned byte = (unsigned)((high - hex) << 4 | (low - hex));
            s->t->byte_ids[byte] = id;
            bytes[0] = (char)byte;
            s->t->entries[id] = arena_str(&s->t->memory, str_from(bytes, 1));
            s->t->flags[id] = TOKENIZER_PRESENT;
            return s->t->entries[id].at ? STATUS_OK : error_set(s->error, STATUS_NO_MEMORY, "out of memory");
        }
    }
    if (s->bytes && tokenizer_from_alphabet(text, bytes, &len))
        text = str_from(bytes, len);
    return tokenizer_set(s->t, id, text, 0, s->error);
}

static enum status highest_id(struct source *s, const json_t *vocab, const json_t *added, uint32_t *out)
{
    json_int_t highest = -1;
    for (void *it = json_object_iter((json_t *)(uintptr_t)vocab); it; it = json_object_iter_next((json_t *)(uintptr_t)vocab, it)) {
        const json_t *id = json_object_iter_value(it);
        if (!json_is_integer(id) || json_integer_value(id) < 0 || json_integer_value(id) >= TOKENIZER_IDS_MAX)
            return bad(s, "model.vocab", "an id is not a whole number below 1,000,000");
        highest = json_integer_value(id) > highest ? json_integer_value(id) : highest;
    }
    for (size_t i = 0; i < json_array_size(added); i++) {
        const json_t *id = json_object_get(json_array_get(added, i), "id");
        if (!json_is_integer(id) || json_integer_value(id) < 0 || json_integer_value(id) >= TOKENIZER_IDS_MAX)
            return bad(s, "added_tokens", "an id is not a whole number below 1,000,000");
        highest = json_integer_value(id) > highest ? json_integer_value(id) : highest;
    }
    if (highest < 0)
        return bad(s, "model.vocab", "it is empty");
    *out = (uint32_t)(highest + 1);
    return STATUS_OK;
}

static enum status read_vocabulary(struct source *s, const json_t *vocab)
{
    enum status status = STATUS_OK;
    void *it = json_object_iter((json_t *)(uintptr_t)vocab);
    for (; it && !status; it = json_object_iter_next((json_t *)(uintptr_t)vocab, it)) {
        const char *key = json_object_iter_key(it);
        status = set_entry(s, str_from(key, json_object_iter_key_len(it)), (uint32_t)json_integer_value(json_object_iter_value(it)));
    }
    return status;
}

static enum status symbol_id(struct source *s, struct str text, const json_t *vocab, uint32_t *id)
{
    const json_t *v = json_object_getn(vocab, text.at, text.len);
    if (!json_is_integer(v))
        return bad(s, "model.merges", "a merge names a symbol that is not in the vocabulary");
    *id = (uint32_t)json_integer_value(v);
    return STATUS_OK;
}

static enum status read_merge(struct source *s, const json_t *merge, const json_t *vocab, uint32_t rank)
{
    struct str left, right;
    char joined[2 * TOKENIZER_ENTRY_BYTES_MAX];
    uint32_t a = 0, b = 0, result = 0;
    if (json_is_array(merge) && json_array_size(merge) == 2 && json_is_string(json_array_get(merge, 0)) &&
        json_is_string(json_array_get(merge, 1))) {
        left = text_of(json_array_get(merge, 0));
        right = text_of(json_array_get(merge, 1));
    } else if (json_is_string(merge)) {
        struct str text = text_of(merge);
        const char *space = text.len > 1 ? memchr(text.at + 1, ' ', text.len - 1) : NULL;
        if (!space)
            return bad(s, "model.merges", "a merge is not two symbols");
        left = str_from(text.at, (size_t)(space - text.at));
        right = str_skip(text, left.len + 1);
    } else {
        return bad(s, "model.merges", "a merge is neither a string nor a pair");
    }
    if (left.len > TOKENIZER_ENTRY_BYTES_MAX || right.len > TOKENIZER_ENTRY_BYTES_MAX)
        return bad(s, "model.merges", "a merge is too long");
    memcpy(joined, left.at, left.len);
    memcpy(joined + left.len, right.at, right.len);
    enum status status = symbol_id(s, left, vocab, &a);
    if (!status)
        status = symbol_id(s, right, vocab, &b);
    if (!status)
        status = symbol_id(s, str_from(joined, left.len + right.len), vocab, &result);
    if (status || s->t->flags[result] & TOKENIZER_ADDED) /* an added token comes from its literal alone */
        return status;
    return pair_table_add(&s->t->pairs, a, b, rank, result);
}

static enum status read_merges(struct source *s, const json_t *merges, const json_t *vocab)
{
    size_t n = json_array_size(merges);
    if (!json_is_array(merges) || n > MERGES_MAX)
        return bad(s, "model.merges", "expected a list of at most 4,000,000 merges");
    enum status status = pair_table_reserve(&s->t->pairs, n);
    for (size_t i = 0; i < n && !status; i++)
        status = read_merge(s, json_array_get(merges, i), vocab, (uint32_t)i);
    return status == STATUS_NO_MEMORY ? error_set(s->error, status, "%s: out of memory for merges", s->name) : status;
}

static enum status read_added(struct source *s, const json_t *added)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < json_array_size(added) && !status; i++) {
        const json_t *a = json_array_get(added, i), *content = json_object_get(a, "content");
        if (!json_is_string(content))
            return bad(s, "added_tokens", "an entry has no content");
        if (json_is_true(json_object_get(a, "single_word")))
            return bad(s, "added_tokens", "single_word is not read");
        unsigned flags = TOKENIZER_ADDED | (json_is_true(json_object_get(a, "special")) ? TOKENIZER_SPECIAL : 0u) |
                         (json_is_true(json_object_get(a, "lstrip")) ? TOKENIZER_LSTRIP : 0u) |
                         (json_is_true(json_object_get(a, "rstrip")) ? TOKENIZER_RSTRIP : 0u);
        status = tokenizer_set(s->t, (uint32_t)json_integer_value(json_object_get(a, "id")), text_of(content), flags, s->error);
    }
    return status;
}

/* The special tokens' names: a string or an object with content. */
static void set_special(struct source *s, const json_t *config, const char *key, int64_t *id)
{
    const json_t *v = json_object_get(config, key);
    uint32_t found;
    if (json_is_object(v))
        v = json_object_get(v, "content");
    if (json_is_string(v) && tokenizer_find(s->t, json_string_value(v), &found))
        *id = found;
}

static void read_config(struct source *s, const json_t *config)
{
    const json_t *add_bos = json_object_get(config, "add_bos_token"), *add_eos = json_object_get(config, "add_eos_token");
    set_special(s, config, "bos_token", &s->t->bos);
    set_special(s, config, "eos_token", &s->t->eos);
    if (json_is_boolean(add_bos))
        s->t->add_bos = json_is_true(add_bos);
    if (json_is_boolean(add_eos))
        s->t->add_eos = json_is_true(add_eos);
}

/* Settings of the BPE model that would change the ids and are not read. */
static enum status check_model(struct source *s, const json_t *model)
{
    static const char *const affixes[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    for (size_t i = 0; i < sizeof affixes / sizeof affixes[0]; i++)
        if (json_string_length(json_object_get(model, affixes[i])))
            return bad(s, "model", "subword prefixes and word suffixes are not read");
    return STATUS_OK;
}

static enum status read_all(struct source *s, const json_t *root, const json_t *config)
{
    const json_t *model = json_object_get(root, "model"), *vocab = json_object_get(model, "vocab");
    const json_t *added = json_object_get(root, "added_tokens");
    uint32_t n_ids = 0;
    uint64_t id;
    if (!json_is_object(model) || !(type_is(model, "BPE") || (!json_object_get(model, "type") && json_object_get(model, "merges"))))
        return unknown(s, "model", json_object_get(model, "type"));
    if (!json_is_object(vocab))
        return bad(s, "model.vocab", "expected an object");
    enum status status = highest_id(s, vocab, added, &n_ids);
    if (!status)
        status = tokenizer_create(&s->t, n_ids, s->error);
    if (!status)
        status = pretokenize_create(&s->t->pretokenize, s->error);
    if (!status)
        status = walk(s, json_object_get(root, "normalizer"), "normalizers", "normalizer", 0, add_normalizer);
    if (!status)
        status = walk(s, json_object_get(root, "pre_tokenizer"), "pretokenizers", "pre_tokenizer", 0, add_pretokenizer);
    if (!status)
        status = walk(s, json_object_get(root, "decoder"), "decoders", "decoder", 0, check_decoder);
    if (status)
        return status;
    status = check_model(s, model);
    if (status)
        return status;
    s->byte_fallback = json_is_true(json_object_get(model, "byte_fallback"));
    s->t->fuse_unknown = json_is_true(json_object_get(model, "fuse_unk"));
    s->t->symbols = s->bytes ? SYMBOLS_BYTES : SYMBOLS_CHARACTERS;
    s->t->ignore_merges = json_is_true(json_object_get(model, "ignore_merges"));
    status = read_vocabulary(s, vocab);
    if (!status)
        status = read_added(s, added);
    if (!status)
        status = read_merges(s, json_object_get(model, "merges"), vocab);
    if (!status)
        status = tokenizer_finish(s->t, s->error);
    if (status)
        return status;
    const json_t *unk = json_object_get(model, "unk_token");
    if (json_is_string(unk) && table_find(&s->t->vocabulary, text_of(unk), &id))
        s->t->unknown_id = (uint32_t)id;
    status = walk(s, json_object_get(root, "post_processor"), "processors", "post_processor", 0, add_post_processor);
    if (!status)
        read_config(s, config);
    return status;
}

enum status tokenizer_from_json(struct tokenizer **out, struct str tokenizer_json, struct str tokenizer_config, const char *name,
                                struct error *error)
{
    struct source s = {.name = name, .error = error};
    json_error_t why;
    if (tokenizer_json.len > FILE_BYTES_MAX)
        return error_set(error, STATUS_LIMIT, "%s: larger than 256 MiB", name);
    json_t *root = json_loadb(tokenizer_json.at, tokenizer_json.len, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(root)) {
        json_decref(root);
        return error_set(error, STATUS_INVALID, "%s: not a JSON object (line %d)", name, why.line);
    }
    json_t *config = NULL;
    if (tokenizer_config.len) {
        /* model_max_length is often 10^30. */
        config = json_loadb(tokenizer_config.at, tokenizer_config.len, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &why);
        if (!json_is_object(config)) {
            json_decref(root);
            json_decref(config);
            return error_set(error, STATUS_INVALID, "the tokenizer_config of %s: not a JSON object (line %d)", name, why.line);
        }
    }
    enum status status = read_all(&s, root, config);
    json_decref(root);
    json_decref(config);
    if (status) {
        tokenizer_free(s.t);
        return status;
    }
    *out = s.t;
    return STATUS_OK;
}
