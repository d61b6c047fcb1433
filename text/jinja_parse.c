/* Recursive descent from tokens to the syntax tree. Depth is bounded by JINJA_DEPTH_MAX for brackets and blocks; chains of
 * operators, filters and branches become lists rather than towers, so that running them needs no stack. */
#include "text/jinja_parts.h"

#include <string.h>

#include "base/mem.h"

enum { TREE_BYTES_MAX = 256 << 20, ITEMS_MAX = 1 << 16 };

struct parser {
    struct arena *arena;
    struct jinja_token *token; /* the current one */
    struct error *error;
    enum status status;
    int brackets, blocks; /* open ones */
    int loops;            /* for blocks around the current place, inside one macro */
};

/* A list being read. */
struct items {
    struct jinja_node **at;
    int *ops;
    uint32_t n, capacity;
};

static struct jinja_node *parse_expression(struct parser *p);
static struct jinja_node *parse_body(struct parser *p, const char *const *ends);
static struct jinja_node *parse_filters(struct parser *p, struct jinja_node *base, bool only_filters);

/* ---- Helpers ----------------------------------------------------------------------------------------------------- */

static struct jinja_node *fail(struct parser *p, const char *what)
{
    if (!p->status) {
        char quoted[ERROR_QUOTE_BYTES];
        const struct jinja_token *t = p->token;
        char op[3] = {(char)(t->op > 255 ? t->op >> 8 : t->op), (char)(t->op > 255 ? t->op & 255 : 0), 0};
        const char *near = t->kind == JINJA_TOKEN_END        ? "the end"
                           : t->kind == JINJA_TOKEN_OPERATOR ? op
                           : t->text.len                     ? error_quote(quoted, t->text.at, t->text.len)
                                                             : "a tag";
        p->status = error_set(p->error, STATUS_INVALID, "chat template, line %d: %s near %s", t->line, what, near);
    }
    return NULL;
}

static void *out_of_memory(struct parser *p)
{
    if (!p->status)
        p->status = error_set(p->error, STATUS_NO_MEMORY, "out of memory for the chat template");
    return NULL;
}

static struct jinja_node *node_new(struct parser *p, enum jinja_node_kind kind)
{
    struct jinja_node *node = p->status ? NULL : arena_zalloc(p->arena, sizeof *node);
    if (!node)
        return out_of_memory(p);
    node->kind = kind;
    node->line = p->token->line;
    return node;
}

static bool enter(struct parser *p, int *depth)
{
    if (*depth == JINJA_DEPTH_MAX)
        fail(p, "nested too deeply");
    else
        ++*depth;
    return !p->status;
}

static void next(struct parser *p)
{
    if (p->token->kind != JINJA_TOKEN_END)
        p->token++;
}

static bool is_op(const struct parser *p, int op)
{
    return p->token->kind == JINJA_TOKEN_OPERATOR && p->token->op == op;
}

static bool is_word(const struct parser *p, const char *word)
{
    return p->token->kind == JINJA_TOKEN_NAME && str_is(p->token->text, word);
}

static bool skip_op(struct parser *p, int op)
{
    bool found = is_op(p, op);
    if (found)
        next(p);
    return found;
}

static bool skip_word(struct parser *p, const char *word)
{
    bool found = is_word(p, word);
    if (found)
        next(p);
    return found;
}

static void expect_op(struct parser *p, int op)
{
    if (!skip_op(p, op)) {
        char what[] = "expected ' '";
        what[10] = (char)op;
        fail(p, what);
    }
}

static void expect_kind(struct parser *p, enum jinja_token_kind kind, const char *what)
{
    if (p->token->kind != kind)
        fail(p, what);
    else
        next(p);
}

static struct str expect_name(struct parser *p)
{
    struct str name = p->token->text;
    expect_kind(p, JINJA_TOKEN_NAME, "expected a name");
    return name;
}

/* `op` stands before the item. */
static void items_add(struct parser *p, struct items *list, struct jinja_node *node, int op)
{
    if (p->status)
        return;
    if (list->n == ITEMS_MAX) {
        fail(p, "a list that is too long");
        return;
    }
    if (list->n == list->capacity) {
        uint32_t capacity = list->capacity ? 2 * list->capacity : 4;
        struct jinja_node **at = arena_alloc(p->arena, capacity * sizeof *at);
        int *ops = arena_alloc(p->arena, capacity * sizeof *ops);
        if (!at || !ops) {
            out_of_memory(p);
            return;
        }
        if (list->n) {
            memcpy(at, list->at, list->n * sizeof *at);
            memcpy(ops, list->ops, list->n * sizeof *ops);
        }
        list->at = at;
        list->ops = ops;
        list->capacity = capacity;
    }
    list->at[list->n] = node;
    list->ops[list->n++] = op;
}

static struct jinja_node *items_node(struct parser *p, enum jinja_node_kind kind, const struct items *list)
{
    struct jinja_node *node = node_new(p, kind);
    if (node) {
        node->items = list->at;
        node->ops = list->ops;
        node->n_items = list->n;
        if (list->n)
            node->line = list->at[0]->line;
    }
    return node;
}

static struct jinja_node *literal(struct parser *p, struct jinja_value value)
{
    struct jinja_node *node = node_new(p, JINJA_NODE_LITERAL);
    if (node)
        node->value = value;
    return node;
}

static struct jinja_value text_value(struct parser *p, struct str text)
{
    struct jinja_text *t = arena_zalloc(p->arena, sizeof *t);
    if (!t) {
        out_of_memory(p);
        return jinja_none();
    }
    t->at = text.at;
    t->len = text.len;
    return (struct jinja_value){.kind = JINJA_TEXT, .text = t};
}

/* ---- Expressions -------------------------------------------------------------------------------------------------- */

static struct jinja_node *parse_string(struct parser *p)
{
    struct str text = p->token->text;
    next(p);
    while (p->token->kind == JINJA_TOKEN_STRING && !p->status) { /* neighbours are one string */
        char *joined = arena_alloc(p->arena, text.len + p->token->text.len + 1);
        if (!joined)
            return out_of_memory(p);
        memcpy(joined, text.at, text.len);
        memcpy(joined + text.len, p->token->text.at, p->token->text.len);
        text = str_from(joined, text.len + p->token->text.len);
        next(p);
    }
    return literal(p, text_value(p, text));
}

static struct jinja_node *parse_name(struct parser *p)
{
    struct str name = p->token->text;
    if (str_is(name, "true") || str_is(name, "True") || str_is(name, "false") || str_is(name, "False")) {
        next(p);
        return literal(p, jinja_bool(name.at[0] == 't' || name.at[0] == 'T'));
    }
    if (str_is(name, "none") || str_is(name, "None")) {
        next(p);
        return literal(p, jinja_none());
    }
    struct jinja_node *node = node_new(p, JINJA_NODE_NAME);
    if (node)
        node->name = name;
    next(p);
    return node;
}

/* Expressions up to a closing bracket. */
static struct jinja_node *parse_list(struct parser *p, int closing)
{
    struct items list = {0};
    while (!p->status && !is_op(p, closing)) {
        items_add(p, &list, parse_expression(p), 0);
        if (!skip_op(p, ','))
            break;
    }
    expect_op(p, closing);
    return items_node(p, JINJA_NODE_LIST, &list);
}

static struct jinja_node *parse_map(struct parser *p)
{
    struct items list = {0};
    while (!p->status && !is_op(p, '}')) {
        items_add(p, &list, parse_expression(p), 0);
        expect_op(p, ':');
        items_add(p, &list, parse_expression(p), 0);
        if (!skip_op(p, ','))
            break;
    }
    expect_op(p, '}');
    return items_node(p, JINJA_NODE_MAP, &list);
}

/* (a) is a; (a,) and (a, b) are tuples. */
static struct jinja_node *parse_parenthesis(struct parser *p)
{
    struct items list = {0};
    bool comma = false;
    while (!p->status && !is_op(p, ')')) {
        items_add(p, &list, parse_expression(p), 0);
        if (!skip_op(p, ','))
            break;
        comma = true;
    }
    expect_op(p, ')');
    if (list.n == 1 && !comma)
        return p->status ? NULL : list.at[0];
    struct jinja_node *node = items_node(p, JINJA_NODE_LIST, &list);
    if (node)
        node->is_tuple = true;
    return node;
}

static struct jinja_node *parse_primary(struct parser *p)
{
    struct jinja_node *node = NULL;
    const struct jinja_token *t = p->token;
    if (t->kind == JINJA_TOKEN_NAME) {
        node = parse_name(p);
    } else if (t->kind == JINJA_TOKEN_STRING) {
        node = parse_string(p);
    } else if (t->kind == JINJA_TOKEN_INT || t->kind == JINJA_TOKEN_FLOAT) {
        node = literal(p, t->kind == JINJA_TOKEN_INT ? jinja_int(t->integer) : jinja_float(t->real));
        next(p);
    } else if (skip_op(p, '(')) {
        node = parse_parenthesis(p);
    } else if (skip_op(p, '[')) {
        node = parse_list(p, ']');
    } else if (skip_op(p, '{')) {
        node = parse_map(p);
    } else {
        fail(p, "expected an expression");
    }
    return node;
}

/* After the opening parenthesis. */
static void parse_arguments(struct parser *p, struct items *list)
{
    bool named = false;
    while (!p->status && !is_op(p, ')')) {
        struct jinja_node *argument = node_new(p, JINJA_NODE_ARGUMENT);
        if (!argument)
            return;
        if (is_op(p, '*') || is_op(p, JINJA_OP2('*', '*'))) {
            fail(p, "unpacked arguments are not supported");
            return;
        }
        if (p->token->kind == JINJA_TOKEN_NAME && p->token[1].kind == JINJA_TOKEN_OPERATOR && p->token[1].op == '=') {
            argument->name = p->token->text;
            next(p);
            next(p);
            named = true;
        } else if (named) {
            fail(p, "an argument without a name after one with a name");
            return;
        }
        argument->a = parse_expression(p);
        items_add(p, list, argument, 0);
        if (!skip_op(p, ','))
            break;
    }
    expect_op(p, ')');
}

static struct jinja_node *parse_call(struct parser *p)
{
    struct items list = {0};
    struct jinja_node *node = node_new(p, JINJA_NODE_CALL);
    parse_arguments(p, &list);
    if (p->status)
        return NULL;
    node->items = list.at;
    node->n_items = list.n;
    return node;
}

/* After '['. */
static struct jinja_node *parse_subscript(struct parser *p)
{
    struct jinja_node *node = node_new(p, JINJA_NODE_INDEX);
    if (!node)
        return NULL;
    if (!is_op(p, ':'))
        node->a = parse_expression(p);
    if (skip_op(p, ':')) {
        node->kind = JINJA_NODE_SLICE;
        if (!is_op(p, ':') && !is_op(p, ']'))
            node->b = parse_expression(p);
        if (skip_op(p, ':') && !is_op(p, ']'))
            node->c = parse_expression(p);
    }
    expect_op(p, ']');
    return node;
}

/* `.name`, `[...]`, `(...)`: one of them, or null when there is none. */
static struct jinja_node *parse_step(struct parser *p)
{
    if (skip_op(p, '.')) {
        struct jinja_node *node = NULL;
        if (p->token->kind == JINJA_TOKEN_INT) {
            node = node_new(p, JINJA_NODE_INDEX);
            struct jinja_node *index = literal(p, jinja_int(p->token->integer));
            if (node)
                node->a = index;
            next(p);
            return node;
        }
        node = node_new(p, JINJA_NODE_ATTRIBUTE);
        struct str name = expect_name(p);
        if (node)
            node->name = name;
        return node;
    }
    if (skip_op(p, '['))
        return parse_subscript(p);
    if (skip_op(p, '('))
        return parse_call(p);
    return NULL;
}

static struct jinja_node *postfix_node(struct parser *p, struct jinja_node *base, const struct items *steps)
{
    if (p->status || steps->n == 0)
        return base;
    struct jinja_node *node = items_node(p, JINJA_NODE_POSTFIX, steps);
    if (node)
        node->a = base;
    return node;
}

static struct jinja_node *parse_postfix(struct parser *p, struct jinja_node *base)
{
    struct items steps = {0};
    while (!p->status && (is_op(p, '.') || is_op(p, '[') || is_op(p, '(')))
        items_add(p, &steps, parse_step(p), 0);
    return postfix_node(p, base, &steps);
}

static struct jinja_node *parse_filter(struct parser *p)
{
    struct items list = {0};
    struct jinja_node *node = node_new(p, JINJA_NODE_FILTER);
    struct str name = p->token->text;
    const struct jinja_filter *filter = p->token->kind == JINJA_TOKEN_NAME ? jinja_filter_find(name) : NULL;
    if (!filter)
        return fail(p, "an unknown filter");
    next(p);
    if (skip_op(p, '('))
        parse_arguments(p, &list);
    if (p->status)
        return NULL;
    node->filter = filter;
    node->items = list.at;
    node->n_items = list.n;
    return node;
}

/* One argument may follow a test without parentheses: `is divisibleby 3`. */
static bool starts_argument(const struct parser *p)
{
    const struct jinja_token *t = p->token;
    if (t->kind == JINJA_TOKEN_NAME)
        return !is_word(p, "else") && !is_word(p, "or") && !is_word(p, "and") && !is_word(p, "is") && !is_word(p, "if");
    return t->kind == JINJA_TOKEN_STRING || t->kind == JINJA_TOKEN_INT || t->kind == JINJA_TOKEN_FLOAT || is_op(p, '[') || is_op(p, '{');
}

/* After `is`. */
static struct jinja_node *parse_test(struct parser *p)
{
    struct items list = {0};
    struct jinja_node *node = node_new(p, JINJA_NODE_TEST);
    bool negated = skip_word(p, "not");
    const struct jinja_test *test = p->token->kind == JINJA_TOKEN_NAME ? jinja_test_find(p->token->text) : NULL;
    if (!test)
        return fail(p, "an unknown test");
    next(p);
    if (skip_op(p, '(')) {
        parse_arguments(p, &list);
    } else if (starts_argument(p)) {
        struct jinja_node *argument = node_new(p, JINJA_NODE_ARGUMENT);
        struct jinja_node *value = parse_postfix(p, parse_primary(p));
        if (argument)
            argument->a = value;
        items_add(p, &list, argument, 0);
    }
    if (p->status)
        return NULL;
    node->negated = negated;
    node->test = test;
    node->items = list.at;
    node->n_items = list.n;
    return node;
}

static struct jinja_node *parse_filters(struct parser *p, struct jinja_node *base, bool only_filters)
{
    struct items steps = {0};
    while (!p->status) {
        if (skip_op(p, '|'))
            items_add(p, &steps, parse_filter(p), 0);
        else if (!only_filters && skip_word(p, "is"))
            items_add(p, &steps, parse_test(p), 0);
        else if (!only_filters && steps.n && is_op(p, '('))
            items_add(p, &steps, parse_step(p), 0);
        else
            break;
    }
    return postfix_node(p, base, &steps);
}

static struct jinja_node *parse_unary(struct parser *p, bool with_filters)
{
    struct jinja_node *node;
    if (is_op(p, '-') || is_op(p, '+')) {
        int op = p->token->op;
        if (!enter(p, &p->brackets))
            return NULL;
        node = node_new(p, JINJA_NODE_NEGATE);
        next(p);
        struct jinja_node *operand = parse_unary(p, false);
        p->brackets--;
        if (p->status)
            return NULL;
        node->a = operand;
        node->negated = op == '-';
    } else {
        node = parse_primary(p);
    }
    node = parse_postfix(p, node);
    return with_filters ? parse_filters(p, node, false) : node;
}

/* Operands of one level of precedence, joined by any of its operators. */
static struct jinja_node *parse_level(struct parser *p, const int *ops, struct jinja_node *(*operand)(struct parser *))
{
    struct items list = {0};
    items_add(p, &list, operand(p), 0);
    while (!p->status && p->token->kind == JINJA_TOKEN_OPERATOR) {
        const int *op = ops;
        while (*op && *op != p->token->op)
            op++;
        if (!*op)
            break;
        next(p);
        items_add(p, &list, operand(p), *op);
    }
    if (p->status)
        return NULL;
    return list.n == 1 ? list.at[0] : items_node(p, JINJA_NODE_ARITHMETIC, &list);
}

static struct jinja_node *parse_operand(struct parser *p)
{
    return parse_unary(p, true);
}

static struct jinja_node *parse_power(struct parser *p)
{
    static const int ops[] = {JINJA_OP2('*', '*'), 0};
    return parse_level(p, ops, parse_operand);
}

static struct jinja_node *parse_product(struct parser *p)
{
    static const int ops[] = {'*', '/', '%', JINJA_OP2('/', '/'), 0};
    return parse_level(p, ops, parse_power);
}

static struct jinja_node *parse_concat(struct parser *p)
{
    static const int ops[] = {'~', 0};
    struct jinja_node *node = parse_level(p, ops, parse_product);
    if (node && node->kind == JINJA_NODE_ARITHMETIC && node->ops[1] == '~')
        node->kind = JINJA_NODE_CONCAT;
    return node;
}

static struct jinja_node *parse_sum(struct parser *p)
{
    static const int ops[] = {'+', '-', 0};
    return parse_level(p, ops, parse_concat);
}

/* The comparison operator here, taken; 0 when there is none. 'i' is in, 'n' not in. */
static int comparison(struct parser *p)
{
    static const int ops[] = {JINJA_OP2('=', '='), JINJA_OP2('!', '='), JINJA_OP2('<', '='), JINJA_OP2('>', '='), '<', '>'};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (skip_op(p, ops[i]))
            return ops[i];
    if (skip_word(p, "in"))
        return 'i';
    if (is_word(p, "not") && p->token[1].kind == JINJA_TOKEN_NAME && str_is(p->token[1].text, "in")) {
        next(p);
        next(p);
        return 'n';
    }
    return 0;
}

static struct jinja_node *parse_compare(struct parser *p)
{
    struct items list = {0};
    int op;
    items_add(p, &list, parse_sum(p), 0);
    while (!p->status && (op = comparison(p)) != 0)
        items_add(p, &list, parse_sum(p), op);
    if (p->status)
        return NULL;
    return list.n == 1 ? list.at[0] : items_node(p, JINJA_NODE_COMPARE, &list);
}

static struct jinja_node *parse_not(struct parser *p)
{
    bool negated = false, any = false;
    while (skip_word(p, "not")) {
        negated = !negated;
        any = true;
    }
    struct jinja_node *inner = parse_compare(p);
    if (!any || p->status)
        return inner;
    struct jinja_node *node = node_new(p, JINJA_NODE_NOT);
    if (node) {
        node->a = inner;
        node->negated = negated;
    }
    return node;
}

static struct jinja_node *parse_words(struct parser *p, const char *word, enum jinja_node_kind kind,
                                      struct jinja_node *(*operand)(struct parser *))
{
    struct items list = {0};
    do {
        items_add(p, &list, operand(p), 0);
    } while (!p->status && skip_word(p, word));
    if (p->status)
        return NULL;
    return list.n == 1 ? list.at[0] : items_node(p, kind, &list);
}

static struct jinja_node *parse_and(struct parser *p)
{
    return parse_words(p, "and", JINJA_NODE_AND, parse_not);
}

static struct jinja_node *parse_or(struct parser *p)
{
    return parse_words(p, "or", JINJA_NODE_OR, parse_and);
}

static struct jinja_node *parse_expression(struct parser *p)
{
    if (!enter(p, &p->brackets))
        return NULL;
    struct jinja_node *node = parse_or(p);
    while (!p->status && skip_word(p, "if")) {
        struct jinja_node *conditional = node_new(p, JINJA_NODE_CONDITIONAL);
        struct jinja_node *condition = parse_or(p);
        struct jinja_node *otherwise = !p->status && skip_word(p, "else") ? parse_expression(p) : NULL;
        if (p->status)
            break;
        conditional->a = node;
        conditional->b = condition;
        conditional->c = otherwise;
        node = conditional;
    }
    p->brackets--;
    return p->status ? NULL : node;
}

/* An expression, or a tuple without parentheses. */
static struct jinja_node *parse_expression_or_tuple(struct parser *p)
{
    struct items list = {0};
    bool comma = false;
    do {
        items_add(p, &list, parse_expression(p), 0);
        comma |= is_op(p, ',');
    } while (!p->status && skip_op(p, ',') && p->token->kind != JINJA_TOKEN_BLOCK_END && p->token->kind != JINJA_TOKEN_OUTPUT_END);
    if (p->status)
        return NULL;
    if (!comma)
        return list.at[0];
    struct jinja_node *node = items_node(p, JINJA_NODE_LIST, &list);
    if (node)
        node->is_tuple = true;
    return node;
}

/* ---- Statements --------------------------------------------------------------------------------------------------- */

static void end_block(struct parser *p)
{
    expect_kind(p, JINJA_TOKEN_BLOCK_END, "expected the end of the tag");
}

/* {% WORD %} with the block's begin still ahead. */
static void end_tag(struct parser *p, const char *word)
{
    expect_kind(p, JINJA_TOKEN_BLOCK_BEGIN, "a block does not end");
    if (!skip_word(p, word))
        fail(p, "expected another end of the block");
    end_block(p);
}

static struct jinja_node *parse_if(struct parser *p)
{
    static const char *const ends[] = {"elif", "else", "endif", NULL};
    struct items branches = {0};
    struct jinja_node *otherwise = NULL;
    struct jinja_node *node = node_new(p, JINJA_NODE_IF);
    do {
        items_add(p, &branches, parse_expression_or_tuple(p), 0);
        end_block(p);
        items_add(p, &branches, parse_body(p, ends), 0);
        if (p->token->kind == JINJA_TOKEN_BLOCK_BEGIN)
            next(p);
    } while (!p->status && skip_word(p, "elif"));
    if (!p->status && skip_word(p, "else")) {
        static const char *const last[] = {"endif", NULL};
        end_block(p);
        otherwise = parse_body(p, last);
        next(p);
    }
    if (!p->status && !skip_word(p, "endif"))
        fail(p, "expected endif");
    end_block(p);
    if (p->status)
        return NULL;
    node->items = branches.at;
    node->n_items = branches.n;
    node->c = otherwise;
    return node;
}

/* `a`, `ns.a`, or several names. */
static void parse_targets(struct parser *p, struct jinja_node *node, bool attributes)
{
    enum { TARGETS_MAX = 16 };
    struct jinja_target targets[TARGETS_MAX];
    uint32_t n = 0;
    bool parenthesis = skip_op(p, '(');
    do {
        if (n == TARGETS_MAX) {
            fail(p, "too many names");
            return;
        }
        targets[n] = (struct jinja_target){.name = expect_name(p)};
        if (attributes && skip_op(p, '.'))
            targets[n].attribute = expect_name(p);
        n++;
    } while (!p->status && skip_op(p, ','));
    if (parenthesis)
        expect_op(p, ')');
    if (p->status)
        return;
    node->targets = arena_alloc(p->arena, n * sizeof *targets);
    node->n_targets = n;
    if (!node->targets)
        out_of_memory(p);
    else
        memcpy(node->targets, targets, n * sizeof *targets);
}

static struct jinja_node *parse_for(struct parser *p)
{
    static const char *const ends[] = {"else", "endfor", NULL}, *const last[] = {"endfor", NULL};
    struct jinja_node *node = node_new(p, JINJA_NODE_FOR);
    if (!node)
        return NULL;
    parse_targets(p, node, false);
    if (!p->status && !skip_word(p, "in"))
        return fail(p, "expected 'in'");
    struct items list = {0};
    bool comma = false;
    do { /* no inline if here: it is the loop's filter */
        items_add(p, &list, parse_or(p), 0);
        comma |= is_op(p, ',');
    } while (!p->status && skip_op(p, ','));
    if (p->status)
        return NULL;
    node->a = comma ? items_node(p, JINJA_NODE_LIST, &list) : list.at[0];
    if (skip_word(p, "if"))
        node->b = parse_expression(p);
    if (is_word(p, "recursive"))
        return fail(p, "recursive loops are not supported");
    end_block(p);
    p->loops++;
    node->body = parse_body(p, ends);
    p->loops--;
    next(p);
    if (!p->status && skip_word(p, "else")) {
        end_block(p);
        node->c = parse_body(p, last);
        next(p);
    }
    if (!p->status && !skip_word(p, "endfor"))
        return fail(p, "expected endfor");
    end_block(p);
    return p->status ? NULL : node;
}

static struct jinja_node *parse_set(struct parser *p)
{
    static const char *const ends[] = {"endset", NULL};
    struct jinja_node *node = node_new(p, JINJA_NODE_SET);
    if (!node)
        return NULL;
    parse_targets(p, node, true);
    if (skip_op(p, '=')) {
        node->a = parse_expression_or_tuple(p);
        end_block(p);
        return node;
    }
    node->kind = JINJA_NODE_SET_BLOCK;
    node->a = parse_filters(p, NULL, true);
    end_block(p);
    node->body = parse_body(p, ends);
    end_tag(p, "endset");
    return node;
}

static struct jinja_node *parse_filter_block(struct parser *p)
{
    static const char *const ends[] = {"endfilter", NULL};
    struct items steps = {0};
    struct jinja_node *node = node_new(p, JINJA_NODE_FILTER_BLOCK);
    do {
        items_add(p, &steps, parse_filter(p), 0);
    } while (!p->status && skip_op(p, '|'));
    end_block(p);
    if (p->status)
        return NULL;
    node->a = postfix_node(p, NULL, &steps);
    node->body = parse_body(p, ends);
    end_tag(p, "endfilter");
    return node;
}

static struct jinja_node *parse_with(struct parser *p)
{
    static const char *const ends[] = {"endwith", NULL};
    struct items sets = {0};
    struct jinja_node *node = node_new(p, JINJA_NODE_WITH);
    while (!p->status && p->token->kind == JINJA_TOKEN_NAME) {
        struct jinja_node *set = node_new(p, JINJA_NODE_ARGUMENT);
        struct str name = expect_name(p);
        expect_op(p, '=');
        struct jinja_node *value = parse_expression(p);
        if (p->status)
            return NULL;
        set->name = name;
        set->a = value;
        items_add(p, &sets, set, 0);
        if (!skip_op(p, ','))
            break;
    }
    end_block(p);
    if (p->status)
        return NULL;
    node->items = sets.at;
    node->n_items = sets.n;
    node->body = parse_body(p, ends);
    end_tag(p, "endwith");
    return node;
}

static struct jinja_node *parse_macro(struct parser *p)
{
    static const char *const ends[] = {"endmacro", NULL};
    struct items list = {0};
    struct jinja_node *node = node_new(p, JINJA_NODE_MACRO);
    struct str name = expect_name(p);
    expect_op(p, '(');
    while (!p->status && !is_op(p, ')')) {
        struct jinja_node *argument = node_new(p, JINJA_NODE_ARGUMENT);
        struct str argument_name = expect_name(p);
        struct jinja_node *fallback = skip_op(p, '=') ? parse_expression(p) : NULL;
        if (p->status)
            return NULL;
        argument->name = argument_name;
        argument->a = fallback;
        items_add(p, &list, argument, 0);
        if (!skip_op(p, ','))
            break;
    }
    expect_op(p, ')');
    end_block(p);
    if (p->status)
        return NULL;
    node->name = name;
    node->items = list.at;
    node->n_items = list.n;
    int loops = p->loops;
    p->loops = 0;
    node->body = parse_body(p, ends);
    p->loops = loops;
    end_tag(p, "endmacro");
    return node;
}

static struct jinja_node *parse_jump(struct parser *p, enum jinja_node_kind kind)
{
    struct jinja_node *node = p->loops ? node_new(p, kind) : fail(p, "outside of a loop");
    end_block(p);
    return node;
}

/* {% generation %} marks what a model wrote for training; it prints its body. */
static struct jinja_node *parse_generation(struct parser *p)
{
    static const char *const ends[] = {"endgeneration", NULL};
    end_block(p);
    struct jinja_node *node = parse_body(p, ends);
    end_tag(p, "endgeneration");
    return node;
}

static struct jinja_node *parse_statement(struct parser *p)
{
    if (skip_word(p, "if"))
        return parse_if(p);
    if (skip_word(p, "for"))
        return parse_for(p);
    if (skip_word(p, "set"))
        return parse_set(p);
    if (skip_word(p, "macro"))
        return parse_macro(p);
    if (skip_word(p, "filter"))
        return parse_filter_block(p);
    if (skip_word(p, "with"))
        return parse_with(p);
    if (skip_word(p, "generation"))
        return parse_generation(p);
    if (skip_word(p, "break"))
        return parse_jump(p, JINJA_NODE_BREAK);
    if (skip_word(p, "continue"))
        return parse_jump(p, JINJA_NODE_CONTINUE);
    return fail(p, "an unknown or unsupported tag");
}

/* Whether a block that begins here is one of the ends. */
static bool at_end(const struct parser *p, const char *const *ends)
{
    const struct jinja_token *word = p->token + 1;
    for (; *ends; ends++)
        if (word->kind == JINJA_TOKEN_NAME && str_is(word->text, *ends))
            return true;
    return false;
}

static struct jinja_node *parse_output(struct parser *p)
{
    struct jinja_node *node = node_new(p, JINJA_NODE_OUTPUT);
    struct jinja_node *value = parse_expression_or_tuple(p);
    if (node)
        node->a = value;
    expect_kind(p, JINJA_TOKEN_OUTPUT_END, "expected '}}'");
    return node;
}

/* Statements up to a block whose word is among `ends` (not taken), or to the end of the template when null. */
static struct jinja_node *parse_body(struct parser *p, const char *const *ends)
{
    struct items list = {0};
    if (!enter(p, &p->blocks))
        return NULL;
    while (!p->status) {
        if (p->token->kind == JINJA_TOKEN_END) {
            if (ends)
                fail(p, "a block does not end");
            break;
        }
        if (p->token->kind == JINJA_TOKEN_DATA) {
            struct jinja_node *node = node_new(p, JINJA_NODE_DATA);
            if (node)
                node->value = text_value(p, p->token->text);
            items_add(p, &list, node, 0);
            next(p);
        } else if (p->token->kind == JINJA_TOKEN_OUTPUT_BEGIN) {
            next(p);
            items_add(p, &list, parse_output(p), 0);
        } else if (ends && at_end(p, ends)) {
            break;
        } else {
            next(p);
            items_add(p, &list, parse_statement(p), 0);
        }
    }
    p->blocks--;
    return items_node(p, JINJA_NODE_BODY, &list);
}

enum status jinja_parse(struct jinja **out, struct str source, struct error *error)
{
    struct jinja_tokens tokens = {0};
    struct jinja *jinja = mem_zalloc(sizeof *jinja);
    *out = NULL;
    if (!jinja)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    arena_init(&jinja->arena, TREE_BYTES_MAX);
    struct parser parser = {.arena = &jinja->arena, .error = error};
    if (source.len > JINJA_SOURCE_BYTES_MAX)
        parser.status = error_set(error, STATUS_LIMIT, "the chat template is longer than %d bytes", JINJA_SOURCE_BYTES_MAX);
    if (!parser.status)
        parser.status = jinja_lex(&tokens, &jinja->arena, source, error);
    if (!parser.status) {
        parser.token = tokens.at;
        jinja->body = parse_body(&parser, NULL);
    }
    jinja_tokens_release(&tokens);
    if (parser.status) {
        jinja_free(jinja);
        return parser.status;
    }
    *out = jinja;
    return STATUS_OK;
}

void jinja_free(struct jinja *jinja)
{
    if (!jinja)
        return;
    arena_release(&jinja->arena);
    mem_free(jinja);
}
