/* seekd inspect: what is in a model file, how conversations would be rendered, and what memory serving it takes here. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/emit_json.h"
#include "engine/inspect.h"
#include "server/commands.h"
#include "text/chat.h"

static const char usage[] = "usage: seekd inspect PATH [--tensors] [--json]\n"
                            "  PATH        a GGUF file (of a split one the first part), or a directory with config.json and safetensors\n"
                            "  --tensors   list every tensor: type, shape, bytes, name\n"
                            "  --json      one JSON object\n";

enum { JSON_BYTES_MAX = 256 << 20 };

struct settings {
    const char *path;
    bool tensors, json;
};

/* The text side: tokenizer and conversation format, or why they cannot be had. */
struct words {
    struct model_text text;
    struct chat_format *format;
    bool has_text;
    struct error text_error, format_error;
    char why[256];
};

static bool parse(int argc, char **argv, struct settings *s)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--tensors") == 0)
            s->tensors = true;
        else if (strcmp(argv[i], "--json") == 0)
            s->json = true;
        else if (strcmp(argv[i], "--model") == 0 && i + 1 < argc && !s->path)
            s->path = argv[++i];
        else if (argv[i][0] != '-' && !s->path)
            s->path = argv[i];
        else
            return false;
    }
    return s->path != NULL;
}

static void words_load(struct words *w, const char *path)
{
    memset(w, 0, sizeof *w);
    error_clear(&w->text_error);
    error_clear(&w->format_error);
    w->has_text = model_text_load(&w->text, path, &w->text_error) == STATUS_OK;
    if (w->has_text && chat_format_choose(&w->format, &w->text, "", w->why, &w->format_error) != STATUS_OK)
        w->format = NULL;
}

static void words_release(struct words *w)
{
    chat_format_free(w->format);
    if (w->has_text)
        model_text_release(&w->text);
}

/* ---- For people -------------------------------------------------------------------------------------------- */

/* "98.1 MB": three digits at least, in the largest unit that keeps one before the point. */
static const char *size_text(char out[32], uint64_t bytes)
{
    static const char *const units[] = {"bytes", "KB", "MB", "GB", "TB"};
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 1024 && unit + 1 < sizeof units / sizeof units[0]; unit++)
        value /= 1024;
    snprintf(out, 32, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return out;
}

static const char *count_text(char out[32], uint64_t n)
{
    if (n >= 1000000000)
        snprintf(out, 32, "%.2f billion", (double)n / 1e9);
    else if (n >= 1000000)
        snprintf(out, 32, "%.1f million", (double)n / 1e6);
    else
        snprintf(out, 32, "%" PRIu64, n);
    return out;
}

static void print_file(const struct settings *s, const struct inspect_summary *f)
{
    char size[32], count[32];
    printf("%s\n", s->path);
    printf("  file         %s", f->format);
    if (f->format_version)
        printf(" version %u", f->format_version);
    printf(", %u file%s, %u tensors, %s, %s parameters\n", f->n_files, f->n_files == 1 ? "" : "s", f->n_tensors,
           size_text(size, f->n_bytes), count_text(count, f->n_parameters));
    for (uint32_t i = 0; i < f->n_types; i++) {
        const struct inspect_type *t = &f->types[i];
        printf("  %-12s %-8s %6" PRIu64 " tensors %10s%s\n", i ? "" : "types", t->name, t->n_tensors, size_text(size, t->n_bytes),
               t->readable ? "" : "   not read by this program");
    }
}

static void print_attention(const struct inspect_model *m)
{
    printf("  attention    %u heads", m->n_heads);
    if (m->latent_attention)
        printf(", latent: %u numbers and %u rotary ones a token and layer", m->kv_lora_rank, m->rope_head_dim);
    else
        printf(" of %u, %u key-value heads", m->head_dim, m->n_kv_heads);
    printf("\n  positions    %u tokens, rotary base %.0f, scaling %s", m->context, m->rope_theta, m->rope_scaling);
    if (strcmp(m->rope_scaling, "none") != 0)
        printf(" x %g", m->rope_factor);
    putchar('\n');
}

static void print_feed_forward(const struct inspect_model *m)
{
    printf("  feed-forward width %u", m->intermediate);
    if (m->n_experts)
        printf("; from layer %u %u experts of width %u, %u used a token, %u shared", m->first_dense_layers, m->n_experts,
               m->moe_intermediate, m->n_experts_used, m->n_shared_experts);
    putchar('\n');
}

static void print_model(const struct inspect_model *m)
{
    printf("  architecture %s (family %s)%s%s\n", m->architecture, m->family, *m->name ? ", named " : "", m->name);
    printf("  layers       %u, hidden %u, vocabulary %u%s\n", m->n_layers, m->hidden, m->vocabulary,
           m->tied_embeddings ? ", output tied to the embedding" : "");
    print_attention(m);
    print_feed_forward(m);
    if (m->n_nextn_layers)
        printf("  extra        %u layers that predict further tokens: not used\n", m->n_nextn_layers);
}

static void print_words(const struct words *w)
{
    if (!w->has_text) {
        printf("  tokenizer    cannot be read: %s\n", w->text_error.message);
        return;
    }
    const struct tokenizer *t = w->text.tokenizer;
    printf("  tokenizer    %s, %u tokens, begin %" PRId64 "%s, end", tokenizer_kind(t), tokenizer_size(t), tokenizer_bos(t),
           tokenizer_adds_bos(t) ? " (added)" : "");
    for (uint32_t i = 0; i < w->text.n_eos; i++)
        printf("%s %u", i ? "," : "", w->text.eos_ids[i]);
    putchar('\n');
    if (!w->format) {
        printf("  chat format  none: %s\n", w->format_error.message);
        return;
    }
    printf("  chat format  %s: %s\n               (--chat-format takes", chat_format_name(w->format), w->why);
    for (const char *const *name = chat_format_names(); *name; name++)
        printf(" %s", *name);
    puts(")");
    if (chat_format_can_think(w->format))
        printf("  thinking     %s, between %s and %s\n", chat_format_thinks_by_default(w->format) ? "on by default" : "off by default",
               chat_format_think_open(w->format), chat_format_think_close(w->format));
}

static void print_plan(const char *name, const struct inspect_plan *p)
{
    char size[32];
    if (!p->fits) {
        printf("  %-12s does not fit: %s\n", name, p->refusal);
        return;
    }
    printf("  %-12s context %u, cache %s in %s (%u pages of 64 tokens), %u threads\n", name, p->context, size_text(size, p->cache_bytes),
           p->cache_type, p->n_pages, p->threads);
}

static void print_memory(const struct inspect_summary *f)
{
    const struct inspect_model *m = &f->model;
    char weights[32], f32[32], f16[32], available[32];
    printf("memory\n  weights      about %s once loaded (as in the file)\n", size_text(weights, f->n_bytes));
    printf("  cache        %s (F16) or %s (F32) for 1,024 tokens\n", size_text(f16, m->cache_bytes_per_token_f16 * 1024),
           size_text(f32, m->cache_bytes_per_token_f32 * 1024));
    printf("on this machine, where %s are free, by default\n", size_text(available, m->available_bytes));
    print_plan("fast", &m->fast);
    print_plan("exact", &m->exact);
}

static void print_tensors(const struct inspect *in, const struct inspect_summary *f)
{
    printf("tensors\n");
    for (uint32_t i = 0; i < f->n_tensors; i++) {
        struct inspect_tensor t = inspect_tensor_at(in, i);
        char shape[96] = "";
        size_t n = 0;
        for (uint32_t d = 0; d < t.n_dims; d++)
            n += (size_t)snprintf(shape + n, sizeof shape - n, "%s%" PRIu64, d ? " x " : "", t.shape[d]);
        printf("  %-8s %-22s %12" PRIu64 "  %s\n", t.type, shape, t.n_bytes, t.name);
    }
}

static void print_text(const struct settings *s, const struct inspect *in, const struct words *w)
{
    const struct inspect_summary *f = inspect_summary_of(in);
    print_file(s, f);
    if (f->known) {
        print_model(&f->model);
        print_words(w);
        print_memory(f);
    }
    if (s->tensors)
        print_tensors(in, f);
}

/* ---- For programs ------------------------------------------------------------------------------------------ */

static void emit_number(struct emit_json *j, const char *key, uint64_t value)
{
    emit_key(j, key);
    emit_uint(j, value);
}

static void emit_plan(struct emit_json *j, const char *key, const struct inspect_plan *p)
{
    emit_key(j, key);
    emit_object_begin(j);
    emit_key_bool(j, "fits", p->fits);
    if (p->fits) {
        emit_number(j, "context", p->context);
        emit_number(j, "cache_bytes", p->cache_bytes);
        emit_number(j, "pages", p->n_pages);
        emit_number(j, "threads", p->threads);
    } else {
        emit_key_text(j, "refusal", p->refusal);
    }
    emit_key_text(j, "cache_type", p->cache_type);
    emit_object_end(j);
}

static void emit_file(struct emit_json *j, const struct settings *s, const struct inspect_summary *f)
{
    emit_key_text(j, "path", s->path);
    emit_key_text(j, "format", f->format);
    emit_number(j, "files", f->n_files);
    emit_number(j, "tensors", f->n_tensors);
    emit_number(j, "parameters", f->n_parameters);
    emit_number(j, "weight_bytes", f->n_bytes);
    emit_key(j, "types");
    emit_array_begin(j);
    for (uint32_t i = 0; i < f->n_types; i++) {
        emit_object_begin(j);
        emit_key_text(j, "type", f->types[i].name);
        emit_key_bool(j, "readable", f->types[i].readable);
        emit_number(j, "tensors", f->types[i].n_tensors);
        emit_number(j, "bytes", f->types[i].n_bytes);
        emit_object_end(j);
    }
    emit_array_end(j);
}

static void emit_model(struct emit_json *j, const struct inspect_model *m)
{
    emit_key_text(j, "architecture", m->architecture);
    emit_key_text(j, "family", m->family);
    emit_number(j, "layers", m->n_layers);
    emit_number(j, "hidden", m->hidden);
    emit_number(j, "heads", m->n_heads);
    emit_number(j, "kv_heads", m->n_kv_heads);
    emit_number(j, "vocabulary", m->vocabulary);
    emit_number(j, "context", m->context);
    emit_number(j, "experts", m->n_experts);
    emit_number(j, "experts_used", m->n_experts_used);
    emit_key_bool(j, "latent_attention", m->latent_attention);
    emit_key_text(j, "rope_scaling", m->rope_scaling);
    emit_number(j, "cache_bytes_per_token_f16", m->cache_bytes_per_token_f16);
    emit_number(j, "cache_bytes_per_token_f32", m->cache_bytes_per_token_f32);
    emit_number(j, "available_bytes", m->available_bytes);
    emit_plan(j, "fast", &m->fast);
    emit_plan(j, "exact", &m->exact);
}

static void emit_words(struct emit_json *j, const struct words *w)
{
    if (!w->has_text) {
        emit_key_text(j, "tokenizer_error", w->text_error.message);
        return;
    }
    emit_key_text(j, "tokenizer", tokenizer_kind(w->text.tokenizer));
    emit_number(j, "tokenizer_size", tokenizer_size(w->text.tokenizer));
    if (!w->format) {
        emit_key_text(j, "chat_format_error", w->format_error.message);
        return;
    }
    emit_key_text(j, "chat_format", chat_format_name(w->format));
    emit_key_text(j, "chat_format_why", w->why);
    emit_key_bool(j, "can_think", chat_format_can_think(w->format));
}

static void emit_tensors(struct emit_json *j, const struct inspect *in, uint32_t n)
{
    emit_key(j, "tensor_list");
    emit_array_begin(j);
    for (uint32_t i = 0; i < n; i++) {
        struct inspect_tensor t = inspect_tensor_at(in, i);
        emit_object_begin(j);
        emit_key_text(j, "name", t.name);
        emit_key_text(j, "type", t.type);
        emit_key(j, "shape");
        emit_array_begin(j);
        for (uint32_t d = 0; d < t.n_dims; d++)
            emit_uint(j, t.shape[d]);
        emit_array_end(j);
        emit_number(j, "bytes", t.n_bytes);
        emit_object_end(j);
    }
    emit_array_end(j);
}

static enum status print_json(const struct settings *s, const struct inspect *in, const struct words *w)
{
    const struct inspect_summary *f = inspect_summary_of(in);
    struct buf out;
    buf_init(&out, JSON_BYTES_MAX);
    struct emit_json j = emit_json_to(&out);
    emit_object_begin(&j);
    emit_file(&j, s, f);
    if (f->known) {
        emit_model(&j, &f->model);
        emit_words(&j, w);
    } else {
        emit_key_text(&j, "unknown", f->unknown.message);
    }
    if (s->tensors)
        emit_tensors(&j, in, f->n_tensors);
    emit_object_end(&j);
    enum status status = buf_status(&out);
    if (!status)
        puts(out.at);
    buf_release(&out);
    return status;
}

int cmd_inspect(int argc, char **argv)
{
    struct settings s = {0};
    struct inspect *in;
    struct words words;
    struct error error;
    bool help = argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    if (help || !parse(argc, argv, &s)) {
        fputs(usage, help ? stdout : stderr);
        return help ? 0 : COMMANDS_EXIT_USAGE;
    }
    if (inspect_open(&in, s.path, &error) != STATUS_OK) {
        fprintf(stderr, "seekd inspect: %s\n", error.message);
        return COMMANDS_EXIT_MODEL;
    }
    const struct inspect_summary *f = inspect_summary_of(in);
    words_load(&words, s.path);
    int code = f->known ? 0 : COMMANDS_EXIT_MODEL;
    if (!s.json)
        print_text(&s, in, &words);
    else if (print_json(&s, in, &words) != STATUS_OK)
        code = COMMANDS_EXIT_FAULT;
    fflush(stdout);
    if (!f->known)
        fprintf(stderr, "seekd inspect: this model cannot be served: %s\n", f->unknown.message);
    words_release(&words);
    inspect_close(in);
    return code;
}
