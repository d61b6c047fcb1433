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
EU|euro|Belgium|la Belgique|Belgien|Bélgica|比利时|بلجيكا|Brussels|Bruxelles|Brüssel|Bruselas|布鲁塞尔|بروكسل
EU|euro|the Netherlands|les Pays-Bas|die Niederlande|los Países Bajos|荷兰|هولندا|Amsterdam|Amsterdam|Amsterdam|Ámsterdam|阿姆斯特丹|أمستردام
EU|franc|Switzerland|la Suisse|die Schweiz|Suiza|瑞士|سويسرا|Bern|Berne|Bern|Berna|伯尔尼|برن
EU|euro|Austria|l'Autriche|Österreich|Austria|奥地利|النمسا|Vienna|Vienne|Wien|Viena|维也纳|فيينا
EU|dkk|Denmark|le Danemark|Dänemark|Dinamarca|丹麦|الدنمارك|Copenhagen|Copenhague|Kopenhagen|Copenhague|哥本哈根|كوبنهاغن
EU|sek|Sweden|la Suède|Schweden|Suecia|瑞典|السويد|Stockholm|Stockholm|Stockholm|Estocolmo|斯德哥尔摩|ستوكهولم
EU|nok|Norway|la Norvège|Norwegen|Noruega|挪威|النرويج|Oslo|Oslo|Oslo|Oslo|奥斯陆|أوسلو
EU|euro|Finland|la Finlande|Finnland|Finlandia|芬兰|فنلندا|Helsinki|Helsinki|Helsinki|Helsinki|赫尔辛基|هلسنكي
EU|isk|Iceland|l'Islande|Island|Islandia|冰岛|آيسلندا|Reykjavik|Reykjavik|Reykjavik|Reikiavik|雷克雅未克|ريكيافيك
EU|zloty|Poland|la Pologne|Polen|Polonia|波兰|بولندا|Warsaw|Varsovie|Warschau|Varsovia|华沙|وارسو
EU|czk|the Czech Republic|la République tchèque|Tschechien|la República Checa|捷克|التشيك|Prague|Prague|Prag|Praga|布拉格|براغ
EU||Slovakia|la Slovaquie|die Slowakei|Eslovaquia|斯洛伐克|سلوفاكيا|Bratislava|Bratislava|Bratislava|Bratislava|布拉迪斯拉发|براتيسلافا
EU|forint|Hungary|la Hongrie|Ungarn|Hungría|匈牙利|المجر|Budapest|Budapest|Budapest|Budapest|布达佩斯|بودابست
EU|leu|Romania|la Roumanie|Rumänien|Rumania|罗马尼亚|رومانيا|Bucharest|Bucarest|Bukarest|Bucarest|布加勒斯特|بوخارست
EU||Bulgaria|la Bulgarie|Bulgarien|Bulgaria|保加利亚|بلغاريا|Sofia|Sofia|Sofia|Sofía|索非亚|صوفيا
EU|euro|Greece|la Grèce|Griechenland|Grecia|希腊|اليونان|Athens|Athènes|Athen|Atenas|雅典|أثينا
EU||Serbia|la Serbie|Serbien|Serbia|塞尔维亚|صربيا|Belgrade|Belgrade|Belgrad|Belgrado|贝尔格莱德|بلغراد
EU||Croatia|la Croatie|Kroatien|Croacia|克罗地亚|كرواتيا|Zagreb|Zagreb|Zagreb|Zagreb|萨格勒布|زغرب
EU||Slovenia|la Slovénie|Slowenien|Eslovenia|斯洛文尼亚|سلوفينيا|Ljubljana|Ljubljana|Ljubljana|Liubliana|卢布尔雅那|ليوبليانا
EU||Albania|l'Albanie|Albanien|Albania|阿尔巴尼亚|ألبانيا|Tirana|Tirana|Tirana|Tirana|地拉那|تيرانا
EU|hryvnia|Ukraine|l'Ukraine|die Ukraine|Ucrania|乌克兰|أوكرانيا|Kyiv|Kiev|Kiew|Kiev|基辅|كييف
EU|ruble|Russia|la Russie|Russland|Rusia|俄罗斯|روسيا|Moscow|Moscou|Moskau|Moscú|莫斯科|موسكو
EU||Estonia|l'Estonie|Estland|Estonia|爱沙尼亚|إستونيا|Tallinn|Tallinn|Tallinn|Tallin|塔林|تالين
EU||Latvia|la Lettonie|Lettland|Letonia|拉脱维亚|لاتفيا|Riga|Riga|Riga|Riga|里加|ريغا
EU||Lithuania|la Lituanie|Litauen|Lituania|立陶宛|ليتوانيا|Vilnius|Vilnius|Vilnius|Vilna|维尔纽斯|فيلنيوس
AS|yuan|China|la Chine|China|China|中国|الصين|Beijing|Pékin|Peking|Pekín|北京|بكين
AS|yen|Japan|le Japon|Japan|Japón|日本|اليابان|Tokyo|Tokyo|Tokio|Tokio|东京|طوكيو
AS|won|South Korea|la Corée du Sud|Südkorea|Corea del Sur|韩国|كوريا الجنوبية|Seoul|Séoul|Seoul|Seúl|首尔|سيول
AS||North Korea|la Corée du Nord|Nordkorea|Corea del Norte|朝鲜|كوريا الشمالية|Pyongyang|Pyongyang|Pjöngjang|Pionyang|平壤|بيونغ يانغ
AS||Mongolia|la Mongolie|die Mongolei|Mongolia|蒙古|منغوليا|Ulaanbaatar|Oulan-Bator|Ulaanbaatar|Ulán Bator|乌兰巴托|أولان باتور
AS|rupee|India|l'Inde|Indien|la India|印度|الهند|New Delhi|New Delhi|Neu-Delhi|Nueva Delhi|新德里|نيودلهي
AS|rupee|Pakistan|le Pakistan|Pakistan|Pakistán|巴基斯坦|باكستان|Islamabad|Islamabad|Islamabad|Islamabad|伊斯兰堡|إسلام آباد
AS||Bangladesh|le Bangladesh|Bangladesch|Bangladés|孟加拉国|بنغلاديش|Dhaka|Dacca|Dhaka|Daca|达卡|دكا
AS|rupee|Nepal|le Népal|Nepal|Nepal|尼泊尔|نيبال|Kathmandu|Katmandou|Kathmandu|Katmandú|加德满都|كاتماندو
AS|baht|Thailand|la Thaïlande|Thailand|Tailandia|泰国|تايلاند|Bangkok|Bangkok|Bangkok|Bangkok|曼谷|بانكوك
AS|dong|Vietnam|le Viêt Nam|Vietnam|Vietnam|越南|فيتنام|Hanoi|Hanoï|Hanoi|Hanói|河内|هانوي
AS||Cambodia|le Cambodge|Kambodscha|Camboya|柬埔寨|كمبوديا|Phnom Penh|Phnom Penh|Phnom Penh|Nom Pen|金边|بنوم بنه
AS||Laos|le Laos|Laos|Laos|老挝|لاوس|Vientiane|Vientiane|Vientiane|Vientián|万象|فيينتيان
AS||Malaysia|la Malaisie|Malaysia|Malasia|马来西亚|ماليزيا|Kuala Lumpur|Kuala Lumpur|Kuala Lumpur|Kuala Lumpur|吉隆坡|كوالالمبور
AS|rupiah|Indonesia|l'Indonésie|Indonesien|Indonesia|印度尼西亚|إندونيسيا|Jakarta|Jakarta|Jakarta|Yakarta|雅加达|جاكرتا
AS|peso|the Philippines|les Philippines|die Philippinen|Filipinas|菲律宾|الفلبين|Manila|Manille|Manila|Manila|马尼拉|مانيلا
AS|lira|Turkey|la Turquie|die Türkei|Turquía|土耳其|تركيا|Ankara|Ankara|Ankara|Ankara|安卡拉|أنقرة
AS||Iran|l'Iran|der Iran|Irán|伊朗|إيران|Tehran|Téhéran|Teheran|Teherán|德黑兰|طهران
AS|dinar|Iraq|l'Irak|der Irak|Irak|伊拉克|العراق|Baghdad|Bagdad|Bagdad|Bagdad|巴格达|بغداد
AS||Syria|la Syrie|Syrien|Siria|叙利亚|سوريا|Damascus|Damas|Damaskus|Damasco|大马士革|دمشق
AS||Lebanon|le Liban|der Libanon|el Líbano|黎巴嫩|لبنان|Beirut|Beyrouth|Beirut|Beirut|贝鲁特|بيروت
AS|dinar|Jordan|la Jordanie|Jordanien|Jordania|约旦|الأردن|Amman|Amman|Amman|Amán|安曼|عمّان
AS|riyal|Saudi Arabia|l'Arabie saoudite|Saudi-Arabien|Arabia Saudita|沙特阿拉伯|السعودية|Riyadh|Riyad|Riad|Riad|利雅得|الرياض
AS|riyal|Qatar|le Qatar|Katar|Catar|卡塔尔|قطر|Doha|Doha|Doha|Doha|多哈|الدوحة
AS||Oman|l'Oman|der Oman|Omán|阿曼|عُمان|Muscat|Mascate|Maskat|Mascate|马斯喀特|مسقط
AS||Yemen|le Yémen|der Jemen|Yemen|也门|اليمن|Sanaa|Sanaa|Sanaa|Saná|萨那|صنعاء
AS||Afghanistan|l'Afghanistan|Afghanistan|Afganistán|阿富汗|أفغانستان|Kabul|Kaboul|Kabul|Kabul|喀布尔|كابول
AS||Uzbekistan|l'Ouzbékistan|Usbekistan|Uzbekistán|乌兹别克斯坦|أوزبكستان|Tashkent|Tachkent|Taschkent|Taskent|塔什干|طشقند
AS||Georgia|la Géorgie|Georgien|Georgia|格鲁吉亚|جورجيا|Tbilisi|Tbilissi|Tiflis|Tiflis|第比利斯|تبليسي
AS||Armenia|l'Arménie|Armenien|Armenia|亚美尼亚|أرمينيا|Yerevan|Erevan|Eriwan|Ereván|埃里温|يريفان
AF|egp|Egypt|l'Égypte|Ägypten|Egipto|埃及|مصر|Cairo|Le Caire|Kairo|El Cairo|开罗|القاهرة
AF|dinar|Libya|la Libye|Libyen|Libia|利比亚|ليبيا|Tripoli|Tripoli|Tripolis|Trípoli|的黎波里|طرابلس
AF|dinar|Tunisia|la Tunisie|Tunesien|Túnez|突尼斯|تونس|Tunis|Tunis|Tunis|Túnez|突尼斯市|تونس العاصمة
AF|dinar|Algeria|l'Algérie|Algerien|Argelia|阿尔及利亚|الجزائر|Algiers|Alger|Algier|Argel|阿尔及尔|مدينة الجزائر
AF|dirham|Morocco|le Maroc|Marokko|Marruecos|摩洛哥|المغرب|Rabat|Rabat|Rabat|Rabat|拉巴特|الرباط
AF||Sudan|le Soudan|der Sudan|Sudán|苏丹|السودان|Khartoum|Khartoum|Khartum|Jartum|喀土穆|الخرطوم
AF||Ethiopia|l'Éthiopie|Äthiopien|Etiopía|埃塞俄比亚|إثيوبيا|Addis Ababa|Addis-Abeba|Addis Abeba|Adís Abeba|亚的斯亚贝巴|أديس أبابا
AF||Kenya|le Kenya|Kenia|Kenia|肯尼亚|كينيا|Nairobi|Nairobi|Nairobi|Nairobi|内罗毕|نيروبي
AF||Somalia|la Somalie|Somalia|Somalia|索马里|الصومال|Mogadishu|Mogadiscio|Mogadischu|Mogadiscio|摩加迪沙|مقديشو
AF||Uganda|l'Ouganda|Uganda|Uganda|乌干达|أوغندا|Kampala|Kampala|Kampala|Kampala|坎帕拉|كمبالا
AF||Ghana|le Ghana|Ghana|Ghana|加纳|غانا|Accra|Accra|Accra|Acra|阿克拉|أكرا
AF||Senegal|le Sénégal|der Senegal|Senegal|塞内加尔|السنغال|Dakar|Dakar|Dakar|Dakar|达喀尔|داكار
AF|naira|Nigeria|le Nigeria|Nigeria|Nigeria|尼日利亚|نيجيريا|Abuja|Abuja|Abuja|Abuya|阿布贾|أبوجا
AF||Mali|le Mali|Mali|Malí|马里|مالي|Bamako|Bamako|Bamako|Bamako|巴马科|باماكو
AF||Angola|l'Angola|Angola|Angola|安哥拉|أنغولا|Luanda|Luanda|Luanda|Luanda|罗安达|لواندا
AF||Madagascar|Madagascar|Madagaskar|Madagascar|马达加斯加|مدغشقر|Antananarivo|Antananarivo|Antananarivo|Antananarivo|塔那那利佛|أنتاناناريفو
NA|dollar|the United States|les États-Unis|die USA|Estados Unidos|美国|الولايات المتحدة|Washington|Washington|Washington|Washington|华盛顿|واشنطن
NA|cad|Canada|le Canada|Kanada|Canadá|加拿大|كندا|Ottawa|Ottawa|Ottawa|Ottawa|渥太华|أوتاوا
NA|peso|Mexico|le Mexique|Mexiko|México|墨西哥|المكسيك|Mexico City|Mexico|Mexiko-Stadt|Ciudad de México|墨西哥城|مكسيكو سيتي
NA|peso|Cuba|Cuba|Kuba|Cuba|古巴|كوبا|Havana|La Havane|Havanna|La Habana|哈瓦那|هافانا
NA||Jamaica|la Jamaïque|Jamaika|Jamaica|牙买加|جامايكا|Kingston|Kingston|Kingston|Kingston|金斯敦|كينغستون
NA||Honduras|le Honduras|Honduras|Honduras|洪都拉斯|هندوراس|Tegucigalpa|Tegucigalpa|Tegucigalpa|Tegucigalpa|特古西加尔巴|تيغوسيغالبا
NA||Nicaragua|le Nicaragua|Nicaragua|Nicaragua|尼加拉瓜|نيكاراغوا|Managua|Managua|Managua|Managua|马那瓜|ماناغوا
NA||Costa Rica|le Costa Rica|Costa Rica|Costa Rica|哥斯达黎加|كوستاريكا|San José|San José|San José|San José|圣何塞|سان خوسيه
SA|real|Brazil|le Brésil|Brasilien|Brasil|巴西|البرازيل|Brasília|Brasilia|Brasília|Brasilia|巴西利亚|برازيليا
SA|peso|Argentina|l'Argentine|Argentinien|Argentina|阿根廷|الأرجنتين|Buenos Aires|Buenos Aires|Buenos Aires|Buenos Aires|布宜诺斯艾利斯|بوينس آيرس
SA|peso|Chile|le Chili|Chile|Chile|智利|تشيلي|Santiago|Santiago|Santiago|Santiago|圣地亚哥|سانتياغو
SA|sol|Peru|le Pérou|Peru|Perú|秘鲁|بيرو|Lima|Lima|Lima|Lima|利马|ليما
SA|peso|Colombia|la Colombie|Kolumbien|Colombia|哥伦比亚|كولومبيا|Bogotá|Bogota|Bogotá|Bogotá|波哥大|بوغوتا
SA||Venezuela|le Venezuela|Venezuela|Venezuela|委内瑞拉|فنزويلا|Caracas|Caracas|Caracas|Caracas|加拉加斯|كاراكاس
SA|dollar|Ecuador|l'Équateur|Ecuador|Ecuador|厄瓜多尔|الإكوادور|Quito|Quito|Quito|Quito|基多|كيتو
SA|peso|Uruguay|l'Uruguay|Uruguay|Uruguay|乌拉圭|أوروغواي|Montevideo|Montevideo|Montevideo|Montevideo|蒙得维的亚|مونتفيديو
SA||Paraguay|le Paraguay|Paraguay|Paraguay|巴拉圭|باراغواي|Asunción|Asuncion|Asunción|Asunción|亚松森|أسونسيون
OC|aud|Australia|l'Australie|Australien|Australia|澳大利亚|أستراليا|Canberra|Canberra|Canberra|Canberra|堪培拉|كانبرا
OC||New Zealand|la Nouvelle-Zélande|Neuseeland|Nueva Zelanda|新西兰|نيوزيلندا|Wellington|Wellington|Wellington|Wellington|惠灵顿|ويلينغتون
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
