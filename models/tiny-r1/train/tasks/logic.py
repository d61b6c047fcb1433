"""Small logic: three names in an order given by two sentences, syllogisms with made-up nouns, and someone who always lies."""

import re

from tasks import data_names, draw, pick
from tasks import data_stories as stories
from tasks.arithmetic import work_of
from tasks.wording import NO, YES, last_line_check, worked, yes_no_check

KIND = "logic"
MADE_UP_SHARE = 0.15

# Relations of three: {a} before {b} in the order; the same from behind; who is first, who last, who between; whether {a} is before {b}.
# [x/y] is x for men, y for women.
RELATIONS = {
    "en": [("{a} is taller than {b}.", "{b} is shorter than {a}.", "Who is the tallest?", "Who is the shortest?", "Who is in the middle?",
           "Is {a} taller than {b}?"),
           ("{a} is older than {b}.", "{b} is younger than {a}.", "Who is the oldest?", "Who is the youngest?", "Who is in the middle?",
           "Is {a} older than {b}?"),
           ("{a} is faster than {b}.", "{b} is slower than {a}.", "Who is the fastest?", "Who is the slowest?", "Who is in the middle?",
           "Is {a} faster than {b}?"),
           ("{a} is stronger than {b}.", "{b} is weaker than {a}.", "Who is the strongest?", "Who is the weakest?",
           "Who is in the middle?", "Is {a} stronger than {b}?"),
           ("{a} finished before {b}.", "{b} finished after {a}.", "Who finished first?", "Who finished last?", "Who finished second?",
           "Did {a} finish before {b}?"),
           ("{a} sits to the left of {b}.", "{b} sits to the right of {a}.", "Who sits on the far left?", "Who sits on the far right?",
           "Who sits in the middle?", "Does {a} sit to the left of {b}?"),
           ("{a} has more books than {b}.", "{b} has fewer books than {a}.", "Who has the most books?", "Who has the fewest books?",
           "Who is in the middle?", "Does {a} have more books than {b}?")],
    "fr": [("{a} est plus [grand/grande] que {b}.", "{b} est plus [petit/petite] que {a}.", "Qui est [le/la] plus [grand/grande] ?",
           "Qui est [le/la] plus [petit/petite] ?", "Qui est au milieu ?", "Est-ce que {a} est plus [grand/grande] que {b} ?"),
           ("{a} est plus [âgé/âgée] que {b}.", "{b} est plus jeune que {a}.", "Qui est [le/la] plus [âgé/âgée] ?",
           "Qui est [le/la] plus jeune ?", "Qui est au milieu ?", "Est-ce que {a} est plus [âgé/âgée] que {b} ?"),
           ("{a} est plus rapide que {b}.", "{b} est plus [lent/lente] que {a}.", "Qui est [le/la] plus rapide ?",
           "Qui est [le/la] plus [lent/lente] ?", "Qui est au milieu ?", "Est-ce que {a} est plus rapide que {b} ?"),
           ("{a} est plus [fort/forte] que {b}.", "{b} est plus faible que {a}.", "Qui est [le/la] plus [fort/forte] ?",
           "Qui est [le/la] plus faible ?", "Qui est au milieu ?", "Est-ce que {a} est plus [fort/forte] que {b} ?"),
           ("{a} arrive avant {b}.", "{b} arrive après {a}.", "Qui arrive en premier ?", "Qui arrive en dernier ?",
           "Qui arrive en deuxième ?", "Est-ce que {a} arrive avant {b} ?"),
           ("{a} est à gauche de {b}.", "{b} est à droite de {a}.", "Qui est tout à gauche ?", "Qui est tout à droite ?",
           "Qui est au milieu ?", "Est-ce que {a} est à gauche de {b} ?"),
           ("{a} a plus de livres que {b}.", "{b} a moins de livres que {a}.", "Qui a le plus de livres ?", "Qui a le moins de livres ?",
           "Qui est au milieu ?", "Est-ce que {a} a plus de livres que {b} ?")],
    "de": [("{a} ist größer als {b}.", "{b} ist kleiner als {a}.", "Wer ist am größten?", "Wer ist am kleinsten?", "Wer ist in der Mitte?",
           "Ist {a} größer als {b}?"),
           ("{a} ist älter als {b}.", "{b} ist jünger als {a}.", "Wer ist am ältesten?", "Wer ist am jüngsten?", "Wer ist in der Mitte?",
           "Ist {a} älter als {b}?"),
           ("{a} ist schneller als {b}.", "{b} ist langsamer als {a}.", "Wer ist am schnellsten?", "Wer ist am langsamsten?",
           "Wer ist in der Mitte?", "Ist {a} schneller als {b}?"),
           ("{a} ist stärker als {b}.", "{b} ist schwächer als {a}.", "Wer ist am stärksten?", "Wer ist am schwächsten?",
           "Wer ist in der Mitte?", "Ist {a} stärker als {b}?"),
           ("{a} kommt vor {b} ins Ziel.", "{b} kommt nach {a} ins Ziel.", "Wer kommt zuerst ins Ziel?", "Wer kommt zuletzt ins Ziel?",
           "Wer wird Zweiter?", "Kommt {a} vor {b} ins Ziel?"),
           ("{a} sitzt links von {b}.", "{b} sitzt rechts von {a}.", "Wer sitzt ganz links?", "Wer sitzt ganz rechts?",
           "Wer sitzt in der Mitte?", "Sitzt {a} links von {b}?"),
           ("{a} hat mehr Bücher als {b}.", "{b} hat weniger Bücher als {a}.", "Wer hat die meisten Bücher?",
           "Wer hat die wenigsten Bücher?", "Wer ist in der Mitte?", "Hat {a} mehr Bücher als {b}?")],
    "es": [("{a} es más [alto/alta] que {b}.", "{b} es más [bajo/baja] que {a}.", "¿Quién es [el/la] más [alto/alta]?",
           "¿Quién es [el/la] más [bajo/baja]?", "¿Quién está en medio?", "¿Es {a} más [alto/alta] que {b}?"),
           ("{a} es mayor que {b}.", "{b} es menor que {a}.", "¿Quién es [el/la] mayor?", "¿Quién es [el/la] menor?",
           "¿Quién está en medio?", "¿Es {a} mayor que {b}?"),
           ("{a} es más [rápido/rápida] que {b}.", "{b} es más [lento/lenta] que {a}.", "¿Quién es [el/la] más [rápido/rápida]?",
           "¿Quién es [el/la] más [lento/lenta]?", "¿Quién está en medio?", "¿Es {a} más [rápido/rápida] que {b}?"),
           ("{a} es más fuerte que {b}.", "{b} es más débil que {a}.", "¿Quién es [el/la] más fuerte?", "¿Quién es [el/la] más débil?",
           "¿Quién está en medio?", "¿Es {a} más fuerte que {b}?"),
           ("{a} llega antes que {b}.", "{b} llega después que {a}.", "¿Quién llega en primer lugar?", "¿Quién llega en último lugar?",
           "¿Quién llega en segundo lugar?", "¿Llega {a} antes que {b}?"),
           ("{a} está a la izquierda de {b}.", "{b} está a la derecha de {a}.", "¿Quién está más a la izquierda?",
           "¿Quién está más a la derecha?", "¿Quién está en medio?", "¿Está {a} a la izquierda de {b}?"),
           ("{a} tiene más libros que {b}.", "{b} tiene menos libros que {a}.", "¿Quién tiene más libros?", "¿Quién tiene menos libros?",
           "¿Quién está en medio?", "¿Tiene {a} más libros que {b}?")],
    "zh": [("{a}比{b}高。", "{b}比{a}矮。", "谁最高？", "谁最矮？", "谁排在中间？", "{a}比{b}高吗？"),
           ("{a}比{b}年纪大。", "{b}比{a}年纪小。", "谁年纪最大？", "谁年纪最小？", "谁排在中间？", "{a}比{b}年纪大吗？"),
           ("{a}比{b}快。", "{b}比{a}慢。", "谁最快？", "谁最慢？", "谁排在中间？", "{a}比{b}快吗？"),
           ("{a}比{b}强。", "{b}比{a}弱。", "谁最强？", "谁最弱？", "谁排在中间？", "{a}比{b}强吗？"),
           ("{a}比{b}先到。", "{b}比{a}后到。", "谁第一个到？", "谁最后一个到？", "谁第二个到？", "{a}比{b}先到吗？"),
           ("{a}坐在{b}的左边。", "{b}坐在{a}的右边。", "谁坐在最左边？", "谁坐在最右边？", "谁坐在中间？", "{a}坐在{b}的左边吗？"),
           ("{a}的书比{b}多。", "{b}的书比{a}少。", "谁的书最多？", "谁的书最少？", "谁排在中间？", "{a}的书比{b}多吗？")],
    "ar": [("{a} أطول من {b}.", "{b} أقصر من {a}.", "من الأطول؟", "من الأقصر؟", "من في الوسط؟", "هل {a} أطول من {b}؟"),
           ("{a} أكبر سنا من {b}.", "{b} أصغر سنا من {a}.", "من الأكبر سنا؟", "من الأصغر سنا؟", "من في الوسط؟", "هل {a} أكبر سنا من {b}؟"),
           ("{a} أسرع من {b}.", "{b} أبطأ من {a}.", "من الأسرع؟", "من الأبطأ؟", "من في الوسط؟", "هل {a} أسرع من {b}؟"),
           ("{a} أقوى من {b}.", "{b} أضعف من {a}.", "من الأقوى؟", "من الأضعف؟", "من في الوسط؟", "هل {a} أقوى من {b}؟"),
           ("وصل[/ت] {a} قبل {b}.", "وصل[/ت] {b} بعد {a}.", "من وصل أولا؟", "من وصل أخيرا؟", "من وصل ثانيا؟", "هل وصل[/ت] {a} قبل {b}؟"),
           ("[يجلس/تجلس] {a} على يسار {b}.", "[يجلس/تجلس] {b} على يمين {a}.", "من في أقصى اليسار؟", "من في أقصى اليمين؟", "من في الوسط؟",
           "هل [يجلس/تجلس] {a} على يسار {b}؟"),
           ("عند {a} كتب أكثر من {b}.", "عند {b} كتب أقل من {a}.", "من عنده أكثر الكتب؟", "من عنده أقل الكتب؟", "من في الوسط؟",
           "هل عند {a} كتب أكثر من {b}؟")],
}

# {p}: the sentences given; {q}: the question; {q0}: the same with a small first letter. For every kind of puzzle.
FRAMES = {
    "en": ["{p} {q}", "Assume this: {p} {q}", "Given: {p} {q}", "{p} So, {q0}", "We know this: {p} {q}", "{q} {p}", "A riddle: {p} {q}",
           "Here are the facts. {p} {q}", "{p} Tell me: {q0}", "Think. {p} {q}", "{p} Now answer: {q0}", "Solve this. {p} {q}",
           "Suppose the following. {p} {q}", "{p} What follows? {q}", "Please answer. {p} {q}", "Someone told me: {p} {q}"],
    "fr": ["{p} {q}", "Si l'on sait ceci : {p} {q}", "On donne : {p} {q}", "{p} Alors, {q0}", "Nous savons ceci : {p} {q}", "{q} {p}",
           "Une devinette : {p} {q}", "Voici les faits. {p} {q}", "{p} Dis-moi : {q0}", "Réfléchis. {p} {q}",
           "{p} Maintenant, réponds : {q0}", "Résous ceci. {p} {q}",
           "Supposons ce qui suit. {p} {q}", "{p} Qu'en déduis-tu ? {q}", "Réponds, s'il te plaît. {p} {q}", "On m'a dit : {p} {q}"],
    "de": ["{p} {q}", "Wenn gilt: {p} {q}", "Gegeben: {p} {q}", "{p} Also: {q}", "Wir wissen Folgendes: {p} {q}", "{q} {p}",
           "Ein Rätsel: {p} {q}", "Hier sind die Fakten. {p} {q}", "{p} Sag mir: {q}", "Denk nach. {p} {q}", "{p} Nun antworte: {q}",
           "Löse das. {p} {q}",
           "Nehmen wir Folgendes an. {p} {q}", "{p} Was folgt daraus? {q}", "Bitte antworte. {p} {q}", "Jemand sagte mir: {p} {q}"],
    "es": ["{p} {q}", "Si sabemos esto: {p} {q}", "Datos: {p} {q}", "{p} Entonces, {q0}", "Sabemos lo siguiente: {p} {q}", "{q} {p}",
           "Un acertijo: {p} {q}", "Estos son los hechos. {p} {q}", "{p} Dime: {q0}", "Piensa. {p} {q}", "{p} Ahora responde: {q0}",
           "Resuelve esto. {p} {q}",
           "Supongamos lo siguiente. {p} {q}", "{p} ¿Qué se deduce? {q}", "Responde, por favor. {p} {q}", "Alguien me dijo: {p} {q}"],
    "zh": ["{p}{q}", "若已知：{p}{q}", "已知：{p}{q}", "{p}那么{q}", "我们知道：{p}{q}", "{q}{p}", "猜一猜：{p}{q}", "事实如下。{p}{q}", "{p}请问{q}", "想一想。{p}{q}",
           "{p}请回答：{q}", "解答：{p}{q}", "假设如下。{p}{q}", "{p}由此可知什么？{q}", "请回答。{p}{q}", "有人告诉我：{p}{q}"],
    "ar": ["{p} {q}", "إذا علمنا أن: {p} {q}", "المعطيات: {p} {q}", "{p} إذن {q}", "نعرف ما يلي: {p} {q}", "{q} {p}", "لغز: {p} {q}",
           "هذه هي الحقائق. {p} {q}", "{p} قل لي: {q}", "فكر. {p} {q}", "{p} أجب الآن: {q}", "حل هذا. {p} {q}",
           "لنفترض ما يلي. {p} {q}", "{p} ماذا نستنتج؟ {q}", "من فضلك أجب. {p} {q}", "قال لي أحدهم: {p} {q}"],
}

# The same where {j} joins the sentences about three names.
JOINED = {
    "en": ["{j}. {q}", "If {j}, {q0}", "{q} {j}.", "Given that {j}, {q0}"],
    "fr": ["{j}. {q}", "Si {j}, {q0}", "{q} {j}.", "Sachant que {j}, {q0}"],
    "de": ["{j}. {q}", "{q} {j}.", "Angenommen, {j}. {q}", "Es gilt: {j}. {q}"],
    "es": ["{j}. {q}", "Si {j}, {q0}", "{q} {j}.", "Sabiendo que {j}, {q0}"],
    "zh": ["{j}。{q}", "如果{j}，{q}", "{q}{j}。", "已知{j}，{q}"],
    "ar": ["{j}. {q}", "{q} {j}.", "نعلم: {j}. {q}", "إليك هذا: {j}. {q}"],
}
AND = {"en": [" and ", ", and ", ", "], "fr": [" et ", ", et "], "de": [" und ", ", und "], "es": [" y "], "zh": ["，", "，而"], "ar": [" و"]}

# Which of two, in the order of RELATIONS; whoever is first is the answer.
WHICH = {
    "en": ["Who is taller, {a} or {b}?", "Who is older, {a} or {b}?", "Who is faster, {a} or {b}?", "Who is stronger, {a} or {b}?",
           "Who finished earlier, {a} or {b}?", "Who sits further to the left, {a} or {b}?", "Who has more books, {a} or {b}?"],
    "fr": ["Qui est plus [grand/grande], {a} ou {b} ?", "Qui est plus [âgé/âgée], {a} ou {b} ?", "Qui est plus rapide, {a} ou {b} ?",
           "Qui est plus [fort/forte], {a} ou {b} ?", "Qui arrive plus tôt, {a} ou {b} ?", "Qui est plus à gauche, {a} ou {b} ?",
           "Qui a plus de livres, {a} ou {b} ?"],
    "de": ["Wer ist größer, {a} oder {b}?", "Wer ist älter, {a} oder {b}?", "Wer ist schneller, {a} oder {b}?",
           "Wer ist stärker, {a} oder {b}?",
           "Wer kommt früher ins Ziel, {a} oder {b}?", "Wer sitzt weiter links, {a} oder {b}?", "Wer hat mehr Bücher, {a} oder {b}?"],
    "es": ["¿Quién es más [alto/alta], {a} o {b}?", "¿Quién es mayor, {a} o {b}?", "¿Quién es más [rápido/rápida], {a} o {b}?",
           "¿Quién es más fuerte, {a} o {b}?", "¿Quién llega antes, {a} o {b}?", "¿Quién está más a la izquierda, {a} o {b}?",
           "¿Quién tiene más libros, {a} o {b}?"],
    "zh": ["{a}和{b}谁更高？", "{a}和{b}谁年纪更大？", "{a}和{b}谁更快？", "{a}和{b}谁更强？", "{a}和{b}谁先到？", "{a}和{b}谁更靠左？", "{a}和{b}谁的书更多？"],
    "ar": ["من أطول، {a} أم {b}؟", "من أكبر سنا، {a} أم {b}؟", "من أسرع، {a} أم {b}؟", "من أقوى، {a} أم {b}؟", "من وصل قبل، {a} أم {b}؟",
           "من إلى اليسار أكثر، {a} أم {b}؟", "من عنده كتب أكثر، {a} أم {b}؟"],
}

# Made-up nouns x and y: all x are y; no x is y; {n} is an x; is {n} an x; are all x y; is any x a y.
SYLLOGISM = {
    "en": {"all": "All {x}s are {y}s.", "none": "No {x} is a {y}.", "is": "{n} is a {x}.", "is?": "Is {n} a {x}?",
    "all?": "Are all {x}s {y}s?", "any?": "Is any {x} a {y}?"},
    "fr": {"all": "Tous les {x}s sont des {y}s.", "none": "Aucun {x} n'est un {y}.", "is": "{n} est un {x}.",
    "is?": "Est-ce que {n} est un {x} ?",
    "all?": "Tous les {x}s sont-ils des {y}s ?", "any?": "Y a-t-il un {x} qui est un {y} ?"},
    "de": {"all": "Alle {x}s sind {y}s.", "none": "Kein {x} ist ein {y}.", "is": "{n} ist ein {x}.", "is?": "Ist {n} ein {x}?",
    "all?": "Sind alle {x}s auch {y}s?", "any?": "Gibt es einen {x}, der ein {y} ist?"},
    "es": {"all": "Todos los {x}s son {y}s.", "none": "Ningún {x} es un {y}.", "is": "{n} es un {x}.", "is?": "¿Es {n} un {x}?",
    "all?": "¿Son todos los {x}s {y}s?", "any?": "¿Hay algún {x} que sea un {y}?"},
    "zh": {"all": "所有的{x}都是{y}。", "none": "没有一个{x}是{y}。", "is": "{n}是{x}。", "is?": "{n}是{x}吗？", "all?": "所有的{x}都是{y}吗？",
    "any?": "有{x}是{y}吗？"},
    "ar": {"all": "كل {x} هو {y}.", "none": "لا يوجد {x} هو {y}.", "is": "{n} هو {x}.", "is?": "هل {n} هو {x}؟",
    "all?": "هل كل {x} هو {y}؟", "any?": "هل يوجد {x} هو {y}؟"},
}
CHINESE_NOUNS = "布米 卡多 拉比 莫斯 尼可 帕卡 罗达 塔米 维诺 佐拉 比多 加洛 米卡 索比 多塔 洛米 卡布 达诺".split()
CONSONANTS, VOWELS = "bdfgklmnprtvz", "aeiou"
ARABIC_CONSONANTS = "بتدرزسشفكلمن"

# Someone lies or tells the truth: {n} always lies; {n} always tells the truth; {n} says {s}.
LIES = {"en": "{n} always lies.", "fr": "{n} ment toujours.", "de": "{n} lügt immer.", "es": "{n} miente siempre.", "zh": "{n}总是说谎。",
"ar": "[يكذب/تكذب] {n} دائما."}
TRUTH = {"en": "{n} always tells the truth.", "fr": "{n} dit toujours la vérité.", "de": "{n} sagt immer die Wahrheit.",
"es": "{n} siempre dice la verdad.", "zh": "{n}总是说真话。", "ar": "[يقول/تقول] {n} الصدق دائما."}
SAYS = {"en": "{n} says that {s}.", "fr": "{n} dit que {s}.", "de": "{n} sagt: {s}.", "es": "{n} dice que {s}.", "zh": "{n}说{s}。",
"ar": "[يقول/تقول] {n} إن {s}."}

# A fact; its opposite; the question.
FACTS = {
    "en": [("the door is open", "the door is not open", "Is the door open?"), ("it is raining", "it is not raining", "Is it raining?"),
           ("the box is empty", "the box is not empty", "Is the box empty?"),
           ("the ball is red", "the ball is not red", "Is the ball red?"), ("the cat is asleep", "the cat is not asleep",
           "Is the cat asleep?"), ("the soup is hot", "the soup is not hot", "Is the soup hot?"), ("the shop is closed",
           "the shop is not closed", "Is the shop closed?")],
    "fr": [("la porte est ouverte", "la porte n'est pas ouverte", "La porte est-elle ouverte ?"), ("le temps est beau",
           "le temps n'est pas beau", "Le temps est-il beau ?"), ("la boîte est vide", "la boîte n'est pas vide",
           "La boîte est-elle vide ?"),
           ("la balle est rouge", "la balle n'est pas rouge", "La balle est-elle rouge ?"), ("le chat dort", "le chat ne dort pas",
           "Le chat dort-il ?"), ("la soupe est chaude", "la soupe n'est pas chaude", "La soupe est-elle chaude ?"),
           ("la boutique est fermée", "la boutique n'est pas fermée", "La boutique est-elle fermée ?")],
    "de": [("Die Tür ist offen", "Die Tür ist nicht offen", "Ist die Tür offen?"), ("Es regnet", "Es regnet nicht", "Regnet es?"),
           ("Die Kiste ist leer", "Die Kiste ist nicht leer", "Ist die Kiste leer?"),
           ("Der Ball ist rot", "Der Ball ist nicht rot", "Ist der Ball rot?"), ("Die Katze schläft", "Die Katze schläft nicht",
           "Schläft die Katze?"), ("Die Suppe ist heiß", "Die Suppe ist nicht heiß", "Ist die Suppe heiß?"), ("Der Laden ist zu",
           "Der Laden ist nicht zu", "Ist der Laden zu?")],
    "es": [("la puerta está abierta", "la puerta no está abierta", "¿Está abierta la puerta?"), ("llueve", "no llueve", "¿Llueve?"),
           ("la caja está vacía", "la caja no está vacía", "¿Está vacía la caja?"),
           ("la pelota es roja", "la pelota no es roja", "¿Es roja la pelota?"), ("el gato duerme", "el gato no duerme",
           "¿Duerme el gato?"), ("la sopa está caliente", "la sopa no está caliente", "¿Está caliente la sopa?"),
           ("la tienda está cerrada", "la tienda no está cerrada", "¿Está cerrada la tienda?")],
    "zh": [("门是开的", "门不是开的", "门是开的吗？"), ("天是晴的", "天不是晴的", "天是晴的吗？"), ("盒子是空的", "盒子不是空的", "盒子是空的吗？"), ("球是红的", "球不是红的", "球是红的吗？"), ("猫是醒的",
           "猫不是醒的", "猫是醒的吗？"), ("汤是热的", "汤不是热的", "汤是热的吗？"), ("灯是亮的", "灯不是亮的", "灯是亮的吗？")],
    "ar": [("الباب مفتوح", "الباب ليس مفتوحا", "هل الباب مفتوح؟"), ("الجو ممطر", "الجو ليس ممطرا", "هل الجو ممطر؟"), ("الصندوق فارغ",
           "الصندوق ليس فارغا", "هل الصندوق فارغ؟"), ("القلم أحمر", "القلم ليس أحمر", "هل القلم أحمر؟"), ("القط نائم", "القط ليس نائما",
           "هل القط نائم؟"),
           ("الحساء ساخن", "الحساء ليس ساخنا", "هل الحساء ساخن؟"), ("المتجر مغلق", "المتجر ليس مغلقا", "هل المتجر مغلق؟")],
}

WHO = {
    "en": ["{r}", "It is {r}.", "The answer is {r}."], "fr": ["{r}", "C'est {r}.", "La réponse est {r}."], "de": ["{r}", "Es ist {r}.",
           "Die Antwort ist {r}."],
    "es": ["{r}", "Es {r}.", "La respuesta es {r}."], "zh": ["{r}", "是{r}。", "答案是{r}。"], "ar": ["{r}", "[هو/هي] {r}.", "الجواب هو {r}."],
}
YES_ANSWERS = {"en": ["Yes.", "Yes, that follows."], "fr": ["Oui.", "Oui, c'est exact."], "de": ["Ja.", "Ja, das stimmt."], "es": ["Sí.",
"Sí, así es."],
               "zh": ["是的。", "是的，没错。"], "ar": ["نعم.", "نعم، هذا صحيح."]}
NO_ANSWERS = {"en": ["No.", "No, that is not so."], "fr": ["Non.", "Non, ce n'est pas le cas."], "de": ["Nein.",
"Nein, das stimmt nicht."], "es": ["No.", "No, no es así."],
              "zh": ["不是。", "不是，不对。"], "ar": ["لا.", "لا، هذا غير صحيح."]}


def _gendered(text, is_woman):
    return re.sub(r"\[([^/\]]*)/([^\]]*)\]", lambda m: m[2 if is_woman else 1], text)


def _names(rng, language, n, is_woman):
    """Different names, none within another."""
    while True:
        names = [data_names.made_up_person(rng, language) if rng.random() < MADE_UP_SHARE
                 else rng.choice((stories.WOMEN if is_woman else stories.MEN)[language]) for _ in range(n)]
        if not any(a != b and a in b for a in names for b in names) and len(set(names)) == n:
            return names


def _noun(rng, language):
    if language == "zh":
        return rng.choice(CHINESE_NOUNS)
    if language == "ar":
        return rng.choice(ARABIC_CONSONANTS) + rng.choice("اوي") + rng.choice(ARABIC_CONSONANTS) + rng.choice(("وب", "ان", "ير"))
    middle = rng.choice(CONSONANTS) + rng.choice(VOWELS) + rng.choice(CONSONANTS)
    end = "o" if language == "es" else rng.choice(("", rng.choice(VOWELS) + rng.choice("bkpt")))
    noun = rng.choice(CONSONANTS) + rng.choice(VOWELS) + middle + end if rng.random() < 0.5 else middle + end
    noun = noun[:-1] + "k" if noun[-1] in "zn" else noun
    return noun.capitalize() if language == "de" else noun


def _worded(rng, language, held_out, premises, question, is_woman, may_join=False):
    gap, first = "" if language == "zh" else " ", int(question[0] == "¿")
    lowered = question[:first] + question[first].lower() + question[first + 1:]
    if may_join and rng.random() < 0.4:
        joined = rng.choice(AND[language]).join(p.rstrip(".。") for p in premises)
        return _gendered(pick(rng, JOINED[language], held_out).format(j=joined, q=question, q0=lowered), is_woman)
    frame = pick(rng, FRAMES[language], held_out)
    return _gendered(frame.format(p=gap.join(premises), q=question, q0=lowered), is_woman)


def _order(rng, language, held_out):
    """Two sentences about three names, in either order and either direction."""
    is_woman = rng.random() < 0.5
    first, middle, last = draw(rng, KIND, held_out, lambda: _names(rng, language, 3, is_woman))
    relation = rng.randrange(len(RELATIONS[language]))
    before, after, *questions, is_it = RELATIONS[language][relation]
    pairs = [(first, middle), (middle, last)]
    rng.shuffle(pairs)
    premises = [rng.choice((before, before, after)).format(a=a, b=b) for a, b in pairs]
    steps = [" ".join(f"{a}>{b}" for a, b in pairs), f"{first}>{middle}>{last}"]
    if rng.random() < 0.15:
        a, b = rng.choice(((first, last), (last, first)))
        return _yes_no(rng, language, held_out, premises, is_it.format(a=a, b=b), steps, a == first, is_woman, may_join=True)
    place = rng.randrange(3)
    result, asked = (first, last, middle)[place], questions[place]
    if rng.random() < 0.12:
        result, (a, b) = first, rng.choice(((first, last), (last, first)))
        asked = WHICH[language][relation].format(a=a, b=b)
    question = _worded(rng, language, held_out, premises, asked, is_woman, may_join=True)
    answer = _gendered(rng.choice(WHO[language]).format(r=result), is_woman)
    return worked(rng, KIND, language, question, [*steps, f"= {result}"], answer, [last_line_check(result)])


def _yes_no(rng, language, held_out, premises, question, steps, is_yes, is_woman=False, may_join=False):
    text = _worded(rng, language, held_out, premises, question, is_woman, may_join)
    answer = rng.choice((YES_ANSWERS if is_yes else NO_ANSWERS)[language])
    steps = [*steps, f"= {(YES if is_yes else NO)[language]}"]
    return worked(rng, KIND, language, text, steps, answer, [yes_no_check(language, is_yes)])


def _syllogism(rng, language, held_out):
    """A chain of two or three: an arrow for each sentence, an exclamation mark where it denies."""
    nouns = draw(rng, KIND, held_out, lambda: [_noun(rng, language) for _ in range(3)])
    while len(set(nouns)) < 3 or any(a != b and a in b for a in nouns for b in nouns):
        nouns = draw(rng, KIND, held_out, lambda: [_noun(rng, language) for _ in range(3)])
    x, y, z = nouns
    words, denies = SYLLOGISM[language], rng.random() < 0.45
    last_rule, mark = ("none", "!") if denies else ("all", "")
    shape = rng.choice(("is", "is", "is is", "all"))
    if shape == "all":
        premises = [words["all"].format(x=x, y=y), words[last_rule].format(x=y, y=z)]
        question = words["any?" if denies else "all?"].format(x=x, y=z)
        chain = [x, y, mark + z]
    else:
        name, = _names(rng, language, 1, False)
        premises = [words["is"].format(n=name, x=x)]
        premises += [words[last_rule].format(x=x, y=y)] if shape == "is" else [words["all"].format(x=x, y=y),
                     words[last_rule].format(x=y, y=z)]
        question = words["is?"].format(n=name, x=y if shape == "is" else z)
        chain = [name, x, mark + y] if shape == "is" else [name, x, y, mark + z]
    links = [f"{a}→{b}" for a, b in zip(chain, chain[1:])]
    order = list(range(len(links)))
    if rng.random() < 0.5:
        order.reverse()
    steps = [" ".join(links[i] for i in order), "→".join(chain)]
    return _yes_no(rng, language, held_out, [premises[i] for i in order], question, steps, not denies)


def _liar(rng, language, held_out):
    """What somebody says is so, or is not, as they tell the truth or lie. A second speaker says the contrary."""
    is_woman = rng.random() < 0.5
    first, second = draw(rng, KIND, held_out, lambda: _names(rng, language, 2, is_woman))
    fact, opposite, question = rng.choice(FACTS[language])
    lies, says_so = rng.random() < 0.5, rng.random() < 0.55
    premises = [(LIES if lies else TRUTH)[language].format(n=first), SAYS[language].format(n=first, s=fact if says_so else opposite)]
    steps = [f"{first}: {'!' if lies else ''}{'+' if says_so else '-'}"]
    if rng.random() < 0.35:
        premises.append(SAYS[language].format(n=second, s=opposite if says_so else fact))
        premises[1:] = rng.sample(premises[1:], 2)
    is_so = lies != says_so
    return _yes_no(rng, language, held_out, premises, question, steps + ["+" if is_so else "-"], is_so, is_woman)


def make(rng, language, held_out):
    turn = rng.random()
    if turn < 0.8:
        return _order(rng, language, held_out)
    return _syllogism(rng, language, held_out) if turn < 0.92 else _liar(rng, language, held_out)


def verify(example):
    """Reads the thought as links, follows them again, and looks for its names in the question."""
    question, lines = example.messages[-2]["content"], work_of(example).split("\n")
    result = next(line for line in lines if line.startswith("= "))[2:]
    yes, no = YES[example.language], NO[example.language]
    if ": " in lines[0]:
        name, said = lines[0].split(": ")
        is_so = (said[0] == "!") != (said[-1] == "+")
        return name in question and result == (yes if is_so else no)
    mark = ">" if ">" in lines[0] else "→"
    links = dict(link.split(mark) for link in re.split(r" (?=\S)", lines[0]))
    start = (set(links) - set(links.values())).pop()
    chain = [start]
    while chain[-1] in links:
        chain.append(links[chain[-1]])
    if mark.join(chain) != lines[1] or not all(n.lstrip("!") in question for n in chain):
        return False
    return result in (yes, no) or result in chain
