/* From generated text to what a client sees: reasoning split from the answer, stop strings matched across token
 * borders. Incremental: however the text is cut into pieces, the concatenated outputs are the same, so one parser
 * serves streamed and whole replies. Pieces that end at character borders give outputs that do. */
#ifndef TEXT_OUTPUT_PARSE_H
#define TEXT_OUTPUT_PARSE_H

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

/* ---- Reasoning (text/reasoning_split.c) -------------------------------------------------------------------- */

enum {
    REASONING_MARK_BYTES_MAX = 64,
    REASONING_HELD_BYTES_MAX = 4096, /* a longer run of white space is text like any other */
};

/* Splits text into the thought and the answer by the format's marks. A mark cut over pieces is held back.
 *
 * - White space before an opening mark is dropped when a thought follows; any other text there means that there is no
 *   thought, and all is answer. A thought comes once: later marks are text.
 * - One run of newlines (\n, \r) after the opening mark, one before and one after the closing mark belong to neither.
 * - Where the prompt opened the thought and the model writes the opening mark again, it is dropped.
 * - Broken or missing marks never lose text: a thought that does not end is reasoning to the last byte. */
struct reasoning_split {
    const char *open, *close; /* borrowed; null: nothing is split, all is answer */
    int state;
    bool may_reopen; /* an opening mark may repeat the prompt's */
    struct buf held; /* white space, then the start of what may be a mark */
    size_t n_white;  /* bytes of white space in held */
};
/* in_reasoning: the prompt already opened the thought. */
void reasoning_split_init(struct reasoning_split *split, const char *open, const char *close, bool in_reasoning);
void reasoning_split_release(struct reasoning_split *split);
/* Appends what is now certain to the two outputs. */
enum status reasoning_split_push(struct reasoning_split *split, struct str piece, struct buf *reasoning, struct buf *answer);
enum status reasoning_split_end(struct reasoning_split *split, struct buf *reasoning, struct buf *answer);
bool reasoning_split_in_reasoning(const struct reasoning_split *split);

/* ---- Stop strings (text/stop_match.c) ---------------------------------------------------------------------- */

enum {
    STOP_STRINGS_MAX = 16,
    STOP_STRINGS_BYTES_MAX = 65536, /* of all of them together */
    STOP_HELD_BYTES_MAX = 16 << 20, /* one piece and what was held before it */
};

/* Of several matches the one that ends first wins; with equal end, the longest. Linear in the text. */
struct stop_match {
    struct str stops[STOP_STRINGS_MAX]; /* borrowed */
    uint32_t n_stops;
    bool include; /* keep the stop string in the text */
    struct buf held;
    uint32_t *automaton; /* owned; private */
    uint32_t state, n_states;
    int32_t matched; /* index of the stop that hit (the first of equal ones), or -1 */
};
/* STATUS_INVALID for an empty stop string, STATUS_LIMIT for too many or too long ones. */
enum status stop_match_init(struct stop_match *match, const struct str *stops, uint32_t n, bool include) must_check;
void stop_match_release(struct stop_match *match);
/* Appends the text that can no longer belong to a stop string. After a match, further text is dropped. */
enum status stop_match_push(struct stop_match *match, struct str piece, struct buf *out);
enum status stop_match_end(struct stop_match *match, struct buf *out); /* flushes what was held back */

#endif
