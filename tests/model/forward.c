/* Runs a model over token lists and writes the logits of every position as raw floats: the program behind the model tests.
 *
 *   forward MODEL NUMERICS ISA CHUNK THREADS KV < lines of token ids > logits
 *
 * CHUNK: prompt rows per step (0: whole). KV: type of the cache. A line that begins with '=' is batched with the lines before it:
 * their chunks share steps. A line that begins with '^N' finds the cache of its first N tokens already filled, by the line before
 * it, which began with the same tokens. Output: for each line in order, [n_tokens - N, vocabulary] F32. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/model/model.h"
#include "kernels/thread_pool.h"

enum { SEQUENCES_MAX = 32, TOKENS_MAX = 4096, PAGES_EACH = TOKENS_MAX / KV_PAGE_TOKENS, ROWS_MAX = 1024 };

struct sequence {
    uint32_t tokens[TOKENS_MAX], n, done, warm; /* warm: tokens whose cache an earlier line left */
    uint32_t pages[PAGES_EACH];
    float *logits;                              /* [n - warm, vocabulary] */
};

static struct sequence sequences[SEQUENCES_MAX];

/* One step: up to `chunk` tokens of each unfinished sequence. False when all are done. */
static bool step(struct model *model, uint32_t n_sequences, uint32_t chunk, float *logits)
{
    static uint32_t ids[ROWS_MAX], positions[ROWS_MAX], rows[ROWS_MAX];
    struct attention_seq seqs[SEQUENCES_MAX];
    struct sequence *owners[SEQUENCES_MAX];
    struct model_batch batch = {.token_ids = ids, .positions = positions, .seqs = seqs, .logit_rows = rows};
    for (uint32_t s = 0; s < n_sequences; s++) {
        struct sequence *q = &sequences[s];
        uint32_t n = q->n - q->done < chunk ? q->n - q->done : chunk;
        if (n > ROWS_MAX - batch.n_rows)
            n = ROWS_MAX - batch.n_rows;
        if (!n)
            continue;
        owners[batch.n_seqs] = q;
        seqs[batch.n_seqs++] = (struct attention_seq){q->pages, batch.n_rows, n, q->done};
        for (uint32_t i = 0; i < n; i++) {
            rows[batch.n_rows] = batch.n_rows;
            ids[batch.n_rows] = q->tokens[q->done + i];
            positions[batch.n_rows++] = q->done + i;
        }
    }
    if (!batch.n_rows)
        return false;
    batch.n_logit_rows = batch.n_rows;
    model_forward(model, &batch, logits);
    size_t vocabulary = model_config_of(model)->vocabulary;
    for (uint32_t s = 0; s < batch.n_seqs; s++) {
        memcpy(owners[s]->logits + (owners[s]->done - owners[s]->warm) * vocabulary, logits + seqs[s].first_row * vocabulary,
               seqs[s].n_rows * vocabulary * sizeof(float));
        owners[s]->done += seqs[s].n_rows;
    }
    return true;
}

static void run_group(struct model *model, uint32_t n_sequences, uint32_t chunk, float *logits)
{
    size_t vocabulary = model_config_of(model)->vocabulary;
    while (step(model, n_sequences, chunk, logits))
        ;
    for (uint32_t s = 0; s < n_sequences; s++) {
        uint32_t n_rows = sequences[s].n - sequences[s].warm;
        if (fwrite(sequences[s].logits, sizeof(float) * vocabulary, n_rows, stdout) != n_rows)
            exit(1);
    }
}

static bool read_line(struct sequence *q, char *line, size_t vocabulary)
{
    q->n = q->warm = 0;
    if (line[0] == '^')
        q->warm = (uint32_t)strtoul(line + 1, &line, 10);
    q->done = q->warm;
    for (char *word = strtok_r(line, " =\n", &line); word && q->n < TOKENS_MAX; word = strtok_r(NULL, " \n", &line))
        q->tokens[q->n++] = (uint32_t)strtoul(word, NULL, 10);
    q->logits = realloc(q->logits, (q->n + 1) * vocabulary * sizeof(float));
    return q->logits && q->warm <= q->n;
}

int main(int argc, char **argv)
{
    struct error error;
    struct model *model;
    struct thread_pool *pool;
    if (argc != 7 || (argv[6][0] != 'f' && argv[6][0] != 'b')) {
        fprintf(stderr, "usage: forward MODEL exact|fast ISA CHUNK THREADS f32|f16|bf16 < tokens > logits\n");
        return 2;
    }
    struct model_options options = {.numerics = strcmp(argv[2], "fast") == 0 ? NUMERICS_FAST : NUMERICS_EXACT,
                                    .isa = argv[3], .n_rows_max = ROWS_MAX, .n_logit_rows_max = ROWS_MAX};
    uint32_t chunk = (uint32_t)strtoul(argv[4], NULL, 10);
    options.kv_dtype = argv[6][0] == 'b' ? DTYPE_BF16 : strcmp(argv[6], "f16") == 0 ? DTYPE_F16 : DTYPE_F32;
    if (thread_pool_create((unsigned)strtoul(argv[5], NULL, 10), &pool, &error) != STATUS_OK)
        return 1;
    options.pool = pool;
    if (model_load(&model, argv[1], &options, &error) != STATUS_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    size_t vocabulary = model_config_of(model)->vocabulary;
    uint32_t n_pages = SEQUENCES_MAX * PAGES_EACH;
    size_t page_bytes = model_page_bytes(model_config_of(model), options.kv_dtype);
    void *pages = mem_map(n_pages * page_bytes);
    float *logits = malloc(ROWS_MAX * vocabulary * sizeof(float));
    if (!pages || !logits)
        return 1;
    model_set_pages(model, pages, n_pages);
    for (uint32_t s = 0; s < SEQUENCES_MAX; s++)
        for (uint32_t p = 0; p < PAGES_EACH; p++)
            sequences[s].pages[p] = p * SEQUENCES_MAX + (s * 7 + p) % SEQUENCES_MAX; /* scattered, each its own */
    static char line[TOKENS_MAX * 8];
    uint32_t n = 0;
    while (fgets(line, sizeof line, stdin)) {
        if (line[0] != '=' && n) {
            run_group(model, n, chunk ? chunk : TOKENS_MAX, logits);
            n = 0;
        }
        if (n == SEQUENCES_MAX || !read_line(&sequences[n++], line, vocabulary))
            return 1;
    }
    run_group(model, n, chunk ? chunk : TOKENS_MAX, logits);
    for (uint32_t s = 0; s < SEQUENCES_MAX; s++)
        free(sequences[s].logits);
    free(logits);
    model_free(model);
    mem_unmap(pages, n_pages * page_bytes);
    thread_pool_free(pool);
    return 0;
}
