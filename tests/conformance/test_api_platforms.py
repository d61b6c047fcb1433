"""Paths that platforms know: SageMaker's, Azure ML's and Vertex AI's."""

import http.client
import json

import pytest

from harness import events

USER = [{"role": "user", "content": "hi"}]


def test_178_invocations_are_what_their_body_says(fleet):
    server = fleet["hello"]
    for path in ("/invocations", "/score", "/score/"):
        status, reply = server.post(path, {"model": "tiny", "messages": USER, "max_tokens": 40})
        assert status == 200 and reply["object"] == "chat.completion" and reply["choices"][0]["message"]["content"]
        status, reply = server.post(path, {"model": "tiny", "prompt": "a", "max_tokens": 4})
        assert status == 200 and reply["object"] == "text_completion"
    status, headers, data = server.request("POST", "/invocations", {"model": "tiny", "messages": USER, "max_tokens": 40, "stream": True})
    assert status == 200 and headers["Content-Type"].startswith("text/event-stream") and events.read(data)


def test_bad_invocations(fleet):
    server = fleet["hello"]
    for body in ({}, {"model": "tiny"}):
        status, reply = server.post("/invocations", body)
        assert status == 400 and reply["error"]["code"] == "missing_required_parameter"
    assert server.post("/invocations", {"model": "nope", "messages": USER})[0] == 404
    assert server.post("/invocations", [])[0] == 400
    assert server.request("POST", "/invocations", b"{}", {"Content-Type": "text/plain"})[0] == 415
    assert server.request("GET", "/invocations")[0] == 405
    assert server.request("GET", "/ping")[0] == 200


def test_invocations_know_every_dialect(fleet):
    server = fleet["hello"]
    reply = server.post("/invocations", {"model": "tiny", "input": "hi", "max_output_tokens": 40})[1]
    assert reply["object"] == "response" and reply["status"] == "completed"
    reply = server.post("/invocations", {"model": "claude-x", "max_tokens": 40, "system": "s", "messages": USER})[1]
    assert reply["type"] == "message" and reply["stop_reason"] == "end_turn"


# ---- Vertex AI ------------------------------------------------------------------------------------------------

def instance(text="hi", **fields):
    return {"@requestFormat": "chatCompletions", "messages": [{"role": "user", "content": text}], "max_tokens": 40, **fields}


def test_177_instances_are_answered_in_order(fleet):
    server = fleet["hello"]
    status, reply = server.post("/predict", {"instances": [instance(max_tokens=n) for n in (3, 40, 1)] + [{"prompt": "a", "max_tokens": 2}]})
    assert status == 200 and list(reply) == ["predictions"]
    assert [p["object"] for p in reply["predictions"]] == ["chat.completion"] * 3 + ["text_completion"]
    assert [p["usage"]["completion_tokens"] for p in reply["predictions"]][::2] == [3, 1]
    alone = server.post("/v1/chat/completions", {"model": "tiny", "messages": USER, "max_tokens": 40})[1]
    assert reply["predictions"][1]["choices"] == alone["choices"]
    reply = server.post("/predict", {"instances": [{"messages": USER}] * 20, "parameters": {"max_tokens": 2, "temperature": 0}})[1]
    assert [p["usage"]["completion_tokens"] for p in reply["predictions"]] == [2] * 20


def test_a_body_without_instances_is_an_invocation(fleet):
    server = fleet["hello"]
    assert server.post("/predict", {"model": "tiny", "messages": USER, "max_tokens": 4})[1]["object"] == "chat.completion"
    status, headers, data = server.request("POST", "/predict", {"model": "tiny", "messages": USER, "max_tokens": 4, "stream": True})
    assert status == 200 and events.read(data)


@pytest.mark.parametrize("body, status, param", [
    ({"instances": []}, 400, "instances"), ({"instances": 5}, 400, "instances"), ({"instances": [5]}, 400, "instances[0]"),
    ({"instances": [instance(), instance(temperature=9)]}, 400, "instances[1].temperature"),
    ({"instances": [instance(stream=True)]}, 400, "instances[0].stream"), ({"instances": [instance()], "parameters": 5}, 400, "parameters"),
    ({"instances": [{"@requestFormat": "x"}]}, 400, "instances[0].@requestFormat"), ({"instances": [{}]}, 400, "instances[0].prompt"),
    ({"instances": [instance(), {"model": "nope", "messages": USER}]}, 404, "instances[1].model"),
    ({"instances": [instance("x" * 5000)]}, 400, "instances[0].messages"),
])
def test_the_first_bad_instance_decides(fleet, body, status, param):
    got, reply = fleet["hello"].post("/predict", body)
    assert got == status and reply["error"]["param"] == param, reply
    assert reply["error"]["message"].startswith(param) or reply["error"]["code"] == "context_length_exceeded"


def test_a_client_that_leaves_frees_all_its_instances(fleet):
    server = fleet["slow"]
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("POST", "/predict", json.dumps({"instances": [instance()] * 6}), {"Content-Type": "application/json"})
    server.wait_for(lambda: server.metric("seekd_requests_running") > 0, 10)
    connection.close()
    server.wait_idle(2)


def test_177_vertex_chooses_paths_and_port(start_server):
    server = start_server("--mock-script", "vocabulary=512", env={"AIP_HEALTH_ROUTE": "/vertex/health", "AIP_PREDICT_ROUTE": "/vertex/predict:x"})
    assert server.request("GET", "/vertex/health")[0] == 200
    for path in ("/vertex/predict:x", "/predict"):
        assert len(server.post(path, {"instances": [instance(max_tokens=2)] * 2})[1]["predictions"]) == 2
    assert server.request("GET", "/vertex/predict:x")[0] == 405 and server.request("POST", "/vertex/health", b"")[0] == 405
