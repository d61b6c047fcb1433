/* Conversations to prompts: the chat request as plain data, and the format that renders it.
 *
 * Native encoders serve the DeepSeek family (byte for byte the official templates), ChatML, Llama-3 and
 * Mistral; any other model's own template runs in the bounded Jinja subset (text/jinja.h). Rendering yields
 * spans: what the format wrote is scaffold, what the caller wrote is content. */
#ifndef TEXT_CHAT_H
#define TEXT_CHAT_H

#include "base/arena.h"
#include "text/model_text.h"
#include "text/tokenizer.h"
#include "text/tool_parse.h"

enum chat_role { CHAT_SYSTEM, CHAT_USER, CHAT_ASSISTANT, CHAT_TOOL };

struct chat_tool_call {
    struct str id, name, arguments; /* arguments: JSON text, or any text where the caller sent such */
};

struct chat_message {
    enum chat_role role;
    struct str content;   /* parts joined */
    bool has_content;     /* false: null or absent */
    struct str reasoning; /* reasoning_content */
    bool has_reasoning;
    struct str name, tool_call_id;
    const struct chat_tool_call *calls;
    uint32_t n_calls;
};

struct chat_tool {
    struct str name, description, parameters; /* parameters: JSON text, empty when absent */
    struct str json;                          /* the whole tool object as JSON text */
    bool strict;
};

enum chat_thinking { CHAT_THINKING_DEFAULT, CHAT_THINKING_ON, CHAT_THINKING_OFF };

struct chat_input {
    const struct chat_message *messages;
    uint32_t n_messages;
    const struct chat_tool *tools;
    uint32_t n_tools;
    enum chat_thinking thinking;
    struct str effort;              /* reasoning effort name, or empty */
    const char *own_template;       /* for the caller's use: a template in place of the format's; null: none */
    struct str template_kwargs;     /* JSON object text of chat_template_kwargs, or empty */
    bool add_generation_prompt;
    bool continue_final;            /* the last assistant message is a prefix to continue */
    const char *date;               /* YYYY-MM-DD for templates that ask; null: today */
};

struct chat_prompt {
    struct span *spans; /* from the arena */
    uint32_t n_spans;
    bool in_reasoning;  /* the model's output begins inside the thought */
    bool thinking;      /* thinking is on for this reply: reasoning_content is reported */
    bool has_bos;       /* the text begins with the begin token's literal: do not add another */
};

struct chat_format; /* immutable after choosing */

/* Names for --chat-format, null-terminated. */
const char *const *chat_format_names(void);

/* Chooses by the rules of docs (forced name, native recognition, own template, known tokens); `why` receives a
 * sentence for inspect and the log. */
enum status chat_format_choose(struct chat_format **out, const struct model_text *model, const char *forced_name,
                               char why[256], struct error *error) must_check;
void chat_format_free(struct chat_format *format);

const char *chat_format_name(const struct chat_format *format);
bool chat_format_can_think(const struct chat_format *format);
bool chat_format_thinks_by_default(const struct chat_format *format);
/* Marks that open and close the thought in the output ("<think>", "</think>"); null when it cannot think. */
const char *chat_format_think_open(const struct chat_format *format);
const char *chat_format_think_close(const struct chat_format *format);

/* The form of calls that the format renders and its models write; TOOL_FORM_NONE: it has no tools. */
enum tool_form chat_format_tool_form(const struct chat_format *format);
enum { CHAT_NO_TOKEN = UINT32_MAX };
/* Whether calls of that form can be read: the vocabulary has the marks that must be tokens. Their ids; CHAT_NO_TOKEN for those that the
 * form does not have, or only some vocabularies. */
bool chat_format_find_tool_marks(const struct chat_format *format, const struct tokenizer *tokenizer, uint32_t ids[N_TOOL_MARKS]);
/* Literals of calls that are text to the parser, whatever the tokenizer holds them for; ended by null. */
const char *const *chat_format_tool_texts(const struct chat_format *format);

/* Errors carry the path of the message at fault ("messages[3]") and code invalid_value. */
enum status chat_render(const struct chat_format *format, const struct chat_input *input, struct arena *arena,
                        struct chat_prompt *prompt, struct error *error) must_check;

#endif
