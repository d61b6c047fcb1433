"""The built-in model, where meaning matters: a sum is right, a tool is called, thought and answer are split, a stream joins to the whole."""

import json
import os
import re
import shutil
import subprocess
import time

import openai
import pydantic
import pytest

import transcript
from harness import Server
from harness.server import ROOT, binary

MODEL = os.path.join(ROOT, "models/tiny-r1")
pytestmark = pytest.mark.skipif(not os.path.exists(os.path.join(MODEL, "model.safetensors")), reason="the weights of tiny-R1 are not here yet")

MODEL_EXIT = 74
WEATHER = {"type": "function", "function": {"name": "get_weather", "description": "Get the weather of a city.", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}
PROMPTS = (
    {"messages": [{"role": "user", "content": "What is 257 + 48?"}], "extra_body": {"chat_template_kwargs": {"thinking": True}}},
    {"messages": [{"role": "user", "content": "What is 257 + 48?"}]},
    {"messages": [{"role": "user", "content": "What is the weather in Paris?"}], "tools": [WEATHER]},
    {"messages": [{"role": "user", "content": "Hello!"}], "tools": [WEATHER]},
    {"messages": [{"role": "user", "content": "Quelle est la capitale de la France ?"}]},
    {"messages": [{"role": "user", "content": "عاصمة فرنسا؟"}]},
)


@pytest.fixture(scope="module")
def client():
    server = Server("--numerics", "exact", "--model-name", "m", model=MODEL).wait_ready()
    with openai.OpenAI(base_url=f"http://127.0.0.1:{server.port}/v1", api_key="none", max_retries=0, timeout=120) as c:
        yield c
    server.wait_idle()
    server.stop()


def ask(client, **request):
    return client.chat.completions.create(model="m", temperature=0, max_tokens=640, **request)


def thought_of(message):
    return (message.model_extra or {}).get("reasoning_content")


def test_a_sum_is_thought_through_and_right(client):
    choice = ask(client, **PROMPTS[0]).choices[0]
    assert choice.finish_reason == "stop"
    assert "305" in choice.message.content and "think" not in choice.message.content
    assert "= 305" in thought_of(choice.message) and "think" not in thought_of(choice.message)


def test_a_thought_can_be_switched_off(client):
    message = ask(client, **PROMPTS[0] | {"extra_body": {"chat_template_kwargs": {"thinking": False}}}).choices[0].message
    assert thought_of(message) is None and "305" in message.content


def test_a_tool_is_called_and_its_result_is_told(client):
    choice = ask(client, **PROMPTS[2]).choices[0]
    assert choice.finish_reason == "tool_calls"
    call = choice.message.tool_calls[0]
    assert (call.function.name, json.loads(call.function.arguments)) == ("get_weather", {"city": "Paris"})
    messages = [*PROMPTS[2]["messages"], choice.message.model_dump(exclude_none=True),
                {"role": "tool", "tool_call_id": call.id, "content": '{"temperature": 21}'}]
    told = ask(client, messages=messages, tools=[WEATHER]).choices[0]
    assert told.finish_reason == "stop" and "21" in told.message.content


def test_no_tool_is_called_where_none_helps(client):
    choice = ask(client, **PROMPTS[3]).choices[0]
    assert choice.finish_reason == "stop" and not choice.message.tool_calls and choice.message.content
    choice = ask(client, **PROMPTS[2] | {"tool_choice": "none"}).choices[0]
    assert not choice.message.tool_calls


def test_a_question_in_french_is_answered_in_french(client):
    content = ask(client, **PROMPTS[4]).choices[0].message.content
    assert re.search(r"Paris", content) and not re.search(r"\b(the|is|ist)\b", content)


def joined(chunks):
    """(content, thought, calls, finish reason) of a stream."""
    content, thought, calls, finish = "", "", {}, None
    for chunk in chunks:
        for choice in chunk.choices:
            content += choice.delta.content or ""
            thought += thought_of(choice.delta) or ""
            finish = choice.finish_reason or finish
            for part in choice.delta.tool_calls or []:
                call = calls.setdefault(part.index, ["", ""])
                call[0] += part.function.name or ""
                call[1] += part.function.arguments or ""
    return content, thought, [tuple(c) for _, c in sorted(calls.items())], finish


@pytest.mark.parametrize("request_", PROMPTS, ids=range(len(PROMPTS)))
def test_a_stream_joins_to_the_whole_reply(client, request_):
    choice = ask(client, **request_).choices[0]
    calls = [(c.function.name, c.function.arguments) for c in choice.message.tool_calls or []]
    whole = choice.message.content or "", thought_of(choice.message) or "", calls, choice.finish_reason
    assert joined(ask(client, stream=True, **request_)) == whole


# ---- The files ------------------------------------------------------------------------------------------------

CLEAN = {k: v for k, v in os.environ.items() if not k.startswith("SEEKD_") and k != "PORT"}


def install(tmp_path):
    """A program with the model beside it, as `make install` lays them."""
    os.makedirs(tmp_path / "bin")
    shutil.copy(binary(), tmp_path / "bin/seekd")
    shutil.copytree(MODEL, tmp_path / "share/seekd/models/tiny-r1", ignore=shutil.ignore_patterns("train"))
    return tmp_path / "bin/seekd", tmp_path / "share/seekd/models/tiny-r1"


# ---- Held to a form -------------------------------------------------------------------------------------------

class Person(pydantic.BaseModel):
    name: str
    age: int


class GetWeather(pydantic.BaseModel):
    city: str


def test_the_sdk_parses_what_a_schema_asks_for(client):
    question = [{"role": "user", "content": "Extract the name and the age: Anna is 31 years old."}]
    for thinking in (False, True):
        choice = client.chat.completions.parse(model="m", messages=question, temperature=0, max_tokens=640, response_format=Person,
                                               extra_body={"chat_template_kwargs": {"thinking": thinking}}).choices[0]
        assert choice.finish_reason == "stop" and isinstance(choice.message.parsed, Person)
        assert bool(thought_of(choice.message)) == thinking


def test_a_forced_tool_is_called_whatever_is_said(client):
    tool = openai.pydantic_function_tool(GetWeather, name="get_weather")
    for choice in ("required", {"type": "function", "function": {"name": "get_weather"}}):
        reply = client.chat.completions.parse(model="m", messages=[{"role": "user", "content": "Hello!"}], temperature=0, max_tokens=640,
                                              tools=[tool], tool_choice=choice).choices[0]
        assert reply.finish_reason == "tool_calls"
        assert all(isinstance(c.function.parsed_arguments, GetWeather) for c in reply.message.tool_calls)


def test_a_budget_ends_the_thought_and_an_answer_follows(client):
    question = {"messages": [{"role": "user", "content": "Combien font 1234 + 4321 ?"}],
                "extra_body": {"chat_template_kwargs": {"thinking": True}, "thinking_budget": 8, "thinking_pull": 0, "report": True}}
    reply = ask(client, **question)
    assert thought_of(reply.choices[0].message).endswith("je réponds maintenant.") and reply.choices[0].message.content
    assert reply.model_extra["report"]["governor"]["acted"] == "budget"


def test_it_is_found_from_any_directory_and_says_what_it_is(tmp_path):
    program, _ = install(tmp_path)
    out = tmp_path / "out"
    with open(out, "w") as f:
        server = subprocess.Popen([program, "serve", "--port", "0"], stdout=f, stderr=subprocess.STDOUT, cwd="/", env=CLEAN)
    deadline = time.monotonic() + 30
    while "ready model=" not in out.read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    server.terminate()
    assert server.wait(30) == 0
    text = out.read_text()
    assert "demonstration model" in text and "serves tiny-r1" in text and text.count("curl") == 3
    asked = subprocess.run([program, "run", "--temperature", "0", "--thinking", "on"], input="What is 257 + 48?", capture_output=True, text=True,
                           cwd="/", timeout=60, env=CLEAN)
    assert asked.returncode == 0 and "305" in asked.stdout, asked.stderr


def test_a_damaged_file_is_named_by_its_sum(tmp_path):
    program, model = install(tmp_path)
    weights = model / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(data)
    done = subprocess.run([program, "serve", "--port", "0"], capture_output=True, text=True, timeout=30, env=CLEAN)
    assert done.returncode == MODEL_EXIT and "model.safetensors is damaged: its SHA-256 is" in done.stderr


def test_the_sums_beside_it_are_the_files_own():
    lines = open(os.path.join(MODEL, "SHA256SUMS"), encoding="utf-8").read().splitlines()
    assert len(lines) == 5
    done = subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=MODEL, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert sum(os.path.getsize(os.path.join(MODEL, line.split()[1])) for line in lines) <= 16 << 20


# ---- The transcript -------------------------------------------------------------------------------------------

def instruction_sets():
    """Those this processor has; ref, the plain form, everywhere."""
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        flags = set(next(line for line in f if line.startswith("flags")).split())
    known = (("ref", set()), ("avx2", {"avx2", "fma", "f16c"}), ("avx512", {"avx512f", "avx512bw", "avx512vl", "avx512dq"}),
             ("avx512_vnni", {"avx512f", "avx512bw", "avx512vl", "avx512dq", "avx512_vnni"}))
    return [name for name, needed in known if needed <= flags]


@pytest.mark.parametrize("isa", instruction_sets())
def test_fifty_answers_are_the_stored_ones_on_every_instruction_set(isa):
    with open(transcript.STORED, encoding="utf-8") as f:
        stored = [json.loads(line) for line in f]
    assert len(stored) == transcript.PROMPTS
    assert transcript.answers("--cpu-isa", isa) == stored
