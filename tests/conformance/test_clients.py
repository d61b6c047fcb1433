"""Official clients of the APIs that are spoken, against models whose words are known: what they read is what was written."""

import json

import anthropic
import ollama
import openai
import pytest
from langchain_deepseek import ChatDeepSeek
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from harness.fleet import ANSWER, HELLO, THOUGHT

USER = [{"role": "user", "content": "hi"}]
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}


class Number(BaseModel):
    """A number."""

    a: int


def open_ai(server):
    return openai.OpenAI(base_url=f"http://127.0.0.1:{server.port}/v1", api_key="none", max_retries=0)


def claude(server):
    return anthropic.Anthropic(base_url=f"http://127.0.0.1:{server.port}", api_key="none", max_retries=0)


def llama(server):
    return ollama.Client(host=f"http://127.0.0.1:{server.port}")


# ---- openai: responses, parse, tools ----------------------------------------------------------------------------

def test_openai_responses(fleet):
    client = open_ai(fleet["thinker"])
    reply = client.responses.create(model="tiny", input="hi", max_output_tokens=60)
    assert reply.output_text == ANSWER and [i.type for i in reply.output] == ["reasoning", "message"]
    assert reply.output[0].content[0].text == THOUGHT and reply.usage.output_tokens_details.reasoning_tokens > 0
    with client.responses.stream(model="tiny", input="hi", max_output_tokens=60) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert final.output_text == ANSWER and final.status == "completed"
    assert kinds[0] == "response.created" and kinds[-1] == "response.completed" and "response.reasoning_text.delta" in kinds


def test_openai_responses_with_tools(fleet):
    client = open_ai(fleet["tools-two"])
    tools = [{"type": "function", "name": n, "parameters": {"type": "object", "properties": {}}} for n in ("f", "get_time")]
    reply = client.responses.create(model="tiny", input="hi", tools=tools)
    calls = [i for i in reply.output if i.type == "function_call"]
    assert [c.name for c in calls] == ["f", "get_time"] and json.loads(calls[0].arguments) == {"a": 1}
    again = client.responses.create(model="tiny", tools=tools, input=[
        {"role": "user", "content": "hi"}, *reply.output,
        *({"type": "function_call_output", "call_id": c.call_id, "output": "1"} for c in calls)])
    assert again.status == "completed"


def test_openai_parses_structured_output(fleet):
    client = open_ai(fleet["plain"])
    for seed in range(8):
        chat = client.chat.completions.create(model="tiny", messages=USER, seed=seed, max_tokens=200, response_format={
            "type": "json_schema", "json_schema": {"name": "Number", "schema": SCHEMA, "strict": True}})
        if chat.choices[0].finish_reason == "stop":
            break
    asked = {"model": "tiny", "messages": USER, "seed": seed, "max_tokens": 200}
    assert isinstance(client.chat.completions.parse(**asked, response_format=Number).choices[0].message.parsed, Number)
    with client.chat.completions.stream(**asked, response_format=Number) as stream:
        stream.until_done()
        assert isinstance(stream.get_final_completion().choices[0].message.parsed, Number)


def test_openai_streams_tools(fleet):
    tools = [{"type": "function", "function": {"name": n, "parameters": {"type": "object", "properties": {}}}} for n in ("f", "get_time")]
    with open_ai(fleet["tools-two"]).chat.completions.stream(model="tiny", messages=USER, tools=tools) as stream:
        done = [e for e in stream if e.type == "tool_calls.function.arguments.done"]
    assert [(e.name, e.arguments) for e in done] == [("f", '{"a":1}'), ("get_time", "{}")]


def test_openai_errors(fleet):
    client = open_ai(fleet["hello"])
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model="tiny", input="hi", previous_response_id="resp_1")
    assert caught.value.code == "previous_response_not_found" and caught.value.param == "previous_response_id"


# ---- anthropic --------------------------------------------------------------------------------------------------

def test_anthropic_messages(fleet):
    client = claude(fleet["thinker"])
    asked = {"model": "claude-any", "max_tokens": 60, "messages": USER}
    message = client.messages.create(**asked, thinking={"type": "enabled", "budget_tokens": 1024})
    assert [b.type for b in message.content] == ["thinking", "text"] and message.content[1].text == ANSWER
    assert message.content[0].thinking == THOUGHT and message.content[0].signature and message.stop_reason == "end_turn"
    with client.messages.stream(**asked) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == ANSWER and [b.type for b in final.content] == ["thinking", "text"]
    assert final.usage.output_tokens == message.usage.output_tokens
    count = client.messages.count_tokens(model=asked["model"], messages=USER)
    assert count.input_tokens == message.usage.input_tokens + message.usage.cache_read_input_tokens
    again = [*USER, {"role": "assistant", "content": message.content}, *USER]
    assert client.messages.create(**{**asked, "messages": again}).content


def test_anthropic_tools(fleet):
    client = claude(fleet["tools-two"])
    tools = [{"name": n, "input_schema": {"type": "object", "properties": {}}} for n in ("f", "get_time")]
    asked = {"model": "claude-x", "max_tokens": 100, "messages": USER, "tools": tools}
    message = client.messages.create(**asked)
    uses = [b for b in message.content if b.type == "tool_use"]
    assert message.stop_reason == "tool_use" and [(u.name, u.input) for u in uses] == [("f", {"a": 1}), ("get_time", {})]
    with client.messages.stream(**asked) as stream:
        final = stream.get_final_message()
    assert [(b.name, b.input) for b in final.content if b.type == "tool_use"] == [(u.name, u.input) for u in uses]
    results = [{"type": "tool_result", "tool_use_id": u.id, "content": "1"} for u in uses]
    again = [*USER, {"role": "assistant", "content": message.content}, {"role": "user", "content": results}]
    assert client.messages.create(**{**asked, "messages": again}).content


def test_anthropic_errors(fleet):
    client = claude(fleet["hello"])
    with pytest.raises(anthropic.BadRequestError) as caught:
        client.messages.create(model="claude-x", max_tokens=5, messages=[])
    assert caught.value.body["error"]["type"] == "invalid_request_error" and caught.value.request_id.startswith("req_")
    with pytest.raises(anthropic.NotFoundError):
        client.messages.create(model="nope", max_tokens=5, messages=USER)


# ---- ollama -----------------------------------------------------------------------------------------------------

def test_ollama(fleet):
    client = llama(fleet["thinker"])
    options = {"num_predict": 60}
    reply = client.chat(model="tiny", messages=USER, think=True, options=options)
    assert (reply.message.content, reply.message.thinking, reply.done_reason) == (ANSWER, THOUGHT, "stop")
    parts = list(client.chat(model="tiny", messages=USER, stream=True, options=options))
    assert "".join(p.message.content or "" for p in parts) == ANSWER and parts[-1].done and parts[-1].eval_count > 0
    assert client.generate(model="tiny", prompt="hi", options=options).response == ANSWER
    assert [m.model for m in client.list().models] == ["tiny"] and [m.model for m in client.ps().models] == ["tiny"]
    assert "thinking" in client.show("tiny").capabilities
    with pytest.raises(ollama.ResponseError) as caught:
        client.chat(model="nope", messages=USER)
    assert caught.value.status_code == 404


def test_ollama_tools(fleet):
    def get_time() -> str:
        """The time."""
        return "12:00"

    client = llama(fleet["tools-two"])
    reply = client.chat(model="tiny", messages=USER, tools=[get_time])
    assert [(c.function.name, c.function.arguments) for c in reply.message.tool_calls] == [("f", {"a": 1}), ("get_time", {})]
    again = [*USER, reply.message, {"role": "tool", "tool_name": "get_time", "content": get_time()}]
    assert client.chat(model="tiny", messages=again, tools=[get_time]).message


# ---- langchain --------------------------------------------------------------------------------------------------

def chain(server, kind=ChatOpenAI, **fields):
    base = f"http://127.0.0.1:{server.port}/v1"
    where = {"api_base": base} if kind is ChatDeepSeek else {"base_url": base}
    return kind(model="tiny", api_key="none", max_retries=0, **where, **fields)


def test_langchain_invokes_and_streams(fleet):
    model = chain(fleet["hello"], max_tokens=60)
    assert model.invoke("hi").content == HELLO
    assert "".join(part.content for part in model.stream("hi")) == HELLO


def test_langchain_deepseek_reads_reasoning(fleet):
    model = chain(fleet["thinker"], ChatDeepSeek, max_tokens=60)
    reply = model.invoke("hi")
    assert reply.content == ANSWER and reply.additional_kwargs["reasoning_content"] == THOUGHT
    parts = list(model.stream("hi"))
    assert "".join(p.content for p in parts) == ANSWER
    assert "".join(p.additional_kwargs.get("reasoning_content", "") for p in parts) == THOUGHT


@pytest.mark.parametrize("kind", [ChatOpenAI, ChatDeepSeek])
def test_langchain_tools_and_structured_output(fleet, kind):
    def f(a: int) -> int:
        """A function."""
        return a

    reply = chain(fleet["tools-one"], kind, max_tokens=60).bind_tools([f]).invoke("hi")
    assert [(c["name"], c["args"]) for c in reply.tool_calls] == [("f", {"a": "é"})]
    model = chain(fleet["tools-random"], kind, max_tokens=3000).with_structured_output(Number, method="json_schema")
    assert isinstance(model.invoke("hi"), Number)


def test_langchain_speaks_responses(fleet):
    reply = chain(fleet["thinker"], use_responses_api=True, max_tokens=60).invoke("hi")
    assert isinstance(reply.content, list) and reply.text == ANSWER
