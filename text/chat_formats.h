/* Inside text/chat: what a format is, and how its encoder writes a prompt. */
#ifndef TEXT_CHAT_FORMATS_H
#define TEXT_CHAT_FORMATS_H

#include "text/chat.h"
#include "text/jinja.h"

/* A prompt being written: spans of literals (scaffold) and of the caller's text (content). Failures stick. */
struct chat_writer {
    const struct chat_input *input;
    struct arena *arena;
    struct error *error;
    struct chat_prompt *prompt;
    uint32_t capacity;
    enum status failed;
};

void chat_writer_literal(struct chat_writer *w, const char *literal); /* borrowed for ever */
void chat_writer_content(struct chat_writer *w, struct str text);     /* borrowed from the input or the arena */
void chat_writer_span(struct chat_writer *w, struct str text, enum span_kind kind);
/* Content as JSON, laid out as the trained formats do: Python's json.dumps (indent < 0: on one
 * line). Text that is not JSON goes out as it is. */
void chat_writer_json(struct chat_writer *w, struct str json, int indent);
/* A JSON value that was read before. */
void chat_writer_value(struct chat_writer *w, struct jinja_heap *heap, struct jinja_value value, int indent);
/* Refuses the conversation because of one message. */
void chat_writer_refuse(struct chat_writer *w, uint32_t message, const char *why);

/* Whether thinking is on for the reply: asked for, or the format's default. */
bool chat_writer_thinks(const struct chat_writer *w, bool by_default);
/* The message that is continued, when this is the one. */
bool chat_writer_is_prefix(const struct chat_writer *w, uint32_t message);
bool chat_has_reasoning(const struct chat_message *message);

/* What comes after the last (first) closing mark; all of the text where there is none. */
struct str chat_after_thought(struct str text, bool last_mark);

struct chat_style {
    const char *name;
    void (*encode)(struct chat_writer *w);
    const char *think_open, *think_close; /* null: cannot think */
    bool thinks_by_default;
    bool begins_with_bos; /* the encoder writes the begin token's literal */
    enum tool_form tools;          /* of the calls that it renders */
};

/* The rows, ended by one without a name. */
extern const struct chat_style chat_formats[];
const struct chat_style *chat_formats_find(struct str name);

/* Which style the model's tokens and template text show it to be; null when it is none of the natives that come before the
 * model's own template. `why` receives the reason. */
const struct chat_style *chat_formats_recognize(const struct model_text *model, char why[256]);
/* The style that the special tokens suggest to a model without a usable template, or null. */
const struct chat_style *chat_formats_by_tokens(const struct model_text *model, char why[256]);

/* chat_deepseek.c */
extern const char *const chat_deepseek_tool_marks[N_TOOL_MARKS];
void chat_deepseek_v2(struct chat_writer *w);
void chat_deepseek_v25(struct chat_writer *w);
void chat_deepseek_v3(struct chat_writer *w);
void chat_deepseek_v3_0324(struct chat_writer *w);
void chat_deepseek_r1(struct chat_writer *w);
void chat_deepseek_r1_0528(struct chat_writer *w);
void chat_deepseek_distill(struct chat_writer *w);
void chat_deepseek_v31(struct chat_writer *w);
/* chat_dsml.c */
void chat_dsml_v32(struct chat_writer *w);
/* chat_plain.c */
void chat_plain_chatml(struct chat_writer *w);
void chat_plain_llama3(struct chat_writer *w);
void chat_plain_mistral(struct chat_writer *w);

/* chat_template.c: the model's own template. */
struct chat_template {
    struct jinja *jinja;
    char *bos, *eos; /* owned literals; null: none */
    const char *think_open, *think_close;
    bool switches; /* the template obeys enable_thinking */
    bool thinks_by_default;
    enum tool_form tools; /* by what the template's text shows */
};
enum status chat_template_load(struct chat_template *t, const struct model_text *model, struct error *error) must_check;
void chat_template_release(struct chat_template *t);
enum status chat_template_render(const struct chat_template *t, const struct chat_input *input, struct arena *arena,
                                 struct chat_prompt *prompt, struct error *error) must_check;

#endif
