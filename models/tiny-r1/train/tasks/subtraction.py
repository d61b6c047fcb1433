"""Differences of two whole numbers of one to four digits; one in ten is negative."""

from tasks import draw, number_check
from tasks.arithmetic import numbers_in, shows, subtract_steps, work_of
from tasks.wording import calculation, result_sentence, worked

KIND = "subtraction"
NEGATIVE = 1 / 10
SIGNS = ["-", "-", "-", "−"]

EXPRESSIONS = {
    "en": ["{0} minus {1}", "{0} take away {1}", "{0} less {1}"],
    "fr": ["{0} moins {1}"],
    "de": ["{0} minus {1}", "{0} weniger {1}"],
    "es": ["{0} menos {1}"],
    "zh": ["{0}减{1}", "{0}减去{1}"],
    "ar": ["{0} ناقص {1}", "{0} مطروح منه {1}"],
}

OWN = {
    "en": ["Subtract {1} from {0}.", "Take {1} away from {0}.", "What is left if you take {1} from {0}?",
           "What do I get when I subtract {1} from {0}?",
           "If I take {1} away from {0}, what remains?", "{0} minus {1} makes how much?", "What is {1} subtracted from {0}?",
           "Deduct {1} from {0}."],
    "fr": ["Soustrais {1} de {0}.", "Retire {1} de {0}.", "Enlève {1} à {0}.", "Que reste-t-il si on enlève {1} à {0} ?",
           "Si je retire {1} de {0}, combien reste-t-il ?",
           "Combien font {0} moins {1} ?", "Ôte {1} de {0}.", "Combien obtient-on en soustrayant {1} de {0} ?"],
    "de": ["Subtrahiere {1} von {0}.", "Ziehe {1} von {0} ab.", "Was bleibt, wenn man {1} von {0} abzieht?",
           "Wie viel bleibt von {0}, wenn ich {1} wegnehme?",
           "Nimm {1} von {0} weg.", "Zieh von {0} {1} ab.", "Was ergibt {1} von {0} abgezogen?",
           "Wie viel ist {0}, wenn man {1} davon abzieht?"],
    "es": ["Resta {1} de {0}.", "Réstale {1} a {0}.", "Quita {1} de {0}.", "¿Cuánto queda si a {0} le quito {1}?",
           "Si resto {1} de {0}, ¿cuánto me da?",
           "¿Cuánto son {0} menos {1}?", "¿Qué queda al restar {1} de {0}?", "Quítale {1} a {0}."],
    "zh": ["从{0}中减去{1}。", "{0}减{1}等于几？", "{0}减去{1}还剩多少？", "{0}与{1}的差是多少？", "如果从{0}里减去{1}，得多少？", "{0}减掉{1}是多少？", "把{0}减去{1}。",
           "从{0}里拿走{1}，剩多少？"],
    "ar": ["اطرح {1} من {0}.", "كم يبقى إذا طرحنا {1} من {0}؟", "ما ناتج طرح {1} من {0}؟", "انقص {1} من {0}.",
           "إذا طرحت {1} من {0} فكم الناتج؟", "ما باقي طرح {1} من {0}؟",
           "خذ {1} من {0}، كم يبقى؟", "احسب ما يبقى من {0} بعد طرح {1}."],
}


def _values(rng):
    high = rng.choices(range(1, 5), weights=[2, 6, 6, 2])[0]
    low = rng.randint(max(1, high - 2), high)
    pair = sorted((rng.randrange(10 ** low), rng.randrange(10 ** high)), reverse=True)
    return pair[::-1] if rng.random() < NEGATIVE else pair


def make(rng, language, held_out):
    a, b = draw(rng, KIND, held_out, lambda: _values(rng))
    question, only, has_words = calculation(rng, language, held_out, (a, b), SIGNS, EXPRESSIONS[language], OWN[language])
    answer = result_sentence(rng, language, f"{a} - {b}", a - b, only, has_words)
    return worked(rng, KIND, language, question, subtract_steps(a, b), answer, [number_check(a - b)], only)


def verify(example):
    a, b = numbers_in(work_of(example))[:2]
    return (sorted((a, b)) == sorted(numbers_in(example.messages[-2]["content"])) and a - b == example.checks[0]["value"]
            and shows(example, subtract_steps(a, b)))
