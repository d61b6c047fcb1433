/* Decimal numbers as JSON writes them (RFC 8259, section 6), within bounds: languages of bytes. */
#ifndef TEXT_NUMBER_LANGUAGE_H
#define TEXT_NUMBER_LANGUAGE_H

#include "text/automaton.h"

struct number_bounds {
    bool integer; /* written without a point */
    bool has_least, has_most;
    bool above, below; /* the bound itself is left out */
    double least, most;
    uint64_t multiple_of; /* of whole numbers; 0: any */
};

/* Bounded numbers are written without an exponent. No number goes on for ever: about forty digits before and behind the point. */
uint32_t number_language(struct automaton *a, const struct number_bounds *bounds);

#endif
