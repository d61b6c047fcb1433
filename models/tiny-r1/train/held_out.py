"""Fixed held-out examples: the loss on their replies by kind, while training goes on."""

import random

import torch
import torch.nn.functional as F

import recipe
import tasks
from batches import pack
from dialogue import Encoder

PER_LANGUAGE = 4


class Suite:
    def __init__(self, tokenizer):
        encoder, self.microbatches = Encoder(tokenizer), {}
        for kind, module in tasks.kinds().items():
            documents = []
            for language in tasks.LANGUAGES:
                rng = random.Random(f"held out {kind} {language}")
                documents += [encoder.example(module.make(rng, language, True)) for _ in range(PER_LANGUAGE)]
            self.microbatches[kind] = list(pack([d for d in documents if len(d[0]) <= recipe.ROW_LENGTHS[-1]]))

    @torch.no_grad()
    def losses(self, network, bf16):
        """Mean negative log-likelihood of a reply's token, by kind."""
        network.eval()
        out = {}
        for kind, microbatches in self.microbatches.items():
            total = count = 0.0
            for ids, positions, documents, weights in (tuple(map(torch.from_numpy, m)) for m in microbatches):
                with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
                    hidden, _ = network(ids, positions, documents)
                    logits = network.logits(hidden[:, :-1]).float()
                wanted = (weights[:, 1:] == 1).flatten()
                each = F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
                total, count = total + each[wanted].sum().item(), count + wanted.sum().item()
            out[kind] = total / count
        network.train()
        return out
