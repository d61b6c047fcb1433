/* What `seekd eval` prints and keeps of a run. */
#ifndef SERVER_EVAL_REPORT_H
#define SERVER_EVAL_REPORT_H

#include <stdio.h>

#include "server/eval_run.h"

/* A line a kind (and language), then all. */
void eval_report_print(const struct eval_run *run, bool by_language, FILE *out);

/* The first n items that were not right. */
void eval_report_print_failures(const struct eval_run *run, size_t n, FILE *out);

/* Accuracy of a kind, or of all where kind is null; items that were not asked do not count. Below 0: none was asked. */
double eval_report_accuracy(const struct eval_run *run, const char *kind);

/* JSON lines: what was run, then a line an item. Written beside `path` and moved there whole. */
enum status eval_report_save(const struct eval_run *run, const char *path, struct error *error) must_check;

#endif
