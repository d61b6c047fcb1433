/* API keys: who may use the server, and which cache partition a request belongs to. Keys are kept as hashes. */
#ifndef SERVER_AUTH_H
#define SERVER_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"
#include "config/options.h"

struct auth;

enum { AUTH_NO_KEY = 0xFFFFFFFFu, AUTH_PARTITION_BYTES = 32, AUTH_KEY_ID_MAX = 64 };

/* Reads api_keys and the key file of the settings. Errors name file and row. */
enum status auth_create(struct auth **out, const struct config *config, struct error *error) must_check;
void auth_free(struct auth *auth);

/* Reads the key file again; on an error the old rows stay. Any thread. */
enum status auth_reload(struct auth *auth, const struct config *config, struct error *error) must_check;

bool auth_is_open(const struct auth *auth); /* no keys are configured: everyone may use the server */

/* Compares the presented key's hash with every row, in constant time. *key_index: the row (stable for the life of the
 * process, also over reloads), AUTH_NO_KEY on an open server. False: unknown or expired. */
bool auth_check(struct auth *auth, struct str presented, uint32_t *key_index);

/* May this row use the model? */
bool auth_allows_model(struct auth *auth, uint32_t key_index, struct str model);

/* Takes a place among the row's concurrent requests; false: its limit is reached. Given back by auth_leave. */
bool auth_enter(struct auth *auth, uint32_t key_index, uint64_t default_limit);
void auth_leave(struct auth *auth, uint32_t key_index);

/* partition = BLAKE2b(secret of this process; key id, user_id, cache_salt, model digest). Absent and empty differ. */
void auth_partition(const struct auth *auth, uint32_t key_index, const struct str *user_id, const struct str *cache_salt,
                    const uint8_t model_digest[32], uint8_t out[AUTH_PARTITION_BYTES]);

/* The tenant of fair shares: the key row, and the user_id within it. */
uint64_t auth_tenant(const struct auth *auth, uint32_t key_index, const struct str *user_id);

/* The row's name for the log; "-" where there is none. */
void auth_key_id(struct auth *auth, uint32_t key_index, char out[AUTH_KEY_ID_MAX + 1]);

#endif
