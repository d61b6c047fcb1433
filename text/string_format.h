/* The formats of strings that JSON Schema names (draft 2020-12, validation, section 7.3) as regular expressions. */
#ifndef TEXT_STRING_FORMAT_H
#define TEXT_STRING_FORMAT_H

#include "base/str.h"

/* A pattern for the whole string, or null where the format is not known. */
const char *string_format_pattern(struct str name);

#endif
