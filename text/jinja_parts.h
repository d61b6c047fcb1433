/* Inside the Jinja subset: tokens, syntax tree, the run's state, and helpers that its files share. */
#ifndef TEXT_JINJA_PARTS_H
#define TEXT_JINJA_PARTS_H

#include "base/arena.h"
#include "text/jinja.h"

/* ---- Tokens (jinja_lex.c) ------------------------------------------------------------------------------------ */

enum jinja_token_kind {
    JINJA_TOKEN_END,
    JINJA_TOKEN_DATA,
    JINJA_TOKEN_OUTPUT_BEGIN, /* {{ */
    JINJA_TOKEN_OUTPUT_END,
    JINJA_TOKEN_BLOCK_BEGIN, /* {% */
    JINJA_TOKEN_BLOCK_END,
    JINJA_TOKEN_NAME,
    JINJA_TOKEN_STRING,
    JINJA_TOKEN_INT,
    JINJA_TOKEN_FLOAT,
    JINJA_TOKEN_OPERATOR,
};

/* Operators are named by their bytes. */
#define JINJA_OP2(a, b) ((a) << 8 | (b))

struct jinja_token {
    enum jinja_token_kind kind;
    int line;
    int op;
    struct str text;
    int64_t integer;
    double real;
};

struct jinja_tokens {
    struct jinja_token *at; /* owned; ends with JINJA_TOKEN_END */
    uint32_t n, capacity;
};
/* Strings live in the arena or in `source`. */
enum status jinja_lex(struct jinja_tokens *tokens, struct arena *arena, struct str source, struct error *error) must_check;
void jinja_tokens_release(struct jinja_tokens *tokens);

/* ---- Syntax tree (jinja_parse.c) ----------------------------------------------------------------------------- */

enum jinja_node_kind {
    /* expressions */
    JINJA_NODE_LITERAL,     /* value */
    JINJA_NODE_NAME,        /* name */
    JINJA_NODE_LIST,        /* items; is_tuple */
    JINJA_NODE_MAP,         /* items: key, value, key, value */
    JINJA_NODE_ARITHMETIC,  /* items joined left to right by ops */
    JINJA_NODE_COMPARE,     /* items compared pairwise by ops */
    JINJA_NODE_AND,         /* items */
    JINJA_NODE_OR,          /* items */
    JINJA_NODE_CONCAT,      /* items */
    JINJA_NODE_NOT,         /* a */
    JINJA_NODE_NEGATE,      /* a */
    JINJA_NODE_CONDITIONAL, /* a if b else c; c may be null */
    JINJA_NODE_POSTFIX,     /* a, then the steps in items */
    /* steps of a postfix expression */
    JINJA_NODE_ATTRIBUTE, /* .name */
    JINJA_NODE_INDEX,     /* [a] */
    JINJA_NODE_SLICE,     /* [a:b:c], each may be null */
    JINJA_NODE_CALL,      /* items: arguments */
    JINJA_NODE_FILTER,    /* filter, items: arguments */
    JINJA_NODE_TEST,      /* test, items: arguments; negated */
    JINJA_NODE_ARGUMENT,  /* a; name where given by name */
    /* statements */
    JINJA_NODE_DATA,         /* value */
    JINJA_NODE_OUTPUT,       /* a */
    JINJA_NODE_IF,           /* items: condition, body, condition, body...; c: else body or null */
    JINJA_NODE_FOR,          /* targets, a: over what, b: condition or null, body, c: else body or null */
    JINJA_NODE_SET,          /* targets, a */
    JINJA_NODE_SET_BLOCK,    /* targets, body, a: postfix steps (filters) or null */
    JINJA_NODE_FILTER_BLOCK, /* body, a: postfix steps (filters) */
    JINJA_NODE_WITH,         /* items: sets; body */
    JINJA_NODE_MACRO,        /* name, items: arguments with defaults in a; body */
    JINJA_NODE_BREAK,
    JINJA_NODE_CONTINUE,
    JINJA_NODE_BODY, /* items */
};

struct jinja_node {
    enum jinja_node_kind kind;
    int line;
    bool negated, is_tuple;
    struct str name;
    struct jinja_value value;
    struct jinja_node *a, *b, *c, *body;
    struct jinja_node **items;
    int *ops; /* between items */
    uint32_t n_items;
    struct jinja_target *targets;
    uint32_t n_targets;
    const struct jinja_filter *filter;
    const struct jinja_test *test;
};

/* What set and for write to: a variable, or an attribute of a namespace. */
struct jinja_target {
    struct str name, attribute; /* attribute is empty for a variable */
};

struct jinja {
    struct arena arena;
    struct jinja_node *body;
};

/* ---- Running (jinja_run.c) ----------------------------------------------------------------------------------- */

/* A string being made. */
struct jinja_builder {
    char *at;
    size_t len, capacity;
    struct jinja_part *parts;
    uint32_t n_parts, parts_capacity;
};

struct jinja_run {
    struct jinja_heap *heap;
    struct error *error; /* where the first failure goes */
    enum status failed;
    uint64_t steps;
    int depth;   /* of calls and of nested values */
    int nesting; /* of the tree walk */
    int line;
    const char *date;
    struct jinja_scope *root, *scope;
    struct jinja_builder *out;
    enum { JINJA_FLOW_ON, JINJA_FLOW_BREAK, JINJA_FLOW_CONTINUE } flow;
};

struct jinja_variable {
    struct str name;
    struct jinja_value value;
};

struct jinja_scope {
    struct jinja_scope *parent;
    struct jinja_variable *variables;
    uint32_t n, capacity;
};

struct jinja_loop {
    struct jinja_list *items;
    uint32_t index;
    struct jinja_value changed; /* what loop.changed saw last */
    bool has_changed;
};

struct jinja_closure {
    const struct jinja_node *macro;
    struct jinja_scope *scope;
};

struct jinja_args {
    struct jinja_value *values;
    struct str *names; /* empty for positional ones, which come first */
    uint32_t n, n_positional;
};

struct jinja_function {
    const char *name;
    struct jinja_value (*call)(struct jinja_run *run, const struct jinja_args *args);
};

struct jinja_method {
    struct jinja_value self;
    struct str name;
};

struct jinja_filter {
    const char *name;
    struct jinja_value (*apply)(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args);
};

struct jinja_test {
    const char *name;
    bool (*holds)(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args);
};

/* Records the first failure with the current line; returns an undefined value, so that callers may return it. */
struct jinja_value jinja_fail(struct jinja_run *run, const char *format, ...) printf_like(2, 3);
/* Takes n steps of fuel; false (and failed) when there are none left or something failed before. */
bool jinja_spend(struct jinja_run *run, uint64_t n);
/* jinja_operate.c. Operators as in the tokens; 'i' is in, 'n' not in. */
struct jinja_value jinja_operate(struct jinja_run *run, int op, struct jinja_value a, struct jinja_value b);
bool jinja_compare(struct jinja_run *run, int op, struct jinja_value a, struct jinja_value b);
bool jinja_contains(struct jinja_run *run, struct jinja_value in, struct jinja_value what);
/* Calls of functions, methods and macros; depth counts against the limit. */
struct jinja_value jinja_call(struct jinja_run *run, struct jinja_value callee, const struct jinja_args *args);
struct jinja_value jinja_attribute(struct jinja_run *run, struct jinja_value of, struct str name);
struct jinja_value jinja_item(struct jinja_run *run, struct jinja_value of, struct jinja_value key);
void jinja_scope_set(struct jinja_run *run, struct jinja_scope *scope, struct str name, struct jinja_value value);
bool jinja_scope_find(const struct jinja_scope *scope, struct str name, struct jinja_value *out);

/* ---- Values (jinja_value.c) ---------------------------------------------------------------------------------- */

struct jinja_value jinja_undefined(const struct str *name);
bool jinja_truth(struct jinja_value value);
bool jinja_equal(struct jinja_run *run, struct jinja_value a, struct jinja_value b);
/* Order of numbers, strings and lists; fails for others. */
int jinja_order(struct jinja_run *run, struct jinja_value a, struct jinja_value b);
const char *jinja_kind_name(struct jinja_value value);
struct str jinja_str(struct jinja_value value); /* the bytes of a JINJA_TEXT */
bool jinja_is_number(struct jinja_value value); /* bools are numbers, as in Python */
double jinja_number(struct jinja_value value);
bool jinja_find(const struct jinja_map *map, struct str key, struct jinja_value *out);
/* A list of what iterating over the value gives; null and failed when it cannot be iterated over. */
struct jinja_list *jinja_iterate(struct jinja_run *run, struct jinja_value value);
/* What {{ value }} prints. */
struct jinja_value jinja_to_text(struct jinja_run *run, struct jinja_value value);
struct jinja_value jinja_join_texts(struct jinja_run *run, struct jinja_value a, struct jinja_value b);

/* ---- Strings (jinja_text.c) ---------------------------------------------------------------------------------- */

bool jinja_build(struct jinja_run *run, struct jinja_builder *builder, struct str text, enum jinja_origin origin);
bool jinja_build_text(struct jinja_run *run, struct jinja_builder *builder, const struct jinja_text *text);
/* The bytes from `start` to `end` with their origins. */
bool jinja_build_range(struct jinja_run *run, struct jinja_builder *builder, const struct jinja_text *text, size_t start, size_t end);
struct jinja_value jinja_built(struct jinja_run *run, struct jinja_builder *builder);
/* Shares the bytes. */
struct jinja_value jinja_slice(struct jinja_run *run, const struct jinja_text *text, size_t start, size_t end);
enum jinja_origin jinja_origin_at(const struct jinja_text *text, size_t offset);
/* The character at an offset; returns its length, 1 for a byte that is not UTF-8. `code` may be null. */
size_t jinja_decode(const struct jinja_text *text, size_t offset, uint32_t *code);
struct jinja_value jinja_text_of(struct jinja_run *run, struct str text); /* of the template's origin */
size_t jinja_repr_float(char out[40], double real);
/* JSON as Python's json.dumps writes it. `indent` < 0: on one line. */
struct jinja_json_style {
    int indent;
    bool ensure_ascii, sort_keys;
    struct str item_separator, key_separator;
};
bool jinja_build_json(struct jinja_run *run, struct jinja_builder *builder, struct jinja_value value,
                      const struct jinja_json_style *style, int level);

/* ---- Names (jinja_filters.c, jinja_tests.c, jinja_methods.c) ------------------------------------------------- */

const struct jinja_filter *jinja_filter_find(struct str name);
const struct jinja_test *jinja_test_find(struct str name);
bool jinja_method_exists(struct jinja_value self, struct str name);
struct jinja_value jinja_method_call(struct jinja_run *run, const struct jinja_method *method, const struct jinja_args *args);
void jinja_functions_define(struct jinja_run *run, struct jinja_scope *scope);

/* An argument by position or name; false when it was not given. */
bool jinja_arg(const struct jinja_args *args, uint32_t index, const char *name, struct jinja_value *out);
/* The same with a default; fails the run when it is of the wrong kind. */
struct str jinja_arg_str(struct jinja_run *run, const struct jinja_args *args, uint32_t index, const char *name, const char *fallback);
int64_t jinja_arg_int(struct jinja_run *run, const struct jinja_args *args, uint32_t index, const char *name, int64_t fallback);
bool jinja_arg_bool(const struct jinja_args *args, uint32_t index, const char *name, bool fallback);

#endif
