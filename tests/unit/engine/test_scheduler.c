/* The scheduler's rules one by one, on the mock device and a clock of the test's own. The simulator (tests/sim) covers their company. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "engine/device/device_mock.h"
#include "engine/scheduler.h"
#include "tests/support.h"

enum { IDS = 128, PROMPT_MAX = 4096, VOCABULARY = 64, POISON = 63 };

/* What came for a request. */
struct seen {
    unsigned n_tokens, n_done, n_errors, n_cached;
    bool accepted, last;
    uint32_t refused;
    char message[160];
    uint64_t first_token_step, last_step;
};

enum { HIDDEN = DEVICE_MOCK_HIDDEN };

struct world {
    float embeddings[IDS][HIDDEN];
    uint64_t now_ns, n_steps;
    struct clock clock;
    struct device_mock *mock;
    struct scheduler *scheduler;
    struct seen seen[IDS];
    unsigned token_events; /* of the step that ran */
};

static uint64_t world_now(void *self)
{
    return ((const struct world *)self)->now_ns;
}

static void world_wait(void *arg, uint64_t ns)
{
    ((struct world *)arg)->now_ns += ns;
}

static void on_accepted(void *arg, uint64_t id, uint32_t n_cached)
{
    struct world *w = arg;
    w->seen[id].accepted = true;
    w->seen[id].n_cached = n_cached;
}

static void on_tokens(void *arg, uint64_t id, const struct protocol_tokens *head, const struct protocol_token *tokens)
{
    struct world *w = arg;
    (void)tokens;
    w->seen[id].n_tokens += head->n_tokens;
    w->token_events++;
    if (!w->seen[id].first_token_step)
        w->seen[id].first_token_step = w->n_steps;
}

static void on_done(void *arg, uint64_t id, const struct protocol_done *done)
{
    struct world *w = arg;
    struct seen *seen = &w->seen[id];
    seen->n_done++;
    seen->n_errors += done->finish == PROTOCOL_FINISH_ERROR;
    seen->last |= done->last;
    seen->last_step = w->n_steps;
}

static void on_refused(void *arg, uint64_t id, const struct protocol_refused *refused)
{
    struct world *w = arg;
    w->seen[id].refused = refused->reason;
    snprintf(w->seen[id].message, sizeof w->seen[id].message, "%s", refused->message);
}

static void on_embedding(void *arg, uint64_t id, const struct protocol_embedding *embedding)
{
    struct world *w = arg;
    assert_int_equal(embedding->n, HIDDEN);
    assert_int_equal(w->seen[id].n_done, 0);
    memcpy(w->embeddings[id], embedding->values, sizeof w->embeddings[id]);
}

static void hash_page(struct page_hash *out, const struct page_hash *parent, const uint32_t tokens[KV_PAGES_TOKENS])
{
    uint64_t words[4];
    memcpy(words, parent->bytes, sizeof words);
    for (uint32_t i = 0; i < KV_PAGES_TOKENS; i++)
        words[i % 4] = device_mock_extend(words[i % 4], tokens[i], i);
    memcpy(out->bytes, words, sizeof words);
}

struct sizes {
    uint32_t max_running, max_queue, step_tokens, max_queue_tokens;
};

static struct world *open_world(const char *script, struct sizes sizes)
{
    struct error error;
    struct world *w = mem_zalloc(sizeof *w);
    assert_non_null(w);
    uint32_t step_tokens = sizes.step_tokens ? sizes.step_tokens : 512;
    struct device_mock_options o = {.n_rows_max = step_tokens, .n_logit_rows_max = 64, .wait = world_wait, .wait_arg = w};
    char text[256];
    snprintf(text, sizeof text, "vocabulary=64;%s", script);
    support_ok(device_mock_parse(&o.script, text, &error), &error);
    support_ok(device_mock_open(&w->mock, &o, &error), &error);
    w->now_ns = 1000000000;
    w->clock = (struct clock){world_now, w};
    struct scheduler_options s = {.device = device_mock_device(w->mock), .clock = &w->clock,
                                  .events = {w, on_accepted, on_tokens, on_done, on_refused, on_embedding}, .hash = hash_page,
                                  .max_running = sizes.max_running, .max_queue = sizes.max_queue, .step_tokens = step_tokens,
                                  .max_queue_tokens = sizes.max_queue_tokens ? sizes.max_queue_tokens : 1 << 20,
                                  .context = o.script.context, .prefix_cache = true};
    support_ok(scheduler_create(&w->scheduler, &s, &error), &error);
    return w;
}

static void close_world(struct world *w)
{
    scheduler_free(w->scheduler);
    device_mock_close(w->mock);
    mem_free(w);
}

static bool step(struct world *w)
{
    w->token_events = 0;
    w->n_steps++;
    bool worked = scheduler_step(w->scheduler);
    scheduler_audit(w->scheduler);
    return worked;
}

static void run_out(struct world *w)
{
    while (step(w))
        assert_true(w->n_steps < 100000);
    assert_true(scheduler_is_idle(w->scheduler));
}

static uint32_t prompt[PROMPT_MAX];

static struct protocol_submit request(uint32_t n_prompt, uint32_t max_tokens)
{
    for (uint32_t i = 0; i < PROMPT_MAX; i++)
        prompt[i] = (i * 7 + i / 64) % POISON;
    return (struct protocol_submit){.prompt = prompt, .n_prompt = n_prompt, .n_choices = 1, .max_tokens = max_tokens, .top_p = 1,
                                    .repetition_penalty = 1, .vocabulary = POISON, .logprobs = -1, .prompt_logprobs = -1,
                                    .use_cache = true};
}

static void submit(struct world *w, uint64_t id, const struct protocol_submit *m)
{
    scheduler_submit(w->scheduler, id, m);
}

static uint64_t n_rows(const struct world *w)
{
    struct device_mock_count count;
    device_mock_count(w->mock, &count);
    return count.n_rows;
}

static struct protocol_stats stats_of(const struct world *w)
{
    struct protocol_stats stats;
    scheduler_stats(w->scheduler, &stats);
    return stats;
}

static void a_long_prompt_does_not_hold_up_who_decodes(void **state)
{
    struct world *w = open_world("step_us=1000;row_us=10", (struct sizes){.max_running = 4, .max_queue = 8});
    struct protocol_submit short_one = request(10, 400), long_one = request(4000, 1);
    (void)state;
    submit(w, 1, &short_one);
    for (int i = 0; i < 20; i++)
        step(w);
    uint64_t begin = w->now_ns;
    step(w);
    uint64_t decode_ns = w->now_ns - begin;
    submit(w, 2, &long_one);
    step(w); /* the first chunk is measured */
    unsigned n_beside = 0;
    while (!w->seen[2].n_tokens) {
        begin = w->now_ns;
        step(w);
        n_beside++;
        assert_true(w->token_events >= 1);
        assert_true(w->now_ns - begin <= 2 * decode_ns + decode_ns / 10);
    }
    assert_in_range(n_beside, 20, 80); /* about as many prompt tokens a step as fit in the time of a decode */
    close_world(w);
}

static void a_step_without_decodes_takes_half_a_second_at_most(void **state)
{
    struct world *w = open_world("row_us=10000", (struct sizes){.max_running = 4, .max_queue = 8});
    struct protocol_submit m = request(600, 1);
    (void)state;
    submit(w, 1, &m);
    while (!w->seen[1].last) {
        uint64_t begin = w->now_ns;
        step(w);
        assert_true(w->now_ns - begin <= 500000000);
    }
    assert_in_range(w->n_steps, 12, 20);
    close_world(w);
}

static void a_tenant_with_a_pile_of_work_does_not_hold_up_another(void **state)
{
    struct world *w = open_world("step_us=1000;row_us=10", (struct sizes){.max_running = 4, .max_queue = 64, .step_tokens = 64});
    struct protocol_submit heavy = request(3000, 1), light = request(20, 1);
    (void)state;
    heavy.tenant = 1;
    light.tenant = 2;
    heavy.use_cache = light.use_cache = false;
    for (uint64_t id = 1; id <= 20; id++)
        submit(w, id, &heavy);
    for (int i = 0; i < 10; i++)
        step(w);
    uint64_t begin = w->n_steps;
    submit(w, 50, &light);
    while (!w->seen[50].last)
        step(w);
    assert_true(w->n_steps - begin <= 3);
    close_world(w);
}

static void places_are_shared_between_tenants(void **state)
{
    struct world *w = open_world("pages=64", (struct sizes){.max_running = 4, .max_queue = 64});
    struct protocol_submit many = request(70, 60), one = request(20, 3);
    (void)state;
    many.tenant = 1;
    many.n_choices = 6;
    one.tenant = 2;
    submit(w, 1, &many);
    for (int i = 0; i < 12; i++)
        step(w);
    assert_int_equal(stats_of(w).n_running, 4);
    submit(w, 2, &one);
    for (int i = 0; i < 6; i++)
        step(w);
    assert_true(w->seen[2].last && !w->seen[1].n_done);
    assert_int_equal(stats_of(w).preemptions, 1);
    for (int i = 0; i < 20; i++)
        step(w);
    assert_int_equal(stats_of(w).preemptions, 1); /* alone again, it shares with nobody */
    run_out(w);
    assert_int_equal(w->seen[1].n_tokens, 6 * 60);
    close_world(w);
}

static void tenants_share_and_idle_time_earns_nothing(void **state)
{
    struct world *w = open_world("step_us=100", (struct sizes){.max_running = 2, .max_queue = 100, .step_tokens = 64});
    struct protocol_submit a = request(100, 1), b = a;
    (void)state;
    a.tenant = 1;
    b.tenant = 2;
    a.use_cache = b.use_cache = false;
    submit(w, 1, &b); /* the second tenant is known, then away for long */
    run_out(w);
    for (uint64_t id = 2; id < 40; id++)
        submit(w, id, &a);
    for (int i = 0; i < 40; i++)
        step(w);
    unsigned before = 0, n_a = 0, n_b = 0;
    for (uint64_t id = 2; id < 40; id++)
        before += w->seen[id].last;
    assert_in_range(before, 10, 37);
    for (uint64_t id = 60; id < 90; id++)
        submit(w, id, &b);
    for (int i = 0; i < 20; i++)
        step(w);
    for (uint64_t id = 2; id < 40; id++)
        n_a += w->seen[id].last;
    for (uint64_t id = 60; id < 90; id++)
        n_b += w->seen[id].last;
    n_a -= before;
    assert_true(n_a + 2 >= n_b && n_b + 2 >= n_a && n_a + n_b >= 8);
    close_world(w);
}

static void a_full_queue_refuses_with_numbers(void **state)
{
    struct world *w = open_world("pages=100", (struct sizes){.max_running = 1, .max_queue = 2, .max_queue_tokens = 200});
    struct protocol_submit m = request(30, 20);
    (void)state;
    submit(w, 1, &m);
    step(w);
    submit(w, 2, &m);
    submit(w, 3, &m);
    submit(w, 4, &m);
    assert_int_equal(w->seen[4].refused, PROTOCOL_REFUSED_QUEUE_FULL);
    assert_string_equal(w->seen[4].message, "2 sequences wait and 1 more were asked for; at most 2 may wait");
    scheduler_cancel(w->scheduler, 3, PROTOCOL_EVERY_CHOICE);
    m.n_prompt = 180;
    submit(w, 5, &m);
    assert_int_equal(w->seen[5].refused, PROTOCOL_REFUSED_QUEUE_FULL);
    assert_string_equal(w->seen[5].message, "210 tokens would wait; at most 200 may");
    run_out(w);
    assert_true(w->seen[1].last && w->seen[2].last && !w->seen[3].last);
    close_world(w);
}

static void what_just_fits_runs_and_one_token_more_is_refused(void **state)
{
    struct world *w = open_world("pages=3;context=180", (struct sizes){.max_running = 2, .max_queue = 2});
    struct protocol_submit m = request(150, 30);
    (void)state;
    submit(w, 1, &m);
    m.max_tokens = 31;
    submit(w, 2, &m);
    m.max_tokens = UINT32_MAX;
    submit(w, 3, &m);
    assert_int_equal(w->seen[2].refused, PROTOCOL_REFUSED_TOO_LONG);
    assert_string_equal(w->seen[2].message, "150 prompt tokens and 31 to generate are more than the 180 that fit");
    assert_int_equal(w->seen[3].refused, PROTOCOL_REFUSED_TOO_LONG);
    run_out(w);
    assert_int_equal(w->seen[1].n_tokens, 30);
    close_world(w);
}

static void a_deadline_ends_what_has_not_started_and_only_that(void **state)
{
    struct world *w = open_world("step_us=1000", (struct sizes){.max_running = 1, .max_queue = 4});
    struct protocol_submit m = request(10, 50);
    (void)state;
    m.queue_timeout_ns = 5000000;
    submit(w, 1, &m);
    submit(w, 2, &m);
    run_out(w);
    assert_int_equal(w->seen[1].n_tokens, 50);
    assert_int_equal(w->seen[2].refused, PROTOCOL_REFUSED_TIMEOUT);
    assert_false(w->seen[2].accepted);
    close_world(w);
}

static void nothing_is_allocated_between_submit_and_done(void **state)
{
    struct world *w = open_world("pages=8", (struct sizes){.max_running = 4, .max_queue = 8});
    struct protocol_submit m = request(100, 120);
    (void)state;
    m.temperature = 1;
    m.top_p = 0.9f;
    m.logprobs = 5;
    m.n_choices = 2;
    submit(w, 1, &m);
    submit(w, 2, &m);
    step(w);
    mem_fail_after(0, false);
    for (int i = 0; i < 60; i++)
        assert_true(scheduler_step(w->scheduler));
    assert_int_equal(mem_fail_after(0, false), 0);
    run_out(w);
    assert_true(stats_of(w).preemptions > 0);
    close_world(w);
}

static void choices_share_one_pass_over_the_prompt(void **state)
{
    const uint32_t lengths[] = {1, 2, 63, 64, 65, 66, 128, 129, 200};
    (void)state;
    for (unsigned cache = 0; cache < 2; cache++)
        for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            struct world *w = open_world("pages=64", (struct sizes){.max_running = 4, .max_queue = 8});
            struct protocol_submit m = request(lengths[i], 3);
            m.n_choices = 4;
            m.use_cache = cache;
            submit(w, 1, &m);
            run_out(w);
            assert_int_equal(w->seen[1].n_done, 4);
            /* the prompt once, its last token for the others, two generated tokens for each */
            assert_int_equal(n_rows(w), lengths[i] + 3 + 4 * 2);
            assert_int_equal(stats_of(w).prompt_tokens, lengths[i]);
            close_world(w);
        }
}

static void a_prompt_is_found_again_by_its_own_partition_alone(void **state)
{
    struct world *w = open_world("pages=64", (struct sizes){.max_running = 4, .max_queue = 8});
    struct protocol_submit m = request(200, 1);
    (void)state;
    submit(w, 1, &m);
    run_out(w);
    assert_int_equal(w->seen[1].n_cached, 0);
    submit(w, 2, &m);
    run_out(w);
    assert_int_equal(w->seen[2].n_cached, 192);
    m.n_prompt = 192; /* the last token is always computed */
    submit(w, 3, &m);
    run_out(w);
    assert_int_equal(w->seen[3].n_cached, 128);
    m.partition[31] = 1;
    submit(w, 4, &m);
    m.partition[31] = 0;
    m.use_cache = false;
    submit(w, 5, &m);
    run_out(w);
    assert_int_equal(w->seen[4].n_cached, 0);
    assert_int_equal(w->seen[5].n_cached, 0);
    m.use_cache = true;
    m.prompt_logprobs = 0; /* scores of cached positions are not kept */
    submit(w, 6, &m);
    run_out(w);
    assert_int_equal(w->seen[6].n_cached, 0);
    assert_int_equal(w->seen[6].n_tokens, 191 + 1);
    close_world(w);
}

/* Whatever the chunks, the cache and who else runs: the mean is that of the last states of all beginnings. */
static void embeddings_are_of_the_prompt_alone(void **state)
{
    enum { N = 70 };
    (void)state;
    for (uint32_t step_tokens = 7; step_tokens < 200; step_tokens += 90) {
        struct world *w = open_world("", (struct sizes){.max_running = 4, .max_queue = 200, .step_tokens = step_tokens});
        double sum[HIDDEN] = {0};
        struct protocol_submit other = request(300, 20), m = request(N, 0);
        submit(w, 100, &other);
        m.pooling = PROTOCOL_POOLING_LAST;
        for (uint32_t n = 1; n <= N; n++) {
            m.n_prompt = n;
            submit(w, n, &m);
        }
        m.pooling = PROTOCOL_POOLING_MEAN;
        submit(w, 0, &m);
        run_out(w);
        for (uint32_t n = 1; n <= N; n++)
            for (uint32_t i = 0; i < HIDDEN; i++)
                sum[i] += (double)w->embeddings[n][i];
        for (uint32_t i = 0; i < HIDDEN; i++)
            assert_true(w->embeddings[0][i] == (float)(sum[i] / N));
        assert_int_equal(w->seen[0].n_done, 1);
        assert_int_equal(w->seen[0].n_cached, 0);
        close_world(w);
    }
}

static void a_faulty_row_ends_its_choice_and_hides_its_pages(void **state)
{
    struct world *w = open_world("pages=64;nan_token=63", (struct sizes){.max_running = 4, .max_queue = 8});
    struct protocol_submit good = request(150, 40), bad = request(150, 40);
    uint32_t poisoned[150];
    (void)state;
    good.partition[0] = 9;
    memcpy(poisoned, prompt, sizeof poisoned);
    poisoned[149] = POISON;
    bad.prompt = poisoned;
    bad.vocabulary = VOCABULARY;
    submit(w, 1, &good);
    submit(w, 2, &bad);
    run_out(w);
    assert_int_equal(w->seen[1].n_tokens, 40);
    assert_int_equal(w->seen[2].n_errors, 1);
    assert_int_equal(w->seen[2].n_tokens, 0);
    bad.prompt = prompt;
    submit(w, 3, &bad);
    run_out(w);
    assert_int_equal(w->seen[3].n_cached, 0);
    submit(w, 4, &bad);
    run_out(w);
    assert_int_equal(w->seen[4].n_cached, 128);
    close_world(w);
}

static void the_oldest_is_never_parked_and_all_finish(void **state)
{
    struct world *w = open_world("pages=7", (struct sizes){.max_running = 6, .max_queue = 20});
    struct protocol_submit m = request(40, 300);
    (void)state;
    for (uint64_t id = 1; id <= 6; id++) {
        m.partition[0] = (uint8_t)id;
        submit(w, id, &m);
    }
    run_out(w);
    assert_true(stats_of(w).preemptions > 0);
    for (uint64_t id = 1; id <= 6; id++) {
        assert_int_equal(w->seen[id].n_tokens, 300);
        assert_true(id == 1 || w->seen[id].last_step >= w->seen[id - 1].last_step);
    }
    assert_int_equal(w->seen[1].last_step, w->seen[1].first_token_step + 299);
    close_world(w);
}

static void cached_pages_never_stop_new_work(void **state)
{
    struct world *w = open_world("pages=6", (struct sizes){.max_running = 2, .max_queue = 20});
    struct protocol_submit m = request(300, 1);
    (void)state;
    for (uint64_t id = 1; id <= 8; id++) {
        m.partition[0] = (uint8_t)id;
        submit(w, id, &m);
        run_out(w);
        assert_true(w->seen[id].last);
    }
    assert_int_equal(stats_of(w).pages_held, 0);
    assert_true(stats_of(w).pages_cached > 0);
    close_world(w);
}

static void a_cancel_takes_all_choices_and_no_other_request(void **state)
{
    struct world *w = open_world("pages=64", (struct sizes){.max_running = 3, .max_queue = 20});
    struct protocol_submit m = request(70, 30);
    (void)state;
    submit(w, 2, &m);
    m.n_choices = 4;
    submit(w, 1, &m);
    for (int i = 0; i < 6; i++)
        step(w);
    unsigned n = w->seen[1].n_tokens;
    assert_true(n > 0);
    scheduler_cancel(w->scheduler, 1, PROTOCOL_EVERY_CHOICE);
    scheduler_cancel(w->scheduler, 1, PROTOCOL_EVERY_CHOICE);
    assert_false(scheduler_is_open(w->scheduler, 1));
    run_out(w);
    assert_int_equal(w->seen[1].n_tokens, n);
    assert_int_equal(w->seen[1].n_done, 0);
    assert_int_equal(w->seen[2].n_tokens, 30);
    assert_int_equal(stats_of(w).pages_held, 0);
    close_world(w);
}

static void a_cancel_of_one_choice_leaves_the_others_alone(void **state)
{
    struct world *w = open_world("pages=64", (struct sizes){.max_running = 8, .max_queue = 20});
    struct protocol_submit m = request(70, 30);
    (void)state;
    m.n_choices = 3;
    submit(w, 1, &m);
    for (int i = 0; i < 6; i++)
        step(w);
    unsigned n = w->seen[1].n_tokens;
    assert_true(n > 3 && w->seen[1].n_done == 0);
    scheduler_cancel(w->scheduler, 1, 1);
    scheduler_cancel(w->scheduler, 1, 1);
    scheduler_cancel(w->scheduler, 1, 3);
    run_out(w);
    assert_true(w->seen[1].n_tokens > 2 * 30 && w->seen[1].n_tokens < 2 * 30 + n);
    assert_int_equal(w->seen[1].n_done, 2);
    assert_true(w->seen[1].last);
    assert_int_equal(stats_of(w).pages_held, 0);
    close_world(w);
}

static void a_choice_that_ends_early_gives_its_pages_back(void **state)
{
    struct world *w = open_world("pages=64", (struct sizes){.max_running = 8, .max_queue = 20});
    struct protocol_submit m = request(10, 120);
    const uint32_t stops[] = {1, 2, 3, 4, 5, 6};
    (void)state;
    m.n_choices = 4;
    m.temperature = 2;
    m.seed = 3;
    m.stop_ids = stops;
    m.n_stop_ids = 6;
    submit(w, 1, &m);
    while (w->seen[1].n_done < 1)
        step(w);
    assert_false(w->seen[1].last);
    uint32_t held = stats_of(w).pages_held;
    assert_int_equal(stats_of(w).n_running, 3);
    assert_true(held <= 3 * 3);
    run_out(w);
    assert_int_equal(w->seen[1].n_done, 4);
    close_world(w);
}

static void memory_that_runs_out_refuses_one_request(void **state)
{
    struct world *w = open_world("pages=64", (struct sizes){.max_running = 2, .max_queue = 80});
    struct protocol_submit m = request(70, 3);
    unsigned n_refused = 0;
    (void)state;
    m.n_choices = 3;
    for (uint64_t k = 1; k <= 16; k++) {
        mem_fail_after(k, false);
        submit(w, k, &m);
        mem_fail_after(0, false);
        n_refused += w->seen[k].refused == PROTOCOL_REFUSED_QUEUE_FULL;
        run_out(w);
        assert_true(w->seen[k].last || w->seen[k].refused);
    }
    assert_true(n_refused >= 8);
    assert_true(w->seen[16].last);
    close_world(w);
}

static void making_a_scheduler_survives_every_failing_allocation(void **state)
{
    struct error error;
    struct device_mock *mock;
    struct device_mock_options o = {.n_rows_max = 8, .n_logit_rows_max = 4};
    struct scheduler *scheduler = NULL;
    (void)state;
    support_ok(device_mock_parse(&o.script, "vocabulary=64;pages=4", &error), &error);
    support_ok(device_mock_open(&mock, &o, &error), &error);
    struct scheduler_options s = {.device = device_mock_device(mock), .clock = clock_real(), .hash = hash_page, .max_running = 4,
                                  .max_queue = 4, .step_tokens = 8, .context = 64};
    uint64_t k = 1;
    for (enum status status = STATUS_NO_MEMORY; status; k++) {
        mem_fail_after(k, false);
        status = scheduler_create(&scheduler, &s, &error);
        mem_fail_after(0, false);
        assert_true(status == STATUS_OK || status == STATUS_NO_MEMORY);
    }
    assert_true(k > 15);
    scheduler_free(scheduler);
    device_mock_close(mock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_prompt_does_not_hold_up_who_decodes),
        cmocka_unit_test(a_step_without_decodes_takes_half_a_second_at_most),
        cmocka_unit_test(a_tenant_with_a_pile_of_work_does_not_hold_up_another),
        cmocka_unit_test(places_are_shared_between_tenants),
        cmocka_unit_test(tenants_share_and_idle_time_earns_nothing),
        cmocka_unit_test(a_full_queue_refuses_with_numbers),
        cmocka_unit_test(what_just_fits_runs_and_one_token_more_is_refused),
        cmocka_unit_test(a_deadline_ends_what_has_not_started_and_only_that),
        cmocka_unit_test(nothing_is_allocated_between_submit_and_done),
        cmocka_unit_test(choices_share_one_pass_over_the_prompt),
        cmocka_unit_test(a_prompt_is_found_again_by_its_own_partition_alone),
        cmocka_unit_test(embeddings_are_of_the_prompt_alone),
        cmocka_unit_test(a_faulty_row_ends_its_choice_and_hides_its_pages),
        cmocka_unit_test(the_oldest_is_never_parked_and_all_finish),
        cmocka_unit_test(cached_pages_never_stop_new_work),
        cmocka_unit_test(a_cancel_takes_all_choices_and_no_other_request),
        cmocka_unit_test(a_cancel_of_one_choice_leaves_the_others_alone),
        cmocka_unit_test(a_choice_that_ends_early_gives_its_pages_back),
        cmocka_unit_test(memory_that_runs_out_refuses_one_request),
        cmocka_unit_test(making_a_scheduler_survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
