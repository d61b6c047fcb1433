/* Keys from settings and file: who is admitted, what a reload changes, limits, partitions. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "server/auth.h"
#include "tests/support.h"

enum { PATH_BYTES = 512 };

static const char *dir;
static char path[PATH_BYTES];

static int setup(void **state)
{
    (void)state;
    dir = support_temp_dir();
    snprintf(path, sizeof path, "%s/keys.json", dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    support_remove_dir(dir);
    return 0;
}

static struct config *load(int argc, char **argv)
{
    static char *nothing[] = {NULL};
    struct config *config;
    struct error error;
    error_clear(&error);
    support_ok(config_load(&config, NULL, nothing, argc, argv, &error), &error);
    return config;
}

static void hash_hex(const char *key, char out[65])
{
    unsigned char hash[32];
    crypto_generichash(hash, sizeof hash, (const unsigned char *)key, strlen(key), NULL, 0);
    sodium_bin2hex(out, 65, hash, sizeof hash);
}

static void write_text(const char *text)
{
    support_write_file(path, text, strlen(text));
}

/* One row of the key file with more members, for the given key. */
static void write_row(const char *key, const char *more)
{
    char hash[65], text[1024];
    hash_hex(key, hash);
    snprintf(text, sizeof text, "[{\"id\":\"row\",\"hash\":\"%s\"%s}]", hash, more);
    write_text(text);
}

static struct auth *make(struct config *config)
{
    struct auth *auth = NULL;
    struct error error;
    error_clear(&error);
    support_ok(auth_create(&auth, config, &error), &error);
    return auth;
}

static bool admits(struct auth *auth, const char *key, uint32_t *index)
{
    return auth_check(auth, str_of(key), index);
}

static void without_keys_everyone_is_admitted(void **state)
{
    struct config *config = load(0, NULL);
    struct auth *auth = make(config);
    uint32_t index;
    (void)state;
    assert_true(auth_is_open(auth));
    assert_true(admits(auth, "", &index) && index == AUTH_NO_KEY);
    assert_true(admits(auth, "anything", &index) && index == AUTH_NO_KEY);
    assert_true(auth_enter(auth, index, 1) && auth_enter(auth, index, 1)); /* no key, no limit per key */
    auth_leave(auth, index);
    auth_leave(auth, index);
    assert_true(auth_allows_model(auth, index, str_of("any")));
    auth_free(auth);
    config_free(config);
}

static void keys_of_the_settings_are_compared_whole(void **state)
{
    char *argv[] = {"--api-key", "sk-one", "--api-key", "sk-two"};
    static const char *const wrong[] = {"", "sk-", "sk-on", "sk-one ", "sk-onee", "SK-ONE", "sk-twosk-one"};
    struct config *config = load(4, argv);
    struct auth *auth = make(config);
    uint32_t one, two, index;
    char id[AUTH_KEY_ID_MAX + 1];
    (void)state;
    assert_false(auth_is_open(auth));
    assert_true(admits(auth, "sk-one", &one));
    assert_true(admits(auth, "sk-two", &two));
    assert_int_not_equal(one, two);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(admits(auth, wrong[i], &index));
        assert_int_equal(index, AUTH_NO_KEY);
    }
    auth_key_id(auth, two, id);
    assert_string_equal(id, "key-2");
    auth_key_id(auth, AUTH_NO_KEY, id);
    assert_string_equal(id, "-");
    auth_free(auth);
    config_free(config);
}

static void a_very_long_key_is_refused_unhashed(void **state)
{
    char *argv[] = {"--api-key", "k"};
    struct config *config = load(2, argv);
    struct auth *auth = make(config);
    char big[8192];
    uint32_t index;
    (void)state;
    memset(big, 'k', sizeof big);
    assert_false(auth_check(auth, str_from(big, sizeof big), &index));
    auth_free(auth);
    config_free(config);
}

static void rows_of_the_file_have_models_limits_and_an_end(void **state)
{
    char *argv[] = {"--api-key-file", path}, more[256];
    uint32_t index;
    (void)state;
    snprintf(more, sizeof more, ",\"scope\":\"inference\",\"limits\":{\"concurrency\":2},\"models\":[\"a\",\"b/c\"],\"expires\":%lld",
             (long long)clock_unix_seconds() + 1000);
    write_row("sk-file", more);
    struct config *config = load(2, argv);
    struct auth *auth = make(config);
    assert_true(admits(auth, "sk-file", &index));
    assert_true(auth_allows_model(auth, index, str_of("a")));
    assert_true(auth_allows_model(auth, index, str_of("b/c")));
    assert_false(auth_allows_model(auth, index, str_of("b")));
    assert_false(auth_allows_model(auth, index, str_of("")));
    assert_false(auth_allows_model(auth, index, str_of("a\nb/c")));
    assert_true(auth_enter(auth, index, 1) && auth_enter(auth, index, 1)); /* the row's limit, not the default */
    assert_false(auth_enter(auth, index, 1));
    auth_leave(auth, index);
    assert_true(auth_enter(auth, index, 1));
    auth_leave(auth, index);
    auth_leave(auth, index);
    auth_free(auth);

    write_row("sk-file", ",\"expires\":1");
    auth = make(config);
    assert_false(admits(auth, "sk-file", &index));
    assert_false(auth_is_open(auth)); /* an expired key is a key */
    auth_free(auth);
    config_free(config);
}

static void the_default_limit_holds_where_a_row_sets_none(void **state)
{
    char *argv[] = {"--api-key", "k"};
    struct config *config = load(2, argv);
    struct auth *auth = make(config);
    uint32_t index;
    (void)state;
    assert_true(admits(auth, "k", &index));
    assert_true(auth_enter(auth, index, 1));
    assert_false(auth_enter(auth, index, 1));
    assert_true(auth_enter(auth, index, 0)); /* 0: none */
    auth_leave(auth, index);
    auth_leave(auth, index);
    auth_free(auth);
    config_free(config);
}

static void bad_files_are_refused_by_row_and_field(void **state)
{
    static const struct {
        const char *text, *names;
    } rows[] = {
        {"", "array"},
        {"{}", "array"},
        {"[1]", "row 0: id"},
        {"[{}]", "row 0: id"},
        {"[{\"id\":\"a b\",\"hash\":\"H\"}]", "row 0: id"},
        {"[{\"id\":\"a\"}]", "row 0: hash"},
        {"[{\"id\":\"a\",\"hash\":\"zz\"}]", "row 0: hash"},
        {"[{\"id\":\"a\",\"hash\":\"H\"},{\"id\":\"b\",\"hash\":7}]", "row 1: hash"},
        {"[{\"id\":\"a\",\"hash\":\"H\",\"scope\":\"admin\"}]", "row 0: scope"},
        {"[{\"id\":\"a\",\"hash\":\"H\",\"expires\":\"soon\"}]", "row 0: expires"},
        {"[{\"id\":\"a\",\"hash\":\"H\",\"expires\":-1}]", "row 0: expires"},
        {"[{\"id\":\"a\",\"hash\":\"H\",\"limits\":5}]", "row 0: limits"},
        {"[{\"id\":\"a\",\"hash\":\"H\",\"limits\":{\"concurrency\":0}}]", "row 0: limits.concurrency"},
        {"[{\"id\":\"a\",\"hash\":\"H\",\"models\":\"x\"}]", "row 0: models"},
        {"[{\"id\":\"a\",\"hash\":\"H\",\"models\":[\"\"]}]", "row 0: models"},
        {"[{\"id\":\"a\",\"id\":\"b\",\"hash\":\"H\"}]", "array"},
    };
    char *argv[] = {"--api-key-file", path};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf text;
        struct auth *auth = NULL;
        struct error error;
        char hash[65];
        buf_init(&text, 4096);
        hash_hex("k", hash);
        for (const char *p = rows[i].text; *p; p++)
            if (*p == 'H')
                buf_add_text(&text, hash);
            else
                buf_add_char(&text, *p);
        support_write_file(path, text.at ? text.at : "", text.len);
        struct config *config = load(2, argv);
        error_clear(&error);
        assert_int_not_equal(auth_create(&auth, config, &error), STATUS_OK);
        if (!strstr(error.message, rows[i].names))
            print_message("%s: %s\n", rows[i].text, error.message);
        assert_non_null(strstr(error.message, rows[i].names));
        assert_null(strstr(error.message, hash)); /* not even a hash is shown */
        config_free(config);
        buf_release(&text);
    }
}

static void a_reload_adds_and_revokes_and_keeps_indexes(void **state)
{
    char *argv[] = {"--api-key", "sk-fixed", "--api-key-file", path};
    uint32_t fixed, first, index;
    struct error error;
    (void)state;
    error_clear(&error);
    write_row("sk-first", "");
    struct config *config = load(4, argv);
    struct auth *auth = make(config);
    assert_true(admits(auth, "sk-fixed", &fixed) && admits(auth, "sk-first", &first));
    assert_true(auth_enter(auth, first, 1));

    write_row("sk-second", "");
    support_ok(auth_reload(auth, config, &error), &error);
    assert_false(admits(auth, "sk-first", &index));
    assert_true(admits(auth, "sk-second", &index));
    assert_true(index != first && index != fixed);
    assert_true(admits(auth, "sk-fixed", &index) && index == fixed);

    write_text("[{]");
    assert_int_not_equal(auth_reload(auth, config, &error), STATUS_OK);
    assert_true(admits(auth, "sk-second", &index)); /* as it was */
    assert_false(admits(auth, "sk-first", &index));

    write_row("sk-first", ",\"models\":[\"m\"]");
    support_ok(auth_reload(auth, config, &error), &error);
    assert_true(admits(auth, "sk-first", &index) && index == first);
    assert_false(auth_allows_model(auth, index, str_of("other")));
    assert_false(auth_enter(auth, index, 1)); /* its place from before is still taken */
    auth_leave(auth, index);
    assert_true(auth_enter(auth, index, 1));
    auth_leave(auth, index);
    auth_free(auth);
    config_free(config);
}

static void a_reload_may_close_an_open_server_but_never_open_a_closed_one(void **state)
{
    char *argv[] = {"--api-key-file", path};
    struct config *open = load(0, NULL), *closed = load(2, argv);
    struct auth *auth = make(open);
    struct error error;
    uint32_t index;
    (void)state;
    error_clear(&error);
    write_row("sk", "");
    support_ok(auth_reload(auth, closed, &error), &error);
    assert_false(auth_is_open(auth));
    assert_false(admits(auth, "other", &index));
    assert_true(admits(auth, "sk", &index));
    support_ok(auth_reload(auth, open, &error), &error);
    assert_false(auth_is_open(auth));
    assert_false(admits(auth, "sk", &index));
    auth_free(auth);
    config_free(open);
    config_free(closed);
}

static void partitions_differ_in_every_part(void **state)
{
    char *argv[] = {"--api-key", "a", "--api-key", "b"};
    struct config *config = load(4, argv);
    struct auth *auth = make(config), *other = make(config);
    const struct str empty = str_of(""), x = str_of("x"), xy = str_of("xy"), y = str_of("y");
    const uint8_t digest[2][32] = {{1}, {2}};
    const struct {
        uint32_t key;
        const struct str *user, *salt;
        unsigned digest;
    } parts[] = {
        {0, NULL, NULL, 0}, {1, NULL, NULL, 0}, {AUTH_NO_KEY, NULL, NULL, 0}, {0, &empty, NULL, 0}, {0, NULL, &empty, 0},
        {0, &x, NULL, 0},   {0, NULL, &x, 0},   {0, &x, &y, 0},               {0, &xy, NULL, 0},    {0, &xy, &empty, 0},
        {0, &y, &x, 0},     {0, NULL, NULL, 1},
    };
    enum { N = sizeof parts / sizeof parts[0] };
    uint8_t out[N][AUTH_PARTITION_BYTES], again[AUTH_PARTITION_BYTES];
    (void)state;
    for (unsigned i = 0; i < N; i++) {
        auth_partition(auth, parts[i].key, parts[i].user, parts[i].salt, digest[parts[i].digest], out[i]);
        auth_partition(auth, parts[i].key, parts[i].user, parts[i].salt, digest[parts[i].digest], again);
        assert_memory_equal(out[i], again, sizeof again);
        auth_partition(other, parts[i].key, parts[i].user, parts[i].salt, digest[parts[i].digest], again);
        assert_memory_not_equal(out[i], again, sizeof again); /* a secret of each process */
        for (unsigned k = 0; k < i; k++)
            assert_memory_not_equal(out[i], out[k], sizeof again);
    }
    assert_true(auth_tenant(auth, 0, NULL) == auth_tenant(auth, 0, NULL));
    assert_true(auth_tenant(auth, 0, NULL) != auth_tenant(auth, 1, NULL));
    assert_true(auth_tenant(auth, 0, NULL) != auth_tenant(auth, 0, &empty));
    assert_true(auth_tenant(auth, 0, &x) != auth_tenant(auth, 0, &y));
    auth_free(auth);
    auth_free(other);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_keys_everyone_is_admitted),
        cmocka_unit_test(keys_of_the_settings_are_compared_whole),
        cmocka_unit_test(a_very_long_key_is_refused_unhashed),
        cmocka_unit_test_setup_teardown(rows_of_the_file_have_models_limits_and_an_end, setup, teardown),
        cmocka_unit_test(the_default_limit_holds_where_a_row_sets_none),
        cmocka_unit_test_setup_teardown(bad_files_are_refused_by_row_and_field, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reload_adds_and_revokes_and_keeps_indexes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reload_may_close_an_open_server_but_never_open_a_closed_one, setup, teardown),
        cmocka_unit_test(partitions_differ_in_every_part),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
