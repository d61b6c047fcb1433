/* seekd eval: checks against right, wrong and hostile answers; suites with every kind of fault; statistics; saved runs compared. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "server/eval_compare.h"
#include "server/eval_report.h"
#include "server/eval_schema.h"
#include "server/eval_stats.h"
#include "server/eval_suite.h"
#include "tests/support.h"

/* ---- Checks -------------------------------------------------------------------------------------------------- */

/* Whether an answer (and its tool calls, as JSON or null) fulfils a check. */
static bool holds(const char *check_text, const char *content, const char *calls_text)
{
    json_t *spec = json_loads(check_text, 0, NULL), *calls = calls_text ? json_loads(calls_text, 0, NULL) : NULL;
    struct eval_check check;
    struct error error;
    char why[EVAL_WHY_BYTES] = "";
    error_clear(&error);
    assert_non_null(spec);
    assert_true(!calls_text || calls);
    support_ok(eval_check_init(&check, spec, &error), &error);
    struct eval_answer answer = {.content = str_of(content), .tool_calls = calls};
    bool result = eval_check_holds(&check, &answer, why);
    assert_true(result || *why);
    eval_check_release(&check);
    json_decref(spec);
    json_decref(calls);
    return result;
}

static void texts_are_compared_whole_or_in_part(void **state)
{
    (void)state;
    static const char exact[] = "{\"type\":\"exact\",\"values\":[\"Paris\",\"Paris.\"]}";
    assert_true(holds(exact, " Paris.\n", NULL));
    assert_false(holds(exact, "paris", NULL));
    assert_false(holds(exact, "", NULL));
    static const char contains[] = "{\"type\":\"contains\",\"values\":[\"M\\u00fcnchen\",\"STRASSE\"]}";
    assert_true(holds(contains, "in MU\xCC\x88NCHEN.", NULL)); /* a letter and its dots apart */
    assert_true(holds(contains,
                      "die Stra\xC3\x9F"
                      "e",
                      NULL));
    assert_false(holds(contains, "Munchen", NULL));
    assert_false(holds(contains, "\xFF M\xC3\xBCnchen", NULL));
}

static void the_last_number_counts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned n;
        double first, second;
    } rows[] = {
        {"7 + 5 = 12", 1, 12, 0},
        {"it is -3.", 1, -3, 0},
        {"\xE2\x88\x92"
         "3 degrees",
         1, -3, 0},
        {"5-3", 1, 3, 0}, /* a minus straight behind a digit is no sign */
        {"B-52", 1, 52, 0},
        {"1,234", 2, 1234, 1.234},
        {"1.234", 2, 1.234, 1234},
        {"1.234.567", 1, 1234567, 0},
        {"1,234.5", 1, 1234.5, 0},
        {"1.234,5", 1, 1234.5, 0},
        {"\xD9\xA1\xD9\xA2", 1, 12, 0},
        {"3.5.", 1, 3.5, 0},
        {"1,5", 1, 1.5, 0},
        {"1,2,3", 1, 3, 0},
        {"12,345,678.5", 1, 12345678.5, 0},
        {"none", 0, 0, 0},
        {"", 0, 0, 0},
        {"- , .", 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double found[2] = {0, 0};
        unsigned n = eval_last_number(str_of(rows[i].text), found);
        if (n != rows[i].n || (n > 0 && found[0] != rows[i].first) || (n > 1 && found[1] != rows[i].second))
            fail_msg("%s: %u readings, %g and %g", rows[i].text, n, found[0], found[1]);
    }
    char digits[400];
    double found[2];
    memset(digits, '7', sizeof digits);
    eval_last_number(str_from(digits, sizeof digits), found);
    assert_true(holds("{\"type\":\"number\",\"value\":0.3,\"tolerance\":0.01}", "about 0.305", NULL));
    assert_false(holds("{\"type\":\"number\",\"value\":0.3}", "about 0.305", NULL));
}

static void patterns_see_unicode_and_cannot_run_away(void **state)
{
    (void)state;
    assert_true(holds("{\"type\":\"regex\",\"pattern\":\"^\\\\p{Lu}.$\"}", "\xC3\x89\xC3\xA9", NULL));
    assert_false(holds("{\"type\":\"regex\",\"pattern\":\"b$\"}", "b\n", NULL));
    char text[64];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = 0;
    assert_false(holds("{\"type\":\"regex\",\"pattern\":\"^(a+)+b$\"}", text, NULL));
}

static void json_is_compared_as_values(void **state)
{
    (void)state;
    static const char value[] = "{\"type\":\"json\",\"value\":{\"a\":1,\"b\":[true,null]}}";
    assert_true(holds(value, "{\"b\":[true,null],\"a\":1.0}", NULL));
    assert_true(holds(value, "```json\n{\"b\":[true,null],\"a\":1}\n```", NULL));
    assert_false(holds(value, "{\"a\":1}", NULL));
    assert_false(holds(value, "{\"a\":1,\"b\":[true,null]} and more", NULL));
    assert_false(holds(value, "{\"a\":1,\"a\":1,\"b\":[true,null]}", NULL));
    assert_false(holds(value, "```", NULL));
    static const char schema[] =
        "{\"type\":\"json\",\"schema\":{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\",\"minimum\":1}},"
        "\"required\":[\"n\"],\"additionalProperties\":false}}";
    assert_true(holds(schema, "{\"n\":2.0}", NULL));
    assert_false(holds(schema, "{\"n\":0}", NULL));
    assert_false(holds(schema, "{\"n\":2.5}", NULL));
    assert_false(holds(schema, "{\"n\":2,\"m\":1}", NULL));
    assert_false(holds(schema, "[2]", NULL));
    char deep[20001];
    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = 0;
    assert_false(holds(value, deep, NULL));
}

static void schemas_hold_each_keyword(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *good, *bad;
    } rows[] = {
        {"{\"type\":[\"string\",\"null\"]}", "null", "1"},
        {"{\"type\":\"boolean\"}", "false", "0"},
        {"{\"type\":\"number\"}", "1.5", "\"1.5\""},
        {"{\"enum\":[1,\"x\"]}", "1.0", "2"},
        {"{\"type\":\"array\",\"items\":{\"type\":\"string\"}}", "[\"a\"]", "[\"a\",1]"},
        {"{\"minItems\":1,\"maxItems\":2}", "[1,2]", "[1,2,3]"},
        {"{\"minLength\":2}", "\"\\u00e9\\u00e9\"", "\"\\u00e9\""},
        {"{\"maxLength\":1}", "\"\\u00e9\"", "\"ee\""},
        {"{\"maximum\":3}", "3", "3.5"},
        {"{\"properties\":{\"a\":{\"required\":[\"b\"]}}}", "{\"a\":{\"b\":0}}", "{\"a\":{}}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct error error;
        char why[64];
        json_t *schema = json_loads(rows[i].schema, 0, NULL), *good = json_loads(rows[i].good, JSON_DECODE_ANY, NULL),
               *bad = json_loads(rows[i].bad, JSON_DECODE_ANY, NULL);
        error_clear(&error);
        support_ok(eval_schema_check(schema, &error), &error);
        assert_true(eval_schema_holds(schema, good, why, sizeof why));
        assert_false(eval_schema_holds(schema, bad, why, sizeof why));
        json_decref(schema);
        json_decref(good);
        json_decref(bad);
    }
}

static void tool_calls_are_a_set(void **state)
{
    (void)state;
    static const char two[] =
        "{\"type\":\"tool_calls\",\"calls\":[{\"name\":\"f\",\"arguments\":{\"x\":1}},{\"name\":\"g\",\"arguments\":{}}]}";
#define CALL(name, arguments) "{\"function\":{\"name\":\"" name "\",\"arguments\":\"" arguments "\"}}"
    assert_true(holds(two, "", "[" CALL("g", "{}") "," CALL("f", "{\\\"x\\\":1.0}") "]"));
    assert_false(holds(two, "", "[" CALL("g", "{}") "]"));
    assert_false(holds(two, "", "[" CALL("g", "{}") "," CALL("g", "{}") "]"));
    assert_false(holds(two, "", "[" CALL("g", "{}") "," CALL("f", "{\\\"x\\\":") "]"));
    assert_false(holds(two, "", "[1,{\"function\":{\"name\":\"g\"}}]"));
    static const char none[] = "{\"type\":\"tool_calls\",\"calls\":[]}";
    assert_true(holds(none, "Hello.", NULL));
    assert_false(holds(none, " ", NULL));
    assert_false(holds(none, "Hello.", "[" CALL("g", "{}") "]"));
#undef CALL
}

static void languages_are_told_apart(void **state)
{
    (void)state;
    assert_true(holds("{\"type\":\"language\",\"language\":\"fr\"}", "La capitale de la France est Paris.", NULL));
    assert_false(holds("{\"type\":\"language\",\"language\":\"fr\"}", "The capital of France is Paris.", NULL));
}

/* ---- Suites -------------------------------------------------------------------------------------------------- */

static enum status read_suite(const char *text, struct error *error)
{
    struct eval_suite suite;
    error_clear(error);
    eval_suite_init(&suite);
    enum status status = eval_suite_add_text(&suite, "suite", str_of(text), error);
    eval_suite_release(&suite);
    return status;
}

static void a_suite_is_read_with_all_its_fields(void **state)
{
    (void)state;
    static const char text[] = "{\"id\":\"a\",\"kind\":\"k\",\"language\":\"en\",\"messages\":[{\"role\":\"user\",\"content\":\"?\"}],"
                               "\"thinking\":false,\"max_tokens\":9,"
                               "\"tools\":[],\"checks\":[{\"type\":\"exact\",\"values\":[\"!\"]}]}\r\n\n"
                               "{\"id\":\"b\",\"prompt\":\"x\",\"suffix\":\"y\",\"checks\":[{\"type\":\"regex\",\"pattern\":\".\"},{"
                               "\"type\":\"number\",\"value\":1}]}";
    struct eval_suite suite;
    struct error error;
    error_clear(&error);
    eval_suite_init(&suite);
    support_ok(eval_suite_add_text(&suite, "suite", str_of(text), &error), &error);
    assert_int_equal(suite.n, 2);
    assert_int_equal(suite.items[0].max_tokens, 9);
    assert_true(json_is_false(suite.items[0].thinking));
    assert_string_equal(suite.items[1].kind, "other");
    assert_string_equal(suite.items[1].suffix, "y");
    assert_int_equal(suite.items[1].n_checks, 2);
    eval_suite_release(&suite);
}

static void faults_of_a_suite_are_named(void **state)
{
    (void)state;
#define WITH(fields) "{\"id\":\"a\",\"prompt\":\"x\"," fields "}"
#define CHECK(check) WITH("\"checks\":[" check "]")
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"{", "line 1: not JSON at byte"},
        {"\n\n[]", "line 3: expected a JSON object"},
        {"\xFF", "not UTF-8 at byte 0"},
        {"{\"id\":\"a\",\"id\":\"a\"}", "not JSON"},
        {WITH("\"extra\":1"), "extra is no field"},
        {WITH("\"kind\":1"), "kind: expected a string"},
        {WITH("\"max_tokens\":0"), "max_tokens: expected"},
        {WITH("\"max_tokens\":1.5"), "max_tokens: expected"},
        {WITH("\"thinking\":true"), "thinking: only with messages"},
        {WITH("\"messages\":[]"), "either messages or prompt"},
        {"{\"id\":\"a\",\"messages\":[]}", "messages: empty"},
        {"{\"id\":\"a\",\"messages\":[1],\"suffix\":\"x\"}", "suffix: only with prompt"},
        {"{\"prompt\":\"x\"}", "id: missing"},
        {WITH("\"checks\":[]"), "checks: expected 1 to"},
        {CHECK("1"), "checks[0]: expected an object with a type"},
        {CHECK("{\"type\":\"like\"}"), "like is none of"},
        {CHECK("{\"type\":\"exact\",\"value\":\"x\"}"), "value is no field of a check of type exact"},
        {CHECK("{\"type\":\"exact\",\"values\":[1]}"), "values[0]: expected a string"},
        {CHECK("{\"type\":\"contains\",\"values\":[]}"), "values: expected"},
        {CHECK("{\"type\":\"number\",\"value\":\"1\"}"), "value: expected a number"},
        {CHECK("{\"type\":\"number\",\"value\":1,\"tolerance\":-1}"), "tolerance: expected"},
        {CHECK("{\"type\":\"regex\",\"pattern\":\"(\"}"), "pattern: at character 1"},
        {CHECK("{\"type\":\"json\"}"), "expected schema, value or both"},
        {CHECK("{\"type\":\"json\",\"schema\":{\"oneOf\":[]}}"), "keyword oneOf is not supported"},
        {CHECK("{\"type\":\"json\",\"schema\":{\"items\":{\"type\":\"strin\"}}}"), "type is not written"},
        {CHECK("{\"type\":\"tool_calls\",\"calls\":[{\"name\":\"f\"}]}"), "calls[0]: expected"},
        {CHECK("{\"type\":\"language\",\"language\":\"xx\"}"), "language: expected en"},
        {CHECK("{\"type\":\"regex\",\"pattern\":\".\"}") "\n" CHECK("{\"type\":\"regex\",\"pattern\":\".\"}"),
         "line 2: id: a stands twice"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct error error;
        assert_int_not_equal(read_suite(rows[i].text, &error), STATUS_OK);
        if (!strstr(error.message, rows[i].says) || strncmp(error.message, "suite: line ", 12) != 0)
            fail_msg("%s\nsays: %s\nnot: %s", rows[i].text, error.message, rows[i].says);
    }
#undef CHECK
#undef WITH
}

/* ---- Statistics ---------------------------------------------------------------------------------------------- */

static void close_to(double a, double b)
{
    if (fabs(a - b) > 5e-5)
        fail_msg("%.6f is not %.6f", a, b);
}

static void intervals_and_tests_agree_with_tables(void **state)
{
    (void)state;
    double low, high;
    eval_stats_interval(9, 10, &low, &high);
    close_to(low, 0.59585);
    close_to(high, 0.98212);
    eval_stats_interval(0, 10, &low, &high);
    close_to(low, 0);
    close_to(high, 0.27753);
    eval_stats_interval(10, 10, &low, &high);
    close_to(low, 0.72247);
    close_to(high, 1);
    eval_stats_interval(0, 0, &low, &high);
    close_to(low, 0);
    close_to(high, 1);
    close_to(eval_stats_mcnemar(0, 0), 1);
    close_to(eval_stats_mcnemar(1, 9), 0.021484);
    close_to(eval_stats_mcnemar(9, 1), 0.021484);
    close_to(eval_stats_mcnemar(5, 5), 1);
    close_to(eval_stats_mcnemar(0, 2000), 0);
}

/* ---- Reports ------------------------------------------------------------------------------------------------- */

static char *printed(FILE *f)
{
    long n = ftell(f);
    char *text = mem_zalloc((size_t)n + 1);
    rewind(f);
    assert_int_equal(fread(text, 1, (size_t)n, f), n);
    fclose(f);
    return text;
}

static void a_run_is_tabled_saved_and_compared(void **state)
{
    (void)state;
    static const char text[] =
        "{\"id\":\"a\",\"kind\":\"sums\",\"language\":\"en\",\"prompt\":\"x\",\"checks\":[{\"type\":\"regex\",\"pattern\":\".\"}]}\n"
        "{\"id\":\"b\",\"kind\":\"sums\",\"prompt\":\"x\",\"checks\":[{\"type\":\"regex\",\"pattern\":\".\"}]}\n"
        "{\"id\":\"c\",\"prompt\":\"x\",\"checks\":[{\"type\":\"regex\",\"pattern\":\".\"}]}\n";
    struct eval_suite suite;
    struct error error;
    struct reach reach = {.model = "m"};
    struct eval_result results[3] = {{.outcome = EVAL_RIGHT, .tokens = 10, .thought = true, .accepted = 4},
                                     {.outcome = EVAL_WRONG, .tokens = 20},
                                     {.outcome = EVAL_FAILED}};
    struct eval_run run = {.reach = &reach, .suite = &suite, .n = 3, .concurrency = 2, .results = results, .seconds = 2};
    char first[512], second[512];
    const char *folder = support_temp_dir();
    error_clear(&error);
    eval_suite_init(&suite);
    support_ok(eval_suite_add_text(&suite, "suite", str_of(text), &error), &error);
    FILE *f = tmpfile();
    eval_report_print(&run, false, f);
    char *table = printed(f);
    assert_non_null(strstr(table, "sums                      2      1     50.0 %"));
    assert_non_null(strstr(table, "15 tokens/s"));
    assert_non_null(strstr(table, "1 got no answer"));
    assert_non_null(strstr(table, "accepted"));
    mem_free(table);
    close_to(eval_report_accuracy(&run, "sums"), 0.5);
    close_to(eval_report_accuracy(&run, NULL), 1 / 3.0);
    assert_true(eval_report_accuracy(&run, "absent") < 0);

    snprintf(first, sizeof first, "%s/first", folder);
    snprintf(second, sizeof second, "%s/second", folder);
    support_ok(eval_report_save(&run, first, &error), &error);
    results[1].outcome = EVAL_RIGHT;
    support_ok(eval_report_save(&run, second, &error), &error);
    f = tmpfile();
    support_ok(eval_compare(first, second, f, &error), &error);
    table = printed(f);
    assert_non_null(strstr(table, "sums                      2     50.0 %    100.0 %    +50.0        0        1    1.000"));
    mem_free(table);

    support_write_file(second, "{}\n", 3);
    assert_int_equal(eval_compare(first, second, stdout, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "line 1: not written by seekd eval"));
    support_write_file(second, "{\"seekd_eval\":1}\n{\"id\":\"a\"}\n", 29);
    assert_int_equal(eval_compare(first, second, stdout, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "line 2: expected id, kind and outcome"));
    eval_suite_release(&suite);
    support_remove_dir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_compared_whole_or_in_part),
        cmocka_unit_test(the_last_number_counts),
        cmocka_unit_test(patterns_see_unicode_and_cannot_run_away),
        cmocka_unit_test(json_is_compared_as_values),
        cmocka_unit_test(schemas_hold_each_keyword),
        cmocka_unit_test(tool_calls_are_a_set),
        cmocka_unit_test(languages_are_told_apart),
        cmocka_unit_test(a_suite_is_read_with_all_its_fields),
        cmocka_unit_test(faults_of_a_suite_are_named),
        cmocka_unit_test(intervals_and_tests_agree_with_tables),
        cmocka_unit_test(a_run_is_tabled_saved_and_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
