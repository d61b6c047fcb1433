/* From generated text to what a client sees: reasoning split from the answer, stop strings matched across token
 * borders. Incremental; the same parser serves streamed and whole replies. */
#ifndef TEXT_OUTPUT_PARSE_H
#define TEXT_OUTPUT_PARSE_H

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

/* ---- Reasoning -------------------------------------------------------------------------------------------- */

/* Splits text into the thought and the answer by the format's marks. A mark cut over pieces is held back.
 * Text before an opening mark (white space only) is dropped when a thought follows; white space that surrounds
 * the thought's text as the format writes it is kept in neither part (one leading and one trailing newline run).
 * Broken or missing marks never lose text. */
struct reasoning_split {
    const char *open, *close; /* borrowed; null: nothing is split */
    int state;
    struct buf held;
};
/* in_reasoning: the prompt already opened the thought. */
void reasoning_split_init(struct reasoning_split *split, const char *open, const char *close, bool in_reasoning);
void reasoning_split_release(struct reasoning_split *split);
/* Appends what is now certain to the two outputs. */
enum status reasoning_split_push(struct reasoning_split *split, struct str piece, struct buf *reasoning, struct buf *answer);
enum status reasoning_split_end(struct reasoning_split *split, struct buf *reasoning, struct buf *answer);
bool reasoning_split_in_reasoning(const struct reasoning_split *split);

/* ---- Stop strings ----------------------------------------------------------------------------------------- */

enum { STOP_STRINGS_MAX = 16 };

/* Of several matches the one that ends first wins; with equal end, the longest. Linear in the text. */
struct stop_match {
    struct str stops[STOP_STRINGS_MAX]; /* borrowed */
    uint32_t n_stops;
    bool include; /* keep the stop string in the text */
    struct buf held;
    uint32_t *automaton; /* owned; private */
    uint32_t state, n_states;
    int32_t matched; /* index of the stop that hit, or -1 */
};
enum status stop_match_init(struct stop_match *match, const struct str *stops, uint32_t n, bool include) must_check;
void stop_match_release(struct stop_match *match);
/* Appends the text that can no longer belong to a stop string. After a match, further text is dropped. */
enum status stop_match_push(struct stop_match *match, struct str piece, struct buf *out);
enum status stop_match_end(struct stop_match *match, struct buf *out); /* flushes what was held back */

#endif
