/* Tool calls in generated text, in the forms that models were trained to write them in:
 *
 *   CHAINED  DeepSeek-V3.1   CALLS_BEGIN (CALL_BEGIN name SEPARATOR arguments CALL_END)+ CALLS_END
 *   FENCED   DeepSeek-V3, R1 the same with a type for the name, and after SEPARATOR name, line end, ```json, arguments, ```
 *   DSML     DeepSeek-V3.2   <D function_calls> (<D invoke name="..."> parameters </D invoke>)+ </D function_calls>, where a parameter is
 *                            <D parameter name="..." string="true">text</D parameter>, or JSON with "false", and "D " stands for the
 *                            mark ｜DSML｜; V4's name tool_calls for the block and V4.1's space after the mark are read too
 *   HERMES   Qwen and kin    (<tool_call> {"name": ..., "arguments": ...} </tool_call>)+
 *   LLAMA    Llama-3         an answer that is {"name": ..., "parameters": ...}, or several with ; between them
 *   MISTRAL  Mistral         CALLS_BEGIN [{"name": ..., "arguments": ...}, ...], or CALLS_BEGIN name SEPARATOR arguments
 *
 * Marks in capitals are control tokens: the caller tells them apart from text by their ids, so text that looks like one stays text.
 *
 * - White space around blocks, names and arguments belongs to nothing. Arguments are any text, and `{}` where they are empty; those
 *   of DSML are put together from the parameters. A JSON string for arguments is read as the text that it holds.
 * - A call counts from where its arguments begin; they are known as they come. Where a JSON form has its keys in another order, the call
 *   counts once its object is whole. The end of the text closes an open call.
 * - What breaks before that (a block without a call, a name that is empty, too long or holds control characters, other text between calls)
 *   is content, marks included. Nothing is lost.
 * - The end of a block that has one is the end of the reply.
 *
 * Incremental, and linear in the text: however it is cut into pieces, the result is the same. */
#ifndef TEXT_TOOL_PARSE_H
#define TEXT_TOOL_PARSE_H

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

enum tool_form {
    TOOL_FORM_NONE,
    TOOL_FORM_CHAINED,
    TOOL_FORM_FENCED,
    TOOL_FORM_DSML,
    TOOL_FORM_HERMES,
    TOOL_FORM_LLAMA,
    TOOL_FORM_MISTRAL,
    N_TOOL_FORMS
};

enum tool_mark { TOOL_CALLS_BEGIN, TOOL_CALL_BEGIN, TOOL_SEPARATOR, TOOL_CALL_END, TOOL_CALLS_END, N_TOOL_MARKS };

enum { TOOL_NAME_BYTES_MAX = 256 };

struct tool_parse {
    enum tool_form form;
    int state;
    bool one_call;    /* the reply ends with its first call */
    bool cut;         /* the text ended inside a call */
    uint32_t n_calls; /* that began */
    struct buf held;  /* content if no call comes of it, or what may be the end of arguments */
    size_t at;        /* in held: where the name, the object or the mark that may come begins */
    struct buf names, arguments, calls;
    /* of the forms in text */
    uint32_t depth, n_keys;
    bool in_string, escaped, whole, inside; /* of the form's own */
};

struct tool_call {
    struct str name, arguments; /* borrowed until the next push */
    bool complete;
};

void tool_parse_init(struct tool_parse *parse, enum tool_form form, bool one_call);
void tool_parse_release(struct tool_parse *parse);

/* Each appends to `content` what is now certain to be content. */
enum status tool_parse_text(struct tool_parse *parse, struct str piece, struct buf *content);
enum status tool_parse_mark(struct tool_parse *parse, enum tool_mark mark, struct str literal, struct buf *content);
/* cut: by a limit, not by the model; a call that is open then stays incomplete. */
enum status tool_parse_end(struct tool_parse *parse, bool cut, struct buf *content);

/* Whether the first mark of a block has come: from then on nothing is thought. */
bool tool_parse_has_begun(const struct tool_parse *parse);
/* Whether the reply is complete; what comes after is dropped. */
bool tool_parse_is_over(const struct tool_parse *parse);

struct tool_call tool_parse_call(const struct tool_parse *parse, uint32_t index);

#endif
