/* Layouts of quantised blocks as GGUF files store them (models with ggml's formats), each with a size check. Halves are
 * IEEE binary16 bits. Files give no alignment, so code copies out of them or reads bytes. */
#ifndef KERNELS_QBLOCK_H
#define KERNELS_QBLOCK_H

#include <stdint.h>

struct qblock_q4_0 {
    uint16_t d;
    uint8_t qs[16]; /* element j: low nibble of qs[j]; j + 16: high nibble; minus 8 */
};
struct qblock_q4_1 {
    uint16_t d, m;
    uint8_t qs[16];
};
struct qblock_q5_0 {
    uint16_t d;
    uint8_t qh[4]; /* fifth bits, element order */
    uint8_t qs[16];
};
struct qblock_q5_1 {
    uint16_t d, m;
    uint8_t qh[4];
    uint8_t qs[16];
};
struct qblock_q8_0 {
    uint16_t d;
    int8_t q[32];
};
struct qblock_q2_k {
    uint8_t sc[16]; /* low nibble scale, high nibble minimum, one per 16 elements */
    uint8_t qs[64];
    uint16_t d, dmin;
};
struct qblock_q3_k {
    uint8_t hmask[32];
    uint8_t qs[64];
    uint8_t s[12]; /* sixteen 6-bit scales */
    uint16_t d;
};
struct qblock_q4_k {
    uint16_t d, dmin;
    uint8_t s[12]; /* eight 6-bit scales and minimums */
    uint8_t qs[128];
};
struct qblock_q5_k {
    uint16_t d, dmin;
    uint8_t s[12];
    uint8_t qh[32];
    uint8_t qs[128];
};
struct qblock_q6_k {
    uint8_t ql[128];
    uint8_t qh[64];
    int8_t sc[16];
    uint16_t d;
};
struct qblock_iq4_nl {
    uint16_t d;
    uint8_t qs[16];
};
struct qblock_iq4_xs {
    uint16_t d, sh;
    uint8_t sl[4];
    uint8_t qs[128];
};

#ifndef __cplusplus
_Static_assert(sizeof(struct qblock_q4_0) == 18 && sizeof(struct qblock_q4_1) == 20, "32-element blocks");
_Static_assert(sizeof(struct qblock_q5_0) == 22 && sizeof(struct qblock_q5_1) == 24, "32-element blocks");
_Static_assert(sizeof(struct qblock_q8_0) == 34 && sizeof(struct qblock_iq4_nl) == 18, "32-element blocks");
_Static_assert(sizeof(struct qblock_q2_k) == 84 && sizeof(struct qblock_q3_k) == 110, "256-element blocks");
_Static_assert(sizeof(struct qblock_q4_k) == 144 && sizeof(struct qblock_q5_k) == 176, "256-element blocks");
_Static_assert(sizeof(struct qblock_q6_k) == 210 && sizeof(struct qblock_iq4_xs) == 136, "256-element blocks");
#endif

#endif
