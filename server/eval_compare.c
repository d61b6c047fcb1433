/* Two saved runs side by side, item by item: a change of accuracy means little where the same items did not change sides. */
#include "server/eval_compare.h"

#include <jansson.h>
#include <string.h>

#include "base/file_map.h"
#include "base/mem.h"
#include "base/table.h"
#include "server/eval_stats.h"

enum { FILE_BYTES_MAX = 1 << 30 };

struct saved {
    json_t **lines; /* without the replies */
    size_t n, capacity;
    struct table ids;
};

static void saved_release(struct saved *s)
{
    for (size_t i = 0; i < s->n; i++)
        json_decref(s->lines[i]);
    mem_free(s->lines);
    table_release(&s->ids);
}

static enum status keep_line(struct saved *s, json_t *line, struct error *error)
{
    char quoted[ERROR_QUOTE_BYTES];
    const char *id = json_string_value(json_object_get(line, "id"));
    if (!id || !json_string_value(json_object_get(line, "kind")) || !json_string_value(json_object_get(line, "outcome")))
        return error_set(error, STATUS_INVALID, "expected id, kind and outcome");
    if (s->n == s->capacity) {
        size_t capacity = s->capacity ? 2 * s->capacity : 1024;
        json_t **lines = mem_realloc(s->lines, capacity * sizeof *lines);
        if (!lines)
            return error_set(error, STATUS_NO_MEMORY, "out of memory");
        s->lines = lines;
        s->capacity = capacity;
    }
    if (table_add(&s->ids, str_of(id), s->n, NULL) != STATUS_OK)
        return error_set(error, STATUS_INVALID, "%s stands twice", error_quote(quoted, id, strlen(id)));
    json_object_del(line, "reply");
    s->lines[s->n++] = json_incref(line);
    return STATUS_OK;
}

static enum status take_line(struct saved *s, struct str text, bool first, struct error *error)
{
    json_error_t why;
    json_t *line = json_loadb(text.at, text.len, JSON_REJECT_DUPLICATES, &why);
    enum status status = STATUS_OK;
    if (!line)
        return error_set(error, STATUS_INVALID, "not JSON at byte %d: %.100s", why.position, why.text);
    if (first && !json_object_get(line, "seekd_eval"))
        status = error_set(error, STATUS_INVALID, "not written by seekd eval --out");
    else if (!first)
        status = keep_line(s, line, error);
    json_decref(line);
    return status;
}

static enum status saved_read(struct saved *s, const char *path, struct error *error)
{
    struct error inner;
    char *text;
    size_t len;
    *s = (struct saved){0};
    table_init(&s->ids);
    enum status status = file_map_read(path, FILE_BYTES_MAX, &text, &len, error);
    if (status)
        return status;
    struct str left = str_from(text, len);
    for (size_t number = 1; left.len && !status; number++) {
        const char *newline = memchr(left.at, '\n', left.len);
        struct str line = str_from(left.at, newline ? (size_t)(newline - left.at) : left.len);
        left = str_skip(left, line.len + (newline != NULL));
        status = take_line(s, line, number == 1, &inner);
        if (status)
            error_set(error, status, "%s: line %zu: %s", path, number, inner.message);
    }
    mem_free(text);
    return status || len ? status : error_set(error, STATUS_INVALID, "%s: empty", path);
}

/* ---- The difference ------------------------------------------------------------------------------------------ */

struct difference {
    const char *kind;
    size_t n, both, only_first, only_second;
};

static bool is_right(const json_t *line)
{
    return strcmp(json_string_value(json_object_get(line, "outcome")), "right") == 0;
}

static void count(struct difference *d, bool first, bool second)
{
    d->n++;
    d->both += first && second;
    d->only_first += first && !second;
    d->only_second += second && !first;
}

static void print_difference(const struct difference *d, FILE *out)
{
    double n = d->n ? (double)d->n : 1, first = 100 * (double)(d->both + d->only_first) / n,
           second = 100 * (double)(d->both + d->only_second) / n;
    fprintf(out, "%-20.20s %6zu %8.1f %% %8.1f %% %+8.1f %8zu %8zu %8.3f\n", d->kind, d->n, first, second, second - first, d->only_first,
            d->only_second, eval_stats_mcnemar(d->only_first, d->only_second));
}

static struct difference *difference_of(struct difference *all, size_t *n, const char *kind)
{
    for (size_t i = 0; i < *n; i++)
        if (strcmp(all[i].kind, kind) == 0)
            return &all[i];
    all[*n] = (struct difference){.kind = kind};
    return &all[(*n)++];
}

static enum status print_differences(const struct saved *first, const struct saved *second, FILE *out, struct error *error)
{
    struct difference all = {.kind = "all"}, *kinds = mem_zalloc_array(first->n + 1, sizeof *kinds);
    size_t n_kinds = 0;
    if (!kinds)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < first->n; i++) {
        const json_t *line = first->lines[i];
        uint64_t at;
        if (!table_find(&second->ids, str_of(json_string_value(json_object_get(line, "id"))), &at))
            continue;
        bool a = is_right(line), b = is_right(second->lines[at]);
        count(difference_of(kinds, &n_kinds, json_string_value(json_object_get(line, "kind"))), a, b);
        count(&all, a, b);
    }
    fprintf(out, "%-20s %6s %10s %10s %8s %8s %8s %8s\n", "kind", "items", "first", "second", "change", "lost", "gained", "p");
    for (size_t i = 0; i < n_kinds; i++)
        print_difference(&kinds[i], out);
    print_difference(&all, out);
    if (all.n < first->n || all.n < second->n)
        fprintf(out, "%zu items only in the first run, %zu only in the second: left out\n", first->n - all.n, second->n - all.n);
    mem_free(kinds);
    return all.n ? STATUS_OK : error_set(error, STATUS_INVALID, "the two runs have no item in common");
}

enum status eval_compare(const char *first, const char *second, FILE *out, struct error *error)
{
    struct saved a, b = {0};
    enum status status = saved_read(&a, first, error);
    if (!status)
        status = saved_read(&b, second, error);
    if (!status)
        status = print_differences(&a, &b, out, error);
    saved_release(&a);
    saved_release(&b);
    return status;
}
