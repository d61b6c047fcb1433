"""Weekdays and months before and after, days between two dates of a month, lengths of months, leap years."""

import calendar
import re

from tasks import draw, number_check, pick
from tasks.arithmetic import numbers_in, shows, subtract_steps, work_of
from tasks.wording import last_line_check, typed, worked, yes_no_check

KIND = "dates"
MOST_DAYS = 30

WEEKDAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche".split(),
    "de": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag".split(),
    "es": "lunes martes miércoles jueves viernes sábado domingo".split(),
    "zh": "星期一 星期二 星期三 星期四 星期五 星期六 星期日".split(), "ar": "الاثنين الثلاثاء الأربعاء الخميس الجمعة السبت الأحد".split(),
}
SHORT_CHINESE = "周一 周二 周三 周四 周五 周六 周日".split()
MONTHS = {
    "en": "January February March April May June July August September October November December".split(),
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(),
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split(),
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split(),
    "zh": [f"{n}月" for n in range(1, 13)],
    "ar": "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر".split(),
}
CHINESE_MONTHS = "一月 二月 三月 四月 五月 六月 七月 八月 九月 十月 十一月 十二月".split()
LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

# A number of days or months as it stands after "in": one, two, and more; Arabic has a form for 3 to 10 and one above.
DAYS = {"en": ("1 day", "{} days"), "fr": ("1 jour", "{} jours"), "de": ("1 Tag", "{} Tagen"), "es": ("1 día", "{} días"), "zh": ("1天",
"{}天"),
        "ar": ("يوم واحد", "يومين", "{} أيام", "{} يوما")}
WEEKS = {"en": {7: "a week", 14: "two weeks"}, "fr": {7: "une semaine", 14: "deux semaines"}, "de": {7: "einer Woche", 14: "zwei Wochen"},
         "es": {7: "una semana", 14: "dos semanas"}, "zh": {7: "一周", 14: "两周"}, "ar": {7: "أسبوع", 14: "أسبوعين"}}
MONTHS_SPAN = {"en": ("1 month", "{} months"), "fr": ("1 mois", "{} mois"), "de": ("1 Monat", "{} Monaten"), "es": ("1 mes", "{} meses"),
               "zh": ("1个月", "{}个月"), "ar": ("شهر واحد", "شهرين", "{} أشهر", "{} شهرا")}

# {d}: the weekday or month it is; {n}: the days or months that pass.
DAY_AFTER = {
    "en": ["Today is {d}. What day is it in {n}?", "If today is {d}, what day of the week will it be in {n}?",
           "It is {d}. Which weekday is it {n} from now?", "today is {d}, what day is in {n}?", "What day is {n} after {d}?",
           "{d} plus {n} is which day?",
           "Which day of the week comes {n} after {d}?", "Today is {d}. Tell me the weekday in {n}.",
           "We have {d} today. What weekday is in {n}?", "If it is {d} now, which day is it after {n}?",
           "Starting on {d}, what day is it {n} later?", "Name the weekday {n} after {d}.",
           "Suppose today is {d}. {n} later, what day is it?", "What weekday will it be in {n} if today is {d}?",
           "My trip begins on {d} and I return {n} later. On which weekday?", "Count {n} on from {d}: which day is that?"],
    "fr": ["Aujourd'hui, c'est {d}. Quel jour serons-nous dans {n} ?",
           "Si nous sommes {d}, quel jour de la semaine serons-nous dans {n} ?", "On est {d}. Quel jour sera-t-on dans {n} ?",
           "aujourd'hui {d}, quel jour dans {n} ?", "Quel jour vient {n} après {d} ?", "{d} plus {n}, c'est quel jour ?",
           "Quel jour de la semaine est-on {n} après {d} ?", "Nous sommes {d}. Donne le jour de la semaine dans {n}.",
           "C'est {d} aujourd'hui. Quel jour sera-ce dans {n} ?", "Si c'est {d}, quel jour est-ce après {n} ?",
           "À partir de {d}, quel jour est-on {n} plus tard ?", "Nomme le jour qui vient {n} après {d}.",
           "Supposons que nous soyons {d}. {n} plus tard, quel jour est-ce ?", "Quel jour serons-nous dans {n} si aujourd'hui est {d} ?",
           "Je pars {d} et je reviens {n} plus tard. Quel jour est-ce ?", "Compte {n} à partir de {d} : quel jour est-ce ?"],
    "de": ["Heute ist {d}. Welcher Tag ist in {n}?", "Wenn heute {d} ist, welcher Wochentag ist in {n}?",
           "Es ist {d}. Welchen Wochentag haben wir in {n}?", "heute ist {d}, welcher tag ist in {n}?",
           "Heute {d}: Welcher Tag ist in {n}?", "Wir haben {d}. Und welcher Tag ist in {n}?",
           "Welcher Wochentag ist von {d} aus in {n}?", "Heute ist {d}. Nenne mir den Wochentag in {n}.",
           "Wir haben {d}. Was für ein Wochentag ist in {n}?", "Ist heute {d}, was ist dann in {n}?",
           "Heute haben wir {d}. Welcher Tag folgt in {n}?", "Nenne den Wochentag in {n}, wenn heute {d} ist.",
           "Angenommen, heute ist {d}. Was für ein Tag ist in {n}?", "Welchen Tag haben wir in {n}, wenn heute {d} ist?",
           "Heute, am {d}, fahre ich los, und in {n} komme ich zurück. An welchem Wochentag?",
           "Zähle von {d} weiter: Welcher Tag ist in {n}?"],
    "es": ["Hoy es {d}. ¿Qué día será dentro de {n}?", "Si hoy es {d}, ¿qué día de la semana será dentro de {n}?",
           "Es {d}. ¿Qué día será en {n}?", "hoy es {d}, qué día será en {n}?", "¿Qué día viene {n} después del {d}?",
           "{d} más {n}, ¿qué día es?",
           "¿Qué día de la semana es {n} después de {d}?", "Hoy es {d}. Dime el día de la semana dentro de {n}.",
           "Estamos a {d}. ¿Qué día será dentro de {n}?", "Si ahora es {d}, ¿qué día es después de {n}?",
           "A partir del {d}, ¿qué día es {n} más tarde?", "Di el día que viene {n} después del {d}.",
           "Supongamos que hoy es {d}. {n} más tarde, ¿qué día es?", "¿Qué día será dentro de {n} si hoy es {d}?",
           "Salgo el {d} y vuelvo {n} más tarde. ¿Qué día de la semana es?", "Cuenta {n} desde el {d}: ¿qué día es?"],
    "zh": ["今天是{d}，{n}后是星期几？", "如果今天是{d}，那么{n}后是星期几？", "今天{d}。再过{n}是星期几？", "今天{d} {n}后星期几", "{d}之后{n}是星期几？", "从{d}起过{n}是星期几？",
           "{d}再过{n}是哪一天？", "今天是{d}。请告诉我{n}后是星期几。", "今天是{d}，过{n}是星期几？", "现在是{d}，{n}以后是星期几？",
           "从{d}开始，{n}后是星期几？", "说出{d}之后{n}是星期几。", "假设今天是{d}，{n}后是哪天？", "要是今天是{d}，再等{n}是星期几？", "我{d}出发，{n}后回来，那天是星期几？", "从{d}往后数{n}，是星期几？"],
    "ar": ["اليوم هو {d}. أي يوم سيكون بعد {n}؟", "إذا كان اليوم {d}، فأي يوم من الأسبوع بعد {n}؟", "اليوم {d}. ما اليوم بعد {n}؟",
           "اليوم {d} أي يوم بعد {n}", "أي يوم يأتي بعد {d} بمقدار {n}؟", "{d} زائد {n}، أي يوم هو؟",
           "أي يوم من الأسبوع يكون بعد {n} من {d}؟", "اليوم هو {d}. قل لي اسم اليوم بعد {n}.",
           "نحن في يوم {d}. أي يوم سيكون بعد {n}؟", "إن كان الآن {d} فما هو اليوم بعد {n}؟", "بدءا من {d}، أي يوم يكون بعد {n}؟",
           "اذكر اليوم الذي يأتي بعد {n} من {d}.", "لنفترض أن اليوم {d}. بعد {n} ما اليوم؟",
           "ما اليوم الذي سيكون بعد {n} إذا كان اليوم {d}؟", "أسافر يوم {d} وأعود بعد {n}. في أي يوم أعود؟", "عد {n} من {d}: أي يوم هذا؟"],
}

DAY_BEFORE = {
    "en": ["Today is {d}. What day was it {n} ago?", "If today is {d}, what day of the week was it {n} ago?",
           "What day is {n} before {d}?", "today is {d}, what day was {n} ago?", "{d} minus {n} is which day?",
           "It is {d}. Which weekday was it {n} earlier?",
           "Tell me the weekday {n} before {d}.", "We have {d}. {n} ago, what day was it?", "Which day lies {n} before {d}?",
           "Go back {n} from {d}: which weekday is that?", "Suppose it is {d}. What day was it {n} earlier?"],
    "fr": ["Aujourd'hui, c'est {d}. Quel jour était-ce il y a {n} ?", "Si nous sommes {d}, quel jour de la semaine était-ce il y a {n} ?",
           "Quel jour vient {n} avant {d} ?", "aujourd'hui {d}, quel jour il y a {n} ?", "{d} moins {n}, c'est quel jour ?",
           "On est {d}. Quel jour était-on {n} plus tôt ?",
           "Dis-moi le jour de la semaine {n} avant {d}.", "C'est {d}. Il y a {n}, c'était quel jour ?",
           "Quel jour se trouve {n} avant {d} ?", "Recule de {n} à partir de {d} : quel jour est-ce ?",
           "Supposons que nous soyons {d}. Quel jour était-ce {n} plus tôt ?"],
    "de": ["Heute ist {d}. Welcher Tag war vor {n}?", "Wenn heute {d} ist, welcher Wochentag war dann vor {n}?",
           "Es ist {d}. Welchen Wochentag hatten wir vor {n}?", "heute ist {d}, welcher tag war vor {n}?",
           "Welcher Wochentag war vor {n}, wenn heute {d} ist?", "Heute haben wir {d}. Was war vor {n}?",
           "Nenne mir den Wochentag vor {n}; heute ist {d}.", "Wir haben {d}. Vor {n}, welcher Tag war das?",
           "Ist heute {d}, was für ein Tag war vor {n}?", "Geh von {d} aus zurück: Welcher Tag war vor {n}?",
           "Angenommen, es ist {d}. Welcher Tag war vor {n}?"],
    "es": ["Hoy es {d}. ¿Qué día fue hace {n}?", "Si hoy es {d}, ¿qué día de la semana fue hace {n}?", "¿Qué día es {n} antes del {d}?",
           "hoy es {d}, qué día fue hace {n}?", "{d} menos {n}, ¿qué día es?", "Es {d}. ¿Qué día era {n} antes?",
           "Dime el día de la semana {n} antes del {d}.", "Estamos a {d}. Hace {n}, ¿qué día fue?", "¿Qué día cae {n} antes del {d}?",
           "Retrocede {n} desde el {d}: ¿qué día es?", "Supongamos que es {d}. ¿Qué día fue {n} antes?"],
    "zh": ["今天是{d}，{n}前是星期几？", "如果今天是{d}，那么{n}前是星期几？", "今天{d}。{n}以前是星期几？", "今天{d} {n}前星期几", "{d}的{n}前是星期几？", "现在是{d}，{n}之前是哪一天？",
           "告诉我{d}往前{n}是星期几。", "今天是{d}，{n}前那天是星期几？", "从{d}倒推{n}是星期几？", "从{d}往回数{n}，是星期几？", "假设今天是{d}，{n}前是哪天？"],
    "ar": ["اليوم هو {d}. أي يوم كان قبل {n}؟", "إذا كان اليوم {d}، فأي يوم من الأسبوع كان قبل {n}؟", "اليوم {d}. ما اليوم قبل {n}؟",
           "اليوم {d} أي يوم قبل {n}", "{d} ناقص {n}، أي يوم هو؟", "إن كان الآن {d} فما اليوم قبل {n}؟", "قل لي اسم اليوم قبل {n} من {d}.",
           "نحن في يوم {d}. قبل {n} ما كان اليوم؟", "أي يوم يقع قبل {n} من {d}؟",
           "ارجع {n} من {d}: أي يوم هذا؟", "لنفترض أن اليوم {d}. أي يوم كان قبل {n}؟"],
}

# One or two days on or back, in words.
NEAR_DAY = {
    "en": [(1, "What day comes after {d}?"), (1, "If today is {d}, what day is tomorrow?"), (-1, "What day comes before {d}?"),
           (-1, "If today is {d}, what day was yesterday?"), (2, "If today is {d}, what day is the day after tomorrow?"),
           (1, "which day follows {d}"),
           (-1, "Which weekday is just before {d}?"), (-2, "Today is {d}. What was the day before yesterday?"),
           (1, "Today is {d}. And tomorrow?"), (1, "Name the day right after {d}."), (-1, "Today is {d}. Which day was yesterday?"),
           (2, "It is {d}. Which day is the day after tomorrow?")],
    "fr": [(1, "Quel jour vient après {d} ?"), (1, "Si nous sommes {d}, quel jour est-ce demain ?"), (-1, "Quel jour vient avant {d} ?"),
           (-1, "Si nous sommes {d}, quel jour était-ce hier ?"), (2, "Si nous sommes {d}, quel jour est-ce après-demain ?"),
           (1, "quel jour suit {d}"),
           (-1, "Quel jour est juste avant {d} ?"), (-2, "Aujourd'hui, c'est {d}. Quel jour était-ce avant-hier ?"),
           (1, "Aujourd'hui, c'est {d}. Et demain ?"), (1, "Nomme le jour juste après {d}."),
           (-1, "C'est {d} aujourd'hui. Hier, c'était quel jour ?"), (2, "On est {d}. Quel jour sera-t-on après-demain ?")],
    "de": [(1, "Welcher Tag kommt nach {d}?"), (1, "Wenn heute {d} ist, welcher Tag ist morgen?"), (-1, "Welcher Tag kommt vor {d}?"),
           (-1, "Wenn heute {d} ist, welcher Tag war gestern?"), (2, "Wenn heute {d} ist, welcher Tag ist übermorgen?"),
           (1, "welcher tag folgt auf {d}"),
           (-1, "Welcher Wochentag liegt direkt vor {d}?"), (-2, "Heute ist {d}. Welcher Tag war vorgestern?"),
           (1, "Heute ist {d}. Und morgen?"), (1, "Nenne den Tag direkt nach {d}."), (-1, "Heute ist {d}. Was war gestern für ein Tag?"),
           (2, "Es ist {d}. Was ist übermorgen für ein Tag?")],
    "es": [(1, "¿Qué día viene después del {d}?"), (1, "Si hoy es {d}, ¿qué día es mañana?"), (-1, "¿Qué día viene antes del {d}?"),
           (-1, "Si hoy es {d}, ¿qué día fue ayer?"), (2, "Si hoy es {d}, ¿qué día es pasado mañana?"), (1, "qué día sigue al {d}"),
           (-1, "¿Qué día está justo antes del {d}?"), (-2, "Hoy es {d}. ¿Qué día fue anteayer?"), (1, "Hoy es {d}. ¿Y mañana?"),
           (1, "Di el día justo después del {d}."), (-1, "Hoy es {d}. Ayer, ¿qué día fue?"), (2, "Es {d}. ¿Qué día será pasado mañana?")],
    "zh": [(1, "{d}的后一天是星期几？"), (1, "如果今天是{d}，明天是星期几？"), (-1, "{d}的前一天是星期几？"), (-1, "如果今天是{d}，昨天是星期几？"), (2, "如果今天是{d}，后天是星期几？"),
           (1, "今天{d} 明天星期几"), (-1, "{d}前面是星期几？"), (-2, "今天是{d}，前天是星期几？"), (1, "今天是{d}，那明天呢？"),
           (1, "说出{d}之后的那一天。"), (-1, "今天{d}，昨天是哪天？"), (2, "今天{d}，后天是哪天？")],
    "ar": [(1, "أي يوم يأتي بعد {d}؟"), (1, "إذا كان اليوم {d}، فأي يوم غدا؟"), (-1, "أي يوم يأتي قبل {d}؟"),
           (-1, "إذا كان اليوم {d}، فأي يوم كان أمس؟"), (2, "إذا كان اليوم {d}، فأي يوم بعد غد؟"), (1, "ما اليوم الذي يلي {d}"),
           (-1, "ما اليوم الذي يسبق {d}؟"), (-2, "اليوم هو {d}. أي يوم كان أول أمس؟"),
           (1, "اليوم {d}. وغدا؟"), (1, "اذكر اليوم بعد {d} مباشرة."), (-1, "اليوم {d}. ما كان يوم أمس؟"),
           (2, "اليوم {d}. ما يوم بعد غد؟")],
}

MONTH_AFTER = {
    "en": ["It is {d}. Which month is it in {n}?", "What month is {n} after {d}?", "If it is {d} now, what month will it be in {n}?",
           "{d} plus {n} is which month?", "which month comes {n} after {d}", "Tell me the month {n} after {d}.",
           "Suppose it is {d}. {n} later, which month is it?", "What month do we have in {n} if this is {d}?"],
    "fr": ["Nous sommes en {d}. Quel mois serons-nous dans {n} ?", "Quel mois vient {n} après {d} ?",
           "Si nous sommes en {d}, quel mois sera-ce dans {n} ?", "{d} plus {n}, c'est quel mois ?", "quel mois {n} après {d}",
           "Dis-moi le mois qui vient {n} après {d}.", "Supposons que nous soyons en {d}. {n} plus tard, quel mois est-ce ?",
           "Quel mois aurons-nous dans {n} si c'est {d} ?"],
    "de": ["Es ist {d}. Welcher Monat ist in {n}?", "Welcher Monat ist in {n}, wenn jetzt {d} ist?",
           "Wenn es jetzt {d} ist, welcher Monat ist in {n}?", "Jetzt ist {d}. Welchen Monat haben wir in {n}?",
           "jetzt ist {d}, welcher monat ist in {n}", "Nenne mir den Monat in {n}; jetzt ist {d}.",
           "Angenommen, es ist {d}. Was für ein Monat ist in {n}?", "Welchen Monat haben wir in {n}, wenn das hier {d} ist?"],
    "es": ["Estamos en {d}. ¿Qué mes será dentro de {n}?", "¿Qué mes viene {n} después de {d}?",
           "Si ahora es {d}, ¿qué mes será dentro de {n}?", "{d} más {n}, ¿qué mes es?", "qué mes es {n} después de {d}",
           "Dime el mes que viene {n} después de {d}.", "Supongamos que es {d}. {n} más tarde, ¿qué mes es?",
           "¿Qué mes tendremos dentro de {n} si es {d}?"],
    "zh": ["现在是{d}，{n}后是几月？", "{d}之后{n}是几月？", "如果现在是{d}，再过{n}是几月？", "{d}过{n}是几月？", "现在{d} {n}后几月", "告诉我{d}的{n}后是几月。", "假设现在是{d}，{n}以后是几月？",
           "要是这个月是{d}，{n}后是哪个月？"],
    "ar": ["نحن في {d}. أي شهر سيكون بعد {n}؟", "أي شهر يأتي بعد {n} من {d}؟", "إذا كنا الآن في {d}، فأي شهر بعد {n}؟",
           "{d} زائد {n}، أي شهر هو؟", "أي شهر بعد {n} من {d}", "قل لي الشهر بعد {n} من {d}.", "لنفترض أننا في {d}. بعد {n} ما الشهر؟",
           "ما الشهر الذي سيكون بعد {n} إذا كان هذا {d}؟"],
}
MONTH_BEFORE = {
    "en": ["It is {d}. Which month was it {n} ago?", "What month is {n} before {d}?", "{d} minus {n} is which month?",
           "which month was {n} before {d}", "Tell me the month {n} before {d}.", "Go back {n} from {d}. Which month is it?"],
    "fr": ["Nous sommes en {d}. Quel mois était-ce il y a {n} ?", "Quel mois vient {n} avant {d} ?", "{d} moins {n}, c'est quel mois ?",
           "quel mois {n} avant {d}", "Dis-moi le mois {n} avant {d}.", "Recule de {n} à partir de {d}. Quel mois est-ce ?"],
    "de": ["Es ist {d}. Welcher Monat war vor {n}?", "Welcher Monat war vor {n}, wenn jetzt {d} ist?",
           "Jetzt ist {d}. Welchen Monat hatten wir vor {n}?", "jetzt ist {d}, welcher monat war vor {n}",
           "Nenne mir den Monat vor {n}; jetzt ist {d}.", "Angenommen, es ist {d}. Was für ein Monat war vor {n}?"],
    "es": ["Estamos en {d}. ¿Qué mes fue hace {n}?", "¿Qué mes es {n} antes de {d}?", "{d} menos {n}, ¿qué mes es?",
           "qué mes es {n} antes de {d}", "Dime el mes {n} antes de {d}.", "Retrocede {n} desde {d}. ¿Qué mes es?"],
    "zh": ["现在是{d}，{n}前是几月？", "{d}之前{n}是几月？", "如果现在是{d}，{n}以前是几月？", "现在{d} {n}前几月", "告诉我{d}的{n}前是几月。", "从{d}往回数{n}，是几月？"],
    "ar": ["نحن في {d}. أي شهر كان قبل {n}؟", "أي شهر يأتي قبل {n} من {d}؟", "{d} ناقص {n}، أي شهر هو؟", "أي شهر قبل {n} من {d}",
           "قل لي الشهر قبل {n} من {d}.", "ارجع {n} من {d}. أي شهر هو؟"],
}
NEAR_MONTH = {
    "en": [(1, "What month comes after {d}?"), (-1, "What month comes before {d}?"), (1, "which month follows {d}"),
           (1, "If this month is {d}, what is next month?"), (-1, "If this month is {d}, what was last month?"),
           (-1, "Which month is right before {d}?"), (1, "Name the month right after {d}."),
           (-1, "This is {d}. Which month was the last one?")],
    "fr": [(1, "Quel mois vient après {d} ?"), (-1, "Quel mois vient avant {d} ?"), (1, "quel mois suit {d}"),
           (1, "Si nous sommes en {d}, quel est le mois prochain ?"), (-1, "Si nous sommes en {d}, quel était le mois dernier ?"),
           (-1, "Quel mois est juste avant {d} ?"), (1, "Nomme le mois juste après {d}."), (-1, "C'est {d}. Quel était le mois d'avant ?")],
    "de": [(1, "Welcher Monat kommt nach {d}?"), (-1, "Welcher Monat kommt vor {d}?"), (1, "welcher monat folgt auf {d}"),
           (1, "Wenn jetzt {d} ist, was ist der nächste Monat?"), (-1, "Wenn jetzt {d} ist, was war der letzte Monat?"),
           (-1, "Welcher Monat liegt direkt vor {d}?"), (1, "Nenne den Monat direkt nach {d}."),
           (-1, "Es ist {d}. Was war der vorige Monat?")],
    "es": [(1, "¿Qué mes viene después de {d}?"), (-1, "¿Qué mes viene antes de {d}?"), (1, "qué mes sigue a {d}"),
           (1, "Si estamos en {d}, ¿cuál es el próximo mes?"), (-1, "Si estamos en {d}, ¿cuál fue el mes pasado?"),
           (-1, "¿Qué mes está justo antes de {d}?"), (1, "Di el mes justo después de {d}."), (-1, "Es {d}. ¿Cuál fue el mes anterior?")],
    "zh": [(1, "{d}之后是几月？"), (-1, "{d}之前是几月？"), (1, "{d}后面是几月"), (1, "这个月是{d}，下个月是几月？"), (-1, "这个月是{d}，上个月是几月？"), (-1, "{d}前面是哪个月？"),
           (1, "说出{d}的下一个月。"), (-1, "现在是{d}，上一个月是几月？")],
    "ar": [(1, "أي شهر يأتي بعد {d}؟"), (-1, "أي شهر يأتي قبل {d}؟"), (1, "ما الشهر الذي يلي {d}"),
           (1, "إذا كنا في {d} فما الشهر القادم؟"), (-1, "إذا كنا في {d} فما الشهر الماضي؟"), (-1, "ما الشهر الذي يسبق {d}؟"),
           (1, "اذكر الشهر بعد {d} مباشرة."), (-1, "هذا {d}. ما كان الشهر السابق؟")],
}

# {a} {b}: two dates of one month.
DATE = {"en": ["{m} {n}", "{n} {m}"], "fr": ["{n} {m}"], "de": ["{n}. {m}"], "es": ["{n} de {m}"], "zh": ["{m}{n}日", "{m}{n}号"],
"ar": ["{n} {m}"]}
BETWEEN = {
    "en": ["How many days is it from {a} to {b}?", "How many days pass from {a} to {b}?", "how many days from {a} to {b}",
           "From {a} to {b}, how many days are there?", "Today is {a}. How many days until {b}?", "Count the days from {a} to {b}.",
           "It is {a} and the party is on {b}. In how many days is it?", "What is the number of days from {a} until {b}?"],
    "fr": ["Combien de jours y a-t-il du {a} au {b} ?", "Combien de jours passent du {a} au {b} ?", "combien de jours du {a} au {b}",
           "Du {a} au {b}, combien de jours y a-t-il ?", "Nous sommes le {a}. Combien de jours jusqu'au {b} ?",
           "Compte les jours du {a} au {b}.", "C'est le {a} et la fête est le {b}. Dans combien de jours est-elle ?",
           "Quel est le nombre de jours du {a} jusqu'au {b} ?"],
    "de": ["Wie viele Tage sind es vom {a} bis zum {b}?", "Wie viele Tage vergehen vom {a} bis zum {b}?",
           "wie viele tage vom {a} bis zum {b}", "Vom {a} bis zum {b}, wie viele Tage sind das?",
           "Heute ist der {a}. Wie viele Tage sind es noch bis zum {b}?", "Zähle die Tage vom {a} bis zum {b}.",
           "Heute ist der {a} und das Fest ist am {b}. In wie vielen Tagen ist es?", "Wie groß ist die Zahl der Tage vom {a} bis zum {b}?"],
    "es": ["¿Cuántos días hay del {a} al {b}?", "¿Cuántos días pasan del {a} al {b}?", "cuántos días del {a} al {b}",
           "Del {a} al {b}, ¿cuántos días hay?", "Hoy es {a}. ¿Cuántos días faltan para el {b}?", "Cuenta los días del {a} al {b}.",
           "Es {a} y la fiesta es el {b}. ¿Dentro de cuántos días es?", "¿Cuál es el número de días del {a} hasta el {b}?"],
    "zh": ["从{a}到{b}有多少天？", "{a}到{b}要过多少天？", "{a}到{b}几天", "从{a}起到{b}，一共过了多少天？", "今天是{a}，离{b}还有多少天？", "数一数从{a}到{b}的天数。",
           "今天{a}，聚会在{b}，还有几天？", "{a}至{b}的天数是多少？"],
    "ar": ["كم يوما من {a} إلى {b}؟", "كم يوما يمر من {a} إلى {b}؟", "كم يوم من {a} الى {b}", "من {a} إلى {b} كم يوما؟",
           "اليوم {a}. كم يوما بقي حتى {b}؟", "احسب الأيام من {a} إلى {b}.", "اليوم {a} والحفلة في {b}. بعد كم يوما هي؟",
           "ما عدد الأيام من {a} حتى {b}؟"],
}

DAYS_IN = {
    "en": ["How many days does {d} have?", "How many days are in {d}?", "how many days has {d}", "How long is {d} in days?",
           "Tell me the number of days in {d}.", "{d} has how many days?", "What is the length of {d} in days?", "Count of days in {d}?"],
    "fr": ["Combien de jours a le mois de {d} ?", "Combien de jours y a-t-il en {d} ?", "combien de jours en {d}",
           "Le mois de {d} dure combien de jours ?", "Donne le nombre de jours en {d}.", "{d} a combien de jours ?",
           "Quelle est la durée de {d} en jours ?", "Nombre de jours en {d} ?"],
    "de": ["Wie viele Tage hat der {d}?", "Wie viele Tage sind im {d}?", "wie viele tage hat {d}", "Wie lang ist der {d} in Tagen?",
           "Nenne die Zahl der Tage im {d}.", "Der {d} hat wie viele Tage?", "Wie viele Tage lang ist der {d}?", "Anzahl der Tage im {d}?"],
    "es": ["¿Cuántos días tiene {d}?", "¿Cuántos días hay en {d}?", "cuántos días tiene {d}", "¿Cuánto dura {d} en días?",
           "Dime el número de días de {d}.", "{d}, ¿cuántos días tiene?", "¿Cuál es la duración de {d} en días?",
           "¿Número de días en {d}?"],
    "zh": ["{d}有多少天？", "{d}一共几天？", "{d}几天", "请问{d}有几天？", "告诉我{d}的天数。", "{d}这个月有多少天？", "{d}的天数是多少？", "{d}总共多少天？"],
    "ar": ["كم يوما في {d}؟", "كم عدد أيام {d}؟", "كم يوم في {d}", "كم يوما في شهر {d}؟", "قل لي عدد الأيام في {d}.", "شهر {d} كم يوما؟",
           "ما طول شهر {d} بالأيام؟", "عدد أيام شهر {d}؟"],
}

LEAP = {
    "en": ["Is {y} a leap year?", "Was or is {y} a leap year?", "is {y} a leap year", "Tell me whether {y} is a leap year.",
           "{y}: leap year or not?", "Does February {y} have 29 days?", "Is the year {y} leap?", "Can you say if {y} is a leap year?"],
    "fr": ["{y} est-elle une année bissextile ?", "L'année {y} est-elle bissextile ?", "est-ce que {y} est bissextile",
           "Dis-moi si {y} est une année bissextile.", "{y} : année bissextile ou non ?", "Février {y} a-t-il 29 jours ?",
           "Est-ce que l'année {y} est bissextile ?", "Peux-tu dire si {y} est bissextile ?"],
    "de": ["Ist {y} ein Schaltjahr?", "Ist das Jahr {y} ein Schaltjahr?", "ist {y} ein schaltjahr", "Sag mir, ob {y} ein Schaltjahr ist.",
           "{y}: Schaltjahr oder nicht?", "Hat der Februar {y} 29 Tage?", "Stimmt es, dass {y} ein Schaltjahr ist?",
           "Kannst du sagen, ob {y} ein Schaltjahr ist?"],
    "es": ["¿Es {y} un año bisiesto?", "¿El año {y} es bisiesto?", "es {y} bisiesto", "Dime si {y} es un año bisiesto.",
           "{y}: ¿año bisiesto o no?", "¿Tiene febrero de {y} 29 días?", "¿Es bisiesto el año {y}?", "¿Puedes decir si {y} es bisiesto?"],
    "zh": ["{y}年是闰年吗？", "{y}年是不是闰年？", "{y}年是闰年吗", "请问{y}年是闰年吗？", "告诉我{y}年是否是闰年。", "{y}年的2月有29天吗？", "{y}这一年是闰年吗？", "你能说出{y}年是不是闰年吗？"],
    "ar": ["هل {y} سنة كبيسة؟", "هل السنة {y} كبيسة؟", "هل {y} كبيسة", "قل لي هل {y} سنة كبيسة.", "{y}: سنة كبيسة أم لا؟",
           "هل في فبراير {y} 29 يوما؟", "هل تعد سنة {y} كبيسة؟", "هل يمكنك القول إن كانت {y} كبيسة؟"],
}

NAMED = {
    "en": ["{r}", "It is {r}.", "The answer is {r}."], "fr": ["{r}", "C'est {r}.", "La réponse est {r}."], "de": ["{r}", "Es ist {r}.",
           "Die Antwort ist {r}."],
    "es": ["{r}", "Es {r}.", "La respuesta es {r}."], "zh": ["{r}", "是{r}。", "答案是{r}。"], "ar": ["{r}", "هو {r}.", "الجواب هو {r}."],
}
COUNTED = {
    "en": ["{r} days.", "It is {r} days.", "{r}"], "fr": ["{r} jours.", "Cela fait {r} jours.", "{r}"], "de": ["{r} Tage.",
           "Es sind {r} Tage.", "{r}"],
    "es": ["{r} días.", "Son {r} días.", "{r}"], "zh": ["{r}天。", "一共{r}天。", "{r}"], "ar": ["العدد هو {r}.", "الجواب هو {r}.", "{r}"],
}
YES = {"en": "Yes, {y} is a leap year.", "fr": "Oui, {y} est une année bissextile.", "de": "Ja, {y} ist ein Schaltjahr.",
"es": "Sí, {y} es un año bisiesto.", "zh": "是的，{y}年是闰年。",
       "ar": "نعم، {y} سنة كبيسة."}
NO = {"en": "No, {y} is not a leap year.", "fr": "Non, {y} n'est pas une année bissextile.", "de": "Nein, {y} ist kein Schaltjahr.",
"es": "No, {y} no es un año bisiesto.", "zh": "不是，{y}年不是闰年。",
      "ar": "لا، {y} ليست سنة كبيسة."}
OTHER_SPELLINGS = {"星期日": "星期天", "周日": "周天", "الاثنين": "الإثنين", "Samstag": "Sonnabend", "أبريل": "إبريل"}


def span(forms, n):
    """A number with its noun; four forms are those of Arabic."""
    if len(forms) == 4:
        return forms[n - 1] if n < 3 else forms[2 if n <= 10 else 3].format(n)
    return forms[0] if n == 1 else forms[1].format(n)


def cycle_steps(names, index, n):
    """The place of a name, the sum, and the turns of the cycle until the place is one again."""
    size, place = len(names), index + 1
    lines = [f"{names[index]}={place}", f"{place}{n:+}={place + n}"]
    place += n
    while not 1 <= place <= size:
        turned = place - size if place > size else place + size
        lines.append(f"{place}{'-' if place > size else '+'}{size}={turned}")
        place = turned
    return lines + [f"{place}={names[place - 1]}"], names[place - 1]


def _name_check(language, name):
    spellings = {name, name[:1].upper() + name[1:]}
    if name in MONTHS["zh"]:
        index = MONTHS["zh"].index(name)
        return last_line_check(f"(^|\n|[^0-9]){name}", f"(^|\n|[^十]){CHINESE_MONTHS[index]}")
    if language == "zh":
        spellings |= {"星期" + name[-1], "周" + name[-1], "礼拜" + name[-1]}
    return last_line_check(*spellings, *(OTHER_SPELLINGS[s] for s in spellings if s in OTHER_SPELLINGS))


def _cyclic(rng, language, held_out, names, template, index, n, written):
    question = template.format(d=names[index], n=written)
    steps, result = cycle_steps(names, index, n)
    answer = rng.choice(NAMED[language]).format(r=result)
    answer = answer[:1].upper() + answer[1:]
    return worked(rng, KIND, language, typed(rng, language, question, held_out), steps, answer, [_name_check(language, result)])


def _near(rng, language, held_out, names, templates):
    n, template = pick(rng, templates[language], held_out)
    return _cyclic(rng, language, held_out, names, template, rng.randrange(len(names)), n, "")


def _weekday(rng, language, held_out):
    names = SHORT_CHINESE if language == "zh" and rng.random() < 0.3 else WEEKDAYS[language]
    index, n = draw(rng, KIND, held_out, lambda: (rng.randrange(7), rng.randint(1, MOST_DAYS)))
    written = WEEKS[language][n] if n in (7, 14) and rng.random() < 0.4 else span(DAYS[language], n)
    is_before = rng.random() < 0.35
    templates = DAY_BEFORE if is_before else DAY_AFTER
    return _cyclic(rng, language, held_out, names, pick(rng, templates[language], held_out), index, -n if is_before else n, written)


def _month(rng, language, held_out):
    index, n = draw(rng, KIND, held_out, lambda: (rng.randrange(12), rng.randint(1, 14)))
    is_before = rng.random() < 0.4
    template = pick(rng, (MONTH_BEFORE if is_before else MONTH_AFTER)[language], held_out)
    return _cyclic(rng, language, held_out, MONTHS[language], template, index, -n if is_before else n, span(MONTHS_SPAN[language], n))


def _between(rng, language, held_out):
    month = rng.randrange(12)
    a, b = sorted(draw(rng, KIND, held_out, lambda: rng.sample(range(2, LENGTHS[month] + 1), 2)))
    b += b - a == 1 and b < LENGTHS[month]
    form = rng.choice(DATE[language])
    question = pick(rng, BETWEEN[language], held_out).format(a=form.format(m=MONTHS[language][month], n=a),
    b=form.format(m=MONTHS[language][month], n=b))
    answer = rng.choice(COUNTED[language][-1:] if b - a == 1 else COUNTED[language]).format(r=b - a)
    steps = [f"{a} → {b}"] + subtract_steps(b, a)
    return worked(rng, KIND, language, typed(rng, language, question, held_out), steps, answer, [number_check(b - a)])


def _days_in(rng, language, held_out):
    month = rng.choice([m for m in range(12) if m != 1])
    name = MONTHS[language][month]
    question = pick(rng, DAYS_IN[language], held_out).format(d=name)
    answer = rng.choice(COUNTED[language]).format(r=LENGTHS[month])
    return worked(rng, KIND, language, typed(rng, language, question, held_out), [f"{name}={LENGTHS[month]}"],
    answer, [number_check(LENGTHS[month])])


def is_leap(year):
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def leap_steps(year):
    """Fours in the last two digits; in the first two, where the last are zeros."""
    part = year % 100 or year // 100
    lines = [f"{year}: {year // 100:02} {year % 100:02}"]
    return lines + [f"{part}=4×{part // 4}+{part % 4}", f"= {'29' if is_leap(year) else '28'}"]


def _leap(rng, language, held_out):
    year, = draw(rng, KIND, held_out, lambda: (rng.choice((100 * rng.randint(15, 24), rng.randint(1900, 2099), 4 * rng.randint(475, 524),
    rng.randint(1600, 2400))),))
    question = pick(rng, LEAP[language], held_out).format(y=year)
    yes = is_leap(year)
    answer = (YES if yes else NO)[language].format(y=year)
    return worked(rng, KIND, language, typed(rng, language, question, held_out), leap_steps(year), answer, [yes_no_check(language, yes)])


def make(rng, language, held_out):
    turn = rng.random()
    if turn < 0.7:
        return _weekday(rng, language, held_out)
    if turn < 0.82:
        return _near(rng, language, held_out, WEEKDAYS[language], NEAR_DAY)
    if turn < 0.88:
        return _month(rng, language, held_out)
    if turn < 0.91:
        return _near(rng, language, held_out, MONTHS[language], NEAR_MONTH)
    if turn < 0.96:
        return _between(rng, language, held_out)
    return _days_in(rng, language, held_out) if turn < 0.98 else _leap(rng, language, held_out)


def verify(example):
    """Works the thought out again from the names and numbers of the question."""
    language, lines = example.language, work_of(example).split("\n")
    question = example.messages[-2]["content"].casefold()
    lists = (WEEKDAYS[language], MONTHS[language], SHORT_CHINESE)
    names = next((names for names in lists if lines[0].split("=")[0] in names), None)
    if lines[0].endswith(("=28", "=30", "=31")):
        name, n = lines[0].split("=")
        return name.casefold() in question and int(n) == LENGTHS[MONTHS[language].index(name)] == example.checks[0]["value"]
    if names:
        name, offset = lines[0].split("=")[0], int(re.fullmatch(r"\d+([+-]\d+)=.*", lines[1])[1])
        steps, result = cycle_steps(names, names.index(name), offset)
        return name.casefold() in question and result == names[(names.index(name) + offset) % len(names)] and shows(example, steps)
    if " → " in lines[0]:
        a, b = (int(n) for n in lines[0].split(" → "))
        asked = re.sub(r"\d+月", "", question)
        return numbers_in(asked) == [a, b] and b - a == example.checks[0]["value"] and shows(example, lines[:1] + subtract_steps(b, a))
    year = int(lines[0].split(":")[0])
    return str(year) in question and shows(example, leap_steps(year)) and calendar.isleap(year) == ("= 29" in lines)
