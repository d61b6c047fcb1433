"""Writes the GGUF file that a converter would make of a model directory (tests/model/oracle.py writes those): the same
weights under the names, layouts and keys of that format. No vocabulary: the forward pass needs none."""

import json
import math
import os
import struct

import numpy as np

import oracle

ALIGN = 32
U32, F32, BOOL, STRING, U16, I32 = 4, 6, 7, 8, 2, 5
TYPES = {"F32": 0, "F16": 1, "Q8_0": 8, "BF16": 30}
DENSE = {"input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm", "self_attn.q_proj": "attn_q",
         "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
         "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm", "mlp.gate_proj": "ffn_gate",
         "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "self_attn.q_a_proj": "attn_q_a",
         "self_attn.q_a_layernorm": "attn_q_a_norm", "self_attn.q_b_proj": "attn_q_b",
         "self_attn.kv_a_proj_with_mqa": "attn_kv_a_mqa", "self_attn.kv_a_layernorm": "attn_kv_a_norm",
         "self_attn.kv_b_proj": "attn_kv_b", "mlp.gate": "ffn_gate_inp", "block_sparse_moe.gate": "ffn_gate_inp",
         "mlp.shared_experts.gate_proj": "ffn_gate_shexp", "mlp.shared_experts.up_proj": "ffn_up_shexp",
         "mlp.shared_experts.down_proj": "ffn_down_shexp"}
ENDS = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight",
        "lm_head.weight": "output.weight"}
EXPERT_PARTS = {"gate_proj": "gate", "up_proj": "up", "down_proj": "down", "w1": "gate", "w3": "up", "w2": "down"}


def packed(kind, value):
    if kind == STRING:
        return struct.pack("<Q", len(value.encode())) + value.encode()
    return struct.pack({U32: "<I", F32: "<f", BOOL: "<?", U16: "<H", I32: "<i"}[kind], value)


def keys_of(c, new_latent):
    arch = {"llama": "llama", "mixtral": "llama", "qwen2": "qwen2", "qwen3": "qwen3"}.get(c["model_type"], "deepseek2")
    k = [("block_count", U32, c["num_hidden_layers"]), ("context_length", U32, c["max_position_embeddings"]),
         ("embedding_length", U32, c["hidden_size"]), ("feed_forward_length", U32, c["intermediate_size"]),
         ("attention.head_count", U32, c["num_attention_heads"]),
         ("attention.layer_norm_rms_epsilon", F32, c["rms_norm_eps"]), ("rope.freq_base", F32, float(c["rope_theta"])),
         ("vocab_size", U32, c["vocab_size"])]
    if arch == "deepseek2":
        k += latent_keys(c, new_latent)
    else:
        width = oracle.head_dim(c)
        k += [("attention.head_count_kv", U32, c["num_key_value_heads"]), ("attention.key_length", U32, width),
              ("attention.value_length", U32, width), ("rope.dimension_count", U32, width)]
    if c["model_type"] == "mixtral":
        k += [("expert_count", U32, c["num_local_experts"]), ("expert_used_count", U32, c["num_experts_per_tok"])]
    s = c.get("rope_scaling") or {}
    scaling = s.get("type", s.get("rope_type"))
    if scaling == "linear":
        k += [("rope.scaling.type", STRING, "linear"), ("rope.scaling.factor", F32, s["factor"])]
    if scaling == "yarn":
        k += [("rope.scaling.type", STRING, "yarn"), ("rope.scaling.factor", F32, s["factor"]),
              ("rope.scaling.original_context_length", U32, s["original_max_position_embeddings"])]
        if "attn_factor" in s:
            k += [("rope.scaling.attn_factor", F32, s["attn_factor"])]
        if "mscale_all_dim" in s:
            k += [("rope.scaling.yarn_log_multiplier", F32, 0.1 * s["mscale_all_dim"])]
    return [("general.architecture", STRING, arch)] + [(f"{arch}.{name}", kind, v) for name, kind, v in k]


def can_say(model):
    """False where the keys have no room for what config.json says: the format takes mscale to be mscale_all_dim."""
    with open(os.path.join(model, "config.json")) as f:
        s = json.load(f).get("rope_scaling") or {}
    return s.get("mscale") == s.get("mscale_all_dim")


def latent_keys(c, new):
    head, rope, lora = c["qk_nope_head_dim"] + c["qk_rope_head_dim"], c["qk_rope_head_dim"], c["kv_lora_rank"]
    k = [("attention.kv_lora_rank", U32, lora), ("rope.dimension_count", U32, rope),
         ("expert_count", U32, c["n_routed_experts"]), ("expert_used_count", U32, c["num_experts_per_tok"]),
         ("expert_shared_count", U32, c["n_shared_experts"]), ("expert_feed_forward_length", U32, c["moe_intermediate_size"]),
         ("leading_dense_block_count", U32, c["first_k_dense_replace"]),
         ("expert_weights_scale", F32, c["routed_scaling_factor"]), ("expert_weights_norm", BOOL, c["norm_topk_prob"]),
         ("expert_gating_func", U32, 2 if c["scoring_func"] == "sigmoid" else 1)]
    if c["topk_method"] != "greedy":
        k += [("expert_group_count", U32, c["n_group"]), ("expert_group_used_count", U32, c["topk_group"])]
    if c["q_lora_rank"]:
        k += [("attention.q_lora_rank", U32, c["q_lora_rank"])]
    if new:
        return k + [("attention.head_count_kv", U32, 1), ("attention.key_length", U32, lora + rope),
                    ("attention.value_length", U32, lora), ("attention.key_length_mla", U32, head),
                    ("attention.value_length_mla", U32, c["v_head_dim"])]
    return k + [("attention.head_count_kv", U32, c["num_attention_heads"]), ("attention.key_length", U32, head),
                ("attention.value_length", U32, c["v_head_dim"])]


def interleaved(w, n_heads):
    """The row order of arch llama: half-split pairs brought side by side."""
    half = w.shape[0] // n_heads // 2
    return w.reshape(n_heads, 2, half, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)


def llama3_divisors(c):
    s, d = c["rope_scaling"], oracle.head_dim(c)
    f = c["rope_theta"] ** (-2.0 * np.arange(d // 2) / d)
    wave, old = 2 * math.pi / f, s["original_max_position_embeddings"]
    low, high = old / s["low_freq_factor"], old / s["high_freq_factor"]
    smooth = (old / wave - s["low_freq_factor"]) / (s["high_freq_factor"] - s["low_freq_factor"])
    middle = 1 / ((1 - smooth) / s["factor"] + smooth)
    return np.where(wave > low, s["factor"], np.where(wave < high, 1.0, middle)).astype(np.float32)


def tensors_of(c, weights, new_latent, stacked):
    """name -> float32 array, in GGUF's names and layouts."""
    out, experts, n = {}, {}, c["num_hidden_layers"]
    for name, w in weights.items():
        if name in ENDS:
            out[ENDS[name]] = w
            continue
        part = name.split(".")
        layer, rest, last = int(part[2]), ".".join(part[3:-1]), part[-1]
        if layer >= n or not w.size:   # no shared experts: safetensors keep their empty tensors
            continue
        block = f"blk.{layer}."
        if ".experts." in name:
            experts.setdefault((layer, EXPERT_PARTS[part[-2]]), []).append((int(part[-3]), w))
        elif last == "e_score_correction_bias":
            out[block + "exp_probs_b.bias"] = w
        elif rest == "self_attn.kv_b_proj" and new_latent:
            heads, nope = c["num_attention_heads"], c["qk_nope_head_dim"]
            up = w.reshape(heads, nope + c["v_head_dim"], c["kv_lora_rank"])
            out[block + "attn_k_b.weight"] = np.ascontiguousarray(up[:, :nope].transpose(0, 2, 1))
            out[block + "attn_v_b.weight"] = np.ascontiguousarray(up[:, nope:])
        else:
            if c["model_type"] in ("llama", "mixtral") and rest in ("self_attn.q_proj", "self_attn.k_proj"):
                w = interleaved(w, c["num_attention_heads" if "q_proj" in rest else "num_key_value_heads"])
            out[f"{block}{DENSE[rest]}.{last}"] = w
    for (layer, part), list_ in experts.items():
        list_.sort(key=lambda item: item[0])
        if stacked:
            out[f"blk.{layer}.ffn_{part}_exps.weight"] = np.stack([w for _, w in list_])
        else:
            out.update({f"blk.{layer}.ffn_{part}.{e}.weight": w for e, w in list_})
    if (c.get("rope_scaling") or {}).get("rope_type") == "llama3":
        out["rope_freqs.weight"] = llama3_divisors(c)
    return out


def q8_0(w):
    """(half scales [..., n / 32, 1], codes [..., n / 32, 32])"""
    blocks = w.reshape(*w.shape[:-1], -1, 32)
    scale = (np.abs(blocks).max(-1, keepdims=True) / 127).astype("<f2")
    with np.errstate(divide="ignore", invalid="ignore"):
        codes = np.where(scale > 0, np.rint(blocks / scale.astype(np.float32)), 0)
    return scale, np.clip(codes, -127, 127).astype(np.int8)


def stored(name, w, dtype):
    """(type, bytes, shape). Vectors, routers and biases stay F32, as converters keep them; so do rows of no whole blocks.
    "Q8_0 widened" is what Q8_0 decodes to, as F32."""
    kind = dtype.split()[0]
    if w.ndim == 1 or "ffn_gate_inp" in name or (kind == "Q8_0" and w.shape[-1] % 32):
        kind = dtype = "F32"
    if kind == "Q8_0":
        scale, codes = q8_0(w)
        if dtype != kind:
            return "F32", (scale.astype("<f4") * codes).tobytes(), w.shape
        return kind, np.concatenate([scale.view(np.int8), codes], -1).tobytes(), w.shape
    raw = w.astype("<f4") if kind == "F32" else oracle.to_bf16(w) if kind == "BF16" else w.astype("<f2")
    return kind, np.ascontiguousarray(raw).tobytes(), w.shape


def write_part(path, keys, tensors, version):
    head = struct.pack("<4sIQQ", b"GGUF", version, len(tensors), len(keys))
    for name, kind, value in keys:
        head += packed(STRING, name) + struct.pack("<I", kind) + packed(kind, value)
    at, data = 0, []
    for name, (dtype, raw, shape) in tensors.items():
        head += packed(STRING, name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *reversed(shape))
        head += struct.pack("<IQ", TYPES[dtype], at)
        raw += bytes(-len(raw) % ALIGN)
        data.append(raw)
        at += len(raw)
    with open(path, "wb") as f:
        f.write(head + bytes(-len(head) % ALIGN) + b"".join(data))


def write(model, path, dtype="F32", new_latent=True, stacked=True, parts=1, version=3, keys=()):
    """Returns the path to open: `path`.gguf, or the first of several parts. keys: rows to put in place of the usual ones."""
    with open(os.path.join(model, "config.json")) as f:
        c = json.load(f)
    names = [k[0] for k in keys]
    keys = [k for k in keys_of(c, new_latent) if k[0] not in names] + list(keys)
    tensors = {k: stored(k, w, dtype) for k, w in tensors_of(c, oracle.read_model(model), new_latent, stacked).items()}
    if parts == 1:
        write_part(path + ".gguf", keys, tensors, version)
        return path + ".gguf"
    names = list(tensors)
    for i in range(parts):
        own = names[i * len(names) // parts:(i + 1) * len(names) // parts]
        split = [("split.no", U16, i), ("split.count", U16, parts), ("split.tensors.count", I32, len(names))]
        write_part(f"{path}-{i + 1:05d}-of-{parts:05d}.gguf", (keys if i == 0 else []) + split,
                   {k: tensors[k] for k in own}, version)
    return f"{path}-00001-of-{parts:05d}.gguf"
