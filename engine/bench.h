/* Speed of the engine without HTTP: for `seekd bench`. */
#ifndef ENGINE_BENCH_H
#define ENGINE_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

struct bench_options {
    const char *model_path, *numerics, *isa;
    uint32_t threads;
    uint32_t n_prompt, n_generate; /* tokens measured; one sequence */
    uint32_t rounds;               /* the best counts are reported as best, the middle as median */
};

struct bench_result {
    double load_seconds;
    double prompt_per_second, generate_per_second;             /* median of the rounds */
    double prompt_per_second_best, generate_per_second_best;
    uint64_t weight_bytes;     /* read by each generated token */
    double multiply_adds;      /* per prompt token */
    double read_bytes_per_second; /* of this machine now, all threads: calibrated by a read-only pass */
    char isa[32], model[128];
    uint32_t threads;
};

enum status bench_run(const struct bench_options *options, struct bench_result *out, struct error *error) must_check;

#endif
