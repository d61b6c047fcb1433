"""Batches of packed rows, a pure function of (seed, step, progress): a process beside the training makes them ahead of time."""

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
        self.encoder, self.kinds = Encoder(tokenizer), tasks.kinds()

    def documents(self, rng, progress):
        """(kind, ids, prompt length) without end."""
        weights = weights_at(progress)
        names = list(self.kinds)
        shares = [weights.get(k, recipe.DEFAULT_WEIGHT) for k in names]
        while True:
            kind = rng.choices(names, shares)[0]
            ids, n_prompt = self.encoder.example(self.kinds[kind].make(rng, rng.choice(tasks.LANGUAGES), False))
            if len(ids) <= recipe.ROW_LENGTHS[-1]:
                yield kind, ids, n_prompt


class Rows:
    """Rows of one length, filled best fit."""

    def __init__(self, length):
        self.length, self.rows, self.room = length, [], []

    def add(self, ids, n_prompt):
        fits = [i for i, room in enumerate(self.room) if room >= len(ids)]
        if fits:
            i = min(fits, key=self.room.__getitem__)
        else:
            i = len(self.rows)
            self.rows.append([])
            self.room.append(self.length)
        self.rows[i].append((ids, n_prompt))
        self.room[i] -= len(ids)

    def arrays(self):
        shape = (len(self.rows), self.length)
        ids, positions, documents = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        weights = np.zeros(shape, np.float32)  # of the loss on the token that stands here
        for r, row in enumerate(self.rows):
            at = 0
            for d, (doc, n_prompt) in enumerate(row):
                end = at + len(doc)
                ids[r, at:end], positions[r, at:end], documents[r, at:end] = doc, np.arange(len(doc)), d + 1
                weights[r, at + 1:at + n_prompt], weights[r, at + n_prompt:end] = recipe.PROMPT_WEIGHT, 1
                at = end
        return ids, positions, documents, weights


def pack(documents):
    """Documents to microbatches of at most MICROBATCH_TOKENS."""
    by_length = {n: Rows(n) for n in recipe.ROW_LENGTHS}
    for ids, n_prompt in sorted(documents, key=lambda d: -len(d[0])):
        by_length[next(n for n in recipe.ROW_LENGTHS if len(ids) <= n)].add(ids, n_prompt)
    for length, rows in by_length.items():
        arrays, step = rows.arrays(), recipe.MICROBATCH_TOKENS // length
        for at in range(0, len(rows.rows), step):
            yield tuple(a[at:at + step] for a in arrays)


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
