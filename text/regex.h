/* Regular expressions as languages: the syntax of ECMAScript (ECMA-262, section 22.2, with the u flag), without what needs a memory of
 * what was read: look-around, back-references, word boundaries, and anchors in the middle. */
#ifndef TEXT_REGEX_H
#define TEXT_REGEX_H

#include "text/code_points.h"

enum { REGEX_BYTES_MAX = 4096, REGEX_REPEAT_MAX = 1 << 20 };

/* `whole`: the expression is to match the text from end to end; otherwise a part of it is enough (JSON Schema, section 6.3.3).
 * STATUS_INVALID and STATUS_UNSUPPORTED give the byte in error->offset; STATUS_LIMIT, STATUS_NO_MEMORY. */
enum status regex_language(struct automaton *a, struct str pattern, bool whole, enum writing writing, uint32_t *out,
                           struct error *error) must_check;

#endif
