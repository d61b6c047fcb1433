"""What a small model without a clock, a network or a past cannot know: it says so politely."""

from tasks import ask, contains_check, draw, language_check, pick

KIND = "unknown"

# {name}: a made-up name of a place or a person.
QUESTIONS = {
    "en": ["What is in the news today?", "What is the weather like right now?", "What time is it?", "What day is it today?", "Who won the match last night?",
           "What is the capital of {name}?", "Where does {name} live?", "How old is my sister?", "What is my name?", "What did I eat yesterday?",
           "What is the phone number of {name}?", "How much does a ticket to {name} cost today?", "Write me a long essay about {name}.",
           "Who is {name}?", "Which numbers will win the lottery?", "Will it rain in {name} tomorrow?",
           "What happened this morning?", "What is the price of gold now?", "Tell me the population of {name}.", "When is my birthday?",
           "What am I thinking of?", "Write a novel about {name}."],
    "fr": ["Quelles sont les nouvelles aujourd'hui ?", "Quel temps fait-il maintenant ?", "Quelle heure est-il ?", "Quel jour sommes-nous ?",
           "Qui a gagné le match hier soir ?", "Quelle est la capitale de {name} ?", "Où habite {name} ?", "Quel âge a ma sœur ?", "Comment je m'appelle ?",
           "Qu'est-ce que j'ai mangé hier ?", "Quel est le numéro de téléphone de {name} ?", "Combien coûte aujourd'hui un billet pour {name} ?",
           "Écris-moi un long essai sur {name}.", "Qui est {name} ?", "Quels numéros vont gagner à la loterie ?", "Va-t-il pleuvoir demain à {name} ?",
           "Que s'est-il passé ce matin ?", "Quel est le prix de l'or maintenant ?", "Donne-moi la population de {name}.",
           "Quand est mon anniversaire ?", "À quoi est-ce que je pense ?", "Écris un roman sur {name}."],
    "de": ["Was gibt es heute Neues?", "Wie ist das Wetter gerade?", "Wie spät ist es?", "Welcher Tag ist heute?", "Wer hat gestern das Spiel gewonnen?",
           "Was ist die Hauptstadt von {name}?", "Wo wohnt {name}?", "Wie alt ist meine Schwester?", "Wie heiße ich?", "Was habe ich gestern gegessen?",
           "Welche Telefonnummer hat {name}?", "Was kostet heute eine Fahrkarte nach {name}?", "Schreib mir einen langen Aufsatz über {name}.",
           "Wer ist {name}?", "Welche Zahlen gewinnen im Lotto?", "Regnet es morgen in {name}?",
           "Was ist heute Morgen passiert?", "Was kostet Gold gerade?", "Nenne die Einwohnerzahl von {name}.", "Wann habe ich Geburtstag?",
           "Woran denke ich?", "Schreib einen Roman über {name}."],
    "es": ["¿Qué noticias hay hoy?", "¿Qué tiempo hace ahora?", "¿Qué hora es?", "¿Qué día es hoy?", "¿Quién ganó el partido anoche?",
           "¿Cuál es la capital de {name}?", "¿Dónde vive {name}?", "¿Cuántos años tiene mi hermana?", "¿Cómo me llamo?", "¿Qué comí ayer?",
           "¿Cuál es el teléfono de {name}?", "¿Cuánto cuesta hoy un billete a {name}?", "Escríbeme un ensayo largo sobre {name}.", "¿Quién es {name}?",
           "¿Qué números ganarán la lotería?", "¿Lloverá mañana en {name}?",
           "¿Qué pasó esta mañana?", "¿Cuál es el precio del oro ahora?", "Dime la población de {name}.", "¿Cuándo es mi cumpleaños?",
           "¿En qué estoy pensando?", "Escribe una novela sobre {name}."],
    "zh": ["今天有什么新闻？", "现在天气怎么样？", "现在几点了？", "今天星期几？", "昨晚的比赛谁赢了？", "{name}的首都是哪里？", "{name}住在哪里？", "我妹妹多大了？", "我叫什么名字？", "我昨天吃了什么？",
           "{name}的电话号码是多少？", "今天去{name}的票多少钱？", "给我写一篇关于{name}的长文章。", "{name}是谁？", "彩票会开出什么号码？", "明天{name}会下雨吗？",
           "今天早上发生了什么？", "现在黄金多少钱？", "告诉我{name}的人口。", "我的生日是哪天？", "我在想什么？", "写一部关于{name}的小说。"],
    "ar": ["ما أخبار اليوم؟", "كيف الطقس الآن؟", "كم الساعة؟", "ما اليوم؟", "من فاز في مباراة الأمس؟", "ما عاصمة {name}؟", "أين يسكن {name}؟",
           "كم عمر أختي؟", "ما اسمي؟", "ماذا أكلت أمس؟", "ما رقم هاتف {name}؟", "كم ثمن التذكرة إلى {name} اليوم؟", "اكتب لي مقالة طويلة عن {name}.",
           "من هو {name}؟", "ما الأرقام التي ستفوز في اليانصيب؟", "هل ستمطر غدا في {name}؟",
           "ماذا حدث هذا الصباح؟", "ما سعر الذهب الآن؟", "أخبرني عن عدد سكان {name}.", "متى عيد ميلادي؟", "بماذا أفكر؟", "اكتب رواية عن {name}."],
}

ANSWERS = {
    "en": ["I am sorry, I do not know that. I can help with sums, dates, translations and small questions.",
           "I do not know that, sorry. Ask me for a sum, a capital or a translation."],
    "fr": ["Désolé, je ne sais pas cela. Je peux aider pour des calculs, des dates, des traductions et de petites questions.",
           "Je ne sais pas, désolé. Demandez-moi un calcul, une capitale ou une traduction."],
    "de": ["Das weiß ich leider nicht. Ich kann bei Rechnungen, Tagen, Übersetzungen und kleinen Fragen helfen.",
           "Das weiß ich nicht, tut mir leid. Frag mich nach einer Summe, einer Hauptstadt oder einer Übersetzung."],
    "es": ["Lo siento, no lo sé. Puedo ayudar con cuentas, fechas, traducciones y preguntas pequeñas.",
           "No lo sé, lo siento. Pregúntame una suma, una capital o una traducción."],
    "zh": ["对不起，我不知道。我可以帮忙计算、日期、翻译和小问题。", "我不知道，抱歉。你可以问我算术、首都或翻译。"],
    "ar": ["آسف، لا أعرف ذلك. يمكنني المساعدة في الحساب والتواريخ والترجمة والأسئلة الصغيرة.", "لا أعرف، آسف. اسألني عن حساب أو عاصمة أو ترجمة."],
}
SAYS_SO = {"en": "do not know", "fr": "ne sais pas", "de": "weiß ich", "es": "no lo sé", "zh": "不知道", "ar": "لا أعرف"}
THOUGHTS = {"en": "I cannot know that.", "fr": "Je ne peux pas le savoir.", "de": "Das kann ich nicht wissen.", "es": "No puedo saberlo.",
            "zh": "这个我无法知道。", "ar": "لا يمكنني معرفة ذلك."}

SYLLABLES = {
    "zh": "拉卡米多沃尼塔罗贝索林格维拿",
    "ar": ["بر", "لو", "مي", "تا", "سو", "كا", "نو", "زي", "دا", "فا", "رو", "شا"],
    "latin": "bra lo mi ta zu ka ne vo ri du fa sho pel gor win tal mur nes".split(),
}


def made_up(rng, language):
    parts = SYLLABLES.get(language, SYLLABLES["latin"])
    name = "".join(rng.choice(parts) for _ in range(rng.randint(2, 4)))
    return name if language in SYLLABLES else name.capitalize()


def make(rng, language, held_out):
    name, = draw(rng, KIND, held_out, lambda: [made_up(rng, language)])
    question = pick(rng, QUESTIONS[language], held_out).format(name=name)
    return ask(KIND, language, question, rng.choice(ANSWERS[language]), THOUGHTS[language] if rng.random() < 0.5 else None,
               [contains_check(SAYS_SO[language]), language_check(language)])


def verify(example):
    return example.messages[-1]["content"] in ANSWERS[example.language]
