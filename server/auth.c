/* Keys. A row's hash is BLAKE2b-256 of the key; comparison runs over every row without an early exit. The mutex guards the table
 * of rows, which a reload changes, and their counts. */
#include "server/auth.h"

#include <jansson.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file_map.h"
#include "base/mem.h"

enum { ROWS_MAX = 65536, FILE_BYTES_MAX = 64 << 20, HASH_BYTES = 32, MODELS_MAX = 64, KEY_BYTES_MAX = 4096 };

/* Rows are never removed, so that an index stays what it was; one that left the file is revoked. */
struct auth_row {
    char id[AUTH_KEY_ID_MAX + 1];
    uint8_t hash[HASH_BYTES];
    bool revoked, from_file;
    int64_t expires;        /* unix seconds; 0: never */
    uint64_t concurrency;   /* 0: the setting's */
    char *models;           /* owned: names between newlines, or null for all */
    uint64_t n_running;
};

struct auth {
    pthread_mutex_t lock;
    struct auth_row *rows;
    uint32_t n_rows, capacity;
    _Atomic bool has_keys;  /* keys are configured, be they valid or not */
    uint8_t secret[crypto_generichash_KEYBYTES];
};

static void hash_key(struct str key, uint8_t out[HASH_BYTES])
{
    crypto_generichash(out, HASH_BYTES, (const unsigned char *)key.at, key.len, NULL, 0);
}

/* ---- Rows -------------------------------------------------------------------------------------------------- */

static enum status add_row(struct auth *auth, const struct auth_row *row, struct error *error)
{
    for (uint32_t i = 0; i < auth->n_rows; i++)
        if (memcmp(auth->rows[i].hash, row->hash, HASH_BYTES) == 0) {
            uint64_t running = auth->rows[i].n_running;
            mem_free(auth->rows[i].models);
            auth->rows[i] = *row;
            auth->rows[i].n_running = running;
            return STATUS_OK;
        }
    if (auth->n_rows == ROWS_MAX)
        return error_set(error, STATUS_LIMIT, "more than %d keys", ROWS_MAX);
    if (auth->n_rows == auth->capacity) {
        uint32_t capacity = auth->capacity ? auth->capacity * 2 : 16;
        struct auth_row *rows = mem_realloc(auth->rows, capacity * sizeof *rows);
        if (!rows)
            return error_set(error, STATUS_NO_MEMORY, "out of memory");
        auth->rows = rows;
        auth->capacity = capacity;
    }
    auth->rows[auth->n_rows++] = *row;
    return STATUS_OK;
}

static enum status add_setting_keys(struct auth *auth, const struct config *config, struct error *error)
{
    for (uint32_t i = 0; i < config->api_keys.n; i++) {
        struct auth_row row = {0};
        snprintf(row.id, sizeof row.id, "key-%u", i + 1);
        hash_key(str_of(config->api_keys.items[i]), row.hash);
        enum status status = add_row(auth, &row, error);
        if (status)
            return status;
    }
    return STATUS_OK;
}

static enum status bad_row(struct error *error, const char *path, size_t row, const char *what)
{
    return error_set_path(error, STATUS_INVALID, NULL, "api_key_file", "%s: row %zu: %s", path, row, what);
}

static enum status read_models(const json_t *list, const char *path, size_t at, char **out, struct error *error)
{
    struct buf names;
    if (!list || json_is_null(list))
        return STATUS_OK;
    if (!json_is_array(list) || json_array_size(list) > MODELS_MAX)
        return bad_row(error, path, at, "models: expected an array of at most 64 names");
    buf_init(&names, 1 << 16);
    buf_add_char(&names, '\n');
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        if (!name || !*name || strchr(name, '\n')) {
            buf_release(&names);
            return bad_row(error, path, at, "models: expected names");
        }
        buf_add_text(&names, name);
        buf_add_char(&names, '\n');
    }
    *out = buf_take(&names, NULL);
    return *out ? STATUS_OK : error_set(error, STATUS_NO_MEMORY, "out of memory");
}

static enum status read_row(struct auth *auth, const json_t *json, const char *path, size_t at, struct error *error)
{
    struct auth_row row = {.from_file = true};
    const char *id = json_string_value(json_object_get(json, "id")), *hash = json_string_value(json_object_get(json, "hash"));
    const char *scope = json_string_value(json_object_get(json, "scope"));
    const json_t *expires = json_object_get(json, "expires"), *limits = json_object_get(json, "limits");
    const json_t *concurrency = json_object_get(limits, "concurrency");
    size_t n;
    if (!id || !*id || strlen(id) > AUTH_KEY_ID_MAX || strcspn(id, " \t\r\n\"") != strlen(id))
        return bad_row(error, path, at, "id: expected 1 to 64 characters without white space");
    if (!hash || strlen(hash) != 2 * HASH_BYTES ||
        sodium_hex2bin(row.hash, sizeof row.hash, hash, strlen(hash), NULL, &n, NULL) != 0 || n != HASH_BYTES)
        return bad_row(error, path, at, "hash: expected the 64 hex digits of the key's BLAKE2b-256");
    if (scope && strcmp(scope, "inference") != 0)
        return bad_row(error, path, at, "scope: expected \"inference\"");
    if (expires && !json_is_null(expires) && (!json_is_integer(expires) || json_integer_value(expires) <= 0))
        return bad_row(error, path, at, "expires: expected unix seconds");
    if (limits && !json_is_null(limits) && !json_is_object(limits))
        return bad_row(error, path, at, "limits: expected an object");
    if (concurrency && (!json_is_integer(concurrency) || json_integer_value(concurrency) < 1))
        return bad_row(error, path, at, "limits.concurrency: expected a whole number of at least 1");
    row.expires = json_is_integer(expires) ? json_integer_value(expires) : 0;
    row.concurrency = concurrency ? (uint64_t)json_integer_value(concurrency) : 0;
    snprintf(row.id, sizeof row.id, "%s", id);
    enum status status = read_models(json_object_get(json, "models"), path, at, &row.models, error);
    if (!status)
        status = add_row(auth, &row, error);
    if (status)
        mem_free(row.models);
    return status;
}

static enum status read_file(struct auth *auth, const char *path, struct error *error)
{
    char *text;
    size_t len;
    enum status status = file_map_read(path, FILE_BYTES_MAX, &text, &len, error);
    if (status)
        return status;
    json_error_t why;
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
    sodium_memzero(text, len);
    mem_free(text);
    if (!json_is_array(root))
        status = error_set_path(error, STATUS_INVALID, NULL, "api_key_file", "%s:%d: expected a JSON array of rows", path,
                                root ? 1 : why.line);
    for (size_t i = 0; !status && i < json_array_size(root); i++)
        status = read_row(auth, json_array_get(root, i), path, i, error);
    json_decref(root);
    return status;
}

/* ---- Life -------------------------------------------------------------------------------------------------- */

static enum status fill(struct auth *auth, const struct config *config, struct error *error)
{
    auth->has_keys = config->api_keys.n > 0 || *config->api_key_file;
    enum status status = add_setting_keys(auth, config, error);
    return status || !*config->api_key_file ? status : read_file(auth, config->api_key_file, error);
}

enum status auth_create(struct auth **out, const struct config *config, struct error *error)
{
    struct auth *auth = mem_zalloc(sizeof *auth);
    if (!auth)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    pthread_mutex_init(&auth->lock, NULL);
    randombytes_buf(auth->secret, sizeof auth->secret);
    enum status status = fill(auth, config, error);
    if (status) {
        auth_free(auth);
        return status;
    }
    *out = auth;
    return STATUS_OK;
}

void auth_free(struct auth *auth)
{
    if (!auth)
        return;
    for (uint32_t i = 0; i < auth->n_rows; i++)
        mem_free(auth->rows[i].models);
    mem_free(auth->rows);
    pthread_mutex_destroy(&auth->lock);
    sodium_memzero(auth, sizeof *auth);
    mem_free(auth);
}

enum status auth_reload(struct auth *auth, const struct config *config, struct error *error)
{
    struct auth fresh = {0};
    enum status status = fill(&fresh, config, error);
    pthread_mutex_lock(&auth->lock);
    if (!status && fresh.has_keys)
        auth->has_keys = true; /* a server that asked for keys goes on asking: with none left, nobody may use it */
    for (uint32_t i = 0; !status && i < auth->n_rows; i++)
        auth->rows[i].revoked = true;
    for (uint32_t i = 0; !status && i < fresh.n_rows; i++) {
        status = add_row(auth, &fresh.rows[i], error);
        if (!status)
            fresh.rows[i].models = NULL; /* moved */
    }
    pthread_mutex_unlock(&auth->lock);
    for (uint32_t i = 0; i < fresh.n_rows; i++)
        mem_free(fresh.rows[i].models);
    mem_free(fresh.rows);
    return status;
}

/* ---- Questions --------------------------------------------------------------------------------------------- */

bool auth_is_open(const struct auth *auth)
{
    return !auth->has_keys;
}

bool auth_check(struct auth *auth, struct str presented, uint32_t *key_index)
{
    uint8_t hash[HASH_BYTES];
    uint32_t found = AUTH_NO_KEY;
    int64_t now = clock_unix_seconds();
    *key_index = AUTH_NO_KEY;
    if (auth_is_open(auth))
        return true;
    if (presented.len == 0 || presented.len > KEY_BYTES_MAX)
        return false;
    hash_key(presented, hash);
    pthread_mutex_lock(&auth->lock);
    for (uint32_t i = 0; i < auth->n_rows; i++) {
        const struct auth_row *row = &auth->rows[i];
        bool usable = !row->revoked && (row->expires == 0 || now < row->expires);
        uint32_t same = crypto_verify_32(row->hash, hash) == 0;
        found = same && usable ? i : found;
    }
    pthread_mutex_unlock(&auth->lock);
    *key_index = found;
    return found != AUTH_NO_KEY;
}

bool auth_allows_model(struct auth *auth, uint32_t key_index, struct str model)
{
    bool allowed = true;
    char wanted[512];
    if (key_index == AUTH_NO_KEY)
        return true;
    if (model.len == 0 || model.len + 3 > sizeof wanted || memchr(model.at, '\n', model.len))
        return false;
    int n = snprintf(wanted, sizeof wanted, "\n%.*s\n", STR_ARG(model));
    pthread_mutex_lock(&auth->lock);
    const char *models = auth->rows[key_index].models;
    if (models)
        allowed = str_find(str_of(models), str_from(wanted, (size_t)n)) >= 0;
    pthread_mutex_unlock(&auth->lock);
    return allowed;
}

bool auth_enter(struct auth *auth, uint32_t key_index, uint64_t default_limit)
{
    if (key_index == AUTH_NO_KEY)
        return true;
    pthread_mutex_lock(&auth->lock);
    struct auth_row *row = &auth->rows[key_index];
    uint64_t limit = row->concurrency ? row->concurrency : default_limit;
    bool free_place = limit == 0 || row->n_running < limit;
    row->n_running += free_place;
    pthread_mutex_unlock(&auth->lock);
    return free_place;
}

void auth_leave(struct auth *auth, uint32_t key_index)
{
    if (key_index == AUTH_NO_KEY)
        return;
    pthread_mutex_lock(&auth->lock);
    check(auth->rows[key_index].n_running > 0);
    auth->rows[key_index].n_running--;
    pthread_mutex_unlock(&auth->lock);
}

/* Each part with its presence and length, so that no two different sets of parts read alike. */
static void add_part(crypto_generichash_state *state, const void *at, uint64_t len, bool present)
{
    uint64_t head = present ? len + 1 : 0;
    crypto_generichash_update(state, (const unsigned char *)&head, sizeof head);
    if (present && len)
        crypto_generichash_update(state, at, len);
}

void auth_partition(const struct auth *auth, uint32_t key_index, const struct str *user_id, const struct str *cache_salt,
                    const uint8_t model_digest[32], uint8_t out[AUTH_PARTITION_BYTES])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, auth->secret, sizeof auth->secret, AUTH_PARTITION_BYTES);
    add_part(&state, &key_index, sizeof key_index, true);
    add_part(&state, user_id ? user_id->at : NULL, user_id ? user_id->len : 0, user_id != NULL);
    add_part(&state, cache_salt ? cache_salt->at : NULL, cache_salt ? cache_salt->len : 0, cache_salt != NULL);
    add_part(&state, model_digest, 32, true);
    crypto_generichash_final(&state, out, AUTH_PARTITION_BYTES);
}

uint64_t auth_tenant(const struct auth *auth, uint32_t key_index, const struct str *user_id)
{
    uint8_t hash[crypto_generichash_BYTES_MIN];
    uint64_t tenant;
    crypto_generichash_state state;
    crypto_generichash_init(&state, auth->secret, sizeof auth->secret, sizeof hash);
    add_part(&state, &key_index, sizeof key_index, true);
    add_part(&state, user_id ? user_id->at : NULL, user_id ? user_id->len : 0, user_id != NULL);
    crypto_generichash_final(&state, hash, sizeof hash);
    memcpy(&tenant, hash, sizeof tenant);
    return tenant;
}

void auth_key_id(struct auth *auth, uint32_t key_index, char out[AUTH_KEY_ID_MAX + 1])
{
    snprintf(out, AUTH_KEY_ID_MAX + 1, "-");
    if (key_index == AUTH_NO_KEY)
        return;
    pthread_mutex_lock(&auth->lock);
    snprintf(out, AUTH_KEY_ID_MAX + 1, "%s", auth->rows[key_index].id);
    pthread_mutex_unlock(&auth->lock);
}
