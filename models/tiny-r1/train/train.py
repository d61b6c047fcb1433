"""Trains tiny-R1. Resumes from the newest checkpoint of its folder.

    python3 train.py OUT_DIR [--minutes N] [--threads N]"""

import argparse
import json
import math
import os
import sys
import time

try:
    import torch
except ImportError:
    sys.exit("training needs PyTorch: python3 -m pip install torch tokenizers numpy")
import torch.nn.functional as F

import circuits
import held_out
import recipe
import vocabulary
from batches import Ahead, batch_tokens
from network import Network


def is_matrix(name, p):
    return p.ndim >= 2 and "embedding" not in name and "head" not in name and "router" not in name


USES_BF16 = torch.backends.cpu.get_cpu_capability() == "AVX512"  # elsewhere products of bfloat16 are many times slower than of float32


def orthogonal(g):
    """The nearest orthogonal matrix, roughly: five Newton-Schulz steps (Muon, kellerjordan.github.io/posts/muon)."""
    x = g.bfloat16() if USES_BF16 else g
    turned = x.shape[-2] > x.shape[-1]
    x = x.transpose(-1, -2) if turned else x
    x = x / (x.flatten(-2).norm(dim=-1)[..., None, None] + 1e-7)
    for _ in range(5):
        a = x @ x.transpose(-1, -2)
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * (a @ a)) @ x
    return (x.transpose(-1, -2) if turned else x).float()


class Muon(torch.optim.Optimizer):
    """Momentum made orthogonal, scaled so that its entries are as large as AdamW's (arXiv:2502.16982, section 2.2). A group of
    parameters may be `stacked`: that many matrices, one above the other."""

    def __init__(self, params, lr, momentum=0.95, weight_decay=0.0):
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "stacked": 1})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                momentum = self.state[p].setdefault("momentum", torch.zeros_like(p))
                momentum.lerp_(p.grad, 1 - group["momentum"])
                direction = p.grad.lerp(momentum, group["momentum"]).unflatten(-2, (group["stacked"], -1))
                update = orthogonal(direction).mul_(0.2 * math.sqrt(max(direction.shape[-2:])))
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.sub_(update.flatten(-3, -2), alpha=group["lr"])


def optimizers(network):
    matrices = [(n, p) for n, p in network.named_parameters() if is_matrix(n, p)]
    groups = ({"params": [p for n, p in matrices if n.endswith("gate_up")], "stacked": 2},
              {"params": [p for n, p in matrices if not n.endswith("gate_up")]})
    others = [p for n, p in network.named_parameters() if not is_matrix(n, p)]
    return (Muon(groups, recipe.LEARNING_RATE, weight_decay=recipe.WEIGHT_DECAY),
            torch.optim.AdamW(others, recipe.LEARNING_RATE, betas=(0.9, 0.95), weight_decay=recipe.WEIGHT_DECAY))


def learning_rate(step, progress):
    warm = min(1.0, (step + 1) / recipe.WARMUP_STEPS)
    return recipe.LEARNING_RATE * warm * (1.0 if progress < 0.5 else max(0.02, 1 - 0.98 * (progress - 0.5) / 0.5))


def losses(network, microbatch, with_mtp):
    """Sums of weighted losses (next token, token after next) and of the weights."""
    ids, rows, positions, weights = (torch.from_numpy(a) for a in microbatch)
    hidden, context = network(ids, rows, positions)
    loss = (F.cross_entropy(network.logits(hidden[:-1]).float(), ids[1:], reduction="none") * weights[1:]).sum()
    if not with_mtp:
        return loss, torch.zeros(()), weights.sum()
    far = network.mtp_logits(hidden, ids.roll(-1), context)[:-2].float()
    mtp = (F.cross_entropy(far, ids[2:], reduction="none") * weights[2:] * (positions[2:] >= 2)).sum()
    return loss, mtp, weights.sum()


def balance(network, step, progress):
    """Moves each routing bias against its expert's load; returns the worst load over the mean."""
    size = 0.0 if progress >= 0.9 else recipe.BIAS_STEP[step >= 500]
    worst = 1.0
    for experts in network.experts():
        if experts.load.sum() > 0:
            mean = experts.load.mean()
            worst = max(worst, (experts.load.max() / mean).item())
            experts.bias += size * (mean - experts.load).sign()
        experts.load.zero_()
    return worst


class Training:
    def __init__(self, folder, minutes):
        self.folder, self.seconds = folder, minutes * 60
        self.tokenizer = os.path.join(folder, "tokenizer.json")
        torch.manual_seed(recipe.SEED)
        self.network = Network(recipe.CONFIG)
        circuits.install(self.network)
        self.optimizers = optimizers(self.network)
        self.step, self.elapsed, self.n_tokens = 0, 0.0, 0
        if os.path.exists(self.path):
            self.load()

    @property
    def path(self):
        return os.path.join(self.folder, "checkpoint.pt")

    def load(self):
        state = torch.load(self.path, weights_only=True)
        self.network.load_state_dict(state["network"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.step, self.elapsed, self.n_tokens = state["step"], state["elapsed"], state["n_tokens"]
        self.forget_log_after(self.step)
        print(f"resumed at step {self.step} after {self.elapsed / 60:.1f} minutes", flush=True)

    def forget_log_after(self, step):
        """What was logged between the checkpoint and the end of the run before is done again."""
        path = os.path.join(self.folder, "log.jsonl")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as f:
                kept = [line for line in f if json.loads(line)["step"] <= step]
            with open(path, "w", encoding="utf-8") as f:
                f.writelines(kept)

    def save(self):
        state = {"network": self.network.state_dict(), "optimizers": [o.state_dict() for o in self.optimizers], "step": self.step,
                 "elapsed": self.elapsed, "n_tokens": self.n_tokens}
        torch.save(state, self.path + ".new")
        os.replace(self.path + ".new", self.path)

    def one_step(self, batch, progress):
        with_mtp = self.step % recipe.MTP_EVERY == 0
        total = sum(float(m[3].sum()) for m in batch)
        shown = {"loss": 0.0, "mtp": 0.0}
        for microbatch in batch:
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=USES_BF16):
                loss, mtp, _ = losses(self.network, microbatch, with_mtp)
            ((loss + recipe.MTP_WEIGHT * mtp) / total).backward()
            shown["loss"] += loss.item() / total
            shown["mtp"] += mtp.item() / total
            self.n_tokens += len(microbatch[0])
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), recipe.CLIP)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(self.step, progress)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        shown |= {"norm": norm.item(), "load": balance(self.network, self.step, progress)}
        self.step += 1
        return shown if with_mtp else {k: v for k, v in shown.items() if k != "mtp"}

    def run(self):
        source, log = Ahead(self.tokenizer), open(os.path.join(self.folder, "log.jsonl"), "a", encoding="utf-8")
        checks = held_out.Suite(self.tokenizer)
        saved = checked = self.elapsed
        self.network.train()
        while self.elapsed < self.seconds:
            begin, progress = time.monotonic(), self.elapsed / self.seconds
            shown = self.one_step(source.get(self.step, progress), progress)
            self.elapsed += time.monotonic() - begin
            if self.elapsed - checked >= min(recipe.CHECKPOINT_SECONDS, self.seconds / 4):
                shown["held_out"] = checks.losses(self.network, USES_BF16)
                checked = self.elapsed
            shown |= {"step": self.step, "minutes": round(self.elapsed / 60, 3), "tokens": self.n_tokens}
            log.write(json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in shown.items()}) + "\n")
            log.flush()
            if self.step % 20 == 0 or "held_out" in shown:
                print(describe(shown, self), flush=True)
            if self.elapsed - saved >= recipe.CHECKPOINT_SECONDS:
                self.save()
                saved = self.elapsed
        self.save()
        source.close()
        held_out.show(checks, self.network, USES_BF16)


def describe(shown, training):
    line = (f"{shown['minutes']:7.1f} of {training.seconds / 60:.0f} min  step {shown['step']}  {shown['tokens'] / 1e6:.2f} M tokens  "
            f"loss {shown['loss']:.3f}  batch {batch_tokens(training.elapsed / training.seconds)}  load {shown['load']:.2f}")
    if "held_out" in shown:
        line += "\n    held out: " + "  ".join(f"{k} {v:.3f}" for k, v in shown["held_out"].items())
    return line


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder")
    parser.add_argument("--minutes", type=float, default=recipe.MINUTES)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    args = parser.parse_args()
    os.makedirs(args.folder, exist_ok=True)
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    tokenizer = os.path.join(args.folder, "tokenizer.json")
    if not os.path.exists(tokenizer):
        print("learning the vocabulary", flush=True)
        vocabulary.write(tokenizer)
    training = Training(args.folder, args.minutes)
    n = sum(p.numel() for p in training.network.parameters())
    print(f"{n / 1e6:.2f} M parameters, {args.threads} threads, {'bf16' if USES_BF16 else 'f32'}", flush=True)
    training.run()


if __name__ == "__main__":
    main()
