"""Streams: their form, their order, and that their pieces are the whole reply's text."""

import itertools
import random

import pytest

from harness import events
from harness.fleet import ANSWER, HELLO, THOUGHT

CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
USER = [{"role": "user", "content": "hi"}]


def chat(**fields):
    return {"model": "tiny", "messages": USER, "max_tokens": 40, **fields}


def stream(server, body, path=CHAT):
    status, headers, data = server.request("POST", path, {**body, "stream": True})
    assert status == 200 and headers["Content-Type"] == "text/event-stream; charset=utf-8", data
    return events.read(data)


def whole(server, body, path=CHAT):
    status, reply = server.post(path, body)
    assert status == 200, reply
    return reply


# ---- Form and order -------------------------------------------------------------------------------------------

def test_081_082_083_084_087_chunks_share_what_they_must_and_come_in_order(fleet):
    chunks = stream(fleet["hello"], chat())
    for key in ("id", "created", "model", "system_fingerprint"):
        assert len({c[key] for c in chunks}) == 1
    assert {c["object"] for c in chunks} == {"chat.completion.chunk"}
    assert all("usage" not in c for c in chunks)
    deltas = [c["choices"][0]["delta"] for c in chunks]
    assert deltas[0] == {"role": "assistant", "content": ""} and deltas[-1] == {}
    assert all(list(d) == ["content"] and d["content"] for d in deltas[1:-1])
    assert [c["choices"][0]["finish_reason"] for c in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert "".join(d.get("content", "") for d in deltas) == HELLO


def test_089_characters_split_over_tokens_stay_whole(fleet):
    deltas = [c["choices"][0]["delta"].get("content", "") for c in stream(fleet["hello"], chat())]
    assert "\U0001F30D" in deltas and "\u00f6" in deltas and not any("\ufffd" in d for d in deltas)


def test_090_no_part_of_a_stop_string_is_sent(fleet):
    for stop, left in (("w\u00f6r", HELLO[:9]), (", \U0001F30D", "Hello"), ([HELLO], ""), (["lo, x", "rld!?", "o,"], "Hell")):
        chunks = stream(fleet["hello"], chat(stop=stop))
        joined = events.join(chunks)[0]
        assert joined["message"]["content"] == left
        assert joined["stop_reason"] == (stop if isinstance(stop, str) else joined["stop_reason"])


def test_086_usage_comes_last_where_asked(fleet):
    chunks = stream(fleet["hello"], chat(stream_options={"include_usage": True}))
    assert chunks[-1]["choices"] == [] and chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert all(c["usage"] is None for c in chunks[:-1])
    expected, got = whole(fleet["hello"], chat(cache_prompt=False))["usage"], chunks[-1]["usage"]
    for key in ("prompt_tokens", "completion_tokens", "total_tokens"):
        assert got[key] == expected[key]


def test_095_running_usage_never_falls(fleet):
    chunks = stream(fleet["plain"], chat(n=3, stream_options={"include_usage": True, "continuous_usage_stats": True}))
    counts = [c["usage"]["completion_tokens"] for c in chunks]
    assert counts == sorted(counts) and counts[-1] > counts[1]


def test_088_several_choices_interleave_one_a_chunk(fleet):
    body = chat(n=4, seed=3)
    joined, reply = events.join(stream(fleet["plain"], body)), whole(fleet["plain"], body)
    assert sorted(joined) == [0, 1, 2, 3]
    for c in reply["choices"]:
        assert joined[c["index"]]["message"]["content"] == c["message"]["content"]


def test_093_a_waiting_stream_is_kept_alive(start_server):
    s = start_server("--keepalive-interval", "1", "--max-running", "1", "--mock-script", "vocabulary=512;step_us=30000")
    with s.raw() as blocker, s.raw() as waiting:
        blocker.request("POST", CHAT, b'{"model":"tiny","messages":[{"role":"user","content":"a"}],"max_tokens":80,"ignore_eos":true}',
                        [("Content-Type", "application/json")])
        s.wait_for(lambda: s.metric("seekd_requests_running") == 1, what="the first request")
        waiting.request("POST", CHAT, b'{"model":"tiny","messages":[{"role":"user","content":"b"}],"max_tokens":2,"stream":true}',
                        [("Content-Type", "application/json")])
        status, _, fields = waiting.head()
        data = b"".join(iter(waiting.chunk, b""))
        assert status == 200 and data.count(b": keep-alive\n\n") >= 1
        assert data.index(b": keep-alive") < data.index(b'"finish_reason":"')
        chunks = events.read(data)
        assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
        assert blocker.reply().status == 200


def test_094_a_fault_in_the_middle_is_the_last_event(start_server):
    s = start_server("--mock-script", "vocabulary=512;exit_after=6")
    with s.raw() as c:
        c.request("POST", CHAT, b'{"model":"tiny","messages":[{"role":"user","content":"a"}],"stream":true,"ignore_eos":true}',
                  [("Content-Type", "application/json")])
        assert c.head()[0] == 200
        chunks = events.read(b"".join(iter(c.chunk, b"")))
    assert sorted(chunks[-1]) == ["error"] and chunks[-1]["error"]["type"] == "server_error"
    assert all(c["choices"][0]["finish_reason"] is None for c in chunks[:-1])


# ---- Thought --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["thinker", "thinker-writes-the-mark"])
def test_129_the_thought_comes_before_the_answer(fleet, name):
    chunks = stream(fleet[name], chat(max_tokens=60))
    deltas = [c["choices"][0]["delta"] for c in chunks]
    assert deltas[0] == {"role": "assistant", "content": None, "reasoning_content": ""}
    kinds = [k for k, _ in itertools.groupby(list(d)[0] for d in deltas[1:-1])]
    assert kinds == ["reasoning_content", "content"]
    message = events.join(chunks)[0]["message"]
    assert message["reasoning_content"] == THOUGHT and message["content"] == ANSWER


def test_the_thought_comes_in_one_piece_where_asked(fleet):
    chunks = stream(fleet["thinker"], chat(max_tokens=60, stream_reasoning=False, logprobs=True))
    assert [d["delta"]["reasoning_content"] for c in chunks for d in c["choices"] if d["delta"].get("reasoning_content")] == [THOUGHT]
    assert events.join(chunks)[0]["logprobs"] == whole(fleet["thinker"], chat(max_tokens=60, logprobs=True))["choices"][0]["logprobs"]
    cut = stream(fleet["thinker"], chat(max_tokens=4, stream_reasoning=False))
    assert events.join(cut)[0]["message"] == {"role": "assistant", "content": None, "reasoning_content": THOUGHT[:4]}


def test_the_thought_is_left_out_where_asked(fleet):
    chunks = stream(fleet["thinker"], chat(max_tokens=60, include_reasoning=False))
    assert events.join(chunks)[0]["message"] == {"role": "assistant", "content": ANSWER}
    chunks = stream(fleet["thinker-other-settings"], chat(max_tokens=60))
    assert events.join(chunks)[0]["message"]["reasoning"] == THOUGHT


# ---- Pieces and whole -----------------------------------------------------------------------------------------

OPTIONS = [
    {}, {"n": 2}, {"stop": ["\u00f6", "e"]}, {"stop": "zz", "include_stop_str_in_output": True}, {"max_tokens": 7}, {"min_tokens": 3},
    {"return_token_ids": True}, {"temperature": 0}, {"ignore_eos": True}, {"skip_special_tokens": False}, {"top_k": 5, "min_p": 0.01},
    {"presence_penalty": 1, "repetition_penalty": 1.2}, {"stop_token_ids": [101, 104]}, {"logit_bias": {"240": 6, "159": 5}},
]


def check_same(server, body, path):
    joined, reply = events.join(stream(server, body, path)), whole(server, body, path)
    assert sorted(joined) == list(range(len(reply["choices"])))
    for c in reply["choices"]:
        made = joined[c["index"]]
        for key in ("text", "finish_reason", "stop_reason", "logprobs", "token_ids"):
            if key in c:
                assert made.get(key) == c[key], (key, body)
        for key in ("content", "reasoning_content"):
            if key in c.get("message", {}):
                assert (made["message"][key] or "") == c["message"][key], (key, body)


@pytest.mark.parametrize("name", ["plain", "hello", "thinker", "thinker-writes-the-mark"])
def test_085_091_joined_chunks_are_the_whole_reply(fleet, name):
    rng = random.Random(name)
    for i in range(25):
        body = chat(seed=i)
        for change in rng.sample(OPTIONS, 3):
            body |= change
        if rng.random() < 0.5:
            body |= {"logprobs": True, "top_logprobs": rng.choice([0, 3, 20])}
        check_same(fleet[name], body, CHAT)


def test_149_joined_pieces_of_completions_are_the_whole_text(fleet):
    rng = random.Random(5)
    for i in range(40):
        body = {"model": "tiny", "prompt": rng.choice(["the \u00f6", ["a", "b c"], [1, 2, 240], [[3], [159, 140]]]), "seed": i}
        for change in rng.sample(OPTIONS, 3) + rng.choice([[], [{"echo": True}]]):
            body |= change
        if rng.random() < 0.5:
            body["logprobs"] = rng.choice([0, 2, 20])
        check_same(fleet[rng.choice(["plain", "hello"])], body, COMPLETIONS)


def test_the_prompt_is_the_first_piece_of_an_echoing_stream(fleet):
    chunks = stream(fleet["hello"], {"model": "tiny", "prompt": "Say: ", "echo": True, "max_tokens": 40}, COMPLETIONS)
    texts = [c["choices"][0]["text"] for c in chunks]
    assert texts[0].startswith("Say: ") and texts[-1] == "" and "".join(texts) == "Say: " + HELLO
    assert {c["object"] for c in chunks} == {"text_completion"}


def test_ids_and_timings_come_with_the_chunks(fleet):
    chunks = stream(fleet["hello"], chat(return_token_ids=True, timings_per_token=True))
    reply = whole(fleet["hello"], chat(return_token_ids=True))
    assert chunks[0]["prompt_token_ids"] == reply["prompt_token_ids"] and all("prompt_token_ids" not in c for c in chunks[1:])
    assert events.join(chunks)[0]["token_ids"] == reply["choices"][0]["token_ids"]
    rising = [c["timings"]["predicted_n"] for c in chunks]
    assert rising == sorted(rising) and rising[-1] > rising[0]
    last = chunks[-1]["timings"]
    assert last["prompt_n"] + last["cache_n"] == reply["usage"]["prompt_tokens"]


# ---- Many at once ---------------------------------------------------------------------------------------------

def test_180_five_hundred_streams_end_and_leave_nothing(start_server):
    """All are open before the first is read; some wait their turn, some are refused, none hangs."""
    s = start_server("--mock-script", "vocabulary=512", "--max-queue", "300")
    body = b'{"model":"tiny","messages":[{"role":"user","content":"a"}],"max_tokens":12,"stream":true}'

    def storm():
        connections, ended, refused = [s.raw() for _ in range(500)], 0, 0
        for c in connections:
            c.request("POST", CHAT, body, [("Content-Type", "application/json"), ("Connection", "close")])
        for c in connections:
            status, _, _ = c.head()
            if status == 200:
                events.read(b"".join(iter(c.chunk, b"")))
                ended += 1
            else:
                assert status in (429, 503)
                refused += 1
            c.close()
        s.wait_idle(10)
        return ended, refused

    assert sum(storm()) == 500
    descriptors, memory = s.descriptors(), s.rss()
    ended, refused = storm()
    assert ended + refused == 500 and ended >= 300
    s.wait_for(lambda: s.descriptors() <= descriptors, 10, "the descriptors' return")
    assert s.rss() < memory + (32 << 20)
