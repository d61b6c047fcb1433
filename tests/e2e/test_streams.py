"""Sixteen streams at once give the bytes that each gives alone, greedy and seeded, with a cold cache and a warm one."""

import concurrent.futures
import json

import pytest

TOPICS = ["a lighthouse", "the rain", "a busy market", "bread", "a bicycle", "the ocean at night", "photosynthesis", "an old friend",
          "a chess game", "the moon", "a train", "honey bees", "a violin", "winter", "a map", "clocks"]
SHARED = "You are a careful writer. " + "Use short sentences and plain words. " * 9


def body(i, sampled, salt):
    return {"model": "m", "stream": True, "max_tokens": 16, "cache_salt": salt, "seed": 100 + i, "temperature": 0.9 if sampled else 0,
            "messages": [{"role": "system", "content": SHARED}, {"role": "user", "content": f"Write about {TOPICS[i]}."}],
            "logprobs": i % 4 == 0, "ignore_eos": i % 3 == 0}


def stream(server, request):
    """The deltas and log-probabilities of one stream, as sent, without what differs by design (id, time)."""
    status, headers, data = server.request("POST", "/v1/chat/completions", request, timeout=300)
    assert status == 200 and headers["Content-Type"] == "text/event-stream; charset=utf-8"
    events = [line[6:] for line in data.decode().split("\n") if line.startswith("data: ")]
    assert events.pop() == "[DONE]"
    return [json.loads(e)["choices"] for e in events]


@pytest.mark.parametrize("sampled", [False, True], ids=["greedy", "seeded"])
def test_sixteen_streams_equal_their_solo_runs(real, sampled):
    """Cold: nothing cached. Warm: every second one finds its whole prompt, the others share what the first of them computes."""
    kind = "seeded" if sampled else "greedy"
    solo = [stream(real, body(i, sampled, f"{kind}-{i}")) for i in range(16)]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        cold = list(pool.map(lambda i: stream(real, body(i, sampled, f"cold-{kind}-{i}")), range(16)))
        warm = list(pool.map(lambda i: stream(real, body(i, sampled, f"{kind}-{i if i % 2 else 'shared'}")), range(16)))
    assert cold == solo
    assert warm == solo
    assert len({json.dumps(s) for s in solo}) == 16


def test_a_warm_cache_is_used_and_changes_nothing(real):
    request = {**body(1, False, "cache"), "stream": False}
    first = real.post("/v1/chat/completions", request)[1]
    second = real.post("/v1/chat/completions", request)[1]
    refused = real.post("/v1/chat/completions", {**request, "cache_prompt": False})[1]
    foreign = real.post("/v1/chat/completions", {**request, "cache_salt": "other"})[1]
    texts = [r["choices"][0]["message"]["content"] for r in (first, second, refused, foreign)]
    cached = [r["usage"]["prompt_tokens_details"]["cached_tokens"] for r in (first, second, refused, foreign)]
    assert len(set(texts)) == 1
    assert cached[0] == 0 and 0 < cached[1] < second["usage"]["prompt_tokens"] and cached[2:] == [0, 0]
    assert second["usage"]["prompt_cache_hit_tokens"] == cached[1]


def test_numerics_and_threads_do_not_mix_up_streams(start_server, model_file):
    """The fast path too: the same greedy tokens alone and among others, on one thread and on two."""
    texts = []
    for threads in (1, 2):
        s = start_server("--model-name", "m", "--threads", str(threads), "--context", "1024", "--kv-memory", "128M", model=model_file)
        alone = stream(s, body(2, False, "alone"))
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            together = list(pool.map(lambda i: stream(s, body(i, False, f"together-{i}")), range(6)))
        assert together[2] == alone
        texts.append(alone)
    assert texts[0] == texts[1]
