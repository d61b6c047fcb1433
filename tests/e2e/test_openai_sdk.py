"""The official OpenAI SDK against the default model: whole and streamed replies, errors as its exception classes, retries."""

import time

import httpx
import openai
import pytest

QUESTION = [{"role": "user", "content": "What is the capital of France?"}]


@pytest.fixture(scope="module")
def client(real):
    with openai.OpenAI(base_url=f"http://127.0.0.1:{real.port}/v1", api_key="none", max_retries=0) as c:
        yield c


def test_the_model_is_listed(client):
    assert [m.id for m in client.models.list()] == ["m"]
    assert client.models.retrieve("m").object == "model"


def test_a_question_gets_the_right_answer(client):
    reply = client.chat.completions.create(model="m", messages=QUESTION, temperature=0, max_tokens=40)
    assert "Paris" in reply.choices[0].message.content
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens


def test_a_stream_joins_to_the_whole_reply(client):
    whole = client.chat.completions.create(model="m", messages=QUESTION, temperature=0, max_tokens=40)
    parts, finish, usage, roles = [], [], None, 0
    for chunk in client.chat.completions.create(model="m", messages=QUESTION, temperature=0, max_tokens=40, stream=True,
                                                stream_options={"include_usage": True}):
        assert chunk.system_fingerprint == whole.system_fingerprint
        usage = chunk.usage or usage
        for choice in chunk.choices:
            roles += choice.delta.role == "assistant"
            parts.append(choice.delta.content or "")
            finish += [choice.finish_reason] if choice.finish_reason else []
    assert "".join(parts) == whole.choices[0].message.content
    assert finish == ["stop"] and roles == 1
    assert usage.completion_tokens == whole.usage.completion_tokens


def test_completions_score_a_prompt(client):
    reply = client.completions.create(model="m", prompt="The capital of France is Paris", echo=True, max_tokens=0, logprobs=2)
    scores = reply.choices[0].logprobs
    assert reply.choices[0].text == "The capital of France is Paris"
    assert "".join(scores.tokens) == reply.choices[0].text
    assert scores.token_logprobs[0] is None and all(p <= 0 for p in scores.token_logprobs[1:])
    assert len(scores.tokens) == len(scores.text_offset) == reply.usage.prompt_tokens


def test_choices_and_log_probabilities(client):
    reply = client.chat.completions.create(model="m", messages=QUESTION, n=3, seed=4, max_tokens=6, logprobs=True, top_logprobs=4)
    assert [c.index for c in reply.choices] == [0, 1, 2]
    for c in reply.choices:
        assert b"".join(bytes(e.bytes) for e in c.logprobs.content).decode() == c.message.content
        for e in c.logprobs.content:
            tops = [t.logprob for t in e.top_logprobs]
            assert len(tops) == 4 and tops == sorted(tops, reverse=True) and max(tops) <= 0


def test_choice_zero_is_the_single_choice(client):
    ask = {"model": "m", "messages": QUESTION, "seed": 11, "temperature": 1, "max_tokens": 10}
    one = client.chat.completions.create(**ask).choices[0].message.content
    assert client.chat.completions.create(**ask, n=3).choices[0].message.content == one
    assert client.chat.completions.create(**ask).choices[0].message.content == one


@pytest.mark.parametrize("change, kind", [
    ({"temperature": 9}, openai.BadRequestError),
    ({"model": "unknown"}, openai.NotFoundError),
    ({"messages": []}, openai.BadRequestError),
    ({"max_tokens": 100000}, openai.BadRequestError),
])
def test_errors_are_the_sdks_own_classes(client, change, kind):
    with pytest.raises(kind) as caught:
        client.chat.completions.create(**{"model": "m", "messages": QUESTION, "max_tokens": 4, **change})
    assert caught.value.request_id.startswith("req_")
    assert caught.value.body["message"] and "code" in caught.value.body


def test_a_wrong_key_is_an_authentication_error(start_server):
    s = start_server("--api-key", "right-key")
    for key, works in (("right-key", True), ("wrong-key", False)):
        with openai.OpenAI(base_url=f"http://127.0.0.1:{s.port}/v1", api_key=key, max_retries=0) as c:
            if works:
                assert c.chat.completions.create(model="tiny", messages=QUESTION, max_tokens=2).choices
            else:
                with pytest.raises(openai.AuthenticationError):
                    c.models.list()


def test_the_sdk_retries_while_the_model_loads(start_server):
    s = start_server("--mock-script", "load_ms=1200", ready=False)
    with openai.OpenAI(base_url=f"http://127.0.0.1:{s.port}/v1", api_key="none", max_retries=6) as c:
        start = time.monotonic()
        assert c.chat.completions.create(model="tiny", messages=QUESTION, max_tokens=2).choices
        assert time.monotonic() - start < 30


def test_a_client_that_closes_its_stream_frees_the_place(real, client):
    stream = client.chat.completions.create(model="m", messages=QUESTION, max_tokens=1000, stream=True, extra_body={"ignore_eos": True})
    for _, chunk in zip(range(5), stream):
        assert chunk.choices
    stream.close()
    real.wait_idle(5)


def test_a_time_out_of_the_client_cancels_its_request(real, client):
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=httpx.Timeout(0.5, connect=5)).chat.completions.create(
            model="m", messages=QUESTION, max_tokens=1500, extra_body={"ignore_eos": True})
    real.wait_idle(5)


def test_embeddings_are_near_where_texts_are(client):
    texts = ["A cat sleeps on the sofa.", "The kitten is lying on the couch.", "Interest rates rose by half a percent."]
    data = client.embeddings.create(model="m", input=texts).data
    near, far = (sum(a * b for a, b in zip(data[0].embedding, data[i].embedding)) for i in (1, 2))
    assert near > far + 0.02
    alone = client.embeddings.create(model="m", input=texts[1]).data[0].embedding
    assert alone == data[1].embedding
