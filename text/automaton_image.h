/* A sealed language as bytes, for another process: the expressions that its root reaches, parts before wholes. */
#ifndef TEXT_AUTOMATON_IMAGE_H
#define TEXT_AUTOMATON_IMAGE_H

#include "base/buf.h"
#include "text/automaton.h"

/* Appends the image of a sealed language. STATUS_LIMIT: `out` takes no more; STATUS_NO_MEMORY. */
enum status automaton_image_write(const struct automaton *automaton, uint32_t root, struct buf *out, struct error *error) must_check;

/* Builds and seals the language in an automaton that holds nothing yet. Nothing in the image is trusted. STATUS_INVALID with the byte in
 * error->offset; STATUS_LIMIT and STATUS_NO_MEMORY of the automaton. */
enum status automaton_image_read(struct automaton *automaton, struct str image, uint32_t *root, struct error *error) must_check;

#endif
