/* Two steps: the text to a tree, the tree to a language. Anchors ask for the tree: whether one stands at an end of the whole expression is
 * only known when all of it was read. */
#include "text/regex.h"

#include <string.h>
#include <utf8proc.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "text/automaton_parts.h"

enum node_kind { NODE_CHARACTERS, NODE_SEQUENCE, NODE_CHOICE, NODE_REPEAT, NODE_START, NODE_FINISH };

struct node {
    enum node_kind kind;
    uint32_t language;         /* CHARACTERS */
    uint32_t least, most;      /* REPEAT */
    int32_t first, last, next; /* children, and the next child of the same parent; -1: none */
};

/* Neighbours of one general category. */
struct run {
    uint32_t first, last;
    utf8proc_category_t category;
};

enum { NEST_MAX = 200, NODES_PER_BYTE = 4, RUNS_MAX = 8192 };

struct parser {
    struct automaton *a;
    struct str text;
    size_t at;
    enum writing writing;
    struct node *nodes;
    int32_t n_nodes;
    int nest;
    uint32_t any;     /* any text */
    struct run *runs; /* of all of Unicode, once a property asked for them; owned */
    size_t n_runs;
    struct error *error;
    enum status status;
};

static void fail(struct parser *p, enum status status, size_t at, const char *what)
{
    if (p->status)
        return;
    p->status = error_set(p->error, status, "at byte %zu: %s", at, what);
    if (p->error)
        p->error->offset = (int64_t)at;
}

static bool is_next(const struct parser *p, const char *text)
{
    return str_starts(str_skip(p->text, p->at), str_of(text));
}

static bool take(struct parser *p, const char *text)
{
    if (!is_next(p, text))
        return false;
    p->at += strlen(text);
    return true;
}

/* ---- Nodes --------------------------------------------------------------------------------------------------- */

static int32_t new_node(struct parser *p, enum node_kind kind)
{
    check((size_t)p->n_nodes < NODES_PER_BYTE * (p->text.len + 1));
    p->nodes[p->n_nodes] = (struct node){.kind = kind, .first = -1, .last = -1, .next = -1};
    return p->n_nodes++;
}

static void add_child(struct parser *p, int32_t parent, int32_t child)
{
    struct node *node = &p->nodes[parent];
    if (node->last >= 0)
        p->nodes[node->last].next = child;
    else
        node->first = child;
    node->last = child;
}

/* ---- Characters ---------------------------------------------------------------------------------------------- */

static uint32_t take_code_point(struct parser *p)
{
    uint32_t code_point = 0;
    size_t n = utf8_decode(p->text.at + p->at, p->text.len - p->at, &code_point);
    if (!n) {
        fail(p, STATUS_INVALID, p->at, "this is not UTF-8");
        n = 1;
    }
    p->at += n;
    return code_point;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static uint32_t take_hex(struct parser *p, unsigned least, unsigned most)
{
    uint32_t value = 0;
    unsigned n = 0;
    for (; n < most && p->at < p->text.len && hex_value(p->text.at[p->at]) >= 0; n++)
        value = value * 16 + (uint32_t)hex_value(p->text.at[p->at++]);
    if (n < least)
        fail(p, STATUS_INVALID, p->at, "a hexadecimal digit is missing");
    return value;
}

/* Behind \u. */
static uint32_t take_unicode(struct parser *p)
{
    size_t begin = p->at;
    if (take(p, "{")) {
        uint32_t value = take_hex(p, 1, 6);
        if (!take(p, "}") || value > CODE_POINT_MAX)
            fail(p, STATUS_INVALID, begin, "\\u{...} takes up to 10FFFF and ends with }");
        return value <= CODE_POINT_MAX ? value : 0;
    }
    uint32_t high = take_hex(p, 4, 4);
    if (high < 0xD800 || high > 0xDBFF || !is_next(p, "\\u"))
        return high;
    p->at += 2;
    uint32_t low = take_hex(p, 4, 4);
    if (low < 0xDC00 || low > 0xDFFF)
        fail(p, STATUS_INVALID, begin, "a high surrogate wants a low one behind it");
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

static void add_all(struct code_points *set, const struct code_range *ranges, size_t n, bool inverted)
{
    struct code_points part = {0};
    for (size_t i = 0; i < n; i++)
        code_points_add(&part, ranges[i].first, ranges[i].last);
    if (inverted)
        code_points_invert(&part);
    for (size_t i = 0; i < part.n; i++)
        code_points_add(set, part.at[i].first, part.at[i].last);
    set->failed |= part.failed;
    code_points_release(&part);
}

static const struct code_range DIGITS[] = {{'0', '9'}}, WORDS[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}},
                               SPACES[] = {{'\t', '\r'},     {' ', ' '},       {0xA0, 0xA0},     {0x1680, 0x1680}, {0x2000, 0x200A},
                                           {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF}},
                               LINE_ENDS[] = {{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

/* \d \w \s and their opposites. */
static bool add_class(struct code_points *set, char letter)
{
    bool inverted = letter >= 'A' && letter <= 'Z';
    switch (letter | 0x20) {
    case 'd':
        add_all(set, DIGITS, COUNT_OF(DIGITS), inverted);
        return true;
    case 'w':
        add_all(set, WORDS, COUNT_OF(WORDS), inverted);
        return true;
    case 's':
        add_all(set, SPACES, COUNT_OF(SPACES), inverted);
        return true;
    default:
        return false;
    }
}

/* Looks at each character once an expression, however many properties there are. */
static void find_runs(struct parser *p)
{
    p->runs = mem_zalloc_array(RUNS_MAX, sizeof *p->runs);
    if (!p->runs)
        automaton_fail(p->a, STATUS_NO_MEMORY);
    for (uint32_t c = 0; p->runs && c <= CODE_POINT_MAX; c++) {
        utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
        if (p->n_runs && p->runs[p->n_runs - 1].category == category) {
            p->runs[p->n_runs - 1].last = c;
            continue;
        }
        check(p->n_runs < RUNS_MAX);
        p->runs[p->n_runs++] = (struct run){c, c, category};
    }
}

/* Behind \p or \P: a general category, one or two letters, with or without its name (Unicode, table 4-4). */
static void add_property(struct parser *p, struct code_points *set, bool inverted)
{
    size_t begin = p->at;
    if (!take(p, "{")) {
        fail(p, STATUS_INVALID, begin, "\\p wants a property in braces");
        return;
    }
    if (!take(p, "General_Category="))
        take(p, "gc=");
    struct str name = str_skip(p->text, p->at);
    ptrdiff_t length = str_find(name, str_of("}"));
    name.len = length > 0 ? (size_t)length : 0;
    static const struct {
        const char *name, *category;
    } names[] = {{"Letter", "L"},
                 {"Lowercase_Letter", "Ll"},
                 {"Uppercase_Letter", "Lu"},
                 {"Mark", "M"},
                 {"Number", "N"},
                 {"Decimal_Number", "Nd"},
                 {"Punctuation", "P"},
                 {"Symbol", "S"},
                 {"Separator", "Z"},
                 {"Space_Separator", "Zs"},
                 {"Other", "C"}};
    p->at += name.len + 1;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_is(name, names[i].name))
            name = str_of(names[i].category);
    struct code_points part = {0};
    if (!p->runs)
        find_runs(p);
    for (size_t i = 0; name.len >= 1 && name.len <= 2 && i < p->n_runs; i++)
        if (str_starts(str_of(utf8proc_category_string((utf8proc_int32_t)p->runs[i].first)), name))
            code_points_add(&part, p->runs[i].first, p->runs[i].last);
    if (part.n == 0)
        fail(p, STATUS_UNSUPPORTED, begin, "of properties only general categories are offered, such as \\p{L}, \\p{Nd}");
    code_points_settle(&part);
    add_all(set, part.at, part.n, inverted);
    set->failed |= part.failed;
    code_points_release(&part);
}

/* Behind a backslash: one character, or a class of them (-1). */
static int64_t take_escape(struct parser *p, struct code_points *set, bool in_brackets)
{
    static const char letters[] = "tnvfr", values[] = "\t\n\v\f\r";
    size_t begin = p->at - 1;
    char c = p->at < p->text.len ? p->text.at[p->at] : 0;
    if (!c || (uint8_t)c >= 0x80) {
        if (!c)
            fail(p, STATUS_INVALID, begin, "a backslash stands at the end");
        return c ? (int64_t)take_code_point(p) : 0;
    }
    p->at++;
    const char *letter = strchr(letters, c);
    if (letter)
        return values[letter - letters];
    if (add_class(set, c))
        return -1;
    switch (c) {
    case 'p':
    case 'P':
        add_property(p, set, c == 'P');
        return -1;
    case 'x':
        return take_hex(p, 2, 2);
    case 'u':
        return take_unicode(p);
    case 'c':
        return p->at < p->text.len ? p->text.at[p->at++] & 31 : 0;
    case '0':
        return 0;
    case 'b':
        if (in_brackets)
            return '\b';
        break;
    case 'B':
    case 'k':
        break;
    default:
        if (c >= '1' && c <= '9')
            break;
        return c;
    }
    fail(p, STATUS_UNSUPPORTED, begin, "word boundaries and back-references are not offered");
    return 0;
}

static int64_t take_class_atom(struct parser *p, struct code_points *set)
{
    return take(p, "\\") ? take_escape(p, set, true) : (int64_t)take_code_point(p);
}

/* Behind the opening bracket. */
static void take_brackets(struct parser *p, struct code_points *set)
{
    size_t begin = p->at - 1;
    bool inverted = take(p, "^");
    while (!p->status && !take(p, "]")) {
        if (p->at >= p->text.len) {
            fail(p, STATUS_INVALID, begin, "this bracket is not closed");
            return;
        }
        size_t at = p->at;
        int64_t first = take_class_atom(p, set), last = first;
        if (first >= 0 && is_next(p, "-") && !is_next(p, "-]")) {
            p->at++;
            if (p->at < p->text.len)
                last = take_class_atom(p, set);
            if (last < first)
                fail(p, STATUS_INVALID, at, "this range ends before it begins");
        }
        if (first >= 0 && !p->status)
            code_points_add(set, (uint32_t)first, (uint32_t)last);
    }
    if (inverted)
        code_points_invert(set);
}

static int32_t characters(struct parser *p, struct code_points *set)
{
    int32_t node = new_node(p, NODE_CHARACTERS);
    code_points_settle(set);
    if (!p->status)
        p->nodes[node].language = code_points_language(p->a, set, p->writing);
    code_points_release(set);
    return node;
}

/* ---- The tree ------------------------------------------------------------------------------------------------ */

static int32_t parse_choice(struct parser *p);

/* Behind the opening parenthesis. */
static int32_t parse_group(struct parser *p)
{
    size_t begin = p->at - 1;
    if (is_next(p, "?=") || is_next(p, "?!") || is_next(p, "?<=") || is_next(p, "?<!")) {
        fail(p, STATUS_UNSUPPORTED, begin, "look-around is not offered");
        return 0;
    }
    if (take(p, "?<")) {
        while (p->at < p->text.len && p->text.at[p->at++] != '>')
            ;
    } else if (is_next(p, "?") && !take(p, "?:")) {
        fail(p, STATUS_INVALID, begin, "this kind of group is not known");
    }
    if (++p->nest > NEST_MAX)
        fail(p, STATUS_LIMIT, begin, "groups are nested too deep");
    int32_t node = p->status ? 0 : parse_choice(p);
    p->nest--;
    if (!take(p, ")"))
        fail(p, STATUS_INVALID, begin, "this parenthesis is not closed");
    return node;
}

static int32_t parse_atom(struct parser *p)
{
    struct code_points set = {0};
    size_t begin = p->at;
    if (take(p, "("))
        return parse_group(p);
    if (take(p, "^"))
        return new_node(p, NODE_START);
    if (take(p, "$"))
        return new_node(p, NODE_FINISH);
    if (take(p, ".")) {
        add_all(&set, LINE_ENDS, COUNT_OF(LINE_ENDS), true);
    } else if (take(p, "[")) {
        take_brackets(p, &set);
    } else if (is_next(p, "*") || is_next(p, "+") || is_next(p, "?")) {
        fail(p, STATUS_INVALID, begin, "there is nothing to repeat");
    } else {
        int64_t c = take(p, "\\") ? take_escape(p, &set, false) : (int64_t)take_code_point(p);
        if (c >= 0)
            code_points_add(&set, (uint32_t)c, (uint32_t)c);
    }
    return characters(p, &set);
}

static bool take_number(struct parser *p, uint32_t *value)
{
    size_t begin = p->at;
    uint64_t n = 0;
    while (p->at < p->text.len && p->text.at[p->at] >= '0' && p->text.at[p->at] <= '9') {
        n = n * 10 + (uint64_t)(p->text.at[p->at++] - '0');
        n = n > REGEX_REPEAT_MAX ? REGEX_REPEAT_MAX + 1 : n;
    }
    if (n > REGEX_REPEAT_MAX)
        fail(p, STATUS_LIMIT, begin, "this repeats too often");
    *value = (uint32_t)n;
    return p->at > begin;
}

/* {n} {n,} {n,m}; a brace that is none of these stands for itself. */
static bool take_counts(struct parser *p, uint32_t *least, uint32_t *most)
{
    size_t begin = p->at;
    if (!take(p, "{"))
        return false;
    bool ok = take_number(p, least);
    *most = *least;
    if (ok && take(p, ",") && !take_number(p, most))
        *most = AUTOMATON_ENDLESS;
    if (ok && take(p, "}")) {
        if (*most < *least)
            fail(p, STATUS_INVALID, begin, "this repeats at most less often than at least");
        return true;
    }
    p->at = begin;
    return false;
}

static int32_t parse_repeat(struct parser *p)
{
    int32_t atom = parse_atom(p);
    uint32_t least = 0, most = 0;
    for (bool repeated = false; !p->status; repeated = true) {
        size_t begin = p->at;
        if (take(p, "*")) {
            least = 0;
            most = AUTOMATON_ENDLESS;
        } else if (take(p, "+")) {
            least = 1;
            most = AUTOMATON_ENDLESS;
        } else if (take(p, "?")) {
            least = 0;
            most = 1;
        } else if (!take_counts(p, &least, &most)) {
            return atom;
        }
        enum node_kind kind = p->nodes[atom].kind;
        if (repeated || kind == NODE_START || kind == NODE_FINISH) {
            fail(p, STATUS_INVALID, begin, "there is nothing to repeat");
            return atom;
        }
        take(p, "?"); /* how much it prefers to take does not change the language */
        int32_t node = new_node(p, NODE_REPEAT);
        p->nodes[node].least = least;
        p->nodes[node].most = most;
        add_child(p, node, atom);
        atom = node;
    }
    return atom;
}

static int32_t parse_sequence(struct parser *p)
{
    int32_t node = new_node(p, NODE_SEQUENCE);
    while (!p->status && p->at < p->text.len && !is_next(p, "|") && !is_next(p, ")"))
        add_child(p, node, parse_repeat(p));
    return node;
}

static int32_t parse_choice(struct parser *p)
{
    int32_t node = new_node(p, NODE_CHOICE);
    do
        add_child(p, node, parse_sequence(p));
    while (!p->status && take(p, "|"));
    return node;
}

/* ---- The language -------------------------------------------------------------------------------------------- */

/* What may stand on one side of a part: more of the expression, any text, nothing. */
enum side { SIDE_INSIDE, SIDE_FREE, SIDE_ANCHORED };

static uint32_t build(struct parser *p, int32_t index, enum side before, enum side behind);

static uint32_t with_any(struct parser *p, uint32_t x, enum side before, enum side behind)
{
    if (before == SIDE_FREE)
        x = automaton_join(p->a, p->any, x);
    return behind == SIDE_FREE ? automaton_join(p->a, x, p->any) : x;
}

static uint32_t build_choice(struct parser *p, const struct node *node, enum side before, enum side behind)
{
    uint32_t out = AUTOMATON_NOTHING;
    for (int32_t i = node->first; i >= 0; i = p->nodes[i].next)
        out = automaton_or(p->a, out, build(p, i, before, behind));
    return out;
}

/* The last child that is no anchor at the very end; *behind is then what stands behind it. */
static int32_t last_part(struct parser *p, const struct node *node, enum side *behind)
{
    int32_t last = -1;
    for (int32_t i = node->first; i >= 0; i = p->nodes[i].next)
        last = p->nodes[i].kind == NODE_FINISH ? last : i;
    if (node->last >= 0 && p->nodes[node->last].kind == NODE_FINISH && *behind != SIDE_INSIDE)
        *behind = SIDE_ANCHORED;
    return last;
}

static uint32_t build_sequence(struct parser *p, const struct node *node, enum side before, enum side behind)
{
    enum side end = behind;
    int32_t last = last_part(p, node, &end);
    uint32_t out = AUTOMATON_END;
    bool begun = false, over = false;
    for (int32_t i = node->first; i >= 0 && !p->status; i = p->nodes[i].next) {
        enum node_kind kind = p->nodes[i].kind;
        if (kind == NODE_START && before != SIDE_INSIDE && !begun) {
            before = SIDE_ANCHORED;
        } else if (kind == NODE_FINISH && end == SIDE_ANCHORED && (over || last < 0)) {
            continue;
        } else if (kind == NODE_START || kind == NODE_FINISH) {
            fail(p, STATUS_UNSUPPORTED, 0, "an anchor in the middle of the expression is not offered");
        } else {
            out = automaton_join(p->a, out, build(p, i, begun ? SIDE_INSIDE : before, i == last ? end : SIDE_INSIDE));
            begun = true;
        }
        over = over || i == last;
    }
    return begun ? out : with_any(p, out, before, before == SIDE_FREE ? SIDE_ANCHORED : end);
}

static uint32_t build(struct parser *p, int32_t index, enum side before, enum side behind)
{
    const struct node *node = &p->nodes[index];
    switch (node->kind) {
    case NODE_SEQUENCE:
        return build_sequence(p, node, before, behind);
    case NODE_CHOICE:
        return build_choice(p, node, before, behind);
    case NODE_REPEAT:
        return with_any(p, automaton_repeat(p->a, build(p, node->first, SIDE_INSIDE, SIDE_INSIDE), node->least, node->most), before,
                        behind);
    default:
        return with_any(p, node->language, before, behind);
    }
}

enum status regex_language(struct automaton *a, struct str pattern, bool whole, enum writing writing, uint32_t *out, struct error *error)
{
    if (pattern.len > REGEX_BYTES_MAX)
        return error_set(error, STATUS_LIMIT, "a pattern is longer than %d bytes", REGEX_BYTES_MAX);
    struct parser p = {.a = a, .text = pattern, .writing = writing, .error = error};
    p.nodes = mem_zalloc_array(NODES_PER_BYTE * (pattern.len + 1), sizeof *p.nodes);
    if (!p.nodes)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    p.any = automaton_repeat(a, code_points_any(a, writing), 0, AUTOMATON_ENDLESS);
    int32_t root = parse_choice(&p);
    if (!p.status && p.at < pattern.len)
        fail(&p, STATUS_INVALID, p.at, "this parenthesis was not opened");
    enum side side = whole ? SIDE_ANCHORED : SIDE_FREE;
    *out = p.status ? AUTOMATON_FAILED : build(&p, root, side, side);
    mem_free(p.nodes);
    mem_free(p.runs);
    if (!p.status && automaton_status(a))
        return error_set(error, automaton_status(a), "the expression is too large");
    return p.status;
}
