/* What every C test program shares: cmocka in its required order, temporary files, and byte helpers. */
#ifndef TESTS_SUPPORT_H
#define TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/status.h"

/* A fresh directory under $TMPDIR, removed with all it holds by the matching call. The path is static memory. */
const char *support_temp_dir(void);
void support_remove_dir(const char *path);

/* Writes a file; fails the test when it cannot. */
void support_write_file(const char *path, const void *data, size_t len);

/* Fails the test, printing the message, unless status is STATUS_OK. */
void support_ok(enum status status, const struct error *error);

#endif
