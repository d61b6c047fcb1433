/* Frequencies under each scaling rule, and the table. */
#include "engine/model/rope_table.h"

#include <math.h>

static const double two_pi = 6.283185307179586476925286766559;

/* The dimension whose wavelength turns n times over the original context. */
static double turns_dimension(const struct rope_config *r, uint32_t n_dims, double turns)
{
    return n_dims * log(r->original_context / (turns * two_pi)) / (2 * log(r->theta));
}

static void scale_yarn(const struct rope_config *r, uint32_t n_dims, double *f)
{
    double low = floor(turns_dimension(r, n_dims, r->beta_fast)), high = ceil(turns_dimension(r, n_dims, r->beta_slow));
    low = low > 0 ? low : 0;
    high = high < n_dims - 1 ? high : n_dims - 1;
    double width = high - low > 0.001 ? high - low : 0.001;
    for (uint32_t i = 0; i < n_dims / 2; i++) {
        double ramp = (i - low) / width;
        ramp = ramp < 0 ? 0 : ramp > 1 ? 1 : ramp;
        f[i] = f[i] / r->factor * ramp + f[i] * (1 - ramp);
    }
}

static void scale_llama3(const struct rope_config *r, uint32_t n_dims, double *f)
{
    double longest = r->original_context / r->low_freq_factor, shortest = r->original_context / r->high_freq_factor;
    for (uint32_t i = 0; i < n_dims / 2; i++) {
        double wavelength = two_pi / f[i];
        if (wavelength > longest) {
            f[i] /= r->factor;
        } else if (wavelength >= shortest) {
            double smooth = (r->original_context / wavelength - r->low_freq_factor) / (r->high_freq_factor - r->low_freq_factor);
            f[i] = (1 - smooth) * f[i] / r->factor + smooth * f[i];
        }
    }
}

/* The attention temperature of YaRN. */
static double temperature(double mscale, double factor)
{
    return factor <= 1 ? 1 : 0.1 * mscale * log(factor) + 1;
}

void rope_table_frequencies(const struct rope_config *r, uint32_t n_dims, double *f, double *multiplier, double *softmax_factor)
{
    for (uint32_t i = 0; i < n_dims / 2; i++)
        f[i] = pow(r->theta, -2.0 * i / n_dims);
    *multiplier = 1;
    *softmax_factor = 1;
    switch (r->scaling) {
    case ROPE_SCALING_NONE:
        break;
    case ROPE_SCALING_LINEAR:
        for (uint32_t i = 0; i < n_dims / 2; i++)
            f[i] /= r->factor;
        break;
    case ROPE_SCALING_LLAMA3:
        scale_llama3(r, n_dims, f);
        break;
    case ROPE_SCALING_YARN:
        scale_yarn(r, n_dims, f);
        if (r->attention_factor > 0)
            *multiplier = r->attention_factor;
        else if (r->mscale > 0 && r->mscale_all_dim > 0)
            *multiplier = temperature(r->mscale, r->factor) / temperature(r->mscale_all_dim, r->factor);
        else
            *multiplier = (r->attn_factor > 0 ? r->attn_factor : 1) * temperature(1, r->factor);
        if (r->mscale_all_dim > 0)
            *softmax_factor = temperature(r->mscale_all_dim, r->factor) * temperature(r->mscale_all_dim, r->factor);
        break;
    }
    for (uint32_t i = 0; r->divisors && i < n_dims / 2; i++)
        f[i] /= r->divisors[i];
}

void rope_table_fill(float *out, uint32_t n_positions, uint32_t n_dims, const double *f, double multiplier)
{
    uint32_t half = n_dims / 2;
    for (uint32_t p = 0; p < n_positions; p++)
        for (uint32_t i = 0; i < half; i++) {
            double angle = p * f[i];
            out[(size_t)p * n_dims + i] = (float)(cos(angle) * multiplier);
            out[(size_t)p * n_dims + half + i] = (float)(sin(angle) * multiplier);
        }
}
