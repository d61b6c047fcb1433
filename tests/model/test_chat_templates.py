"""Chat formats and the Jinja subset against Python's jinja2, set up as the reference tokenizer library sets it up.

Native encoders are compared with the templates in templates/, written from the published formats; the interpreter with
jinja2 on the same templates, on a corpus of small ones for every feature, and on generated programs.

SEEKD_BUILD is the build folder, SEEKD_MODELS the folder of fetched models; SEEKD_TEST_LONG makes the corpora larger."""

import datetime
import functools
import glob
import json
import os
import random
import re
import struct
import subprocess

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.sandbox
import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("SEEKD_BUILD", os.path.join(HERE, "../../build"))
DRIVER = os.path.join(BUILD, "tests/model/render")
LONG = bool(os.environ.get("SEEKD_TEST_LONG"))
BOS, EOS = "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"
MARKERS = re.compile("⟦[^⟧]*⟧")


# ---- The reference ----------------------------------------------------------------------------------------------

class Generation(jinja2.ext.Extension):
    """{% generation %} prints its body."""
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return jinja2.nodes.Scope(body, lineno=line)


class Refused(Exception):
    pass


def refuse(message):
    raise Refused(message)


def environment():
    env = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True,
                                                       extensions=[Generation, jinja2.ext.loopcontrols])
    env.filters["tojson"] = lambda x, ensure_ascii=False, indent=None, separators=None, sort_keys=False: json.dumps(
        x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
    env.globals["raise_exception"] = refuse
    env.globals["strftime_now"] = lambda form: datetime.datetime(2026, 3, 4).strftime(form)
    return env


ENV = environment()
compiled = functools.lru_cache(16)(ENV.from_string)


def reference(template, variables):
    """The text, or None where jinja2 refuses."""
    try:
        return compiled(template).render(**variables)
    except (jinja2.TemplateError, Refused, SyntaxError, TypeError, ValueError, KeyError, AttributeError, ZeroDivisionError, OverflowError, IndexError):
        return None


def render(requests, *args):
    lines = "".join(json.dumps(r) + "\n" for r in requests)
    done = subprocess.run([DRIVER, *args], input=lines, capture_output=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr
    results = [json.loads(line) for line in done.stdout.split("\n") if line]
    assert len(results) == len(requests)
    return results


def compare(cases, least_rendered=0):
    """Bare templates: (template, variables) each, of which a part must render. Prints the first differences."""
    differences, rendered = [], 0
    for (template, variables), got in zip(cases, render([{"template": t, "variables": v} for t, v in cases])):
        want = reference(template, variables)
        rendered += want is not None
        if want != got.get("text"):
            differences.append(f"{template!r}\n  want {want!r}\n  got  {got.get('text', got.get('error'))!r}")
    assert rendered >= least_rendered * len(cases)
    assert not differences, f"{len(differences)} of {len(cases)} differ\n" + "\n".join(differences[:5])


# ---- Conversations ----------------------------------------------------------------------------------------------

TEXTS = ["", " ", "Hello", "naïve — 你好\n", "  two  spaces ", "line\n\nbreaks\r\n", "<think>\nR\n</think>\n\nA", "a</think>b</think>c", "<think>open",
         "{{ not }} {% code %}", "quote \" ' \\ / &<>", "<｜User｜>", "<|im_end|>\n<|im_start|>system\n", "🚀 \u2028 \x7f", "tab\tend\n "]
ARGUMENTS = [{}, {"city": "Zürich"}, {"a": 1, "b": [1, 2.5, None, True], "c": {"d": "\n\"x\""}}, {"big": 12345678901, "small": 1e-7, "x": 1e16}]


class Conversations:
    def __init__(self, seed, tools=True, thoughts=True):
        self.random = random.Random(seed)
        self.tools, self.thoughts, self.n = tools, thoughts, 0

    def text(self):
        self.n += 1
        return self.random.choice(TEXTS) + self.random.choice(["", f"⟦{self.n}⟧"]) + self.random.choice(TEXTS)

    def calls(self):
        return [{"id": f"call_{self.n}_{i}", "type": "function",
                 "function": {"name": self.random.choice(["f", "get_weather"]), "arguments": self.random.choice(ARGUMENTS)}}
                for i in range(self.random.randint(1, 3))]

    def message(self, role):
        message = {"role": role, "content": self.text()}
        if role == "assistant" and self.thoughts and self.random.random() < .3:
            message["reasoning_content"] = self.text()
        return message

    def round_of_calls(self):
        calls = self.calls()
        call = {"role": "assistant", "content": self.random.choice(["", self.text()]), "tool_calls": calls}
        return [call] + [{"role": "tool", "content": self.text(), "tool_call_id": c["id"]} for c in calls]

    def sensible(self):
        messages = [self.message("system")] if self.random.random() < .5 else []
        for _ in range(self.random.randint(1, 3)):
            messages.append(self.message("user"))
            while self.tools and self.random.random() < .4:
                messages += self.round_of_calls()
            messages.append(self.message("assistant"))
        return messages[:len(messages) - self.random.randint(0, 1)] or messages

    def any_order(self):
        roles = ["system", "user", "assistant"] + (["tool"] if self.tools else [])
        messages = []
        for _ in range(self.random.randint(1, 6)):
            role = self.random.choice(roles)
            messages.append(self.message(role))
            if role == "assistant" and self.tools and self.random.random() < .3:
                messages[-1]["tool_calls"] = self.calls()
        return messages

    def request(self):
        messages = self.sensible() if self.random.random() < .6 else self.any_order()
        tools = [{"type": "function", "function": {"name": n, "description": self.text(),
                                                   "parameters": {"type": "object", "properties": self.random.choice(ARGUMENTS)}}}
                 for n in self.random.sample(["f", "get_weather", "find"], self.random.randint(0, 2))] if self.tools else []
        return {"messages": messages, "tools": tools, "add_generation_prompt": self.random.random() < .8}


def text_arguments(messages):
    """The same with the arguments of calls as JSON text, as the API has them."""
    out = []
    for m in messages:
        m = dict(m)
        if "tool_calls" in m:
            m["tool_calls"] = [dict(c, function=dict(c["function"], arguments=json.dumps(c["function"]["arguments"]))) for c in m["tool_calls"]]
        out.append(m)
    return out


def template(name):
    with open(os.path.join(HERE, "templates", name + ".jinja"), encoding="utf-8") as f:
        return f.read()


def check_spans(request, got):
    """What the caller wrote lies in content spans, none of it in scaffold."""
    data, at, scaffold = got["text"].encode(), 0, b""
    for kind, n in got["spans"]:
        scaffold += b"" if kind else data[at:at + n]
        at += n
    assert at == len(data)
    assert not MARKERS.search(scaffold.decode("utf-8", "replace")), (request, scaffold)


NATIVES = {  # name: (tools in the history, thoughts open or close the prompt: key of `thinking` to what is appended)
    "deepseek-v2": (False, {}),
    "deepseek-v2.5": (True, {}),
    "deepseek-v3": (True, {}),
    "deepseek-v3-0324": (True, {}),
    "deepseek-r1": (True, {False: "<think>\n\n</think>\n\n"}),
    "deepseek-r1-0528": (True, {False: "<think>\n\n</think>\n\n"}),
    "deepseek-r1-distill": (True, {False: "\n</think>\n\n"}),
    "deepseek-v3.1": (True, {}),
    "chatml": (True, {}),
    "llama-3": (True, {}),
    "mistral": (False, {}),
}


@pytest.mark.parametrize("name", NATIVES)
def test_native_encoders_equal_the_published_templates(name):
    has_tools, endings = NATIVES[name]
    generate = Conversations(name, tools=has_tools)
    text = template(name)
    requests = []
    for i in range(4000 if LONG else 400):
        r = generate.request()
        requests.append(dict(r, messages=text_arguments(r["messages"]), format=name, thinking=[None, True, False][i % 3], objects=r["messages"]))
    for r, got in zip(requests, render([{k: v for k, v in r.items() if k != "objects"} for r in requests])):
        objects = name in ("chatml", "llama-3")
        want = reference(text, {"messages": r["objects"] if objects else r["messages"], "tools": r["tools"] or None, "bos_token": BOS,
                                "eos_token": EOS, "add_generation_prompt": r["add_generation_prompt"], "thinking": bool(r["thinking"])})
        if r["add_generation_prompt"] and r["thinking"] in endings:
            after_outputs = want.endswith("<｜tool▁outputs▁end｜>")
            want += "<think>\n\n</think>\n\n" if after_outputs else endings[r["thinking"]]
        assert got.get("text") == want, r
        check_spans(r, got)


def names_of_templates():
    return sorted(os.path.basename(p)[:-len(".jinja")] for p in glob.glob(os.path.join(HERE, "templates", "*.jinja")))


@pytest.mark.parametrize("name", names_of_templates())
def test_templates_are_interpreted_as_jinja2_does(name):
    generate = Conversations(name + "x")
    text, cases = template(name), []
    for i in range(1500 if LONG else 150):
        r = generate.request()
        messages = text_arguments(r["messages"]) if i % 2 else r["messages"]
        variables = {"messages": messages, "tools": r["tools"] or None, "bos_token": BOS, "eos_token": EOS,
                     "add_generation_prompt": r["add_generation_prompt"]}
        cases.append((text, dict(variables, **([{}, {"enable_thinking": True, "thinking": True}, {"enable_thinking": False}][i % 3]))))
    compare(cases, least_rendered=.3)


# ---- Features ---------------------------------------------------------------------------------------------------

VARIABLES = {
    "s": "  Hello, Wörld\n", "t": "a,b,,c", "e": "", "n": 7, "z": 0, "f": 2.5, "yes": True, "no": False, "nil": None, "l": [3, 1, 2, 2],
    "words": ["b", "A", "c", "a"], "m": {"k": "v", "items": 1, "n": {"x": [1, {"y": "deep"}]}}, "people": [
        {"name": "Ada", "age": 36, "tags": ["x"]}, {"name": "bob", "age": 7, "tags": []}, {"name": "Cy", "age": 36}], "uni": "ÄÖß 你好 🚀",
    "html": "<a href=\"x\">'&'</a>", "lines": "one\n two\n\nthree", "digits": "42", "pi": "3.5x",
}
TEMPLATES = r"""
{{ s }}|{{ s|trim }}|{{ s.strip() }}|{{ s.lstrip() }}|{{ s.rstrip('\n') }}|{{ s.strip(' H\n') }}
{{ t.split(',') }}|{{ t.split(',', 1) }}|{{ t.split(',')[-1] }}|{{ t.rsplit(',', 1) }}|{{ ' a  b '.split() }}|{{ 'a b c'.split(none, 1) }}
{{ lines.splitlines() }}|{{ lines.splitlines(true) }}|{{ lines|indent }}|{{ lines|indent(2, true) }}|{{ lines|indent(2, first=false, blank=true) }}
{{ s.upper() }}|{{ uni.lower() }}|{{ uni|upper }}|{{ 'hello wOrld-x (y)'|title }}|{{ 'hello wOrld'.title() }}|{{ 'hELLO'|capitalize }}|{{ 'aB'.swapcase() }}
{{ s.replace('l', 'L') }}|{{ s|replace('l', 'L', 1) }}|{{ 'abc'.replace('', '-') }}|{{ 'aaa'.replace('a', 'b', 2) }}|{{ 'abc'|replace('x', 'y') }}
{{ s.startswith('  H') }}|{{ s.endswith('\n') }}|{{ s.startswith(('x', '  ')) }}|{{ 'W' in s }}|{{ 'zz' not in s }}|{{ s.find('W') }}|{{ uni.find('好') }}|{{ 'abcabc'.rfind('b') }}|{{ 'aXbXc'.count('X') }}
{{ 'a-b-c'.partition('-') }}|{{ 'a-b-c'.rpartition('-') }}|{{ 'abc'.partition('x') }}|{{ 'abc'.removeprefix('a') }}|{{ 'abc'.removesuffix('c') }}|{{ '-'.join(words) }}
{{ uni[0] }}|{{ uni[-1] }}|{{ uni[1:4] }}|{{ uni[::-1] }}|{{ uni[::2] }}|{{ uni[-3:] }}|{{ uni[10:] }}|{{ 'abc'[5] }}|{{ l[1:] }}|{{ l[::-1] }}|{{ l[:-1] }}|{{ l[-2] }}|{{ l[9] }}
{{ uni|length }}|{{ l|length }}|{{ m|length }}|{{ e|length }}|{{ missing|length }}|{{ l|count }}
{{ n + 1 }}|{{ n - 10 }}|{{ n * 3 }}|{{ n / 2 }}|{{ n // 2 }}|{{ -n // 2 }}|{{ n % 4 }}|{{ -n % 4 }}|{{ n ** 2 }}|{{ 2 ** -1 }}|{{ f * 2 }}|{{ f // 1 }}|{{ -f }}|{{ +n }}|{{ 1 + 2 * 3 - 4 / 2 }}|{{ (1 + 2) * 3 }}|{{ 2 ** 3 ** 2 }}
{{ 1e16 }}|{{ 1e15 }}|{{ 0.1 + 0.2 }}|{{ 1e-5 }}|{{ 0.0001 }}|{{ 123456789.125 }}|{{ 1e100 }}|{{ 5.0 }}|{{ 10 / 5 }}|{{ 1_000 }}|{{ 3 * 'ab' }}|{{ [1] * 3 }}|{{ 'x' * 0 }}
{{ n == 7 }}|{{ n == 7.0 }}|{{ n != 7 }}|{{ n < 8 <= 8 }}|{{ 1 < 3 > 2 }}|{{ 'a' < 'b' }}|{{ [1, 2] < [1, 3] }}|{{ yes == 1 }}|{{ nil == none }}|{{ l == [3, 1, 2, 2] }}|{{ {'a': 1} == {'a': 1} }}|{{ missing == other }}|{{ 'a' == 1 }}
{{ yes and 'x' }}|{{ no or 'y' }}|{{ e or nil or 0 or 'last' }}|{{ not yes }}|{{ not not e }}|{{ yes and no or n }}|{{ 1 and 2 and 3 }}|{{ 0 and missing.x }}
{{ 'a' if yes else 'b' }}|{{ 'a' if no else 'b' }}|[{{ 'a' if no }}]|{{ 'a' if no else 'b' if no else 'c' }}|{{ ('x' if yes) ~ ('y' if no) }}
{{ 'a' ~ 1 ~ none ~ true ~ 2.0 ~ ['x'] }}|{{ 'a' + 'b' + 'c' }}|{{ [1] + [2] }}|{{ 1 ~ 2 + 3 }}
{{ yes }}|{{ nil }}|{{ l }}|{{ m }}|{{ (1, 2) }}|{{ (1,) }}|{{ () }}|{{ [] }}|{{ {} }}|{{ "it's" ~ ["it's", 'say "x"', "both ' and \"", '\n\t\\'] }}|{{ missing }}
{{ m.k }}|{{ m['k'] }}|{{ m.n.x[1].y }}|{{ m.n['x'][0] }}|{{ m['items'] }}|{{ m.missing }}|{{ m.get('k') }}|{{ m.get('q') }}|{{ m.get('q', 'd') }}|{{ m.keys()|list }}|{{ m.values()|list }}|{{ m.items()|list }}|{{ 'k' in m }}|{{ m|items|list }}
{{ l|first }}|{{ l|last }}|{{ l|join }}|{{ l|join(', ') }}|{{ words|join('-')|upper }}|{{ l|sort }}|{{ words|sort }}|{{ words|sort(case_sensitive=true) }}|{{ words|sort(reverse=true) }}|{{ l|unique|list }}|{{ words|unique|list }}|{{ l|reverse|list }}|{{ 'abc'|reverse }}|{{ l|sum }}|{{ l|min }}|{{ l|max }}|{{ 'abc'|list }}
{{ people|map(attribute='name')|list }}|{{ people|map(attribute='tags', default='none')|list }}|{{ words|map('upper')|list }}|{{ l|map('string')|join('+') }}|{{ people|selectattr('tags', 'defined')|map(attribute='name')|join(',') }}|{{ people|selectattr('age', 'equalto', 36)|list|length }}|{{ people|rejectattr('age', 'gt', 10)|map(attribute='name')|list }}|{{ people|sort(attribute='age')|map(attribute='name')|list }}|{{ people|sum('age') }}|{{ people|map(attribute='tags.0')|list }}
{{ l|select('odd')|list }}|{{ l|reject('odd')|list }}|{{ [0, 1, '', 'x', none]|select|list }}|{{ l|select('in', [1, 3])|list }}|{{ l|select('divisibleby', 2)|list }}
{{ nil|select|list }}|{{ 0|map('upper')|list }}|{{ nil|selectattr('x')|list }}|{{ missing|default('d') }}|{{ e|default('d') }}|{{ e|default('d', true) }}|{{ nil|default('d') }}|{{ missing|d }}|{{ none|default('x', boolean=true) }}
{{ digits|int + 1 }}|{{ pi|int }}|{{ pi|int(9) }}|{{ '2.7'|int }}|{{ 2.7|int }}|{{ digits|float }}|{{ pi|float(1.5) }}|{{ (-3)|abs }}|{{ 2.567|round(2) }}|{{ 2.5|round }}|{{ 2.1|round(method='ceil') }}|{{ n|string + '!' }}|{{ n|float }}
{{ m|tojson }}|{{ l|tojson }}|{{ s|tojson }}|{{ uni|tojson }}|{{ uni|tojson(ensure_ascii=true) }}|{{ m|tojson(indent=2) }}|{{ people|tojson(separators=(',', ':')) }}|{{ {'b': 1, 'a': 2}|tojson(sort_keys=true) }}|{{ [none, true, 1.5, 1e20, 'x\x01\x7f']|tojson }}|{{ []|tojson(indent=2) }}|{{ html|tojson }}
{{ html|e }}|{{ html|safe }}|{{ m|dictsort(by='key')|list|length }}|{{ {'b': 2, 'a': 1}|dictsort }}|{{ {'b': 1, 'a': 2}|dictsort(false, 'value') }}
{{ n is defined }}|{{ missing is defined }}|{{ missing is undefined }}|{{ nil is none }}|{{ n is not none }}|{{ s is string }}|{{ n is number }}|{{ yes is number }}|{{ n is integer }}|{{ yes is integer }}|{{ f is float }}|{{ m is mapping }}|{{ l is sequence }}|{{ s is iterable }}|{{ m is iterable }}|{{ n is iterable }}|{{ yes is boolean }}|{{ yes is true }}|{{ no is false }}|{{ 1 is true }}|{{ n is odd }}|{{ n is even }}|{{ n is divisibleby 7 }}|{{ n is divisibleby(3) }}|{{ n is eq 7 }}|{{ n is ne(7) }}|{{ n is in [7] }}|{{ n is not in [7] }}|{{ 'ab' is lower }}|{{ 'AB' is upper }}|{{ n is sameas n }}|{{ n is gt 3 and n is lt 9 }}|{{ m.get is callable }}|{{ n is ge 7 }}|{{ not n is none }}
{% for x in l %}{{ loop.index }}/{{ loop.length }}:{{ x }}{% if not loop.last %}, {% endif %}{% endfor %}|{% for x in [] %}x{% else %}empty{% endfor %}|{% for k, v in m.items() %}{{ k }};{% endfor %}|{% for a, b in [(1, 2), (3, 4)] %}{{ a + b }} {% endfor %}
{% for x in l if x > 1 %}{{ loop.index0 }}{{ x }}{{ loop.first }}{{ loop.revindex }}{{ loop.revindex0 }}{% endfor %}|{% for x in l %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }}{% endfor %}|{% for x in l %}{{ loop.cycle('a', 'b') }}{{ loop.changed(x) }}{% endfor %}|{% for c in 'abc' %}{{ c }}.{% endfor %}|{% for k in m %}{{ k }}{% endfor %}
{% for x in range(5) %}{% if x == 1 %}{% continue %}{% endif %}{% if x == 3 %}{% break %}{% endif %}{{ x }}{% endfor %}|{{ range(3)|list }}|{{ range(2, 8, 3)|list }}|{{ range(3, 0, -1)|list }}|{{ range(0)|list }}
{% set x = 1 %}{% for i in l %}{% set x = x + i %}{{ x }} {% endfor %}{{ x }}|{% if yes %}{% set y = 5 %}{% endif %}{{ y }}|{% set a, b = 1, 2 %}{{ a }}{{ b }}|{% set t = 1, 2 %}{{ t }}
{% set ns = namespace(x=1, y='a') %}{% for i in l %}{% set ns.x = ns.x + i %}{% set ns.new = i %}{% endfor %}{{ ns.x }}{{ ns.y }}{{ ns.new }}{{ ns.none }}|{% set ns2 = namespace({'q': 4}) %}{{ ns2.q }}
{% set block %}a {{ n }} b{% endset %}[{{ block }}]|{% set up | upper | trim %} x {% endset %}[{{ up }}]|{% filter upper %}a{{ s }}{% endfilter %}|{% with a = 1, b = n %}{{ a }}{{ b }}{% endwith %}{{ a }}
{% macro f(a, b=2, c='x') %}[{{ a }}{{ b }}{{ c }}]{% endmacro %}{{ f(1) }}{{ f(1, 3) }}{{ f(1, c=9) }}{{ f(b=1, a=0) }}{{ f() }}|{% macro r(k) %}{{ k }}{% if k > 0 %}{{ r(k - 1) }}{% endif %}{% endmacro %}{{ r(4) }}|{% macro g() %}{{ n }}{% set n = 1 %}{{ n }}{% endmacro %}{{ g() }}{{ n }}
{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, 2) }}
{% if e %}1{% elif n > 5 %}2{% elif yes %}3{% else %}4{% endif %}|{% if no %}1{% elif no %}2{% else %}3{% endif %}|{% if missing %}1{% endif %}|{% if l and m %}ok{% endif %}
a {#- c -#} b|a {# c #} b|{% raw %}{{ x }}{% y %}{% endraw %}|{%- raw -%} {{ q }} {%- endraw -%} |{{- ' x ' -}} y
  {% if yes %}  a
  {% endif %}  b|{%- if yes -%}  c  {%- endif -%}  d
x {%+ if yes %} y {% endif +%} z|{%- for i in l %} {{ i -}} {% endfor %}
{{ 'it''s' }}|{{ "a" 'b' }}|{{ '\x41\u00e9\U0001F680\101\q\'' }}|{{ "\n" }}|{{ 'a\
b' }}
{{ [1, 2, 3,] }}|{{ {'a': 1, 'b': [2], } }}|{{ {'a': {'b': {}}} }}|{{ {1: 2}[1] }}|{{ [[1], [2]][1][0] }}|{{ {'a': 1}['a'] }}|{{ m['n']['x'].1.y }}
{{ dict(a=1, b=2) }}|{{ dict({'x': 1}, y=2)|tojson }}|{{ strftime_now('%Y-%m-%d %d %B %b %A') }}|{{ strftime_now('%-d/%-m') }}
{% generation %}model {{ n }}{% endgeneration %}|{{ l.index(2) }}|{{ l.count(2) }}|{{ '5'.isdigit() }}|{{ 'a5'.isalnum() }}|{{ 'ab'.isalpha() }}|{{ ' '.isspace() }}|{{ 'AB'.isupper() }}|{{ ''.isdigit() }}
{{ missing.x }}
{{ missing() }}
{{ missing + 1 }}
{{ 'a' + 1 }}
{{ n.x.y }}
{{ n() }}
{{ nil + 'a' }}
{{ l.append(1) }}
{{ m.update({}) }}
{{ 1 // 0 }}
{{ 1 < 'a' }}
{{ l|nofilter }}
{{ l is notest }}
{{ raise_exception('no ' ~ n) }}
{{ ''.__class__ }}|{{ m.__class__ }}|{{ l.__len__ }}
{{ ''.__class__.__mro__ }}
{% if %}
{% for x in %}{% endfor %}
{% endif %}
{% if yes %}
{{ 'open }}
{{ 1 +
{% unknown %}
{{ 1 2 }}
{{ }}
{% set %}
{% break %}
""".strip("\n").split("\n")


def joined(lines):
    """Lines of the corpus; one that ends in a backslash goes on in the next, as do the indented ones."""
    out = []
    for line in lines:
        if out and (out[-1].endswith("\\") or out[-1].endswith("  a") or line.startswith("  {% endif")):
            out[-1] += "\n" + line
        else:
            out.append(line)
    return out


def test_each_feature_gives_what_jinja2_gives():
    pieces = []
    for line in joined(TEMPLATES):
        pieces.append(line)
        pieces += [p for p in line.split("|{{") if p.startswith(" ") and p.endswith("}}") and "{%" not in p]
    compare([(p if not p.startswith(" ") or p.startswith("  ") else "{{" + p, VARIABLES) for p in pieces])


SPACING = ["{%", "{%-", "{%+"], ["%}", "-%}", "+%}"], ["{{", "{{-"], ["}}", "-}}"], ["{#", "{#-"], ["#}", "-#}"]
GAPS = ["", " ", "\n", "\n\n", "  \n  ", "\t", "x", " x ", "x\n", "\nx", "\r\n", "x\r"]


def test_white_space_control_gives_what_jinja2_gives():
    generate, cases = random.Random(5), []
    pick = generate.choice
    for _ in range(20000 if LONG else 1500):
        def block(inside):
            return f"{pick(SPACING[0])} {inside} {pick(SPACING[1])}"
        parts = []
        for _ in range(generate.randint(1, 5)):
            parts.append(pick(GAPS))
            parts.append(pick([
                f"{pick(SPACING[2])} n {pick(SPACING[3])}",
                f"{pick(SPACING[4])} c {pick(SPACING[5])}",
                block("if yes") + pick(GAPS) + block("else") + pick(GAPS) + block("endif"),
                block("for i in l") + pick(GAPS) + block("endfor"),
                block("set q = 1"),
                pick(["{% raw %}", "{%- raw -%}", "{% raw -%}"]) + pick(GAPS) + "{{ a }}" + pick(GAPS) + pick(["{% endraw %}", "{%- endraw -%}", "{%- endraw %}"]),
            ]))
        parts.append(pick(GAPS))
        cases.append(("".join(parts), VARIABLES))
    compare(cases)


class Programs:
    """Random templates over the variables, well formed but not always meaningful."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, *options):
        return self.random.choice(options)

    def expression(self, depth=3):
        names = list(VARIABLES) + ["missing", "x", "i"]
        if depth == 0 or self.random.random() < .2:
            return self.pick(self.random.choice(names), str(self.random.randint(0, 9)), repr(self.pick("", "a", "l", " b\n", "ö")), "none", "true", "1.5")
        a, b = (lambda: self.expression(depth - 1)), (lambda: self.expression(depth - 1))
        return self.pick(
            lambda: f"({a()} {self.pick('+', '-', '*', '/', '//', '~', '~', '==', '!=', '<', '>=', 'and', 'or', 'in', 'not in')} {b()})",
            lambda: f"({a()})|{self.pick('trim', 'upper', 'length', 'list', 'first', 'last', 'string', 'tojson', 'sort', 'join', 'title', 'capitalize', 'int', 'reverse|list', 'unique|list', 'default(1)', 'lower')}",
            lambda: f"({a()})|{self.pick('join', 'default', 'replace')}({repr(self.pick('a', ',', ''))}{', ' + repr('b') if self.random.random() < .4 else ''})",
            lambda: f"(({a()}) is {self.pick('', 'not ')}{self.pick('defined', 'none', 'string', 'number', 'mapping', 'iterable', 'sequence', 'true', 'false', 'odd', 'integer', 'boolean')})",
            lambda: f"({a()})[{self.pick('0', '-1', repr('k'), repr('name'), 'n')}]",
            lambda: f"{self.random.choice(names)}[{self.pick('1:', ':2', '::-1', '-2:', '1:9:2')}]",
            lambda: f"({a()}).{self.pick('k', 'name', 'n', 'strip()', 'split()', 'upper()', 'keys()|list', 'startswith(e)')}",
            lambda: f"({a()} if {b()} else {a()})",
            lambda: f"[{a()}, {b()}]",
            lambda: f"{{'k': {a()}, 'q': {b()}}}",
            lambda: f"not ({a()})",
            lambda: f"({a()}, {b()})",
        )()

    def statement(self, depth=3):
        if depth == 0 or self.random.random() < .3:
            return "{{ " + self.expression() + " }};"
        body = lambda: "".join(self.statement(depth - 1) for _ in range(self.random.randint(1, 2)))
        return self.pick(
            lambda: "{% if " + self.expression(2) + " %}" + body() + "{% else %}" + body() + "{% endif %}",
            lambda: "{% for i in " + self.pick("l", "words", "people", "m", "uni", "range(3)", self.expression(1)) + " %}" + body() + "{% endfor %}",
            lambda: "{% set x = " + self.expression(2) + " %}" + body(),
            lambda: "{% set x %}" + body() + "{% endset %}{{ x }}",
            lambda: "{% macro q(i) %}" + body() + "{% endmacro %}{{ q(" + self.expression(1) + ") }}",
        )()


def test_generated_programs_give_what_jinja2_gives():
    """Programs that jinja2 refuses are compared too: both refuse."""
    generate = Programs(11)
    compare([(generate.statement(), VARIABLES) for _ in range(40000 if LONG else 2000)], least_rendered=1 / 8)


# ---- Bounds -----------------------------------------------------------------------------------------------------

HOSTILE = [
    "{% for i in range(1000000000) %}{% endfor %}",
    "{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}x{% endfor %}{% endfor %}{% endfor %}",
    "{{ 'a' * 1000000000 }}", "{{ 'ab' * 99999999999 }}", "{{ [0] * 999999999 }}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{% macro f(n) %}{{ f(n + 1) + f(n + 1) }}{% endmacro %}{{ f(0) }}",
    "{% for x in l recursive %}{{ x }}{% endfor %}", "{% include 'x' %}", "{% import 'os' as os %}", "{% extends 'x' %}", "{% block a %}{% endblock %}", "{% call f() %}{% endcall %}",
    "{% set ns = namespace(s='xxxxxxxxxxxxxxxx') %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}",
    "{% set ns = namespace(l=[0]) %}{% for i in range(60) %}{% set ns.l = ns.l + ns.l %}{% endfor %}",
    "{% set ns = namespace(l=[]) %}{% for i in range(5000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}",
    "{% set ns = namespace(l=[]) %}{% for i in range(5000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l|tojson }}{{ ns.l == ns.l }}",
    "{{ 'a'|indent(9999999999) }}", "{{ l|tojson(indent=99999999) }}", "{{ 9223372036854775807 + 1 }}", "{{ 9 ** 99 }}", "{{ 99999999999999999999 }}",
    "{{ strftime_now('%1000000d') }}", "{{ strftime_now('%-999999d') }}", "(" * 100 + "{{" + "(" * 5000 + "1" + ")" * 5000 + "}}",
    "{{ " + "not " * 5 + "[" * 3000 + "]" * 3000 + "}}", "{% if 1 %}" * 500 + "{% endif %}" * 500, "{{ " + "-" * 9000 + "1 }}",
    "{{ l|map('map', 'map', 'map')|list }}", "{{ 'x'.join(['y' * 1000] * 100000) }}",
    "{{ ('%s' * 1000) % s }}", "{{ '{:>99999999}'.format(1) }}", "{{ 'a'.center(99999999) }}", "{{ 'a'.ljust(99999999) }}", "{{ 'a'.zfill(99999999) }}",
    "{{ s.encode() }}", "{{ cycler.__init__.__globals__ }}", "{{ self._TemplateReference__context }}", "{{ lipsum.__globals__ }}",
    "{{ ''.__class__.__base__.__subclasses__() }}", "{{ namespace.__init__.__globals__.os }}",
]


def test_hostile_templates_stop_with_an_error():
    results = render([{"template": t, "variables": VARIABLES} for t in HOSTILE])
    allowed = [t[:60] for t, got in zip(HOSTILE, results) if "error" not in got]
    assert not allowed


def test_errors_name_the_line():
    results = render([{"template": t, "variables": VARIABLES} for t in
                      ["\n\n{{ missing.x }}", "a\n{% if yes %}\n{{ 1 + }}\n{% endif %}", "{{ n }}\n{#\n#}\n\n{{ raise_exception('stop') }}"]])
    assert [re.search(r"line (\d+)", r["error"]).group(1) for r in results] == ["3", "3", "5"]
    assert "stop" in results[2]["error"]


# ---- A model's own template ----------------------------------------------------------------------------------------

MODELS = sorted(glob.glob(os.path.join(os.environ.get("SEEKD_MODELS", os.path.join(BUILD, "models")), "*.gguf")))


def metadata_text(path, key):
    """A string of a GGUF file's metadata: key, type 8, length, bytes."""
    with open(path, "rb") as f:
        data = f.read(64 << 20)
    at = data.index(key.encode()) + len(key)
    kind, n = struct.unpack_from("<IQ", data, at)
    assert kind == 8
    return data[at + 12:at + 12 + n].decode()


@pytest.mark.parametrize("path", MODELS or [pytest.param(None, marks=pytest.mark.skip("no model is there: make run fetches one"))])
def test_a_fetched_models_own_template_is_rendered_as_jinja2_does(path):
    generate, own = Conversations("own", tools=False, thoughts=False), metadata_text(path, "tokenizer.chat_template")
    requests = [dict(generate.request(), format="template") for _ in range(200)]
    for r, got in zip(requests, render(requests, path)):
        want = reference(own, {"messages": r["messages"], "tools": None, "add_generation_prompt": r["add_generation_prompt"]})
        assert got.get("text") == want, r
        check_spans(r, got)
