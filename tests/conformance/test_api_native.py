"""The native form of llama-server: completions, filling in, what the server says of itself."""

import json

import pytest



def stream(server, path, body):
    status, headers, data = server.request("POST", path, {**body, "stream": True})
    assert status == 200 and headers["Content-Type"].startswith("text/event-stream") and b"[DONE]" not in data
    return [json.loads(frame[6:]) for frame in data.decode().split("\n\n")[:-1] if not frame.startswith(":")]


def test_a_completion(fleet):
    s = fleet["hello"]
    status, reply = s.post("/completion", {"prompt": "abc", "n_predict": 60, "return_tokens": True, "n_probs": 2})
    assert status == 200 and reply["content"]
    assert (reply["stop"], reply["stop_type"], reply["stopping_word"], reply["truncated"]) == (True, "eos", "", False)
    assert reply["tokens_evaluated"] == 3 and reply["tokens_predicted"] >= len(reply["tokens"]) > 0 and reply["model"] == "tiny"
    assert len(reply["completion_probabilities"]) == len(reply["tokens"]) and reply["timings"]["predicted_n"] == reply["tokens_predicted"]
    assert len(reply["completion_probabilities"][0]["top_logprobs"]) == 2 and reply["generation_settings"]["n_predict"] == 60
    events = stream(s, "/completion", {"prompt": "abc", "n_predict": 60})
    assert "".join(e["content"] for e in events) == reply["content"]
    assert [e["stop"] for e in events] == [False] * (len(events) - 1) + [True] and events[-1]["stop_type"] == "eos"


def test_ends(fleet):
    s = fleet["hello"]
    assert s.post("/completion", {"prompt": "abc", "n_predict": 2})[1]["stop_type"] == "limit"
    reply = s.post("/completion", {"prompt": "abc", "n_predict": -1, "stop": ["lo"]})[1]
    assert (reply["stop_type"], reply["stopping_word"]) in (("word", "lo"), ("eos", ""))


def test_prompts_of_every_kind(fleet):
    s = fleet["hello"]
    ids = s.post("/tokenize", {"content": "abc"})[1]["tokens"]
    alone = s.post("/completion", {"prompt": "abc", "n_predict": 5})[1]["content"]
    for prompt in (ids, ["ab", ids[2]], [ids[0], "bc"]):
        reply = s.post("/completion", {"prompt": prompt, "n_predict": 5})[1]
        assert (reply["content"], reply["tokens_evaluated"]) == (alone, len(ids))
    many = s.post("/completion", {"prompt": ["abc", "abc"], "n_predict": 5})[1]
    assert [r["content"] for r in many] == [alone] * 2 and [r["index"] for r in many] == [0, 1]


def test_biases_are_pairs(fleet):
    reply = fleet["plain"].post("/completion", {"prompt": "a", "n_predict": 4, "temperature": 0, "logit_bias": [[ord("q"), 100]]})[1]
    assert reply["content"] == "qqqq"
    reply = fleet["plain"].post("/completion", {"prompt": "a", "n_predict": 4, "logit_bias": [[ord("q"), 100], [ord("q"), False]]})[1]
    assert "q" not in reply["content"]


def test_infill(fleet):
    s = fleet["tools-random"]
    body = {"input_prefix": "def f():\n", "input_suffix": "\n    return a", "n_predict": 4}
    status, reply = s.post("/infill", body)
    assert status == 200 and reply["tokens_predicted"] == 4
    same = s.post("/v1/completions", {"model": "tiny", "prompt": "def f():\n", "suffix": "\n    return a", "max_tokens": 4})[1]
    assert reply["tokens_evaluated"] == same["usage"]["prompt_tokens"]
    more = s.post("/infill", {**body, "prompt": "    a", "input_extra": [{"filename": "x.py", "text": "b = 1"}]})[1]
    assert more["tokens_evaluated"] == reply["tokens_evaluated"] + len("    a" + "# x.py\nb = 1\n")


@pytest.mark.parametrize("path, body, param", [
    ("/completion", {}, "prompt"), ("/completion", {"prompt": ["a", 1, None]}, "prompt"), ("/completion", {"prompt": "a", "n_predict": 0}, "n_predict"),
    ("/completion", {"prompt": "a", "n_predict": "5"}, "n_predict"), ("/completion", {"prompt": "a", "n_probs": 21}, "n_probs"),
    ("/completion", {"prompt": "a", "logit_bias": [[1]]}, "logit_bias"), ("/completion", {"prompt": ["x" * 5000, 1]}, "prompt"),
    ("/infill", {"input_suffix": "a"}, "input_prefix"), ("/infill", {"input_prefix": "a"}, "input_suffix"),
    ("/infill", {"input_prefix": "a", "input_suffix": "b", "input_extra": [{"filename": "f"}]}, "input_extra[0].text"),
    ("/infill", {"input_prefix": "a", "input_suffix": "b"}, "input_suffix"),
])
def test_faults(fleet, path, body, param):
    status, reply = fleet["hello"].post(path, body)
    assert status == 400 and reply["error"]["param"] == param, reply


def test_props_and_slots(fleet):
    s = fleet["hello"]
    props = s.get("/props")
    assert props["total_slots"] > 0 and props["model_path"] == "tiny.gguf" and props["default_generation_settings"]["n_ctx"] == 512
    slots = s.get("/slots")
    assert len(slots) == props["total_slots"] and all(sorted(slot) == ["id", "is_processing", "n_ctx", "params"] for slot in slots)


def test_139_balance(fleet):
    for path in ("/user/balance", "/v1/user/balance"):
        reply = fleet["hello"].get(path)
        assert reply["is_available"] is True and reply["balance_infos"] == []
