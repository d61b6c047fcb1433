"""The training code of tiny-R1, where PyTorch is installed: SEEKD_TORCH_PYTHON names the interpreter that has it (python3)."""

import functools
import json
import os
import random
import subprocess
import sys

import numpy as np
import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TRAIN = os.path.join(ROOT, "models/tiny-r1/train")
sys.path.insert(0, os.path.join(ROOT, "tests/model"))

import compare  # noqa: E402

PYTHON = os.environ.get("SEEKD_TORCH_PYTHON", "python3")


@functools.cache
def has(*modules):
    return subprocess.run([PYTHON, "-c", "import " + ", ".join(modules)], capture_output=True).returncode == 0


pytestmark = pytest.mark.skipif(not has("torch", "tokenizers", "safetensors"),
                                reason="PyTorch is not installed: python3 -m pip install torch tokenizers safetensors")


def python(code, *arguments):
    done = subprocess.run([PYTHON, "-c", code, *map(str, arguments)], cwd=TRAIN, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A minute of training, cut in two: the second half resumes."""
    folder = tmp_path_factory.mktemp("training")
    command = [PYTHON, "train.py", folder, "--minutes"]
    subprocess.run([*command, "0.5"], cwd=TRAIN, check=True, capture_output=True, timeout=600)
    with open(folder / "log.jsonl", "a", encoding="utf-8") as f:  # as if it had been killed behind its last checkpoint
        f.write('{"step": 1000, "loss": 0}\n')
    again = subprocess.run([*command, "1"], cwd=TRAIN, check=True, capture_output=True, text=True, timeout=600)
    assert "resumed at step" in again.stdout
    return folder


def test_a_minute_of_training_lowers_the_loss(trained):
    rows = [json.loads(line) for line in open(trained / "log.jsonl")]
    assert [r["step"] for r in rows] == list(range(1, len(rows) + 1))
    first, last = rows[0]["loss"], sum(r["loss"] for r in rows[-3:]) / 3
    assert last < first - 0.1
    held_out = [r["held_out"] for r in rows if "held_out" in r]
    assert sum(held_out[-1].values()) < sum(held_out[0].values())


BEFORE_TRAINING = """
import torch, circuits, recipe
from network import Network
torch.manual_seed(3)
network = Network(recipe.CONFIG)
circuits.install(network)
once = torch.randint(3, recipe.VOCABULARY, (60,))
ids = torch.cat((once, once))
with torch.no_grad():
    hidden, _ = network(ids, torch.zeros_like(ids), torch.arange(len(ids)))
    right = network.logits(hidden[:-1]).log_softmax(-1).gather(-1, ids[1:, None])[:, 0]
print(right[:59].mean().item(), right[60:].mean().item())
"""


def test_a_network_copies_what_it_sees_again_before_it_is_trained():
    first, again = map(float, python(BEFORE_TRAINING).split())
    assert again > first + 0.5


EXPORT_AND_RUN = """
import sys, json, torch, export
network = export.load(sys.argv[1])
export.write(network, sys.argv[1] + "/tokenizer.json", sys.argv[2], sys.argv[3])
ids = torch.tensor(json.loads(sys.argv[4]))
with torch.no_grad():
    hidden, _ = network(ids, torch.zeros_like(ids), torch.arange(len(ids)))
    network.logits(hidden).numpy().tofile(sys.argv[5])
"""


@pytest.mark.parametrize("dtype,limit", [("f32", 1e-4), ("fp8", 1.0)])
def test_the_exported_file_is_the_network(trained, tmp_path, dtype, limit):
    rng = random.Random(5)
    ids = [0] + [rng.randrange(3, 2500) for _ in range(140)]
    python(EXPORT_AND_RUN, trained, tmp_path / "model", dtype, json.dumps(ids), tmp_path / "logits")
    wanted = np.fromfile(tmp_path / "logits", np.float32).reshape(len(ids), -1)
    got = compare.forward(str(tmp_path / "model"), [ids])[0]
    moved = np.abs(compare.log_softmax(wanted) - compare.log_softmax(got))
    assert moved.max() < limit and moved.mean() < limit / 10


COMPARE_LIBRARY = """
import sys, json, torch
from transformers import AutoModelForCausalLM
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32)
with torch.no_grad():
    model(torch.tensor([json.loads(sys.argv[2])])).logits[0].numpy().tofile(sys.argv[3])
"""


def test_the_exported_file_runs_alike_in_the_reference_library(trained, tmp_path):
    if not has("transformers"):
        pytest.skip("the transformers library is not installed")
    ids = [0] + list(range(100, 180))
    python(EXPORT_AND_RUN, trained, tmp_path / "model", "f32", json.dumps(ids), tmp_path / "logits")
    python(COMPARE_LIBRARY, tmp_path / "model", json.dumps(ids), tmp_path / "library")
    a, b = (np.fromfile(tmp_path / name, np.float32).reshape(len(ids), -1) for name in ("logits", "library"))
    assert np.abs(compare.log_softmax(a) - compare.log_softmax(b)).max() < 1e-4


def test_without_the_library_training_says_how_to_install_it(tmp_path):
    blocked = "import sys; sys.modules['torch'] = None; sys.argv = ['train.py', sys.argv[1]]; import runpy; runpy.run_path('train.py')"
    done = subprocess.run([PYTHON, "-c", blocked, tmp_path], cwd=TRAIN, capture_output=True, text=True)
    assert done.returncode == 1 and "pip install torch" in done.stderr
