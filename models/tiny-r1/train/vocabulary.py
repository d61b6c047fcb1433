"""The tokenizer of tiny-R1: byte-level BPE behind DeepSeek's pre-tokenizer, with its control tokens, learned from the generators' own text.

    python3 vocabulary.py OUT.json

Digits are never merged, so that numbers are read digit by digit."""

import json
import random
import sys

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

import recipe
import tasks
from dialogue import (ASSISTANT, BOS, CALL_BEGIN, CALL_END, CALLS_BEGIN, CALLS_END, EOS, FIM_BEGIN, FIM_END, FIM_HOLE, OUTPUT_BEGIN, OUTPUT_END,
                      SEPARATOR, THINK, THINK_END, USER, plain_texts)

PAD, FIM_MARKS = "<｜▁pad▁｜>", (FIM_HOLE, FIM_BEGIN, FIM_END)
OUTPUTS_BEGIN, OUTPUTS_END = "<｜tool▁outputs▁begin｜>", "<｜tool▁outputs▁end｜>"

FIRST = (BOS, EOS, PAD)
LAST = ("<｜search▁begin｜>", "<｜search▁end｜>", THINK, THINK_END, *FIM_MARKS, USER, ASSISTANT, "<|EOT|>", CALLS_BEGIN, CALLS_END,
        CALL_BEGIN, CALL_END, OUTPUTS_BEGIN, OUTPUTS_END, OUTPUT_BEGIN, OUTPUT_END, SEPARATOR)
SPECIAL = {BOS, EOS, PAD, "<|EOT|>"}

PATTERNS = (
    r"\p{N}{1,3}",
    "[一-龥\u3040-ゟ゠-ヿ]+",
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
)
SAMPLES_PER_KIND = 600  # of each kind in each language


def split(pattern):
    return pre_tokenizers.Split(Regex(pattern), "isolated", invert=False)


def pipeline(first):
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return pre_tokenizers.Sequence([split(p) for p in (first, *PATTERNS[1:])] + [byte_level])


def sample_texts():
    for kind, module in tasks.kinds().items():
        for language in tasks.LANGUAGES:
            rng = random.Random(f"vocabulary {kind} {language}")
            for _ in range(SAMPLES_PER_KIND):
                yield from plain_texts(module.make(rng, language, False))


def learn():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pipeline(r"\p{N}")  # one digit a piece while learning
    trainer = trainers.BpeTrainer(vocab_size=recipe.VOCABULARY - len(FIRST) - len(LAST), show_progress=False,
                                  initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.train_from_iterator(sample_texts(), trainer)
    return json.loads(tokenizer.to_str())["model"]


def added(first_id, literals):
    return [{"id": first_id + i, "content": text, "single_word": False, "lstrip": False, "rstrip": False, "normalized": text not in SPECIAL,
             "special": text in SPECIAL} for i, text in enumerate(literals)]


def write(path):
    learned = learn()
    order = sorted(learned["vocab"], key=learned["vocab"].get)
    vocabulary = {text: i for i, text in enumerate((*FIRST, *order))}
    n = recipe.VOCABULARY - len(LAST)
    assert len(vocabulary) <= n, len(vocabulary)
    whole = {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": added(0, FIRST) + added(n, LAST),
        "normalizer": {"type": "Sequence", "normalizers": []},
        "pre_tokenizer": json.loads(official_pipeline()),
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
                  "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": vocabulary, "merges": learned["merges"]},
    }
    with open(path, "w", encoding="utf-8") as f:
        json.dump(whole, f, ensure_ascii=False, indent=0)


def official_pipeline():
    """The pre-tokenizer as the official file writes it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pipeline(PATTERNS[0])
    return json.dumps(json.loads(tokenizer.to_str())["pre_tokenizer"])


if __name__ == "__main__":
    write(sys.argv[1])
