/* Tool calls apart from content (tool_parse.h has the rules). */
#include "text/tool_parse.h"

enum parse_state {
    PARSE_CONTENT,
    PARSE_BLOCK,     /* between calls */
    PARSE_NAME,      /* after CALL_BEGIN */
    PARSE_ARGUMENTS, /* after SEPARATOR */
    PARSE_OVER,
};

enum { BYTES_MAX = 1 << 28 };

/* Where a call's texts lie in `names` and `arguments`. */
struct place {
    size_t name, name_len, arguments, arguments_len;
    bool complete;
};

void tool_parse_init(struct tool_parse *p, bool one_call)
{
    *p = (struct tool_parse){.state = PARSE_CONTENT, .one_call = one_call};
    buf_init(&p->held, BYTES_MAX);
    buf_init(&p->names, BYTES_MAX);
    buf_init(&p->arguments, BYTES_MAX);
    buf_init(&p->calls, BYTES_MAX);
}

void tool_parse_release(struct tool_parse *p)
{
    buf_release(&p->held);
    buf_release(&p->names);
    buf_release(&p->arguments);
    buf_release(&p->calls);
}

bool tool_parse_has_begun(const struct tool_parse *p)
{
    return p->n_calls || p->state != PARSE_CONTENT;
}

bool tool_parse_is_over(const struct tool_parse *p)
{
    return p->state == PARSE_OVER;
}

static struct place *place_at(const struct tool_parse *p, uint32_t index)
{
    return (struct place *)(void *)p->calls.at + index;
}

struct tool_call tool_parse_call(const struct tool_parse *p, uint32_t index)
{
    const struct place *at = place_at(p, index);
    return (struct tool_call){str_from(p->names.at + at->name, at->name_len),
                              str_from(p->arguments.at ? p->arguments.at + at->arguments : "", at->arguments_len), at->complete};
}

static enum status failure(const struct tool_parse *p, const struct buf *content)
{
    const struct buf *const all[] = {&p->held, &p->names, &p->arguments, &p->calls, content};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (buf_status(all[i]) != STATUS_OK)
            return buf_status(all[i]);
    return STATUS_OK;
}

static bool is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct str trimmed(struct str text)
{
    while (text.len && is_white(text.at[0]))
        text = str_skip(text, 1);
    while (text.len && is_white(text.at[text.len - 1]))
        text.len--;
    return text;
}

static void enter(struct tool_parse *p, enum parse_state state)
{
    p->state = (int)state;
    buf_clear(&p->held);
}

/* What was held is no call. */
static void break_off(struct tool_parse *p, struct buf *content)
{
    buf_add_str(content, buf_str(&p->held));
    enter(p, PARSE_CONTENT);
}

static void enter_name(struct tool_parse *p, struct str literal)
{
    buf_add_str(&p->held, literal);
    p->name_at = p->held.len;
    p->state = PARSE_NAME;
}

static bool is_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.at[i] < ' ' || name.at[i] == 0x7F)
            return false;
    return name.len && name.len <= TOOL_NAME_BYTES_MAX;
}

static void begin_call(struct tool_parse *p, struct str name)
{
    struct place place = {.name = p->names.len, .name_len = name.len, .arguments = p->arguments.len};
    buf_add_str(&p->names, name);
    if (buf_add(&p->calls, &place, sizeof place) == STATUS_OK && buf_status(&p->names) == STATUS_OK)
        p->n_calls++;
    enter(p, PARSE_ARGUMENTS);
}

static void add_arguments(struct tool_parse *p, struct str text)
{
    struct place *place = place_at(p, p->n_calls - 1);
    buf_add_str(&p->arguments, text);
    place->arguments_len = p->arguments.len - place->arguments;
}

/* White space at the end waits for what follows it; at the beginning it is dropped. */
static void take_arguments(struct tool_parse *p, struct str piece)
{
    size_t n = piece.len;
    while (n && is_white(piece.at[n - 1]))
        n--;
    if (n) {
        if (place_at(p, p->n_calls - 1)->arguments_len) {
            add_arguments(p, buf_str(&p->held));
            add_arguments(p, str_from(piece.at, n));
        } else {
            add_arguments(p, trimmed(piece));
        }
        buf_clear(&p->held);
    }
    buf_add_str(&p->held, str_skip(piece, n));
}

static void end_call(struct tool_parse *p)
{
    struct place *place = place_at(p, p->n_calls - 1);
    if (place->arguments_len == 0)
        add_arguments(p, str_of("{}"));
    place->complete = true;
    enter(p, p->one_call ? PARSE_OVER : PARSE_BLOCK);
}

enum status tool_parse_text(struct tool_parse *p, struct str piece, struct buf *content)
{
    if (failure(p, content) != STATUS_OK)
        return failure(p, content);
    if (p->state == PARSE_CONTENT) {
        buf_add_str(content, piece);
    } else if (p->state == PARSE_ARGUMENTS) {
        take_arguments(p, piece);
    } else if (p->state != PARSE_OVER) {
        size_t room = 2 * (size_t)TOOL_NAME_BYTES_MAX; /* with white space around it */
        buf_add_str(&p->held, piece);
        if (p->state == PARSE_BLOCK ? trimmed(piece).len > 0 : p->held.len - p->name_at > room)
            break_off(p, content);
    }
    return failure(p, content);
}

static void mark_in_content(struct tool_parse *p, enum tool_mark mark, struct str literal, struct buf *content)
{
    if (mark == TOOL_CALLS_BEGIN) {
        p->state = PARSE_BLOCK;
        buf_add_str(&p->held, literal);
    } else {
        buf_add_str(content, literal);
    }
}

/* A mark where none of its kind may stand: a block may begin with it. */
static void break_at(struct tool_parse *p, enum tool_mark mark, struct str literal, struct buf *content)
{
    break_off(p, content);
    mark_in_content(p, mark, literal, content);
}

static void mark_in_block(struct tool_parse *p, enum tool_mark mark, struct str literal, struct buf *content)
{
    if (mark == TOOL_CALL_BEGIN)
        enter_name(p, literal);
    else if (mark == TOOL_CALLS_END && p->n_calls)
        enter(p, PARSE_OVER);
    else
        break_at(p, mark, literal, content);
}

static void mark_in_name(struct tool_parse *p, enum tool_mark mark, struct str literal, struct buf *content)
{
    struct str name = trimmed(str_skip(buf_str(&p->held), p->name_at));
    if (mark == TOOL_SEPARATOR && is_name(name))
        begin_call(p, name);
    else
        break_at(p, mark, literal, content);
}

static void mark_in_arguments(struct tool_parse *p, enum tool_mark mark, struct str literal)
{
    if (mark == TOOL_SEPARATOR || mark == TOOL_CALLS_BEGIN) {
        take_arguments(p, literal);
        return;
    }
    end_call(p);
    if (p->state == PARSE_BLOCK && mark == TOOL_CALLS_END)
        enter(p, PARSE_OVER);
    else if (p->state == PARSE_BLOCK && mark == TOOL_CALL_BEGIN)
        enter_name(p, literal);
}

enum status tool_parse_mark(struct tool_parse *p, enum tool_mark mark, struct str literal, struct buf *content)
{
    if (failure(p, content) != STATUS_OK)
        return failure(p, content);
    if (p->state == PARSE_CONTENT)
        mark_in_content(p, mark, literal, content);
    else if (p->state == PARSE_BLOCK)
        mark_in_block(p, mark, literal, content);
    else if (p->state == PARSE_NAME)
        mark_in_name(p, mark, literal, content);
    else if (p->state == PARSE_ARGUMENTS)
        mark_in_arguments(p, mark, literal);
    return failure(p, content);
}

enum status tool_parse_end(struct tool_parse *p, bool cut, struct buf *content)
{
    if (failure(p, content) != STATUS_OK)
        return failure(p, content);
    p->cut = cut && (p->state == PARSE_NAME || p->state == PARSE_ARGUMENTS);
    if (p->state == PARSE_ARGUMENTS && !cut)
        end_call(p);
    else if (p->state == PARSE_NAME || (p->state == PARSE_BLOCK && !p->n_calls))
        break_off(p, content);
    return failure(p, content);
}
