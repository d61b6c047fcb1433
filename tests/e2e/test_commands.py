"""The commands besides serve, as a person types them: run, inspect, health, tokenize, help, and what they say when something is wrong."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import time

from harness.server import binary

QUESTION = "What is the capital of France?"
USAGE, MODEL, CONFIGURATION = 64, 74, 78


def command(*arguments, text="", env=None, timeout=120):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("SEEKD_") and k != "PORT"}
    return subprocess.run([binary(), *arguments], input=text, capture_output=True, text=True, timeout=timeout,
                          env={**clean, **(env or {})})


# ---- run ------------------------------------------------------------------------------------------------------

def test_run_answers_a_piped_question_plainly_and_leaves_nothing_behind(model_file):
    done = command("run", "--model", model_file, "--numerics", "exact", "--temperature", "0", "--max-tokens=30", text=QUESTION + "\n")
    assert done.returncode == 0, done.stderr
    assert "Paris" in done.stdout and "\x1b" not in done.stdout
    assert "listening" not in done.stdout and "seekd" not in done.stdout


def test_run_talks_to_a_server_that_runs_already(real):
    done = command("run", "--url", f"http://127.0.0.1:{real.port}/v1", "--temperature", "0", "--max-tokens", "30", text=QUESTION)
    assert done.returncode == 0, done.stderr
    assert "Paris" in done.stdout


def test_run_names_what_is_wrong_with_its_arguments():
    for arguments, says in (
        (["--temperature", "9"], "temperature"),
        (["--seed", "-1"], "seed"),
        (["--url", "https://h"], "http://HOST:PORT"),
        (["--url", "http://127.0.0.1:1", "--threads", "2"], "--threads"),
        (["--api-key", "k"], "--api-key"),
        (["--port", "80"], "--port"),
        (["--system"], "--system"),
    ):
        done = command("run", *arguments, text="hello")
        assert done.returncode in (USAGE, MODEL) and says in done.stderr, (arguments, done.stderr)
        assert done.stdout == ""


def test_run_says_why_there_is_no_answer(start_server):
    done = command("run", "--url", "http://127.0.0.1:1", text="hello")
    assert done.returncode == MODEL and "refused" in done.stderr
    done = command("run", "--model", "/nonexistent/model.gguf", text="hello")
    assert done.returncode == MODEL and "/nonexistent/model.gguf" in done.stderr
    server = start_server()
    url = f"http://127.0.0.1:{server.port}"
    for text, says in (("", "empty"), ("\n\n", "empty")):
        done = command("run", "--url", url, text=text)
        assert done.returncode == 1 and says in done.stderr
    done = command("run", "--url", url, "--max-tokens", "16777216", text="hello")
    assert done.returncode == 1 and "context" in done.stderr


class Terminal:
    """seekd run on a terminal of its own."""

    def __init__(self, folder, *arguments):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            env = {k: v for k, v in os.environ.items() if not k.startswith("SEEKD_") and k not in ("PORT", "NO_COLOR")}
            os.execve(binary(), [binary(), "run", *arguments], {**env, "TERM": "xterm", "XDG_STATE_HOME": folder})
        self.seen = ""

    def until(self, wanted, seconds=60):
        """Everything shown since the last call, up to what is wanted."""
        deadline = time.monotonic() + seconds
        while wanted not in self.seen:
            assert time.monotonic() < deadline, f"{wanted!r} was not shown: {self.seen!r}"
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.fd, 65536).decode("utf-8", "replace")
                except OSError:
                    assert wanted in self.seen, f"ended without {wanted!r}: {self.seen!r}"
        shown, _, self.seen = self.seen.partition(wanted)
        return shown

    def type(self, text):
        os.write(self.fd, text.encode())

    def end(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if select.select([self.fd], [], [], 0.05)[0]:
                try:
                    os.read(self.fd, 65536)
                except OSError:
                    pass
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGKILL)
        raise AssertionError("seekd run did not end")


def test_the_terminal_chat(start_server, tmp_path):
    server = start_server("--mock-script", "mode=list;tokens=70,71;step_us=20000")
    chat = Terminal(str(tmp_path), "--url", f"http://127.0.0.1:{server.port}", "--max-tokens", "8")
    chat.until(">>> ")
    chat.type("hällo\r")
    chat.until("tokens, ")
    chat.until(">>> ")
    chat.type("/set max_tokens 300\r")
    chat.until(">>> ")
    chat.type("/set nonsense 1\r")
    chat.until("nonsense is no setting")
    chat.until(">>> ")
    chat.type("tell me a long story\r")
    server.wait_for(lambda: server.metric("seekd_requests_running") == 1, what="the request")
    chat.type("\x03")
    chat.until("(stopped)")
    server.wait_for(lambda: server.metric("seekd_requests_running") == 0, what="the end of the stopped request")
    chat.until(">>> ")
    saved = tmp_path / "saved.json"
    chat.type(f"/save {saved}\r")
    chat.until("saved to")
    messages = json.loads(saved.read_text())["messages"]
    assert messages[0] == {"role": "user", "content": "hällo"} and messages[1]["role"] == "assistant"
    chat.until(">>> ")
    chat.type("/clear\r")
    chat.until("empty")
    chat.until(">>> ")
    chat.type("\x04")
    assert chat.end() == 0
    history = tmp_path / "seekd" / "history"
    assert history.stat().st_mode & 0o777 == 0o600
    assert "/clear" in history.read_text()


# ---- serve ------------------------------------------------------------------------------------------------------

def test_a_mock_script_is_read_whole_or_refused(model_file):
    done = command("serve", "--model", model_file, "--device", "mock", "--port", "0", "--mock-script", "step_us=1;" * 500)
    assert done.returncode == CONFIGURATION and "mock_script: longer than" in done.stderr
    done = command("serve", "--model", model_file, "--device", "mock", "--port", "0", "--mock-script", "step_us=1;" * 30 + "oops=1")
    assert done.returncode == MODEL and "oops" in done.stderr


# ---- bench ------------------------------------------------------------------------------------------------------

def test_bench_measures_even_the_shortest_run(model_file):
    done = command("bench", "--model", model_file, "--prompt", "1", "--generate", "1", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["prompt_tokens_per_second"] > 0 and result["generation_tokens_per_second"] > 0


# ---- inspect --------------------------------------------------------------------------------------------------

def test_inspect_shows_a_model(model_file):
    done = command("inspect", model_file)
    assert done.returncode == 0, done.stderr
    for wanted in ("GGUF version 3", "272 tensors", "Q4_1", "family llama", "9 heads of 64, 3 key-value heads", "8192 tokens",
                   "byte-level BPE, 49152 tokens", "chat format", "1,024 tokens", "fast", "exact"):
        assert wanted in done.stdout, wanted
    listed = command("inspect", model_file, "--tensors").stdout
    assert re.search(r"Q8_0 +49152 x 576 +\d+ +token_embd.weight", listed)
    assert len(re.findall(r"^  \S+ +[\dx ]+ +\d+  \S+$", listed, re.M)) == 272


def test_inspect_json_agrees_with_itself(model_file):
    done = command("inspect", model_file, "--json", "--tensors")
    info = json.loads(done.stdout)
    assert info["layers"] == 30 and info["vocabulary"] == 49152 and info["context"] == 8192
    assert len(info["tensor_list"]) == info["tensors"] == sum(t["tensors"] for t in info["types"])
    assert sum(t["bytes"] for t in info["tensor_list"]) == info["weight_bytes"] == sum(t["bytes"] for t in info["types"])
    assert info["cache_bytes_per_token_f16"] == 30 * 2 * 3 * 64 * 2


def test_inspect_refuses_what_is_no_model(tmp_path):
    wrong = tmp_path / "wrong.gguf"
    wrong.write_bytes(b"GGUF\x03\0\0\0" + b"\xff" * 64)
    for path in (wrong, tmp_path / "missing.gguf", tmp_path):
        done = command("inspect", str(path))
        assert done.returncode == MODEL and str(path) in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
    assert command("inspect").returncode == USAGE


# ---- health, tokenize, help -----------------------------------------------------------------------------------

def test_health_tells_ready_from_not(start_server):
    server = start_server()
    url = f"http://127.0.0.1:{server.port}"
    assert command("health", "--url", url).returncode == 0
    assert command("health", env={"SEEKD_PORT": str(server.port)}).returncode == 0
    assert command("health", "--url", url, "--path", "/nowhere").returncode == 1
    done = command("health", "--url", "http://127.0.0.1:1")
    assert done.returncode == 1 and "refused" in done.stderr
    assert command("health", "--url").returncode == USAGE


def test_tokenize_and_back(model_file):
    ids = command("tokenize", "--model", model_file, "Hello wörld").stdout.strip()
    assert re.fullmatch(r"\d+( \d+)*", ids)
    assert command("tokenize", "--model", model_file, "--ids", ids).stdout == "Hello wörld\n"


def test_help_names_every_command_and_unknown_ones_are_refused():
    shown = command("help").stdout
    for name in ("serve", "run", "inspect", "bench", "tokenize", "health", "version"):
        assert re.search(rf"^  {name} ", shown, re.M), name
    done = command("srve")
    assert done.returncode == USAGE and "srve" in done.stderr and "help" in done.stderr
    assert "--model" in command("help", "serve").stdout
    assert re.fullmatch(r"seekd \d+\.\d+\.\d+ \(.*\)\n", command("version").stdout)
