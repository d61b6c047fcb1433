/* Statements of a template, from tokens to the syntax tree, and what the parser's files share. Blocks are counted against
 * JINJA_DEPTH_MAX; branches of an if are a list. */
#include "text/jinja_parser.h"

#include <string.h>

#include "base/mem.h"

enum { TREE_BYTES_MAX = 256 << 20, ITEMS_MAX = 1 << 16 };

static struct jinja_node *parse_body(struct jinja_parser *p, const char *const *ends);

/* ---- Helpers ----------------------------------------------------------------------------------------------------- */

struct jinja_node *jinja_parser_fail(struct jinja_parser *p, const char *what)
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

void *jinja_parser_out_of_memory(struct jinja_parser *p)
{
    if (!p->status)
        p->status = error_set(p->error, STATUS_NO_MEMORY, "out of memory for the chat template");
    return NULL;
}

struct jinja_node *jinja_parser_node(struct jinja_parser *p, enum jinja_node_kind kind)
{
    struct jinja_node *node = p->status ? NULL : arena_zalloc(p->arena, sizeof *node);
    if (!node)
        return jinja_parser_out_of_memory(p);
    node->kind = kind;
    node->line = p->token->line;
    return node;
}

bool jinja_parser_enter(struct jinja_parser *p, int *depth)
{
    if (*depth == JINJA_DEPTH_MAX)
        jinja_parser_fail(p, "nested too deeply");
    else
        ++*depth;
    return !p->status;
}

void jinja_parser_step(struct jinja_parser *p)
{
    if (p->token->kind != JINJA_TOKEN_END)
        p->token++;
}

bool jinja_parser_is_op(const struct jinja_parser *p, int op)
{
    return p->token->kind == JINJA_TOKEN_OPERATOR && p->token->op == op;
}

bool jinja_parser_is_word(const struct jinja_parser *p, const char *word)
{
    return p->token->kind == JINJA_TOKEN_NAME && str_is(p->token->text, word);
}

bool jinja_parser_skip_op(struct jinja_parser *p, int op)
{
    bool found = jinja_parser_is_op(p, op);
    if (found)
        jinja_parser_step(p);
    return found;
}

bool jinja_parser_skip_word(struct jinja_parser *p, const char *word)
{
    bool found = jinja_parser_is_word(p, word);
    if (found)
        jinja_parser_step(p);
    return found;
}

void jinja_parser_expect_op(struct jinja_parser *p, int op)
{
    if (!jinja_parser_skip_op(p, op)) {
        char what[] = "expected ' '";
        what[10] = (char)op;
        jinja_parser_fail(p, what);
    }
}

void jinja_parser_expect_kind(struct jinja_parser *p, enum jinja_token_kind kind, const char *what)
{
    if (p->token->kind != kind)
        jinja_parser_fail(p, what);
    else
        jinja_parser_step(p);
}

struct str jinja_parser_expect_name(struct jinja_parser *p)
{
    struct str name = p->token->text;
    jinja_parser_expect_kind(p, JINJA_TOKEN_NAME, "expected a name");
    return name;
}

/* `op` stands before the item. */
void jinja_parser_add(struct jinja_parser *p, struct jinja_items *list, struct jinja_node *node, int op)
{
    if (p->status)
        return;
    if (list->n == ITEMS_MAX) {
        jinja_parser_fail(p, "a list that is too long");
        return;
    }
    if (list->n == list->capacity) {
        uint32_t capacity = list->capacity ? 2 * list->capacity : 4;
        struct jinja_node **at = arena_alloc(p->arena, capacity * sizeof *at);
        int *ops = arena_alloc(p->arena, capacity * sizeof *ops);
        if (!at || !ops) {
            jinja_parser_out_of_memory(p);
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

struct jinja_node *jinja_parser_list_node(struct jinja_parser *p, enum jinja_node_kind kind, const struct jinja_items *list)
{
    struct jinja_node *node = jinja_parser_node(p, kind);
    if (node) {
        node->items = list->at;
        node->ops = list->ops;
        node->n_items = list->n;
        if (list->n)
            node->line = list->at[0]->line;
    }
    return node;
}

struct jinja_value jinja_parser_text_value(struct jinja_parser *p, struct str text)
{
    struct jinja_text *t = arena_zalloc(p->arena, sizeof *t);
    if (!t) {
        jinja_parser_out_of_memory(p);
        return jinja_none();
    }
    t->at = text.at;
    t->len = text.len;
    return (struct jinja_value){.kind = JINJA_TEXT, .text = t};
}

/* ---- Statements --------------------------------------------------------------------------------------------------- */

static void end_block(struct jinja_parser *p)
{
    jinja_parser_expect_kind(p, JINJA_TOKEN_BLOCK_END, "expected the end of the tag");
}

/* {% WORD %} with the block's begin still ahead. */
static void end_tag(struct jinja_parser *p, const char *word)
{
    jinja_parser_expect_kind(p, JINJA_TOKEN_BLOCK_BEGIN, "a block does not end");
    if (!jinja_parser_skip_word(p, word))
        jinja_parser_fail(p, "expected another end of the block");
    end_block(p);
}

static struct jinja_node *parse_if(struct jinja_parser *p)
{
    static const char *const ends[] = {"elif", "else", "endif", NULL};
    struct jinja_items branches = {0};
    struct jinja_node *otherwise = NULL;
    struct jinja_node *node = jinja_parser_node(p, JINJA_NODE_IF);
    do {
        jinja_parser_add(p, &branches, jinja_parse_expression_or_tuple(p), 0);
        end_block(p);
        jinja_parser_add(p, &branches, parse_body(p, ends), 0);
        if (p->token->kind == JINJA_TOKEN_BLOCK_BEGIN)
            jinja_parser_step(p);
    } while (!p->status && jinja_parser_skip_word(p, "elif"));
    if (!p->status && jinja_parser_skip_word(p, "else")) {
        static const char *const last[] = {"endif", NULL};
        end_block(p);
        otherwise = parse_body(p, last);
        jinja_parser_step(p);
    }
    if (!p->status && !jinja_parser_skip_word(p, "endif"))
        jinja_parser_fail(p, "expected endif");
    end_block(p);
    if (p->status)
        return NULL;
    node->items = branches.at;
    node->n_items = branches.n;
    node->c = otherwise;
    return node;
}

/* `a`, `ns.a`, or several names. */
static void parse_targets(struct jinja_parser *p, struct jinja_node *node, bool attributes)
{
    enum { TARGETS_MAX = 16 };
    struct jinja_target targets[TARGETS_MAX];
    uint32_t n = 0;
    bool parenthesis = jinja_parser_skip_op(p, '(');
    do {
        if (n == TARGETS_MAX) {
            jinja_parser_fail(p, "too many names");
            return;
        }
        targets[n] = (struct jinja_target){.name = jinja_parser_expect_name(p)};
        if (attributes && jinja_parser_skip_op(p, '.'))
            targets[n].attribute = jinja_parser_expect_name(p);
        n++;
    } while (!p->status && jinja_parser_skip_op(p, ','));
    if (parenthesis)
        jinja_parser_expect_op(p, ')');
    if (p->status)
        return;
    node->targets = arena_alloc(p->arena, n * sizeof *targets);
    node->n_targets = n;
    if (!node->targets)
        jinja_parser_out_of_memory(p);
    else
        memcpy(node->targets, targets, n * sizeof *targets);
}

static struct jinja_node *parse_for(struct jinja_parser *p)
{
    static const char *const ends[] = {"else", "endfor", NULL}, *const last[] = {"endfor", NULL};
    struct jinja_node *node = jinja_parser_node(p, JINJA_NODE_FOR);
    if (!node)
        return NULL;
    parse_targets(p, node, false);
    if (!p->status && !jinja_parser_skip_word(p, "in"))
        return jinja_parser_fail(p, "expected 'in'");
    struct jinja_items list = {0};
    bool comma = false;
    do { /* no inline if here: it is the loop's filter */
        jinja_parser_add(p, &list, jinja_parse_or(p), 0);
        comma |= jinja_parser_is_op(p, ',');
    } while (!p->status && jinja_parser_skip_op(p, ','));
    if (p->status)
        return NULL;
    node->a = comma ? jinja_parser_list_node(p, JINJA_NODE_LIST, &list) : list.at[0];
    if (jinja_parser_skip_word(p, "if"))
        node->b = jinja_parse_expression(p);
    if (jinja_parser_is_word(p, "recursive"))
        return jinja_parser_fail(p, "recursive loops are not supported");
    end_block(p);
    p->loops++;
    node->body = parse_body(p, ends);
    p->loops--;
    jinja_parser_step(p);
    if (!p->status && jinja_parser_skip_word(p, "else")) {
        end_block(p);
        node->c = parse_body(p, last);
        jinja_parser_step(p);
    }
    if (!p->status && !jinja_parser_skip_word(p, "endfor"))
        return jinja_parser_fail(p, "expected endfor");
    end_block(p);
    return p->status ? NULL : node;
}

static struct jinja_node *parse_set(struct jinja_parser *p)
{
    static const char *const ends[] = {"endset", NULL};
    struct jinja_node *node = jinja_parser_node(p, JINJA_NODE_SET);
    if (!node)
        return NULL;
    parse_targets(p, node, true);
    if (jinja_parser_skip_op(p, '=')) {
        node->a = jinja_parse_expression_or_tuple(p);
        end_block(p);
        return node;
    }
    node->kind = JINJA_NODE_SET_BLOCK;
    node->a = jinja_parse_filters(p, NULL, true);
    end_block(p);
    node->body = parse_body(p, ends);
    end_tag(p, "endset");
    return node;
}

static struct jinja_node *parse_filter_block(struct jinja_parser *p)
{
    static const char *const ends[] = {"endfilter", NULL};
    struct jinja_items steps = {0};
    struct jinja_node *node = jinja_parser_node(p, JINJA_NODE_FILTER_BLOCK);
    do {
        jinja_parser_add(p, &steps, jinja_parse_filter(p), 0);
    } while (!p->status && jinja_parser_skip_op(p, '|'));
    end_block(p);
    if (p->status)
        return NULL;
    node->a = jinja_parser_postfix_node(p, NULL, &steps);
    node->body = parse_body(p, ends);
    end_tag(p, "endfilter");
    return node;
}

static struct jinja_node *parse_with(struct jinja_parser *p)
{
    static const char *const ends[] = {"endwith", NULL};
    struct jinja_items sets = {0};
    struct jinja_node *node = jinja_parser_node(p, JINJA_NODE_WITH);
    while (!p->status && p->token->kind == JINJA_TOKEN_NAME) {
        struct jinja_node *set = jinja_parser_node(p, JINJA_NODE_ARGUMENT);
        struct str name = jinja_parser_expect_name(p);
        jinja_parser_expect_op(p, '=');
        struct jinja_node *value = jinja_parse_expression(p);
        if (p->status)
            return NULL;
        set->name = name;
        set->a = value;
        jinja_parser_add(p, &sets, set, 0);
        if (!jinja_parser_skip_op(p, ','))
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

static struct jinja_node *parse_macro(struct jinja_parser *p)
{
    static const char *const ends[] = {"endmacro", NULL};
    struct jinja_items list = {0};
    struct jinja_node *node = jinja_parser_node(p, JINJA_NODE_MACRO);
    struct str name = jinja_parser_expect_name(p);
    jinja_parser_expect_op(p, '(');
    while (!p->status && !jinja_parser_is_op(p, ')')) {
        struct jinja_node *argument = jinja_parser_node(p, JINJA_NODE_ARGUMENT);
        struct str argument_name = jinja_parser_expect_name(p);
        struct jinja_node *fallback = jinja_parser_skip_op(p, '=') ? jinja_parse_expression(p) : NULL;
        if (p->status)
            return NULL;
        argument->name = argument_name;
        argument->a = fallback;
        jinja_parser_add(p, &list, argument, 0);
        if (!jinja_parser_skip_op(p, ','))
            break;
    }
    jinja_parser_expect_op(p, ')');
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

static struct jinja_node *parse_jump(struct jinja_parser *p, enum jinja_node_kind kind)
{
    struct jinja_node *node = p->loops ? jinja_parser_node(p, kind) : jinja_parser_fail(p, "outside of a loop");
    end_block(p);
    return node;
}

/* {% generation %} marks what a model wrote for training; it prints its body. */
static struct jinja_node *parse_generation(struct jinja_parser *p)
{
    static const char *const ends[] = {"endgeneration", NULL};
    end_block(p);
    struct jinja_node *node = parse_body(p, ends);
    end_tag(p, "endgeneration");
    return node;
}

static struct jinja_node *parse_statement(struct jinja_parser *p)
{
    if (jinja_parser_skip_word(p, "if"))
        return parse_if(p);
    if (jinja_parser_skip_word(p, "for"))
        return parse_for(p);
    if (jinja_parser_skip_word(p, "set"))
        return parse_set(p);
    if (jinja_parser_skip_word(p, "macro"))
        return parse_macro(p);
    if (jinja_parser_skip_word(p, "filter"))
        return parse_filter_block(p);
    if (jinja_parser_skip_word(p, "with"))
        return parse_with(p);
    if (jinja_parser_skip_word(p, "generation"))
        return parse_generation(p);
    if (jinja_parser_skip_word(p, "break"))
        return parse_jump(p, JINJA_NODE_BREAK);
    if (jinja_parser_skip_word(p, "continue"))
        return parse_jump(p, JINJA_NODE_CONTINUE);
    return jinja_parser_fail(p, "an unknown or unsupported tag");
}

/* Whether a block that begins here is one of the ends. */
static bool at_end(const struct jinja_parser *p, const char *const *ends)
{
    const struct jinja_token *word = p->token + 1;
    for (; *ends; ends++)
        if (word->kind == JINJA_TOKEN_NAME && str_is(word->text, *ends))
            return true;
    return false;
}

static struct jinja_node *parse_output(struct jinja_parser *p)
{
    struct jinja_node *node = jinja_parser_node(p, JINJA_NODE_OUTPUT);
    struct jinja_node *value = jinja_parse_expression_or_tuple(p);
    if (node)
        node->a = value;
    jinja_parser_expect_kind(p, JINJA_TOKEN_OUTPUT_END, "expected '}}'");
    return node;
}

/* Statements up to a block whose word is among `ends` (not taken), or to the end of the template when null. */
static struct jinja_node *parse_body(struct jinja_parser *p, const char *const *ends)
{
    struct jinja_items list = {0};
    if (!jinja_parser_enter(p, &p->blocks))
        return NULL;
    while (!p->status) {
        if (p->token->kind == JINJA_TOKEN_END) {
            if (ends)
                jinja_parser_fail(p, "a block does not end");
            break;
        }
        if (p->token->kind == JINJA_TOKEN_DATA) {
            struct jinja_node *node = jinja_parser_node(p, JINJA_NODE_DATA);
            if (node)
                node->value = jinja_parser_text_value(p, p->token->text);
            jinja_parser_add(p, &list, node, 0);
            jinja_parser_step(p);
        } else if (p->token->kind == JINJA_TOKEN_OUTPUT_BEGIN) {
            jinja_parser_step(p);
            jinja_parser_add(p, &list, parse_output(p), 0);
        } else if (ends && at_end(p, ends)) {
            break;
        } else {
            jinja_parser_step(p);
            jinja_parser_add(p, &list, parse_statement(p), 0);
        }
    }
    p->blocks--;
    return jinja_parser_list_node(p, JINJA_NODE_BODY, &list);
}

enum status jinja_parse(struct jinja **out, struct str source, struct error *error)
{
    struct jinja_tokens tokens = {0};
    struct jinja *jinja = mem_zalloc(sizeof *jinja);
    *out = NULL;
    if (!jinja)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    arena_init(&jinja->arena, TREE_BYTES_MAX);
    struct jinja_parser parser = {.arena = &jinja->arena, .error = error};
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
