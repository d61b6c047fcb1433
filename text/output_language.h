/* What a whole output must be, around the language of its answer: the thought before it, calls of tools in its place. Marks that the
 * vocabulary has as control tokens stand as such (text/vocabulary.h), others as text. Results are still to be sealed. */
#ifndef TEXT_OUTPUT_LANGUAGE_H
#define TEXT_OUTPUT_LANGUAGE_H

#include "text/code_points.h"
#include "text/tokenizer.h"
#include "text/tool_parse.h"

/* Any text without control tokens, maybe none. */
uint32_t output_language_text(struct automaton *a);

/* Text of these characters; between two fences of code (three backquotes) of any. */
uint32_t output_language_guarded(struct automaton *a, const struct code_points *set);

struct output_language_marks {
    const struct tokenizer *tokenizer;
    const char *think_open, *think_close;
    bool in_thought;   /* the prompt opened the thought: its end must come. Otherwise there may be one */
    struct str bridge; /* may stand before the closing mark, whatever the thought may be; or empty */
};
/* `thought`: what it may be, a text that calls no rule. */
uint32_t output_language_after_thought(struct automaton *a, const struct output_language_marks *marks, uint32_t thought, uint32_t answer);

/* How calls are written, as text/tool_parse.h has it. */
struct output_language_form {
    enum tool_form form;
    const struct tokenizer *tokenizer; /* null: no literal is a control token */
    const uint32_t *marks;             /* [N_TOOL_MARKS] ids of those that are tokens */
};

struct output_language_call {
    struct str name;
    uint32_t arguments; /* JSON; of DSML: parameters. AUTOMATON_FAILED makes the result so */
};
/* Calls: one, or any number of them. */
uint32_t output_language_calls(struct automaton *a, const struct output_language_form *form, const struct output_language_call *calls,
                               size_t n, bool one);

/* A text that begins no call, and then maybe calls. */
uint32_t output_language_text_and_calls(struct automaton *a, const struct output_language_form *form, uint32_t text, uint32_t calls);

/* A parameter of DSML. The key holds none of " < >; the value is text, or JSON. */
uint32_t output_language_parameter(struct automaton *a, const struct output_language_form *form, struct str key, bool is_text,
                                   uint32_t value);
/* Text that does not end a parameter; any number of any parameters. */
uint32_t output_language_parameter_text(struct automaton *a);
uint32_t output_language_any_parameters(struct automaton *a, const struct output_language_form *form);

#endif
