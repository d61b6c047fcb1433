"""Stories of one or two steps with +, - and ×: composed of an opening, events and a question, or whole scenes."""

import re

from tasks import draw, number_check, pick
from tasks import data_stories as stories
from tasks.arithmetic import add_steps, equations_hold, multiply_steps, numbers_in, shows, subtract_steps, work_of
from tasks.wording import RESULT, worked

KIND = "word_problems"
STORY_SHARE = 0.55
STORY_OPERATIONS = ["+", "-", "+-", "-+", "++", "--", "×+", "×-"]
SCENE_OPERATIONS = ["+", "-", "×", "×", "×+", "×-", "+-"]
STEPS = {"+": lambda a, b: add_steps([a, b]), "-": subtract_steps, "×": multiply_steps}
LEAST = 3


def _apply(operator, a, b):
    return a + b if operator == "+" else a - b if operator == "-" else a * b


def _numbers(rng, operations, most):
    """Operands of the operations, left to right, and every result on the way."""
    numbers, results = [rng.randint(LEAST, 12 if operations[0] == "×" else most)], []
    for operator in operations:
        before = results[-1] if results else numbers[0]
        top = max(LEAST, before - LEAST) if operator == "-" else 40 if operator == "×" else most
        numbers.append(rng.randint(LEAST, min(top, most)))
        results.append(_apply(operator, before, numbers[-1]))
    return numbers, results


def _countable(language, n):
    """Whether the plain forms of the language fit the number: Arabic has others for one and two, alone or after hundreds."""
    return n >= LEAST and (language != "ar" or n % 100 not in (1, 2))


def _draw(rng, language, held_out, operations, most):
    while True:
        numbers, results = draw(rng, KIND, held_out, lambda: _numbers(rng, operations, most))
        if all(_countable(language, n) for n in numbers + results):
            return numbers, results


def _counted(language, n, thing):
    if language == "zh":
        return f"{n}{thing[0]}{thing[1]}"
    if language == "ar":
        return f"{n} {thing[0 if 3 <= n % 100 <= 10 else 1 if n % 100 > 10 else 2]}"
    return f"{n} {thing if isinstance(thing, str) else thing[0]}"


def _slots(language, thing):
    """The forms of the thing that templates ask for."""
    if language == "zh":
        return {"u": thing[0], "t": thing[1]}
    if language == "ar":
        return {"k": thing[1]}
    if language == "fr":
        return {"t": thing[0], "d": thing[1]}
    return {"t": thing[0], "q": thing[1], "q2": thing[1].lower()} if language == "es" else {"t": thing}


def _gendered(text, is_woman):
    return re.sub(r"\[([^/\]]*)/([^\]]*)\]", lambda m: m[2 if is_woman else 1], text)


def _people(rng, language):
    is_woman = rng.random() < 0.5
    first, others = (stories.WOMEN, stories.MEN) if is_woman else (stories.MEN, stories.WOMEN)
    return is_woman, {"n": rng.choice(first[language]), "m": rng.choice(others[language])}


def _story(rng, language, held_out, operations, numbers):
    is_woman, slots = _people(rng, language)
    thing = rng.choice(stories.THINGS[language])
    slots |= _slots(language, thing)
    rest, events = list(zip(operations, numbers[1:])), []
    if operations[0] == "×":
        rest = rest[1:]
        opening = pick(rng, stories.OPENING_TIMES[language], held_out)
        slots |= {"a": numbers[0], "b": numbers[1], "bt": _counted(language, numbers[1], thing)}
    else:
        opening = pick(rng, stories.OPENING[language], held_out)
        slots["at"] = _counted(language, numbers[0], thing)
    seen = set()
    for operator, n in rest:
        events_of = (stories.MORE if operator == "+" else stories.LESS)[language]
        event = next(e for e in iter(lambda: pick(rng, events_of, held_out), None) if e not in seen)
        seen.add(event)
        events.append(event.format(x=n, xt=_counted(language, n, thing), **slots))
    parts = [opening.format(**slots), *events, pick(rng, stories.QUESTION[language], held_out).format(**slots)]
    return _gendered(("" if language == "zh" else " ").join(parts), is_woman), slots, thing


def _result(rng, language, expression, result):
    return rng.choice(RESULT[language]).format(s=expression, r=result)


def _steps(operations, numbers):
    """The expression, then its operations one by one."""
    lines, result = [str(numbers[0]) + "".join(f"{o}{n}" for o, n in zip(operations, numbers[1:]))], numbers[0]
    for operator, n in zip(operations, numbers[1:]):
        lines += STEPS[operator](result, n)
        result = _apply(operator, result, n)
    return lines


def make(rng, language, held_out):
    is_story = rng.random() < STORY_SHARE
    operations = rng.choice(STORY_OPERATIONS if is_story else SCENE_OPERATIONS)
    most = 999 if is_story and rng.random() < 0.15 and operations[0] != "×" else 60
    numbers, results = _draw(rng, language, held_out, operations, most)
    spaced = str(numbers[0]) + "".join(f" {o} {n}" for o, n in zip(operations, numbers[1:]))
    if is_story:
        question, slots, thing = _story(rng, language, held_out, operations, numbers)
        answer = rng.choice(stories.STORY_ANSWER[language] + [spaced + " = {r}"])
        answer = answer.format(r=results[-1], rt=_counted(language, results[-1], thing), **slots)
    else:
        is_woman, people = _people(rng, language)
        values = dict(zip("abc", numbers))
        question = _gendered(pick(rng, stories.SCENES[language][operations], held_out).format(**values, **people), is_woman)
        answer = _result(rng, language, spaced, results[-1])
    return worked(rng, KIND, language, question, _steps(operations, numbers), answer, [number_check(results[-1])])


def verify(example):
    expression = work_of(example).split("\n")[0]
    result = example.checks[0]["value"]
    return (sorted(numbers_in(expression)) == sorted(numbers_in(example.messages[-2]["content"]))
            and equations_hold(f"{expression}={result}")
            and shows(example, _steps(re.findall("[+×-]", expression), numbers_in(expression))))
