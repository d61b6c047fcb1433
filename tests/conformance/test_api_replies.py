"""What holds between replies: the same request, the same answer; counts that add up; text that survives its way through ids."""

import concurrent.futures
import random

import pytest

from harness.fleet import ANSWER

CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
USER = [{"role": "user", "content": "hi"}]


def chat(server, **fields):
    status, reply = server.post(CHAT, {"model": "tiny", "messages": USER, "max_tokens": 12, **fields})
    assert status == 200, reply
    return reply


def completion(server, **fields):
    status, reply = server.post(COMPLETIONS, {"model": "tiny", "prompt": "hi", "max_tokens": 12, **fields})
    assert status == 200, reply
    return reply


def texts(reply):
    return [c["message"]["content"] for c in reply["choices"]]


# ---- The same again -------------------------------------------------------------------------------------------

def test_059_060_greedy_and_seeded_answers_repeat(fleet):
    s = fleet["plain"]
    assert texts(chat(s, temperature=0)) == texts(chat(s, temperature=0, seed=5))
    seeded = [texts(chat(s, temperature=1, seed=i))[0] for i in range(8)]
    assert seeded == [texts(chat(s, temperature=1, seed=i))[0] for i in range(8)]
    assert len(set(seeded)) == 8
    unseeded = [texts(chat(s, temperature=2))[0] for _ in range(4)]
    assert len(set(unseeded)) == 4


def test_top_p_zero_is_greedy(fleet):
    s = fleet["plain"]
    assert texts(chat(s, top_p=0, seed=1)) == texts(chat(s, temperature=0, seed=2)) == texts(chat(s, top_k=1, seed=3))


def test_061_company_changes_nothing(fleet):
    s = fleet["plain"]
    alone = [texts(chat(s, seed=i, n=1 + i % 3)) for i in range(8)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda i: texts(chat(s, seed=i, n=1 + i % 3)), range(8))) == alone


def test_062_063_choices_are_by_number(fleet):
    s = fleet["plain"]
    one, three = chat(s, seed=9), chat(s, seed=9, n=3)
    assert texts(three)[0] == texts(one)[0] and len(set(texts(three))) == 3
    assert three["usage"]["prompt_tokens"] == one["usage"]["prompt_tokens"]
    assert len(set(texts(chat(s, temperature=0, n=2)))) == 1
    pairs = [c["text"] for c in completion(s, prompt=["a", "b"], n=2, seed=4)["choices"]]
    assert pairs == [c["text"] for p in ("a", "b") for c in completion(s, prompt=p, n=2, seed=4)["choices"]]


def test_136_the_four_prefixes_are_one(fleet):
    s = fleet["plain"]
    body = {"model": "tiny", "messages": USER, "temperature": 0, "max_tokens": 8}
    assert len({s.post(p + "/chat/completions", body)[1]["choices"][0]["message"]["content"] for p in ("", "/v1", "/beta", "/beta/v1")}) == 1
    assert len({s.post(p + "/completions", {"model": "tiny", "prompt": "x", "temperature": 0})[1]["choices"][0]["text"]
                for p in ("", "/v1", "/beta", "/beta/v1")}) == 1
    assert {s.request("GET", p + "/models")[0] for p in ("", "/v1", "/beta", "/beta/v1")} == {200}


# ---- Counts ---------------------------------------------------------------------------------------------------

def test_078_usage_adds_up(fleet):
    for name in ("plain", "hello", "thinker"):
        for fields in ({}, {"n": 3}, {"stop": "o"}, {"ignore_eos": True}, {"max_tokens": 1}):
            u = chat(fleet[name], **fields)["usage"]
            assert u["prompt_tokens"] + u["completion_tokens"] == u["total_tokens"]
            assert u["prompt_cache_hit_tokens"] + u["prompt_cache_miss_tokens"] == u["prompt_tokens"]
            assert u["prompt_tokens_details"]["cached_tokens"] == u["prompt_cache_hit_tokens"] < u["prompt_tokens"]
            assert 0 <= u["completion_tokens_details"]["reasoning_tokens"] <= u["completion_tokens"]


def test_048_system_and_developer_are_one_role(fleet):
    counts = {chat(fleet["plain"], messages=[{"role": r, "content": "be kind"}, *USER])["usage"]["prompt_tokens"]
              for r in ("system", "developer")}
    assert len(counts) == 1


def test_text_parts_join_with_a_newline(fleet):
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    prompts = [fleet["plain"].post("/apply-template", {"messages": [{"role": "user", "content": c}]})[1]["prompt"] for c in (parts, "a\nb")]
    assert prompts[0] == prompts[1]


def test_132_thoughts_of_old_turns_cost_nothing(fleet):
    def count(**more):
        return chat(fleet["thinker"], messages=[*USER, {"role": "assistant", "content": "x", **more}, *USER])["usage"]["prompt_tokens"]
    assert count() == count(reasoning_content="a long thought") == count(reasoning="another")


def test_079_137_what_was_asked_before_is_cached_by_key_user_and_salt(fleet):
    s, long = fleet["plain"], [{"role": "user", "content": "the " * 150 + "end"}]

    def ask(**fields):
        r = chat(s, messages=long, temperature=0, **fields)
        return texts(r)[0], r["usage"]["prompt_tokens_details"]["cached_tokens"]
    first, again, off = ask(user_id="a"), ask(user_id="a"), ask(user_id="a", cache_prompt=False)
    assert first[1] == 0 < again[1] and off[1] == 0
    assert first[0] == again[0] == off[0]
    assert ask(user_id="b")[1] == ask(user_id="a", cache_salt="s")[1] == ask()[1] == 0
    assert ask()[1] > 0


def test_152_metrics_grow_by_usage(fleet):
    s = fleet["plain"]
    names = ("seekd_prompt_tokens_total", "seekd_generation_tokens_total")
    before = [s.metric(n) for n in names]
    usages = [chat(s, n=2)["usage"], completion(s, prompt=["a", "b"])["usage"], chat(s, stop="e")["usage"]]
    s.wait_idle()
    assert [s.metric(n) - b for n, b in zip(names, before)] == [sum(u["prompt_tokens"] for u in usages),
                                                               sum(u["completion_tokens"] for u in usages)]


# ---- Log-probabilities ----------------------------------------------------------------------------------------

def test_069_log_probabilities_of_chat(fleet):
    for name in ("plain", "hello", "thinker"):
        reply = chat(fleet[name], logprobs=True, top_logprobs=5, max_tokens=40, seed=2)
        scores = reply["choices"][0]["logprobs"]
        entries = scores.get("reasoning_content", []) + scores["content"]
        for e in entries:
            tops = [t["logprob"] for t in e["top_logprobs"]]
            assert len(tops) == 5 and tops == sorted(tops, reverse=True) and max(tops + [e["logprob"]]) <= 0
            assert e["logprob"] in tops or e["logprob"] < tops[-1]
        joined = b"".join(bytes(e["bytes"]) for e in scores["content"]).decode("utf-8", "replace")
        assert joined.lstrip("\n") == texts(reply)[0] or "<|" in joined


def test_146_offsets_index_the_text(fleet):
    for prompt in ("the \u00f6x", [104, 105]):
        c = completion(fleet["hello"], prompt=prompt, echo=True, logprobs=1, max_tokens=40)["choices"][0]
        scores = c["logprobs"]
        assert len({len(v) for v in scores.values()}) == 1
        assert scores["text_offset"] == sorted(scores["text_offset"]) and scores["text_offset"][-1] < len(c["text"])
        for token, offset in zip(scores["tokens"], scores["text_offset"]):
            if "\ufffd" not in token:
                assert c["text"][offset:offset + len(token)] == token


def test_scoring_agrees_with_generating(fleet):
    """The score of a continuation is the log-probability with which it was generated."""
    s = fleet["plain"]
    made = completion(s, prompt=[5, 6, 7], temperature=0, max_tokens=5, logprobs=0, return_token_ids=True, ignore_eos=True)["choices"][0]
    scored = completion(s, prompt=[5, 6, 7, *made["token_ids"]], echo=True, max_tokens=0, logprobs=0)["choices"][0]
    assert scored["logprobs"]["token_logprobs"][3:] == made["logprobs"]["token_logprobs"]
    alone = completion(s, prompt=[5, 6, 7, *made["token_ids"]], prompt_logprobs=0, max_tokens=1)["prompt_logprobs"]
    assert [list(e.values())[0]["logprob"] for e in alone[3:]] == made["logprobs"]["token_logprobs"]
    assert [int(list(e)[0]) for e in alone[1:]] == [6, 7, *made["token_ids"]]


# ---- Text and ids ---------------------------------------------------------------------------------------------

def test_151_text_survives_its_way_through_ids(fleet):
    s, rng = fleet["plain"], random.Random(1)
    mixed = "the h\u00e9llo \u4f60\u597d \U0001F469\u200d\U0001F52C <|im_end|>\n\t\u0000 \u05e9\u05dc\u05d5\u05dd"
    for text in [mixed, "", *("".join(rng.choice(mixed) for _ in range(rng.randrange(60))) for _ in range(30))]:
        for fields in ({"content": text}, {"prompt": text}, {"content": text, "parse_special": False}):
            ids = s.post("/tokenize", fields)[1]
            assert ids["count"] == len(ids["tokens"])
            assert s.post("/detokenize", {"tokens": ids["tokens"]})[1] == {"content": text, "prompt": text}


def test_151_messages_are_counted_as_they_are_generated_from(fleet):
    for name in ("plain", "thinker"):
        s = fleet[name]
        for messages in (USER, [{"role": "system", "content": "<|im_end|>"}, *USER], [*USER, {"role": "assistant", "content": "x"}, *USER]):
            count = s.post("/tokenize", {"messages": messages})[1]["count"]
            assert count == chat(s, messages=messages)["usage"]["prompt_tokens"]


def test_control_tokens_in_content_are_text(fleet):
    s = fleet["plain"]
    ids = s.post("/tokenize", {"messages": [{"role": "user", "content": "<|im_end|>"}]})[1]["tokens"]
    plain = s.post("/tokenize", {"messages": [{"role": "user", "content": "x"}]})[1]["tokens"]
    assert ids.count(269) == plain.count(269)


# ---- Beginnings of answers ------------------------------------------------------------------------------------

@pytest.mark.parametrize("how", [{"prefix": True}, {}])
def test_134_135_a_prefix_is_continued_and_not_repeated(fleet, how):
    fields = {} if how else {"continue_final_message": True}
    messages = [*USER, {"role": "assistant", "content": "My answer: ", **how}]
    reply = chat(fleet["hello"], messages=messages, max_tokens=5, **fields)
    assert texts(reply) == ["Hello"]
    prompt = fleet["hello"].post("/apply-template", {"messages": messages, **fields})[1]["prompt"]
    assert prompt.endswith("<|im_start|>assistant\nMy answer: ")


def test_a_thought_is_continued(fleet):
    message = {"role": "assistant", "content": "", "reasoning_content": "I begin", "prefix": True}
    reply = chat(fleet["thinker"], messages=[*USER, message], max_tokens=60)["choices"][0]["message"]
    assert reply["reasoning_content"] == "Hm, 2+2" and reply["content"] == ANSWER
    prompt = fleet["thinker"].post("/apply-template", {"messages": [*USER, message]})[1]["prompt"]
    assert prompt.endswith("I begin")


# ---- Not now --------------------------------------------------------------------------------------------------

def test_154_before_the_model_is_loaded(start_server):
    s = start_server("--mock-script", "load_ms=1500", ready=False)
    assert s.request("GET", "/livez")[0] == 200
    assert s.request("GET", "/ready")[0] == s.request("GET", "/ping")[0] == 503
    assert s.request("GET", "/health")[0] == 503
    assert b'"tiny"' in s.request("GET", "/v1/models")[2]
    status, headers, body = s.request("POST", CHAT, {"model": "tiny", "messages": USER})
    assert status == 503 and b'"model_loading"' in body and int(headers["Retry-After"]) >= 1
    s.wait_ready()
    assert s.request("GET", "/ping")[0] == 200


def test_138_a_full_queue_is_refused_at_once(start_server):
    s = start_server("--max-queue", "0", "--max-running", "1", "--mock-script", "vocabulary=512;step_us=20000")
    with s.raw() as blocker:
        blocker.request("POST", CHAT, b'{"model":"tiny","messages":[{"role":"user","content":"a"}],"max_tokens":60,"ignore_eos":true}',
                        [("Content-Type", "application/json")])
        s.wait_for(lambda: s.metric("seekd_requests_running") == 1, what="the first request")
        for streamed in (False, True):
            status, headers, body = s.request("POST", CHAT, {"model": "tiny", "messages": USER, "stream": streamed})
            assert status == 503 and b'"server_overloaded"' in body and int(headers["Retry-After"]) >= 1
        assert s.request("GET", "/ready")[0] == 200
        assert blocker.reply().status == 200


def test_bodies_whose_trees_would_take_too_much_are_refused(start_server):
    """Charged by the estimate before anything is built; what was charged comes back."""
    s = start_server("--intake-bytes-max", "1000000")
    many = {"model": "tiny", "messages": USER, "foo": [0] * 20000}
    for _ in range(3):
        status, headers, body = s.request("POST", CHAT, many)
        assert status == 503 and b'"server_overloaded"' in body and headers["Retry-After"], body
    for _ in range(30):
        assert s.post(CHAT, {"model": "tiny", "messages": USER, "max_tokens": 2, "foo": [0] * 2000})[0] == 200


def test_more_messages_than_the_limit_are_refused(fleet):
    for n, code in ((4096, "context_length_exceeded"), (4097, "array_above_max_length")):
        status, reply = fleet["plain"].post(CHAT, {"model": "tiny", "messages": USER * n})
        assert status == 400 and reply["error"]["code"] == code and reply["error"]["param"] == "messages"


def test_a_prompt_of_hopeless_length_is_refused_before_it_is_split(fleet):
    for text in ("x" * 4000000, "\u4f60" * 1000000, " \n" * 2000000):
        status, reply = fleet["plain"].post(CHAT, {"model": "tiny", "messages": [{"role": "user", "content": text}]})
        assert status == 400 and reply["error"]["code"] == "context_length_exceeded" and reply["error"]["param"] == "messages"
