/* Letters are counted by script first; among the languages of the Latin script the one with the most of its frequent words and own
 * letters wins, and a tie is nobody's fault. */
#include "text/language.h"

#include <string.h>
#include <utf8proc.h>

#include "base/utf8.h"

enum { N_LATIN = 4, WORD_BYTES = 48, SHARE_PERCENT = 30, HAN_WEIGHT = 2 /* a character says as much as two letters */ };

static const char *const latin_codes[N_LATIN] = {"en", "fr", "de", "es"};

/* Frequent words, folded; a word may belong to several languages. Each list begins and ends with a space. */
static const char *const latin_words[N_LATIN] = {
    " the a an of and to in is are was were be been i you he she it we they my your his her its our their that this these those"
    " what which "
    "who how when where why not no yes do does did have has had can could will would should may might must with for from at on by"
    " as or but "
    "if than then there here very more most some any all please thank thanks hello hi good bye goodbye welcome me him them am so"
    " just about "
    "up out know don't i'm it's sorry help answer result order larger smaller called means day today tomorrow after before into"
    " only many much ",
    " le la les un une des du de et à au aux en est sont était je tu il elle nous vous ils elles on mon ma mes ton ta tes son sa"
    " ses notre votre leur "
    "ce cet cette ces que qui quoi où quand comment pourquoi ne pas non oui mais ou si plus moins très avec pour par sur dans"
    " sans sous "
    "bonjour salut merci bonsoir revoir bienvenue me te se lui suis es êtes sommes ont ai as avez peux peut puis d'accord c'est"
    " j'ai l'on "
    "combien font fait est-ce "
    "réponse résultat ordre dit jour demain après avant aujourd'hui rien tout tous bien aider désolé appelle aucun cela ça donc"
    " aussi être ",
    " der die das den dem des ein eine einen einem einer eines und oder aber ist sind war waren bin bist ich du er sie es wir ihr"
    " mein meine "
    "dein deine sein seine unser ihre nicht kein keine nein ja mit für von vom zu zum zur im in am an auf aus bei nach über unter"
    " vor wie was wer "
    "wo wann warum welche welcher welches hallo guten tag morgen danke bitte tschüss willkommen kann kannst können könnte werden"
    " wird "
    "haben hat habe auch nur noch sehr mehr als wenn dass so dann hier dort antwort ergebnis reihenfolge heißt lautet größer"
    " kleiner gern "
    "viel viele wieviel ergibt leider helfen heute gestern bis alles ihnen mir mich dir dich uns man sich ",
    " el la los las un una unos unas de del y o pero es son era fue soy eres estoy está están yo tú él ella nosotros ustedes"
    " usted mi mis tu tus "
    "su sus nuestro que qué quién cómo cuándo dónde por para con sin en a al no sí se me te le lo les más menos muy también ya si"
    " como hola "
    "gracias buenos buenas días tardes noches adiós bienvenido puede puedo puedes ser estar hay ha he han tiene tengo respuesta"
    " resultado orden "
    "cuánto cuántos cuánta cuántas "
    "dice llama llamo mayor menor ayudar día hoy mañana ayer después antes todo nada este esta esto ese esa eso siento ",
};

/* Letters that one language has and the others lack or hardly use. */
static const char *const latin_letters[N_LATIN] = {"", "çœêèùûîëï", "ßäö", "ñ¿¡áíó"};

enum script { SCRIPT_LATIN, SCRIPT_HAN, SCRIPT_ARABIC, SCRIPT_OTHER, N_SCRIPTS };

static bool is_letter(uint32_t c)
{
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

static enum script script_of(uint32_t c)
{
    static const struct {
        uint32_t first, last;
        enum script script;
    } ranges[] = {
        {0x0041, 0x024F, SCRIPT_LATIN},  {0x1E00, 0x1EFF, SCRIPT_LATIN},  {0x3400, 0x4DBF, SCRIPT_HAN},
        {0x4E00, 0x9FFF, SCRIPT_HAN},    {0xF900, 0xFAFF, SCRIPT_HAN},    {0x20000, 0x3134F, SCRIPT_HAN},
        {0x0600, 0x06FF, SCRIPT_ARABIC}, {0x0750, 0x077F, SCRIPT_ARABIC}, {0x08A0, 0x08FF, SCRIPT_ARABIC},
        {0xFB50, 0xFDFF, SCRIPT_ARABIC}, {0xFE70, 0xFEFF, SCRIPT_ARABIC},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return ranges[i].script;
    return SCRIPT_OTHER;
}

struct evidence {
    size_t letters[N_SCRIPTS], all_letters;
    unsigned latin[N_LATIN];
    char word[WORD_BYTES]; /* being read: a space, then folded letters */
    size_t word_len;
};

static void end_word(struct evidence *e)
{
    if (e->word_len > 1 && e->word_len + 2 <= WORD_BYTES) {
        e->word[e->word_len] = ' ';
        e->word[e->word_len + 1] = 0;
        for (unsigned i = 0; i < N_LATIN; i++)
            e->latin[i] += strstr(latin_words[i], e->word) != NULL;
    }
    e->word[0] = ' ';
    e->word_len = 1;
}

static void take_character(struct evidence *e, uint32_t c)
{
    char folded[4];
    uint32_t lower = c == 0x2019 ? '\'' : (uint32_t)utf8proc_tolower((utf8proc_int32_t)c);
    size_t n = utf8_encode(lower, folded);
    char letter[5] = {0};
    memcpy(letter, folded, n);
    for (unsigned i = 0; lower > 0x7F && i < N_LATIN; i++)
        e->latin[i] += strstr(latin_letters[i], letter) != NULL;
    if (is_letter(c)) {
        enum script script = script_of(c);
        size_t weight = script == SCRIPT_HAN ? HAN_WEIGHT : 1;
        e->letters[script] += weight;
        e->all_letters += weight;
    } else if (lower != '\'') {
        end_word(e);
        return;
    }
    if (e->word_len + n < WORD_BYTES)
        memcpy(e->word + e->word_len, folded, n);
    e->word_len += n;
}

static struct evidence evidence_of(struct str text)
{
    struct evidence e = {.word = " ", .word_len = 1};
    for (size_t at = 0; at < text.len;) {
        uint32_t c;
        size_t n = utf8_decode(text.at + at, text.len - at, &c);
        if (n)
            take_character(&e, c);
        at += n ? n : 1;
    }
    end_word(&e);
    return e;
}

static bool is_written_in(const struct evidence *e, enum script script)
{
    return e->letters[script] * 100 >= e->all_letters * SHARE_PERCENT;
}

static const char *best_guess(const struct evidence *e)
{
    unsigned best = 0;
    if (is_written_in(e, SCRIPT_HAN))
        return "zh";
    if (is_written_in(e, SCRIPT_ARABIC))
        return "ar";
    for (unsigned i = 1; i < N_LATIN; i++)
        if (e->latin[i] > e->latin[best])
            best = i;
    return is_written_in(e, SCRIPT_LATIN) ? latin_codes[best] : "another language";
}

bool language_is_known(const char *code)
{
    for (unsigned i = 0; i < N_LATIN; i++)
        if (strcmp(code, latin_codes[i]) == 0)
            return true;
    return strcmp(code, "zh") == 0 || strcmp(code, "ar") == 0;
}

const char *language_guess(struct str text)
{
    struct evidence e = evidence_of(text);
    const char *guess = best_guess(&e);
    unsigned seen = 0;
    for (unsigned i = 0; i < N_LATIN; i++)
        seen += e.latin[i];
    bool latin = strcmp(guess, "zh") != 0 && strcmp(guess, "ar") != 0;
    return e.all_letters && language_is_known(guess) && (seen || !latin) ? guess : NULL;
}

bool language_fits(struct str text, const char *code, const char **found)
{
    struct evidence e = evidence_of(text);
    *found = best_guess(&e);
    if (!e.all_letters || strcmp(*found, code) == 0)
        return true;
    if (strcmp(code, "zh") == 0 || strcmp(code, "ar") == 0)
        return is_written_in(&e, strcmp(code, "zh") == 0 ? SCRIPT_HAN : SCRIPT_ARABIC);
    unsigned own = 0, best = 0;
    for (unsigned i = 0; i < N_LATIN; i++) {
        own = strcmp(code, latin_codes[i]) == 0 ? e.latin[i] : own;
        best = e.latin[i] > best ? e.latin[i] : best;
    }
    return is_written_in(&e, SCRIPT_LATIN) && own == best;
}
