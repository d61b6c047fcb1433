/* Row-wise ops and attention for AVX-512. */
#include "base/mem.h"
#include "kernels/cpu/vector_body.h"

const struct vector_ops vector_ops_avx512 = {rms_norm,  add,          gated_silu, rope, kv_write,
                                           attention, latent_write, latent_attention};
