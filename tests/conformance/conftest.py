"""Fixtures: one server for all tests that leave it as it was, and servers of their own for the rest.

Both run the mock device over a byte-level vocabulary, context 512. SEEKD_BUILD names the build folder (default build)."""

import pytest

from harness import Fleet, Server, write_model


@pytest.fixture(scope="session")
def mock_model(tmp_path_factory):
    return write_model(str(tmp_path_factory.mktemp("model") / "tiny.gguf"))


@pytest.fixture(scope="session")
def server(mock_model):
    """Ready, without keys; its model id is "tiny"."""
    s = Server("--device", "mock", "--context", "512", "--public-ops", "on", model=mock_model).wait_ready()
    yield s
    s.stop()


@pytest.fixture
def start_server(mock_model):
    """start_server("--api-key", "k"): a server of the test's own, stopped and checked at its end."""
    started = []

    def start(*flags, ready=True, **options):
        options.setdefault("model", mock_model)
        s = Server("--device", "mock", "--context", "512", "--public-ops", "on", *flags, **options)
        started.append(s)
        return s.wait_ready() if ready else s

    yield start
    for s in started:
        s.stop()


@pytest.fixture(scope="session")
def all_fleet(tmp_path_factory):
    f = Fleet(str(tmp_path_factory.mktemp("fleet")))
    yield f
    f.stop()


@pytest.fixture
def fleet(all_fleet):
    """fleet["plain"]: a shared server by the name of its settings; checked after each test."""
    yield all_fleet
    all_fleet.check()


@pytest.fixture(autouse=True)
def standing_oracle(request):
    """After every test the shared server is the same process, alive, and idle again."""
    yield
    if "server" in request.fixturenames:
        s = request.getfixturevalue("server")
        assert s.process.poll() is None, s.log()[-4000:]
        assert s.request("GET", "/livez", timeout=5)[0] == 200
        s.wait_idle(10)
