/* SHA256SUMS of a model directory: whole, damaged, missing and ill-written. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/model_sums.h"
#include "tests/support.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static const char *folder;

static int make_folder(void **state)
{
    char path[512];
    (void)state;
    folder = support_temp_dir();
    snprintf(path, sizeof path, "%s/a", folder);
    support_write_file(path, "abc", 3);
    snprintf(path, sizeof path, "%s/empty", folder);
    support_write_file(path, "", 0);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    support_remove_dir(folder);
    return 0;
}

static enum status check_with(const char *sums, struct error *error)
{
    char path[512];
    error_clear(error);
    snprintf(path, sizeof path, "%s/SHA256SUMS", folder);
    support_write_file(path, sums, strlen(sums));
    return model_sums_check(folder, error);
}

static void whole_files_pass(void **state)
{
    struct error error;
    (void)state;
    error_clear(&error);
    support_ok(model_sums_check("/nonexistent", &error), &error);
    support_ok(model_sums_check(folder, &error), &error);
    support_ok(check_with(ABC "  a\n" EMPTY " *empty", &error), &error);
}

static void the_damaged_file_is_named(void **state)
{
    struct error error;
    (void)state;
    assert_int_equal(check_with(EMPTY "  empty\n" EMPTY "  a\n", &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "/a is damaged"));
    assert_non_null(strstr(error.message, ABC));
    assert_int_not_equal(check_with(ABC "  gone\n", &error), STATUS_OK);
    assert_non_null(strstr(error.message, "gone"));
}

static void lines_are_understood_or_named(void **state)
{
    static const char *const lines[] = {"x", ABC, ABC "  ", ABC " a", ABC "  ../a", "BA" ABC "  a", ABC "  /etc/passwd"};
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct error error;
        char text[512];
        snprintf(text, sizeof text, "\n%s\n", lines[i]);
        assert_int_equal(check_with(text, &error), STATUS_INVALID);
        assert_non_null(strstr(error.message, "line 2"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whole_files_pass, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(the_damaged_file_is_named, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(lines_are_understood_or_named, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
