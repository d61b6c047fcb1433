"""A question, the calls made for it and what the tools gave back: the reply tells the result. Nothing opens a thought after a result."""

import json

from tasks import Example, contains_check, language_check, reply
from tasks.tool_calls import JOINED, LANGUAGES, Compound, code, number, one_question, served, upper_first

KIND = "tool_results"
ENOUGH_TO_KNOW = 30  # characters of an answer whose language can be told

# What a tool's English word for the weather is called in the answer.
SKIES = {
    "sunny": ("sunny", "ensoleillé", "sonnig", "soleado", "晴", "مشمس"), "cloudy": ("cloudy", "nuageux", "bewölkt", "nublado", "多云", "غائم"),
    "rain": ("rainy", "pluvieux", "regnerisch", "lluvioso", "有雨", "ممطر"), "snow": ("snowy", "neigeux", "verschneit", "nevado", "有雪",
                                                                                    "مثلج"),
    "windy": ("windy", "venteux", "windig", "ventoso", "有风", "عاصف"), "fog": ("foggy", "brumeux", "neblig", "con niebla", "有雾", "ضبابي"),
}

# Answers by purpose; {v}: what the tool found; other words: the call's own values.
ANSWERS = {
    "en": {"weather": ("In {place} it is {v} degrees and {sky}.", "The weather in {place}: {sky}, {v} degrees."),
           "forecast": ("The next days in {place}: {v} degrees.", "Forecast for {place}: {v} degrees."),
           "time": ("It is {v} in {place}.", "The time in {place} is {v}."),
           "stock": ("The price of {ticker} is {v}.", "{ticker} stands at {v}."),
           "exchange": ("{amount} {money} are {v} {other_money}.", "You get {v} {other_money} for {amount} {money}."),
           "route": ("From {place} to {other_place} it is {v} km.", "The way from {place} to {other_place} is {v} km long."),
           "random": ("The number is {v}.", "I drew {v}."), "timer": ("Done, the timer is set to {minutes} minutes.",
                                                                      "The {minutes}-minute timer is running."),
           "alarm": ("Done, the alarm is set for {clock}.", "I will wake you at {clock}."),
           "heating": ("Done, the temperature is set to {degrees} degrees.", "The heating is now at {degrees} degrees."),
           "message": ("Done, the message to {person} is sent.", "I have sent it to {person}."),
           "compound": ("{thing} {id}: the {attribute} is {v}.", "The {attribute} of {thing} {id} is {v}."),
           "error": ("Sorry, the tool reported an error: {v}.", "That did not work: {v}.")},
    "fr": {"weather": ("À {place}, il fait {v} degrés, temps {sky}.", "Météo de {place} : {sky}, {v} degrés."),
           "forecast": ("Les prochains jours à {place} : {v} degrés.", "Prévisions pour {place} : {v} degrés."),
           "time": ("Il est {v} à {place}.", "L'heure à {place} : {v}."),
           "stock": ("Le cours de {ticker} est de {v}.", "L'action {ticker} vaut {v}."),
           "exchange": ("{amount} {money} font {v} {other_money}.", "Pour {amount} {money}, on obtient {v} {other_money}."),
           "route": ("De {place} à {other_place}, il y a {v} km.", "Le trajet de {place} à {other_place} fait {v} km."),
           "random": ("Le nombre est {v}.", "J'ai tiré {v}."),
           "timer": ("C'est fait, le minuteur est réglé sur {minutes} minutes.", "Le minuteur de {minutes} minutes est lancé."),
           "alarm": ("C'est fait, le réveil est réglé sur {clock}.", "Je vous réveille à {clock}."),
           "heating": ("C'est fait, la température est réglée à {degrees} degrés.", "Le chauffage est maintenant à {degrees} degrés."),
           "message": ("C'est fait, le message est envoyé à {person}.", "Je l'ai envoyé à {person}."),
           "compound": ("Voici {attribute} ({thing} {id}) : {v}.", "{thing} {id} : {v}."),
           "error": ("Désolé, l'outil signale une erreur : {v}.", "Cela n'a pas marché : {v}.")},
    "de": {"weather": ("In {place} sind es {v} Grad und es ist {sky}.", "Das Wetter in {place}: {sky}, {v} Grad."),
           "forecast": ("Die nächsten Tage in {place}: {v} Grad.", "Vorhersage für {place}: {v} Grad."),
           "time": ("In {place} ist es {v} Uhr.", "Die Uhrzeit in {place} ist {v}."),
           "stock": ("Der Kurs von {ticker} ist {v}.", "{ticker} steht bei {v}."),
           "exchange": ("{amount} {money} sind {v} {other_money}.", "Für {amount} {money} bekommen Sie {v} {other_money}."),
           "route": ("Von {place} nach {other_place} sind es {v} km.", "Der Weg von {place} nach {other_place} ist {v} km lang."),
           "random": ("Die Zahl ist {v}.", "Gezogen wurde {v}."),
           "timer": ("Erledigt, der Timer steht auf {minutes} Minuten.", "Der Timer von {minutes} Minuten läuft."),
           "alarm": ("Erledigt, der Wecker steht auf {clock}.", "Ich wecke Sie um {clock}."),
           "heating": ("Erledigt, die Temperatur ist auf {degrees} Grad gestellt.", "Die Heizung steht jetzt auf {degrees} Grad."),
           "message": ("Erledigt, die Nachricht an {person} ist gesendet.", "Ich habe es an {person} geschickt."),
           "compound": ("Ich fand {attribute} ({thing} {id}): {v}.", "{thing} {id}: {v}."),
           "error": ("Leider meldet das Werkzeug einen Fehler: {v}.", "Das hat nicht geklappt: {v}.")},
    "es": {"weather": ("En {place} hay {v} grados y está {sky}.", "El tiempo en {place}: {sky}, {v} grados."),
           "forecast": ("Los próximos días en {place}: {v} grados.", "Pronóstico para {place}: {v} grados."),
           "time": ("La hora en {place} es {v}.", "En {place} son las {v}."),
           "stock": ("El precio de {ticker} es {v}.", "{ticker} está en {v}."),
           "exchange": ("{amount} {money} son {v} {other_money}.", "Por {amount} {money} recibe {v} {other_money}."),
           "route": ("De {place} a {other_place} hay {v} km.", "El camino de {place} a {other_place} es de {v} km."),
           "random": ("El número es {v}.", "Ha salido el {v}."),
           "timer": ("Hecho, el temporizador está en {minutes} minutos.", "El temporizador de {minutes} minutos está en marcha."),
           "alarm": ("Hecho, la alarma está puesta a las {clock}.", "Le despertaré a las {clock}."),
           "heating": ("Hecho, la temperatura está en {degrees} grados.", "La calefacción está ahora a {degrees} grados."),
           "message": ("Hecho, el mensaje a {person} está enviado.", "Se lo he enviado a {person}."),
           "compound": ("Aquí está {attribute} ({thing} {id}): {v}.", "{thing} {id}: {v}."),
           "error": ("Lo siento, la herramienta da un error: {v}.", "No ha funcionado: {v}.")},
    "zh": {"weather": ("{place}现在{v}度，{sky}。", "{place}的天气：{sky}，{v}度。"),
           "forecast": ("{place}接下来几天：{v}度。", "{place}的预报：{v}度。"), "time": ("{place}现在是{v}。", "{place}的时间是{v}。"),
           "stock": ("{ticker}的价格是{v}。", "{ticker}现在是{v}。"), "exchange": ("{amount} {money}是{v} {other_money}。",
                                                                          "{amount} {money}可以换{v} {other_money}。"),
           "route": ("从{place}到{other_place}有{v}公里。", "{place}到{other_place}的路程是{v}公里。"), "random": ("这个数是{v}。", "抽到了{v}。"),
           "timer": ("好了，计时器设为{minutes}分钟。", "{minutes}分钟的计时器已开始。"), "alarm": ("好了，闹钟设在{clock}。", "我会在{clock}叫醒你。"),
           "heating": ("好了，温度设为{degrees}度。", "暖气现在是{degrees}度。"), "message": ("好了，给{person}的消息已发送。", "我已经发给{person}了。"),
           "compound": ("{thing}{id}的{attribute}是{v}。", "查到了，{thing}{id}的{attribute}：{v}。"), "error": ("抱歉，工具报告了错误：{v}。", "没有成功：{v}。")},
    "ar": {"weather": ("الحرارة في {place} {v} درجة والجو {sky}.", "الطقس في {place}: {sky}، {v} درجة."),
           "forecast": ("الأيام القادمة في {place}: {v} درجة.", "توقعات {place}: {v} درجة."), "time": ("الساعة في {place} هي {v}.",
                                                                                                       "الوقت في {place} هو {v}."),
           "stock": ("سعر {ticker} هو {v}.", "وصل {ticker} إلى {v}."),
           "exchange": ("{amount} {money} تساوي {v} {other_money}.", "مقابل {amount} {money} تحصل على {v} {other_money}."),
           "route": ("من {place} إلى {other_place} المسافة {v} كم.", "الطريق من {place} إلى {other_place} طوله {v} كم."),
           "random": ("الرقم هو {v}.", "خرج الرقم {v}."), "timer": ("تم، المؤقت مضبوط على {minutes} دقيقة.",
                                                                    "المؤقت يعمل لمدة {minutes} دقيقة."),
           "alarm": ("تم، المنبه مضبوط على {clock}.", "سأوقظك في {clock}."),
           "heating": ("تم، الحرارة مضبوطة على {degrees} درجة.", "التدفئة الآن على {degrees} درجة."),
           "message": ("تم، أرسلت الرسالة إلى {person}.", "لقد أرسلتها إلى {person}."),
           "compound": ("{attribute} {thing} {id} هو {v}.", "وجدت {attribute} {thing} {id}: {v}."),
           "error": ("عذرا، أبلغت الأداة عن خطأ: {v}.", "لم ينجح ذلك: {v}.")},
}

ERRORS = ("not found", "timeout", "no connection", "access denied", "service unavailable", "unknown id", "limit reached", "invalid key")
# The keys under which a tool may give its value, and the slot that shows a mere "done" worked.
RESULT_KEYS = {"weather": ("temperature", "temp", "temp_c"), "forecast": ("temperatures", "daily", "forecast"), "time": ("time",
                                                                                                                         "local_time",
                                                                                                                         "now"),
               "stock": ("price", "last", "quote"), "exchange": ("result", "converted", "value"), "route": ("distance_km", "km",
                                                                                                            "distance"),
               "random": ("number", "value", "result")}
CONFIRMED = {"timer": "minutes", "alarm": "clock", "heating": "degrees", "message": "person"}
DONE = ('{"status": "ok"}', '{"ok": true}', "ok", "done", '{"success": true}', '{"result": "success"}')
UNITS = {"weight": " kg", "price": " EUR", "size": " cm", "speed": " km/h", "age": " days", "temperature": " °C"}
WORDS = {"color": ("red", "blue", "green", "black", "white"), "status": ("active", "closed", "waiting", "broken", "ready")}


def found_value(rng, purpose, held_out, low=1):
    """What the tool gives back for a purpose; a forecast is a list of numbers."""
    if purpose == "weather":
        return rng.randint(-9, 39)
    if purpose == "forecast":
        return [rng.randint(-5, 36) for _ in range(low)]
    if purpose == "time":
        return f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}"
    if purpose in ("stock", "exchange"):
        cents = number(rng, purpose, held_out, 101, 99999)
        return cents / 100 if cents % 100 else cents // 100
    return number(rng, purpose, held_out, 11, 2500)


def compound_value(rng, attribute, held_out):
    """A value with its unit, a word, or a made-up code."""
    if attribute in WORDS:
        return rng.choice(WORDS[attribute])
    if attribute in UNITS:
        return f"{number(rng, attribute, held_out, 2, 990)}{UNITS[attribute]}"
    return code(rng, held_out, 3, 2)


def written(rng, fields):
    """The result as a tool writes it: JSON, or lines of plain text."""
    if rng.random() < 0.75:
        return json.dumps(fields, ensure_ascii=False, separators=rng.choice(((", ", ": "), (",", ":"))))
    return rng.choice((", ", "\n")).join(f"{k}: {json.dumps(v) if isinstance(v, list) else v}" for k, v in fields.items())


def result_of(rng, offered, arguments, language, held_out):
    """The tool's content, the sentence that tells it, and the values that this must hold."""
    slots = {slot: arguments[name] for slot, name in offered.names.items()}
    answers, purpose = ANSWERS[language], "compound" if isinstance(offered, Compound) else offered.purpose
    if rng.random() < 0.08:
        error = rng.choice(ERRORS)
        return written(rng, {"error": error}), rng.choice(answers["error"]).format(v=error), [error]
    answer = rng.choice(answers[purpose])
    if purpose in CONFIRMED:
        return rng.choice(DONE), answer.format(**slots), [str(slots[CONFIRMED[purpose]])]
    if purpose == "compound":
        attribute = offered.purpose.split(" of ")[0]
        value = compound_value(rng, attribute, held_out)
        told = answer.format(v=value, id=slots["id"], **offered.words)
        fields = {attribute: value} if rng.random() < 0.5 else {next(iter(arguments)): slots["id"], attribute: value}
        return written(rng, fields) if rng.random() < 0.7 else value, upper_first(told), [value]
    value = found_value(rng, purpose, held_out, min(slots.get("days", 1), 4))
    shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    fields, needed = {rng.choice(RESULT_KEYS[purpose]): value}, list(map(str, value)) if isinstance(value, list) else [shown]
    if purpose == "weather":
        sky = rng.choice(tuple(SKIES))
        fields[rng.choice(("sky", "condition", "weather"))] = sky
        slots["sky"] = SKIES[sky][LANGUAGES.index(language)]
        needed.append(slots["sky"])
    if rng.random() < 0.3:
        fields = {**{k: v for k, v in arguments.items() if k not in fields}, **fields}
    return written(rng, fields), answer.format(v=shown, **slots), needed


def asked(rng, language, held_out, offered):
    """A tool and a question that it serves, with the call."""
    tool = served(rng, language, held_out, offered)
    while not isinstance(tool, Compound) and tool.purpose not in ANSWERS[language]:
        tool = served(rng, language, held_out, offered)
    question, calls = one_question(rng, tool, language, held_out)
    return tool, question, calls


def make(rng, language, held_out):
    offered, questions, calls, answers, checks, results = [], [], [], [], [], []
    for _ in range(2 if rng.random() < 0.3 else 1):
        tool, question, call = asked(rng, language, held_out, offered)
        content, told, needed = result_of(rng, tool, call[0][1], language, held_out)
        offered.append(tool)
        questions.append(question)
        calls += call
        results.append(content)
        answers.append(told)
        checks += [contains_check(v) for v in needed]
    question = questions[0] if len(questions) == 1 else rng.choice(JOINED[language]).format(*map(upper_first, questions))
    if rng.random() < 0.4:
        offered.append(served(rng, language, held_out, offered))
    messages = [{"role": "user", "content": question}, reply("", calls=calls)]
    messages += [{"role": "tool", "tool_call_id": f"call_{i}", "content": content} for i, content in enumerate(results)]
    content = ("" if language == "zh" else " ").join(answers)
    if len(content) >= ENOUGH_TO_KNOW:
        checks.append(language_check(language))
    messages.append(reply(content))
    return Example(KIND, language, messages, [o.tool for o in offered], False, checks)


def verify(example):
    """Each value that is checked stands in a result or in a call; a word of the weather, in the table."""
    given = "\n".join(m["content"] + json.dumps(m.get("tool_calls", ""), ensure_ascii=False) for m in example.messages[1:-1])
    skies = {words[LANGUAGES.index(example.language)]: sky for sky, words in SKIES.items()}
    values = [c["values"][0] for c in example.checks if c["type"] == "contains"]
    return bool(values) and all(skies.get(v, v) in given for v in values)
