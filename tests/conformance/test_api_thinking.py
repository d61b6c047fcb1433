"""The governor of thoughts: budgets, loops, answers asked for; the thought ends, the reply does not."""

import http.client
import json
import threading

import jsonschema
import pytest

from harness import events
from harness.fleet import ANSWER, SETTINGS, THOUGHT

CHAT = "/v1/chat/completions"
ENGLISH, FRENCH = "I have thought about this long enough and answer now.", "J’ai assez réfléchi, je réponds maintenant."
BRIDGE_TOKENS_MAX = len(f"\n\n{ENGLISH}\n") + 1  # where each byte is a token; then the mark


def chat(text="What is two and two?", **fields):
    return {"model": "tiny", "messages": [{"role": "user", "content": text}], "max_tokens": 300, "report": True, **fields}


def whole(server, body):
    status, reply = server.post(CHAT, body)
    assert status == 200, reply
    return reply


def acted(reply):
    return reply["report"]["governor"]["acted"]


@pytest.mark.parametrize("fields", [{"thinking_budget": 3}, {"thinking_token_budget": 3}, {"thinking": {"type": "enabled", "budget_tokens": 3}},
                                    {"thinking_budget": 3, "thinking_token_budget": 3}])
def test_a_budget_closes_the_thought_and_the_answer_follows(fleet, fields):
    reply = whole(fleet["thinker"], chat(**fields))
    message = reply["choices"][0]["message"]
    assert message["reasoning_content"] == f"{THOUGHT[:3]}\n\n{ENGLISH}"
    assert 3 + 20 < reply["usage"]["completion_tokens_details"]["reasoning_tokens"] <= 3 + BRIDGE_TOKENS_MAX
    assert acted(reply) == "budget"


def test_the_bridge_speaks_the_language_of_the_question(fleet):
    reply = whole(fleet["thinker"], chat("Combien font deux et deux, et pourquoi est-ce que cela est vrai ?", thinking_budget=0))
    assert reply["choices"][0]["message"]["reasoning_content"] == FRENCH


def test_a_budget_that_is_enough_changes_nothing(fleet):
    reply = whole(fleet["thinker"], chat(thinking_budget=100))
    assert (reply["choices"][0]["message"]["reasoning_content"], reply["choices"][0]["message"]["content"]) == (THOUGHT, ANSWER)
    assert acted(reply) is None and acted(whole(fleet["thinker"], chat())) is None


def test_streams_choices_and_logprobs_are_as_ever(fleet):
    body = chat(thinking_budget=2, n=3, logprobs=True, top_logprobs=2)
    reply = whole(fleet["thinker"], body)
    for choice in reply["choices"]:
        assert choice["message"]["reasoning_content"] == f"{THOUGHT[:2]}\n\n{ENGLISH}"
    status, _, data = fleet["thinker"].request("POST", CHAT, {**chat(thinking_budget=2), "stream": True})
    chunks = events.read(data)
    assert status == 200
    joined = "".join(c["choices"][0]["delta"].get("reasoning_content") or "" for c in chunks if c["choices"])
    assert joined == f"{THOUGHT[:2]}\n\n{ENGLISH}" and acted(chunks[-1]) == "budget"


def test_a_forced_thought_and_a_form(fleet):
    schema = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 0, "maximum": 9}}, "required": ["a"],
              "additionalProperties": False}
    for budget in (0, 5):
        reply = whole(fleet["tools-random"], chat(thinking={"type": "enabled"}, thinking_budget=budget, max_tokens=1000,
                                                  response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}))
        message = reply["choices"][0]["message"]
        if acted(reply) == "budget":
            assert message["reasoning_content"].endswith(ENGLISH)
        jsonschema.validate(json.loads(message["content"]), schema)


def test_efforts_have_budgets(start_server, all_fleet):
    path = all_fleet.model("thinker")
    flags = [*SETTINGS["thinker"], "--thinking-budget-low", "2", "--thinking-budget", "4"]
    server = start_server(*flags, model=path)
    for effort, length in (("low", 2), ("high", None), (None, 4)):
        reply = whole(server, chat(**({"reasoning_effort": effort} if effort else {})))
        reasoning = reply["choices"][0]["message"]["reasoning_content"]
        assert reasoning == (f"{THOUGHT[:length]}\n\n{ENGLISH}" if length else THOUGHT)


def test_a_thought_in_circles_ends(fleet):
    reply = whole(fleet["thinker-in-circles"], chat())
    message = reply["choices"][0]["message"]
    assert message["reasoning_content"].endswith(ENGLISH) and 100 < len(message["reasoning_content"]) < 190 and acted(reply) == "loop"
    assert message["content"] and reply["choices"][0]["finish_reason"] == "length"  # the answer may go round as it likes
    reply = whole(fleet["thinker-in-circles"], chat(loop_detector=False))
    assert not reply["choices"][0]["message"]["content"] and acted(reply) is None


def test_bad_fields(fleet):
    for fields, code, param in (({"thinking_budget": -1}, "integer_below_min_value", "thinking_budget"),
                                ({"thinking_budget": "x"}, "invalid_type", "thinking_budget"),
                                ({"thinking_budget": 1, "thinking_token_budget": 2}, "invalid_value", "thinking_token_budget"),
                                ({"thinking": {"type": "enabled", "budget_tokens": 1.5}}, "invalid_type", "thinking.budget_tokens"),
                                ({"thinking_pull": 101}, "integer_above_max_value", "thinking_pull"),
                                ({"loop_detector": 1}, "invalid_type", "loop_detector"), ({"report": "yes"}, "invalid_type", "report")):
        status, reply = fleet["thinker"].post(CHAT, chat(**fields))
        assert status == 400 and (reply["error"]["code"], reply["error"]["param"]) == (code, param), reply


# ---- Answer now -----------------------------------------------------------------------------------------------

def begin_stream(server, body, headers=None):
    """The id of a stream that runs, and a function that waits for its chunks."""
    chunks, begun = [], threading.Event()

    def run():
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.request("POST", CHAT, json.dumps({**body, "stream": True}), {"Content-Type": "application/json", **(headers or {})})
        for line in connection.getresponse():
            if line.startswith(b"data: {"):
                chunks.append(json.loads(line[6:]))
                begun.set()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(20)
    return chunks[0]["id"], lambda: (thread.join(30), chunks)[1]


def test_answer_now(fleet):
    server = fleet["thinker-slowly"]
    ident, wait = begin_stream(server, chat(max_tokens=300))
    status, reply = server.post(f"{CHAT}/{ident}/answer_now", {})
    assert (status, reply) == (200, {"id": ident, "accepted": True})
    chunks = wait()
    reasoning = "".join(c["choices"][0]["delta"].get("reasoning_content") or "" for c in chunks if c["choices"])
    assert reasoning.endswith(ENGLISH) and len(reasoning) < 180 and acted(chunks[-1]) == "answer_now"
    status, reply = server.post(f"{CHAT}/{ident}/answer_now", {})
    assert status == 404 and reply["error"]["param"] == "id"


def test_answer_now_is_for_the_key_that_asked(start_server, all_fleet):
    server = start_server(*SETTINGS["thinker-slowly"], "--api-key", "one", "--api-key", "two", model=all_fleet.model("thinker"))
    one, two = ({"Authorization": f"Bearer {k}"} for k in ("one", "two"))
    ident, wait = begin_stream(server, chat(max_tokens=400), one)
    assert server.post(f"{CHAT}/{ident}/answer_now", {}, two)[0] == 404
    assert server.post(f"{CHAT}/{ident}/answer_now", {})[0] == 401
    assert server.post(f"{CHAT}/{ident}/answer_now", {}, one)[0] == 200
    assert acted(wait()[-1]) == "answer_now"


def test_answer_now_of_nothing(fleet):
    server = fleet["thinker"]
    assert server.post(f"{CHAT}/chatcmpl-nobody/answer_now", {})[0] == 404
    assert server.post(f"{CHAT}//answer_now", {})[0] == 404
    assert server.post(f"{CHAT}/a/b/answer_now", {})[0] == 404
    assert server.post(f"{CHAT}/chatcmpl-nobody/answer_now", [])[0] == 400
    assert server.request("GET", f"{CHAT}/chatcmpl-nobody/answer_now")[0] == 405
