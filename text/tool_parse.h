/* Tool calls in generated text, in the chained form that DeepSeek-V3.1 writes:
 *
 *   CALLS_BEGIN (CALL_BEGIN name SEPARATOR arguments CALL_END)+ CALLS_END
 *
 * The marks are control tokens: the caller tells them apart from text by their ids, so text that looks like a mark stays text.
 *
 * - White space around names and arguments and between calls belongs to nothing. Arguments are any text, and `{}` where they are empty.
 * - A call counts from its SEPARATOR on; its arguments are known as they come. CALLS_END, the next CALL_BEGIN or the end of the text
 *   close a call that lacks its CALL_END; other marks inside arguments are text.
 * - What breaks before that (a block without a call, a name that is empty, too long or holds control characters, text between calls)
 *   is content, marks included. Nothing is lost.
 * - The end of the block is the end of the reply.
 *
 * Incremental: however the text is cut into pieces, the result is the same. */
#ifndef TEXT_TOOL_PARSE_H
#define TEXT_TOOL_PARSE_H

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

enum tool_mark { TOOL_CALLS_BEGIN, TOOL_CALL_BEGIN, TOOL_SEPARATOR, TOOL_CALL_END, TOOL_CALLS_END, N_TOOL_MARKS };

enum { TOOL_NAME_BYTES_MAX = 256 };

struct tool_parse {
    int state;
    bool one_call;        /* the reply ends with its first call */
    bool cut;             /* the text ended inside a call */
    uint32_t n_calls;     /* that began */
    struct buf held;      /* outside arguments: content if the call breaks; inside: white space that may be the last */
    size_t name_at;       /* where the name begins in held */
    struct buf names, arguments, calls; /* private */
};

struct tool_call {
    struct str name, arguments; /* borrowed until the next push */
    bool complete;
};

void tool_parse_init(struct tool_parse *parse, bool one_call);
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
