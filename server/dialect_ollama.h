/* The Ollama API: /api/chat and /api/generate. */
#ifndef SERVER_DIALECT_OLLAMA_H
#define SERVER_DIALECT_OLLAMA_H

#include "server/dialect.h"

enum status dialect_ollama_read_chat(struct dialect *d, const json_t *root);
/* A chat of one turn; with raw or a suffix a completion. */
enum status dialect_ollama_read_generate(struct dialect *d, const json_t *root);

/* The model's name without the tag "latest", which is the same model. */
struct str dialect_ollama_model(struct str name);

#endif
