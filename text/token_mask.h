/* Which tokens of a vocabulary may come next in a language of bytes.
 *
 * The vocabulary is a trie in one array, in the order of a walk, so that what does not fit is stepped over. What stands in front of the
 * rest of a language and may be repeated (the characters of a string, white space) is walked once for all of its uses: a token then fits
 * when it stays inside, or leaves at some byte and its tail fits the rest. (The precomputed sets of XGrammar, arXiv:2411.15100, section 3,
 * serve the same end.) */
#ifndef TEXT_TOKEN_MASK_H
#define TEXT_TOKEN_MASK_H

#include "text/automaton.h"

/* ---- A vocabulary: immutable, shared by any number of languages and threads ------------------------------------ */

struct token_trie;

/* The bytes of tokens 0 .. n - 1; empty ones are never allowed. Lent until creation returns. */
enum status token_trie_create(struct token_trie **out, const struct str *tokens, uint32_t n, struct error *error) must_check;
void token_trie_free(struct token_trie *trie);
size_t token_trie_words(const struct token_trie *trie); /* of a mask: bit t % 64 of word t / 64 is token t */

/* ---- The masks of one language --------------------------------------------------------------------------------- */

struct token_masks;

/* Both are lent. */
enum status token_masks_create(struct token_masks **out, const struct token_trie *trie, struct automaton *automaton,
                               struct error *error) must_check;
void token_masks_free(struct token_masks *masks);

/* Lent until the next call. Whether the text may end here is automaton_may_end's affair. Null: automaton_status says why, or there is no
 * memory. */
const uint64_t *token_masks_of(struct token_masks *masks, uint32_t state);

/* Bytes of what is kept. */
size_t token_masks_memory(const struct token_masks *masks);

/* How many were computed rather than found. */
uint64_t token_masks_computed(const struct token_masks *masks);

#endif
