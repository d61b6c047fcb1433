/* From a row of logits to a token: penalties, bias, temperature, top-k, top-p, min-p, and log-probabilities of the raw
 * distribution. Random numbers are a function of (seed, choice, index of the token, token id) alone. */
#ifndef ENGINE_SAMPLER_H
#define ENGINE_SAMPLER_H

#include "engine/constraints.h"
#include "engine/protocol.h"

/* Scratch for one row; made once for a vocabulary. */
struct sampler;

enum status sampler_create(struct sampler **out, uint32_t vocabulary, struct error *error) must_check;
void sampler_free(struct sampler *sampler);

struct sampler_row {
    const float *logits;      /* [vocabulary]; not changed */
    const struct protocol_submit *params;
    const uint32_t *prompt;   /* [n_prompt] and */
    uint32_t n_prompt;
    const uint32_t *generated; /* [n_generated]: for penalties */
    uint32_t n_generated;
    uint32_t choice;          /* of the random key */
    bool stops_allowed;       /* false: stop ids cannot be chosen yet (min_tokens) */
    const struct constraint_mask *mask; /* null: any token */
    uint32_t pulled;          /* a token, and */
    float pull;               /* what its logit gains; 0: nothing */
};

/* STATUS_OK and *token (with log-probabilities when params->logprobs >= 0). STATUS_INTERNAL: a logit is not finite;
 * STATUS_INVALID: every token is banned; both with a message. STATUS_NOT_FOUND: the mask allows nothing but the end. */
enum status sampler_choose(struct sampler *sampler, const struct sampler_row *row, struct protocol_token *token,
                           struct error *error) must_check;

/* Log-probability, rank and the n_top likeliest of a row, without choosing. False: a logit is not finite. */
bool sampler_score(struct sampler *sampler, const float *logits, uint32_t vocabulary, uint32_t token, uint32_t n_top,
                   struct protocol_token *out) must_check;

#endif
