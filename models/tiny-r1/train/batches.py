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


class Row:
    def __init__(self, length):
        self.length, self.room, self.documents = length, length, []

    def add(self, document):
        self.documents.append(document)
        self.room -= len(document[0])


def fill_rows(documents):
    """Longest first into the fullest row that has room, else into a new one of the shortest length that holds it."""
    rows = []
    for document in sorted(documents, key=lambda d: -len(d[0])):
        n = len(document[0])
        row = min((r for r in rows if r.room >= n), key=lambda r: r.room, default=None)
        if row is None:
            row = Row(next(length for length in recipe.ROW_LENGTHS if n <= length))
            rows.append(row)
        row.add(document)
    return rows


def arrays_of(rows, length):
    shape = (len(rows), length)
    ids, positions, documents = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    weights = np.zeros(shape, np.float32)  # of the loss on the token that stands here
    for r, row in enumerate(rows):
        at = 0
        for d, (doc, n_prompt) in enumerate(row.documents):
            end = at + len(doc)
            ids[r, at:end], positions[r, at:end], documents[r, at:end] = doc, np.arange(len(doc)), d + 1
            weights[r, at + 1:at + n_prompt], weights[r, at + n_prompt:end] = recipe.PROMPT_WEIGHT, 1
            at = end
    return ids, positions, documents, weights


def pack(documents):
    """Documents to microbatches of at most MICROBATCH_TOKENS, of rows of one length each."""
    rows = fill_rows(documents)
    for length in recipe.ROW_LENGTHS:
        same, step = [r for r in rows if r.length == length], recipe.MICROBATCH_TOKENS // length
        for at in range(0, len(same), step):
            yield arrays_of(same[at:at + step], length)


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
