/* Golden prompts: read the record, run one prompt after the other, compare. */
#include "server/golden.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file_map.h"
#include "base/mem.h"
#include "server/front.h"
#include "server/server.h"

enum { FILE_BYTES_MAX = 4 << 20, PROMPTS_MAX = 256, TOKENS_MAX = 65536, PATH_BYTES = 4200 };

struct golden_prompt {
    uint32_t *tokens, *greedy; /* owned */
    uint32_t n_tokens, n_greedy; /* n_greedy 0: any finite token will do */
};

struct golden {
    struct server *server;
    uint32_t vocabulary;
    struct golden_prompt *prompts; /* owned */
    uint32_t n_prompts, at;        /* the prompt that runs, */
    uint32_t n_seen;               /* and how many of its tokens were compared */
    uint64_t id;                   /* of its submission; 0: none */
    char failure[200];
    void (*ended)(void *arg, const char *failure);
    void *arg;
};

static void golden_free(struct golden *g)
{
    for (uint32_t i = 0; i < g->n_prompts; i++) {
        mem_free(g->prompts[i].tokens);
        mem_free(g->prompts[i].greedy);
    }
    mem_free(g->prompts);
    mem_free(g);
}

void golden_stop(struct golden *g)
{
    if (!g)
        return;
    if (g->id)
        front_cancel(g->server->front, g->id);
    golden_free(g);
}

/* ---- The record -------------------------------------------------------------------------------------------- */

static enum status read_ids(const json_t *list, const char *path, size_t row, const char *key, uint32_t vocabulary, uint32_t **out,
                            uint32_t *n, struct error *error)
{
    size_t len = json_array_size(list);
    if (!json_is_array(list) || len == 0 || len > TOKENS_MAX)
        return error_set(error, STATUS_INVALID, "%s: prompts[%zu].%s: expected 1 to %d token ids", path, row, key, TOKENS_MAX);
    *out = mem_zalloc_array(len, sizeof **out);
    if (!*out)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < len; i++) {
        const json_t *id = json_array_get(list, i);
        if (!json_is_integer(id) || json_integer_value(id) < 0 || json_integer_value(id) >= vocabulary)
            return error_set(error, STATUS_INVALID, "%s: prompts[%zu].%s[%zu]: expected an id below %u", path, row, key, i, vocabulary);
        (*out)[i] = (uint32_t)json_integer_value(id);
    }
    *n = (uint32_t)len;
    return STATUS_OK;
}

static enum status read_rows(struct golden *g, const json_t *root, const char *path, struct error *error)
{
    const json_t *list = json_object_get(root, "prompts");
    size_t n = json_array_size(list);
    if (!json_is_array(list) || n == 0 || n > PROMPTS_MAX)
        return error_set(error, STATUS_INVALID, "%s: prompts: expected an array of 1 to %d rows", path, PROMPTS_MAX);
    g->prompts = mem_zalloc_array(n, sizeof *g->prompts);
    if (!g->prompts)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    g->n_prompts = (uint32_t)n;
    for (size_t i = 0; i < n; i++) {
        const json_t *row = json_array_get(list, i);
        struct golden_prompt *p = &g->prompts[i];
        enum status status =
            read_ids(json_object_get(row, "tokens"), path, i, "tokens", g->vocabulary, &p->tokens, &p->n_tokens, error);
        if (!status)
            status = read_ids(json_object_get(row, "greedy"), path, i, "greedy", g->vocabulary, &p->greedy, &p->n_greedy, error);
        if (status)
            return status;
    }
    return STATUS_OK;
}

static enum status read_record(struct golden *g, const char *path, struct error *error)
{
    char *text;
    size_t len;
    enum status status = file_map_read(path, FILE_BYTES_MAX, &text, &len, error);
    if (status)
        return status;
    json_error_t why;
    json_t *root = json_loadb(text, len, 0, &why);
    if (root)
        status = read_rows(g, root, path, error);
    else
        status = error_set(error, STATUS_INVALID, "%s:%d: not JSON", path, why.line);
    json_decref(root);
    mem_free(text);
    return status;
}

/* Without a record: the begin token, or the first one, must be followed by something finite. */
static enum status one_token(struct golden *g, struct error *error)
{
    int64_t bos = tokenizer_bos(g->server->text.tokenizer);
    g->prompts = mem_zalloc(sizeof *g->prompts);
    if (!g->prompts || !(g->prompts->tokens = mem_zalloc(sizeof *g->prompts->tokens)))
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    g->n_prompts = 1;
    g->prompts->tokens[0] = bos >= 0 && bos < g->vocabulary ? (uint32_t)bos : 0;
    g->prompts->n_tokens = 1;
    return STATUS_OK;
}

/* ---- The check --------------------------------------------------------------------------------------------- */

static void run_next(struct golden *g);

static void finish(struct golden *g, const char *failure)
{
    void (*ended)(void *arg, const char *failure) = g->ended;
    void *arg = g->arg;
    char text[sizeof((struct error *)0)->message];
    snprintf(text, sizeof text, "%s", failure ? failure : "");
    golden_free(g);
    ended(arg, failure ? text : NULL);
}

static void on_accepted(void *arg, uint32_t n_cached)
{
    (void)arg;
    (void)n_cached;
}

static void on_tokens(void *arg, struct protocol_tokens_reader *reader)
{
    struct golden *g = arg;
    const struct golden_prompt *p = &g->prompts[g->at];
    struct protocol_token token;
    struct error error;
    while (protocol_next_token(reader, &token, &error) == STATUS_OK) {
        if (g->n_seen < p->n_greedy && token.token != p->greedy[g->n_seen] && !g->failure[0])
            snprintf(g->failure, sizeof g->failure, "prompt %u: token %u is %u, recorded %u", g->at, g->n_seen, token.token,
                     p->greedy[g->n_seen]);
        g->n_seen++;
    }
}

static void on_done(void *arg, const struct protocol_done *done)
{
    struct golden *g = arg;
    const struct golden_prompt *p = &g->prompts[g->at];
    g->id = 0;
    if (done->finish == PROTOCOL_FINISH_ERROR || done->finish == PROTOCOL_FINISH_IMPOSSIBLE)
        snprintf(g->failure, sizeof g->failure, "prompt %u: %s", g->at, done->message);
    else if (p->n_greedy && g->n_seen < p->n_greedy && !g->failure[0])
        snprintf(g->failure, sizeof g->failure, "prompt %u ended after %u of %u tokens", g->at, g->n_seen, p->n_greedy);
    if (g->failure[0])
        finish(g, g->failure);
    else if (++g->at < g->n_prompts)
        run_next(g);
    else
        finish(g, NULL);
}

static void on_refused(void *arg, const struct protocol_refused *refused)
{
    struct golden *g = arg;
    g->id = 0;
    finish(g, refused->message);
}

static void on_failed(void *arg, const char *cause)
{
    struct golden *g = arg;
    g->id = 0;
    finish(g, cause);
}

static void run_next(struct golden *g)
{
    static const struct engine_listener listener = {on_accepted, on_tokens, on_done, on_refused, on_failed};
    const struct golden_prompt *p = &g->prompts[g->at];
    struct protocol_submit submit = {.prompt = p->tokens, .n_prompt = p->n_tokens, .n_choices = 1, .temperature = 0, .top_p = 1,
                                     .repetition_penalty = 1, .vocabulary = g->vocabulary, .logprobs = -1, .prompt_logprobs = -1,
                                     .max_tokens = p->n_greedy ? p->n_greedy : 1};
    struct error error;
    g->n_seen = 0;
    g->id = front_submit_unchecked(g->server->front, &submit, &listener, g, &error);
    if (!g->id)
        finish(g, error.message);
}

/* The path of the record, empty when there is none. */
static void find_record(const struct server *server, char path[PATH_BYTES])
{
    struct stat info;
    snprintf(path, PATH_BYTES, "%s", server->config->golden_prompts);
    if (*path)
        return;
    const char *model = server->config->model, *slash = strrchr(model, '/');
    bool is_directory = stat(model, &info) == 0 && S_ISDIR(info.st_mode);
    if (is_directory)
        snprintf(path, PATH_BYTES, "%s/golden.json", model);
    else
        snprintf(path, PATH_BYTES, "%.*sgolden.json", slash ? (int)(slash - model + 1) : 0, model);
    if (stat(path, &info) != 0)
        *path = 0;
}

enum status golden_start(struct golden **out, struct server *server, const struct protocol_ready *ready,
                         void (*ended)(void *arg, const char *failure), void *arg, struct error *error)
{
    char path[PATH_BYTES];
    uint32_t entries = tokenizer_size(server->text.tokenizer);
    struct golden *g = mem_zalloc(sizeof *g);
    if (!g)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    g->server = server;
    g->vocabulary = entries < ready->vocabulary ? entries : ready->vocabulary;
    g->ended = ended;
    g->arg = arg;
    find_record(server, path);
    enum status status = *path ? read_record(g, path, error) : one_token(g, error);
    if (status) {
        golden_free(g);
        return status;
    }
    *out = g;
    run_next(g);
    return STATUS_OK;
}
