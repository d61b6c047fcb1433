/* The Jinja subset: origins of bytes through every operation, limits, and use from several threads. What each feature gives
 * is compared with jinja2 in tests/model/test_chat_templates.py. */
#include "tests/support.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "text/jinja.h"

/* Renders with u, c and the items of l from the caller, and f to be continued. The result lives in the arena. */
static enum status render(const char *source, struct arena *arena, const struct jinja_text **text, struct error *error)
{
    struct jinja *jinja;
    struct jinja_heap heap;
    jinja_heap_init(&heap, arena);
    enum status status = jinja_parse(&jinja, str_of(source), error);
    if (status)
        return status;
    struct jinja_value variables = jinja_map(&heap, 4), list = jinja_list(&heap, 2);
    if (heap.failed) {
        jinja_free(jinja);
        return heap.failed;
    }
    jinja_map_put(&heap, variables.map, "u", jinja_text(&heap, str_of("User"), JINJA_CALLER));
    jinja_map_put(&heap, variables.map, "c", jinja_text(&heap, str_of(" \"b\" Aé\n"), JINJA_CALLER));
    jinja_map_put(&heap, variables.map, "f", jinja_text(&heap, str_of("final"), JINJA_CONTINUED));
    jinja_list_add(&heap, list.list, jinja_text(&heap, str_of("q"), JINJA_CALLER));
    jinja_list_add(&heap, list.list, jinja_text(&heap, str_of("p"), JINJA_CALLER));
    jinja_map_put(&heap, variables.map, "l", list);
    status = heap.failed ? heap.failed : jinja_render(jinja, &heap, variables, "2026-01-02", text, error);
    jinja_free(jinja);
    return status;
}

/* The text with each run in the brackets of its origin: plain, [caller], {continued}. */
static void expect(const char *source, const char *marked)
{
    struct arena arena;
    struct error error = {0};
    const struct jinja_text *text = NULL;
    char out[4096] = "";
    size_t n = 0, start = 0;
    arena_init(&arena, 64 << 20);
    support_ok(render(source, &arena, &text, &error), &error);
    for (uint32_t i = 0; i < (text->parts ? text->n_parts : 1); i++) {
        static const char *const open[] = {"", "[", "{"}, *const close[] = {"", "]", "}"};
        size_t end = text->parts ? text->parts[i].end : text->len;
        enum jinja_origin origin = text->parts ? text->parts[i].origin : text->origin;
        n += (size_t)snprintf(out + n, sizeof out - n, "%s%.*s%s", open[origin], (int)(end - start), text->at + start, close[origin]);
        start = end;
    }
    assert_string_equal(out, marked);
    arena_release(&arena);
}

static void bytes_keep_their_origin_through_every_operation(void **state)
{
    (void)state;
    expect("a{{ u }}b", "a[User]b");
    expect("{{ 'a' + u + 'b' + f }}", "a[User]b{final}");
    expect("{{ 'a' ~ u ~ 1 }}", "a[User]1");
    expect("{{ ('<' + u + '>')[0:3] }}", "<[Us]");
    expect("{{ ('<' + u + '>')[::-1] }}", ">[resU]<");
    expect("{{ ('<' + u + '>')[1] }}", "[U]");
    expect("{{ ('<' + u + '>')|upper }}", "<[USER]>");
    expect("{{ (u + '<x>')|title }}", "[User]<X>");
    expect("{{ ('  ' + u + ' ')|trim }}", "[User]");
    expect("{{ ('a' + u).replace('s', '#') }}", "a[U]#[er]");
    expect("{{ 'a#b'.replace('#', u) }}", "a[User]b");
    expect("{{ ('1,' + u + ',2').split(',')|join('-') }}", "1-[User]-2");
    expect("{{ (u + '\n' + u)|indent(2) }}", "[User]\n  [User]");
    expect("{{ c|tojson }}", "[\" \\\"b\\\" Aé\\n\"]");
    expect("{{ {'k': u}|tojson }}", "[{\"]k[\": \"User\"}]");
    expect("{{ [u, 'x'] }}", "[['User', ']x[']]");
    expect("{{ l|join(':') }}{{ l|sort|first }}{{ l|map('upper')|list|last }}", "[q]:[ppP]");
    expect("{% set x %}<{{ u }}>{% endset %}{{ x }}{{ x|length }}", "<[User]>6");
    expect("{% macro m(a) %}({{ a }}){% endmacro %}{{ m(u) + m('t') }}", "([User])(t)");
    expect("{% set n = namespace(t='') %}{% for x in l %}{% set n.t = n.t + x + ';' %}{% endfor %}{{ n.t }}", "[q];[p];");
    expect("{{ (u|list)|join }}{{ u.partition('s')|join('|') }}", "[UserU]|[s]|[er]");
    expect("{{ u.center is defined }}{{ u == 'User' }}{{ 'x' if u in ['User'] }}", "FalseTruex");
    expect("{{ c|e }}", "[ &#34;b&#34; Aé\n]");
}

static void strings_that_share_their_start_do_not_disturb_each_other(void **state)
{
    (void)state;
    expect("{% set a = 'x' + 'y' %}{% set b = a + '1' %}{% set d = a + '2' %}{% set e = b + '3' %}{{ a }} {{ b }} {{ d }} {{ e }}",
           "xy xy1 xy2 xy13");
}

static void expect_error(const char *source, enum status status, const char *message)
{
    struct arena arena;
    struct error error = {0};
    const struct jinja_text *text;
    arena_init(&arena, JINJA_HEAP_BYTES_MAX);
    assert_int_equal(render(source, &arena, &text, &error), status);
    if (!strstr(error.message, message))
        fail_msg("\"%s\" is not in \"%s\"", message, error.message);
    arena_release(&arena);
}

static void errors_say_the_line_and_what_is_wrong(void **state)
{
    (void)state;
    expect_error("a\n{{ nothing.x }}", STATUS_INVALID, "line 2: 'x' of an undefined value");
    expect_error("\n\n{% if u %}", STATUS_INVALID, "line 3: a block does not end");
    expect_error("{{ u|wrong }}", STATUS_INVALID, "line 1: an unknown filter near wrong");
    expect_error("{{ nothing() }}", STATUS_INVALID, "'nothing' is undefined");
    expect_error("{{ u + 1 }}", STATUS_INVALID, "+ between a string and an integer");
    expect_error("{% include 'x' %}", STATUS_INVALID, "an unknown or unsupported tag near include");
    expect_error("{{ l.append(1) }}", STATUS_INVALID, "a list cannot be changed");
    expect_error("{{ raise_exception('no ' + u) }}", STATUS_INVALID, "line 1: no User");
    expect_error("{# open", STATUS_INVALID, "a comment does not end");
    expect_error("{{ 'open", STATUS_INVALID, "a string does not end");
}

static void every_bound_is_kept(void **state)
{
    (void)state;
    expect_error("{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}{% endfor %}{% endfor %}{% endfor %}",
                 STATUS_INVALID, "more than 1000000 steps");
    expect_error("{{ 'a' * 17000000 }}", STATUS_INVALID, "a repetition is too long");
    expect_error("{% set x = 'a' * 9000000 %}{{ x }}{{ x }}", STATUS_INVALID, "a string is longer");
    expect_error("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", STATUS_INVALID, "nested too deeply");
    expect_error("{% for i in range(100001) %}{% endfor %}", STATUS_INVALID, "range: more than 100000 items");
    expect_error("{{ strftime_now('%9d') }}", STATUS_INVALID, "strftime_now");
    expect_error("{{ 9223372036854775807 + 1 }}", STATUS_INVALID, "an integer is too large");
    char deep[2000], *at = deep;
    for (int i = 0; i < JINJA_DEPTH_MAX + 1; i++)
        at += snprintf(at, (size_t)(deep + sizeof deep - at), "{%% if u %%}");
    expect_error(deep, STATUS_INVALID, "nested too deeply");
    snprintf(deep, sizeof deep, "{{ %.*s1%.*s }}", JINJA_DEPTH_MAX + 1,
             "((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((", JINJA_DEPTH_MAX + 1,
             "))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))");
    expect_error(deep, STATUS_INVALID, "nested too deeply");
    struct error error = {0};
    struct jinja *jinja;
    char *long_source = mem_zalloc(JINJA_SOURCE_BYTES_MAX + 2);
    memset(long_source, 'a', JINJA_SOURCE_BYTES_MAX + 1);
    assert_int_equal(jinja_parse(&jinja, str_from(long_source, JINJA_SOURCE_BYTES_MAX + 1), &error), STATUS_LIMIT);
    assert_null(jinja);
    mem_free(long_source);
}

static void long_chains_need_no_stack(void **state)
{
    (void)state;
    enum { N = 20000 };
    struct buf source;
    struct arena arena;
    struct error error = {0};
    const struct jinja_text *text;
    buf_init(&source, 64 * N);
    buf_add_text(&source, "{{ ''");
    for (int i = 0; i < N; i++)
        buf_add_text(&source, i % 2 ? " + 'a'" : " + ('b'|upper)");
    buf_add_text(&source, " }}");
    arena_init(&arena, 64 << 20);
    support_ok(render(source.at, &arena, &text, &error), &error);
    assert_int_equal(text->len, N);
    arena_release(&arena);
    buf_release(&source);
}

static void adding_to_a_string_in_a_loop_is_linear(void **state)
{
    (void)state;
    struct arena arena;
    struct error error = {0};
    const struct jinja_text *text;
    arena_init(&arena, 64 << 20); /* copying the string each time would need 12 GB */
    support_ok(
        render("{% set n = namespace(t='') %}{% for i in range(50000) %}{% set n.t = n.t + 'xxxxxxxxxx' %}{% endfor %}{{ n.t|length }}",
               &arena, &text, &error),
        &error);
    assert_memory_equal(text->at, "500000", 6);
    arena_release(&arena);
}

static void failed_allocations_are_reported(void **state)
{
    (void)state;
    static const char source[] = "{% macro m(a) %}{{ a|upper }}{% endmacro %}{% for x in l %}{{ m(x) ~ {'k': [x, 1.5]}|tojson }}{% "
                                 "endfor %}{{ (u + 'x' * 9000).split('x')|length }}";
    bool done = false;
    for (uint64_t n = 1; n < 300 && !done; n++) {
        struct arena arena;
        struct error error = {0};
        const struct jinja_text *text;
        arena_init(&arena, 64 << 20);
        mem_fail_after(n, true);
        done = render(source, &arena, &text, &error) == STATUS_OK;
        mem_fail_after(0, false);
        arena_release(&arena);
    }
    assert_true(done);
}

/* ---- Threads ------------------------------------------------------------------------------------------------------------ */

static void *render_often(void *arg)
{
    const struct jinja *jinja = arg;
    for (int i = 0; i < 200; i++) {
        struct arena arena;
        struct jinja_heap heap;
        struct error error = {0};
        const struct jinja_text *text = NULL;
        arena_init(&arena, 8 << 20);
        jinja_heap_init(&heap, &arena);
        struct jinja_value variables = jinja_map(&heap, 1);
        jinja_map_put(&heap, variables.map, "n", jinja_int(i));
        bool good = jinja_render(jinja, &heap, variables, NULL, &text, &error) == STATUS_OK;
        char want[64];
        int len = snprintf(want, sizeof want, "0123:%d.", i);
        good = good && text->len == (size_t)len && memcmp(text->at, want, text->len) == 0;
        arena_release(&arena);
        if (!good)
            return NULL;
    }
    return arg;
}

static void one_template_serves_several_threads(void **state)
{
    (void)state;
    enum { N = 4 };
    pthread_t threads[N];
    struct error error = {0};
    struct jinja *jinja;
    support_ok(
        jinja_parse(&jinja,
                    str_of("{% macro m(a) %}{{ a }}{% endmacro %}{% for i in range(4) %}{{ m(i) }}{% endfor %}{{ ':' ~ n ~ '.' }}"),
                    &error),
        &error);
    for (int i = 0; i < N; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, render_often, jinja), 0);
    for (int i = 0; i < N; i++) {
        void *good;
        pthread_join(threads[i], &good);
        assert_non_null(good);
    }
    jinja_free(jinja);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_keep_their_origin_through_every_operation),
        cmocka_unit_test(strings_that_share_their_start_do_not_disturb_each_other),
        cmocka_unit_test(errors_say_the_line_and_what_is_wrong),
        cmocka_unit_test(every_bound_is_kept),
        cmocka_unit_test(long_chains_need_no_stack),
        cmocka_unit_test(adding_to_a_string_in_a_loop_is_linear),
        cmocka_unit_test(failed_allocations_are_reported),
        cmocka_unit_test(one_template_serves_several_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
