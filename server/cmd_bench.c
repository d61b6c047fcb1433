/* seekd bench: how fast this machine runs a model, and how near that is to what its memory allows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/emit_json.h"
#include "engine/bench.h"
#include "server/commands.h"

static const char usage[] =
    "usage: seekd bench --model PATH [options]\n"
    "  --model PATH       model directory or GGUF file\n"
    "  --prompt N         prompt tokens (512)\n"
    "  --generate N       generated tokens (128)\n"
    "  --rounds N         measured rounds after one to warm up (1)\n"
    "  --threads N        compute threads (all)\n"
    "  --numerics MODE    exact or fast (fast)\n"
    "  --cpu-isa NAME     auto, ref, avx2, avx512, avx512_vnni\n"
    "  --limit            also print what memory bandwidth allows, and the share reached\n"
    "  --json             one JSON object\n";

struct settings {
    struct bench_options bench;
    bool limit, json;
};

static bool number(const char *text, uint32_t *out)
{
    char *end;
    unsigned long v = strtoul(text, &end, 10);
    *out = (uint32_t)v;
    return *text && !*end && v <= 1u << 24;
}

static bool parse(int argc, char **argv, struct settings *s)
{
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        bool flag = true, ok = true;
        if (strcmp(a, "--limit") == 0)
            s->limit = true;
        else if (strcmp(a, "--json") == 0)
            s->json = true;
        else
            flag = false;
        if (flag)
            continue;
        if (!value)
            return false;
        if (strcmp(a, "--model") == 0)
            s->bench.model_path = value;
        else if (strcmp(a, "--numerics") == 0)
            ok = (strcmp(value, "exact") == 0 || strcmp(value, "fast") == 0) && (s->bench.numerics = value);
        else if (strcmp(a, "--cpu-isa") == 0)
            s->bench.isa = value;
        else if (strcmp(a, "--prompt") == 0)
            ok = number(value, &s->bench.n_prompt);
        else if (strcmp(a, "--generate") == 0)
            ok = number(value, &s->bench.n_generate);
        else if (strcmp(a, "--rounds") == 0)
            ok = number(value, &s->bench.rounds);
        else if (strcmp(a, "--threads") == 0)
            ok = number(value, &s->bench.threads);
        else
            ok = false;
        if (!ok)
            return false;
        i++;
    }
    return s->bench.model_path && (s->bench.n_prompt || s->bench.n_generate);
}

static void print_json(const struct bench_result *r)
{
    struct buf out;
    buf_init(&out, 4096);
    struct emit_json j = emit_json_to(&out);
    emit_object_begin(&j);
    emit_key_text(&j, "model", r->model);
    emit_key_text(&j, "isa", r->isa);
    emit_key_int(&j, "threads", r->threads);
    emit_key(&j, "load_seconds");
    emit_double(&j, r->load_seconds);
    emit_key(&j, "prompt_tokens_per_second");
    emit_double(&j, r->prompt_per_second);
    emit_key(&j, "generation_tokens_per_second");
    emit_double(&j, r->generate_per_second);
    emit_key_int(&j, "weight_bytes", (int64_t)r->weight_bytes);
    emit_key(&j, "read_bytes_per_second");
    emit_double(&j, r->read_bytes_per_second);
    emit_object_end(&j);
    if (buf_status(&out) == STATUS_OK)
        puts(out.at);
    buf_release(&out);
}

static void print_text(const struct settings *s, const struct bench_result *r)
{
    printf("%s, %s, %s, %u threads; loaded in %.2f s\n", r->model, r->isa, s->bench.numerics, r->threads, r->load_seconds);
    printf("  prompt      %8.1f tok/s (best %.1f)\n", r->prompt_per_second, r->prompt_per_second_best);
    printf("  generation  %8.1f tok/s (best %.1f)\n", r->generate_per_second, r->generate_per_second_best);
    if (!s->limit || r->weight_bytes == 0)
        return;
    double limit = r->read_bytes_per_second / (double)r->weight_bytes;
    printf("  memory      %8.1f GB/s read by %u threads; weights %.3f GB a token\n", r->read_bytes_per_second * 1e-9, r->threads,
           (double)r->weight_bytes * 1e-9);
    printf("  limit       %8.1f tok/s generation; share reached %.2f\n", limit, r->generate_per_second / limit);
}

int cmd_bench(int argc, char **argv)
{
    struct settings s = {.bench = {.numerics = "fast", .isa = "auto", .n_prompt = 512, .n_generate = 128, .rounds = 1}};
    struct bench_result result;
    struct error error;
    if (!parse(argc, argv, &s)) {
        fputs(usage, argc == 2 && strcmp(argv[1], "--help") == 0 ? stdout : stderr);
        return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : COMMANDS_EXIT_USAGE;
    }
    if (bench_run(&s.bench, &result, &error) != STATUS_OK) {
        fprintf(stderr, "seekd bench: %s\n", error.message);
        return COMMANDS_EXIT_MODEL;
    }
    if (s.json)
        print_json(&result);
    else
        print_text(&s, &result);
    return 0;
}
