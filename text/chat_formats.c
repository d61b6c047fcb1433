/* The native formats and how a model is recognised as one of them. */
#include "text/chat_formats.h"

#include <stdio.h>
#include <string.h>

#define THINK "<think>", "</think>"

const struct chat_style chat_formats[] = {
    {"deepseek-v2", chat_deepseek_v2, NULL, NULL, false, true, TOOL_FORM_NONE},
    {"deepseek-v2.5", chat_deepseek_v25, NULL, NULL, false, true, TOOL_FORM_FENCED},
    {"deepseek-v3", chat_deepseek_v3, NULL, NULL, false, true, TOOL_FORM_FENCED},
    {"deepseek-v3-0324", chat_deepseek_v3_0324, NULL, NULL, false, true, TOOL_FORM_FENCED},
    {"deepseek-r1", chat_deepseek_r1, THINK, true, true, TOOL_FORM_FENCED},
    {"deepseek-r1-0528", chat_deepseek_r1_0528, THINK, true, true, TOOL_FORM_FENCED},
    {"deepseek-r1-distill", chat_deepseek_distill, THINK, true, true, TOOL_FORM_FENCED},
    {"deepseek-v3.1", chat_deepseek_v31, THINK, false, true, TOOL_FORM_CHAINED},
    {"deepseek-v3.2", chat_dsml_v32, THINK, true, true, TOOL_FORM_DSML},
    {"chatml", chat_plain_chatml, NULL, NULL, false, false, TOOL_FORM_HERMES},
    {"llama-3", chat_plain_llama3, NULL, NULL, false, true, TOOL_FORM_LLAMA},
    {"mistral", chat_plain_mistral, NULL, NULL, false, true, TOOL_FORM_MISTRAL},
    {0},
};

const struct chat_style *chat_formats_find(struct str name)
{
    for (const struct chat_style *style = chat_formats; style->name; style++)
        if (str_is(name, style->name))
            return style;
    return NULL;
}

static bool has_token(const struct model_text *model, const char *literal)
{
    uint32_t id;
    return tokenizer_find(model->tokenizer, literal, &id);
}

static const struct chat_style *chosen(const char *name, char why[256], const char *reason)
{
    snprintf(why, 256, "%s", reason);
    return chat_formats_find(str_of(name));
}

static bool is_deepseek(const struct model_text *model)
{
    return strncmp(model->architecture, "Deepseek", 8) == 0 || strncmp(model->architecture, "deepseek", 8) == 0;
}

/* By marks that only one of the official templates has. */
static const struct chat_style *by_template(const struct model_text *model, char why[256])
{
    const char *t = model->chat_template;
    if (!t)
        return NULL;
    if (strstr(t, "DSML"))
        return chosen("deepseek-v3.2", why, "the template names the DSML mark");
    if (!strstr(t, "<｜User｜>"))
        return NULL;
    bool drops_thought = strstr(t, "</think>") != NULL;
    if (strstr(t, "<｜Assistant｜></think>") || (drops_thought && strstr(t, "thinking")))
        return chosen("deepseek-v3.1", why, "the template has the user mark and switches the thought");
    if (strstr(t, "is_last_user"))
        return drops_thought ? chosen("deepseek-r1-0528", why, "the template opens the reply in the user's turn and drops thoughts")
                             : chosen("deepseek-v3-0324", why, "the template opens the reply in the user's turn");
    if (strstr(t, "<｜Assistant｜><think>"))
        return chosen("deepseek-r1-distill", why, "the template has the user mark and opens the thought");
    if (drops_thought)
        return chosen("deepseek-r1", why, "the template has the user mark and drops thoughts");
    return strstr(t, "is_first_sp") ? chosen("deepseek-v3", why, "the template has the user mark and joins system messages")
                                    : chosen("deepseek-v2.5", why, "the template has the user mark and keeps the last system message");
}

const struct chat_style *chat_formats_recognize(const struct model_text *model, char why[256])
{
    bool marks = has_token(model, "<｜User｜>"), thinks = has_token(model, "<think>");
    if (!is_deepseek(model) && !marks)
        return NULL;
    const struct chat_style *style = marks ? by_template(model, why) : NULL;
    if (style)
        return style;
    if (marks && model->scale_fmt_ue8m0 && thinks)
        return chosen("deepseek-v3.1", why, "the weights' scale format is ue8m0 and the vocabulary has <think>");
    if (!is_deepseek(model))
        return strncmp(model->architecture, "Qwen3", 5) == 0 || strncmp(model->architecture, "qwen3", 5) == 0
                   ? chosen("deepseek-r1-0528", why, "a Qwen3 model with the user mark in its vocabulary")
                   : chosen("deepseek-r1-distill", why, "a distilled model: the user mark is in its vocabulary");
    if (marks && thinks)
        return chosen("deepseek-r1", why, "a DeepSeek model with the user mark and <think> in its vocabulary");
    if (marks && strstr(model->architecture, "V2"))
        return chosen("deepseek-v2.5", why, "a DeepSeek V2 model with the user mark in its vocabulary");
    if (marks)
        return chosen("deepseek-v3", why, "a DeepSeek model with the user mark in its vocabulary");
    if (!model->chat_template || strstr(model->chat_template, "'User: '"))
        return chosen("deepseek-v2", why, "a DeepSeek model without the user mark in its vocabulary");
    return NULL;
}

const struct chat_style *chat_formats_by_tokens(const struct model_text *model, char why[256])
{
    if (has_token(model, "<|im_start|>") && has_token(model, "<|im_end|>"))
        return chosen("chatml", why, "the vocabulary has <|im_start|>");
    if (has_token(model, "<|start_header_id|>") && has_token(model, "<|eot_id|>"))
        return chosen("llama-3", why, "the vocabulary has <|start_header_id|>");
    if (has_token(model, "[INST]"))
        return chosen("mistral", why, "the vocabulary has [INST]");
    return NULL;
}
