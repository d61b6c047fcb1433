/* Lines from a person at a terminal: editing and history by libedit. */
#ifndef SERVER_LINE_EDITOR_H
#define SERVER_LINE_EDITOR_H

#include <signal.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/status.h"

struct line_editor;

enum line_editor_result { LINE_EDITOR_READ, LINE_EDITOR_INTERRUPTED, LINE_EDITOR_END };

/* history_path (borrowed) may be null: nothing is kept. *interrupted is set by the caller's handler of SIGINT. */
enum status line_editor_create(struct line_editor **out, const char *history_path, const volatile sig_atomic_t *interrupted,
                               struct error *error) must_check;
void line_editor_free(struct line_editor *editor); /* writes the history */

/* Appends one line, without its end, to `line`. `prompt` may hold colours between two bytes of value 1. */
enum line_editor_result line_editor_read(struct line_editor *editor, const char *prompt, struct buf *line) must_check;

/* Adds an entry to the history. */
void line_editor_remember(struct line_editor *editor, const char *text);

#endif
