#!/usr/bin/env python3
"""Writes dequant.bin: random blocks of every block format, and what the Python package `gguf` decodes them to.

    pip install gguf==0.19.0 numpy && tests/kernels/vectors/make_dequant.py

File: records of {u32 GGUF type id, u32 n_blocks, u32 block_bytes, u32 block_elements}, then the blocks, then n_blocks *
block_elements F32. Little endian. Codes are all 256 byte values at random; scales are halves of ordinary, tiny and negative
size, as a file may hold them."""

import os
import struct

import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType as T
from gguf.quants import dequantize

BLOCKS = 24
HALVES = {T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q2_K: [80, 82], T.Q3_K: [108], T.Q4_K: [0, 2],
          T.Q5_K: [0, 2], T.Q6_K: [208], T.IQ4_NL: [0], T.IQ4_XS: [0]}   # where a block keeps its halves


def scales(rng):
    values = rng.uniform(0.001, 0.2, BLOCKS) * rng.choice([1, -1], BLOCKS)
    values[:4] = [0, 6e-8, -6e-6, 60]   # zero, the smallest subnormal, a subnormal, a large one
    return values.astype("<f2")


def main():
    out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "dequant.bin")
    rng = np.random.default_rng(1234)
    with open(out, "wb") as f:
        for kind, places in HALVES.items():
            elements, size = GGML_QUANT_SIZES[kind]
            n = BLOCKS if elements == 32 else BLOCKS // 3
            blocks = rng.integers(0, 256, (BLOCKS, size), np.uint8)
            for at in places:
                blocks[:, at:at + 2] = scales(rng).view(np.uint8).reshape(BLOCKS, 2)
            blocks = np.ascontiguousarray(blocks[:n])
            values = dequantize(blocks, kind).astype("<f4")
            f.write(struct.pack("<4I", kind, n, size, elements) + blocks.tobytes() + values.tobytes())


if __name__ == "__main__":
    main()
