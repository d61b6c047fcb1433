/* Whether a model's files are as they were published: a model directory may hold SHA256SUMS, in sha256sum's form. */
#ifndef SERVER_MODEL_SUMS_H
#define SERVER_MODEL_SUMS_H

#include "base/status.h"

/* Hashes the files that SHA256SUMS in `path` names; longer ones than 64 MiB are left out, so that starting stays quick. STATUS_OK where
 * `path` is a file or has no sums; STATUS_INVALID names the file that is damaged, missing, or the line that is not understood. */
enum status model_sums_check(const char *path, struct error *error) must_check;

#endif
