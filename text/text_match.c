/* Unicode by utf8proc, expressions by PCRE2's interpreter: both are asked rarely, for short texts. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/text_match.h"

#include <pcre2.h>
#include <utf8proc.h>

#include "base/mem.h"

enum { MATCH_LIMIT = 1000000, HEAP_LIMIT_KIB = 64 * 1024 };

/* ---- Parts --------------------------------------------------------------------------------------------------- */

/* In fresh memory; *out has no bytes where the text is not UTF-8. */
static utf8proc_int32_t *fold(struct str text, struct str *out)
{
    const utf8proc_option_t form = UTF8PROC_CASEFOLD | UTF8PROC_COMPOSE | UTF8PROC_STABLE;
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text.at;
    utf8proc_ssize_t n = utf8proc_decompose(at, (utf8proc_ssize_t)text.len, NULL, 0, form);
    utf8proc_int32_t *folded = n < 0 ? NULL : mem_zalloc_array((size_t)n + 1, sizeof *folded); /* reencoding adds a terminator */
    *out = str_of("");
    if (!folded)
        return NULL;
    n = utf8proc_decompose(at, (utf8proc_ssize_t)text.len, folded, n, form);
    if (n >= 0)
        n = utf8proc_reencode(folded, n, form);
    if (n >= 0)
        *out = str_from((const char *)folded, (size_t)n);
    return folded;
}

bool text_match_contains(struct str text, struct str part)
{
    struct str folded_text, folded_part;
    utf8proc_int32_t *text_memory = fold(text, &folded_text), *part_memory = fold(part, &folded_part);
    bool found = text_memory && part_memory && str_find(folded_text, folded_part) >= 0;
    mem_free(text_memory);
    mem_free(part_memory);
    return found;
}

/* ---- Patterns ------------------------------------------------------------------------------------------------ */

/* struct text_pattern is PCRE2's own compiled code. */
enum status text_pattern_create(struct text_pattern **out, struct str pattern, struct error *error)
{
    int code;
    PCRE2_SIZE at;
    char why[128];
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)pattern.at, pattern.len,
                                         PCRE2_UTF | PCRE2_UCP | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C, &code, &at, NULL);
    *out = (struct text_pattern *)compiled;
    if (compiled)
        return STATUS_OK;
    pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
    return error_set(error, STATUS_INVALID, "at character %zu: %s", (size_t)at, why);
}

void text_pattern_free(struct text_pattern *pattern)
{
    pcre2_code_free((pcre2_code *)pattern);
}

enum text_pattern_result text_pattern_find(const struct text_pattern *pattern, struct str text)
{
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    int n = PCRE2_ERROR_NOMEMORY;
    if (data && context) {
        pcre2_set_match_limit(context, MATCH_LIMIT);
        pcre2_set_heap_limit(context, HEAP_LIMIT_KIB);
        n = pcre2_match((const pcre2_code *)pattern, (PCRE2_SPTR)text.at, text.len, 0, 0, data, context);
    }
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    if (n >= 0)
        return TEXT_PATTERN_FOUND;
    return n == PCRE2_ERROR_NOMATCH ? TEXT_PATTERN_ABSENT : TEXT_PATTERN_TOO_MUCH_WORK;
}
