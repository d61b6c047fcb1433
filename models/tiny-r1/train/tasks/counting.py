"""How often a letter stands in a word, its vowels, its length; how many things a list has and how often one of them. The thought spells
the word or repeats the list and counts along."""

import unicodedata

from tasks import data_names, data_words, draw, number_check, pick
from tasks.arithmetic import shows
from tasks.wording import typed, worked

KIND = "counting"
VOWELS = "aeiou"

WORDS = {
    "en": ("strawberry banana mississippi letter coffee pepper bottle window kitchen balloon elephant umbrella chocolate tomorrow "
           "cheese summer butterfly carrot apple mirror garden dinner").split(),
    "fr": ("banane fraise lettre bouteille cuisine ballon parapluie chocolat demain fromage papillon carotte pomme miroir jardin "
           "voiture famille montagne chaussure fenêtre hôpital école").split(),
    "de": ("banane erdbeere buchstabe kaffee pfeffer flasche fenster ballon elefant regenschirm schokolade sommer schmetterling "
           "karotte apfel spiegel garten wasser butter zimmer küche straße").split(),
    "es": ("banana fresa letra botella cocina globo elefante paraguas chocolate ventana queso verano mariposa zanahoria manzana "
           "espejo jardín perro carretera guitarra camión montaña").split(),
    "zh": "人山人海 天天向上 千千万万 高高兴兴 来来往往 大大小小 一心一意 十全十美 自由自在 百发百中 快快乐乐 多多少少 说来说去 星星点点 一五一十 三三两两".split(),
    "ar": "تفاحة مدرسة كتاب سيارة شمس قمر مكتبة حديقة طاولة نافذة مطبخ سماء طبيب مهندس صديق جميل سلام ليل ممتاز تلميذ مستشفى زهور".split(),
}
CHARACTERS = "人山水天大小中上下日月木火土金红白花鸟云风雨一二三"
ARABIC_LETTERS = "ابتجحدرزسشصطعفقكلمنهوي"

# {l}: the letter, {w}: the word.
LETTER = {
    "en": ["How many {l} are in {w}?", "How many times does the letter {l} appear in {w}?", "Count the letter {l} in {w}.",
           "How often does {l} occur in {w}?", "how many {l} in {w}", "How many letters {l} does {w} have?",
           "Count how many times {l} appears in the word {w}.", "In the word {w}, how many {l} are there?",
           "Can you count the letter {l} in {w}?", "{w}: how many {l}?", "Please count every {l} in {w}.",
           "Tell me how many times {l} is in {w}.",
           "How many {l} can you find in {w}?", "What is the number of {l} in the word {w}?",
           "If I spell {w}, how many times do I write {l}?", "Number of letters {l} in {w}?"],
    "fr": ["Combien de {l} y a-t-il dans {w} ?", "Combien de fois la lettre {l} apparaît-elle dans {w} ?",
           "Compte la lettre {l} dans {w}.", "Combien de fois y a-t-il {l} dans {w} ?", "combien de {l} dans {w}",
           "Combien de lettres {l} contient {w} ?",
           "Compte combien de fois {l} apparaît dans le mot {w}.", "Dans le mot {w}, combien y a-t-il de {l} ?",
           "Peux-tu compter la lettre {l} dans {w} ?", "{w} : combien de {l} ?", "Comptez les {l} dans {w}, s'il vous plaît.",
           "Dis-moi combien de fois {l} est dans {w}.",
           "Combien de {l} trouves-tu dans {w} ?", "Quel est le nombre de {l} dans le mot {w} ?",
           "Si j'épelle {w}, combien de fois j'écris {l} ?", "Nombre de lettres {l} dans {w} ?"],
    "de": ["Wie viele {l} sind in {w}?", "Wie oft kommt der Buchstabe {l} in {w} vor?", "Zähle den Buchstaben {l} in {w}.",
           "Wie oft steht {l} in {w}?", "wie viele {l} in {w}", "Wie viele Buchstaben {l} hat {w}?",
           "Zähle, wie oft {l} im Wort {w} vorkommt.", "Wie viele {l} gibt es im Wort {w}?", "Kannst du den Buchstaben {l} in {w} zählen?",
           "{w}: wie viele {l}?", "Bitte zähle jedes {l} in {w}.", "Sag mir, wie oft {l} in {w} ist.",
           "Wie viele {l} findest du in {w}?", "Wie groß ist die Zahl der {l} im Wort {w}?",
           "Wenn ich {w} buchstabiere, wie oft schreibe ich {l}?", "Anzahl der Buchstaben {l} in {w}?"],
    "es": ["¿Cuántas {l} hay en {w}?", "¿Cuántas veces aparece la letra {l} en {w}?", "Cuenta la letra {l} en {w}.",
           "¿Cuántas veces está {l} en {w}?", "cuantas {l} hay en {w}", "¿Cuántas letras {l} tiene {w}?",
           "Cuenta cuántas veces aparece {l} en la palabra {w}.", "En la palabra {w}, ¿cuántas {l} hay?",
           "¿Puedes contar la letra {l} en {w}?", "{w}: ¿cuántas {l}?", "Por favor, cuenta cada {l} en {w}.",
           "Dime cuántas veces está {l} en {w}.",
           "¿Cuántas {l} encuentras en {w}?", "¿Cuál es el número de {l} en la palabra {w}?",
           "Si deletreo {w}, ¿cuántas veces escribo {l}?", "¿Número de letras {l} en {w}?"],
    "zh": ["{w}里有几个{l}？", "{l}在{w}中出现了几次？", "数一数{w}里有多少个{l}。", "{w}中有多少个{l}？", "{w} 有几个{l}", "{w}这个词里有几个{l}？", "数一下{l}在{w}里出现的次数。",
           "在{w}中，{l}有几个？", "你能数出{w}里的{l}吗？", "{w}：{l}有几个？",
           "请数{w}里的{l}。", "告诉我{l}在{w}里有几次。", "你在{w}里能找到几个{l}？", "{w}中{l}的个数是多少？", "写{w}的时候，要写几次{l}？", "{w}里{l}的数量？"],
    "ar": ["كم مرة يظهر الحرف {l} في {w}؟", "كم حرف {l} في {w}؟", "عد الحرف {l} في {w}.", "كم مرة يوجد {l} في {w}؟", "كم {l} في {w}",
           "كم عدد حروف {l} في {w}؟", "احسب كم مرة يظهر {l} في كلمة {w}.", "في كلمة {w} كم {l} يوجد؟",
           "هل يمكنك عد الحرف {l} في {w}؟", "{w}: كم {l}؟", "من فضلك عد كل {l} في {w}.", "قل لي كم مرة يتكرر {l} في {w}.",
           "كم {l} تجد في {w}؟", "ما عدد مرات الحرف {l} في الكلمة {w}؟", "إذا كتبت {w} فكم مرة أكتب {l}؟", "عدد الحروف {l} في {w}؟"],
}

VOWELS_OF = {
    "en": ["How many vowels are in {w}?", "Count the vowels in {w}.", "how many vowels in {w}", "How many vowels does the word {w} have?",
           "Tell me how many vowels {w} has.", "Please count the vowels of {w}.", "What is the number of vowels in {w}?",
           "{w}: how many vowels are there?"],
    "fr": ["Combien de voyelles y a-t-il dans {w} ?", "Compte les voyelles de {w}.", "combien de voyelles dans {w}",
           "Combien de voyelles a le mot {w} ?", "Dis-moi combien de voyelles a {w}.", "Comptez les voyelles dans {w}.",
           "Quel est le nombre de voyelles dans {w} ?", "{w} : combien de voyelles ?"],
    "de": ["Wie viele Vokale sind in {w}?", "Zähle die Vokale in {w}.", "wie viele vokale in {w}", "Wie viele Vokale hat das Wort {w}?",
           "Sag mir, wie viele Vokale {w} hat.", "Bitte zähle die Vokale von {w}.", "Wie groß ist die Zahl der Vokale in {w}?",
           "{w}: wie viele Vokale?"],
    "es": ["¿Cuántas vocales hay en {w}?", "Cuenta las vocales de {w}.", "cuantas vocales hay en {w}",
           "¿Cuántas vocales tiene la palabra {w}?", "Dime cuántas vocales tiene {w}.", "Cuente las vocales de {w}, por favor.",
           "¿Cuál es el número de vocales en {w}?", "{w}: ¿cuántas vocales?"],
}

LENGTH = {
    "en": ["How many letters does {w} have?", "How many letters are in {w}?", "Count the letters in {w}.", "how many letters in {w}",
           "How long is the word {w}, in letters?", "Tell me the number of letters in {w}.", "What is the letter count of {w}?",
           "{w} has how many letters?"],
    "fr": ["Combien de lettres a {w} ?", "Combien de lettres y a-t-il dans {w} ?", "Compte les lettres de {w}.",
           "combien de lettres dans {w}", "Combien de lettres contient le mot {w} ?", "Donne le nombre de lettres de {w}.",
           "De combien de lettres se compose {w} ?", "{w} compte combien de lettres ?"],
    "de": ["Wie viele Buchstaben hat {w}?", "Wie viele Buchstaben sind in {w}?", "Zähle die Buchstaben in {w}.",
           "wie viele buchstaben hat {w}", "Wie lang ist das Wort {w} in Buchstaben?", "Nenne die Anzahl der Buchstaben in {w}.",
           "Aus wie vielen Buchstaben besteht {w}?", "{w} hat wie viele Buchstaben?"],
    "es": ["¿Cuántas letras tiene {w}?", "¿Cuántas letras hay en {w}?", "Cuenta las letras de {w}.", "cuantas letras tiene {w}",
           "¿Cuántas letras contiene la palabra {w}?", "Dime el número de letras de {w}.", "¿De cuántas letras se compone {w}?",
           "{w}: ¿cuántas letras son?"],
    "zh": ["{w}有几个字？", "{w}一共多少个字？", "数一数{w}有几个字。", "{w} 几个字", "{w}这个词有多少个字？", "告诉我{w}有几个字。", "{w}的字数是多少？", "{w}由几个字组成？"],
    "ar": ["كم حرفا في {w}؟", "كم عدد حروف {w}؟", "عد حروف {w}.", "كم حرف في {w}", "كم حرفا في كلمة {w}؟", "قل لي عدد الحروف في {w}.",
           "من كم حرفا تتكون {w}؟", "{w} فيها كم حرفا؟"],
}

# {s}: the list.
ITEMS = {
    "en": ["How many things are in this list: {s}?", "How many items: {s}?", "Count these: {s}.", "how many are there: {s}",
           "How many words are listed here: {s}?", "Count the entries: {s}.", "What is the number of items in {s}?",
           "Here is a list: {s}. How long is it?"],
    "fr": ["Combien de choses dans cette liste : {s} ?", "Combien d'éléments : {s} ?", "Compte ces mots : {s}.",
           "combien y en a-t-il : {s}", "Combien de mots sont dans la liste : {s} ?", "Compte les éléments : {s}.",
           "Quel est le nombre d'éléments dans {s} ?", "Voici une liste : {s}. Combien d'éléments a-t-elle ?"],
    "de": ["Wie viele Dinge sind in dieser Liste: {s}?", "Wie viele Einträge: {s}?", "Zähle diese Wörter: {s}.", "wie viele sind das: {s}",
           "Wie viele Wörter stehen hier: {s}?", "Zähle die Einträge: {s}.", "Wie groß ist die Anzahl der Einträge in {s}?",
           "Hier ist eine Liste: {s}. Wie viele Einträge hat sie?"],
    "es": ["¿Cuántas cosas hay en esta lista: {s}?", "¿Cuántos elementos: {s}?", "Cuenta estas palabras: {s}.", "cuantos hay: {s}",
           "¿Cuántas palabras hay aquí: {s}?", "Cuenta los elementos: {s}.", "¿Cuál es el número de elementos en {s}?",
           "Aquí hay una lista: {s}. ¿Cuántos elementos tiene?"],
    "zh": ["这个列表有几项：{s}？", "一共几个：{s}？", "数一数：{s}。", "有几个：{s}", "这里列了多少个词：{s}？", "数一数有几项：{s}。", "{s}，总共有多少项？", "有一个列表：{s}。它有几项？"],
    "ar": ["كم شيئا في هذه القائمة: {s}؟", "كم عنصرا: {s}؟", "عد هذه الكلمات: {s}.", "كم العدد: {s}", "كم كلمة هنا: {s}؟",
           "عد العناصر: {s}.", "ما عدد العناصر في {s}؟", "هذه قائمة: {s}. كم عنصرا فيها؟"],
}

# {l}: one of the list.
TIMES = {
    "en": ["How many times does {l} appear in this list: {s}?", "How often is {l} in: {s}?", "Count {l}: {s}.", "how many times {l}: {s}",
           "In the list {s}, how often does {l} occur?", "Tell me how many times {l} is listed: {s}.", "What is the count of {l} in {s}?",
           "Look at {s}. How many times do you see {l}?"],
    "fr": ["Combien de fois {l} apparaît dans cette liste : {s} ?", "Combien de fois y a-t-il {l} dans : {s} ?", "Compte {l} : {s}.",
           "combien de fois {l} : {s}", "Dans la liste {s}, combien de fois y a-t-il {l} ?", "Dis-moi combien de fois {l} est cité : {s}.",
           "Quel est le nombre de {l} dans {s} ?", "Regarde {s}. Combien de fois vois-tu {l} ?"],
    "de": ["Wie oft kommt {l} in dieser Liste vor: {s}?", "Wie oft steht {l} in: {s}?", "Zähle {l}: {s}.", "wie oft {l}: {s}",
           "Wie oft ist {l} in der Liste {s}?", "Sag mir, wie oft {l} genannt wird: {s}.", "Wie groß ist die Anzahl von {l} in {s}?",
           "Sieh dir {s} an. Wie oft siehst du {l}?"],
    "es": ["¿Cuántas veces aparece {l} en esta lista: {s}?", "¿Cuántas veces está {l} en: {s}?", "Cuenta {l}: {s}.",
           "cuantas veces {l}: {s}", "En la lista {s}, ¿cuántas veces está {l}?", "Dime cuántas veces se nombra {l}: {s}.",
           "¿Cuál es el número de {l} en {s}?", "Mira {s}. ¿Cuántas veces ves {l}?"],
    "zh": ["{l}在这个列表中出现几次：{s}？", "下面有几个{l}：{s}？", "数一数{l}：{s}。", "几个{l}：{s}", "在{s}里，{l}出现几次？", "告诉我{l}出现了多少次：{s}。", "{s}中{l}的次数是多少？",
           "看{s}。你看到几次{l}？"],
    "ar": ["كم مرة تظهر {l} في هذه القائمة: {s}؟", "كم مرة توجد {l} في: {s}؟", "عد {l}: {s}.", "كم مرة {l}: {s}",
           "في القائمة {s} كم مرة تظهر {l}؟", "قل لي كم مرة ذكرت {l}: {s}.", "ما عدد {l} في {s}؟", "انظر إلى {s}. كم مرة ترى {l}؟"],
}

LIST_WORDS = {
    "en": "cat dog bird fish horse cow apple pear plum lemon red blue green chair table lamp book pen cup plate".split(),
    "fr": "chat chien oiseau poisson cheval vache pomme poire prune citron rouge bleu vert chaise table lampe livre stylo tasse".split(),
    "de": "Katze Hund Vogel Fisch Pferd Kuh Apfel Birne Pflaume Zitrone rot blau grün Stuhl Tisch Lampe Buch Stift Tasse".split(),
    "es": "gato perro pájaro pez caballo vaca manzana pera ciruela limón rojo azul verde silla mesa lámpara libro taza".split(),
    "zh": "猫 狗 鸟 鱼 马 牛 苹果 梨 李子 柠檬 红 蓝 绿 椅子 桌子 灯 书 笔 杯子".split(),
    "ar": "قطة كلب عصفور سمكة حصان بقرة تفاحة كمثرى ليمون أحمر أزرق أخضر كرسي طاولة مصباح كتاب قلم كوب".split(),
}

ANSWER = {
    "en": ["{r}", "The count is {r}.", "The answer is {r}.", "I count {r}."], "fr": ["{r}", "Il y en a {r}.", "La réponse est {r}.",
           "J'en compte {r}."],
    "de": ["{r}", "Die Anzahl ist {r}.", "Die Antwort ist {r}.", "Ich zähle {r}."], "es": ["{r}", "Hay {r}.", "La respuesta es {r}.",
           "Cuento {r}."],
    "zh": ["{r}", "有{r}个。", "答案是{r}。", "一共{r}个。"], "ar": ["{r}", "العدد هو {r}.", "الجواب هو {r}.", "يوجد {r}."],
}
QUOTES = {"en": ["{}", '"{}"', "'{}'"], "fr": ["{}", '"{}"', "« {} »"], "de": ["{}", '"{}"', "„{}“"], "es": ["{}", '"{}"', "«{}»"],
          "zh": ["“{}”", "「{}」", '"{}"'], "ar": ["{}", '"{}"', "«{}»"]}
KNOWN = {language: [row[language] for row in data_words.WORDS
                    if row[language].isalpha() and len(row[language]) > (1 if language == "zh" else 2)] for language in WORDS}
COMMA = {"zh": "、", "ar": "، "}


def _word(rng, language):
    if rng.random() < 0.75:
        word = rng.choice(WORDS[language] if rng.random() < 0.5 else KNOWN[language])
        return word if language == "de" and rng.random() < 0.5 else word.lower()
    if language == "zh":
        pool = rng.sample(CHARACTERS, 4)
        return "".join(rng.choice(pool) for _ in range(rng.randint(3, 8)))
    if language == "ar":
        return data_names.arabic(rng)
    word = "".join(data_names.latin(rng, language).lower() for _ in range(rng.choice((1, 1, 2))))
    return word[:12]


def _bare(letters):
    return "".join(c for c in unicodedata.normalize("NFD", letters) if not unicodedata.combining(c))


def _is_clear(word, letters):
    """Whether no letter with an accent could be taken for one of those asked for."""
    return not any(ord(c) > 127 and _bare(c.replace("ß", "s")) in letters for c in word)


def _letter(rng, language, word):
    pool = {"zh": CHARACTERS, "ar": ARABIC_LETTERS}.get(language, "abcdefghilmnoprstu")
    word = word.lower()
    letter = rng.choice(word) if rng.random() < 0.85 else rng.choice(pool)
    repeated = [c for c in word if word.count(c) > 1]
    return rng.choice(repeated) if repeated and rng.random() < 0.4 else letter


def spelled(head, items, counted, gap=" "):
    """head: the items one by one, with the count so far after each that is counted."""
    n, seen = 0, []
    for item in items:
        n += counted(item)
        seen.append(f"{item}{n}" if counted(item) else item)
    return [f"{head}: {gap.join(seen)}", f"= {n}"], n


def _about_word(rng, language, held_out, turn):
    quote = rng.choice(QUOTES[language])
    if turn < 0.22:
        word, = draw(rng, KIND, held_out, lambda: (_word(rng, language),))
        return LENGTH, {"w": quote.format(word)}, spelled("len", word, lambda c: True)
    if turn < 0.4 and language in VOWELS_OF:
        word, = draw(rng, KIND, held_out, lambda: (_word(rng, language).replace("y", "i"),))
        word = _bare(word)
        return VOWELS_OF, {"w": quote.format(word)}, spelled(VOWELS, word, lambda c: c.lower() in VOWELS)
    while True:
        word, = draw(rng, KIND, held_out, lambda: (_word(rng, language),))
        letter = _letter(rng, language, word)
        if language in ("zh", "ar") or _is_clear(word, letter) and letter.isascii():
            return LETTER, {"w": quote.format(word), "l": quote.format(letter)}, spelled(letter, word, lambda c: c.lower() == letter)


def _about_list(rng, language, held_out, turn):
    pool = rng.sample(LIST_WORDS[language], 4 if turn > 0.88 else 9)
    items, = draw(rng, KIND, held_out, lambda: ([rng.choice(pool) for _ in range(rng.randint(4, 8))] if turn > 0.88
                                                 else rng.sample(pool, rng.randint(2, 9)),))
    text = COMMA.get(language, ", ").join(items)
    if turn > 0.88:
        one = rng.choice(items)
        return TIMES, {"s": text, "l": rng.choice(QUOTES[language]).format(one)}, spelled(one, items, lambda i: i == one, ", ")
    return ITEMS, {"s": text}, spelled("len", items, lambda i: True, ", ")


def make(rng, language, held_out):
    turn = rng.random()
    wording, values, (steps, n) = (_about_word if turn < 0.75 else _about_list)(rng, language, held_out, turn)
    question = pick(rng, wording[language], held_out).format(**values)
    answer = rng.choice(ANSWER[language]).format(r=n)
    return worked(rng, KIND, language, typed(rng, language, question, held_out), steps, answer, [number_check(n)])


def verify(example):
    """The spelled word or list stands in the question, and it has as many of what is asked for."""
    last = example.messages[-1]
    line = last.get("reasoning_content", last["content"]).split("\n")[0]
    head, rest = line.split(": ", 1)
    plain = "".join(c for c in rest if not c.isdigit())
    question = unicodedata.normalize("NFC", example.messages[-2]["content"]).casefold()
    if ", " in plain:
        items = plain.split(", ")
        there = all(i.casefold() in question for i in items)
    else:
        items = plain.split(" ")
        there = "".join(items).casefold() in question or len(items) == 1
    gap = ", " if ", " in plain else " "
    counted = {"len": lambda i: True, VOWELS: lambda i: i.lower() in VOWELS}.get(head, lambda i: i.lower() == head.lower())
    steps, n = spelled(head, items, counted, gap)
    return there and shows(example, steps) and n == example.checks[0]["value"]
