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
RESPONSE = {"model": "tiny", "max_output_tokens": 3, "instructions": "s", "stream": False, "temperature": 1, "top_logprobs": 1, "metadata": {"a": "b"},
            "include": ["message.output_text.logprobs", "reasoning.encrypted_content"], "reasoning": {"effort": "low"}, "truncation": "auto",
            "text": {"format": {"type": "text"}, "verbosity": "low"}, "tools": [], "tool_choice": "none", "previous_response_id": None,
            "input": [{"role": "user", "content": [{"type": "input_text", "text": "a"}]},
                      {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "r"}], "encrypted_content": "cg=="},
                      {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "b"}]},
                      {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
                      {"type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "x"},
                      {"type": "function_call_output", "call_id": "c1", "output": "1"},
                      {"type": "custom_tool_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "2"}]}]}
RESPONSE_CALLS = {"model": "tiny", "max_output_tokens": 40, "input": "a", "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [
                      {"type": "function", "name": "f"}, {"type": "custom", "name": "g"}]},
                  "text": {"format": {"type": "text"}}, "stream": True,
                  "tools": [{"type": "function", "name": "f", "parameters": SCHEMA, "strict": False}, {"type": "custom", "name": "g"}, {"type": "mcp"}]}
MESSAGE = {"model": "claude-x", "max_tokens": 3, "system": [{"type": "text", "text": "s"}], "stream": False, "stop_sequences": ["q"], "top_k": 3,
           "thinking": {"type": "enabled", "budget_tokens": 5, "display": "omitted"}, "metadata": {"user_id": "u"},
           "output_config": {"effort": "low"},
           "messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]},
                        {"role": "assistant", "content": [{"type": "thinking", "thinking": "t", "signature": "s"}, {"type": "text", "text": "b"},
                                                          {"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}}]},
                        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": [{"type": "text", "text": "r"}],
                                                      "is_error": True}, {"type": "text", "text": "d"}]},
                        {"role": "assistant", "content": "so"}]}
MESSAGE_CALLS = {"model": "claude-x", "max_tokens": 40, "stream": True, "messages": [{"role": "user", "content": "a"}],
                 "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
                 "tools": [{"name": "f", "description": "d", "input_schema": SCHEMA, "strict": False}, {"type": "bash_1", "name": "bash"}]}
OLLAMA = {"model": "tiny:latest", "stream": True, "think": "low", "format": "", "keep_alive": "5m",
          "options": {"num_predict": 3, "temperature": 0.5, "top_k": 5, "stop": ["q"], "seed": 1, "repeat_penalty": 1.1},
          "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "", "thinking": "t", "tool_calls": [
                           {"function": {"name": "f", "arguments": {"a": 1}}}]}, {"role": "tool", "tool_name": "f", "content": "1"}]}
GENERATE = {"model": "tiny", "prompt": "a", "system": "s", "raw": False, "suffix": "", "options": {"num_predict": 3}, "stream": False,
            "format": SCHEMA}
NATIVE = {"prompt": ["a", 1], "n_predict": 3, "n_probs": 2, "return_tokens": True, "logit_bias": [[5, 1.5], [6, False]], "stop": ["q"], "top_k": 3}
INFILL = {"input_prefix": "a", "input_suffix": "b", "prompt": "c", "input_extra": [{"filename": "f", "text": "t"}], "n_predict": 2, "stream": False}
EMBEDDING = {"model": "tiny", "input": ["a", "b"], "encoding_format": "float", "dimensions": 4, "pooling": "last", "user": "u"}
DIALECTS = [("/v1/embeddings", EMBEDDING), ("/api/embed", EMBEDDING), ("/completion", NATIVE), ("/infill", INFILL), ("/v1/responses", RESPONSE), ("/v1/responses", RESPONSE_CALLS), ("/v1/responses/input_tokens", RESPONSE), ("/v1/messages", MESSAGE),
            ("/v1/messages", MESSAGE_CALLS), ("/v1/messages/count_tokens", MESSAGE), ("/api/chat", OLLAMA), ("/api/generate", GENERATE),
            ("/invocations", MESSAGE), ("/invocations", RESPONSE)]
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


def check_refusal(path, reply):
    """Every surface has its own shape."""
    if "/messages" in path:
        assert sorted(reply) == ["error", "request_id", "type"] and reply["type"] == "error"
        assert sorted(reply["error"]) == ["message", "type"] and reply["error"]["message"]
    elif path.startswith("/api/"):
        assert list(reply) == ["error"] and isinstance(reply["error"], str) and reply["error"]
    else:
        check_error(reply)


def streamed(path, data):
    if path.startswith("/api/"):
        return [json.loads(line) for line in data.splitlines()]
    if path in ("/completion", "/infill"):
        return [json.loads(frame[6:]) for frame in data.decode().split("\n\n")[:-1]]
    return events.read(data) if data.endswith(b"data: [DONE]\n\n") else events.read_named(data)


def check_reply(path, status, headers, data, where):
    assert status < 500, where
    if headers["Content-Type"].startswith(("text/event-stream", "application/x-ndjson")):
        for event in streamed(path, data):
            assert "error" not in event and event.get("type") not in ("error", "response.failed"), where
        return
    assert headers["Content-Type"].startswith("application/json"), where
    reply = json.loads(data)
    if status == 200:
        assert isinstance(reply, list) or not reply.get("error"), where
    else:
        check_refusal(path, reply)


def send_mutations(s, rng, targets, rounds):
    seen = set()
    for _ in range(rounds):
        path, body = rng.choice(targets)
        data = mutate_value(rng, body)
        if rng.random() < 0.4:
            data = mutate_bytes(rng, data)
        status, headers, reply = s.request("POST", path, data, {"Content-Type": "application/json"})
        check_reply(path, status, headers, reply, f"{path} {data!r}\ngot {status} {reply!r}"[:6000])
        error = json.loads(reply)["error"] if status != 200 else None
        seen.add(error["code"] if isinstance(error, dict) and "code" in error else status)
    return seen


@pytest.mark.parametrize("name", ["plain", "thinker", "tools-random"])
def test_179_mutations(fleet, name):
    seen = send_mutations(fleet[name], random.Random(179), TARGETS, ROUNDS // 3)
    assert {200, "invalid_json", "invalid_type", "invalid_value", "missing_required_parameter"} <= seen


@pytest.mark.parametrize("dialect", ["/v1/responses", "/v1/messages", "/api/", "/invocations", ("/completion", "/infill", "/v1/embeddings")])
def test_179_mutations_of_dialects(fleet, dialect):
    targets = [t for t in DIALECTS if t[0].startswith(dialect)]
    for name in ("thinker", "tools-random"):
        assert 200 in send_mutations(fleet[name], random.Random(180), targets, ROUNDS // 2)
