/* Running a template: statements, expressions, scopes, calls. A tree walk whose depth is bounded by the parser for the text
 * and by `depth` for calls; every node and every 512 bytes copied cost a step of fuel. After a failure everything returns
 * undefined values quickly; the first failure is kept. */
#include "text/jinja_parts.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* The walk's depth bounds the C stack: about a kilobyte for each level. */
enum { NESTING_MAX = 600 };

static struct jinja_value eval(struct jinja_run *run, const struct jinja_node *node);
static void run_body(struct jinja_run *run, const struct jinja_node *body);

struct jinja_value jinja_fail(struct jinja_run *run, const char *format, ...)
{
    if (!run->failed) {
        char message[400];
        va_list args;
        va_start(args, format);
        vsnprintf(message, sizeof message, format, args);
        va_end(args);
        message[utf8_valid_prefix(message, strlen(message))] = 0;
        for (char *c = message; *c; c++) /* a template may say anything: one line of it */
            *c = (unsigned char)*c < 0x20 || *c == 0x7f ? ' ' : *c;
        run->failed = error_set(run->error, STATUS_INVALID, "chat template, line %d: %s", run->line, message);
    }
    return jinja_undefined(NULL);
}

bool jinja_spend(struct jinja_run *run, uint64_t n)
{
    run->steps += n;
    if (run->steps > JINJA_STEPS_MAX)
        jinja_fail(run, "more than %d steps", JINJA_STEPS_MAX);
    return !run->failed;
}

/* ---- Scopes ------------------------------------------------------------------------------------------------------- */

bool jinja_scope_find(const struct jinja_scope *scope, struct str name, struct jinja_value *out)
{
    for (; scope; scope = scope->parent)
        for (uint32_t i = scope->n; i-- > 0;)
            if (str_equal(scope->variables[i].name, name)) {
                *out = scope->variables[i].value;
                return true;
            }
    return false;
}

void jinja_scope_set(struct jinja_run *run, struct jinja_scope *scope, struct str name, struct jinja_value value)
{
    if (!jinja_spend(run, 1 + scope->n / 16))
        return;
    for (uint32_t i = 0; i < scope->n; i++)
        if (str_equal(scope->variables[i].name, name)) {
            scope->variables[i].value = value;
            return;
        }
    if (scope->n == scope->capacity) {
        uint32_t capacity = scope->capacity ? 2 * scope->capacity : 4;
        struct jinja_variable *variables = arena_alloc(run->heap->arena, capacity * sizeof *variables);
        if (!variables) {
            jinja_fail(run, "out of memory");
            return;
        }
        if (scope->n)
            memcpy(variables, scope->variables, scope->n * sizeof *variables);
        scope->variables = variables;
        scope->capacity = capacity;
    }
    scope->variables[scope->n++] = (struct jinja_variable){name, value};
}

/* A scope inside `parent`; null and failed without memory. */
static struct jinja_scope *scope_new(struct jinja_run *run, struct jinja_scope *parent)
{
    struct jinja_scope *scope = run->failed ? NULL : arena_zalloc(run->heap->arena, sizeof *scope);
    if (!scope)
        jinja_fail(run, "out of memory");
    else
        scope->parent = parent;
    return scope;
}

/* ---- Attributes and items ------------------------------------------------------------------------------------------ */

static struct jinja_value loop_attribute(struct jinja_run *run, struct jinja_value of, const struct str *name)
{
    const struct jinja_loop *loop = of.loop;
    uint32_t n = loop->items->n, i = loop->index;
    if (str_is(*name, "index"))
        return jinja_int(i + 1);
    if (str_is(*name, "index0"))
        return jinja_int(i);
    if (str_is(*name, "revindex"))
        return jinja_int(n - i);
    if (str_is(*name, "revindex0"))
        return jinja_int((int64_t)n - i - 1);
    if (str_is(*name, "first"))
        return jinja_bool(i == 0);
    if (str_is(*name, "last"))
        return jinja_bool(i + 1 == n);
    if (str_is(*name, "length"))
        return jinja_int(n);
    if (str_is(*name, "depth"))
        return jinja_int(1);
    if (str_is(*name, "depth0"))
        return jinja_int(0);
    if (str_is(*name, "previtem"))
        return i > 0 ? loop->items->items[i - 1] : jinja_undefined(name);
    if (str_is(*name, "nextitem"))
        return i + 1 < n ? loop->items->items[i + 1] : jinja_undefined(name);
    if (!jinja_method_exists(of, *name))
        return jinja_undefined(name);
    struct jinja_method *method = arena_alloc(run->heap->arena, sizeof *method);
    if (!method)
        return jinja_fail(run, "out of memory");
    *method = (struct jinja_method){of, *name};
    return (struct jinja_value){.kind = JINJA_METHOD, .method = method};
}

static struct jinja_value attribute(struct jinja_run *run, struct jinja_value of, const struct str *name)
{
    struct jinja_value value;
    if (of.kind == JINJA_UNDEFINED)
        return jinja_fail(run, "'%.*s' of %s", (int)(name->len < 64 ? name->len : 64), name->at, jinja_kind_name(of));
    if (of.kind == JINJA_NAMESPACE)
        return jinja_scope_find(of.scope, *name, &value) ? value : jinja_undefined(name);
    if (of.kind == JINJA_LOOP)
        return loop_attribute(run, of, name);
    if (jinja_method_exists(of, *name)) {
        struct jinja_method *method = arena_alloc(run->heap->arena, sizeof *method);
        if (!method)
            return jinja_fail(run, "out of memory");
        *method = (struct jinja_method){of, *name};
        return (struct jinja_value){.kind = JINJA_METHOD, .method = method};
    }
    if (of.kind == JINJA_MAP && jinja_spend(run, of.map->n / 16) && jinja_find(of.map, *name, &value))
        return value;
    return jinja_undefined(name);
}

struct jinja_value jinja_attribute(struct jinja_run *run, struct jinja_value of, struct str name)
{
    struct str *kept = arena_alloc(run->heap->arena, sizeof *kept);
    if (!kept)
        return jinja_fail(run, "out of memory");
    *kept = name;
    return attribute(run, of, kept);
}

static struct jinja_value text_item(struct jinja_run *run, const struct jinja_text *text, int64_t index)
{
    size_t at = 0;
    if (index < 0)
        for (size_t i = 0; i < text->len && jinja_spend(run, 1); i += jinja_decode(text, i, NULL))
            index++;
    else
        jinja_spend(run, (uint64_t)index < text->len ? (uint64_t)index / 8 : 0);
    if (index < 0 || run->failed)
        return jinja_undefined(NULL);
    for (; index > 0 && at < text->len; index--)
        at += jinja_decode(text, at, NULL);
    return at < text->len ? jinja_slice(run, text, at, at + jinja_decode(text, at, NULL)) : jinja_undefined(NULL);
}

struct jinja_value jinja_item(struct jinja_run *run, struct jinja_value of, struct jinja_value key)
{
    if (of.kind == JINJA_UNDEFINED)
        return jinja_fail(run, "an item of an undefined value");
    if (key.kind == JINJA_BOOL)
        key = jinja_int(key.truth);
    if (of.kind == JINJA_LIST && key.kind == JINJA_INT) {
        int64_t i = key.integer < 0 ? key.integer + of.list->n : key.integer;
        return i >= 0 && i < of.list->n ? of.list->items[i] : jinja_undefined(NULL);
    }
    if (of.kind == JINJA_TEXT && key.kind == JINJA_INT)
        return text_item(run, of.text, key.integer);
    if (of.kind == JINJA_MAP && key.kind != JINJA_TEXT)
        for (uint32_t i = 0; i < of.map->n; i++)
            if (of.map->pairs[i].key.kind != JINJA_TEXT && jinja_equal(run, of.map->pairs[i].key, key))
                return of.map->pairs[i].value;
    struct jinja_value value;
    if (key.kind != JINJA_TEXT)
        return jinja_undefined(NULL);
    if (of.kind == JINJA_MAP && jinja_spend(run, of.map->n / 16) && jinja_find(of.map, jinja_str(key), &value))
        return value;
    return jinja_attribute(run, of, jinja_str(key));
}

/* Python's bounds of a slice over n items; false for a step of zero. */
static bool slice_bounds(int64_t n, const struct jinja_value parts[3], int64_t *start, int64_t *stop, int64_t *step)
{
    *step = parts[2].kind == JINJA_INT ? parts[2].integer : 1;
    if (*step == 0)
        return false;
    *start = *step > 0 ? 0 : n - 1;
    *stop = *step > 0 ? n : -1;
    int64_t lowest = *step > 0 ? 0 : -1, highest = *step > 0 ? n : n - 1;
    for (int i = 0; i < 2; i++) {
        if (parts[i].kind != JINJA_INT)
            continue;
        int64_t at = parts[i].integer < 0 ? parts[i].integer + n : parts[i].integer;
        at = at < lowest ? lowest : at > highest ? highest : at;
        *(i == 0 ? start : stop) = at;
    }
    return true;
}

static struct jinja_value slice_text(struct jinja_run *run, const struct jinja_text *text, int64_t start, int64_t stop)
{
    size_t at = 0, from = 0;
    if (start >= stop)
        return jinja_slice(run, text, 0, 0);
    for (int64_t i = 0; i < stop; i++) {
        if (i == start)
            from = at;
        at += jinja_decode(text, at, NULL);
    }
    return jinja_slice(run, text, from, at);
}

static struct jinja_value slice(struct jinja_run *run, struct jinja_value of, const struct jinja_node *node)
{
    struct jinja_value parts[3] = {{0}, {0}, {0}};
    const struct jinja_node *nodes[3] = {node->a, node->b, node->c};
    int64_t n = 0, start, stop, step;
    for (int i = 0; i < 3; i++) {
        parts[i] = nodes[i] ? eval(run, nodes[i]) : jinja_none();
        if (parts[i].kind != JINJA_INT && parts[i].kind != JINJA_NONE)
            return jinja_fail(run, "slices are made with integers");
    }
    if (of.kind == JINJA_LIST) {
        n = of.list->n;
    } else if (of.kind == JINJA_TEXT) {
        for (size_t i = 0; i < of.text->len; i += jinja_decode(of.text, i, NULL))
            n++;
        jinja_spend(run, (uint64_t)n / 64);
    } else {
        return jinja_fail(run, "%s cannot be sliced", jinja_kind_name(of));
    }
    if (!slice_bounds(n, parts, &start, &stop, &step))
        return jinja_fail(run, "a slice step of zero");
    if (of.kind == JINJA_TEXT && step == 1)
        return slice_text(run, of.text, start, stop);
    struct jinja_list *items = jinja_iterate(run, of);
    struct jinja_value out = jinja_list(run->heap, 8);
    struct jinja_builder builder = {0};
    if (run->failed || run->heap->failed)
        return jinja_fail(run, "out of memory");
    for (int64_t i = start; (step > 0 ? i < stop : i > stop) && jinja_spend(run, 1); i += step) {
        if (of.kind == JINJA_TEXT)
            jinja_build_text(run, &builder, items->items[i].text);
        else
            jinja_list_add(run->heap, out.list, items->items[i]);
    }
    out.list->is_tuple = of.kind == JINJA_LIST && of.list->is_tuple;
    return of.kind == JINJA_TEXT ? jinja_built(run, &builder) : out;
}

/* ---- Calls ---------------------------------------------------------------------------------------------------------- */

bool jinja_arg(const struct jinja_args *args, uint32_t index, const char *name, struct jinja_value *out)
{
    for (uint32_t i = args->n_positional; i < args->n; i++)
        if (str_is(args->names[i], name)) {
            *out = args->values[i];
            return true;
        }
    if (index >= args->n_positional)
        return false;
    *out = args->values[index];
    return true;
}

struct str jinja_arg_str(struct jinja_run *run, const struct jinja_args *args, uint32_t index, const char *name, const char *fallback)
{
    struct jinja_value value;
    if (!jinja_arg(args, index, name, &value))
        return str_of(fallback);
    if (value.kind == JINJA_TEXT)
        return jinja_str(value);
    jinja_fail(run, "the argument %s is %s, not a string", name, jinja_kind_name(value));
    return str_of("");
}

int64_t jinja_arg_int(struct jinja_run *run, const struct jinja_args *args, uint32_t index, const char *name, int64_t fallback)
{
    struct jinja_value value;
    if (!jinja_arg(args, index, name, &value) || value.kind == JINJA_NONE)
        return fallback;
    if (value.kind == JINJA_INT || value.kind == JINJA_BOOL)
        return value.kind == JINJA_INT ? value.integer : value.truth;
    jinja_fail(run, "the argument %s is %s, not an integer", name, jinja_kind_name(value));
    return fallback;
}

bool jinja_arg_bool(const struct jinja_args *args, uint32_t index, const char *name, bool fallback)
{
    struct jinja_value value;
    return jinja_arg(args, index, name, &value) ? jinja_truth(value) : fallback;
}

/* Positional arguments first, as the parser made sure. */
static bool eval_args(struct jinja_run *run, const struct jinja_node *node, struct jinja_args *args)
{
    *args = (struct jinja_args){0};
    if (node->n_items == 0)
        return true;
    args->values = arena_alloc(run->heap->arena, node->n_items * sizeof *args->values);
    args->names = arena_alloc(run->heap->arena, node->n_items * sizeof *args->names);
    if (!args->values || !args->names) {
        jinja_fail(run, "out of memory");
        return false;
    }
    for (uint32_t i = 0; i < node->n_items && !run->failed; i++) {
        args->values[i] = eval(run, node->items[i]->a);
        args->names[i] = node->items[i]->name;
        args->n_positional += node->items[i]->name.len == 0;
    }
    args->n = node->n_items;
    return !run->failed;
}

static bool enter(struct jinja_run *run)
{
    if (run->depth >= JINJA_DEPTH_MAX) {
        jinja_fail(run, "calls are nested too deeply");
        return false;
    }
    run->depth++;
    return true;
}

/* Runs a body into a string of its own. */
static struct jinja_value capture(struct jinja_run *run, const struct jinja_node *body)
{
    struct jinja_builder builder = {0}, *out = run->out;
    run->out = &builder;
    run_body(run, body);
    run->out = out;
    return jinja_built(run, &builder);
}

static struct jinja_value call_macro(struct jinja_run *run, const struct jinja_closure *closure, const struct jinja_args *args)
{
    const struct jinja_node *macro = closure->macro;
    struct jinja_scope *outer = run->scope, *scope = scope_new(run, closure->scope);
    if (!scope || !enter(run))
        return jinja_undefined(NULL);
    if (args->n_positional > macro->n_items)
        jinja_fail(run, "the macro %.*s takes %u arguments", (int)(macro->name.len < 64 ? macro->name.len : 64), macro->name.at,
                   macro->n_items);
    run->scope = scope;
    for (uint32_t i = 0; i < macro->n_items && !run->failed; i++) {
        const struct jinja_node *parameter = macro->items[i];
        struct jinja_value value = jinja_undefined(&parameter->name);
        bool given = i < args->n_positional;
        if (given)
            value = args->values[i];
        for (uint32_t k = args->n_positional; k < args->n && !given; k++) {
            given = str_equal(args->names[k], parameter->name);
            if (given)
                value = args->values[k];
        }
        if (!given && parameter->a)
            value = eval(run, parameter->a);
        jinja_scope_set(run, scope, parameter->name, value);
    }
    struct jinja_value out = capture(run, macro->body);
    run->scope = outer;
    run->depth--;
    return out;
}

struct jinja_value jinja_call(struct jinja_run *run, struct jinja_value callee, const struct jinja_args *args)
{
    if (!jinja_spend(run, 1))
        return jinja_undefined(NULL);
    if (callee.kind == JINJA_FUNCTION)
        return callee.function->call(run, args);
    if (callee.kind == JINJA_METHOD)
        return jinja_method_call(run, callee.method, args);
    if (callee.kind == JINJA_MACRO)
        return call_macro(run, callee.closure, args);
    if (callee.kind == JINJA_UNDEFINED && callee.name)
        return jinja_fail(run, "'%.*s' is undefined", (int)(callee.name->len < 64 ? callee.name->len : 64), callee.name->at);
    return jinja_fail(run, "%s cannot be called", jinja_kind_name(callee));
}

/* ---- Expressions ---------------------------------------------------------------------------------------------------- */

static struct jinja_value eval_list(struct jinja_run *run, const struct jinja_node *node)
{
    struct jinja_value list = jinja_list(run->heap, node->n_items);
    if (run->heap->failed)
        return jinja_fail(run, "out of memory");
    for (uint32_t i = 0; i < node->n_items && !run->failed; i++)
        jinja_list_add(run->heap, list.list, eval(run, node->items[i]));
    list.list->is_tuple = node->is_tuple;
    return list;
}

static struct jinja_value eval_map(struct jinja_run *run, const struct jinja_node *node)
{
    struct jinja_value map = jinja_map(run->heap, node->n_items / 2);
    if (run->heap->failed)
        return jinja_fail(run, "out of memory");
    for (uint32_t i = 0; i < node->n_items && jinja_spend(run, 1 + i / 32); i += 2) {
        struct jinja_value key = eval(run, node->items[i]);
        jinja_map_set(run->heap, map.map, key, eval(run, node->items[i + 1]));
    }
    return map;
}

static struct jinja_value eval_arithmetic(struct jinja_run *run, const struct jinja_node *node)
{
    struct jinja_value value = eval(run, node->items[0]);
    for (uint32_t i = 1; i < node->n_items && !run->failed; i++) {
        struct jinja_value right = eval(run, node->items[i]);
        run->line = node->line;
        if (!run->failed)
            value = jinja_operate(run, node->ops[i], value, right);
    }
    return value;
}

static struct jinja_value eval_concat(struct jinja_run *run, const struct jinja_node *node)
{
    struct jinja_value value = jinja_to_text(run, eval(run, node->items[0]));
    for (uint32_t i = 1; i < node->n_items && !run->failed; i++) {
        struct jinja_value right = jinja_to_text(run, eval(run, node->items[i]));
        if (!run->failed)
            value = jinja_join_texts(run, value, right);
    }
    return value;
}

static struct jinja_value eval_compare(struct jinja_run *run, const struct jinja_node *node)
{
    bool holds = true;
    struct jinja_value left = eval(run, node->items[0]);
    for (uint32_t i = 1; i < node->n_items && holds && !run->failed; i++) {
        struct jinja_value right = eval(run, node->items[i]);
        run->line = node->line;
        holds = !run->failed && jinja_compare(run, node->ops[i], left, right);
        left = right;
    }
    return jinja_bool(holds);
}

/* `and` and `or` give the value that decides, as in Python. */
static struct jinja_value eval_logic(struct jinja_run *run, const struct jinja_node *node, bool stops_at)
{
    struct jinja_value value = jinja_none();
    for (uint32_t i = 0; i < node->n_items && !run->failed; i++) {
        value = eval(run, node->items[i]);
        if (jinja_truth(value) == stops_at)
            break;
    }
    return value;
}

static struct jinja_value eval_step(struct jinja_run *run, struct jinja_value value, const struct jinja_node *step)
{
    struct jinja_args args;
    run->line = step->line;
    switch (step->kind) {
    case JINJA_NODE_ATTRIBUTE:
        return attribute(run, value, &step->name);
    case JINJA_NODE_INDEX: {
        struct jinja_value key = eval(run, step->a);
        return run->failed ? key : jinja_item(run, value, key);
    }
    case JINJA_NODE_SLICE:
        return slice(run, value, step);
    case JINJA_NODE_CALL:
        return eval_args(run, step, &args) ? jinja_call(run, value, &args) : jinja_undefined(NULL);
    case JINJA_NODE_FILTER:
        return eval_args(run, step, &args) ? step->filter->apply(run, value, &args) : jinja_undefined(NULL);
    default:
        if (!eval_args(run, step, &args))
            return jinja_undefined(NULL);
        return jinja_bool(step->test->holds(run, value, &args) != step->negated);
    }
}

static struct jinja_value eval_steps(struct jinja_run *run, struct jinja_value value, const struct jinja_node *node)
{
    for (uint32_t i = 0; i < node->n_items && jinja_spend(run, 1); i++)
        value = eval_step(run, value, node->items[i]);
    return value;
}

static struct jinja_value eval_negate(struct jinja_run *run, const struct jinja_node *node)
{
    struct jinja_value value = eval(run, node->a);
    if (!jinja_is_number(value))
        return jinja_fail(run, "a sign before %s", jinja_kind_name(value));
    return node->negated ? jinja_operate(run, '-', jinja_int(0), value) : jinja_operate(run, '+', jinja_int(0), value);
}

static bool nest(struct jinja_run *run)
{
    if (run->nesting >= NESTING_MAX)
        jinja_fail(run, "nested too deeply");
    else
        run->nesting++;
    return !run->failed;
}

static struct jinja_value eval_node(struct jinja_run *run, const struct jinja_node *node)
{
    struct jinja_value value;
    run->line = node->line;
    switch (node->kind) {
    case JINJA_NODE_LITERAL:
        return node->value;
    case JINJA_NODE_NAME:
        return jinja_scope_find(run->scope, node->name, &value) ? value : jinja_undefined(&node->name);
    case JINJA_NODE_LIST:
        return eval_list(run, node);
    case JINJA_NODE_MAP:
        return eval_map(run, node);
    case JINJA_NODE_ARITHMETIC:
        return eval_arithmetic(run, node);
    case JINJA_NODE_COMPARE:
        return eval_compare(run, node);
    case JINJA_NODE_AND:
        return eval_logic(run, node, false);
    case JINJA_NODE_OR:
        return eval_logic(run, node, true);
    case JINJA_NODE_CONCAT:
        return eval_concat(run, node);
    case JINJA_NODE_NOT:
        return jinja_bool(jinja_truth(eval(run, node->a)) != node->negated);
    case JINJA_NODE_NEGATE:
        return eval_negate(run, node);
    case JINJA_NODE_CONDITIONAL:
        if (jinja_truth(eval(run, node->b)))
            return eval(run, node->a);
        return node->c ? eval(run, node->c) : jinja_undefined(NULL);
    default:
        check(node->kind == JINJA_NODE_POSTFIX);
        return eval_steps(run, eval(run, node->a), node);
    }
}

static struct jinja_value eval(struct jinja_run *run, const struct jinja_node *node)
{
    bool goes_on = jinja_spend(run, 1) && nest(run);
    struct jinja_value value = goes_on ? eval_node(run, node) : jinja_undefined(NULL);
    run->nesting -= goes_on;
    return value;
}

/* ---- Statements ------------------------------------------------------------------------------------------------------ */

static void print(struct jinja_run *run, struct jinja_value value)
{
    struct jinja_value text = run->failed ? value : jinja_to_text(run, value);
    if (!run->failed)
        jinja_build_text(run, run->out, text.text);
}

static void assign(struct jinja_run *run, const struct jinja_target *target, struct jinja_value value)
{
    struct jinja_value space;
    if (run->failed)
        return;
    if (target->attribute.len == 0)
        jinja_scope_set(run, run->scope, target->name, value);
    else if (jinja_scope_find(run->scope, target->name, &space) && space.kind == JINJA_NAMESPACE)
        jinja_scope_set(run, space.scope, target->attribute, value);
    else
        jinja_fail(run, "'%.*s' is not a namespace", (int)(target->name.len < 64 ? target->name.len : 64), target->name.at);
}

static void assign_all(struct jinja_run *run, const struct jinja_node *node, struct jinja_value value)
{
    if (node->n_targets == 1) {
        assign(run, &node->targets[0], value);
        return;
    }
    struct jinja_list *items = run->failed ? NULL : jinja_iterate(run, value);
    if (items && items->n != node->n_targets)
        jinja_fail(run, "%u values for %u names", items->n, node->n_targets);
    for (uint32_t i = 0; i < node->n_targets && !run->failed; i++)
        assign(run, &node->targets[i], items->items[i]);
}

/* The items for which the loop's condition holds. */
static struct jinja_list *filter_items(struct jinja_run *run, const struct jinja_node *node, struct jinja_list *items)
{
    struct jinja_scope *outer = run->scope;
    struct jinja_value kept = jinja_list(run->heap, 8);
    for (uint32_t i = 0; i < items->n && !run->failed && !run->heap->failed; i++) {
        run->scope = scope_new(run, outer);
        if (run->failed)
            break;
        assign_all(run, node, items->items[i]);
        if (jinja_truth(eval(run, node->b)))
            jinja_list_add(run->heap, kept.list, items->items[i]);
    }
    run->scope = outer;
    return run->failed || run->heap->failed ? NULL : kept.list;
}

static void run_for(struct jinja_run *run, const struct jinja_node *node)
{
    static const struct str loop_name = {"loop", 4};
    struct jinja_scope *outer = run->scope;
    struct jinja_value over = eval(run, node->a);
    struct jinja_list *items = run->failed ? NULL : jinja_iterate(run, over);
    if (items && node->b)
        items = filter_items(run, node, items);
    struct jinja_loop *loop = items ? arena_zalloc(run->heap->arena, sizeof *loop) : NULL;
    if (!loop) {
        jinja_fail(run, "out of memory");
        return;
    }
    loop->items = items;
    for (uint32_t i = 0; i < items->n && jinja_spend(run, 1) && run->flow != JINJA_FLOW_BREAK; i++) {
        loop->index = i;
        run->flow = JINJA_FLOW_ON;
        run->scope = scope_new(run, outer);
        if (!run->scope)
            break;
        jinja_scope_set(run, run->scope, loop_name, (struct jinja_value){.kind = JINJA_LOOP, .loop = loop});
        assign_all(run, node, items->items[i]);
        run_body(run, node->body);
    }
    run->flow = JINJA_FLOW_ON;
    run->scope = outer;
    if (items->n == 0 && node->c)
        run_body(run, node->c);
}

static void run_if(struct jinja_run *run, const struct jinja_node *node)
{
    for (uint32_t i = 0; i < node->n_items && !run->failed; i += 2)
        if (jinja_truth(eval(run, node->items[i]))) {
            run_body(run, node->items[i + 1]);
            return;
        }
    if (node->c)
        run_body(run, node->c);
}

static void run_with(struct jinja_run *run, const struct jinja_node *node)
{
    struct jinja_scope *outer = run->scope, *scope = scope_new(run, outer);
    for (uint32_t i = 0; i < node->n_items && !run->failed; i++)
        jinja_scope_set(run, scope, node->items[i]->name, eval(run, node->items[i]->a));
    if (run->failed)
        return;
    run->scope = scope;
    run_body(run, node->body);
    run->scope = outer;
}

/* A block whose text goes through filters. */
static struct jinja_value filtered(struct jinja_run *run, const struct jinja_node *node)
{
    struct jinja_scope *outer = run->scope;
    run->scope = scope_new(run, outer);
    struct jinja_value text = run->failed ? jinja_undefined(NULL) : capture(run, node->body);
    run->scope = outer;
    return node->a && !run->failed ? eval_steps(run, text, node->a) : text;
}

static void run_macro(struct jinja_run *run, const struct jinja_node *node)
{
    struct jinja_closure *closure = arena_alloc(run->heap->arena, sizeof *closure);
    if (!closure) {
        jinja_fail(run, "out of memory");
        return;
    }
    *closure = (struct jinja_closure){node, run->scope};
    jinja_scope_set(run, run->scope, node->name, (struct jinja_value){.kind = JINJA_MACRO, .closure = closure});
}

static void run_statement(struct jinja_run *run, const struct jinja_node *node)
{
    if (!jinja_spend(run, 1))
        return;
    run->line = node->line;
    switch (node->kind) {
    case JINJA_NODE_DATA:
        jinja_build_text(run, run->out, node->value.text);
        break;
    case JINJA_NODE_OUTPUT:
        print(run, eval(run, node->a));
        break;
    case JINJA_NODE_IF:
        run_if(run, node);
        break;
    case JINJA_NODE_FOR:
        run_for(run, node);
        break;
    case JINJA_NODE_SET:
        assign_all(run, node, eval(run, node->a));
        break;
    case JINJA_NODE_SET_BLOCK:
        assign_all(run, node, filtered(run, node));
        break;
    case JINJA_NODE_FILTER_BLOCK:
        print(run, filtered(run, node));
        break;
    case JINJA_NODE_WITH:
        run_with(run, node);
        break;
    case JINJA_NODE_MACRO:
        run_macro(run, node);
        break;
    case JINJA_NODE_BREAK:
        run->flow = JINJA_FLOW_BREAK;
        break;
    case JINJA_NODE_CONTINUE:
        run->flow = JINJA_FLOW_CONTINUE;
        break;
    default:
        check(node->kind == JINJA_NODE_BODY);
        run_body(run, node);
    }
}

static void run_body(struct jinja_run *run, const struct jinja_node *body)
{
    if (run->failed || !nest(run))
        return;
    for (uint32_t i = 0; i < body->n_items && !run->failed && run->flow == JINJA_FLOW_ON; i++)
        run_statement(run, body->items[i]);
    run->nesting--;
}

enum status jinja_render(const struct jinja *jinja, struct jinja_heap *heap, struct jinja_value variables, const char *date,
                         const struct jinja_text **out, struct error *error)
{
    struct jinja_builder output = {0};
    struct jinja_run run = {.heap = heap, .error = error, .date = date, .out = &output, .line = 1};
    struct jinja_scope *functions = scope_new(&run, NULL);
    run.root = functions ? scope_new(&run, functions) : NULL;
    if (!run.root || heap->failed)
        return error_set(error, STATUS_NO_MEMORY, "out of memory for the prompt");
    run.scope = run.root;
    jinja_functions_define(&run, functions);
    for (uint32_t i = 0; i < variables.map->n; i++)
        jinja_scope_set(&run, functions, jinja_str(variables.map->pairs[i].key), variables.map->pairs[i].value);
    run_body(&run, jinja->body);
    struct jinja_value text = run.failed ? jinja_none() : jinja_built(&run, &output);
    if (!run.failed && heap->failed)
        return error_set(error, heap->failed, "out of memory for the prompt");
    if (!run.failed)
        *out = text.text;
    return run.failed;
}
