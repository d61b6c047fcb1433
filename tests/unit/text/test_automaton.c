/* Languages of bytes: expressions, grammars, numbers, whole schemas, and that no state leads nowhere. */
#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "tests/support.h"
#include "text/gbnf.h"
#include "text/json_schema.h"
#include "text/number_language.h"
#include "text/regex.h"
#include "text/string_format.h"

enum { EXPRESSIONS = 1 << 18, TEXTS = 6 };

static struct automaton *make(void)
{
    struct automaton *a;
    struct error error;
    error_clear(&error);
    support_ok(automaton_create(&a, EXPRESSIONS, &error), &error);
    return a;
}

static bool takes(struct automaton *a, uint32_t state, const char *text)
{
    return automaton_may_end(a, automaton_read(a, state, str_of(text)));
}

static bool goes_on(struct automaton *a, uint32_t state)
{
    for (unsigned byte = 0; byte < 256; byte++)
        if (automaton_next(a, state, (uint8_t)byte) != AUTOMATON_NOTHING)
            return true;
    return false;
}

/* ---- Regular expressions ------------------------------------------------------------------------------------- */

static void expressions_take_what_they_say(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        bool whole;
        const char *good[TEXTS], *bad[TEXTS];
    } rows[] = {
        {"[0-9]{3}", true, {"123"}, {"12", "1234", "12a", ""}},
        {"a|bc*", true, {"a", "b", "bccc"}, {"", "ac", "cb"}},
        {"^a", false, {"a", "abc"}, {"ba", ""}},
        {"b$", false, {"b", "ab"}, {"ba"}},
        {"^(foo|bar)$", false, {"foo", "bar"}, {"foobar", "xfoo"}},
        {"^a|b$", false, {"ax", "xb"}, {"xa", "bx"}},
        {"a.c",
         false,
         {"xabcx", "a\xC3\xA9"
                   "c"},
         {"a\nc", "ac"}},
        {"", false, {"", "anything"}, {NULL}},
        {"$", false, {"", "anything"}, {NULL}},
        {"\\d+\\.\\d{2,}", true, {"3.14", "10.000"}, {"3.1", ".12"}},
        {"[^a-c\\d]+", true, {"xyz", "\xE4\xB8\xAD"}, {"xa", "4"}},
        {"\\u00e9\\x41\\u{1F600}",
         true,
         {"\xC3\xA9"
          "A\xF0\x9F\x98\x80"},
         {"eA"}},
        {"\\ud83d\\ude00", true, {"\xF0\x9F\x98\x80"}, {""}},
        {"\\p{Lu}\\p{L}*", true, {"Abc", "\xC3\x89t\xC3\xA9"}, {"abc", "A1"}},
        {"(?:ab){2,3}?", true, {"abab", "ababab"}, {"ab", "abababab"}},
        {"(?<name>x)y", true, {"xy"}, {"x"}},
        {"a{,2}", true, {"a{,2}"}, {"aa"}},
        {"((a*)*)*", true, {"", "aaaa"}, {"b"}},
        {"(a{1,3}){2}", true, {"aa", "aaaaaa"}, {"a", "aaaaaaa"}},
        {"[\\]\\-x-]+", true, {"]-x"}, {"y"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct automaton *a = make();
        struct error error;
        uint32_t x;
        error_clear(&error);
        support_ok(regex_language(a, str_of(rows[i].pattern), rows[i].whole, WRITING_UTF8, &x, &error), &error);
        for (int k = 0; k < TEXTS && rows[i].good[k]; k++)
            if (!takes(a, x, rows[i].good[k]))
                fail_msg("%s does not take %s", rows[i].pattern, rows[i].good[k]);
        for (int k = 0; k < TEXTS && rows[i].bad[k]; k++)
            if (takes(a, x, rows[i].bad[k]))
                fail_msg("%s takes %s", rows[i].pattern, rows[i].bad[k]);
        automaton_free(a);
    }
}

static void wrong_expressions_are_refused_at_their_byte(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        enum status status;
        int64_t offset;
    } rows[] = {
        {"a(b", STATUS_INVALID, 1},        {"a)b", STATUS_INVALID, 1},          {"*a", STATUS_INVALID, 0},
        {"a**", STATUS_INVALID, 2},        {"[b-a]", STATUS_INVALID, 1},        {"x[ab", STATUS_INVALID, 1},
        {"a{3,2}", STATUS_INVALID, 1},     {"a\\", STATUS_INVALID, 1},          {"(?=a)", STATUS_UNSUPPORTED, 0},
        {"(a)\\1", STATUS_UNSUPPORTED, 3}, {"\\bx", STATUS_UNSUPPORTED, 0},     {"a^b", STATUS_UNSUPPORTED, 0},
        {"\\u12", STATUS_INVALID, 4},      {"\\p{Foo}", STATUS_UNSUPPORTED, 2}, {"a{9999999}", STATUS_LIMIT, 2},
        {"\xFF", STATUS_INVALID, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct automaton *a = make();
        struct error error;
        uint32_t x;
        error_clear(&error);
        if (regex_language(a, str_of(rows[i].pattern), false, WRITING_UTF8, &x, &error) != rows[i].status ||
            error.offset != rows[i].offset)
            fail_msg("%s: %s at %d", rows[i].pattern, error.message, (int)error.offset);
        automaton_free(a);
    }
}

static void expressions_inside_strings_may_be_written_with_escapes(void **state)
{
    (void)state;
    struct automaton *a = make();
    struct error error;
    uint32_t x;
    error_clear(&error);
    support_ok(regex_language(a, str_of("^\xC3\xA9\"\\n.$"), false, WRITING_JSON, &x, &error), &error);
    assert_true(takes(a, x, "\xC3\xA9\\\"\\nx"));
    assert_true(takes(a, x, "\\u00E9\\u0022\\u000a\\ud83d\\ude00"));
    assert_false(takes(a, x, "\xC3\xA9\"\\nx"));
    assert_false(takes(a, x, "\xC3\xA9\\\"\nx"));
    assert_false(takes(a, x, "\\u00e9\\\"\\n\\ud83d"));
    automaton_free(a);
}

static void work_is_bounded(void **state)
{
    (void)state;
    struct automaton *a;
    struct error error;
    uint32_t x;
    error_clear(&error);
    support_ok(automaton_create(&a, 2000, &error), &error);
    support_ok(regex_language(a, str_of("^((a{1,100}){1,100}){1,100}$"), false, WRITING_UTF8, &x, &error), &error);
    for (int i = 0; i < 3000 && x != AUTOMATON_FAILED; i++)
        x = automaton_next(a, x, 'a');
    assert_int_equal(x, AUTOMATON_FAILED);
    assert_int_equal(automaton_status(a), STATUS_LIMIT);
    automaton_free(a);
}

static void running_out_of_memory_is_an_error_wherever_it_happens(void **state)
{
    (void)state;
    enum status status = STATUS_NO_MEMORY;
    for (uint64_t n = 1; status == STATUS_NO_MEMORY; n++) {
        struct automaton *a = NULL;
        struct error error;
        uint32_t x;
        error_clear(&error);
        mem_fail_after(n, true);
        status = automaton_create(&a, EXPRESSIONS, &error);
        if (!status)
            status = regex_language(a, str_of("^(\\w+-){2,3}[^x]$"), false, WRITING_JSON, &x, &error);
        if (!status) {
            x = automaton_both(a, x, automaton_not(a, automaton_text(a, str_of("a-b-c"))));
            status = takes(a, x, "a-b-d") ? STATUS_OK : automaton_status(a);
        }
        mem_fail_after(0, false);
        automaton_free(a);
        assert_true(status == STATUS_OK || status == STATUS_NO_MEMORY);
    }
}

/* ---- Rules --------------------------------------------------------------------------------------------------- */

static void rules_call_each_other(void **state)
{
    (void)state;
    struct automaton *a = make();
    struct error error;
    uint32_t rule = automaton_rule(a), wrong;
    uint32_t nested = automaton_join(a, automaton_text(a, str_of("(")), automaton_join(a, rule, automaton_text(a, str_of(")"))));
    automaton_define(a, rule, automaton_maybe(a, nested));
    error_clear(&error);
    support_ok(automaton_seal(a, &rule, &wrong, &error), &error);
    assert_true(takes(a, rule, ""));
    assert_true(takes(a, rule, "((()))"));
    assert_false(takes(a, rule, "(()"));
    assert_int_equal(automaton_next(a, rule, ')'), AUTOMATON_NOTHING);
    automaton_free(a);
}

static void rules_that_never_end_are_cut_and_left_recursion_is_refused(void **state)
{
    (void)state;
    struct automaton *a = make();
    struct error error;
    uint32_t rule = automaton_rule(a), endless = automaton_rule(a), wrong;
    automaton_define(a, endless, automaton_join(a, automaton_text(a, str_of("x")), endless));
    automaton_define(a, rule,
                     automaton_or(a, automaton_text(a, str_of("y")), automaton_join(a, automaton_text(a, str_of("x")), endless)));
    error_clear(&error);
    support_ok(automaton_seal(a, &rule, &wrong, &error), &error);
    assert_int_equal(automaton_next(a, rule, 'x'), AUTOMATON_NOTHING);
    assert_true(takes(a, rule, "y"));
    automaton_free(a);

    a = make();
    uint32_t root = endless = automaton_rule(a);
    automaton_define(a, endless, automaton_join(a, automaton_text(a, str_of("x")), endless));
    assert_int_equal(automaton_seal(a, &root, &wrong, &error), STATUS_INVALID);
    assert_string_equal(error.message, "no text fits it");
    automaton_free(a);

    a = make();
    root = rule = automaton_rule(a);
    automaton_define(a, rule, automaton_or(a, automaton_join(a, rule, automaton_text(a, str_of("a"))), automaton_text(a, str_of("b"))));
    assert_int_equal(automaton_seal(a, &root, &wrong, &error), STATUS_INVALID);
    assert_int_equal(wrong, rule);
    automaton_free(a);
}

static void grammars_take_what_their_root_takes(void **state)
{
    (void)state;
    static const struct {
        const char *grammar, *good[TEXTS], *bad[TEXTS];
    } rows[] = {
        {"root ::= \"a\"{5}", {"aaaaa"}, {"aaaa", "aaaaaa"}},
        {"root ::= list # with itself in front\nlist ::= list \",\" item | item\nitem ::= [a-z]+\n", {"a", "a,bc,d"}, {"", "a,"}},
        {"root ::= sum\nsum ::= sum [-+] term | term\nterm ::= [0-9]+ | \"(\" sum \")\"", {"1+2-(3+4)"}, {"1+", "(1"}},
        {"root ::=\n  \"{\" (\n    word\n    (\",\" word)*\n  )? \"}\"\nword ::= [^,{}]{1,3}", {"{}", "{abc,d}"}, {"{abcd}", "{,}"}},
        {"root ::= \"a\" |\n  \"b\"\n  | \"c\"", {"a", "b", "c"}, {"", "ab"}},
        {"root ::= \"\\u00e9\\x41\" . \"\\n\"?",
         {"\xC3\xA9"
          "Ax",
          "\xC3\xA9"
          "A\xC3\xA9\n"},
         {"\xC3\xA9"
          "A"}},
        {"root ::= \"(\" root \")\" |", {"", "(())"}, {"(()"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct automaton *a = make();
        struct error error;
        uint32_t x;
        error_clear(&error);
        support_ok(gbnf_language(a, str_of(rows[i].grammar), &x, &error), &error);
        for (int k = 0; k < TEXTS && rows[i].good[k]; k++)
            if (!takes(a, x, rows[i].good[k]))
                fail_msg("%s does not take %s", rows[i].grammar, rows[i].good[k]);
        for (int k = 0; k < TEXTS && rows[i].bad[k]; k++)
            if (takes(a, x, rows[i].bad[k]))
                fail_msg("%s takes %s", rows[i].grammar, rows[i].bad[k]);
        automaton_free(a);
    }
}

static void wrong_grammars_are_refused_at_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *grammar, *message;
        int64_t offset;
    } rows[] = {
        {"root ::= a\na ::= b \"x\"\nb ::= a \"y\" | \"z\"", "line 1: this rule begins with itself by way of others: a", 9},
        {"root ::= root", "line 1: this rule is itself and nothing more: root", 0},
        {"foo ::= \"a\"\n", "line 2: the rule root is missing", 12},
        {"\nroot ::= foo", "line 2: this rule is not defined: foo", 10},
        {"root ::= \"a\nb\"", "line 1: this literal is not closed", 9},
        {"root ::= [b-a]", "line 1: this range ends before it begins", 13},
        {"root ::= \"a\"\nroot ::= \"b\"", "line 2: this rule is there twice: root", 13},
        {"root ::= \"x\" root", "line 1: no text fits it", 0},
        {"root ::= \"a\" )", "line 1: this is no part of a rule", 13},
        {"root := \"a\"", "line 1: a rule is a name, ::= and what it takes", 0},
        {"root ::= \"a\"{3,2}", "line 1: this repeats at most less often than at least", 12},
        {"root ::= (\"a\"", "line 1: this parenthesis is not closed", 9},
        {"root ::= \"\\q\"", "line 1: this escape is not known", 11},
        {"", "line 1: the rule root is missing", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct automaton *a = make();
        struct error error;
        uint32_t x;
        error_clear(&error);
        assert_int_equal(gbnf_language(a, str_of(rows[i].grammar), &x, &error), STATUS_INVALID);
        assert_string_equal(error.message, rows[i].message);
        assert_int_equal(error.offset, rows[i].offset);
        automaton_free(a);
    }
}

/* ---- Numbers and formats ------------------------------------------------------------------------------------- */

static void numbers_keep_their_bounds(void **state)
{
    (void)state;
    static const double bounds[] = {-1500, -20.5, -1, -0.25, 0, 0.001, 0.1, 1, 9.99, 10, 99, 1000.5};
    static const char *const numbers[] = {"-1501", "-1500", "-1499.9", "-20.51", "-20.5",  "-20",    "-1.0001", "-1",  "-0.251",
                                          "-0.25", "-0.2",  "0",       "0.0009", "0.001",  "0.0010", "0.09",    "0.1", "0.10",
                                          "0.101", "0.99",  "1",       "1.01",   "9.98",   "9.99",   "9.990",   "10",  "10.1",
                                          "98",    "99",    "99.1",    "100",    "1000.5", "1001"};
    enum { N = sizeof bounds / sizeof bounds[0] };
    for (int least = 0; least < N; least++)
        for (int most = least; most < N; most++)
            for (int without = 0; without < 4; without++) {
                struct automaton *a = make();
                struct number_bounds b = {.has_least = true,
                                          .has_most = true,
                                          .least = bounds[least],
                                          .most = bounds[most],
                                          .above = without & 1,
                                          .below = without & 2};
                uint32_t x = number_language(a, &b);
                for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
                    double value = strtod(numbers[i], NULL);
                    bool fits = (b.above ? value > b.least : value >= b.least) && (b.below ? value < b.most : value <= b.most);
                    if (takes(a, x, numbers[i]) != fits)
                        fail_msg("%s in %g to %g (%d)", numbers[i], b.least, b.most, without);
                }
                automaton_free(a);
            }
}

static void multiples_are_told_by_their_digits(void **state)
{
    (void)state;
    for (uint64_t of = 1; of < 30; of++) {
        struct automaton *a = make();
        uint32_t x = number_language(a, &(struct number_bounds){.integer = true, .multiple_of = of, .has_most = true, .most = 450});
        for (int i = -500; i < 500; i++) {
            char text[16];
            snprintf(text, sizeof text, "%d", i);
            assert_int_equal(takes(a, x, text), i % (int)of == 0 && i <= 450);
        }
        automaton_free(a);
    }
}

static void formats_are_exact(void **state)
{
    (void)state;
    static const struct {
        const char *format, *good[TEXTS], *bad[TEXTS];
    } rows[] = {
        {"date", {"2024-02-29", "2000-02-29", "1999-12-31"}, {"2023-02-29", "1900-02-29", "2024-04-31", "2024-13-01"}},
        {"date-time", {"2024-01-01T10:00:00Z", "2024-01-01t10:00:00.5+02:00"}, {"2024-01-01", "2024-01-01T24:00:00Z"}},
        {"time", {"23:59:59Z"}, {"23:59", "23:60:00Z"}},
        {"duration", {"P1Y2M3DT4H5M6S", "PT1H", "P2W"}, {"P", "PT", "1D"}},
        {"email", {"a.b@c.de"}, {"a@", "@b.c", "a..b@c.d"}},
        {"hostname", {"a-b.example.com"}, {"-a", "a-.b"}},
        {"ipv4", {"192.168.0.255"}, {"192.168.0.256", "1.2.3", "01.2.3.4"}},
        {"ipv6", {"::", "::1", "1::2:3", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4"}, {"1:2:3:4:5:6:7", "a::b::c", "12345::"}},
        {"uuid", {"123e4567-e89b-12d3-a456-426614174000"}, {"123e4567-e89b-12d3-a456-42661417400"}},
        {"uri", {"https://a.b/c?d=e#f", "mailto:x@y.z", "http://[::1]:80/x"}, {"no", "a b:c", "http://[1/x"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct automaton *a = make();
        struct error error;
        uint32_t x;
        error_clear(&error);
        support_ok(regex_language(a, str_of(string_format_pattern(str_of(rows[i].format))), true, WRITING_UTF8, &x, &error), &error);
        for (int k = 0; k < TEXTS && rows[i].good[k]; k++)
            assert_true(takes(a, x, rows[i].good[k]));
        for (int k = 0; k < TEXTS && rows[i].bad[k]; k++)
            assert_false(takes(a, x, rows[i].bad[k]));
        automaton_free(a);
    }
    assert_null(string_format_pattern(str_of("regex")));
}

/* ---- Schemas ------------------------------------------------------------------------------------------------- */

static const struct {
    const char *schema, *good[TEXTS], *bad[TEXTS];
} SCHEMAS[] = {
    {"{}", {"1", "{\"a\" : [true, null]}", "\"\\u00e9\"", "-1.5e+3"}, {"01", "{a:1}", "\"\n\"", "[1,]"}},
    {"{'type':'object','properties':{'a':{'type':'integer'},'b':{'type':'string'}},'required':['b']}",
     {"{\"b\":\"x\"}", "{\"a\":1,\"b\":\"\"}", "{\"b\":\"\",\"c\":[]}", "{\n  \"a\": 1,\n  \"b\": \"\"\n}"},
     {"{\"a\":1}", "{\"b\":1}", "{\"b\":\"\",\"a\":1}", "{\"a\":1.5,\"b\":\"\"}"}},
    {"{'type':'object','properties':{'a':{}},'additionalProperties':false}", {"{}", "{\"a\":null}"}, {"{\"b\":1}", "{\"a\":1,\"b\":1}"}},
    {"{'type':'object','additionalProperties':{'type':'integer'},'minProperties':1,'maxProperties':2}",
     {"{\"x\":1}", "{\"x\":1,\"y\":2}"},
     {"{}", "{\"x\":1,\"y\":2,\"z\":3}", "{\"x\":\"\"}"}},
    {"{'type':'object','properties':{'ab':{'type':'string'}},'patternProperties':{'^a':{'minLength':2}},'additionalProperties':false}",
     {"{\"ab\":\"xy\"}", "{\"ac\":\"xy\"}", "{\"ac\":5}"},
     {"{\"ab\":\"x\"}", "{\"b\":1}", "{\"ac\":\"x\"}"}},
    {"{'type':'object','propertyNames':{'pattern':'^[a-c]+$'}}", {"{}", "{\"abc\":1}"}, {"{\"abd\":1}"}},
    {"{'dependentRequired':{'a':['b']}}", {"{}", "{\"b\":1}", "5"}, {"{\"a\":1}", "{\"a\":1,\"c\":2}"}},
    {"{'type':'array','prefixItems':[{'type':'integer'},{'type':'string'}],'items':false,'minItems':1}",
     {"[1]", "[1,\"a\"]"},
     {"[]", "[\"a\"]", "[1,\"a\",2]"}},
    {"{'type':'array','items':{'type':'boolean'},'minItems':2,'maxItems':3}",
     {"[true,false]", "[true, true, true]"},
     {"[true]", "[1,2]"}},
    {"{'type':'string','minLength':2,'maxLength':3,'pattern':'^a'}",
     {"\"ab\"", "\"a\\u00e9\"", "\"abc\""},
     {"\"a\"", "\"abcd\"", "\"bc\""}},
    {"{'enum':['a',1,null,{'x':[1,2]}]}", {"\"a\"", "1", "null", "{\"x\": [1, 2]}"}, {"\"b\"", "2", "{}"}},
    {"{'type':['string','null'],'enum':['a',1,null]}", {"\"a\"", "null"}, {"1"}},
    {"{'const':'\\u00e9'}", {"\"\xC3\xA9\"", "\"\\u00E9\""}, {"\"e\""}},
    {"{'type':'string','nullable':true}", {"\"a\"", "null"}, {"1"}},
    {"{'anyOf':[{'type':'integer'},{'type':'string'}],'maxLength':1}", {"12", "\"a\""}, {"\"ab\"", "null"}},
    {"{'oneOf':[{'type':'object','properties':{'t':{'const':'a'},'x':{'type':'integer'}},'required':['t','x']},"
     "{'type':'object','properties':{'t':{'const':'b'}},'required':['t']}]}",
     {"{\"t\":\"a\",\"x\":1}", "{\"t\":\"b\"}"},
     {"{\"t\":\"a\"}", "{\"t\":\"c\"}"}},
    {"{'allOf':[{'type':'object','properties':{'a':{'type':'number'}}},{'properties':{'a':{'minimum':3}},'required':['a']}]}",
     {"{\"a\":3}", "{\"a\":3.5,\"b\":1}"},
     {"{}", "{\"a\":2}"}},
    {"{'$ref':'#/$defs/n','$defs':{'n':{'type':'object','properties':{'next':{'$ref':'#/$defs/n'}},'additionalProperties':false}}}",
     {"{}", "{\"next\":{\"next\":{}}}"},
     {"{\"next\":1}", "{\"next\":{\"x\":1}}"}},
    {"{'type':'object','properties':{'k/~':{'$ref':'#/definitions/a~1b'}},'definitions':{'a/b':{'type':'null'}}}",
     {"{\"k/~\":null}"},
     {"{\"k/~\":1}"}},
    {"{'type':'integer','minimum':0,'exclusiveMaximum':10,'multipleOf':3}", {"0", "9"}, {"10", "12", "-3", "4"}},
    {"{'type':'number','multipleOf':0.01,'minimum':0}", {"1.25", "3"}, {"1.255", "-1"}},
    {"{'type':'string','format':'date'}", {"\"2024-02-29\""}, {"\"2023-02-29\""}},
    {"true", {"[]"}, {"]"}},
};

/* Schemas above are written with apostrophes for quotes. */
static json_t *schema_of(const char *text)
{
    char copy[1024];
    snprintf(copy, sizeof copy, "%s", text);
    for (char *c = copy; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    json_t *schema = json_loads(copy, JSON_DECODE_ANY, NULL);
    assert_non_null(schema);
    return schema;
}

static enum status language_of(struct automaton *a, const char *text, bool strict, struct buf *unenforced, uint32_t *out,
                               struct error *error)
{
    uint32_t rule;
    json_t *schema = schema_of(text);
    error_clear(error);
    enum status status = json_schema_language(a, schema, strict, unenforced, out, error);
    if (!status)
        status = automaton_seal(a, out, &rule, error);
    json_decref(schema);
    return status;
}

static void schemas_take_what_they_ask_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof SCHEMAS / sizeof SCHEMAS[0]; i++) {
        struct automaton *a = make();
        struct error error;
        struct buf unenforced;
        uint32_t x;
        buf_init(&unenforced, 1000);
        support_ok(language_of(a, SCHEMAS[i].schema, true, &unenforced, &x, &error), &error);
        for (int k = 0; k < TEXTS && SCHEMAS[i].good[k]; k++)
            if (!takes(a, x, SCHEMAS[i].good[k]))
                fail_msg("%s does not take %s", SCHEMAS[i].schema, SCHEMAS[i].good[k]);
        for (int k = 0; k < TEXTS && SCHEMAS[i].bad[k]; k++)
            if (takes(a, x, SCHEMAS[i].bad[k]))
                fail_msg("%s takes %s", SCHEMAS[i].schema, SCHEMAS[i].bad[k]);
        automaton_free(a);
    }
}

/* Whatever is written a byte at a time can be brought to an end, and is JSON then. */
static void random_walks_end_in_json(void **state)
{
    (void)state;
    unsigned n_ended = 0;
    for (size_t i = 0; i < sizeof SCHEMAS / sizeof SCHEMAS[0]; i++) {
        struct automaton *a = make();
        struct error error;
        struct buf unenforced;
        uint32_t x;
        buf_init(&unenforced, 1000);
        support_ok(language_of(a, SCHEMAS[i].schema, true, &unenforced, &x, &error), &error);
        struct rng rng = rng_seeded(i);
        for (int walk = 0; walk < 30; walk++) {
            char text[400];
            size_t n = 0;
            for (uint32_t at = x; n < sizeof text; n++) {
                if (automaton_may_end(a, at)) {
                    json_t *value = json_loadb(text, n, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
                    if (!value)
                        fail_msg("%s takes %.*s", SCHEMAS[i].schema, (int)n, text);
                    json_decref(value);
                    n_ended++;
                }
                if (!goes_on(a, at)) {
                    assert_true(automaton_may_end(a, at));
                    break;
                }
                uint8_t byte;
                do
                    byte = (uint8_t)rng_next_u32(&rng);
                while (automaton_next(a, at, byte) == AUTOMATON_NOTHING);
                text[n] = (char)byte;
                at = automaton_next(a, at, byte);
            }
        }
        automaton_free(a);
    }
    assert_true(n_ended > 200);
}

static void wrong_schemas_are_refused_with_their_path(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *path;
    } rows[] = {
        {"{'type':'hiccup'}", "#/type"},
        {"5", "#"},
        {"{'properties':{'a':{'items':5}}}", "#/properties/a/items"},
        {"{'$ref':'http://x.y/z'}", "#/$ref"},
        {"{'$ref':'#/nowhere'}", "#/$ref"},
        {"{'$ref':'#'}", "#/$ref"},
        {"{'minLength':-1}", "#/minLength"},
        {"{'pattern':'a('}", "#/pattern"},
        {"{'required':'a'}", "#/required"},
        {"{'multipleOf':0}", "#/multipleOf"},
        {"{'allOf':[7]}", "#"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct automaton *a = make();
        struct error error;
        struct buf unenforced;
        uint32_t x;
        buf_init(&unenforced, 1000);
        assert_int_equal(language_of(a, rows[i].schema, false, &unenforced, &x, &error), STATUS_INVALID);
        assert_string_equal(error.path, rows[i].path);
        buf_release(&unenforced);
        automaton_free(a);
    }
}

static void what_cannot_be_held_to_is_named_or_refused(void **state)
{
    (void)state;
    struct automaton *a = make();
    struct error error;
    struct buf unenforced;
    uint32_t x;
    const char *schema = "{'type':'object','properties':{'a':{'not':{'type':'null'}},'b':{'uniqueItems':true}}}";
    buf_init(&unenforced, 1000);
    support_ok(language_of(a, schema, false, &unenforced, &x, &error), &error);
    assert_string_equal(unenforced.at, "#/properties/a/not not\n#/properties/b/uniqueItems uniqueItems\n");
    automaton_free(a);
    a = make();
    assert_int_equal(language_of(a, "{'type':'integer','multipleOf':0.3}", true, &unenforced, &x, &error), STATUS_UNSUPPORTED);
    automaton_free(a);
    a = make();
    support_ok(language_of(a, "{'type':'integer','multipleOf':0.5}", true, &unenforced, &x, &error), &error);
    assert_true(takes(a, x, "7"));
    automaton_free(a);
    a = make();
    assert_int_equal(language_of(a, schema, true, &unenforced, &x, &error), STATUS_UNSUPPORTED);
    assert_string_equal(error.path, "#/properties/a/not");
    automaton_free(a);
    a = make();
    assert_int_equal(language_of(a, "{'type':'object','properties':{'a':{'$ref':'#'}},'required':['a']}", true, &unenforced, &x, &error),
                     STATUS_INVALID);
    assert_string_equal(error.message, "no text fits it");
    buf_release(&unenforced);
    automaton_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_take_what_they_say),
        cmocka_unit_test(wrong_expressions_are_refused_at_their_byte),
        cmocka_unit_test(expressions_inside_strings_may_be_written_with_escapes),
        cmocka_unit_test(work_is_bounded),
        cmocka_unit_test(running_out_of_memory_is_an_error_wherever_it_happens),
        cmocka_unit_test(rules_call_each_other),
        cmocka_unit_test(rules_that_never_end_are_cut_and_left_recursion_is_refused),
        cmocka_unit_test(grammars_take_what_their_root_takes),
        cmocka_unit_test(wrong_grammars_are_refused_at_their_line),
        cmocka_unit_test(numbers_keep_their_bounds),
        cmocka_unit_test(multiples_are_told_by_their_digits),
        cmocka_unit_test(formats_are_exact),
        cmocka_unit_test(schemas_take_what_they_ask_for),
        cmocka_unit_test(random_walks_end_in_json),
        cmocka_unit_test(wrong_schemas_are_refused_with_their_path),
        cmocka_unit_test(what_cannot_be_held_to_is_named_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
