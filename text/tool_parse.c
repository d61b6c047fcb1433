/* Tool calls apart from content (tool_parse.h has the rules): calls as they are kept, and the forms to choose from. */
#include "text/tool_parse.h"

#include "text/tool_parse_parts.h"

enum { BYTES_MAX = 1 << 28 };

/* Where a call's texts lie in `names` and `arguments`. */
struct place {
    size_t name, name_len, arguments, arguments_len;
    bool complete;
};

static const struct tool_parse_form *form_of(const struct tool_parse *p)
{
    static const struct tool_parse_form *const forms[N_TOOL_FORMS] = {
        [TOOL_FORM_NONE] = &tool_parse_marked,  [TOOL_FORM_CHAINED] = &tool_parse_marked, [TOOL_FORM_FENCED] = &tool_parse_marked,
        [TOOL_FORM_DSML] = &tool_parse_dsml,    [TOOL_FORM_HERMES] = &tool_parse_json,    [TOOL_FORM_LLAMA] = &tool_parse_json,
        [TOOL_FORM_MISTRAL] = &tool_parse_json,
    };
    return forms[p->form];
}

void tool_parse_init(struct tool_parse *p, enum tool_form form, bool one_call)
{
    *p = (struct tool_parse){.form = form, .state = TOOL_PARSE_CONTENT, .one_call = one_call};
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

/* ---- Calls ----------------------------------------------------------------------------------------------------- */

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

bool tool_parse_is_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.at[i] < ' ' || name.at[i] == 0x7F)
            return false;
    return name.len && name.len <= TOOL_NAME_BYTES_MAX;
}

void tool_parse_begin_call(struct tool_parse *p, struct str name)
{
    struct place place = {.name = p->names.len, .name_len = name.len, .arguments = p->arguments.len};
    buf_add_str(&p->names, name);
    if (buf_add(&p->calls, &place, sizeof place) == STATUS_OK && buf_status(&p->names) == STATUS_OK)
        p->n_calls++;
}

void tool_parse_add_arguments(struct tool_parse *p, struct str text)
{
    if (!p->n_calls)
        return; /* for want of memory, which is told at the end of the push */
    struct place *place = place_at(p, p->n_calls - 1);
    buf_add_str(&p->arguments, text);
    place->arguments_len = p->arguments.len - place->arguments;
}

size_t tool_parse_arguments_len(const struct tool_parse *p)
{
    return p->n_calls ? place_at(p, p->n_calls - 1)->arguments_len : 0;
}

void tool_parse_end_call(struct tool_parse *p, int next)
{
    if (tool_parse_arguments_len(p) == 0)
        tool_parse_add_arguments(p, str_of("{}"));
    if (p->n_calls)
        place_at(p, p->n_calls - 1)->complete = true;
    tool_parse_enter(p, p->one_call ? TOOL_PARSE_OVER : next);
}

/* ---- What forms share ------------------------------------------------------------------------------------------- */

bool tool_parse_is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct str tool_parse_trimmed(struct str text)
{
    while (text.len && tool_parse_is_white(text.at[0]))
        text = str_skip(text, 1);
    while (text.len && tool_parse_is_white(text.at[text.len - 1]))
        text.len--;
    return text;
}

void tool_parse_enter(struct tool_parse *p, int state)
{
    p->state = state;
    p->at = 0;
    buf_clear(&p->held);
}

void tool_parse_break_off(struct tool_parse *p, struct buf *content)
{
    buf_add_str(content, buf_str(&p->held));
    tool_parse_enter(p, TOOL_PARSE_CONTENT);
}

void tool_parse_track(struct tool_parse *p, char c)
{
    if (p->in_string) {
        p->in_string = p->escaped || c != '"';
        p->escaped = !p->escaped && c == '\\';
    } else if (c == '"') {
        p->in_string = true;
    } else if (c == '{' || c == '[') {
        p->depth++;
    } else if ((c == '}' || c == ']') && p->depth) {
        p->depth--;
    }
}

/* ---- Pieces ------------------------------------------------------------------------------------------------------ */

static enum status failure(const struct tool_parse *p, const struct buf *content)
{
    const struct buf *const all[] = {&p->held, &p->names, &p->arguments, &p->calls, content};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (buf_status(all[i]) != STATUS_OK)
            return buf_status(all[i]);
    return STATUS_OK;
}

bool tool_parse_has_begun(const struct tool_parse *p)
{
    return p->n_calls || (p->state != TOOL_PARSE_CONTENT && form_of(p) == &tool_parse_marked);
}

bool tool_parse_is_over(const struct tool_parse *p)
{
    return p->state == TOOL_PARSE_OVER;
}

enum status tool_parse_text(struct tool_parse *p, struct str piece, struct buf *content)
{
    if (failure(p, content) == STATUS_OK && p->state != TOOL_PARSE_OVER)
        form_of(p)->text(p, piece, content);
    return failure(p, content);
}

enum status tool_parse_mark(struct tool_parse *p, enum tool_mark mark, struct str literal, struct buf *content)
{
    if (failure(p, content) == STATUS_OK && p->state != TOOL_PARSE_OVER)
        form_of(p)->mark(p, mark, literal, content);
    return failure(p, content);
}

enum status tool_parse_end(struct tool_parse *p, bool cut, struct buf *content)
{
    if (failure(p, content) == STATUS_OK && p->state != TOOL_PARSE_OVER)
        form_of(p)->end(p, cut, content);
    return failure(p, content);
}
