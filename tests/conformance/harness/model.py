"""A GGUF file that holds a byte-level vocabulary and no weights: all that a server on the mock device reads."""

import struct

U32, F32, BOOL, STRING, ARRAY, I32 = 4, 6, 7, 8, 9, 5
NORMAL, CONTROL, USER_DEFINED = 1, 3, 4
CONTROLS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
WORDS = ["he", "ll", "hell", "the", "and", "user", "\u0120the", "\u0120and"]
MERGES = ["h e", "l l", "he ll", "t he", "a n", "an d", "u s", "e r", "us er", "\u0120 the", "\u0120 and"]


def alphabet():
    """The visible character that stands for each byte in byte-level vocabularies."""
    keep = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [b for b in range(256) if b not in keep]
    table = {b: chr(b) for b in keep} | {b: chr(256 + i) for i, b in enumerate(hidden)}
    return [table[b] for b in range(256)]


def vocabulary():
    return alphabet() + WORDS + ["an", "us", "er"] + CONTROLS


def _text(s):
    return struct.pack("<Q", len(s.encode())) + s.encode()


def _pair(key, kind, value):
    body = {U32: lambda v: struct.pack("<I", v), F32: lambda v: struct.pack("<f", v), BOOL: lambda v: struct.pack("<?", v),
            STRING: _text}[kind](value)
    return _text(key) + struct.pack("<I", kind) + body


def _list(key, kind, values):
    body = b"".join(_text(v) if kind == STRING else struct.pack("<i", v) for v in values)
    return _text(key) + struct.pack("<IIQ", ARRAY, kind, len(values)) + body


def write_model(path, context=512, extra=(), bos=None, eos="<|im_end|>"):
    """`extra`: further (token, kind) pairs; their ids follow those of vocabulary()."""
    tokens = vocabulary()
    kinds = [CONTROL if t in CONTROLS else NORMAL for t in tokens] + [k for _, k in extra]
    tokens += [t for t, _ in extra]
    pairs = [
        _pair("general.architecture", STRING, "llama"),
        _pair("llama.block_count", U32, 1),
        _pair("llama.context_length", U32, context),
        _pair("llama.embedding_length", U32, 32),
        _pair("llama.feed_forward_length", U32, 64),
        _pair("llama.attention.head_count", U32, 2),
        _pair("llama.attention.head_count_kv", U32, 1),
        _pair("llama.attention.layer_norm_rms_epsilon", F32, 1e-5),
        _pair("tokenizer.ggml.model", STRING, "gpt2"),
        _pair("tokenizer.ggml.pre", STRING, "smollm"),
        _list("tokenizer.ggml.tokens", STRING, tokens),
        _list("tokenizer.ggml.token_type", I32, kinds),
        _list("tokenizer.ggml.merges", STRING, MERGES),
        _pair("tokenizer.ggml.eos_token_id", U32, tokens.index(eos)),
        _pair("tokenizer.ggml.add_bos_token", BOOL, bos is not None),
    ]
    if bos is not None:
        pairs.append(_pair("tokenizer.ggml.bos_token_id", U32, tokens.index(bos)))
    head = struct.pack("<4sIQQ", b"GGUF", 3, 0, len(pairs)) + b"".join(pairs)
    with open(path, "wb") as f:
        f.write(head + bytes(-len(head) % 32))
    return path
