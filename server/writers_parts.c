/* A reply as a sequence of parts. That they depend on the text alone, and not on when it came, makes streams and whole replies equal. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "server/writers.h"

/* The reply's own prompt opened the thought, or the model did: a thought there is, even an empty one. */
static bool has_reasoning(const struct generation *g, const struct generation_choice *c)
{
    return writers_shows_reasoning(g) && (g->in_reasoning || c->reasoning.len);
}

static bool is_over(const struct generation_choice *c)
{
    return c->finish != GENERATION_RUNNING;
}

/* Text before the calls; with neither text nor calls an answer that ended is there, and empty. */
static bool has_first_text(const struct generation *g, const struct generation_choice *c)
{
    if (c->tools.n_calls)
        return c->text_before_calls > 0;
    return c->text.len || (is_over(c) && (c->finish == GENERATION_STOP || !has_reasoning(g, c)));
}

static struct str first_text(const struct generation_choice *c)
{
    return str_from(buf_str(&c->text).at, c->tools.n_calls ? c->text_before_calls : c->text.len);
}

static bool call_at(const struct generation_choice *c, uint32_t index, struct writers_part *out)
{
    struct tool_call call = tool_parse_call(&c->tools, index);
    out->kind = WRITERS_PART_CALL;
    out->name = call.name;
    out->text = call.arguments;
    out->complete = call.complete || is_over(c);
    out->cut = is_over(c) && !call.complete;
    return true;
}

bool writers_part_at(const struct generation *g, const struct generation_choice *c, uint32_t index, struct writers_part *out)
{
    bool reasoning = has_reasoning(g, c), first = has_first_text(g, c);
    *out = (struct writers_part){.index = index, .name = {"", 0}};
    if (reasoning && index-- == 0) {
        out->kind = WRITERS_PART_REASONING;
        out->text = buf_str(&c->reasoning);
        out->complete = is_over(c) || !reasoning_split_in_reasoning(&c->split);
        out->cut = c->finish == GENERATION_LENGTH && reasoning_split_in_reasoning(&c->split);
        return true;
    }
    if (first && index-- == 0) {
        out->kind = WRITERS_PART_TEXT;
        out->text = first_text(c);
        out->complete = is_over(c) || c->tools.n_calls;
        out->cut = c->finish == GENERATION_LENGTH && !c->tools.n_calls;
        return true;
    }
    if (index < c->tools.n_calls)
        return call_at(c, index, out);
    /* What stands between and after the calls comes last, once there will be no more of them. */
    out->kind = WRITERS_PART_TEXT;
    out->text = str_skip(buf_str(&c->text), c->text_before_calls);
    out->complete = true;
    out->cut = c->finish == GENERATION_LENGTH;
    return index == c->tools.n_calls && index > 0 && is_over(c) && c->text.len > c->text_before_calls;
}

void writers_parts_walk(struct generation *g, const struct generation_choice *c, const struct writers_part_events *events)
{
    struct generation_parts *at = &g->parts;
    struct writers_part part;
    while (!g->over && writers_part_at(g, c, at->index, &part)) {
        if (!at->open)
            events->open(g, &part);
        at->open = true;
        if (part.text.len > at->sent && !g->over)
            events->delta(g, &part, str_skip(part.text, at->sent));
        at->sent = part.text.len;
        if (!part.complete)
            return;
        if (!g->over)
            events->close(g, &part);
        *at = (struct generation_parts){.index = at->index + 1, .n_events = at->n_events};
    }
}

void writers_part_id(char out[WRITERS_ID_BYTES], const struct generation *g, const char *prefix, uint32_t index)
{
    snprintf(out, WRITERS_ID_BYTES, "%s%s%02u", prefix, g->id + strlen(g->writer->id_prefix), index);
}

void writers_emit_arguments(struct emit_json *json, struct str arguments)
{
    json_t *object = json_loadb(arguments.at, arguments.len, JSON_ALLOW_NUL, NULL);
    char *text = json_is_object(object) ? json_dumps(object, JSON_COMPACT) : NULL;
    if (text) {
        emit_raw(json, str_of(text));
    } else {
        emit_object_begin(json);
        emit_key_str(json, "raw_arguments", arguments);
        emit_object_end(json);
    }
    mem_free(text);
    json_decref(object);
}
