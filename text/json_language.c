/* Any value is one rule that calls itself; a given value is written out with the white space that may stand in it. */
#include "text/json_language.h"

#include "base/mem.h"
#include "text/number_language.h"

enum { BLANKS_MAX = 40 }; /* that indent a line */

static uint32_t word(const struct json_language *j, const char *text)
{
    return automaton_text(j->a, str_of(text));
}

/* Items with commas between them, or nothing. */
static uint32_t listed(const struct json_language *j, uint32_t item)
{
    uint32_t more = automaton_repeat(j->a, automaton_join(j->a, j->comma, item), 0, AUTOMATON_ENDLESS);
    return automaton_maybe(j->a, automaton_join(j->a, item, more));
}

void json_language_init(struct json_language *j, struct automaton *a)
{
    struct byte_set blank = {{0}};
    byte_set_add(&blank, ' ', ' ');
    byte_set_add(&blank, '\t', '\t');
    j->a = a;
    uint32_t line_end = automaton_join(a, automaton_maybe(a, word(j, "\r")), word(j, "\n"));
    uint32_t line = automaton_join(a, line_end, automaton_repeat(a, automaton_bytes(a, &blank), 0, BLANKS_MAX));
    j->space = automaton_maybe(a, automaton_or(a, line, automaton_bytes(a, &blank)));
    j->comma = automaton_join(a, word(j, ","), j->space);
    j->colon = automaton_join(a, automaton_maybe(a, word(j, " ")), automaton_join(a, word(j, ":"), automaton_maybe(a, word(j, " "))));
    j->characters = automaton_repeat(a, code_points_any(a, WRITING_JSON), 0, AUTOMATON_ENDLESS);
    j->value = automaton_rule(a);
    j->object = json_language_braced(j, '{', listed(j, json_language_pair(j, j->characters, j->value)), '}');
    j->array = json_language_braced(j, '[', listed(j, j->value), ']');
    uint32_t any[] = {j->object,
                      j->array,
                      json_language_quoted(j, j->characters),
                      number_language(a, &(struct number_bounds){0}),
                      word(j, "true"),
                      word(j, "false"),
                      word(j, "null")};
    automaton_define(a, j->value, automaton_either(a, any, sizeof any / sizeof any[0]));
}

uint32_t json_language_quoted(const struct json_language *j, uint32_t inner)
{
    return automaton_join(j->a, word(j, "\""), automaton_join(j->a, inner, word(j, "\"")));
}

uint32_t json_language_pair(const struct json_language *j, uint32_t key, uint32_t value)
{
    return automaton_join(j->a, json_language_quoted(j, key), automaton_join(j->a, j->colon, value));
}

uint32_t json_language_braced(const struct json_language *j, char open, uint32_t inner, char close)
{
    uint32_t end = automaton_join(j->a, j->space, automaton_text(j->a, str_from(&close, 1)));
    return automaton_join(j->a, automaton_text(j->a, str_from(&open, 1)),
                          automaton_join(j->a, j->space, automaton_join(j->a, inner, end)));
}

static uint32_t literal_object(const struct json_language *j, const json_t *value)
{
    uint32_t inner = AUTOMATON_END;
    const char *key;
    size_t length;
    json_t *member;
    json_object_keylen_foreach((json_t *)value, key, length, member)
    {
        uint32_t name = code_points_text(j->a, str_from(key, length), WRITING_JSON);
        uint32_t pair = json_language_pair(j, name, json_language_literal(j, member));
        inner = inner == AUTOMATON_END ? pair : automaton_join(j->a, inner, automaton_join(j->a, j->comma, pair));
    }
    return json_language_braced(j, '{', inner, '}');
}

static uint32_t literal_array(const struct json_language *j, const json_t *value)
{
    uint32_t inner = AUTOMATON_END;
    size_t i;
    json_t *item;
    json_array_foreach(value, i, item)
    {
        uint32_t x = json_language_literal(j, item);
        inner = i == 0 ? x : automaton_join(j->a, inner, automaton_join(j->a, j->comma, x));
    }
    return json_language_braced(j, '[', inner, ']');
}

uint32_t json_language_literal(const struct json_language *j, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return literal_object(j, value);
    case JSON_ARRAY:
        return literal_array(j, value);
    case JSON_STRING:
        return json_language_quoted(j,
                                    code_points_text(j->a, str_from(json_string_value(value), json_string_length(value)), WRITING_JSON));
    default:
        break;
    }
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    uint32_t out = text ? automaton_text(j->a, str_of(text)) : AUTOMATON_FAILED;
    mem_free(text);
    return out;
}
