/* The model that is served when none is named: the one that lies beside the program. */
#ifndef SERVER_DEFAULT_MODEL_H
#define SERVER_DEFAULT_MODEL_H

#include "base/status.h"

/* Replaces *path (owned, from base/mem.h) by the model found in ../share/seekd/models or models beside the executable; of several
 * the first by name. Where there is none: STATUS_NOT_FOUND, with a message that says what to do. */
enum status default_model_find(char **path, struct error *error) must_check;

#endif
