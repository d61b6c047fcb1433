#!/usr/bin/env python3
"""Makes models of many shapes and seeds with oracle.py and compares the forward pass with the reference on each.

    SEEKD_BUILD=build tests/model/sweep.py [--only SUBSTRING] [--seed N]

Not part of `make test`: the reference needs torch and transformers (vectors/README.md). Prints a line for each model and form:
the largest |log-probability change|. Exits 1 when one is past the limit or a greedy token differs."""

import argparse
import os
import subprocess
import sys
import tempfile

import compare
import gguf_file

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT = 0.001

LATENT = "hidden_size=96 num_hidden_layers=3 intermediate_size=80 moe_intermediate_size=28"
SHAPES = {   # family: settings of one model each; --options go to oracle.py as they stand
    "llama": [
        "hidden_size=130 num_attention_heads=5 num_key_value_heads=1 head_dim=26 intermediate_size=333",
        "hidden_size=63 num_attention_heads=7 num_key_value_heads=7 head_dim=10 intermediate_size=17 num_hidden_layers=1",
        "hidden_size=144 num_attention_heads=9 num_key_value_heads=3 head_dim=64 intermediate_size=257 rope_scaling=null",
        "hidden_size=2 num_attention_heads=1 num_key_value_heads=1 head_dim=2 intermediate_size=1",
        "hidden_size=96 head_dim=128 rope_scaling.factor=32 rope_scaling.original_max_position_embeddings=32 --dtype f16",
        'hidden_size=66 num_attention_heads=11 num_key_value_heads=1 head_dim=6 rope_scaling={"rope_type":"linear","factor":3.0}',
    ],
    "llama_tied": [
        "hidden_size=72 num_attention_heads=6 num_key_value_heads=2 head_dim=14 attention_bias=true",
        "hidden_size=45 num_attention_heads=3 num_key_value_heads=1 head_dim=30 intermediate_size=50 --pad-rows 7",
        "hidden_size=256 num_attention_heads=8 num_key_value_heads=2 head_dim=32 rms_norm_eps=0.01 --dtype f32",
    ],
    "qwen2": [
        "hidden_size=70 num_attention_heads=7 num_key_value_heads=1 intermediate_size=99",
        "hidden_size=84 num_attention_heads=3 num_key_value_heads=3 intermediate_size=33 --dtype f32 --unaligned",
        "hidden_size=120 num_attention_heads=6 num_key_value_heads=2 intermediate_size=301 rope_theta=1000000.0 --pad-rows 64",
        "hidden_size=160 num_attention_heads=10 num_key_value_heads=5 num_hidden_layers=5 --shards 4",
        "hidden_size=36 num_attention_heads=1 num_key_value_heads=1 intermediate_size=5 --dtype f16",
    ],
    "qwen2_tied": ["hidden_size=56 num_attention_heads=14 num_key_value_heads=2 intermediate_size=47"],
    "qwen3": [
        "hidden_size=66 num_attention_heads=3 num_key_value_heads=1 head_dim=34 intermediate_size=45",
        "hidden_size=64 num_attention_heads=8 num_key_value_heads=4 head_dim=6 intermediate_size=250 tie_word_embeddings=true",
        "hidden_size=90 num_attention_heads=9 num_key_value_heads=9 head_dim=128 intermediate_size=31 --dtype f32",
        "hidden_size=65 num_attention_heads=5 num_key_value_heads=5 head_dim=14 rms_norm_eps=0.001",
        "hidden_size=200 num_attention_heads=4 num_key_value_heads=2 head_dim=20 rope_theta=10000 --unaligned --shards 2",
    ],
    "qwen3_yarn": [
        "hidden_size=72 num_attention_heads=6 num_key_value_heads=2 head_dim=14 attention_bias=true",
        "hidden_size=66 num_attention_heads=3 num_key_value_heads=1 head_dim=34 rope_scaling.factor=16",
        "hidden_size=40 num_attention_heads=5 num_key_value_heads=1 head_dim=64 rope_scaling.factor=2.5 "
        "rope_scaling.original_max_position_embeddings=50",
    ],
    "mixtral": [
        "hidden_size=60 num_attention_heads=5 num_key_value_heads=1 intermediate_size=33 num_local_experts=3",
        "hidden_size=84 num_attention_heads=7 num_key_value_heads=7 intermediate_size=20 num_local_experts=8 num_experts_per_tok=3",
        "hidden_size=128 num_attention_heads=2 intermediate_size=65 num_local_experts=2 num_experts_per_tok=2 --dtype f32",
        "hidden_size=50 num_attention_heads=5 num_key_value_heads=5 intermediate_size=1 num_local_experts=11 num_experts_per_tok=1",
        "hidden_size=72 num_attention_heads=6 num_key_value_heads=3 intermediate_size=129 num_local_experts=16 --shards 3",
    ],
    "deepseek_v2": [
        f"{LATENT} num_attention_heads=3 num_key_value_heads=3 q_lora_rank=33 kv_lora_rank=26 qk_nope_head_dim=10 "
        "qk_rope_head_dim=6 v_head_dim=13",
        f"{LATENT} n_routed_experts=9 n_group=3 topk_group=1 num_experts_per_tok=2 n_shared_experts=1",
        f"{LATENT} q_lora_rank=null v_head_dim=64 qk_nope_head_dim=16 rope_scaling=null",
        f"{LATENT} n_group=1 topk_group=1 n_shared_experts=3 routed_scaling_factor=16.0 first_k_dense_replace=2",
        f"{LATENT} rope_scaling.factor=40 rope_scaling.original_max_position_embeddings=16 rope_scaling.mscale=1.0 "
        "rope_scaling.mscale_all_dim=0.5 --dtype f32",
    ],
    "deepseek_v2_lite": [
        f"{LATENT} num_attention_heads=6 num_key_value_heads=6 kv_lora_rank=66 n_routed_experts=5 num_experts_per_tok=5",
        f"{LATENT} n_shared_experts=0 n_routed_experts=7 q_lora_rank=24",
        "hidden_size=55 num_attention_heads=5 num_key_value_heads=5 moe_intermediate_size=7 intermediate_size=9 kv_lora_rank=16 "
        "first_k_dense_replace=0 --unaligned",
    ],
    "deepseek_v3": [
        f"{LATENT} num_attention_heads=6 num_key_value_heads=6 q_lora_rank=50 kv_lora_rank=44 qk_nope_head_dim=18 v_head_dim=10",
        f"{LATENT} n_routed_experts=6 n_group=1 topk_group=1 num_experts_per_tok=6 norm_topk_prob=false",
        f"{LATENT} n_routed_experts=32 n_group=8 topk_group=3 num_experts_per_tok=8 n_shared_experts=2 --dtype f16",
        f"{LATENT} q_lora_rank=null rope_scaling=null first_k_dense_replace=0 num_nextn_predict_layers=2",
        f"{LATENT} first_k_dense_replace=3 num_attention_heads=1 num_key_value_heads=1 --dtype f32",
        f"{LATENT} n_shared_experts=0 n_group=2 topk_group=1",
        f"{LATENT} n_routed_experts=15 n_group=5 topk_group=2 rope_scaling.factor=1.0 tie_word_embeddings=true "
        "num_nextn_predict_layers=0",
    ],
    "deepseek_v3_fp8": [
        "hidden_size=264 intermediate_size=129 moe_intermediate_size=131 q_lora_rank=127 kv_lora_rank=130",
        "hidden_size=129 num_attention_heads=3 num_key_value_heads=3 n_routed_experts=9 n_group=3 qk_nope_head_dim=43 v_head_dim=43",
        "hidden_size=384 num_attention_heads=6 num_key_value_heads=6 n_group=1 topk_group=1 --shards 5 --unaligned",
        "hidden_size=128 num_attention_heads=8 num_key_value_heads=8 q_lora_rank=256 kv_lora_rank=128 n_shared_experts=3",
        "hidden_size=100 num_attention_heads=5 num_key_value_heads=5 first_k_dense_replace=0 num_nextn_predict_layers=0",
    ],
    "deepseek_v31_fp8": ["hidden_size=200 num_attention_heads=5 num_key_value_heads=5 moe_intermediate_size=140 kv_lora_rank=72"],
}


def make(family, shape, seed, out):
    words = shape.split(" ")
    at = next((i for i, w in enumerate(words) if w.startswith("--")), len(words))
    settings = [x for w in words[:at] for x in ("--set", w)]
    r = subprocess.run([sys.executable, os.path.join(HERE, "oracle.py"), "--family", family, "--seed", str(seed), "--steps", "8",
                        "--no-npz", *settings, *words[at:], "--out", out], capture_output=True, text=True)
    return r.stderr.strip().split("\n")[-1] if r.returncode else None


def forms(model, out):
    """name -> how forward() is called."""
    yield "stored", dict(model=model)
    yield "ref", dict(model=model, isa="ref")
    yield "avx2", dict(model=model, isa="avx2")
    yield "chunks", dict(model=model, chunk=13, threads=2, batched=True)
    if gguf_file.can_say(model):
        yield "gguf", dict(model=gguf_file.write(model, os.path.join(out, "new")))
        yield "gguf-old", dict(model=gguf_file.write(model, os.path.join(out, "old"), new_latent=False, parts=2))


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--only", default="", help="families whose name has this")
    ap.add_argument("--seed", type=int, default=101)
    args = ap.parse_args()
    bad = n = 0
    for family, shapes in SHAPES.items():
        for i, shape in enumerate(shapes if args.only in family else []):
            with tempfile.TemporaryDirectory() as tmp:
                model = os.path.join(tmp, "model")
                trouble = make(family, shape, args.seed + i, model)
                if trouble:
                    print(f"{family} {shape}: the reference does not offer this: {trouble[-160:]}", flush=True)
                    continue
                golden, words = compare.golden_of(model), []
                for name, call in forms(model, tmp):
                    logits = compare.forward(prompts=compare.prompts_of(golden), **call)
                    worst, slips = compare.worst(golden, logits), compare.greedy_slips(golden, logits)
                    wrong = not worst <= LIMIT or slips
                    bad += bool(wrong)
                    words.append(f"{name} {worst:.1e}" + (f" WRONG {slips[:2]}" if wrong else ""))
                n += 1
                print(f"{family} {shape}: {', '.join(words)}", flush=True)
    print(f"{n} models, {bad} disagreements")
    sys.exit(1 if bad or not n else 0)


if __name__ == "__main__":
    main()
