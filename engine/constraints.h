/* What outputs must be: the languages of requests, and for each choice which tokens may come next.
 *
 * Masks are computed on a thread of their own from the moment the token before is known, while the device works; whoever looks too early
 * sees that they are pending. Equal languages are built once and kept while there is room. The language of a choice decides its masks
 * alone: never what else is running, nor when it is looked at. All calls come from one thread. */
#ifndef ENGINE_CONSTRAINTS_H
#define ENGINE_CONSTRAINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"

struct constraints;

struct constraints_options {
    bool threaded;                  /* false: the work is done by whoever looks, */
    uint32_t early_looks;           /* after so many looks that find it pending (for tests) */
    size_t memory_max;              /* bytes that languages nobody uses may hold together with those in use */
    size_t expressions_max;         /* of a language and its states; above three quarters of it the states are made anew */
    uint64_t build_fuel, mask_fuel; /* text/automaton.h */
};

/* What a server uses. */
extern const struct constraints_options constraints_defaults;

enum status constraints_create(struct constraints **out, const struct constraints_options *options, struct error *error) must_check;
void constraints_free(struct constraints *constraints); /* null is allowed; no constraint is open */

/* Copies the tokens; once. Bits of masks are by token. */
enum status constraints_set_vocabulary(struct constraints *constraints, const struct str *tokens, uint32_t n,
                                       struct error *error) must_check;
bool constraints_has_vocabulary(const struct constraints *constraints);

/* A bit for each token that may end a sentence; null before the vocabulary is known. Lent. */
const uint64_t *constraints_sentence_ends(const struct constraints *constraints, size_t *n_words);

/* Waits until a mask that was pending is there, at most so long. */
void constraints_wait(struct constraints *constraints, uint64_t ns);

/* Bytes of all languages, and how many there are. */
size_t constraints_memory(struct constraints *constraints, uint32_t *n_languages);

/* ---- The output of one choice ------------------------------------------------------------------------------------ */

struct constraint;

/* `language` is an image (text/automaton_image.h). Null: out of memory. What is wrong with it is told by the first look. */
struct constraint *constraints_open(struct constraints *constraints, struct str language) must_check;
void constraints_close(struct constraint *constraint); /* null is allowed */

/* The output goes on with this token, which the mask allowed. */
void constraints_push(struct constraint *constraint, uint32_t token);

enum constraint_state { CONSTRAINT_PENDING, CONSTRAINT_READY, CONSTRAINT_FAILED };

struct constraint_mask {
    const uint64_t *tokens; /* [n_words]: bit t % 64 of word t / 64 is token t; lent until the next push */
    size_t n_words;
    bool may_end;        /* the output may end here */
    const char *failure; /* lent while the constraint is open */
};

static inline bool constraints_allow(const struct constraint_mask *mask, uint32_t token)
{
    return token / 64 < mask->n_words && mask->tokens[token / 64] >> token % 64 & 1;
}

enum constraint_state constraints_look(struct constraint *constraint, struct constraint_mask *mask);

#endif
