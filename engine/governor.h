/* What keeps a thought from going on for ever: a budget, a pull toward its end, a look-out for loops, and the word of somebody who wants
 * the answer now. Each ends the thought, never the reply: the tokens of a bridging sentence and of the closing mark are forced, and the
 * model goes on from there.
 *
 * Decides by the tokens of its own choice alone. Takes constant time for a token. */
#ifndef ENGINE_GOVERNOR_H
#define ENGINE_GOVERNOR_H

#include "engine/protocol.h"

struct governor;

/* Copies what it needs of `thought`. `ends_sentence` [n_words]: bit t % 64 of word t / 64 says that token t may end a sentence; lent; null
 * where nothing is known of the vocabulary: then every token may. Null: out of memory. */
struct governor *governor_create(const struct protocol_thought *thought, const uint64_t *ends_sentence, size_t n_words) must_check;
void governor_free(struct governor *governor); /* null is allowed */

/* The token that must come next, or PROTOCOL_NO_TOKEN. */
uint32_t governor_forced(const struct governor *governor);

/* Whether nothing of the bridge was forced yet: it may come later as well. */
bool governor_may_wait(const struct governor *governor);

/* What is added to the logit of the closing mark for the next token: 0 outside the last quarter of the budget and inside sentences. */
float governor_pull(const struct governor *governor);

/* The next token was chosen, forced or not. */
void governor_push(struct governor *governor, uint32_t token);

/* Ends the thought, now or as soon as it begins. */
void governor_answer_now(struct governor *governor);

/* Which of them ended the thought; the pull counts where the mark came at a place where it pulled. */
enum protocol_acted governor_acted(const struct governor *governor);

#endif
