"""Words and short sentences from one of the six languages into another: recall, so only phrasings are held out."""

import re

from tasks import ask, contains_check, pick, regex_check
from tasks.data_languages import FROM, INTO, LANGUAGES, QUOTES, TO, named
from tasks.data_words import SENTENCES, WORDS

KIND = "translations"
SHORTEST_TO_SEEK = 4  # shorter Latin words stand inside others, so they are sought between marks or spaces

# {text}: what to translate; {q}: the same in quotation marks; {to} {into}: the language wanted.
QUESTIONS = {
    "en": ["How do you say {q} {to}?", "Translate {q} {into}.", "What is {q} {to}?", "{text} {to}?", "translate {into}: {text}",
           "What's {q} {to}?", "how do i say {text} {to}", "Please translate {q} {into}.", "Say {q} {to}.", "Can you translate {q} {into}?",
           "What does {q} mean {to}?", "{q} {to}, please.", "I want to say {q} {to}. How?", "Give me {q} {to}.",
           "Tell me how to say {q} {to}.", "How would I say {q} {to}?",
           "Could you put {q} {into} for me?", "What do people say for {q} {to}?", "{into}, please: {text}", "how is {text} said {to}?",
           "Translation of {q} {into}?"],
    "fr": ["Comment dit-on {q} {to} ?", "Traduis {q} {into}.", "Que veut dire {q} {to} ?", "{text} {to} ?", "traduis {into} : {text}",
           "C'est quoi {q} {to} ?", "comment on dit {text} {to}", "Traduisez {q} {into}, s'il vous plaît.", "Dis {q} {to}.",
           "Peux-tu traduire {q} {into} ?", "Comment se dit {q} {to} ?", "{q} {to}, s'il te plaît.",
           "Je veux dire {q} {to}. Comment faire ?", "Donne-moi {q} {to}.", "Dis-moi comment on dit {q} {to}.", "Que signifie {q} {to} ?",
           "Pourrais-tu me traduire {q} {into} ?", "Comment dirais-tu {q} {to} ?", "Et {q}, ça se dit comment {to} ?",
           "Quelle est la traduction de {q} {into} ?", "{into}, s'il te plaît : {text}"],
    "de": ["Wie sagt man {q} {to}?", "Übersetze {q} {into}.", "Was heißt {q} {to}?", "{text} {to}?", "übersetze {into}: {text}",
           "Was bedeutet {q} {to}?", "wie sagt man {text} {to}", "Bitte übersetze {q} {into}.", "Sag {q} {to}.",
           "Kannst du {q} {into} übersetzen?", "Wie heißt {q} {to}?", "{q} {to}, bitte.", "Ich möchte {q} {to} sagen. Wie geht das?",
           "Nenn mir {q} {to}.", "Sag mir, wie man {q} {to} sagt.", "Übersetzen Sie bitte {q} {into}.",
           "Könntest du mir {q} {into} übersetzen?", "Wie würde man {q} {to} sagen?", "Und was ist {q} {to}?",
           "Wie lautet {q} {to}?", "{to}, bitte: {text}"],
    "es": ["¿Cómo se dice {q} {to}?", "Traduce {q} {into}.", "¿Qué significa {q} {to}?", "{text}, ¿cómo es {to}?", "traduce {into}: {text}",
           "¿Qué es {q} {to}?", "como se dice {text} {to}", "Por favor, traduce {q} {into}.", "Di {q} {to}.",
           "¿Puedes traducir {q} {into}?",
           "¿Cómo digo {q} {to}?", "{q} {to}, por favor.", "Quiero decir {q} {to}. ¿Cómo se dice?", "Dame {q} {to}.",
           "Dime cómo se dice {q} {to}.", "Traduzca {q} {into}, por favor.",
           "¿Podrías traducirme {q} {into}?", "¿Cómo dirías {q} {to}?", "¿Y {q}, cómo es {to}?", "¿Cuál es la traducción de {q} {into}?",
           "{to}, por favor: {text}"],
    "zh": ["{q}用{to}怎么说？", "把{q}翻译成{to}。", "{q}的{to}是什么？", "{text} {to}怎么说", "翻译成{to}：{text}", "{q}用{to}怎么讲？", "请把{q}翻译成{to}。",
           "请问{q}用{to}怎么说？", "用{to}说{q}。", "你能把{q}翻译成{to}吗？", "{q}翻译成{to}是什么？", "{to}：{text}", "我想用{to}说{q}，怎么说？", "告诉我{q}的{to}。",
           "{q}在{to}里是什么？", "{q}{to}怎么说",
           "麻烦把{q}译成{to}。", "{to}里怎么说{q}？", "那么{q}用{to}该怎么说？", "{q}译成{to}是什么？", "请用{to}写出{q}。"],
    "ar": ["كيف نقول {q} {to}؟", "ترجم {q} {into}.", "ما معنى {q} {to}؟", "{text} {to}؟", "ترجم {into}: {text}", "ما هي {q} {to}؟",
           "كيف أقول {text} {to}", "من فضلك ترجم {q} {into}.", "قل {q} {to}.", "هل يمكنك ترجمة {q} {into}؟", "كيف تقال {q} {to}؟",
           "{q} {to} من فضلك.", "أريد أن أقول {q} {to}. كيف؟", "أعطني {q} {to}.", "أخبرني كيف نقول {q} {to}.", "ماذا تعني {q} {to}؟",
           "هل تستطيع أن تترجم لي {q} {into}؟", "كيف يقولون {q} {to}؟", "ما ترجمة {q} {into}؟", "لو سمحت، {q} {to}؟",
           "اكتب {q} {to}."],
}

# The same where the language of the text is neither asked in nor asked for: it is named.
QUESTIONS_FROM = {
    "en": ["Translate {from_} {into}: {text}", "Translate {q} {from_} {into}.", "{from_} {into}: {text}",
           "Please translate {from_} {into}: {q}", "Can you translate {q} {from_} {into}?", "I need this {from_} {into}: {text}",
           "Put {q} {from_} {into}.", "A translation {from_} {into}, please: {text}"],
    "fr": ["Traduis {from_} {into} : {text}", "Traduis {q} {from_} {into}.", "{from_} {into} : {text}",
           "Traduisez {from_} {into}, s'il vous plaît : {q}", "Peux-tu traduire {q} {from_} {into} ?",
           "Il me faut ceci traduit {from_} {into} : {text}", "Une traduction {from_} {into} : {text}",
           "Passe {q} {from_} {into}, s'il te plaît."],
    "de": ["Übersetze {from_} {into}: {text}", "Übersetze {q} {from_} {into}.", "{from_} {into}: {text}",
           "Bitte {from_} {into} übersetzen: {q}", "Kannst du {q} {from_} {into} übersetzen?", "Übersetzen Sie {from_} {into}: {text}",
           "Eine Übersetzung {from_} {into}: {text}", "Übertrage {q} {from_} {into}."],
    "es": ["Traduce {from_} {into}: {text}", "Traduce {q} {from_} {into}.", "{from_} {into}: {text}",
           "Por favor, traduce {from_} {into}: {q}", "¿Puedes traducir {q} {from_} {into}?", "Necesito esto {from_} {into}: {text}",
           "Una traducción {from_} {into}: {text}", "Pasa {q} {from_} {into}."],
    "zh": ["把{from_}翻译成{to}：{text}", "把{from_}的{q}翻译成{to}。", "{from_}的{q}用{to}怎么说？", "请从{from_}翻译成{to}：{q}", "{from_}译成{to}：{text}",
           "你能把{from_}{q}翻译成{to}吗？", "{from_}里的{q}，{to}怎么说？", "请把下面的{from_}译成{to}：{text}"],
    "ar": ["ترجم {from_} {into}: {text}", "ترجم {q} {from_} {into}.", "{from_} {into}: {text}", "من فضلك ترجم {from_} {into}: {q}",
           "هل يمكنك ترجمة {q} {from_} {into}؟", "أحتاج هذا {from_} {into}: {text}", "ترجمة {from_} {into}: {text}",
           "انقل {q} {from_} {into}."],
}

ANSWERS = {
    "en": ["{To}: {end}", "{q} {to} is {end}", "{alone}"],
    "fr": ["{To} : {end}", "{q} se dit {to} {end}", "{alone}"],
    "de": ["{To}: {end}", "{q} heißt {to} {end}", "{alone}"],
    "es": ["{To}: {end}", "{q} se dice {to} {end}", "{alone}"],
    "zh": ["{to}：{end}", "{q}的{to}是{end}", "{alone}"],
    "ar": ["{to}: {end}", "{q} {to} هي {end}", "{alone}"],
}

STOPS = (".", "!", "?", "。", "！", "？", "؟")


def check_of(wanted):
    """The translation anywhere in the reply; a short Latin word must stand alone."""
    core = wanted.rstrip("".join(STOPS)).strip()
    if len(core) < SHORTEST_TO_SEEK and core[0] < "\u0250":
        return regex_check(f"(?i)(^|[ \"«„“:]){re.escape(core)}($|[ \"»“”.,])")
    return contains_check(core)


def answer(rng, text, wanted, language, target):
    """The reply's words and its check: also for the chats."""
    stop = "" if wanted.endswith(STOPS) else "。" if language == "zh" else "."
    quote = QUOTES[language][0]
    to = named(TO, language, target)
    content = rng.choice(ANSWERS[language]).format(To=to[0].upper() + to[1:], to=to, q=quote.format(text), alone=wanted,
                                                   end=quote.format(wanted) + stop)
    return content, check_of(wanted)


def question(rng, text, language, source, target, held_out):
    named_source = language not in (source, target) or rng.random() < 0.1
    phrasing = pick(rng, (QUESTIONS_FROM if named_source else QUESTIONS)[language], held_out)
    words = phrasing.format(text=text, q=rng.choice(QUOTES[language]).format(text), to=named(TO, language, target),
                            into=named(INTO, language, target), from_=named(FROM, language, source))
    return words[0].upper() + words[1:] if rng.random() < 0.6 else words


def pair(rng, language):
    """Two languages; the question's own is one of them, most often the first."""
    other = rng.choice([c for c in LANGUAGES if c != language])
    return (language, other) if rng.random() < 0.7 else (other, language)


def make(rng, language, held_out):
    source, target = pair(rng, language)
    row = rng.choice(WORDS if rng.random() < 0.9 else SENTENCES)
    text, wanted = row[source], row[target]
    asked = question(rng, text, language, source, target, held_out)
    content, check = answer(rng, text, wanted, language, target)
    thought = f"{text} → {wanted}" if rng.random() < 0.5 else None
    return ask(KIND, language, asked, content, thought, [check])


def verify(example):
    """Some row of the tables holds the text asked for, in one language, and the words of the check in another."""
    asked, reply = example.messages[0]["content"].casefold(), example.messages[-1]["content"]

    def found(row):
        texts = [t for t in row.values() if t.casefold() in asked]
        return any(check_of(w) == example.checks[0] and w in reply for t in texts for w in row.values())

    return any(found(row) for row in WORDS + SENTENCES)
