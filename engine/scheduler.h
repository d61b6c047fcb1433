/* Sequences in progress and the steps that advance them: continuous batching with chunked prefill, paged cache, prefix reuse,
 * fairness between tenants, preemption by recomputation, and exact admission.
 *
 * Single-threaded. The clock and the device are handed in, so that all of it runs under a fake clock and a fake device; no
 * decision depends on pointers or hash seeds. Choices of one request are sequences of their own: the first computes the prompt, the
 * others share its full pages through the prefix index (under a key of the request's own where the caller wants no reuse) and copy
 * the last one. */
#ifndef ENGINE_SCHEDULER_H
#define ENGINE_SCHEDULER_H

#include "base/clock.h"
#include "engine/constraints.h"
#include "engine/device/device.h"
#include "engine/kv_pages.h"
#include "engine/protocol.h"

struct scheduler;

/* News, in order, from inside scheduler_submit and scheduler_step. */
struct scheduler_events {
    void *arg;
    void (*accepted)(void *arg, uint64_t id, uint32_t n_cached);
    void (*tokens)(void *arg, uint64_t id, const struct protocol_tokens *head, const struct protocol_token *tokens);
    void (*done)(void *arg, uint64_t id, const struct protocol_done *done);
    void (*refused)(void *arg, uint64_t id, const struct protocol_refused *refused);
    void (*embedding)(void *arg, uint64_t id, const struct protocol_embedding *embedding); /* before its done */
};

struct scheduler_options {
    const struct device *device;
    const struct clock *clock;
    struct scheduler_events events;
    kv_pages_hash *hash;
    struct constraints *constraints; /* lent; null: no output has a language */
    uint32_t max_running, max_queue;
    uint32_t step_tokens;     /* most rows of a step */
    uint64_t max_queue_tokens;
    uint32_t context;         /* longest sequence admitted */
    bool prefix_cache;
};

enum status scheduler_create(struct scheduler **out, const struct scheduler_options *options, struct error *error) must_check;
void scheduler_free(struct scheduler *scheduler);

/* Copies what it needs. What cannot be taken is answered by a refused event. */
void scheduler_submit(struct scheduler *scheduler, uint64_t id, const struct protocol_submit *submit);

bool scheduler_is_open(const struct scheduler *scheduler, uint64_t id);

/* Ends one choice of the request, or PROTOCOL_EVERY_CHOICE, without an event; what is not there is ignored. */
void scheduler_cancel(struct scheduler *scheduler, uint64_t id, uint32_t choice);

/* What is asked of all choices of the request; what is not there is ignored. */
void scheduler_control(struct scheduler *scheduler, uint64_t id, enum protocol_control control);

/* One step: plan, forward, sample, emit, retire. False when there was nothing to do. */
bool scheduler_step(struct scheduler *scheduler);

bool scheduler_is_idle(const struct scheduler *scheduler);

/* Whether some sequence goes on as soon as its mask is there (constraints_wait). */
bool scheduler_awaits_masks(const struct scheduler *scheduler);

/* Ids in the plan of the step that runs now (for a fatal report); returns how many, at most max. */
uint32_t scheduler_plan_ids(const struct scheduler *scheduler, uint64_t *ids, uint32_t max);

void scheduler_stats(const struct scheduler *scheduler, struct protocol_stats *out);

/* check()s every invariant between sequences and pages. */
void scheduler_audit(const struct scheduler *scheduler);

#endif
