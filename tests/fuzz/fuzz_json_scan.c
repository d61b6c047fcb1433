/* The pre-scan of bodies. What it lets pass never gives the parser more depth, containers or values than were counted. */
#include <jansson.h>

#include "server/json_scan.h"
#include "tests/fuzz/fuzz.h"

enum { DEPTH = 32 };

struct counts {
    size_t values, containers, depth;
};

static void count(const json_t *value, size_t depth, struct counts *c)
{
    const char *key;
    json_t *item;
    size_t i;
    bool holds = json_is_array(value) || json_is_object(value);
    c->values++;
    c->containers += holds;
    c->depth = depth + holds > c->depth ? depth + holds : c->depth;
    json_array_foreach(value, i, item) count(item, depth + 1, c);
    json_object_foreach((json_t *)(uintptr_t)value, key, item) count(item, depth + 1, c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_scan scan;
    struct error error;
    struct str text = str_from((const char *)data, size);
    error_clear(&error);
    enum status status = json_scan_run(&scan, text, DEPTH, &error);
    if (status) {
        fuzz_expect_refusal(status, &error);
        fuzz_expect(error.offset >= 0 && error.offset <= (int64_t)size);
        return 0;
    }
    struct counts c = {0};
    json_t *root = json_loadb(scan.text.at, scan.text.len, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
    if (json_is_array(root) || json_is_object(root)) {
        count(root, 0, &c);
        fuzz_expect(c.depth <= DEPTH && c.containers <= scan.n_containers && c.values <= scan.n_values + scan.n_containers);
        fuzz_expect(scan.memory_bytes >= c.values * sizeof(json_t));
    }
    json_decref(root);
    return 0;
}
