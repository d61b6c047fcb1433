"""The task generators of tiny-R1 and the suites made of them. Nothing here needs PyTorch."""

import os
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TRAIN = os.path.join(ROOT, "models/tiny-r1/train")
SUITES = os.path.join(ROOT, "tests/eval")
sys.path.insert(0, TRAIN)

import tasks  # noqa: E402
import tasks.check  # noqa: E402

SEEDS = 1000 if os.environ.get("SEEKD_TEST_LONG") else 40


@pytest.mark.parametrize("kind", tasks.kinds())
def test_a_kind_is_right_repeatable_and_split(kind):
    for language in tasks.LANGUAGES:
        bad, n_train, n_held = tasks.check.check_kind(tasks.kinds()[kind], language, SEEDS)
        assert bad == []
        assert n_train > SEEDS / 4 and n_held > SEEDS / 8


def test_the_hash_seed_of_python_changes_nothing(tmp_path):
    out = []
    for seed in ("0", "1"):
        folder = tmp_path / seed
        subprocess.run([sys.executable, "suites.py", folder, "--items", "24"], cwd=TRAIN, check=True, env={**os.environ, "PYTHONHASHSEED": seed})
        out.append({name: (folder / name).read_bytes() for name in sorted(os.listdir(folder))})
    assert out[0] == out[1]


def test_the_stored_suites_are_what_the_generators_write(tmp_path):
    subprocess.run([sys.executable, "suites.py", tmp_path], cwd=TRAIN, check=True)
    for name in sorted(os.listdir(tmp_path)):
        with open(os.path.join(SUITES, name), "rb") as f:
            assert f.read() == (tmp_path / name).read_bytes(), f"tests/eval/{name} is stale: run `make eval-suites`"
