/* A way through a language, chosen by the input: each byte says which of the bytes that fit comes next. */
#ifndef TESTS_FUZZ_WALK_H
#define TESTS_FUZZ_WALK_H

#include "tests/fuzz/fuzz.h"
#include "text/automaton.h"

enum { WALK_BYTES_MAX = 200 };

/* The length of what was written when it may end there; -1 otherwise. A state that may not end must lead on. */
static inline ssize_t walk(struct automaton *a, uint32_t state, struct str choices, char out[WALK_BYTES_MAX])
{
    size_t n = 0;
    for (; n < WALK_BYTES_MAX && n < choices.len && state != AUTOMATON_NOTHING; n++) {
        uint8_t byte = 0;
        uint32_t next[256];
        unsigned fits = 0, wanted = (uint8_t)choices.at[n];
        for (unsigned b = 0; b < 256; b++) {
            next[b] = automaton_next(a, state, (uint8_t)b);
            if (next[b] == AUTOMATON_FAILED)
                return -1;
            fits += next[b] != AUTOMATON_NOTHING;
        }
        fuzz_expect(fits || automaton_may_end(a, state));
        if (!fits)
            break;
        for (unsigned left = wanted % fits + 1; left; byte++)
            if (next[byte] != AUTOMATON_NOTHING && --left == 0)
                break;
        out[n] = (char)byte;
        state = next[byte];
    }
    return automaton_may_end(a, state) ? (ssize_t)n : -1;
}

#endif
