"""The report: why the cache missed, what the guard allowed, what it cost."""

import pytest

CHAT = "/v1/chat/completions"
LONG = "word and the other, " * 16  # some pages of tokens


def report(server, *texts, **fields):
    roles = ["user", "assistant"]
    messages = [{"role": roles[i % 2], "content": t} for i, t in enumerate(texts)]
    status, reply = server.post(CHAT, {"model": "tiny", "messages": messages, "max_tokens": 2, "report": True, **fields})
    assert status == 200, reply
    return reply["report"]


def test_where_a_prompt_goes_its_own_way(fleet):
    s = fleet["thinker"]
    first = report(s, "A" + LONG, user_id="where")
    assert first["miss"] == {"reason": "diverged", "message": 0, "character": 0} and first["cached_tokens"] == 0
    again = report(s, "A" + LONG, user_id="where")
    assert again["miss"] == {"reason": "none", "message": None, "character": None} and again["cached_tokens"] > 0
    other = report(s, "A" + LONG[:200] + "\u00e9\u00e9 other" + LONG, user_id="where")
    assert other["miss"] == {"reason": "diverged", "message": 0, "character": 201} and 0 < other["cached_tokens"] < again["cached_tokens"]
    turn = report(s, "A" + LONG, "yes", "B" + LONG, user_id="where")
    assert turn["miss"]["reason"] == "diverged" and turn["miss"]["message"] in (1, 2)
    later = report(s, "A" + LONG, "yes", "B" + LONG[:160] + "!" + LONG, user_id="where")
    assert later["miss"] == {"reason": "diverged", "message": 2, "character": 161}


def test_partitions_are_told_within_a_key(start_server):
    s = start_server("--mock-script", "vocabulary=512", "--api-key", "one", "--api-key", "two", "--context", "512")
    def ask(key, **fields):
        body = {"model": "tiny", "messages": [{"role": "user", "content": LONG}], "max_tokens": 2, "report": True, **fields}
        status, reply = s.post(CHAT, body, {"Authorization": f"Bearer {key}"})
        assert status == 200, reply
        return reply["report"]["miss"]["reason"]
    assert ask("one", user_id="a") == "diverged"
    assert ask("one", user_id="b") == "partition" and ask("one", cache_salt="c") == "partition"
    assert ask("one", user_id="a") == "none"
    assert ask("two", user_id="a") == "diverged"


def test_pages_that_are_gone(start_server):
    s = start_server("--mock-script", "vocabulary=512;pages=12", "--context", "512")
    assert report(s, LONG)["miss"]["reason"] == "diverged"
    for i in range(6):
        report(s, f"{i} " + LONG)
    assert report(s, LONG)["miss"]["reason"] == "evicted"


def test_without_the_cache_nothing_is_missed(fleet):
    assert report(fleet["plain"], LONG, cache_prompt=False)["miss"]["reason"] == "none"


def test_the_guard_and_the_bill(start_server):
    s = start_server("--mock-script", "vocabulary=512", "--price-input", "2", "--price-cached-input", "0.5", "--price-output", "8")
    first = report(s, LONG, language_guard=["Latn"])
    assert first["guard"] == {"reasoning": ["Latn"], "answer": ["Latn"]}
    assert first["cost"] == pytest.approx((first["prompt_tokens"] * 2 + 2 * 8) / 1e6)
    second = report(s, LONG)
    assert second["guard"] == {"reasoning": None, "answer": None} and second["cached_tokens"] > 0
    assert second["cost"] == pytest.approx(((second["prompt_tokens"] - second["cached_tokens"]) * 2 + second["cached_tokens"] * 0.5 + 16) / 1e6)


def test_without_prices_there_is_no_bill(fleet):
    assert report(fleet["plain"], "hi")["cost"] is None


def test_a_price_that_is_none(start_server):
    with pytest.raises(RuntimeError, match="price_output: expected a number"):
        start_server("--price-output", "-1")
