/* Gathering the text files of a model: tokenizer, template, generation defaults and end tokens. Absent files are normal, except
 * the tokenizer. */
#include "text/model_text.h"

#include <dirent.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file_map.h"
#include "base/gguf.h"
#include "base/mem.h"

enum { PATH_BYTES = 4096, TOKENIZER_FILE_MAX = 256 << 20, SMALL_FILE_MAX = 16 << 20, TEMPLATE_MAX = 1 << 20 };

static void add_eos(struct model_text *m, int64_t id)
{
    if (id < 0 || id >= tokenizer_size(m->tokenizer) || m->n_eos == MODEL_TEXT_EOS_MAX)
        return;
    for (uint32_t i = 0; i < m->n_eos; i++)
        if (m->eos_ids[i] == (uint32_t)id)
            return;
    m->eos_ids[m->n_eos++] = (uint32_t)id;
}

/* Marks that end a turn in the formats we know: they stop generation wherever they are control tokens of the vocabulary. */
static void add_turn_ends(struct model_text *m)
{
    static const char *const names[] = {"<|im_end|>", "<|eot_id|>", "<|end_of_text|>", "<|eom_id|>", "<|EOT|>", "<end_of_turn>"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        uint32_t id;
        if (tokenizer_find(m->tokenizer, names[i], &id) && tokenizer_is_special(m->tokenizer, id))
            add_eos(m, id);
    }
}

static void stem_of(const char *path, char out[128])
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    size_t start = n;
    while (start > 0 && path[start - 1] != '/')
        start--;
    static const char *const endings[] = {".gguf", ".safetensors"};
    for (size_t i = 0; i < 2; i++) {
        size_t e = strlen(endings[i]);
        if (n - start > e && memcmp(path + n - e, endings[i], e) == 0)
            n -= e;
    }
    snprintf(out, 128, "%.*s", (int)(n - start), path + start);
}

/* ---- GGUF ------------------------------------------------------------------------------------------------------------ */

static enum status copy_text(char **out, struct str text, const char *name, struct error *error)
{
    if (text.len > TEMPLATE_MAX)
        return error_set(error, STATUS_LIMIT, "%s: the chat template is longer than 1 MiB", name);
    char *copy = mem_alloc(text.len + 1);
    if (!copy)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    if (text.len)
        memcpy(copy, text.at, text.len);
    copy[text.len] = 0;
    mem_free(*out);
    *out = copy;
    return STATUS_OK;
}

static enum status read_gguf(struct model_text *m, const struct gguf *g, struct error *error)
{
    static const char *const ends[] = {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"};
    struct str text;
    uint64_t value;
    char key[128];
    enum status status = tokenizer_from_gguf(&m->tokenizer, g, error);
    if (status)
        return status;
    if (gguf_get_str(g, "general.architecture", &text, NULL) == STATUS_OK)
        snprintf(m->architecture, sizeof m->architecture, "%.*s", STR_ARG(text));
    snprintf(m->model_type, sizeof m->model_type, "%s", m->architecture);
    if (gguf_get_str(g, "tokenizer.chat_template", &text, NULL) == STATUS_OK)
        status = copy_text(&m->chat_template, text, g->file->path, error);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (gguf_get_u64(g, ends[i], 0, UINT32_MAX, &value, NULL) == STATUS_OK)
            add_eos(m, (int64_t)value);
    snprintf(key, sizeof key, "%s.context_length", m->architecture);
    if (gguf_get_u64(g, key, 1, UINT32_MAX, &value, NULL) == STATUS_OK)
        m->context = (uint32_t)value;
    return status;
}

static enum status load_gguf(struct model_text *m, const char *path, struct error *error)
{
    struct file_map file;
    struct gguf g;
    enum status status = file_map_open(&file, path, error);
    if (status)
        return status;
    status = gguf_read(&g, &file, error);
    if (!status) {
        status = read_gguf(m, &g, error);
        gguf_release(&g);
    }
    file_map_close(&file);
    return status;
}

/* ---- A directory ------------------------------------------------------------------------------------------------------- */

/* Text of a file in the directory; empty when it is not there. */
static enum status read_file(const char *dir, const char *name, size_t max, char **text, size_t *len, struct error *error)
{
    char path[PATH_BYTES];
    *text = NULL;
    *len = 0;
    int n = snprintf(path, sizeof path, "%s/%s", dir, name);
    if (n < 0 || n >= (int)sizeof path)
        return error_set(error, STATUS_LIMIT, "%s: the path is too long", dir);
    enum status status = file_map_read(path, max, text, len, error);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status read_json(const char *dir, const char *name, size_t flags, json_t **out, struct error *error)
{
    char *text;
    size_t len;
    json_error_t why;
    *out = NULL;
    enum status status = read_file(dir, name, SMALL_FILE_MAX, &text, &len, error);
    if (status || !text)
        return status;
    *out = json_loadb(text, len, JSON_ALLOW_NUL | flags, &why);
    mem_free(text);
    if (!json_is_object(*out)) {
        json_decref(*out);
        *out = NULL;
        return error_set(error, STATUS_INVALID, "%s/%s: not a JSON object (line %d)", dir, name, why.line);
    }
    return STATUS_OK;
}

static void read_ids(struct model_text *m, const json_t *v)
{
    for (size_t i = 0; i < json_array_size(v); i++)
        if (json_is_integer(json_array_get(v, i)))
            add_eos(m, json_integer_value(json_array_get(v, i)));
    if (json_is_integer(v))
        add_eos(m, json_integer_value(v));
}

static double number_of(const json_t *object, const char *name)
{
    const json_t *v = json_object_get(object, name);
    return json_is_number(v) && isfinite(json_number_value(v)) ? json_number_value(v) : -1;
}

static void read_generation(struct model_text *m, const json_t *g)
{
    read_ids(m, json_object_get(g, "eos_token_id"));
    m->temperature = number_of(g, "temperature");
    m->top_p = number_of(g, "top_p");
    m->min_p = number_of(g, "min_p");
    m->repetition_penalty = number_of(g, "repetition_penalty");
    double top_k = number_of(g, "top_k");
    m->top_k = top_k >= 0 && top_k <= 1e6 ? (int32_t)top_k : -1;
    const json_t *sample = json_object_get(g, "do_sample");
    m->do_sample = json_is_boolean(sample) ? json_is_true(sample) : -1;
}

static void read_config(struct model_text *m, const json_t *c)
{
    const json_t *name = json_array_get(json_object_get(c, "architectures"), 0), *type = json_object_get(c, "model_type");
    const json_t *context = json_object_get(c, "max_position_embeddings");
    const json_t *scale = json_object_get(json_object_get(c, "quantization_config"), "scale_fmt");
    if (json_is_string(name))
        snprintf(m->architecture, sizeof m->architecture, "%s", json_string_value(name));
    if (json_is_string(type))
        snprintf(m->model_type, sizeof m->model_type, "%s", json_string_value(type));
    if (json_is_integer(context) && json_integer_value(context) > 0 && json_integer_value(context) <= UINT32_MAX)
        m->context = (uint32_t)json_integer_value(context);
    m->scale_fmt_ue8m0 = json_is_string(scale) && strcmp(json_string_value(scale), "ue8m0") == 0;
    read_ids(m, json_object_get(c, "eos_token_id"));
}

/* A string, or a list of named ones of which "default" counts. */
static enum status read_template(struct model_text *m, const json_t *config, const char *dir, struct error *error)
{
    const json_t *t = json_object_get(config, "chat_template");
    for (size_t i = 0; i < json_array_size(t); i++) {
        const json_t *name = json_object_get(json_array_get(t, i), "name"), *text = json_object_get(json_array_get(t, i), "template");
        if (json_is_string(name) && json_is_string(text) && strcmp(json_string_value(name), "default") == 0)
            return copy_text(&m->chat_template, str_from(json_string_value(text), json_string_length(text)), dir, error);
    }
    if (json_is_string(t))
        return copy_text(&m->chat_template, str_from(json_string_value(t), json_string_length(t)), dir, error);
    char *text;
    size_t len;
    enum status status = read_file(dir, "chat_template.jinja", TEMPLATE_MAX, &text, &len, error);
    if (!status && text)
        m->chat_template = text;
    return status;
}

static enum status load_parts(struct model_text *m, const char *dir, struct error *error)
{
    char *tokenizer = NULL, *settings = NULL, name[PATH_BYTES];
    size_t n_tokenizer, n_settings;
    json_t *config = NULL, *generation = NULL, *tokenizer_config = NULL;
    snprintf(name, sizeof name, "%.4000s/tokenizer.json", dir);
    enum status status = read_file(dir, "tokenizer.json", TOKENIZER_FILE_MAX, &tokenizer, &n_tokenizer, error);
    if (!status && !tokenizer)
        status = error_set(error, STATUS_NOT_FOUND, "%s: no such file (the tokenizer is needed)", name);
    if (!status)
        status = read_file(dir, "tokenizer_config.json", SMALL_FILE_MAX, &settings, &n_settings, error);
    if (!status)
        status = tokenizer_from_json(&m->tokenizer, str_from(tokenizer, n_tokenizer), str_from(settings, settings ? n_settings : 0),
                                     name, error);
    if (!status)
        status = read_json(dir, "config.json", 0, &config, error);
    if (!status)
        status = read_json(dir, "generation_config.json", 0, &generation, error);
    if (!status)
        status = read_json(dir, "tokenizer_config.json", JSON_DECODE_INT_AS_REAL, &tokenizer_config, error);
    if (!status) {
        read_config(m, config);
        if (generation)
            read_generation(m, generation);
        status = read_template(m, tokenizer_config, dir, error);
    }
    json_decref(config);
    json_decref(generation);
    json_decref(tokenizer_config);
    mem_free(tokenizer);
    mem_free(settings);
    return status;
}

static bool has_file(const char *dir, const char *name)
{
    char path[PATH_BYTES];
    struct stat st;
    int n = snprintf(path, sizeof path, "%s/%s", dir, name);
    return n > 0 && n < (int)sizeof path && stat(path, &st) == 0;
}

/* The .gguf file of a directory that has no tokenizer.json: the first in name order is the first part of a split one. */
static bool gguf_in(const char *dir, char out[PATH_BYTES])
{
    DIR *d = opendir(dir);
    char best[256] = "";
    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        size_t n = strlen(e->d_name);
        if (n > 5 && strcmp(e->d_name + n - 5, ".gguf") == 0 && (!best[0] || strcmp(e->d_name, best) < 0))
            snprintf(best, sizeof best, "%s", e->d_name);
    }
    if (d)
        closedir(d);
    return best[0] && snprintf(out, PATH_BYTES, "%s/%s", dir, best) < PATH_BYTES;
}

enum status model_text_load(struct model_text *m, const char *path, struct error *error)
{
    struct stat st;
    char dir[PATH_BYTES];
    size_t n = strlen(path);
    *m = (struct model_text){.temperature = -1, .top_p = -1, .min_p = -1, .repetition_penalty = -1, .top_k = -1, .do_sample = -1};
    stem_of(path, m->name);
    enum status status;
    if (n >= PATH_BYTES - 300)
        return error_set(error, STATUS_LIMIT, "the model's path is too long");
    if (stat(path, &st) != 0)
        return error_set(error, STATUS_NOT_FOUND, "%s: no such file or directory", path);
    if (S_ISDIR(st.st_mode) && !has_file(path, "tokenizer.json") && gguf_in(path, dir)) {
        status = load_gguf(m, dir, error);
    } else if (S_ISDIR(st.st_mode)) {
        status = load_parts(m, path, error);
    } else if (n > 12 && strcmp(path + n - 12, ".safetensors") == 0) {
        const char *slash = strrchr(path, '/');
        snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
        status = load_parts(m, dir, error);
    } else {
        status = load_gguf(m, path, error);
    }
    if (status) {
        model_text_release(m);
        return status;
    }
    add_eos(m, tokenizer_eos(m->tokenizer));
    add_turn_ends(m);
    return STATUS_OK;
}

void model_text_release(struct model_text *m)
{
    tokenizer_free(m->tokenizer);
    mem_free(m->chat_template);
    *m = (struct model_text){0};
}
