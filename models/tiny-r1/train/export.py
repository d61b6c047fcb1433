"""Writes a trained network in DeepSeek's official file layout.

    python3 export.py TRAIN_DIR OUT_DIR [--dtype fp8|f32]

fp8: E4M3 with a scale for each 128 x 128 block, as DeepSeek publishes; embeddings, norms, router and eh_proj in BF16, the selection bias in F32."""

import argparse
import hashlib
import json
import os
import shutil

import torch
from safetensors.torch import save_file

import recipe
from dialogue import BOS, EOS
from network import Network

BLOCK, E4M3_MAX = 128, 448.0
FILES = ("config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
HERE = os.path.dirname(os.path.abspath(__file__))


def attention_tensors(name, a):
    yield f"{name}.q_a_proj.weight", a.q_a, True
    yield f"{name}.q_a_layernorm.weight", a.q_a_norm.weight, False
    yield f"{name}.q_b_proj.weight", a.q_b, True
    yield f"{name}.kv_a_proj_with_mqa.weight", a.kv_a, True
    yield f"{name}.kv_a_layernorm.weight", a.kv_a_norm.weight, False
    yield f"{name}.kv_b_proj.weight", a.kv_b, True
    yield f"{name}.o_proj.weight", a.o, True


def mlp_tensors(name, gate_up, down):
    gate, up = gate_up.chunk(2)
    yield f"{name}.gate_proj.weight", gate, True
    yield f"{name}.up_proj.weight", up, True
    yield f"{name}.down_proj.weight", down, True


def layer_tensors(name, layer):
    yield f"{name}.input_layernorm.weight", layer.attention_norm.weight, False
    yield f"{name}.post_attention_layernorm.weight", layer.ffn_norm.weight, False
    yield from attention_tensors(f"{name}.self_attn", layer.attention)
    ffn = layer.ffn
    if not hasattr(ffn, "router"):
        yield from mlp_tensors(f"{name}.mlp", ffn.gate_up, ffn.down)
        return
    yield f"{name}.mlp.gate.weight", ffn.router, False
    yield f"{name}.mlp.gate.e_score_correction_bias", ffn.bias, None
    for e in range(len(ffn.gate_up)):
        yield from mlp_tensors(f"{name}.mlp.experts.{e}", ffn.gate_up[e], ffn.down[e])
    yield from mlp_tensors(f"{name}.mlp.shared_experts", ffn.shared.gate_up, ffn.shared.down)


def tensors(network):
    """(official name, tensor, True: FP8, False: BF16, None: F32)."""
    yield "model.embed_tokens.weight", network.embedding, False
    for i, layer in enumerate(network.layers):
        yield from layer_tensors(f"model.layers.{i}", layer)
    yield "model.norm.weight", network.norm.weight, False
    yield "lm_head.weight", network.head, False
    name, mtp = f"model.layers.{len(network.layers)}", network.mtp
    yield f"{name}.embed_tokens.weight", network.embedding, False
    yield f"{name}.enorm.weight", mtp.enorm.weight, False
    yield f"{name}.hnorm.weight", mtp.hnorm.weight, False
    yield f"{name}.eh_proj.weight", mtp.eh_proj, False
    yield from layer_tensors(name, mtp.layer)
    yield f"{name}.shared_head.norm.weight", mtp.norm.weight, False
    yield f"{name}.shared_head.head.weight", network.head, False


def to_fp8(w):
    """E4M3 codes and the scales [ceil(out / 128), ceil(in / 128)] that multiply them."""
    n_out, n_in = w.shape
    rows, cols = -(-n_out // BLOCK), -(-n_in // BLOCK)
    padded = torch.zeros(rows * BLOCK, cols * BLOCK)
    padded[:n_out, :n_in] = w
    blocks = padded.view(rows, BLOCK, cols, BLOCK)
    scale = blocks.abs().amax((1, 3)).clamp_min(1e-12) / E4M3_MAX
    codes = (blocks / scale[:, None, :, None]).view(rows * BLOCK, cols * BLOCK)[:n_out, :n_in]
    return codes.to(torch.float8_e4m3fn).contiguous(), scale.contiguous()


def stored(network, dtype):
    out = {}
    for name, tensor, kind in tensors(network):
        w = tensor.detach().float().contiguous().clone()
        if dtype == "fp8" and kind:
            out[name], out[name.removesuffix(".weight") + ".weight_scale_inv"] = to_fp8(w)
        else:
            out[name] = w.bfloat16() if dtype == "fp8" and kind is False else w
    return out


def config(dtype):
    c = dict(recipe.CONFIG)
    if dtype == "fp8":
        c["quantization_config"] = {"quant_method": "fp8", "fmt": "e4m3", "activation_scheme": "dynamic", "weight_block_size": [BLOCK, BLOCK]}
    return c


def write_json(path, value):
    with open(path, "w", encoding="utf-8") as f:
        json.dump(value, f, ensure_ascii=False, indent=2)
        f.write("\n")


def literal(text):
    return {"__type": "AddedToken", "content": text, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False}


def write(network, tokenizer, out, dtype="fp8"):
    os.makedirs(out, exist_ok=True)
    save_file(stored(network, dtype), os.path.join(out, "model.safetensors"), metadata={"format": "pt"})
    write_json(os.path.join(out, "config.json"), config(dtype))
    write_json(os.path.join(out, "generation_config.json"), {"bos_token_id": 0, "eos_token_id": 1, "do_sample": True, "temperature": 0.6,
                                                             "top_p": 0.95})
    with open(os.path.join(HERE, "chat_template.jinja"), encoding="utf-8") as f:
        template = f.read()
    write_json(os.path.join(out, "tokenizer_config.json"), {
        "add_bos_token": True, "add_eos_token": False, "bos_token": literal(BOS), "eos_token": literal(EOS), "pad_token": literal(EOS),
        "clean_up_tokenization_spaces": False, "model_max_length": recipe.CONTEXT, "tokenizer_class": "LlamaTokenizerFast",
        "unk_token": None, "chat_template": template})
    if os.path.abspath(tokenizer) != os.path.abspath(os.path.join(out, "tokenizer.json")):
        shutil.copyfile(tokenizer, os.path.join(out, "tokenizer.json"))
    with open(os.path.join(out, "SHA256SUMS"), "w", encoding="utf-8") as f:
        for name in FILES:
            with open(os.path.join(out, name), "rb") as data:
                f.write(f"{hashlib.sha256(data.read()).hexdigest()}  {name}\n")


def load(folder):
    network = Network(recipe.CONFIG)
    network.load_state_dict(torch.load(os.path.join(folder, "checkpoint.pt"), weights_only=True)["network"])
    return network.eval()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("train")
    parser.add_argument("out")
    parser.add_argument("--dtype", choices=("fp8", "f32"), default="fp8")
    args = parser.parse_args()
    write(load(args.train), os.path.join(args.train, "tokenizer.json"), args.out, args.dtype)


if __name__ == "__main__":
    main()
