"""Comparing the forward pass with a model directory's reference record (tests/model/oracle.py writes both)."""

import gzip
import json
import os
import subprocess

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("SEEKD_BUILD", "build"))
FORWARD = os.path.join(BUILD, "tests/model/forward")


def golden_of(path):
    for name, opener in (("golden.json", open), ("golden.json.gz", gzip.open)):
        full = os.path.join(path, name)
        if os.path.exists(full):
            with opener(full, "rb") as f:
                return json.loads(f.read())
    raise FileNotFoundError(f"{path}: no golden.json")


def forward(model, prompts, numerics="exact", isa="auto", chunk=0, threads=1, batched=False, kv="f32", warm=0):
    """Logits [n_tokens, vocabulary] of each prompt. batched: in shared steps. warm: every prompt after the first begins with
    the same `warm` tokens as the one before, whose cache it reuses; its rows are those after them."""
    mark = "= " if batched else f"^{warm} " if warm else ""
    lines = [(mark if i else "") + " ".join(map(str, p)) for i, p in enumerate(prompts)]
    r = subprocess.run([FORWARD, model, numerics, isa, str(chunk), str(threads), kv],
                       input=("\n".join(lines) + "\n").encode(), capture_output=True)
    if r.returncode:
        raise RuntimeError(f"forward {model}: exit {r.returncode}: {r.stderr.decode()}")
    counts = [len(p) - (warm if i else 0) for i, p in enumerate(prompts)]
    rows = np.frombuffer(r.stdout, np.float32).reshape(sum(counts), -1)
    return np.split(rows, np.cumsum(counts)[:-1])


def log_softmax(z):
    z = z.astype(np.float64)
    z = z - z.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def prompts_of(golden):
    """Each prompt with its greedy continuation but the last token: whose rows predict all of it."""
    return [p["tokens"] + p["greedy"]["tokens"][:-1] for p in golden["prompts"]]


def worst(golden, logits):
    """Largest |difference| of the 20 best and of the given tokens' log-probabilities; fragile positions, and greedy ones past
    the sure ones, are left out."""
    most = 0.0
    for prompt, z in zip(golden["prompts"], logits):
        lp, n, greedy = log_softmax(z), len(prompt["tokens"]), prompt["greedy"]
        keep = np.ones(n, bool)
        keep[prompt["fragile"]] = False
        top = np.abs(np.take_along_axis(lp[:n], np.asarray(prompt["top_ids"]), -1) - np.asarray(prompt["top_logprobs"]))
        given = np.asarray([abs(lp[i - 1, prompt["tokens"][i]] - prompt["logprobs"][i]) for i in range(1, n)])
        chosen = np.asarray([abs(lp[n - 1 + i, greedy["tokens"][i]] - greedy["logprobs"][i]) for i in range(greedy["sure"])])
        most = max(most, top[keep].max(initial=0), given[keep[:-1]].max(initial=0), chosen.max(initial=0))
    return most


def greedy_slips(golden, logits):
    """Where the best token is not the reference's, among the sure ones: (prompt, step, ours, reference)."""
    slips = []
    for prompt, z in zip(golden["prompts"], logits):
        n, greedy = len(prompt["tokens"]), prompt["greedy"]
        ours = z[n - 1:n - 1 + greedy["sure"]].argmax(-1)
        slips += [(prompt["name"], i, int(a), b) for i, (a, b) in enumerate(zip(ours, greedy["tokens"])) if a != b]
    return slips
