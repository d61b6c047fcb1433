"""Fixtures of the end-to-end tests: real clients against a real GGUF model, and against the mock device where speed counts."""

import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "conformance"))
from harness import Server, write_model  # noqa: E402
from harness.server import ROOT  # noqa: E402


@pytest.fixture(scope="session")
def model_file():
    """A real GGUF model, fetched once into BUILD/models and checked against its recorded hash."""
    build = os.environ.get("SEEKD_BUILD", os.path.join(ROOT, "build"))
    done = subprocess.run([os.path.join(ROOT, "tests/fetch_model.sh"), os.path.join(build, "models")], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"the model cannot be fetched: {done.stderr.strip()}")
    return os.path.join(ROOT, done.stdout.strip())


@pytest.fixture(scope="session")
def real(model_file):
    """One server on that model, exact numerics, model id "m"."""
    s = Server("--numerics", "exact", "--model-name", "m", "--context", "2048", "--kv-memory", "256M", model=model_file).wait_ready()
    yield s
    s.wait_idle()
    s.stop()


@pytest.fixture(scope="session")
def mock_model(tmp_path_factory):
    return write_model(str(tmp_path_factory.mktemp("model") / "tiny.gguf"))


@pytest.fixture
def start_server(mock_model):
    """A server of the test's own, on the mock device unless a model is given."""
    started = []

    def start(*flags, ready=True, model=None, **options):
        device = [] if model else ["--device", "mock", "--context", "512"]
        s = Server(*device, *flags, model=model or mock_model, **options)
        started.append(s)
        return s.wait_ready() if ready else s

    yield start
    for s in started:
        s.stop()
