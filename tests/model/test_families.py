"""Every family against its stored vectors (vectors/README.md): log-probabilities and greedy continuations, from safetensors
and GGUF, on every instruction set, at every chunk size, beside other sequences, with a warm cache, on any number of threads."""

import glob
import json
import os
import re
import shutil

import numpy as np
import pytest

import compare
import gguf_file
import oracle

VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "vectors")
NAMES = sorted(os.path.basename(os.path.dirname(p)) for p in glob.glob(VECTORS + "/*/config.json"))
F32_LIMIT, STORED_LIMIT = 0.001, 0.001   # of |log-probability change|; the aims are 0.01 (F32 weights) and 0.03 (BF16, FP8)
PAGE = 64


def instruction_sets():
    """Those this machine has, best first, from the refusal of one that no machine has."""
    with pytest.raises(RuntimeError) as refusal:
        compare.forward(os.path.join(VECTORS, NAMES[0]), [[3]], isa="none")
    return re.findall(r"ref|avx\w*", str(refusal.value).split("offers")[1])


ISAS = instruction_sets()


@pytest.fixture(scope="module", params=NAMES)
def vector(request):
    path = os.path.join(VECTORS, request.param)
    golden = compare.golden_of(path)
    return path, golden, compare.prompts_of(golden)


def agrees(golden, logits, limit):
    assert compare.worst(golden, logits) <= limit
    assert compare.greedy_slips(golden, logits) == []


def equal(a, b):
    return all(x.tobytes() == y.tobytes() for x, y in zip(a, b, strict=True))


def f32_model(path, out):
    """The same model with every weight widened to F32."""
    os.makedirs(out)
    with open(os.path.join(path, "config.json")) as f:
        config = json.load(f)
    config.pop("quantization_config", None)
    with open(os.path.join(out, "config.json"), "w") as f:
        json.dump(config, f)
    oracle.write_safetensors(os.path.join(out, "model.safetensors"),
                             {k: ("F32", v) for k, v in oracle.read_model(path).items()}, aligned=False)
    return out


def test_machine_runs_the_reference():
    assert "ref" in ISAS


@pytest.mark.parametrize("isa", ISAS)
def test_stored_weights_agree(vector, isa):
    path, golden, prompts = vector
    agrees(golden, compare.forward(path, prompts, isa=isa), STORED_LIMIT)


def test_f32_weights_agree(vector, tmp_path):
    path, golden, prompts = vector
    wide = f32_model(path, str(tmp_path / "f32"))
    for isa in ISAS:
        agrees(golden, compare.forward(wide, prompts, isa=isa), F32_LIMIT)


@pytest.mark.parametrize("form", [{"dtype": "F32"}, {"dtype": "BF16", "new_latent": False, "parts": 3},
                                  {"dtype": "F16", "version": 2}], ids=["f32", "bf16-old-latent-split", "f16-v2"])
def test_gguf_agrees(vector, tmp_path, form):
    path, golden, prompts = vector
    if path.endswith("v3_fp8"):   # FP8 values with such scales fit F32 alone
        form = dict(form, dtype="F32")
    file = gguf_file.write(path, str(tmp_path / "model"), **form)
    # Small BF16 values lose bits as F16.
    agrees(golden, compare.forward(file, prompts), 0.01 if form["dtype"] == "F16" else F32_LIMIT)


def test_gguf_with_single_experts_agrees(tmp_path):
    path = os.path.join(VECTORS, "mixtral")
    golden = compare.golden_of(path)
    file = gguf_file.write(path, str(tmp_path / "model"), dtype="BF16", stacked=False)
    agrees(golden, compare.forward(file, compare.prompts_of(golden)), STORED_LIMIT)


def test_gguf_without_experts_names_the_absent_tensor(tmp_path):
    file = gguf_file.write(os.path.join(VECTORS, "deepseek_v3"), str(tmp_path / "model"), stacked=False)
    with pytest.raises(RuntimeError, match=r"tensor blk\.1\.ffn_gate_exps\.weight is absent"):
        compare.forward(file, [[3]])


def test_gguf_scales_linearly_under_either_key(tmp_path):
    path = os.path.join(VECTORS, "qwen3")
    linear = shutil.copytree(path, str(tmp_path / "linear"))
    with open(os.path.join(linear, "config.json")) as f:
        config = dict(json.load(f), rope_scaling={"rope_type": "linear", "factor": 3.0})
    with open(os.path.join(linear, "config.json"), "w") as f:
        json.dump(config, f)
    prompt = compare.prompts_of(compare.golden_of(path))[3]
    expected, plain = compare.forward(linear, [prompt])[0], compare.forward(path, [prompt])[0]
    assert np.abs(expected - plain).max() > 0.1
    for model, keys in ((linear, []), (path, [("qwen3.rope.scale_linear", gguf_file.F32, 3.0)])):
        file = gguf_file.write(model, str(tmp_path / "model"), dtype="BF16", keys=keys)
        assert np.abs(compare.forward(file, [prompt])[0] - expected).max() < 1e-4


def test_gguf_with_partial_rotation_is_refused(tmp_path):
    file = gguf_file.write(os.path.join(VECTORS, "qwen3"), str(tmp_path / "model"),
                           keys=[("qwen3.rope.dimension_count", gguf_file.U32, 8)])
    with pytest.raises(RuntimeError, match=r"key qwen3\.rope\.dimension_count: expected the head width 24, found 8"):
        compare.forward(file, [[3]])


@pytest.mark.parametrize("numerics", ["exact", "fast"])
@pytest.mark.parametrize("isa", ISAS)
def test_chunks_neighbours_and_threads_change_no_bit(vector, isa, numerics):
    path, _, prompts = vector
    best = isa == ISAS[0]
    if not best:
        prompts = prompts[:3] + [prompts[-1][:2 * PAGE + 5]]
    alone = compare.forward(path, prompts, numerics, isa)
    for chunk in (1, 2, 3, 7, 31, PAGE - 1, PAGE, PAGE + 1, 200) if best else (1, PAGE + 1):
        assert equal(alone, compare.forward(path, prompts, numerics, isa, chunk)), f"chunks of {chunk}"
    for chunk in (1, 33, 0) if best else (33,):
        assert equal(alone, compare.forward(path, prompts, numerics, isa, chunk, threads=2, batched=True)), f"batched {chunk}"
    assert equal(alone, compare.forward(path, prompts, numerics, isa, threads=3))


def test_quantised_weights_are_their_decoded_values(vector, tmp_path):
    """Q8_0 where rows are whole blocks, experts and latent halves included: as F32 to rounding, and in fast bit by bit alike
    however the rows are cut and gathered."""
    path, _, prompts = vector
    prompts = prompts[:3] + [prompts[-1][:PAGE + 9]]
    file = gguf_file.write(path, str(tmp_path / "q8"), dtype="Q8_0")
    wide = gguf_file.write(path, str(tmp_path / "f32"), dtype="Q8_0 widened")
    for isa in ISAS:
        for a, b in zip(compare.forward(file, prompts, isa=isa), compare.forward(wide, prompts, isa=isa), strict=True):
            assert np.abs(compare.log_softmax(a) - compare.log_softmax(b)).max() < F32_LIMIT
        alone = compare.forward(file, prompts, "fast", isa)
        assert equal(alone, compare.forward(file, prompts, "fast", isa, chunk=5))
        assert equal(alone, compare.forward(file, prompts, "fast", isa, chunk=33, threads=2, batched=True))


@pytest.mark.parametrize("numerics", ["exact", "fast"])
def test_a_warm_cache_changes_no_bit(vector, numerics):
    path, _, prompts = vector
    long = prompts[-1]
    for warm in (1, PAGE - 1, PAGE, 2 * PAGE, 2 * PAGE + 1, 300):
        other = long[:warm] + long[40:90]
        cold = compare.forward(path, [other], numerics)[0]
        reused = compare.forward(path, [long, other], numerics, warm=warm)[1]
        assert reused.tobytes() == cold[warm:].tobytes(), f"{warm} tokens warm"


@pytest.mark.parametrize("kv,limit", [("f16", 0.01), ("bf16", 0.12)])
def test_a_rounded_cache_moves_little(vector, kv, limit):
    """Except where the rounding flips the choice of an expert, which a few positions of a random model are close to."""
    path, golden, prompts = vector
    wide, rounded = compare.forward(path, prompts), compare.forward(path, prompts, kv=kv)
    for isa in ISAS[1:]:
        assert compare.worst(golden, compare.forward(path, prompts, isa=isa, kv=kv)) < 2
    moved = np.concatenate([np.abs(compare.log_softmax(a) - compare.log_softmax(b)).max(-1) for a, b in zip(wide, rounded)])
    assert (moved <= limit).mean() >= (0.99 if kv == "f16" else 0.9)


def test_fast_numerics_stay_near(vector):
    path, golden, prompts = vector
    for isa in ISAS:
        exact, fast = compare.forward(path, prompts, isa=isa), compare.forward(path, prompts, "fast", isa)
        moved = np.concatenate([np.abs(compare.log_softmax(a) - compare.log_softmax(b)).max(-1) for a, b in zip(exact, fast)])
        assert (moved <= 0.15).mean() >= 0.9


def with_tensor(path, out, name, shape):
    shutil.copytree(path, out)
    tensors = {k: ("F32", v) for k, v in oracle.read_model(path).items()}
    tensors[name] = ("F32", np.zeros(shape, np.float32))
    oracle.write_safetensors(os.path.join(out, "model.safetensors"), tensors, aligned=False)
    return out


def test_a_tensor_that_the_family_does_not_compute_is_refused(tmp_path):
    for i, name in enumerate(("model.layers.0.mlp.gate_proj.bias", "model.layers.1.post_mlp_norm.weight", "visual.proj.weight")):
        model = with_tensor(os.path.join(VECTORS, "qwen3"), str(tmp_path / str(i)), name, [4])
        with pytest.raises(RuntimeError, match=f"tensor {name} is no part of family qwen3"):
            compare.forward(model, [[3]])


def test_tensors_beside_the_forward_pass_may_be_there(tmp_path):
    path = os.path.join(VECTORS, "qwen3")
    golden = compare.golden_of(path)
    for i, name in enumerate(("model.layers.99.eh_proj.weight", "model.layers.0.self_attn.rotary_emb.inv_freq")):
        model = with_tensor(path, str(tmp_path / str(i)), name, [4])
        agrees(golden, compare.forward(model, compare.prompts_of(golden)), F32_LIMIT)


def test_a_path_with_a_space_is_read(tmp_path):
    path = shutil.copytree(os.path.join(VECTORS, "qwen3"), str(tmp_path / "a b"))
    golden = compare.golden_of(path)
    agrees(golden, compare.forward(path, compare.prompts_of(golden)), STORED_LIMIT)
