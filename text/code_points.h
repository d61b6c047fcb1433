/* Sets of Unicode characters, and their languages of bytes: as UTF-8, or as they may be written inside a JSON string. */
#ifndef TEXT_CODE_POINTS_H
#define TEXT_CODE_POINTS_H

#include "text/automaton.h"

enum writing {
    WRITING_UTF8,
    WRITING_JSON, /* inside the quotes: as itself where that is allowed, and in every form of escape (RFC 8259, section 7) */
};

struct code_range {
    uint32_t first, last;
};

struct code_points {
    struct code_range *at; /* owned; ascending and apart once code_points_settle was called */
    size_t n, capacity;
    bool failed; /* out of memory */
};

enum { CODE_POINT_MAX = 0x10FFFF };

void code_points_release(struct code_points *set);
void code_points_add(struct code_points *set, uint32_t first, uint32_t last);
void code_points_settle(struct code_points *set); /* sorts and joins what touches */
void code_points_invert(struct code_points *set); /* settles too */

/* One character of a settled set. Surrogates are left out. */
uint32_t code_points_language(struct automaton *a, const struct code_points *set, enum writing writing);

/* Any one character. */
uint32_t code_points_any(struct automaton *a, enum writing writing);

/* Exactly this text, which must be UTF-8. */
uint32_t code_points_text(struct automaton *a, struct str text, enum writing writing);

#endif
