/* Times are of whole masks, from a state to all bits, whether they were computed or found among those kept. */
#include "server/mask_check.h"

#include <stdlib.h>

#include "base/clock.h"

enum { TIMES_BYTES_MAX = 256 << 20, TOKENS_MAX = 1 << 24 };

enum status mask_check_init(struct mask_check *check, const char *model, struct automaton *automaton, struct error *error)
{
    *check = (struct mask_check){.automaton = automaton};
    buf_init(&check->times, TIMES_BYTES_MAX);
    enum status status = model_text_load(&check->model, model, error);
    if (!status)
        status = vocabulary_init(&check->vocabulary, check->model.tokenizer, error);
    if (!status)
        status = token_trie_create(&check->trie, check->vocabulary.tokens, check->vocabulary.n, error);
    if (!status)
        status = token_masks_create(&check->masks, check->trie, automaton, error);
    if (status)
        mask_check_release(check);
    return status;
}

void mask_check_release(struct mask_check *check)
{
    token_masks_free(check->masks);
    token_trie_free(check->trie);
    vocabulary_release(&check->vocabulary);
    model_text_release(&check->model);
    buf_release(&check->times);
    *check = (struct mask_check){0};
}

static const uint64_t *timed_mask(struct mask_check *check, uint32_t state)
{
    uint64_t begin = clock_now_ns(clock_real());
    const uint64_t *bits = token_masks_of(check->masks, state);
    uint64_t ns = clock_now_ns(clock_real()) - begin;
    buf_add(&check->times, &ns, sizeof ns);
    return bits;
}

enum status mask_check_follow(struct mask_check *check, uint32_t state, struct str text, struct error *error)
{
    struct token_list list;
    token_list_init(&list, TOKENS_MAX);
    enum status status = tokenizer_encode_text(check->model.tokenizer, text, SPAN_CONTENT, &list, error);
    for (size_t i = 0; i < list.n && !status; i++) {
        const uint64_t *bits = timed_mask(check, state);
        uint32_t token = list.ids[i];
        state = automaton_read(check->automaton, state, check->vocabulary.tokens[token]);
        if (!bits || state == AUTOMATON_FAILED)
            status = error_set(error, STATUS_LIMIT, "a mask needs more states than are allowed");
        else if (state == AUTOMATON_NOTHING)
            break;
        else if (!(bits[token / 64] >> token % 64 & 1))
            status = error_set(error, STATUS_INTERNAL, "token %u fits and is masked", token);
    }
    token_list_release(&list);
    return status;
}

static int by_time(const void *x, const void *y)
{
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
    return (a > b) - (a < b);
}

void mask_check_report(struct mask_check *check, FILE *out)
{
    uint64_t *times = (uint64_t *)(void *)check->times.at;
    size_t n = check->times.len / sizeof *times;
    if (buf_status(&check->times) || !n)
        return;
    qsort(times, n, sizeof *times, by_time);
    fprintf(out, "%zu masks over %u tokens, %llu of them computed: p50 %.1f us, p99 %.1f us, longest %.1f us\n", n,
            tokenizer_size(check->model.tokenizer), (unsigned long long)token_masks_computed(check->masks), (double)times[n / 2] * 1e-3,
            (double)times[n - 1 - n / 100] * 1e-3, (double)times[n - 1] * 1e-3);
}
