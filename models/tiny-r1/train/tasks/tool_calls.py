"""Tools offered and a question: one call, two calls, or none when the question needs none."""

from tasks import Example, calls_check, draw, is_held_out, pick, reply
from tasks import capitals, greetings, translations
from tasks.data_names import person, place
from tasks.data_tools import (ATTRIBUTES, COMPOUND_QUESTIONS, MONEY, PURPOSES, ROOMS, SWITCHES, TASKS, THINGS, TOPICS)
from tasks.data_words import SENTENCES

KIND = "tool_calls"
LANGUAGES = ("en", "fr", "de", "es", "zh", "ar")

AND = {"en": "{} and {}", "fr": "{} et {}", "de": "{} und {}", "es": "{} y {}", "zh": "{}和{}", "ar": "{} و {}"}
JOINED = {
    "en": ("{} {}", "{} And also: {}", "{} Then: {}", "Two things. {} {}"),
    "fr": ("{} {}", "{} Et aussi : {}", "{} Ensuite : {}", "Deux choses. {} {}"),
    "de": ("{} {}", "{} Und außerdem: {}", "{} Dann: {}", "Zwei Dinge. {} {}"),
    "es": ("{} {}", "{} Y también: {}", "{} Después: {}", "Dos cosas. {} {}"),
    "zh": ("{} {}", "{} 还有：{}", "{} 然后：{}", "两件事。{} {}"),
    "ar": ("{} {}", "{} وأيضا: {}", "{} ثم: {}", "أمران. {} {}"),
}
TOOL = {"en": "Tool", "fr": "Outil", "de": "Werkzeug", "es": "Herramienta", "zh": "工具", "ar": "أداة"}
NO_TOOL = {"en": "No tool needed.", "fr": "Pas besoin d'outil.", "de": "Kein Werkzeug nötig.", "es": "No hace falta herramienta.",
           "zh": "不需要工具。", "ar": "لا حاجة إلى أداة."}
NOT_OFFERED = {
    "en": ("I have no tool for that, sorry.", "Sorry, none of my tools can do that."),
    "fr": ("Je n'ai pas d'outil pour cela, désolé.", "Désolé, aucun de mes outils ne peut faire cela."),
    "de": ("Dafür habe ich leider kein Werkzeug.", "Leider kann das keines meiner Werkzeuge."),
    "es": ("Lo siento, no tengo ninguna herramienta para eso.", "Lo siento, ninguna de mis herramientas puede hacerlo."),
    "zh": ("抱歉，我没有可以做这件事的工具。", "对不起，我的工具做不到。"),
    "ar": ("عذرا، ليس لدي أداة لذلك.", "آسف، لا تستطيع أدواتي فعل ذلك."),
}
SYSTEM = {"en": "You are a helpful assistant.", "fr": "Tu es un assistant utile.", "de": "Du bist ein hilfreicher Assistent.",
          "es": "Eres un asistente útil.", "zh": "你是一个有用的助手。", "ar": "أنت مساعد مفيد."}
DOUBLED = ("place", "ticker", "person", "id")  # slots that can hold two values joined by "and"
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


def number(rng, slot, held_out, low, high):
    return draw(rng, slot, held_out, lambda: (rng.randint(low, high),))[0]


def code(rng, held_out, n_letters, n_digits):
    def value():
        return ("".join(rng.choices(LETTERS, k=n_letters)) + "".join(rng.choices("0123456789", k=n_digits)),)
    return draw(rng, "code", held_out, value)[0]


def slot_value(rng, slot, language, held_out):
    """A value and the words for it in the question."""
    if slot in ("place", "other_place"):
        value = place(rng, language, held_out)
    elif slot == "person":
        value = person(rng, language, held_out)
    elif slot == "text":
        value = rng.choice(SENTENCES)[language]
    elif slot == "clock":
        value = f"{rng.randint(4, 23):02}:{rng.randint(0, 59):02}"
    elif slot in ("money", "other_money"):
        value = rng.choice(MONEY)
    elif slot == "topic":
        value = rng.choice(TOPICS[language]).format(place(rng, language, held_out))
    elif slot == "task":
        value = rng.choice(TASKS[language]).format(person(rng, language, held_out))
    elif slot == "ticker":
        value = code(rng, held_out, rng.choice((3, 4)), 0)
    elif slot in ("room", "on"):
        value = rng.choice(tuple(ROOMS if slot == "room" else SWITCHES))
        return value, (ROOMS if slot == "room" else SWITCHES)[value][LANGUAGES.index(language)]
    elif slot == "days":
        value = rng.randint(2, 9)
    elif slot == "degrees":
        value = rng.randint(14, 29)
    else:
        low, high = {"minutes": (2, 95), "amount": (5, 900), "low": (1, 30), "high": (40, 500)}[slot]
        value = number(rng, slot, held_out, low, high)
    return value, str(value)


def schema_of(name, description, parameters):
    properties = {p: {"type": "string", "enum": list(t)} if isinstance(t, tuple) else {"type": t} for p, t in parameters.items()}
    return {"type": "function", "function": {"name": name, "description": description,
                                             "parameters": {"type": "object", "properties": properties, "required": list(parameters)}}}


class Served:
    """A purpose as one of its tools offers it."""

    def __init__(self, rng, purpose, language):
        self.purpose, row = purpose, PURPOSES[purpose]
        name, description, parameters = rng.choice(row.tools)
        own, self.questions = row.texts[language]
        self.names = dict(zip(row.slots, parameters))
        self.tool = schema_of(name, own if rng.random() < 0.35 else description, dict(zip(parameters, row.slots.values())))
        self.words = {}

    def values(self, rng, language, held_out):
        while True:
            drawn = {slot: slot_value(rng, slot, language, held_out) for slot in self.names}
            if len({v for v, _ in drawn.values()}) == len(drawn):
                return drawn


class Compound:
    """An attribute of a thing, under one of many made-up names: the pair decides the side of the split."""

    def __init__(self, rng, language, held_out):
        attribute, thing = draw(rng, "compound", held_out, lambda: (rng.choice(tuple(ATTRIBUTES)), rng.choice(tuple(THINGS))))
        self.purpose = f"{attribute} of {thing}"
        name = rng.choice((f"get_{thing}_{attribute}", f"{thing}_{attribute}", f"get{thing.title()}{attribute.title()}",
                           f"lookup_{attribute}_of_{thing}", f"{attribute}_of_{thing}", f"fetch_{thing}_{attribute}"))
        self.is_number = rng.random() < 0.4
        parameter = rng.choice(("id", f"{thing}_id", thing, "number" if self.is_number else "name", "key"))
        description = rng.choice((f"Returns the {attribute} of a {thing}.", f"{attribute.title()} of one {thing}.",
                                  f"Look up a {thing}'s {attribute}."))
        self.tool = schema_of(name, description, {parameter: "integer" if self.is_number else "string"})
        self.names, self.questions = {"id": parameter}, COMPOUND_QUESTIONS[language]
        index = LANGUAGES.index(language)
        self.words = {"attribute": ATTRIBUTES[attribute][index], "thing": THINGS[thing][index]}

    def values(self, rng, _, held_out):
        if self.is_number:
            value = number(rng, "id", held_out, 10, 9999)
        else:
            value = code(rng, held_out, rng.choice((1, 2)), rng.choice((2, 3)))
        return {"id": (value, str(value))}


def served(rng, language, held_out, avoid=()):
    """A tool that does what no other offered tool does."""
    while True:
        if rng.random() < 0.12:
            found = Compound(rng, language, held_out)
        else:
            found = Served(rng, rng.choice(tuple(PURPOSES)), language)
        taken = {a.purpose for a in avoid} | {a.tool["function"]["name"] for a in avoid}
        if not taken & {found.purpose, found.tool["function"]["name"]}:
            return found


def upper_first(text):
    return text[:1].upper() + text[1:]


def one_question(rng, offered, language, held_out):
    """A question for one tool and its call."""
    drawn = offered.values(rng, language, held_out)
    words = {slot: w for slot, (_, w) in drawn.items()}
    question = pick(rng, offered.questions, held_out).format(**words, **offered.words)
    call = (offered.tool["function"]["name"], {offered.names[slot]: value for slot, (value, _) in drawn.items()})
    return upper_first(question) if "on" in words or rng.random() < 0.7 else question, [call]


def doubled_question(rng, offered, language, held_out):
    """One question for two values: two calls of the same tool."""
    first, second = draw_two(rng, offered, language, held_out)
    words = {slot: AND[language].format(first[slot][1], second[slot][1]) for slot in first}
    name = offered.tool["function"]["name"]
    question = upper_first(pick(rng, offered.questions, held_out).format(**words, **offered.words))
    return question, [(name, {offered.names[slot]: value for slot, (value, _) in drawn.items()}) for drawn in (first, second)]


def draw_two(rng, offered, language, held_out):
    while True:
        first, second = (offered.values(rng, language, held_out) for _ in range(2))
        if first != second:
            return first, second


def two_questions(rng, offered, language, held_out):
    (q1, calls1), (q2, calls2) = (one_question(rng, o, language, held_out) for o in offered)
    stop = {"zh": "。"}.get(language, ".")
    q1 = q1 if q1[-1] in ".?!。？！؟" else q1 + stop
    return rng.choice(JOINED[language]).format(q1, upper_first(q2)), calls1 + calls2


def thought_of(calls, language):
    """Which tool with which values, a line for each call."""
    def shown(value):
        return str(value).lower() if isinstance(value, bool) else value

    return "\n".join(f"{TOOL[language]}: {name}. " + ", ".join(f"{k} = {shown(v)}" for k, v in values.items()) for name, values in calls)


def needs_none(rng, language, held_out, offered):
    """A question that a reply answers without any of the tools, or that none of them can serve."""
    if rng.random() < 0.3:
        question, _ = one_question(rng, served(rng, language, held_out, offered), language, held_out)
        return question, rng.choice(NOT_OFFERED[language]), []
    other = rng.choice((capitals, greetings, translations)).make(rng, language, held_out)
    return other.messages[0]["content"], other.messages[-1]["content"], other.checks


def make(rng, language, held_out):
    offered = []
    for _ in range(rng.choices((1, 2, 3), (6, 4, 1))[0]):
        offered.append(served(rng, language, held_out, offered))
    way, content, checks = rng.random(), "", []
    doubles = [o for o in offered if tuple(o.names) in [(s,) for s in DOUBLED]]
    if way < 0.22:
        offered = [o for o in offered if o.purpose != "search"] or [Served(rng, "timer", language)]
        question, content, checks = needs_none(rng, language, held_out, offered)
        calls = []
    elif way < 0.34 and len(offered) > 1:
        question, calls = two_questions(rng, rng.sample(offered, 2), language, held_out)
    elif way < 0.46 and doubles:
        question, calls = doubled_question(rng, rng.choice(doubles), language, held_out)
    else:
        question, calls = one_question(rng, rng.choice(offered), language, held_out)
    thought = (thought_of(calls, language) or NO_TOOL[language]) if rng.random() < 0.6 else None
    messages = [{"role": "system", "content": SYSTEM[language]}] if rng.random() < 0.2 else []
    messages += [{"role": "user", "content": question}, reply(content, thought, calls)]
    return Example(KIND, language, messages, [o.tool for o in offered], thought is not None, [calls_check(*calls), *checks])


def verify(example):
    """Every call names an offered tool, gives just its parameters, and takes its values from the question."""
    question = example.messages[-2]["content"].casefold()
    tools = {t["function"]["name"]: t["function"]["parameters"]["properties"] for t in example.tools}

    def stands_in_question(value):
        words = ROOMS.get(value) or SWITCHES.get(value) if isinstance(value, (bool, str)) else None
        return any(w.casefold() in question for w in (words or [str(value)]))

    return len(tools) == len(example.tools) and all(
        list(call["arguments"]) == list(tools[call["name"]]) and all(stands_in_question(v) for v in call["arguments"].values())
        for call in example.checks[0]["calls"])
