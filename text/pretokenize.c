/* Pre-tokenizer steps over PCRE2. Match contexts live for one call: nothing here is written after loading. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/pretokenize.h"

#include <pcre2.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/mem.h"

enum { STEPS_MAX = 16, PATTERN_BYTES_MAX = 64 * 1024, JIT_STACK_START = 32 * 1024, JIT_STACK_MAX = 1024 * 1024 };

struct pretokenize {
    pcre2_code *steps[STEPS_MAX]; /* owned */
    bool compiled[STEPS_MAX];     /* to machine code */
    uint32_t digits[STEPS_MAX];   /* the step isolates groups of up to so many number characters and nothing else; 0: another pattern */
    unsigned n_steps;
};

/* Oniguruma's $ and ^ stand at every line. */
#define OPTIONS (PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE)
#define MATCHING (PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY)

/* Unicode White_Space: PCRE2's own \s counts U+180E, which it is not. */
#define SPACES "\\t-\\r \\x{85}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}\\x{202F}\\x{205F}\\x{3000}"

#define GPT2 "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
#define LLAMA3                                                                                                        \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+"   \
    "|\\s+(?!\\S)|\\s+"
#define QWEN2                                                                                                         \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+"        \
    "|\\s+(?!\\S)|\\s+"
#define CJK_KANA "[\xE4\xB8\x80-\xE9\xBE\xA5\xE3\x81\x80-\xE3\x82\x9F\xE3\x82\xA0-\xE3\x83\xBF]+"
#define DEEPSEEK3_WORDS                                                                                               \
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"                      \
    "| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
/* Letters of the scripts that have case, as the published class lists them: it is not a category (Armenian small letters are
 * absent). */
#define CASED "[" \
    "A-Za-z\\x{B5}\\x{C0}-\\x{D6}\\x{D8}-\\x{F6}\\x{F8}-\\x{1BA}\\x{1BC}-\\x{1BF}\\x{1C4}-\\x{293}" \
    "\\x{295}-\\x{2AF}\\x{370}-\\x{373}\\x{376}\\x{377}\\x{37B}-\\x{37D}\\x{37F}\\x{386}\\x{388}-\\x{38A}" \
    "\\x{38C}\\x{38E}-\\x{3A1}\\x{3A3}-\\x{3F5}\\x{3F7}-\\x{481}\\x{48A}-\\x{52F}\\x{531}-\\x{556}" \
    "\\x{10A0}-\\x{10C5}\\x{13A0}-\\x{13F5}\\x{13F8}-\\x{13FD}\\x{1C90}-\\x{1CBA}\\x{1CBD}-\\x{1CBF}" \
    "\\x{1D00}-\\x{1D2B}\\x{1D6B}-\\x{1D77}\\x{1D79}-\\x{1D9A}\\x{1E00}-\\x{1F15}\\x{1F18}-\\x{1F1D}" \
    "\\x{1F20}-\\x{1F45}\\x{1F48}-\\x{1F4D}\\x{1F50}-\\x{1F57}\\x{1F59}\\x{1F5B}\\x{1F5D}\\x{1F5F}-\\x{1F7D}" \
    "\\x{1F80}-\\x{1FB4}\\x{1FB6}-\\x{1FBC}\\x{1FBE}\\x{1FC2}-\\x{1FC4}\\x{1FC6}-\\x{1FCC}\\x{1FD0}-\\x{1FD3}" \
    "\\x{1FD6}-\\x{1FDB}\\x{1FE0}-\\x{1FEC}\\x{1FF2}-\\x{1FF4}\\x{1FF6}-\\x{1FFC}\\x{2102}\\x{2107}" \
    "\\x{210A}-\\x{2113}\\x{2115}\\x{2119}-\\x{211D}\\x{2124}\\x{2126}\\x{2128}\\x{212A}-\\x{212D}" \
    "\\x{212F}-\\x{2134}\\x{2139}\\x{213C}-\\x{213F}\\x{2145}-\\x{2149}\\x{214E}\\x{2183}\\x{2184}" \
    "\\x{2C00}-\\x{2C7B}\\x{2C7E}-\\x{2CE4}\\x{2CEB}-\\x{2CEE}\\x{2CF2}\\x{2CF3}\\x{A640}-\\x{A66D}" \
    "\\x{A680}-\\x{A69B}\\x{A722}-\\x{A76F}\\x{A771}-\\x{A787}\\x{A78B}-\\x{A78E}\\x{AB70}-\\x{ABBF}" \
    "\\x{FB00}-\\x{FB06}\\x{FB13}-\\x{FB17}\\x{FF21}-\\x{FF3A}\\x{FF41}-\\x{FF5A}\\x{10400}-\\x{1044F}" \
    "\\x{104B0}-\\x{104D3}\\x{104D8}-\\x{104FB}\\x{10C80}-\\x{10CB2}\\x{10CC0}-\\x{10CF2}" \
    "\\x{118A0}-\\x{118DF}\\x{1E900}-\\x{1E943}" \
    "]"

struct named {
    const char *names; /* separated by spaces */
    struct {
        enum pretokenize_kind kind;
        const char *pattern;
    } steps[7];
};

static const struct named named_steps[] = {
    {"default", {{PRETOKENIZE_ISOLATE, "[\\p{P}\\$\\+<=>\\^~\\|]+"}, {PRETOKENIZE_ISOLATE, GPT2}, {PRETOKENIZE_ISOLATE, "\\p{N}+"},
                 {PRETOKENIZE_ISOLATE, "[0-9][0-9][0-9]"}}},
    {"gpt-2 gpt2 jina-v2-code mpt olmo", {{PRETOKENIZE_ISOLATE, GPT2}}},
    {"llama3 llama-v3 llama-bpe falcon3 lfm2", {{PRETOKENIZE_ISOLATE, LLAMA3}}},
    {"qwen2 deepseek-r1-qwen", {{PRETOKENIZE_ISOLATE, QWEN2}}},
    {"deepseek-v3 joyai-llm hunyuan-dense",
     {{PRETOKENIZE_ISOLATE, "\\p{N}{1,3}"}, {PRETOKENIZE_ISOLATE, CJK_KANA}, {PRETOKENIZE_ISOLATE, DEEPSEEK3_WORDS}}},
    {"deepseek-llm",
     {{PRETOKENIZE_ISOLATE, "[\\r\\n]"},
      {PRETOKENIZE_ISOLATE, "\\s?" CASED "+"},
      {PRETOKENIZE_ISOLATE, "\\s?[!-/:-~\xEF\xBC\x81-\xEF\xBC\x8F\xEF\xBC\x9A-\xEF\xBD\x9E\xE2\x80\x98-\xE2\x80\x9F"
                            "\xE3\x80\x80-\xE3\x80\x82]+"},
      {PRETOKENIZE_ISOLATE, "\\s+$"},
      {PRETOKENIZE_ISOLATE, "[\xE4\xB8\x80-\xE9\xBE\xA5\xE0\xA0\x80-\xE4\xB8\x80\xEA\xB0\x80-\xED\x9F\xBF]+"},
      {PRETOKENIZE_ISOLATE, "\\p{N}+"}}},
    {"deepseek-coder",
     {{PRETOKENIZE_ISOLATE, "[\\r\\n]"},
      {PRETOKENIZE_ISOLATE, "\\s?\\p{L}+"},
      {PRETOKENIZE_ISOLATE, "\\s?\\p{P}+"},
      {PRETOKENIZE_ISOLATE, "[\xE4\xB8\x80-\xE9\xBE\xA5\xE0\xA0\x80-\xE4\xB8\x80\xEA\xB0\x80-\xED\x9F\xBF]+"},
      {PRETOKENIZE_ISOLATE, "\\p{N}"}}},
    {"smollm starcoder refact command-r codeshell",
     {{PRETOKENIZE_ISOLATE, "\\p{N}"}, {PRETOKENIZE_ISOLATE, GPT2}}},
};
enum { N_NAMED = sizeof named_steps / sizeof named_steps[0] };

enum status pretokenize_create(struct pretokenize **out, struct error *error)
{
    *out = mem_zalloc(sizeof **out);
    return *out ? STATUS_OK : error_set(error, STATUS_NO_MEMORY, "out of memory");
}

void pretokenize_free(struct pretokenize *p)
{
    if (!p)
        return;
    for (unsigned i = 0; i < p->n_steps; i++)
        pcre2_code_free(p->steps[i]);
    mem_free(p);
}

/* Rewrites \s and \S to Unicode White_Space, inside and outside of character classes. */
static enum status translate(struct buf *out, struct str pattern, struct error *error)
{
    bool in_class = false;
    for (size_t i = 0; i < pattern.len; i++) {
        char c = pattern.at[i], next = i + 1 < pattern.len ? pattern.at[i + 1] : 0;
        if (c == '\\' && next) {
            i++;
            if (next == 's')
                buf_printf(out, in_class ? "%s" : "[%s]", SPACES);
            else if (next == 'S' && !in_class)
                buf_printf(out, "[^%s]", SPACES);
            else if (next == 'S')
                return error_set(error, STATUS_UNSUPPORTED, "pre-tokenizer pattern: \\S inside a class is not read");
            else
                buf_add(out, &pattern.at[i - 1], 2);
            continue;
        }
        if (c == '[' && !in_class) {
            in_class = true;
            buf_add_char(out, c);
            if (next == '^')
                buf_add_char(out, pattern.at[++i]);
            if (i + 1 < pattern.len && pattern.at[i + 1] == ']')
                buf_add_char(out, pattern.at[++i]);
            continue;
        }
        if (in_class && c == '&' && next == '&')
            return error_set(error, STATUS_UNSUPPORTED, "pre-tokenizer pattern: && inside a class is not read");
        if (c == ']')
            in_class = false;
        buf_add_char(out, c);
    }
    return buf_status(out) ? error_set(error, buf_status(out), "pre-tokenizer pattern: too long") : STATUS_OK;
}

/* The longest group of a pattern that isolates number characters; 0 for any other pattern. */
static uint32_t digits_of(struct str pattern)
{
    return str_equal(pattern, str_of("\\p{N}")) ? 1 : str_equal(pattern, str_of("\\p{N}{1,3}")) ? 3
           : str_equal(pattern, str_of("\\p{N}+")) ? UINT32_MAX : 0;
}

enum status pretokenize_add(struct pretokenize *p, enum pretokenize_kind kind, struct str pattern, struct error *error)
{
    struct buf text;
    int code;
    PCRE2_SIZE at;
    if (p->n_steps == STEPS_MAX)
        return error_set(error, STATUS_LIMIT, "more than %d pre-tokenizer steps", STEPS_MAX);
    buf_init(&text, PATTERN_BYTES_MAX);
    if (kind == PRETOKENIZE_DIGITS)
        pattern = str_of("\\p{N}");
    else if (kind == PRETOKENIZE_DIGIT_RUNS)
        pattern = str_of("\\p{N}+");
    enum status status = translate(&text, pattern, error);
    if (!status) {
        pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)text.at, text.len, OPTIONS, &code, &at, NULL);
        if (!compiled) {
            char why[128] = "";
            pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
            status = error_set(error, STATUS_UNSUPPORTED, "pre-tokenizer pattern: %s (at byte %zu)", why, (size_t)at);
        } else {
            /* Where machine code is refused, the interpreter gives the same pieces. */
            p->digits[p->n_steps] = digits_of(pattern);
            p->compiled[p->n_steps] = pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE) == 0;
            p->steps[p->n_steps++] = compiled;
        }
    }
    buf_release(&text);
    return status;
}

static bool has_name(const char *names, struct str name)
{
    for (const char *at = names; *at;) {
        size_t n = strcspn(at, " ");
        if (str_equal(str_from(at, n), name))
            return true;
        at += n + (at[n] == ' ');
    }
    return false;
}

enum status pretokenize_add_named(struct pretokenize *p, struct str name, struct error *error)
{
    char known[400] = "", quoted[ERROR_QUOTE_BYTES];
    for (unsigned i = 0; i < N_NAMED; i++) {
        snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", i ? " " : "", named_steps[i].names);
        if (!has_name(named_steps[i].names, name))
            continue;
        for (unsigned s = 0; named_steps[i].steps[s].pattern; s++) {
            enum status status = pretokenize_add(p, named_steps[i].steps[s].kind, str_of(named_steps[i].steps[s].pattern), error);
            if (status)
                return status;
        }
        return STATUS_OK;
    }
    return error_set_path(error, STATUS_UNSUPPORTED, NULL, "tokenizer.ggml.pre", "pre-tokenizer %s is not known; known are %s",
                          error_quote(quoted, name.at, name.len), known);
}

struct piece_list {
    struct piece *at;
    size_t n, capacity;
};

static bool push(struct piece_list *list, size_t start, size_t end)
{
    if (start == end)
        return true;
    if (list->n == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 64;
        struct piece *more = mem_realloc(list->at, capacity * sizeof *more);
        if (!more)
            return false;
        list->at = more;
        list->capacity = capacity;
    }
    list->at[list->n++] = (struct piece){(uint32_t)start, (uint32_t)(end - start)};
    return true;
}

struct matcher {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
};

static bool matcher_init(struct matcher *m, size_t bytes)
{
    uint64_t limit = 16 * (uint64_t)bytes + 1000000;
    *m = (struct matcher){pcre2_match_data_create(1, NULL), pcre2_match_context_create(NULL),
                          pcre2_jit_stack_create(JIT_STACK_START, JIT_STACK_MAX, NULL)};
    if (!m->data || !m->context)
        return false;
    pcre2_set_match_limit(m->context, limit < UINT32_MAX ? (uint32_t)limit : UINT32_MAX);
    pcre2_set_heap_limit(m->context, 64 * 1024); /* KiB, of the interpreter */
    if (m->stack)
        pcre2_jit_stack_assign(m->context, NULL, m->stack);
    return true;
}

static void matcher_release(struct matcher *m)
{
    pcre2_match_data_free(m->data);
    pcre2_match_context_free(m->context);
    if (m->stack)
        pcre2_jit_stack_free(m->stack);
}

/* What cut does, for a pattern of number characters and a piece of ASCII: the matcher costs more than the bytes. */
static bool cut_digits(const char *text, struct piece piece, uint32_t longest, struct piece_list *out)
{
    size_t done = piece.start, end = (size_t)piece.start + piece.len;
    for (size_t at = done; at < end;) {
        size_t n = 0;
        while (at + n < end && n < longest && text[at + n] >= '0' && text[at + n] <= '9')
            n++;
        if (!n) {
            at++;
            continue;
        }
        if (!push(out, done, at) || !push(out, at, at + n))
            return false;
        done = at += n;
    }
    return push(out, done, end);
}

/* Cuts one piece by one pattern. The pattern sees the piece as if it were the whole text. */
static enum status cut(const struct pretokenize *p, unsigned step, struct matcher *m, const char *text, struct piece piece,
                       struct piece_list *out, struct error *error)
{
    PCRE2_SPTR subject = (PCRE2_SPTR)(text + piece.start);
    PCRE2_SIZE at = 0, done = 0;
    if (p->digits[step] && str_is_ascii(str_from(text + piece.start, piece.len)))
        return cut_digits(text, piece, p->digits[step], out) ? STATUS_OK
                                                             : error_set(error, STATUS_NO_MEMORY, "out of memory while splitting text");
    while (at < piece.len) {
        int n = p->compiled[step] ? pcre2_jit_match(p->steps[step], subject, piece.len, at, MATCHING, m->data, m->context)
                                  : pcre2_match(p->steps[step], subject, piece.len, at, MATCHING, m->data, m->context);
        if (n == PCRE2_ERROR_NOMATCH)
            break;
        if (n < 0)
            return error_set(error, STATUS_LIMIT, "splitting the text took more work than its length allows (code %d)", n);
        const PCRE2_SIZE *where = pcre2_get_ovector_pointer(m->data);
        if (!push(out, piece.start + done, piece.start + where[0]) || !push(out, piece.start + where[0], piece.start + where[1]))
            return error_set(error, STATUS_NO_MEMORY, "out of memory while splitting text");
        at = done = where[1];
    }
    return push(out, piece.start + done, piece.start + piece.len)
               ? STATUS_OK
               : error_set(error, STATUS_NO_MEMORY, "out of memory while splitting text");
}

enum status pretokenize_run(const struct pretokenize *p, struct str text, struct piece **pieces, size_t *n_pieces,
                            struct error *error)
{
    struct piece_list now = {0}, next = {0};
    struct matcher m;
    enum status status = STATUS_OK;
    if (text.len > UINT32_MAX)
        return error_set(error, STATUS_LIMIT, "the text is longer than 4 GiB");
    if (!matcher_init(&m, text.len) || !push(&now, 0, text.len))
        status = error_set(error, STATUS_NO_MEMORY, "out of memory while splitting text");
    for (unsigned s = 0; s < p->n_steps && !status; s++) {
        next.n = 0;
        for (size_t i = 0; i < now.n && !status; i++)
            status = cut(p, s, &m, text.at, now.at[i], &next, error);
        struct piece_list swap = now;
        now = next;
        next = swap;
    }
    matcher_release(&m);
    mem_free(next.at);
    if (status) {
        mem_free(now.at);
        return status;
    }
    *pieces = now.at;
    *n_pieces = now.n;
    return STATUS_OK;
}
