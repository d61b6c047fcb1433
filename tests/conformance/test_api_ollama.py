"""The Ollama API: lines of JSON, calls without ids, what it says of models. Numbers are those of the sheet."""

import json

import jsonschema
import pytest

from harness.fleet import ANSWER, HELLO, THOUGHT

CHAT, GENERATE = "/api/chat", "/api/generate"
TOOLS = [{"type": "function", "function": {"name": n, "description": "d", "parameters": {"type": "object", "properties": {}}}}
         for n in ("f", "get_time")]
DURATIONS = ("total_duration", "load_duration", "prompt_eval_count", "prompt_eval_duration", "eval_count", "eval_duration")


def chat(text="hi", **fields):
    messages = text if isinstance(text, list) else [{"role": "user", "content": text}]
    return {"model": "tiny", "messages": messages, "options": {"num_predict": 60}, **fields}


def lines(server, path, body):
    status, headers, data = server.request("POST", path, body)
    assert status == 200 and headers["Content-Type"].startswith("application/x-ndjson"), data
    assert data.endswith(b"\n")
    read = [json.loads(l) for l in data.decode().splitlines()]
    assert [l["done"] for l in read] == [False] * (len(read) - 1) + [True]
    return read


def whole(server, path, body):
    status, reply = server.post(path, {**body, "stream": False})
    assert status == 200 and reply["done"] is True, reply
    return reply


def check_last(line, reason="stop"):
    assert line["done_reason"] == reason and all(isinstance(line[k], int) for k in DURATIONS)
    assert line["eval_count"] > 0 and line["prompt_eval_count"] > 0 and line["total_duration"] > 0


@pytest.mark.parametrize("name", ["hello", "thinker", "tools-one", "tools-two", "tools-broken"])
def test_176_streams_unless_told_otherwise(fleet, name):
    asked = chat(**({"tools": TOOLS} if name.startswith("tools") else {}))
    read, reply = lines(fleet[name], CHAT, asked), whole(fleet[name], CHAT, asked)
    check_last(read[-1])
    check_last(reply)
    for key in ("content", "thinking"):
        assert "".join(l["message"].get(key, "") for l in read) == reply["message"].get(key, "")
    calls = [c for l in read for c in l["message"].get("tool_calls", [])]
    assert calls == reply["message"].get("tool_calls", [])
    assert all(isinstance(c["function"]["arguments"], dict) for c in calls)
    assert all(l["message"]["role"] == "assistant" and l["model"] == "tiny" and l["created_at"].endswith("Z") for l in read)


def test_chats(fleet):
    assert whole(fleet["hello"], CHAT, chat())["message"] == {"role": "assistant", "content": HELLO}
    assert whole(fleet["hello"], CHAT, chat(model="tiny:latest"))["model"] == "tiny"
    assert whole(fleet["thinker"], CHAT, chat(think=True))["message"] == {"role": "assistant", "content": ANSWER, "thinking": THOUGHT}
    check_last(whole(fleet["hello"], CHAT, chat(options={"num_predict": 2})), "length")
    reply = whole(fleet["hello"], CHAT, chat(options={"stop": ["lo"], "temperature": 0.5, "top_k": 3, "num_ctx": 5, "seed": 1, "num_predict": -1}))
    assert reply["message"]["content"] == "Hel"


def test_thinking_can_be_switched(fleet):
    s = fleet["tools-random"]
    assert "thinking" not in whole(s, CHAT, chat(think=False, options={"num_predict": 5}))["message"]
    assert whole(s, CHAT, chat("on", think="low", options={"num_predict": 5}))["message"].get("thinking")


def test_tools_round(fleet):
    message = whole(fleet["tools-two"], CHAT, chat(tools=TOOLS))["message"]
    assert [c["function"]["name"] for c in message["tool_calls"]] == ["f", "get_time"]
    history = [{"role": "user", "content": "q"}, message, {"role": "tool", "tool_name": "get_time", "content": "12:00"},
               {"role": "tool", "tool_name": "f", "content": "1"}]
    assert whole(fleet["tools-two"], CHAT, chat(history, tools=TOOLS))
    status, reply = fleet["tools-two"].post(CHAT, chat([*history, {"role": "tool", "tool_name": "f", "content": "1"}]))
    assert status == 400 and "messages[4].tool_name" in reply["error"]


def test_formats(fleet):
    schema = {"type": "object", "properties": {"a": {"enum": [1, 2]}}, "required": ["a"], "additionalProperties": False}
    reply = whole(fleet["plain"], CHAT, chat(format=schema, options={"num_predict": 200}))
    jsonschema.validate(json.loads(reply["message"]["content"]), schema)
    reply = whole(fleet["plain"], CHAT, chat("j", format="json", options={"num_predict": 300}))
    assert reply["message"]["content"].lstrip().startswith("{")
    assert reply["done_reason"] == "length" or isinstance(json.loads(reply["message"]["content"]), dict)


def test_generate(fleet):
    s = fleet["hello"]
    read = lines(s, GENERATE, {"model": "tiny", "prompt": "hi"})
    check_last(read[-1])
    assert "".join(l["response"] for l in read) == whole(s, GENERATE, {"model": "tiny", "prompt": "hi"})["response"] == HELLO
    counted = whole(s, GENERATE, {"model": "tiny", "prompt": "q", "system": "s"})["prompt_eval_count"]
    assert counted == s.post("/tokenize", {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}]})[1]["count"]
    raw = whole(s, GENERATE, {"model": "tiny", "prompt": "abc", "raw": True, "options": {"num_predict": 5}})
    assert raw["prompt_eval_count"] == 3 and raw["eval_count"] == 5
    assert whole(fleet["thinker"], GENERATE, {"model": "tiny", "prompt": "hi"})["thinking"] == THOUGHT
    fim = whole(fleet["tools-random"], GENERATE, {"model": "tiny", "prompt": "a", "suffix": "b", "options": {"num_predict": 3}})
    assert fim["eval_count"] == 3


def test_a_request_without_a_prompt_loads(fleet):
    for path, body in ((CHAT, {"model": "tiny"}), (CHAT, {"model": "tiny", "messages": []}), (GENERATE, {"model": "tiny"})):
        status, reply = fleet["hello"].post(path, body)
        assert status == 200 and reply["done"] is True and reply["done_reason"] == "load", reply
    assert fleet["hello"].post(CHAT, {"model": "nope"})[0] == 404


def test_models(fleet):
    s = fleet["thinker"]
    [model] = s.get("/api/tags")["models"]
    assert model["name"] == model["model"] == "tiny" and len(model["digest"]) == 64 and isinstance(model["size"], int)
    assert {"format", "family", "families", "parameter_size", "quantization_level"} <= set(model["details"])
    [loaded] = s.get("/api/ps")["models"]
    assert loaded["name"] == "tiny" and loaded["context_length"] > 0
    for name in ("tiny", "tiny:latest"):
        status, shown = s.post("/api/show", {"model": name})
        assert status == 200 and {"completion", "thinking", "tools", "insert"} >= set(shown["capabilities"]) >= {"completion", "thinking"}
        assert shown["model_info"]["general.architecture"]
    status, reply = s.post("/api/show", {"model": "nope"})
    assert status == 404 and list(reply) == ["error"]
    assert s.get("/api/version")["version"]
    assert s.request("HEAD", "/")[0] == 200


@pytest.mark.parametrize("path, fields, says", [
    (CHAT, {"messages": [{"role": "user", "content": "a", "images": ["x"]}]}, "messages[0].images"),
    (CHAT, {"messages": [{"role": "wizard", "content": "a"}]}, "messages[0].role"), (CHAT, {"format": "xml"}, "format"),
    (CHAT, {"options": {"temperature": 9}}, "options.temperature"), (CHAT, {"think": 5}, "think"), (CHAT, {"think": "huge"}, "think"),
    (CHAT, {"options": {"num_predict": "5"}}, "options.num_predict"), (GENERATE, {"prompt": 5}, "prompt"),
    (GENERATE, {"prompt": "x" * 5000}, "context"), (GENERATE, {"prompt": "a", "template": "t"}, "template"),
    (GENERATE, {"prompt": "a", "suffix": "b"}, "suffix"),
])
def test_faults_are_a_line_of_text(fleet, path, fields, says):
    status, reply = fleet["hello"].post(path, {**(chat() if path == CHAT else {"model": "tiny"}), **fields})
    assert status == 400 and list(reply) == ["error"] and says in reply["error"], reply
