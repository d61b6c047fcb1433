/* The terminal's line editor. Keys are read here rather than by libedit, so that an interrupt ends the line at once. */
#include "server/line_editor.h"

#include <errno.h>
#include <histedit.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/utf8.h"

enum { HISTORY_ENTRIES = 1000, SLICE_MS = 100 };

struct line_editor {
    EditLine *edit;
    History *history;
    const char *history_path, *prompt; /* borrowed */
    const volatile sig_atomic_t *interrupted;
};

static struct line_editor *editor_of(EditLine *edit)
{
    void *self = NULL;
    el_get(edit, EL_CLIENTDATA, &self);
    return self;
}

static char *prompt_of(EditLine *edit)
{
    return (char *)editor_of(edit)->prompt;
}

/* 1, 0 at the end of the input, -1 when interrupted. */
static int read_byte(struct line_editor *editor, unsigned char *out)
{
    for (;;) {
        if (*editor->interrupted) {
            errno = EINTR;
            return -1;
        }
        struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
        if (poll(&p, 1, SLICE_MS) <= 0)
            continue;
        ssize_t n = read(STDIN_FILENO, out, 1);
        if (n >= 0 || (errno != EINTR && errno != EAGAIN))
            return (int)n;
    }
}

/* One character of the terminal's UTF-8; bytes that are none are passed over. */
static int read_character(EditLine *edit, wchar_t *out)
{
    struct line_editor *editor = editor_of(edit);
    unsigned char bytes[4];
    size_t n = 0;
    for (;;) {
        int got = read_byte(editor, &bytes[n]);
        if (got <= 0)
            return got;
        uint32_t code_point;
        if (utf8_decode((const char *)bytes, ++n, &code_point)) {
            *out = (wchar_t)code_point;
            return 1;
        }
        if (n == sizeof bytes || utf8_incomplete_tail((const char *)bytes, n) != n)
            n = 0;
    }
}

static void set_up(struct line_editor *editor)
{
    HistEvent event;
    /* Without a locale that knows UTF-8 libedit would show only ASCII. */
    if (!setlocale(LC_CTYPE, "") || MB_CUR_MAX == 1)
        setlocale(LC_CTYPE, "C.UTF-8");
    el_set(editor->edit, EL_CLIENTDATA, editor);
    el_set(editor->edit, EL_GETCFN, read_character);
    el_set(editor->edit, EL_EDITOR, "emacs");
    el_set(editor->edit, EL_PROMPT_ESC, prompt_of, '\1');
    el_set(editor->edit, EL_HIST, history, editor->history);
    el_set(editor->edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
    history(editor->history, &event, H_SETSIZE, HISTORY_ENTRIES);
    history(editor->history, &event, H_SETUNIQUE, 1);
    if (editor->history_path)
        history(editor->history, &event, H_LOAD, editor->history_path);
}

enum status line_editor_create(struct line_editor **out, const char *history_path, const volatile sig_atomic_t *interrupted,
                               struct error *error)
{
    struct line_editor *editor = mem_zalloc(sizeof *editor);
    if (!editor)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    editor->history_path = history_path;
    editor->interrupted = interrupted;
    editor->prompt = "";
    editor->edit = el_init("seekd", stdin, stdout, stderr);
    editor->history = history_init();
    if (!editor->edit || !editor->history) {
        line_editor_free(editor);
        return error_set(error, STATUS_IO, "the terminal cannot be used for line editing");
    }
    set_up(editor);
    *out = editor;
    return STATUS_OK;
}

void line_editor_free(struct line_editor *editor)
{
    HistEvent event;
    if (!editor)
        return;
    if (editor->history && editor->history_path) {
        mode_t before = umask(077);
        history(editor->history, &event, H_SAVE, editor->history_path);
        umask(before);
    }
    if (editor->edit)
        el_end(editor->edit);
    if (editor->history)
        history_end(editor->history);
    mem_free(editor);
}

enum line_editor_result line_editor_read(struct line_editor *editor, const char *prompt, struct buf *line)
{
    int n = 0;
    editor->prompt = prompt;
    el_resize(editor->edit);
    el_set(editor->edit, EL_PREP_TERM, 1); /* before the prompt: what is typed right after it must not be a line of the terminal */
    const char *text = el_gets(editor->edit, &n);
    if (*editor->interrupted)
        return LINE_EDITOR_INTERRUPTED;
    if (!text || n <= 0)
        return LINE_EDITOR_END;
    size_t len = strcspn(text, "\r\n");
    buf_add(line, text, len);
    return LINE_EDITOR_READ;
}

void line_editor_remember(struct line_editor *editor, const char *text)
{
    HistEvent event;
    history(editor->history, &event, H_ENTER, text);
}
