"""The language guard: a model of random logits never leaves the scripts it may write in."""

import codecs
import unicodedata

import pytest
import regex

CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"


def chat(text="hi", **fields):
    return {"model": "tiny", "messages": [{"role": "user", "content": text}], "max_tokens": 120, "temperature": 2, **fields}


def whole(server, body, path=CHAT):
    status, reply = server.post(path, body)
    assert status == 200, reply
    return reply["choices"]


def foreign(text, scripts):
    """Characters that are neither of the scripts nor of none or any."""
    return regex.findall("[^\\p{Script=Common}\\p{Script=Inherited}" + "".join(f"\\p{{Script={s}}}" for s in scripts) + "]", text)


@pytest.mark.parametrize("scripts", [["Latn"], ["Arab"], ["Hani"], ["Cyrl", "Latn"], ["grek"]])
def test_random_texts_stay_inside(fleet, scripts):
    named, letters, n = [s.title() for s in scripts], 0, 0
    for seed in range(40):
        for choice in whole(fleet["plain"], chat("1 2 3", seed=seed, n=3, logprobs=True, language_guard=scripts)):
            data = b"".join(bytes(e["bytes"]) for e in choice["logprobs"]["content"])
            text = codecs.getincrementaldecoder("utf-8")().decode(data)  # strict; the limit may cut the last character
            assert not foreign(text, named), (foreign(text, named), text)
            letters += sum(unicodedata.category(c)[0] == "L" for c in text)
            n += 1
    print(f"{n} texts, {letters} letters")
    assert letters > 200


def test_without_the_guard_they_do_not(fleet):
    assert any("\ufffd" in c["message"]["content"] for c in whole(fleet["plain"], chat(n=20, seed=1)))


def test_auto_takes_the_scripts_of_the_conversation(fleet):
    for text, scripts in (("Bonjour, \u00e7a va ?", ["Latn"]), ("\u4f60\u597d\u5417\uff1f", ["Hani"]),
                          ("\u043f\u0440\u0438\u0432\u0435\u0442 hello", ["Cyrl", "Latn"])):
        for choice in whole(fleet["plain"], chat(text, n=8, seed=2, language_guard="auto")):
            assert not foreign(choice["message"]["content"].rstrip("\ufffd"), scripts)
    body = chat("hi", n=8, language_guard="auto")
    body["messages"].insert(0, {"role": "system", "content": "\u0438"})
    for choice in whole(fleet["plain"], body):
        assert not foreign(choice["message"]["content"].rstrip("\ufffd"), ["Latn", "Cyrl"])
    whole(fleet["plain"], chat("1 + 1", language_guard="auto"))  # shows no script: off


def test_what_is_legitimate_passes(fleet):
    hello = whole(fleet["hello"], chat(temperature=0))[0]["message"]["content"]
    assert whole(fleet["hello"], chat(temperature=0, language_guard=["Latn"]))[0]["message"]["content"] == hello
    fenced = whole(fleet["fenced"], chat(temperature=0))[0]["message"]["content"]
    assert "\u0434\u043e\u043c" in fenced
    assert whole(fleet["fenced"], chat(temperature=0, language_guard=["Latn"]))[0]["message"]["content"] == fenced
    quoted = "What does \u043f\u0440\u0438\u0432\u0435\u0442 mean?"
    for choice in whole(fleet["plain"], chat(quoted, n=8, language_guard=["Latn"])):
        assert set(foreign(choice["message"]["content"].rstrip("\ufffd"), ["Latn"])) <= set(quoted)


def test_thought_and_answer_have_guards_of_their_own(fleet):
    n_answers = 0
    for seed in range(8):
        body = chat(f"{seed}", seed=seed, max_tokens=1500, thinking={"type": "enabled"}, thinking_budget=60, thinking_pull=0,
                    language_guard={"reasoning": ["Latn"], "answer": ["Grek"]})
        message = whole(fleet["tools-random"], body)[0]["message"]
        assert not foreign((message.get("reasoning_content") or "").split("\n\nI have")[0], ["Latn"])
        assert not foreign((message["content"] or "").rstrip("\ufffd"), ["Grek"])
        n_answers += bool(message["content"])
    assert n_answers


def test_completions_and_other_forms(fleet):
    choices = whole(fleet["plain"], {"model": "tiny", "prompt": "12", "max_tokens": 60, "n": 8, "language_guard": ["Latn"]}, COMPLETIONS)
    assert all(not foreign(c["text"].rstrip("\ufffd"), ["Latn"]) for c in choices)
    assert whole(fleet["plain"], chat(language_guard=["Latn"], regex="\u0436{2}"))[0]["message"]["content"] == "\u0436\u0436"


@pytest.mark.parametrize("value, code, param", [
    ("on", "invalid_value", "language_guard"), (["Klin"], "invalid_value", "language_guard"), ([], "empty_array", "language_guard"),
    ([5], "invalid_type", "language_guard"), (5, "invalid_type", "language_guard"),
    (["Latn"] * 40, "array_above_max_length", "language_guard"), ({"answer": ["Nope"]}, "invalid_value", "language_guard.answer"),
    ({"reasoning": 1}, "invalid_type", "language_guard.reasoning")])
def test_bad_guards_are_refused(fleet, value, code, param):
    status, reply = fleet["plain"].post(CHAT, chat(language_guard=value))
    assert status == 400 and (reply["error"]["code"], reply["error"]["param"]) == (code, param), reply
