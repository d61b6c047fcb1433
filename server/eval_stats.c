/* Closed forms; the binomial goes by logarithms, so that large counts do not overflow. */
#include "server/eval_stats.h"

#include <math.h>

void eval_stats_interval(size_t n_right, size_t n, double *low, double *high)
{
    const double z = 1.959963984540054; /* 97.5 % of the normal distribution */
    double trials = (double)n, share = n ? (double)n_right / trials : 0.5, z2 = n ? z * z / trials : 0;
    double centre = (share + z2 / 2) / (1 + z2), half = n ? z / (1 + z2) * sqrt(share * (1 - share) / trials + z2 / (4 * trials)) : 0.5;
    *low = n_right == 0 || centre < half ? 0 : centre - half;
    *high = n_right == n || centre + half > 1 ? 1 : centre + half;
}

double eval_stats_mcnemar(size_t n_only_first, size_t n_only_second)
{
    size_t n = n_only_first + n_only_second, fewer = n_only_first < n_only_second ? n_only_first : n_only_second;
    double tail = 0, log_choose = 0;
    for (size_t k = 0; k <= fewer; k++) {
        if (k > 0)
            log_choose += log((double)(n - k + 1)) - log((double)k);
        tail += exp(log_choose - (double)n * log(2));
    }
    return 2 * tail < 1 ? 2 * tail : 1;
}
