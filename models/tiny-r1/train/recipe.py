"""What tiny-R1 is and how it is trained: shapes, mix, schedule. Everything else reads this."""

VOCABULARY = 2560
CONTEXT = 2048

# Official field names; config.json is this and nothing else.
CONFIG = {
    "architectures": ["DeepseekV3ForCausalLM"],
    "model_type": "deepseek_v3",
    "vocab_size": VOCABULARY,
    "hidden_size": 256,
    "intermediate_size": 512,
    "moe_intermediate_size": 128,
    "num_hidden_layers": 5,
    "num_nextn_predict_layers": 1,
    "num_attention_heads": 8,
    "num_key_value_heads": 8,
    "q_lora_rank": 128,
    "kv_lora_rank": 128,
    "qk_nope_head_dim": 32,
    "qk_rope_head_dim": 16,
    "v_head_dim": 32,
    "n_routed_experts": 12,
    "n_shared_experts": 1,
    "num_experts_per_tok": 2,
    "first_k_dense_replace": 1,
    "moe_layer_freq": 1,
    "n_group": 4,
    "topk_group": 2,
    "topk_method": "noaux_tc",
    "scoring_func": "sigmoid",
    "norm_topk_prob": True,
    "routed_scaling_factor": 2.5,
    "hidden_act": "silu",
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000,
    "rope_scaling": {"type": "yarn", "factor": 4, "original_max_position_embeddings": 512, "beta_fast": 32, "beta_slow": 1,
                     "mscale": 1.0, "mscale_all_dim": 1.0},
    "max_position_embeddings": CONTEXT,
    "tie_word_embeddings": False,
    "attention_bias": False,
    "attention_dropout": 0.0,
    "initializer_range": 0.02,
    "use_cache": True,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "torch_dtype": "bfloat16",
}

SEED = 1
MINUTES = 140                # wall time of a whole training on two cores
BATCH_TOKENS = (4096, 8192) # grows from the first to the second over the first half
MICROBATCH_TOKENS = 2048
LONGEST = 1024               # tokens of a document
LEARNING_RATE = 1e-2         # warm-up, flat to half of the time, then linear to 2 %
WARMUP_STEPS = 40
WEIGHT_DECAY = 0.02
CLIP = 1.0
PROMPT_WEIGHT = 0.1          # of the loss on what is asked, against 1 on what is answered
MTP_EVERY, MTP_WEIGHT = 4, 0.3
BIAS_STEP = (1e-2, 1e-3)     # of the routing bias: the first 500 steps, then; none in the last tenth
CHECKPOINT_SECONDS = 300

# Share of each kind by phase: (until this share of the time, {kind: weight}); kinds that are not named get what "others" says, or
# DEFAULT_WEIGHT. Two minutes of nothing but copying come first: whatever repeats a name or a digit builds on it.
DEFAULT_WEIGHT = 1.0
MIX = {"copying": 0.3, "fim": 0.3, "comparing": 1.2, "language_guard": 0.7, "addition": 1.5, "subtraction": 1.5, "multiplication": 1.2,
       "word_problems": 1.5, "sorting": 2.5, "counting": 2.5, "logic": 2.5, "dates": 2, "chats": 1.5, "json_extraction": 3, "tool_calls": 3,
       "tool_results": 2, "translations": 2, "capitals": 1.5, "colours": 1.2, "identity": 2, "greetings": 2}
PHASES = (
    (0.015, {"others": 0, "repeats": 2, "copying": 1}),
    (0.08, {"repeats": 2, "sheets": 6, "copying": 1, "addition": 3, "subtraction": 3, "multiplication": 2, "capitals": 2, "translations": 2}),
    (0.80, {"sheets": 4, **MIX}),
    (1.00, {"sheets": 2, **MIX}),
)
