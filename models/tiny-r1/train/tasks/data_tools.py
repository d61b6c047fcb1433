"""Tools by what they do. Each purpose has slots with types, several tools that serve it under other names and parameter names, and per
language a description and the questions (the last are held out). A row goes on in a line that begins with a bar."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Purpose:
    slots: dict      # slot -> JSON type, or a tuple of the enum's values
    tools: tuple     # (name, description, parameter names in the slots' order)
    texts: dict      # language -> (description, questions)


def purpose(slots, tools, rows):
    texts = {}
    for row in rows.strip().replace("\n|", "|").splitlines():
        language, description, *questions = row.split("|")
        texts[language] = (description, questions)
    return Purpose(slots, tools, texts)


PURPOSES = {
    "weather": purpose({"place": "string"}, (
        ("get_weather", "Get the current weather in a city.", ("city",)),
        ("weather_now", "Returns the weather of a place right now.", ("location",)),
        ("current_weather", "Weather report for a town.", ("place",))), """
en|Current weather of a city|What is the weather in {place}?|How is the weather in {place}?|weather {place}|Is it warm in {place} now?
|Tell me the weather in {place}.|What's it like outside in {place}?|Is it raining in {place}?
fr|Météo actuelle d'une ville|Quel temps fait-il à {place} ?|Quelle est la météo à {place} ?|météo {place}|Est-ce qu'il pleut à {place} ?
|Donne-moi la météo de {place}.|Fait-il chaud à {place} ?|Il fait quel temps à {place} en ce moment ?
de|Aktuelles Wetter einer Stadt|Wie ist das Wetter in {place}?|Welches Wetter hat {place}?|wetter {place}|Regnet es in {place}?
|Sag mir das Wetter in {place}.|Ist es warm in {place}?|Wie sieht das Wetter gerade in {place} aus?
es|Tiempo actual de una ciudad|¿Qué tiempo hace en {place}?|¿Cómo está el tiempo en {place}?|tiempo en {place}|¿Llueve en {place}?
|Dime el tiempo en {place}.|¿Hace calor en {place}?|¿Qué clima hay ahora en {place}?
zh|查询城市当前天气|{place}的天气怎么样？|{place}现在天气如何？|{place}天气|{place}下雨吗？|告诉我{place}的天气。|{place}热不热？|{place}今天是什么天气？
ar|الطقس الحالي في مدينة|كيف الطقس في {place}؟|ما حالة الطقس في {place}؟|طقس {place}|هل تمطر في {place}؟|أخبرني عن الطقس في {place}.
|هل الجو حار في {place}؟|كيف الجو الآن في {place}؟
"""),
    "forecast": purpose({"place": "string", "days": "integer"}, (
        ("get_forecast", "Weather forecast for the next days.", ("city", "days")),
        ("weather_forecast", "Forecast for a place and a number of days.", ("location", "n_days")),
        ("forecast", "Returns a forecast.", ("place", "day_count"))), """
en|Weather forecast for some days|What is the forecast for {place} for the next {days} days?|Forecast for {place}, {days} days
|Give me a {days}-day forecast for {place}.|How will the weather be in {place} over the next {days} days?
|I need the {days}-day weather outlook for {place}.
fr|Prévisions météo pour plusieurs jours|Quelles sont les prévisions pour {place} sur {days} jours ?|Prévisions {place}, {days} jours
|Donne-moi la météo de {place} pour les {days} prochains jours.|Quel temps fera-t-il à {place} dans les {days} prochains jours ?
|Il me faut les prévisions à {days} jours pour {place}.
de|Wettervorhersage für mehrere Tage|Wie ist die Vorhersage für {place} für {days} Tage?|Vorhersage {place}, {days} Tage
|Gib mir das Wetter in {place} für die nächsten {days} Tage.|Wie wird das Wetter in {place} in den nächsten {days} Tagen?
|Ich brauche eine Vorhersage über {days} Tage für {place}.
es|Pronóstico del tiempo para varios días|¿Cuál es el pronóstico para {place} en {days} días?|pronóstico {place}, {days} días
|Dame el tiempo en {place} para los próximos {days} días.|¿Qué tiempo hará en {place} los próximos {days} días?
|Necesito el pronóstico de {days} días para {place}.
zh|未来几天的天气预报|{place}未来{days}天的天气怎么样？|{place}{days}天天气预报|告诉我{place}接下来{days}天的天气。|未来{days}天{place}天气如何？|我要{place}{days}天的预报。
ar|توقعات الطقس لعدة أيام|ما توقعات الطقس في {place} خلال {days} أيام؟|توقعات {place}، {days} أيام
|أعطني طقس {place} للأيام {days} القادمة.|كيف سيكون الطقس في {place} خلال {days} أيام؟|أحتاج توقعات {days} أيام لمدينة {place}.
"""),
    "time": purpose({"place": "string"}, (
        ("get_time", "Current time in a city.", ("city",)),
        ("local_time", "Tells the local time of a location.", ("location",)),
        ("world_clock", "What time it is somewhere.", ("place",))), """
en|Local time of a city|What time is it in {place}?|time in {place}?|Tell me the time in {place}.|What is the local time in {place}?
|How late is it now in {place}?
fr|Heure locale d'une ville|Quelle heure est-il à {place} ?|heure à {place} ?|Donne-moi l'heure à {place}.
|Quelle est l'heure locale à {place} ?|Il est quelle heure maintenant à {place} ?
de|Ortszeit einer Stadt|Wie spät ist es in {place}?|uhrzeit in {place}?|Sag mir die Uhrzeit in {place}.|Wie viel Uhr ist es in {place}?
|Welche Ortszeit hat {place} gerade?
es|Hora local de una ciudad|¿Qué hora es en {place}?|hora en {place}|Dime la hora en {place}.|¿Cuál es la hora local en {place}?
|¿Qué hora tienen ahora en {place}?
zh|查询城市当地时间|{place}现在几点？|{place}时间|告诉我{place}的时间。|{place}的当地时间是多少？|{place}那边几点了？
ar|الوقت المحلي في مدينة|كم الساعة في {place}؟|الوقت في {place}|أخبرني الوقت في {place}.|ما الوقت المحلي في {place}؟
|كم الساعة الآن عند أهل {place}؟
"""),
    "message": purpose({"person": "string", "text": "string"}, (
        ("send_message", "Send a text message to someone.", ("recipient", "text")),
        ("send_sms", "Sends an SMS.", ("to", "message")),
        ("text_contact", "Write to a contact.", ("contact", "body"))), """
en|Sends a message to a person|Send {person} the message "{text}"|Write to {person}: "{text}"|Text "{text}" to {person}.
|Please message {person}: "{text}"|Let {person} have this text: "{text}"
fr|Envoie un message à quelqu'un|Envoie à {person} le message « {text} »|Écris à {person} : « {text} »|Envoie « {text} » à {person}.
|Message pour {person} : « {text} »|Fais parvenir ce texte à {person} : « {text} »
de|Sendet einer Person eine Nachricht|Schick {person} die Nachricht „{text}“|Schreib an {person}: „{text}“|Sende „{text}“ an {person}.
|Nachricht an {person}: „{text}“|Lass {person} diesen Text zukommen: „{text}“
es|Envía un mensaje a una persona|Envía a {person} el mensaje «{text}»|Escribe a {person}: «{text}»|Manda «{text}» a {person}.
|Mensaje para {person}: «{text}»|Haz llegar este texto a {person}: «{text}»
zh|给某人发送消息|给{person}发消息：“{text}”|发给{person}：“{text}”|把“{text}”发给{person}。|请发消息给{person}：“{text}”|替我给{person}写：“{text}”
ar|إرسال رسالة إلى شخص|أرسل إلى {person} الرسالة "{text}"|اكتب إلى {person}: "{text}"|أرسل "{text}" إلى {person}.
|رسالة إلى {person}: "{text}"|أوصل هذا النص إلى {person}: "{text}"
"""),
    "timer": purpose({"minutes": "integer"}, (
        ("set_timer", "Starts a timer.", ("minutes",)),
        ("start_countdown", "Count down some minutes.", ("duration",)),
        ("timer", "A kitchen timer in minutes.", ("length",))), """
en|Starts a timer of some minutes|Set a timer for {minutes} minutes.|timer {minutes} minutes|Start a {minutes}-minute timer, please.
|Count down {minutes} minutes.|Remind me when {minutes} minutes are over.
fr|Lance un minuteur|Mets un minuteur de {minutes} minutes.|minuteur {minutes} minutes
|Lance un minuteur de {minutes} minutes, s'il te plaît.|Compte {minutes} minutes.|Préviens-moi quand {minutes} minutes seront passées.
de|Startet einen Timer in Minuten|Stell einen Timer auf {minutes} Minuten.|timer {minutes} minuten
|Starte bitte einen Timer von {minutes} Minuten.|Zähl {minutes} Minuten herunter.|Sag Bescheid, wenn {minutes} Minuten um sind.
es|Inicia un temporizador|Pon un temporizador de {minutes} minutos.|temporizador {minutes} minutos
|Inicia un temporizador de {minutes} minutos, por favor.|Cuenta {minutes} minutos.|Avísame cuando pasen {minutes} minutos.
zh|设置几分钟的计时器|设一个{minutes}分钟的计时器。|计时{minutes}分钟|请开始{minutes}分钟倒计时。|定时{minutes}分钟。|{minutes}分钟后提醒我。
ar|تشغيل مؤقت بالدقائق|اضبط مؤقتا لمدة {minutes} دقيقة.|مؤقت {minutes} دقيقة|شغل مؤقتا من {minutes} دقيقة من فضلك.|عد {minutes} دقيقة.
|نبهني بعد مرور {minutes} دقيقة.
"""),
    "alarm": purpose({"clock": "string"}, (
        ("set_alarm", "Set an alarm at a time (HH:MM).", ("time",)),
        ("wake_up_call", "Wakes the user.", ("at",)),
        ("create_alarm", "New alarm clock entry.", ("when",))), """
en|Sets an alarm at HH:MM|Set an alarm for {clock}.|alarm {clock}|Wake me at {clock}.|Please set my alarm to {clock}.
|I have to get up at {clock}, set the alarm.
fr|Règle un réveil à HH:MM|Mets une alarme à {clock}.|alarme {clock}|Réveille-moi à {clock}.|Règle mon réveil sur {clock}, s'il te plaît.
|Je dois me lever à {clock}, mets le réveil.
de|Stellt einen Wecker auf HH:MM|Stell einen Wecker auf {clock}.|wecker {clock}|Weck mich um {clock}.
|Bitte den Wecker auf {clock} stellen.|Ich muss um {clock} aufstehen, stell den Wecker.
es|Pone una alarma a las HH:MM|Pon una alarma a las {clock}.|alarma {clock}|Despiértame a las {clock}.
|Por favor, pon el despertador a las {clock}.|Tengo que levantarme a las {clock}, pon la alarma.
zh|设置闹钟，时间为HH:MM|设一个{clock}的闹钟。|闹钟{clock}|{clock}叫醒我。|请把闹钟设到{clock}。|我要{clock}起床，请定闹钟。
ar|ضبط منبه على HH:MM|اضبط منبها على {clock}.|منبه {clock}|أيقظني في {clock}.|من فضلك اضبط المنبه على الساعة {clock}.
|يجب أن أستيقظ في {clock}، اضبط المنبه.
"""),
    "exchange": purpose({"amount": "integer", "money": "string", "other_money": "string"}, (
        ("convert_currency", "Converts an amount of money.", ("amount", "from", "to")),
        ("exchange_money", "Exchange at today's rate.", ("sum", "source", "target")),
        ("fx_rate", "Currency exchange.", ("value", "base", "quote"))), """
en|Converts money between currencies|Convert {amount} {money} to {other_money}.|{amount} {money} in {other_money}?
|How much is {amount} {money} in {other_money}?|Exchange {amount} {money} for {other_money}.
|What do I get in {other_money} for {amount} {money}?
fr|Convertit de l'argent entre monnaies|Convertis {amount} {money} en {other_money}.|{amount} {money} en {other_money} ?
|Combien font {amount} {money} en {other_money} ?|Change {amount} {money} en {other_money}.
|Que vaut en {other_money} la somme de {amount} {money} ?
de|Rechnet Geld zwischen Währungen um|Rechne {amount} {money} in {other_money} um.|{amount} {money} in {other_money}?
|Wie viel sind {amount} {money} in {other_money}?|Tausche {amount} {money} in {other_money}.
|Was bekomme ich in {other_money} für {amount} {money}?
es|Convierte dinero entre monedas|Convierte {amount} {money} a {other_money}.|¿{amount} {money} en {other_money}?
|¿Cuánto son {amount} {money} en {other_money}?|Cambia {amount} {money} a {other_money}.|¿Qué recibo en {other_money} por {amount} {money}?
zh|货币换算|把{amount} {money}换成{other_money}。|{amount} {money}是多少{other_money}？|{amount} {money}等于多少{other_money}？
|换算{amount} {money}到{other_money}。|我想知道{amount} {money}能换多少{other_money}。
ar|تحويل المال بين العملات|حول {amount} {money} إلى {other_money}.|{amount} {money} كم {other_money}؟
|كم يساوي {amount} {money} بعملة {other_money}؟|بدل {amount} {money} إلى {other_money}.|على كم {other_money} أحصل مقابل {amount} {money}؟
"""),
    "music": purpose({"person": "string"}, (
        ("play_music", "Plays songs of an artist.", ("artist",)),
        ("start_playlist", "Start music by someone.", ("singer",)),
        ("music_player", "Music player: choose the performer.", ("performer",))), """
en|Plays music of an artist|Play music by {person}.|play {person}|I want to hear songs by {person}.|Put on something by {person}, please.
|Let's listen to {person}.
fr|Joue la musique d'un artiste|Joue de la musique de {person}.|musique de {person}|Je veux écouter des chansons de {person}.
|Mets quelque chose de {person}, s'il te plaît.|Écoutons {person}.
de|Spielt Musik eines Künstlers|Spiel Musik von {person}.|musik von {person}|Ich möchte Lieder von {person} hören.
|Mach bitte etwas von {person} an.|Lass uns {person} hören.
es|Reproduce música de un artista|Pon música de {person}.|música de {person}|Quiero escuchar canciones de {person}.
|Pon algo de {person}, por favor.|Escuchemos a {person}.
zh|播放歌手的音乐|播放{person}的音乐。|放{person}的歌|我想听{person}的歌。|请放一首{person}的歌。|来点{person}的音乐吧。
ar|تشغيل موسيقى لفنان|شغل موسيقى {person}.|أغاني {person}|أريد سماع أغاني {person}.|ضع شيئا لـ {person} من فضلك.|دعنا نستمع إلى {person}.
"""),
    "light": purpose({"room": ("kitchen", "bedroom", "bathroom", "garage"), "on": "boolean"}, (
        ("set_light", "Switch the light of a room.", ("room", "on")),
        ("switch_lamp", "Lamp control.", ("lamp", "state")),
        ("light_control", "Turns lights on (true) or off (false).", ("where", "turn_on"))), """
en|Switches the light of a room on or off|Turn {on} the light in the {room}.|Switch {on} the {room} light.|{room} light {on}
|Please turn {on} the lamp in the {room}.|Light {on} in the {room}!
fr|Allume ou éteint la lumière d'une pièce|{on} la lumière : {room}.|{on} la lampe de cette pièce : {room}.|{room} : {on} la lumière
|S'il te plaît, {on} la lumière ({room}).|Peux-tu faire ceci : {on} la lampe, {room} ?
de|Schaltet das Licht eines Raums|Schalte das Licht {on}: {room}.|Licht {on}: {room}.|{room}: Licht {on}
|Bitte das Licht {on}schalten: {room}.|Kannst du das Licht {on}schalten? Raum: {room}
es|Enciende o apaga la luz de una habitación|{on} la luz: {room}.|{on} la lámpara de: {room}.|{room}: {on} la luz
|Por favor, {on} la luz ({room}).|Haz esto: {on} la lámpara, {room}.
zh|打开或关闭房间的灯|{on}{room}的灯。|请{on}{room}灯。|{room}灯{on}|把{room}的灯{on}。|帮我{on}{room}里的灯。
ar|تشغيل أو إطفاء ضوء الغرفة|{on} ضوء {room}.|{on} المصباح في {room}.|ضوء {room}: {on}|من فضلك {on} النور في {room}.
|هل يمكن: {on} مصباح {room}؟
"""),
    "search": purpose({"topic": "string"}, (
        ("web_search", "Search the web.", ("query",)),
        ("search", "Finds pages about something.", ("q",)),
        ("look_up", "Looks up a topic online.", ("topic",))), """
en|Searches the internet|Search the web for "{topic}".|Look up "{topic}".|search: {topic}|Find pages about "{topic}".
|Please google "{topic}" for me.
fr|Cherche sur internet|Cherche « {topic} » sur internet.|Recherche « {topic} ».|cherche : {topic}|Trouve des pages sur « {topic} ».
|Regarde sur le web pour « {topic} ».
de|Sucht im Internet|Suche im Internet nach „{topic}“.|Such nach „{topic}“.|suche: {topic}|Finde Seiten über „{topic}“.
|Schau bitte im Netz nach „{topic}“.
es|Busca en internet|Busca «{topic}» en internet.|Haz una búsqueda de «{topic}».|busca: {topic}|Encuentra páginas sobre «{topic}».
|Mira en la web «{topic}».
zh|在网上搜索|在网上搜索“{topic}”。|搜一下“{topic}”。|搜索：{topic}|查找关于“{topic}”的网页。|请上网查“{topic}”。
ar|البحث في الإنترنت|ابحث في الإنترنت عن "{topic}".|ابحث عن "{topic}".|بحث: {topic}|جد صفحات عن "{topic}".|انظر في الشبكة عن "{topic}".
"""),
    "stock": purpose({"ticker": "string"}, (
        ("get_stock_price", "Price of a stock by its symbol.", ("symbol",)),
        ("stock_quote", "Latest quote.", ("ticker",)),
        ("share_price", "Returns a share's price.", ("code",))), """
en|Price of a share|What is the stock price of {ticker}?|price of {ticker} shares?|How much is one {ticker} share?
|Get me the quote for {ticker}.|Where does the {ticker} stock stand?
fr|Cours d'une action|Quel est le cours de l'action {ticker} ?|cours {ticker} ?|Combien vaut une action {ticker} ?
|Donne-moi la cotation de {ticker}.|Où en est l'action {ticker} ?
de|Kurs einer Aktie|Wie ist der Kurs der Aktie {ticker}?|kurs {ticker}?|Wie viel kostet eine Aktie von {ticker}?
|Gib mir den Kurs von {ticker}.|Wo steht die Aktie {ticker}?
es|Precio de una acción|¿Cuál es el precio de la acción {ticker}?|¿precio {ticker}?|¿Cuánto vale una acción de {ticker}?
|Dame la cotización de {ticker}.|¿Cómo va la acción {ticker}?
zh|查询股票价格|{ticker}的股价是多少？|{ticker}股价|一股{ticker}多少钱？|给我{ticker}的报价。|{ticker}这只股票现在怎么样？
ar|سعر سهم|ما سعر سهم {ticker}؟|سعر {ticker}؟|كم ثمن سهم {ticker}؟|أعطني سعر {ticker} الحالي.|أين وصل سهم {ticker}؟
"""),
    "route": purpose({"place": "string", "other_place": "string"}, (
        ("get_route", "Route between two places.", ("origin", "destination")),
        ("find_trains", "Train connections.", ("from", "to")),
        ("plan_trip", "Plans a trip.", ("start", "end"))), """
en|Route between two places|How do I get from {place} to {other_place}?|Route from {place} to {other_place}
|Plan a trip from {place} to {other_place}.|I want to travel from {place} to {other_place}.|Show me the way from {place} to {other_place}.
fr|Itinéraire entre deux lieux|Comment aller de {place} à {other_place} ?|trajet de {place} à {other_place}
|Prévois un voyage de {place} à {other_place}.|Je veux aller de {place} à {other_place}.|Montre-moi le chemin de {place} à {other_place}.
de|Strecke zwischen zwei Orten|Wie komme ich von {place} nach {other_place}?|Strecke von {place} nach {other_place}
|Plane eine Reise von {place} nach {other_place}.|Ich will von {place} nach {other_place}.|Zeig mir den Weg von {place} nach {other_place}.
es|Ruta entre dos lugares|¿Cómo voy de {place} a {other_place}?|ruta de {place} a {other_place}
|Planea un viaje de {place} a {other_place}.|Quiero ir de {place} a {other_place}.|Muéstrame el camino de {place} a {other_place}.
zh|两地之间的路线|从{place}到{other_place}怎么走？|{place}到{other_place}的路线|计划从{place}到{other_place}的行程。|我想从{place}去{other_place}。
|告诉我从{place}到{other_place}的路。
ar|الطريق بين مكانين|كيف أذهب من {place} إلى {other_place}؟|الطريق من {place} إلى {other_place}|خطط رحلة من {place} إلى {other_place}.
|أريد السفر من {place} إلى {other_place}.|أرني المسار من {place} إلى {other_place}.
"""),
    "todo": purpose({"task": "string"}, (
        ("add_todo", "Adds a task to the list.", ("task",)),
        ("add_to_list", "Put an item on the to-do list.", ("item",)),
        ("create_note", "Write a note.", ("content",))), """
en|Adds an entry to the list|Add "{task}" to my list.|Put "{task}" on the list.|note: {task}|Please write down "{task}".
|Don't let me forget "{task}".
fr|Ajoute une entrée à la liste|Ajoute « {task} » à ma liste.|Mets « {task} » sur la liste.|à noter : {task}
|Note « {task} », s'il te plaît.|Rappelle-moi « {task} » sur la liste.
de|Fügt der Liste einen Eintrag hinzu|Setz „{task}“ auf meine Liste.|Füge „{task}“ zur Liste hinzu.|notiz: {task}
|Bitte schreib „{task}“ auf.|Merk dir „{task}“ für mich.
es|Añade una entrada a la lista|Añade «{task}» a mi lista.|Pon «{task}» en la lista.|nota: {task}|Por favor, apunta «{task}».
|Que no se me olvide «{task}».
zh|在清单里添加一项|把“{task}”加到我的清单。|清单里加上“{task}”。|记下：{task}|请记下“{task}”。|别让我忘了“{task}”。
ar|إضافة بند إلى القائمة|أضف "{task}" إلى قائمتي.|ضع "{task}" في القائمة.|ملاحظة: {task}|من فضلك سجل "{task}".|لا تدعني أنسى "{task}".
"""),
    "heating": purpose({"degrees": "integer"}, (
        ("set_temperature", "Set the room temperature.", ("degrees",)),
        ("thermostat", "Controls the heating.", ("target",)),
        ("heat_to", "Heats the house.", ("celsius",))), """
en|Sets the temperature|Set the temperature to {degrees} degrees.|heating {degrees} degrees|Heat the room to {degrees} degrees.
|Please set the thermostat to {degrees}.|I want it {degrees} degrees in here.
fr|Règle la température|Règle la température à {degrees} degrés.|chauffage {degrees} degrés|Chauffe la pièce à {degrees} degrés.
|Mets le thermostat à {degrees}, s'il te plaît.|Je veux {degrees} degrés ici.
de|Stellt die Temperatur ein|Stell die Temperatur auf {degrees} Grad.|heizung {degrees} grad|Heize das Zimmer auf {degrees} Grad.
|Bitte den Thermostat auf {degrees} stellen.|Ich will es hier {degrees} Grad haben.
es|Ajusta la temperatura|Pon la temperatura a {degrees} grados.|calefacción {degrees} grados|Calienta el cuarto a {degrees} grados.
|Por favor, pon el termostato a {degrees}.|Quiero {degrees} grados aquí.
zh|设置温度|把温度调到{degrees}度。|暖气{degrees}度|把房间加热到{degrees}度。|请把恒温器设为{degrees}。|我想让这里有{degrees}度。
ar|ضبط درجة الحرارة|اضبط الحرارة على {degrees} درجة.|تدفئة {degrees} درجة|سخن الغرفة إلى {degrees} درجة.
|من فضلك اضبط المنظم على {degrees}.|أريد هنا {degrees} درجة.
"""),
    "random": purpose({"low": "integer", "high": "integer"}, (
        ("random_number", "A random number in a range.", ("min", "max")),
        ("roll", "Draws a number by chance.", ("low", "high")),
        ("pick_number", "Picks a number.", ("first", "last"))), """
en|Random number in a range|Give me a random number between {low} and {high}.|random number {low} to {high}
|Pick a number from {low} to {high}.|Draw any number between {low} and {high}, please.|Choose by chance between {low} and {high}.
fr|Nombre au hasard|Donne-moi un nombre au hasard entre {low} et {high}.|nombre au hasard {low} à {high}
|Choisis un nombre de {low} à {high}.|Tire un nombre entre {low} et {high}, s'il te plaît.|Prends au hasard entre {low} et {high}.
de|Zufallszahl in einem Bereich|Gib mir eine Zufallszahl zwischen {low} und {high}.|zufallszahl {low} bis {high}
|Wähle eine Zahl von {low} bis {high}.|Zieh bitte eine Zahl zwischen {low} und {high}.|Nimm zufällig etwas zwischen {low} und {high}.
es|Número al azar|Dame un número al azar entre {low} y {high}.|número al azar {low} a {high}|Elige un número de {low} a {high}.
|Saca un número entre {low} y {high}, por favor.|Escoge por azar entre {low} y {high}.
zh|范围内的随机数|给我一个{low}到{high}之间的随机数。|随机数{low}到{high}|从{low}到{high}选一个数。|请在{low}和{high}之间抽一个数。|随便取{low}到{high}中的一个数。
ar|رقم عشوائي|أعطني رقما عشوائيا بين {low} و {high}.|رقم عشوائي من {low} إلى {high}|اختر رقما من {low} إلى {high}.
|اسحب رقما بين {low} و {high} من فضلك.|خذ بالصدفة رقما بين {low} و {high}.
"""),
}

# Compound tools: the attribute of a thing, by its identifier. word forms: en fr de es zh ar.
ATTRIBUTES = {
    "weight": ("weight", "le poids", "das Gewicht", "el peso", "重量", "وزن"),
    "price": ("price", "le prix", "den Preis", "el precio", "价格", "سعر"),
    "color": ("colour", "la couleur", "die Farbe", "el color", "颜色", "لون"),
    "status": ("status", "l'état", "den Status", "el estado", "状态", "حالة"),
    "owner": ("owner", "le propriétaire", "den Besitzer", "el dueño", "主人", "مالك"),
    "size": ("size", "la taille", "die Größe", "el tamaño", "大小", "حجم"),
    "speed": ("speed", "la vitesse", "die Geschwindigkeit", "la velocidad", "速度", "سرعة"),
    "age": ("age", "l'âge", "das Alter", "la edad", "年龄", "عمر"),
    "address": ("address", "l'adresse", "die Adresse", "la dirección", "地址", "عنوان"),
    "temperature": ("temperature", "la température", "die Temperatur", "la temperatura", "温度", "حرارة"),
}
THINGS = {
    "package": ("package", "colis", "Paket", "paquete", "包裹", "الطرد"),
    "order": ("order", "commande", "Bestellung", "pedido", "订单", "الطلب"),
    "product": ("product", "produit", "Produkt", "producto", "产品", "المنتج"),
    "robot": ("robot", "robot", "Roboter", "robot", "机器人", "الروبوت"),
    "room": ("room", "chambre", "Raum", "sala", "房间", "الغرفة"),
    "ship": ("ship", "navire", "Schiff", "barco", "船", "السفينة"),
    "server": ("server", "serveur", "Server", "servidor", "服务器", "الخادم"),
    "machine": ("machine", "machine", "Maschine", "máquina", "机器", "الآلة"),
    "animal": ("animal", "animal", "Tier", "animal", "动物", "الحيوان"),
    "truck": ("truck", "camion", "Lastwagen", "camión", "卡车", "الشاحنة"),
}
COMPOUND_QUESTIONS = {
    "en": ["What is the {attribute} of {thing} {id}?", "{attribute} of {thing} {id}?", "Tell me the {attribute} of {thing} {id}.",
           "I need the {attribute} of {thing} {id}.", "Please check the {attribute} of {thing} {id}.",
           "Look up the {attribute}: {thing} {id}.",
           "Could you find the {attribute} of {thing} {id}?", "{thing} {id}: what {attribute}?"],
    "fr": ["Donne-moi {attribute} : {thing} {id}.", "{attribute}, {thing} {id} ?", "Je voudrais {attribute}, {thing} {id}.",
           "Cherche {attribute} pour : {thing} {id}.", "Peux-tu me dire {attribute} ? {thing} {id}", "{thing} {id} : donne {attribute}.",
           "Trouve {attribute} ({thing} {id}).", "Il me faut {attribute}, {thing} {id}."],
    "de": ["Nenne mir {attribute}: {thing} {id}.", "Gib mir {attribute} für {thing} {id}.", "Ich brauche {attribute}, {thing} {id}.",
           "Suche {attribute} für {thing} {id}.", "Kannst du {attribute} nennen? {thing} {id}", "{thing} {id}: nenne {attribute}.",
           "Finde {attribute} ({thing} {id}).", "Ich möchte {attribute} wissen: {thing} {id}."],
    "es": ["Dime {attribute}: {thing} {id}.", "Necesito {attribute} de: {thing} {id}.", "Quiero saber {attribute}, {thing} {id}.",
           "Busca {attribute} para {thing} {id}.", "¿Puedes decirme {attribute}? {thing} {id}", "{thing} {id}: dime {attribute}.",
           "Encuentra {attribute} ({thing} {id}).", "Me hace falta {attribute}, {thing} {id}."],
    "zh": ["{thing}{id}的{attribute}是多少？", "{thing}{id}的{attribute}？", "告诉我{thing}{id}的{attribute}。", "查一下{thing}{id}的{attribute}。",
           "我要{thing}{id}的{attribute}。",
           "请查{thing}{id}的{attribute}。", "{thing}{id}，{attribute}是什么？", "能找到{thing}{id}的{attribute}吗？"],
    "ar": ["ما {attribute} {thing} {id}؟", "{attribute} {thing} {id}؟", "أخبرني {attribute} {thing} {id}.",
           "أريد {attribute} {thing} {id}.",
           "ابحث عن {attribute} {thing} {id}.", "تحقق من {attribute} {thing} {id}.", "هل تجد {attribute} {thing} {id}؟",
           "أحتاج {attribute} {thing} {id}."],
}

ROOMS = {"kitchen": ("kitchen", "cuisine", "Küche", "cocina", "厨房", "المطبخ"),
         "bedroom": ("bedroom", "chambre", "Schlafzimmer", "dormitorio", "卧室", "غرفة النوم"),
         "bathroom": ("bathroom", "salle de bains", "Bad", "baño", "浴室", "الحمام"),
         "garage": ("garage", "garage", "Garage", "garaje", "车库", "المرآب")}
SWITCHES = {True: ("on", "allume", "ein", "enciende", "打开", "شغل"), False: ("off", "éteins", "aus", "apaga", "关闭", "أطفئ")}
MONEY = "EUR USD GBP JPY CNY CHF SEK MXN INR EGP".split()
TOPICS = {
    "en": ("history of {}", "hotels in {}", "best food in {}", "museums {}", "news from {}"),
    "fr": ("histoire de {}", "hôtels à {}", "restaurants à {}", "musées {}", "nouvelles de {}"),
    "de": ("Geschichte von {}", "Hotels in {}", "Essen in {}", "Museen {}", "Neues aus {}"),
    "es": ("historia de {}", "hoteles en {}", "comida en {}", "museos {}", "noticias de {}"),
    "zh": ("{}的历史", "{}酒店", "{}美食", "{}博物馆", "{}新闻"),
    "ar": ("تاريخ {}", "فنادق {}", "مطاعم {}", "متاحف {}", "أخبار {}"),
}
TASKS = {
    "en": ("call {}", "buy milk", "write to {}", "water the plants", "visit {}", "pay the rent", "gift for {}", "clean the kitchen"),
    "fr": ("appeler {}", "acheter du lait", "écrire à {}", "arroser les plantes", "voir {}", "payer le loyer", "cadeau pour {}", "ranger"),
    "de": ("{} anrufen", "Milch kaufen", "an {} schreiben", "Blumen gießen", "{} besuchen", "Miete zahlen", "Geschenk für {}", "putzen"),
    "es": ("llamar a {}", "comprar leche", "escribir a {}", "regar las plantas", "visitar a {}", "pagar el alquiler", "regalo para {}",
           "limpiar"),
    "zh": ("给{}打电话", "买牛奶", "给{}写信", "浇花", "看望{}", "交房租", "{}的礼物", "打扫厨房"),
    "ar": ("الاتصال بـ {}", "شراء الحليب", "الكتابة إلى {}", "سقي النباتات", "زيارة {}", "دفع الإيجار", "هدية لـ {}", "تنظيف المطبخ"),
}
