/* Inside the model configuration: the two readers and the checks they share. */
#ifndef ENGINE_WEIGHTS_MODEL_CONFIG_FILES_H
#define ENGINE_WEIGHTS_MODEL_CONFIG_FILES_H

#include "engine/weights/model_config.h"

struct gguf;

/* Architectures this program runs: the name in each kind of file (null: not known there) and the family. */
struct model_config_architecture {
    const char *hugging_face, *gguf, *family;
};
extern const struct model_config_architecture model_config_architectures[];
extern const unsigned model_config_n_architectures;

/* STATUS_UNSUPPORTED with the list of known names. */
enum status model_config_unknown(const char *path, const char *name, bool gguf, struct error *error);

enum status model_config_from_json(struct model_config *config, const char *dir, struct error *error) must_check;
enum status model_config_from_gguf(struct model_config *config, const struct gguf *gguf, const struct weights *weights,
                                   struct error *error) must_check;

#endif
