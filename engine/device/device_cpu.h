/* A model on this machine's processors. */
#ifndef ENGINE_DEVICE_DEVICE_CPU_H
#define ENGINE_DEVICE_DEVICE_CPU_H

#include "engine/device/device.h"

struct device_cpu_options {
    const char *model_path, *isa;
    enum numerics numerics;
    bool kv_dtype_auto;
    enum dtype kv_dtype;
    uint32_t threads, context, max_running, step_tokens; /* 0: chosen here */
    uint64_t kv_memory_bytes;                            /* 0: chosen here */
    void (*progress)(void *arg, uint64_t done_bytes, uint64_t total_bytes);
    void *progress_arg;
};

struct device_cpu; /* owns model, pool and pages */

/* Loads the model and takes all memory. Errors say what did not fit, with sizes. */
enum status device_cpu_open(struct device_cpu **out, const struct device_cpu_options *options, struct error *error) must_check;
void device_cpu_close(struct device_cpu *device);

const struct device *device_cpu_device(const struct device_cpu *device);
/* Rises while a step moves: parts of work done by the thread pool. Any thread may ask. */
uint64_t device_cpu_ticks(const struct device_cpu *device);

const struct model *device_cpu_model(const struct device_cpu *device);

/* What was chosen, and the sizes, as lines for the log. */
struct device_cpu_report {
    uint32_t threads, context, step_tokens, n_pages;
    enum dtype kv_dtype;
    uint64_t page_bytes, pages_bytes;
    struct model_memory memory;
    char table[1500];
};
void device_cpu_report(const struct device_cpu *device, struct device_cpu_report *out);

/* What opening would choose on this machine as it is now, given the size of the weights; loads nothing. Fills threads, context,
 * step_tokens, kv_dtype, pages. *available_bytes: memory that is free now. The error says why it would not open. */
enum status device_cpu_plan(struct device_cpu_report *out, const struct model_config *config, const struct device_cpu_options *options,
                            uint64_t weights_bytes, uint64_t *available_bytes, struct error *error) must_check;

#endif
