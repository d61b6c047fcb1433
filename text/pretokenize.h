/* Cutting text into the pieces that are merged apart: published patterns, run by PCRE2 as they are written. */
#ifndef TEXT_PRETOKENIZE_H
#define TEXT_PRETOKENIZE_H

#include "base/status.h"
#include "base/str.h"

struct pretokenize; /* immutable after loading */

struct piece {
    uint32_t start, len;
};

/* Steps are applied one after the other, each to the pieces the last one left. */
enum pretokenize_kind {
    PRETOKENIZE_ISOLATE,    /* matches become pieces, and the gaps between them */
    PRETOKENIZE_DIGITS,     /* each number character (Unicode N) alone */
    PRETOKENIZE_DIGIT_RUNS, /* runs of number characters */
};

enum status pretokenize_create(struct pretokenize **out, struct error *error) must_check;
void pretokenize_free(struct pretokenize *pretokenize);

/* `pattern` is in the syntax of tokenizer.json (Oniguruma); \s means Unicode White_Space. */
enum status pretokenize_add(struct pretokenize *pretokenize, enum pretokenize_kind kind, struct str pattern,
                            struct error *error) must_check;

/* The named step list of a GGUF tokenizer ("deepseek-v3", "qwen2", ...); STATUS_UNSUPPORTED with the known names. */
enum status pretokenize_add_named(struct pretokenize *pretokenize, struct str name, struct error *error) must_check;

/* Pieces cover the text without gaps (caller frees *pieces with mem_free). Text is valid UTF-8 of less than 4 GiB.
 * STATUS_LIMIT when the work exceeds what the text's length allows. */
enum status pretokenize_run(const struct pretokenize *pretokenize, struct str text, struct piece **pieces, size_t *n_pieces,
                            struct error *error) must_check;

#endif
