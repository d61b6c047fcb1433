"""Comparing seekd's forward pass with a model directory's golden record (tests/model/oracle.py writes both)."""

import gzip
import json
import os
import subprocess

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("SEEKD_BUILD", os.path.join(ROOT, "build"))
FORWARD = os.path.join(BUILD, "tests/model/forward")


def golden_of(path):
    for name, opener in (("golden.json", open), ("golden.json.gz", gzip.open)):
        full = os.path.join(path, name)
        if os.path.exists(full):
            with opener(full, "rb") as f:
                return json.loads(f.read())
    raise FileNotFoundError(f"{path}: no golden.json")


def forward(model, prompts, numerics="exact", isa="auto", chunk=0, threads=1, batched=False):
    """Logits [n_tokens, vocabulary] of each prompt, as raw bytes would have them."""
    lines = [("= " if batched and i else "") + " ".join(map(str, p)) for i, p in enumerate(prompts)]
    r = subprocess.run([FORWARD, model, numerics, isa, str(chunk), str(threads)],
                       input=("\n".join(lines) + "\n").encode(), capture_output=True)
    if r.returncode:
        raise RuntimeError(f"forward {model}: {r.stderr.decode()}")
    flat = np.frombuffer(r.stdout, np.float32)
    total = sum(len(p) for p in prompts)
    rows, out, at = flat.reshape(total, -1), [], 0
    for p in prompts:
        out.append(rows[at:at + len(p)])
        at += len(p)
    return out


def log_softmax(z):
    z = z.astype(np.float64)
    z = z - z.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def worst(golden, logits):
    """Largest |difference| of the 20 best and of the given tokens' log-probabilities, fragile positions left out."""
    most = 0.0
    for prompt, z in zip(golden["prompts"], logits):
        lp = log_softmax(z)
        keep = np.ones(len(lp), bool)
        keep[prompt["fragile"]] = False
        top = np.abs(np.take_along_axis(lp, np.asarray(prompt["top_ids"]), -1) - np.asarray(prompt["top_logprobs"]))
        most = max(most, top[keep].max(initial=0))
        given = np.asarray([abs(lp[i - 1, prompt["tokens"][i]] - prompt["logprobs"][i]) for i in range(1, len(lp))])
        most = max(most, given[keep[:-1]].max(initial=0))
    return most


def prompts_of(golden):
    return [p["tokens"] for p in golden["prompts"]]
