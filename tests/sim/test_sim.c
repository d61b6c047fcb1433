/* The simulator: scheduler, pages and sampler under the mock device and a clock of its own, driven by seeds. A seed decides sizes,
 * arrivals, parameters and cancels; what every choice must answer is computed from its prompt alone; after each step every invariant
 * is checked.
 *
 *   SEEKD_SIM_SEEDS  how many seeds (default 1000)
 *   SEEKD_SIM_FIRST  the first of them (default 1): to repeat a failure */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "engine/device/device_mock.h"
#include "engine/governor.h"
#include "engine/sampler.h"
#include "engine/scheduler.h"
#include "tests/support.h"
#include "text/automaton_image.h"
#include "text/gbnf.h"
#include "text/sentence.h"

enum {
    REQUESTS_MAX = 80,
    CHOICES_MAX = 4,
    PROMPT_MAX = 320,
    OUTPUT_MAX = 180,
    VOCABULARY = 48,
    POISON = VOCABULARY - 1, /* a row after this token is not finite; never sampled */
    STOPS_MAX = 3,
    BIAS_MAX = 3,
    BRIDGE_MAX = 3,
    STEPS_MAX = 20000,       /* of one seed: more is starvation */
    EXPRESSIONS_MAX = 20000, /* of a language in the truth; under test there are fewer, so that it is built anew */
};

/* What outputs may be asked to be, and the vocabulary's bytes: letters, some of them together, and tokens that are no text. */
static const char *const grammars[] = {"root ::= \"a\" [b-z]* \".\"", "root ::= [a-z]{3,100}", "root ::= \"(\" root? \")\" | [a-f]",
                                       "root ::= (\"ab\" | \"cd\" | \"z\"{2,9})+ \";\"?"};
enum { N_LANGUAGES = sizeof grammars / sizeof grammars[0] };
static const char *const bytes_of[VOCABULARY] = {
    "a", "b", "c", "d", "e", "f", "g", "h", "i",  "j",  "k",   "l",  "m", "n", "o",  "p", "q", "r",
    "s", "t", "u", "v", "w", "x", "y", "z", "(",  ")",  ".",   ";",  "ab", "cd", "abc", "))", "((", "zzz"};

struct language {
    struct automaton *automaton;
    uint32_t root;
    struct buf image;
};

enum bug { NO_BUG, LOSES_CANCELS, MIXES_PARTITIONS, N_SIM_BUGS };

/* What one choice must answer. */
struct truth {
    struct protocol_token tokens[OUTPUT_MAX];
    uint32_t n_tokens, finish, stop_token, acted;
};

struct request {
    struct protocol_submit m;
    uint32_t prompt[PROMPT_MAX], stops[STOPS_MAX];
    struct protocol_bias bias[BIAS_MAX];
    uint64_t arrive_ns, cancel_ns, drop_ns; /* cancel_ns, drop_ns 0: never */
    uint32_t drop_choice;                   /* needs no more tokens from drop_ns on */
    struct truth truth[CHOICES_MAX];
    struct protocol_token scores[PROMPT_MAX];
    bool scores_fail;
    uint32_t language; /* N_LANGUAGES: none */
    uint32_t bridge[BRIDGE_MAX];
    /* what came */
    bool submitted, cancelled, accepted, refused, last;
    uint32_t n_tokens[CHOICES_MAX], n_scores, n_closed; /* closed: done or dropped */
    bool done[CHOICES_MAX], dropped[CHOICES_MAX];
};

struct sim {
    uint64_t seed, now_ns;
    struct clock clock;
    struct rng rng;
    enum bug bug;
    struct scheduler_options options;
    struct device_mock *mock;
    struct scheduler *scheduler;
    struct sampler *sampler; /* of the truth, as are */
    struct language languages[N_LANGUAGES];
    struct str tokens[VOCABULARY];
    uint64_t sentence_ends; /* a bit for each token */
    struct constraints *constraints; /* under test */
    struct request *requests; /* [REQUESTS_MAX] */
    uint32_t n_requests, n_next;
    uint64_t n_steps;
    char failure[200]; /* the first one */
};

/* Over all seeds: what was exercised. */
static struct {
    uint64_t steps, tokens, preemptions, cached, refused, timeouts, cancelled, dropped, errors, stops, copies, busiest, ends, waits,
        impossible, acted;
} totals;

static uint64_t current_seed;

static void print_repeat(void *arg, const char *line)
{
    (void)arg;
    fprintf(stderr, "seed %llu: %.*s\nrepeat: SEEKD_SIM_SEEDS=1 SEEKD_SIM_FIRST=%llu build/tests/sim/test_sim\n",
            (unsigned long long)current_seed,
            (int)strcspn(line, "\n"), line, (unsigned long long)current_seed);
}

#define fail_unless(s, condition, ...)                                                                                                     \
    do {                                                                                                                                   \
        if (!(condition) && !(s)->failure[0])                                                                                              \
            snprintf((s)->failure, sizeof(s)->failure, __VA_ARGS__);                                                                       \
    } while (0)

/* ---- Clock, hash, helpers -------------------------------------------------------------------------------------------- */

static uint64_t fake_now(void *self)
{
    const struct sim *s = self;
    return s->now_ns;
}

static void fake_wait(void *arg, uint64_t ns)
{
    struct sim *s = arg;
    s->now_ns += ns;
}

/* Four words of mixed tokens: as good as a real hash for pages that are compared anyway. */
static void hash_pages(struct page_hash *out, const struct page_hash *parent, const uint32_t tokens[KV_PAGES_TOKENS])
{
    uint64_t words[4];
    memcpy(words, parent->bytes, sizeof words);
    for (uint32_t i = 0; i < KV_PAGES_TOKENS; i++)
        words[i % 4] = device_mock_extend(words[i % 4] + words[(i + 1) % 4], tokens[i], i);
    memcpy(out->bytes, words, sizeof words);
}

/* The same with eight bits left: everything collides. */
static void hash_pages_badly(struct page_hash *out, const struct page_hash *parent, const uint32_t tokens[KV_PAGES_TOKENS])
{
    struct page_hash whole;
    hash_pages(&whole, parent, tokens);
    *out = (struct page_hash){.bytes = {whole.bytes[0] & 7}};
}

static uint32_t between(struct sim *s, uint32_t low, uint32_t high)
{
    return low + rng_below(&s->rng, high - low + 1);
}

static bool one_in(struct sim *s, uint32_t n)
{
    return rng_below(&s->rng, n) == 0;
}

static uint64_t partition_of(const struct protocol_submit *m)
{
    uint64_t partition;
    memcpy(&partition, m->partition, sizeof partition);
    return partition;
}

/* ---- The truth --------------------------------------------------------------------------------------------------------- */

static bool stops(const struct protocol_submit *m, uint32_t token)
{
    for (uint32_t i = m->ignore_stop ? m->n_eos_ids : 0; i < m->n_stop_ids; i++)
        if (m->stop_ids[i] == token)
            return true;
    return false;
}

static void fill_row(uint64_t hash, uint32_t token, float row[VOCABULARY])
{
    device_mock_row(hash, row, VOCABULARY);
    if (token == POISON)
        row[VOCABULARY / 2] = __builtin_nanf("");
}

/* By definition: a token fits when its bytes do. */
static struct constraint_mask mask_of(const struct sim *s, struct automaton *a, uint32_t state, uint64_t *bits)
{
    *bits = 0;
    for (uint32_t t = 0; t < VOCABULARY; t++)
        if (s->tokens[t].len && automaton_read(a, state, s->tokens[t]) != AUTOMATON_NOTHING)
            *bits |= 1ull << t;
    return (struct constraint_mask){bits, 1, automaton_may_end(a, state), NULL};
}

/* The next token, chosen or forced. */
static enum status tell_token(struct sim *s, struct sampler_row *in, const struct governor *governor, struct protocol_token *token)
{
    const struct protocol_submit *m = in->params;
    struct error error;
    uint32_t forced = governor ? governor_forced(governor) : PROTOCOL_NO_TOKEN, n_top = m->logprobs > 0 ? (uint32_t)m->logprobs : 0;
    if (forced != PROTOCOL_NO_TOKEN)
        return sampler_score(s->sampler, in->logits, m->vocabulary, forced, n_top, token) ? STATUS_OK : STATUS_INTERNAL;
    if (governor) {
        in->pulled = m->thought.close_token;
        in->pull = governor_pull(governor);
    }
    return sampler_choose(s->sampler, in, token, &error);
}

static void tell_with(struct sim *s, const struct request *r, uint32_t choice, struct truth *t, struct governor *governor)
{
    const struct protocol_submit *m = &r->m;
    uint32_t generated[OUTPUT_MAX], last = 0;
    float row[VOCABULARY];
    uint64_t hash = device_mock_begin(partition_of(m)), bits;
    const struct language *l = r->language < N_LANGUAGES ? &s->languages[r->language] : NULL;
    uint32_t state = l ? l->root : 0;
    for (uint32_t i = 0; i < m->n_prompt; i++)
        hash = device_mock_extend(hash, last = m->prompt[i], i);
    *t = (struct truth){.finish = PROTOCOL_FINISH_LENGTH};
    while (t->n_tokens < m->max_tokens) {
        struct protocol_token token = {0};
        struct sampler_row in = {.logits = row, .params = m, .prompt = m->prompt, .n_prompt = m->n_prompt, .generated = generated,
                                 .n_generated = t->n_tokens, .choice = m->first_choice + choice,
                                 .stops_allowed = t->n_tokens >= m->min_tokens};
        struct constraint_mask mask;
        if (l) {
            mask = mask_of(s, l->automaton, state, &bits);
            in.mask = &mask;
        }
        fill_row(hash, last, row);
        enum status status = tell_token(s, &in, governor, &token);
        if (status) {
            t->finish = status == STATUS_NOT_FOUND  ? PROTOCOL_FINISH_STOP
                        : status == STATUS_INVALID ? PROTOCOL_FINISH_IMPOSSIBLE
                                                   : PROTOCOL_FINISH_ERROR;
            t->stop_token = PROTOCOL_NO_TOKEN;
            return;
        }
        if (in.stops_allowed && stops(m, token.token)) {
            t->finish = PROTOCOL_FINISH_STOP;
            t->stop_token = token.token;
            return;
        }
        hash = device_mock_extend(hash, last = token.token, m->n_prompt + t->n_tokens);
        if (l)
            state = automaton_read(l->automaton, state, s->tokens[token.token]);
        if (governor)
            governor_push(governor, token.token);
        generated[t->n_tokens] = token.token;
        t->tokens[t->n_tokens++] = token;
    }
}

static void tell_choice(struct sim *s, const struct request *r, uint32_t choice, struct truth *t)
{
    struct governor *governor = r->m.thought.governed ? governor_create(&r->m.thought, &s->sentence_ends, 1) : NULL;
    tell_with(s, r, choice, t, governor);
    t->acted = governor ? governor_acted(governor) : PROTOCOL_ACTED_NONE;
    governor_free(governor);
}

static void tell_scores(struct sim *s, struct request *r)
{
    float row[VOCABULARY];
    uint64_t hash = device_mock_begin(partition_of(&r->m));
    for (uint32_t i = 0; r->m.prompt_logprobs >= 0 && i + 1 < r->m.n_prompt && !r->scores_fail; i++) {
        hash = device_mock_extend(hash, r->m.prompt[i], i);
        fill_row(hash, r->m.prompt[i], row);
        r->scores_fail = !sampler_score(s->sampler, row, r->m.vocabulary, r->m.prompt[i + 1], (uint32_t)r->m.prompt_logprobs,
                                        &r->scores[i + 1]);
    }
}

static bool same_token(const struct protocol_token *a, const struct protocol_token *b, bool logprobs)
{
    if (a->token != b->token || !logprobs)
        return a->token == b->token;
    return a->logprob == b->logprob && a->rank == b->rank && a->n_top == b->n_top &&
           memcmp(a->top, b->top, a->n_top * sizeof *a->top) == 0;
}

/* ---- News -------------------------------------------------------------------------------------------------------------- */

static struct request *request_of(struct sim *s, uint64_t id)
{
    check(id >= 1 && id <= s->n_requests);
    struct request *r = &s->requests[id - 1];
    fail_unless(s, r->submitted && !r->last && !r->refused, "request %llu: news after its end", (unsigned long long)id);
    fail_unless(s, !r->cancelled, "request %llu: news after it was cancelled", (unsigned long long)id);
    return r;
}

static void on_accepted(void *arg, uint64_t id, uint32_t n_cached)
{
    struct sim *s = arg;
    struct request *r = request_of(s, id);
    fail_unless(s, !r->accepted, "request %llu: accepted twice", (unsigned long long)id);
    fail_unless(s, n_cached < r->m.n_prompt, "request %llu: %u cached of %u", (unsigned long long)id, n_cached, r->m.n_prompt);
    r->accepted = true;
}

static void on_score(struct sim *s, struct request *r, uint64_t id, uint32_t position, const struct protocol_token *token)
{
    fail_unless(s, position == ++r->n_scores, "request %llu: score of position %u comes as number %u", (unsigned long long)id, position,
                r->n_scores);
    if (position < r->m.n_prompt)
        fail_unless(s, same_token(token, &r->scores[position], true), "request %llu: score of position %u differs from solo",
                    (unsigned long long)id, position);
}

static void on_tokens(void *arg, uint64_t id, const struct protocol_tokens *head, const struct protocol_token *tokens)
{
    struct sim *s = arg;
    struct request *r = request_of(s, id);
    fail_unless(s, r->accepted && head->n_tokens == 1, "request %llu: tokens before accepted", (unsigned long long)id);
    if (head->choice == PROTOCOL_PROMPT_CHOICE) {
        on_score(s, r, id, head->index, tokens);
        return;
    }
    check(head->choice < r->m.n_choices);
    const struct truth *t = &r->truth[head->choice];
    uint32_t index = r->n_tokens[head->choice]++;
    bool open = !r->done[head->choice] && !r->dropped[head->choice];
    fail_unless(s, head->index == index && index < t->n_tokens && open, "request %llu choice %u: token %u out of turn",
                (unsigned long long)id, head->choice, index);
    if (index < t->n_tokens)
        fail_unless(s, same_token(tokens, &t->tokens[index], head->has_logprobs), "request %llu choice %u: token %u differs from solo",
                    (unsigned long long)id, head->choice, index);
    totals.tokens++;
}

static void on_done(void *arg, uint64_t id, const struct protocol_done *done)
{
    struct sim *s = arg;
    struct request *r = request_of(s, id);
    check(done->choice < r->m.n_choices);
    const struct truth *t = &r->truth[done->choice];
    uint32_t finish = done->choice == 0 && r->scores_fail ? PROTOCOL_FINISH_ERROR : t->finish;
    uint32_t sent = r->n_tokens[done->choice], wanted = done->choice == 0 && r->scores_fail ? 0 : t->n_tokens;
    fail_unless(s, !r->done[done->choice] && !r->dropped[done->choice], "request %llu choice %u: done twice",
                (unsigned long long)id, done->choice);
    fail_unless(s, done->finish == finish && sent == wanted, "request %llu choice %u: finish %u after %u tokens, solo %u after %u",
                (unsigned long long)id, done->choice, done->finish, sent, finish, wanted);
    bool by_token = finish == PROTOCOL_FINISH_STOP && done->stop_token != PROTOCOL_NO_TOKEN;
    fail_unless(s, done->n_generated == sent + by_token && done->n_prompt == r->m.n_prompt,
                "request %llu: usage is wrong", (unsigned long long)id);
    fail_unless(s, finish != PROTOCOL_FINISH_STOP || done->stop_token == t->stop_token, "request %llu: stopped by another token",
                (unsigned long long)id);
    fail_unless(s, finish == PROTOCOL_FINISH_ERROR || done->acted == t->acted, "request %llu: its thought was ended by %u, solo by %u",
                (unsigned long long)id, done->acted, t->acted);
    totals.acted += done->acted != PROTOCOL_ACTED_NONE;
    r->done[done->choice] = true;
    r->last = ++r->n_closed == r->m.n_choices;
    fail_unless(s, done->last == r->last, "request %llu: last comes at choice %u of %u", (unsigned long long)id, r->n_closed,
                r->m.n_choices);
    totals.errors += finish == PROTOCOL_FINISH_ERROR;
    totals.impossible += finish == PROTOCOL_FINISH_IMPOSSIBLE;
    totals.stops += by_token;
    totals.ends += finish == PROTOCOL_FINISH_STOP && !by_token;
}

static void on_refused(void *arg, uint64_t id, const struct protocol_refused *refused)
{
    struct sim *s = arg;
    struct request *r = request_of(s, id);
    uint64_t room = (uint64_t)s->options.device->n_pages * KV_PAGES_TOKENS;
    room = room < s->options.context ? room : s->options.context;
    bool too_long = r->m.n_prompt + r->m.max_tokens > room;
    bool in_time = !r->m.queue_timeout_ns || s->now_ns - r->arrive_ns < r->m.queue_timeout_ns;
    fail_unless(s, !r->accepted && (refused->reason == PROTOCOL_REFUSED_TOO_LONG) == too_long, "request %llu: refused for %u",
                (unsigned long long)id, refused->reason);
    fail_unless(s, refused->reason != PROTOCOL_REFUSED_TIMEOUT || !in_time, "request %llu: timed out early", (unsigned long long)id);
    fail_unless(s, refused->reason != PROTOCOL_REFUSED_INVALID, "request %llu: refused as invalid", (unsigned long long)id);
    r->refused = true;
    totals.refused++;
    totals.timeouts += refused->reason == PROTOCOL_REFUSED_TIMEOUT;
}

/* ---- Making a seed's world --------------------------------------------------------------------------------------------- */

static void make_prompt(struct sim *s, struct request *r)
{
    struct rng shared = rng_seeded(s->seed * 8 + between(s, 0, 3)); /* four beginnings are in fashion */
    uint32_t n_shared = one_in(s, 3) ? 0 : between(s, 1, 200), n_own = between(s, 1, one_in(s, 8) ? 100 : 20);
    for (uint32_t i = 0; i < n_shared + n_own; i++)
        r->prompt[i] = i < n_shared ? rng_below(&shared, POISON) : rng_below(&s->rng, POISON);
    if (one_in(s, 16))
        r->prompt[n_shared + n_own - 1] = POISON;
    r->m.prompt = r->prompt;
    r->m.n_prompt = n_shared + n_own;
}

static void make_sampling(struct sim *s, struct protocol_submit *m)
{
    m->temperature = one_in(s, 2) ? 0 : 0.25f * (float)between(s, 1, 8);
    m->top_p = one_in(s, 3) ? 0.7f : 1;
    m->min_p = one_in(s, 6) ? 0.05f : 0;
    m->top_k = one_in(s, 4) ? between(s, 1, 20) : 0;
    m->presence_penalty = one_in(s, 6) ? 0.5f : 0;
    m->frequency_penalty = one_in(s, 6) ? -0.5f : 0;
    m->repetition_penalty = one_in(s, 6) ? 1.2f : 1;
    m->seed = rng_next_u64(&s->rng);
    m->logprobs = one_in(s, 4) ? (int32_t)between(s, 0, 5) : -1;
    m->prompt_logprobs = one_in(s, 8) ? (int32_t)between(s, 0, 5) : -1;
}

static void make_stops(struct sim *s, struct request *r)
{
    r->m.n_stop_ids = one_in(s, 2) ? between(s, 1, STOPS_MAX) : 0;
    r->m.n_eos_ids = between(s, 0, r->m.n_stop_ids);
    r->m.ignore_stop = one_in(s, 4);
    for (uint32_t i = 0; i < r->m.n_stop_ids; i++)
        r->stops[i] = rng_below(&s->rng, POISON);
    r->bias[0] = (struct protocol_bias){POISON, -100};
    r->m.n_bias = one_in(s, 4) ? between(s, 2, BIAS_MAX) : 1;
    for (uint32_t i = 1; i < r->m.n_bias; i++)
        r->bias[i] = (struct protocol_bias){rng_below(&s->rng, POISON), one_in(s, 2) ? -100 : 3};
    r->m.stop_ids = r->stops;
    r->m.bias = r->bias;
}

/* Thoughts that begin in the prompt or with a letter, end with another, and may have a budget. */
static void make_thought(struct sim *s, struct request *r)
{
    struct protocol_thought *t = &r->m.thought;
    *t = (struct protocol_thought){.governed = true, .begins_inside = one_in(s, 2), .detects_loops = one_in(s, 2),
                                   .open_token = between(s, 0, 5), .close_token = between(s, 6, 9), .pull = one_in(s, 2) ? 4 : 0,
                                   .budget = one_in(s, 3) ? PROTOCOL_NO_BUDGET : between(s, 0, 60), .bridge = r->bridge};
    t->n_bridge = between(s, 1, BRIDGE_MAX);
    for (uint32_t i = 0; i + 1 < t->n_bridge; i++)
        r->bridge[i] = rng_below(&s->rng, POISON);
    r->bridge[t->n_bridge - 1] = t->close_token;
}

static void make_request(struct sim *s, struct request *r)
{
    uint64_t partition = between(s, 1, 3);
    make_prompt(s, r);
    make_sampling(s, &r->m);
    make_stops(s, r);
    memcpy(r->m.partition, &partition, sizeof partition);
    r->m.tenant = between(s, 1, 3);
    r->m.n_choices = one_in(s, 3) ? between(s, 2, CHOICES_MAX) : 1;
    r->m.first_choice = one_in(s, 8) ? between(s, 1, 5) : 0;
    r->m.max_tokens = r->m.prompt_logprobs >= 0 && one_in(s, 2) ? 0 : between(s, 1, one_in(s, 2) ? OUTPUT_MAX : 12);
    r->m.min_tokens = one_in(s, 4) ? rng_below(&s->rng, r->m.max_tokens + 1) : 0;
    r->m.vocabulary = VOCABULARY;
    r->m.use_cache = !one_in(s, 6);
    r->m.queue_timeout_ns = one_in(s, 6) ? 1000000ull * between(s, 1, 20) : 0;
    r->arrive_ns = 1000ull * between(s, 0, one_in(s, 3) ? 1 : 100000);
    r->cancel_ns = one_in(s, 5) ? r->arrive_ns + 1000ull * between(s, 0, 30000) : 0;
    r->drop_ns = r->m.n_choices > 1 && one_in(s, 2) ? r->arrive_ns + 1000ull * between(s, 0, 30000) : 0;
    r->drop_choice = between(s, r->m.prompt_logprobs >= 0, r->m.n_choices - 1); /* the first one brings the scores */
    r->language = between(s, 0, N_LANGUAGES + 2);
    if (r->language < N_LANGUAGES)
        r->m.language = buf_str(&s->languages[r->language].image);
    else if (one_in(s, 2))
        make_thought(s, r);
    for (uint32_t i = 0; i < r->m.n_choices; i++)
        tell_choice(s, r, i, &r->truth[i]);
    tell_scores(s, r);
}

static int by_arrival(const void *a, const void *b)
{
    const struct request *x = a, *y = b;
    return x->arrive_ns < y->arrive_ns ? -1 : x->arrive_ns > y->arrive_ns;
}

static void make_requests(struct sim *s)
{
    s->n_requests = between(s, 4, REQUESTS_MAX);
    for (uint32_t i = 0; i < s->n_requests; i++) {
        struct request *r = &s->requests[i];
        memset(r, 0, sizeof *r);
        make_request(s, r);
    }
    qsort(s->requests, s->n_requests, sizeof *s->requests, by_arrival);
    for (uint32_t i = 0; i < s->n_requests; i++) { /* they point into themselves */
        struct request *r = &s->requests[i];
        r->m.prompt = r->prompt;
        r->m.stop_ids = r->stops;
        r->m.bias = r->bias;
        r->m.thought.bridge = r->bridge;
    }
}

static void open_world(struct sim *s, uint64_t seed, enum device_mock_bug device_bug, kv_pages_hash *hash)
{
    struct error error;
    struct device_mock_options o = {.wait = fake_wait, .wait_arg = s, .count_breaks = true};
    s->seed = current_seed = seed;
    s->rng = rng_seeded(seed);
    s->now_ns = 1000000000;
    s->clock = (struct clock){fake_now, s};
    s->n_next = 0;
    s->n_steps = 0;
    s->failure[0] = 0;
    struct constraints_options c = {.early_looks = between(s, 0, 3), .memory_max = one_in(s, 2) ? 1 : 1 << 20, .expressions_max = 160,
                                    .build_fuel = 100000, .mask_fuel = 100000};
    support_ok(constraints_create(&s->constraints, &c, &error), &error);
    support_ok(constraints_set_vocabulary(s->constraints, s->tokens, VOCABULARY, &error), &error);
    support_ok(device_mock_parse(&o.script, "vocabulary=48;nan_token=47", &error), &error);
    uint32_t max_running = between(s, 1, 8);
    o.script.pages = between(s, 3, one_in(s, 2) ? 10 : 40);
    o.script.context = between(s, 150, 500);
    o.script.step_us = between(s, 0, 1) * 100;
    o.script.row_us = between(s, 0, 20);
    o.n_rows_max = max_running + between(s, 0, 100);
    o.n_logit_rows_max = max_running + between(s, 0, 8);
    support_ok(device_mock_open(&s->mock, &o, &error), &error);
    device_mock_plant(s->mock, device_bug);
    s->options = (struct scheduler_options){.device = device_mock_device(s->mock), .clock = &s->clock,
                                            .events = {s, on_accepted, on_tokens, on_done, on_refused}, .hash = hash,
                                            .constraints = s->constraints, .max_running = max_running, .max_queue = between(s, 1, 60),
                                            .step_tokens = o.n_rows_max, .max_queue_tokens = one_in(s, 4) ? 600 : 100000,
                                            .context = o.script.context, .prefix_cache = !one_in(s, 6)};
    support_ok(scheduler_create(&s->scheduler, &s->options, &error), &error);
    make_requests(s);
    for (uint32_t i = 0; i < s->n_requests; i++) {
        s->requests[i].arrive_ns += s->now_ns;
        s->requests[i].cancel_ns += s->requests[i].cancel_ns ? s->now_ns : 0;
        s->requests[i].drop_ns += s->requests[i].drop_ns ? s->now_ns : 0;
    }
}

/* ---- Running it -------------------------------------------------------------------------------------------------------- */

static void submit(struct sim *s, struct request *r, uint64_t id)
{
    struct protocol_submit m = r->m;
    struct protocol_stats before;
    scheduler_stats(s->scheduler, &before);
    if (s->bug == MIXES_PARTITIONS)
        memset(m.partition, 0, sizeof m.partition);
    r->submitted = true;
    scheduler_submit(s->scheduler, id, &m);
    bool places = before.n_running + before.n_waiting + before.n_parked < s->options.max_running;
    bool fits = r->m.n_prompt + r->m.max_tokens <= s->options.context &&
                r->m.n_prompt + r->m.max_tokens <= s->options.device->n_pages * KV_PAGES_TOKENS;
    fail_unless(s, !r->refused || !places || !fits, "request %llu: refused with a free place", (unsigned long long)id);
}

static void cancel_due(struct sim *s)
{
    for (uint32_t i = 0; i < s->n_requests; i++) {
        struct request *r = &s->requests[i];
        if (!r->submitted || r->cancelled || !r->cancel_ns || r->cancel_ns > s->now_ns)
            continue;
        if (s->bug != LOSES_CANCELS)
            scheduler_cancel(s->scheduler, i + 1, PROTOCOL_EVERY_CHOICE);
        fail_unless(s, s->bug == LOSES_CANCELS || !scheduler_is_open(s->scheduler, i + 1), "request %u is open after its cancel", i + 1);
        totals.cancelled += !r->last && !r->refused;
        r->cancelled = true;
    }
}

/* One choice is no longer wanted: the others go on as if nothing had happened. */
static void drop_due(struct sim *s)
{
    for (uint32_t i = 0; i < s->n_requests; i++) {
        struct request *r = &s->requests[i];
        uint32_t choice = r->drop_choice;
        if (!r->submitted || r->cancelled || r->refused || !r->drop_ns || r->drop_ns > s->now_ns || r->done[choice] || r->dropped[choice])
            continue;
        scheduler_cancel(s->scheduler, i + 1, choice);
        r->dropped[choice] = true;
        r->cancelled = ++r->n_closed == r->m.n_choices; /* nobody is left to say it is over */
        totals.dropped++;
    }
}

static void check_end(struct sim *s)
{
    struct protocol_stats stats;
    struct device_mock_count count;
    scheduler_stats(s->scheduler, &stats);
    device_mock_count(s->mock, &count);
    for (uint32_t i = 0; i < s->n_requests; i++) {
        const struct request *r = &s->requests[i];
        fail_unless(s, r->last + r->refused == 1 || r->cancelled, "request %u: no terminal event", i + 1);
        fail_unless(s, r->cancelled || r->refused || r->scores_fail || r->m.prompt_logprobs < 0 || r->n_scores + 1 == r->m.n_prompt,
                    "request %u: %u scores for %u tokens", i + 1, r->n_scores, r->m.n_prompt);
    }
    fail_unless(s, !stats.pages_held && stats.pages_free + stats.pages_cached == stats.pages_total, "%u pages are held at the end",
                stats.pages_held);
    fail_unless(s, !stats.n_running && !stats.n_waiting && !stats.n_parked, "sequences are left at the end");
    totals.preemptions += stats.preemptions;
    totals.cached += stats.cached_prompt_tokens;
    totals.copies += count.n_copies;
    totals.steps += s->n_steps;
}

static void run_world(struct sim *s)
{
    while (!s->failure[0] && (s->n_next < s->n_requests || !scheduler_is_idle(s->scheduler))) {
        if (scheduler_is_idle(s->scheduler) && s->requests[s->n_next].arrive_ns > s->now_ns)
            s->now_ns = s->requests[s->n_next].arrive_ns;
        while (s->n_next < s->n_requests && s->requests[s->n_next].arrive_ns <= s->now_ns) {
            submit(s, &s->requests[s->n_next], s->n_next + 1);
            s->n_next++;
        }
        cancel_due(s);
        drop_due(s);
        bool idle = scheduler_is_idle(s->scheduler);
        uint32_t n_open = 0;
        for (uint32_t i = 0; i < s->n_requests; i++)
            n_open += scheduler_is_open(s->scheduler, i + 1);
        totals.busiest = n_open > totals.busiest ? n_open : totals.busiest;
        bool worked = scheduler_step(s->scheduler);
        bool awaits = scheduler_awaits_masks(s->scheduler);
        fail_unless(s, worked || awaits || idle || scheduler_is_idle(s->scheduler), "work waits and no step is made");
        totals.waits += awaits;
        fail_unless(s, ++s->n_steps < STEPS_MAX, "not done after %d steps", STEPS_MAX);
        s->now_ns += 1000;
        scheduler_audit(s->scheduler);
        fail_unless(s, !device_mock_breaks(s->mock), "a chain broke at step %llu", (unsigned long long)s->n_steps);
    }
}

/* An empty text when all is well. */
static const char *simulate(struct sim *s, uint64_t seed, enum bug bug, enum device_mock_bug device_bug, kv_pages_hash *hash)
{
    s->bug = bug;
    open_world(s, seed, device_bug, hash);
    run_world(s);
    if (!s->failure[0])
        check_end(s);
    scheduler_free(s->scheduler);
    constraints_free(s->constraints);
    device_mock_close(s->mock);
    return s->failure;
}

/* ---- Tests ------------------------------------------------------------------------------------------------------------- */

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void make_language(struct language *l, const char *grammar)
{
    struct error error;
    support_ok(automaton_create(&l->automaton, EXPRESSIONS_MAX, &error), &error);
    support_ok(gbnf_language(l->automaton, str_of(grammar), &l->root, &error), &error);
    buf_init(&l->image, 1 << 20);
    support_ok(automaton_image_write(l->automaton, l->root, &l->image, &error), &error);
}

static int make_sim(void **state)
{
    struct error error;
    struct sim *s = mem_zalloc(sizeof *s);
    if (!s || !(s->requests = mem_zalloc_array(REQUESTS_MAX, sizeof *s->requests)))
        return -1;
    support_ok(sampler_create(&s->sampler, VOCABULARY, &error), &error);
    for (uint32_t i = 0; i < N_LANGUAGES; i++)
        make_language(&s->languages[i], grammars[i]);
    for (uint32_t t = 0; t < VOCABULARY; t++) {
        s->tokens[t] = str_of(bytes_of[t] ? bytes_of[t] : "");
        s->sentence_ends |= (uint64_t)sentence_ends_with(s->tokens[t]) << t;
    }
    check_on_failure(print_repeat, NULL);
    *state = s;
    return 0;
}

static int free_sim(void **state)
{
    struct sim *s = *state;
    sampler_free(s->sampler);
    for (uint32_t i = 0; i < N_LANGUAGES; i++) {
        automaton_free(s->languages[i].automaton);
        buf_release(&s->languages[i].image);
    }
    mem_free(s->requests);
    mem_free(s);
    return 0;
}

static void every_seed_answers_as_if_each_request_were_alone(void **state)
{
    uint64_t first = number_from("SEEKD_SIM_FIRST", 1), n = number_from("SEEKD_SIM_SEEDS", 1000);
    memset(&totals, 0, sizeof totals);
    for (uint64_t seed = first; seed < first + n; seed++) {
        const char *failure = simulate(*state, seed, NO_BUG, DEVICE_MOCK_NO_BUG, hash_pages);
        if (failure[0]) {
            print_repeat(NULL, failure);
            fail_msg("seed %llu: %s", (unsigned long long)seed, failure);
        }
    }
    print_message("%llu seeds: %llu steps, %llu tokens, %llu preemptions, %llu cached prompt tokens, %llu page copies, %llu refused "
                  "(%llu timed out), %llu cancelled, %llu choices dropped, %llu stopped, %llu by their language, %llu failed, "
                  "%llu had nothing to choose, %llu thoughts ended, up to "
                  "%llu requests at once; %llu steps left masks awaited\n",
                  (unsigned long long)n, (unsigned long long)totals.steps, (unsigned long long)totals.tokens,
                  (unsigned long long)totals.preemptions, (unsigned long long)totals.cached, (unsigned long long)totals.copies,
                  (unsigned long long)totals.refused, (unsigned long long)totals.timeouts, (unsigned long long)totals.cancelled,
                  (unsigned long long)totals.dropped, (unsigned long long)totals.stops, (unsigned long long)totals.ends,
                  (unsigned long long)totals.errors, (unsigned long long)totals.impossible, (unsigned long long)totals.acted,
                  (unsigned long long)totals.busiest,
                  (unsigned long long)totals.waits);
    if (n >= 100) /* the seeds reach what they are for */
        assert_true(totals.preemptions && totals.cached && totals.copies && totals.timeouts && totals.cancelled && totals.dropped &&
                    totals.stops && totals.ends && totals.waits && totals.errors &&
                    totals.impossible && totals.acted);
}

static void a_page_hash_of_three_bits_changes_no_answer(void **state)
{
    for (uint64_t seed = 1; seed <= 100; seed++) {
        const char *failure = simulate(*state, seed, NO_BUG, DEVICE_MOCK_NO_BUG, hash_pages_badly);
        if (failure[0])
            fail_msg("seed %llu: %s", (unsigned long long)seed, failure);
    }
}

/* The first seed of a hundred in which a planted bug shows, or 0. */
static uint64_t seed_that_finds(struct sim *s, enum bug bug, enum device_mock_bug device_bug)
{
    for (uint64_t seed = 1; seed <= 100; seed++)
        if (simulate(s, seed, bug, device_bug, hash_pages)[0])
            return seed;
    return 0;
}

static void every_planted_bug_is_found(void **state)
{
    const enum device_mock_bug device_bugs[] = {DEVICE_MOCK_READS_NEXT_PAGE, DEVICE_MOCK_SKIPS_A_WRITE, DEVICE_MOCK_IGNORES_PAGE_COPIES,
                                                DEVICE_MOCK_IGNORES_CLEARS, DEVICE_MOCK_DEPENDS_ON_BATCH};
    for (unsigned i = 0; i < sizeof device_bugs / sizeof device_bugs[0]; i++)
        if (!seed_that_finds(*state, NO_BUG, device_bugs[i]))
            fail_msg("device bug %u is not found", i);
    for (enum bug bug = LOSES_CANCELS; bug < N_SIM_BUGS; bug++)
        if (!seed_that_finds(*state, bug, DEVICE_MOCK_NO_BUG))
            fail_msg("bug %u is not found", bug);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_seed_answers_as_if_each_request_were_alone),
        cmocka_unit_test(a_page_hash_of_three_bits_changes_no_answer),
        cmocka_unit_test(every_planted_bug_is_found),
    };
    return cmocka_run_group_tests(tests, make_sim, free_sim);
}
