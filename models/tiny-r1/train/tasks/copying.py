"""Repeating and spelling: strings that were never seen, so that copying beats remembering."""

from tasks import ask, exact_check, is_held_out, pick

KIND = "copying"

REPEAT = {
    "en": ["Repeat: {}", "Copy this exactly: {}", "Say {} again.", "Write {} once more.", "Repeat after me: {}", "Please copy {}", "Echo {}",
           "Type this: {}"],
    "fr": ["Répète : {}", "Copie exactement ceci : {}", "Redis {}.", "Écris encore {}", "Répète après moi : {}", "Recopie {}", "Redonne {}",
           "Tape ceci : {}"],
    "de": ["Wiederhole: {}", "Schreib das genau ab: {}", "Sag noch einmal {}.", "Schreib {} noch einmal", "Sprich mir nach: {}", "Kopiere {}",
           "Gib {} wieder", "Tippe das: {}"],
    "es": ["Repite: {}", "Copia esto exactamente: {}", "Di otra vez {}.", "Escribe de nuevo {}", "Repite conmigo: {}", "Copia {}", "Devuelve {}",
           "Teclea esto: {}"],
    "zh": ["重复：{}", "原样抄写：{}", "再说一遍{}", "请再写一次{}", "跟我念：{}", "抄写{}", "复述{}", "输入：{}"],
    "ar": ["كرر: {}", "انسخ هذا كما هو: {}", "قل {} مرة أخرى", "اكتب {} من جديد", "ردد بعدي: {}", "انسخ {}", "أعد {}", "اكتب هذا: {}"],
}
SPELL = {
    "en": ["Spell {}", "Spell the word {} letter by letter.", "How do you spell {}?", "Letters of {}?"],
    "fr": ["Épelle {}", "Épelle le mot {} lettre par lettre.", "Comment s'épelle {} ?", "Les lettres de {} ?"],
    "de": ["Buchstabiere {}", "Buchstabiere das Wort {}.", "Wie buchstabiert man {}?", "Die Buchstaben von {}?"],
    "es": ["Deletrea {}", "Deletrea la palabra {} letra por letra.", "¿Cómo se deletrea {}?", "¿Las letras de {}?"],
    "zh": ["拼写{}", "逐个字母拼出{}", "{}怎么拼写？", "{}有哪些字母？"],
    "ar": ["تهج {}", "تهج الكلمة {} حرفا حرفا", "كيف تتهجى {}؟", "ما حروف {}؟"],
}
LATIN = "abcdefghijklmnopqrstuvwxyz"
ACCENTED = "éèêàçüöäßñíóáúœ"
CHINESE = "天地人山水火木金土日月年上下左右大小多少好学生老师朋友家门车马牛羊鱼鸟花草书笔东西南北中国城市河海"
ARABIC = "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"


def a_word(rng, script):
    if script == "digits":
        return str(rng.randrange(10 ** rng.randint(1, 7)))
    if script == "zh":
        return "".join(rng.choice(CHINESE) for _ in range(rng.randint(1, 4)))
    if script == "ar":
        return "".join(rng.choice(ARABIC) for _ in range(rng.randint(2, 7)))
    letters = "".join(rng.choice(ACCENTED if rng.random() < 0.07 else LATIN) for _ in range(rng.randint(2, 10)))
    return letters.capitalize() if rng.random() < 0.5 else letters


def words(rng, held_out):
    while True:
        found = [a_word(rng, rng.choice(("digits", "zh", "ar", "latin", "latin"))) for _ in range(rng.randint(1, 3))]
        if is_held_out(KIND, *found) == held_out:
            return found


def make(rng, language, held_out):
    if rng.random() < 0.3:
        word = next(w for w in iter(lambda: a_word(rng, "latin"), None) if is_held_out(KIND, w) == held_out)
        question, answer = pick(rng, SPELL[language], held_out).format(word), "-".join(word)
    else:
        answer = " ".join(words(rng, held_out))
        question = pick(rng, REPEAT[language], held_out).format(answer)
    return ask(KIND, language, question, answer, checks=[exact_check(answer)])


def verify(example):
    question, answer = example.messages[-2]["content"], example.messages[-1]["content"]
    return answer in question or answer.replace("-", "") in question
