"""Everyday words and short sentences, one line each: en | fr | de | es | zh | ar. No word stands twice in a column."""

WORDS = """
house|maison|Haus|casa|房子|بيت
door|porte|Tür|puerta|门|باب
window|fenêtre|Fenster|ventana|窗户|نافذة
table|table|Tisch|mesa|桌子|طاولة
chair|chaise|Stuhl|silla|椅子|كرسي
bed|lit|Bett|cama|床|سرير
key|clé|Schlüssel|llave|钥匙|مفتاح
room|chambre|Zimmer|habitación|房间|غرفة
kitchen|cuisine|Küche|cocina|厨房|مطبخ
garden|jardin|Garten|jardín|花园|حديقة
street|rue|Straße|calle|街道|شارع
city|ville|Stadt|ciudad|城市|مدينة
village|village|Dorf|pueblo|村庄|قرية
bridge|pont|Brücke|puente|桥|جسر
school|école|Schule|escuela|学校|مدرسة
hospital|hôpital|Krankenhaus|hospital|医院|مستشفى
shop|magasin|Geschäft|tienda|商店|متجر
market|marché|Markt|mercado|市场|سوق
train|train|Zug|tren|火车|قطار
car|voiture|Auto|coche|汽车|سيارة
bicycle|vélo|Fahrrad|bicicleta|自行车|دراجة
ship|bateau|Schiff|barco|船|سفينة
airplane|avion|Flugzeug|avión|飞机|طائرة
book|livre|Buch|libro|书|كتاب
pen|stylo|Stift|bolígrafo|笔|قلم
paper|papier|Papier|papel|纸|ورق
letter|lettre|Brief|carta|信|رسالة
newspaper|journal|Zeitung|periódico|报纸|جريدة
word|mot|Wort|palabra|词|كلمة
picture|image|Bild|imagen|图片|صورة
music|musique|Musik|música|音乐|موسيقى
clock|horloge|Uhr|reloj|钟|ساعة
money|argent|Geld|dinero|钱|مال
bag|sac|Tasche|bolsa|包|حقيبة
shoe|chaussure|Schuh|zapato|鞋|حذاء
shirt|chemise|Hemd|camisa|衬衫|قميص
hat|chapeau|Hut|sombrero|帽子|قبعة
coat|manteau|Mantel|abrigo|大衣|معطف
bread|pain|Brot|pan|面包|خبز
water|eau|Wasser|agua|水|ماء
milk|lait|Milch|leche|牛奶|حليب
tea|thé|Tee|té|茶|شاي
coffee|café|Kaffee|café|咖啡|قهوة
juice|jus|Saft|zumo|果汁|عصير
salt|sel|Salz|sal|盐|ملح
sugar|sucre|Zucker|azúcar|糖|سكر
rice|riz|Reis|arroz|米饭|أرز
egg|œuf|Ei|huevo|鸡蛋|بيضة
cheese|fromage|Käse|queso|奶酪|جبن
meat|viande|Fleisch|carne|肉|لحم
fish|poisson|Fisch|pez|鱼|سمك
soup|soupe|Suppe|sopa|汤|حساء
apple|pomme|Apfel|manzana|苹果|تفاحة
banana|banane|Banane|plátano|香蕉|موزة
lemon|citron|Zitrone|limón|柠檬|ليمون
grape|raisin|Traube|uva|葡萄|عنب
potato|pomme de terre|Kartoffel|patata|土豆|بطاطس
tomato|tomate|Tomate|tomate|西红柿|طماطم
onion|oignon|Zwiebel|cebolla|洋葱|بصل
dog|chien|Hund|perro|狗|كلب
cat|chat|Katze|gato|猫|قطة
horse|cheval|Pferd|caballo|马|حصان
cow|vache|Kuh|vaca|奶牛|بقرة
sheep|mouton|Schaf|oveja|羊|خروف
bird|oiseau|Vogel|pájaro|鸟|طائر
mouse|souris|Maus|ratón|老鼠|فأر
lion|lion|Löwe|león|狮子|أسد
bear|ours|Bär|oso|熊|دب
elephant|éléphant|Elefant|elefante|大象|فيل
monkey|singe|Affe|mono|猴子|قرد
rabbit|lapin|Kaninchen|conejo|兔子|أرنب
snake|serpent|Schlange|serpiente|蛇|ثعبان
bee|abeille|Biene|abeja|蜜蜂|نحلة
butterfly|papillon|Schmetterling|mariposa|蝴蝶|فراشة
tree|arbre|Baum|árbol|树|شجرة
flower|fleur|Blume|flor|花|زهرة
leaf|feuille|Blatt|hoja|叶子|ورقة
grass|herbe|Gras|hierba|草|عشب
forest|forêt|Wald|bosque|森林|غابة
mountain|montagne|Berg|montaña|山|جبل
river|rivière|Fluss|río|河|نهر
lake|lac|See|lago|湖|بحيرة
sea|mer|Meer|mar|海|بحر
island|île|Insel|isla|岛|جزيرة
beach|plage|Strand|playa|海滩|شاطئ
stone|pierre|Stein|piedra|石头|حجر
sand|sable|Sand|arena|沙子|رمل
fire|feu|Feuer|fuego|火|نار
wind|vent|Wind|viento|风|ريح
rain|pluie|Regen|lluvia|雨|مطر
snow|neige|Schnee|nieve|雪|ثلج
cloud|nuage|Wolke|nube|云|سحابة
sky|ciel|Himmel|cielo|天空|سماء
sun|soleil|Sonne|sol|太阳|شمس
moon|lune|Mond|luna|月亮|قمر
star|étoile|Stern|estrella|星星|نجمة
earth|terre|Erde|tierra|地球|أرض
day|jour|Tag|día|天|يوم
night|nuit|Nacht|noche|夜晚|ليل
week|semaine|Woche|semana|星期|أسبوع
month|mois|Monat|mes|月|شهر
year|an|Jahr|año|年|سنة
today|aujourd'hui|heute|hoy|今天|اليوم
tomorrow|demain|morgen|mañana|明天|غدا
yesterday|hier|gestern|ayer|昨天|أمس
spring|printemps|Frühling|primavera|春天|ربيع
summer|été|Sommer|verano|夏天|صيف
autumn|automne|Herbst|otoño|秋天|خريف
winter|hiver|Winter|invierno|冬天|شتاء
man|homme|Mann|hombre|男人|رجل
woman|femme|Frau|mujer|女人|امرأة
child|enfant|Kind|niño|孩子|طفل
mother|mère|Mutter|madre|母亲|أم
father|père|Vater|padre|父亲|أب
brother|frère|Bruder|hermano|兄弟|أخ
sister|sœur|Schwester|hermana|姐妹|أخت
friend|ami|Freund|amigo|朋友|صديق
family|famille|Familie|familia|家庭|عائلة
teacher|professeur|Lehrer|profesor|老师|معلم
doctor|médecin|Arzt|médico|医生|طبيب
head|tête|Kopf|cabeza|头|رأس
hand|main|Hand|mano|手|يد
foot|pied|Fuß|pie|脚|قدم
eye|œil|Auge|ojo|眼睛|عين
ear|oreille|Ohr|oreja|耳朵|أذن
mouth|bouche|Mund|boca|嘴|فم
nose|nez|Nase|nariz|鼻子|أنف
heart|cœur|Herz|corazón|心|قلب
big|grand|groß|grande|大|كبير
small|petit|klein|pequeño|小|صغير
hot|chaud|heiß|caliente|热|حار
cold|froid|kalt|frío|冷|بارد
new|nouveau|neu|nuevo|新|جديد
old|vieux|alt|viejo|旧|قديم
good|bon|gut|bueno|好|جيد
bad|mauvais|schlecht|malo|坏|سيئ
fast|rapide|schnell|rápido|快|سريع
slow|lent|langsam|lento|慢|بطيء
beautiful|beau|schön|hermoso|美丽|جميل
happy|heureux|glücklich|feliz|快乐|سعيد
sad|triste|traurig|triste|悲伤|حزين
tired|fatigué|müde|cansado|累|متعب
to eat|manger|essen|comer|吃|يأكل
to drink|boire|trinken|beber|喝|يشرب
to sleep|dormir|schlafen|dormir|睡觉|ينام
to read|lire|lesen|leer|读|يقرأ
to write|écrire|schreiben|escribir|写|يكتب
to go|aller|gehen|ir|去|يذهب
to see|voir|sehen|ver|看见|يرى
to speak|parler|sprechen|hablar|说话|يتكلم
to work|travailler|arbeiten|trabajar|工作|يعمل
to play|jouer|spielen|jugar|玩|يلعب
to buy|acheter|kaufen|comprar|买|يشتري
to help|aider|helfen|ayudar|帮助|يساعد
one|un|eins|uno|一|واحد
two|deux|zwei|dos|二|اثنان
three|trois|drei|tres|三|ثلاثة
four|quatre|vier|cuatro|四|أربعة
five|cinq|fünf|cinco|五|خمسة
six|six|sechs|seis|六|ستة
seven|sept|sieben|siete|七|سبعة
eight|huit|acht|ocho|八|ثمانية
nine|neuf|neun|nueve|九|تسعة
ten|dix|zehn|diez|十|عشرة
peace|paix|Frieden|paz|和平|سلام
love|amour|Liebe|amor|爱|حب
time|temps|Zeit|tiempo|时间|وقت
world|monde|Welt|mundo|世界|عالم
question|question|Frage|pregunta|问题|سؤال
answer|réponse|Antwort|respuesta|答案|جواب
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
Please help me.|Aidez-moi, s'il vous plaît.|Bitte helfen Sie mir.|Ayúdeme, por favor.|请帮帮我。|ساعدني من فضلك.
Where is the station?|Où est la gare ?|Wo ist der Bahnhof?|¿Dónde está la estación?|车站在哪里？|أين المحطة؟
How much is it?|Combien ça coûte ?|Wie viel kostet das?|¿Cuánto cuesta?|多少钱？|كم السعر؟
What time is it?|Quelle heure est-il ?|Wie spät ist es?|¿Qué hora es?|几点了？|كم الساعة؟
The water is cold.|L'eau est froide.|Das Wasser ist kalt.|El agua está fría.|水很冷。|الماء بارد.
The house is big.|La maison est grande.|Das Haus ist groß.|La casa es grande.|房子很大。|البيت كبير.
The dog is small.|Le chien est petit.|Der Hund ist klein.|El perro es pequeño.|狗很小。|الكلب صغير.
The cat is sleeping.|Le chat dort.|Die Katze schläft.|El gato duerme.|猫在睡觉。|القطة نائمة.
The book is new.|Le livre est nouveau.|Das Buch ist neu.|El libro es nuevo.|书是新的。|الكتاب جديد.
I drink coffee.|Je bois du café.|Ich trinke Kaffee.|Bebo café.|我喝咖啡。|أشرب القهوة.
I eat bread.|Je mange du pain.|Ich esse Brot.|Como pan.|我吃面包。|آكل الخبز.
She reads a book.|Elle lit un livre.|Sie liest ein Buch.|Ella lee un libro.|她在看书。|هي تقرأ كتابا.
He works today.|Il travaille aujourd'hui.|Er arbeitet heute.|Él trabaja hoy.|他今天工作。|هو يعمل اليوم.
We are friends.|Nous sommes amis.|Wir sind Freunde.|Somos amigos.|我们是朋友。|نحن أصدقاء.
It is raining.|Il pleut.|Es regnet.|Está lloviendo.|下雨了。|إنها تمطر.
It is snowing.|Il neige.|Es schneit.|Está nevando.|下雪了。|إنها تثلج.
The sun is shining.|Le soleil brille.|Die Sonne scheint.|El sol brilla.|阳光灿烂。|الشمس مشرقة.
I am happy.|Je suis heureux.|Ich bin glücklich.|Estoy feliz.|我很高兴。|أنا سعيد.
I have a question.|J'ai une question.|Ich habe eine Frage.|Tengo una pregunta.|我有一个问题。|لدي سؤال.
I live in a city.|J'habite dans une ville.|Ich wohne in einer Stadt.|Vivo en una ciudad.|我住在城市里。|أعيش في مدينة.
The train is late.|Le train est en retard.|Der Zug hat Verspätung.|El tren llega tarde.|火车晚点了。|القطار متأخر.
The door is open.|La porte est ouverte.|Die Tür ist offen.|La puerta está abierta.|门开着。|الباب مفتوح.
Happy birthday!|Joyeux anniversaire !|Alles Gute zum Geburtstag!|¡Feliz cumpleaños!|生日快乐！|عيد ميلاد سعيد!
Have a good trip!|Bon voyage !|Gute Reise!|¡Buen viaje!|一路平安！|رحلة سعيدة!
Good luck!|Bonne chance !|Viel Glück!|¡Buena suerte!|祝你好运！|حظا سعيدا!
Excuse me.|Excusez-moi.|Entschuldigung.|Disculpe.|对不起。|عفوا.
The food is very good.|La nourriture est très bonne.|Das Essen ist sehr gut.|La comida está muy buena.|饭菜很好吃。|الطعام جيد جدا.
My brother is a doctor.|Mon frère est médecin.|Mein Bruder ist Arzt.|Mi hermano es médico.|我的兄弟是医生。|أخي طبيب.
"""


def read(rows):
    """Rows of {language: text}."""
    return [dict(zip(("en", "fr", "de", "es", "zh", "ar"), row.split("|"))) for row in rows.strip().splitlines()]


WORDS, SENTENCES = read(WORDS), read(SENTENCES)
