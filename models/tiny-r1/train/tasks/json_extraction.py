"""A text of a few sentences and the fields wanted: the answer is one JSON object on one line."""

import json

from tasks import ask, draw, json_check, pick
from tasks.data_names import made_up_place, people, person, place

KIND = "json_extraction"

INTEGER, STRING, NUMBER, BOOLEAN, LIST = "integer", "string", "number", "boolean", "array"

# Each subject: field -> type, and per language the sentences; a sentence holds the fields it tells. The last ones are held out.
SUBJECTS = {
    "person": {
        "fields": {"name": STRING, "age": INTEGER, "city": STRING},
        "en": ["{name} is {age} years old and lives in {city}.", "My neighbour {name}, {age}, comes from {city}.",
               "{name} ({age}) lives in {city}.",
               "In {city} lives {name}, who is {age}.", "This is {name} from {city}, aged {age}.", "At {age}, {name} moved to {city}.",
               "I met {name} in {city}. The age is {age}.", "{city} is the home of {name}, who just turned {age}."],
        "fr": ["{name} a {age} ans et habite à {city}.", "Mon voisin {name}, {age} ans, vient de {city}.",
               "{name} ({age} ans) vit à {city}.",
               "À {city} vit {name}, qui a {age} ans.", "Voici {name} de {city}, {age} ans.", "À {age} ans, {name} est parti à {city}.",
               "J'ai rencontré {name} à {city}. Son âge : {age} ans.", "{city} est la ville de {name}, qui vient d'avoir {age} ans."],
        "de": ["{name} ist {age} Jahre alt und wohnt in {city}.", "Mein Nachbar {name}, {age}, kommt aus {city}.",
               "{name} ({age}) lebt in {city}.",
               "In {city} wohnt {name}, {age} Jahre alt.", "Das ist {name} aus {city}, Alter {age}.", "Mit {age} zog {name} nach {city}.",
               "Ich traf {name} in {city}. Das Alter ist {age}.", "{city} ist die Heimat von {name}, gerade {age} geworden."],
        "es": ["{name} tiene {age} años y vive en {city}.", "Mi vecino {name}, de {age} años, viene de {city}.",
               "{name} ({age}) vive en {city}.",
               "En {city} vive {name}, que tiene {age} años.", "Te presento a {name} de {city}, {age} años.",
               "A los {age}, {name} se mudó a {city}.",
               "Conocí a {name} en {city}. Su edad es {age}.", "{city} es la ciudad de {name}, que acaba de cumplir {age}."],
        "zh": ["{name}今年{age}岁，住在{city}。", "我的邻居{name}{age}岁，来自{city}。", "{name}（{age}岁）住在{city}。", "在{city}住着{name}，{age}岁。",
               "这是来自{city}的{name}，年龄{age}。", "{age}岁时，{name}搬到了{city}。", "我在{city}认识了{name}，年龄是{age}。", "{city}是{name}的家乡，刚满{age}岁。"],
        "ar": ["{name} عمره {age} سنة ويعيش في {city}.", "جاري {name}، {age} سنة، من {city}.", "{name} ({age}) يسكن في {city}.",
               "في {city} يعيش {name} وعمره {age}.", "هذا {name} من {city}، العمر {age}.", "في سن {age} انتقل {name} إلى {city}.",
               "قابلت {name} في {city}. العمر {age}.", "{city} هي مدينة {name} الذي بلغ {age}."],
    },
    "product": {
        "fields": {"product": STRING, "price": NUMBER, "in_stock": BOOLEAN},
        "en": ["The {product} costs {price} euros and is {in_stock}.", "{product}: {price} euros, {in_stock}.",
               "We sell {product} for {price} euros; it is {in_stock}.",
               "For {price} euros you get the {product}, which is {in_stock}.", "Price of the {product}: {price}. It is {in_stock}.",
               "Our {product} is {in_stock} and costs {price}.", "The shop offers {product} at {price} euros. Now {in_stock}.",
               "Currently {in_stock}: {product}, at a price of {price}."],
        "fr": ["Le {product} coûte {price} euros ; il est {in_stock}.", "{product} : {price} euros, {in_stock}.",
               "On vend le {product} à {price} euros, {in_stock}.",
               "Pour {price} euros on a le {product}, {in_stock}.", "Prix du {product} : {price}. Il est {in_stock}.",
               "Notre {product} est {in_stock} et coûte {price}.",
               "Le magasin propose {product} à {price} euros. Actuellement {in_stock}.",
               "En ce moment {in_stock} : {product}, au prix de {price}."],
        "de": ["Das {product} kostet {price} Euro und ist {in_stock}.", "{product}: {price} Euro, {in_stock}.",
               "Wir verkaufen {product} für {price} Euro, {in_stock}.",
               "Für {price} Euro gibt es {product}, {in_stock}.", "Preis von {product}: {price}. Es ist {in_stock}.",
               "Unser {product} ist {in_stock} und kostet {price}.",
               "Der Laden bietet {product} für {price} Euro an. Jetzt {in_stock}.",
               "Zurzeit {in_stock}: {product}, zum Preis von {price}."],
        "es": ["El {product} cuesta {price} euros y está {in_stock}.", "{product}: {price} euros, {in_stock}.",
               "Vendemos el {product} por {price} euros, {in_stock}.",
               "Por {price} euros tienes el {product}, {in_stock}.", "Precio del {product}: {price}. Está {in_stock}.",
               "Nuestro {product} está {in_stock} y cuesta {price}.",
               "La tienda ofrece {product} a {price} euros. Ahora {in_stock}.",
               "En este momento {in_stock}: {product}, al precio de {price}."],
        "zh": ["{product}的价格是{price}欧元，现在{in_stock}。", "{product}：{price}欧元，{in_stock}。", "我们卖{product}，{price}欧元，{in_stock}。",
               "{price}欧元可以买{product}，{in_stock}。", "{product}的售价：{price}。{in_stock}。", "我们的{product}{in_stock}，价格{price}。",
               "商店有{product}，{price}欧元，目前{in_stock}。", "目前{in_stock}：{product}，价钱是{price}。"],
        "ar": ["سعر {product} هو {price} يورو وهو {in_stock}.", "{product}: {price} يورو، {in_stock}.",
               "نبيع {product} بسعر {price} يورو، {in_stock}.",
               "مقابل {price} يورو تحصل على {product}، {in_stock}.", "ثمن {product}: {price}. وهو {in_stock}.",
               "لدينا {product} {in_stock} وسعره {price}.",
               "يعرض المتجر {product} بمبلغ {price} يورو. الآن {in_stock}.", "حاليا {in_stock}: {product}، والسعر {price}."],
    },
    "meeting": {
        "fields": {"title": STRING, "date": STRING, "time": STRING, "place": STRING},
        "en": ["The {title} is on {date} at {time} in {place}.", "{title}: {date}, {time}, {place}.",
               "We meet in {place} on {date} at {time} for the {title}.",
               "On {date} the {title} starts at {time} in {place}.", "Do not forget the {title} in {place}: {date}, {time}.",
               "The {title} takes place in {place} on {date}, starting at {time}.",
               "Come to {place} at {time} on {date}. It is the {title}.",
               "At {time} on {date}, {place} hosts the {title}."],
        "fr": ["{title} : le {date} à {time}, à {place}.", "{title} : {date}, {time}, {place}.",
               "Rendez-vous à {place} le {date} à {time} : {title}.",
               "Le {date}, {title} commence à {time} à {place}.", "N'oubliez pas {title} à {place} : {date}, {time}.",
               "{title} a lieu à {place} le {date}, dès {time}.", "Venez à {place} à {time} le {date} pour ceci : {title}.",
               "À {time}, le {date}, {place} accueille : {title}."],
        "de": ["{title}: am {date} um {time} in {place}.", "{title}: {date}, {time}, {place}.",
               "Wir treffen uns in {place} am {date} um {time}: {title}.",
               "Am {date} beginnt {title} um {time} in {place}.", "Nicht vergessen: {title} in {place}, {date}, {time}.",
               "{title} findet in {place} am {date} ab {time} statt.", "Komm am {date} um {time} nach {place}. Anlass: {title}.",
               "Um {time} am {date} gibt es in {place}: {title}."],
        "es": ["{title}: el {date} a las {time} en {place}.", "{title}: {date}, {time}, {place}.",
               "Nos vemos en {place} el {date} a las {time}: {title}.",
               "El {date} empieza {title} a las {time} en {place}.", "No olvides {title} en {place}: {date}, {time}.",
               "{title} tiene lugar en {place} el {date} desde las {time}.", "Ven a {place} a las {time} el {date}. Motivo: {title}.",
               "A las {time} del {date}, {place} acoge: {title}."],
        "zh": ["{title}定于{date} {time}在{place}举行。", "{title}：{date}，{time}，{place}。", "{date} {time}我们在{place}见面，{title}。",
               "{date}，{title}{time}在{place}开始。",
               "别忘了在{place}的{title}：{date}，{time}。", "{title}将于{date} {time}在{place}进行。", "请{date} {time}来{place}，是{title}。",
               "{time}，{date}，{place}有{title}。"],
        "ar": ["{title} يوم {date} في الساعة {time} في {place}.", "{title}: {date}، {time}، {place}.",
               "نلتقي في {place} يوم {date} الساعة {time}: {title}.",
               "يوم {date} يبدأ {title} الساعة {time} في {place}.", "لا تنس {title} في {place}: {date}، {time}.",
               "يقام {title} في {place} يوم {date} من الساعة {time}.",
               "تعال إلى {place} الساعة {time} يوم {date}. المناسبة: {title}.", "الساعة {time} يوم {date} في {place}: {title}."],
    },
    "order": {
        "fields": {"customer": STRING, "order_id": INTEGER, "items": LIST, "paid": BOOLEAN},
        "en": ["{customer} ordered {items}. The order number is {order_id} and it is {paid}.",
               "Order {order_id} for {customer}: {items}. It is {paid}.",
               "{customer} bought {items} (order {order_id}, {paid}).", "Number {order_id}: {items}, {paid}, for {customer}.",
               "We send {items} to {customer}. Order {order_id}, {paid}.", "{customer}, order {order_id}, wants {items}. It is {paid}.",
               "Please pack {items} for {customer}; order {order_id}, {paid}.", "{paid}, order {order_id}: {customer} gets {items}."],
        "fr": ["{customer} a commandé {items}. La commande porte le numéro {order_id} ; elle est {paid}.",
               "Commande {order_id} pour {customer} : {items}. Elle est {paid}.",
               "{customer} a acheté {items} (commande {order_id}, {paid}).", "Numéro {order_id} : {items}, {paid}, pour {customer}.",
               "On envoie {items} à {customer}. Commande {order_id}, {paid}.",
               "{customer}, commande {order_id}, veut {items}. Elle est {paid}.",
               "Préparez {items} pour {customer} ; commande {order_id}, {paid}.",
               "Commande {paid}, {order_id} : {customer} reçoit {items}."],
        "de": ["{customer} hat {items} bestellt. Die Bestellung hat die Nummer {order_id} und ist {paid}.",
               "Bestellung {order_id} für {customer}: {items}. Sie ist {paid}.",
               "{customer} kaufte {items} (Bestellung {order_id}, {paid}).", "Nummer {order_id}: {items}, {paid}, für {customer}.",
               "Wir schicken {items} an {customer}. Bestellung {order_id}, {paid}.",
               "{customer}, Bestellung {order_id}, will {items}. Sie ist {paid}.",
               "Bitte {items} für {customer} packen; Bestellung {order_id}, {paid}.",
               "Schon {paid}? Bestellung {order_id} ist {paid}: {customer} bekommt {items}."],
        "es": ["{customer} pidió {items}. El pedido es el {order_id} y está {paid}.",
               "Pedido {order_id} para {customer}: {items}. Está {paid}.",
               "{customer} compró {items} (pedido {order_id}, {paid}).", "Número {order_id}: {items}, {paid}, para {customer}.",
               "Enviamos {items} a {customer}. Pedido {order_id}, {paid}.", "{customer}, pedido {order_id}, quiere {items}. Está {paid}.",
               "Prepara {items} para {customer}; pedido {order_id}, {paid}.", "Pedido {paid}, {order_id}: {customer} recibe {items}."],
        "zh": ["{customer}订了{items}。订单号是{order_id}，{paid}。", "订单{order_id}，{customer}：{items}，{paid}。",
               "{customer}买了{items}（订单{order_id}，{paid}）。",
               "编号{order_id}：{items}，{paid}，{customer}的。", "我们把{items}寄给{customer}。订单{order_id}，{paid}。",
               "{customer}，订单{order_id}，要{items}，{paid}。",
               "请为{customer}打包{items}；订单{order_id}，{paid}。", "{paid}的订单{order_id}：{customer}要{items}。"],
        "ar": ["طلب {customer} {items}. رقم الطلب {order_id} وهو {paid}.", "الطلب {order_id} باسم {customer}: {items}. وهو {paid}.",
               "اشترى {customer} {items} (الطلب {order_id}، {paid}).", "رقم {order_id}: {items}، {paid}، باسم {customer}.",
               "نرسل {items} إلى {customer}. الطلب {order_id}، {paid}.", "{customer}، الطلب {order_id}، يريد {items}. وهو {paid}.",
               "جهز {items} من أجل {customer}؛ الطلب {order_id}، {paid}.", "الطلب {paid}، {order_id}: يستلم {customer} {items}."],
    },
    "team": {
        "fields": {"team": STRING, "members": LIST, "score": INTEGER},
        "en": ["Team {team} with {members} got {score} points.", "{members} play for {team}. They have {score} points.",
               "{team} ({members}): {score} points.",
               "With {score} points, {team} wins; its members are {members}.", "The players {members} of {team} scored {score}.",
               "{score} points for {team}, that is {members}.", "The members of {team} are {members}, and the score is {score}.",
               "For {team}, {members} reached {score} points."],
        "fr": ["L'équipe {team} avec {members} a {score} points.", "{members} jouent pour {team}. Score : {score} points.",
               "{team} ({members}) : {score} points.",
               "Avec {score} points, {team} gagne ; ses membres sont {members}.", "Les joueurs {members} de {team} ont marqué {score}.",
               "{score} points pour {team}, c'est-à-dire {members}.", "Les membres de {team} sont {members}, et le score est {score}.",
               "Pour {team}, {members} ont obtenu {score} points."],
        "de": ["Team {team} mit {members} hat {score} Punkte.", "{members} spielen für {team}. Sie haben {score} Punkte.",
               "{team} ({members}): {score} Punkte.",
               "Mit {score} Punkten gewinnt {team}; dabei sind {members}.", "Die Spieler {members} von {team} holten {score}.",
               "{score} Punkte für {team}, das sind {members}.", "Zum Team {team} gehören {members}, der Stand ist {score}.",
               "Für {team} erreichten {members} {score} Punkte."],
        "es": ["El equipo {team} con {members} tiene {score} puntos.", "{members} juegan en {team}. Tienen {score} puntos.",
               "{team} ({members}): {score} puntos.",
               "Con {score} puntos gana {team}; sus miembros son {members}.", "Los jugadores {members} de {team} marcaron {score}.",
               "{score} puntos para {team}, es decir, {members}.", "Los miembros de {team} son {members}, y el marcador es {score}.",
               "Para {team}, {members} lograron {score} puntos."],
        "zh": ["{team}队的{members}得了{score}分。", "{members}为{team}队比赛，得{score}分。", "{team}队（{members}）：{score}分。",
               "{team}队以{score}分获胜，队员是{members}。",
               "{team}队的队员{members}拿到{score}分。", "{score}分属于{team}队，也就是{members}。", "{team}队的成员是{members}，比分是{score}。",
               "代表{team}队，{members}得到{score}分。"],
        "ar": ["فريق {team} مع {members} لديه {score} نقطة.", "{members} يلعبون مع {team}. لديهم {score} نقطة.",
               "{team} ({members}): {score} نقطة.",
               "بـ {score} نقطة يفوز {team}؛ أعضاؤه {members}.", "لاعبو {team} وهم {members} سجلوا {score}.",
               "{score} نقطة لفريق {team}، أي {members}.",
               "أعضاء {team} هم {members}، والنتيجة {score}.", "من أجل {team} حقق {members} {score} نقطة."],
    },
}

# What the key of a field may be called, and its name in each language.
KEYS = {
    "name": ("full_name", "person", "first_name"), "age": ("years", "age_years"), "city": ("town", "home", "location"),
    "product": ("item", "article", "product_name"), "price": ("cost", "amount", "price_eur"), "in_stock": ("available", "is_available"),
    "title": ("event", "what", "subject"), "date": ("day", "event_date"), "time": ("start", "hour", "start_time"), "place": ("location",
                                                                                                                             "venue",
                                                                                                                             "where"),
    "customer": ("client", "buyer", "customer_name"), "order_id": ("order", "order_number", "id"), "items": ("goods", "articles",
                                                                                                             "products"),
    "paid": ("is_paid", "payment_done"), "team": ("team_name", "group"), "members": ("players", "people"), "score": ("points", "result"),
}
OWN_KEYS = {
    "fr": "nom âge ville produit prix disponible titre date heure lieu client commande articles payé équipe membres points",
    "de": "name alter stadt produkt preis lieferbar titel datum uhrzeit ort kunde bestellung artikel bezahlt team mitglieder punkte",
    "es": "nombre edad ciudad producto precio disponible título fecha hora lugar cliente pedido artículos pagado equipo miembros puntos",
    "zh": "姓名 年龄 城市 产品 价格 有货 标题 日期 时间 地点 客户 订单号 商品 已付款 队名 队员 得分",
    "ar": "الاسم العمر المدينة المنتج السعر متوفر العنوان التاريخ الوقت المكان العميل رقم_الطلب البنود مدفوع الفريق الأعضاء النقاط",
}

PRODUCTS = {
    "en": "laptop phone lamp chair camera printer bicycle radio", "fr": "téléphone vélo fauteuil clavier miroir four radiateur sac",
    "de": "Telefon Fahrrad Radio Sofa Regal Bett Tablet Zelt", "es": "teléfono reloj sillón teclado espejo horno libro sombrero",
    "zh": "手机 电脑 台灯 椅子 相机 打印机 自行车 收音机", "ar": "الهاتف الحاسوب المصباح الكرسي الكتاب القلم الباب السرير",
}
ITEMS = {
    "en": "apples bread milk tea rice eggs soap paper pens cheese", "fr": "pommes pain lait thé riz œufs savon papier stylos fromage",
    "de": "Äpfel Brot Milch Tee Reis Eier Seife Papier Stifte Käse", "es": "manzanas pan leche té arroz huevos jabón papel queso sal",
    "zh": "苹果 面包 牛奶 茶 大米 鸡蛋 肥皂 纸 笔 奶酪", "ar": "تفاح خبز حليب شاي أرز بيض صابون ورق أقلام جبن",
}
TITLES = {
    "en": "meeting|concert|dinner|workshop|exam|party", "fr": "Réunion|Concert|Dîner|Atelier|Examen|Fête",
    "de": "Sitzung|Konzert|Abendessen|Kurs|Prüfung|Feier", "es": "Reunión|Concierto|Cena|Taller|Examen|Fiesta",
    "zh": "会议|音乐会|晚餐|讲座|考试|聚会", "ar": "الاجتماع|الحفل|العشاء|الدرس|الامتحان|اللقاء",
}
TRUTH = {  # words for true and false
    "in_stock": {"en": ("in stock", "sold out"), "fr": ("en stock", "épuisé"), "de": ("lieferbar", "ausverkauft"), "es": ("disponible",
                                                                                                                          "agotado"),
                 "zh": ("有货", "缺货"), "ar": ("متوفر", "غير متوفر")},
    "paid": {"en": ("paid", "unpaid"), "fr": ("payée", "impayée"), "de": ("bezahlt", "unbezahlt"), "es": ("pagado", "sin pagar"),
             "zh": ("已付款", "未付款"), "ar": ("مدفوع", "غير مدفوع")},
}
LAST_OF_LIST = {"en": " and ", "fr": " et ", "de": " und ", "es": " y ", "zh": "和", "ar": " و "}
SEPARATOR = {"zh": "、", "ar": "، "}

# {text}: the text; {keys}: the wanted keys; {schema}: the JSON schema.
REQUESTS = {
    "en": ["Extract {keys} as JSON: {text}", "{text}\nGive me a JSON object with {keys}.",
           "Return JSON with the keys {keys}.\nText: {text}",
           "From this text, extract {keys} as a JSON object.\n{text}", "JSON ({keys}): {text}",
           "Read: {text}\nAnswer with JSON only, keys {keys}.",
           "Fill in this schema: {schema}\n{text}", "{text}\nAnswer as JSON after this schema: {schema}",
           "Please turn this into JSON with {keys}: {text}",
           "json with {keys}\n{text}", "Which values have {keys}? Reply in JSON.\n{text}", "Schema: {schema}\nText: {text}\nJSON:",
           "Convert to JSON. Keys: {keys}. Text: {text}", "I need {keys} from this text, as JSON: {text}",
           "Text: {text}\nFields: {keys}\nOutput JSON.",
           "Find {keys} and write one JSON object. {text}",
           "{text}\n\nPull out {keys}; JSON only please.", "Here is a text: {text}\nWrite {keys} as a JSON object.",
           "Use this schema {schema} for the text: {text}", "Make a JSON object ({keys}) out of: {text}",
           "Parse this to JSON, keys {keys}: {text}"],
    "fr": ["Extrais {keys} en JSON : {text}", "{text}\nDonne-moi un objet JSON avec {keys}.",
           "Renvoie un JSON avec les clés {keys}.\nTexte : {text}",
           "À partir de ce texte, extrais {keys} dans un objet JSON.\n{text}", "JSON ({keys}) : {text}",
           "Lis : {text}\nRéponds en JSON seulement, clés {keys}.",
           "Remplis ce schéma : {schema}\n{text}", "{text}\nRéponds en JSON selon ce schéma : {schema}",
           "Mets ceci en JSON avec {keys}, s'il te plaît : {text}",
           "json avec {keys}\n{text}", "Quelles sont les valeurs de {keys} ? Réponds en JSON.\n{text}",
           "Schéma : {schema}\nTexte : {text}\nJSON :",
           "Convertis en JSON. Clés : {keys}. Texte : {text}", "Il me faut {keys} de ce texte, en JSON : {text}",
           "Texte : {text}\nChamps : {keys}\nSortie JSON.",
           "Trouve {keys} et écris un objet JSON. {text}",
           "{text}\n\nRelève {keys} ; JSON uniquement.", "Voici un texte : {text}\nÉcris {keys} en objet JSON.",
           "Utilise ce schéma {schema} pour le texte : {text}", "Fais un objet JSON ({keys}) de : {text}",
           "Analyse ceci en JSON, clés {keys} : {text}"],
    "de": ["Extrahiere {keys} als JSON: {text}", "{text}\nGib mir ein JSON-Objekt mit {keys}.",
           "Gib JSON mit den Schlüsseln {keys} zurück.\nText: {text}",
           "Extrahiere aus diesem Text {keys} als JSON-Objekt.\n{text}", "JSON ({keys}): {text}",
           "Lies: {text}\nAntworte nur mit JSON, Schlüssel {keys}.",
           "Fülle dieses Schema: {schema}\n{text}", "{text}\nAntworte als JSON nach diesem Schema: {schema}",
           "Bitte wandle das in JSON mit {keys} um: {text}",
           "json mit {keys}\n{text}", "Welche Werte haben {keys}? Antworte in JSON.\n{text}", "Schema: {schema}\nText: {text}\nJSON:",
           "Wandle in JSON um. Schlüssel: {keys}. Text: {text}", "Ich brauche {keys} aus diesem Text als JSON: {text}",
           "Text: {text}\nFelder: {keys}\nGib JSON aus.",
           "Finde {keys} und schreib ein JSON-Objekt. {text}",
           "{text}\n\nHol {keys} heraus, bitte nur JSON.", "Hier ist ein Text: {text}\nSchreib {keys} als JSON-Objekt.",
           "Nimm dieses Schema {schema} für den Text: {text}", "Mach ein JSON-Objekt ({keys}) aus: {text}",
           "Lies das als JSON aus, Schlüssel {keys}: {text}"],
    "es": ["Extrae {keys} en JSON: {text}", "{text}\nDame un objeto JSON con {keys}.",
           "Devuelve un JSON con las claves {keys}.\nTexto: {text}",
           "De este texto, extrae {keys} como objeto JSON.\n{text}", "JSON ({keys}): {text}",
           "Lee: {text}\nResponde solo con JSON, claves {keys}.",
           "Rellena este esquema: {schema}\n{text}", "{text}\nResponde en JSON según este esquema: {schema}",
           "Por favor, pasa esto a JSON con {keys}: {text}",
           "json con {keys}\n{text}", "¿Qué valores tienen {keys}? Responde en JSON.\n{text}", "Esquema: {schema}\nTexto: {text}\nJSON:",
           "Convierte a JSON. Claves: {keys}. Texto: {text}", "Necesito {keys} de este texto, en JSON: {text}",
           "Texto: {text}\nCampos: {keys}\nSalida JSON.",
           "Encuentra {keys} y escribe un objeto JSON. {text}",
           "{text}\n\nSaca {keys}; solo JSON, por favor.", "Aquí hay un texto: {text}\nEscribe {keys} como objeto JSON.",
           "Usa este esquema {schema} para el texto: {text}", "Haz un objeto JSON ({keys}) de: {text}",
           "Analiza esto como JSON, claves {keys}: {text}"],
    "zh": ["把{keys}提取为JSON：{text}", "{text}\n请给我一个包含{keys}的JSON对象。", "返回JSON，键为{keys}。\n文本：{text}", "从下面的文本中提取{keys}，输出JSON对象。\n{text}",
           "JSON（{keys}）：{text}",
           "阅读：{text}\n只用JSON回答，键{keys}。", "按这个模式填写：{schema}\n{text}", "{text}\n请按此模式用JSON回答：{schema}", "请把这段话变成含{keys}的JSON：{text}",
           "json {keys}\n{text}",
           "{keys}的值是什么？用JSON回答。\n{text}", "模式：{schema}\n文本：{text}\nJSON：", "转换为JSON。键：{keys}。文本：{text}", "我需要这段文本里的{keys}，用JSON：{text}",
           "文本：{text}\n字段：{keys}\n输出JSON。", "找出{keys}，写成一个JSON对象。{text}",
           "{text}\n\n取出{keys}，只要JSON。", "这里有一段文本：{text}\n把{keys}写成JSON对象。", "用模式{schema}处理文本：{text}", "用下面的话做一个JSON对象（{keys}）：{text}",
           "解析成JSON，键是{keys}：{text}"],
    "ar": ["استخرج {keys} بصيغة JSON: {text}", "{text}\nأعطني كائن JSON فيه {keys}.", "أعد JSON بالمفاتيح {keys}.\nالنص: {text}",
           "من هذا النص استخرج {keys} في كائن JSON.\n{text}", "JSON ({keys}): {text}", "اقرأ: {text}\nأجب بصيغة JSON فقط، المفاتيح {keys}.",
           "املأ هذا المخطط: {schema}\n{text}", "{text}\nأجب بصيغة JSON حسب هذا المخطط: {schema}",
           "من فضلك حول هذا إلى JSON مع {keys}: {text}",
           "json مع {keys}\n{text}", "ما قيم {keys}؟ أجب بصيغة JSON.\n{text}", "المخطط: {schema}\nالنص: {text}\nJSON:",
           "حول إلى JSON. المفاتيح: {keys}. النص: {text}", "أحتاج {keys} من هذا النص بصيغة JSON: {text}",
           "النص: {text}\nالحقول: {keys}\nأخرج JSON.",
           "جد {keys} واكتب كائن JSON واحدا. {text}",
           "{text}\n\nخذ منه {keys}، JSON فقط.", "إليك نصا: {text}\nاكتب {keys} في كائن JSON.", "استعمل هذا المخطط {schema} للنص: {text}",
           "اصنع كائن JSON ({keys}) من: {text}", "حلل هذا إلى JSON، المفاتيح {keys}: {text}"],
}

# Said in the system message, with the text alone as the question.
SYSTEMS = {
    "en": ["Reply with a JSON object with the keys {keys}.", "You extract {keys} from texts. Answer with JSON only.",
           "Answer in JSON: {schema}",
           "Give the values of {keys} as JSON."],
    "fr": ["Réponds par un objet JSON avec les clés {keys}.", "Tu extrais {keys} des textes. Réponds en JSON seulement.",
           "Réponds en JSON : {schema}",
           "Donne les valeurs de {keys} en JSON."],
    "de": ["Antworte mit einem JSON-Objekt mit den Schlüsseln {keys}.", "Du liest {keys} aus Texten. Antworte nur mit JSON.",
           "Antworte in JSON: {schema}",
           "Gib die Werte von {keys} als JSON an."],
    "es": ["Responde con un objeto JSON con las claves {keys}.", "Extraes {keys} de textos. Responde solo con JSON.",
           "Responde en JSON: {schema}",
           "Da los valores de {keys} en JSON."],
    "zh": ["用JSON对象回答，键为{keys}。", "你从文本中提取{keys}。只用JSON回答。", "用JSON回答：{schema}", "以JSON给出{keys}的值。"],
    "ar": ["أجب بكائن JSON بالمفاتيح {keys}.", "أنت تستخرج {keys} من النصوص. أجب بصيغة JSON فقط.", "أجب بصيغة JSON: {schema}",
           "أعط قيم {keys} بصيغة JSON."],
}


def number(rng, field, held_out, low, high):
    return draw(rng, field, held_out, lambda: (rng.randint(low, high),))[0]


def a_price(rng):
    """A whole number or one with one or two decimals."""
    cents = rng.randint(200, 30000)
    return cents // 100 if rng.random() < 0.4 or cents % 100 == 0 else cents / 100


def joined(words, language):
    return SEPARATOR.get(language, ", ").join(words[:-1]) + LAST_OF_LIST[language] + words[-1]


def value_of(rng, field, language, held_out):
    """A value and its words in the text."""
    if field in TRUTH:
        value = rng.random() < 0.5
        return value, TRUTH[field][language][0 if value else 1]
    if field == "members":
        value = people(rng, language, held_out, rng.choice((2, 2, 3)))
        return value, joined(value, language)
    if field == "items":
        value = rng.sample(ITEMS[language].split(), rng.choice((2, 2, 3)))
        return value, joined(value, language)
    if field == "price":
        value = draw(rng, field, held_out, lambda: (a_price(rng),))[0]
        return value, str(value)
    if field in ("age", "score", "order_id"):
        value = number(rng, field, held_out, *{"age": (5, 99), "score": (2, 150), "order_id": (100, 9999)}[field])
    elif field in ("name", "customer"):
        value = person(rng, language, held_out)
    elif field in ("city", "place"):
        value = place(rng, language, held_out)
    elif field == "team":
        value = draw(rng, field, held_out, lambda: (made_up_place(rng, language),))[0]
    elif field == "date":
        value = f"{rng.randint(2020, 2031)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    elif field == "time":
        value = f"{rng.randint(7, 22):02}:{rng.choice((0, 15, 30, 45)):02}"
    else:
        value = rng.choice(PRODUCTS[language].split() if field == "product" else TITLES[language].split("|"))
    return value, str(value)


def schema_of(fields):
    properties = {f: {"type": "array", "items": {"type": "string"}} if t == LIST else {"type": t} for f, t in fields.items()}
    return {"type": "object", "properties": properties, "required": list(fields)}


def draw_wanted(rng, subject):
    """Some of the subject's fields, at least two, in any order."""
    fields = SUBJECTS[subject]["fields"]
    wanted = rng.sample(tuple(fields), rng.randint(2, min(3, len(fields))))
    return {f: fields[f] for f in (wanted if rng.random() < 0.5 else fields) if f in wanted}


def key_names(rng, fields, language):
    """How the keys are called this time: the usual names, others, or those of the language; field -> key."""
    style = rng.random()
    if style < 0.3 and language in OWN_KEYS:
        own = dict(zip(KEYS, OWN_KEYS[language].split()))
        return {f: own[f] for f in fields}
    return {f: rng.choice(KEYS[f]) if style > 0.6 else f for f in fields}


def one_line(value):
    return json.dumps(value, ensure_ascii=False)


def make(rng, language, held_out):
    subject = rng.choice(tuple(SUBJECTS))
    drawn = {f: value_of(rng, f, language, held_out) for f in SUBJECTS[subject]["fields"]}
    text = pick(rng, SUBJECTS[subject][language], held_out).format(**{f: words for f, (_, words) in drawn.items()})
    text = text[0].upper() + text[1:]
    fields = draw_wanted(rng, subject)
    keys = key_names(rng, fields, language)
    schema, value = schema_of({keys[f]: t for f, t in fields.items()}), {keys[f]: drawn[f][0] for f in fields}
    words = {"keys": ", ".join(keys.values()), "schema": one_line(schema), "text": text}
    if rng.random() < 0.2:
        system, question = pick(rng, SYSTEMS[language], held_out).format(**words), text
    else:
        system, question = None, pick(rng, REQUESTS[language], held_out).format(**words)
    thought = "\n".join(f"{keys[f]}: {drawn[f][1]} → {one_line(drawn[f][0])}" for f in fields) if rng.random() < 0.5 else None
    return ask(KIND, language, question, one_line(value), thought, [json_check(value, schema)], system)


def verify(example):
    """Every value stands in the text; the keys are those asked for."""
    asked = "\n".join(m["content"] for m in example.messages[:-1]).casefold()
    language, value = example.language, json.loads(example.messages[-1]["content"])

    def stands(key, v):
        truths = [pair[language][0 if v else 1] for pair in TRUTH.values()]
        found = [w.casefold() in asked for w in (truths if isinstance(v, bool) else v if isinstance(v, list) else [str(v)])]
        return key in asked and (any(found) if isinstance(v, bool) else all(found))

    return "\n" not in example.messages[-1]["content"] and len(value) >= 2 and all(stands(f, v) for f, v in value.items())
