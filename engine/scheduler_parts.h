/* Inside the scheduler: requests, sequences, and what planning a step and running it share. */
#ifndef ENGINE_SCHEDULER_PARTS_H
#define ENGINE_SCHEDULER_PARTS_H

#include "engine/governor.h"
#include "engine/sampler.h"
#include "engine/scheduler.h"
#include "engine/tenants.h"

enum {
    SCHEDULER_CHUNK_MIN = 16,
    SCHEDULER_CHUNK_FIRST = 32,        /* before anything was measured */
    SCHEDULER_STEP_NS_MAX = 500000000, /* with nobody decoding */
};

/* What the sequences of one request share. */
struct request {
    uint64_t id;
    struct protocol_submit params; /* its arrays point into `memory` */
    void *memory;                  /* owned */
    struct page_hash partition;
    uint32_t tenant;   /* row of its account */
    uint32_t n_open;   /* sequences not ended */
    uint32_t n_cached; /* prompt tokens that the first choice to run did not compute */
    uint64_t submitted_ns;
    bool announced; /* accepted was sent */
    bool lead_done; /* the first choice has computed the prompt: the others find its pages */
};

enum state { WAITING, RUNNING };

struct sequence {
    struct request *request;
    uint32_t choice; /* of the request: 0 .. n - 1 */
    enum state state;
    uint32_t *tokens; /* [capacity]: prompt, then generated; owned */
    uint32_t n_tokens, n_prompt, capacity;
    uint32_t n_computed; /* positions whose state is in the pages */
    uint32_t *pages;     /* owned list */
    uint32_t n_pages;
    uint32_t n_published;   /* full pages offered to the index */
    struct page_link chain; /* behind them */
    double *pooled;         /* [hidden] sum of hidden states, owned; null: none is asked for */
    uint32_t n_pooled;      /* prompt positions that are in it */
    uint32_t n_scored;      /* prompt positions whose log-probabilities were sent */
    uint64_t order;         /* of arrival: ties, preemption */
    uint64_t started_ns, first_token_ns;
    bool ever_ran;
    struct constraint *constraint; /* null: any token may come */
    struct governor *governor;     /* null: nobody ends its thought but the model */
    bool awaits_mask;              /* its last row was computed before its mask */
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
    bool *skips_head;
    struct attention_seq *seqs;
    struct device_sequence *descriptions;
    /* measured, for the size of prompt chunks */
    uint64_t decode_step_ns, prompt_token_ns;
    struct protocol_stats stats;
    uint64_t private_partitions;
};

/* ---- Lists and pages ------------------------------------------------------------------------------------------------- */

static inline uint32_t scheduler_pages_for(uint32_t n_tokens)
{
    return (n_tokens + KV_PAGES_TOKENS - 1) / KV_PAGES_TOKENS;
}

/* Rows whose logits score a prompt: those not sent yet. The last row of a prompt scores nothing, and one choice speaks for all. */
static inline bool scheduler_scores(const struct sequence *q, uint32_t position)
{
    return q->choice == 0 && q->request->params.prompt_logprobs >= 0 && position + 1 < q->n_prompt && position + 1 > q->n_scored;
}

/* Rows whose hidden state is asked for: the last of the prompt, or all that are not in the sum yet. */
static inline bool scheduler_pools(const struct sequence *q, uint32_t position)
{
    bool mean = q->request->params.pooling == PROTOCOL_POOLING_MEAN;
    return q->pooled && position < q->n_prompt && (mean ? position >= q->n_pooled : position + 1 == q->n_prompt);
}

/* The row whose logits choose the next token. */
static inline bool scheduler_chooses(const struct sequence *q, uint32_t position)
{
    return position + 1 == q->n_tokens && q->n_tokens < q->capacity;
}

/* Rows that the head of the model is run for. */
static inline bool scheduler_looks_at(const struct sequence *q, uint32_t position)
{
    return scheduler_scores(q, position) || scheduler_pools(q, position) || scheduler_chooses(q, position);
}

/* Gives all pages of the sequence back. */
void scheduler_release_pages(struct scheduler *s, struct sequence *q);

/* Both lists stand in order of arrival. */
void scheduler_list_insert(struct sequence **list, uint32_t *n, struct sequence *q);
void scheduler_list_remove(struct sequence **list, uint32_t *n, const struct sequence *q);

bool scheduler_waiting_insert(struct scheduler *s, struct sequence *q) must_check; /* false: out of memory */
void scheduler_waiting_remove(struct scheduler *s, struct sequence *q);

/* ---- Planning ---------------------------------------------------------------------------------------------------------- */

/* Fills s->planned with what the next step computes. True when some of it decodes. */
bool scheduler_plan(struct scheduler *s);

#endif
