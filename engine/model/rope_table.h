/* Rotary angles as a table of cosines and sines, built in double precision. */
#ifndef ENGINE_MODEL_ROPE_TABLE_H
#define ENGINE_MODEL_ROPE_TABLE_H

#include "engine/weights/model_config.h"

/* frequencies [n_dims / 2]; *multiplier scales cosines and sines; *softmax_factor scales attention scores (DeepSeek's m^2,
 * else 1). Equations: models of YaRN (Peng et al. 2023, eq. 23), Llama 3.1's frequency scaling, DeepSeek-V2 section 2.1.4. */
void rope_table_frequencies(const struct rope_config *rope, uint32_t n_dims, double *frequencies, double *multiplier,
                            double *softmax_factor);

/* Row p of out [n_positions, n_dims]: n_dims / 2 cosines of p * frequency, then as many sines. */
void rope_table_fill(float *out, uint32_t n_positions, uint32_t n_dims, const double *frequencies, double multiplier);

#endif
