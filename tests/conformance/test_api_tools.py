"""Tools: what is asked, what is refused, and calls whole and streamed."""

import json

import jsonschema
import pytest

from harness import events
from harness.fleet import TWO_CALLS

CHAT = "/v1/chat/completions"
USER = [{"role": "user", "content": "hi"}]
BEGIN, SEPARATOR = "<｜tool▁calls▁begin｜>", "<｜tool▁sep｜>"


def tool(name="f", **fields):
    return {"type": "function", "function": {"name": name, **fields}}


def chat(**fields):
    return {"model": "tiny", "messages": USER, "max_tokens": 60, "tools": [tool(), tool("get_time", parameters={"type": "object"})], **fields}


def whole(server, body):
    status, reply = server.post(CHAT, body)
    assert status == 200, reply
    return reply


def stream(server, body):
    status, _, data = server.request("POST", CHAT, {**body, "stream": True})
    assert status == 200, data
    return events.read(data)


# ---- Replies --------------------------------------------------------------------------------------------------

def test_a_call_alone(fleet):
    choice = whole(fleet["tools-one"], chat())["choices"][0]
    assert choice["finish_reason"] == "tool_calls" and "stop_reason" not in choice
    message = choice["message"]
    assert sorted(message) == ["content", "refusal", "role", "tool_calls"] and message["content"] is None
    [call] = message["tool_calls"]
    assert sorted(call) == ["function", "id", "type"] and call["type"] == "function"
    assert call["id"].startswith("call_") and len(call["id"]) >= 21
    assert call["function"] == {"name": "f", "arguments": '{"a": "\u00e9"}'}


def test_two_calls_after_a_text(fleet):
    choice = whole(fleet["tools-two"], chat())["choices"][0]
    assert choice["message"]["content"] == "Wait." and choice["finish_reason"] == "tool_calls"
    calls = choice["message"]["tool_calls"]
    assert [c["function"] for c in calls] == [{"name": "f", "arguments": '{"a":1}'}, {"name": "get_time", "arguments": "{}"}]
    assert len({c["id"] for c in calls}) == 2


def test_121_122_a_stream_has_the_same_calls_in_order(fleet):
    reply = whole(fleet["tools-two"], chat())["choices"][0]["message"]
    chunks = stream(fleet["tools-two"], chat())
    deltas = [c["choices"][0]["delta"] for c in chunks]
    assert "".join(d.get("content") or "" for d in deltas) == reply["content"]
    pieces = [d["tool_calls"] for d in deltas if "tool_calls" in d]
    assert all(len(p) == 1 for p in pieces)
    pieces = [p[0] for p in pieces]
    assert [p["index"] for p in pieces] == sorted(p["index"] for p in pieces)
    for index, call in enumerate(reply["tool_calls"]):
        own = [p for p in pieces if p["index"] == index]
        assert own[0]["function"] == {"name": call["function"]["name"], "arguments": ""} and own[0]["type"] == "function" and own[0]["id"]
        assert all(sorted(p) == ["function", "index"] and list(p["function"]) == ["arguments"] for p in own[1:])
        assert "".join(p["function"]["arguments"] for p in own) == call["function"]["arguments"]
    assert [c["choices"][0]["finish_reason"] for c in chunks] == [None] * (len(chunks) - 1) + ["tool_calls"]


def test_one_call_where_parallel_ones_are_not_wanted(fleet):
    reply = whole(fleet["tools-two"], chat(parallel_tool_calls=False))
    assert len(reply["choices"][0]["message"]["tool_calls"]) == 1
    assert reply["choices"][0]["finish_reason"] == "tool_calls"


def test_123_a_limit_inside_a_call_gives_its_part(fleet):
    for body in (chat(max_tokens=8), chat(max_tokens=5)):
        choice = whole(fleet["tools-one"], body)["choices"][0]
        assert choice["finish_reason"] == "length"
        [call] = choice["message"]["tool_calls"]
        assert '{"a": "\u00e9"}'.startswith(call["function"]["arguments"])
        joined = "".join(p["function"]["arguments"] for c in stream(fleet["tools-one"], body)
                         for p in c["choices"][0]["delta"].get("tool_calls", []))
        assert joined == call["function"]["arguments"]


def test_124_broken_markup_is_content(fleet):
    choice = whole(fleet["tools-broken"], chat())["choices"][0]
    assert choice["message"]["content"] == BEGIN + "f" + SEPARATOR + "{}" and choice["finish_reason"] == "stop"
    assert "tool_calls" not in choice["message"]
    assert "".join(c["choices"][0]["delta"].get("content") or "" for c in stream(fleet["tools-broken"], chat())) == choice["message"]["content"]


def test_114_choice_none_is_as_without_tools(fleet):
    without = whole(fleet["tools-one"], {k: v for k, v in chat().items() if k != "tools"})
    for fields in ({"tool_choice": "none"}, {"tools": []}):
        reply = whole(fleet["tools-one"], chat(**fields))
        assert reply["usage"]["prompt_tokens"] == without["usage"]["prompt_tokens"]
        assert reply["choices"][0]["message"]["content"].startswith(BEGIN) and "tool_calls" not in reply["choices"][0]["message"]
    assert whole(fleet["tools-one"], chat())["usage"]["prompt_tokens"] > without["usage"]["prompt_tokens"]


def test_the_prompt_shows_the_tools_and_earlier_calls(fleet):
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    messages = [*USER, {"role": "assistant", "content": None, "tool_calls": [call]}, {"role": "tool", "tool_call_id": "call_1", "content": "ok"}]
    body = chat(messages=messages, tools=[tool(description="Does it.", parameters={"type": "object", "properties": {"x": {"minimum": 0.1}}})])
    status, reply = fleet["tools-one"].post("/apply-template", body)
    assert status == 200
    prompt = reply["prompt"]
    assert '### f\nDescription: Does it.\n\nParameters: {"type": "object", "properties": {"x": {"minimum": 0.1}}}\n' in prompt
    assert BEGIN + "<｜tool▁call▁begin｜>f<｜tool▁sep｜>{\"a\": 1}<｜tool▁call▁end｜><｜tool▁calls▁end｜>" in prompt
    assert prompt.endswith("<｜tool▁output▁begin｜>ok<｜tool▁output▁end｜>")
    assert whole(fleet["tools-one"], body)["choices"][0]["finish_reason"] == "tool_calls"


# ---- Refusals -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("change, code, param", [
    ({"tools": {}}, "invalid_type", "tools"),
    ({"tools": [1]}, "invalid_type", "tools[0]"),
    ({"tools": [{}]}, "missing_required_parameter", "tools[0].type"),
    ({"tools": [{"type": "web_search"}]}, "unsupported_value", "tools[0].type"),
    ({"tools": [{"type": "function"}]}, "missing_required_parameter", "tools[0].function"),
    ({"tools": [tool(), {"type": "function", "function": {}}]}, "missing_required_parameter", "tools[1].function.name"),
    ({"tools": [tool(1)]}, "invalid_type", "tools[0].function.name"),
    ({"tools": [tool("")]}, "invalid_value", "tools[0].function.name"),
    ({"tools": [tool("a b")]}, "invalid_value", "tools[0].function.name"),
    ({"tools": [tool("a\0b")]}, "invalid_value", "tools[0].function.name"),
    ({"tools": [tool("x" * 65)]}, "invalid_value", "tools[0].function.name"),
    ({"tools": [tool(), tool("g"), tool()]}, "invalid_value", "tools[2].function.name"),
    ({"tools": [tool(description=3)]}, "invalid_type", "tools[0].function.description"),
    ({"tools": [tool(parameters="x")]}, "invalid_type", "tools[0].function.parameters"),
    ({"tools": [tool(parameters={"type": "string"})]}, "invalid_value", "tools[0].function.parameters"),
    ({"tools": [tool(strict=1)]}, "invalid_type", "tools[0].function.strict"),
    ({"tools": [tool(strict=True, parameters={"type": "object", "properties": {"a": {}, "b": {}}, "required": ["a"]})]},
     "invalid_json_schema", "tools[0].function.parameters"),
    ({"tools": [tool(strict=True, parameters={"type": "object", "properties": {}, "additionalProperties": True})]},
     "invalid_json_schema", "tools[0].function.parameters"),
    ({"tools": [tool(strict=True, parameters={"type": "object", "not": {}})]}, "invalid_json_schema", "tools[0].function.parameters"),
    ({"tools": [tool(parameters={"type": "object", "properties": {"a": {"type": 5}}})], "tool_choice": "required"},
     "invalid_json_schema", "tools[0].function.parameters"),
    ({"tools": [tool(f"f{i}") for i in range(129)]}, "array_above_max_length", "tools"),
    ({"tools": [tool(description="x" * (1 << 18))]}, None, None),
    ({"tool_choice": {"type": "function", "function": {"name": "nobody"}}}, "invalid_value", "tool_choice.function.name"),
    ({"tool_choice": {"type": "function"}}, "missing_required_parameter", "tool_choice.function.name"),
    ({"tool_choice": {"type": "custom"}}, "invalid_value", "tool_choice.type"),
    ({"tool_choice": {"type": "allowed_tools"}}, "missing_required_parameter", "tool_choice.allowed_tools"),
    ({"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}}}, "empty_array",
     "tool_choice.allowed_tools.tools"),
    ({"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [tool("g")]}}}, "invalid_value",
     "tool_choice.allowed_tools.tools[0].function.name"),
    ({"tool_choice": "required", "response_format": {"type": "json_object"}}, "invalid_value", "tool_choice"),
    ({"tool_choice": 3}, "invalid_type", "tool_choice"),
    ({"tool_choice": "maybe"}, "invalid_value", "tool_choice"),
    ({"parallel_tool_calls": "no"}, "invalid_type", "parallel_tool_calls"),
])
def test_116_120_bad_tools_are_refused_by_path(fleet, change, code, param):
    status, reply = fleet["tools-one"].post(CHAT, chat(**change))
    assert status == 400, reply
    if code:
        assert (reply["error"]["code"], reply["error"]["param"]) == (code, param), json.dumps(reply)


def test_a_format_without_tools_says_so(fleet):
    status, reply = fleet["no-tools"].post(CHAT, chat())
    assert status == 400 and reply["error"]["code"] == "unsupported_parameter" and reply["error"]["param"] == "tools"
    assert "deepseek-v2" in reply["error"]["message"]


# ---- Other forms ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("form", TWO_CALLS)
def test_every_form_gives_the_same_calls(fleet, form):
    s, body = fleet[f"tools-two-{form}"], chat(max_tokens=400, thinking={"type": "disabled"})
    choice = whole(s, body)["choices"][0]
    assert choice["message"]["content"] == (None if form == "llama" else "Wait.") and choice["finish_reason"] == "tool_calls"
    calls = [c["function"] for c in choice["message"]["tool_calls"]]
    assert [c["name"] for c in calls] == ["f", "get_time"] and [json.loads(c["arguments"]) for c in calls] == [{"a": 1}, {}]
    joined = events.join(stream(s, body))[0]["message"]
    assert joined["content"] == (choice["message"]["content"] or "")
    pieces = [p for c in stream(s, body) for p in c["choices"][0]["delta"].get("tool_calls", [])]
    for index, call in enumerate(calls):
        assert "".join(p["function"].get("arguments", "") for p in pieces if p["index"] == index) == call["arguments"]
        assert [p["function"]["name"] for p in pieces if p["index"] == index and "name" in p["function"]] == [call["name"]]
    assert whole(s, {**body, "tools": None})["choices"][0]["finish_reason"] == "stop"
    history = [*USER, {k: v for k, v in choice["message"].items() if k != "refusal"},
               *({"role": "tool", "tool_call_id": c["id"], "content": "1"} for c in choice["message"]["tool_calls"])]
    assert whole(s, {**body, "messages": history})["choices"]


@pytest.mark.parametrize("form", TWO_CALLS)
def test_111_112_forced_calls_are_valid_in_every_form(fleet, form):
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 0, "maximum": 50}, "kind": {"enum": ["a", "b c"]},
                                               "tags": {"type": "array", "items": {"type": "boolean"}, "maxItems": 2}},
              "required": ["n", "kind"], "additionalProperties": False}
    s, n_valid = fleet[f"tools-random-{form}"], 0
    for seed in range(10):
        body = chat(messages=[{"role": "user", "content": f"go {seed}"}], tools=[tool("f", parameters=schema), tool("g")], seed=seed, temperature=1,
                    tool_choice={"type": "function", "function": {"name": "f"}}, max_tokens=1500, parallel_tool_calls=False,
                    thinking={"type": "disabled"})
        choice = whole(s, body)["choices"][0]
        [call] = choice["message"]["tool_calls"]
        assert call["function"]["name"] == "f" and choice["message"]["content"] is None
        if choice["finish_reason"] == "tool_calls":
            jsonschema.validate(json.loads(call["function"]["arguments"]), schema)
            n_valid += 1
    assert n_valid


def test_the_longest_lists_and_names_are_taken(fleet):
    assert whole(fleet["tools-one"], chat(tools=[tool("x" * 64)]))["choices"][0]["finish_reason"] == "tool_calls"
    status, reply = fleet["tools-one"].post("/apply-template", chat(tools=[tool(f"f{i}") for i in range(128)]))
    assert status == 200 and "### f127\n" in reply["prompt"]
