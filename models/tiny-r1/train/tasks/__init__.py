"""What the task generators share. One module per kind, found by its KIND; `make(rng, language, held_out)` gives an Example.

An example is a conversation whose last message is the reply to learn, and the checks that a right reply passes: the same rows that
`seekd eval` reads (docs/eval.md). Everything follows from `rng`: equal seeds give equal examples on any machine."""

import hashlib
import importlib
import json
import os
import pkgutil
from dataclasses import dataclass, field

LANGUAGES = ("en", "fr", "de", "es", "zh", "ar")
HELD_OUT_SHARE = 8  # one value combination in eight is for evaluation only
HELD_OUT_EVERY = 4  # and one phrasing in four


@dataclass
class Example:
    kind: str
    language: str
    messages: list = field(default_factory=list)  # OpenAI form; the last one is the assistant's reply
    tools: list = field(default_factory=list)     # OpenAI function tools offered
    thinking: bool = True                         # the reply begins with a thought, messages[-1]["reasoning_content"]
    checks: list = field(default_factory=list)
    fim: tuple = ()                               # (prefix, suffix, middle) instead of messages
    text: tuple = ()                              # (given, learned): plain text instead of messages, only trained on


def reply(content, reasoning=None, calls=()):
    """An assistant message. `calls` is a list of (name, arguments as a dict)."""
    message = {"role": "assistant", "content": content}
    if reasoning is not None:
        message["reasoning_content"] = reasoning
    if calls:
        message["tool_calls"] = [{"id": f"call_{i}", "type": "function",
                                  "function": {"name": name, "arguments": json.dumps(arguments, ensure_ascii=False, separators=(", ", ": "))}}
                                 for i, (name, arguments) in enumerate(calls)]
    return message


def ask(kind, language, question, content, reasoning=None, checks=(), system=None):
    """The usual example: one question, one reply; it thinks where a thought is given."""
    messages = [{"role": "system", "content": system}] if system else []
    messages += [{"role": "user", "content": question}, reply(content, reasoning)]
    return Example(kind, language, messages, thinking=reasoning is not None, checks=list(checks))


def pick(rng, phrasings, held_out):
    """One of the phrasings: every fourth of the list, at least the last one, is for evaluation, the rest for training."""
    held = range(HELD_OUT_EVERY - 1, len(phrasings), HELD_OUT_EVERY) or (len(phrasings) - 1,)
    return rng.choice([p for i, p in enumerate(phrasings) if (i in held) == held_out])


def is_held_out(kind, *values):
    """Whether a combination of values belongs to evaluation only: decided by a hash, so that no generator needs a list."""
    digest = hashlib.sha256(repr((kind, *values)).encode()).digest()
    return digest[0] % HELD_OUT_SHARE == 0


def draw(rng, kind, held_out, make_values):
    """Draws values until they lie on the wanted side. For kinds with so few values that a side may be empty, use pick alone."""
    for _ in range(1000):
        values = make_values()
        if is_held_out(kind, *values) == held_out:
            return values
    raise ValueError(f"{kind}: no values on this side of the split")


def number_check(value):
    return {"type": "number", "value": value}


def exact_check(*values):
    return {"type": "exact", "values": list(values)}


def contains_check(*values):
    return {"type": "contains", "values": list(values)}


def regex_check(pattern):
    return {"type": "regex", "pattern": pattern}


def json_check(value, schema=None):
    return {"type": "json", "value": value, **({"schema": schema} if schema else {})}


def calls_check(*calls):
    return {"type": "tool_calls", "calls": [{"name": n, "arguments": a} for n, a in calls]}


def language_check(language):
    return {"type": "language", "language": language}


def trained_kinds():
    """Every generator by its kind, in alphabetical order."""
    found = {}
    for info in pkgutil.iter_modules([os.path.dirname(__file__)]):
        module = importlib.import_module(f"{__name__}.{info.name}")
        if hasattr(module, "KIND"):
            found[module.KIND] = module
    return dict(sorted(found.items()))


def kinds():
    """Those that are evaluated too."""
    return {kind: module for kind, module in trained_kinds().items() if not getattr(module, "ONLY_TRAINED", False)}
