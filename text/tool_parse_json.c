/* Calls that are JSON objects with a name: Hermes' between tags, Llama's as the whole answer, Mistral's in a list. */
#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "text/tool_parse_parts.h"

enum call_state {
    CALL_PLAIN = TOOL_PARSE_OWN, /* LLAMA: the answer is text */
    CALL_OBJECT,                 /* an object, a list or a name must come */
    CALL_NAME,                   /* MISTRAL: a name without an object around it */
    CALL_HEAD,                   /* inside the object, before the arguments */
    CALL_ARGUMENTS,
    CALL_REST,  /* after the arguments, up to the object's end */
    CALL_AFTER, /* a call is complete: its closing tag, a further one, or other text */
};

static const char opener[] = "<tool_call>", closer[] = "</tool_call>";

static void take_byte(struct tool_parse *p, char c, struct buf *content);

static int state_of_content(const struct tool_parse *p)
{
    return p->form == TOOL_FORM_LLAMA && p->n_calls ? CALL_PLAIN : TOOL_PARSE_CONTENT;
}

/* What is held is content, but for its last byte, which is looked at again: a call may begin with it. */
static void break_and_look_again(struct tool_parse *p, struct buf *content)
{
    struct str held = buf_str(&p->held);
    if (!held.len)
        return;
    char last = held.at[held.len - 1];
    buf_add(content, held.at, held.len - 1);
    tool_parse_enter(p, p->form == TOOL_FORM_LLAMA ? CALL_PLAIN : TOOL_PARSE_CONTENT);
    take_byte(p, last, content);
}

static void begin_object(struct tool_parse *p)
{
    p->at = p->held.len - 1;
    p->depth = 1;
    p->n_keys = 0;
    p->in_string = p->escaped = p->whole = false;
    p->state = CALL_HEAD;
}

/* p->inside, in CALL_OBJECT: the mark of MISTRAL's block stands before, after which a list or a name may come. */

/* ---- Before a call --------------------------------------------------------------------------------------------- */

/* White space and then perhaps the opening tag, whose first byte stands nowhere else in it. */
static void take_content(struct tool_parse *p, char c, struct buf *content)
{
    buf_add_char(&p->held, c);
    struct str mark = str_skip(buf_str(&p->held), p->at);
    if (str_is(mark, opener)) {
        p->state = CALL_OBJECT;
    } else if (mark.len == 1 && tool_parse_is_white(c)) {
        p->at++;
    } else if (!str_starts(str_of(opener), mark)) {
        bool again = mark.len > 1;
        buf_add(content, p->held.at, p->held.len - again);
        tool_parse_enter(p, TOOL_PARSE_CONTENT);
        if (again)
            take_content(p, c, content);
    }
}

/* Only an answer that begins with an object can be a call. */
static void take_start(struct tool_parse *p, char c, struct buf *content)
{
    buf_add_char(&p->held, c);
    if (c == '{') {
        begin_object(p);
    } else if (!tool_parse_is_white(c)) {
        buf_add_str(content, buf_str(&p->held));
        tool_parse_enter(p, CALL_PLAIN);
    }
}

static void take_object(struct tool_parse *p, char c, struct buf *content)
{
    bool first = p->inside;
    buf_add_char(&p->held, c);
    if (tool_parse_is_white(c))
        return;
    p->inside = false;
    if (c == '{') {
        begin_object(p);
    } else if (first && c != '[') {
        p->at = p->held.len - 1;
        p->state = CALL_NAME;
    } else if (!first) {
        break_and_look_again(p, content);
    }
}

/* ---- The object ------------------------------------------------------------------------------------------------ */

/* The next string of a text that begins with white space and then it, as JSON; the text goes on behind it. */
static struct str take_string(struct str *text)
{
    *text = tool_parse_trimmed(*text);
    size_t n = 1;
    while (n < text->len && text->at[n] != '"')
        n += text->at[n] == '\\' ? 2 : 1;
    struct str string = str_from(text->at, n < text->len ? n + 1 : 0);
    *text = str_skip(*text, string.len);
    return string;
}

static bool take_char(struct str *text, char c)
{
    *text = tool_parse_trimmed(*text);
    bool there = text->len && text->at[0] == c;
    *text = str_skip(*text, there);
    return there;
}

static bool is_arguments_key(struct str key)
{
    return str_is(key, "\"arguments\"") || str_is(key, "\"parameters\"");
}

/* A JSON string of a name; false for any other value and for what is no name. */
static bool begin_named(struct tool_parse *p, struct str json)
{
    json_t *name = json_loadb(json.at, json.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    struct str text = str_from(json_string_value(name), json_string_length(name));
    bool good = json_is_string(name) && tool_parse_is_name(text);
    if (good)
        tool_parse_begin_call(p, text);
    json_decref(name);
    return good;
}

/* At the second colon: {"name": "...", "arguments": */
static bool begin_by_head(struct tool_parse *p)
{
    struct str head = str_skip(buf_str(&p->held), p->at), name;
    if (!take_char(&head, '{') || !str_is(take_string(&head), "\"name\"") || !take_char(&head, ':'))
        return false;
    name = take_string(&head);
    return take_char(&head, ',') && is_arguments_key(take_string(&head)) && take_char(&head, ':') && begin_named(p, name);
}

static void add_value(struct tool_parse *p, const json_t *value)
{
    char *text = json_is_string(value) || !value || json_is_null(value) ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    if (json_is_string(value))
        tool_parse_add_arguments(p, str_from(json_string_value(value), json_string_length(value)));
    else if (text)
        tool_parse_add_arguments(p, str_of(text));
    mem_free(text);
}

/* An object whose keys came in another order, or that is no call. */
static bool read_whole(struct tool_parse *p)
{
    struct str json = str_skip(buf_str(&p->held), p->at);
    json_t *object = json_loadb(json.at, json.len, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
    const json_t *name = json_object_get(object, "name"), *value = json_object_get(object, "arguments");
    struct str text = str_from(json_string_value(name), json_string_length(name));
    bool good = json_is_string(name) && tool_parse_is_name(text);
    if (good) {
        tool_parse_begin_call(p, text);
        add_value(p, value ? value : json_object_get(object, "parameters"));
    }
    json_decref(object);
    return good;
}

static void take_head(struct tool_parse *p, char c, struct buf *content)
{
    bool was_in_string = p->in_string;
    buf_add_char(&p->held, c);
    tool_parse_track(p, c);
    if (p->depth == 0) {
        if (read_whole(p))
            tool_parse_end_call(p, CALL_AFTER);
        else
            break_and_look_again(p, content);
    } else if (c == ':' && !was_in_string && p->depth == 1 && !p->whole && ++p->n_keys == 2) {
        if (begin_by_head(p))
            tool_parse_enter(p, CALL_ARGUMENTS);
        else
            p->whole = true;
    }
}

/* ---- Arguments ------------------------------------------------------------------------------------------------- */

static void take_rest(struct tool_parse *p, char c)
{
    tool_parse_track(p, c);
    if (p->depth == 0)
        tool_parse_end_call(p, CALL_AFTER);
}

/* A string or a scalar waits until it is whole. */
static void end_scalar(struct tool_parse *p)
{
    struct str json = buf_str(&p->held);
    json_t *value = json_loadb(json.at, json.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (value)
        add_value(p, value);
    else
        tool_parse_add_arguments(p, tool_parse_trimmed(json));
    json_decref(value);
    buf_clear(&p->held);
    p->state = CALL_REST;
    p->depth = 1;
    p->in_string = p->escaped = false;
}

/* depth: brackets of the value that are open. */
static void take_arguments(struct tool_parse *p, char c)
{
    bool begun = tool_parse_arguments_len(p), quoted = p->held.len && p->held.at[0] == '"';
    if (!begun && !p->held.len) {
        p->depth = 0;
        p->in_string = p->escaped = false;
        if (tool_parse_is_white(c))
            return;
    }
    if (!begun && !quoted && (c == ',' || c == '}') && !p->depth) {
        end_scalar(p);
        take_rest(p, c);
        return;
    }
    tool_parse_track(p, c);
    if (begun || (!p->held.len && (c == '{' || c == '['))) {
        tool_parse_add_arguments(p, str_from(&c, 1));
        if (p->depth == 0) {
            p->state = CALL_REST;
            p->depth = 1;
        }
        return;
    }
    buf_add_char(&p->held, c);
    if (quoted && !p->in_string)
        end_scalar(p);
}

/* ---- After a call ---------------------------------------------------------------------------------------------- */

/* White space and the closing tag; where it lacks, the next call may begin. p->at: the white space held. */
static void take_closing(struct tool_parse *p, char c, struct buf *content)
{
    char again[sizeof closer];
    struct str mark = str_skip(buf_str(&p->held), p->at);
    size_t n = mark.len;
    if (n == 1 && tool_parse_is_white(c)) {
        p->at++;
    } else if (str_is(mark, closer)) {
        tool_parse_enter(p, TOOL_PARSE_CONTENT);
    } else if (!str_starts(str_of(closer), mark)) {
        check(n <= sizeof again);
        memcpy(again, mark.at, n);
        tool_parse_enter(p, TOOL_PARSE_CONTENT);
        for (size_t i = 0; i < n; i++)
            take_byte(p, again[i], content);
    }
}

static void take_after(struct tool_parse *p, char c, struct buf *content)
{
    buf_add_char(&p->held, c);
    if (p->form == TOOL_FORM_HERMES) {
        take_closing(p, c, content);
    } else if (p->form == TOOL_FORM_MISTRAL && c == ']') {
        tool_parse_enter(p, TOOL_PARSE_OVER);
    } else if (c == ',' || c == ';') {
        p->state = CALL_OBJECT;
    } else if (!tool_parse_is_white(c)) {
        tool_parse_break_off(p, content);
        p->state = state_of_content(p);
    }
}

/* ---- Pieces ---------------------------------------------------------------------------------------------------- */

/* The arguments of a bare name begin: nothing is around them. */
static bool begin_bare(struct tool_parse *p)
{
    struct str name = tool_parse_trimmed(str_skip(buf_str(&p->held), p->at));
    if (!tool_parse_is_name(name))
        return false;
    tool_parse_begin_call(p, name);
    tool_parse_enter(p, CALL_ARGUMENTS);
    p->whole = true;
    return true;
}

static void take_name(struct tool_parse *p, char c, struct buf *content)
{
    if (c == '{' && begin_bare(p)) {
        take_byte(p, c, content);
        return;
    }
    buf_add_char(&p->held, c);
    if (c == '{' || p->held.len - p->at > 2 * (size_t)TOOL_NAME_BYTES_MAX)
        tool_parse_break_off(p, content);
}

static void take_byte(struct tool_parse *p, char c, struct buf *content)
{
    switch (p->state) {
    case TOOL_PARSE_CONTENT:
        if (p->form == TOOL_FORM_HERMES)
            take_content(p, c, content);
        else if (p->form == TOOL_FORM_LLAMA)
            take_start(p, c, content);
        else
            buf_add_char(content, c);
        break;
    case CALL_OBJECT:
        take_object(p, c, content);
        break;
    case CALL_NAME:
        take_name(p, c, content);
        break;
    case CALL_HEAD:
        take_head(p, c, content);
        break;
    case CALL_ARGUMENTS:
        take_arguments(p, c);
        if (p->state == CALL_REST && p->whole)
            tool_parse_end_call(p, CALL_AFTER);
        break;
    case CALL_REST:
        take_rest(p, c);
        break;
    case CALL_AFTER:
        take_after(p, c, content);
        break;
    case TOOL_PARSE_OVER:
        break;
    default: /* CALL_PLAIN */
        buf_add_char(content, c);
    }
}

static void take_text(struct tool_parse *p, struct str piece, struct buf *content)
{
    for (size_t i = 0; i < piece.len; i++)
        take_byte(p, piece.at[i], content);
}

/* MISTRAL: the block's beginning, also between calls of its later form; and what stands between a name and its arguments. */
static void take_mark(struct tool_parse *p, enum tool_mark mark, struct str literal, struct buf *content)
{
    if (mark == TOOL_SEPARATOR && p->state == CALL_NAME && begin_bare(p))
        return;
    if (mark == TOOL_CALLS_BEGIN && (p->state == TOOL_PARSE_CONTENT || p->state == CALL_AFTER)) {
        tool_parse_enter(p, CALL_OBJECT);
        buf_add_str(&p->held, literal);
        p->inside = true;
    } else {
        take_text(p, literal, content);
    }
}

/* White space, a closing tag that was cut, a comma: after calls they belong to nothing. */
static bool is_nothing(const struct tool_parse *p)
{
    bool between = p->state == CALL_AFTER || (p->state == CALL_OBJECT && p->form != TOOL_FORM_HERMES);
    return p->n_calls && (between || !tool_parse_trimmed(buf_str(&p->held)).len);
}

static void end_open_call(struct tool_parse *p, bool cut)
{
    if (p->state == CALL_ARGUMENTS && p->held.len && !cut)
        end_scalar(p);
    else if (p->state == CALL_ARGUMENTS)
        tool_parse_add_arguments(p, buf_str(&p->held));
    if (!cut)
        tool_parse_end_call(p, CALL_AFTER);
}

static void take_end(struct tool_parse *p, bool cut, struct buf *content)
{
    bool inside = p->state == CALL_ARGUMENTS || p->state == CALL_REST;
    p->cut = cut && (inside || p->state == CALL_HEAD || p->state == CALL_NAME);
    if (inside)
        end_open_call(p, cut);
    else if (!is_nothing(p))
        tool_parse_break_off(p, content);
}

const struct tool_parse_form tool_parse_json = {take_text, take_mark, take_end};
