/* From the body of a request, of whatever surface, to a generation that may start. On the pool. */
#ifndef SERVER_PREPARE_H
#define SERVER_PREPARE_H

#include "server/dialect.h"
#include "server/generation.h"

struct prepare_form {
    dialect_reader *read; /* null: the body is one of our own */
    const struct generation_writer *writer;
    bool is_completion;
    void (*loaded)(struct exchange *exchange); /* answers a body that asks for nothing but the model */
};

/* A body that is open, and what it is read from: the body itself or the rewritten one. */
struct prepare_intake {
    struct request_body body;
    struct dialect dialect;
    struct fields fields;
    const json_t *root;
};

/* Close it, also after a failure. */
enum status prepare_open(struct prepare_intake *intake, struct exchange *exchange, dialect_reader *read, bool counts,
                         struct error *error) must_check;
/* The same with a tree that is there already and is taken over; it is read as it is. */
void prepare_open_tree(struct prepare_intake *intake, json_t *root, struct error *error);
void prepare_close(struct prepare_intake *intake, struct exchange *exchange);

/* Each gives the exchange a generation. Errors are in the sender's names. */
enum status prepare_chat(struct exchange *exchange, struct prepare_intake *intake, const struct generation_writer *writer,
                         struct error *error) must_check;
enum status prepare_completion(struct exchange *exchange, struct prepare_intake *intake, const struct generation_writer *writer,
                               struct error *error) must_check;

/* A chat's prompt alone. */
enum status prepare_count(struct exchange *exchange, struct prepare_intake *intake, uint32_t *n_tokens, struct error *error) must_check;

/* Opens, prepares a chat or a completion, closes, and starts the generation or answers with the error. */
void prepare_and_start(struct exchange *exchange, const struct prepare_form *form);

#endif
