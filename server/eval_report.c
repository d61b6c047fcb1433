/* Results are grouped by kind, in the order in which kinds first come. */
#include "server/eval_report.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/emit_json.h"
#include "base/mem.h"
#include "server/eval_stats.h"
#include "server/version.h"

enum { NAME_WIDTH = 20, PATH_BYTES = 4096, LINE_BYTES_MAX = 80 << 20 };

/* ---- Groups -------------------------------------------------------------------------------------------------- */

struct group {
    const char *kind, *language; /* lent; language null: all of them */
    size_t n, n_right, n_failed, n_thought, n_cut;
    uint64_t tokens, accepted;
    double seconds;
};

struct groups {
    struct group *at;
    size_t n;
};

static bool is_same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static struct group *group_of(struct groups *groups, const char *kind, const char *language)
{
    for (size_t i = 0; i < groups->n; i++)
        if (is_same(groups->at[i].kind, kind) && is_same(groups->at[i].language, language))
            return &groups->at[i];
    struct group *at = mem_realloc(groups->at, (groups->n + 1) * sizeof *at);
    if (!at)
        return NULL;
    groups->at = at;
    groups->at[groups->n] = (struct group){.kind = kind, .language = language};
    return &groups->at[groups->n++];
}

static void count(struct group *g, const struct eval_result *r)
{
    g->n++;
    g->n_right += r->outcome == EVAL_RIGHT;
    g->n_failed += r->outcome == EVAL_FAILED;
    g->n_thought += r->thought;
    g->n_cut += r->cut;
    g->tokens += r->tokens;
    g->accepted += r->accepted;
    g->seconds += r->seconds;
}

/* ---- The table ----------------------------------------------------------------------------------------------- */

static double share(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

static void print_row(const struct group *g, bool by_language, bool speculates, FILE *out)
{
    double low, high;
    eval_stats_interval(g->n_right, g->n, &low, &high);
    fprintf(out, "%-*.*s ", NAME_WIDTH, NAME_WIDTH, g->kind);
    if (by_language)
        fprintf(out, "%-8.8s ", g->language ? g->language : "");
    fprintf(out, "%6zu %6zu %8.1f %%  %5.1f - %5.1f %8.1f %8.0f %%", g->n, g->n_right, 100 * share((double)g->n_right, (double)g->n),
            100 * low, 100 * high, share((double)g->tokens, (double)g->n), 100 * share((double)g->n_thought, (double)g->n));
    if (speculates)
        fprintf(out, " %8.1f %%", 100 * share((double)g->accepted, (double)g->tokens));
    fputc('\n', out);
}

void eval_report_print(const struct eval_run *run, bool by_language, FILE *out)
{
    struct groups groups = {0};
    struct group all = {.kind = "all"};
    for (size_t i = 0; i < run->n; i++) {
        const struct eval_item *item = &run->suite->items[i];
        if (run->results[i].outcome == EVAL_NOT_ASKED)
            continue;
        struct group *g = group_of(&groups, item->kind, by_language ? item->language : NULL);
        if (g)
            count(g, &run->results[i]);
        count(&all, &run->results[i]);
    }
    bool speculates = all.accepted > 0;
    fprintf(out, "%-*s %s%6s %6s %10s  %13s %8s %10s%s\n", NAME_WIDTH, "kind", by_language ? "language " : "", "items", "right",
            "accuracy", "95 % interval", "tokens", "thought", speculates ? "   accepted" : "");
    for (size_t i = 0; i < groups.n; i++)
        print_row(&groups.at[i], by_language, speculates, out);
    print_row(&all, by_language, speculates, out);
    fprintf(out, "%s: %.1f s, %.0f tokens/s, %u at a time", run->reach->model, run->seconds, share((double)all.tokens, run->seconds),
            run->concurrency);
    if (all.n_cut)
        fprintf(out, "; %zu were cut at max_tokens", all.n_cut);
    if (all.n_failed)
        fprintf(out, "; %zu got no answer and count as wrong", all.n_failed);
    if (all.n < run->n)
        fprintf(out, "; %zu were not asked", run->n - all.n);
    fputc('\n', out);
    mem_free(groups.at);
}

/* What was asked last, for a person to read. */
static const char *question_of(const struct eval_item *item)
{
    const json_t *last = json_array_get(item->messages, json_array_size(item->messages) - 1);
    const char *text = item->prompt ? item->prompt : json_string_value(json_object_get(last, "content"));
    return text ? text : "(a list of parts)";
}

void eval_report_print_failures(const struct eval_run *run, size_t n, FILE *out)
{
    for (size_t i = 0; i < run->n && n; i++) {
        const struct eval_result *r = &run->results[i];
        const struct eval_item *item = &run->suite->items[i];
        if (r->outcome != EVAL_WRONG && r->outcome != EVAL_FAILED)
            continue;
        json_t *root = r->reply ? json_loads(r->reply, 0, NULL) : NULL;
        json_t *choice = json_array_get(json_object_get(root, "choices"), 0);
        const json_t *message = item->messages ? json_object_get(choice, "message") : choice;
        char *text = message ? json_dumps(message, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
        fprintf(out, "\n%s: %s\n  asked: %.400s\n", item->id, r->why, question_of(item));
        if (text)
            fprintf(out, "  reply: %.2000s\n", text);
        mem_free(text);
        json_decref(root);
        n--;
    }
}

double eval_report_accuracy(const struct eval_run *run, const char *kind)
{
    size_t n = 0, n_right = 0;
    for (size_t i = 0; i < run->n; i++) {
        if (run->results[i].outcome == EVAL_NOT_ASKED || (kind && strcmp(kind, run->suite->items[i].kind) != 0))
            continue;
        n++;
        n_right += run->results[i].outcome == EVAL_RIGHT;
    }
    return n ? (double)n_right / (double)n : -1;
}

/* ---- Saved runs ---------------------------------------------------------------------------------------------- */

static const char *const outcomes[] = {"not asked", "right", "wrong", "failed"};

static void write_head(const struct eval_run *run, struct buf *line)
{
    struct emit_json out = emit_json_to(line);
    emit_object_begin(&out);
    emit_key_text(&out, "seekd_eval", version_number());
    emit_key_text(&out, "model", run->reach->model);
    emit_key_int(&out, "unix_seconds", clock_unix_seconds());
    emit_key_int(&out, "items", (int64_t)run->n);
    emit_key(&out, "seconds");
    emit_double(&out, run->seconds);
    emit_key_int(&out, "concurrency", run->concurrency);
    emit_key(&out, "temperature");
    emit_double(&out, run->temperature);
    emit_object_end(&out);
    buf_add_char(line, '\n');
}

static void write_item(const struct eval_item *item, const struct eval_result *r, struct buf *line)
{
    struct emit_json out = emit_json_to(line);
    emit_object_begin(&out);
    emit_key_text(&out, "id", item->id);
    emit_key_text(&out, "kind", item->kind);
    emit_key_text(&out, "language", item->language);
    emit_key_text(&out, "outcome", outcomes[r->outcome]);
    emit_key_text(&out, "why", r->why);
    emit_key_bool(&out, "thought", r->thought);
    emit_key_bool(&out, "cut", r->cut);
    emit_key_int(&out, "tokens", r->tokens);
    emit_key_int(&out, "accepted", r->accepted);
    emit_key(&out, "seconds");
    emit_double(&out, r->seconds);
    emit_key(&out, "reply");
    emit_raw(&out, str_of(r->reply ? r->reply : "null"));
    emit_object_end(&out);
    buf_add_char(line, '\n');
}

static bool write_all(const struct eval_run *run, FILE *f)
{
    struct buf line;
    buf_init(&line, LINE_BYTES_MAX);
    write_head(run, &line);
    bool written = buf_status(&line) == STATUS_OK && fwrite(line.at, 1, line.len, f) == line.len;
    for (size_t i = 0; written && i < run->n; i++) {
        if (run->results[i].outcome == EVAL_NOT_ASKED)
            continue;
        buf_clear(&line);
        write_item(&run->suite->items[i], &run->results[i], &line);
        written = buf_status(&line) == STATUS_OK && fwrite(line.at, 1, line.len, f) == line.len;
    }
    buf_release(&line);
    return written;
}

enum status eval_report_save(const struct eval_run *run, const char *path, struct error *error)
{
    char beside[PATH_BYTES];
    if ((size_t)snprintf(beside, sizeof beside, "%s.new", path) >= sizeof beside)
        return error_set(error, STATUS_INVALID, "--out: the path is too long");
    FILE *f = fopen(beside, "we");
    bool written = f && write_all(run, f);
    if (f && fclose(f) != 0)
        written = false;
    if (!written || rename(beside, path) != 0)
        return error_set(error, STATUS_IO, "%s: %s", path, strerror(errno));
    return STATUS_OK;
}
