/* The thought apart from the answer, by the marks of the chat format (output_parse.h has the rules).
 *
 * A machine that takes one byte at a time, so that no cutting of the text can change the result. What it holds back is
 * a run of white space followed by a proper beginning of the mark it waits for. */
#include "text/output_parse.h"

enum split_state {
    SPLIT_START,        /* white space, then perhaps an opening mark */
    SPLIT_THOUGHT_LEAD, /* newlines at the thought's start, perhaps a repeated opening mark */
    SPLIT_THOUGHT,      /* waiting for newlines and the closing mark */
    SPLIT_ANSWER_LEAD,  /* newlines after the closing mark */
    SPLIT_ANSWER,
};

struct outputs {
    struct buf *reasoning, *answer;
};

void reasoning_split_init(struct reasoning_split *split, const char *open, const char *close, bool in_reasoning)
{
    bool splits = open && close && *open && *close;
    check(!splits || (strlen(open) <= REASONING_MARK_BYTES_MAX && strlen(close) <= REASONING_MARK_BYTES_MAX));
    *split = (struct reasoning_split){.open = open, .close = close, .may_reopen = in_reasoning};
    split->state = !splits ? SPLIT_ANSWER : in_reasoning ? SPLIT_THOUGHT_LEAD : SPLIT_START;
    buf_init(&split->held, REASONING_HELD_BYTES_MAX + REASONING_MARK_BYTES_MAX);
}

void reasoning_split_release(struct reasoning_split *split)
{
    buf_release(&split->held);
}

bool reasoning_split_in_reasoning(const struct reasoning_split *split)
{
    return split->state == SPLIT_THOUGHT_LEAD || split->state == SPLIT_THOUGHT;
}

static bool is_newline(char c)
{
    return c == '\n' || c == '\r';
}

static bool is_white(char c)
{
    return is_newline(c) || c == ' ' || c == '\t';
}

static void enter(struct reasoning_split *split, enum split_state state)
{
    split->state = (int)state;
    split->n_white = 0;
    buf_clear(&split->held);
}

/* The held bytes after the white space. */
static struct str held_mark(const struct reasoning_split *split)
{
    return str_skip(buf_str(&split->held), split->n_white);
}

static bool begins(struct str text, const char *mark)
{
    return str_starts(str_of(mark), text);
}

static void take_byte(struct reasoning_split *split, char c, struct outputs *out);

/* The held bytes and c: the first of them that cannot begin a mark goes out, the rest is looked at again. */
static void release_first(struct reasoning_split *split, struct buf *out, struct outputs *outputs)
{
    char again[REASONING_MARK_BYTES_MAX];
    struct str mark = held_mark(split);
    check(mark.len >= 1 && mark.len <= REASONING_MARK_BYTES_MAX);
    size_t n_again = mark.len - 1;
    memcpy(again, mark.at + 1, n_again);
    buf_add(out, split->held.at, split->n_white + 1);
    split->n_white = 0;
    buf_clear(&split->held);
    for (size_t i = 0; i < n_again; i++)
        take_byte(split, again[i], outputs);
}

static void release_all(struct reasoning_split *split, enum split_state next, struct buf *out)
{
    buf_add_str(out, buf_str(&split->held));
    enter(split, next);
}

static void take_start(struct reasoning_split *split, struct outputs *out)
{
    struct str mark = held_mark(split);
    if (str_is(mark, split->open)) {
        enter(split, SPLIT_THOUGHT_LEAD);
    } else if (mark.len == 1 && is_white(mark.at[0]) && split->n_white < REASONING_HELD_BYTES_MAX) {
        split->n_white++;
    } else if (!begins(mark, split->open)) {
        release_all(split, SPLIT_ANSWER, out->answer);
    }
}

static void take_thought_lead(struct reasoning_split *split, struct outputs *out)
{
    struct str mark = held_mark(split);
    if (mark.len == 1 && is_newline(mark.at[0])) {
        buf_clear(&split->held);
    } else if (str_is(mark, split->close)) {
        enter(split, SPLIT_ANSWER_LEAD);
    } else if (split->may_reopen && str_is(mark, split->open)) {
        split->may_reopen = false;
        buf_clear(&split->held);
    } else if (!begins(mark, split->close) && !(split->may_reopen && begins(mark, split->open))) {
        split->state = SPLIT_THOUGHT;
        release_first(split, out->reasoning, out);
    }
}

static void take_thought(struct reasoning_split *split, struct outputs *out)
{
    struct str mark = held_mark(split);
    if (str_is(mark, split->close))
        enter(split, SPLIT_ANSWER_LEAD);
    else if (mark.len == 1 && is_newline(mark.at[0]) && split->n_white < REASONING_HELD_BYTES_MAX)
        split->n_white++;
    else if (!begins(mark, split->close))
        release_first(split, out->reasoning, out);
}

static void take_byte(struct reasoning_split *split, char c, struct outputs *out)
{
    if (split->state == SPLIT_ANSWER || (split->state == SPLIT_ANSWER_LEAD && !is_newline(c))) {
        split->state = SPLIT_ANSWER;
        buf_add_char(out->answer, c);
        return;
    }
    if (split->state == SPLIT_ANSWER_LEAD)
        return;
    buf_add_char(&split->held, c);
    if (buf_status(&split->held)) /* reported at the end of the push */
        return;
    if (split->state == SPLIT_START)
        take_start(split, out);
    else if (split->state == SPLIT_THOUGHT_LEAD)
        take_thought_lead(split, out);
    else
        take_thought(split, out);
}

static enum status first_failure(const struct reasoning_split *split, const struct outputs *out)
{
    enum status status = buf_status(&split->held);
    if (!status)
        status = buf_status(out->reasoning);
    return status ? status : buf_status(out->answer);
}

enum status reasoning_split_push(struct reasoning_split *split, struct str piece, struct buf *reasoning, struct buf *answer)
{
    struct outputs out = {reasoning, answer};
    size_t i = 0;
    while (i < piece.len && split->state != SPLIT_ANSWER)
        take_byte(split, piece.at[i++], &out);
    buf_add_str(answer, str_skip(piece, i));
    return first_failure(split, &out);
}

enum status reasoning_split_end(struct reasoning_split *split, struct buf *reasoning, struct buf *answer)
{
    struct outputs out = {reasoning, answer};
    buf_add_str(reasoning_split_in_reasoning(split) ? reasoning : answer, buf_str(&split->held));
    enum status status = first_failure(split, &out);
    split->n_white = 0;
    buf_clear(&split->held);
    return status;
}
