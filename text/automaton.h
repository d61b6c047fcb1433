/* Languages of bytes: what may be written next, and whether it may end here.
 *
 * A language is an expression over bytes, and a state is an expression too: what may follow what was read. Reading a byte takes the
 * expression's derivative (Brzozowski 1964, "Derivatives of regular expressions"; with rules that call each other it parses
 * context-free languages: Might, Darais, Spiewak 2011, "Parsing with derivatives"). Equal expressions are one number, and each derivative
 * is computed once, so that reading is a table look-up wherever the automaton has been before. No state leads nowhere: whoever follows
 * automaton_next without meeting AUTOMATON_NOTHING can always go on to an end.
 *
 * Work is bounded by fuel and by the number of expressions: when there is no more, every call returns AUTOMATON_FAILED and
 * automaton_status says LIMIT. Not for use by two threads at a time. */
#ifndef TEXT_AUTOMATON_H
#define TEXT_AUTOMATON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"

struct automaton;

enum { AUTOMATON_NOTHING = 0, AUTOMATON_END = 1 }; /* no text at all; the empty text */
#define AUTOMATON_FAILED UINT32_MAX
#define AUTOMATON_ENDLESS UINT32_MAX /* as the upper bound of a repetition */

struct byte_set {
    uint64_t bits[4];
};

static inline void byte_set_add(struct byte_set *set, unsigned first, unsigned last)
{
    for (unsigned byte = first; byte <= last; byte++)
        set->bits[byte / 64] |= 1ull << byte % 64;
}
static inline bool byte_set_has(const struct byte_set *set, unsigned byte)
{
    return set->bits[byte / 64] >> byte % 64 & 1;
}

enum status automaton_create(struct automaton **out, size_t max_expressions, struct error *error) must_check;
void automaton_free(struct automaton *automaton);

/* OK, or what made a call return AUTOMATON_FAILED: LIMIT, NO_MEMORY, CANCELLED. */
enum status automaton_status(const struct automaton *automaton);

/* Fuel for what comes next, in units of about 10 ns; at first there is no end of it. Whoever ran out of it may go on. */
void automaton_refuel(struct automaton *automaton, uint64_t units);

/* Ends the work with CANCELLED once the flag is set; lent while the automaton is there. */
void automaton_heed(struct automaton *automaton, const _Atomic bool *cancelled);

size_t automaton_size(const struct automaton *automaton);   /* expressions */
size_t automaton_memory(const struct automaton *automaton); /* bytes */

/* ---- Building ------------------------------------------------------------------------------------------------ */

/* Arguments may be AUTOMATON_FAILED: then so is the result. */
uint32_t automaton_bytes(struct automaton *a, const struct byte_set *set); /* one byte of the set */
uint32_t automaton_text(struct automaton *a, struct str text);             /* exactly this */
uint32_t automaton_join(struct automaton *a, uint32_t first, uint32_t then);
uint32_t automaton_either(struct automaton *a, const uint32_t *of, size_t n);
uint32_t automaton_or(struct automaton *a, uint32_t x, uint32_t y);
uint32_t automaton_both(struct automaton *a, uint32_t x, uint32_t y); /* neither may call a rule */
uint32_t automaton_not(struct automaton *a, uint32_t x);              /* all but x, which may call no rule */
uint32_t automaton_repeat(struct automaton *a, uint32_t x, uint32_t least, uint32_t most);
uint32_t automaton_maybe(struct automaton *a, uint32_t x);
uint32_t automaton_multiple(struct automaton *a, uint32_t of, uint32_t rest); /* decimal digits, maybe none, that continue a number
                                                                                     of this rest to a multiple of `of` (at least 1) */

/* Many choices: gathered first, so that each is looked at once. A list begins as zeros. */
struct automaton_list {
    uint32_t *of; /* owned */
    size_t n, capacity;
    bool failed; /* out of memory */
};

void automaton_list_add(struct automaton_list *list, uint32_t x);
uint32_t automaton_list_either(struct automaton *a, struct automaton_list *list); /* releases the list */

/* A call of a new rule, to be defined before automaton_seal. */
uint32_t automaton_rule(struct automaton *a);
void automaton_define(struct automaton *a, uint32_t rule, uint32_t body);

/* Whether an expression calls rules. */
bool automaton_calls(const struct automaton *a, uint32_t x);

/* Ends the building of the language *root: removes what can never come to an end. STATUS_INVALID: a rule begins with itself (*rule is the
 * call), or no text fits. */
enum status automaton_seal(struct automaton *a, uint32_t *root, uint32_t *rule, struct error *error) must_check;

/* ---- Reading ------------------------------------------------------------------------------------------------- */

/* The state after a byte: AUTOMATON_NOTHING where the byte does not fit. Without rules it may be called before automaton_seal. */
uint32_t automaton_next(struct automaton *a, uint32_t state, uint8_t byte);
uint32_t automaton_read(struct automaton *a, uint32_t state, struct str text); /* the state after all of it */
bool automaton_may_end(const struct automaton *a, uint32_t state);

#endif
