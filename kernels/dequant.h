/* Lossless taking apart of quantised rows: integer codes with the scales they came with, for every block format. One form
 * serves decoding to F32, the integer kernels and their checks. */
#ifndef KERNELS_DEQUANT_H
#define KERNELS_DEQUANT_H

#include "kernels/dtype.h"

/* A run of elements that share a scale is a *group*: 16 or 32 elements. Value = scale * code - minimum (float arithmetic,
 * scale and minimum already multiplied out, as the format defines). */
enum { DEQUANT_GROUP_MIN = 16 };

/* Elements of a group of this format: 16 (Q2_K, Q3_K, Q6_K) or 32 (all others). Quantised formats only. */
unsigned dequant_group(enum dtype dtype);

/* True when the format subtracts a minimum (Q4_1 and Q5_1 add one: a negative minimum; Q2_K, Q4_K, Q5_K). */
bool dequant_has_minimum(enum dtype dtype);

/* One qblock: codes [qblock_elems] in -128..127; scales and minimums [qblock_elems / group]. */
void dequant_block(enum dtype dtype, const void *block, int8_t *codes, float *scales, float *minimums);

#endif
