"""Servers on the mock device by name: started when a test first asks, shared by all tests that leave them as they were."""

import os

from .model import CONTROL, USER_DEFINED, vocabulary, write_model
from .server import Server

END = vocabulary().index("<|im_end|>")
FIRST_EXTRA = len(vocabulary())
DEEPSEEK = [("<｜begin▁of▁sentence｜>", CONTROL), ("<｜User｜>", CONTROL), ("<｜Assistant｜>", CONTROL), ("<｜end▁of▁sentence｜>", CONTROL),
            ("<think>", USER_DEFINED), ("</think>", USER_DEFINED), ("<｜fim▁begin｜>", CONTROL), ("<｜fim▁hole｜>", CONTROL),
            ("<｜fim▁end｜>", CONTROL), ("<｜tool▁calls▁begin｜>", USER_DEFINED), ("<｜tool▁call▁begin｜>", USER_DEFINED),
            ("[TOOL_CALLS]", CONTROL),
            ("<｜tool▁sep｜>", USER_DEFINED), ("<｜tool▁call▁end｜>", USER_DEFINED), ("<｜tool▁calls▁end｜>", USER_DEFINED)]
BOS, EOS = DEEPSEEK[0][0], DEEPSEEK[3][0]
EXTRA = {t: FIRST_EXTRA + i for i, (t, _) in enumerate(DEEPSEEK)}

HELLO = "Hello, \U0001F30D w\u00f6rld!"
THOUGHT, ANSWER = "Hm, 2+2", "It is 4."


def script(*parts, stop, more=""):
    """The model writes these texts and ids, then the stop token, over and over. In this vocabulary a byte is its own id."""
    ids = [i for p in parts for i in (p.encode() if isinstance(p, str) else [p])]
    return ["--mock-script", f"vocabulary=512;tokens={','.join(map(str, ids))};stop={stop}{more}"]


CALLS_BEGIN, CALL_BEGIN, SEPARATOR, CALL_END, CALLS_END = (EXTRA[f"<｜tool▁{t}｜>"] for t in ("calls▁begin", "call▁begin", "sep", "call▁end", "calls▁end"))
TOOL_FORM = ["--chat-format", "deepseek-v3.1", "--context", "4096"]
THINKS = script(THOUGHT, EXTRA["</think>"], "\n\n" + ANSWER, stop=EXTRA[EOS])
PLAIN = ["--mock-script", "vocabulary=512"]

CALL = '{"name": "f", "arguments": {"a": 1}}'
TWO_CALLS = {  # of f with {"a": 1} and of get_time without arguments, after the word Wait., in each form: parts, chat format
    "fenced": (["Wait.", CALLS_BEGIN, CALL_BEGIN, "function", SEPARATOR, 'f\n```json\n{"a": 1}\n```', CALL_END, "\n", CALL_BEGIN, "function",
                SEPARATOR, "get_time\n```json\n{}\n```", CALL_END, CALLS_END], "deepseek-v3"),
    "dsml": (['Wait.\n\n<｜DSML｜function_calls>\n<｜DSML｜invoke name="f">\n<｜DSML｜parameter name="a" string="false">1</｜DSML｜parameter>\n'
              '</｜DSML｜invoke>\n<｜DSML｜invoke name="get_time">\n</｜DSML｜invoke>\n</｜DSML｜function_calls>'], "deepseek-v3.2"),
    "hermes": ([f'Wait.\n<tool_call>\n{CALL}\n</tool_call>\n<tool_call>\n{{"name": "get_time", "arguments": {{}}}}\n</tool_call>'], "chatml"),
    "llama": (['{"name": "f", "parameters": {"a": 1}}; {"name": "get_time", "parameters": {}}'], "llama-3"),
    "mistral": (["Wait.", EXTRA["[TOOL_CALLS]"], f'[{CALL}, {{"name": "get_time", "arguments": {{}}}}]'], "mistral"),
}

SETTINGS = {
    "plain": PLAIN,
    "hello": script(HELLO, stop=END),
    "fenced": script("```\u0434\u043e\u043c``` ok", stop=END),
    "slow": script(HELLO, stop=END, more=";step_us=20000"),
    "silent": script(END, stop=END),
    "any": [*PLAIN, "--model-policy", "any"],
    "reject": [*PLAIN, "--unknown-fields", "reject"],
    "clamp": [*PLAIN, "--overflow", "clamp"],
    "thinker": [*THINKS, "--chat-format", "deepseek-r1-distill"],
    "thinker-in-circles": [*script("again and", stop=ord(" ")), "--chat-format", "deepseek-r1-distill", "--context", "4096"],
    "thinker-slowly": [*script("and so on,", stop=ord(" "), more=";step_us=10000"), "--chat-format", "deepseek-r1-distill",
                       "--context", "4096", "--no-loop-detector"],
    "thinker-writes-the-mark": [*script(EXTRA["<think>"], f"\n{THOUGHT}\n", EXTRA["</think>"], f"\n\n{ANSWER}", stop=EXTRA[EOS]),
                                "--chat-format", "deepseek-r1"],
    "tools-one": [*script(CALLS_BEGIN, CALL_BEGIN, "f", SEPARATOR, '{"a": "\u00e9"}', CALL_END, CALLS_END, stop=EXTRA[EOS]), *TOOL_FORM],
    "tools-two": [*script("Wait.", CALLS_BEGIN, CALL_BEGIN, "f", SEPARATOR, '{"a":1}', CALL_END, CALL_BEGIN, "get_time", SEPARATOR, CALL_END,
                          CALLS_END, stop=EXTRA[EOS]), *TOOL_FORM],
    "tools-random": [*PLAIN, *TOOL_FORM],
    "tools-broken": [*script(CALLS_BEGIN, "f", SEPARATOR, "{}", stop=EXTRA[EOS]), *TOOL_FORM],
    **{f"tools-two-{form}": [*script(*parts, stop=EXTRA[EOS]), "--chat-format", style, "--context", "4096"]
       for form, (parts, style) in TWO_CALLS.items()},
    **{f"tools-random-{form}": [*PLAIN, "--chat-format", style, "--context", "4096"] for form, (_, style) in TWO_CALLS.items()},
    "no-tools": [*PLAIN, "--chat-format", "deepseek-v2"],
    "thinker-other-settings": [*THINKS, "--chat-format", "deepseek-r1-distill", "--reasoning-alias", "--reasoner-sampling", "fixed", "--timings"],
}


class Fleet:
    def __init__(self, folder):
        self.folder, self.servers = folder, {}

    def model(self, name):
        """The model file that a server of this name runs; it holds a vocabulary alone."""
        deepseek = name.startswith(("thinker", "tools"))
        folder = os.path.join(self.folder, "deepseek" if deepseek else "chatml")
        path = os.path.join(folder, "tiny.gguf")
        os.makedirs(folder, exist_ok=True)
        if not os.path.exists(path):
            write_model(path, **({"extra": DEEPSEEK, "bos": BOS, "eos": EOS, "context": 4096} if deepseek else {}))
        return path

    def __getitem__(self, name):
        if name not in self.servers:
            self.servers[name] = Server("--device", "mock", "--context", "512", "--public-ops", "on", *SETTINGS[name],
                                        model=self.model(name)).wait_ready()
        return self.servers[name]

    def check(self):
        """Each is the same process, alive and idle again."""
        for name, s in self.servers.items():
            assert s.process.poll() is None, f"{name}: {s.log()[-4000:]}"
            s.wait_idle(10)

    def stop(self):
        for s in self.servers.values():
            s.stop()
