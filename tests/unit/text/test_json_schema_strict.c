/* What strict schemas must say, and what is said for them. */
#include <string.h>

#include "base/mem.h"
#include "tests/support.h"
#include "text/json_schema_strict.h"

static enum status make(const char *text, struct error *error, char **out)
{
    json_t *schema = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(schema);
    error_clear(error);
    enum status status = json_schema_make_strict(schema, error);
    *out = json_dumps(schema, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(schema);
    return status;
}

static void objects_are_closed_wherever_they_stand(void **state)
{
    static const struct {
        const char *schema, *strict;
    } rows[] = {
        {"true", "true"},
        {"{\"type\":\"string\"}", "{\"type\":\"string\"}"},
        {"{\"type\":\"object\"}", "{\"type\":\"object\",\"additionalProperties\":false}"},
        {"{\"type\":[\"null\",\"object\"]}", "{\"type\":[\"null\",\"object\"],\"additionalProperties\":false}"},
        {"{\"properties\":{\"properties\":{\"type\":\"object\"}},\"required\":[\"properties\"]}",
         "{\"properties\":{\"properties\":{\"type\":\"object\",\"additionalProperties\":false}},\"required\":[\"properties\"],"
         "\"additionalProperties\":false}"},
        {"{\"items\":{\"type\":\"object\"},\"anyOf\":[{\"type\":\"object\"}],\"$defs\":{\"a\":{\"type\":\"object\"}}}",
         "{\"items\":{\"type\":\"object\",\"additionalProperties\":false},\"anyOf\":[{\"type\":\"object\",\"additionalProperties\":false}"
         "],"
         "\"$defs\":{\"a\":{\"type\":\"object\",\"additionalProperties\":false}}}"},
        {"{\"const\":{\"type\":\"object\"},\"enum\":[{\"properties\":{\"a\":1}}]}",
         "{\"const\":{\"type\":\"object\"},\"enum\":[{\"properties\":{\"a\":1}}]}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct error error;
        char *text;
        support_ok(make(rows[i].schema, &error, &text), &error);
        assert_string_equal(text, rows[i].strict);
        mem_free(text);
    }
}

static void what_is_missing_is_named(void **state)
{
    static const struct {
        const char *schema, *path, *part;
    } rows[] = {
        {"{\"properties\":{\"a\":{},\"b\":{}},\"required\":[\"a\"]}", "", "b"},
        {"{\"properties\":{\"a\":{}}}", "", "a"},
        {"{\"type\":\"object\",\"additionalProperties\":true}", "", "additionalProperties"},
        {"{\"properties\":{\"a\":{\"items\":{\"properties\":{\"x\":{}}}}},\"required\":[\"a\"]}", "/properties/a/items", "x"},
        {"{\"anyOf\":[{},{\"type\":\"object\",\"additionalProperties\":{}}]}", "/anyOf/1", "additionalProperties"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct error error;
        char *text;
        assert_int_equal(make(rows[i].schema, &error, &text), STATUS_INVALID);
        assert_string_equal(error.path, rows[i].path);
        assert_string_equal(error.code, "invalid_json_schema");
        assert_non_null(strstr(error.message, rows[i].part));
        mem_free(text);
    }
}

static void a_schema_too_deep_is_refused(void **state)
{
    json_t *schema = json_object();
    struct error error;
    (void)state;
    for (int i = 0; i < 100; i++)
        schema = json_pack("{s:o}", "items", schema);
    error_clear(&error);
    assert_int_equal(json_schema_make_strict(schema, &error), STATUS_LIMIT);
    json_decref(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_closed_wherever_they_stand),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(a_schema_too_deep_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
