/* The native form of llama-server: /completion and /infill. */
#ifndef SERVER_DIALECT_NATIVE_H
#define SERVER_DIALECT_NATIVE_H

#include "server/dialect.h"

enum status dialect_native_read_completion(struct dialect *d, const json_t *root);
enum status dialect_native_read_infill(struct dialect *d, const json_t *root);

#endif
