"""The OpenAPI document against the server: it is well formed, its paths are there, and what its schemas refuse is refused by name."""

import json
import os
import subprocess
import sys

import jsonschema
import pytest

LONG = bool(os.environ.get("SEEKD_TEST_LONG"))
CHECKS = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
          "response_schema_conformance", "negative_data_rejection", "unsupported_method", "allow_header_conformance"]
SMALLEST = {"ChatRequest": ("/v1/chat/completions", {"model": "tiny", "messages": [{"role": "user", "content": "a"}], "max_tokens": 2}),
            "CompletionRequest": ("/v1/completions", {"model": "tiny", "prompt": "a", "max_tokens": 2})}
SAMPLES = [True, 3, 0.5, "no such word", [1], {"no such member": 1}]


@pytest.fixture(scope="module")
def document(server):
    return server.get("/openapi.json")


def refs(node):
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        node = list(node.values())
    for child in node if isinstance(node, list) else []:
        yield from refs(child)


def test_it_is_well_formed(document):
    assert document["openapi"] == "3.1.0" and document["info"]["title"] == "seekd"
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    for ref in refs(document):
        assert ref.startswith("#/components/schemas/") and ref.rsplit("/", 1)[1] in schemas, ref


def test_its_paths_are_there(document, server):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"] and "200" in operation["responses"] and "default" in operation["responses"], path
            body = {} if method == "post" else None
            status, headers, data = server.request(method.upper(), path.replace("{id}", "tiny"), body)
            assert status not in (405, 413) and b"unknown_url" not in data, (path, status, data)
            assert status == 200 if method == "get" else status in (200, 400, 404), (path, status, data)
            if status == 200 and data:
                media = headers["Content-Type"].split(";")[0]
                assert media in operation["responses"]["200"]["content"], (path, media)


def is_taken(schema, value):
    return jsonschema.Draft202012Validator(schema).is_valid(value)


def outside(schema):
    """Values that the schema does not take: of other types, and past each of its limits."""
    items = [schema["items"]["const"] if "const" in schema.get("items", {}) else {"integer": 1}.get(schema.get("items", {}).get("type"), "a")]
    near = [*SAMPLES, schema.get("minimum", 0) - 1, schema.get("minimum", 0) - 1e-9, schema.get("maximum", 0) + 1, schema.get("maximum", 0) + 1e-9,
            "x" * (schema.get("maxLength", 0) + 1), items * (schema.get("maxItems", 0) + 1), "", {str(i): "a" for i in range(17)}]
    return [v for v in near if not is_taken(schema, v)]


@pytest.mark.parametrize("kind", SMALLEST)
def test_what_a_schema_refuses_is_refused_by_name(document, server, kind):
    path, smallest = SMALLEST[kind]
    checked, wrong = 0, []
    for name, schema in document["components"]["schemas"][kind]["properties"].items():
        if "$ref" in json.dumps(schema):
            continue
        for value in outside(schema):
            status, reply = server.post(path, {**smallest, name: value})
            param = reply.get("error", {}).get("param") or ""
            if status != 400 or param.replace("[", ".").split(".")[0] != name:
                wrong.append((name, str(value)[:40], status, reply.get("error")))
            checked += 1
    print(f"{checked} values of {kind}")
    assert checked > 200 and not wrong, wrong


@pytest.mark.parametrize("kind", SMALLEST)
def test_what_is_null_is_as_absent(document, server, kind):
    path, smallest = SMALLEST[kind]
    properties = document["components"]["schemas"][kind]["properties"]
    nulls = {name: None for name, schema in properties.items() if is_taken(schema, None) and name not in smallest}
    assert len(nulls) > 60
    status, reply = server.post(path, {**smallest, **nulls})
    assert status == 200, reply
    for name in nulls:
        status, reply = server.post(path, {**smallest, name: None})
        assert status == 200, (name, reply)


@pytest.mark.parametrize("kind", SMALLEST)
def test_the_ends_of_a_range_of_numbers_are_in_it(document, server, kind):
    path, smallest = SMALLEST[kind]
    for name, schema in document["components"]["schemas"][kind]["properties"].items():
        for end in ("minimum", "maximum") if "number" in schema.get("type", ()) else ():
            status, reply = server.post(path, {**smallest, name: schema[end]})
            assert status == 200, (name, schema[end], reply)


def test_requests_made_up_from_it(start_server, tmp_path):
    """schemathesis: bodies that fit the document and bodies that do not; every answer is one that the document tells."""
    s = start_server()
    tool = os.path.join(os.path.dirname(sys.executable), "st")
    command = [tool, "run", f"http://127.0.0.1:{s.port}/openapi.json", "--max-time", "600" if LONG else "120", "--checks", ",".join(CHECKS),
               "--phases", "coverage,fuzzing", "--generation-database", "none", "--no-color", *([] if LONG else ["--seed", "1"])]
    done = subprocess.run(command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    print(done.stdout[-400:])
