"""The API's fields and errors, case by case: cases/*.json.

A case is {"shows", "items", "server", "path", "method", "body", "each", "status", "reply"}:
  items   what it covers of the conformance sheet
  server  a name of harness/fleet.py (default "plain")
  path    default /v1/chat/completions
  body    put over the smallest valid body of the path; a member that is "<absent>" is taken away.
          A string is sent as it is
  each    further changes of the body: each is sent, each must give the expected reply
  status  default 200
  reply   path -> what must be there: a value, or one of {"type"}, {"keys"}, {"length"}, {"between"}, {"matches"}, {"absent"}
Every refusal must have the shape of an error object, whatever the case says."""

import glob
import json
import os
import re

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = sorted(glob.glob(os.path.join(HERE, "cases", "*.json")))
CHAT = {"model": "tiny", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 4}
SMALLEST = {"/v1/chat/completions": CHAT, "/v1/completions": {"model": "tiny", "prompt": "hi", "max_tokens": 4}}
TYPES = {"string": str, "integer": int, "number": (int, float), "object": dict, "array": list, "boolean": bool}
ABSENT = object()


def find(value, path):
    for step in re.findall(r"[^.\[\]]+|\[\d+\]", path):
        try:
            value = value[int(step[1:-1])] if step[0] == "[" else value[step]
        except (KeyError, IndexError, TypeError):
            return ABSENT
    return value


def matches(value, wanted):
    if not isinstance(wanted, dict):
        return value == wanted and isinstance(value, bool) == isinstance(wanted, bool)
    for kind, what in wanted.items():
        good = {
            "absent": lambda: (value is ABSENT) == what,
            "type": lambda: isinstance(value, TYPES[what]) and isinstance(value, bool) == (what == "boolean"),
            "keys": lambda: isinstance(value, dict) and sorted(value) == sorted(what),
            "length": lambda: len(value) == what,
            "between": lambda: what[0] <= value <= what[1],
            "matches": lambda: re.search(what, value) is not None,
        }[kind]()
        if not good:
            return False
    return True


def check_error(reply):
    assert list(reply) == ["error"], reply
    error = reply["error"]
    assert sorted(error) == ["code", "message", "param", "type"], error
    assert isinstance(error["message"], str) and 0 < len(error["message"]) < 600 and "\n" not in error["message"]
    assert isinstance(error["type"], str)
    assert error["code"] is None or isinstance(error["code"], str)
    assert error["param"] is None or isinstance(error["param"], str)


def bodies(case):
    path, body = case.get("path", "/v1/chat/completions"), case.get("body", {})
    if case.get("method") == "GET":
        return [None]
    if isinstance(body, str):
        return [body.encode("latin-1")]
    made = []
    for change in case.get("each", [{}]):
        if isinstance(change, str):
            made.append(change.encode("latin-1"))
            continue
        whole = {**SMALLEST.get(path, {}), **body, **change}
        made.append(json.dumps({k: v for k, v in whole.items() if v != "<absent>"}).encode())
    return made


@pytest.mark.parametrize("file", CASES, ids=[os.path.basename(c)[:-5] for c in CASES])
def test_case(fleet, file):
    with open(file) as f:
        case = json.load(f)
    unknown = set(case) - {"shows", "items", "server", "path", "method", "body", "each", "status", "reply"}
    assert not unknown, unknown
    server = fleet[case.get("server", "plain")]
    for body in bodies(case):
        headers = {"Content-Type": "application/json"} if body is not None else {}
        status, fields, data = server.request(case.get("method", "POST"), case.get("path", "/v1/chat/completions"), body, headers)
        where = f"{case['shows']}\nsent {body!r:.2000}\ngot {status} {data!r:.2000}"
        assert status == case.get("status", 200), where
        assert re.fullmatch(r"req_\S+", fields["x-request-id"]), where
        reply = json.loads(data)
        if status >= 400:
            check_error(reply)
        for path, wanted in case.get("reply", {}).items():
            assert matches(find(reply, path), wanted), f"{path} is not {wanted}: {where}"
