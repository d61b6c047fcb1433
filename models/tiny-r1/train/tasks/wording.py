"""How questions of the calculating and ordering kinds are worded: frames around an expression, terse and polite turns, and the two forms
of a worked reply. Part of every list is for evaluation (tasks.pick)."""

from tasks import ask, pick, regex_check

WORKED_IN_ANSWER = 0.15  # share of replies that show the steps in the answer instead of a thought

# {x} is the expression in words or signs.
FRAMES = {
    "en": ["What is {x}?", "{x}?", "Calculate {x}.", "How much is {x}?", "Compute {x}.", "Work out {x}.", "Can you tell me what {x} is?",
           "Please calculate {x}.", "What do you get for {x}?", "Tell me the result of {x}.", "What's {x}?", "What does {x} equal?",
           "Find {x}.", "Could you work out {x} for me?", "I need the value of {x}.", "What does {x} come to?"],
    "fr": ["Combien fait {x} ?", "{x} ?", "Calcule {x}.", "Quel est le résultat de l'opération : {x} ?", "Que vaut {x} ?",
           "Combien vaut {x} ?",
           "Peux-tu calculer {x} ?", "Calculez {x}, s'il vous plaît.", "Dis-moi combien fait {x}.", "Ça fait combien, {x} ?",
           "C'est combien, {x} ?", "Donne le résultat : {x}.", "Pourrais-tu me calculer {x} ?", "Trouve {x}.",
           "J'ai besoin de savoir combien fait {x}.",
           "À combien est égal le calcul suivant : {x} ?"],
    "de": ["Was ist {x}?", "{x}?", "Berechne {x}.", "Wie viel ist {x}?", "Was ergibt {x}?", "Rechne aus: {x}.", "Kannst du {x} ausrechnen?",
           "Bitte berechne {x}.", "Wie viel ergibt {x}?", "Sag mir, was {x} ergibt.", "Berechnen Sie {x}.",
           "Was kommt bei dieser Rechnung heraus: {x}?",
           "Ich möchte wissen, wie viel {x} ist.", "Wie groß ist {x}?", "Könntest du mir {x} ausrechnen?", "Gib mir das Ergebnis: {x}."],
    "es": ["¿Cuánto es {x}?", "¿{x}?", "Calcula {x}.", "¿Cuál es el resultado de esta operación: {x}?", "¿Cuánto da {x}?",
           "¿Qué resulta de {x}?",
           "¿Puedes calcular {x}?", "Por favor, calcula {x}.", "Dime cuánto es {x}.", "¿A cuánto equivale {x}?", "Calcule {x}, por favor.",
           "Di el resultado: {x}.", "¿Me podrías calcular {x}?", "Necesito saber cuánto es {x}.", "Halla {x}.", "¿Cuánto vale {x}?"],
    "zh": ["{x}等于多少？", "{x}是多少？", "计算{x}。", "请计算{x}。", "{x}等于几？", "算一下{x}。", "请问{x}等于多少？", "你能算出{x}吗？", "{x}的结果是什么？", "告诉我{x}是多少。",
           "帮我算{x}。", "求{x}。", "麻烦你算一算{x}。", "{x}得多少？", "我想知道{x}是多少。", "{x}的得数是多少？"],
    "ar": ["كم يساوي {x}؟", "ما ناتج {x}؟", "احسب {x}.", "ما هو {x}؟", "كم {x}؟", "ما نتيجة {x}؟", "هل يمكنك حساب {x}؟",
           "من فضلك احسب {x}.",
           "أخبرني كم يساوي {x}.", "ما قيمة {x}؟", "أعطني ناتج {x}.", "كم يكون {x}؟",
           "أريد أن أعرف كم يساوي {x}.", "أوجد {x}.", "هل تستطيع أن تحسب لي {x}؟", "كم هو {x}؟"],
}

# {s} is the expression in signs: no word tells the language, so the answer has none either.
BARE = ["{s}?", "{s}", "{s} =", "{s} = ?", "{s}=?", "{s}=", "= {s}?", "{s} ?"]

# Appended, these ask for the result and nothing else.
ONLY = {
    "en": ["Only the number, please.", "Answer with the number only.", "Just give the result.", "Reply with just the number."],
    "fr": ["Seulement le nombre, s'il te plaît.", "Réponds uniquement par le nombre.", "Donne juste le résultat.", "Rien que le nombre."],
    "de": ["Nur die Zahl, bitte.", "Antworte nur mit der Zahl.", "Gib nur das Ergebnis an.", "Nenne nur die Zahl."],
    "es": ["Solo el número, por favor.", "Responde solo con el número.", "Da solo el resultado.", "Únicamente el número."],
    "zh": ["只回答数字。", "请只给出数字。", "只要结果。", "只写数字。"],
    "ar": ["الرقم فقط من فضلك.", "أجب بالرقم فقط.", "أعط النتيجة فقط.", "اكتب الرقم وحده."],
}

RESULT = {
    "en": ["The result is {r}.", "{s} = {r}", "The answer is {r}.", "That makes {r}."],
    "fr": ["Le résultat est {r}.", "{s} = {r}", "La réponse est {r}.", "Cela fait {r}."],
    "de": ["Das Ergebnis ist {r}.", "{s} = {r}", "Die Antwort ist {r}.", "Das ergibt {r}."],
    "es": ["El resultado es {r}.", "{s} = {r}", "La respuesta es {r}.", "Eso da {r}."],
    "zh": ["结果是{r}。", "{s} = {r}", "答案是{r}。", "等于{r}。"],
    "ar": ["النتيجة هي {r}.", "{s} = {r}", "الجواب هو {r}.", "الناتج {r}."],
}

BEFORE = {
    "en": ["Hi! ", "Hello, ", "Quick question: ", "Help me: "],
    "fr": ["Salut ! ", "Bonjour, ", "Petite question : ", "Aide-moi : "],
    "de": ["Hallo! ", "Guten Tag, ", "Kurze Frage: ", "Hilf mir: "],
    "es": ["¡Hola! ", "Buenos días, ", "Una pregunta: ", "Ayúdame: "],
    "zh": ["你好！", "您好，", "问一下：", "帮帮我："],
    "ar": ["مرحبا! ", "السلام عليكم، ", "سؤال سريع: ", "ساعدني: "],
}

YES = {"en": "Yes", "fr": "Oui", "de": "Ja", "es": "Sí", "zh": "是的", "ar": "نعم"}
NO = {"en": "No", "fr": "Non", "de": "Nein", "es": "No", "zh": "不是", "ar": "لا"}
CHINESE_YES, CHINESE_NO = "(是|对|有|会)", "(不|没)"


def yes_no_check(language, is_yes):
    """The last line begins with the right word."""
    said = (CHINESE_YES if is_yes else CHINESE_NO) if language == "zh" else (YES if is_yes else NO)[language]
    return regex_check(f"(^|\n){said}[^\n]*$")


def last_line_check(*spellings):
    """One of the spellings stands in the last line."""
    return regex_check(f"(^|\n)[^\n]*({'|'.join(sorted(set(spellings)))})[^\n]*$")


def sentence(text):
    """With a capital at the start, where the script has them."""
    first = next((i for i, c in enumerate(text) if c not in "¿¡ "), 0)
    return text[:first] + text[first:first + 1].upper() + text[first + 1:]


def typed(rng, language, text, held_out, lower=True):
    """The question as people type it: sometimes after a greeting, with a small first letter or without its last mark."""
    text, turn = sentence(text), rng.random()
    if turn < 0.08:
        return pick(rng, BEFORE[language], held_out) + text
    if turn < 0.18:
        text = text.rstrip("?.？。؟ ").lstrip("¿")
    if lower and 0.14 < turn < 0.24:
        text = text[:1].lower() + text[1:]
    return text


def worked(rng, kind, language, question, steps, answer, checks, only=False):
    """A reply that thinks the steps, or shows them in the answer where more than the result is welcome."""
    if rng.random() < WORKED_IN_ANSWER and not only:
        return ask(kind, language, question, "\n".join([*steps, answer]), checks=checks)
    return ask(kind, language, question, answer, "\n".join(steps), checks=checks)


def signs(rng, values, operators):
    """The expression in signs, with or without spaces."""
    return rng.choice(["{0}", " {0} "]).format(rng.choice(operators)).join(map(str, values))


def calculation(rng, language, held_out, values, operators, expressions, own):
    """A question about one operation: (question, whether only the result is wanted, whether it has words).
    `expressions` are noun phrases and word forms for FRAMES, `own` whole questions of the operation; both have {0}, {1}, ..."""
    turn, written = rng.random(), signs(rng, values, operators)
    if turn < 0.12:
        return pick(rng, BARE, held_out).format(s=written), False, False
    if turn < 0.45:
        text = pick(rng, own, held_out).format(*values)
    else:
        inner = written if rng.random() < 0.6 else rng.choice(expressions).format(*values)
        text = pick(rng, FRAMES[language], held_out).format(x=inner)
    text = typed(rng, language, text, held_out)
    if rng.random() < 0.1:
        gap = "" if language == "zh" else " "
        stop = "" if text[-1] in "?.？。؟" else "。" if language == "zh" else "."
        return text + stop + gap + pick(rng, ONLY[language], held_out), True, True
    return text, False, True


def result_sentence(rng, language, written, result, only, has_words):
    if only:
        return str(result)
    if not has_words:
        return f"{written} = {result}"
    return rng.choice(RESULT[language]).format(s=written, r=result)
