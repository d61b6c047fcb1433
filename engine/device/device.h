/* Where a forward pass runs, as the scheduler sees it: pages that are numbers, and logits for the rows asked for. */
#ifndef ENGINE_DEVICE_DEVICE_H
#define ENGINE_DEVICE_DEVICE_H

#include "engine/model/model.h"

/* What a device that checks its callers (the mock) wants to know of each sequence of a batch. */
struct device_sequence {
    uint64_t partition; /* who may share its pages */
    uint32_t n_prompt;
};

struct device {
    void *self;
    uint32_t vocabulary;       /* width of a logits row */
    uint32_t n_pages;
    uint32_t n_rows_max, n_logit_rows_max; /* of one step */
    uint32_t context;          /* longest sequence the model takes */
    uint32_t hidden;           /* width of a row of hidden_rows; 0: there are none */
    void (*forward)(void *self, const struct model_batch *batch, float *logits);
    /* After the final norm, of the rows whose logits were asked for: [n_logit_rows, hidden] of the last forward, until the next. */
    const float *(*hidden_rows)(void *self);
    void (*copy_page)(void *self, uint32_t from, uint32_t to);
    void (*clear_page)(void *self, uint32_t page);
    void (*describe)(void *self, const struct device_sequence *sequences); /* of the next forward; null: not wanted */
};

#endif
