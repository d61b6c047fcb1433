"""Names of people and places: real ones and made-up ones, so that copying beats memorising. A name's hash decides its side of the split."""

from tasks import draw

MADE_UP_SHARE = 0.06
FOREIGN_SHARE = 0.02  # of names: in the script of another language

PEOPLE = {
    "en": "Anna Tom Emily James Oliver Grace Henry Lucy Jack Sophie Daniel Ruby Peter Alice Mark Nora Sam Ella Ben Clara Liam Mia Noah",
    "fr": "Camille Louis Chloé Hugo Inès Léo Manon Jules Élise Théo Zoé Paul Hélène André Margaux Rémi Amélie Benoît Lucie Noé Océane Yves",
    "de": "Lena Jonas Hannah Felix Jürgen Käthe Lukas Greta Björn Sabine Max Ute Moritz Heike Jörg Anja Finn Birgit Sören Petra Emil Marie",
    "es": "Lucía Mateo Sofía Diego María José Íñigo Begoña Pablo Elena Martín Carmen Andrés Paula Álvaro Inés Raúl Nuria Javier Marta",
    "zh": "王伟 李娜 张敏 刘洋 陈静 杨帆 赵磊 黄丽 周杰 吴昊 徐晨 孙悦 小明 小红 马超 朱琳 胡兵 郭涛 林芳 何雨",
    "ar": "محمد فاطمة أحمد ليلى يوسف مريم عمر نور سامي هدى خالد سارة علي زينب حسن ريم كريم سلمى طارق دينا",
}

PLACES = {
    "en": "London Leeds Boston Chicago Dublin Bristol Denver Oxford Seattle Austin York Sydney",
    "fr": "Lyon Nantes Lille Genève Bordeaux Nice Rennes Québec Dijon Angers Nîmes Orléans",
    "de": "Hamburg Köln München Zürich Dresden Bremen Graz Leipzig Lübeck Kassel Düsseldorf Ulm",
    "es": "Sevilla Bilbao Málaga Bogotá Quito Lima Córdoba Cádiz Toledo Valencia León Rosario",
    "zh": "北京 上海 广州 成都 杭州 西安 南京 武汉 苏州 青岛 昆明 厦门",
    "ar": "القاهرة بغداد دمشق عمان تونس الرباط حلب جدة بيروت الدوحة مسقط أسوان",
}

ONSETS = "b d f g h j k l m n p r s t v z br dr gr kr tr st sh ch th qu w".split()
VOWELS = {
    "en": "a e i o u ai ee oo".split(), "fr": "a e é i o ou è an eau oi".split(), "de": "a e i o u ä ö ü ei au".split(),
    "es": "a e i o u á é í ó ú".split(),
}
CODAS = ("", "", "", "n", "r", "l", "s", "m", "ck", "x", "nd")
SURNAMES = "王李张刘陈杨赵黄周吴徐孙马朱胡郭林何高罗"
GIVEN = "文明华丽伟芳英建国平安宁乐天宇轩涵思雨欣佳怡俊杰浩然晓东海燕雪梅春兰秋月林山石云飞龙凤金玉宝清远志强"
PLACE_STARTS, PLACE_ENDS = "东西南北中大小上下新古长石青白红金玉水云龙凤", "山河城镇州湖江海港门阳安宁平原泉"
ARABIC = "ب ت ج ح د ر ز س ش ص ط ع ف ق ك ل م ن ه".split()
ARABIC_LONG = "ا و ي".split()


def latin(rng, language):
    """Two or three syllables, such as Mirinka or Trouvélan."""
    syllables = [rng.choice(ONSETS) + rng.choice(VOWELS[language]) for _ in range(rng.choice((2, 2, 3)))]
    return ("".join(syllables) + rng.choice(CODAS)).capitalize()


def arabic(rng):
    return "".join(rng.choice(ARABIC) + (rng.choice(ARABIC_LONG) if rng.random() < 0.7 else "") for _ in range(rng.choice((2, 3)))) + \
        rng.choice(("", "ة", "ن", "ر"))


def made_up_person(rng, language):
    if language == "zh":
        return rng.choice(SURNAMES) + "".join(rng.sample(GIVEN, rng.choice((1, 2))))
    return arabic(rng) if language == "ar" else latin(rng, language)


def made_up_place(rng, language):
    if language == "zh":
        return rng.choice(PLACE_STARTS) + rng.choice(GIVEN) * (rng.random() < 0.4) + rng.choice(PLACE_ENDS)
    return arabic(rng) if language == "ar" else latin(rng, language)


def a_name(rng, language, real, made_up):
    written_in = rng.choice(tuple(PEOPLE)) if rng.random() < FOREIGN_SHARE else language
    return made_up(rng, written_in) if rng.random() < MADE_UP_SHARE else rng.choice(real[written_in].split())


def person(rng, language, held_out):
    return draw(rng, "person", held_out, lambda: (a_name(rng, language, PEOPLE, made_up_person),))[0]


def place(rng, language, held_out):
    return draw(rng, "place", held_out, lambda: (a_name(rng, language, PLACES, made_up_place),))[0]


def people(rng, language, held_out, n):
    """n different names."""
    names = []
    while len(names) < n:
        name = person(rng, language, held_out)
        if name not in names:
            names.append(name)
    return names
