/* Calls in DSML: tags with a mark of their own, a parameter to each; the arguments are put together from them as an object. */
#include <stdio.h>
#include <string.h>

#include "text/tool_parse_parts.h"

#define MARK                                                                                                                             \
    "\xEF\xBD\x9C"                                                                                                                       \
    "DSML"                                                                                                                               \
    "\xEF\xBD\x9C"

enum dsml_state {
    DSML_TAGS = TOOL_PARSE_OWN, /* between tags */
    DSML_TAG,                   /* inside one, up to its > */
    DSML_TEXT,                  /* the value of a parameter that is text */
    DSML_JSON,                  /* or JSON */
};

enum { TAG_BYTES_MAX = 1024 + TOOL_NAME_BYTES_MAX };

static const char *const openers[] = {"<" MARK "function_calls>", "<" MARK "tool_calls>", "<" MARK " function_calls>",
                                      "<" MARK " tool_calls>", "<" MARK " calls>"};
static const char *const closers[] = {"</" MARK "parameter>", "</" MARK " parameter>"};
enum { N_OPENERS = sizeof openers / sizeof openers[0], N_CLOSERS = sizeof closers / sizeof closers[0] };

enum match { MATCH_NONE, MATCH_BEGUN, MATCH_WHOLE };

/* How far the text is one of these. */
static enum match match(struct str text, const char *const *marks, size_t n)
{
    enum match best = MATCH_NONE;
    for (size_t i = 0; i < n; i++) {
        if (str_is(text, marks[i]))
            return MATCH_WHOLE;
        if (str_starts(str_of(marks[i]), text))
            best = MATCH_BEGUN;
    }
    return best;
}

static void take_byte(struct tool_parse *p, char c, struct buf *content);

/* ---- Content --------------------------------------------------------------------------------------------------- */

/* White space and then perhaps an opening tag, whose first byte stands nowhere else in it. */
static void take_content(struct tool_parse *p, char c, struct buf *content)
{
    buf_add_char(&p->held, c);
    struct str mark = str_skip(buf_str(&p->held), p->at);
    enum match found = match(mark, openers, N_OPENERS);
    if (found == MATCH_WHOLE) {
        p->state = DSML_TAGS;
    } else if (mark.len == 1 && tool_parse_is_white(c)) {
        p->at++;
    } else if (found == MATCH_NONE) {
        bool again = mark.len > 1;
        buf_add(content, p->held.at, p->held.len - again);
        tool_parse_enter(p, TOOL_PARSE_CONTENT);
        if (again)
            take_content(p, c, content);
    }
}

/* ---- Tags ------------------------------------------------------------------------------------------------------ */

struct tag {
    bool closes;
    struct str name, rest; /* rest: its attributes */
};

static bool read_tag(struct str text, struct tag *tag)
{
    static const struct str mark = {MARK, sizeof MARK - 1};
    *tag = (struct tag){0};
    text = str_from(text.at + 1, text.len - 2); /* without the brackets */
    tag->closes = str_starts(text, str_of("/"));
    text = str_skip(text, tag->closes);
    if (!str_starts(text, mark))
        return false;
    text = tool_parse_trimmed(str_skip(text, mark.len));
    size_t n = 0;
    while (n < text.len && !tool_parse_is_white(text.at[n]))
        n++;
    tag->name = str_from(text.at, n);
    tag->rest = tool_parse_trimmed(str_skip(text, n));
    return true;
}

/* key="value"; the value holds no quotation mark. */
static bool attribute(struct tag *tag, const char *key, struct str *value)
{
    size_t n = strlen(key);
    struct str text = tag->rest;
    if (!str_starts(text, str_of(key)) || !str_starts(str_skip(text, n), str_of("=\"")))
        return false;
    text = str_skip(text, n + 2);
    const char *end = memchr(text.at, '"', text.len);
    if (!end)
        return false;
    *value = str_from(text.at, (size_t)(end - text.at));
    tag->rest = tool_parse_trimmed(str_skip(text, value->len + 1));
    return true;
}

/* Byte by byte, so that no cutting of the text changes what comes out. */
static void add_escaped(struct tool_parse *p, char c)
{
    static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *at = c ? strchr(plain, c) : NULL;
    char text[8];
    int n = 1;
    if (at)
        n = snprintf(text, sizeof text, "\\%c", letters[at - plain]);
    else if ((unsigned char)c < ' ')
        n = snprintf(text, sizeof text, "\\u%04x", (unsigned)(unsigned char)c);
    else
        text[0] = c;
    tool_parse_add_arguments(p, str_from(text, (size_t)n));
}

static void begin_parameter(struct tool_parse *p, struct str key, bool is_text)
{
    tool_parse_add_arguments(p, str_of(p->n_keys++ ? ", \"" : "{\""));
    for (size_t i = 0; i < key.len; i++)
        add_escaped(p, key.at[i]);
    tool_parse_add_arguments(p, str_of(is_text ? "\": \"" : "\": "));
    tool_parse_enter(p, is_text ? DSML_TEXT : DSML_JSON);
    p->whole = false; /* of DSML_JSON: something of the value has come */
}

static void end_invoke(struct tool_parse *p)
{
    if (p->n_keys)
        tool_parse_add_arguments(p, str_of("}"));
    p->inside = false;
    tool_parse_end_call(p, DSML_TAGS);
}

static void take_outer_tag(struct tool_parse *p, struct tag *tag, struct buf *content)
{
    struct str name;
    if (!tag->closes && str_is(tag->name, "invoke") && attribute(tag, "name", &name) && tool_parse_is_name(name)) {
        tool_parse_begin_call(p, name);
        tool_parse_enter(p, DSML_TAGS);
        p->inside = true;
        p->n_keys = 0;
    } else if (tag->closes && !str_is(tag->name, "invoke") && p->n_calls) {
        tool_parse_enter(p, TOOL_PARSE_OVER);
    } else {
        tool_parse_break_off(p, content);
    }
}

/* The call that is open when a block breaks ends there. */
static void break_block(struct tool_parse *p, struct buf *content)
{
    struct buf held = p->held;
    if (!p->inside) {
        tool_parse_break_off(p, content);
        return;
    }
    buf_init(&p->held, held.max);
    end_invoke(p);
    if (p->state != TOOL_PARSE_OVER) {
        buf_add_str(content, buf_str(&held));
        tool_parse_enter(p, TOOL_PARSE_CONTENT);
    }
    buf_release(&held);
}

static void take_inner_tag(struct tool_parse *p, struct tag *tag, struct buf *content)
{
    struct str key, is_text = str_of("");
    if (!tag->closes && str_is(tag->name, "parameter") && attribute(tag, "name", &key)) {
        attribute(tag, "string", &is_text);
        begin_parameter(p, key, str_is(is_text, "true"));
    } else if (tag->closes && str_is(tag->name, "invoke")) {
        end_invoke(p);
    } else {
        break_block(p, content);
    }
}

static void take_tag(struct tool_parse *p, char c, struct buf *content)
{
    struct tag tag;
    buf_add_char(&p->held, c);
    if (c != '>') {
        if (p->held.len - p->at > TAG_BYTES_MAX)
            break_block(p, content);
        return;
    }
    p->state = DSML_TAGS;
    if (!read_tag(str_skip(buf_str(&p->held), p->at), &tag))
        break_block(p, content);
    else if (p->inside)
        take_inner_tag(p, &tag, content);
    else
        take_outer_tag(p, &tag, content);
}

static void take_between(struct tool_parse *p, char c, struct buf *content)
{
    buf_add_char(&p->held, c);
    if (c == '<') {
        p->at = p->held.len - 1;
        p->state = DSML_TAG;
    } else if (!tool_parse_is_white(c)) {
        break_block(p, content);
    }
}

/* ---- Values ---------------------------------------------------------------------------------------------------- */

static void add_value(struct tool_parse *p, struct str text)
{
    if (p->state == DSML_JSON)
        tool_parse_add_arguments(p, text);
    for (size_t i = 0; p->state == DSML_TEXT && i < text.len; i++)
        add_escaped(p, text.at[i]);
}

static void end_value(struct tool_parse *p)
{
    if (p->state == DSML_TEXT)
        tool_parse_add_arguments(p, str_of("\""));
    else if (!p->whole)
        tool_parse_add_arguments(p, str_of("null"));
    tool_parse_enter(p, DSML_TAGS);
}

/* White space of JSON waits: at its ends it is dropped. p->at: the white space held, before what may be the closing tag. */
static void take_value(struct tool_parse *p, char c, struct buf *content)
{
    buf_add_char(&p->held, c);
    struct str mark = str_skip(buf_str(&p->held), p->at);
    enum match found = match(mark, closers, N_CLOSERS);
    if (found == MATCH_WHOLE) {
        end_value(p);
    } else if (found == MATCH_NONE && mark.len == 1 && p->state == DSML_JSON && tool_parse_is_white(c)) {
        if (p->whole)
            p->at++;
        else
            buf_clear(&p->held);
    } else if (found == MATCH_NONE) {
        bool again = mark.len > 1 && c == '<';
        add_value(p, str_from(p->held.at, p->held.len - again));
        p->whole = true;
        tool_parse_enter(p, p->state);
        if (again)
            take_value(p, c, content);
    }
}

/* ---- Pieces ---------------------------------------------------------------------------------------------------- */

static void take_byte(struct tool_parse *p, char c, struct buf *content)
{
    if (p->state == TOOL_PARSE_CONTENT)
        take_content(p, c, content);
    else if (p->state == DSML_TAGS)
        take_between(p, c, content);
    else if (p->state == DSML_TAG)
        take_tag(p, c, content);
    else if (p->state != TOOL_PARSE_OVER)
        take_value(p, c, content);
}

static void take_text(struct tool_parse *p, struct str piece, struct buf *content)
{
    for (size_t i = 0; i < piece.len; i++)
        take_byte(p, piece.at[i], content);
}

static void take_mark(struct tool_parse *p, enum tool_mark mark, struct str literal, struct buf *content)
{
    (void)mark;
    take_text(p, literal, content);
}

/* What is open when the model ends is closed; when a limit cuts, it is left as it is. */
static void take_end(struct tool_parse *p, bool cut, struct buf *content)
{
    p->cut = cut && p->inside;
    if (p->inside && cut)
        return;
    if (p->inside) {
        if (p->state == DSML_TEXT || p->state == DSML_JSON) {
            add_value(p, buf_str(&p->held));
            end_value(p);
        }
        end_invoke(p);
    } else if (p->n_calls && (p->state == DSML_TAGS || !tool_parse_trimmed(buf_str(&p->held)).len)) {
        buf_clear(&p->held);
    } else {
        tool_parse_break_off(p, content);
    }
}

const struct tool_parse_form tool_parse_dsml = {take_text, take_mark, take_end};
