/* Cutting a template into tokens, with Jinja's rules for white space as chat templates expect them: the first newline
 * after a block is dropped (trim_blocks), white space before a block at the start of a line too (lstrip_blocks). */
#include "text/jinja_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

enum { TOKENS_MAX = 1 << 18 };

struct lexer {
    struct jinja_tokens *tokens;
    struct arena *arena;
    struct error *error;
    const char *at, *end;
    int line;
    bool line_starting; /* nothing stands before `at` on its line */
};

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
}

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static enum status fail(struct lexer *lexer, const char *what)
{
    return error_set(lexer->error, STATUS_INVALID, "chat template, line %d: %s", lexer->line, what);
}

static enum status add(struct lexer *lexer, struct jinja_token token)
{
    struct jinja_tokens *t = lexer->tokens;
    if (t->n == TOKENS_MAX)
        return error_set(lexer->error, STATUS_LIMIT, "chat template, line %d: more than %d tokens", lexer->line, TOKENS_MAX);
    if (t->n == t->capacity) {
        uint32_t capacity = t->capacity ? 2 * t->capacity : 256;
        struct jinja_token *at = mem_realloc(t->at, capacity * sizeof *at);
        if (!at)
            return error_set(lexer->error, STATUS_NO_MEMORY, "out of memory");
        t->at = at;
        t->capacity = capacity;
    }
    t->at[t->n++] = token;
    return STATUS_OK;
}

static enum status add_kind(struct lexer *lexer, enum jinja_token_kind kind)
{
    return add(lexer, (struct jinja_token){.kind = kind, .line = lexer->line});
}

static void advance(struct lexer *lexer, const char *to)
{
    for (; lexer->at < to; lexer->at++)
        lexer->line += *lexer->at == '\n';
}

static bool looking_at(const struct lexer *lexer, const char *text)
{
    size_t n = strlen(text);
    return (size_t)(lexer->end - lexer->at) >= n && memcmp(lexer->at, text, n) == 0;
}

static const char *skip_space(const struct lexer *lexer, const char *at)
{
    while (at < lexer->end && is_space(*at))
        at++;
    return at;
}

/* ---- Inside of tags ---------------------------------------------------------------------------------------------- */

static int hex_value(const char *at, const char *end, int digits)
{
    int value = 0;
    if (end - at < digits)
        return -1;
    for (int i = 0; i < digits; i++) {
        char c = at[i];
        int d = is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (d < 0 || value > 0x10ffff)
            return -1;
        value = value * 16 + d;
    }
    return value;
}

/* One escape sequence of Python; `at` stands after the backslash. Returns how many bytes it took, 0 when it is wrong. */
static size_t unescape(const char *at, const char *end, char out[4], size_t *n)
{
    static const char plain[] = "\\\\''\"\"a\ab\bf\fn\nr\rt\tv\v";
    for (size_t i = 0; plain[i]; i += 2)
        if (*at == plain[i]) {
            out[0] = plain[i + 1];
            *n = 1;
            return 1;
        }
    if (*at == '\n') {
        *n = 0;
        return 1;
    }
    int digits = *at == 'x' ? 2 : *at == 'u' ? 4 : *at == 'U' ? 8 : 0, code = -1;
    size_t took = (size_t)digits + 1;
    if (digits) {
        code = hex_value(at + 1, end, digits);
    } else if (*at >= '0' && *at <= '7') {
        for (took = 0, code = 0; took < 3 && at + took < end && at[took] >= '0' && at[took] <= '7'; took++)
            code = code * 8 + (at[took] - '0');
    } else { /* unknown escapes keep their backslash */
        out[0] = '\\';
        *n = 1;
        return SIZE_MAX;
    }
    if (code < 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return 0;
    *n = utf8_encode((uint32_t)code, out);
    return took;
}

static enum status lex_string(struct lexer *lexer)
{
    char quote = *lexer->at;
    const char *start = lexer->at + 1, *stop = start;
    bool escapes = false;
    while (stop < lexer->end && *stop != quote) {
        escapes |= *stop == '\\';
        stop += *stop == '\\' && stop + 1 < lexer->end ? 2 : 1;
    }
    if (stop >= lexer->end)
        return fail(lexer, "a string does not end");
    struct jinja_token token = {.kind = JINJA_TOKEN_STRING, .line = lexer->line, .text = {start, (size_t)(stop - start)}};
    if (escapes) {
        char *out = arena_alloc(lexer->arena, 2 * token.text.len + 4);
        if (!out)
            return error_set(lexer->error, STATUS_NO_MEMORY, "out of memory");
        token.text = str_from(out, 0);
        for (const char *p = start; p < stop;) {
            size_t n = 1, took = 1;
            if (*p == '\\' && p + 1 < stop) {
                took = unescape(p + 1, stop, out + token.text.len, &n);
                if (took == 0)
                    return fail(lexer, "a wrong escape in a string");
                took = took == SIZE_MAX ? 1 : took + 1;
            } else {
                out[token.text.len] = *p;
            }
            token.text.len += n;
            p += took;
        }
    }
    advance(lexer, stop + 1);
    return add(lexer, token);
}

static enum status lex_number(struct lexer *lexer)
{
    char digits[64];
    size_t n = 0;
    bool real = false;
    const char *p = lexer->at;
    for (; p < lexer->end && n < sizeof digits - 1; p++) {
        bool sign_of_exponent = real && (*p == '+' || *p == '-') && (p[-1] == 'e' || p[-1] == 'E');
        bool point = *p == '.' && !real && p + 1 < lexer->end && is_digit(p[1]);
        bool exponent = (*p == 'e' || *p == 'E') && p + 1 < lexer->end && (is_digit(p[1]) || p[1] == '-' || p[1] == '+');
        if (!is_digit(*p) && *p != '_' && !sign_of_exponent && !point && !exponent)
            break;
        real |= point || exponent;
        if (*p != '_')
            digits[n++] = *p;
    }
    digits[n] = 0;
    if (n == sizeof digits - 1 || (p < lexer->end && is_name_start(*p)))
        return fail(lexer, "a wrong number");
    struct jinja_token token = {.kind = real ? JINJA_TOKEN_FLOAT : JINJA_TOKEN_INT, .line = lexer->line};
    errno = 0;
    if (real)
        token.real = strtod(digits, NULL);
    else
        token.integer = strtoll(digits, NULL, 10);
    if (errno)
        return fail(lexer, "a number that is too large");
    lexer->at = p;
    return add(lexer, token);
}

static enum status lex_operator(struct lexer *lexer)
{
    static const char *const two[] = {"==", "!=", "<=", ">=", "//", "**"};
    struct jinja_token token = {.kind = JINJA_TOKEN_OPERATOR, .line = lexer->line};
    for (size_t i = 0; i < sizeof two / sizeof two[0]; i++)
        if (looking_at(lexer, two[i])) {
            token.op = JINJA_OP2(two[i][0], two[i][1]);
            lexer->at += 2;
            return add(lexer, token);
        }
    if (!*lexer->at || !strchr("+-*/%~<>=.,:|()[]{}", *lexer->at))
        return fail(lexer, "a character that has no meaning here");
    token.op = *lexer->at++;
    return add(lexer, token);
}

static enum status lex_one(struct lexer *lexer)
{
    char c = *lexer->at;
    if (is_name_start(c)) {
        const char *p = lexer->at;
        while (p < lexer->end && (is_name_start(*p) || is_digit(*p)))
            p++;
        struct jinja_token token = {.kind = JINJA_TOKEN_NAME, .line = lexer->line, .text = {lexer->at, (size_t)(p - lexer->at)}};
        lexer->at = p;
        return add(lexer, token);
    }
    if (is_digit(c))
        return lex_number(lexer);
    if (c == '"' || c == '\'')
        return lex_string(lexer);
    return lex_operator(lexer);
}

/* The tokens up to the closing mark (`}}` or `%}`), which a bracket inside may look like: {{ {'a': {}} }}. */
static enum status lex_tag(struct lexer *lexer, const char *closing, enum jinja_token_kind end_kind, bool trims_newline)
{
    char dashed[4] = {'-', closing[0], closing[1], 0}, plus[4] = {'+', closing[0], closing[1], 0};
    int open_braces = 0;
    for (;;) {
        advance(lexer, skip_space(lexer, lexer->at));
        if (lexer->at >= lexer->end)
            return fail(lexer, "a tag does not end");
        bool may_close = open_braces == 0 || closing[0] == '%';
        if (may_close && looking_at(lexer, dashed)) {
            enum status status = add_kind(lexer, end_kind);
            advance(lexer, skip_space(lexer, lexer->at + 3));
            lexer->line_starting = lexer->at[-1] == '\n';
            return status;
        }
        bool plain = may_close && looking_at(lexer, closing);
        if (plain || (may_close && trims_newline && looking_at(lexer, plus))) {
            enum status status = add_kind(lexer, end_kind);
            const char *after = lexer->at + (plain ? 2 : 3);
            advance(lexer, after + (plain && trims_newline && after < lexer->end && *after == '\n'));
            lexer->line_starting = lexer->at[-1] == '\n';
            return status;
        }
        open_braces += (*lexer->at == '{') - (*lexer->at == '}');
        enum status status = lex_one(lexer);
        if (status)
            return status;
    }
}

/* ---- Between tags ------------------------------------------------------------------------------------------------ */

static const char *find(const struct lexer *lexer, const char *from, const char *what)
{
    const char *hit = memmem(from, (size_t)(lexer->end - from), what, strlen(what));
    return hit;
}

/* The next "{{", "{%" or "{#". */
static const char *next_tag(const struct lexer *lexer)
{
    for (const char *p = lexer->at; p + 1 < lexer->end; p++)
        if (*p == '{' && (p[1] == '{' || p[1] == '%' || p[1] == '#'))
            return p;
    return lexer->end;
}

/* The text before a tag, cut by the tag's sign and by lstrip_blocks. */
static enum status add_data(struct lexer *lexer, const char *tag, bool is_output)
{
    const char *start = lexer->at, *stop = tag;
    char sign = tag + 2 < lexer->end ? tag[2] : 0;
    if (tag == lexer->end) {
        sign = '+';
    } else if (sign == '-') {
        while (stop > start && is_space(stop[-1]))
            stop--;
    } else if (sign != '+' && !is_output) {
        const char *p = stop;
        while (p > start && is_space(p[-1]) && p[-1] != '\n')
            p--;
        if (p > start ? p[-1] == '\n' : lexer->line_starting)
            stop = p;
    }
    struct jinja_token token = {.kind = JINJA_TOKEN_DATA, .line = lexer->line, .text = {start, (size_t)(stop - start)}};
    advance(lexer, tag);
    return token.text.len ? add(lexer, token) : STATUS_OK;
}

static enum status lex_comment(struct lexer *lexer)
{
    const char *stop = find(lexer, lexer->at + 2, "#}");
    if (!stop)
        return fail(lexer, "a comment does not end");
    const char *after = stop + 2;
    if (stop[-1] == '-' && stop - 1 >= lexer->at + 2)
        after = skip_space(lexer, after);
    else if (!(stop[-1] == '+' && stop - 1 >= lexer->at + 2) && after < lexer->end && *after == '\n')
        after++;
    advance(lexer, after);
    lexer->line_starting = lexer->at[-1] == '\n';
    return STATUS_OK;
}

/* Where a tag holding only `word` ends; null when this is another tag. *dash tells a '-' before the closing mark. */
static const char *tag_of_word(const struct lexer *lexer, const char *tag, const char *word, bool *dash)
{
    const char *p = tag + 2;
    size_t n = strlen(word);
    if (p < lexer->end && (*p == '-' || *p == '+'))
        p++;
    p = skip_space(lexer, p);
    if ((size_t)(lexer->end - p) < n || memcmp(p, word, n) != 0)
        return NULL;
    p = skip_space(lexer, p + n);
    *dash = p < lexer->end && *p == '-';
    p += *dash || (p < lexer->end && *p == '+');
    return lexer->end - p >= 2 && p[0] == '%' && p[1] == '}' ? p + 2 : NULL;
}

/* {% raw %} ... {% endraw %}; `after` is the end of the opening tag. */
static enum status lex_raw(struct lexer *lexer, const char *after, bool dash)
{
    advance(lexer, dash ? skip_space(lexer, after) : after);
    for (const char *p = lexer->at; (p = find(lexer, p, "{%")) != NULL; p += 2) {
        bool end_dash;
        const char *end = tag_of_word(lexer, p, "endraw", &end_dash);
        if (!end)
            continue;
        enum status status = add_data(lexer, p, false);
        bool newline = !end_dash && end[-3] != '+' && end < lexer->end && *end == '\n';
        advance(lexer, end_dash ? skip_space(lexer, end) : end + newline);
        lexer->line_starting = lexer->at[-1] == '\n';
        return status;
    }
    return fail(lexer, "a raw block does not end");
}

static enum status lex_next(struct lexer *lexer)
{
    const char *tag = next_tag(lexer);
    bool is_output = tag < lexer->end && tag[1] == '{', dash;
    enum status status = add_data(lexer, tag, is_output);
    if (status || tag == lexer->end)
        return status;
    if (tag[1] == '#')
        return lex_comment(lexer);
    const char *raw_end = is_output ? NULL : tag_of_word(lexer, tag, "raw", &dash);
    if (raw_end)
        return lex_raw(lexer, raw_end, dash);
    lexer->at += 2;
    lexer->at += lexer->at < lexer->end && (*lexer->at == '-' || *lexer->at == '+');
    status = add_kind(lexer, is_output ? JINJA_TOKEN_OUTPUT_BEGIN : JINJA_TOKEN_BLOCK_BEGIN);
    if (status)
        return status;
    return is_output ? lex_tag(lexer, "}}", JINJA_TOKEN_OUTPUT_END, false) : lex_tag(lexer, "%}", JINJA_TOKEN_BLOCK_END, true);
}

/* A copy with newlines written as one \n each, without the one at the very end. */
static bool normalize(struct lexer *lexer, struct str source)
{
    char *out = arena_alloc(lexer->arena, source.len + 1);
    size_t n = 0;
    if (!out)
        return false;
    for (size_t i = 0; i < source.len; i++) {
        if (source.at[i] == '\r') {
            out[n++] = '\n';
            i += i + 1 < source.len && source.at[i + 1] == '\n';
        } else {
            out[n++] = source.at[i];
        }
    }
    n -= n > 0 && out[n - 1] == '\n';
    lexer->at = out;
    lexer->end = out + n;
    return true;
}

enum status jinja_lex(struct jinja_tokens *tokens, struct arena *arena, struct str source, struct error *error)
{
    struct lexer lexer = {.tokens = tokens, .arena = arena, .error = error, .line = 1, .line_starting = true};
    *tokens = (struct jinja_tokens){0};
    if (!normalize(&lexer, source))
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    enum status status = STATUS_OK;
    while (status == STATUS_OK && lexer.at < lexer.end)
        status = lex_next(&lexer);
    return status ? status : add_kind(&lexer, JINJA_TOKEN_END);
}

void jinja_tokens_release(struct jinja_tokens *tokens)
{
    mem_free(tokens->at);
    *tokens = (struct jinja_tokens){0};
}
