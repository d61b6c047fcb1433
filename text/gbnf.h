/* Grammars in GBNF, the notation of llama.cpp (grammars/README.md there): rules `name ::= ...` with literals, character classes, groups,
 * choices and repetition; what is written is what the rule `root` takes. */
#ifndef TEXT_GBNF_H
#define TEXT_GBNF_H

#include "text/automaton.h"

enum { GBNF_BYTES_MAX = 256 << 10, GBNF_NEST_MAX = 200 };

/* A sealed state to begin with. STATUS_INVALID gives the byte in error->offset and the line in the message; STATUS_LIMIT, STATUS_NO_MEMORY.
 * A rule may begin with itself where it is one of its own alternatives (`list ::= list "," item | item`), not through other rules. */
enum status gbnf_language(struct automaton *a, struct str text, uint32_t *out, struct error *error) must_check;

#endif
