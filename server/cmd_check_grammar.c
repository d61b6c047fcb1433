/* `seekd check-grammar`: which texts the language of a schema or a grammar takes. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file_map.h"
#include "base/mem.h"
#include "server/commands.h"
#include "server/mask_check.h"
#include "text/gbnf.h"
#include "text/json_schema.h"

enum {
    EXIT_REFUSED = 65,
    EXIT_NO_FILE = 66,
    EXPRESSIONS_MAX = 1 << 20,
    UNENFORCED_BYTES_MAX = 1 << 20,
    ORDER_DEPTH_MAX = 64,
    TRIES_MAX = 100000,
    FILE_BYTES_MAX = 16 << 20
};

static const char USAGE[] =
    "usage: seekd check-grammar [--strict] [--model PATH] SCHEMA < INSTANCES\n"
    "       seekd check-grammar --gbnf [--model PATH] GRAMMAR < TEXTS\n\n"
    "Reads a JSON text a line and prints accept or refuse for each. Texts are written anew first, compactly and with\n"
    "the members of objects in the order in which the schema names them.\n\n"
    "  --strict    refuse a schema with keywords that cannot be held to; without it they are named on stderr\n"
    "  --gbnf      the file is a grammar in GBNF, and each line a text as it stands\n"
    "  --model     follow each accepted text with this model's tokens: each must be allowed; times of the masks go to stderr\n\n"
    "exit codes: 0; 64 wrong arguments; 65 the schema or grammar is refused; 66 a file cannot be read;\n            70 a token that fits "
    "was masked; 74 the model cannot be read\n";

/* ---- Order --------------------------------------------------------------------------------------------------- */

/* Every map of `properties` in the schema, in the order of the text, and after it what is required without being named there. */
static void collect_maps(const json_t *schema, json_t *maps, unsigned depth)
{
    const char *name;
    json_t *value;
    size_t i;
    if (depth > ORDER_DEPTH_MAX)
        return;
    json_t *properties = json_object_get(schema, "properties"), *map = json_object();
    json_object_update(map, properties);
    json_array_foreach(json_object_get(schema, "required"), i, value)
    {
        if (json_is_string(value) && !json_object_get(map, json_string_value(value)))
            json_object_set(map, json_string_value(value), json_null());
    }
    if (json_object_size(map))
        json_array_append(maps, map);
    json_decref(map);
    json_object_foreach((json_t *)schema, name, value)
    {
        collect_maps(value, maps, depth + 1);
    }
    json_array_foreach(schema, i, value)
    {
        collect_maps(value, maps, depth + 1);
    }
}

static size_t n_common(const json_t *map, const json_t *object)
{
    const char *name;
    json_t *value;
    size_t n = 0;
    json_object_foreach((json_t *)object, name, value)
    {
        n += json_object_get(map, name) != NULL;
    }
    return n;
}

/* The map that names most of the members. */
static const json_t *best_map(const json_t *maps, const json_t *object)
{
    const json_t *best = NULL;
    size_t i, most = 0;
    json_t *map;
    json_array_foreach(maps, i, map)
    {
        size_t n = n_common(map, object);
        if (n > most) {
            best = map;
            most = n;
        }
    }
    return best;
}

/* The members as the schema is likely to name them; those that it does not name come last. */
static json_t *ordered(const json_t *maps, const json_t *object)
{
    json_t *rest = json_copy((json_t *)object), *out = json_object(), *member, *unused;
    const char *name;
    for (const json_t *map; (map = best_map(maps, rest));) {
        json_object_foreach((json_t *)map, name, unused)
        {
            member = json_object_get(rest, name);
            if (!member)
                continue;
            json_object_set(out, name, member);
            json_object_del(rest, name);
        }
    }
    json_object_update(out, rest);
    json_decref(rest);
    return out;
}

/* ---- Reading ------------------------------------------------------------------------------------------------- */

/* The order of members that the schema asks for depends on which of its parts apply: orders are tried, the likely one first. */
struct reading {
    struct automaton *a;
    const json_t *maps; /* null: lines are texts as they stand */
    unsigned tries;
    struct buf text; /* what was fed */
};

static uint32_t feed(struct reading *r, uint32_t state, const char *text)
{
    buf_add_text(&r->text, text);
    return automaton_read(r->a, state, str_of(text));
}

static uint32_t feed_value(struct reading *r, uint32_t state, json_t *value);

static uint32_t feed_scalar(struct reading *r, uint32_t state, json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    state = text ? feed(r, state, text) : AUTOMATON_NOTHING;
    mem_free(text);
    return state;
}

/* The state behind the members that are left, in some order, and the brace. */
static uint32_t feed_members(struct reading *r, uint32_t state, json_t *left, bool first)
{
    if (json_object_size(left) == 0)
        return feed(r, state, "}");
    json_t *member, *rest;
    const char *name;
    size_t mark = r->text.len;
    json_object_foreach(left, name, member)
    {
        if (r->tries == 0 || buf_status(&r->text))
            return AUTOMATON_NOTHING;
        r->tries--;
        buf_truncate(&r->text, mark);
        json_t *key = json_string(name);
        uint32_t behind = feed(r, feed_scalar(r, feed(r, state, first ? "" : ","), key), ":");
        json_decref(key);
        if (behind != AUTOMATON_NOTHING)
            behind = feed_value(r, behind, member);
        if (behind == AUTOMATON_NOTHING)
            continue;
        rest = json_copy(left);
        json_object_del(rest, name);
        behind = feed_members(r, behind, rest, false);
        json_decref(rest);
        if (behind != AUTOMATON_NOTHING)
            return behind;
    }
    return AUTOMATON_NOTHING;
}

static uint32_t feed_value(struct reading *r, uint32_t state, json_t *value)
{
    if (json_is_object(value)) {
        json_t *members = ordered(r->maps, value);
        state = feed_members(r, feed(r, state, "{"), members, true);
        json_decref(members);
        return state;
    }
    if (!json_is_array(value))
        return feed_scalar(r, state, value);
    json_t *item;
    size_t i;
    state = feed(r, state, "[");
    json_array_foreach(value, i, item)
    {
        state = feed_value(r, feed(r, state, i ? "," : ""), item);
    }
    return feed(r, state, "]");
}

static bool takes(struct reading *r, uint32_t root, const char *line, unsigned long number)
{
    r->tries = TRIES_MAX;
    buf_clear(&r->text);
    if (!r->maps)
        return automaton_may_end(r->a, feed(r, root, line));
    json_error_t wrong;
    json_t *instance = json_loads(line, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &wrong);
    if (!instance)
        fprintf(stderr, "line %lu is not JSON: %s\n", number, wrong.text);
    bool taken = instance && automaton_may_end(r->a, feed_value(r, root, instance));
    json_decref(instance);
    return taken;
}

/* `check` may be null. */
static int check_lines(struct reading *r, uint32_t root, struct mask_check *check)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t n;
    struct error error = {0};
    for (unsigned long number = 1; !error.status && (n = getline(&line, &capacity, stdin)) >= 0; number++) {
        if (n && line[n - 1] == '\n')
            line[n - 1] = 0;
        bool taken = takes(r, root, line, number);
        puts(taken ? "accept" : "refuse");
        if (automaton_status(r->a))
            error_set(&error, automaton_status(r->a), "it needs more states than are allowed");
        else if (taken && check && mask_check_follow(check, root, buf_str(&r->text), &error))
            fflush(stdout);
        if (error.status)
            fprintf(stderr, "line %lu: %s\n", number, error.message);
    }
    mem_free(line);
    return error.status == STATUS_INTERNAL ? COMMANDS_EXIT_FAULT : error.status ? EXIT_REFUSED : 0;
}

/* ---- The command --------------------------------------------------------------------------------------------- */

struct task {
    const char *path, *model;
    bool strict, gbnf;
};

/* Reads the lines; with a model, checks its masks too. */
static int check_texts(struct automaton *a, const struct task *task, uint32_t root, const json_t *maps)
{
    struct reading r = {.a = a, .maps = maps};
    struct mask_check check;
    struct error error = {0};
    if (task->model && mask_check_init(&check, task->model, a, &error)) {
        fprintf(stderr, "%s\n", error.message);
        return COMMANDS_EXIT_MODEL;
    }
    buf_init(&r.text, FILE_BYTES_MAX);
    int code = check_lines(&r, root, task->model ? &check : NULL);
    buf_release(&r.text);
    if (task->model) {
        mask_check_report(&check, stderr);
        mask_check_release(&check);
    }
    return code;
}

static int refuse(const char *what, const struct error *error)
{
    fprintf(stderr, "the %s is refused: %s%s%s\n", what, error->path, *error->path ? ": " : "", error->message);
    return EXIT_REFUSED;
}

static int check_schema(struct automaton *a, const struct task *task, struct str text)
{
    struct error error = {0};
    struct buf unenforced;
    json_error_t wrong;
    uint32_t root = AUTOMATON_FAILED, rule;
    json_t *schema = json_loadb(text.at, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &wrong), *maps = json_array();
    if (!schema) {
        fprintf(stderr, "%s:%d:%d: %s\n", task->path, wrong.line, wrong.column, wrong.text);
        json_decref(maps);
        return EXIT_REFUSED;
    }
    buf_init(&unenforced, UNENFORCED_BYTES_MAX);
    enum status status = json_schema_language(a, schema, task->strict, &unenforced, &root, &error);
    if (!status)
        status = automaton_seal(a, &root, &rule, &error);
    if (unenforced.len)
        fprintf(stderr, "not held to:\n%.*s", STR_ARG(buf_str(&unenforced)));
    collect_maps(schema, maps, 0);
    int code = status ? refuse("schema", &error) : check_texts(a, task, root, maps);
    json_decref(maps);
    json_decref(schema);
    buf_release(&unenforced);
    return code;
}

static int check_grammar(struct automaton *a, const struct task *task, struct str text)
{
    struct error error = {0};
    uint32_t root;
    return gbnf_language(a, text, &root, &error) ? refuse("grammar", &error) : check_texts(a, task, root, NULL);
}

static bool read_arguments(struct task *task, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--strict") == 0)
            task->strict = true;
        else if (strcmp(argv[i], "--gbnf") == 0)
            task->gbnf = true;
        else if (strcmp(argv[i], "--model") == 0 && i + 1 < argc)
            task->model = argv[++i];
        else if (task->path || argv[i][0] == '-')
            return false;
        else
            task->path = argv[i];
    }
    return task->path && !(task->strict && task->gbnf);
}

int cmd_check_grammar(int argc, char **argv)
{
    struct task task = {0};
    char *text;
    size_t length;
    struct automaton *a;
    struct error error = {0};
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        fputs(USAGE, stdout);
        return 0;
    }
    if (!read_arguments(&task, argc, argv)) {
        fputs(USAGE, stderr);
        return COMMANDS_EXIT_USAGE;
    }
    if (file_map_read(task.path, FILE_BYTES_MAX, &text, &length, &error)) {
        fprintf(stderr, "%s\n", error.message);
        return EXIT_NO_FILE;
    }
    int code = COMMANDS_EXIT_FAULT;
    if (automaton_create(&a, EXPRESSIONS_MAX, &error))
        fprintf(stderr, "%s\n", error.message);
    else
        code = task.gbnf ? check_grammar(a, &task, str_from(text, length)) : check_schema(a, &task, str_from(text, length));
    automaton_free(a);
    mem_free(text);
    return code;
}
