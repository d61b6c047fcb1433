"""seekd eval as a person runs it: a suite against a server, the table, saved results, and what it says when something is wrong."""

import json
import os
import signal
import subprocess
import time

from harness.server import ROOT, binary

USAGE, MODEL = 64, 74
EXAMPLE = os.path.join(ROOT, "tests/eval/example.jsonl")


def seekd_eval(*arguments, timeout=240):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("SEEKD_") and k != "PORT"}
    return subprocess.run([binary(), "eval", *arguments], capture_output=True, text=True, timeout=timeout, env=clean)


def suite(path, items):
    path.write_text("".join(json.dumps(i) + "\n" for i in items), encoding="utf-8")
    return str(path)


def question(i, text, *checks, **more):
    return {"id": f"q{i}", "kind": "facts", "messages": [{"role": "user", "content": text}], "max_tokens": 30, "checks": checks, **more}


def rows_of(table):
    """{kind: (items, right)} of the printed table."""
    return {p[0]: (int(p[1]), int(p[2])) for p in (line.split() for line in table.splitlines()) if len(p) > 5 and p[1].isdigit()}


def test_answers_of_a_running_server_are_checked_saved_and_compared(real, tmp_path):
    paris = {"type": "contains", "values": ["Paris"]}
    path = suite(tmp_path / "s.jsonl", [question(0, "What is the capital of France?", paris, {"type": "language", "language": "en"}),
                                        question(1, "What is the capital of France?", {"type": "exact", "values": ["no such answer"]}),
                                        {"id": "c", "prompt": "The capital of France is", "max_tokens": 8, "checks": [paris]}])
    url, saved = f"http://127.0.0.1:{real.port}/v1", str(tmp_path / "r.jsonl")
    done = seekd_eval(path, "--url", url, "--out", saved, "--show-failures", "3", "--concurrency", "2")
    assert done.returncode == 0, done.stderr
    assert rows_of(done.stdout) == {"facts": (2, 1), "other": (1, 1), "all": (3, 2)}, done.stdout
    assert "q1: expected exactly: no such answer" in done.stdout and "tokens/s" in done.stdout
    head, *lines = [json.loads(line) for line in open(saved, encoding="utf-8")]
    assert head["model"] == "m" and head["items"] == 3
    assert [(line["id"], line["outcome"]) for line in lines] == [("q0", "right"), ("q1", "wrong"), ("c", "right")]
    assert "Paris" in lines[0]["reply"]["choices"][0]["message"]["content"] and 0 < lines[0]["tokens"] <= 30
    done = seekd_eval("--compare", saved, saved)
    assert done.returncode == 0 and "1.000" in done.stdout
    for floor, code in (("66", 0), ("67", 1), ("facts=50", 0), ("facts=51", 1), ("absent=0", 1)):
        done = seekd_eval(path, "--url", url, "--min-accuracy", floor)
        assert done.returncode == code, (floor, done.stdout, done.stderr)
    done = seekd_eval(path, "--url", url, "--kind", "other", "--limit=1", "--by-language")
    assert done.returncode == 0 and rows_of(done.stdout) == {"other": (1, 1), "all": (1, 1)}, done.stdout


def test_a_server_of_its_own_is_started_and_leaves_nothing_behind(model_file):
    done = seekd_eval(EXAMPLE, "--model", model_file, "--numerics", "exact", "--kind", "contains,number")
    assert done.returncode == 0, done.stderr
    assert set(rows_of(done.stdout)) == {"contains", "number", "all"}
    assert "listening" not in done.stdout + done.stderr


def test_refused_items_are_named_and_count_as_wrong(real, tmp_path):
    path = suite(tmp_path / "s.jsonl", [question(0, "hello", {"type": "regex", "pattern": "."}, max_tokens=9999)])
    done = seekd_eval(path, "--url", f"http://127.0.0.1:{real.port}", "--show-failures", "1")
    assert done.returncode == 1 and "1 got no answer" in done.stdout and "context is 2048" in done.stdout, done.stdout


def test_it_names_what_is_wrong_with_its_arguments(tmp_path):
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"id": "a"}\n{"id"', encoding="utf-8")
    for arguments, says in (
        ([], "expected a suite"),
        (["/nonexistent/x.jsonl"], "/nonexistent/x.jsonl"),
        ([str(bad)], "bad.jsonl: line 1: expected either messages or prompt"),
        ([EXAMPLE, EXAMPLE], "line 1: id: example-exact stands twice"),
        ([EXAMPLE, "--concurrency", "0"], "--concurrency"),
        ([EXAMPLE, "--concurrency"], "--concurrency needs a value"),
        ([EXAMPLE, "--temperature", "9"], "--temperature"),
        ([EXAMPLE, "--min-accuracy", "x=nan"], "--min-accuracy"),
        ([EXAMPLE, "--kind", "nothing"], "no item"),
        ([EXAMPLE, "--url", "http://127.0.0.1:1", "--threads", "2"], "--threads"),
        ([EXAMPLE, "--port", "80"], "--port"),
        (["--compare", EXAMPLE], "--compare needs two"),
        (["--compare", EXAMPLE, EXAMPLE], "not written by seekd eval --out"),
    ):
        done = seekd_eval(*arguments)
        assert done.returncode == USAGE and says in done.stderr and done.stdout == "", (arguments, done.stderr)
    done = seekd_eval(EXAMPLE, "--url", "http://127.0.0.1:1")
    assert done.returncode == MODEL and "refused" in done.stderr


def test_an_interrupt_reports_what_was_answered(start_server, tmp_path):
    server = start_server("--mock-script", "step_us=20000")
    path = suite(tmp_path / "s.jsonl", [question(i, f"hello {i}", {"type": "regex", "pattern": ""}, max_tokens=5 + 100 * (i > 0))
                                        for i in range(40)])
    running = subprocess.Popen([binary(), "eval", path, "--url", f"http://127.0.0.1:{server.port}", "--concurrency", "2"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(1.5)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=30)
    assert running.returncode == 128 + signal.SIGINT and "stopped" in err
    assert "were not asked" in out and rows_of(out)["all"][0] < 40, out
