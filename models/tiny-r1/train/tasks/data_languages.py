"""How each language names the six languages, and its quotation marks."""

LANGUAGES = ("en", "fr", "de", "es", "zh", "ar")

# "in French", as it stands in a question of each language.
TO = {
    "en": ("in English", "in French", "in German", "in Spanish", "in Chinese", "in Arabic"),
    "fr": ("en anglais", "en français", "en allemand", "en espagnol", "en chinois", "en arabe"),
    "de": ("auf Englisch", "auf Französisch", "auf Deutsch", "auf Spanisch", "auf Chinesisch", "auf Arabisch"),
    "es": ("en inglés", "en francés", "en alemán", "en español", "en chino", "en árabe"),
    "zh": ("英语", "法语", "德语", "西班牙语", "中文", "阿拉伯语"),
    "ar": ("بالإنجليزية", "بالفرنسية", "بالألمانية", "بالإسبانية", "بالصينية", "بالعربية"),
}

# "into French", where a translation is ordered.
INTO = {
    "en": ("into English", "into French", "into German", "into Spanish", "into Chinese", "into Arabic"),
    "fr": TO["fr"],
    "de": ("ins Englische", "ins Französische", "ins Deutsche", "ins Spanische", "ins Chinesische", "ins Arabische"),
    "es": ("al inglés", "al francés", "al alemán", "al español", "al chino", "al árabe"),
    "zh": TO["zh"],
    "ar": ("إلى الإنجليزية", "إلى الفرنسية", "إلى الألمانية", "إلى الإسبانية", "إلى الصينية", "إلى العربية"),
}

# "from French".
FROM = {
    "en": ("from English", "from French", "from German", "from Spanish", "from Chinese", "from Arabic"),
    "fr": ("de l'anglais", "du français", "de l'allemand", "de l'espagnol", "du chinois", "de l'arabe"),
    "de": ("aus dem Englischen", "aus dem Französischen", "aus dem Deutschen", "aus dem Spanischen", "aus dem Chinesischen",
           "aus dem Arabischen"),
    "es": ("del inglés", "del francés", "del alemán", "del español", "del chino", "del árabe"),
    "zh": TO["zh"],
    "ar": ("من الإنجليزية", "من الفرنسية", "من الألمانية", "من الإسبانية", "من الصينية", "من العربية"),
}

QUOTES = {"en": ('"{}"', "'{}'", "“{}”"), "fr": ("« {} »", '"{}"'), "de": ("„{}“", '"{}"'), "es": ("«{}»", '"{}"'), "zh": ("“{}”", "「{}」"),
          "ar": ('"{}"', "«{}»")}


def named(table, language, other):
    return table[language][LANGUAGES.index(other)]
