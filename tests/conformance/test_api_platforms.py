"""Paths that platforms know: SageMaker's and Azure ML's."""

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
    for body in ({}, {"model": "tiny"}, {"input": "a"}):
        status, reply = server.post("/invocations", body)
        assert status == 400 and reply["error"]["code"] == "missing_required_parameter"
    assert server.post("/invocations", {"model": "nope", "messages": USER})[0] == 404
    assert server.post("/invocations", [])[0] == 400
    assert server.request("POST", "/invocations", b"{}", {"Content-Type": "text/plain"})[0] == 415
    assert server.request("GET", "/invocations")[0] == 405
    assert server.request("GET", "/ping")[0] == 200
