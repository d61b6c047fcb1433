/* The model that is served when none is named: the one that lies beside the program. */
#ifndef SERVER_DEFAULT_MODEL_H
#define SERVER_DEFAULT_MODEL_H

#include <stdbool.h>

#include "base/status.h"

/* Replaces *path (owned, from base/mem.h): by the built-in model, tiny-r1 in ../share/seekd/models of an installed program or in
 * ../models of a checkout, or by the first model by name in models or ../share/seekd/models; all beside the executable. Where there is
 * none: STATUS_NOT_FOUND, with a message that says what to do. */
enum status default_model_find(char **path, bool *built_in, struct error *error) must_check;

#endif
