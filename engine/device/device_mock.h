/* A device without a model, for tests. What it writes for position p of a sequence is a hash of what stands at p - 1, the token and
 * p; what stands before position 0 is a hash of the partition. Logits are a function of the last hash, read back through the page
 * table, and the whole chain is read again at every step: a page that is stale, off by one, shared wrongly or of another partition
 * breaks the chain or changes the output. A script (docs/testing.md) forces tokens, delays and faults. */
#ifndef ENGINE_DEVICE_DEVICE_MOCK_H
#define ENGINE_DEVICE_DEVICE_MOCK_H

#include "engine/device/device.h"

enum { DEVICE_MOCK_TOKENS_MAX = 512, DEVICE_MOCK_HIDDEN = 16 };

enum device_mock_mode { DEVICE_MOCK_HASH, DEVICE_MOCK_LIST, DEVICE_MOCK_ECHO };
enum device_mock_action { DEVICE_MOCK_FAULT, DEVICE_MOCK_HANG, DEVICE_MOCK_EXIT, DEVICE_MOCK_NAN, DEVICE_MOCK_ACTIONS };

struct device_mock_script {
    enum device_mock_mode mode;
    uint32_t vocabulary, context, pages;
    uint32_t load_ms, step_us, row_us;
    uint32_t tokens[DEVICE_MOCK_TOKENS_MAX], n_tokens; /* mode list */
    int64_t stop;                                      /* id that ends a list or an echo; -1: start over */
    uint64_t after[DEVICE_MOCK_ACTIONS];               /* step that acts, from 1; 0: none */
    int64_t token[DEVICE_MOCK_ACTIONS];                /* computing this token acts; -1: none */
};

/* Reads `key=value;key=value`; errors name the key. An empty text gives the defaults. */
enum status device_mock_parse(struct device_mock_script *out, const char *text, struct error *error) must_check;

struct device_mock_options {
    struct device_mock_script script;
    uint32_t n_rows_max, n_logit_rows_max;
    void (*wait)(void *arg, uint64_t ns); /* how its steps take time */
    void *wait_arg;
    bool count_breaks; /* a broken chain is counted, not fatal */
};

struct device_mock;

enum status device_mock_open(struct device_mock **out, const struct device_mock_options *options, struct error *error) must_check;
void device_mock_close(struct device_mock *device);
const struct device *device_mock_device(const struct device_mock *device);

/* Places where the chain did not hold, a page had two writers in a step, or was begun with another partition's state in it. */
uint64_t device_mock_breaks(const struct device_mock *device);

/* Steps and rows so far. */
struct device_mock_count {
    uint64_t n_steps, n_rows, n_copies, n_clears;
};
void device_mock_count(const struct device_mock *device, struct device_mock_count *out);

/* The truth, for checkers: hash before position 0, hash after one more token, and the logits row that follows a hash. */
uint64_t device_mock_begin(uint64_t partition);
uint64_t device_mock_extend(uint64_t hash, uint32_t token, uint32_t position);
void device_mock_row(uint64_t hash, float *row, uint32_t vocabulary);

/* Bugs that a checker must find. */
enum device_mock_bug {
    DEVICE_MOCK_NO_BUG,
    DEVICE_MOCK_READS_NEXT_PAGE,    /* now and then the page beside the right one is read */
    DEVICE_MOCK_SKIPS_A_WRITE,      /* now and then a row is not stored */
    DEVICE_MOCK_IGNORES_PAGE_COPIES,
    DEVICE_MOCK_IGNORES_CLEARS,
    DEVICE_MOCK_DEPENDS_ON_BATCH,   /* a row's result depends on how many rows the step has */
};
void device_mock_plant(struct device_mock *device, enum device_mock_bug bug);

#endif
