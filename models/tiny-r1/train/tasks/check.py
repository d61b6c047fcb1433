"""Checks generators: python3 -m tasks.check [KIND...] [--seeds N] [--samples N]

Every kind in every language, both sides of the split: the same seed gives the same example, the form is right, the reply passes its own
checks, no question of evaluation stands in training, examples are short."""

import argparse
import json
import random
import re
import sys
import unicodedata

import tasks

LONGEST_CHARACTERS = 1600
ARABIC = str.maketrans("٠١٢٣٤٥٦٧٨٩", "0123456789")


def fold(text):
    return unicodedata.normalize("NFC", text).casefold()


def last_number(text):
    found = re.findall(r"[-−]?\d+(?:[.,]\d+)*", text.translate(ARABIC))
    return float(found[-1].replace("−", "-").replace(",", "")) if found else None


def passes(check, message):
    content, kind = message["content"], check["type"]
    if kind == "exact":
        return content.strip() in check["values"]
    if kind == "contains":
        return any(fold(v) in fold(content) for v in check["values"])
    if kind == "number":
        return last_number(content) == float(check["value"])
    if kind == "regex":
        return re.search(check["pattern"], content) is not None
    if kind == "json":
        return json.loads(content) == check["value"]
    if kind == "tool_calls":
        calls = [{"name": c["function"]["name"], "arguments": json.loads(c["function"]["arguments"])} for c in message.get("tool_calls", [])]
        return sorted(calls, key=repr) == sorted(check["calls"], key=repr) and (calls or content.strip())
    return kind == "language" and check["language"] in tasks.LANGUAGES


def question_of(example):
    return json.dumps([example.messages[:-1], example.fim[:2]], ensure_ascii=False)


def faults(example):
    if example.fim:
        return [] if len(example.fim) == 3 and not example.messages else ["fim is (prefix, suffix, middle) and has no messages"]
    last, found = example.messages[-1], []
    if last["role"] != "assistant" or example.messages[-2]["role"] not in ("user", "tool"):
        found.append("the last two messages are not a question and a reply")
    if example.thinking != ("reasoning_content" in last):
        found.append("thinking and reasoning_content disagree")
    if not example.checks:
        found.append("no checks")
    found += [f"the reply fails its own check {c}" for c in example.checks if not passes(c, last)]
    size = len(json.dumps([example.messages, example.tools], ensure_ascii=False))
    if size > LONGEST_CHARACTERS + 700 * len(example.tools):
        found.append(f"{size} characters")
    return found


def check_kind(module, language, n_seeds):
    questions, bad = {True: set(), False: set()}, []
    for held_out in (False, True):
        for seed in range(n_seeds):
            example = module.make(random.Random(f"{seed}/{held_out}"), language, held_out)
            again = module.make(random.Random(f"{seed}/{held_out}"), language, held_out)
            found = faults(example)
            if example != again:
                found.append("the same seed gives another example")
            if (example.kind, example.language) != (module.KIND, language):
                found.append("kind or language is not what was asked for")
            if hasattr(module, "verify") and not module.verify(example):
                found.append("verify says no")
            questions[held_out].add(question_of(example))
            bad += [f"{module.KIND} {language} seed {seed} held_out {held_out}: {f}\n    {example}" for f in found]
    common = questions[True] & questions[False]
    if common:
        bad.append(f"{module.KIND} {language}: {len(common)} questions stand on both sides, such as {min(common)}")
    return bad, len(questions[False]), len(questions[True])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kinds", nargs="*")
    parser.add_argument("--seeds", type=int, default=500)
    parser.add_argument("--samples", type=int, default=0, help="print this many of each language")
    args = parser.parse_args()
    known, n_bad = tasks.kinds(), 0
    for kind in args.kinds or known:
        for language in tasks.LANGUAGES:
            bad, n_train, n_held = check_kind(known[kind], language, args.seeds)
            print(f"{kind:16} {language}  {n_train} questions of training, {n_held} of evaluation, {len(bad)} faults", flush=True)
            for line in bad[:3]:
                print("  " + line)
            n_bad += len(bad)
            for seed in range(args.samples):
                example = known[kind].make(random.Random(f"sample {seed}"), language, False)
                print(json.dumps(example.fim or example.messages, ensure_ascii=False, indent=1))
    sys.exit(1 if n_bad else 0)


if __name__ == "__main__":
    main()
