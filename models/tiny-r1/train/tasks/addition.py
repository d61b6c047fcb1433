"""Sums of two or three whole numbers of one to four digits."""

from tasks import draw, number_check
from tasks.arithmetic import add_steps, numbers_in, shows, work_of
from tasks.wording import calculation, result_sentence, worked

KIND = "addition"

EXPRESSIONS = {
    "en": ["{0} plus {1}", "the sum of {0} and {1}", "{0} added to {1}"],
    "fr": ["{0} plus {1}", "la somme de {0} et {1}", "la somme de {0} et de {1}"],
    "de": ["{0} plus {1}", "die Summe von {0} und {1}", "die Summe aus {0} und {1}"],
    "es": ["{0} más {1}", "la suma de {0} y {1}", "la suma de {0} más {1}"],
    "zh": ["{0}加{1}", "{0}与{1}的和", "{0}加上{1}"],
    "ar": ["{0} زائد {1}", "مجموع {0} و {1}", "حاصل جمع {0} و {1}"],
}

OWN = {
    "en": ["Add {0} and {1}.", "Add {1} to {0}.", "What do {0} and {1} add up to?", "What is the total of {0} and {1}?",
           "{0} and {1} together make how much?",
           "If I add {0} and {1}, what do I get?", "Add up {0} and {1}.", "Give me the sum of {0} and {1}."],
    "fr": ["Additionne {0} et {1}.", "Ajoute {1} à {0}.", "Combien font {0} et {1} ?", "Quel est le total de {0} et {1} ?",
           "Combien font {0} plus {1} ?",
           "Si j'ajoute {1} à {0}, combien ça fait ?", "{0} et {1} font combien ?", "Fais la somme de {0} et {1}."],
    "de": ["Addiere {0} und {1}.", "Zähle {0} und {1} zusammen.", "Was ist die Summe von {0} und {1}?",
           "Wie viel sind {0} und {1} zusammen?",
           "Addiere {1} zu {0}.", "Wenn ich {0} und {1} addiere, was kommt heraus?", "{0} und {1} macht wie viel?",
           "Bilde die Summe aus {0} und {1}."],
    "es": ["Suma {0} y {1}.", "Suma {1} a {0}.", "¿Cuánto suman {0} y {1}?", "¿Cuál es el total de {0} y {1}?", "¿Cuánto son {0} más {1}?",
           "Si sumo {0} y {1}, ¿cuánto me da?", "Añade {1} a {0}.", "{0} y {1}, ¿cuánto hacen?"],
    "zh": ["把{0}和{1}相加。", "{0}和{1}的和是多少？", "{0}加{1}等于几？", "{0}和{1}加起来是多少？", "{0}与{1}一共是多少？", "如果把{0}加上{1}，得到多少？", "求{0}与{1}之和。",
           "{0}和{1}合起来是多少？"],
    "ar": ["اجمع {0} و {1}.", "أضف {1} إلى {0}.", "ما مجموع {0} و {1}؟", "كم مجموع العددين {0} و {1}؟",
           "إذا جمعت {0} و {1} فكم يكون الناتج؟", "{0} مع {1} كم؟",
           "أعطني مجموع {0} و {1}.", "كم يصبح {0} إذا أضفنا إليه {1}؟"],
}

EXPRESSIONS_3 = {
    "en": ["{0} plus {1} plus {2}", "the sum of {0}, {1} and {2}"],
    "fr": ["{0} plus {1} plus {2}", "la somme de {0}, {1} et {2}"],
    "de": ["{0} plus {1} plus {2}", "die Summe von {0}, {1} und {2}"],
    "es": ["{0} más {1} más {2}", "la suma de {0}, {1} y {2}"],
    "zh": ["{0}加{1}加{2}", "{0}、{1}与{2}的和"],
    "ar": ["{0} زائد {1} زائد {2}", "مجموع {0} و {1} و {2}"],
}

OWN_3 = {
    "en": ["Add {0}, {1} and {2}.", "What do {0}, {1} and {2} add up to?", "Add up {0}, {1} and {2}.",
           "What is the total of {0}, {1} and {2}?"],
    "fr": ["Additionne {0}, {1} et {2}.", "Combien font {0}, {1} et {2} ?", "Fais la somme de {0}, {1} et {2}.",
           "Quel est le total de {0}, {1} et {2} ?"],
    "de": ["Addiere {0}, {1} und {2}.", "Wie viel sind {0}, {1} und {2} zusammen?", "Zähle {0}, {1} und {2} zusammen.",
           "Was ist die Summe aus {0}, {1} und {2}?"],
    "es": ["Suma {0}, {1} y {2}.", "¿Cuánto suman {0}, {1} y {2}?", "¿Cuánto son {0} más {1} más {2}?",
           "¿Cuál es el total de {0}, {1} y {2}?"],
    "zh": ["把{0}、{1}和{2}相加。", "{0}、{1}和{2}的和是多少？", "{0}加{1}再加{2}等于多少？", "{0}、{1}和{2}加起来是多少？"],
    "ar": ["اجمع {0} و {1} و {2}.", "ما مجموع {0} و {1} و {2}؟", "كم مجموع الأعداد {0} و {1} و {2}؟",
           "أعطني مجموع الأعداد {0} و {1} و {2}."],
}


def _number(rng, most_digits):
    digits = rng.choices(range(1, most_digits + 1), weights=[3, 6, 6, 2][:most_digits])[0]
    return rng.randrange(10 ** (digits - 1) if digits > 1 else 0, 10 ** digits)


def make(rng, language, held_out):
    three = rng.random() < 0.1
    terms = draw(rng, KIND, held_out, lambda: [_number(rng, 3 if three else 4) for _ in range(3 if three else 2)])
    wording = (EXPRESSIONS_3, OWN_3) if three else (EXPRESSIONS, OWN)
    question, only, has_words = calculation(rng, language, held_out, terms, "+", *(w[language] for w in wording))
    answer = result_sentence(rng, language, " + ".join(map(str, terms)), sum(terms), only, has_words)
    return worked(rng, KIND, language, question, add_steps(terms), answer, [number_check(sum(terms))], only)


def verify(example):
    terms, lines = numbers_in(example.messages[-2]["content"]), work_of(example).split("\n")
    told = numbers_in(lines[0].split(":")[0])
    return sorted(terms) == sorted(told) and sum(terms) == example.checks[0]["value"] and shows(example, add_steps(told))
