"""A thousand mutations of valid bodies: no fault of the server, no crash, and every answer has the form it must have."""

import copy
import json
import os
import random

import pytest

from harness import events
from test_api_cases import check_error

ROUNDS = 20000 if os.environ.get("SEEKD_TEST_LONG") else 1000
VALUES = [None, True, False, 0, 1, -1, 5.0, 0.5, -0.0, 1e308, 2**31, 2**53, 2**63, -(2**63), 2**64, "", "x", "\u0000", "\ud83d\ude00", "5",
          "true", "x" * 5000, [], {}, [[]], [{}], [None], {"": None}, {"type": "text"}, ["x"] * 20, [1, "a"], [1, 2], {"a": {"b": {"c": []}}}]
FULL_CHAT = {
    "model": "tiny", "max_tokens": 3, "temperature": 0.7, "top_p": 0.9, "top_k": 3, "min_p": 0.1, "seed": 4, "n": 2, "stop": ["q", "zz"],
    "frequency_penalty": 0.5, "presence_penalty": 0.5, "repetition_penalty": 1.1, "logit_bias": {"5": 1}, "logprobs": True, "top_logprobs": 2,
    "stream": False, "user": "u", "metadata": {"a": "b"}, "service_tier": "auto", "tools": [], "tool_choice": "none", "user_id": "u",
    "response_format": {"type": "text"}, "thinking": {"type": "enabled"}, "reasoning_effort": "low", "stop_token_ids": [7],
    "chat_template_kwargs": {"thinking": False}, "cache_salt": "s", "min_tokens": 1, "return_token_ids": True,
    "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": [{"type": "text", "text": "a"}]},
                 {"role": "assistant", "content": None, "reasoning_content": "r",
                  "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
                 {"role": "tool", "tool_call_id": "c1", "content": "1"}, {"role": "user", "content": "b", "name": "n"}]}
FULL_COMPLETION = {"model": "tiny", "prompt": ["a", "b"], "max_tokens": 3, "n": 2, "echo": True, "logprobs": 1, "best_of": 2, "stream": False,
                   "stop": "q", "seed": 1, "logit_bias": {"7": -5}, "temperature": 1, "suffix": None, "parse_special": True}
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 0, "maximum": 99}, "b": {"enum": ["x", None, [1]]},
                                           "c": {"type": "array", "items": {"$ref": "#/$defs/s"}, "maxItems": 2}},
          "required": ["a"], "additionalProperties": False, "$defs": {"s": {"type": "string", "pattern": "^[ab]{1,3}$", "maxLength": 3}}}
PLAIN_CHAT = {"model": "tiny", "max_tokens": 40, "messages": [{"role": "user", "content": "a"}]}
FORMS = [{"response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": SCHEMA, "strict": True}}},
         {"structured_outputs": {"json": SCHEMA}}, {"structured_outputs": {"choice": ["a", "b"]}}, {"regex": "[ab]{1,3}(c|d)*"},
         {"grammar": 'root ::= "a" item*\nitem ::= "b" | "(" root ")"'}]
CALLS = {**PLAIN_CHAT, "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [
            {"type": "function", "function": {"name": "f"}}]}}, "parallel_tool_calls": False,
         "tools": [{"type": "function", "function": {"name": "f", "strict": True, "parameters": {**SCHEMA, "required": ["a", "b", "c"]}}},
                   {"type": "function", "function": {"name": "g", "description": "d"}}]}
TARGETS = [("/v1/chat/completions", {**FULL_CHAT, "stream": True, "stream_options": {"include_usage": True}}), ("/v1/chat/completions", FULL_CHAT),
           ("/v1/completions", FULL_COMPLETION), ("/tokenize", {"content": "abc", "with_pieces": True}), ("/detokenize", {"tokens": [1, 2, 3]}),
           ("/apply-template", {"messages": FULL_CHAT["messages"]}), *(("/v1/chat/completions", {**PLAIN_CHAT, **f}) for f in FORMS),
           ("/v1/completions", {"model": "tiny", "prompt": "a", "max_tokens": 40, **FORMS[0]}), ("/v1/chat/completions", CALLS)]


def places(value, path=()):
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
    for key, child in children:
        yield from places(child, (*path, key))


def mutate_value(rng, body):
    body = json.loads(json.dumps(body))
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        path = rng.choice([p for p in places(body) if p])
        parent = body
        for key in path[:-1]:
            parent = parent[key]
        action = rng.randrange(4)
        if action == 0:
            del parent[path[-1]]
        elif action == 1 and isinstance(parent, list):
            parent.insert(path[-1], copy.deepcopy(rng.choice(VALUES)))
        elif action == 2 and isinstance(parent, dict):
            parent[rng.choice(["", "x", "type", "content", "stream", "n"])] = copy.deepcopy(parent[path[-1]])
        else:
            parent[path[-1]] = copy.deepcopy(rng.choice(VALUES))
        if not any(p for p in places(body) if p):
            break
    return json.dumps(body, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")


def mutate_bytes(rng, data):
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 8])):
        at, action = rng.randrange(len(data)), rng.randrange(5)
        if action == 0:
            data[at] = rng.choice(b'"\\{}[]:,0e-.\x00\x1f\x7f\xc3\xff\xed nt')
        elif action == 1:
            del data[at:at + rng.randrange(1, 9)]
        elif action == 2:
            data[at:at] = data[at:at + rng.randrange(1, 60)]
        elif action == 3:
            data = data[:max(at, 1)]
        else:
            data[at:at] = rng.choice([b"[" * 150, b'{"a":' * 150, b"1e999", b"9" * 400, b"\\ud800", b"\xef\xbb\xbf", b'"\\u0000"', b"/**/", b","])
        if not data:
            break
    return bytes(data)


def check_reply(status, headers, data, where):
    assert status < 500, where
    if headers["Content-Type"].startswith("text/event-stream"):
        for event in events.read(data):
            assert "error" not in event, where
        return
    assert headers["Content-Type"].startswith("application/json"), where
    reply = json.loads(data)
    if status == 200:
        assert isinstance(reply, dict) and "error" not in reply, where
    else:
        check_error(reply)


@pytest.mark.parametrize("name", ["plain", "thinker", "tools-random"])
def test_mutations(fleet, name):
    s, rng, seen = fleet[name], random.Random(179), set()
    for _ in range(ROUNDS // 3):
        path, body = rng.choice(TARGETS)
        data = mutate_value(rng, body)
        if rng.random() < 0.4:
            data = mutate_bytes(rng, data)
        status, headers, reply = s.request("POST", path, data, {"Content-Type": "application/json"})
        check_reply(status, headers, reply, f"{path} {data!r}\ngot {status} {reply!r}"[:6000])
        seen.add(status if status == 200 else json.loads(reply)["error"]["code"])
    assert {200, "invalid_json", "invalid_type", "invalid_value", "missing_required_parameter"} <= seen
