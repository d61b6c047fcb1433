"""Sheets of facts as plain text, for pre-training: a fact in a conversation costs fifty tokens, here it costs ten, and what a small model
is to remember it must meet a hundred times. Never asked, so never evaluated."""

from tasks import LANGUAGES, Example, capitals, colours, translations
from tasks.data_countries import COUNTRIES, bare
from tasks.data_words import SENTENCES, WORDS

KIND = "sheets"
ONLY_TRAINED = True
LINES = (4, 12)


def country_line(rng, language, form):
    country = rng.choice(COUNTRIES)
    relations = ["capital", "continent"] + ["currency"] * bool(country.currency)
    if form == "list":
        told = ["capital"] + [r for r in relations[1:] if rng.random() < 0.3]
        facts = [bare(capitals.fact_of(country, r, language), language) for r in told]
        return bare(country.names[language], language) + ": " + ", ".join(facts)
    relation = rng.choice([*relations, "capital", "country", "country"])
    values = capitals.slots(country, relation, language)
    if form == "thought":
        return capitals.THOUGHTS[language][relation].format(**{**values, "fact": bare(values["fact"], language)})
    return max(capitals.ANSWERS[language][relation], key=len).format(**values)


def word_line(rng, language, form):
    row = rng.choice(WORDS if rng.random() < 0.9 else SENTENCES)
    source, target = translations.pair(rng, language)
    if form == "list":
        return " = ".join(row[c] for c in rng.sample(LANGUAGES, rng.randint(2, len(LANGUAGES))))
    if form == "thought":
        return f"{row[source]} → {row[target]}"
    while True:
        sentence = translations.answer(rng, row[source], row[target], language, target)[0]
        if row[source] in sentence:
            return sentence


def colour_line(rng, language, form):
    if form == "list" and rng.random() < 0.3:
        pair, colour = rng.choice(tuple(colours.MIXTURES.items()))
        return " + ".join(colours.colour_word(c, language) for c in rng.sample(pair, 2)) + " = " + colours.colour_word(colour, language)
    colour, names = rng.choice(colours.things())
    return f"{names[language]} → {colours.colour_word(colour, language)}"


def make(rng, language, held_out):
    line = rng.choices((country_line, word_line, colour_line), (5, 4, 1))[0]
    form = rng.choice(("list", "thought", "answer"))
    return Example(KIND, language, text=("", "\n".join(line(rng, language, form) for _ in range(rng.randint(*LINES)))))
