"""A question in one language about words of another: the answer stays in the language of the question."""

from tasks import ask, contains_check, language_check, pick
from tasks.data_languages import LANGUAGES, QUOTES
from tasks.data_words import SENTENCES, WORDS

KIND = "language_guard"

# The six languages as an answer names them.
NAMES = {
    "en": ("English", "French", "German", "Spanish", "Chinese", "Arabic"), "fr": ("anglais", "français", "allemand", "espagnol", "chinois", "arabe"),
    "de": ("Englisch", "Französisch", "Deutsch", "Spanisch", "Chinesisch", "Arabisch"),
    "es": ("inglés", "francés", "alemán", "español", "chino", "árabe"), "zh": ("英语", "法语", "德语", "西班牙语", "中文", "阿拉伯语"),
    "ar": ("الإنجليزية", "الفرنسية", "الألمانية", "الإسبانية", "الصينية", "العربية"),
}
WHICH = {
    "en": ["Which language is {q}?", "What language is this: {q}?", "In which language is {q} written?", "{q}: which language is it?",
           "Do you know what language {q} is?", "Tell me the language of {q}.", "Name the language of this text: {q}", "Someone wrote {q}. In what language?"],
    "fr": ["Quelle langue est {q} ?", "C'est quelle langue : {q} ?", "En quelle langue est écrit {q} ?", "{q} : quelle langue est-ce ?",
           "Sais-tu en quelle langue est {q} ?", "Dis-moi la langue de {q}.", "Nomme la langue de ce texte : {q}",
           "Quelqu'un a écrit {q}. Dans quelle langue ?"],
    "de": ["Welche Sprache ist {q}?", "Was für eine Sprache ist das: {q}?", "In welcher Sprache ist {q} geschrieben?", "{q}: welche Sprache ist das?",
           "Weißt du, welche Sprache {q} ist?", "Sag mir die Sprache von {q}.", "Nenne die Sprache dieses Textes: {q}",
           "Jemand schrieb {q}. In welcher Sprache?"],
    "es": ["¿Qué idioma es {q}?", "¿Qué idioma es este: {q}?", "¿En qué idioma está escrito {q}?", "{q}: ¿qué idioma es?", "¿Sabes en qué idioma está {q}?",
           "Dime el idioma de {q}.", "Nombra el idioma de este texto: {q}", "Alguien escribió {q}. ¿En qué idioma?"],
    "zh": ["{q}是什么语言？", "这是什么语言：{q}？", "{q}是用什么语言写的？", "{q}：这是哪种语言？", "你知道{q}是什么语言吗？", "告诉我{q}是哪种语言。", "请说出这段文字的语言：{q}", "有人写了{q}。这是什么语言？"],
    "ar": ["ما لغة {q}؟", "ما هذه اللغة: {q}؟", "بأي لغة كتب {q}؟", "{q}: أي لغة هذه؟", "هل تعرف ما لغة {q}؟", "أخبرني بلغة {q}.", "اذكر لغة هذا النص: {q}",
           "كتب أحدهم {q}. بأي لغة؟"],
}
WHICH_ANSWERS = {
    "en": ["This is {n}.", "The language is {n}."], "fr": ["C'est de l'{n}.", "La langue est l'{n}."], "de": ["Das ist {n}.", "Die Sprache ist {n}."],
    "es": ["Está en {n}.", "El idioma es el {n}."], "zh": ["这是{n}。", "语言是{n}。"], "ar": ["هذه هي اللغة {n}.", "اللغة هي {n}."],
}
MEANS = {
    "en": ["What does {q} mean?", "what is {q}", "Explain the word {q}.", "I read {q}. What does it mean?", "Someone said {q} to me. What is that?",
           "Do you know the meaning of {q}?", "Tell me what {q} means.", "My friend wrote {q}. What does that mean?"],
    "fr": ["Que veut dire {q} ?", "c'est quoi {q}", "Explique le mot {q}.", "J'ai lu {q}. Qu'est-ce que ça veut dire ?", "On m'a dit {q}. Qu'est-ce que c'est ?",
           "Connais-tu le sens de {q} ?", "Dis-moi ce que veut dire {q}.", "Mon ami a écrit {q}. Qu'est-ce que cela signifie ?"],
    "de": ["Was bedeutet {q}?", "was ist {q}", "Erkläre das Wort {q}.", "Ich habe {q} gelesen. Was heißt das?", "Jemand hat {q} zu mir gesagt. Was ist das?",
           "Kennst du die Bedeutung von {q}?", "Sag mir, was {q} bedeutet.", "Mein Freund schrieb {q}. Was bedeutet das?"],
    "es": ["¿Qué significa {q}?", "que es {q}", "Explica la palabra {q}.", "He leído {q}. ¿Qué quiere decir?", "Alguien me dijo {q}. ¿Qué es eso?",
           "¿Conoces el significado de {q}?", "Dime qué significa {q}.", "Mi amigo escribió {q}. ¿Qué significa eso?"],
    "zh": ["{q}是什么意思？", "{q}什么意思", "解释一下{q}这个词。", "我看到{q}，是什么意思？", "有人对我说{q}，那是什么？", "你知道{q}的意思吗？", "告诉我{q}是什么意思。", "我朋友写了{q}，什么意思？"],
    "ar": ["ما معنى {q}؟", "ما هو {q}", "اشرح كلمة {q}.", "قرأت {q}. ماذا تعني؟", "قال لي أحدهم {q}. ما هذا؟", "هل تعرف معنى {q}؟", "قل لي ماذا تعني {q}.",
           "كتب صديقي {q}. ماذا يعني ذلك؟"],
}
MEANS_ANSWERS = {
    "en": ["It is the {n} word for {w}.", "In English that is {w}."], "fr": ["Cela veut dire {w} en français.", "En français, c'est {w}."],
    "de": ["Das bedeutet {w} auf Deutsch.", "Auf Deutsch heißt das {w}."], "es": ["Eso significa {w} en español.", "En español es {w}."],
    "zh": ["意思是{w}。", "中文里是{w}。"], "ar": ["معناها {w} بالعربية.", "بالعربية هي {w}."],
}
VOWELS = "aeéiouhàâ"


def french(answer, name):
    """The article before a consonant."""
    return answer if name[0] in VOWELS else answer.replace("de l'", "du ").replace("est l'", "est le ")


def make(rng, language, held_out):
    other = rng.choice([c for c in LANGUAGES if c != language])
    name = NAMES[language][LANGUAGES.index(other)]
    if rng.random() < 0.5:
        text = rng.choice(SENTENCES)[other]
        question, answer, wanted = WHICH, rng.choice(WHICH_ANSWERS[language]), name
        answer, thought = (french(answer, name) if language == "fr" else answer).format(n=name), name
    else:
        row = rng.choice(WORDS)
        text, wanted = row[other], row[language]
        question, answer, thought = MEANS, rng.choice(MEANS_ANSWERS[language]).format(n=name, w=wanted), f"{text} → {wanted}"
    asked = pick(rng, question[language], held_out).format(q=rng.choice(QUOTES[language]).format(text))
    return ask(KIND, language, asked, answer, thought if rng.random() < 0.5 else None, [contains_check(wanted), language_check(language)])


def verify(example):
    wanted = example.checks[0]["values"][0]
    return wanted in NAMES[example.language] or any(row[example.language] == wanted for row in WORDS)
