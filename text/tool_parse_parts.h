/* Inside text/tool_parse: what the forms share. */
#ifndef TEXT_TOOL_PARSE_PARTS_H
#define TEXT_TOOL_PARSE_PARTS_H

#include "text/tool_parse.h"

/* States that every form has; its own follow. */
enum { TOOL_PARSE_CONTENT, TOOL_PARSE_OVER, TOOL_PARSE_OWN };

struct tool_parse_form {
    void (*text)(struct tool_parse *p, struct str piece, struct buf *content);
    void (*mark)(struct tool_parse *p, enum tool_mark mark, struct str literal, struct buf *content);
    void (*end)(struct tool_parse *p, bool cut, struct buf *content); /* p->cut is set before */
};
extern const struct tool_parse_form tool_parse_marked, tool_parse_json, tool_parse_dsml;

bool tool_parse_is_white(char c);
struct str tool_parse_trimmed(struct str text);

/* Goes to a state with nothing held. */
void tool_parse_enter(struct tool_parse *p, int state);
/* What was held is no call: it is content, and so is what follows. */
void tool_parse_break_off(struct tool_parse *p, struct buf *content);

bool tool_parse_is_name(struct str name);
void tool_parse_begin_call(struct tool_parse *p, struct str name);
void tool_parse_add_arguments(struct tool_parse *p, struct str text); /* of the last call */
size_t tool_parse_arguments_len(const struct tool_parse *p);
/* The last call is complete; goes to `next`, or to the end where one call is all. */
void tool_parse_end_call(struct tool_parse *p, int next);

/* A byte of JSON: keeps p->depth, in_string, escaped. */
void tool_parse_track(struct tool_parse *p, char c);

#endif
