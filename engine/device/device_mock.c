/* The mock device: entries of hash, token and position in pages of the size real caches have. */
#include "engine/device/device_mock.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

enum {
    VOCABULARY = 131072, /* at least as large as any tokenizer that the front may load */
    CONTEXT = 32768,
    PAGES = 2048,
    VOCABULARY_MAX = 1 << 20,
    PAGES_MAX = 1 << 20,
    EXIT_CODE = 9,
    BUG_EVERY = 61, /* rows between two appearances of a planted bug */
};

/* So far above the rest of a row that filters and penalties leave nothing else to draw. */
#define FORCED_LOGIT 60.0f

struct entry {
    uint64_t hash;
    uint64_t partition; /* of the sequence that wrote it; 0: nothing stands here */
    uint32_t token, position;
};

struct device_mock {
    struct device device;
    struct device_mock_options o;
    struct entry *entries;      /* [n_pages, KV_PAGE_TOKENS] */
    uint64_t *writers;          /* [n_pages]: step * 2^20 + sequence of the last write */
    const struct device_sequence *sequences;
    float *hidden;              /* [n_logit_rows_max, DEVICE_MOCK_HIDDEN] */
    struct device_mock_count count;
    uint64_t n_breaks;
    enum device_mock_bug bug;
};

/* ---- The truth ------------------------------------------------------------------------------------------------------- */

/* The finaliser of splitmix64 (Steele et al. 2014). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

uint64_t device_mock_begin(uint64_t partition)
{
    return mix(partition + 0x9e3779b97f4a7c15u);
}

uint64_t device_mock_extend(uint64_t hash, uint32_t token, uint32_t position)
{
    return mix(hash ^ mix(((uint64_t)position << 32 | token) + 0x9e3779b97f4a7c15u));
}

void device_mock_row(uint64_t hash, float *row, uint32_t vocabulary)
{
    for (uint32_t i = 0; i < vocabulary; i++)
        row[i] = (float)(mix(hash + i) >> 40) * (16.0f / 16777216.0f) - 8.0f;
}

/* ---- Script ------------------------------------------------------------------------------------------------------------ */

struct key {
    const char *name;
    uint32_t *value;
    uint32_t min, max;
};

static bool read_number(const char **at, uint64_t max, uint64_t *out)
{
    char *end;
    if (**at < '0' || **at > '9')
        return false;
    *out = strtoull(*at, &end, 10);
    *at = end;
    return *out <= max;
}

static bool read_tokens(const char *at, struct device_mock_script *s)
{
    s->n_tokens = 0;
    for (uint64_t id; s->n_tokens < DEVICE_MOCK_TOKENS_MAX && read_number(&at, VOCABULARY_MAX, &id); at++) {
        s->tokens[s->n_tokens++] = (uint32_t)id;
        if (*at != ',')
            return *at == 0;
    }
    return false;
}

static bool read_mode(const char *text, enum device_mock_mode *mode)
{
    static const char *const names[] = {"hash", "list", "echo"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(text, names[i]) == 0) {
            *mode = (enum device_mock_mode)i;
            return true;
        }
    return false;
}

/* fault_after, nan_token and so on. */
static bool read_action(struct device_mock_script *s, const char *key, const char *text)
{
    static const char *const names[] = {"fault", "hang", "exit", "nan"};
    uint64_t number;
    for (unsigned i = 0; i < DEVICE_MOCK_ACTIONS; i++) {
        size_t n = strlen(names[i]);
        if (strncmp(key, names[i], n) != 0 || !read_number(&text, VOCABULARY_MAX, &number) || *text)
            continue;
        if (strcmp(key + n, "_after") == 0)
            s->after[i] = number;
        else if (strcmp(key + n, "_token") == 0)
            s->token[i] = (int64_t)number;
        else
            continue;
        return true;
    }
    return false;
}

static bool read_setting(struct device_mock_script *s, const char *key, const char *text)
{
    struct key keys[] = {
        {"vocabulary", &s->vocabulary, 2, VOCABULARY_MAX}, {"context", &s->context, 1, 1 << 24}, {"pages", &s->pages, 1, PAGES_MAX},
        {"load_ms", &s->load_ms, 0, 600000}, {"step_us", &s->step_us, 0, 60000000}, {"row_us", &s->row_us, 0, 60000000},
    };
    uint64_t number;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (strcmp(key, keys[i].name) != 0)
            continue;
        if (!read_number(&text, keys[i].max, &number) || *text || number < keys[i].min)
            return false;
        *keys[i].value = (uint32_t)number;
        return true;
    }
    if (strcmp(key, "tokens") == 0) {
        s->mode = DEVICE_MOCK_LIST;
        return read_tokens(text, s);
    }
    if (strcmp(key, "stop") == 0) {
        bool ok = read_number(&text, VOCABULARY_MAX, &number) && !*text;
        s->stop = ok ? (int64_t)number : -1;
        return ok;
    }
    return strcmp(key, "mode") == 0 ? read_mode(text, &s->mode) : read_action(s, key, text);
}

enum status device_mock_parse(struct device_mock_script *out, const char *text, struct error *error)
{
    char copy[4096], *next = copy;
    *out = (struct device_mock_script){.vocabulary = VOCABULARY, .context = CONTEXT, .pages = PAGES, .stop = -1};
    for (unsigned i = 0; i < DEVICE_MOCK_ACTIONS; i++)
        out->token[i] = -1;
    if (strlen(text) >= sizeof copy)
        return error_set_path(error, STATUS_LIMIT, NULL, "mock_script", "mock_script: longer than %zu bytes", sizeof copy - 1);
    memcpy(copy, text, strlen(text) + 1);
    for (char *item; (item = strtok_r(next, ";", &next));) {
        char *value = strchr(item, '=');
        if (value)
            *value++ = 0;
        if (!value || !read_setting(out, item, value))
            return error_set_path(error, STATUS_INVALID, NULL, "mock_script", "mock_script: %.40s: an unknown key or a bad value", item);
    }
    if (out->mode == DEVICE_MOCK_LIST && !out->n_tokens)
        return error_set_path(error, STATUS_INVALID, NULL, "mock_script", "mock_script: mode list needs tokens=");
    return STATUS_OK;
}

/* ---- A step -------------------------------------------------------------------------------------------------------------- */

static void note_break(struct device_mock *d)
{
    d->n_breaks++;
    check(d->o.count_breaks);
}

static struct entry *entry_at(const struct device_mock *d, const struct attention_seq *q, uint32_t position)
{
    uint32_t page = q->pages[position / KV_PAGE_TOKENS];
    check(page < d->device.n_pages);
    return &d->entries[(size_t)page * KV_PAGE_TOKENS + position % KV_PAGE_TOKENS];
}

/* Follows the chain over all positions before the step's own; the value that the next position builds on. */
static uint64_t read_chain(struct device_mock *d, const struct attention_seq *q, uint64_t partition)
{
    uint64_t hash = device_mock_begin(partition);
    bool misread = d->bug == DEVICE_MOCK_READS_NEXT_PAGE && d->count.n_rows % BUG_EVERY == 0;
    for (uint32_t p = 0; p < q->position; p++) {
        const struct entry *e = entry_at(d, q, misread && p + 1 == q->position && p >= KV_PAGE_TOKENS ? p - KV_PAGE_TOKENS : p);
        if (e->position != p || e->hash != device_mock_extend(hash, e->token, p))
            note_break(d);
        hash = e->hash;
    }
    return hash;
}

static void note_writer(struct device_mock *d, uint32_t page, uint32_t sequence)
{
    uint64_t mine = d->count.n_steps << 20 | sequence;
    if (d->writers[page] >> 20 == d->count.n_steps && d->writers[page] != mine)
        note_break(d);
    d->writers[page] = mine;
}

/* A page that is begun holds nothing of another partition. */
static void note_foreign(struct device_mock *d, const struct entry *page, uint64_t partition)
{
    for (uint32_t i = 0; i < KV_PAGE_TOKENS; i++)
        if (page[i].partition && page[i].partition != partition) {
            note_break(d);
            return;
        }
}

static void write_rows(struct device_mock *d, const struct model_batch *batch, uint32_t sequence)
{
    const struct attention_seq *q = &batch->seqs[sequence];
    uint64_t partition = d->sequences[sequence].partition, hash = read_chain(d, q, partition);
    for (uint32_t r = 0; r < q->n_rows; r++) {
        uint32_t position = q->position + r, token = batch->token_ids[q->first_row + r];
        check(batch->positions[q->first_row + r] == position && token < d->device.vocabulary);
        hash = device_mock_extend(hash, token, position);
        if (d->bug == DEVICE_MOCK_DEPENDS_ON_BATCH && batch->n_rows % 7 == 3)
            hash++;
        note_writer(d, q->pages[position / KV_PAGE_TOKENS], sequence);
        if (position % KV_PAGE_TOKENS == 0)
            note_foreign(d, entry_at(d, q, position), partition);
        if (d->bug == DEVICE_MOCK_SKIPS_A_WRITE && d->count.n_rows % BUG_EVERY == r)
            continue;
        *entry_at(d, q, position) = (struct entry){hash, partition, token, position};
    }
}

/* The token that a script wants at this place, or -1. */
static int64_t forced(const struct device_mock *d, const struct attention_seq *q, uint32_t position, uint32_t n_prompt)
{
    const struct device_mock_script *s = &d->o.script;
    if (s->mode == DEVICE_MOCK_HASH || position + 1 < n_prompt)
        return -1;
    uint32_t index = position + 1 - n_prompt, n = s->mode == DEVICE_MOCK_LIST ? s->n_tokens : n_prompt;
    if (s->stop >= 0 && index >= n)
        return s->stop;
    return s->mode == DEVICE_MOCK_LIST ? s->tokens[index % n] : entry_at(d, q, index % n)->token;
}

static void fill_row(struct device_mock *d, const struct model_batch *batch, uint32_t sequence, uint32_t row, float *logits)
{
    const struct attention_seq *q = &batch->seqs[sequence];
    const struct device_mock_script *s = &d->o.script;
    uint32_t position = q->position + row - q->first_row, n = d->device.vocabulary;
    int64_t token = forced(d, q, position, d->sequences[sequence].n_prompt);
    if (token < 0)
        device_mock_row(entry_at(d, q, position)->hash, logits, n);
    else {
        memset(logits, 0, n * sizeof *logits);
        logits[(uint64_t)token % n] = FORCED_LOGIT;
    }
    if ((s->after[DEVICE_MOCK_NAN] == d->count.n_steps && row == batch->logit_rows[0]) ||
        s->token[DEVICE_MOCK_NAN] == (int64_t)batch->token_ids[row])
        logits[n / 2] = __builtin_nanf("");
}

/* A hidden state is of what stands up to its row, as the logits are. */
static void fill_hidden(struct device_mock *d, const struct model_batch *batch, uint32_t sequence, uint32_t next)
{
    const struct attention_seq *q = &batch->seqs[sequence];
    uint64_t hash = entry_at(d, q, q->position + batch->logit_rows[next] - q->first_row)->hash;
    for (unsigned i = 0; i < DEVICE_MOCK_HIDDEN; i++)
        d->hidden[(size_t)next * DEVICE_MOCK_HIDDEN + i] = (float)((double)mix(hash + i) / 0x1p63 - 1);
}

static const float *hidden_rows(void *self)
{
    struct device_mock *d = self;
    return d->hidden;
}

static bool acts(const struct device_mock *d, const struct model_batch *batch, enum device_mock_action action)
{
    const struct device_mock_script *s = &d->o.script;
    bool found = s->after[action] == d->count.n_steps;
    for (uint32_t i = 0; !found && s->token[action] >= 0 && i < batch->n_rows; i++)
        found = batch->token_ids[i] == (uint32_t)s->token[action];
    return found;
}

static void forward(void *self, const struct model_batch *batch, float *logits)
{
    struct device_mock *d = self;
    uint32_t next = 0;
    d->count.n_steps++;
    check(batch->n_rows <= d->device.n_rows_max && batch->n_logit_rows <= d->device.n_logit_rows_max && d->sequences);
    if (acts(d, batch, DEVICE_MOCK_EXIT))
        _exit(EXIT_CODE);
    while (acts(d, batch, DEVICE_MOCK_HANG))
        pause();
    check(!acts(d, batch, DEVICE_MOCK_FAULT));
    if (d->o.wait && (d->o.script.step_us || d->o.script.row_us))
        d->o.wait(d->o.wait_arg, 1000ull * d->o.script.step_us + 1000ull * d->o.script.row_us * batch->n_rows);
    for (uint32_t i = 0; i < batch->n_seqs; i++) {
        uint32_t end = batch->seqs[i].first_row + batch->seqs[i].n_rows;
        write_rows(d, batch, i);
        d->count.n_rows += batch->seqs[i].n_rows;
        for (; next < batch->n_logit_rows && batch->logit_rows[next] < end; next++) {
            fill_row(d, batch, i, batch->logit_rows[next], logits + (size_t)next * d->device.vocabulary);
            fill_hidden(d, batch, i, next);
        }
    }
    check(next == batch->n_logit_rows);
    d->sequences = NULL;
}

static void copy_page(void *self, uint32_t from, uint32_t to)
{
    struct device_mock *d = self;
    check(from < d->device.n_pages && to < d->device.n_pages && from != to);
    d->count.n_copies++;
    if (d->bug != DEVICE_MOCK_IGNORES_PAGE_COPIES)
        memcpy(d->entries + (size_t)to * KV_PAGE_TOKENS, d->entries + (size_t)from * KV_PAGE_TOKENS, KV_PAGE_TOKENS * sizeof *d->entries);
}

static void clear_page(void *self, uint32_t page)
{
    struct device_mock *d = self;
    check(page < d->device.n_pages);
    d->count.n_clears++;
    if (d->bug != DEVICE_MOCK_IGNORES_CLEARS)
        memset(d->entries + (size_t)page * KV_PAGE_TOKENS, 0, KV_PAGE_TOKENS * sizeof *d->entries);
}

static void describe(void *self, const struct device_sequence *sequences)
{
    struct device_mock *d = self;
    d->sequences = sequences;
}

/* ---- Life ------------------------------------------------------------------------------------------------------------------ */

enum status device_mock_open(struct device_mock **out, const struct device_mock_options *options, struct error *error)
{
    struct device_mock *d = mem_zalloc(sizeof *d);
    if (!d)
        return error_set(error, STATUS_NO_MEMORY, "out of memory for the mock device");
    const struct device_mock_script *s = &options->script;
    d->o = *options;
    d->device = (struct device){.self = d, .vocabulary = s->vocabulary, .n_pages = s->pages, .n_rows_max = options->n_rows_max,
                                .n_logit_rows_max = options->n_logit_rows_max, .context = s->context, .hidden = DEVICE_MOCK_HIDDEN,
                                .forward = forward, .hidden_rows = hidden_rows,
                                .copy_page = copy_page, .clear_page = clear_page, .describe = describe};
    d->entries = mem_zalloc_array((size_t)s->pages * KV_PAGE_TOKENS, sizeof *d->entries);
    d->writers = mem_zalloc_array(s->pages, sizeof *d->writers);
    d->hidden = mem_zalloc_array((size_t)options->n_logit_rows_max * DEVICE_MOCK_HIDDEN, sizeof *d->hidden);
    if (!d->entries || !d->writers || !d->hidden) {
        device_mock_close(d);
        return error_set(error, STATUS_NO_MEMORY, "out of memory for %u mock pages", s->pages);
    }
    if (options->wait && s->load_ms)
        options->wait(options->wait_arg, 1000000ull * s->load_ms);
    *out = d;
    return STATUS_OK;
}

void device_mock_close(struct device_mock *d)
{
    if (!d)
        return;
    mem_free(d->entries);
    mem_free(d->writers);
    mem_free(d->hidden);
    mem_free(d);
}

const struct device *device_mock_device(const struct device_mock *d)
{
    return &d->device;
}

uint64_t device_mock_breaks(const struct device_mock *d)
{
    return d->n_breaks;
}

void device_mock_count(const struct device_mock *d, struct device_mock_count *out)
{
    *out = d->count;
}

void device_mock_plant(struct device_mock *d, enum device_mock_bug bug)
{
    d->bug = bug;
}
