/* The life of sequences: waiting -> running <-> parked -> ended. One function ends a sequence and gives back all it holds. */
#include "engine/scheduler.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "engine/sampler.h"
#include "engine/tenants.h"

enum {
    PROMPT_CHUNK_MIN = 16,
    PROMPT_CHUNK_FIRST = 32, /* before anything was measured */
    STEP_NS_MAX = 500000000, /* with nobody decoding */
};

/* What the sequences of one request share. */
struct request {
    uint64_t id;
    struct protocol_submit params; /* its arrays point into `memory` */
    void *memory;                  /* owned */
    struct page_hash partition;
    uint32_t tenant;    /* row of its account */
    uint32_t n_open;    /* sequences not ended */
    uint32_t n_cached;  /* prompt tokens that the first choice to run did not compute */
    uint64_t submitted_ns;
    bool announced;     /* accepted was sent */
    bool lead_done;     /* the first choice has computed the prompt: the others find its pages */
};

enum state { WAITING, RUNNING };

struct sequence {
    struct request *request;
    uint32_t choice;         /* of the request: 0 .. n - 1 */
    enum state state;
    uint32_t *tokens;        /* [capacity]: prompt, then generated; owned */
    uint32_t n_tokens, n_prompt, capacity;
    uint32_t n_computed;     /* positions whose state is in the pages */
    uint32_t *pages;         /* owned list */
    uint32_t n_pages;
    uint32_t n_published;    /* full pages offered to the index */
    struct page_link chain;  /* behind them */
    uint32_t n_scored;       /* prompt positions whose log-probabilities were sent */
    uint64_t order;          /* of arrival: ties, preemption */
    uint64_t started_ns, first_token_ns;
    bool ever_ran;
    struct constraint *constraint; /* null: any token may come */
    bool awaits_mask;        /* its last row was computed before its mask */
    /* in the plan of this step; n_rows 0: it is not */
    uint32_t n_rows, first_row, first_logit, n_logits;
};

struct page_copy {
    uint32_t from, to;
    const struct page_hash *partition; /* of both */
};

struct scheduler {
    struct scheduler_options o;
    struct kv_pages *pages;
    struct sampler *sampler;
    struct sequence **waiting, **running, **planned; /* lists; waiting in order of arrival */
    uint32_t n_waiting, n_running, n_planned, waiting_capacity;
    uint64_t waiting_tokens;
    uint64_t next_order;
    struct tenants *tenants;
    uint32_t *places; /* by tenant: how many of its sequences run; written anew where it is used */
    float *logits;
    uint64_t *plan_ids;       /* of the planned sequences: still there when one of them has ended */
    struct page_copy *copies; /* before the forward of this step */
    uint32_t n_copies;
    /* the batch of a step */
    uint32_t *ids, *positions, *logit_rows;
    struct attention_seq *seqs;
    struct device_sequence *descriptions;
    /* measured, for the size of prompt chunks */
    uint64_t decode_step_ns, prompt_token_ns;
    struct protocol_stats stats;
    uint64_t private_partitions;
};

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
    s->ids = mem_zalloc_array(rows, sizeof *s->ids);
    s->positions = mem_zalloc_array(rows, sizeof *s->positions);
    s->places = mem_zalloc_array(n_tenants_max(&s->o), sizeof *s->places);
    return s->running && s->planned && s->plan_ids && s->copies && s->seqs && s->descriptions && s->logits && s->logit_rows && s->ids &&
           s->positions && s->places;
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

static void release_pages(struct scheduler *s, struct sequence *q)
{
    while (q->n_pages) /* from the end, so that of a cached prefix the end is evicted first */
        kv_pages_give(s->pages, q->pages[--q->n_pages]);
    q->n_computed = 0;
    q->n_published = 0;
    q->chain = (struct page_link){q->request->partition, 0};
}

static void list_remove(struct sequence **list, uint32_t *n, const struct sequence *q)
{
    for (uint32_t i = 0; i < *n; i++)
        if (list[i] == q) {
            memmove(list + i, list + i + 1, (*n - i - 1) * sizeof *list);
            (*n)--;
            return;
        }
    check(!"the sequence is in its list");
}

static void waiting_remove(struct scheduler *s, struct sequence *q)
{
    list_remove(s->waiting, &s->n_waiting, q);
    s->waiting_tokens -= q->n_tokens;
}

/* Both lists stand in order of arrival. */
static void list_insert(struct sequence **list, uint32_t *n, struct sequence *q)
{
    uint32_t at = (*n)++;
    while (at > 0 && list[at - 1]->order > q->order) {
        list[at] = list[at - 1];
        at--;
    }
    list[at] = q;
}

static bool waiting_insert(struct scheduler *s, struct sequence *q)
{
    if (s->n_waiting == s->waiting_capacity) {
        uint32_t capacity = s->waiting_capacity ? s->waiting_capacity * 2 : 64;
        struct sequence **more = mem_realloc(s->waiting, capacity * sizeof *more);
        if (!more)
            return false;
        s->waiting = more;
        s->waiting_capacity = capacity;
    }
    list_insert(s->waiting, &s->n_waiting, q);
    s->waiting_tokens += q->n_tokens;
    q->state = WAITING;
    return true;
}

static void free_request(struct scheduler *s, struct request *r)
{
    tenants_close(s->tenants, r->tenant);
    mem_free(r->memory);
    mem_free(r);
}

/* The one end of every sequence. */
static void end_sequence(struct scheduler *s, struct sequence *q)
{
    struct request *r = q->request;
    if (q->state == WAITING)
        waiting_remove(s, q);
    else
        list_remove(s->running, &s->n_running, q);
    release_pages(s, q);
    r->lead_done |= q->choice == 0;
    constraint_close(q->constraint);
    mem_free(q->tokens);
    mem_free(q->pages);
    mem_free(q);
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
    mem_free(s->seqs);
    mem_free(s);
}

/* ---- Submitting -------------------------------------------------------------------------------------------------------- */

static uint32_t pages_for(uint32_t n_tokens)
{
    return (n_tokens + KV_PAGES_TOKENS - 1) / KV_PAGES_TOKENS;
}

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
    memcpy(r->partition.bytes, p->partition, sizeof r->partition.bytes);
    if (!p->use_cache || !s->o.prefix_cache) { /* only its own choices may share pages */
        uint64_t own[2] = {id, ++s->private_partitions};
        memset(&r->partition, 0xFF, sizeof r->partition);
        memcpy(r->partition.bytes, own, sizeof own);
    }
    r->tenant = tenants_open(s->tenants, p->tenant);
    return r;
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
    q->pages = mem_zalloc_array(pages_for(capacity), sizeof *q->pages);
    if (q->tokens)
        memcpy(q->tokens, p->prompt, n_prompt * sizeof *p->prompt);
    if (p->language.len)
        q->constraint = constraint_open(s->o.constraints, p->language);
    r->n_open++;
    if (q->tokens && q->pages && (q->constraint || !p->language.len) && waiting_insert(s, q))
        return true;
    constraint_close(q->constraint);
    mem_free(q->tokens);
    mem_free(q->pages);
    mem_free(q);
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

/* ---- Fairness ------------------------------------------------------------------------------------------------------------ */

/* Which of two goes first: the one whose tenant was given less, then the older one. Either may be null. */
static struct sequence *first_of(const struct scheduler *s, struct sequence *a, struct sequence *b)
{
    if (!a || !b)
        return a ? a : b;
    uint64_t x = tenants_served(s->tenants, a->request->tenant), y = tenants_served(s->tenants, b->request->tenant);
    if (x != y)
        return x < y ? a : b;
    return a->order < b->order ? a : b;
}

static struct sequence *next_waiting(const struct scheduler *s)
{
    struct sequence *best = NULL;
    for (uint32_t i = 0; i < s->n_waiting; i++)
        if (s->waiting[i]->choice == 0 || s->waiting[i]->request->lead_done)
            best = first_of(s, best, s->waiting[i]);
    return best;
}

/* Whether it would be computed in vain: without its mask nothing can be chosen. */
static bool must_wait(const struct sequence *q)
{
    struct constraint_mask mask;
    return q->awaits_mask && constraint_look(q->constraint, &mask) == CONSTRAINT_PENDING;
}

static struct sequence *next_prompt(const struct scheduler *s)
{
    struct sequence *best = NULL;
    for (uint32_t i = 0; i < s->n_running; i++)
        if (!s->running[i]->n_rows && !must_wait(s->running[i]))
            best = first_of(s, best, s->running[i]);
    return best;
}

/* ---- Planning ------------------------------------------------------------------------------------------------------------- */

/* Rows whose logits score a prompt: those not sent yet. The last row of a prompt scores nothing, and one choice speaks for all. */
static bool scores(const struct sequence *q, uint32_t position)
{
    return q->choice == 0 && q->request->params.prompt_logprobs >= 0 && position + 1 < q->n_prompt && position + 1 > q->n_scored;
}

/* The row whose logits choose the next token. */
static bool chooses(const struct sequence *q, uint32_t position)
{
    return position + 1 == q->n_tokens && q->n_tokens < q->capacity;
}

/* Shares the cached pages of the longest known beginning. At least the last token is always computed. Prompts that are to be
 * scored are computed whole, because the log-probabilities of cached positions are not kept. */
static void find_prefix(struct scheduler *s, struct sequence *q)
{
    uint32_t page;
    bool scored = q->n_prompt > 1 && scores(q, q->n_prompt - 2);
    while (!scored && (q->n_pages + 1) * KV_PAGES_TOKENS < q->n_tokens &&
           kv_pages_find(s->pages, &q->chain, q->tokens + (size_t)q->n_pages * KV_PAGES_TOKENS, &page)) {
        q->pages[q->n_pages++] = page;
        q->n_published++;
    }
    q->n_computed = q->n_pages * KV_PAGES_TOKENS;
}

/* The last, partly filled page of a prompt that another choice of the request has computed: copied, because both go on writing
 * there. Then only the last token is left to compute. */
static void copy_tail(struct scheduler *s, struct sequence *q)
{
    uint32_t full = (q->n_prompt - 1) / KV_PAGES_TOKENS;
    if (q->choice == 0 || q->n_tokens != q->n_prompt || q->n_computed != full * KV_PAGES_TOKENS || q->n_computed + 1 == q->n_prompt)
        return;
    for (uint32_t i = 0; i < s->n_running; i++) {
        const struct sequence *donor = s->running[i];
        if (donor == q || donor->request != q->request || donor->n_computed < q->n_prompt)
            continue;
        s->copies[s->n_copies++] = (struct page_copy){donor->pages[full], q->pages[full], &q->request->partition};
        q->n_computed = q->n_prompt - 1;
        return;
    }
}

static void park(struct scheduler *s, struct sequence *q)
{
    list_remove(s->running, &s->n_running, q);
    release_pages(s, q);
    s->stats.preemptions++;
    check(waiting_insert(s, q)); /* there is room: it came from there */
}

/* Pages for positions up to n_computed + n. When none are left the youngest sequence gives up its own, as long as it is younger. */
static bool ensure_pages(struct scheduler *s, struct sequence *q, uint32_t n)
{
    uint32_t wanted = pages_for(q->n_computed + n);
    while (q->n_pages < wanted) {
        uint32_t page = kv_pages_take(s->pages);
        if (page != KV_PAGES_NONE) {
            q->pages[q->n_pages++] = page;
            continue;
        }
        struct sequence *youngest = s->running[s->n_running - 1];
        if (youngest == q)
            return false;
        check(youngest->order > q->order && !youngest->n_rows);
        park(s, youngest);
    }
    return true;
}

/* Rows of q whose logits are wanted, when its next n tokens are computed. */
static uint32_t logits_wanted(const struct sequence *q, uint32_t n)
{
    uint32_t wanted = 0;
    for (uint32_t p = q->n_computed; p < q->n_computed + n; p++)
        wanted += scores(q, p) || chooses(q, p);
    return wanted;
}

static bool plan_sequence(struct scheduler *s, struct sequence *q, uint32_t n, uint32_t *rows, uint32_t *logits)
{
    uint32_t wanted = logits_wanted(q, n), room = s->o.device->n_logit_rows_max - *logits;
    while (wanted > room && n > 1) { /* scored prompts: as many rows as there are logits for */
        n = n > wanted - room ? n - (wanted - room) : 1;
        wanted = logits_wanted(q, n);
    }
    if (wanted > room || !ensure_pages(s, q, n))
        return false;
    q->n_rows = n;
    q->first_row = *rows;
    q->first_logit = *logits;
    q->n_logits = wanted;
    *rows += n;
    *logits += wanted;
    s->plan_ids[s->n_planned] = q->request->id;
    s->planned[s->n_planned++] = q;
    return true;
}

/* How many prompt tokens a step may take: beside decodes, about as much time again as they take; alone, half a second. */
static uint32_t prompt_budget(const struct scheduler *s, bool decodes)
{
    uint64_t time = decodes ? s->decode_step_ns : STEP_NS_MAX;
    uint64_t n = s->prompt_token_ns && time ? time / s->prompt_token_ns : PROMPT_CHUNK_FIRST;
    n = n < PROMPT_CHUNK_MIN ? PROMPT_CHUNK_MIN : n;
    return n < s->o.step_tokens ? (uint32_t)n : s->o.step_tokens;
}

/* One token of each running sequence that has its whole past computed. The oldest comes first: it is never parked. */
static bool plan_decodes(struct scheduler *s, uint32_t *rows, uint32_t *logits)
{
    bool decodes = false;
    for (uint32_t i = 0; i < s->n_running;) {
        struct sequence *q = s->running[i];
        bool decode = q->n_tokens - q->n_computed == 1 && !must_wait(q);
        if (decode && !plan_sequence(s, q, 1, rows, logits)) {
            park(s, q);
            continue;
        }
        decodes |= decode && q->n_tokens > q->n_prompt;
        i++;
    }
    return decodes;
}

/* Moves a waiting sequence to the running ones with pages for all its tokens, so that no prompt is parked half computed for want
 * of a page, and a page to grow for each sequence that runs beside it. */
static bool admit(struct scheduler *s, struct sequence *q)
{
    find_prefix(s, q);
    uint32_t needed = pages_for(q->n_tokens) - q->n_pages;
    if (s->n_running && needed + s->n_running > kv_pages_available(s->pages)) {
        release_pages(s, q);
        return false;
    }
    waiting_remove(s, q);
    q->state = RUNNING;
    list_insert(s->running, &s->n_running, q);
    check(ensure_pages(s, q, q->n_tokens - q->n_computed));
    copy_tail(s, q);
    return true;
}

/* Prompts, to the tenant who was given least: of running ones the next chunk, of waiting ones the first. One that waits for pages
 * holds up those behind it, or it would wait for ever. */
static void plan_prompts(struct scheduler *s, uint32_t budget, uint32_t *rows, uint32_t *logits)
{
    bool full = false;
    while (budget && *rows < s->o.step_tokens) {
        struct sequence *waiting = full || s->n_running == s->o.max_running ? NULL : next_waiting(s);
        struct sequence *q = first_of(s, next_prompt(s), waiting);
        if (!q)
            return;
        if (q->state == WAITING && !admit(s, q)) {
            full = true;
            continue;
        }
        uint32_t n = q->n_tokens - q->n_computed, most = s->o.step_tokens - *rows;
        most = most < budget ? most : budget;
        if (!plan_sequence(s, q, n < most ? n : most, rows, logits))
            return; /* no logits left in this step */
        budget -= q->n_rows;
    }
}

/* When all places are taken and the next in turn belongs to a tenant with fewer of them, the youngest sequence of the tenant with
 * the most gives its place up. Only where that leaves the giver with no fewer than the taker has then: places never go to and fro. */
static void share_places(struct scheduler *s)
{
    const struct sequence *next = s->n_running == s->o.max_running ? next_waiting(s) : NULL;
    struct sequence *youngest = NULL;
    uint32_t *places = s->places, most = 0;
    if (!next)
        return;
    places[next->request->tenant] = 0;
    for (uint32_t i = 0; i < s->n_running; i++)
        places[s->running[i]->request->tenant] = 0;
    for (uint32_t i = 0; i < s->n_running; i++)
        places[s->running[i]->request->tenant]++;
    for (uint32_t i = 0; i < s->n_running; i++) /* in order of age: the last one found is the youngest */
        if (places[s->running[i]->request->tenant] >= most) {
            most = places[s->running[i]->request->tenant];
            youngest = s->running[i];
        }
    if (youngest && most > places[next->request->tenant] + 1)
        park(s, youngest);
}

static bool plan(struct scheduler *s)
{
    uint32_t rows = 0, logits = 0;
    s->n_planned = s->n_copies = 0;
    share_places(s);
    for (uint32_t i = 0; i < s->n_running; i++)
        s->running[i]->n_rows = 0;
    bool decodes = plan_decodes(s, &rows, &logits);
    plan_prompts(s, prompt_budget(s, decodes), &rows, &logits);
    return decodes;
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
            if (scores(q, position) || chooses(q, position))
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
static void fail(struct scheduler *s, struct sequence *q, const char *message)
{
    for (uint32_t i = 0; i < q->n_pages; i++)
        kv_pages_forget(s->pages, q->pages[i]);
    finish(s, q, PROTOCOL_FINISH_ERROR, 0, q->n_tokens - q->n_prompt, message);
}

/* Log-probabilities of the prompt positions just computed; the first token of a prompt has none. False when a row is not finite. */
static bool score_prompt(struct scheduler *s, struct sequence *q)
{
    const struct protocol_submit *p = &q->request->params;
    const float *row = s->logits + (size_t)q->first_logit * s->o.device->vocabulary;
    for (uint32_t position = q->n_computed; position < q->n_computed + q->n_rows; position++) {
        struct protocol_token token = {0};
        if (!scores(q, position))
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

/* Chooses the next token of a sequence whose last row was computed, and publishes what the step wrote once the row proved sound. */
static void advance(struct scheduler *s, struct sequence *q)
{
    struct request *r = q->request;
    struct error error;
    struct protocol_token token;
    struct constraint_mask mask;
    uint32_t n_generated = q->n_tokens - q->n_prompt;
    if (q->constraint && constraint_look(q->constraint, &mask) == CONSTRAINT_FAILED) {
        fail(s, q, mask.failure);
        return;
    }
    struct sampler_row row = {.logits = s->logits + (size_t)(q->first_logit + q->n_logits - 1) * s->o.device->vocabulary,
                              .params = &r->params, .prompt = q->tokens, .n_prompt = q->n_prompt,
                              .generated = q->tokens + q->n_prompt, .n_generated = n_generated,
                              .choice = r->params.first_choice + q->choice,
                              .stops_allowed = n_generated >= r->params.min_tokens, .mask = q->constraint ? &mask : NULL};
    enum status status = sampler_choose(s->sampler, &row, &token, &error);
    if (status && status != STATUS_NOT_FOUND) {
        fail(s, q, error.message);
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
        constraint_push(q->constraint, token.token);
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
                     constraint_look(q->constraint, &mask) == CONSTRAINT_PENDING;
    return q->awaits_mask;
}

static void settle(struct scheduler *s, struct sequence *q)
{
    struct request *r = q->request;
    tenants_charge(s->tenants, r->tenant, q->n_rows);
    if (!score_prompt(s, q)) {
        fail(s, q, "the model's output is not finite");
        return;
    }
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
    if (q->n_computed == q->n_tokens)
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
    else if (n_rows - n_decodes >= PROMPT_CHUNK_MIN) {
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
        for (uint32_t p = pages_for(q->n_computed); p < pages_for(q->n_computed + q->n_rows); p++)
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
    bool decodes = plan(s);
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
        check(q->n_pages >= pages_for(q->n_computed) && q->n_pages <= pages_for(q->capacity));
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
