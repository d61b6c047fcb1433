/* Accounts of tenants. */
#include "engine/tenants.h"
#include "tests/support.h"

static struct tenants *make(uint32_t max_open)
{
    struct tenants *t;
    struct error error;
    support_ok(tenants_create(&t, max_open, &error), &error);
    return t;
}

static void an_account_rises_by_what_it_is_charged(void **state)
{
    struct tenants *t = make(4);
    uint32_t a = tenants_open(t, 10), b = tenants_open(t, 20);
    (void)state;
    assert_int_not_equal(a, b);
    assert_int_equal(tenants_open(t, 10), a);
    tenants_charge(t, a, 5);
    tenants_charge(t, a, 6);
    assert_int_equal(tenants_served(t, a), 11);
    assert_int_equal(tenants_served(t, b), 0);
    tenants_free(t);
}

static void who_comes_late_starts_level_with_the_least_served(void **state)
{
    struct tenants *t = make(4);
    uint32_t a = tenants_open(t, 1), b = tenants_open(t, 2);
    (void)state;
    tenants_charge(t, a, 100);
    tenants_charge(t, b, 70);
    uint32_t c = tenants_open(t, 3);
    assert_int_equal(tenants_served(t, c), 70);
    tenants_free(t);
}

static void time_away_earns_no_credit_and_work_alone_is_no_debt(void **state)
{
    struct tenants *t = make(4);
    uint32_t a = tenants_open(t, 1);
    (void)state;
    tenants_charge(t, a, 10);
    tenants_close(t, a);
    uint32_t b = tenants_open(t, 2);
    assert_int_equal(tenants_served(t, b), 10);
    tenants_charge(t, b, 1000);
    tenants_close(t, b);
    a = tenants_open(t, 1); /* nobody is there: it starts where the clock stands */
    assert_int_equal(tenants_served(t, a), 1010);
    b = tenants_open(t, 2);
    assert_int_equal(tenants_served(t, b), 1010);
    tenants_free(t);
}

static void leaving_for_a_moment_clears_no_debt(void **state)
{
    struct tenants *t = make(4);
    uint32_t a = tenants_open(t, 1), b = tenants_open(t, 2);
    (void)state;
    tenants_charge(t, a, 500);
    tenants_charge(t, b, 100);
    tenants_close(t, a);
    a = tenants_open(t, 1);
    assert_int_equal(tenants_served(t, a), 500);
    tenants_free(t);
}

static void rows_of_absent_tenants_are_used_again(void **state)
{
    struct tenants *t = make(3);
    uint32_t kept = tenants_open(t, 1);
    (void)state;
    tenants_charge(t, kept, 7);
    for (uint64_t id = 2; id < 100; id++)
        tenants_close(t, tenants_open(t, id));
    assert_int_equal(tenants_open(t, 1), kept);
    assert_int_equal(tenants_served(t, kept), 7);
    tenants_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_rises_by_what_it_is_charged),
        cmocka_unit_test(who_comes_late_starts_level_with_the_least_served),
        cmocka_unit_test(time_away_earns_no_credit_and_work_alone_is_no_debt),
        cmocka_unit_test(leaving_for_a_moment_clears_no_debt),
        cmocka_unit_test(rows_of_absent_tenants_are_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
