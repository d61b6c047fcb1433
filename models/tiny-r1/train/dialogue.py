"""Examples as token ids, in DeepSeek-V3.1's chat form: control tokens by id, text between them encoded apart, prompt and reply never
merged across their border."""

import json

TOOLS_HEAD = "\n\n## Tools\nYou have access to the following tools:\n"
TOOLS_TAIL = ("\nIMPORTANT: ALWAYS adhere to this exact format for tool use:\n", "{additional_tool_calls}", "\n\nWhere:\n\n"
              "- `tool_call_name` must be an exact match to one of the available tools\n"
              "- `tool_call_arguments` must be valid JSON that strictly follows the tool's Parameters Schema\n"
              "- For multiple tool calls, chain them directly without separators or spaces\n")

BOS, EOS = "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"
THINK, THINK_END, USER, ASSISTANT = "<think>", "</think>", "<｜User｜>", "<｜Assistant｜>"
CALLS_BEGIN, CALLS_END, CALL_BEGIN, CALL_END = "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", "<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>"
OUTPUT_BEGIN, OUTPUT_END, SEPARATOR = "<｜tool▁output▁begin｜>", "<｜tool▁output▁end｜>", "<｜tool▁sep｜>"
FIM_HOLE, FIM_BEGIN, FIM_END = "<｜fim▁hole｜>", "<｜fim▁begin｜>", "<｜fim▁end｜>"


class Mark(str):
    """A control token among the parts of a dialogue; other parts are text."""


def tool_parts(tools):
    yield TOOLS_HEAD
    for tool in tools:
        f = tool["function"]
        yield f"\n### {f['name']}\nDescription: {f['description']}\n\nParameters: {json.dumps(f['parameters'], ensure_ascii=False)}\n"
    yield TOOLS_TAIL[0]
    yield from (Mark(CALLS_BEGIN), Mark(CALL_BEGIN), "tool_call_name", Mark(SEPARATOR), "tool_call_arguments", Mark(CALL_END))
    yield TOOLS_TAIL[1]
    yield Mark(CALLS_END)
    yield TOOLS_TAIL[2]


def call_parts(calls):
    yield Mark(CALLS_BEGIN)
    for call in calls:
        yield from (Mark(CALL_BEGIN), call["function"]["name"], Mark(SEPARATOR), call["function"]["arguments"], Mark(CALL_END))
    yield Mark(CALLS_END)


def reply_parts(message):
    yield message["content"] or ""
    if message.get("tool_calls"):
        yield from call_parts(message["tool_calls"])
    yield Mark(EOS)


def prompt_parts(example):
    yield Mark(BOS)
    yield "\n\n".join(m["content"] for m in example.messages if m["role"] == "system")
    if example.tools:
        yield from tool_parts(example.tools)
    before = None
    for m in example.messages[:-1]:
        if m["role"] == "user":
            yield Mark(USER)
            yield m["content"]
        elif m["role"] == "tool":
            yield Mark(OUTPUT_BEGIN)
            yield m["content"]
            yield Mark(OUTPUT_END)
        elif m["role"] == "assistant":
            if before != "tool":
                yield from (Mark(ASSISTANT), Mark(THINK_END))
            yield from reply_parts(m)
        before = m["role"]
    if before != "tool":
        yield Mark(ASSISTANT)
        yield Mark(THINK if example.thinking else THINK_END)


def completion_parts(example):
    last = example.messages[-1]
    if example.thinking:
        yield last["reasoning_content"]
        yield Mark(THINK_END)
    yield from reply_parts(last)


def parts_of(example):
    """(prompt parts, completion parts)."""
    if example.text:
        return [Mark(BOS), example.text[0]], [example.text[1], Mark(EOS)]
    if example.fim:
        prefix, suffix, middle = example.fim
        return [Mark(BOS), Mark(FIM_BEGIN), prefix, Mark(FIM_HOLE), suffix, Mark(FIM_END)], [middle, Mark(EOS)]
    return list(prompt_parts(example)), list(completion_parts(example))


def runs(parts):
    """Text parts side by side are one run: the tokenizer sees them together."""
    text = ""
    for part in parts:
        if not isinstance(part, Mark):
            text += part
            continue
        if text:
            yield text
        text = ""
        yield part
    if text:
        yield text


def plain_texts(example):
    """The text of an example without its control tokens, for learning the vocabulary."""
    for parts in parts_of(example):
        yield from (r for r in runs(parts) if not isinstance(r, Mark))


class Encoder:
    def __init__(self, path):
        from tokenizers import Tokenizer
        self.tokenizer = Tokenizer.from_file(path)
        self.cache = {}

    def ids(self, parts):
        out = []
        for run in runs(parts):
            out += [self.tokenizer.token_to_id(run)] if isinstance(run, Mark) else self.text(run)
        return out

    def text(self, run):
        """Plain text never becomes a control token here: the generators do not write their literals."""
        return self.tokenizer.encode(run, add_special_tokens=False).ids

    def example(self, example):
        """(ids, number of prompt ids)."""
        prompt, completion = parts_of(example)
        ids = self.ids(prompt)
        return ids + self.ids(completion), len(ids)
