"""Outputs that are held to a form: a model of random logits must keep to it at any temperature. Numbers are those of the sheet."""

import json
import re
import threading
import time

import jsonschema
import pytest

from harness import events

CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
PERSON = {"type": "object", "properties": {
    "name": {"type": "string", "minLength": 1, "maxLength": 12}, "age": {"type": "integer", "minimum": 18, "maximum": 99},
    "tags": {"type": "array", "items": {"enum": ["red", "blue", 3, None]}, "minItems": 1, "maxItems": 3}},
    "required": ["name", "age"], "additionalProperties": False}
TREE = {"type": "object", "properties": {"value": {"type": "boolean"}, "next": {"anyOf": [{"$ref": "#/$defs/end"}, {"$ref": "#"}]}},
        "required": ["value", "next"], "additionalProperties": False, "$defs": {"end": {"type": "null"}}}
SCHEMAS = {
    "person": PERSON,
    "tree": TREE,
    "pattern": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{3}$"},
    "date": {"type": "object", "properties": {"d": {"type": "string", "format": "date"}, "u": {"type": "string", "format": "uuid"}},
             "required": ["d", "u"], "additionalProperties": False},
    "either": {"oneOf": [{"type": "integer", "minimum": -5, "maximum": 5}, {"const": "é\n\""}, {"type": "array", "prefixItems": [
        {"type": "boolean"}, {"type": "null"}], "items": False, "minItems": 2}]},
    "merged": {"allOf": [{"type": "object", "properties": {"a": {"type": "string", "maxLength": 5}}}, {"required": ["a"]}],
               "additionalProperties": False, "properties": {"a": True, "b": {"multipleOf": 7, "type": "integer", "maximum": 1000, "minimum": 0}}},
}


def chat(seed=0, **fields):
    """Another prompt for each seed: the mock's rows are sharp, and hashes of what came before."""
    return {"model": "tiny", "messages": [{"role": "user", "content": f"hi {seed}"}], "max_tokens": 400, "temperature": 1, "seed": seed,
            **fields}


def schema_format(schema, strict=False):
    return {"type": "json_schema", "json_schema": {"name": "s", "schema": schema, "strict": strict}}


def whole(server, body, path=CHAT):
    status, reply = server.post(path, body)
    assert status == 200, reply
    return reply


def content(server, body):
    choice = whole(server, body)["choices"][0]
    assert choice["finish_reason"] == "stop", choice
    return choice["message"]["content"]


def fits(text, schema):
    jsonschema.validate(json.loads(text), schema, jsonschema.Draft202012Validator, format_checker=jsonschema.FormatChecker())


# ---- Schemas --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", SCHEMAS)
def test_097_098_099_random_models_keep_to_schemas(fleet, name):
    seen = set()
    for seed in range(12):
        for strict in (False, True):
            body = chat(seed=seed, temperature=seed % 3, response_format=schema_format(SCHEMAS[name], strict))
            choice = whole(fleet["plain"], body)["choices"][0]
            if choice["finish_reason"] == "length" and name == "tree":
                continue  # it may go on as long as it likes
            assert choice["finish_reason"] == "stop"
            fits(choice["message"]["content"], SCHEMAS[name])
            seen.add(choice["message"]["content"])
    assert len(seen) > 1


def test_096_an_object_of_any_kind(fleet):
    finished = 0
    for seed in range(30):
        choice = whole(fleet["plain"], chat(seed=seed, response_format={"type": "json_object"}))["choices"][0]
        if choice["finish_reason"] == "stop":
            assert isinstance(json.loads(choice["message"]["content"]), dict)
            finished += 1
    assert finished >= 3


def test_097_every_field_that_asks_for_a_schema(fleet):
    for fields in ({"guided_json": PERSON}, {"guided_json": json.dumps(PERSON)}, {"json_schema": PERSON}, {"json_schema": json.dumps(PERSON)},
                   {"structured_outputs": {"json": PERSON, "disable_any_whitespace": True}},
                   {"response_format": {"type": "json_object", "schema": PERSON}}):
        fits(content(fleet["plain"], chat(seed=5, **fields)), PERSON)
    choice = whole(fleet["plain"], chat(structured_outputs={"json_object": True}, max_tokens=8))["choices"][0]
    assert choice["message"]["content"].startswith("{")


def test_097_completions_are_held_to_it_too(fleet):
    body = {"model": "tiny", "prompt": ["a", "b"], "n": 3, "max_tokens": 400, "seed": 1, "guided_json": PERSON}
    choices = whole(fleet["plain"], body, COMPLETIONS)["choices"]
    assert len(choices) == 6 and len({c["text"] for c in choices}) > 3
    for choice in choices:
        assert choice["finish_reason"] == "stop"
        fits(choice["text"], PERSON)


def test_101_what_cannot_be_held_to_is_named(fleet):
    schema = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 0, "maximum": 9, "not": {"const": 3}}}, "required": ["a"]}
    status, headers, data = fleet["plain"].request("POST", CHAT, chat(max_tokens=30, response_format=schema_format(schema)))
    assert status == 200 and headers["x-seekd-warnings"] == "not enforced: #/properties/a/not not", headers
    again = fleet["plain"].request("POST", CHAT, chat(max_tokens=30, stream=True, response_format=schema_format(schema)))
    assert again[1]["x-seekd-warnings"] == headers["x-seekd-warnings"]
    assert "x-seekd-warnings" not in fleet["plain"].request("POST", CHAT, chat(response_format=schema_format(PERSON)))[1]


def test_107_a_limit_cuts_it(fleet):
    choice = whole(fleet["plain"], chat(max_tokens=5, response_format=schema_format(PERSON)))["choices"][0]
    assert choice["finish_reason"] == "length" and choice["message"]["content"].startswith("{")


def test_108_attacks_cost_their_sender_alone(fleet):
    server = fleet["plain"]
    deep = {"type": "string"}
    for _ in range(12):  # twice as much each time
        deep = {"anyOf": [deep, {"type": "array", "items": deep}]}
    nested = {"type": "integer"}
    for i in range(12):
        nested = {"oneOf": [{"type": "object", "properties": {f"p{i}": nested}}, {"type": "array", "items": nested}]}
    wide = {"enum": [f"{i:040}" for i in range(100000)]}
    attacks = [deep, nested, wide, {"type": "string", "pattern": "((a{1,500}){1,500}){1,500}b"}, {"type": "string", "maxLength": 100000},
               {"properties": {f"k{i}": {} for i in range(3000)}}]
    latencies, stop = [], threading.Event()

    def flow():
        while not stop.is_set():
            begin = time.monotonic()
            whole(server, chat(max_tokens=2))
            latencies.append(time.monotonic() - begin)

    thread = threading.Thread(target=flow)
    thread.start()
    try:
        for schema in attacks:
            begin = time.monotonic()
            status, reply = server.post(CHAT, chat(max_tokens=20, response_format=schema_format(schema)))
            assert status in (200, 400), reply
            assert status == 200 or reply["error"]["code"] in ("invalid_json_schema", "invalid_value", "request_too_large"), reply
            assert time.monotonic() - begin < 5
    finally:
        stop.set()
        thread.join()
    assert len(latencies) > 3 and max(latencies) < 3


def test_109_streams_give_the_same(fleet):
    for seed in range(5):
        body = chat(seed=seed, response_format=schema_format(PERSON))
        status, _, data = fleet["plain"].request("POST", CHAT, {**body, "stream": True})
        assert status == 200
        joined = "".join(c["choices"][0]["delta"].get("content") or "" for c in events.read(data))
        assert joined == content(fleet["plain"], body)
        fits(joined, PERSON)


def test_110_the_thought_is_free_and_the_answer_is_not(fleet):
    thoughts = set()
    for seed in range(8):
        body = chat(seed=seed, max_tokens=3000, thinking={"type": "enabled"}, response_format=schema_format(PERSON, True))
        choice = whole(fleet["tools-random"], body)["choices"][0]
        if choice["finish_reason"] == "length":
            continue
        fits(choice["message"]["content"], PERSON)
        thoughts.add(choice["message"]["reasoning_content"])
    assert len(thoughts) >= 4
    body = chat(seed=1, thinking={"type": "disabled"}, response_format=schema_format(PERSON, True))
    message = whole(fleet["tools-random"], body)["choices"][0]["message"]
    assert "reasoning_content" not in message
    fits(message["content"], PERSON)


# ---- Other forms ----------------------------------------------------------------------------------------------

def test_103_one_of_the_choices(fleet):
    choices = ["a", "ab", "über", "two words"]
    seen = {content(fleet["plain"], chat(seed=s, **f)) for s in range(20)
            for f in ({"structured_outputs": {"choice": choices}}, {"guided_choice": choices})}
    assert seen <= set(choices) and len(seen) > 1


def test_104_expressions(fleet):
    for seed in range(10):
        assert re.fullmatch("[0-9]{3}", content(fleet["plain"], chat(seed=seed, temperature=2, structured_outputs={"regex": "[0-9]{3}"})))
        assert re.fullmatch("(a|é)+b?", content(fleet["plain"], chat(seed=seed, regex="(a|é)+b?")))
        assert re.fullmatch("x{1,3}", content(fleet["plain"], chat(seed=seed, guided_regex="^x{1,3}$")))


def test_106_grammars(fleet):
    balanced = 'root ::= "(" root? ")" root?'
    for seed in range(5):
        assert content(fleet["plain"], chat(seed=seed, grammar='root ::= "a"{5}')) == "aaaaa"
        choice = whole(fleet["plain"], chat(seed=seed, ebnf=balanced))["choices"][0]
        depth = 0
        for c in choice["message"]["content"]:
            depth += {"(": 1, ")": -1}[c]
            assert depth >= 0
        assert depth == 0 or choice["finish_reason"] == "length"


def test_stop_strings_and_least_lengths_still_hold(fleet):
    choice = whole(fleet["plain"], chat(regex="abcabc", stop="ca"))["choices"][0]
    assert choice["message"]["content"] == "ab" and choice["stop_reason"] == "ca"
    assert content(fleet["plain"], chat(regex="abc", min_tokens=100)) == "abc"
    assert content(fleet["plain"], chat(regex="abc", ignore_eos=True)) == "abc"


def test_what_the_bias_bans_cannot_be_said(fleet):
    status, reply = fleet["plain"].post(CHAT, chat(regex="abc", logit_bias={str(ord("b")): -100}))
    assert status == 400 and "language" in reply["error"]["message"], reply


def test_choices_of_one_request_are_as_alone(fleet):
    body = chat(seed=3, n=4, response_format=schema_format(PERSON))
    texts = [c["message"]["content"] for c in whole(fleet["plain"], body)["choices"]]
    assert texts == [c["message"]["content"] for c in whole(fleet["plain"], body)["choices"]] and len(set(texts)) > 1
    for text in texts:
        fits(text, PERSON)


# ---- Calls ----------------------------------------------------------------------------------------------------

TOOLS = [{"type": "function", "function": {"name": "look_up", "parameters": PERSON}},
         {"type": "function", "function": {"name": "get_time"}}]


def calls(server, **fields):
    choice = whole(server, chat(tools=TOOLS, max_tokens=3000, **fields))["choices"][0]
    if choice["finish_reason"] == "length":
        return []
    assert choice["finish_reason"] == "tool_calls" and choice["message"]["content"] is None, choice
    for call in choice["message"]["tool_calls"]:
        assert re.fullmatch("call_.{16,}", call["id"]) and call["type"] == "function"
        if call["function"]["name"] == "look_up":
            fits(call["function"]["arguments"], PERSON)
        else:
            assert call["function"] == {"name": "get_time", "arguments": "{}"}
    return [c["function"]["name"] for c in choice["message"]["tool_calls"]]


@pytest.mark.parametrize("thinking", ["enabled", "disabled"])
def test_111_112_115_117_forced_calls(fleet, thinking):
    server, seen = fleet["tools-random"], []
    for seed in range(16):
        more = {"seed": seed, "temperature": seed % 3, "thinking": {"type": thinking}}
        seen += calls(server, tool_choice="required", **more)
        assert len(calls(server, tool_choice="required", parallel_tool_calls=False, **more)) <= 1
        named = calls(server, tool_choice={"type": "function", "function": {"name": "get_time"}}, **more)
        assert set(named) <= {"get_time"}
        allowed = {"mode": "required", "tools": [{"type": "function", "function": {"name": "look_up"}}]}
        assert set(calls(server, tool_choice={"type": "allowed_tools", "allowed_tools": allowed}, **more)) <= {"look_up"}
    assert {"look_up", "get_time"} == set(seen)


def test_strict_tools_are_held_to_their_schema_without_being_forced(fleet):
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
    tools = [{"type": "function", "function": {"name": "f", "strict": True, "parameters": schema}}]
    n_calls = 0
    for seed in range(40):
        message = whole(fleet["tools-random"], chat(tools=tools, seed=seed, max_tokens=1500))["choices"][0]["message"]
        for call in message.get("tool_calls", []):
            assert call["function"]["name"] == "f" and json.loads(call["function"]["arguments"])["ok"] in (True, False)
            n_calls += 1
    assert n_calls > 0


def test_a_form_or_calls_where_both_are_offered(fleet):
    seen = set()
    for seed in range(12):
        body = chat(seed, tools=TOOLS, response_format=schema_format(PERSON))
        choice = whole(fleet["tools-random"], body)["choices"][0]
        if choice["finish_reason"] == "stop":
            fits(choice["message"]["content"], PERSON)
        seen.add(choice["finish_reason"])
    assert "stop" in seen and seen & {"tool_calls", "length"}


def test_forced_calls_do_not_continue_a_text(fleet):
    body = chat(tools=TOOLS, tool_choice="required")
    body["messages"] = [*body["messages"], {"role": "assistant", "content": "Well", "prefix": True}]
    status, reply = fleet["tools-random"].post(CHAT, body)
    assert status == 400 and reply["error"]["param"] == "tool_choice"
