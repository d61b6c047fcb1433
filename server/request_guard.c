/* The language guard: what scripts a reply may be written in. */
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "server/request.h"
#include "server/server.h"

enum { QUOTED_MAX = 4096 };

/* ---- Fields ------------------------------------------------------------------------------------------------------ */

static void read_codes(struct fields *f, const json_t *list, const char *key, struct request_guard *guard)
{
    char quoted[ERROR_QUOTE_BYTES];
    size_t i;
    json_t *item;
    *guard = (struct request_guard){.on = true};
    if (json_array_size(list) == 0)
        fields_fault(f, "empty_array", key, "no script is left to write in; \"off\" allows all");
    if (json_array_size(list) > SCRIPT_CODES_MAX)
        fields_fault(f, "array_above_max_length", key, "%zu scripts, at most %d", json_array_size(list), SCRIPT_CODES_MAX);
    json_array_foreach(list, i, item)
    {
        struct str code = str_from(json_string_value(item), json_string_length(item));
        if (!json_is_string(item))
            fields_fault(f, "invalid_type", key, "item %zu is %s, expected a code as Latn", i, fields_kind(item));
        else if (!script_sets_know(code))
            fields_fault(f, "invalid_value", key, "%s is no script of ISO 15924", error_quote(quoted, code.at, code.len));
        if (f->status)
            return;
        memcpy(guard->codes[guard->n_codes++], code.at, SCRIPT_CODE_BYTES);
    }
}

static void read_one(struct fields *f, const json_t *object, const char *key, struct request_guard *guard)
{
    static const char *const words[] = {"off", "auto", NULL};
    const json_t *value = fields_get(f, object, key);
    if (json_is_string(value))
        *guard = (struct request_guard){.on = fields_choice(f, object, key, words) == 1, .automatic = true};
    else if (json_is_array(value))
        read_codes(f, value, key, guard);
    else if (value)
        fields_fault(f, "invalid_type", key, "expected off, auto or a list of scripts, found %s", fields_kind(value));
}

void request_read_guard(struct fields *f, const struct config *config, const json_t *root, struct request *r)
{
    const json_t *value = fields_get(f, root, "language_guard");
    struct request_guard *guards = r->guards;
    guards[REQUEST_ANSWER] =
        (struct request_guard){.on = strcmp(config->language_guard, "auto") == 0 && r->kind == REQUEST_CHAT, .automatic = true};
    guards[REQUEST_REASONING] = guards[REQUEST_ANSWER];
    if (json_is_object(value)) {
        snprintf(f->prefix, sizeof f->prefix, "language_guard.");
        read_one(f, value, "reasoning", &guards[REQUEST_REASONING]);
        read_one(f, value, "answer", &guards[REQUEST_ANSWER]);
        f->prefix[0] = 0;
    } else if (value) {
        read_one(f, root, "language_guard", &guards[REQUEST_ANSWER]);
        guards[REQUEST_REASONING] = guards[REQUEST_ANSWER];
    }
    for (unsigned i = 0; i < N_REQUEST_PARTS && r->kind != REQUEST_CHAT; i++)
        if (guards[i].on && guards[i].automatic)
            fields_fault(f, "unsupported_value", "language_guard", "auto is for chats; name the scripts");
}

/* ---- Scripts ------------------------------------------------------------------------------------------------------- */

/* False: something is written in a script that cannot be named. */
static bool add_scripts_of(struct request_guard *guard, struct str text)
{
    char codes[SCRIPT_CODES_MAX][SCRIPT_CODE_BYTES];
    uint32_t n;
    if (!script_sets_of_text(text, codes, &n))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        bool known = false;
        for (uint32_t k = 0; k < guard->n_codes; k++)
            known = known || strcmp(guard->codes[k], codes[i]) == 0;
        if (!known && guard->n_codes == SCRIPT_CODES_MAX)
            return false;
        if (!known)
            memcpy(guard->codes[guard->n_codes++], codes[i], SCRIPT_CODE_BYTES);
    }
    return true;
}

void request_settle_guards(struct request *r, const struct chat_input *input)
{
    struct request_guard found = {.on = true};
    bool sure = true, user = false;
    for (uint32_t i = input->n_messages; i-- > 0 && sure;) {
        const struct chat_message *m = &input->messages[i];
        if (m->role == CHAT_SYSTEM || (m->role == CHAT_USER && !user))
            sure = add_scripts_of(&found, m->content);
        user = user || m->role == CHAT_USER;
    }
    for (unsigned i = 0; i < N_REQUEST_PARTS; i++)
        if (r->guards[i].on && r->guards[i].automatic)
            r->guards[i] = sure && found.n_codes ? found : (struct request_guard){0};
}

static bool has(const struct code_points *set, uint32_t c)
{
    size_t low = 0, high = set->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->at[middle].last < c)
            low = middle + 1;
        else
            high = middle;
    }
    return low < set->n && set->at[low].first <= c;
}

/* Characters of the text that the settled set lacks. */
static void add_quoted(const struct code_points *set, struct str text, struct code_points *quoted)
{
    for (size_t at = 0; at < text.len && quoted->n < QUOTED_MAX;) {
        uint32_t c;
        size_t n = utf8_decode(text.at + at, text.len - at, &c);
        bool last = quoted->n && quoted->at[quoted->n - 1].first == c;
        if (n && !last && !has(set, c))
            code_points_add(quoted, c, c);
        at += n ? n : 1;
    }
}

enum status request_guard_set(struct exchange *exchange, const struct request_guard *guard, const struct chat_input *input,
                              struct code_points *out, struct error *error)
{
    struct script_sets *scripts = exchange_server(exchange)->scripts;
    struct code_points quoted = {0};
    enum status status = script_sets_add_common(scripts, out, error);
    for (uint32_t i = 0; i < guard->n_codes && !status; i++)
        status = script_sets_add(scripts, str_of(guard->codes[i]), out, error);
    code_points_settle(out);
    for (uint32_t i = 0; input && i < input->n_messages && !status; i++) {
        add_quoted(out, input->messages[i].content, &quoted);
        add_quoted(out, input->messages[i].reasoning, &quoted);
    }
    code_points_settle(&quoted);
    for (size_t i = 0; i < quoted.n; i++)
        code_points_add(out, quoted.at[i].first, quoted.at[i].last);
    code_points_settle(out);
    if (!status && (out->failed || quoted.failed))
        status = error_set(error, STATUS_NO_MEMORY, "out of memory");
    code_points_release(&quoted);
    return status;
}
