"""Embeddings: forms of input and output, pooling, errors; Ollama's form of the same."""

import base64
import math
import struct

import ollama
import openai
import pytest

PATH, WIDTH = "/v1/embeddings", 16


def embed(server, text, **fields):
    status, reply = server.post(PATH, {"model": "tiny", "input": text, **fields})
    assert status == 200, reply
    return [d["embedding"] for d in reply["data"]]


def test_a_text_becomes_a_vector_of_length_one(fleet):
    status, reply = fleet["plain"].post(PATH, {"model": "tiny", "input": "abc"})
    assert status == 200 and reply["object"] == "list" and reply["model"] == "tiny"
    [item] = reply["data"]
    assert (item["object"], item["index"], len(item["embedding"])) == ("embedding", 0, WIDTH)
    assert math.isclose(sum(x * x for x in item["embedding"]), 1, rel_tol=1e-6)
    assert reply["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    assert embed(fleet["plain"], "abc") == [item["embedding"]] != embed(fleet["plain"], "abd")


def test_inputs_of_every_form(fleet):
    s = fleet["plain"]
    [a], [b] = embed(s, "abc"), embed(s, "xyz")
    assert embed(s, ["abc", "xyz", "abc"]) == [a, b, a]
    ids = s.post("/tokenize", {"content": "abc"})[1]["tokens"]
    assert embed(s, ids) == [a] and embed(s, [ids, ids]) == [a, a]
    many = embed(s, [f"text {i}" for i in range(100)])
    assert many[37] == embed(s, "text 37")[0]


def test_outputs_of_every_form(fleet):
    s = fleet["plain"]
    [plain], [coded] = embed(s, "abc"), embed(s, "abc", encoding_format="base64")
    assert list(struct.unpack(f"<{WIDTH}f", base64.b64decode(coded))) == pytest.approx(plain, abs=1e-7)
    [short] = embed(s, "abc", dimensions=4)
    scale = math.sqrt(sum(x * x for x in plain[:4]))
    assert short == pytest.approx([x / scale for x in plain[:4]], abs=1e-6)
    assert embed(s, "abc", pooling="last") != embed(s, "abc", pooling="mean") == [plain]
    assert embed(s, "a", pooling="last") == embed(s, "a", pooling="mean")


def test_the_last_state_is_that_of_cached_prompts_too(fleet):
    text = "x" * 200
    first = embed(fleet["plain"], text, pooling="last")
    assert embed(fleet["plain"], text, pooling="last") == first
    mean = embed(fleet["plain"], text)
    assert embed(fleet["plain"], [text, text]) == mean * 2


@pytest.mark.parametrize("fields, code, param", [
    ({"input": ""}, "invalid_value", "input"), ({"input": []}, "empty_array", "input"), ({"input": None}, "missing_required_parameter", "input"),
    ({"input": 5}, "invalid_type", "input"), ({"input": ["a", ""]}, "invalid_value", "input"), ({"input": [[999999]]}, "invalid_value", "input"),
    ({"input": "x" * 5000}, "context_length_exceeded", "input"), ({"dimensions": 17}, "integer_above_max_value", "dimensions"),
    ({"dimensions": 0}, "integer_below_min_value", "dimensions"), ({"encoding_format": "hex"}, "invalid_value", "encoding_format"),
    ({"pooling": "first"}, "invalid_value", "pooling"), ({"user": 5}, "invalid_type", "user"), ({"input": ["a"] * 2049}, "array_above_max_length", "input"),
])
def test_faults(fleet, fields, code, param):
    status, reply = fleet["plain"].post(PATH, {"model": "tiny", "input": "a", **fields})
    assert status == 400 and (reply["error"]["code"], reply["error"]["param"]) == (code, param), reply


def test_an_unknown_model(fleet):
    assert fleet["plain"].post(PATH, {"model": "nope", "input": "a"})[0] == 404


def test_official_clients(fleet):
    s = fleet["plain"]
    [plain] = embed(s, "abc")
    client = openai.OpenAI(base_url=f"http://127.0.0.1:{s.port}/v1", api_key="none", max_retries=0)
    reply = client.embeddings.create(model="tiny", input=["abc", "xyz"])
    assert reply.data[0].embedding == pytest.approx(plain, abs=1e-6) and reply.usage.total_tokens == 6
    reply = ollama.Client(host=f"http://127.0.0.1:{s.port}").embed(model="tiny:latest", input=["abc", "xyz"])
    assert list(reply.embeddings[0]) == pytest.approx(plain, abs=1e-6) and len(reply.embeddings) == 2 and reply.prompt_eval_count == 6
