/* A table of kinds of checks: how each is written in a suite, and what it asks of an answer. */
#include "server/eval_check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "server/eval_schema.h"
#include "text/language.h"
#include "text/text_match.h"

enum { FIELDS_MAX = 4, NUMBER_BYTES_MAX = 64 };

struct eval_check_kind {
    const char *name;
    const char *fields[FIELDS_MAX]; /* besides "type" */
    enum status (*init)(struct eval_check *check, struct error *error);
    bool (*holds)(const struct eval_check *check, const struct eval_answer *answer, char *why);
};

static const json_t *field(const struct eval_check *check, const char *name)
{
    return json_object_get(check->spec, name);
}

static bool fails(char *why, const char *text)
{
    snprintf(why, EVAL_WHY_BYTES, "%s", text);
    return false;
}

static struct str trimmed(struct str text)
{
    while (text.len && strchr(" \t\r\n", text.at[text.len - 1]))
        text.len--;
    while (text.len && strchr(" \t\r\n", text.at[0]))
        text = str_skip(text, 1);
    return text;
}

/* ---- exact and contains -------------------------------------------------------------------------------------- */

static enum status init_values(struct eval_check *check, struct error *error)
{
    const json_t *values = field(check, "values");
    for (size_t i = 0; i < json_array_size(values); i++)
        if (!json_is_string(json_array_get(values, i)))
            return error_set(error, STATUS_INVALID, "values[%zu]: expected a string", i);
    return json_array_size(values) ? STATUS_OK : error_set(error, STATUS_INVALID, "values: expected a list of strings");
}

static bool exact_holds(const struct eval_check *check, const struct eval_answer *answer, char *why)
{
    const json_t *values = field(check, "values");
    struct str content = trimmed(answer->content);
    for (size_t i = 0; i < json_array_size(values); i++)
        if (str_equal(content, trimmed(str_of(json_string_value(json_array_get(values, i))))))
            return true;
    snprintf(why, EVAL_WHY_BYTES, "expected exactly: %.200s", json_string_value(json_array_get(values, 0)));
    return false;
}

static bool contains_holds(const struct eval_check *check, const struct eval_answer *answer, char *why)
{
    const json_t *values = field(check, "values");
    for (size_t i = 0; i < json_array_size(values); i++)
        if (text_match_contains(answer->content, str_of(json_string_value(json_array_get(values, i)))))
            return true;
    snprintf(why, EVAL_WHY_BYTES, "does not contain: %.200s", json_string_value(json_array_get(values, 0)));
    return false;
}

/* ---- number -------------------------------------------------------------------------------------------------- */

/* The ASCII form of the digit, sign or separator that begins here, and its bytes; 0: something else. */
static char number_character(struct str text, size_t *n)
{
    const unsigned char *at = (const unsigned char *)text.at;
    *n = 1;
    if ((at[0] >= '0' && at[0] <= '9') || (at[0] && strchr("-.,", at[0])))
        return (char)at[0];
    *n = 2;
    if (text.len >= 2 && at[0] == 0xD9 && at[1] >= 0xA0 && at[1] <= 0xA9) /* Arabic-Indic digits */
        return (char)('0' + at[1] - 0xA0);
    if (text.len >= 2 && at[0] == 0xD9 && (at[1] == 0xAB || at[1] == 0xAC)) /* Arabic decimal and thousands separators */
        return at[1] == 0xAB ? '.' : ',';
    *n = 3;
    if (text.len >= 3 && at[0] == 0xE2 && at[1] == 0x88 && at[2] == 0x92) /* minus sign */
        return '-';
    *n = 1;
    return 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads the number that begins at `text`: an optional sign, digits, and separators that stand between digits. */
static size_t read_number(struct str text, char out[NUMBER_BYTES_MAX])
{
    size_t used = 0, end = 0, n = 0, kept = 0, bytes;
    while (used < text.len && n + 1 < NUMBER_BYTES_MAX) {
        char c = number_character(str_skip(text, used), &bytes);
        if (!c || (c == '-' && n > 0) || ((c == '.' || c == ',') && (!n || !is_digit(out[n - 1]))))
            break;
        out[n++] = c;
        used += bytes;
        if (is_digit(c)) {
            end = used;
            kept = n;
        }
    }
    out[kept] = 0;
    return end;
}

/* Whether three digits, and no fourth, stand here. */
static bool is_group(const char *at)
{
    return is_digit(at[0]) && is_digit(at[1]) && is_digit(at[2]) && !is_digit(at[3]);
}

/* The number with one separator as the decimal point and the other between groups of thousands. False when that is no number. */
static bool read_as(const char *number, char point, double *out)
{
    char plain[NUMBER_BYTES_MAX];
    size_t n = 0, points = 0;
    for (; *number; number++) {
        if (is_digit(*number) || *number == '-') {
            plain[n++] = *number;
        } else if (*number == point) {
            plain[n++] = '.';
            points++;
        } else if (points || !is_group(number + 1)) {
            return false;
        }
    }
    plain[n] = 0;
    *out = strtod(plain, NULL);
    return points <= 1;
}

/* One reading or two; what is no number as a whole (1,2,3) counts from its last separator on. */
static unsigned readings(const char *number, double out[2])
{
    unsigned n = read_as(number, '.', &out[0]);
    n += strpbrk(number, ".,") && read_as(number, ',', &out[n]);
    if (n)
        return n;
    const char *comma = strrchr(number, ','), *stop = strrchr(number, '.');
    out[0] = strtod((comma > stop ? comma : stop) + 1, NULL);
    return 1;
}

unsigned eval_last_number(struct str text, double out[2])
{
    char last[NUMBER_BYTES_MAX] = "", number[NUMBER_BYTES_MAX];
    bool behind_word = false; /* a sign straight behind a digit or letter is a hyphen */
    for (size_t at = 0; at < text.len;) {
        size_t bytes;
        char c = number_character(str_skip(text, at), &bytes);
        size_t n = is_digit(c) || (c == '-' && !behind_word) ? read_number(str_skip(text, at), number) : 0;
        if (n)
            memcpy(last, number, sizeof last);
        unsigned char first = (unsigned char)text.at[at];
        behind_word = n > 0 || ((first | 0x20) >= 'a' && (first | 0x20) <= 'z');
        at += n ? n : bytes;
    }
    return *last ? readings(last, out) : 0;
}

static enum status init_number(struct eval_check *check, struct error *error)
{
    if (!json_is_number(field(check, "value")))
        return error_set(error, STATUS_INVALID, "value: expected a number");
    const json_t *tolerance = field(check, "tolerance");
    if (tolerance && !(json_is_number(tolerance) && json_number_value(tolerance) >= 0))
        return error_set(error, STATUS_INVALID, "tolerance: expected a number of at least 0");
    return STATUS_OK;
}

static bool number_holds(const struct eval_check *check, const struct eval_answer *answer, char *why)
{
    double found[2], wanted = json_number_value(field(check, "value")), tolerance = json_number_value(field(check, "tolerance"));
    unsigned n = eval_last_number(answer->content, found);
    for (unsigned i = 0; i < n; i++)
        if (fabs(found[i] - wanted) <= tolerance)
            return true;
    if (n)
        snprintf(why, EVAL_WHY_BYTES, "expected the number %.15g, found %.15g", wanted, found[0]);
    else
        snprintf(why, EVAL_WHY_BYTES, "expected the number %.15g, found none", wanted);
    return false;
}

/* ---- regex --------------------------------------------------------------------------------------------------- */

static enum status init_regex(struct eval_check *check, struct error *error)
{
    const json_t *pattern = field(check, "pattern");
    struct error inner;
    if (!json_is_string(pattern))
        return error_set(error, STATUS_INVALID, "pattern: expected a string");
    enum status status = text_pattern_create(&check->pattern, str_from(json_string_value(pattern), json_string_length(pattern)), &inner);
    return status ? error_set(error, status, "pattern: %s", inner.message) : STATUS_OK;
}

static bool regex_holds(const struct eval_check *check, const struct eval_answer *answer, char *why)
{
    enum text_pattern_result result = text_pattern_find(check->pattern, answer->content);
    if (result != TEXT_PATTERN_FOUND)
        snprintf(why, EVAL_WHY_BYTES, "%s: %.180s", result == TEXT_PATTERN_ABSENT ? "no match of" : "too much work for",
                 json_string_value(field(check, "pattern")));
    return result == TEXT_PATTERN_FOUND;
}

/* ---- json ---------------------------------------------------------------------------------------------------- */

static bool arrays_equal(const json_t *a, const json_t *b)
{
    if (json_array_size(a) != json_array_size(b))
        return false;
    for (size_t i = 0; i < json_array_size(a); i++)
        if (!eval_json_equal(json_array_get(a, i), json_array_get(b, i)))
            return false;
    return true;
}

static bool objects_equal(const json_t *a, const json_t *b)
{
    const char *key;
    json_t *member;
    if (json_object_size(a) != json_object_size(b))
        return false;
    json_object_foreach((json_t *)a, key, member)
    {
        const json_t *other = json_object_get(b, key);
        if (!other || !eval_json_equal(member, other))
            return false;
    }
    return true;
}

bool eval_json_equal(const json_t *a, const json_t *b)
{
    if (json_is_integer(a) && json_is_integer(b))
        return json_integer_value(a) == json_integer_value(b);
    if (json_is_number(a) && json_is_number(b))
        return json_number_value(a) == json_number_value(b);
    if (!a || !b || json_typeof(a) != json_typeof(b))
        return false;
    if (json_is_array(a))
        return arrays_equal(a, b);
    if (json_is_object(a))
        return objects_equal(a, b);
    return !json_is_string(a) || strcmp(json_string_value(a), json_string_value(b)) == 0;
}

static enum status init_json(struct eval_check *check, struct error *error)
{
    const json_t *schema = field(check, "schema");
    if (!schema && !field(check, "value"))
        return error_set(error, STATUS_INVALID, "expected schema, value or both");
    return schema ? eval_schema_check(schema, error) : STATUS_OK;
}

/* What stands in the text's only ``` block, when the text begins with one; else the text. */
static struct str without_fence(struct str text)
{
    text = trimmed(text);
    const char *newline = memchr(text.at, '\n', text.len);
    if (text.len < 7 || memcmp(text.at, "```", 3) != 0 || !newline || !str_ends(text, str_of("```")))
        return text;
    size_t head = (size_t)(newline - text.at) + 1;
    return head + 3 <= text.len ? str_from(text.at + head, text.len - head - 3) : text;
}

static bool json_holds(const struct eval_check *check, const struct eval_answer *answer, char *why)
{
    const json_t *schema = field(check, "schema"), *value = field(check, "value");
    struct str text = without_fence(answer->content);
    json_t *found = json_loadb(text.at, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    bool holds = found != NULL;
    if (!holds)
        fails(why, "the answer is not JSON");
    else if (schema && !eval_schema_holds(schema, found, why, EVAL_WHY_BYTES))
        holds = false;
    else if (value && !eval_json_equal(value, found))
        holds = fails(why, "the JSON has another value than expected");
    json_decref(found);
    return holds;
}

/* ---- tool_calls ---------------------------------------------------------------------------------------------- */

static enum status init_calls(struct eval_check *check, struct error *error)
{
    const json_t *calls = field(check, "calls");
    if (!json_is_array(calls))
        return error_set(error, STATUS_INVALID, "calls: expected a list; an empty one means that no tool is called");
    for (size_t i = 0; i < json_array_size(calls); i++) {
        const json_t *call = json_array_get(calls, i);
        if (!json_is_string(json_object_get(call, "name")) || !json_is_object(json_object_get(call, "arguments")) ||
            json_object_size(call) != 2)
            return error_set(error, STATUS_INVALID, "calls[%zu]: expected {\"name\": string, \"arguments\": object}", i);
    }
    return STATUS_OK;
}

/* Whether an answer's call is the wanted one. */
static bool is_call(const json_t *made, const json_t *wanted)
{
    const json_t *function = json_object_get(made, "function");
    const char *name = json_string_value(json_object_get(function, "name"));
    const json_t *text = json_object_get(function, "arguments");
    if (!name || !json_is_string(text) || strcmp(name, json_string_value(json_object_get(wanted, "name"))) != 0)
        return false;
    json_t *arguments = json_loadb(json_string_value(text), json_string_length(text), JSON_REJECT_DUPLICATES, NULL);
    bool same = eval_json_equal(arguments, json_object_get(wanted, "arguments"));
    json_decref(arguments);
    return same;
}

/* Calls may come in any order, but equal ones must come as often as asked. */
static bool calls_hold(const struct eval_check *check, const struct eval_answer *answer, char *why)
{
    const json_t *wanted = field(check, "calls");
    size_t n = json_array_size(wanted), n_made = json_array_size(answer->tool_calls);
    if (n_made != n) {
        snprintf(why, EVAL_WHY_BYTES, "expected %zu tool calls, found %zu", n, n_made);
        return false;
    }
    if (n == 0)
        return trimmed(answer->content).len > 0 || fails(why, "no tool call, and no text either");
    bool *used = mem_zalloc_array(n, sizeof *used);
    size_t n_found = 0;
    for (size_t i = 0; used && i < n; i++)
        for (size_t j = 0; j < n; j++)
            if (!used[j] && is_call(json_array_get(answer->tool_calls, j), json_array_get(wanted, i))) {
                used[j] = true;
                n_found++;
                break;
            }
    mem_free(used);
    return n_found == n || fails(why, "a tool call has another name or other arguments than expected");
}

/* ---- language ------------------------------------------------------------------------------------------------ */

static enum status init_language(struct eval_check *check, struct error *error)
{
    const char *code = json_string_value(field(check, "language"));
    if (!code || !language_is_known(code))
        return error_set(error, STATUS_INVALID, "language: expected en, fr, de, es, zh or ar");
    return STATUS_OK;
}

static bool language_holds(const struct eval_check *check, const struct eval_answer *answer, char *why)
{
    const char *wanted = json_string_value(field(check, "language")), *found;
    if (language_fits(answer->content, wanted, &found))
        return true;
    snprintf(why, EVAL_WHY_BYTES, "expected the language %s, found %s", wanted, found);
    return false;
}

/* ---- Checks -------------------------------------------------------------------------------------------------- */

static const struct eval_check_kind kinds[] = {
    {"exact", {"values"}, init_values, exact_holds},
    {"contains", {"values"}, init_values, contains_holds},
    {"number", {"value", "tolerance"}, init_number, number_holds},
    {"regex", {"pattern"}, init_regex, regex_holds},
    {"json", {"value", "schema"}, init_json, json_holds},
    {"tool_calls", {"calls"}, init_calls, calls_hold},
    {"language", {"language"}, init_language, language_holds},
};

static bool has_field(const struct eval_check_kind *kind, const char *name)
{
    for (unsigned i = 0; i < FIELDS_MAX && kind->fields[i]; i++)
        if (strcmp(kind->fields[i], name) == 0)
            return true;
    return strcmp(name, "type") == 0;
}

enum status eval_check_init(struct eval_check *check, const json_t *spec, struct error *error)
{
    const char *type = json_string_value(json_object_get(spec, "type")), *key;
    char quoted[ERROR_QUOTE_BYTES];
    json_t *value;
    *check = (struct eval_check){.spec = spec};
    if (!type)
        return error_set(error, STATUS_INVALID, "expected an object with a type");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].name, type) == 0)
            check->kind = &kinds[i];
    if (!check->kind)
        return error_set(error, STATUS_INVALID, "type: %s is none of exact, contains, number, regex, json, tool_calls, language",
                         error_quote(quoted, type, strlen(type)));
    json_object_foreach((json_t *)spec, key, value) if (!has_field(check->kind, key)) return error_set(
        error, STATUS_INVALID, "%s is no field of a check of type %s", error_quote(quoted, key, strlen(key)), type);
    return check->kind->init(check, error);
}

void eval_check_release(struct eval_check *check)
{
    text_pattern_free(check->pattern);
}

bool eval_check_holds(const struct eval_check *check, const struct eval_answer *answer, char why[EVAL_WHY_BYTES])
{
    return check->kind->holds(check, answer, why);
}
