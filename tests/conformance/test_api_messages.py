"""The Anthropic Messages API: blocks in and out, streams, counting, errors of its own shape. Numbers are those of the sheet."""

import json

import jsonschema
import pytest

from harness import events
from harness.fleet import ANSWER, HELLO, THOUGHT

PATH, COUNT = "/v1/messages", "/v1/messages/count_tokens"
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}
TOOLS = [{"name": "f", "description": "d", "input_schema": SCHEMA}, {"name": "get_time", "input_schema": {"type": "object"}},
         {"type": "web_search_20250305", "name": "web_search"}]


def body(text="hi", /, **fields):
    messages = text if isinstance(text, list) else [{"role": "user", "content": text}]
    return {"model": "claude-sonnet-4-5", "max_tokens": 60, "messages": messages, **fields}


def whole(server, asked, path=PATH):
    status, reply = server.post(path, asked, {"x-api-key": "any", "anthropic-version": "2023-06-01"})
    assert status == 200, reply
    return reply


def refused(server, asked, kind, says, status=400, path=PATH):
    got, headers, data = server.request("POST", path, asked)
    reply = json.loads(data)
    assert got == status and reply["type"] == "error" and reply["error"]["type"] == kind, reply
    assert sorted(reply) == ["error", "request_id", "type"] and sorted(reply["error"]) == ["message", "type"]
    assert headers["request-id"] == headers["x-request-id"] == reply["request_id"]
    assert says in reply["error"]["message"], reply


def stream(server, asked):
    status, headers, data = server.request("POST", PATH, {**asked, "stream": True})
    assert status == 200 and headers["Content-Type"].startswith("text/event-stream"), data
    return events.read_named(data)


def join(seen):
    """The message that a stream amounts to; its order is checked on the way."""
    assert seen[0]["type"] == "message_start" and [e["type"] for e in seen[-2:]] == ["message_delta", "message_stop"]
    message = dict(seen[0]["message"])
    assert message["content"] == [] and message["stop_reason"] is None and message["usage"]["input_tokens"] >= 0
    open_block, pieces = None, ""
    for event in seen[1:-2]:
        if event["type"] == "content_block_start":
            assert open_block is None and event["index"] == len(message["content"])
            open_block, pieces = dict(event["content_block"]), ""
            assert open_block.get("text", "") == open_block.get("thinking", "") == "" and open_block.get("input", {}) == {}
            continue
        assert event["index"] == len(message["content"])
        if event["type"] == "content_block_stop":
            if open_block["type"] == "tool_use" and pieces:
                try:
                    open_block["input"] = json.loads(pieces)
                except ValueError:
                    open_block["input"] = {"raw_arguments": pieces}
            message["content"].append(open_block)
            open_block = None
            continue
        delta = event["delta"]
        kind, key = {"thinking_delta": ("thinking", "thinking"), "signature_delta": ("thinking", "signature"), "text_delta": ("text", "text"),
                     "input_json_delta": ("tool_use", "partial_json")}[delta["type"]]
        assert open_block["type"] == kind
        if key == "partial_json":
            pieces += delta[key]
        else:
            open_block[key] += delta[key]
    assert open_block is None
    message.update(seen[-2]["delta"])
    message["usage"] = {**message["usage"], **seen[-2]["usage"]}
    return message


def without_ids(message):
    message = {k: v for k, v in message.items() if k not in ("id", "usage")}
    return {**message, "content": [{k: v for k, v in b.items() if k != "id"} for b in message["content"]]}


# ---- Replies --------------------------------------------------------------------------------------------------

def test_162_a_message(fleet):
    reply = whole(fleet["hello"], body())
    assert sorted(reply) == ["container", "content", "id", "model", "role", "stop_details", "stop_reason", "stop_sequence", "type", "usage"]
    assert reply["id"].startswith("msg_") and (reply["type"], reply["role"], reply["model"]) == ("message", "assistant", "tiny")
    assert reply["content"] == [{"type": "text", "text": HELLO, "citations": None}]
    assert reply["stop_reason"] == "end_turn" and reply["stop_sequence"] is None
    usage = reply["usage"]
    assert all(isinstance(usage[k], int) for k in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens"))
    assert whole(fleet["hello"], body(max_tokens=2))["stop_reason"] == "max_tokens"
    assert whole(fleet["silent"], body())["content"] == [{"type": "text", "text": "", "citations": None}]


@pytest.mark.parametrize("name", ["hello", "thinker", "tools-one", "tools-two", "tools-broken", "silent"])
def test_164_streams_are_the_same_message(fleet, name):
    for limit in (60, 1, 3, 5, 7, 8, 10, 13, 16, 20):
        asked = body(max_tokens=limit, **({"tools": TOOLS} if name.startswith("tools") else {}))
        joined, reply = join(stream(fleet[name], asked)), whole(fleet[name], asked)
        assert without_ids(joined) == without_ids(reply)
        assert joined["usage"]["output_tokens"] == reply["usage"]["output_tokens"] > 0
        total = lambda u: u["input_tokens"] + u["cache_read_input_tokens"] + u["cache_creation_input_tokens"]
        assert total(joined["usage"]) == total(reply["usage"])


def test_165_stop_sequences(fleet):
    reply = whole(fleet["hello"], body(stop_sequences=["zz", "lo"]))
    assert (reply["stop_reason"], reply["stop_sequence"], reply["content"][0]["text"]) == ("stop_sequence", "lo", "Hel")


def test_167_thinking(fleet):
    s = fleet["thinker"]
    reply = whole(s, body(thinking={"type": "enabled", "budget_tokens": 1024}))
    thought, text = reply["content"]
    assert (thought["type"], thought["thinking"]) == ("thinking", THOUGHT) and thought["signature"] and text["text"] == ANSWER
    assert reply["usage"]["output_tokens_details"]["thinking_tokens"] > 0
    hidden = whole(s, body(thinking={"type": "adaptive", "display": "omitted"}))["content"][0]
    assert hidden["thinking"] == "" and hidden["signature"]
    off = whole(fleet["tools-random"], body(thinking={"type": "disabled"}, max_tokens=5))
    assert [b["type"] for b in off["content"]] == ["text"]
    short = whole(s, body(thinking={"type": "enabled", "budget_tokens": 2}, max_tokens=300))
    assert short["content"][0]["thinking"].startswith(THOUGHT[:2] + "\n\n") and len(short["content"]) == 2
    # what came out goes in again
    again = [{"role": "user", "content": "q"}, {"role": "assistant", "content": reply["content"]}, {"role": "user", "content": "r"}]
    assert whole(s, body(again))["stop_reason"] == "end_turn"


# ---- Prompts --------------------------------------------------------------------------------------------------

def test_168_counting_is_what_the_message_has(fleet):
    s = fleet["tools-one"]
    turns = [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b", "cache_control": {"type": "ephemeral"}}]},
             {"role": "assistant", "content": [{"type": "text", "text": "c"}]}, {"role": "user", "content": "d"}]
    for asked in (body(), body(turns), body(turns, system="s", tools=TOOLS), body(turns, system=[{"type": "text", "text": "s"}])):
        usage = whole(s, asked)["usage"]
        counted = {k: v for k, v in asked.items() if k != "max_tokens"}
        assert s.post(COUNT, counted) == (200, {"input_tokens": usage["input_tokens"] + usage["cache_read_input_tokens"]})
    refused(s, {"model": "claude-x", "messages": []}, "invalid_request_error", "messages", path=COUNT)


def test_the_prompt_is_that_of_the_chat(fleet):
    s = fleet["tools-one"]
    def chat(*messages):
        return s.post("/tokenize", {"messages": messages})[1]["count"]
    def count(messages, **fields):
        return s.post(COUNT, {"model": "claude-x", "messages": messages, **fields})[1]["input_tokens"]
    user, answer = {"role": "user", "content": "q"}, {"role": "assistant", "content": "ab"}
    assert count([user]) == chat(user) and count([user], system="s") == chat({"role": "system", "content": "s"}, user)
    call = {"role": "assistant", "content": "w", "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}]}
    use = {"role": "assistant", "content": [{"type": "text", "text": "w"}, {"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}}]}
    result = {"role": "user", "content": [{"type": "text", "text": "so"}, {"type": "tool_result", "tool_use_id": "c1", "content": [
        {"type": "text", "text": "r"}]}]}
    assert count([user, use, result]) == chat(user, call, {"role": "tool", "tool_call_id": "c1", "content": "r"}, {"role": "user", "content": "so"})
    # the last text of the assistant's goes on
    status, reply = s.post("/apply-template", {"messages": [user, {**answer, "prefix": True}]})
    assert status == 200 and count([user, answer]) == s.post("/tokenize", {"content": reply["prompt"]})[1]["count"]


def test_166_tools(fleet):
    reply = whole(fleet["tools-two"], body(tools=TOOLS))
    text, first, second = reply["content"]
    assert reply["stop_reason"] == "tool_use" and text["text"] == "Wait."
    assert (first["type"], first["name"], first["input"]) == ("tool_use", "f", {"a": 1}) and first["id"].startswith("toolu_")
    assert second["input"] == {} and second["id"] != first["id"]
    results = [{"type": "tool_result", "tool_use_id": first["id"], "content": "1"},
               {"type": "tool_result", "tool_use_id": second["id"], "is_error": True}, {"type": "text", "text": "go on"}]
    history = [{"role": "user", "content": "q"}, {"role": "assistant", "content": reply["content"]}, {"role": "user", "content": results}]
    assert whole(fleet["tools-two"], body(history, tools=TOOLS))["content"]
    refused(fleet["tools-two"], body([*history, {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "x"}]}]), "invalid_request_error",
            "messages[3].content[0].tool_use_id")


@pytest.mark.parametrize("choice", [{"type": "any"}, {"type": "tool", "name": "f"}, {"type": "any", "disable_parallel_tool_use": True}])
def test_166_forced_calls(fleet, choice):
    for seed in range(8):
        asked = body(f"go {seed}", tools=TOOLS[:1], tool_choice=choice, max_tokens=2000, temperature=1, seed=seed)
        reply = whole(fleet["tools-random"], asked)
        calls = [b for b in reply["content"] if b["type"] == "tool_use"]
        if reply["stop_reason"] != "tool_use":
            continue
        for call in calls:
            assert call["name"] == "f"
            jsonschema.validate(call["input"], SCHEMA)
        assert len(calls) == 1 or "disable_parallel_tool_use" not in choice
        return
    pytest.fail("no call ended")


def test_forms(fleet):
    for fields in ({"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}, {"output_format": {"type": "json_schema", "schema": SCHEMA}}):
        reply = whole(fleet["plain"], body("form", max_tokens=200, **fields))
        jsonschema.validate(json.loads(reply["content"][0]["text"]), SCHEMA)


# ---- Names and errors -----------------------------------------------------------------------------------------

def test_169_both_prefixes_and_both_keys(fleet, start_server):
    assert whole(fleet["hello"], body(), "/anthropic/v1/messages")["content"] == whole(fleet["hello"], body())["content"]
    s = start_server("--api-key", "k", "--mock-script", "vocabulary=512")
    for path in (PATH, "/anthropic/v1/messages"):
        for headers in ({"x-api-key": "k"}, {"Authorization": "Bearer k"}):
            assert s.request("POST", path, body(max_tokens=2), headers)[0] == 200
        status, headers, data = s.request("POST", path, body(), {"x-api-key": "wrong"})
        assert status == 401 and json.loads(data)["error"]["type"] == "authentication_error" and headers["request-id"]
    assert s.request("POST", "/messages", body(), {"x-api-key": "k"})[0] == 404


def test_names_of_models(fleet, start_server):
    assert whole(fleet["hello"], body(model="tiny"))["model"] == "tiny"
    refused(fleet["hello"], body(model="gpt-x"), "not_found_error", "gpt-x", 404)
    s = start_server("--no-map-claude", "--mock-script", "vocabulary=512")
    refused(s, body(), "not_found_error", "claude-sonnet-4-5", 404)


@pytest.mark.parametrize("fields, says", [
    ({"max_tokens": None}, "max_tokens"), ({"max_tokens": -1}, "max_tokens"), ({"max_tokens": "5"}, "max_tokens"), ({"messages": []}, "messages"),
    ({"messages": None}, "messages"), ({"messages": [5]}, "messages[0]"), ({"messages": [{"role": "tool", "content": "a"}]}, "messages[0].role"),
    ({"messages": [{"role": "user"}]}, "messages[0].content"), ({"system": 5}, "system"), ({"stop_sequences": "a"}, "stop_sequences"),
    ({"stop_sequences": [""]}, "stop_sequences[0]"), ({"temperature": 3}, "temperature"), ({"thinking": {"type": "maybe"}}, "thinking.type"),
    ({"messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]}, "messages[0].content[0].type"),
    ({"messages": [{"role": "user", "content": [{"type": "document", "source": {}}]}]}, "messages[0].content[0].type"),
    ({"messages": [{"role": "user", "content": [{"type": "tool_use"}]}]}, "messages[0].content[0].type"),
    ({"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": "x"}]}]}, "messages[0].content[0].input"),
    ({"tools": [{"name": "f"}]}, "tools"), ({"tool_choice": {"type": "some"}}, "tool_choice.type"), ({"tool_choice": {"type": "any"}}, "tool_choice"),
    ({"output_config": {"effort": "huge"}}, "output_config.effort"), ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format.schema"),
    ({"metadata": {"user_id": "u" * 513}}, "metadata.user_id"), ({"messages": [{"role": "user", "content": "x" * 5000}]}, "context"),
])
def test_163_faults_have_their_shape(fleet, fields, says):
    refused(fleet["hello"], {**body(), **fields}, "invalid_request_error", says)


def test_faults_of_tools(fleet):
    s = fleet["tools-one"]
    refused(s, body(tools=[{"name": "f"}]), "invalid_request_error", "tools[0].input_schema")
    refused(s, body(tools=[*TOOLS, {"name": "a b", "input_schema": {}}]), "invalid_request_error", "tools[3].name")
    refused(s, body(tools=[{"name": "f", "input_schema": {"type": "array"}}]), "invalid_request_error", "tools[0].input_schema")
    refused(s, body(tools=TOOLS, tool_choice={"type": "tool", "name": "g"}), "invalid_request_error", "tool_choice.name")


def test_other_faults_have_their_shape_too(fleet):
    s = fleet["hello"]
    status, headers, data = s.request("POST", PATH, b"{", {"Content-Type": "application/json"})
    assert status == 400 and json.loads(data)["type"] == "error"
    status, headers, data = s.request("POST", PATH, b"{}", {"Content-Type": "text/plain"})
    assert status == 415 and json.loads(data)["error"]["type"] == "invalid_request_error"
    status, headers, data = s.request("GET", PATH)
    assert status == 405
    user_ids = body("u" * 300, metadata={"user_id": "a"})
    assert whole(s, user_ids)["content"]
