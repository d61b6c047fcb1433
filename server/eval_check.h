/* What an answer of `seekd eval` must fulfil (docs/eval.md): exact, contains, number, regex, json, tool_calls, language. */
#ifndef SERVER_EVAL_CHECK_H
#define SERVER_EVAL_CHECK_H

#include <jansson.h>
#include <stdbool.h>

#include "base/status.h"
#include "base/str.h"

struct text_pattern;

struct eval_check {
    const struct eval_check_kind *kind;
    const json_t *spec;           /* lent */
    struct text_pattern *pattern; /* of a regex, owned; or null */
};

struct eval_answer {
    struct str content;       /* UTF-8 */
    const json_t *tool_calls; /* array in the API's form, or null */
};

enum { EVAL_WHY_BYTES = 256 };

/* Takes one object of an item's "checks"; the error names the field. `spec` must outlive the check. */
enum status eval_check_init(struct eval_check *check, const json_t *spec, struct error *error) must_check;
void eval_check_release(struct eval_check *check);

/* Whether the answer fulfils it; if not, `why` says what is missing. May run in several threads at once. */
bool eval_check_holds(const struct eval_check *check, const struct eval_answer *answer, char why[EVAL_WHY_BYTES]);

/* Equal as values: 1 and 1.0 are the same, the order of members does not count. */
bool eval_json_equal(const json_t *a, const json_t *b);

/* The last number of a text, in ASCII or Arabic-Indic digits, under both readings of its commas and points: 1,234 is 1234 and 1.234.
 * Returns how many readings there are (0 to 2). */
unsigned eval_last_number(struct str text, double out[2]);

#endif
