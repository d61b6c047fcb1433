"""HTTP as such: versions, framing, limits, methods, keys, hosts and origins, CORS. Sockets are raw where the bytes matter."""

import concurrent.futures
import json
import os
import re
import resource
import shutil
import ssl
import subprocess
import time

import pytest

from harness import Raw, Server, binary

LONG = bool(os.environ.get("SEEKD_TEST_LONG"))
CHAT = {"model": "tiny", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 4}
BODY = json.dumps(CHAT).encode()
STREAM = json.dumps({**CHAT, "stream": True, "max_tokens": 20}).encode()
ENDLESS = json.dumps({**CHAT, "stream": True, "max_tokens": 400, "ignore_eos": True}).encode()
JSON = [("Content-Type", "application/json")]
HOST = "Host: localhost\r\n"
PUBLIC = ["/health", "/v1/health", "/healthz", "/livez", "/ready", "/readyz", "/ping"]
USE = [p + r for r in ("/chat/completions", "/completions") for p in ("", "/v1", "/beta", "/beta/v1")] + \
      [p + r for r in ("/tokenize", "/detokenize", "/apply-template") for p in ("", "/v1")]
MODELS = [p + r for r in ("/models", "/models/tiny") for p in ("", "/v1", "/beta", "/beta/v1")]
OPS = ["/metrics", "/version"]
ID = re.compile(r"req_[A-Za-z0-9]{16,}")


def check_error(reply, status, code=None):
    """The one error shape of the server, whoever wrote it."""
    assert reply.status == status, (reply.status, reply.body)
    assert reply.get("Content-Type") == "application/json"
    error = reply.json["error"]
    assert set(error) == {"message", "type", "param", "code"} and error["message"]
    assert error["code"] == code, error
    check_common(reply)


def check_common(reply):
    assert ID.fullmatch(reply.get("x-request-id"))
    assert reply.get("Date")
    assert reply.chunked or reply.get("Content-Length") is not None or reply.get("Connection") == "close" or reply.version == "HTTP/1.0"


def refused(server, data, status, code=None):
    """The bytes get this error, and the connection ends."""
    with server.raw() as c:
        c.try_send(data)
        reply = c.reply()
        check_error(reply, status, code)
        assert reply.get("Connection") == "close"
        assert c.ends(5)


# ---- Versions and framing


def test_001_002_http_1_1_needs_one_valid_host(server):
    refused(server, "GET /health HTTP/1.1\r\n\r\n", 400)
    refused(server, "GET /health HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400)
    for host in ("", "a b", "a/b", "user@localhost", "localhost:x", "[::1"):
        refused(server, f"GET /health HTTP/1.1\r\nHost: {host}\r\n\r\n", 400)


def test_003_http_1_0_is_answered_without_a_host_and_closed(server):
    with server.raw() as c:
        c.request("GET", "/health", version="1.0", host=None)
        reply = c.reply()
        assert reply.status == 200 and not reply.chunked
        assert c.ends(5)
    with server.raw() as c:
        for _ in range(2):
            c.request("GET", "/health", version="1.0", host=None, fields=[("Connection", "keep-alive")])
            assert c.reply().status == 200


def test_004_a_stream_to_http_1_0_is_delimited_by_the_close(server):
    with server.raw() as c:
        c.request("POST", "/v1/chat/completions", STREAM, JSON, version="1.0")
        reply = c.reply()
        assert reply.status == 200 and reply.get("Transfer-Encoding") is None and reply.get("Content-Length") is None
        assert reply.body.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("status,head", [
    (400, "Content-Length: 5\r\nTransfer-Encoding: chunked"),
    (400, "Transfer-Encoding: chunked\r\nContent-Length: 5"),
    (400, "Content-Length: 5\r\nContent-Length: 5"),
    (400, "Content-Length: 5\r\nContent-Length: 6"),
    (400, "Content-Length: -1"),
    (400, "Content-Length: +5"),
    (400, "Content-Length: 0x10"),
    (400, "Content-Length: 5, 5"),
    (400, "Content-Length: 99999999999999999999"),
    (400, "Content-Length:"),
    (400, "Transfer-Encoding: gzip"),
    (400, "Transfer-Encoding: chunked, gzip"),
    (400, "Transfer-Encoding: identity"),
    (400, "Transfer-Encoding: chun ked"),
    (501, "Transfer-Encoding: gzip, chunked"),
    (400, "X: a\rb"),
    (400, "X: a\0b"),
    (400, "X: a\x01b"),
    (400, "X : a"),
    (400, "X: a\r\n folded"),
    (400, "Content-Lengt\r\n h: 3"),
    (400, ": nameless"),
    (400, "no colon"),
    (400, "X: a\nY: b"),
])
def test_005_006_009_ambiguous_heads_are_refused(server, status, head):
    refused(server, f"POST /v1/chat/completions HTTP/1.1\r\n{HOST}Content-Type: application/json\r\n{head}\r\n\r\nhello", status)


# case: R5
def test_stacked_codings_are_not_unpacked(server):
    refused(server, f"POST /v1/chat/completions HTTP/1.1\r\n{HOST}Transfer-Encoding: gzip, chunked\r\n\r\n", 501)
    for coding in ("gzip", "br", "deflate", "gzip, gzip"):
        with server.raw() as c:
            c.request("POST", "/v1/chat/completions", b"x" * 100, JSON + [("Content-Encoding", coding)])
            reply = c.reply()
            check_error(reply, 415, "unsupported_media_type")
            assert reply.get("Accept-Encoding")


def chunked(parts, trailers=""):
    body = b"".join(b"%x%s\r\n%s\r\n" % (len(p), e, p) for p, e in parts) + b"0\r\n" + trailers.encode() + b"\r\n"
    return (f"POST /v1/chat/completions HTTP/1.1\r\n{HOST}Content-Type: application/json\r\n"
            f"Transfer-Encoding: chunked\r\n\r\n").encode() + body


def test_007_chunked_bodies_arrive(server):
    with server.raw() as c:
        for _ in range(2):  # and the connection lives on
            c.send(chunked([(BODY[:5], b""), (BODY[5:20], b';name="va;lue"'), (BODY[20:], b"")], "X-Trailer: dropped\r\n"))
            assert c.reply().status == 200


@pytest.mark.parametrize("line", ["zz", "-5", "0x5", " 5", "5 ", "", ";a", "5;\x01", "1111111111111111", "5\n"])
def test_008_malformed_chunk_sizes_are_refused(server, line):
    head = chunked([]).split(b"\r\n\r\n")[0].decode()
    refused(server, f"{head}\r\n\r\n{line}\r\nhello\r\n0\r\n\r\n", 400)


# case: R3
def test_a_body_in_very_many_pieces_is_taken_or_refused(server):
    text = json.dumps({**CHAT, "padding": "x" * (100000 if LONG else 30000)}).encode()
    with server.raw(timeout=60) as c:
        before = server.cpu_seconds()
        c.send(chunked([(text[i:i + 1], b"") for i in range(len(text))]))
        assert c.reply().status == 200
        assert server.cpu_seconds() - before < 5
    head = chunked([]).split(b"\r\n\r\n")[0]
    refused(server, head + b"\r\n\r\n" + b"1\r\nx\r\n" * 140000, 413, "request_too_large")


# case: R4
def test_long_extensions_and_trailers_are_refused_within_the_pool(server):
    head = chunked([]).split(b"\r\n\r\n")[0] + b"\r\n\r\n"
    for data in (b"1;" + b"e" * (1 << 20), (b"1;" + b"e" * 1000 + b"\r\nx\r\n") * 1000, b"0\r\nX: " + b"t" * (1 << 20),
                 b"0\r\n" + b"X: y\r\n" * 200000):
        with server.raw() as c:
            c.try_send(head + data)
            reply = c.reply()
            assert reply.status in (400, 431)
            check_error(reply, reply.status)
            assert c.ends(5)


def test_010_a_head_a_byte_at_a_time_is_answered_once_whole(server):
    head = f"GET /health HTTP/1.1\r\n{HOST}X-Slow: yes\r\n\r\n"
    with server.raw() as c:
        for byte in head[:-1]:
            c.send(byte)
            time.sleep(0.005)
        assert c.is_silent(0.1)
        c.send(head[-1])
        assert c.reply().status == 200


def test_011_pipelined_requests_are_answered_in_order(server):
    with server.raw() as c:
        one = f"POST /v1/tokenize HTTP/1.1\r\n{HOST}Content-Length: 17\r\n\r\n" + '{"content":"%s"}  '
        c.send((one % "a") + (one % "b") + f"GET /v1/nope HTTP/1.1\r\n{HOST}\r\nGET /health HTTP/1.1\r\n{HOST}\r\n")
        first, second, third, fourth = (c.reply() for _ in range(4))
        assert first.json["count"] == second.json["count"] == 1 and first.json["tokens"] != second.json["tokens"]
        assert third.status == 404 and fourth.json["status"] == "ok"


def test_what_stands_before_a_refused_request_is_answered(server):
    with server.raw() as c:
        c.send(f"GET /version HTTP/1.1\r\n{HOST}\r\nGET /health HTTP/1.1\r\n\r\nGET /health HTTP/1.1\r\n{HOST}\r\n")
        assert c.reply().json["version"]
        check_error(c.reply(), 400)
        assert c.ends(5)


def test_connection_close_is_honoured(server):
    with server.raw() as c:
        c.request("GET", "/health", fields=[("Connection", "close")])
        assert c.reply().get("Connection") == "close"
        assert c.ends(5)


def test_a_body_is_never_read_as_a_request(server):
    inner = f"GET /version HTTP/1.1\r\n{HOST}\r\n".encode()
    with server.raw() as c:
        c.request("POST", "/v1/tokenize", inner)
        assert c.reply().status == 400  # not JSON
        c.request("GET", "/health")
        assert c.reply().json == {"status": "ok"}


# case: R2
def test_a_body_cut_short_is_never_parsed(server):
    before = server.metric("seekd_prompt_tokens_total")
    with server.raw() as c:
        c.send(f"POST /v1/chat/completions HTTP/1.1\r\n{HOST}Content-Type: application/json\r\nContent-Length: {len(BODY) * 2}\r\n\r\n")
        c.send(BODY)
        c.socket.shutdown(1)
        assert c.ends(5)
    assert server.metric("seekd_prompt_tokens_total") == before


def test_other_versions_are_refused(server):
    refused(server, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505)
    refused(server, f"GET /health HTTP/1.2\r\n{HOST}\r\n", 505)
    refused(server, f"GET /health http/1.1\r\n{HOST}\r\n", 400)
    refused(server, "GET /health\r\n\r\n", 400)


def test_an_upgrade_is_ignored(server):
    with server.raw() as c:
        c.request("GET", "/health", fields=[("Upgrade", "h2c"), ("Connection", "Upgrade, HTTP2-Settings"), ("HTTP2-Settings", "AAMAAABk")])
        assert c.reply().status == 200


# ---- Limits


# case: R1
def test_a_head_that_never_ends_stops_at_its_limit(server):
    before = server.rss()
    for size in (70 << 10, (100 if LONG else 8) << 20):
        with server.raw() as c:
            c.try_send(f"GET /health HTTP/1.1\r\n{HOST}X: ".encode() + b"x" * size)
            check_error(c.reply(), 431)
            assert c.ends(5)
    assert server.rss() - before < 4 << 20


def test_012_013_targets_fields_and_heads_have_their_limits(server):
    refused(server, f"GET /{'x' * 9000} HTTP/1.1\r\n{HOST}\r\n", 414)
    refused(server, f"GET /health HTTP/1.1\r\n{HOST}" + "X: y\r\n" * 100 + "\r\n", 431)
    with server.raw() as c:  # all limits reached together, with a body behind
        fields = "".join(f"X-{i:02}: y\r\n" for i in range(96))
        head = f"POST /v1/chat/completions?{'q' * 8000} HTTP/1.1\r\n{HOST}Content-Type: application/json\r\nContent-Length: 300000\r\n{fields}"
        head += f"X-Pad: {'p' * (16384 - len(head) - 11)}\r\n\r\n"
        assert len(head) == 16384
        c.send(head.encode() + BODY.ljust(300000))
        assert c.reply().status == 200


def test_014_a_declared_length_above_the_limit_is_refused_before_the_body(server):
    with server.raw() as c:
        c.send(f"POST /v1/chat/completions HTTP/1.1\r\n{HOST}Content-Type: application/json\r\nContent-Length: 60000000\r\n\r\n")
        reply = c.reply()
        check_error(reply, 413, "request_too_large")
        assert reply.get("Connection") == "close"
        assert c.ends(5)


def test_a_route_without_a_body_takes_none(server):
    with server.raw() as c:
        c.request("GET", "/health", b"x" * 10)
        check_error(c.reply(), 413, "request_too_large")
    with server.raw() as c:
        c.send(f"GET /health HTTP/1.1\r\n{HOST}Content-Length: 0\r\n\r\n")
        assert c.reply().status == 200


def test_015_chunks_are_counted_against_the_limit(start_server):
    server = start_server("--max-body-bytes", "1M")
    before = server.rss()
    with server.raw() as c:
        c.try_send(chunked([(b" " * 65536, b"")] * 64))
        check_error(c.reply(), 413, "request_too_large")
        assert c.ends(5)
    assert server.rss() - before < 16 << 20
    with server.raw() as c:  # exactly as much as may come
        c.send(chunked([(BODY, b""), (b" " * ((1 << 20) - len(BODY)), b"")]))
        assert c.reply().status == 200


def test_016_017_018_expectations(start_server):
    server = start_server("--api-key", "sk-right")
    key = [("Authorization", "Bearer sk-right")]
    head = f"POST /v1/chat/completions HTTP/1.1\r\n{HOST}Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n"
    with server.raw() as c:
        c.send(head + "Expect: 100-continue\r\nAuthorization: Bearer sk-right\r\n\r\n")
        assert c.reply(interim=True).status == 100
        c.send(BODY)
        assert c.reply().status == 200
    for more, status in (("Authorization: Bearer sk-wrong\r\n", 401), ("Authorization: Bearer sk-right\r\nContent-Encoding: br\r\n", 415)):
        with server.raw() as c:
            c.send(head + "Expect: 100-continue\r\n" + more + "\r\n")
            assert c.reply(interim=True).status == status
            assert c.ends(5)
    with server.raw() as c:
        c.request("POST", "/v1/chat/completions", BODY, JSON + key + [("Expect", "foo")])
        check_error(c.reply(), 417)


# ---- Times


# case: R6
def test_019_slow_heads_and_bodies_are_ended(start_server):
    server = start_server("--header-timeout", "1", "--body-timeout", "1", "--idle-timeout", "3")
    n = 2000 if LONG else 60
    slow = [server.raw() for _ in range(n)]
    start = time.monotonic()
    for c in slow:
        c.send("GET /health HT")
    while time.monotonic() - start < 4:
        for c in slow:
            c.try_send("T")  # each byte would keep an idle timer alive
        assert server.request("GET", "/health")[0] == 200
        time.sleep(0.2)
        if time.monotonic() - start > 2.5:
            break
    for c in slow:
        assert c.ends(3)
        c.close()
    with server.raw() as c:
        c.send(f"POST /v1/chat/completions HTTP/1.1\r\n{HOST}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{")
        start = time.monotonic()
        check_error(c.reply(), 408, "request_timeout")
        assert c.ends(3) and time.monotonic() - start < 4
    with server.raw() as c:  # silence is closed silently
        assert c.ends(6) and c.buffer == b""


# case: R7
def test_idle_connections_are_cheap_and_end(start_server):
    server = start_server("--idle-timeout", "3")
    n = 3000 if LONG else 300
    server.request("GET", "/health")
    before, descriptors = server.rss(), server.descriptors()
    idle = [server.raw() for _ in range(n)]
    for c in idle:
        c.request("GET", "/health")
    for c in idle:
        assert c.reply().status == 200
    assert server.rss() - before < n * (16384 + 8192 + 8192) + (4 << 20)
    assert server.request("GET", "/health", timeout=5)[0] == 200
    for c in idle:
        assert c.ends(15)
        c.close()
    server.wait_for(lambda: server.descriptors() <= descriptors + 1, 10, "closed descriptors")


def limit_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


# case: R8
def test_running_out_of_descriptors_hurts_newcomers_only(start_server):
    server = start_server("--mock-script", "step_us=10000", preexec=limit_descriptors)
    live = server.raw()
    live.request("POST", "/v1/chat/completions", ENDLESS, JSON)
    assert live.head()[0] == 200
    live.chunk()
    crowd = [server.raw(timeout=5) for _ in range(100)]
    time.sleep(0.3)
    before = server.cpu_seconds()
    time.sleep(1)
    assert server.cpu_seconds() - before < 0.5
    live.chunk()
    for c in crowd:
        c.close()
    live.close()
    server.wait_for(lambda: server.request("GET", "/health", timeout=5)[0] == 200, 5, "service")


# case: R11
def test_connections_reset_at_once_leave_nothing(server):
    server.request("GET", "/health")
    before = server.descriptors(), server.threads()
    for _ in range(50000 if LONG else 1000):
        server.raw().reset()
    server.wait_for(lambda: (server.descriptors(), server.threads()) <= (before[0] + 1, before[1]), 10, "closed descriptors")


def test_029_a_departure_frees_its_slot(server):
    with server.raw() as c:
        c.request("POST", "/v1/chat/completions", ENDLESS, JSON)
        assert c.head()[0] == 200
        c.chunk(), c.chunk()
    server.wait_for(lambda: server.metric("seekd_requests_running") == 0, 2, "a free slot")


def test_a_later_reply_holds_nothing_of_one_that_was_cut(start_server):
    """case: R62, as far as one connection can be used again at all: a refusal after a whole reply."""
    server = start_server()
    with server.raw() as c:
        for _ in range(20):
            c.request("POST", "/v1/tokenize", b'{"content":"secret"')
            assert c.reply().status == 400
            c.request("GET", "/health")
            assert c.reply().json == {"status": "ok"}


def test_030_health_answers_while_everything_is_busy(start_server):
    server = start_server("--max-running", "1", "--max-queue", "1", "--mock-script", "step_us=20000")
    running = [server.raw() for _ in range(2)]
    for c, gauge in zip(running, ("seekd_requests_running", "seekd_requests_waiting")):
        c.request("POST", "/v1/chat/completions", ENDLESS, JSON)
        server.wait_for(lambda: server.metric(gauge) == 1, 10, gauge)
    status, headers, body = server.request("POST", "/v1/chat/completions", CHAT)
    assert status == 503 and json.loads(body)["error"]["code"] == "server_overloaded"
    assert int(headers["Retry-After"]) >= 1 and int(headers["retry-after-ms"]) > 0
    start = time.monotonic()
    assert server.request("GET", "/health")[0] == 200 and server.request("GET", "/ready")[0] == 200
    assert time.monotonic() - start < 1
    for c in running:
        c.close()


# ---- Methods and paths


def test_020_head_is_get_without_the_body(server):
    for path in ["/v1/models", "/v1/models/tiny", "/version", "/health", "/v1/models/none", "/"]:
        with server.raw() as c:
            c.request("GET", path)
            get = c.reply()
            c.request("HEAD", path)
            head = c.reply("HEAD")
            assert (head.status, head.get("Content-Length"), head.get("Content-Type")) == \
                   (get.status, get.get("Content-Length"), get.get("Content-Type"))
            c.request("GET", "/health")  # no body byte was left behind
            assert c.reply().json == {"status": "ok"}


def test_021_wrong_methods_are_told_the_right_ones(server):
    with server.raw() as c:
        for method, path, allow in (("GET", "/v1/chat/completions", "POST"), ("DELETE", "/v1/models", "GET"), ("PUT", "/health", "GET"),
                                    ("POST", "/health", "GET"), ("BREW", "/v1/completions", "POST")):
            c.request(method, path)
            reply = c.reply()
            check_error(reply, 405, "method_not_allowed")
            assert allow in reply.get("Allow").split(", ")
        c.request("BREW", "/nope")
        check_error(c.reply(), 501)
        c.request("OPTIONS", "*")
        assert c.reply().status == 200
        c.request("OPTIONS", "/v1/chat/completions")
        reply = c.reply()
        assert reply.status == 200 and reply.body == b"" and "POST" in reply.get("Allow")


# case: R9
def test_022_023_paths_are_compared_whole(server):
    with server.raw() as c:
        for path in ("/v1/../v1/models", "/v1%2fmodels", "//v1/models", "/v1//models", "/v1/./models", "/v1/%2e%2e/v1/models",
                     "/health%00", "/health%00/x", "/health;a=b", "/v1/models;a=b", "/HEALTH", "//", "/%2fhealth", "/health//",
                     "/v1/chat%2Fcompletions", "/health%", "/health%zz", "/%68ealth%0d%0a", "/v1/nope", "/v1/response", "/messages",
                     "/api/chats", "/.", "/..", "/admin", "/v2/models"):
            c.request("GET", path)
            check_error(c.reply(), 404, "unknown_url")
        c.request("POST", "/v1/nope", b"{}", JSON)
        check_error(c.reply(), 404, "unknown_url")
    with server.raw() as c:
        for path in ("/health", "/health/", "/health?x=%00&y", "/%68ealth", "http://other.example/health", "HTTP://other/health?q"):
            c.request("GET", path)
            assert c.reply().json == {"status": "ok"}, path
        c.request("GET", "http://other.example")
        assert c.reply().status == 200  # the banner


def test_136_all_prefixes_give_the_same_answer(server):
    fixed = json.dumps({**CHAT, "temperature": 0, "seed": 1}).encode()
    seen = set()
    for prefix in ("", "/v1", "/beta", "/beta/v1"):
        status, _, body = server.request("POST", prefix + "/chat/completions", fixed, dict(JSON))
        assert status == 200
        seen.add(json.dumps(json.loads(body)["choices"]))
    assert len(seen) == 1


# ---- Media types


def test_024_026_027_media_types(server):
    for types, status in (([], 415), ([("Content-Type", "text/plain")], 415), ([("Content-Type", "application/jsonp")], 415),
                          ([("Content-Type", "application/json; charset=latin-1")], 415),
                          ([("Content-Type", "application/json; charset=UTF-8")], 200), ([("Content-Type", "APPLICATION/JSON")], 200),
                          ([("Content-Type", 'application/json;charset="utf-8"')], 200), ([("Content-Type", "application/vnd.x+json")], 200),
                          (JSON + [("Accept", "text/html")], 200), (JSON + [("Accept-Encoding", "gzip, br")], 200),
                          (JSON + [("Content-Encoding", "identity")], 200)):
        with server.raw() as c:
            c.request("POST", "/v1/chat/completions", BODY, types)
            reply = c.reply()
            if status == 200:
                assert reply.status == 200 and reply.get("Content-Type") == "application/json" and reply.get("Content-Encoding") is None
            else:
                check_error(reply, status, "unsupported_media_type")
    with server.raw() as c:  # native routes read JSON whatever the type says
        c.request("POST", "/tokenize", b'{"content":"a"}', [("Content-Type", "text/plain")])
        assert c.reply().status == 200


def test_028_what_is_not_one_json_object_is_refused(server):
    bad, wrong = ["invalid_json"], ["invalid_type"]
    for body, codes in ((b'{"a":1} x', bad), (b"", bad), (b"[" * 200 + b"]" * 200, bad), (b'{"model":"\xff"}', bad), (b"[]", wrong),
                        (b'"s"', bad + wrong), (b"null", bad + wrong)):
        with server.raw() as c:
            c.request("POST", "/v1/chat/completions", body, JSON + ([] if body else [("Content-Length", "0")]))
            reply = c.reply()
            assert reply.code in codes
            check_error(reply, 400, reply.code)
            c.request("GET", "/health")
            assert c.reply().status == 200


# ---- Keys


@pytest.fixture(scope="module")
def locked(mock_model):
    s = Server("--device", "mock", "--context", "512", "--api-key", "sk-right", "--api-key", "sk-second", "--public-ops", "off",
               model=mock_model).wait_ready()
    yield s
    s.stop()


def test_031_032_035_wrong_credentials_get_401(locked):
    for fields in ([], [("Authorization", "Basic c2stcmlnaHQ=")], [("Authorization", "Bearer ")], [("Authorization", "Bearer")],
                   [("Authorization", "Bearer sk-wrong")], [("Authorization", "Bearer sk-righ")], [("Authorization", "Bearer sk-right2")],
                   [("Authorization", "sk-right")], [("x-api-key", "sk-wrong")], [("api-key", "")],
                   [("Authorization", "Basic x"), ("x-api-key", "sk-right")]):
        with locked.raw() as c:
            c.request("POST", "/v1/chat/completions", b"{malformed", JSON + fields)
            reply = c.reply()
            check_error(reply, 401, "invalid_api_key")
            assert reply.get("WWW-Authenticate") == "Bearer" and reply.json["error"]["type"] == "authentication_error"
            assert b"sk-" not in reply.body
    assert "sk-right" not in locked.log() and "sk-wrong" not in locked.log()


def test_033_right_credentials_are_taken(locked):
    for fields in ([("Authorization", "Bearer sk-right")], [("Authorization", "bearer sk-second")], [("AUTHORIZATION", "BEARER sk-right")],
                   [("x-api-key", "sk-right")], [("api-key", "sk-second")]):
        with locked.raw() as c:
            c.request("POST", "/v1/chat/completions", BODY, JSON + fields)
            assert c.reply().status == 200


# case: R13
def test_034_every_route_asks_for_what_its_row_says(locked):
    keys = {"none": [], "wrong": [("Authorization", "Bearer sk-no")], "right": [("Authorization", "Bearer sk-right")]}
    rows = [(p, "GET", "public") for p in PUBLIC + ["/"]] + [(p, "GET", "key") for p in MODELS + OPS] + [(p, "POST", "key") for p in USE]
    for path, method, scope in rows:
        for name, key in keys.items():
            for asked in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "BREW", "OPTIONS"):
                with locked.raw() as c:
                    c.request(asked, path, b"" if asked != "POST" or method != "POST" else b"{", JSON + key)
                    status = c.reply(asked).status
                if asked == "OPTIONS":
                    want = {200}
                elif asked != method and not (asked == "HEAD" and method == "GET"):
                    want = {405}
                elif scope == "key" and name != "right":
                    want = {401}
                else:
                    want = {400} if method == "POST" else {200}
                assert status in want, (asked, path, name, status)


def test_a_key_row_may_be_limited_and_revoked(start_server, tmp_path):
    """case: R19"""
    keys = tmp_path / "keys.json"
    digest = {k: hash_of(k) for k in ("one", "two")}
    keys.write_text(json.dumps([{"id": "one", "hash": digest["one"], "limits": {"concurrency": 1}}, {"id": "two", "hash": digest["two"]}]))
    server = start_server("--api-key-file", str(keys), "--mock-script", "step_us=10000")
    one, two = ({"Authorization": f"Bearer {k}"} for k in ("one", "two"))
    running = server.raw()
    running.request("POST", "/v1/chat/completions", ENDLESS, JSON + list(one.items()))
    assert running.head()[0] == 200
    status, headers, body = server.request("POST", "/v1/chat/completions", CHAT, one)
    assert status == 429 and json.loads(body)["error"]["code"] == "rate_limit_exceeded"
    assert int(headers["Retry-After"]) >= 1 and int(headers["retry-after-ms"]) >= 1
    assert server.request("POST", "/v1/chat/completions", CHAT, two)[0] == 200
    running.close()
    server.wait_for(lambda: server.request("POST", "/v1/chat/completions", CHAT, one)[0] == 200, 5, "a free place")
    keys.write_text(json.dumps([{"id": "two", "hash": digest["two"]}]))
    server.signal(1)  # SIGHUP
    server.wait_for(lambda: server.request("POST", "/v1/chat/completions", CHAT, one)[0] == 401, 5, "the revocation")
    assert server.request("POST", "/v1/chat/completions", CHAT, two)[0] == 200


def hash_of(key):
    import hashlib
    return hashlib.blake2b(key.encode(), digest_size=32).hexdigest()


# case: R14
def test_an_open_server_stays_on_this_machine(mock_model):
    command = [binary(), "serve", "--device", "mock", "--model", mock_model, "--port", "0", "--host", "0.0.0.0"]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("SEEKD_")}
    done = subprocess.run(command, env=clean, capture_output=True, text=True, timeout=20)
    assert done.returncode == 78
    assert "api-key" in done.stderr and "allow-open-bind" in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_036_request_ids_are_ours_and_unique(server):
    """case: R10"""
    seen = set()
    theirs = [("X-Request-Id", "mine"), ("X-Client-Request-Id", "client-7")]

    def ask(path):
        with server.raw() as c:
            c.request("GET", path, fields=theirs)
            reply = c.reply()
            assert "mine" not in str(reply.fields)
            return reply.get("x-request-id")

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for value in pool.map(ask, ["/health", "/v1/models", "/nope", "/v1/chat/completions"] * 25):
            assert ID.fullmatch(value)
            seen.add(value)
    assert len(seen) == 100
    refused(server, f"GET /health HTTP/1.1\r\n{HOST}X-Request-Id: {'x' * (1 << 20)}\r\n\r\n", 431)


def test_037_fields_of_client_libraries_change_nothing(server):
    fields = JSON + [(n, "x") for n in ("x-stainless-lang", "x-stainless-retry-count", "openai-organization", "openai-project", "OpenAI-Beta",
                                        "anthropic-version", "Idempotency-Key", "traceparent", "User-Agent")]
    with server.raw() as c:
        c.request("POST", "/v1/chat/completions", BODY, fields + [("Authorization", "Bearer whatever")])
        assert c.reply().status == 200


# ---- Hosts, origins, CORS


# case: R15
def test_a_foreign_host_reaches_probes_only(server):
    for path in MODELS + OPS + USE + ["/"]:
        with server.raw() as c:
            method = "POST" if path in USE else "GET"
            c.send(f"{method} {path} HTTP/1.1\r\nHost: evil.example\r\nContent-Type: application/json\r\n"
                   + ("Content-Length: 100\r\n" if path in USE else "") + "\r\n")
            check_error(c.reply(), 403, "host_forbidden")
    with server.raw() as c:
        for path in PUBLIC:
            c.request("GET", path, host="evil.example")
            assert c.reply().status == 200
        for host in ("localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:8000", "[::1]", "[::1]:9"):
            c.request("GET", "/v1/models", host=host)
            assert c.reply().status == 200


# case: R16
def test_a_foreign_page_cannot_drive_a_server_without_keys(server):
    before = server.metric("seekd_prompt_tokens_total")
    for path in USE:
        for origin in ("https://evil.example", "null", "http://localhost.evil.example"):
            with server.raw() as c:
                c.request("POST", path, BODY, [("Content-Type", "text/plain"), ("Origin", origin)])
                reply = c.reply()
                assert reply.status in (403, 415)
                check_error(reply, reply.status, "origin_forbidden" if reply.status == 403 else "unsupported_media_type")
    assert server.metric("seekd_prompt_tokens_total") == before
    with server.raw() as c:  # its own page may
        c.request("POST", "/v1/chat/completions", BODY, JSON + [("Origin", f"http://localhost:{server.port}")],
                  host=f"localhost:{server.port}")
        assert c.reply().status == 200


# case: R17
def test_without_cors_no_answer_speaks_of_it(server):
    origin = [("Origin", f"http://localhost:{server.port}")]
    asks = [("GET", "/health", b"", []), ("POST", "/v1/chat/completions", b"{", JSON), ("GET", "/nope", b"", []),
            ("GET", "/v1/completions", b"", []), ("POST", "/v1/chat/completions", STREAM, JSON),
            ("OPTIONS", "/v1/chat/completions", b"", [("Access-Control-Request-Method", "POST")])]
    with server.raw() as c:
        for method, path, body, fields in asks:
            c.request(method, path, body, fields + origin, host=f"localhost:{server.port}")
            reply = c.reply(method)
            assert not [n for n, _ in reply.fields if n.lower().startswith("access-control")], (method, path)


def test_038_039_040_cors_for_listed_origins(start_server):
    server = start_server("--cors-origins", "https://app.example", "--api-key", "k")
    page, key = [("Origin", "https://app.example")], [("Authorization", "Bearer k")]
    ask = [("Access-Control-Request-Method", "POST")]
    with server.raw() as c:
        c.request("OPTIONS", "/v1/chat/completions", fields=page + ask + [("Access-Control-Request-Headers", "authorization, x-custom")])
        reply = c.reply()
        assert reply.status == 200 and reply.body == b""
        assert reply.get("Access-Control-Allow-Origin") == "https://app.example" and reply.get("Vary") == "Origin"
        assert reply.get("Access-Control-Allow-Methods") == "GET, POST" and reply.get("Access-Control-Max-Age") == "600"
        assert reply.get("Access-Control-Allow-Headers") == "authorization, x-custom"
        assert reply.get("Access-Control-Allow-Credentials") == "true"
        c.request("OPTIONS", "/v1/models", fields=page + ask)
        assert {"Authorization", "Content-Type", "x-api-key"} <= set(c.reply().get("Access-Control-Allow-Headers").split(", "))
        c.request("OPTIONS", "/v1/models", fields=[("Origin", "https://evil.example")] + ask)
        reply = c.reply()
        assert reply.status == 200 and reply.get("Access-Control-Allow-Origin") is None
        for body, status in ((BODY, 200), (STREAM, 200), (b"{", 400)):
            c.request("POST", "/v1/chat/completions", body, JSON + page + key)
            reply = c.reply()
            assert reply.status == status and reply.get("Access-Control-Allow-Origin") == "https://app.example"
            assert "x-request-id" in reply.get("Access-Control-Expose-Headers")
        c.request("POST", "/v1/chat/completions", BODY, JSON + page)
        reply = c.reply()
        assert reply.status == 401 and reply.get("Access-Control-Allow-Origin") == "https://app.example"


def test_cors_for_everyone_gives_no_credentials(start_server):
    server = start_server("--cors-origins", "*", "--api-key", "k")
    with server.raw() as c:
        c.request("OPTIONS", "/v1/models", fields=[("Origin", "https://any.example"), ("Access-Control-Request-Method", "GET")])
        reply = c.reply()
        assert reply.get("Access-Control-Allow-Origin") == "https://any.example"
        assert reply.get("Access-Control-Allow-Credentials") is None


# ---- Streams


def test_streams_have_their_headers(server):
    with server.raw() as c:
        c.request("POST", "/v1/chat/completions", STREAM, JSON)
        reply = c.reply()
        assert reply.get("Content-Type") == "text/event-stream; charset=utf-8" and reply.chunked
        assert reply.get("Cache-Control") == "no-cache" and reply.get("X-Accel-Buffering") == "no"
        check_common(reply)
        assert reply.body.endswith(b"data: [DONE]\n\n")
        c.request("GET", "/health")  # and the connection lives on
        assert c.reply().status == 200


# case: R57
def test_a_client_that_only_shut_its_sending_side_gets_its_stream(start_server):
    server = start_server("--mock-script", "step_us=5000")
    staying, leaving = server.raw(), server.raw()
    body = json.dumps({**CHAT, "stream": True, "max_tokens": 100, "ignore_eos": True}).encode()
    for c in (staying, leaving):
        c.request("POST", "/v1/chat/completions", body, JSON)
        assert c.head()[0] == 200
        c.chunk()
    staying.socket.shutdown(1)
    leaving.reset()
    data = b"".join(iter(staying.chunk, b""))
    assert b": keep-alive\n\n" in data and data.endswith(b"data: [DONE]\n\n")
    server.wait_for(lambda: server.metric("seekd_requests_aborted_total") == 1, 5, "the one departure")


# case: R59
def test_a_slow_reader_is_cancelled_and_others_are_not(start_server):
    server = start_server("--stream-buffer-bytes", "4096", "--context", "16384", "--mock-script", "context=16384;mode=echo")
    slow = server.raw(receive_buffer=2048)
    asked = {**CHAT, "stream": True, "max_tokens": 16000, "ignore_eos": True, "logprobs": True, "top_logprobs": 20}
    slow.request("POST", "/v1/chat/completions", json.dumps(asked).encode(), JSON)
    server.wait_for(lambda: server.metric("seekd_slow_readers_total") == 1, 60, "the slow reader's end")
    assert server.post("/v1/chat/completions", CHAT)[0] == 200
    server.wait_idle(5)
    assert "slow reader dropped" in server.log()
    slow.close()


# ---- TLS


def test_the_gate_stands_behind_tls_too(start_server, tmp_path):
    if not shutil.which("openssl"):
        pytest.skip("openssl is not here to make a certificate")
    cert, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
                    "-days", "2", "-keyout", key, "-out", cert], check=True, capture_output=True, timeout=60)
    server = start_server("--tls-cert", cert, "--tls-key", key, ready=False)
    context = ssl.create_default_context(cafile=cert)

    def connect():
        return Raw(server.port, wrap=lambda s: context.wrap_socket(s, server_hostname="localhost"))

    deadline = time.monotonic() + 60
    while True:
        with connect() as c:
            c.request("GET", "/ready")
            if c.reply().status == 200:
                break
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with connect() as c:
        c.request("POST", "/v1/chat/completions", STREAM, JSON)
        assert c.reply().body.endswith(b"data: [DONE]\n\n")
        c.send(chunked([(BODY, b"")]))
        assert c.reply().status == 200
    for head in ("Content-Length: 5\r\nTransfer-Encoding: chunked", "X: a\0b", "Content-Lengt\r\n h: 3"):
        with connect() as c:
            c.send(f"POST /v1/chat/completions HTTP/1.1\r\n{HOST}{head}\r\n\r\nhello")
            check_error(c.reply(), 400)
            assert c.ends(5)
    with connect() as c:  # a good request before the refused one
        c.send(f"GET /version HTTP/1.1\r\n{HOST}\r\nGET /health HTTP/1.1\r\n\r\n")
        assert c.reply().json["version"]
        check_error(c.reply(), 400)
        assert c.ends(5)
    with server.raw() as c:  # no plain text on a TLS port
        c.request("GET", "/health")
        assert c.ends(10) and b"HTTP/1" not in c.buffer
