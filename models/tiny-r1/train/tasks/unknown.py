"""What the model cannot know or do: it says so politely and says what it can do instead."""

from tasks import ask, draw, language_check, pick, regex_check
from tasks.data_names import made_up_place, person, place

KIND = "unknown"

# Topic -> questions (every fourth held out). {place} and {person} are names, {land} a made-up country.
QUESTIONS = {
    "en": {
        "news": ["What is in the news today?", "Tell me today's headlines.", "What happened in {place} today?",
                 "Who won the match last night?", "latest news?",
                 "Any news from {place}?", "Who won the election in {place} this year?", "What happened in the world yesterday?",
                 "What did the papers write this morning?", "Give me the news of the hour."],
        "weather": ["What is the weather today?", "Will it rain tomorrow?", "Is it cold outside?", "weather in {place}?",
                    "How warm is it in {place} right now?",
                    "Do I need an umbrella in {place} today?", "Is the sun shining outside?", "Will it snow in {place} tonight?"],
        "private": ["What is my name?", "Where do I live?", "How old is my neighbour {person}?", "What is the phone number of {person}?",
                    "What did I eat yesterday?",
                    "Where is {person} now?", "What is {person}'s password?", "When is my birthday?", "What does {person} think of me?",
                    "Tell me the address of {person}.", "What am I holding in my hand?", "What colour is {person}'s car?"],
        "made_up": ["What is the capital of {land}?", "Who is the king of {land}?", "Tell me the history of {land}.",
                    "How many people live in {land}?",
                    "What language do they speak in {land}?", "currency of {land}?", "Where is the country {land}?",
                    "Which flag does {land} have?"],
        "long": ["Write a long essay about {place}.", "Write me a novel.", "Write a 2000-word report on history.", "Compose a symphony.",
                 "Write a whole website for me.",
                 "Explain quantum physics in detail.", "Write a speech for {person}.", "Draw me a picture of {place}.",
                 "Write a book of ten chapters.", "Solve this puzzle of physics for my thesis."],
        "future": ["Who will win the next world cup?", "What will the lottery numbers be?", "Will I be rich?", "When will {person} marry?",
                   "How will the stock market be tomorrow?",
                   "What will happen to {place} in 100 years?", "Will {person} call me tomorrow?", "What does the future bring me?"],
    },
    "fr": {
        "news": ["Quelles sont les nouvelles du jour ?", "Donne-moi les titres d'aujourd'hui.",
                 "Que s'est-il passé à {place} aujourd'hui ?", "Qui a gagné le match hier soir ?",
                 "dernières nouvelles ?", "Des nouvelles de {place} ?", "Qui a gagné l'élection à {place} cette année ?",
                 "Que s'est-il passé hier dans le monde ?",
                 "Qu'ont écrit les journaux ce matin ?", "Donne-moi l'actualité de l'heure."],
        "weather": ["Quel temps fait-il aujourd'hui ?", "Va-t-il pleuvoir demain ?", "Fait-il froid dehors ?", "météo à {place} ?",
                    "Quelle température fait-il à {place} maintenant ?",
                    "Faut-il un parapluie à {place} aujourd'hui ?", "Est-ce que le soleil brille dehors ?",
                    "Va-t-il neiger à {place} ce soir ?"],
        "private": ["Comment je m'appelle ?", "Où est-ce que j'habite ?", "Quel âge a mon voisin {person} ?",
                    "Quel est le numéro de {person} ?", "Qu'ai-je mangé hier ?",
                    "Où est {person} en ce moment ?", "Quel est le mot de passe de {person} ?", "Quand est mon anniversaire ?",
                    "Que pense {person} de moi ?",
                    "Donne-moi l'adresse de {person}.", "Qu'est-ce que je tiens dans la main ?",
                    "De quelle couleur est la voiture de {person} ?"],
        "made_up": ["Quelle est la capitale du pays {land} ?", "Qui est le roi de {land} ?", "Raconte l'histoire de {land}.",
                    "Combien de gens vivent à {land} ?",
                    "Quelle langue parle-t-on à {land} ?", "monnaie de {land} ?", "Où se trouve le pays {land} ?",
                    "Quel est le drapeau de {land} ?"],
        "long": ["Écris une longue dissertation sur {place}.", "Écris-moi un roman.", "Écris un rapport de 2000 mots sur l'histoire.",
                 "Compose une symphonie.",
                 "Fais-moi tout un site web.", "Explique la physique quantique en détail.", "Écris un discours pour {person}.",
                 "Dessine-moi {place}.",
                 "Écris un livre de dix chapitres.", "Rédige ma thèse de physique."],
        "future": ["Qui gagnera la prochaine coupe du monde ?", "Quels seront les numéros du loto ?", "Serai-je riche ?",
                   "Quand {person} va se marier ?",
                   "Comment sera la bourse demain ?", "Que deviendra {place} dans 100 ans ?", "Est-ce que {person} m'appellera demain ?",
                   "Que me réserve l'avenir ?"],
    },
    "de": {
        "news": ["Was gibt es heute Neues?", "Nenn mir die Schlagzeilen von heute.", "Was ist heute in {place} passiert?",
                 "Wer hat gestern das Spiel gewonnen?",
                 "neueste nachrichten?", "Gibt es Neues aus {place}?", "Wer hat dieses Jahr die Wahl in {place} gewonnen?",
                 "Was ist gestern in der Welt passiert?",
                 "Was stand heute früh in der Zeitung?", "Gib mir die aktuellen Meldungen."],
        "weather": ["Wie ist das Wetter heute?", "Regnet es morgen?", "Ist es draußen kalt?", "wetter in {place}?",
                    "Wie warm ist es gerade in {place}?",
                    "Brauche ich heute in {place} einen Schirm?", "Scheint draußen die Sonne?", "Schneit es heute Nacht in {place}?"],
        "private": ["Wie heiße ich?", "Wo wohne ich?", "Wie alt ist mein Nachbar {person}?", "Wie ist die Telefonnummer von {person}?",
                    "Was habe ich gestern gegessen?",
                    "Wo ist {person} gerade?", "Was ist das Passwort von {person}?", "Wann habe ich Geburtstag?",
                    "Was denkt {person} über mich?",
                    "Nenn mir die Adresse von {person}.", "Was halte ich in der Hand?", "Welche Farbe hat das Auto von {person}?"],
        "made_up": ["Was ist die Hauptstadt von {land}?", "Wer ist der König von {land}?", "Erzähl mir die Geschichte von {land}.",
                    "Wie viele Menschen leben in {land}?",
                    "Welche Sprache spricht man in {land}?", "währung von {land}?", "Wo liegt das Land {land}?",
                    "Welche Flagge hat {land}?"],
        "long": ["Schreib einen langen Aufsatz über {place}.", "Schreib mir einen Roman.",
                 "Schreib einen Bericht mit 2000 Wörtern über Geschichte.",
                 "Komponiere eine Sinfonie.", "Bau mir eine ganze Webseite.", "Erkläre die Quantenphysik genau.",
                 "Schreib eine Rede für {person}.",
                 "Zeichne mir ein Bild von {place}.", "Schreib ein Buch mit zehn Kapiteln.", "Verfasse meine Doktorarbeit in Physik."],
        "future": ["Wer gewinnt die nächste Weltmeisterschaft?", "Wie lauten die nächsten Lottozahlen?", "Werde ich reich?",
                   "Wann heiratet {person}?",
                   "Wie steht die Börse morgen?", "Was wird aus {place} in 100 Jahren?", "Ruft {person} mich morgen an?",
                   "Was bringt mir die Zukunft?"],
    },
    "es": {
        "news": ["¿Qué noticias hay hoy?", "Dime los titulares de hoy.", "¿Qué pasó hoy en {place}?", "¿Quién ganó el partido anoche?",
                 "¿últimas noticias?",
                 "¿Hay noticias de {place}?", "¿Quién ganó las elecciones en {place} este año?", "¿Qué pasó ayer en el mundo?",
                 "¿Qué decían los periódicos esta mañana?", "Dame la actualidad de esta hora."],
        "weather": ["¿Qué tiempo hace hoy?", "¿Lloverá mañana?", "¿Hace frío fuera?", "¿tiempo en {place}?",
                    "¿Qué temperatura hay ahora en {place}?",
                    "¿Necesito paraguas hoy en {place}?", "¿Brilla el sol fuera?", "¿Nevará en {place} esta noche?"],
        "private": ["¿Cómo me llamo?", "¿Dónde vivo?", "¿Cuántos años tiene mi vecino {person}?", "¿Cuál es el teléfono de {person}?",
                    "¿Qué comí ayer?",
                    "¿Dónde está {person} ahora?", "¿Cuál es la contraseña de {person}?", "¿Cuándo es mi cumpleaños?",
                    "¿Qué piensa {person} de mí?",
                    "Dime la dirección de {person}.", "¿Qué tengo en la mano?", "¿De qué color es el coche de {person}?"],
        "made_up": ["¿Cuál es la capital de {land}?", "¿Quién es el rey de {land}?", "Cuéntame la historia de {land}.",
                    "¿Cuánta gente vive en {land}?",
                    "¿Qué idioma hablan en {land}?", "¿moneda de {land}?", "¿Dónde está el país {land}?", "¿Qué bandera tiene {land}?"],
        "long": ["Escribe un ensayo largo sobre {place}.", "Escríbeme una novela.", "Escribe un informe de 2000 palabras sobre historia.",
                 "Compón una sinfonía.",
                 "Hazme una página web entera.", "Explica la física cuántica en detalle.", "Escribe un discurso para {person}.",
                 "Dibújame {place}.",
                 "Escribe un libro de diez capítulos.", "Redacta mi tesis de física."],
        "future": ["¿Quién ganará el próximo mundial?", "¿Qué números saldrán en la lotería?", "¿Seré rico?", "¿Cuándo se casará {person}?",
                   "¿Cómo irá la bolsa mañana?",
                   "¿Qué será de {place} en 100 años?", "¿Me llamará {person} mañana?", "¿Qué me traerá el futuro?"],
    },
    "zh": {
        "news": ["今天有什么新闻？", "告诉我今天的头条。", "今天{place}发生了什么？", "昨晚谁赢了比赛？", "最新新闻？", "{place}有什么消息吗？", "今年{place}谁赢了选举？", "昨天世界上发生了什么？",
                 "今天早上报纸写了什么？", "给我现在的时事消息。"],
        "weather": ["今天天气怎么样？", "明天会下雨吗？", "外面冷吗？", "{place}天气？", "{place}现在多少度？", "今天在{place}要带伞吗？", "外面出太阳了吗？", "今晚{place}会下雪吗？"],
        "private": ["我叫什么名字？", "我住在哪里？", "我的邻居{person}多大了？", "{person}的电话号码是多少？", "我昨天吃了什么？", "{person}现在在哪里？", "{person}的密码是什么？",
                    "我的生日是哪天？",
                    "{person}怎么看我？", "告诉我{person}的地址。", "我手里拿着什么？", "{person}的车是什么颜色？"],
        "made_up": ["{land}国的首都是哪里？", "{land}国的国王是谁？", "讲讲{land}国的历史。", "{land}国有多少人？", "{land}国说什么语言？", "{land}国的货币？", "{land}国在哪里？",
                    "{land}国的国旗是什么样的？"],
        "long": ["写一篇关于{place}的长文章。", "给我写一部小说。", "写一份2000字的历史报告。", "创作一首交响曲。", "帮我做一个完整的网站。", "详细解释量子物理。", "为{person}写一篇演讲稿。",
                 "给我画一幅{place}的画。",
                 "写一本十章的书。", "帮我写物理论文。"],
        "future": ["下届世界杯谁会赢？", "彩票号码会是多少？", "我会有钱吗？", "{person}什么时候结婚？", "明天股市怎么样？", "100年后{place}会怎样？", "{person}明天会给我打电话吗？", "我的未来会怎样？"],
    },
    "ar": {
        "news": ["ما أخبار اليوم؟", "أعطني عناوين اليوم.", "ماذا حدث في {place} اليوم؟", "من فاز بالمباراة أمس؟", "آخر الأخبار؟",
                 "هل من أخبار عن {place}؟",
                 "من فاز بالانتخابات في {place} هذا العام؟", "ماذا حدث أمس في العالم؟", "ماذا كتبت الصحف هذا الصباح؟",
                 "أعطني أخبار الساعة."],
        "weather": ["كيف الطقس اليوم؟", "هل ستمطر غدا؟", "هل الجو بارد في الخارج؟", "الطقس في {place}؟", "كم درجة الحرارة في {place} الآن؟",
                    "هل أحتاج مظلة في {place} اليوم؟", "هل الشمس مشرقة في الخارج؟", "هل ستثلج في {place} الليلة؟"],
        "private": ["ما اسمي؟", "أين أسكن؟", "كم عمر جاري {person}؟", "ما رقم هاتف {person}؟", "ماذا أكلت أمس؟", "أين {person} الآن؟",
                    "ما كلمة سر {person}؟",
                    "متى عيد ميلادي؟", "ماذا يظن {person} بي؟", "أعطني عنوان {person}.", "ماذا أحمل في يدي؟", "ما لون سيارة {person}؟"],
        "made_up": ["ما عاصمة دولة {land}؟", "من ملك {land}؟", "احك لي تاريخ دولة {land}.", "كم شخصا يعيش في دولة {land}؟",
                    "أي لغة يتكلمون في دولة {land}؟", "عملة دولة {land}؟",
                    "أين تقع دولة {land}؟", "ما علم دولة {land}؟"],
        "long": ["اكتب مقالا طويلا عن {place}.", "اكتب لي رواية.", "اكتب تقريرا من 2000 كلمة عن التاريخ.", "ألف سيمفونية.",
                 "اصنع لي موقعا كاملا.", "اشرح فيزياء الكم بالتفصيل.",
                 "اكتب خطابا من أجل {person}.", "ارسم لي صورة {place}.", "اكتب كتابا من عشرة فصول.", "اكتب رسالتي في الفيزياء."],
        "future": ["من سيفوز بكأس العالم القادمة؟", "ما أرقام اليانصيب القادمة؟", "هل سأصبح غنيا؟", "متى سيتزوج {person}؟",
                   "كيف ستكون البورصة غدا؟",
                   "ماذا سيحدث لمدينة {place} بعد 100 عام؟", "هل سيتصل بي {person} غدا؟", "ماذا يحمل لي المستقبل؟"],
    },
}

# Why it refuses, and what it offers instead.
REASONS = {
    "en": {"news": "Sorry, I do not know the news.", "weather": "Sorry, I do not know the weather.",
           "private": "Sorry, I do not know that about people.",
           "made_up": "Sorry, I do not know {land}.", "long": "Sorry, I am too small; I cannot do that.",
           "future": "Sorry, I do not know the future."},
    "fr": {"news": "Désolé, je ne connais pas l'actualité.", "weather": "Désolé, je ne connais pas la météo.",
           "private": "Désolé, je ne sais pas cela des gens.",
           "made_up": "Désolé, je ne connais pas {land}.", "long": "Désolé, je suis trop petit ; je ne peux pas faire cela.",
           "future": "Désolé, je ne connais pas l'avenir."},
    "de": {"news": "Leider kenne ich keine Nachrichten.", "weather": "Leider kenne ich das Wetter nicht.",
           "private": "Leider weiß ich das über Menschen nicht.",
           "made_up": "Leider kenne ich {land} nicht.", "long": "Leider bin ich zu klein; das kann ich nicht.",
           "future": "Leider kenne ich die Zukunft nicht."},
    "es": {"news": "Lo siento, no conozco las noticias.", "weather": "Lo siento, no sé qué tiempo hace.",
           "private": "Lo siento, no sé eso de las personas.",
           "made_up": "Lo siento, no conozco {land}.", "long": "Lo siento, soy demasiado pequeño; no puedo hacer eso.",
           "future": "Lo siento, no conozco el futuro."},
    "zh": {"news": "抱歉，我不知道新闻。", "weather": "抱歉，我不知道天气。", "private": "抱歉，我不知道个人的事情。", "made_up": "抱歉，我不知道{land}。", "long": "抱歉，我太小了，做不到。",
           "future": "抱歉，我不知道未来。"},
    "ar": {"news": "عذرا، لا أعرف الأخبار.", "weather": "عذرا، لا أعرف الطقس.", "private": "عذرا، لا أعرف ذلك عن الناس.",
           "made_up": "عذرا، لا أعرف {land}.",
           "long": "عذرا، أنا صغير جدا ولا أستطيع ذلك.", "future": "عذرا، لا أعرف المستقبل."},
}
OFFERS = {
    "en": ("I can do sums, capitals and translations.", "I can help with a sum or a translation."),
    "fr": ("Je peux faire des calculs, des capitales et des traductions.", "Je peux aider pour un calcul ou une traduction."),
    "de": ("Ich kann Rechnungen, Hauptstädte und Übersetzungen.", "Bei einer Rechnung oder Übersetzung helfe ich gern."),
    "es": ("Sé hacer cuentas, capitales y traducciones.", "Puedo ayudar con una cuenta o una traducción."),
    "zh": ("我会计算、首都和翻译。", "我可以帮你计算或翻译。"),
    "ar": ("أستطيع الحساب والعواصم والترجمة.", "يمكنني المساعدة في حساب أو ترجمة."),
}
REFUSALS = {"en": "(?i)sorry|do not know|don't know|cannot|can't", "fr": "(?i)désolé|ne connais pas|ne sais pas|ne peux pas",
            "de": "(?i)leider|weiß ich|kenne ich|kann ich", "es": "(?i)lo siento|no sé|no conozco|no puedo", "zh": "抱歉|对不起|不知道|做不到",
            "ar": "عذرا|آسف|لا أعرف|لا أستطيع"}
THOUGHTS = {
    "en": {"news": "I have no news.", "weather": "I have no weather data.", "private": "I know nothing private.",
           "made_up": "I do not know {land}.",
           "long": "That is too long for me.", "future": "I cannot see the future."},
    "fr": {"news": "Je n'ai pas d'actualité.", "weather": "Je n'ai pas de météo.", "private": "Je ne sais rien de privé.",
           "made_up": "Je ne connais pas {land}.",
           "long": "C'est trop long pour moi.", "future": "Je ne vois pas l'avenir."},
    "de": {"news": "Ich habe keine Nachrichten.", "weather": "Ich habe keine Wetterdaten.", "private": "Ich weiß nichts Privates.",
           "made_up": "Ich kenne {land} nicht.",
           "long": "Das ist mir zu lang.", "future": "Ich sehe die Zukunft nicht."},
    "es": {"news": "No tengo noticias.", "weather": "No tengo datos del tiempo.", "private": "No sé nada privado.",
           "made_up": "No conozco {land}.",
           "long": "Es demasiado largo para mí.", "future": "No veo el futuro."},
    "zh": {"news": "我没有新闻。", "weather": "我没有天气数据。", "private": "我不知道私事。", "made_up": "我不知道{land}。", "long": "这对我太长了。", "future": "我看不到未来。"},
    "ar": {"news": "ليس لدي أخبار.", "weather": "ليس لدي بيانات الطقس.", "private": "لا أعرف الأمور الخاصة.", "made_up": "لا أعرف {land}.",
           "long": "هذا طويل علي.", "future": "لا أرى المستقبل."},
}


def a_land(rng, language, held_out):
    return draw(rng, "land", held_out, lambda: (made_up_place(rng, language),))[0]


def make(rng, language, held_out):
    topic = rng.choice(tuple(REASONS[language]))
    words = {"place": place(rng, language, held_out), "person": person(rng, language, held_out), "land": a_land(rng, language, held_out)}
    question = pick(rng, QUESTIONS[language][topic], held_out).format(**words)
    content = REASONS[language][topic].format(**words) + ("" if language == "zh" else " ") + rng.choice(OFFERS[language])
    thought = THOUGHTS[language][topic].format(**words) if rng.random() < 0.5 else None
    return ask(KIND, language, question, content, thought, [regex_check(REFUSALS[language]), language_check(language)])


def verify(example):
    """The reply is a reason and an offer of the language."""
    reply, language = example.messages[-1]["content"], example.language
    return any(reply.endswith(offer) for offer in OFFERS[language]) and any(
        reply.startswith(reason.split("{")[0]) for reason in REASONS[language].values())
