/* Where sentences end. */
#ifndef TEXT_SENTENCE_H
#define TEXT_SENTENCE_H

#include <stdbool.h>

#include "base/str.h"

/* Whether a sentence may be over behind this text: a full stop, an exclamation or question mark of any of the languages that seekd knows,
 * maybe with quotes, brackets and white space behind it; or a line end. */
bool sentence_ends_with(struct str text);

#endif
