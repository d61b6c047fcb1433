/* Rules may be used before they are defined, so a name is a call from its first appearance on. */
#include "text/gbnf.h"

#include <string.h>

#include "base/mem.h"
#include "base/table.h"
#include "base/utf8.h"
#include "text/automaton_parts.h"
#include "text/code_points.h"

enum { REPEAT_MAX = 1 << 20 };

struct rule {
    struct str name; /* a slice of the text */
    uint32_t call;
    bool defined;
};

struct parser {
    struct automaton *a;
    struct str text;
    size_t at;
    struct table names; /* to places in `rules` */
    struct rule *rules; /* owned */
    uint32_t n_rules, capacity;
    unsigned nest;
    struct error *error;
    enum status status;
};

/* ---- Text ---------------------------------------------------------------------------------------------------- */

static void fail(struct parser *p, enum status status, size_t at, const char *what, struct str name)
{
    if (p->status)
        return;
    size_t line = 1;
    for (size_t i = 0; i < at && i < p->text.len; i++)
        line += p->text.at[i] == '\n';
    char quoted[ERROR_QUOTE_BYTES] = "";
    if (name.len)
        error_quote(quoted, name.at, name.len);
    p->status = error_set(p->error, status, "line %zu: %s%s%s", line, what, name.len ? " " : "", quoted);
    if (p->error)
        p->error->offset = (int64_t)at;
}

static void fail_here(struct parser *p, const char *what)
{
    fail(p, STATUS_INVALID, p->at, what, str_of(""));
}

static char peek(const struct parser *p)
{
    return p->at < p->text.len ? p->text.at[p->at] : 0;
}

static bool take(struct parser *p, const char *text)
{
    if (!str_starts(str_skip(p->text, p->at), str_of(text)))
        return false;
    p->at += strlen(text);
    return true;
}

/* Blanks and comments, and the ends of lines where a rule goes on behind them. */
static void skip(struct parser *p, bool lines)
{
    for (char c; (c = peek(p)); p->at++) {
        if (c == '#')
            while (peek(p) && peek(p) != '\n')
                p->at++;
        c = peek(p);
        if (!(c == ' ' || c == '\t' || (lines && (c == '\n' || c == '\r'))))
            return;
    }
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static struct str take_name(struct parser *p)
{
    size_t begin = p->at;
    while (is_name(peek(p)))
        p->at++;
    return str_from(p->text.at + begin, p->at - begin);
}

/* Whether `name ::=` stands here: then the rule before it is over. */
static bool is_definition(struct parser *p)
{
    size_t begin = p->at;
    struct str name = take_name(p);
    skip(p, false);
    bool found = name.len && str_starts(str_skip(p->text, p->at), str_of("::="));
    p->at = begin;
    return found;
}

/* ---- Rules --------------------------------------------------------------------------------------------------- */

static struct rule *rule_of(struct parser *p, struct str name)
{
    uint64_t place;
    if (table_find(&p->names, name, &place))
        return &p->rules[place];
    if (!automaton_grow(p->a, &p->rules, p->n_rules, &p->capacity, sizeof *p->rules) || table_add(&p->names, name, p->n_rules, NULL)) {
        fail(p, STATUS_NO_MEMORY, p->at, "out of memory", str_of(""));
        return NULL;
    }
    p->rules[p->n_rules] = (struct rule){.name = name, .call = automaton_rule(p->a)};
    return &p->rules[p->n_rules++];
}

/* ---- Characters ---------------------------------------------------------------------------------------------- */

static uint32_t take_hex(struct parser *p, unsigned n)
{
    uint32_t value = 0;
    for (; n > 0; n--, p->at++) {
        char c = peek(p);
        int digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
        if (digit < 0) {
            fail_here(p, "a hexadecimal digit is missing");
            return 0;
        }
        value = value * 16 + (uint32_t)digit;
    }
    return value;
}

static uint32_t take_character(struct parser *p)
{
    static const char letters[] = "nrt\\\"[]-^'/", values[] = "\n\r\t\\\"[]-^'/";
    uint32_t code_point = 0;
    if (take(p, "\\")) {
        char c = peek(p);
        const char *letter = c ? strchr(letters, c) : NULL;
        unsigned digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
        if (letter || digits)
            p->at++;
        else
            fail_here(p, "this escape is not known");
        code_point = digits ? take_hex(p, digits) : letter ? (uint32_t)values[letter - letters] : 0;
        if (code_point > CODE_POINT_MAX || (code_point >= 0xD800 && code_point <= 0xDFFF))
            fail_here(p, "this is no character of Unicode");
        return code_point;
    }
    size_t n = utf8_decode(p->text.at + p->at, p->text.len - p->at, &code_point);
    if (!n)
        fail_here(p, "this is not UTF-8");
    p->at += n;
    return code_point;
}

/* Behind the opening quote. */
static uint32_t take_literal(struct parser *p)
{
    size_t begin = p->at - 1;
    uint32_t out = AUTOMATON_END;
    while (!p->status && !take(p, "\"")) {
        if (p->at >= p->text.len || peek(p) == '\n') {
            fail(p, STATUS_INVALID, begin, "this literal is not closed", str_of(""));
            break;
        }
        char bytes[4];
        uint32_t c = take_character(p);
        if (!p->status)
            out = automaton_join(p->a, out, automaton_text(p->a, str_from(bytes, utf8_encode(c, bytes))));
    }
    return out;
}

/* Behind the opening bracket. */
static uint32_t take_class(struct parser *p)
{
    size_t begin = p->at - 1;
    struct code_points set = {0};
    bool inverted = take(p, "^");
    while (!p->status && !take(p, "]")) {
        if (p->at >= p->text.len) {
            fail(p, STATUS_INVALID, begin, "this bracket is not closed", str_of(""));
            break;
        }
        uint32_t first = take_character(p), last = first;
        if (peek(p) == '-' && !str_starts(str_skip(p->text, p->at), str_of("-]"))) {
            p->at++;
            last = take_character(p);
        }
        if (last < first)
            fail_here(p, "this range ends before it begins");
        else if (!p->status)
            code_points_add(&set, first, last);
    }
    if (inverted)
        code_points_invert(&set);
    else
        code_points_settle(&set);
    uint32_t out = p->status ? AUTOMATON_FAILED : code_points_language(p->a, &set, WRITING_UTF8);
    code_points_release(&set);
    return out;
}

/* ---- Sequences ----------------------------------------------------------------------------------------------- */

static uint32_t parse_choice(struct parser *p, const struct rule *self, uint32_t *again);

static bool take_number(struct parser *p, uint32_t *value)
{
    size_t begin = p->at;
    uint64_t n = 0;
    for (; peek(p) >= '0' && peek(p) <= '9'; p->at++)
        n = n > REPEAT_MAX ? n : n * 10 + (uint64_t)(peek(p) - '0');
    if (n > REPEAT_MAX)
        fail(p, STATUS_LIMIT, begin, "this repeats too often", str_of(""));
    *value = (uint32_t)n;
    return p->at > begin;
}

/* The counts behind an item; true when there are any. */
static bool take_counts(struct parser *p, uint32_t *least, uint32_t *most)
{
    *least = 0;
    *most = AUTOMATON_ENDLESS;
    if (take(p, "*"))
        return true;
    if (take(p, "+")) {
        *least = 1;
        return true;
    }
    if (take(p, "?")) {
        *most = 1;
        return true;
    }
    size_t begin = p->at;
    if (!take(p, "{"))
        return false;
    skip(p, true);
    bool given = take_number(p, least);
    skip(p, true);
    if (!take(p, ",")) {
        *most = *least;
    } else {
        skip(p, true);
        given = take_number(p, most) || given;
        *most = *most ? *most : AUTOMATON_ENDLESS;
        skip(p, true);
    }
    if (!given || !take(p, "}"))
        fail(p, STATUS_INVALID, begin, "counts are {n}, {n,}, {n,m} or {,m}", str_of(""));
    else if (*most < *least)
        fail(p, STATUS_INVALID, begin, "this repeats at most less often than at least", str_of(""));
    return true;
}

/* AUTOMATON_FAILED with no status where no item stands. *call: the rule that it calls, if it is nothing but a call. */
static uint32_t parse_item(struct parser *p, const struct rule **call)
{
    size_t begin = p->at;
    *call = NULL;
    if (take(p, "\""))
        return take_literal(p);
    if (take(p, "["))
        return take_class(p);
    if (take(p, "."))
        return code_points_any(p->a, WRITING_UTF8);
    if (take(p, "(")) {
        if (++p->nest > GBNF_NEST_MAX)
            fail(p, STATUS_LIMIT, begin, "groups are nested too deep", str_of(""));
        uint32_t out = p->status ? AUTOMATON_FAILED : parse_choice(p, NULL, NULL);
        p->nest--;
        if (!take(p, ")"))
            fail(p, STATUS_INVALID, begin, "this parenthesis is not closed", str_of(""));
        return out;
    }
    if (!is_name(peek(p)))
        return AUTOMATON_FAILED;
    *call = rule_of(p, take_name(p));
    return *call ? (*call)->call : AUTOMATON_FAILED;
}

/* Whether an item stands here. Between the parentheses of a group, and behind a bar, a rule may go on in the next line. */
static bool goes_on(struct parser *p, bool in_group)
{
    skip(p, in_group);
    size_t begin = p->at;
    if (!in_group) {
        skip(p, true);
        if (is_definition(p) || p->at >= p->text.len) {
            p->at = begin;
            return false;
        }
    }
    char c = peek(p);
    return c && (is_name(c) || strchr("\"[.(", c));
}

/* One alternative. `self`: where it begins with a call of this rule, *again says so and that call is left out. */
static uint32_t parse_sequence(struct parser *p, const struct rule *self, bool *again)
{
    uint32_t out = AUTOMATON_END, least, most;
    bool first = true;
    while (!p->status && goes_on(p, !self)) {
        const struct rule *call;
        struct str own = self ? self->name : str_of("");
        uint32_t item = parse_item(p, &call);
        bool is_self = first && self && call && str_equal(call->name, own);
        skip(p, !self);
        if (take_counts(p, &least, &most)) {
            item = automaton_repeat(p->a, item, least, most);
            is_self = false;
            skip(p, !self);
            if (take_counts(p, &least, &most))
                fail_here(p, "there is nothing to repeat");
        }
        if (is_self)
            *again = true;
        else
            out = automaton_join(p->a, out, item);
        first = false;
    }
    return out;
}

/* Alternatives. Those that begin with the rule itself are gathered in *again: A ::= A x | y is y, then any number of x. */
static uint32_t parse_choice(struct parser *p, const struct rule *self, uint32_t *again)
{
    struct automaton_list list = {0};
    struct rule own = self ? *self : (struct rule){0}; /* the table of rules may move */
    do {
        bool left = false;
        uint32_t x = parse_sequence(p, self ? &own : NULL, &left);
        if (left)
            *again = automaton_or(p->a, *again, x);
        else
            automaton_list_add(&list, x);
        skip(p, !self);
        size_t begin = p->at;
        skip(p, true);
        if (peek(p) != '|')
            p->at = begin;
        if (!take(p, "|"))
            break;
        skip(p, true);
    } while (!p->status);
    return automaton_list_either(p->a, &list);
}

static void parse_rule(struct parser *p)
{
    size_t begin = p->at;
    struct str name = take_name(p);
    skip(p, false);
    if (!name.len || !take(p, "::=")) {
        fail(p, STATUS_INVALID, begin, "a rule is a name, ::= and what it takes", str_of(""));
        return;
    }
    skip(p, true);
    struct rule *rule = rule_of(p, name);
    if (!rule)
        return;
    if (rule->defined)
        fail(p, STATUS_INVALID, begin, "this rule is there twice:", name);
    rule->defined = true;
    uint32_t call = rule->call, again = AUTOMATON_NOTHING, body = parse_choice(p, rule, &again);
    if (again == AUTOMATON_END)
        fail(p, STATUS_INVALID, begin, "this rule is itself and nothing more:", name);
    automaton_define(p->a, call, automaton_join(p->a, body, automaton_repeat(p->a, again, 0, AUTOMATON_ENDLESS)));
    skip(p, false);
    if (!p->status && p->at < p->text.len && peek(p) != '\n' && peek(p) != '\r')
        fail_here(p, "this is no part of a rule");
    skip(p, true);
}

/* ---- Grammars ------------------------------------------------------------------------------------------------ */

static uint32_t check_names(struct parser *p)
{
    uint64_t place;
    for (uint32_t i = 0; i < p->n_rules; i++)
        if (!p->rules[i].defined)
            fail(p, STATUS_INVALID, (size_t)(p->rules[i].name.at - p->text.at), "this rule is not defined:", p->rules[i].name);
    if (!table_find(&p->names, str_of("root"), &place)) {
        fail(p, STATUS_INVALID, p->text.len, "the rule root is missing", str_of(""));
        return AUTOMATON_FAILED;
    }
    return p->rules[place].call;
}

static void seal(struct parser *p, uint32_t *root)
{
    uint32_t wrong;
    struct error error = {0};
    enum status status = automaton_seal(p->a, root, &wrong, &error);
    struct str name = str_of("");
    for (uint32_t i = 0; status && i < p->n_rules; i++)
        if (p->rules[i].call == wrong)
            name = p->rules[i].name;
    if (status && name.len)
        fail(p, status, (size_t)(name.at - p->text.at), "this rule begins with itself by way of others:", name);
    else if (status)
        fail(p, status, 0, error.message, str_of(""));
}

enum status gbnf_language(struct automaton *a, struct str text, uint32_t *out, struct error *error)
{
    if (text.len > GBNF_BYTES_MAX)
        return error_set(error, STATUS_LIMIT, "a grammar is longer than %d bytes", GBNF_BYTES_MAX);
    struct parser p = {.a = a, .text = text, .error = error};
    table_init(&p.names);
    skip(&p, true);
    while (!p.status && p.at < text.len)
        parse_rule(&p);
    *out = p.status ? AUTOMATON_FAILED : check_names(&p);
    if (!p.status)
        seal(&p, out);
    table_release(&p.names);
    mem_free(p.rules);
    return p.status;
}
