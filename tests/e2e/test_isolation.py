"""Nothing of one user reaches another, a log, a metric or a place where other processes look."""

import json
import os
import re

LONG = os.environ.get("SEEKD_TEST_LONG") == "1"
NONCE = "xq7zvornithopter"
PROMPT = "The quick brown fox jumps over the lazy dog near the river bank. " * 8


def ask(**fields):
    return {"model": "tiny", "messages": [{"role": "user", "content": "hello there"}], "max_tokens": 3, **fields}


def cached(server, key, **fields):
    status, reply = server.post("/v1/chat/completions", ask(messages=[{"role": "user", "content": PROMPT}], **fields),
                                {"Authorization": f"Bearer {key}"})
    assert status == 200, reply
    return reply["usage"]["prompt_tokens_details"]["cached_tokens"]


def test_the_cache_of_one_key_is_not_found_by_another(start_server):
    s = start_server("--api-key", "key-of-a", "--api-key", "key-of-b")
    named = {"user_id": "u1", "cache_salt": "s1", "prompt_cache_key": "p1"}
    assert cached(s, "key-of-a", **named) == 0
    assert cached(s, "key-of-a", **named) >= 64
    assert cached(s, "key-of-b", **named) == 0
    assert cached(s, "key-of-a", **{**named, "user_id": "u2"}) == 0
    assert cached(s, "key-of-a", **{**named, "cache_salt": "s2"}) == 0
    assert cached(s, "key-of-a", **named) >= 64


def test_what_clients_say_is_never_written_down(start_server):
    s = start_server("--log-level", "debug", "--api-key", "a-key-" + NONCE)
    key = {"Authorization": "Bearer a-key-" + NONCE}
    text = [{"role": "user", "content": NONCE, "name": NONCE}]
    bodies = [ask(messages=text), ask(messages=text, stream=True), ask(messages=text, user=NONCE, user_id=NONCE, cache_salt=NONCE),
              ask(messages=text, metadata={NONCE: NONCE}), ask(messages=text, stop=[NONCE]), ask(messages=text, model=NONCE),
              ask(messages=text, temperature=NONCE), ask(messages=text, **{NONCE: 1}), ask(messages=[{"role": NONCE, "content": "x"}])]
    seen = set()
    for body in bodies:
        status, _, reply = s.request("POST", "/v1/chat/completions", body, key)
        seen.add(status)
    for path, headers in (("/v1/" + NONCE, {}), ("/v1/models/" + NONCE, {}), ("/v1/models?" + NONCE, {"X-Request-Id": NONCE, "User-Agent": NONCE}),
                          ("/v1/models", {"Authorization": "Bearer " + NONCE}), ("/v1/models", {"Origin": "http://" + NONCE})):
        seen.add(s.request("GET", path, headers={**key, **headers})[0])
    assert {200, 400, 401, 404} <= seen
    metrics = s.request("GET", "/metrics", headers=key)[2].decode()
    assert "seekd_" in metrics and NONCE not in metrics
    children = open(f"/proc/{s.process.pid}/task/{s.process.pid}/children").read().split()
    engine = "".join(open(f"/proc/{child}/{name}").read() for child in children for name in ("cmdline", "environ", "comm"))
    assert children and NONCE not in engine
    assert "level" in s.log() or len(s.log()) > 200
    assert NONCE not in s.log()


def series(server):
    lines = server.request("GET", "/metrics")[2].decode().splitlines()
    return {re.sub(r" \S+$", "", line) for line in lines if line and not line.startswith("#")}


def test_metrics_do_not_grow_with_what_clients_send(start_server):
    s = start_server()
    for warm in (ask(), ask(model="other"), ask(temperature=9)):
        s.request("POST", "/v1/chat/completions", warm)
    s.request("GET", "/v1/nowhere")
    before = series(s)
    for i in range(100000 if LONG else 300):
        data = json.dumps(ask(model=f"m{i}", user_id=f"u{i}")).encode()
        s.request("POST", "/v1/chat/completions", data, {"Content-Type": "application/json", "Authorization": f"Bearer k{i}", "User-Agent": f"a{i}"})
        s.request("GET", f"/v1/path{i}", headers={"Origin": f"http://o{i}"})
    after = series(s)
    assert len(after) <= 2000 and len(after - before) <= 4, after - before
