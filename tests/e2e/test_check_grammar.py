"""seekd check-grammar as scripts use it: a schema, JSON texts on lines, a word for each."""

import json
import os
import subprocess

import pytest
from harness.server import binary

USAGE, REFUSED, NO_FILE, MODEL = 64, 65, 66, 74
PERSON = {"type": "object", "properties": {"name": {"type": "string", "minLength": 2}, "age": {"type": "integer", "minimum": 0, "maximum": 150},
                                           "kids": {"type": "array", "items": {"$ref": "#"}}},
          "required": ["name"], "additionalProperties": False}


def check(schema, *lines, arguments=(), path=None, tmp_path=None):
    if path is None:
        path = tmp_path / "schema.json"
        path.write_text(schema if isinstance(schema, str) else json.dumps(schema), encoding="utf-8")
    return subprocess.run([binary(), "check-grammar", *arguments, path], input="".join(line + "\n" for line in lines), capture_output=True,
                          text=True, timeout=60)


def test_each_line_is_answered_whatever_its_white_space_and_order(tmp_path):
    lines = {'{"name":"Bo"}': "accept", ' { "age" : 3 ,"name":"Bo"}': "accept", '{"name":"B"}': "refuse", '{"name":"Bo","age":151}': "refuse",
             '{"kids":[{"kids":[],"name":"Al"}],"name":"Bo"}': "accept", '{"name":"Bo","x":1}': "refuse", '"Bo"': "refuse",
             '{"name":"\\u00e9\\ud83d\\ude00"}': "accept", "not JSON": "refuse"}
    done = check(PERSON, *lines, tmp_path=tmp_path)
    assert done.returncode == 0 and done.stdout.split() == list(lines.values()), done
    assert "line 9 is not JSON" in done.stderr


def test_members_are_put_in_the_order_of_the_part_of_the_schema_that_applies(tmp_path):
    schema = {"properties": {"x": {"properties": {"c": {"minLength": 1}}, "required": ["x"]}, "c": True}}
    done = check(schema, '{"c": 1, "x": {"x": 1, "c": "a"}}', '{"x": {"c": "", "x": 1}}', tmp_path=tmp_path)
    assert done.stdout.split() == ["accept", "refuse"]


@pytest.mark.parametrize("schema,words", [("{", "schema.json:1:"), ({"type": "hiccup"}, "#/type"), ({"$ref": "http://x.y/z"}, "never fetched"),
                                          ({"$ref": "#"}, "nested too deep"), (5, "an object or a boolean"), (False, "no text fits"),
                                          ({"properties": {"a": {"pattern": "a("}}}, "#/properties/a/pattern: at byte 1")])
def test_a_wrong_schema_is_refused_with_its_reason(tmp_path, schema, words):
    done = check(schema, "1", tmp_path=tmp_path)
    assert done.returncode == REFUSED and done.stdout == "" and words in done.stderr


def test_what_cannot_be_held_to_is_named_or_refused(tmp_path):
    schema = {"type": "array", "items": {"not": {"type": "null"}}}
    done = check(schema, "[1]", tmp_path=tmp_path)
    assert done.returncode == 0 and done.stdout == "accept\n" and "#/items/not not" in done.stderr
    done = check(schema, "[1]", arguments=["--strict"], tmp_path=tmp_path)
    assert done.returncode == REFUSED and "#/items/not" in done.stderr


def test_a_grammar_takes_lines_as_they_stand(tmp_path):
    done = check('root ::= item ("," item)*\nitem ::= [a-z]+ | "é"\n', "a,é", "a, b", "", arguments=["--gbnf"], tmp_path=tmp_path)
    assert done.returncode == 0 and done.stdout.split() == ["accept", "refuse", "refuse"]
    done = check("root ::= item", "a", arguments=["--gbnf"], tmp_path=tmp_path)
    assert done.returncode == REFUSED and "line 1: this rule is not defined: item" in done.stderr


def test_a_models_tokens_are_followed_through_each_text(tmp_path, model_file):
    lines = ['{"name":"Bo Müller \\"x\\"","age":42,"kids":[{"name":"中国 and more"}]}', '{"name":"B"}']
    done = check(PERSON, *lines, arguments=["--model", model_file], tmp_path=tmp_path)
    assert done.returncode == 0 and done.stdout.split() == ["accept", "refuse"], done.stderr
    assert "masks over 49152 tokens" in done.stderr and "p99" in done.stderr
    done = check("root ::= [a-z ]+", "several words", arguments=["--gbnf", "--model", model_file], tmp_path=tmp_path)
    assert done.returncode == 0 and done.stdout == "accept\n" and "masks over" in done.stderr
    assert check(PERSON, arguments=["--model", "/no/such/model"], tmp_path=tmp_path).returncode == MODEL


def test_hostile_schemas_end_soon(tmp_path):
    deep = {"type": "string"}
    for i in range(12):
        deep = {"anyOf": [deep, {"type": "integer", "minimum": i}, {"type": "object", "properties": {"a": deep}}]}
    nested = {}
    for _ in range(500):
        nested = {"items": nested}
    cases = [(deep, 0), ({"type": "string", "maxLength": 100000}, 0), ({"enum": [f"v{i}" for i in range(20000)]}, 0), (nested, REFUSED),
             ({"type": "string", "pattern": "^((a{1,100}){1,100}){1,100}$"}, 0), ({"type": "string", "pattern": "(a|b)*a(a|b){30}$"}, 0),
             ({"properties": {f"p{i}": {"type": "integer"} for i in range(1000)}}, 0)]
    for schema, code in cases:
        done = check(schema, '"abab"', tmp_path=tmp_path)
        assert done.returncode == code, (schema if len(str(schema)) < 200 else "", done.stderr[-300:])


def test_wrong_arguments(tmp_path):
    assert check(None, path="/no/such/file").returncode == NO_FILE
    for arguments in ([], ["--loose", "x"], ["a", "b"], ["--gbnf", "--strict", "a"]):
        done = subprocess.run([binary(), "check-grammar", *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=20)
        assert done.returncode == USAGE and "usage:" in done.stderr
    done = subprocess.run([binary(), "check-grammar", "--help"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0 and "usage:" in done.stdout and os.linesep in done.stdout
