/* Expressions of a template, from tokens to the syntax tree. Chains of operators, steps and filters become lists rather than
 * towers, so that running them needs no stack; brackets are counted against JINJA_DEPTH_MAX. */
#include "text/jinja_parser.h"

#include <string.h>

static struct jinja_node *literal(struct jinja_parser *p, struct jinja_value value)
{
    struct jinja_node *node = jinja_parser_node(p, JINJA_NODE_LITERAL);
    if (node)
        node->value = value;
    return node;
}

static struct jinja_node *parse_string(struct jinja_parser *p)
{
    struct str text = p->token->text;
    jinja_parser_step(p);
    while (p->token->kind == JINJA_TOKEN_STRING && !p->status) { /* neighbours are one string */
        char *joined = arena_alloc(p->arena, text.len + p->token->text.len + 1);
        if (!joined)
            return jinja_parser_out_of_memory(p);
        memcpy(joined, text.at, text.len);
        memcpy(joined + text.len, p->token->text.at, p->token->text.len);
        text = str_from(joined, text.len + p->token->text.len);
        jinja_parser_step(p);
    }
    return literal(p, jinja_parser_text_value(p, text));
}

static struct jinja_node *parse_name(struct jinja_parser *p)
{
    struct str name = p->token->text;
    if (str_is(name, "true") || str_is(name, "True") || str_is(name, "false") || str_is(name, "False")) {
        jinja_parser_step(p);
        return literal(p, jinja_bool(name.at[0] == 't' || name.at[0] == 'T'));
    }
    if (str_is(name, "none") || str_is(name, "None")) {
        jinja_parser_step(p);
        return literal(p, jinja_none());
    }
    struct jinja_node *node = jinja_parser_node(p, JINJA_NODE_NAME);
    if (node)
        node->name = name;
    jinja_parser_step(p);
    return node;
}

/* Expressions up to a closing bracket. */
static struct jinja_node *parse_list(struct jinja_parser *p, int closing)
{
    struct jinja_items list = {0};
    while (!p->status && !jinja_parser_is_op(p, closing)) {
        jinja_parser_add(p, &list, jinja_parse_expression(p), 0);
        if (!jinja_parser_skip_op(p, ','))
            break;
    }
    jinja_parser_expect_op(p, closing);
    return jinja_parser_list_node(p, JINJA_NODE_LIST, &list);
}

static struct jinja_node *parse_map(struct jinja_parser *p)
{
    struct jinja_items list = {0};
    while (!p->status && !jinja_parser_is_op(p, '}')) {
        jinja_parser_add(p, &list, jinja_parse_expression(p), 0);
        jinja_parser_expect_op(p, ':');
        jinja_parser_add(p, &list, jinja_parse_expression(p), 0);
        if (!jinja_parser_skip_op(p, ','))
            break;
    }
    jinja_parser_expect_op(p, '}');
    return jinja_parser_list_node(p, JINJA_NODE_MAP, &list);
}

/* (a) is a; (a,) and (a, b) are tuples. */
static struct jinja_node *parse_parenthesis(struct jinja_parser *p)
{
    struct jinja_items list = {0};
    bool comma = false;
    while (!p->status && !jinja_parser_is_op(p, ')')) {
        jinja_parser_add(p, &list, jinja_parse_expression(p), 0);
        if (!jinja_parser_skip_op(p, ','))
            break;
        comma = true;
    }
    jinja_parser_expect_op(p, ')');
    if (list.n == 1 && !comma)
        return p->status ? NULL : list.at[0];
    struct jinja_node *node = jinja_parser_list_node(p, JINJA_NODE_LIST, &list);
    if (node)
        node->is_tuple = true;
    return node;
}

static struct jinja_node *parse_primary(struct jinja_parser *p)
{
    struct jinja_node *node = NULL;
    const struct jinja_token *t = p->token;
    if (t->kind == JINJA_TOKEN_NAME) {
        node = parse_name(p);
    } else if (t->kind == JINJA_TOKEN_STRING) {
        node = parse_string(p);
    } else if (t->kind == JINJA_TOKEN_INT || t->kind == JINJA_TOKEN_FLOAT) {
        node = literal(p, t->kind == JINJA_TOKEN_INT ? jinja_int(t->integer) : jinja_float(t->real));
        jinja_parser_step(p);
    } else if (jinja_parser_skip_op(p, '(')) {
        node = parse_parenthesis(p);
    } else if (jinja_parser_skip_op(p, '[')) {
        node = parse_list(p, ']');
    } else if (jinja_parser_skip_op(p, '{')) {
        node = parse_map(p);
    } else {
        jinja_parser_fail(p, "expected an expression");
    }
    return node;
}

/* After the opening parenthesis. */
static void parse_arguments(struct jinja_parser *p, struct jinja_items *list)
{
    bool named = false;
    while (!p->status && !jinja_parser_is_op(p, ')')) {
        struct jinja_node *argument = jinja_parser_node(p, JINJA_NODE_ARGUMENT);
        if (!argument)
            return;
        if (jinja_parser_is_op(p, '*') || jinja_parser_is_op(p, JINJA_OP2('*', '*'))) {
            jinja_parser_fail(p, "unpacked arguments are not supported");
            return;
        }
        if (p->token->kind == JINJA_TOKEN_NAME && p->token[1].kind == JINJA_TOKEN_OPERATOR && p->token[1].op == '=') {
            argument->name = p->token->text;
            jinja_parser_step(p);
            jinja_parser_step(p);
            named = true;
        } else if (named) {
            jinja_parser_fail(p, "an argument without a name after one with a name");
            return;
        }
        argument->a = jinja_parse_expression(p);
        jinja_parser_add(p, list, argument, 0);
        if (!jinja_parser_skip_op(p, ','))
            break;
    }
    jinja_parser_expect_op(p, ')');
}

static struct jinja_node *parse_call(struct jinja_parser *p)
{
    struct jinja_items list = {0};
    struct jinja_node *node = jinja_parser_node(p, JINJA_NODE_CALL);
    parse_arguments(p, &list);
    if (p->status)
        return NULL;
    node->items = list.at;
    node->n_items = list.n;
    return node;
}

/* After '['. */
static struct jinja_node *parse_subscript(struct jinja_parser *p)
{
    struct jinja_node *node = jinja_parser_node(p, JINJA_NODE_INDEX);
    if (!node)
        return NULL;
    if (!jinja_parser_is_op(p, ':'))
        node->a = jinja_parse_expression(p);
    if (jinja_parser_skip_op(p, ':')) {
        node->kind = JINJA_NODE_SLICE;
        if (!jinja_parser_is_op(p, ':') && !jinja_parser_is_op(p, ']'))
            node->b = jinja_parse_expression(p);
        if (jinja_parser_skip_op(p, ':') && !jinja_parser_is_op(p, ']'))
            node->c = jinja_parse_expression(p);
    }
    jinja_parser_expect_op(p, ']');
    return node;
}

/* `.name`, `[...]`, `(...)`: one of them, or null when there is none. */
static struct jinja_node *parse_step(struct jinja_parser *p)
{
    if (jinja_parser_skip_op(p, '.')) {
        struct jinja_node *node = NULL;
        if (p->token->kind == JINJA_TOKEN_INT) {
            node = jinja_parser_node(p, JINJA_NODE_INDEX);
            struct jinja_node *index = literal(p, jinja_int(p->token->integer));
            if (node)
                node->a = index;
            jinja_parser_step(p);
            return node;
        }
        node = jinja_parser_node(p, JINJA_NODE_ATTRIBUTE);
        struct str name = jinja_parser_expect_name(p);
        if (node)
            node->name = name;
        return node;
    }
    if (jinja_parser_skip_op(p, '['))
        return parse_subscript(p);
    if (jinja_parser_skip_op(p, '('))
        return parse_call(p);
    return NULL;
}

struct jinja_node *jinja_parser_postfix_node(struct jinja_parser *p, struct jinja_node *base, const struct jinja_items *steps)
{
    if (p->status || steps->n == 0)
        return base;
    struct jinja_node *node = jinja_parser_list_node(p, JINJA_NODE_POSTFIX, steps);
    if (node)
        node->a = base;
    return node;
}

static struct jinja_node *parse_postfix(struct jinja_parser *p, struct jinja_node *base)
{
    struct jinja_items steps = {0};
    while (!p->status && (jinja_parser_is_op(p, '.') || jinja_parser_is_op(p, '[') || jinja_parser_is_op(p, '(')))
        jinja_parser_add(p, &steps, parse_step(p), 0);
    return jinja_parser_postfix_node(p, base, &steps);
}

struct jinja_node *jinja_parse_filter(struct jinja_parser *p)
{
    struct jinja_items list = {0};
    struct jinja_node *node = jinja_parser_node(p, JINJA_NODE_FILTER);
    struct str name = p->token->text;
    const struct jinja_filter *filter = p->token->kind == JINJA_TOKEN_NAME ? jinja_filter_find(name) : NULL;
    if (!filter)
        return jinja_parser_fail(p, "an unknown filter");
    jinja_parser_step(p);
    if (jinja_parser_skip_op(p, '('))
        parse_arguments(p, &list);
    if (p->status)
        return NULL;
    node->filter = filter;
    node->items = list.at;
    node->n_items = list.n;
    return node;
}

/* One argument may follow a test without parentheses: `is divisibleby 3`. */
static bool starts_argument(const struct jinja_parser *p)
{
    const struct jinja_token *t = p->token;
    if (t->kind == JINJA_TOKEN_NAME)
        return !jinja_parser_is_word(p, "else") && !jinja_parser_is_word(p, "or") && !jinja_parser_is_word(p, "and") &&
               !jinja_parser_is_word(p, "is") && !jinja_parser_is_word(p, "if");
    return t->kind == JINJA_TOKEN_STRING || t->kind == JINJA_TOKEN_INT || t->kind == JINJA_TOKEN_FLOAT || jinja_parser_is_op(p, '[') ||
           jinja_parser_is_op(p, '{');
}

/* After `is`. */
static struct jinja_node *parse_test(struct jinja_parser *p)
{
    struct jinja_items list = {0};
    struct jinja_node *node = jinja_parser_node(p, JINJA_NODE_TEST);
    bool negated = jinja_parser_skip_word(p, "not");
    const struct jinja_test *test = p->token->kind == JINJA_TOKEN_NAME ? jinja_test_find(p->token->text) : NULL;
    if (!test)
        return jinja_parser_fail(p, "an unknown test");
    jinja_parser_step(p);
    if (jinja_parser_skip_op(p, '(')) {
        parse_arguments(p, &list);
    } else if (starts_argument(p)) {
        struct jinja_node *argument = jinja_parser_node(p, JINJA_NODE_ARGUMENT);
        struct jinja_node *value = parse_postfix(p, parse_primary(p));
        if (argument)
            argument->a = value;
        jinja_parser_add(p, &list, argument, 0);
    }
    if (p->status)
        return NULL;
    node->negated = negated;
    node->test = test;
    node->items = list.at;
    node->n_items = list.n;
    return node;
}

struct jinja_node *jinja_parse_filters(struct jinja_parser *p, struct jinja_node *base, bool only_filters)
{
    struct jinja_items steps = {0};
    while (!p->status) {
        if (jinja_parser_skip_op(p, '|'))
            jinja_parser_add(p, &steps, jinja_parse_filter(p), 0);
        else if (!only_filters && jinja_parser_skip_word(p, "is"))
            jinja_parser_add(p, &steps, parse_test(p), 0);
        else if (!only_filters && steps.n && jinja_parser_is_op(p, '('))
            jinja_parser_add(p, &steps, parse_step(p), 0);
        else
            break;
    }
    return jinja_parser_postfix_node(p, base, &steps);
}

static struct jinja_node *parse_unary(struct jinja_parser *p, bool with_filters)
{
    struct jinja_node *node;
    if (jinja_parser_is_op(p, '-') || jinja_parser_is_op(p, '+')) {
        int op = p->token->op;
        if (!jinja_parser_enter(p, &p->brackets))
            return NULL;
        node = jinja_parser_node(p, JINJA_NODE_NEGATE);
        jinja_parser_step(p);
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
    return with_filters ? jinja_parse_filters(p, node, false) : node;
}

/* Operands of one level of precedence, joined by any of its operators. */
static struct jinja_node *parse_level(struct jinja_parser *p, const int *ops, struct jinja_node *(*operand)(struct jinja_parser *))
{
    struct jinja_items list = {0};
    jinja_parser_add(p, &list, operand(p), 0);
    while (!p->status && p->token->kind == JINJA_TOKEN_OPERATOR) {
        const int *op = ops;
        while (*op && *op != p->token->op)
            op++;
        if (!*op)
            break;
        jinja_parser_step(p);
        jinja_parser_add(p, &list, operand(p), *op);
    }
    if (p->status)
        return NULL;
    return list.n == 1 ? list.at[0] : jinja_parser_list_node(p, JINJA_NODE_ARITHMETIC, &list);
}

static struct jinja_node *parse_operand(struct jinja_parser *p)
{
    return parse_unary(p, true);
}

static struct jinja_node *parse_power(struct jinja_parser *p)
{
    static const int ops[] = {JINJA_OP2('*', '*'), 0};
    return parse_level(p, ops, parse_operand);
}

static struct jinja_node *parse_product(struct jinja_parser *p)
{
    static const int ops[] = {'*', '/', '%', JINJA_OP2('/', '/'), 0};
    return parse_level(p, ops, parse_power);
}

static struct jinja_node *parse_concat(struct jinja_parser *p)
{
    static const int ops[] = {'~', 0};
    struct jinja_node *node = parse_level(p, ops, parse_product);
    if (node && node->kind == JINJA_NODE_ARITHMETIC && node->ops[1] == '~')
        node->kind = JINJA_NODE_CONCAT;
    return node;
}

static struct jinja_node *parse_sum(struct jinja_parser *p)
{
    static const int ops[] = {'+', '-', 0};
    return parse_level(p, ops, parse_concat);
}

/* The comparison operator here, taken; 0 when there is none. 'i' is in, 'n' not in. */
static int comparison(struct jinja_parser *p)
{
    static const int ops[] = {JINJA_OP2('=', '='), JINJA_OP2('!', '='), JINJA_OP2('<', '='), JINJA_OP2('>', '='), '<', '>'};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (jinja_parser_skip_op(p, ops[i]))
            return ops[i];
    if (jinja_parser_skip_word(p, "in"))
        return 'i';
    if (jinja_parser_is_word(p, "not") && p->token[1].kind == JINJA_TOKEN_NAME && str_is(p->token[1].text, "in")) {
        jinja_parser_step(p);
        jinja_parser_step(p);
        return 'n';
    }
    return 0;
}

static struct jinja_node *parse_compare(struct jinja_parser *p)
{
    struct jinja_items list = {0};
    int op;
    jinja_parser_add(p, &list, parse_sum(p), 0);
    while (!p->status && (op = comparison(p)) != 0)
        jinja_parser_add(p, &list, parse_sum(p), op);
    if (p->status)
        return NULL;
    return list.n == 1 ? list.at[0] : jinja_parser_list_node(p, JINJA_NODE_COMPARE, &list);
}

static struct jinja_node *parse_not(struct jinja_parser *p)
{
    bool negated = false, any = false;
    while (jinja_parser_skip_word(p, "not")) {
        negated = !negated;
        any = true;
    }
    struct jinja_node *inner = parse_compare(p);
    if (!any || p->status)
        return inner;
    struct jinja_node *node = jinja_parser_node(p, JINJA_NODE_NOT);
    if (node) {
        node->a = inner;
        node->negated = negated;
    }
    return node;
}

static struct jinja_node *parse_words(struct jinja_parser *p, const char *word, enum jinja_node_kind kind,
                                      struct jinja_node *(*operand)(struct jinja_parser *))
{
    struct jinja_items list = {0};
    do {
        jinja_parser_add(p, &list, operand(p), 0);
    } while (!p->status && jinja_parser_skip_word(p, word));
    if (p->status)
        return NULL;
    return list.n == 1 ? list.at[0] : jinja_parser_list_node(p, kind, &list);
}

static struct jinja_node *parse_and(struct jinja_parser *p)
{
    return parse_words(p, "and", JINJA_NODE_AND, parse_not);
}

struct jinja_node *jinja_parse_or(struct jinja_parser *p)
{
    return parse_words(p, "or", JINJA_NODE_OR, parse_and);
}

struct jinja_node *jinja_parse_expression(struct jinja_parser *p)
{
    if (!jinja_parser_enter(p, &p->brackets))
        return NULL;
    struct jinja_node *node = jinja_parse_or(p);
    while (!p->status && jinja_parser_skip_word(p, "if")) {
        struct jinja_node *conditional = jinja_parser_node(p, JINJA_NODE_CONDITIONAL);
        struct jinja_node *condition = jinja_parse_or(p);
        struct jinja_node *otherwise = !p->status && jinja_parser_skip_word(p, "else") ? jinja_parse_expression(p) : NULL;
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
struct jinja_node *jinja_parse_expression_or_tuple(struct jinja_parser *p)
{
    struct jinja_items list = {0};
    bool comma = false;
    do {
        jinja_parser_add(p, &list, jinja_parse_expression(p), 0);
        comma |= jinja_parser_is_op(p, ',');
    } while (!p->status && jinja_parser_skip_op(p, ',') && p->token->kind != JINJA_TOKEN_BLOCK_END &&
             p->token->kind != JINJA_TOKEN_OUTPUT_END);
    if (p->status)
        return NULL;
    if (!comma)
        return list.at[0];
    struct jinja_node *node = jinja_parser_list_node(p, JINJA_NODE_LIST, &list);
    if (node)
        node->is_tuple = true;
    return node;
}
