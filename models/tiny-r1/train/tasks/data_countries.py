"""Countries: continent and currency codes, then names and capitals in the six languages (en fr de es zh ar), names with their article."""

from dataclasses import dataclass

LANGUAGES = ("en", "fr", "de", "es", "zh", "ar")

CONTINENTS = {
    "EU": ("Europe", "l'Europe", "Europa", "Europa", "欧洲", "أوروبا"),
    "AS": ("Asia", "l'Asie", "Asien", "Asia", "亚洲", "آسيا"),
    "AF": ("Africa", "l'Afrique", "Afrika", "África", "非洲", "أفريقيا"),
    "NA": ("North America", "l'Amérique du Nord", "Nordamerika", "América del Norte", "北美洲", "أمريكا الشمالية"),
    "SA": ("South America", "l'Amérique du Sud", "Südamerika", "América del Sur", "南美洲", "أمريكا الجنوبية"),
    "OC": ("Oceania", "l'Océanie", "Ozeanien", "Oceanía", "大洋洲", "أوقيانوسيا"),
}

CURRENCIES = {
    "euro": ("the euro", "l'euro", "der Euro", "el euro", "欧元", "اليورو"),
    "pound": ("the pound", "la livre", "das Pfund", "la libra", "英镑", "الجنيه"),
    "egp": ("the pound", "la livre", "das Pfund", "la libra", "埃及镑", "الجنيه"),
    "franc": ("the Swiss franc", "le franc suisse", "der Schweizer Franken", "el franco suizo", "瑞士法郎", "الفرنك السويسري"),
    "sek": ("the Swedish krona", "la couronne suédoise", "die Schwedische Krone", "la corona sueca", "瑞典克朗", "الكرونة السويدية"),
    "nok": ("the Norwegian krone", "la couronne norvégienne", "die Norwegische Krone", "la corona noruega", "挪威克朗", "الكرونة النرويجية"),
    "dkk": ("the Danish krone", "la couronne danoise", "die Dänische Krone", "la corona danesa", "丹麦克朗", "الكرونة الدنماركية"),
    "isk": ("the Icelandic króna", "la couronne islandaise", "die Isländische Krone", "la corona islandesa", "冰岛克朗", "الكرونة الآيسلندية"),
    "czk": ("the Czech koruna", "la couronne tchèque", "die Tschechische Krone", "la corona checa", "捷克克朗", "الكرونة التشيكية"),
    "zloty": ("the zloty", "le zloty", "der Zloty", "el zloty", "兹罗提", "الزلوتي"),
    "forint": ("the forint", "le forint", "der Forint", "el forinto", "福林", "الفورنت"),
    "leu": ("the leu", "le leu", "der Leu", "el leu", "列伊", "الليو"),
    "ruble": ("the ruble", "le rouble", "der Rubel", "el rublo", "卢布", "الروبل"),
    "hryvnia": ("the hryvnia", "la hryvnia", "die Hrywnja", "la grivna", "格里夫纳", "الهريفنيا"),
    "lira": ("the lira", "la livre turque", "die Lira", "la lira", "里拉", "الليرة"),
    "yuan": ("the yuan", "le yuan", "der Yuan", "el yuan", "人民币", "اليوان"),
    "yen": ("the yen", "le yen", "der Yen", "el yen", "日元", "الين"),
    "won": ("the won", "le won", "der Won", "el won", "韩元", "الوون"),
    "rupee": ("the rupee", "la roupie", "die Rupie", "la rupia", "卢比", "الروبية"),
    "rupiah": ("the rupiah", "la roupie indonésienne", "die Rupiah", "la rupia indonesia", "印尼盾", "الروبية الإندونيسية"),
    "baht": ("the baht", "le baht", "der Baht", "el baht", "泰铢", "البات"),
    "dong": ("the dong", "le dong", "der Dong", "el dong", "越南盾", "الدونغ"),
    "peso": ("the peso", "le peso", "der Peso", "el peso", "比索", "البيزو"),
    "real": ("the real", "le réal", "der Real", "el real", "雷亚尔", "الريال البرازيلي"),
    "sol": ("the sol", "le sol", "der Sol", "el sol", "索尔", "السول"),
    "dollar": ("the dollar", "le dollar", "der Dollar", "el dólar", "美元", "الدولار"),
    "cad": ("the Canadian dollar", "le dollar canadien", "der Kanadische Dollar", "el dólar canadiense", "加元", "الدولار الكندي"),
    "aud": ("the Australian dollar", "le dollar australien", "der Australische Dollar", "el dólar australiano", "澳元",
            "الدولار الأسترالي"),
    "riyal": ("the riyal", "le riyal", "der Rial", "el riyal", "里亚尔", "الريال"),
    "dinar": ("the dinar", "le dinar", "der Dinar", "el dinar", "第纳尔", "الدينار"),
    "dirham": ("the dirham", "le dirham", "der Dirham", "el dírham", "迪拉姆", "الدرهم"),
    "shekel": ("the shekel", "le shekel", "der Schekel", "el séquel", "谢克尔", "الشيكل"),
    "rand": ("the rand", "le rand", "der Rand", "el rand", "兰特", "الراند"),
    "naira": ("the naira", "le naira", "der Naira", "el naira", "奈拉", "النايرا"),
}

ROWS = """
EU|euro|France|la France|Frankreich|Francia|法国|فرنسا|Paris|Paris|Paris|París|巴黎|باريس
EU|euro|Germany|l'Allemagne|Deutschland|Alemania|德国|ألمانيا|Berlin|Berlin|Berlin|Berlín|柏林|برلين
EU|euro|Spain|l'Espagne|Spanien|España|西班牙|إسبانيا|Madrid|Madrid|Madrid|Madrid|马德里|مدريد
EU|euro|Italy|l'Italie|Italien|Italia|意大利|إيطاليا|Rome|Rome|Rom|Roma|罗马|روما
EU|euro|Portugal|le Portugal|Portugal|Portugal|葡萄牙|البرتغال|Lisbon|Lisbonne|Lissabon|Lisboa|里斯本|لشبونة
EU|pound|the United Kingdom|le Royaume-Uni|Großbritannien|el Reino Unido|英国|المملكة المتحدة|London|Londres|London|Londres|伦敦|لندن
EU|euro|Ireland|l'Irlande|Irland|Irlanda|爱尔兰|أيرلندا|Dublin|Dublin|Dublin|Dublín|都柏林|دبلن
EU|franc|Switzerland|la Suisse|die Schweiz|Suiza|瑞士|سويسرا|Bern|Berne|Bern|Berna|伯尔尼|برن
EU|euro|Austria|l'Autriche|Österreich|Austria|奥地利|النمسا|Vienna|Vienne|Wien|Viena|维也纳|فيينا
EU|zloty|Poland|la Pologne|Polen|Polonia|波兰|بولندا|Warsaw|Varsovie|Warschau|Varsovia|华沙|وارسو
EU|euro|Greece|la Grèce|Griechenland|Grecia|希腊|اليونان|Athens|Athènes|Athen|Atenas|雅典|أثينا
EU|ruble|Russia|la Russie|Russland|Rusia|俄罗斯|روسيا|Moscow|Moscou|Moskau|Moscú|莫斯科|موسكو
AS|yuan|China|la Chine|China|China|中国|الصين|Beijing|Pékin|Peking|Pekín|北京|بكين
AS|yen|Japan|le Japon|Japan|Japón|日本|اليابان|Tokyo|Tokyo|Tokio|Tokio|东京|طوكيو
AS|won|South Korea|la Corée du Sud|Südkorea|Corea del Sur|韩国|كوريا الجنوبية|Seoul|Séoul|Seoul|Seúl|首尔|سيول
AS|rupee|India|l'Inde|Indien|la India|印度|الهند|New Delhi|New Delhi|Neu-Delhi|Nueva Delhi|新德里|نيودلهي
AS|lira|Turkey|la Turquie|die Türkei|Turquía|土耳其|تركيا|Ankara|Ankara|Ankara|Ankara|安卡拉|أنقرة
AS||Iran|l'Iran|der Iran|Irán|伊朗|إيران|Tehran|Téhéran|Teheran|Teherán|德黑兰|طهران
AS|dinar|Iraq|l'Irak|der Irak|Irak|伊拉克|العراق|Baghdad|Bagdad|Bagdad|Bagdad|巴格达|بغداد
AS|riyal|Saudi Arabia|l'Arabie saoudite|Saudi-Arabien|Arabia Saudita|沙特阿拉伯|السعودية|Riyadh|Riyad|Riad|Riad|利雅得|الرياض
AF|egp|Egypt|l'Égypte|Ägypten|Egipto|埃及|مصر|Cairo|Le Caire|Kairo|El Cairo|开罗|القاهرة
AF|dinar|Tunisia|la Tunisie|Tunesien|Túnez|突尼斯|تونس|Tunis|Tunis|Tunis|Túnez|突尼斯市|تونس العاصمة
AF|dinar|Algeria|l'Algérie|Algerien|Argelia|阿尔及利亚|الجزائر|Algiers|Alger|Algier|Argel|阿尔及尔|مدينة الجزائر
AF|dirham|Morocco|le Maroc|Marokko|Marruecos|摩洛哥|المغرب|Rabat|Rabat|Rabat|Rabat|拉巴特|الرباط
AF|naira|Nigeria|le Nigeria|Nigeria|Nigeria|尼日利亚|نيجيريا|Abuja|Abuja|Abuja|Abuya|阿布贾|أبوجا
NA|dollar|the United States|les États-Unis|die USA|Estados Unidos|美国|الولايات المتحدة|Washington|Washington|Washington|Washington|华盛顿|واشنطن
NA|cad|Canada|le Canada|Kanada|Canadá|加拿大|كندا|Ottawa|Ottawa|Ottawa|Ottawa|渥太华|أوتاوا
NA|peso|Mexico|le Mexique|Mexiko|México|墨西哥|المكسيك|Mexico City|Mexico|Mexiko-Stadt|Ciudad de México|墨西哥城|مكسيكو سيتي
SA|real|Brazil|le Brésil|Brasilien|Brasil|巴西|البرازيل|Brasília|Brasilia|Brasília|Brasilia|巴西利亚|برازيليا
SA|peso|Argentina|l'Argentine|Argentinien|Argentina|阿根廷|الأرجنتين|Buenos Aires|Buenos Aires|Buenos Aires|Buenos Aires|布宜诺斯艾利斯|بوينس آيرس
OC|aud|Australia|l'Australie|Australien|Australia|澳大利亚|أستراليا|Canberra|Canberra|Canberra|Canberra|堪培拉|كانبرا
"""

ARTICLES = {"en": ("the ",), "fr": ("l'", "la ", "le ", "les "), "de": ("der ", "die ", "das "), "es": ("el ", "la ", "los "), "zh": (),
            "ar": ()}
FRENCH_OF = {"l'": "de l'", "la ": "de la ", "le ": "du ", "les ": "des "}
GERMAN_OF = {"die ": "der ", "der ": "des ", "das ": "des "}


def bare(name, language):
    """The name without its article, as in a terse question."""
    for article in ARTICLES[language]:
        if name.startswith(article):
            return name[len(article):]
    return name


def of(name, language):
    """The words for "of" and the name: de la France, der Schweiz, del Reino Unido; English, Chinese and Arabic need nothing."""
    rest = bare(name, language)
    article = name[:len(name) - len(rest)]
    if language == "fr":
        return FRENCH_OF[article] + rest if article else ("d'" if rest[0] in "AEIOUÉ" else "de ") + rest
    if language == "de":
        return GERMAN_OF[article] + rest if article else "von " + rest
    if language == "es":
        return "del " + rest if article == "el " else "de " + name
    return name


def upper_first(text):
    return text[:1].upper() + text[1:]


PLURALS = {"fr": ("les ",), "de": ("die Niederlande", "die USA", "die Philippinen"), "es": ("los ",)}


def is_plural(name, language):
    """Whether a verb beside the name stands in the plural; in English countries are singular."""
    return name.startswith(PLURALS.get(language, ()))


@dataclass(frozen=True)
class Country:
    continent: str
    currency: str
    names: dict
    capitals: dict


def read(rows):
    countries = []
    for row in rows.strip().splitlines():
        continent, currency, *words = row.split("|")
        countries.append(Country(continent, currency, dict(zip(LANGUAGES, words[:6])), dict(zip(LANGUAGES, words[6:]))))
    return countries


COUNTRIES = read(ROWS)
BY_CODE = {"continent": CONTINENTS, "currency": CURRENCIES}
