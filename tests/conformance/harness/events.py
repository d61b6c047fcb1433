"""Streams of server-sent events, read strictly, and joined to what the whole reply would say."""

import json


def read(data):
    """The events' JSON values; the frames are checked byte by byte."""
    text = data.decode("utf-8")
    assert text.endswith("data: [DONE]\n\n"), text[-200:]
    values = []
    for frame in text[:-2].split("\n\n"):
        if frame.startswith(":"):
            assert frame == ": keep-alive"
            continue
        assert frame.startswith("data: ") and "\n" not in frame, frame
        values.append(frame[6:])
    assert values.pop() == "[DONE]" and "[DONE]" not in values
    return [json.loads(v) for v in values]


def _add(into, part):
    for key, value in part.items():
        if isinstance(value, str) and isinstance(into.get(key), str) and key != "role":
            into[key] += value
        elif value is not None or key not in into:
            into[key] = value


def _add_scores(into, part):
    if part is None:
        return into
    into = into or {k: ([] if isinstance(v, list) else v) for k, v in part.items()}
    for key, value in part.items():
        if isinstance(value, list):
            into[key] = into[key] + value
    return into


def join(events):
    """choice index -> {"message" or "text", "logprobs", "finish_reason", "stop_reason", "token_ids"} of chunks."""
    choices = {}
    for event in events:
        assert len(event["choices"]) <= 1
        for c in event["choices"]:
            made = choices.setdefault(c["index"], {"logprobs": None, "finish_reason": None})
            assert made["finish_reason"] is None, "a chunk after the last"
            if "delta" in c:
                _add(made.setdefault("message", {}), c["delta"])
            else:
                made["text"] = made.get("text", "") + c["text"]
            made["logprobs"] = _add_scores(made["logprobs"], c["logprobs"])
            made["finish_reason"] = c["finish_reason"]
            if "stop_reason" in c:
                made["stop_reason"] = c["stop_reason"]
            if "token_ids" in c:
                made["token_ids"] = made.get("token_ids", []) + c["token_ids"]
    return choices


def read_named(data):
    """The JSON values of events that name their type; each frame's name is the value's."""
    text = data.decode("utf-8")
    assert text.endswith("\n\n") and "[DONE]" not in text, text[-200:]
    values = []
    for frame in text[:-2].split("\n\n"):
        if frame.startswith(":"):
            assert frame == ": keep-alive"
            continue
        name, value = frame.split("\n")
        assert name.startswith("event: ") and value.startswith("data: "), frame
        values.append(json.loads(value[6:]))
        assert values[-1]["type"] == name[7:], frame
    return values
