/* Settings from every source, and what is refused. */
#include "tests/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

static enum status load(struct config **c, const char *file_text, char **environment, int argc, char **argv,
                        struct error *e)
{
    if (!file_text)
        return config_load(c, NULL, environment, argc, argv, e);
    const char *dir = support_temp_dir();
    char path[600];
    snprintf(path, sizeof path, "%s/seekd.conf", dir);
    support_write_file(path, file_text, strlen(file_text));
    enum status status = config_load(c, path, environment, argc, argv, e);
    support_remove_dir(dir);
    return status;
}

static void defaults_pass_through_the_same_parser(void **state)
{
    (void)state;
    struct config *c;
    struct error e;
    support_ok(load(&c, NULL, NULL, 0, NULL, &e), &e);
    assert_int_equal(c->port, 8000);
    assert_string_equal(c->host, "127.0.0.1");
    assert_int_equal(c->max_body_bytes, 48 << 20);
    assert_int_equal(c->header_timeout_ms, 30000);
    assert_true(c->prefix_cache);
    assert_int_equal(c->api_keys.n, 0);
    config_free(c);
}

static void flags_win_over_the_environment_and_that_over_the_file(void **state)
{
    (void)state;
    struct config *c;
    struct error e;
    char *env[] = {"SEEKD_PORT=2222", "SEEKD_MAX_N=7", "SEEKD_API_KEYS=a, b", "PORT=1111", "HOME=x", NULL};
    char *argv[] = {"--port", "3333", "--no-prefix-cache", "--queue-timeout=250ms", "--cors-origins=http://a,http://b"};
    support_ok(load(&c, "port = 4444\nmax_n = 5\n# note\nkv_memory = 2G\n", env, 5, argv, &e), &e);
    assert_int_equal(c->port, 3333);
    assert_int_equal(c->max_n, 7);
    assert_int_equal(c->kv_memory, 2ull << 30);
    assert_false(c->prefix_cache);
    assert_int_equal(c->queue_timeout_ms, 250);
    assert_int_equal(c->api_keys.n, 2);
    assert_string_equal(c->api_keys.items[1], "b");
    assert_int_equal(c->cors_origins.n, 2);
    config_free(c);
    char *repeated[] = {"--api-key", "k1", "--api-key", "k2"};
    support_ok(load(&c, NULL, env, 4, repeated, &e), &e);
    assert_int_equal(c->api_keys.n, 2); /* flags replace the environment's list */
    assert_string_equal(c->api_keys.items[0], "k1");
    config_free(c);
    char *only_port[] = {"AIP_HTTP_PORT=3333", "PORT=1111", NULL}, *sagemaker[] = {"SAGEMAKER_BIND_TO_PORT=4444", "PORT=", NULL};
    support_ok(load(&c, NULL, only_port, 0, NULL, &e), &e);
    assert_int_equal(c->port, 1111);
    config_free(c);
    support_ok(load(&c, NULL, sagemaker, 0, NULL, &e), &e);
    assert_int_equal(c->port, 4444);
    config_free(c);
}

static void a_kubernetes_service_called_seekd_does_not_disturb(void **state)
{
    (void)state;
    struct config *c;
    struct error e;
    char *env[] = {"SEEKD_PORT=tcp://10.0.0.1:80", "SEEKD_SERVICE_HOST=10.0.0.1", "SEEKD_PORT_80_TCP=x", NULL};
    support_ok(load(&c, NULL, env, 0, NULL, &e), &e);
    assert_int_equal(c->port, 8000);
    config_free(c);
}

static void what_is_wrong_is_named_with_its_source(void **state)
{
    (void)state;
    static const struct {
        const char *file, *env, *flag, *want;
    } cases[] = {
        {"prot = 1\n", NULL, NULL, "did you mean port"},
        {"port = 1\nport = 2\n", NULL, NULL, "twice"},
        {"ok\n", NULL, NULL, ":1:"},
        {"max_n = 1\nmax_n_ = 1\n", NULL, NULL, ":2:"},
        {"[section]\nport = 1\n", NULL, NULL, "sections"},
        {"port = 70000\n", NULL, NULL, "0 to 65535"},
        {NULL, "SEEKD_PORTT=1", NULL, "did you mean port"},
        {NULL, "SEEKD_NUMERICS=quick", NULL, "SEEKD_NUMERICS"},
        {NULL, NULL, "--numerics=quick", "exact|fast"},
        {NULL, NULL, "--port=1.5", "whole number"},
        {NULL, NULL, "--port=-1", "whole number"},
        {NULL, NULL, "--port=0x10", "whole number"},
        {NULL, NULL, "--port=", "whole number"},
        {NULL, NULL, "--kv-memory=5Q", "size"},
        {NULL, NULL, "--prefix-cache=maybe", "on or off"},
        {NULL, NULL, "--header-timeout=0", "seconds"},
        {NULL, NULL, "--port", "needs a value"},
        {NULL, NULL, "port", "unexpected argument"},
        {NULL, NULL, "--nope", "unknown setting"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config *c;
        struct error e;
        char *env[] = {(char *)(uintptr_t)cases[i].env, NULL}, *argv[] = {(char *)(uintptr_t)cases[i].flag};
        enum status status = load(&c, cases[i].file, env, cases[i].flag ? 1 : 0, argv, &e);
        assert_int_not_equal(status, STATUS_OK);
        if (!strstr(e.message, cases[i].want))
            fail_msg("case %zu: '%s' does not say '%s'", i, e.message, cases[i].want);
    }
}

static void secrets_are_never_printed(void **state)
{
    (void)state;
    struct config *c;
    struct error e;
    char *argv[] = {"--api-key=swordfish"};
    support_ok(load(&c, NULL, NULL, 1, argv, &e), &e);
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    config_write_effective(out, c);
    fclose(out);
    assert_null(strstr(text, "swordfish"));
    assert_non_null(strstr(text, "api_keys = (set)"));
    free(text);
    config_free(c);
}

static void every_setting_is_in_the_help_and_the_pages(void **state)
{
    (void)state;
    for (int form = CONFIG_FORM_HELP; form <= CONFIG_FORM_FILE; form++) {
        char *text;
        size_t len;
        FILE *out = open_memstream(&text, &len);
        config_write(out, (enum config_form)form);
        fclose(out);
        for (size_t i = 0; i < options_count; i++) {
            char name[80];
            snprintf(name, sizeof name, "%s%s", form == CONFIG_FORM_FILE ? "\n#" : "--", options_table[i].name);
            for (char *ch = name; form != CONFIG_FORM_FILE && *ch; ch++)
                *ch = *ch == '_' ? '-' : *ch;
            assert_int_equal(strstr(text, name) != NULL, !options_table[i].debug);
        }
        free(text);
    }
}

static void the_example_file_can_be_read_back(void **state)
{
    (void)state;
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    config_write(out, CONFIG_FORM_FILE);
    fclose(out);
    for (char *at = text; (at = strstr(at, "\n#")) != NULL; at += 2) /* uncomment the settings */
        if (at[2] >= 'a' && at[2] <= 'z')
            at[1] = ' ';
    char *line = text;
    for (size_t i = 0; text[i]; i++) /* inih takes an indented line for a continuation */
        if (!(text[i] == ' ' && i > 0 && text[i - 1] == '\n'))
            *line++ = text[i];
    *line = 0;
    struct config *c;
    struct error e;
    support_ok(load(&c, text, NULL, 0, NULL, &e), &e);
    assert_int_equal(c->max_queue, 1024);
    config_free(c);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_pass_through_the_same_parser),
        cmocka_unit_test(flags_win_over_the_environment_and_that_over_the_file),
        cmocka_unit_test(a_kubernetes_service_called_seekd_does_not_disturb),
        cmocka_unit_test(what_is_wrong_is_named_with_its_source),
        cmocka_unit_test(secrets_are_never_printed),
        cmocka_unit_test(every_setting_is_in_the_help_and_the_pages),
        cmocka_unit_test(the_example_file_can_be_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
