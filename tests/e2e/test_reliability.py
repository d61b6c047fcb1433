"""What must hold when something goes wrong: engines that die or hang, clients that leave, drains, reloads, too much work."""

import concurrent.futures
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from harness import Raw, binary

LONG = os.environ.get("SEEKD_TEST_LONG") == "1"
ASK = {"model": "tiny", "messages": [{"role": "user", "content": "hello there"}]}


def body_of(request):
    data = json.dumps(request).encode()
    return (b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" %
            len(data)) + data


def engine_pid(server):
    children = open(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read().split()
    assert len(children) == 1, f"the front has {len(children)} children"
    return int(children[0])


def events(data):
    return [json.loads(line[6:]) for line in data.decode().split("\n") if line.startswith("data: {")]


def open_stream(server, **fields):
    """A connection on which a stream has begun; ignore_eos keeps it running."""
    raw = server.raw()
    raw.send(body_of({**ASK, "stream": True, "ignore_eos": True, "max_tokens": 300, **fields}))
    while raw.buffer.count(b"data: ") < 3:
        assert raw._more()
    return raw


def rest_of(raw):
    while raw._more():
        if b"data: [DONE]" in raw.buffer:
            break
    return raw.buffer


# ---- Engines ---------------------------------------------------------------------------------------------------

def test_a_killed_engine_ends_running_streams_and_later_requests_are_served(start_server):
    s = start_server("--mock-script", "step_us=3000")
    rounds = 20 if LONG else 3
    for n in range(rounds):
        stream = open_stream(s)
        start = time.monotonic()
        os.kill(engine_pid(s), signal.SIGKILL)
        data = rest_of(stream)
        assert time.monotonic() - start < 2
        error = events(data)[-1]["error"]
        assert error["code"] == "internal_error" and "restarted" in error["message"]
        assert b"data: [DONE]" in data
        status, reply = s.post("/v1/chat/completions", {**ASK, "max_tokens": 2})
        assert status == 503 and reply["error"]["code"] == "model_loading"
        s.wait_ready(20)
        assert s.post("/v1/chat/completions", {**ASK, "max_tokens": 4})[0] == 200
        assert s.metric("seekd_engine_deaths_total") == n + 1


def test_the_real_engine_is_restarted_too(start_server, model_file):
    s = start_server("--model-name", "tiny", "--context", "1024", "--kv-memory", "64M", "--numerics", "exact", model=model_file)
    before = s.post("/v1/chat/completions", {**ASK, "temperature": 0, "max_tokens": 8})[1]
    stream = open_stream(s)
    os.kill(engine_pid(s), signal.SIGKILL)
    assert events(rest_of(stream))[-1]["error"]["code"] == "internal_error"
    s.wait_ready(30)
    after = s.post("/v1/chat/completions", {**ASK, "temperature": 0, "max_tokens": 8})[1]
    assert after["choices"] == before["choices"]
    assert after["system_fingerprint"] == before["system_fingerprint"]


def test_a_model_file_cut_while_it_serves_is_named_and_nothing_waits_for_it(start_server, model_file, tmp_path):
    path = shutil.copy(model_file, tmp_path / "cut.gguf")
    s = start_server("--model-name", "tiny", "--context", "1024", "--kv-memory", "64M", model=str(path))
    assert s.post("/v1/chat/completions", {**ASK, "max_tokens": 2})[0] == 200
    os.truncate(path, 20_000_000)
    status, reply = s.post("/v1/chat/completions", {**ASK, "messages": [{"role": "user", "content": "zebra"}], "max_tokens": 2})
    assert status in (500, 503) and "error" in reply
    s.wait_for(lambda: "token_embd.weight" in s.log(), what="the name of the tensor in the log")
    assert s.request("GET", "/ready")[0] == 503


def test_queued_work_survives_the_engine(start_server):
    s = start_server("--mock-script", "step_us=3000", "--max-running", "1")
    stream = open_stream(s)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        queued = [pool.submit(s.post, "/v1/chat/completions", {**ASK, "max_tokens": 3}) for _ in range(4)]
        s.wait_for(lambda: s.metric("seekd_requests_waiting") == 4)
        os.kill(engine_pid(s), signal.SIGKILL)
        assert events(rest_of(stream))[-1]["error"]
        assert [q.result()[0] for q in queued] == [200] * 4


def test_a_hanging_engine_is_replaced(start_server):
    s = start_server("--mock-script", "hang_after=6", "--step-timeout", "2")
    start = time.monotonic()
    status, reply = s.post("/v1/chat/completions", {**ASK, "max_tokens": 50, "ignore_eos": True})
    assert status == 500 and reply["error"]["code"] == "internal_error"
    assert time.monotonic() - start < 12
    s.wait_ready(20)


def test_a_broken_invariant_ends_the_engine_and_the_request_alone(start_server):
    s = start_server("--mock-script", "fault_after=8")
    s.may_report = True
    status, reply = s.post("/v1/chat/completions", {**ASK, "max_tokens": 50, "ignore_eos": True})
    assert status == 500 and reply["error"]["type"] == "server_error"
    s.wait_ready(20)
    assert s.process.poll() is None


def test_the_child_has_no_keys_and_no_foreign_descriptors(start_server):
    s = start_server(env={"SEEKD_API_KEYS": "sk-very-secret", "OTHER_TOKEN": "t"})
    pid = engine_pid(s)
    environment = open(f"/proc/{pid}/environ", "rb").read()
    assert b"very-secret" not in environment and b"OTHER_TOKEN" not in environment
    for fd in os.listdir(f"/proc/{pid}/fd"):
        target = os.readlink(f"/proc/{pid}/fd/{fd}")
        assert int(fd) <= 3 or not target.startswith("socket:"), f"descriptor {fd}: {target}"


def test_the_engine_ends_with_its_front(start_server):
    s = start_server()
    pid = engine_pid(s)
    s.process.kill()
    s.process.wait()
    deadline = time.monotonic() + 3
    while os.path.exists(f"/proc/{pid}") and open(f"/proc/{pid}/stat").read().split(") ")[1][0] != "Z":
        assert time.monotonic() < deadline, "the engine outlived its front"
        time.sleep(0.02)
    s.process.returncode = 0  # killed on purpose: nothing is left to stop


# ---- Departures ------------------------------------------------------------------------------------------------

def leave(server, rng):
    """One client that leaves at a random moment, by a reset or an orderly close, from a stream or a whole reply."""
    raw = Raw(server.port)
    request = body_of({**ASK, "stream": rng.random() < 0.6, "ignore_eos": True, "max_tokens": rng.randint(1, 200), "n": rng.choice([1, 1, 2]),
                       "messages": [{"role": "user", "content": "word " * rng.randint(1, 60)}]})
    try:
        raw.send(request[:rng.randint(1, len(request))] if rng.random() < 0.2 else request)
        if rng.random() < 0.7:
            time.sleep(rng.random() * 0.02)
        else:
            raw.socket.settimeout(5)
            raw.socket.recv(rng.randint(1, 2000))
    except OSError:
        pass
    raw.reset() if rng.random() < 0.5 else raw.close()


def test_a_thousand_departures_leave_nothing_behind(start_server):
    s = start_server("--mock-script", "step_us=500")
    canary = {**ASK, "stream": True, "seed": 5, "temperature": 0.8, "max_tokens": 100, "ignore_eos": True}

    def deltas():
        data = s.request("POST", "/v1/chat/completions", canary, timeout=120)[2]
        return [e["choices"] for e in events(data)]

    solo = deltas()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:  # warm-up: buffers and threads reach their size
        list(pool.map(lambda i: leave(s, random.Random(i)), range(64)))
    s.wait_idle()
    before = (s.metric('seekd_kv_pages{state="held"}'), s.descriptors(), s.threads())
    memory, stop, canaries = s.rss(), threading.Event(), []

    def watch():
        while not stop.is_set():
            canaries.append(deltas())

    watcher = threading.Thread(target=watch)
    watcher.start()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda i: leave(s, random.Random(1000 + i)), range(100000 if LONG else 1000)))
    stop.set()
    watcher.join()
    s.wait_idle()
    assert all(c == solo for c in canaries) and canaries
    s.wait_for(lambda: s.metric("seekd_http_requests_open") == 1, 10, "the end of all requests")
    s.wait_for(lambda: s.descriptors() <= before[1] + 1, 10, "the descriptors' return")
    assert s.metric('seekd_kv_pages{state="held"}') == before[0] == 0
    assert s.threads() == before[2]
    assert s.rss() < memory + (16 << 20)
    assert s.metric("seekd_engine_deaths_total") == 0


def test_a_queued_request_that_leaves_takes_nothing_with_it(start_server):
    s = start_server("--mock-script", "step_us=8000", "--max-running", "1")
    stream = open_stream(s, max_tokens=300)
    waiting = s.raw()
    waiting.send(body_of({**ASK, "max_tokens": 5}))
    s.wait_for(lambda: s.metric("seekd_requests_waiting") == 1)
    waiting.close()
    s.wait_for(lambda: s.metric("seekd_requests_waiting") == 0, 3, "the queued request's end")
    assert events(rest_of(stream))[-1]["choices"][0]["finish_reason"] == "length"


def test_a_client_that_shuts_its_sending_side_still_gets_its_stream(start_server):
    s = start_server("--mock-script", "step_us=1000")
    stream = open_stream(s, max_tokens=80)
    stream.socket.shutdown(socket.SHUT_WR)
    assert events(rest_of(stream))[-1]["choices"][0]["finish_reason"] == "length"


def test_a_slow_reader_is_dropped_and_others_are_not(start_server):
    s = start_server("--stream-buffer-bytes", "16K", "--context", "16384", "--mock-script", "context=16384")
    slow = s.raw(receive_buffer=4096)
    slow.send(body_of({**ASK, "stream": True, "ignore_eos": True, "max_tokens": 12000, "logprobs": True, "top_logprobs": 5}))
    s.wait_for(lambda: s.metric("seekd_slow_readers_total") == 1, 30, "the slow reader's end")
    s.wait_idle(5)
    assert s.post("/v1/chat/completions", {**ASK, "max_tokens": 5})[0] == 200


# ---- Too much --------------------------------------------------------------------------------------------------

def test_a_full_queue_answers_at_once(start_server):
    s = start_server("--mock-script", "step_us=2000", "--max-running", "1", "--max-queue", "0")
    stream = open_stream(s)
    status, headers, data = s.request("POST", "/v1/chat/completions", {**ASK, "max_tokens": 2})
    assert status == 503 and json.loads(data)["error"]["code"] == "server_overloaded"
    assert int(headers["Retry-After"]) >= 1 and int(headers["retry-after-ms"]) >= 1000
    assert s.request("GET", "/health")[0] == 200 and s.request("GET", "/ready")[0] == 200
    stream.close()


def test_138_a_key_at_its_limit_does_not_hinder_another(start_server, tmp_path):
    s = start_server("--mock-script", "step_us=2000", "--api-key", "a", "--api-key", "b", "--key-concurrency", "1")
    keys = [{"Authorization": f"Bearer {k}"} for k in "ab"]
    data = json.dumps({**ASK, "stream": True, "ignore_eos": True, "max_tokens": 300}).encode()
    stream = s.raw()
    stream.request("POST", "/v1/chat/completions", data, [("Content-Type", "application/json"), *keys[0].items()])
    while b"data: " not in stream.buffer:
        assert stream._more()
    assert s.post("/v1/chat/completions", {**ASK, "max_tokens": 2}, keys[0])[0] == 429
    assert s.post("/v1/chat/completions", {**ASK, "max_tokens": 2}, keys[1])[0] == 200
    stream.close()


def test_a_request_of_many_choices_does_not_hold_up_a_short_one(start_server):
    s = start_server("--mock-script", "step_us=1000;row_us=10", "--api-key", "a", "--api-key", "b")
    keys = [{"Authorization": f"Bearer {k}"} for k in "ab"]
    s.post("/v1/chat/completions", {**ASK, "max_tokens": 1}, keys[1])
    stream = s.raw()
    data = json.dumps({**ASK, "stream": True, "ignore_eos": True, "n": 128, "temperature": 1, "max_tokens": 400}).encode()
    stream.request("POST", "/v1/chat/completions", data, [("Content-Type", "application/json"), *keys[0].items()])
    while stream.buffer.count(b"data: ") < 200:
        assert stream._more()
    for _ in range(3):
        begin = time.monotonic()
        assert s.post("/v1/chat/completions", {**ASK, "max_tokens": 1}, keys[1])[0] == 200
        assert time.monotonic() - begin < 1
    running = s.request("GET", "/metrics", headers=keys[1])[2].decode()
    assert "seekd_requests_running 64" in running or "seekd_requests_waiting" in running
    stream.close()


def test_more_work_than_cache_finishes_with_the_same_tokens(start_server):
    s = start_server("--mock-script", "pages=12", "--max-running", "8")
    asks = [{**ASK, "seed": i, "temperature": 1, "max_tokens": 60, "ignore_eos": True,
             "messages": [{"role": "user", "content": f"{i} " * (40 + 7 * (i % 9))}]} for i in range(24)]
    solo = [s.post("/v1/chat/completions", a)[1]["choices"] for a in asks]
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        crowd = list(pool.map(lambda a: s.post("/v1/chat/completions", a), asks))
    assert [status for status, _ in crowd] == [200] * 24
    assert [reply["choices"] for _, reply in crowd] == solo


def test_work_that_waits_too_long_is_refused(start_server):
    s = start_server("--mock-script", "step_us=5000", "--max-running", "1", "--queue-timeout", "1")
    stream = open_stream(s)
    status, reply = s.post("/v1/chat/completions", {**ASK, "max_tokens": 2})
    assert status == 504 and reply["error"]["code"] == "queue_timeout"
    stream.close()


# ---- The life cycle --------------------------------------------------------------------------------------------

def test_155_a_drain_finishes_streams_and_refuses_new_work(start_server):
    s = start_server("--mock-script", "step_us=5000")
    stream = open_stream(s, max_tokens=100)
    s.signal(signal.SIGTERM)
    s.wait_for(lambda: s.request("GET", "/ready")[0] == 503, 2, "/ready 503")
    status, headers, data = s.request("POST", "/v1/chat/completions", {**ASK, "max_tokens": 2})
    assert status == 503 and json.loads(data)["error"]["code"] == "draining" and "Retry-After" in headers
    assert events(rest_of(stream))[-1]["choices"][0]["finish_reason"] == "length"
    assert s.process.wait(5) == 0


@pytest.mark.parametrize("script", ["", "load_ms=20000"], ids=["idle", "loading"])
def test_a_stop_without_work_is_quick(start_server, script):
    s = start_server("--mock-script", script, ready=not script)
    start = time.monotonic()
    s.signal(signal.SIGTERM)
    assert s.process.wait(5) == 0
    assert time.monotonic() - start < 3


def test_a_second_signal_ends_at_once(start_server):
    s = start_server("--mock-script", "step_us=5000")
    stream = open_stream(s)
    s.signal(signal.SIGTERM)
    time.sleep(0.3)
    s.signal(signal.SIGTERM)
    assert s.process.wait(8) == 0
    stream.close()


def test_a_reload_changes_what_can_change(start_server, tmp_path):
    settings = tmp_path / "seekd.conf"
    settings.write_text("default_max_tokens = 3\n")
    s = start_server("--config", str(settings))
    ask = {**ASK, "ignore_eos": True}
    assert s.post("/v1/chat/completions", ask)[1]["usage"]["completion_tokens"] == 3
    settings.write_text("default_max_tokens = 5\nmax_running = 3\n")
    s.signal(signal.SIGHUP)
    s.wait_for(lambda: s.post("/v1/chat/completions", ask)[1]["usage"]["completion_tokens"] == 5, 5, "the new default")
    assert "max_running" in s.log()
    settings.write_text("default_max_tokens = many\n")
    s.signal(signal.SIGHUP)
    s.wait_for(lambda: "reload refused" in s.log(), 5, "the refusal")
    assert s.post("/v1/chat/completions", ask)[1]["usage"]["completion_tokens"] == 5


def test_a_revoked_key_is_refused_after_a_reload(start_server, tmp_path):
    import hashlib

    keys = tmp_path / "keys.json"

    def write(*names):
        rows = [{"id": n, "hash": hashlib.blake2b(n.encode(), digest_size=32).hexdigest()} for n in names]
        keys.write_text(json.dumps(rows))

    write("one", "two")
    s = start_server("--api-key-file", str(keys))
    status = lambda key: s.request("GET", "/v1/models", headers={"Authorization": f"Bearer {key}"})[0]
    assert [status(k) for k in ("one", "two", "three")] == [200, 200, 401]
    write("two", "three")
    s.signal(signal.SIGHUP)
    s.wait_for(lambda: status("three") == 200, 5, "the new key")
    assert [status(k) for k in ("one", "two")] == [401, 200]


def test_the_service_manager_hears_of_readiness(start_server, tmp_path):
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        manager.settimeout(20)
        s = start_server(env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"})
        said = [manager.recv(4096) for _ in range(3)]
        assert any(b"READY=1" in m for m in said) and any(b"WATCHDOG=1" in m for m in said)
        s.signal(signal.SIGTERM)
        while b"STOPPING=1" not in manager.recv(4096):
            pass


def test_a_socket_of_the_service_manager_is_taken_over(mock_model):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(16)
        command = f'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" serve --device mock --model "$1" --port 1 3<&{listening.fileno()}'
        process = subprocess.Popen(["bash", "-c", command, binary(), mock_model], pass_fds=[listening.fileno()], stdout=subprocess.PIPE,
                                   text=True, env={k: v for k, v in os.environ.items() if not k.startswith("SEEKD_")})
        with process, listening:
            assert f":{listening.getsockname()[1]} " in process.stdout.readline()
            raw = Raw(listening.getsockname()[1])
            raw.request("GET", "/livez")
            assert raw._line().startswith("HTTP/1.1 200")
            raw.close()
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
