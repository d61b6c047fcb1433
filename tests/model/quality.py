#!/usr/bin/env python3
"""What `--numerics fast` costs: log-probabilities of a fixed text (quality.txt) under exact and fast, per weight format.

    make && pip install gguf==0.19.0 numpy
    tests/model/quality.py --model SmolLM2-135M-Instruct.Q4_1.gguf [--formats BF16,Q8_0] [--peer llama-perplexity]
                           [--quantizer llama-quantize]

The other formats are made from the model's own weights, decoded and encoded again (a second rounding, so the formats are not
comparable with each other, only exact with fast in each): by the Python package `gguf`, or by llama.cpp's llama-quantize, which
mixes types as it does for anyone. --peer runs llama.cpp's llama-perplexity on the same files. The text is cut into windows of
512 tokens and each window's second half is scored, as that program does. Exits 1 past the limits."""

import argparse
import os
import subprocess
import sys
import tempfile

import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.gguf_reader import GGUFReader
from gguf.quants import dequantize, quantize

import compare

WINDOW, ALIGN = 512, 32
# Format -> largest allowed mean change of the negative log-likelihood; of those, what only llama-quantize makes.
LIMITS = {"F32": 0.005, "F16": 0.005, "BF16": 0.005, "Q8_0": 0.01, "Q5_0": 0.03, "Q5_1": 0.03, "Q4_0": 0.03, "Q4_1": 0.03}
MIXED_LIMITS = {"Q6_K": 0.01, "Q5_K_M": 0.03, "Q4_K_M": 0.03, "IQ4_NL": 0.03, "IQ4_XS": 0.03, "Q3_K_M": 0.03, "Q2_K": 0.03}
TEXT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "quality.txt")


def words(value, n):
    return int(value).to_bytes(n, "little")


def encoded(w, name, kind):
    """Matrices in the wanted type where rows are whole blocks, vectors as F32: (type, bytes)."""
    if w.ndim == 1 or w.shape[-1] % GGML_QUANT_SIZES[kind][0]:
        kind = GGMLQuantizationType.F32
    return kind, quantize(np.ascontiguousarray(w, np.float32), kind).tobytes()


def write_format(source, path, name):
    """A copy of a GGUF file with its matrices in another type; keys are copied byte for byte."""
    reader, kind = GGUFReader(source), GGMLQuantizationType[name]
    with open(source, "rb") as f:
        raw = f.read()
    fields = [f for f in reader.fields.values() if not f.name.startswith("GGUF.")]
    keys = raw[24:max(f.offset + sum(p.nbytes for p in f.parts) for f in fields)]
    infos, data = b"", []
    at = 0
    for t in reader.tensors:
        w = dequantize(t.data, t.tensor_type).reshape([int(n) for n in reversed(t.shape)])
        dtype, blob = encoded(w, t.name, kind)
        blob += bytes(-len(blob) % ALIGN)
        infos += words(len(t.name), 8) + t.name.encode() + words(len(t.shape), 4) + b"".join(words(n, 8) for n in t.shape)
        infos += words(dtype, 4) + words(at, 8)
        data.append(blob)
        at += len(blob)
    head = b"GGUF" + words(3, 4) + words(len(data), 8) + words(len(fields), 8) + keys + infos
    with open(path, "wb") as f:
        f.write(head + bytes(-len(head) % ALIGN))
        f.writelines(data)


def make_format(args, path, name):
    if name in LIMITS:
        write_format(args.model, path, name)
        return
    wide = path + ".f16"
    write_format(args.model, wide, "F16")
    subprocess.run([args.quantizer, wide, path, name], check=True, capture_output=True)


def tokens_of(model):
    with open(TEXT, "rb") as f:
        text = f.read()
    out = subprocess.run([os.path.join(compare.BUILD, "tests/model/tokens"), model, "content"], input=text + b"\0",
                         capture_output=True, check=True).stdout.decode()
    ids = [int(w) for w in out.split() if w.isdigit()]
    return [ids[i:i + WINDOW] for i in range(0, len(ids) - WINDOW + 1, WINDOW)]


def scores(model, windows, numerics):
    """Log-probability of each token of the windows' second halves."""
    out = []
    for window in windows:
        z = compare.forward(model, [window], numerics, threads=os.cpu_count(), kv="f32" if numerics == "exact" else "f16")[0]
        half = range(WINDOW // 2, WINDOW - 1)
        z = z[half.start:half.stop].astype(np.float64)
        z -= z.max(-1, keepdims=True)
        out += list(z[range(len(half)), window[half.start + 1:]] - np.log(np.exp(z).sum(-1)))
    return np.asarray(out)


def peer_scores(program, model, windows):
    """The same from llama-perplexity's file of log-probabilities: per position a scale, a minimum and 16-bit steps."""
    with tempfile.NamedTemporaryFile() as f:
        subprocess.run([program, "-m", model, "-f", TEXT, "-c", str(WINDOW), "--save-all-logits", f.name, "-t", str(os.cpu_count())],
                       check=True, capture_output=True)
        raw = open(f.name, "rb").read()
    assert raw[:8] == b"_logits_"
    context, vocabulary, chunks = np.frombuffer(raw, np.int32, 3, 8)
    ids = np.frombuffer(raw, np.int32, context * chunks, 20).reshape(chunks, context)
    if ids.tolist() != windows[:chunks]:
        sys.exit("the other program cuts the text into other tokens")
    width = 2 * ((vocabulary + 1) // 2) + 4
    rows = np.frombuffer(raw, np.uint16, offset=20 + ids.nbytes).reshape(chunks, -1, width)
    out = []
    for chunk, window in zip(rows, ids):
        for i, row in enumerate(chunk):
            scale, low = row[:4].view(np.float32)
            out.append(scale * row[4 + window[WINDOW // 2 + 1 + i]] + low)
    return np.asarray(out, np.float64)


def report(name, exact, other, label):
    change = np.abs(other - exact)
    print(f"| {name} | {label} | {np.exp(-exact.mean()):.4f} | {np.exp(-other.mean()):.4f} | {(exact - other).mean():+.5f} | "
          f"{change.mean():.5f} | {change.max():.4f} |", flush=True)
    return abs((exact - other).mean())


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--model", required=True)
    ap.add_argument("--formats", help="default: all that can be made")
    ap.add_argument("--peer", help="llama-perplexity")
    ap.add_argument("--quantizer", help="llama-quantize")
    args = ap.parse_args()
    limits = dict(LIMITS, **(MIXED_LIMITS if args.quantizer else {}))
    windows, bad = tokens_of(args.model), 0
    print(f"{sum(map(len, windows))} tokens, {len(windows) * (WINDOW // 2 - 1)} scored\n")
    print("| weights | program | perplexity, exact | perplexity | mean NLL change | mean change of a logprob | largest |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in args.formats.split(",") if args.formats else limits:
        with tempfile.TemporaryDirectory() as tmp:
            path = os.path.join(tmp, "model.gguf")
            make_format(args, path, name)
            exact = scores(path, windows, "exact")
            bad += report(name, exact, scores(path, windows, "fast"), "fast") > limits[name]
            if args.peer:
                report(name, exact, peer_scores(args.peer, path, windows), "llama.cpp")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
