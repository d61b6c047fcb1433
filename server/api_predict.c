/* POST /predict: Vertex AI's instances, each a chat or a completion of its own. They run side by side and are answered together; the
 * first that fails decides. */
#include <stdio.h>
#include <string.h>

#include "base/emit_json.h"
#include "server/api.h"
#include "server/prepare.h"
#include "server/reply.h"
#include "server/server.h"
#include "server/writers.h"

enum { BODY_BYTES_MAX = 1 << 30 };

struct predict {
    struct generation_taker taker;
    struct exchange *exchange;
    struct generation **items; /* [n] */
    struct buf *bodies;        /* [n] */
    uint32_t n, n_open;
    bool over;
};

static void release(void *arg)
{
    struct predict *p = arg;
    for (uint32_t i = 0; i < p->n; i++) {
        buf_release(&p->bodies[i]);
        generation_release(p->items[i]);
    }
}

/* ---- Replies ------------------------------------------------------------------------------------------------- */

static uint32_t index_of(const struct predict *p, const struct generation *g)
{
    uint32_t i = 0;
    while (p->items[i] != g)
        i++;
    return i;
}

static void reply(struct predict *p)
{
    struct buf body;
    buf_init(&body, BODY_BYTES_MAX);
    struct emit_json json = emit_json_to(&body);
    emit_object_begin(&json);
    emit_key(&json, "predictions");
    emit_array_begin(&json);
    for (uint32_t i = 0; i < p->n; i++)
        emit_raw(&json, buf_str(&p->bodies[i]));
    emit_array_end(&json);
    emit_object_end(&json);
    p->over = true;
    exchange_reply(p->exchange, 200, NULL, &body, NULL);
}

static void leave_all(struct predict *p)
{
    p->over = true;
    for (uint32_t i = 0; i < p->n; i++)
        generation_leave(p->items[i]);
}

/* Puts the instance before an error's path, and before the message where that begins with it. */
static void name_instance(struct error *error, size_t index)
{
    struct error before = *error;
    snprintf(error->path, sizeof error->path, "instances[%zu]%s%.120s", index, *before.path ? "." : "", before.path);
    const char *rest = before.message;
    if (!*before.path)
        snprintf(error->message, sizeof error->message, "%s: %.340s", error->path, rest);
    else if (strncmp(rest, before.path, strlen(before.path)) == 0)
        snprintf(error->message, sizeof error->message, "%s%.340s", error->path, rest + strlen(before.path));
}

static void take(struct generation_taker *taker, struct generation *g, struct buf *body)
{
    struct predict *p = (struct predict *)(void *)taker;
    uint32_t i = index_of(p, g);
    enum status status = buf_status(body);
    p->bodies[i] = *body;
    p->n_open--;
    if (p->over)
        return;
    if (status) {
        leave_all(p);
        reply_error(p->exchange, REPLY_INTERNAL, NULL, "out of memory for the reply");
    } else if (p->n_open == 0) {
        reply(p);
    }
}

static void fail(struct generation_taker *taker, struct generation *g, enum reply_code code, const char *param, const char *message)
{
    struct predict *p = (struct predict *)(void *)taker;
    struct error told;
    if (p->over)
        return;
    error_set_path(&told, STATUS_INVALID, NULL, param ? param : "", "%s", message);
    name_instance(&told, index_of(p, g));
    leave_all(p);
    reply_error(p->exchange, code, told.path, "%s", told.message);
}

/* ---- Instances ----------------------------------------------------------------------------------------------- */

/* The instance over the parameters, with the model where neither names one. A new reference. */
static json_t *merged(const struct server *server, const json_t *parameters, const json_t *instance)
{
    json_t *root = parameters ? json_copy((json_t *)(uintptr_t)parameters) : json_object();
    if (json_object_update(root, (json_t *)(uintptr_t)instance) == 0 && !json_object_get(root, "model"))
        json_object_set_new(root, "model", json_string(server->model_id));
    json_object_del(root, "@requestFormat");
    return root;
}

static enum status prepare_one(struct exchange *exchange, const json_t *parameters, const json_t *instance, struct error *error)
{
    struct prepare_intake intake;
    bool stream = false;
    const char *form = json_string_value(json_object_get(instance, "@requestFormat"));
    if (!json_is_object(instance))
        return error_set_path(error, STATUS_INVALID, "invalid_type", "", "expected an object, found %s", fields_kind(instance));
    prepare_open_tree(&intake, merged(exchange_server(exchange), parameters, instance), error);
    bool chat = form ? strcmp(form, "chatCompletions") == 0 : json_object_get(intake.root, "messages") != NULL;
    if (form && !chat && strcmp(form, "completions") != 0)
        fields_fault(&intake.fields, "invalid_value", "@requestFormat", "expected chatCompletions or completions");
    if (fields_bool(&intake.fields, intake.root, "stream", &stream) && stream)
        fields_fault(&intake.fields, "invalid_value", "stream", "instances are answered together: only without a stream");
    enum status status = intake.fields.status;
    if (!status && chat)
        status = prepare_chat(exchange, &intake, &writers_chat, error);
    else if (!status)
        status = prepare_completion(exchange, &intake, &writers_completion, error);
    prepare_close(&intake, exchange);
    return status;
}

/* A generation makes itself the exchange's object: it becomes one of ours. */
static void adopt(struct predict *p)
{
    struct generation *g = exchange_data(p->exchange);
    if ((void *)g == (void *)p || !g)
        return;
    g->taker = &p->taker;
    p->items[p->n] = g;
    buf_init(&p->bodies[p->n], BODY_BYTES_MAX);
    p->n++;
    exchange_set_data(p->exchange, p, release);
}

static enum status prepare_all(struct predict *p, const json_t *root, struct error *error)
{
    struct fields fields;
    struct arena *arena = exchange_arena(p->exchange);
    fields_init(&fields, error);
    const json_t *list = fields_array(&fields, root, "instances", REQUEST_SEQUENCES_MAX);
    const json_t *parameters = fields_object(&fields, root, "parameters");
    size_t n = json_array_size(list);
    if (n == 0)
        fields_fault(&fields, list ? "empty_array" : "invalid_type", "instances", "expected an array of at least one instance");
    if (fields.status)
        return fields.status;
    p->items = arena_zalloc_array(arena, n, sizeof *p->items);
    p->bodies = arena_zalloc_array(arena, n, sizeof *p->bodies);
    if (!p->items || !p->bodies)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    exchange_set_data(p->exchange, p, release);
    for (size_t i = 0; i < n; i++) {
        enum status status = prepare_one(p->exchange, parameters, json_array_get(list, i), error);
        adopt(p);
        if (status) {
            name_instance(error, i);
            return status;
        }
    }
    return STATUS_OK;
}

/* ---- On the main thread ---------------------------------------------------------------------------------------- */

static void on_gone(struct exchange *exchange)
{
    leave_all(exchange_data(exchange));
    exchange_abandon(exchange);
}

static void start(struct exchange *exchange)
{
    struct predict *p = exchange_data(exchange);
    exchange_on_gone(exchange, on_gone);
    exchange_ref(exchange);
    p->n_open = p->n;
    for (uint32_t i = 0; i < p->n && !p->over; i++)
        generation_begin(p->items[i]);
    exchange_unref(exchange);
}

void api_predict(struct exchange *exchange)
{
    struct request_body body = {0};
    struct error error;
    struct predict *p = arena_zalloc(exchange_arena(exchange), sizeof *p);
    error_clear(&error);
    enum status status = p ? request_parse_body(exchange, &body, &error) : error_set(&error, STATUS_NO_MEMORY, "out of memory");
    bool wrapped = !status && json_object_get(body.root, "instances");
    if (wrapped) {
        *p = (struct predict){.taker = {take, fail}, .exchange = exchange};
        status = prepare_all(p, body.root, &error);
    }
    if (body.root)
        request_release_body(exchange, &body);
    if (status)
        reply_from_error(exchange, &error);
    else if (!wrapped)
        api_invocations(exchange);
    else
        exchange_to_main(exchange, start);
}
