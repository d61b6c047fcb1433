/* A bound is compared digit by digit: a number is above it when it is longer, or when it has a larger digit behind an equal beginning. */
#include "text/number_language.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUN_MAX = 40 };      /* digits in a row where any number of them would do: a model that repeats itself must come to an end */
enum { DIGITS_MAX = 1100 }; /* of a double written out: 309 before the point or 1,075 behind it */

/* A magnitude in decimal digits without sign, point and needless zeros ("0" has whole "0"). */
struct decimal {
    char digits[DIGITS_MAX];
    struct str whole, fraction;
};

/* ---- Decimals ------------------------------------------------------------------------------------------------ */

/* The shortest digits that read back as x, which is not negative and finite. */
static void to_decimal(double x, struct decimal *out)
{
    char text[64];
    for (int digits = 0; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*e", digits, x);
        if (strtod(text, NULL) == x)
            break;
    }
    char *e = strchr(text, 'e');
    int exponent = (int)strtol(e + 1, NULL, 10), n = 0, point;
    char *at = out->digits;
    for (int i = exponent; i < 0; i++)
        at[n++] = '0';
    for (const char *c = text; c < e; c++)
        if (*c != '.')
            at[n++] = *c;
    point = exponent < 0 ? 1 : exponent + 1;
    while (n < point)
        at[n++] = '0';
    while (n > point && at[n - 1] == '0')
        n--;
    out->whole = str_from(at, (size_t)point);
    out->fraction = str_from(at + point, (size_t)(n - point));
}

/* ---- Digits -------------------------------------------------------------------------------------------------- */

static uint32_t digit(struct automaton *a, int first, int last)
{
    struct byte_set set = {{0}};
    if (first <= last)
        byte_set_add(&set, (unsigned)first, (unsigned)last);
    return automaton_bytes(a, &set);
}

static uint32_t digits(struct automaton *a, uint32_t least, uint32_t most)
{
    return automaton_repeat(a, digit(a, '0', '9'), least, most);
}

static uint32_t any_digits(struct automaton *a)
{
    return digits(a, 0, RUN_MAX);
}

static uint32_t any_whole(struct automaton *a)
{
    return automaton_or(a, automaton_text(a, str_of("0")), automaton_join(a, digit(a, '1', '9'), any_digits(a)));
}

static uint32_t point(struct automaton *a, uint32_t fraction)
{
    return automaton_join(a, automaton_text(a, str_of(".")), fraction);
}

static uint32_t any_fraction(struct automaton *a)
{
    return automaton_maybe(a, point(a, digits(a, 1, RUN_MAX)));
}

/* As many digits as d has, the number above or below d. */
static uint32_t differing(struct automaton *a, struct str d, bool above)
{
    uint32_t out = AUTOMATON_NOTHING;
    for (size_t i = d.len; i-- > 0;) {
        int lowest = i == 0 && d.len > 1 ? '1' : '0';
        uint32_t here = above ? digit(a, d.at[i] + 1, '9') : digit(a, lowest, d.at[i] - 1);
        uint32_t tail = digits(a, (uint32_t)(d.len - i - 1), (uint32_t)(d.len - i - 1));
        out = automaton_or(a, automaton_join(a, here, tail), automaton_join(a, digit(a, d.at[i], d.at[i]), out));
    }
    return out;
}

/* ---- Magnitudes ---------------------------------------------------------------------------------------------- */

/* The digits of a fraction that is at least d; d has no zeros at its end. At least one digit is written. */
static uint32_t fraction_from(struct automaton *a, struct str d, bool above)
{
    uint32_t zeros = automaton_repeat(a, digit(a, '0', '0'), 0, RUN_MAX);
    uint32_t out = above ? automaton_join(a, zeros, automaton_join(a, digit(a, '1', '9'), any_digits(a))) : any_digits(a);
    for (size_t i = d.len; i-- > 0;)
        out = automaton_or(a, automaton_join(a, digit(a, d.at[i] + 1, '9'), any_digits(a)),
                           automaton_join(a, digit(a, d.at[i], d.at[i]), out));
    return out;
}

/* The digits, maybe none, of a fraction that is at most d. */
static uint32_t fraction_up_to(struct automaton *a, struct str d, bool below)
{
    uint32_t zeros = automaton_repeat(a, digit(a, '0', '0'), 0, RUN_MAX);
    uint32_t out = below ? AUTOMATON_NOTHING : zeros;
    for (size_t i = d.len; i-- > 0;) {
        uint32_t here = automaton_or(a, automaton_join(a, digit(a, '0', d.at[i] - 1), any_digits(a)),
                                     automaton_join(a, digit(a, d.at[i], d.at[i]), out));
        out = automaton_or(a, AUTOMATON_END, here);
    }
    return out;
}

/* At least one digit of x. */
static uint32_t some(struct automaton *a, uint32_t x)
{
    return automaton_both(a, x, digits(a, 1, DIGITS_MAX));
}

static uint32_t magnitude_from(struct automaton *a, const struct decimal *d, bool above)
{
    uint32_t length = (uint32_t)d->whole.len,
             longer = automaton_join(a, digit(a, '1', '9'), digits(a, length, length > RUN_MAX ? length : RUN_MAX));
    uint32_t larger = automaton_join(a, automaton_or(a, longer, differing(a, d->whole, true)), any_fraction(a));
    uint32_t fraction = point(a, some(a, fraction_from(a, d->fraction, above)));
    if (!d->fraction.len && !above)
        fraction = automaton_maybe(a, fraction);
    return automaton_or(a, larger, automaton_join(a, automaton_text(a, d->whole), fraction));
}

static uint32_t magnitude_up_to(struct automaton *a, const struct decimal *d, bool below)
{
    uint32_t shorter = AUTOMATON_NOTHING;
    if (d->whole.len > 1)
        shorter = automaton_or(a, automaton_text(a, str_of("0")),
                               automaton_join(a, digit(a, '1', '9'), digits(a, 0, (uint32_t)d->whole.len - 2)));
    uint32_t smaller = automaton_join(a, automaton_or(a, shorter, differing(a, d->whole, false)), any_fraction(a));
    uint32_t fraction = fraction_up_to(a, d->fraction, below);
    uint32_t tail = point(a, some(a, fraction));
    if (automaton_may_end(a, fraction))
        tail = automaton_maybe(a, tail);
    return automaton_or(a, smaller, automaton_join(a, automaton_text(a, d->whole), tail));
}

static uint32_t any_magnitude(struct automaton *a)
{
    return automaton_join(a, any_whole(a), any_fraction(a));
}

/* ---- Bounds -------------------------------------------------------------------------------------------------- */

static uint32_t negative(struct automaton *a, uint32_t magnitude)
{
    return automaton_join(a, automaton_text(a, str_of("-")), magnitude);
}

/* Numbers from `bound` on; `above`: without it. */
static uint32_t from(struct automaton *a, double bound, bool above)
{
    struct decimal d;
    to_decimal(fabs(bound), &d);
    if (bound < 0)
        return automaton_or(a, any_magnitude(a), negative(a, magnitude_up_to(a, &d, above)));
    return magnitude_from(a, &d, above);
}

static uint32_t up_to(struct automaton *a, double bound, bool below)
{
    struct decimal d;
    to_decimal(fabs(bound), &d);
    if (bound < 0)
        return negative(a, magnitude_from(a, &d, below));
    uint32_t zero = automaton_or(a, magnitude_up_to(a, &d, below), negative(a, any_magnitude(a)));
    if (bound == 0 && below) /* -0 is not below 0 */
        return negative(a, magnitude_from(a, &d, true));
    return zero;
}

/* Up to 299: what is far from the largest double can be read by everybody. */
static uint32_t exponent(struct automaton *a)
{
    struct byte_set e = {{0}}, sign = {{0}};
    byte_set_add(&e, 'e', 'e');
    byte_set_add(&e, 'E', 'E');
    byte_set_add(&sign, '+', '+');
    byte_set_add(&sign, '-', '-');
    uint32_t size = automaton_join(a, automaton_maybe(a, digit(a, '0', '2')), digits(a, 1, 2));
    return automaton_join(a, automaton_bytes(a, &e), automaton_join(a, automaton_maybe(a, automaton_bytes(a, &sign)), size));
}

static uint32_t multiples(struct automaton *a, uint32_t of)
{
    uint32_t out = automaton_text(a, str_of("0"));
    for (int d = '1'; d <= '9'; d++)
        out = automaton_or(a, out, automaton_join(a, digit(a, d, d), automaton_multiple(a, of, (uint32_t)(d - '0') % of)));
    return automaton_both(a, out, digits(a, 1, RUN_MAX));
}

uint32_t number_language(struct automaton *a, const struct number_bounds *b)
{
    uint32_t minus = automaton_maybe(a, automaton_text(a, str_of("-")));
    uint32_t out = automaton_join(a, minus, b->integer || b->multiple_of ? any_whole(a) : any_magnitude(a));
    if (b->multiple_of > 1)
        out = automaton_join(a, minus, multiples(a, (uint32_t)b->multiple_of));
    if (b->has_least)
        out = automaton_both(a, out, from(a, b->least, b->above));
    if (b->has_most)
        out = automaton_both(a, out, up_to(a, b->most, b->below));
    if (!b->integer && !b->multiple_of && !b->has_least && !b->has_most)
        out = automaton_join(a, out, automaton_maybe(a, exponent(a)));
    return out;
}
