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

static uint32_t literal(struct automaton *a, const struct tokenizer *tokenizer, const char *text)
{
    uint32_t id;
    bool control = tokenizer_find(tokenizer, text, &id) && tokenizer_is_control(tokenizer, id);
    return control ? mark_of(a, id) : automaton_text(a, str_of(text));
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
static uint32_t without(struct automaton *a, const char *text)
{
    uint32_t any = automaton_repeat(a, byte(a, 0, 0xFF), 0, AUTOMATON_ENDLESS);
    return automaton_not(a, automaton_join(a, any, automaton_join(a, automaton_text(a, str_of(text)), any)));
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

uint32_t output_language_calls(struct automaton *a, const uint32_t marks[N_TOOL_MARKS], const struct output_language_call *calls,
                               size_t n, bool one)
{
    struct automaton_list list = {0};
    uint32_t separator = mark_of(a, marks[TOOL_SEPARATOR]), end = mark_of(a, marks[TOOL_CALL_END]);
    for (size_t i = 0; i < n; i++) {
        uint32_t call = automaton_join(a, separator, automaton_join(a, calls[i].arguments, end));
        automaton_list_add(&list, automaton_join(a, automaton_text(a, calls[i].name), call));
    }
    uint32_t call = automaton_join(a, mark_of(a, marks[TOOL_CALL_BEGIN]), automaton_list_either(a, &list));
    uint32_t block = automaton_repeat(a, call, 1, one ? 1 : AUTOMATON_ENDLESS);
    return automaton_join(a, mark_of(a, marks[TOOL_CALLS_BEGIN]), automaton_join(a, block, mark_of(a, marks[TOOL_CALLS_END])));
}
