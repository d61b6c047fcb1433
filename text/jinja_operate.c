/* Operators of the Jinja subset: arithmetic, joining, comparing, membership. Integers that do not fit are an error. */
#include "text/jinja_parts.h"

#include <math.h>

/* Lists that operators make. */
enum { LIST_ITEMS_MAX = 100000 };

static struct jinja_value repeat(struct jinja_run *run, struct jinja_value of, int64_t times)
{
    size_t unit = of.kind == JINJA_TEXT ? of.text->len : of.list->n;
    size_t limit = of.kind == JINJA_TEXT ? JINJA_OUTPUT_BYTES_MAX : LIST_ITEMS_MAX;
    if (times < 0 || unit == 0)
        times = 0;
    if (times && unit > limit / (size_t)times)
        return jinja_fail(run, "a repetition is too long");
    struct jinja_builder builder = {0};
    struct jinja_value out = jinja_list(run->heap, 8);
    for (int64_t i = 0; i < times && jinja_spend(run, of.kind == JINJA_LIST || (i & 63) == 0) && !run->heap->failed; i++)
        for (uint32_t k = 0; k < (of.kind == JINJA_TEXT ? 1 : of.list->n); k++) {
            if (of.kind == JINJA_TEXT)
                jinja_build_text(run, &builder, of.text);
            else
                jinja_list_add(run->heap, out.list, of.list->items[k]);
        }
    return of.kind == JINJA_TEXT ? jinja_built(run, &builder) : out;
}

static struct jinja_value add_lists(struct jinja_run *run, const struct jinja_list *a, const struct jinja_list *b)
{
    if (a->n + b->n > LIST_ITEMS_MAX)
        return jinja_fail(run, "a list is longer than %d items", LIST_ITEMS_MAX);
    struct jinja_value out = jinja_list(run->heap, a->n + b->n);
    if (run->heap->failed || !jinja_spend(run, (a->n + b->n) / 8))
        return jinja_fail(run, "out of memory");
    for (uint32_t i = 0; i < a->n; i++)
        jinja_list_add(run->heap, out.list, a->items[i]);
    for (uint32_t i = 0; i < b->n; i++)
        jinja_list_add(run->heap, out.list, b->items[i]);
    out.list->is_tuple = a->is_tuple;
    return out;
}

static struct jinja_value integer_operation(struct jinja_run *run, int op, int64_t a, int64_t b)
{
    int64_t out;
    if ((op == '%' || op == JINJA_OP2('/', '/')) && b == 0)
        return jinja_fail(run, "a division by zero");
    if (b == -1 && op == '%')
        return jinja_int(0);
    if (op == JINJA_OP2('/', '/') && !(a == INT64_MIN && b == -1))
        return jinja_int(a / b - (a % b != 0 && (a < 0) != (b < 0)));
    if (op == '%')
        return jinja_int(a % b + (a % b != 0 && (a < 0) != (b < 0) ? b : 0));
    if (op == '+'   ? __builtin_add_overflow(a, b, &out)
        : op == '-' ? __builtin_sub_overflow(a, b, &out)
        : op == '*' ? __builtin_mul_overflow(a, b, &out)
                    : true)
        return jinja_fail(run, "an integer is too large");
    return jinja_int(out);
}

static struct jinja_value power(struct jinja_run *run, struct jinja_value a, struct jinja_value b)
{
    if (a.kind == JINJA_FLOAT || b.kind == JINJA_FLOAT || jinja_number(b) < 0)
        return jinja_float(pow(jinja_number(a), jinja_number(b)));
    int64_t out = 1, base = (int64_t)jinja_number(a), left = (int64_t)jinja_number(b);
    if (left > 64 && base != 0 && base != 1 && base != -1)
        return jinja_fail(run, "an integer is too large");
    if (left > 64)
        left = 2 + (left & 1);
    while (left-- > 0)
        if (__builtin_mul_overflow(out, base, &out))
            return jinja_fail(run, "an integer is too large");
    return jinja_int(out);
}

static struct jinja_value number_operation(struct jinja_run *run, int op, struct jinja_value a, struct jinja_value b)
{
    double x = jinja_number(a), y = jinja_number(b);
    if (op == JINJA_OP2('*', '*'))
        return power(run, a, b);
    if (op != '/' && a.kind != JINJA_FLOAT && b.kind != JINJA_FLOAT)
        return integer_operation(run, op, a.kind == JINJA_BOOL ? a.truth : a.integer, b.kind == JINJA_BOOL ? b.truth : b.integer);
    if ((op == '/' || op == '%' || op == JINJA_OP2('/', '/')) && y == 0)
        return jinja_fail(run, "a division by zero");
    switch (op) {
    case '+':
        return jinja_float(x + y);
    case '-':
        return jinja_float(x - y);
    case '*':
        return jinja_float(x * y);
    case '/':
        return jinja_float(x / y);
    case '%':
        return jinja_float(x - floor(x / y) * y);
    default:
        return jinja_float(floor(x / y));
    }
}

static bool is_textual(struct jinja_value value)
{
    return value.kind == JINJA_TEXT || (value.kind == JINJA_MAP && value.map->source);
}

static bool is_repeatable(struct jinja_value value)
{
    return value.kind == JINJA_TEXT || value.kind == JINJA_LIST;
}

static bool is_whole(struct jinja_value value)
{
    return value.kind == JINJA_INT || value.kind == JINJA_BOOL;
}

struct jinja_value jinja_operate(struct jinja_run *run, int op, struct jinja_value a, struct jinja_value b)
{
    if (jinja_is_number(a) && jinja_is_number(b))
        return number_operation(run, op, a, b);
    if (op == '+' && is_textual(a) && is_textual(b))
        return jinja_join_texts(run, jinja_to_text(run, a), jinja_to_text(run, b));
    if (op == '+' && a.kind == JINJA_LIST && b.kind == JINJA_LIST)
        return add_lists(run, a.list, b.list);
    if (op == '*' && is_repeatable(a) && is_whole(b))
        return repeat(run, a, b.kind == JINJA_INT ? b.integer : b.truth);
    if (op == '*' && is_whole(a) && is_repeatable(b))
        return repeat(run, b, a.kind == JINJA_INT ? a.integer : a.truth);
    char name[3] = {(char)(op > 255 ? op >> 8 : op), (char)(op > 255 ? op & 255 : 0), 0};
    return jinja_fail(run, "%s between %s and %s", name, jinja_kind_name(a), jinja_kind_name(b));
}

bool jinja_contains(struct jinja_run *run, struct jinja_value in, struct jinja_value what)
{
    if (in.kind == JINJA_TEXT) {
        if (what.kind != JINJA_TEXT) {
            jinja_fail(run, "'in' a string looks for strings, not %s", jinja_kind_name(what));
            return false;
        }
        return jinja_spend(run, in.text->len / 1024) && str_find(jinja_str(in), jinja_str(what)) >= 0;
    }
    struct jinja_value value;
    if (in.kind == JINJA_MAP && what.kind == JINJA_TEXT)
        return jinja_spend(run, in.map->n / 16) && jinja_find(in.map, jinja_str(what), &value);
    struct jinja_list *list = jinja_iterate(run, in);
    for (uint32_t i = 0; list && i < list->n && !run->failed; i++)
        if (jinja_equal(run, list->items[i], what))
            return true;
    return false;
}

bool jinja_compare(struct jinja_run *run, int op, struct jinja_value a, struct jinja_value b)
{
    switch (op) {
    case JINJA_OP2('=', '='):
        return jinja_equal(run, a, b);
    case JINJA_OP2('!', '='):
        return !jinja_equal(run, a, b);
    case '<':
        return jinja_order(run, a, b) < 0;
    case '>':
        return jinja_order(run, a, b) > 0;
    case JINJA_OP2('<', '='):
        return jinja_order(run, a, b) <= 0;
    case JINJA_OP2('>', '='):
        return jinja_order(run, a, b) >= 0;
    case 'i':
        return jinja_contains(run, b, a);
    default:
        return !jinja_contains(run, b, a);
    }
}
