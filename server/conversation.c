/* Turns and settings of one chat; nothing here talks to anybody. */
#include "server/conversation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/emit_json.h"
#include "base/mem.h"

enum kind { KIND_NUMBER, KIND_WHOLE, KIND_SWITCH };

static const struct setting {
    const char *name;
    enum kind kind;
    double min, max;
} settings[] = {
    {"temperature", KIND_NUMBER, 0, 2},        {"top_p", KIND_NUMBER, 0, 1},
    {"min_p", KIND_NUMBER, 0, 1},              {"top_k", KIND_WHOLE, -1, 1000000},
    {"repetition_penalty", KIND_NUMBER, 0, 2}, {"frequency_penalty", KIND_NUMBER, -2, 2},
    {"presence_penalty", KIND_NUMBER, -2, 2},  {"max_tokens", KIND_WHOLE, 1, 16777216},
    {"seed", KIND_WHOLE, 0, 9007199254740991}, {"thinking", KIND_SWITCH, 0, 0},
};
enum { N_SETTINGS = sizeof settings / sizeof settings[0] };

enum status conversation_init(struct conversation *c)
{
    *c = (struct conversation){.values = mem_zalloc_array(N_SETTINGS, CONVERSATION_VALUE_BYTES)};
    return c->values ? STATUS_OK : STATUS_NO_MEMORY;
}

void conversation_release(struct conversation *c)
{
    conversation_clear(c);
    mem_free(c->turns);
    mem_free(c->system);
    mem_free(c->values);
}

enum status conversation_add(struct conversation *c, bool from_user, struct str text)
{
    if (c->n_turns == CONVERSATION_TURNS_MAX)
        return STATUS_LIMIT;
    if (c->n_turns == c->capacity) {
        uint32_t capacity = c->capacity ? c->capacity * 2 : 16;
        struct conversation_turn *turns = mem_realloc(c->turns, capacity * sizeof *turns);
        if (!turns)
            return STATUS_NO_MEMORY;
        c->turns = turns;
        c->capacity = capacity;
    }
    char *copy = mem_zalloc(text.len + 1);
    if (!copy)
        return STATUS_NO_MEMORY;
    memcpy(copy, text.at, text.len);
    c->turns[c->n_turns++] = (struct conversation_turn){from_user, copy};
    return STATUS_OK;
}

void conversation_drop_last(struct conversation *c)
{
    if (c->n_turns)
        mem_free(c->turns[--c->n_turns].text);
}

void conversation_clear(struct conversation *c)
{
    while (c->n_turns)
        conversation_drop_last(c);
}

enum status conversation_set_system(struct conversation *c, const char *text)
{
    char *copy = *text ? mem_strdup(text) : NULL;
    if (*text && !copy)
        return STATUS_NO_MEMORY;
    mem_free(c->system);
    c->system = copy;
    return STATUS_OK;
}

/* ---- Settings ---------------------------------------------------------------------------------------------- */

static bool value_is_good(const struct setting *s, const char *value)
{
    if (s->kind == KIND_SWITCH)
        return strcmp(value, "on") == 0 || strcmp(value, "off") == 0;
    char *end;
    double v = strtod(value, &end);
    /* Only what JSON also calls a number: no hexadecimal, no signs in front but minus. */
    return !*end && strspn(value, "-0123456789.eE") == strlen(value) && isfinite(v) && v >= s->min && v <= s->max &&
           (s->kind == KIND_NUMBER || v == floor(v));
}

enum status conversation_set(struct conversation *c, const char *name, const char *value, struct error *error)
{
    for (size_t i = 0; i < N_SETTINGS; i++) {
        const struct setting *s = &settings[i];
        if (strcmp(s->name, name) != 0)
            continue;
        bool reset = !*value || strcmp(value, "default") == 0;
        if (!reset && s->kind == KIND_SWITCH && !value_is_good(s, value))
            return error_set(error, STATUS_INVALID, "%s: expected on, off or default", name);
        if (!reset && (strlen(value) >= CONVERSATION_VALUE_BYTES || !value_is_good(s, value)))
            return error_set(error, STATUS_INVALID, "%s: expected a %snumber from %g to %g, or default", name,
                             s->kind == KIND_WHOLE ? "whole " : "", s->min, s->max);
        snprintf(c->values[i], CONVERSATION_VALUE_BYTES, "%s", reset ? "" : value);
        return STATUS_OK;
    }
    return error_set(error, STATUS_INVALID, "%s is no setting; /set lists them", name);
}

void conversation_print_settings(const struct conversation *c, FILE *out)
{
    for (size_t i = 0; i < N_SETTINGS; i++)
        fprintf(out, "  %-20s %s\n", settings[i].name, *c->values[i] ? c->values[i] : "default");
}

/* ---- Requests ---------------------------------------------------------------------------------------------- */

static void write_message(struct emit_json *j, const char *role, const char *text)
{
    emit_object_begin(j);
    emit_key_text(j, "role", role);
    emit_key_text(j, "content", text);
    emit_object_end(j);
}

static void write_messages(const struct conversation *c, struct emit_json *j)
{
    emit_key(j, "messages");
    emit_array_begin(j);
    if (c->system)
        write_message(j, "system", c->system);
    for (uint32_t i = 0; i < c->n_turns; i++)
        write_message(j, c->turns[i].from_user ? "user" : "assistant", c->turns[i].text);
    emit_array_end(j);
}

static void write_setting(struct emit_json *j, const struct setting *s, const char *value)
{
    emit_key(j, s->name);
    switch (s->kind) {
    case KIND_NUMBER:
        emit_double(j, strtod(value, NULL));
        break;
    case KIND_WHOLE:
        emit_int(j, (int64_t)strtod(value, NULL));
        break;
    case KIND_SWITCH:
        emit_object_begin(j);
        emit_key_text(j, "type", strcmp(value, "on") == 0 ? "enabled" : "disabled");
        emit_object_end(j);
        break;
    }
}

void conversation_write_request(const struct conversation *c, const char *model, struct buf *out)
{
    struct emit_json j = emit_json_to(out);
    emit_object_begin(&j);
    emit_key_text(&j, "model", model);
    write_messages(c, &j);
    emit_key_bool(&j, "stream", true);
    emit_key(&j, "stream_options");
    emit_object_begin(&j);
    emit_key_bool(&j, "include_usage", true);
    emit_object_end(&j);
    for (size_t i = 0; i < N_SETTINGS; i++)
        if (*c->values[i])
            write_setting(&j, &settings[i], c->values[i]);
    emit_object_end(&j);
}

void conversation_write_messages(const struct conversation *c, struct buf *out)
{
    struct emit_json j = emit_json_to(out);
    emit_object_begin(&j);
    write_messages(c, &j);
    emit_object_end(&j);
}
