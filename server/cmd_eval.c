/* seekd eval: suites of questions with known answers, asked of a server of one's own or of one that runs already. */
#include <math.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "server/commands.h"
#include "server/eval_compare.h"
#include "server/eval_report.h"
#include "server/eval_run.h"
#include "server/eval_suite.h"
#include "server/reach.h"

extern char **environ;

static const char usage[] =
    "usage: seekd eval SUITE.jsonl... [--model PATH] [options]          a server of its own is started\n"
    "       seekd eval SUITE.jsonl... --url http://HOST:PORT [options]  a server that runs already is asked\n"
    "       seekd eval --compare FIRST SECOND                           two results saved by --out, item by item\n"
    "  --api-key KEY         key for --url\n"
    "  --concurrency N       questions at a time (default 8)\n"
    "  --limit N             only the first N items of each kind\n"
    "  --kind A,B            only items of these kinds\n"
    "  --language A,B        only items of these languages\n"
    "  --temperature X       of sampling (default 0: greedy)\n"
    "  --seed N              of sampling\n"
    "  --by-language         a line for each kind and language\n"
    "  --show-failures N     print the first N items that were not right\n"
    "  --out PATH            save every answer as JSON lines\n"
    "  --min-accuracy [KIND=]PERCENT   exit with 1 when accuracy (of a kind) is lower; may be given several times\n"
    "  any option of serve, without --url: --numerics exact, --threads 4, ...; `seekd help serve` lists them\n"
    "docs/eval.md describes suites and checks. Exit code 0: every item was answered, and accuracy is as asked\n";

enum { FLOORS_MAX = 64, KIND_BYTES = 64, OPTION_BYTES = 16, DEFAULT_CONCURRENCY = 8, LIMIT_MAX = 1000000, PERCENT_MAX = 100 };

static volatile sig_atomic_t interrupted;

struct floor {
    char kind[KIND_BYTES]; /* empty: all */
    double percent;
};

struct eval {
    struct reach reach;
    struct eval_suite suite;
    struct eval_run run;
    const char *compare[2], *out, *kinds, *languages;
    char max_running[OPTION_BYTES]; /* of the private server */
    uint64_t limit, n_failures;
    bool by_language;
    struct floor floors[FLOORS_MAX];
    unsigned n_floors;
    int n_suites;
    struct error error;
};

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static int complain(const struct eval *e, int code)
{
    fprintf(stderr, "seekd eval: %s\n", e->error.message);
    return code;
}

/* ---- Arguments ----------------------------------------------------------------------------------------------- */

static enum status read_count(struct eval *e, const char *flag, const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    char *end;
    unsigned long long n = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || n < min || n > max)
        return error_set(&e->error, STATUS_INVALID, "%s: expected a whole number from %llu to %llu, found %.40s", flag,
                         (unsigned long long)min, (unsigned long long)max, text);
    *out = n;
    return STATUS_OK;
}

static enum status read_number(struct eval *e, const char *flag, const char *text, double max, double *out)
{
    char *end;
    double x = strtod(text, &end);
    if (end == text || *end || !isfinite(x) || x < 0 || x > max)
        return error_set(&e->error, STATUS_INVALID, "%s: expected a number from 0 to %g, found %.40s", flag, max, text);
    *out = x;
    return STATUS_OK;
}

static enum status set_concurrency(struct eval *e, const char *flag, const char *value)
{
    uint64_t n = 0;
    enum status status = read_count(e, flag, value, 1, EVAL_CONCURRENCY_MAX, &n);
    if (!status)
        e->run.concurrency = (unsigned)n;
    return status;
}

static enum status set_limit(struct eval *e, const char *flag, const char *value)
{
    return read_count(e, flag, value, 1, LIMIT_MAX, &e->limit);
}

static enum status set_failures(struct eval *e, const char *flag, const char *value)
{
    return read_count(e, flag, value, 0, LIMIT_MAX, &e->n_failures);
}

static enum status set_temperature(struct eval *e, const char *flag, const char *value)
{
    return read_number(e, flag, value, 2, &e->run.temperature);
}

static enum status set_seed(struct eval *e, const char *flag, const char *value)
{
    uint64_t n = 0;
    enum status status = read_count(e, flag, value, 0, INT64_MAX, &n);
    if (!status)
        e->run.seed = (int64_t)n;
    return status;
}

static enum status set_kinds(struct eval *e, const char *flag, const char *value)
{
    (void)flag;
    e->kinds = value;
    return STATUS_OK;
}

static enum status set_languages(struct eval *e, const char *flag, const char *value)
{
    (void)flag;
    e->languages = value;
    return STATUS_OK;
}

static enum status set_out(struct eval *e, const char *flag, const char *value)
{
    (void)flag;
    e->out = value;
    return STATUS_OK;
}

static enum status add_floor(struct eval *e, const char *flag, const char *value)
{
    const char *equals = strchr(value, '=');
    size_t n = equals ? (size_t)(equals - value) : 0;
    if (e->n_floors == FLOORS_MAX || n >= KIND_BYTES)
        return error_set(&e->error, STATUS_INVALID, "%s: given more than %d times, or with a kind that is too long", flag, FLOORS_MAX);
    struct floor *floor = &e->floors[e->n_floors++];
    memcpy(floor->kind, value, n);
    return read_number(e, flag, equals ? equals + 1 : value, PERCENT_MAX, &floor->percent);
}

static const struct flag {
    const char *name;
    enum status (*set)(struct eval *e, const char *flag, const char *value);
} flags[] = {
    {"--concurrency", set_concurrency},
    {"--limit", set_limit},
    {"--kind", set_kinds},
    {"--language", set_languages},
    {"--temperature", set_temperature},
    {"--seed", set_seed},
    {"--show-failures", set_failures},
    {"--out", set_out},
    {"--min-accuracy", add_floor},
};

static const struct flag *find_flag(const char *name)
{
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (strcmp(flags[i].name, name) == 0)
            return &flags[i];
    return NULL;
}

/* Takes argv[*at] and its value if it is one of our own flags, as "--flag value" or "--flag=value". */
static bool take_own(struct eval *e, int argc, char **argv, int *at, enum status *status)
{
    char name[KIND_BYTES];
    size_t n = strcspn(argv[*at], "=");
    if (n >= sizeof name || strncmp(argv[*at], "--", 2) != 0)
        return false;
    memcpy(name, argv[*at], n);
    name[n] = 0;
    const struct flag *flag = find_flag(name);
    if (!flag && strcmp(name, "--url") != 0 && strcmp(name, "--api-key") != 0)
        return false;
    const char *value = argv[*at][n] == '=' ? argv[*at] + n + 1 : *at + 1 < argc ? argv[++*at] : NULL;
    ++*at;
    if (!value)
        *status = error_set(&e->error, STATUS_INVALID, "%s needs a value", name);
    else if (flag)
        *status = flag->set(e, name, value);
    else
        reach_take_flag(&e->reach, name, value);
    return true;
}

static bool is_suite(const char *argument)
{
    return argument[0] != '-' && str_ends(str_of(argument), str_of(".jsonl"));
}

static enum status take_argument(struct eval *e, int argc, char **argv, int *at)
{
    enum status status = STATUS_OK;
    if (strcmp(argv[*at], "--by-language") == 0) {
        e->by_language = true;
        ++*at;
    } else if (strcmp(argv[*at], "--compare") == 0) {
        if (*at + 2 >= argc)
            return error_set(&e->error, STATUS_INVALID, "--compare needs two saved results");
        e->compare[0] = argv[*at + 1];
        e->compare[1] = argv[*at + 2];
        *at += 3;
    } else if (is_suite(argv[*at])) {
        status = eval_suite_add_file(&e->suite, argv[(*at)++], &e->error);
        e->n_suites++;
    } else if (!take_own(e, argc, argv, at, &status)) {
        reach_add_option(&e->reach, argv[(*at)++]);
    }
    return status;
}

static enum status parse(struct eval *e, int argc, char **argv)
{
    enum status status = STATUS_OK;
    for (int at = 1; at < argc && !status;)
        status = take_argument(e, argc, argv, &at);
    if (!status && !e->n_suites && !e->compare[0])
        return error_set(&e->error, STATUS_INVALID, "expected a suite: a file whose name ends in .jsonl; `seekd eval --help` says more");
    return status ? status : reach_check(&e->reach, &e->error);
}

/* ---- Choosing items ------------------------------------------------------------------------------------------ */

/* Whether a name stands in a list with commas; no list: every name does. */
static bool is_listed(const char *list, const char *name)
{
    size_t n = name ? strlen(name) : 0;
    for (const char *at = list; at && n; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, n) == 0 && (at[n] == ',' || !at[n]))
            return true;
    }
    return !list;
}

static bool is_within_limit(const struct eval *e, size_t n_kept, const char *kind)
{
    uint64_t n = 0;
    for (size_t i = 0; e->limit && i < n_kept; i++)
        n += strcmp(e->suite.items[i].kind, kind) == 0;
    return !e->limit || n < e->limit;
}

/* Moves the chosen items to the front; the others stay behind them, to be released with the suite. */
static enum status choose(struct eval *e)
{
    size_t n = 0;
    for (size_t i = 0; i < e->suite.n; i++) {
        struct eval_item item = e->suite.items[i];
        if (!is_listed(e->kinds, item.kind) || !is_listed(e->languages, item.language) || !is_within_limit(e, n, item.kind))
            continue;
        e->suite.items[i] = e->suite.items[n];
        e->suite.items[n++] = item;
    }
    if (!n)
        return error_set(&e->error, STATUS_INVALID, "no item is of the kinds and languages asked for");
    e->run.n = n;
    return STATUS_OK;
}

/* ---- The command --------------------------------------------------------------------------------------------- */

static bool is_good_enough(const struct eval *e)
{
    bool good = true;
    for (unsigned i = 0; i < e->n_floors; i++) {
        const struct floor *floor = &e->floors[i];
        double accuracy = 100 * eval_report_accuracy(&e->run, *floor->kind ? floor->kind : NULL);
        if (accuracy >= floor->percent)
            continue;
        good = false;
        if (accuracy < 0)
            printf("%s: no item was asked\n", floor->kind);
        else
            printf("%s: %.1f %% is below %g %%\n", *floor->kind ? floor->kind : "all", accuracy, floor->percent);
    }
    return good;
}

static bool has_failures(const struct eval_run *run)
{
    for (size_t i = 0; i < run->n; i++)
        if (run->results[i].outcome == EVAL_FAILED || run->results[i].outcome == EVAL_NOT_ASKED)
            return true;
    return false;
}

static int report(struct eval *e, enum status status)
{
    eval_report_print_failures(&e->run, e->n_failures, stdout);
    if (e->n_failures)
        putchar('\n');
    eval_report_print(&e->run, e->by_language, stdout);
    int code = status ? complain(e, status == STATUS_CANCELLED ? 128 + SIGINT : 1) : 0;
    if (e->out && eval_report_save(&e->run, e->out, &e->error) != STATUS_OK)
        code = complain(e, 1);
    bool good = is_good_enough(e) && !has_failures(&e->run);
    return code ? code : !good;
}

static int evaluate(struct eval *e)
{
    struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL);
    enum status status = reach_open(&e->reach, environ, &e->error);
    if (status)
        return complain(e, status == STATUS_CANCELLED ? 128 + SIGINT : COMMANDS_EXIT_MODEL);
    e->run.shows_progress = isatty(STDERR_FILENO);
    status = eval_run_all(&e->run, &e->error);
    int code = e->run.results ? report(e, status) : complain(e, COMMANDS_EXIT_FAULT);
    eval_run_release(&e->run);
    return code;
}

/* A server of one's own runs as many requests at once as are sent; what the person says stands behind and wins. */
static void size_private_server(struct eval *e)
{
    if (e->reach.url)
        return;
    snprintf(e->max_running, sizeof e->max_running, "%u", e->run.concurrency);
    reach_add_first_options(&e->reach, "--max-running", e->max_running);
}

static int run_all(struct eval *e, int argc, char **argv)
{
    if (parse(e, argc, argv) != STATUS_OK)
        return complain(e, COMMANDS_EXIT_USAGE);
    if (e->compare[0])
        return eval_compare(e->compare[0], e->compare[1], stdout, &e->error) == STATUS_OK ? 0 : complain(e, COMMANDS_EXIT_USAGE);
    if (choose(e) != STATUS_OK)
        return complain(e, COMMANDS_EXIT_USAGE);
    size_private_server(e);
    return evaluate(e);
}

int cmd_eval(int argc, char **argv)
{
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(usage, stdout);
        return 0;
    }
    struct eval *e = mem_zalloc(sizeof *e);
    int code = COMMANDS_EXIT_FAULT;
    if (!e || sodium_init() < 0 || reach_init(&e->reach, argc + 2, &e->error) != STATUS_OK) {
        fputs("seekd eval: out of memory\n", stderr);
    } else {
        error_clear(&e->error);
        eval_suite_init(&e->suite);
        e->reach.client.stop = &interrupted;
        e->run = (struct eval_run){.reach = &e->reach, .suite = &e->suite, .concurrency = DEFAULT_CONCURRENCY, .seed = -1};
        code = run_all(e, argc, argv);
        eval_suite_release(&e->suite);
    }
    if (e)
        reach_close(&e->reach);
    mem_free(e);
    return code;
}
