"""Capitals, the countries they belong to, continents and currencies: recall, so only phrasings are held out, never facts."""

from tasks import Example, ask, contains_check, pick
from tasks.data_countries import BY_CODE, COUNTRIES, LANGUAGES, bare, is_plural, of, upper_first

KIND = "capitals"
ARABIC_THE = "ال"

# {of}: "of" with the name; {name}: the name with its article; {bare}: without; {capital}: its capital.
QUESTIONS = {
    "en": {
        "capital": ["What is the capital of {name}?", "Capital of {name}?", "capital of {bare}", "Which city is the capital of {name}?",
                    "What's the capital of {name}?", "Tell me the capital of {name}.", "Can you tell me the capital of {name}, please?",
                    "Name the capital of {name}.", "{bare}: capital?", "what is {bare}'s capital city", "I need the capital of {name}.",
                    "Do you know the capital of {name}?", "What city is {bare}'s capital?", "In {name}, which city is the capital?",
                    "what's the capital city of {name}", "Please give me the capital of {name}.",
                    "{bare} capital?", "Could you say what the capital of {name} is?", "Which city serves as the capital of {name}?",
                    "whats the capital of {name}", "I forgot the capital of {name}. What is it?"],
        "country": ["{capital} is the capital of which country?", "Which country has {capital} as its capital?",
                    "What country is {capital} the capital of?", "Of which country is {capital} the capital?",
                    "{capital} is the capital of what country?", "Whose capital is {capital}?", "which country's capital is {capital}",
                    "Name the country whose capital is {capital}.", "{capital}: capital of which country?",
                    "Tell me which country {capital} is the capital of.", "The capital is {capital}. What is the country?",
                    "{capital} is a capital. Of which country?", "Which country is governed from {capital}?",
                    "what country has the capital {capital}?", "Please tell me the country whose capital is {capital}."],
        "continent": ["On which continent is {name}?", "Which continent is {name} in?", "{bare}: continent?",
                      "What continent is {name} on?",
                      "On what continent does {name} lie?", "Tell me the continent of {name}.", "continent of {bare}",
                      "Name the continent where {name} is.", "what continent does {name} belong to?",
                      "Which continent does {name} belong to?", "In which continent would I find {name}?",
                      "Where in the world is {name}: which continent?"],
        "currency": ["What is the currency of {name}?", "Which currency is used in {name}?", "currency of {bare}",
                     "What money do people use in {name}?", "Name the currency of {name}.", "Which money do they use in {name}?",
                     "{bare}: currency?", "Tell me the currency of {name}.", "What do people pay with in {name}?",
                     "What's the currency in {name}?", "Which currency does {name} have?", "With what money do you pay in {name}?"],
    },
    "fr": {
        "capital": ["Quelle est la capitale {of} ?", "Capitale {of} ?", "capitale {of}", "Quelle ville est la capitale {of} ?",
                    "C'est quoi la capitale {of} ?", "Donne-moi la capitale {of}.", "Dis-moi quelle est la capitale {of}.",
                    "Peux-tu me donner la capitale {of}, s'il te plaît ?", "{bare} : capitale ?", "quelle est la capitale {of}",
                    "Cite la capitale {of}.", "Connais-tu la capitale {of} ?", "Je cherche la capitale {of}.",
                    "Pouvez-vous me dire la capitale {of} ?", "Comment s'appelle la capitale {of} ?",
                    "J'ai oublié la capitale {of}. C'est quelle ville ?", "Et la capitale {of}, c'est quoi ?",
                    "La capitale {of}, s'il vous plaît ?", "c'est quoi la capitale {of}", "Sais-tu quelle ville est la capitale {of} ?",
                    "Quel est le nom de la capitale {of} ?"],
        "country": ["{capital} est la capitale de quel pays ?", "De quel pays {capital} est-elle la capitale ?",
                    "Quel pays a pour capitale {capital} ?", "{capital} : capitale de quel pays ?", "quel pays a {capital} pour capitale",
                    "Quel est le pays dont la capitale est {capital} ?", "Cite le pays dont la capitale est {capital}.",
                    "Dis-moi de quel pays {capital} est la capitale.", "La capitale est {capital}. Quel est le pays ?",
                    "{capital}, c'est la capitale de quel pays ?", "Dans quel pays la capitale est-elle {capital} ?",
                    "Je cherche le pays dont {capital} est la capitale.", "C'est quel pays qui a {capital} comme capitale ?",
                    "Quel pays a choisi {capital} comme capitale ?", "la capitale {capital}, c'est quel pays ?"],
        "continent": ["Sur quel continent se trouve {name} ?", "Dans quel continent se trouve {name} ?", "{bare} : continent ?",
                      "Quel est le continent {of} ?", "Sur quel continent est {name} ?", "Dis-moi sur quel continent se trouve {name}.",
                      "continent {of}", "À quel continent appartient {name} ?", "sur quel continent se situe {name}",
                      "Sur quel continent peut-on trouver {name} ?", "{bare}, c'est sur quel continent ?", "Quel continent pour {name} ?"],
        "currency": ["Quelle est la monnaie {of} ?", "Quelle monnaie utilise {name} ?", "monnaie {of}", "Quelle est la devise {of} ?",
                     "Donne-moi la monnaie {of}.", "Comment s'appelle la monnaie {of} ?", "{bare} : monnaie ?",
                     "C'est quoi la monnaie {of} ?", "Dis-moi la monnaie {of}.", "Quel est le nom de la monnaie {of} ?",
                     "La monnaie {of}, c'est quoi ?", "Avec quelle monnaie paie-t-on : {bare} ?"],
    },
    "de": {
        "capital": ["Was ist die Hauptstadt {of}?", "Wie heißt die Hauptstadt {of}?", "Hauptstadt {of}?", "hauptstadt {of}",
                    "Welche Stadt ist die Hauptstadt {of}?", "Nenne die Hauptstadt {of}.", "Nenn mir bitte die Hauptstadt {of}.",
                    "Kannst du mir die Hauptstadt {of} sagen?", "{bare}: Hauptstadt?", "wie heißt die hauptstadt {of}",
                    "Sag mir die Hauptstadt {of}.", "Kennst du die Hauptstadt {of}?", "Ich suche die Hauptstadt {of}.",
                    "Weißt du, wie die Hauptstadt {of} heißt?", "Was ist noch mal die Hauptstadt {of}?", "Die Hauptstadt {of}?",
                    "Könnten Sie mir die Hauptstadt {of} nennen?", "Wie lautet die Hauptstadt {of}?", "was ist die hauptstadt {of}",
                    "Ich habe die Hauptstadt {of} vergessen. Wie heißt sie?", "Und die Hauptstadt {of}, wie heißt die?"],
        "country": ["{capital} ist die Hauptstadt welches Landes?", "Welches Land hat die Hauptstadt {capital}?",
                    "Von welchem Land ist {capital} die Hauptstadt?", "{capital}: Hauptstadt von welchem Land?",
                    "In welchem Land ist {capital} die Hauptstadt?", "Nenne das Land mit der Hauptstadt {capital}.",
                    "welches land hat {capital} als hauptstadt", "Zu welchem Land gehört die Hauptstadt {capital}?",
                    "Sag mir, von welchem Land {capital} die Hauptstadt ist.", "Die Hauptstadt ist {capital}. Wie heißt das Land?",
                    "Wie heißt das Land mit der Hauptstadt {capital}?", "Welches Land wird von {capital} aus regiert?",
                    "Für welches Land ist {capital} die Hauptstadt?", "Wie heißt das Land, dessen Hauptstadt {capital} ist?",
                    "{capital} ist eine Hauptstadt. Von welchem Land?"],
        "continent": ["Auf welchem Kontinent liegt {name}?", "Zu welchem Kontinent gehört {name}?", "{bare}: Kontinent?",
                      "Auf welchem Erdteil liegt {name}?", "Nenne den Kontinent {of}.", "kontinent {of}",
                      "Sag mir, auf welchem Kontinent {name} liegt.", "Auf welchem Kontinent ist {name}?",
                      "Auf welchem Kontinent finde ich {name}?", "Und der Kontinent {of}?",
                      "Weißt du, auf welchem Kontinent {name} liegt?", "auf welchem kontinent befindet sich {name}"],
        "currency": ["Was ist die Währung {of}?", "Wie heißt die Währung {of}?", "währung {of}", "Nenne die Währung {of}.",
                     "Welche Währung hat {name}?", "Sag mir die Währung {of}.", "{bare}: Währung?", "Wie heißt das Geld {of}?",
                     "Was ist noch mal die Währung {of}?", "Wie lautet die Währung {of}?", "Kennst du die Währung {of}?",
                     "Welche Währung nutzt {name}?"],
    },
    "es": {
        "capital": ["¿Cuál es la capital {of}?", "¿Capital {of}?", "capital {of}", "¿Qué ciudad es la capital {of}?",
                    "Dime la capital {of}.", "¿Cómo se llama la capital {of}?", "¿Me dices la capital {of}, por favor?",
                    "Nombra la capital {of}.", "{bare}: ¿capital?", "cual es la capital {of}", "Necesito la capital {of}.",
                    "¿Sabes cuál es la capital {of}?", "¿Puedes decirme la capital {of}?", "¿Conoces la capital {of}?",
                    "La capital {of}, por favor.", "Busco la capital {of}.",
                    "¿Podría decirme cuál es la capital {of}?", "¿Y la capital {of}?", "cuál es la capital {of}?",
                    "He olvidado la capital {of}. ¿Cuál es?", "Dame el nombre de la capital {of}."],
        "country": ["¿De qué país es capital {capital}?", "{capital} es la capital de qué país?", "¿Qué país tiene por capital {capital}?",
                    "¿Cuál es el país cuya capital es {capital}?", "{capital}: ¿capital de qué país?",
                    "que pais tiene como capital {capital}",
                    "Dime de qué país es capital {capital}.", "La capital es {capital}. ¿Cuál es el país?",
                    "¿Cómo se llama el país cuya capital es {capital}?", "Nombra el país que tiene por capital {capital}.",
                    "¿{capital} es la capital de qué país?", "¿Qué país se gobierna desde {capital}?",
                    "¿A qué país pertenece la capital {capital}?", "Busco el país cuya capital es {capital}.",
                    "{capital} es una capital. ¿De qué país?"],
        "continent": ["¿En qué continente está {name}?", "¿A qué continente pertenece {name}?", "{bare}: ¿continente?",
                      "¿En qué continente se encuentra {name}?", "Dime en qué continente está {name}.", "continente {of}",
                      "¿Cuál es el continente {of}?", "Nombra el continente {of}.", "en que continente esta {name}",
                      "¿En qué continente queda {name}?", "¿Y el continente {of}, cuál es?",
                      "¿En qué continente puedo encontrar {name}?"],
        "currency": ["¿Cuál es la moneda {of}?", "¿Qué moneda se usa en {name}?", "moneda {of}", "¿Con qué dinero se paga en {name}?",
                     "Dime la moneda {of}.", "¿Cómo se llama la moneda {of}?", "{bare}: ¿moneda?", "Nombra la moneda {of}.",
                     "¿Qué moneda tiene {name}?", "¿Sabes cuál es la moneda {of}?", "¿Qué moneda usan en {name}?",
                     "cual es la moneda {of}"],
    },
    "zh": {
        "capital": ["{name}的首都是哪里？", "{name}的首都是什么？", "{name}首都？", "{name}的首都", "{name}的首都是哪座城市？", "请告诉我{name}的首都。",
                    "请问{name}的首都是哪里？", "你知道{name}的首都吗？", "哪座城市是{name}的首都？", "{name}首都是哪里", "告诉我{name}的首都",
                    "{name}的首都叫什么？", "说出{name}的首都。", "我想知道{name}的首都。", "{name}：首都？", "{name}的首都是哪个城市",
                    "能告诉我{name}的首都是哪里吗？", "麻烦问一下，{name}的首都是哪里？", "我忘了{name}的首都是哪里。", "{name}的首都是哪儿？",
                    "{name}把哪座城市作为首都？"],
        "country": ["{capital}是哪个国家的首都？", "哪个国家的首都是{capital}？", "{capital}是哪国的首都？", "{capital}：哪国首都？", "请问{capital}是哪个国家的首都？",
                    "{capital}是哪个国家的首都", "告诉我{capital}是哪国首都。", "首都是{capital}的国家是哪个？", "首都叫{capital}的是什么国家？",
                    "以{capital}为首都的国家是哪个？", "{capital}是首都，是哪个国家的？", "哪国首都是{capital}", "你知道{capital}是哪个国家的首都吗？",
                    "什么国家的首都是{capital}？", "把{capital}作为首都的是哪个国家？"],
        "continent": ["{name}在哪个洲？", "{name}属于哪个洲？", "{name}位于哪个大洲？", "{name}在哪个大洲", "请问{name}在哪个洲？", "告诉我{name}在哪个洲。",
                      "{name}：哪个洲？", "{name}是哪个洲的国家？", "{name}是哪个大洲的？", "你知道{name}在哪个洲吗？", "{name}位于哪一洲？", "哪个洲有{name}？"],
        "currency": ["{name}的货币是什么？", "{name}用什么货币？", "{name}货币", "在{name}用什么钱？", "{name}的钱叫什么？", "请问{name}使用什么货币？",
                     "告诉我{name}的货币。", "{name}：货币？", "{name}人用什么钱？", "在{name}要用哪种货币？", "{name}的货币叫什么？", "你知道{name}的货币吗？"],
    },
    "ar": {
        "capital": ["ما عاصمة {name}؟", "ما هي عاصمة {name}؟", "عاصمة {name}؟", "عاصمة {name}", "أي مدينة هي عاصمة {name}؟",
                    "اذكر عاصمة {name}.",
                    "أخبرني ما عاصمة {name}.", "ما اسم عاصمة {name}؟", "هل تعرف عاصمة {name}؟", "من فضلك، ما عاصمة {name}؟",
                    "ما هي عاصمة {name}",
                    "{name}: العاصمة؟", "أريد معرفة عاصمة {name}.", "قل لي عاصمة {name}.", "سمِّ عاصمة {name}.",
                    "هل يمكنك أن تذكر عاصمة {name}؟",
                    "لو سمحت، ما هي عاصمة {name}؟", "نسيت عاصمة {name}، ما هي؟", "ماذا تسمى عاصمة {name}؟",
                    "ما المدينة التي هي عاصمة {name}؟",
                    "وما عاصمة {name}؟"],
        "country": ["{capital} عاصمة أي دولة؟", "ما الدولة التي عاصمتها {capital}؟", "أي دولة عاصمتها {capital}؟",
                    "ما البلد الذي عاصمته {capital}؟",
                    "{capital}: عاصمة أي بلد؟", "أي بلد عاصمته {capital}", "اذكر الدولة التي عاصمتها {capital}.",
                    "أخبرني أي دولة عاصمتها {capital}.", "العاصمة هي {capital}. ما الدولة؟", "لأي دولة تعد {capital} عاصمة؟",
                    "ما اسم الدولة التي عاصمتها {capital}؟", "مدينة {capital} عاصمة أي بلد؟", "هل تعرف الدولة التي عاصمتها {capital}؟",
                    "{capital} هي عاصمة أي بلد؟", "عاصمته {capital}، فما هو البلد؟"],
        "continent": ["في أي قارة تقع دولة {name}؟", "في أي قارة توجد دولة {name}؟", "{name}: القارة؟", "إلى أي قارة تنتمي دولة {name}؟",
                      "قارة {name}",
                      "ما قارة {name}؟", "أخبرني في أي قارة تقع دولة {name}.", "ما القارة التي تقع فيها {name}؟", "في أي قارة {name}",
                      "هل تعرف في أي قارة تقع دولة {name}؟", "اذكر القارة التي توجد فيها {name}.", "{name} في أي قارة؟"],
        "currency": ["ما عملة {name}؟", "ما هي عملة {name}؟", "عملة {name}", "ما العملة المستخدمة في {name}؟", "اذكر عملة {name}.",
                     "ما اسم عملة {name}؟", "{name}: العملة؟", "أخبرني ما عملة {name}.", "بأي عملة يدفع الناس في {name}؟",
                     "أي عملة تستخدم في {name}؟",
                     "هل تعرف عملة {name}؟", "ما النقود المستخدمة في {name}؟"],
    },
}

ANSWERS = {
    "en": {"capital": ["The capital of {name} is {fact}.", "{fact}.", "{fact} is the capital of {name}."],
           "country": ["{capital} is the capital of {name}.", "The country is {name}."],
           "continent": ["{Name} is in {fact}.", "{Fact}."],
           "currency": ["The currency of {name} is {fact}.", "People pay with {fact} there."]},
    "fr": {"capital": ["La capitale {of} est {fact}.", "{fact}.", "C'est {fact}."],
           "country": ["{capital} est la capitale {of}.", "Pays : {bare}."],
           "continent": ["Le continent {of} est {fact}.", "C'est {fact}."],
           "currency": ["La monnaie {of} est {fact}.", "C'est {fact}."]},
    "de": {"capital": ["Die Hauptstadt {of} ist {fact}.", "{fact}.", "Die Hauptstadt {of} heißt {fact}."],
           "country": ["{capital} ist die Hauptstadt {of}.", "Land: {bare}."],
           "continent": ["{Name}: Kontinent {fact}.", "Der Kontinent ist {fact}."],
           "currency": ["Die Währung {of} ist {fact}.", "Das ist {fact}."]},
    "es": {"capital": ["La capital {of} es {fact}.", "{fact}.", "Es {fact}."],
           "country": ["{capital} es la capital {of}.", "País: {bare}."],
           "continent": ["El continente {of} es {fact}.", "Es {fact}."],
           "currency": ["La moneda {of} es {fact}.", "Es {fact}."]},
    "zh": {"capital": ["{name}的首都是{fact}。", "{fact}。", "是{fact}。"],
           "country": ["{capital}是{name}的首都。", "这个国家是{name}。"],
           "continent": ["{name}在{fact}。", "是{fact}。"],
           "currency": ["{name}的货币是{fact}。", "是{fact}。"]},
    "ar": {"capital": ["عاصمة {name} هي {fact}.", "{fact}.", "العاصمة هي {fact}."],
           "country": ["{capital} هي عاصمة {name}.", "الدولة هي {name}."],
           "continent": ["{name} في {fact}.", "القارة هي {fact}."],
           "currency": ["عملة {name} هي {fact}.", "العملة هي {fact}."]},
}

THOUGHTS = {
    "en": {"capital": "Country: {bare}. Capital: {fact}.", "country": "Capital: {capital}. Country: {fact}.",
           "continent": "Country: {bare}. Continent: {fact}.", "currency": "Country: {bare}. Currency: {fact}."},
    "fr": {"capital": "Pays : {bare}. Capitale : {fact}.", "country": "Capitale : {capital}. Pays : {fact}.",
           "continent": "Pays : {bare}. Continent : {fact}.", "currency": "Pays : {bare}. Monnaie : {fact}."},
    "de": {"capital": "Land: {bare}. Hauptstadt: {fact}.", "country": "Hauptstadt: {capital}. Land: {fact}.",
           "continent": "Land: {bare}. Kontinent: {fact}.", "currency": "Land: {bare}. Währung: {fact}."},
    "es": {"capital": "País: {bare}. Capital: {fact}.", "country": "Capital: {capital}. País: {fact}.",
           "continent": "País: {bare}. Continente: {fact}.", "currency": "País: {bare}. Moneda: {fact}."},
    "zh": {"capital": "国家：{bare}。首都：{fact}。", "country": "首都：{capital}。国家：{fact}。",
           "continent": "国家：{bare}。洲：{fact}。", "currency": "国家：{bare}。货币：{fact}。"},
    "ar": {"capital": "الدولة: {bare}. العاصمة: {fact}.", "country": "العاصمة: {capital}. الدولة: {fact}.",
           "continent": "الدولة: {bare}. القارة: {fact}.", "currency": "الدولة: {bare}. العملة: {fact}."},
}


def fact_of(country, relation, language):
    """The words that answer, as they stand in a sentence."""
    if relation == "capital":
        return country.capitals[language]
    if relation == "country":
        return country.names[language]
    return BY_CODE[relation][getattr(country, relation)][LANGUAGES.index(language)]


def key_words(fact, language):
    """What a right answer must hold: the fact without article."""
    word = bare(fact, language)
    return word.removeprefix(ARABIC_THE) if language == "ar" else word


def slots(country, relation, language):
    name, fact = country.names[language], fact_of(country, relation, language)
    return {"name": name, "Name": upper_first(name), "bare": bare(name, language), "of": of(name, language),
            "capital": country.capitals[language], "fact": fact, "Fact": upper_first(fact)}


def question_about(rng, country, relation, language, held_out):
    """A question; a plural name takes none where it stands beside a verb."""
    name = country.names[language]
    while True:
        phrasing = pick(rng, QUESTIONS[language][relation], held_out)
        if "{name}" not in phrasing or not is_plural(name, language):
            return phrasing.format(**slots(country, relation, language))


def answer(rng, country, relation, language):
    """A reply's words and its check: also for the chats."""
    values = slots(country, relation, language)
    text = rng.choice(ANSWERS[language][relation]).format(**values)
    return text, contains_check(key_words(values["fact"], language))


def make(rng, language, held_out) -> Example:
    relation = rng.choices(("capital", "country", "continent", "currency"), (12, 4, 2, 1))[0]
    country = rng.choice([c for c in COUNTRIES if relation != "currency" or c.currency])
    values = slots(country, relation, language)
    question = question_about(rng, country, relation, language, held_out)
    content, check = answer(rng, country, relation, language)
    thought = THOUGHTS[language][relation].format(**{**values, "fact": bare(values["fact"], language)}) if rng.random() < 0.5 else None
    return ask(KIND, language, upper_first(question) if rng.random() < 0.5 else question, content, thought, [check])


def verify(example):
    """The check's words belong to a country that the question or the reply names."""
    text = example.messages[0]["content"] + example.messages[-1]["content"]
    words = example.checks[0]["values"][0]
    language = example.language

    def holds(country, relation):
        asked = country.capitals[language] if relation == "country" else bare(country.names[language], language)
        return asked.casefold() in text.casefold() and key_words(fact_of(country, relation, language), language) == words

    return any(holds(c, r) for c in COUNTRIES for r in ANSWERS[language] if r != "currency" or c.currency)
