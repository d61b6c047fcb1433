/* Every setting of the program: one field here and one row in options.c. Flags, environment, the configuration
 * file, --help, the example file and docs/options.md all come from the rows. */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { CONFIG_TEXT_MAX = 4095, CONFIG_LIST_MAX = 64 };

/* A list of texts; owned by the config. */
struct config_list {
    char **items;
    uint32_t n;
};

struct config {
    /* model and engine */
    char *model, *model_name, *chat_format;
    char *device, *numerics, *cpu_isa, *kv_dtype;
    bool require_gpu;
    uint64_t tp, ep, dp;
    uint64_t threads, context, kv_memory, max_running, step_tokens;
    bool prefix_cache;
    char *mock_script; /* debug */
    /* network */
    char *host;
    uint64_t port;
    char *health_route, *predict_route;
    char *tls_cert, *tls_key;
    uint64_t max_connections, max_connections_per_address;
    bool allow_open_bind;
    /* identity */
    struct config_list api_keys;
    char *api_key_file;
    bool generate_key;
    struct config_list cors_origins, allowed_hosts;
    bool public_models;
    char *public_ops; /* auto, on, off */
    /* limits */
    uint64_t max_body_bytes, max_header_bytes, max_json_depth, intake_bytes_max, stream_buffer_bytes;
    uint64_t max_queue, max_queue_tokens, max_n, max_logprob_entries, default_max_tokens;
    uint64_t key_concurrency; /* per key, when its row sets none; 0: off */
    /* times, in milliseconds */
    uint64_t header_timeout_ms, body_timeout_ms, idle_timeout_ms, write_timeout_ms, queue_timeout_ms;
    uint64_t keepalive_interval_ms, retry_after_ms, drain_timeout_ms, step_timeout_ms, start_timeout_ms;
    /* behaviour */
    char *model_policy, *overflow, *unknown_fields, *sampling_defaults, *reasoner_sampling, *language_guard, *embedding_pooling;
    char *price_input, *price_cached_input, *price_output; /* of a million tokens; empty: none */
    uint64_t thinking_budget, thinking_budget_minimal, thinking_budget_low, thinking_budget_medium, thinking_pull;
    bool loop_detector, map_claude;
    bool keepalive_nonstream, reasoning_alias, list_aliases, require_reasoning_replay, allow_request_template, timings;
    /* log and operation */
    char *log_level, *log_format;
    char *golden_prompts; /* path; empty: beside the model */
};

enum option_type { OPTION_BOOL, OPTION_UINT, OPTION_BYTES, OPTION_DURATION, OPTION_TEXT, OPTION_CHOICE, OPTION_LIST };

struct option {
    const char *name;     /* with_underscores: --with-dashes on the command line, SEEKD_NAME in the environment */
    enum option_type type;
    size_t offset;        /* into struct config */
    const char *initial;  /* default, as text, through the same parser */
    const char *bounds;   /* "min..max" of numbers, "a|b|c" of choices, or null */
    const char *group;    /* heading in the help */
    const char *value;    /* "PATH", "N", ... for the help */
    const char *help;
    bool reloadable;      /* SIGHUP */
    bool secret;          /* never printed */
    bool debug;           /* not in --help */
};

extern const struct option options_table[];
extern const size_t options_count;

/* Defaults, then file, then environment, then flags. `argv` holds flags only. Unknown names are refused with source,
 * line and the nearest valid name. */
enum status config_load(struct config **out, const char *file, char **environment, int argc, char **argv,
                        struct error *error) must_check;
void config_free(struct config *config);

#endif
