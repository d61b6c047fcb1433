/* In which of six languages a short text is written: by script for Chinese and Arabic, by frequent words and letters for English,
 * French, German and Spanish. */
#ifndef TEXT_LANGUAGE_H
#define TEXT_LANGUAGE_H

#include <stdbool.h>

#include "base/str.h"

/* en, fr, de, es, zh, ar. */
bool language_is_known(const char *code);

/* The language that a text shows, or null where it shows none of the six. */
const char *language_guess(struct str text);

/* False when the text has letters and another language fits it better; that one's code then stands in *found. A text that shows no
 * language (digits, names) fits every language of its script. */
bool language_fits(struct str text, const char *code, const char **found);

#endif
