/* The OpenAPI 3.1 document of this server's API, made of the tables of routes and of request fields. */
#ifndef SERVER_OPENAPI_H
#define SERVER_OPENAPI_H

#include "base/buf.h"

enum { OPENAPI_BYTES_MAX = 1 << 20 };

/* A JSON text. Failures stay in the buffer (buf_status). */
void openapi_write(struct buf *out);

#endif
