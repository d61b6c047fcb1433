/* Inside the weights module: what the format readers and the directory share. */
#ifndef ENGINE_WEIGHTS_WEIGHTS_FILES_H
#define ENGINE_WEIGHTS_WEIGHTS_FILES_H

#include "engine/weights/weights.h"

enum { WEIGHTS_PATH_MAX = 4096, WEIGHTS_FILES_MAX = 4096, WEIGHTS_TENSORS_MAX = 1000000 };

/* Adds a tensor whose name lives as long as the weights; grows the list. */
enum status weights_add(struct weights *weights, const struct tensor *tensor, struct error *error) must_check;

/* Opens one more file by path and returns its index. */
enum status weights_add_file(struct weights *weights, const char *path, uint32_t *index, struct error *error) must_check;

/* A copy of text that lives as long as the weights. */
char *weights_keep(struct weights *weights, const char *text, size_t len) must_check;

/* Joins directory and a plain file name; refuses separators, "..", NUL and links that leave the model's tree. */
enum status weights_sibling(const char *dir, const char *name, size_t len, char out[WEIGHTS_PATH_MAX],
                            struct error *error) must_check;

/* A directory's model. `file` null: all of it, by its index or model.safetensors; else what that file belongs to: the index where it
 * names the file, or the file alone. */
enum status weights_open_safetensors(struct weights *weights, const char *dir, const char *file, struct error *error) must_check;
enum status weights_open_gguf(struct weights *weights, const char *path, struct error *error) must_check;

#endif
