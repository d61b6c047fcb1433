#!/usr/bin/env python3
"""Cuts published vocabularies down to what the known texts of test_tokenizer.py need, for the C unit tests.

    SEEKD_BUILD=build build/venv/bin/python tests/model/make_tokenizer_slices.py

An entry or merge is kept when its bytes stand somewhere in a known text, so that the texts keep their exact ids.
Writes tests/unit/text/vectors/NAME.json (a tokenizer.json) and NAME.txt (ids, a tab, the text as JSON)."""

import json
import os
import unicodedata

from test_tokenizer import KNOWN, KNOWN_V3, ROOT, alphabet, published

OUT = os.path.join(ROOT, "tests/unit/text/vectors")


def cut(data, texts):
    letters = alphabet()
    shown = ["".join(letters[b] for b in unicodedata.normalize("NFC", t).encode()) for t in texts]
    shown += ["".join(letters[b] for b in t.encode()) for t in texts]
    stands = lambda entry: len(entry) == 1 or any(entry in t for t in shown)
    model = dict(data["model"])
    model["vocab"] = {t: i for t, i in model["vocab"].items() if stands(t)}
    merges = [m.split(" ") if isinstance(m, str) else m for m in model["merges"]]
    model["merges"] = [" ".join(m) for m in merges if stands("".join(m))]
    kept = [a for a in data["added_tokens"] if "place" not in a["content"] and "reserved" not in a["content"]]
    return dict(data, model=model, added_tokens=kept)


def main():
    os.makedirs(OUT, exist_ok=True)
    for name, column in (("deepseek-v3", 1), ("qwen2", 2), ("llama3", 3)):
        known = [(row[0], row[column]) for row in KNOWN] + (KNOWN_V3 if column == 1 else [])
        data = cut(published(name), [text for text, _ in known])
        with open(os.path.join(OUT, name + ".json"), "w", encoding="utf-8") as f:
            json.dump(data, f, ensure_ascii=False, separators=(",", ":"))
            f.write("\n")
        with open(os.path.join(OUT, name + ".txt"), "w", encoding="utf-8") as f:
            f.writelines(f"{ids}\t{json.dumps(text)}\n" for text, ids in known)


if __name__ == "__main__":
    main()
