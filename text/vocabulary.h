/* The tokens of a vocabulary as languages of bytes see them.
 *
 * A control token is no text. Languages that ask for one name it by its mark: a byte that no text in UTF-8 holds, then its number. Tokens
 * of text that begin with that byte stand for nothing. */
#ifndef TEXT_VOCABULARY_H
#define TEXT_VOCABULARY_H

#include "text/tokenizer.h"

enum { VOCABULARY_MARK = 0xFF, VOCABULARY_MARK_BYTES = 5 };

void vocabulary_mark(uint32_t token, char out[VOCABULARY_MARK_BYTES]);

struct vocabulary {
    struct str *tokens; /* [n]: lent by the tokenizer, or marks */
    uint32_t n;
    char *marks; /* private */
};

enum status vocabulary_init(struct vocabulary *vocabulary, const struct tokenizer *tokenizer, struct error *error) must_check;
void vocabulary_release(struct vocabulary *vocabulary);

#endif
