"""Writes the model card: README.md of the exported model, its figures taken from the log of the training and from saved results of
`seekd eval` on the model as shipped (FP8) and on the same network in F32.

    python3 card.py TRAIN_DIR FP8_RESULTS F32_RESULTS > README.md"""

import argparse
import json
import os

import export
import held_out
import recipe

# Percent to reach. A kind that stays below it is named in the card.
TARGETS = {"addition": 97, "subtraction": 95, "multiplication": 93, "sorting": 90, "dates": 95, "logic": 90, "counting": 80, "json_extraction": 93,
           "tool_calls": 95, "tool_results": 95, "capitals": 97, "colours": 97, "translations": 97, "greetings": 98, "identity": 98,
           "language": 98}


def lines_of(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def items_of(path):
    return {item["id"]: item for item in lines_of(path)[1:]}


def accuracies(items):
    """{kind: (right, of how many, tokens)} of answered items."""
    out = {}
    for item in items:
        right, n, tokens = out.get(item["kind"], (0, 0, 0))
        out[item["kind"]] = right + (item["outcome"] == "right"), n + 1, tokens + item["tokens"]
    return out


def percent(right, n, _):
    return 100 * right / n


def accuracy_table(fp8, f32, guessed):
    """F32 may have been asked fewer items: the two are compared on those that both were asked."""
    yield "| kind | items | right | wanted | tokens an answer | guessed one token early | FP8 and F32 on the same items |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    rows, same, full = accuracies(fp8.values()), accuracies(fp8[i] for i in f32), accuracies(f32.values())
    for kind, row in rows.items():
        early = f"{100 * guessed[kind]:.0f} %" if kind in guessed else ""
        wanted = f"{TARGETS[kind]} %" if kind in TARGETS else ""
        yield (f"| {kind} | {row[1]} | {percent(*row):.1f} % | {wanted} | {row[2] / row[1]:.0f} | {early} | "
               f"{percent(*same[kind]):.1f} %, {percent(*full[kind]):.1f} % |")

    def mean(table):
        return sum(percent(*row) for row in table.values()) / len(table)
    yield (f"| mean of the kinds | {len(fp8)} | {mean(rows):.1f} % | | | {100 * sum(guessed.values()) / len(guessed):.0f} % | "
           f"{mean(same):.1f} %, {mean(full):.1f} % |")


def language_table(path):
    groups = {}
    for item in lines_of(path)[1:]:
        if item["kind"] == "language":
            groups.setdefault(item["language"], []).append(item["outcome"] == "right")
    yield "| " + " | ".join(groups) + " |"
    yield "| " + " | ".join("---" for _ in groups) + " |"
    yield "| " + " | ".join(f"{100 * sum(g) / len(g):.1f} %" for g in groups.values()) + " |"


def shortfalls(fp8):
    """A line for each kind below its target; why is for whoever trained it to add."""
    below = [(k, percent(*row)) for k, row in accuracies(fp8.values()).items() if k in TARGETS and percent(*row) < TARGETS[k]]
    yield from (f"- {kind}: {reached:.1f} % of {TARGETS[kind]} %" for kind, reached in below)
    if not below:
        yield "Nothing."


def curve(log, points=12):
    yield "| minute | steps | tokens | loss in training | held out: mean | arithmetic | facts | copying | tools | worst expert's load |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    checked = [i for i, row in enumerate(log) if "held_out" in row]
    chosen = sorted({checked[round(k * (len(checked) - 1) / (points - 1))] for k in range(points)})
    for i in chosen:
        held, last = log[i]["held_out"], log[max(0, i - 49):i + 1]

        def mean(*kinds, held=held):
            return sum(held[k] for k in kinds) / len(kinds)
        yield (f"| {log[i]['minutes']:.0f} | {log[i]['step']} | {log[i]['tokens'] / 1e6:.1f} M | {sum(r['loss'] for r in last) / len(last):.3f} | "
               f"{mean(*held):.3f} | {mean('addition', 'subtraction', 'multiplication'):.3f} | {mean('capitals', 'colours', 'translations'):.3f} | "
               f"{mean('copying'):.3f} | {mean('tool_calls', 'tool_results'):.3f} | {sum(r['load'] for r in last) / len(last):.2f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("train", "fp8", "f32"):
        parser.add_argument(name)
    args = parser.parse_args()
    log = lines_of(os.path.join(args.train, "log.jsonl"))
    guessed = held_out.Suite(os.path.join(args.train, "tokenizer.json")).guessed(export.load(args.train))
    with open(os.path.join(export.HERE, "card.md"), encoding="utf-8") as f:
        text = f.read()
    fp8 = items_of(args.fp8)
    tables = {"ACCURACY": accuracy_table(fp8, items_of(args.f32), guessed), "SHORTFALLS": shortfalls(fp8), "LANGUAGES": language_table(args.fp8),
              "CURVE": curve(log)}
    for name, rows in tables.items():
        text = text.replace(f"[{name}]", "\n".join(rows))
    values = {"SEED": recipe.SEED, "MINUTES": f"{log[-1]['minutes']:.0f}", "STEPS": log[-1]["step"], "TOKENS": f"{log[-1]['tokens'] / 1e6:.1f}"}
    for name, value in values.items():
        text = text.replace(f"[{name}]", str(value))
    print(text, end="")


if __name__ == "__main__":
    main()
