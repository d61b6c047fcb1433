/* Inside the Jinja subset's parser: its state, and what jinja_parse.c and jinja_expression.c give each other. */
#ifndef TEXT_JINJA_PARSER_H
#define TEXT_JINJA_PARSER_H

#include "text/jinja_parts.h"

struct jinja_parser {
    struct arena *arena;
    struct jinja_token *token; /* the current one */
    struct error *error;
    enum status status;
    int brackets, blocks; /* open ones */
    int loops;            /* for blocks around the current place, inside one macro */
};

/* A list being read. */
struct jinja_items {
    struct jinja_node **at;
    int *ops;
    uint32_t n, capacity;
};

/* jinja_parse.c. A failure is kept in the parser; nodes are null from then on. */
struct jinja_node *jinja_parser_fail(struct jinja_parser *p, const char *what);
void *jinja_parser_out_of_memory(struct jinja_parser *p);
struct jinja_node *jinja_parser_node(struct jinja_parser *p, enum jinja_node_kind kind);
bool jinja_parser_enter(struct jinja_parser *p, int *depth);
void jinja_parser_step(struct jinja_parser *p);
bool jinja_parser_is_op(const struct jinja_parser *p, int op);
bool jinja_parser_is_word(const struct jinja_parser *p, const char *word);
bool jinja_parser_skip_op(struct jinja_parser *p, int op);
bool jinja_parser_skip_word(struct jinja_parser *p, const char *word);
void jinja_parser_expect_op(struct jinja_parser *p, int op);
void jinja_parser_expect_kind(struct jinja_parser *p, enum jinja_token_kind kind, const char *what);
struct str jinja_parser_expect_name(struct jinja_parser *p);
void jinja_parser_add(struct jinja_parser *p, struct jinja_items *list, struct jinja_node *node, int op);
struct jinja_node *jinja_parser_list_node(struct jinja_parser *p, enum jinja_node_kind kind, const struct jinja_items *list);
struct jinja_value jinja_parser_text_value(struct jinja_parser *p, struct str text);

/* jinja_expression.c */
struct jinja_node *jinja_parse_expression(struct jinja_parser *p);
struct jinja_node *jinja_parse_or(struct jinja_parser *p);
struct jinja_node *jinja_parse_filters(struct jinja_parser *p, struct jinja_node *base, bool only_filters);
struct jinja_node *jinja_parse_filter(struct jinja_parser *p);
struct jinja_node *jinja_parse_expression_or_tuple(struct jinja_parser *p);
struct jinja_node *jinja_parser_postfix_node(struct jinja_parser *p, struct jinja_node *base, const struct jinja_items *steps);

#endif
