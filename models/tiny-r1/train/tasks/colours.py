"""Colours of usual things, mixtures of two colours, and colour words in other languages: recall, so only phrasings are held out."""

from tasks import ask, contains_check, pick
from tasks.data_languages import LANGUAGES, QUOTES, TO, named

KIND = "colours"

# What each colour is called: en | fr | de | es | zh | ar.
COLOURS = {
    "red": "red|rouge|rot|rojo|红色|أحمر", "blue": "blue|bleu|blau|azul|蓝色|أزرق", "green": "green|vert|grün|verde|绿色|أخضر",
    "yellow": "yellow|jaune|gelb|amarillo|黄色|أصفر", "white": "white|blanc|weiß|blanco|白色|أبيض", "black": "black|noir|schwarz|negro|黑色|أسود",
    "orange": "orange|orange|orange|naranja|橙色|برتقالي", "purple": "purple|violet|violett|morado|紫色|بنفسجي",
    "brown": "brown|marron|braun|marrón|棕色|بني", "grey": "grey|gris|grau|gris|灰色|رمادي", "pink": "pink|rose|rosa|rosa|粉色|وردي",
}

# Other words for the same colour, right as well.
EQUALS = {"grey": ("gray",), "purple": ("violet",), "violet": ("pourpre", "mauve"), "violett": ("lila",), "morado": ("violeta", "púrpura"),
          "naranja": ("anaranjado",), "marron": ("brun",), "marrón": ("café",), "rosa": ("pink",), "بنفسجي": ("أرجواني",)}

# Things with their article where a sentence needs one: en | fr | de | es | zh | ar.
THINGS = """
red|a ripe tomato|une tomate mûre|eine reife Tomate|un tomate maduro|成熟的西红柿|الطماطم الناضجة
red|blood|le sang|Blut|la sangre|血|الدم
red|a strawberry|une fraise|eine Erdbeere|una fresa|草莓|الفراولة
blue|the clear sky|le ciel clair|der klare Himmel|el cielo despejado|晴朗的天空|السماء الصافية
blue|the sea|la mer|das Meer|el mar|大海|البحر
blue|a sapphire|un saphir|ein Saphir|un zafiro|蓝宝石|الياقوت الأزرق
green|grass|l'herbe|Gras|la hierba|草|العشب
green|a leaf in summer|une feuille en été|ein Blatt im Sommer|una hoja en verano|夏天的叶子|ورقة الشجر في الصيف
green|a frog|une grenouille|ein Frosch|una rana|青蛙|الضفدع
yellow|a ripe banana|une banane mûre|eine reife Banane|un plátano maduro|成熟的香蕉|الموز الناضج
yellow|a lemon|un citron|eine Zitrone|un limón|柠檬|الليمون
yellow|an egg yolk|un jaune d'œuf|ein Eigelb|una yema de huevo|蛋黄|صفار البيض
white|snow|la neige|Schnee|la nieve|雪|الثلج
white|milk|le lait|Milch|la leche|牛奶|الحليب
white|salt|le sel|Salz|la sal|盐|الملح
black|coal|le charbon|Kohle|el carbón|煤|الفحم
black|a raven|un corbeau|ein Rabe|un cuervo|乌鸦|الغراب
black|a car tyre|un pneu|ein Autoreifen|un neumático|轮胎|إطار السيارة
orange|a carrot|une carotte|eine Karotte|una zanahoria|胡萝卜|الجزر
orange|a pumpkin|une citrouille|ein Kürbis|una calabaza|南瓜|اليقطين
orange|a mandarin|une mandarine|eine Mandarine|una mandarina|橘子|اليوسفي
purple|an aubergine|une aubergine|eine Aubergine|una berenjena|茄子|الباذنجان
purple|lavender|la lavande|Lavendel|la lavanda|薰衣草|الخزامى
purple|an amethyst|une améthyste|ein Amethyst|una amatista|紫水晶|الجمشت
brown|chocolate|le chocolat|Schokolade|el chocolate|巧克力|الشوكولاتة
brown|coffee beans|un grain de café|eine Kaffeebohne|un grano de café|咖啡豆|حبوب البن
brown|a chestnut|une châtaigne|eine Kastanie|una castaña|栗子|الكستناء
grey|an elephant|un éléphant|ein Elefant|un elefante|大象|الفيل
grey|ash|la cendre|Asche|la ceniza|灰烬|الرماد
grey|concrete|le béton|Beton|el hormigón|混凝土|الخرسانة
pink|a flamingo|un flamant|ein Flamingo|un flamenco|火烈鸟|طائر الفلامنغو
pink|a piglet|un porcelet|ein Ferkel|un cerdito|小猪|الخنزير الصغير
"""

MIXTURES = {("blue", "yellow"): "green", ("red", "yellow"): "orange", ("red", "blue"): "purple", ("black", "white"): "grey",
            ("red", "white"): "pink", ("red", "green"): "brown"}

QUESTIONS = {
    "en": {"thing": ["What colour is {thing}?", "What color is {thing}?", "colour of {thing}?", "Which colour has {thing}?",
                     "Tell me the colour of {thing}.",
                     "{Thing}: what colour?", "what colour is {thing}", "Do you know the colour of {thing}?",
                     "What is the colour of {thing}?",
                     "Name the colour of {thing}.", "Usually, what colour is {thing}?", "In which colour would you paint {thing}?",
                     "What colour does {thing} have?", "{Thing} is usually what colour?", "Give the usual colour of {thing}.",
                     "I am drawing {thing}. Which colour do I need?"],
           "mix": ["What do {a} and {b} make?", "Mix {a} and {b}. What colour?", "{a} + {b} = ?",
                   "What colour do you get from {a} and {b}?",
                   "Which colour comes from mixing {a} and {b}?", "{a} and {b} mixed?", "If I mix {a} with {b}, what do I get?",
                   "{a} paint plus {b} paint gives what?"],
           "word": ["What is {q} {to}?", "How do you say the colour {q} {to}?", "The colour {q} {to}?", "colour {word} {to}",
                    "Translate the colour {q} {to}.",
                    "Say {q} {to}, the colour.", "How is the colour {q} called {to}?", "What do they call {q} {to}?"]},
    "fr": {"thing": ["De quelle couleur est {thing} ?", "Quelle est la couleur de ceci : {thing} ?", "{Thing}, c'est de quelle couleur ?",
                     "Quelle couleur a {thing} ?", "couleur : {thing} ?", "de quelle couleur est {thing}",
                     "Dis-moi de quelle couleur est {thing}.",
                     "{Thing} : quelle couleur ?", "Tu sais de quelle couleur est {thing} ?", "C'est quelle couleur, {thing} ?",
                     "D'habitude, de quelle couleur est {thing} ?", "En quelle couleur dessiner {thing} ?",
                     "{Thing} est de quelle couleur ?", "Donne la couleur habituelle : {thing}.",
                     "Je dessine {thing}. Quelle couleur me faut-il ?",
                     "{Thing} a quelle couleur ?"],
           "mix": ["Que donnent {a} et {b} ?", "Mélange {a} et {b}. Quelle couleur ?", "{a} + {b} = ?",
                   "Quelle couleur obtient-on avec {a} et {b} ?",
                   "{a} et {b} mélangés ?", "Quelle couleur vient du mélange {a} et {b} ?", "Si je mélange {a} avec {b}, j'obtiens quoi ?",
                   "Peinture {a} plus peinture {b}, ça fait quoi ?"],
           "word": ["Comment dit-on la couleur {q} {to} ?", "Que veut dire la couleur {q} {to} ?", "La couleur {q} {to} ?",
                    "couleur {word} {to}",
                    "Traduis la couleur {q} {to}.", "Dis la couleur {q} {to}.", "Comment s'appelle la couleur {q} {to} ?",
                    "Et la couleur {q}, ça se dit comment {to} ?"]},
    "de": {"thing": ["Welche Farbe hat {thing}?", "Was ist die Farbe: {thing}?", "{Thing}: welche Farbe?", "farbe: {thing}?",
                     "welche farbe hat {thing}",
                     "Sag mir, welche Farbe {thing} hat.", "Weißt du, welche Farbe {thing} hat?", "Nenne die Farbe: {thing}.",
                     "In welcher Farbe malt man so etwas: {thing}?",
                     "Welche Farbe hat normalerweise {thing}?", "Was für eine Farbe hat {thing}?", "Von welcher Farbe ist {thing}?",
                     "{Thing} hat welche Farbe?", "Nenn mir die übliche Farbe: {thing}.",
                     "Wenn ich das male: {thing}. Welche Farbe brauche ich?",
                     "Was glaubst du, welche Farbe hat {thing}?"],
           "mix": ["Was ergeben {a} und {b}?", "Mische {a} und {b}. Welche Farbe?", "{a} + {b} = ?",
                   "Welche Farbe entsteht aus {a} und {b}?",
                   "{a} und {b} gemischt?", "Welche Farbe kommt beim Mischen von {a} und {b} heraus?",
                   "Wenn ich {a} mit {b} mische, was bekomme ich?",
                   "Farbe {a} plus Farbe {b} gibt was?"],
           "word": ["Wie heißt die Farbe {q} {to}?", "Was heißt die Farbe {q} {to}?", "Die Farbe {q} {to}?", "farbe {word} {to}",
                    "Übersetze die Farbe {q} {to}.", "Sag die Farbe {q} {to}.", "Wie sagt man die Farbe {q} {to}?",
                    "Und wie nennt man die Farbe {q} {to}?"]},
    "es": {"thing": ["¿De qué color es {thing}?", "¿Qué color tiene {thing}?", "{Thing}: ¿qué color?", "¿Cuál es el color? {Thing}",
                     "de que color es {thing}",
                     "Dime de qué color es {thing}.", "¿Sabes de qué color es {thing}?", "color: {thing}",
                     "¿Con qué color se pinta {thing}?",
                     "Normalmente, ¿de qué color es {thing}?", "¿Qué color es el de {thing}?", "¿De qué color suele ser {thing}?",
                     "¿{Thing} es de qué color?", "Di el color habitual: {thing}.", "Dibujo {thing}. ¿Qué color necesito?",
                     "¿Y qué color tiene {thing}?"],
           "mix": ["¿Qué dan {a} y {b}?", "Mezcla {a} y {b}. ¿Qué color?", "{a} + {b} = ?", "¿Qué color sale de {a} y {b}?",
                   "¿{a} y {b} mezclados?",
                   "¿Qué color resulta al mezclar {a} y {b}?", "Si mezclo {a} con {b}, ¿qué obtengo?",
                   "Pintura {a} más pintura {b}, ¿qué da?"],
           "word": ["¿Cómo se dice el color {q} {to}?", "¿Qué es el color {q} {to}?", "¿El color {q} {to}?", "color {word} {to}",
                    "Traduce el color {q} {to}.",
                    "Di el color {q} {to}.", "¿Cómo se llama el color {q} {to}?", "¿Y el color {q}, cómo es {to}?"]},
    "zh": {"thing": ["{thing}是什么颜色？", "{thing}是什么颜色的？", "{thing}的颜色？", "{thing}什么颜色", "告诉我{thing}的颜色。", "请问{thing}是什么颜色？", "{thing}：颜色？",
                     "你知道{thing}是什么颜色吗？", "{thing}的颜色是什么？", "一般来说，{thing}是什么颜色？", "画{thing}要用什么颜色？", "说出{thing}的颜色。",
                     "{thing}通常是哪种颜色？", "我在画{thing}，需要什么颜色？", "{thing}是哪种颜色的？", "{thing}呈什么颜色？"],
           "mix": ["{a}和{b}混合是什么颜色？", "{a}加{b}是什么颜色？", "{a} + {b} = ?", "把{a}和{b}混在一起得到什么颜色？", "{a}和{b}混合", "{a}与{b}调在一起是什么？",
                   "如果把{a}和{b}混合，会得到什么？", "{a}颜料加{b}颜料变成什么？"],
           "word": ["{q}用{to}怎么说？", "颜色{q}的{to}是什么？", "{q}这个颜色，{to}怎么说？", "颜色{word} {to}", "把颜色{q}翻译成{to}。", "用{to}说{q}这个颜色。",
                    "{to}里颜色{q}怎么说？", "颜色{q}译成{to}是什么？"]},
    "ar": {"thing": ["ما لون {thing}؟", "ما هو لون {thing}؟", "لون {thing}؟", "لون {thing}", "أي لون هو لون {thing}؟",
                     "أخبرني ما لون {thing}.", "هل تعرف لون {thing}؟",
                     "{thing}: ما اللون؟", "اذكر لون {thing}.", "عادة، ما لون {thing}؟", "بأي لون نرسم {thing}؟",
                     "من فضلك، ما لون {thing}؟",
                     "قل لي لون {thing} المعتاد.", "أرسم {thing}، فأي لون أحتاج؟", "ما اللون الذي يميز {thing}؟", "وما لون {thing}؟"],
           "mix": ["ماذا ينتج عن {a} و {b}؟", "امزج {a} و {b}. أي لون؟", "{a} + {b} = ؟", "أي لون نحصل عليه من {a} و {b}؟", "{a} مع {b}؟",
                   "ما اللون الناتج عن مزج {a} و {b}؟", "إذا مزجت {a} مع {b}، فماذا أحصل؟", "طلاء {a} مع طلاء {b} يعطي ماذا؟"],
           "word": ["كيف نقول اللون {q} {to}؟", "ما هو اللون {q} {to}؟", "اللون {q} {to}؟", "لون {word} {to}", "ترجم اللون {q} {to}.",
                    "قل اللون {q} {to}.",
                    "ما اسم اللون {q} {to}؟", "وكيف يسمى اللون {q} {to}؟"]},
}

ANSWERS = {
    "en": {"thing": ("{Thing}: {colour}.", "The colour is {colour}."), "mix": ("{A} and {b} make {colour}.", "You get {colour}."),
           "word": ("{To}: {quoted}.", "It is {quoted} {to}.")},
    "fr": {"thing": ("{Thing} : {colour}.", "La couleur est : {colour}."), "mix": ("{A} et {b} donnent {colour}.", "On obtient {colour}."),
           "word": ("{To} : {quoted}.", "C'est {quoted} {to}.")},
    "de": {"thing": ("{Thing}: {colour}.", "Die Farbe ist {colour}."), "mix": ("{A} und {b} ergeben {colour}.", "Das ergibt {colour}."),
           "word": ("{To}: {quoted}.", "Das heißt {quoted} {to}.")},
    "es": {"thing": ("{Thing}: {colour}.", "El color es {colour}."), "mix": ("{A} y {b} dan {colour}.", "Se obtiene {colour}."),
           "word": ("{To}: {quoted}.", "Es {quoted} {to}.")},
    "zh": {"thing": ("{thing}是{colour}的。", "是{colour}。"), "mix": ("{a}和{b}混合成{colour}。", "得到{colour}。"), "word": ("{to}：{quoted}。",
                                                                                                                  "{to}是{quoted}。")},
    "ar": {"thing": ("لون {thing} {colour}.", "اللون هو {colour}."), "mix": ("{a} و {b} يعطيان {colour}.", "نحصل على {colour}."),
           "word": ("{to}: {quoted}.", "هو {quoted} {to}.")},
}


def colour_word(colour, language):
    return COLOURS[colour].split("|")[LANGUAGES.index(language)]


def things():
    """Rows of (colour, names by language)."""
    rows = [row.split("|") for row in THINGS.strip().splitlines()]
    return [(colour, dict(zip(LANGUAGES, names))) for colour, *names in rows]


def upper_first(text):
    return text[:1].upper() + text[1:]


def draw_values(rng, language):
    """The topic, the words of the question and answer, the colour and the language it is told in."""
    topic = rng.choices(("thing", "mix", "word"), (6, 3, 2))[0]
    if topic == "thing":
        colour, names = rng.choice(things())
        return topic, {"thing": names[language], "Thing": upper_first(names[language])}, colour, language
    if topic == "mix":
        pair, colour = rng.choice(tuple(MIXTURES.items()))
        a, b = (colour_word(c, language) for c in rng.sample(pair, 2))
        return topic, {"a": a, "A": upper_first(a), "b": b}, colour, language
    other = rng.choice([c for c in LANGUAGES if c != language])
    colour = rng.choice(tuple(COLOURS))
    word, to = colour_word(colour, language), named(TO, language, other)
    return topic, {"word": word, "q": QUOTES[language][0].format(word), "to": to, "To": upper_first(to)}, colour, other


def make(rng, language, held_out):
    topic, words, colour, told_in = draw_values(rng, language)
    fact = colour_word(colour, told_in)
    words = {**words, "colour": fact, "quoted": QUOTES[language][0].format(fact)}
    question = upper_first(pick(rng, QUESTIONS[language][topic], held_out).format(**words))
    thought = {"thing": "{thing} → {colour}", "mix": "{a} + {b} = {colour}", "word": "{word} → {colour}"}[topic].format(**words)
    return ask(KIND, language, question, rng.choice(ANSWERS[language][topic]).format(**words), thought if rng.random() < 0.5 else None,
               [contains_check(fact.removesuffix("色") if told_in == "zh" else fact, *EQUALS.get(fact, ()))])


def verify(example):
    """The colour checked is that of a thing, a mixture or a colour word of the question."""
    asked, told, language = example.messages[0]["content"].casefold(), example.checks[0]["values"][0], example.language

    def is_told(colour, languages):
        return any(colour_word(colour, c).removesuffix("色") == told for c in languages)

    return (any(names[language].casefold() in asked and is_told(colour, [language]) for colour, names in things())
            or any(all(colour_word(c, language).casefold() in asked for c in pair) and is_told(colour, [language])
                   for pair, colour in MIXTURES.items())
            or any(colour_word(c, language).casefold() in asked and is_told(c, LANGUAGES) for c in COLOURS))
