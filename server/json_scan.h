/* One look over a JSON text before a parser builds anything of it: depth, counts, and what a tree of it would cost. */
#ifndef SERVER_JSON_SCAN_H
#define SERVER_JSON_SCAN_H

#include "base/status.h"
#include "base/str.h"
#include "server/limits.h"

struct json_scan {
    struct str text;       /* without a leading byte-order mark */
    size_t n_containers, n_values;
    size_t memory_bytes;   /* estimate of the parser's tree */
};

/* No allocation, no recursion. Errors carry code invalid_json and the byte offset. */
enum status json_scan_run(struct json_scan *out, struct str text, size_t depth_max, struct error *error) must_check;

#endif
