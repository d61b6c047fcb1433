"""Fifty greedy answers of the built-in model, stored: python3 tests/e2e/transcript.py writes them anew (after a new training only)."""

import concurrent.futures
import json
import os
import sys
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "conformance"))
from harness import Server  # noqa: E402
from harness.server import ROOT  # noqa: E402

STORED = os.path.join(ROOT, "tests/e2e/tiny_r1_transcript.jsonl")
MODEL = os.path.join(ROOT, "models/tiny-r1")
SUITES = ("addition", "subtraction", "multiplication", "word_problems", "sorting", "dates", "logic", "counting", "json_extraction", "tool_calls",
          "tool_results", "capitals", "translations", "greetings", "identity", "chats", "language_guard")
PROMPTS = 50


def items():
    """The first items of the suites in turn."""
    suites = []
    for name in SUITES:
        with open(os.path.join(ROOT, f"tests/eval/{name}.jsonl"), encoding="utf-8") as f:
            suites.append([json.loads(line) for line in f])
    return [suites[i % len(suites)][i // len(suites)] for i in range(PROMPTS)]


def answer(port, item):
    """What the model said, without what differs from run to run."""
    body = {"model": "m", "messages": item["messages"], "temperature": 0, "max_tokens": 400,
            "chat_template_kwargs": {"thinking": item["thinking"]}, **({"tools": item["tools"]} if "tools" in item else {})}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/chat/completions", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=300) as reply:
        reply = json.load(reply)
    choice = reply["choices"][0]
    message = choice["message"]
    return {"id": item["id"], "thought": message.get("reasoning_content"), "content": message["content"],
            "calls": [[c["function"]["name"], c["function"]["arguments"]] for c in message.get("tool_calls", [])],
            "finish": choice["finish_reason"], "tokens": reply["usage"]["completion_tokens"]}


def answers(*flags):
    server = Server("--numerics", "exact", "--model-name", "m", *flags, model=MODEL).wait_ready()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda item: answer(server.port, item), items()))
    server.wait_idle()
    server.stop()
    return found


def main():
    with open(STORED, "w", encoding="utf-8") as f:
        f.writelines(json.dumps(a, ensure_ascii=False) + "\n" for a in answers())


if __name__ == "__main__":
    main()
