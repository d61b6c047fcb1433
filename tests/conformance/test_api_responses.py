"""The OpenAI Responses API: replies whole and streamed, items in and out, what is refused. Numbers are those of the sheet."""

import json

import jsonschema
import pytest

from harness import events
from harness.fleet import ANSWER, HELLO, THOUGHT

PATH = "/v1/responses"
KEYS = {"id", "object", "created_at", "completed_at", "status", "error", "incomplete_details", "instructions", "model", "output",
        "parallel_tool_calls", "previous_response_id", "reasoning", "store", "temperature", "text", "tool_choice", "tools", "top_p",
        "top_logprobs", "truncation", "usage", "metadata", "user", "max_output_tokens", "service_tier", "background"}
TOOL = {"type": "function", "name": "f", "description": "d", "strict": False,
        "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}}


def body(text="hi", /, **fields):
    return {"model": "tiny", "input": text, "max_output_tokens": 60, **fields}


def whole(server, asked):
    status, reply = server.post(PATH, asked)
    assert status == 200, reply
    return reply


def stream(server, asked):
    status, headers, data = server.request("POST", PATH, {**asked, "stream": True})
    assert status == 200 and headers["Content-Type"].startswith("text/event-stream"), data
    return events.read_named(data)


def refused(server, asked, code, param):
    status, reply = server.post(PATH, asked)
    assert status == 400 and (reply["error"]["code"], reply["error"]["param"]) == (code, param), reply


def without_ids(value):
    if isinstance(value, dict):
        return {k: without_ids(v) for k, v in value.items() if k not in ("id", "call_id", "item_id", "created_at", "completed_at", "usage")}
    return [without_ids(v) for v in value] if isinstance(value, list) else value


# ---- Whole ----------------------------------------------------------------------------------------------------

def test_156_a_string_is_a_message(fleet):
    reply = whole(fleet["hello"], body())
    assert KEYS <= set(reply) and "output_text" not in reply
    assert reply["id"].startswith("resp_") and reply["object"] == "response" and reply["status"] == "completed" and reply["error"] is None
    [message] = reply["output"]
    assert message["id"].startswith("msg_") and message["role"] == "assistant" and message["status"] == "completed"
    assert message["content"] == [{"type": "output_text", "text": HELLO, "annotations": [], "logprobs": []}]
    usage = reply["usage"]
    assert usage["input_tokens"] + usage["output_tokens"] == usage["total_tokens"] and usage["input_tokens_details"]["cached_tokens"] >= 0
    assert reply["metadata"] == {} and reply["tools"] == [] and reply["store"] is False and reply["max_output_tokens"] == 60


def test_the_prompt_is_that_of_the_chat(fleet):
    s = fleet["hello"]
    def chat(*messages):
        return s.post("/v1/chat/completions", {"model": "tiny", "messages": messages, "max_tokens": 2})[1]["usage"]["prompt_tokens"]
    def tokens(asked):
        n = whole(s, body(asked["input"], **{k: v for k, v in asked.items() if k != "input"}))["usage"]["input_tokens"]
        assert s.post(PATH + "/input_tokens", {"model": "tiny", **asked}) == (200, {"object": "response.input_tokens", "input_tokens": n})
        return n
    user, system = {"role": "user", "content": "a\nb"}, {"role": "system", "content": "be kind"}
    assert tokens({"input": "a\nb"}) == chat(user)
    assert tokens({"input": "a\nb", "instructions": "be kind"}) == chat(system, user)
    assert tokens({"input": [{"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "be kind"}]},
                             {"role": "user", "content": [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}]}]}) \
        == chat(system, user)
    assert tokens({"input": [{"role": "user", "content": "a\nb"}, {"role": "assistant", "content": [{"type": "output_text", "text": "c",
                             "annotations": []}], "id": "msg_1", "status": "completed", "type": "message"}, {"role": "user", "content": "d"}]}) \
        == chat(user, {"role": "assistant", "content": "c"}, {"role": "user", "content": "d"})
    assert tokens({"input": ""}) == tokens({"input": []}) == chat({"role": "user", "content": ""})


def test_158_a_limit_leaves_it_incomplete(fleet):
    reply = whole(fleet["hello"], body(max_output_tokens=1))
    assert reply["status"] == "incomplete" and reply["incomplete_details"] == {"reason": "max_output_tokens"}
    assert reply["output"][-1]["status"] == "incomplete" and reply["usage"]["output_tokens"] == 1
    last = stream(fleet["hello"], body(max_output_tokens=1))[-1]
    assert last["type"] == "response.incomplete" and last["response"]["status"] == "incomplete"


def test_reasoning_is_an_item_before_the_message(fleet):
    reply = whole(fleet["thinker"], body(include=["reasoning.encrypted_content"], reasoning={"effort": "high", "summary": "auto"}))
    reasoning, message = reply["output"]
    assert reasoning["type"] == "reasoning" and reasoning["id"].startswith("rs_") and reasoning["summary"] == []
    assert reasoning["content"] == [{"type": "reasoning_text", "text": THOUGHT}] and reasoning["encrypted_content"]
    assert message["content"][0]["text"] == ANSWER and reply["usage"]["output_tokens_details"]["reasoning_tokens"] > 0
    assert reply["reasoning"] == {"effort": "high", "summary": "auto"}
    cut = whole(fleet["thinker"], body(max_output_tokens=3))
    assert [i["type"] for i in cut["output"]] == ["reasoning"] and cut["output"][0]["status"] == "incomplete"
    # what came out goes in again, items of other tools with it
    again = [{"role": "user", "content": "q"}, *reply["output"], {"type": "web_search_call", "id": "w"}, {"role": "user", "content": "r"}]
    assert whole(fleet["thinker"], body(again))["status"] == "completed"


def test_log_probabilities_are_included_where_asked(fleet):
    part = whole(fleet["hello"], body(include=["message.output_text.logprobs"], top_logprobs=2))["output"][0]["content"][0]
    assert "".join(e["token"] for e in part["logprobs"] if "\ufffd" not in e["token"]) and len(part["logprobs"][0]["top_logprobs"]) == 2
    assert bytes(b for e in part["logprobs"] for b in e["bytes"]).decode().startswith(HELLO)
    assert whole(fleet["hello"], body(top_logprobs=2))["output"][0]["content"][0]["logprobs"] == []


# ---- Streams --------------------------------------------------------------------------------------------------

def check_order(seen):
    """Items one after the other, from the announcement to the end; returns the last response."""
    assert [e["sequence_number"] for e in seen] == list(range(len(seen)))
    assert [e["type"] for e in seen[:2]] == ["response.created", "response.in_progress"]
    for event in seen[:2]:
        assert event["response"]["status"] == "in_progress" and event["response"]["output"] == [] and event["response"]["usage"] is None
    items, current, text = [], None, ""
    for event in seen[2:-1]:
        kind = event["type"]
        if kind == "response.output_item.added":
            assert current is None and event["output_index"] == len(items) and event["item"]["status"] == "in_progress"
            current, text = event["item"], ""
            continue
        assert event["output_index"] == len(items)
        if kind == "response.output_item.done":
            assert event["item"]["id"] == current["id"] and event["item"]["type"] == current["type"]
            items.append(event["item"])
            current = None
            continue
        assert event["item_id"] == current["id"]
        if kind.endswith(".delta"):
            text += event["delta"]
        elif kind == "response.content_part.done":
            assert event["part"]["text"] == text
        elif kind.endswith(".done"):
            assert event.get("text", event.get("arguments", event.get("input"))) == text
    assert current is None
    last = seen[-1]["response"]
    assert last["output"] == items and last["usage"]["total_tokens"] > 0
    return last


@pytest.mark.parametrize("name", ["hello", "thinker", "tools-one", "tools-two", "tools-broken", "silent"])
def test_157_streams_announce_what_the_whole_reply_holds(fleet, name):
    asked = body(tools=[TOOL, {**TOOL, "name": "get_time"}]) if name.startswith("tools") else body()
    reply = whole(fleet[name], asked)
    last = check_order(stream(fleet[name], asked))
    assert without_ids(last) == without_ids(reply)


@pytest.mark.parametrize("limit", [1, 3, 4, 6, 7, 8, 9, 12, 20])
def test_streams_that_are_cut(fleet, limit):
    for name in ("thinker", "tools-one", "tools-two"):
        asked = body(max_output_tokens=limit, **({"tools": [TOOL, {**TOOL, "name": "get_time"}]} if name != "thinker" else {}))
        assert without_ids(check_order(stream(fleet[name], asked))) == without_ids(whole(fleet[name], asked))


# ---- Tools ----------------------------------------------------------------------------------------------------

def test_160_calls_go_out_and_their_answers_come_in(fleet):
    tools = [TOOL, {"type": "web_search"}, {"type": "namespace", "name": "n"}, {**TOOL, "name": "get_time"}]
    reply = whole(fleet["tools-two"], body(tools=tools))
    message, first, second = reply["output"]
    assert message["content"][0]["text"] == "Wait." and reply["tools"] == tools
    assert (first["type"], first["name"], first["arguments"], first["status"]) == ("function_call", "f", '{"a":1}', "completed")
    assert first["call_id"].startswith("call_") and first["call_id"] != second["call_id"] and second["name"] == "get_time"
    history = [{"role": "user", "content": "q"}, *reply["output"], {"type": "function_call_output", "call_id": first["call_id"], "output": "1"},
               {"type": "function_call_output", "call_id": second["call_id"], "output": [{"type": "input_text", "text": "12:00"}]}]
    assert whole(fleet["tools-two"], body(history, tools=tools))["status"] == "completed"
    refused(fleet["tools-two"], body([*history, {"type": "function_call_output", "call_id": "call_x", "output": "1"}]), "invalid_value",
            "input[6].call_id")


def test_160_a_forced_call_keeps_to_its_schema(fleet):
    for choice in ({"type": "function", "name": "f"}, {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]}):
        asked = body("go", tools=[TOOL, {**TOOL, "name": "g"}], tool_choice=choice, max_output_tokens=2000)
        reply = whole(fleet["tools-random"], asked)
        calls = [i for i in reply["output"] if i["type"] == "function_call"]
        assert calls and all(c["name"] == "f" for c in calls) and reply["tool_choice"] == choice
        for call in calls:
            if call["status"] == "completed":
                jsonschema.validate(json.loads(call["arguments"]), TOOL["parameters"])


def test_custom_tools_take_text(fleet):
    tools = [{"type": "custom", "name": "shell", "description": "runs"}]
    asked = body("go", tools=tools, tool_choice={"type": "custom", "name": "shell"}, parallel_tool_calls=False, max_output_tokens=2000)
    for seed in range(20):
        reply = whole(fleet["tools-random"], {**asked, "seed": seed})
        calls = [i for i in reply["output"] if i["type"] == "custom_tool_call"]
        if reply["status"] == "completed":
            break
    [call] = calls
    assert call["id"].startswith("ctc_") and call["name"] == "shell" and isinstance(call["input"], str)
    seen = stream(fleet["tools-random"], {**asked, "seed": seed})
    assert without_ids(check_order(seen)["output"]) == without_ids(reply["output"])
    assert "response.custom_tool_call_input.done" in [e["type"] for e in seen]
    history = [{"role": "user", "content": "q"}, call, {"type": "custom_tool_call_output", "call_id": call["call_id"], "output": "done"}]
    assert whole(fleet["tools-one"], body(history, tools=tools))["status"] == "completed"


# ---- Forms ----------------------------------------------------------------------------------------------------

def test_161_formats(fleet):
    schema = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 3, "maximum": 20}}, "required": ["a"],
              "additionalProperties": False}
    for seed in range(5):
        reply = whole(fleet["plain"], body(f"hi {seed}", text={"format": {"type": "json_schema", "name": "n", "schema": schema}}, max_output_tokens=200))
        jsonschema.validate(json.loads(reply["output"][-1]["content"][0]["text"]), schema)
    refused(fleet["plain"], body(text={"format": {"type": "json_schema", "name": "n"}}), "missing_required_parameter", "text.format.schema")
    refused(fleet["plain"], body(text={"format": {"type": "xml"}}), "invalid_value", "text.format.type")
    refused(fleet["plain"], body(text={"format": {"type": "json_schema", "name": "a b", "schema": {}}}), "invalid_value", "text.format.name")
    refused(fleet["plain"], body(text={"format": {"type": "json_schema", "name": "n", "schema": {"type": "hiccup"}}}), "invalid_json_schema",
            "text.format.schema")


# ---- Refusals -------------------------------------------------------------------------------------------------

def test_159_what_a_server_without_a_store_refuses(fleet):
    s = fleet["hello"]
    refused(s, body(previous_response_id="x"), "previous_response_not_found", "previous_response_id")
    refused(s, body(background=True), "unsupported_parameter", "background")
    refused(s, body(conversation="c"), "unsupported_parameter", "conversation")
    refused(s, {"model": "tiny"}, "missing_required_parameter", "input")
    refused(s, body([{"type": "item_reference", "id": "x"}]), "unsupported_value", "input[0].type")
    assert whole(s, body(store=True, background=False, previous_response_id=None))["store"] is False


@pytest.mark.parametrize("fields, code, param", [
    ({"input": 5}, "invalid_type", "input"), ({"input": [5]}, "invalid_type", "input[0]"),
    ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "data:"}]}]}, "unsupported_value", "input[0].content[0].type"),
    ({"input": [{"role": "wizard", "content": "a"}]}, "invalid_value", "input[0].role"),
    ({"input": [{"role": "user"}]}, "missing_required_parameter", "input[0].content"),
    ({"input": [{"type": "sound"}]}, "invalid_value", "input[0].type"),
    ({"input": [{"type": "function_call", "name": "f", "arguments": "{}"}]}, "missing_required_parameter", "input[0].call_id"),
    ({"max_output_tokens": 0}, "integer_below_min_value", "max_output_tokens"),
    ({"temperature": 3}, "decimal_above_max_value", "temperature"), ({"include": ["x"]}, "invalid_value", "include[0]"),
    ({"reasoning": {"effort": "huge"}}, "invalid_value", "reasoning.effort"), ({"truncation": "some"}, "invalid_value", "truncation"),
    ({"top_logprobs": 21}, "integer_above_max_value", "top_logprobs"), ({"metadata": {"a": 1}}, "invalid_type", "metadata"),
    ({"tool_choice": "required"}, "invalid_value", "tool_choice"), ({"input": "x" * 5000}, "context_length_exceeded", "input"),
])
def test_faults_are_told_in_the_senders_names(fleet, fields, code, param):
    status, reply = fleet["hello"].post(PATH, {**body(), **fields})
    assert status == 400 and (reply["error"]["code"], reply["error"]["param"]) == (code, param), reply
    assert reply["error"]["message"].startswith(param) or code == "context_length_exceeded"


def test_faults_of_tools(fleet):
    s = fleet["tools-one"]
    refused(s, body(tools=[{"type": "web_search"}, {**TOOL, "name": "a b"}]), "invalid_value", "tools[1].name")
    refused(s, body(tools=[{**TOOL, "parameters": 5}]), "invalid_type", "tools[0].parameters")
    refused(s, body(tools=[{"name": "f"}]), "missing_required_parameter", "tools[0].type")
    refused(s, body(tools=[TOOL], tool_choice={"type": "function", "name": "g"}), "invalid_value", "tool_choice.name")
    refused(s, body(tools=[TOOL], tool_choice={"type": "web_search"}), "unsupported_value", "tool_choice.type")


def test_truncation_drops_the_oldest(fleet):
    s, long = fleet["hello"], [{"role": "user" if i % 2 == 0 else "assistant", "content": f"{i} " + "x" * 60} for i in range(21)]
    refused(s, body(long), "context_length_exceeded", "input")
    reply = whole(s, body(long, truncation="auto", instructions="be kind"))
    assert reply["status"] == "completed" and 350 < reply["usage"]["input_tokens"] <= 512 - 60
    refused(s, body("x" * 5000, truncation="auto"), "context_length_exceeded", "input")
