/* Languages of short texts, parts whatever their case, and bounded regular expressions. */
#include <string.h>

#include "tests/support.h"
#include "text/language.h"
#include "text/text_match.h"

static void each_language_is_known_by_its_sentences(void **state)
{
    (void)state;
    static const char *const codes[] = {"en", "fr", "de", "es", "zh", "ar"};
    static const char *const sentences[][4] = {
        {"Hello! How can I help you?", "The capital of Mali is Bamako.", "I don't know that person, sorry.", "That makes 12."},
        {"Bonjour ! Comment puis-je vous aider ?", "La capitale du Mali est Bamako.", "Je ne connais pas cette personne.",
         "\xC3\x87"
         "a fait 12, c\xE2\x80\x99"
         "est la r\xC3\xA9ponse."},
        {"Hallo! Was kann ich f\xC3\xBCr Sie tun?", "Die Hauptstadt von Mali hei\xC3\x9Ft Bamako.", "Leider kenne ich sie nicht.",
         "Das ergibt 12."},
        {"\xC2\xA1Hola! \xC2\xBF"
         "C\xC3\xB3mo puedo ayudar?",
         "La capital de Mal\xC3\xAD es Bamako.", "No conozco a esa persona.", "Son 12 en total, gracias."},
        {"\xE6\x88\x91\xE5\x8F\xABtiny-"
         "R1\xEF\xBC\x8C\xE6\x98\xAF\xE5\xB0\x8F\xE5\x9E\x8B\xE6\xBC\x94\xE7\xA4\xBA\xE6\xA8\xA1\xE5\x9E\x8B\xE3\x80\x82",
         "\xE9\xA6\x96\xE9\x83\xBD\xE6\x98\xAF\xE5\xB7\xB4\xE9\x95\xBF\xE3\x80\x82", "\xE6\x88\x91\xE4\xB8\x8D\xE7\x9F\xA5\xE9\x81\x93",
         "\xE7\xAD\x94\xE6\xA1\x88\xE6\x98\xAF"
         "12"},
        {"\xD9\x85\xD8\xB1\xD8\xAD\xD8\xA8\xD8\xA7!", "\xD8\xA7\xD9\x84\xD8\xAC\xD9\x88\xD8\xA7\xD8\xA8 \xD9\x87\xD9\x88 12",
         "\xD9\x84\xD8\xA7 \xD8\xA3\xD8\xB9\xD8\xB1\xD9\x81", "\xD9\x86\xD8\xB9\xD9\x85"},
    };
    for (size_t i = 0; i < 6; i++) {
        assert_true(language_is_known(codes[i]));
        for (size_t k = 0; k < 4; k++)
            for (size_t j = 0; j < 6; j++) {
                const char *found;
                bool fits = language_fits(str_of(sentences[i][k]), codes[j], &found);
                if (fits != (i == j))
                    fail_msg("%s as %s: %d, found %s", sentences[i][k], codes[j], fits, found);
            }
    }
    assert_false(language_is_known("it"));
}

static void what_shows_no_language_fits_any_of_its_script(void **state)
{
    (void)state;
    const char *found;
    assert_true(language_fits(str_of("12 + 3 = 15"), "ar", &found));
    assert_true(language_fits(str_of(""), "zh", &found));
    assert_true(language_fits(str_of("Bamako."), "es", &found));
    assert_false(language_fits(str_of("Bamako."), "zh", &found));
    assert_false(language_fits(str_of("\xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82"), "en", &found)); /* Cyrillic */
    assert_string_equal(found, "another language");
    language_fits(str_of("\xFF\xE4\xB8"), "zh", &found); /* ill-formed: no more than an answer is asked */
    char word[500];
    memset(word, 'a', sizeof word);
    assert_true(language_fits(str_from(word, sizeof word), "en", &found));
}

static void parts_are_found_whatever_their_case(void **state)
{
    (void)state;
    assert_true(text_match_contains(str_of("GR\xC3\x9C\xC3\x9F"
                                           "E"),
                                    str_of("gr\xC3\xBCsse")));
    assert_true(text_match_contains(str_of("cafe\xCC\x81"), str_of("CAF\xC3\x89")));
    assert_true(text_match_contains(str_of("x"), str_of("")));
    assert_false(text_match_contains(str_of("cafe"), str_of("caf\xC3\xA9")));
    assert_false(text_match_contains(str_of("\xFF"
                                            "cafe"),
                                     str_of("cafe")));
}

static void a_guess_needs_something_to_go_by(void **state)
{
    static const struct {
        const char *text, *code;
    } rows[] = {{"Combien font 1234 + 4321 ?", "fr"},
                {"How many?", "en"},
                {"Wie viel ist 3 mal 4?", "de"},
                {"¿Cuánto es 3 + 4?", "es"},
                {"三加四等于多少？ API", "zh"},
                {"كم يساوي", "ar"},
                {"Bamako 123", NULL},
                {"12 + 3", NULL},
                {"при", NULL},
                {"", NULL}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *guess = language_guess(str_of(rows[i].text));
        if (!guess != !rows[i].code || (guess && strcmp(guess, rows[i].code) != 0))
            fail_msg("%s: %s", rows[i].text, guess ? guess : "nothing");
    }
}

static void patterns_are_bounded(void **state)
{
    (void)state;
    struct text_pattern *pattern;
    struct error error;
    char text[64];
    error_clear(&error);
    memset(text, 'a', sizeof text);
    support_ok(text_pattern_create(&pattern, str_of("^(a+)+$"), &error), &error);
    assert_int_equal(text_pattern_find(pattern, str_from(text, sizeof text)), TEXT_PATTERN_FOUND);
    text[sizeof text - 1] = 'b';
    assert_int_equal(text_pattern_find(pattern, str_from(text, sizeof text)), TEXT_PATTERN_TOO_MUCH_WORK);
    assert_int_equal(text_pattern_find(pattern, str_of("b")), TEXT_PATTERN_ABSENT);
    text_pattern_free(pattern);
    assert_int_equal(text_pattern_create(&pattern, str_of("a{2"), &error), STATUS_OK);
    text_pattern_free(pattern);
    assert_int_equal(text_pattern_create(&pattern, str_of("[a"), &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "at character 2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_language_is_known_by_its_sentences),
        cmocka_unit_test(what_shows_no_language_fits_any_of_its_script),
        cmocka_unit_test(parts_are_found_whatever_their_case),
        cmocka_unit_test(a_guess_needs_something_to_go_by),
        cmocka_unit_test(patterns_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
