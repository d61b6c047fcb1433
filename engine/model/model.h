/* A loaded model and its forward pass over a batch of rows with paged caches.
 *
 * A family (one file each) binds its tensors by name from a table and writes its own forward from shared
 * layers. This header is all that the engine knows of models. */
#ifndef ENGINE_MODEL_MODEL_H
#define ENGINE_MODEL_MODEL_H

#include "engine/weights/model_config.h"
#include "engine/weights/weights.h"
#include "kernels/ops.h"

struct thread_pool;
struct model;

struct model_options {
    enum numerics numerics;
    const char *isa;          /* "auto" or a table name */
    enum dtype kv_dtype;      /* F32, F16 or BF16 */
    uint32_t n_rows_max;      /* rows of one step */
    uint32_t n_logit_rows_max; /* rows of one step whose logits may be asked for */
    uint32_t context;         /* positions the rope table must cover */
    struct thread_pool *pool; /* borrowed */
    void (*progress)(void *arg, uint64_t done_bytes, uint64_t total_bytes); /* may be null */
    void *progress_arg;
};

/* Rows are grouped by sequence: seqs[i] owns rows [first_row, first_row + n_rows). */
struct model_batch {
    const uint32_t *token_ids; /* [n_rows], each < vocabulary */
    const uint32_t *positions; /* [n_rows] */
    uint32_t n_rows;
    const struct attention_seq *seqs;
    uint32_t n_seqs;
    const uint32_t *logit_rows; /* [n_logit_rows] ascending row indexes */
    uint32_t n_logit_rows;
    const bool *skips_head;     /* [n_logit_rows]: only the hidden state is wanted, its logits stay as they were; null: of none */
};

/* Opens, binds, checks every shape against the config, repacks. Errors name the tensor, what was expected and
 * what was found. */
enum status model_load(struct model **out, const char *path, const struct model_options *options,
                       struct error *error) must_check;
void model_free(struct model *model);

const struct model_config *model_config_of(const struct model *model);

/* Bytes of one page (KV_PAGE_TOKENS tokens, all layers) for this model and cache dtype. */
size_t model_page_bytes(const struct model_config *config, enum dtype kv_dtype);

/* Gives the model its page memory, once: n_pages * model_page_bytes, owned by the caller, who keeps it alive. */
void model_set_pages(struct model *model, void *memory, uint32_t n_pages);

/* Copies or clears a whole page, all layers. */
void model_copy_page(struct model *model, uint32_t from, uint32_t to);
void model_clear_page(struct model *model, uint32_t page);

/* logits [n_logit_rows, vocabulary] (F32), in the order of batch->logit_rows. */
void model_forward(struct model *model, const struct model_batch *batch, float *logits);

/* What the logits of the last forward were made of: [n_logit_rows, hidden], lent until the next. */
const float *model_hidden_rows(const struct model *model);

/* Feeds what identifies the weights to `add`: names, shapes, types, sizes and a sample of each tensor's bytes. */
void model_identify(const struct model *model, void (*add)(void *arg, const void *data, size_t len), void *arg);

/* Name of the op table in use ("avx2"). */
const char *model_isa(const struct model *model);

/* Resident bytes by part, for the start-up table. */
struct model_memory {
    uint64_t weights_mapped_bytes, weights_packed_bytes, activation_bytes, rope_bytes;
};
void model_memory(const struct model *model, struct model_memory *out);

#endif
