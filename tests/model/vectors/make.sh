#!/bin/sh
# Writes the models and reference answers of this folder anew (README.md says what they are). Needs Python with
# torch, transformers 5.23, safetensors and tokenizers, which `make test` does not. PYTHON names the interpreter.
#   tests/model/vectors/make.sh [NAME...]      all of them without a name
set -eu
here=$(cd "$(dirname "$0")" && pwd)
wanted=" $* "

vector() { # NAME FAMILY SEED, then key=value settings and other options of oracle.py
    name=$1 family=$2 seed=$3
    shift 3
    case "$wanted" in "  " | *" $name "*) ;; *) return 0 ;; esac
    "${PYTHON:-python3}" "$here/../oracle.py" --family "$family" --seed "$seed" --tokens 512 --gzip --no-npz "$@" --out "$here/$name"
}

dense="--set num_hidden_layers=2 --set hidden_size=64"
latent="--set num_hidden_layers=2 --set hidden_size=64 --set intermediate_size=72 --set moe_intermediate_size=20"

# Llama 3: scaled rotation; heads of 20 and an inner width of 100 fill no vector.
vector llama llama 11 $dense --set head_dim=20 --set intermediate_size=100
# The head shared with the embedding; five heads on one key head; biases.
vector llama_tied llama_tied 12 $dense --set hidden_size=80 --set num_attention_heads=5 --set num_key_value_heads=1 \
    --set head_dim=16 --set intermediate_size=96 --set attention_bias=true
# Rows of the embedding beyond the vocabulary, as Qwen's files have.
vector qwen2 qwen2 13 $dense --set intermediate_size=88 --pad-rows 13
vector qwen2_tied qwen2_tied 14 $dense --set hidden_size=84 --set num_attention_heads=3 --set num_key_value_heads=3 \
    --set intermediate_size=70
vector qwen3 qwen3 15 $dense --set head_dim=24 --set intermediate_size=96
vector qwen3_yarn qwen3_yarn 16 $dense --set head_dim=32 --set num_attention_heads=2 --set intermediate_size=80
vector mixtral mixtral 17 $dense --set intermediate_size=40 --set num_local_experts=5
# V2: softmax scores, groups by their best, two shared experts; Lite: no query compression, no groups.
vector deepseek_v2 deepseek_v2 21 $latent --set q_lora_rank=40 --set kv_lora_rank=36 --set qk_nope_head_dim=20 \
    --set qk_rope_head_dim=12 --set v_head_dim=28
vector deepseek_v2_lite deepseek_v2_lite 22 $latent --set num_attention_heads=2 --set num_key_value_heads=2
# V3 with its multi-token-prediction layer in the file, which is not read; in three files with data at odd offsets.
vector deepseek_v3 deepseek_v3 23 $latent --set q_lora_rank=32 --set kv_lora_rank=32 --shards 3 --unaligned
# R1 is V3's shape: more experts in more groups, a wider rotation, no such layer.
vector deepseek_r1 deepseek_v3 24 $latent --set n_routed_experts=16 --set n_group=8 --set topk_group=4 \
    --set num_experts_per_tok=6 --set moe_intermediate_size=12 --set qk_rope_head_dim=32 --set num_nextn_predict_layers=0
vector deepseek_v3_one_group deepseek_v3 25 $latent --set n_routed_experts=7 --set n_group=1 --set topk_group=1 \
    --set q_lora_rank=null --set num_nextn_predict_layers=0
# FP8: wide enough that a matrix has several blocks of scales, partial ones at both edges. V3.1: scales are powers of two.
wide="--set num_hidden_layers=2 --set hidden_size=160 --set intermediate_size=136 --set moe_intermediate_size=24 \
    --set q_lora_rank=136 --set kv_lora_rank=40 --set num_nextn_predict_layers=0"
vector deepseek_v3_fp8 deepseek_v3_fp8 26 $wide
vector deepseek_v31_fp8 deepseek_v31_fp8 27 $wide --set hidden_size=144 --set n_routed_experts=6 --set n_group=3
