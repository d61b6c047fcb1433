/* Writing and reading frames, field by field, little endian. A reader trusts nothing: counts against the bytes left, enums and
 * floats against their ranges, and the body must end where its fields do. */
#include "engine/protocol.h"

#include <math.h>
#include <string.h>

#include "base/reader.h"

enum { IDS_MAX = 1 << 24, BIAS_MAX = 4096, PENALTY_MAX = 100, BRIDGE_MAX = 1024, PULL_MAX = 100 };

/* ---- Writing --------------------------------------------------------------------------------------------------------- */

static void put_u32(struct buf *out, uint32_t v)
{
    buf_add(out, &v, sizeof v);
}
static void put_u64(struct buf *out, uint64_t v)
{
    buf_add(out, &v, sizeof v);
}
static void put_f32(struct buf *out, float v)
{
    buf_add(out, &v, sizeof v);
}
static void put_text(struct buf *out, const char *text)
{
    uint32_t n = (uint32_t)strlen(text);
    put_u32(out, n);
    buf_add(out, text, n);
}

/* Starts a frame; returns where it begins, for frame_end to fill in the length. */
static size_t frame_begin(struct buf *out, uint32_t type, uint32_t epoch, uint64_t id)
{
    size_t at = out->len;
    put_u32(out, PROTOCOL_MAGIC);
    put_u32(out, PROTOCOL_VERSION);
    put_u32(out, type);
    put_u32(out, 0);
    put_u32(out, epoch);
    put_u32(out, 0);
    put_u64(out, id);
    return at;
}

static void frame_end(struct buf *out, size_t at)
{
    if (buf_status(out) != STATUS_OK)
        return;
    uint32_t n = (uint32_t)(out->len - at - PROTOCOL_HEAD_BYTES);
    memcpy(out->at + at + 12, &n, sizeof n);
}

void protocol_set_epoch(char *frame, uint32_t epoch)
{
    memcpy(frame + 16, &epoch, sizeof epoch);
}

void protocol_write_configure(struct buf *out, uint32_t epoch, const struct protocol_configure *m)
{
    size_t at = frame_begin(out, PROTOCOL_CONFIGURE, epoch, 0);
    put_text(out, m->model_path);
    put_text(out, m->device);
    put_text(out, m->numerics);
    put_text(out, m->isa);
    put_text(out, m->kv_dtype);
    put_u32(out, m->threads);
    put_u32(out, m->context);
    put_u64(out, m->kv_memory_bytes);
    put_u32(out, m->max_running);
    put_u32(out, m->max_queue);
    put_u32(out, m->step_tokens);
    put_u64(out, m->max_queue_tokens);
    put_u32(out, m->prefix_cache);
    put_text(out, m->mock_script);
    frame_end(out, at);
}

static void put_thought(struct buf *out, const struct protocol_thought *t)
{
    put_u32(out, t->governed);
    put_u32(out, t->begins_inside);
    put_u32(out, t->detects_loops);
    put_u32(out, t->open_token);
    put_u32(out, t->close_token);
    put_u32(out, t->budget);
    put_f32(out, t->pull);
    put_u32(out, t->n_bridge);
}

void protocol_write_submit(struct buf *out, uint32_t epoch, uint64_t id, const struct protocol_submit *m)
{
    size_t at = frame_begin(out, PROTOCOL_SUBMIT, epoch, id);
    buf_add(out, m->partition, sizeof m->partition);
    put_u64(out, m->tenant);
    put_u64(out, m->seed);
    put_u64(out, m->queue_timeout_ns);
    put_u32(out, m->n_choices);
    put_u32(out, m->first_choice);
    put_u32(out, m->max_tokens);
    put_u32(out, m->min_tokens);
    put_f32(out, m->temperature);
    put_f32(out, m->top_p);
    put_f32(out, m->min_p);
    put_u32(out, m->top_k);
    put_f32(out, m->presence_penalty);
    put_f32(out, m->frequency_penalty);
    put_f32(out, m->repetition_penalty);
    put_u32(out, m->vocabulary);
    put_u32(out, m->ignore_stop);
    put_u32(out, m->n_eos_ids);
    put_u32(out, (uint32_t)m->logprobs);
    put_u32(out, (uint32_t)m->prompt_logprobs);
    put_u32(out, m->pooling);
    put_u32(out, m->use_cache);
    put_u32(out, m->n_bias);
    put_u32(out, m->n_stop_ids);
    put_u32(out, m->n_prompt);
    put_u32(out, (uint32_t)m->language.len);
    put_thought(out, &m->thought);
    buf_add(out, m->bias, m->n_bias * sizeof *m->bias);
    buf_add(out, m->stop_ids, m->n_stop_ids * sizeof *m->stop_ids);
    buf_add(out, m->prompt, m->n_prompt * sizeof *m->prompt);
    buf_add(out, m->thought.bridge, m->thought.n_bridge * sizeof *m->thought.bridge);
    buf_add_str(out, m->language);
    frame_end(out, at);
}

/* Lengths, then bytes: both are read without looking at each other's. */
void protocol_write_vocabulary(struct buf *out, uint32_t epoch, const struct str *tokens, uint32_t n)
{
    size_t at = frame_begin(out, PROTOCOL_VOCABULARY, epoch, 0);
    put_u32(out, n);
    for (uint32_t i = 0; i < n; i++) {
        uint16_t len = tokens[i].len <= PROTOCOL_TOKEN_BYTES_MAX ? (uint16_t)tokens[i].len : 0;
        buf_add(out, &len, sizeof len);
    }
    for (uint32_t i = 0; i < n; i++)
        if (tokens[i].len <= PROTOCOL_TOKEN_BYTES_MAX)
            buf_add_str(out, tokens[i]);
    frame_end(out, at);
}

void protocol_write_control(struct buf *out, uint32_t epoch, uint64_t id, uint32_t control)
{
    size_t at = frame_begin(out, PROTOCOL_CONTROL, epoch, id);
    put_u32(out, control);
    frame_end(out, at);
}

void protocol_write_cancel(struct buf *out, uint32_t epoch, uint64_t id, uint32_t choice)
{
    size_t at = frame_begin(out, PROTOCOL_CANCEL, epoch, id);
    put_u32(out, choice);
    frame_end(out, at);
}

void protocol_write_stop(struct buf *out, uint32_t epoch)
{
    frame_end(out, frame_begin(out, PROTOCOL_STOP, epoch, 0));
}

void protocol_write_ready(struct buf *out, uint32_t epoch, const struct protocol_ready *m)
{
    size_t at = frame_begin(out, PROTOCOL_READY, epoch, 0);
    put_u32(out, m->vocabulary);
    put_u32(out, m->context_max);
    put_u32(out, m->model_context);
    put_u32(out, m->n_pages);
    put_u32(out, m->page_tokens);
    put_u32(out, m->max_running);
    put_u32(out, m->hidden);
    put_u64(out, m->weights_bytes);
    put_u64(out, m->pages_bytes);
    buf_add(out, m->model_digest, sizeof m->model_digest);
    put_text(out, m->numerics_version);
    put_text(out, m->family);
    put_text(out, m->architecture);
    put_text(out, m->summary);
    frame_end(out, at);
}

void protocol_write_accepted(struct buf *out, uint32_t epoch, uint64_t id, uint32_t n_cached)
{
    size_t at = frame_begin(out, PROTOCOL_ACCEPTED, epoch, id);
    put_u32(out, n_cached);
    frame_end(out, at);
}

void protocol_write_tokens(struct buf *out, uint32_t epoch, uint64_t id, const struct protocol_tokens *m,
                           const struct protocol_token *tokens)
{
    size_t at = frame_begin(out, PROTOCOL_TOKENS, epoch, id);
    put_u32(out, m->choice);
    put_u32(out, m->index);
    put_u32(out, m->n_tokens);
    put_u32(out, m->has_logprobs);
    for (uint32_t i = 0; i < m->n_tokens; i++) {
        put_u32(out, tokens[i].token);
        if (!m->has_logprobs)
            continue;
        put_f32(out, tokens[i].logprob);
        put_u32(out, tokens[i].rank);
        put_u32(out, tokens[i].n_top);
        buf_add(out, tokens[i].top, tokens[i].n_top * sizeof *tokens[i].top);
    }
    frame_end(out, at);
}

void protocol_write_embedding(struct buf *out, uint32_t epoch, uint64_t id, const struct protocol_embedding *m)
{
    size_t at = frame_begin(out, PROTOCOL_EMBEDDING, epoch, id);
    put_u32(out, m->n);
    buf_add(out, m->values, m->n * sizeof *m->values);
    frame_end(out, at);
}

void protocol_write_done(struct buf *out, uint32_t epoch, uint64_t id, const struct protocol_done *m)
{
    size_t at = frame_begin(out, PROTOCOL_DONE, epoch, id);
    put_u32(out, m->choice);
    put_u32(out, m->finish);
    put_u32(out, m->stop_token);
    put_u32(out, m->last);
    put_u32(out, m->n_generated);
    put_u32(out, m->n_prompt);
    put_u32(out, m->n_cached);
    put_u64(out, m->queue_ns);
    put_u64(out, m->prefill_ns);
    put_u64(out, m->decode_ns);
    put_u32(out, m->acted);
    put_text(out, m->message);
    frame_end(out, at);
}

void protocol_write_refused(struct buf *out, uint32_t epoch, uint64_t id, const struct protocol_refused *m)
{
    size_t at = frame_begin(out, PROTOCOL_REFUSED, epoch, id);
    put_u32(out, m->reason);
    put_text(out, m->message);
    frame_end(out, at);
}

void protocol_write_stats(struct buf *out, uint32_t epoch, const struct protocol_stats *m)
{
    size_t at = frame_begin(out, PROTOCOL_STATS, epoch, 0);
    const uint32_t narrow[] = {m->n_running, m->n_waiting, m->n_parked, m->pages_total, m->pages_free, m->pages_cached, m->pages_held};
    const uint64_t wide[] = {m->n_steps, m->prompt_tokens, m->generated_tokens, m->cached_prompt_tokens, m->preemptions,
                             m->last_step_ns, m->busy_ns, m->dropped_frames, m->rss_bytes};
    for (size_t i = 0; i < sizeof narrow / sizeof narrow[0]; i++)
        put_u32(out, narrow[i]);
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++)
        put_u64(out, wide[i]);
    frame_end(out, at);
}

void protocol_write_progress(struct buf *out, uint32_t epoch, const struct protocol_progress *m)
{
    size_t at = frame_begin(out, PROTOCOL_PROGRESS, epoch, 0);
    put_u64(out, m->done_bytes);
    put_u64(out, m->total_bytes);
    frame_end(out, at);
}

void protocol_write_fatal(struct buf *out, uint32_t epoch, const struct protocol_fatal *m)
{
    size_t at = frame_begin(out, PROTOCOL_FATAL, epoch, 0);
    put_text(out, m->cause);
    put_u64(out, m->step);
    put_u32(out, m->n_requests);
    for (uint32_t i = 0; i < m->n_requests; i++)
        put_u64(out, m->requests[i]);
    frame_end(out, at);
}

/* ---- Reading ----------------------------------------------------------------------------------------------------------- */

/* A reader that remembers its first failure, so that a message is read as a list. */
struct fields {
    struct reader reader;
    struct error *error;
    enum status status;
};

static struct fields fields_of(struct str body, const char *name, struct error *error)
{
    struct fields f = {.error = error};
    reader_init(&f.reader, body.at, body.len, name);
    return f;
}

static enum status refuse(struct fields *f, const char *what)
{
    if (!f->status)
        f->status = error_set(f->error, STATUS_INVALID, "%s frame: %s (offset %zu)", f->reader.name, what,
                              reader_offset(&f->reader));
    return f->status;
}

static uint32_t get_u32(struct fields *f)
{
    uint32_t v = 0;
    if (!f->status)
        f->status = reader_u32(&f->reader, &v, f->error);
    return f->status ? 0 : v;
}

static uint64_t get_u64(struct fields *f)
{
    uint64_t v = 0;
    if (!f->status)
        f->status = reader_u64(&f->reader, &v, f->error);
    return f->status ? 0 : v;
}

static float get_f32(struct fields *f)
{
    float v = 0;
    if (!f->status)
        f->status = reader_f32(&f->reader, &v, f->error);
    if (!f->status && !isfinite(v))
        refuse(f, "a number is not finite");
    return f->status ? 0 : v;
}

static bool get_bool(struct fields *f)
{
    uint32_t v = get_u32(f);
    if (v > 1)
        refuse(f, "a flag is neither 0 nor 1");
    return v == 1;
}

static void get_text(struct fields *f, char *out, size_t size)
{
    uint32_t n = get_u32(f);
    struct str text = {"", 0};
    if (!f->status && n >= size)
        refuse(f, "a text is too long");
    if (!f->status)
        f->status = reader_bytes(&f->reader, n, &text, f->error);
    if (!f->status && memchr(text.at, 0, text.len))
        refuse(f, "a text holds a NUL");
    if (!f->status && text.len)
        memcpy(out, text.at, text.len);
    out[f->status ? 0 : text.len] = 0;
}

static void get_bytes(struct fields *f, void *out, size_t n)
{
    struct str bytes;
    if (!f->status)
        f->status = reader_bytes(&f->reader, n, &bytes, f->error);
    if (!f->status)
        memcpy(out, bytes.at, n);
}

/* An array that lends from the frame. */
static const void *get_array(struct fields *f, uint32_t count, uint32_t max, size_t each)
{
    struct str bytes = {NULL, 0};
    if (!f->status && count > max)
        refuse(f, "a list is too long");
    if (!f->status)
        f->status = reader_bytes(&f->reader, (size_t)count * each, &bytes, f->error);
    if (!f->status && (uintptr_t)bytes.at % 4)
        refuse(f, "a list is not aligned");
    return f->status ? NULL : bytes.at;
}

static enum status finish(struct fields *f)
{
    if (!f->status && reader_left(&f->reader))
        refuse(f, "bytes after the last field");
    return f->status;
}

enum status protocol_read_head(struct protocol_head *head, const void *bytes, struct error *error)
{
    struct fields f = fields_of(str_from(bytes, PROTOCOL_HEAD_BYTES), "head", error);
    uint32_t magic = get_u32(&f), version = get_u32(&f);
    *head = (struct protocol_head){.type = get_u32(&f)};
    head->body_bytes = get_u32(&f);
    head->epoch = get_u32(&f);
    uint32_t zero = get_u32(&f);
    head->id = get_u64(&f);
    if (magic != PROTOCOL_MAGIC || zero != 0)
        refuse(&f, "it does not begin with the magic number");
    if (version != PROTOCOL_VERSION)
        refuse(&f, "another protocol version");
    bool known = (head->type >= PROTOCOL_HELLO && head->type <= PROTOCOL_VOCABULARY) ||
                 (head->type >= PROTOCOL_READY && head->type <= PROTOCOL_EMBEDDING);
    if (!known)
        refuse(&f, "an unknown type");
    if (head->body_bytes > PROTOCOL_FRAME_BYTES_MAX)
        refuse(&f, "a body of more than 16 MiB");
    return f.status;
}

enum status protocol_read_configure(struct protocol_configure *m, struct str body, struct error *error)
{
    struct fields f = fields_of(body, "configure", error);
    *m = (struct protocol_configure){0};
    get_text(&f, m->model_path, sizeof m->model_path);
    get_text(&f, m->device, sizeof m->device);
    get_text(&f, m->numerics, sizeof m->numerics);
    get_text(&f, m->isa, sizeof m->isa);
    get_text(&f, m->kv_dtype, sizeof m->kv_dtype);
    m->threads = get_u32(&f);
    m->context = get_u32(&f);
    m->kv_memory_bytes = get_u64(&f);
    m->max_running = get_u32(&f);
    m->max_queue = get_u32(&f);
    m->step_tokens = get_u32(&f);
    m->max_queue_tokens = get_u64(&f);
    m->prefix_cache = get_bool(&f);
    get_text(&f, m->mock_script, sizeof m->mock_script);
    return finish(&f);
}

static void get_thought(struct fields *f, struct protocol_thought *t)
{
    t->governed = get_bool(f);
    t->begins_inside = get_bool(f);
    t->detects_loops = get_bool(f);
    t->open_token = get_u32(f);
    t->close_token = get_u32(f);
    t->budget = get_u32(f);
    t->pull = get_f32(f);
    t->n_bridge = get_u32(f);
}

static void check_thought(struct fields *f, const struct protocol_submit *m)
{
    const struct protocol_thought *t = &m->thought;
    if (t->pull < 0 || t->pull > PULL_MAX)
        refuse(f, "a pull is out of range");
    if (t->governed && (t->n_bridge == 0 || t->close_token >= m->vocabulary))
        refuse(f, "a thought without an end");
    for (uint32_t i = 0; i < t->n_bridge && !f->status; i++)
        if (t->bridge[i] >= m->vocabulary)
            refuse(f, "a bridge token is outside of the vocabulary");
}

enum status protocol_read_submit(struct protocol_submit *m, struct str body, struct error *error)
{
    struct fields f = fields_of(body, "submit", error);
    *m = (struct protocol_submit){0};
    get_bytes(&f, m->partition, sizeof m->partition);
    m->tenant = get_u64(&f);
    m->seed = get_u64(&f);
    m->queue_timeout_ns = get_u64(&f);
    m->n_choices = get_u32(&f);
    m->first_choice = get_u32(&f);
    m->max_tokens = get_u32(&f);
    m->min_tokens = get_u32(&f);
    m->temperature = get_f32(&f);
    m->top_p = get_f32(&f);
    m->min_p = get_f32(&f);
    m->top_k = get_u32(&f);
    m->presence_penalty = get_f32(&f);
    m->frequency_penalty = get_f32(&f);
    m->repetition_penalty = get_f32(&f);
    m->vocabulary = get_u32(&f);
    m->ignore_stop = get_bool(&f);
    m->n_eos_ids = get_u32(&f);
    m->logprobs = (int32_t)get_u32(&f);
    m->prompt_logprobs = (int32_t)get_u32(&f);
    m->pooling = get_u32(&f);
    m->use_cache = get_bool(&f);
    m->n_bias = get_u32(&f);
    m->n_stop_ids = get_u32(&f);
    m->n_prompt = get_u32(&f);
    uint32_t n_language = get_u32(&f);
    get_thought(&f, &m->thought);
    m->bias = get_array(&f, m->n_bias, BIAS_MAX, sizeof *m->bias);
    m->stop_ids = get_array(&f, m->n_stop_ids, PROTOCOL_STOP_IDS_MAX, sizeof *m->stop_ids);
    m->prompt = get_array(&f, m->n_prompt, IDS_MAX, sizeof *m->prompt);
    m->thought.bridge = get_array(&f, m->thought.n_bridge, BRIDGE_MAX, sizeof *m->thought.bridge);
    if (n_language > PROTOCOL_LANGUAGE_BYTES_MAX)
        refuse(&f, "a language is too long");
    if (!f.status)
        f.status = reader_bytes(&f.reader, n_language, &m->language, error);
    if (f.status)
        return f.status;
    if (m->n_choices < 1 || m->n_choices > 2048 || m->n_prompt < 1 || m->n_eos_ids > m->n_stop_ids)
        refuse(&f, "choices, prompt or end ids out of range");
    if (m->temperature < 0 || m->temperature > 100 || m->min_p < 0 || m->min_p > 1 || m->top_p < 0 || m->top_p > 1 ||
        m->repetition_penalty <= 0 || m->repetition_penalty > PENALTY_MAX || fabsf(m->presence_penalty) > PENALTY_MAX ||
        fabsf(m->frequency_penalty) > PENALTY_MAX)
        refuse(&f, "a sampling field is out of range");
    if (m->logprobs < -1 || m->logprobs > PROTOCOL_TOP_MAX || m->prompt_logprobs < -1 || m->prompt_logprobs > PROTOCOL_TOP_MAX)
        refuse(&f, "a log-probability count is out of range");
    if (m->pooling > PROTOCOL_POOLING_MEAN || (m->pooling && (m->prompt_logprobs >= 0 || m->max_tokens)))
        refuse(&f, "the pooling is out of range");
    if (m->max_tokens == 0 && m->prompt_logprobs < 0 && !m->pooling)
        refuse(&f, "no output is asked for");
    for (uint32_t i = 0; i < m->n_bias && !f.status; i++)
        if (m->bias[i].token >= m->vocabulary || !isfinite(m->bias[i].bias))
            refuse(&f, "a bias is out of range");
    for (uint32_t i = 0; i < m->n_prompt && !f.status; i++)
        if (m->prompt[i] >= m->vocabulary)
            refuse(&f, "a prompt token is outside of the vocabulary");
    check_thought(&f, m);
    return finish(&f);
}

enum status protocol_read_control(uint32_t *control, struct str body, struct error *error)
{
    struct fields f = fields_of(body, "control", error);
    *control = get_u32(&f);
    if (!f.status && *control != PROTOCOL_CONTROL_ANSWER_NOW)
        refuse(&f, "an unknown word");
    return finish(&f);
}

enum status protocol_read_vocabulary_size(uint32_t *n, struct str body, struct error *error)
{
    struct fields f = fields_of(body, "vocabulary", error);
    *n = get_u32(&f);
    if (!f.status && (*n > IDS_MAX || *n > reader_left(&f.reader) / sizeof(uint16_t)))
        refuse(&f, "more tokens than bytes");
    return f.status;
}

enum status protocol_read_vocabulary(struct str *tokens, struct str body, struct error *error)
{
    uint32_t n;
    enum status status = protocol_read_vocabulary_size(&n, body, error);
    if (status)
        return status;
    struct fields lengths = fields_of(body, "vocabulary", error), f = lengths;
    struct str skipped;
    get_u32(&lengths);
    f.status = reader_bytes(&f.reader, sizeof n + n * sizeof(uint16_t), &skipped, error);
    for (uint32_t i = 0; i < n && !f.status; i++) {
        uint16_t len;
        f.status = reader_u16(&lengths.reader, &len, error);
        if (!f.status)
            f.status = reader_bytes(&f.reader, len, &tokens[i], error);
    }
    return finish(&f);
}

enum status protocol_read_ready(struct protocol_ready *m, struct str body, struct error *error)
{
    struct fields f = fields_of(body, "ready", error);
    *m = (struct protocol_ready){.vocabulary = get_u32(&f)};
    m->context_max = get_u32(&f);
    m->model_context = get_u32(&f);
    m->n_pages = get_u32(&f);
    m->page_tokens = get_u32(&f);
    m->max_running = get_u32(&f);
    m->hidden = get_u32(&f);
    m->weights_bytes = get_u64(&f);
    m->pages_bytes = get_u64(&f);
    get_bytes(&f, m->model_digest, sizeof m->model_digest);
    get_text(&f, m->numerics_version, sizeof m->numerics_version);
    get_text(&f, m->family, sizeof m->family);
    get_text(&f, m->architecture, sizeof m->architecture);
    get_text(&f, m->summary, sizeof m->summary);
    return finish(&f);
}

enum status protocol_read_cancel(uint32_t *choice, struct str body, struct error *error)
{
    struct fields f = fields_of(body, "cancel", error);
    *choice = get_u32(&f);
    return finish(&f);
}

enum status protocol_read_accepted(uint32_t *n_cached, struct str body, struct error *error)
{
    struct fields f = fields_of(body, "accepted", error);
    *n_cached = get_u32(&f);
    return finish(&f);
}

enum status protocol_read_embedding(struct protocol_embedding *m, struct str body, struct error *error)
{
    struct fields f = fields_of(body, "embedding", error);
    m->n = get_u32(&f);
    m->values = get_array(&f, m->n, PROTOCOL_EMBEDDING_MAX, sizeof *m->values);
    for (uint32_t i = 0; i < m->n && !f.status; i++)
        if (!isfinite(m->values[i]))
            refuse(&f, "a value is not finite");
    return finish(&f);
}

enum status protocol_read_done(struct protocol_done *m, struct str body, struct error *error)
{
    struct fields f = fields_of(body, "done", error);
    *m = (struct protocol_done){.choice = get_u32(&f)};
    m->finish = get_u32(&f);
    m->stop_token = get_u32(&f);
    m->last = get_bool(&f);
    m->n_generated = get_u32(&f);
    m->n_prompt = get_u32(&f);
    m->n_cached = get_u32(&f);
    m->queue_ns = get_u64(&f);
    m->prefill_ns = get_u64(&f);
    m->decode_ns = get_u64(&f);
    m->acted = get_u32(&f);
    get_text(&f, m->message, sizeof m->message);
    if (!f.status && m->acted > PROTOCOL_ACTED_ANSWER_NOW)
        refuse(&f, "an unknown act");
    if (!f.status && (m->finish < PROTOCOL_FINISH_STOP || m->finish > PROTOCOL_FINISH_IMPOSSIBLE))
        refuse(&f, "an unknown reason");
    return finish(&f);
}

enum status protocol_read_refused(struct protocol_refused *m, struct str body, struct error *error)
{
    struct fields f = fields_of(body, "refused", error);
    *m = (struct protocol_refused){.reason = get_u32(&f)};
    get_text(&f, m->message, sizeof m->message);
    if (!f.status && (m->reason < PROTOCOL_REFUSED_TOO_LONG || m->reason > PROTOCOL_REFUSED_STOPPING))
        refuse(&f, "an unknown reason");
    return finish(&f);
}

enum status protocol_read_stats(struct protocol_stats *m, struct str body, struct error *error)
{
    struct fields f = fields_of(body, "stats", error);
    *m = (struct protocol_stats){0};
    uint32_t *narrow[] = {&m->n_running, &m->n_waiting, &m->n_parked, &m->pages_total, &m->pages_free, &m->pages_cached,
                          &m->pages_held};
    uint64_t *wide[] = {&m->n_steps, &m->prompt_tokens, &m->generated_tokens, &m->cached_prompt_tokens, &m->preemptions,
                        &m->last_step_ns, &m->busy_ns, &m->dropped_frames, &m->rss_bytes};
    for (size_t i = 0; i < sizeof narrow / sizeof narrow[0]; i++)
        *narrow[i] = get_u32(&f);
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++)
        *wide[i] = get_u64(&f);
    return finish(&f);
}

enum status protocol_read_progress(struct protocol_progress *m, struct str body, struct error *error)
{
    struct fields f = fields_of(body, "progress", error);
    m->done_bytes = get_u64(&f);
    m->total_bytes = get_u64(&f);
    return finish(&f);
}

enum status protocol_read_fatal(struct protocol_fatal *m, struct str body, struct error *error)
{
    struct fields f = fields_of(body, "fatal", error);
    *m = (struct protocol_fatal){0};
    get_text(&f, m->cause, sizeof m->cause);
    m->step = get_u64(&f);
    m->n_requests = get_u32(&f);
    if (m->n_requests > sizeof m->requests / sizeof m->requests[0])
        refuse(&f, "too many requests");
    for (uint32_t i = 0; i < m->n_requests && !f.status; i++)
        m->requests[i] = get_u64(&f);
    return finish(&f);
}

enum status protocol_read_tokens(struct protocol_tokens_reader *r, struct str body, struct error *error)
{
    struct fields f = fields_of(body, "tokens", error);
    *r = (struct protocol_tokens_reader){.head = {.choice = get_u32(&f)}};
    r->head.index = get_u32(&f);
    r->head.n_tokens = get_u32(&f);
    r->head.has_logprobs = get_bool(&f);
    if (!f.status && r->head.n_tokens > reader_left(&f.reader) / 4)
        refuse(&f, "more tokens than bytes");
    r->rest = str_skip(body, reader_offset(&f.reader));
    return f.status;
}

enum status protocol_next_token(struct protocol_tokens_reader *r, struct protocol_token *token, struct error *error)
{
    struct fields f = fields_of(r->rest, "tokens", error);
    if (r->n_read == r->head.n_tokens)
        return finish(&f) ? f.status : STATUS_NOT_FOUND;
    token->token = get_u32(&f);
    token->n_top = 0;
    if (r->head.has_logprobs) {
        token->logprob = get_f32(&f);
        token->rank = get_u32(&f);
        token->n_top = get_u32(&f);
        if (token->n_top > PROTOCOL_TOP_MAX)
            refuse(&f, "too many alternatives");
        if (!f.status)
            get_bytes(&f, token->top, token->n_top * sizeof *token->top);
    }
    r->rest = str_skip(r->rest, reader_offset(&f.reader));
    r->n_read++;
    return f.status;
}
