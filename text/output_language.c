/* Thoughts and texts are bytes without the one that begins marks. */
#include "text/output_language.h"

#include <string.h>

#include "text/vocabulary.h"

enum { NEWLINES_MAX = 2 }; /* between the thought and the answer: they belong to neither */

static uint32_t mark_of(struct automaton *a, uint32_t token)
{
    char mark[VOCABULARY_MARK_BYTES];
    vocabulary_mark(token, mark);
    return automaton_text(a, str_from(mark, sizeof mark));
}

static uint32_t literal(struct automaton *a, const struct tokenizer *tokenizer, const char *name)
{
    uint32_t id;
    bool control = tokenizer && tokenizer_find(tokenizer, name, &id) && tokenizer_is_control(tokenizer, id);
    return control ? mark_of(a, id) : automaton_text(a, str_of(name));
}

static uint32_t byte(struct automaton *a, unsigned first, unsigned last)
{
    struct byte_set set = {{0}};
    byte_set_add(&set, first, last);
    return automaton_bytes(a, &set);
}

uint32_t output_language_text(struct automaton *a)
{
    return automaton_repeat(a, byte(a, 0, VOCABULARY_MARK - 1), 0, AUTOMATON_ENDLESS);
}

/* All texts without this one in them. */
static uint32_t without(struct automaton *a, const char *part)
{
    uint32_t any = automaton_repeat(a, byte(a, 0, 0xFF), 0, AUTOMATON_ENDLESS);
    return automaton_not(a, automaton_join(a, any, automaton_join(a, automaton_text(a, str_of(part)), any)));
}

uint32_t output_language_guarded(struct automaton *a, const struct code_points *set)
{
    static const char fence[] = "```";
    uint32_t mark = automaton_text(a, str_of(fence)), any = automaton_repeat(a, code_points_any(a, WRITING_UTF8), 0, AUTOMATON_ENDLESS);
    uint32_t code = automaton_join(a, mark, automaton_join(a, automaton_both(a, any, without(a, fence)), mark));
    return automaton_repeat(a, automaton_or(a, code_points_language(a, set, WRITING_UTF8), code), 0, AUTOMATON_ENDLESS);
}

/* Whatever reads like the closing mark inside the thought would end it for the reader too. */
uint32_t output_language_after_thought(struct automaton *a, const struct output_language_marks *m, uint32_t thought, uint32_t answer)
{
    uint32_t newlines = automaton_repeat(a, byte(a, '\n', '\n'), 0, NEWLINES_MAX);
    uint32_t closing = automaton_join(a, literal(a, m->tokenizer, m->think_close), automaton_join(a, newlines, answer));
    closing = automaton_join(a, automaton_maybe(a, automaton_text(a, m->bridge)), closing);
    uint32_t thinks = automaton_join(a, automaton_both(a, thought, without(a, m->think_close)), closing);
    if (m->in_thought)
        return thinks;
    return automaton_or(a, answer, automaton_join(a, literal(a, m->tokenizer, m->think_open), thinks));
}

/* ---- Calls ----------------------------------------------------------------------------------------------------- */

enum { PIECES_MAX = 8 };

/* One after the other, in this order. */
static uint32_t joined(struct automaton *a, const uint32_t *pieces, size_t n)
{
    uint32_t all = pieces[n - 1];
    while (--n > 0)
        all = automaton_join(a, pieces[n - 1], all);
    return all;
}

static uint32_t text(struct automaton *a, const char *literal_text)
{
    return automaton_text(a, str_of(literal_text));
}

static uint32_t call_mark(struct automaton *a, const struct output_language_form *form, enum tool_mark mark)
{
    return mark_of(a, form->marks[mark]);
}

#define DSML "｜DSML｜"

/* <｜DSML｜tag, or </｜DSML｜tag; what follows the name is the caller's. */
static uint32_t dsml_tag(struct automaton *a, const struct output_language_form *form, const char *bracket, const char *tag)
{
    const uint32_t pieces[] = {text(a, bracket), literal(a, form->tokenizer, DSML), text(a, tag)};
    return joined(a, pieces, 3);
}

static uint32_t call_of(struct automaton *a, const struct output_language_form *f, const struct output_language_call *call)
{
    uint32_t name = automaton_text(a, call->name), pieces[PIECES_MAX];
    size_t n = 0;
    switch (f->form) {
    case TOOL_FORM_FENCED:
        pieces[n++] = call_mark(a, f, TOOL_CALL_BEGIN);
        pieces[n++] = text(a, "function");
        pieces[n++] = call_mark(a, f, TOOL_SEPARATOR);
        pieces[n++] = name;
        pieces[n++] = text(a, "\n```json\n");
        pieces[n++] = call->arguments;
        pieces[n++] = text(a, "\n```");
        pieces[n++] = call_mark(a, f, TOOL_CALL_END);
        break;
    case TOOL_FORM_HERMES:
        pieces[n++] = literal(a, f->tokenizer, "<tool_call>");
        pieces[n++] = text(a, "\n{\"name\": \"");
        pieces[n++] = name;
        pieces[n++] = text(a, "\", \"arguments\": ");
        pieces[n++] = call->arguments;
        pieces[n++] = text(a, "}\n");
        pieces[n++] = literal(a, f->tokenizer, "</tool_call>");
        break;
    case TOOL_FORM_LLAMA:
    case TOOL_FORM_MISTRAL:
        pieces[n++] = text(a, "{\"name\": \"");
        pieces[n++] = name;
        pieces[n++] = text(a, f->form == TOOL_FORM_LLAMA ? "\", \"parameters\": " : "\", \"arguments\": ");
        pieces[n++] = call->arguments;
        pieces[n++] = text(a, "}");
        break;
    case TOOL_FORM_DSML:
        pieces[n++] = dsml_tag(a, f, "<", "invoke name=\"");
        pieces[n++] = name;
        pieces[n++] = text(a, "\">\n");
        pieces[n++] = call->arguments;
        pieces[n++] = dsml_tag(a, f, "</", "invoke>\n");
        break;
    case TOOL_FORM_CHAINED:
    case TOOL_FORM_NONE:
    case N_TOOL_FORMS:
        pieces[n++] = call_mark(a, f, TOOL_CALL_BEGIN);
        pieces[n++] = name;
        pieces[n++] = call_mark(a, f, TOOL_SEPARATOR);
        pieces[n++] = call->arguments;
        pieces[n++] = call_mark(a, f, TOOL_CALL_END);
        break;
    }
    return joined(a, pieces, n);
}

static const char *between_calls(enum tool_form form)
{
    switch (form) {
    case TOOL_FORM_FENCED:
    case TOOL_FORM_HERMES:
        return "\n";
    case TOOL_FORM_LLAMA:
        return "; ";
    case TOOL_FORM_MISTRAL:
        return ", ";
    default:
        return "";
    }
}

/* What stands around all calls. */
static uint32_t block_of(struct automaton *a, const struct output_language_form *f, uint32_t calls)
{
    uint32_t pieces[PIECES_MAX];
    size_t n = 0;
    switch (f->form) {
    case TOOL_FORM_DSML:
        pieces[n++] = dsml_tag(a, f, "\n\n<", "function_calls>\n");
        pieces[n++] = calls;
        pieces[n++] = dsml_tag(a, f, "</", "function_calls>");
        break;
    case TOOL_FORM_MISTRAL:
        pieces[n++] = call_mark(a, f, TOOL_CALLS_BEGIN);
        pieces[n++] = automaton_maybe(a, text(a, " "));
        pieces[n++] = text(a, "[");
        pieces[n++] = calls;
        pieces[n++] = text(a, "]");
        break;
    case TOOL_FORM_HERMES:
    case TOOL_FORM_LLAMA:
        return calls;
    default:
        pieces[n++] = call_mark(a, f, TOOL_CALLS_BEGIN);
        pieces[n++] = calls;
        pieces[n++] = call_mark(a, f, TOOL_CALLS_END);
        break;
    }
    return joined(a, pieces, n);
}

uint32_t output_language_calls(struct automaton *a, const struct output_language_form *form, const struct output_language_call *calls,
                               size_t n, bool one)
{
    struct automaton_list list = {0};
    for (size_t i = 0; i < n; i++)
        automaton_list_add(&list, call_of(a, form, &calls[i]));
    uint32_t call = automaton_list_either(a, &list), more = automaton_join(a, text(a, between_calls(form->form)), call);
    return block_of(a, form, one ? call : automaton_join(a, call, automaton_repeat(a, more, 0, AUTOMATON_ENDLESS)));
}

/* Nothing, or white space and then what is no bracket. */
static uint32_t no_object(struct automaton *a)
{
    struct byte_set white = {{0}}, other = {{0}};
    for (const char *c = " \t\r\n"; *c; c++)
        byte_set_add(&white, (unsigned char)*c, (unsigned char)*c);
    for (unsigned c = 0; c <= 0xFF; c++)
        if (c != '{' && !memchr(" \t\r\n", (int)c, 4))
            byte_set_add(&other, c, c);
    uint32_t spaces = automaton_repeat(a, automaton_bytes(a, &white), 0, AUTOMATON_ENDLESS);
    uint32_t any = automaton_repeat(a, byte(a, 0, 0xFF), 0, AUTOMATON_ENDLESS);
    return automaton_join(a, spaces, automaton_maybe(a, automaton_join(a, automaton_bytes(a, &other), any)));
}

uint32_t output_language_text_and_calls(struct automaton *a, const struct output_language_form *form, uint32_t answer, uint32_t calls)
{
    if (form->form == TOOL_FORM_LLAMA)
        return automaton_or(a, automaton_both(a, answer, no_object(a)), calls);
    if (form->form == TOOL_FORM_HERMES)
        answer = automaton_both(a, answer, without(a, "<tool_call>"));
    else if (form->form == TOOL_FORM_DSML)
        answer = automaton_both(a, answer, without(a, "<" DSML));
    return automaton_join(a, answer, automaton_maybe(a, calls));
}

/* ---- Parameters of DSML ---------------------------------------------------------------------------------------- */

static uint32_t parameter(struct automaton *a, const struct output_language_form *form, uint32_t key, uint32_t kind, uint32_t value)
{
    const uint32_t pieces[] = {dsml_tag(a, form, "<", "parameter name=\""), key, text(a, "\" string=\""), kind, text(a, "\">"), value,
                               dsml_tag(a, form, "</", "parameter>\n")};
    return joined(a, pieces, sizeof pieces / sizeof pieces[0]);
}

uint32_t output_language_parameter(struct automaton *a, const struct output_language_form *form, struct str key, bool is_text,
                                   uint32_t value)
{
    return parameter(a, form, automaton_text(a, key), text(a, is_text ? "true" : "false"), value);
}

uint32_t output_language_parameter_text(struct automaton *a)
{
    return automaton_both(a, output_language_text(a), without(a, "</" DSML));
}

uint32_t output_language_any_parameters(struct automaton *a, const struct output_language_form *form)
{
    struct byte_set letters = {{0}};
    for (unsigned c = ' '; c < VOCABULARY_MARK; c++)
        if (c != '"' && c != '<' && c != '>')
            byte_set_add(&letters, c, c);
    uint32_t key = automaton_repeat(a, automaton_bytes(a, &letters), 1, AUTOMATON_ENDLESS);
    uint32_t kind = automaton_or(a, text(a, "true"), text(a, "false"));
    return automaton_repeat(a, parameter(a, form, key, kind, output_language_parameter_text(a)), 0, AUTOMATON_ENDLESS);
}
