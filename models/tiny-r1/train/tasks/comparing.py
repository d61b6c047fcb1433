"""Which of two or three numbers is the greatest or smallest, decimals and negative ones too; whether one exceeds another; which of two
things is longer, heavier or dearer."""

import re

from tasks import draw, number_check, pick, regex_check
from tasks.arithmetic import compare_steps, shows, work_of
from tasks.wording import NO, YES, typed, worked, yes_no_check

KIND = "comparing"
DECIMAL_COMMA = ("fr", "de", "es")

# {a} or {b}: which is {m}?
MORE = {
    "en": ["greater", "larger", "bigger", "higher"], "fr": ["plus grand", "le plus grand"], "de": ["größer"], "es": ["mayor",
           "más grande"], "zh": ["更大",
           "大一些", "比较大"],
    "ar": ["أكبر"],
}
LESS = {
    "en": ["smaller", "less", "lower"], "fr": ["plus petit", "le plus petit"], "de": ["kleiner"], "es": ["menor", "más pequeño"],
           "zh": ["更小", "小一些", "比较小"],
    "ar": ["أصغر"],
}

TWO = {
    "en": ["Which is {m}, {a} or {b}?", "What is {m}: {a} or {b}?", "Which number is {m}: {a} or {b}?", "{a} or {b}, which is {m}?",
           "which one is {m} {a} or {b}", "Compare {a} and {b}. Which is {m}?",
           "Is {a} or {b} {m}?", "Tell me which is {m}: {a} or {b}.", "Of {a} and {b}, which is {m}?",
           "Please say which is {m}, {a} or {b}.", "Between {a} and {b}, which is {m}?", "Two numbers: {a} and {b}. Which one is {m}?",
           "One of {a} and {b} is {m}. Which one?", "Can you tell me which is {m}, {a} or {b}?", "Take {a} and {b}: which number is {m}?",
           "{m}: {a} or {b}?"],
    "fr": ["Lequel est {m}, {a} ou {b} ?", "Qu'est-ce qui est {m} : {a} ou {b} ?", "Quel nombre est {m} : {a} ou {b} ?",
           "{a} ou {b}, lequel est {m} ?", "lequel est {m} {a} ou {b}", "Compare {a} et {b}. Lequel est {m} ?",
           "Entre {a} et {b}, lequel est {m} ?", "Dis-moi lequel est {m} : {a} ou {b}.", "De {a} et {b}, lequel est {m} ?",
           "Dites-moi quel nombre est {m}, {a} ou {b}.", "Est-ce {a} ou {b} qui est {m} ?",
           "Voici deux nombres : {a} et {b}. Lequel est {m} ?",
           "Nomme le nombre qui est {m} : {a} ou {b}.", "Peux-tu me dire lequel est {m}, {a} ou {b} ?",
           "Prends {a} et {b} : quel nombre est {m} ?", "Des deux nombres {a} et {b}, lequel est {m} ?"],
    "de": ["Was ist {m}, {a} oder {b}?", "Welche Zahl ist {m}: {a} oder {b}?", "Welche ist {m}, {a} oder {b}?",
           "{a} oder {b}, was ist {m}?", "was ist {m} {a} oder {b}", "Vergleiche {a} und {b}. Welche Zahl ist {m}?",
           "Ist {a} oder {b} {m}?", "Sag mir, welche Zahl {m} ist: {a} oder {b}.", "Von {a} und {b}, welche Zahl ist {m}?",
           "Sagen Sie bitte, was {m} ist: {a} oder {b}.", "Welche von beiden ist {m}: {a} oder {b}?",
           "Zwei Zahlen: {a} und {b}. Welche ist {m}?",
           "Nenne die Zahl, die {m} ist: {a} oder {b}.", "Kannst du mir sagen, was {m} ist, {a} oder {b}?",
           "Nimm {a} und {b}: Welche Zahl ist {m}?", "{m}: {a} oder {b}?"],
    "es": ["¿Cuál es {m}, {a} o {b}?", "¿Qué es {m}: {a} o {b}?", "¿Qué número es {m}: {a} o {b}?", "{a} o {b}, ¿cuál es {m}?",
           "cual es {m} {a} o {b}", "Compara {a} y {b}. ¿Cuál es {m}?",
           "Entre {a} y {b}, ¿cuál es {m}?", "Dime cuál es {m}: {a} o {b}.", "De {a} y {b}, ¿cuál es {m}?",
           "Diga cuál es {m}, {a} o {b}, por favor.", "¿Es {m} {a} o {b}?", "Dos números: {a} y {b}. ¿Cuál es {m}?",
           "Nombra el que es {m}: {a} o {b}.", "¿Puedes decirme cuál es {m}, {a} o {b}?", "Toma {a} y {b}: ¿qué número es {m}?",
           "{m}: ¿{a} o {b}?"],
    "zh": ["{a}和{b}哪个{m}？", "{a}和{b}，哪个数{m}？", "哪个{m}：{a}还是{b}？", "{a}与{b}相比，哪个{m}？", "{a} {b} 哪个{m}", "比较{a}和{b}，哪个{m}？",
           "请问{a}和{b}哪个{m}？", "告诉我{a}和{b}哪个{m}。", "在{a}和{b}中，哪个{m}？", "{a}{m}还是{b}{m}？",
           "两个数{a}和{b}，哪一个{m}？", "是{a}{m}还是{b}{m}？", "说出{a}和{b}中{m}的数。", "你能告诉我{a}和{b}谁{m}吗？", "看看{a}和{b}：哪个数字{m}？", "{a}跟{b}比，谁{m}？"],
    "ar": ["أيهما {m}، {a} أم {b}؟", "أي منهما {m}: {a} أم {b}؟", "أي عدد {m}: {a} أم {b}؟", "{a} أم {b}، أيهما {m}؟",
           "أيهما {m} {a} أم {b}", "قارن بين {a} و {b}. أيهما {m}؟", "من بين {a} و {b}، أيهما {m}؟", "قل لي أيهما {m}: {a} أم {b}.",
           "العدد {a} أم العدد {b}: أيهما {m}؟", "من فضلك أيهما {m}، {a} أم {b}؟", "أي الرقمين {m}: {a} أم {b}؟",
           "عددان: {a} و {b}. أيهما {m}؟", "اذكر أيهما {m}: {a} أم {b}.", "هل يمكنك أن تخبرني أيهما {m}، {a} أم {b}؟",
           "خذ {a} و {b}: أي عدد منهما {m}؟", "بين {a} و {b} أي رقم {m}؟"],
}

MOST = {
    "en": ["the greatest", "the largest", "the biggest", "the highest"], "fr": ["le plus grand"], "de": ["die größte Zahl"],
           "es": ["el mayor", "el más grande"],
    "zh": ["最大"], "ar": ["أكبر عدد"],
}
LEAST = {
    "en": ["the smallest", "the lowest"], "fr": ["le plus petit"], "de": ["die kleinste Zahl"], "es": ["el menor", "el más pequeño"],
    "zh": ["最小"], "ar": ["أصغر عدد"],
}

THREE = {
    "en": ["Which is {m}: {a}, {b} or {c}?", "Which of {a}, {b} and {c} is {m}?", "What is {m} of {a}, {b} and {c}?",
           "{a}, {b}, {c}: which is {m}?", "which number is {m} {a} {b} {c}", "Find {m} of these: {a}, {b}, {c}.",
           "Tell me {m} of {a}, {b} and {c}.", "Which one is {m} among {a}, {b} and {c}?"],
    "fr": ["Lequel est {m} : {a}, {b} ou {c} ?", "Quel nombre est {m} : {a}, {b} ou {c} ?", "Qui est {m} parmi {a}, {b} et {c} ?",
           "{a} ; {b} ; {c} : lequel est {m} ?", "lequel est {m} {a} {b} {c}", "Trouve {m} de ces nombres : {a}, {b} et {c}.",
           "Dis-moi {m} de ces trois : {a}, {b} et {c}.", "Parmi {a}, {b} et {c}, lequel est {m} ?"],
    "de": ["Was ist {m}: {a}, {b} oder {c}?", "Was ist {m} von {a}, {b} und {c}?", "Welches ist {m}: {a}, {b} oder {c}?",
           "{a}; {b}; {c}: Was ist {m}?", "was ist {m} {a} {b} {c}", "Finde {m}: {a}, {b} oder {c}.",
           "Nenne mir {m} von {a}, {b} und {c}.", "Welches ist {m} unter {a}, {b} und {c}?"],
    "es": ["¿Cuál es {m}: {a}, {b} o {c}?", "¿Qué número es {m}: {a}, {b} o {c}?", "¿Cuál es {m} de {a}, {b} y {c}?",
           "{a}; {b}; {c}: ¿cuál es {m}?", "cual es {m} {a} {b} {c}", "Encuentra {m} de estos: {a}, {b} y {c}.",
           "Dime {m} de {a}, {b} y {c}.", "Entre {a}, {b} y {c}, ¿cuál es {m}?"],
    "zh": ["{a}、{b}和{c}哪个{m}？", "{a}、{b}、{c}中哪个数{m}？", "哪个{m}：{a}、{b}还是{c}？", "{a}、{b}、{c}，{m}的是哪个？", "{a} {b} {c} 哪个{m}",
           "找出{m}的数：{a}、{b}、{c}。", "告诉我{a}、{b}和{c}里哪个{m}。", "在{a}、{b}和{c}之中，哪个{m}？"],
    "ar": ["ما {m}: {a} أم {b} أم {c}؟", "ما هو {m} من {a} و {b} و {c}؟", "أي منها {m}: {a} أم {b} أم {c}؟", "{a} و {b} و {c}: ما {m}؟",
           "ما {m} {a} {b} {c}", "جد {m} من هذه: {a} و {b} و {c}.", "قل لي ما {m} بين {a} و {b} و {c}.", "من بين {a} و {b} و {c}، ما {m}؟"],
}

# {r} is the last number that stands in the answer.
WINNER = {
    "en": ["{r}", "{r} is {m}.", "It is {r}."], "fr": ["{r}", "C'est {r}.", "{r} est {m}."], "de": ["{r}", "Es ist {r}.", "{r} ist {m}."],
    "es": ["{r}", "Es {r}.", "{r} es {m}."], "zh": ["{r}", "{r}{m}。", "是{r}。"], "ar": ["{r}", "هو {r}.", "الجواب هو {r}."],
}

# Whether {a} is {m} than {b}.
IS_IT = {
    "en": ["Is {a} {m} than {b}?", "Is it true that {a} is {m} than {b}?", "is {a} {m} than {b}", "Tell me whether {a} is {m} than {b}.",
           "{a} is {m} than {b}, right?", "Would you say {a} is {m} than {b}?", "Is the number {a} {m} than {b}?",
           "True or not: {a} is {m} than {b}?"],
    "fr": ["{a} est-il {m} que {b} ?", "Est-ce que {a} est {m} que {b} ?", "est-ce que {a} est {m} que {b}",
           "Dis-moi si {a} est {m} que {b}.", "{a} est {m} que {b}, non ?", "Est-il vrai que {a} est {m} que {b} ?",
           "Le nombre {a} est-il {m} que {b} ?", "Vrai ou pas : {a} est {m} que {b} ?"],
    "de": ["Ist {a} {m} als {b}?", "Stimmt es, dass {a} {m} als {b} ist?", "ist {a} {m} als {b}", "Sag mir, ob {a} {m} als {b} ist.",
           "{a} ist {m} als {b}, oder?", "Ist es wahr, dass {a} {m} ist als {b}?", "Ist die Zahl {a} {m} als {b}?",
           "Wahr oder nicht: {a} ist {m} als {b}?"],
    "es": ["¿Es {a} {m} que {b}?", "¿Es verdad que {a} es {m} que {b}?", "es {a} {m} que {b}", "Dime si {a} es {m} que {b}.",
           "{a} es {m} que {b}, ¿no?", "¿Dirías que {a} es {m} que {b}?", "¿El número {a} es {m} que {b}?",
           "¿Es cierto que {a} es {m} que {b}?"],
    "zh": ["{a}比{b}{m}吗？", "{a}是不是比{b}{m}？", "{a}比{b}{m}吗", "请问{a}比{b}{m}吗？", "告诉我{a}是否比{b}{m}。", "{a}比{b}{m}，对吗？", "{a}这个数比{b}{m}吗？",
           "说{a}比{b}{m}，对不对？"],
    "ar": ["هل {a} {m} من {b}؟", "هل صحيح أن {a} {m} من {b}؟", "هل {a} {m} من {b}", "قل لي هل {a} {m} من {b}.",
           "{a} {m} من {b}، أليس كذلك؟", "هل يعد {a} {m} من {b}؟", "هل العدد {a} {m} من {b}؟", "صحيح أم لا: {a} {m} من {b}؟"],
}
IS_IT_WORDS = {"zh": ("大", "小"), "fr": ("plus grand", "plus petit")}
BECAUSE = {
    "en": "{0}, {1} is {2} than {3}.", "fr": "{0}, {1} est {2} que {3}.", "de": "{0}, {1} ist {2} als {3}.",
    "es": "{0}, {1} es {2} que {3}.", "zh": "{0}，{1}比{3}{2}。", "ar": "{0}، {1} {2} من {3}.",
}

# Things with their article, as a sentence begins and as it goes on.
THINGS = {
    "en": ("the table|the shelf|the bench|the box|the rope|the board|the lamp|the suitcase|the ladder|"
           "the carpet|the chair|the drum").split("|"),
    "fr": "la table|l'étagère|le banc|la caisse|la corde|la planche|la lampe|la valise|l'échelle|le tapis|la chaise|le tambour".split("|"),
    "de": ("der Tisch|das Regal|die Bank|die Kiste|das Seil|das Brett|die Lampe|der Koffer|die Leiter|"
           "der Teppich|der Stuhl|die Trommel").split("|"),
    "es": ("la mesa|el estante|el banco|la caja|la cuerda|la tabla|la lámpara|la maleta|la escalera|la alfombra|"
           "la silla|el tambor").split("|"),
    "zh": "桌子|架子|长凳|箱子|绳子|木板|台灯|行李箱|梯子|地毯|椅子|鼓".split("|"),
    "ar": "الطاولة|الرف|المقعد|الصندوق|الحبل|اللوح|المصباح|الحقيبة|السلم|السجادة|الكرسي|الطبل".split("|"),
}

# Units; the question for the greater; for the smaller; a statement of its own.
MEASURES = {
    "en": [(("cm", "m"), "Which is longer?", "Which is shorter?", "{X} is {a} long and {y} is {b} long."), (("kg", "g"),
           "Which is heavier?", "Which is lighter?", "{X} weighs {a} and {y} weighs {b}."),
           (("euros", "dollars"), "Which is more expensive?", "Which is cheaper?", "{X} costs {a} and {y} costs {b}.")],
    "fr": [(("cm", "m"), "Qu'est-ce qui est le plus long ?", "Qu'est-ce qui est le plus court ?", "{X} mesure {a} et {y} mesure {b}."),
           (("kg", "g"), "Qu'est-ce qui est le plus lourd ?", "Qu'est-ce qui est le plus léger ?", "{X} pèse {a} et {y} pèse {b}."),
           (("euros", "dollars"), "Qu'est-ce qui est le plus cher ?", "Qu'est-ce qui est le moins cher ?",
           "{X} coûte {a} et {y} coûte {b}.")],
    "de": [(("cm", "m"), "Was ist länger?", "Was ist kürzer?", "{X} ist {a} lang und {y} ist {b} lang."), (("kg", "g"),
           "Was ist schwerer?", "Was ist leichter?", "{X} wiegt {a} und {y} wiegt {b}."),
           (("Euro", "Dollar"), "Was ist teurer?", "Was ist billiger?", "{X} kostet {a} und {y} kostet {b}.")],
    "es": [(("cm", "m"), "¿Qué es más largo?", "¿Qué es más corto?", "{X} mide {a} y {y} mide {b}."), (("kg", "g"), "¿Qué pesa más?",
           "¿Qué pesa menos?", "{X} pesa {a} y {y} pesa {b}."),
           (("euros", "dólares"), "¿Qué es más caro?", "¿Qué es más barato?", "{X} cuesta {a} y {y} cuesta {b}.")],
    "zh": [(("厘米", "米"), "哪个更长？", "哪个更短？", "{X}长{a}，{y}长{b}。"), (("公斤", "克"), "哪个更重？", "哪个更轻？", "{X}重{a}，{y}重{b}。"), (("元", "块"), "哪个更贵？",
           "哪个更便宜？", "{X}{a}，{y}{b}。")],
    "ar": [(("سم", "م"), "أيهما أطول؟", "أيهما أقصر؟", "طول {x} {a} وطول {y} {b}."), (("كغ", "غ"), "أيهما أثقل؟", "أيهما أخف؟",
           "وزن {x} {a} ووزن {y} {b}."), (("يورو", "دولار"), "أيهما أغلى؟", "أيهما أرخص؟", "ثمن {x} {a} وثمن {y} {b}.")],
}

# {s}: the statement; {q}: the question.
THING_FRAMES = {
    "en": ["{s} {q}", "{X}: {a}. {Y}: {b}. {q}", "{q} {X} with {a} or {y} with {b}?", "{X} ({a}) or {y} ({b})? {q}",
           "We have {x} with {a} and {y} with {b}. {q}", "{s} Tell me: {p}", "{q} {X}: {a}, {y}: {b}", "Compare: {x} {a}, {y} {b}. {q}"],
    "fr": ["{s} {q}", "{X} : {a}. {Y} : {b}. {q}", "{q} {X} avec {a} ou {y} avec {b} ?", "{X} ({a}) ou {y} ({b}) ? {q}",
           "On a {x} avec {a} et {y} avec {b}. {q}", "{s} Dis-moi : {p}", "{q} {X} : {a}, {y} : {b}", "Compare : {x} {a}, {y} {b}. {q}"],
    "de": ["{s} {q}", "{X}: {a}. {Y}: {b}. {q}", "{q} {X} mit {a} oder {y} mit {b}?", "{X} ({a}) oder {y} ({b})? {q}",
           "Da sind {x} mit {a} und {y} mit {b}. {q}", "{s} Sag mir: {q}", "{q} {X}: {a}, {y}: {b}", "Vergleiche: {x} {a}, {y} {b}. {q}"],
    "es": ["{s} {q}", "{X}: {a}. {Y}: {b}. {q}", "{q} ¿{X} con {a} o {y} con {b}?", "¿{X} ({a}) o {y} ({b})? {q}",
           "Tenemos {x} con {a} y {y} con {b}. {q}", "{s} Dime: {p}", "{q} {X}: {a}, {y}: {b}", "Compara: {x} {a}, {y} {b}. {q}"],
    "zh": ["{s}{q}", "{X}：{a}。{Y}：{b}。{q}", "{q}{X}（{a}）还是{y}（{b}）？", "{X}{a}，{y}{b}，{q}", "有{x}（{a}）和{y}（{b}）。{q}", "{s}请问{q}",
           "{q}{X}：{a}，{y}：{b}", "比一比：{x}{a}，{y}{b}。{q}"],
    "ar": ["{s} {q}", "{X}: {a}. {Y}: {b}. {q}", "{q} {X} {a} أم {y} {b}؟", "{X} ({a}) أم {y} ({b})؟ {q}", "لدينا {x} {a} و{y} {b}. {q}",
           "{s} قل لي: {q}", "{q} {X}: {a}، {y}: {b}", "قارن: {x} {a}، {y} {b}. {q}"],
}
THING_ANSWER = {
    "en": ["{X}.", "{X}, with {r}."], "fr": ["{X}.", "{X}, avec {r}."], "de": ["{X}.", "{X}, mit {r}."], "es": ["{X}.", "{X}, con {r}."],
           "zh": ["{X}。", "{X}，{r}。"],
    "ar": ["{X}.", "{X}، {r}."],
}


def value_of(text):
    return float(text.replace(",", "."))


def _sign(a, b):
    return "<" if a < b else ">" if a > b else "="


def compare_line(a, b):
    """Two numbers as written, compared in one line: by sign, by length before the point, then digit by digit, with zeros after the end."""
    if not re.search(r"[.,-]", a + b):
        return compare_steps(int(a), int(b))
    verdict = f" → {a}{_sign(value_of(a), value_of(b))}{b}"
    if (a[0] == "-") != (b[0] == "-"):
        return f"{a} ? {b}: {'-<+' if a[0] == '-' else '+>-'}{verdict}"
    seen = ["- -"] if a[0] == "-" else []
    (whole_a, rest_a), (whole_b, rest_b) = (re.split("[.,]", n.lstrip("-") + ".")[:2] for n in (a, b))
    seen.append(f"len {len(whole_a)}{_sign(len(whole_a), len(whole_b))}{len(whole_b)}")
    if len(whole_a) == len(whole_b):
        width = max(len(rest_a), len(rest_b))
        for x, y in zip(whole_a + rest_a.ljust(width, "0"), whole_b + rest_b.ljust(width, "0")):
            seen.append(f"{x}{_sign(x, y)}{y}")
            if x != y:
                break
    return f"{a} ? {b}: {' '.join(seen)}{verdict}"


def steps_of(numbers, wants_most):
    """The best so far against each of the rest."""
    best, lines = numbers[0], [">" if wants_most else "<"]
    for n in numbers[1:]:
        lines.append(compare_line(best, n))
        if (value_of(n) > value_of(best)) == wants_most:
            best = n
    return lines + [f"= {best}"], best


def _number(rng, language, style, digits):
    whole = rng.randrange(10 ** (digits - 1) if digits > 1 else 1, 10 ** digits)
    if style == "negative":
        return str(-whole if rng.random() < 0.7 else whole)
    if style == "decimal":
        fraction = str(rng.randrange(1, 10 ** rng.randint(1, 2))).rjust(1, "0")
        fraction = ("0" if rng.random() < 0.25 else "") + fraction
        return f"{whole}{',' if language in DECIMAL_COMMA else '.'}{fraction}"
    return str(whole)


def _numbers(rng, language, n, styles=(6, 3, 1), most_digits=5):
    """Different numbers, often of like length and with a common beginning, where comparing is work."""
    style = rng.choices(("whole", "decimal", "negative"), weights=styles)[0]
    digits = rng.randint(1, 2) if style == "decimal" else rng.randint(1, most_digits)
    while True:
        numbers = [_number(rng, language, style, max(1, digits - (rng.random() < 0.25))) for _ in range(n)]
        if style == "whole" and rng.random() < 0.3 and len(numbers[0]) > 1:
            numbers[1] = numbers[0][:-1] + str(rng.randrange(10))
        if style == "decimal" and rng.random() < 0.6:
            numbers[1] = re.match(r"\d+[.,]", numbers[0])[0] + re.split("[.,]", numbers[1])[1]
        if len({value_of(x) for x in numbers}) == n:
            return numbers


def _last_number_check(text):
    if re.fullmatch(r"-?\d+", text):
        return number_check(int(text))
    return regex_check(f"(^|[^0-9.,-]){re.sub('[.,]', '[.,]', text)}[^0-9]*$")


def _winner(rng, language, held_out, n):
    numbers = draw(rng, KIND, held_out, lambda: _numbers(rng, language, n, most_digits=5 if n == 2 else 4))
    wants_most = rng.random() < 0.55
    words = (MORE if wants_most else LESS) if n == 2 else (MOST if wants_most else LEAST)
    word = rng.choice(words[language])
    question = pick(rng, (TWO if n == 2 else THREE)[language], held_out).format(m=word, **dict(zip("abc", numbers)))
    steps, best = steps_of(numbers, wants_most)
    answer = rng.choice(WINNER[language]).format(r=best, m=word)
    return worked(rng, KIND, language, typed(rng, language, question, held_out), steps, answer, [_last_number_check(best)])


def _is_it(rng, language, held_out):
    a, b = draw(rng, KIND, held_out, lambda: _numbers(rng, language, 2))
    more, less = IS_IT_WORDS.get(language) or (rng.choice(MORE[language]), rng.choice(LESS[language]))
    asks_more, is_more = rng.random() < 0.6, value_of(a) > value_of(b)
    question = pick(rng, IS_IT[language], held_out).format(a=a, b=b, m=more if asks_more else less)
    said = (YES if asks_more == is_more else NO)[language]
    answer = rng.choice([BECAUSE[language].format(said, a, more if is_more else less, b), said + ("。" if language == "zh" else ".")])
    steps = [">" if asks_more else "<", compare_line(a, b), f"= {said}"]
    return worked(rng, KIND, language, typed(rng, language, question, held_out),
    steps, answer, [yes_no_check(language, asks_more == is_more)])


def _things(rng, language, held_out):
    first, second = rng.sample(THINGS[language], 2)
    units, more, less, statement = rng.choice(MEASURES[language])
    wants_most, gap = rng.random() < 0.5, "" if language == "zh" else " "
    unit = rng.choice(units)
    numbers = draw(rng, KIND, held_out, lambda: _numbers(rng, language, 2, styles=(3, 1, 0), most_digits=3))
    values = {"x": first, "y": second, "X": first[:1].upper() + first[1:], "Y": second[:1].upper() + second[1:],
              "a": numbers[0] + gap + unit, "b": numbers[1] + gap + unit, "q": more if wants_most else less}
    values["p"] = values["q"].lower()
    question = pick(rng, THING_FRAMES[language], held_out).format(s=statement.format(**values), **values)
    steps, best = steps_of(numbers, wants_most)
    winner = first if best == numbers[0] else second
    steps[-1] += f" {winner}"
    answer = rng.choice(THING_ANSWER[language]).format(X=values["X" if winner == first else "Y"], r=best + gap + unit)
    spellings = "|".join(sorted({winner, values["X" if winner == first else "Y"]}))
    check = regex_check(f"(^|\n)[^\n]{{0,24}}({spellings})")
    return worked(rng, KIND, language, question, steps, answer, [check])


def make(rng, language, held_out):
    turn = rng.random()
    if turn < 0.4:
        return _winner(rng, language, held_out, 2)
    if turn < 0.6:
        return _winner(rng, language, held_out, 3)
    return _is_it(rng, language, held_out) if turn < 0.78 else _things(rng, language, held_out)


def verify(example):
    """Recomputes from the numbers of the question, in the direction that the thought names."""
    question, lines = example.messages[-2]["content"], work_of(example).split("\n")
    numbers = re.findall(r"-?\d+(?:[.,]\d+)?", question)
    result = next(line for line in lines if line[0] == "=")[2:]
    if result in (YES[example.language], NO[example.language]):
        if not shows(example, [lines[0], compare_line(*numbers[:2])]):
            return False
        is_more = value_of(numbers[0]) > value_of(numbers[1])
        return (result == YES[example.language]) == (is_more == (lines[0] == ">"))
    best = (max if lines[0] == ">" else min)(numbers, key=value_of)
    steps, found = steps_of(numbers, lines[0] == ">")
    return result.split(" ")[0] == best == found and shows(example, steps[:-1])
