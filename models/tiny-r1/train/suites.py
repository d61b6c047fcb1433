"""Writes the held-out suites that `seekd eval` reads: one JSON-lines file a kind, the same on every machine.

    python3 suites.py OUT_DIR [--items N]"""

import argparse
import json
import os
import random

import tasks

ITEMS = 204  # of each kind, spread evenly over the languages
MAX_TOKENS = 640
LANGUAGE_KINDS = ("greetings", "identity", "unknown", "language_guard", "capitals", "colours", "tool_results")


def without_thought(message):
    """History as a client would send it back."""
    return {k: v for k, v in message.items() if k != "reasoning_content"}


def item(name, example):
    row = {"id": name, "kind": example.kind, "language": example.language}
    if example.fim:
        prefix, suffix, middle = example.fim
        return {**row, "prompt": prefix, "suffix": suffix, "max_tokens": MAX_TOKENS, "checks": [tasks.exact_check(middle.strip())]}
    row |= {"messages": [without_thought(m) for m in example.messages[:-1]], "thinking": example.thinking, "max_tokens": MAX_TOKENS}
    if example.tools:
        row["tools"] = example.tools
    return {**row, "checks": example.checks}


def items_of(kind, module, n):
    """Distinct questions, the languages in turn."""
    seen, out, seed = set(), [], 0
    while len(out) < n and seed < 50 * n:
        language = tasks.LANGUAGES[len(out) % len(tasks.LANGUAGES)]
        row = item(f"{kind}-{language}-{len(out):03}", module.make(random.Random(f"suite {kind} {seed}"), language, True))
        seed += 1
        question = json.dumps([row.get("messages"), row.get("prompt"), row.get("tools")], ensure_ascii=False)
        if question not in seen:
            seen.add(question)
            out.append(row)
    if len(out) < n:
        raise SystemExit(f"{kind}: only {len(out)} distinct held-out questions")
    return out


def in_its_language(rows):
    """The same questions, asked for nothing but the language of the answer."""
    return [{**row, "id": "language-" + row["id"], "kind": "language", "checks": [tasks.language_check(row["language"])]} for row in rows]


def write(path, rows):
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out")
    parser.add_argument("--items", type=int, default=ITEMS)
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    language_rows = []
    for kind, module in tasks.kinds().items():
        rows = items_of(kind, module, args.items)
        write(os.path.join(args.out, f"{kind}.jsonl"), rows)
        if kind in LANGUAGE_KINDS:
            language_rows += in_its_language(rows[:args.items // 3])
    write(os.path.join(args.out, "language.jsonl"), language_rows)


if __name__ == "__main__":
    main()
