/* Tests of the Jinja subset: value is name(arguments). */
#include "text/jinja_parts.h"

#include <utf8proc.h>

static bool is_defined(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    (void)run;
    (void)args;
    return input.kind != JINJA_UNDEFINED;
}

static bool is_undefined(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    return !is_defined(run, input, args);
}

static bool is_none(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    (void)run;
    (void)args;
    return input.kind == JINJA_NONE;
}

static bool is_string(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    (void)run;
    (void)args;
    return input.kind == JINJA_TEXT;
}

static bool is_mapping(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    (void)run;
    (void)args;
    return input.kind == JINJA_MAP;
}

static bool is_iterable(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    (void)run;
    (void)args;
    return input.kind == JINJA_TEXT || input.kind == JINJA_LIST || input.kind == JINJA_MAP || input.kind == JINJA_UNDEFINED;
}

static bool is_sequence(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    return is_iterable(run, input, args);
}

static bool is_number(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    (void)run;
    (void)args;
    return jinja_is_number(input);
}

static bool is_integer(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    (void)run;
    (void)args;
    return input.kind == JINJA_INT;
}

static bool is_float(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    (void)run;
    (void)args;
    return input.kind == JINJA_FLOAT;
}

static bool is_boolean(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    (void)run;
    (void)args;
    return input.kind == JINJA_BOOL;
}

static bool is_true(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    (void)run;
    (void)args;
    return input.kind == JINJA_BOOL && input.truth;
}

static bool is_false(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    (void)run;
    (void)args;
    return input.kind == JINJA_BOOL && !input.truth;
}

static bool is_callable(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    (void)run;
    (void)args;
    return input.kind == JINJA_FUNCTION || input.kind == JINJA_MACRO || input.kind == JINJA_METHOD;
}

/* The first argument; fails where it is missing. */
static bool operand(struct jinja_run *run, const struct jinja_args *args, struct jinja_value *out)
{
    if (args->n_positional >= 1) {
        *out = args->values[0];
        return true;
    }
    jinja_fail(run, "a test without its argument");
    return false;
}

static bool is_equal(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    struct jinja_value other;
    return operand(run, args, &other) && jinja_equal(run, input, other);
}

static bool is_unequal(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    struct jinja_value other;
    return operand(run, args, &other) && !jinja_equal(run, input, other);
}

static bool is_less(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    struct jinja_value other;
    return operand(run, args, &other) && jinja_order(run, input, other) < 0;
}

static bool is_at_most(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    struct jinja_value other;
    return operand(run, args, &other) && jinja_order(run, input, other) <= 0;
}

static bool is_greater(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    struct jinja_value other;
    return operand(run, args, &other) && jinja_order(run, input, other) > 0;
}

static bool is_at_least(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    struct jinja_value other;
    return operand(run, args, &other) && jinja_order(run, input, other) >= 0;
}

static bool is_in(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    struct jinja_value other;
    return operand(run, args, &other) && jinja_contains(run, other, input);
}

/* What is left of a number, with the sign of the divisor as in Python. */
static double remainder_by(struct jinja_run *run, struct jinja_value input, int64_t by)
{
    if (!jinja_is_number(input) || by == 0) {
        jinja_fail(run, "divisibility of %s", jinja_kind_name(input));
        return -1;
    }
    struct jinja_value left = jinja_operate(run, '%', input, jinja_int(by));
    return run->failed ? -1 : jinja_number(left);
}

static bool is_divisible(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    return remainder_by(run, input, jinja_arg_int(run, args, 0, "num", 0)) == 0;
}

static bool is_odd(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    (void)args;
    return remainder_by(run, input, 2) == 1;
}

static bool is_even(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    (void)args;
    return remainder_by(run, input, 2) == 0;
}

/* All cased characters are of the case, and there is at least one. */
static bool is_cased(struct jinja_run *run, struct jinja_value input, bool upper)
{
    struct jinja_value text = jinja_to_text(run, input);
    bool any = false;
    for (size_t i = 0; !run->failed && i < text.text->len && jinja_spend(run, 1);) {
        uint32_t code;
        i += jinja_decode(text.text, i, &code);
        if (upper ? utf8proc_islower((utf8proc_int32_t)code) : utf8proc_isupper((utf8proc_int32_t)code))
            return false;
        any |= upper ? utf8proc_isupper((utf8proc_int32_t)code) : utf8proc_islower((utf8proc_int32_t)code);
    }
    return any;
}

static bool is_upper(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    (void)args;
    return is_cased(run, input, true);
}

static bool is_lower(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    (void)args;
    return is_cased(run, input, false);
}

const struct jinja_test *jinja_test_find(struct str name)
{
    static const struct jinja_test tests[] = {
        {"boolean", is_boolean},
        {"callable", is_callable},
        {"defined", is_defined},
        {"divisibleby", is_divisible},
        {"eq", is_equal},
        {"equalto", is_equal},
        {"even", is_even},
        {"false", is_false},
        {"float", is_float},
        {"ge", is_at_least},
        {"greaterthan", is_greater},
        {"gt", is_greater},
        {"in", is_in},
        {"integer", is_integer},
        {"iterable", is_iterable},
        {"le", is_at_most},
        {"lessthan", is_less},
        {"lower", is_lower},
        {"lt", is_less},
        {"mapping", is_mapping},
        {"ne", is_unequal},
        {"none", is_none},
        {"number", is_number},
        {"odd", is_odd},
        {"sameas", is_equal},
        {"sequence", is_sequence},
        {"string", is_string},
        {"true", is_true},
        {"undefined", is_undefined},
        {"upper", is_upper},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        if (str_is(name, tests[i].name))
            return &tests[i];
    return NULL;
}
