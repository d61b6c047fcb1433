/* The statistics of `seekd eval`. */
#ifndef SERVER_EVAL_STATS_H
#define SERVER_EVAL_STATS_H

#include <stddef.h>

/* The 95 % confidence interval of a share of n trials (E. B. Wilson, JASA 22, 1927, p. 209). n 0 gives 0 to 1. */
void eval_stats_interval(size_t n_right, size_t n, double *low, double *high);

/* Two-sided exact p of McNemar's test: how likely changes this one-sided are, were both runs equally good (Q. McNemar, Psychometrika 12,
 * 1947, p. 153, with the binomial in place of its approximation). */
double eval_stats_mcnemar(size_t n_only_first, size_t n_only_second);

#endif
