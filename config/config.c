/* Defaults, then file, then environment, then flags: all through one value parser. */
#include "config/config.h"

#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file_map.h"
#include "base/mem.h"

enum { FILE_BYTES_MAX = 1 << 20, FILE_LINE_MAX = 190, NAME_MAX_BYTES = 64 };

/* ---- Values ---------------------------------------------------------------------------------------------- */

static void *field(struct config *config, const struct option *option)
{
    return (char *)config + option->offset;
}

static enum status bad(const struct option *option, const char *source, const char *text, const char *expected,
                       struct error *error)
{
    char quoted[ERROR_QUOTE_BYTES];
    return error_set_path(error, STATUS_INVALID, NULL, option->name, "%s: %s: expected %s%s%s", source, option->name,
                          expected, option->secret ? "" : ", found ",
                          option->secret ? "" : error_quote(quoted, text, strlen(text)));
}

/* Digits with an optional fraction, then a suffix looked up in `units` ("ms\0m\0..." pairs). */
struct unit {
    const char *suffix;
    double factor;
};

static bool parse_number(const char *text, const struct unit *units, double *out)
{
    if (*text < '0' || *text > '9')
        return false;
    double value = 0, scale = 1;
    for (; *text >= '0' && *text <= '9'; text++)
        value = value * 10 + (*text - '0');
    if (*text == '.')
        for (text++; *text >= '0' && *text <= '9'; text++)
            value += (*text - '0') * (scale /= 10);
    for (const struct unit *u = units; u->suffix; u++)
        if (strcasecmp(text, u->suffix) == 0) {
            *out = value * u->factor;
            return true;
        }
    return false;
}

static const struct unit plain_units[] = {{"", 1}, {NULL, 0}};
static const struct unit byte_units[] = {
    {"", 1},          {"b", 1},          {"k", 1024},         {"kib", 1024},          {"m", 1048576},
    {"mib", 1048576}, {"g", 1073741824}, {"gib", 1073741824}, {"t", 1099511627776.0}, {NULL, 0}};
static const struct unit time_units[] = {{"", 1}, {"s", 1}, {"ms", 0.001}, {"m", 60}, {"h", 3600}, {NULL, 0}};

static enum status set_number(struct config *config, const struct option *option, const char *text,
                              const char *source, struct error *error)
{
    const struct unit *units = option->type == OPTION_BYTES      ? byte_units
                               : option->type == OPTION_DURATION ? time_units
                                                                 : plain_units;
    double value;
    char expected[128];
    char *rest;
    double low = (double)strtoull(option->bounds, &rest, 10);
    double high = (double)strtoull(rest + strlen(".."), NULL, 10);
    snprintf(expected, sizeof expected, "%s from %.0f to %.0f",
             option->type == OPTION_BYTES      ? "a size (K, M, G)"
             : option->type == OPTION_DURATION ? "a time in seconds (ms, s, m, h)"
                                               : "a whole number",
             low, high);
    bool whole = option->type == OPTION_UINT;
    if (!parse_number(text, units, &value) || (whole && strchr(text, '.')))
        return bad(option, source, text, expected, error);
    bool zero_ok = option->type == OPTION_DURATION && low > 0 && value > 0; /* 500ms is above 0 though below 1 */
    if (value > high || (value < low && !zero_ok))
        return bad(option, source, text, expected, error);
    *(uint64_t *)field(config, option) = (uint64_t)(option->type == OPTION_DURATION ? value * 1000 + 0.5 : value);
    return STATUS_OK;
}

static enum status set_bool(struct config *config, const struct option *option, const char *text, const char *source,
                            struct error *error)
{
    static const char *const yes[] = {"on", "true", "yes", "1"}, *const no[] = {"off", "false", "no", "0"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
            *(bool *)field(config, option) = strcasecmp(text, yes[i]) == 0;
            return STATUS_OK;
        }
    return bad(option, source, text, "on or off", error);
}

static bool choice_has(const char *bounds, const char *text)
{
    size_t len = strlen(text);
    for (const char *at = bounds; at; at = strchr(at, '|')) {
        at += *at == '|';
        size_t n = strcspn(at, "|");
        if (n == len && memcmp(at, text, len) == 0)
            return true;
    }
    return false;
}

static enum status set_text(struct config *config, const struct option *option, const char *text, struct error *error)
{
    char **slot = field(config, option);
    char *copy = mem_strdup(text);
    if (!copy)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    mem_free(*slot);
    *slot = copy;
    return STATUS_OK;
}

static enum status list_add(struct config_list *list, const char *at, size_t len, const struct option *option,
                            const char *source, struct error *error)
{
    if (list->n >= CONFIG_LIST_MAX)
        return error_set_path(error, STATUS_LIMIT, NULL, option->name, "%s: %s: at most %d items", source,
                              option->name, CONFIG_LIST_MAX);
    char **items = mem_realloc(list->items, (list->n + 1) * sizeof *items);
    if (!items)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    list->items = items;
    char *copy = mem_alloc(len + 1);
    if (!copy)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    memcpy(copy, at, len);
    copy[len] = 0;
    list->items[list->n++] = copy;
    return STATUS_OK;
}

/* Comma-separated; adds to what the same source already gave. */
static enum status set_list(struct config *config, const struct option *option, const char *text, const char *source,
                            struct error *error)
{
    struct config_list *list = field(config, option);
    while (*text) {
        size_t len = strcspn(text, ",");
        const char *at = text, *end = text + len;
        while (at < end && *at == ' ')
            at++;
        while (end > at && end[-1] == ' ')
            end--;
        if (end > at) {
            enum status status = list_add(list, at, (size_t)(end - at), option, source, error);
            if (status)
                return status;
        }
        text += len + (text[len] == ',');
    }
    return STATUS_OK;
}

enum status config_set(struct config *config, const struct option *option, const char *text, const char *source,
                       struct error *error)
{
    if (strlen(text) > CONFIG_TEXT_MAX)
        return error_set_path(error, STATUS_LIMIT, NULL, option->name, "%s: %s: longer than %d bytes", source,
                              option->name, CONFIG_TEXT_MAX);
    switch (option->type) {
    case OPTION_BOOL:
        return set_bool(config, option, text, source, error);
    case OPTION_UINT:
    case OPTION_BYTES:
    case OPTION_DURATION:
        return set_number(config, option, text, source, error);
    case OPTION_CHOICE:
        if (!choice_has(option->bounds, text)) {
            char expected[256];
            snprintf(expected, sizeof expected, "one of %s", option->bounds);
            return bad(option, source, text, expected, error);
        }
        return set_text(config, option, text, error);
    case OPTION_TEXT:
        return set_text(config, option, text, error);
    case OPTION_LIST:
        return set_list(config, option, text, source, error);
    }
    return STATUS_INTERNAL;
}

/* ---- Names ------------------------------------------------------------------------------------------------ */

/* Lower case, dashes as underscores. False when too long to be a name. */
static bool canonical(const char *name, char out[NAME_MAX_BYTES])
{
    size_t n = strlen(name);
    if (n >= NAME_MAX_BYTES)
        return false;
    for (size_t i = 0; i <= n; i++) {
        char c = name[i];
        out[i] = c == '-' ? '_' : c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    return true;
}

const struct option *config_find(const char *name)
{
    char wanted[NAME_MAX_BYTES];
    if (!canonical(name, wanted))
        return NULL;
    for (size_t i = 0; i < options_count; i++) {
        const struct option *o = &options_table[i];
        size_t n = strlen(o->name);
        if (strcmp(o->name, wanted) == 0)
            return o;
        if (o->type == OPTION_LIST && strlen(wanted) == n - 1 && memcmp(o->name, wanted, n - 1) == 0)
            return o; /* the singular of a list: --api-key */
    }
    return NULL;
}

/* Levenshtein distance of two short names. */
static size_t distance(const char *a, const char *b)
{
    size_t row[NAME_MAX_BYTES + 1], n = strlen(b);
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            size_t change = diagonal + (a[i] != b[j]), best = row[j] < row[j + 1] ? row[j] + 1 : row[j + 1] + 1;
            diagonal = row[j + 1];
            row[j + 1] = change < best ? change : best;
        }
    }
    return row[n];
}

const char *config_nearest(const char *name)
{
    char wanted[NAME_MAX_BYTES];
    const char *best = NULL;
    size_t best_distance = 4;
    if (!canonical(name, wanted))
        return NULL;
    for (size_t i = 0; i < options_count; i++) {
        size_t d = distance(wanted, options_table[i].name);
        if (d < best_distance && !options_table[i].debug) {
            best_distance = d;
            best = options_table[i].name;
        }
    }
    return best;
}

static enum status unknown(const char *source, const char *name, struct error *error)
{
    char quoted[ERROR_QUOTE_BYTES];
    const char *near = config_nearest(name);
    return error_set_path(error, STATUS_INVALID, NULL, "", "%s: unknown setting %s%s%s%s", source,
                          error_quote(quoted, name, strlen(name)), near ? " (did you mean " : "", near ? near : "",
                          near ? "?)" : "");
}

/* ---- Sources ---------------------------------------------------------------------------------------------- */

/* A list given by a later source replaces the earlier source's; `seen` also refuses a setting twice in the file. */
struct source {
    struct config *config;
    bool seen[128];
    bool refuse_twice;
    struct error *error;
    enum status status;
};

static enum status apply(struct source *source, const struct option *option, const char *text, const char *where)
{
    size_t index = (size_t)(option - options_table);
    check(index < sizeof source->seen);
    if (option->type == OPTION_LIST && !source->seen[index]) {
        struct config_list *list = field(source->config, option);
        for (uint32_t i = 0; i < list->n; i++)
            mem_free(list->items[i]);
        list->n = 0;
    } else if (source->refuse_twice && source->seen[index] && option->type != OPTION_LIST) {
        return error_set_path(source->error, STATUS_INVALID, NULL, option->name, "%s: %s is set twice", where,
                              option->name);
    }
    source->seen[index] = true;
    return config_set(source->config, option, text, where, source->error);
}

static int on_line(void *user, const char *section, const char *name, const char *value)
{
    struct source *source = user;
    if (source->status)
        return 0;
    if (*section) {
        source->status = error_set(source->error, STATUS_INVALID, "sections are not used");
        return 0;
    }
    const struct option *option = config_find(name);
    source->status = option ? apply(source, option, value, "this line") : unknown("this line", name, source->error);
    return source->status == STATUS_OK;
}

static enum status check_lines(const char *path, const char *text, struct error *error)
{
    unsigned line = 1;
    for (const char *at = text; *at; line++) {
        size_t n = strcspn(at, "\n");
        if (n > FILE_LINE_MAX)
            return error_set(error, STATUS_LIMIT, "%s:%u: the line is longer than %d bytes", path, line,
                             FILE_LINE_MAX);
        at += n + (at[n] == '\n');
    }
    return STATUS_OK;
}

static enum status read_file(struct config *config, const char *path, struct error *error)
{
    char *text;
    size_t len;
    enum status status = file_map_read(path, FILE_BYTES_MAX, &text, &len, error);
    if (status)
        return status;
    struct error inner;
    error_clear(&inner);
    struct source source = {.config = config, .refuse_twice = true, .error = &inner};
    status = strlen(text) == len ? check_lines(path, text, error)
                                 : error_set(error, STATUS_INVALID, "%s: holds a NUL byte", path);
    if (!status) {
        int line = ini_parse_string(text, on_line, &source);
        if (source.status)
            status = error_set_path(error, source.status, NULL, inner.path, "%s:%d: %s", path, line, inner.message);
        else if (line)
            status = error_set(error, STATUS_INVALID, "%s:%d: expected key = value", path, line);
    }
    mem_free(text);
    return status;
}

/* Kubernetes gives each container SEEKD_PORT=tcp://... and SEEKD_SERVICE_* when a service is called seekd. */
static bool from_kubernetes(const char *name, const char *value)
{
    return strncmp(name, "SERVICE_", 8) == 0 || strncmp(name, "PORT_", 5) == 0 ||
           (strcmp(name, "PORT") == 0 && strstr(value, "://"));
}

static enum status read_environment(struct config *config, char **environment, struct error *error)
{
    struct source source = {.config = config, .error = error};
    for (char **e = environment; e && *e; e++) {
        const char *equals = strchr(*e, '=');
        size_t n = equals ? (size_t)(equals - *e) : 0;
        char name[NAME_MAX_BYTES + 8];
        if (n < 7 || n >= sizeof name || strncmp(*e, "SEEKD_", 6) != 0)
            continue;
        memcpy(name, *e, n);
        name[n] = 0;
        if (from_kubernetes(name + 6, equals + 1) || strcmp(name, "SEEKD_CONFIG") == 0)
            continue;
        const struct option *option = config_find(name + 6);
        enum status status = option ? apply(&source, option, equals + 1, name) : unknown("environment", name + 6, error);
        if (status)
            return status;
    }
    return STATUS_OK;
}

/* One flag at argv[*at]; moves *at past what it used. */
static enum status read_flag(struct source *source, int argc, char **argv, int *at)
{
    char name[NAME_MAX_BYTES];
    const char *flag = argv[*at];
    if (strncmp(flag, "--", 2) != 0 || !flag[2])
        return error_set(source->error, STATUS_INVALID, "unexpected argument %s (options begin with --)", flag);
    const char *equals = strchr(flag, '=');
    size_t n = equals ? (size_t)(equals - flag) - 2 : strlen(flag) - 2;
    if (n >= sizeof name)
        return unknown("command line", flag, source->error);
    memcpy(name, flag + 2, n);
    name[n] = 0;
    const char *value = equals ? equals + 1 : NULL;
    const struct option *option = config_find(name);
    if (!option && strncmp(name, "no-", 3) == 0 && (option = config_find(name + 3)) && option->type == OPTION_BOOL &&
        !value)
        value = "off";
    else if (!option)
        return unknown("command line", name, source->error);
    else if (option->type == OPTION_BOOL && !value)
        value = "on";
    (*at)++;
    if (!value) {
        if (*at >= argc)
            return error_set_path(source->error, STATUS_INVALID, NULL, option->name, "--%s needs a value", name);
        value = argv[(*at)++];
    }
    return apply(source, option, value, "command line");
}

const char *config_environment(char **environment, const char *name)
{
    size_t n = strlen(name);
    for (char **e = environment; e && *e; e++)
        if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
            return *e + n + 1;
    return NULL;
}

/* What platforms give: the port by its common name, else by Vertex AI's or SageMaker's; Vertex AI's paths. */
static enum status read_platform(struct config *config, char **environment, struct error *error)
{
    static const struct {
        const char *name, *option;
    } rows[] = {{"SAGEMAKER_BIND_TO_PORT", "port"},
                {"AIP_HTTP_PORT", "port"},
                {"PORT", "port"},
                {"AIP_HEALTH_ROUTE", "health_route"},
                {"AIP_PREDICT_ROUTE", "predict_route"}};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && !status; i++) {
        const char *value = config_environment(environment, rows[i].name);
        if (value && *value)
            status = config_set(config, config_find(rows[i].option), value, rows[i].name, error);
    }
    return status;
}

static enum status load_all(struct config *config, const char *file, char **environment, int argc, char **argv,
                            struct error *error)
{
    struct source defaults = {.config = config, .error = error};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < options_count && !status; i++)
        status = apply(&defaults, &options_table[i], options_table[i].initial, "default");
    if (!status)
        status = read_platform(config, environment, error);
    if (!status && file)
        status = read_file(config, file, error);
    if (!status)
        status = read_environment(config, environment, error);
    struct source flags = {.config = config, .error = error};
    for (int at = 0; at < argc && !status;)
        status = read_flag(&flags, argc, argv, &at);
    return status;
}

enum status config_load(struct config **out, const char *file, char **environment, int argc, char **argv,
                        struct error *error)
{
    struct config *config = mem_zalloc(sizeof *config);
    if (!config)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    enum status status = load_all(config, file, environment, argc, argv, error);
    if (status) {
        config_free(config);
        return status;
    }
    *out = config;
    return STATUS_OK;
}

/* ---- Reload ------------------------------------------------------------------------------------------------ */

static enum status copy_value(struct config *to, const struct config *from, const struct option *option, struct error *error)
{
    const void *source = (const char *)from + option->offset;
    switch (option->type) {
    case OPTION_BOOL:
        *(bool *)field(to, option) = *(const bool *)source;
        return STATUS_OK;
    case OPTION_UINT:
    case OPTION_BYTES:
    case OPTION_DURATION:
        *(uint64_t *)field(to, option) = *(const uint64_t *)source;
        return STATUS_OK;
    case OPTION_TEXT:
    case OPTION_CHOICE:
        return set_text(to, option, *(char *const *)source, error);
    case OPTION_LIST:
        break;
    }
    const struct config_list *list = source;
    struct config_list *mine = field(to, option);
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < mine->n; i++)
        mem_free(mine->items[i]);
    mine->n = 0;
    for (uint32_t i = 0; i < list->n && !status; i++)
        status = list_add(mine, list->items[i], strlen(list->items[i]), option, "reload", error);
    return status;
}

static bool same_value(const struct config *a, const struct config *b, const struct option *option)
{
    const void *x = (const char *)a + option->offset, *y = (const char *)b + option->offset;
    switch (option->type) {
    case OPTION_BOOL:
        return *(const bool *)x == *(const bool *)y;
    case OPTION_UINT:
    case OPTION_BYTES:
    case OPTION_DURATION:
        return *(const uint64_t *)x == *(const uint64_t *)y;
    case OPTION_TEXT:
    case OPTION_CHOICE:
        return strcmp(*(char *const *)x, *(char *const *)y) == 0;
    case OPTION_LIST:
        break;
    }
    const struct config_list *m = x, *n = y;
    bool same = m->n == n->n;
    for (uint32_t i = 0; same && i < m->n; i++)
        same = strcmp(m->items[i], n->items[i]) == 0;
    return same;
}

enum status config_keep_fixed(struct config *fresh, const struct config *running, void (*differs)(const char *name),
                              struct error *error)
{
    for (size_t i = 0; i < options_count; i++) {
        const struct option *option = &options_table[i];
        if (option->reloadable || same_value(fresh, running, option))
            continue;
        differs(option->name);
        enum status status = copy_value(fresh, running, option, error);
        if (status)
            return status;
    }
    return STATUS_OK;
}

void config_free(struct config *config)
{
    if (!config)
        return;
    for (size_t i = 0; i < options_count; i++) {
        const struct option *o = &options_table[i];
        if (o->type == OPTION_TEXT || o->type == OPTION_CHOICE) {
            mem_free(*(char **)field(config, o));
        } else if (o->type == OPTION_LIST) {
            struct config_list *list = field(config, o);
            for (uint32_t k = 0; k < list->n; k++)
                mem_free(list->items[k]);
            mem_free(list->items);
        }
    }
    mem_free(config);
}
