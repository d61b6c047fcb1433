"""Fixed held-out examples: the loss on their replies by kind, and how often the multi-token-prediction layer guesses right.

    python3 held_out.py TRAIN_DIR"""

import argparse
import os
import random

import torch
import torch.nn.functional as F

import recipe
import tasks
from batches import pack
from dialogue import Encoder

PER_LANGUAGE = 2


class Suite:
    def __init__(self, tokenizer):
        encoder, self.microbatches = Encoder(tokenizer), {}
        for kind, module in tasks.kinds().items():
            documents = []
            for language in tasks.LANGUAGES:
                rng = random.Random(f"held out {kind} {language}")
                documents += [encoder.example(module.make(rng, language, True)) for _ in range(PER_LANGUAGE)]
            self.microbatches[kind] = list(pack([d for d in documents if len(d[0]) <= recipe.LONGEST]))

    @torch.no_grad()
    def losses(self, network, bf16):
        """Mean negative log-likelihood of a reply's token, by kind."""
        network.eval()
        out = {}
        for kind, microbatches in self.microbatches.items():
            total = count = 0.0
            for ids, rows, positions, weights in (tuple(map(torch.from_numpy, m)) for m in microbatches):
                with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
                    hidden, _ = network(ids, rows, positions)
                    logits = network.logits(hidden[:-1]).float()
                wanted = weights[1:] == 1
                each = F.cross_entropy(logits, ids[1:], reduction="none")
                total, count = total + each[wanted].sum().item(), count + wanted.sum().item()
            out[kind] = total / count
        network.train()
        return out

    @torch.no_grad()
    def guessed(self, network):
        """Share of a reply's tokens that the multi-token-prediction layer guesses one step early, by kind."""
        network.eval()
        out = {}
        for kind, microbatches in self.microbatches.items():
            right = count = 0
            for ids, rows, positions, weights in (tuple(map(torch.from_numpy, m)) for m in microbatches):
                hidden, context = network(ids, rows, positions)
                guesses = network.mtp_logits(hidden, ids.roll(-1), context)[:-2].argmax(-1)
                wanted = (weights[2:] == 1) & (positions[2:] >= 2)
                right, count = right + ((guesses == ids[2:]) & wanted).sum().item(), count + wanted.sum().item()
            out[kind] = right / count
        network.train()
        return out


def show(suite, network, bf16):
    losses, guessed = suite.losses(network, bf16), suite.guessed(network)
    print(f"{'kind':20} {'loss':>7} {'guessed early':>14}")
    for kind, loss in losses.items():
        print(f"{kind:20} {loss:7.4f} {100 * guessed[kind]:12.1f} %")
    print(f"{'mean':20} {sum(losses.values()) / len(losses):7.4f} {100 * sum(guessed.values()) / len(guessed):12.1f} %")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("train")
    folder = parser.parse_args().train
    import export
    show(Suite(os.path.join(folder, "tokenizer.json")), export.load(folder), False)


if __name__ == "__main__":
    main()
