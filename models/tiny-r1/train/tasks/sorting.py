"""Three to six numbers in rising or falling order; three or four words by the alphabet in the languages of Latin script."""

import re

from tasks import draw, pick, regex_check
from tasks.arithmetic import numbers_in, shows, work_of
from tasks.wording import typed, worked

KIND = "sorting"
WORDS_SHARE = 0.1
LATIN = ("en", "fr", "de", "es")
FALLING_SHARE = 0.4
CAPITALS_SHARE = {"de": 0.5}  # of the lists of words

# {l}: the list, {d}: the order.
FRAMES = {
    "en": ["Sort these numbers {d}: {l}", "Sort {l} {d}.", "Put these numbers {d}: {l}", "Arrange {l} {d}.", "sort {d}: {l}",
           "Order these numbers {d}: {l}.",
           "Please sort the numbers {l} {d}.", "Can you sort {l} {d}?", "List these numbers {d}: {l}",
           "Here are some numbers: {l}. Sort them {d}.", "Write {l} {d}.", "{l} - sort them {d}",
           "Rank these numbers {d}: {l}.", "I need {l} sorted {d}.", "Could you arrange the numbers {l} {d}, please?",
           "Take {l} and put them {d}."],
    "fr": ["Trie ces nombres {d} : {l}", "Trie {l} {d}.", "Range ces nombres {d} : {l}", "Classe {l} {d}.", "trie {d} : {l}",
           "Remets ces nombres {d} : {l}.",
           "Triez les nombres {l} {d}, s'il vous plaît.", "Peux-tu trier {l} {d} ?", "Donne ces nombres {d} : {l}",
           "Voici des nombres : {l}. Trie-les {d}.", "Écris {l} {d}.", "{l} : à trier {d}",
           "Ordonne ces nombres {d} : {l}.", "J'ai besoin de {l} triés {d}.", "Pourrais-tu ranger les nombres {l} {d} ?",
           "Prends {l} et classe-les {d}."],
    "de": ["Sortiere diese Zahlen {d}: {l}", "Sortiere {l} {d}.", "Ordne diese Zahlen {d}: {l}", "Ordne {l} {d}.", "sortiere {d}: {l}",
           "Bring diese Zahlen {d} in eine Reihe: {l}.",
           "Bitte sortiere die Zahlen {l} {d}.", "Kannst du {l} {d} sortieren?", "Nenne diese Zahlen {d}: {l}",
           "Hier sind Zahlen: {l}. Sortiere sie {d}.", "Schreibe {l} {d} auf.", "{l} - bitte {d} sortieren",
           "Reihe diese Zahlen {d}: {l}.", "Ich brauche {l} {d} sortiert.", "Könntest du die Zahlen {l} {d} ordnen?",
           "Nimm {l} und ordne sie {d}."],
    "es": ["Ordena estos números {d}: {l}", "Ordena {l} {d}.", "Pon estos números {d}: {l}", "Coloca {l} {d}.", "ordena {d}: {l}",
           "Ordene estos números {d}: {l}.",
           "Por favor, ordena los números {l} {d}.", "¿Puedes ordenar {l} {d}?", "Di estos números {d}: {l}",
           "Aquí hay unos números: {l}. Ordénalos {d}.", "Escribe {l} {d}.", "{l}: ordenar {d}",
           "Clasifica estos números {d}: {l}.", "Necesito {l} ordenados {d}.", "¿Podrías colocar los números {l} {d}?",
           "Toma {l} y ponlos {d}."],
    "zh": ["把这些数{d}排列：{l}", "把{l}{d}排列。", "请将下列数字{d}排序：{l}", "将{l}{d}排序。", "{d}排列：{l}", "请把这些数字{d}排好：{l}。", "请{d}排列{l}。", "你能把{l}{d}排序吗？",
           "{d}写出这些数：{l}", "这里有几个数：{l}。请{d}排列。",
           "把数字{l}{d}排一下。", "{l}，{d}排序", "帮我把这些数{d}整理好：{l}。", "我需要把{l}{d}排好。", "麻烦你把{l}{d}排一排。", "以下的数{d}怎么排：{l}？"],
    "ar": ["رتب هذه الأعداد {d}: {l}", "رتب {l} {d}.", "ضع هذه الأعداد مرتبة {d}: {l}", "رتب الأرقام {l} {d}.", "رتب {d}: {l}",
           "رتب الأعداد التالية {d}: {l}.", "من فضلك رتب الأعداد {l} {d}.", "هل يمكنك ترتيب {l} {d}؟",
           "اكتب هذه الأعداد {d}: {l}", "هذه بعض الأعداد: {l}. رتبها {d}.", "اكتب {l} {d}.", "{l} - رتبها {d}",
           "نظم هذه الأعداد {d}: {l}.", "أريد ترتيب {l} {d}.", "هل تستطيع أن ترتب لي الأعداد {l} {d}؟", "خذ {l} ورتبها {d}."],
}

RISING = {
    "en": ["in ascending order", "from smallest to largest", "from low to high", "from least to greatest"],
    "fr": ["par ordre croissant", "du plus petit au plus grand", "en ordre croissant"],
    "de": ["aufsteigend", "von klein nach groß", "der Größe nach aufsteigend", "von der kleinsten zur größten"],
    "es": ["de menor a mayor", "en orden ascendente", "de forma ascendente"],
    "zh": ["从小到大", "按从小到大的顺序", "按升序"],
    "ar": ["تصاعديا", "من الأصغر إلى الأكبر", "ترتيبا تصاعديا"],
}

FALLING = {
    "en": ["in descending order", "from largest to smallest", "from high to low", "from greatest to least"],
    "fr": ["par ordre décroissant", "du plus grand au plus petit", "en ordre décroissant"],
    "de": ["absteigend", "von groß nach klein", "der Größe nach absteigend", "von der größten zur kleinsten"],
    "es": ["de mayor a menor", "en orden descendente", "de forma descendente"],
    "zh": ["从大到小", "按从大到小的顺序", "按降序"],
    "ar": ["تنازليا", "من الأكبر إلى الأصغر", "ترتيبا تنازليا"],
}

# Without an order: rising is meant.
PLAIN = {
    "en": ["Sort these numbers: {l}", "sort {l}", "Put {l} in order.", "Order the numbers {l}."],
    "fr": ["Trie ces nombres : {l}", "trie {l}", "Mets {l} dans l'ordre.", "Classe les nombres {l}."],
    "de": ["Sortiere diese Zahlen: {l}", "sortiere {l}", "Ordne die Zahlen {l}.", "Bring {l} in die richtige Reihenfolge."],
    "es": ["Ordena estos números: {l}", "ordena {l}", "Pon {l} en orden.", "Ordena los números {l}."],
    "zh": ["给这些数排序：{l}", "排序：{l}", "把{l}排好顺序。", "请给{l}排序。"],
    "ar": ["رتب هذه الأعداد: {l}", "رتب {l}", "ضع {l} بالترتيب.", "رتب لي الأعداد {l}."],
}

WORD_FRAMES = {
    "en": ["Sort these words {d}: {l}", "Put these words {d}: {l}", "Sort {l} {d}.", "Arrange the words {l} {d}.", "sort {d}: {l}",
           "Can you put {l} {d}?", "Write these words {d}: {l}.", "List {l} {d}, please."],
    "fr": ["Trie ces mots {d} : {l}", "Range ces mots {d} : {l}", "Trie {l} {d}.", "Classe les mots {l} {d}.", "trie {d} : {l}",
           "Peux-tu mettre {l} {d} ?", "Écris ces mots {d} : {l}.", "Donne {l} {d}, s'il te plaît."],
    "de": ["Sortiere diese Wörter {d}: {l}", "Ordne diese Wörter {d}: {l}", "Sortiere {l} {d}.", "Ordne die Wörter {l} {d}.",
           "sortiere {d}: {l}", "Kannst du {l} {d} ordnen?", "Schreibe diese Wörter {d} auf: {l}.", "Nenne {l} bitte {d}."],
    "es": ["Ordena estas palabras {d}: {l}", "Pon estas palabras {d}: {l}", "Ordena {l} {d}.", "Coloca las palabras {l} {d}.",
           "ordena {d}: {l}", "¿Puedes poner {l} {d}?", "Escribe estas palabras {d}: {l}.", "Di {l} {d}, por favor."],
}
FROM_A = {
    "en": ["in alphabetical order", "alphabetically", "from A to Z"], "fr": ["par ordre alphabétique", "dans l'ordre alphabétique",
           "de A à Z"],
    "de": ["alphabetisch", "nach dem Alphabet", "von A bis Z"], "es": ["en orden alfabético", "por orden alfabético", "de la A a la Z"],
}
FROM_Z = {
    "en": ["in reverse alphabetical order", "from Z to A"], "fr": ["par ordre alphabétique inverse", "de Z à A"],
    "de": ["umgekehrt alphabetisch", "von Z bis A"], "es": ["en orden alfabético inverso", "de la Z a la A"],
}

WORDS = {
    "en": ("apple pear bread stone river cloud table chair green house tiger mouse paper light night water field horse garden music "
           "winter lemon candle bridge").split(),
    "fr": ("pomme pain pierre nuage table chaise vert maison tigre souris papier nuit eau champ cheval jardin musique hiver citron "
           "pont arbre fleur soleil lune").split(),
    "de": ("apfel brot stein fluss wolke tisch stuhl haus tiger maus papier licht nacht wasser feld pferd garten musik winter "
           "zitrone kerze regen baum lampe").split(),
    "es": ("manzana pan piedra nube mesa silla verde casa tigre papel luz noche agua campo caballo invierno puente flor sol luna "
           "perro gato camino barco").split(),
}

ANSWER = {
    "en": ["{l}", "Sorted: {l}.", "The order is {l}."], "fr": ["{l}", "Dans l'ordre : {l}.", "L'ordre est {l}."],
    "de": ["{l}", "Sortiert: {l}.", "Die Reihenfolge ist {l}."], "es": ["{l}", "En orden: {l}.", "El orden es {l}."],
    "zh": ["{l}", "排序结果：{l}。", "顺序是{l}。"], "ar": ["{l}", "الترتيب: {l}.", "بعد الترتيب: {l}."],
}

AND = {"en": " and ", "fr": " et ", "de": " und ", "es": " y ", "zh": "和", "ar": " و "}
COMMA = {"zh": "、", "ar": "، "}


def steps_of(items, is_falling):
    """Each line takes the next of what is left: it keeps the best so far and compares it with each of the rest."""
    left, lines, done = list(items), [">" if is_falling else "<"], []
    while len(left) > 1:
        best, seen = left[0], []
        for item in left[1:]:
            seen.append(_compared(best, item))
            if item > best if is_falling else item < best:
                best = item
        lines.append(f"{' '.join(map(str, left))}: {' '.join(seen)} → {best}")
        left.remove(best)
        done.append(best)
    return lines + [f"{left[0]}", "= " + ", ".join(map(str, done + left))]


def _compared(a, b):
    """7<12 for numbers; p=p e>a for words, letter by letter up to the first that differs."""
    if isinstance(a, int):
        return f"{a}{_sign(a, b)}{b}"
    seen = []
    for x, y in zip(a, b):
        seen.append(f"{x}{_sign(x, y)}{y}")
        if x != y:
            return " ".join(seen)
    return " ".join(seen + [f"len {len(a)}{_sign(len(a), len(b))}{len(b)}"])


def _sign(a, b):
    return "<" if a < b else ">" if a > b else "="


def _made_up_word(rng):
    return "".join(rng.choice("bcdfghklmnprstvz") + rng.choice("aeiou") for _ in range(rng.randint(2, 3))) + rng.choice(("", "n", "r", "s",
    "l"))


def _words(rng, language):
    n, words = rng.choice((3, 3, 4)), []
    while len(words) < n:
        word = _made_up_word(rng) if rng.random() < 0.4 else rng.choice(WORDS[language])
        if word not in words:
            words.append(word)
    return [w.capitalize() for w in words] if rng.random() < CAPITALS_SHARE.get(language, 0.15) else words


def _numbers(rng):
    n, digits = rng.choice((3, 4, 4, 5, 5, 6)), rng.choices((1, 2, 3), weights=(2, 6, 2))[0]
    digits = min(digits, 3) if n > 4 else digits
    numbers = [rng.randrange(10 ** rng.choice((digits, digits, max(1, digits - 1)))) for _ in range(n)]
    if rng.random() < 0.12:
        numbers[-1] = numbers[rng.randrange(n - 1)]
    rng.shuffle(numbers)
    return numbers


def listed(rng, language, items):
    """The list as people write it."""
    turn = rng.random() * (0.8 if isinstance(items[0], str) else 1)
    items = [str(i) for i in items]
    comma = COMMA.get(language, ", ")
    if turn < 0.6:
        return comma.join(items)
    if turn < 0.8:
        return comma.join(items[:-1]) + AND[language] + items[-1]
    return {True: "，", False: ", "}[language == "zh"].join(items) if turn < 0.9 else " ".join(items)


def _question(rng, language, held_out, items, is_falling):
    text = listed(rng, language, items)
    if isinstance(items[0], str):
        frames, orders = WORD_FRAMES, FROM_Z if is_falling else FROM_A
    elif not is_falling and rng.random() < 0.15:
        return pick(rng, PLAIN[language], held_out).format(l=text)
    else:
        frames, orders = FRAMES, FALLING if is_falling else RISING
    return pick(rng, frames[language], held_out).format(l=text, d=rng.choice(orders[language]))


def make(rng, language, held_out):
    has_words, is_falling = language in LATIN and rng.random() < WORDS_SHARE, rng.random() < FALLING_SHARE
    if has_words:
        is_falling = rng.random() < 0.2
    items = draw(rng, KIND, held_out, lambda: _words(rng, language) if has_words else _numbers(rng))
    question = _question(rng, language, held_out, items, is_falling)
    question = question if has_words else typed(rng, language, question, held_out)
    ordered = [str(i) for i in sorted(items, reverse=is_falling)]
    answer = rng.choice(ANSWER[language]).format(l=COMMA.get(language, ", ").join(ordered))
    other = "[^A-Za-z]" if has_words else "[^0-9]"
    check = regex_check(f"(^|{other}){f'{other}+'.join(ordered)}({other}|$)")
    return worked(rng, KIND, language, question, steps_of(items, is_falling), answer, [check])


def verify(example):
    direction, *_, result = [line for line in work_of(example).split("\n") if line[0] in "<>="]
    question, items = example.messages[-2]["content"], result[2:].split(", ")
    if items[0].isdigit():
        items = [int(i) for i in items]
        if sorted(items) != sorted(numbers_in(question)):
            return False
    elif not all(re.search(rf"\b{i}\b", question) for i in items):
        return False
    given = work_of(example).split("\n")[1].split(": ")[0].split(" ")
    if isinstance(items[0], int):
        given = [int(i) for i in given]
    return shows(example, steps_of(given, direction == ">")) and items == sorted(items, reverse=direction == ">")
