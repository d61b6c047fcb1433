/* Calls between control tokens: V3.1's, and those of V3 and R1 with arguments in a fence. */
#include "text/tool_parse_parts.h"

enum marked_state {
    MARKED_BLOCK = TOOL_PARSE_OWN, /* between calls */
    MARKED_NAME,                   /* after CALL_BEGIN; FENCED: its type */
    MARKED_FENCE,                  /* FENCED: after SEPARATOR, up to the arguments */
    MARKED_ARGUMENTS,
};

static const char fence[] = "```";

static void enter_name(struct tool_parse *p, struct str literal)
{
    buf_add_str(&p->held, literal);
    p->at = p->held.len;
    p->state = MARKED_NAME;
}

/* ---- Arguments ------------------------------------------------------------------------------------------------- */

/* What may be the end of arguments, should nothing follow: white space, and the fence where there is one. */
static bool may_end(const struct tool_parse *p, char c)
{
    return tool_parse_is_white(c) || (p->form == TOOL_FORM_FENCED && c == fence[0]);
}

static struct str left_trimmed(struct str text)
{
    while (text.len && tool_parse_is_white(text.at[0]))
        text = str_skip(text, 1);
    return text;
}

/* White space is dropped where arguments begin. */
static void add_arguments(struct tool_parse *p, struct str text)
{
    tool_parse_add_arguments(p, tool_parse_arguments_len(p) ? text : left_trimmed(text));
}

/* The end waits for what follows it. */
static void take_arguments(struct tool_parse *p, struct str piece)
{
    size_t n = piece.len;
    while (n && may_end(p, piece.at[n - 1]))
        n--;
    if (n) {
        add_arguments(p, buf_str(&p->held));
        add_arguments(p, str_from(piece.at, n));
        buf_clear(&p->held);
    }
    buf_add_str(&p->held, str_skip(piece, n));
}

/* Backquotes before the fence belong to the arguments. */
static void end_arguments(struct tool_parse *p, int next)
{
    struct str rest = buf_str(&p->held);
    while (rest.len && tool_parse_is_white(rest.at[rest.len - 1]))
        rest.len--;
    if (str_ends(rest, str_of(fence)))
        rest.len -= sizeof fence - 1;
    while (rest.len && tool_parse_is_white(rest.at[rest.len - 1]))
        rest.len--;
    add_arguments(p, rest);
    tool_parse_end_call(p, next);
}

/* ---- Text ------------------------------------------------------------------------------------------------------ */

/* "NAME\n```json\n" is whole: the call begins. A name alone waits; anything else breaks. */
static void look_at_fence(struct tool_parse *p, struct buf *content)
{
    static const char opening[] = "```json";
    struct str head = left_trimmed(str_skip(buf_str(&p->held), p->at));
    const char *line = memchr(head.at, '\n', head.len);
    if (!line) {
        if (head.len > 2 * (size_t)TOOL_NAME_BYTES_MAX)
            tool_parse_break_off(p, content);
        return;
    }
    struct str name = tool_parse_trimmed(str_from(head.at, (size_t)(line - head.at)));
    struct str rest = str_from(line + 1, head.len - (size_t)(line + 1 - head.at));
    const char *end = memchr(rest.at, '\n', rest.len);
    struct str first = str_from(rest.at, end ? (size_t)(end - rest.at) : rest.len);
    if (!tool_parse_is_name(name) || (end ? !str_is(first, opening) : !str_starts(str_of(opening), first)))
        tool_parse_break_off(p, content);
    else if (end) {
        tool_parse_begin_call(p, name);
        tool_parse_enter(p, MARKED_ARGUMENTS);
    }
}

/* A byte at a time until the arguments begin: there may be more of them in the piece. */
static struct str take_fence(struct tool_parse *p, struct str piece, struct buf *content)
{
    while (piece.len && p->state == MARKED_FENCE) {
        buf_add_char(&p->held, piece.at[0]);
        piece = str_skip(piece, 1);
        look_at_fence(p, content);
    }
    return piece;
}

static void take_text(struct tool_parse *p, struct str piece, struct buf *content)
{
    if (p->state == MARKED_FENCE)
        piece = take_fence(p, piece, content);
    if (p->state == TOOL_PARSE_CONTENT) {
        buf_add_str(content, piece);
    } else if (p->state == MARKED_ARGUMENTS) {
        take_arguments(p, piece);
    } else {
        size_t room = 2 * (size_t)TOOL_NAME_BYTES_MAX; /* with white space around it */
        buf_add_str(&p->held, piece);
        if (p->state == MARKED_BLOCK ? tool_parse_trimmed(piece).len > 0 : p->held.len - p->at > room)
            tool_parse_break_off(p, content);
    }
}

/* ---- Marks ----------------------------------------------------------------------------------------------------- */

static void mark_in_content(struct tool_parse *p, enum tool_mark mark, struct str literal, struct buf *content)
{
    if (mark == TOOL_CALLS_BEGIN) {
        p->state = MARKED_BLOCK;
        buf_add_str(&p->held, literal);
    } else {
        buf_add_str(content, literal);
    }
}

/* A mark where none of its kind may stand: a block may begin with it. */
static void break_at(struct tool_parse *p, enum tool_mark mark, struct str literal, struct buf *content)
{
    tool_parse_break_off(p, content);
    mark_in_content(p, mark, literal, content);
}

static void mark_in_block(struct tool_parse *p, enum tool_mark mark, struct str literal, struct buf *content)
{
    if (mark == TOOL_CALL_BEGIN)
        enter_name(p, literal);
    else if (mark == TOOL_CALLS_END && p->n_calls)
        tool_parse_enter(p, TOOL_PARSE_OVER);
    else
        break_at(p, mark, literal, content);
}

static void mark_in_name(struct tool_parse *p, enum tool_mark mark, struct str literal, struct buf *content)
{
    struct str name = tool_parse_trimmed(str_skip(buf_str(&p->held), p->at));
    if (mark != TOOL_SEPARATOR || !tool_parse_is_name(name)) {
        break_at(p, mark, literal, content);
    } else if (p->form == TOOL_FORM_FENCED) {
        buf_add_str(&p->held, literal);
        p->at = p->held.len;
        p->state = MARKED_FENCE;
    } else {
        tool_parse_begin_call(p, name);
        tool_parse_enter(p, MARKED_ARGUMENTS);
    }
}

static void mark_in_arguments(struct tool_parse *p, enum tool_mark mark, struct str literal)
{
    if (mark == TOOL_SEPARATOR || mark == TOOL_CALLS_BEGIN) {
        take_arguments(p, literal);
        return;
    }
    end_arguments(p, MARKED_BLOCK);
    if (p->state == MARKED_BLOCK && mark == TOOL_CALLS_END)
        tool_parse_enter(p, TOOL_PARSE_OVER);
    else if (p->state == MARKED_BLOCK && mark == TOOL_CALL_BEGIN)
        enter_name(p, literal);
}

static void take_mark(struct tool_parse *p, enum tool_mark mark, struct str literal, struct buf *content)
{
    if (p->state == TOOL_PARSE_CONTENT)
        mark_in_content(p, mark, literal, content);
    else if (p->state == MARKED_BLOCK)
        mark_in_block(p, mark, literal, content);
    else if (p->state == MARKED_NAME)
        mark_in_name(p, mark, literal, content);
    else if (p->state == MARKED_FENCE)
        break_at(p, mark, literal, content);
    else
        mark_in_arguments(p, mark, literal);
}

static void take_end(struct tool_parse *p, bool cut, struct buf *content)
{
    p->cut = cut && p->state >= MARKED_NAME;
    if (p->state == MARKED_ARGUMENTS && !cut)
        end_arguments(p, MARKED_BLOCK);
    else if (p->state == MARKED_NAME || p->state == MARKED_FENCE || (p->state == MARKED_BLOCK && !p->n_calls))
        tool_parse_break_off(p, content);
}

const struct tool_parse_form tool_parse_marked = {take_text, take_mark, take_end};
