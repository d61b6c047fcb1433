/* Marks are compared as UTF-8. */
#include "text/sentence.h"

#include <string.h>

static bool ends_with(struct str text, const char *const *marks, size_t *length)
{
    for (; *marks; marks++) {
        *length = strlen(*marks);
        if (text.len >= *length && memcmp(text.at + text.len - *length, *marks, *length) == 0)
            return true;
    }
    return false;
}

bool sentence_ends_with(struct str text)
{
    static const char *const behind[] = {" ", "\t", "\"", "'", ")", "]", "\u00BB", "\u201D", "\u2019", "\u300D", "\uFF09", NULL};
    static const char *const stops[] = {".", "!", "?", "\n", "\r", "\u2026", "\u3002", "\uFF01", "\uFF1F", "\u061F", "\u06D4", NULL};
    size_t length;
    while (ends_with(text, behind, &length))
        text.len -= length;
    return ends_with(text, stops, &length);
}
