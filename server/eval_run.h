/* Asks a server every item of a suite, several at a time, and checks the answers. */
#ifndef SERVER_EVAL_RUN_H
#define SERVER_EVAL_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "server/eval_suite.h"
#include "server/reach.h"

enum { EVAL_CONCURRENCY_MAX = 256 };

enum eval_outcome { EVAL_NOT_ASKED, EVAL_RIGHT, EVAL_WRONG, EVAL_FAILED }; /* failed: no answer came; it counts as wrong */

struct eval_result {
    enum eval_outcome outcome;
    bool thought, cut; /* a thought came before the answer; max_tokens ended it */
    uint32_t tokens;   /* generated, with the thought's */
    uint32_t accepted; /* of them guessed ahead by speculation and accepted */
    double seconds;
    char *reply;              /* owned: the reply's JSON; null when none came */
    char why[EVAL_WHY_BYTES]; /* what was wrong */
};

struct eval_run {
    /* set by the caller */
    const struct reach *reach;
    const struct eval_suite *suite;
    size_t n; /* items to ask, from the suite's first on */
    unsigned concurrency;
    double temperature;
    int64_t seed;        /* below 0: none is sent */
    bool shows_progress; /* on standard error */
    /* filled by eval_run_all */
    struct eval_result *results; /* owned, one an item */
    double seconds;
};

/* STATUS_CANCELLED when the client's stop flag ended it, STATUS_BUSY when the server could not be reached any more: the results so far
 * stand. */
enum status eval_run_all(struct eval_run *run, struct error *error) must_check;
void eval_run_release(struct eval_run *run);

#endif
