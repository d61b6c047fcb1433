/* The life of sequences: waiting -> running <-> parked -> ended. One function ends a sequence and gives back all it holds. */
#include "engine/scheduler.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "engine/scheduler_parts.h"

/* ---- Making ---------------------------------------------------------------------------------------------------------- */

/* Each has an open request. */
static uint32_t n_tenants_max(const struct scheduler_options *o)
{
    return o->max_running + o->max_queue + 1;
}

static bool take_memory(struct scheduler *s)
{
    const struct device *d = s->o.device;
    uint32_t rows = s->o.step_tokens, running = s->o.max_running;
    s->running = mem_zalloc_array(running, sizeof *s->running);
    s->planned = mem_zalloc_array(running, sizeof *s->planned);
    s->plan_ids = mem_zalloc_array(running, sizeof *s->plan_ids);
    s->copies = mem_zalloc_array(running, sizeof *s->copies);
    s->seqs = mem_zalloc_array(running, sizeof *s->seqs);
    s->descriptions = mem_zalloc_array(running, sizeof *s->descriptions);
    s->logits = mem_zalloc_array((size_t)d->n_logit_rows_max * d->vocabulary, sizeof *s->logits);
    s->logit_rows = mem_zalloc_array(d->n_logit_rows_max, sizeof *s->logit_rows);
    s->skips_head = mem_zalloc_array(d->n_logit_rows_max, sizeof *s->skips_head);
    s->ids = mem_zalloc_array(rows, sizeof *s->ids);
    s->positions = mem_zalloc_array(rows, sizeof *s->positions);
    s->places = mem_zalloc_array(n_tenants_max(&s->o), sizeof *s->places);
    return s->running && s->planned && s->plan_ids && s->copies && s->seqs && s->descriptions && s->logits && s->logit_rows &&
           s->skips_head && s->ids && s->positions && s->places;
}

enum status scheduler_create(struct scheduler **out, const struct scheduler_options *options, struct error *error)
{
    const struct device *d = options->device;
    check(options->max_running > 0 && d->n_logit_rows_max >= options->max_running);
    check(options->step_tokens >= options->max_running && options->step_tokens <= d->n_rows_max);
    struct scheduler *s = mem_zalloc(sizeof *s);
    if (!s)
        return error_set(error, STATUS_NO_MEMORY, "out of memory for the scheduler");
    s->o = *options;
    enum status status = kv_pages_create(&s->pages, d->n_pages, options->hash, error);
    if (!status)
        status = sampler_create(&s->sampler, d->vocabulary, error);
    if (!status)
        status = tenants_create(&s->tenants, n_tenants_max(options), error);
    if (!status && !take_memory(s))
        status = error_set(error, STATUS_NO_MEMORY, "out of memory for the scheduler");
    if (status) {
        scheduler_free(s);
        return status;
    }
    *out = s;
    return STATUS_OK;
}

static void free_request(struct scheduler *s, struct request *r)
{
    tenants_close(s->tenants, r->tenant);
    mem_free(r->memory);
    mem_free(r);
}

static void free_sequence(struct sequence *q)
{
    constraints_close(q->constraint);
    governor_free(q->governor);
    mem_free(q->tokens);
    mem_free(q->pages);
    mem_free(q->pooled);
    mem_free(q);
}

/* The one end of every sequence. */
static void end_sequence(struct scheduler *s, struct sequence *q)
{
    struct request *r = q->request;
    if (q->state == WAITING)
        scheduler_waiting_remove(s, q);
    else
        scheduler_list_remove(s->running, &s->n_running, q);
    scheduler_release_pages(s, q);
    r->lead_done |= q->choice == 0;
    free_sequence(q);
    check(r->n_open > 0);
    if (--r->n_open == 0)
        free_request(s, r);
}

void scheduler_free(struct scheduler *s)
{
    if (!s)
        return;
    while (s->n_running)
        end_sequence(s, s->running[0]);
    while (s->n_waiting)
        end_sequence(s, s->waiting[0]);
    kv_pages_free(s->pages);
    sampler_free(s->sampler);
    mem_free(s->waiting);
    mem_free(s->running);
    mem_free(s->planned);
    mem_free(s->plan_ids);
    mem_free(s->places);
    mem_free(s->copies);
    mem_free(s->descriptions);
    tenants_free(s->tenants);
    mem_free(s->logits);
    mem_free(s->ids);
    mem_free(s->positions);
    mem_free(s->logit_rows);
    mem_free(s->skips_head);
    mem_free(s->seqs);
    mem_free(s);
}

/* ---- Submitting -------------------------------------------------------------------------------------------------------- */

static void refuse(struct scheduler *s, uint64_t id, uint32_t reason, const char *message)
{
    struct protocol_refused r = {.reason = reason};
    snprintf(r.message, sizeof r.message, "%s", message);
    s->o.events.refused(s->o.events.arg, id, &r);
}

static struct request *copy_request(struct scheduler *s, uint64_t id, const struct protocol_submit *p)
{
    size_t bias = p->n_bias * sizeof *p->bias, stops = p->n_stop_ids * sizeof *p->stop_ids;
    struct request *r = mem_zalloc(sizeof *r);
    char *memory = mem_alloc(bias + stops);
    if (!r || !memory) {
        mem_free(r);
        mem_free(memory);
        return NULL;
    }
    *r = (struct request){.id = id, .params = *p, .memory = memory, .submitted_ns = clock_now_ns(s->o.clock)};
    if (bias)
        memcpy(memory, p->bias, bias);
    if (stops)
        memcpy(memory + bias, p->stop_ids, stops);
    r->params.bias = (const struct protocol_bias *)(void *)memory;
    r->params.stop_ids = (const uint32_t *)(void *)(memory + bias);
    r->params.prompt = NULL;
    r->params.language = str_of("");
    r->params.thought.bridge = NULL;
    memcpy(r->partition.bytes, p->partition, sizeof r->partition.bytes);
    if (!p->use_cache || !s->o.prefix_cache) { /* only its own choices may share pages */
        uint64_t own[2] = {id, ++s->private_partitions};
        memset(&r->partition, 0xFF, sizeof r->partition);
        memcpy(r->partition.bytes, own, sizeof own);
    }
    r->tenant = tenants_open(s->tenants, p->tenant);
    return r;
}

static struct governor *make_governor(const struct scheduler *s, const struct protocol_thought *thought)
{
    size_t n_words = 0;
    const uint64_t *ends = s->o.constraints ? constraints_sentence_ends(s->o.constraints, &n_words) : NULL;
    return governor_create(thought, ends, n_words);
}

static bool add_sequence(struct scheduler *s, struct request *r, uint32_t choice, const struct protocol_submit *p)
{
    struct sequence *q = mem_zalloc(sizeof *q);
    uint32_t n_prompt = r->params.n_prompt, capacity = n_prompt + r->params.max_tokens;
    if (!q)
        return false;
    *q = (struct sequence){.request = r, .choice = choice, .n_tokens = n_prompt, .n_prompt = n_prompt, .capacity = capacity,
                           .order = s->next_order++, .chain = {r->partition, 0}};
    q->tokens = mem_zalloc_array(capacity, sizeof *q->tokens);
    q->pages = mem_zalloc_array(scheduler_pages_for(capacity), sizeof *q->pages);
    if (q->tokens)
        memcpy(q->tokens, p->prompt, n_prompt * sizeof *p->prompt);
    if (p->language.len)
        q->constraint = constraints_open(s->o.constraints, p->language);
    if (p->pooling)
        q->pooled = mem_zalloc_array(s->o.device->hidden, sizeof *q->pooled);
    if (p->thought.governed)
        q->governor = make_governor(s, &p->thought);
    r->n_open++;
    bool held = (q->constraint || !p->language.len) && (q->governor || !p->thought.governed) &&
                (q->pooled || !p->pooling);
    if (q->tokens && q->pages && held && scheduler_waiting_insert(s, q))
        return true;
    free_sequence(q);
    r->n_open--;
    return false;
}

/* Whether it can ever run, and whether it may wait; else why not, with numbers. 0: taken. */
static uint32_t refusal(const struct scheduler *s, const struct protocol_submit *p, char text[160])
{
    uint64_t longest = (uint64_t)p->n_prompt + p->max_tokens;
    uint64_t room = (uint64_t)s->o.device->n_pages * KV_PAGES_TOKENS;
    room = room < s->o.context ? room : s->o.context;
    if (longest > room) {
        snprintf(text, 160, "%u prompt tokens and %u to generate are more than the %llu that fit", p->n_prompt, p->max_tokens,
                 (unsigned long long)room);
        return PROTOCOL_REFUSED_TOO_LONG;
    }
    if (p->vocabulary > s->o.device->vocabulary) {
        snprintf(text, 160, "a vocabulary of %u is larger than the model's %u", p->vocabulary, s->o.device->vocabulary);
        return PROTOCOL_REFUSED_INVALID;
    }
    if (p->pooling && (!s->o.device->hidden || p->n_choices != 1)) {
        snprintf(text, 160, "embeddings are made one by one, and not on this device");
        return PROTOCOL_REFUSED_INVALID;
    }
    if (p->language.len && !(s->o.constraints && constraints_has_vocabulary(s->o.constraints))) {
        snprintf(text, 160, "a language was given, but no vocabulary");
        return PROTOCOL_REFUSED_INVALID;
    }
    uint64_t tokens = s->waiting_tokens + (uint64_t)p->n_prompt * p->n_choices;
    if (s->n_running + s->n_waiting < s->o.max_running) /* a free place is not a queue */
        return 0;
    if (s->n_waiting + p->n_choices > s->o.max_queue) {
        snprintf(text, 160, "%u sequences wait and %u more were asked for; at most %u may wait", s->n_waiting, p->n_choices,
                 s->o.max_queue);
        return PROTOCOL_REFUSED_QUEUE_FULL;
    }
    if (tokens > s->o.max_queue_tokens) {
        snprintf(text, 160, "%llu tokens would wait; at most %llu may", (unsigned long long)tokens,
                 (unsigned long long)s->o.max_queue_tokens);
        return PROTOCOL_REFUSED_QUEUE_FULL;
    }
    return 0;
}

void scheduler_submit(struct scheduler *s, uint64_t id, const struct protocol_submit *p)
{
    char text[160];
    uint32_t reason = refusal(s, p, text);
    if (reason) {
        refuse(s, id, reason, text);
        return;
    }
    struct request *r = copy_request(s, id, p);
    bool ok = r != NULL;
    for (uint32_t i = 0; ok && i < p->n_choices; i++)
        ok = add_sequence(s, r, i, p);
    if (ok)
        return;
    if (r && r->n_open)
        scheduler_cancel(s, id, PROTOCOL_EVERY_CHOICE);
    else if (r)
        free_request(s, r);
    refuse(s, id, PROTOCOL_REFUSED_QUEUE_FULL, "out of memory");
}

bool scheduler_is_open(const struct scheduler *s, uint64_t id)
{
    for (uint32_t i = 0; i < s->n_running; i++)
        if (s->running[i]->request->id == id)
            return true;
    for (uint32_t i = 0; i < s->n_waiting; i++)
        if (s->waiting[i]->request->id == id)
            return true;
    return false;
}

static bool is_of(const struct sequence *q, uint64_t id, uint32_t choice)
{
    return q->request->id == id && (choice == PROTOCOL_EVERY_CHOICE || q->choice == choice);
}

void scheduler_cancel(struct scheduler *s, uint64_t id, uint32_t choice)
{
    for (uint32_t i = s->n_running; i-- > 0;)
        if (is_of(s->running[i], id, choice))
            end_sequence(s, s->running[i]);
    for (uint32_t i = s->n_waiting; i-- > 0;)
        if (is_of(s->waiting[i], id, choice))
            end_sequence(s, s->waiting[i]);
}

void scheduler_control(struct scheduler *s, uint64_t id, enum protocol_control control)
{
    check(control == PROTOCOL_CONTROL_ANSWER_NOW);
    for (uint32_t i = 0; i < s->n_running + s->n_waiting; i++) {
        struct sequence *q = i < s->n_running ? s->running[i] : s->waiting[i - s->n_running];
        if (is_of(q, id, PROTOCOL_EVERY_CHOICE) && q->governor)
            governor_answer_now(q->governor);
    }
}

/* ---- Running a plan ---------------------------------------------------------------------------------------------------------- */

static void fill_batch(struct scheduler *s, struct model_batch *batch)
{
    *batch = (struct model_batch){.token_ids = s->ids, .positions = s->positions, .seqs = s->seqs, .logit_rows = s->logit_rows};
    for (uint32_t i = 0; i < s->n_planned; i++) {
        struct sequence *q = s->planned[i];
        uint32_t end = q->n_computed + q->n_rows;
        s->seqs[i] = (struct attention_seq){q->pages, q->first_row, q->n_rows, q->n_computed};
        for (uint32_t r = 0; r < q->n_rows; r++) {
            uint32_t position = q->n_computed + r, row = q->first_row + r;
            s->ids[row] = q->tokens[position];
            s->positions[row] = position;
            if (!scheduler_looks_at(q, position))
                continue;
            s->skips_head[batch->n_logit_rows] = q->pooled != NULL;
            batch->skips_head = q->pooled ? s->skips_head : batch->skips_head;
            s->logit_rows[batch->n_logit_rows++] = row;
        }
        memcpy(&s->descriptions[i].partition, q->request->params.partition, sizeof s->descriptions[i].partition);
        s->descriptions[i].n_prompt = q->n_prompt;
        check(end <= q->n_pages * KV_PAGES_TOKENS && batch->n_logit_rows == q->first_logit + q->n_logits);
        batch->n_rows += q->n_rows;
        batch->n_seqs++;
    }
}

static void publish_pages(struct scheduler *s, struct sequence *q)
{
    while ((q->n_published + 1) * KV_PAGES_TOKENS <= q->n_computed) {
        kv_pages_publish(s->pages, q->pages[q->n_published], &q->chain, q->tokens + (size_t)q->n_published * KV_PAGES_TOKENS);
        q->n_published++;
    }
}

static void finish(struct scheduler *s, struct sequence *q, uint32_t reason, uint32_t stop_token, uint32_t n_generated,
                   const char *message)
{
    struct request *r = q->request;
    uint64_t now = clock_now_ns(s->o.clock);
    struct protocol_done done = {.choice = q->choice, .finish = reason, .stop_token = stop_token, .last = r->n_open == 1,
                                 .n_generated = n_generated, .n_prompt = q->n_prompt, .n_cached = r->n_cached};
    snprintf(done.message, sizeof done.message, "%s", message);
    uint64_t started = q->ever_ran ? q->started_ns : now, first = q->first_token_ns ? q->first_token_ns : now;
    done.queue_ns = started - r->submitted_ns;
    done.prefill_ns = first - started;
    done.decode_ns = now - first;
    done.acted = q->governor ? governor_acted(q->governor) : PROTOCOL_ACTED_NONE;
    uint64_t id = r->id;
    end_sequence(s, q);
    s->o.events.done(s->o.events.arg, id, &done);
}

static bool is_stop(const struct protocol_submit *p, uint32_t token)
{
    for (uint32_t i = p->ignore_stop ? p->n_eos_ids : 0; i < p->n_stop_ids; i++)
        if (p->stop_ids[i] == token)
            return true;
    return false;
}

/* A row that is not finite: this choice ends, and what it computed is not offered to anybody. */
static void fail(struct scheduler *s, struct sequence *q, uint32_t reason, const char *message)
{
    for (uint32_t i = 0; i < q->n_pages; i++)
        kv_pages_forget(s->pages, q->pages[i]);
    finish(s, q, reason, 0, q->n_tokens - q->n_prompt, message);
}

/* Log-probabilities of the prompt positions just computed; the first token of a prompt has none. False when a row is not finite. */
static bool score_prompt(struct scheduler *s, struct sequence *q)
{
    const struct protocol_submit *p = &q->request->params;
    const float *row = s->logits + (size_t)q->first_logit * s->o.device->vocabulary;
    for (uint32_t position = q->n_computed; position < q->n_computed + q->n_rows; position++) {
        struct protocol_token token = {0};
        if (!scheduler_scores(q, position))
            continue;
        if (!sampler_score(s->sampler, row, p->vocabulary, q->tokens[position + 1], (uint32_t)p->prompt_logprobs, &token))
            return false;
        row += s->o.device->vocabulary;
        q->n_scored = position + 1;
        struct protocol_tokens head = {PROTOCOL_PROMPT_CHOICE, position + 1, 1, true};
        s->o.events.tokens(s->o.events.arg, q->request->id, &head, &token);
    }
    return true;
}

/* The next token, chosen or forced. A bridge that the output's language does not take yet, inside a character, waits for its end. */
static enum status next_token(struct scheduler *s, const struct sequence *q, struct sampler_row *row, struct protocol_token *token,
                              struct error *error)
{
    const struct protocol_submit *p = &q->request->params;
    uint32_t forced = q->governor ? governor_forced(q->governor) : PROTOCOL_NO_TOKEN;
    if (forced != PROTOCOL_NO_TOKEN && !(row->mask && governor_may_wait(q->governor) && !constraints_allow(row->mask, forced))) {
        *token = (struct protocol_token){0};
        if (sampler_score(s->sampler, row->logits, p->vocabulary, forced, p->logprobs > 0 ? (uint32_t)p->logprobs : 0, token))
            return STATUS_OK;
        return error_set(error, STATUS_INTERNAL, "the model's output is not finite");
    }
    if (q->governor) {
        row->pulled = p->thought.close_token;
        row->pull = governor_pull(q->governor);
    }
    return sampler_choose(s->sampler, row, token, error);
}

/* Chooses the next token of a sequence whose last row was computed, and publishes what the step wrote once the row proved sound. */
static void advance(struct scheduler *s, struct sequence *q)
{
    struct request *r = q->request;
    struct error error;
    struct protocol_token token;
    struct constraint_mask mask;
    uint32_t n_generated = q->n_tokens - q->n_prompt;
    if (q->constraint && constraints_look(q->constraint, &mask) == CONSTRAINT_FAILED) {
        fail(s, q, PROTOCOL_FINISH_IMPOSSIBLE, mask.failure);
        return;
    }
    struct sampler_row row = {.logits = s->logits + (size_t)(q->first_logit + q->n_logits - 1) * s->o.device->vocabulary,
                              .params = &r->params, .prompt = q->tokens, .n_prompt = q->n_prompt,
                              .generated = q->tokens + q->n_prompt, .n_generated = n_generated,
                              .choice = r->params.first_choice + q->choice,
                              .stops_allowed = n_generated >= r->params.min_tokens, .mask = q->constraint ? &mask : NULL};
    enum status status = next_token(s, q, &row, &token, &error);
    if (status && status != STATUS_NOT_FOUND) {
        fail(s, q, status == STATUS_INVALID ? PROTOCOL_FINISH_IMPOSSIBLE : PROTOCOL_FINISH_ERROR, error.message);
        return;
    }
    publish_pages(s, q);
    if (!q->first_token_ns)
        q->first_token_ns = clock_now_ns(s->o.clock);
    if (status == STATUS_NOT_FOUND) {
        finish(s, q, PROTOCOL_FINISH_STOP, PROTOCOL_NO_TOKEN, n_generated, "");
        return;
    }
    s->stats.generated_tokens++;
    if (row.stops_allowed && is_stop(&r->params, token.token)) {
        finish(s, q, PROTOCOL_FINISH_STOP, token.token, n_generated + 1, "");
        return;
    }
    q->tokens[q->n_tokens++] = token.token;
    if (q->constraint)
        constraints_push(q->constraint, token.token);
    if (q->governor)
        governor_push(q->governor, token.token);
    struct protocol_tokens head = {q->choice, n_generated, 1, r->params.logprobs >= 0};
    s->o.events.tokens(s->o.events.arg, r->id, &head, &token);
    if (q->n_tokens == q->capacity)
        finish(s, q, PROTOCOL_FINISH_LENGTH, 0, n_generated + 1, "");
}

/* Whether the step was too early to choose from its last row: that row is computed once more when the mask is there. */
static bool misses_mask(struct sequence *q)
{
    struct constraint_mask mask;
    q->awaits_mask = q->constraint && q->n_computed + q->n_rows == q->n_tokens && q->n_tokens < q->capacity &&
                     constraints_look(q->constraint, &mask) == CONSTRAINT_PENDING;
    return q->awaits_mask;
}

/* Adds up the hidden states of the positions just computed, in their order. */
static void pool(struct scheduler *s, struct sequence *q)
{
    const struct device *d = s->o.device;
    const float *row = d->hidden_rows(d->self) + (size_t)q->first_logit * d->hidden;
    for (uint32_t position = q->n_computed; position < q->n_computed + q->n_rows; position++) {
        bool looked_at = scheduler_looks_at(q, position);
        if (scheduler_pools(q, position)) {
            for (uint32_t i = 0; i < d->hidden; i++)
                q->pooled[i] += (double)row[i];
            q->n_pooled = position + 1;
        }
        row += looked_at ? d->hidden : 0;
    }
}

/* The prompt is computed: what was pooled is told. False when it is not finite. */
static bool tell_embedding(struct scheduler *s, struct sequence *q)
{
    const struct device *d = s->o.device;
    double n = q->request->params.pooling == PROTOCOL_POOLING_MEAN ? (double)q->n_prompt : 1;
    float *values = (float *)(void *)q->pooled; /* each is written behind what was read */
    for (uint32_t i = 0; i < d->hidden; i++) {
        values[i] = (float)(q->pooled[i] / n);
        if (!isfinite(values[i]))
            return false;
    }
    struct protocol_embedding embedding = {values, d->hidden};
    s->o.events.embedding(s->o.events.arg, q->request->id, &embedding);
    return true;
}

static void settle(struct scheduler *s, struct sequence *q)
{
    struct request *r = q->request;
    tenants_charge(s->tenants, r->tenant, q->n_rows);
    if (!score_prompt(s, q)) {
        fail(s, q, PROTOCOL_FINISH_ERROR, "the model's output is not finite");
        return;
    }
    if (q->pooled)
        pool(s, q);
    if (misses_mask(q)) {
        q->n_computed += q->n_rows - 1;
        return;
    }
    q->n_computed += q->n_rows;
    r->lead_done |= q->choice == 0 && q->n_computed >= q->n_prompt;
    if (q->n_computed == q->n_tokens && q->n_tokens < q->capacity) {
        advance(s, q);
        return;
    }
    publish_pages(s, q);
    if (q->n_computed == q->n_tokens && q->pooled && !tell_embedding(s, q))
        fail(s, q, PROTOCOL_FINISH_ERROR, "the model's output is not finite");
    else if (q->n_computed == q->n_tokens)
        finish(s, q, PROTOCOL_FINISH_LENGTH, 0, q->n_tokens - q->n_prompt, ""); /* only a score was asked for */
}

static void announce(struct scheduler *s, struct sequence *q)
{
    struct request *r = q->request;
    if (!q->ever_ran) {
        q->ever_ran = true;
        q->started_ns = clock_now_ns(s->o.clock);
        s->stats.prompt_tokens += r->announced ? 0 : q->n_prompt; /* the choices share it */
    }
    if (r->announced)
        return;
    r->announced = true;
    r->n_cached = q->n_computed;
    s->stats.cached_prompt_tokens += q->n_computed;
    s->o.events.accepted(s->o.events.arg, r->id, r->n_cached);
}

static void measure(struct scheduler *s, uint64_t ns, uint32_t n_rows, bool decodes)
{
    uint32_t n_decodes = 0;
    for (uint32_t i = 0; i < s->n_planned; i++)
        n_decodes += s->planned[i]->n_rows == 1;
    if (decodes && n_decodes == n_rows)
        s->decode_step_ns = s->decode_step_ns ? (s->decode_step_ns * 7 + ns) / 8 : ns;
    else if (n_rows - n_decodes >= SCHEDULER_CHUNK_MIN) {
        uint64_t rest = decodes && s->decode_step_ns < ns ? ns - s->decode_step_ns : ns, each = rest / (n_rows - n_decodes);
        s->prompt_token_ns = s->prompt_token_ns ? (s->prompt_token_ns * 3 + each) / 4 : each;
    }
    s->stats.last_step_ns = ns;
    s->stats.busy_ns += ns;
    s->stats.n_steps++;
}

static void expire(struct scheduler *s)
{
    uint64_t now = clock_now_ns(s->o.clock);
    for (uint32_t i = 0; i < s->n_waiting;) {
        struct request *r = s->waiting[i]->request;
        if (r->announced || !r->params.queue_timeout_ns || now - r->submitted_ns < r->params.queue_timeout_ns) {
            i++;
            continue;
        }
        uint64_t id = r->id;
        scheduler_cancel(s, id, PROTOCOL_EVERY_CHOICE);
        refuse(s, id, PROTOCOL_REFUSED_TIMEOUT, "the request waited too long without starting");
        i = 0;
    }
}

/* Pages that this step begins to write: state of another partition goes before anyone could read it. */
static void clear_foreign_pages(struct scheduler *s)
{
    const struct device *d = s->o.device;
    for (uint32_t i = 0; i < s->n_planned; i++) {
        const struct sequence *q = s->planned[i];
        for (uint32_t p = scheduler_pages_for(q->n_computed); p < scheduler_pages_for(q->n_computed + q->n_rows); p++)
            if (kv_pages_claim(s->pages, q->pages[p], &q->request->partition))
                d->clear_page(d->self, q->pages[p]);
    }
}

static void copy_pages(struct scheduler *s)
{
    const struct device *d = s->o.device;
    for (uint32_t i = 0; i < s->n_copies; i++) {
        const struct page_copy *c = &s->copies[i];
        kv_pages_claim(s->pages, c->to, c->partition); /* nothing to clear: a copy covers whatever stood there */
        d->copy_page(d->self, c->from, c->to);
    }
}

static void run(struct scheduler *s)
{
    const struct device *d = s->o.device;
    struct model_batch batch;
    fill_batch(s, &batch);
    clear_foreign_pages(s);
    copy_pages(s);
    if (d->describe)
        d->describe(d->self, s->descriptions);
    d->forward(d->self, &batch, s->logits);
}

bool scheduler_step(struct scheduler *s)
{
    uint32_t n_rows = 0;
    expire(s);
    bool decodes = scheduler_plan(s);
    if (!s->n_planned)
        return false;
    for (uint32_t i = 0; i < s->n_planned; i++) {
        announce(s, s->planned[i]);
        n_rows += s->planned[i]->n_rows;
    }
    uint64_t begin = clock_now_ns(s->o.clock);
    run(s);
    measure(s, clock_now_ns(s->o.clock) - begin, n_rows, decodes);
    for (uint32_t i = 0; i < s->n_planned; i++)
        settle(s, s->planned[i]);
    s->n_planned = 0;
    return true;
}

bool scheduler_is_idle(const struct scheduler *s)
{
    return s->n_running == 0 && s->n_waiting == 0;
}

bool scheduler_awaits_masks(const struct scheduler *s)
{
    for (uint32_t i = 0; i < s->n_running; i++)
        if (s->running[i]->awaits_mask)
            return true;
    return false;
}

uint32_t scheduler_plan_ids(const struct scheduler *s, uint64_t *ids, uint32_t max)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n_planned && n < max; i++)
        ids[n++] = s->plan_ids[i];
    return n;
}

void scheduler_stats(const struct scheduler *s, struct protocol_stats *out)
{
    struct kv_pages_count pages;
    kv_pages_count(s->pages, &pages);
    *out = s->stats;
    out->n_running = s->n_running;
    for (uint32_t i = 0; i < s->n_waiting; i++) {
        out->n_parked += s->waiting[i]->ever_ran;
        out->n_waiting += !s->waiting[i]->ever_ran;
    }
    out->pages_total = pages.total;
    out->pages_free = pages.free;
    out->pages_cached = pages.cached;
    out->pages_held = pages.held;
}

void scheduler_audit(const struct scheduler *s)
{
    struct kv_pages_count pages;
    uint64_t tokens = 0;
    uint64_t references = 0;
    kv_pages_audit(s->pages);
    kv_pages_count(s->pages, &pages);
    for (uint32_t i = 0; i < s->n_running; i++) {
        const struct sequence *q = s->running[i];
        check(q->state == RUNNING && q->n_computed <= q->n_tokens && q->n_tokens <= q->capacity);
        check(q->n_pages >= scheduler_pages_for(q->n_computed) && q->n_pages <= scheduler_pages_for(q->capacity));
        check(i == 0 || s->running[i - 1]->order < q->order);
        references += q->n_pages;
    }
    for (uint32_t i = 0; i < s->n_waiting; i++) {
        const struct sequence *q = s->waiting[i];
        check(q->state == WAITING && q->n_pages == 0 && q->n_computed == 0);
        check(i == 0 || s->waiting[i - 1]->order < q->order);
        tokens += q->n_tokens;
    }
    check(tokens == s->waiting_tokens && references == kv_pages_references(s->pages) && pages.held <= references);
}
