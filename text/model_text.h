/* The text side of a model, loaded from its directory or GGUF file: tokenizer, chat template, generation
 * defaults, end-of-sequence ids. The front loads this; it reads no weights. */
#ifndef TEXT_MODEL_TEXT_H
#define TEXT_MODEL_TEXT_H

#include "text/tokenizer.h"

enum { MODEL_TEXT_EOS_MAX = 16 };

struct model_text {
    struct tokenizer *tokenizer; /* owned */
    char *chat_template;         /* owned; null when the model has none */
    char architecture[64];       /* architectures[0], or GGUF's general.architecture */
    char model_type[64];
    char name[128];              /* stem of the directory or file */
    bool scale_fmt_ue8m0;        /* quantization_config.scale_fmt: tells V3.1 from V3 */
    uint32_t context;            /* from the config; 0 when unknown */
    uint32_t eos_ids[MODEL_TEXT_EOS_MAX], n_eos; /* union of config, generation_config, tokenizer and eot ids */
    /* generation_config.json; negative: absent */
    double temperature, top_p, min_p, repetition_penalty;
    int32_t top_k;
    int do_sample; /* -1 absent, 0, 1 */
};

enum status model_text_load(struct model_text *text, const char *path, struct error *error) must_check;
void model_text_release(struct model_text *text);

#endif
