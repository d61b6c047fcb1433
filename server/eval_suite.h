/* Suites of `seekd eval`: JSON lines, one item a line (docs/eval.md). Everything is checked when it is read, so that a run cannot fail
 * on its own suite. */
#ifndef SERVER_EVAL_SUITE_H
#define SERVER_EVAL_SUITE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "base/str.h"
#include "base/table.h"
#include "server/eval_check.h"

enum { EVAL_LINE_BYTES_MAX = 1 << 20, EVAL_ITEMS_MAX = 1000000, EVAL_CHECKS_MAX = 32 };

struct eval_item {
    json_t *root; /* owned; what follows is lent from it */
    const char *id;
    const char *kind;               /* "other" where the line names none */
    const char *language;           /* null: none named */
    const json_t *messages, *tools; /* either messages or prompt */
    const char *prompt, *suffix;
    const json_t *thinking;    /* null: the model's own choice */
    int max_tokens;            /* 0: the server's own limit */
    struct eval_check *checks; /* owned */
    unsigned n_checks;
};

struct eval_suite {
    struct eval_item *items;
    size_t n, capacity;
    struct table ids;
};

void eval_suite_init(struct eval_suite *suite);
void eval_suite_release(struct eval_suite *suite);

/* Adds the items of a text or file. Errors name the line and the field; an id must not stand twice in the suite. */
enum status eval_suite_add_text(struct eval_suite *suite, const char *name, struct str text, struct error *error) must_check;
enum status eval_suite_add_file(struct eval_suite *suite, const char *path, struct error *error) must_check;

#endif
