"""Products: one digit by one up to two digits by two."""

from tasks import draw, number_check
from tasks.arithmetic import multiply_steps, numbers_in, shows
from tasks.wording import calculation, result_sentence, worked

KIND = "multiplication"
SIGNS = {"en": ["×", "x", "*"], "fr": ["×", "x", "*"], "de": ["·", "×", "x", "*"], "es": ["×", "x", "*"], "zh": ["×", "*", "×"],
"ar": ["×", "*", "x"]}
SHAPES = [(1, 1), (2, 1), (1, 2), (2, 2)]

EXPRESSIONS = {
    "en": ["{0} times {1}", "the product of {0} and {1}", "{0} multiplied by {1}"],
    "fr": ["{0} fois {1}", "le produit de {0} par {1}", "le produit de {0} et {1}"],
    "de": ["{0} mal {1}", "das Produkt von {0} und {1}", "das Produkt aus {0} und {1}"],
    "es": ["{0} por {1}", "el producto de {0} y {1}", "{0} multiplicado por {1}"],
    "zh": ["{0}乘{1}", "{0}乘以{1}", "{0}与{1}的积"],
    "ar": ["{0} ضرب {1}", "حاصل ضرب {0} في {1}", "{0} في {1}"],
}

OWN = {
    "en": ["Multiply {0} by {1}.", "Multiply {0} and {1}.", "What do you get when you multiply {0} by {1}?",
           "{0} times {1} makes how much?", "If I multiply {0} by {1}, what is it?",
           "Give me the product of {0} and {1}.", "What is {0} taken {1} times?", "Do the multiplication of {0} by {1}."],
    "fr": ["Multiplie {0} par {1}.", "Combien font {0} fois {1} ?", "Quel est le produit de {0} et {1} ?",
           "{0} fois {1}, ça fait combien ?", "Si je multiplie {0} par {1}, combien ça fait ?",
           "{0} multiplié par {1} donne combien ?", "Fais la multiplication de {0} par {1}.", "Multipliez {0} par {1}, merci."],
    "de": ["Multipliziere {0} mit {1}.", "Nimm {0} mal {1}.", "Was ist das Produkt von {0} und {1}?", "{0} mal {1} macht wie viel?",
           "Was kommt heraus, wenn ich {0} mit {1} multipliziere?",
           "Wie viel sind {0} mal {1}?", "Bilde das Produkt aus {0} und {1}.", "Was ergibt {0} multipliziert mit {1}?"],
    "es": ["Multiplica {0} por {1}.", "¿Cuánto son {0} por {1}?", "¿Cuál es el producto de {0} y {1}?",
           "¿Cuánto da {0} multiplicado por {1}?", "Si multiplico {0} por {1}, ¿cuánto me da?",
           "{0} por {1}, ¿cuánto es?", "Haz la multiplicación de {0} por {1}.", "¿Qué sale al multiplicar {0} por {1}?"],
    "zh": ["把{0}和{1}相乘。", "{0}乘以{1}等于几？", "{0}和{1}的乘积是多少？", "{0}乘{1}得多少？", "如果用{0}乘以{1}，得多少？", "{0}的{1}倍是多少？", "求{0}与{1}之积。",
           "{0}和{1}相乘是多少？"],
    "ar": ["اضرب {0} في {1}.", "ما حاصل ضرب {0} في {1}؟", "كم يساوي {0} ضرب {1}؟", "إذا ضربت {0} في {1} فكم الناتج؟",
           "ما ناتج ضرب {0} في {1}؟", "{0} في {1} كم؟",
           "أعطني حاصل ضرب {0} و {1}.", "كم ينتج عن ضرب {0} في {1}؟"],
}


def _values(rng):
    shape = rng.choices(SHAPES, weights=[2, 3, 1, 6])[0]
    if shape == (1, 1):
        return rng.randrange(10), rng.randrange(10)
    return tuple(rng.randrange(10 ** (n - 1) if n > 1 else 2, 10 ** n) for n in shape)


def make(rng, language, held_out):
    a, b = draw(rng, KIND, held_out, lambda: _values(rng))
    question, only, has_words = calculation(rng, language, held_out, (a, b), SIGNS[language], EXPRESSIONS[language], OWN[language])
    answer = result_sentence(rng, language, f"{a} × {b}", a * b, only, has_words)
    return worked(rng, KIND, language, question, multiply_steps(a, b), answer, [number_check(a * b)], only)


def verify(example):
    a, b = numbers_in(example.messages[-2]["content"])
    return a * b == example.checks[0]["value"] and shows(example, multiply_steps(a, b))
