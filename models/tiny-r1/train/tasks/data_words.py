"""Everyday words and short sentences, one line each: en | fr | de | es | zh | ar. No word stands twice in a column."""

WORDS = """
house|maison|Haus|casa|房子|بيت
door|porte|Tür|puerta|门|باب
window|fenêtre|Fenster|ventana|窗户|نافذة
table|table|Tisch|mesa|桌子|طاولة
chair|chaise|Stuhl|silla|椅子|كرسي
bed|lit|Bett|cama|床|سرير
key|clé|Schlüssel|llave|钥匙|مفتاح
street|rue|Straße|calle|街道|شارع
city|ville|Stadt|ciudad|城市|مدينة
school|école|Schule|escuela|学校|مدرسة
train|train|Zug|tren|火车|قطار
car|voiture|Auto|coche|汽车|سيارة
ship|bateau|Schiff|barco|船|سفينة
book|livre|Buch|libro|书|كتاب
pen|stylo|Stift|bolígrafo|笔|قلم
paper|papier|Papier|papel|纸|ورق
letter|lettre|Brief|carta|信|رسالة
music|musique|Musik|música|音乐|موسيقى
clock|horloge|Uhr|reloj|钟|ساعة
money|argent|Geld|dinero|钱|مال
bag|sac|Tasche|bolsa|包|حقيبة
shoe|chaussure|Schuh|zapato|鞋|حذاء
hat|chapeau|Hut|sombrero|帽子|قبعة
bread|pain|Brot|pan|面包|خبز
water|eau|Wasser|agua|水|ماء
milk|lait|Milch|leche|牛奶|حليب
tea|thé|Tee|té|茶|شاي
coffee|café|Kaffee|café|咖啡|قهوة
salt|sel|Salz|sal|盐|ملح
sugar|sucre|Zucker|azúcar|糖|سكر
rice|riz|Reis|arroz|米饭|أرز
egg|œuf|Ei|huevo|鸡蛋|بيضة
cheese|fromage|Käse|queso|奶酪|جبن
fish|poisson|Fisch|pez|鱼|سمك
apple|pomme|Apfel|manzana|苹果|تفاحة
banana|banane|Banane|plátano|香蕉|موزة
dog|chien|Hund|perro|狗|كلب
cat|chat|Katze|gato|猫|قطة
horse|cheval|Pferd|caballo|马|حصان
cow|vache|Kuh|vaca|奶牛|بقرة
bird|oiseau|Vogel|pájaro|鸟|طائر
tree|arbre|Baum|árbol|树|شجرة
flower|fleur|Blume|flor|花|زهرة
mountain|montagne|Berg|montaña|山|جبل
river|rivière|Fluss|río|河|نهر
sea|mer|Meer|mar|海|بحر
fire|feu|Feuer|fuego|火|نار
rain|pluie|Regen|lluvia|雨|مطر
snow|neige|Schnee|nieve|雪|ثلج
sun|soleil|Sonne|sol|太阳|شمس
moon|lune|Mond|luna|月亮|قمر
star|étoile|Stern|estrella|星星|نجمة
day|jour|Tag|día|天|يوم
night|nuit|Nacht|noche|夜晚|ليل
man|homme|Mann|hombre|男人|رجل
woman|femme|Frau|mujer|女人|امرأة
child|enfant|Kind|niño|孩子|طفل
mother|mère|Mutter|madre|母亲|أم
father|père|Vater|padre|父亲|أب
friend|ami|Freund|amigo|朋友|صديق
head|tête|Kopf|cabeza|头|رأس
hand|main|Hand|mano|手|يد
eye|œil|Auge|ojo|眼睛|عين
big|grand|groß|grande|大|كبير
small|petit|klein|pequeño|小|صغير
hot|chaud|heiß|caliente|热|حار
cold|froid|kalt|frío|冷|بارد
good|bon|gut|bueno|好|جيد
bad|mauvais|schlecht|malo|坏|سيئ
one|un|eins|uno|一|واحد
two|deux|zwei|dos|二|اثنان
three|trois|drei|tres|三|ثلاثة
"""

SENTENCES = """
Good morning.|Bonjour.|Guten Morgen.|Buenos días.|早上好。|صباح الخير.
Good evening.|Bonsoir.|Guten Abend.|Buenas tardes.|晚上好。|مساء الخير.
Good night.|Bonne nuit.|Gute Nacht.|Buenas noches.|晚安。|تصبح على خير.
Thank you very much.|Merci beaucoup.|Vielen Dank.|Muchas gracias.|非常感谢。|شكرا جزيلا.
See you tomorrow.|À demain.|Bis morgen.|Hasta mañana.|明天见。|أراك غدا.
How are you?|Comment vas-tu ?|Wie geht es dir?|¿Cómo estás?|你好吗？|كيف حالك؟
What is your name?|Comment t'appelles-tu ?|Wie heißt du?|¿Cómo te llamas?|你叫什么名字？|ما اسمك؟
Where are you?|Où es-tu ?|Wo bist du?|¿Dónde estás?|你在哪里？|أين أنت؟
I am tired.|Je suis fatigué.|Ich bin müde.|Estoy cansado.|我累了。|أنا متعب.
I am hungry.|J'ai faim.|Ich habe Hunger.|Tengo hambre.|我饿了。|أنا جائع.
I am thirsty.|J'ai soif.|Ich habe Durst.|Tengo sed.|我渴了。|أنا عطشان.
I love you.|Je t'aime.|Ich liebe dich.|Te quiero.|我爱你。|أحبك.
I do not understand.|Je ne comprends pas.|Ich verstehe nicht.|No entiendo.|我不明白。|لا أفهم.
I do not know.|Je ne sais pas.|Ich weiß es nicht.|No lo sé.|我不知道。|لا أعرف.
"""


def read(rows):
    """Rows of {language: text}."""
    return [dict(zip(("en", "fr", "de", "es", "zh", "ar"), row.split("|"))) for row in rows.strip().splitlines()]


WORDS, SENTENCES = read(WORDS), read(SENTENCES)
