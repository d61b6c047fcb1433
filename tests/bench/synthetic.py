#!/usr/bin/env python3
"""Writes a GGUF file with the shapes of a real model and random weights, for speed measurements.

    synthetic.py --type Q4_0 --out build/bench/qwen2-1.5b-q4_0.gguf
    synthetic.py --type BF16 --layers 4 --out small.gguf

The shapes are those of Qwen2-1.5B (R1-Distill-Qwen-1.5B): hidden 1536, feed-forward 8960, 28 layers, 12 query and 2
key-value heads of 128, vocabulary 151936, output matrix stored apart. Weights are random (zeros would run faster than
real ones do); norms are one, biases small. The tokenizer is byte-level with filler entries.
"""

import argparse
import os
import struct

import numpy as np

TYPES = {"F32": (0, 1, 4), "F16": (1, 1, 2), "Q4_0": (2, 32, 18), "Q4_1": (3, 32, 20), "Q8_0": (8, 32, 34),
         "Q4_K": (12, 256, 144), "Q6_K": (14, 256, 210), "BF16": (30, 1, 2)}
U32, F32, BOOL, STRING, ARRAY, I32 = 4, 6, 7, 8, 9, 5


def f16(values):
    return np.asarray(values, np.float16).view(np.uint8).reshape(-1, 2)


def random_rows(rng, type_name, n, sigma):
    """n elements of the type as bytes, about N(0, sigma) once decoded."""
    _, elems, size = TYPES[type_name]
    if type_name == "F32":
        return (rng.standard_normal(n, np.float32) * sigma).tobytes()
    if type_name == "F16":
        return (rng.standard_normal(n, np.float32) * sigma).astype(np.float16).tobytes()
    if type_name == "BF16":
        return ((rng.standard_normal(n, np.float32) * sigma).view(np.uint32) >> 16).astype(np.uint16).tobytes()
    blocks = n // elems
    raw = rng.integers(0, 256, (blocks, size), np.uint8)
    spread = 0.8 + 0.4 * rng.random(blocks, np.float32)
    if type_name == "Q4_0":
        raw[:, 0:2] = f16(sigma / 4.6 * spread)
    elif type_name == "Q4_1":
        raw[:, 0:2] = f16(sigma / 4.6 * spread)
        raw[:, 2:4] = f16(-sigma / 4.6 * 7.5 * spread)
    elif type_name == "Q8_0":
        raw[:, 0:2] = f16(sigma / 74 * spread)
    elif type_name == "Q4_K":  # x = d * sc * q - dmin * mn with sc, mn about 32
        raw[:, 0:2] = f16(sigma / 4.6 / 32 * spread)
        raw[:, 2:4] = f16(sigma / 4.6 / 32 * 7.5 * spread)
    elif type_name == "Q6_K":
        raw[:, 208:210] = f16(sigma / 18 / 74 * spread)
    return raw.tobytes()


class Writer:
    def __init__(self):
        self.kv, self.tensors = [], []

    @staticmethod
    def text(s):
        b = s.encode() if isinstance(s, str) else s
        return struct.pack("<Q", len(b)) + b

    def add(self, key, kind, value):
        body = {U32: lambda v: struct.pack("<I", v), F32: lambda v: struct.pack("<f", v),
                BOOL: lambda v: struct.pack("<B", v), STRING: self.text}[kind](value)
        self.kv.append(self.text(key) + struct.pack("<I", kind) + body)

    def add_array(self, key, kind, values):
        body = b"".join(self.text(v) for v in values) if kind == STRING else np.asarray(values, np.int32).tobytes()
        self.kv.append(self.text(key) + struct.pack("<IIQ", ARRAY, kind, len(values)) + body)

    def tensor(self, name, shape, type_name, sigma):
        self.tensors.append((name, shape, type_name, sigma))

    def write(self, path, seed):
        head = struct.pack("<IIQQ", 0x46554747, 3, len(self.tensors), len(self.kv)) + b"".join(self.kv)
        at, infos = 0, []
        for name, shape, type_name, _ in self.tensors:
            code, elems, size = TYPES[type_name]
            n = int(np.prod(shape))
            infos.append(self.text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape[::-1], code, at))
            at += -(-(n // elems * size) // 32) * 32
        head += b"".join(infos)
        temporary = path + ".part"
        with open(temporary, "wb") as f:
            f.write(head + b"\0" * (-len(head) % 32))
            for i, (name, shape, type_name, sigma) in enumerate(self.tensors):
                rng = np.random.default_rng([seed, i])
                if sigma is None:
                    data = np.ones(shape, np.float32).tobytes()
                else:
                    rows, width = (1, shape[0]) if len(shape) == 1 else (int(np.prod(shape[:-1])), shape[-1])
                    step = max(1, (1 << 24) // width)
                    data = b"".join(random_rows(rng, type_name, min(step, rows - r) * width, sigma)
                                    for r in range(0, rows, step))
                f.write(data + b"\0" * (-len(data) % 32))
        os.replace(temporary, path)


def byte_alphabet():
    keep = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    table, extra = {b: chr(b) for b in keep}, 0
    for b in range(256):
        if b not in table:
            table[b] = chr(256 + extra)
            extra += 1
    return [table[b] for b in range(256)]


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--type", choices=sorted(TYPES), required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--layers", type=int, default=28)
    p.add_argument("--vocabulary", type=int, default=151936)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    hidden, ff, heads, kv_heads, head_dim = 1536, 8960, 12, 2, 128
    w = Writer()
    w.add("general.architecture", STRING, "qwen2")
    w.add("general.name", STRING, f"synthetic-qwen2-1.5b-{a.type.lower()}")
    for key, value in (("block_count", a.layers), ("context_length", 32768), ("embedding_length", hidden),
                       ("feed_forward_length", ff), ("attention.head_count", heads),
                       ("attention.head_count_kv", kv_heads)):
        w.add("qwen2." + key, U32, value)
    w.add("qwen2.rope.freq_base", F32, 1e6)
    w.add("qwen2.attention.layer_norm_rms_epsilon", F32, 1e-6)
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokens = byte_alphabet() + specials
    tokens += [f"filler{i}" for i in range(a.vocabulary - len(tokens))]
    w.add("tokenizer.ggml.model", STRING, "gpt2")
    w.add("tokenizer.ggml.pre", STRING, "qwen2")
    w.add_array("tokenizer.ggml.tokens", STRING, tokens)
    w.add_array("tokenizer.ggml.token_type", I32, [1] * 256 + [3] * 3 + [1] * (a.vocabulary - 259))
    w.add_array("tokenizer.ggml.merges", STRING, ["f i"])
    w.add("tokenizer.ggml.eos_token_id", U32, 258)
    w.add("tokenizer.ggml.bos_token_id", U32, 256)
    w.add("tokenizer.ggml.add_bos_token", BOOL, 0)
    w.add("tokenizer.chat_template", STRING,
          "{% for m in messages %}{{'<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
          "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")
    q, kv = heads * head_dim, kv_heads * head_dim
    w.tensor("token_embd.weight", (a.vocabulary, hidden), a.type, 1.0)
    w.tensor("output.weight", (a.vocabulary, hidden), a.type, hidden ** -0.5)
    w.tensor("output_norm.weight", (hidden,), "F32", None)
    for i in range(a.layers):
        b = f"blk.{i}."
        w.tensor(b + "attn_norm.weight", (hidden,), "F32", None)
        w.tensor(b + "ffn_norm.weight", (hidden,), "F32", None)
        for name, rows in (("q", q), ("k", kv), ("v", kv)):
            w.tensor(f"{b}attn_{name}.weight", (rows, hidden), a.type, hidden ** -0.5)
            w.tensor(f"{b}attn_{name}.bias", (rows,), "F32", 0.1)
        w.tensor(b + "attn_output.weight", (hidden, q), a.type, q ** -0.5)
        w.tensor(b + "ffn_gate.weight", (ff, hidden), a.type, hidden ** -0.5)
        w.tensor(b + "ffn_up.weight", (ff, hidden), a.type, hidden ** -0.5)
        w.tensor(b + "ffn_down.weight", (hidden, ff), a.type, ff ** -0.5)
    os.makedirs(os.path.dirname(os.path.abspath(a.out)), exist_ok=True)
    w.write(a.out, a.seed)
    print(f"{a.out}: {os.path.getsize(a.out) / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
