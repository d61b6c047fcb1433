#!/usr/bin/env python3
"""Writes the small seeds of the fuzz targets that need more than text: tests/fuzz/make_seeds.py"""

import json
import os
import struct

SEEDS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "seeds")


def put(target, name, data):
    folder = os.path.join(SEEDS, target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())


# ---- GGUF


def text(s):
    return struct.pack("<Q", len(s.encode())) + s.encode()


def pair(key, value):
    if isinstance(value, str):
        return text(key) + struct.pack("<I", 8) + text(value)
    if isinstance(value, bool):
        return text(key) + struct.pack("<IB", 7, value)
    if isinstance(value, int):
        return text(key) + struct.pack("<II", 4, value)
    if isinstance(value, float):
        return text(key) + struct.pack("<If", 6, value)
    if isinstance(value[0], str):
        return text(key) + struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))
    kind, code = (6, "f") if isinstance(value[0], float) else (5, "i")
    return text(key) + struct.pack("<IIQ", 9, kind, len(value)) + struct.pack(f"<{len(value)}{code}", *value)


def gguf(pairs, tensors=(), data=b"", version=3):
    out = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(pairs)) + b"".join(pair(k, v) for k, v in pairs.items())
    for name, shape, kind, offset in tensors:
        out += text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}QIQ", *shape, kind, offset)
    return out + bytes(-len(out) % 32) + data if tensors else out


def gguf_seeds():
    llama = {"general.architecture": "llama", "llama.block_count": 1, "llama.embedding_length": 32, "llama.context_length": 64,
             "llama.feed_forward_length": 64, "llama.attention.head_count": 2, "llama.attention.head_count_kv": 1,
             "llama.rope.freq_base": 10000.0, "llama.attention.layer_norm_rms_epsilon": 1e-5}
    byte_level = {"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "smollm", "tokenizer.ggml.tokens": ["a", "b", "ab", "Ġ", "<s>"],
                  "tokenizer.ggml.token_type": [1, 1, 1, 1, 3], "tokenizer.ggml.merges": ["a b"], "tokenizer.ggml.bos_token_id": 4,
                  "tokenizer.ggml.add_bos_token": True}
    scored = {"tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": ["<unk>", "▁", "a", "▁a", "<0x41>"],
              "tokenizer.ggml.token_type": [2, 1, 1, 1, 6], "tokenizer.ggml.scores": [0.0, -2.0, -2.0, -1.0, 0.0],
              "tokenizer.ggml.unknown_token_id": 0}
    tensors = [("token_embd.weight", (32, 5), 0, 0), ("blk.0.attn_q.weight", (32, 2), 2, 640)]
    put("gguf", "llama", gguf({**llama, **byte_level}, tensors, bytes(640 + 64)))
    put("gguf", "scored", gguf({**llama, **scored}, tensors, bytes(640 + 64)))
    deepseek = {k.replace("llama", "deepseek2"): v for k, v in llama.items()}
    deepseek.update({"general.architecture": "deepseek2", "deepseek2.attention.kv_lora_rank": 16, "deepseek2.rope.dimension_count": 8,
                     "deepseek2.attention.key_length": 24, "deepseek2.attention.value_length": 16, "deepseek2.expert_count": 4,
                     "deepseek2.expert_used_count": 2, "deepseek2.expert_feed_forward_length": 32, "deepseek2.rope.scaling.type": "yarn",
                     "deepseek2.rope.scaling.factor": 4.0})
    put("gguf", "deepseek", gguf(deepseek, tensors, bytes(640 + 64), version=2))
    put("gguf", "empty", gguf({}))


# ---- safetensors, config.json, tokenizer.json


def safetensors(header, data):
    raw = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(raw)) + raw + data


def json_seeds():
    put("safetensors", "file", b"s" + safetensors({
        "__metadata__": {"format": "pt"}, "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
        "b": {"dtype": "BF16", "shape": [2, 2], "data_offsets": [8, 16]}, "s": {"dtype": "F8_E4M3", "shape": [], "data_offsets": [16, 17]}},
        bytes(17)))
    put("safetensors", "index", b"i" + json.dumps({"metadata": {"total_size": 2}, "weight_map": {"a": "a.safetensors"}}).encode())
    base = {"num_hidden_layers": 2, "hidden_size": 64, "vocab_size": 100, "num_attention_heads": 4, "num_key_value_heads": 2,
            "intermediate_size": 128, "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "rope_theta": 1e4, "eos_token_id": [1, 2]}
    put("model_config", "llama", json.dumps({"architectures": ["LlamaForCausalLM"], **base, "rope_scaling": {
        "rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4, "original_max_position_embeddings": 256}}))
    put("model_config", "mixtral", json.dumps({"architectures": ["MixtralForCausalLM"], **base, "num_local_experts": 4,
                                               "num_experts_per_tok": 2}))
    put("model_config", "deepseek", json.dumps({
        "architectures": ["DeepseekV3ForCausalLM"], **base, "q_lora_rank": 24, "kv_lora_rank": 32, "qk_nope_head_dim": 16,
        "qk_rope_head_dim": 8, "v_head_dim": 16, "n_routed_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "n_group": 4,
        "topk_group": 2, "scoring_func": "sigmoid", "topk_method": "noaux_tc", "rope_scaling": {"type": "yarn", "factor": 40, "mscale": 1},
        "quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]}}))
    added = [{"id": 9, "content": "<s>", "special": True}, {"id": 10, "content": "</s>", "lstrip": True, "rstrip": True}]
    put("tokenizer_json", "byte_level", json.dumps({
        "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "Ġ": 3, "Ċ": 4}, "merges": ["a b"], "ignore_merges": False},
        "normalizer": {"type": "NFC"}, "added_tokens": added, "decoder": {"type": "ByteLevel"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": "\\p{N}{1,3}|\\s+(?!\\S)"}, "behavior": "Isolated", "invert": False},
            {"type": "Digits", "individual_digits": True}, {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}]},
        "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}]}},
        ensure_ascii=False) + "\0" + json.dumps({"add_bos_token": True, "bos_token": "<s>", "eos_token": {"content": "</s>"}}))
    put("tokenizer_json", "sentencepiece", json.dumps({
        "model": {"type": "BPE", "vocab": {"<unk>": 0, "▁": 1, "a": 2, "▁a": 3, "<0x41>": 4}, "merges": [["▁", "a"]], "byte_fallback": True,
                  "unk_token": "<unk>", "fuse_unk": True},
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
                                                           {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
        "added_tokens": added}, ensure_ascii=False))
    put("tokenizer_json", "metaspace", json.dumps({
        "model": {"type": "BPE", "vocab": {"▁": 1, "a": 2, "▁a": 3}, "merges": ["▁ a"]},
        "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True}}, ensure_ascii=False))


# ---- Output and frames


def eval_seeds():
    checks = {
        "texts": [{"type": "exact", "values": ["Paris"]}, {"type": "contains", "values": ["STRASSE"]}],
        "number": [{"type": "number", "value": 1234, "tolerance": 0.5}],
        "regex": [{"type": "regex", "pattern": "^(?i)p\\w+$"}],
        "json": [{"type": "json", "value": {"a": 1}, "schema": {"type": "object", "properties": {"a": {"type": "integer", "minimum": 0}},
                                                                 "required": ["a"], "additionalProperties": False}}],
        "calls": [{"type": "tool_calls", "calls": [{"name": "f", "arguments": {"x": 1}}]}],
        "language": [{"type": "language", "language": "fr"}],
    }
    answers = {"texts": "Paris", "number": "= 1.234,5", "regex": "paris", "json": "```json\n{\"a\": 1}\n```",
               "calls": '[{"function": {"name": "f", "arguments": "{\\"x\\": 1}"}}]', "language": "La réponse est Paris."}
    for name, check in checks.items():
        item = {"id": name, "kind": "k", "language": "en", "messages": [{"role": "user", "content": "?"}], "thinking": True,
                "max_tokens": 9, "checks": check}
        put("eval_suite", name, (json.dumps(item) + "\n" + answers[name]).encode())


def language_seeds():
    way = bytes(range(0, 250, 3))
    for name, pattern in {"groups": "^(?:a|b(?<n>c)){2,3}$", "classes": "[^\\d\\p{L}-]+\\x41\\u{1F600}.", "search": "ab*c|d$"}.items():
        for flags in range(4):
            put("regex", f"{name}-{flags}", bytes([flags]) + pattern.encode() + b"\n" + way)
    grammars = {
        "lists": 'root ::= list\nlist ::= list "," item | item # left\nitem ::= [^,\\n]{1,3} | "\\u00e9" | "[" list "]"\n',
        "groups": 'root ::=\n  "{" (\n word\n (":" word)*\n )? "}" ws\nword ::= [a-z]+ | .\nws ::= | " " | "\\n"{,2}\n',
        "wrong": 'root ::= a\na ::= b "x"\nb ::= a',
    }
    for name, grammar in grammars.items():
        put("gbnf", name, grammar.encode() + b"\0" + way)
    schemas = {
        "object": {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1, "maximum": 99}, "b": {"$ref": "#/$defs/s"}},
                   "required": ["b"], "additionalProperties": False, "$defs": {"s": {"type": "string", "minLength": 2, "pattern": "^a"}}},
        "array": {"type": "array", "prefixItems": [{"type": "boolean"}], "items": {"type": "number", "multipleOf": 0.1}, "maxItems": 3},
        "choices": {"oneOf": [{"const": [1, {"x": None}]}, {"enum": ["a", 2.5]}], "allOf": [{"not": {"type": "null"}}]},
        "names": {"patternProperties": {"^a": {"type": "null"}}, "propertyNames": {"maxLength": 3}, "dependentRequired": {"a": ["ab"]},
                  "minProperties": 1},
        "tree": {"type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "#"}}, "when": {"format": "date-time"}}},
    }
    for name, schema in schemas.items():
        put("json_schema", name, json.dumps(schema).encode() + b"\n" + way)


def image_seeds():
    def words(*values):
        return struct.pack(f"<{len(values)}I", *values)

    letters, digits = (sum(1 << b for b in range(a, z + 1)) for a, z in ((97, 122), (48, 57)))
    sets = b"".join(words(2) + bits.to_bytes(32, "little") for bits in (letters, digits))
    end, nothing, a, one = 1, 0, 2, 3  # numbers of expressions: two sets follow the two that are always there
    images = {
        "join": (1, 0, 4, sets + words(3, a, one)),
        "choice": (2, 0, 5, sets + words(3, a, one) + words(4, 2, one, 4)),
        "both": (4, 0, 7, sets + words(7, a, 0, 2**32 - 1) + words(7, a, 2, 5) + words(6, 5) + words(5, 2, 4, 6)),
        "multiple": (1, 0, 4, sets + words(8, 7, 3)),
        "rule": (3, 1, 4, sets + words(9, 0) + words(3, a, 4) + words(4, 2, 5, one) + words(6)),
        "end": (0, 0, end, sets), "nothing": (0, 0, nothing, sets), "ahead": (1, 0, 4, sets + words(3, 5, 4)),
    }
    for name, (n, n_rules, root, rest) in images.items():
        put("automaton_image", name, words(1, n + 2, n_rules, root) + rest + b"\xff\xffway" + bytes(range(0, 250, 3)))


def output_seeds():
    put("output", "thought", b"\0\3STOP\0<think>\nR\n</think>\n\nAn answer. STOP more")
    put("output", "reasoning", b"\1\0ab\0R</thin</think>\n\nA b")
    put("output", "calls", b"\0\0\0Wait.\1\2f\3{\"a\": 1}\4\2g\3\4\5")
    put("output", "broken-calls", b"\4\0\0\1\1\2f\5\1\2f\3 a\3b \2g\3c")
    put("output", "include", b"\3\2aabab\0\xe4\xbd\xa0aab<think>")


def frame(kind, body):
    return struct.pack("<IIIIIIQ", 0x64656573, 1, kind, len(body), 1, 0, 1) + body


def short(s):
    return struct.pack("<I", len(s)) + s.encode()


def frame_seeds():
    put("protocol", "configure", frame(2, b"".join(map(short, ("m.gguf", "cpu", "fast", "auto", "auto"))) +
                                       struct.pack("<IIQIIIQI", 2, 512, 1 << 20, 4, 8, 256, 0, 1) + short("")))
    put("protocol", "submit", frame(3, bytes(32) + struct.pack("<QQQIIIIfffIfffIIIiiIIIIII", 1, 2, 0, 1, 0, 16, 0, 1.0, 0.9, 0.0, 40, 0.0,
                                                               0.0, 1.1, 100, 0, 1, 2, -1, 0, 1, 1, 2, 3, 4) +
                                    struct.pack("<IIIIIIfI", 1, 1, 1, 5, 6, 100, 2.0, 2) +
                                    struct.pack("<If", 5, -1.0) + struct.pack("<7I", 1, 2, 7, 8, 9, 3, 6) + b"lang"))
    put("protocol", "control", frame(4, struct.pack("<I", 1)))
    put("protocol", "vocabulary", frame(7, struct.pack("<I3H", 3, 2, 0, 1) + b"abc"))
    put("protocol", "cancel", frame(5, b""))
    put("protocol", "ready", frame(64, struct.pack("<IIIIIIIQQ", 100, 512, 512, 64, 16, 4, 32, 1000, 2000) + bytes(32) +
                                   b"".join(map(short, ("exact-1", "llama", "LlamaForCausalLM", "table")))))
    put("protocol", "accepted", frame(65, struct.pack("<I", 3)))
    put("protocol", "tokens", frame(66, struct.pack("<IIII", 0, 0, 2, 0) + struct.pack("<II", 5, 6)))
    put("protocol", "logprobs", frame(66, struct.pack("<IIII", 0, 0, 1, 1) + struct.pack("<IfIIIf", 5, -0.5, 1, 1, 5, -0.5)))
    put("protocol", "done", frame(67, struct.pack("<IIIIIIIQQQ", 0, 1, 2, 1, 16, 3, 0, 1, 2, 3) + short("why")))
    put("protocol", "refused", frame(68, struct.pack("<I", 1) + short("too long")))
    put("protocol", "stats", frame(69, struct.pack("<7I9Q", *range(16))))
    put("protocol", "progress", frame(70, struct.pack("<QQ", 1, 2)))
    put("protocol", "embedding", frame(72, struct.pack("<I3f", 3, 1.5, -2.0, 0.0)))
    put("protocol", "fatal", frame(71, short("cause") + struct.pack("<QIQQ", 9, 2, 1, 2)))


# ---- Dialects: which API, how frames are cut, the model's tokens, a zero byte, the body


def dialect_seeds():
    output = b"Hm" + bytes([128 + (1 - 128) % 7]) + b"\n\nWait." + bytes(128 + (k - 128) % 7 for k in (2, 3)) + b"f" + bytes(
        [128 + (4 - 128) % 7]) + b'{"a":1}' + bytes(128 + (k - 128) % 7 for k in (5, 6))
    tool = {"type": "object", "properties": {"a": {"type": "integer"}}}
    calls = [{"role": "user", "content": [{"type": "text", "text": "q"}]},
             {"role": "assistant", "content": [{"type": "thinking", "thinking": "t", "signature": "s"}, {"type": "tool_use", "id": "c", "name": "f",
                                                                                                          "input": {"a": 1}}]},
             {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "1"}, {"type": "text", "text": "so"}]}]
    items = [{"role": "user", "content": "q"}, {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "r"}], "encrypted_content": "cg=="},
             {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
             {"type": "custom_tool_call", "call_id": "d", "name": "g", "input": "x"},
             {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "1"}]}]
    chat = {"model": "m", "messages": [{"role": "user", "content": "q"}]}
    bodies = {
        0: [{"model": "m", "input": items, "instructions": "s", "stream": True, "reasoning": {"effort": "low"}, "truncation": "auto",
             "tools": [{"type": "function", "name": "f", "parameters": tool}, {"type": "custom", "name": "g"}],
             "include": ["message.output_text.logprobs"], "top_logprobs": 1, "text": {"format": {"type": "text"}}},
            {"model": "m", "input": "q", "tool_choice": {"type": "function", "name": "f"}, "tools": [{"type": "function", "name": "f"}],
             "text": {"format": {"type": "json_schema", "name": "n", "schema": tool}}}],
        1: [{"model": "claude-x", "max_tokens": 9, "messages": calls, "system": "s", "stream": True, "thinking": {"type": "enabled", "budget_tokens": 2},
             "tools": [{"name": "f", "input_schema": tool}], "stop_sequences": ["x"], "metadata": {"user_id": "u"}},
            {"model": "claude-x", "max_tokens": 9, "messages": calls, "tools": [{"name": "f", "input_schema": tool}], "tool_choice": {"type": "any"},
             "output_config": {"effort": "low"}}],
        2: [{**chat, "options": {"num_predict": 5, "stop": ["x"]}, "think": True, "tools": [{"type": "function", "function": {"name": "f"}}]},
            {"model": "m:latest", "stream": False, "format": "json", "messages": [
                {"role": "user", "content": "q"}, {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]},
                {"role": "tool", "tool_name": "f", "content": "1"}]}],
        3: [{"model": "m", "prompt": "p", "system": "s"}, {"model": "m", "prompt": "p", "raw": True}, {"model": "m"}],
        4: [{"prompt": ["a", 1], "n_predict": 4, "n_probs": 2, "return_tokens": True, "logit_bias": [[5, False]]}],
        5: [{"input_prefix": "a", "input_suffix": "b", "input_extra": [{"filename": "f", "text": "t"}]}],
        6: [{"instances": [{"@requestFormat": "chatCompletions", **chat}, {"prompt": "a"}], "parameters": {"max_tokens": 3}}],
        7: [{"model": "m", "input": "q"}, chat],
        8: [{"model": "claude-x", "messages": calls}],
        9: [{"model": "m", "input": "q"}],
        10: [{**chat, "report": True, "n": 2, "stream": True, "stream_options": {"include_usage": True}, "tools": [
            {"type": "function", "function": {"name": "f"}}], "logprobs": True}],
        11: [{"model": "m", "prompt": ["a", "b"], "echo": True, "logprobs": 1, "max_tokens": 3}],
    }
    for api, several in bodies.items():
        for i, body in enumerate(several):
            put("dialects", f"{api}-{i}", bytes([api, 2 * api + i % 2]) + output + b"\0" + json.dumps(body).encode())


if __name__ == "__main__":
    gguf_seeds()
    json_seeds()
    eval_seeds()
    output_seeds()
    language_seeds()
    image_seeds()
    frame_seeds()
    dialect_seeds()
