/* Inside the automaton: its expressions, and what building and reading share. */
#ifndef TEXT_AUTOMATON_PARTS_H
#define TEXT_AUTOMATON_PARTS_H

#include "text/automaton.h"

enum expression_kind {
    EXPRESSION_NOTHING,
    EXPRESSION_END,
    EXPRESSION_BYTES,    /* a set, the words of list[a] */
    EXPRESSION_JOIN,     /* a, then b; a is no JOIN */
    EXPRESSION_EITHER,   /* b expressions at list[a], ascending, none of them EITHER or NOTHING */
    EXPRESSION_BOTH,     /* likewise */
    EXPRESSION_NOT,      /* a */
    EXPRESSION_REPEAT,   /* a, least to most times */
    EXPRESSION_MULTIPLE, /* of a, with rest b */
    EXPRESSION_RULE,     /* a: rule */
};

enum emptiness { EMPTINESS_UNKNOWN, EMPTINESS_NO, EMPTINESS_YES };

struct expression {
    uint8_t kind;
    bool may_end;  /* of what calls rules: known once sealed */
    bool calls;    /* a rule */
    uint8_t empty; /* enum emptiness; unknown only of BOTH and NOT */
    uint32_t a, b, least, most;
    uint32_t next;   /* offset of its derivatives by class; 0 when there are none yet */
    uint32_t search; /* the last one that visited it */
};

enum { UNKNOWN_STATE = UINT32_MAX - 1, MAX_DEPTH = 20000 };

struct automaton {
    struct expression *at;
    uint32_t n, capacity, max;
    uint32_t *slots, n_slots; /* hash of an expression to its number + 1 */
    uint32_t *list, n_list, list_capacity;
    uint32_t *next, n_next, next_capacity;
    uint32_t *bodies, n_rules, rules_capacity;
    uint8_t class_of[256], sample[256]; /* a byte of each class */
    unsigned n_classes;
    bool knows_digits; /* each is a class of its own */
    unsigned depth;
    uint32_t n_searches;
    uint64_t fuel;
    const _Atomic bool *cancelled; /* may be null */
    bool starved; /* the status says LIMIT for want of fuel alone */
    enum status status;
};

/* Work in units of about 10 ns. */
enum { FUEL_INTERN = 8, FUEL_DERIVE = 4, FUEL_LOOK = 1 };

/* Of BYTES. */
struct byte_set automaton_set(const struct automaton *a, const struct expression *e);

uint32_t automaton_fail(struct automaton *a, enum status status);

/* False when there is no fuel left, or nobody waits for the result any more. */
bool automaton_spend(struct automaton *a, uint64_t units);

/* Forgets all derivatives: they are made again where they are needed. Only between reads. */
void automaton_forget(struct automaton *a);

/* Grows *items so that one more fits. */
bool automaton_grow(struct automaton *a, void *items, uint32_t n, uint32_t *capacity, size_t each);

/* Without the check that BOTH and NOT are not empty. */
uint32_t automaton_both_unchecked(struct automaton *a, const uint32_t *of, size_t n);
uint32_t automaton_not_unchecked(struct automaton *a, uint32_t x);

/* x, or NOTHING where x is empty. */
uint32_t automaton_settle(struct automaton *a, uint32_t x);

#endif
