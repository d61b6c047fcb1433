/* Weights rearranged for the CPU kernels: panels of 16 rows, so that one vector holds the same k of 16 output rows and no
 * horizontal sum is ever needed. Codes and scales are the file's own, only moved.
 *
 * A panel is contiguous. By kind (k-block = 32 consecutive inputs; code order inside a 64-byte vector: row-major over 16
 * rows of 4 consecutive k):
 *   F32 F16     [n_in][16] elements
 *   BF16        [n_in / 2][16][2] elements (n_in padded to even with zeros)
 *   F8          [n_in][16] bytes; the scale is one number per panel and 128 inputs
 *   NIBBLE      per k-block: 4 vectors, low nibbles k 0-15, high nibbles k 16-31; f16 scale [16]
 *   NIBBLE_MIN  the same, then f16 minimum-to-add [16]
 *   NIBBLE_K    per 8 k-blocks: f16 d [16], f16 dmin [16], then per k-block: 4 vectors, u8 scale [16], u8 minimum [16]
 *   BYTE        per k-block: 8 vectors of code + 128, f16 scale [16]
 *   GROUP       per k-block: 8 vectors of code + 128, then per group of `group` inputs: f32 scale [16], f32 minimum [16] */
#ifndef KERNELS_CPU_PACK_H
#define KERNELS_CPU_PACK_H

#include "kernels/ops.h"

enum { PANEL_ROWS = 16, K_BLOCK = 32, F8_SCALE_BLOCK = 128 };

enum pack_kind {
    PACK_F32,
    PACK_F16,
    PACK_BF16,
    PACK_F8,
    PACK_NIBBLE,
    PACK_NIBBLE_MIN,
    PACK_NIBBLE_K,
    PACK_BYTE,
    PACK_GROUP,
};

struct packed {
    enum pack_kind kind;
    uint32_t n_out, n_in;
    uint32_t n_panels;  /* ceil(n_out / 16); missing rows are zero */
    uint32_t group;     /* GROUP: 16 or 32 */
    bool has_minimum;   /* GROUP */
    int zero;           /* integer kinds: what is subtracted from a stored code (0, 8, 128) */
    size_t panel_bytes;
    unsigned char *data; /* [n_panels][panel_bytes], 64-byte aligned, owned */
    float *f8_scale;     /* F8: [n_panels][ceil(n_in / 128)], owned; null: one */
};

static inline const unsigned char *packed_panel(const struct packed *packed, uint32_t panel)
{
    return packed->data + (size_t)panel * packed->panel_bytes;
}

static inline bool packed_is_integer(const struct packed *packed)
{
    return packed->kind >= PACK_NIBBLE;
}

/* Decodes 32 inputs (k-block b, fewer at the end of float kinds: then zeros) of a panel to F32 [32][16]: the readable truth
 * of the layout, also used by the exact kernels. */
void pack_decode_block(const struct packed *packed, uint32_t panel, uint32_t k_block, float *out);

#endif
