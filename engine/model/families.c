/* The list of families. */
#include "engine/model/family.h"

const struct family *const model_families[] = {&family_llama, &family_qwen2, &family_qwen3, &family_mixtral, &family_deepseek};
const unsigned model_n_families = sizeof model_families / sizeof model_families[0];
