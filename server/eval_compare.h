/* How two saved runs of `seekd eval` differ. */
#ifndef SERVER_EVAL_COMPARE_H
#define SERVER_EVAL_COMPARE_H

#include <stdio.h>

#include "base/status.h"

/* Prints, by kind, the accuracy of both on the items that both asked, what was lost and gained, and how likely that is by chance. */
enum status eval_compare(const char *first_path, const char *second_path, FILE *out, struct error *error) must_check;

#endif
