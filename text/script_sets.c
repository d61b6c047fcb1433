/* PCRE2 knows the property: a script's characters are what its class matches in a text of all characters. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/script_sets.h"

#include <ctype.h>
#include <pcre2.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

#include "base/mem.h"
#include "base/utf8.h"

enum { KEPT_MAX = 200, LOOK_BYTES_MAX = 16384, PATTERN_BYTES = 24 };

struct kept {
    char code[SCRIPT_CODE_BYTES];
    struct code_points set;
};

struct script_sets {
    pthread_mutex_t lock;
    struct kept kept[KEPT_MAX];
    unsigned n;
};

enum status script_sets_create(struct script_sets **out, struct error *error)
{
    struct script_sets *s = *out = mem_zalloc(sizeof *s);
    if (!s)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    pthread_mutex_init(&s->lock, NULL);
    return STATUS_OK;
}

void script_sets_free(struct script_sets *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < s->n; i++)
        code_points_release(&s->kept[i].set);
    pthread_mutex_destroy(&s->lock);
    mem_free(s);
}

/* ---- Codes ------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *code, *of[4];
} made_of[] = {
    {"Jpan", {"Hani", "Hira", "Kana"}}, {"Kore", {"Hang", "Hani"}}, {"Hans", {"Hani"}}, {"Hant", {"Hani"}}, {"Hrkt", {"Hira", "Kana"}},
};

/* As the standard writes it. False: not four letters. */
static bool tidy(struct str code, char out[SCRIPT_CODE_BYTES])
{
    for (size_t i = 0; i < code.len && i < 4; i++) {
        if (!isalpha((unsigned char)code.at[i]))
            return false;
        out[i] = (char)(i ? tolower((unsigned char)code.at[i]) : toupper((unsigned char)code.at[i]));
    }
    out[code.len < 4 ? code.len : 4] = 0;
    return code.len == 4;
}

static pcre2_code *class_of(const char *code)
{
    char pattern[PATTERN_BYTES];
    int wrong;
    PCRE2_SIZE at;
    int n = snprintf(pattern, sizeof pattern, "\\p{sc:%s}+", code);
    return pcre2_compile((PCRE2_SPTR)pattern, (PCRE2_SIZE)n, PCRE2_UTF | PCRE2_UCP | PCRE2_NO_UTF_CHECK, &wrong, &at, NULL);
}

static bool is_known(const char *code)
{
    pcre2_code *class = class_of(code);
    pcre2_code_free(class);
    return class != NULL;
}

bool script_sets_know(struct str code)
{
    char name[SCRIPT_CODE_BYTES];
    if (!tidy(code, name))
        return false;
    for (size_t i = 0; i < sizeof made_of / sizeof made_of[0]; i++)
        if (strcmp(name, made_of[i].code) == 0)
            return true;
    return is_known(name);
}

/* ---- Characters -------------------------------------------------------------------------------------------------- */

static char *all_characters(size_t *length)
{
    char *text = mem_alloc(4 * ((size_t)CODE_POINT_MAX + 1));
    *length = 0;
    for (uint32_t c = 0; text && c <= CODE_POINT_MAX; c++)
        if (c < 0xD800 || c > 0xDFFF)
            *length += utf8_encode(c, text + *length);
    return text;
}

static uint32_t last_of(const char *text, size_t end)
{
    uint32_t c = 0;
    size_t begin = end - 1;
    while (((unsigned char)text[begin] & 0xC0) == 0x80)
        begin--;
    utf8_decode(text + begin, end - begin, &c);
    return c;
}

/* Every run of the class in the text of all characters is a range: surrogates, which are not there, have no script. */
static enum status find(const char *code, struct code_points *out, struct error *error)
{
    size_t length;
    char *text = all_characters(&length);
    pcre2_code *class = class_of(code);
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);
    enum status status = STATUS_OK;
    if (!class)
        status = error_set(error, STATUS_NOT_FOUND, "%s is no script", code);
    else if (!text || !match)
        status = error_set(error, STATUS_NO_MEMORY, "out of memory");
    if (!status)
        pcre2_jit_compile(class, PCRE2_JIT_COMPLETE);
    for (PCRE2_SIZE at = 0; !status && pcre2_match(class, (PCRE2_SPTR)text, length, at, PCRE2_NO_UTF_CHECK, match, NULL) > 0;) {
        const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(match);
        uint32_t first = 0;
        utf8_decode(text + ends[0], length - ends[0], &first);
        code_points_add(out, first, last_of(text, ends[1]));
        at = ends[1];
    }
    pcre2_match_data_free(match);
    pcre2_code_free(class);
    mem_free(text);
    code_points_settle(out);
    return status ? status : out->failed ? error_set(error, STATUS_NO_MEMORY, "out of memory") : STATUS_OK;
}

/* With the lock. */
static const struct code_points *kept_of(struct script_sets *s, const char *code, struct error *error)
{
    for (unsigned i = 0; i < s->n; i++)
        if (strcmp(s->kept[i].code, code) == 0)
            return &s->kept[i].set;
    if (s->n == KEPT_MAX) { /* there are fewer scripts than that */
        error_set(error, STATUS_LIMIT, "too many scripts");
        return NULL;
    }
    struct kept *k = &s->kept[s->n];
    *k = (struct kept){.set = {0}};
    snprintf(k->code, sizeof k->code, "%s", code);
    if (find(code, &k->set, error)) {
        code_points_release(&k->set);
        return NULL;
    }
    s->n++;
    return &k->set;
}

static enum status add_one(struct script_sets *s, const char *code, struct code_points *out, struct error *error)
{
    pthread_mutex_lock(&s->lock);
    const struct code_points *set = kept_of(s, code, error);
    for (size_t i = 0; set && i < set->n; i++)
        code_points_add(out, set->at[i].first, set->at[i].last);
    pthread_mutex_unlock(&s->lock);
    if (!set)
        return error->status;
    return out->failed ? error_set(error, STATUS_NO_MEMORY, "out of memory") : STATUS_OK;
}

enum status script_sets_add(struct script_sets *s, struct str code, struct code_points *out, struct error *error)
{
    char name[SCRIPT_CODE_BYTES];
    enum status status = STATUS_OK;
    if (!tidy(code, name))
        return error_set(error, STATUS_NOT_FOUND, "a script has a code of four letters");
    for (size_t i = 0; i < sizeof made_of / sizeof made_of[0]; i++) {
        if (strcmp(name, made_of[i].code) != 0)
            continue;
        for (const char *const *of = made_of[i].of; *of && !status; of++)
            status = add_one(s, *of, out, error);
        return status;
    }
    return add_one(s, name, out, error);
}

enum status script_sets_add_common(struct script_sets *s, struct code_points *out, struct error *error)
{
    enum status status = add_one(s, "Zyyy", out, error);
    return status ? status : add_one(s, "Zinh", out, error);
}

/* ---- Texts ------------------------------------------------------------------------------------------------------- */

static bool is_letter(uint32_t c)
{
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

static size_t count_letters(struct str text)
{
    size_t letters = 0;
    for (size_t at = 0; at < text.len;) {
        uint32_t c;
        size_t n = utf8_decode(text.at + at, text.len - at, &c);
        letters += n && is_letter(c);
        at += n ? n : 1;
    }
    return letters;
}

/* How many letters of the text the class matches. */
static size_t letters_in(struct str text, const char *code)
{
    size_t letters = 0;
    pcre2_code *class = class_of(code);
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);
    for (PCRE2_SIZE at = 0;
         class && match && pcre2_match(class, (PCRE2_SPTR)text.at, text.len, at, PCRE2_NO_UTF_CHECK, match, NULL) > 0;) {
        const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(match);
        letters += count_letters(str_from(text.at + ends[0], ends[1] - ends[0]));
        at = ends[1];
    }
    pcre2_match_data_free(match);
    pcre2_code_free(class);
    return letters;
}

bool script_sets_of_text(struct str text, char codes[SCRIPT_CODES_MAX][SCRIPT_CODE_BYTES], uint32_t *n)
{
    static const char *const living[] = {"Latn", "Hani", "Arab", "Cyrl", "Deva", "Hira", "Kana", "Hang", "Grek", "Hebr", "Thai", "Beng",
                                         "Taml", "Telu", "Gujr", "Guru", "Knda", "Mlym", "Orya", "Sinh", "Khmr", "Laoo", "Mymr", "Geor",
                                         "Armn", "Ethi", "Tibt", "Mong", "Thaa", "Syrc", "Cher", "Cans", "Bopo", "Zyyy", "Zinh"};
    text.len = utf8_valid_prefix(text.at, text.len < LOOK_BYTES_MAX ? text.len : LOOK_BYTES_MAX);
    size_t letters = count_letters(text), found = 0;
    *n = 0;
    for (size_t i = 0; i < sizeof living / sizeof living[0] && found < letters; i++) {
        size_t own = letters_in(text, living[i]);
        found += own;
        if (!own || living[i][0] == 'Z')
            continue;
        if (*n == SCRIPT_CODES_MAX)
            return false;
        memcpy(codes[(*n)++], living[i], SCRIPT_CODE_BYTES);
    }
    return found == letters;
}
