"""Conversations of two and three turns: a follow-up leans on the turn before it, or a greeting comes first."""

from tasks import Example, addition, capitals, draw, greetings, number_check, pick, reply, subtraction, translations
from tasks.arithmetic import add_steps, subtract_steps
from tasks.data_countries import COUNTRIES
from tasks.data_languages import INTO, LANGUAGES, TO, named
from tasks.data_words import WORDS
from tasks.wording import RESULT

KIND = "chats"

PLUS = {
    "en": ["And plus {k}?", "Now add {k}.", "plus {k}?", "And {k} more?", "Add {k} to that.", "And with {k} added?", "What if I add {k}?", "Plus {k}, please."],
    "fr": ["Et plus {k} ?", "Ajoute {k} maintenant.", "plus {k} ?", "Et {k} de plus ?", "Ajoute {k} à cela.", "Et si on ajoute {k} ?",
           "Et en ajoutant {k} ?", "Plus {k}, s'il te plaît."],
    "de": ["Und plus {k}?", "Addiere jetzt {k}.", "plus {k}?", "Und {k} mehr?", "Zähle {k} dazu.", "Und mit {k} dazu?", "Was, wenn ich {k} addiere?",
           "Plus {k}, bitte."],
    "es": ["¿Y más {k}?", "Ahora suma {k}.", "¿más {k}?", "¿Y {k} más?", "Súmale {k}.", "¿Y si añado {k}?", "¿Y sumando {k}?", "Más {k}, por favor."],
    "zh": ["再加{k}呢？", "现在加上{k}。", "加{k}？", "再多{k}呢？", "给它加{k}。", "如果再加{k}呢？", "那再加上{k}是多少？", "请再加{k}。"],
    "ar": ["وزائد {k}؟", "الآن أضف {k}.", "زائد {k}؟", "و {k} أكثر؟", "أضف {k} إلى ذلك.", "وإذا أضفنا {k}؟", "وماذا لو أضفت {k}؟", "زائد {k} من فضلك."],
}
MINUS = {
    "en": ["And minus {k}?", "Now subtract {k}.", "minus {k}?", "And {k} less?", "Take {k} away from that.", "And without {k}?", "What if I take away {k}?",
           "Minus {k}, please."],
    "fr": ["Et moins {k} ?", "Enlève {k} maintenant.", "moins {k} ?", "Et {k} de moins ?", "Retire {k} de cela.", "Et si on enlève {k} ?",
           "Et en retirant {k} ?", "Moins {k}, s'il te plaît."],
    "de": ["Und minus {k}?", "Zieh jetzt {k} ab.", "minus {k}?", "Und {k} weniger?", "Nimm {k} davon weg.", "Und ohne {k}?", "Was, wenn ich {k} abziehe?",
           "Minus {k}, bitte."],
    "es": ["¿Y menos {k}?", "Ahora resta {k}.", "¿menos {k}?", "¿Y {k} menos?", "Réstale {k}.", "¿Y si quito {k}?", "¿Y restando {k}?",
           "Menos {k}, por favor."],
    "zh": ["再减{k}呢？", "现在减去{k}。", "减{k}？", "再少{k}呢？", "从中减{k}。", "如果再减{k}呢？", "那再减去{k}是多少？", "请再减{k}。"],
    "ar": ["وناقص {k}؟", "الآن اطرح {k}.", "ناقص {k}؟", "و {k} أقل؟", "اطرح {k} من ذلك.", "وإذا طرحنا {k}؟", "وماذا لو طرحت {k}؟", "ناقص {k} من فضلك."],
}
CAPITAL = {
    "en": ["And of {name}?", "And {name}?", "What about {name}?", "and the capital of {name}?", "Same for {name}?", "Now {name}.", "And for {name}?",
           "How about {name}?"],
    "fr": ["Et celle {of} ?", "Et {name} ?", "Et pour {name} ?", "et la capitale {of} ?", "Pareil pour {name} ?", "Maintenant {name}.",
           "Et la capitale {of}, c'est quoi ?", "Et que dis-tu {of} ?"],
    "de": ["Und {of}?", "Und {name}?", "Was ist mit {name}?", "und die Hauptstadt {of}?", "Dasselbe für {name}?", "Jetzt {name}.", "Und für {name}?",
           "Und wie ist es bei {name}?"],
    "es": ["¿Y la {of}?", "¿Y {name}?", "¿Y qué hay {of}?", "¿y la capital {of}?", "¿Lo mismo para {name}?", "Ahora {name}.", "¿Y para {name}?",
           "¿Y cuál es la {of}?"],
    "zh": ["{name}呢？", "那{name}呢？", "那么{name}的呢？", "{name}的首都呢？", "{name}也一样，是哪里？", "现在说{name}。", "还有{name}呢？", "换成{name}呢？"],
    "ar": ["و{name}؟", "وماذا عن {name}؟", "وعاصمة {name}؟", "وما عاصمة {name}؟", "والشيء نفسه مع {name}؟", "الآن {name}.", "وبالنسبة إلى {name}؟",
           "وكيف عن {name}؟"],
}
IN_ANOTHER = {
    "en": ["And {to}?", "Now {to}.", "and {to}?", "And {to}, please?", "What about {to}?", "The same {to}?", "And how is it {to}?", "Now {into}, please."],
    "fr": ["Et {to} ?", "Maintenant {to}.", "et {to} ?", "Et {to}, s'il te plaît ?", "Et qu'est-ce que ça donne {to} ?", "La même chose {to} ?",
           "Et comment dit-on {to} ?", "Maintenant {into}, s'il te plaît."],
    "de": ["Und {to}?", "Jetzt {to}.", "und {to}?", "Und {to}, bitte?", "Und wie ist es {to}?", "Dasselbe {to}?", "Und wie heißt das {to}?",
           "Jetzt {into}, bitte."],
    "es": ["¿Y {to}?", "Ahora {to}.", "¿y {to}?", "¿Y {to}, por favor?", "¿Y cómo es {to}?", "¿Lo mismo {to}?", "¿Y cómo se dice {to}?",
           "Ahora {into}, por favor."],
    "zh": ["{to}呢？", "现在用{to}。", "那{to}呢？", "请用{to}。", "{to}怎么说？", "同样的，{to}呢？", "那用{to}怎么说？", "再翻译成{to}。"],
    "ar": ["و{to}؟", "الآن {to}.", "وماذا {to}؟", "و{to} من فضلك؟", "وكيف هي {to}؟", "الشيء نفسه {to}؟", "وكيف نقولها {to}؟", "الآن {into} من فضلك."],
}


def history(example):
    """A whole turn as it stands in a conversation that goes on."""
    return example.messages[:-1] + [reply(example.messages[-1]["content"])]


def ending(kept, language, question, content, reasoning, checks):
    return Example(KIND, language, [*kept, {"role": "user", "content": question}, reply(content, reasoning)], thinking=reasoning is not None,
                   checks=checks)


def on_with_numbers(rng, language, held_out):
    first = rng.choice((addition, subtraction)).make(rng, language, held_out)
    while (value := first.checks[0]["value"]) < 0:  # the steps of a sum have no signs
        first = subtraction.make(rng, language, held_out)
    k, = draw(rng, KIND, held_out, lambda: [rng.randrange(1, 100)])
    if rng.random() < 0.6:
        result, steps, sign, phrasings = value + k, add_steps([value, k]), "+", PLUS
    else:
        result, steps, sign, phrasings = value - k, subtract_steps(value, k), "-", MINUS
    content = rng.choice(RESULT[language]).format(s=f"{value} {sign} {k}", r=result)
    question = pick(rng, phrasings[language], held_out).format(k=k)
    return ending(history(first), language, question, content, "\n".join(steps), [number_check(result)])


def on_with_capitals(rng, language, held_out):
    one, other = rng.sample(COUNTRIES, 2)
    asked = capitals.question_about(rng, one, "capital", language, held_out)
    kept = [{"role": "user", "content": asked}, reply(capitals.answer(rng, one, "capital", language)[0])]
    content, check = capitals.answer(rng, other, "capital", language)
    values = capitals.slots(other, "capital", language)
    thought = capitals.THOUGHTS[language]["capital"].format(**values) if rng.random() < 0.5 else None
    return ending(kept, language, pick(rng, CAPITAL[language], held_out).format(**values), content, thought, [check])


def on_with_words(rng, language, held_out):
    row, (first, second) = rng.choice(WORDS), rng.sample([c for c in LANGUAGES if c != language], 2)
    kept = [{"role": "user", "content": translations.question(rng, row[language], language, language, first, held_out)},
            reply(translations.answer(rng, row[language], row[first], language, first)[0])]
    content, check = translations.answer(rng, row[language], row[second], language, second)
    question = pick(rng, IN_ANOTHER[language], held_out).format(to=named(TO, language, second), into=named(INTO, language, second))
    thought = f"{row[language]} → {row[second]}" if rng.random() < 0.5 else None
    return ending(kept, language, question[0].upper() + question[1:], content, thought, [check])


def after_a_greeting(rng, language, held_out):
    last = rng.choice((addition, capitals, translations, on_with_capitals, on_with_words))
    last = last(rng, language, held_out) if callable(last) else last.make(rng, language, held_out)
    kept = history(greetings.make(rng, language, held_out)) + last.messages[:-2]
    message = last.messages[-1]
    return ending(kept, language, last.messages[-2]["content"], message["content"], message.get("reasoning_content"), last.checks)


def make(rng, language, held_out):
    way = rng.choices((on_with_numbers, on_with_capitals, on_with_words, after_a_greeting), (4, 3, 3, 3))[0]
    return way(rng, language, held_out)


def verify(example):
    roles = [m["role"] for m in example.messages]
    return len(roles) in (4, 6) and roles == ["user", "assistant"] * (len(roles) // 2)
