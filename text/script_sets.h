/* Which characters belong to which scripts (Unicode Standard Annex 24, the property Script), by the codes of ISO 15924. */
#ifndef TEXT_SCRIPT_SETS_H
#define TEXT_SCRIPT_SETS_H

#include "base/status.h"
#include "text/code_points.h"

enum { SCRIPT_CODE_BYTES = 5, SCRIPT_CODES_MAX = 32 };

/* Scripts that were asked for once are kept. Any thread. */
struct script_sets;

enum status script_sets_create(struct script_sets **out, struct error *error) must_check;
void script_sets_free(struct script_sets *sets);

/* Four letters, any case; Jpan, Kore, Hans, Hant, Hrkt stand for what they are made of. */
bool script_sets_know(struct str code);

/* Adds the characters of a script. STATUS_NOT_FOUND: no such code. */
enum status script_sets_add(struct script_sets *sets, struct str code, struct code_points *out, struct error *error) must_check;

/* Adds what belongs to no script or to any: digits, punctuation, white space, symbols, marks that take the script of their letter. */
enum status script_sets_add_common(struct script_sets *sets, struct code_points *out, struct error *error) must_check;

/* The scripts of a text's letters, among those of living languages; how many. False: a letter of none of these, or too many scripts. */
bool script_sets_of_text(struct str text, char codes[SCRIPT_CODES_MAX][SCRIPT_CODE_BYTES], uint32_t *n);

#endif
