/* The table of fields, and what is made of it. Adding one: a row, and where it has no place in struct request, code that reads it. */
#include "server/request_fields.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/emit_json.h"

#define CHATS REQUEST_FIELD_OF_CHATS
#define COMPLETIONS REQUEST_FIELD_OF_COMPLETIONS
#define BOTH REQUEST_FIELD_OF_BOTH
#define ELSEWHERE REQUEST_FIELD_ELSEWHERE
/* The place of a member; one of another type does not compile. */
#define AT(type, member) _Generic(((struct request *)0)->member, type : offsetof(struct request, member))

#define FLAG(name_, of_, member, help_)                                                                                                  \
    {                                                                                                                                    \
        .name = name_, .of = of_, .kind = REQUEST_FIELD_BOOL, .at = AT(bool, member), .help = help_                                      \
    }
#define INT(name_, of_, min_, max_, member, help_)                                                                                       \
    {                                                                                                                                    \
        .name = name_, .of = of_, .kind = REQUEST_FIELD_INT, .min = min_, .max = max_, .at = AT(int64_t, member), .help = help_          \
    }
#define NUMBER(name_, of_, min_, max_, member, help_)                                                                                    \
    {                                                                                                                                    \
        .name = name_, .of = of_, .kind = REQUEST_FIELD_NUMBER, .min = min_, .max = max_, .at = AT(double, member), .help = help_        \
    }
#define OTHER(name_, of_, schema_, help_)                                                                                                \
    {                                                                                                                                    \
        .name = name_, .of = of_, .kind = REQUEST_FIELD_OTHER, .schema = schema_, .at = ELSEWHERE, .help = help_                         \
    }
#define IGNORED_TEXT(name_, max_)                                                                                                        \
    {                                                                                                                                    \
        .name = name_, .of = BOTH, .kind = REQUEST_FIELD_TEXT, .use = REQUEST_FIELD_IGNORED, .max = max_, .at = ELSEWHERE                \
    }
#define IGNORED(name_)                                                                                                                   \
    {                                                                                                                                    \
        .name = name_, .of = BOTH, .kind = REQUEST_FIELD_OTHER, .use = REQUEST_FIELD_IGNORED, .schema = "{}", .at = ELSEWHERE            \
    }
#define REFUSED(name_, of_)                                                                                                              \
    {                                                                                                                                    \
        .name = name_, .of = of_, .kind = REQUEST_FIELD_OTHER, .use = REQUEST_FIELD_REFUSED, .schema = "{}", .at = ELSEWHERE             \
    }

#define TEXT_OR_TEXTS "{\"type\":[\"string\",\"array\",\"null\"],\"items\":{\"type\":\"string\",\"minLength\":1},\"maxItems\":16}"
#define IDS "{\"type\":[\"array\",\"null\"],\"items\":{\"type\":\"integer\",\"minimum\":0}}"
#define AN_OBJECT "{\"type\":[\"object\",\"null\"]}"
#define EFFORT "{\"enum\":[\"none\",\"minimal\",\"low\",\"medium\",\"high\",\"xhigh\",\"max\",\"ultra\",null]}"
#define A_TEXT "{\"type\":[\"string\",\"null\"]}"
#define A_FLAG "{\"type\":[\"boolean\",\"null\"]}"
#define A_BUDGET "{\"type\":[\"integer\",\"null\"],\"minimum\":0}"
#define UP_TO_20 "{\"type\":[\"integer\",\"null\"],\"minimum\":0,\"maximum\":20}"
#define SCRIPTS "{\"type\":[\"string\",\"array\",\"object\",\"null\"]}"

const struct request_field request_fields_table[] = {
    OTHER("model", BOTH, "{\"type\":\"string\"}", "the model, or an alias of it"),
    OTHER("messages", CHATS, "{\"type\":\"array\",\"minItems\":1,\"items\":{\"$ref\":\"#/components/schemas/Message\"}}",
          "the conversation"),
    OTHER("prompt", COMPLETIONS, "{\"type\":[\"string\",\"array\"]}", "a text, token ids, or a list of either"),
    NUMBER("frequency_penalty", BOTH, -2, 2, frequency_penalty, "taken from a token's logit for each time it was generated"),
    NUMBER("presence_penalty", BOTH, -2, 2, presence_penalty, "taken from a token's logit once it was generated"),
    NUMBER("temperature", BOTH, 0, 2, temperature, "0: the likeliest token each time"),
    NUMBER("top_p", BOTH, 0, 1, top_p, "only the likeliest tokens that have this much together"),
    INT("top_k", BOTH, -1, INT32_MAX, top_k, "only so many of the likeliest tokens; 0 and -1: all"),
    NUMBER("min_p", BOTH, 0, 1, min_p, "only tokens at least so likely beside the likeliest"),
    NUMBER("repeat_penalty", BOTH, 1e-6, 2, repetition_penalty, "the same as `repetition_penalty`"),
    NUMBER("repetition_penalty", BOTH, 1e-6, 2, repetition_penalty, "over prompt and generated tokens"),
    OTHER("logit_bias", BOTH,
          "{\"type\":[\"object\",\"null\"],\"additionalProperties\":{\"type\":\"number\",\"minimum\":-100,\"maximum\":100}}",
          "token id to what is added to its logit"),
    OTHER("seed", BOTH, "{\"type\":[\"integer\",\"null\"]}", "the same seed, prompt and settings: the same tokens"),
    OTHER("n", BOTH, "{\"type\":[\"integer\",\"null\"],\"minimum\":1}", "how many replies, at most `max_n`"),
    INT("max_tokens", CHATS, 1, INT32_MAX, max_tokens, "most tokens to generate"),
    INT("max_tokens", COMPLETIONS, 0, INT32_MAX, max_tokens, "most tokens to generate; 0 only with `echo`"),
    INT("max_completion_tokens", CHATS, 1, INT32_MAX, max_tokens, "the same; it wins"),
    OTHER("stop", BOTH, TEXT_OR_TEXTS, "texts that end the reply"),
    OTHER("stop_token_ids", BOTH, IDS, "tokens that end the reply"),
    FLAG("ignore_eos", BOTH, ignore_eos, "end-of-sequence tokens do not end the reply"),
    INT("min_tokens", BOTH, 0, INT32_MAX, min_tokens, "before so many nothing ends the reply"),
    FLAG("no_stop_trim", BOTH, include_stop, "the same as `include_stop_str_in_output`"),
    FLAG("include_stop_str_in_output", BOTH, include_stop, "a text that ended the reply stays in it"),
    FLAG("stream", BOTH, stream, "events as they come"),
    OTHER("stream_options", BOTH, AN_OBJECT, "with `stream`: include_usage, continuous_usage_stats"),
    OTHER("logprobs", CHATS, A_FLAG, "log-probabilities of the tokens"),
    OTHER("top_logprobs", CHATS, UP_TO_20, "so many alternatives with them"),
    OTHER("logprobs", COMPLETIONS, UP_TO_20, "log-probabilities, with so many alternatives"),
    OTHER("prompt_logprobs", BOTH, UP_TO_20, "of the prompt's tokens"),
    FLAG("skip_special_tokens", BOTH, skip_special, "special tokens are left out of the text (default true)"),
    FLAG("return_token_ids", BOTH, return_token_ids, "token ids in the reply"),
    FLAG("return_tokens_as_token_ids", BOTH, tokens_as_ids, "tokens of log-probabilities as token_id:N"),
    FLAG("timings_per_token", BOTH, timings, "timings in the reply"),
    FLAG("report", BOTH, report, "where tokens and time went"),
    FLAG("cache_prompt", BOTH, use_cache, "false: neither reads nor feeds the prefix cache"),
    OTHER("user_id", BOTH, "{\"type\":[\"string\",\"null\"],\"maxLength\":512}", "a partition of the cache, and a tenant of fair shares"),
    OTHER("cache_salt", BOTH, "{\"type\":[\"string\",\"null\"],\"minLength\":1,\"maxLength\":1024}", "a partition of the cache"),
    OTHER("response_format", BOTH, AN_OBJECT, "text, json_object or json_schema"),
    OTHER("structured_outputs", BOTH, AN_OBJECT, "one of json, regex, choice, grammar, json_object"),
    OTHER("guided_json", BOTH, "{}", "a JSON Schema that the answer fits"),
    OTHER("guided_regex", BOTH, A_TEXT, "a regular expression that it matches"),
    OTHER("guided_choice", BOTH, "{\"type\":[\"array\",\"null\"]}", "texts of which it is one"),
    OTHER("guided_grammar", BOTH, A_TEXT, "a grammar in GBNF"),
    OTHER("json_schema", BOTH, "{}", "the same as `guided_json`"),
    OTHER("regex", BOTH, A_TEXT, "the same as `guided_regex`"),
    OTHER("ebnf", BOTH, A_TEXT, "the same as `guided_grammar`"),
    OTHER("grammar", BOTH, A_TEXT, "the same as `guided_grammar`"),
    OTHER("language_guard", BOTH, SCRIPTS, "the scripts that may be written"),
    OTHER("modalities", BOTH, "{\"type\":[\"array\",\"null\"],\"items\":{\"const\":\"text\"}}", "only text"),
    OTHER("tools", CHATS, "{\"type\":[\"array\",\"null\"],\"maxItems\":128}", "functions that may be called"),
    OTHER("tool_choice", CHATS, "{\"type\":[\"string\",\"object\",\"null\"]}", "whether one is"),
    OTHER("parallel_tool_calls", CHATS, A_FLAG, "false: one call at most"),
    OTHER("chat_template", CHATS, A_TEXT, "a template in place of the model's, where the settings allow it"),
    OTHER("thinking", CHATS, AN_OBJECT, "`{\"type\": \"enabled\"}`, `disabled`, `adaptive`"),
    OTHER("reasoning_effort", CHATS, EFFORT, "`none` turns thinking off, any other on"),
    OTHER("reasoning", CHATS, AN_OBJECT, "an object with the `effort`"),
    OTHER("chat_template_kwargs", CHATS, AN_OBJECT, "handed to the model's own template"),
    OTHER("thinking_budget", CHATS, A_BUDGET, "most tokens of a thought"),
    OTHER("thinking_token_budget", CHATS, A_BUDGET, "the same"),
    INT("thinking_pull", CHATS, 0, 100, thinking_pull, "how strongly the end of the thought is made likelier"),
    FLAG("loop_detector", CHATS, loop_detector, "a thought that repeats itself is closed"),
    FLAG("separate_reasoning", CHATS, separate_reasoning, "false: the thought stays in the content, with its marks"),
    OTHER("reasoning_format", CHATS, "{\"enum\":[\"auto\",\"none\",\"deepseek\",null]}", "none: as `separate_reasoning` false"),
    FLAG("stream_reasoning", CHATS, stream_reasoning, "false: the thought comes in one piece"),
    FLAG("include_reasoning", CHATS, include_reasoning, "false: the thought is not told"),
    OTHER("add_generation_prompt", CHATS, A_FLAG, "false: the prompt ends after the last message"),
    FLAG("continue_final_message", CHATS, continue_final, "the last message is one of the assistant's to go on with"),
    FLAG("echo", COMPLETIONS, echo, "the prompt comes before the text"),
    OTHER("suffix", COMPLETIONS, A_TEXT, "what comes after the gap to fill"),
    OTHER("best_of", COMPLETIONS, "{\"type\":[\"integer\",\"null\"],\"minimum\":1,\"maximum\":20}", "as `n`"),
    FLAG("parse_special", COMPLETIONS, parse_special, "control tokens in a text are recognised (default true)"),
    OTHER("service_tier", BOTH, "{\"enum\":[\"auto\",\"default\",\"flex\",\"scale\",\"priority\",\"fast\",null]}",
          "answered with default"),
    OTHER("metadata", BOTH,
          "{\"type\":[\"object\",\"null\"],\"maxProperties\":16,\"additionalProperties\":{\"type\":\"string\",\"maxLength\":512}}",
          "checked, and not kept"),
    OTHER("verbosity", BOTH, "{\"enum\":[\"low\",\"medium\",\"high\",null]}", "changes nothing"),
    OTHER("use_beam_search", BOTH, "{\"enum\":[false,null]}", "not offered"),
    OTHER("store", BOTH, A_FLAG, "nothing is stored"),
    IGNORED_TEXT("user", REQUEST_IGNORED_BYTES_MAX),
    IGNORED_TEXT("prompt_cache_key", REQUEST_IGNORED_BYTES_MAX),
    IGNORED_TEXT("prompt_cache_retention", REQUEST_IGNORED_BYTES_MAX),
    IGNORED_TEXT("request_id", REQUEST_IGNORED_BYTES_MAX),
    IGNORED_TEXT("rid", REQUEST_IGNORED_BYTES_MAX),
    IGNORED_TEXT("session_id", REQUEST_IGNORED_BYTES_MAX),
    IGNORED_TEXT("safety_identifier", REQUEST_SAFETY_ID_BYTES_MAX),
    IGNORED("prediction"),
    IGNORED("prompt_cache_options"),
    IGNORED("moderation"),
    IGNORED("spaces_between_special_tokens"),
    IGNORED("truncation_side"),
    IGNORED("priority"),
    IGNORED("vllm_xargs"),
    IGNORED("custom_params"),
    IGNORED("id_slot"),
    IGNORED("slot_id"),
    IGNORED("parse_tool_calls"),
    IGNORED("length_penalty"),
    IGNORED("samplers"),
    IGNORED("lora"),
    IGNORED("post_sampling_probs"),
    IGNORED("response_fields"),
    IGNORED("typical_p"),
    IGNORED("n_keep"),
    IGNORED("t_max_predict_ms"),
    IGNORED("mirostat"),
    IGNORED("mirostat_tau"),
    IGNORED("mirostat_eta"),
    IGNORED("n_probs"),
    IGNORED("return_progress"),
    REFUSED("functions", CHATS),
    REFUSED("function_call", CHATS),
    REFUSED("audio", CHATS),
    REFUSED("web_search_options", CHATS),
    REFUSED("allowed_token_ids", BOTH),
    REFUSED("bad_words", BOTH),
    REFUSED("logits_processors", BOTH),
    REFUSED("truncate_prompt_tokens", BOTH),
    REFUSED("structural_tag", BOTH),
};
const size_t request_fields_count = sizeof request_fields_table / sizeof request_fields_table[0];

static unsigned bit_of(enum request_kind kind)
{
    return kind == REQUEST_CHAT ? CHATS : COMPLETIONS;
}

/* ---- Reading ------------------------------------------------------------------------------------------------- */

static void read_row(struct fields *f, const json_t *root, const struct request_field *row, struct request *r)
{
    bool placed = row->at != REQUEST_FIELD_ELSEWHERE;
    char *place = placed ? (char *)r + row->at : NULL;
    struct str text;
    switch (row->kind) {
    case REQUEST_FIELD_BOOL:
        fields_bool(f, root, row->name, (bool *)(void *)place);
        break;
    case REQUEST_FIELD_INT:
        fields_int(f, root, row->name, (int64_t)row->min, (int64_t)row->max, (int64_t *)(void *)place);
        break;
    case REQUEST_FIELD_NUMBER:
        fields_double(f, root, row->name, row->min, row->max, (double *)(void *)place);
        break;
    case REQUEST_FIELD_TEXT: /* of no effect: only held against its size */
        fields_str(f, root, row->name, (size_t)row->max, &text);
        break;
    case REQUEST_FIELD_OTHER:
        break;
    }
}

void request_fields_read(struct fields *f, const json_t *root, struct request *r)
{
    for (size_t i = 0; i < request_fields_count; i++)
        if (request_fields_table[i].of & bit_of(r->kind))
            read_row(f, root, &request_fields_table[i], r);
}

static bool is_known(const char *name)
{
    for (size_t i = 0; i < request_fields_count; i++)
        if (strcmp(name, request_fields_table[i].name) == 0)
            return true;
    return strncmp(name, "dry_", 4) == 0 || strncmp(name, "xtc_", 4) == 0 || strncmp(name, "dynatemp_", 9) == 0;
}

void request_fields_check_names(struct fields *f, const json_t *root, enum request_kind kind, bool unknown)
{
    const char *name;
    json_t *value;
    char quoted[ERROR_QUOTE_BYTES];
    for (size_t i = 0; i < request_fields_count; i++) {
        const struct request_field *row = &request_fields_table[i];
        if (row->use == REQUEST_FIELD_REFUSED && (row->of & bit_of(kind)) && fields_get(f, root, row->name))
            fields_fault(f, "unsupported_parameter", row->name, "not offered by this server");
    }
    json_object_foreach((json_t *)(uintptr_t)root, name, value)
    {
        if (unknown && !is_known(name))
            fields_fault(f, "unknown_parameter", NULL, "%s is not a field of this request", error_quote(quoted, name, strlen(name)));
    }
}

/* ---- Pages --------------------------------------------------------------------------------------------------- */

static void write_kind(FILE *out, const struct request_field *row)
{
    switch (row->kind) {
    case REQUEST_FIELD_BOOL:
        fputs("boolean", out);
        break;
    case REQUEST_FIELD_INT:
        fprintf(out, row->max < INT32_MAX ? "integer, %.0f to %.0f" : "integer, at least %.0f", row->min, row->max);
        break;
    case REQUEST_FIELD_NUMBER:
        fprintf(out, "number, %g to %g", row->min, row->max);
        break;
    case REQUEST_FIELD_TEXT:
        fprintf(out, "string, at most %.0f bytes", row->max);
        break;
    case REQUEST_FIELD_OTHER:
        for (const char *c = row->schema; *c; c++)
            fputs(*c == '|' ? "\\|" : (const char[]){*c, 0}, out);
        break;
    }
}

void request_fields_write_markdown(FILE *out)
{
    static const char *const of[] = {"", "chats", "completions", "both"};
    fputs("# Fields\n\nThis page is written by `make docs` from the table in `server/request_fields.c`. `null` is as absent everywhere. "
          "What "
          "the fields mean together is in [api.md](api.md).\n\n| field | of | kind | |\n| --- | --- | --- | --- |\n",
          out);
    for (size_t i = 0; i < request_fields_count; i++) {
        const struct request_field *row = &request_fields_table[i];
        if (row->use == REQUEST_FIELD_REFUSED)
            continue;
        fprintf(out, "| `%s` | %s | ", row->name, of[row->of]);
        if (row->kind == REQUEST_FIELD_OTHER)
            fputs("`", out);
        write_kind(out, row);
        if (row->kind == REQUEST_FIELD_OTHER)
            fputs("`", out);
        fprintf(out, " | %s |\n", row->use == REQUEST_FIELD_IGNORED ? "changes nothing" : row->help);
    }
    fputs("\nRefused: ", out);
    bool first = true;
    for (size_t i = 0; i < request_fields_count; i++)
        if (request_fields_table[i].use == REQUEST_FIELD_REFUSED) {
            fprintf(out, "%s`%s`", first ? "" : ", ", request_fields_table[i].name);
            first = false;
        }
    fputs(".\n", out);
}

/* ---- JSON Schema --------------------------------------------------------------------------------------------- */

static void write_property(struct buf *out, const struct request_field *row)
{
    switch (row->kind) {
    case REQUEST_FIELD_BOOL:
        buf_add_text(out, "{\"type\":[\"boolean\",\"null\"]");
        break;
    case REQUEST_FIELD_INT:
        buf_printf(out, "{\"type\":[\"integer\",\"null\"],\"minimum\":%.0f,\"maximum\":%.0f", row->min, row->max);
        break;
    case REQUEST_FIELD_NUMBER:
        buf_printf(out, "{\"type\":[\"number\",\"null\"],\"minimum\":%g,\"maximum\":%g", row->min, row->max);
        break;
    case REQUEST_FIELD_TEXT:
        buf_printf(out, "{\"type\":[\"string\",\"null\"],\"maxLength\":%.0f", row->max);
        break;
    case REQUEST_FIELD_OTHER:
        buf_add_str(out, str_from(row->schema, strlen(row->schema) - 1)); /* without its closing brace */
        break;
    }
    struct emit_json json = {out, out->at && out->len && out->at[out->len - 1] != '{'};
    if (row->help)
        emit_key_text(&json, "description", row->help);
    buf_add_char(out, '}');
}

void request_fields_write_schema(struct buf *out, enum request_kind kind)
{
    bool first = true;
    for (size_t i = 0; i < request_fields_count; i++) {
        const struct request_field *row = &request_fields_table[i];
        if (!(row->of & bit_of(kind)) || row->use == REQUEST_FIELD_REFUSED)
            continue;
        buf_printf(out, "%s\"%s\":", first ? "" : ",", row->name);
        write_property(out, row);
        first = false;
    }
}
