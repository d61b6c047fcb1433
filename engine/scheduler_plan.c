/* What the next step computes: first a row for each sequence that decodes, then chunks of prompts, fairly between tenants. */
#include <string.h>

#include "base/mem.h"
#include "engine/scheduler_parts.h"

/* ---- Lists and pages ------------------------------------------------------------------------------------------------- */

void scheduler_release_pages(struct scheduler *s, struct sequence *q)
{
    while (q->n_pages) /* from the end, so that of a cached prefix the end is evicted first */
        kv_pages_give(s->pages, q->pages[--q->n_pages]);
    q->n_computed = 0;
    q->n_published = 0;
    q->chain = (struct page_link){q->request->partition, 0};
}

void scheduler_list_remove(struct sequence **list, uint32_t *n, const struct sequence *q)
{
    for (uint32_t i = 0; i < *n; i++)
        if (list[i] == q) {
            memmove(list + i, list + i + 1, (*n - i - 1) * sizeof *list);
            (*n)--;
            return;
        }
    check(!"the sequence is in its list");
}

void scheduler_waiting_remove(struct scheduler *s, struct sequence *q)
{
    scheduler_list_remove(s->waiting, &s->n_waiting, q);
    s->waiting_tokens -= q->n_tokens;
}

void scheduler_list_insert(struct sequence **list, uint32_t *n, struct sequence *q)
{
    uint32_t at = (*n)++;
    while (at > 0 && list[at - 1]->order > q->order) {
        list[at] = list[at - 1];
        at--;
    }
    list[at] = q;
}

bool scheduler_waiting_insert(struct scheduler *s, struct sequence *q)
{
    if (s->n_waiting == s->waiting_capacity) {
        uint32_t capacity = s->waiting_capacity ? s->waiting_capacity * 2 : 64;
        struct sequence **more = mem_realloc(s->waiting, capacity * sizeof *more);
        if (!more)
            return false;
        s->waiting = more;
        s->waiting_capacity = capacity;
    }
    scheduler_list_insert(s->waiting, &s->n_waiting, q);
    s->waiting_tokens += q->n_tokens;
    q->state = WAITING;
    return true;
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
    return q->awaits_mask && constraints_look(q->constraint, &mask) == CONSTRAINT_PENDING;
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

/* Shares the cached pages of the longest known beginning. At least the last token is always computed. Prompts that are to be
 * scored are computed whole, because the log-probabilities of cached positions are not kept. */
static void find_prefix(struct scheduler *s, struct sequence *q)
{
    uint32_t page;
    bool scored = q->n_prompt > 1 && (scheduler_scores(q, q->n_prompt - 2) || scheduler_pools(q, q->n_prompt - 2));
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
    scheduler_list_remove(s->running, &s->n_running, q);
    scheduler_release_pages(s, q);
    s->stats.preemptions++;
    check(scheduler_waiting_insert(s, q)); /* there is room: it came from there */
}

/* Pages for positions up to n_computed + n. When none are left the youngest sequence gives up its own, as long as it is younger. */
static bool ensure_pages(struct scheduler *s, struct sequence *q, uint32_t n)
{
    uint32_t wanted = scheduler_pages_for(q->n_computed + n);
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
        wanted += scheduler_looks_at(q, p);
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
    uint64_t time = decodes ? s->decode_step_ns : SCHEDULER_STEP_NS_MAX;
    uint64_t n = s->prompt_token_ns && time ? time / s->prompt_token_ns : SCHEDULER_CHUNK_FIRST;
    n = n < SCHEDULER_CHUNK_MIN ? SCHEDULER_CHUNK_MIN : n;
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
    uint32_t needed = scheduler_pages_for(q->n_tokens) - q->n_pages;
    if (s->n_running && needed + s->n_running > kv_pages_available(s->pages)) {
        scheduler_release_pages(s, q);
        return false;
    }
    scheduler_waiting_remove(s, q);
    q->state = RUNNING;
    scheduler_list_insert(s->running, &s->n_running, q);
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

bool scheduler_plan(struct scheduler *s)
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
