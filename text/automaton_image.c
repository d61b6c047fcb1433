/* Words of 32 bits, little endian: version, number of expressions, of rules, root; the expressions, each its kind and its fields; the
 * rules' bodies. Expressions 0 and 1 are NOTHING and END and stand for themselves, the first of the list is 2. Sets of bytes come first:
 * classes of bytes are then whole before anything is derived. Reading goes through the constructors. */
#include "text/automaton_image.h"

#include <string.h>

#include "base/mem.h"
#include "base/reader.h"
#include "text/automaton_parts.h"

enum { IMAGE_VERSION = 1, FIRST = 2, SET_WORDS = sizeof(struct byte_set) / sizeof(uint32_t) };

/* ---- Writing --------------------------------------------------------------------------------------------------- */

struct writing {
    const struct automaton *a;
    struct buf *out;
    uint32_t *number;         /* [a->n] in the image; 0: not reached */
    uint32_t *rule_of;        /* [a->n_rules] in the image, + 1 */
    uint32_t *rules, n_rules; /* of the image, in its order */
    uint32_t *stack, n_stack;
    uint32_t n;
};

static void put(struct writing *w, uint32_t word)
{
    buf_add(w->out, &word, sizeof word);
}

static void reach(struct writing *w, uint32_t x)
{
    if (x < FIRST || w->number[x])
        return;
    w->number[x] = UINT32_MAX; /* until it has one */
    w->n++;
    w->stack[w->n_stack++] = x;
}

static void reach_parts(struct writing *w, uint32_t x)
{
    const struct automaton *a = w->a;
    const struct expression *e = &a->at[x];
    switch ((enum expression_kind)e->kind) {
    case EXPRESSION_JOIN:
        reach(w, e->a);
        reach(w, e->b);
        break;
    case EXPRESSION_EITHER:
    case EXPRESSION_BOTH:
        for (uint32_t i = 0; i < e->b; i++)
            reach(w, a->list[e->a + i]);
        break;
    case EXPRESSION_NOT:
    case EXPRESSION_REPEAT:
        reach(w, e->a);
        break;
    case EXPRESSION_RULE:
        if (!w->rule_of[e->a]) {
            w->rules[w->n_rules++] = e->a;
            w->rule_of[e->a] = w->n_rules;
        }
        reach(w, a->bodies[e->a]);
        break;
    default:
        break;
    }
}

static uint32_t number_of(const struct writing *w, uint32_t x)
{
    return x < FIRST ? x : w->number[x];
}

static void put_expression(struct writing *w, const struct expression *e)
{
    put(w, e->kind);
    switch ((enum expression_kind)e->kind) {
    case EXPRESSION_BYTES:
        buf_add(w->out, w->a->list + e->a, SET_WORDS * sizeof(uint32_t));
        break;
    case EXPRESSION_JOIN:
        put(w, number_of(w, e->a));
        put(w, number_of(w, e->b));
        break;
    case EXPRESSION_EITHER:
    case EXPRESSION_BOTH:
        put(w, e->b);
        for (uint32_t i = 0; i < e->b; i++)
            put(w, number_of(w, w->a->list[e->a + i]));
        break;
    case EXPRESSION_NOT:
        put(w, number_of(w, e->a));
        break;
    case EXPRESSION_REPEAT:
        put(w, number_of(w, e->a));
        put(w, e->least);
        put(w, e->most);
        break;
    case EXPRESSION_MULTIPLE:
        put(w, e->a);
        put(w, e->b);
        break;
    case EXPRESSION_RULE:
        put(w, w->rule_of[e->a] - 1);
        break;
    default:
        break;
    }
}

/* Sets first, then the rest as it was made: parts before wholes. */
static void put_all(struct writing *w, uint32_t root)
{
    const struct automaton *a = w->a;
    uint32_t next = FIRST;
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t x = FIRST; x < a->n; x++)
            if (w->number[x] && (a->at[x].kind == EXPRESSION_BYTES) == (pass == 0))
                w->number[x] = next++;
    put(w, IMAGE_VERSION);
    put(w, w->n);
    put(w, w->n_rules);
    put(w, number_of(w, root));
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t x = FIRST; x < a->n; x++)
            if (w->number[x] && (a->at[x].kind == EXPRESSION_BYTES) == (pass == 0))
                put_expression(w, &a->at[x]);
    for (uint32_t i = 0; i < w->n_rules; i++)
        put(w, number_of(w, a->bodies[w->rules[i]]));
}

enum status automaton_image_write(const struct automaton *a, uint32_t root, struct buf *out, struct error *error)
{
    struct writing w = {.a = a, .out = out};
    w.number = mem_zalloc_array(a->n, sizeof *w.number);
    w.stack = mem_zalloc_array(a->n, sizeof *w.stack);
    w.rule_of = mem_zalloc_array((size_t)a->n_rules + 1, sizeof *w.rule_of);
    w.rules = mem_zalloc_array((size_t)a->n_rules + 1, sizeof *w.rules);
    bool ok = w.number && w.stack && w.rule_of && w.rules;
    if (ok) {
        reach(&w, root);
        while (w.n_stack)
            reach_parts(&w, w.stack[--w.n_stack]);
        put_all(&w, root);
    }
    mem_free(w.number);
    mem_free(w.stack);
    mem_free(w.rule_of);
    mem_free(w.rules);
    if (!ok)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    return buf_status(out) ? error_set(error, buf_status(out), "it is too large") : STATUS_OK;
}

/* ---- Reading --------------------------------------------------------------------------------------------------- */

struct image {
    struct automaton *a;
    struct reader reader;
    struct error *error;
    enum status status;
    uint32_t *made; /* by number */
    uint32_t n_made;
    uint32_t *rules; /* calls */
    uint32_t n_rules;
};

static void refuse(struct image *im, const char *why)
{
    if (im->status)
        return;
    im->status = error_set(im->error, STATUS_INVALID, "%s", why);
    im->error->offset = reader_offset(&im->reader);
}

static uint32_t get(struct image *im)
{
    uint32_t word = 0;
    if (!im->status)
        im->status = reader_u32(&im->reader, &word, im->error);
    return im->status ? 0 : word;
}

static uint32_t get_part(struct image *im)
{
    uint32_t number = get(im);
    if (number >= im->n_made)
        refuse(im, "a part that does not come before its whole");
    return im->status ? AUTOMATON_FAILED : im->made[number];
}

static uint32_t get_set(struct image *im)
{
    uint32_t words[SET_WORDS];
    struct byte_set set;
    for (unsigned i = 0; i < SET_WORDS; i++)
        words[i] = get(im);
    memcpy(&set, words, sizeof set);
    return im->status ? AUTOMATON_FAILED : automaton_bytes(im->a, &set);
}

static uint32_t get_list(struct image *im, bool both)
{
    uint32_t n = get(im), out = AUTOMATON_FAILED;
    if (!im->status && n > reader_left(&im->reader) / sizeof n)
        refuse(im, "a list is longer than the image");
    if (im->status)
        return out;
    uint32_t *parts = mem_zalloc_array((size_t)n + 1, sizeof *parts);
    if (!parts)
        return automaton_fail(im->a, STATUS_NO_MEMORY);
    for (uint32_t i = 0; i < n; i++) {
        parts[i] = get_part(im);
        if (both && automaton_calls(im->a, parts[i]))
            refuse(im, "a rule where none can stand");
    }
    if (!im->status)
        out = both ? automaton_settle(im->a, automaton_both_unchecked(im->a, parts, n)) : automaton_either(im->a, parts, n);
    mem_free(parts);
    return out;
}

static uint32_t get_not(struct image *im)
{
    uint32_t part = get_part(im);
    if (automaton_calls(im->a, part))
        refuse(im, "a rule where none can stand");
    return im->status ? AUTOMATON_FAILED : automaton_not(im->a, part);
}

static uint32_t get_multiple(struct image *im)
{
    uint32_t of = get(im), rest = get(im);
    if (rest >= of)
        refuse(im, "a rest that is none");
    return im->status ? AUTOMATON_FAILED : automaton_multiple(im->a, of, rest);
}

static uint32_t get_rule(struct image *im)
{
    uint32_t rule = get(im);
    if (rule >= im->n_rules)
        refuse(im, "a rule that is not there");
    return im->status ? AUTOMATON_FAILED : im->rules[rule];
}

static uint32_t get_expression(struct image *im)
{
    uint32_t kind = get(im), part, least;
    switch ((enum expression_kind)kind) {
    case EXPRESSION_BYTES:
        return get_set(im);
    case EXPRESSION_JOIN:
        part = get_part(im);
        return automaton_join(im->a, part, get_part(im));
    case EXPRESSION_EITHER:
    case EXPRESSION_BOTH:
        return get_list(im, kind == EXPRESSION_BOTH);
    case EXPRESSION_NOT:
        return get_not(im);
    case EXPRESSION_REPEAT:
        part = get_part(im);
        least = get(im);
        return automaton_repeat(im->a, part, least, get(im));
    case EXPRESSION_MULTIPLE:
        return get_multiple(im);
    case EXPRESSION_RULE:
        return get_rule(im);
    default:
        refuse(im, "an unknown kind of expression");
        return AUTOMATON_FAILED;
    }
}

/* The head: how much follows. */
static void get_head(struct image *im, uint32_t *n, uint32_t *root)
{
    if (get(im) != IMAGE_VERSION)
        refuse(im, "another version");
    *n = get(im);
    im->n_rules = get(im);
    *root = get(im);
    size_t words = reader_left(&im->reader) / sizeof *n;
    if (*n > words || im->n_rules > words)
        refuse(im, "more expressions than bytes");
    if (!im->status && *root >= *n + FIRST)
        refuse(im, "a root that is not there");
}

static void get_all(struct image *im, uint32_t n)
{
    for (uint32_t i = 0; i < im->n_rules; i++)
        im->rules[i] = automaton_rule(im->a);
    im->made[AUTOMATON_NOTHING] = AUTOMATON_NOTHING;
    im->made[AUTOMATON_END] = AUTOMATON_END;
    for (im->n_made = FIRST; im->n_made < n + FIRST && !im->status && !automaton_status(im->a);) {
        uint32_t x = get_expression(im);
        im->made[im->n_made++] = x;
    }
    for (uint32_t i = 0; i < im->n_rules && !im->status && !automaton_status(im->a); i++)
        automaton_define(im->a, im->rules[i], get_part(im));
    if (!im->status && !automaton_status(im->a) && reader_left(&im->reader))
        refuse(im, "bytes after the last rule");
}

enum status automaton_image_read(struct automaton *a, struct str bytes, uint32_t *root, struct error *error)
{
    struct image im = {.a = a, .error = error};
    uint32_t n = 0, rule;
    reader_init(&im.reader, bytes.at, bytes.len, "language");
    get_head(&im, &n, root);
    if (im.status)
        return im.status;
    im.made = mem_zalloc_array((size_t)n + FIRST, sizeof *im.made);
    im.rules = mem_zalloc_array((size_t)im.n_rules + 1, sizeof *im.rules);
    if (im.made && im.rules)
        get_all(&im, n);
    else
        im.status = error_set(error, STATUS_NO_MEMORY, "out of memory");
    if (!im.status) {
        *root = automaton_status(a) ? AUTOMATON_FAILED : im.made[*root];
        im.status = automaton_seal(a, root, &rule, error);
    }
    mem_free(im.made);
    mem_free(im.rules);
    return im.status;
}
