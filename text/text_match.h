/* Looking for something in a text: a part whatever its case, or a regular expression. */
#ifndef TEXT_TEXT_MATCH_H
#define TEXT_TEXT_MATCH_H

#include <stdbool.h>

#include "base/status.h"
#include "base/str.h"

/* Both case-folded and composed (Unicode, UAX #15), so that two spellings of a letter are one. False for text that is not UTF-8. */
bool text_match_contains(struct str text, struct str part);

struct text_pattern;

/* A regular expression in PCRE2's syntax, over UTF-8. STATUS_INVALID says at which character it is wrong. */
enum status text_pattern_create(struct text_pattern **out, struct str pattern, struct error *error) must_check;
void text_pattern_free(struct text_pattern *pattern);

enum text_pattern_result { TEXT_PATTERN_ABSENT, TEXT_PATTERN_FOUND, TEXT_PATTERN_TOO_MUCH_WORK };

/* May run in several threads at once. Work and memory are bounded. */
enum text_pattern_result text_pattern_find(const struct text_pattern *pattern, struct str text);

#endif
