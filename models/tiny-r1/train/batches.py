"""Batches of documents, a pure function of (seed, step, progress): a process beside the training makes them ahead of time."""

import multiprocessing
import queue
import random

import numpy as np

import recipe
import tasks
from dialogue import Encoder


def weights_at(progress):
    for until, weights in recipe.PHASES:
        if progress < until:
            return weights
    return recipe.PHASES[-1][1]


def batch_tokens(progress):
    low, high = recipe.BATCH_TOKENS
    return int(low + (high - low) * min(1.0, 2 * progress))


class Source:
    """Documents of the training side of the split."""

    def __init__(self, tokenizer):
        self.encoder, self.kinds = Encoder(tokenizer), tasks.trained_kinds()

    def documents(self, rng, progress):
        """(kind, ids, prompt length) without end."""
        weights = weights_at(progress)
        names = list(self.kinds)
        shares = [weights.get(k, weights.get("others", recipe.DEFAULT_WEIGHT)) for k in names]
        while True:
            kind = rng.choices(names, shares)[0]
            ids, n_prompt = self.encoder.example(self.kinds[kind].make(rng, rng.choice(tasks.LANGUAGES), False))
            if len(ids) <= recipe.LONGEST:
                yield kind, ids, n_prompt


def arrays_of(documents):
    """Documents one after the other: of each token its id, its document, its position and the weight of the loss on it, all [tokens]."""
    ids = np.concatenate([np.asarray(d, np.int64) for d, _ in documents])
    rows = np.concatenate([np.full(len(d), row) for row, (d, _) in enumerate(documents)])
    positions = np.concatenate([np.arange(len(d)) for d, _ in documents])
    n_prompt = np.array([n for _, n in documents])[rows]
    weights = np.where(positions == 0, 0, np.where(positions < n_prompt, recipe.PROMPT_WEIGHT, 1)).astype(np.float32)
    return ids, rows, positions, weights


def pack(documents):
    """Documents to microbatches of at most MICROBATCH_TOKENS, of documents of about one length: attention pads them to the longest."""
    rest = sorted(documents, key=lambda d: -len(d[0]))
    while rest:
        n = max(1, recipe.MICROBATCH_TOKENS // len(rest[0][0]))
        yield arrays_of(rest[:n])
        rest = rest[n:]


def make_batch(source, step, progress):
    rng, documents, n = random.Random(f"{recipe.SEED} {step}"), [], 0
    for _, ids, n_prompt in source.documents(rng, progress):
        documents.append((ids, n_prompt))
        n += len(ids)
        if n >= batch_tokens(progress):
            return list(pack(documents))


def serve(tokenizer, wanted, made):
    source = Source(tokenizer)
    while (request := wanted.get()) is not None:
        made.put((request, make_batch(source, *request)))


class Ahead:
    """Batches in order of step, made while the network works on the one before."""

    def __init__(self, tokenizer, depth=3):
        context = multiprocessing.get_context("spawn")
        self.wanted, self.made, self.depth, self.asked = context.Queue(), context.Queue(), depth, None
        self.process = context.Process(target=serve, args=(tokenizer, self.wanted, self.made), daemon=True)
        self.process.start()

    def get(self, step, progress):
        if self.asked is None:
            self.asked = step
        while self.asked < step + self.depth:
            self.wanted.put((self.asked, progress))
            self.asked += 1
        while True:
            try:
                (made_step, _), batch = self.made.get(timeout=5)
            except queue.Empty:
                if not self.process.is_alive():
                    raise RuntimeError("the process that makes batches has ended") from None
                continue
            assert made_step == step
            return batch

    def close(self):
        self.wanted.put(None)
        self.process.join(5)
